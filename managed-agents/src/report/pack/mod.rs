//! Evidence packs: a directory that an auditor checks with one file of Python, and nothing of this program.

mod files;
mod gather;
mod lists;

use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use super::error::{ReportError, ReportErrorKind};
use super::figures::moment;
use super::{Period, Proof, SOFTWARE};
use crate::audit::tree::note::{Note, NoteSigner};
use crate::audit::tree::{Hash, VerifiedCheckpoint};
use crate::calendar;
use crate::store::Reader;
use files::Files;
use gather::Gathered;

/// The format's name.
const FORMAT: &str = "ma-evidence/1";

/// Which entries an evidence pack is about.
#[derive(Clone, Debug)]
pub struct PackOptions {
    from: Option<SystemTime>,
    to: Option<SystemTime>,
    sample: usize,
    seed: Option<String>,
    made_at: Option<SystemTime>,
    head: Option<VerifiedCheckpoint>,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl PackOptions {
    /// Everything that was recorded, and a sample of 60.
    #[must_use]
    pub fn new() -> Self {
        Self {
            from: None,
            to: None,
            sample: 60,
            seed: None,
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

    /// How many entries are drawn.
    #[must_use]
    pub fn sample(mut self, entries: usize) -> Self {
        self.sample = entries;
        self
    }

    /// What they are drawn by: whoever names it draws the sample. Otherwise it is the root of the log, which nobody chose.
    #[must_use]
    pub fn seed(mut self, seed: impl Into<String>) -> Self {
        self.seed = Some(seed.into());
        self
    }

    /// When the pack was made, where it is not now.
    #[must_use]
    pub fn made_at(mut self, time: SystemTime) -> Self {
        self.made_at = Some(time);
        self
    }

    /// Ends at this head, which may have the signatures of witnesses, and not at the newest that the record has.
    #[must_use]
    pub fn head(mut self, head: VerifiedCheckpoint) -> Self {
        self.head = Some(head);
        self
    }
}

/// An evidence pack that was written.
#[derive(Clone, Debug)]
pub struct EvidencePack {
    files: usize,
    population: u64,
    sample: usize,
    entries: usize,
}

/// The manifest; its keys are stable.
#[derive(Serialize)]
struct Manifest<'a> {
    v: &'static str,
    made_at: String,
    software: &'static str,
    log: LogName<'a>,
    period: PeriodText,
    files: &'a [files::Listed],
}

#[derive(Serialize)]
struct LogName<'a> {
    origin: &'a str,
    key: String,
}

#[derive(Serialize)]
struct PeriodText {
    from: String,
    to: String,
}

impl EvidencePack {
    /// Writes a pack into a directory that is not there yet, or is empty; `signer` is the log's own key. `progress` is told how many
    /// entries are done, of how many. Blocks.
    ///
    /// # Errors
    ///
    /// [`ReportError`] when the record cannot be read, its head is not signed with this key, the directory holds something, or a file
    /// cannot be written.
    pub fn write(
        reader: &Reader,
        dir: impl AsRef<Path>,
        signer: &NoteSigner,
        options: &PackOptions,
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, ReportError> {
        let key = signer.verifier();
        let head = match &options.head {
            Some(head) => head.clone(),
            None => reader.signed_head()?.ok_or_else(not_signed)?.0,
        };
        if head.note().verify(std::slice::from_ref(&key)).is_err() {
            return Err(not_signed());
        }
        let period = Period::of(reader, options.from, options.to)?;
        let end = period.end.min(head.size());
        let first = period.first.min(end);
        let seed = options
            .seed
            .clone()
            .unwrap_or_else(|| head.checkpoint().root().to_string());

        let gathered = Gathered::of(reader, first..end, progress)?;
        let drawn = gather::sample(&seed, first, end, options.sample as u64);
        let mut files = Files::new(dir.as_ref())?;
        files.add("README.txt", include_bytes!("README.txt"))?;
        files.add("verify.py", include_bytes!("verify.py"))?;
        let begin = reader.signed_head_before(first, &key)?;
        if let Some(begin) = &begin {
            files.add("checkpoint-begin.txt", begin.note().to_string().as_bytes())?;
        }
        files.add("checkpoint-end.txt", head.note().to_string().as_bytes())?;
        let grown = consistency(reader, begin.as_ref().map_or(0, VerifiedCheckpoint::size), head.size())?;
        files.add("consistency.txt", grown.as_bytes())?;

        let mut places = gathered.places();
        places.extend(&drawn);
        for place in &places {
            let proof = Proof::of(reader, &head, *place)?.ok_or_else(not_signed)?;
            files.add(&format!("entries/{place:012}.json"), proof.entry().as_bytes())?;
            files.add(&format!("entries/{place:012}.tlog-proof"), proof.receipt().as_bytes())?;
        }
        files.json("population.json", &gathered.population(first, end))?;
        files.json("sample.json", &lists::sample(&seed, options.sample, &drawn))?;
        gathered.write_lists(&mut files)?;

        let manifest = Manifest {
            v: FORMAT,
            made_at: moment(calendar::micros(options.made_at.unwrap_or_else(SystemTime::now))),
            software: SOFTWARE,
            log: LogName {
                origin: head.checkpoint().origin(),
                key: key.to_string(),
            },
            period: PeriodText {
                from: moment(period.from),
                to: moment(period.to),
            },
            files: files.listed(),
        };
        let manifest = super::json::print(&manifest);
        let count = files.listed().len();
        let note = signed_manifest(head.checkpoint().origin(), &manifest, signer)?;
        files.add("manifest.json", manifest.as_bytes())?;
        files.add("manifest.note", note.as_bytes())?;
        files.finish()?;
        Ok(Self {
            files: count + 2,
            population: end - first,
            sample: drawn.len(),
            entries: places.len(),
        })
    }

    /// How many files it has.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// How many entries the period has.
    #[must_use]
    pub fn population(&self) -> u64 {
        self.population
    }

    /// How many of them were drawn.
    #[must_use]
    pub fn sample(&self) -> usize {
        self.sample
    }

    /// How many entries are in it, with those that are always.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }
}

/// The proof between two heads, a hash a line.
fn consistency(reader: &Reader, from: u64, to: u64) -> Result<String, ReportError> {
    // of nothing there is nothing to prove
    let hashes: Vec<Hash> = if from == 0 || from == to {
        Vec::new()
    } else {
        reader.prove_consistency(from, to)?
    };
    Ok(hashes.iter().map(|hash| format!("{hash}\n")).collect())
}

/// The manifest's digest under the log's key. Its first line is no log's name, so that it can never be taken for a checkpoint.
fn signed_manifest(origin: &str, manifest: &str, signer: &NoteSigner) -> Result<String, ReportError> {
    let text = format!("{FORMAT} {origin}\n{}\n", files::sha256(manifest.as_bytes()));
    let mut note = Note::new(text).map_err(|error| ReportError::new(ReportErrorKind::NotSigned, error.to_string()))?;
    note.add(signer.sign(&note));
    Ok(note.to_string())
}

fn not_signed() -> ReportError {
    ReportError::new(
        ReportErrorKind::NotSigned,
        "the log's head is not signed with the key that is given, or does not reach as far",
    )
}
