//! Code of other languages, read as far as its effects can be told without a parser for each: which calls it names, and
//! which texts stand in it.

use super::code_calls::{RUNS, SENDS};
pub(in crate::screen) use super::code_calls::{is_shell, names_shell, remote_shell};
use super::code_files as files;
use super::code_hidden;
use super::code_text::Code;
use super::data::Data;
use super::walk::Walk;
use crate::screen::finding::Span;
use crate::screen::{effect, rule};

/// Judges a piece of code.
pub(in crate::screen) fn scan(walk: &mut Walk<'_>, code: &str, span: Span) {
    let short = code.get(..32 * 1024).unwrap_or(code);
    scan_deep(walk, short, span, 2);
    as_command(walk, short, span);
}

/// Judges code that may hold other code, so many times.
pub(super) fn scan_deep(walk: &mut Walk<'_>, code: &str, span: Span, depth: u32) {
    if remote_shell(code) {
        walk.report(&rule::REVERSE_SHELL, span);
    }
    let looked_for = Code::new(code);
    let has = |names: &[&str]| looked_for.has(names);
    let mut literals = literals(code);
    if has(&["getenv", "environ", "ENV", "process.env"]) {
        // the line may have set what the code asks for
        let set: Vec<String> = literals
            .iter()
            .filter_map(|name| walk.variable(name))
            .map(|(value, _)| value.to_string())
            .collect();
        literals.extend(set);
    }
    // every packet that passes
    if has(&[
        "AF_PACKET",
        "PF_PACKET",
        "SOCK_RAW",
        "pcap_open_live",
        "pcapy",
        "from scapy",
    ]) {
        walk.report(&rule::INTERCEPT, span);
    }
    // what people type, or speak
    if has(&[
        "pynput",
        "keyboard.Listener",
        "keyboard.on_press",
        "keyboard.hook",
        "addGlobalMonitorForEvents",
        "CGEventTapCreate",
        "CGEvent.tapCreate",
        "GetAsyncKeyState",
        "SetWindowsHookEx",
    ]) {
        walk.report(&rule::CREDENTIAL_DUMP, span);
    }
    // a name like those that the kernel gives its own threads (perlvar(1), setproctitle)
    if has(&[
        "$0=\"[",
        "$0 = \"[",
        "$0='[",
        "$0 = '[",
        "setproctitle(\"[",
        "setproctitle('[",
    ]) {
        walk.report(&rule::DISGUISE, span);
    }
    // every process that may be reached (kill(2))
    if has(&[
        "os.kill(-1",
        "kill(-1,",
        "kill 9,-1",
        "kill 9, -1",
        "Process.kill(9, -1",
        "Process.kill(9,-1",
        "process.kill(-1",
    ]) {
        walk.report(&rule::PROCESS_KILL, span);
    }
    // modules that Python loads by itself (site)
    if has(&["getusersitepackages", "getsitepackages"]) && has(&["write", "copy", "\"w\"", "'w'"]) {
        walk.report(&rule::PERSIST, span);
    }
    if prints_secret(&looked_for) {
        walk.report(&rule::CREDENTIAL_PRINT, span);
    }
    files::deleted_by_tcl(walk, code, span);
    // what is fetched and run by one call (source(), include() of R, Julia and others)
    if has(&[
        "source(\"http",
        "source('http",
        "include(download(",
        "load(\"http",
        "load('http",
        "import(\"http",
        "import('http",
    ]) {
        walk.report(&rule::REMOTE_CODE, span);
    }
    // one port or machine after the other
    if has(&["connect_ex"]) && has(&["range("])
        || has(&["PeerPort"]) && has(&["..65535", "..1024", "..1000", "..10000"])
        || has(&["ping "])
            && has(&[
                "range(1,25",
                "range(1, 25",
                "range(255",
                "range(254",
                "1..254",
                "1..255",
            ])
    {
        walk.report(&rule::LATERAL, span);
    }
    // the trees of everybody or of the system, packed
    if has(&["make_archive"])
        && literals.iter().any(|literal| {
            matches!(
                literal.as_str(),
                "/" | "/home" | "/etc" | "/root" | "/Users" | "/var/log"
            )
        })
    {
        walk.report(&rule::COLLECT, span);
    }
    // every row of a model (Django, QuerySet.delete())
    if has(&[".objects.all().delete()"]) {
        walk.report(&rule::DATABASE_DESTROY, span);
    }
    // a program that lies in no file
    if has(&["memfd_create", "syscall(319", "syscall 319"]) {
        walk.report(&rule::HIDDEN_CODE, span);
    }
    files::fetched(walk, &looked_for, &literals, span);
    let runs = has(&RUNS);
    let sends = has(&SENDS);
    let for_ever = has(&[
        "while True",
        "while 1",
        "while(1)",
        "while (1)",
        "while(true)",
        "while (true)",
        "for(;;)",
        "for (;;)",
        "loop {",
        "loop{",
        "loop do",
    ]);
    let forks = for_ever && has(&["fork(", "fork ", "fork;", "fork}"]) && !has(&["wait", "sleep", "exit"]);
    if forks || has(&["fork while", "os.fork() while"]) {
        walk.report(&rule::EXHAUST, span);
    }
    // more and more memory, a great piece at a time
    let grows = has(&[".append(", "push @", ".push(", "+= "]);
    let great = has(&[
        "*10**8",
        "*10**9",
        "1e8",
        "1e9",
        "1e10",
        "10**9",
        "<<30",
        "1<<28",
        "*1024*1024",
    ]);
    if for_ever && grows && great && !has(&["sleep", "break"]) {
        walk.report(&rule::EXHAUST, span);
    }
    if runs {
        let mut joined = String::new();
        for literal in &literals {
            walk.script(literal, span, &Data::none());
            joined.push_str(literal);
            joined.push(' ');
        }
        // a list of words is a command, too: ["rm", "-rf", "/"]
        walk.script(joined.trim_end(), span, &Data::none());
        if literals.is_empty() {
            walk.open = true;
        }
        if literals.iter().any(|literal| is_shell(literal)) {
            walk.report(&rule::SHELL_ESCAPE, span);
        }
        if has(&[
            "requests.",
            "urlopen",
            "urlretrieve",
            "http.get",
            "https.get",
            "download",
            "open-uri",
            "URI.open",
            "LWP::Simple",
            "getstore",
        ]) && has(&[
            "open(",
            "urlretrieve",
            "writeFile",
            "write(",
            "mirror(",
            "getstore",
            "copy_stream",
            "file_put_contents",
        ]) {
            walk.report(&rule::REMOTE_CODE, span);
        }
        if sends && has(&["chmod", "|sh", "| sh", "|bash", "| bash"]) {
            walk.report(&rule::REMOTE_CODE, span);
        }
        if has(&[
            "os.setuid(0)",
            "setuid(0)",
            "Process::Sys.setuid",
            "POSIX::setuid",
            "posix_setuid",
            "process.setuid(0)",
            "$<=$>=0",
            "$> = 0",
        ]) {
            walk.report(&rule::PRIVILEGE, span);
        }
    }
    files::deleted(walk, &looked_for, &literals, span);
    files::read(walk, &looked_for, &literals, runs, span);
    files::written(walk, &looked_for, &literals, span);
    if has(&["os.environ", "process.env", "%ENV", "ENV.to_h", "getenv()", "$_ENV"])
        && (has(&[
            "print(os.environ)",
            "dict(os.environ)",
            "console.log(process.env)",
            "JSON.stringify(process.env)",
        ]) || has(&["post(", "POST"]))
    {
        walk.report(&rule::CREDENTIAL_PRINT, span);
    }
    if has(&["http.server", "HTTPServer", "httpd -", "SimpleHTTP", "un.rb", "WEBrick"]) {
        walk.report(&rule::EXFIL_FILE, span);
    }
    code_hidden::decoded(walk, &looked_for, &literals, span, depth);
}

/// Whether a variable of the environment is printed whose name says that it is secret.
fn prints_secret(code: &Code<'_>) -> bool {
    [
        "print(os.environ[",
        "print(os.getenv(",
        "print(os.environ.get(",
        "puts ENV[",
        "puts(ENV[",
        "console.log(process.env",
        "print $ENV{",
        "echo getenv(",
    ]
    .iter()
    .filter(|call| code.has(&[**call]))
    .any(|call| {
        code.text.find(call).is_some_and(|at| {
            let rest = code.text.get(at + call.len()..).unwrap_or_default();
            let name: String = rest
                .chars()
                .skip_while(|letter| !letter.is_ascii_alphanumeric())
                .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                .collect();
            effect::names_secret(&name)
        })
    })
}

/// Code that is itself a command line for a shell.
fn as_command(walk: &mut Walk<'_>, code: &str, span: Span) {
    let word = code.split_whitespace().next().unwrap_or_default();
    if matches!(
        word,
        "rm" | "dd" | "mkfs" | "shred" | "git" | "find" | "sudo" | "curl" | "wget" | "chmod" | "sh" | "bash"
    ) && !code.contains('(')
    {
        walk.script(code, span, &Data::none());
    }
}

/// The texts in quotes, those that are only joined by `+`, `.` or nothing taken together.
pub(in crate::screen) fn literals(code: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut chars = code.char_indices();
    let mut between = String::from("x");
    while let Some((_, c)) = chars.next() {
        if !matches!(c, '"' | '\'' | '`') {
            if between.len() < 16 {
                between.push(c);
            }
            continue;
        }
        let quote = c;
        let mut text = String::new();
        let mut closed = false;
        while let Some((_, c)) = chars.next() {
            if c == quote {
                closed = true;
                break;
            }
            if c == '\\' {
                if let Some((_, next)) = chars.next() {
                    text.push('\\');
                    text.push(next);
                }
                continue;
            }
            text.push(c);
        }
        if !closed && quote == '\'' && text.len() > 200 {
            break;
        }
        let text = super::escapes::ansi_c(&text);
        let joins = matches!(between.trim(), "+" | "." | ".." | "||" | "<<");
        let full = out.len() >= 256;
        match out.last_mut() {
            Some(last) if joins => last.push_str(&text),
            _ if !full => out.push(text),
            _ => {}
        }
        between.clear();
    }
    out
}
