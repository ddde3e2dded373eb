//! The short way of most calls: every judge plainly allows them, the record is in memory, and no callback is told.
//!
//! It says what the long way (`admit.rs`) would say of such a call, to the record and to who remembers behaviour, with less
//! to carry along; tests compare both.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Inner;
use super::guard::Guard;
use super::scope::Scope;
use super::span;
use crate::audit::{Disposition, Sequence, Traits, TrustNote};
use crate::call::ToolCall;
use crate::store::AllowedCall;
use crate::verdict::{Basis, Decision, LocalEvaluation, Scores, Verdict};

/// A call that is recorded as allowed. Nothing in it is to be dropped, so that it need not lie in memory on its way.
#[derive(Clone, Copy)]
pub(super) struct Recorded {
    evaluation: LocalEvaluation,
    place: Sequence,
    started: Instant,
    at: SystemTime,
    since: u64,
    ucs: Option<f64>,
}

/// Records that a call is allowed, where it may go the short way; else gives back what the verdict was reached on.
#[inline(always)]
pub(super) fn record(
    inner: &Inner,
    call: &ToolCall,
    mut basis: Option<Arc<Basis>>,
) -> Result<Recorded, Option<Arc<Basis>>> {
    let Some(memory) = inner.memory.as_ref() else {
        return Err(basis);
    };
    if inner.observe_only || !inner.callbacks.is_empty() || call.has_details() {
        return Err(basis);
    }
    let evaluation = inner.next_local_evaluation();
    // a stop that comes from here on is seen by the record, or by the body before it begins
    let since = inner.interrupts.number();
    let started = Instant::now();
    let at = inner.clock.at(started);
    let trust = inner
        .watcher
        .as_ref()
        .and_then(|_| inner.governor.trust(call, at, false));
    let (rules, ucs) = match basis.as_deref() {
        Some(basis) => (
            Some(inner.rules.with(basis.rules)),
            basis.scores.as_ref().map(Scores::ucs),
        ),
        None => (inner.rules_of_bare_verdict(), None),
    };
    let allowed = AllowedCall {
        at,
        evaluation,
        call,
        rules,
        trust: trust.map(TrustNote::from),
    };
    match memory.allowed(allowed, &mut basis) {
        Some(place) => Ok(Recorded {
            evaluation,
            place,
            started,
            at,
            since,
            ucs,
        }),
        None => Err(basis),
    }
}

impl Recorded {
    /// Tells who listens, and admits the call.
    #[inline(always)]
    pub(super) fn admit(self, scope: Scope, call: Arc<ToolCall>, span: Option<Box<tracing::Span>>) -> Guard {
        if scope.harness.inner().watcher.is_some() {
            scope.hear(self.place, self.at, call.head(), Traits::of_allowed(&call));
        }
        if let Some(session) = &scope.session {
            session.count(Decision::Allow, self.ucs, &self.evaluation.into());
        }
        if let Some(span) = &span {
            let evaluation = self.evaluation.into();
            span::decided(span, &Verdict::allow(), Disposition::Allowed, &evaluation);
        }
        Guard::new(
            scope.into_within(),
            call,
            self.evaluation.into(),
            self.place,
            (self.started, self.at),
            self.since,
            span,
        )
    }
}

#[cfg(all(test, feature = "macros"))]
mod tests {
    use sha2::{Digest as _, Sha256};
    #[cfg(feature = "engine")]
    use {
        crate::answer::Answer,
        crate::audit::{Event, Watcher},
        crate::call::{Digest, ToolCall},
        crate::governor::{Governor, GovernorError, Judgement},
        std::sync::Arc,
        std::time::SystemTime,
    };

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
                decision.trust,
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

    /// An engine, and what the watcher beside it hears.
    #[cfg(feature = "engine")]
    struct Watched(crate::Engine, Arc<Hearing>);

    #[cfg(feature = "engine")]
    #[derive(Default)]
    struct Hearing(std::sync::Mutex<Vec<String>>);

    #[cfg(feature = "engine")]
    impl Watcher for Hearing {
        fn heard(&self, event: &Event<'_>) {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(format!("{event:?}"));
        }
    }

    #[cfg(feature = "engine")]
    impl Governor for Watched {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
            self.0.decide(call)
        }

        fn rules(&self) -> Option<Digest> {
            self.0.rules()
        }

        fn watcher(&self) -> Option<Arc<dyn Watcher>> {
            Some(Arc::clone(&self.1) as Arc<dyn Watcher>)
        }

        fn trust(&self, call: &ToolCall, at: SystemTime, fault: bool) -> Option<(u32, u32, u64)> {
            self.0.trust(call, at, fault)
        }
    }

    #[cfg(feature = "engine")]
    #[tokio::test]
    async fn who_remembers_behaviour_hears_on_the_short_way_what_they_hear_on_the_long_way() {
        let (short, long) = (Arc::<Hearing>::default(), Arc::<Hearing>::default());
        let watched = |hearing: &Arc<Hearing>| {
            Harness::builder()
                .keep_in_memory(100)
                .agent_id("a")
                .governor(Watched(crate::Engine::new(), Arc::clone(hearing)))
                .virtual_clock(VirtualClock::new())
        };
        let one = calls(&watched(&short).build().await.unwrap()).await;
        let other = calls(&watched(&long).on_verdict(|_| {}).build().await.unwrap()).await;
        assert!(
            one.iter()
                .all(|entry| entry.decision().trust.is_some() && entry.decision().rules().is_some())
        );
        let texts = |entries: &[MemoryEntry]| entries.iter().map(said).collect::<Vec<_>>();
        assert_eq!(texts(&one), texts(&other));
        let (short, long) = (short.0.lock().unwrap().clone(), long.0.lock().unwrap().clone());
        assert_eq!(short.len(), 20, "ten decisions and ten outcomes");
        assert_eq!(short, long);
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
