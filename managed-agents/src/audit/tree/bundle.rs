//! Bundles of entries as files (c2sp.org/tlog-tiles).

use super::tile::TILE_WIDTH;

/// Up to 256 entries in one file: each with its length before it in two bytes, most significant first.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::EntryBundle;
/// let mut bundle = EntryBundle::new();
/// bundle.push(b"first")?;
/// bundle.push(b"second")?;
/// let entries = EntryBundle::decode(bundle.as_bytes(), 2)?;
/// assert_eq!(entries, [&b"first"[..], b"second"]);
/// # Ok::<_, managed_agents::audit::tree::BundleError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EntryBundle {
    bytes: Vec<u8>,
    entries: u16,
}

impl EntryBundle {
    /// The most bytes that an entry can have: 65 535.
    pub const MAX_ENTRY: usize = u16::MAX as usize;

    /// A bundle without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            entries: 0,
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// [`BundleError`] when it is larger than [`MAX_ENTRY`](Self::MAX_ENTRY), or 256 are in it already.
    pub fn push(&mut self, entry: &[u8]) -> Result<(), BundleError> {
        if self.entries == TILE_WIDTH {
            return Err(BundleError("a bundle has room for 256 entries".to_owned()));
        }
        let len = u16::try_from(entry.len()).map_err(|_| {
            BundleError(format!(
                "an entry of {} bytes is too large for a bundle: 65535 at most",
                entry.len()
            ))
        })?;
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(entry);
        self.entries += 1;
        Ok(())
    }

    /// How many entries are in it.
    #[must_use]
    pub const fn len(&self) -> u16 {
        self.entries
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The bytes of the file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The entries of a file that has this many.
    ///
    /// # Errors
    ///
    /// [`BundleError`] when it has more or fewer.
    pub fn decode(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
        let wrong = || BundleError(format!("{} bytes are no bundle of {width} entries", bytes.len()));
        if width == 0 || width > TILE_WIDTH {
            return Err(wrong());
        }
        let mut entries = Vec::with_capacity(usize::from(width));
        let mut rest = bytes;
        for _ in 0..width {
            let (len, after) = rest.split_first_chunk().ok_or_else(wrong)?;
            let (entry, after) = after
                .split_at_checked(usize::from(u16::from_be_bytes(*len)))
                .ok_or_else(wrong)?;
            entries.push(entry);
            rest = after;
        }
        if rest.is_empty() { Ok(entries) } else { Err(wrong()) }
    }
}

/// A bundle cannot be written or read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct BundleError(String);
