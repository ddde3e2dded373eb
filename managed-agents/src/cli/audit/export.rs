//! `audit export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::filter::Filter;
use super::{NewFile, tiles};
use crate::audit::export::{Exporter, Format, Opened};
use crate::cli::failure::{Failure, shown_path};
use crate::cli::output::{Output, complain};
use crate::cli::place::Place;
use crate::cli::progress::Bar;
use crate::store::Reader;

/// Writes the record in the format of another system
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when everything is written and, in a file, on the disk; 1 when not. A file that is there is not overwritten.

  jsonl  one entry a line, as it stands in the record
  csv    RFC 4180, with a line of headings
  cef    ArcSight Common Event Format, version 0
  ocsf   Open Cybersecurity Schema Framework 1.9, one event a line
  otel   OpenTelemetry spans, one OTLP/JSON request a line
  tiles  a directory of static files (C2SP tlog-tiles): checkpoint, tiles and entry bundles; run again, it adds what is new,
         and goes on where an earlier run was cut off

No export holds the value of an argument.")]
pub(in crate::cli) struct Export {
    /// Format
    #[arg(long, value_enum)]
    format: Word,

    /// File to make, or directory of tiles to make or to go on with [default: standard output]
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    filter: Filter,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    Jsonl,
    Csv,
    Cef,
    Ocsf,
    Otel,
    Tiles,
}

impl Word {
    fn format(self) -> Option<Format> {
        match self {
            Self::Jsonl => Some(Format::JsonLines),
            Self::Csv => Some(Format::Csv),
            Self::Cef => Some(Format::Cef),
            Self::Ocsf => Some(Format::Ocsf),
            Self::Otel => Some(Format::OpenTelemetry),
            Self::Tiles => None,
        }
    }
}

impl Export {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let Some(format) = self.format.format() else {
            let Some(dir) = &self.out else {
                return Err(Failure::new("tiles are a directory of files: name it with --out"));
            };
            if self.filter.is_any() {
                return Err(Failure::new("tiles hold the whole record: they cannot be filtered"));
            }
            tiles::export(place, &reader, dir, out)?;
            return Ok(0);
        };
        match &self.out {
            None => {
                self.write(&reader, format, &mut *out)?;
            }
            Some(path) => {
                let mut file = NewFile::create(path)?;
                let written = self.write(&reader, format, &mut file.out).inspect_err(|_| {
                    // what is half written is no export
                    let _ = std::fs::remove_file(&file.part);
                })?;
                file.finish()?;
                complain(&format!("{}: {written} entries.", shown_path(path)));
            }
        }
        Ok(0)
    }

    fn write(&self, reader: &Reader, format: Format, to: impl std::io::Write) -> Result<u64, Failure> {
        let head = reader.head()?;
        let bar = Bar::over(head.size(), "records");
        let mut export = Exporter::new(format, head.origin(), to);
        let mut written = 0;
        let mut query = self.filter.query().most(1_000);
        loop {
            let page = reader.query(&query)?;
            for entry in page.entries() {
                // entries that came after the first look are for the next export
                if entry.sequence() >= head.size() {
                    break;
                }
                match export.write(entry, &Opened::nothing()) {
                    // whoever read has gone away
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(written),
                    result => result.map_err(|error| Failure::unwritable(&error))?,
                }
                written += 1;
            }
            match page.next().filter(|cursor| *cursor < head.size()) {
                Some(cursor) => {
                    bar.at(cursor);
                    query = query.after(cursor);
                }
                None => break,
            }
        }
        match export.finish() {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(written),
            result => result.map(|_| written).map_err(|error| Failure::unwritable(&error)),
        }
    }
}
