//! Patterns of the operator's own: regular expressions over the texts of a call's arguments.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::finding::Span;
use super::glob;
use crate::verdict::Decision;

/// The longest pattern, in bytes.
const LENGTH: usize = 4096;
/// The most bytes that a compiled pattern takes.
const SIZE: usize = 2 * 1024 * 1024;
/// How deep groups and repetitions may be nested.
const NESTING: u32 = 64;

/// A pattern of your own: a regular expression in the syntax of the crate `regex`, which knows neither look-around nor
/// back-references and takes time linear in the text.
///
/// It fits where it is found: in any string of the arguments, and in any command that the screen finds in one, its words
/// joined by single spaces. `^` and `$` tie it to the ends, `(?i)` ignores case. A pattern reads words and understands
/// nothing: it is for the names of your house, and no replacement for the rules.
///
/// # Examples
///
/// ```
/// use managed_agents::Decision;
/// use managed_agents::screen::{OwnPattern, Profile, StandardScreen};
/// use serde_json::json;
/// let pattern = OwnPattern::new(r"^kubectl .*--context[ =]prod\b", Decision::Escalate)?.for_tools("bash*");
/// let screen = StandardScreen::new(Profile::standard().with_pattern(pattern));
/// let screened = screen.check_value("bash", &json!({"command": "sudo kubectl get pods --context='prod'"}));
/// assert_eq!(screened.decision(), Decision::Escalate);
///
/// let error = OwnPattern::new("(", Decision::Deny).unwrap_err();
/// assert!(error.to_string().starts_with("the pattern `(` "));
/// # Ok::<_, managed_agents::screen::PatternError>(())
/// ```
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct OwnPattern {
    regex: Regex,
    tools: Option<String>,
    decision: Decision,
}

/// A pattern as it is written down.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pattern: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    decision: Decision,
}

impl OwnPattern {
    /// A pattern that denies or escalates.
    ///
    /// # Errors
    ///
    /// [`PatternError`] when it is no regular expression, is longer than 4096 bytes or compiles to more than 2 MiB, is
    /// empty, or is to allow: the most restrictive judge wins, so nothing can allow.
    pub fn new(pattern: impl AsRef<str>, decision: Decision) -> Result<Self, PatternError> {
        let pattern = pattern.as_ref();
        let wrong = |why: String| PatternError {
            pattern: pattern.chars().take(200).collect(),
            why,
        };
        if decision == Decision::Allow {
            return Err(wrong("can deny or escalate, and nothing else".to_owned()));
        }
        if pattern.is_empty() {
            return Err(wrong("is empty, and would fit every call".to_owned()));
        }
        if pattern.len() > LENGTH {
            return Err(wrong(format!("is longer than {LENGTH} bytes")));
        }
        let regex = RegexBuilder::new(pattern)
            .size_limit(SIZE)
            .nest_limit(NESTING)
            .build()
            .map_err(|error| wrong(reason(&error)))?;
        Ok(Self {
            regex,
            tools: None,
            decision,
        })
    }

    /// Holds only for tools whose whole name fits: `*` stands for any text, `?` for one character; case does not count.
    #[must_use]
    pub fn for_tools(mut self, names: impl Into<String>) -> Self {
        self.tools = Some(names.into());
        self
    }

    /// The regular expression.
    #[must_use]
    pub fn pattern(&self) -> &str {
        self.regex.as_str()
    }

    /// The tools that it holds for; all, when nothing is said.
    #[must_use]
    pub fn tools(&self) -> Option<&str> {
        self.tools.as_deref()
    }

    /// What it leads to.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    pub(super) fn holds_for(&self, tool: &str) -> bool {
        self.tools.as_deref().is_none_or(|own| glob::fits(own, tool))
    }

    pub(super) fn find(&self, text: &str) -> Option<Span> {
        self.regex.find(text).map(|found| Span::new(found.start(), found.end()))
    }
}

/// What is wrong, on one line: the crate's own message draws the pattern with an arrow below.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => format!("compiles to more than {} MiB", SIZE / 1024 / 1024),
        regex::Error::Syntax(message) => {
            let why = message.lines().last().unwrap_or_default().trim();
            format!("is no regular expression: {}", why.trim_start_matches("error: "))
        }
        _ => "cannot be used".to_owned(),
    }
}

impl TryFrom<Written> for OwnPattern {
    type Error = PatternError;

    fn try_from(written: Written) -> Result<Self, PatternError> {
        let pattern = Self::new(written.pattern, written.decision)?;
        Ok(match written.tool {
            Some(tool) => pattern.for_tools(tool),
            None => pattern,
        })
    }
}

impl From<OwnPattern> for Written {
    fn from(own: OwnPattern) -> Self {
        Self {
            pattern: own.pattern().to_owned(),
            tool: own.tools,
            decision: own.decision,
        }
    }
}

impl PartialEq for OwnPattern {
    fn eq(&self, other: &Self) -> bool {
        (self.pattern(), &self.tools, self.decision) == (other.pattern(), &other.tools, other.decision)
    }
}

impl Eq for OwnPattern {}

impl fmt::Debug for OwnPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnPattern")
            .field("pattern", &self.pattern())
            .field("tools", &self.tools)
            .field("decision", &self.decision)
            .finish()
    }
}

/// A pattern of the operator's own cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the pattern `{}` {why}", .pattern.escape_debug())]
pub struct PatternError {
    pattern: String,
    why: String,
}

impl PatternError {
    /// The pattern, at most its first 200 characters.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// What is wrong with it.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_is_refused_on_one_line() {
        for (pattern, decision, why) in [
            ("(", Decision::Deny, "is no regular expression: unclosed group"),
            ("", Decision::Deny, "is empty"),
            ("x", Decision::Allow, "can deny or escalate"),
            (r"(?:\w{100}){100}", Decision::Deny, "compiles to more than 2 MiB"),
            (&"x".repeat(5000), Decision::Deny, "is longer than 4096 bytes"),
            (&"(".repeat(3000), Decision::Deny, "is no regular expression"),
            (
                &format!("{}x{}", "(".repeat(500), ")".repeat(500)),
                Decision::Deny,
                "is no regular expression",
            ),
            (r"(a)\1", Decision::Deny, "is no regular expression"),
        ] {
            let error = OwnPattern::new(pattern, decision).unwrap_err();
            assert!(error.why().starts_with(why), "{pattern:.20}: {error}");
            assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn a_pattern_is_read_back_as_it_was_written() {
        let own = OwnPattern::new("(?i)prod", Decision::Deny).unwrap().for_tools("sql*");
        let text = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<OwnPattern>(&text).unwrap(), own);
        assert!(serde_json::from_str::<OwnPattern>(r#"{"pattern":"(","decision":"deny"}"#).is_err());
        assert!(serde_json::from_str::<OwnPattern>(r#"{"pattern":"x","decision":"deny","tools":"x"}"#).is_err());
    }
}
