//! The screen: deterministic checks of a call's arguments, before any governor is asked.
//!
//! It parses shell, SQL, paths and URLs, resolves what would really run, and judges effects; it matches no words. It touches
//! no disk, no name service and no clock, so the same call under the same profile always gives the same answer. It is no
//! sandbox: `docs/screen.md` says what it does not see.

#[macro_use]
mod programs;

mod bulk;
mod cmd;
mod effect;
mod explain;
mod finding;
mod glob;
mod named;
mod names;
mod path;
mod pattern;
mod place;
mod profile;
mod rule;
mod secret;
mod settled;
mod shell;
mod signs;
mod sql;
mod tamper;
mod text;
mod url;
mod value;
mod words;
#[cfg(test)]
mod work;

use std::fmt;
use std::rc::Rc;

use serde_json::Value;

pub use explain::{Excerpt, Explained, ExplainedFinding, Explanation, Reading};
pub use finding::{Finding, Screened, Span};
pub use pattern::{OwnPattern, PatternError};
pub use profile::{BulkLimits, Level, Profile, ProfileError};
#[cfg(feature = "config")]
pub(crate) use profile::{check_host, check_rule};
pub use rule::{Effect, Rule, Severity};

use crate::call::{ArgKind, ArgumentMeta, ToolCall, ToolMeta};
use crate::verdict::{Decision, Verdict};
use names::Kinds;
use place::{Named, Places};
use settled::Settled;
use value::Pass;

/// A judge of a call that needs nothing but the call: no state, no I/O.
///
/// Your own are added with [`HarnessBuilder::screen`](crate::harness::HarnessBuilder::screen); the most restrictive verdict
/// of all counts. A screen sees true values: nothing of a redacted argument may enter its verdict's reasons.
///
/// # Examples
///
/// ```
/// use managed_agents::screen::Screen;
/// use managed_agents::{Reason, ToolCall, Verdict};
///
/// struct NoWeekends;
///
/// impl Screen for NoWeekends {
///     fn name(&self) -> &'static str {
///         "no-weekends"
///     }
///
///     fn check(&self, call: &ToolCall) -> Option<Verdict> {
///         let weekend = call.reveal_arguments().contains("Sunday");
///         weekend.then(|| Verdict::deny(Reason::new("weekend", "not on a Sunday")))
///     }
/// }
/// ```
pub trait Screen: Send + Sync + 'static {
    /// Its name, for reasons and logs.
    fn name(&self) -> &'static str;

    /// What it says of a call; none, when it has nothing to say.
    fn check(&self, call: &ToolCall) -> Option<Verdict>;
}

/// The screen that every harness has, if the feature `screen` is on.
///
/// # Examples
///
/// ```
/// use managed_agents::{Decision, screen::{Profile, StandardScreen}};
/// use serde_json::json;
/// let screen = StandardScreen::new(Profile::strict()).with_workspace_root("/srv/app");
/// let harmless = screen.check_value("bash", &json!({"command": "rm -rf /srv/app/target"}));
/// assert_eq!(harmless.decision(), Decision::Allow);
/// ```
#[derive(Clone, Default)]
pub struct StandardScreen {
    profile: Profile,
    places: Places,
}

impl StandardScreen {
    /// A screen under a profile.
    #[must_use]
    pub fn new(profile: Profile) -> Self {
        Self {
            places: Places::with_denied_hosts(profile.deny_hosts.clone()),
            profile,
        }
    }

    /// Names a directory that the agent works in, as an absolute path: what lies in it is the agent's own. Relative paths
    /// begin in the first one. The root of the file system is nobody's, and is passed over.
    #[must_use]
    pub fn with_workspace_root(mut self, root: impl AsRef<str>) -> Self {
        self.places.add_workspace(root.as_ref());
        self
    }

    /// Names a directory whose contents nobody misses, beside `/tmp` and its like: an absolute path, or one that begins with
    /// `~/`. What the system consists of, and a whole home, are passed over.
    #[must_use]
    pub fn with_scratch(mut self, directory: impl AsRef<str>) -> Self {
        self.places.add(directory.as_ref(), Named::Scratch);
        self
    }

    /// Names a file or directory on which governance rests, such as one with policies: changing it is tampering, and
    /// denied in every profile. A harness names its own configuration and policies by itself.
    #[must_use]
    pub fn with_protected_path(mut self, path: impl AsRef<str>) -> Self {
        self.places.add(path.as_ref(), Named::Protected);
        self
    }

    /// Names a file or directory on which governance rests and that an agent may not even read, such as a store or a key.
    #[must_use]
    pub fn with_secret_path(mut self, path: impl AsRef<str>) -> Self {
        self.places.add(path.as_ref(), Named::Secret);
        self
    }

    /// Whether a directory can be a scratch place.
    #[cfg(feature = "config")]
    pub(crate) fn can_be_scratch(directory: &str) -> bool {
        directory.starts_with(['/', '~']) && Places::default().add(directory, Named::Scratch)
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Judges a call by its declared kinds, and else by the names of the tool and its arguments.
    #[must_use]
    pub fn check(&self, call: &ToolCall) -> Screened {
        if self.has_nothing_to_read(call) {
            return Screened::clear();
        }
        self.check_fully(call, call.noted(Settled::of))
    }

    /// Whether all is settled before the call is read: no check can find anything in it.
    #[inline(always)]
    pub(crate) fn has_nothing_to_read(&self, call: &ToolCall) -> bool {
        self.profile.patterns.is_empty() && call.says_nothing(Settled::of)
    }

    fn check_fully(&self, call: &ToolCall, settled: Option<&Settled>) -> Screened {
        let Ok(arguments) = serde_json::from_str::<Value>(call.reveal_arguments()) else {
            return self.screened(vec![value::Hit::of(&rule::UNPARSED)], false);
        };
        let kinds = settled.map_or_else(|| Kinds::of_tool(call.tool()), |settled| settled.kinds.clone());
        let pass = self.pass((call.tool(), call.meta().arguments()), kinds, &arguments, false);
        self.screened(pass.hits, pass.understood)
    }

    /// Whether a call must be understood completely: an argument is declared to be a command or a query.
    #[expect(clippy::unused_self, reason = "a profile may come to say so")]
    pub(crate) fn must_understand(&self, call: &ToolCall) -> bool {
        let mut arguments = call.meta().arguments().iter();
        arguments.any(|argument| matches!(argument.kind, Some(ArgKind::Shell | ArgKind::Sql)))
    }

    /// Judges a call of a tool that is known by name alone.
    #[must_use]
    pub fn check_value(&self, tool: &str, arguments: &Value) -> Screened {
        let pass = self.pass((tool, &[]), Kinds::of_tool(tool), arguments, false);
        self.screened(pass.hits, pass.understood)
    }

    /// Says everything that the screen can say of a call of a tool that is known by name alone: for people at this machine,
    /// since it holds the true words of commands.
    #[must_use]
    pub fn explain(&self, tool: &str, arguments: &Value) -> Explanation {
        self.explain_as(&ToolMeta::new(tool.to_owned()), arguments)
    }

    /// The same of a call of a declared tool, by the kinds of its arguments.
    #[must_use]
    pub fn explain_as(&self, tool: &ToolMeta, arguments: &Value) -> Explanation {
        let mut pass = self.pass(
            (tool.name(), tool.arguments()),
            Kinds::of_tool(tool.name()),
            arguments,
            true,
        );
        let notes = pass.notes.take().unwrap_or_default();
        let found = self.found(pass.hits);
        Explanation {
            decision: found.first().map_or(Decision::Allow, |(finding, _)| finding.decision()),
            understood: pass.understood,
            profile: self.profile.clone(),
            workspace_roots: self.places.workspaces.clone(),
            readings: notes.readings,
            commands: notes.commands,
            findings: found
                .iter()
                .map(|(finding, text)| ExplainedFinding::new(finding, text.as_deref()))
                .collect(),
        }
    }

    fn pass<'s>(
        &'s self,
        (tool, declared): (&'s str, &[ArgumentMeta]),
        kinds: Kinds,
        arguments: &Value,
        explain: bool,
    ) -> Pass<'s> {
        let mut pass = Pass {
            screen: self,
            tool,
            kinds,
            hits: Vec::new(),
            understood: true,
            notes: explain.then(explain::Notes::default),
            reading: None,
        };
        pass.arguments(arguments, &|name| kind_of(declared, name));
        for (name, kind) in further_kinds(declared) {
            if let Some(value) = arguments.get(name) {
                pass.arguments(&serde_json::json!({ name: value }), &|_| Some(kind));
            }
        }
        pass
    }

    fn screened(&self, hits: Vec<value::Hit>, understood: bool) -> Screened {
        let findings: Vec<Finding> = self.found(hits).into_iter().map(|(finding, _)| finding).collect();
        Screened {
            decision: findings.first().map_or(Decision::Allow, Finding::decision),
            findings,
            understood,
        }
    }

    /// What was found, with the text that it was found in where somebody wants to see it; the most restrictive first.
    fn found(&self, hits: Vec<value::Hit>) -> Vec<(Finding, Option<Rc<str>>)> {
        let mut found: Vec<_> = hits
            .into_iter()
            .map(|hit| {
                let finding = Finding {
                    rule: hit.rule,
                    argument: hit.argument.map(String::into_boxed_str),
                    span: hit.span,
                    decision: self.profile.decision(hit.rule),
                    by: hit.by.map(String::into_boxed_str),
                };
                (finding, hit.text)
            })
            .collect();
        found.sort_by_key(|(finding, _)| std::cmp::Reverse((finding.decision, finding.severity())));
        found
    }
}

/// The declared kind of an argument.
fn kind_of(declared: &[ArgumentMeta], argument: &str) -> Option<ArgKind> {
    let mut declared = declared.iter();
    declared.find(|own| own.name == argument).and_then(|own| own.kind)
}

/// What arguments are to be read as beside their first kind: a configuration may add to what a function declares.
fn further_kinds(arguments: &[ArgumentMeta]) -> impl Iterator<Item = (&'static str, ArgKind)> {
    arguments.iter().enumerate().filter_map(|(place, argument)| {
        let mut before = arguments.iter().take(place);
        let further = before.any(|first| first.name == argument.name);
        Some((argument.name, argument.kind.filter(|_| further)?))
    })
}

impl Screen for StandardScreen {
    fn name(&self) -> &'static str {
        "standard"
    }

    fn check(&self, call: &ToolCall) -> Option<Verdict> {
        Self::check(self, call).into_verdict()
    }
}

impl fmt::Debug for StandardScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandardScreen")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
