//! Reading TOML by hand-written rules: every value has a place, and every key that nobody knows is refused.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::nearest::nearest;

/// The text of a file, for counting lines.
pub(super) struct Source<'a> {
    file: Arc<Path>,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &Path, text: &'a str) -> Self {
        Self {
            file: file.into(),
            text,
        }
    }

    pub(super) fn place(&self, at: usize) -> Place {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        Place {
            file: Arc::clone(&self.file),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        }
    }
}

/// A table of the file.
pub(super) struct Table<'a> {
    source: &'a Source<'a>,
    /// Its name as a user writes it, `tools.bash`; empty for the whole file.
    name: String,
    /// Where it begins.
    at: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn root(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Self {
        Self {
            source,
            name: String::new(),
            at: 0,
            table,
        }
    }

    /// Refuses every key that is not one of these.
    pub(super) fn only(&self, known: &[&'static str]) -> Result<(), ConfigError> {
        // in the order of the file, so that the first mistake is reported first
        let unknown = self
            .table
            .keys()
            .filter(|key| !known.contains(&&**key.get_ref()))
            .min_by_key(|key| key.span().start);
        let Some(key) = unknown else {
            return Ok(());
        };
        let name = key.get_ref();
        let place = self.source.place(key.span().start);
        let within = if self.name.is_empty() {
            String::new()
        } else {
            format!(" in `[{}]`", self.name)
        };
        let hint = match forbidden(name) {
            Some(why) => why.to_owned(),
            None => match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", list(known)),
            },
        };
        Err(ConfigError::invalid(
            place,
            format!("unknown key `{}`{within}: {hint}", short(name)),
        ))
    }

    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        let (key, value) = self.table.get_key_value(key)?;
        Some(self.item(key.get_ref(), key.span().start, value.get_ref()))
    }

    /// A key that cannot be left out.
    pub(super) fn need(&self, key: &str) -> Result<Item<'a>, ConfigError> {
        self.get(key).ok_or_else(|| {
            let at = self.source.place(self.at);
            ConfigError::invalid(at, format!("`{}` says no `{key}`", short(&self.name)))
        })
    }

    /// An error about the table as a whole.
    pub(super) fn wrong(&self, message: &str) -> ConfigError {
        ConfigError::invalid(
            self.source.place(self.at),
            format!("`[{}]` {message}", short(&self.name)),
        )
    }

    /// Every key with its value, in the order of the file.
    pub(super) fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(key, value)| (key.span().start, key, value))
            .collect();
        entries.sort_unstable_by_key(|(at, ..)| *at);
        entries
            .into_iter()
            .map(|(at, key, value)| {
                let name: &'a str = key.get_ref();
                (name, self.item(name, at, value.get_ref()))
            })
            .collect()
    }

    fn item(&self, key: &str, at: usize, value: &'a DeValue<'a>) -> Item<'a> {
        let name = if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        };
        Item {
            source: self.source,
            name,
            at,
            value,
        }
    }
}

/// A value of the file.
pub(super) struct Item<'a> {
    source: &'a Source<'a>,
    name: String,
    /// Where its key begins.
    at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn place(&self) -> Place {
        self.source.place(self.at)
    }

    pub(super) fn error(&self, message: &str) -> ConfigError {
        ConfigError::invalid(self.place(), format!("`{}` {message}", short(&self.name)))
    }

    pub(super) fn text(&self) -> Result<&'a str, ConfigError> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type("a string")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// A list of strings, each with its own place.
    pub(super) fn items(&self) -> Result<Vec<Self>, ConfigError> {
        let array = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type("a list of strings"))?;
        Ok(array
            .iter()
            .map(|value| Self {
                source: self.source,
                name: self.name.clone(),
                at: value.span().start,
                value: value.get_ref(),
            })
            .collect())
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, ConfigError> {
        self.items()?
            .iter()
            .map(|item| item.text().map(ToOwned::to_owned))
            .collect()
    }

    pub(super) fn table(&self) -> Result<Table<'a>, ConfigError> {
        let table = self.value.as_table().ok_or_else(|| self.wrong_type("a table"))?;
        Ok(Table {
            source: self.source,
            name: self.name.clone(),
            at: self.at,
            table,
        })
    }

    /// A list of tables, `[[name]]` each.
    pub(super) fn tables(&self) -> Result<Vec<Table<'a>>, ConfigError> {
        let array = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type("a list of tables"))?;
        let items = array.iter().map(|value| Self {
            source: self.source,
            name: self.name.clone(),
            at: value.span().start,
            value: value.get_ref(),
        });
        items.map(|item| item.table()).collect()
    }

    /// A whole number in a range.
    pub(super) fn number(&self, range: std::ops::RangeInclusive<usize>) -> Result<usize, ConfigError> {
        let wrong = || self.error(&format!("is a number from {} to {}", range.start(), range.end()));
        let DeValue::Integer(number) = self.value else {
            return Err(self.wrong_type("a number"));
        };
        let number = usize::from_str_radix(number.as_str(), number.radix()).map_err(|_| wrong())?;
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(wrong())
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, ConfigError> {
        let text = self.text()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let hint = match nearest(text, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", list(&names)),
        };
        Err(self.error(&format!("cannot be `{}`: {hint}", short(text))))
    }

    /// A time such as `250ms`, `3s`, `5m` or `1h`; more than nothing, at most 30 days.
    pub(super) fn duration(&self) -> Result<Duration, ConfigError> {
        const MOST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
        let wrong = || self.error("is a time such as \"250ms\", \"3s\", \"5m\" or \"1h\", at most 30 days");
        let text = self.text()?;
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
        let number: u64 = text
            .strip_suffix(unit)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(wrong)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        number
            .checked_mul(millis)
            .map(Duration::from_millis)
            .filter(|time| !time.is_zero() && *time <= MOST)
            .ok_or_else(wrong)
    }

    fn wrong_type(&self, wanted: &str) -> ConfigError {
        self.error(&format!("is {wanted}, not {}", kind(self.value)))
    }
}

/// Keys that people will try, and that are refused for a reason.
fn forbidden(key: &str) -> Option<&'static str> {
    match key {
        "api_key" | "key" | "token" => Some("a key is never written in a file: set MANAGED_AGENTS_API_KEY"),
        "approver" | "approvers" => Some("who may approve is said in code, never in a file: `.approver(name, key)`"),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What of a foreign name is shown.
fn short(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}
