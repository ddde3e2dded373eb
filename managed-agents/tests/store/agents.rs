//! Stopped means stopped: states are seen by the transaction that writes a decision, in every process.

use std::time::SystemTime;

use managed_agents::AgentId;
use managed_agents::audit::entry::{PendingEntry, Statement, statement};
use managed_agents::identity::{AgentState, Authority, Enrolment, Moment, StateStatement, VerifiedPassport};
use managed_agents::store::{Store, StoreErrorKind};

use crate::support::{Place, harness, runtime, send, sound};

fn agent_entry(agent: &str, body: &str) -> PendingEntry {
    statement(&Statement::new("agent", SystemTime::now(), body).about_agent(agent)).unwrap()
}

struct World {
    authority: Authority,
    passport: VerifiedPassport,
}

impl World {
    fn register(store: &Store) -> Self {
        let now = Moment::now();
        let authority = Authority::generate(None, now).unwrap();
        let issued = authority
            .issue(&Enrolment::new(AgentId::parse("bot").unwrap()), now)
            .unwrap();
        let entry = agent_entry("bot", issued.passport().as_json());
        runtime().block_on(store.append(entry, true)).unwrap();
        let passport = authority.trust().verify(&[issued.passport().clone()]).unwrap();
        Self { authority, passport }
    }

    fn state(&self, state: AgentState, previous: Option<&StateStatement>) -> StateStatement {
        self.authority
            .state(&self.passport, state, "test", previous, Moment::now())
            .unwrap()
    }
}

#[test]
fn a_suspended_agent_is_denied_in_this_process_and_through_another_handle() {
    let place = Place::new("suspended");
    let store = place.open();
    // a handle of its own, as another process has
    let other = place.open();
    let world = World::register(&store);
    let (here, there) = (harness("bot", &store), harness("bot", &other));
    let runtime = runtime();
    runtime.block_on(async {
        here.scope(send("ann", "one")).await.unwrap();
        there.scope(send("ann", "two")).await.unwrap();
        let suspended = world.state(AgentState::Suspended, None);
        store
            .append(agent_entry("bot", suspended.as_json()), true)
            .await
            .unwrap();
        for harness in [&here, &there] {
            let denied = harness.scope(send("ann", "three")).await.unwrap_err();
            assert_eq!(denied.code(), "agent_suspended");
        }
        assert_eq!(other.standing("bot").unwrap().state, AgentState::Suspended);
        let active = world.state(AgentState::Active, Some(&suspended));
        other.append(agent_entry("bot", active.as_json()), true).await.unwrap();
        here.scope(send("ann", "four")).await.unwrap();
    });
    runtime.block_on(store.flush()).unwrap();
    sound(place.path());
}

#[test]
fn a_revoked_agent_stays_revoked_and_is_not_renewed() {
    let place = Place::new("revoked");
    let store = place.open();
    let world = World::register(&store);
    runtime().block_on(async {
        let revoked = world.state(AgentState::Revoked, None);
        store.append(agent_entry("bot", revoked.as_json()), true).await.unwrap();
        let again = world
            .authority
            .issue(&Enrolment::new(AgentId::parse("bot").unwrap()), Moment::now());
        let refused = store
            .append(agent_entry("bot", again.unwrap().passport().as_json()), true)
            .await;
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Refused);
        assert!(harness("bot", &store).scope(send("ann", "one")).await.is_err());
        store.flush().await.unwrap();
    });
    drop(store);
    sound(place.path());
    assert_eq!(place.open().standing("bot").unwrap().state, AgentState::Revoked);
}

#[test]
fn a_state_that_does_not_follow_is_refused_and_nothing_is_written() {
    let place = Place::new("follows");
    let store = place.open();
    let world = World::register(&store);
    let runtime = runtime();
    let before = store.reader().unwrap().head().unwrap().size();
    let suspended = world.state(AgentState::Suspended, None);
    let active = world.state(AgentState::Active, Some(&suspended));
    let refused = runtime.block_on(store.append(agent_entry("bot", active.as_json()), true));
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Refused);
    let own = statement(&Statement::new("erasure", SystemTime::now(), r#"{"subject":0}"#)).unwrap();
    let refused = runtime.block_on(store.append(own, true));
    assert_eq!(refused.unwrap_err().code(), "entry_refused");
    assert_eq!(store.reader().unwrap().head().unwrap().size(), before);
}
