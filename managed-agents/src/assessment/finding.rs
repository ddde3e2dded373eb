//! What a dimension says of a call, and what a dimension is.

use std::borrow::Cow;

use super::Facts;

/// What a dimension says of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub(super) concern: f64,
    pub(super) confidence: f64,
    pub(super) veto: bool,
    pub(super) reason: Cow<'static, str>,
}

impl Finding {
    /// A concern, 0 (none) to 1, and why. What is no number is the largest.
    #[must_use]
    pub fn new(concern: f64, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            concern: if concern.is_nan() { 1.0 } else { concern.clamp(0.0, 1.0) },
            confidence: 1.0,
            veto: false,
            reason: reason.into(),
        }
    }

    /// How sure it is, 0 to 1; entirely when nothing is said.
    #[must_use]
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = if confidence.is_nan() {
            1.0
        } else {
            confidence.clamp(0.0, 1.0)
        };
        self
    }

    /// Denies the call, whatever the score.
    #[must_use]
    pub fn veto(mut self) -> Self {
        self.veto = true;
        self
    }
}

/// One way to look at a call. Ethical and jurisdictional rules are yours to give: implement this.
pub trait Dimension: Send + Sync + 'static {
    /// Its stable name, in snake case.
    fn name(&self) -> &str;

    /// What it says of a call; none where it knows nothing that bears on it.
    fn assess(&self, facts: &Facts<'_>) -> Option<Finding>;
}
