//! What is given to whoever connects: directories (hugo, rclone serve, dufs, thttpd(8)), code (jupyter, code-server),
//! and terminals (sshx, tty-share).

use super::found;
use super::network::serves_wide;
use crate::screen::cmd::Cmd;
use crate::screen::rule;
use crate::screen::shell::walk::Walk;

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        // other servers of files: a directory among what they are told, and nobody else asked
        "twistd" | "thttpd" | "mini_httpd" | "dufs" | "gossa" | "goshs" | "filebrowser" | "live-server" | "browser-sync" | "devd"
        | "static-web-server" | "simple-http-server" | "althttpd" | "wsgidav" | "woof" | "in.tftpd" | "tftpd" | "atftpd" | "pure-ftpd"
        | "hugo" | "jekyll" | "rclone"
            if serves(cmd) && names_wide(walk, cmd) =>
        {
            found(walk, cmd, &rule::EXFIL_FILE);
        },
        // a directory of this machine on another one's desktop (xfreerdp(1), rdesktop(1))
        "xfreerdp" | "xfreerdp3" | "wlfreerdp" | "rdesktop" if cmd.args.iter().any(|field| {
            let path = field.text.strip_prefix("/drive:").and_then(|rest| rest.split_once(','));
            let path = path.or_else(|| field.text.strip_prefix("disk:").and_then(|rest| rest.split_once('=')));
            path.is_some_and(|(_, path)| serves_wide(walk, path))
        }) => found(walk, cmd, &rule::EXFIL_FILE),
        // code for whoever connects, with no password (jupyter-server, "Security"; code-server)
        "jupyter" | "jupyter-lab" | "jupyter-notebook" | "code-server" | "marimo" if runs_for_all(cmd) => found(walk, cmd, &rule::TUNNEL),
        // a terminal of this machine for whoever has the link
        "sshx" | "teleconsole" | "tty-share" => found(walk, cmd, &rule::TUNNEL),
    } else {}
}

/// A directory that is too much to give to everybody, alone or as the value of an option.
pub(super) fn names_wide(walk: &Walk<'_>, cmd: &Cmd<'_>) -> bool {
    let value = |text| str::split_once(text, '=').map_or(text, |(_, value)| value);
    cmd.args.iter().any(|field| serves_wide(walk, value(&field.text)))
}

/// Whether such a program serves, where it can do other things as well.
fn serves(cmd: &Cmd<'_>) -> bool {
    match cmd.name {
        "hugo" => matches!(cmd.arg(0), "server" | "serve"),
        "jekyll" | "rclone" => matches!(cmd.arg(0), "serve" | "server" | "s"),
        _ => true,
    }
}

/// Whoever reaches the port is let in, and every machine reaches it.
fn runs_for_all(cmd: &Cmd<'_>) -> bool {
    let value = |text: &str| {
        text.split_once('=')
            .map_or("", |(_, value)| value)
            .trim_matches(['\'', '"'])
            .to_owned()
    };
    let mut texts = cmd.args.iter().map(|field| field.text.as_str());
    let wide = texts.clone().any(|text| {
        matches!(text, "0.0.0.0" | "*")
            || text.starts_with("0.0.0.0:")
            || text.starts_with("--") && matches!(&*value(text), "0.0.0.0" | "*")
    });
    let open = texts.any(|text| {
        text == "--no-token"
            || text == "--auth=none"
            || text.starts_with("--") && text.contains(".token=") && value(text).is_empty()
    }) || cmd.has("--auth") && cmd.has("none");
    wide && open
}
