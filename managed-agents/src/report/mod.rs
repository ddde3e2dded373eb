//! Documents for auditors: what the record of a period shows, control by control.
//!
//! A [`Report`] is counted in one pass over the log's entries of a period, and nothing else goes into it: whoever has an export
//! (`audit export`) can count again. For each control of a framework it says which entries are evidence, how many, and where
//! they stand, with receipts of the first and the last of each kind; or that nothing of the kind was recorded; or that the
//! record covers it not at all, and why. It never says that anything complies: that is for people to judge.
//!
//! # Examples
//!
//! ```no_run
//! use managed_agents::report::{Format, Framework, Report, ReportOptions};
//! use managed_agents::store::Reader;
//! let reader = Reader::open("/var/lib/bot")?;
//! let report = Report::of(&reader, &ReportOptions::new(Framework::EuAiAct), |_, _| ())?;
//! println!("{} of {} calls were denied", report.figures().decisions().of("deny"), report.figures().calls());
//! std::fs::write("report.html", report.print(Format::Html))?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod chart;
mod collect;
mod control;
mod counts;
mod error;
mod evidence;
mod figures;
mod framework;
mod html;
mod json;
mod markdown;
mod oscal;
mod pack;
mod proof;
mod read;
mod reviewers;
mod summary;

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use crate::audit::tree::VerifiedCheckpoint;
use crate::calendar;
use crate::store::{Query, Reader};
use collect::Collector;
use framework::FrameworkText;

pub use control::{Control, Coverage, Evidence};
pub use counts::Counts;
pub use error::{ReportError, ReportErrorKind};
pub use evidence::{EvidenceKind, Tally};
pub use figures::{Bucket, Calls, Figures, OverTime, Rules};
pub use framework::Framework;
pub use pack::{EvidencePack, PackOptions};
pub use proof::Proof;
pub use reviewers::{Decided, Reviewers};
#[cfg(feature = "cli")]
pub(crate) use summary::length;

/// Name and version of what made a report.
const SOFTWARE: &str = concat!("managed-agents ", env!("CARGO_PKG_VERSION"));

/// How many entries are read at once.
const BATCH: usize = 1_024;

/// What a report is about.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    framework: Framework,
    from: Option<SystemTime>,
    to: Option<SystemTime>,
    made_at: Option<SystemTime>,
    head: Option<VerifiedCheckpoint>,
}

impl ReportOptions {
    /// A report for a framework, over everything that was recorded.
    #[must_use]
    pub fn new(framework: Framework) -> Self {
        Self {
            framework,
            from: None,
            to: None,
            made_at: None,
            head: None,
        }
    }

    /// Not before a time.
    #[must_use]
    pub fn from(mut self, time: SystemTime) -> Self {
        self.from = Some(time);
        self
    }

    /// Before a time.
    #[must_use]
    pub fn to(mut self, time: SystemTime) -> Self {
        self.to = Some(time);
        self
    }

    /// When the report was made, where it is not now.
    #[must_use]
    pub fn made_at(mut self, time: SystemTime) -> Self {
        self.made_at = Some(time);
        self
    }

    /// Proves entries in this head, which may have the signatures of witnesses, and not in the newest that the record has. It must be of
    /// this log: whoever gives another makes a report whose receipts do not hold.
    #[must_use]
    pub fn head(mut self, head: VerifiedCheckpoint) -> Self {
        self.head = Some(head);
        self
    }
}

/// What the record of a period shows for a framework.
#[derive(Clone, Debug)]
pub struct Report {
    framework: FrameworkText,
    made_at: i64,
    from: i64,
    to: i64,
    log: Log,
    figures: Figures,
    controls: Vec<Control>,
    proofs: Vec<Proof>,
}

/// Which log, and what of it is signed.
#[derive(Clone, Debug, Serialize)]
struct Log {
    origin: String,
    size: u64,
    root: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<Signed>,
}

#[derive(Clone, Debug, Serialize)]
struct Signed {
    size: u64,
    root: String,
    key: String,
    /// The signatures beside the log's own.
    others: usize,
    checkpoint: String,
}

/// The form of a document.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// One page that needs nothing else, to read and to print.
    Html,
    /// Markdown.
    Markdown,
    /// One JSON object, of the format `ma-report/1`.
    Json,
    /// OSCAL assessment results 1.1.3, as JSON. It holds observations and no findings: an assessor makes those.
    Oscal,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Html, Self::Markdown, Self::Json, Self::Oscal];

    /// The word for it: `html`, `md`, `json` or `oscal`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Oscal => "oscal",
        }
    }
}

impl Report {
    /// Counts the entries of a period; `progress` is told how many are read, of how many. Blocks.
    ///
    /// # Errors
    ///
    /// [`ReportError`] when the record cannot be read, or the period ends before it begins.
    pub fn of(reader: &Reader, options: &ReportOptions, progress: impl FnMut(u64, u64)) -> Result<Self, ReportError> {
        let framework = options.framework.text().map_err(|error| ReportError::data(&error))?;
        let head = reader.head()?;
        let period = Period::of(reader, options.from, options.to)?;
        let figures = count(reader, &period, progress)?;
        let signed = match &options.head {
            Some(head) => reader.signed_head()?.map(|(_, key)| (head.clone(), key)),
            None => reader.signed_head()?,
        };
        let proofs = match &signed {
            Some((head, _)) => proof::of(reader, head, &figures)?,
            None => Vec::new(),
        };
        Ok(Self {
            controls: framework
                .controls
                .iter()
                .map(|text| Control::of(text, &figures))
                .collect(),
            made_at: calendar::micros(options.made_at.unwrap_or_else(SystemTime::now)),
            from: period.from,
            to: period.to,
            log: Log {
                origin: head.origin().to_owned(),
                size: head.size(),
                root: head.root().to_string(),
                signed: signed.map(|(head, key)| Signed {
                    size: head.size(),
                    root: head.checkpoint().root().to_string(),
                    key: key.to_string(),
                    others: head.note().signatures().len().saturating_sub(1),
                    checkpoint: head.note().to_string(),
                }),
            },
            framework,
            figures,
            proofs,
        })
    }

    /// The figures of a period alone, from one time to before another; where a time is not given, all that was recorded. Blocks.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn count(
        reader: &Reader,
        from: Option<SystemTime>,
        to: Option<SystemTime>,
        progress: impl FnMut(u64, u64),
    ) -> Result<Figures, ReportError> {
        count(reader, &Period::of(reader, from, to)?, progress)
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The framework's controls, each with what is evidence for it.
    #[must_use]
    pub fn controls(&self) -> &[Control] {
        &self.controls
    }

    /// Entries that are named as evidence, with their receipts.
    #[must_use]
    pub fn proofs(&self) -> &[Proof] {
        &self.proofs
    }

    /// The document.
    #[must_use]
    pub fn print(&self, format: Format) -> String {
        match format {
            Format::Html => html::page(self),
            Format::Markdown => markdown::text(self),
            Format::Json => json::text(self),
            Format::Oscal => oscal::text(self),
        }
    }
}

/// The entries of a period: those from one place to before another that are of its time.
pub(super) struct Period {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) first: u64,
    pub(super) end: u64,
}

impl Period {
    pub(super) fn of(reader: &Reader, from: Option<SystemTime>, to: Option<SystemTime>) -> Result<Self, ReportError> {
        let head = reader.head()?;
        let size = head.size();
        let begin = match from {
            Some(time) => calendar::micros(time),
            None => reader.entries(0, 1)?.first().map_or(0, |entry| entry.at_micros()),
        };
        let before = to.map_or(head.log_time().saturating_add(1), calendar::micros);
        if from.is_some() && to.is_some() && before <= begin {
            return Err(ReportError::period());
        }
        let mut query = Query::new();
        for (time, with) in [
            (from, Query::since as fn(Query, SystemTime) -> Query),
            (to, Query::until),
        ] {
            if let Some(time) = time {
                query = with(query, time);
            }
        }
        // times rise nearly with places, and not strictly: the first and the last that fit bound the pass
        let one = |query: Query| -> Result<Option<u64>, ReportError> {
            let mut query = query.most(1);
            loop {
                let page = reader.query(&query)?;
                match (page.entries().first(), page.next()) {
                    (Some(entry), _) => return Ok(Some(entry.sequence())),
                    (None, Some(cursor)) => query = query.after(cursor),
                    (None, None) => return Ok(None),
                }
            }
        };
        let first = one(query.clone())?;
        let last = one(query.newest_first())?;
        Ok(Self {
            from: begin,
            to: before.max(begin.saturating_add(1)),
            first: first.unwrap_or(size),
            end: last.map_or(size, |last| last + 1),
        })
    }
}

fn count(reader: &Reader, period: &Period, mut progress: impl FnMut(u64, u64)) -> Result<Figures, ReportError> {
    let mut collector = Collector::new(period.from, period.to);
    let total = period.end.saturating_sub(period.first);
    let mut next = period.first;
    while next < period.end {
        let entries = reader.entries(next, BATCH.min(usize::try_from(period.end - next).unwrap_or(BATCH)))?;
        let Some(last) = entries.last() else { break };
        next = last.sequence() + 1;
        for entry in &entries {
            collector.add(entry);
        }
        progress(next - period.first, total);
    }
    let mut figures = collector.finish();
    figures.reviewers.name(reader)?;
    Ok(figures)
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
