//! Parameters, without our attributes on them.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Attribute, Expr, Pat, PatType, ReceiverKind, Token, Type};

use crate::attr::{self, ParameterKeys};
use crate::diagnostics::Errors;
use crate::docs;

/// What part of a call a parameter is.
pub(crate) enum Role {
    Judged,
    Skipped,
    State { id: Option<Expr> },
}

/// A parameter that has a name.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    /// As the model and the canonical call know it: without `r#`.
    pub(crate) name: String,
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ty: Type,
    pub(crate) role: Role,
    pub(crate) keys: ParameterKeys,
    /// The doc comment, as an expression.
    pub(crate) doc: TokenStream,
    /// `allow`, `expect` and the like, which move to where the name is bound for the body.
    pub(crate) lints: Vec<Attribute>,
    /// JSON pointers of what is redacted in it.
    pub(crate) redact: Vec<String>,
    /// Our attribute as written, for the definition digest.
    pub(crate) written: TokenStream,
}

/// `self`.
pub(crate) enum Receiver {
    /// `&self`
    Reference,
    /// `self: Arc<Self>`
    Shared,
    /// `self: &Arc<Self>`
    SharedReference,
    /// `&mut self`, `self`, and others that a toolbox cannot call.
    Other,
}

impl Receiver {
    pub(crate) fn of(receiver: &syn::Receiver) -> Self {
        match &receiver.kind {
            ReceiverKind::Reference(_, _, None) => Self::Reference,
            ReceiverKind::Typed(_, ty) => {
                let text = ty.to_token_stream().to_string().replace(' ', "");
                let text = text.replace("std::sync::", "").replace("::Arc", "Arc");
                match text.as_str() {
                    "&Self" => Self::Reference,
                    "Arc<Self>" => Self::Shared,
                    "&Arc<Self>" => Self::SharedReference,
                    _ => Self::Other,
                }
            }
            _ => Self::Other,
        }
    }
}

impl Parameter {
    /// Takes our attribute, documentation and lint levels off `argument`, and its `mut`.
    pub(crate) fn take(argument: &mut PatType, errors: &mut Errors) -> Option<Self> {
        let mut keys = ParameterKeys::default();
        let mut written = TokenStream::new();
        let mut lints = Vec::new();
        let mut kept = Vec::new();
        let doc = docs::expression(&argument.attrs);
        let mut seen = false;
        for attribute in std::mem::take(&mut argument.attrs) {
            let path = attribute.path();
            if attr::is_governed(&attribute) {
                if seen {
                    errors.on(&attribute, "`#[governed]` is given twice: write all keys into one");
                    continue;
                }
                seen = true;
                match attr::arguments(&attribute) {
                    Ok(tokens) => {
                        written = tokens.clone();
                        keys = ParameterKeys::parse(tokens, errors);
                    }
                    Err(error) => errors.absorb(error),
                }
            } else if path.is_ident("cfg") || path.is_ident("cfg_attr") {
                errors.on(
                    &attribute,
                    "a governed parameter cannot be conditional: put the condition on the function, and write two",
                );
            } else if docs::is_lint(path) {
                lints.push(attribute);
            } else if !path.is_ident("doc") {
                kept.push(attribute);
            }
        }
        argument.attrs = kept;
        let ty = (*argument.ty).clone();
        let Pat::Ident(pattern) = &mut *argument.pat else {
            errors.on(&argument.pat, unnamed(&argument.pat, &ty));
            return None;
        };
        if pattern.by_ref.is_some() || pattern.subpat.is_some() {
            errors.on(&argument.pat, unnamed(&argument.pat, &ty));
            return None;
        }
        let role = match &keys.state {
            Some(_) => Role::State { id: keys.id.take() },
            None => Role::Judged,
        };
        Some(Self {
            name: pattern.ident.unraw().to_string(),
            ident: pattern.ident.clone(),
            mutability: pattern.mutability.take(),
            ty,
            role,
            keys,
            doc,
            lints,
            redact: Vec::new(),
            written,
        })
    }

    pub(crate) fn is_state(&self) -> bool {
        matches!(self.role, Role::State { .. })
    }

    pub(crate) fn is_judged(&self) -> bool {
        matches!(self.role, Role::Judged)
    }
}

fn unnamed(pattern: &Pat, ty: &Type) -> String {
    let mut names = String::new();
    for token in quote!(#pattern) {
        collect(token, &mut names);
    }
    let name = if names.is_empty() { "value" } else { &names };
    let ty = crate::tokens::pretty(quote!(#ty));
    format!("name it: `{name}: {ty}`, and take it apart in the body; the policy needs an argument name")
}

/// The small names of a pattern in a row: `(a, b)` is `ab`.
fn collect(token: proc_macro2::TokenTree, names: &mut String) {
    match token {
        proc_macro2::TokenTree::Ident(ident) => {
            let text = ident.unraw().to_string();
            if text.starts_with(|c: char| c.is_lowercase()) && !matches!(text.as_str(), "ref" | "mut") {
                names.push_str(&text);
            }
        }
        proc_macro2::TokenTree::Group(group) => group.stream().into_iter().for_each(|token| collect(token, names)),
        _ => {}
    }
}
