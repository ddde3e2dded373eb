//! Commands for many things: find(1), xargs(1), parallel(1), fd(1).

use super::data::{ALL, Data, Field, SOME, Taint, UNKNOWN};
use super::walk::Walk;
use crate::screen::cmd::{Cmd, takes_value};
use crate::screen::{effect, rule};

/// What a command makes of the words that come from its standard input.
fn items<'c>(cmd: &Cmd<'c>) -> Vec<Field<'c>> {
    let field = |text: String| Field {
        taint: cmd.stdin.taint,
        ..Field::new(text, cmd.span)
    };
    if !cmd.stdin.listing.is_empty() {
        return cmd.stdin.listing.iter().cloned().map(field).collect();
    }
    match cmd.stdin.full_text() {
        Some(text) => text
            .split(['\n', ' ', '\t', '\0'])
            .filter(|text| !text.is_empty())
            .take(256)
            .map(|text| field(text.to_owned()))
            .collect(),
        None => {
            let mut item = field(UNKNOWN.to_string());
            if cmd.stdin.taint == Taint::NONE {
                item.taint = Taint::ITEM;
            }
            vec![item]
        }
    }
}

pub(super) fn xargs(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let (mut at, mut hole) = (0, None);
    let mut from_file = false;
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if text == "--" {
            at += 1;
            break;
        }
        if !text.starts_with('-') || text.len() < 2 {
            break;
        }
        if let Some(attached) = text.strip_prefix("--replace") {
            hole = Some(match attached.strip_prefix('=') {
                Some(hole) if !hole.is_empty() => hole.to_owned(),
                _ => "{}".to_owned(),
            });
        } else if let Some(attached) = text.strip_prefix("-I").or_else(|| text.strip_prefix("-J")) {
            hole = Some(if attached.is_empty() {
                cmd.arg(at + 1).to_owned()
            } else {
                attached.to_owned()
            });
        } else if !text.starts_with("--") && text.ends_with('i') {
            hole = Some("{}".to_owned());
        } else if text.contains('i') && !text.starts_with("--") && !text.contains(['I', 'n', 'd']) {
            hole = Some(text.split_once('i').map_or("{}", |(_, hole)| hole).to_owned());
        }
        from_file |= text.starts_with("-a") || text.starts_with("--arg-file");
        at += 1 + takes_value(
            text,
            "adEILnPsJRS",
            &[
                "arg-file",
                "delimiter",
                "max-args",
                "max-procs",
                "max-chars",
                "process-slot-var",
                "max-lines",
            ],
        );
    }
    if from_file {
        let list = cmd.values('a', "arg-file");
        if let Some(field) = list.first() {
            let path = field.text.rsplit('=').next().unwrap_or_default();
            effect::read_file(walk, path.strip_prefix("-a").unwrap_or(path), field.span);
        }
    }
    let inner = cmd.args.get(at..).unwrap_or_default();
    if inner.is_empty() {
        return cmd.stdin.clone();
    }
    // what it reads are no commands: the shell has the terminal
    if from_file
        && let [only] = inner
        && super::code::is_shell(only.text.rsplit('/').next().unwrap_or_default())
    {
        walk.report(&rule::SHELL_ESCAPE, cmd.span);
    }
    let items = if from_file {
        vec![Field::new(UNKNOWN, cmd.span)]
    } else {
        items(cmd)
    };
    with_items(walk, inner, &items, hole.as_deref())
}

/// A command for items: in the place of the hole, or at its end.
fn with_items(walk: &mut Walk<'_>, inner: &[Field<'_>], items: &[Field<'_>], hole: Option<&str>) -> Data {
    let by_other = std::mem::replace(&mut walk.by_other, true);
    let in_loop = std::mem::replace(&mut walk.in_loop, true);
    let data = with_items_here(walk, inner, items, hole);
    (walk.by_other, walk.in_loop) = (by_other, in_loop);
    data
}

fn with_items_here(walk: &mut Walk<'_>, inner: &[Field<'_>], items: &[Field<'_>], hole: Option<&str>) -> Data {
    let Some(hole) = hole.filter(|hole| !hole.is_empty()) else {
        let mut argv = inner.to_vec();
        argv.extend(items.iter().cloned());
        return walk.invoke(&argv, &Data::none());
    };
    // what is read becomes a script
    for pair in inner.windows(2) {
        if let [option, script] = pair
            && script.text == hole
            && option.text.starts_with('-')
            && option.text.ends_with('c')
        {
            walk.report(&rule::UNRESOLVED_CODE, script.span);
        }
    }
    let mut all = Data::unknown(Taint::NONE);
    walk.limited |= items.len() > 64;
    for item in items.iter().take(64) {
        let argv: Vec<Field<'_>> = inner
            .iter()
            .map(|field| Field {
                text: field.text.replace(hole, &item.text).into(),
                taint: field.taint.and(if field.text.contains(hole) {
                    item.taint
                } else {
                    Taint::NONE
                }),
                ..field.clone()
            })
            .collect();
        all = walk.invoke(&argv, &Data::none());
    }
    all
}

pub(super) fn parallel(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        if !field.text.starts_with('-') || field.text.len() < 2 {
            break;
        }
        at += 1 + takes_value(
            &field.text,
            "jaINnSP",
            &[
                "jobs", "arg-file", "colsep", "max-args", "sshlogin", "joblog", "results", "delay",
            ],
        );
    }
    let rest = cmd.args.get(at..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|field| field.text.starts_with(":::"))
        .unwrap_or(rest.len());
    let inner = rest.get(..end).unwrap_or_default();
    let given: Vec<Field<'_>> = match rest.get(end) {
        Some(mark) if mark.text.starts_with("::::") => vec![Field::new(UNKNOWN, cmd.span)],
        Some(_) => rest
            .iter()
            .skip(end + 1)
            .filter(|field| !field.text.starts_with(":::"))
            .cloned()
            .collect(),
        None if cmd.stdin.given => match cmd.stdin.full_text() {
            Some(text) => text.lines().take(64).map(|line| Field::new(line, cmd.span)).collect(),
            None => items(cmd),
        },
        None => Vec::new(),
    };
    // the words are one script for a shell, which sees the items behind them or in place of `{}`
    let text: Vec<&str> = inner.iter().map(|field| field.text.as_str()).collect();
    let text = text.join(" ");
    for item in given.iter().take(64) {
        let script = if inner.is_empty() {
            item.text.to_string()
        } else if text.contains("{}") {
            text.replace("{}", &item.text)
        } else {
            format!("{text} {}", item.text)
        };
        walk.script(&script, cmd.span, &Data::none());
        if inner.len() >= 3 && script.contains(" -c ") {
            // a script within the script keeps its quotes
            with_items(walk, inner, std::slice::from_ref(item), Some("{}"));
        }
    }
    Data::unknown(cmd.stdin.taint)
}

/// Tests of find(1) that choose among files; `-type` and the depths alone do not.
const FIND_TESTS: [&str; 36] = [
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-iwholename",
    "-regex",
    "-iregex",
    "-lname",
    "-ilname",
    "-size",
    "-mtime",
    "-atime",
    "-ctime",
    "-mmin",
    "-amin",
    "-cmin",
    "-newer",
    "-anewer",
    "-cnewer",
    "-newermt",
    "-newerct",
    "-newerat",
    "-empty",
    "-perm",
    "-user",
    "-group",
    "-uid",
    "-gid",
    "-nouser",
    "-nogroup",
    "-inum",
    "-links",
    "-samefile",
    "-xtype",
    "-used",
];

pub(super) fn find(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut roots: Vec<&Field<'_>> = Vec::new();
    let mut at = 0;
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if matches!(text, "-H" | "-L" | "-P" | "-d" | "-E" | "-X" | "-x" | "-s") || text.starts_with("-O") {
            at += 1;
        } else if text == "-D" || text == "-f" {
            at += 2;
        } else if text.starts_with('-') || matches!(text, "(" | "!" | ")" | ",") {
            break;
        } else {
            roots.push(field);
            at += 1;
        }
    }
    let tests = cmd.args.get(at..).unwrap_or_default();
    let chosen = tests.iter().enumerate().any(|(index, field)| {
        FIND_TESTS.contains(&field.text.as_str())
            // a pattern that fits everything chooses nothing
            && !tests.get(index + 1).is_some_and(|value| matches!(value.text.as_str(), "*" | "*.*" | "./*" | ".*"))
    });
    let mark = if chosen { SOME } else { ALL };
    let listing: Vec<String> = if roots.is_empty() {
        vec![format!("./{mark}")]
    } else {
        roots
            .iter()
            .map(|root| format!("{}/{mark}", root.text.trim_end_matches('/')))
            .collect()
    };
    effect::find(walk, cmd, &listing);
    let mut data = Data::unknown(Taint::FILE.and(Taint::BEYOND));
    let mut index = 0;
    while let Some(field) = tests.get(index) {
        index += 1;
        let text = field.text.as_str();
        if FIND_TESTS.contains(&text) || matches!(text, "-type" | "-maxdepth" | "-mindepth" | "-printf" | "-fstype") {
            // its value is no action, whatever it says
            if !matches!(text, "-empty" | "-nouser" | "-nogroup") {
                index += 1;
            }
            continue;
        }
        if text == "-delete" {
            effect::delete(walk, &listing, true, true, field.span);
            continue;
        }
        if !matches!(text, "-exec" | "-execdir" | "-ok" | "-okdir") {
            continue;
        }
        let rest = tests.get(index..).unwrap_or_default();
        let end = rest
            .iter()
            .enumerate()
            .position(|(at, field)| {
                field.text == ";"
                    || (field.text == "+"
                        && at > 0
                        && rest.get(at - 1).is_some_and(|before| before.text.ends_with("{}")))
            })
            .unwrap_or(rest.len());
        let inner = rest.get(..end).unwrap_or_default();
        index += end;
        for path in listing.iter().take(8) {
            let item = Field::new(path.clone(), field.span);
            data = with_items(walk, inner, std::slice::from_ref(&item), Some("{}"));
        }
    }
    data.listing = listing;
    data.text = None;
    data.given = true;
    data
}

pub(super) fn fd(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let at = cmd
        .args
        .iter()
        .position(|field| matches!(field.text.as_str(), "-x" | "-X" | "--exec" | "--exec-batch"));
    let patterns = cmd.args.get(..at.unwrap_or(cmd.args.len())).unwrap_or_default();
    let chosen = patterns
        .iter()
        .any(|field| !field.text.starts_with('-') && !matches!(field.text.as_str(), "." | "*" | ""));
    let listing = vec![format!("./{}", if chosen { SOME } else { ALL })];
    if let Some(at) = at {
        let mut inner = cmd.args.get(at + 1..).unwrap_or_default().to_vec();
        if !inner.iter().any(|field| field.text.contains('{')) {
            inner.push(Field::new("{}", cmd.span));
        }
        let item = Field::new(listing.first().cloned().unwrap_or_default(), cmd.span);
        with_items(walk, &inner, std::slice::from_ref(&item), Some("{}"));
    }
    Data {
        listing,
        ..Data::unknown(Taint::FILE.and(Taint::BEYOND))
    }
}
