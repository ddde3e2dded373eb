//! Law 6, the half of certificates: a suspended, revoked or expired agent's next call is denied, in every process, whatever
//! the harness was told about judgement. (`law_6_interrupts.rs` is the other half.)

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use managed_agents::home::Home;
use managed_agents::identity::{AgentState, Enrolment};
use managed_agents::store::StoreOptions;
use managed_agents::{AgentId, GovernanceDenied, Harness, governed};

static RAN: AtomicU32 = AtomicU32::new(0);

/// Counts how often it ran.
#[governed(risk = low, reversible)]
async fn count(by: u32) -> Result<u32, GovernanceDenied> {
    Ok(RAN.fetch_add(by, Ordering::SeqCst) + by)
}

/// A data directory of this test's own.
fn place(test: &str) -> (PathBuf, StoreOptions) {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("law-6-{test}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    (
        dir.clone(),
        StoreOptions::new(dir.join("data")).high_water(dir.join("mark")),
    )
}

#[tokio::test]
async fn law_6_a_stopped_agent_is_denied_at_its_next_call_and_runs_again_when_reactivated() {
    let (dir, options) = place("next-call");
    let home = Home::open(options).unwrap();
    let harness = Harness::builder().agent_id("bot").home(&home).build().await.unwrap();
    let mine = harness.scope(count(1)).await.unwrap();
    home.set_state("bot", AgentState::Suspended, "test").unwrap();
    for _ in 0..3 {
        let denied = harness.scope(count(1)).await.unwrap_err();
        assert_eq!(denied.code(), "agent_suspended");
    }
    home.set_state("bot", AgentState::Active, "test").unwrap();
    assert_eq!(harness.scope(count(1)).await.unwrap(), mine + 1, "no denied body ran");
    home.set_state("bot", AgentState::Revoked, "test").unwrap();
    assert_eq!(harness.scope(count(1)).await.unwrap_err().code(), "agent_revoked");
    assert!(home.set_state("bot", AgentState::Active, "test").is_err(), "for good");
    assert!(home.renew("bot").is_err(), "a revoked identity is not renewed");
    drop((harness, home));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn law_6_suspended_judgement_does_not_suspend_a_revocation() {
    let (dir, options) = place("observe");
    let home = Home::open(options).unwrap();
    let harness = Harness::builder()
        .agent_id("bot")
        .home(&home)
        .dangerous()
        .observe_only()
        .build()
        .await
        .unwrap();
    harness.scope(count(0)).await.unwrap();
    home.set_state("bot", AgentState::Revoked, "test").unwrap();
    assert_eq!(harness.scope(count(0)).await.unwrap_err().code(), "agent_revoked");
    drop((harness, home));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn law_6_an_expired_certificate_denies() {
    let (dir, options) = place("expired");
    let home = Home::open(options).unwrap();
    let agent = AgentId::parse("bot").unwrap();
    home.register(&Enrolment::new(agent).lifetime(Duration::from_secs(60)))
        .unwrap();
    let harness = Harness::builder()
        .agent_id("bot")
        .recorder(home.store().clone())
        .build()
        .await
        .unwrap();
    harness.scope(count(0)).await.unwrap();
    // the log's own time counts where it is ahead of the clock
    let later = std::time::SystemTime::now() + Duration::from_secs(120);
    let note = managed_agents::audit::entry::Statement::new("note", later, "{}");
    let note = managed_agents::audit::entry::statement(&note).unwrap();
    home.store().append(note, true).await.unwrap();
    assert_eq!(harness.scope(count(0)).await.unwrap_err().code(), "certificate_expired");
    drop((harness, home));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
#[ignore = "run in a process of its own"]
async fn call_until_denied() {
    let dir = PathBuf::from(std::env::var_os("LAW_6_DIR").unwrap());
    let harness = Harness::builder()
        .agent_id("bot")
        .data_dir(dir.join("data"))
        .high_water_mark(dir.join("mark"))
        .build()
        .await
        .unwrap();
    loop {
        match harness.scope(count(1)).await {
            Ok(_) => println!("ran"),
            Err(denied) => {
                println!("denied {}", denied.code());
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_stops_an_agent_is_out_of_its_reach() {
    let (dir, _) = place("reach");
    let harness = Harness::builder()
        .agent_id("bot")
        .data_dir(dir.join("data"))
        .high_water_mark(dir.join("mark"))
        .build()
        .await
        .unwrap();
    let (data, mark) = (dir.join("data"), dir.join("mark"));
    let (data, mark) = (data.display(), mark.display());
    for command in [
        format!("cat {data}/store.db"),
        format!("cp -r {data} /tmp/x"),
        format!("sudo rm -rf {data}"),
        format!("echo > {mark}"),
        format!("cd {data} && sqlite3 managed.db .dump"),
        format!("rm -rf {}", dir.display()),
    ] {
        let arguments = serde_json::json!({ "command": command }).to_string();
        let denied = harness.govern("bash", arguments.as_str()).await.unwrap_err();
        let reasons = denied
            .verdict()
            .map(|verdict| verdict.reasons().to_vec())
            .unwrap_or_default();
        assert!(
            reasons.iter().any(|reason| reason.code() == "tamper_governance"),
            "{command}: {denied:?}"
        );
    }
    drop(harness);
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn law_6_a_revocation_is_seen_by_another_process_at_its_next_call() {
    let (dir, options) = place("process");
    let home = Home::open(options).unwrap();
    home.register(&Enrolment::new(AgentId::parse("bot").unwrap())).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["call_until_denied", "--ignored", "--nocapture"])
        .env("LAW_6_DIR", &dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut next = || {
        lines
            .by_ref()
            .map(Result::unwrap)
            .find(|line| line.ends_with("ran") || line.contains("denied agent"))
    };
    assert!(next().unwrap().ends_with("ran"));
    home.set_state("bot", AgentState::Revoked, "test").unwrap();
    // calls that were recorded before the revocation may still be printed; after it there is none
    let size = home.store().reader().unwrap().head().unwrap().size();
    let last = std::iter::from_fn(next).last().unwrap();
    assert!(last.contains("denied agent_revoked"), "{last}");
    assert!(child.wait().unwrap().success());
    let reader = home.store().reader().unwrap();
    let after = reader.entries(size, 100).unwrap();
    let allowed = after.iter().filter(|entry| {
        entry.kind() == "decision" && entry.decision().is_some_and(|decision| decision.reveal() == "allow")
    });
    assert_eq!(
        allowed.count(),
        0,
        "nothing was allowed after the revocation was recorded"
    );
    drop(home);
    std::fs::remove_dir_all(dir).unwrap();
}
