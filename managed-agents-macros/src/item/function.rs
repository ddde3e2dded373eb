//! A function or a method.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, FnArg, Signature, Token, Visibility};

use super::{Parameter, Receiver, Shape, check, refuse};
use crate::attr::{self, Keys, Place};
use crate::diagnostics::Errors;
use crate::types;

/// Where a function stands.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Site {
    /// Outside of `impl` blocks, as far as can be seen: a descriptor can stand beside it.
    Free,
    /// In an `impl` or a `trait` that we do not see: no type can be declared beside it.
    Associated,
    /// In an `impl` block that we expand.
    Block,
}

/// A governed function, without our attributes in it.
pub(crate) struct Function {
    pub(crate) keys: Keys,
    pub(crate) site: Site,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    /// Its parameters carry no `mut`, no documentation and no lint levels any more.
    pub(crate) signature: Signature,
    pub(crate) receiver: Option<(Receiver, syn::Receiver)>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) shape: Shape,
    /// The body, which nobody parses.
    pub(crate) body: Group,
}

impl Function {
    /// Reads a function; mistakes that leave it readable go to `errors`.
    pub(crate) fn parse(
        attribute: TokenStream,
        attributes: Vec<Attribute>,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<Self> {
        let keys = Keys::parse(attribute, Place::Function, errors);
        let visibility: Visibility = input.parse()?;
        let defaultness = if input.peek(Token![default]) {
            Some(input.parse()?)
        } else {
            None
        };
        let mut signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            let message = "a method without a body cannot be governed: put `#[governed]` on the method of each `impl`";
            return Err(syn::Error::new_spanned(&signature, message));
        }
        let (mut attributes, body) = body(attributes, input)?;
        attributes.retain(|attribute| {
            let ours = attr::is_governed(attribute);
            if ours {
                errors.on(attribute, "`#[governed]` is given twice: write all keys into one");
            }
            !ours
        });
        refuse::signature(&signature, &attributes, errors);
        let shape = Shape::of(&signature, keys.has("blocking"))
            .map_err(|unfit| refuse::shape(&unfit, &signature, &attributes))?;
        if let (Some(key), false) = (keys.at("blocking"), shape.is_blocking()) {
            errors.on(key, "`blocking` is for synchronous functions; this one is asynchronous");
        }
        let mentions_self = types::mentions(signature.to_token_stream(), "Self");
        let mut receiver = None;
        let mut parameters = Vec::new();
        for argument in &mut signature.inputs {
            match argument {
                FnArg::Receiver(this) => {
                    if let Some(attribute) = this.attrs.iter().find(|attribute| attr::is_governed(attribute)) {
                        errors.on(
                            attribute,
                            "`self` takes no keys here: write `include(self)` on the function",
                        );
                    }
                    this.attrs.retain(|attribute| !attr::is_governed(attribute));
                    receiver = Some((Receiver::of(this), this.clone()));
                }
                FnArg::Typed(typed) => parameters.extend(Parameter::take(typed, errors)),
            }
        }
        let site = if receiver.is_some() || mentions_self {
            Site::Associated
        } else {
            Site::Free
        };
        let mut function = Self {
            keys,
            site,
            attributes,
            visibility,
            defaultness,
            signature,
            receiver,
            parameters,
            shape,
            body,
        };
        if !attr::is_tool_name(&function.name()) && !function.keys.has("no_tool") {
            errors.on(
                &function.signature.ident,
                "a tool's name is 1 to 64 of the characters A-Z a-z 0-9 _ - . : give one with `name = \"…\"`, or write `no_tool`",
            );
        }
        check::names(&mut function, errors);
        check::identities(&function, errors);
        check::modes(&function, errors);
        check::secrets(&function, errors);
        Ok(function)
    }

    /// The tool's name: the key, or the function's own.
    pub(crate) fn name(&self) -> String {
        use syn::ext::IdentExt as _;
        match &self.keys.name {
            Some(name) => name.value(),
            None => self.signature.ident.unraw().to_string(),
        }
    }

    /// Whether another macro below us still has to see this function as it was written.
    pub(crate) fn is_rewritten_later(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| !crate::docs::is_inert(attribute.path()))
    }

    /// The judged parameters in the order of the canonical call: by UTF-16 units.
    pub(crate) fn judged(&self) -> Vec<&Parameter> {
        let mut judged: Vec<&Parameter> = self.parameters.iter().filter(|p| p.is_judged()).collect();
        judged.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
        judged
    }

    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
    }
}

/// The body as it stands; its inner attributes join the outer ones.
fn body(mut attributes: Vec<Attribute>, input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Group)> {
    let group = match input.parse::<TokenTree>()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => match group.stream().into_iter().next() {
            Some(TokenTree::Group(inner)) => inner,
            _ => group,
        },
        TokenTree::Group(group) => group,
        other => {
            return Err(syn::Error::new(other.span(), "expected the body of the function"));
        }
    };
    if group.delimiter() != Delimiter::Brace {
        return Err(syn::Error::new(group.span(), "expected the body of the function"));
    }
    let starts_with =
        |c: char| matches!(group.stream().into_iter().next(), Some(TokenTree::Punct(p)) if p.as_char() == c);
    if !starts_with('#') {
        return Ok((attributes, group));
    }
    let split = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_inner)?, input.parse::<TokenStream>()?));
    let (inner, rest) = split.parse2(group.stream())?;
    attributes.extend(inner.into_iter().map(|mut attribute| {
        attribute.style = syn::AttrStyle::Outer;
        attribute
    }));
    let mut body = Group::new(Delimiter::Brace, rest);
    body.set_span(group.span());
    Ok((attributes, body))
}
