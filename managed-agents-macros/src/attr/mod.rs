//! What stands between the parentheses of `#[governed(…)]`.

mod entries;
mod keys;
mod parameter;
mod redact;
mod table;
mod value;

pub(crate) use keys::{Keys, Place, is_tool_name};
pub(crate) use parameter::ParameterKeys;
pub(crate) use redact::RedactPath;
pub(crate) use value::{Cancel, Risk};

use syn::Attribute;

/// Whether this is our attribute: by its last segment, since the crate may have any name.
pub(crate) fn is_governed(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "governed")
}

/// The tokens between the parentheses of one of our attributes.
pub(crate) fn arguments(attribute: &Attribute) -> syn::Result<proc_macro2::TokenStream> {
    match &attribute.meta {
        syn::Meta::Path(_) => Ok(proc_macro2::TokenStream::new()),
        syn::Meta::List(list) => Ok(list.tokens.clone()),
        syn::Meta::NameValue(pair) => Err(syn::Error::new_spanned(pair, "write `#[governed(key = value)]`")),
    }
}
