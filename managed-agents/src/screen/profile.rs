//! Profiles: what the rules' findings lead to, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::Rule;
use crate::verdict::Decision;

/// How much the screen lets through.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// For agents that nobody watches: what is doubtful is denied.
    Strict,
    /// What is never right is denied; what a person might want is escalated.
    #[default]
    Standard,
    /// For a developer's own machine: what only touches the developer's own work is let through.
    Relaxed,
}

/// What the screen makes of its findings. It can be read from configuration; unknown keys are refused.
///
/// # Examples
///
/// ```
/// use managed_agents::{Decision, screen::Profile};
/// let profile = Profile::standard().with_rule("git_discard", Decision::Allow);
/// let read: Profile = serde_json::from_str(r#"{"level":"strict","bulk":{"email":3}}"#).unwrap();
/// assert_ne!(profile, read);
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Profile {
    /// Where the decisions come from that `rules` does not name.
    pub level: Level,
    /// Decisions by rule code. One that is `deny` at every level cannot be softened.
    pub rules: BTreeMap<String, Decision>,
    /// From how many on one call is bulk.
    pub bulk: BulkLimits,
    /// Hosts that may be asked although they are internal: exact names, or `.example.com` for a domain and all below it.
    pub allow_hosts: Vec<String>,
    /// If not empty, the only public hosts that may be asked, written as in `allow_hosts`.
    pub only_hosts: Vec<String>,
    /// Your own patterns.
    pub patterns: Vec<OwnPattern>,
}

/// From how many on one call is bulk.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct BulkLimits {
    /// Recipients of a message.
    pub email: usize,
    /// Files.
    pub file: usize,
    /// Calendar entries.
    pub calendar: usize,
}

impl Default for BulkLimits {
    fn default() -> Self {
        Self {
            email: 10,
            file: 20,
            calendar: 5,
        }
    }
}

/// A pattern of your own: `*` stands for any text, `?` for one character; case does not count.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OwnPattern {
    /// Fits the whole text of any string in the arguments; write `*word*` to find it anywhere.
    pub pattern: String,
    /// The tools that it holds for, as a pattern; all, when nothing is said.
    #[serde(default)]
    pub tool: Option<String>,
    /// `deny` or `escalate`.
    pub decision: Decision,
}

impl Profile {
    /// What is doubtful is denied.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            level: Level::Strict,
            ..Self::default()
        }
    }

    /// What is never right is denied, what a person might want is escalated.
    #[must_use]
    pub fn standard() -> Self {
        Self::default()
    }

    /// What only touches a developer's own work is let through.
    #[must_use]
    pub fn relaxed() -> Self {
        Self {
            level: Level::Relaxed,
            ..Self::default()
        }
    }

    /// Decides for one rule by its code.
    #[must_use]
    pub fn with_rule(mut self, code: impl Into<String>, decision: Decision) -> Self {
        self.rules.insert(code.into(), decision);
        self
    }

    /// Adds a pattern of your own; see [`OwnPattern`].
    #[must_use]
    pub fn with_pattern(mut self, pattern: impl Into<String>, decision: Decision) -> Self {
        self.patterns.push(OwnPattern {
            pattern: pattern.into(),
            tool: None,
            decision,
        });
        self
    }

    /// Lets calls reach an internal host.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allow_hosts.push(host.into());
        self
    }

    /// The codes in `rules` that no rule has.
    #[must_use]
    pub fn unknown_codes(&self) -> Vec<&str> {
        self.rules
            .keys()
            .filter(|code| Rule::all().all(|rule| rule.code() != code.as_str()))
            .map(String::as_str)
            .collect()
    }

    /// What a finding of a rule leads to.
    #[must_use]
    pub fn decision(&self, rule: &Rule) -> Decision {
        let [strict, standard, relaxed] = rule.decisions;
        let own = match self.level {
            Level::Strict => strict,
            Level::Standard => standard,
            Level::Relaxed => relaxed,
        };
        // INVARIANT: what is denied in every profile stays denied (tampering with governance is)
        let fixed = rule.decisions == [Decision::Deny; 3];
        match self.rules.get(rule.code()) {
            Some(_) if fixed => own,
            Some(decision) => *decision,
            None => own,
        }
    }
}
