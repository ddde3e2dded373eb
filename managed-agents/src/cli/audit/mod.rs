//! `audit`: the record, read, checked, exported and proven. Nothing here changes it.

mod checkpoint;
mod export;
mod files;
mod filter;
mod list;
mod prove;
mod show;
mod tiles;
mod verify;

pub(super) use prove::kept_head;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::failure::Failure;
use super::output::Output;
use super::place::Place;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    Verify(verify::Verify),
    Show(show::Show),
    List(list::List),
    Export(export::Export),
    Prove(prove::Prove),
    Checkpoint(checkpoint::CheckpointCommand),
}

impl AuditCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let code = match self {
            Self::Verify(verify) => verify.run(place, out)?,
            Self::Show(show) => show.run(place, out)?,
            Self::List(list) => list.run(place, out)?,
            Self::Export(export) => export.run(place, out)?,
            Self::Prove(prove) => prove.run(place, out)?,
            Self::Checkpoint(checkpoint) => checkpoint.run(place, out)?,
        };
        out.flush()?;
        Ok(code)
    }
}

/// A file that has its name once it is complete and on the disk.
struct NewFile {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
}

impl NewFile {
    /// A file that is not there yet.
    fn create(path: &Path) -> Result<Self, Failure> {
        if path.exists() {
            return Err(Failure::of_file(path, "it is there already, and is not overwritten"));
        }
        Self::replacing(path)
    }

    /// A file that takes the place of what is there.
    fn replacing(path: &Path) -> Result<Self, Failure> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".part");
        let part = path.with_file_name(name);
        let file = File::create(&part).map_err(|error| Failure::of_file(&part, error))?;
        Ok(Self {
            path: path.to_owned(),
            part,
            out: BufWriter::with_capacity(64 * 1024, file),
        })
    }

    fn finish(self) -> Result<(), Failure> {
        let done = self
            .out
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.part, &self.path))
            .and_then(|()| sync_dir(&self.path));
        done.map_err(|error| Failure::of_file(&self.path, error))
    }
}

/// Makes a name survive a loss of power.
fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Writes a small file as a whole.
pub(super) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = NewFile::create(path)?;
    file.out
        .write_all(bytes)
        .map_err(|error| Failure::of_file(path, error))?;
    file.finish()
}
