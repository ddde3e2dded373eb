//! Shells and interpreters: what is given to them as code.

use super::data::{Data, Field, Taint, UNKNOWN};
use super::walk::Walk;
use super::{code, resolve};
use crate::screen::cmd::Cmd;
use crate::screen::place::Place;
use crate::screen::signs::Signs;
use crate::screen::text::has_letter;
use crate::screen::{effect, rule};

by_name! {
    /// Runs what a shell or interpreter runs; none, when the command is neither.
    NAMES: pub(super) fn run(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Option<Data> where cmd.name is {
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "ksh93" | "mksh" | "pdksh" | "ash" | "fish" | "csh" | "tcsh"
        | "rbash" | "yash" | "hush" | "osh" | "elvish" | "nu" | "xonsh" => Some(shell(walk, cmd)),
        "pwsh" | "powershell" | "cmd" | "cmd.exe" => {
            effect::powershell(walk, cmd);
            Some(Data::unknown(Taint::SHELL))
        },
        "eval" => Some(eval(walk, cmd)),
        "source" | "." => Some(source(walk, cmd)),
        "python" | "pypy" | "ipython" => language(walk, cmd, 'c', "cXWmQ", &["code"]),
        "perl" => language(walk, cmd, 'e', "", &["e"]).or_else(|| language(walk, cmd, 'E', "", &[])),
        "ruby" if cmd.has("-run") => None,
        "ruby" | "irb" => language(walk, cmd, 'e', "eCErIKxW", &[]),
        "node" | "nodejs" | "bun" | "deno" => {
            language(walk, cmd, 'e', "er", &["eval", "print"]).or_else(|| language(walk, cmd, 'p', "epr", &["print"]))
        },
        "php" if cmd.options().any(|option| option.starts_with("-S")) => None,
        "php" => language(walk, cmd, 'r', "rBREFdcz", &["run"]),
        "lua" | "luajit" => language(walk, cmd, 'e', "el", &[]),
        "rscript" | "r" | "guile" | "ghc" | "jshell" | "julia" | "elixir" | "groovy" | "scala" | "octave"
        | "jrunscript" | "tclsh" | "jjs" | "runhaskell" | "racket" | "sbcl" | "clojure" | "ocaml" | "crystal"
        | "v8" | "d8" | "qjs" | "wish" => {
            language(walk, cmd, 'e', "e", &["eval"]).or_else(|| language(walk, cmd, 'c', "c", &[]))
        },
        "swift" | "go" | "v" | "dart" | "nim" | "zig" | "rustc" | "gcc" | "g++" | "cc" | "c++" | "clang" | "tcc"
        | "javac" | "java" | "kotlinc" | "kotlin" | "mcs" | "csc" | "dotnet-script" | "ghc-pkg" | "cobc" | "as" | "nasm" => {
            compiles(walk, cmd);
            None
        },
        "osascript" => {
            effect::osascript(walk, cmd);
            language(walk, cmd, 'e', "el", &[])
        },
    } else { None }
}

/// A compiler or the like: what the line itself wrote is read.
fn compiles(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    // swift(1): code in the line or from the standard input
    if cmd.name == "swift" {
        let given = cmd.values('e', "").into_iter().map(|field| field.text.to_string());
        let all: Vec<String> = given.chain(cmd.stdin.text.clone()).collect();
        for code in all {
            code::scan(walk, &code, cmd.span);
        }
    }
    for field in cmd.operands("oIL", &[]).iter().filter(|field| field.text.contains('.')) {
        if let Some(text) = walk.written(&field.text).and_then(|data| data.text.clone()) {
            code::scan(walk, &text, cmd.span);
        } else {
            effect::script_file(walk, cmd, &field.text);
        }
        // what only compiles runs nothing
        let runs = match cmd.name {
            "java" | "dotnet-script" | "kotlin" | "swift" | "dart" => true,
            "go" | "v" | "zig" | "nim" => cmd.has_any(&["run", "r"]),
            _ => false,
        };
        if runs && field.text.starts_with('/') && walk.places.place(&field.text, &walk.cwd) == Place::Scratch {
            walk.report(&rule::SCRATCH_CODE, field.span);
        }
    }
}

fn shell(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut at = 0;
    let (mut from_text, mut from_stdin, mut reads_only, mut keeps) = (false, false, false, false);
    while let Some(field) = cmd.args.get(at) {
        let text = field.text.as_str();
        if text == "--" {
            at += 1;
            break;
        }
        if matches!(text, "--rcfile" | "--init-file") {
            source_file(walk, cmd, cmd.arg(at + 1));
            at += 2;
            continue;
        }
        let Some(option) = text
            .strip_prefix('-')
            .or_else(|| text.strip_prefix('+'))
            .filter(|option| !option.is_empty())
        else {
            break;
        };
        if matches!(text, "--command") {
            from_text = true;
        } else if !option.starts_with('-') {
            from_text |= has_letter(option, 'c');
            from_stdin |= has_letter(option, 's');
            keeps |= has_letter(option, 'p') && text.starts_with('-');
            reads_only |= has_letter(option, 'n') && text.starts_with('-');
            if option.ends_with('o') || option.ends_with('O') {
                at += 1;
            }
        }
        at += 1;
        if from_text && text.starts_with("--") {
            break;
        }
    }
    if reads_only && !from_text {
        return Data::known("");
    }
    if walk.on_network {
        walk.report(&rule::REVERSE_SHELL, cmd.span);
    }
    let operand = cmd.args.get(at);
    if from_text {
        let Some(text) = operand else {
            return Data::known("");
        };
        for (index, field) in cmd.args.iter().skip(at + 1).enumerate() {
            walk.set(&index.to_string(), &field.text, field.taint);
        }
        let all: Vec<&str> = cmd.args.iter().skip(at + 2).map(|field| field.text.as_str()).collect();
        if !all.is_empty() {
            walk.set("@", &all.join(" "), Taint::NONE);
        }
        return script(walk, text, cmd.stdin, true);
    }
    match operand {
        Some(file) if !from_stdin && file.text != "-" && file.text != "/dev/stdin" => {
            source_file(walk, cmd, &file.text)
        }
        _ => {
            // bash(1): `-p` keeps the rights of a file's owner
            if keeps && !cmd.stdin.given {
                walk.report(&rule::PRIVILEGE, cmd.span);
            }
            from_input(walk, cmd)
        }
    }
}

/// A shell that reads its commands from its standard input.
fn from_input(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let stdin = cmd.stdin;
    if !stdin.given {
        if walk.by_other || walk.on_terminal {
            walk.report(&rule::SHELL_ESCAPE, cmd.span);
        }
        return Data::unknown(Taint::SHELL);
    }
    if stdin.taint.has(Taint::NET) {
        walk.report(&rule::REMOTE_CODE, cmd.span);
    } else if stdin.taint.has(Taint::HIDDEN) {
        walk.report(&rule::HIDDEN_CODE, cmd.span);
    } else if stdin.full_text().is_none() {
        walk.report(&rule::UNRESOLVED_CODE, cmd.span);
    }
    match stdin.text.clone() {
        Some(text) => {
            walk.script(&text, cmd.span, &Data::none());
        }
        None => walk.open = true,
    }
    Data::unknown(stdin.taint.and(Taint::SHELL))
}

/// A text that is run as a script of the shell.
fn script(walk: &mut Walk<'_>, text: &Field<'_>, stdin: &Data, strict: bool) -> Data {
    if text.taint.has(Taint::NET) {
        walk.report(&rule::REMOTE_CODE, text.span);
    } else if text.taint.has(Taint::HIDDEN) {
        walk.report(&rule::HIDDEN_CODE, text.span);
    }
    let nothing_known = text.text.signs().has(Signs::WIDE)
        && text.text.trim_start().starts_with(UNKNOWN)
        && text.text.trim().chars().all(|c| c == UNKNOWN);
    if nothing_known {
        walk.open = true;
        if strict {
            walk.report(&rule::UNRESOLVED_CODE, text.span);
        }
        return Data::unknown(text.taint);
    }
    let taint = text.taint;
    // eval(1p) runs in this shell: what it sets lasts
    let data = if strict {
        walk.script(&text.text, text.span, stdin)
    } else {
        walk.script_here(&text.text, text.span, stdin)
    };
    data.tainted(taint)
}

fn eval(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    let mut all = Field::new("", cmd.span);
    for field in cmd.args {
        if !all.text.is_empty() {
            all.text.push(' ');
        }
        all.text.append(&field.text);
        all.taint = all.taint.and(field.taint);
    }
    // commands that somebody at the other end of a connection gives (bash(1), REDIRECTION)
    if walk.on_network && all.text.contains(UNKNOWN) {
        walk.report(&rule::REVERSE_SHELL, cmd.span);
    }
    // what a local program prints is often meant to be evaluated (ssh-agent -s, direnv hook)
    script(walk, &all, cmd.stdin, false)
}

fn source(walk: &mut Walk<'_>, cmd: &Cmd<'_>) -> Data {
    match cmd.args.first() {
        Some(file) => source_file(walk, cmd, &file.text),
        None => Data::known(""),
    }
}

/// A file that is run as a script.
fn source_file(walk: &mut Walk<'_>, cmd: &Cmd<'_>, path: &str) -> Data {
    if let Some(data) = resolve::own_file(walk, path, cmd.span, cmd.stdin) {
        return data;
    }
    walk.open = true;
    effect::script_file(walk, cmd, path);
    if path == "/dev/stdin" {
        return from_input(walk, cmd);
    }
    Data::unknown(Taint::NONE)
}

/// An interpreter of another language; none, when it gets no code that could be read.
fn language(walk: &mut Walk<'_>, cmd: &Cmd<'_>, letter: char, short: &str, long: &[&str]) -> Option<Data> {
    let mut given = false;
    let mut code = String::new();
    let mut taint = Taint::NONE;
    let mut values = cmd.values(letter, "");
    for name in long {
        values.extend(cmd.values('\u{0}', name));
    }
    for field in &values {
        given = true;
        // `-e'code'` and `--eval=code` hold the option, too
        let text = match field.text.split_once('=') {
            Some((option, text)) if option.starts_with("--") => text,
            _ if field.text.starts_with('-') && !field.text.starts_with("--") => {
                field.text.split_once(letter).map_or("", |(_, text)| text)
            }
            _ => &field.text,
        };
        code.push_str(text);
        code.push('\n');
        taint = taint.and(field.taint);
    }
    if given {
        if taint.has(Taint::NET) {
            walk.report(&rule::REMOTE_CODE, cmd.span);
        } else if taint.has(Taint::HIDDEN) {
            walk.report(&rule::HIDDEN_CODE, cmd.span);
        }
        code::scan(walk, &code, cmd.span);
        // perlrun(1), ruby(1): `-n` and `-p` go through the lines of files
        if matches!(cmd.name, "perl" | "ruby") && (cmd.short('n') || cmd.short('p')) {
            for field in cmd.args.iter().filter(|field| field.text.starts_with(['/', '~'])) {
                let data = effect::read_file(walk, &field.text, field.span);
                taint = taint.and(data.taint);
            }
        }
        return Some(Data::unknown(taint.and(Taint::FILE).and(Taint::BEYOND)));
    }
    // `crystal eval code`
    if cmd.name == "crystal" && cmd.arg(0) == "eval" {
        code::scan(walk, cmd.arg(1), cmd.span);
        return Some(Data::unknown(Taint::FILE.and(Taint::BEYOND)));
    }
    let operands = cmd.operands(short, &[]);
    let file = operands
        .iter()
        .map(|field| field.text.as_str())
        .find(|text| !matches!(*text, "run" | "-" | "exec"));
    if cmd.has("-m")
        || cmd
            .args
            .iter()
            .any(|field| field.text.starts_with("-m") && field.text.len() > 2 && cmd.name == "python")
    {
        return None;
    }
    if matches!(cmd.name, "php" | "deno" | "bun" | "python")
        && cmd.options().next().is_some()
        && file.is_none()
        && !cmd.stdin.given
    {
        return None;
    }
    match file {
        Some(path) => {
            // a program that is fetched and run at once, and may do everything (deno-run, bun run)
            let may_all = cmd.name != "deno" || cmd.has_any(&["-A", "--allow-all", "--allow-run"]);
            if path.starts_with("http://") || path.starts_with("https://") && may_all {
                walk.report(&rule::REMOTE_CODE, cmd.span);
            }
            effect::script_file(walk, cmd, path);
            let data = walk.written(path).cloned();
            if let Some(data) = data {
                if data.taint.has(Taint::NET) {
                    walk.report(&rule::REMOTE_CODE, cmd.span);
                }
                if let Some(text) = &data.text {
                    code::scan(walk, text, cmd.span);
                }
            } else if walk.places.place(path, &walk.cwd) == Place::Scratch {
                walk.report(&rule::SCRATCH_CODE, cmd.span);
            }
            Some(Data::unknown(Taint::NONE))
        }
        None if cmd.stdin.given => {
            if cmd.stdin.taint.has(Taint::NET) {
                walk.report(&rule::REMOTE_CODE, cmd.span);
            } else if cmd.stdin.taint.has(Taint::HIDDEN) {
                walk.report(&rule::HIDDEN_CODE, cmd.span);
            }
            if let Some(text) = &cmd.stdin.text {
                code::scan(walk, text, cmd.span);
            }
            Some(Data::unknown(cmd.stdin.taint))
        }
        None => None,
    }
}
