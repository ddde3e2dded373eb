//! What the screen found in a call.

use std::fmt;

use super::rule::{Effect, Rule, Severity};
use crate::verdict::{Decision, Found, Reason, Verdict};

/// A range of bytes in the text of one argument.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Span {
    /// Where it begins.
    pub start: usize,
    /// Where it ends; the byte there is no part of it.
    pub end: usize,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// One thing that the screen found: which rule, in which argument, and where. It holds no text of the argument.
#[derive(Clone, Eq, PartialEq)]
pub struct Finding {
    pub(super) rule: &'static Rule,
    pub(super) argument: Option<Box<str>>,
    pub(super) span: Option<Span>,
    pub(super) decision: Decision,
    pub(super) by: Option<Box<str>>,
}

impl Finding {
    /// The rule's stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.rule.code()
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        self.rule
    }

    /// What would happen.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.rule.effect()
    }

    /// How bad it would be.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.rule.severity()
    }

    /// What the profile makes of it.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// The name of the top-level argument that it was found in; none, where it is about the call as a whole.
    #[must_use]
    pub fn argument(&self) -> Option<&str> {
        self.argument.as_deref()
    }

    /// Where in the argument's text it was found.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// The finding as a reason of a verdict. It holds no text of the argument.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let mut detail = self.rule.for_operator().to_owned();
        if let Some(by) = &self.by {
            detail = format!("{detail} ({by})");
        }
        if let Some(argument) = &self.argument {
            detail = format!("{detail}; in the argument `{}`", argument.escape_debug());
            if let Some(Span { start, end }) = self.span {
                detail = format!("{detail}, bytes {start} to {end}");
            }
        }
        let reason = Reason::new(self.rule.code(), self.rule.for_model()).with_detail(detail);
        match &self.argument {
            Some(argument) => reason.found_in(Found {
                argument: argument.clone(),
                span: self.span.map(|span| (span.start, span.end)),
            }),
            None => reason,
        }
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("code", &self.code())
            .field("argument", &self.argument)
            .field("span", &self.span)
            .field("decision", &self.decision)
            .finish()
    }
}

/// What a screen says of a call.
///
/// # Examples
///
/// ```
/// use managed_agents::{Decision, screen::StandardScreen};
/// use serde_json::json;
/// let screened = StandardScreen::default().check_value("bash", &json!({"command": "rm -rf ~"}));
/// assert_eq!(screened.decision(), Decision::Deny);
/// assert_eq!(screened.findings()[0].code(), "destroy_home");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Screened {
    pub(super) decision: Decision,
    pub(super) findings: Vec<Finding>,
    pub(super) understood: bool,
}

impl Screened {
    /// Nothing was found.
    #[must_use]
    pub fn clear() -> Self {
        Self {
            decision: Decision::Allow,
            findings: Vec::new(),
            understood: true,
        }
    }

    /// The most restrictive decision of all findings.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// What was found, the most restrictive first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether every command and statement was understood completely: nothing unparsed, nothing known only at run time.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.understood
    }

    /// Both together: the more restrictive decision, the findings of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.decision = self.decision.max(other.decision);
        self.findings.extend(other.findings);
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse((finding.decision, finding.severity())));
        self.understood &= other.understood;
        self
    }

    /// The verdict that enters the harness; none, where the screen has nothing to say.
    #[must_use]
    pub fn into_verdict(self) -> Option<Verdict> {
        let decided = self.decision;
        if decided == Decision::Allow {
            return None;
        }
        Some(
            self.findings
                .iter()
                .filter(|finding| finding.decision != Decision::Allow)
                .take(16)
                .fold(Verdict::new(decided), |verdict, finding| {
                    verdict.with_reason(finding.reason())
                }),
        )
    }
}
