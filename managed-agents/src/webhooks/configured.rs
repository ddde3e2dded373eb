//! Webhooks of a configuration file.

use std::path::Path;

use zeroize::Zeroizing;

use super::{EventKind, Webhook, WebhookError, WebhookErrorKind, WebhookSecret};
use crate::config::{Config, WebhookSettings};

impl Webhook {
    /// The addresses that a configuration names; reads the files of their secrets.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] when a file of a secret cannot be read, may be read by others, or holds none.
    pub fn of_config(config: &Config) -> Result<Vec<Self>, WebhookError> {
        let settings = config.webhooks.iter().flat_map(|placed| &placed.value);
        settings.map(Self::of_settings).collect()
    }

    fn of_settings(settings: &WebhookSettings) -> Result<Self, WebhookError> {
        let webhook = match &settings.secret_file {
            Some(file) => Self::signed(&settings.name, &settings.url, read(file)?)?,
            None => Self::unsigned(&settings.name, &settings.url)?,
        };
        Ok(match &settings.events {
            Some(events) => webhook.only(events.iter().filter_map(|name| EventKind::from_name(name))),
            None => webhook,
        })
    }
}

fn read(file: &Path) -> Result<WebhookSecret, WebhookError> {
    let fail =
        |why: &dyn std::fmt::Display| WebhookError::new(WebhookErrorKind::Secret, format!("{}: {why}", file.display()));
    #[cfg(unix)]
    {
        let metadata = std::fs::metadata(file).map_err(|error| fail(&error))?;
        if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o077 != 0 {
            return Err(fail(&"others can read it; take that away with `chmod go=`"));
        }
    }
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    WebhookSecret::parse(&text.map_err(|error| fail(&error))?).map_err(|error| fail(&error))
}
