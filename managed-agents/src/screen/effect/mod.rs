//! What commands would do: rules about programs, their options and where they act.
//!
//! Each rule follows the programs' manual pages; the files of this module name them.

mod accounts;
mod cli;
mod cloud;
mod credential;
mod database;
mod destroy;
mod escape;
mod git;
mod macos;
mod network;
mod persist;
mod services;
mod system;
mod tables;

use super::cmd::Cmd;
use super::rule;
use super::shell::data::{Data, Field, Taint};
use super::shell::flow;
use super::shell::walk::Walk;

pub(in crate::screen) use super::tamper::command as tamper;
pub(in crate::screen) use credential::{Credential, credential, read_file, taint_of};
pub(in crate::screen) use destroy::{delete, find};
pub(in crate::screen) use macos::osascript;
pub(in crate::screen) use persist::{environment, trap, write_file, written};
pub(in crate::screen) use system::{powershell, wrapper};

/// How a file is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::screen) enum Write {
    /// Its contents are replaced.
    Truncate,
    /// Something is added.
    Append,
    /// Only messages go there.
    Stderr,
    /// It is made, or its times are changed.
    Touch,
}

/// Judges a command that runs no other, and tells what it prints.
pub(in crate::screen) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    if cmd.only_helps() {
        return Data::unknown(Taint::NONE);
    }
    destroy::judge(walk, cmd);
    credential::judge(walk, cmd);
    network::judge(walk, cmd);
    persist::judge(walk, cmd);
    accounts::judge(walk, cmd);
    system::judge(walk, cmd);
    services::judge(walk, cmd);
    database::judge(walk, cmd);
    macos::judge(walk, cmd);
    git::judge(walk, cmd);
    tables::judge(walk, cmd);
    escape::judge(walk, cmd);
    let data = flow::output(walk, cmd);
    let taint = data.taint.and(network::source(cmd)).and(credential::source(cmd));
    Data { taint, ..data }
}

/// A script of another language that is run from a file.
pub(in crate::screen) fn script_file(walk: &mut Walk<'_>, cmd: &Cmd<'_>, path: &str) {
    database::management(walk, cmd, path);
    accounts::tool(walk, cmd, path);
}

/// An argument that holds what came out of a credential.
pub(super) fn carries(args: &[Field], taint: Taint) -> bool {
    args.iter().any(|field| field.taint.has(taint))
}

/// Reports one rule at the command.
pub(super) fn found(walk: &mut Walk<'_>, cmd: &Cmd<'_>, rule: &'static rule::Rule) {
    walk.report(rule, cmd.span);
}
