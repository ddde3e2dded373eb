//! Shared helpers of the integration tests.

#[cfg(doctest)]
#[doc = include_str!("../managed-agents-macros/src/governed.md")]
mod governed {}
