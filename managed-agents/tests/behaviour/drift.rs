//! Drift, as calls through a harness raise it, and as the record gives it again.

use std::time::{Duration, Instant};

use managed_agents::audit::entry::Entry;
use managed_agents::call::Effect;
use managed_agents::drift::Phase;
use managed_agents::home::Home;
use managed_agents::store::Query;
use managed_agents::{Behaviour, Engine, Harness, Outcome, ToolMeta};

use crate::record::Dir;

fn builder(behaviour: &Behaviour) -> managed_agents::harness::HarnessBuilder {
    Harness::builder()
        .agent_id("bot")
        .governor(Engine::new().behaviour(behaviour))
        .declare(ToolMeta::new("look").read_only())
        .declare(ToolMeta::new("book").reversible())
        .declare(ToolMeta::new("send").reversible())
}

/// Sessions of ten calls: mostly looking, some booking, hardly any sending.
async fn work(harness: &Harness, from: usize, calls: usize) {
    for at in from..from + calls {
        let tool = match at % 50 {
            7 | 13 | 22 | 38 | 41 => "book",
            49 => "send",
            _ => "look",
        };
        call(harness, at, tool).await;
    }
}

async fn call(harness: &Harness, at: usize, tool: &str) {
    let session = harness.session(&format!("s{}", at / 10));
    let input = format!(r#"{{"n":{at}}}"#);
    session.govern(tool, input).await.unwrap().finish(Outcome::Ok);
}

/// Calls on until thresholds are there.
async fn until_watched(harness: &Harness, behaviour: &Behaviour) -> usize {
    let begun = Instant::now();
    let mut at = 500;
    while behaviour.phase("bot") != Phase::Watching {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "{:?}",
            behaviour.phase("bot")
        );
        work(harness, at, 10).await;
        at += 10;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    at
}

/// Waits until so many entries of a type are there; gives the last.
async fn stated(home: &Home, kind: &str, wanted: usize) -> Entry {
    let begun = Instant::now();
    loop {
        let found = home
            .store()
            .reader()
            .unwrap()
            .query(&Query::new().kind(kind))
            .unwrap()
            .into_entries();
        assert!(found.len() <= wanted, "{} entries of {kind}", found.len());
        if found.len() == wanted {
            return found.last().unwrap().clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no entry of {kind}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_change_is_told_once_and_costs_trust_once_until_it_is_acknowledged() {
    let behaviour = Behaviour::new();
    let harness = builder(&behaviour).in_memory().build().await.unwrap();
    work(&harness, 0, 499).await;
    assert!(matches!(behaviour.phase("bot"), Phase::Learning { calls: 499, .. }));
    let at = until_watched(&harness, &behaviour).await;
    assert_eq!(behaviour.alert("bot"), None);
    let before = behaviour.trust("bot", Effect::Grave);
    for call_at in at..at + 120 {
        call(&harness, call_at, if call_at % 2 == 0 { "send" } else { "look" }).await;
    }
    let alert = behaviour.alert("bot").unwrap();
    assert!(
        alert
            .moved()
            .iter()
            .any(|moved| moved.category == "send" && moved.now > moved.usual),
        "{alert:?}"
    );
    let after = behaviour.trust("bot", Effect::Grave);
    let cost = after.bad() - before.bad();
    assert!((0.9..=4.0).contains(&cost), "{cost}");
    let size = behaviour.size("bot");
    println!("{size} bytes");
    assert!(size <= 16 * 1_024, "{size}");
    behaviour.acknowledge("bot");
    assert_eq!(behaviour.alert("bot"), None);
    behaviour.rebaseline("bot");
    assert_eq!(behaviour.phase("bot"), Phase::Learning { calls: 0, sessions: 0 });
}

#[tokio::test]
async fn from_the_record_the_same_alarm_is_raised_again() {
    let dir = Dir::new();
    let first = Behaviour::new();
    let alert = {
        let home = dir.home();
        let harness = builder(&first).home(&home).build().await.unwrap();
        work(&harness, 0, 500).await;
        let at = until_watched(&harness, &first).await;
        for call_at in at..at + 60 {
            call(&harness, call_at, "send").await;
        }
        home.store().flush().await.unwrap();
        stated(&home, "drift", 1).await;
        first.alert("bot").unwrap()
    };
    let again = Behaviour::new();
    let home = dir.home();
    let harness = builder(&again).home(&home).build().await.unwrap();
    assert_eq!(again.phase("bot"), Phase::Watching);
    assert_eq!(again.alert("bot").as_ref(), Some(&alert));
    // the alarm is an entry, so that others can be told; it is stated once, whoever computes it again
    tokio::time::sleep(Duration::from_millis(200)).await;
    home.store().flush().await.unwrap();
    let entry = stated(&home, "drift", 1).await;
    let body: serde_json::Value = serde_json::from_str(entry.raw("body").unwrap()).unwrap();
    assert_eq!(
        (&body["alarm"], &body["stream"]),
        (&alert.place().into(), &alert.stream().code().into())
    );
    assert_eq!(body["moved"][0]["category"], "send");
    let bad = |behaviour: &Behaviour| behaviour.trust("bot", Effect::Grave);
    assert_eq!(bad(&first).value(), bad(&again).value());
    // what an operator says is an entry like others
    again.acknowledge("bot");
    home.store().flush().await.unwrap();
    assert_eq!(again.alert("bot"), None);
    drop((harness, home));
    let third = Behaviour::new();
    let home = dir.home();
    let _harness = builder(&third).home(&home).build().await.unwrap();
    assert_eq!(third.alert("bot"), None);
}
