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
mod names;
mod path;
mod place;
mod profile;
mod rule;
mod secret;
mod shell;
mod sql;
mod tamper;
mod text;
mod url;
mod value;
#[cfg(test)]
mod work;

use std::fmt;

use serde_json::Value;

pub use explain::{Explained, ExplainedFinding, Explanation};
pub use finding::{Finding, Screened, Span};
pub use profile::{BulkLimits, Level, OwnPattern, Profile};
pub use rule::{Effect, Rule, Severity};

use crate::call::{ArgKind, ToolCall};
use crate::verdict::{Decision, Verdict};
use names::Kinds;
use place::Places;
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
            profile,
            places: Places::default(),
        }
    }

    /// Names a directory that the agent works in: what lies in it is the agent's own. Relative paths begin in the first one.
    #[must_use]
    pub fn with_workspace_root(mut self, root: impl Into<String>) -> Self {
        let root: String = root.into();
        let root = self.places.normal(&root, "");
        // the root of the file system is nobody's workspace
        if root.len() > 1 && root.starts_with('/') {
            self.places.workspaces.push(root);
        }
        self
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Judges a call by its declared kinds, and else by the names of the tool and its arguments.
    #[must_use]
    pub fn check(&self, call: &ToolCall) -> Screened {
        let Ok(arguments) = serde_json::from_str::<Value>(call.reveal_arguments()) else {
            return self.screened(
                vec![value::Hit {
                    rule: &rule::UNPARSED,
                    argument: None,
                    span: None,
                    by: None,
                }],
                false,
            );
        };
        let meta = call.meta();
        let kind = |name: &str| {
            meta.arguments()
                .iter()
                .find(|argument| argument.name == name)
                .and_then(|argument| argument.kind)
        };
        let pass = self.pass(call.tool(), &arguments, &kind, false);
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
        let pass = self.pass(tool, arguments, &|_| None, false);
        self.screened(pass.hits, pass.understood)
    }

    /// Says everything that the screen can say of a call of a tool that is known by name alone: for people at this machine,
    /// since it holds the true words of commands.
    #[must_use]
    pub fn explain(&self, tool: &str, arguments: &Value) -> Explanation {
        let mut pass = self.pass(tool, arguments, &|_| None, true);
        let commands = pass.explained.take().unwrap_or_default();
        let screened = self.screened(pass.hits, pass.understood);
        Explanation {
            decision: screened.decision,
            understood: screened.understood,
            commands,
            findings: screened.findings.iter().map(ExplainedFinding::new).collect(),
        }
    }

    fn pass<'s>(
        &'s self,
        tool: &'s str,
        arguments: &Value,
        kind: &dyn Fn(&str) -> Option<ArgKind>,
        explain: bool,
    ) -> Pass<'s> {
        let mut pass = Pass {
            screen: self,
            tool,
            kinds: Kinds::of_tool(tool),
            hits: Vec::new(),
            understood: true,
            explained: explain.then(Vec::new),
        };
        pass.arguments(arguments, kind);
        pass
    }

    fn screened(&self, hits: Vec<value::Hit>, understood: bool) -> Screened {
        let mut findings: Vec<Finding> = hits
            .into_iter()
            .map(|hit| Finding {
                rule: hit.rule,
                argument: hit.argument.map(String::into_boxed_str),
                span: hit.span,
                decision: self.profile.decision(hit.rule),
                by: hit.by.map(String::into_boxed_str),
            })
            .collect();
        findings.sort_by_key(|finding| std::cmp::Reverse((finding.decision, finding.severity())));
        Screened {
            decision: findings.first().map_or(Decision::Allow, Finding::decision),
            findings,
            understood,
        }
    }
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
