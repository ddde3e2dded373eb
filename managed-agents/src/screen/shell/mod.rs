//! The shell: what a command line would run.

mod ast;
mod breakouts;
pub(in crate::screen) mod code;
pub(in crate::screen) mod data;
pub(in crate::screen) mod escapes;
mod expand;
pub(in crate::screen) mod flow;
mod interpreters;
mod nested;
mod parse;
mod resolve;
pub(in crate::screen) mod walk;
mod word;
mod wrappers;

#[cfg(test)]
mod tests;
