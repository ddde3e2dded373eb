//! Checking a log's static files (c2sp.org/tlog-tiles): all that an outsider has who holds no database and no data directory.

use std::fmt;

use super::checkpoint::Checkpoint;
use super::frontier::Frontier;
use super::hash::{Hash, leaf_hash};
use super::tile::{TILE_WIDTH, TilePath, decode_tile, tiles_of};

/// The most problems that are told; what comes after them most often follows from them.
const MOST_PROBLEMS: usize = 100;

/// What was found in a log's files.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct FilesReport {
    /// What is wrong, in the order in which it was found: at most 100 of them.
    pub problems: Vec<FileProblem>,
    /// The first record that is not what was signed.
    pub first_bad_record: Option<u64>,
}

impl FilesReport {
    /// Whether the files are those of the log that was signed.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, path: impl fmt::Display, record: Option<u64>, detail: impl Into<String>) {
        if let Some(record) = record {
            self.first_bad_record = Some(self.first_bad_record.map_or(record, |first| first.min(record)));
        }
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(FileProblem {
                path: path.to_string(),
                record,
                detail: detail.into(),
            });
        }
    }
}

/// A file that is not what it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FileProblem {
    /// Below the directory.
    pub path: String,
    /// The first record that is wrong in it, where it tells of one.
    pub record: Option<u64>,
    /// A sentence for people.
    pub detail: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.detail)?;
        self.record.map_or(Ok(()), |record| write!(f, " (record {record})"))
    }
}

/// Checks every bundle of entries and every tile of the log whose head this is. `read` gives the bytes of the file at a path, which
/// need not be there; `look` sees each entry and says what is wrong with it, if anything is.
///
/// The head must be trusted already: see [`LogPolicy::verify`](super::LogPolicy::verify).
///
/// # Errors
///
/// Those of `read`.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::{Checkpoint, EntryBundle, check_files, encode_tile, leaf_hash, Frontier};
/// let (mut bundle, mut log) = (EntryBundle::new(), Frontier::new());
/// bundle.push(b"first")?;
/// log.push(leaf_hash(b"first"));
/// let head = Checkpoint::new("audit.example/log", 1, log.root())?;
/// let file = |path: &str| match path {
///     "tile/entries/000.p/1" => Some(bundle.as_bytes().to_vec()),
///     "tile/0/000.p/1" => Some(encode_tile(&[leaf_hash(b"first")])),
///     _ => None,
/// };
/// let report = check_files(&head, |path| Ok::<_, std::io::Error>(file(path)), |_, _| None)?;
/// assert!(report.is_sound());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn check_files<E>(
    head: &Checkpoint,
    mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
    mut look: impl FnMut(u64, &[u8]) -> Option<String>,
) -> Result<FilesReport, E> {
    let size = head.size();
    let mut report = FilesReport::default();
    let (mut by_entries, mut by_tiles) = (Tree::default(), Tree::default());
    // where entries and tiles differ, which of them are wrong is known at the end
    let mut differ: Vec<(TilePath, TilePath, u64, &'static str)> = Vec::new();
    let mut every_entry_is_there = true;
    let width = u64::from(TILE_WIDTH);
    for index in 0..size.div_ceil(width) {
        let first = index * width;
        let here = u16::try_from((size - first).min(width)).unwrap_or(TILE_WIDTH);
        let paths = TilePath::entries(index, here).zip(TilePath::hashes(0, index, here));
        let Some((bundle, tile)) = paths else { break };
        let hashes = read(&tile.to_string())?.and_then(|bytes| decode_tile(&bytes, here).ok());
        if hashes.is_none() {
            report.add(tile, Some(first), "it is not there, or not as long as it must be");
        }
        let bytes = read(&bundle.to_string())?.unwrap_or_default();
        let mut rest = bytes.as_slice();
        let mut differs = false;
        for place in 0..here {
            let record = first + u64::from(place);
            let stored = hashes
                .as_ref()
                .and_then(|hashes| hashes.get(usize::from(place)).copied());
            let leaf = next_entry(&mut rest).map(|entry| {
                if let Some(detail) = look(record, entry) {
                    report.add(bundle, Some(record), detail);
                }
                leaf_hash(entry)
            });
            let same = stored.is_none() || leaf == stored;
            if !same && !differs {
                differs = true;
                let what = if leaf.is_none() {
                    "the file ends within the record"
                } else {
                    "it does not hash to its leaf"
                };
                differ.push((bundle, tile, record, what));
            }
            if stored.is_none() && leaf.is_none() {
                report.add(bundle, Some(record), "the record is not there");
                // nothing is known of what follows
                return Ok(report);
            }
            every_entry_is_there &= leaf.is_some();
            let (leaf, stored) = (leaf.or(stored), stored.or(leaf));
            by_entries.push(leaf.unwrap_or(Hash::EMPTY_TREE));
            by_tiles.push(stored.unwrap_or(Hash::EMPTY_TREE));
        }
        if !rest.is_empty() && !differs {
            report.add(
                bundle,
                Some(first + u64::from(here) - 1),
                "there are bytes after its last record",
            );
        }
    }
    let entries_are_signed = every_entry_is_there && by_entries.frontier.root() == *head.root();
    for (bundle, tile, record, what) in differ {
        if entries_are_signed {
            report.add(tile, Some(record), "it is not the tile of the records");
        } else {
            report.add(bundle, Some(record), what);
        }
    }
    if !entries_are_signed && by_tiles.frontier.root() != *head.root() {
        report.add(
            "checkpoint",
            None,
            "the records do not hash to the root that was signed",
        );
    }
    let signed = if entries_are_signed { &by_entries } else { &by_tiles };
    for path in tiles_of(0, size).filter(|path| path.level().is_some_and(|level| level > 0)) {
        check_above(path, signed, read(&path.to_string())?, &mut report);
    }
    Ok(report)
}

/// Compares a tile above level 0 with what the records make of it.
fn check_above(path: TilePath, tree: &Tree, bytes: Option<Vec<u8>>, report: &mut FilesReport) {
    let level = path.level().unwrap_or_default();
    let span = 1_u64 << (8 * u32::from(level));
    let begin = path.index() * u64::from(TILE_WIDTH);
    let ours = tree.level(level, begin, path.width());
    let Some(stored) = bytes.and_then(|bytes| decode_tile(&bytes, path.width()).ok()) else {
        report.add(
            path,
            Some(begin * span),
            "it is not there, or not as long as it must be",
        );
        return;
    };
    let differs = ours.iter().zip(&stored).position(|(ours, stored)| ours != stored);
    if let Some(at) = differs.or((ours.len() != stored.len()).then_some(ours.len())) {
        let record = (begin + at as u64) * span;
        // a record that is named already explains it
        let explained = report
            .first_bad_record
            .is_some_and(|first| (record..record + span).contains(&first));
        report.add(
            path,
            (!explained).then_some(record),
            "it is not the tile of the records",
        );
    }
}

/// Takes an entry from the beginning of a bundle.
fn next_entry<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (len, after) = rest.split_first_chunk()?;
    let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    *rest = after;
    Some(entry)
}

/// A tree with the hashes of its tiles above level 0: one for each 256 records and more.
#[derive(Default)]
struct Tree {
    frontier: Frontier,
    above: Vec<Vec<Hash>>,
}

impl Tree {
    fn push(&mut self, leaf: Hash) {
        let above = &mut self.above;
        self.frontier.push_with(leaf, |level, _, hash| {
            let Some(level) = usize::from(level).checked_sub(1) else {
                return;
            };
            if above.len() <= level {
                above.resize(level + 1, Vec::new());
            }
            if let Some(hashes) = above.get_mut(level) {
                hashes.push(*hash);
            }
        });
    }

    fn level(&self, level: u8, begin: u64, width: u16) -> &[Hash] {
        let hashes = usize::from(level)
            .checked_sub(1)
            .and_then(|level| self.above.get(level));
        let begin = usize::try_from(begin).unwrap_or(usize::MAX);
        let from = hashes.and_then(|hashes| hashes.get(begin..)).unwrap_or_default();
        from.get(..usize::from(width)).unwrap_or(from)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::super::bundle::EntryBundle;
    use super::super::memory::MemoryTiles;
    use super::super::prove::TileReader as _;
    use super::super::tile::encode_tile;
    use super::*;

    type Files = BTreeMap<String, Vec<u8>>;

    fn log(size: u64) -> (Checkpoint, Files) {
        let (mut tiles, mut files) = (MemoryTiles::new(), Files::new());
        let entry = |number: u64| format!("entry {number} {}", "x".repeat((number % 7) as usize)).into_bytes();
        for index in 0..size.div_ceil(256) {
            let mut bundle = EntryBundle::new();
            for number in index * 256..size.min((index + 1) * 256) {
                bundle.push(&entry(number)).unwrap();
                tiles.push(leaf_hash(&entry(number)));
            }
            let path = TilePath::entries(index, bundle.len()).unwrap();
            files.insert(path.to_string(), bundle.as_bytes().to_vec());
        }
        for path in tiles_of(0, size) {
            let hashes = tiles.hashes(path.level().unwrap(), path.index(), path.width()).unwrap();
            files.insert(path.to_string(), encode_tile(&hashes));
        }
        (Checkpoint::new("log.example", size, tiles.root()).unwrap(), files)
    }

    fn check(head: &Checkpoint, files: &Files) -> FilesReport {
        check_files(head, |path| Ok::<_, Infallible>(files.get(path).cloned()), |_, _| None).unwrap()
    }

    /// The record that a byte of a file belongs to.
    fn record_of(path: &str, bytes: &[u8], at: usize) -> u64 {
        let path: TilePath = path.parse().unwrap();
        let begin = path.index() * 256;
        if let Some(level) = path.level() {
            return (begin + at as u64 / 32) << (8 * u32::from(level));
        }
        let (mut rest, mut record) = (bytes, begin);
        loop {
            next_entry(&mut rest).unwrap();
            if at < bytes.len() - rest.len() {
                return record;
            }
            record += 1;
        }
    }

    #[test]
    fn files_of_logs_of_many_sizes_are_sound() {
        for size in [0, 1, 2, 255, 256, 257, 600, 65_536, 66_000] {
            let (head, files) = log(size);
            let report = check(&head, &files);
            assert!(report.is_sound(), "{size}: {:?}", report.problems);
        }
    }

    #[test]
    fn a_flipped_byte_is_found_and_its_record_named() {
        let (head, files) = log(300);
        for (path, bytes) in &files {
            for at in (0..bytes.len()).step_by(37) {
                let mut flipped = files.clone();
                flipped.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
                let report = check(&head, &flipped);
                let expected = record_of(path, bytes, at);
                assert_eq!(report.first_bad_record, Some(expected), "byte {at} of {path}");
                assert_eq!(report.problems[0].path, *path, "byte {at}");
            }
        }
    }

    #[test]
    fn a_file_that_is_missing_cut_or_longer_is_found() {
        let (head, files) = log(600);
        for path in files.keys() {
            let mut changed = files.clone();
            changed.remove(path);
            assert!(!check(&head, &changed).is_sound(), "{path} is missing");
            for more in [true, false] {
                let mut changed = files.clone();
                let bytes = changed.get_mut(path).unwrap();
                if more {
                    bytes.push(0);
                } else {
                    bytes.pop();
                }
                assert!(!check(&head, &changed).is_sound(), "{path}");
            }
        }
    }

    #[test]
    fn a_log_that_was_rewritten_as_a_whole_does_not_hash_to_the_root_that_was_signed() {
        let ((head, _), (_, mut files)) = (log(300), log(300));
        let other = b"another".to_vec();
        let path = TilePath::entries(1, 44).unwrap().to_string();
        let mut bundle = EntryBundle::new();
        let mut hashes = Vec::new();
        for _ in 0..44 {
            bundle.push(&other).unwrap();
            hashes.push(leaf_hash(&other));
        }
        files.insert(path, bundle.as_bytes().to_vec());
        files.insert(TilePath::hashes(0, 1, 44).unwrap().to_string(), encode_tile(&hashes));
        let report = check(&head, &files);
        assert_eq!(report.problems[0].path, "checkpoint");
    }

    #[test]
    fn what_is_seen_in_an_entry_is_told_with_its_record() {
        let (head, files) = log(3);
        let look = |record, _: &[u8]| (record == 2).then(|| "it is odd".to_owned());
        let report = check_files(&head, |path| Ok::<_, Infallible>(files.get(path).cloned()), look).unwrap();
        assert_eq!(report.first_bad_record, Some(2));
        assert_eq!(
            report.problems[0].to_string(),
            "tile/entries/000.p/3: it is odd (record 2)"
        );
    }
}
