//! What an approval lets run, and what it does not.

use std::sync::Arc;
use std::time::Duration;

use managed_agents::approval::{ApproverKey, TicketState};
use managed_agents::home::Choice;
use managed_agents::identity::AgentState;
use managed_agents::testing::{FakeGovernor, VirtualClock};
use managed_agents::{GovernedBy as _, Reason, Verdict, assert_denied, assert_escalated};

use crate::support::{Shop, pay};

#[tokio::test]
async fn an_approval_from_another_process_runs_exactly_that_call_once() {
    let shop = Shop::new("once");
    let bot = shop.harness(|builder| builder);
    let denied = assert_escalated!(shop.pay(&bot, "bob", 5).await, "risk_high");
    let ticket = denied.ticket().unwrap().to_owned();
    assert_eq!(
        assert_escalated!(shop.pay(&bot, "bob", 5).await).ticket(),
        Some(&*ticket)
    );
    assert_ne!(
        assert_escalated!(shop.pay(&bot, "bob", 6).await).ticket(),
        Some(&*ticket)
    );
    assert_eq!(bot.pending().len(), 2);
    shop.approve(&ticket);
    assert_eq!(shop.state(&ticket), TicketState::Approved);
    assert_escalated!(shop.pay(&bot, "eve", 5).await);
    assert_eq!(shop.runs(), 0);
    assert_eq!(shop.pay(&bot, "bob", 5).await.unwrap(), 5);
    assert_eq!(shop.runs(), 1);
    let used = shop.ticket(&ticket);
    assert_eq!(used.state(), TicketState::Consumed);
    assert!(used.ran().is_some() && used.decisions().is_empty());
    // the next one waits anew
    assert_ne!(
        assert_escalated!(shop.pay(&bot, "bob", 5).await).ticket(),
        Some(&*ticket)
    );
    assert_eq!(shop.runs(), 1);
    drop(bot);
    shop.sound();
}

#[tokio::test]
async fn the_same_call_joins_its_ticket_after_a_restart_and_in_another_process() {
    let shop = Shop::new("restart");
    let bot = shop.harness(|builder| builder);
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    drop(bot);
    let (one, other) = (shop.harness(|builder| builder), shop.harness(|builder| builder));
    assert_eq!(
        assert_escalated!(shop.pay(&one, "bob", 5).await).ticket(),
        Some(&*ticket)
    );
    shop.approve(&ticket);
    assert_eq!(shop.pay(&other, "bob", 5).await.unwrap(), 5);
    assert_escalated!(shop.pay(&one, "bob", 5).await);
    assert_eq!(shop.runs(), 1);
}

#[tokio::test]
async fn what_the_reviewer_sees_holds_no_redacted_value_and_the_database_no_binding_of_a_used_ticket() {
    let shop = Shop::new("shown");
    let bot = shop.harness(|builder| builder);
    let ticket = assert_escalated!(shop.pay(&bot, "bob\u{202e}", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    let shown = shop.ticket(&ticket).shown().unwrap().clone();
    assert_eq!(
        shown.arguments,
        "{\"cents\":5,\"memo\":\"[redacted]\",\"to\":\"bob\u{202e}\"}"
    );
    assert!(shown.redacted && shown.reasons[0].code == "risk_high" && shown.risk == "high");
    let waiting = bot.pending().pop().unwrap();
    assert_eq!(waiting.id(), ticket);
    assert!(waiting.arguments_for_display().to_string().contains(r"bob\u{202e}"));
    shop.approve(&ticket);
    shop.pay(&bot, "bob\u{202e}", 5).await.unwrap();
    let db = rusqlite::Connection::open(shop.place.data().join("record.db")).unwrap();
    let left: i64 = db
        .query_row(
            "SELECT (SELECT count(*) FROM bound) + (SELECT count(*) FROM decisions)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn revoked_changed_expired_and_removed_are_refused_each_with_its_code() {
    let shop = Shop::new("codes");
    let bot = shop.harness(|builder| builder);
    let approved = async |cents| {
        let ticket = assert_escalated!(shop.pay(&bot, "bob", cents).await)
            .ticket()
            .unwrap()
            .to_owned();
        shop.approve(&ticket);
        ticket
    };
    // other rules: the same harness but for one setting
    let ticket = approved(1).await;
    let other = shop.harness(|builder| builder.fail_open(true));
    let denied = assert_denied!(shop.pay(&other, "bob", 1).await, "rules_changed");
    assert_eq!(denied.ticket(), Some(&*ticket));
    assert_eq!(shop.state(&ticket), TicketState::Cancelled);
    // an approver who was removed meanwhile
    let (home, bob) = (shop.home(), ApproverKey::generate().unwrap());
    home.enrol_approver("bob", bob.public(), false, &shop.ann).unwrap();
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 2).await)
        .ticket()
        .unwrap()
        .to_owned();
    home.decide(&ticket, &Choice::approve(), &bob).unwrap();
    let bobs = home.approvers().unwrap().members()[1].key().id();
    home.remove_approver(bobs, &shop.ann).unwrap();
    assert_denied!(shop.pay(&bot, "bob", 2).await, "approver_not_enrolled");
    // expired, and recorded as such
    let clock = VirtualClock::new();
    let slow = shop.harness(|builder| {
        builder
            .virtual_clock(clock.clone())
            .ticket_lifetime(Duration::from_secs(60))
    });
    let ticket = assert_escalated!(shop.pay(&slow, "bob", 3).await)
        .ticket()
        .unwrap()
        .to_owned();
    slow.approve(&ticket, &shop.ann).unwrap();
    clock.advance(Duration::from_secs(60));
    assert_denied!(shop.pay(&slow, "bob", 3).await, "approval_expired");
    assert_eq!(shop.state(&ticket), TicketState::Expired);
    let entries = shop.reader().entries(0, usize::MAX).unwrap();
    let body = format!(r#"{{"state":"expired","ticket":"{ticket}"}}"#);
    assert!(
        entries
            .iter()
            .any(|entry| entry.kind() == "ticket" && entry.raw("body") == Some(&*body))
    );
    // the agent is revoked
    approved(4).await;
    home.set_state("shop", AgentState::Revoked, "test").unwrap();
    assert_denied!(shop.pay(&bot, "bob", 4).await, "agent_revoked");
    assert_eq!(shop.runs(), 0);
    drop((bot, other, slow, home));
    shop.sound();
}

#[tokio::test]
async fn a_denial_or_another_reason_after_the_approval_is_not_covered() {
    let shop = Shop::new("judged-anew");
    let ask = |code: &'static str| Verdict::escalate(Reason::new(code, "ask"));
    let governor = FakeGovernor::new()
        .then(ask("one"))
        .then(ask("two"))
        .then(ask("two"))
        .then(Verdict::deny(Reason::new("closed", "the shop is closed")));
    let bot = shop.harness(|builder| builder.governor(governor));
    let first = assert_escalated!(shop.pay(&bot, "bob", 5).await, "one")
        .ticket()
        .unwrap()
        .to_owned();
    shop.approve(&first);
    let second = assert_escalated!(shop.pay(&bot, "bob", 5).await, "two")
        .ticket()
        .unwrap()
        .to_owned();
    assert_ne!(first, second);
    assert_eq!(shop.state(&first), TicketState::Cancelled);
    shop.approve(&second);
    assert_eq!(shop.state(&second), TicketState::Approved);
    let used = shop.pay(&bot, "bob", 5).await;
    assert_eq!(used.unwrap(), 5);
    assert_eq!(shop.runs(), 1);
    drop(bot);
    shop.sound();
}

#[tokio::test]
async fn an_approved_call_that_is_denied_by_now_is_told_so() {
    let shop = Shop::new("denied");
    let governor = FakeGovernor::new()
        .then(Verdict::escalate(Reason::new("ask", "ask")))
        .then(Verdict::deny(Reason::new("closed", "the shop is closed")))
        .then(Verdict::escalate(Reason::new("ask", "ask")));
    let bot = shop.harness(|builder| builder.governor(governor));
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    shop.approve(&ticket);
    let denied = assert_denied!(shop.pay(&bot, "bob", 5).await, "changed_since_approval");
    assert_eq!(denied.ticket(), Some(&*ticket));
    assert_eq!(shop.last_codes(), ["changed_since_approval", "closed"]);
    // the approval is gone for good
    assert_ne!(
        assert_escalated!(shop.pay(&bot, "bob", 5).await).ticket(),
        Some(&*ticket)
    );
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn several_people_must_approve_where_a_reason_asks_for_them() {
    let shop = Shop::new("k-of-n");
    let two = Verdict::escalate(Reason::new("ask", "ask").with_approvers(2));
    let governor = FakeGovernor::new().then(two.clone()).then(two.clone()).then(two);
    let bot = shop.harness(|builder| builder.governor(governor));
    let (home, bob) = (shop.home(), ApproverKey::generate().unwrap());
    home.enrol_approver("bob", bob.public(), false, &shop.ann).unwrap();
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    home.decide(&ticket, &Choice::approve(), &shop.ann).unwrap();
    let again = home.decide(&ticket, &Choice::approve(), &shop.ann).unwrap_err();
    assert_eq!(again.code(), "another_must_approve");
    assert_escalated!(shop.pay(&bot, "bob", 5).await);
    assert_eq!(shop.state(&ticket), TicketState::Pending);
    home.decide(&ticket, &Choice::approve(), &bob).unwrap();
    assert_eq!(shop.pay(&bot, "bob", 5).await.unwrap(), 5);
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn an_approval_may_hold_for_its_session_only() {
    let shop = Shop::new("session");
    let bot = shop.harness(|builder| builder);
    let (monday, tuesday) = (bot.session("monday"), bot.session("tuesday"));
    let call = || pay("bob", 5, "s3cret", Arc::clone(&shop.runs));
    let ticket = assert_escalated!(monday.scope(call()).await)
        .ticket()
        .unwrap()
        .to_owned();
    shop.decide(&ticket, &Choice::approve().in_same_session());
    assert_denied!(tuesday.scope(call()).await, "other_session");
    assert_denied!(call().governed_by(&bot).await, "other_session");
    assert_eq!(monday.scope(call()).await.unwrap(), 5);
    assert_eq!(shop.runs(), 1);
}

#[tokio::test]
async fn a_rejection_reaches_the_model_and_the_owner_may_be_excluded() {
    let shop = Shop::new("rejected");
    let bot = shop.harness(|builder| builder);
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    shop.decide(&ticket, &Choice::reject("not this month"));
    let denied = assert_denied!(shop.pay(&bot, "bob", 5).await, "rejected");
    assert_eq!(
        denied.reason_for_model(),
        "a person rejected this call; do not repeat it: not this month"
    );
    let home = shop.home();
    let bob = ApproverKey::generate().unwrap();
    home.enrol_approver("bob@example.com", bob.public(), false, &shop.ann)
        .unwrap();
    let agent = managed_agents::AgentId::parse("shop").unwrap();
    home.register(&managed_agents::identity::Enrolment::new(agent).owner("Bob@example.com"))
        .unwrap();
    let strict = shop.harness(|builder| builder.owner_may_not_approve());
    let ticket = assert_escalated!(shop.pay(&strict, "bob", 6).await)
        .ticket()
        .unwrap()
        .to_owned();
    assert_eq!(strict.approve(&ticket, &bob).unwrap_err().code(), "approver_excluded");
    // the command knows no such setting: the redemption does
    home.decide(&ticket, &Choice::approve(), &bob).unwrap();
    assert_denied!(shop.pay(&strict, "bob", 6).await, "approver_excluded");
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn a_cancelled_ticket_and_an_erased_subject_let_nothing_run() {
    let shop = Shop::new("cancelled");
    let bot = shop.harness(|builder| builder);
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    shop.approve(&ticket);
    shop.decide(&ticket, &Choice::cancel());
    assert_eq!(shop.state(&ticket), TicketState::Cancelled);
    let next = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    shop.approve(&next);
    let home = shop.home();
    home.erase_signed("shop", &shop.ann).unwrap();
    assert_eq!(shop.state(&next), TicketState::Cancelled);
    assert!(shop.ticket(&next).shown().is_none(), "what people were shown is erased");
    assert_escalated!(shop.pay(&bot, "bob", 5).await);
    assert_eq!(shop.runs(), 0);
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn too_many_pending_calls_are_refused() {
    let shop = Shop::new("many");
    let bot = shop.harness(|builder| builder.most_pending(3));
    for cents in 0..3 {
        assert_escalated!(shop.pay(&bot, "bob", cents).await);
    }
    assert_denied!(shop.pay(&bot, "bob", 3).await, "too_many_pending");
    assert_escalated!(shop.pay(&bot, "bob", 0).await);
    assert_eq!(shop.open_tickets().len(), 3);
}
