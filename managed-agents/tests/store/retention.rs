//! Values go when a rule says so, stay while a hold says so, and nobody can pass off the one for the other.

use std::time::{Duration, SystemTime};

use managed_agents::audit::Sequence;
use managed_agents::store::{Depth, Hold, Retained, RetentionRule, Store, StoreErrorKind, Values};
use managed_agents::{GovernanceDenied, governed};

use crate::support::{self, Place, harness, runtime, send, sound};

/// Notes something about a customer.
#[governed(risk = low, reversible, subject = customer)]
async fn note(customer: &str, text: String) -> Result<usize, GovernanceDenied> {
    Ok(customer.len() + text.len())
}

/// Three notes about Ann, two about Bob, two letters.
fn begun(test: &str) -> (Place, Store) {
    let place = Place::new(test);
    let store = place.open();
    let bot = harness("bot", &store);
    runtime().block_on(bot.scope(async {
        for (customer, text) in [
            ("ann", "one"),
            ("bob", "two"),
            ("ann", "three"),
            ("bob", "four"),
            ("ann", "five"),
        ] {
            note(customer, text.to_owned()).await.unwrap();
        }
    }));
    support::calls(&store, "bot", 2);
    runtime().block_on(store.flush()).unwrap();
    (place, store)
}

fn run(store: &Store, rules: &[RetentionRule], only_count: bool) -> Retained {
    store.retain(rules, SystemTime::now(), only_count, |_| ()).unwrap()
}

/// How many decisions have values, and of how many they were removed.
fn values(store: &Store) -> (usize, usize) {
    let reader = store.reader().unwrap();
    let entries = reader.entries(0, 1_000).unwrap();
    let values: Vec<_> = entries
        .iter()
        .map(|entry| reader.values(Sequence::new(entry.sequence())).unwrap())
        .collect();
    let known = values
        .iter()
        .filter(|values| matches!(values, Values::Known(_)))
        .count();
    (
        known,
        values.iter().filter(|values| **values == Values::Removed).count(),
    )
}

fn now() -> RetentionRule {
    RetentionRule::new(Duration::ZERO)
}

#[test]
fn a_rule_removes_the_values_of_its_tool_subject_and_age_and_no_others() {
    let (place, store) = begun("retention-rules");
    assert_eq!(values(&store), (7, 0));
    assert_eq!(
        run(&store, &[RetentionRule::new(Duration::from_secs(3_600))], false).removed,
        0
    );
    assert_eq!(run(&store, &[now().tool("other*")], false).removed, 0);
    assert_eq!(run(&store, &[now().subject("nobody")], false).removed, 0);
    // counted, and not removed
    assert_eq!(run(&store, &[now().subject("ann")], true).removed, 3);
    assert_eq!(values(&store), (7, 0));
    assert_eq!(run(&store, &[now().subject("ann").tool("no*")], false).removed, 3);
    assert_eq!(values(&store), (4, 3));
    assert_eq!(
        run(&store, &[now().subject("ann")], false).removed,
        0,
        "they are gone already"
    );
    assert_eq!(run(&store, &[now().tool("note"), now()], false).removed, 4);
    assert_eq!(values(&store), (0, 7));

    let entries = sound(place.path());
    let runs = entries.iter().filter(|entry| entry.kind() == "retention").count();
    assert_eq!(runs, 3);
    let report = store.reader().unwrap().verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound() && report.removed() == 7, "{report:?}");
    // who is erased after all is erased: the key goes too
    assert!(runtime().block_on(store.erase("ann")).unwrap().is_some());
    sound(place.path());
}

#[test]
fn a_hold_stands_before_every_rule_and_every_erasure_until_it_is_released() {
    let (place, store) = begun("retention-holds");
    let runtime = runtime();
    let erase = |subject: &str| runtime.block_on(store.erase(subject));
    let everything = runtime.block_on(store.hold(&Hold::everything())).unwrap();
    let of_tool = runtime
        .block_on(store.hold(&Hold::everything().tool("note").subject("ann")))
        .unwrap();
    let held = run(&store, &[now()], false);
    assert_eq!((held.removed, held.held), (0, 7));
    for subject in ["ann", "bob"] {
        assert_eq!(erase(subject).unwrap_err().kind(), StoreErrorKind::Held);
    }
    runtime.block_on(store.release(everything)).unwrap();
    assert_eq!(
        runtime.block_on(store.release(everything)).unwrap_err().kind(),
        StoreErrorKind::Refused,
        "it is released already"
    );
    assert_eq!(
        erase("ann").unwrap_err().kind(),
        StoreErrorKind::Held,
        "a tool's values are held"
    );
    assert!(erase("bob").unwrap().is_some());
    let done = run(&store, &[now()], false);
    assert_eq!(
        (done.removed, done.held),
        (4, 3),
        "Bob's boxes, which nothing opens, go as well"
    );
    assert_eq!(store.reader().unwrap().holds().unwrap().len(), 1);

    // another process sees the hold
    let second = place.open();
    assert_eq!(run(&second, &[now()], false).held, 3);
    drop(second);
    runtime.block_on(store.release(of_tool)).unwrap();
    assert_eq!(run(&store, &[now()], false).removed, 3);
    assert!(erase("ann").unwrap().is_some());
    // a subject of whom nothing is known yet can be held; what comes later is kept
    runtime
        .block_on(store.hold(&Hold::everything().subject("eve")))
        .unwrap();
    let bot = harness("bot", &store);
    runtime.block_on(bot.scope(note("eve", "six".to_owned()))).unwrap();
    assert_eq!(run(&store, &[now()], false).held, 1);
    assert_eq!(erase("eve").unwrap_err().kind(), StoreErrorKind::Held);
    // the log names no subject
    let text: String = store
        .reader()
        .unwrap()
        .entries(0, 1_000)
        .unwrap()
        .iter()
        .map(|entry| entry.as_json().to_owned())
        .collect();
    assert!(!text.contains("\"eve\"") && !text.contains("\"ann\""), "{text}");
    sound(place.path());
}

#[test]
fn values_that_somebody_deleted_do_not_pass_for_values_that_a_rule_removed() {
    let (place, store) = begun("retention-forged");
    run(&store, &[now().subject("ann")], false);
    let entries = sound(place.path());
    let run_at = entries
        .iter()
        .find(|entry| entry.kind() == "retention")
        .unwrap()
        .sequence();
    drop(store);
    let db = rusqlite::Connection::open(place.path().join("data/record.db")).unwrap();
    let empty = |seq: i64, by: u64, mark: &[u8]| {
        db.execute(
            "UPDATE sealed SET nonce = ?2, box = x'', mark = ?3 WHERE seq = ?1",
            (seq, by.to_be_bytes(), mark),
        )
        .unwrap()
    };
    let (seq, subject): (i64, u32) = db
        .query_row(
            "SELECT seq, subject FROM sealed WHERE length(box) > 0 LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    // with the mark that the row would have, which is no secret
    let mark = |by: u64| -> Vec<u8> {
        use sha2::{Digest as _, Sha256};
        let hash = Sha256::new()
            .chain_update(seq.to_be_bytes())
            .chain_update(subject.to_be_bytes())
            .chain_update(by.to_be_bytes())
            .finalize();
        hash[..8].to_vec()
    };
    for by in [run_at, run_at + 1, 0, u64::MAX] {
        assert_eq!(empty(seq, by, &mark(by)), 1);
        let report = place.open().reader().unwrap().verify(Depth::Deep, |_| ()).unwrap();
        assert!(
            report
                .problems()
                .iter()
                .any(|problem| problem.code() == "value_differs"),
            "emptied by {by}: {report:?}"
        );
    }
    let _ = send;
}
