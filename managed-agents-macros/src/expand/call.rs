//! Decodes the arguments of a call by name, and calls the governed function itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::generics::{Generics, shared};
use super::rows;
use crate::item::{Function, Receiver, Site};
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
    let [this, states, raw, parts, value] =
        ["__this", "__states", "__raw", "__parts", "__value"].map(|name| Ident::new(name, site));
    let given: Vec<_> = rows::given(function, generics).collect();
    // not `?`, which costs the compiler two calls, and not in the future, where each place to leave costs more
    let or_refuse = quote!({
        ::core::result::Result::Ok(#value) => #value,
        ::core::result::Result::Err(#value) => return #private::refused(#value),
    });
    let names = given.iter().map(|(parameter, _)| &parameter.name);
    let takes = given.iter().enumerate().map(|(index, (parameter, owned))| {
        let span = types::place(&parameter.ty);
        let (local, ty) = (local(index), owned.ty("'_", private));
        quote_spanned!(span=> let #local: #ty = match #private::ToolArg::take(&#parts, #index) #or_refuse;)
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
    let body = quote!({
        let #parts = match #private::Parts::split(#raw, &[#(#names),*]) #or_refuse;
        #(#takes)*
        #private::Box::pin(async move {
            #private::finish(#callee #turbofish(#receiver #(#values),*) #wait)
        })
    });
    if function.site != Site::Free || !generics.parameters.is_empty() {
        return quote!(|#this, #states, #raw| #body);
    }
    // where nothing of the outside is named, a function: a closure costs one more. The bounds are those of `tool`, so that
    // they are asked of who writes `f::tool()`
    let predicates = &generics.predicates;
    let call = Ident::new("__call", site);
    quote!({
        fn #call<'a>(
            #this: &'a #private::This,
            #states: &'a #private::States,
            #raw: &'a ::core::primitive::str,
        ) -> #private::BoxFuture<'a, #private::CallResult>
        where
            #(#predicates,)*
        #body
        #call
    })
}
