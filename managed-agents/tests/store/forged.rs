//! Who has the files of a record and the log's key, but not the authority's, makes nobody believe a statement about an agent.

use std::time::SystemTime;

use managed_agents::AgentId;
use managed_agents::Harness;
use managed_agents::audit::entry::{PendingEntry, Statement, statement};
use managed_agents::home::Home;
use managed_agents::identity::{AgentState, Authority, Enrolment, Moment, StateStatement};
use managed_agents::store::{Depth, Store, StoreErrorKind, StoreOptions};

use crate::support::{Place, runtime, send};

fn entry(body: &str) -> PendingEntry {
    statement(&Statement::new("agent", SystemTime::now(), body).about_agent("bot")).unwrap()
}

pub(crate) fn home_options(place: &Place) -> StoreOptions {
    StoreOptions::new(place.path().join("data")).high_water(place.path().join("mark").join("log.high-water"))
}

pub(crate) fn home(place: &Place) -> Home {
    Home::open(home_options(place)).unwrap()
}

fn enrolment(agent: &str) -> Enrolment {
    Enrolment::new(AgentId::parse(agent).unwrap())
}

/// That the agent may act again, by an authority of the thief's own.
fn revival(home: &Home) -> StateStatement {
    let known = home.agent("bot").unwrap().unwrap();
    let passport = home
        .trust()
        .unwrap()
        .verify(std::slice::from_ref(known.passport()))
        .unwrap();
    let thief = Authority::generate(None, Moment::now()).unwrap();
    thief
        .state(
            &passport,
            AgentState::Active,
            "revived",
            known.last_statement(),
            Moment::now(),
        )
        .unwrap()
}

#[test]
fn a_forged_state_is_refused_where_it_is_appended_denied_where_it_was_and_found() {
    let place = Place::new("forged");
    let home = home(&place);
    home.register(&enrolment("bot")).unwrap();
    home.set_state("bot", AgentState::Suspended, "test").unwrap();
    let bot = Harness::builder().agent_id("bot").home(&home).build_blocking().unwrap();
    let forged = revival(&home);
    let runtime = runtime();

    let refused = runtime
        .block_on(home.store().append(entry(forged.as_json()), true))
        .unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Refused);
    let denied = runtime.block_on(bot.scope(send("ann", "one"))).unwrap_err();
    assert_eq!(denied.code(), "agent_suspended");

    // the thief uses a program of his own, with the log's key
    let (log_key, _) = home.keys().log_key().unwrap();
    let thief = Store::open(home_options(&place).log_key(log_key.reveal())).unwrap();
    runtime.block_on(thief.append(entry(forged.as_json()), true)).unwrap();
    let place_of_it = thief.reader().unwrap().head().unwrap().size() - 1;
    drop(thief);

    // in the process that runs the agent, and in one that begins later
    let denied = runtime.block_on(bot.scope(send("ann", "two"))).unwrap_err();
    assert_eq!(denied.code(), "record_corrupt", "{denied}");
    let trust = home.trust().unwrap().clone();
    drop((bot, home));
    let home = self::home(&place);
    let bot = Harness::builder().agent_id("bot").home(&home).build_blocking().unwrap();
    let denied = runtime.block_on(bot.scope(send("ann", "three"))).unwrap_err();
    assert_eq!(denied.code(), "record_corrupt", "{denied}");

    let reader = home.store().reader().unwrap();
    let report = reader.verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "but for the signature it is a sound record");
    assert_eq!(
        report.unchecked_statements(),
        4,
        "a log's key, a passport and two states"
    );
    let report = reader.trusting(trust).verify(Depth::Deep, |_| ()).unwrap();
    let found: Vec<_> = report.problems().iter().map(|one| (one.code(), one.record())).collect();
    assert_eq!(found, [("statement_forged", Some(place_of_it))]);
}

#[test]
fn a_passport_of_another_authority_or_lineage_is_refused() {
    let place = Place::new("lineage");
    let home = home(&place);
    let first = home.register(&enrolment("bot")).unwrap();
    let runtime = runtime();
    let refuse = |authority: &Authority| {
        let unrelated = authority.issue(&enrolment("bot"), Moment::now()).unwrap();
        let body = unrelated.passport().as_json().to_owned();
        let refused = runtime.block_on(home.store().append(entry(&body), true));
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Refused);
    };
    refuse(&Authority::generate(None, Moment::now()).unwrap());
    refuse(home.authority().unwrap());
    // one that names what it replaces is taken
    let second = home.renew("bot").unwrap();
    assert_eq!(second.lineage(), Some(first.id()));
    let reader = home.store().reader().unwrap().trusting(home.trust().unwrap().clone());
    let report = reader.verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems());
}

#[test]
fn a_sub_agent_stands_no_better_than_who_handed_on_its_rights() {
    let place = Place::new("delegated");
    let home = home(&place);
    home.register(&enrolment("bot").delegable(2)).unwrap();
    home.delegate("bot", "reader", |all| all.delegable(1)).unwrap();
    home.delegate("bot.reader", "page", |all| all).unwrap();
    // renewing the agent ends nothing that it handed on
    home.renew("bot").unwrap();
    let page = Harness::builder()
        .agent_id("bot.reader.page")
        .home(&home)
        .build_blocking()
        .unwrap();
    let runtime = runtime();
    runtime.block_on(page.scope(send("ann", "one"))).unwrap();
    home.set_state("bot", AgentState::Suspended, "test").unwrap();
    let denied = runtime.block_on(page.scope(send("ann", "two"))).unwrap_err();
    assert_eq!(denied.code(), "agent_suspended");
    home.set_state("bot", AgentState::Active, "test").unwrap();
    runtime.block_on(page.scope(send("ann", "three"))).unwrap();
    home.set_state("bot.reader", AgentState::Revoked, "test").unwrap();
    let denied = runtime.block_on(page.scope(send("ann", "four"))).unwrap_err();
    assert_eq!(denied.code(), "agent_revoked");
    // the chain is recorded, and is checked when the record is
    runtime.block_on(home.store().flush()).unwrap();
    let reader = home.store().reader().unwrap().trusting(home.trust().unwrap().clone());
    let report = reader.verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems());
    assert!(
        home.delegate("bot", "wider.page", |all| all.delegable(2)).is_err(),
        "deeper than the agent may"
    );
}
