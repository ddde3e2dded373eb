//! `[webhooks.NAME]`.

use std::path::PathBuf;

use super::error::ConfigError;
use super::read::Item;

/// The most addresses.
const MOST: usize = 32;

/// The names of events, as they are sent.
const EVENTS: [(&str, &str); 7] = [
    ("ticket.opened", "ticket.opened"),
    ("ticket.decided", "ticket.decided"),
    ("ticket.expired", "ticket.expired"),
    ("agent.suspended", "agent.suspended"),
    ("agent.revoked", "agent.revoked"),
    ("drift.alarm", "drift.alarm"),
    ("record.trouble", "record.trouble"),
];

/// One address.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "webhooks"), expect(dead_code, reason = "nobody is told"))]
pub(crate) struct WebhookSettings {
    pub(crate) name: String,
    pub(crate) url: String,
    /// None where deliveries are not signed.
    pub(crate) secret_file: Option<PathBuf>,
    /// None for every event.
    pub(crate) events: Option<Vec<&'static str>>,
}

pub(super) fn settings(item: &Item<'_>) -> Result<Vec<WebhookSettings>, ConfigError> {
    let entries = item.table()?.entries();
    if entries.len() > MOST {
        return Err(item.error(&format!("holds more than {MOST} addresses")));
    }
    entries.into_iter().map(|(name, item)| one(name, &item)).collect()
}

fn one(name: &str, item: &Item<'_>) -> Result<WebhookSettings, ConfigError> {
    let table = item.table()?;
    table.only(&["url", "secret_file", "signed", "events"])?;
    let url = table.need("url")?;
    #[cfg(feature = "webhooks")]
    if let Err(error) = crate::webhooks::Webhook::unsigned(name, url.text()?) {
        return Err(url.error(&format!("cannot be used: {error}")));
    }
    let secret_file = match (table.get("secret_file"), table.get("signed")) {
        (Some(file), None) => Some(PathBuf::from(file.text()?)),
        (None, Some(signed)) if !signed.flag()? => None,
        (Some(_), Some(signed)) => return Err(signed.error("stands beside `secret_file`: leave one of them out")),
        _ => {
            return Err(item.error("needs `secret_file`, or `signed = false` where the receiver checks no signature"));
        }
    };
    let events = match table.get("events") {
        Some(events) => {
            let items = events.items()?;
            Some(
                items
                    .iter()
                    .map(|event| event.word(&EVENTS))
                    .collect::<Result<_, _>>()?,
            )
        }
        None => None,
    };
    Ok(WebhookSettings {
        name: name.to_owned(),
        url: url.text()?.to_owned(),
        secret_file,
        events,
    })
}
