//! Thresholds and weights for kinds of tools.

/// Thresholds, the dimensions that may veto, and weights: the published presets, with this library's names of dimensions.
///
/// Where the published name is another: `authorization_level` is `authority_verification`, `reversibility` is
/// `cascading_impact`, `data_sensitivity` is `stakeholder_impact`, `proportionality` is `resource_boundaries`. A remote service is sent
/// the published names (`remote::PolicyPreset`).
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    trust: f64,
    escalate: f64,
    deny: f64,
    veto: &'static [&'static str],
    /// scope, authority, resource, behavioural, cascading, stakeholder, temporal, transparency, ethical
    weights: [f64; 9],
}

impl Preset {
    /// For tools that run commands or code.
    #[must_use]
    pub fn shell() -> Self {
        Self {
            trust: 0.85,
            escalate: 0.65,
            deny: 0.45,
            veto: &["scope_compliance", "ethical_alignment", "resource_boundaries"],
            weights: [3.0, 2.0, 2.0, 1.5, 2.5, 1.5, 0.8, 1.5, 2.0],
        }
    }

    /// For tools that change files.
    #[must_use]
    pub fn filesystem() -> Self {
        Self {
            trust: 0.75,
            escalate: 0.55,
            deny: 0.30,
            veto: &["cascading_impact", "scope_compliance"],
            weights: [2.0, 1.5, 1.5, 1.2, 3.0, 1.2, 0.6, 1.0, 0.8],
        }
    }

    /// For tools that read and send mail.
    #[must_use]
    pub fn email() -> Self {
        Self {
            trust: 0.70,
            escalate: 0.50,
            deny: 0.30,
            veto: &["scope_compliance", "stakeholder_impact"],
            weights: [1.8, 1.5, 1.2, 1.0, 2.0, 2.5, 0.8, 1.0, 1.0],
        }
    }

    /// For tools that act in a browser.
    #[must_use]
    pub fn browser() -> Self {
        Self {
            trust: 0.75,
            escalate: 0.55,
            deny: 0.35,
            veto: &["authority_verification", "stakeholder_impact"],
            weights: [1.5, 2.5, 1.2, 1.0, 1.5, 2.0, 0.8, 1.2, 1.0],
        }
    }

    /// For tools that act on calendars.
    #[must_use]
    pub fn calendar() -> Self {
        Self {
            trust: 0.60,
            escalate: 0.40,
            deny: 0.20,
            veto: &[],
            weights: [1.2, 1.2, 1.0, 1.0, 1.0, 1.0, 1.5, 1.0, 0.8],
        }
    }

    /// For everything else; also [`Default`].
    #[must_use]
    pub fn general() -> Self {
        Self {
            trust: 0.65,
            escalate: 0.45,
            deny: 0.25,
            veto: &[],
            weights: [2.0, 1.0, 1.0, 0.8, 1.2, 1.0, 0.6, 0.8, 1.0],
        }
    }

    /// Below this trust a call is deliberated on.
    #[must_use]
    pub fn trust(&self) -> f64 {
        self.trust
    }

    /// Below this score a call is escalated.
    #[must_use]
    pub fn escalate(&self) -> f64 {
        self.escalate
    }

    /// Below this score a call is denied.
    #[must_use]
    pub fn deny(&self) -> f64 {
        self.deny
    }

    /// The dimensions that may deny a call on their own.
    pub fn veto_dimensions(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.veto.iter().copied()
    }

    pub(super) fn may_veto(&self, dimension: &str) -> bool {
        self.veto.contains(&dimension)
    }

    /// The weight of a dimension. Those that the published presets do not name have that of the published engine.
    #[must_use]
    pub fn weight(&self, dimension: &str) -> f64 {
        let [
            scope,
            authority,
            resource,
            behaviour,
            cascading,
            stakeholder,
            temporal,
            transparency,
            ethical,
        ] = self.weights;
        match dimension {
            "scope_compliance" => scope,
            "authority_verification" => authority,
            "resource_boundaries" => resource,
            "behavioral_consistency" => behaviour,
            "cascading_impact" => cascading,
            "stakeholder_impact" => stakeholder,
            "temporal_compliance" => temporal,
            "transparency" => transparency,
            "ethical_alignment" => ethical,
            "incident_detection" => 1.5,
            "isolation_integrity" => 1.4,
            "precedent_alignment" => 0.7,
            "human_override" => 2.0,
            _ => 1.0,
        }
    }
}

impl Default for Preset {
    fn default() -> Self {
        Self::general()
    }
}
