//! `trust`: what the record says of an agent's behaviour.

use serde_json::json;

use crate::support::{Place, call};

#[test]
fn trust_is_shown_with_its_causes_and_what_entries_state_is_checked() {
    let place = Place::begun("trust");
    place.run(&["trust", "bot"]).exits(1).says("nothing about an agent");
    let harness = place.harness("bot");
    for _ in 0..5 {
        call(&harness, "s", "send", &json!({ "to": "a", "text": "b" })).unwrap();
    }
    drop(harness);
    // what was earned before is known to the next program
    let harness = place.harness("bot");
    call(&harness, "t", "send", &json!({ "to": "a" })).unwrap();
    drop(harness);
    let shown = place.run(&["trust", "bot", "--svg", "trust.svg"]).ok();
    shown
        .says("completed")
        .says("change something")
        .says("6 entries state a trust, and 6 of them agree")
        .says("┤");
    let svg = String::from_utf8(place.read("trust.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
    let json = place.run(&["trust", "bot", "--json"]).ok().json().remove(0);
    assert_eq!(
        (&json["completed"], &json["compared"], &json["differing"]),
        (&json!(6), &json!(6), &json!([]))
    );
    // an hour earns at most one, and four calls of a quarter earn that
    let change = &json["effects"][1];
    assert_eq!(change["effect"], "change");
    assert!(
        change["good"].as_f64().unwrap() <= 2.0 && change["score"].as_f64().unwrap() > 0.51,
        "{json}"
    );
}

#[test]
fn drift_is_shown_as_text_json_and_a_plot_and_answered_from_the_shell() {
    let place = Place::begun("drift");
    place.run(&["drift", "bot"]).exits(1).says("nothing about an agent");
    let harness = place.harness("bot");
    let mut at = 0;
    let mut one = |tool: &str| {
        at += 1;
        call(&harness, &format!("s{}", at / 10), tool, &json!({ "n": at })).unwrap();
    };
    let usual = |at: usize| if at.is_multiple_of(20) { "pay" } else { "send" };
    (0..100).for_each(|at| one(usual(at)));
    place
        .run(&["drift", "bot"])
        .ok()
        .says("learning: 100 calls in 11 sessions");
    let shown = place.run(&["drift", "bot", "--json"]).ok().json().remove(0);
    assert_eq!(
        (&shown["phase"], &shown["learnt_calls"]),
        (&json!("learning"), &json!(100))
    );
    (100..500).for_each(|at| one(usual(at)));
    let begun = std::time::Instant::now();
    // a call asks for thresholds, and they come back as an entry
    while place.run(&["drift", "bot", "--json"]).ok().json()[0]["phase"] != "watching" {
        assert!(begun.elapsed().as_secs() < 120, "no thresholds");
        one("send");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    place
        .run(&["drift", "ack", "bot"])
        .exits(1)
        .says("no alarm of agent `bot` is open");
    (0..60).for_each(|_| one("pay"));
    drop(harness);
    // the alarm that no entry states yet is stated by the next program that runs for a moment
    let next = place.harness("bot");
    let begun = std::time::Instant::now();
    while place
        .run(&["audit", "list", "--type", "drift", "--json"])
        .ok()
        .json()
        .len()
        < 2
    {
        assert!(begun.elapsed().as_secs() < 60, "no entry states the alarm");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop(next);
    place
        .run(&["drift", "bot", "--svg", "drift.svg"])
        .exits(3)
        .says("alarm at")
        .says("pay 5.0 % →")
        .says("`drift ack` when you have seen it");
    let svg = String::from_utf8(place.read("drift.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains("threshold"),
        "{svg}"
    );
    place.run(&["drift", "bot"]).exits(3).says("┤");
    let shown = place.run(&["drift", "bot", "--json"]).exits(3).json().remove(0);
    let alert = &shown["alerts"][0];
    assert_eq!((&shown["open"], &shown["run_length"]), (&json!(true), &json!(10_000)));
    assert_eq!(alert["stream"], "tool", "{shown}");
    let mut moved = alert["moved"].as_array().unwrap().iter();
    assert!(
        moved.any(|moved| moved["category"] == "pay" && moved["now"].as_f64() > moved["usual"].as_f64()),
        "{shown}"
    );
    assert_eq!(shown["levels"].as_array().unwrap().len(), 7);
    let mut entries = place.run(&["audit", "list", "--type", "drift", "--json"]).ok().json();
    // the last line says where to go on
    entries.retain(|entry| entry.get("body").is_some());
    assert_eq!(
        (entries.len(), &entries[0]["body"]["alarm"]),
        (1, &alert["seq"]),
        "{entries:?}"
    );
    place.run(&["trust", "bot"]).ok().says("drift");
    place.run(&["drift", "ack", "bot"]).ok().says("recorded at");
    place.run(&["drift", "bot"]).ok();
    place.run(&["drift", "rebaseline", "bot"]).ok().says("recorded at");
    place.run(&["drift", "bot"]).ok().says("learning: 0 calls");
    place
        .run(&["audit", "verify", "--deep"])
        .ok()
        .says("Every record is as it was written");
}
