//! The item under the attribute, parsed as far as needed: the body never is.

mod block;
mod check;
mod function;
mod parameter;
mod refuse;
mod shape;

pub(crate) use block::{Block, Member};
pub(crate) use check::state_of_a_tool;
pub(crate) use function::{Function, Site};
pub(crate) use parameter::{Parameter, Receiver, Role};
pub(crate) use refuse::test;
pub(crate) use shape::Shape;

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Token, Visibility};

use crate::diagnostics::Errors;

/// What we stand on.
#[expect(clippy::large_enum_variant, reason = "one of it exists at a time")]
pub(crate) enum Item {
    Function(Function),
    Block(Block),
    /// Neither, or not readable: the mistake is among the errors.
    Other,
}

impl Item {
    pub(crate) fn parse(attribute: TokenStream, item: TokenStream, errors: &mut Errors) -> Self {
        let read = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            if is_block(&input.fork()) {
                return Block::parse(attribute, &attributes, input, errors).map(Item::Block);
            }
            if let Some(other) = other(&input.fork()) {
                return Err(syn::Error::new(other.span(), elsewhere(&other.to_string())));
            }
            Function::parse(attribute, attributes, input, errors).map(Item::Function)
        };
        read.parse2(item).unwrap_or_else(|error| {
            errors.absorb(error);
            Self::Other
        })
    }
}

fn is_block(input: ParseStream<'_>) -> bool {
    while input.peek(Token![unsafe]) || input.peek(Token![default]) {
        let _ = Ident::parse_any(input);
    }
    input.peek(Token![impl])
}

/// The keyword of an item that is neither function nor `impl`.
fn other(input: ParseStream<'_>) -> Option<Ident> {
    input.parse::<Visibility>().ok()?;
    let word = input.call(Ident::parse_any).ok()?;
    let keyword = word.to_string();
    let function_follows =
        input.peek(Token![fn]) || input.peek(Token![async]) || input.peek(Token![unsafe]) || input.peek(Token![extern]);
    match keyword.as_str() {
        "struct" | "enum" | "union" | "trait" | "mod" | "type" | "static" | "use" | "let" | "macro_rules" => Some(word),
        "const" if !function_follows => Some(word),
        "unsafe" | "auto" if input.peek(Token![trait]) => input.call(Ident::parse_any).ok(),
        _ => None,
    }
}

/// Where the attribute goes instead.
fn elsewhere(keyword: &str) -> String {
    let place = match keyword {
        "struct" | "enum" | "union" => "the `impl` block of this type, and on the methods in it that an agent may call",
        "trait" => "the methods of each `impl` of this trait",
        "mod" => "the functions in this module",
        _ => "a function",
    };
    format!("`#[governed]` governs functions: put it on {place}")
}
