//! What commands would do: rules about programs, their options and where they act.
//!
//! Each rule follows the programs' manual pages; the files of this module name them.

mod abilities;
mod accounts;
mod buckets;
mod cli;
mod cloud;
mod cmdlets;
mod collect;
mod container;
mod contents;
mod copies;
mod credential;
mod database;
mod defences;
mod destroy;
mod disks;
mod environment;
mod escape;
mod fetch;
mod git;
mod grammar;
mod images;
mod lateral;
mod macos;
mod modules;
mod network;
mod options;
mod own_shell;
mod packages;
mod permissions;
mod persist;
mod processes;
mod reads;
mod records;
mod routes;
mod search;
mod secrets;
mod servers;
mod services;
mod startup;
mod strangers;
mod system;
mod tables;
mod transfer;
mod verbs;
mod windows;

#[cfg(test)]
mod routine;
#[cfg(test)]
mod tests;

use super::cmd::Cmd;
use super::programs::Known;
use super::rule;
use super::shell::data::{Data, Field, Taint};
use super::shell::flow;
use super::shell::walk::Walk;

pub(in crate::screen) use super::tamper::command as tamper;
pub(in crate::screen) use abilities::{GROUPS, judge as abilities};
pub(in crate::screen) use accounts::PROBES;
pub(in crate::screen) use contents::contents;
pub(in crate::screen) use credential::{names_secret, read_file, taint_of};
pub(in crate::screen) use destroy::delete;
pub(in crate::screen) use environment::environment;
pub(in crate::screen) use escape::{ONLY_NAMES, TAKES_HELPERS};
pub(in crate::screen) use macos::osascript;
pub(in crate::screen) use persist::{answers_requests, trap, write_file};
pub(in crate::screen) use reads::LOOKS_ONLY;
pub(in crate::screen) use search::find;
pub(in crate::screen) use secrets::{Credential, credential};
pub(in crate::screen) use services::service;
pub(in crate::screen) use startup::written;
pub(in crate::screen) use system::wrapper;
pub(in crate::screen) use windows::powershell;

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

/// Programs whose output comes from elsewhere, or holds what others should not see.
pub(in crate::screen) const SOURCES: [&[&str]; 2] = [network::SOURCES, credential::SOURCES];

/// Judges programs that it knows.
type Judge = fn(&mut Walk<'_>, &Cmd<'_>);

/// Every judge, with the programs it knows.
pub(in crate::screen) const JUDGES: &[(&[&str], Judge)] = &[
    (destroy::NAMES, destroy::judge),
    (credential::NAMES, credential::judge),
    (network::NAMES, network::judge),
    (persist::NAMES, persist::judge),
    (accounts::NAMES, accounts::judge),
    (system::NAMES, system::judge),
    (disks::NAMES, disks::judge),
    (processes::NAMES, processes::judge),
    (defences::WEAKENS, defences::judge),
    (defences::OTHERS, defences::judge),
    (records::NAMES, records::judge),
    (container::NAMES, container::judge),
    (collect::NAMES, collect::judge),
    (images::NAMES, images::judge),
    (lateral::NAMES, lateral::judge),
    (services::NAMES, services::judge),
    (database::NAMES, database::judge),
    (macos::NAMES, macos::judge),
    (git::NAMES, git::judge),
    (tables::NAMES, tables::judge),
    (windows::NAMES, windows::judge),
    (cmdlets::NAMES, cmdlets::judge),
    (routes::NAMES, routes::judge),
    (modules::NAMES, modules::judge),
    (servers::NAMES, servers::judge),
];

/// Judges a command that runs no other, and tells what it prints.
pub(in crate::screen) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    if cmd.only_helps() {
        return Data::unknown(Taint::NONE);
    }
    let signs = cmd.signs;
    reads::any(walk, cmd, signs);
    for judge in cmd.known.judges() {
        if let Some((_, judge)) = JUDGES.get(judge) {
            judge(walk, cmd);
        }
    }
    if cmd.known.has(Known::ABLE) {
        abilities(walk, cmd);
    }
    let unknown = cmd.known.is_unknown();
    if unknown || cmd.known.has(Known::PROBE) {
        accounts::tool(walk, cmd, cmd.name);
    }
    if unknown {
        grammar::unknown(walk, cmd);
        strangers::judge(walk, cmd, signs);
    }
    escape::judge(walk, cmd);
    options::judge(walk, cmd);
    let mut data = flow::output(walk, cmd);
    data.taint = data.taint.and(credential::passed_on(cmd, signs));
    if cmd.known.has(Known::SOURCE) {
        data.taint = data.taint.and(network::source(cmd)).and(credential::source(cmd));
    }
    data
}

/// A script of another language that is run from a file.
pub(in crate::screen) fn script_file(walk: &mut Walk<'_>, cmd: &Cmd<'_>, path: &str) {
    database::management(walk, cmd, path);
    accounts::tool(walk, cmd, path);
}

/// An argument that holds what came out of a credential.
pub(super) fn carries(args: &[Field<'_>], taint: Taint) -> bool {
    args.iter().any(|field| field.taint.has(taint))
}

/// Reports one rule at the command.
#[cold]
pub(super) fn found(walk: &mut Walk<'_>, cmd: &Cmd<'_>, rule: &'static rule::Rule) {
    walk.report(rule, cmd.span);
}
