//! Waiting for a verdict where nothing can be awaited.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};

use super::admit::{Admission, refuse_as};
use super::guard::Guard;
use super::scope::Scope;
use crate::answer::Answer;
use crate::call::Head;
use crate::error::{DenialKind, GovernanceDenied};

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The answer, if it is there; outside every runtime, waits for it on a thread that has a runtime of its own; inside
/// one, where waiting could wait for itself, refuses, and records that.
pub(super) fn wait(scope: Scope, head: Arc<Head>, answer: Admission) -> Result<Guard, GovernanceDenied> {
    let later = match answer.now() {
        Ok(result) => return result,
        Err(later) => later,
    };
    let denied = if tokio::runtime::Handle::try_current().is_ok() {
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
    let (reply, answered) = mpsc::sync_channel(1);
    let job = Box::pin(async move {
        // an error says that nobody waits any more
        let _ = reply.send(answer.await);
    });
    if thread().is_none_or(|thread| thread.send(job).is_err()) {
        return Err("the thread that waits for verdicts cannot be started");
    }
    answered.recv().map_err(|_| "the thread that waits for verdicts ended")
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

/// The thread that waits, started when it is first needed; it lives as long as the process.
fn thread() -> Option<tokio::sync::mpsc::UnboundedSender<Job>> {
    static THREAD: OnceLock<Mutex<Option<tokio::sync::mpsc::UnboundedSender<Job>>>> = OnceLock::new();
    let mut thread = THREAD
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if thread
        .as_ref()
        .is_none_or(tokio::sync::mpsc::UnboundedSender::is_closed)
    {
        *thread = start();
    }
    thread.clone()
}

fn start() -> Option<tokio::sync::mpsc::UnboundedSender<Job>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let (sender, mut jobs) = tokio::sync::mpsc::unbounded_channel::<Job>();
    let run = move || {
        runtime.block_on(async move {
            while let Some(job) = jobs.recv().await {
                tokio::spawn(job);
            }
        });
    };
    std::thread::Builder::new()
        .name("managed-agents".to_owned())
        .spawn(run)
        .ok()?;
    Some(sender)
}
