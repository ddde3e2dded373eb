//! What talks HTTP and the like: curl(1), wget(1), aria2c(1), http(1): what it sends, where it asks, and what it writes.

use super::network::stream;
use super::{Write, carries, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;
use crate::screen::text;
use crate::screen::url;

/// Options of curl(1) that send a file or data.
pub(super) fn curl(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut at = 0;
    // a machine without a name is nobody's service
    let bare = cmd.args.iter().any(|field| is_bare(&field.text));
    let (mut sends, mut secret) = (false, carries(cmd.args, Taint::SECRET) || carries(cmd.args, Taint::ENV));
    let mut to = None;
    while let Some(field) = cmd.args.get(at) {
        at += 1;
        let text = field.text.as_str();
        let (key, attached) = split_option(text);
        let value = attached
            .or_else(|| cmd.args.get(at).map(|field| field.text.as_str()))
            .unwrap_or_default();
        let takes = attached.is_none();
        match key {
            "-T" | "--upload-file" => {
                sends |= bare || !is_own(walk, value);
                secret |= super::taint_of(walk, value).has(Taint::SECRET)
                    || value == "-" && cmd.stdin.taint.has(Taint::SECRET);
                at += usize::from(takes);
            }
            "-d" | "--data" | "--data-binary" | "--data-ascii" | "--data-urlencode" | "--json" | "-F" | "--form"
            | "--data-raw" | "--form-string" => {
                let own = if takes { cmd.args.get(at) } else { Some(field) };
                at += usize::from(takes);
                sends |= own.is_some_and(|own| {
                    own.taint.has(Taint::FILE) && !own.text.starts_with('@') && key != "--data-urlencode"
                });
                if matches!(key, "--data-raw" | "--form-string") {
                    continue;
                }
                let file = match key {
                    "-F" | "--form" | "--data-urlencode" => value.split_once(['@', '<']).map(|(_, file)| file),
                    _ => value.strip_prefix('@'),
                };
                if let Some(file) = file {
                    let file = file.split(';').next().unwrap_or_default();
                    let taint = if file == "-" {
                        cmd.stdin.taint
                    } else {
                        super::taint_of(walk, file)
                    };
                    secret |= taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS);
                    let written = walk.written(file).is_some();
                    sends |= bare
                        || matches!(key, "-F" | "--form") && !is_own(walk, file)
                        || file == "-" && cmd.stdin.taint.has(Taint::FILE)
                        || taint.has(Taint::ACCOUNTS)
                        || written
                        || is_archive(file);
                }
            }
            "-o" | "--output" => {
                at += usize::from(takes);
                to = Some(value);
            }
            "-O" | "--remote-name" | "-OJ" | "-LO" | "-sSLO" | "-fsSLO" => {}
            "-x" | "--proxy" | "-U" | "--proxy-user" | "-u" | "--user" | "-H" | "--header" | "-X" | "--request"
            | "-A" | "--user-agent" | "-b" | "--cookie" | "-c" | "--cookie-jar" | "-e" | "--referer" | "-m"
            | "--max-time" | "-E" | "--cert" | "--key" | "--cacert" | "--resolve" | "--connect-to" | "-w"
            | "--write-out" | "--retry" | "-K" | "--config" | "--unix-socket" | "--interface" | "-r" | "--range" => {
                if key == "--unix-socket" && value.contains("docker.sock") {
                    found(walk, cmd, &rule::CONTAINER_ESCAPE);
                }
                at += usize::from(takes);
            }
            _ if text.starts_with('-') => {}
            _ => address(walk, text, field.span),
        }
    }
    // Elasticsearch, "Delete index": a name with a wildcard, or all
    let all = |text: &str| {
        text.contains("://") && (text.ends_with("/_all") || text.ends_with("/*"))
            || text.contains(":9200/") && text.ends_with('*')
            // Consul, "Delete Key", and RabbitMQ, "HTTP API": all keys below one, and a whole virtual host
            || text.contains("/v1/kv/") && text.ends_with("recurse")
            || text.contains("/v1/kv/") && text.contains("recurse=true")
            || text.contains(":15672/api/vhosts/") || text.contains(":15671/api/vhosts/")
    };
    for field in cmd.args {
        cluster(walk, &field.text, field.span);
    }
    // the names of this machine and its people, told to a plain address
    if cmd.args.iter().any(|field| field.taint.has(Taint::MACHINE)) && cmd.args.iter().any(|field| is_bare(&field.text))
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    // Elasticsearch, "Delete by query": whatever there is
    let everything = cmd.args.iter().any(|field| field.text.contains("/_delete_by_query"))
        && cmd.args.iter().any(|field| field.text.contains("match_all"));
    if everything {
        found(walk, cmd, &rule::DATABASE_DESTROY);
    }
    if cmd.has_any(&["DELETE", "-XDELETE"]) && cmd.args.iter().any(|field| all(&field.text)) {
        found(walk, cmd, &rule::DATABASE_DESTROY);
    }
    if secret {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if sends || address_carries(cmd) {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    if let Some(path) = to {
        super::write_file(walk, path, Write::Touch, &Data::unknown(Taint::NET), cmd.span);
    } else if cmd
        .options()
        .any(|option| !option.starts_with("--") && option.contains('O') || option == "--remote-name")
        && let Some(name) = remote_name(cmd)
    {
        super::write_file(walk, &name, Write::Touch, &Data::unknown(Taint::NET), cmd.span);
    }
}

/// An option and what is attached to it: `-ofile`, `--out=file`; `-sd@x` is `-s -d@x`.
fn split_option(text: &str) -> (&str, Option<&str>) {
    if let Some(long) = text.strip_prefix("--") {
        return match long.split_once('=') {
            Some((key, value)) => (text.get(..key.len() + 2).unwrap_or(text), Some(value)),
            None => (text, None),
        };
    }
    if !text.starts_with('-') || text.len() <= 2 {
        return (text, None);
    }
    for (at, letter) in text.char_indices().skip(1) {
        let key = match letter {
            'd' => "-d",
            'F' => "-F",
            'T' => "-T",
            'o' => "-o",
            'x' => "-x",
            'u' => "-u",
            'H' => "-H",
            'X' => "-X",
            'A' => "-A",
            'b' => "-b",
            'e' => "-e",
            'm' => "-m",
            'K' => "-K",
            'w' => "-w",
            'E' => "-E",
            'r' => "-r",
            'c' => "-c",
            'U' => "-U",
            _ => continue,
        };
        let rest = text.get(at + 1..).unwrap_or_default();
        return (key, (!rest.is_empty()).then_some(rest));
    }
    (text, None)
}

/// A URL whose own text was made from files.
fn address_carries(cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().any(|field| {
        (field.taint.has(Taint::FILE) || field.taint.has(Taint::ARCHIVE))
            && field.text.contains("://")
            && field.text.contains(UNKNOWN)
            && !field.text.starts_with(UNKNOWN)
            && field.text.contains(['?', '='])
    })
}

/// A file of the workspace that is named, and neither packed nor made by the line.
pub(super) fn is_own(walk: &Walk<'_>, file: &str) -> bool {
    !matches!(file, "" | "-" | ".")
        && !file.contains([UNKNOWN, '$'])
        && matches!(
            walk.places.place(file, &walk.cwd),
            crate::screen::place::Place::InWorkspace
        )
        && !is_archive(file)
        && walk.written(file).is_none()
}

pub(super) fn is_archive(file: &str) -> bool {
    // most names are settled by their last letter
    if !matches!(
        file.as_bytes().last(),
        Some(b'z' | b'p' | b'r' | b'2' | b'l' | b'k' | b'b' | b'e')
    ) {
        return false;
    }
    matches!(
        text::behind_last(file, b'.'),
        Some("tgz" | "gz" | "zip" | "tar" | "7z" | "xz" | "bz2" | "rar" | "sql" | "dump" | "bak" | "db" | "sqlite")
    )
}

fn remote_name(cmd: &Cmd<'_>) -> Option<String> {
    let address = cmd
        .args
        .iter()
        .find(|field| field.text.contains("://") || field.text.contains('/') && !field.text.starts_with('-'))?;
    let path = address.text.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

/// An address given to a program that fetches it.
fn address(walk: &mut Walk<'_>, text: &str, span: Span) {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    // only what hands out credentials: programs often ask services on their own machine
    if url::is_metadata(host.split(['/', '?', '#', UNKNOWN]).next().unwrap_or_default()) {
        walk.report(&rule::SSRF_METADATA, span);
    }
    if url::is_denied(host, &walk.places.denied_hosts) {
        walk.report(&rule::HOST_DENIED, span);
    }
    if host
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default()
        .split('.')
        .any(is_encoded)
    {
        walk.report(&rule::EXFIL_FILE, span);
    }
    if text.starts_with("gopher://") || text.starts_with("dict://") {
        walk.report(&rule::URL_SCHEME, span);
    }
    if let Some(path) = text.strip_prefix("file://") {
        super::read_file(walk, path, span);
    }
}

/// Kubernetes: what the kubelet's own port runs, and where the server gives out secrets.
fn cluster(walk: &mut Walk<'_>, text: &str, span: Span) {
    let Some((_, rest)) = text.split_once("://") else {
        return;
    };
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    let kubelet = ["/run/", "/exec/", "/pods", "/runningpods", "/attach/"];
    if rest.contains(":10250/") && kubelet.iter().any(|own| path.starts_with(own)) {
        walk.report(&rule::LATERAL, span);
    }
    // etcd, "Keys API": everything below the root
    if rest.contains(":2379/v2/keys") && path.contains("recursive=true") {
        walk.report(&rule::CREDENTIAL_PRINT, span);
    }
    if path.starts_with("/api/v1/") && (path.ends_with("/secrets") || path.contains("/secrets/")) {
        walk.report(&rule::CREDENTIAL_PRINT, span);
    }
}

/// A URL without a name or encryption: numbers over plain HTTP.
fn is_bare(text: &str) -> bool {
    text.strip_prefix("http://").is_some_and(|rest| {
        rest.split([':', '/', '?']).next().is_some_and(|host| {
            host.parse::<std::net::Ipv4Addr>()
                .is_ok_and(|address| !address.is_loopback() && !address.is_private())
        })
    })
}

/// A part of a host's name that says something in base64 (RFC 4648), which names never need.
fn is_encoded(label: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| label.as_bytes().iter().any(kind);
    label.len() >= 12
        && (label.ends_with('=')
            || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit))
        && text::base64(label).is_some_and(|plain| plain.is_ascii())
}

pub(super) fn wget(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for (at, field) in cmd.args.iter().enumerate() {
        let text = field.text.as_str();
        let value = text.split_once('=').map_or_else(|| cmd.arg(at + 1), |(_, value)| value);
        if text.starts_with("--post-file") || text.starts_with("--body-file") {
            let taint = super::taint_of(walk, value);
            let secret = taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS);
            found(walk, cmd, if secret { &rule::EXFIL_SECRET } else { &rule::EXFIL_FILE });
        } else if text.starts_with("--post-data") || text.starts_with("--body-data") {
            let next = cmd.args.get(at + 1).filter(|_| !text.contains('='));
            let taint = next.map_or(field.taint, |next| next.taint);
            if taint.has(Taint::ACCOUNTS) {
                found(walk, cmd, &rule::EXFIL_SECRET);
            } else if taint.has(Taint::FILE) {
                found(walk, cmd, &rule::EXFIL_FILE);
            }
        } else if text == "-O" || text == "--output-document" || text.starts_with("--output-document=") {
            if value != "-" {
                super::write_file(walk, value, Write::Touch, &Data::unknown(Taint::NET), field.span);
            }
        } else if let Some(path) = text
            .strip_prefix("-O")
            .filter(|path| !path.is_empty() && !path.starts_with('-'))
        {
            super::write_file(walk, path, Write::Touch, &Data::unknown(Taint::NET), field.span);
        } else if text.starts_with("--use-askpass") {
            walk.report(&rule::SHELL_ESCAPE, field.span);
        } else if !text.starts_with('-') {
            address(walk, text, field.span);
        }
    }
    if carries(cmd.args, Taint::SECRET) || carries(cmd.args, Taint::ENV) {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if address_carries(cmd)
        || cmd
            .args
            .iter()
            .any(|field| field.taint.has(Taint::MACHINE) && is_bare(&field.text))
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    if !cmd
        .options()
        .any(|option| option.starts_with("-O") || option.contains('O') && !option.starts_with("--"))
        && let Some(name) = remote_name(cmd)
    {
        super::write_file(walk, &name, Write::Touch, &Data::unknown(Taint::NET), cmd.span);
    }
}

/// Other programs that fetch: where they write.
pub(super) fn fetches(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut to: Vec<String> = cmd
        .values('o', "out")
        .into_iter()
        .chain(cmd.values('\u{0}', "output"))
        .map(|field| {
            field
                .text
                .trim_start_matches("-o")
                .rsplit('=')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    if to.is_empty() && matches!(cmd.name, "aria2c" | "axel" | "lwp-download") {
        to.extend(remote_name(cmd));
    }
    for path in to.iter().filter(|path| *path != "-") {
        super::write_file(walk, path, Write::Touch, &Data::unknown(Taint::NET), cmd.span);
    }
    if matches!(cmd.name, "http" | "https" | "xh" | "httpie") {
        uploads(walk, cmd);
    } else {
        for field in cmd.args {
            address(walk, &field.text, field.span);
        }
    }
}

fn uploads(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for field in cmd.args {
        if let Some((_, file)) = field.text.split_once('@')
            && !field.text.contains("://")
        {
            let secret = super::taint_of(walk, file).has(Taint::SECRET);
            found(walk, cmd, if secret { &rule::EXFIL_SECRET } else { &rule::EXFIL_FILE });
        }
        address(walk, &field.text, field.span);
    }
    stream(walk, cmd);
}
