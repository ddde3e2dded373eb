//! Waiting for people, and who may decide.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use managed_agents::approval::{ApproverKey, StatementKind};
use managed_agents::home::Choice;

use managed_agents::{
    Answer, Governor, GovernorError, Judgement, Reason, ToolCall, Verdict, assert_denied, assert_escalated,
};

use crate::support::Shop;

/// Asks a person each time, and notes when it was asked: a call that has waited is judged anew as soon as it is awake.
#[derive(Clone, Default)]
struct Asks(Arc<Mutex<Vec<u128>>>);

impl Governor for Asks {
    fn name(&self) -> &'static str {
        "asks"
    }

    fn decide(&self, _call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        self.0.lock().unwrap().push(now());
        Answer::ready(Ok(Verdict::escalate(Reason::new("ask", "ask")).into()))
    }
}

fn now() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_micros()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_call_wakes_soon_after_a_decision_of_another_process() {
    let shop = Shop::new("wakes");
    let asks = Asks::default();
    let bot = shop.harness(|builder| {
        builder
            .governor(asks.clone())
            .approver("ann", crate::crowd::ann().public())
            .wait_for_approval(Duration::from_secs(60))
    });
    let mut other = crate::crowd::start("decide", &shop);
    let heard = crate::crowd::listen(&mut other);
    let (mut woke, mut ran) = (Vec::new(), Vec::new());
    for cents in 0..20 {
        let before = asks.0.lock().unwrap().len();
        assert_eq!(shop.pay(&bot, "bob", cents).await.unwrap(), cents);
        ran.push(now());
        woke.push(asks.0.lock().unwrap()[before + 1]);
    }
    assert!(other.wait().unwrap().success());
    let lines = heard.join().unwrap();
    let decided = crate::crowd::said(&lines, "DECIDED").map(|micros| micros.parse::<u128>().unwrap());
    let decided: Vec<_> = decided.collect();
    assert_eq!(decided.len(), 20);
    // how soon is a matter of how often is looked, which `store::sqlite::tickets::desk` tests; others may keep this machine busy
    for (what, times) in [("was awake", woke), ("had run, its record fsynced,", ran)] {
        let mut late: Vec<_> = times
            .iter()
            .zip(&decided)
            .map(|(at, decided)| at.saturating_sub(*decided))
            .collect();
        late.sort_unstable();
        println!(
            "a call that another process decided on {what} after {} µs in the median, at most {} µs",
            late[10], late[19]
        );
    }
    assert_eq!(shop.runs(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_the_callers_that_wait_for_one_ticket_one_runs_and_the_others_are_told() {
    let shop = Shop::new("joined");
    let bot = shop.harness(|builder| builder.wait_for_approval(Duration::from_secs(60)));
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let (bot, runs) = (bot.clone(), Arc::clone(&shop.runs));
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
