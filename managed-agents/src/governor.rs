//! The seam to whatever decides.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use crate::answer::Answer;
#[cfg(feature = "sqlite")]
use crate::approval::TicketClaim;
use crate::audit::Watcher;
use crate::call::{Digest, ToolCall};
use crate::limit::{Counted, Rests};
use crate::outcome::Outcome;
use crate::verdict::{EvaluationId, Verdict};

/// Whatever decides on a call: the embedded [`Engine`](crate::Engine), a remote service, or your own.
///
/// A governor only judges. Screening, recording, the fail mode, waiting for a person and everything else that must hold
/// whichever governor is used is the harness's.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use managed_agents::{Answer, Governor, GovernorError, Judgement, Reason, ToolCall, Verdict};
///
/// /// Refuses everything on Sundays; says nothing else.
/// struct Sundays(fn() -> bool);
///
/// impl Governor for Sundays {
///     fn name(&self) -> &str { "sundays" }
///     fn decide(&self, _call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
///         let verdict = if (self.0)() {
///             Verdict::deny(Reason::new("sunday", "this agent rests on Sundays"))
///         } else {
///             Verdict::allow()
///         };
///         Answer::ready(Ok(verdict.into()))
///     }
/// }
/// ```
pub trait Governor: Send + Sync + 'static {
    /// A short name for records.
    fn name(&self) -> &str;

    /// Judges a call. The answer must not be awaited on a thread that the call blocks.
    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>>;

    /// Hears how an allowed call ended. Must not block.
    fn conclude(&self, call: &ToolCall, evaluation: &EvaluationId, outcome: Outcome) {
        let _ = (call, evaluation, outcome);
    }

    /// Waits, at most `patience` long, for what people made of an escalated evaluation, and gives the verdict then:
    /// still `Escalate` when nobody decided.
    ///
    /// `None` (the default) says that this governor has no people behind it: the harness's own queue is asked.
    fn resolution(
        &self,
        call: &Arc<ToolCall>,
        evaluation: &EvaluationId,
        patience: Duration,
    ) -> Option<Answer<Result<Verdict, GovernorError>>> {
        let _ = (call, evaluation, patience);
        None
    }

    /// The digest of the rules that it judges by, where it can say: another digest may judge otherwise. It goes into each
    /// record.
    fn rules(&self) -> Option<Digest> {
        None
    }

    /// Whoever remembers behaviour for this governor, and must hear of every decision and outcome.
    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        None
    }

    /// Trust in the agent of a call that is about to be recorded, before and after, in millionths, and the place as of which it
    /// is known. `fault` says that the call is denied by the agent's own fault.
    #[doc(hidden)]
    fn trust(&self, call: &ToolCall, at: SystemTime, fault: bool) -> Option<(u32, u32, u64)> {
        let _ = (call, at, fault);
        None
    }

    /// The digest of the files that it judges by, where there are such: with an operator set, a harness judges by none that no
    /// approver signed.
    fn sources(&self) -> Option<Digest> {
        None
    }

    /// Says who must agree before files are put into force that are read anew while the program runs: with an operator set, a
    /// harness lets none in that no approver signed. A governor that never reads files anew has nothing to do.
    fn guard_sources(&self, guard: Weak<dyn SourceGuard>) {
        let _ = guard;
    }

    /// Whether a decision could be had now.
    fn health(&self) -> Answer<Result<(), GovernorError>> {
        Answer::ready(Ok(()))
    }
}

/// Whoever must agree before a governor judges by other files.
pub trait SourceGuard: Send + Sync {
    /// Whether files of this digest (as [`sources`](Governor::sources) gives it) may be judged by; blocks while files are read.
    /// `rules` is what [`rules`](Governor::rules) will be then: it is recorded before, so that whoever reads the record knows by
    /// which order they were let in.
    ///
    /// # Errors
    ///
    /// Why not, in words for the operator.
    fn admits_sources(&self, sources: Digest, rules: Digest) -> Result<(), String>;
}

/// A verdict, and what must still hold when its record is written.
///
/// # Examples
///
/// A governor that asks another and adds a concern of its own: what the other denies stays denied.
///
/// ```
/// use managed_agents::{Decision, Judgement, Reason, Verdict};
///
/// let theirs = Judgement::from(Verdict::allow());
/// let both = theirs.restricted_by(Verdict::escalate(Reason::new("tired", "a person must look first")));
/// assert_eq!(both.verdict().decision(), Decision::Escalate);
///
/// let theirs = Judgement::from(Verdict::deny(Reason::new("closed", "the shop is closed")));
/// assert_eq!(theirs.restricted_by(Verdict::allow()).verdict().decision(), Decision::Deny);
/// ```
#[derive(Clone, Debug)]
pub struct Judgement {
    verdict: Verdict,
    /// Most verdicts rest on nothing that can change.
    claims: Option<Box<Claims>>,
}

impl Judgement {
    /// A verdict with its claims.
    #[must_use]
    pub fn new(verdict: Verdict, claims: Claims) -> Self {
        let claims = (claims != Claims::default()).then(|| Box::new(claims));
        Self { verdict, claims }
    }

    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The judgement with the more restrictive of its verdict and another, and the reasons of both (law 5). Its claims
    /// stay, since they are what its own verdict rests on.
    #[must_use]
    pub fn restricted_by(self, verdict: Verdict) -> Self {
        Self {
            verdict: self.verdict.restricted_by(verdict),
            claims: self.claims,
        }
    }

    /// Whether it allows, and says no more than that.
    #[inline(always)]
    pub(crate) fn is_bare_allow(&self) -> bool {
        self.claims.is_none() && self.verdict.is_bare_allow()
    }

    /// What the recorder counts, if the call runs.
    #[cfg(feature = "engine")]
    pub(crate) fn counting(mut self, counted: Arc<Counted>) -> Self {
        self.claims.get_or_insert_default().held.counted = Some(counted);
        self
    }

    pub(crate) fn into_boxed_parts(self) -> (Verdict, Option<Box<Claims>>) {
        (self.verdict, self.claims)
    }

    /// The verdict and the claims.
    #[must_use]
    pub fn into_parts(self) -> (Verdict, Claims) {
        (self.verdict, self.claims.map_or_else(Claims::default, |claims| *claims))
    }
}

impl From<Verdict> for Judgement {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, claims: None }
    }
}

/// What a verdict rests on: the recorder applies it in the transaction that writes the record, or answers
/// [`Committed::Stale`](crate::audit::Committed::Stale), and the call is judged anew.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Claims {
    /// The state epoch (stops, revocations) that the governor saw, where it read one.
    pub epoch: Option<u64>,
    /// The grant that this call consumes, where a person gave one.
    pub grant: Option<Arc<str>>,
    /// What is counted for this call, if it runs.
    pub(crate) held: Held,
    /// What the record does to tickets.
    #[cfg(feature = "sqlite")]
    pub(crate) ticket: TicketClaim,
}

/// A place in the governor's counters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// What the recorder counts, if the call runs.
    pub(crate) counted: Option<Arc<Counted>>,
    /// What policies count of it, and whether the verdict stands on what was counted before.
    pub(crate) history: Option<Arc<dyn Rests>>,
}

impl Held {
    /// Whether the recorder must keep counts for this call.
    #[inline]
    pub(crate) fn is_counted(&self) -> bool {
        self.counted.is_some() || self.history.is_some()
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.history, &other.history) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same && self.counted == other.counted
    }
}

impl Eq for Held {}

/// Why a governor has no verdict. Every kind is a denial; which ones `fail_open` covers is
/// [`GovernorErrorKind::is_outage`].
#[derive(Clone, Debug)]
pub struct GovernorError {
    kind: GovernorErrorKind,
    code: Cow<'static, str>,
    detail: String,
}

impl fmt::Display for GovernorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for GovernorError {}

impl GovernorError {
    /// An error of a kind, with the kind's own code.
    #[must_use]
    pub fn new(kind: GovernorErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code: Cow::Borrowed(kind.code()),
            detail: detail.into(),
        }
    }

    /// Replaces the code by a finer one, such as `http_503`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// What went wrong, by kind.
    #[must_use]
    pub fn kind(&self) -> GovernorErrorKind {
        self.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The sentence for the operator; it holds no argument and no secret.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// What kept a governor from a verdict.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum GovernorErrorKind {
    /// Name lookup failed, or the connection was refused or reset before the status line.
    Unreachable,
    /// No status line within the time limit.
    TimedOut,
    /// The service answered 5xx.
    ServerError,
    /// The service answered 4xx.
    Rejected,
    /// The service answered with a redirect, which is not followed.
    Redirected,
    /// The TLS handshake or the certificate was refused.
    Tls,
    /// An answer that is no verdict: broken off, too large, not JSON, or of another status.
    Malformed,
    /// A verdict for another call or agent.
    Mismatched,
    /// The harness's own limit passed first: how far the governor had come is not known, so it counts as no
    /// outage.
    Overdue,
    /// The circuit breaker is open.
    CircuitOpen,
    /// The governor cannot answer at once and the caller cannot wait.
    WouldBlock,
    /// The governor itself failed.
    Internal,
}

impl GovernorErrorKind {
    /// Whether `fail_open` covers it: an unreachable service, 5xx, and a breaker that is open because of these alone.
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::TimedOut | Self::ServerError | Self::CircuitOpen
        )
    }

    /// Whether the circuit breaker counts it.
    pub(crate) fn trips_breaker(self) -> bool {
        self.is_outage() || self == Self::Overdue
    }

    /// The stable code of the kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "governor_unreachable",
            Self::TimedOut => "governor_timed_out",
            Self::ServerError => "governor_failed",
            Self::Rejected => "governor_rejected",
            Self::Redirected => "governor_redirected",
            Self::Tls => "governor_tls",
            Self::Malformed => "governor_malformed",
            Self::Mismatched => "verdict_mismatched",
            Self::Overdue => "governor_overdue",
            Self::CircuitOpen => "circuit_open",
            Self::WouldBlock => "would_block",
            Self::Internal => "governor_internal",
        }
    }
}
