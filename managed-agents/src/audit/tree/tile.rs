//! Tiles as files (c2sp.org/tlog-tiles).

use std::fmt;
use std::str::FromStr;

use super::hash::Hash;
use super::text::{decimal, shown};

/// How many hashes a full tile has, and how many entries a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The highest level that a path can name.
const MAX_LEVEL: u8 = 63;

/// Where a tile, or a bundle of entries, lies below the log's address: `tile/0/x001/x234/067`, `tile/entries/000.p/5`.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::tree::TilePath;
/// let path: TilePath = "tile/1/x001/067.p/17".parse()?;
/// assert_eq!((path.level(), path.index(), path.width()), (Some(1), 1067, 17));
/// assert_eq!(path.to_string(), "tile/1/x001/067.p/17");
/// # Ok::<_, managed_agents::audit::tree::TileError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TilePath {
    /// `None` for a bundle of entries.
    level: Option<u8>,
    index: u64,
    width: u16,
}

impl TilePath {
    /// A tile of hashes; `None` if the level is above 63 or the width not 1 to 256.
    #[must_use]
    pub const fn hashes(level: u8, index: u64, width: u16) -> Option<Self> {
        if level > MAX_LEVEL || width == 0 || width > TILE_WIDTH {
            return None;
        }
        Some(Self {
            level: Some(level),
            index,
            width,
        })
    }

    /// A bundle of entries; `None` if the width is not 1 to 256.
    #[must_use]
    pub const fn entries(index: u64, width: u16) -> Option<Self> {
        if width == 0 || width > TILE_WIDTH {
            return None;
        }
        Some(Self {
            level: None,
            index,
            width,
        })
    }

    /// The level of a tile of hashes; `None` for a bundle of entries.
    #[must_use]
    pub const fn level(&self) -> Option<u8> {
        self.level
    }

    /// The place within the level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}")?,
            None => f.write_str("tile/entries")?,
        }
        let groups = self.index.checked_ilog(1000).unwrap_or(0);
        for group in (0..=groups).rev() {
            let digits = self.index / 1000_u64.pow(group) % 1000;
            let more = if group > 0 { "x" } else { "" };
            write!(f, "/{more}{digits:03}")?;
        }
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = TileError;

    fn from_str(text: &str) -> Result<Self, TileError> {
        let path = read_path(text).ok_or_else(|| TileError(format!("{} is no path of a tile", shown(text))))?;
        // only one text names a tile: no leading zero groups, no width of 256 written out
        if path.to_string() == text {
            Ok(path)
        } else {
            Err(TileError(format!("{} is no path of a tile: {path} is", shown(text))))
        }
    }
}

fn read_path(text: &str) -> Option<TilePath> {
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, u16::try_from(decimal(width)?).ok()?),
        None => (rest, TILE_WIDTH),
    };
    let mut index: u64 = 0;
    let mut last_seen = false;
    for group in groups.split('/') {
        if last_seen {
            return None;
        }
        let digits = group.strip_prefix('x').unwrap_or_else(|| {
            last_seen = true;
            group
        });
        if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    if !last_seen {
        return None;
    }
    match kind {
        "entries" => TilePath::entries(index, width),
        level => TilePath::hashes(u8::try_from(decimal(level)?).ok()?, index, width),
    }
}

/// Every tile of hashes of a tree with `size` leaves, partial ones included, lowest level first. Those of the tree with `from` leaves
/// that are the same are left out: with `from` 0, none.
pub fn tiles_of(from: u64, size: u64) -> impl Iterator<Item = TilePath> {
    (0..8_u8).flat_map(move |level| {
        let shift = 8 * u32::from(level);
        let (old, new) = (from >> shift, size >> shift);
        let first = if old < new { old / 256 } else { new.div_ceil(256) };
        (first..new.div_ceil(256)).filter_map(move |index| {
            let width = (new - index * 256).min(u64::from(TILE_WIDTH));
            TilePath::hashes(level, index, width as u16)
        })
    })
}

/// The bytes of a tile: its hashes one after another.
#[must_use]
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Reads the bytes of a tile of this width.
///
/// # Errors
///
/// [`TileError`] when there are more or fewer bytes, or the width is not 1 to 256.
pub fn decode_tile(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let (hashes, left_over) = bytes.as_chunks();
    if width == 0 || width > TILE_WIDTH || hashes.len() != usize::from(width) || !left_over.is_empty() {
        return Err(TileError(format!(
            "{} bytes are no tile of {width} hashes",
            bytes.len()
        )));
    }
    Ok(hashes.iter().copied().map(Hash::new).collect())
}

/// A tile or its path cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct TileError(String);
