//! Undoing what an interrupt cut short.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::{Map, Value};

use super::Harness;
use crate::audit::{OutcomeRecord, Sequence};
use crate::call::ToolCall;
use crate::interrupt::StopRecord;
use crate::outcome::Outcome;
use crate::verdict::EvaluationId;

type Undoing = Pin<Box<dyn Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send>>;
type Undo = Box<dyn Fn(Interrupted) -> Undoing + Send + Sync>;

/// What undoes the calls of tools, by name.
#[derive(Default)]
pub(super) struct Compensations(HashMap<String, Undo>);

impl Compensations {
    pub(super) fn add<F>(&mut self, tool: String, undo: impl Fn(Interrupted) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        self.0
            .insert(tool, Box::new(move |interrupted| Box::pin(undo(interrupted))));
    }
}

/// A call that was stopped after its body began.
pub struct Interrupted {
    tool: String,
    evaluation: EvaluationId,
    arguments: Map<String, Value>,
    stop: Arc<StopRecord>,
}

impl Interrupted {
    /// The tool.
    #[must_use]
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// The evaluation that had allowed the call.
    #[must_use]
    pub fn evaluation_id(&self) -> &EvaluationId {
        &self.evaluation
    }

    /// The judged arguments, redacted ones too: for undoing the call in this process only.
    #[must_use]
    pub fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// What stopped it.
    #[must_use]
    pub fn stop(&self) -> &StopRecord {
        &self.stop
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted")
            .field("tool", &self.tool)
            .field("evaluation_id", &self.evaluation)
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}

/// What undoes one call; it is not under way yet.
pub(super) struct Compensation {
    harness: Harness,
    place: Sequence,
    interrupted: Interrupted,
}

impl Compensation {
    /// Of a call whose tool has one.
    pub(super) fn of(
        harness: &Harness,
        call: &ToolCall,
        evaluation: &EvaluationId,
        place: Sequence,
        stop: &Arc<StopRecord>,
    ) -> Option<Self> {
        harness.inner().compensations.0.get(call.tool())?;
        Some(Self {
            harness: harness.clone(),
            place,
            interrupted: Interrupted {
                tool: call.tool().to_owned(),
                evaluation: evaluation.clone(),
                // the judged bytes are a JSON object that this crate wrote
                arguments: serde_json::from_str(call.reveal_arguments()).unwrap_or_default(),
                stop: Arc::clone(stop),
            },
        })
    }

    /// Runs it in a task of its own.
    pub(super) fn start(self) {
        let Self {
            harness,
            place,
            interrupted,
        } = self;
        let evaluation = interrupted.evaluation.clone();
        let begun = Instant::now();
        let ended = Ended {
            harness: harness.clone(),
            place,
            evaluation,
            begun,
            outcome: Outcome::Cancelled,
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::error!(
                tool = interrupted.tool,
                "a compensation needs a tokio runtime, and did not run"
            );
            return;
        };
        runtime.spawn(async move {
            // what it made by the end is recorded when this is dropped, as is a panic or the end of the runtime
            let mut ended = ended;
            let Some(undo) = harness.inner().compensations.0.get(&interrupted.tool) else {
                return;
            };
            let tool = interrupted.tool.clone();
            ended.outcome = Outcome::Panicked;
            let undoing = undo(interrupted);
            ended.outcome = match undoing.await {
                Ok(()) => Outcome::Ok,
                Err(_) => {
                    // its text may hold values of arguments
                    tracing::error!(tool, "a compensation failed");
                    Outcome::Error
                }
            };
        });
    }
}

/// Records how a compensation ended.
struct Ended {
    harness: Harness,
    place: Sequence,
    evaluation: EvaluationId,
    begun: Instant,
    outcome: Outcome,
}

impl Drop for Ended {
    fn drop(&mut self) {
        let inner = self.harness.inner();
        let outcome = OutcomeRecord::new(self.outcome, self.begun.elapsed(), SystemTime::now());
        inner
            .recorder
            .compensated(self.place, &self.evaluation, inner.heads.agent(), outcome);
    }
}
