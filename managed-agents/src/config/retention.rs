//! `[[retention]]`.

use std::time::Duration;

use super::error::ConfigError;
use super::read::Item;

/// The most rules: each reads the record once.
const MOST: usize = 64;

/// One rule.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only the program runs them"))]
pub(crate) struct RetentionSettings {
    pub(crate) older_than: Duration,
    pub(crate) tool: Option<String>,
    pub(crate) subject: Option<String>,
}

pub(super) fn rules(item: &Item<'_>) -> Result<Vec<RetentionSettings>, ConfigError> {
    let tables = item.tables()?;
    if tables.len() > MOST {
        return Err(item.error(&format!("holds more than {MOST} rules")));
    }
    tables
        .iter()
        .map(|table| {
            table.only(&["older_than", "tool", "subject"])?;
            let text = |key| table.get(key).map(|item| item.text()).transpose();
            Ok(RetentionSettings {
                older_than: days(&table.need("older_than")?)?,
                tool: text("tool")?.map(ToOwned::to_owned),
                subject: text("subject")?.map(ToOwned::to_owned),
            })
        })
        .collect()
}

/// A length of time in days, which other lengths in the file are too short for: `"180d"`.
fn days(item: &Item<'_>) -> Result<Duration, ConfigError> {
    let text = item.text()?;
    let count: Option<u64> = text
        .strip_suffix('d')
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    match count.and_then(|days| days.checked_mul(86_400)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None if text.ends_with('d') => Err(item.error("is no number of days such as \"180d\"")),
        None => item.duration(),
    }
}
