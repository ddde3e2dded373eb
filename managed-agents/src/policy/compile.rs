//! Policies, made ready: parsed, checked, and cut into one slice for each tool.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Effect, EntityUid, Expression, Policy, PolicyId, PolicySet, PrincipalConstraint,
    ResourceConstraint, Schema, ValidationMode, Validator,
};
use miette::Diagnostic as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::error::{PolicyError, PolicyProblem};
use super::facts;
use super::kind::{self, Field};
use super::slice::Slice;
use super::source::{self, Source};
use super::walk::{Reads, wrong_direction};
use crate::call::{ArgKind, Digest, Judged, ToolMeta};

/// The most policies of a set.
const MOST_POLICIES: usize = 10_000;

/// The stack on which policies are read: their trees are deeper than other threads' stacks may be.
const STACK: usize = 64 * 1024 * 1024;

/// A tool, as policies know it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) input: BTreeMap<String, Field>,
    /// Whether nothing says what its arguments are.
    pub(super) opaque: bool,
}

impl Known {
    pub(super) fn of_schema(schema: &Value) -> Self {
        Self {
            input: kind::arguments(schema),
            opaque: false,
        }
    }

    /// What is known of a tool without a schema: the arguments whose text is declared to mean something.
    pub(super) fn of_meta(meta: &ToolMeta) -> Self {
        let declared = meta
            .arguments()
            .iter()
            .filter(|argument| argument.judged == Judged::Yes);
        let texts = declared.filter(|argument| {
            matches!(
                argument.kind,
                Some(ArgKind::Shell | ArgKind::Sql | ArgKind::Path | ArgKind::Url)
            )
        });
        let field = Field {
            kind: kind::Kind::Text,
            required: false,
        };
        Self {
            input: texts
                .map(|argument| (argument.name.to_owned(), field.clone()))
                .collect(),
            opaque: true,
        }
    }
}

/// What stands on a policy beside what Cedar evaluates.
#[derive(Debug)]
pub(super) struct About {
    pub(super) id: Arc<str>,
    /// Allowed once approved, or waivable by approval.
    pub(super) escalates: bool,
    pub(super) approvers: u8,
    pub(super) reason: Option<Arc<str>>,
    /// `file:line`
    pub(super) place: String,
    pub(super) permit: bool,
    /// The tools that its scope lists; none, where it is for all.
    tools: Option<BTreeSet<String>>,
    /// The agent that its scope names, where it names one.
    pub(super) agent: Option<Box<str>>,
    /// What must hold on a call of one of its tools, to be asked by itself; none where that cannot be said so.
    pub(super) condition: Option<Expression>,
    pub(super) reads: Reads,
}

/// A set of policies, ready to judge.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) digest: Digest,
    /// Of the texts alone, whatever tools are known: what an approver signs.
    pub(super) sources: Digest,
    pub(super) policies: usize,
    pub(super) warnings: Vec<PolicyProblem>,
    slices: HashMap<String, Arc<Slice>>,
    rest: Arc<Slice>,
}

impl Compiled {
    pub(super) fn slice(&self, tool: &str) -> &Arc<Slice> {
        self.slices.get(tool).unwrap_or(&self.rest)
    }

    pub(super) fn knows(&self, tool: &str) -> bool {
        self.slices.contains_key(tool)
    }
}

/// Reads and checks policies, on a thread of its own.
pub(super) fn compile(sources: Vec<Source>, tools: BTreeMap<String, Known>) -> Result<Compiled, PolicyError> {
    let file = sources.first().map(|source| source.file.clone()).unwrap_or_default();
    let failed = move |why: &str| PolicyError::from(PolicyProblem::new(&file, 0, why));
    let thread = std::thread::Builder::new()
        .name("managed-agents policies".to_owned())
        .stack_size(STACK)
        .spawn(move || compile_here(&sources, &tools));
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(compiled)) => compiled,
        Ok(Err(_)) => Err(failed("cannot be read: the parser failed")),
        Err(_) => Err(failed("cannot be read: no thread can be started")),
    }
}

fn compile_here(sources: &[Source], tools: &BTreeMap<String, Known>) -> Result<Compiled, PolicyError> {
    let mut problems = Vec::new();
    let mut all = Vec::new();
    let mut ids = BTreeSet::new();
    let mut count = 0;
    for (number, source) in sources.iter().enumerate() {
        // counted before they are read, which takes much longer
        let checked = source::check(source).map(|policies| count += policies);
        if count > MOST_POLICIES {
            let why = format!("with this file there are over {MOST_POLICIES} policies");
            problems.push(PolicyProblem::new(&source.file, 0, why));
            break;
        }
        match checked
            .map_err(|problem| vec![problem])
            .and_then(|()| parse(source, number))
        {
            Ok(policies) => {
                for (policy, about) in policies {
                    if !ids.insert(Arc::clone(&about.id)) {
                        problems.push(source.problem(start(&policy), format!("the id `{}` is there twice", about.id)));
                    }
                    all.push((policy, Arc::new(about)));
                }
            }
            Err(mut found) => problems.append(&mut found),
        }
    }
    if !problems.is_empty() {
        return Err(PolicyError::new(problems));
    }
    let warnings = validate(sources, &all, tools)?;
    Ok(cut(&all, tools, digest(sources, &all, tools), warnings))
}

fn start(policy: &Policy) -> usize {
    policy.as_ref().loc().map_or(0, |loc| loc.span.offset())
}

/// The policies of one file.
fn parse(source: &Source, number: usize) -> Result<Vec<(Policy, About)>, Vec<PolicyProblem>> {
    let set: PolicySet = source.text.parse().map_err(|errors: cedar_policy::ParseErrors| {
        let problems = errors.iter().map(|error| {
            let at = error
                .labels()
                .and_then(|mut labels| labels.next())
                .map_or(0, |label| label.offset());
            let expected = error
                .labels()
                .and_then(|mut labels| labels.next()?.label().map(str::to_owned));
            let message = said(error);
            source.problem(
                at,
                expected.map_or(message.clone(), |expected| format!("{message}: {expected}")),
            )
        });
        problems.collect::<Vec<_>>()
    })?;
    if let Some(template) = set.templates().next() {
        let at = template.as_ref().loc().map_or(0, |loc| loc.span.offset());
        return Err(vec![
            source.problem(at, "a template says nothing by itself: name principal and resource"),
        ]);
    }
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_key(|policy| start(policy));
    let mut problems = Vec::new();
    let mut read = Vec::with_capacity(policies.len());
    for (place, policy) in policies.into_iter().enumerate() {
        match about(source, policy, place) {
            Ok(about) => {
                // files and places, so that an error leads back to its file
                let policy = policy.new_id(PolicyId::new(format!("{number}.{place}")));
                read.push((policy, about));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// Message and advice on one line.
fn said(error: &dyn miette::Diagnostic) -> String {
    let mut message = error.to_string();
    if let Some(help) = error.help() {
        message.push_str(": ");
        message.push_str(&help.to_string());
    }
    // parts may be texts of the file
    message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect()
}

fn about(source: &Source, policy: &Policy, place: usize) -> Result<About, PolicyProblem> {
    let at = start(policy);
    let problem = |message: String| source.problem(at, message);
    let mut escalates = false;
    let mut approvers = 1;
    let (mut id, mut reason) = (None, None);
    for (key, value) in policy.annotations() {
        match key {
            "decision" if value == "escalate" => escalates = true,
            "decision" => {
                let value = value.escape_debug();
                return Err(problem(format!("@decision(\"{value}\") is none: there is `escalate`")));
            }
            "approvers" => {
                approvers = value
                    .parse()
                    .ok()
                    .filter(|count| (1..=9).contains(count))
                    .ok_or_else(|| problem("@approvers is a number from 1 to 9".to_owned()))?;
            }
            "reason" if value.len() <= 200 => reason = Some(value.into()),
            "id" if !value.is_empty() && value.len() <= 100 => id = Some(Arc::from(value)),
            "reason" | "id" => return Err(problem(format!("@{key} is too long, or empty"))),
            _ => {
                let key = key.escape_debug();
                return Err(problem(format!(
                    "unknown annotation @{key}: known are @id, @decision, @approvers, @reason"
                )));
            }
        }
    }
    if approvers > 1 && !escalates {
        return Err(problem(
            "@approvers stands only beside @decision(\"escalate\")".to_owned(),
        ));
    }
    let json = policy.to_json().map_err(|error| problem(error.to_string()))?;
    if let Some(why) = wrong_direction(&json, escalates) {
        return Err(problem(why.to_owned()));
    }
    let tool = |uid: &EntityUid| uid.id().unescaped().to_owned();
    let tools = match policy.action_constraint() {
        ActionConstraint::Any => None,
        ActionConstraint::Eq(uid) => Some(BTreeSet::from([tool(&uid)])),
        ActionConstraint::In(uids) => Some(uids.iter().map(tool).collect()),
    };
    let stem = source
        .file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("policy");
    Ok(About {
        id: id.unwrap_or_else(|| format!("{stem}.{}", place + 1).into()),
        escalates,
        approvers,
        reason,
        place: format!("{}:{}", source.file.display(), source.line(at)),
        permit: policy.effect() == Effect::Permit,
        tools,
        agent: match policy.principal_constraint() {
            PrincipalConstraint::Eq(uid) => Some(uid.id().unescaped().into()),
            _ => None,
        },
        condition: condition(policy),
        reads: Reads::of(&json),
    })
}

/// What must hold on a call of a policy's tools. Cedar makes it anew of scope and conditions each time it asks a policy, which takes
/// longer than to ask it.
fn condition(policy: &Policy) -> Option<Expression> {
    let ast = policy.as_ref();
    // a slice holds only policies about its tool, so that the action need not be asked again
    let any = matches!(policy.principal_constraint(), PrincipalConstraint::Any)
        && matches!(policy.resource_constraint(), ResourceConstraint::Any);
    let text = match ast.non_scope_constraints() {
        Some(condition) if any => condition.to_string(),
        None if any => "true".to_owned(),
        _ => ast.condition().to_string(),
    };
    text.parse().ok()
}

/// Checks every policy against what is known of the tools.
fn validate(
    sources: &[Source],
    all: &[(Policy, Arc<About>)],
    tools: &BTreeMap<String, Known>,
) -> Result<Vec<PolicyProblem>, PolicyError> {
    let first = sources.first().map(|source| source.file.clone()).unwrap_or_default();
    let failed = |message: String| PolicyError::from(PolicyProblem::new(&first, 0, message));
    let schema =
        Schema::from_json_value(schema(tools)).map_err(|error| failed(format!("the tools' types: {error}")))?;
    let set = PolicySet::from_policies(all.iter().map(|(policy, _)| policy.clone()))
        .map_err(|error| failed(error.to_string()))?;
    let result = Validator::new(schema).validate(&set, ValidationMode::Strict);
    let place = |id: &PolicyId, error: &dyn miette::Diagnostic| {
        let number = AsRef::<str>::as_ref(id)
            .split('.')
            .next()
            .and_then(|number| number.parse::<usize>().ok());
        let at = error
            .labels()
            .and_then(|mut labels| labels.next())
            .map(|label| label.offset());
        let policy = || {
            all.iter()
                .find(|(policy, _)| policy.id() == id)
                .map_or(0, |(policy, _)| start(policy))
        };
        let source = number.and_then(|number| sources.get(number));
        (source, at.unwrap_or_else(policy))
    };
    let mut problems: Vec<_> = result
        .validation_errors()
        .map(|error| {
            let (source, at) = place(error.policy_id(), error);
            // the id is not the one that a reader knows, and the place says more
            let id = format!("`{}`, ", error.policy_id());
            let mut message = said(error).replace("for policy ", "").replace(&id, "");
            let unknown = message.contains("context.input") || message.contains("`input`");
            let about = all.iter().find(|(policy, _)| policy.id() == error.policy_id());
            let opaque = about.and_then(|(_, about)| about.tools.as_ref()).and_then(|named| {
                named
                    .iter()
                    .find(|tool| tools.get(*tool).is_some_and(|known| known.opaque))
            });
            if let (true, Some(tool)) = (unknown, opaque) {
                message.push_str(&format!(
                    " (what `{tool}` takes is not known here: add its schema to a file `*.tools.json`)"
                ));
            }
            match source {
                Some(source) => source.problem(at, message),
                None => PolicyProblem::new(&first, 0, message),
            }
        })
        .collect();
    problems.sort_by(|one, other| (one.file(), one.line()).cmp(&(other.file(), other.line())));
    problems.dedup();
    if !problems.is_empty() {
        return Err(PolicyError::new(problems));
    }
    let warnings = result.validation_warnings().filter_map(|warning| {
        let (source, at) = place(warning.policy_id(), warning);
        let id = format!("`{}`, ", warning.policy_id());
        Some(source?.problem(at, said(warning).replace("for policy ", "").replace(&id, "")))
    });
    Ok(warnings.collect())
}

/// Agents, targets, and an action for each tool.
fn schema(tools: &BTreeMap<String, Known>) -> Value {
    let actions: Map<String, Value> = tools
        .iter()
        .map(|(name, known)| {
            let applies = json!({
                "principalTypes": ["Agent"],
                "resourceTypes": ["Target"],
                "context": facts::schema(&known.input),
            });
            (name.clone(), json!({ "appliesTo": applies }))
        })
        .collect();
    json!({"": {"entityTypes": {"Agent": {}, "Target": {}}, "actions": actions}})
}

/// The digest of texts, in their order.
pub(super) fn digest_of<'a>(texts: impl Iterator<Item = &'a str>) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"ma-policy-sources/1");
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    Digest::new(hash.finalize().into())
}

/// SHA-256 of what was read: the files' texts in their order, and the types of the tools that some policy is about. What else is
/// known of tools changes no verdict, so that it makes no other rules.
fn digest(sources: &[Source], all: &[(Policy, Arc<About>)], tools: &BTreeMap<String, Known>) -> Digest {
    let is_about = |tool: &str| {
        let mut named = all.iter().map(|(_, about)| about.tools.as_ref());
        named.any(|tools| tools.is_none_or(|tools| tools.contains(tool)))
    };
    let tools = tools.iter().filter(|(name, _)| is_about(name));
    let tools = tools.map(|(name, known)| (name.clone(), known.clone())).collect();
    let mut hash = Sha256::new();
    hash.update(b"ma-policies/1");
    for source in sources {
        hash.update((source.text.len() as u64).to_be_bytes());
        hash.update(source.text.as_bytes());
    }
    hash.update(sorted(&schema(&tools)));
    Digest::new(hash.finalize().into())
}

/// JSON with the keys of each object in order, whatever order its map keeps: that is for the whole program to say.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().collect();
            let members = members
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), sorted(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// One slice for each tool, and one for those that nobody knows.
fn cut(
    all: &[(Policy, Arc<About>)],
    tools: &BTreeMap<String, Known>,
    digest: Digest,
    warnings: Vec<PolicyProblem>,
) -> Compiled {
    let mut by_tool: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut unscoped = Vec::new();
    for (number, (_, about)) in all.iter().enumerate() {
        match &about.tools {
            None => unscoped.push(number),
            Some(named) => named
                .iter()
                .for_each(|tool| by_tool.entry(tool).or_default().push(number)),
        }
    }
    let slice = |tool: Option<&str>, known: Option<&Known>| {
        let own = tool.and_then(|tool| by_tool.get(tool)).into_iter().flatten();
        let policies: Vec<_> = unscoped
            .iter()
            .chain(own)
            .filter_map(|number| all.get(*number))
            .collect();
        let input = known.map(|known| known.input.clone()).unwrap_or_default();
        Slice::new(&policies, input, tool.and_then(action))
    };
    let mut slices: HashMap<_, _> = tools
        .iter()
        .map(|(name, known)| (name.clone(), slice(Some(name), Some(known))))
        .collect();
    let mut rest = slice(None, None);
    let read: BTreeSet<String> = slices
        .values()
        .chain([&rest])
        .filter(|slice| slice.reads.reads("history"))
        .flat_map(|slice| {
            let names = facts::history_names(&slice.input);
            names.filter(|name| slice.reads.reads_inner("history", name))
        })
        .collect();
    if !read.is_empty() {
        slices.iter_mut().for_each(|(tool, slice)| slice.count(tool, &read));
        rest.count("", &read);
    }
    let slices = slices
        .into_iter()
        .map(|(tool, slice)| (tool, Arc::new(slice)))
        .collect();
    let rest = Arc::new(rest);
    Compiled {
        digest,
        sources: Digest::ZERO,
        policies: all.len(),
        warnings,
        slices,
        rest,
    }
}

pub(super) fn action(tool: &str) -> Option<EntityUid> {
    let kind = "Action".parse().ok()?;
    Some(EntityUid::from_type_name_and_id(
        kind,
        cedar_policy::EntityId::new(tool),
    ))
}
