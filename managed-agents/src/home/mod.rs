//! The data directory as a whole: keys, identities of agents, and the durable record.
//!
//! [`Home::open`] makes what is missing: on the first run an authority, whose key then lies in `keys/` (0600), a key that signs
//! the log's checkpoints, and an empty record. An agent is registered when a harness is first built for it, and its identity is
//! renewed while a program runs. With `init --operator` the authority's key is under a passphrase: then agents are registered,
//! suspended and revoked by the operator only, and a program that governs them holds no more than their own keys.

mod agents;
mod choice;
mod error;
mod interrupts;
mod keeping;
mod people;
mod renewal;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

pub use agents::AgentSummary;
pub use choice::Choice;
pub(crate) use choice::decide;
pub use error::{HomeError, HomeErrorKind};
pub(crate) use people::{orders, root, roster};

use crate::answer::{Answer, wait};
use crate::audit::entry::{Statement, statement};
use crate::audit::{Committed, DecisionRecord, OutcomeRecord, RecordError, Recorder, Sequence, Stopped, Watcher};
use crate::call::{AgentId, ToolCall};
use crate::governor::Claims;
use crate::identity::{Authority, KeyDir, LogKeyCertificate, Moment, PublicKey, Trust};
use crate::interrupt::{InterruptError, InterruptErrorKind, Interrupts, Stop, Target};
use crate::store::{Query, Store, StoreOptions};
use crate::verdict::EvaluationId;
use renewal::Renewals;

/// A data directory that is open. Clones share it. Everything here blocks while files are read and written.
///
/// # Examples
///
/// ```
/// use managed_agents::home::Home;
/// use managed_agents::identity::{AgentState, Enrolment};
/// use managed_agents::store::StoreOptions;
/// # let dir = std::env::temp_dir().join(format!("ma-home-{}", std::process::id()));
/// let home = Home::open(StoreOptions::new(&dir).high_water(dir.join("elsewhere")))?;
/// home.register(&Enrolment::new(managed_agents::AgentId::parse("support-bot")?).owner("ann@example.com"))?;
/// home.set_state("support-bot", AgentState::Suspended, "on_holiday")?;
/// assert_eq!(home.agents()?[0].state(), AgentState::Suspended);
/// # drop(home); std::fs::remove_dir_all(&dir)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Home(Arc<Inner>);

struct Inner {
    store: Store,
    /// As it was asked for.
    asked: StoreOptions,
    keys: KeyDir,
    /// None while its key is under a passphrase.
    authority: Option<Authority>,
    /// None where the authority's certificate lies elsewhere.
    trust: Option<Trust>,
    new: bool,
    renewals: Mutex<Renewals>,
}

impl Home {
    /// Opens a data directory, and makes what is missing in it.
    ///
    /// # Errors
    ///
    /// [`HomeError`] names the file that cannot be read, written or trusted.
    pub fn open(options: StoreOptions) -> Result<Self, HomeError> {
        Self::start(options, None, false)
    }

    /// Opens a data directory whose authority's key is under a passphrase.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and when the passphrase is wrong.
    pub fn unlock(options: StoreOptions, passphrase: &str) -> Result<Self, HomeError> {
        Self::start(options, Some(passphrase), false)
    }

    /// Opens a data directory whose record was restored from a copy, on purpose: see
    /// [`Store::accept_restored`].
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn accept_restored(options: StoreOptions) -> Result<Self, HomeError> {
        Self::start(options, None, true)
    }

    fn start(options: StoreOptions, passphrase: Option<&str>, accept: bool) -> Result<Self, HomeError> {
        let keys = KeyDir::open(options.dir().join("keys"))?;
        let (authority, new) = match passphrase {
            Some(passphrase) => (Some(keys.unlock_authority(passphrase, Moment::now())?), false),
            None if keys.is_locked() => (None, false),
            None => {
                let (authority, new) = keys.authority(None, Moment::now())?;
                (Some(authority), new)
            }
        };
        let trust = match &authority {
            Some(authority) => Some(authority.trust().clone()),
            None => keys.trust()?,
        };
        let (log_key, _) = keys.log_key()?;
        let asked = options.clone();
        let mut options = options.log_key(log_key.reveal()).trusted(&keys);
        if let Some(authority) = &authority {
            options = options.authority(authority.key().public().to_string());
        }
        let store = if accept {
            Store::accept_restored(options)?
        } else {
            Store::open(options)?
        };
        let home = Self(Arc::new(Inner {
            store,
            asked,
            keys,
            authority,
            trust,
            new,
            renewals: Mutex::default(),
        }));
        home.certify_log_key(log_key.public())?;
        Ok(home)
    }

    /// A directory as every harness of this process shares it.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); [`HomeErrorKind::OpenOtherwise`] when it is open in another way than is asked for: nobody gets a
    /// weaker promise than he asked for because somebody was first.
    pub(crate) fn shared(options: StoreOptions) -> Result<Self, HomeError> {
        type Directories = Vec<(PathBuf, std::sync::Weak<Inner>)>;
        /// Guards which directories are open; held while one is opened, so that none is opened twice.
        static OPEN: OnceLock<Mutex<Directories>> = OnceLock::new();
        let dir = std::path::absolute(options.dir()).unwrap_or_else(|_| options.dir().to_owned());
        let mut open = OPEN
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, home)| home.strong_count() > 0);
        let found = open.iter().find(|(at, _)| *at == dir);
        if let Some(home) = found.and_then(|(_, home)| home.upgrade()) {
            if !home.asked.promises_as(&options) {
                return Err(HomeError::open_otherwise(&dir));
            }
            return Ok(Self(home));
        }
        let home = Self::open(options)?;
        open.push((dir, Arc::downgrade(&home.0)));
        Ok(home)
    }

    /// The record.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The key files.
    #[must_use]
    pub fn keys(&self) -> &KeyDir {
        &self.0.keys
    }

    /// The authority; none while its key is under a passphrase.
    #[must_use]
    pub fn authority(&self) -> Option<&Authority> {
        self.0.authority.as_ref()
    }

    /// Whom to believe; none where the authority's certificate is not here.
    #[must_use]
    pub fn trust(&self) -> Option<&Trust> {
        self.0.trust.as_ref()
    }

    /// Whether the authority was made just now, so that its key lies in a file: worth saying once.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.0.new
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.0.store.dir()
    }

    /// The later of the clock and the log's last entry.
    fn now(&self) -> Moment {
        Moment::now().max(Moment::from_micros(self.0.store.log_time()))
    }

    /// Records, once for each log, that the authority certified the key that signs its checkpoints.
    fn certify_log_key(&self, key: PublicKey) -> Result<(), HomeError> {
        const KIND: &str = "log_certificate";
        let Some(authority) = &self.0.authority else {
            return Ok(());
        };
        let reader = self.0.store.reader()?;
        let origin = reader.head()?.origin().to_owned();
        let recorded = reader.query(&Query::new().kind(KIND).newest_first())?;
        let now = self.now();
        let fits = |body: &str| {
            LogKeyCertificate::parse(body)
                .and_then(|certificate| certificate.verify(authority.trust(), &origin, now))
                .is_ok_and(|certified| certified == key)
        };
        if recorded
            .entries()
            .iter()
            .any(|entry| entry.raw("body").is_some_and(fits))
        {
            return Ok(());
        }
        let certified = authority.certify_log_key(key, &origin, now)?;
        self.append(KIND, certified.as_json(), None, now)
    }

    fn append(&self, kind: &str, body: &str, agent: Option<&str>, now: Moment) -> Result<(), HomeError> {
        let mut entry = Statement::new(kind, now.into(), body);
        if let Some(agent) = agent {
            entry = entry.about_agent(agent);
        }
        wait(self.0.store.append(statement(&entry)?, true))?;
        Ok(())
    }
}

impl Recorder for Home {
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        self.0.store.commit(record, call, claims)
    }

    fn admits(&self, agent: &AgentId, at: SystemTime) -> Result<(), Stopped> {
        self.0.store.admits(agent, at)
    }

    fn may_be_waited_for(&self) -> bool {
        self.0.store.may_be_waited_for()
    }

    fn watch(&self, agent: &AgentId, watcher: &Arc<dyn Watcher>) -> Result<bool, RecordError> {
        self.0.store.watch(agent, watcher)
    }

    fn state(&self, agent: &str, kind: &str, body: &str) -> bool {
        self.0.store.state(agent, kind, body)
    }

    fn store(&self) -> Option<&Store> {
        Some(&self.0.store)
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        self.0.store.conclude(place, outcome);
    }

    fn keeps_counts(&self) -> bool {
        self.0.store.keeps_counts()
    }

    fn interrupts(&self) -> Option<Interrupts> {
        Recorder::interrupts(&self.0.store)
    }

    fn stop(&self, stop: &Stop) -> Answer<Result<Sequence, InterruptError>> {
        Recorder::stop(&self.0.store, stop)
    }

    fn resume(&self, target: &Target, reason: &str) -> Answer<Result<Sequence, InterruptError>> {
        let (home, target, reason) = (self.clone(), target.clone(), reason.to_owned());
        Answer::later(async move {
            let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                return home.end_for_harness(&target, &reason);
            };
            // reads files, and waits for the writer's thread
            let done = runtime
                .spawn_blocking(move || home.end_for_harness(&target, &reason))
                .await;
            done.unwrap_or_else(|_| {
                Err(InterruptError::new(
                    InterruptErrorKind::Unrecorded,
                    "the runtime ended while the end of a stop was recorded",
                ))
            })
        })
    }

    fn compensated(&self, place: Sequence, evaluation: &EvaluationId, agent: &AgentId, outcome: OutcomeRecord) {
        self.0.store.compensated(place, evaluation, agent, outcome);
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").field("dir", &self.dir()).finish_non_exhaustive()
    }
}
