//! System administration: mdadm(8), logrotate(8), run-parts(8), smartd(8), exim(8), nagios plug-ins, supervisors, watchers of files,
//! and programs that run another, which people seldom meet.

use super::Abilities;
use super::Can::{Code, Console, Is, Loads, Rest, Runs, Says, Sets, Within, Writes};
use crate::screen::rule;

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "run-parts" => const { (&[("/bin|/usr/bin|/bin/|/usr/bin/", Is(&rule::SHELL_ESCAPE)), (".", Loads)], &[]) },
        "logrotate" => (&[(".", Loads), ("-l|--log|-s|--state", Writes), ("-m|--mail", Runs)], &[]),
        "anacron" | "runsvdir" | "svscan" | "s6-svscan" | "monit" | "haproxy" | "rsyslogd" | "syslog-ng" | "collectd"
        | "xinetd" | "inetd" | "supervisord" | "circusd" | "telegraf" | "fluentd" | "lighttpd" | "postfix" | "sendmail"
        | "dovecot" | "smtpd" | "unbound" | "slapd" | "nagios" | "icinga2" | "incrond" | "aide" => {
            (&[(".", Loads), ("-c|-f|-t|--config|--conf|-C|--config-file", Loads)], &[])
        },
        "nginx" | "openresty" | "angie" => (&[("-c|-p", Loads), ("-g", Says)], &[]),
        "apache2" | "apachectl" | "apache2ctl" | "httpd" => (&[("-f|-d", Loads), ("-c|-C", Says)], &[]),
        "fail2ban-client" => (&[("actionban|actionunban|actionstart|actionstop|actioncheck", Runs), ("-c", Loads)], &[]),
        "minicom" => (&[("-S|--script", Loads), ("-C|--capturefile", Writes)], &[]),
        // agetty(8), login(1): who asks for a name, and whoever need not give a password
        "agetty" | "getty" | "mgetty" => (&[("-l|--login-program", Runs)], &[]),
        "login" => const { (&[("-f", Is(&rule::PRIVILEGE))], &[]) },
        // what others type and see (conspy(1), ttysnoop(8))
        "conspy" | "ttysnoop" => const { (&[("*", Is(&rule::CREDENTIAL_DUMP))], &[]) },
        "runit-init" | "openrc-shutdown" => const { (&[("0|6|-p|-r|--poweroff|--reboot", Is(&rule::SYSTEM_STOP))], &[]) },
        "snort" | "suricata" | "amavisd" | "spamassassin" | "spamd" | "offlineimap" | "mbsync" | "imapfilter" | "notmuch" => (&[
            ("-c|-S|-C|-p|--config|--siteconfigpath|--configpath|--prefspath", Loads),
        ], &[]),
        "rspamadm" => (&[("lua", Loads)], &[]),
        "freshclam" => (&[("--on-update-execute|--on-error-execute|--on-outdated-execute", Runs)], &[]),
        "pulseaudio" | "x11vnc" => (&[("-F|--file|-rc", Loads)], &[]),
        "openrc-run" | "runscript" | "supercronic" | "systemd-sysusers" | "systemd-tmpfiles" => (&[(".", Loads)], &[]),
        "remind" | "rem" => (&[("-k", Runs), (".", Loads)], &[]),
        "crond" | "gammu-smsd" | "needrestart" | "mkinitcpio" | "dracut" | "kubelet" => (&[("-c|--config|--conf", Loads), ("--include", Loads)], &[]),
        "wpa_cli" | "hostapd_cli" => (&[("-a", Runs)], &[]),
        "wpa_supplicant" | "hostapd" => (&[("-c|-o", Loads)], &[]),
        "dkms" => (&[("install|add|build|-c", Loads)], &[]),
        "cloud-init" => (&[("--file|-f", Loads)], &[]),
        "apt-key" => (&[("add", Loads)], &[]),
        "bpftool" | "xdp-loader" => (&[("load|loadall", Loads)], &[]),
        "tc" => (&[("run", Rest(0))], &[]),
        // what a process holds, in a file (criu(8))
        "criu" => const { (&[("dump|pre-dump", Is(&rule::CREDENTIAL_DUMP))], &[]) },
        "encfs" | "gocryptfs" | "securefs" | "cryfs" => (&[("--extpass|-extpass", Runs)], &[]),
        "patch" => (&[(".|-o|--output|-r|--reject-file", Writes)], &[]),
        // queues of jobs for many machines: sbatch(1), qsub(1), bsub(1), condor_run(1)
        "sbatch" => (&[("--wrap", Runs), (".", Loads)], &[]),
        "salloc" | "qrsh" | "bsub" | "oarsub" | "condor_run" => (&[(".", Rest(0))], &[]),
        "qsub" => (&[("-b", Rest(1)), (".", Loads)], &[]),
        "checkinstall" | "mock" | "zzuf" | "foot" => {
            (&[(".", Rest(0)), ("--shell|--chroot", Runs)], &[])
        },
        "picocom" => (&[("--send-cmd|--receive-cmd|-s|-v", Runs)], &[]),
        "sysdig" | "csysdig" | "falco" => (&[("-c|--chisel", Loads)], &[]),
        "zabbix_agentd" => (&[("-c|--config", Loads), ("-t|--test", Within(&["system.run["]))], &[]),
        "telnetd" | "in.telnetd" => (&[("-L|-l", Runs)], &[]),
        "systemctl" => const { (&[], &[("set-environment|import-environment LD_PRELOAD*|LD_AUDIT*|BASH_ENV*", &rule::PERSIST)]) },
        "busctl" | "gdbus" | "dbus-send" | "qdbus" => const {
            (&[], &[
                ("** *PowerOff|*Reboot|*Halt|*Suspend", &rule::SYSTEM_STOP),
                ("** *CreateUser|*SetAccountType|*SetPassword|*DeleteUser", &rule::ACCOUNT_CHANGE),
                ("** *StartTransientUnit|*EnableUnitFiles|*LinkUnitFiles|*SetEnvironment", &rule::PERSIST),
                ("** *StopUnit|*DisableUnitFiles|*MaskUnitFiles", &rule::PROCESS_KILL),
            ])
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
        "iostat" => (&[("-c", Loads)], &[]),
        "iftop" => (&[("-c", Loads), ("<", Console)], &[]),
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
