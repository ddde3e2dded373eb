//! What a toolbox shows a model of each argument, and what it must be given itself.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{RangeLimits, Type};

use super::generics::{Generics, shared};
use super::owned::{Owned, owned};
use crate::item::{Function, Parameter};
use crate::types;

/// One row for each argument that a model gives.
pub(crate) fn arguments(function: &Function, generics: &Generics, private: &TokenStream) -> Vec<TokenStream> {
    given(function, generics)
        .map(|(parameter, owned)| row(parameter, &owned, private))
        .collect()
}

/// The parameters that a model gives, with the type that each is decoded as.
pub(crate) fn given<'a>(function: &'a Function, generics: &Generics) -> impl Iterator<Item = (&'a Parameter, Owned)> {
    let typed = function.parameters.iter().zip(&generics.types);
    typed
        .filter(|(parameter, _)| !parameter.is_state())
        .filter_map(|(parameter, ty)| Some((parameter, owned(ty).ok()?)))
}

fn row(parameter: &Parameter, owned: &Owned, private: &TokenStream) -> TokenStream {
    let Parameter {
        name, doc, ty: written, ..
    } = parameter;
    let ty = owned.ty("'static", private);
    let span = types::place(written);
    let arg = quote_spanned!(span=> <#ty as #private::ToolArg<'static>>);
    let range = match &parameter.keys.range {
        Some((_, range)) => {
            let minimum = bound(range.start.as_deref(), owned.scalar(), private);
            let maximum = bound(range.end.as_deref(), owned.scalar(), private);
            let exclusive = matches!(range.limits, RangeLimits::HalfOpen(_));
            quote!(::core::option::Option::Some(#private::RangeRow {
                minimum: || #minimum,
                maximum: || #maximum,
                exclusive_maximum: #exclusive,
            }))
        }
        None => quote!(::core::option::Option::None),
    };
    quote!(#private::ArgRow {
        name: #name,
        doc: #doc,
        schema: #arg::schema,
        required: #arg::required,
        range: #range,
    })
}

/// A bound as a number of the argument's own type; `()` is none.
fn bound(bound: Option<&syn::Expr>, ty: &Type, private: &TokenStream) -> TokenStream {
    let Some(bound) = bound else {
        return quote!(#private::json(&()));
    };
    let value = proc_macro2::Ident::new("__bound", Span::mixed_site());
    quote!({
        let #value: #ty = #bound;
        #private::json(&#value)
    })
}

/// The state that the toolbox must have.
pub(crate) fn needs(function: &Function, generics: &Generics, private: &TokenStream) -> TokenStream {
    let typed = function.parameters.iter().zip(&generics.types);
    let mut needs = typed
        .filter(|(parameter, _)| parameter.is_state())
        .filter_map(|(parameter, ty)| {
            let name = &parameter.name;
            let written = crate::tokens::pretty(parameter.ty.to_token_stream());
            let span = types::place(&parameter.ty);
            let ty = shared(ty)?;
            Some(quote_spanned!(span=> #private::need::<#ty>(#name, #written)))
        })
        .peekable();
    if needs.peek().is_none() {
        return quote!(#private::Vec::new);
    }
    quote!(|| #private::vec![#(#needs),*])
}
