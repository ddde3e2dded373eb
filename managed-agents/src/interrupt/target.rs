//! What is stopped, and why.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::error::{InterruptError, InterruptErrorKind};
use crate::call::{AgentId, ToolCall};
use crate::verdict::EvaluationId;

/// The most bytes of a session's or an evaluation's name in a target.
const MOST_BYTES: usize = 1024;

/// What a stop is about. As text: `everything`, `agent/ID`, `session/ID`, `call/EVALUATION`.
///
/// # Examples
///
/// ```
/// use managed_agents::interrupt::Target;
/// let target: Target = "agent/support-bot".parse()?;
/// assert_eq!(target.to_string(), "agent/support-bot");
/// # Ok::<_, managed_agents::interrupt::InterruptError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Target {
    /// Every call that is recorded in the same record.
    Everything,
    /// The calls of one agent.
    Agent(AgentId),
    /// The calls of one session, whichever agent makes them.
    Session(Arc<str>),
    /// One call that runs.
    Call(EvaluationId),
}

impl Target {
    /// Whether a call is of this target.
    pub(crate) fn covers(&self, call: &ToolCall, evaluation: Option<&EvaluationId>) -> bool {
        match self {
            Self::Everything => true,
            Self::Agent(agent) => agent == call.agent(),
            Self::Session(session) => call.session() == Some(session),
            Self::Call(of) => evaluation.is_some_and(|id| id == of || id.to_string() == of.to_string()),
        }
    }

    /// Whether it keeps calls from being admitted: one call is only stopped while it runs.
    pub(crate) fn closes(&self, agent: &str, session: Option<&str>) -> bool {
        match self {
            Self::Everything => true,
            Self::Agent(of) => of.as_str() == agent,
            Self::Session(of) => session == Some(of),
            Self::Call(_) => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Agent(agent) => write!(f, "agent/{agent}"),
            Self::Session(session) => write!(f, "session/{session}"),
            Self::Call(evaluation) => write!(f, "call/{evaluation}"),
        }
    }
}

impl FromStr for Target {
    type Err = InterruptError;

    fn from_str(text: &str) -> Result<Self, InterruptError> {
        let wrong = |detail: &str| InterruptError::new(InterruptErrorKind::Input, detail);
        if text.len() > MOST_BYTES {
            return Err(wrong("the name of what is to be stopped is over 1024 bytes"));
        }
        match text.split_once('/') {
            None if text == "everything" => Ok(Self::Everything),
            Some(("agent", agent)) => Ok(Self::Agent(
                AgentId::parse(agent).map_err(|error| wrong(&error.to_string()))?,
            )),
            Some(("session", session)) if !session.is_empty() => Ok(Self::Session(session.into())),
            Some(("call", evaluation)) if !evaluation.is_empty() => Ok(Self::Call(evaluation.into())),
            _ => Err(wrong(
                "what is stopped is `everything`, `agent/ID`, `session/ID` or `call/ID`",
            )),
        }
    }
}

/// A stop, as it is asked for.
///
/// # Examples
///
/// ```
/// use managed_agents::interrupt::Stop;
/// let stop = Stop::session("conversation-7").because("customer_asked").as_drill();
/// assert_eq!(stop.target().to_string(), "session/conversation-7");
/// assert!(stop.is_drill());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stop {
    target: Target,
    reason: Cow<'static, str>,
    drill: bool,
}

impl Stop {
    /// A stop of a target, for the reason `operator`.
    #[must_use]
    pub fn of(target: Target) -> Self {
        Self {
            target,
            reason: Cow::Borrowed("operator"),
            drill: false,
        }
    }

    /// Stops every call of the record.
    #[must_use]
    pub fn everything() -> Self {
        Self::of(Target::Everything)
    }

    /// Stops the calls of one agent.
    #[must_use]
    pub fn agent(agent: AgentId) -> Self {
        Self::of(Target::Agent(agent))
    }

    /// Stops the calls of one session.
    #[must_use]
    pub fn session(id: &str) -> Self {
        Self::of(Target::Session(id.into()))
    }

    /// Stops one call that runs, by its evaluation.
    #[must_use]
    pub fn call(evaluation: EvaluationId) -> Self {
        Self::of(Target::Call(evaluation))
    }

    /// Says why, as a code of your own in snake case, at most 64 characters.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// It is a drill: everything happens as it would, and every record of it says that it was one.
    #[must_use]
    pub fn as_drill(mut self) -> Self {
        self.drill = true;
        self
    }

    /// What is stopped.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it is a drill.
    #[must_use]
    pub fn is_drill(&self) -> bool {
        self.drill
    }

    /// Whether it can be stated.
    pub(crate) fn check(&self) -> Result<(), InterruptError> {
        if !is_reason(&self.reason) {
            return Err(InterruptError::new(
                InterruptErrorKind::Input,
                "the reason of a stop is not 1 to 64 characters of a-z, 0-9, `_`",
            ));
        }
        // what is recorded must be read again
        self.target.to_string().parse::<Target>().map(drop)
    }
}

impl From<Target> for Stop {
    fn from(target: Target) -> Self {
        Self::of(target)
    }
}

pub(crate) fn is_reason(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_it_is_written() {
        for text in ["everything", "agent/bot", "session/a/b c\n", "call/eval_00"] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
        for text in ["", "all", "agent/", "agent/Bot!", "session/", "call/", "tool/x"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        assert!(
            Target::Session("x".repeat(2_000).as_str().into())
                .to_string()
                .parse::<Target>()
                .is_err()
        );
    }

    #[test]
    fn a_stop_needs_a_code_for_a_reason() {
        assert!(Stop::everything().check().is_ok());
        assert!(Stop::everything().because("He said so").check().is_err());
        assert!(Stop::everything().because("x".repeat(65)).check().is_err());
    }
}
