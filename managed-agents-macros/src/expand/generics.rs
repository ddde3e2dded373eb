//! What a tool is generic over, and what it asks of its types.
//!
//! Bounds with a `for<'x>` before them are not checked where they stand, only when somebody writes `f::tool()`: a function
//! whose arguments no model can give stays a perfectly good governed function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericParam, Lifetime, Type, TypeParamBound, WherePredicate};

use super::owned::{is_dynamic, owned};
use crate::item::{Function, Role, Shape};
use crate::types::{self, Part, has_impl, replace_impl, walk_bounds, with_lifetime};

/// The generic side of one tool.
pub(crate) struct Generics {
    /// With bounds, for the declaration.
    pub(crate) parameters: Vec<TokenStream>,
    pub(crate) predicates: Vec<TokenStream>,
    /// `::<T, N>` for the call of the function.
    pub(crate) turbofish: Option<TokenStream>,
    /// The types of the parameters, `impl Trait` replaced by a name.
    pub(crate) types: Vec<Type>,
    /// Whether a model can give every argument and be given the value.
    pub(crate) fits: bool,
}

impl Generics {
    pub(crate) fn of(function: &Function, private: &TokenStream) -> Self {
        let mut generics = Self {
            parameters: Vec::new(),
            predicates: Vec::new(),
            turbofish: None,
            types: Vec::new(),
            fits: true,
        };
        generics.named(function);
        for parameter in &function.parameters {
            let ty = generics.nameable(&parameter.ty);
            generics.types.push(ty);
        }
        for (parameter, ty) in function.parameters.iter().zip(generics.types.clone()) {
            match &parameter.role {
                Role::State { .. } => generics.state(&ty),
                Role::Judged | Role::Skipped => generics.argument(&ty, private),
            }
        }
        if matches!(function.shape, Shape::Boxed(_)) && !crosses_threads(&function.signature.output) {
            generics.fits = false;
            generics
                .predicates
                .push(quote!(for<'x> &'x #private::DynTrait: #private::ToolPart));
        }
        generics.output(function.shape.output(), private);
        generics
    }

    /// The function's own type and constant parameters; a tool has no lifetimes.
    fn named(&mut self, function: &Function) {
        let mut names = Vec::new();
        for parameter in &function.signature.generics.params {
            match parameter {
                GenericParam::Lifetime(_) => {}
                GenericParam::Type(ty) => {
                    let mut ty = ty.clone();
                    names.push(ty.ident.clone());
                    ty.default = None;
                    self.parameters.push(bounded(&ty.ident, ty.bounds));
                }
                GenericParam::Const(constant) => {
                    names.push(constant.ident.clone());
                    let (ident, ty) = (&constant.ident, &constant.ty);
                    self.parameters.push(quote!(const #ident: #ty));
                }
            }
        }
        self.turbofish = (!names.is_empty()).then(|| quote!(::<#(#names),*>));
        let clause = function.signature.generics.where_clause.iter();
        for predicate in clause.flat_map(|clause| &clause.predicates) {
            if let WherePredicate::Type(predicate) = predicate {
                let mut predicate = predicate.clone();
                if predicate.lifetimes.is_none() {
                    predicate.bounded_ty = with_lifetime(&predicate.bounded_ty, "'static");
                    static_bounds(&mut predicate.bounds);
                }
                self.predicates.push(quote!(#predicate));
            }
        }
    }

    /// Each `impl Trait` becomes a type parameter.
    fn nameable(&mut self, ty: &Type) -> Type {
        replace_impl(ty, |imp| {
            let name = format_ident!("Impl{}", self.parameters.len(), span = Span::mixed_site());
            self.parameters.push(bounded(&name, imp.bounds.clone()));
            syn::parse_quote!(#name)
        })
    }

    fn argument(&mut self, ty: &Type, private: &TokenStream) {
        let span = types::place(ty);
        match owned(ty) {
            Ok(owned) => {
                let owned = owned.ty("'de", private);
                self.predicates
                    .push(quote_spanned!(span=> for<'de> #owned: #private::ToolArg<'de> + ::core::marker::Send));
            }
            Err(_) => self.never(ty, private),
        }
    }

    fn state(&mut self, ty: &Type) {
        let span = types::place(ty);
        if let Some(ty) = shared(ty) {
            self.predicates
                .push(quote_spanned!(span=> for<'x> #ty: ::core::marker::Send + ::core::marker::Sync + 'static));
        }
    }

    fn output(&mut self, ty: &Type, private: &TokenStream) {
        let span = types::place(ty);
        if !has_impl(ty) {
            let ty = with_lifetime(ty, "'x");
            self.predicates
                .push(quote_spanned!(span=> for<'x> #ty: #private::ToolReturn));
        } else if !types::mentions(quote!(#ty), "Serialize") {
            // such a type cannot be written here: a stream, most likely
            self.fits = false;
            self.predicates
                .push(quote_spanned!(span=> for<'x> &'x #private::ReturnsImplTrait: #private::ToolPart));
        }
    }

    /// A bound that nothing meets, on a type that no model can give.
    fn never(&mut self, ty: &Type, private: &TokenStream) {
        self.fits = false;
        let span = types::place(ty);
        if is_dynamic(ty) {
            self.predicates
                .push(quote_spanned!(span=> for<'x> &'x #private::DynTrait: #private::ToolPart));
            return;
        }
        let ty = with_lifetime(ty, "'x");
        self.predicates
            .push(quote_spanned!(span=> for<'x> #ty: #private::ToolPart));
    }
}

/// `T` of state `&T` or `Arc<T>`, living for ever.
pub(crate) fn shared(ty: &Type) -> Option<Type> {
    let ty = match types::peel(ty) {
        Type::Reference(reference) => types::peel(&reference.elem),
        ty => types::argument_of(ty, "Arc")?,
    };
    Some(with_lifetime(ty, "'static"))
}

/// Whether a boxed future says that it is `Send`.
fn crosses_threads(output: &syn::ReturnType) -> bool {
    let tokens = quote!(#output);
    types::mentions(tokens.clone(), "Send") || types::mentions(tokens, "BoxFuture")
}

fn bounded(name: &Ident, mut bounds: syn::punctuated::Punctuated<TypeParamBound, syn::Token![+]>) -> TokenStream {
    static_bounds(&mut bounds);
    let bounds = bounds.iter();
    quote!(#name: #(#bounds +)* ::core::marker::Send + ::core::marker::Sync + 'static)
}

fn static_bounds<P>(bounds: &mut syn::punctuated::Punctuated<TypeParamBound, P>) {
    walk_bounds(bounds, &mut |part| match part {
        Part::Lifetime(lifetime) => *lifetime = Lifetime::new("'static", lifetime.span()),
        Part::Reference(lifetime, span) => *lifetime = Some(Lifetime::new("'static", span)),
        Part::Type(_) => {}
    });
}
