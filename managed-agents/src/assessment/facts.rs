//! What is known of a call.

use super::share;
use crate::call::ToolMeta;
use crate::drift::Severity;
use crate::verdict::Decision;

/// What is known of a call when it is assessed: declared facts, and what its agent did before.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    meta: &'a ToolMeta,
    pub(super) in_scope: Option<bool>,
    pub(super) undeclared_name: bool,
    pub(super) policy: Option<Decision>,
    pub(super) screen: Option<Decision>,
    trust: f64,
    pub(super) against: f64,
    pub(super) drift: Option<Option<Severity>>,
    pub(super) usual: Option<f64>,
}

impl<'a> Facts<'a> {
    /// What a tool declares of itself; nothing is known of the agent, whose trust is that of a new one.
    #[must_use]
    pub fn of(meta: &'a ToolMeta) -> Self {
        Self {
            meta,
            in_scope: None,
            undeclared_name: false,
            policy: None,
            screen: None,
            trust: 0.5,
            against: 0.0,
            drift: None,
            usual: None,
        }
    }

    /// Says whether the tool is in the agent's scope, where it has one.
    #[must_use]
    pub fn with_scope(mut self, in_scope: bool) -> Self {
        self.in_scope = Some(in_scope);
        self
    }

    /// Says that nothing declares the tool's name.
    #[must_use]
    pub fn with_undeclared_name(mut self) -> Self {
        self.undeclared_name = true;
        self
    }

    /// Says what policies decided, where any name the tool.
    #[must_use]
    pub fn with_policy(mut self, decision: Decision) -> Self {
        self.policy = Some(decision);
        self
    }

    /// Says what the screen decided, where it found something in the call.
    #[must_use]
    pub fn with_screen(mut self, decision: Decision) -> Self {
        self.screen = Some(decision);
        self
    }

    /// Says the agent's trust, 0 to 1; what is no number is none.
    #[must_use]
    pub fn with_trust(mut self, trust: f64) -> Self {
        self.trust = share(trust);
        self
    }

    /// Says how much evidence stands against the agent.
    #[must_use]
    pub fn with_evidence_against(mut self, evidence: f64) -> Self {
        self.against = if evidence.is_nan() { f64::MAX } else { evidence.max(0.0) };
        self
    }

    /// Says whether an alarm of drift is open, where the agent is watched.
    #[must_use]
    pub fn with_drift(mut self, alarm: Option<Severity>) -> Self {
        self.drift = Some(alarm);
        self
    }

    /// Says which share of such calls is usual for agents of this kind, where that is known; counts while the agent is not watched.
    #[must_use]
    pub fn with_usual(mut self, usual: Option<f64>) -> Self {
        self.usual = usual.map(share);
        self
    }

    /// What the tool declares of itself.
    #[must_use]
    pub fn meta(&self) -> &ToolMeta {
        self.meta
    }

    /// The agent's trust.
    #[must_use]
    pub fn trust(&self) -> f64 {
        self.trust
    }
}
