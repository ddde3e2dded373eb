//! Calls by name: judged here, run by whoever asked.

use std::borrow::Cow;
use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use serde_json::{Map, Value};

use super::admit::{Admission, admit_call, refuse, settled};
use super::blocking;
use super::draft::{Failure, no_entropy};
use super::guard::Guard;
use super::returned::GovernedReturn as _;
use super::scope::{Scope, Waits, parent};
use crate::answer::Answer;
use crate::call::{CallDetails, CanonicalWriter, Head, InputError, MAX_BYTES, Salt, ToolCall, ToolInput};
use crate::error::GovernanceDenied;
use crate::outcome::Outcome;
use crate::verdict::EvaluationId;

/// How deep `arguments` stands in the canonical call.
const DEPTH: u8 = 1;

/// The most characters of a tool's name.
const NAME_CHARS: usize = 200;

/// A call by name that is about to be judged: await it.
#[must_use = "nothing is judged until this is awaited"]
pub struct Govern {
    scope: Scope,
    tool: String,
    input: Result<ToolInput, InputError>,
    target: Option<String>,
    context: Option<Map<String, Value>>,
}

impl Govern {
    pub(super) fn new<I>(scope: Scope, tool: &str, input: I) -> Self
    where
        I: TryInto<ToolInput>,
        I::Error: Into<InputError>,
    {
        Self {
            scope,
            tool: tool.to_owned(),
            input: input.try_into().map_err(Into::into),
            target: None,
            context: None,
        }
    }

    /// States what the call is aimed at; otherwise found among the arguments.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Adds what the governor may want to know; it is not part of the call.
    pub fn context(mut self, context: Map<String, Value>) -> Self {
        self.context = Some(context);
        self
    }

    /// Judges the call on this thread; where a runtime is running on it, a governor that does not answer at once is a
    /// denial.
    ///
    /// # Errors
    ///
    /// [`GovernanceDenied`], as when awaited.
    #[doc(alias = "govern_sync")]
    pub fn blocking(mut self) -> Result<Permit, GovernanceDenied> {
        self.scope.waits = Waits::Yes;
        let scope = self.scope.clone();
        let tool = self.tool.clone();
        let head = |scope: &Scope| scope.harness.inner().heads.of_name(&tool);
        blocking::wait(scope, head, self.admit()).map(Permit::new)
    }

    fn admit(self) -> Admission {
        let head = self.scope.harness.inner().heads.of_name(&self.tool);
        let scope = self.scope.clone();
        match self.into_call(Arc::clone(&head)) {
            Ok(call) => settled(admit_call(scope, call)),
            Err(failure) => refuse(scope, head, failure),
        }
    }

    fn into_call(self, head: Arc<Head>) -> Result<Arc<ToolCall>, Failure> {
        if self.tool.is_empty() || self.tool.chars().count() > NAME_CHARS {
            return Err(invalid("a tool's name has 1 to 200 characters".to_owned()));
        }
        let input = self.input.map_err(|error| Failure {
            code: error.code(),
            for_model: error.to_string().into(),
            detail: None,
        })?;
        let mut tail = br#"},"arguments":"#.to_vec();
        let arguments_at = tail.len();
        let mut writer = CanonicalWriter::into_buffer(std::mem::take(&mut tail), DEPTH);
        writer.value(&input).map_err(|error| Failure {
            code: error.code(),
            for_model: format!("the arguments cannot be judged: {error}").into(),
            detail: None,
        })?;
        writer.buffer().push(b'}');
        let tail = writer.finish();
        if head.len() + tail.len() > MAX_BYTES {
            return Err(Failure {
                code: "too_large",
                for_model: Cow::Borrowed("the arguments are over 1 MiB"),
                detail: None,
            });
        }
        let salt = Salt::fresh().map_err(no_entropy)?;
        let details = CallDetails {
            target: self.target.map(String::into_boxed_str),
            subject: None,
            parent: parent(),
            context: self.context,
            edits: None,
        };
        let session = self.scope.session.as_ref().map(|session| session.id());
        Ok(ToolCall::new(
            head,
            salt,
            tail,
            arguments_at,
            session,
            details.into_option(),
        ))
    }
}

fn invalid(message: String) -> Failure {
    Failure {
        code: "invalid_arguments",
        for_model: message.into(),
        detail: None,
    }
}

impl IntoFuture for Govern {
    type Output = Result<Permit, GovernanceDenied>;
    type IntoFuture = Answer<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        // judged when polled, as every call is
        Answer::later(async move { self.admit().await.map(Permit::new) })
    }
}

impl fmt::Debug for Govern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Govern")
            .field("tool", &self.tool)
            .finish_non_exhaustive()
    }
}

/// An allowed call by name: the judged arguments, and the duty to say how the call ended. Dropped without that, it is
/// recorded as `unreported`.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{GovernanceDenied, Harness, Risk, ToolMeta};
/// let harness = Harness::builder()
///     .in_memory()
///     .agent_id("support-bot")
///     .declare(ToolMeta::new("lookup").with_risk(Risk::Low))
///     .build()
///     .await?;
/// let permit = harness.govern("lookup", r#"{"order": 7}"#).await?;
/// let found = permit
///     .run(async |arguments| Ok::<_, GovernanceDenied>(arguments["order"].clone()))
///     .await?;
/// assert_eq!(found, 7);
/// # Ok(()) }
/// ```
#[must_use = "an allowed call must be run, or its end be reported with `finish`"]
pub struct Permit {
    guard: Guard,
    evaluation: EvaluationId,
    arguments: Map<String, Value>,
}

impl Permit {
    fn new(mut guard: Guard) -> Self {
        guard.hand_out();
        // the judged bytes are a JSON object that this crate wrote
        let arguments = serde_json::from_str(guard.arguments()).unwrap_or_default();
        // a guard lacks it while its body is polled, and no body has begun
        let evaluation = guard.evaluation().map_or_else(|| EvaluationId::from(""), Clone::clone);
        Self {
            guard,
            evaluation,
            arguments,
        }
    }

    /// The judged arguments: what must run is these, not what the model sent.
    #[must_use]
    pub fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// The evaluation that allowed the call.
    #[must_use]
    pub fn evaluation_id(&self) -> &EvaluationId {
        &self.evaluation
    }

    /// Runs the call with the judged arguments and records how it ends.
    ///
    /// # Errors
    ///
    /// What `body` returns; or the denial of a body that ran longer than its tool's `timeout`.
    pub async fn run<T, E>(self, body: impl AsyncFnOnce(Value) -> Result<T, E>) -> Result<T, E>
    where
        E: From<GovernanceDenied>,
    {
        let Self { guard, arguments, .. } = self;
        let mut guard = Some(guard);
        let mut body = pin!(Some(body(Value::Object(arguments))));
        std::future::poll_fn(move |cx| {
            let Some(running) = &mut guard else {
                return Poll::Pending;
            };
            if running.must_end() {
                let Some(stopped) = guard.take() else {
                    return Poll::Pending;
                };
                let (denied, compensation) = stopped.interrupted();
                // the body is gone before anything undoes it
                body.set(None);
                if let Some(compensation) = compensation {
                    compensation.start();
                }
                return Poll::Ready(Err(denied.into()));
            }
            let Some(part) = body.as_mut().as_pin_mut() else {
                return Poll::Pending;
            };
            let entered = running.enter();
            let polled = part.poll(cx);
            entered.leave();
            let value = match polled {
                Poll::Ready(value) => value,
                Poll::Pending if running.poll_deadline(cx) => match guard.take() {
                    Some(overdue) => return Poll::Ready(Err(overdue.timed_out().into())),
                    None => return Poll::Pending,
                },
                Poll::Pending => {
                    running.watch(cx);
                    return Poll::Pending;
                }
            };
            if let Some(mut ended) = guard.take() {
                ended.ended(value.outcome());
            }
            Poll::Ready(value)
        })
        .await
    }

    /// Whether the call was told to stop: whoever runs it should end it soon. What [`run`](Self::run) runs is cancelled instead.
    #[must_use]
    pub fn is_stopped(&mut self) -> bool {
        self.guard.is_stopped()
    }

    /// Says how the call ended, when somebody else ran it.
    pub fn finish(mut self, outcome: Outcome) {
        self.guard.ended(outcome);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("evaluation_id", &self.evaluation)
            .finish_non_exhaustive()
    }
}
