//! The embedded governor: no account, no server, no network.

#[cfg(feature = "cedar")]
mod judged;

#[cfg(feature = "cli")]
pub(crate) use judged::Inputs;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use crate::answer::Answer;
use crate::call::{Digest, Origin, Reversibility, Risk, ToolCall};
use crate::governor::{Governor, GovernorError, Judgement};
#[cfg(feature = "cedar")]
use crate::policy::Policies;
use crate::verdict::{Reason, Verdict};

/// The embedded governor: judges by scope and by what each tool declares of itself.
///
/// The first line that fits decides:
///
/// | a call | verdict | code |
/// |---|---|---|
/// | of a tool outside the agent's scope | deny | `out_of_scope` |
/// | by a name that nothing declares | escalate | `undeclared_name` |
/// | of a tool of high or critical risk, reading ones too | escalate | `risk_high`, `risk_critical` |
/// | of an irreversible tool | escalate | `irreversible` |
/// | of any other tool: low or medium risk, or nothing declared | allow | |
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{Engine, Harness, Risk, ToolMeta};
/// let harness = Harness::builder()
///     .in_memory()
///     .agent_id("support-bot")
///     .governor(Engine::new().scope("support-bot", ["lookup"]))
///     .declare(ToolMeta::new("lookup").with_risk(Risk::Low))
///     .declare(ToolMeta::new("refund").with_risk(Risk::Low))
///     .build()
///     .await?;
/// harness.govern("lookup", "{}").await?.finish(managed_agents::Outcome::Ok);
/// let denied = harness.govern("refund", "{}").await.unwrap_err();
/// assert_eq!(denied.code(), "out_of_scope");
/// # Ok(()) }
/// ```
///
/// With policies (`Engine::policies`, feature `cedar`), a tool that a permit names is judged by them alone in place of the lines
/// on risk, and every other tool by both; the more restrictive counts.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    scopes: BTreeMap<String, BTreeSet<String>>,
    #[cfg(feature = "cedar")]
    policies: Option<Policies>,
    /// The digest of the scopes, once it is known.
    digest: OnceLock<Digest>,
    /// Names that nothing declares are judged like declared ones: for the command line, which knows no program.
    knows_every_name: bool,
}

impl Engine {
    /// An engine in which every agent may try every tool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits an agent to some tools, by name. Once one agent has a scope, an agent without one may use nothing; an empty
    /// scope is nothing, too.
    #[must_use]
    pub fn scope<T: Into<String>>(mut self, agent: impl Into<String>, tools: impl IntoIterator<Item = T>) -> Self {
        let tools = tools.into_iter().map(Into::into);
        self.scopes.entry(agent.into()).or_default().extend(tools);
        self.digest = OnceLock::new();
        self
    }

    /// Judges by policies as well. They may be replaced while they are in use.
    #[cfg(feature = "cedar")]
    #[must_use]
    pub fn policies(mut self, policies: &Policies) -> Self {
        self.policies = Some(policies.clone());
        self
    }

    #[cfg(feature = "cli")]
    pub(crate) fn knowing_every_name(mut self) -> Self {
        self.knows_every_name = true;
        self
    }

    /// The digest of the scopes.
    fn scopes_digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            let mut hash = Sha256::new();
            hash.update(format!("{:?} {}", self.scopes, self.knows_every_name));
            Digest::new(hash.finalize().into())
        })
    }

    fn judge(&self, call: &ToolCall) -> Verdict {
        self.out_of_scope(call).unwrap_or_else(|| self.by_risk(call))
    }

    fn out_of_scope(&self, call: &ToolCall) -> Option<Verdict> {
        if !self.in_scope(call) {
            return Some(Verdict::deny(
                Reason::new("out_of_scope", "this agent is not allowed to use this tool").with_detail(format!(
                    "agent `{}` has no `{}` in its scope",
                    call.agent(),
                    call.tool().escape_debug()
                )),
            ));
        }
        None
    }

    fn by_risk(&self, call: &ToolCall) -> Verdict {
        let meta = call.meta();
        let grave: Option<(&'static str, Cow<'static, str>)> =
            if call.origin() == Origin::Unknown && !self.knows_every_name {
                Some(("undeclared_name", "a tool that nobody declared".into()))
            } else if meta.risk() >= Risk::High {
                let code = if meta.risk() == Risk::Critical {
                    "risk_critical"
                } else {
                    "risk_high"
                };
                Some((code, format!("a tool of {} risk", meta.risk()).into()))
            } else if meta.reversibility() == Reversibility::Irreversible {
                Some(("irreversible", "a tool whose effect cannot be undone".into()))
            } else {
                None
            };
        match grave {
            Some((code, what)) => Verdict::escalate(
                Reason::new(code, format!("this is {what}, so a person must approve it"))
                    .with_detail(format!("`{}` is {what}", call.tool().escape_debug())),
            ),
            None => Verdict::allow(),
        }
    }

    fn in_scope(&self, call: &ToolCall) -> bool {
        self.scopes.is_empty()
            || self
                .scopes
                .get(call.agent().as_str())
                .is_some_and(|tools| tools.contains(call.tool()))
    }
}

impl Governor for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        #[cfg(feature = "cedar")]
        if let Some(policies) = &self.policies {
            return Answer::ready(Ok(self.judge_with(policies, call)));
        }
        Answer::ready(Ok(self.judge(call).into()))
    }

    fn rules(&self) -> Option<Digest> {
        #[cfg(feature = "cedar")]
        if let Some(policies) = &self.policies {
            return Some(self.rules_with(policies.digest()));
        }
        Some(self.scopes_digest())
    }

    #[cfg(feature = "cedar")]
    fn sources(&self) -> Option<Digest> {
        self.policies.as_ref().map(Policies::source_digest)
    }
}
