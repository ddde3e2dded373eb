//! What a detector must find, and what it must leave alone.
//!
//! The streams are real sessions drawn again as a whole, where `../shared/vectors` (or `$MANAGED_AGENTS_VECTORS`) is there.
//! `$MANAGED_AGENTS_DRIFT_REFERENCES` says over how many learnt references; the benchmark `drift` measures more of them.

use proptest::prelude::*;

use super::{Alert, Call, Detector, Phase, Severity, Stream};
use crate::call::{Effect, TargetKind};
use crate::verdict::Decision;

/// Numbers that look random.
#[derive(Clone)]
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

type Session = Vec<(String, u32)>;

/// The sessions of the published trajectories.
fn trajectories() -> Option<Vec<Session>> {
    let folder = std::env::var_os("MANAGED_AGENTS_VECTORS").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        Into::into,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("trajectories/tau_airline_gpt4o_dev.jsonl")) else {
        println!("left out: there are no trajectories in {}", folder.display());
        return None;
    };
    let session = |line: &str| {
        let session: serde_json::Value = serde_json::from_str(line).unwrap();
        let calls = session["calls"].as_array().unwrap().iter();
        calls
            .map(|call| {
                let size = call["tool_input"].to_string().len();
                (call["tool_name"].as_str().unwrap().to_owned(), size as u32)
            })
            .collect::<Session>()
    };
    Some(
        text.lines()
            .map(session)
            .filter(|session| !session.is_empty())
            .collect(),
    )
}

/// Sessions of an agent that is made up: mostly reading, some booking, few refunds.
fn made_up() -> Vec<Session> {
    let mut random = Random(7);
    let mut sessions = Vec::new();
    for _ in 0..200 {
        let calls = 3 + random.below(8);
        let call = |at: usize, random: &mut Random| {
            let tool = match random.below(100) {
                0..60 => "look",
                60..80 => "search",
                80..95 => "book",
                95..98 => "cancel",
                _ => "refund",
            };
            (tool.to_owned(), (40 + at * 7) as u32)
        };
        sessions.push((0..calls).map(|at| call(at, &mut random)).collect());
    }
    sessions
}

/// An agent that goes through sessions.
struct Agent {
    detector: Detector,
    sessions: Vec<Session>,
    random: Random,
    place: u64,
    session: u64,
    left: Session,
}

impl Agent {
    fn new(sessions: &[Session], seed: u64) -> Self {
        Self {
            detector: Detector::new(),
            sessions: sessions.to_vec(),
            random: Random(seed),
            place: 0,
            session: 0,
            left: Vec::new(),
        }
    }

    /// An agent whose usual calls are learnt.
    fn learnt(sessions: &[Session], seed: u64) -> Self {
        let mut agent = Self::new(sessions, seed);
        agent.learns();
        agent
    }

    fn learns(&mut self) {
        while matches!(self.detector.phase(), Phase::Learning { .. }) {
            assert_eq!(self.calls(None), None, "no alarm while it learns");
        }
        assert_eq!(self.detector.phase(), Phase::Calibrating);
        let calibrated = self.detector.calibration().unwrap().run();
        self.detector.arm(&calibrated);
        assert_eq!(self.detector.phase(), Phase::Watching);
    }

    /// One call, as usual, or another.
    fn calls(&mut self, other: Option<(&str, u32)>) -> Option<Alert> {
        if self.left.is_empty() {
            let at = self.random.below(self.sessions.len());
            self.left.clone_from(&self.sessions[at]);
            self.left.reverse();
            self.session += 1;
        }
        let (tool, size) = self.left.pop().unwrap();
        let (tool, size) = other.unwrap_or((&tool, size));
        let reads = !["book", "cancel", "update", "send", "refund", "transfer"]
            .iter()
            .any(|verb| tool.starts_with(verb));
        self.place += 1;
        let session = self.session.to_string();
        let call = Call {
            at_micros: self.place as i64 * 2_000_000,
            tool,
            session: Some(&session),
            effect: if reads { Effect::Read } else { Effect::Change },
            target: TargetKind::None,
            size,
            decision: Decision::Allow,
        };
        let alert = self.detector.call(self.place, &call).cloned();
        self.detector.ended(true);
        alert
    }

    /// How many calls it takes until an alarm, where this share of them is moved to these tools.
    fn delay(&mut self, moved: f64, tools: &[(&str, u32)], most: usize) -> usize {
        for call in 1..=most {
            let other = (self.random.share() < moved).then(|| tools[self.random.below(tools.len())]);
            if self.calls(other).is_some() {
                return call;
            }
        }
        most + 1
    }
}

/// Tools of the airline that its agents hardly ever use, or never did.
const RARE: [(&str, u32); 3] = [
    ("update_reservation_baggages", 150),
    ("send_certificate", 50),
    ("update_reservation_passengers", 220),
];

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

#[test]
fn on_real_sessions_alarms_are_rare_and_changes_are_found_soon() {
    let Some(sessions) = trajectories() else {
        return;
    };
    let references = std::env::var("MANAGED_AGENTS_DRIFT_REFERENCES");
    let references: u64 = references.map_or(3, |text| text.parse().unwrap());
    let (mut calls, mut alarms) = (0, 0);
    let mut delays = [Vec::new(), Vec::new(), Vec::new()];
    for seed in 0..references {
        let mut agent = Agent::learnt(&sessions, seed * 977 + 3);
        let learnt = agent.detector.clone();
        for _ in 0..5_000 {
            calls += 1;
            if agent.calls(None).is_some() {
                alarms += 1;
                agent.detector.acknowledge();
            }
        }
        for (delays, moved) in delays.iter_mut().zip([0.4, 0.2, 0.1]) {
            for _ in 0..4 {
                agent.detector = learnt.clone();
                delays.push(agent.delay(moved, &RARE, 3_000));
            }
        }
    }
    let delays = delays.map(median);
    println!("{alarms} alarms in {calls} calls; median delays {delays:?}");
    // one in 8 000 is promised; three times as many would be no chance
    assert!(alarms * 8_000 <= 3 * calls + 8_000, "{alarms} alarms in {calls} calls");
    assert!(delays[0] <= 35 && delays[1] <= 85 && delays[2] <= 200, "{delays:?}");
}

#[test]
fn it_learns_from_five_hundred_calls_in_thirty_sessions_and_is_silent_until_then() {
    let mut agent = Agent::new(&made_up(), 1);
    assert_eq!(agent.detector.phase(), Phase::Learning { calls: 0, sessions: 0 });
    for _ in 0..499 {
        agent.calls(None);
    }
    assert!(matches!(
        agent.detector.phase(),
        Phase::Learning {
            calls: 499,
            sessions: 30..
        }
    ));
    assert!(agent.detector.calibration().is_none() && agent.detector.levels().is_empty());
    agent.calls(None);
    assert_eq!(agent.detector.phase(), Phase::Calibrating);
    // while it waits, nothing is said, whatever is called
    for _ in 0..100 {
        assert_eq!(agent.calls(Some(("refund", 40))), None);
    }
    // one long session is no thirty, but learning ends
    let mut long = Agent::new(&[vec![("look".to_owned(), 10); 100_000]], 1);
    for _ in 0..900 {
        long.calls(None);
    }
    assert!(matches!(long.detector.phase(), Phase::Learning { .. }));
    for _ in 0..124 {
        long.calls(None);
    }
    assert_eq!(long.detector.phase(), Phase::Calibrating);
}

#[test]
fn a_slow_ramp_is_found_since_what_is_usual_is_frozen() {
    let mut agent = Agent::learnt(&made_up(), 5);
    let mut found = None;
    for call in 0..4_000 {
        let moved = f64::from(call) / 4_000.0;
        let other = (agent.random.share() < moved).then_some(("refund", 40));
        if let Some(alert) = agent.calls(other) {
            found = Some((call, alert));
            break;
        }
    }
    let (call, alert) = found.expect("a ramp to nothing but refunds");
    // found when less than a third of the calls has moved
    assert!(call < 1_300, "{call}");
    assert!(alert.since() > 5 && !alert.moved().is_empty(), "{alert:?}");
}

#[test]
fn a_burst_is_found_and_told_once_until_it_is_acknowledged() {
    let mut agent = Agent::learnt(&made_up(), 9);
    let mut alerts = Vec::new();
    for _ in 0..200 {
        alerts.extend(agent.calls(Some(("refund", 40))));
    }
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let open = agent.detector.alert().unwrap();
    assert_eq!(open.place(), alerts[0].place());
    assert_eq!(
        open.severity(),
        Severity::Critical,
        "it goes on, and is worse than it seemed: {open:?}"
    );
    agent.detector.acknowledge();
    assert_eq!(agent.detector.alert(), None);
    // it was seen, and goes on: another alarm
    assert!(agent.delay(1.0, &[("refund", 40)], 100) <= 100);
}

#[test]
fn a_release_is_an_alarm_until_the_reference_is_learnt_anew() {
    let release: Vec<Session> = made_up()
        .into_iter()
        .map(|session| {
            let renamed = |(tool, size): (String, u32)| (if tool == "search" { "find".to_owned() } else { tool }, size);
            session.into_iter().map(renamed).collect()
        })
        .collect();
    let mut agent = Agent::learnt(&made_up(), 11);
    agent.sessions = release;
    agent.left.clear();
    let alert = (0..200)
        .find_map(|_| agent.calls(None))
        .expect("a fifth of the calls has another name");
    assert_eq!(alert.stream(), Stream::Tool);
    let names: Vec<_> = alert.moved().iter().map(|moved| moved.category.as_str()).collect();
    assert!(names.contains(&"search") || names.contains(&"other tools"), "{names:?}");
    agent.detector.rebaseline();
    assert!(matches!(agent.detector.phase(), Phase::Learning { calls: 0, .. }) && agent.detector.alert().is_none());
    agent.learns();
    let alarms = (0..3_000).filter(|_| agent.calls(None).is_some()).count();
    assert!(alarms <= 1, "{alarms}");
}

#[test]
fn failures_denials_sizes_and_pace_are_watched_as_well() {
    let base = |detector: &mut Detector, at: u64, size, decision, gap: i64, well| {
        let session = (at / 10).to_string();
        let call = Call {
            at_micros: gap,
            tool: "look",
            session: Some(&session),
            effect: Effect::Read,
            target: TargetKind::Word,
            size,
            decision,
        };
        let alert = detector.call(at, &call).map(Alert::stream);
        detector.ended(well);
        alert
    };
    let mut learnt = Detector::new();
    let mut random = Random(3);
    for at in 0..500 {
        // now and then a failure, a denial, a large one
        let decision = if random.below(60) == 0 {
            Decision::Deny
        } else {
            Decision::Allow
        };
        let size = if random.below(50) == 0 { 3_000 } else { 50 };
        base(
            &mut learnt,
            at,
            size,
            decision,
            at as i64 * 1_000_000,
            random.below(50) != 0,
        );
    }
    learnt.arm(&learnt.calibration().unwrap().run());
    type Change = fn(u64) -> (u32, Decision, i64, bool);
    let changes: [(Stream, Change); 4] = [
        (Stream::Verdict, |at| {
            let decision = if at % 2 == 0 { Decision::Deny } else { Decision::Allow };
            (50, decision, at as i64 * 1_000_000, true)
        }),
        (Stream::Outcome, |at| {
            (50, Decision::Allow, at as i64 * 1_000_000, at % 2 == 0)
        }),
        (Stream::Shape, |at| {
            (
                if at % 2 == 0 { 3_000 } else { 50 },
                Decision::Allow,
                at as i64 * 1_000_000,
                true,
            )
        }),
        (Stream::Pace, |at| {
            (50, Decision::Allow, 500_000_000 + at as i64 * 1_000, true)
        }),
    ];
    for (stream, change) in changes {
        let mut detector = learnt.clone();
        let found = (500..600).find_map(|at| {
            let (size, decision, time, well) = change(at);
            base(&mut detector, at, size, decision, time, well)
        });
        assert_eq!(found, Some(stream));
    }
}

#[test]
fn memory_and_work_do_not_grow_with_what_was_seen() {
    let mut detector = Detector::new();
    let mut most = 0;
    for at in 0..20_000_u64 {
        let (tool, session) = (
            format!("a tool with a long name, number {}", at % 5_000),
            (at / 9).to_string(),
        );
        let call = Call {
            at_micros: at as i64,
            tool: &tool,
            session: Some(&session),
            effect: Effect::Change,
            target: TargetKind::Url,
            size: at as u32,
            decision: Decision::Allow,
        };
        detector.call(at, &call);
        most = most.max(detector.size());
        if at == 1_500 {
            detector.arm(&detector.calibration().unwrap().run());
        }
    }
    println!("{most} bytes at most, {} now", detector.size());
    assert!(most <= 14 * 1_024, "{most}");
}

#[test]
fn the_same_calls_lead_to_the_same_thresholds_and_they_survive_as_json() {
    let calibrated = |seed| {
        let mut agent = Agent::new(&made_up(), seed);
        while agent.detector.calibration().is_none() {
            agent.calls(None);
        }
        agent.detector.calibration().unwrap().run()
    };
    assert_eq!(calibrated(1), calibrated(1));
    let json = calibrated(1).to_json();
    assert_eq!(super::Calibrated::parse(&json), Some(calibrated(1)), "{json}");
    for wrong in [
        "",
        "{}",
        r#"{"number":0,"thresholds":[1]}"#,
        r#"{"number":0,"thresholds":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"#,
    ] {
        assert_eq!(super::Calibrated::parse(wrong), None);
    }
}

proptest! {
    #[test]
    fn no_call_makes_a_detector_panic(calls in prop::collection::vec((any::<i64>(), ".{0,40}", any::<u32>(), 0..3_usize, any::<bool>()), 0..60)) {
        let mut detector = Detector::new();
        for (place, (at_micros, tool, size, effect, well)) in (0..).zip(&calls) {
            let call = Call {
                at_micros: *at_micros,
                tool,
                session: None,
                effect: Effect::ALL[*effect],
                target: TargetKind::Empty,
                size: *size,
                decision: Decision::Escalate,
            };
            detector.call(place, &call);
            detector.ended(*well);
        }
        for stream in Stream::ALL {
            prop_assert!(detector.divergence(stream).is_none());
        }
    }
}
