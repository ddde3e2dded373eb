//! `evidence`.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;

use super::audit::kept_head;
use super::failure::{Failure, shown_path};
use super::output::Output;
use super::place::Place;
use super::progress::Bar;
use super::when;
use crate::audit::tree::note::NoteSigner;
use crate::report::{EvidencePack, PackOptions};

/// Writes a signed pack of evidence, which an auditor checks with Python alone
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the pack is written and on the disk; 1 when not. A directory that holds something is left alone.

A pack has the signed heads at both ends of the period and the proof that the log only grew, how many entries there are of each type, a
sample that a seed draws, every statement about agents, people, keys and erasures, the rules that were in force, and a receipt for each
entry. Nothing in it is the value of an argument. It is signed with the log's key, which must be in the data directory.

The auditor runs `python3 DIR/verify.py --key KEY`, with the key from `audit checkpoint --key`: Python 3.8, and nothing of this program.

Examples:
  managed-agents evidence --out pack --from 2026-10-01 --to 2027-01-01 --sample 60 --seed 'drawn by Ann on 3 January'
  managed-agents audit checkpoint --witness https://witness.example/ --witness-key \"$WITNESS\" --out head
  managed-agents evidence --out pack --head head")]
pub(super) struct EvidenceCommand {
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Not before: 2026-11-24, 2026-11-24T09:30:00Z, or 90m, 12h, 7d ago [default: the first entry]
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    from: Option<SystemTime>,

    /// Before that time [default: the last entry is the last that counts]
    #[arg(long, value_name = "TIME", value_parser = when::time)]
    to: Option<SystemTime>,

    /// How many entries to draw
    #[arg(long, value_name = "COUNT", default_value_t = 60)]
    sample: usize,

    /// What to draw them by; whoever names it draws the sample [default: the log's root]
    #[arg(long, value_name = "TEXT")]
    seed: Option<String>,

    /// End at this head, as `audit checkpoint --out` wrote it, with the signatures of witnesses [default: the newest]
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,

    /// Print what was written as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line<'a> {
    dir: &'a str,
    files: usize,
    population: u64,
    sample: usize,
    entries: usize,
    key: String,
}

impl EvidenceCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let reader = place.reader()?;
        let head = match &self.head {
            Some(path) => kept_head(path, place, &reader)?,
            None => place.signed_head(&reader, reader.head()?.size())?.0,
        };
        let home = place.home()?;
        let (key, _) = home.keys().log_key()?;
        let signer =
            NoteSigner::from_seed(head.checkpoint().origin(), &key.reveal()).map_err(|error| Failure::of(&error))?;
        drop(home);
        let mut options = PackOptions::new().sample(self.sample).head(head);
        if let Some(from) = self.from {
            options = options.from(from);
        }
        if let Some(to) = self.to {
            options = options.to(to);
        }
        if let Some(seed) = &self.seed {
            options = options.seed(seed);
        }
        let bar = Bar::over(0, "entries");
        let pack = EvidencePack::write(&reader, &self.out, &signer, &options, |done, total| {
            bar.at_of(done, total);
        })?;
        drop(bar);
        let dir = shown_path(&self.out);
        if self.json {
            out.json(&Line {
                dir: &dir,
                files: pack.files(),
                population: pack.population(),
                sample: pack.sample(),
                entries: pack.entries(),
                key: signer.verifier().to_string(),
            })?;
        } else {
            out.line(format_args!(
                "{dir}: {} files, {} entries with receipts, of which {} were drawn from {}.",
                pack.files(),
                pack.entries(),
                pack.sample(),
                pack.population(),
            ))?;
            out.line(format_args!(
                "Check it with: python3 {dir}/verify.py --key {}",
                signer.verifier()
            ))?;
        }
        out.flush()?;
        Ok(0)
    }
}
