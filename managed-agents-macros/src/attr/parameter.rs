//! `#[governed(…)]` on a parameter.

use proc_macro2::{Ident, TokenStream};
use syn::parse::ParseStream;
use syn::{Expr, ExprRange, Token};

use super::{entries, table, value};
use crate::diagnostics::Errors;

/// The keys of one parameter.
#[derive(Default)]
pub(crate) struct ParameterKeys {
    /// `state`, and where it stands.
    pub(crate) state: Option<Ident>,
    /// `state(id = …)`.
    pub(crate) id: Option<Expr>,
    /// `range`, and where it stands.
    pub(crate) range: Option<(Ident, ExprRange)>,
    /// `kind`, and where it stands.
    pub(crate) kind: Option<(Ident, &'static str)>,
}

impl ParameterKeys {
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut keys = Self::default();
        entries::each(tokens, table::PARAMETER, errors, |key, input| keys.entry(key, input));
        if let Some(state) = &keys.state {
            let judged = keys
                .range
                .as_ref()
                .map(|(key, _)| key)
                .or(keys.kind.as_ref().map(|(key, _)| key));
            if let Some(key) = judged {
                errors.on(
                    key,
                    format!("`{key}` contradicts `{state}`: injected state comes from the program, not from the model"),
                );
            }
        }
        keys
    }

    fn entry(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        if key == "state" {
            self.state = Some(key.clone());
            if input.peek(syn::token::Paren) {
                self.id = Some(identity(input)?);
            }
        } else if key == "range" {
            match value::expression(key, input)? {
                Expr::Range(range) if range.start.is_some() || range.end.is_some() => {
                    self.range = Some((key.clone(), range))
                }
                other => {
                    return Err(syn::Error::new_spanned(
                        other,
                        "`range` needs bounds, as in `range = 1..=10`",
                    ));
                }
            }
        } else {
            let kinds = [("shell", "Shell"), ("sql", "Sql"), ("path", "Path"), ("url", "Url")];
            self.kind = Some((key.clone(), value::word(key, input, &kinds)?));
        }
        Ok(())
    }
}

/// `(id = expression)`
fn identity(input: ParseStream<'_>) -> syn::Result<Expr> {
    value::parenthesized(input, |inner| {
        let id: Ident = inner.parse()?;
        if id != "id" {
            return Err(syn::Error::new(
                id.span(),
                format!("unknown key `{id}`: `state` takes `id = expression`"),
            ));
        }
        inner.parse::<Token![=]>()?;
        inner.parse()
    })
}
