//! Telling others what happened: webhooks, signed as [Standard Webhooks](https://www.standardwebhooks.com) says, and callbacks in code.
//!
//! Events are read from the log, by a thread of its own: no call waits for a delivery, and what a program that ended had not
//! delivered is delivered by the next. Of several processes over one data directory, one delivers. Each delivery is tried until it is
//! taken, at least once: a receiver tells a repetition by its `webhook-id`. What nobody took is kept as a dead letter.
//!
//! What is sent holds names, codes, places and times of the log, and no value of an argument: nothing that is redacted or that can be
//! erased. `text` is a sentence as Slack shows it.
//!
//! # Examples
//!
//! ```no_run
//! use managed_agents::home::Home;
//! use managed_agents::store::StoreOptions;
//! use managed_agents::webhooks::{EventKind, Webhook, WebhookSecret, Webhooks};
//! let home = Home::open(StoreOptions::in_data_dir()?)?;
//! let secret = WebhookSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?;
//! let running = Webhooks::over(&home)
//!     .webhook(Webhook::signed("ops", "https://hooks.example/agents", secret)?.only([EventKind::TicketOpened]))
//!     .callback(|event| eprintln!("{}", event.text()))
//!     .start()?;
//! # drop(running);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "config")]
mod configured;
mod deliver;
mod error;
mod event;
mod follow;
mod queue;
mod secret;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use error::{WebhookError, WebhookErrorKind};
pub use event::{Event, EventKind};
pub use queue::{Letter, Letters};
pub use secret::WebhookSecret;

use crate::home::Home;
use crate::http::Endpoint;

/// How long whoever stops waits for a delivery that is under way.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// How long after each failed attempt the next is made; after the last the letter is dead.
const PAUSES: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
    Duration::from_secs(3_600),
    Duration::from_secs(4 * 3_600),
    Duration::from_secs(12 * 3_600),
    Duration::from_secs(24 * 3_600),
];

/// Where events go.
#[derive(Clone, Debug)]
pub struct Webhook {
    name: String,
    endpoint: Endpoint,
    secret: Option<WebhookSecret>,
    kinds: Vec<EventKind>,
    roots: Option<Vec<u8>>,
}

impl Webhook {
    /// An address that gets every event, each signed with the secret that the receiver knows. `name` is your own, of `a-z0-9_-`: what
    /// is not delivered yet is kept under it.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] when the name is none, or the address is neither `https` nor on this machine's loopback.
    pub fn signed(name: &str, url: &str, secret: WebhookSecret) -> Result<Self, WebhookError> {
        let mut webhook = Self::unsigned(name, url)?;
        webhook.secret = Some(secret);
        Ok(webhook)
    }

    /// An address whose receiver checks no signature, such as an incoming webhook of Slack.
    ///
    /// # Errors
    ///
    /// As [`signed`](Self::signed).
    pub fn unsigned(name: &str, url: &str) -> Result<Self, WebhookError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(WebhookError::name(name));
        }
        Ok(Self {
            name: name.to_owned(),
            endpoint: Endpoint::parse(url).map_err(|error| WebhookError::address(name, &error))?,
            secret: None,
            kinds: EventKind::ALL.to_vec(),
            roots: None,
        })
    }

    /// These events only.
    #[must_use]
    pub fn only(mut self, kinds: impl IntoIterator<Item = EventKind>) -> Self {
        self.kinds = kinds.into_iter().collect();
        self
    }

    /// Certificate authorities (PEM) that are trusted instead of the platform's.
    #[must_use]
    pub fn roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

type Callback = Box<dyn Fn(&Event) + Send>;

/// Webhooks and callbacks in the making.
pub struct WebhooksBuilder {
    home: Home,
    webhooks: Vec<Webhook>,
    callbacks: Vec<Callback>,
    pauses: Vec<Duration>,
    patience: Duration,
}

impl WebhooksBuilder {
    /// Adds an address.
    #[must_use]
    pub fn webhook(mut self, webhook: Webhook) -> Self {
        self.webhooks.push(webhook);
        self
    }

    /// Calls this with every event that is recorded from now on, by whatever process, on the thread that delivers. It should not take long:
    /// deliveries wait for it, and calls do not.
    #[must_use]
    pub fn callback(mut self, callback: impl Fn(&Event) + Send + 'static) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// How long after each failed attempt the next is made; after the last, the letter is dead.
    #[must_use]
    pub fn pauses(mut self, pauses: impl Into<Vec<Duration>>) -> Self {
        self.pauses = pauses.into();
        self
    }

    /// How long a receiver has for an answer; 10 seconds if nothing is said.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts the thread. Events count from the first start over this data directory; later starts go on where the last ended.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] when a name is given twice, or the queue cannot be opened.
    pub fn start(self) -> Result<Webhooks, WebhookError> {
        for (at, webhook) in self.webhooks.iter().enumerate() {
            if self
                .webhooks
                .iter()
                .take(at)
                .any(|earlier| earlier.name == webhook.name)
            {
                return Err(WebhookError::twice(&webhook.name));
            }
        }
        let stop = Arc::new(AtomicBool::new(false));
        let follower = follow::Follower::new(self, Arc::clone(&stop))?;
        let thread = std::thread::Builder::new()
            .name("managed-agents webhooks".to_owned())
            .spawn(move || follower.run())
            .map_err(|error| WebhookError::io(&error))?;
        Ok(Webhooks {
            stop,
            thread: Some(thread),
        })
    }
}

impl fmt::Debug for WebhooksBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhooksBuilder")
            .field("webhooks", &self.webhooks)
            .finish_non_exhaustive()
    }
}

/// Webhooks and callbacks that run until this is dropped. What is not delivered by then is delivered by the next that runs.
#[must_use = "webhooks end when this is dropped"]
pub struct Webhooks {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Webhooks {
    /// Of what is recorded in a data directory.
    #[must_use]
    pub fn over(home: &Home) -> WebhooksBuilder {
        WebhooksBuilder {
            home: home.clone(),
            webhooks: Vec::new(),
            callbacks: Vec::new(),
            pauses: PAUSES.to_vec(),
            patience: Duration::from_secs(10),
        }
    }

    /// What is waiting to be delivered in a data directory, and what is dead.
    ///
    /// # Errors
    ///
    /// [`WebhookError`] when the queue cannot be read.
    pub fn letters(dir: impl AsRef<Path>) -> Result<Letters, WebhookError> {
        Letters::open(dir.as_ref())
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let begun = Instant::now();
        while let Some(thread) = self.thread.take_if(|_| begun.elapsed() < LAST_WAIT) {
            if thread.is_finished() {
                // a callback that panicked has ended the thread, and said so
                let _ = thread.join();
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
            self.thread = Some(thread);
        }
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").finish_non_exhaustive()
    }
}
