//! Where the record lies.

use std::path::PathBuf;

use clap::Args;

use super::failure::{Failure, shown_path};
use super::output::complain;
use super::passphrase::Passphrase;
use crate::answer::wait;
use crate::audit::tree::VerifiedCheckpoint;
use crate::audit::tree::note::NoteVerifier;
use crate::home::Home;
use crate::store::{Reader, StoreOptions, data_dir};

#[derive(Args, Debug)]
pub(super) struct Place {
    /// Data directory [default: $MANAGED_AGENTS_HOME, else the platform's place for data]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,

    /// File that remembers how long the record was [default: one under the platform's place for state]
    #[arg(long, value_name = "FILE", global = true)]
    high_water: Option<PathBuf>,
}

impl Place {
    /// The directory.
    pub(super) fn dir(&self) -> Result<PathBuf, Failure> {
        match &self.data_dir {
            Some(dir) => Ok(dir.clone()),
            None => Ok(data_dir()?),
        }
    }

    /// The directory that was named, if one was.
    pub(super) fn named(&self) -> Option<&PathBuf> {
        self.data_dir.as_ref()
    }

    pub(super) fn options(&self) -> Result<StoreOptions, Failure> {
        let options = StoreOptions::new(self.dir()?);
        Ok(match &self.high_water {
            Some(file) => options.high_water(file),
            None => options,
        })
    }

    /// Reads what is there; nothing is made or changed.
    pub(super) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::open(self.dir()?)?)
    }

    /// Opens a directory that is there: only `init` makes one.
    pub(super) fn home(&self) -> Result<Home, Failure> {
        self.must_be()?;
        Ok(Home::open(self.options()?)?)
    }

    /// Opens a directory with the authority's key, for which a passphrase is asked where it is under one.
    pub(super) fn home_of_operator(&self, passphrase: &Passphrase) -> Result<Home, Failure> {
        let home = self.home()?;
        if home.authority().is_some() {
            return Ok(home);
        }
        let text = passphrase.ask("Passphrase of the authority's key: ")?;
        drop(home);
        Ok(Home::unlock(self.options()?, &text)?)
    }

    fn must_be(&self) -> Result<(), Failure> {
        let dir = self.dir()?;
        match Reader::open(&dir) {
            Err(error) if error.kind() == crate::store::StoreErrorKind::Missing => Err(Failure::new(format!(
                "there is no record in {}: name another directory, or make one with `managed-agents init`",
                shown_path(&dir)
            ))),
            // others are said by whoever opens it
            _ => Ok(()),
        }
    }

    /// The newest signed head of the log, of at least so many entries: where none is as long, one is signed.
    pub(super) fn signed_head(
        &self,
        reader: &Reader,
        at_least: u64,
    ) -> Result<(VerifiedCheckpoint, NoteVerifier), Failure> {
        if let Some(head) = newest(reader)?.filter(|(head, _)| head.size() >= at_least) {
            return Ok(head);
        }
        let home = self.home()?;
        wait(home.store().flush())?;
        drop(home);
        newest(reader)?
            .filter(|(head, _)| head.size() >= at_least)
            .ok_or_else(|| Failure::new("the log is not signed: no checkpoint reaches as far"))
    }
}

fn newest(reader: &Reader) -> Result<Option<(VerifiedCheckpoint, NoteVerifier)>, Failure> {
    let head = reader.signed_head()?;
    if head.is_none() && reader.checkpoint()?.is_some() {
        complain(
            "the newest checkpoint is passed over: it is of the log before a copy was restored, or of an earlier key",
        );
    }
    Ok(head)
}
