//! Where a store lies, and what it promises.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{StoreError, StoreErrorKind};
use crate::identity::KeyDir;

/// What a record that was acknowledged survives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Durability {
    /// The death of the process, not a loss of power: SQLite's WAL with `synchronous=NORMAL`. Revocations, suspensions,
    /// erasures and consumed grants survive a loss of power all the same.
    #[default]
    ProcessCrash,
    /// A loss of power: each group of records is fsynced before it is acknowledged.
    PowerLoss,
}

/// How a [`Store`](super::Store) is opened.
///
/// # Examples
///
/// ```no_run
/// use managed_agents::store::{Durability, Store, StoreOptions};
/// let store = Store::open(StoreOptions::new("/var/lib/bot").durability(Durability::PowerLoss))?;
/// # Ok::<_, managed_agents::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct StoreOptions {
    pub(super) dir: PathBuf,
    pub(super) durability: Durability,
    pub(super) high_water: Option<PathBuf>,
    pub(super) patience: Duration,
    pub(super) most_in_flight: usize,
    pub(super) network_allowed: bool,
    pub(super) log_key: Option<[u8; 32]>,
    pub(super) origin: Option<String>,
    pub(super) authority: Option<String>,
    pub(super) most_pages: Option<u32>,
    pub(super) trusted: Option<KeyDir>,
}

impl StoreOptions {
    /// A store in a directory, which is made if it is not there.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            high_water: None,
            patience: Duration::from_secs(5),
            most_in_flight: 16_384,
            network_allowed: false,
            log_key: None,
            origin: None,
            authority: None,
            most_pages: None,
            trusted: None,
        }
    }

    /// A store in [the place for data](data_dir).
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`] when the environment names no home directory.
    pub fn in_data_dir() -> Result<Self, StoreError> {
        data_dir().map(Self::new)
    }

    /// What an acknowledged record survives; else [`Durability::ProcessCrash`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The file that remembers how long the log was: best where whoever can write the store cannot write. Else a file under
    /// the platform's place for state (`$XDG_STATE_HOME/managed-agents`).
    #[must_use]
    pub fn high_water(mut self, file: impl Into<PathBuf>) -> Self {
        self.high_water = Some(file.into());
        self
    }

    /// How long to wait for another process that writes, before a decision is denied; else 5 seconds.
    ///
    /// Opening waits up to 15 seconds for a process that opens the record just now, whatever is said here.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How many decisions may be under way at once (waiting to be written, or allowed and not ended); more are denied with
    /// `record_full`. Else 16 384.
    #[must_use]
    pub fn most_in_flight(mut self, most: usize) -> Self {
        self.most_in_flight = most.max(1);
        self
    }

    /// Opens the store on a network file system all the same. Two machines that write it will fork or lose the log.
    #[must_use]
    pub fn dangerously_on_network(mut self) -> Self {
        self.network_allowed = true;
        self
    }

    /// The seed of the Ed25519 key that signs checkpoints. Without one there are none, and only the high-water mark shows that
    /// a log was cut.
    #[must_use]
    pub fn log_key(mut self, seed: [u8; 32]) -> Self {
        self.log_key = Some(seed);
        self
    }

    /// The name of a log that is yet to begin, best an address without a scheme; else a random one.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// The public key of the authority, as the log's first entry is to name it.
    #[must_use]
    pub fn authority(mut self, key: impl Into<String>) -> Self {
        self.authority = Some(key.into());
        self
    }

    /// The most pages of 4 KiB that the database may have, as a limit of your own before the disk is full.
    #[must_use]
    pub fn most_pages(mut self, pages: u32) -> Self {
        self.most_pages = Some(pages);
        self
    }

    /// The directory of keys whose authorities' certificates say whose statements about agents are believed. Without one,
    /// statements are taken as they stand, and whoever appends them is to have checked them.
    #[must_use]
    pub fn trusted(mut self, keys: &KeyDir) -> Self {
        self.trusted = Some(keys.clone());
        self
    }

    /// Whether a store that is opened so promises what one opened by `other` does.
    pub(crate) fn promises_as(&self, other: &Self) -> bool {
        self.durability == other.durability && self.high_water == other.high_water
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("dir", &self.dir)
            .field("durability", &self.durability)
            .field("high_water", &self.high_water)
            .finish_non_exhaustive()
    }
}

/// The place for data: `MANAGED_AGENTS_HOME`, else the platform's own: `$XDG_DATA_HOME/managed-agents` or
/// `~/.local/share/managed-agents`; `~/Library/Application Support/managed-agents`; `%LOCALAPPDATA%\managed-agents`.
///
/// # Errors
///
/// [`StoreErrorKind::Missing`] when the environment names no home directory.
pub fn data_dir() -> Result<PathBuf, StoreError> {
    if let Some(home) = variable("MANAGED_AGENTS_HOME") {
        return Ok(home);
    }
    platform("XDG_DATA_HOME", ".local/share").ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::Missing,
            "there is no place for data: set MANAGED_AGENTS_HOME, or HOME",
        )
    })
}

/// The place for what must outlive the data directory: `$XDG_STATE_HOME/managed-agents` or `~/.local/state/managed-agents`.
pub(super) fn state_dir() -> Result<PathBuf, StoreError> {
    platform("XDG_STATE_HOME", ".local/state").ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::Missing,
            "there is no place for the high-water mark: name one, or set XDG_STATE_HOME or HOME",
        )
    })
}

fn platform(xdg: &str, below_home: &str) -> Option<PathBuf> {
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")?
    } else if cfg!(target_os = "macos") {
        let place = if xdg == "XDG_STATE_HOME" {
            "Preferences"
        } else {
            "Application Support"
        };
        variable("HOME")?.join("Library").join(place)
    } else {
        // the specification says that a relative path is to be ignored
        match variable(xdg).filter(|path| path.is_absolute()) {
            Some(path) => path,
            None => variable("HOME")?.join(below_home),
        }
    };
    // on Windows both kinds lie below one place
    let name = if cfg!(windows) && xdg == "XDG_STATE_HOME" {
        "managed-agents-state"
    } else {
        "managed-agents"
    };
    Some(base.join(name))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
