//! The authority's key with the operator, and programs that hold their own keys alone.

use std::fs;

use serde_json::json;

use crate::support::{Place, call};

fn secret(place: &Place, name: &str, text: &str, mode: u32) {
    let path = place.path(name);
    fs::write(&path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn without_the_operator_s_passphrase_no_agent_is_registered_or_stopped() {
    let place = Place::new("operator");
    secret(&place, "pass", "correct horse battery staple\n", 0o600);
    secret(&place, "wrong", "incorrect horse\n", 0o600);
    secret(&place, "open", "correct horse battery staple\n", 0o644);
    let with = |file: &str, arguments: &[&str]| place.run(&[arguments, &["--passphrase-file", file]].concat());

    // there is no terminal to ask, and a file that others read is no secret
    place.run(&["init", "--operator"]).exits(1);
    #[cfg(unix)]
    with("open", &["init", "--operator"])
        .exits(1)
        .says("others can read it");
    with("pass", &["init", "--operator"]).ok().says("under your passphrase");
    assert!(!place.path("data/keys/authority.key").exists());

    // a program cannot register its agent, and says how it is done
    let error = place.try_harness("bot").unwrap_err().to_string();
    assert!(error.contains("managed-agents agent register bot"), "{error}");
    place
        .run(&["agent", "register", "bot"])
        .exits(1)
        .says("--passphrase-file");
    with("wrong", &["agent", "register", "bot"]).exits(1).says("passphrase");
    with("pass", &["agent", "register", "bot"]).ok();
    assert!(place.path("data/keys/agent-bot.mandate").exists(), "it renews itself");

    let harness = place.harness("bot");
    let letter = json!({ "to": "a", "text": "b" });
    call(&harness, "s", "send", &letter).unwrap();
    place.run(&["agent", "suspend", "bot"]).exits(1);
    call(&harness, "s", "send", &letter).unwrap();
    with("pass", &["agent", "suspend", "bot"]).ok();
    assert_eq!(
        call(&harness, "s", "send", &letter).unwrap_err().code(),
        "agent_suspended"
    );

    // what needs no key needs no passphrase
    for arguments in [
        &["agent", "list"][..],
        &["agent", "show", "bot"],
        &["audit", "verify", "--deep"],
        &["init"],
    ] {
        place.run(arguments).ok();
    }
}

#[test]
fn an_authority_in_the_open_can_be_put_under_a_passphrase_later() {
    let place = Place::begun("locked-later");
    secret(&place, "pass", "correct horse battery staple", 0o600);
    let bot = place.run(&["agent", "register", "bot"]).ok().out;
    place
        .run(&["init", "--operator", "--passphrase-file", "pass"])
        .ok()
        .says("was there already");
    assert!(!place.path("data/keys/authority.key").exists());
    place.run(&["agent", "revoke", "bot", "--yes"]).exits(1);
    let list = place.run(&["agent", "list", "--json"]).ok().json();
    assert!(
        bot.contains(list[0]["passport"].as_str().unwrap()),
        "the same identity: {bot}"
    );
    place
        .run(&["agent", "revoke", "bot", "--yes", "--passphrase-file", "pass"])
        .ok();
}
