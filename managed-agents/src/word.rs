//! Enums that stand in JSON and in configurations as their stable words.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// `word()`, `Serialize` and `Deserialize` of an enum, each variant by its word. Written here, because what derives it would
/// be a tenth of what a small build of this library costs.
macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            const WORDS: &'static [&'static str] = &[$($word),+];

            const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match $crate::word::read(deserializer, Self::WORDS)? {
                    $($word => Ok(Self::$variant),)+
                    other => Err(serde::de::Error::unknown_variant(other, Self::WORDS)),
                }
            }
        }
    };
}

pub(crate) use words;

/// Reads one of these words.
pub(crate) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
    words: &'static [&'static str],
) -> Result<&'static str, D::Error> {
    deserializer.deserialize_str(Words(words))
}

struct Words(&'static [&'static str]);

impl Visitor<'_> for Words {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<&'static str, E> {
        let mut words = self.0.iter().copied();
        words
            .find(|word| *word == text)
            .ok_or_else(|| E::unknown_variant(text, self.0))
    }
}

#[cfg(test)]
mod tests {
    use crate::call::{ArgKind, Reversibility, Risk};
    use crate::outcome::Outcome;
    use crate::verdict::Decision;

    fn goes_round<T>(values: &[T])
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        for value in values {
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *value, "{json}");
        }
    }

    #[test]
    fn every_value_is_read_back_from_its_word() {
        goes_round(&[Risk::Low, Risk::Medium, Risk::High, Risk::Critical]);
        goes_round(&[ArgKind::Shell, ArgKind::Sql, ArgKind::Path, ArgKind::Url]);
        goes_round(&[
            Reversibility::Unknown,
            Reversibility::Reversible,
            Reversibility::Irreversible,
            Reversibility::Compensable,
        ]);
        goes_round(&[Decision::Allow, Decision::Escalate, Decision::Deny]);
        goes_round(&[
            Outcome::Ok,
            Outcome::Error,
            Outcome::Panicked,
            Outcome::Cancelled,
            Outcome::TimedOut,
            Outcome::Interrupted,
            Outcome::Unreported,
            Outcome::Unknown,
        ]);
        assert_eq!(serde_json::to_string(&Outcome::TimedOut).unwrap(), r#""timed_out""#);
    }

    #[test]
    fn an_unknown_word_is_told_with_the_known_ones() {
        let error = serde_json::from_str::<Risk>(r#""hgh""#).unwrap_err().to_string();
        assert!(
            error.starts_with("unknown variant `hgh`, expected one of `low`, `medium`, `high`, `critical`"),
            "{error}"
        );
        assert!(serde_json::from_str::<Risk>("1").is_err());
    }
}
