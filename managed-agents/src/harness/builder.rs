//! Making a harness.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::breaker::{Breaker, CircuitBreaker};
use super::callbacks::{Callbacks, VerdictEvent};
use super::compensate::{Compensations, Interrupted};
#[cfg(feature = "config")]
use super::configured::Configured;
use super::heads::Heads;
use super::{Harness, Inner};
#[cfg(feature = "engine")]
use crate::approval::{Approvals, ApproverPublicKey, LIFETIME, MOST_PENDING};
use crate::audit::{Attachment, Recorder, Watcher};
use crate::call::{AgentId, AgentIdError, Origin, ToolMeta, above};
use crate::clock::{Clock, VirtualClock};
use crate::governor::Governor;
#[cfg(feature = "sqlite")]
use crate::home::Home;
use crate::store::MemoryRecorder;
use crate::verdict::Decision;

/// How long a governor may take when nothing else is said: longer than those that keep time themselves.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a [`Harness`].
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), managed_agents::harness::BuildError> {
/// use managed_agents::Harness;
/// let harness = Harness::builder()
///     .in_memory()
///     .agent_id("support-bot")
///     .on_deny(|event| eprintln!("denied: {}", event.record().tool()))
///     .build()
///     .await?;
/// # let _ = harness; Ok(()) }
/// ```
#[must_use = "a builder does nothing until `build`"]
#[derive(Default)]
pub struct HarnessBuilder {
    pub(super) agent_id: Option<String>,
    pub(super) governor: Option<Arc<dyn Governor>>,
    recorder: Option<Arc<dyn Recorder>>,
    memory_capacity: Option<usize>,
    #[cfg(feature = "sqlite")]
    record: Record,
    pub(super) fail_open: Option<bool>,
    pub(super) block_on_escalate: Option<bool>,
    pub(super) patience: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    breaker: Option<CircuitBreaker>,
    callbacks: Callbacks,
    compensations: Compensations,
    pub(super) declared: Vec<(ToolMeta, Origin)>,
    pub(super) redacted: HashMap<String, Vec<String>>,
    /// What the configuration says of tools.
    pub(super) entries: Vec<ToolMeta>,
    observe_only: bool,
    clock: Clock,
    #[cfg(feature = "screen")]
    pub(super) screen_profile: Option<crate::screen::Profile>,
    #[cfg(feature = "screen")]
    pub(super) workspace_roots: Vec<String>,
    #[cfg(feature = "screen")]
    pub(super) scratch: Vec<String>,
    #[cfg(feature = "screen")]
    pub(super) protected: Vec<String>,
    #[cfg(feature = "screen")]
    screens: Vec<Box<dyn crate::screen::Screen>>,
    #[cfg(feature = "engine")]
    approvers: Vec<(String, ApproverPublicKey)>,
    #[cfg(feature = "engine")]
    most_pending: Option<u32>,
    #[cfg(feature = "engine")]
    ticket_lifetime: Option<Duration>,
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    operator: Option<String>,
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    owner_excluded: bool,
    #[cfg(feature = "config")]
    pub(super) configured: Configured,
    /// SHA-256 of the configuration file that was read.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    pub(super) config_digest: Option<crate::call::Digest>,
    /// Only judges: what is escalated opens no ticket.
    #[cfg(feature = "cli")]
    pub(super) judging_only: bool,
    #[cfg(feature = "webhooks")]
    pub(super) told: super::told::Addresses,
}

impl HarnessBuilder {
    /// Names the agent whose calls are governed: 1 to 63 characters of `a-z 0-9 . _ -`. Required.
    pub fn agent_id(mut self, id: impl Into<String>) -> Self {
        self.agent_id = Some(id.into());
        self
    }

    /// Sets who decides; otherwise the embedded [`Engine`](crate::Engine).
    pub fn governor(mut self, governor: impl Governor) -> Self {
        self.governor = Some(Arc::new(governor));
        self
    }

    /// Sets where decisions and outcomes are recorded; otherwise in the data directory, or in memory where the feature
    /// `sqlite` is off.
    pub fn recorder(mut self, recorder: impl Recorder) -> Self {
        self.recorder = Some(Arc::new(recorder));
        self
    }

    /// Records in memory, and loses the record with the process: for tests. The agent then has no certificate. See
    /// [`Harness::records`].
    pub fn in_memory(mut self) -> Self {
        self.memory_capacity.get_or_insert(MemoryRecorder::CAPACITY);
        self
    }

    /// Records in memory, the last `calls` of them; 10 000 when nothing is said.
    pub fn keep_in_memory(mut self, calls: usize) -> Self {
        self.memory_capacity = Some(calls);
        self
    }

    /// Records in this directory, which is made if it is not there, and keeps the agent's keys in it. Otherwise in
    /// `$MANAGED_AGENTS_HOME`, or [the platform's place for data](crate::store::data_dir). Several processes may share one.
    #[cfg(feature = "sqlite")]
    pub fn data_dir(mut self, dir: impl Into<std::path::PathBuf>) -> Self {
        self.record.dir = Some(dir.into());
        self
    }

    /// What an acknowledged record survives; otherwise the death of the process.
    #[cfg(feature = "sqlite")]
    pub fn durability(mut self, durability: crate::store::Durability) -> Self {
        self.record.durability = Some(durability);
        self
    }

    /// The file that remembers how long the record was, so that an older copy of it is found out: best where the agent's
    /// process can write nothing else. Otherwise under the platform's place for state.
    #[cfg(feature = "sqlite")]
    pub fn high_water_mark(mut self, file: impl Into<std::path::PathBuf>) -> Self {
        self.record.high_water = Some(file.into());
        self
    }

    /// Records in a data directory that is open already, and enrols the agent there.
    #[cfg(feature = "sqlite")]
    pub fn home(mut self, home: &Home) -> Self {
        self.record.home = Some(home.clone());
        self
    }

    /// Lets calls run, recorded as such, while the governance service cannot be reached: name lookup fails, the
    /// connection is refused, reset or times out before the status line, or it answers 5xx. Never for a 4xx, a TLS
    /// failure, a redirect, or an answer that is no verdict. Default: false.
    pub fn fail_open(mut self, fail_open: bool) -> Self {
        self.fail_open = Some(fail_open);
        self
    }

    /// With `false` **and** [`fail_open`](Self::fail_open), a governor's escalation lets the call run unapproved, recorded
    /// as such; never one from the screen, and never of a high, critical or irreversible tool. Default: true.
    pub fn block_on_escalate(mut self, block: bool) -> Self {
        self.block_on_escalate = Some(block);
        self
    }

    /// Lets an escalated call wait this long for a person before it is refused; otherwise it is refused at once, and runs
    /// when it is called again after its approval.
    pub fn wait_for_approval(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// How long the governor may take; 10 seconds when nothing is said. A call that is denied by this limit is denied under
    /// [`fail_open`](Self::fail_open) too, since an answer may have begun: a governor that keeps time itself, as a remote one
    /// does, should have the shorter limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Leaves a governor alone for a while after several outages in a row; the fail mode decides meanwhile.
    pub fn circuit_breaker(mut self, breaker: CircuitBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Calls back after every verdict, whatever its origin, before the body. Must not block; a panic in it is reported and
    /// changes nothing.
    pub fn on_verdict(mut self, callback: impl Fn(&VerdictEvent<'_>) + Send + Sync + 'static) -> Self {
        self.callbacks.add(None, callback);
        self
    }

    /// Calls back after every denial; see [`on_verdict`](Self::on_verdict).
    pub fn on_deny(mut self, callback: impl Fn(&VerdictEvent<'_>) + Send + Sync + 'static) -> Self {
        self.callbacks.add(Some(Decision::Deny), callback);
        self
    }

    /// Calls back after every escalation; see [`on_verdict`](Self::on_verdict).
    pub fn on_escalate(mut self, callback: impl Fn(&VerdictEvent<'_>) + Send + Sync + 'static) -> Self {
        self.callbacks.add(Some(Decision::Escalate), callback);
        self
    }

    /// Says what undoes a call of a tool that an interrupt has cancelled after its body began: a function of what was called. It
    /// runs in a task of its own after the body is gone, outside every lock and every gate (a stop holds while it runs), and how
    /// it ends is recorded. Needs a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # use managed_agents::Harness;
    /// let builder = Harness::builder().compensate("transfer", |interrupted| async move {
    ///     let to = interrupted.arguments().get("to").cloned();
    ///     // take back what was begun; an error is recorded as one
    ///     to.map(drop).ok_or("no receiver".into())
    /// });
    /// # let _ = builder;
    /// ```
    pub fn compensate<F>(
        mut self,
        tool: impl Into<String>,
        undo: impl Fn(Interrupted) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        self.compensations.add(tool.into(), undo);
        self
    }

    /// Declares a tool that is called by name; one that nothing declares is escalated.
    pub fn declare(mut self, meta: ToolMeta) -> Self {
        self.declared.push((meta, Origin::Declared));
        self
    }

    /// Redacts part of the arguments of a tool that is called by name: a JSON pointer (RFC 6901) such as `/card/number`.
    /// It goes into each element of an array.
    pub fn redact(mut self, tool: impl Into<String>, pointer: impl Into<String>) -> Self {
        self.redacted.entry(tool.into()).or_default().push(pointer.into());
        self
    }

    /// Enrols a person who may approve escalated calls, here or, where the record is durable, in another process.
    #[cfg(feature = "engine")]
    pub fn approver(mut self, name: impl Into<String>, key: ApproverPublicKey) -> Self {
        self.approvers.push((name.into(), key));
        self
    }

    /// Names the root approver by the fingerprint of its key, 40 hexadecimal digits, as `managed-agents init --operator` prints
    /// it: whoever it enrolled may approve. Said in code only, since an agent may be able to write files.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    pub fn operator(mut self, fingerprint: impl Into<String>) -> Self {
        self.operator = Some(fingerprint.into());
        self
    }

    /// Excludes whoever answers for the agent (its passport's owner) from approving its calls. The agent itself never may.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    pub fn owner_may_not_approve(mut self) -> Self {
        self.owner_excluded = true;
        self
    }

    /// How many calls of the agent may wait for people at once; 20 when nothing is said.
    #[cfg(feature = "engine")]
    pub fn most_pending(mut self, tickets: u32) -> Self {
        self.most_pending = Some(tickets);
        self
    }

    /// How long a call may wait for people, and its approval for its use; 24 hours when nothing is said.
    #[cfg(feature = "engine")]
    pub fn ticket_lifetime(mut self, lifetime: Duration) -> Self {
        self.ticket_lifetime = Some(lifetime);
        self
    }

    /// Sets what the screen makes of its findings; the standard profile when nothing is said. See [`screen`](crate::screen).
    #[cfg(feature = "screen")]
    pub fn screen_profile(mut self, profile: crate::screen::Profile) -> Self {
        self.screen_profile = Some(profile);
        self
    }

    /// Names a directory in which the agent works, as an absolute path: what lies in it is the agent's own. Relative paths
    /// begin in the first one.
    #[cfg(feature = "screen")]
    pub fn workspace_root(mut self, root: impl Into<String>) -> Self {
        self.workspace_roots.push(root.into());
        self
    }

    /// Names a directory whose contents nobody misses, beside `/tmp` and its like: an absolute path, or one that begins with
    /// `~/`.
    #[cfg(feature = "screen")]
    pub fn scratch(mut self, directory: impl Into<String>) -> Self {
        self.scratch.push(directory.into());
        self
    }

    /// Names a file or directory on which governance rests: an agent that changes it is denied, in every profile. The
    /// configuration file and its policies are protected without being named.
    #[cfg(feature = "screen")]
    pub fn protected_path(mut self, path: impl Into<String>) -> Self {
        self.protected.push(path.into());
        self
    }

    /// Adds a screen of your own beside the standard one; the most restrictive verdict of all counts.
    #[cfg(feature = "screen")]
    pub fn screen(mut self, screen: impl crate::screen::Screen) -> Self {
        self.screens.push(Box::new(screen));
        self
    }

    /// Takes the time of records and tickets from a clock of the test's.
    pub fn virtual_clock(mut self, clock: VirtualClock) -> Self {
        self.clock = Clock::Virtual(clock);
        self
    }

    /// What weakens governance, by name.
    #[must_use]
    pub fn dangerous(self) -> Dangerous {
        Dangerous(self)
    }

    /// Makes the harness.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names what is missing or wrong.
    pub async fn build(self) -> Result<Harness, BuildError> {
        #[cfg(feature = "sqlite")]
        if let (None, None, Ok(runtime)) = (
            &self.recorder,
            self.memory_capacity,
            tokio::runtime::Handle::try_current(),
        ) {
            // opening the record waits for the disk, and for other processes
            let built = runtime.spawn_blocking(|| self.build_blocking()).await;
            return match built {
                Ok(built) => built,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(BuildError::RuntimeEnded),
                },
            };
        }
        self.build_blocking()
    }

    /// Makes the harness where nothing can be awaited.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names what is missing or wrong.
    pub fn build_blocking(self) -> Result<Harness, BuildError> {
        #[cfg(feature = "config")]
        let this = self.configured()?;
        #[cfg(not(feature = "config"))]
        let this = self;
        this.assemble()
    }

    fn assemble(self) -> Result<Harness, BuildError> {
        let agent = AgentId::parse(self.agent_id.as_deref().ok_or(BuildError::NoAgent)?)?;
        for (tool, pointers) in &self.redacted {
            if let Some(pointer) = pointers.iter().find(|pointer| !pointer.starts_with('/')) {
                return Err(BuildError::Pointer {
                    tool: tool.clone(),
                    pointer: pointer.clone(),
                });
            }
        }
        let governor = match self.governor {
            Some(governor) => governor,
            None => default_governor()?,
        };
        #[cfg(feature = "sqlite")]
        let in_directory = self.record.is_said();
        #[cfg(not(feature = "sqlite"))]
        let in_directory = false;
        let places = [self.recorder.is_some(), self.memory_capacity.is_some(), in_directory];
        if places.into_iter().filter(|said| *said).count() > 1 {
            return Err(BuildError::TwoRecords);
        }
        let in_memory = |calls| {
            let memory = MemoryRecorder::with_capacity(calls);
            (Arc::new(memory.clone()) as Arc<dyn Recorder>, Some(memory))
        };
        #[cfg(feature = "sqlite")]
        let mut home: Option<Home> = None;
        #[cfg(all(feature = "screen", feature = "sqlite"))]
        let mark = self.record.high_water.clone();
        let (recorder, memory) = match (self.recorder, self.memory_capacity) {
            (Some(recorder), _) => (recorder, None),
            (None, Some(calls)) => in_memory(calls),
            #[cfg(feature = "sqlite")]
            (None, None) => {
                let opened = self.record.open(&agent)?;
                home = Some(opened.clone());
                (Arc::new(opened) as Arc<dyn Recorder>, None)
            }
            #[cfg(not(feature = "sqlite"))]
            (None, None) => in_memory(MemoryRecorder::CAPACITY),
        };
        #[cfg(feature = "screen")]
        let screen = {
            use crate::screen::StandardScreen;
            let profile = self.screen_profile.unwrap_or_default();
            profile.check()?;
            let screen = StandardScreen::new(profile);
            let screen = self
                .workspace_roots
                .iter()
                .fold(screen, StandardScreen::with_workspace_root);
            let screen = self.scratch.iter().fold(screen, StandardScreen::with_scratch);
            let screen = self.protected.iter().fold(screen, StandardScreen::with_protected_path);
            // the record and the keys, wherever they lie
            #[cfg(feature = "sqlite")]
            let screen = home
                .iter()
                .map(Home::dir)
                .chain(mark.as_deref())
                .flat_map(|path| [Some(path.to_owned()), std::path::absolute(path).ok()])
                .flatten()
                .fold(screen, |screen, path| screen.with_secret_path(path.to_string_lossy()));
            screen
        };
        let rules = {
            let mut settings = vec![
                format!("fail_open {:?}", self.fail_open),
                format!("block_on_escalate {:?}", self.block_on_escalate),
                format!("observe_only {}", self.observe_only),
            ];
            #[cfg(feature = "screen")]
            settings.push(format!(
                "screen {screen:?} {:?} {:?} {:?} and {} more",
                self.workspace_roots,
                self.scratch,
                self.protected,
                self.screens.len()
            ));
            let declared = self.declared.iter().map(|(meta, origin)| (meta, format!("{origin:?}")));
            let entries = self.entries.iter().map(|meta| (meta, "entry".to_owned()));
            let tools = declared
                .chain(entries)
                .map(|(meta, origin)| format!("{origin} {:?} {}", meta.name(), meta.definition()));
            let mut tools: Vec<_> = tools.collect();
            tools.sort_unstable();
            settings.append(&mut tools);
            super::rules::Rules::new(settings.iter().map(String::as_str))
        };
        // where it lies is no rule, but an agent that writes there could forge what it is judged by
        #[cfg(all(feature = "screen", feature = "sqlite"))]
        let screen = match recorder.store() {
            Some(store) => protected_names(store.dir())
                .into_iter()
                .fold(screen, |screen, name| screen.with_protected_path(&name)),
            None => screen,
        };
        #[cfg(all(feature = "engine", feature = "sqlite"))]
        let people = {
            use super::people::{People, Settings};
            let mut roots = crate::approval::Roots::default();
            for (name, key) in &self.approvers {
                roots.name(name, *key).map_err(BuildError::Approver)?;
            }
            if let Some(fingerprint) = &self.operator {
                let key = crate::identity::KeyId::parse(fingerprint);
                roots.operator = Some(key.map_err(|_| BuildError::Operator(fingerprint.clone()))?);
            }
            let settings = Settings {
                roots,
                most_pending: self.most_pending.unwrap_or(MOST_PENDING),
                lifetime: self.ticket_lifetime.unwrap_or(LIFETIME),
                owner_excluded: self.owner_excluded,
            };
            let store = recorder.store().cloned();
            let files = [("config", self.config_digest), ("policies", governor.sources())];
            let ordered = super::signed::Ordered::begin(store.as_ref(), settings.roots.operator, rules.own(), files)?;
            if let Some(ordered) = &ordered {
                // first, so that no other files come between what is looked at and what is judged by
                let guard: std::sync::Weak<super::signed::Ordered> = Arc::downgrade(ordered);
                governor.guard_sources(guard);
                ordered.start(self.config_digest, &*governor)?;
            }
            store.map(|store| Arc::new(People::new(store, settings, ordered)))
        };
        let watcher = attached(&*governor, &recorder, &agent, &self.clock)?;
        #[cfg(feature = "webhooks")]
        let told = self.told.start(home.as_ref())?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| BuildError::NoEntropy)?;
        Ok(Harness::new(Inner {
            id: next_id(),
            interrupts: recorder.interrupts().unwrap_or_default(),
            compensations: self.compensations,
            recorder,
            watcher,
            memory,
            #[cfg(feature = "webhooks")]
            _told: told,
            #[cfg(feature = "sqlite")]
            home,
            heads: Heads::new(agent, governor.name(), self.redacted, self.declared, self.entries),
            governor,
            fail_open: self.fail_open.unwrap_or(false),
            block_on_escalate: self.block_on_escalate.unwrap_or(true),
            patience: self.patience,
            timeout: self.timeout.unwrap_or(TIMEOUT),
            breaker: self.breaker.map(|settings| Arc::new(Breaker::new(settings))),
            callbacks: self.callbacks,
            #[cfg(feature = "screen")]
            screen,
            #[cfg(feature = "screen")]
            screens: self.screens,
            observe_only: self.observe_only,
            #[cfg(feature = "cli")]
            judging_only: self.judging_only,
            clock: self.clock,
            evaluation_prefix: u64::from_be_bytes(random),
            evaluations: AtomicU64::new(0),
            rules,
            #[cfg(feature = "engine")]
            approvals: Approvals::new(
                self.approvers,
                self.most_pending.unwrap_or(MOST_PENDING),
                self.ticket_lifetime.unwrap_or(LIFETIME),
            )
            .map_err(|_| BuildError::NoEntropy)?,
            #[cfg(all(feature = "engine", feature = "sqlite"))]
            people,
        }))
    }
}

/// Lets whoever remembers behaviour for a governor hear of the agent; gives them back where the harness is to tell them.
fn attached(
    governor: &dyn Governor,
    recorder: &Arc<dyn Recorder>,
    agent: &AgentId,
    clock: &Clock,
) -> Result<Option<Arc<dyn Watcher>>, BuildError> {
    let Some(watcher) = governor.watcher() else {
        return Ok(None);
    };
    let mut told = false;
    // the agent last, so that what counts is whether it is told of that one; what those did for whom it acts counts as well
    let above: Vec<_> = above(agent.as_str())
        .filter_map(|above| AgentId::parse(above).ok())
        .collect();
    for agent in above.iter().chain([agent]) {
        // first, since it may go on with what another harness's watcher remembers
        told = recorder.watch(agent, &watcher)?;
        watcher.attached(
            agent,
            Attachment {
                recorder: Arc::downgrade(recorder),
                clock: clock.clone(),
            },
        );
        watcher.caught_up(agent);
    }
    Ok((!told).then_some(watcher))
}

/// The names that a directory has from here.
#[cfg(all(feature = "screen", feature = "sqlite"))]
fn protected_names(dir: &std::path::Path) -> Vec<String> {
    let names = [
        Some(dir.to_owned()),
        std::path::absolute(dir).ok(),
        dir.canonicalize().ok(),
    ];
    let mut names: Vec<String> = names
        .into_iter()
        .flatten()
        .filter_map(|name| name.to_str().map(str::to_owned))
        .collect();
    names.dedup();
    names
}

/// Where the durable record is, as far as code says.
#[cfg(feature = "sqlite")]
#[derive(Default)]
struct Record {
    dir: Option<std::path::PathBuf>,
    durability: Option<crate::store::Durability>,
    high_water: Option<std::path::PathBuf>,
    home: Option<Home>,
}

#[cfg(feature = "sqlite")]
impl Record {
    fn is_said(&self) -> bool {
        self.dir.is_some() || self.durability.is_some() || self.high_water.is_some() || self.home.is_some()
    }

    /// Opens it, and enrols the agent.
    fn open(self, agent: &AgentId) -> Result<Home, BuildError> {
        use crate::store::StoreOptions;
        let home = match self.home {
            Some(home) => home,
            None => {
                let options = match self.dir {
                    Some(dir) => StoreOptions::new(dir),
                    None => StoreOptions::in_data_dir().map_err(crate::home::HomeError::from)?,
                };
                let options = options.durability(self.durability.unwrap_or_default());
                Home::shared(match self.high_water {
                    Some(file) => options.high_water(file),
                    None => options,
                })?
            }
        };
        home.enrol(agent)?;
        Ok(home)
    }
}

/// Ids of the harnesses of this process, from 1.
fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[cfg(feature = "engine")]
#[expect(clippy::unnecessary_wraps, reason = "without the engine there is no default")]
fn default_governor() -> Result<Arc<dyn Governor>, BuildError> {
    Ok(Arc::new(crate::engine::Engine::new()))
}

#[cfg(not(feature = "engine"))]
fn default_governor() -> Result<Arc<dyn Governor>, BuildError> {
    Err(BuildError::NoGovernor)
}

impl fmt::Debug for HarnessBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HarnessBuilder")
            .field("agent_id", &self.agent_id)
            .finish_non_exhaustive()
    }
}

/// What weakens governance, by name.
#[derive(Debug)]
pub struct Dangerous(HarnessBuilder);

impl Dangerous {
    /// Suspends judgement (policy, score, screen, approval): every verdict is recorded with `enforced: false`, and the
    /// body runs whatever it is. What still stops a call: no harness, arguments that cannot be judged, a record that cannot
    /// be written, an agent that may not act, and an interrupt.
    pub fn observe_only(mut self) -> HarnessBuilder {
        self.0.observe_only = true;
        self.0
    }
}

/// A harness cannot be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The screen's profile says something that means nothing.
    #[cfg(feature = "screen")]
    Screen(crate::screen::ProfileError),
    /// No agent was named.
    NoAgent,
    /// The agent's id is none.
    Agent(AgentIdError),
    /// Two places for the record were named: a recorder, memory, or a data directory.
    TwoRecords,
    /// There is no governor: the feature `engine` is off and none was given.
    NoGovernor,
    /// A redaction is no JSON pointer.
    #[non_exhaustive]
    Pointer {
        /// The tool.
        tool: String,
        /// The pointer.
        pointer: String,
    },
    /// The configuration cannot be used.
    #[cfg(feature = "config")]
    Config(crate::config::ConfigError),
    /// The runtime ended while the record was opened.
    #[cfg(feature = "sqlite")]
    RuntimeEnded,
    /// The data directory cannot be used.
    #[cfg(feature = "sqlite")]
    Home(crate::home::HomeError),
    /// What the record says of the agent's behaviour so far cannot be read.
    Record(crate::audit::RecordError),
    /// Policies or configuration are not those that an approver signed last, or nobody can say so.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    RulesUnsigned(String),
    /// The fingerprint of the root approver is none.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    Operator(String),
    /// An approver's key can be used by nobody, or by anybody.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    Approver(crate::approval::ApproverKeyError),
    /// Webhooks cannot be set up.
    #[cfg(feature = "webhooks")]
    Webhooks(crate::webhooks::WebhookError),
    /// Webhooks are named, and there is no log from which events could be read.
    #[cfg(feature = "webhooks")]
    WebhooksWithoutRecord,
    /// The operating system gave no random bytes.
    NoEntropy,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "screen")]
            Self::Screen(error) => write!(f, "the screen's profile: {error}"),
            Self::NoAgent => f.write_str("no agent is named: add `.agent_id(\"..\")`"),
            Self::Agent(error) => error.fmt(f),
            Self::TwoRecords => f.write_str(
                "the record has two places: name a recorder, `in_memory`, or a data directory, and no other",
            ),
            Self::NoGovernor => f.write_str("no governor: add `.governor(..)`, or the feature `engine`"),
            Self::Pointer { tool, pointer } => write!(
                f,
                "redaction `{}` of `{}` is no JSON pointer: it must begin with `/`",
                pointer.escape_debug(),
                tool.escape_debug()
            ),
            #[cfg(feature = "config")]
            Self::Config(error) => error.fmt(f),
            #[cfg(feature = "sqlite")]
            Self::RuntimeEnded => f.write_str("the runtime ended while the record was opened"),
            #[cfg(feature = "sqlite")]
            Self::Home(error) => error.fmt(f),
            Self::Record(error) => error.fmt(f),
            #[cfg(all(feature = "engine", feature = "sqlite"))]
            Self::RulesUnsigned(what) => write!(
                f,
                "rules_unsigned: {what}; an approver signs it with `managed-agents config sign`"
            ),
            #[cfg(all(feature = "engine", feature = "sqlite"))]
            Self::Operator(fingerprint) => write!(
                f,
                "`{}` is no fingerprint of a root approver: it has 40 hexadecimal digits",
                fingerprint.escape_debug()
            ),
            #[cfg(all(feature = "engine", feature = "sqlite"))]
            Self::Approver(error) => error.fmt(f),
            #[cfg(feature = "webhooks")]
            Self::Webhooks(error) => error.fmt(f),
            #[cfg(feature = "webhooks")]
            Self::WebhooksWithoutRecord => {
                f.write_str("webhooks need a data directory: the record is in memory, or a recorder of your own")
            }
            Self::NoEntropy => f.write_str("the operating system gave no random bytes"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            #[cfg(feature = "screen")]
            Self::Screen(error) => Some(error),
            // the others that hold an error say what it says
            Self::Agent(error) => error.source(),
            #[cfg(feature = "config")]
            Self::Config(error) => error.source(),
            #[cfg(feature = "sqlite")]
            Self::Home(error) => error.source(),
            Self::Record(error) => error.source(),
            #[cfg(all(feature = "engine", feature = "sqlite"))]
            Self::Approver(error) => error.source(),
            _ => None,
        }
    }
}

#[cfg(feature = "webhooks")]
impl From<crate::webhooks::WebhookError> for BuildError {
    fn from(error: crate::webhooks::WebhookError) -> Self {
        Self::Webhooks(error)
    }
}

impl From<AgentIdError> for BuildError {
    fn from(error: AgentIdError) -> Self {
        Self::Agent(error)
    }
}

#[cfg(feature = "screen")]
impl From<crate::screen::ProfileError> for BuildError {
    fn from(error: crate::screen::ProfileError) -> Self {
        Self::Screen(error)
    }
}

#[cfg(feature = "config")]
impl From<crate::config::ConfigError> for BuildError {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<crate::audit::RecordError> for BuildError {
    fn from(error: crate::audit::RecordError) -> Self {
        Self::Record(error)
    }
}

#[cfg(feature = "sqlite")]
impl From<crate::home::HomeError> for BuildError {
    fn from(error: crate::home::HomeError) -> Self {
        Self::Home(error)
    }
}
