//! The keys of a function, a method or an `impl` block.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Expr, LitStr, Path, Token};

use super::value::{self, Cancel, Risk};
use super::{RedactPath, entries, table};
use crate::diagnostics::Errors;

/// What the attribute stands on.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Place {
    Function,
    Block,
}

/// `include(self)`, or `include(self = expression)`.
pub(crate) struct Include {
    pub(crate) span: Span,
    pub(crate) identity: Option<Expr>,
}

/// The keys as written; `given` tells which, in order.
#[derive(Default)]
pub(crate) struct Keys {
    given: Vec<Ident>,
    /// All of it, for the definition digest.
    pub(crate) tokens: TokenStream,
    pub(crate) name: Option<LitStr>,
    pub(crate) description: Option<Expr>,
    pub(crate) action: Option<LitStr>,
    pub(crate) target: Option<Expr>,
    pub(crate) subject: Option<Expr>,
    pub(crate) harness: Option<Expr>,
    pub(crate) risk: Option<Risk>,
    pub(crate) redact: Vec<RedactPath>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) include: Option<Include>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) compensate: Option<Path>,
    pub(crate) tool: Option<Ident>,
    pub(crate) tools: Option<Ident>,
    pub(crate) krate: Option<Path>,
}

impl Keys {
    pub(crate) fn parse(tokens: TokenStream, place: Place, errors: &mut Errors) -> Self {
        let known = match place {
            Place::Function => table::FUNCTION,
            Place::Block => table::BLOCK,
        };
        let mut keys = Self {
            tokens: tokens.clone(),
            ..Self::default()
        };
        keys.given = entries::each(tokens, known, errors, |key, input| keys.entry(key, input));
        keys.contradictions(errors);
        keys
    }

    /// Where a key stands, if it was given.
    pub(crate) fn at(&self, name: &str) -> Option<&Ident> {
        self.given.iter().find(|key| *key == name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.at(name).is_some()
    }

    pub(crate) fn is_before(&self, first: &str, second: &str) -> bool {
        let position = |name: &str| self.given.iter().position(|key| key == name);
        position(first) < position(second)
    }

    /// A harm that a person must confirm.
    pub(crate) fn is_grave(&self) -> bool {
        self.has("irreversible") || self.risk >= Some(Risk::High)
    }

    fn entry(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(tool_name(value::value(key, input)?)?),
            "description" => self.description = Some(value::expression(key, input)?),
            "action" => self.action = Some(value::value(key, input)?),
            "target" => self.target = Some(value::expression(key, input)?),
            "subject" => self.subject = Some(value::expression(key, input)?),
            "harness" => self.harness = Some(value::expression(key, input)?),
            "risk" => {
                let words = [
                    ("low", Risk::Low),
                    ("medium", Risk::Medium),
                    ("high", Risk::High),
                    ("critical", Risk::Critical),
                ];
                self.risk = Some(value::word(key, input, &words)?);
            }
            "redact" => self.redact = list(key, input)?,
            "skip" => self.skip = list(key, input)?,
            "include" => self.include = Some(include(key, input)?),
            "timeout" => self.timeout = Some(value::duration(key, input)?),
            "cancel" => {
                self.cancel = Some(value::word(
                    key,
                    input,
                    &[("drop", Cancel::Drop), ("finish", Cancel::Finish)],
                )?);
            }
            "compensate" => self.compensate = Some(value::value(key, input)?),
            "tool" => self.tool = Some(value::value(key, input)?),
            "tools" => self.tools = Some(value::value(key, input)?),
            "crate" => {
                value::equals(key, input)?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            _ => value::flag(key, input)?,
        }
        Ok(())
    }

    fn contradictions(&self, errors: &mut Errors) {
        let position = |name: &str| self.given.iter().position(|key| key == name);
        for (a, b, why) in table::CONFLICTS {
            let (Some(i), Some(j)) = (position(a), position(b)) else {
                continue;
            };
            let (first, second) = if i < j { (a, b) } else { (b, a) };
            if let Some(key) = self.at(second) {
                errors.on(key, format!("`{second}` contradicts `{first}`: {why}"));
            }
        }
    }
}

pub(crate) fn is_tool_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.chars().all(fits) && (1..=64).contains(&name.len())
}

/// What every provider of models and every policy can carry as a name.
fn tool_name(literal: LitStr) -> syn::Result<LitStr> {
    let name = literal.value();
    if is_tool_name(&name) {
        return Ok(literal);
    }
    Err(syn::Error::new(
        literal.span(),
        "a tool's name is 1 to 64 of the characters A-Z a-z 0-9 _ - .",
    ))
}

/// `(a, b)` after `key`; not empty.
fn list<T: syn::parse::Parse>(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(
            key.span(),
            format!(
                "`{key}` needs a list: it is written `{}`",
                table::usage(&key.to_string())
            ),
        ));
    }
    let items = value::parenthesized(input, Punctuated::<T, Token![,]>::parse_terminated)?;
    if items.is_empty() {
        return Err(syn::Error::new(key.span(), format!("`{key}` names no argument")));
    }
    Ok(items.into_iter().collect())
}

/// `(self)`, or `(self = expression)`.
fn include(key: &Ident, input: ParseStream<'_>) -> syn::Result<Include> {
    let message = "`include` takes `self` or `self = expression`; the identity of state is given on it: `#[governed(state(id = …))]`";
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(key.span(), message));
    }
    value::parenthesized(input, |inner| {
        if !inner.peek(Token![self]) {
            return Err(inner.error(message));
        }
        inner.parse::<Token![self]>()?;
        let mut identity = None;
        if inner.peek(Token![=]) {
            inner.parse::<Token![=]>()?;
            identity = Some(inner.parse()?);
        }
        Ok(Include {
            span: key.span(),
            identity,
        })
    })
}
