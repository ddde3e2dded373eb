//! Functions that cannot be governed at all.

use syn::{Attribute, Signature};

use super::shape::Unfit;
use crate::diagnostics::Errors;

/// What the signature says of itself.
pub(crate) fn signature(signature: &Signature, attributes: &[Attribute], errors: &mut Errors) {
    if let Some(keyword) = &signature.constness {
        errors.on(
            keyword,
            "a `const fn` cannot be governed: nobody can be asked while the compiler evaluates it",
        );
    }
    if let syn::Safety::Unsafe(keyword) = &signature.safety {
        errors.on(
            keyword,
            "an `unsafe fn` cannot be governed: no agent can uphold its contract; wrap it in a safe function",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.on(abi, "an `extern` function cannot be governed: its callers do not know of denials; govern the Rust function behind it");
    }
    if let Some(variadic) = &signature.variadic {
        errors.on(
            variadic,
            "a variadic function cannot be governed: the policy needs every argument",
        );
    }
    if signature.ident == "main" {
        errors.on(
            &signature.ident,
            "`main` cannot be governed: no harness exists before it; govern the functions that it calls",
        );
    }
    if signature.asyncness.is_some()
        && let Some(test) = test(attributes).filter(|test| test.path().is_ident("test"))
    {
        errors.on(
            test,
            "a plain `#[test]` is synchronous: use `#[tokio::test]`, or govern the function under test",
        );
    }
}

/// A function that cannot be gated as it is.
pub(crate) fn shape(unfit: &Unfit, signature: &Signature, attributes: &[Attribute]) -> syn::Error {
    match unfit {
        Unfit::Synchronous => synchronous(signature, attributes),
        Unfit::UnseenFuture(output) => {
            let message = "this does not say what its future gives, which must be able to carry a denial: make this an `async fn`, or return `impl Future<Output = Result<…>>`";
            syn::Error::new_spanned(output, message)
        }
    }
}

/// A function that is not asynchronous, with no `blocking` on it.
fn synchronous(signature: &Signature, attributes: &[Attribute]) -> syn::Error {
    if test(attributes).is_some() {
        let message =
            "a test cannot be governed: govern the function under test (or put `#[governed]` above `#[tokio::test]`)";
        return syn::Error::new_spanned(signature.fn_token, message);
    }
    let message = "governance is asynchronous: make this an `async fn`, or write `#[governed(blocking)]` (a governor that does not answer at once then denies)";
    syn::Error::new_spanned(signature.fn_token, message)
}

/// The attribute that makes this a test, whatever its crate.
pub(crate) fn test(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|attribute| {
        attribute
            .path()
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "test")
    })
}
