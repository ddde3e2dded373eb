//! Digests of calls, and the salts that keep them from being guessed.

use std::cell::RefCell;
use std::fmt;

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};

/// A SHA-256 digest (FIPS 180-4); printed as 64 lower-case hexadecimal digits.
///
/// # Examples
///
/// ```
/// use managed_agents::Digest;
/// let text = Digest::new([0xab; 32]).to_string();
/// assert_eq!(text.len(), 64);
/// assert!(text.starts_with("abab"));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(crate) const ZERO: Self = Self([0; 32]);

    /// Wraps 32 bytes that are a digest.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// 32 random bytes that belong to one record: without them its digest cannot be tried against guesses.
///
/// `Debug` shows nothing of them.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// In the place of a salt where there is no digest.
    pub(crate) const NONE: Self = Self([0; 32]);

    /// A fresh salt from this thread's generator (ChaCha12, seeded by the operating system).
    ///
    /// # Errors
    ///
    /// [`NoEntropyError`] when the operating system gives no random bytes.
    pub fn fresh() -> Result<Self, NoEntropyError> {
        let mut salt = Self::NONE;
        salt.renew()?;
        Ok(salt)
    }

    /// Makes it a fresh one where it lies: what was just written is not moved.
    #[inline]
    pub(crate) fn renew(&mut self) -> Result<(), NoEntropyError> {
        thread_local! {
            static MADE: RefCell<Made> = const { RefCell::new(Made::NONE) };
        }
        MADE.with_borrow_mut(|made| {
            let salt = match made.salts.get_mut(made.next) {
                Some(salt) => salt,
                None => made.more()?,
            };
            // given once
            self.0 = std::mem::take(salt);
            made.next += 1;
            Ok(())
        })
    }

    /// A salt that was kept.
    #[cfg(feature = "sqlite")]
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes; they belong where they can be erased, never into a log.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

/// As many salts as the generator makes bytes at a time.
const AT_A_TIME: usize = 8;

/// Salts that were made and not given yet.
struct Made {
    generator: Option<ChaCha12Rng>,
    salts: [[u8; 32]; AT_A_TIME],
    next: usize,
}

impl Made {
    const NONE: Self = Self {
        generator: None,
        salts: [[0; 32]; AT_A_TIME],
        next: AT_A_TIME,
    };

    /// Makes more, and gives the first.
    #[inline(never)]
    fn more(&mut self) -> Result<&mut [u8; 32], NoEntropyError> {
        let generator = match &mut self.generator {
            Some(generator) => generator,
            none => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(|_| NoEntropyError(()))?;
                none.insert(ChaCha12Rng::from_seed(seed))
            }
        };
        generator.fill_bytes(self.salts.as_flattened_mut());
        self.next = 0;
        self.salts.first_mut().ok_or(NoEntropyError(()))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug)]
pub struct NoEntropyError(());

impl fmt::Display for NoEntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no random bytes")
    }
}

impl std::error::Error for NoEntropyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_differ_within_and_across_threads() {
        let mut salts: Vec<_> = (0..100).map(|_| *Salt::fresh().unwrap().reveal()).collect();
        let other = std::thread::spawn(|| *Salt::fresh().unwrap().reveal());
        salts.push(other.join().unwrap());
        salts.sort_unstable();
        salts.dedup();
        assert_eq!(salts.len(), 101);
    }

    #[test]
    fn a_salt_is_not_printed() {
        assert_eq!(format!("{:?}", Salt::fresh().unwrap()), "Salt(..)");
    }
}
