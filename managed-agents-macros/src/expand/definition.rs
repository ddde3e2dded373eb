//! The definition digest: another definition is another tool, and an approval of one is none of the other.

use quote::ToTokens as _;
use sha2::{Digest as _, Sha256};

use crate::item::Function;
use crate::tokens::canonical;

/// SHA-256 over name, description, keys, and the names, types and keys of the parameters as written.
pub(crate) fn digest(function: &Function, description: proc_macro2::TokenStream) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    };
    add("ma-definition/1");
    add(&function.name());
    add(&canonical(description));
    add(&canonical(function.keys.tokens.clone()));
    if let Some((_, receiver)) = &function.receiver {
        add(&canonical(receiver.to_token_stream()));
    }
    for parameter in &function.parameters {
        add(&parameter.name);
        add(&canonical(parameter.ty.to_token_stream()));
        add(&canonical(parameter.written.clone()));
    }
    hash.finalize().into()
}
