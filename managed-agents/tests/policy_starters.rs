//! The starter policies, and the commands that judge by policies.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use managed_agents::home::Home;
use managed_agents::policy::Policies;
use managed_agents::store::StoreOptions;
use managed_agents::{Engine, Harness, Outcome, ToolMeta};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_managed-agents"));
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn starters() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")
}

#[test]
fn each_starter_decides_as_its_cases_say_and_stops_its_red_team() {
    for name in ["support", "coding", "payments", "analyst"] {
        let dir = starters().join(name);
        let output = program()
            .args(["policy", "check", "--policies"])
            .arg(&dir)
            .output()
            .unwrap();
        assert!(
            output.status.success() && !text(&output).contains("warning"),
            "{name}: {}",
            text(&output)
        );
        let red_team = dir.join("red-team.json");
        let expected = std::fs::read_to_string(&red_team).unwrap();
        assert!(
            !expected.contains(r#""expect": "allow""#),
            "{name}: none of them may be allowed"
        );
        let output = program()
            .args(["policy", "test", "--policies"])
            .args([&dir, &dir.join("cases.json"), &red_team])
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output));
    }
}

#[test]
fn a_case_that_is_decided_otherwise_is_named_and_the_program_says_so() {
    let dir = starters().join("analyst");
    let cases = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong-cases.json");
    std::fs::write(
        &cases,
        r#"[{"name": "a wish", "tool": "chart", "input": {"title": "t"}, "expect": "deny"}]"#,
    )
    .unwrap();
    let output = program()
        .args(["policy", "test", "--policies"])
        .args([&dir, &cases])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("a wish: allow, not deny [charts]"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_record_is_replayed_compared_and_explained() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("policy-replay-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let (data, mark) = (dir.join("data"), dir.join("mark"));
    let set = starters().join("support");
    let home = Home::open(StoreOptions::new(&data).high_water(&mark)).unwrap();
    let policies = Policies::builder().path(&set).load().unwrap();
    let harness = Harness::builder()
        .agent_id("bot")
        .home(&home)
        .governor(Engine::new().policies(&policies))
        .declare(ToolMeta::new("refund"))
        .build_blocking()
        .unwrap();
    for cents in [100, 6_000, 60_000, -1] {
        if let Ok(permit) = harness.govern_blocking("refund", serde_json::json!({"order": 1, "cents": cents})) {
            permit.finish(Outcome::Ok);
        }
    }
    drop((harness, home));
    let config = dir.join("managed-agents.toml");
    std::fs::write(&config, "[tools.refund]\n").unwrap();
    let run = |arguments: &[&str], more: &[&Path]| {
        let mut command = program();
        command.arg("policy").args(arguments).args(more);
        command
            .arg("--config")
            .arg(&config)
            .arg("--data-dir")
            .arg(&data)
            .arg("--high-water")
            .arg(&mark);
        command.output().unwrap()
    };
    let output = run(&["replay", "--policies"], &[&set]);
    assert!(
        text(&output).contains("4 decided alike, 0 not; 0 under other rules"),
        "{}",
        text(&output)
    );
    assert_eq!(output.status.code(), Some(0));
    let output = run(&["replay", "--policies"], &[&starters().join("analyst")]);
    assert!(
        text(&output).contains("0 decided alike, 0 not; 4 under other rules"),
        "{}",
        text(&output)
    );

    let candidate = dir.join("candidate");
    std::fs::create_dir_all(&candidate).unwrap();
    std::fs::copy(set.join("support.tools.json"), candidate.join("support.tools.json")).unwrap();
    std::fs::write(
        candidate.join("next.cedar"),
        "@id(\"tiny\") permit(principal, action == Action::\"refund\", resource) when { context.input.cents < 50 };",
    )
    .unwrap();
    let output = run(&["diff", "--policies"], &[&set, Path::new("--candidate"), &candidate]);
    // 100 was allowed, 6 000 was escalated, 60 000 stays denied, and −1 would be allowed
    assert!(
        text(&output).contains("3 of 4 calls would be decided differently"),
        "{}",
        text(&output)
    );
    assert!(
        text(&output).contains("`refund` of bot deny -> allow [tiny]"),
        "{}",
        text(&output)
    );
    assert_eq!(output.status.code(), Some(3));

    let place = (0..20).find(|place| {
        let output = run(&["why", "--policies"], &[&set, Path::new(&place.to_string())]);
        output.status.success() && text(&output).contains("policies  larger-refund")
    });
    let output = run(&["why", "--policies"], &[&set, Path::new(&place.unwrap().to_string())]);
    assert!(text(&output).contains("today     escalate"), "{}", text(&output));
    std::fs::remove_dir_all(&dir).unwrap();
}
