//! A clock that is wrong breaks nothing: places, not times, are the log's order, and nobody grows younger by a clock that is set back.

use std::time::{Duration, SystemTime};

use managed_agents::audit::entry::{Statement, statement};
use managed_agents::identity::{Authority, Enrolment, Moment};
use managed_agents::store::Query;
use managed_agents::testing::VirtualClock;
use managed_agents::{AgentId, Harness};

use crate::support::{Place, harness, runtime, send, sound};

#[test]
fn a_clock_that_goes_backward_leaves_the_log_in_order_and_every_entry_to_be_found() {
    let place = Place::new("backward");
    let store = place.open();
    let runtime = runtime();
    let now = harness("bot", &store);
    // 2026-01-01, which is behind
    let behind = Harness::builder()
        .agent_id("bot")
        .recorder(store.clone())
        .virtual_clock(VirtualClock::new());
    let behind = behind.build_blocking().unwrap();
    // enough for a full block of the index, so that both times stand in one
    runtime.block_on(async {
        for number in 0..80 {
            for harness in [&now, &behind] {
                harness.scope(send("ann", &format!("{number}"))).await.unwrap();
            }
        }
        store.flush().await.unwrap();
    });
    assert!(
        store.log_time() > 1_767_225_600_000_000 + 1,
        "the latest time of any entry"
    );
    let reader = store.reader().unwrap();
    let early = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + 3_600);
    let count = |query: Query| {
        let (mut query, mut found) = (query.kind("decision").most(7), 0);
        loop {
            let page = reader.query(&query).unwrap();
            found += page.entries().len();
            match page.next() {
                Some(cursor) => query = query.after(cursor),
                None => return found,
            }
        }
    };
    for newest_first in [false, true] {
        let ordered = |query: Query| if newest_first { query.newest_first() } else { query };
        assert_eq!(count(ordered(Query::new().until(early))), 80);
        assert_eq!(count(ordered(Query::new().since(early))), 80);
    }
    drop((now, behind, reader, store));
    sound(place.path());
}

#[test]
fn a_certificate_that_was_over_by_the_log_s_time_stays_over_when_the_clock_is_set_back() {
    let place = Place::new("ahead");
    let store = place.open();
    let now = Moment::now();
    let authority = Authority::generate(None, now).unwrap();
    let issued = authority
        .issue(&Enrolment::new(AgentId::parse("bot").unwrap()), now)
        .unwrap();
    let runtime = runtime();
    let passport = Statement::new("agent", now.into(), issued.passport().as_json());
    runtime
        .block_on(store.append(statement(&passport.about_agent("bot")).unwrap(), true))
        .unwrap();
    let bot = harness("bot", &store);
    runtime.block_on(bot.scope(send("ann", "one"))).unwrap();
    // a clock was years ahead, and something was written by it
    let ahead = SystemTime::now() + Duration::from_secs(10 * 365 * 86_400);
    let note = statement(&Statement::new("note", ahead, r#"{"text":"ahead"}"#)).unwrap();
    runtime.block_on(store.append(note, true)).unwrap();
    let denied = runtime.block_on(bot.scope(send("ann", "two"))).unwrap_err();
    assert_eq!(denied.code(), "certificate_expired");
    drop((bot, store));
    sound(place.path());
    // nor does a new start forget it
    let store = place.open();
    let bot = harness("bot", &store);
    let denied = runtime.block_on(bot.scope(send("ann", "three"))).unwrap_err();
    assert_eq!(denied.code(), "certificate_expired");
}
