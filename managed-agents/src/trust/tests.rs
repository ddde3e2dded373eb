//! What trust is for: good calls pay, and tricks do not.

use proptest::prelude::*;

use super::{Alarm, Ledger, Ruling};
use crate::call::Effect;
use crate::outcome::Outcome;

const HOUR: i64 = 3_600_000_000;
const BEGIN: i64 = 1_767_225_600_000_000;

/// An agent with a clock.
struct Agent {
    ledger: Ledger,
    now: i64,
    next: u64,
}

impl Agent {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(),
            now: BEGIN,
            next: 0,
        }
    }

    fn completes(&mut self, effect: Effect, ruling: Ruling) {
        self.next += 1;
        self.ledger.decided(self.now, self.next, effect, ruling);
        self.ledger.ended(self.now, self.next, Outcome::Ok);
    }

    fn is_denied(&mut self, effect: Effect) {
        self.next += 1;
        self.ledger.decided(self.now, self.next, effect, Ruling::Violation);
    }

    fn waits(&mut self, hours: i64) {
        self.now += hours * HOUR;
    }

    fn trust(&self, effect: Effect) -> f64 {
        self.ledger.score(effect, self.now).value()
    }
}

#[test]
fn a_new_agent_scores_a_half() {
    for effect in Effect::ALL {
        let score = Agent::new().trust(effect);
        assert!((score - 0.5).abs() <= 0.005, "{score}");
    }
}

#[test]
fn good_work_earns_trust_and_idleness_leads_back_to_the_prior() {
    let mut agent = Agent::new();
    for _ in 0..24 * 14 {
        agent.waits(1);
        for _ in 0..10 {
            agent.completes(Effect::Change, Ruling::Allowed);
        }
    }
    let earned = agent.trust(Effect::Change);
    assert!(earned > 0.8, "{earned}");
    agent.waits(24 * 365 * 3);
    let idle = agent.trust(Effect::Change);
    assert!((idle - Agent::new().trust(Effect::Change)).abs() < 1e-4, "{idle}");
    let mut denied = Agent::new();
    denied.is_denied(Effect::Grave);
    denied.waits(24 * 365 * 6);
    assert!((denied.trust(Effect::Grave) - Agent::new().trust(Effect::Grave)).abs() < 1e-4);
}

#[test]
fn farming_by_harmless_reads_pays_nothing_where_it_matters() {
    let mut agent = Agent::new();
    let before = Effect::ALL.map(|effect| agent.trust(effect));
    for _ in 0..24 * 60 {
        agent.waits(1);
        for _ in 0..1_000 {
            agent.completes(Effect::Read, Ruling::Allowed);
        }
    }
    assert_eq!(agent.trust(Effect::Change), before[1]);
    assert_eq!(agent.trust(Effect::Grave), before[2]);
    // a million and a half reads, and the score for reads itself stays below what two weeks of work earn
    assert!(agent.trust(Effect::Read) < 0.75, "{}", agent.trust(Effect::Read));
    let mut milder = Agent::new();
    for _ in 0..24 * 60 {
        milder.waits(1);
        milder.completes(Effect::Change, Ruling::Allowed);
    }
    assert_eq!(
        milder.trust(Effect::Grave),
        before[2],
        "changes earn nothing for grave calls"
    );
}

#[test]
fn on_off_oscillation_loses_more_than_it_earns() {
    for effect in Effect::ALL {
        for good_for_each_bad in 1..=5 {
            let mut agent = Agent::new();
            let mut last = agent.trust(effect);
            let mut fell = false;
            for cycle in 0..400 {
                for _ in 0..good_for_each_bad {
                    agent.waits(1);
                    agent.completes(effect, Ruling::Allowed);
                }
                agent.is_denied(effect);
                let now = agent.trust(effect);
                fell |= now < 0.3;
                // lower with each cycle, and once below the floor never above it again
                let holds = if fell { now < 0.3 } else { now < last };
                assert!(holds, "{effect:?} {good_for_each_bad} {cycle}: {now} after {last}");
                last = now;
            }
            assert!(fell, "{effect:?} {good_for_each_bad}: {last}");
        }
    }
}

#[test]
fn completing_a_denied_or_waiting_call_earns_nothing_and_none_earns_twice() {
    for ruling in [Ruling::Violation, Ruling::Neutral] {
        let mut agent = Agent::new();
        agent.ledger.decided(agent.now, 1, Effect::Grave, ruling);
        let before = agent.trust(Effect::Grave);
        for _ in 0..20 {
            agent.ledger.ended(agent.now, 1, Outcome::Ok);
        }
        assert_eq!(agent.trust(Effect::Grave), before);
    }
    let mut twice = Agent::new();
    twice.completes(Effect::Grave, Ruling::Allowed);
    let once = twice.trust(Effect::Grave);
    twice.ledger.ended(twice.now, twice.next, Outcome::Ok);
    twice.ledger.ended(twice.now, 4_711, Outcome::Ok);
    assert_eq!(twice.trust(Effect::Grave), once);
}

#[test]
fn allowing_alone_and_every_end_but_ok_earn_nothing() {
    let prior = Agent::new().trust(Effect::Grave);
    for outcome in [
        Outcome::Error,
        Outcome::Panicked,
        Outcome::Cancelled,
        Outcome::TimedOut,
        Outcome::Unreported,
        Outcome::Unknown,
    ] {
        let mut agent = Agent::new();
        agent.ledger.decided(agent.now, 1, Effect::Grave, Ruling::Allowed);
        assert_eq!(agent.trust(Effect::Grave), prior);
        agent.ledger.ended(agent.now, 1, outcome);
        assert_eq!(agent.trust(Effect::Grave), prior);
    }
}

#[test]
fn one_large_act_split_into_many_small_ones_earns_no_more() {
    let mut one = Agent::new();
    one.completes(Effect::Grave, Ruling::Approved);
    for (parts, effect) in [(100, Effect::Change), (100, Effect::Grave), (10_000, Effect::Read)] {
        let mut split = Agent::new();
        for _ in 0..parts {
            split.completes(effect, Ruling::Approved);
        }
        for effect in Effect::ALL {
            assert!(split.trust(effect) <= one.trust(effect), "{parts} of {effect:?}");
        }
    }
    // nor does it bring an agent back sooner
    let below = || {
        let mut agent = Agent::new();
        for _ in 0..8 {
            agent.is_denied(Effect::Grave);
        }
        agent
    };
    let (mut one, mut split) = (below(), below());
    one.completes(Effect::Grave, Ruling::Approved);
    for _ in 0..100 {
        split.completes(Effect::Grave, Ruling::Approved);
    }
    assert!(split.trust(Effect::Grave) <= one.trust(Effect::Grave));
}

#[test]
fn a_violation_weighs_at_least_five_successes_of_its_class() {
    for effect in Effect::ALL {
        let mut agent = Agent::new();
        for _ in 0..5 {
            agent.waits(1);
            agent.completes(effect, Ruling::Allowed);
        }
        let score = agent.ledger.score(effect, agent.now);
        agent.is_denied(effect);
        let after = agent.ledger.score(effect, agent.now);
        assert!(after.bad() - score.bad() >= score.good(), "{effect:?}");
        assert!(after.value() < Agent::new().trust(effect), "{effect:?}");
    }
}

#[test]
fn there_is_a_way_back_from_below_the_floor_through_approved_calls_that_complete() {
    let mut agent = Agent::new();
    for _ in 0..100 {
        agent.is_denied(Effect::Grave);
    }
    assert!(agent.trust(Effect::Grave) < 0.15);
    let mut approved = 0;
    while agent.trust(Effect::Grave) < 0.3 {
        agent.waits(1);
        agent.completes(Effect::Grave, Ruling::Approved);
        approved += 1;
        assert!(approved < 50, "no way back: {}", agent.trust(Effect::Grave));
    }
    println!("{approved} approved calls");
    // while doing nothing takes months
    let mut idle = Agent::new();
    for _ in 0..100 {
        idle.is_denied(Effect::Grave);
    }
    idle.waits(24 * 30);
    assert!(idle.trust(Effect::Grave) < 0.3);
}

#[test]
fn many_calls_under_way_take_bounded_memory() {
    let mut ledger = Ledger::new();
    for place in 0..100_000 {
        ledger.decided(BEGIN, place, Effect::Change, Ruling::Allowed);
    }
    assert_eq!(ledger.running.len(), 128);
    assert!(size_of::<Ledger>() + ledger.running.capacity() * 24 <= 4_096);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Completes(Effect, bool),
    Fails(Effect),
    Denied(Effect),
    Alarm(Alarm),
    Waits(u32),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let effect = || prop::sample::select(&Effect::ALL[..]);
    let act = prop_oneof![
        (effect(), any::<bool>()).prop_map(|(effect, approved)| Act::Completes(effect, approved)),
        effect().prop_map(Act::Fails),
        effect().prop_map(Act::Denied),
        prop::sample::select(&[Alarm::Moderate, Alarm::High, Alarm::Critical][..]).prop_map(Act::Alarm),
        (0..2_000_u32).prop_map(Act::Waits),
    ];
    prop::collection::vec(act, 0..60)
}

fn played(acts: &[Act]) -> Agent {
    let mut agent = Agent::new();
    for act in acts {
        match *act {
            Act::Completes(effect, true) => agent.completes(effect, Ruling::Approved),
            Act::Completes(effect, false) => agent.completes(effect, Ruling::Allowed),
            Act::Fails(effect) => {
                agent.next += 1;
                agent.ledger.decided(agent.now, agent.next, effect, Ruling::Allowed);
                agent.ledger.ended(agent.now, agent.next, Outcome::Error);
            }
            Act::Denied(effect) => agent.is_denied(effect),
            Act::Alarm(alarm) => {
                agent.ledger.alarmed(agent.now, alarm);
            }
            Act::Waits(hours) => agent.waits(hours.into()),
        }
    }
    agent
}

proptest! {
    #[test]
    fn one_more_violation_or_alarm_never_leaves_more_trust(acts in acts(), at in any::<prop::sample::Index>(), alarm in any::<bool>()) {
        let mut worse = acts.clone();
        let bad = if alarm { Act::Alarm(Alarm::Moderate) } else { Act::Denied(Effect::Read) };
        worse.insert(at.index(acts.len() + 1), bad);
        let (before, after) = (played(&acts), played(&worse));
        for effect in Effect::ALL {
            prop_assert!(after.trust(effect) <= before.trust(effect));
        }
    }

    #[test]
    fn reading_the_score_changes_nothing_and_the_same_acts_give_the_same_bits(acts in acts(), hours in 0..5_000_i64) {
        let (mut one, other) = (played(&acts), played(&acts));
        let _ = one.ledger.score(Effect::Grave, one.now + hours * HOUR);
        prop_assert_eq!(&one.ledger, &other.ledger);
        one.waits(hours);
        for effect in Effect::ALL {
            let score = one.ledger.score(effect, one.now);
            prop_assert!(score.value() <= score.upper() && score.upper() <= 1.0);
            prop_assert!(one.ledger.score_if_denied(effect, one.now).value() <= score.value());
        }
    }

    #[test]
    fn times_that_go_back_or_are_absurd_change_nothing_that_was_earned(jumps in prop::collection::vec(any::<i64>(), 1..20)) {
        let mut ledger = Ledger::new();
        for (place, at) in (0..).zip(jumps) {
            ledger.decided(at, place, Effect::Change, Ruling::Allowed);
            ledger.ended(at, place, Outcome::Ok);
            let score = ledger.score(Effect::Change, at).value();
            prop_assert!((0.0..=1.0).contains(&score));
        }
    }
}
