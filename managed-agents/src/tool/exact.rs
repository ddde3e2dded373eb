//! Decoding the arguments from the bytes that were judged (`exact`).

use super::argument::ToolArg;
use super::parts::Parts;
use crate::error::{DenialKind, GovernanceDenied};
use crate::harness::Judged;

impl Judged {
    /// The judged arguments, split by name.
    ///
    /// # Errors
    ///
    /// A denial when they are not the arguments that the function has.
    pub fn parts(&self, names: &'static [&'static str]) -> Result<Parts<'_>, GovernanceDenied> {
        Parts::split(self.arguments(), names)
            .map_err(|error| not_exact(error.argument().unwrap_or("?")))
    }
}

/// Decodes an argument from the judged bytes (`exact`).
///
/// # Errors
///
/// A denial: the value that was judged does not read back as its own type, so it is not what would run.
pub fn take_judged<'de, T: ToolArg<'de>>(
    parts: &Parts<'de>,
    index: usize,
) -> Result<T, GovernanceDenied> {
    T::take(parts, index).map_err(|error| not_exact(error.argument().unwrap_or("?")))
}

#[cold]
fn not_exact(argument: &str) -> GovernanceDenied {
    GovernanceDenied::new(
        DenialKind::InvalidArguments,
        "not_exact",
        "an argument cannot be judged exactly as it would run; the tool was not run",
    )
    .with_detail(format!(
        "argument `{argument}` does not decode from what it serialises to; make its `Serialize` and `Deserialize` agree"
    ))
}
