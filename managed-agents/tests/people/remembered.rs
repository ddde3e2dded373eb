//! What a process remembers of tickets that it opened and approvals that it wrote saves it a look at the database, and lets nothing
//! run that the database does not: another process may have changed all of it.

use managed_agents::approval::{ApproverKey, TicketState};
use managed_agents::home::Choice;
use managed_agents::{Harness, assert_denied, assert_escalated};

use crate::support::Shop;

async fn waiting(shop: &Shop, bot: &Harness, cents: u64) -> String {
    assert_escalated!(shop.pay(bot, "bob", cents).await)
        .ticket()
        .unwrap()
        .to_owned()
}

/// A program that has looked the people up, so that it remembers what it approves.
async fn bot(shop: &Shop) -> Harness {
    let bot = shop.harness(|builder| builder);
    let ticket = waiting(shop, &bot, 1).await;
    bot.approve(&ticket, &shop.ann).unwrap();
    shop.pay(&bot, "bob", 1).await.unwrap();
    bot
}

#[tokio::test]
async fn an_approval_of_this_process_that_another_takes_back_runs_nothing() {
    let shop = Shop::new("taken-back");
    let bot = bot(&shop).await;
    let ticket = waiting(&shop, &bot, 5).await;
    bot.approve(&ticket, &shop.ann).unwrap();
    shop.decide(&ticket, &Choice::cancel());
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approval_cancelled");
    assert_ne!(waiting(&shop, &bot, 5).await, ticket, "it waits anew");
    assert_eq!(shop.runs(), 1);
    drop(bot);
    shop.sound();
}

#[tokio::test]
async fn an_approval_of_this_process_runs_once_though_another_process_uses_it() {
    let shop = Shop::new("used-elsewhere");
    let (one, other) = (bot(&shop).await, shop.harness(|builder| builder));
    let ticket = waiting(&shop, &one, 5).await;
    one.approve(&ticket, &shop.ann).unwrap();
    assert_eq!(shop.pay(&other, "bob", 5).await.unwrap(), 5);
    shop.pay(&one, "bob", 5).await.unwrap_err();
    assert_eq!((shop.runs(), shop.state(&ticket)), (2, TicketState::Consumed));
    drop((one, other));
    shop.sound();
}

#[tokio::test]
async fn an_approval_of_this_process_ends_with_its_approver() {
    let shop = Shop::new("approver-gone");
    let (bot, home) = (bot(&shop).await, shop.home());
    let bob = ApproverKey::generate().unwrap();
    let enrolled = home.enrol_approver("bob", bob.public(), false, &shop.ann).unwrap();
    let ticket = waiting(&shop, &bot, 5).await;
    bot.approve(&ticket, &bob).unwrap();
    home.remove_approver(enrolled.key().id(), &shop.ann).unwrap();
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approver_not_enrolled");
    assert_eq!(shop.runs(), 1);
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn a_ticket_of_another_process_is_joined_and_no_second_one_opened() {
    let shop = Shop::new("joined-elsewhere");
    let (one, other) = (bot(&shop).await, shop.harness(|builder| builder));
    let ticket = waiting(&shop, &other, 5).await;
    for _ in 0..2 {
        assert_eq!(waiting(&shop, &one, 5).await, ticket);
    }
    assert_eq!(shop.open_tickets().len(), 1);
    drop((one, other));
    shop.sound();
}

#[tokio::test]
async fn a_ticket_that_a_thief_approves_in_its_row_is_no_more_than_before() {
    let shop = Shop::new("row-remembered");
    let bot = bot(&shop).await;
    let ticket = waiting(&shop, &bot, 5).await;
    shop.sql("UPDATE tickets SET state = 'approved' WHERE state = 'pending'; UPDATE bound SET state = 'approved'");
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approval_forged");
    assert_eq!(shop.state(&ticket), TicketState::Cancelled);
    assert_eq!(shop.runs(), 1);
}
