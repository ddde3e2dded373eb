//! What the integration tests share.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper of tests: it fails by panicking"
)]

pub mod governance_server;

use std::ffi::OsString;

/// The program that a variable of the environment names. Set and empty names none: that is how scripts and CI switch one
/// off.
#[must_use]
pub fn program(variable: &str) -> Option<OsString> {
    named(std::env::var_os(variable))
}

fn named(value: Option<OsString>) -> Option<OsString> {
    value.filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_set_and_empty_names_no_program() {
        assert_eq!(named(Some(OsString::new())), None);
        assert_eq!(named(None), None);
        assert_eq!(named(Some("python3".into())), Some("python3".into()));
    }
}
