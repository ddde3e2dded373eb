//! Decoding one argument, and what is said when that fails.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;

use super::described::{JsonSchema, Schema, SchemaGenerator};
use super::parts::{Parts, shown};
use crate::call::ToolMeta;
use crate::call::strict::StrictFault;
use crate::error::{DenialKind, GovernanceDenied};

/// A type that an argument of a tool can have: whatever serde reads and schemars describes.
///
/// Implemented for every such type; not meant to be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` cannot be read from a model's JSON",
    label = "not both `Deserialize` and `JsonSchema`",
    note = "derive both on the type: `#[derive(serde::Deserialize, schemars::JsonSchema)]`",
    note = "or inject the value with `#[governed(state)]`, or give up the tool with `#[governed(no_tool)]`"
)]
pub trait ToolArg<'de>: Sized {
    /// Decodes the argument of this place.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] names the argument and says what is wrong with it.
    fn take(parts: &Parts<'de>, index: usize) -> Result<Self, ArgumentError>;

    /// The JSON Schema of the type.
    fn schema(generator: &mut SchemaGenerator) -> Schema;

    /// Whether the argument must be given: it must when its type does not read `null`.
    fn required() -> bool;
}

#[diagnostic::do_not_recommend]
impl<'de, T: Deserialize<'de> + JsonSchema> ToolArg<'de> for T {
    fn take(parts: &Parts<'de>, index: usize) -> Result<Self, ArgumentError> {
        serde_json::from_str(parts.json(index).unwrap_or("null")).map_err(|error| refuse(parts, index, &error))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }

    fn required() -> bool {
        serde_json::from_str::<T>("null").is_err()
    }
}

/// Decodes an argument from the judged bytes (`exact`).
///
/// # Errors
///
/// A denial: the value that was judged does not read back as its own type, so it is not what would run.
pub fn take_judged<'de, T: ToolArg<'de>>(parts: &Parts<'de>, index: usize) -> Result<T, GovernanceDenied> {
    T::take(parts, index).map_err(|error| not_exact(error.argument().unwrap_or("?")))
}

/// An argument that a person wrote in the place of the caller's.
#[expect(clippy::missing_errors_doc, reason = "called by generated code only")]
pub fn take_edited<'de, T: ToolArg<'de>>(parts: &Parts<'de>, index: usize) -> Result<T, GovernanceDenied> {
    T::take(parts, index).map_err(|error| not_edited(error.argument()))
}

/// What was written shows in no message: it may be of an argument that is redacted.
#[cold]
pub(super) fn not_edited(argument: Option<&str>) -> GovernanceDenied {
    let what = match argument {
        Some(argument) => format!("argument `{argument}` as a person changed it is not of its type"),
        None => "the arguments as a person changed them are not those of the tool".to_owned(),
    };
    GovernanceDenied::new(DenialKind::InvalidArguments, "edit_unfit", what)
}

#[cold]
pub(super) fn not_exact(argument: &str) -> GovernanceDenied {
    GovernanceDenied::new(
        DenialKind::InvalidArguments,
        "not_exact",
        "an argument cannot be judged exactly as it would run; the tool was not run",
    )
    .with_detail(format!(
        "argument `{argument}` does not decode from what it serialises to; make its `Serialize` and `Deserialize` agree"
    ))
}

#[cold]
fn refuse(parts: &Parts<'_>, index: usize, error: &serde_json::Error) -> ArgumentError {
    let fault = match parts.json(index) {
        None => Fault::Missing,
        Some(_) => Fault::Type(bare(error)),
    };
    ArgumentError::of(parts.name(index), fault)
}

/// The arguments of a call cannot be read. `Display` is a sentence that a model can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError {
    argument: Option<Cow<'static, str>>,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Missing,
    Twice,
    /// With what the tool takes.
    Unknown(&'static [&'static str]),
    /// With serde's sentence.
    Type(String),
    /// With the key.
    NestedTwice(String),
    TooDeep,
    TooLarge,
    NotAnObject,
    /// With serde's sentence.
    Syntax(String),
    /// What is wrong may not be said: the argument is redacted.
    Unsaid,
}

impl Fault {
    pub(super) fn strict(fault: StrictFault) -> Self {
        match fault {
            StrictFault::Twice(key) => Self::NestedTwice(shown(&key).into_owned()),
            StrictFault::TooDeep => Self::TooDeep,
            StrictFault::Syntax(error) => Self::syntax(&error),
        }
    }

    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self::Syntax(bare(error))
    }
}

impl ArgumentError {
    pub(super) fn of(argument: &'static str, fault: Fault) -> Self {
        Self {
            argument: Some(Cow::Borrowed(argument)),
            fault,
        }
    }

    pub(super) fn whole(fault: Fault) -> Self {
        Self { argument: None, fault }
    }

    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self::whole(Fault::syntax(error))
    }

    pub(super) fn unknown(key: &str, names: &'static [&'static str]) -> Self {
        Self {
            argument: Some(Cow::Owned(shown(key).into_owned())),
            fault: Fault::Unknown(names),
        }
    }

    /// The argument that is wrong; `None` when the whole is.
    #[must_use]
    pub fn argument(&self) -> Option<&str> {
        self.argument.as_deref()
    }

    /// The same, without what would show a part of a redacted argument (law 7).
    pub(super) fn redacted(mut self, meta: &ToolMeta) -> Self {
        let tells = matches!(self.fault, Fault::Type(_) | Fault::NestedTwice(_) | Fault::Syntax(_));
        let redacts = |a: &&crate::call::ArgumentMeta| !a.redact.is_empty();
        let hidden = match self.argument() {
            Some(name) => meta.arguments().iter().filter(redacts).any(|a| a.name == name),
            None => meta.arguments().iter().any(|a| redacts(&a)),
        };
        if tells && hidden {
            self.fault = Fault::Unsaid;
        }
        self
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(argument) = &self.argument else {
            return match &self.fault {
                Fault::TooLarge => f.write_str("the arguments are over 1 MiB"),
                Fault::NotAnObject => f.write_str("the arguments must be one JSON object"),
                Fault::Syntax(detail) => write!(f, "the arguments are not valid JSON: {detail}"),
                _ => f.write_str("the arguments are not valid"),
            };
        };
        match &self.fault {
            Fault::Missing => write!(f, "argument `{argument}` is missing"),
            Fault::Twice => write!(f, "argument `{argument}` is given twice"),
            Fault::Unknown([]) => write!(f, "unknown argument `{argument}`; this tool takes none"),
            Fault::Unknown(names) => {
                write!(f, "unknown argument `{argument}`; this tool takes ")?;
                for (i, name) in names.iter().enumerate() {
                    write!(f, "{}`{name}`", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Fault::Type(detail) | Fault::Syntax(detail) => {
                write!(f, "argument `{argument}`: {detail}")
            }
            Fault::NestedTwice(key) => {
                write!(f, "argument `{argument}`: the key `{key}` is given twice")
            }
            Fault::TooDeep => write!(f, "argument `{argument}` is nested more than 64 deep"),
            Fault::TooLarge | Fault::NotAnObject | Fault::Unsaid => {
                write!(f, "argument `{argument}` does not fit its schema")
            }
        }
    }
}

impl std::error::Error for ArgumentError {}

/// Serde's sentence, without a position in a text that nobody sees.
fn bare(error: &serde_json::Error) -> String {
    const CHARS: usize = 500;
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
