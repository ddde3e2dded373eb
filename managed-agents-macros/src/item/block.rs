//! An `impl` block.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, ItemImpl, Token, Visibility};

use super::{Function, Site};
use crate::attr::{self, Keys, Place};
use crate::diagnostics::Errors;

/// What stands in the block.
#[expect(clippy::large_enum_variant, reason = "a handful of them exist")]
pub(crate) enum Member {
    Method(Function),
    Other(TokenStream),
}

/// An `impl` block with governed methods.
pub(crate) struct Block {
    pub(crate) keys: Keys,
    /// The block without what stands in it.
    pub(crate) header: ItemImpl,
    pub(crate) members: Vec<Member>,
}

impl Block {
    pub(crate) fn parse(
        attribute: TokenStream,
        attributes: &[Attribute],
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<Self> {
        let keys = Keys::parse(attribute, Place::Block, errors);
        if let Some(second) = attributes.iter().find(|attribute| attr::is_governed(attribute)) {
            errors.on(second, "`#[governed]` is given twice: write all keys into one");
        }
        let mut tokens: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
        let Some(TokenTree::Group(body)) = tokens
            .pop()
            .filter(|last| matches!(last, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace))
        else {
            return Err(input.error("expected an `impl` block"));
        };
        let head = TokenStream::from_iter(tokens);
        let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
        empty.set_span(body.span());
        let header: ItemImpl = syn::parse2(quote!(#(#attributes)* #head #empty))?;
        let members = (|input: ParseStream<'_>| members(input, keys.krate.as_ref(), errors)).parse2(body.stream())?;
        let block = Self { keys, header, members };
        block.check(errors);
        Ok(block)
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = &Function> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(method),
            Member::Other(_) => None,
        })
    }

    fn check(&self, errors: &mut Errors) {
        if self.methods().next().is_none() && errors.is_empty() {
            errors.at(
                proc_macro2::Span::call_site(),
                "no method of this block is governed: put `#[governed(…)]` on the methods that an agent may call",
            );
        }
        if let (Some(key), Some(_)) = (self.keys.at("tools"), &self.header.trait_) {
            errors.on(
                key,
                "methods of a trait are governed, but are no tools: give the type a method of its own that calls them",
            );
        }
        let lifetime = self.header.generics.lifetimes().next();
        if let (Some(lifetime), None, false) = (lifetime, &self.header.trait_, self.keys.has("no_tool")) {
            errors.on(
                lifetime,
                "a toolbox keeps its tools, so `Self` cannot borrow: own what it borrows, or write `#[governed(no_tool)]` on the block",
            );
        }
    }
}

fn members(input: ParseStream<'_>, krate: Option<&syn::Path>, errors: &mut Errors) -> syn::Result<Vec<Member>> {
    let mut members = Vec::new();
    while !input.is_empty() {
        let begin = input.fork();
        let mut attributes = input.call(Attribute::parse_outer)?;
        let ours = attributes.iter().position(attr::is_governed);
        if let Some(ours) = ours {
            let ours = attributes.remove(ours);
            let mut method = Function::parse(attr::arguments(&ours)?, attributes, input, errors)?;
            method.site = Site::Block;
            method.keys.krate = method.keys.krate.take().or_else(|| krate.cloned());
            members.push(Member::Method(method));
        } else {
            skip(input)?;
            members.push(Member::Other(between(&begin, input)));
        }
    }
    Ok(members)
}

/// The tokens from `begin` to where `end` is now.
fn between(begin: ParseStream<'_>, end: ParseStream<'_>) -> TokenStream {
    let mut tokens = Vec::new();
    while begin.cursor() != end.cursor() {
        match begin.parse::<TokenTree>() {
            Ok(token) => tokens.push(token),
            Err(_) => break,
        }
    }
    tokens.into_iter().collect()
}

/// Past one item that is not ours.
fn skip(input: ParseStream<'_>) -> syn::Result<()> {
    input.parse::<Visibility>()?;
    if input.peek(Token![default]) {
        input.parse::<Token![default]>()?;
    }
    let function_follows = input.peek2(Token![fn])
        || input.peek2(Token![async])
        || input.peek2(Token![unsafe])
        || input.peek2(Token![extern]);
    let to_semicolon = input.peek(Token![type]) || (input.peek(Token![const]) && !function_follows);
    while !input.is_empty() {
        let semicolon = input.peek(Token![;]);
        let braces = !to_semicolon && input.peek(syn::token::Brace);
        input.parse::<TokenTree>()?;
        // A constant argument in braces, as in `Foo<{ N }>`, ends nothing.
        let inside = input.peek(Token![>]) || input.peek(Token![,]);
        if semicolon || (braces && !inside) {
            break;
        }
    }
    Ok(())
}
