//! Looks into types as written, and rewrites them.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{GenericArgument, Lifetime, Path, PathArguments, Type, TypeParamBound};

/// Something inside a type.
pub(crate) enum Part<'a> {
    /// Any type, before what is inside it.
    Type(&'a mut Type),
    /// The lifetime of a reference, elided or not, and where the reference begins.
    Reference(&'a mut Option<Lifetime>, Span),
    /// Any other lifetime.
    Lifetime(&'a mut Lifetime),
}

/// Shows every part of `ty` to `visit`, outermost first; function pointers and `Fn(…)` have lifetimes of their own and
/// are left alone.
pub(crate) fn walk(ty: &mut Type, visit: &mut dyn FnMut(Part<'_>)) {
    visit(Part::Type(ty));
    match ty {
        Type::Array(array) => walk(&mut array.elem, visit),
        Type::Group(group) => walk(&mut group.elem, visit),
        Type::Paren(paren) => walk(&mut paren.elem, visit),
        Type::Ptr(pointer) => walk(&mut pointer.elem, visit),
        Type::Slice(slice) => walk(&mut slice.elem, visit),
        Type::Reference(reference) => {
            visit(Part::Reference(&mut reference.lifetime, reference.and_token.span));
            walk(&mut reference.elem, visit);
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|elem| walk(elem, visit)),
        Type::Path(path) => {
            if let Some(qself) = &mut path.qself {
                walk(&mut qself.ty, visit);
            }
            walk_path(&mut path.path, visit);
        }
        Type::ImplTrait(imp) => walk_bounds(&mut imp.bounds, visit),
        Type::TraitObject(object) => walk_bounds(&mut object.bounds, visit),
        _ => {}
    }
}

fn walk_path(path: &mut Path, visit: &mut dyn FnMut(Part<'_>)) {
    for segment in &mut path.segments {
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
            continue;
        };
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => visit(Part::Lifetime(lifetime)),
                GenericArgument::Type(ty) => walk(ty, visit),
                GenericArgument::AssocType(assoc) => walk(&mut assoc.ty, visit),
                _ => {}
            }
        }
    }
}

pub(crate) fn walk_bounds<P>(bounds: &mut Punctuated<TypeParamBound, P>, visit: &mut dyn FnMut(Part<'_>)) {
    for bound in bounds {
        match bound {
            TypeParamBound::Lifetime(lifetime) => visit(Part::Lifetime(lifetime)),
            TypeParamBound::Trait(bound) if bound.lifetimes.is_none() => walk_path(&mut bound.path, visit),
            _ => {}
        }
    }
}

/// `ty` without the parentheses and invisible groups around it.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        };
    }
}

/// The type argument of `Name<T>`, by the last segment.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = peel(ty) else {
        return None;
    };
    let segment = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Every lifetime but `'static` becomes `lifetime`; elided ones too.
pub(crate) fn with_lifetime(ty: &Type, lifetime: &str) -> Type {
    let mut ty = ty.clone();
    walk(&mut ty, &mut |part| match part {
        Part::Reference(slot, span) if slot.as_ref().is_none_or(|l| l.ident != "static") => {
            *slot = Some(Lifetime::new(lifetime, span))
        }
        Part::Lifetime(slot) if slot.ident != "static" => *slot = Lifetime::new(lifetime, slot.span()),
        Part::Type(Type::Path(path)) => give_cow_a_lifetime(&mut path.path, lifetime),
        _ => {}
    });
    ty
}

/// `Cow<str>` hides its lifetime, which may not be hidden in a `where` clause.
fn give_cow_a_lifetime(path: &mut Path, lifetime: &str) {
    let Some(segment) = path.segments.last_mut().filter(|segment| segment.ident == "Cow") else {
        return;
    };
    let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
        return;
    };
    if matches!(arguments.args.first(), Some(GenericArgument::Type(_))) && arguments.args.len() == 1 {
        arguments.args.insert(
            0,
            GenericArgument::Lifetime(Lifetime::new(lifetime, segment.ident.span())),
        );
    }
}

/// Every `impl Trait` becomes what `replacement` gives, innermost ones included in the outer.
pub(crate) fn replace_impl(ty: &Type, mut replacement: impl FnMut(&syn::TypeImplTrait) -> Type) -> Type {
    let mut ty = ty.clone();
    walk(&mut ty, &mut |part| {
        if let Part::Type(slot) = part
            && let Type::ImplTrait(imp) = slot
        {
            let new = replacement(imp);
            *slot = new;
        }
    });
    ty
}

pub(crate) fn any(ty: &Type, mut test: impl FnMut(Part<'_>) -> bool) -> bool {
    let mut found = false;
    walk(&mut ty.clone(), &mut |part| found |= test(part));
    found
}

pub(crate) fn has_impl(ty: &Type) -> bool {
    any(ty, |part| matches!(part, Part::Type(Type::ImplTrait(_))))
}

pub(crate) fn has_reference(ty: &Type) -> bool {
    any(ty, |part| matches!(part, Part::Reference(..)))
}

/// Whether it borrows, as far as can be seen: a reference or a lifetime that is not `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    any(ty, |part| match part {
        Part::Reference(lifetime, _) => lifetime.as_ref().is_none_or(|l| l.ident != "static"),
        Part::Lifetime(lifetime) => lifetime.ident != "static",
        Part::Type(Type::Path(path)) => hides_a_lifetime(path),
        Part::Type(_) => false,
    })
}

fn hides_a_lifetime(path: &syn::TypePath) -> bool {
    path.path.segments.last().is_some_and(|segment| segment.ident == "Cow") && !any_lifetime(&path.path)
}

fn any_lifetime(path: &Path) -> bool {
    path.segments.iter().any(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().any(|a| matches!(a, GenericArgument::Lifetime(_)))
        }
        _ => false,
    })
}

/// Whether `tokens` contain the identifier `name`.
pub(crate) fn mentions(tokens: TokenStream, name: &str) -> bool {
    use proc_macro2::TokenTree;
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(literal) => formats(&literal.to_string(), name),
        TokenTree::Punct(_) => false,
    })
}

/// Whether a format string shows `{name}`.
fn formats(literal: &str, name: &str) -> bool {
    let name = name.strip_prefix("r#").unwrap_or(name);
    literal.starts_with(['"', 'r'])
        && literal.split('{').skip(1).any(|rest| {
            let rest = rest.trim_start();
            rest.strip_prefix(name)
                .is_some_and(|rest| rest.trim_start().starts_with([':', '}']))
                || rest.contains(&format!("{name}$"))
        })
}

/// The first and the last place of `tokens`.
pub(crate) fn ends(ty: &Type) -> (Span, Span) {
    let mut tokens = ty.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    (first, last)
}

/// The place of `ty`, for code of ours: errors point at the type, and lints know that nobody wrote it.
pub(crate) fn place(ty: &Type) -> Span {
    Span::mixed_site().located_at(ends(ty).0)
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::{Type, parse_quote};

    use super::{borrows, mentions, with_lifetime};

    #[test]
    fn a_format_string_mentions_what_it_shows_and_no_more() {
        assert!(mentions(quote!(format!("mailto:{to}")), "to"));
        assert!(mentions(quote!(format!("{to:?} {n:>width$}")), "width"));
        assert!(mentions(quote!(format!(r"{ to }")), "to"));
        assert!(mentions(quote!(format!("{}", a.b(to))), "to"));
        assert!(mentions(quote!(format!("{match}")), "r#match"));
        assert!(!mentions(quote!(format!("mailto:{token}")), "to"));
        assert!(!mentions(quote!(format!("to {}", other)), "to"));
    }

    #[test]
    fn lifetimes_are_replaced_wherever_they_hide_but_not_in_function_types() {
        let ty: Type = parse_quote!(Option<(&str, Cow<str>, View<'a>, &'static u8, fn(&u8))>);
        let expected: Type = parse_quote!(Option<(&'de str, Cow<'de, str>, View<'de>, &'static u8, fn(&u8))>);
        assert_eq!(quote!(#expected).to_string(), {
            let ty = with_lifetime(&ty, "'de");
            quote!(#ty).to_string()
        });
    }

    #[test]
    fn what_is_static_does_not_borrow() {
        assert!(
            borrows(&parse_quote!(Vec<&u8>)) && borrows(&parse_quote!(Cow<str>)) && borrows(&parse_quote!(View<'_>))
        );
        assert!(!borrows(&parse_quote!(Vec<&'static u8>)) && !borrows(&parse_quote!(Box<dyn Fn(&u8)>)));
    }
}
