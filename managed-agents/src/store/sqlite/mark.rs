//! The high-water mark: how long the log was, remembered outside the data directory.
//!
//! It holds only sizes that were fsynced, so that a loss of power cannot make an honest log look shortened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use super::tip::Tip;
use super::{files, options, process};
use crate::audit::tree::Hash;

const FORMAT: &str = "ma-high-water/1";

/// Where a mark is kept.
#[derive(Clone, Debug)]
pub(super) struct MarkFile(PathBuf);

/// A log's name, size and root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl MarkFile {
    /// The file that was named, or that of the data directory.
    pub(super) fn of(named: Option<&Path>, dir: &Path) -> Result<Self, StoreError> {
        if let Some(file) = named {
            return Ok(Self(file.to_owned()));
        }
        let dir = dir
            .canonicalize()
            .map_err(|error| StoreError::io("find", dir, &error))?;
        let name: String = Sha256::digest(dir.as_os_str().as_encoded_bytes())
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self(options::state_dir()?.join(format!("{name}.high-water"))))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The mark, if there is one. A file that is none is an error: somebody changed it.
    pub(super) fn read(&self) -> Result<Option<Mark>, StoreError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &self.0, &error)),
        };
        parse(&text)
            .map(Some)
            .ok_or_else(|| StoreError::corrupt(format!("{} is no high-water mark", self.0.display())))
    }

    /// Raises the mark, unless another process has raised it further. `anew` lowers it, too.
    pub(super) fn raise(&self, mark: &Mark, anew: bool) -> Result<(), StoreError> {
        if let Some(dir) = self.0.parent() {
            files::private_dir(dir)?;
        }
        let lock = self.0.with_extension("lock");
        let _held = process::wait_for(&lock, process::SLOW_DISK)?;
        if !anew
            && let Some(there) = self.read()?
            && there.origin == mark.origin
            && there.size >= mark.size
        {
            return Ok(());
        }
        files::replace(&self.0, print(mark).as_bytes())
    }
}

impl Mark {
    /// Of what is fsynced.
    pub(super) fn of(tip: &Tip) -> Self {
        Self {
            origin: tip.origin.clone(),
            size: tip.synced_size,
            root: tip.synced_root,
        }
    }
}

fn body(mark: &Mark) -> String {
    format!("{FORMAT}\n{}\n{}\n{}\n", mark.origin, mark.size, mark.root)
}

fn print(mark: &Mark) -> String {
    let body = body(mark);
    let check = Hash::new(Sha256::digest(&body).into());
    format!("{body}{check}\n")
}

fn parse(text: &str) -> Option<Mark> {
    let mut lines = text.lines();
    if lines.next()? != FORMAT {
        return None;
    }
    let mark = Mark {
        origin: lines.next()?.to_owned(),
        size: lines.next()?.parse().ok()?,
        root: lines.next()?.parse().ok()?,
    };
    // one mark has one text, its check included
    (print(&mark) == text).then_some(mark)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_mark_is_raised_although_another_holds_its_lock_for_longer_than_a_second() {
        let dir = std::env::temp_dir().join(format!("ma-mark-{}", std::process::id()));
        files::private_dir(&dir).unwrap();
        let file = MarkFile(dir.join("high-water"));
        let held = process::wait_for(&dir.join("high-water.lock"), Duration::ZERO).unwrap();
        let mark = Mark {
            origin: "log.example".to_owned(),
            size: 7,
            root: Hash::new([7; 32]),
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(1_300));
                drop(held);
            });
            file.raise(&mark, false).unwrap();
        });
        assert_eq!(file.read().unwrap(), Some(mark));
        let _ = fs::remove_dir_all(&dir);
    }

    #[test]
    fn a_mark_reads_as_it_was_written_and_no_changed_byte_passes() {
        let mark = Mark {
            origin: "log.example".to_owned(),
            size: 1234,
            root: Hash::new([7; 32]),
        };
        let text = print(&mark);
        assert_eq!(parse(&text), Some(mark));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1;
            }
            assert_eq!(std::str::from_utf8(&bytes).ok().and_then(parse), None, "byte {at}");
        }
    }
}
