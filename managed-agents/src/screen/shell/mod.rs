//! The shell: what a command line would run.

mod ast;
mod breakouts;
mod calls;
pub(in crate::screen) mod code;
mod code_calls;
mod code_files;
mod code_hidden;
mod code_text;
mod compound;
mod containers;
pub(in crate::screen) mod data;
mod dollar;
pub(in crate::screen) mod escapes;
mod expand;
pub(in crate::screen) mod flow;
pub(in crate::screen) mod injected;
pub(in crate::screen) mod interpreters;
mod literal;
mod loops;
pub(in crate::screen) mod nested;
mod nodes;
mod parse;
mod patterns;
mod possible;
mod printed;
mod redirect;
mod redirected;
mod resolve;
mod run;
mod runners;
mod searches;
mod simple;
pub(in crate::screen) mod sources;
pub(in crate::screen) mod text;
pub(in crate::screen) mod walk;
mod word;
pub(in crate::screen) mod wrappers;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
