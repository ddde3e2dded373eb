//! `send_email::tool()`: a type of the function's name, which carries the function's tool.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::generics::Generics;
use super::{call, meta};
use crate::diagnostics::Errors;
use crate::item::{self, Function, Site};

/// Types that a function's descriptor would hide.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f16", "f32", "f64", "f128",
];

/// The name of the descriptor: the function's own, or the key's.
pub(crate) fn name(function: &Function) -> Ident {
    let mut name = function
        .keys
        .tool
        .clone()
        .unwrap_or_else(|| function.signature.ident.clone());
    // a span of ours: the lints on unused and oddly named items are for what the user wrote
    name.set_span(name.span().resolved_at(Span::call_site()));
    name
}

/// The descriptor, where one can stand and was not declined.
pub(crate) fn expand(function: &Function, private: &TokenStream, errors: &mut Errors) -> Option<TokenStream> {
    let declined = function.keys.has("no_tool") || item::test(&function.attributes).is_some();
    if function.site != Site::Free || declined {
        if let Some(key) = function.keys.at("tool").filter(|_| !declined) {
            errors.on(key, "no descriptor can stand here: `tool` is for functions outside of `impl` blocks, and for methods of a governed `impl` block");
        }
        return None;
    }
    let name = name(function);
    if let Some(primitive) = PRIMITIVES.iter().find(|primitive| name == **primitive) {
        errors.on(
            &function.signature.ident,
            format!("the descriptor of this function would hide the type `{primitive}`: name it with `tool = {primitive}_tool`, or write `no_tool`"),
        );
        return None;
    }
    for parameter in function.parameters.iter().filter(|parameter| parameter.is_state()) {
        item::state_of_a_tool(parameter, errors);
    }
    let visibility = crate::tokens::ours(&function.visibility);
    let cfgs: Vec<_> = function.cfgs().collect();
    let meta = meta::expand(function, private);
    let tool = tool(function, private);
    let doc = format!("The tool of [`{0}`](fn@{0}).", function.signature.ident);
    Some(quote!(
        #(#cfgs)*
        #[doc = #doc]
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #visibility enum #name {}
        #(#cfgs)*
        impl #name {
            const __META: &'static #private::ToolMeta = &#meta;
            #tool
        }
    ))
}

fn tool(function: &Function, private: &TokenStream) -> TokenStream {
    let generics = Generics::of(function, private);
    let ident = &function.signature.ident;
    let visibility = crate::tokens::ours(&function.visibility);
    let (parameters, predicates) = (&generics.parameters, &generics.predicates);
    let body = if generics.fits {
        let vtable = call::vtable(function, &generics, private, &quote!(#ident), &quote!(Self::__META));
        quote!(#private::Tool::from_vtable(#vtable))
    } else {
        // INVARIANT: one of the predicates is never met, so nobody can call this
        quote!(loop {})
    };
    quote!(
        #[doc = "The function as a tool of an agent."]
        // also where the user allows dead code around: what is allowed to be dead keeps alive what it calls, and so the
        // compiler would find no use for an `expect(dead_code)` on the function
        #[warn(dead_code)]
        #[allow(private_bounds, private_interfaces, clippy::empty_loop, clippy::multiple_bound_locations)]
        #[must_use]
        #visibility fn tool<#(#parameters),*>() -> #private::Tool
        where
            #(#predicates,)*
        {
            #body
        }
    )
}
