//! Calling the tools of a toolbox by name.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use super::Toolbox;
use crate::harness::{self, Scope};
use crate::tool::call::{ToolResult, ToolStatus};
use crate::tool::parts::shown;
use crate::tool::vtable::BoxFuture;

/// The most calls of one [`Toolbox::call_all`] that run at once.
const AT_ONCE: usize = 8;

impl Toolbox {
    /// Calls a tool by name with a JSON object of arguments. Whatever happens is a result that a model can read.
    ///
    /// The call is judged as every call of the governed function is, on the decoded arguments. Dropping the future
    /// cancels the call.
    pub async fn call(&self, name: &str, json: &str) -> ToolResult {
        let call = self.dispatch(name, json);
        match &self.0.harness {
            // a scope of the same harness stays: it may be that of a session
            Some(harness) if !Scope::is_of(harness) => harness.scope(call).await,
            _ => call.await,
        }
    }

    /// What never reaches the gate is recorded here: a call that was refused is a call that was tried.
    async fn dispatch(&self, name: &str, json: &str) -> ToolResult {
        let Some(entry) = self.entry(name) else {
            let result = ToolResult::new(ToolStatus::UnknownTool, self.unknown(name));
            harness::refused_by_name(name, "unknown_tool", "no tool has this name").await;
            return result;
        };
        let result = entry.tool.call(&self.0.states, json).await;
        if result.status() == ToolStatus::InvalidArguments {
            harness::refused(entry.tool.meta(), "invalid_arguments", "the arguments cannot be read").await;
        }
        result
    }

    /// Calls tools side by side, at most eight at once, and gives the results in the order of the calls.
    pub async fn call_all<N, I>(&self, calls: &[(N, I)]) -> Vec<ToolResult>
    where
        N: AsRef<str> + Sync,
        I: AsRef<str> + Sync,
    {
        self.call_all_until(calls, pin!(pending())).await.0
    }

    /// The same, until `cancel` ends: calls that have not ended by then are cancelled, and their results say so. Gives
    /// whether any was.
    pub(crate) async fn call_all_until<N, I>(
        &self,
        calls: &[(N, I)],
        mut cancel: Pin<&mut (dyn Future<Output = ()> + Send)>,
    ) -> (Vec<ToolResult>, bool)
    where
        N: AsRef<str> + Sync,
        I: AsRef<str> + Sync,
    {
        let mut waiting = calls.iter().enumerate();
        let mut running: Vec<(usize, BoxFuture<'_, ToolResult>)> = Vec::with_capacity(AT_ONCE.min(calls.len()));
        let mut done: Vec<(usize, ToolResult)> = Vec::with_capacity(calls.len());
        let cancelled = poll_fn(|cx| {
            if cancel.as_mut().poll(cx).is_ready() {
                return Poll::Ready(true);
            }
            loop {
                let begun = waiting.by_ref().take(AT_ONCE - running.len());
                running.extend(begun.map(|(place, (name, json))| {
                    let call: BoxFuture<'_, ToolResult> = Box::pin(self.call(name.as_ref(), json.as_ref()));
                    (place, call)
                }));
                if running.is_empty() {
                    return Poll::Ready(false);
                }
                let before = running.len();
                running.retain_mut(|(place, call)| match call.as_mut().poll(cx) {
                    Poll::Ready(result) => {
                        done.push((*place, result));
                        false
                    }
                    Poll::Pending => true,
                });
                // none ended, so there is no room for another
                if running.len() == before {
                    return Poll::Pending;
                }
            }
        })
        .await;
        done.extend(running.into_iter().map(|(place, call)| {
            // the gate records the end of a call when it is dropped
            drop(call);
            (place, ToolResult::cancelled(true))
        }));
        done.extend(waiting.map(|(place, _)| (place, ToolResult::cancelled(false))));
        done.sort_by_key(|(place, _)| *place);
        (done.into_iter().map(|(_, result)| result).collect(), cancelled)
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.tools().map(|tool| format!("`{}`", tool.name())).collect();
        match known.as_slice() {
            [] => format!("unknown tool `{}`; there are no tools", shown(name)),
            known => format!("unknown tool `{}`; the tools are {}", shown(name), known.join(", ")),
        }
    }
}
