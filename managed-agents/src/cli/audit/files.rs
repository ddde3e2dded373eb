//! `audit verify --tiles`: a directory of static files, checked by whoever has it and the log's key, and nothing else.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;

use crate::audit::entry::Entry;
use crate::audit::tree::note::{Note, NoteVerifier};
use crate::audit::tree::{EntryBundle, FilesReport, LogPolicy, TILE_WIDTH, VerifiedCheckpoint, check_files};
use crate::cli::BAD;
use crate::cli::failure::{Failure, shown_path};
use crate::cli::output::{Output, complain};
use crate::cli::progress::Bar;
use crate::cli::table::line as shown;

/// No file of a log is larger: a bundle of the largest entries.
const MOST_BYTES: u64 = (EntryBundle::MAX_ENTRY as u64 + 2) * TILE_WIDTH as u64;

/// The keys are stable, and those of `audit verify` on a record.
#[derive(Serialize)]
struct Line<'a> {
    sound: bool,
    origin: &'a str,
    size: Option<u64>,
    root: Option<String>,
    first_bad_record: Option<u64>,
    problems: Vec<Fault<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    file: &'a str,
    record: Option<u64>,
    detail: &'a str,
}

pub(super) fn verify(
    dir: &Path,
    key: &NoteVerifier,
    witnesses: &[NoteVerifier],
    json: bool,
    out: &mut Output,
) -> Result<u8, Failure> {
    if key.is_cosigner() {
        return Err(Failure::new("--key is a witness's key: name the log's"));
    }
    if witnesses.iter().any(|witness| !witness.is_cosigner()) {
        return Err(Failure::new("--witness-key is no witness's key"));
    }
    let path = dir.join("checkpoint");
    let note = read(&path)?.ok_or_else(|| Failure::of_file(&path, "it is not there"))?;
    let policy = LogPolicy::new(key.name(), vec![key.clone()]).witnesses(witnesses.to_vec(), witnesses.len());
    let head = match trusted(&note, &policy) {
        Ok(head) => head,
        Err(detail) => {
            if json {
                let problems = vec![Fault {
                    file: "checkpoint",
                    record: None,
                    detail: &detail,
                }];
                out.json(&Line {
                    sound: false,
                    origin: key.name(),
                    size: None,
                    root: None,
                    first_bad_record: None,
                    problems,
                })?;
            }
            complain(&format!("error: checkpoint: {}", Failure::of(&detail)));
            return Ok(BAD);
        }
    };
    let bar = Bar::over(head.size(), "records");
    let report = check_files(
        head.checkpoint(),
        |path| read(&dir.join(path)),
        |place, bytes| {
            bar.at(place + 1);
            odd(place, bytes)
        },
    )?;
    drop(bar);
    if json {
        out.json(&line(key.name(), &head, &report))?;
    } else {
        print(dir, key.name(), &head, &report, out)?;
    }
    Ok(if report.is_sound() { 0 } else { BAD })
}

/// The signed head; it must stand in the file as it was signed.
fn trusted(bytes: &[u8], policy: &LogPolicy) -> Result<VerifiedCheckpoint, String> {
    let note = Note::parse(bytes).map_err(|error| error.to_string())?;
    if note.to_string().as_bytes() != bytes {
        return Err("it is not written as it was signed".to_owned());
    }
    policy.verify(&note).map_err(|error| error.to_string())
}

/// What is wrong with an entry in itself.
fn odd(place: u64, bytes: &[u8]) -> Option<String> {
    match Entry::parse(bytes) {
        Err(error) => Some(error.to_string()),
        Ok(entry) if entry.sequence() != place => Some(format!("it says that its place is {}", entry.sequence())),
        Ok(_) => None,
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| Failure::of_file(path, error))?,
    };
    let mut bytes = Vec::new();
    // one byte more, so that a file that is too long is not taken for its beginning
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::of_file(path, error))?;
    Ok(Some(bytes))
}

fn line<'a>(origin: &'a str, head: &VerifiedCheckpoint, report: &'a FilesReport) -> Line<'a> {
    let problems = report.problems.iter().map(|problem| Fault {
        file: &problem.path,
        record: problem.record,
        detail: &problem.detail,
    });
    Line {
        sound: report.is_sound(),
        origin,
        size: Some(head.size()),
        root: Some(head.checkpoint().root().to_string()),
        first_bad_record: report.first_bad_record,
        problems: problems.collect(),
    }
}

fn print(
    dir: &Path,
    origin: &str,
    head: &VerifiedCheckpoint,
    report: &FilesReport,
    out: &mut Output,
) -> Result<(), Failure> {
    out.line(format_args!(
        "{}: {} records of the log {}, root {}.",
        shown_path(dir),
        head.size(),
        shown(origin),
        head.checkpoint().root()
    ))?;
    match report.first_bad_record {
        Some(record) => out.line(format_args!("BAD: the first bad record is {record}."))?,
        None if !report.is_sound() => out.line("BAD: the records do not make the log that was signed.")?,
        None => out.line("Every record is as it was signed.")?,
    }
    for problem in &report.problems {
        out.line(format_args!("  {}", Failure::of(problem)))?;
    }
    for seen in head.cosignatures() {
        out.line(format_args!(
            "Seen by {} at {} s since 1970.",
            shown(seen.witness()),
            seen.time()
        ))?;
    }
    Ok(())
}
