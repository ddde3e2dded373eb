//! What runs again later: crontab(5), systemd.unit(5), launchd.plist(5), bash(1) INVOCATION, ld.so(8), githooks(5), sshd(8)
//! AUTHORIZED_KEYS, udev(7), pam.conf(5).

use super::startup::written;
use super::{Write, credential, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint};
use crate::screen::shell::walk::Walk;
use crate::screen::text;

/// A page that runs what its visitors send.
pub(in crate::screen) fn answers_requests(text: &str) -> bool {
    text.len() > 16
        && ["$_GET", "$_POST", "$_REQUEST", "$_COOKIE", "getParameter("]
            .iter()
            .any(|own| text.contains(own))
        && [
            "system(",
            "exec(",
            "eval(",
            "passthru(",
            "popen(",
            "assert(",
            "getRuntime()",
        ]
        .iter()
        .any(|own| text.contains(own))
}

/// Writes a file, and reports what that does.
pub(in crate::screen) fn write_file(walk: &mut Walk<'_>, path: &str, how: Write, data: &Data, span: Span) {
    if path.starts_with("/dev/tcp/") || path.starts_with("/dev/udp/") {
        // one port after the other
        if walk.in_loop && (walk.sweeps || path.ends_with(crate::screen::shell::data::UNKNOWN)) {
            walk.report(&rule::LATERAL, span);
        }
        super::network::to_socket(walk, data, span);
        return;
    }
    let normal = walk.places.normal(path, &walk.cwd);
    let place = walk.places.place_of(&normal);
    credential::stored(walk, how, data, span);
    disguised(walk, path, span);
    if place == Place::Sink {
        return;
    }
    if how != Write::Stderr && walk.files.len() < 512 {
        let added = data.full_text();
        let mut data = data.clone();
        // what may not be written leaves what stood there
        if (how == Write::Append || walk.unsure)
            && let Some(before) = walk.written(path)
        {
            data.taint = data.taint.and(before.taint);
            data.text = match (&before.text, &data.text) {
                (Some(before), Some(more)) if before.len() + more.len() < 64 * 1024 => Some(format!("{before}{more}")),
                _ => None,
            };
        }
        // what is added again and again is no news
        let added = added.filter(|text| !text.is_empty());
        match walk.files.iter_mut().find(|(own, _)| own == path) {
            Some((_, own)) => {
                let same = |text: &str| own.text.as_deref().is_some_and(|own| own.ends_with(text));
                walk.writes += u32::from(added.is_some_and(|text| !same(text)));
                *own = data;
            }
            None => {
                walk.writes += 1;
                walk.files.push((path.to_owned(), data));
            }
        }
    }
    if let Some(rule) = crate::screen::tamper::written(walk.places, &normal) {
        walk.report(rule, span);
        return;
    }
    if let Some(rule) = written(&normal) {
        // completion(1): a start-up file is where such lines belong
        if !(data.taint.has(Taint::COMPLETION) && (how == Write::Append || normal.contains("completion")))
            || rule != &rule::PERSIST
        {
            let added = data
                .full_text()
                .filter(|_| how == Write::Append && place == Place::InHome);
            if added.is_none_or(|added| !super::own_shell::sets_up(walk, &normal, added, span)) {
                walk.report(rule, span);
            }
        }
        return;
    }
    if let Some(rule) = data
        .text
        .as_deref()
        .and_then(|text| super::startup::starts_with_program(&normal, text))
    {
        walk.report(rule, span);
    }
    let page = || {
        let extension = normal.rsplit_once('.').map_or("", |(_, extension)| extension);
        matches!(extension, "php" | "phtml" | "jsp" | "jspx" | "war" | "aspx" | "cgi")
    };
    if data.text.as_deref().is_some_and(answers_requests)
        || data.taint.has(Taint::NET) && place == Place::Outside && page()
    {
        walk.report(&rule::PERSIST, span);
    }
    if data.taint.has(Taint::WHOLE)
        && ["/var/www/", "/srv/www/", "/usr/share/nginx/"]
            .iter()
            .any(|web| normal.starts_with(web))
    {
        walk.report(&rule::EXFIL_FILE, span);
    }
    match place {
        Place::Device => walk.report(&rule::DESTROY_DEVICE, span),
        Place::System | Place::InSystem | Place::Root => {
            let grave = how == Write::Truncate
                && (normal.starts_with("/boot")
                    || normal.starts_with("/bin")
                    || normal.starts_with("/usr/bin")
                    || normal.starts_with("/lib"));
            walk.report(
                if grave {
                    &rule::DESTROY_SYSTEM
                } else {
                    &rule::SYSTEM_WRITE
                },
                span,
            );
        }
        _ => {}
    }
    let empties = how == Write::Truncate && data.text.as_deref().is_none_or(|text| text.trim().is_empty());
    // one file after the other
    if empties
        && how != Write::Touch
        && walk.in_loop
        && text::has_letter(path, '*')
        && ![".log", ".tmp", ".out"].iter().any(|own| path.ends_with(own))
        && matches!(place, Place::Workspace | Place::InWorkspace | Place::InHome)
    {
        walk.report(&rule::DESTROY_DATA, span);
    }
    if empties && how != Write::Touch {
        super::destroy::empties_at(walk, &normal, place, span);
    } else if how == Write::Truncate && super::destroy::is_log(&normal) {
        walk.report(&rule::WEAKEN_LOG, span);
    }
    if matches!(path, "" | "\u{E000}") {
        return;
    }
    // a credential's own file written over is a credential lost
    if how == Write::Truncate && credential::is_home(place) && credential(&normal).is_some() {
        walk.report(&rule::DESTROY_DATA, span);
    }
}

/// A name that looks like another or like nothing: `...`, or a blank at its end.
pub(super) fn disguised(walk: &mut Walk<'_>, path: &str, span: Span) {
    let hides =
        |part: &str| part.len() > 2 && part.bytes().all(|byte| byte == b'.') || part.len() > 1 && part.ends_with(' ');
    let may_hide = path.len() < 1024 && path.bytes().any(|byte| matches!(byte, b'.' | b' '));
    if may_hide && path.split('/').any(hides) {
        walk.report(&rule::DISGUISE, span);
    }
}

/// trap(1p): what runs at a signal, or before every command.
pub(in crate::screen) fn trap(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let (action, signals) = (cmd.arg(0), cmd.args.get(1..).unwrap_or_default());
    if signals.iter().any(|field| field.text == "DEBUG") && action.contains("BASH_COMMAND") {
        found(walk, cmd, &rule::CREDENTIAL_DUMP);
    }
    let calls = |word: &str| matches!(word.rsplit('/').next(), Some("curl" | "wget" | "nc" | "ncat" | "socat"));
    if action.contains("nohup") || action.contains("setsid") || action.split([' ', ';', '|', '&', '(']).any(calls) {
        found(walk, cmd, &rule::PERSIST);
    }
}

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "crontab" => {
            let operands = cmd.operands("u", &[]);
            if cmd.short('r') {
                found(walk, cmd, &rule::DESTROY_DATA);
            } else if !operands.is_empty() || cmd.stdin.given && !cmd.short('l') && !cmd.short('e') && !cmd.short('u') {
                found(walk, cmd, &rule::PERSIST);
            }
            if let Some(text) = cmd.stdin.text.clone().filter(|_| cmd.arg(0) == "-") {
                for line in text.lines().take(64) {
                    // five fields of time, then the command
                    let words: Vec<&str> = line.splitn(6, ' ').collect();
                    if let Some(command) = words.get(5) {
                        walk.script(command, cmd.span, &Data::none());
                    }
                }
            }
        },
        "tee" | "sponge" => {
            let how = if cmd.flag('a', "append") {
                Write::Append
            } else {
                Write::Truncate
            };
            for field in cmd.operands("", &["output-error"]) {
                write_file(walk, &field.text, how, cmd.stdin, field.span);
            }
        },
        // property lists (plutil(1), PlistBuddy(8))
        "plutil" | "plistbuddy" => {
            let changes = cmd.has_any(&["-insert", "-replace", "-remove", "-create"])
                || cmd.args.iter().any(|field| ["Add ", "Set ", "Merge "].iter().any(|verb| field.text.trim_start_matches(':').starts_with(verb)));
            if changes && cmd.args.iter().any(|field| field.text.contains("LSEnvironment") || field.text.contains("LSUIElement")) {
                found(walk, cmd, &rule::PERSIST);
            }
            if let Some(field) = cmd.args.last().filter(|_| changes) {
                write_file(walk, &field.text, Write::Append, &Data::unknown(Taint::NONE), field.span);
            }
        },
        "update-alternatives" | "alternatives" => {
            let places = [Place::Scratch, Place::InHome];
            if cmd.has("--install") && cmd.args.iter().any(|field| places.contains(&walk.places.place(&field.text, &walk.cwd))) {
                found(walk, cmd, &rule::PERSIST);
            }
        },
        "touch" | "mkdir" | "mkfifo" | "mknod" => {
            for field in cmd.operands("drtm", &["date", "reference", "time", "mode"]) {
                let normal = walk.places.normal(&field.text, &walk.cwd);
                if let Some(rule) = crate::screen::tamper::written(walk.places, &normal).or(written(&normal)) {
                    walk.report(rule, field.span);
                } else if matches!(walk.places.place_of(&normal), Place::InSystem)
                    && !normal.starts_with("/sys/fs/cgroup")
                {
                    walk.report(&rule::SYSTEM_WRITE, field.span);
                }
                // times of others' files, set to what they were not
                let sets = cmd.name == "touch"
                    && (cmd.short('r')
                        || cmd.short('d')
                        || cmd.short('t')
                        || cmd.long("reference")
                        || cmd.long("date"));
                let place = walk.places.place_of(&normal);
                if sets && matches!(place, Place::Outside | Place::InSystem | Place::Scratch) {
                    walk.report(&rule::WEAKEN_LOG, field.span);
                }
                disguised(walk, &field.text, field.span);
            }
            // the times of a system's own file, given to another one
            for field in cmd.values('r', "reference").iter().filter(|_| cmd.name == "touch") {
                if walk.places.place(&field.text, &walk.cwd) == Place::InSystem {
                    walk.report(&rule::WEAKEN_LOG, field.span);
                }
            }
        },
        "sed" | "gsed" | "perl"
            if cmd.options().any(|option| {
                option.starts_with("-i")
                    || option.starts_with("--in-place")
                    || (!option.starts_with("--") && option.contains('i'))
            }) =>
        {
            for field in cmd
                .operands("efl", &["expression", "file"])
                .iter()
                .skip(usize::from(!cmd.short('e')))
            {
                if super::destroy::is_log(&walk.places.normal(&field.text, &walk.cwd)) {
                    walk.report(&rule::WEAKEN_LOG, field.span);
                }
                write_file(
                    walk,
                    &field.text,
                    Write::Append,
                    &Data::unknown(Taint::NONE),
                    field.span,
                );
            }
        },
        "vim" | "vi" | "nano" | "ee" | "ed" | "ex" | "emacs" | "pico" | "nvim" => {
            for field in cmd.operands("cuSw", &["cmd"]) {
                let normal = walk.places.normal(&field.text, &walk.cwd);
                if let Some(rule) = crate::screen::tamper::written(walk.places, &normal)
                    .or(written(&normal))
                    .filter(|rule| *rule == &rule::PERSIST_KEY || *rule == &rule::TAMPER)
                {
                    walk.report(rule, field.span);
                }
            }
        },
    } else {}
}
