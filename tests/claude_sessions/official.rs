//! The strict server is itself checked: the official client's session runner works with it, and what it is sent is taken.
//!
//! Runs when `MANAGED_AGENTS_ANTHROPIC_PYTHON` names a Python in which `anthropic` is installed.

use std::process::Command;

use tests::managed::{ManagedServer, Turn};
use tests::support::program;

use crate::world::{answers, bash, issue, look};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_works_with_the_strict_server() {
    let Some(python) = program("MANAGED_AGENTS_ANTHROPIC_PYTHON") else {
        println!("skipped: MANAGED_AGENTS_ANTHROPIC_PYTHON does not name a Python with `anthropic`");
        return;
    };
    let turns = [
        Turn::calls(vec![look("7"), look("8"), bash("ask"), issue()]),
        Turn::calls(vec![look("9")]),
        Turn::says("All done."),
    ];
    let server = ManagedServer::start(turns).await.unwrap();
    let (url, script) = (
        server.url().to_owned(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/claude_sessions.py"),
    );
    let ended = tokio::task::spawn_blocking(move || Command::new(python).arg(script).arg(url).output());
    let ended = ended.await.unwrap().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr),
    );
    assert!(ended.status.success(), "{out}\n{err}");
    let session = out
        .lines()
        .find_map(|line| line.strip_prefix("session "))
        .unwrap()
        .to_owned();
    let events = server.world().events(&session);
    let given: Vec<_> = answers(&events).iter().map(|(_, answers)| answers.len()).collect();
    assert_eq!(given, [1; 5], "{out}");
    assert!(events.iter().any(|event| event["type"] == "agent.message"), "{out}");
    assert_eq!(server.world().refused(), [""; 0], "{out}");
    println!(
        "the official client ran {} calls against the strict server",
        given.len()
    );
}
