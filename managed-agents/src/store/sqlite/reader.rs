//! Reading the record.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use super::agents;
use super::error::{StoreError, StoreErrorKind};
use super::facts::BLOCK;
use super::holds::{self, StandingHold};
use super::interrupts::Stops;
use super::keys::SubjectKeys;
use super::lookup;
use super::mark::MarkFile;
use super::names;
use super::options::StoreOptions;
use super::query::{Page, Query};
use super::revoked::RevokedFile;
use super::tiles::{Tiles, unproven};
use super::tip::Tip;
use super::verify::{self, Depth, Report};
use super::{open, retention, schema, seal, trusted};
use crate::audit::Sequence;
use crate::audit::entry::{Entry, Sealed};
use crate::audit::tree::{Hash, TileReader, prove_consistency, prove_inclusion};
use crate::identity::{Passport, Standing, Trust};
use crate::interrupt::StopRecord;

/// A connection that only reads: its own, so that it disturbs no writer. Everything here blocks while files are read.
///
/// Reading needs no lock that a writer would wait for, and needs neither the log's key nor the high-water mark.
pub struct Reader {
    pub(super) db: Connection,
    database: PathBuf,
    keys_file: PathBuf,
    pub(super) keys: SubjectKeys,
    trust: Option<Trust>,
}

/// Size and root of a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    origin: String,
    size: u64,
    root: Hash,
    synced_size: u64,
    log_time: i64,
    epoch: u64,
}

impl Head {
    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// How many entries are known to survive a loss of power, and may be published.
    #[must_use]
    pub fn synced_size(&self) -> u64 {
        self.synced_size
    }

    /// The latest time of any entry, in microseconds since 1970.
    #[must_use]
    pub fn log_time(&self) -> i64 {
        self.log_time
    }

    /// Changes whenever an agent's state or identity does.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// What an entry commits to.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Nothing.
    None,
    /// The values. Those that are marked as redacted are for no reviewer and no export.
    Known(Vec<Sealed>),
    /// The data subject was erased.
    Erased,
    /// A rule of retention removed them.
    Removed,
}

impl Reader {
    /// Opens the record in a data directory.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when there is none; as [`Store::open`](super::Store::open) for others.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let dir = dir.as_ref();
        Self::open_files(&schema::database(dir), &open::keys_file(dir))
    }

    /// Opens a database file, such as a backup, with the file of the subjects' keys, which need not be there.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_files(database: &Path, keys: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            db: schema::reader(database)?,
            database: database.to_owned(),
            keys_file: keys.to_owned(),
            keys: SubjectKeys::open(keys)?,
            trust: None,
        })
    }

    /// Whose statements about agents a deep check believes; else their signatures are not checked, and the report says how many
    /// there are.
    #[must_use]
    pub fn trusting(mut self, trust: Trust) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Name, size and root of the log.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the file cannot be read, or is damaged where it was read.
    pub fn head(&self) -> Result<Head, StoreError> {
        let tip = Tip::read(&self.db, false)?;
        Ok(Head {
            size: tip.size(),
            root: tip.root,
            synced_size: tip.synced_size,
            log_time: tip.log_time,
            epoch: tip.epoch,
            origin: tip.origin,
        })
    }

    /// One entry, if the log is as long.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn entry(&self, place: Sequence) -> Result<Option<Entry>, StoreError> {
        lookup::entry(&self.db, place.get())
    }

    /// The entries from a place on, at most so many.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn entries(&self, from: u64, most: usize) -> Result<Vec<Entry>, StoreError> {
        let mut select = self
            .db
            .prepare("SELECT bytes FROM entries WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = select.query([from.cast_signed(), most])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(Entry::parse(row.get::<_, Vec<u8>>(0)?)?);
        }
        Ok(entries)
    }

    /// The entries that a query asks for, a page at a time. Reads what it gives and its index, never the whole log.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn query(&self, query: &Query) -> Result<Page, StoreError> {
        query.run(&self.db, self.head()?.size())
    }

    /// All entries of a type of which a log has few, oldest first.
    pub(crate) fn stated(&self, kind: &str) -> Result<Vec<Entry>, StoreError> {
        lookup::of_kind(&self.db, kind, self.head()?.size())
    }

    /// The decision and outcomes of an evaluation.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn evaluation(&self, id: &str) -> Result<Vec<Entry>, StoreError> {
        let size = self.head()?.size();
        let mut places = names::find(&self.db, size, id)?;
        places.extend(size - size % BLOCK..size);
        let mut found = Vec::new();
        for place in places {
            let entry = lookup::entry(&self.db, place)?;
            found.extend(entry.filter(|entry| entry.evaluation().is_some_and(|found| found.reveal() == id)));
        }
        Ok(found)
    }

    /// What an entry commits to, with the salts.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head); [`StoreErrorKind::Corrupt`] when the values are not those that were encrypted, or their key is not
    /// in the file.
    pub fn values(&self, place: Sequence) -> Result<Values, StoreError> {
        let row: Option<(u32, Vec<u8>, Vec<u8>)> = self
            .db
            .query_row(
                "SELECT subject, nonce, box FROM sealed WHERE seq = ?1",
                [place.get().cast_signed()],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        let Some((subject, nonce, bytes)) = row else {
            return Ok(Values::None);
        };
        if retention::removed_by(&nonce, &bytes).is_some() {
            return Ok(Values::Removed);
        }
        // written since the keys were read, or erased since
        if self.keys.by_number(subject).is_none() || !self.keys.is_still_there(subject)? {
            self.keys.reload()?;
        }
        if self.keys.is_erased(subject) {
            return Ok(Values::Erased);
        }
        self.keys
            .by_number(subject)
            .and_then(|key| seal::open(key, &nonce, &bytes))
            .map(Values::Known)
            .ok_or_else(|| {
                StoreError::new(
                    StoreErrorKind::Corrupt,
                    format!("the values of record {} do not open under their key", place.get()),
                )
            })
    }

    /// The newest signed checkpoint, as the note that was signed.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        let note = self
            .db
            .query_row("SELECT note FROM checkpoints ORDER BY number DESC LIMIT 1", [], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(note)
    }

    /// Compares with the high-water mark that these options name: the size that was remembered, or none where nothing is.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::RolledBack`] when this is not the log that was marked, or one that is shorter; others as
    /// [`head`](Self::head).
    pub fn compare_with_mark(&self, options: &StoreOptions) -> Result<Option<u64>, StoreError> {
        // read first: the log that is read afterwards is at least as long
        let file = MarkFile::of(options.high_water.as_deref(), &options.dir)?;
        let (mark, revoked) = (file.read()?, RevokedFile::of(&file).read()?);
        match open::fault(&self.db, &Tip::read(&self.db, false)?, mark.as_ref(), &revoked)? {
            Some(what) => Err(open::rolled_back(mark.as_ref(), &what)),
            None => Ok(mark.map(|mark| mark.size)),
        }
    }

    /// The number by which the log knows a data subject; none if nothing was recorded of it, or it is erased.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn subject_number(&self, subject: &str) -> Result<Option<u32>, StoreError> {
        holds::number_of(&self.keys, subject)
    }

    /// Whether a hold keeps something of the subject of this number.
    pub(crate) fn may_erase(&self, subject: u32) -> Result<(), StoreError> {
        holds::check_erasure(&self.db, self.head()?.size(), subject)
    }

    /// Whether the hold stands that began with this entry.
    pub(crate) fn stands(&self, hold: Sequence) -> Result<(), StoreError> {
        holds::stands(&self.db, self.head()?.size(), hold.get())
    }

    /// Every hold that stands.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn holds(&self) -> Result<Vec<StandingHold>, StoreError> {
        holds::standing(&self.db, self.head()?.size())
    }

    pub(super) fn keys(&self) -> &SubjectKeys {
        &self.keys
    }

    pub(super) fn database(&self) -> &Connection {
        &self.db
    }

    /// Every agent, and how it stands.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn agents(&self) -> Result<Vec<(String, Standing)>, StoreError> {
        let epoch = self.head()?.epoch;
        let rows = agents::all(&self.db)?;
        let mut standings = agents::standings(&rows, epoch);
        Ok(rows
            .into_keys()
            .filter_map(|agent| standings.remove(&agent).map(|standing| (agent, standing)))
            .collect())
    }

    /// The passports that one rests on, from the one that an authority signed, and itself.
    pub(crate) fn chain(&self, passport: &Passport) -> Result<Vec<Passport>, StoreError> {
        trusted::chain(&self.db, self.head()?.size(), passport)
    }

    /// The stops that hold, oldest first.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn stops(&self) -> Result<Vec<StopRecord>, StoreError> {
        let stops = Stops::read(&self.db, self.head()?.size())?;
        Ok(stops.in_force().cloned().collect())
    }

    /// The decisions whose calls have not ended.
    ///
    /// # Errors
    ///
    /// As [`head`](Self::head).
    pub fn running(&self) -> Result<Vec<Sequence>, StoreError> {
        let mut select = self.db.prepare("SELECT seq FROM running ORDER BY seq")?;
        let rows = select.query_map([], |row| Ok(Sequence::new(row.get::<_, i64>(0)?.cast_unsigned())))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The proof that the entry at `index` is in the log of `size` entries (RFC 9162, section 2.1.3).
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Corrupt`] when there is no such entry, or the tiles do not fit.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        prove_inclusion(self, index, size).map_err(unproven)
    }

    /// The proof that the log of `from` entries is the beginning of that of `to` (RFC 9162, section 2.1.4).
    ///
    /// # Errors
    ///
    /// As [`prove_inclusion`](Self::prove_inclusion).
    pub fn prove_consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        prove_consistency(self, from, to).map_err(unproven)
    }

    /// Checks the record, on two threads and in little memory; `progress` is told how many entries are done. What is wrong
    /// with the record is in the report.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the record cannot be read at all.
    pub fn verify(&self, depth: Depth, progress: impl FnMut(u64)) -> Result<Report, StoreError> {
        verify::run(&self.database, &self.keys_file, self.trust.as_ref(), depth, progress)
    }
}

impl TileReader for Reader {
    type Error = StoreError;

    fn hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, StoreError> {
        Tiles::of(&self.db).hashes(level, index, width)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
