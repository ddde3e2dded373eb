//! The typed refusal of a governed call.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::json;

use crate::verdict::{EvaluationId, Verdict};

/// Why a governed call did not run, in the few kinds that a caller may want to treat apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DenialKind {
    /// No harness was in scope.
    NoHarness,
    /// The verdict is a denial.
    Denied,
    /// A person must decide first; where a ticket was opened, it is named.
    Escalated,
    /// No verdict could be had, or none that can be trusted.
    Unavailable,
    /// The arguments cannot be judged: missing, of a wrong type, out of range, or not representable.
    InvalidArguments,
    /// The decision could not be recorded.
    Unrecorded,
    /// The call was stopped.
    Interrupted,
    /// The body ran longer than its `timeout` and was cancelled.
    TimedOut,
}

/// A governed call did not run, or was stopped; every governed function's error type can be made from it.
///
/// One pointer wide, so that a caller's `Result` does not grow. `Display` is the operator's text; a model is told
/// [`reason_for_model`](Self::reason_for_model) or [`to_tool_error`](Self::to_tool_error). Neither holds the value of a
/// redacted argument.
///
/// # Examples
///
/// ```
/// use managed_agents::{DenialKind, GovernanceDenied};
/// let denied = GovernanceDenied::new(DenialKind::Denied, "closed", "the shop is closed");
/// assert_eq!(denied.code(), "closed");
/// assert_eq!(denied.to_tool_error()["error"]["type"], "governance_denied");
/// assert_eq!(size_of::<Result<u64, GovernanceDenied>>(), 16);
/// ```
#[derive(Clone)]
pub struct GovernanceDenied(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: DenialKind,
    code: Cow<'static, str>,
    for_model: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    tool: Option<Arc<str>>,
    ticket: Option<Arc<str>>,
    retryable: bool,
    evaluation_id: Option<EvaluationId>,
    verdict: Option<Verdict>,
}

impl GovernanceDenied {
    /// A refusal with a stable code and a sentence that a model may read.
    #[must_use]
    pub fn new(kind: DenialKind, code: impl Into<Cow<'static, str>>, for_model: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            code: code.into(),
            for_model: for_model.into(),
            detail: None,
            tool: None,
            ticket: None,
            retryable: false,
            evaluation_id: None,
            verdict: None,
        }))
    }

    /// The refusal of a call that no harness was in scope for.
    pub(crate) fn no_harness(tool: &str, detail: &'static str) -> Self {
        Self::new(
            DenialKind::NoHarness,
            "no_harness",
            "this tool is governed and no governance is active; it was not run",
        )
        .with_tool(tool)
        .with_detail(detail)
    }

    /// The refusal that a verdict asks for.
    pub(crate) fn from_verdict(kind: DenialKind, tool: &str, verdict: Verdict) -> Self {
        let (code, for_model, detail) = match verdict.reasons().first() {
            Some(reason) => (
                reason.code().to_owned(),
                reason.for_model().to_owned(),
                reason.detail().to_owned(),
            ),
            None if kind == DenialKind::Escalated => (
                "escalated".to_owned(),
                "a person must approve this call first".to_owned(),
                "the governor escalated this call and gave no reason".to_owned(),
            ),
            None => (
                "denied".to_owned(),
                "this call is not allowed".to_owned(),
                "the governor denied this call and gave no reason".to_owned(),
            ),
        };
        let mut denied = Self::new(kind, code, for_model).with_detail(detail).with_tool(tool);
        denied.edit(|inner| {
            inner.evaluation_id = verdict.evaluation_id().cloned();
            inner.verdict = Some(verdict);
        });
        denied
    }

    /// Adds what only the operator should read.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        self.edit(|inner| inner.detail = Some(detail));
        self
    }

    /// Names the tool.
    #[must_use]
    pub fn with_tool(mut self, tool: &str) -> Self {
        self.edit(|inner| inner.tool = Some(tool.into()));
        self
    }

    /// Says that the same call may succeed later, unchanged.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.edit(|inner| inner.retryable = true);
        self
    }

    pub(crate) fn with_ticket(mut self, ticket: &str) -> Self {
        self.edit(|inner| inner.ticket = Some(ticket.into()));
        self
    }

    /// Tells the model that a person must decide, which ticket that is, and what to do after it; for `Escalated` with a
    /// ticket.
    pub(crate) fn waiting(self) -> Self {
        self.told_to_wait("a person must approve this call first")
    }

    /// As [`waiting`](Self::waiting), after the call has waited in vain.
    pub(crate) fn undecided(self) -> Self {
        self.told_to_wait("nobody has decided on this call in time; a person must approve it first")
    }

    fn told_to_wait(mut self, first: &str) -> Self {
        let Some(ticket) = self.ticket() else {
            return self;
        };
        let reason = self.verdict().and_then(|verdict| verdict.reasons().first());
        let why = reason.map_or_else(String::new, |reason| {
            format!(" Why: {}.", reason.for_model().trim_end_matches('.'))
        });
        let told = format!(
            "{first} (ticket {ticket}). Once it is approved, repeat the same call with unchanged arguments.{why}"
        );
        self.edit(|inner| inner.for_model = told.into());
        self
    }

    pub(crate) fn with_evaluation_id(mut self, id: &EvaluationId) -> Self {
        self.edit(|inner| inner.evaluation_id = Some(id.clone()));
        self
    }

    /// Which kind of refusal it is.
    #[must_use]
    pub fn kind(&self) -> DenialKind {
        self.0.kind
    }

    /// The stable code of the deciding reason; the list is in `VERSIONING.md`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// What the model is told: why, in a sentence it can act on. Where a call waits for a person: that one must approve it,
    /// the ticket, and that the same call is to be repeated with unchanged arguments after that. It repeats no argument.
    #[must_use]
    pub fn reason_for_model(&self) -> &str {
        &self.0.for_model
    }

    /// What the operator is told.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.0.detail.as_deref().unwrap_or(&self.0.for_model)
    }

    /// The tool whose call was refused, where known.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        self.0.tool.as_deref()
    }

    /// The ticket that waits for a person, where one was opened.
    #[must_use]
    pub fn ticket(&self) -> Option<&str> {
        self.0.ticket.as_deref()
    }

    /// Whether the same call may succeed later, unchanged.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// The evaluation that refused it, where there was one.
    #[must_use]
    pub fn evaluation_id(&self) -> Option<&EvaluationId> {
        self.0.evaluation_id.as_ref()
    }

    /// The verdict, where there was one.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.0.verdict.as_ref()
    }

    /// The refusal as a tool result that a model reads:
    /// `{"type":"error","error":{"type":"governance_denied","message":…}}`.
    #[must_use]
    pub fn to_tool_error(&self) -> serde_json::Value {
        // sorted, so that its text is one whichever order a build of serde_json keeps
        json!({
            "error": { "message": self.reason_for_model(), "type": "governance_denied" },
            "type": "error",
        })
    }

    fn edit(&mut self, change: impl FnOnce(&mut Inner)) {
        change(Arc::make_mut(&mut self.0));
    }
}

impl fmt::Display for GovernanceDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.0.kind == DenialKind::Escalated {
            "escalated"
        } else {
            "refused"
        };
        match &self.0.tool {
            Some(tool) => write!(f, "call of `{tool}` {verb} ({}): {}", self.code(), self.detail()),
            None => write!(f, "call {verb} ({}): {}", self.code(), self.detail()),
        }
    }
}

impl fmt::Debug for GovernanceDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GovernanceDenied")
            .field("kind", &self.kind())
            .field("code", &self.code())
            .field("tool", &self.tool())
            .field("detail", &self.detail())
            .field("evaluation_id", &self.evaluation_id())
            .field("ticket", &self.ticket())
            .field("retryable", &self.is_retryable())
            .finish()
    }
}

impl std::error::Error for GovernanceDenied {}
