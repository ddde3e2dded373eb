//! Approvals in this process: signed by an enrolled key, bound to one call, and used at most once (law 8).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use managed_agents::approval::{ApprovalErrorKind, ApproverKey};
use managed_agents::audit::Disposition;
use managed_agents::testing::{FakeGovernor, VirtualClock};
use managed_agents::{
    Decision, DenialKind, GovernanceDenied, GovernedBy as _, Harness, Reason, Risk, ToolMeta, Verdict, assert_denied,
    assert_escalated, governed,
};

/// Pays.
#[governed(risk = high, skip(runs), redact(memo))]
async fn pay(to: &str, cents: u64, memo: &str, runs: Arc<AtomicUsize>) -> Result<u64, GovernanceDenied> {
    let _ = (to, memo);
    runs.fetch_add(1, Ordering::SeqCst);
    Ok(cents)
}

struct Shop {
    harness: Harness,
    key: ApproverKey,
    runs: Arc<AtomicUsize>,
}

impl Shop {
    fn new(
        build: impl FnOnce(managed_agents::harness::HarnessBuilder) -> managed_agents::harness::HarnessBuilder,
    ) -> Self {
        let key = ApproverKey::generate().unwrap();
        let builder = Harness::builder()
            .in_memory()
            .agent_id("shop")
            .approver("ann", key.public());
        Self {
            harness: build(builder).build_blocking().unwrap(),
            key,
            runs: Arc::default(),
        }
    }

    async fn pay(&self, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
        let call = pay(to, cents, "s3cret", Arc::clone(&self.runs));
        call.governed_by(&self.harness).await
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn an_approval_lets_exactly_that_call_run_once() {
    let shop = Shop::new(|builder| builder);
    let denied = assert_escalated!(shop.pay("bob", 5).await, "risk_high");
    let ticket = denied.ticket().unwrap();
    assert_eq!(shop.harness.pending().len(), 1);
    // the same call joins the same ticket, another does not
    assert_eq!(assert_escalated!(shop.pay("bob", 5).await).ticket(), Some(ticket));
    let other = assert_escalated!(shop.pay("bob", 6).await);
    assert_ne!(other.ticket(), Some(ticket));
    shop.harness.approve(ticket, &shop.key).unwrap();
    assert_escalated!(shop.pay("eve", 5).await);
    assert_eq!(shop.runs(), 0);
    assert_eq!(shop.pay("bob", 5).await.unwrap(), 5);
    assert_eq!(shop.runs(), 1);
    let record = shop.harness.records().pop().unwrap();
    assert_eq!(record.decision().disposition(), Disposition::Approved);
    assert_eq!(record.decision().decision(), Decision::Escalate);
    assert_eq!(record.decision().ticket(), Some(ticket));
    // used: the next one waits anew
    let again = assert_escalated!(shop.pay("bob", 5).await);
    assert_ne!(again.ticket(), Some(ticket));
    assert_eq!(shop.runs(), 1);
}

#[tokio::test]
async fn the_model_is_told_who_decides_the_ticket_and_what_to_do_then() {
    let shop = Shop::new(|builder| builder);
    let denied = assert_escalated!(shop.pay("bob", 5).await, "risk_high");
    let ticket = denied.ticket().unwrap();
    let told = format!(
        "a person must approve this call first (ticket {ticket}). Once it is approved, repeat the same call with unchanged \
         arguments. Why: this is a tool of high risk, so a person must approve it."
    );
    assert_eq!(denied.reason_for_model(), told);
    assert_eq!(denied.to_tool_error()["error"]["message"], told);
    // the same words each time, and nothing of the call but its ticket
    assert_eq!(shop.pay("bob", 5).await.unwrap_err().reason_for_model(), told);
    assert!(!told.contains("bob") && !told.contains("s3cret"));
    // the operator's text is the judge's
    assert_eq!(denied.detail(), "`pay` is a tool of high risk");
}

#[tokio::test(start_paused = true)]
async fn the_model_is_told_that_nobody_decided_in_time() {
    let shop = Shop::new(|builder| builder.wait_for_approval(Duration::from_secs(30)));
    let denied = assert_escalated!(shop.pay("bob", 5).await, "risk_high");
    let told = denied.reason_for_model();
    assert!(told.starts_with("nobody has decided on this call in time"), "{told}");
    assert!(told.contains(denied.ticket().unwrap()), "{told}");
    assert!(told.contains("repeat the same call with unchanged arguments"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_calls_that_race_for_one_approval_one_runs() {
    let shop = Arc::new(Shop::new(|builder| builder));
    let denied = assert_escalated!(shop.pay("bob", 5).await);
    shop.harness.approve(denied.ticket().unwrap(), &shop.key).unwrap();
    let racers: Vec<_> = (0..1000)
        .map(|_| {
            let shop = Arc::clone(&shop);
            tokio::spawn(async move { shop.pay("bob", 5).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        won += usize::from(racer.await.unwrap());
    }
    assert_eq!((won, shop.runs()), (1, 1));
}

#[tokio::test]
async fn only_an_enrolled_key_decides_and_only_once() {
    let shop = Shop::new(|builder| builder);
    let stranger = ApproverKey::generate().unwrap();
    let denied = assert_escalated!(shop.pay("bob", 5).await);
    let ticket = denied.ticket().unwrap();
    let error = shop.harness.approve(ticket, &stranger).unwrap_err();
    assert_eq!(error.kind(), ApprovalErrorKind::NotEnrolled);
    assert_escalated!(shop.pay("bob", 5).await);
    let error = shop.harness.approve("tkt_none", &shop.key).unwrap_err();
    assert_eq!(error.kind(), ApprovalErrorKind::UnknownTicket);
    shop.harness.reject(ticket, &shop.key, "not this month").unwrap();
    let error = shop.harness.approve(ticket, &shop.key).unwrap_err();
    assert_eq!(error.kind(), ApprovalErrorKind::AlreadyDecided);
    let denied = assert_denied!(shop.pay("bob", 5).await, "rejected");
    assert_eq!(denied.kind(), DenialKind::Denied);
    assert_eq!(
        denied.reason_for_model(),
        "a person rejected this call; do not repeat it: not this month"
    );
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn a_call_may_wait_for_its_approval() {
    let shop = Arc::new(Shop::new(|builder| builder.wait_for_approval(Duration::from_secs(30))));
    let waiting = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.pay("bob", 5).await }
    });
    let ticket = loop {
        match shop.harness.pending().pop() {
            Some(ticket) => break ticket,
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!(ticket.tool(), "pay");
    assert_eq!(ticket.arguments(), r#"{"cents":5,"memo":"[redacted]","to":"bob"}"#);
    assert_eq!(ticket.arguments_for_display().to_string(), ticket.arguments());
    assert_eq!(shop.runs(), 0);
    shop.harness.approve(ticket.id(), &shop.key).unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 5);
    let dispositions: Vec<_> = shop
        .harness
        .records()
        .iter()
        .map(|entry| entry.decision().disposition())
        .collect();
    assert_eq!(dispositions, [Disposition::Queued, Disposition::Approved]);
}

#[tokio::test]
async fn what_turns_or_hides_text_is_escaped_for_the_person_who_looks() {
    let shop = Shop::new(|builder| builder);
    assert_escalated!(shop.pay("bob\u{202e}eve\u{200b}\u{1b}", 5).await);
    let ticket = shop.harness.pending().pop().unwrap();
    assert_eq!(
        ticket.arguments_for_display().to_string(),
        r#"{"cents":5,"memo":"[redacted]","to":"bob\u{202e}eve\u{200b}\u001b"}"#
    );
}

#[tokio::test]
async fn a_rejection_ends_the_wait() {
    let shop = Arc::new(Shop::new(|builder| builder.wait_for_approval(Duration::from_secs(30))));
    let waiting = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { shop.pay("bob", 5).await }
    });
    while shop.harness.pending().is_empty() {
        tokio::task::yield_now().await;
    }
    shop.harness
        .reject(shop.harness.pending()[0].id(), &shop.key, "no")
        .unwrap();
    assert_denied!(waiting.await.unwrap(), "rejected");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_nobody_ends_is_a_refusal() {
    let shop = Shop::new(|builder| builder.wait_for_approval(Duration::from_secs(30)));
    assert_escalated!(shop.pay("bob", 5).await, "risk_high");
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn an_approval_that_is_not_used_in_time_is_worth_nothing() {
    let clock = VirtualClock::new();
    let shop = Shop::new(|builder| builder.virtual_clock(clock.clone()));
    let denied = assert_escalated!(shop.pay("bob", 5).await);
    shop.harness.approve(denied.ticket().unwrap(), &shop.key).unwrap();
    clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_denied!(shop.pay("bob", 5).await, "approval_expired");
    assert_escalated!(shop.pay("bob", 5).await, "risk_high");
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn no_more_than_twenty_calls_wait_at_once() {
    let shop = Shop::new(|builder| builder);
    for cents in 0..20 {
        assert_escalated!(shop.pay("bob", cents).await);
    }
    assert_denied!(shop.pay("bob", 20).await, "too_many_pending");
    assert_eq!(shop.harness.pending().len(), 20);
}

#[tokio::test]
async fn an_approval_covers_the_reasons_that_were_shown_and_no_new_one() {
    let ask = |code: &'static str| Verdict::escalate(Reason::new(code, "ask"));
    let governor = FakeGovernor::new().then(ask("one")).then(ask("two")).then(ask("one"));
    let shop = Shop::new(|builder| builder.governor(governor));
    let denied = assert_escalated!(shop.pay("bob", 5).await, "one");
    shop.harness.approve(denied.ticket().unwrap(), &shop.key).unwrap();
    let denied = assert_escalated!(shop.pay("bob", 5).await, "two");
    assert_ne!(denied.ticket(), None);
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn a_denial_after_the_approval_is_a_denial() {
    let governor = FakeGovernor::new()
        .then(Verdict::escalate(Reason::new("ask", "ask")))
        .then(Verdict::deny(Reason::new("changed", "the rules changed")));
    let shop = Shop::new(|builder| builder.governor(governor));
    let denied = assert_escalated!(shop.pay("bob", 5).await);
    shop.harness.approve(denied.ticket().unwrap(), &shop.key).unwrap();
    let denied = assert_denied!(shop.pay("bob", 5).await, "changed_since_approval");
    let verdict = denied.verdict().unwrap();
    let codes: Vec<_> = verdict.reasons().iter().map(Reason::code).collect();
    assert_eq!(codes, ["changed_since_approval", "changed"]);
    assert_eq!(shop.runs(), 0);
}

/// The table of DESIGN: the verdict out of the box, with no policy written.
#[tokio::test]
async fn declared_risk_decides_when_nothing_else_does() {
    let tools = [
        (ToolMeta::new("low").with_risk(Risk::Low), None),
        (ToolMeta::new("medium").with_risk(Risk::Medium), None),
        (ToolMeta::new("bare"), None),
        (ToolMeta::new("reads").read_only(), None),
        (ToolMeta::new("high").with_risk(Risk::High), Some("risk_high")),
        (
            ToolMeta::new("high_reads").with_risk(Risk::High).read_only(),
            Some("risk_high"),
        ),
        (
            ToolMeta::new("critical").with_risk(Risk::Critical),
            Some("risk_critical"),
        ),
        (ToolMeta::new("irreversible").irreversible(), Some("irreversible")),
        (
            ToolMeta::new("low_irreversible").with_risk(Risk::Low).irreversible(),
            Some("irreversible"),
        ),
    ];
    let shop = Shop::new(|builder| {
        tools
            .iter()
            .fold(builder, |builder, (meta, _)| builder.declare(meta.clone()))
    });
    for (meta, code) in &tools {
        let result = shop.harness.govern(meta.name(), "{}").await;
        match code {
            None => result.unwrap().finish(managed_agents::Outcome::Ok),
            Some(code) => drop(assert_escalated!(result, *code)),
        }
    }
    assert_escalated!(shop.harness.govern("nobody_declared", "{}").await, "undeclared_name");
    assert_eq!(shop.harness.undeclared(), ["bare"]);
    let bare = shop.harness.records()[2].clone();
    assert!(bare.decision().is_undeclared());
}

/// Pays what it was told last.
#[governed(risk = high, exact)]
async fn wire(to: String, cents: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("{to} has {cents}"))
}

#[tokio::test]
async fn an_edited_call_is_judged_anew_and_runs_once_with_what_was_signed() {
    let ask = |code: &'static str| Verdict::escalate(Reason::new(code, "ask"));
    let governor = FakeGovernor::new()
        // asked for, and as edited something that nobody was shown
        .then(ask("one"))
        .then(ask("one"))
        .then(ask("two"))
        // asked for, and as edited allowed
        .then(ask("one"))
        .then(ask("one"))
        .then(Verdict::allow())
        // asked for, and as edited denied
        .then(ask("one"))
        .then(ask("one"))
        .then(Verdict::deny(Reason::new("closed", "the shop is closed")))
        .then(ask("one"));
    let judged = governor.clone();
    let shop = Shop::new(|builder| builder.governor(governor));
    let make = || wire("bob".to_owned(), 500).governed_by(&shop.harness);
    let edited = async || {
        let ticket = assert_escalated!(make().await).ticket().unwrap().to_owned();
        shop.harness
            .approve_edited(&ticket, r#"{"cents":5}"#, &shop.key)
            .unwrap();
        (make().await, ticket)
    };
    let (denied, _) = edited().await;
    assert_denied!(denied, "edit_not_covered");
    let (done, ticket) = edited().await;
    assert_eq!(done.unwrap(), "bob has 5");
    assert_eq!(judged.calls()[5].arguments(), r#"{"cents":5,"to":"bob"}"#);
    let record = shop.harness.records().pop().unwrap();
    assert_eq!(record.decision().disposition(), Disposition::Approved);
    assert_eq!(record.decision().ticket(), Some(&*ticket));
    let (denied, _) = edited().await;
    assert_denied!(denied, "changed_since_approval");
    // each is used up
    assert_escalated!(make().await);
    // what is not exact is approved as it is, or not at all
    let loose = Shop::new(|builder| builder);
    let denied = assert_escalated!(loose.pay("bob", 5).await);
    let error = loose
        .harness
        .approve_edited(denied.ticket().unwrap(), r#"{"cents":4}"#, &loose.key)
        .unwrap_err();
    assert_eq!(error.code(), "not_editable");
}

#[tokio::test]
async fn several_people_must_approve_the_same_where_a_reason_asks_for_them() {
    let two = Verdict::escalate(Reason::new("ask", "ask").with_approvers(2));
    let bob = ApproverKey::generate().unwrap();
    let shop = Shop::new(|builder| {
        let builder = builder.governor(FakeGovernor::always(two));
        // the same key under two names is one person
        let ann = builder.approver("bob", bob.public());
        ann.approver("bob again", bob.public())
    });
    let make = || wire("bob".to_owned(), 500).governed_by(&shop.harness);
    let ticket = assert_escalated!(make().await).ticket().unwrap().to_owned();
    let edit = r#"{"cents":5}"#;
    shop.harness.approve_edited(&ticket, edit, &bob).unwrap();
    let code = |done: Result<(), managed_agents::approval::ApprovalError>| done.unwrap_err().code();
    assert_eq!(
        code(shop.harness.approve_edited(&ticket, edit, &bob)),
        "another_must_approve"
    );
    assert_eq!(code(shop.harness.approve(&ticket, &shop.key)), "edited_otherwise");
    assert_escalated!(make().await);
    shop.harness.approve_edited(&ticket, edit, &shop.key).unwrap();
    assert_eq!(make().await.unwrap(), "bob has 5");
}
