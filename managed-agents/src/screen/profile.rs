//! Profiles: what the rules' findings lead to, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pattern::OwnPattern;
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

impl Level {
    /// The word for it, as configuration has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Standard => "standard",
            Self::Relaxed => "relaxed",
        }
    }
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
    /// Hosts that may never be asked, written as in `allow_hosts`; this list stands before the others.
    pub deny_hosts: Vec<String>,
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

    /// Adds a pattern of your own.
    #[must_use]
    pub fn with_pattern(mut self, pattern: OwnPattern) -> Self {
        self.patterns.push(pattern);
        self
    }

    /// Sets from how many on one call is bulk: recipients, files, calendar entries.
    #[must_use]
    pub fn with_bulk(mut self, email: usize, file: usize, calendar: usize) -> Self {
        self.bulk = BulkLimits { email, file, calendar };
        self
    }

    /// Lets calls reach an internal host.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allow_hosts.push(host.into());
        self
    }

    /// Names a public host that may be asked; once one is named, others may not.
    #[must_use]
    pub fn only_host(mut self, host: impl Into<String>) -> Self {
        self.only_hosts.push(host.into());
        self
    }

    /// Keeps calls from a host.
    #[must_use]
    pub fn deny_host(mut self, host: impl Into<String>) -> Self {
        self.deny_hosts.push(host.into());
        self
    }

    /// Whether everything in it means something: [`HarnessBuilder::build`](crate::harness::HarnessBuilder::build) asks.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] names a code that no rule has, a decision that would soften what is denied at every level, or a
    /// host that is none.
    pub fn check(&self) -> Result<(), ProfileError> {
        for (code, decision) in &self.rules {
            check_rule(code, *decision)?;
        }
        let mut hosts = self.allow_hosts.iter().chain(&self.only_hosts).chain(&self.deny_hosts);
        hosts.try_for_each(|host| check_host(host))
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
        match self.rules.get(rule.code()) {
            Some(_) if is_fixed(rule) => own,
            Some(decision) => *decision,
            None => own,
        }
    }
}

/// Whether a rule denies at every level.
fn is_fixed(rule: &Rule) -> bool {
    rule.decisions == [Decision::Deny; 3]
}

pub(crate) fn check_rule(code: &str, decision: Decision) -> Result<(), ProfileError> {
    let wrong = |why| Err(ProfileError::new(code, why));
    match Rule::all().find(|rule| rule.code() == code) {
        None => wrong("is the code of no rule"),
        Some(rule) if is_fixed(rule) && decision != Decision::Deny => {
            wrong("is denied in every profile, and cannot be softened")
        }
        Some(_) => Ok(()),
    }
}

pub(crate) fn check_host(host: &str) -> Result<(), ProfileError> {
    let name = host.strip_prefix('.').unwrap_or(host);
    let plain = (1..=253).contains(&name.len())
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'));
    // an IPv6 address has colons, and stands in brackets as in a URL; any other colon is a port
    let colon = name.contains(':') && !(name.starts_with('[') && name.ends_with(']'));
    if plain && !colon {
        return Ok(());
    }
    Err(ProfileError::new(
        host,
        "is no host: write `example.com`, `.example.com` for all below it, or an address, without scheme, port or path",
    ))
}

/// A profile says something that means nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{}` {why}", .what.escape_debug())]
pub struct ProfileError {
    what: String,
    why: &'static str,
}

impl ProfileError {
    fn new(what: &str, why: &'static str) -> Self {
        Self {
            what: what.chars().take(200).collect(),
            why,
        }
    }

    /// The code or host.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What is wrong with it.
    #[must_use]
    pub fn why(&self) -> &str {
        self.why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_means_nothing_is_told() {
        for (profile, why) in [
            (
                Profile::default().with_rule("git_discrad", Decision::Allow),
                "is the code of no rule",
            ),
            (
                Profile::default().with_rule("tamper_governance", Decision::Allow),
                "is denied in every profile",
            ),
            (Profile::default().allow_host("https://example.com"), "is no host"),
            (Profile::default().deny_host("example.com:443"), "is no host"),
            (Profile::default().only_host("*.example.com"), "is no host"),
            (Profile::default().allow_host("."), "is no host"),
        ] {
            let error = profile.check().unwrap_err();
            assert!(error.why().starts_with(why), "{error}");
        }
        let fine = Profile::strict()
            .with_rule("git_discard", Decision::Allow)
            .allow_host(".corp.example")
            .allow_host("10.0.0.7")
            .deny_host("[::1]");
        assert_eq!(fine.check(), Ok(()));
    }

    #[test]
    fn what_every_level_denies_stays_denied() {
        for rule in Rule::all().filter(|rule| is_fixed(rule)) {
            let profile = Profile::relaxed().with_rule(rule.code(), Decision::Allow);
            assert_eq!(profile.decision(rule), Decision::Deny, "{}", rule.code());
        }
        let tampering = Rule::all().find(|rule| rule.code() == "tamper_governance");
        assert!(tampering.is_some_and(is_fixed));
    }
}
