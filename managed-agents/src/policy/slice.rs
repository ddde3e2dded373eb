//! The policies that can matter to one tool, and among them those that can matter to one agent.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{EntityUid, Policy, PolicyId, PolicySet, PrincipalConstraint};

use super::compile::About;
use super::facts;
use super::kind::Field;
use super::walk::Reads;
use crate::limit::{Counter, Of};

/// How many agents' parts of one tool are kept.
const MOST_AGENTS: usize = 1_024;

/// The policies that can matter to one tool.
#[derive(Debug)]
pub(super) struct Slice {
    all: Sets,
    /// Whether any of them is about one agent by name.
    names_agents: bool,
    /// For each agent that was asked about, those that can be about it. Held for a look or an entry.
    by_agent: RwLock<HashMap<Box<str>, Arc<Sets>>>,
    /// Whether a permit names the tool: then what no permit allows is denied.
    pub(super) named: bool,
    pub(super) reads: Reads,
    pub(super) about: HashMap<PolicyId, Arc<About>>,
    pub(super) input: BTreeMap<String, Field>,
    pub(super) action: Option<EntityUid>,
    /// What a call counts: first what policies of this tool read, then what those of others do.
    counters: Vec<Counter>,
    read: usize,
}

/// Permits and forbids, which are asked one after the other.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) permits: Set,
    pub(super) forbids: Set,
}

/// The policies of one effect.
#[derive(Debug, Default)]
pub(super) struct Set {
    /// As Cedar asks them.
    pub(super) policies: PolicySet,
    /// The same, each to be asked by itself, by id.
    pub(super) each: Vec<Arc<About>>,
}

impl Sets {
    fn of(policies: &[&(Policy, Arc<About>)]) -> Self {
        let set = |permit| {
            let of_kind = policies.iter().filter(|(_, about)| about.permit == permit);
            let mut each: Vec<_> = of_kind.clone().map(|(_, about)| Arc::clone(about)).collect();
            each.sort_unstable_by(|one, other| one.id.cmp(&other.id));
            Set {
                // ids are unique
                policies: PolicySet::from_policies(of_kind.map(|(policy, _)| policy.clone())).unwrap_or_default(),
                each,
            }
        };
        Self {
            permits: set(true),
            forbids: set(false),
        }
    }

    /// Those that can be about an agent: a policy of which another is the principal never holds.
    fn about(&self, agent: &str) -> Self {
        let of_agent = |set: &Set| {
            let policies = set
                .policies
                .policies()
                .filter(|policy| match policy.principal_constraint() {
                    PrincipalConstraint::Eq(uid) => uid.id().unescaped() == agent,
                    _ => true,
                });
            let each = set.each.iter();
            let each = each.filter(|about| about.agent.as_deref().is_none_or(|named| named == agent));
            Set {
                policies: PolicySet::from_policies(policies.cloned()).unwrap_or_default(),
                each: each.map(Arc::clone).collect(),
            }
        };
        Self {
            permits: of_agent(&self.permits),
            forbids: of_agent(&self.forbids),
        }
    }
}

impl Slice {
    pub(super) fn new(
        policies: &[&(Policy, Arc<About>)],
        input: BTreeMap<String, Field>,
        action: Option<EntityUid>,
    ) -> Self {
        let mut reads = Reads::default();
        policies.iter().for_each(|(_, about)| reads.add(&about.reads));
        Self {
            all: Sets::of(policies),
            names_agents: policies
                .iter()
                .any(|(policy, _)| matches!(policy.principal_constraint(), PrincipalConstraint::Eq(_))),
            by_agent: RwLock::default(),
            named: policies.iter().any(|(_, about)| about.permit),
            reads,
            about: policies
                .iter()
                .map(|(policy, about)| (policy.id().clone(), Arc::clone(about)))
                .collect(),
            input,
            action,
            counters: Vec::new(),
            read: 0,
        }
    }

    /// What can be about an agent.
    pub(super) fn with_sets<T>(&self, agent: &str, ask: impl FnOnce(&Sets) -> T) -> T {
        if !self.names_agents {
            return ask(&self.all);
        }
        // replaced as a whole, so never half changed
        let known = self
            .by_agent
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(agent)
            .cloned();
        let sets = known.unwrap_or_else(|| {
            let sets = Arc::new(self.all.about(agent));
            let mut by_agent = self.by_agent.write().unwrap_or_else(PoisonError::into_inner);
            if by_agent.len() >= MOST_AGENTS {
                by_agent.clear();
            }
            by_agent.insert(agent.into(), Arc::clone(&sets));
            sets
        });
        ask(&sets)
    }

    /// The counters that policies of this tool read; or those that only policies of others do.
    pub(super) fn counters(&self, reads: bool) -> &[Counter] {
        let (read, others) = self.counters.split_at_checked(self.read).unwrap_or_default();
        if reads { read } else { others }
    }

    /// Sets what a call counts, given the names that any tool's policies read.
    pub(super) fn count(&mut self, tool: &str, all: &BTreeSet<String>) {
        let names: Vec<_> = facts::history_names(&self.input).collect();
        let (read, rest): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|name| self.reads.reads_inner("history", name));
        let counters = |names: Vec<String>| names.into_iter().filter_map(|name| Counter::named(&name, tool));
        self.counters = counters(read).collect();
        self.read = self.counters.len();
        let others = counters(rest)
            .filter(|counter| matches!(counter.of, Of::AgentCalls | Of::SessionCalls) && all.contains(&*counter.name));
        self.counters.extend(others);
    }
}
