//! The loop.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::builder::{MessagesAgentBuilder, Streaming};
use super::error::MessagesError;
use super::run::{Run, RunCall, StopReason, UngovernedUse};
use super::stream::{self, StreamEvent};
use super::wire::{self, Answer, Request, ToolResultBlock, ToolUse};
use crate::claude::api::{Api, Call, retrying};
use crate::harness::{Harness, Outside};
use crate::tool::{ToolResult, Toolbox};

/// An agent over Claude's Messages API, whose tools are governed.
///
/// The loop runs tools only when an answer ends with `tool_use`, gives all results in one message and in order, tells
/// refused calls as errors, sends a paused turn back unchanged, and stops at everything else. It asks the model at most
/// [`max_iterations`](MessagesAgentBuilder::max_iterations) times.
///
/// # Examples
///
/// ```no_run
/// use managed_agents::Toolbox;
/// use managed_agents::claude::MessagesAgent;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let toolbox = Toolbox::new().build()?;
/// let agent = MessagesAgent::builder("claude-opus-5-5").tools(&toolbox).system("Be brief.").build()?;
/// let run = agent.run("Refund order 7.").await?;
/// println!("{}", run.text());
/// for call in run.calls() {
///     println!("{}: {:?}", call.name(), call.result().status());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MessagesAgent {
    pub(super) api: Api,
    pub(super) toolbox: Option<Toolbox>,
    /// Everything of a request but its messages.
    pub(super) fixed: BTreeMap<String, Value>,
    pub(super) streaming: Option<Streaming>,
    pub(super) patience: Duration,
    pub(super) max_iterations: u32,
}

/// What ends a run before its time.
type Cancel<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

impl MessagesAgent {
    /// Begins an agent for a model.
    pub fn builder(model: impl Into<String>) -> MessagesAgentBuilder {
        MessagesAgentBuilder::new(model.into())
    }

    /// Runs the loop on a new conversation.
    ///
    /// # Errors
    ///
    /// [`MessagesError`] when the API cannot be asked or its answer cannot be read; it holds what had happened by then.
    pub async fn run(&self, text: &str) -> Result<Run, MessagesError> {
        self.resume(Vec::new(), text).await
    }

    /// Runs the loop on a new conversation, until `cancel` ends; see [`resume_until`](Self::resume_until).
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_until(&self, text: &str, cancel: impl Future<Output = ()> + Send) -> Result<Run, MessagesError> {
        self.resume_until(Vec::new(), text, cancel).await
    }

    /// Goes on with a conversation: `messages` is what [`Run::into_messages`] gave, unchanged, and `text` is what the user
    /// says next. An approved call is not made by this: the model is told by the text, and calls again with unchanged
    /// arguments.
    ///
    /// Calls that the conversation leaves open are answered as not run, in the message that `text` is in: what they stood
    /// in was cut off, refused, or at the iteration limit. They are not judged and not run. The run that comes back holds
    /// the whole conversation, and of calls, use and iterations what is new.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); and when the last of the messages cannot be read.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(agent: managed_agents::claude::MessagesAgent) -> Result<(), Box<dyn std::error::Error>> {
    /// let run = agent.run("Refund order 7.").await?;
    /// // a person has approved the refund meanwhile
    /// let run = agent.resume(run.into_messages(), "The refund is approved: please make it now.").await?;
    /// println!("{}", run.text());
    /// # Ok(()) }
    /// ```
    pub async fn resume(&self, messages: Vec<Box<RawValue>>, text: &str) -> Result<Run, MessagesError> {
        self.resume_until(messages, text, pending()).await
    }

    /// Goes on with a conversation, until `cancel` ends: calls that run are then cancelled at their next await, an answer
    /// that is on its way is given up, and the run comes back as [`cancelled`](Run::cancelled) at once.
    ///
    /// Its conversation can be carried on: every call in it has a result, and those that had not ended by then have one that
    /// says so. Dropping the future of any run cancels as well, and leaves no conversation behind.
    ///
    /// # Errors
    ///
    /// As [`resume`](Self::resume).
    pub async fn resume_until(
        &self,
        messages: Vec<Box<RawValue>>,
        text: &str,
        cancel: impl Future<Output = ()> + Send,
    ) -> Result<Run, MessagesError> {
        let mut run = Run {
            messages,
            ..Run::default()
        };
        let open = wire::open_calls(&run.messages)?;
        let results: Vec<_> = open
            .iter()
            .map(|call| ToolResultBlock::new(call, NOT_RUN, true))
            .collect();
        run.messages.push(wire::user(&results, Some(text))?);
        let mut cancel = pin!(cancel);
        match self.turns(&mut run, cancel.as_mut()).await {
            Ok(()) => Ok(run),
            Err(error) => Err(error.with_run(run)),
        }
    }

    async fn turns(&self, run: &mut Run, mut cancel: Cancel<'_>) -> Result<(), MessagesError> {
        loop {
            let answer = tokio::select! {
                // a cancelled run asks nothing more, though an answer is there as well
                biased;
                () = cancel.as_mut() => {
                    run.cancelled = true;
                    return Ok(());
                }
                answer = self.ask(&run.messages) => answer?,
            };
            self.record_outside(&answer.ungoverned).await;
            let calls = Self::note(run, answer)?;
            let at_limit = run.iterations >= self.max_iterations;
            match run.stop_reason {
                Some(StopReason::ToolUse) if !calls.is_empty() => {
                    if at_limit {
                        run.limit_reached = true;
                        return Ok(());
                    }
                    self.answer(run, calls, cancel.as_mut()).await?;
                    if run.cancelled {
                        return Ok(());
                    }
                }
                // the service goes on by itself from what it is sent back
                Some(StopReason::PauseTurn | StopReason::Compaction) => {
                    if at_limit {
                        run.limit_reached = true;
                        return Ok(());
                    }
                }
                // calls in an answer that ended otherwise may be cut off or refused: they are not run
                _ => return Ok(()),
            }
        }
    }

    /// Asks the model once. That has no effect that a second time would repeat, so what may pass is tried again.
    async fn ask(&self, messages: &[Box<RawValue>]) -> Result<Answer, MessagesError> {
        let request = Request {
            fixed: &self.fixed,
            messages,
        };
        let body = serde_json::to_vec(&request).map_err(|_| wire::unwritable())?;
        let body = body.as_slice();
        let answer = retrying(move |tried| async move {
            match &self.streaming {
                Some(Streaming(tell)) => {
                    if tried > 0 {
                        tell(StreamEvent::Restarted);
                    }
                    stream::ask(&self.api, body, self.patience, &**tell).await
                }
                None => Ok(Answer::read(&self.api.json(Call::post("/v1/messages", body)).await?)?),
            }
        });
        Ok(answer.await?)
    }

    /// Records what ran at the service, by the harness that governs the calls here.
    async fn record_outside(&self, ungoverned: &[UngovernedUse]) {
        if ungoverned.is_empty() {
            return;
        }
        let own = self.toolbox.as_ref().and_then(Toolbox::harness).cloned();
        let Some(harness) = own.or_else(Harness::current) else {
            return;
        };
        for tool in ungoverned {
            let outside = Outside {
                call: tool.id(),
                session: None,
                tool: &tool.governed_name(),
                why: "server_tool",
            };
            harness.record_outside(&outside).await;
        }
    }

    /// Appends what the model answered, unchanged, and gives the calls in it.
    fn note(run: &mut Run, answer: Answer) -> Result<Vec<ToolUse>, MessagesError> {
        run.iterations += 1;
        run.usage.add(answer.usage);
        run.text = answer.text;
        run.stop_reason = answer.stop_reason;
        run.messages.push(wire::assistant(&answer.content)?);
        for tool in &answer.ungoverned {
            tracing::warn!(
                tool = tool.name(),
                kind = tool.kind(),
                "a tool ran at the service, outside governance"
            );
        }
        run.ungoverned.extend(answer.ungoverned);
        Ok(answer.calls)
    }

    /// Calls the tools and appends all results as one message, in the order of the calls.
    async fn answer(&self, run: &mut Run, calls: Vec<ToolUse>, cancel: Cancel<'_>) -> Result<(), MessagesError> {
        let (results, cancelled) = self.call(&calls, cancel).await;
        run.cancelled = cancelled;
        let blocks: Vec<_> = calls
            .iter()
            .zip(&results)
            .map(|(call, result)| ToolResultBlock::new(call, result.text(), result.is_error()))
            .collect();
        let message = wire::user(&blocks, None);
        let answered = calls.into_iter().zip(results);
        run.calls
            .extend(answered.map(|(call, result)| RunCall::new(call, result)));
        run.messages.push(message?);
        Ok(())
    }

    /// The results of all calls, and whether they were cancelled.
    async fn call(&self, calls: &[ToolUse], cancel: Cancel<'_>) -> (Vec<ToolResult>, bool) {
        // a member of a toolset is another tool than one of the same name without it: here, none
        let unknown = |call: &ToolUse| match &call.toolset {
            Some(toolset) => ToolResult::unknown(&format!("{toolset}:{}", call.name)),
            None => ToolResult::unknown(&call.name),
        };
        let Some(toolbox) = &self.toolbox else {
            return (calls.iter().map(unknown).collect(), false);
        };
        let own = calls.iter().filter(|call| call.toolset.is_none());
        let own: Vec<_> = own.map(|call| (&call.name, call.input.get())).collect();
        let (results, cancelled) = toolbox.call_all_until(&own, cancel).await;
        let mut results = results.into_iter();
        let of = |call: &ToolUse| match call.toolset {
            Some(_) => unknown(call),
            None => results.next().unwrap_or_else(|| unknown(call)),
        };
        (calls.iter().map(of).collect(), cancelled)
    }
}

const NOT_RUN: &str = "this call was not run";

impl fmt::Debug for MessagesAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagesAgent")
            .field("model", &self.fixed.get("model"))
            .field("api", &self.api)
            .field("toolbox", &self.toolbox)
            .field("streaming", &self.streaming.is_some())
            .field("max_iterations", &self.max_iterations)
            .finish_non_exhaustive()
    }
}
