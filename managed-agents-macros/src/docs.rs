//! Attributes that are not ours: documentation, lint levels, and those that change a function.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Expr, Lit, Meta, Path};

/// The doc comment as a constant expression, its lines joined and trimmed; `""` when there is none.
///
/// Attributes between the lines do not end it.
pub(crate) fn expression(attributes: &[Attribute]) -> TokenStream {
    let mut lines = Vec::new();
    let mut literal = true;
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        if !pair.path.is_ident("doc") {
            continue;
        }
        match &pair.value {
            Expr::Lit(lit) if matches!(lit.lit, Lit::Str(_)) => {
                if let Lit::Str(text) = &lit.lit {
                    lines.push(Line::Text(text.value()));
                }
            }
            other => {
                literal = false;
                lines.push(Line::Expression(quote!(#other)));
            }
        }
    }
    if literal {
        let text: Vec<String> = lines.iter().filter_map(Line::text).map(dedent).collect();
        let text = text.join("\n");
        let text = text.trim();
        return quote!(#text);
    }
    let parts = lines.iter().map(|line| match line {
        Line::Text(text) => {
            let text = dedent(text);
            quote!(#text, "\n",)
        }
        Line::Expression(expression) => quote!(#expression, "\n",),
    });
    quote!(::core::concat!(#(#parts)*))
}

enum Line {
    Text(String),
    /// `#[doc = include_str!("…")]`
    Expression(TokenStream),
}

impl Line {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Expression(_) => None,
        }
    }
}

/// Without the space that stands after `///`, on each line.
fn dedent(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n")
}

pub(crate) fn is_lint(path: &Path) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|level| path.is_ident(level))
}

/// Whether the compiler itself reads this attribute and no macro sees the function through it.
pub(crate) fn is_inert(path: &Path) -> bool {
    const INERT: &[&str] = &[
        "cfg",
        "cold",
        "deprecated",
        "doc",
        "inline",
        "must_use",
        "track_caller",
        "no_mangle",
        "export_name",
        "link_section",
        "target_feature",
        "ignore",
        "should_panic",
    ];
    const TOOLS: &[&str] = &["clippy", "rustfmt", "diagnostic", "rust_analyzer", "miri"];
    let first = path.segments.first();
    is_lint(path)
        || INERT.iter().any(|name| path.is_ident(name))
        || (path.segments.len() > 1 && first.is_some_and(|segment| TOOLS.iter().any(|tool| segment.ident == tool)))
}
