//! Stopping what runs: one call, a session, an agent, or everything.
//!
//! A stop closes admission first: the transaction that writes a decision sees it, in every process that shares the record, so
//! that no body begins after it. Then bodies that run are cancelled at their next await: at once in this process, within
//! 100 ms in another. What cannot be cancelled (`cancel = finish`, `blocking`, a permit that somebody else runs) is told, by
//! [`stopping`](crate::stopping) and [`stopped`](crate::stopped), and its outcome says so. A stop holds until it is resumed,
//! but for that of a single call, which ends with the call.
//!
//! What each of these does is told in the guide `docs/interrupts.md`.
//!
//! # Examples
//!
//! ```
//! use managed_agents::interrupt::Stop;
//! use managed_agents::{DenialKind, Harness, Outcome, Risk, ToolMeta};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let harness = Harness::builder()
//!     .in_memory()
//!     .agent_id("support-bot")
//!     .declare(ToolMeta::new("lookup").with_risk(Risk::Low))
//!     .build()
//!     .await?;
//! let stop = Stop::everything().because("runaway");
//! harness.stop(&stop).await?;
//! let denied = harness.govern("lookup", "{}").await.unwrap_err();
//! assert_eq!((denied.kind(), denied.code()), (DenialKind::Interrupted, "interrupted"));
//! harness.resume(stop.target(), "looked_at").await?;
//! harness.govern("lookup", "{}").await?.finish(Outcome::Ok);
//! # Ok(()) }
//! ```

mod board;
mod error;
mod target;

#[cfg(feature = "sqlite")]
pub(crate) use board::Logged;
pub(crate) use board::Watched;
pub use board::{Interrupts, StopRecord};
pub use error::{InterruptError, InterruptErrorKind};
pub(crate) use target::is_reason;
pub use target::{Stop, Target};
