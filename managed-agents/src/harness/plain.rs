//! The short way of most calls: every judge plainly allows them, the record is in memory, and nobody is told.
//!
//! It says what the long way (`admit.rs`) would say of such a call, with less to carry along; a test compares both.

use std::sync::Arc;
use std::time::Instant;

use super::Inner;
use super::guard::Guard;
use super::scope::Scope;
use super::span;
use crate::audit::{Disposition, Sequence};
use crate::call::ToolCall;
use crate::store::AllowedCall;
use crate::verdict::{Decision, EvaluationId, Verdict};

/// A call that is recorded as allowed.
pub(super) struct Recorded {
    evaluation: EvaluationId,
    place: Sequence,
    started: Instant,
    since: u64,
}

/// Records that a call is allowed, where it may go the short way.
#[inline(always)]
pub(super) fn record(inner: &Inner, call: &ToolCall) -> Option<Recorded> {
    let memory = inner.memory.as_ref()?;
    if inner.observe_only || inner.watcher.is_some() || !inner.callbacks.is_empty() || call.has_details() {
        return None;
    }
    let evaluation = inner.next_evaluation();
    // a stop that comes from here on is seen by the record, or by the body before it begins
    let since = inner.interrupts.number();
    let started = Instant::now();
    let place = memory.allowed(AllowedCall {
        at: inner.clock.at(started),
        evaluation_id: evaluation.clone(),
        call,
        rules: inner.rules_of_bare_verdict(),
    })?;
    Some(Recorded {
        evaluation,
        place,
        started,
        since,
    })
}

impl Recorded {
    /// Tells who listens, and admits the call.
    #[inline(always)]
    pub(super) fn admit(self, scope: Scope, call: Arc<ToolCall>, span: Option<Box<tracing::Span>>) -> Guard {
        if let Some(session) = &scope.session {
            session.count(Decision::Allow, None, &self.evaluation);
        }
        if let Some(span) = &span {
            span::decided(span, &Verdict::allow(), Disposition::Allowed, &self.evaluation);
        }
        Guard::new(
            scope.harness,
            call,
            self.evaluation,
            self.place,
            self.started,
            self.since,
            span,
        )
    }
}

#[cfg(all(test, feature = "macros"))]
mod tests {
    use sha2::{Digest as _, Sha256};

    use crate::error::GovernanceDenied;
    use crate::governed;
    use crate::harness::{Harness, HarnessBuilder};
    use crate::store::MemoryEntry;
    use crate::testing::{FakeGovernor, VirtualClock};
    use crate::verdict::{Reason, Verdict};

    /// Adds two numbers.
    #[governed(risk = low)]
    async fn add(a: u64, b: u64) -> Result<u64, GovernanceDenied> {
        Ok(a + b)
    }

    /// Another tool.
    #[governed]
    async fn double(x: u64) -> Result<u64, GovernanceDenied> {
        x.checked_mul(2).ok_or_else(GovernanceDenied::test)
    }

    impl GovernanceDenied {
        fn test() -> Self {
            Self::new(crate::error::DenialKind::Denied, "rejected", "too much")
        }
    }

    fn harness(governor: &FakeGovernor) -> HarnessBuilder {
        Harness::builder()
            .keep_in_memory(2)
            .agent_id("a")
            .governor(governor.clone())
            .virtual_clock(VirtualClock::new())
    }

    /// All that a record says, but the id, the salt and the digest, which no two calls share.
    fn said(entry: &MemoryEntry) -> String {
        let decision = entry.decision();
        format!(
            "{:?}",
            (
                (decision.at(), decision.agent(), decision.tool(), decision.session()),
                (decision.decision(), decision.disposition(), decision.is_enforced()),
                (
                    decision.codes().collect::<Vec<_>>(),
                    decision.ticket(),
                    decision.rules()
                ),
                (decision.governor(), decision.parent(), decision.target()),
                (decision.ucs_millionths(), decision.is_undeclared(), decision.meta()),
                entry.outcome().map(|outcome| outcome.outcome()),
            )
        )
    }

    async fn calls(harness: &Harness) -> Vec<MemoryEntry> {
        let session = harness.session("s");
        for number in 0..5 {
            assert_eq!(session.scope(add(number, 1)).await.ok(), Some(number + 1));
            assert!(session.scope(double(u64::MAX - number)).await.is_err());
        }
        assert_eq!(session.summary().allowed(), 10);
        harness.records()
    }

    #[tokio::test]
    async fn the_short_way_records_what_the_long_way_records() {
        let short = FakeGovernor::always(Verdict::allow());
        let long = FakeGovernor::always(Verdict::allow());
        let one = calls(&harness(&short).build().await.unwrap()).await;
        // who listens sends each call the long way
        let other = calls(&harness(&long).on_verdict(|_| {}).build().await.unwrap()).await;
        assert_eq!(one.len(), 2);
        let texts = |entries: &[MemoryEntry]| entries.iter().map(said).collect::<Vec<_>>();
        assert_eq!(texts(&one), texts(&other));
        assert_eq!(short.outcomes(), long.outcomes());
        for (entries, governor) in [(one, short), (other, long)] {
            for (entry, call) in entries.iter().zip(governor.calls().split_off(8)) {
                let whole = [call.reveal_canonical().as_slice(), entry.salt().unwrap().reveal()].concat();
                assert_eq!(
                    entry.decision().digest().unwrap().as_bytes()[..],
                    Sha256::digest(&whole)[..]
                );
            }
        }
    }

    #[tokio::test]
    async fn an_entry_keeps_nothing_of_the_one_in_whose_place_it_stands() {
        let no = || Verdict::deny(Reason::new("rejected", "no"));
        let governor = FakeGovernor::new().then(no()).then(no());
        let governor = (0..4).fold(governor, |governor, _| governor.then(Verdict::allow()));
        let harness = harness(&governor).build().await.unwrap();
        harness
            .scope(async {
                assert!(double(1).await.is_err());
                assert!(double(1).await.is_err());
                assert_eq!(add(1, 2).await.unwrap(), 3);
                assert_eq!(add(1, 2).await.unwrap(), 3);
            })
            .await;
        let replaced: Vec<_> = harness.records().iter().map(said).collect();
        harness
            .scope(async { (add(3, 4).await.unwrap(), add(3, 4).await.unwrap()) })
            .await;
        let again: Vec<_> = harness.records().iter().map(said).collect();
        assert_eq!(replaced, again);
        assert!(
            replaced
                .iter()
                .all(|entry| !entry.contains("double") && !entry.contains("\"rejected\""))
        );
    }
}
