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
