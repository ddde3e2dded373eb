//! A governor that plays a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::answer::Answer;
use crate::call::ToolCall;
use crate::governor::{Governor, GovernorError, GovernorErrorKind, Judgement};
use crate::outcome::Outcome;
use crate::verdict::{EvaluationId, Verdict};

/// A governor that plays a script of verdicts, and keeps the calls and the outcomes it saw. When the script is over it
/// has no verdict, so calls are denied. Clones share script and calls.
///
/// # Examples
///
/// ```
/// use managed_agents::testing::FakeGovernor;
/// use managed_agents::Verdict;
/// let governor = FakeGovernor::always(Verdict::allow());
/// assert!(governor.calls().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct FakeGovernor(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Guards script and calls; held for a push or a pop, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Result<Verdict, GovernorError>>,
    always: Option<Verdict>,
    delay: Option<Duration>,
    calls: Vec<Arc<ToolCall>>,
    outcomes: Vec<Outcome>,
}

impl FakeGovernor {
    /// A governor with an empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A governor that says the same of every call.
    #[must_use]
    pub fn always(verdict: Verdict) -> Self {
        let governor = Self::new();
        governor.state().always = Some(verdict);
        governor
    }

    /// Then says this.
    #[must_use]
    pub fn then(self, verdict: Verdict) -> Self {
        self.state().script.push_back(Ok(verdict));
        self
    }

    /// Then fails like this.
    #[must_use]
    pub fn then_fail(self, error: GovernorError) -> Self {
        self.state().script.push_back(Err(error));
        self
    }

    /// Answers only after `delay`, as a remote governor does.
    #[must_use]
    pub fn delayed(self, delay: Duration) -> Self {
        self.state().delay = Some(delay);
        self
    }

    /// The calls that it was asked about, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Arc<ToolCall>> {
        self.state().calls.clone()
    }

    /// How the allowed calls ended, oldest first.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.state().outcomes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Governor for FakeGovernor {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        let mut state = self.state();
        state.calls.push(Arc::clone(call));
        let delay = state.delay;
        let next = state.script.pop_front();
        let next = next.or_else(|| state.always.clone().map(Ok));
        drop(state);
        let answer = match next {
            Some(answer) => answer.map(Judgement::from),
            None => Err(GovernorError::new(
                GovernorErrorKind::Internal,
                "the script of the fake governor is over",
            )),
        };
        match delay {
            Some(delay) => Answer::later(async move {
                tokio::time::sleep(delay).await;
                answer
            }),
            None => Answer::ready(answer),
        }
    }

    fn conclude(&self, _call: &ToolCall, _evaluation: &EvaluationId, outcome: Outcome) {
        self.state().outcomes.push(outcome);
    }
}
