//! What the screen understood, as data: the command line interface prints it.

use serde::Serialize;

use super::finding::{Finding, Span};
use super::shell::data::{ALL, Field, SOME, UNKNOWN};
use crate::verdict::Decision;

/// A command as it would run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// The words after expansion; `…` stands for what is only known at run time.
    pub words: Vec<String>,
    /// How many commands led to it.
    pub depth: u32,
    /// Where in the argument it stands, as first and last byte.
    pub start: usize,
    /// The byte behind its end.
    pub end: usize,
}

impl Explained {
    pub(super) fn new(argv: &[Field], span: Span, depth: u32) -> Self {
        Self {
            words: argv
                .iter()
                .take(64)
                .map(|field| {
                    let text: String = field.text.chars().take(200).collect();
                    text.replace([UNKNOWN, SOME, ALL], "…")
                })
                .collect(),
            depth,
            start: span.start,
            end: span.end,
        }
    }
}

/// One finding, with the text of its rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExplainedFinding {
    /// The rule's code.
    pub code: &'static str,
    /// How bad it would be: `low`, `medium`, `high` or `critical`.
    pub severity: String,
    /// What the profile makes of it.
    pub decision: Decision,
    /// The argument it was found in.
    pub argument: Option<String>,
    /// Where it begins in the argument's text.
    pub start: Option<usize>,
    /// Where it ends.
    pub end: Option<usize>,
    /// The sentence for the model.
    pub for_model: &'static str,
    /// The sentence for the operator.
    pub for_operator: &'static str,
}

/// Everything the screen can say about one call. It holds the true words of commands: for people at this machine only.
///
/// # Examples
///
/// ```
/// use managed_agents::screen::StandardScreen;
/// use serde_json::json;
/// let explanation = StandardScreen::default().explain("bash", &json!({"command": "sudo sh -c 'rm -r /etc'"}));
/// assert!(explanation.commands.iter().any(|command| command.words == ["rm", "-r", "/etc"]));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The most restrictive decision.
    pub decision: Decision,
    /// Whether everything was understood.
    pub understood: bool,
    /// The commands that would run.
    pub commands: Vec<Explained>,
    /// What was found, whatever became of it.
    pub findings: Vec<ExplainedFinding>,
}

impl ExplainedFinding {
    pub(super) fn new(finding: &Finding) -> Self {
        Self {
            code: finding.code(),
            severity: finding.severity().to_string(),
            decision: finding.decision(),
            argument: finding.argument().map(str::to_owned),
            start: finding.span().map(|span| span.start),
            end: finding.span().map(|span| span.end),
            for_model: finding.rule().for_model(),
            for_operator: finding.rule().for_operator(),
        }
    }
}
