//! A call of a tool: what is judged, in the bytes that bind every later step to it.

mod agent;
mod begun;
mod canonical;
mod digest;
mod effect;
mod input;
mod meta;
mod redact;
pub(crate) mod spare;
pub(crate) mod strict;
mod verb;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

pub(crate) use agent::above;
pub use agent::{AgentId, AgentIdError};
use begun::Begun;
pub use canonical::{CanonicalError, CanonicalErrorKind};
pub(crate) use canonical::{CanonicalWriter, MAX_BYTES, write_string};
pub use digest::{Digest, NoEntropyError, Salt};
pub use effect::{Effect, TargetKind};
pub use input::{InputError, ToolInput};
#[doc(hidden)]
pub use meta::MetaParts;
pub use meta::{ArgKind, ArgumentMeta, Cancel, Judged, Reversibility, Risk, ToolMeta};
#[cfg(feature = "cli")]
pub(crate) fn target_of(tool: &str, arguments: &str) -> String {
    verb::target_of(tool, arguments, "")
}
pub use verb::Verbs;

use crate::verdict::{Decision, EvaluationId};

/// Where a tool's metadata comes from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// A function under `#[governed]`.
    Governed,
    /// A name that was declared to the harness or in its configuration.
    Declared,
    /// A name that nothing declares.
    Unknown,
}

/// A call of a tool, as it is judged and as it will run.
///
/// Its canonical form `ma-call/1` is one JSON object with the keys `v`, `agent`, `tool`, `definition`, `ids`,
/// `arguments` in this order; below that, keys are sorted as in RFC 8785, integers stand in full decimal digits, and
/// floats are printed as in RFC 8785, but −0.0 as `-0.0`. `Debug` shows no argument.
pub struct ToolCall {
    head: Arc<Head>,
    /// What follows the head in the canonical form: the entries of `ids`, then `},"arguments":{…}}`.
    tail: Vec<u8>,
    arguments_at: usize,
    digest: Digest,
    salt: Salt,
    session: Option<Arc<str>>,
    details: Option<Box<CallDetails>>,
    /// What the screen made of it: 0 where it was not screened, else 1 and more for what it decided.
    found: AtomicU8,
}

/// What a plain call lacks.
#[derive(Default)]
pub(crate) struct CallDetails {
    pub(crate) target: Option<Box<str>>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) parent: Option<EvaluationId>,
    pub(crate) context: Option<serde_json::Map<String, serde_json::Value>>,
    /// What makes the call with other arguments, where people may edit it.
    pub(crate) edits: Option<Box<dyn Redraft>>,
}

impl CallDetails {
    #[inline(always)]
    pub(crate) fn into_option(self) -> Option<Box<Self>> {
        let empty = self.target.is_none()
            && self.subject.is_none()
            && self.parent.is_none()
            && self.context.is_none()
            && self.edits.is_none();
        (!empty).then(|| Box::new(self))
    }
}

/// Makes a call with other arguments: decoded as the types of its function, and written down anew.
pub(crate) trait Redraft: Send + Sync {
    /// The call with these arguments, all of them in one JSON object; else, in words that show no value, what does not fit.
    #[cfg_attr(
        not(feature = "engine"),
        expect(dead_code, reason = "nobody edits without an engine")
    )]
    fn redraft(&self, call: &ToolCall, arguments: &str) -> Result<Arc<ToolCall>, String>;
}

/// What all calls of one tool by one agent share: the beginning of the canonical form, already hashed.
pub(crate) struct Head {
    agent: AgentId,
    governor: Arc<str>,
    meta: MetaRef,
    origin: Origin,
    /// The table that it was made in, and the function that it was made for.
    serves: Option<(u64, &'static ToolMeta)>,
    bytes: Vec<u8>,
    hash: Begun,
    /// JSON pointers into `arguments`.
    redacted: Vec<String>,
    /// An argument is of a kind that the screen reads, by declaration or by the tool's name.
    screened: bool,
    /// Program or configuration redact more than the tool itself.
    redacts_more: bool,
    /// What the screen noted of the tool; the call knows nothing of it.
    #[cfg(feature = "screen")]
    noted: std::sync::OnceLock<Box<dyn Noted>>,
}

/// What a judge notes of a tool, once for all of its calls.
#[cfg(feature = "screen")]
pub(crate) trait Noted: std::any::Any + Send + Sync {
    /// Whether there is nothing to be found in these arguments, in canonical form; often no even so.
    fn says_nothing(&self, arguments: &[u8]) -> bool;
}

/// Metadata that lives in the program, or that somebody declared.
#[derive(Clone)]
pub(crate) enum MetaRef {
    Static(&'static ToolMeta),
    Shared(Arc<ToolMeta>),
}

impl std::ops::Deref for MetaRef {
    type Target = ToolMeta;

    fn deref(&self) -> &ToolMeta {
        match self {
            Self::Static(meta) => meta,
            Self::Shared(meta) => meta,
        }
    }
}

impl Head {
    pub(crate) fn new(
        agent: AgentId,
        governor: Arc<str>,
        meta: MetaRef,
        origin: Origin,
        more_redacted: &[String],
    ) -> Self {
        let mut bytes = Vec::with_capacity(192);
        bytes.extend_from_slice(br#"{"v":"ma-call/1","agent":"#);
        write_string(&mut bytes, agent.as_str());
        bytes.extend_from_slice(br#","tool":"#);
        write_string(&mut bytes, meta.name());
        bytes.extend_from_slice(br#","definition":""#);
        bytes.extend_from_slice(meta.definition().to_string().as_bytes());
        bytes.extend_from_slice(br#"","ids":{"#);
        let hash = Begun::new(&bytes);
        let mut redacted: Vec<String> = meta
            .arguments()
            .iter()
            .flat_map(|argument| {
                let name = argument.name.replace('~', "~0").replace('/', "~1");
                argument.redact.iter().map(move |inside| format!("/{name}{inside}"))
            })
            .collect();
        redacted.extend_from_slice(more_redacted);
        let screened = meta.arguments().iter().any(|argument| argument.kind.is_some())
            || (origin != Origin::Governed && verb::runs_text(meta.name()));
        Self {
            agent,
            governor,
            meta,
            origin,
            serves: None,
            bytes,
            hash,
            redacted,
            screened,
            redacts_more: !more_redacted.is_empty(),
            #[cfg(feature = "screen")]
            noted: std::sync::OnceLock::new(),
        }
    }

    /// The same, of the calls of a function in a table.
    pub(crate) fn serving(self, table: u64, function: &'static ToolMeta) -> Self {
        Self {
            serves: Some((table, function)),
            ..self
        }
    }

    /// Whether it is that of the calls of a function in a table; where another function is declared alike, it may be all the same.
    #[inline(always)]
    pub(crate) fn serves(&self, table: u64, function: &'static ToolMeta) -> bool {
        matches!(self.serves, Some((own, of)) if own == table && std::ptr::eq(of, function))
    }

    /// Whether program or configuration redact more than the tool itself knows of.
    pub(crate) fn redacts_more(&self) -> bool {
        self.redacts_more
    }

    /// Whether the target that the tool gives may show what is redacted: made from it, or written before anybody said that
    /// it is.
    fn is_target_redacted(&self) -> bool {
        self.meta.is_target_redacted() || (self.redacts_more && self.origin == Origin::Governed)
    }

    pub(crate) fn meta(&self) -> &ToolMeta {
        &self.meta
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// The name of the governor that judges its calls.
    pub(crate) fn governor(&self) -> &str {
        &self.governor
    }

    /// The top-level arguments of which something is redacted.
    #[cfg(feature = "cli")]
    pub(crate) fn redacted_arguments(&self) -> Vec<String> {
        let pointers = self.redacted.iter().filter_map(|pointer| pointer.split('/').nth(1));
        pointers
            .map(|name| name.replace("~1", "/").replace("~0", "~"))
            .collect()
    }

    /// Bytes that the canonical form of a call has beyond its arguments and ids.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl ToolCall {
    /// A call from the bytes that follow its head.
    #[inline(always)]
    pub(crate) fn new(
        head: Arc<Head>,
        salt: Salt,
        tail: Vec<u8>,
        arguments_at: usize,
        session: Option<Arc<str>>,
        details: Option<Box<CallDetails>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            digest: head.hash.digest(&tail, salt.reveal()),
            salt,
            head,
            tail,
            arguments_at,
            session,
            details,
            found: AtomicU8::new(0),
        })
    }

    /// A place for a call, with nothing in it yet.
    pub(crate) fn blank(head: Arc<Head>) -> Arc<Self> {
        Arc::new(Self {
            head,
            tail: Vec::new(),
            arguments_at: 0,
            digest: Digest::ZERO,
            salt: Salt::NONE,
            session: None,
            details: None,
            found: AtomicU8::new(0),
        })
    }

    /// Notes what the screen made of it, for those who judge it next.
    pub(crate) fn screened(&self, decision: Decision) {
        self.found.store(decision as u8 + 1, Ordering::Relaxed);
    }

    #[cfg(feature = "engine")]
    /// What the screen made of it; none where nothing was found.
    pub(crate) fn found(&self) -> Option<Decision> {
        match self.found.load(Ordering::Relaxed) {
            2 => Some(Decision::Escalate),
            3 => Some(Decision::Deny),
            _ => None,
        }
    }

    /// The agent that calls.
    #[must_use]
    pub fn agent(&self) -> &AgentId {
        &self.head.agent
    }

    /// The tool's name.
    #[must_use]
    pub fn tool(&self) -> &str {
        self.head.meta.name()
    }

    /// What is known of the tool.
    #[must_use]
    pub fn meta(&self) -> &ToolMeta {
        &self.head.meta
    }

    /// Whether an argument is of a kind that the screen reads, by declaration or by the tool's name.
    #[cfg_attr(feature = "screen", expect(dead_code, reason = "the screen sees for itself"))]
    pub(crate) fn is_screened(&self) -> bool {
        self.head.screened && self.reveal_arguments() != "{}"
    }

    /// What a judge notes of the tool.
    #[cfg(feature = "screen")]
    #[inline(always)]
    fn any_noted<T: Noted>(&self, make: impl FnOnce(&ToolMeta) -> T) -> &dyn Noted {
        &**self.head.noted.get_or_init(|| Box::new(make(self.meta())))
    }

    /// The same; none, where another one noted something.
    #[cfg(feature = "screen")]
    pub(crate) fn noted<T: Noted>(&self, make: impl FnOnce(&ToolMeta) -> T) -> Option<&T> {
        let noted: &dyn std::any::Any = self.any_noted(make);
        noted.downcast_ref()
    }

    /// Whether what is noted of the tool says that there is nothing to be found in the arguments.
    #[cfg(feature = "screen")]
    #[inline(always)]
    pub(crate) fn says_nothing<T: Noted>(&self, make: impl FnOnce(&ToolMeta) -> T) -> bool {
        self.any_noted(make).says_nothing(self.argument_bytes())
    }

    pub(crate) fn head(&self) -> &Arc<Head> {
        &self.head
    }

    /// Where what is known of the tool comes from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.head.origin
    }

    /// The session that the call belongs to, if any.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Whether people may approve the call with other arguments: its tool is `exact`, and what it is aimed at can be told anew.
    #[cfg(feature = "engine")]
    pub(crate) fn is_editable(&self) -> bool {
        self.edits().is_some()
    }

    /// What makes the call with other arguments.
    #[cfg(feature = "engine")]
    pub(crate) fn edits(&self) -> Option<&dyn Redraft> {
        self.details.as_ref()?.edits.as_deref()
    }

    /// The entries of `ids`, as they stand in the canonical form.
    pub(crate) fn id_bytes(&self) -> &[u8] {
        let ids = self.tail.get(..self.arguments_at).unwrap_or_default();
        ids.strip_suffix(br#"},"arguments":"#).unwrap_or_default()
    }

    /// Whether it has more than arguments.
    pub(crate) fn has_details(&self) -> bool {
        self.details.is_some()
    }

    pub(crate) fn shared_session(&self) -> Option<Arc<str>> {
        self.session.clone()
    }

    /// The governed call whose body made this one, if any.
    #[must_use]
    pub fn parent(&self) -> Option<&EvaluationId> {
        self.details.as_ref()?.parent.as_ref()
    }

    /// What the caller added for the governor, if anything; never part of the canonical form.
    #[must_use]
    pub fn context(&self) -> Option<&serde_json::Map<String, serde_json::Value>> {
        self.details.as_ref()?.context.as_ref()
    }

    /// The data subject that the call is about, where the tool names one (`subject = expr`).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.details.as_ref()?.subject.as_deref()
    }

    /// The arguments as one JSON object in canonical form, redacted ones replaced by `"[redacted]"`. This is what may
    /// leave the process.
    #[must_use]
    pub fn arguments(&self) -> String {
        redact::redact(self.reveal_arguments(), &self.head.redacted)
    }

    /// The true arguments as one JSON object in canonical form. For judges in this process only: nothing of a redacted
    /// argument may reach a log, an error, a span or the network.
    #[must_use]
    pub fn reveal_arguments(&self) -> &str {
        // the writer wrote UTF-8
        std::str::from_utf8(self.argument_bytes()).unwrap_or("{}")
    }

    /// The bytes of [`reveal_arguments`](Self::reveal_arguments), for who reads nothing but ASCII in them.
    pub(crate) fn argument_bytes(&self) -> &[u8] {
        // `arguments_at..len - 1` is the object that the writer began there
        let arguments = self.tail.get(self.arguments_at..self.tail.len().saturating_sub(1));
        arguments.unwrap_or(b"{}")
    }

    /// Whether anything of the arguments is redacted.
    #[must_use]
    pub fn has_redactions(&self) -> bool {
        !self.head.redacted.is_empty()
    }

    /// What the call is aimed at, at most 200 characters: the tool's own `target`, else the first non-empty string among
    /// the arguments that usually name it (`target`, `path`, `file`, `url`, …), else the first string argument, else the
    /// tool's name. Made from nothing that is redacted.
    #[must_use]
    pub fn target(&self) -> String {
        match self.own_target() {
            Some(_) if self.head.is_target_redacted() => redact::REDACTED.to_owned(),
            Some(target) => target.chars().take(verb::TARGET_CHARS).collect(),
            None => verb::target_of(self.tool(), &self.arguments(), redact::REDACTED),
        }
    }

    fn own_target(&self) -> Option<&str> {
        self.details.as_ref()?.target.as_deref()
    }

    /// What the call is aimed at, redacted or not: for policies, which are judged in this process.
    #[cfg(feature = "cedar")]
    pub(crate) fn policy_target(&self) -> String {
        match self.own_target() {
            Some(target) => target.chars().take(verb::TARGET_CHARS).collect(),
            None => verb::target_of(self.tool(), self.reveal_arguments(), ""),
        }
    }

    /// What kind of thing the tool's own target is; nothing of a redacted one.
    pub(crate) fn target_kind(&self) -> TargetKind {
        match self.own_target() {
            None => TargetKind::None,
            Some(_) if self.head.is_target_redacted() => TargetKind::Redacted,
            Some(target) => TargetKind::of(target),
        }
    }

    /// How long the arguments are, in canonical form.
    pub(crate) fn arguments_len(&self) -> usize {
        self.tail.len().saturating_sub(self.arguments_at + 1)
    }

    /// The target that the tool declares, redacted or not: for what is sealed.
    #[cfg(feature = "sqlite")]
    pub(crate) fn reveal_target(&self) -> Option<&str> {
        self.own_target()
    }

    /// What gives state and receiver their identity in the canonical form, as a JSON object; none where there is none.
    #[cfg(feature = "sqlite")]
    pub(crate) fn reveal_ids(&self) -> Option<Vec<u8>> {
        let ids = self.id_bytes();
        (!ids.is_empty()).then(|| [b"{", ids, b"}"].concat())
    }

    /// Whether anything of a top-level argument is redacted.
    #[cfg(any(feature = "engine", feature = "sqlite"))]
    pub(crate) fn is_redacted(&self, argument: &str) -> bool {
        self.head
            .redacted
            .iter()
            .any(|pointer| redact::reaches(pointer, argument))
    }

    /// The target that the tool declares, where it may be shown; costs nothing when there is none.
    pub(crate) fn declared_target(&self) -> Option<Box<str>> {
        self.own_target()?;
        Some(self.target().into_boxed_str())
    }

    /// SHA-256 over the canonical form and this record's salt.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The salt of [`digest`](Self::digest).
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The whole canonical form, true values included: for judges in this process only.
    #[must_use]
    pub fn reveal_canonical(&self) -> Vec<u8> {
        [self.head.bytes.as_slice(), self.tail.as_slice()].concat()
    }

    /// HMAC-SHA-256 of the canonical form under the store's key: what a ticket is bound to. Never logged, sent or
    /// exported.
    #[cfg(any(feature = "engine", feature = "sqlite"))]
    pub(crate) fn binding(&self, key: &[u8; 32]) -> [u8; 32] {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        use sha2::Sha256;
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            // HMAC takes keys of any length (RFC 2104)
            return [0; 32];
        };
        mac.update(&self.head.bytes);
        mac.update(&self.tail);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("agent", self.agent())
            .field("tool", &self.tool())
            .field("digest", &self.digest)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
