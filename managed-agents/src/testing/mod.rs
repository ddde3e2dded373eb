//! For users' own tests: a harness that allows everything, a governor that plays a script, assertions, a clock that
//! stands still.
//!
//! # Examples
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use managed_agents::testing::FakeGovernor;
//! use managed_agents::{GovernanceDenied, Harness, Reason, Verdict, assert_denied, governed};
//!
//! /// Closes an account.
//! #[governed(risk = low, reversible)]
//! async fn close_account(id: u64) -> Result<(), GovernanceDenied> {
//!     let _ = id;
//!     Ok(())
//! }
//!
//! let governor = FakeGovernor::new()
//!     .then(Verdict::allow())
//!     .then(Verdict::deny(Reason::new("closed", "the shop is closed")));
//! let harness = Harness::builder().in_memory().agent_id("test").governor(governor.clone()).build().await?;
//!
//! harness.scope(close_account(1)).await?;
//! assert_denied!(harness.scope(close_account(2)).await, "closed");
//! assert_eq!(governor.calls()[1].reveal_arguments(), r#"{"id":2}"#);
//! # Ok(()) }
//! ```

mod assert;
mod fake;

#[doc(hidden)]
pub use assert::{DenialByError, DenialByRef, Probe, expect_denial};
pub use fake::FakeGovernor;

pub use crate::clock::VirtualClock;

use crate::answer::Answer;
use crate::call::ToolCall;
use crate::governor::{Governor, GovernorError, Judgement};
use crate::harness::{BuildError, Harness};
use crate::verdict::Verdict;
use std::sync::Arc;

/// A harness that runs every call, recorded as not enforced: for tests of a tool's own logic, and for nothing else.
///
/// # Errors
///
/// [`BuildError`] when the operating system gives no random bytes.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use managed_agents::testing::dangerous_allow_all;
/// let harness = dangerous_allow_all()?;
/// harness.govern("format_disk", "{}").await?.finish(managed_agents::Outcome::Ok);
/// assert!(!harness.records()[0].decision().is_enforced());
/// # Ok(()) }
/// ```
pub fn dangerous_allow_all() -> Result<Harness, BuildError> {
    Harness::builder()
        .in_memory()
        .agent_id("test")
        .governor(AllowAll)
        .dangerous()
        .observe_only()
        .build_blocking()
}

struct AllowAll;

impl Governor for AllowAll {
    fn name(&self) -> &'static str {
        "allow_all"
    }

    fn decide(&self, _call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        Answer::ready(Ok(Verdict::allow().into()))
    }
}
