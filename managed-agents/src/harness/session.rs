//! Calls that belong together.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::Harness;
use super::govern::Govern;
use super::scope::Scope;
use crate::call::{InputError, ToolInput};
use crate::verdict::{Decision, EvaluationId};

/// How many evaluation ids a session keeps.
const MOST_IDS: usize = 10_000;

/// Calls that belong together: one conversation, one task. Correlates their records and counts their verdicts, denials
/// included. Clones share one session.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{Harness, ToolMeta, Risk};
/// let harness = Harness::builder()
///     .in_memory()
///     .agent_id("support-bot")
///     .declare(ToolMeta::new("lookup").with_risk(Risk::Low))
///     .build()
///     .await?;
/// let session = harness.session("conversation-7");
/// session.govern("lookup", r#"{"order":7}"#).await?.finish(managed_agents::Outcome::Ok);
/// assert!(session.govern("never_heard_of", "{}").await.is_err());
/// assert_eq!(session.summary().allowed(), 1);
/// assert_eq!(session.summary().escalated(), 1);
/// # Ok(()) }
/// ```
#[doc(alias = "GovernedSession")]
#[derive(Clone, Debug)]
pub struct Session {
    harness: Harness,
    state: Arc<SessionState>,
}

#[derive(Debug)]
pub(crate) struct SessionState {
    id: Arc<str>,
    /// Guards the summary; held for a few additions, never across an await.
    summary: Mutex<SessionSummary>,
}

impl SessionState {
    pub(crate) fn id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    pub(super) fn as_id(&self) -> &Arc<str> {
        &self.id
    }

    pub(super) fn count(&self, decision: Decision, ucs: Option<f64>, id: &EvaluationId) {
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = match decision {
            Decision::Allow => &mut summary.allowed,
            Decision::Escalate => &mut summary.escalated,
            Decision::Deny => &mut summary.denied,
        };
        *counter += 1;
        if let Some(ucs) = ucs {
            summary.scored += 1;
            summary.ucs_sum += ucs;
        }
        if summary.evaluation_ids.len() < MOST_IDS {
            summary.evaluation_ids.push(id.clone());
        }
    }
}

impl Session {
    pub(super) fn new(harness: Harness, id: &str) -> Self {
        Self {
            harness,
            state: Arc::new(SessionState {
                id: id.into(),
                summary: Mutex::default(),
            }),
        }
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state.id
    }

    /// The harness that governs it.
    #[must_use]
    pub fn harness(&self) -> &Harness {
        &self.harness
    }

    /// Runs a future in which governed calls belong to this session.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        self.as_scope().enter(future)
    }

    /// Judges a call by name in this session; see [`Harness::govern`].
    #[doc(alias = "govern_and_record")]
    pub fn govern<I>(&self, tool: &str, input: I) -> Govern
    where
        I: TryInto<ToolInput>,
        I::Error: Into<InputError>,
    {
        Govern::new(self.as_scope(), tool, input)
    }

    /// What was decided so far.
    #[doc(alias = "governance_summary")]
    #[must_use]
    pub fn summary(&self) -> SessionSummary {
        self.state
            .summary
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn as_scope(&self) -> Scope {
        Scope::new(&self.harness, Some(Arc::clone(&self.state)))
    }
}

/// What was decided in a session.
#[derive(Clone, Debug, Default)]
pub struct SessionSummary {
    allowed: u64,
    denied: u64,
    escalated: u64,
    scored: u64,
    ucs_sum: f64,
    evaluation_ids: Vec<EvaluationId>,
}

impl SessionSummary {
    /// How many calls were judged.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.allowed + self.denied + self.escalated
    }

    /// How many were allowed.
    #[must_use]
    pub fn allowed(&self) -> u64 {
        self.allowed
    }

    /// How many were denied.
    #[must_use]
    pub fn denied(&self) -> u64 {
        self.denied
    }

    /// How many were escalated.
    #[must_use]
    pub fn escalated(&self) -> u64 {
        self.escalated
    }

    /// The mean unified confidence score (0 to 1) of the verdicts that had one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean of fewer than 2^53 calls")]
    pub fn mean_ucs(&self) -> Option<f64> {
        (self.scored > 0).then(|| self.ucs_sum / self.scored as f64)
    }

    /// The evaluations in their order; the first 10 000.
    #[must_use]
    pub fn evaluation_ids(&self) -> &[EvaluationId] {
        &self.evaluation_ids
    }
}
