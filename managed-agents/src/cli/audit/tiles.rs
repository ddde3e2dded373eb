//! The record as a directory of static files (c2sp.org/tlog-tiles).

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::NewFile;
use crate::audit::tree::note::Note;
use crate::audit::tree::{
    Checkpoint, EntryBundle, TILE_WIDTH, TilePath, TileReader as _, encode_tile, root_of, tiles_of,
};
use crate::cli::failure::{Failure, shown_path};
use crate::cli::output::Output;
use crate::cli::place::Place;
use crate::cli::progress::Bar;
use crate::store::Reader;

/// Writes what is not there yet. The checkpoint comes last: it names nothing that is not on the disk.
pub(super) fn export(place: &Place, reader: &Reader, dir: &Path, out: &mut Output) -> Result<(), Failure> {
    let (head, key) = place.signed_head(reader, reader.head()?.size())?;
    let size = head.size();
    refuse_other_history(reader, dir, head.checkpoint())?;
    let width = u64::from(TILE_WIDTH);
    let tiles: Vec<TilePath> = tiles_of(0, size).collect();
    let bar = Bar::over(size.div_ceil(width) + tiles.len() as u64, "files");
    let mut done = 0;
    let mut written = 0_u64;
    for index in 0..size.div_ceil(width) {
        let from = index * width;
        let wanted = (size - from).min(width);
        let path = TilePath::entries(index, u16::try_from(wanted).unwrap_or(TILE_WIDTH));
        let path = path.ok_or_else(|| Failure::new("a bundle of entries has no path"))?;
        let mut bundle = EntryBundle::new();
        for entry in reader.entries(from, usize::try_from(wanted).unwrap_or(0))? {
            bundle.push(entry.as_bytes()).map_err(|error| Failure::of(&error))?;
        }
        if u64::from(bundle.len()) != wanted {
            return Err(Failure::new(format!(
                "records from {from} on are missing: see `audit verify`"
            )));
        }
        written += u64::from(keep(&dir.join(path.to_string()), bundle.as_bytes())?);
        done += 1;
        bar.at(done);
    }
    for path in tiles {
        let level = path.level().unwrap_or_default();
        let hashes = reader.hashes(level, path.index(), path.width())?;
        written += u64::from(keep(&dir.join(path.to_string()), &encode_tile(&hashes))?);
        done += 1;
        bar.at(done);
    }
    written += u64::from(keep(&dir.join("checkpoint"), head.note().to_string().as_bytes())?);
    drop(bar);
    out.line(format_args!(
        "{}: {size} entries, {written} files written. The log's key: {key}",
        shown_path(dir)
    ))
}

/// A directory of another log, or of a longer one, is not written into.
fn refuse_other_history(reader: &Reader, dir: &Path, head: &Checkpoint) -> Result<(), Failure> {
    let path = dir.join("checkpoint");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        bytes => bytes.map_err(|error| Failure::of_file(&path, error))?,
    };
    let there = Note::parse(&bytes)
        .map_err(|error| Failure::of_file(&path, error))
        .and_then(|note| Checkpoint::parse_text(note.text()).map_err(|error| Failure::of_file(&path, error)))?;
    let same = there.origin() == head.origin()
        && there.size() <= head.size()
        && root_of(reader, there.size()).is_ok_and(|root| root == *there.root());
    if same {
        return Ok(());
    }
    Err(Failure::of_file(
        &path,
        "it is of another history than this record; name an empty directory",
    ))
}

/// Writes a file unless it is there with these bytes; whether it was written.
fn keep(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(|error| Failure::of_file(dir, error))?;
    }
    let mut file = NewFile::replacing(path)?;
    file.out
        .write_all(bytes)
        .map_err(|error| Failure::of_file(path, error))?;
    file.finish()?;
    Ok(true)
}
