//! The item as it was written, for the compiler and the editor to go on with beside our errors.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Takes our attributes off, wherever they stand, and the documentation of parameters, which only we permit.
pub(crate) fn without_our_attributes(tokens: TokenStream) -> TokenStream {
    strip(tokens, false)
}

fn strip(tokens: TokenStream, parameters: bool) -> TokenStream {
    let mut out = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#')
            && let Some(TokenTree::Group(attribute)) = tokens.peek()
            && attribute.delimiter() == Delimiter::Bracket
            && is_ours(attribute, parameters)
        {
            tokens.next();
            continue;
        }
        out.push(match token {
            TokenTree::Group(group) => {
                let inside = group.delimiter() == Delimiter::Parenthesis;
                let mut stripped = Group::new(group.delimiter(), strip(group.stream(), inside));
                stripped.set_span(group.span());
                TokenTree::Group(stripped)
            }
            other => other,
        });
    }
    out.into_iter().collect()
}

/// `[governed]`, `[path::governed(…)]`, and `[doc = …]` on a parameter.
fn is_ours(attribute: &Group, parameters: bool) -> bool {
    let mut last = String::new();
    for token in attribute.stream() {
        match token {
            TokenTree::Ident(ident) => last = ident.to_string(),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            _ => break,
        }
    }
    last == "governed" || (parameters && last == "doc")
}
