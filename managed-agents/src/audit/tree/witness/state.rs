//! What a witness remembers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use super::super::hash::Hash;

/// The last checkpoint of a log that a witness signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    size: u64,
    root: Hash,
}

impl Head {
    /// A head of this size and root.
    #[must_use]
    pub const fn new(size: u64, root: Hash) -> Self {
        Self { size, root }
    }

    /// How many entries the log had.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> &Hash {
        &self.root
    }
}

/// Where a witness remembers the last checkpoint of each log. A witness that forgets lets a log rewrite its history.
pub trait WitnessState {
    /// Why it cannot be read or written.
    type Error: std::fmt::Display;

    /// The last head of this log that was signed, `None` if none ever was.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being read; the witness then signs nothing.
    fn last(&self, origin: &str) -> Result<Option<Head>, Self::Error>;

    /// If the last head is still `from`, makes it `to`, in one step that no other caller's falls between, and returns when `to` would
    /// survive a loss of power. `false` if it was no longer `from`, and nothing was changed.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being written; the witness then signs nothing.
    fn advance(&self, origin: &str, from: Option<Head>, to: Head) -> Result<bool, Self::Error>;
}

impl<T: WitnessState + ?Sized> WitnessState for &T {
    type Error = T::Error;

    fn last(&self, origin: &str) -> Result<Option<Head>, Self::Error> {
        (**self).last(origin)
    }

    fn advance(&self, origin: &str, from: Option<Head>, to: Head) -> Result<bool, Self::Error> {
        (**self).advance(origin, from, to)
    }
}

/// A memory that ends with the process: for tests only.
#[derive(Debug, Default)]
pub struct MemoryWitnessState {
    heads: Mutex<BTreeMap<String, Head>>,
}

impl MemoryWitnessState {
    /// Nothing remembered.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            heads: Mutex::new(BTreeMap::new()),
        }
    }
}

impl WitnessState for MemoryWitnessState {
    type Error = Infallible;

    fn last(&self, origin: &str) -> Result<Option<Head>, Infallible> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(heads.get(origin).copied())
    }

    fn advance(&self, origin: &str, from: Option<Head>, to: Head) -> Result<bool, Infallible> {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        if heads.get(origin).copied() != from {
            return Ok(false);
        }
        heads.insert(origin.to_owned(), to);
        Ok(true)
    }
}
