//! The audit log in the formats of other systems, and text from outside as each of them needs it.

mod untrusted;

pub use untrusted::Untrusted;
