//! What a service is told about how strictly to judge.

use serde_json::json;

/// Thresholds and veto dimensions that a governance service is asked to apply: the published presets, or your own.
///
/// A hint: what the service makes of it is the service's. Sent only when set.
///
/// # Examples
///
/// ```
/// use managed_agents::remote::PolicyPreset;
/// assert_eq!(PolicyPreset::shell().trust_threshold(), 0.85);
/// let strict = PolicyPreset::new(0.9, 0.8, 0.6, ["data_sensitivity"])?;
/// assert_eq!(strict.deny_threshold(), 0.6);
/// # Ok::<_, managed_agents::remote::PresetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyPreset {
    trust: f64,
    escalate: f64,
    deny: f64,
    veto: Vec<String>,
}

impl PolicyPreset {
    /// A preset of your own.
    ///
    /// # Errors
    ///
    /// [`PresetError`] when a threshold is not between 0 and 1, or the threshold to deny is above the one to escalate.
    pub fn new<I, S>(trust: f64, escalate: f64, deny: f64, veto: I) -> Result<Self, PresetError>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        if ![trust, escalate, deny]
            .iter()
            .all(|threshold| (0.0..=1.0).contains(threshold))
        {
            return Err(PresetError("a threshold is not between 0 and 1"));
        }
        if deny > escalate {
            return Err(PresetError("the threshold to deny is above the threshold to escalate"));
        }
        Ok(Self {
            trust,
            escalate,
            deny,
            veto: veto.into_iter().map(Into::into).collect(),
        })
    }

    /// For tools that run commands or code.
    #[must_use]
    pub fn shell() -> Self {
        let veto = ["scope_compliance", "ethical_alignment", "proportionality"];
        Self::published(0.85, 0.65, 0.45, &veto)
    }

    /// For tools that change files.
    #[must_use]
    pub fn filesystem() -> Self {
        Self::published(0.75, 0.55, 0.30, &["reversibility", "scope_compliance"])
    }

    /// For tools that read and send mail.
    #[must_use]
    pub fn email() -> Self {
        Self::published(0.70, 0.50, 0.30, &["scope_compliance", "data_sensitivity"])
    }

    /// For tools that act in a browser.
    #[must_use]
    pub fn browser() -> Self {
        Self::published(0.75, 0.55, 0.35, &["authorization_level", "data_sensitivity"])
    }

    /// For tools that act on calendars.
    #[must_use]
    pub fn calendar() -> Self {
        Self::published(0.60, 0.40, 0.20, &[])
    }

    /// For everything else; also [`Default`].
    #[must_use]
    pub fn general() -> Self {
        Self::published(0.65, 0.45, 0.25, &[])
    }

    /// The trust that an agent must have.
    #[must_use]
    pub fn trust_threshold(&self) -> f64 {
        self.trust
    }

    /// The confidence below which a person decides.
    #[must_use]
    pub fn escalate_threshold(&self) -> f64 {
        self.escalate
    }

    /// The confidence below which a call is denied.
    #[must_use]
    pub fn deny_threshold(&self) -> f64 {
        self.deny
    }

    /// The dimensions that may deny a call on their own.
    pub fn veto_dimensions(&self) -> impl Iterator<Item = &str> + '_ {
        self.veto.iter().map(String::as_str)
    }

    pub(super) fn hint(&self) -> serde_json::Value {
        json!({
            "trust_threshold": self.trust,
            "escalate_threshold": self.escalate,
            "deny_threshold": self.deny,
            "veto_dimensions": self.veto,
        })
    }

    fn published(trust: f64, escalate: f64, deny: f64, veto: &[&str]) -> Self {
        Self {
            trust,
            escalate,
            deny,
            veto: veto.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Default for PolicyPreset {
    fn default() -> Self {
        Self::general()
    }
}

/// Thresholds are no preset.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct PresetError(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_out_of_range_or_order_are_no_preset() {
        for (trust, escalate, deny) in [
            (1.1, 0.5, 0.4),
            (0.5, -0.1, -0.2),
            (f64::NAN, 0.5, 0.4),
            (0.5, f64::INFINITY, 0.4),
            (0.5, 0.4, 0.5),
        ] {
            assert!(PolicyPreset::new(trust, escalate, deny, [""; 0]).is_err());
        }
    }

    #[test]
    fn a_hint_has_the_published_form() {
        assert_eq!(
            PolicyPreset::filesystem().hint(),
            json!({"trust_threshold": 0.75, "escalate_threshold": 0.55, "deny_threshold": 0.3,
                   "veto_dimensions": ["reversibility", "scope_compliance"]})
        );
        assert_eq!(PolicyPreset::default().hint()["veto_dimensions"], json!([]));
    }
}
