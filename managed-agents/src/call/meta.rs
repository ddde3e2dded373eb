//! What is known of a tool before any call of it: its name, and what it can do.

mod tightened;

use std::borrow::Cow;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::digest::Digest;
use crate::word::words;

/// How much harm one call of a tool can do.
///
/// # Examples
///
/// ```
/// use managed_agents::Risk;
/// assert!(Risk::High > Risk::Medium);
/// assert_eq!(Risk::Critical.to_string(), "critical");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a new level must break the code that ranks them")]
pub enum Risk {
    /// Nothing that anyone would miss.
    Low,
    /// Ordinary work; what an undeclared tool counts as.
    Medium,
    /// A person should look first: escalated unless policy says otherwise.
    High,
    /// As `High`; the word for what could end the business.
    Critical,
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

words!(Risk {
    Low => "low",
    Medium => "medium",
    High => "high",
    Critical => "critical",
});

/// Whether what a tool did can be undone.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a new kind must break the code that judges them")]
pub enum Reversibility {
    /// Not declared.
    #[default]
    Unknown,
    /// It can be undone.
    Reversible,
    /// It cannot be undone: escalated unless policy says otherwise.
    Irreversible,
    /// Another function undoes it (`compensate = path`).
    Compensable,
}

words!(Reversibility {
    Unknown => "unknown",
    Reversible => "reversible",
    Irreversible => "irreversible",
    Compensable => "compensable",
});

/// What an argument's text means, and so which check of the screen reads it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ArgKind {
    /// A command line for a shell.
    Shell,
    /// One or more SQL statements.
    Sql,
    /// A path in a file system.
    Path,
    /// A URL.
    Url,
}

words!(ArgKind {
    Shell => "shell",
    Sql => "sql",
    Path => "path",
    Url => "url",
});

/// What part of a call a parameter is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Judged {
    /// An argument: its value enters the canonical call.
    Yes,
    /// `skip`: not judged; the record names it.
    Skipped,
    /// Injected state: not judged; the record names it.
    State,
    /// `self`: not judged; the record names it.
    Receiver,
    /// State or `self` whose identity enters the canonical call.
    Identity,
}

/// What becomes of a running body when its caller goes away.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Cancel {
    /// The body is dropped at its next await.
    #[default]
    Drop,
    /// The body is run to its end.
    Finish,
}

/// One parameter of a tool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "written by the expansion of `#[governed]`")]
pub struct ArgumentMeta {
    /// Its name, as the model and the canonical call know it.
    pub name: &'static str,
    /// What part of the call it is.
    pub judged: Judged,
    /// What its text means, if declared.
    pub kind: Option<ArgKind>,
    /// JSON pointers (RFC 6901) of what is redacted inside it; `""` is all of it.
    pub redact: &'static [&'static str],
}

/// What is known of a tool before any call of it.
///
/// `#[governed]` writes one for each function; for tools that are known by name alone it is built by hand and given to
/// the harness with `declare`.
///
/// # Examples
///
/// ```
/// use managed_agents::{Risk, ToolMeta};
/// let meta = ToolMeta::new("delete_branch").with_risk(Risk::High).irreversible();
/// assert_eq!(meta.risk(), Risk::High);
/// assert!(meta.is_declared());
/// ```
#[derive(Clone, Debug)]
pub struct ToolMeta {
    name: Cow<'static, str>,
    description: Cow<'static, str>,
    action: Option<Cow<'static, str>>,
    compensate: Option<&'static str>,
    risk: Option<Risk>,
    reversibility: Reversibility,
    read_only: bool,
    idempotent: bool,
    arguments: Cow<'static, [ArgumentMeta]>,
    target_redacted: bool,
    timeout: Option<Duration>,
    cancel: Cancel,
    blocking: bool,
    exact: bool,
    declared: bool,
    definition: Digest,
}

/// The fields of a [`ToolMeta`], as the expansion of `#[governed]` states them.
#[doc(hidden)]
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "written by the expansion of `#[governed]`")]
pub struct MetaParts {
    pub name: &'static str,
    pub description: &'static str,
    pub action: Option<&'static str>,
    pub compensate: Option<&'static str>,
    pub risk: Option<Risk>,
    pub reversibility: Reversibility,
    pub read_only: bool,
    pub idempotent: bool,
    pub arguments: &'static [ArgumentMeta],
    pub target_redacted: bool,
    pub timeout: Option<Duration>,
    pub cancel: Cancel,
    pub blocking: bool,
    pub exact: bool,
    pub declared: bool,
    pub definition: [u8; 32],
}

impl ToolMeta {
    /// Metadata of a tool that is known by name alone; nothing is declared yet.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            description: Cow::Borrowed(""),
            action: None,
            compensate: None,
            risk: None,
            reversibility: Reversibility::Unknown,
            read_only: false,
            idempotent: false,
            arguments: Cow::Borrowed(&[]),
            target_redacted: false,
            timeout: None,
            cancel: Cancel::Drop,
            blocking: false,
            exact: false,
            declared: false,
            definition: Digest::ZERO,
        }
        .defined()
    }

    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a constant is made of it")]
    pub const fn from_macro(parts: MetaParts) -> Self {
        Self {
            name: Cow::Borrowed(parts.name),
            description: Cow::Borrowed(parts.description),
            action: match parts.action {
                Some(action) => Some(Cow::Borrowed(action)),
                None => None,
            },
            compensate: parts.compensate,
            risk: parts.risk,
            reversibility: parts.reversibility,
            read_only: parts.read_only,
            idempotent: parts.idempotent,
            arguments: Cow::Borrowed(parts.arguments),
            target_redacted: parts.target_redacted,
            timeout: parts.timeout,
            cancel: parts.cancel,
            blocking: parts.blocking,
            exact: parts.exact,
            declared: parts.declared,
            definition: Digest::new(parts.definition),
        }
    }

    /// Says what the tool does, in a sentence for a model or a person.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = description.into();
        self.defined()
    }

    /// Sets the verb that governance services know the tool by.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<Cow<'static, str>>) -> Self {
        self.action = Some(action.into());
        self.defined()
    }

    /// Declares the risk.
    #[must_use]
    pub fn with_risk(mut self, risk: Risk) -> Self {
        self.risk = Some(risk);
        self.declared = true;
        self.defined()
    }

    /// Declares that what the tool does cannot be undone.
    #[must_use]
    pub fn irreversible(mut self) -> Self {
        self.reversibility = Reversibility::Irreversible;
        self.declared = true;
        self.defined()
    }

    /// Declares that what the tool does can be undone.
    #[must_use]
    pub fn reversible(mut self) -> Self {
        self.reversibility = Reversibility::Reversible;
        self.declared = true;
        self.defined()
    }

    /// Declares that the tool changes nothing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self.declared = true;
        self.defined()
    }

    /// Declares what the text of an argument means, for the screen.
    #[must_use]
    pub fn with_argument(mut self, name: &'static str, kind: ArgKind) -> Self {
        self.arguments.to_mut().push(ArgumentMeta {
            name,
            judged: Judged::Yes,
            kind: Some(kind),
            redact: &[],
        });
        self.defined()
    }

    /// The tool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the tool does; empty when nobody said.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The verb that was declared for it, if any.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// The path of the function that undoes it, as written.
    #[must_use]
    pub fn compensate(&self) -> Option<&'static str> {
        self.compensate
    }

    /// The declared risk; [`Risk::Medium`] when none is.
    #[must_use]
    pub fn risk(&self) -> Risk {
        self.risk.unwrap_or(Risk::Medium)
    }

    /// Whether what it does can be undone.
    #[must_use]
    pub fn reversibility(&self) -> Reversibility {
        self.reversibility
    }

    /// Whether it changes nothing, by its own declaration.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether calling it twice is as calling it once, by its own declaration.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Its parameters, in the order of the declaration, the receiver first.
    #[must_use]
    pub fn arguments(&self) -> &[ArgumentMeta] {
        &self.arguments
    }

    /// The names of the parameters that do not enter the canonical call.
    pub fn not_judged(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.arguments
            .iter()
            .filter(|a| !matches!(a.judged, Judged::Yes | Judged::Identity))
            .map(|a| a.name)
    }

    /// Whether `target` was made from a redacted argument.
    pub(crate) fn is_target_redacted(&self) -> bool {
        self.target_redacted
    }

    /// How long a body may run after it was allowed.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// What becomes of a running body when its caller goes away.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel
    }

    /// Whether it is a synchronous function.
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        self.blocking
    }

    /// Whether the body receives the values decoded from the judged bytes.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether anything was declared: risk, reversibility, or that it only reads.
    #[must_use]
    pub fn is_declared(&self) -> bool {
        self.declared
    }

    /// SHA-256 over name, description, attribute keys, and the names and types of the parameters as written: another
    /// definition is another tool.
    #[must_use]
    pub fn definition(&self) -> Digest {
        self.definition
    }

    /// A harm that a person must confirm: high, critical or irreversible.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        self.risk() >= Risk::High || self.reversibility == Reversibility::Irreversible
    }

    /// Recomputes the definition digest of metadata that no macro made.
    fn defined(mut self) -> Self {
        let mut hash = Sha256::new();
        for part in [
            "ma-definition/1",
            &self.name,
            &self.description,
            self.action.as_deref().unwrap_or(""),
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(format!(
            "{:?} {:?} {} {}",
            self.risk, self.reversibility, self.read_only, self.idempotent
        ));
        for argument in self.arguments.iter() {
            hash.update(format!("{argument:?}"));
        }
        self.definition = Digest::new(hash.finalize().into());
        self
    }
}
