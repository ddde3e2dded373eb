//! Which process runs which call, and whether it still lives.
//!
//! Each process that has the store open holds an operating system's lock on a file of its own, which ends with the process
//! however it ends. The file is named by a random number, so that no later process can be taken for an earlier one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::{StoreError, StoreErrorKind};
use super::files;
use crate::call::Salt;

const FOLDER: &str = "processes";

/// This process's lock; while it lives, nobody closes what it runs.
#[derive(Debug)]
pub(super) struct ProcessLock {
    id: i64,
    path: PathBuf,
    _file: File,
}

impl ProcessLock {
    /// Takes a lock of a new name. Must be called under the [`OpenLock`].
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        let folder = dir.join(FOLDER);
        files::private_dir(&folder)?;
        let salt = Salt::fresh()?;
        let id = salt
            .reveal()
            .first_chunk()
            .map_or(0, |bytes| i64::from_le_bytes(*bytes))
            & i64::MAX;
        let path = path_of(dir, id);
        let file = files::private_file(&path)?;
        file.try_lock()
            .map_err(|error| StoreError::io("lock", &path, &error.into()))?;
        Ok(Self { id, path, _file: file })
    }

    pub(super) fn id(&self) -> i64 {
        self.id
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // a file without a lock is a dead process all the same
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the process of this number has ended. Must be asked under the [`OpenLock`].
pub(super) fn is_dead(dir: &Path, id: i64) -> Result<bool, StoreError> {
    let path = path_of(dir, id);
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(StoreError::io("open", &path, &error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path, &error)),
    }
}

/// Removes the files of processes that have ended. Must be called under the [`OpenLock`].
pub(super) fn sweep(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir.join(FOLDER)) else {
        return;
    };
    for entry in entries.flatten() {
        if let Some(id) = id_of(&entry.file_name())
            && is_dead(dir, id).is_ok_and(|dead| dead)
        {
            // left behind, it would only be asked again
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn path_of(dir: &Path, id: i64) -> PathBuf {
    dir.join(FOLDER).join(format!("{id:016x}.lock"))
}

/// Held while a store is opened: one process at a time begins, migrates, and closes what dead ones left.
#[derive(Debug)]
pub(super) struct OpenLock(#[expect(dead_code, reason = "the lock ends with the file")] File);

impl OpenLock {
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
        wait_for(&dir.join("open.lock"), SLOW_DISK).map(Self)
    }
}

/// How long a lock is waited for under which others fsync a file: a busy disk takes seconds for that at times.
pub(super) const SLOW_DISK: Duration = Duration::from_secs(15);

/// Waits for the lock on a file, at most so long.
pub(super) fn wait_for(path: &Path, patience: Duration) -> Result<File, StoreError> {
    let file = files::private_file(path)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::new(
                    StoreErrorKind::Locked,
                    format!("another process holds {}", path.display()),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path, &error)),
        }
    }
}

/// A process that has the store open, if there is one. Must be asked under the [`OpenLock`].
pub(super) fn alive(dir: &Path) -> Result<Option<i64>, StoreError> {
    sweep(dir);
    let folder = dir.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", &folder, &error)),
    };
    for entry in entries.flatten() {
        if let Some(id) = id_of(&entry.file_name())
            && !is_dead(dir, id)?
        {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn id_of(name: &std::ffi::OsStr) -> Option<i64> {
    i64::from_str_radix(name.to_str()?.strip_suffix(".lock")?, 16).ok()
}
