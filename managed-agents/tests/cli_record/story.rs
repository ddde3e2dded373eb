//! From the first call to the day when somebody changed a byte.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::{Place, Run, call, calls};

#[test]
fn nothing_but_init_makes_a_record() {
    let place = Place::new("missing");
    for arguments in [
        &["agent", "list"][..],
        &["agent", "show", "bot"],
        &["agent", "register", "bot"],
        &["agent", "revoke", "bot", "--yes"],
        &["audit", "list"],
        &["audit", "show", "0"],
        &["audit", "verify"],
        &["audit", "verify", "--json"],
        &["audit", "export", "--format", "csv"],
        &["audit", "export", "--format", "tiles", "--out", "tiles"],
        &["audit", "prove", "0"],
        &["audit", "checkpoint"],
        &["backup", "copy.db"],
        &["restore", "--accept"],
    ] {
        place.run(arguments).exits(1).says("there is no record");
        assert!(!place.path("data").exists(), "{arguments:?}");
    }
    place.run(&["restore", "copy.db"]).exits(1);
    place
        .run(&["audit", "list", "--since", "tuesday"])
        .exits(1)
        .says("not a time");
    place
        .run(&["audit", "list", "--decision", "maybe"])
        .exits(1)
        .says("allow, escalate, deny");
}

#[test]
fn the_first_run_says_where_the_authority_s_key_lies_and_the_second_changes_nothing() {
    let place = Place::new("init");
    place
        .run(&["init"])
        .ok()
        .says("keys/authority.key (0600)")
        .says("init --operator");
    let key = place.read("data/keys/authority.key");
    let again = place.run(&["init"]).ok().says("was there already");
    assert!(!again.out.contains("authority.key"), "said once: {}", again.out);
    assert_eq!(place.read("data/keys/authority.key"), key);
    let line = &place.run(&["init", "--json"]).ok().json()[0];
    assert_eq!((&line["new"], &line["operator"]), (&json!(false), &json!(false)));
    // the option stands before or after the command
    place.run(&["--data-dir", "data", "audit", "verify"]).ok();
    place.run(&["audit", "--data-dir", "none", "verify"]).exits(1);
    // another directory, where this record is remembered to lie
    place
        .run(&["init", "--data-dir", "none"])
        .exits(1)
        .says("now there is none");
}

#[test]
fn what_an_agent_did_is_listed_shown_and_proven() {
    let place = Place::begun("story");
    let harness = place.harness("support-bot");
    calls(&harness, 3);
    let input = json!({ "amount": 7, "card": "4111 1111 1111 1111" });
    call(&harness, "tuesday", "pay", &input).unwrap();
    let denied = call(&harness, "tuesday", "drop_tables", &json!({})).unwrap_err();
    assert_eq!(denied.code(), "undeclared_name");

    // the zone of whoever looks changes nothing
    let zones = [
        "UTC",
        "Pacific/Kiritimati",
        "right/America/St_Johns",
        ":/nowhere",
        "QQQ99",
    ];
    let seen = zones.map(|zone| {
        let list = place.command(&["audit", "list"]).env("TZ", zone).output().unwrap();
        Run::from(list).ok().out
    });
    assert!(seen.iter().all(|list| *list == seen[0]), "{seen:?}");

    // while the program still runs
    let list = place.run(&["audit", "list", "--json", "--oldest-first"]).ok().json();
    let decisions: Vec<_> = list.iter().filter(|entry| entry["type"] == "decision").collect();
    assert_eq!(decisions.len(), 5);
    assert_eq!(list.last(), Some(&json!({ "next": null })));
    let paid = decisions[3];
    assert_eq!((&paid["tool"], &paid["session"]), (&json!("pay"), &json!("tuesday")));

    // every condition, and pages
    let count = |more: &[&str]| {
        let run = place.run(&[&["audit", "list", "--json"], more].concat()).ok().json();
        run.len() - 1
    };
    assert_eq!(count(&["--tool", "send", "--decision", "allow"]), 3);
    assert_eq!(count(&["--session", "tuesday", "--type", "decision"]), 2);
    assert_eq!(count(&["--decision", "escalate", "--agent", "support-bot"]), 1);
    assert_eq!(count(&["--agent", "stranger"]), 0);
    assert_eq!(count(&["--since", "1h", "--type", "decision"]), 5);
    assert_eq!(count(&["--until", "1h"]), 0);
    assert_eq!(count(&["--since", "2026-01-01", "--until", "2020-01-01T00:00:00Z"]), 0);
    let (mut seen, mut after) = (Vec::new(), None::<u64>);
    loop {
        let mut arguments = vec!["audit", "list", "--json", "--limit", "4"];
        let place_after = after.map(|after| after.to_string());
        if let Some(after) = &place_after {
            arguments.extend(["--after", after]);
        }
        let mut page = place.run(&arguments).ok().json();
        let next = page.pop().unwrap()["next"].as_u64();
        assert!(page.len() <= 4);
        seen.extend(page.iter().map(|entry| entry["seq"].as_u64().unwrap()));
        after = next;
        if after.is_none() {
            break;
        }
    }
    let newest_first: Vec<u64> = (0..list.len() as u64 - 1).rev().collect();
    assert_eq!(seen, newest_first);
    place
        .run(&["audit", "list", "--limit", "2"])
        .ok()
        .says("--after")
        .says("| seq");

    // one call: by place and by evaluation; values only when asked for, and no redacted one
    let seq = paid["seq"].to_string();
    let evaluation = paid["evaluation"].as_str().unwrap();
    let shown = place.run(&["audit", "show", &seq]).ok().says("support-bot").says("pay");
    assert!(!shown.out.contains("4111 1111"), "{}", shown.out);
    let both = place.run(&["audit", "show", evaluation, "--json"]).ok().json();
    assert_eq!(
        (&both[0]["type"], &both[1]["type"]),
        (&json!("decision"), &json!("outcome"))
    );
    assert_eq!(both[1]["about"], paid["seq"]);
    for more in [&["--reveal"][..], &["--reveal", "--json"]] {
        let revealed = place.run(&[&["audit", "show", &seq], more].concat()).ok();
        assert!(revealed.out.contains("/arguments/amount"), "{}", revealed.out);
        assert!(!revealed.out.contains("4111 1111"), "{}", revealed.out);
    }
    place.run(&["audit", "show", "999"]).exits(1).says("no entry `999`");

    // nothing is wrong
    place
        .run(&["audit", "verify"])
        .ok()
        .says("Every record is as it was written");
    let deep = &place.run(&["audit", "verify", "--deep", "--json"]).ok().json()[0];
    assert_eq!((&deep["sound"], &deep["problems"]), (&json!(true), &json!([])));
    assert!(deep["high_water"].as_u64() > Some(0), "{deep}");

    // a receipt, checked without the record
    place
        .run(&[
            "audit",
            "prove",
            &seq,
            "--out",
            "call.tlog-proof",
            "--entry",
            "call.json",
        ])
        .ok();
    let key = place.run(&["audit", "checkpoint", "--key"]).ok().out;
    assert!(key.starts_with("test.example/log+"), "{key}");
    let check = |proof: &str, entry: &str, key: &str| {
        let arguments = ["audit", "prove", "--check", proof, "--entry", entry, "--key", key];
        place.run(&[&arguments[..], &["--data-dir", "elsewhere"]].concat())
    };
    check("call.tlog-proof", "call.json", key.trim()).ok().says("is entry");
    let changed = String::from_utf8(place.read("call.json"))
        .unwrap()
        .replace("\"pay\"", "\"say\"");
    fs::write(place.path("changed.json"), changed).unwrap();
    check("call.tlog-proof", "changed.json", key.trim())
        .exits(2)
        .says("does not hold");
    check("call.json", "call.json", key.trim()).exits(1);
    let other = "test.example/log+00000000+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    check("call.tlog-proof", "call.json", other).exits(1);
    // what is there is not overwritten
    place
        .run(&["audit", "prove", &seq, "--out", "call.tlog-proof"])
        .exits(1)
        .says("there already");
}

#[test]
fn a_changed_byte_is_found_and_the_record_named() {
    let place = Place::begun("tampered");
    calls(&place.harness("bot"), 20);
    place.run(&["audit", "verify", "--deep"]).ok();
    let entry = place.run(&["audit", "show", "17", "--json"]).ok().out;
    let database = place.path("data/record.db");
    let mut bytes = fs::read(&database).unwrap();
    let needle = entry.trim_end().as_bytes();
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    // the last digit of the microseconds
    let at = at + entry.find("Z\"").unwrap() - 1;
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    fs::write(&database, bytes).unwrap();
    for deep in [&[][..], &["--deep"]] {
        let verify = |more: &[&str]| place.run(&[&["audit", "verify"], deep, more].concat());
        verify(&[]).exits(2).says("the first bad record is 17").says("BAD");
        let line = &verify(&["--json"]).exits(2).json()[0];
        assert_eq!((&line["sound"], &line["first_bad_record"]), (&json!(false), &json!(17)));
    }
    // so much of it that it cannot be read
    fs::write(&database, b"SQLite format 3\0 and then nothing of the kind").unwrap();
    place.run(&["audit", "verify"]).exits(2);
}

#[test]
fn a_revoked_agent_is_denied_at_its_next_call_in_the_program_that_runs() {
    let place = Place::begun("revoked");
    let harness = place.harness("bot");
    calls(&harness, 1);
    let try_call = || call(&harness, "s", "send", &json!({ "to": "a", "text": "b" }));

    place
        .run(&["agent", "suspend", "bot", "--reason", "odd_letters"])
        .ok()
        .says("suspended");
    assert_eq!(try_call().unwrap_err().code(), "agent_suspended");
    place.run(&["agent", "reactivate", "bot"]).ok().says("active");
    try_call().unwrap();
    place.run(&["agent", "revoke", "bot"]).exits(1).says("--yes");
    try_call().unwrap();
    place.run(&["agent", "revoke", "bot", "--yes"]).ok().says("revoked");
    assert_eq!(try_call().unwrap_err().code(), "agent_revoked");

    for arguments in [
        &["agent", "reactivate", "bot"][..],
        &["agent", "renew", "bot"],
        &["agent", "register", "bot"],
    ] {
        place.run(arguments).exits(1).says("revoked");
    }
    place
        .run(&["agent", "revoke", "stranger", "--yes"])
        .exits(1)
        .says("not registered");
    let show = place.run(&["agent", "show", "bot"]).ok();
    for word in [
        "registered",
        "suspended (odd_letters)",
        "active (operator)",
        "revoked (operator)",
    ] {
        assert!(show.out.contains(word), "{word}: {}", show.out);
    }
    place.run(&["audit", "verify", "--deep"]).ok();
}

#[test]
fn an_old_copy_is_refused_until_it_is_accepted() {
    let place = Place::begun("copies");
    calls(&place.harness("bot"), 3);
    place.run(&["backup", "old.db"]).ok().says("records");
    place.run(&["backup", "old.db"]).exits(1).says("there already");
    // a copy that lacks nothing is simply taken
    place.run(&["restore", "old.db"]).ok();
    calls(&place.harness("bot"), 3);
    let size = place.run(&["audit", "verify", "--json"]).ok().json()[0]["size"].clone();

    place.run(&["restore", "old.db"]).exits(2).says("Nothing was changed");
    assert_eq!(place.run(&["audit", "verify", "--json"]).ok().json()[0]["size"], size);

    // whoever puts it there by hand is found out
    fs::copy(place.path("old.db"), place.path("data/record.db")).unwrap();
    let line = &place.run(&["audit", "verify", "--json"]).exits(2).json()[0];
    assert_eq!(line["sound"], json!(false));
    assert!(line["rolled_back"].as_str().unwrap().contains("records"), "{line}");
    assert!(place.try_harness("bot").is_err(), "calls are denied");
    place.run(&["agent", "list"]).exits(1).says("records");

    place.run(&["restore", "--accept"]).ok().says("/restored-");
    place.run(&["audit", "verify", "--deep"]).ok();
    // whom the operator had stopped since nobody else knows: all are suspended
    place.run(&["agent", "list"]).ok().says("suspended");
    place.run(&["agent", "reactivate", "bot"]).ok();
    calls(&place.harness("bot"), 1);
    place.run(&["restore", "old.db", "--accept"]).ok().says("/restored-");
    place.run(&["audit", "verify", "--deep"]).ok();
    // a record that a program has open is not replaced
    let held = place.harness("bot");
    place
        .run(&["restore", "old.db", "--accept"])
        .exits(1)
        .says("end it first");
    drop(held);
    fs::write(place.path("no.db"), "no copy").unwrap();
    place.run(&["restore", "no.db", "--accept"]).exits(1);
    place.run(&["audit", "verify"]).ok();
}

#[test]
fn openssl_accepts_the_certificate_that_is_printed() {
    let place = Place::begun("certificate");
    place
        .run(&[
            "agent",
            "register",
            "bot",
            "--owner",
            "ann@example.com",
            "--scope",
            "send,pay",
            "--lifetime",
            "2h",
        ])
        .ok();
    let line = &place.run(&["agent", "list", "--json"]).ok().json()[0];
    assert_eq!(line["owner"], "ann@example.com");
    assert_eq!(line["scope"], json!(["pay", "send"]));
    let renewed = place.run(&["agent", "renew", "bot"]).ok();
    let line = &place.run(&["agent", "show", "bot", "--json"]).ok().json()[0];
    assert!(renewed.out.contains(line["passport"].as_str().unwrap()), "{line}");
    assert_eq!(line["statements"].as_array().unwrap().len(), 2);
    let pem = place.run(&["agent", "show", "bot", "--pem"]).ok().out;
    fs::write(place.path("bot.pem"), pem).unwrap();
    let verified = Command::new("openssl")
        .args(["verify", "-CAfile"])
        .arg(place.path("data/keys/authority.pem"))
        .arg(place.path("bot.pem"))
        .output();
    match verified {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => println!("not checked with openssl: {error}"),
    }
}
