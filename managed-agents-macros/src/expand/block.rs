//! An `impl` block: its methods gated in place, and their tools in a block of their own beside it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;

use super::generics::Generics;
use super::{call, gate, meta, private};
use crate::diagnostics::Errors;
use crate::item::{self, Block, Function, Member, Receiver};

pub(crate) fn expand(block: &Block, errors: &mut Errors) -> TokenStream {
    let private = private(&block.keys);
    let header = &block.header;
    // another macro on the block, such as `#[async_trait]`, still has to see each `async fn`
    let keep_async = header
        .attrs
        .iter()
        .any(|attribute| !crate::docs::is_inert(attribute.path()));
    let listed = header.trait_.is_none() && !block.keys.has("no_tool");
    let mut tools = Vec::new();
    let members: Vec<TokenStream> = block.members.iter().map(|member| match member {
        Member::Other(tokens) => tokens.clone(),
        Member::Method(method) => {
            let private = self::private(&method.keys);
            let key = method.keys.at("tool");
            if !listed || method.keys.has("no_tool") || !can_be_a_tool(method) {
                if let Some(key) = key {
                    errors.on(key, "this method cannot be a tool: a toolbox calls methods through `&self` or `Arc<Self>`, many at a time");
                }
                return gate::expand(method, &private, &meta::in_place(method, &private), keep_async);
            }
            for parameter in method.parameters.iter().filter(|parameter| parameter.is_state()) {
                item::state_of_a_tool(parameter, errors);
            }
            let constant = constant(method);
            tools.push(method);
            gate::expand(method, &private, &quote!(Self::#constant), keep_async)
        }
    }).collect();
    let mut gated = quote!(#header);
    gated = with_members(gated, &quote!(#(#members)*));
    if tools.is_empty() {
        return gated;
    }
    let tools = tools_block(block, &tools, &private);
    quote!(#gated #tools)
}

/// The header, which ends in empty braces, with `members` in them.
fn with_members(header: TokenStream, members: &TokenStream) -> TokenStream {
    let mut tokens: Vec<proc_macro2::TokenTree> = header.into_iter().collect();
    if let Some(proc_macro2::TokenTree::Group(braces)) = tokens.last_mut() {
        let mut inner = braces.stream();
        inner.extend(members.clone());
        let mut group = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, inner);
        group.set_span(braces.span());
        *braces = group;
    }
    tokens.into_iter().collect()
}

/// `&mut self` and `self` are the caller's alone; a type parameter has nobody to name it in a list.
fn can_be_a_tool(method: &Function) -> bool {
    !matches!(method.receiver, Some((Receiver::Other, _)))
}

/// Where the method's metadata stands.
fn constant(method: &Function) -> Ident {
    format_ident!("__META_{}", method.signature.ident.unraw(), span = Span::call_site())
}

fn tools_block(block: &Block, methods: &[&Function], private: &TokenStream) -> TokenStream {
    let ty = &block.header.self_ty;
    let (generics, _, clause) = block.header.generics.split_for_impl();
    let cfgs = block
        .header
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    let list = block
        .keys
        .tools
        .clone()
        .unwrap_or_else(|| Ident::new("tools", Span::call_site()));
    let mut bounds = Vec::new();
    let mut pushes = Vec::new();
    let mut single = Vec::new();
    for method in methods {
        let generics = Generics::of(method, private);
        let (name, cfgs) = (tool_name(method), method.cfgs().collect::<Vec<_>>());
        let this = method.receiver.as_ref().map(|_| quote!(self));
        if generics.fits && generics.parameters.is_empty() {
            pushes.push(quote!(#(#cfgs)* __tools.push(Self::#name(#this));));
            if cfgs.is_empty() {
                bounds.extend(generics.predicates.iter().cloned());
            }
        }
        single.push(one(method, &generics, private, &name));
    }
    let doc = format!(
        "The tools of this value: {}.",
        methods
            .iter()
            .map(|m| format!("`{}`", m.name()))
            .collect::<Vec<_>>()
            .join(", ")
    );
    quote!(
        #(#cfgs)*
        impl #generics #ty #clause {
            #[doc = #doc]
            #[must_use]
            #[allow(private_bounds, private_interfaces, clippy::vec_init_then_push)]
            pub fn #list(self: &#private::Arc<Self>) -> #private::Vec<#private::Tool>
            where
                Self: ::core::marker::Send + ::core::marker::Sync + 'static,
                #(#bounds,)*
            {
                let mut __tools = #private::Vec::new();
                #(#pushes)*
                __tools
            }
            #(#single)*
        }
    )
}

/// `send_tool`, or what the key says.
fn tool_name(method: &Function) -> Ident {
    method
        .keys
        .tool
        .clone()
        .unwrap_or_else(|| format_ident!("{}_tool", method.signature.ident.unraw(), span = Span::call_site()))
}

/// The tool of one method, and its metadata.
fn one(method: &Function, generics: &Generics, private: &TokenStream, name: &Ident) -> TokenStream {
    let ident = &method.signature.ident;
    let visibility = crate::tokens::ours(&method.visibility);
    let cfgs: Vec<_> = method.cfgs().collect();
    let constant = constant(method);
    let meta = meta::expand(method, private);
    let (parameters, predicates) = (&generics.parameters, &generics.predicates);
    let bound = method.receiver.is_some();
    let this = bound.then(|| quote!(self: &#private::Arc<Self>));
    let body = if generics.fits {
        let vtable = call::vtable(
            method,
            generics,
            private,
            &quote!(Self::#ident),
            &quote!(Self::#constant),
        );
        if bound {
            quote!(#private::Tool::bound(#vtable, #private::this(self)))
        } else {
            quote!(#private::Tool::from_vtable(#vtable))
        }
    } else {
        quote!(loop {})
    };
    let doc = format!("The method `{}` as a tool of an agent.", ident.unraw());
    quote!(
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_upper_case_globals)]
        const #constant: &'static #private::ToolMeta = &#meta;
        #(#cfgs)*
        #[doc = #doc]
        #[must_use]
        #[allow(private_bounds, private_interfaces, clippy::empty_loop, clippy::multiple_bound_locations)]
        #visibility fn #name<#(#parameters),*>(#this) -> #private::Tool
        where
            Self: ::core::marker::Send + ::core::marker::Sync + 'static,
            #(#predicates,)*
        {
            #body
        }
    )
}
