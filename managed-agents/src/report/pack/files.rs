//! The files of a pack.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::report::error::{ReportError, ReportErrorKind};

/// A directory that is being filled.
pub(super) struct Files {
    dir: PathBuf,
    listed: Vec<Listed>,
}

/// A file, as the manifest lists it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Listed {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Files {
    /// In a directory that is not there yet, or is empty.
    pub(super) fn new(dir: &Path) -> Result<Self, ReportError> {
        let io = |error| failed(dir, &error);
        fs::create_dir_all(dir.join("entries")).map_err(io)?;
        let here = fs::read_dir(dir).map_err(io)?.count();
        let entries = fs::read_dir(dir.join("entries")).map_err(io)?.count();
        if here != 1 || entries != 0 {
            return Err(ReportError::new(
                ReportErrorKind::Io,
                format!("{}: it is not empty, and nothing is overwritten", dir.display()),
            ));
        }
        Ok(Self {
            dir: dir.to_owned(),
            listed: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        let path = self.dir.join(name);
        let written = File::create_new(&path).and_then(|mut file| file.write_all(bytes));
        written.map_err(|error| failed(&path, &error))?;
        self.listed.push(Listed {
            name: name.to_owned(),
            bytes: bytes.len() as u64,
            sha256: sha256(bytes),
        });
        Ok(())
    }

    pub(super) fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), ReportError> {
        self.add(name, crate::report::json::print(value).as_bytes())
    }

    /// What was added.
    pub(super) fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// Everything is on the disk when it returns.
    pub(super) fn finish(self) -> Result<(), ReportError> {
        for file in &self.listed {
            let path = self.dir.join(&file.name);
            let synced = File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(|error| failed(&path, &error))?;
        }
        Ok(())
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    crate::call::Digest::new(Sha256::digest(bytes).into()).to_string()
}

fn failed(path: &Path, error: &io::Error) -> ReportError {
    ReportError::new(ReportErrorKind::Io, format!("{}: {error}", path.display()))
}
