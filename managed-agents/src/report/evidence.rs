//! What entries are evidence of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of evidence that the record can hold.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EvidenceKind {
    /// Every entry: a log under a signed head.
    Record,
    /// A call was judged before its body could run.
    Decisions,
    /// How a body ended.
    Outcomes,
    /// A body did not end well.
    Failures,
    /// A call was refused.
    Refusals,
    /// A call was escalated to people.
    Escalations,
    /// A person decided on a call, and signed that.
    Approvals,
    /// A call ran because people had approved it.
    Approved,
    /// An agent's signed identity.
    Identities,
    /// An agent was suspended or revoked.
    Stops,
    /// A call, a session, an agent or everything was interrupted.
    Interrupts,
    /// An interrupt was tried out, as a drill.
    Drills,
    /// A suspension or an interrupt was lifted.
    Reactivations,
    /// A decision names the digest of all rules that were applied.
    Rules,
    /// A decision names the policies that determined it.
    Policies,
    /// The screen found something in a call.
    Screen,
    /// Values are kept apart from the log, which only commits to them.
    Commitments,
    /// A redacted value: no export and no reviewer sees it.
    Redactions,
    /// A data subject's values were erased.
    Erasures,
    /// Values were removed by a rule of age, or kept by a hold.
    Retention,
    /// A call ran though it was not judged, or not as it was judged.
    Exceptions,
    /// A decision says the agent's trust.
    Trust,
    /// What is recorded of drift: references, alarms, and that they were acknowledged.
    Drift,
    /// The log's keys, its origin, and what came before it.
    Keys,
    /// A statement that a person signed: who may approve, what an operator ordered.
    Operators,
}

impl EvidenceKind {
    /// Every kind.
    pub const ALL: [Self; 25] = [
        Self::Record,
        Self::Decisions,
        Self::Outcomes,
        Self::Failures,
        Self::Refusals,
        Self::Escalations,
        Self::Approvals,
        Self::Approved,
        Self::Identities,
        Self::Stops,
        Self::Interrupts,
        Self::Drills,
        Self::Reactivations,
        Self::Rules,
        Self::Policies,
        Self::Screen,
        Self::Commitments,
        Self::Redactions,
        Self::Erasures,
        Self::Retention,
        Self::Exceptions,
        Self::Trust,
        Self::Drift,
        Self::Keys,
        Self::Operators,
    ];

    /// What is counted, as a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Record => "Entries of the log",
            Self::Decisions => "Calls judged before they ran",
            Self::Outcomes => "Outcomes of calls",
            Self::Failures => "Calls that did not end well",
            Self::Refusals => "Calls refused",
            Self::Escalations => "Calls escalated to people",
            Self::Approvals => "Signed decisions of people on calls",
            Self::Approved => "Calls that ran because people had approved them",
            Self::Identities => "Signed identities of agents",
            Self::Stops => "Agents suspended or revoked",
            Self::Interrupts => "Interrupts of calls, sessions, agents or everything",
            Self::Drills => "Drills of interrupts",
            Self::Reactivations => "Suspensions and interrupts lifted",
            Self::Rules => "Decisions that name their rules",
            Self::Policies => "Decisions that name the policies behind them",
            Self::Screen => "Calls in which the screen found something",
            Self::Commitments => "Calls whose values are kept apart from the log",
            Self::Redactions => "Calls with redacted values",
            Self::Erasures => "Erasures of data subjects",
            Self::Retention => "Runs of retention, and holds",
            Self::Exceptions => "Calls that ran without being judged, or not as they were judged",
            Self::Trust => "Decisions that say the agent's trust",
            Self::Drift => "References of behaviour, and alarms of drift",
            Self::Keys => "Keys and origins of the log",
            Self::Operators => "Statements that people signed",
        }
    }
}

impl fmt::Display for EvidenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// How many entries are evidence, and the first and last of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The place of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The place of the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
}

impl Tally {
    pub(super) fn add(&mut self, sequence: u64) {
        self.count += 1;
        self.first.get_or_insert(sequence);
        self.last = Some(sequence);
    }

    /// The places that are shown: one, or the first and the last.
    pub(super) fn places(self) -> impl Iterator<Item = u64> {
        let last = self.last.filter(|last| self.first != Some(*last));
        self.first.into_iter().chain(last)
    }
}
