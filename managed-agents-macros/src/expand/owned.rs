//! How a parameter is owned while a model's JSON is its source.
//!
//! `Box<T>` rather than `ToOwned`: `T` need not be `Clone`, and `Box<str>`, `Box<[T]>` and `Box<Path>` all decode.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Type;

use crate::types::{any, argument_of, has_reference, peel, with_lifetime};

/// The owned form of a parameter's type.
pub(crate) enum Owned {
    /// As it is.
    Plain(Type),
    /// `&T`
    Boxed(Type),
    /// `Option<&T>`
    Optional(Type),
    /// `&[&T]`
    Slice(Type),
    /// `Vec<&T>`
    Vector(Type),
}

/// The owned form of `ty`, or why there is none.
pub(crate) fn owned(ty: &Type) -> Result<Owned, &'static str> {
    let owned = match peel(ty) {
        Type::Reference(reference) => {
            if let Type::Slice(slice) = peel(&reference.elem)
                && reference.mutability.is_none()
                && let Ok(Some(element)) = referent(&slice.elem)
            {
                return Ok(Owned::Slice(element));
            }
            referent(ty)?.map(Owned::Boxed)
        }
        ty => match (argument_of(ty, "Option"), argument_of(ty, "Vec")) {
            (Some(inner), _) => referent(inner)?.map(Owned::Optional),
            (_, Some(inner)) => referent(inner)?.map(Owned::Vector),
            _ => None,
        },
    };
    match owned {
        Some(owned) => Ok(owned),
        None if has_reference(ty) => Err("a reference inside of another type cannot be decoded: own it"),
        None => Ok(Owned::Plain(ty.clone())),
    }
}

/// `T` of `&T`; `None` for what is no reference.
fn referent(ty: &Type) -> Result<Option<Type>, &'static str> {
    let Type::Reference(reference) = peel(ty) else {
        return Ok(None);
    };
    let element = peel(&reference.elem);
    if reference.mutability.is_some() {
        return Err("nobody would see what is changed through `&mut`");
    }
    if reference
        .lifetime
        .as_ref()
        .is_some_and(|lifetime| lifetime.ident == "static")
    {
        return Err("what is decoded does not live for `'static`");
    }
    if matches!(element, Type::TraitObject(_)) {
        return Err("a trait object cannot be decoded");
    }
    if has_reference(element) {
        return Err("a reference to a reference cannot be decoded");
    }
    Ok(Some(element.clone()))
}

impl Owned {
    /// The type of the local that owns it, with its lifetimes as `lifetime`.
    pub(crate) fn ty(&self, lifetime: &str, private: &TokenStream) -> TokenStream {
        let (Self::Plain(ty) | Self::Boxed(ty) | Self::Optional(ty) | Self::Slice(ty) | Self::Vector(ty)) = self;
        let ty = with_lifetime(ty, lifetime);
        match self {
            Self::Plain(_) => quote!(#ty),
            Self::Boxed(_) => quote!(#private::Box<#ty>),
            Self::Optional(_) => quote!(::core::option::Option<#private::Box<#ty>>),
            Self::Slice(_) | Self::Vector(_) => quote!(#private::Vec<#private::Box<#ty>>),
        }
    }

    /// What the function is given.
    pub(crate) fn pass(&self, local: &Ident, private: &TokenStream) -> TokenStream {
        match self {
            Self::Plain(_) => quote!(#local),
            Self::Boxed(_) => quote!(&*#local),
            Self::Optional(_) => quote!(#local.as_deref()),
            Self::Slice(_) => {
                quote!(&#private::Vec::from_iter(#local.iter().map(|__value| &**__value))[..])
            }
            Self::Vector(_) => {
                quote!(#private::Vec::from_iter(#local.iter().map(|__value| &**__value)))
            }
        }
    }

    /// The number behind `&u64`, `Option<u64>` and the like.
    pub(crate) fn scalar(&self) -> &Type {
        match self {
            Self::Plain(ty) => argument_of(ty, "Option").unwrap_or(ty),
            Self::Boxed(ty) | Self::Optional(ty) | Self::Slice(ty) | Self::Vector(ty) => ty,
        }
    }
}

/// Whether it names a type that only exists at run time.
pub(crate) fn is_dynamic(ty: &Type) -> bool {
    any(ty, |part| {
        matches!(part, crate::types::Part::Type(Type::TraitObject(_)))
    })
}
