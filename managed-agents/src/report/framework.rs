//! Frameworks and their controls: texts of our own, with the standards' numbers.

use serde::{Deserialize, Serialize};

use super::evidence::EvidenceKind;

/// A framework that a report can be made for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Framework {
    /// Regulation (EU) 2024/1689.
    EuAiAct,
    /// The Trust Services Criteria.
    Soc2,
    /// The HIPAA Security Rule, and some of the Privacy Rule.
    Hipaa,
    /// ISO/IEC 42001, Annex A.
    Iso42001,
    /// NIST's AI Risk Management Framework.
    NistAiRmf,
    /// OWASP's Top 10 for Agentic Applications.
    OwaspAgentic,
}

impl Framework {
    /// Every framework.
    pub const ALL: [Self; 6] = [
        Self::EuAiAct,
        Self::Soc2,
        Self::Hipaa,
        Self::Iso42001,
        Self::NistAiRmf,
        Self::OwaspAgentic,
    ];

    /// The word for it: `eu-ai-act`, `soc2`, `hipaa`, `iso-42001`, `nist-ai-rmf` or `owasp-agentic`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EuAiAct => "eu-ai-act",
            Self::Soc2 => "soc2",
            Self::Hipaa => "hipaa",
            Self::Iso42001 => "iso-42001",
            Self::NistAiRmf => "nist-ai-rmf",
            Self::OwaspAgentic => "owasp-agentic",
        }
    }

    /// The framework of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|framework| framework.name() == name)
    }

    /// Its controls, as the data file has them.
    pub(super) fn text(self) -> Result<FrameworkText, serde_json::Error> {
        serde_json::from_str(match self {
            Self::EuAiAct => include_str!("frameworks/eu-ai-act.json"),
            Self::Soc2 => include_str!("frameworks/soc2.json"),
            Self::Hipaa => include_str!("frameworks/hipaa.json"),
            Self::Iso42001 => include_str!("frameworks/iso-42001.json"),
            Self::NistAiRmf => include_str!("frameworks/nist-ai-rmf.json"),
            Self::OwaspAgentic => include_str!("frameworks/owasp-agentic.json"),
        })
    }
}

/// What a data file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrameworkText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) edition: String,
    pub(super) note: String,
    pub(super) controls: Vec<ControlText>,
}

/// What a data file says of one control.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlText {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) asks: String,
    #[serde(default)]
    pub(super) evidence: Vec<EvidenceText>,
    pub(super) limits: Option<String>,
    pub(super) not_covered: Option<String>,
}

/// What a kind of evidence shows for a control.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvidenceText {
    pub(super) kind: EvidenceKind,
    pub(super) shows: String,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_framework_has_its_data_and_every_control_says_what_shows_it_or_why_nothing_does() {
        for framework in Framework::ALL {
            let text = framework.text().unwrap();
            assert_eq!(text.id, framework.name());
            assert_eq!(Framework::from_name(&text.id), Some(framework));
            assert!(text.controls.len() >= 10, "{}", text.id);
            let ids: BTreeSet<_> = text.controls.iter().map(|control| &control.id).collect();
            assert_eq!(ids.len(), text.controls.len(), "{}: an id is given twice", text.id);
            for control in &text.controls {
                let what = format!("{} {}", text.id, control.id);
                assert_ne!(control.evidence.is_empty(), control.not_covered.is_none(), "{what}");
                let kinds: BTreeSet<_> = control.evidence.iter().map(|evidence| evidence.kind).collect();
                assert_eq!(kinds.len(), control.evidence.len(), "{what}: a kind is given twice");
            }
            // some of every framework is not for a record of tool calls to show
            assert!(text.controls.iter().any(|control| control.not_covered.is_some()));
        }
    }

    #[test]
    fn no_text_says_that_anything_complies() {
        for framework in Framework::ALL {
            let text = format!("{:?}", framework.text().unwrap()).to_lowercase();
            for word in ["compliant", "complies", "compliance", "certified that", "satisfied"] {
                assert!(!text.contains(word), "{}: `{word}`", framework.name());
            }
        }
    }
}
