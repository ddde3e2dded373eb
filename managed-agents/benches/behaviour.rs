//! What remembering behaviour costs a decision, at the beginning and after a million, and how soon drift is found.
//!
//! Prints tables. Variants take turns in one run. `drift` measures only drift, on the sessions in
//! `../shared/vectors` or `$MANAGED_AGENTS_VECTORS`; `cost` only what a decision costs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

use std::hint::black_box;
use std::time::Instant;

use managed_agents::call::{Effect, TargetKind};
use managed_agents::drift::{Call, Detector, Phase};
use managed_agents::{Behaviour, Decision, Engine, GovernanceDenied, Harness, governed};

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let wants = |what: &str| asked.is_empty() || asked.iter().any(|one| one == what);
    if wants("cost") {
        cost();
    }
    if wants("drift") {
        drift::measure();
    }
}

/// Notes something.
#[governed(risk = low, reversible, target = to)]
async fn note(to: &str, text: &str, number: u64) -> Result<u64, GovernanceDenied> {
    Ok(black_box(number + (to.len() + text.len()) as u64))
}

/// One harness in memory, and a runtime for it.
struct Subject {
    name: &'static str,
    harness: Harness,
    targets: usize,
    at: usize,
    times: Vec<f64>,
}

const BATCH: usize = 500;
const ROUNDS: usize = 200;

impl Subject {
    fn new(name: &'static str, engine: Engine, targets: usize) -> Self {
        let harness = Harness::builder()
            .keep_in_memory(1_000)
            .agent_id("bot")
            .governor(engine)
            .build_blocking()
            .unwrap();
        Self {
            name,
            harness,
            targets,
            at: 0,
            times: Vec::new(),
        }
    }

    fn calls(&mut self, runtime: &tokio::runtime::Runtime, targets: &[String], calls: usize) {
        let harness = self.harness.clone();
        let (from, distinct) = (self.at, self.targets);
        runtime.block_on(harness.scope(async {
            for at in from..from + calls {
                note(&targets[at % distinct], "a text", at as u64).await.unwrap();
            }
        }));
        self.at += calls;
    }

    fn round(&mut self, runtime: &tokio::runtime::Runtime, targets: &[String]) {
        let begun = Instant::now();
        self.calls(runtime, targets, BATCH);
        self.times.push(begun.elapsed().as_nanos() as f64 / BATCH as f64);
    }

    fn median(&mut self) -> f64 {
        median(&mut self.times)
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn cost() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let targets: Vec<String> = (0..5_000).map(|at| format!("customers/{at}/note.txt")).collect();
    let old = Behaviour::new();
    let mut subjects = [
        Subject::new("without behaviour (floor)", Engine::new().without_behaviour(), 1),
        Subject::new("trust and drift, new agent", Engine::new(), 1),
        Subject::new(
            "trust and drift, after 1 000 000 decisions",
            Engine::new().behaviour(&old),
            1,
        ),
        Subject::new("trust and drift, 5 000 distinct targets", Engine::new(), 5_000),
        Subject::new(
            "trust, drift and assessment",
            Engine::new().assess(&managed_agents::assessment::Assessor::new(
                managed_agents::assessment::Preset::general(),
            )),
            1,
        ),
    ];
    subjects[2].calls(&runtime, &targets, 1_000_000);
    subjects[3].calls(&runtime, &targets, 20_000);
    for subject in &mut subjects {
        subject.calls(&runtime, &targets, 2_000);
    }
    for _ in 0..ROUNDS {
        for subject in &mut subjects {
            subject.round(&runtime, &targets);
        }
    }
    let floor = subjects[0].median();
    println!("| a governed call in memory | median | more than the floor |\n|---|--:|--:|");
    for subject in &mut subjects {
        let time = subject.median();
        println!("| {} | {time:.0} ns | +{:.0} ns |", subject.name, time - floor);
    }
    let old_size = old.size("bot");
    println!(
        "\nAfter 1 000 000 decisions an agent takes {old_size} bytes ({:?}).",
        old.phase("bot")
    );
    ten_thousand(&runtime);
    println!(
        "\nPublished figures of another open engine (Python, 0.1.0), not measured here: 116 µs a decision at the beginning, 252 µs \
         after 100 000, 3 126 µs with 5 000 distinct targets."
    );
}

fn ten_thousand(runtime: &tokio::runtime::Runtime) {
    let behaviour = Behaviour::new();
    let engine = Engine::new().behaviour(&behaviour);
    let begun = Instant::now();
    let mut most = 0;
    for agent in 0..10_000 {
        let id = format!("bot-{agent}");
        let harness = Harness::builder()
            .keep_in_memory(1)
            .agent_id(id.as_str())
            .governor(engine.clone())
            .build_blocking()
            .unwrap();
        runtime.block_on(harness.scope(async {
            for at in 0..20 {
                note("a", "b", at).await.unwrap();
            }
        }));
        most = most.max(behaviour.size(&id));
    }
    println!(
        "10 000 agents in one process, 20 calls each: {most} bytes each at most, {:.1} s in all.",
        begun.elapsed().as_secs_f64()
    );
}

mod drift {
    use super::{Call, Decision, Detector, Effect, Phase, TargetKind};

    type Session = Vec<(String, u32)>;

    /// Tools of the airline that its agents hardly ever use, or never did.
    const RARE: [(&str, u32); 3] = [
        ("update_reservation_baggages", 150),
        ("send_certificate", 50),
        ("update_reservation_passengers", 220),
    ];

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        fn below(&mut self, most: usize) -> usize {
            (self.next() % most as u64) as usize
        }

        fn share(&mut self) -> f64 {
            (self.next() >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    /// Something that sees calls of tools, and says when they have changed.
    trait Watch {
        fn sees(&mut self, tool: &str, size: u32, begins: bool) -> bool;
        fn again(&mut self);
    }

    /// Ours.
    #[derive(Clone)]
    struct Ours {
        detector: Detector,
        place: u64,
        session: u64,
        only_tools: bool,
    }

    impl Watch for Ours {
        fn sees(&mut self, tool: &str, size: u32, begins: bool) -> bool {
            self.place += 1;
            self.session += u64::from(begins);
            let session = self.session.to_string();
            let reads = !["book", "cancel", "update", "send", "transfer"]
                .iter()
                .any(|verb| tool.starts_with(verb));
            let call = Call {
                at_micros: self.place as i64 * 2_000_000,
                tool,
                session: Some(&session),
                effect: if reads || self.only_tools {
                    Effect::Read
                } else {
                    Effect::Change
                },
                target: TargetKind::None,
                size: if self.only_tools { 10 } else { size },
                decision: Decision::Allow,
            };
            let alarm = self.detector.call(self.place, &call).is_some();
            self.detector.ended(true);
            alarm
        }

        fn again(&mut self) {
            self.detector.acknowledge();
        }
    }

    /// A window of the last calls against what was learnt, by PSI or by JSD.
    #[derive(Clone)]
    struct Window {
        usual: Vec<(String, f64)>,
        recent: std::collections::VecDeque<usize>,
        length: usize,
        limit: f64,
        by_psi: bool,
    }

    impl Window {
        fn of(learnt: &[Session], length: usize, by_psi: bool, limit: f64) -> Self {
            let mut counts: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
            for (tool, _) in learnt.iter().flatten() {
                *counts.entry(tool).or_default() += 1.0;
            }
            let all: f64 = counts.values().sum::<f64>() + 0.5 * (counts.len() + 1) as f64;
            let mut usual: Vec<_> = counts
                .iter()
                .map(|(tool, count)| ((*tool).to_owned(), (count + 0.5) / all))
                .collect();
            usual.push((String::new(), 0.5 / all));
            Self {
                usual,
                recent: std::collections::VecDeque::new(),
                length,
                limit,
                by_psi,
            }
        }

        fn distance(&self) -> f64 {
            let k = self.usual.len() as f64;
            let all = self.length as f64 + 0.5 * k;
            let mut counts = vec![0.5; self.usual.len()];
            for at in &self.recent {
                counts[*at] += 1.0;
            }
            let each = self.usual.iter().zip(counts).map(|((_, p), count)| {
                let q = count / all;
                if self.by_psi {
                    (q - p) * (q / p).ln()
                } else {
                    let m = f64::midpoint(*p, q);
                    f64::midpoint(p * (p / m).log2(), q * (q / m).log2())
                }
            });
            each.sum()
        }
    }

    impl Watch for Window {
        fn sees(&mut self, tool: &str, _size: u32, _begins: bool) -> bool {
            let at = self
                .usual
                .iter()
                .position(|(known, _)| known == tool)
                .unwrap_or(self.usual.len() - 1);
            self.recent.push_back(at);
            if self.recent.len() > self.length {
                self.recent.pop_front();
            }
            self.recent.len() == self.length && self.distance() >= self.limit
        }

        fn again(&mut self) {
            self.recent.clear();
        }
    }

    struct Measured {
        calls: u64,
        alarms: Vec<u64>,
        delays: [Vec<usize>; 3],
    }

    /// Calls as they follow, some of them moved.
    fn stream(
        sessions: &[Session],
        random: &mut Random,
        moved: f64,
        most: usize,
        mut each: impl FnMut(&str, u32, bool) -> bool,
    ) -> usize {
        let mut seen = 0;
        loop {
            let session = &sessions[random.below(sessions.len())];
            for (at, (tool, size)) in session.iter().enumerate() {
                seen += 1;
                let (tool, size) = if random.share() < moved {
                    RARE[random.below(3)]
                } else {
                    (tool.as_str(), *size)
                };
                if each(tool, size, at == 0) || seen >= most {
                    return seen;
                }
            }
        }
    }

    fn learnt(sessions: &[Session], random: &mut Random) -> Vec<Session> {
        let (mut learnt, mut calls) = (Vec::new(), 0);
        while calls < 500 || learnt.len() < 30 {
            let session = sessions[random.below(sessions.len())].clone();
            calls += session.len();
            learnt.push(session);
        }
        learnt
    }

    fn ours(learnt: &[Session], only_tools: bool) -> Ours {
        let mut ours = Ours {
            detector: Detector::new(),
            place: 0,
            session: 0,
            only_tools,
        };
        for session in learnt {
            for (at, (tool, size)) in session.iter().enumerate() {
                ours.sees(tool, *size, at == 0);
            }
        }
        assert_eq!(ours.detector.phase(), Phase::Calibrating);
        let calibrated = ours.detector.calibration().unwrap().run();
        ours.detector.arm(&calibrated);
        ours
    }

    fn measured<W: Watch + Clone>(sessions: &[Session], references: u64, make: impl Fn(&[Session]) -> W) -> Measured {
        let mut measured = Measured {
            calls: 0,
            alarms: Vec::new(),
            delays: Default::default(),
        };
        for reference in 0..references {
            let mut random = Random(reference * 7_919 + 11);
            let learnt = learnt(sessions, &mut random);
            let fresh = make(&learnt);
            let mut watch = fresh.clone();
            let mut alarms = 0;
            measured.calls += stream(sessions, &mut random, 0.0, 20_000, |tool, size, begins| {
                if watch.sees(tool, size, begins) {
                    alarms += 1;
                    watch.again();
                }
                false
            }) as u64;
            measured.alarms.push(alarms);
            for (delays, moved) in measured.delays.iter_mut().zip([0.4, 0.2, 0.1]) {
                for _ in 0..5 {
                    let mut watch = fresh.clone();
                    stream(sessions, &mut random, 0.0, 250, |tool, size, begins| {
                        if watch.sees(tool, size, begins) {
                            watch.again();
                        }
                        false
                    });
                    delays.push(stream(sessions, &mut random, moved, 5_000, |tool, size, begins| {
                        watch.sees(tool, size, begins)
                    }));
                }
            }
        }
        measured
    }

    impl Measured {
        fn run_length(&self) -> f64 {
            self.calls as f64 / self.alarms.iter().sum::<u64>().max(1) as f64
        }

        /// 90 % of the run length, by drawing references again.
        fn interval(&self) -> (f64, f64) {
            let mut random = Random(5);
            let each = self.calls as f64 / self.alarms.len() as f64;
            let mut lengths: Vec<f64> = (0..2_000)
                .map(|_| {
                    let alarms: u64 = self
                        .alarms
                        .iter()
                        .map(|_| self.alarms[random.below(self.alarms.len())])
                        .sum();
                    each * self.alarms.len() as f64 / alarms.max(1) as f64
                })
                .collect();
            lengths.sort_by(f64::total_cmp);
            (lengths[100], lengths[1_900])
        }

        fn row(mut self, name: &str) {
            let delays = self.delays.each_mut().map(|delays| {
                delays.sort_unstable();
                (delays[delays.len() / 2], delays[delays.len() * 95 / 100])
            });
            let (low, high) = self.interval();
            let [a, b, c] = delays.map(|(median, late)| format!("{median} ({late})"));
            println!(
                "| {name} | {:.0} ({low:.0} to {high:.0}) | {a} | {b} | {c} |",
                self.run_length()
            );
        }
    }

    /// The limit at which a window raises alarms as rarely as ours does.
    fn limit(sessions: &[Session], length: usize, by_psi: bool, run_length: f64) -> f64 {
        let (mut low, mut high) = (0.01, if by_psi { 20.0 } else { 1.0 });
        for _ in 0..12 {
            let middle: f64 = f64::midpoint(low, high);
            let found = measured_alarms(sessions, length, by_psi, middle);
            if found < run_length {
                low = middle
            } else {
                high = middle
            }
        }
        high
    }

    fn measured_alarms(sessions: &[Session], length: usize, by_psi: bool, limit: f64) -> f64 {
        let (mut calls, mut alarms) = (0, 0_u64);
        for reference in 0..20 {
            let mut random = Random(reference * 104_729 + 3);
            let learnt = learnt(sessions, &mut random);
            let mut watch = Window::of(&learnt, length, by_psi, limit);
            calls += stream(sessions, &mut random, 0.0, 20_000, |tool, size, begins| {
                if watch.sees(tool, size, begins) {
                    alarms += 1;
                    watch.again();
                }
                false
            });
        }
        calls as f64 / alarms.max(1) as f64
    }

    pub(super) fn measure() {
        let folder = std::env::var_os("MANAGED_AGENTS_VECTORS").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
            Into::into,
        );
        let Ok(text) = std::fs::read_to_string(folder.join("trajectories/tau_airline_gpt4o_dev.jsonl")) else {
            return println!(
                "Drift was not measured: there are no trajectories in {}.",
                folder.display()
            );
        };
        let session = |line: &str| {
            let session: serde_json::Value = serde_json::from_str(line).unwrap();
            let calls = session["calls"].as_array().unwrap().iter();
            calls
                .map(|call| {
                    (
                        call["tool_name"].as_str().unwrap().to_owned(),
                        call["tool_input"].to_string().len() as u32,
                    )
                })
                .collect::<Session>()
        };
        let sessions: Vec<Session> = text
            .lines()
            .map(session)
            .filter(|session| !session.is_empty())
            .collect();
        let references = 60;
        println!(
            "{} real sessions, drawn again as a whole; {references} references of 500 calls, 20 000 calls after each. Median delays in \
             calls (in 19 of 20 cases at most), where a share of the calls is moved to rare tools.\n",
            sessions.len()
        );
        println!("| | calls to a false alarm (90 %) | 40 % moved | 20 % | 10 % |\n|---|--:|--:|--:|--:|");
        let all = measured(&sessions, references, |learnt| ours(learnt, false));
        let run_length = all.run_length();
        all.row("all streams");
        measured(&sessions, references, |learnt| ours(learnt, true)).row("tools alone");
        for (by_psi, length) in [(true, 50), (true, 200), (false, 50), (false, 200)] {
            let limit = limit(&sessions, length, by_psi, run_length);
            let name = format!(
                "{}, last {length} calls, at {limit:.2}",
                if by_psi { "PSI" } else { "JSD" }
            );
            measured(&sessions, references, |learnt| {
                Window::of(learnt, length, by_psi, limit)
            })
            .row(&name);
        }
    }
}
