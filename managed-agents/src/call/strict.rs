//! The check of JSON text before it is decoded: serde lets a map keep the last of two equal keys.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// What strictness refuses.
#[derive(Debug)]
pub(crate) enum StrictFault {
    /// An object holds this key twice.
    Twice(String),
    /// Nested more than 64 deep.
    TooDeep,
    /// It is no JSON.
    Syntax(serde_json::Error),
}

/// Refuses a key that is given twice at any depth, too deep nesting (`outer` objects around the text counted), and text
/// after the value.
pub(crate) fn check(json: &str, outer: usize) -> Result<(), StrictFault> {
    // what is no container has neither keys nor depth
    if !json.starts_with(['{', '[', ' ', '\t', '\r', '\n']) {
        return Ok(());
    }
    let mut fault = None;
    let nested = Nested {
        depth: MAX_DEPTH.saturating_sub(outer),
        fault: &mut fault,
    };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    match nested.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
        Ok(()) => Ok(()),
        Err(error) => Err(fault.unwrap_or(StrictFault::Syntax(error))),
    }
}

struct Nested<'f> {
    depth: usize,
    fault: &'f mut Option<StrictFault>,
}

impl Nested<'_> {
    fn below(&mut self) -> Nested<'_> {
        Nested {
            depth: self.depth - 1,
            fault: self.fault,
        }
    }

    fn refuse<T, E: serde::de::Error>(&mut self, fault: StrictFault) -> Result<T, E> {
        *self.fault = Some(fault);
        Err(E::custom("refused"))
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        if self.depth == 0 {
            return self.refuse(StrictFault::TooDeep);
        }
        while seq.next_element_seed(self.below())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.depth == 0 {
            return self.refuse(StrictFault::TooDeep);
        }
        let mut seen = HashSet::new();
        while let Some(Key(key)) = map.next_key()? {
            if seen.contains(&key) {
                return self.refuse(StrictFault::Twice(key.into_owned()));
            }
            seen.insert(key);
            map.next_value_seed(self.below())?;
        }
        Ok(())
    }
}

/// A key of an object, borrowed where it has no escape.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}
