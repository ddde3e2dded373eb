//! Modes, owners and attributes: chmod(1), chown(1), chgrp(1), setfacl(1), chattr(1).

use super::destroy::is_log;
use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::Taint;
use crate::screen::shell::walk::Walk;

/// Modes and owners: widely, or of what the system needs.
pub(super) fn permissions(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let recursive = cmd.short('R') || cmd.long("recursive") || cmd.has("/T");
    let mut operands = cmd.operands("", &["reference", "from"]);
    let mode = if operands.is_empty() {
        ""
    } else {
        &operands.remove(0).text
    };
    if cmd.name == "chmod" || cmd.name == "gchmod" {
        super::system::mode(walk, cmd, mode);
        if mode.contains('x') || mode.contains(['1', '3', '5', '7']) {
            for field in &operands {
                if let Some((_, data)) = walk.files.iter_mut().find(|(own, _)| *own == field.text) {
                    data.taint = data.taint.and(Taint::PROGRAM);
                }
            }
        }
    }
    if cmd.name == "setfacl" {
        operands = cmd.operands("mxMX", &["modify", "remove"]);
    }
    let attributes;
    let mode = if cmd.name == "chattr" {
        // what it takes away looks like an option
        let Some(own) = cmd.args.iter().find(|field| {
            field.text.starts_with(['+', '-', '='])
                && !matches!(field.text.as_str(), "-R" | "-V" | "-f" | "-RV" | "-Rf")
        }) else {
            return;
        };
        attributes = own.text.to_string();
        operands = cmd
            .args
            .iter()
            .filter(|field| !field.text.starts_with(['+', '-', '=']))
            .collect();
        attributes.as_str()
    } else {
        mode
    };
    let mode_is_path = operands.is_empty() && recursive;
    let paths: Vec<String> = if mode_is_path {
        vec![mode.to_owned()]
    } else {
        operands.iter().map(|field| field.text.to_string()).collect()
    };
    for path in paths {
        let normal = walk.places.normal(&path, &walk.cwd);
        if crate::screen::tamper::path(walk.places, &normal) {
            found(walk, cmd, &rule::TAMPER);
        }
        let place = walk.places.place_of(&normal);
        let grave = match place {
            Place::Root | Place::System => recursive || place == Place::Root || opens(mode),
            Place::InSystem => recursive || opens(mode),
            Place::Home => recursive && !mode_is_path && cmd.name != "chown" || opens(mode),
            Place::Device => true,
            Place::Outside | Place::InHome => recursive && opens(mode),
            // what only adds, and not the right to write for everybody, breaks nothing
            Place::Workspace if cmd.name == "chmod" && mode.contains('+') && !mode.contains(['-', '=']) => {
                recursive && opens(mode)
            }
            // to whoever works here: `$USER`, `$(id -u)`
            Place::Workspace if cmd.name == "chown" && mode.starts_with('\u{E000}') => false,
            Place::Workspace | Place::Above => recursive && matches!(cmd.name, "chmod" | "chown"),
            _ => false,
        };
        let immutable = cmd.name == "chattr"
            && matches!(place, Place::InSystem | Place::InHome)
            && mode.contains('i')
            && (super::credential(&normal).is_some() || super::written(&normal).is_some() || mode.starts_with('-'));
        if cmd.name == "chattr" && mode.contains('i') && matches!(place, Place::Scratch | Place::Outside) {
            found(walk, cmd, &rule::PERMISSIONS);
        }
        if cmd.name == "chattr" && is_log(&normal) && mode.contains(['i', 'a']) {
            found(walk, cmd, &rule::WEAKEN_LOG);
        }
        if grave || immutable {
            found(walk, cmd, &rule::PERMISSIONS);
        }
        if matches!(cmd.name, "chown" | "chgrp") && place == Place::InSystem && super::credential(&normal).is_some() {
            found(walk, cmd, &rule::PERMISSIONS);
        }
        if super::credential(&normal).is_some()
            && mode.chars().last().is_some_and(|c| matches!(c, '4'..='7'))
            && mode.len() >= 3
        {
            found(walk, cmd, &rule::PERMISSIONS);
        }
    }
}

/// A mode that lets everybody write.
fn opens(mode: &str) -> bool {
    let octal = !mode.is_empty() && mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    if octal {
        return mode.len() >= 3 && mode.ends_with(['2', '3', '6', '7']) || matches!(mode, "0" | "00" | "000" | "0000");
    }
    mode.split(',').any(|clause| {
        clause
            .split_once(['+', '='])
            .is_some_and(|(who, what)| what.contains('w') && (who.contains('o') || who.contains('a')))
    }) || mode.starts_with("u:") && mode.contains('w')
        || mode.contains("Everyone")
}
