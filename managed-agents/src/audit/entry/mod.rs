//! The entries of the audit log: their bytes, what they commit to, and reading them back.
//!
//! An entry is one JSON object in the form of RFC 8785, under 64 KiB, of the format `ma-entry/1`. It says who called what,
//! when, and what was decided; it never holds the value of an argument. What was in an argument, a target or a span is
//! committed to: the entry has SHA-256 over a fresh salt, the place, and the bytes ([`commitment`]). Salt and bytes are
//! kept apart ([`Sealed`]), where they can be erased, and the log still verifies (the pattern of RFC 9901, SD-JWT).

mod commit;
mod decision;
mod error;
mod outcome;
mod pending;
mod read;
mod scan;
mod statement;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub use commit::commitment;
pub use decision::{DecisionContext, decision};
pub use error::{EntryError, EntryErrorKind};
pub use outcome::{outcome, unknown_outcome};
pub use pending::{IndexColumns, PendingEntry, Sealed};
pub(crate) use read::SealedRef;
pub use read::{Commitment, Entry};
pub(crate) use scan::Members;
pub use statement::{Statement, statement};
pub use writer::clip;

/// The format's name, as each entry states it.
pub const FORMAT: &str = "ma-entry/1";

/// No entry has more bytes: what a C2SP `tlog-tiles` entry bundle can hold.
pub const MAX_BYTES: usize = 65_535;
