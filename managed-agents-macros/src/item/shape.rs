//! How a function is asynchronous.

use syn::punctuated::Punctuated;
use syn::{GenericArgument, PathArguments, ReturnType, Signature, Token, Type, TypeParamBound};

use crate::types::{argument_of, peel};

/// The four shapes that can be gated, with what the body gives in the end.
pub(crate) enum Shape {
    /// `async fn … -> R`
    Async(Type),
    /// `fn … -> R` with `blocking`
    Blocking(Type),
    /// `fn … -> Pin<Box<dyn Future<Output = R>>>`, as `#[async_trait]` writes it, or `BoxFuture<'_, R>`
    Boxed(Type),
    /// `fn … -> impl Future<Output = R>`
    Future(Type),
}

/// Why a function has none of the shapes.
pub(crate) enum Unfit {
    /// It is synchronous, and not `blocking`.
    Synchronous,
    /// It returns a future, and does not say of what.
    UnseenFuture(Box<Type>),
}

impl Shape {
    pub(crate) fn of(signature: &Signature, blocking: bool) -> Result<Self, Unfit> {
        let output = match &signature.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        if signature.asyncness.is_some() {
            return Ok(Self::Async(output));
        }
        if let Some(output) = boxed(&output) {
            return Ok(Self::Boxed(output));
        }
        if let Type::ImplTrait(imp) = peel(&output)
            && let Some(output) = future_output(&imp.bounds)
        {
            return Ok(Self::Future(output));
        }
        if is_future(&output) {
            return Err(Unfit::UnseenFuture(Box::new(output)));
        }
        if blocking {
            Ok(Self::Blocking(output))
        } else {
            Err(Unfit::Synchronous)
        }
    }

    /// What the body gives in the end.
    pub(crate) fn output(&self) -> &Type {
        match self {
            Self::Async(output) | Self::Blocking(output) | Self::Boxed(output) | Self::Future(output) => output,
        }
    }

    pub(crate) fn is_blocking(&self) -> bool {
        matches!(self, Self::Blocking(_))
    }
}

fn boxed(ty: &Type) -> Option<Type> {
    for alias in ["BoxFuture", "LocalBoxFuture"] {
        if let Some(output) = argument_of(ty, alias) {
            return Some(output.clone());
        }
    }
    let inner = argument_of(ty, "Pin").and_then(|pinned| argument_of(pinned, "Box"))?;
    match peel(inner) {
        Type::TraitObject(object) => future_output(&object.bounds),
        _ => None,
    }
}

/// Whether a return type is a future by its name, however it is wrapped up.
fn is_future(ty: &Type) -> bool {
    let named = |path: &syn::Path| {
        path.segments
            .last()
            .is_some_and(|last| last.ident.to_string().ends_with("Future"))
    };
    let bounded = |bounds: &Punctuated<TypeParamBound, Token![+]>| {
        bounds
            .iter()
            .any(|bound| matches!(bound, TypeParamBound::Trait(bound) if named(&bound.path)))
    };
    match peel(ty) {
        Type::ImplTrait(imp) => bounded(&imp.bounds),
        Type::TraitObject(object) => bounded(&object.bounds),
        Type::Reference(reference) => is_future(&reference.elem),
        Type::Path(path) => {
            let inner = ["Pin", "Box"].into_iter().find_map(|name| argument_of(ty, name));
            named(&path.path) || inner.is_some_and(is_future)
        }
        _ => false,
    }
}

fn future_output<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> Option<Type> {
    bounds.into_iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let segment = bound.path.segments.last().filter(|segment| segment.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        })
    })
}
