//! `audit show`.

use clap::Args;

use crate::audit::Sequence;
use crate::audit::entry::{Entry, Sealed};
use crate::audit::export::{Exporter, Format, Opened, Untrusted};
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::place::Place;
use crate::cli::table::plain;
use crate::store::{Reader, Values};

/// Prints one entry, or all entries of an evaluation
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0, or 1 when there is no such entry or the record cannot be read.

The record holds no argument's value but a commitment to it. --reveal opens the values that lie beside it, checks that they are
those that were committed to, and prints them, but for those that the tool redacts; an erased data subject's are gone.")]
pub(in crate::cli) struct Show {
    /// Place in the record, from 0, or an evaluation's id
    #[arg(value_name = "SEQ|EVALUATION")]
    what: String,

    /// Print the recorded values, too
    #[arg(long)]
    reveal: bool,

    /// Print each entry as one line of JSON, as it stands in the record
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let entries = match self.what.parse::<u64>() {
            Ok(sequence) => reader.entry(Sequence::new(sequence))?.into_iter().collect(),
            Err(_) => reader.evaluation(&self.what)?,
        };
        if entries.is_empty() {
            return Err(Failure::new(format!("there is no entry `{}`", plain(&self.what))));
        }
        let mut json = Exporter::new(Format::JsonLines, "", Vec::new());
        for (at, entry) in entries.iter().enumerate() {
            let values = if self.reveal {
                reader.values(Sequence::new(entry.sequence()))?
            } else {
                Values::None
            };
            if self.json {
                let opened = match &values {
                    Values::Known(sealed) => Opened::of(entry, sealed),
                    _ => Opened::nothing(),
                };
                json.write(entry, &opened)
                    .map_err(|error| Failure::unwritable(&error))?;
            } else {
                if at > 0 {
                    out.line("")?;
                }
                print(entry, &reader, out)?;
                if self.reveal {
                    reveal(entry, &values, out)?;
                }
            }
        }
        out.bytes(&json.finish().map_err(|error| Failure::unwritable(&error))?)?;
        Ok(0)
    }
}

fn print(entry: &Entry, reader: &Reader, out: &mut Output) -> Result<(), Failure> {
    for (key, value) in entry.members() {
        let key = plain(&key);
        // a text stands without its quotes; all else as JSON
        let text = entry.untrusted(&key).unwrap_or_else(|| Untrusted::new(value));
        out.line(format_args!("{key:<15} {}", text.terminal()))?;
    }
    let running = entry.kind() == "decision" && reader.running()?.iter().any(|place| place.get() == entry.sequence());
    if running {
        out.line("(the call has not ended)")?;
    }
    Ok(())
}

fn reveal(entry: &Entry, values: &Values, out: &mut Output) -> Result<(), Failure> {
    match values {
        Values::Known(sealed) => {
            out.line("values")?;
            sealed
                .iter()
                .try_for_each(|value| out.line(format_args!("  {}", opened(entry, value))))
        }
        Values::Erased => out.line("values          erased"),
        Values::Removed => out.line("values          removed by retention"),
        Values::None => Ok(()),
    }
}

fn opened(entry: &Entry, sealed: &Sealed) -> String {
    let path = Untrusted::new(sealed.path.as_str()).terminal();
    // the salt of the whole call's digest commits to no value
    if sealed.value.is_empty() {
        return format!("{path}: (salt)");
    }
    if !entry.opens(sealed) {
        return format!("{path}: this is not what the entry commits to");
    }
    let committed = entry.commitments();
    let redacted = committed
        .iter()
        .any(|one| one.path() == sealed.path && one.is_redacted());
    if sealed.redacted || redacted {
        return format!("{path}: (redacted)");
    }
    format!(
        "{path}: {}",
        Untrusted::new(String::from_utf8_lossy(&sealed.value)).terminal()
    )
}
