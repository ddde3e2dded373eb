//! Assertions on refusals, whatever error type carries them.

use std::error::Error;
use std::fmt::Debug;

use crate::error::GovernanceDenied;

/// Asserts that a governed call was refused, optionally with a code, and gives the [`GovernanceDenied`]. An escalation is a
/// refusal too, as long as nobody approved.
///
/// The error may be a [`GovernanceDenied`], an error that has one as its source, an `anyhow::Error` or a boxed error. It
/// cannot be seen through `#[error(transparent)]` of `thiserror`.
///
/// # Examples
///
/// ```
/// use managed_agents::{DenialKind, GovernanceDenied, assert_denied};
/// let result: Result<(), _> = Err(GovernanceDenied::new(DenialKind::Denied, "closed", "the shop is closed"));
/// let denied = assert_denied!(result, "closed");
/// assert_eq!(denied.reason_for_model(), "the shop is closed");
/// ```
#[macro_export]
macro_rules! assert_denied {
    ($result:expr $(, $code:expr)? $(,)?) => {
        match $result {
            ::core::result::Result::Ok(_) => ::std::panic!("the call ran; it should have been refused"),
            ::core::result::Result::Err(error) => {
                use $crate::testing::{DenialByError as _, DenialByRef as _};
                let denied = $crate::testing::expect_denial((&$crate::testing::Probe(&error)).denial(), &error);
                $(::core::assert_eq!(denied.code(), $code, "refused for another reason: {denied}");)?
                denied
            }
        }
    };
}

/// Asserts that a governed call was escalated to a person, optionally with a code, and gives the [`GovernanceDenied`]. See
/// [`assert_denied!`](crate::assert_denied).
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::{Harness, assert_escalated};
/// let harness = Harness::builder().in_memory().agent_id("test").build().await?;
/// assert_escalated!(harness.govern("never_heard_of", "{}").await, "undeclared_name");
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! assert_escalated {
    ($result:expr $(, $code:expr)? $(,)?) => {{
        let denied = $crate::assert_denied!($result $(, $code)?);
        ::core::assert_eq!(denied.kind(), $crate::DenialKind::Escalated, "refused, not escalated: {denied}");
        denied
    }};
}

/// An error in which a refusal is looked for.
#[doc(hidden)]
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "written by the macros above")]
pub struct Probe<'a, E>(pub &'a E);

/// For errors that are `Error`.
pub trait DenialByError {
    /// The refusal, if there is one.
    fn denial(&self) -> Option<GovernanceDenied>;
}

impl<E: Error + 'static> DenialByError for &Probe<'_, E> {
    fn denial(&self) -> Option<GovernanceDenied> {
        find(self.0)
    }
}

/// For errors that only lead to one, such as `anyhow::Error`.
pub trait DenialByRef {
    /// The refusal, if there is one.
    fn denial(&self) -> Option<GovernanceDenied>;
}

impl<E: AsRef<dyn Error + Send + Sync>> DenialByRef for Probe<'_, E> {
    fn denial(&self) -> Option<GovernanceDenied> {
        find(self.0.as_ref())
    }
}

fn find(error: &(dyn Error + 'static)) -> Option<GovernanceDenied> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(denied) = error.downcast_ref::<GovernanceDenied>() {
            return Some(denied.clone());
        }
        next = error.source();
    }
    None
}

/// The refusal that was found.
///
/// # Panics
///
/// When there is none: that is what an assertion is for.
#[track_caller]
#[must_use]
#[expect(clippy::panic, reason = "an assertion of the user's test")]
pub fn expect_denial(found: Option<GovernanceDenied>, error: &dyn Debug) -> GovernanceDenied {
    match found {
        Some(denied) => denied,
        None => panic!("the call failed, and no refusal can be seen in its error: {error:?}"),
    }
}
