//! What connects, transfers and serves: ssh_config(5), sftp(1), rsync(1), openconnect(8), pppd(8), dhclient(8), yt-dlp(1),
//! rclone(1), ttyd(1), tcpserver(1), openvpn(8), and their like.

use super::Can::{Console, Fetches, Is, Loads, Rest, Runs, Sends, Serves, Sets, Writes};
use super::{Abilities, Ability};
use crate::screen::rule;

const SSH: &[Ability] = &[
    (
        "-o",
        Sets(&["proxycommand", "localcommand", "knownhostscommand", "xauthlocation"]),
    ),
    ("-F|-I", Loads),
];

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "ssh" | "sftp" | "scp" | "autossh" | "slogin" | "ssh-copy-id" | "ssh-keyscan" => (SSH, &[]),
        "sshfs" => (&[("-o", Sets(&["ssh_command", "proxycommand", "sftp_server"]))], &[]),
        "ssh-add" => (&[("-s", Loads)], &[]),
        "ssh-keygen" => (&[("-D|-w", Loads)], &[]),
        "ssh-agent" => (&[("-P", Loads)], &[]),
        "mosh" => (&[("--ssh|--server|--client", Runs)], &[]),
        "rsync" | "lsyncd" | "rdiff-backup" | "unison" | "bup" | "borg" => (&[
            ("--rsync-path|--rsh|--remote-schema|-sshcmd|-servercmd|--remote-path", Runs),
            ("with-lock", Rest(1)),
            ("*", Sends),
        ], &[]),
        "restic" | "rustic" | "duplicity" | "duply" | "kopia" => (&[
            ("-o|--option", Sets(&["sftp.command", "rclone.program", "sftp.args"])),
            ("--password-command", Runs),
            ("*", Sends),
        ], &[]),
        "rclone" => const { (&[("--sftp-ssh|--password-command|--metadata-mapper", Runs)], &[("rcd --rc-no-auth", &rule::TUNNEL)]) },
        "wget" => (&[("--use-askpass", Runs), ("-e|--execute", Sets(&["use_askpass", "askpass"]))], &[]),
        "yt-dlp" | "youtube-dl" => (&[
            ("--exec|--exec-before-download|--netrc-cmd|--downloader|--external-downloader|--use-postprocessor", Runs),
            ("--config-location|--config-locations|--plugin-dirs", Loads),
        ], &[]),
        "transmission-cli" | "transmission-daemon" | "aria2c" | "deluged" => (&[("-f|--finish|--script-torrent-done-filename", Loads)], &[]),
        "rtorrent" => (&[("-o", Sets(&["execute", "execute2", "execute.nothrow", "execute.throw", "execute.raw"])), ("-n", Loads)], &[]),
        "openvpn" => (&[
            ("--up|--down|--route-up|--ipchange|--tls-verify|--client-connect|--auth-user-pass-verify|--learn-address|--iproute", Runs),
            ("--config|--plugin|.", Loads),
        ], &[]),
        "pppd" => (&[("connect|disconnect|init|pty|welcome", Runs), ("plugin|file", Loads)], &[]),
        "vpnc" | "openconnect" => (&[("-s|--script|--csd-wrapper|-S", Runs)], &[]),
        "openfortivpn" | "xl2tpd" => (&[("--pppd-plugin|-c", Loads)], &[]),
        "dhclient" | "udhcpc" | "dhcpcd" => (&[("-sf|-s|--script|-c", Runs), ("-cf", Loads)], &[]),
        "ifup" | "ifdown" => (&[("-i|--interfaces", Loads)], &[]),
        "tshark" | "wireshark" | "termshark" => (&[("-X", Loads)], &[]),
        "nping" | "ettercap" | "bettercap" => (&[("-eval|-caplet", Console)], &[]),
        "lwp-download" => (&[("*", Writes)], &[]),
        "ttyd" | "gotty" | "wetty" | "shellinaboxd" | "shellinabox" | "sshx" | "upterm" | "teleconsole" | "tty2web" | "webtty" | "tty-share" | "wssh" => const { (&[("*", Is(&rule::TUNNEL))], &[]) },
        "gsocket" | "reverse-ssh" | "rssh" | "ligolo-proxy" | "sliver-client" | "sliver" | "merlin" | "havoc" | "pupysh" | "empire"
        | "koadic" => const { (&[("*", Is(&rule::TUNNEL))], &[]) },
        "websocketd" => (&[("*", Serves(0))], &[]),
        "tcpserver" | "tcpsvd" | "s6-tcpserver" | "s6-tcpserver4" | "ipsvd" | "faucet" | "systemd-socket-activate" => {
            (&[("*", Serves(0))], &[])
        },
        "smbd" | "nmbd" | "winbindd" => (&[("--option|-o", Sets(&["preexec", "action", "command", "script"])), ("-s|--configfile", Loads)], &[]),
        "syncthing" => const { (&[("--gui-address=0.0.0.0|--gui-address=http://0.0.0.0", Is(&rule::TUNNEL))], &[]) },
        "psftp" | "plink" | "pscp" => (&[("<", Console), ("-b|-m", Loads), ("-proxycmd", Runs)], &[]),
        "gallery-dl" => (&[("--exec|--exec-after", Runs), ("--config", Loads)], &[]),
        "streamlink" | "you-get" => (&[("--player|-p", Runs), ("--plugin-dir|--plugin-dirs|--config", Loads)], &[]),
        "xsltproc" => (&[("*", Fetches)], &[]),
        "socket" => (&[("-p", Runs)], &[]),
        "nbdkit" => (&[("--run", Runs), ("sh", Loads)], &[]),
        "wrk" | "locust" | "jmeter" | "nuclei" | "artillery" => (&[("-s|--script|-f|--locustfile|-t|-templates|run", Loads)], &[]),
        "mitmproxy" | "mitmdump" | "mitmweb" => (&[("-s|--scripts", Loads)], &[]),
        "impacket-smbserver" | "smbserver.py" => const { (&[("*", Is(&rule::EXFIL_FILE))], &[]) },
    } else { (&[], &[]) }
}
