//! `stop` and `resume`, and programs that are stopped by them.

use serde_json::json;

use crate::support::{Place, call};

#[test]
fn an_operator_stops_and_resumes_a_running_program_from_the_shell() {
    let place = Place::begun("stop");
    let harness = place.harness("bot");
    let letter = json!({ "to": "a", "text": "b" });
    let runs = || call(&harness, "s", "send", &letter);
    runs().unwrap();
    place
        .run(&["stop", "--agent", "bot", "--reason", "runaway", "--drill"])
        .ok()
        .says("agent/bot is stopped");
    let denied = runs().unwrap_err();
    assert_eq!(denied.code(), "interrupted");
    place.run(&["stop", "--list"]).ok().says("runaway").says("true");
    place
        .run(&["stop", "--list", "--json"])
        .ok()
        .says(r#""target":"agent/bot""#);
    place.run(&["resume", "--everything"]).exits(1).says("not stopped");
    place.run(&["resume", "--agent", "bot"]).ok().says("may go on");
    runs().unwrap();
    for target in [&["--session", "s"][..], &["--everything"]] {
        place.run(&[&["stop"], target].concat()).ok();
        assert_eq!(runs().unwrap_err().code(), "interrupted");
        place.run(&[&["resume"], target].concat()).ok();
        runs().unwrap();
    }
    place.run(&["stop"]).exits(1).says("say what");
    place.run(&["stop", "--call", "eval_0"]).exits(1).says("no call");
    place.run(&["stop", "--agent", "No Agent"]).exits(1);
    place.run(&["stop", "--everything", "--reason", "No code"]).exits(1);
    drop(harness);
    place.run(&["audit", "verify", "--deep"]).ok();
    place
        .run(&["audit", "list", "--type", "interrupt", "--json"])
        .ok()
        .says("ma-resume/1");
}

#[test]
fn with_an_operator_stopping_needs_no_passphrase_and_resuming_does() {
    let place = Place::new("stop-operator");
    let pass = place.path("pass");
    std::fs::write(&pass, "correct horse battery staple\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&pass, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.run(&["init", "--operator", "--passphrase-file", "pass"]).ok();
    place.run(&["stop", "--everything"]).ok();
    place
        .run(&["resume", "--everything"])
        .exits(1)
        .says("--passphrase-file");
    place.run(&["resume", "--everything", "--passphrase-file", "pass"]).ok();
}
