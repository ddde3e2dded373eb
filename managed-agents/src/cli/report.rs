//! `report`.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::audit::{kept_head, write_file};
use super::failure::{Failure, shown_path};
use super::output::{Output, complain};
use super::place::Place;
use super::progress::Bar;
use super::when;
use crate::report::{Format, Framework, Report, ReportError, ReportOptions};

/// Writes what the record shows for a framework, control by control
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the report is written; 1 when not. A file that is there is not overwritten.

Everything in a report is counted from the record's entries; for each control it names the entries that are evidence, with receipts, or
says that the record does not cover it. It never says that anything complies.

  html   one page to read and to print, which needs nothing else
  md     Markdown
  json   every figure, control, entry and receipt
  oscal  OSCAL assessment results 1.1.3: observations, and no finding

Examples:
  managed-agents report --framework eu-ai-act --from 2026-10-01 --to 2027-01-01 --out report.html
  managed-agents report --framework soc2 --from 30d --format oscal --out results.json")]
pub(super) struct ReportCommand {
    /// Framework
    #[arg(long, value_parser = framework, value_name = "FRAMEWORK", help = "eu-ai-act, soc2, hipaa, iso-42001, nist-ai-rmf, owasp-agentic")]
    framework: Framework,

    /// Not before: 2026-11-24, 2026-11-24T09:30:00Z, or 90m, 12h, 7d ago [default: the first entry]
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    from: Option<SystemTime>,

    /// Before that time [default: the last entry is the last that counts]
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    to: Option<SystemTime>,

    /// Format
    #[arg(long, value_enum, default_value_t = Word::Html)]
    format: Word,

    /// Prove entries in this head, as `audit checkpoint --out` wrote it, with the signatures of witnesses [default: the newest]
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,

    /// File to make [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    Html,
    Md,
    Json,
    Oscal,
}

impl ReportCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let mut options = ReportOptions::new(self.framework);
        if let Some(from) = self.from {
            options = options.from(from);
        }
        if let Some(to) = self.to {
            options = options.to(to);
        }
        options = match &self.head {
            Some(path) => options.head(kept_head(path, place, &reader)?),
            // signs what is not signed yet, so that everything can be proven
            None => options.head(place.signed_head(&reader, reader.head()?.size())?.0),
        };
        let bar = Bar::over(0, "entries");
        let report = Report::of(&reader, &options, |done, total| bar.at_of(done, total))?;
        drop(bar);
        let text = report.print(match self.format {
            Word::Html => Format::Html,
            Word::Md => Format::Markdown,
            Word::Json => Format::Json,
            Word::Oscal => Format::Oscal,
        });
        match &self.out {
            Some(path) => {
                write_file(path, text.as_bytes())?;
                let entries = report.figures().entries();
                complain(&format!("{entries} entries counted; written to {}", shown_path(path)));
            }
            None => out.bytes(text.as_bytes())?,
        }
        out.flush()?;
        Ok(0)
    }
}

fn framework(word: &str) -> Result<Framework, String> {
    Framework::from_name(word).ok_or_else(|| {
        let names = Framework::ALL.map(Framework::name);
        format!("not one of {}", names.join(", "))
    })
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::of(&error)
    }
}
