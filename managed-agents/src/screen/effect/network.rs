//! Sending and fetching: curl(1), wget(1), nc(1), socat(1), scp(1), rsync(1), mail(1), and what serves files or opens ways in.

use super::fetch::{curl, fetches, wget};
use super::transfer::{copies, is_scratch, mails};
use super::{carries, found};
use crate::screen::cmd::Cmd;
use crate::screen::finding::Span;
use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Taint, UNKNOWN};
use crate::screen::shell::walk::Walk;

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

by_name! {
    /// Whether a command's output comes from the network.
    SOURCES: pub(super) fn source(cmd: &Cmd<'_>) -> Taint where cmd.name is {
        "curl" | "wget" | "fetch" | "http" | "https" | "xh" | "httpie" | "lynx" | "w3m" | "elinks" | "links" | "aria2c"
        | "axel" | "get" | "lwp-request" | "lwp-download" | "iwr" | "irm" | "invoke-webrequest" | "invoke-restmethod"
        | "nc" | "ncat" | "netcat" | "telnet" | "tftp" | "ftp" | "dig" | "nslookup" | "host" | "drill" | "socat"
        | "ssh" => Taint::NET,
        "openssl" if cmd.arg(0) == "s_client" => Taint::NET,
        "gsutil" if cmd.arg(0) == "cat" => Taint::NET,
        "aws" if cmd.arg(0) == "s3" && cmd.arg(1) == "cp" => Taint::NET,
        "gh" if matches!(cmd.arg(0), "gist" | "api") => Taint::NET,
        "git" if cmd.arg(0) == "show-remote" => Taint::NET,
    } else { Taint::NONE }
}

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "curl" => curl(walk, cmd),
        "wget" => wget(walk, cmd),
        "nc" | "ncat" | "netcat" | "nc.traditional" | "nc.openbsd" | "pwncat" | "rcat" | "rustcat" | "cryptcat"
        | "powercat" | "sbd" | "dbd" => netcat(walk, cmd),
        "aria2c" | "axel" | "fetch" | "lwp-download" | "http" | "https" | "xh" | "httpie" => fetches(walk, cmd),
        "socat" => socat(walk, cmd),
        // openssl-s_server(1): what comes in, as it comes
        "openssl" if cmd.arg(0) == "s_server" && cmd.has("-quiet") => found(walk, cmd, &rule::TUNNEL),
        // a command in the place of an address
        "websocat" if cmd.args.iter().any(|field| ["cmd:", "sh-c:", "exec:"].iter().any(|own| field.text.starts_with(own))) => {
            found(walk, cmd, &rule::REVERSE_SHELL)
        },
        "telnet" | "openssl" | "gnutls-cli" | "websocat" | "ssh" | "autossh"
            if cmd.name != "openssl" || matches!(cmd.arg(0), "s_client" | "s_server") =>
        {
            stream(walk, cmd)
        },
        "openssl" if (cmd.arg(0) == "engine" || cmd.has("-engine")) && cmd.args.iter().any(|field| field.text.contains("/") && field.text.contains(".so")) => {
            found(walk, cmd, &rule::SHELL_ESCAPE);
        },
        "scp" | "sftp" | "rsync" | "rclone" | "ftp" | "tftp" | "ncftpput" | "lftp" | "smbclient" | "croc"
        | "wormhole" | "magic-wormhole" | "transfer" | "ffsend" | "onionshare" => copies(walk, cmd),
        "mail" | "mailx" | "mutt" | "sendmail" | "swaks" | "s-nail" | "msmtp" | "neomutt" | "ssmtp" => mails(walk, cmd),
        "python" if cmd.has("-m") => python_module(walk, cmd),
        "php" if cmd.short('S') && (cmd.args.iter().any(|field| serves_wide(walk, &field.text))) => {
            found(walk, cmd, &rule::EXFIL_FILE)
        },
        "ruby" | "busybox" | "httpd" | "darkhttpd" | "webfsd" | "serve" | "http-server" | "miniserve" | "caddy"
            if (cmd.name != "ruby" || cmd.has("-run")) && cmd.args.iter().any(|field| serves_wide(walk, &field.text)) =>
        {
            found(walk, cmd, &rule::EXFIL_FILE)
        },
        "gh" if cmd.arg(0) == "gist" && cmd.arg(1) == "create" => found(walk, cmd, &rule::EXFIL_FILE),
        // its own port is 43: another one is for something else
        "whois" if cmd.short('p') && cmd.short('h') => found(walk, cmd, &rule::EXFIL_FILE),
        "whois" | "finger" if cmd.stdin.given || cmd.has("-h") && carries(cmd.args, Taint::FILE) => {
            found(walk, cmd, &rule::EXFIL_FILE)
        },
        "dig" | "nslookup" | "host" | "ping"
            if cmd.args.iter().any(|field| field.taint.has(Taint::MACHINE) && field.text.contains('.')) =>
        {
            found(walk, cmd, &rule::EXFIL_FILE)
        },
        // hping3(8): a file as what is sent
        "hping3" | "hping2" if cmd.values('E', "file").iter().any(|field| field.text.starts_with(['/', '~'])) => {
            found(walk, cmd, &rule::EXFIL_FILE)
        },
        "dig" | "nslookup" | "host" | "ping" | "nping" | "hping3" | "ftp-upload" if says_something(cmd) => {
            found(walk, cmd, &rule::EXFIL_FILE)
        },
        "cloudflared" | "ngrok" | "devtunnel" | "bore" | "frpc" | "chisel" | "localtunnel" | "serveo" | "pagekite"
        | "gost" | "revsocks" | "ligolo" | "iodine" | "dnscat" | "dnscat2" | "gs-netcat" | "tmate" | "zrok"
        | "localhost.run" | "ptunnel" | "ptunnel-ng" | "ligolo-agent" | "ligolo-ng" | "hans" | "stunnel" | "sshuttle" | "rathole" | "wstunnel"
        | "tailscale-funnel"
            if (cmd.name != "cloudflared" || !matches!(cmd.arg(1), "list" | "info" | "login")) && !matches!(
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
        },
        // a terminal of this machine on somebody else's screen (X(7), DISPLAY NAMES)
        "xterm" | "uxterm" | "urxvt" | "rxvt" | "aterm" | "mlterm"
            if cmd.args.windows(2).any(|pair| {
                matches!(pair, [option, display] if matches!(option.text.as_str(), "-display" | "-d" | "--display")
                    && !display.text.starts_with(':') && !display.text.starts_with("localhost") && display.text.contains(':'))
            }) =>
        {
            found(walk, cmd, &rule::REVERSE_SHELL);
        },
        // a shell on this machine for a whole private network, or a port for everybody (tailscale's command line)
        "tailscale" if cmd.long("ssh") && matches!(cmd.arg(0), "up" | "set") || cmd.arg(0) == "funnel" && cmd.args.len() > 1 => {
            found(walk, cmd, &rule::TUNNEL)
        },
        // dnsmasq(8): one address for every name
        "dnsmasq" if cmd.args.iter().any(|field| field.text.starts_with("--address=/#/")) => found(walk, cmd, &rule::INTERCEPT),
        // what lends this machine's place in the network to others
        "microsocks" | "3proxy" | "redsocks" | "sockd" | "danted" | "meshagent" if !cmd.args.is_empty() => {
            found(walk, cmd, &rule::TUNNEL)
        },
        "vncserver" | "vncpasswd" | "tigervncserver" if cmd.args.windows(2).any(|pair| {
            matches!(pair, [option, kind] if option.text.eq_ignore_ascii_case("-securitytypes") && kind.text.eq_ignore_ascii_case("none"))
        }) => found(walk, cmd, &rule::TUNNEL),
        // pastebinit(1): what everybody may read
        "pastebinit" => {
            let mut files = cmd.operands("abutfmi", &[]).into_iter().chain(cmd.values('i', ""));
            if files.any(|field| {
                let taint = super::taint_of(walk, &field.text);
                taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS)
            }) {
                found(walk, cmd, &rule::EXFIL_SECRET);
            }
        },
        // sshd(8), dropbear(8): another way to log in, at a port of its own
        "sshd" if cmd.short('p') || cmd.args.iter().any(|field| {
            ["PermitEmptyPasswords=yes", "PermitRootLogin=yes", "Port="].iter().any(|own| field.text.contains(own))
        }) => found(walk, cmd, &rule::TUNNEL),
        "dropbear" if cmd.short('p') || cmd.short('B') => found(walk, cmd, &rule::TUNNEL),
        "x11vnc" if cmd.has_any(&["-nopw", "-forever"]) && !cmd.has_any(&["-rfbauth", "-passwd", "-localhost", "-usepw"]) => {
            found(walk, cmd, &rule::TUNNEL)
        },
        // zerotier-cli(1): a network of whoever made it
        "zerotier-cli" if cmd.arg(0) == "join" => found(walk, cmd, &rule::TUNNEL),
        "wg-quick" if cmd.arg(0) == "up" && is_scratch(walk, cmd.arg(1)) => found(walk, cmd, &rule::TUNNEL),
        "code" if cmd.arg(0) == "tunnel"
            || cmd.arg(0) == "serve-web" && cmd.has_any(&["0.0.0.0", "--without-connection-token"]) => found(walk, cmd, &rule::TUNNEL),
        // a password by which somebody else gets the screen, without anybody at this end
        "anydesk" | "rustdesk" if cmd.has_any(&["--set-password", "--password"]) => found(walk, cmd, &rule::TUNNEL),
        "teamviewer" if cmd.arg(0) == "passwd" => found(walk, cmd, &rule::TUNNEL),

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
        },
    } else {}
}

/// A directory from which a server gives everybody files: everything, a home, or a part of the system.
pub(super) fn serves_wide(walk: &Walk<'_>, text: &str) -> bool {
    let path = text.strip_prefix("-t").unwrap_or(text);
    path.starts_with(['/', '~'])
        && matches!(
            walk.places.place(path, &walk.cwd),
            Place::Root | Place::Home | Place::System | Place::InSystem
        )
}

/// A name that is asked for, or what is sent along, made from what stands in files: not a name that stands there whole.
fn says_something(cmd: &Cmd<'_>) -> bool {
    cmd.args.iter().enumerate().any(|(at, field)| {
        let (file, secret) = (field.taint.has(Taint::FILE), field.taint.has(Taint::SECRET));
        let whole = field.text.chars().all(|c| c == UNKNOWN);
        let option = at > 0
            && matches!(
                cmd.arg(at - 1),
                "-p" | "--pattern" | "-d" | "--data" | "--data-string" | "-E" | "--file"
            );
        secret || file && (!whole || option) || option && field.taint.has(Taint::MACHINE)
    })
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
pub(super) fn stream(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let taint = cmd.stdin.taint;
    if taint.has(Taint::SHELL) {
        found(walk, cmd, &rule::REVERSE_SHELL);
    } else if taint.has(Taint::SECRET) || taint.has(Taint::ACCOUNTS) {
        found(walk, cmd, &rule::EXFIL_SECRET);
    } else if (taint.has(Taint::ARCHIVE) || taint.has(Taint::FILE) && cmd.stdin.given)
            && (cmd.name != "ssh"
                || taint.has(Taint::WHOLE) && !super::images::is_received(cmd)
                || taint.has(Taint::BEYOND) && keeps_input(cmd))
        // the names of this machine and its people, told to somebody
        || taint.has(Taint::MACHINE)
            && cmd.stdin.given
            && matches!(cmd.name, "nc" | "ncat" | "netcat" | "telnet" | "socat")
    {
        found(walk, cmd, &rule::EXFIL_FILE);
    }
    if matches!(cmd.name, "ssh" | "autossh") {
        let back = cmd.has_options() && cmd.short('R') && leads_back(cmd);
        // ssh(1): a proxy for everybody, and a device of a network that is not this one
        let open = cmd.values('D', "").iter().any(|field| {
            let value = field.text.trim_start_matches("-D");
            value.starts_with("0.0.0.0:") || value.starts_with("*:")
        });
        let device = cmd.args.windows(2).any(|pair| {
            matches!(pair, [option, value] if option.text == "-w" && (value.text.contains(':') || value.text == "any"))
        });
        if back || open || device {
            found(walk, cmd, &rule::TUNNEL);
        }
    }
}

/// What ssh(1) runs on the other machine only keeps what it is sent, in a file that it makes.
fn keeps_input(cmd: &Cmd<'_>) -> bool {
    cmd.args.last().is_some_and(|field| {
        let text = field.text.trim_start();
        text.strip_prefix("cat").is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.starts_with('>') && !rest.starts_with(">>")
        }) || text.starts_with("dd of=")
    })
}

/// ssh(1), `-R`: a way back from the other machine, unless it ends at a program of one's own and is seen there by nobody else.
fn leads_back(cmd: &Cmd<'_>) -> bool {
    let mut args = cmd.args.iter().map(|field| field.text.as_str());
    while let Some(text) = args.next() {
        let way = match text.strip_prefix("-R") {
            Some("") => args.next(),
            Some(attached) => Some(attached),
            None if text.starts_with('-') && text.ends_with('R') => args.next(),
            None => continue,
        };
        if cmd.name != "ssh" || !way.is_some_and(shows_own) {
            return true;
        }
    }
    false
}

/// A port of the other machine that only its own programs reach (sshd_config(5), GatewayPorts), and one here at which nobody logs
/// in and no data base answers: `8080:localhost:3000`.
fn shows_own(way: &str) -> bool {
    let mut parts = way.rsplit(':');
    let (to, host, from) = (parts.next(), parts.next(), parts.next());
    let at = parts.next();
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u16>().ok());
    let own = |host: Option<&str>| matches!(host, Some("localhost" | "127.0.0.1"));
    let serves = match number(to) {
        Some(80 | 443) => true,
        Some(
            1433
            | 1521
            | 2049
            | 2222
            | 2375
            | 2376
            | 2379
            | 3306
            | 3389
            | 5432
            | 5900..=5910
            | 5985
            | 5986
            | 6379
            | 6443
            | 9200
            | 10250
            | 11211
            | 27017,
        ) => false,
        port => port.is_some_and(|port| port >= 1024),
    };
    serves
        && own(host)
        && number(from).is_some_and(|port| port >= 1024)
        && (at.is_none() || own(at))
        && parts.next().is_none()
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
