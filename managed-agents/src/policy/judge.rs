//! One call, judged by the policies of its tool.

use std::sync::Arc;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, EvalResult};
use cedar_policy::{PolicyId, PolicySet, Request, RestrictedExpression, eval_expression};
use serde_json::Value;

use super::compile::{About, Compiled, action};
use super::facts::{self, Facts};
use super::kind;
use super::slice::{Set, Slice};
use crate::call::{Origin, ToolCall, ToolMeta};
use crate::verdict::{Reason, Verdict};

/// What policies say of a call.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// None where no policy is about it: what the tool declares decides, alone.
    pub(crate) verdict: Option<Verdict>,
    /// Whether a permit names the tool, so that what it declares does not decide.
    pub(crate) named: bool,
    /// The policies that decided, by id.
    pub(crate) policies: Vec<Arc<str>>,
}

impl Said {
    /// Whether this is the same verdict, for the same reasons.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let said = |verdict: &Option<Verdict>| verdict.as_ref().map(Verdict::decision);
        let reasons = |verdict: &Option<Verdict>| verdict.as_ref().map_or(&[][..], Verdict::reasons).to_vec();
        (self.named, &self.policies, said(&self.verdict)) == (other.named, &other.policies, said(&other.verdict))
            && reasons(&self.verdict) == reasons(&other.verdict)
    }
}

/// A call, as policies see it.
pub(super) struct Subject<'a> {
    pub(super) agent: &'a str,
    pub(super) tool: &'a ToolMeta,
    pub(super) origin: Origin,
    pub(super) arguments: &'a str,
}

impl<'a> Subject<'a> {
    pub(super) fn of(call: &'a ToolCall) -> Self {
        Self {
            agent: call.agent().as_str(),
            tool: call.meta(),
            origin: call.origin(),
            arguments: call.reveal_arguments(),
        }
    }
}

thread_local! {
    static AUTHORIZER: Authorizer = Authorizer::new();
    static NAMES: Option<(EntityTypeName, EntityTypeName)> =
        "Agent".parse().ok().zip("Target".parse().ok());
    static NOTHING: Entities = Entities::empty();
}

pub(super) fn judge(compiled: &Compiled, subject: &Subject<'_>, facts: &Facts) -> Said {
    let slice = compiled.slice(subject.tool.name());
    if slice.about.is_empty() {
        return Said {
            verdict: None,
            named: false,
            policies: Vec::new(),
        };
    }
    // a name that nobody knows is named by no policy
    let named = slice.named && compiled.knows(subject.tool.name());
    let request = match request(slice, subject, facts) {
        Ok(request) => request,
        Err(reason) => {
            return Said {
                verdict: Some(Verdict::deny(reason)),
                named,
                policies: Vec::new(),
            };
        }
    };
    let (forbids, permits) = slice.with_sets(subject.agent, |sets| {
        (
            satisfied(slice, &sets.forbids, &request, Decision::Deny),
            satisfied(slice, &sets.permits, &request, Decision::Allow),
        )
    });
    let ((forbidden, forbid_error), (permitted, permit_error)) = (forbids, permits);
    let mut verdict = forbid_error.or(permit_error);
    let mut policies = Vec::new();
    let add = |verdict: &mut Option<Verdict>, next: Verdict| {
        *verdict = Some(match verdict.take() {
            Some(so_far) => so_far.restricted_by(next),
            None => next,
        });
    };
    for about in &forbidden {
        policies.push(Arc::clone(&about.id));
        let next = if about.escalates {
            Verdict::escalate(reason("policy_escalates", about, "a person must approve this call"))
        } else {
            Verdict::deny(reason("policy_forbids", about, "a policy forbids this call"))
        };
        add(&mut verdict, next);
    }
    if named {
        for about in &permitted {
            policies.push(Arc::clone(&about.id));
            if about.escalates {
                let why = "a policy allows this call once a person has approved it";
                add(&mut verdict, Verdict::escalate(reason("policy_escalates", about, why)));
            }
        }
        if permitted.is_empty() {
            let tool = subject.tool.name().escape_debug();
            add(
                &mut verdict,
                Verdict::deny(
                    Reason::new("policy_no_permit", "no policy permits this call")
                        .with_detail(format!("policies name `{tool}`, and none of them permits this call")),
                ),
            );
        }
    }
    Said {
        verdict,
        named,
        policies,
    }
}

fn reason(code: &'static str, about: &About, otherwise: &'static str) -> Reason {
    let for_model = match &about.reason {
        Some(reason) => reason.to_string(),
        None => otherwise.to_owned(),
    };
    Reason::new(code, for_model)
        .with_detail(format!(
            "policy `{}` ({})",
            about.id.escape_debug(),
            about.place.escape_debug()
        ))
        .with_approvers(about.approvers)
}

/// The policies of a set that hold, by id; and a denial, where one of them could not be evaluated: Cedar would skip it.
fn satisfied(slice: &Slice, set: &Set, request: &Request, when: Decision) -> (Vec<Arc<About>>, Option<Verdict>) {
    match each(set, request) {
        Some(held) => (held, None),
        None => authorized(slice, &set.policies, request, when),
    }
}

/// The policies that hold, where each of them says whether it does. Where one fails, Cedar's authorizer is asked for all of them:
/// what it says counts.
fn each(set: &Set, request: &Request) -> Option<Vec<Arc<About>>> {
    let mut held = Vec::new();
    NOTHING.with(|nothing| {
        for about in &set.each {
            match eval_expression(request, nothing, about.condition.as_ref()?) {
                Ok(EvalResult::Bool(true)) => held.push(Arc::clone(about)),
                Ok(EvalResult::Bool(false)) => {}
                _ => return None,
            }
        }
        Some(held)
    })
}

/// The same, as Cedar's authorizer says.
fn authorized(slice: &Slice, set: &PolicySet, request: &Request, when: Decision) -> (Vec<Arc<About>>, Option<Verdict>) {
    let response =
        AUTHORIZER.with(|authorizer| NOTHING.with(|nothing| authorizer.is_authorized(request, set, nothing)));
    let about = |id: &PolicyId| slice.about.get(id);
    let failed = response.diagnostics().errors().next().map(|error| {
        // the error itself may hold values of arguments
        let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
        let id = about(error.policy_id()).map_or_else(String::new, |about| about.id.escape_debug().to_string());
        Verdict::deny(
            Reason::new("policy_error", "a policy could not be evaluated; the call was not run").with_detail(format!(
                "policy `{id}` failed on this call: a missing attribute (test it with `has`), an overflow, or too deep"
            )),
        )
    });
    if response.decision() != when {
        return (Vec::new(), failed);
    }
    let mut held: Vec<_> = response
        .diagnostics()
        .reason()
        .filter_map(about)
        .map(Arc::clone)
        .collect();
    held.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    (held, failed)
}

fn request(slice: &Slice, subject: &Subject<'_>, facts: &Facts) -> Result<Request, Reason> {
    let unready = |detail: String| {
        Reason::new(
            "policy_input",
            "the arguments do not fit what policies know of this tool; the call was not run",
        )
        .with_detail(detail)
    };
    let names = NAMES.with(Clone::clone).ok_or_else(|| unready("no names".to_owned()))?;
    let mut context: Vec<(String, RestrictedExpression)> = Vec::with_capacity(8);
    let reads = &slice.reads;
    if reads.reads("input") || reads.reads("input_lossy") {
        let mut lossy = false;
        let arguments: Value = serde_json::from_str(subject.arguments).unwrap_or_default();
        let empty = serde_json::Map::new();
        let arguments = arguments.as_object().unwrap_or(&empty);
        let all = reads.reads("input_lossy");
        let input = kind::record_of(&slice.input, arguments, &mut lossy, |name| {
            all || reads.reads_inner("input", name)
        })
        .map_err(|_| unready("an argument that a policy reads is not of its declared type".to_owned()))?;
        context.push(("input".to_owned(), input));
        context.push(("input_lossy".to_owned(), RestrictedExpression::new_bool(lossy)));
    }
    facts::context(facts, reads, subject.agent, subject.tool, subject.origin, &mut context);
    let context = Context::from_pairs(context).map_err(|_| unready("the context cannot be made".to_owned()))?;
    let action = match &slice.action {
        Some(action) => action.clone(),
        None => action(subject.tool.name()).ok_or_else(|| unready("the tool has no name".to_owned()))?,
    };
    let target = facts.target.as_deref().unwrap_or_else(|| subject.tool.name());
    let principal = EntityUid::from_type_name_and_id(names.0, EntityId::new(subject.agent));
    let resource = EntityUid::from_type_name_and_id(names.1, EntityId::new(target));
    Request::new(principal, action, resource, context, None)
        .map_err(|_| unready("the request cannot be made".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::compile::{Known, compile};
    use super::super::source::Source;
    use super::*;

    /// Scopes, and conditions of every kind; some of them fail on some calls.
    const SCOPES: [&str; 7] = [
        "principal, action, resource",
        "principal, action == Action::\"pay\", resource",
        "principal, action in [Action::\"look\", Action::\"pay\"], resource",
        "principal == Agent::\"a\", action, resource",
        "principal == Agent::\"b\", action == Action::\"pay\", resource",
        "principal, action == Action::\"pay\", resource == Target::\"t\"",
        "principal is Agent, action, resource is Target",
    ];
    const CONDITIONS: [&str; 12] = [
        "",
        "when { context.input has amount && context.input.amount == 3 }",
        "when { context.input has amount && context.input.amount * 9000000000000000000 > 5 }",
        "unless { context.input has amount && context.input.amount < 2 }",
        "when { context.input has to && context.input.to like \"*\\\"é\\n\\*\" }",
        "when { context.input has to && [\"x\", \"y\\\\\"].contains(context.input.to) }",
        "when { context.input has rate && context.input.rate.greaterThan(decimal(\"0.5\")) }",
        "when { context.target == \"t\" } unless { context.agent.id == \"b\" }",
        "when { if context.input has to then context.input.to != \"\" else false }",
        "when { context.input has amount && !(-context.input.amount <= 0) }",
        "when { {a: {\"b c\": 1}}.a[\"b c\"] == 1 && principal == Agent::\"a\" }",
        "when { resource in [Target::\"t\", Target::\"u\\\"\"] }",
    ];

    fn compile_error(policies: &[(bool, usize, usize)]) -> Option<String> {
        compiled(policies).err().map(|error| error.to_string())
    }

    fn compiled(policies: &[(bool, usize, usize)]) -> Result<Compiled, crate::policy::PolicyError> {
        let text: String = policies
            .iter()
            .map(|(permit, scope, condition)| {
                let effect = if *permit { "permit" } else { "forbid" };
                format!("{effect}({}) {};\n", SCOPES[*scope], CONDITIONS[*condition])
            })
            .collect();
        let schema = serde_json::json!({"type": "object", "properties": {
            "amount": {"type": "integer"}, "to": {"type": "string"}, "rate": {"type": "number"}}});
        let tools = BTreeMap::from(["look", "pay"].map(|tool| (tool.to_owned(), Known::of_schema(&schema))));
        let file = "a.cedar".into();
        compile(vec![Source { file, text }], tools)
    }

    #[test]
    fn what_is_compared_below_passes_the_validator() {
        for (scope, scope_text) in SCOPES.iter().enumerate() {
            for (condition, condition_text) in CONDITIONS.iter().enumerate() {
                let refused = compile_error(&[(true, scope, condition)]);
                assert_eq!(refused, None, "{scope_text} {condition_text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn each_policy_by_itself_holds_where_the_authorizer_says_that_it_does(
            policies in prop::collection::vec((any::<bool>(), 0..SCOPES.len(), 0..CONDITIONS.len()), 1..8),
            agent in prop::sample::select(vec!["a", "b", "c"]),
            tool in prop::sample::select(vec!["look", "pay"]),
            target in prop::sample::select(vec!["t", "u\"", "v"]),
            arguments in prop::sample::select(vec![
                "{}", r#"{"amount":3}"#, r#"{"amount":1,"to":"y\\"}"#, r#"{"rate":0.75,"to":"\"é\n*"}"#, r#"{"to":""}"#,
            ]),
        ) {
            let compiled = compiled(&policies).unwrap();
            let meta = ToolMeta::new(tool);
            let subject = Subject { agent, tool: &meta, origin: Origin::Declared, arguments };
            let facts = Facts { target: Some(target.to_owned()), ..Facts::default() };
            let slice = compiled.slice(tool);
            prop_assert!(slice.about.values().all(|about| about.condition.is_some()));
            let request = request(slice, &subject, &facts).unwrap();
            slice.with_sets(agent, |sets| {
                for (set, when) in [(&sets.forbids, Decision::Deny), (&sets.permits, Decision::Allow)] {
                    let (all, failed) = authorized(slice, &set.policies, &request, when);
                    let ids = |held: &[Arc<About>]| held.iter().map(|about| Arc::clone(&about.id)).collect::<Vec<_>>();
                    match each(set, &request) {
                        Some(held) => prop_assert!(failed.is_none() && ids(&held) == ids(&all), "{:?} {:?}", held, all),
                        None => prop_assert!(failed.is_some()),
                    }
                }
                Ok(())
            })?;
        }
    }
}
