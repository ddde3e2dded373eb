//! How a function is asynchronous.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeParamBound};

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

impl Shape {
    /// `None` for a synchronous function.
    pub(crate) fn of(signature: &Signature, blocking: bool) -> Option<Self> {
        let output = match &signature.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        if signature.asyncness.is_some() {
            return Some(Self::Async(output));
        }
        if let Some(output) = boxed(&output) {
            return Some(Self::Boxed(output));
        }
        if let Type::ImplTrait(imp) = peel(&output)
            && let Some(output) = future_output(&imp.bounds)
        {
            return Some(Self::Future(output));
        }
        blocking.then_some(Self::Blocking(output))
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
