//! False alarms and delays of one detector, over many references.

use managed_agents::Decision;
use managed_agents::call::{Effect, TargetKind};
use managed_agents::drift::{Call, Detector, Phase};

use super::streams::{Random, Rare, Session, Sessions};
use super::{FOLLOW, REFERENCES};

/// Something that sees calls of tools, and says when they have changed.
pub(super) trait Watch: Clone {
    fn sees(&mut self, tool: &str, size: u32, begins: bool) -> bool;
    fn again(&mut self);
}

/// Ours. Times, ends and verdicts, which the recordings do not hold, are drawn.
#[derive(Clone)]
pub(super) struct Ours {
    pub(super) detector: Detector,
    random: Random,
    pub(super) place: u64,
    pub(super) at_micros: i64,
    session: u64,
    only_tools: bool,
}

impl Ours {
    pub(super) fn new(only_tools: bool, seed: u64) -> Self {
        Self {
            detector: Detector::new(),
            random: Random(seed),
            place: 0,
            at_micros: 1_767_268_800_000_000,
            session: 0,
            only_tools,
        }
    }

    pub(super) fn learnt(learnt: &[Session], only_tools: bool, seed: u64) -> Self {
        let mut ours = Self::new(only_tools, seed);
        for session in learnt {
            for (at, (tool, size)) in session.iter().enumerate() {
                assert!(!ours.sees(tool, *size, at == 0), "no alarm while it learns");
            }
        }
        ours.arm();
        ours
    }

    pub(super) fn arm(&mut self) {
        assert_eq!(self.detector.phase(), Phase::Calibrating);
        let calibrated = self.detector.calibration().unwrap().run();
        self.detector.arm(&calibrated);
    }
}

impl Watch for Ours {
    fn sees(&mut self, tool: &str, size: u32, begins: bool) -> bool {
        self.place += 1;
        self.session += u64::from(begins);
        let session = self.session.to_string();
        let reads = !["book", "cancel", "update", "send", "transfer", "export", "delete"]
            .iter()
            .any(|verb| tool.starts_with(verb));
        let drawn = self.random.share();
        let pause = if begins {
            30.0 + 7_000.0 * drawn * drawn
        } else {
            1.0 + 7.0 * drawn
        };
        self.at_micros += (pause * 1e6) as i64;
        let refused = self.random.below(100) == 0;
        let call = Call {
            at_micros: if self.only_tools {
                self.place as i64 * 2_000_000
            } else {
                self.at_micros
            },
            tool,
            session: Some(&session),
            effect: if reads || self.only_tools {
                Effect::Read
            } else {
                Effect::Change
            },
            target: TargetKind::None,
            size: if self.only_tools { 10 } else { size },
            decision: if refused && !self.only_tools {
                Decision::Deny
            } else {
                Decision::Allow
            },
        };
        let alarm = self.detector.call(self.place, &call).is_some();
        let failed = self.random.below(30) == 0 && !self.only_tools;
        self.detector.ended(!failed);
        alarm
    }

    fn again(&mut self) {
        self.detector.acknowledge();
    }
}

/// The shares of calls that are moved.
pub(super) const MOVED: [f64; 3] = [0.4, 0.2, 0.1];
/// The median delays that are promised for them.
pub(super) const BUDGET: [usize; 3] = [35, 85, 200];
/// No stream is followed for longer.
const LONGEST: usize = 5_000;

/// False alarms of each reference, and delays.
pub(super) struct Measured {
    calls: u64,
    alarms: Vec<u64>,
    delays: [[Vec<usize>; 3]; 3],
}

pub(super) fn measured<W: Watch>(sessions: &Sessions, rare: &[Rare], make: impl Fn(&[Session], u64) -> W) -> Measured {
    let mut measured = Measured {
        calls: 0,
        alarms: Vec::new(),
        delays: Default::default(),
    };
    for reference in 0..REFERENCES {
        let mut random = Random(reference * 7_919 + 11);
        let learnt = sessions.learnt(&mut random);
        let fresh = make(&learnt, reference);
        let (calls, alarms) = false_alarms(sessions, &mut random, fresh.clone());
        measured.calls += calls;
        measured.alarms.push(alarms);
        for which in rare {
            let tools = which.tools(&learnt);
            let delays = &mut measured.delays[*which as usize];
            for (delays, moved) in delays.iter_mut().zip(MOVED) {
                for _ in 0..5 {
                    let mut watch = fresh.clone();
                    usual(sessions, &mut random, &mut watch, 250);
                    let delay = sessions.follow(
                        &mut random,
                        |_| moved,
                        &tools,
                        LONGEST,
                        |tool, size, begins| watch.sees(tool, size, begins),
                    );
                    delays.push(delay);
                }
            }
        }
    }
    measured
}

/// Calls as usual; an alarm is acknowledged.
pub(super) fn usual(sessions: &Sessions, random: &mut Random, watch: &mut impl Watch, calls: usize) -> u64 {
    let mut alarms = 0;
    sessions.follow(
        random,
        |_| 0.0,
        &[],
        calls,
        |tool, size, begins| {
            if watch.sees(tool, size, begins) {
                alarms += 1;
                watch.again();
            }
            false
        },
    );
    alarms
}

fn false_alarms<W: Watch>(sessions: &Sessions, random: &mut Random, mut watch: W) -> (u64, u64) {
    (FOLLOW as u64, usual(sessions, random, &mut watch, FOLLOW))
}

/// Calls to a false alarm where nothing else is asked.
pub(super) fn run_length<W: Watch>(sessions: &Sessions, references: u64, make: impl Fn(&[Session]) -> W) -> f64 {
    let (mut calls, mut alarms) = (0, 0);
    for reference in 0..references {
        let mut random = Random(reference * 104_729 + 3);
        let learnt = sessions.learnt(&mut random);
        let (more, found) = false_alarms(sessions, &mut random, make(&learnt));
        calls += more;
        alarms += found;
    }
    calls as f64 / alarms.max(1) as f64
}

impl Measured {
    pub(super) fn run_length(&self) -> f64 {
        self.calls as f64 / self.alarms.iter().sum::<u64>().max(1) as f64
    }

    /// 90 % of the run length, by drawing references again.
    fn interval(&self) -> (f64, f64) {
        let mut random = Random(5);
        let mut lengths: Vec<f64> = (0..2_000)
            .map(|_| {
                let drawn = self.alarms.iter().map(|_| self.alarms[random.below(self.alarms.len())]);
                self.calls as f64 / drawn.sum::<u64>().max(1) as f64
            })
            .collect();
        lengths.sort_by(f64::total_cmp);
        (lengths[100], lengths[1_900])
    }

    /// Median, and what 19 of 20 do not exceed.
    pub(super) fn delays(&self, rare: Rare) -> [(usize, usize); 3] {
        self.delays[rare as usize].clone().map(|mut delays| {
            delays.sort_unstable();
            (delays[delays.len() / 2], delays[delays.len() * 95 / 100])
        })
    }

    pub(super) fn row(&self, name: &str, rare: Rare) {
        let (low, high) = self.interval();
        let [a, b, c] = self.delays(rare).map(|(median, late)| format!("{median} ({late})"));
        println!(
            "| {name} | {:.0} ({low:.0} to {high:.0}) | {a} | {b} | {c} |",
            self.run_length()
        );
    }

    pub(super) fn alarms(&self) -> u64 {
        self.alarms.iter().sum()
    }
}

pub(super) const HEAD: &str = "| | calls to a false alarm (90 %) | 40 % moved | 20 % | 10 % |\n|---|--:|--:|--:|--:|";

/// Ours with all streams and with tools alone; gives calls to a false alarm.
pub(super) fn ours(sessions: &Sessions) -> f64 {
    let all = measured(sessions, &Rare::ALL, |learnt, seed| Ours::learnt(learnt, false, seed));
    let tools = measured(sessions, &Rare::ALL, |learnt, seed| Ours::learnt(learnt, true, seed));
    println!(
        "{} real sessions, drawn again as a whole; {REFERENCES} references of 500 calls, {FOLLOW} calls after each. Median delays in calls \
         (in brackets what 19 of 20 do not exceed), where a share of the calls is moved to rare tools.\n",
        sessions.all.len()
    );
    println!("{HEAD}");
    for rare in Rare::ALL {
        all.row(&format!("all streams; {}", rare.name()), rare);
        tools.row(&format!("tools alone; {}", rare.name()), rare);
    }
    let stated = managed_agents::drift::RUN_LENGTH as f64;
    let kept = |is_kept: bool| if is_kept { "kept" } else { "**not kept**" };
    let (low, _) = all.interval();
    println!(
        "\n{} alarms in {} calls, {:.2} of the stated run length of {stated}. Budgets: ≥ 0.8 of it: {}, by the lower end of the interval: {}.",
        all.alarms(),
        all.calls,
        all.run_length() / stated,
        kept(all.run_length() >= 0.8 * stated),
        kept(low >= 0.8 * stated)
    );
    for rare in Rare::ALL {
        let is_kept = all
            .delays(rare)
            .iter()
            .zip(BUDGET)
            .all(|((median, _), most)| *median <= most);
        println!(
            "Median delays ≤ 35, 85 and 200 calls, {}: {}.",
            rare.name(),
            kept(is_kept)
        );
    }
    println!();
    all.run_length()
}
