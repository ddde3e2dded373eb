//! `managed-agents.toml`: what an operator decides without touching the program.
//!
//! Read by [`HarnessBuilder::config`](crate::harness::HarnessBuilder::config), by
//! [`Harness::from_env`](crate::Harness::from_env) and by every command of the program `managed-agents`, so that a program
//! and the command line judge alike. What code says stands before the file. A key that is not known, a value of another
//! type, and a wish that the build cannot fulfil are errors with file and line; nothing is ignored.
//!
//! ```toml
//! agent = "support-bot"               # the agent's id, where code and environment name none
//! workspace_roots = ["/srv/support"]  # directories in which an agent may work; for the screen
//!
//! [scopes]                            # agent -> the tools it may use. Once one agent is named here,
//! support-bot = ["lookup", "refund"]  # an agent that is not may use nothing.
//!
//! [tools.refund]                      # a tool that is called by name
//! description = "Pays money back."
//! risk = "high"                       # low, medium, high, critical
//! irreversible = true                 # or `reversible = true`
//! action = "pay"                      # the verb that a governance service knows it by
//! redact = ["/card/number"]           # JSON pointers (RFC 6901); also for functions of this name
//!
//! [tools.run_report]
//! read_only = true
//! arguments = { query = "sql" }       # what the text means: shell, sql, path, url
//!
//! [[limits]]                          # how often, how many at once, how much, how large: the guide `docs/limits.md`
//! tool = "refund"                     # left out: all tools together; and `agent`, left out: each agent by itself
//! sum = "cents"                       # or `calls = 20`, `running = 3`, `size = "recipients"`
//! most = 150_000
//! per = "24h"
//! exceeded = "escalate"               # deny, escalate
//!
//! [harness]
//! block_on_escalate = true            # the default
//! wait_for_approval = "5m"            # otherwise an escalated call is refused at once
//! timeout = "10s"                     # for the governor
//! fail_open = false                   # the default; never from the environment
//!
//! [remote]                            # ask a governance service instead of the embedded engine
//! endpoint = "https://governance.example/api/v1/govern"
//! platform = "claude"
//! timeout = "3s"
//!
//! [screen]
//! profile = "standard"                # strict, standard, relaxed
//! bulk = { email = 10, file = 20, calendar = 5 } # from how many on one call is bulk
//! allow_hosts = ["localhost", ".corp.example"]   # internal hosts that may be asked; `.` for all below a name
//! only_hosts = []                     # if not empty, the only public hosts that URLs may lead to
//! deny_hosts = [".ads.example"]       # hosts that may not be asked; stands before the others
//! scratch = ["/mnt/build"]            # directories whose contents nobody misses, beside /tmp
//! protected = ["/srv/policies"]       # what governance rests on, beside this file and its policies: never changed
//!
//! [screen.rules]                      # single rules, by their code
//! git_discard = "allow"               # allow, escalate, deny; what every profile denies cannot be softened
//!
//! [[screen.patterns]]                 # regular expressions of your own (syntax of the crate `regex`)
//! pattern = '^kubectl .*--context[ =]prod\b'
//! decision = "escalate"               # escalate, deny
//! tool = "bash*"                      # left out: every tool
//! ```
//!
//! The file itself, its policies and the directory `MANAGED_AGENTS_HOME` are protected in every profile, and nothing
//! switches that off.
//!
//! An entry in `[tools]` holds for calls by that name, and makes a governed function of that name stricter: a higher risk,
//! `irreversible`, further redactions, and what an argument is also to be read as count there as well, are recorded, and are
//! another definition of the tool for approvals. What is laxer than the function has no effect on it; `config check
//! --tools FILE` names it, and the program warns of it (`tracing`) when the function is first called.
//!
//! ```toml
//! [[retention]]                       # values that are older are removed by `managed-agents retention run`
//! older_than = "180d"
//! tool = "lookup*"                    # left out: every tool; `*` for any ending
//! subject = "ann@example.com"         # left out: every data subject
//!
//! [webhooks.ops]                      # told of tickets, stops and trouble; `ops` is a name of your own
//! url = "https://hooks.example/agents"
//! secret_file = "/etc/bot/ops.secret" # one line, `whsec_…`; only its owner may read it
//! events = ["ticket.opened"]          # left out: every event
//! # signed = false                    # instead of secret_file, where the receiver checks no signature
//! ```
//!
//! `policies = ["rules.cedar"]` is known too, and `shadow = ["next"]`: a candidate that judges beside them and decides nothing. Keys to services are never in the file, and neither is who may approve.
//!
//! The environment says only where and who: `MANAGED_AGENTS_ENDPOINT`, `MANAGED_AGENTS_API_KEY`,
//! `MANAGED_AGENTS_AGENT_ID`, `MANAGED_AGENTS_PLATFORM`, and `MANAGED_AGENTS_HOME`, the directory whose
//! `managed-agents.toml` is read where the working directory has none. Each of them, set and empty or blank, is an error,
//! and never the same as not set: a program that was meant to ask a service must not go on without it because a
//! variable was left blank.

mod describe;
mod environment;
mod error;
mod limits;
mod nearest;
mod read;
mod retention;
#[cfg(feature = "screen")]
mod screen;
mod tool_file;
mod tools;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

pub(crate) use environment::{API_KEY, ENDPOINT, Environment};
pub(crate) use error::Place;
pub use error::{ConfigError, EnvironmentError, InvalidError, ReadError, UnsupportedError};
pub(crate) use retention::RetentionSettings;
pub use tool_file::{ToolFileError, read_tools, write_tools};
#[cfg(feature = "cli")]
pub(crate) use tools::kind_word;
pub(crate) use webhooks::WebhookSettings;

#[cfg(feature = "screen")]
pub(crate) use screen::ScreenSettings;

use crate::call::{AgentId, ToolMeta};
use crate::limit::Limit;
use read::{Item, Source, Table};

/// The name of the file, in the working directory or in the home.
pub const FILE_NAME: &str = "managed-agents.toml";

/// What a `managed-agents.toml` says, read and checked.
///
/// # Examples
///
/// ```
/// use managed_agents::config::Config;
/// let config = Config::parse("agent = \"support-bot\"", "managed-agents.toml".as_ref())?;
/// assert!(config.describe().contains("support-bot"));
///
/// let error = Config::parse("\nagnet = \"support-bot\"", "managed-agents.toml".as_ref()).unwrap_err();
/// assert!(error.to_string().starts_with("managed-agents.toml:2: unknown key `agnet`: did you mean `agent`?"));
/// # Ok::<_, managed_agents::config::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where it was read from.
    pub(crate) file: Option<PathBuf>,
    /// SHA-256 of the file: what an approver signs.
    pub(crate) digest: Option<crate::Digest>,
    pub(crate) agent: Option<AgentId>,
    pub(crate) scopes: Option<Placed<BTreeMap<AgentId, BTreeSet<String>>>>,
    pub(crate) tools: Vec<ToolMeta>,
    /// Tool and JSON pointer.
    pub(crate) redacted: Vec<(String, String)>,
    pub(crate) modes: Modes,
    pub(crate) remote: Option<Placed<RemoteSettings>>,
    pub(crate) workspace_roots: Option<Placed<Vec<PathBuf>>>,
    pub(crate) screen: Option<Placed<ScreenSettings>>,
    pub(crate) policies: Option<Placed<Vec<String>>>,
    pub(crate) retention: Vec<RetentionSettings>,
    pub(crate) webhooks: Option<Placed<Vec<WebhookSettings>>>,
    /// A candidate that judges beside the policies.
    pub(crate) shadow: Option<Placed<Vec<String>>>,
    pub(crate) limits: Option<Placed<Vec<Limit>>>,
}

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// `[harness]`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Modes {
    pub(crate) block_on_escalate: Option<bool>,
    pub(crate) fail_open: Option<bool>,
    pub(crate) wait_for_approval: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
}

/// `[remote]`.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "nobody asks a service"))]
pub(crate) struct RemoteSettings {
    pub(crate) endpoint: Option<String>,
    pub(crate) platform: Option<String>,
    pub(crate) timeout: Option<Duration>,
}

/// `[screen]`, which a build without the screen does not read: it cannot honour it.
#[cfg(not(feature = "screen"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScreenSettings;

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the file, the line and what is wrong there.
    pub fn load(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let file = file.as_ref();
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError::unreadable(file, error))?;
        let mut config = Self::parse(&text, file)?;
        config.file = Some(file.to_owned());
        config.digest = Some(crate::Digest::new(Sha256::digest(text.as_bytes()).into()));
        Ok(config)
    }

    /// Reads the text of a file; `file` is for error messages.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the file, the line and what is wrong there.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let source = Source::new(file, text);
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            // the parser's message is one or more lines about syntax, and repeats no value
            let message: Vec<_> = error.message().lines().map(str::trim).collect();
            ConfigError::invalid(source.place(at), message.join("; "))
        })?;
        Self::from_table(&Table::root(&source, document.get_ref()))
    }

    /// The file that applies here: `managed-agents.toml` in the working directory, else the one in
    /// `$MANAGED_AGENTS_HOME`, where there is one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a file cannot be looked for, or the variable cannot be used.
    pub fn find() -> Result<Option<PathBuf>, ConfigError> {
        Environment::read()?.config_file()
    }

    fn from_table(root: &Table<'_>) -> Result<Self, ConfigError> {
        root.only(&[
            "agent",
            "scopes",
            "tools",
            "harness",
            "remote",
            "screen",
            "workspace_roots",
            "policies",
            "retention",
            "webhooks",
            "shadow",
            "limits",
        ])?;
        let mut config = Self::default();
        if let Some(item) = root.get("agent") {
            config.agent = Some(agent(&item, item.text()?)?);
        }
        if let Some(item) = root.get("scopes") {
            config.scopes = Some(placed(&item, scopes(&item)?));
        }
        if let Some(item) = root.get("tools") {
            for (name, item) in item.table()?.entries() {
                let (tool, redacted) = tools::tool(name, &item)?;
                let redacted = redacted.into_iter().map(|pointer| (name.to_owned(), pointer));
                config.redacted.extend(redacted);
                config.tools.push(tool);
            }
        }
        if let Some(item) = root.get("harness") {
            config.modes = modes(&item.table()?)?;
        }
        if let Some(item) = root.get("remote") {
            config.remote = Some(placed(&item, remote(&item.table()?)?));
        }
        if let Some(item) = root.get("screen") {
            #[cfg(feature = "screen")]
            let settings = screen::settings(&item.table()?)?;
            #[cfg(not(feature = "screen"))]
            let settings = ScreenSettings;
            config.screen = Some(placed(&item, settings));
        }
        if let Some(item) = root.get("workspace_roots") {
            config.workspace_roots = Some(placed(&item, roots(&item)?));
        }
        if let Some(item) = root.get("webhooks") {
            config.webhooks = Some(placed(&item, webhooks::settings(&item)?));
        }
        if let Some(item) = root.get("retention") {
            config.retention = retention::rules(&item)?;
        }
        if let Some(item) = root.get("policies") {
            config.policies = Some(placed(&item, item.texts()?));
        }
        if let Some(item) = root.get("shadow") {
            let shadow = placed(&item, item.texts()?);
            if config.policies.is_none() {
                return Err(item.error("judges beside `policies`, and there are none"));
            }
            config.shadow = Some(shadow);
        }
        if let Some(item) = root.get("limits") {
            let limits = item.tables()?.iter().map(limits::limit).collect::<Result<_, _>>()?;
            config.limits = Some(placed(&item, limits));
        }
        Ok(config)
    }

    /// The keys of a tool's entry that have no effect on a governed function, as far as they are laxer or name what it does
    /// not have; as `arguments.NAME` or the key alone.
    #[must_use]
    pub fn without_effect(&self, function: &ToolMeta) -> Vec<String> {
        let entry = self.tools.iter().find(|entry| entry.name() == function.name());
        entry.map_or_else(Vec::new, |entry| function.without_effect(entry))
    }

    /// What this build cannot honour.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Unsupported`] names the first such key.
    pub(crate) fn supported(&self) -> Result<(), ConfigError> {
        const CEDAR: &str = "needs the feature `cedar`, which this build does not have";
        const SCREEN: &str = "needs the feature `screen`, which this build does not have";
        const WEBHOOKS: &str = "needs the feature `webhooks`, which this build does not have";
        const ENGINE: &str = "needs the feature `engine`, which this build does not have";
        const REMOTE: &str = "needs the feature `remote`, which this build does not have";
        let places = [
            (cfg!(feature = "engine"), place(self.scopes.as_ref()), "scopes", ENGINE),
            (cfg!(feature = "remote"), place(self.remote.as_ref()), "remote", REMOTE),
            (HAS_SCREEN, place(self.screen.as_ref()), "screen", SCREEN),
            (
                HAS_SCREEN,
                place(self.workspace_roots.as_ref()),
                "workspace_roots",
                SCREEN,
            ),
            (HAS_CEDAR, place(self.policies.as_ref()), "policies", CEDAR),
            (HAS_WEBHOOKS, place(self.webhooks.as_ref()), "webhooks", WEBHOOKS),
            (cfg!(feature = "engine"), place(self.limits.as_ref()), "limits", ENGINE),
        ];
        for (supported, place, key, why) in places {
            if let (false, Some(place)) = (supported, place) {
                return Err(ConfigError::unsupported(Some(place), key, why));
            }
        }
        Ok(())
    }
}

/// What this build can honour; set to `cfg!(feature = "..")` as each part arrives.
const HAS_SCREEN: bool = cfg!(feature = "screen");
const HAS_WEBHOOKS: bool = cfg!(feature = "webhooks");
const HAS_CEDAR: bool = cfg!(feature = "cedar");

fn place<T>(placed: Option<&Placed<T>>) -> Option<&Place> {
    placed.map(|placed| &placed.place)
}

fn placed<T>(item: &Item<'_>, value: T) -> Placed<T> {
    Placed {
        value,
        place: item.place(),
    }
}

fn agent(item: &Item<'_>, text: &str) -> Result<AgentId, ConfigError> {
    AgentId::parse(text).map_err(|error| item.error(&format!("names no agent: {error}")))
}

fn scopes(item: &Item<'_>) -> Result<BTreeMap<AgentId, BTreeSet<String>>, ConfigError> {
    let entries = item.table()?.entries();
    entries
        .into_iter()
        .map(|(name, tools)| Ok((agent(&tools, name)?, tools.texts()?.into_iter().collect())))
        .collect()
}

fn modes(table: &Table<'_>) -> Result<Modes, ConfigError> {
    table.only(&["block_on_escalate", "fail_open", "wait_for_approval", "timeout"])?;
    let flag = |key| table.get(key).map(|item| item.flag()).transpose();
    let duration = |key| table.get(key).map(|item| item.duration()).transpose();
    Ok(Modes {
        block_on_escalate: flag("block_on_escalate")?,
        fail_open: flag("fail_open")?,
        wait_for_approval: duration("wait_for_approval")?,
        timeout: duration("timeout")?,
    })
}

fn remote(table: &Table<'_>) -> Result<RemoteSettings, ConfigError> {
    table.only(&["endpoint", "platform", "timeout"])?;
    let endpoint = table.get("endpoint");
    let platform = table.get("platform").map(|item| item.text()).transpose()?;
    Ok(RemoteSettings {
        endpoint: endpoint.as_ref().map(url).transpose()?,
        platform: platform.map(ToOwned::to_owned),
        timeout: table.get("timeout").map(|item| item.duration()).transpose()?,
    })
}

fn url(item: &Item<'_>) -> Result<String, ConfigError> {
    let text = item.text()?;
    #[cfg(feature = "remote")]
    if let Err(error) = crate::http::Endpoint::parse(text) {
        return Err(item.error(&format!("names no service: {error}")));
    }
    Ok(text.to_owned())
}

fn roots(item: &Item<'_>) -> Result<Vec<PathBuf>, ConfigError> {
    item.items()?
        .iter()
        .map(|root| {
            let path = PathBuf::from(root.text()?);
            if !path.is_absolute() {
                return Err(root.error("holds a path that is not absolute"));
            }
            if path.parent().is_none() {
                return Err(root.error("holds the root of the file system, which is nobody's workspace"));
            }
            Ok(path)
        })
        .collect()
}
