//! What a governed function takes and returns.

use serde::Serialize;

use crate::call::{CanonicalError, CanonicalWriter};
use crate::error::GovernanceDenied;
use crate::outcome::Outcome;

/// A return type through which a denial can be reported: `Result<_, E>` where `E: From<GovernanceDenied>`.
#[diagnostic::on_unimplemented(
    message = "a `#[governed]` tool cannot report a denial through `{Self}`",
    label = "must be `Result<_, E>` where `E: From<GovernanceDenied>`",
    note = "implement `From<managed_agents::GovernanceDenied>` for your error type, or return `anyhow::Result<_>` or \
            `Result<_, GovernanceDenied>`"
)]
pub trait GovernedReturn {
    /// The value that says that the call was refused.
    fn from_denial(denied: GovernanceDenied) -> Self;

    /// How the body ended, seen from its value.
    fn outcome(&self) -> Outcome;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<GovernanceDenied>> GovernedReturn for Result<T, E> {
    fn from_denial(denied: GovernanceDenied) -> Self {
        Err(denied.into())
    }

    fn outcome(&self) -> Outcome {
        if self.is_ok() { Outcome::Ok } else { Outcome::Error }
    }
}

/// An argument that can be judged: anything that is `Serialize`.
#[diagnostic::on_unimplemented(
    message = "argument type `{Self}` cannot be shown to the governance policy",
    label = "not `Serialize`",
    note = "derive `serde::Serialize` for it, or leave it out of judgement with `#[governed(skip(name))]` or, for \
            injected state, `#[governed(state)]` on the argument"
)]
pub trait GovernedArgument {
    #[doc(hidden)]
    fn write(&self, writer: &mut ArgumentWriter<'_>) -> Result<(), CanonicalError>;
}

/// Where an argument is written; opaque.
#[derive(Debug)]
pub struct ArgumentWriter<'a>(pub(super) &'a mut CanonicalWriter);

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> GovernedArgument for T {
    fn write(&self, writer: &mut ArgumentWriter<'_>) -> Result<(), CanonicalError> {
        writer.0.value(self)
    }
}
