//! `audit list`.

use clap::Args;
use serde::Serialize;

use super::filter::Filter;
use crate::audit::entry::Entry;
use crate::audit::export::{Exporter, Format, Opened};
use crate::cli::failure::Failure;
use crate::cli::output::{Output, complain, table};
use crate::cli::place::Place;
use crate::cli::table::{cell, plain};

/// Prints entries of the record, the newest first
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0, or 1 when the record cannot be read.

Where there are more entries than were asked for, the last line says with which --after to go on; of --json, it is the object
{\"next\":PLACE}, with null where there are no more.

Examples:
  managed-agents audit list --agent support-bot --decision deny --since 7d
  managed-agents audit list --type outcome --oldest-first --limit 1000 --json")]
pub(in crate::cli) struct List {
    #[command(flatten)]
    filter: Filter,

    /// The oldest first
    #[arg(long)]
    oldest_first: bool,

    /// Print so many at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    /// Go on where a list ended
    #[arg(long, value_name = "PLACE")]
    after: Option<u64>,

    /// Print each entry as one line of JSON, as it stands in the record
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Next {
    next: Option<u64>,
}

impl List {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let mut query = self.filter.query();
        if !self.oldest_first {
            query = query.newest_first();
        }
        let mut cursor = self.after;
        let mut left = self.limit;
        let mut rows = table(HEADER, HEADER.len());
        let mut json = Exporter::new(Format::JsonLines, "", Vec::new());
        loop {
            if let Some(cursor) = cursor {
                query = query.after(cursor);
            }
            let most = left.min(1_000);
            let page = reader.query(&query.clone().most(usize::try_from(most).unwrap_or(1_000)))?;
            for entry in page.entries() {
                if self.json {
                    json.write(entry, &Opened::nothing())
                        .map_err(|error| Failure::unwritable(&error))?;
                } else {
                    rows.add_row(row(entry));
                }
            }
            left -= (page.entries().len() as u64).min(left);
            cursor = page.next();
            if self.json {
                let lines = std::mem::replace(&mut json, Exporter::new(Format::JsonLines, "", Vec::new()));
                let lines = lines.finish().map_err(|error| Failure::unwritable(&error))?;
                out.bytes(&lines)?;
            }
            if left == 0 || cursor.is_none() || out.is_closed() {
                break;
            }
        }
        if self.json {
            out.json(&Next { next: cursor })?;
        } else {
            out.line(rows)?;
            out.flush()?;
            if let Some(cursor) = cursor {
                complain(&format!("There are more: --after {cursor}"));
            }
        }
        Ok(0)
    }
}

const HEADER: [&str; 8] = ["seq", "at", "type", "agent", "tool", "what", "why", "session"];

fn row(entry: &Entry) -> [String; 8] {
    let what = match (entry.outcome(), entry.disposition(), entry.decision()) {
        (Some(outcome), ..) => {
            let of = entry.about().map(|about| format!(" of {about}")).unwrap_or_default();
            format!("{}{of}", cell(Some(outcome)))
        }
        (None, disposition, decision) => cell(decision.or(disposition)),
    };
    [
        entry.sequence().to_string(),
        entry.at().to_owned(),
        plain(entry.kind()),
        cell(entry.agent()),
        cell(entry.tool()),
        what,
        cell(entry.codes().into_iter().next()),
        cell(entry.session()),
    ]
}
