//! Values of keys.

use std::time::Duration;

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Token};

use super::table;
use crate::diagnostics::did_you_mean;

/// `risk = …`, in rising order.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Risk {
    Low,
    Medium,
    High,
    Critical,
}

/// `cancel = …`.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Cancel {
    Drop,
    Finish,
}

/// `= T` after `key`.
pub(crate) fn value<T: Parse>(key: &Ident, input: ParseStream<'_>) -> syn::Result<T> {
    equals(key, input)?;
    input.parse().map_err(|error| {
        let usage = table::usage(&key.to_string());
        syn::Error::new(error.span(), format!("{error}; it is written `{usage}`"))
    })
}

/// `= word` after `key`, where `word` is one of `words`.
pub(crate) fn word<T: Copy>(key: &Ident, input: ParseStream<'_>, words: &[(&str, T)]) -> syn::Result<T> {
    equals(key, input)?;
    let list = || {
        let all: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        all.join(", ")
    };
    let Ok(given) = input.call(Ident::parse_any) else {
        return Err(input.error(format!("`{key}` is one of {}, without quotes", list())));
    };
    let name = given.to_string();
    words
        .iter()
        .find(|(word, _)| *word == name)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let suggestion = did_you_mean(&name, words.iter().map(|(word, _)| *word));
            syn::Error::new(
                given.span(),
                format!(
                    "`{key}` cannot be `{name}`{suggestion}\n= help: it is one of {}",
                    list()
                ),
            )
        })
}

/// Nothing may follow a flag.
pub(crate) fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error(format!("`{key}` takes no value: leave it out or write `{key}`")))
}

/// `= "5s"`: a whole number of `ms`, `s`, `m` or `h`.
pub(crate) fn duration(key: &Ident, input: ParseStream<'_>) -> syn::Result<Duration> {
    let literal: LitStr = value(key, input)?;
    let text = literal.value();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.strip_prefix(digits) {
        Some("ms") => 1,
        Some("s") => 1_000,
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        _ => 0,
    };
    match digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)) {
        Some(0) | None => {
            let message = format!(
                "`{text}` is no duration: write a whole number above 0 and `ms`, `s`, `m` or `h`, as in \"5s\""
            );
            Err(syn::Error::new(literal.span(), message))
        }
        Some(millis) => Ok(Duration::from_millis(millis)),
    }
}

/// `= expression`.
pub(crate) fn expression(key: &Ident, input: ParseStream<'_>) -> syn::Result<Expr> {
    value(key, input)
}

pub(crate) fn equals(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        return Ok(());
    }
    let message = format!(
        "`{key}` needs a value: it is written `{}`",
        table::usage(&key.to_string())
    );
    Err(syn::Error::new(key.span(), message))
}

/// `( … )`, read by `read`; what it leaves after a mistake is no second mistake.
pub(crate) fn parenthesized<T>(
    input: ParseStream<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let inner;
    syn::parenthesized!(inner in input);
    let value = read(&inner).and_then(|value| {
        if inner.is_empty() {
            Ok(value)
        } else {
            Err(inner.error("unexpected here"))
        }
    });
    if value.is_err() {
        inner.parse::<proc_macro2::TokenStream>()?;
    }
    value
}
