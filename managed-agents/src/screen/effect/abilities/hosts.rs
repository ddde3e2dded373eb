//! System administration: mdadm(8), logrotate(8), run-parts(8), smartd(8), exim(8), nagios plug-ins, supervisors, watchers of files,
//! and programs that run another, which people seldom meet.

use super::Abilities;
use super::Can::{Code, Is, Loads, Rest, Runs, Sets, Within, Writes};
use crate::screen::rule;

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "logrotate" => (&[(".", Loads), ("-l|--log|-s|--state", Writes), ("-m|--mail", Runs)], &[]),
        "run-parts" | "anacron" | "runsvdir" | "svscan" | "s6-svscan" | "monit" | "haproxy" | "rsyslogd" | "syslog-ng" | "collectd"
        | "xinetd" | "inetd" | "supervisord" | "circusd" | "telegraf" | "fluentd" | "nginx" | "lighttpd" | "apache2" | "apachectl" => {
            (&[(".", Loads), ("-c|-f|-t|--config|--conf|-C|--config-file", Loads)], &[])
        },
        "mdadm" => (&[("-p|--program|--alert", Runs)], &[]),
        "smartd" => (&[("-w|--warnexec", Runs), ("-c|--configfile", Loads)], &[]),
        "exim" | "exim4" => (&[("-be|-bem", Within(&["${run"])), ("-C", Loads)], &[]),
        "postconf" => (&[("-e", Sets(&["mailbox_command", "transport"]))], &[]),
        "procmail" | "maildrop" => (&[("-m", Loads), (".", Loads)], &[]),
        "fetchmail" | "getmail" | "mpop" | "msmtp" => (&[("-m|--mda|--plugin|--preconnect|--postconnect|--passwordeval", Runs), ("-f|-C", Loads)], &[]),
        "formail" => (&[("-s", Rest(0))], &[]),
        "msgfilter" => (&[("-P|-E|-i", Rest(1))], &[]),
        "csvtool" => (&[("call", Runs)], &[]),
        "check_by_ssh" | "check_ssl_cert" | "check_log" | "check_nrpe" => (&[("-o|-C|--curl-bin|--grep-bin|--openssl|--file-bin|--nmap-bin", Runs)], &[]),
        "pidstat" => (&[("-e", Rest(0))], &[]),
        "dstat" | "pcp-dstat" | "glances" => (&[("--plugin-dir|--plugins-dir|-C|--config", Loads)], &[]),
        "bmon" => (&[("-o|-i|-p", Within(&["exec"]))], &[]),
        "iostat" | "iftop" => (&[("-c", Loads)], &[]),
        "fluent-bit" => (&[("-p|--prop", Sets(&["command"])), ("-c|-e", Loads)], &[]),
        "logstash" => (&[("-e", Code), ("-f", Loads)], &[]),
        "uwsgi" => (&[("--exec-asap|--exec-pre-jail|--exec-as-root|--exec-as-user|--exec-as-uid|--attach-daemon|--cron|--ini", Runs), ("--plugin", Loads)], &[]),
        "gunicorn" | "hypercorn" => (&[("-c|--config", Loads)], &[]),
        "pm2" | "forever" => const { (&[("--interpreter|-c", Runs), ("start", Loads)], &[]) },
        "overmind" | "hivemind" | "honcho" | "foreman" => (&[("-f|--procfile", Loads), ("run", Rest(0))], &[]),
        "snmpd" | "snmptrapd" | "vsftpd" | "proftpd" | "squid" | "named" | "keepalived" => (&[("-c|-f|-C", Loads), ("--traphandle", Runs)], &[]),
        "watchexec" | "reflex" | "modd" | "onchange" | "gaze" | "when-changed" | "chokidar" | "watchman-make" | "inotify-hookable"
        | "watchmedo" | "air" | "swatchdog" => {
            (&[("--", Rest(1)), ("-c|--command|-s|--run|--exec|--build.cmd|-x", Runs), (".", Rest(0))], &[])
        },
        "rr" | "gamemoderun" | "mangohud" | "primusrun" | "optirun" | "vglrun" | "prime-run" | "aoss" | "padsp" | "socksify"
        | "dumb-init" | "tini" | "catatonit" | "systemd-cat" | "s6-setuidgid" | "s6-softlimit" | "with-contenv" | "ifne" | "pee" | "zrun"
        | "mispipe" | "nq" | "detach" | "daemon" | "minijail0" | "nsjail" | "lckdo" | "lockf" | "runlim" | "timelimit" | "ledit" | "rlfe"
        | "genie" | "cage" | "xinit" | "startx" | "likwid-perfctr" | "gtester" | "cpuset" | "pseudo" | "pkttyagent" => {
            (&[(".", Rest(0)), ("-c|--command|-s", Runs)], &[])
        },
        "execlineb" => (&[("-c", Runs)], &[]),
        "service" => const { (&[], &[("*../*", &rule::SHELL_ESCAPE)]) },
        "systemd-run" => (&[("-p|--property", Sets(&["execstartpre", "execstartpost", "execstop", "execstoppost"]))], &[]),
        "debugfs" | "xfs_db" => const { (&[("-R|-c", Within(&["!"])), ("-w", Is(&rule::DESTROY_DEVICE))], &[]) },
        "ldconfig" => (&[("-f|-C", Loads), (".", Loads)], &[]),
        "depmod" => (&[("-b|-C", Loads)], &[]),
        "kexec" => const { (&[("-e|--exec", Is(&rule::SYSTEM_STOP))], &[]) },
        "lpadmin" => (&[("-i|-P|-v", Loads)], &[]),
        "cupsctl" => const { (&[("--remote-any|--remote-admin", Is(&rule::WEAKEN))], &[]) },
        "cancel" => const { (&[("-u", Is(&rule::EXFIL_FILE))], &[]) },
        "split" | "gsplit" => (&[("--filter", Runs)], &[]),
        "qemu-system-x86_64" | "qemu-system-i386" | "qemu-system-aarch64" | "qemu-system-arm" | "qemu-kvm" | "kvm" | "qemu-nbd" => const { (&[
            ("file=/dev/|/dev/", Is(&rule::DESTROY_DEVICE)),
            ("*", Within(&["exec:"])),
            ("-netdev|-net|-nic", Sets(&["script", "downscript"])),
        ], &[]) },
        "varnishncsa" | "varnishlog" => (&[("-w|-o", Writes)], &[]),
        "unzip" => const { (&[("-K", Is(&rule::PRIVILEGE))], &[]) },
    } else { (&[], &[]) }
}
