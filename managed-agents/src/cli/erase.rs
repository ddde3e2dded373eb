//! `erase`.

use std::io::Write as _;

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::output::Output;
use super::passphrase::Passphrase;
use super::place::Place;
use super::signing::Signer;
use super::table::line as plain;

/// Destroys the key of a data subject's values: they are gone for good, from copies as well
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the subject is erased, or nothing was ever recorded of it; 1 when not: a hold keeps something of it, or the
operator's key is not here.

The subject is what tools name with `subject = …`, else the agent's id. Its values, and the salts under which the log commits to them,
cannot be read any more: not in the record, its backups, or whatever the disk still holds of either. The log keeps its entries, says
that a subject was erased without naming it, and verifies as before. What was copied with the keys, or revealed before, is out of reach.

Where there is a root approver (`approver init`), an approver signs the order with the key that --as names; else the authority's key is needed.

Example:
  managed-agents erase ann@example.com")]
pub(super) struct EraseCommand {
    /// The data subject
    subject: String,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// Print what was done as one line of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    signer: Signer,

    #[command(flatten)]
    passphrase: Passphrase,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line {
    erased: bool,
    entry: Option<u64>,
}

impl EraseCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        if !self.yes {
            self.confirm()?;
        }
        let home = place.home()?;
        let entry = if home.root()?.is_some() {
            home.erase_signed(&self.subject, &self.signer.unlock(home.keys())?)?
        } else {
            drop(home);
            place.home_of_operator(&self.passphrase)?.erase(&self.subject)?
        };
        if self.json {
            out.json(&Line {
                erased: entry.is_some(),
                entry: entry.map(crate::audit::Sequence::get),
            })?;
        } else {
            match entry {
                Some(entry) => out.line(format_args!(
                    "{} is erased; entry {} says so without the name.",
                    plain(&self.subject),
                    entry.get()
                ))?,
                None => out.line(format_args!("Nothing is recorded of {}.", plain(&self.subject)))?,
            }
        }
        out.flush()?;
        Ok(0)
    }

    fn confirm(&self) -> Result<(), Failure> {
        let subject = plain(&self.subject);
        let mut err = std::io::stderr();
        // where the question cannot be written, the answer will not fit
        let _ = write!(
            err,
            "Nothing brings back what is erased. Write `{subject}` to erase it: "
        )
        .and_then(|()| err.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_err() || answer.trim_end_matches(['\r', '\n']) != self.subject {
            return Err(Failure::new("nothing was erased"));
        }
        Ok(())
    }
}
