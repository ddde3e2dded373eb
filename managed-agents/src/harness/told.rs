//! Webhooks that live as long as the harness.

use super::{BuildError, HarnessBuilder};
use crate::home::Home;
use crate::webhooks::{Webhook, WebhookError, Webhooks};

/// The addresses that code and the configuration name.
#[derive(Default)]
pub(super) struct Addresses {
    said: Vec<Webhook>,
    configured: Option<Result<Vec<Webhook>, WebhookError>>,
}

impl HarnessBuilder {
    /// Tells this address of tickets, stops and trouble for as long as the harness lives, beside those of the configuration. Needs a data
    /// directory, from whose log events are read.
    pub fn webhook(mut self, webhook: Webhook) -> Self {
        self.told.said.push(webhook);
        self
    }
}

impl Addresses {
    #[cfg(feature = "config")]
    pub(super) fn configure(&mut self, config: &crate::config::Config) {
        self.configured = Some(Webhook::of_config(config));
    }

    /// Starts to tell them; none where there is nobody to tell.
    pub(super) fn start(self, home: Option<&Home>) -> Result<Option<Webhooks>, BuildError> {
        let mut addresses = self.said;
        addresses.extend(self.configured.transpose()?.unwrap_or_default());
        if addresses.is_empty() {
            return Ok(None);
        }
        let home = home.ok_or(BuildError::WebhooksWithoutRecord)?;
        let builder = addresses
            .into_iter()
            .fold(Webhooks::over(home), |builder, address| builder.webhook(address));
        Ok(Some(builder.start()?))
    }
}
