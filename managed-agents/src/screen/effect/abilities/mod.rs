//! What programs can do beside their purpose, as their manual pages say: options, words and texts that run a command, hold code or
//! load it, write a file, or let somebody in.
//!
//! A row names what leads to it: `--long` and `-l` are spelled as getopt_long(3) allows, `-word` takes one dash or two, `word` stands
//! for itself, `key=` and `key:` for what begins so, and `<` for the standard input. Programs are grouped by what they are for.

mod builders;
mod consoles;
mod fleet;
mod hosts;
mod kinds;
mod languages;
mod network;
mod viewers;

#[cfg(test)]
mod tests;

use super::cli::{self, Row};
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule::Rule;
use crate::screen::shell::walk::Walk;

/// What stands behind an option, and what becomes of it.
#[derive(Clone, Copy, Debug)]
enum Can {
    /// It is run as a command.
    Runs,
    /// The words from so many behind it are a command.
    Rest(usize),
    /// It is code of another language.
    Code,
    /// It is a file of code, or of settings that name commands.
    Loads,
    /// It is `key=value`, and keys with such an ending name a command.
    Sets(&'static [&'static str]),
    /// It is a file that is written.
    Writes,
    /// Its lines may begin with a mark behind which a command stands.
    Console,
    /// Commands stand in it behind such marks, in brackets.
    Within(&'static [&'static str]),
    /// A command begins or ends with `|`.
    Pipe,
    /// It may come over plain HTTP, where anybody may change it on its way.
    Fetches,
    /// Another machine is given what the command names.
    Sends,
    /// Whoever connects is given the command behind it.
    Serves(usize),
    /// The last argument of all is a command.
    Last,
    /// It is a line of settings, in which paths name files to read and code to load.
    Says,
    /// That it is there says enough.
    Is(&'static Rule),
}

/// What leads there, and what it is.
type Ability = (&'static str, Can);

/// All that is known of a program: its abilities, and its verbs.
type Abilities = (&'static [Ability], &'static [Row]);

/// The programs of every group.
pub(in crate::screen) const GROUPS: &[&[&str]] = &[
    builders::NAMES,
    consoles::NAMES,
    fleet::NAMES,
    hosts::NAMES,
    languages::NAMES,
    network::NAMES,
    viewers::NAMES,
];

/// Looks a program up in every group.
const LOOKS: [fn(&str) -> Abilities; 7] = [
    builders::of,
    consoles::of,
    fleet::of,
    hosts::of,
    languages::of,
    network::of,
    viewers::of,
];

/// Judges a program that one of the groups knows.
#[inline(never)]
pub(in crate::screen) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for group in cmd.known.groups() {
        let Some(of) = LOOKS.get(group) else { continue };
        let (abilities, verbs) = of(cmd.name);
        for (ways, can) in abilities {
            for way in ways.split('|') {
                given(walk, cmd, way, *can);
            }
        }
        if let Some(rule) = cli::matching(cmd, verbs, &[]) {
            found(walk, cmd, rule);
        }
    }
}

/// Finds where one way is given, and does what it leads to.
fn given(walk: &mut Walk<'_>, cmd: &Cmd<'_>, way: &str, can: Can) {
    match way {
        "<" => {
            if cmd.stdin.given {
                kinds::input(walk, cmd, can);
            }
            return;
        }
        // every argument, whatever stands before it
        "*" => {
            for (at, field) in cmd.args.iter().enumerate() {
                kinds::value(walk, cmd, can, &field.text, at);
            }
            return;
        }
        // what is no option
        "." => {
            if let Some((at, field)) = first_operand(cmd) {
                kinds::value(walk, cmd, can, &field.text, at);
            }
            return;
        }
        _ => {}
    }
    for (at, field) in cmd.args.iter().enumerate() {
        match spelled(&field.text, way) {
            Spelled::No => {}
            Spelled::Attached(value) => kinds::value(walk, cmd, can, value, at),
            Spelled::Next => kinds::value(walk, cmd, can, cmd.arg(at + 1), at + 1),
        }
    }
}

/// The first argument that does not look like an option; the value of one before it counts, too.
fn first_operand<'c>(cmd: &Cmd<'c>) -> Option<(usize, &'c crate::screen::shell::data::Field<'c>)> {
    cmd.args
        .iter()
        .enumerate()
        .find(|(_, field)| !field.text.starts_with(['-', '+']))
}

/// How an argument spells an option.
enum Spelled<'a> {
    No,
    /// The value stands in the same argument.
    Attached(&'a str),
    /// It is the next argument.
    Next,
}

fn spelled<'a>(text: &'a str, way: &str) -> Spelled<'a> {
    if text == way {
        return Spelled::Next;
    }
    if way.ends_with(['=', ':', '(', '%', '+', '/']) {
        return text.strip_prefix(way).map_or(Spelled::No, Spelled::Attached);
    }
    let Some(dashed) = text.strip_prefix('-') else {
        return Spelled::No;
    };
    if let Some(name) = way.strip_prefix("--") {
        let Some(own) = dashed.strip_prefix('-') else {
            return Spelled::No;
        };
        let (key, value) = own
            .split_once('=')
            .map_or((own, None), |(key, value)| (key, Some(value)));
        if key != name && !(key.len() >= 5 && name.starts_with(key)) {
            return Spelled::No;
        }
        return value.map_or(Spelled::Next, Spelled::Attached);
    }
    let Some(name) = way.strip_prefix('-') else {
        return Spelled::No;
    };
    if name.len() == 1 {
        if dashed.starts_with('-') {
            return Spelled::No;
        }
        if let Some(rest) = dashed.strip_prefix(name) {
            return Spelled::Attached(rest.strip_prefix('=').unwrap_or(rest));
        }
        // the last of some letters
        let cluster = dashed.len() <= 4 && dashed.bytes().all(|byte| byte.is_ascii_alphabetic());
        return if cluster && dashed.ends_with(name) {
            Spelled::Next
        } else {
            Spelled::No
        };
    }
    let own = dashed.strip_prefix('-').unwrap_or(dashed);
    match own.strip_prefix(name) {
        Some("") => Spelled::Next,
        Some(rest) => rest.strip_prefix(['=', ':']).map_or(Spelled::No, Spelled::Attached),
        None => Spelled::No,
    }
}
