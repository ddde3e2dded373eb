//! Killed processes: what was acknowledged is there, and nobody closes what still runs.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use managed_agents::audit::Sequence;
use managed_agents::audit::entry::Entry;
use managed_agents::store::{Reader, Store, Values};
use managed_agents::{GovernanceDenied, governed};

use crate::support::{Place, harness, options, rounds, sound};

const ROLE: &str = "MANAGED_AGENTS_TEST_ROLE";
const PLACE: &str = "MANAGED_AGENTS_TEST_PLACE";

/// Says that its body has begun.
#[governed(risk = low, reversible)]
async fn announce(id: &str) -> Result<usize, GovernanceDenied> {
    say(&format!("BODY {id}"));
    Ok(id.len())
}

/// Says that its body has begun, and stays in it.
#[governed(risk = low, reversible)]
async fn stay(id: &str) -> Result<usize, GovernanceDenied> {
    say(&format!("BODY {id}"));
    tokio::time::sleep(Duration::from_secs(60)).await;
    Ok(id.len())
}

/// One line in one write, so that a killed process leaves no half of one but the last.
fn say(line: &str) {
    std::io::stdout()
        .lock()
        .write_all(format!("\n{line}\n").as_bytes())
        .unwrap();
}

/// Not a test of its own: what the other processes run.
#[test]
fn a_process_of_its_own() {
    let (Ok(role), Ok(place)) = (std::env::var(ROLE), std::env::var(PLACE)) else {
        return;
    };
    let store = Store::open(options(Path::new(&place))).unwrap();
    let bot = harness("bot", &store);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let number = std::process::id();
    runtime.block_on(async {
        if role == "stay" {
            bot.scope(stay(&format!("{number}"))).await.unwrap();
            return;
        }
        let most = role.parse().unwrap_or(usize::MAX);
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                bot.spawn(async move {
                    for call in 0..most {
                        announce(&format!("{number}-{caller}-{call}")).await.unwrap();
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    });
    drop((bot, store));
    say("END");
}

fn start(role: &str, place: &Place) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::a_process_of_its_own",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ROLE, role)
        .env(PLACE, place.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Every line that the process has said, until it ends.
fn listen(child: &mut Child) -> std::thread::JoinHandle<Vec<String>> {
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).collect())
}

fn bodies(lines: &[String]) -> impl Iterator<Item = String> + '_ {
    lines
        .iter()
        .filter_map(|line| Some(line.strip_prefix("BODY ")?.to_owned()))
}

/// The ids of the calls that are recorded.
fn recorded(place: &Place, entries: &[Entry]) -> HashSet<String> {
    let reader = Reader::open(place.path().join("data")).unwrap();
    let decisions = entries.iter().filter(|entry| entry.kind() == "decision");
    decisions
        .map(|entry| match reader.values(Sequence::new(entry.sequence())).unwrap() {
            Values::Known(values) => {
                let id = values.iter().find(|value| value.path == "/arguments/id").unwrap();
                String::from_utf8_lossy(&id.value).trim_matches('"').to_owned()
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Every decision that let a body run has an outcome, once no process runs.
fn all_ended(entries: &[Entry]) {
    let about: HashSet<_> = entries.iter().filter_map(Entry::about).collect();
    let decisions = entries.iter().filter(|entry| entry.kind() == "decision");
    for decision in decisions {
        assert!(about.contains(&decision.sequence()), "{}", decision.as_json());
    }
}

/// `MANAGED_AGENTS_KILLS` says how often; 200 takes some minutes.
#[test]
fn whatever_is_killed_every_body_that_began_has_its_record() {
    for round in 0..rounds("MANAGED_AGENTS_KILLS", 12) {
        let place = Place::new("kill");
        let mut writers: Vec<_> = (0..3).map(|_| start("forever", &place)).collect();
        let heard: Vec<_> = writers.iter_mut().map(listen).collect();
        // some before their first record, some after
        std::thread::sleep(Duration::from_millis(30 + 37 * (round as u64 % 11)));
        for writer in &mut writers {
            writer.kill().unwrap();
            std::thread::sleep(Duration::from_millis(round as u64 % 7));
        }
        let mut said = Vec::new();
        for (mut writer, heard) in writers.into_iter().zip(heard) {
            writer.wait().unwrap();
            said.extend(bodies(&heard.join().unwrap()));
        }
        drop(place.open());
        let entries = sound(place.path());
        all_ended(&entries);
        let recorded = recorded(&place, &entries);
        for id in &said {
            assert!(
                recorded.contains(id),
                "round {round}: the body of {id} ran without its record"
            );
        }
    }
}

#[test]
fn several_processes_write_one_log_without_a_fork() {
    let place = Place::new("several");
    let mut writers: Vec<_> = (0..3).map(|_| start("40", &place)).collect();
    let heard: Vec<_> = writers.iter_mut().map(listen).collect();
    for (mut writer, heard) in writers.into_iter().zip(heard) {
        let lines = heard.join().unwrap();
        assert!(writer.wait().unwrap().success());
        assert_eq!(bodies(&lines).count(), 160);
        assert!(lines.iter().any(|line| line == "END"));
    }
    let entries = sound(place.path());
    let count = |kind: &str| entries.iter().filter(|entry| entry.kind() == kind).count();
    assert_eq!(
        (count("origin"), count("log_key"), count("decision"), count("outcome")),
        (1, 1, 480, 480)
    );
    all_ended(&entries);
}

#[test]
fn what_a_live_process_runs_is_closed_when_it_is_dead_and_not_before() {
    let place = Place::new("live");
    let mut runner = start("stay", &place);
    let mut out = BufReader::new(runner.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("BODY") {
        line.clear();
        out.read_line(&mut line).unwrap();
    }
    for _ in 0..3 {
        let store = place.open();
        assert_eq!(store.reader().unwrap().running().unwrap().len(), 1);
        assert!(sound(place.path()).iter().all(|entry| entry.kind() != "outcome"));
    }
    runner.kill().unwrap();
    runner.wait().unwrap();
    let store = place.open();
    assert!(store.reader().unwrap().running().unwrap().is_empty());
    let entries = sound(place.path());
    let outcome = entries.iter().find(|entry| entry.kind() == "outcome").unwrap();
    assert_eq!(outcome.outcome().unwrap().reveal(), "unknown");
}

#[test]
fn a_late_outcome_is_appended_and_overwrites_nothing() {
    let place = Place::new("late");
    let store = place.open();
    let bot = harness("bot", &store);
    let runtime = crate::support::runtime();
    let permit = runtime.block_on(async { bot.govern("send", serde_json::json!({ "to": "ann" })).await.unwrap() });
    // as if the operating system had lost the lock
    for lock in std::fs::read_dir(place.path().join("data").join("processes")).unwrap() {
        std::fs::remove_file(lock.unwrap().path()).unwrap();
    }
    let other = place.open();
    permit.finish(managed_agents::Outcome::Ok);
    runtime.block_on(store.flush()).unwrap();
    drop(other);
    let entries = sound(place.path());
    let outcomes: Vec<_> = entries
        .iter()
        .filter_map(|entry| Some(entry.outcome()?.reveal().to_owned()))
        .collect();
    assert_eq!(outcomes, ["unknown", "ok"]);
}
