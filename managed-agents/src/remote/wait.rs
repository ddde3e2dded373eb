//! Waiting for what people made of an escalated evaluation.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Shared, answer, read};
use crate::call::ToolCall;
use crate::governor::{GovernorError, GovernorErrorKind};
use crate::verdict::{Decision, EvaluationId, Reason, Verdict};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long before the end of patience the last question is asked.
const LAST_ASK: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How many evaluations that ran are remembered.
const REMEMBERED: usize = 65_536;

/// Polls the evaluation until it is decided or patience ends.
///
/// An outage on the way changes nothing: the call goes on waiting, and stays escalated when patience ends; it is never
/// reported as an outage, which a harness that fails open would let pass. Any other error ends the wait.
pub(super) async fn resolution(
    shared: &Shared,
    call: &ToolCall,
    evaluation: &str,
    patience: Duration,
) -> Result<Verdict, GovernorError> {
    let path = format!("{}/governance/evaluations/{}", shared.base, path_segment(evaluation));
    let start = Instant::now();
    // a patience beyond what the clock can hold is as long as one may wait
    let end = start
        .checked_add(patience)
        .unwrap_or(start + Duration::from_secs(24 * 3600));
    let mut pause = FIRST_PAUSE;
    loop {
        match timeout_at(end, ask(shared, call, evaluation, &path)).await {
            Ok(Ok(verdict)) if verdict.decision() == Decision::Escalate => {}
            Ok(Ok(verdict)) if verdict.decision() == Decision::Allow && !shared.resolved.first(evaluation) => {
                return Err(GovernorError::new(
                    GovernorErrorKind::Mismatched,
                    "the evaluation was approved once and has run already",
                )
                .with_code("evaluation_reused"));
            }
            Ok(Ok(verdict)) => return Ok(verdict),
            Ok(Err(error)) if passes(&error) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(undecided(call, evaluation)),
        }
        let left = end.saturating_duration_since(Instant::now());
        if left <= LAST_ASK {
            return Ok(undecided(call, evaluation));
        }
        sleep(pause.min(left - LAST_ASK)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn ask(shared: &Shared, call: &ToolCall, evaluation: &str, path: &str) -> Result<Verdict, GovernorError> {
    let reply = shared.client.get(path, Instant::now() + shared.timeout).await?;
    let answer = answer::parse(&read(reply).await?)?;
    Ok(answer
        .of_evaluation(evaluation)?
        .for_agent(call.agent())?
        .into_verdict())
}

/// Whether to go on asking: the service is away, or asks for patience itself.
fn passes(error: &GovernorError) -> bool {
    error.kind().is_outage() || matches!(error.code(), "http_408" | "http_425" | "http_429")
}

fn undecided(call: &ToolCall, evaluation: &str) -> Verdict {
    Verdict::escalate(Reason::new("escalated", "nobody has decided on this call yet"))
        .with_evaluation_id(EvaluationId::from(evaluation))
        .for_agent(call.agent().as_str())
}

/// Percent-encodes what is not unreserved (RFC 3986).
fn path_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The evaluations whose approval ran a call: none runs a second one, whatever the service answers.
#[derive(Default)]
pub(super) struct Resolved(Mutex<Ran>);

#[derive(Default)]
struct Ran {
    known: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Resolved {
    /// Whether this evaluation is resolved for the first time; from now on it is not.
    fn first(&self, evaluation: &str) -> bool {
        let mut ran = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let evaluation: Arc<str> = evaluation.into();
        if !ran.known.insert(Arc::clone(&evaluation)) {
            return false;
        }
        ran.order.push_back(evaluation);
        if ran.order.len() > REMEMBERED
            && let Some(oldest) = ran.order.pop_front()
        {
            ran.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evaluation_is_resolved_once() {
        let resolved = Resolved::default();
        assert!(resolved.first("eval_1"));
        assert!(!resolved.first("eval_1"));
        assert!(resolved.first("eval_2"));
    }

    #[test]
    fn an_evaluation_id_is_one_step_of_a_path() {
        assert_eq!(path_segment("eval_7f-a.b~c"), "eval_7f-a.b~c");
        assert_eq!(path_segment("../x?y=1#z"), "..%2Fx%3Fy%3D1%23z");
    }
}
