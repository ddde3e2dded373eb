//! What a thief of the data directory tries: no row and no statement of another call lets a call run, and each try leaves a trace.

use managed_agents::approval::{ApproverKey, OperatorStatement, StatementKind, TicketState};
use managed_agents::home::{Choice, Home};
use managed_agents::identity::Moment;
use managed_agents::store::{Store, StoreErrorKind, TicketQuery};
use managed_agents::{GovernanceDenied, GovernedBy as _, Harness, assert_denied, assert_escalated, governed};

use crate::support::{Shop, options};

async fn waiting(shop: &Shop, bot: &Harness, cents: u64) -> String {
    assert_escalated!(shop.pay(bot, "bob", cents).await)
        .ticket()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn an_edited_row_is_no_approval() {
    let shop = Shop::new("edited-row");
    let bot = shop.harness(|builder| builder);
    let ticket = waiting(&shop, &bot, 5).await;
    shop.sql("UPDATE tickets SET state = 'approved'; UPDATE bound SET state = 'approved'");
    assert_eq!(shop.problems(), ["ticket_differs"]);
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approval_forged");
    assert_eq!(shop.last_codes()[0], "approval_forged");
    assert_eq!(shop.state(&ticket), TicketState::Cancelled);
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn an_approval_of_another_call_rides_on_no_other() {
    let shop = Shop::new("rides");
    let bot = shop.harness(|builder| builder);
    let (cheap, dear) = (waiting(&shop, &bot, 1).await, waiting(&shop, &bot, 1_000_000).await);
    shop.approve(&cheap);
    // the row of the decision, for the other ticket
    shop.sql(&format!(
        "INSERT INTO decisions SELECT (SELECT place FROM tickets WHERE id = '{dear}'), key, place FROM decisions;
         UPDATE tickets SET state = 'approved' WHERE id = '{dear}'; UPDATE bound SET state = 'approved'"
    ));
    assert_denied!(shop.pay(&bot, "bob", 1_000_000).await, "approval_forged");
    // the binding of the approved ticket, exchanged for the other's
    let dear = waiting(&shop, &bot, 2_000_000).await;
    shop.sql(&format!(
        "UPDATE bound SET binding = zeroblob(32) WHERE ticket = (SELECT place FROM tickets WHERE id = '{cheap}');
         UPDATE bound SET ticket = (SELECT place FROM tickets WHERE id = '{cheap}'), state = 'approved' \
            WHERE ticket = (SELECT place FROM tickets WHERE id = '{dear}')"
    ));
    assert_denied!(shop.pay(&bot, "bob", 2_000_000).await, "approval_forged");
    assert!(shop.problems().contains(&"ticket_differs".to_owned()));
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn a_statement_that_nobody_enrolled_signed_is_worth_nothing() {
    let shop = Shop::new("forged");
    let bot = shop.harness(|builder| builder);
    let ticket = waiting(&shop, &bot, 5).await;
    let (home, eve) = (shop.home(), ApproverKey::generate().unwrap());
    assert_eq!(
        home.decide(&ticket, &Choice::approve(), &eve).unwrap_err().code(),
        "not_enrolled"
    );
    // she writes her enrolment, and then her approval, into the log as it is: by the library, as a program may
    let key = managed_agents::identity::PrivateKey::from_bytes(&eve.reveal()).public();
    let about = [
        ("approver", "eve".to_owned()),
        ("key", key.to_string()),
        ("may_enrol", "yes".to_owned()),
    ];
    let stated =
        OperatorStatement::sign(StatementKind::Enrol, about, "test.example/people", Moment::now(), &eve).unwrap();
    let entry = |kind: &str, body: &str| {
        let entry = managed_agents::audit::entry::Statement::new(kind, std::time::SystemTime::now(), body);
        managed_agents::audit::entry::statement(&entry).unwrap()
    };
    home.store()
        .append(entry("approver", stated.as_json()), true)
        .await
        .unwrap();
    assert_eq!(home.approvers().unwrap().members().len(), 1, "it chains to no root");
    let approved = OperatorStatement::sign(
        StatementKind::Approve,
        [("ticket", ticket.clone())],
        "test.example/people",
        Moment::now(),
        &eve,
    )
    .unwrap();
    home.store()
        .append(entry("approval", approved.as_json()), true)
        .await
        .unwrap_err();
    let place = home
        .store()
        .append(entry("note", approved.as_json()), true)
        .await
        .unwrap();
    shop.sql(&format!(
        "INSERT INTO decisions SELECT place, '{}', {} FROM tickets; UPDATE tickets SET state = 'approved'; \
         UPDATE bound SET state = 'approved'",
        key.id(),
        place.get()
    ));
    assert_denied!(shop.pay(&bot, "bob", 5).await, "approval_forged");
    assert_eq!(shop.last_codes()[0], "approval_forged");
    assert_eq!(shop.runs(), 0);
}

#[tokio::test]
async fn a_used_approval_is_not_used_again_whatever_its_row_says() {
    let shop = Shop::new("replayed");
    let bot = shop.harness(|builder| builder);
    let ticket = waiting(&shop, &bot, 5).await;
    shop.approve(&ticket);
    // the thief copies the rows while they are there, and puts them back
    shop.sql("CREATE TABLE l AS SELECT * FROM bound; CREATE TABLE d AS SELECT * FROM decisions");
    shop.pay(&bot, "bob", 5).await.unwrap();
    shop.sql(
        "INSERT INTO bound SELECT * FROM l; INSERT INTO decisions SELECT * FROM d; DROP TABLE l; DROP TABLE d; \
         UPDATE tickets SET state = 'approved', ran = NULL",
    );
    let denied = shop.pay(&bot, "bob", 5).await.unwrap_err();
    assert_eq!(shop.runs(), 1, "{denied}");
    assert!(shop.problems().contains(&"ticket_differs".to_owned()));
}

mod swapped {
    use super::*;

    /// Wipes a disk.
    #[governed(risk = high, name = "clean")]
    pub(super) async fn clean(path: &str) -> Result<u64, GovernanceDenied> {
        Ok(path.len() as u64)
    }
}

/// Empties a scratch directory.
#[governed(risk = high)]
async fn clean(path: &str) -> Result<u64, GovernanceDenied> {
    Ok(path.len() as u64)
}

#[tokio::test]
async fn an_approval_of_a_tool_is_none_of_another_of_its_name() {
    let shop = Shop::new("swapped");
    let bot = shop.harness(|builder| builder);
    let ticket = assert_escalated!(clean("/tmp/x").governed_by(&bot).await)
        .ticket()
        .unwrap()
        .to_owned();
    shop.approve(&ticket);
    let other = assert_escalated!(swapped::clean("/tmp/x").governed_by(&bot).await)
        .ticket()
        .unwrap()
        .to_owned();
    assert_ne!(ticket, other);
    assert_eq!(clean("/tmp/x").governed_by(&bot).await.unwrap(), 6);
}

#[tokio::test]
async fn what_was_approved_before_a_copy_was_restored_is_worth_nothing_after() {
    let shop = Shop::new("restored");
    let bot = shop.harness(|builder| builder);
    let ticket = waiting(&shop, &bot, 5).await;
    let pending = waiting(&shop, &bot, 6).await;
    shop.approve(&ticket);
    let copy = shop.place.path().join("copy.db");
    Store::backup(shop.place.data(), &copy, |_, _| ()).unwrap();
    shop.pay(&bot, "bob", 5).await.unwrap();
    // what the copy has as pending was approved and used since
    shop.approve(&pending);
    shop.pay(&bot, "bob", 6).await.unwrap();
    bot.home().unwrap().store().flush().await.unwrap();
    drop(bot);
    Store::restore(&copy, shop.place.data()).unwrap();
    let error = Home::open(options(shop.place.path())).unwrap_err();
    assert_eq!(
        error.kind(),
        managed_agents::home::HomeErrorKind::Store(StoreErrorKind::RolledBack)
    );
    // the operator finds out why, and accepts it: approvers stay, tickets and approvals do not
    let home = Home::accept_restored(options(shop.place.path())).unwrap();
    assert_eq!(home.approvers().unwrap().members().len(), 1);
    let reader = home.store().reader().unwrap();
    assert!(reader.tickets(&TicketQuery::open()).unwrap().is_empty());
    for ticket in [&ticket, &pending] {
        assert_eq!(reader.ticket(ticket).unwrap().unwrap().state(), TicketState::Cancelled);
    }
    home.reactivate_signed("shop", "test", &shop.ann).unwrap();
    drop((reader, home));
    let bot = shop.harness(|builder| builder);
    for (ticket, amount) in [(&ticket, 5), (&pending, 6)] {
        let anew = assert_escalated!(shop.pay(&bot, "bob", amount).await);
        assert_ne!(anew.ticket().unwrap(), ticket, "it waits for people anew");
    }
    assert_eq!(shop.runs(), 2);
    shop.sound();
}

#[tokio::test]
async fn a_row_that_says_the_rules_of_today_does_not_make_an_approval_of_yesterday_one_under_them() {
    let shop = Shop::new("rules-row");
    let (bot, today) = (
        shop.harness(|builder| builder),
        shop.harness(|builder| builder.fail_open(true)),
    );
    let (ticket, other) = (waiting(&shop, &bot, 5).await, waiting(&shop, &today, 6).await);
    shop.approve(&ticket);
    shop.sql(&format!(
        "UPDATE tickets SET rules = (SELECT rules FROM tickets WHERE id = '{other}') WHERE id = '{ticket}'"
    ));
    assert_denied!(shop.pay(&today, "bob", 5).await, "approval_forged");
    assert_eq!((shop.state(&ticket), shop.runs()), (TicketState::Cancelled, 0));
}
