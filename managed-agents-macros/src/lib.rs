//! `#[governed]`: a private detail of `managed-agents`, which re-exports it.

use proc_macro::TokenStream;

/// Placeholder until the expansion lands.
#[proc_macro_attribute]
pub fn governed(_attr: TokenStream, item: TokenStream) -> TokenStream {
    item
}
