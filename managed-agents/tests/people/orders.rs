//! With a root approver, what an operator orders needs an approver's signature: to resume, reactivate, erase, release, and to let
//! other policies in. A stop needs none.

use managed_agents::approval::{ApproverKey, OperatorStatement, StatementKind};
use managed_agents::audit::entry::{Statement, statement};
#[cfg(feature = "cedar")]
use managed_agents::harness::HarnessBuilder;
use managed_agents::home::{Home, HomeError, HomeErrorKind};
use managed_agents::identity::{AgentState, Moment};
use managed_agents::interrupt::{InterruptErrorKind, Stop, Target};
use managed_agents::store::{Hold, StoreErrorKind};
use managed_agents::{assert_denied, assert_escalated};

use crate::support::Shop;

fn orders(home: &Home, kind: StatementKind) -> usize {
    home.orders(kind).unwrap().len()
}

fn unsigned<T: std::fmt::Debug>(done: Result<T, HomeError>) {
    let error = done.unwrap_err();
    assert_eq!(error.kind(), HomeErrorKind::People, "{error}");
    assert!(error.to_string().contains("approver's signature"), "{error}");
}

#[tokio::test]
async fn what_was_stopped_goes_on_only_by_a_signed_order() {
    let shop = Shop::new("resume");
    let (bot, eve) = (shop.harness(|builder| builder), ApproverKey::generate().unwrap());
    let home = bot.home().unwrap().clone();
    let target = Target::Agent(managed_agents::AgentId::parse("shop").unwrap());
    // whoever may write the record may stop
    home.stop(&Stop::of(target.clone())).unwrap();
    assert_denied!(shop.pay(&bot, "bob", 5).await, "interrupted");
    unsigned(home.resume(&target, "test"));
    let denied = bot.resume(&target, "test").await.unwrap_err();
    assert_eq!(denied.kind(), InterruptErrorKind::NotAllowed);
    home.resume_signed(&target, "test", &eve).unwrap_err();
    assert_denied!(shop.pay(&bot, "bob", 5).await, "interrupted");
    assert_eq!(orders(&home, StatementKind::Resume), 0);
    home.resume_signed(&target, "test", &shop.ann).unwrap().unwrap();
    assert_escalated!(shop.pay(&bot, "bob", 5).await);
    // where nothing is stopped, nothing is ordered
    assert!(home.resume_signed(&target, "test", &shop.ann).unwrap().is_none());
    let stated = home.orders(StatementKind::Resume).unwrap();
    assert_eq!(stated.len(), 1);
    assert_eq!(stated[0].1.about("target"), Some("agent/shop"));
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn a_suspended_agent_acts_again_only_by_a_signed_order() {
    let shop = Shop::new("reactivate");
    let (bot, eve) = (shop.harness(|builder| builder), ApproverKey::generate().unwrap());
    let home = bot.home().unwrap().clone();
    home.set_state("shop", AgentState::Suspended, "test").unwrap();
    unsigned(home.set_state("shop", AgentState::Active, "test"));
    home.reactivate_signed("shop", "test", &eve).unwrap_err();
    home.reactivate_signed("nobody", "test", &shop.ann).unwrap_err();
    assert_denied!(shop.pay(&bot, "bob", 5).await, "agent_suspended");
    assert_eq!(orders(&home, StatementKind::Reactivate), 0);
    home.reactivate_signed("shop", "test", &shop.ann).unwrap();
    assert_escalated!(shop.pay(&bot, "bob", 5).await);
    let stated = home.orders(StatementKind::Reactivate).unwrap();
    assert_eq!(stated[0].1.about("agent"), Some("shop"));
    drop((bot, home));
    shop.sound();
}

#[tokio::test]
async fn who_is_held_is_neither_erased_nor_ordered_to_be_and_a_release_is_an_order_of_its_own() {
    let shop = Shop::new("erase-signed");
    let (bot, home, eve) = (
        shop.harness(|builder| builder),
        shop.home(),
        ApproverKey::generate().unwrap(),
    );
    assert_escalated!(shop.pay(&bot, "bob", 5).await);
    let hold = home.hold(&Hold::everything().subject("shop")).unwrap();
    unsigned(home.erase("shop"));
    unsigned(home.release(hold));
    let held = home.erase_signed("shop", &shop.ann).unwrap_err();
    assert_eq!(held.kind(), HomeErrorKind::Store(StoreErrorKind::Held));
    home.release_signed(hold, &eve).unwrap_err();
    let none = managed_agents::audit::Sequence::new(0);
    assert_ne!(none, hold);
    assert_eq!(
        home.release_signed(none, &shop.ann).unwrap_err().kind(),
        HomeErrorKind::Store(StoreErrorKind::Refused)
    );
    assert_eq!(
        (
            orders(&home, StatementKind::Erase),
            orders(&home, StatementKind::Release)
        ),
        (0, 0),
        "nothing is ordered that nobody carries out"
    );
    home.release_signed(hold, &shop.ann).unwrap();
    home.erase_signed("shop", &eve).unwrap_err();
    assert!(home.erase_signed("shop", &shop.ann).unwrap().is_some());
    assert!(home.erase_signed("shop", &shop.ann).unwrap().is_none());
    let released = home.orders(StatementKind::Release).unwrap();
    assert_eq!(released[0].1.about("hold"), Some(&*hold.get().to_string()));
    // the order names the subject by its number alone
    let erased = home.orders(StatementKind::Erase).unwrap();
    assert_eq!(erased.len(), 1);
    assert!(erased[0].1.about("subject").unwrap().parse::<u32>().is_ok());
    drop((bot, home));
    shop.sound();
}

/// Who has every key that lies in the data directory writes the log as the library does; only an approver's key lies elsewhere.
#[tokio::test]
async fn what_nobody_ordered_is_named_by_verification_though_the_logs_own_key_signed_it() {
    let shop = Shop::new("no-order");
    let (bot, home, eve) = (
        shop.harness(|builder| builder),
        shop.home(),
        ApproverKey::generate().unwrap(),
    );
    let write = async |kind: &str, body: &str| {
        let entry = Statement::new(kind, std::time::SystemTime::now(), body);
        let entry = if kind == "agent" {
            entry.about_agent("shop")
        } else {
            entry
        };
        home.store().append(statement(&entry).unwrap(), true).await.unwrap()
    };
    let named = |places: &[managed_agents::audit::Sequence]| {
        let report = shop
            .reader()
            .verify(managed_agents::store::Depth::Deep, |_| ())
            .unwrap();
        let found: Vec<_> = report.problems().iter().map(|one| (one.code(), one.record())).collect();
        let expected: Vec<_> = places
            .iter()
            .map(|place| ("order_missing", Some(place.get())))
            .collect();
        assert_eq!(found, expected);
    };
    let (authority, target) = (
        home.authority().unwrap(),
        Target::Agent(managed_agents::AgentId::parse("shop").unwrap()),
    );
    let mut forged = Vec::new();

    // a resumption
    let stopped = home.stop(&Stop::of(target.clone())).unwrap();
    let resumed = authority.resume(
        &target,
        vec![stopped.get()],
        "test.example/people",
        "test",
        Moment::now(),
    );
    forged.push(write("interrupt", resumed.unwrap().as_json()).await);
    named(&forged);

    // an agent that acts again
    home.set_state("shop", AgentState::Suspended, "test").unwrap();
    let known = home.agent("shop").unwrap().unwrap();
    let passport = home
        .trust()
        .unwrap()
        .verify(std::slice::from_ref(known.passport()))
        .unwrap();
    let state = authority.state(
        &passport,
        AgentState::Active,
        "test",
        known.last_statement(),
        Moment::now(),
    );
    forged.push(write("agent", state.unwrap().as_json()).await);
    named(&forged);

    // a hold that is released, and what it held erased
    assert_escalated!(shop.pay(&bot, "bob", 5).await);
    let hold = home.hold(&Hold::everything().subject("shop")).unwrap();
    forged.push(home.store().release(hold).await.unwrap());
    forged.push(home.store().erase("shop").await.unwrap().unwrap());
    named(&forged);

    // an enrolment, and an order by whom it enrols
    let public = managed_agents::identity::PrivateKey::from_bytes(&eve.reveal()).public();
    let stated = |kind, about: Vec<(&str, String)>, key| {
        OperatorStatement::sign(kind, about, "test.example/people", Moment::now(), key).unwrap()
    };
    let enrolled = vec![("approver", "eve".to_owned()), ("key", public.to_string())];
    forged.push(
        write(
            "approver",
            stated(StatementKind::Enrol, enrolled.clone(), &eve).as_json(),
        )
        .await,
    );
    let order = vec![("target", target.to_string()), ("reason", "test".to_owned())];
    forged.push(write("operator", stated(StatementKind::Resume, order.clone(), &eve).as_json()).await);
    named(&forged);

    // an order is carried out once, and its copy is none
    home.stop(&Stop::of(target.clone())).unwrap();
    home.resume_signed(&target, "test", &shop.ann).unwrap().unwrap();
    named(&forged);
    let orders = home.orders(StatementKind::Resume).unwrap();
    let stopped = home.stop(&Stop::of(target.clone())).unwrap();
    let resumed = authority.resume(
        &target,
        vec![stopped.get()],
        "test.example/people",
        "test",
        Moment::now(),
    );
    forged.push(write("operator", orders[0].1.as_json()).await);
    forged.push(write("interrupt", resumed.unwrap().as_json()).await);
    named(&forged);

    // whoever was enrolled says so no more once she was removed
    home.enrol_approver("eve", eve.public(), true, &shop.ann).unwrap();
    home.remove_approver(public.id(), &shop.ann).unwrap();
    named(&forged);
    forged.push(write("approver", stated(StatementKind::Enrol, enrolled, &eve).as_json()).await);
    forged.push(write("operator", stated(StatementKind::Resume, order, &eve).as_json()).await);
    named(&forged);
}

#[cfg(feature = "cedar")]
#[tokio::test]
async fn policies_are_replaced_in_a_running_program_only_when_they_were_signed() {
    use managed_agents::policy::{Policies, PoliciesBuilder};

    fn builder(shop: &Shop) -> PoliciesBuilder {
        let schema = serde_json::json!({
            "type": "object",
            "properties": { "to": { "type": "string" }, "cents": { "type": "integer" }, "memo": { "type": "string" } },
            "required": ["to", "cents", "memo"],
        });
        let builder = Policies::builder().tool("pay", &schema);
        builder.path(shop.place.path().join("policies"))
    }

    let shop = Shop::new("reload");
    let file = shop.place.path().join("policies").join("shop.cedar");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let sign = || {
        let digest = builder(&shop).load().unwrap().source_digest().to_string();
        shop.home()
            .order(StatementKind::Rules, [("policies", digest)], &shop.ann)
            .unwrap();
    };
    write("forbid(principal, action, resource);");
    sign();
    let policies = builder(&shop).load().unwrap();
    let governed = |builder: HarnessBuilder| builder.governor(managed_agents::Engine::new().policies(&policies));
    let bot = shop.harness(governed);
    assert_denied!(shop.pay(&bot, "bob", 5).await);
    // the agent writes the file
    write("permit(principal, action == Action::\"pay\", resource);");
    for _ in 0..3 {
        let error = policies.reload().unwrap_err();
        assert!(
            error.is_unsigned() && error.to_string().starts_with("rules_unsigned"),
            "{error}"
        );
    }
    assert!(policies.replace(&builder(&shop)).unwrap_err().is_unsigned());
    assert_denied!(shop.pay(&bot, "bob", 5).await);
    let traces = |shop: &Shop| {
        let entries = shop.reader().entries(0, usize::MAX).unwrap();
        entries.iter().filter(|entry| entry.kind() == "refusal").count()
    };
    assert_eq!(traces(&shop), 1, "what is tried again and again leaves one trace");
    // a watcher puts it into force once it is signed
    let watch = policies.watch(std::time::Duration::from_millis(5)).unwrap();
    sign();
    policies.reload().unwrap();
    assert_eq!(shop.pay(&bot, "bob", 5).await.unwrap(), 5);
    write("forbid(principal, action, resource); // closed");
    sign();
    let seen = async {
        while policies.source_digest() != builder(&shop).load().unwrap().source_digest() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), seen)
        .await
        .unwrap();
    assert_denied!(shop.pay(&bot, "bob", 6).await);
    // an older version that was signed once does not count any more
    write("permit(principal, action == Action::\"pay\", resource);");
    assert!(policies.reload().unwrap_err().is_unsigned());
    drop((watch, bot));
    shop.sound();
}
