//! What agents of a kind usually do, for as long as an agent's own calls are not learnt.

use crate::call::Effect;

/// Which calls are usual for agents of a kind: a prior, which counts until the agent's own calls are [watched](crate::drift).
///
/// # Examples
///
/// ```
/// use managed_agents::assessment::{Archetype, Assessor, Facts, Preset};
/// use managed_agents::{Decision, Risk, ToolMeta};
///
/// let assessor = Assessor::new(Preset::general()).archetype("analyst", Archetype::reader());
/// let pay = ToolMeta::new("pay").with_risk(Risk::High).reversible();
/// let odd = assessor.assess(&Facts::of(&pay).with_trust(0.9).with_usual(assessor.usual("analyst", &pay)));
/// let unknown = assessor.assess(&Facts::of(&pay).with_trust(0.9).with_usual(assessor.usual("another", &pay)));
/// assert!(odd.ucs() < unknown.ucs());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Archetype {
    /// Shares of the calls, by effect.
    shares: [f64; 3],
}

impl Archetype {
    /// Of so many calls that read, change something, and are grave, in any unit. What is no number counts as none.
    #[must_use]
    pub fn new(reads: f64, changes: f64, grave: f64) -> Self {
        let amounts = [reads, changes, grave].map(|amount| if amount.is_finite() { amount.max(0.0) } else { 0.0 });
        let all: f64 = amounts.iter().sum();
        Self {
            shares: if all > 0.0 {
                amounts.map(|amount| amount / all)
            } else {
                [0.0; 3]
            },
        }
    }

    /// Reads, and hardly ever does anything else: research, analysis, monitoring.
    #[must_use]
    pub fn reader() -> Self {
        Self::new(96.0, 4.0, 0.0)
    }

    /// Reads and changes in turn, and hardly ever what is grave: drafts, data, calendars, first answers to customers.
    #[must_use]
    pub fn editor() -> Self {
        Self::new(60.0, 39.0, 1.0)
    }

    /// Does what is grave as part of its work: payments, operations.
    #[must_use]
    pub fn operator() -> Self {
        Self::new(50.0, 35.0, 15.0)
    }

    /// What a word in an agent's passport means; none where it means nothing here (see `Assessor::kind` for words of your own).
    ///
    /// | word | kind |
    /// |---|---|
    /// | `reader`, `analyst`, `research-analyst`, `financial-analyst`, `security-monitor` | [`reader`](Self::reader) |
    /// | `editor`, `content-creator`, `customer-experience`, `data-processor`, `executive-assistant`, `sales-agent` | [`editor`](Self::editor) |
    /// | `operator`, `operations-coordinator` | [`operator`](Self::operator) |
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "reader" | "analyst" | "research-analyst" | "financial-analyst" | "security-monitor" => {
                Some(Self::reader())
            }
            "editor"
            | "content-creator"
            | "customer-experience"
            | "data-processor"
            | "executive-assistant"
            | "sales-agent" => Some(Self::editor()),
            "operator" | "operations-coordinator" => Some(Self::operator()),
            _ => None,
        }
    }

    /// The share of calls of an effect.
    #[must_use]
    pub fn share(&self, effect: Effect) -> f64 {
        self.shares.get(effect.index()).copied().unwrap_or(0.0)
    }
}
