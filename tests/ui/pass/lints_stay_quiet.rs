//! Nothing that is generated is ever complained about.
#![deny(warnings, missing_docs, unused, unreachable_pub, rust_2018_idioms, missing_debug_implementations, missing_copy_implementations)]
#![deny(single_use_lifetimes, unused_qualifications, unused_lifetimes, elided_lifetimes_in_paths, unnameable_types)]
//! Crate.
use managed_agents::{governed, GovernanceDenied};

/// A module.
pub mod tools {
    use super::{governed, GovernanceDenied};

    /// Public.
    #[governed(risk = low)]
    pub async fn public(a: &str, mut b: Vec<u8>, _unused: u8) -> Result<usize, GovernanceDenied> {
        b.push(1);
        Ok(a.len() + b.len())
    }

    /// Decoded anew.
    #[governed(exact)]
    pub async fn exact(a: String, mut b: Vec<u8>) -> Result<usize, GovernanceDenied> {
        b.push(1);
        Ok(a.len() + b.len())
    }

    #[governed]
    pub(crate) async fn within(a: u8) -> Result<u8, GovernanceDenied> {
        Ok(a)
    }

    /// One expression.
    #[governed(blocking)]
    pub fn blocking(a: u8) -> Result<u8, GovernanceDenied> {
        Ok(a)
    }

    /// A unit.
    #[governed]
    #[must_use]
    pub async fn nothing() -> Result<(), GovernanceDenied> {
        Ok(())
    }

    /// Never comes back.
    #[governed]
    pub async fn never() -> Result<std::convert::Infallible, GovernanceDenied> {
        loop {
            std::future::pending::<()>().await;
        }
    }

    /// Mailer.
    #[derive(Debug, Clone, Copy)]
    pub struct Mailer;

    #[governed]
    impl Mailer {
        /// Sends.
        #[governed]
        pub async fn send(&self, to: &str) -> Result<usize, GovernanceDenied> {
            Ok(to.len())
        }

        #[governed]
        pub(crate) async fn resend(&self, #[allow(unused_variables)] to: &str) -> Result<usize, GovernanceDenied> {
            Ok(1)
        }
    }
}

/// A private module, whose public items nobody reaches.
mod private {
    #![allow(dead_code)]
    use super::{governed, GovernanceDenied};
    #[allow(missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
    pub struct Hidden;
    #[governed]
    impl Hidden {
        #[governed]
        #[expect(unreachable_pub)]
        pub async fn send(&self) -> Result<u8, GovernanceDenied> {
            Ok(1)
        }
    }
    #[governed]
    #[expect(unreachable_pub)]
    pub async fn hidden() -> Result<u8, GovernanceDenied> {
        Ok(1)
    }
}

fn main() {
    let _ = tools::within::tool();
    let _ = tools::Mailer.resend("x");
}
