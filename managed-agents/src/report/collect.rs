//! Counting, one entry after the other.

use super::evidence::EvidenceKind;
use super::figures::{Bucket, Calls, Figures, OverTime};
use super::read::{body_text, interrupts, screen_codes, trust_after};
use super::reviewers::Watch;
use crate::audit::entry::Entry;

/// Counts the entries of a period.
pub(super) struct Collector {
    from: i64,
    to: i64,
    figures: Figures,
    people: Watch,
}

impl Collector {
    /// Of the entries from one time to before another, in microseconds since 1970.
    pub(super) fn new(from: i64, to: i64) -> Self {
        Self {
            from,
            to,
            figures: Figures {
                over_time: OverTime::new(from, to),
                ..Figures::default()
            },
            people: Watch::default(),
        }
    }

    /// Counts an entry, if it is of the period; says whether it is.
    pub(super) fn add(&mut self, entry: &Entry) -> bool {
        if !(self.from..self.to).contains(&entry.at_micros()) {
            return false;
        }
        let sequence = entry.sequence();
        let figures = &mut self.figures;
        figures.entries += 1;
        figures.first.get_or_insert(sequence);
        figures.last = Some(sequence);
        figures.types.add(entry.kind());
        self.is(EvidenceKind::Record, sequence);
        match entry.kind() {
            "decision" => self.decision(entry),
            "outcome" => self.outcome(entry),
            "agent" => self.agent(entry),
            "interrupt" => self.interrupt(entry),
            "outside" => self.is(EvidenceKind::Exceptions, sequence),
            "erasure" => self.is(EvidenceKind::Erasures, sequence),
            "retention" | "hold" | "release" => self.is(EvidenceKind::Retention, sequence),
            "drift_ack" => {
                self.is(EvidenceKind::Drift, sequence);
                self.bucket(entry, |bucket| bucket.drift += 1);
            }
            "drift" | "drift_baseline" | "drift_rebaseline" => self.is(EvidenceKind::Drift, sequence),
            "reviewer_drift" | "reviewer_drift_ack" | "reviewer_drift_rebaseline" => {
                self.is(EvidenceKind::Drift, sequence);
                self.people.drifted(entry);
            }
            "origin" | "log_key" | "log_certificate" => self.is(EvidenceKind::Keys, sequence),
            "ticket" => self.people.closed(entry),
            "approval" => {
                self.is(EvidenceKind::Approvals, sequence);
                self.people.approval(entry);
            }
            "approver" | "operator" => self.is(EvidenceKind::Operators, sequence),
            _ => {}
        }
        true
    }

    pub(super) fn finish(mut self) -> Figures {
        self.figures.reviewers = self.people.finish();
        self.figures
    }

    fn decision(&mut self, entry: &Entry) {
        let sequence = entry.sequence();
        let decision = entry.decision();
        let decision = decision.as_ref().map_or("", |decision| decision.reveal());
        let disposition = entry.disposition();
        let disposition = disposition.as_ref().map_or("", |disposition| disposition.reveal());
        let ran = !matches!(disposition, "refused" | "queued");

        let figures = &mut self.figures;
        figures.calls += 1;
        figures.ran += u64::from(ran);
        figures.decisions.add(decision);
        figures.dispositions.add(disposition);
        for (deciding, code) in entry.codes().iter().enumerate() {
            figures.reasons.add(code.reveal());
            if deciding == 0 {
                figures.deciding_reasons.add(code.reveal());
            }
        }
        for name in entry.policies() {
            figures.policies.add(name.reveal());
        }
        if let Some(software) = entry.untrusted("software") {
            figures.software.add(software.reveal());
        }
        if let Some(agent) = entry.agent() {
            figures.agents.of(agent.reveal()).add(decision, ran);
        }
        if let Some(tool) = entry.tool() {
            figures.tools.of(tool.reveal()).add(decision, ran);
        }
        if let Some(digest) = entry.untrusted("rules") {
            let rules = figures.rules.of(digest.reveal());
            if rules.calls == 0 {
                rules.first = sequence;
            }
            rules.calls += 1;
            rules.last = sequence;
        }
        figures.undeclared += u64::from(entry.raw("undeclared") == Some("true"));
        let committed = entry.commitments();
        let redacted = committed.iter().filter(|value| value.is_redacted()).count() as u64;
        figures.values += committed.len() as u64;
        figures.redacted_values += redacted;
        for code in screen_codes(entry) {
            figures.screen.add(&code);
        }

        self.people.decision(entry);
        self.is(EvidenceKind::Decisions, sequence);
        for (fits, kind) in [
            (disposition == "refused", EvidenceKind::Refusals),
            (decision == "escalate", EvidenceKind::Escalations),
            (disposition == "approved", EvidenceKind::Approved),
            (entry.raw("rules").is_some(), EvidenceKind::Rules),
            (entry.raw("policies").is_some(), EvidenceKind::Policies),
            (entry.raw("screen").is_some(), EvidenceKind::Screen),
            (!committed.is_empty(), EvidenceKind::Commitments),
            (redacted > 0, EvidenceKind::Redactions),
            (
                matches!(disposition, "fail_open" | "observed" | "proceeded_unapproved"),
                EvidenceKind::Exceptions,
            ),
            (entry.raw("trust").is_some(), EvidenceKind::Trust),
        ] {
            if fits {
                self.is(kind, sequence);
            }
        }
        let trust = trust_after(entry);
        self.bucket(entry, |bucket| {
            match decision {
                "allow" => bucket.allow += 1,
                "escalate" => bucket.escalate += 1,
                _ => bucket.deny += 1,
            }
            bucket.approved += u64::from(disposition == "approved");
            bucket.queued += u64::from(disposition == "queued");
            if let Some(trust) = trust {
                bucket.trust_seen += 1;
                bucket.trust_sum += u64::from(trust);
                bucket.trust_lowest = Some(bucket.trust_lowest.map_or(trust, |lowest| lowest.min(trust)));
            }
        });
    }

    fn outcome(&mut self, entry: &Entry) {
        let outcome = entry.outcome();
        let outcome = outcome.as_ref().map_or("", |outcome| outcome.reveal());
        let micros = entry.duration_micros().unwrap_or(0);
        self.figures.outcomes.add(outcome);
        self.figures.running_micros = self.figures.running_micros.saturating_add(micros);
        self.figures.longest_micros = self.figures.longest_micros.max(micros);
        self.is(EvidenceKind::Outcomes, entry.sequence());
        if outcome != "ok" {
            self.is(EvidenceKind::Failures, entry.sequence());
            self.bucket(entry, |bucket| bucket.failed += 1);
        }
    }

    fn agent(&mut self, entry: &Entry) {
        // a passport has no state
        let state = body_text(entry, "state").unwrap_or_else(|| "registered".to_owned());
        self.figures.states.add(&state);
        let kind = match state.as_str() {
            "registered" => EvidenceKind::Identities,
            "active" => EvidenceKind::Reactivations,
            _ => {
                self.bucket(entry, |bucket| bucket.stops += 1);
                EvidenceKind::Stops
            }
        };
        self.is(kind, entry.sequence());
    }

    /// A stop, or the operator's statement that it is over.
    fn interrupt(&mut self, entry: &Entry) {
        let kind = match interrupts(entry) {
            None => EvidenceKind::Reactivations,
            Some(true) => EvidenceKind::Drills,
            Some(false) => {
                self.bucket(entry, |bucket| bucket.stops += 1);
                EvidenceKind::Interrupts
            }
        };
        self.is(kind, entry.sequence());
    }

    fn is(&mut self, kind: EvidenceKind, sequence: u64) {
        self.figures.evidence.entry(kind).or_default().add(sequence);
    }

    fn bucket(&mut self, entry: &Entry, change: impl FnOnce(&mut Bucket)) {
        if let Some(bucket) = self.figures.over_time.at(entry.at_micros()) {
            change(bucket);
        }
    }
}

impl Calls {
    fn add(&mut self, decision: &str, ran: bool) {
        self.calls += 1;
        self.ran += u64::from(ran);
        match decision {
            "allow" => self.allow += 1,
            "escalate" => self.escalate += 1,
            _ => self.deny += 1,
        }
    }
}
