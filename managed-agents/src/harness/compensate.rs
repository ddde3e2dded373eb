//! Undoing what an interrupt cut short.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use serde_json::{Map, Value};

use super::Harness;
use crate::audit::{OutcomeRecord, Sequence};
use crate::call::{Digest, ToolCall, ToolMeta};
use crate::interrupt::StopRecord;
use crate::outcome::Outcome;
use crate::verdict::EvaluationId;

/// A compensation under way.
pub type Undoing = Pin<Box<dyn Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send>>;
type Undo = Arc<dyn Fn(Interrupted) -> Undoing + Send + Sync>;

/// What undoes the governed functions that say so, by name and definition: entered by their first calls. Held for a look or an
/// entry.
static DECLARED: RwLock<BTreeMap<(String, Digest), Undo>> = RwLock::new(BTreeMap::new());

/// Enters what undoes a function, once.
pub(super) fn declare(meta: &'static ToolMeta, once: &'static OnceLock<()>, undo: fn(Interrupted) -> Undoing) {
    once.get_or_init(|| {
        let mut declared = DECLARED.write().unwrap_or_else(PoisonError::into_inner);
        declared.insert((meta.name().to_owned(), meta.definition()), Arc::new(undo));
    });
}

/// A compensation, whatever its error is.
#[doc(hidden)]
pub fn undoing<F, E>(undo: F) -> Undoing
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Box::pin(async { undo.await.map_err(Into::into) })
}

/// What undoes the calls of tools, by name.
#[derive(Default)]
pub(super) struct Compensations(HashMap<String, Undo>);

impl Compensations {
    pub(super) fn add<F>(&mut self, tool: String, undo: impl Fn(Interrupted) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    {
        self.0
            .insert(tool, Arc::new(move |interrupted| Box::pin(undo(interrupted))));
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
    undo: Undo,
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
        let of_harness = harness.inner().compensations.0.get(call.tool()).cloned();
        let undo = of_harness.or_else(|| {
            let meta = call.meta();
            let declared = DECLARED.read().unwrap_or_else(PoisonError::into_inner);
            // which a configuration may have made stricter: the function is the same
            declared.get(&(meta.name().to_owned(), meta.definition())).cloned()
        })?;
        Some(Self {
            harness: harness.clone(),
            place,
            undo,
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
            undo,
            interrupted,
        } = self;
        let evaluation = interrupted.evaluation.clone();
        let begun = Instant::now();
        let ended = Ended {
            harness,
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
