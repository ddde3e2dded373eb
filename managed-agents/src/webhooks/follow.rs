//! The thread that reads the log and delivers.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use hyper::header::HeaderMap;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use super::deliver::deliver;
use super::error::WebhookError;
use super::event::{Event, EventKind};
use super::queue::{Due, Queue};
use super::{Callback, Webhook, WebhooksBuilder};
use crate::calendar;
use crate::home::Home;
use crate::http::Client;
use crate::store::Reader;

/// How often the log's end is looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// So many entries are read, and so many letters to one receiver are sent, before the other is looked at again.
const BATCH: usize = 512;
const MOST_AT_ONCE: usize = 16;

/// How long trouble that goes on is not told again.
const QUIET_MICROS: i64 = 600_000_000;

pub(super) struct Follower {
    home: Home,
    dir: PathBuf,
    reader: Reader,
    queue: Queue,
    receivers: Vec<Arc<Receiver>>,
    callbacks: Vec<Callback>,
    pauses: Vec<Duration>,
    patience: Duration,
    runtime: Runtime,
    /// Receivers to which something is under way.
    busy: HashSet<usize>,
    results: (UnboundedSender<Done>, UnboundedReceiver<Done>),
    stop: Arc<AtomicBool>,
    /// Held by the one process that delivers.
    lead: Option<File>,
    /// Where callbacks are, which every process has of its own.
    told: u64,
    troubled_at: Option<i64>,
}

struct Receiver {
    webhook: Webhook,
    client: Client,
}

impl Follower {
    pub(super) fn new(builder: WebhooksBuilder, stop: Arc<AtomicBool>) -> Result<Self, WebhookError> {
        let dir = builder.home.dir().to_owned();
        let reader = builder.home.store().reader()?;
        let queue = Queue::open(&dir)?;
        let head = reader.head()?.size();
        // from the first start on
        queue.cursor(head)?;
        let mut receivers = Vec::new();
        for webhook in builder.webhooks {
            let client =
                Client::new(&webhook.endpoint, webhook.roots.as_deref(), HeaderMap::new()).map_err(|error| {
                    WebhookError::new(super::WebhookErrorKind::Address, format!("`{}`: {error}", webhook.name))
                })?;
            receivers.push(Arc::new(Receiver { webhook, client }));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| WebhookError::io(&error))?;
        Ok(Self {
            home: builder.home,
            dir,
            reader,
            queue,
            receivers,
            callbacks: builder.callbacks,
            pauses: builder.pauses,
            patience: builder.patience,
            runtime,
            busy: HashSet::new(),
            results: unbounded_channel(),
            stop,
            lead: None,
            told: head,
            troubled_at: None,
        })
    }

    pub(super) fn run(mut self) {
        while !self.stop.load(Ordering::Acquire) {
            let round = self.round();
            // what is under way goes on, also while the record cannot be read
            if let Err(error) = round.and(self.attend()) {
                tracing::debug!(%error, "webhooks wait");
            }
        }
    }

    fn round(&mut self) -> Result<(), WebhookError> {
        self.trouble()?;
        let head = self.reader.head()?;
        self.call_back(head.size(), head.origin())?;
        if !self.receivers.is_empty() && self.leads() {
            self.gather(head.size(), head.origin())?;
            self.send()?;
        }
        Ok(())
    }

    /// Whether this process is the one that delivers.
    fn leads(&mut self) -> bool {
        if self.lead.is_none() {
            let file = File::options()
                .create(true)
                .append(true)
                .open(self.dir.join("webhooks.lock"));
            self.lead = file.ok().filter(|file| file.try_lock().is_ok());
        }
        self.lead.is_some()
    }

    /// Tells of a record that cannot be written or read; as it may not come back, that is told without the log.
    fn trouble(&mut self) -> Result<(), WebhookError> {
        let code = match self.home.store().trouble() {
            Some(code) => Some(code),
            None => self.reader.head().err().map(|error| error.code()),
        };
        let now = calendar::micros(SystemTime::now());
        let Some(code) = code else {
            self.troubled_at = None;
            return Ok(());
        };
        if self.troubled_at.is_some_and(|at| now - at < QUIET_MICROS) {
            return Ok(());
        }
        self.troubled_at = Some(now);
        let event = Event::trouble(code, now);
        self.callbacks.iter().for_each(|callback| callback(&event));
        let wanted = wanting(&self.receivers, EventKind::RecordTrouble);
        let letters: Vec<_> = wanted.map(|webhook| (webhook, &event)).collect();
        self.queue.add(&letters, None, now)?;
        if !self.receivers.is_empty() && self.leads() {
            self.send()?;
        }
        Ok(())
    }

    fn call_back(&mut self, size: u64, origin: &str) -> Result<(), WebhookError> {
        if self.callbacks.is_empty() {
            return Ok(());
        }
        // a record that was restored is shorter
        self.told = self.told.min(size);
        while self.told < size {
            let entries = self.reader.entries(self.told, BATCH)?;
            let Some(last) = entries.last() else { break };
            for event in entries.iter().filter_map(|entry| Event::of(entry, origin)) {
                self.callbacks.iter().for_each(|callback| callback(&event));
            }
            self.told = last.sequence() + 1;
        }
        Ok(())
    }

    /// Takes what is new into the queue.
    fn gather(&mut self, size: u64, origin: &str) -> Result<(), WebhookError> {
        let mut next = self.queue.cursor(size)?.min(size);
        while next < size && !self.stop.load(Ordering::Acquire) {
            let entries = self.reader.entries(next, BATCH)?;
            let Some(last) = entries.last() else { break };
            next = last.sequence() + 1;
            let events: Vec<_> = entries.iter().filter_map(|entry| Event::of(entry, origin)).collect();
            let letters: Vec<_> = events
                .iter()
                .flat_map(|event| wanting(&self.receivers, event.kind()).map(move |webhook| (webhook, event)))
                .collect();
            self.queue
                .add(&letters, Some(next), calendar::micros(SystemTime::now()))?;
        }
        Ok(())
    }

    /// Begins to send what is due: to each receiver one letter after another, to all of them at once, so that a slow one keeps
    /// nobody else waiting.
    fn send(&mut self) -> Result<(), WebhookError> {
        let now = calendar::micros(SystemTime::now());
        for (number, receiver) in self.receivers.iter().enumerate() {
            if self.busy.contains(&number) {
                continue;
            }
            let due = self.queue.due(&receiver.webhook.name, now, MOST_AT_ONCE)?;
            if due.is_empty() {
                continue;
            }
            self.busy.insert(number);
            let (receiver, results, patience) = (Arc::clone(receiver), self.results.0.clone(), self.patience);
            self.runtime
                .spawn(async move { send_all(number, &receiver, due, patience, &results).await });
        }
        Ok(())
    }

    /// Lets deliveries go on for a while, and notes each as it ends.
    fn attend(&mut self) -> Result<(), WebhookError> {
        let Self { runtime, results, .. } = self;
        let deadline = Instant::now() + PERIOD;
        let mut ended = Vec::new();
        runtime.block_on(async {
            while let Ok(Some(done)) = timeout_at(deadline, results.1.recv()).await {
                ended.push(done);
            }
        });
        for done in ended {
            match done {
                Done::Receiver(number) => {
                    self.busy.remove(&number);
                }
                Done::Letter { id, result: Ok(()), .. } => self.queue.delivered(id)?,
                Done::Letter {
                    id,
                    attempts,
                    result: Err(error),
                } => {
                    let now = calendar::micros(SystemTime::now());
                    let pause = self.pauses.get(attempts).map(|pause| pause.as_micros());
                    let next = pause.map(|pause| now.saturating_add(i64::try_from(pause).unwrap_or(i64::MAX)));
                    if next.is_none() {
                        tracing::warn!(letter = id, error, "a webhook was not delivered, and is a dead letter");
                    }
                    self.queue.failed(id, &error, next)?;
                }
            }
        }
        Ok(())
    }
}

/// How a delivery ended.
enum Done {
    Letter {
        id: i64,
        attempts: usize,
        result: Result<(), String>,
    },
    /// Nothing is under way to this receiver any more.
    Receiver(usize),
}

async fn send_all(
    number: usize,
    receiver: &Receiver,
    due: Vec<Due>,
    patience: Duration,
    results: &UnboundedSender<Done>,
) {
    for letter in due {
        let result = deliver(&receiver.webhook, &receiver.client, &letter, patience).await;
        let failed = result.is_err();
        let done = Done::Letter {
            id: letter.id,
            attempts: letter.attempts,
            result,
        };
        // nobody listens any more: the next that runs sends it again
        if results.send(done).is_err() || failed {
            break;
        }
    }
    // as above
    let _ = results.send(Done::Receiver(number));
}

/// The names of the webhooks that want events of a kind.
fn wanting(receivers: &[Arc<Receiver>], kind: EventKind) -> impl Iterator<Item = &str> {
    receivers
        .iter()
        .filter(move |receiver| receiver.webhook.kinds.contains(&kind))
        .map(|receiver| receiver.webhook.name.as_str())
}
