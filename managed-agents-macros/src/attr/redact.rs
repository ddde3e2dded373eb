//! `redact(a, b.c)`: what stays home, as JSON pointers.

use proc_macro2::{Ident, TokenTree};
use syn::Token;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};

/// One path: an argument, or something inside it.
pub(crate) struct RedactPath {
    pub(crate) argument: Ident,
    /// RFC 6901; `""` is all of the argument.
    pub(crate) pointer: String,
}

impl Parse for RedactPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![self]) {
            return Err(input.error("`self` is never shown: there is nothing to redact"));
        }
        let argument = input.call(Ident::parse_any)?;
        let mut pointer = String::new();
        while input.peek(Token![.]) {
            input.parse::<Token![.]>()?;
            for step in step(input)? {
                pointer.push('/');
                pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
            }
        }
        Ok(Self { argument, pointer })
    }
}

/// A field name, an index, or a quoted key; `0.1` is lexed as one number, and is two steps.
fn step(input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    match input.parse::<TokenTree>() {
        Ok(TokenTree::Ident(ident)) => Ok(vec![ident.unraw().to_string()]),
        Ok(TokenTree::Literal(literal)) => {
            if let syn::Lit::Str(text) = syn::Lit::new(literal.clone()) {
                return Ok(vec![text.value()]);
            }
            let text = literal.to_string();
            if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
                return Ok(text.split('.').filter(|s| !s.is_empty()).map(str::to_owned).collect());
            }
            Err(syn::Error::new(
                literal.span(),
                "expected a field name, an index or a quoted key",
            ))
        }
        Ok(other) => Err(syn::Error::new(
            other.span(),
            "expected a field name, an index or a quoted key",
        )),
        Err(error) => Err(error),
    }
}
