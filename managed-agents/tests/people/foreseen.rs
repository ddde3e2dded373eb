//! What another process approved is read before the call comes back for it, which saves the call a look at the database and nothing
//! else: whatever changes between has its effect.

use std::time::Duration;

use managed_agents::approval::{ApproverKey, TicketState};
use managed_agents::home::Choice;
use managed_agents::identity::AgentState;
use managed_agents::interrupt::{Stop, Target};
use managed_agents::testing::VirtualClock;
use managed_agents::{AgentId, Harness, assert_denied, assert_escalated};

use crate::support::{Shop, pay};

/// Longer than the program waits between two looks, by several.
async fn looked() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}

async fn waiting(shop: &Shop, bot: &Harness, cents: u64) -> String {
    let denied = assert_escalated!(shop.pay(bot, "bob", cents).await);
    denied.ticket().unwrap().to_owned()
}

/// A ticket that another process approved, and this program has read.
async fn foreseen(shop: &Shop, bot: &Harness) -> String {
    let ticket = waiting(shop, bot, 5).await;
    shop.approve(&ticket);
    looked().await;
    ticket
}

#[tokio::test]
async fn it_runs_its_call_once_whatever_else_is_called_meanwhile() {
    let shop = Shop::new("foreseen");
    let bot = shop.harness(|builder| builder);
    let ticket = foreseen(&shop, &bot).await;
    let other = waiting(&shop, &bot, 6).await;
    assert_ne!(other, ticket);
    assert_eq!(shop.pay(&bot, "bob", 5).await.unwrap(), 5);
    assert_eq!(shop.state(&ticket), TicketState::Consumed);
    assert_ne!(waiting(&shop, &bot, 5).await, ticket, "it waits anew");
    assert_eq!(waiting(&shop, &bot, 6).await, other);
    assert_eq!(shop.runs(), 1);
    drop(bot);
    shop.sound();
}

#[tokio::test]
async fn a_row_that_is_not_what_it_was_lets_nothing_run_that_it_would_not_have_let_run() {
    for (name, sql) in [
        (
            "state",
            "UPDATE tickets SET state = 'edited'; UPDATE bound SET state = 'edited'",
        ),
        ("digest", "UPDATE tickets SET digest = zeroblob(32)"),
        ("rules", "UPDATE tickets SET rules = zeroblob(32)"),
        ("needed", "UPDATE tickets SET needed = 2"),
        ("expiry", "UPDATE tickets SET expires = opened"),
        ("salt", "UPDATE bound SET salt = zeroblob(32)"),
        ("decision", "DELETE FROM decisions"),
        ("place", "UPDATE decisions SET place = place - 1"),
        (
            "statement",
            "UPDATE entries SET bytes = zeroblob(9) WHERE seq IN (SELECT place FROM decisions)",
        ),
        ("bound", "DELETE FROM bound"),
    ] {
        let shop = Shop::new(&format!("foreseen-{name}"));
        let bot = shop.harness(|builder| builder);
        let ticket = foreseen(&shop, &bot).await;
        shop.sql(sql);
        let denied = shop.pay(&bot, "bob", 5).await;
        assert!(denied.is_err(), "{name}: {denied:?}");
        assert_eq!(shop.runs(), 0, "{name}");
        assert_ne!(shop.state(&ticket), TicketState::Consumed, "{name}");
    }
}

#[tokio::test]
async fn an_edit_of_a_row_is_told_from_what_was_signed() {
    let shop = Shop::new("foreseen-edit");
    let bot = shop.harness(|builder| builder);
    let ticket = foreseen(&shop, &bot).await;
    shop.sql("UPDATE tickets SET state = 'edited'; INSERT INTO edits(ticket, nonce, box) SELECT place, x'00', x'00' FROM tickets");
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approval_forged");
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Cancelled, 0));
}

#[tokio::test]
async fn it_ends_with_its_approver_and_not_with_another() {
    let shop = Shop::new("foreseen-approver");
    let (bot, home) = (shop.harness(|builder| builder), shop.home());
    let bob = ApproverKey::generate().unwrap();
    let enrolled = home.enrol_approver("bob", bob.public(), false, &shop.ann).unwrap();
    let ticket = waiting(&shop, &bot, 5).await;
    home.decide(&ticket, &Choice::approve(), &bob).unwrap();
    looked().await;
    home.remove_approver(enrolled.key().id(), &shop.ann).unwrap();
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approver_not_enrolled");
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Cancelled, 0));
    let ticket = foreseen(&shop, &bot).await;
    let eve = ApproverKey::generate().unwrap();
    home.enrol_approver("eve", eve.public(), false, &shop.ann).unwrap();
    assert_eq!(shop.pay(&bot, "bob", 5).await.unwrap(), 5);
    assert_eq!(shop.state(&ticket), TicketState::Consumed);
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn it_is_nobodys_once_it_was_cancelled_used_or_erased_elsewhere() {
    let shop = Shop::new("foreseen-over");
    let (bot, other) = (shop.harness(|builder| builder), shop.harness(|builder| builder));
    let first = foreseen(&shop, &bot).await;
    shop.decide(&first, &Choice::cancel());
    let second = waiting(&shop, &bot, 5).await;
    assert_ne!(second, first, "it waits anew");
    shop.approve(&second);
    looked().await;
    assert_eq!(shop.pay(&other, "bob", 5).await.unwrap(), 5);
    let third = waiting(&shop, &bot, 5).await;
    assert_ne!(third, second, "it waits anew");
    shop.approve(&third);
    looked().await;
    let home = shop.home();
    home.erase_signed("shop", &shop.ann).unwrap();
    assert_ne!(waiting(&shop, &bot, 5).await, third, "it waits anew");
    assert_eq!(shop.runs(), 1);
    drop((bot, other, home));
    shop.sound();
}

#[tokio::test]
async fn it_expires_when_it_is_time() {
    let shop = Shop::new("foreseen-expired");
    let clock = VirtualClock::new();
    let program = || {
        shop.harness(|builder| {
            builder
                .virtual_clock(clock.clone())
                .ticket_lifetime(Duration::from_secs(60))
        })
    };
    let (bot, other) = (program(), program());
    let ticket = waiting(&shop, &bot, 5).await;
    other.approve(&ticket, &shop.ann).unwrap();
    looked().await;
    clock.advance(Duration::from_secs(60));
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approval_expired");
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Expired, 0));
}

#[tokio::test]
async fn a_rejection_is_told_whenever_it_was_read() {
    let shop = Shop::new("foreseen-rejected");
    let bot = shop.harness(|builder| builder);
    let ticket = waiting(&shop, &bot, 5).await;
    looked().await;
    shop.decide(&ticket, &Choice::reject("not this month"));
    looked().await;
    for _ in 0..2 {
        assert_denied!(shop.pay(&bot, "bob", 5).await, "rejected");
    }
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn who_is_stopped_or_suspended_elsewhere_uses_none() {
    let shop = Shop::new("foreseen-stopped");
    let (bot, home) = (shop.harness(|builder| builder), shop.home());
    let agent = AgentId::parse("shop").unwrap();
    let ticket = foreseen(&shop, &bot).await;
    home.stop(&Stop::of(Target::Agent(agent))).unwrap();
    shop.pay(&bot, "bob", 5).await.unwrap_err();
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Approved, 0));

    let shop = Shop::new("foreseen-suspended");
    let (bot, home) = (shop.harness(|builder| builder), shop.home());
    let agent = AgentId::parse("shop").unwrap();
    home.register(&managed_agents::identity::Enrolment::new(agent)).unwrap();
    let ticket = foreseen(&shop, &bot).await;
    home.set_state("shop", AgentState::Suspended, "test").unwrap();
    assert_denied!(shop.pay(&bot, "bob", 5).await, "agent_suspended");
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Approved, 0));
}

#[tokio::test]
async fn it_is_none_under_other_rules_nor_in_another_session() {
    let shop = Shop::new("foreseen-rules");
    let home = shop.home();
    let build = |fail_open| {
        let builder = Harness::builder()
            .agent_id("shop")
            .home(&home)
            .operator(&*shop.operator);
        builder.fail_open(fail_open).build_blocking().unwrap()
    };
    // they share what is read
    let (one, other) = (build(false), build(true));
    let (monday, tuesday) = (one.session("monday"), one.session("tuesday"));
    let call = || pay("bob", 6, "s3cret", std::sync::Arc::clone(&shop.runs));
    let denied = assert_escalated!(monday.scope(call()).await);
    shop.decide(denied.ticket().unwrap(), &Choice::approve().in_same_session());
    looked().await;
    assert_denied!(tuesday.scope(call()).await, "other_session");
    assert_eq!(monday.scope(call()).await.unwrap(), 6);
    let ticket = foreseen(&shop, &one).await;
    assert_denied!(shop.pay(&other, "bob", 5).await, "rules_changed");
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Cancelled, 1));
}
