//! From what was read to what is compiled.
//!
//! Everything that is written names `::managed_agents::__private`, `::core`, or what the user wrote: users have items named
//! `Result`, `Ok`, `std` and `String` of their own.

mod block;
mod call;
mod definition;
mod descriptor;
mod fallback;
mod gate;
mod generics;
mod meta;
mod owned;
mod rows;

pub(crate) use owned::owned;

use proc_macro2::TokenStream;
use quote::quote;

use crate::attr::Keys;
use crate::diagnostics::Errors;
use crate::item::{Function, Item};

/// The whole expansion. A mistake anywhere leaves the item as it was, beside errors that no build survives.
pub(crate) fn governed(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let parsed = Item::parse(attribute, item.clone(), &mut errors);
    let expanded = match &parsed {
        Item::Function(function) => self::function(function, &mut errors),
        Item::Block(block) => block::expand(block, &mut errors),
        Item::Other => TokenStream::new(),
    };
    if errors.is_empty() {
        return expanded;
    }
    let item = fallback::without_our_attributes(item);
    let errors = errors.into_compile_error();
    quote!(#item #errors)
}

/// A function outside of an `impl` that we see.
fn function(function: &Function, errors: &mut Errors) -> TokenStream {
    let private = private(&function.keys);
    if let Some(descriptor) = descriptor::expand(function, &private, errors) {
        let name = descriptor::name(function);
        let gate = gate::expand(function, &private, &quote!(#name::__META), false);
        return quote!(#gate #descriptor);
    }
    let meta = meta::in_place(function, &private);
    gate::expand(function, &private, &meta, false)
}

/// The path of what we call: in `managed_agents`, whatever that is named here.
fn private(keys: &Keys) -> TokenStream {
    match &keys.krate {
        Some(krate) => quote!(#krate::__private),
        None => quote!(::managed_agents::__private),
    }
}
