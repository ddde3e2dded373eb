//! Gathering before sending, and locking away: screencapture(1), xwd(1), tar(1), zip(1), 7z(1), openssl-enc(1), gpg(1),
//! and what people keep in their mail, messages and browsers.

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::rule::{self, Rule};
use crate::screen::shell::data::{ALL, Field, SOME, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    if let Some(rule) = verdict(walk, cmd) {
        found(walk, cmd, rule);
    }
}

by_name! {
    NAMES: fn verdict(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> where cmd.name is {
        "screencapture" | "xwd" | "import" => captures(cmd),
        "xclip" | "xsel" | "pbpaste" | "wl-paste" | "pbcopy" | "wl-copy" => {
            // again and again, whatever somebody copies
            let reads = matches!(cmd.name, "pbpaste" | "wl-paste") || cmd.name != "pbcopy" && cmd.has_any(&["-o", "-b", "--output"]);
            (cmd.stdin.given && cmd.stdin.taint.has(Taint::SECRET) || walk.in_loop && reads && !cmd.stdin.given)
                .then_some(&rule::COLLECT)
        },
        // what comes from elsewhere, unpacked over the system
        "tar" | "gtar" | "bsdtar" | "cpio" | "unzip"
            if cmd.stdin.taint.has(Taint::NET)
                && cmd.values('C', "directory").iter().any(|field| {
                    matches!(
                        walk.places.place(field.text.trim_start_matches("--directory=").trim_start_matches("-C"), &walk.cwd),
                        Place::Root | Place::System | Place::InSystem
                    )
                }) =>
        {
            Some(&rule::SYSTEM_WRITE)
        },
        "tar" | "zip" | "7z" | "7za" | "ditto" | "rar" => collects(walk, cmd)
            .or_else(|| locked(cmd))
            .or_else(|| encrypts(walk, cmd)),
        "cpio" | "pax" if (cmd.short('o') || cmd.short('w') || cmd.short('p'))
            && cmd.stdin.listing.iter().any(|root| super::search::is_of_people(walk, root)) => Some(&rule::COLLECT),
        // pictures and sound, kept under a name that nobody sees
        "scrot" | "gnome-screenshot" | "maim" | "flameshot" | "spectacle" | "imagesnap" | "fswebcam" | "rec" | "sox"
        | "arecord" | "parec" | "parecord" | "ffmpeg" | "streamer" | "grim" if cmd.args.iter().any(|field| is_hidden(&field.text)) => {
            Some(&rule::COLLECT)
        },
        // a microphone or camera, recorded to where nobody looks for a picture or a song
        "imagesnap" | "fswebcam" | "rec" | "sox" | "arecord" | "parec" | "parecord" | "pw-record" | "ffmpeg" | "streamer"
        | "gst-launch-1.0" | "v4l2-ctl"
            if senses(cmd) && cmd.args.iter().any(|field| {
                let path = field.text.rsplit_once('=').map_or(field.text.as_str(), |(_, path)| path);
                path.starts_with('/') && walk.places.place(path, &walk.cwd) == Place::Scratch
            }) => Some(&rule::COLLECT),
        "hdiutil" if cmd.arg(0) == "create" && cmd.args.iter().any(|field| is_hidden(&field.text)) => Some(&rule::COLLECT),
        "cp" if copies_away(walk, cmd) => Some(&rule::COLLECT),
        "cp" | "mv" | "rsync" | "install" | "sqlite3" => gathers(walk, cmd),
        "openssl" | "gpg" | "ccrypt" | "ccencrypt" | "age" | "mcrypt" | "aescrypt" => encrypts(walk, cmd),
    } else { None }
}

fn captures(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    match cmd.name {
        // a person chooses what is taken
        "screencapture" if cmd.short('i') && !cmd.short('x') => None,
        "screencapture" | "xwd" => (!cmd.args.is_empty()).then_some(&rule::COLLECT),
        "import" => cmd
            .args
            .windows(2)
            .any(|pair| matches!(pair, [w, root] if w.text == "-window" && root.text == "root"))
            .then_some(&rule::COLLECT),
        _ => None,
    }
}

/// Files from anywhere in a home or the whole system, one after the other, to where nobody misses or expects them.
fn gathers(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let wide = |field: &&Field<'_>| {
        let normal = walk.places.normal(&field.text, &walk.cwd);
        let root = normal.trim_end_matches([SOME, ALL]);
        let some = root.len() < normal.len() && matches!(root, "/" | "~/" | "/home/" | "/Users/" | "/root/");
        let documents = ["~/Documents/", "~/Desktop/", "~/Pictures/", "~/Downloads/"];
        some || normal.contains('*') && documents.iter().any(|own| normal.starts_with(own))
    };
    if !cmd.args.iter().any(|field| wide(&field)) {
        return None;
    }
    let to = cmd.args.last().map(|field| walk.places.place(&field.text, &walk.cwd));
    let dumps = cmd.name == "sqlite3" && cmd.args.iter().any(|field| field.text.starts_with(".dump"));
    (dumps || cmd.name != "sqlite3" && matches!(to, Some(Place::Scratch | Place::Outside))).then_some(&rule::COLLECT)
}

/// A file whose name begins with a dot, in no home and no project.
fn is_hidden(path: &str) -> bool {
    path.starts_with('/')
        && path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with('.') && name.len() > 1)
}

/// What somebody wrote, as a whole, to where nobody looks.
fn copies_away(walk: &Walk<'_>, cmd: &Cmd<'_>) -> bool {
    let Some((to, from)) = cmd.args.split_last() else {
        return false;
    };
    let own = ["~/Documents", "~/Desktop", "~/Pictures", "~/Downloads", "~/Mail"];
    (walk.in_loop || is_hidden(to.text.trim_end_matches('/')))
        && walk.places.place(&to.text, &walk.cwd) == Place::Scratch
        && from.iter().any(|field| {
            let normal = walk.places.normal(&field.text, &walk.cwd);
            own.contains(&normal.trim_end_matches('/')) || walk.places.place_of(&normal) == Place::Home
        })
}

/// What these programs take comes from a microphone or camera: sox(1), ffmpeg-devices(1), gst-launch-1.0(1).
fn senses(cmd: &Cmd<'_>) -> bool {
    let devices: &[&str] = match cmd.name {
        "sox" => &["-d", "--default-device"],
        "ffmpeg" => &["v4l2", "alsa", "pulse", "avfoundation", "dshow", "oss", "jack"],
        "gst-launch-1.0" => {
            return cmd.args.iter().any(|field| {
                let element = field.text.as_str();
                element.ends_with("src") && !matches!(element, "filesrc" | "videotestsrc" | "audiotestsrc" | "fakesrc")
            });
        }
        _ => return true,
    };
    cmd.has_any(devices)
}

/// Packing whole homes or logs.
fn collects(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let creates = match cmd.name {
        "tar" => {
            cmd.arg(0).trim_start_matches('-').contains('c') && !cmd.arg(0).starts_with("--") || cmd.long("create")
        }
        "7z" | "7za" | "rar" => cmd.arg(0) == "a",
        "ditto" => cmd.short('c'),
        _ => true,
    };
    if !creates {
        return None;
    }
    // an archive that nobody is to see
    if cmd
        .args
        .iter()
        .any(|field| is_hidden(&field.text) && walk.places.place(&field.text, &walk.cwd) == Place::Scratch)
    {
        return Some(&rule::COLLECT);
    }
    // what was found anywhere: `-T -`
    let listed = cmd.name == "tar" && (cmd.short('T') || cmd.long("files-from"));
    if listed
        && cmd
            .stdin
            .listing
            .iter()
            .any(|root| super::search::is_of_people(walk, root))
    {
        return Some(&rule::COLLECT);
    }
    // `-C / etc home`
    if cmd
        .args
        .windows(2)
        .any(|pair| matches!(pair, [option, root] if option.text == "-C" && root.text == "/"))
        && cmd.has_any(&["etc", "home", "root", "var/log", "Users", "etc/", "home/", "root/"])
    {
        return Some(&rule::COLLECT);
    }
    cmd.operands("fCPbp", &["file", "directory", "password"])
        .iter()
        .skip(usize::from(cmd.name != "tar"))
        .find_map(|field| {
            let normal = walk.places.normal(&field.text, &walk.cwd);
            // the same directory of every person
            let everyone = ["/home/", "/Users/"].iter().any(|own| {
                normal
                    .strip_prefix(own)
                    .is_some_and(|rest| rest.starts_with([SOME, ALL, '*']))
            });
            if everyone {
                return Some(&rule::COLLECT);
            }
            let user = normal.starts_with('~') && normal.matches('/').count() == 1 && normal.contains('\u{E000}');
            let listed = normal.trim_end_matches([SOME, ALL]);
            if listed.len() < normal.len() && matches!(listed, "/" | "~/" | "/home/" | "/Users/") {
                return Some(&rule::COLLECT);
            }
            let grave = match walk.places.place_of(&normal) {
                Place::Root | Place::Home => true,
                _ => {
                    matches!(
                        normal.trim_end_matches("/*"),
                        "/etc" | "/home" | "/var/log" | "/root" | "/Users" | "/var/mail" | "/var/spool/mail"
                    ) || normal.starts_with("/var/log")
                        || user
                        || normal.to_ascii_lowercase().contains("keychains")
                }
            };
            grave.then_some(&rule::COLLECT)
        })
}

fn is_archive(name: &str) -> bool {
    matches!(
        name.rsplit_once('.'),
        Some((_, "zip" | "tar" | "tgz" | "gz" | "7z" | "bz2" | "xz"))
    )
}

/// An archive behind a password that is given in the line: nobody who inspects traffic can read it.
fn locked(cmd: &Cmd<'_>) -> Option<&'static Rule> {
    (cmd.name == "zip" && (cmd.long("password") || cmd.has("-P"))).then_some(&rule::COLLECT)
}

/// Encrypting files of people or the system: what is encrypted for someone else is lost.
fn encrypts(walk: &Walk<'_>, cmd: &Cmd<'_>) -> Option<&'static Rule> {
    let encrypts = match cmd.name {
        "openssl" => {
            matches!(cmd.arg(0), "enc" | "aes-256-cbc" | "rsautl" | "pkeyutl") && !cmd.has("-d") && !cmd.has("-decrypt")
        }
        "gpg" => cmd.short('c') || cmd.long("symmetric"),
        "ccrypt" | "ccencrypt" | "mcrypt" | "aescrypt" => true,
        "7z" | "7za" | "zip" => cmd
            .args
            .iter()
            .any(|field| field.text.starts_with("-p") || field.text == "--password" || field.text == "-P"),
        _ => false,
    };
    if cmd.name == "openssl"
        && cmd.arg(0) == "enc"
        && encrypts
        && cmd.args.iter().any(|field| field.text.starts_with("pass:"))
        && cmd.args.iter().any(|field| is_archive(&field.text))
    {
        return Some(&rule::COLLECT);
    }
    // for somebody's key, one file after the other
    if cmd.name.starts_with("gpg")
        && (cmd.short('e') || cmd.long("encrypt"))
        && cmd
            .args
            .iter()
            .any(|field| field.text.contains([SOME, ALL]) && field.text.starts_with(['/', '~']))
    {
        return Some(&rule::DESTROY_DATA);
    }
    let keyed = cmd
        .args
        .iter()
        .any(|field| field.text.starts_with("pass:") || matches!(field.text.as_str(), "-k" | "-pass" | "--passphrase"));
    if encrypts && keyed && cmd.stdin.taint.has(Taint::ARCHIVE) {
        return Some(&rule::COLLECT);
    }
    let listed = cmd.values('\u{0}', "in").into_iter().chain(cmd.operands("", &[]));
    let mut own = listed.chain(cmd.args.iter().skip_while(|field| field.text != "-in").skip(1).take(1));
    (encrypts
        && own.any(|field| {
            // one file after the other
            let unknown = walk.in_loop && field.text.contains(UNKNOWN);
            unknown
                || matches!(
                    walk.places.place(&field.text, &walk.cwd),
                    Place::InHome | Place::Home | Place::InSystem | Place::System
                ) && !field.text.contains("key")
        }))
    .then_some(&rule::DESTROY_DATA)
}
