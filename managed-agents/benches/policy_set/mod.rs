//! The policies and calls of `benches/policy.rs` and of the peers beside it (`benchmarks/policy`), and how a decision is timed.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// An amount that a policy of every tool forbids.
pub(crate) const FORBIDDEN: i64 = 10_001;

/// How a policy names a tool, and what it asks before it reads arguments.
pub(crate) struct Dialect {
    /// What stands for the action and the resource, of one tool.
    pub(crate) scope: fn(usize) -> String,
    /// Before each condition on arguments.
    pub(crate) guard: &'static str,
}

/// Ten policies for each tool, and four for all of them.
pub(crate) fn text(policies: usize, dialect: &Dialect, window: &str) -> String {
    let mut text = "forbid(principal == Agent::\"a\", action, resource);\nforbid(principal == Agent::\"b\", action, resource);\n\
                    forbid(principal == Agent::\"c\", action, resource);\nforbid(principal == Agent::\"d\", action, resource);\n"
        .to_owned();
    let guard = dialect.guard;
    for tool in 0..tools(policies) {
        let scope = (dialect.scope)(tool);
        let mut policy = |effect: &str, condition: &str| {
            // a `String` takes what is written
            let _ = writeln!(text, "{effect}(principal, {scope}) when {{ {condition} }};");
        };
        if guard.is_empty() {
            policy("permit", &format!("context.input.amount <= 20000 {window}"));
        } else {
            policy("permit", "true");
        }
        for number in 0..7 {
            policy(
                "forbid",
                &format!("{guard}context.input.amount == {}", FORBIDDEN + number),
            );
        }
        policy("forbid", &format!("{guard}context.input.to like \"XX*\""));
        policy(
            "@decision(\"escalate\") forbid",
            &format!("{guard}context.input has memo && context.input.memo like \"*urgent*\""),
        );
    }
    text
}

/// How many tools there are for so many policies.
pub(crate) fn tools(policies: usize) -> usize {
    policies / 10
}

/// What the calls take.
pub(crate) fn input(number: usize) -> serde_json::Value {
    serde_json::json!({ "amount": number % 900, "to": "DE02120300000000202051", "memo": "for the lamp" })
}

/// Median and 99th percentile of decisions, and the median of the floor in between: SHA-256 of 4 KB.
pub(crate) struct Timed {
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) floor: Duration,
}

impl Timed {
    /// Times decisions one by one, a floor after each `every` of them.
    pub(crate) fn of<T>(count: usize, every: usize, mut decide: impl FnMut(usize) -> T) -> Self {
        let bytes = vec![7_u8; 4_096];
        let (mut times, mut floor) = (Vec::with_capacity(count), Vec::with_capacity(count / every + 1));
        for number in 0..count {
            let begun = Instant::now();
            let decided = decide(number);
            times.push(begun.elapsed());
            drop(black_box(decided));
            if number % every == 0 {
                let begun = Instant::now();
                black_box(Sha256::digest(black_box(&bytes)));
                floor.push(begun.elapsed());
            }
        }
        times.sort_unstable();
        floor.sort_unstable();
        let at = |times: &[Duration], share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        Self {
            median: at(&times, 50),
            p99: at(&times, 99),
            floor: at(&floor, 50),
        }
    }

    /// One line, as `benchmarks/run` reads it: name, median, p99, floor, in nanoseconds.
    pub(crate) fn print(&self, name: &str) {
        println!(
            "decision\t{name}\t{}\t{}\t{}",
            self.median.as_nanos(),
            self.p99.as_nanos(),
            self.floor.as_nanos()
        );
    }
}
