//! The files that policies are read from, and how large they may be.

use std::path::{Path, PathBuf};

use super::error::{PolicyError, PolicyProblem};

/// The largest file that is read.
pub(super) const MOST_BYTES: u64 = 1024 * 1024;
/// The most files.
const MOST_FILES: usize = 1_000;
/// The most bytes of all files.
const MOST_TOTAL: u64 = 16 * 1024 * 1024;
/// The deepest nesting of brackets: beyond it, a parser may need more stack than there is.
const MOST_DEPTH: usize = 64;
/// The longest policy, in bytes.
const MOST_POLICY: usize = 64 * 1024;
/// The most operators in one policy: a chain of them is a tree as deep.
const MOST_OPERATORS: usize = 2_048;

/// One file of policies.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) text: String,
}

impl Source {
    pub(super) fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    pub(super) fn problem(&self, at: usize, message: impl Into<String>) -> PolicyProblem {
        PolicyProblem::new(&self.file, self.line(at), message)
    }
}

/// Reads files, and the files with an ending of directories (not of those below), by name.
pub(super) fn read(paths: &[PathBuf], ending: &str) -> Result<Vec<Source>, PolicyError> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |error: std::io::Error| PolicyProblem::new(path, 0, format!("cannot be read: {error}"));
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            if has_ending(path, ending) {
                files.push(path.clone());
            }
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if has_ending(&file, ending) && file.is_file() {
                inside.push(file);
            }
            if inside.len() > MOST_FILES {
                return Err(PolicyProblem::new(path, 0, format!("holds over {MOST_FILES} files")).into());
            }
        }
        inside.sort_unstable();
        files.append(&mut inside);
    }
    files.dedup();
    if files.len() > MOST_FILES {
        let first = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(PolicyProblem::new(first, 0, format!("there are over {MOST_FILES} files")).into());
    }
    let mut total = 0;
    let mut sources = Vec::with_capacity(files.len());
    for file in files {
        let text = read_one(&file)?;
        total += text.len() as u64;
        if total > MOST_TOTAL {
            return Err(PolicyProblem::new(&file, 0, "all files together are over 16 MiB").into());
        }
        sources.push(Source { file, text });
    }
    Ok(sources)
}

fn has_ending(file: &Path, ending: &str) -> bool {
    file.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.ends_with(ending))
}

fn read_one(file: &Path) -> Result<String, PolicyProblem> {
    use std::io::Read as _;
    let unreadable = |error: std::io::Error| PolicyProblem::new(file, 0, format!("cannot be read: {error}"));
    // opening a pipe would wait for a writer
    if !std::fs::metadata(file).map_err(unreadable)?.is_file() {
        return Err(PolicyProblem::new(file, 0, "is no file"));
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(too_large(file));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error
            .as_bytes()
            .get(..error.utf8_error().valid_up_to())
            .unwrap_or_default();
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        PolicyProblem::new(file, line, "is no UTF-8 text")
    })
}

pub(super) fn too_large(file: &Path) -> PolicyProblem {
    PolicyProblem::new(file, 0, "is over 1 MiB: split it")
}

/// Refuses what a parser should not be given; says how many policies there are.
pub(super) fn check(source: &Source) -> Result<usize, PolicyProblem> {
    if source.text.len() as u64 > MOST_BYTES {
        return Err(too_large(&source.file));
    }
    let (mut depth, mut policy, mut prefix) = (0_usize, 0_usize, 0_usize);
    let (mut operators, mut conditions) = (0_usize, 0_usize);
    let (mut quoted, mut after_word) = (false, false);
    let mut policies = 0;
    let mut bytes = source.text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if quoted {
            match byte {
                b'\\' => drop(bytes.next()),
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        if !matches!(byte, b'!' | b'-' | b' ' | b'\n' | b'\t' | b'\r') {
            prefix = 0;
        }
        match byte {
            b'"' => quoted = true,
            b'/' if bytes.peek().is_some_and(|(_, next)| *next == b'/') => {
                while bytes.next().is_some_and(|(_, byte)| byte != b'\n') {}
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'!' | b'-' => prefix += 1,
            b';' => {
                (policy, operators, conditions) = (at, 0, 0);
                policies += 1;
            }
            _ => {}
        }
        // `if a then b else if …` is as deep as it has words
        let in_word = byte.is_ascii_alphanumeric() || byte == b'_';
        if in_word && !after_word {
            let rest = source.text.as_bytes().get(at..).unwrap_or_default();
            let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'_';
            conditions += usize::from(rest.starts_with(b"if") && rest.get(2).is_none_or(ends));
        }
        after_word = in_word;
        operators += usize::from(matches!(
            byte,
            b'&' | b'|' | b'+' | b'*' | b'-' | b'=' | b'<' | b'>' | b'!' | b'.'
        ));
        if operators > MOST_OPERATORS {
            return Err(source.problem(policy, format!("one policy has over {MOST_OPERATORS} operators")));
        }
        if depth > MOST_DEPTH || prefix > MOST_DEPTH || conditions > MOST_DEPTH {
            return Err(source.problem(at, format!("nested more than {MOST_DEPTH} deep")));
        }
        if at.saturating_sub(policy) > MOST_POLICY {
            return Err(source.problem(policy, "one policy is over 64 KiB"));
        }
    }
    Ok(policies)
}
