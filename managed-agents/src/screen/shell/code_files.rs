//! What code of other languages does to the files that it names.

use super::code_calls::{DELETES, READS, SENDS};
use super::code_text::Code;
use super::data::{Data, Taint, UNKNOWN};
use super::walk::Walk;
use crate::screen::finding::Span;
use crate::screen::{effect, rule};

/// `file delete` (file(n) of Tcl).
pub(super) fn deleted_by_tcl(walk: &mut Walk<'_>, code: &str, span: Span) {
    if let Some((_, rest)) = code.split_once("file delete ") {
        let paths: Vec<String> = rest
            .split([';', '\n', ']', '}'])
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .filter(|word| !word.starts_with('-'))
            .map(str::to_owned)
            .collect();
        effect::delete(walk, &paths, true, true, span);
    }
}

/// What is fetched into a file, and may be run from there.
pub(super) fn fetched(walk: &mut Walk<'_>, code: &Code<'_>, literals: &[String], span: Span) {
    let has = |names: &[&str]| code.has(names);
    if has(&[
        "urlretrieve",
        "getstore",
        "mirror(",
        "file_put_contents",
        "copy_stream",
        "download_file",
    ]) && has(&["http"])
    {
        for literal in literals.iter().filter(|literal| is_path(literal)) {
            let data = Data::unknown(Taint::NET);
            effect::write_file(walk, literal, effect::Write::Touch, &data, span);
        }
    }
}

/// Files that are deleted.
pub(super) fn deleted(walk: &mut Walk<'_>, code: &Code<'_>, literals: &[String], span: Span) {
    let has = |names: &[&str]| code.has(names);
    if !has(&DELETES) {
        return;
    }
    let mut paths: Vec<String> = literals.iter().filter(|literal| is_path(literal)).cloned().collect();
    if has(&[
        "Path.home()",
        "expanduser",
        "Dir.home",
        "os.homedir",
        "homedir()",
        "$HOME",
        "ENV['HOME']",
        "$ENV{HOME}",
    ]) {
        paths.push("~".to_owned());
    }
    let everything = literals
        .iter()
        .any(|literal| matches!(literal.as_str(), "*" | "./*" | "**/*" | "." | "./"));
    if everything {
        paths.push(".".to_owned());
    }
    if paths.is_empty() {
        walk.open = true;
    }
    let recursive = has(&[
        "rmtree",
        "rm_r",
        "rmSync",
        "recursive",
        "rimraf",
        "remove_tree",
        "rmdir",
        "glob",
        "fs.rm",
        "os.walk",
        "deleteRecursively",
    ]);
    effect::delete(walk, &paths, recursive || everything, true, span);
}

/// Files that are read, and where what is in them goes; `runs`: the code runs commands.
pub(super) fn read(walk: &mut Walk<'_>, code: &Code<'_>, literals: &[String], runs: bool, span: Span) {
    let has = |names: &[&str]| code.has(names);
    let sends = has(&SENDS);
    if literals.iter().any(|literal| literal == "/etc/passwd")
        && (sends || has(&["gzip", "bz2", "zipfile", "tarfile", "ZipFile", "lzma", "shutil.copy"]))
    {
        walk.report(&rule::ACCOUNT_LIST, span);
    }
    if has(&READS) || sends || runs {
        for literal in literals.iter().filter(|literal| is_path(literal)) {
            let data = effect::read_file(walk, literal, span);
            if sends && data.taint.has(Taint::SECRET) {
                walk.report(&rule::EXFIL_SECRET, span);
            }
        }
    }
}

/// Files that are written.
pub(super) fn written(walk: &mut Walk<'_>, code: &Code<'_>, literals: &[String], span: Span) {
    let has = |names: &[&str]| code.has(names);
    if has(&[
        "'w'",
        "\"w\"",
        "'a'",
        "\"a\"",
        "write_text",
        "writeFile",
        "appendFile",
        "file_put_contents",
        "File.write",
        "'wb'",
        "\"wb\"",
        "'ab'",
        "w+",
        "a+",
        "r+",
        "wb+",
        "\">\"",
        "\">>\"",
        "'>'",
        "'>>'",
    ]) {
        for literal in literals.iter().filter(|literal| is_path(literal)) {
            effect::write_file(walk, literal, effect::Write::Append, &Data::unknown(Taint::NONE), span);
        }
    }
    // a file of the home, by a name that is put together
    if has(&[
        "appendFile",
        "writeFile",
        "'a'",
        "\"a\"",
        "'w'",
        "\"w\"",
        "file_put_contents",
        "File.write",
        "'>>'",
        "\">>\"",
    ]) && has(&[
        "process.env.HOME",
        "homedir()",
        "expanduser(\"~\")",
        "expanduser('~')",
        "Dir.home",
        "ENV['HOME']",
        "ENV[\"HOME\"]",
        "$ENV{HOME}",
        "Path.home()",
    ]) {
        for literal in literals
            .iter()
            .filter(|literal| literal.trim_start_matches('/').starts_with('.'))
        {
            let path = format!("~/{}", literal.trim_start_matches('/'));
            let data = Data::unknown(Taint::NONE);
            effect::write_file(walk, &path, effect::Write::Append, &data, span);
        }
    }
    // perl's own way to say that a file is written
    for literal in literals {
        if let Some(path) = literal.strip_prefix(">>").or_else(|| literal.strip_prefix('>'))
            && is_path(path.trim())
        {
            let data = Data::unknown(Taint::NONE);
            effect::write_file(walk, path.trim(), effect::Write::Append, &data, span);
        }
    }
}

fn is_path(literal: &str) -> bool {
    !literal.is_empty()
        && literal.len() < 1024
        && !literal.contains(['\n', UNKNOWN])
        && (literal.contains('/') || literal.starts_with('~') || literal.starts_with('.') || literal.contains('.'))
        && !literal.contains("://")
}
