//! Who was revoked, noted beside the high-water mark: so that an old copy of the record revives nobody.
//!
//! A name is noted after its revocation is recorded and fsynced, and before whoever revoked is told.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::mark::MarkFile;
use super::{files, process};
use crate::audit::tree::Hash;
use crate::call::AgentId;

const FORMAT: &str = "ma-revoked/1";

/// Where the names are kept.
#[derive(Clone, Debug)]
pub(super) struct RevokedFile(PathBuf);

impl RevokedFile {
    /// The file beside a mark.
    pub(super) fn of(mark: &MarkFile) -> Self {
        Self(mark.path().with_extension("revoked"))
    }

    /// Everybody who was revoked. A file that is none is an error: somebody changed it.
    pub(super) fn read(&self) -> Result<BTreeSet<String>, StoreError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            Err(error) => return Err(StoreError::io("read", &self.0, &error)),
        };
        parse(&text)
            .ok_or_else(|| StoreError::corrupt(format!("{} is no list of those who were revoked", self.0.display())))
    }

    /// Adds names, unless all are there; fsynced when it returns.
    pub(super) fn add(&self, agents: &BTreeSet<String>) -> Result<(), StoreError> {
        if agents.is_empty() {
            return Ok(());
        }
        if let Some(dir) = self.0.parent() {
            files::private_dir(dir)?;
        }
        let _held = process::wait_for(&self.0.with_extension("lock"), process::SLOW_DISK)?;
        let mut all = self.read()?;
        if agents.is_subset(&all) {
            return Ok(());
        }
        all.extend(agents.iter().cloned());
        files::replace(&self.0, print(&all).as_bytes())
    }
}

fn print(agents: &BTreeSet<String>) -> String {
    let mut text = format!("{FORMAT}\n");
    for agent in agents {
        text.push_str(agent);
        text.push('\n');
    }
    let check = Hash::new(Sha256::digest(&text).into());
    format!("{text}{check}\n")
}

fn parse(text: &str) -> Option<BTreeSet<String>> {
    let mut lines = text.lines();
    if lines.next()? != FORMAT {
        return None;
    }
    let mut agents: Vec<&str> = lines.collect();
    agents.pop()?;
    let agents: BTreeSet<String> = agents
        .into_iter()
        .map(|agent| AgentId::parse(agent).is_ok().then(|| agent.to_owned()))
        .collect::<Option<_>>()?;
    // one set has one text, its check included
    (print(&agents) == text).then_some(agents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_were_written_and_no_changed_byte_passes() {
        let agents: BTreeSet<String> = ["bot", "clerk.reader"].map(str::to_owned).into();
        let text = print(&agents);
        assert_eq!(parse(&text), Some(agents));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1;
            }
            assert_eq!(std::str::from_utf8(&bytes).ok().and_then(parse), None, "byte {at}");
        }
        assert_eq!(parse(""), None);
    }
}
