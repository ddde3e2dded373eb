//! Shared helpers of the integration tests.

pub mod http;
pub mod support;
pub mod vectors;

#[cfg(doctest)]
#[doc = include_str!("../managed-agents-macros/src/governed.md")]
mod governed {}
