//! What behaviour costs those who do nothing wrong: recorded trajectories of real tasks, by engines with and without it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use managed_agents::assessment::{Assessor, Preset};
use managed_agents::drift::Phase;
use managed_agents::testing::VirtualClock;
use managed_agents::{Behaviour, Engine, Harness, Outcome, ToolMeta};
use serde_json::Value;

/// The sessions of one corpus, in the order in which they were recorded: tools with their input.
type Sessions = Vec<Vec<(String, String)>>;

fn sessions(name: &str) -> Option<Sessions> {
    let folder = std::env::var_os("MANAGED_AGENTS_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/dev"),
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).ok()?;
    let mut sessions: BTreeMap<String, Vec<(u64, String, String)>> = BTreeMap::new();
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        // a call alone is no trajectory
        let Some(session) = row["sequence_id"].as_str().filter(|_| row["label"] == "benign") else {
            continue;
        };
        sessions.entry(session.to_owned()).or_default().push((
            row["step"].as_u64().unwrap(),
            row["tool_name"].as_str().unwrap().to_owned(),
            row["tool_input"].to_string(),
        ));
    }
    let ordered = sessions.into_values().map(|mut calls| {
        calls.sort_by_key(|(step, ..)| *step);
        calls.into_iter().map(|(_, tool, input)| (tool, input)).collect()
    });
    Some(ordered.collect())
}

async fn harness(engine: Engine, clock: &VirtualClock, tools: &BTreeSet<String>) -> Harness {
    let builder = Harness::builder()
        .keep_in_memory(10)
        .agent_id("bot")
        .governor(engine)
        .virtual_clock(clock.clone());
    let declared = tools.iter().map(|tool| ToolMeta::new(tool.clone()));
    declared
        .fold(builder, managed_agents::harness::HarnessBuilder::declare)
        .build()
        .await
        .unwrap()
}

/// Whether the call ran, or why not.
async fn ran(harness: &Harness, session: &str, tool: &str, input: &str, fails: bool) -> Result<(), String> {
    match harness.session(session).govern(tool, input).await {
        Ok(permit) => {
            permit.finish(if fails { Outcome::Error } else { Outcome::Ok });
            Ok(())
        }
        Err(denied) => Err(denied.code().to_owned()),
    }
}

/// How many calls were made, how many of them behaviour alone stopped, and by which codes.
async fn stopped(sessions: &Sessions, engine: Engine, behaviour: &Behaviour) -> (u32, u32, BTreeSet<String>) {
    let clock = VirtualClock::new();
    let tools = sessions.iter().flatten().map(|(tool, _)| tool.clone()).collect();
    let with = harness(engine.behaviour(behaviour), &clock, &tools).await;
    let without = harness(Engine::new().without_behaviour(), &clock, &tools).await;
    let (mut calls, mut stopped, mut codes) = (0, 0, BTreeSet::new());
    let mut last = None;
    // three days of the same work, so that the agent is learnt and watched; each in another order
    for day in 0..3_usize {
        for at in 0..sessions.len() {
            // 7 919 is prime, and divides no number of sessions
            let session = &sessions[(at * 7_919 + day * 31) % sessions.len()];
            let name = format!("{day}-{at}");
            for (tool, input) in session {
                calls += 1;
                let fails = calls % 40 == 0;
                let mine = ran(&with, &name, tool, input, fails).await;
                let theirs = ran(&without, &name, tool, input, fails).await;
                if let (Err(code), Ok(())) = (&mine, &theirs) {
                    stopped += 1;
                    codes.insert(code.clone());
                }
                clock.advance(Duration::from_secs(3));
            }
            clock.advance(Duration::from_secs(90));
            let waits = Instant::now();
            while behaviour.phase("bot") == Phase::Calibrating && waits.elapsed() < Duration::from_secs(60) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        last = Some(behaviour.phase("bot"));
    }
    println!(
        "  in the end it is {last:?}, with {:?}",
        behaviour.alert("bot").map(|alert| alert.stream())
    );
    (calls, stopped, codes)
}

#[tokio::test]
async fn behaviour_alone_stops_at_most_one_in_a_hundred_calls_of_benign_trajectories() {
    let (mut calls, mut stopped_in_all, mut assessed) = (0, 0, 0);
    for name in ["tau_bench", "agentdojo", "bfcl"] {
        let Some(sessions) = sessions(name) else {
            println!("left out: there is no corpus `{name}`; `MANAGED_AGENTS_CORPUS` names its folder");
            return;
        };
        let found = stopped(&sessions, Engine::new(), &Behaviour::new()).await;
        println!(
            "{name}: {} of {} calls stopped by behaviour alone {:?}",
            found.1, found.0, found.2
        );
        let assessor = Assessor::new(Preset::general());
        let with = stopped(&sessions, Engine::new().assess(&assessor), &Behaviour::new()).await;
        println!("{name}, assessed as well: {} of {} calls {:?}", with.1, with.0, with.2);
        calls += found.0;
        stopped_in_all += found.1;
        assessed += with.1;
        assert!(found.1 * 100 <= found.0, "{name}: {} of {}", found.1, found.0);
    }
    println!(
        "{calls} calls, {stopped_in_all} stopped by behaviour alone ({:.2} %); {assessed} where they are assessed as well ({:.2} %)",
        f64::from(stopped_in_all) * 100.0 / f64::from(calls),
        f64::from(assessed) * 100.0 / f64::from(calls)
    );
    assert!(assessed * 100 <= calls, "{assessed} of {calls}");
}
