//! Reads `key, key = value, key(…)` entry by entry; a broken entry does not hide the next one.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::Token;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};

use super::table;
use crate::diagnostics::{Errors, did_you_mean};

type Table = &'static [(&'static str, &'static str)];

/// Calls `take` for each entry of `tokens` whose key stands in `known`.
pub(crate) fn each(
    tokens: TokenStream,
    known: Table,
    errors: &mut Errors,
    mut take: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> Vec<Ident> {
    let mut given: Vec<Ident> = Vec::new();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = entry(input, known, &mut given, &mut take) {
                errors.absorb(error);
                skip(input);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = read.parse2(tokens) {
        errors.absorb(error);
    }
    given
}

fn entry(
    input: ParseStream<'_>,
    known: Table,
    given: &mut Vec<Ident>,
    take: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let key = input.call(Ident::parse_any)?;
    let name = key.to_string();
    if !known.iter().any(|(known, _)| *known == name) {
        return Err(syn::Error::new(key.span(), unknown(&name, known)));
    }
    if given.contains(&key) {
        return Err(syn::Error::new(key.span(), format!("key `{name}` is given twice")));
    }
    take(&key, input)?;
    given.push(key);
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error(format!(
        "unexpected after `{name}`; it is written `{}`",
        table::usage(&name)
    )))
}

/// Why `name` is no key here: it belongs elsewhere, or nowhere.
fn unknown(name: &str, known: Table) -> String {
    let belongs = |table: Table| !std::ptr::eq(table, known) && table.iter().any(|(known, _)| *known == name);
    if belongs(table::PARAMETER) {
        return format!(
            "`{name}` belongs on a parameter: `#[governed({})] argument: Type`",
            table::usage(name)
        );
    }
    if belongs(table::FUNCTION) {
        return format!(
            "`{name}` belongs on the function: `#[governed({})]`",
            table::usage(name)
        );
    }
    if belongs(table::BLOCK) {
        return format!(
            "`{name}` belongs on an `impl` block: `#[governed({})] impl Type`",
            table::usage(name)
        );
    }
    let suggestion = did_you_mean(name, known.iter().map(|(known, _)| *known));
    let list: Vec<&str> = known.iter().map(|(known, _)| *known).collect();
    format!(
        "unknown key `{name}`{suggestion}\n= help: the keys here are {}",
        list.join(", ")
    )
}

/// To the next comma, or the end.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}
