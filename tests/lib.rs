//! Shared helpers of the integration tests.

pub mod http;
pub mod support;

#[cfg(doctest)]
#[doc = include_str!("../managed-agents-macros/src/governed.md")]
mod governed {}
