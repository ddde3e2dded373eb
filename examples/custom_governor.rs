//! A governor of your own, which learns from how calls end: after two failures it wants a person to look.
//!
//! A governor only judges. That nothing runs unrecorded, that a panic or a late answer is a denial, and that an escalation
//! waits for a person holds for this one as for any other, because the harness sees to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use examples::{Outcome as Ended, show};
use managed_agents::{
    Answer, Engine, EvaluationId, GovernanceDenied, Governor, GovernorError, Harness, Judgement, Outcome, Reason,
    ToolCall, Verdict, governed,
};

/// Lets calls fail twice, and then asks for a person.
#[derive(Default)]
struct Patience {
    failures: AtomicU64,
    /// What this governor allows, the engine may still refuse: the more restrictive verdict counts.
    engine: Engine,
}

impl Governor for Patience {
    fn name(&self) -> &str {
        "patience"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        let own = if self.failures.load(Ordering::Relaxed) >= 2 {
            Verdict::escalate(
                Reason::new("patience_lost", "too much went wrong; a person must look first")
                    .with_detail("two calls of this agent have failed"),
            )
        } else {
            Verdict::allow()
        };
        self.engine.decide(call).map(|theirs| Ok(theirs?.restricted_by(own)))
    }

    fn conclude(&self, _call: &ToolCall, _evaluation: &EvaluationId, outcome: Outcome) {
        if outcome != Outcome::Ok {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Why a page was not fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("there is no such page")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] GovernanceDenied),
}

/// Fetch a page.
#[governed(risk = low, read_only)]
async fn fetch(url: &str) -> Result<usize, FetchError> {
    if url.contains("broken") {
        return Err(FetchError::NotFound);
    }
    Ok(url.len())
}

#[tokio::main]
async fn main() -> Ended {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("crawler")
        .governor(Patience::default())
        .on_escalate(|event| {
            let detail = event.verdict().reasons().first().map_or("", Reason::detail);
            println!("  callback: {} escalated, {detail}", event.record().tool());
        })
        .build()
        .await?;
    show::heading("Four fetches");
    for url in [
        "https://a.example",
        "https://broken.example",
        "https://broken.example/2",
        "https://a.example",
    ] {
        match harness.scope(fetch(url)).await {
            Ok(bytes) => println!("  {url}: {bytes}"),
            Err(error) => println!("  {url}: {error}"),
        }
    }
    show::heading("The record");
    show::records(&harness);
    Ok(())
}
