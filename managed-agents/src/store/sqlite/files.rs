//! Files that only the owner reads, and files that are replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use super::error::StoreError;

/// Makes a directory, and those above it, for the owner alone.
pub(super) fn private_dir(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| StoreError::io("make the directory", path, &error))
}

/// Opens a file for reading and writing; makes it, for the owner alone, if it is not there.
pub(super) fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| StoreError::io("open", path, &error))
}

/// Makes a file for the owner alone, which must not be there: nobody else's, and no link to one, is written to in its place.
pub(super) fn new_private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| StoreError::io("make", path, &error))
}

/// Replaces a file so that a reader, and whoever comes after a loss of power, sees the old or the new one as a whole.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        sync_dir(path)
    };
    write().map_err(|error| {
        // what is half written is no use to anybody
        let _ = fs::remove_file(&new);
        StoreError::io("write", path, &error)
    })
}

/// Makes names in a file's directory survive a loss of power.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_somebody_laid_is_not_written_through() {
        let dir = std::env::temp_dir().join(format!("ma-files-{}", std::process::id()));
        private_dir(&dir).unwrap();
        let (link, theirs) = (dir.join("copy.part"), dir.join("theirs"));
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        assert!(new_private_file(&link).is_err());
        assert!(!theirs.exists());
        fs::remove_dir_all(dir).unwrap();
    }
}
