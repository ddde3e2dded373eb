//! Decodes the arguments of a call by name, and calls the governed function itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::generics::{Generics, shared};
use super::rows;
use crate::item::{Function, Receiver};
use crate::types;

/// The table behind one tool. `callee` is the path of the function; `meta` is an expression.
pub(crate) fn vtable(
    function: &Function,
    generics: &Generics,
    private: &TokenStream,
    callee: &TokenStream,
    meta: &TokenStream,
) -> TokenStream {
    let arguments = rows::arguments(function, generics, private);
    let needs = rows::needs(function, generics, private);
    let call = call(function, generics, private, callee);
    quote!(&#private::Vtable {
        meta: #meta,
        arguments: &[#(#arguments),*],
        needs: #needs,
        call: #call,
    })
}

/// The local that owns the argument of this place.
pub(crate) fn local(index: usize) -> Ident {
    format_ident!("__argument{index}", span = Span::mixed_site())
}

fn call(function: &Function, generics: &Generics, private: &TokenStream, callee: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let [this, states, raw, parts] = ["__this", "__states", "__raw", "__parts"].map(|name| Ident::new(name, site));
    let given: Vec<_> = rows::given(function, generics).collect();
    let names = given.iter().map(|(parameter, _)| &parameter.name);
    let takes = given.iter().enumerate().map(|(index, (parameter, owned))| {
        let span = types::place(&parameter.ty);
        let (local, ty) = (local(index), owned.ty("'_", private));
        quote_spanned!(span=> let #local: #ty = #private::ToolArg::take(&#parts, #index)?;)
    });
    let receiver = function.receiver.as_ref().map(|(receiver, _)| match receiver {
        Receiver::Reference | Receiver::Other => quote!(#private::receiver::<Self>(#this)?,),
        Receiver::Shared => quote!(#private::shared_receiver::<Self>(#this)?,),
        Receiver::SharedReference => quote!(&#private::shared_receiver::<Self>(#this)?,),
    });
    let mut index = 0;
    let values = function.parameters.iter().zip(&generics.types).map(|(parameter, ty)| {
        if parameter.is_state() {
            let get = if matches!(types::peel(ty), Type::Reference(_)) {
                quote!(get)
            } else {
                quote!(shared)
            };
            let ty = shared(ty);
            return quote!(#states.#get::<#ty>());
        }
        let local = local(index);
        let passed = given.get(index).map(|(_, owned)| owned.pass(&local, private));
        index += 1;
        quote!(#passed)
    });
    let turbofish = &generics.turbofish;
    let wait = (!function.shape.is_blocking()).then(|| quote!(.await));
    quote!(|#this, #states, #raw| #private::Box::pin(async move {
        let #parts = #private::Parts::split(#raw, &[#(#names),*])?;
        #(#takes)*
        #private::finish(#callee #turbofish(#receiver #(#values),*) #wait)
    }))
}
