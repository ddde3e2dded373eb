//! What came of governing a session.

use std::fmt;

use crate::claude::coverage::Coverage;
use crate::claude::managed::SessionStop;

/// What came of governing a session.
///
/// `Debug` shows no texts.
#[derive(Clone, Default)]
pub struct SessionReport {
    pub(super) calls: Vec<GovernedCall>,
    pub(super) outside: Vec<OutsideCall>,
    pub(super) unowned: Vec<OutsideCall>,
    pub(super) text: String,
    pub(super) failures: Vec<String>,
    pub(super) coverage: Coverage,
    pub(super) end: Option<SessionEnd>,
}

/// A call that was governed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GovernedCall {
    pub(super) event: String,
    pub(super) tool: String,
    pub(super) end: CallEnd,
    pub(super) sent: bool,
}

/// A call that was seen and not governed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutsideCall {
    pub(super) event: String,
    pub(super) tool: String,
    pub(super) runs_on: bool,
}

/// How a governed call ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CallEnd {
    /// It ran here, and returned a value.
    Done,
    /// It ran here, and failed.
    Failed,
    /// It may run at Anthropic.
    Allowed,
    /// It was refused, by a judge, by a person or because nobody decided in time; or its arguments could not be read.
    Refused,
    /// It was cancelled here.
    Cancelled,
    /// Its body may have run in a process that died: nobody knows, and the model and the operator are told so.
    Unknown,
    /// It had been answered before; the answer was sent again where the service did not have it.
    AnsweredBefore,
    /// It takes no answer any more.
    Dropped,
}

/// How governing a session ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The turn is over.
    Turn(SessionStop),
    /// The session is over.
    Terminated,
    /// The session was deleted.
    Deleted,
    /// It was cancelled from here.
    Cancelled,
    /// Somebody stopped the agent, the session or everything: the session was interrupted.
    Stopped,
}

impl SessionReport {
    /// Every call that was governed, in the order in which they ended.
    #[must_use]
    pub fn calls(&self) -> &[GovernedCall] {
        &self.calls
    }

    /// Calls that ran at Anthropic without anybody being asked, and those that had been allowed and had not ended there when the
    /// session was interrupted. A durable record holds an entry `outside` of each.
    #[must_use]
    pub fn outside(&self) -> &[OutsideCall] {
        &self.outside
    }

    /// Calls of custom tools that are not in the toolbox: another client may answer them.
    #[must_use]
    pub fn unowned(&self) -> &[OutsideCall] {
        &self.unowned
    }

    /// The last that the agent said.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The kinds of errors that the session told of.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// What was found to slip past when governing began, or when the agent was changed.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// How it ended; none where it broke off.
    #[must_use]
    pub fn end(&self) -> Option<&SessionEnd> {
        self.end.as_ref()
    }
}

impl GovernedCall {
    /// The id of the event that asked for it.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The tool, as it was judged.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> CallEnd {
        self.end
    }

    /// Whether the service has an answer.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.sent
    }
}

impl OutsideCall {
    /// The id of the event that told of it.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The tool.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// Whether it had been judged and allowed, and had not ended when the session was interrupted.
    #[must_use]
    pub fn runs_on(&self) -> bool {
        self.runs_on
    }
}

impl fmt::Debug for SessionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionReport")
            .field("calls", &self.calls)
            .field("outside", &self.outside)
            .field("unowned", &self.unowned)
            .field("failures", &self.failures)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
