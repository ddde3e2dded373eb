//! Evidence packs: whoever has Python alone can check one, and no byte of it can be changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Place, call, calls};

/// The verifier's exit code, and what it says; none where there is no Python.
fn verify(pack: &Path, more: &[&str]) -> Option<(i32, String)> {
    let output = Command::new("python3")
        // the verifier of the pack itself, in a mode without anything that is installed
        .args(["-I", "-S", "-B"])
        .arg(pack.join("verify.py"))
        .arg(pack)
        .args(more)
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    Some((
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

fn begun(test: &str) -> Place {
    let place = Place::begun(test);
    let harness = place.harness("bot");
    calls(&harness, 20);
    call(&harness, "tuesday", "drop_tables", &serde_json::json!({})).unwrap_err();
    drop(harness);
    place.run(&["agent", "suspend", "bot", "--reason", "on_holiday"]).ok();
    place
}

#[test]
fn a_pack_verifies_with_python_alone_and_says_what_it_checked() {
    let place = begun("evidence-verifies");
    let made = place
        .run(&["evidence", "--out", "pack", "--sample", "5", "--json"])
        .ok()
        .json();
    let key = made[0]["key"].as_str().unwrap();
    assert_eq!(key, place.run(&["audit", "checkpoint", "--key"]).ok().out.trim());
    assert_eq!(made[0]["sample"], 5);
    let pack = place.path("pack");
    let Some((code, said)) = verify(&pack, &["--key", key]) else {
        return;
    };
    assert_eq!(code, 0, "{said}");
    for line in [
        "signed with the log's key",
        "the log only grew",
        "each by its receipt",
        "part of it",
        "drills: 0 entries",
        "everything holds",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let (code, said) = verify(&pack, &[]).unwrap();
    assert!(code == 0 && said.contains("no --key was given"), "{said}");

    // another key, another log
    let other = begun("evidence-other");
    let foreign = other.run(&["audit", "checkpoint", "--key"]).ok().out;
    let (code, said) = verify(&pack, &["--key", foreign.trim()]).unwrap();
    assert!(code == 2 && said.contains("another key"), "{said}");

    // the sample is the population, and is counted again; a seed of the auditor's
    place.run(&["evidence", "--out", "whole", "--sample", "1000"]).ok();
    let (code, said) = verify(&place.path("whole"), &["--key", key]).unwrap();
    assert!(code == 0 && said.contains("counted again"), "{said}");
    for (dir, seed) in [("one", "ann"), ("two", "ann"), ("three", "ben")] {
        place
            .run(&["evidence", "--out", dir, "--sample", "7", "--seed", seed])
            .ok();
        assert_eq!(verify(&place.path(dir), &["--key", key]).unwrap().0, 0);
    }
    let drawn = |dir: &str| -> Value { serde_json::from_slice(&place.read(&format!("{dir}/sample.json"))).unwrap() };
    assert_eq!(drawn("one"), drawn("two"));
    assert_ne!(drawn("one")["places"], drawn("three")["places"]);

    // a period in the middle of the log begins at an earlier signed head
    calls(&place.harness("other"), 3);
    place.run(&["evidence", "--out", "late", "--from", "10m"]).ok();
    assert_eq!(verify(&place.path("late"), &["--key", key]).unwrap().0, 0);
    place.run(&["evidence", "--out", "none", "--to", "2020-01-01"]).ok();
    assert_eq!(verify(&place.path("none"), &["--key", key]).unwrap().0, 0);

    place.run(&["evidence", "--out", "pack"]).exits(1).says("not empty");
}

#[test]
fn a_pack_with_any_byte_changed_does_not_verify() {
    let place = begun("evidence-flips");
    let made = place
        .run(&["evidence", "--out", "pack", "--sample", "3", "--json"])
        .ok()
        .json();
    let key = made[0]["key"].as_str().unwrap().to_owned();
    let pack = place.path("pack");
    if verify(&pack, &["--key", &key]).is_none() {
        return;
    }
    // an honest copy of the verifier checks: a pack's own could be changed to say anything
    fs::write(
        place.path("verify.py"),
        include_bytes!("../../src/report/pack/verify.py"),
    )
    .unwrap();
    fs::write(place.path("flip.py"), include_bytes!("flip.py")).unwrap();
    let output = Command::new("python3")
        .args(["-I", "-S", "-B"])
        .arg(place.path("flip.py"))
        .arg(&pack)
        .arg(&key)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    println!("{said}");
    assert_eq!(verify(&pack, &["--key", &key]).unwrap().0, 0);

    // one too many, one too few
    fs::write(pack.join("entries/more.json"), "{}").unwrap();
    assert_eq!(verify(&pack, &["--key", &key]).unwrap().0, 2);
    fs::remove_file(pack.join("entries/more.json")).unwrap();
    fs::remove_file(pack.join("agents.json")).unwrap();
    assert_eq!(verify(&pack, &["--key", &key]).unwrap().0, 2);
}
