//! Finding files by name and by content. Links are not followed.

use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

use super::fault::WorkerFault;
use super::workspace::Files;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchArguments {
    pattern: String,
    #[serde(default)]
    path: Option<String>,
}

/// Files whose path fits a pattern: `*`, `?` within a name, `**` across names.
pub(super) fn glob(files: &Files, arguments: &SearchArguments) -> Result<String, WorkerFault> {
    let pattern: Vec<_> = arguments.pattern.split('/').filter(|part| !part.is_empty()).collect();
    if pattern.len() > MOST_DEPTH || arguments.pattern.len() > MOST_PATTERN {
        return Err(WorkerFault::new("the pattern is too long"));
    }
    let start = start(files, arguments)?;
    let mut found = Found::default();
    walk(files, &start, &mut |path| {
        let below = path.strip_prefix(&start).unwrap_or(path);
        let names: Vec<_> = below.iter().filter_map(|name| name.to_str()).collect();
        if fits(&pattern, &names) {
            found.line(&path.display().to_string());
        }
        found.goes_on()
    })?;
    Ok(found.text())
}

/// Lines that fit a regular expression, with the file and the line's number.
pub(super) fn grep(files: &Files, arguments: &SearchArguments) -> Result<String, WorkerFault> {
    let regex = Regex::new(&arguments.pattern)
        .map_err(|_| WorkerFault::new("the pattern is no regular expression that is taken here"))?;
    let start = start(files, arguments)?;
    let mut found = Found::default();
    walk(files, &start, &mut |path| {
        // what is no text, too large or gone by now has no lines
        if let Ok(text) = files.text(path) {
            for (number, line) in text.lines().enumerate() {
                if regex.is_match(line) {
                    found.line(&format!("{}:{}:{line}", path.display(), number + 1));
                }
                if !found.goes_on() {
                    return false;
                }
            }
        }
        found.goes_on()
    })?;
    Ok(found.text())
}

fn start(files: &Files, arguments: &SearchArguments) -> Result<PathBuf, WorkerFault> {
    let path = files.inside(arguments.path.as_deref().unwrap_or("."))?;
    // `.` in front of every path helps nobody
    Ok(if path == Path::new(".") { PathBuf::new() } else { path })
}

/// Visits the files beneath a place, in the order of their names, until told to stop.
fn walk(files: &Files, start: &Path, visit: &mut dyn FnMut(&Path) -> bool) -> Result<(), WorkerFault> {
    let here = if start.as_os_str().is_empty() {
        Path::new(".")
    } else {
        start
    };
    let about = files
        .dir
        .symlink_metadata(here)
        .map_err(|error| WorkerFault::io(start, &error))?;
    if about.is_file() {
        visit(start);
        return Ok(());
    }
    let mut waiting = vec![start.to_owned()];
    let mut seen = 0;
    while let Some(at) = waiting.pop() {
        let here = if at.as_os_str().is_empty() { Path::new(".") } else { &at };
        let entries = match files.dir.read_dir(here) {
            Ok(entries) => entries,
            Err(error) if at == start => return Err(WorkerFault::io(start, &error)),
            Err(_) => continue,
        };
        let mut below = Vec::new();
        for entry in entries.flatten() {
            files.goes_on()?;
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(WorkerFault::new(format!(
                    "more than {MOST_ENTRIES} files: search in a narrower place"
                )));
            }
            let Ok(kind) = entry.file_type() else { continue };
            below.push((at.join(entry.file_name()), kind.is_dir(), kind.is_file()));
        }
        below.sort();
        for (path, _, is_file) in &below {
            files.goes_on()?;
            if *is_file && !visit(path) {
                return Ok(());
            }
        }
        let deep = at.iter().count() >= MOST_DEPTH;
        let directories = below.into_iter().rev().filter(|(_, is_dir, _)| *is_dir && !deep);
        waiting.extend(directories.map(|(path, _, _)| path));
    }
    Ok(())
}

/// Whether a path fits a pattern, both cut into names. Linear in the product of their lengths.
fn fits(pattern: &[&str], names: &[&str]) -> bool {
    let mut reached = vec![false; names.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in pattern {
        let mut next = vec![false; names.len() + 1];
        let mut before = false;
        for (at, now) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            if *part == "**" {
                before |= here;
                *now = before;
            } else if let Some(last) = at.checked_sub(1) {
                let came = reached.get(last).copied().unwrap_or(false);
                *now = came && names.get(last).is_some_and(|name| name_fits(part, name));
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

fn name_fits(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        let mut before = false;
        for (at, now) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            if part == '*' {
                before |= here;
                *now = before;
            } else if let Some(last) = at.checked_sub(1) {
                let came = reached.get(last).copied().unwrap_or(false);
                *now = came && (part == '?' || name.get(last) == Some(&part));
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

/// Lines that were found, as many as a model can use.
#[derive(Default)]
struct Found {
    lines: Vec<String>,
    bytes: usize,
}

impl Found {
    fn line(&mut self, line: &str) {
        let line: String = line.chars().take(MOST_CHARS).collect();
        self.bytes += line.len() + 1;
        self.lines.push(line);
    }

    fn goes_on(&self) -> bool {
        self.bytes < MOST_BYTES
    }

    fn text(mut self) -> String {
        if self.lines.is_empty() {
            return "no matches".to_owned();
        }
        if !self.goes_on() {
            self.lines.push("… and perhaps more".to_owned());
        }
        self.lines.join("\n")
    }
}

const MOST_DEPTH: usize = 64;

/// A pattern is tried at each name that is found.
const MOST_PATTERN: usize = 1000;

const MOST_ENTRIES: usize = 100_000;

const MOST_BYTES: usize = 128 << 10;

const MOST_CHARS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_within_names_and_across_them() {
        let fits = |pattern: &str, path: &str| {
            fits(
                &pattern.split('/').collect::<Vec<_>>(),
                &path.split('/').collect::<Vec<_>>(),
            )
        };
        for (pattern, path, expected) in [
            ("*.rs", "a.rs", true),
            ("*.rs", "src/a.rs", false),
            ("**/*.rs", "a.rs", true),
            ("**/*.rs", "src/deep/a.rs", true),
            ("src/**", "src/a/b", true),
            ("src/**/b", "src/b", true),
            ("s?c/*", "src/x", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("**", "x/y/z", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
        // a pattern that would take for ever if each star were tried at each place
        assert!(!name_fits(&"*a".repeat(40), &"a".repeat(39)));
    }
}
