//! Law 9: judged again on the inputs of its record, under the same rules, every call gets the verdict that it got.
//!
//! 100 000 calls with `MANAGED_AGENTS_LAW_9=100000`; 3 000 when nothing is said, since a debug build is slow.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use managed_agents::home::Home;
use managed_agents::limit::Limit;
use managed_agents::policy::{Policies, SignalSource, Signals};
use managed_agents::store::StoreOptions;
use managed_agents::{Engine, Harness, Outcome, Risk, ToolCall, ToolMeta};
use serde_json::json;

const POLICIES: &str = r#"
    permit(principal, action == Action::"pay", resource)
    when { context.input.amount <= 500 && context.history.amount_1h + context.input.amount <= 20000 };
    @decision("escalate") @approvers("2")
    permit(principal, action == Action::"pay", resource) when { context.input.amount > 400 };
    forbid(principal, action, resource) when { context has trust && context.trust.score.lessThan(decimal("0.2")) };
    @decision("escalate") forbid(principal, action, resource) when { context.now.unix < 1000000000 };
    forbid(principal, action, resource) when { context.target like "*evil*" };
    forbid(principal, action == Action::"pay", resource)
    when { context.input has rate && context.input.rate.greaterThan(decimal("2.5")) };
    @decision("escalate")
    forbid(principal, action == Action::"look", resource) when { context has drifted && context.drifted };
    permit(principal, action == Action::"look", resource);
    permit(principal, action == Action::"chat", resource) when { context.history.session_calls < 40 };
"#;

/// Trust that changes with every call, so that only the record can know it.
struct Wavering(std::sync::atomic::AtomicU32);

impl SignalSource for Wavering {
    fn signals(&self, _call: &ToolCall) -> Signals {
        let next = self.0.fetch_add(7_919, std::sync::atomic::Ordering::Relaxed) % 10_007;
        let mut signals = Signals::default();
        signals.trust = Some(f64::from(next) / 10_007.0);
        signals.drifted = Some(next.is_multiple_of(11));
        signals
    }
}

/// The program beside this test, built if it is not there.
fn program() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("..");
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let mut build = Command::new(env!("CARGO"));
    build.args([
        "build",
        "-q",
        "-p",
        "managed-agents",
        "--all-features",
        "--bin",
        "managed-agents",
    ]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(
        build
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .unwrap()
            .success()
    );
    target.join(profile).join("managed-agents")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn law_9_every_recorded_decision_is_made_again_under_the_same_rules() {
    let calls: u64 = std::env::var("MANAGED_AGENTS_LAW_9")
        .ok()
        .and_then(|calls| calls.parse().ok())
        .unwrap_or(3_000);
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("law-9-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let set = dir.join("policies");
    std::fs::create_dir_all(&set).unwrap();
    std::fs::write(set.join("law.cedar"), POLICIES).unwrap();
    let schemas = json!({
        "pay": {"type": "object", "required": ["amount"], "properties": {
            "amount": {"type": "integer"}, "rate": {"type": "number"}, "to": {"type": "string"}}},
        "look": {"type": "object", "properties": {}},
        "chat": {"type": "object", "properties": {}},
    });
    std::fs::write(set.join("law.tools.json"), schemas.to_string()).unwrap();
    std::fs::write(
        dir.join("managed-agents.toml"),
        "[tools.pay]\nrisk = \"critical\"\n[tools.look]\nrisk = \"low\"\n[tools.chat]\nrisk = \"low\"\n\
         [[limits]]\ntool = \"chat\"\ncalls = 500\nper = \"1h\"\n",
    )
    .unwrap();

    let options = StoreOptions::new(dir.join("data")).high_water(dir.join("mark"));
    let home = Home::open(options).unwrap();
    let policies = Policies::builder()
        .path(&set)
        .signals(Wavering(0.into()))
        .load()
        .unwrap();
    let harness = Harness::builder()
        .agent_id("bot")
        .home(&home)
        .governor(
            Engine::new()
                .policies(&policies)
                .limit(Limit::calls(500, Duration::from_secs(3_600)).of_tool("chat")),
        )
        .declare(ToolMeta::new("pay").with_risk(Risk::Critical))
        .declare(ToolMeta::new("look").with_risk(Risk::Low))
        .declare(ToolMeta::new("chat").with_risk(Risk::Low))
        .build()
        .await
        .unwrap();
    let workers: Vec<_> = (0..64_u64)
        .map(|worker| {
            let harness = harness.clone();
            tokio::spawn(async move {
                let session = harness.session(&format!("session-{worker}"));
                for number in (worker..calls).step_by(64) {
                    let amount = i64::try_from(number * 7_919 % 611).unwrap() - 20;
                    let (tool, input) = match number % 6 {
                        0 => ("look", json!({})),
                        1 => (
                            "pay",
                            json!({"amount": amount, "to": if number % 3 == 0 { "evil" } else { "fine é\n" }}),
                        ),
                        2 => (
                            "pay",
                            json!({"amount": amount, "rate": f64::from(u32::try_from(number % 50).unwrap()) / 17.0}),
                        ),
                        3 => ("nobody_knows", json!({"a/b~c": amount})),
                        4 => ("chat", json!({})),
                        _ => ("pay", json!({ "amount": amount })),
                    };
                    if let Ok(permit) = session.govern(tool, input).await {
                        permit.finish(Outcome::Ok);
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    drop((harness, home));

    let output = Command::new(program())
        .args(["policy", "replay", "--config"])
        .arg(dir.join("managed-agents.toml"))
        .arg("--policies")
        .arg(&set)
        .arg("--data-dir")
        .arg(dir.join("data"))
        .arg("--high-water")
        .arg(dir.join("mark"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!(
        "{calls} decided alike, 0 not; 0 under other rules, 0 of tools defined otherwise, 0 erased, 0 without inputs."
    );
    assert!(
        said.contains(&expected),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::remove_dir_all(&dir).unwrap();
}

/// What an agent did before decides: denials until it is below the floor, approvals that lead back, and all of it again from the record.
#[tokio::test]
async fn law_9_verdicts_that_rest_on_trust_and_score_are_made_again() {
    for with_policies in [true, false] {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("law-9-trust-{with_policies}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let set = dir.join("policies");
        std::fs::create_dir_all(&set).unwrap();
        std::fs::write(
            set.join("law.cedar"),
            r#"forbid(principal, action == Action::"drop", resource);
               permit(principal, action == Action::"pay", resource) when { context has trust && context.trust.score.greaterThan(decimal("0.45")) };
               forbid(principal, action == Action::"pay", resource) when { context has drifted && context.drifted };"#,
        )
        .unwrap();
        let schemas =
            json!({"pay": {"type": "object", "properties": {}}, "drop": {"type": "object", "properties": {}}});
        std::fs::write(set.join("law.tools.json"), schemas.to_string()).unwrap();
        let tools = "[tools.pay]\nrisk = \"low\"\n[tools.look]\nrisk = \"low\"\n[tools.drop]\nrisk = \"low\"\n";
        let scopes = if with_policies {
            ""
        } else {
            "[scopes]\nbot = [\"pay\", \"look\"]\n"
        };
        std::fs::write(dir.join("managed-agents.toml"), format!("{scopes}{tools}")).unwrap();

        let home = Home::open(StoreOptions::new(dir.join("data")).high_water(dir.join("mark"))).unwrap();
        let engine = if with_policies {
            Engine::new().policies(&Policies::builder().path(&set).load().unwrap())
        } else {
            Engine::new().scope("bot", ["pay", "look"])
        };
        let low = |name| ToolMeta::new(name).with_risk(Risk::Low);
        let harness = Harness::builder()
            .agent_id("bot")
            .home(&home)
            .governor(engine)
            .declare(low("pay"))
            .declare(low("look"))
            .declare(low("drop"))
            .build()
            .await
            .unwrap();
        let mut codes = std::collections::BTreeMap::new();
        for number in 0..200_u32 {
            let tool = ["pay", "look", "pay", "drop"][(number % 4) as usize];
            let code = match harness.govern(tool, json!({})).await {
                Ok(permit) => {
                    permit.finish(Outcome::Ok);
                    "ran".to_owned()
                }
                Err(denied) => denied.code().to_owned(),
            };
            *codes.entry(code).or_insert(0) += 1;
        }
        assert!(
            codes["behaviour_trust"] > 20 && codes["ran"] >= 3,
            "trust decides: {codes:?}"
        );
        drop((harness, home));
        let mut replay = Command::new(program());
        replay
            .args(["policy", "replay", "--config"])
            .arg(dir.join("managed-agents.toml"));
        if with_policies {
            replay.arg("--policies").arg(&set);
        }
        replay
            .arg("--data-dir")
            .arg(dir.join("data"))
            .arg("--high-water")
            .arg(dir.join("mark"));
        let output = replay.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        // without policies a record needs its inputs only where behaviour had a say
        let expected = if with_policies {
            "200 decided alike, 0 not; 0 under other rules"
        } else {
            "0 not; 0 under other rules"
        };
        let alike: u32 = said
            .split(" decided alike")
            .next()
            .and_then(|count| count.rsplit(char::is_whitespace).next()?.parse().ok())
            .unwrap_or(0);
        assert!(
            said.contains(expected) && alike >= codes["behaviour_trust"],
            "{with_policies} {codes:?}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
