//! Waiting for a verdict where nothing can be awaited.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::admit::{Admission, refuse_as};
use super::guard::Guard;
use super::scope::Scope;
use crate::answer::{self, Answer};
use crate::call::Head;
use crate::error::{DenialKind, GovernanceDenied};

/// The answer, if it is there; outside every runtime, waits for it on a thread that has a runtime of its own; inside
/// one, where waiting could wait for itself, refuses, and records that.
pub(super) fn wait(
    scope: Scope,
    head: impl FnOnce(&Scope) -> Arc<Head>,
    answer: Admission,
) -> Result<Guard, GovernanceDenied> {
    let later = match answer.now() {
        Ok(result) => return result,
        Err(later) => later,
    };
    let head = head(&scope);
    let denied = if Handle::try_current().is_ok() {
        would_block(
            head.meta().name(),
            "a blocking call inside a runtime needs a governor and a recorder that answer at once: make the tool an \
             `async fn`, or call it from a thread of its own",
        )
    } else {
        match wait_elsewhere(later) {
            Ok(result) => return result,
            Err(detail) => would_block(head.meta().name(), detail),
        }
    };
    // a recorder that does not answer at once is not waited for: the call is refused all the same
    refuse_as(scope, head, denied.clone()).now().unwrap_or(Err(denied))
}

fn wait_elsewhere<T: Send + Unpin + 'static>(answer: Answer<T>) -> Result<T, &'static str> {
    let runtime = runtime().ok_or("the thread that waits for verdicts cannot be started")?;
    answer::wait(Answer::later(runtime.spawn(answer))).map_err(|_| "the thread that waits for verdicts ended")
}

fn would_block(tool: &str, detail: &'static str) -> GovernanceDenied {
    GovernanceDenied::new(
        DenialKind::Unavailable,
        "would_block",
        "this call cannot wait for a decision; it was not run",
    )
    .with_detail(detail)
    .with_tool(tool)
}

/// The runtime of the thread that waits, which is started when it is first needed and lives as long as the process.
fn runtime() -> Option<Handle> {
    /// Guards the start; held for it, never while anybody waits.
    static RUNTIME: Mutex<Option<Handle>> = Mutex::new(None);
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if runtime.is_none() {
        *runtime = start();
    }
    runtime.clone()
}

fn start() -> Option<Handle> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let handle = runtime.handle().clone();
    // a task that panics ends alone: nothing ends the thread but the process
    std::thread::Builder::new()
        .name("managed-agents".to_owned())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        .ok()?;
    Some(handle)
}
