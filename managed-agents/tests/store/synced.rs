//! Stops, revocations and consumed grants are on the disk before they are acknowledged, whatever the durability: what the
//! operating system is asked is watched with `strace`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::SystemTime;

use managed_agents::audit::{Committed, DecisionRecord, OutcomeRecord, RecordError, Recorder, Sequence, Stopped};
use managed_agents::home::Home;
use managed_agents::identity::{AgentState, Enrolment};
use managed_agents::store::StoreOptions;
use managed_agents::{AgentId, Answer, Claims, Harness, ToolCall};

use crate::support::{Place, runtime, send};

const ROLE: &str = "MANAGED_AGENTS_TEST_SYNCED";

/// Says when each decision is acknowledged; if `grants`, each consumes a grant.
struct Acknowledging {
    home: Home,
    grants: bool,
    number: std::sync::atomic::AtomicU32,
}

impl Acknowledging {
    fn harness(home: &Home, grants: bool) -> Harness {
        let recorder = Self {
            home: home.clone(),
            grants,
            number: 0.into(),
        };
        let harness = Harness::builder().agent_id("bot").recorder(recorder);
        harness.build_blocking().unwrap()
    }
}

impl Recorder for Acknowledging {
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        mut claims: Claims,
    ) -> Answer<Result<Committed, RecordError>> {
        if self.grants {
            let number = self.number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            claims.grant = Some(format!("grant-{number}").into());
        }
        // what comes after it, as the outcome does, may be written and not fsynced
        self.home.commit(record, call, claims).map(|done| {
            say("ACKNOWLEDGED");
            done
        })
    }

    fn admits(&self, agent: &AgentId, at: SystemTime) -> Result<(), Stopped> {
        self.home.admits(agent, at)
    }

    fn conclude(&self, place: Sequence, outcome: OutcomeRecord) {
        self.home.conclude(place, outcome);
    }
}

fn say(line: &str) {
    use std::io::Write as _;
    std::io::stdout()
        .lock()
        .write_all(format!("\n{line}\n").as_bytes())
        .unwrap();
}

/// Not a test of its own: what is watched.
#[test]
fn a_process_that_is_watched() {
    let Ok(place) = std::env::var(ROLE) else { return };
    let place = Path::new(&place);
    let home = Home::open(StoreOptions::new(place.join("data")).high_water(place.join("mark/log.high-water"))).unwrap();
    // registers the agent
    drop(Harness::builder().agent_id("bot").home(&home).build_blocking().unwrap());
    let (bot, granted) = (
        Acknowledging::harness(&home, false),
        Acknowledging::harness(&home, true),
    );
    home.register(&Enrolment::new(AgentId::parse("clerk").unwrap()))
        .unwrap();
    let runtime = runtime();
    let watched = |what: &str, work: &dyn Fn()| {
        say(&format!("BEGIN {what}"));
        work();
        say("ACKNOWLEDGED");
    };
    for _ in 0..6 {
        let one = |harness: &Harness| {
            runtime.block_on(harness.scope(send("ann", "one"))).unwrap();
        };
        watched("plain", &|| one(&bot));
        watched("grant", &|| one(&granted));
    }
    watched("suspend", &|| {
        drop(home.set_state("bot", AgentState::Suspended, "test").unwrap())
    });
    watched("revoke", &|| {
        drop(home.set_state("clerk", AgentState::Revoked, "test").unwrap())
    });
}

/// Whether what was written to the WAL between a beginning and its end was fsynced in between.
fn is_synced(lines: &[&str]) -> bool {
    let mut synced = true;
    let mut syncing: Option<&str> = None;
    for line in lines {
        let process = line.split_whitespace().next().unwrap_or_default();
        if line.contains("pwrite64(") && line.contains("record.db-wal") {
            synced = false;
        } else if line.contains("sync(") && line.contains("record.db-wal") {
            if line.contains("unfinished") {
                syncing = Some(process);
            } else {
                synced = true;
            }
        } else if line.contains("sync resumed") && syncing == Some(process) {
            synced = true;
        }
    }
    synced
}

#[test]
fn a_stop_a_revocation_and_a_consumed_grant_are_fsynced_before_anybody_is_told() {
    if Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        let place = Place::new("synced");
        let trace = place.path().join("trace");
        let done = Command::new("strace")
            .args([
                "-f",
                "-y",
                "-s",
                "64",
                "-e",
                "trace=pwrite64,write,fsync,fdatasync",
                "-o",
            ])
            .arg(&trace)
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "synced::a_process_that_is_watched",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ROLE, place.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let text = std::fs::read_to_string(&trace).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let mut seen: Vec<(&str, bool)> = Vec::new();
        let mut begun: Option<(&str, usize)> = None;
        for (at, line) in lines.iter().enumerate() {
            if let Some((_, rest)) = line.split_once("BEGIN ") {
                begun = rest.split_once("\\n").map(|(what, _)| (what, at));
            } else if line.contains("ACKNOWLEDGED\\n")
                && let Some((what, from)) = begun.take()
            {
                assert!(
                    lines[from..at].iter().any(|line| line.contains("record.db-wal")),
                    "{what} was written"
                );
                seen.push((what, is_synced(&lines[from..at])));
            }
        }
        let synced = |what: &str| {
            seen.iter()
                .filter(|(one, _)| *one == what)
                .map(|(_, synced)| *synced)
                .collect::<Vec<_>>()
        };
        assert_eq!(synced("grant"), [true; 6]);
        assert_eq!(synced("suspend"), [true]);
        assert_eq!(synced("revoke"), [true]);
        // else this test would say nothing; the writer's own period may come in between once
        let plain = synced("plain");
        assert!(
            plain.len() == 6 && plain.iter().filter(|synced| !**synced).count() >= 3,
            "{plain:?}"
        );
    } else {
        eprintln!("skipped: there is no `strace` here, or it may watch nothing");
    }
}
