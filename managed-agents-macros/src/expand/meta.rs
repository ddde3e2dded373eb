//! What is known of a tool before any call: a constant.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens as _, format_ident, quote};

use super::definition;
use crate::attr::{Cancel, Risk};
use crate::docs;
use crate::item::{Function, Parameter, Role};
use crate::types;

/// `&'static ToolMeta`, as an expression inside of the function.
pub(crate) fn in_place(function: &Function, private: &TokenStream) -> TokenStream {
    let meta = expand(function, private);
    quote!({
        const __META: &#private::ToolMeta = &#meta;
        __META
    })
}

/// The constant's value.
pub(crate) fn expand(function: &Function, private: &TokenStream) -> TokenStream {
    let keys = &function.keys;
    let name = function.name();
    let description = match &keys.description {
        Some(description) => description.to_token_stream(),
        None => docs::expression(&function.attributes),
    };
    let action = option(keys.action.as_ref());
    let compensate = option(
        keys.compensate
            .as_ref()
            .map(|path| crate::tokens::pretty(path.to_token_stream())),
    );
    let risk = option(keys.risk.map(|risk| {
        let risk = format_ident!(
            "{}",
            match risk {
                Risk::Low => "Low",
                Risk::Medium => "Medium",
                Risk::High => "High",
                Risk::Critical => "Critical",
            }
        );
        quote!(#private::Risk::#risk)
    }));
    let reversibility = [
        ("reversible", "Reversible"),
        ("irreversible", "Irreversible"),
        ("compensate", "Compensable"),
    ]
    .into_iter()
    .find(|(key, _)| keys.has(key))
    .map_or("Unknown", |(_, variant)| variant);
    let declared = keys.risk.is_some() || keys.has("read_only") || reversibility != "Unknown";
    let reversibility = format_ident!("{reversibility}");
    let read_only = keys.has("read_only");
    let idempotent = keys.has("idempotent");
    let receiver = function.receiver.iter().map(|_| {
        let judged = if keys.include.is_some() {
            quote!(Identity)
        } else {
            quote!(Receiver)
        };
        quote!(#private::ArgumentMeta {
            name: "self",
            judged: #private::Judged::#judged,
            kind: ::core::option::Option::None,
            redact: &[],
        })
    });
    let arguments = function.parameters.iter().map(|parameter| argument(parameter, private));
    let target_redacted = keys.target.as_ref().is_some_and(|target| {
        let mut redacted = function.parameters.iter().filter(|p| !p.redact.is_empty());
        redacted.any(|p| types::mentions(target.to_token_stream(), &p.ident.to_string()))
    });
    let timeout = option(keys.timeout.map(|timeout| {
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        quote!(::core::time::Duration::from_millis(#millis))
    }));
    let cancel = if keys.cancel == Some(Cancel::Finish) {
        quote!(Finish)
    } else {
        quote!(Drop)
    };
    let blocking = function.shape.is_blocking();
    let exact = keys.has("exact");
    let definition = Literal::byte_string(&definition::digest(function, description.clone()));
    quote!(#private::ToolMeta::from_macro(#private::MetaParts {
        name: #name,
        description: #description,
        action: #action,
        compensate: #compensate,
        risk: #risk,
        reversibility: #private::Reversibility::#reversibility,
        read_only: #read_only,
        idempotent: #idempotent,
        arguments: &[#(#receiver,)* #(#arguments,)*],
        target_redacted: #target_redacted,
        timeout: #timeout,
        cancel: #private::Cancel::#cancel,
        blocking: #blocking,
        exact: #exact,
        declared: #declared,
        definition: *#definition,
    }))
}

fn argument(parameter: &Parameter, private: &TokenStream) -> TokenStream {
    let name = &parameter.name;
    let judged = format_ident!(
        "{}",
        match parameter.role {
            Role::Judged => "Yes",
            Role::Skipped => "Skipped",
            Role::State { id: None } => "State",
            Role::State { id: Some(_) } => "Identity",
        }
    );
    let kind = option(parameter.keys.kind.as_ref().map(|(_, kind)| {
        let kind = format_ident!("{kind}");
        quote!(#private::ArgKind::#kind)
    }));
    let redact = &parameter.redact;
    quote!(#private::ArgumentMeta {
        name: #name,
        judged: #private::Judged::#judged,
        kind: #kind,
        redact: &[#(#redact),*],
    })
}

fn option(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}
