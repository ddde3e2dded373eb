//! What is recorded is there, can be found, and can be erased.

use std::time::{Duration, SystemTime};

use managed_agents::audit::Sequence;
use managed_agents::audit::tree::{leaf_hash, verify_consistency, verify_inclusion};
use managed_agents::store::{Durability, Query, Store, Values};
use managed_agents::{Decision, DenialKind, GovernanceDenied, Harness, governed};

use crate::support::{self, Place, calls, harness, runtime, send, sound};

/// Deletes a customer.
#[governed(risk = low, reversible, subject = customer)]
async fn note(customer: &str, text: String) -> Result<usize, GovernanceDenied> {
    Ok(customer.len() + text.len())
}

/// Deletes everything.
#[governed(risk = critical)]
async fn wipe(disk: &str) -> Result<usize, GovernanceDenied> {
    Ok(disk.len())
}

#[test]
fn decisions_and_outcomes_are_there_when_the_store_is_opened_again() {
    let place = Place::new("keeps");
    calls(&place.open(), "bot", 300);
    let entries = sound(place.path());
    let count = |kind: &str| entries.iter().filter(|entry| entry.kind() == kind).count();
    assert_eq!(
        (count("origin"), count("log_key"), count("decision"), count("outcome")),
        (1, 1, 300, 300)
    );
    calls(&place.open(), "bot", 10);
    assert_eq!(sound(place.path()).len(), 622);
}

#[test]
fn what_was_judged_is_kept_apart_and_opens_the_commitments() {
    let place = Place::new("values");
    calls(&place.open(), "bot", 1);
    let entries = sound(place.path());
    let decision = entries.iter().find(|entry| entry.kind() == "decision").unwrap();
    assert!(
        !decision.as_json().contains("ann@example.com"),
        "{}",
        decision.as_json()
    );
    let store = place.open();
    let values = store
        .reader()
        .unwrap()
        .values(Sequence::new(decision.sequence()))
        .unwrap();
    let Values::Known(values) = values else {
        panic!("{values:?}");
    };
    let to = values.iter().find(|value| value.path == "/arguments/to").unwrap();
    assert_eq!(to.value, br#""ann@example.com""#);
    assert!(decision.opens(to));
}

#[test]
fn nothing_of_a_value_lies_in_any_file() {
    let place = Place::new("files");
    let store = place.open();
    let harness = harness("bot", &store);
    runtime().block_on(harness.scope(async {
        send("marked-recipient-4711", "marked-text-4711").await.unwrap();
    }));
    runtime().block_on(store.flush()).unwrap();
    for file in ["record.db", "record.db-wal", "subjects.keys"] {
        let bytes = std::fs::read(place.path().join("data").join(file)).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"marked"), "{file}");
    }
}

#[test]
fn a_megabyte_is_recorded() {
    let place = Place::new("large");
    let store = place.open();
    let text = "x".repeat(1_000_000);
    runtime().block_on(harness("bot", &store).scope(async { note("ann", text).await.unwrap() }));
    drop(store);
    let entries = sound(place.path());
    assert!(entries.iter().all(|entry| entry.as_bytes().len() < 65_536));
}

#[test]
fn who_is_erased_is_erased_and_nobody_else() {
    let place = Place::new("erase");
    let store = place.open();
    let bot = harness("bot", &store);
    let runtime = runtime();
    runtime.block_on(bot.scope(async {
        note("ann", "one".to_owned()).await.unwrap();
        note("bob", "two".to_owned()).await.unwrap();
        let erased = store.erase("ann").await.unwrap();
        assert!(erased.is_some());
        assert_eq!(store.erase("nobody").await.unwrap(), None);
        // who comes back has another key
        note("ann", "three".to_owned()).await.unwrap();
    }));
    runtime.block_on(store.flush()).unwrap();
    let entries = sound(place.path());
    let reader = store.reader().unwrap();
    let erased: Vec<_> = entries
        .iter()
        .filter(|entry| entry.kind() == "decision")
        .map(|entry| reader.values(Sequence::new(entry.sequence())).unwrap() == Values::Erased)
        .collect();
    assert_eq!(erased, [true, false, false]);
}

#[test]
fn entries_are_found_by_every_condition_a_page_at_a_time() {
    let place = Place::new("query");
    let store = place.open();
    let runtime = runtime();
    let begun = SystemTime::now();
    for (agent, count) in [("one", 400), ("two", 5), ("one", 300)] {
        calls(&store, agent, count);
    }
    let denied = Harness::builder()
        .agent_id("two")
        .recorder(store.clone())
        .build_blocking()
        .unwrap();
    let error = runtime.block_on(denied.scope(wipe("all"))).unwrap_err();
    assert_eq!(error.kind(), DenialKind::Escalated);
    runtime.block_on(store.flush()).unwrap();

    let entries = sound(place.path());
    let reader = store.reader().unwrap();
    let all = |query: Query| {
        let (mut found, mut query) = (Vec::new(), query.most(7));
        loop {
            let page = reader.query(&query).unwrap();
            assert!(page.entries().len() <= 7);
            found.extend(page.entries().iter().map(|entry| entry.sequence()));
            match page.next() {
                Some(next) => query = query.after(next),
                None => return found,
            }
        }
    };
    let is = |found: Option<managed_agents::audit::export::Untrusted<'_>>, wanted: &str| {
        found.is_some_and(|found| found.reveal() == wanted)
    };
    let expect = |fits: &dyn Fn(&managed_agents::audit::entry::Entry) -> bool| -> Vec<u64> {
        entries
            .iter()
            .filter(|entry| fits(entry))
            .map(|entry| entry.sequence())
            .collect()
    };
    assert_eq!(all(Query::new()), expect(&|_| true));
    assert_eq!(
        all(Query::new().agent("two")),
        expect(&|entry| is(entry.agent(), "two"))
    );
    assert_eq!(
        all(Query::new().tool("wipe")),
        expect(&|entry| is(entry.tool(), "wipe"))
    );
    assert_eq!(
        all(Query::new().agent("one").kind("outcome")),
        expect(&|entry| is(entry.agent(), "one") && entry.kind() == "outcome")
    );
    assert_eq!(all(Query::new().decision(Decision::Escalate)).len(), 1);
    assert_eq!(all(Query::new().agent("nobody")), Vec::<u64>::new());
    assert_eq!(all(Query::new().agent("one").tool("wipe")), Vec::<u64>::new());
    assert_eq!(
        all(Query::new().until(begun - Duration::from_secs(60))),
        Vec::<u64>::new()
    );
    assert_eq!(
        all(Query::new().since(begun - Duration::from_secs(60))).len(),
        entries.len()
    );
    let middle = &entries[700];
    let at = SystemTime::UNIX_EPOCH + Duration::from_micros(middle.at_micros().unsigned_abs());
    assert_eq!(
        all(Query::new().since(at)),
        expect(&|entry| entry.at_micros() >= middle.at_micros())
    );
    let mut backwards = expect(&|entry| is(entry.agent(), "two"));
    backwards.reverse();
    assert_eq!(all(Query::new().agent("two").newest_first()), backwards);
    let mut backwards = expect(&|entry| entry.at_micros() < middle.at_micros());
    backwards.reverse();
    assert_eq!(all(Query::new().until(at).newest_first()), backwards);

    let evaluation = entries[3].evaluation().unwrap().reveal().to_owned();
    assert_eq!(reader.evaluation(&evaluation).unwrap().len(), 2);
    let last = entries.last().unwrap().evaluation().unwrap().reveal().to_owned();
    assert_eq!(reader.evaluation(&last).unwrap().len(), 1);
}

#[test]
fn proofs_hold_at_every_size_that_was_checked() {
    let place = Place::new("proofs");
    calls(&place.open(), "bot", 400);
    let entries = sound(place.path());
    let store = place.open();
    let reader = store.reader().unwrap();
    let head = reader.head().unwrap();
    for index in [0, 1, 255, 256, 511, 512, 767, head.size() - 1] {
        let proof = reader.prove_inclusion(index, head.size()).unwrap();
        let leaf = leaf_hash(entries[usize::try_from(index).unwrap()].as_bytes());
        verify_inclusion(&leaf, index, head.size(), &proof, head.root()).unwrap();
    }
    for from in [1_usize, 200, 256, 600] {
        let bytes: Vec<_> = entries[..from].iter().map(|entry| entry.as_bytes().to_vec()).collect();
        let old = managed_agents::audit::tree::Hash::new(support::root_by_definition(&bytes));
        let proof = reader.prove_consistency(from as u64, head.size()).unwrap();
        verify_consistency(from as u64, head.size(), &proof, &old, head.root()).unwrap();
    }
    assert!(reader.prove_inclusion(head.size(), head.size()).is_err());
}

#[test]
fn a_call_that_nobody_waits_for_any_more_is_recorded_as_cancelled() {
    let place = Place::new("abandoned");
    let store = place.open();
    let bot = harness("bot", &store);
    runtime().block_on(bot.scope(async {
        let mut call = Box::pin(send("ann", "never"));
        // another writes meanwhile: the decision is sent, and the caller is gone before it is answered
        let other = rusqlite::Connection::open(place.path().join("data").join("record.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        futures_poll(&mut call).await;
        drop(call);
        drop(other);
        store.flush().await.unwrap();
        store.flush().await.unwrap();
    }));
    let entries = sound(place.path());
    let outcome = entries.iter().find(|entry| entry.kind() == "outcome").unwrap();
    assert_eq!(outcome.outcome().unwrap().reveal(), "cancelled");
    assert_eq!(store.in_flight(), 0);
}

async fn futures_poll<F: Future + Unpin>(future: &mut F) {
    std::future::poll_fn(|context| {
        let polled = std::pin::Pin::new(&mut *future).poll(context);
        assert!(polled.is_pending(), "a durable decision is not there at once");
        std::task::Poll::Ready(())
    })
    .await;
}

#[test]
fn more_than_may_be_under_way_is_denied_and_not_waited_for() {
    let place = Place::new("full");
    let store = Store::open(place.options().most_in_flight(2)).unwrap();
    let bot = harness("bot", &store);
    runtime().block_on(bot.scope(async {
        let first = bot.permit_for("one").await;
        let second = bot.permit_for("two").await;
        let denied = send("ann", "three").await.unwrap_err();
        assert_eq!(denied.code(), "record_full");
        drop((first, second));
        store.flush().await.unwrap();
        send("ann", "three").await.unwrap();
    }));
}

trait PermitFor {
    async fn permit_for(&self, text: &str) -> managed_agents::Permit;
}

impl PermitFor for Harness {
    async fn permit_for(&self, text: &str) -> managed_agents::Permit {
        let input = serde_json::json!({ "to": "ann", "text": text });
        self.govern("send", input).await.unwrap()
    }
}

#[test]
fn power_loss_keeps_the_same_record() {
    let place = Place::new("power");
    let store = Store::open(place.options().durability(Durability::PowerLoss)).unwrap();
    calls(&store, "bot", 20);
    drop(store);
    assert_eq!(sound(place.path()).len(), 42);
}
