//! The arguments of one call, split by name and not yet decoded.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::argument::{ArgumentError, Fault};
use crate::call::{MAX_BYTES, strict};

/// The arguments of one call, split by name and not yet decoded.
///
/// Only a JSON object with the known keys, none of them twice at any depth, at most 1 MiB and 64 deep gets this far.
pub struct Parts<'de> {
    names: &'static [&'static str],
    values: Vec<Option<&'de RawValue>>,
}

impl<'de> Parts<'de> {
    /// Splits the text of a JSON object.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] names the argument that is unknown or given twice, or says what is wrong with the whole.
    pub fn split(json: &'de str, names: &'static [&'static str]) -> Result<Self, ArgumentError> {
        if json.len() > MAX_BYTES {
            return Err(ArgumentError::whole(Fault::TooLarge));
        }
        if !json.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return Err(ArgumentError::whole(Fault::NotAnObject));
        }
        let mut fault = None;
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let splitter = Splitter {
            names,
            fault: &mut fault,
        };
        let split = deserializer
            .deserialize_map(splitter)
            .and_then(|values| deserializer.end().map(|()| values));
        match split {
            Ok(values) => Ok(Self { names, values }),
            Err(error) => Err(fault.unwrap_or_else(|| ArgumentError::syntax(&error))),
        }
    }

    /// The text of an argument; `None` when it was not given.
    pub(super) fn json(&self, index: usize) -> Option<&'de str> {
        self.values.get(index).copied().flatten().map(RawValue::get)
    }

    /// The name of an argument.
    pub(super) fn name(&self, index: usize) -> &'static str {
        self.names.get(index).copied().unwrap_or("?")
    }
}

impl fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parts").field(&self.names).finish()
    }
}

struct Splitter<'f> {
    names: &'static [&'static str],
    fault: &'f mut Option<ArgumentError>,
}

impl<'de> Visitor<'de> for Splitter<'_> {
    type Value = Vec<Option<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![None; self.names.len()];
        while let Some(strict::Key(key)) = map.next_key()? {
            let found = self.names.iter().zip(&mut values).find(|(name, _)| **name == key);
            let Some((name, value)) = found else {
                *self.fault = Some(ArgumentError::unknown(&key, self.names));
                return Err(A::Error::custom("refused"));
            };
            if value.is_some() {
                *self.fault = Some(ArgumentError::of(name, Fault::Twice));
                return Err(A::Error::custom("refused"));
            }
            let raw: &RawValue = map.next_value()?;
            if let Err(fault) = strict::check(raw.get(), 1).map_err(Fault::strict) {
                *self.fault = Some(ArgumentError::of(name, fault));
                return Err(A::Error::custom("refused"));
            }
            *value = Some(raw);
        }
        Ok(values)
    }
}

/// What of a foreign key is shown.
pub(super) fn shown(key: &str) -> Cow<'_, str> {
    const CHARS: usize = 80;
    if key.len() <= CHARS && !key.contains(|c: char| c.is_control() || c == '`') {
        return Cow::Borrowed(key);
    }
    key.chars()
        .take(CHARS)
        .map(|c| if c.is_control() || c == '`' { '\u{fffd}' } else { c })
        .collect()
}
