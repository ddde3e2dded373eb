//! What a witness remembers, in one file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::audit::tree::Hash;
use crate::audit::tree::witness::{Head, WitnessState};

/// The last head of each log, by its name.
type Heads = BTreeMap<String, (u64, String)>;

/// A file that one process at a time uses; each change is on the disk before it is answered.
pub(super) struct StateFile {
    path: PathBuf,
    heads: Mutex<BTreeMap<String, Head>>,
    /// Locked while this lives.
    _lock: File,
}

impl StateFile {
    /// Opens the memory in a directory. With `may_begin`, begins one where there is none: only for a key that has signed nothing, as
    /// whoever removes the memory of one that has would let logs write their history anew.
    pub(super) fn open(dir: &Path, may_begin: bool) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let lock = options.open(dir.join("witness.lock"))?;
        lock.try_lock()
            .map_err(|_| io::Error::other("another witness uses this directory"))?;
        let path = dir.join("witness.state");
        let there = fs::read(&path);
        let is_missing = there
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let heads = match there {
            Err(_) if is_missing && may_begin => BTreeMap::new(),
            Err(_) if is_missing => {
                return Err(io::Error::other(
                    "witness.state is missing, and the witness's key has signed: put it back, or begin another witness by removing \
                     keys/witness.key as well",
                ));
            }
            bytes => read(&bytes?).ok_or_else(|| {
                // a witness that began anew would let every log do so
                io::Error::other(format!("{} is not what this program wrote", path.display()))
            })?,
        };
        let state = Self {
            path,
            heads: Mutex::new(heads),
            _lock: lock,
        };
        if is_missing {
            state.write(&BTreeMap::new())?;
        }
        Ok(state)
    }

    fn write(&self, heads: &BTreeMap<String, Head>) -> io::Result<()> {
        let heads: Heads = heads
            .iter()
            .map(|(origin, head)| (origin.clone(), (head.size(), head.root().to_string())))
            .collect();
        let mut bytes = serde_json::to_vec(&heads)?;
        bytes.push(b'\n');
        let new = self.path.with_extension("state.new");
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        if let (false, Some(dir)) = (cfg!(windows), self.path.parent()) {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    }
}

impl WitnessState for StateFile {
    type Error = io::Error;

    fn last(&self, origin: &str) -> io::Result<Option<Head>> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(heads.get(origin).copied())
    }

    fn advance(&self, origin: &str, from: Option<Head>, to: Head) -> io::Result<bool> {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.get(origin).copied() != from {
            return Ok(false);
        }
        if from == Some(to) {
            return Ok(true);
        }
        let mut next = heads.clone();
        next.insert(origin.to_owned(), to);
        self.write(&next)?;
        *heads = next;
        Ok(true)
    }
}

fn read(bytes: &[u8]) -> Option<BTreeMap<String, Head>> {
    let heads: Heads = serde_json::from_slice(bytes).ok()?;
    heads
        .into_iter()
        .map(|(origin, (size, root))| Some((origin, Head::new(size, root.parse::<Hash>().ok()?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(test: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("ma-witness-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn what_was_signed_is_remembered_by_the_next_process_and_changes_only_from_what_it_was() {
        let dir = fresh("remembers");
        let (one, two) = (Head::new(1, Hash::new([1; 32])), Head::new(2, Hash::new([2; 32])));
        let state = StateFile::open(&dir, true).unwrap();
        assert!(StateFile::open(&dir, true).is_err(), "two at once");
        assert!(state.advance("log", None, one).unwrap());
        assert!(!state.advance("log", None, two).unwrap());
        drop(state);
        let state = StateFile::open(&dir, true).unwrap();
        assert_eq!(state.last("log").unwrap(), Some(one));
        assert_eq!(state.last("other").unwrap(), None);
        assert!(!state.advance("log", Some(two), two).unwrap());
        assert!(state.advance("log", Some(one), two).unwrap());
        drop(state);
        fs::write(dir.join("witness.state"), "{\"log\":[0,\"\"]}").unwrap();
        assert!(StateFile::open(&dir, true).is_err(), "a damaged memory is no beginning");
        fs::remove_file(dir.join("witness.state")).unwrap();
        assert!(StateFile::open(&dir, false).is_err(), "nor is one that is gone");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_cannot_be_kept_is_not_signed() {
        let dir = fresh("unwritable");
        let state = StateFile::open(&dir, true).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        assert!(state.advance("log", None, Head::new(1, Hash::new([1; 32]))).is_err());
        assert_eq!(state.last("log").unwrap(), None);
    }
}
