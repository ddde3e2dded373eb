//! Tokens as text.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};

/// `tokens` in a form that does not depend on how a compiler prints them: what stands between two tokens is one space.
pub(crate) fn canonical(tokens: TokenStream) -> String {
    let mut out = String::new();
    write(tokens, &mut out);
    out
}

fn write(tokens: TokenStream, out: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("( ", ") "),
                    Delimiter::Brace => ("{ ", "} "),
                    Delimiter::Bracket => ("[ ", "] "),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Ident(ident) => {
                out.push_str(&ident.to_string());
                out.push(' ');
            }
            TokenTree::Punct(punct) => {
                out.push(punct.as_char());
                if punct.spacing() == Spacing::Alone {
                    out.push(' ');
                }
            }
            TokenTree::Literal(literal) => {
                out.push_str(&literal.to_string());
                out.push(' ');
            }
        }
    }
}

/// `tokens` in their places, as code of ours: lints are for what the user wrote.
pub(crate) fn ours(tokens: impl quote::ToTokens) -> TokenStream {
    let ours = |span: Span| span.resolved_at(Span::call_site());
    let respan = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            let mut inside = Group::new(group.delimiter(), self::ours(group.stream()));
            inside.set_span(group.span());
            token = TokenTree::Group(inside);
        }
        token.set_span(ours(token.span()));
        token
    };
    tokens.into_token_stream().into_iter().map(respan).collect()
}

/// A type or a range as a person would write it, for messages.
pub(crate) fn pretty(tokens: TokenStream) -> String {
    let mut out = canonical(tokens);
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        ("& ", "&"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        ("' ", "'"),
        (" ..= ", "..="),
        ("..= ", "..="),
        (" .. ", ".."),
        (" ..=", "..="),
        (" ..", ".."),
        (".. ", ".."),
        ("- ", "-"),
        (" . ", "."),
    ] {
        out = out.replace(from, to);
    }
    out.trim().to_owned()
}
