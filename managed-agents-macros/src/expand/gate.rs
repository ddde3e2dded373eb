//! The function itself, with the gate before its body.
//!
//! An `async fn` becomes `fn … -> impl Future`: the arguments are written down when it is called, and one future that
//! owns them judges when it is first polled. Where another macro still has to see an `async fn`, it stays one.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use super::{call, owned};
use crate::attr::Cancel;
use crate::item::{Function, Parameter, Role, Shape};
use crate::types;

/// The governed function. `meta` is an expression; with `keep_async` an `async fn` stays one.
pub(crate) fn expand(function: &Function, private: &TokenStream, meta: &TokenStream, keep_async: bool) -> TokenStream {
    let Function {
        attributes,
        visibility,
        defaultness,
        shape,
        body,
        ..
    } = function;
    let keep_async = keep_async || function.is_rewritten_later();
    // the place of the body, the edition and the names of this crate
    let span = body.span().resolved_at(Span::mixed_site());
    let draft = Ident::new("__call", Span::mixed_site());
    let written = write_down(function, private, meta, &draft);
    let future = |body: &TokenStream| {
        let run = if function.keys.cancel == Some(Cancel::Finish) {
            quote!(gate_finish)
        } else {
            quote!(gate)
        };
        let inside = braces(span, inside(function, private, &draft, body));
        quote_spanned!(span=> #private::#run(#draft, async move #inside))
    };
    let before = judged_bytes(function, private, &draft);
    // braces of our own around the user's statements, so that nobody finds them unnecessary
    let inner = braces(span, body.stream()).to_token_stream();
    let gated = match shape {
        Shape::Async(_) if keep_async => {
            let future = future(&inner);
            quote!(#future.await)
        }
        Shape::Async(_) => future(&inner),
        Shape::Future(_) => future(&awaited(&inner, None)),
        Shape::Boxed(_) => {
            let future = future(&awaited(&inner, Some(&function.signature.output)));
            quote!(#private::Box::pin(#future))
        }
        Shape::Blocking(output) => {
            let output = inferable(output);
            let inside = braces(span, inside(function, private, &draft, &inner));
            quote_spanned!(span=> #private::gate_blocking::<#output>(#draft, move || -> #output #inside))
        }
    };
    let mut signature = function.signature.clone();
    if let (Shape::Async(output), false) = (shape, keep_async) {
        signature.asyncness = None;
        signature.output = returned(function, output);
    }
    // the function itself is the user's: the compiler says so when nobody calls it
    let outer = braces(body.span(), quote!(#written #before #gated));
    quote!(#(#attributes)* #visibility #defaultness #signature #outer)
}

/// The call, written down from borrows: identities, then arguments, each in the order of their keys.
fn write_down(function: &Function, private: &TokenStream, meta: &TokenStream, draft: &Ident) -> TokenStream {
    let keys = &function.keys;
    let mut ids: Vec<(&str, TokenStream)> = Vec::new();
    if let (Some(include), Some((_, receiver))) = (&keys.include, &function.receiver) {
        let identity = match &include.identity {
            Some(identity) => quote!(&(#identity)),
            None => own_identity(receiver, include.span),
        };
        ids.push(("self", identity));
    }
    for parameter in &function.parameters {
        if let Role::State { id: Some(id) } = &parameter.role {
            ids.push((&parameter.name, quote!(&(#id))));
        }
    }
    ids.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    let ids = ids.into_iter().enumerate().map(|(place, (key, identity))| {
        let key = json_key(place, key);
        quote!(#draft.id(#key, #identity);)
    });
    let arguments = write_arguments(function, draft);
    let harness = keys.harness.as_ref().map(|harness| quote!(#draft.harness(&#harness);));
    let compensate = keys.compensate.as_ref().map(|undo| {
        let once = Ident::new("__UNDO", Span::mixed_site());
        let stopped = Ident::new("__stopped", Span::mixed_site());
        // an error points at the path
        let undo = quote_spanned!(undo.span()=> #private::undoing(#undo(#stopped)));
        quote!(
            static #once: #private::OnceLock<()> = #private::OnceLock::new();
            #draft.compensate(&#once, |#stopped| #undo);
        )
    });
    quote!(
        let mut #draft = #private::Draft::new(#meta);
        #(#ids)* #arguments #harness #compensate
    )
}

/// The arguments, and what is said of them, written down from borrows.
fn write_arguments(function: &Function, draft: &Ident) -> TokenStream {
    let keys = &function.keys;
    let ranges = function
        .parameters
        .iter()
        .filter_map(|parameter| range(parameter, draft));
    let arguments = function.judged().into_iter().enumerate().map(|(place, parameter)| {
        let Parameter { name, ident, ty, .. } = parameter;
        let key = json_key(place, name);
        // `&x`, from the beginning of the type to its end: that is where the compiler points when it cannot be shown
        let (first, last) = types::ends(ty);
        let and = quote_spanned!(ident.span().located_at(first)=> &);
        let mut value = ident.clone();
        value.set_span(ident.span().located_at(last));
        quote!(#draft.argument(#key, #and #value);)
    });
    let target = keys.target.as_ref().map(|target| quote!(#draft.target(#target);));
    let subject = keys.subject.as_ref().map(|subject| quote!(#draft.subject(#subject);));
    quote!(#(#ranges)* #(#arguments)* #target #subject)
}

/// A key as it stands in an object, so that it is one piece to be copied in each call. Names of parameters have nothing to
/// escape.
fn json_key(place: usize, name: &str) -> String {
    let comma = if place == 0 { "" } else { "," };
    format!("{comma}\"{name}\":")
}

/// `Self` behind `self`, whatever points to it.
fn own_identity(receiver: &syn::Receiver, span: Span) -> TokenStream {
    let this = Ident::new("self", receiver.self_token.span.located_at(span));
    let derefs = match &receiver.kind {
        syn::ReceiverKind::Value => quote!(),
        syn::ReceiverKind::Typed(_, ty) => match types::peel(ty) {
            Type::Path(path) if path.path.is_ident("Self") => quote!(),
            Type::Reference(reference) if matches!(types::peel(&reference.elem), Type::Path(path) if !path.path.is_ident("Self")) =>
            {
                quote!(**)
            }
            _ => quote!(*),
        },
        _ => quote!(*),
    };
    let and = quote_spanned!(this.span()=> &);
    quote!(#and #derefs #this)
}

fn range(parameter: &Parameter, draft: &Ident) -> Option<TokenStream> {
    let (_, range) = parameter.keys.range.as_ref()?;
    let Parameter { name, ident, ty, .. } = parameter;
    let is_reference = |ty: &Type| matches!(types::peel(ty), Type::Reference(_));
    let fits = match types::argument_of(ty, "Option") {
        Some(inner) => {
            let value = Ident::new("__value", Span::mixed_site());
            let of = if is_reference(inner) {
                quote!(*#value)
            } else {
                quote!(#value)
            };
            quote!(match &#ident {
                ::core::option::Option::Some(#value) => (#range).contains(#of),
                ::core::option::Option::None => true,
            })
        }
        None if is_reference(ty) => quote!((#range).contains(#ident)),
        None => quote!((#range).contains(&#ident)),
    };
    let text = crate::tokens::pretty(range.to_token_stream());
    Some(quote!(#draft.range(#name, #fits, #text);))
}

/// `exact`: the slot of the judged bytes, taken before the gate takes the call. What the caller passed has been written
/// down and ends here: an argument that is only looked at would be one that need not be passed by value.
fn judged_bytes(function: &Function, private: &TokenStream, draft: &Ident) -> Option<TokenStream> {
    let judged = Ident::new("__judged", Span::mixed_site());
    let passed = function.judged().into_iter().map(|parameter| &parameter.ident);
    function.keys.has("exact").then(|| {
        let edited = edited(function, private, draft);
        quote!(
            let #judged = #draft.judged();
            #edited
            #(#private::spent(#passed);)*
        )
    })
}

/// `exact`: how the call is written down with arguments that a person wrote. Nothing of the caller's is in reach: what is said of
/// `self` beside its identity cannot be said anew, and such a call cannot be edited.
fn edited(function: &Function, private: &TokenStream, draft: &Ident) -> Option<TokenStream> {
    let keys = &function.keys;
    let of_self = keys.target.is_some()
        || keys.subject.is_some()
        || keys.include.as_ref().is_some_and(|include| include.identity.is_some());
    if function.receiver.is_some() && of_self {
        return None;
    }
    let site = Span::mixed_site();
    let [again, given, parts, value] = ["__again", "__given", "__parts", "__value"].map(|name| Ident::new(name, site));
    let parameters = function.judged();
    let names = parameters.iter().map(|parameter| &parameter.name);
    let or_refuse = quote!({
        ::core::result::Result::Ok(#value) => #value,
        ::core::result::Result::Err(#value) => return ::core::result::Result::Err(#value),
    });
    let values = parameters.iter().enumerate().filter_map(|(index, parameter)| {
        let Parameter { ident, lints, ty, .. } = parameter;
        let owned = owned(ty).ok()?;
        let (ty, local) = (owned.ty("'_", private), call::local(index));
        let passed = owned.pass(&local, private);
        Some(quote!(
            let #local: #ty = match #private::take_edited(&#parts, #index) #or_refuse;
            #(#lints)* let #ident = #passed;
        ))
    });
    let written = write_arguments(function, &again);
    Some(quote!(
        #draft.edited_by(|#given, #again| {
            let #parts = match #private::edited_parts(#given, &[#(#names),*]) #or_refuse;
            #(#values)*
            #written
            ::core::result::Result::Ok(())
        });
    ))
}

/// What runs once the call was allowed.
fn inside(function: &Function, private: &TokenStream, draft: &Ident, body: &TokenStream) -> TokenStream {
    let output = inferable(function.shape.output());
    // lets `?` in the body know what it converts to
    let hint = quote!(
        #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::empty_loop, clippy::let_unit_value, clippy::let_with_type_underscore)]
        if false {
            let __returned: #output = loop {};
            return __returned;
        }
    );
    let _ = draft;
    let exact = function.keys.has("exact");
    let anew = exact.then(|| decoded(function, private));
    let kept = function
        .parameters
        .iter()
        .filter(|p| !exact || !p.is_judged())
        .map(|parameter| {
            let Parameter {
                ident,
                mutability,
                lints,
                ..
            } = parameter;
            let place = Span::mixed_site().located_at(ident.span());
            let (bind, equals, end) = (
                quote_spanned!(place=> let),
                quote_spanned!(place=> =),
                quote_spanned!(place=> ;),
            );
            quote!(#(#lints)* #bind #mutability #ident #equals #ident #end)
        });
    quote!(#hint #anew #(#kept)* #body)
}

/// `exact`: the arguments anew, from the judged bytes.
fn decoded(function: &Function, private: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let (judged, parts, value) = (
        Ident::new("__judged", site),
        Ident::new("__parts", site),
        Ident::new("__value", site),
    );
    let parameters = function.judged();
    let names = parameters.iter().map(|parameter| &parameter.name);
    let or_deny = quote!({
        ::core::result::Result::Ok(#value) => #value,
        ::core::result::Result::Err(#value) => return #private::GovernedReturn::from_denial(#value),
    });
    let values = parameters.iter().enumerate().filter_map(|(index, parameter)| {
        let Parameter {
            ident,
            mutability,
            lints,
            ty,
            ..
        } = parameter;
        let owned = owned(ty).ok()?;
        let (ty, local) = (owned.ty("'_", private), call::local(index));
        let passed = owned.pass(&local, private);
        Some(quote!(
            let #local: #ty = match #private::take_judged(&#parts, #index) #or_deny;
            #(#lints)* let #mutability #ident = #passed;
        ))
    });
    quote!(
        let #parts = match #private::judged_parts(#judged.arguments(), &[#(#names),*]) #or_deny;
        #(#values)*
    )
}

/// `-> impl Future`, in the place of the return type: that is where the compiler points when it cannot carry a denial.
fn returned(function: &Function, output: &Type) -> syn::ReturnType {
    let (first, last) = match function.signature.output {
        syn::ReturnType::Default => (function.signature.ident.span(), function.signature.ident.span()),
        syn::ReturnType::Type(..) => types::ends(output),
    };
    let open = quote_spanned!(Span::mixed_site().located_at(first)=> impl ::core::future::Future<Output =);
    let close = quote_spanned!(Span::mixed_site().located_at(last)=> >);
    syn::parse_quote!(-> #open #output #close)
}

/// `{ body }.await`, for a body that gives a future.
fn awaited(body: &TokenStream, output: Option<&syn::ReturnType>) -> TokenStream {
    let future = Ident::new("__future", Span::mixed_site());
    let ty = match output {
        Some(syn::ReturnType::Type(_, ty)) => quote!(: #ty),
        _ => TokenStream::new(),
    };
    quote!(let #future #ty = #body; #future.await)
}

/// The type as it can be written on a local: `impl Trait` cannot.
fn inferable(ty: &Type) -> Type {
    types::replace_impl(ty, |imp| {
        Type::Infer(syn::TypeInfer {
            attrs: Vec::new(),
            underscore_token: syn::Token![_](imp.impl_token.span),
        })
    })
}

fn braces(span: Span, tokens: TokenStream) -> Group {
    let mut group = Group::new(proc_macro2::Delimiter::Brace, tokens);
    group.set_span(span);
    group
}
