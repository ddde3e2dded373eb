//! The operator's policies, written in [Cedar](https://www.cedarpolicy.com).
//!
//! A policy says which agent (`principal`) may call which tool (`action`) on which target (`resource`), and under which
//! conditions. A tool is **named** when the action scope of a `permit` lists it, or of one that lists none: what no permit
//! allows is then denied, and what the tool declares of itself decides nothing. Every other tool is judged by its declared
//! risk, made stricter by whatever forbids it.
//!
//! | annotation | on | what it does |
//! |---|---|---|
//! | `@decision("escalate")` | `permit` | allowed once people have approved it |
//! | `@decision("escalate")` | `forbid` | forbidden unless people approve it |
//! | `@approvers("2")` | either, beside `@decision` | how many people must approve, 1 to 9 |
//! | `@reason("…")` | either | what the model is told, at most 200 bytes |
//! | `@id("…")` | either | the name of the policy in the record; otherwise the file's name and a number |
//!
//! A denial stands before an escalation, and that before an allowance. **A policy that cannot be evaluated denies the call**
//! (`policy_error`), where Cedar itself would skip it. Before anything is put into force, all of it is checked against the
//! types of the tools' arguments: a misspelt attribute is an error with file and line. A set that is bad as a whole or in
//! part changes nothing: what was in force stays in force.
//!
//! What a policy can read stands in the guide `docs/policy.md`.
//!
//! # Examples
//!
//! ```
//! use managed_agents::policy::Policies;
//! use managed_agents::{Engine, Harness};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let refund = serde_json::json!({
//!     "type": "object", "properties": { "cents": { "type": "integer" } }, "required": ["cents"],
//! });
//! let policies = Policies::builder()
//!     .tool("refund", &refund)
//!     .text("shop.cedar", r#"
//!         permit(principal, action == Action::"refund", resource) when { context.input.cents <= 5000 };
//!         @decision("escalate") @approvers("2")
//!         permit(principal, action == Action::"refund", resource) when { context.input.cents > 5000 };
//!     "#)
//!     .load()?;
//! let harness = Harness::builder()
//!     .in_memory()
//!     .agent_id("support-bot")
//!     .governor(Engine::new().policies(&policies))
//!     .declare(managed_agents::ToolMeta::new("refund").with_risk(managed_agents::Risk::High))
//!     .build()
//!     .await?;
//! harness.govern("refund", r#"{"cents":4200}"#).await?.finish(managed_agents::Outcome::Ok);
//! let denied = harness.govern("refund", r#"{"cents":420000}"#).await.unwrap_err();
//! assert_eq!(denied.code(), "policy_escalates");
//!
//! let wrong = Policies::builder()
//!     .tool("refund", &refund)
//!     .text("shop.cedar", "\npermit(principal, action == Action::\"refund\", resource) when { context.input.cent <= 5 };");
//! assert!(wrong.load().unwrap_err().to_string().starts_with("shop.cedar:2: "));
//! # Ok(()) }
//! ```

mod compile;
mod error;
mod facts;
mod history;
mod judge;
mod kind;
mod slice;
mod source;
mod walk;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::SystemTime;

use serde_json::Value;

use crate::call::{Digest, ToolCall, ToolMeta};
use crate::governor::SourceGuard;
use crate::verdict::{Decision, Verdict};
use compile::{Compiled, Known};
pub use error::{PolicyError, PolicyProblem};
pub(crate) use facts::Facts;
pub use facts::{SignalSource, Signals};
pub(crate) use history::Counting;
use history::Guesses;
pub(crate) use judge::Said;
use judge::Subject;
use slice::Slice;
pub use watch::PolicyWatch;

/// Policies in force; clones are the same policies, and see when they are replaced.
#[derive(Clone)]
pub struct Policies(Arc<Inner>);

struct Inner {
    /// Where they come from, for reading them again.
    from: PoliciesBuilder,
    /// Replaced as a whole, so that no call ever sees half of a set.
    live: RwLock<Arc<Compiled>>,
    /// A candidate that judges beside them, and the calls on which it differs.
    shadow: RwLock<Option<Arc<Compiled>>>,
    shadowed: AtomicU64,
    differing: AtomicU64,
    guesses: Arc<Guesses>,
    signals: Option<Arc<dyn SignalSource>>,
    /// Who must agree before another set is put into force; held for a copy only, never while they are asked.
    guards: Mutex<Vec<Guard>>,
    /// Held from the question whether a set may be put into force until it is, so that none takes the place of a later one.
    putting: Mutex<()>,
}

/// Somebody who must agree, and how the digest of policies becomes that of the rules of whom he guards.
#[derive(Clone)]
struct Guard {
    asked: Weak<dyn SourceGuard>,
    rules: Arc<dyn Fn(Digest) -> Digest + Send + Sync>,
}

/// Where policies come from, and which tools they may name.
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `load`"]
pub struct PoliciesBuilder {
    paths: Vec<PathBuf>,
    texts: Vec<source::Source>,
    tools: BTreeMap<String, Known>,
    signals: Option<Arc<dyn SignalSource>>,
}

/// What a candidate set would have decided differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ShadowReport {
    /// The calls that both sets judged.
    pub judged: u64,
    /// Those on which their decisions differ.
    pub differing: u64,
}

impl PoliciesBuilder {
    /// Reads a file `*.cedar`, or all of them in a directory (not in those below), by name. Files `*.tools.json` there say
    /// what tools take: one JSON object with a JSON Schema by each tool's name.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.paths.push(path.into());
        self
    }

    /// Adds policies that are no file's; `name` is for error messages.
    pub fn text(mut self, name: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        self.texts.push(source::Source {
            file: name.into(),
            text: text.into(),
        });
        self
    }

    /// Says what a tool takes, as a JSON Schema: with a [`Tool`](crate::Tool), its name and
    /// [`input_schema`](crate::Tool::input_schema).
    pub fn tool(mut self, name: impl Into<String>, schema: &Value) -> Self {
        self.tools.insert(name.into(), Known::of_schema(schema));
        self
    }

    /// Says that there is a tool: policies may name it, and read of its arguments those whose text is declared to be a
    /// command, query, path or URL. What a schema says stands before it.
    pub fn meta(mut self, tool: &ToolMeta) -> Self {
        let known = || Known::of_meta(tool);
        self.tools.entry(tool.name().to_owned()).or_insert_with(known);
        self
    }

    /// Whatever knows of agents' behaviour, in place of what the engine remembers itself. What nothing knows (without passports `archetype`,
    /// `zone`, and in an engine without behaviour `trust`, `ucs` and `drifted`) is absent.
    pub fn signals(mut self, source: impl SignalSource) -> Self {
        self.signals = Some(Arc::new(source));
        self
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] says what is wrong, with file and line.
    pub fn load(self) -> Result<Policies, PolicyError> {
        let live = self.compile()?;
        Ok(Policies(Arc::new(Inner {
            signals: self.signals.clone(),
            from: self,
            live: RwLock::new(Arc::new(live)),
            shadow: RwLock::new(None),
            shadowed: AtomicU64::new(0),
            differing: AtomicU64::new(0),
            guesses: Arc::default(),
            guards: Mutex::default(),
            putting: Mutex::default(),
        })))
    }

    fn compile(&self) -> Result<Compiled, PolicyError> {
        let mut sources = source::read(&self.paths, ".cedar")?;
        sources.extend(self.texts.iter().cloned());
        let mut tools = self.tools.clone();
        let files = source::read(&self.paths, ".tools.json")?;
        let mut described = BTreeSet::new();
        for file in &files {
            for (name, known) in schemas(file)? {
                if !described.insert(name.clone()) {
                    let name = name.escape_debug();
                    let why = format!("the tool `{name}` is described in another file as well");
                    return Err(PolicyProblem::new(&file.file, 0, why).into());
                }
                tools.insert(name, known);
            }
        }
        let texts = sources.iter().chain(&files).map(|source| source.text.as_str());
        let digest = compile::digest_of(texts);
        let mut compiled = compile::compile(sources, tools)?;
        compiled.sources = digest;
        Ok(compiled)
    }
}

/// The tools of one file.
fn schemas(file: &source::Source) -> Result<Vec<(String, Known)>, PolicyProblem> {
    if file.text.len() as u64 > source::MOST_BYTES {
        return Err(source::too_large(&file.file));
    }
    let tools: BTreeMap<String, Value> = serde_json::from_str(&file.text).map_err(|error| {
        PolicyProblem::new(
            &file.file,
            error.line(),
            format!("is no object of JSON Schemas: {error}"),
        )
    })?;
    Ok(tools
        .into_iter()
        .map(|(name, schema)| (name, Known::of_schema(&schema)))
        .collect())
}

impl Policies {
    /// Begins.
    pub fn builder() -> PoliciesBuilder {
        PoliciesBuilder::default()
    }

    /// Reads everything again, and puts it into force as a whole: every call is judged by the old set or by the new one.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] says what is wrong; then the old set stays in force. A harness with an
    /// [`operator`](crate::harness::HarnessBuilder::operator) that judges by these policies lets only those in that an approver
    /// signed last (`managed-agents config sign`).
    pub fn reload(&self) -> Result<(), PolicyError> {
        self.put(self.0.from.compile()?)
    }

    /// Puts another set into force in place of this one, and forgets where the old one came from but for
    /// [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// As [`reload`](Self::reload).
    pub fn replace(&self, next: &PoliciesBuilder) -> Result<(), PolicyError> {
        self.put(next.compile()?)
    }

    /// Whoever must agree before another set is put into force, and the digest of the rules that [a set](Self::digest) makes there.
    ///
    /// Waits for whoever is putting one into force: that set is in force, or not, when this returns.
    pub(crate) fn guard(&self, asked: Weak<dyn SourceGuard>, rules: impl Fn(Digest) -> Digest + Send + Sync + 'static) {
        let _alone = self.0.putting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guards = self.0.guards.lock().unwrap_or_else(PoisonError::into_inner);
        guards.retain(|guard| guard.asked.strong_count() > 0);
        let rules = Arc::new(rules);
        guards.push(Guard { asked, rules });
    }

    fn put(&self, next: Compiled) -> Result<(), PolicyError> {
        let _alone = self.0.putting.lock().unwrap_or_else(PoisonError::into_inner);
        let guards = self.0.guards.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for guard in guards {
            if let Some(asked) = guard.asked.upgrade() {
                let rules = (guard.rules)(next.digest);
                asked
                    .admits_sources(next.sources, rules)
                    .map_err(PolicyError::unsigned)?;
            }
        }
        *self.0.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    /// Lets a candidate set judge every call beside the one in force. It decides nothing; how often it differs is told by
    /// [`shadow_report`](Self::shadow_report), and each difference is a `tracing` event.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] says what is wrong with the candidate.
    pub fn shadow(&self, candidate: &PoliciesBuilder) -> Result<(), PolicyError> {
        let candidate = candidate.compile()?;
        *self.0.shadow.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(candidate));
        self.0.shadowed.store(0, Ordering::Relaxed);
        self.0.differing.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// What the candidate would have decided differently; none where there is no candidate.
    #[must_use]
    pub fn shadow_report(&self) -> Option<ShadowReport> {
        let shadow = self.0.shadow.read().unwrap_or_else(PoisonError::into_inner);
        shadow.as_ref().map(|_| ShadowReport {
            judged: self.0.shadowed.load(Ordering::Relaxed),
            differing: self.0.differing.load(Ordering::Relaxed),
        })
    }

    /// SHA-256 of the policies' texts and the types of the tools that they are about.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.live().digest
    }

    /// The digest of the texts of all policies and files of tools alone: what an approver signs
    /// (`managed-agents config sign`). Paths are not in it.
    #[must_use]
    pub fn source_digest(&self) -> Digest {
        self.live().sources
    }

    /// How many policies are in force.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live().policies
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is allowed and odd: policies that can never hold, names that look like others.
    #[must_use]
    pub fn warnings(&self) -> Vec<PolicyProblem> {
        self.live().warnings.clone()
    }

    fn live(&self) -> Arc<Compiled> {
        Arc::clone(&self.0.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Judges a call, and gives what it was judged on. Where no source of signals was named, `own` is asked.
    pub(crate) fn judge(&self, call: &ToolCall, remote_time: SystemTime, own: Option<&dyn SignalSource>) -> Judged {
        let live = self.live();
        let shadow = self.0.shadow.read().unwrap_or_else(PoisonError::into_inner).clone();
        let beside = shadow.as_deref().map(|shadow| &**shadow.slice(call.tool()));
        let slices: Vec<&Slice> = [&**live.slice(call.tool())].into_iter().chain(beside).collect();
        let reads = |name: &str| slices.iter().any(|slice| slice.reads.reads(name));
        let subject = Subject::of(call);
        let mut facts = Facts::default();
        if reads("now") {
            let since = remote_time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            facts.at = i64::try_from(since.as_secs()).ok();
        }
        if reads("target") || slices.iter().any(|slice| slice.reads.resource) {
            facts.target = Some(call.policy_target());
        }
        if reads("session") {
            facts.session = call.session().map(str::to_owned);
        }
        if ["trust", "ucs", "drifted", "archetype", "zone"].into_iter().any(reads)
            && let Some(source) = self.0.signals.as_deref().or(own)
        {
            facts.take_signals(source.signals(call));
        }
        let (counting, history) = Counting::of(&live, &self.0.guesses, &slices, call);
        facts.history = history;
        let said = judge::judge(&live, &subject, &facts);
        if let Some(shadow) = &shadow {
            self.compare(&said, shadow, &subject, &facts);
        }
        Judged {
            said,
            facts,
            digest: live.digest,
            counting,
        }
    }

    /// Facts with what they lack as at the beginning: nothing happened yet, on the first day of 2026.
    #[cfg(feature = "cli")]
    pub(crate) fn completed(&self, tool: &str, arguments: &str, mut facts: Facts) -> Facts {
        let live = self.live();
        let slice = live.slice(tool);
        facts.complete(&slice.input, || crate::call::target_of(tool, arguments));
        facts
    }

    /// Judges a recorded call again, on the facts of its record.
    #[cfg(feature = "cli")]
    pub(crate) fn judge_on(&self, call: &ToolCall, facts: &Facts) -> Said {
        judge::judge(&self.live(), &Subject::of(call), facts)
    }

    #[cold]
    fn compare(&self, said: &Said, shadow: &Compiled, subject: &Subject<'_>, facts: &Facts) {
        let decision = |said: &Said| said.verdict.as_ref().map_or(Decision::Allow, Verdict::decision);
        let theirs = judge::judge(shadow, subject, facts);
        self.0.shadowed.fetch_add(1, Ordering::Relaxed);
        if (decision(&theirs), theirs.named) != (decision(said), said.named) {
            self.0.differing.fetch_add(1, Ordering::Relaxed);
            tracing::info!(
                tool = subject.tool.name(),
                live = decision(said).code(),
                candidate = decision(&theirs).code(),
                "the candidate policies decide differently"
            );
        }
    }
}

/// What policies said of a call, and on what.
pub(crate) struct Judged {
    pub(crate) said: Said,
    pub(crate) facts: Facts,
    pub(crate) digest: Digest,
    /// What the call counts, where any policy reads the history.
    pub(crate) counting: Option<Counting>,
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies")
            .field("policies", &self.len())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PoliciesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&Path> = self.texts.iter().map(|text| text.file.as_path()).collect();
        f.debug_struct("PoliciesBuilder")
            .field("paths", &self.paths)
            .field("texts", &texts)
            .finish_non_exhaustive()
    }
}
