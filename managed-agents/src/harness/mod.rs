//! The harness: what must hold whichever governor decides.

#[expect(
    clippy::result_large_err,
    reason = "what waits is no error, and boxing it would cost each call an allocation"
)]
mod admit;
mod blocking;
mod breaker;
mod builder;
mod callbacks;
mod compensate;
#[cfg(feature = "config")]
mod configured;
mod draft;
#[cfg(feature = "engine")]
#[expect(
    clippy::result_large_err,
    reason = "what waits is no error, and boxing it would cost each call an allocation"
)]
mod edited;
#[cfg(feature = "engine")]
#[expect(
    clippy::result_large_err,
    reason = "what waits is no error, and boxing it would cost each call an allocation"
)]
mod escalate;
mod first_step;
mod gate;
mod govern;
mod guard;
mod heads;
mod interrupts;
mod judge;
#[cfg(feature = "claude")]
mod outside;
#[cfg(all(feature = "engine", feature = "sqlite"))]
mod people;
mod plain;
#[cfg(feature = "cli")]
mod rejudge;
mod returned;
mod rules;
mod scope;
mod session;
#[cfg(all(feature = "engine", feature = "sqlite"))]
mod signed;
mod span;
#[cfg(feature = "webhooks")]
mod told;
mod waiting;

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(feature = "toolbox")]
pub(crate) use admit::{refused, refused_by_name};
pub use breaker::CircuitBreaker;
pub use builder::{BuildError, Dangerous, HarnessBuilder};
pub use callbacks::VerdictEvent;
pub use compensate::Interrupted;
#[doc(hidden)]
pub use compensate::{Undoing, undoing};
#[cfg(feature = "cli")]
pub(crate) use configured::{judging, policy_sources};
#[doc(hidden)]
pub use draft::{Draft, Judged};
#[doc(hidden)]
pub use gate::{Gate, gate, gate_blocking, gate_finish};
pub use govern::{Govern, Permit};
pub use interrupts::{stopped, stopping};
#[cfg(feature = "claude")]
pub(crate) use outside::Outside;
#[cfg(feature = "cli")]
pub(crate) use rejudge::Rejudge;
#[doc(hidden)]
pub use returned::ArgumentWriter;
pub use returned::{GovernedArgument, GovernedReturn};
pub(crate) use scope::Scope;
pub use session::{Session, SessionSummary};

#[cfg(feature = "engine")]
use crate::approval::{ApprovalError, Approvals, ApproverKey, PendingTicket};
use crate::audit::Recorder;
use crate::call::{InputError, ToolInput};
use crate::clock::Clock;
use crate::governor::{Governor, GovernorError};
use crate::store::{MemoryEntry, MemoryRecorder};
use crate::verdict::{EvaluationId, LocalEvaluation};

/// Governs the calls of one agent: judges each before its body runs, records it, and enforces the verdict. Clones are the
/// same harness.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{GovernanceDenied, Harness, governed};
///
/// /// Adds two numbers.
/// #[governed(risk = low, read_only)]
/// async fn add(a: u64, b: u64) -> Result<u64, GovernanceDenied> {
///     Ok(a + b)
/// }
///
/// let harness = Harness::builder().in_memory().agent_id("calculator").build().await?;
/// assert_eq!(harness.scope(add(2, 3)).await?, 5);
/// assert_eq!(add(2, 3).await.unwrap_err().code(), "no_harness");
/// # Ok(()) }
/// ```
#[doc(alias = "NomoticHarness")]
#[derive(Clone)]
pub struct Harness(Arc<Inner>);

struct Inner {
    id: u64,
    governor: Arc<dyn Governor>,
    recorder: Arc<dyn Recorder>,
    /// Who remembers behaviour, where the recorder does not tell them itself.
    watcher: Option<Arc<dyn crate::audit::Watcher>>,
    /// The same as the recorder, where it is in memory.
    memory: Option<MemoryRecorder>,
    /// Ends with the harness.
    #[cfg(feature = "webhooks")]
    _told: Option<crate::webhooks::Webhooks>,
    /// What is stopped: the recorder's, or this harness's own where it keeps none.
    interrupts: crate::interrupt::Interrupts,
    compensations: compensate::Compensations,
    #[cfg(feature = "sqlite")]
    home: Option<crate::home::Home>,
    heads: Heads,
    fail_open: bool,
    block_on_escalate: bool,
    patience: Option<Duration>,
    timeout: Duration,
    breaker: Option<Arc<breaker::Breaker>>,
    callbacks: callbacks::Callbacks,
    #[cfg(feature = "screen")]
    screen: crate::screen::StandardScreen,
    /// Those of the program's own.
    #[cfg(feature = "screen")]
    screens: Vec<Box<dyn crate::screen::Screen>>,
    observe_only: bool,
    #[cfg(feature = "cli")]
    judging_only: bool,
    clock: Clock,
    evaluation_prefix: u64,
    evaluations: AtomicU64,
    rules: rules::Rules,
    /// Where the record is in memory; else `people`.
    #[cfg(feature = "engine")]
    approvals: Approvals,
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    people: Option<Arc<people::People>>,
}

use heads::Heads;

impl Inner {
    fn next_evaluation(&self) -> EvaluationId {
        self.next_local_evaluation().into()
    }

    #[inline(always)]
    fn next_local_evaluation(&self) -> LocalEvaluation {
        /// How many numbers a thread takes at once: to share one counter in each call is among what it costs most.
        const TAKEN: u64 = 64;
        thread_local! {
            /// The harness that this thread numbered a call of last, the next number, and the one after the last taken.
            static NUMBERS: Cell<(u64, u64, u64)> = const { Cell::new((u64::MAX, 0, 0)) };
        }
        let (of, next, end) = NUMBERS.get();
        let (number, end) = if of == self.id && next < end {
            (next, end)
        } else {
            let first = self.evaluations.fetch_add(TAKEN, Ordering::Relaxed);
            (first, first + TAKEN)
        };
        NUMBERS.set((self.id, number + 1, end));
        LocalEvaluation {
            harness: self.evaluation_prefix,
            number,
        }
    }

    /// The digest of all rules behind a verdict: those of this harness, and those that the governor judged by.
    #[inline(always)]
    fn rules(&self, verdict: &crate::Verdict) -> Option<crate::Digest> {
        match verdict.basis() {
            Some(basis) => Some(self.rules.with(basis.rules)),
            None => self.rules_of_bare_verdict(),
        }
    }

    #[inline(always)]
    fn rules_of_bare_verdict(&self) -> Option<crate::Digest> {
        Some(self.rules.with(self.governor.rules()?))
    }
}

impl Harness {
    /// Begins a harness.
    pub fn builder() -> HarnessBuilder {
        HarnessBuilder::default()
    }

    fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Runs a future in which every governed call is governed by this harness. Tasks and threads that it spawns are outside:
    /// see [`spawn`](Self::spawn) and [`GovernedBy`].
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Scope::of(self).enter(future)
    }

    /// Spawns a task that is governed by this harness.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, as `tokio::spawn` does.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        tokio::spawn(self.scope(future))
    }

    /// Makes this harness the one that governs calls outside every scope, once in a process. As soon as the process also
    /// uses scopes of another harness, calls outside every scope are refused again: a spawned task must not run as another
    /// agent.
    ///
    /// # Errors
    ///
    /// [`InstallError`] when one is installed already.
    pub fn install(&self) -> Result<(), InstallError> {
        scope::install(self).map_err(|_| InstallError(()))
    }

    /// The harness that governs the code that is running, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        Scope::current().ok().map(|scope| scope.harness.clone())
    }

    /// Begins a session: calls that belong together.
    #[must_use]
    pub fn session(&self, id: &str) -> Session {
        Session::new(self.clone(), id)
    }

    /// Judges a call by name, for tools whose body is not under `#[governed]`: await it, or `.blocking()`.
    ///
    /// The arguments are JSON text or a [`serde_json::Value`]; text is read strictly (no key twice).
    pub fn govern<I>(&self, tool: &str, input: I) -> Govern
    where
        I: TryInto<ToolInput>,
        I::Error: Into<InputError>,
    {
        Govern::new(Scope::of(self), tool, input)
    }

    /// Judges a call by name on this thread; where a runtime is running on it, a governor that does not answer at once is a
    /// denial.
    ///
    /// # Errors
    ///
    /// [`GovernanceDenied`](crate::GovernanceDenied) when the call may not run.
    #[doc(alias = "govern_sync")]
    pub fn govern_blocking<I>(&self, tool: &str, input: I) -> Result<Permit, crate::GovernanceDenied>
    where
        I: TryInto<ToolInput>,
        I::Error: Into<InputError>,
    {
        self.govern(tool, input).blocking()
    }

    /// The agent whose calls are governed.
    #[must_use]
    pub fn agent_id(&self) -> &str {
        self.0.heads.agent().as_str()
    }

    /// The calls that are recorded in memory, oldest first; empty where another recorder was given.
    #[must_use]
    pub fn records(&self) -> Vec<MemoryEntry> {
        self.0.memory.as_ref().map(MemoryRecorder::entries).unwrap_or_default()
    }

    /// The data directory that this harness records in; none where it records elsewhere.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn home(&self) -> Option<&crate::home::Home> {
        self.0.home.as_ref()
    }

    /// The names of the tools seen so far that declare nothing of themselves, sorted.
    #[must_use]
    pub fn undeclared(&self) -> Vec<String> {
        self.0.heads.undeclared()
    }

    /// Whether a decision could be had now, as far as the governor can know without deciding one: a remote one tries the
    /// connection, and not the key.
    ///
    /// # Errors
    ///
    /// [`GovernorError`] says why not.
    pub async fn health(&self) -> Result<(), GovernorError> {
        self.0.governor.health().await
    }

    /// The calls of this agent that wait for a person, oldest first. Where the record is durable, also those that other processes
    /// made, and it blocks while they are read.
    #[cfg(feature = "engine")]
    #[must_use]
    pub fn pending(&self) -> Vec<PendingTicket> {
        #[cfg(feature = "sqlite")]
        if let Some(people) = &self.0.people {
            return people.pending(self.agent_id());
        }
        self.0.approvals.pending(self.0.clock.now())
    }

    /// Approves a waiting call: it may run once, with exactly its arguments.
    ///
    /// # Errors
    ///
    /// [`ApprovalError`] when the key is not an enrolled approver's or no such ticket waits.
    #[cfg(feature = "engine")]
    pub fn approve(&self, ticket: &str, key: &ApproverKey) -> Result<(), ApprovalError> {
        #[cfg(feature = "sqlite")]
        if let Some(people) = &self.0.people {
            return people.decide(ticket, &crate::home::Choice::approve(), key, self.0.clock.now());
        }
        self.0.approvals.approve(ticket, None, key, self.0.clock.now())
    }

    /// Approves a waiting call with other arguments: one JSON object of those that take the place of the call's own; all others stay
    /// as they are. When the agent makes the call again, the edited one is judged as any other, and runs once where nobody denies it
    /// and it raises no concern that was not shown; the model is told what was changed.
    ///
    /// # Errors
    ///
    /// [`ApprovalError`] when the key is not an enrolled approver's, no such ticket waits, its tool is not `exact`, or the arguments are
    /// not those of the call.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use managed_agents::{GovernanceDenied, Harness, approval::ApproverKey, governed};
    ///
    /// /// Pays.
    /// #[governed(risk = high, exact)]
    /// async fn pay(to: String, cents: u64) -> Result<String, GovernanceDenied> {
    ///     Ok(format!("{to} has {cents}"))
    /// }
    ///
    /// let ann = ApproverKey::generate()?;
    /// let harness = Harness::builder().in_memory().agent_id("shop").approver("ann", ann.public()).build().await?;
    /// let waits = harness.scope(pay("bob".to_owned(), 5000)).await.unwrap_err();
    /// harness.approve_edited(waits.ticket().unwrap_or_default(), r#"{"cents":50}"#, &ann)?;
    /// assert_eq!(harness.scope(pay("bob".to_owned(), 5000)).await?, "bob has 50");
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "engine")]
    pub fn approve_edited(&self, ticket: &str, arguments: &str, key: &ApproverKey) -> Result<(), ApprovalError> {
        #[cfg(feature = "sqlite")]
        if let Some(people) = &self.0.people {
            return people.decide(ticket, &crate::home::Choice::edit(arguments), key, self.0.clock.now());
        }
        let now = self.0.clock.now();
        self.0.approvals.approve(ticket, Some(arguments), key, now)
    }

    /// Rejects a waiting call; the reason reaches the model.
    ///
    /// # Errors
    ///
    /// [`ApprovalError`] when the key is not an enrolled approver's or no such ticket waits.
    #[cfg(feature = "engine")]
    pub fn reject(&self, ticket: &str, key: &ApproverKey, reason: &str) -> Result<(), ApprovalError> {
        #[cfg(feature = "sqlite")]
        if let Some(people) = &self.0.people {
            return people.decide(ticket, &crate::home::Choice::reject(reason), key, self.0.clock.now());
        }
        self.0.approvals.reject(ticket, key, reason, self.0.clock.now())
    }

    /// Whether this and another are one harness.
    #[cfg(feature = "claude")]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn inner(&self) -> &Inner {
        &self.0
    }

    fn id(&self) -> u64 {
        self.0.id
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("agent_id", &self.agent_id())
            .field("governor", &self.0.heads.governor())
            .finish_non_exhaustive()
    }
}

/// Runs a future under a harness: `f.governed_by(&harness)`.
///
/// # Examples
///
/// ```no_run
/// # async fn work() {}
/// # async fn example(harness: managed_agents::Harness) {
/// use managed_agents::GovernedBy as _;
/// tokio::spawn(work().governed_by(&harness));
/// # }
/// ```
pub trait GovernedBy: Future + Sized {
    /// The future, in the scope of a harness.
    fn governed_by(self, harness: &Harness) -> impl Future<Output = Self::Output> + use<Self> {
        harness.scope(self)
    }
}

impl<F: Future> GovernedBy for F {}

/// A harness is installed already.
#[derive(Clone, Copy, Debug)]
pub struct InstallError(());

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a harness is installed already: there is one in a process")
    }
}

impl std::error::Error for InstallError {}
