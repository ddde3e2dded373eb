//! Variables by which programs are told what to load, to run and to write down: environ(7), bash(1), ld.so(8), git(1), less(1),
//! java(1), node(1).

use crate::screen::place::Place;
use crate::screen::rule;
use crate::screen::shell::data::{Data, Field, Taint};
use crate::screen::shell::walk::Walk;
use crate::screen::text;

/// Variables that make programs load or run something, or that stop the record of what runs.
pub(in crate::screen) fn environment(walk: &mut Walk<'_>, name: &str, value: &Field<'_>) {
    if crate::screen::tamper::variable(name) {
        walk.report(&rule::TAMPER, value.span);
    }
    match name {
        "LD_PRELOAD" | "LD_AUDIT" | "DYLD_INSERT_LIBRARIES" | "LD_LIBRARY_PATH" | "DYLD_LIBRARY_PATH" => {
            let local = matches!(
                walk.places.place(&value.text, &walk.cwd),
                Place::Scratch | Place::InWorkspace | Place::Unknown | Place::InHome | Place::Outside
            );
            if name.ends_with("PATH") {
                if walk.places.place(&value.text, &walk.cwd) == Place::Scratch {
                    walk.report(&rule::PERSIST, value.span);
                }
            } else if local && !value.text.is_empty() {
                walk.report(&rule::PERSIST, value.span);
            }
        }
        "PROMPT_COMMAND" | "PS0" | "PS4" | "BASH_ENV" | "ENV" | "PAGER" | "GIT_PAGER" | "EDITOR" | "VISUAL"
        | "GIT_SSH_COMMAND" | "GIT_EDITOR" | "GIT_EXTERNAL_DIFF" | "MANPAGER" | "LESSOPEN" | "BROWSER"
        | "GIT_ASKPASS" | "SSH_ASKPASS" | "PYTHONSTARTUP" | "PERL5DB" | "PS1" | "PS2" => {
            if matches!(name, "PROMPT_COMMAND" | "PS0")
                && (value.text.contains("history") || value.text.contains("logger"))
            {
                walk.report(&rule::CREDENTIAL_DUMP, value.span);
            }
            if name == "PS2" && value.taint.has(Taint::FILE) {
                walk.report(&rule::CREDENTIAL_DUMP, value.span);
            }
            if !value.text.contains(['%', '\\']) && value.text.len() > 3 && !name.starts_with("PS") {
                let by_other = std::mem::replace(&mut walk.by_other, true);
                walk.script(&value.text, value.span, &Data::none());
                walk.by_other = by_other;
            }
        }
        // iconv(3): modules that a program loads, with its owner's rights
        "GCONV_PATH" | "GIO_MODULE_DIR" | "KRB5_CONFIG"
            if value.text.starts_with('.') || walk.places.place(&value.text, &walk.cwd) == Place::Scratch =>
        {
            walk.report(&rule::PRIVILEGE, value.span);
        }
        // what a runtime loads before any program (java(1), node(1), `DOTNET_STARTUP_HOOKS` of .NET, openssl(1))
        "JAVA_TOOL_OPTIONS"
        | "_JAVA_OPTIONS"
        | "JDK_JAVA_OPTIONS"
        | "MAVEN_OPTS"
        | "GRADLE_OPTS"
        | "NODE_OPTIONS"
        | "RUBYOPT"
        | "PERL5OPT"
        | "DOTNET_STARTUP_HOOKS"
        | "OPENSSL_CONF"
        | "OPENSSL_ENGINES"
        | "OPENSSL_MODULES"
        | "GTK_MODULES"
        | "QT_PLUGIN_PATH"
        | "PERL5LIB"
        | "RUBYLIB"
        | "LUA_CPATH"
        | "GIT_EXEC_PATH"
        | "GIT_TEMPLATE_DIR"
            if ["/tmp/", "/var/tmp/", "/dev/shm/"]
                .iter()
                .any(|own| value.text.contains(own))
                && !value.text.contains("heapsnapshot")
                && !value.text.contains("java.io.tmpdir=/tmp") =>
        {
            walk.report(&rule::SCRATCH_CODE, value.span);
        }
        // ssh-agent(1): the socket of an agent that somebody else started
        "SSH_AUTH_SOCK" if value.text.starts_with("/tmp/ssh-") && !value.text.contains('\u{E000}') => {
            walk.report(&rule::LATERAL, value.span);
        }
        "SAVEHIST" if value.text == "0" => walk.report(&rule::WEAKEN_LOG, value.span),
        // kept where nobody looks
        "HISTFILE" if walk.places.place(&value.text, &walk.cwd) == Place::Scratch => {
            walk.report(&rule::WEAKEN_LOG, value.span)
        }
        "HISTFILE" if matches!(value.text.as_str(), "" | "/dev/null") => walk.report(&rule::WEAKEN_LOG, value.span),
        "HISTSIZE" | "HISTFILESIZE" if matches!(value.text.as_str(), "0" | "1") => {
            walk.report(&rule::WEAKEN_LOG, value.span)
        }
        "HISTCONTROL" if value.text.contains("ignoreboth") || value.text.contains("ignorespace") => {
            walk.report(&rule::WEAKEN_LOG, value.span)
        }
        "HISTIGNORE" if !value.text.is_empty() => walk.report(&rule::WEAKEN_LOG, value.span),
        "NODE_TLS_REJECT_UNAUTHORIZED" | "GIT_SSL_NO_VERIFY" | "PYTHONHTTPSVERIFY" => {
            walk.report(&rule::INTERCEPT, value.span)
        }
        "http_proxy" | "https_proxy" | "HTTP_PROXY" | "HTTPS_PROXY" | "ALL_PROXY" | "all_proxy"
            if value.text.contains("127.0.0.1") || value.text.contains("localhost") =>
        {
            walk.report(&rule::INTERCEPT, value.span);
        }
        "PATH" => {
            let first = value.text.split(':').next().unwrap_or_default();
            if walk.places.place(first, &walk.cwd) == Place::Scratch
                && walk
                    .files
                    .iter()
                    .any(|(own, _)| own.strip_prefix(first).is_some_and(|rest| rest.starts_with('/')))
            {
                walk.report(&rule::SCRATCH_CODE, value.span);
            }
        }
        // environ(7): a program's own pager, editor or helper
        _ if names_helper(name) && value.text.len() > 3 && !value.text.contains(['%', '\\']) => {
            let by_other = std::mem::replace(&mut walk.by_other, true);
            walk.script(&value.text, value.span, &Data::none());
            walk.by_other = by_other;
        }
        _ if !walk.files.is_empty()
            && walk.places.place(&value.text, &walk.cwd) == Place::Scratch
            && super::escape::given(walk, &value.text, true) =>
        {
            walk.report(&rule::SHELL_ESCAPE, value.span);
        }
        _ => {}
    }
}

/// Variables by whose endings programs are told what to run: `BAT_PAGER`, `HGEDITOR`, `BORG_RSH`, `RUSTC_WRAPPER`.
fn names_helper(name: &str) -> bool {
    matches!(
        text::behind_last(name, b'_'),
        Some("RSH" | "SSH" | "COMMAND" | "PASSCOMMAND" | "WRAPPER" | "ASKPASS" | "BROWSER" | "RUNNER")
    ) || name.ends_with("PAGER")
        || name.ends_with("EDITOR")
        || matches!(name, "FCEDIT" | "LESSCLOSE")
}
