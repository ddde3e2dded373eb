//! Keys against the function that they stand on.

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{ReceiverKind, Type};

use super::{Function, Parameter, Role};
use crate::attr::Cancel;
use crate::diagnostics::{Errors, did_you_mean};
use crate::types;

/// `redact(…)` and `skip(…)` name arguments, each in one way.
pub(crate) fn names(function: &mut Function, errors: &mut Errors) {
    let fn_name = function.signature.ident.to_string();
    let broken =
        function.parameters.len() + usize::from(function.receiver.is_some()) != function.signature.inputs.len();
    let skips = std::mem::take(&mut function.keys.skip);
    for name in &skips {
        match find(&mut function.parameters, name) {
            None if broken => {}
            None => errors.on(name, missing(name, &function.parameters, &fn_name)),
            Some(p) if p.is_state() => errors.on(
                name,
                format!("`skip({name})` contradicts `state`: state is never judged"),
            ),
            Some(p) if matches!(p.role, Role::Skipped) => errors.on(name, format!("`{name}` is skipped twice")),
            Some(p) => p.role = Role::Skipped,
        }
    }
    let redact_first = function.keys.is_before("redact", "skip");
    for path in std::mem::take(&mut function.keys.redact) {
        let name = &path.argument;
        match find(&mut function.parameters, name) {
            None if broken => {}
            None => errors.on(name, missing(name, &function.parameters, &fn_name)),
            Some(p) if p.is_state() => errors.on(
                name,
                format!("`redact({name})` contradicts `state`: state is never shown"),
            ),
            Some(p) if !p.is_judged() => {
                let later = skips.iter().find(|skip| *skip == name).filter(|_| redact_first);
                let (first, second) = if redact_first {
                    ("redact", "skip")
                } else {
                    ("skip", "redact")
                };
                errors.on(
                    later.unwrap_or(name),
                    format!("`{second}({name})` contradicts `{first}({name})`: what is skipped is never shown"),
                );
            }
            Some(p) if p.redact.contains(&path.pointer) => errors.on(name, format!("`{name}` is redacted twice")),
            Some(p) => p.redact.push(path.pointer),
        }
    }
    for parameter in &function.parameters {
        if let (Role::Skipped, Some((key, _))) = (&parameter.role, &parameter.keys.kind) {
            errors.on(
                key,
                format!(
                    "`kind` contradicts `skip({})`: what is skipped is not screened",
                    parameter.name
                ),
            );
        }
    }
}

fn find<'a>(parameters: &'a mut [Parameter], name: &Ident) -> Option<&'a mut Parameter> {
    let name = name.unraw().to_string();
    parameters.iter_mut().find(|parameter| parameter.name == name)
}

fn missing(name: &Ident, parameters: &[Parameter], function: &str) -> String {
    let suggestion = did_you_mean(&name.unraw().to_string(), parameters.iter().map(|p| p.name.as_str()));
    format!("no argument `{name}` in `{function}`{suggestion}")
}

/// A grave tool says which state and which `self` it acts on.
pub(crate) fn identities(function: &Function, errors: &mut Errors) {
    let include = function.keys.at("include");
    if let (Some(key), None) = (include, &function.receiver) {
        errors.on(key, "`include(self)` needs a `self`");
    }
    if !function.keys.is_grave() {
        return;
    }
    if let (None, Some((_, receiver))) = (include, &function.receiver) {
        errors.on(
            receiver,
            "an irreversible, high or critical tool must say which `self` it acts on: add `include(self)` or `include(self = expression)`, which enters the judged call",
        );
    }
    for parameter in &function.parameters {
        if let Role::State { id: None } = parameter.role {
            let name = &parameter.name;
            errors.at(
                parameter.ident.span(),
                format!("an irreversible, high or critical tool must say which `{name}` it acts on: write `#[governed(state(id = expression))]`, which enters the judged call"),
            );
        }
    }
}

/// `cancel = finish` and `exact` against what is borrowed and what is not judged.
pub(crate) fn modes(function: &Function, errors: &mut Errors) {
    if function.keys.cancel == Some(Cancel::Finish) {
        finish(function, errors);
    }
    let Some(exact) = function.keys.at("exact") else {
        return;
    };
    for parameter in &function.parameters {
        let name = &parameter.name;
        if parameter.is_state() {
            errors.on(
                exact,
                format!("`exact` contradicts the `state` of `{name}`: state is not among the judged bytes"),
            );
        } else if !parameter.is_judged() {
            errors.on(
                exact,
                format!("`exact` contradicts `skip({name})`: it is not among the judged bytes"),
            );
        } else if types::has_impl(&parameter.ty) {
            errors.on(&parameter.ty, "`exact` decodes this argument anew: name its type");
        } else if let Err(unfit) = crate::expand::owned(&parameter.ty) {
            errors.on(
                &parameter.ty,
                format!("`exact` cannot decode this argument anew: {unfit}"),
            );
        }
    }
    let output = function.shape.output();
    if function.receiver.is_none() && types::borrows(output) {
        errors.on(
            output,
            "`exact` decodes the arguments anew: the return type cannot borrow from them",
        );
    }
}

fn finish(function: &Function, errors: &mut Errors) {
    let message = |what: &str| {
        format!("`cancel = finish` runs the body on when its caller goes away: `{what}` must be owned, not borrowed")
    };
    if let Some((_, receiver)) = &function.receiver {
        let borrowed = match &receiver.kind {
            ReceiverKind::Reference(..) => true,
            ReceiverKind::Typed(_, ty) => types::borrows(ty),
            _ => false,
        };
        if borrowed {
            errors.on(receiver, format!("{}; take `self: Arc<Self>`", message("self")));
            return;
        }
    }
    if let Some(parameter) = function.parameters.iter().find(|p| types::borrows(&p.ty)) {
        errors.on(&parameter.ty, message(&parameter.name));
    }
}

/// What the operator sees in the clear is not made from what is redacted.
pub(crate) fn secrets(function: &Function, errors: &mut Errors) {
    let shown = [("subject", &function.keys.subject)];
    for parameter in function.parameters.iter().filter(|p| !p.redact.is_empty()) {
        let leaks =
            |expression: &syn::Expr| types::mentions(expression.to_token_stream(), &parameter.ident.to_string());
        for (key, expression) in shown {
            if let Some(expression) = expression.as_ref().filter(|e| leaks(e)) {
                errors.on(
                    expression,
                    format!("`{key}` is recorded in the clear, and `{}` is redacted", parameter.name),
                );
            }
        }
        let own = function
            .keys
            .include
            .as_ref()
            .and_then(|include| include.identity.as_ref());
        if let Some(id) = own.filter(|id| leaks(id)) {
            errors.on(
                id,
                format!(
                    "an identity is recorded in the clear, and `{}` is redacted",
                    parameter.name
                ),
            );
        }
        for other in &function.parameters {
            if let Role::State { id: Some(id) } = &other.role
                && leaks(id)
            {
                errors.on(
                    id,
                    format!(
                        "an identity is recorded in the clear, and `{}` is redacted",
                        parameter.name
                    ),
                );
            }
        }
    }
}

/// State is shared by all calls of a tool.
pub(crate) fn state_of_a_tool(parameter: &Parameter, errors: &mut Errors) {
    let shared = match types::peel(&parameter.ty) {
        Type::Reference(reference) => reference.mutability.is_none(),
        ty => types::argument_of(ty, "Arc").is_some(),
    };
    if !shared {
        errors.on(
            &parameter.ty,
            "state is shared by all calls: take `&T` or `Arc<T>` (with a mutex inside to change it), or add `no_tool`",
        );
    }
}
