//! What a configuration file and the environment add to a builder: code stands before the environment, and that before
//! the file.

use std::path::Path;
#[cfg(any(feature = "engine", feature = "remote"))]
use std::sync::Arc;

use super::{BuildError, Harness, HarnessBuilder};
use crate::call::Origin;
use crate::config::{Config, ConfigError, Environment};

/// What was read for a builder, before it is laid under what code says.
#[derive(Default)]
pub(super) struct Configured {
    file: Option<Result<Config, ConfigError>>,
    environment: Option<Result<Environment, ConfigError>>,
}

impl Harness {
    /// The harness that the surroundings describe: `./managed-agents.toml`, else the one in `$MANAGED_AGENTS_HOME`, where
    /// there is one, and the variables `MANAGED_AGENTS_ENDPOINT`, `_API_KEY`, `_AGENT_ID` and `_PLATFORM`, which stand
    /// before the file. The environment never makes a verdict more permissive by itself: it says where and who.
    ///
    /// # Errors
    ///
    /// [`BuildError`] names what is missing or wrong.
    pub async fn from_env() -> Result<Self, BuildError> {
        Self::builder().config_from_env().build().await
    }
}

impl HarnessBuilder {
    /// Reads a [`managed-agents.toml`](crate::config). What code says stands before it, wherever it is said. What is wrong
    /// with the file is told by [`build`](Self::build). Of the environment only `MANAGED_AGENTS_API_KEY` is read, and only
    /// where the file names a service.
    pub fn config(mut self, file: impl AsRef<Path>) -> Self {
        self.configured.file = Some(Config::load(file));
        self
    }

    /// Reads the configuration file and the variables that [`Harness::from_env`] reads, under what code says. What is wrong
    /// with them is told by [`build`](Self::build).
    pub fn config_from_env(mut self) -> Self {
        let environment = Environment::read();
        let file = environment.as_ref().map(Environment::config_file);
        match file {
            Ok(Ok(Some(file))) => self.configured.file = Some(Config::load(file)),
            Ok(Err(error)) => self.configured.file = Some(Err(error)),
            // an environment that cannot be read is told by `build`
            Ok(Ok(None)) | Err(_) => {}
        }
        self.configured.environment = Some(environment);
        self
    }

    /// The builder with everything that was read laid under what code says.
    pub(super) fn configured(mut self) -> Result<Self, ConfigError> {
        let Configured { file, environment } = std::mem::take(&mut self.configured);
        if file.is_none() && environment.is_none() {
            return Ok(self);
        }
        let config = file.transpose()?.unwrap_or_default();
        let environment = match environment {
            Some(environment) => environment?,
            // a key is never in a file, so that of a service that a file names is always in the environment
            None if config.remote.is_some() => Environment::only_the_key()?,
            None => Environment::default(),
        };
        config.supported()?;
        #[cfg(all(feature = "engine", feature = "sqlite"))]
        {
            self.config_digest = config.digest;
        }
        let agent = config.agent.as_ref().map(ToString::to_string);
        self.agent_id = self.agent_id.or_else(|| environment.agent.clone()).or(agent);
        self.fail_open = self.fail_open.or(config.modes.fail_open);
        self.block_on_escalate = self.block_on_escalate.or(config.modes.block_on_escalate);
        self.patience = self.patience.or(config.modes.wait_for_approval);
        self.timeout = self.timeout.or(config.modes.timeout);
        // a program that only judges has nothing to tell
        #[cfg(feature = "cli")]
        let tells = !self.judging_only;
        #[cfg(all(feature = "webhooks", not(feature = "cli")))]
        let tells = true;
        #[cfg(feature = "webhooks")]
        if tells {
            self.told.configure(&config);
        }
        self.declare_under(&config);
        self.screen_under(&config);
        #[cfg(feature = "screen")]
        if let Some(home) = environment.home() {
            self.protect(home);
        }
        self.choose_governor(&config, &environment)?;
        Ok(self)
    }

    /// What code declares comes last, since the last declaration of a name counts. On governed functions an entry has an
    /// effect where it is stricter than they.
    fn declare_under(&mut self, config: &Config) {
        self.entries.clone_from(&config.tools);
        let mut declared: Vec<_> = config
            .tools
            .iter()
            .map(|tool| (tool.clone(), Origin::Declared))
            .collect();
        declared.append(&mut self.declared);
        self.declared = declared;
        for (tool, pointer) in &config.redacted {
            self.redacted.entry(tool.clone()).or_default().push(pointer.clone());
        }
    }

    #[cfg(feature = "screen")]
    fn screen_under(&mut self, config: &Config) {
        if let Some(screen) = &config.screen {
            let settings = &screen.value;
            self.screen_profile.get_or_insert_with(|| settings.profile.clone());
            if self.scratch.is_empty() {
                self.scratch.clone_from(&settings.scratch);
            }
            self.protected.extend(settings.protected.iter().cloned());
        }
        if let (true, Some(roots)) = (self.workspace_roots.is_empty(), &config.workspace_roots) {
            // a root that is no UTF-8 cannot be named in a call either
            self.workspace_roots = roots
                .value
                .iter()
                .filter_map(|root| root.to_str())
                .map(str::to_owned)
                .collect();
        }
        let Some(file) = &config.file else {
            return;
        };
        self.protect(file);
        let directory = file.parent().unwrap_or(Path::new(""));
        for policy in config.policies.iter().flat_map(|policies| &policies.value) {
            let policy = Path::new(policy);
            self.protect(&directory.join(policy));
            // a directory that policies have to themselves: a new file in it may come to be read
            if let Some(own) = policy.parent().filter(|own| !own.as_os_str().is_empty()) {
                self.protect(&directory.join(own));
            }
        }
    }

    /// Protects a path by the names that it has from here: commands begin here unless a workspace is named.
    #[cfg(feature = "screen")]
    fn protect(&mut self, path: &Path) {
        let absolute = std::path::absolute(path).ok();
        let names = [Some(path), absolute.as_deref()].into_iter().flatten();
        self.protected.extend(names.filter_map(Path::to_str).map(str::to_owned));
    }

    /// Without the screen there is no profile in a configuration that is supported.
    #[cfg(not(feature = "screen"))]
    fn screen_under(&mut self, _config: &Config) {}

    fn choose_governor(&mut self, config: &Config, environment: &Environment) -> Result<(), ConfigError> {
        let serviced = config.remote.is_some() || environment.endpoint.is_some();
        if self.governor.is_some() || serviced {
            // never ignored: nobody would enforce them
            if let Some(scopes) = &config.scopes {
                return Err(ConfigError::unsupported(
                    Some(&scopes.place),
                    "scopes",
                    "are kept by the embedded engine, and another governor decides here",
                ));
            }
            if let Some(policies) = &config.policies {
                return Err(ConfigError::unsupported(
                    Some(&policies.place),
                    "policies",
                    "are judged by the embedded engine, and another governor decides here",
                ));
            }
            if let Some(limits) = &config.limits {
                return Err(ConfigError::unsupported(
                    Some(&limits.place),
                    "limits",
                    "are kept by the embedded engine, and another governor decides here",
                ));
            }
        }
        if self.governor.is_some() {
            return Ok(());
        }
        if serviced {
            return self.ask_a_service(config, environment);
        }
        if environment.api_key.is_some() {
            return Err(ConfigError::environment(
                crate::config::API_KEY,
                "is set, and no service is named: set MANAGED_AGENTS_ENDPOINT, or add `[remote]` to the configuration",
            ));
        }
        self.keep_rules(config)
    }

    #[cfg(feature = "engine")]
    fn keep_rules(&mut self, config: &Config) -> Result<(), ConfigError> {
        let engine = engine(config, self.declared.iter().map(|(meta, _)| meta))?;
        self.governor = Some(Arc::new(engine));
        Ok(())
    }

    /// Without the engine there is no scope in a configuration that is supported, and no default governor.
    #[cfg(not(feature = "engine"))]
    fn keep_rules(&mut self, _config: &Config) -> Result<(), ConfigError> {
        Ok(())
    }

    #[cfg(feature = "remote")]
    fn ask_a_service(&mut self, config: &Config, environment: &Environment) -> Result<(), ConfigError> {
        use crate::config::{API_KEY, ENDPOINT};
        use crate::remote::RemoteErrorKind;
        use crate::{Endpoint, Remote, Secret};

        let settings = config.remote.as_ref().map(|remote| &remote.value);
        let mut service = Remote::builder();
        if let Some(url) = &environment.endpoint {
            Endpoint::parse(url)
                .map_err(|error| ConfigError::environment(ENDPOINT, format!("names no service: {error}")))?;
            service = service.endpoint(url);
        } else if let Some(url) = settings.and_then(|settings| settings.endpoint.as_ref()) {
            service = service.endpoint(url);
        }
        let platform = settings.and_then(|settings| settings.platform.as_ref());
        if let Some(platform) = environment.platform.as_ref().or(platform) {
            service = service.platform(platform);
        }
        if let Some(timeout) = settings.and_then(|settings| settings.timeout) {
            service = service.timeout(timeout);
        }
        if let Some(key) = &environment.api_key {
            let key = Secret::parse(key)
                .map_err(|error| ConfigError::environment(API_KEY, format!("holds no key: {error}")))?;
            service = service.api_key(key);
        }
        let service = service.build().map_err(|error| match error.kind() {
            RemoteErrorKind::MissingKey => {
                ConfigError::environment(API_KEY, "is not set, and the governance service needs a key")
            }
            _ => ConfigError::Service(error),
        })?;
        self.governor = Some(Arc::new(service));
        Ok(())
    }

    /// There is no client in this build.
    #[cfg(not(feature = "remote"))]
    fn ask_a_service(&mut self, _config: &Config, _environment: &Environment) -> Result<(), ConfigError> {
        Err(ConfigError::environment(
            crate::config::ENDPOINT,
            "needs the feature `remote`, which this build does not have",
        ))
    }
}

#[cfg(feature = "engine")]
pub(super) fn engine<'a>(
    config: &'a Config,
    tools: impl IntoIterator<Item = &'a crate::ToolMeta>,
) -> Result<crate::Engine, ConfigError> {
    let scopes = config.scopes.iter().flat_map(|scopes| &scopes.value);
    let engine = scopes.fold(crate::Engine::new(), |engine, (agent, tools)| {
        engine.scope(agent.as_str(), tools.iter().cloned())
    });
    let limits = config.limits.iter().flat_map(|limits| &limits.value);
    let engine = limits.cloned().fold(engine, crate::Engine::limit);
    with_policies(engine, config, tools)
}

/// With the policies that the configuration names.
#[cfg(feature = "cedar")]
pub(super) fn policies_of<'a>(
    config: &'a Config,
    tools: impl IntoIterator<Item = &'a crate::ToolMeta>,
) -> Option<crate::policy::PoliciesBuilder> {
    Some(set_of(config, &config.policies.as_ref()?.value, tools))
}

/// The policies at these paths, over the tools that are known.
#[cfg(feature = "cedar")]
fn set_of<'a>(
    config: &'a Config,
    paths: &[String],
    tools: impl IntoIterator<Item = &'a crate::ToolMeta>,
) -> crate::policy::PoliciesBuilder {
    let directory = config.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let policies = crate::policy::Policies::builder();
    let policies = paths
        .iter()
        .fold(policies, |policies, path| policies.path(directory.join(path)));
    let tools = config.tools.iter().chain(tools);
    tools.fold(policies, crate::policy::PoliciesBuilder::meta)
}

/// The digest of the texts of the policies that a configuration names: what an approver signs.
#[cfg(feature = "cli")]
pub(crate) fn policy_sources(config: &Config) -> Result<Option<crate::Digest>, ConfigError> {
    let builder = policies_of(config, []);
    let loaded = builder.map(crate::policy::PoliciesBuilder::load).transpose()?;
    Ok(loaded.map(|policies| policies.source_digest()))
}

#[cfg(feature = "cedar")]
fn with_policies<'a>(
    engine: crate::Engine,
    config: &'a Config,
    tools: impl IntoIterator<Item = &'a crate::ToolMeta>,
) -> Result<crate::Engine, ConfigError> {
    let tools: Vec<_> = tools.into_iter().collect();
    let Some(policies) = policies_of(config, tools.iter().copied()) else {
        return Ok(engine);
    };
    let policies = policies.load()?;
    if let Some(shadow) = &config.shadow {
        policies.shadow(&set_of(config, &shadow.value, tools))?;
    }
    Ok(engine.policies(&policies))
}

/// Without Cedar there are no policies in a configuration that is supported.
#[cfg(all(feature = "engine", not(feature = "cedar")))]
#[expect(clippy::unnecessary_wraps, reason = "policies can be wrong")]
fn with_policies<'a>(
    engine: crate::Engine,
    _config: &Config,
    _tools: impl IntoIterator<Item = &'a crate::ToolMeta>,
) -> Result<crate::Engine, ConfigError> {
    Ok(engine)
}

/// The harness of the command line: the screen and the operator's rules over fresh state, for an agent that is somebody
/// or nobody. It asks no service, waits for nobody, opens no ticket, and lets nothing pass unjudged.
#[cfg(feature = "cli")]
pub(crate) fn judging(
    config: &Config,
    tools: Vec<crate::ToolMeta>,
    agent: Option<&str>,
) -> Result<Harness, BuildError> {
    config.supported()?;
    let engine = match agent {
        Some(_) => engine(config, &tools)?,
        None => with_policies(crate::Engine::new().knowing_every_name(), config, &tools)?,
    };
    let mut builder = Harness::builder()
        .agent_id(agent.unwrap_or("nobody"))
        // each call on its own: what was judged before it says nothing of the agent
        .governor(engine.without_behaviour())
        .keep_in_memory(1);
    builder.judging_only = true;
    builder.declare_under(config);
    builder.screen_under(config);
    if let Some(home) = Environment::read()?.home() {
        builder.protect(home);
    }
    // the calls of a program are those of its functions: what the configuration says of their names only tightens them
    builder
        .declared
        .retain(|(declared, _)| tools.iter().all(|tool| tool.name() != declared.name()));
    let tools = tools.into_iter().map(|tool| (tool, Origin::Governed));
    builder.declared.extend(tools);
    builder.build_blocking()
}

#[cfg(feature = "cli")]
impl Harness {
    /// What the standard screen says of a call by name, as it would be judged here; without what is redacted.
    pub(crate) fn explain(&self, tool: &str, arguments: &serde_json::Value) -> crate::screen::Explanation {
        let head = self.inner().heads.of_name(tool);
        let mut explanation = self.inner().screen.explain_as(head.meta(), arguments);
        explanation.redact(&head.redacted_arguments());
        explanation
    }
}
