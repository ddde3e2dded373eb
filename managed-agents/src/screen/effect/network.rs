//! Sending and fetching: curl(1), wget(1), nc(1), socat(1), scp(1), rsync(1), mail(1), and what serves files or opens ways in.

use super::{Write, carries, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;
use crate::screen::url;

/// Something is written to `/dev/tcp/host/port`.
pub(super) fn to_socket(walk: &mut Walk<'_>, data: &Data, span: Span) {
    if data.taint.has(Taint::SECRET) || data.taint.has(Taint::ACCOUNTS) {
        walk.report(&rule::EXFIL_SECRET, span);
    } else if data.taint.has(Taint::SHELL) {
        walk.report(&rule::REVERSE_SHELL, span);
    } else if data.taint.has(Taint::FILE) || data.taint.has(Taint::ARCHIVE) {
        walk.report(&rule::EXFIL_FILE, span);
    }
}

/// Whether a command's output comes from the network.
pub(super) fn source(cmd: &Cmd<'_>) -> Taint {
    let fetches = matches!(
        cmd.name,
        "curl"
            | "wget"
            | "fetch"
            | "http"
            | "https"
            | "xh"
            | "httpie"
            | "lynx"
            | "w3m"
            | "elinks"
            | "links"
            | "aria2c"
            | "axel"
            | "get"
            | "lwp-request"
            | "lwp-download"
            | "nc"
            | "ncat"
            | "netcat"
            | "telnet"
            | "tftp"
            | "ftp"
            | "dig"
            | "nslookup"
            | "host"
            | "drill"
            | "socat"
    ) || cmd.name == "openssl" && cmd.arg(0) == "s_client";
    let hosted = matches!(
        (cmd.name, cmd.arg(0), cmd.arg(1)),
        ("gsutil", "cat", _)
            | ("aws", "s3", "cp")
            | ("gh", "gist" | "api", _)
            | ("git", "show-remote", _)
            | ("ssh", ..)
    );
    if fetches || hosted { Taint::NET } else { Taint::NONE }
}

pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    match cmd.name {
        "curl" => curl(walk, cmd),
        "wget" => wget(walk, cmd),
        "nc" | "ncat" | "netcat" | "nc.traditional" | "nc.openbsd" | "pwncat" | "rcat" | "rustcat" | "cryptcat"
        | "powercat" | "sbd" | "dbd" => netcat(walk, cmd),
        "socat" => socat(walk, cmd),
        "telnet" | "openssl" | "gnutls-cli" | "websocat" | "ssh"
            if cmd.name != "openssl" || matches!(cmd.arg(0), "s_client" | "s_server") =>
        {
            stream(walk, cmd)
        }
        "http" | "https" | "xh" | "httpie" => uploads(walk, cmd),
        "scp" | "sftp" | "rsync" | "rclone" | "ftp" | "tftp" | "ncftpput" | "lftp" | "smbclient" | "croc"
        | "wormhole" | "magic-wormhole" | "transfer" | "ffsend" | "onionshare" => copies(walk, cmd),
        "mail" | "mailx" | "mutt" | "sendmail" | "swaks" | "s-nail" | "msmtp" | "neomutt" | "ssmtp" => mails(walk, cmd),
        "python" if cmd.has("-m") => python_module(walk, cmd),
        "php" if cmd.short('S') => found(walk, cmd, &rule::EXFIL_FILE),
        "ruby" if cmd.has("-run") || cmd.has("httpd") => found(walk, cmd, &rule::EXFIL_FILE),
        "gh" if cmd.arg(0) == "gist" && cmd.arg(1) == "create" => found(walk, cmd, &rule::EXFIL_FILE),
        "whois" | "finger" if cmd.stdin.given || cmd.has("-h") && carries(cmd.args, Taint::FILE) => {
            found(walk, cmd, &rule::EXFIL_FILE)
        }
        "dig" | "nslookup" | "host" | "ping" if carries(cmd.args, Taint::FILE) || carries(cmd.args, Taint::SECRET) => {
            found(walk, cmd, &rule::EXFIL_FILE)
        }
        "cloudflared" | "ngrok" | "devtunnel" | "bore" | "frpc" | "chisel" | "localtunnel" | "serveo" | "pagekite"
        | "gost" | "revsocks" | "ligolo" | "iodine" | "dnscat" | "dnscat2" | "gs-netcat" | "tmate" | "zrok"
        | "localhost.run" | "ptunnel" | "hans" | "stunnel" | "sshuttle" | "rathole" | "wstunnel"
        | "tailscale-funnel"
            if !matches!(
                cmd.arg(0),
                "version"
                    | "help"
                    | "update"
                    | "completion"
                    | "login"
                    | "config"
                    | "user"
                    | "list"
                    | "show"
                    | "service"
                    | "--help"
                    | "--version"
            ) =>
        {
            found(walk, cmd, &rule::TUNNEL);
        }
        "code" if cmd.arg(0) == "tunnel" => found(walk, cmd, &rule::TUNNEL),
        "tor" if cmd.args.is_empty() => found(walk, cmd, &rule::TUNNEL),
        "ztcp" => found(walk, cmd, &rule::REVERSE_SHELL),
        "tcpdump" | "tshark" | "dumpcap" | "ettercap" | "bettercap" | "mitmproxy" | "mitmdump" | "sslstrip"
        | "arpspoof" | "dnsspoof" | "responder" => {
            if matches!(
                cmd.name,
                "ettercap" | "bettercap" | "sslstrip" | "arpspoof" | "dnsspoof" | "responder"
            ) {
                found(walk, cmd, &rule::INTERCEPT);
            }
        }
        _ => {}
    }
    // a program that is given an internal address by name, e.g. as a proxy, is not judged here: many work on localhost
}

/// Options of curl(1) that send a file or data.
fn curl(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut at = 0;
    let (mut sends, mut secret) = (false, carries(cmd.args, Taint::SECRET));
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
                sends = true;
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
                    sends |= key == "-F"
                        || key == "--form"
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

fn is_archive(file: &str) -> bool {
    matches!(
        file.rsplit_once('.'),
        Some((
            _,
            "tgz" | "gz" | "zip" | "tar" | "7z" | "xz" | "bz2" | "rar" | "sql" | "dump" | "bak" | "db" | "sqlite"
        ))
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
    if url::is_metadata(host.split(['/', '?', '#']).next().unwrap_or_default()) {
        walk.report(&rule::SSRF_METADATA, span);
    }
    if url::is_denied(host, &walk.places.denied_hosts) {
        walk.report(&rule::HOST_DENIED, span);
    }
    if text.starts_with("gopher://") || text.starts_with("dict://") {
        walk.report(&rule::URL_SCHEME, span);
    }
    if let Some(path) = text.strip_prefix("file://") {
        super::read_file(walk, path, span);
    }
}

fn wget(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    for (at, field) in cmd.args.iter().enumerate() {
        let text = field.text.as_str();
        let value = text.split_once('=').map_or_else(|| cmd.arg(at + 1), |(_, value)| value);
        if text.starts_with("--post-file") || text.starts_with("--body-file") {
            let taint = super::taint_of(walk, value);
            let secret = taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS);
            found(walk, cmd, if secret { &rule::EXFIL_SECRET } else { &rule::EXFIL_FILE });
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
    if carries(cmd.args, Taint::SECRET) {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if address_carries(cmd) {
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

/// nc(1), ncat(1): `-e`, `-c`, `--exec`, `--sh-exec` run a program on the connection.
fn netcat(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let runs = cmd.args.iter().any(|field| {
        let text = field.text.as_str();
        matches!(
            text,
            "-e" | "-c" | "--exec" | "--sh-exec" | "--lua-exec" | "-s" | "--shell"
        ) && text != "-s"
            || (text.starts_with('-') && !text.starts_with("--") && (text.ends_with('e') || text.ends_with('c')))
            || text.starts_with("--sh-exec=")
            || text.starts_with("--exec=")
    });
    let names_shell = cmd.args.iter().any(|field| {
        matches!(
            field.text.rsplit('/').next(),
            Some("sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "cmd.exe" | "cmd" | "powershell")
        )
    });
    if names_shell || runs && cmd.args.len() > 2 {
        found(walk, cmd, &rule::REVERSE_SHELL);
        return;
    }
    stream(walk, cmd);
}

/// What flows into a connection.
fn stream(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let taint = cmd.stdin.taint;
    if taint.has(Taint::SHELL) {
        found(walk, cmd, &rule::REVERSE_SHELL);
    } else if taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS) {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if taint.has(Taint::ARCHIVE) || taint.has(Taint::FILE) && cmd.stdin.given && cmd.name != "ssh" {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    if cmd.name == "ssh" {
        let back = cmd.short('R')
            && cmd
                .args
                .iter()
                .any(|field| field.text.starts_with("-R") || field.text.ends_with('R') && field.text.starts_with('-'));
        if back {
            found(walk, cmd, &rule::TUNNEL);
        }
    }
}

/// socat(1): addresses EXEC and SYSTEM next to one of the network.
fn socat(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let lower: Vec<String> = cmd.args.iter().map(|field| field.text.to_ascii_lowercase()).collect();
    let runs = lower
        .iter()
        .any(|text| text.starts_with("exec:") || text.starts_with("system:") || text.starts_with("shell:"));
    let network = lower.iter().any(|text| {
        ["tcp", "udp", "openssl", "ssl", "sctp", "proxy", "socks", "vsock"]
            .iter()
            .any(|kind| text.starts_with(kind))
    });
    let files = lower.iter().any(|text| {
        text.starts_with("file:") || text.starts_with("open:") || text.starts_with("gopen:") || text.starts_with('/')
    });
    if runs && network {
        found(walk, cmd, &rule::REVERSE_SHELL);
    } else if network && files {
        found(walk, cmd, &rule::EXFIL_FILE);
    } else if runs {
        found(walk, cmd, &rule::SHELL_ESCAPE);
    }
    for field in cmd.args {
        if let Some((kind, path)) = field.text.split_once(':')
            && matches!(kind.to_ascii_lowercase().as_str(), "file" | "open" | "gopen")
        {
            super::read_file(walk, path.split(',').next().unwrap_or_default(), field.span);
        }
    }
    stream(walk, cmd);
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

/// scp(1), rsync(1), rclone(1): from here to another machine.
fn copies(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let operands = cmd.operands("iFPloceSJXD", &["rsh", "exclude", "include", "identity"]);
    let is_remote = |text: &str| {
        text.split_once(':')
            .is_some_and(|(host, _)| !host.contains('/') && !host.is_empty())
    };
    if let Some((to, from)) = operands.split_last()
        && is_remote(&to.text)
    {
        for field in from {
            let normal = walk.places.normal(&field.text, &walk.cwd);
            if super::taint_of(walk, &field.text).has(Taint::SECRET) {
                walk.report(&rule::EXFIL_SECRET, field.span);
            } else if walk.places.place_of(&normal) == Place::Root {
                walk.report(&rule::EXFIL_FILE, field.span);
            }
        }
        if cmd.name == "rclone" && matches!(cmd.arg(0), "copy" | "sync" | "move" | "copyto" | "moveto") {
            found(walk, cmd, &rule::EXFIL_FILE);
        }
    }
    if matches!(
        cmd.name,
        "croc" | "wormhole" | "magic-wormhole" | "transfer" | "ffsend" | "onionshare"
    ) && matches!(cmd.arg(0), "send" | "upload" | "")
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    if matches!(cmd.name, "ftp" | "tftp" | "lftp" | "smbclient")
        && (cmd.stdin.text.as_deref().is_some_and(|text| text.contains("put "))
            || cmd.args.iter().any(|field| field.text.contains("put ")))
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
}

fn mails(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let attached: Vec<_> = cmd
        .values('a', "attach")
        .into_iter()
        .chain(cmd.values('A', "attach"))
        .collect();
    let secret = cmd.stdin.taint.has(Taint::SECRET)
        || cmd.stdin.taint.has(Taint::ACCOUNTS)
        || carries(cmd.args, Taint::SECRET)
        || attached
            .iter()
            .any(|field| super::taint_of(walk, &field.text).has(Taint::SECRET));
    if secret {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if !attached.is_empty() || cmd.stdin.taint.has(Taint::FILE) || cmd.stdin.taint.has(Taint::ARCHIVE) {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
}

/// python -m: modules that serve files or open a shell.
fn python_module(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let Some(at) = cmd.args.iter().position(|field| field.text == "-m") else {
        return;
    };
    match cmd.arg(at + 1) {
        "http.server" | "SimpleHTTPServer" | "pyftpdlib" | "uploadserver" | "updog" => {
            let wide = cmd.values('d', "directory").iter().any(|field| {
                matches!(
                    walk.places
                        .place(field.text.trim_start_matches("--directory="), &walk.cwd),
                    Place::Root | Place::Home | Place::System | Place::InHome
                )
            });
            let here = matches!(
                walk.places.place(".", &walk.cwd),
                Place::Root | Place::Home | Place::System
            );
            if wide || here || matches!(cmd.arg(at + 1), "uploadserver" | "pyftpdlib") {
                found(walk, cmd, &rule::EXFIL_FILE);
            }
        }
        "pty" => found(walk, cmd, &rule::SHELL_ESCAPE),
        _ => {}
    }
}
