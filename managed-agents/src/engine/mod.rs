//! The embedded governor: no account, no server, no network.

mod assessed;
mod behaviour;
mod hexadecimal;
#[cfg(feature = "cedar")]
mod judged;

pub use behaviour::Behaviour;
#[cfg(feature = "cli")]
pub(crate) use behaviour::{
    ACKNOWLEDGED, BEHAVIOUR_DIFFERS, Bearing, Past, Profile, REBASELINED, REVIEWER_ACKNOWLEDGED, REVIEWER_ALARM,
    REVIEWER_REBASELINED, Reviewer, recompute,
};
#[cfg(feature = "cli")]
pub(crate) use judged::Inputs;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::answer::Answer;
use crate::assessment::Assessor;
use crate::audit::Watcher;
use crate::call::{Digest, Origin, Reversibility, Risk, ToolCall};
use crate::governor::{Governor, GovernorError, Judgement};
use crate::limit::{Limit, Limits};
#[cfg(feature = "cedar")]
use crate::policy::Policies;
use crate::verdict::{Decision, Reason, Verdict};

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
/// An agent whose [trust](crate::trust) is below a floor is escalated whatever it calls (`behaviour_trust`): see
/// [`Behaviour`].
///
/// With an [`Assessor`] (`Engine::assess`) calls are scored as well (`behaviour_confidence`).
///
/// With policies (`Engine::policies`, feature `cedar`), a tool that a permit names is judged by them alone in place of the lines
/// on risk, and every other tool by both; the more restrictive counts.
#[derive(Clone, Debug)]
pub struct Engine {
    scopes: BTreeMap<String, BTreeSet<String>>,
    limits: Limits,
    #[cfg(feature = "cedar")]
    policies: Option<Policies>,
    /// What agents do is not remembered where there is none.
    behaviour: Option<Behaviour>,
    /// Calls are not scored where there is none.
    assessor: Option<Assessor>,
    /// The digest of the scopes, once it is known.
    digest: OnceLock<Digest>,
    /// With the digest of the first policies in force, which are the only ones of most engines: those two, and both together.
    #[cfg(feature = "cedar")]
    combined: OnceLock<([Digest; 2], Digest)>,
    /// Names that nothing declares are judged like declared ones: for the command line, which knows no program.
    knows_every_name: bool,
}

impl Engine {
    /// An engine in which every agent may try every tool.
    #[must_use]
    pub fn new() -> Self {
        Self {
            scopes: BTreeMap::new(),
            limits: Limits::default(),
            #[cfg(feature = "cedar")]
            policies: None,
            behaviour: Some(Behaviour::new()),
            assessor: None,
            digest: OnceLock::new(),
            #[cfg(feature = "cedar")]
            combined: OnceLock::new(),
            knows_every_name: false,
        }
    }

    /// Judges by what is remembered here of agents' behaviour, in place of a memory of its own.
    #[must_use]
    pub fn behaviour(mut self, behaviour: &Behaviour) -> Self {
        self.behaviour = Some(behaviour.clone());
        self.digest = OnceLock::new();
        self
    }

    /// Scores each call as well, and escalates or denies what scores low: see [`assessment`](crate::assessment).
    #[must_use]
    pub fn assess(mut self, assessor: &Assessor) -> Self {
        self.assessor = Some(assessor.clone());
        self.digest = OnceLock::new();
        self
    }

    /// Judges each call as if it were the agent's first: no trust, no drift.
    #[must_use]
    pub fn without_behaviour(mut self) -> Self {
        self.behaviour = None;
        self.digest = OnceLock::new();
        self
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

    /// Limits how often, how many at once, how much or how large; what every other judge says counts as well.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.add(limit);
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

    /// The digest of scopes and limits, and of how behaviour is judged.
    fn scopes_digest(&self) -> Digest {
        *self.digest.get_or_init(|| {
            let mut hash = Sha256::new();
            hash.update(format!("{:?} {} {:?}", self.scopes, self.knows_every_name, self.limits));
            hash.update(self.behaviour.as_ref().map(Behaviour::rules).unwrap_or_default());
            hash.update(self.assessor.as_ref().map(Assessor::rules).unwrap_or_default());
            Digest::new(hash.finalize().into())
        })
    }

    #[inline]
    fn decide_at_once(&self, call: &Arc<ToolCall>) -> Judgement {
        #[cfg(feature = "cedar")]
        if let Some(policies) = &self.policies {
            return self.judge_with(policies, call);
        }
        let bearing = self.behaviour.as_ref().map(|behaviour| behaviour.bearing(call));
        let said = self.behaves(call, bearing.as_ref(), None);
        let rests = said.is_something();
        let (verdict, scores) = said.restricting(self.judge(call));
        if rests {
            self.resting_on(verdict, bearing, scores).into()
        } else {
            verdict.into()
        }
    }

    /// With the limits that the call is under: what it alone exceeds is judged here, and the rest is counted where it is recorded.
    fn limited(&self, judgement: Judgement, call: &ToolCall) -> Judgement {
        let (alone, counted) = self.limits.judge(call);
        let judgement = match alone {
            Some(verdict) => judgement.restricted_by(verdict),
            None => judgement,
        };
        match counted.filter(|_| judgement.verdict().decision() != Decision::Deny) {
            Some(counted) => judgement.counting(counted),
            None => judgement,
        }
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

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Governor for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        let judgement = self.decide_at_once(call);
        if self.limits.is_empty() {
            return Answer::ready(Ok(judgement));
        }
        Answer::ready(Ok(self.limited(judgement, call)))
    }

    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        self.behaviour.as_ref().map(Behaviour::watcher)
    }

    fn trust(&self, call: &ToolCall, at: SystemTime, fault: bool) -> Option<(u32, u32, u64)> {
        Some(self.behaviour.as_ref()?.noted(call, at, fault))
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

    #[cfg(feature = "cedar")]
    fn guard_sources(&self, guard: std::sync::Weak<dyn crate::governor::SourceGuard>) {
        if let Some(policies) = &self.policies {
            let scopes = self.scopes_digest();
            policies.guard(guard, move |policies| judged::rules_of(scopes, policies));
        }
    }
}
