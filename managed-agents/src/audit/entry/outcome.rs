//! The entry of how a call ended.

use std::time::SystemTime;

use super::FORMAT;
use super::pending::{IndexColumns, PendingEntry};
use super::writer::{Writer, clip};
use crate::audit::{OutcomeRecord, Sequence};
use crate::calendar;
use crate::outcome::Outcome;

/// The largest integer that every reader of JSON has exactly (RFC 8785, appendix D).
const MOST_EXACT: u128 = (1 << 53) - 1;

/// How the call of the decision at `about` ended.
#[must_use]
pub fn outcome(about: Sequence, evaluation: &str, agent: &str, record: &OutcomeRecord, at: SystemTime) -> PendingEntry {
    let micros = record.duration().as_micros().min(MOST_EXACT);
    ended(
        about,
        evaluation,
        agent,
        record.outcome(),
        u64::try_from(micros).ok(),
        (record.stop(), record.was_told(), !record.began()),
        at,
    )
}

/// How the call of the decision at `about` ended is not known: the process that ran it is gone.
#[must_use]
pub fn unknown_outcome(about: Sequence, evaluation: &str, agent: &str, at: SystemTime) -> PendingEntry {
    ended(
        about,
        evaluation,
        agent,
        Outcome::Unknown,
        None,
        (None, false, false),
        at,
    )
}

fn ended(
    about: Sequence,
    evaluation: &str,
    agent: &str,
    outcome: Outcome,
    duration_us: Option<u64>,
    (stop, told, unbegun): (Option<u64>, bool, bool),
    at: SystemTime,
) -> PendingEntry {
    let at = calendar::micros(at);
    let agent = clip(agent);
    let evaluation = clip(evaluation);
    let mut out = Writer::new();
    out.integer("about", about.get());
    out.text("agent", &agent);
    out.time("at", at);
    if let Some(duration) = duration_us {
        out.integer("duration_us", duration);
    }
    out.text("evaluation", &evaluation);
    out.text("outcome", outcome.code());
    out.key("seq");
    let sequence_at = out.out.len();
    if let Some(stop) = stop {
        out.integer("stop", stop);
    }
    if told {
        out.truth("told", true);
    }
    out.text("type", "outcome");
    if unbegun {
        out.truth("unbegun", true);
    }
    out.text("v", FORMAT);
    let index = IndexColumns {
        kind: "outcome".to_owned(),
        at_micros: at,
        agent: Some(agent.into_owned()),
        evaluation: Some(evaluation.into_owned()),
        about: Some(about.get()),
        ..IndexColumns::default()
    };
    PendingEntry::new(out.finish(), sequence_at, index, Vec::new(), String::new())
}
