//! `#[governed]`: a private detail of `managed-agents`, which re-exports it.
#![forbid(unsafe_code)]

mod attr;
mod diagnostics;
mod docs;
mod expand;
mod item;
mod tokens;
mod types;

use proc_macro::TokenStream;

#[doc = include_str!("governed.md")]
#[proc_macro_attribute]
pub fn governed(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::governed(attribute.into(), item.into()).into()
}
