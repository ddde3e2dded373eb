//! Other changes: a slow ramp, a burst, a release, and agents that are new or silent.

use managed_agents::drift::Phase;

use super::measure::{Ours, Watch as _, usual};
use super::streams::{Random, Rare, Sessions};

/// How many agents go through each.
const AGENTS: u64 = 30;

struct Trial {
    ours: Ours,
    random: Random,
    tools: Vec<String>,
}

fn trial(sessions: &Sessions, seed: u64) -> Trial {
    let mut random = Random(seed * 6_151 + 5);
    let learnt = sessions.learnt(&mut random);
    let mut ours = Ours::learnt(&learnt, false, seed);
    usual(sessions, &mut random, &mut ours, 250);
    Trial {
        ours,
        tools: Rare::Own.tools(&learnt),
        random,
    }
}

pub(super) fn all(sessions: &Sessions) {
    println!("{AGENTS} agents each:\n\n| what happens | what is seen |\n|---|---|");
    let ramps = delays(sessions, 4_000, |at| at as f64 / 4_000.0);
    println!(
        "| slow ramp: from none to all calls moved to its rarest tools, in 4 000 calls | found after {ramps} calls, when {:.0} % were moved |",
        ramps.median as f64 / 40.0
    );
    let bursts = delays(sessions, 30, |_| 1.0);
    println!("| burst: 30 calls of its rarest tools and nothing else | found after {bursts} of them |");
    let faint = delays(sessions, 4_000, |_| 0.05);
    println!("| 5 % of the calls moved | found after {faint} calls |");
    release(sessions);
    new(sessions);
    silent(sessions);
    println!();
}

struct Delays {
    median: usize,
    worst: usize,
    found: usize,
}

impl std::fmt::Display for Delays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} (median; {} at most; {} of {AGENTS} agents)",
            self.median, self.worst, self.found
        )
    }
}

fn delays(sessions: &Sessions, most: usize, share: impl Fn(usize) -> f64 + Copy) -> Delays {
    let mut delays = Vec::new();
    for seed in 0..AGENTS {
        let Trial {
            mut ours,
            mut random,
            tools,
        } = trial(sessions, seed);
        let mut found = false;
        let delay = sessions.follow(&mut random, share, &tools, most, |tool, size, begins| {
            found = ours.sees(tool, size, begins);
            found
        });
        if found {
            delays.push(delay);
        }
    }
    delays.sort_unstable();
    Delays {
        median: delays.get(AGENTS as usize / 2).copied().unwrap_or(most),
        worst: delays.last().copied().unwrap_or(most),
        found: delays.len(),
    }
}

/// A release renames a tool: an alarm, and after a new beginning none but by chance.
fn release(sessions: &Sessions) {
    let renamed = |tool: &str| {
        if tool == "search_direct_flight" {
            "search_flights".to_owned()
        } else {
            tool.to_owned()
        }
    };
    let (mut delays, mut alarms) = (Vec::new(), 0);
    for seed in 0..AGENTS {
        let Trial {
            mut ours, mut random, ..
        } = trial(sessions, seed);
        delays.push(sessions.follow(
            &mut random,
            |_| 0.0,
            &[],
            4_000,
            |tool, size, begins| ours.sees(&renamed(tool), size, begins),
        ));
        ours.detector.rebaseline();
        while ours.detector.phase() != Phase::Calibrating {
            sessions.follow(
                &mut random,
                |_| 0.0,
                &[],
                100,
                |tool, size, begins| {
                    assert!(!ours.sees(&renamed(tool), size, begins), "no alarm while it learns");
                    ours.detector.phase() == Phase::Calibrating
                },
            );
        }
        ours.arm();
        sessions.follow(
            &mut random,
            |_| 0.0,
            &[],
            5_000,
            |tool, size, begins| {
                if ours.sees(&renamed(tool), size, begins) {
                    alarms += 1;
                    ours.again();
                }
                false
            },
        );
    }
    delays.sort_unstable();
    println!(
        "| release: the second tool (13 % of its calls) has another name | found after {} calls (median); after `rebaseline` {alarms} alarms in {} calls |",
        delays[delays.len() / 2],
        AGENTS * 5_000
    );
}

fn new(sessions: &Sessions) {
    let mut alarms = 0;
    for seed in 0..AGENTS {
        let mut random = Random(seed * 31 + 1);
        let mut ours = Ours::new(false, seed);
        alarms += usual(sessions, &mut random, &mut ours, 499);
        assert!(matches!(ours.detector.phase(), Phase::Learning { .. }));
    }
    println!("| new: its first 499 calls | {alarms} alarms; it says `learning` |");
}

fn silent(sessions: &Sessions) {
    let (mut at_once, mut alarms) = (0, 0);
    for seed in 0..AGENTS {
        let Trial {
            mut ours, mut random, ..
        } = trial(sessions, seed);
        ours.at_micros += 30 * 86_400 * 1_000_000;
        at_once += usual(sessions, &mut random, &mut ours, 20);
        alarms += usual(sessions, &mut random, &mut ours, 1_000);
    }
    println!(
        "| silent for 30 days, then as before | {at_once} alarms in its first 20 calls, {alarms} in the next 1 000, of {} |",
        AGENTS * 1_020
    );
}
