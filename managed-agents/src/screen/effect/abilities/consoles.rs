//! Clients of databases, debuggers and tracers, whose consoles and scripts may run commands: sqlite3(1), psql(1), mysql(1), gdb(1),
//! lldb(1), radare2(1), stap(1), bpftrace(8), dtrace(1), valgrind(1), and password managers' ways to show what they keep.

use super::Abilities;
use super::Can::{Code, Console, Is, Loads, Pipe, Rest, Runs, Within, Writes};
use crate::screen::effect::cli::Row;
use crate::screen::rule;

/// What such a program is for, done by somebody who is not its owner: pass(1), gopass(1), op(1), secret-tool(1), rbw(1).
const SHOWN: &[Row] = &[("show|cat|get !-c|--clip", &rule::CREDENTIAL_PRINT)];

by_name! {
    NAMES: pub(super) fn of(name: &str) -> Abilities where name is {
        "duckdb" | "mariadb" | "sqlplus" | "sqsh" | "hive" | "beeline" | "impala-shell" | "snowsql" | "pgcli" | "mycli" | "litecli"
        | "usql" | "sqlcmd" | "isql" | "tsql" | "cqlsh" | "mssql-cli" | "vertica" | "vsql" | "nzsql" | "db2" | "sqlite" | "cypher-shell"
        | "asterisk" | "fs_cli" | "lftp" | "ncftp" | "cadaver" | "smbclient" | "bconsole" | "guestfish" | "virsh" | "msfconsole" => {
            (&[("*", Console), ("<", Console), ("--pager", Runs)], &[])
        },
        "sqlite3" => (&[("*", Within(&[".once |", ".output |"])), ("<", Within(&[".once |", ".output |"]))], &[]),
        "psql" => (&[
            ("-o|--output|-L|--log-file", Pipe),
            ("*", Within(&["\\o |", "\\g |", "to program '", "TO PROGRAM '", "from program '", "FROM PROGRAM '"])),
        ], &[]),
        "mysql" => (&[("--pager", Runs), ("--tee", Writes)], &[]),
        "clickhouse" | "clickhouse-local" | "clickhouse-client" => (&[("*", Within(&["executable('"]))], &[]),
        "postgres" | "pg_ctl" | "postmaster" => (&[("-c|-o", Within(&["archive_command=", "restore_command=", "ssl_passphrase_command="]))], &[]),
        "mongo" | "mongosh" => (&[("--eval", Code), ("--eval", Within(&["run(\"", "run(", "runProgram("]))], &[]),
        "redis-cli" => const { (&[], &[
            ("module|MODULE load|LOAD|loadex|LOADEX", &rule::REMOTE_CODE),
            ("slaveof|SLAVEOF|replicaof|REPLICAOF !no", &rule::EXFIL_FILE),
        ]) },
        "gdb" | "gdb-multiarch" | "gdbtui" | "cgdb" => (&[
            ("-x|-command|-ix|-init-command", Loads),
            ("-ex|-iex|-eval-command", Within(&["call system(\"", "call (int)system(\"", "p system(\"", "print system(\"", "call (void)system(\""])),
        ], &[]),
        "lldb" => (&[("-s|-S|--source", Loads), ("-o|-O|--one-line", Console), ("-o|-O|--one-line", Code)], &[]),
        "r2" | "radare2" | "rizin" | "iaito" | "mdb" => (&[("-c|-qc|-C", Console), ("-i", Loads)], &[]),
        "stap" => (&[("-e", Code), ("-c", Runs)], &[]),
        "bpftrace" => (&[("-e", Code), ("-c", Runs)], &[]),
        "dtrace" | "dtruss" => (&[("-n|-s", Code), ("-c", Runs)], &[]),
        "trace-cmd" | "uftrace" | "apitrace" | "memusage" | "ocount" | "operf" => (&[("record|trace|.", Rest(0))], &[]),
        "perf" => (&[("-s|--script", Loads)], &[]),
        "coredumpctl" => (&[("--debugger", Runs)], &[]),
        "dlv" | "jdb" | "rdbg" => (&[("--init|-x", Loads), ("-e", Code)], &[]),
        "sqlmap" => const { (&[("--eval", Code), ("--os-shell|--os-cmd|--os-pwn|--file-read|--file-write", Is(&rule::LATERAL))], &[]) },
        "volatility" | "vol" | "vol.py" | "volshell" => (&[("*", Console)], &[]),
        "nmap" => (&[("<", Console)], &[]),
        "gpg" | "gpg2" => (&[("--agent-program|--dirmngr-program", Loads)], &[]),
        "mysqlsh" | "spark-sql" | "rman" => (&[("*", Console), ("<", Console)], &[]),
        "mysqlslap" => (&[("--pre-system|--post-system", Runs)], &[]),
        "pgbench" => (&[("-f|--file", Loads)], &[]),
        "arangosh" => (&[("--javascript.execute-string", Code)], &[]),
        "pgloader" => (&[(".|-l|--load-lisp-file", Loads)], &[]),
        "pass" | "gopass" | "rbw" => (&[], SHOWN),
        "op" => const { (&[], &[("read", &rule::CREDENTIAL_PRINT)]) },
        "bw" => const { (&[], &[("get password|totp|notes", &rule::CREDENTIAL_PRINT)]) },
        "secret-tool" | "kwallet-query" | "lssecret" => const { (&[("-r|--read-password", Is(&rule::CREDENTIAL_PRINT))], &[("lookup", &rule::CREDENTIAL_PRINT)]) },
        "lpass" | "keepassxc-cli" | "kpcli" | "dashlane" | "dcli" => const { (&[], &[
            ("show ** --password|-p|-s|--show-protected|--all|-a", &rule::CREDENTIAL_PRINT),
            ("show|clip -s|-a|--all|--password|-p|-q|--show-protected", &rule::CREDENTIAL_PRINT),
        ]) },
        "john" | "hashcat" => const { (&[(".", Is(&rule::PRIVILEGE_RECON))], &[]) },
    } else { (&[], &[]) }
}
