//! What the screen understood, as data: the command line interface prints it.

use serde::Serialize;

use super::finding::{Finding, Span};
use super::names::Nature;
use super::profile::Profile;
use super::shell::data::{ALL, Field, SOME, UNKNOWN};
use crate::verdict::Decision;

/// How many readings and commands are kept.
const MOST: usize = 256;
/// How many characters of the text before and behind a span are shown, and of the span itself.
const BESIDE: usize = 40;
const WITHIN: usize = 160;

/// Everything the screen can say about one call. It holds the true words of commands: for people at this machine only.
///
/// # Examples
///
/// ```
/// use managed_agents::screen::StandardScreen;
/// use serde_json::json;
/// let explanation = StandardScreen::default().explain("bash", &json!({"command": "sudo sh -c 'rm -r /etc'"}));
/// assert!(explanation.commands.iter().any(|command| command.words == ["rm", "-r", "/etc"]));
/// let finding = &explanation.findings[0];
/// assert_eq!((finding.code, finding.effect), ("destroy_system", "destroy"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The most restrictive decision.
    pub decision: Decision,
    /// Whether everything was understood.
    pub understood: bool,
    /// What it was judged with.
    pub profile: Profile,
    /// Where the agent works.
    pub workspace_roots: Vec<String>,
    /// What each argument was read as.
    pub readings: Vec<Reading>,
    /// The commands that would run.
    pub commands: Vec<Explained>,
    /// What was found, whatever became of it; the most restrictive first.
    pub findings: Vec<ExplainedFinding>,
}

/// What an argument was read as.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// The top-level argument.
    pub argument: String,
    /// `shell`, `code`, `sql`, `path`, `url`, `free` (prose and documents: what stands in it is no action) or `plain`.
    pub read_as: &'static str,
}

/// A command as it would run.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explained {
    /// The top-level argument that it was found in.
    pub argument: String,
    /// The words after expansion; `…` stands for what is only known at run time.
    pub words: Vec<String>,
    /// How many commands led to it.
    pub depth: u32,
    /// Where in the argument it stands, as first and last byte.
    pub start: usize,
    /// The byte behind its end.
    pub end: usize,
}

/// One finding, with the text of its rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExplainedFinding {
    /// The rule's code.
    pub code: &'static str,
    /// What would happen, in a word.
    pub effect: &'static str,
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
    /// The text there, and some beside it.
    pub excerpt: Option<Excerpt>,
    /// Which pattern of the operator's own fitted.
    pub by: Option<String>,
    /// The sentence for the model.
    pub for_model: &'static str,
    /// The sentence for the operator.
    pub for_operator: &'static str,
}

/// A span of a text with what stands beside it. Control characters are in it as they were.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Excerpt {
    /// At most 40 characters before it; `…` where there are more.
    pub before: String,
    /// At most 160 characters of it, likewise.
    pub found: String,
    /// At most 40 characters behind it, likewise.
    pub after: String,
}

impl Explanation {
    /// Takes out the true words of arguments that are not to be shown.
    #[cfg(feature = "cli")]
    pub(crate) fn redact(&mut self, arguments: &[String]) {
        let hidden = |own: &str| arguments.iter().any(|argument| argument == own);
        for command in &mut self.commands {
            if hidden(&command.argument) {
                command.words = vec!["[redacted]".to_owned()];
            }
        }
        for finding in &mut self.findings {
            if finding.argument.as_deref().is_some_and(hidden) {
                finding.excerpt = None;
            }
        }
    }
}

/// What a pass through a call writes down for who asked for an explanation.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) readings: Vec<Reading>,
    pub(super) commands: Vec<Explained>,
}

impl Notes {
    pub(super) fn read(&mut self, argument: &str, nature: Nature) {
        let read_as = match nature {
            Nature::Shell => "shell",
            Nature::Code => "code",
            Nature::Sql => "sql",
            Nature::Path => "path",
            Nature::Url => "url",
            Nature::Free => "free",
            Nature::Plain => "plain",
        };
        let known = |own: &Reading| own.argument == argument && own.read_as == read_as;
        if self.readings.len() < MOST && !self.readings.iter().any(known) {
            self.readings.push(Reading {
                argument: argument.to_owned(),
                read_as,
            });
        }
    }

    pub(super) fn commands(&mut self, argument: &str, commands: Vec<Explained>) {
        let room = MOST.saturating_sub(self.commands.len());
        self.commands
            .extend(commands.into_iter().take(room).map(|command| Explained {
                argument: argument.to_owned(),
                ..command
            }));
    }
}

impl Explained {
    pub(super) fn new(argv: &[Field<'_>], span: Span, depth: u32) -> Self {
        Self {
            argument: String::new(),
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

impl ExplainedFinding {
    pub(super) fn new(finding: &Finding, text: Option<&str>) -> Self {
        let span = finding.span();
        Self {
            code: finding.code(),
            effect: finding.effect().word(),
            severity: finding.severity().to_string(),
            decision: finding.decision(),
            argument: finding.argument().map(str::to_owned),
            start: span.map(|span| span.start),
            end: span.map(|span| span.end),
            excerpt: text.and_then(|text| {
                let whole = Span::new(0, text.len());
                Excerpt::of(text, span.unwrap_or(whole))
            }),
            by: finding.by.as_deref().map(str::to_owned),
            for_model: finding.rule().for_model(),
            for_operator: finding.rule().for_operator(),
        }
    }
}

impl Excerpt {
    /// None where the span is none of the text's.
    fn of(text: &str, span: Span) -> Option<Self> {
        let found = text.get(span.start..span.end)?;
        let mut after = text.get(span.end..)?.chars();
        let mut before = text.get(..span.start)?.chars().rev();
        let mut beside: Vec<char> = before.by_ref().take(BESIDE).collect();
        if before.next().is_some() {
            beside.push('…');
        }
        Some(Self {
            before: beside.iter().rev().collect(),
            found: cut(&mut found.chars(), WITHIN),
            after: cut(&mut after, BESIDE),
        })
    }
}

fn cut(text: &mut impl Iterator<Item = char>, most: usize) -> String {
    let mut out: String = text.by_ref().take(most).collect();
    if text.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::screen::{OwnPattern, StandardScreen};

    #[test]
    fn a_finding_shows_the_text_where_it_stands() {
        let explained = StandardScreen::default().explain("bash", &json!({"command": "cd /x && rm -rf ~ # é"}));
        let finding = &explained.findings[0];
        let excerpt = finding.excerpt.as_ref().unwrap();
        assert!(
            excerpt.found.contains('~') || excerpt.found.contains("rm"),
            "{excerpt:?}"
        );
        let text = format!("{}{}{}", excerpt.before, excerpt.found, excerpt.after);
        assert_eq!(text, "cd /x && rm -rf ~ # é");
        assert_eq!(explained.readings[0].read_as, "shell");
    }

    #[test]
    fn what_was_found_in_a_list_shows_its_own_element() {
        let urls = json!({"urls": ["https://example.com", "http://127.0.0.1/x"]});
        let explained = StandardScreen::default().explain("fetch", &urls);
        let excerpt = explained.findings[0].excerpt.as_ref().unwrap();
        assert_eq!(excerpt.found, "http://127.0.0.1/x");
    }

    #[test]
    fn long_texts_are_cut_at_characters() {
        let text = "é".repeat(1000);
        let excerpt = Excerpt::of(&text, Span::new(400, 1000)).unwrap();
        assert_eq!(excerpt.before.chars().count(), BESIDE + 1);
        assert_eq!(excerpt.found.chars().count(), WITHIN + 1);
        assert!(excerpt.after.ends_with('…') && excerpt.before.starts_with('…'));
        assert_eq!(Excerpt::of(&text, Span::new(1, 3)), None);
        assert_eq!(Excerpt::of(&text, Span::new(3000, 3001)), None);
    }

    #[test]
    fn a_pattern_fits_what_runs_as_well_as_what_is_written() {
        let pattern = OwnPattern::new("^terraform apply", Decision::Deny).unwrap();
        let screen = StandardScreen::new(Profile::standard().with_pattern(pattern));
        for command in [
            "terraform apply",
            "sudo terraform  'apply'",
            "sh -c \"terra\"form\\ apply",
        ] {
            let explained = screen.explain("bash", &json!({ "command": command }));
            assert_eq!(explained.decision, Decision::Deny, "{command}");
            let finding = &explained.findings[0];
            assert_eq!(finding.by.as_deref(), Some("pattern `^terraform apply`"));
        }
        let echoed = screen.explain("bash", &json!({"command": "echo terraform apply"}));
        assert_eq!(echoed.decision, Decision::Allow);
    }
}
