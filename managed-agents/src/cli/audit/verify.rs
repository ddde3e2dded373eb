//! `audit verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::files;
use crate::audit::tree::note::NoteVerifier;
use crate::cli::failure::{Failure, shown_path};
use crate::cli::output::{Output, complain};
use crate::cli::place::Place;
use crate::cli::progress::Bar;
use crate::cli::table::line as shown;
use crate::cli::{BAD, ERROR};
use crate::engine::{BEHAVIOUR_DIFFERS, recompute};
use crate::identity::{Certificate, KeyDir, Trust};
use crate::store::{Depth, Problem, Reader, Report, StoreError, StoreErrorKind};

/// Checks the whole record, and compares it with what is remembered of it
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 nothing is wrong, 2 a record is bad or the record was rolled back (the first bad record is named), 1 the record
cannot be read at all.

Every entry is hashed and compared with the tree, its root and the newest signed checkpoint; size and root are compared with the
high-water mark, which lies outside the data directory. --deep also reads every entry, makes all derived tables anew, checks every
checkpoint's signature, computes trust and drift of every agent again, opens every value that is not erased, and checks the signatures of passports and of agents' states: against the
authority's certificate in keys/authority.pem, or the one that --authority names. It may run while programs write.

--tiles checks the static files that `audit export --format tiles` wrote, without any record: every bundle, every tile, and the
checkpoint, by the log's key, which comes from whoever is trusted to know it (`audit checkpoint --key`).")]
pub(in crate::cli) struct Verify {
    /// Check everything that can be checked
    #[arg(long)]
    deep: bool,

    /// Certificate of the authority to believe (PEM), got from somebody whom you trust to know it
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,

    /// Check this directory of static files instead; needs --key, and no record
    #[arg(long, value_name = "DIR", requires = "key", conflicts_with_all = ["deep", "authority"])]
    tiles: Option<PathBuf>,

    /// Key of the log, as `audit checkpoint --key` prints it
    #[arg(long, value_name = "VKEY", requires = "tiles")]
    key: Option<NoteVerifier>,

    /// Key of a witness that must have signed the checkpoint, too
    #[arg(long = "witness-key", value_name = "VKEY", requires = "tiles")]
    witnesses: Vec<NoteVerifier>,

    /// Print the result as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    sound: bool,
    origin: &'a str,
    size: u64,
    root: String,
    depth: &'static str,
    checkpoints: u64,
    erased: u64,
    unchecked_statements: u64,
    replaced_rules: u64,
    high_water: Option<u64>,
    rolled_back: Option<&'a str>,
    first_bad_record: Option<u64>,
    problems: Vec<Fault<'a>>,
    more_problems: u64,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'static str,
    record: Option<u64>,
    detail: &'a str,
}

/// What the high-water mark says.
enum Mark {
    Fits(Option<u64>),
    RolledBack(String),
}

impl Verify {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        if let (Some(dir), Some(key)) = (&self.tiles, &self.key) {
            return files::verify(dir, key, &self.witnesses, self.json, out);
        }
        let depth = if self.deep { Depth::Deep } else { Depth::Quick };
        let options = place.options()?;
        let trust = self.trust(options.dir())?;
        let checked = (|| {
            let mut reader = Reader::open(options.dir())?;
            if let Some(trust) = trust {
                reader = reader.trusting(trust);
            }
            let bar = Bar::over(reader.head()?.size(), "records");
            let mut report = reader.verify(depth, |done| bar.at(done))?;
            drop(bar);
            if self.deep && report.is_sound() {
                recompute(&reader, |record, what| {
                    report.add(BEHAVIOUR_DIFFERS, Some(record), what)
                })?;
            }
            let mark = match reader.compare_with_mark(&options) {
                Ok(size) => Mark::Fits(size),
                Err(error) if error.kind() == StoreErrorKind::RolledBack => Mark::RolledBack(error.to_string()),
                // said by the report, which names the record
                Err(error) if error.kind() == StoreErrorKind::Corrupt && !report.is_sound() => Mark::Fits(None),
                Err(error) => return Err(error),
            };
            Ok((report, mark))
        })();
        let (report, mark) = match checked {
            Ok(checked) => checked,
            Err(error) => return unreadable(&error, self.json, out),
        };
        let sound = report.is_sound() && matches!(mark, Mark::Fits(_));
        if self.json {
            out.json(&line(&report, &mark, self.deep))?;
        } else {
            print(&report, &mark, self.deep, out)?;
        }
        Ok(if sound { 0 } else { BAD })
    }
}

impl Verify {
    /// Whom to believe: who is named, else who lies beside the record.
    fn trust(&self, dir: &Path) -> Result<Option<Trust>, Failure> {
        if let Some(file) = &self.authority {
            let text = std::fs::read_to_string(file).map_err(|error| Failure::of_file(file, error))?;
            let certificates = Certificate::from_pem(&text)?;
            let Some(root) = certificates.first() else {
                return Err(Failure::new(format!("there is no certificate in {}", shown_path(file))));
            };
            let mut trust = Trust::root(root)?;
            for other in certificates.iter().skip(1) {
                // one that the first does not vouch for is not believed
                let _ = trust.add(other);
            }
            return Ok(Some(trust));
        }
        let keys = dir.join("keys");
        if !keys.is_dir() {
            return Ok(None);
        }
        Ok(KeyDir::open(keys)?.trust()?)
    }
}

/// A record so damaged that no part of it can be believed is bad, not absent.
fn unreadable(error: &StoreError, json: bool, out: &mut Output) -> Result<u8, Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        sound: bool,
        problems: [Fault<'a>; 1],
    }
    let code = match error.kind() {
        StoreErrorKind::Corrupt | StoreErrorKind::RolledBack => BAD,
        _ => ERROR,
    };
    let detail = error.to_string();
    if json {
        let problems = [Fault {
            code: error.code(),
            record: None,
            detail: &detail,
        }];
        out.json(&Line { sound: false, problems })?;
    }
    complain(&format!("error: {}", Failure::of(&detail)));
    Ok(code)
}

fn line<'a>(report: &'a Report, mark: &'a Mark, deep: bool) -> Line<'a> {
    let (high_water, rolled_back) = match mark {
        Mark::Fits(size) => (*size, None),
        Mark::RolledBack(why) => (None, Some(why.as_str())),
    };
    Line {
        sound: report.is_sound() && rolled_back.is_none(),
        origin: report.origin(),
        size: report.size(),
        root: report.root().to_string(),
        depth: if deep { "deep" } else { "quick" },
        checkpoints: report.checkpoints(),
        erased: report.erased(),
        unchecked_statements: report.unchecked_statements(),
        replaced_rules: report.replaced_rules(),
        high_water,
        rolled_back,
        first_bad_record: report.first_bad_record(),
        problems: report.problems().iter().map(fault).collect(),
        more_problems: report.more_problems(),
    }
}

fn fault(problem: &Problem) -> Fault<'_> {
    Fault {
        code: problem.code(),
        record: problem.record(),
        detail: problem.detail(),
    }
}

fn print(report: &Report, mark: &Mark, deep: bool, out: &mut Output) -> Result<(), Failure> {
    out.line(format_args!(
        "{} records of the log {}, root {}.",
        report.size(),
        shown(report.origin()),
        report.root()
    ))?;
    match report.first_bad_record() {
        Some(record) => out.line(format_args!("BAD: the first bad record is {record}."))?,
        None if !report.is_sound() => out.line("BAD: the records do not make the log that was signed.")?,
        None => {}
    }
    for problem in report.problems() {
        out.line(format_args!("  {}", Failure::of(problem)))?;
    }
    if report.more_problems() > 0 {
        out.line(format_args!("  and {} more", report.more_problems()))?;
    }
    if report.is_sound() {
        let erased = if deep {
            format!(", the values of {} records are erased", report.erased())
        } else {
            String::new()
        };
        let depth = if deep { "deep" } else { "quick" };
        out.line(format_args!(
            "Every record is as it was written ({depth}): {} signed checkpoints fit{erased}.",
            report.checkpoints()
        ))?;
    }
    if report.unchecked_statements() > 0 {
        out.line(format_args!(
            "The signatures of {} statements were not checked: name the authority's certificate with --authority.",
            report.unchecked_statements()
        ))?;
    }
    if report.replaced_rules() > 0 {
        out.line(format_args!(
            "{} decisions were made by rules that an approver had replaced by then: their programs had not read the new ones yet.",
            report.replaced_rules()
        ))?;
    }
    match mark {
        Mark::Fits(Some(size)) => out.line(format_args!("The high-water mark fits: {size} records.")),
        Mark::Fits(None) => out.line("There is no high-water mark here: a shorter log would not be noticed."),
        Mark::RolledBack(why) => out.line(format_args!("ROLLED BACK: {}", Failure::of(why))),
    }
}
