//! Waiting for people, and who may decide.

use std::time::{Duration, Instant};

use managed_agents::approval::{ApproverKey, StatementKind};
use managed_agents::home::Choice;
use managed_agents::{assert_denied, assert_escalated};

use crate::support::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_call_wakes_soon_after_a_decision_of_another_process() {
    let shop = Shop::new("wakes");
    let bot = shop.harness(|builder| builder.wait_for_approval(Duration::from_secs(60)));
    let home = shop.home();
    let mut slowest = Duration::ZERO;
    for cents in 0..5 {
        let decide = async {
            let ticket = loop {
                match bot.pending().pop() {
                    Some(ticket) => break ticket,
                    None => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            };
            // asleep by now
            tokio::time::sleep(Duration::from_millis(60)).await;
            tokio::task::block_in_place(|| home.decide(ticket.id(), &Choice::approve(), &shop.ann)).unwrap();
            Instant::now()
        };
        let (paid, decided) = tokio::join!(
            async {
                let paid = shop.pay(&bot, "bob", cents).await;
                (paid, Instant::now())
            },
            decide
        );
        assert_eq!(paid.0.unwrap(), cents);
        slowest = slowest.max(paid.1.saturating_duration_since(decided));
    }
    println!("a decision of another process was seen after at most {slowest:?}");
    // 50 ms on a quiet machine; others may keep this one busy
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    assert_eq!(shop.runs(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_the_callers_that_wait_for_one_ticket_one_runs_and_the_others_are_told() {
    let shop = Shop::new("joined");
    let bot = shop.harness(|builder| builder.wait_for_approval(Duration::from_secs(60)));
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let (bot, runs) = (bot.clone(), std::sync::Arc::clone(&shop.runs));
            tokio::spawn(async move {
                use managed_agents::GovernedBy as _;
                crate::support::pay("bob", 5, "s3cret", runs).governed_by(&bot).await
            })
        })
        .collect();
    while shop
        .reader()
        .entries(0, usize::MAX)
        .unwrap()
        .iter()
        .filter(|entry| entry.kind() == "decision")
        .count()
        < 5
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let tickets = shop.open_tickets();
    assert_eq!(tickets.len(), 1, "all joined one ticket");
    shop.approve(tickets[0].id());
    let mut paid = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Ok(_) => paid += 1,
            Err(denied) => {
                assert_eq!(denied.code(), "approval_used");
                assert_eq!(denied.ticket(), Some(tickets[0].id()));
            }
        }
    }
    assert_eq!((paid, shop.runs()), (1, 1));
    drop(bot);
    shop.sound();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_of_another_process_ends_the_wait() {
    let shop = Shop::new("wait-rejected");
    let bot = shop.harness(|builder| builder.wait_for_approval(Duration::from_secs(60)));
    let decide = async {
        while bot.pending().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shop.decide(bot.pending()[0].id(), &Choice::reject("no"));
    };
    let (paid, ()) = tokio::join!(shop.pay(&bot, "bob", 5), decide);
    assert_denied!(paid, "rejected");
}

#[tokio::test]
async fn only_who_is_enrolled_decides_and_only_who_may_enrols() {
    let shop = Shop::new("enrolled");
    let home = shop.home();
    let [bob, eve] = [(); 2].map(|()| ApproverKey::generate().unwrap());
    assert_eq!(home.root().unwrap().unwrap().to_string(), shop.operator);
    home.enrol_root(&eve).unwrap_err();
    home.enrol_approver("eve", eve.public(), false, &eve).unwrap_err();
    home.enrol_approver("bob", bob.public(), false, &shop.ann).unwrap();
    home.enrol_approver("eve", eve.public(), false, &bob).unwrap_err();
    let names: Vec<_> = home
        .approvers()
        .unwrap()
        .members()
        .iter()
        .map(|one| one.name().to_owned())
        .collect();
    assert_eq!(names, ["root", "bob"]);
    let bot = shop.harness(|builder| builder);
    let ticket = assert_escalated!(shop.pay(&bot, "bob", 5).await)
        .ticket()
        .unwrap()
        .to_owned();
    assert_eq!(
        home.decide(&ticket, &Choice::approve(), &eve).unwrap_err().code(),
        "not_enrolled"
    );
    assert_eq!(
        home.decide("tkt_0", &Choice::approve(), &bob).unwrap_err().code(),
        "unknown_ticket"
    );
    home.decide(&ticket, &Choice::approve(), &bob).unwrap();
    let twice = home.decide(&ticket, &Choice::reject("no"), &shop.ann).unwrap_err();
    assert_eq!(twice.code(), "already_decided");
    // a program that names no operator believes nobody
    let other = managed_agents::Harness::builder()
        .agent_id("shop")
        .home(&home)
        .build_blocking()
        .unwrap();
    assert_denied!(shop.pay(&other, "bob", 5).await, "approver_not_enrolled");
    // orders need an approver, and hold their words
    home.order(StatementKind::Resume, [("interrupt", "int_1")], &eve)
        .unwrap_err();
    home.order(StatementKind::Resume, [("interrupt", "int_1")], &bob)
        .unwrap();
    let orders = home.orders(StatementKind::Resume).unwrap();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].1.about("interrupt"), Some("int_1"));
    assert!(home.orders(StatementKind::Rules).unwrap().is_empty());
}
