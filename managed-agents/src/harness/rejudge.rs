//! Calls of the record, judged again by the embedded engine: no screen, no people, nothing recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder::BuildError;
use super::configured::{engine, policies_of};
use super::heads::Heads;
use crate::Engine;
use crate::call::{AgentId, Digest, Origin, Salt, ToolCall, ToolMeta};
use crate::config::Config;
use crate::engine::Bearing;
use crate::policy::{Facts, Policies, PoliciesBuilder};
use crate::verdict::Verdict;

/// The engine that a configuration describes, for the calls of any agent.
pub(crate) struct Rejudge {
    engine: Engine,
    policies: Option<Policies>,
    tools: Vec<ToolMeta>,
    config: Config,
    heads: BTreeMap<String, Heads>,
}

/// What the engine says of a call.
pub(crate) struct Rejudged {
    pub(crate) verdict: Verdict,
    /// The policies that decided.
    pub(crate) policies: Vec<Arc<str>>,
    /// The definition of the tool, as it is known here.
    pub(crate) definition: Digest,
}

impl Rejudge {
    /// By a configuration, what a program knows of its tools, and other policies than the configuration's, where they are
    /// given.
    pub(crate) fn new(
        config: &Config,
        tools: Vec<ToolMeta>,
        instead: Option<PoliciesBuilder>,
    ) -> Result<Self, BuildError> {
        config.supported()?;
        let mut without = config.clone();
        without.policies = None;
        let named = match instead {
            Some(policies) => {
                let known = config.tools.iter().chain(&tools);
                Some(known.fold(policies, PoliciesBuilder::meta))
            }
            None => policies_of(config, &tools),
        };
        let engine = engine(&without, [])?;
        let policies = named
            .map(PoliciesBuilder::load)
            .transpose()
            .map_err(crate::config::ConfigError::from)?;
        Ok(Self {
            engine: match &policies {
                Some(policies) => engine.policies(policies),
                None => engine,
            },
            policies,
            tools,
            config: without,
            heads: BTreeMap::new(),
        })
    }

    pub(crate) fn policies(&self) -> Option<&Policies> {
        self.policies.as_ref()
    }

    /// The digest of scopes and policies.
    pub(crate) fn rules(&self) -> Option<Digest> {
        crate::Governor::rules(&self.engine)
    }

    /// Judges a call; `arguments` are one JSON object in canonical form.
    pub(crate) fn judge(
        &mut self,
        agent: &AgentId,
        tool: &str,
        arguments: &str,
        facts: &Facts,
        bearing: Option<&Bearing>,
    ) -> Rejudged {
        const BETWEEN: &[u8] = br#"},"arguments":"#;
        let heads = self.heads.entry(agent.to_string()).or_insert_with(|| {
            // the calls of a program are those of its functions: what the configuration says of their names only tightens them
            let is_function = |meta: &ToolMeta| self.tools.iter().any(|tool| tool.name() == meta.name());
            let declared = self.config.tools.iter().filter(|meta| !is_function(meta));
            let declared = declared.map(|meta| (meta.clone(), Origin::Declared));
            let functions = self.tools.iter().map(|meta| (meta.clone(), Origin::Governed));
            let all = declared.chain(functions).collect();
            Heads::new(
                agent.clone(),
                "engine",
                std::collections::HashMap::new(),
                all,
                self.config.tools.clone(),
            )
        });
        let head = heads.of_name(tool);
        let definition = head.meta().definition();
        let tail = [BETWEEN, arguments.as_bytes(), b"}"].concat();
        let call = ToolCall::new(head, Salt::NONE, tail, BETWEEN.len(), None, None);
        let (verdict, policies) = self.engine.judge_again(&call, facts, bearing);
        Rejudged {
            verdict,
            policies,
            definition,
        }
    }

    /// The facts of a call that is made up: what they do not say is as at the beginning.
    pub(crate) fn completed(&self, tool: &str, arguments: &str, facts: Facts) -> Facts {
        match &self.policies {
            Some(policies) => policies.completed(tool, arguments, facts),
            None => facts,
        }
    }
}
