//! Finding entries by the tables of blocks.

use rusqlite::{Connection, OptionalExtension as _};

use super::error::StoreError;
use super::facts::{BLOCK, Field, term};
use crate::audit::entry::Entry;

/// What a row of a block must have for the block to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) terms: Vec<i64>,
    /// In microseconds since 1970; from the first to before the second.
    pub(super) time: Option<(i64, i64)>,
}

/// The nearest block from `from` on (backwards with `newest_first`) that has every term somewhere, and the places in it that have
/// them all. Places may be none: the terms stand on different entries.
pub(super) fn next_block(
    db: &Connection,
    wanted: &Wanted,
    from: u64,
    newest_first: bool,
) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
    let (sql_time, sql_term) = if newest_first {
        (
            "SELECT block FROM blocks WHERE block <= ?1 AND high >= ?2 AND low < ?3 ORDER BY block DESC LIMIT 1",
            "SELECT block, places FROM postings WHERE term = ?1 AND block <= ?2 ORDER BY block DESC LIMIT 1",
        )
    } else {
        (
            "SELECT block FROM blocks WHERE block >= ?1 AND high >= ?2 AND low < ?3 ORDER BY block LIMIT 1",
            "SELECT block, places FROM postings WHERE term = ?1 AND block >= ?2 ORDER BY block LIMIT 1",
        )
    };
    let mut by_time = db.prepare_cached(sql_time)?;
    let mut by_term = db.prepare_cached(sql_term)?;
    let mut at = from.cast_signed();
    'again: loop {
        let (low, high) = wanted.time.unwrap_or((i64::MIN, i64::MAX));
        let Some(block) = by_time
            .query_row([at, low, high], |row| row.get::<_, i64>(0))
            .optional()?
        else {
            return Ok(None);
        };
        at = block;
        let mut places: Vec<u8> = (0..=u8::MAX).collect();
        for term in &wanted.terms {
            let found: Option<(i64, Vec<u8>)> = by_term
                .query_row([*term, at], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            match found {
                None => return Ok(None),
                Some((block, _)) if block != at => {
                    at = block;
                    continue 'again;
                }
                Some((_, has)) => places.retain(|place| has.contains(place)),
            }
        }
        let block = at.cast_unsigned();
        if block.checked_add(1).and_then(|end| end.checked_mul(BLOCK)).is_none() {
            return Err(StoreError::corrupt("the index names a block that there cannot be"));
        }
        return Ok(Some((block, places)));
    }
}

/// The entries of one type, oldest first. For types of which a log has few.
pub(super) fn of_kind(db: &Connection, kind: &str, size: u64) -> Result<Vec<Entry>, StoreError> {
    stated(db, kind, None, size)
}

/// The entries of one type about one agent, oldest first. For types of which an agent has few.
pub(super) fn of_kind_about(db: &Connection, kind: &str, agent: &str, size: u64) -> Result<Vec<Entry>, StoreError> {
    let mut found = stated(db, kind, Some(agent), size)?;
    found.retain(|entry| entry.agent().is_some_and(|about| about.reveal() == agent));
    Ok(found)
}

/// The entries of one type, which may be about an agent.
fn stated(db: &Connection, kind: &str, agent: Option<&str>, size: u64) -> Result<Vec<Entry>, StoreError> {
    let agent = agent.map(|agent| term(Field::Agent, agent));
    let wanted = Wanted {
        terms: [term(Field::Kind, kind)].into_iter().chain(agent).collect(),
        time: None,
    };
    let mut found = Vec::new();
    let mut next = 0;
    while let Some((block, places)) = next_block(db, &wanted, next, false)? {
        for place in places {
            found.extend(entry(db, block * BLOCK + u64::from(place))?);
        }
        next = block + 1;
    }
    let mut select = db.prepare_cached("SELECT bytes FROM entries WHERE seq >= ?1 AND seq < ?2 ORDER BY seq")?;
    let mut since = select.query([(size - size % BLOCK).cast_signed(), size.cast_signed()])?;
    let word = format!("\"type\":\"{kind}\"");
    while let Some(row) = since.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        // most are plainly of other types, and need no more than this look
        let other = |text: &str| !text.contains(&word) && !text.contains("\\u");
        if !std::str::from_utf8(bytes).is_ok_and(other) {
            found.push(Entry::parse(bytes.to_vec())?);
        }
    }
    found.retain(|entry| entry.kind() == kind);
    Ok(found)
}

/// Gives the entries at these places that may be about an agent, oldest first: a block is read in one go.
pub(super) fn each_about(
    db: &Connection,
    agent: &str,
    asked: std::ops::Range<u64>,
    mut each: impl FnMut(&Entry),
) -> Result<(), StoreError> {
    let wanted = Wanted {
        terms: vec![term(Field::Agent, agent)],
        time: None,
    };
    let mut select = db.prepare("SELECT seq, bytes FROM entries WHERE seq >= ?1 AND seq < ?2 ORDER BY seq")?;
    let mut read = |from: u64, to: u64, places: Option<&[u8]>| -> Result<(), StoreError> {
        let mut rows = select.query([from.max(asked.start).cast_signed(), to.cast_signed()])?;
        while let Some(row) = rows.next()? {
            let place = row.get::<_, i64>(0)?.cast_unsigned() % BLOCK;
            if places.is_none_or(|places| places.iter().any(|has| u64::from(*has) == place)) {
                each(&Entry::parse(row.get::<_, Vec<u8>>(1)?)?);
            }
        }
        Ok(())
    };
    let blocks = asked.end / BLOCK;
    let mut next = asked.start / BLOCK;
    while let Some((block, places)) = next_block(db, &wanted, next, false)?.filter(|(block, _)| *block < blocks) {
        // all of them most often
        let places = (places.len() < BLOCK as usize).then_some(places.as_slice());
        read(block * BLOCK, (block + 1) * BLOCK, places)?;
        next = block + 1;
    }
    read(blocks * BLOCK, asked.end, None)
}

/// One entry, if it is there.
pub(super) fn entry(db: &Connection, sequence: u64) -> Result<Option<Entry>, StoreError> {
    let mut select = db.prepare_cached("SELECT bytes FROM entries WHERE seq = ?1")?;
    let bytes: Option<Vec<u8>> = select
        .query_row([sequence.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(bytes.map(Entry::parse).transpose()?)
}

/// The keys that the log says it is signed with.
pub(super) fn log_keys(db: &Connection, size: u64) -> Result<Vec<String>, StoreError> {
    #[derive(serde::Deserialize)]
    struct Body {
        key: String,
    }
    let keys = of_kind(db, "log_key", size)?;
    let keys = keys
        .iter()
        .filter_map(|entry| serde_json::from_str::<Body>(entry.raw("body")?).ok());
    Ok(keys.map(|body| body.key).collect())
}

/// The names that the log has had, and where each begins.
pub(super) fn origins(db: &Connection, size: u64) -> Result<Vec<(u64, String)>, StoreError> {
    #[derive(serde::Deserialize)]
    struct Body {
        origin: String,
    }
    let origins = of_kind(db, "origin", size)?;
    let origins = origins.iter().filter_map(|entry| {
        let body = serde_json::from_str::<Body>(entry.raw("body")?).ok()?;
        Some((entry.sequence(), body.origin))
    });
    Ok(origins.collect())
}
