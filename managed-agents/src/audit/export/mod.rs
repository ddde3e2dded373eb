//! The audit log in the formats of other systems, and text from outside as each of them needs it.
//!
//! An export holds what the entries hold: no value of an argument and no salt. Values that were opened, and that the tool
//! does not redact, are added only where they are given with their entry ([`Opened`]).

mod cef;
mod csv;
mod jsonl;
mod ocsf;
mod opened;
mod otel;
#[cfg(test)]
mod tests;
mod untrusted;

use std::fmt;
use std::io::{self, Write};

use super::entry::Entry;
pub use opened::Opened;
pub use untrusted::Untrusted;

/// A format that the log can be exported in.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// One entry a line, as it stands in the log: a line in the form of RFC 8785 is the entry's bytes. Opened values stand
    /// in a member `revealed` at the end.
    JsonLines,
    /// RFC 4180, with a line of headings.
    Csv,
    /// ArcSight's Common Event Format, version 0, one event a line.
    Cef,
    /// Open Cybersecurity Schema Framework 1.9: API Activity (6003) with the profiles `ai_operation`, `record_integrity`
    /// and `security_control`, one event a line. Each event has the digest of its own RFC 8785 form and of the event before
    /// it, and the entry's bytes in `raw_data`.
    Ocsf,
    /// OpenTelemetry: one OTLP/JSON `ExportTraceServiceRequest` a line, with a span for each call, from decision to
    /// outcome, in the words of the semantic conventions for generative AI.
    OpenTelemetry,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::JsonLines, Self::Csv, Self::Cef, Self::Ocsf, Self::OpenTelemetry];

    /// The word for it: `jsonl`, `csv`, `cef`, `ocsf` or `otel`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
            Self::OpenTelemetry => "otel",
        }
    }

    /// The format of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// Writes entries in a format.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::entry::Entry;
/// use managed_agents::audit::export::{Exporter, Format, Opened};
/// let entry = Entry::parse(r#"{"at":"2026-01-01T00:00:00.000000Z","seq":0,"type":"origin","v":"ma-entry/1"}"#)?;
/// let mut export = Exporter::new(Format::JsonLines, "example.com/log", Vec::new());
/// export.write(&entry, &Opened::nothing())?;
/// assert_eq!(export.finish()?, [entry.as_bytes(), b"\n"].concat());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Exporter<W> {
    out: W,
    origin: String,
    state: State,
}

/// What a format carries from one entry to the next.
enum State {
    JsonLines,
    Csv { begun: bool },
    Cef,
    Ocsf(ocsf::Chain),
    OpenTelemetry(otel::Running),
}

impl<W: Write> Exporter<W> {
    /// Writes to `out` the entries of the log of this origin.
    pub fn new(format: Format, origin: impl Into<String>, out: W) -> Self {
        let state = match format {
            Format::JsonLines => State::JsonLines,
            Format::Csv => State::Csv { begun: false },
            Format::Cef => State::Cef,
            Format::Ocsf => State::Ocsf(ocsf::Chain::default()),
            Format::OpenTelemetry => State::OpenTelemetry(otel::Running::default()),
        };
        Self {
            out,
            origin: origin.into(),
            state,
        }
    }

    /// Writes an entry, and the opened values that are to be shown with it.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write(&mut self, entry: &Entry, opened: &Opened) -> io::Result<()> {
        let text = match &mut self.state {
            State::JsonLines => jsonl::line(entry, opened),
            State::Csv { begun } => {
                if !std::mem::replace(begun, true) {
                    self.out.write_all(csv::HEADINGS.as_bytes())?;
                }
                csv::record(entry, opened)
            }
            State::Cef => cef::event(entry, opened, &self.origin),
            State::Ocsf(chain) => chain.event(entry, opened, &self.origin),
            State::OpenTelemetry(running) => running.spans(entry, opened, &self.origin),
        };
        self.out.write_all(text.as_bytes())
    }

    /// Writes all entries of a reader, without any opened value, and gives their number; what an entry could not be read
    /// for ends it.
    ///
    /// # Errors
    ///
    /// What the reader or `out` says.
    pub fn write_entries<E: From<io::Error>>(
        &mut self,
        entries: impl IntoIterator<Item = Result<Entry, E>>,
    ) -> Result<u64, E> {
        let nothing = Opened::nothing();
        let mut written = 0;
        for entry in entries {
            self.write(&entry?, &nothing)?;
            written += 1;
        }
        Ok(written)
    }

    /// Writes what is still held back (of OpenTelemetry, the calls that have no outcome; of CSV, headings if there was no
    /// entry), and flushes.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn finish(mut self) -> io::Result<W> {
        let text = match &mut self.state {
            State::Csv { begun: false } => csv::HEADINGS.to_owned(),
            State::OpenTelemetry(running) => running.rest(&self.origin),
            _ => String::new(),
        };
        self.out.write_all(text.as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W> fmt::Debug for Exporter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Name, vendor and version as products state them.
const PRODUCT: &str = "managed-agents";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// JSON text with what a terminal would not show escaped; it means the same.
#[cfg(feature = "report")]
pub(crate) fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    untrusted::push_json(&mut out, json);
    out
}

/// A JSON value on one line, with what a terminal would not show escaped.
fn json_line(value: &serde_json::Value) -> String {
    let mut line = String::new();
    untrusted::push_json(&mut line, &value.to_string());
    line.push('\n');
    line
}
