//! Shared helpers of the integration tests.

pub mod http;
/// The stand-in for Managed Agents that the examples use as well.
#[path = "../examples/support/managed/mod.rs"]
pub mod managed;
pub mod support;
pub mod vectors;

#[cfg(doctest)]
#[doc = include_str!("../managed-agents-macros/src/governed.md")]
mod governed {}
