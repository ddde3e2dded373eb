//! What the record shows for one control.

use serde::Serialize;

use super::evidence::{EvidenceKind, Tally};
use super::figures::Figures;
use super::framework::ControlText;

/// A control of a framework, and what is evidence for it.
#[derive(Clone, Debug, Serialize)]
pub struct Control {
    id: String,
    title: String,
    asks: String,
    coverage: Coverage,
    evidence: Vec<Evidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_covered: Option<String>,
}

/// Whether a record shows anything for a control.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Coverage {
    /// There are entries that are evidence.
    Evidence,
    /// There could be such entries, and in this period there are none.
    NothingRecorded,
    /// The record says nothing of it.
    NotCovered,
}

impl Coverage {
    /// As a sentence has it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::NothingRecorded => "nothing recorded in this period",
            Self::NotCovered => "not covered",
        }
    }

    /// The stable word for it: `evidence`, `nothing-recorded` or `not-covered`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::NothingRecorded => "nothing-recorded",
            Self::NotCovered => "not-covered",
        }
    }
}

/// What entries of a kind show for a control.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    kind: EvidenceKind,
    title: &'static str,
    shows: String,
    #[serde(flatten)]
    tally: Tally,
}

impl Evidence {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> EvidenceKind {
        self.kind
    }

    /// What it shows.
    #[must_use]
    pub fn shows(&self) -> &str {
        &self.shows
    }

    /// How many entries, and where.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

impl Control {
    pub(super) fn of(text: &ControlText, figures: &Figures) -> Self {
        let evidence: Vec<_> = text
            .evidence
            .iter()
            .map(|evidence| Evidence {
                kind: evidence.kind,
                title: evidence.kind.title(),
                shows: evidence.shows.clone(),
                tally: figures.evidence(evidence.kind),
            })
            .collect();
        let coverage = if evidence.is_empty() {
            Coverage::NotCovered
        } else if evidence.iter().all(|evidence| evidence.tally.count == 0) {
            Coverage::NothingRecorded
        } else {
            Coverage::Evidence
        };
        Self {
            id: text.id.clone(),
            title: text.title.clone(),
            asks: text.asks.clone(),
            coverage,
            evidence,
            limits: text.limits.clone(),
            not_covered: text.not_covered.clone(),
        }
    }

    /// As the standard numbers it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it is called here.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it asks for, in our words.
    #[must_use]
    pub fn asks(&self) -> &str {
        &self.asks
    }

    /// Whether the record shows anything for it.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// What is evidence for it, also kinds of which nothing was recorded.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// What the evidence does not show.
    #[must_use]
    pub fn limits(&self) -> Option<&str> {
        self.limits.as_deref()
    }

    /// Why the record says nothing of it.
    #[must_use]
    pub fn why_not_covered(&self) -> Option<&str> {
        self.not_covered.as_deref()
    }
}
