//! `backup` and `restore`: copies of the record.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Failure, shown_path};
use super::output::{Output, complain};
use super::place::Place;
use super::progress::Bar;
use crate::home::{Home, HomeErrorKind};
use crate::store::{Reader, Store, StoreErrorKind, StoreOptions};

/// Copies the record into one file, while programs may write it
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the copy is complete and on the disk, 1 when not. A file that is there is not overwritten.

The keys are not in the copy: not those in `keys/`, and not `subjects.keys`, without which recorded values cannot be read. Back
those up apart from it, so that whoever is erased is erased from every copy.")]
pub(super) struct BackupCommand {
    /// The file to make
    file: PathBuf,
}

impl BackupCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let dir = place.dir()?;
        let bar = Bar::over(0, "pages");
        Store::backup(&dir, &self.file, |done, total| bar.at_of(done, total))?;
        drop(bar);
        let head = Reader::open_files(&self.file, Path::new(""))?.head()?;
        out.line(format_args!("{}: {} records.", shown_path(&self.file), head.size()))?;
        out.flush()?;
        Ok(0)
    }
}

/// Puts a copy in the place of the record
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 when the record is in place and can be used, 2 when the copy is older than, or other than, what the high-water mark
remembers and --accept is not given (nothing is changed then), 1 for any other error.

A copy that is older than the record lacks calls that ran. With --accept it goes on as a log of a new name, whose first entry says
what came before, and everything that was granted is void. Every agent is suspended until `agent reactivate`, since nobody but you
knows whom you had stopped since; who was revoked stays revoked.
`restore --accept` without a file accepts the record that is in place.")]
pub(super) struct RestoreCommand {
    /// The copy, as `backup` made it
    #[arg(required_unless_present = "accept")]
    file: Option<PathBuf>,

    /// Go on with it although it lacks records
    #[arg(long)]
    accept: bool,
}

impl RestoreCommand {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let options = place.options()?;
        if let Some(file) = &self.file {
            if !self.accept && !is_whole(file, &options)? {
                return Ok(super::BAD);
            }
            Store::restore(file, options.dir())?;
        } else {
            // what is not there is not begun here
            drop(place.reader()?);
        }
        let opened = if self.accept {
            Home::accept_restored(options)
        } else {
            Home::open(options)
        };
        let home = match opened {
            Err(error) if error.kind() == HomeErrorKind::Store(StoreErrorKind::RolledBack) => {
                complain(&format!("error: {}", Failure::from(error)));
                return Ok(super::BAD);
            }
            opened => opened?,
        };
        let head = home.store().reader()?.head()?;
        out.line(format_args!(
            "{}: {} records of the log {}.",
            shown_path(home.dir()),
            head.size(),
            super::table::line(head.origin())
        ))?;
        if self.accept {
            out.line("If it lacked records, every agent is suspended now: see `managed-agents agent list`, and reactivate whom you had not stopped.")?;
        }
        out.flush()?;
        Ok(0)
    }
}

/// Whether a copy is as long as the record was; says so if not.
fn is_whole(copy: &Path, options: &StoreOptions) -> Result<bool, Failure> {
    // the mark is named after the directory
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(options.dir())
        .map_err(|error| Failure::of_file(options.dir(), error))?;
    match Reader::open_files(copy, &options.dir().join("subjects.keys"))?.compare_with_mark(options) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == StoreErrorKind::RolledBack => {
            complain(&format!(
                "error: {}\nNothing was changed. `restore --accept` takes the copy all the same, as a log of a new name.",
                Failure::from(error)
            ));
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
