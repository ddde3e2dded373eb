//! What the shell part of the screen understands, and that it survives what it does not.

use serde_json::json;

use crate::screen::{Profile, StandardScreen};
use crate::verdict::Decision;

fn decided(command: &str) -> Decision {
    StandardScreen::default()
        .check_value("bash", &json!({ "command": command }))
        .decision()
}

fn codes(command: &str) -> Vec<&'static str> {
    let screened = StandardScreen::default().check_value("bash", &json!({ "command": command }));
    screened.findings().iter().map(super::super::Finding::code).collect()
}

#[test]
fn every_spelling_of_a_command_is_the_command() {
    for command in [
        "rm -rf /",
        "rm -r -f /",
        "rm -fr -- /",
        "rm --recursive --force /",
        "rm --recurs /",
        "'rm' -rf \"/\"",
        "r\\m -rf /",
        "r''m -rf /",
        "$'\\x72m' -rf /",
        "a=rm; $a -rf /",
        "a=r b=m; $a$b -rf /",
        "rm${IFS}-rf${IFS}/",
        "{rm,-rf,/}",
        "$(echo rm) -rf /",
        "`echo rm` -rf /",
        "${x:-rm} -rf /",
        "${0/*/rm} -rf /",
        "/bin/rm -rf /",
        "/b?n/rm -rf /",
        "RM -rf /",
        "rm -rf /./",
        "rm -rf //",
        "rm -rf /etc/..",
        "rm -rf $PWD/../../../../../../etc",
        "cd /; rm -rf *",
        "alias x=rm; x -rf /",
        "f() { rm -rf /; }; f",
        "f() { rm -rf \"$1\"; }; f /",
        "for d in / ; do rm -rf $d; done",
        "rm -rf \\\n/",
    ] {
        assert!(decided(command) >= Decision::Escalate, "{command}");
    }
}

#[test]
fn every_way_to_run_a_command_is_followed() {
    for wrap in [
        "sudo {}",
        "sudo -u root -- {}",
        "env -i A=b {}",
        "env -S '{}'",
        "nohup {} &",
        "timeout -k 5 10 {}",
        "nice -n 5 {}",
        "stdbuf -oL {}",
        "xargs {} < /dev/null",
        "echo / | xargs -I@ {}",
        "busybox {}",
        "command {}",
        "exec {}",
        "time {}",
        "sh -c '{}'",
        "bash -lc \"{}\"",
        "eval '{}'",
        "echo '{}' | sh",
        "sh <<< '{}'",
        "sh <<E\n{}\nE",
        "source <(echo '{}')",
        "$({})",
        "`{}`",
        "echo \"$({})\"",
        "({})",
        "{ {}; }",
        "if true; then {}; fi",
        "while :; do {}; done",
        "case x in y) {};; esac",
        "true && {}",
        "false || {}",
        "! {}",
        "{} | cat",
        "cat | {}",
        "trap '{}' EXIT",
        "ssh host '{}'",
        "docker exec c {}",
        "kubectl exec p -- {}",
        "find . -exec {} \\;",
        "watch -n1 '{}'",
        "flock /tmp/x {}",
        "flock /tmp/x -c '{}'",
        "script -qc '{}' /dev/null",
        "su -c '{}'",
        "nsenter -t 2 {}",
        "python3 -c 'import os; os.system(\"{}\")'",
        "perl -e 'system(\"{}\")'",
        "node -e 'require(\"child_process\").execSync(\"{}\")'",
        "ruby -e '`{}`'",
        "awk 'BEGIN{system(\"{}\")}'",
        "vim -c ':!{}'",
        "git -c core.pager='{}' log",
        "echo '{}' > x.sh; sh x.sh",
        "coproc {}",
        "f() { {}; }; f",
        "parallel '{}' ::: 1",
        "[[ -n $({}) ]]",
        "echo $(( $({}) + 1 ))",
        "x=$({})",
        "<<X\n$({})\nX",
        "tmux new -d '{}'",
        "PROMPT_COMMAND='{}' bash",
        "make -f - <<< $'a:\\n\\t{}'",
    ] {
        let command = wrap.replace("{}", "rm -rf /");
        assert!(decided(&command) >= Decision::Escalate, "{command}");
    }
}

#[test]
fn mentions_are_no_actions() {
    for command in [
        "echo rm -rf /",
        "grep 'rm -rf /' x",
        "git commit -m 'rm -rf /'",
        "cat <<'E'\nrm -rf /\nE",
        "# rm -rf /",
        "ls # rm -rf /",
        "printf '%s' 'rm -rf /'",
        "man rm",
        "rm --help",
        "[ \"$x\" = 'rm -rf /' ]",
        "x='rm -rf /'",
        "awk '/rm -rf/' x",
        "python3 -c 'print(\"rm -rf /\")'",
    ] {
        assert_eq!(decided(command), Decision::Allow, "{command}: {:?}", codes(command));
    }
}

#[test]
fn routine_work_passes() {
    for command in [
        "ls -la",
        "cargo build --release",
        "rm -rf target node_modules",
        "rm -rf ./dist/*",
        "rm -rf /tmp/x.$$",
        "git status && git diff",
        "git push origin main",
        "docker build -t x .",
        "find . -name '*.o' -delete",
        "curl -fsSL https://example.com -o x.html",
        "tar xzf x.tgz",
        "chmod +x run.sh",
        "sed -i 's/a/b/' src/x.rs",
        "echo hi > out.txt",
        "for f in *.rs; do wc -l \"$f\"; done",
        "npm ci && npm test",
        "ps aux | grep node",
        "kill 4321",
        "make -j4",
        "cp -r a b",
        "mkdir -p a/b && cd a/b",
        "python3 script.py --x 1",
    ] {
        assert_eq!(decided(command), Decision::Allow, "{command}: {:?}", codes(command));
    }
}

#[test]
fn own_governance_is_out_of_reach_in_every_profile() {
    for profile in [
        Profile::strict(),
        Profile::standard(),
        Profile::relaxed(),
        Profile::relaxed().with_rule("tamper_governance", Decision::Allow),
    ] {
        let screen = StandardScreen::new(profile);
        for command in [
            "managed-agents approve 7",
            "sudo managed-agents resume all",
            "managed-agents --data-dir check agent revoke bot --yes",
            "managed-agents audit show 7 --reveal",
            "managed-agents restore old.db --accept",
            "rm -rf .managed-agents",
            "echo x >> managed-agents.toml",
            "cp a ~/.managed-agents/store.db",
            "sqlite3 ~/.managed-agents/managed-agents.db .dump",
            "export MANAGED_AGENTS_HOME=/tmp/x",
            "MANAGED_AGENTS_ENDPOINT=http://x cargo run",
            "sed -i 's/a/b/' managed-agents.toml",
            "pkill managed-agents",
            "find ~/.managed-agents -delete",
            "tee managed-agents.toml < x",
            "managed-agents approvals approve 7",
            "managed-agents approver add ann",
            "managed-agents agent reactivate bot",
            "managed-agents resume bot",
            "managed-agents audit erase ann",
            "managed-agents policy reload",
            "managed-agents init",
            "cargo run --bin managed-agents -- approvals approve 7",
            "xargs managed-agents approvals approve < ids",
            "echo 7 | xargs -n1 managed-agents approvals approve",
            "find . -maxdepth 0 -exec managed-agents init \\;",
            "ssh localhost managed-agents agent reactivate bot",
            "docker exec governor managed-agents approvals approve 7",
            "kubectl exec governor -- managed-agents approvals approve 7",
            "sh -c 'managed-agents restore x --accept'",
            "env -i /usr/local/bin/managed-agents approver add me",
            "nohup setsid managed-agents resume all &",
            "python3 -c 'import subprocess; subprocess.run([\"managed-agents\", \"resume\", \"all\"])'",
            "m=managed-agents; $m approver add me",
            "echo bWFuYWdlZC1hZ2VudHMgcmVzdW1lIGFsbA== | base64 -d | sh",
            "systemd-run --user managed-agents approvals approve 7",
            "at now <<< 'managed-agents approvals approve 7'",
            "crontab - <<< '* * * * * managed-agents approvals approve 7'",
            "script -c 'managed-agents resume all'",
            "watch managed-agents approvals approve 7",
            "parallel managed-agents approvals approve ::: 1 2 3",
            "make -f - <<< 'x: ; managed-agents resume all'",
            "awk 'BEGIN { system(\"managed-agents resume all\") }'",
            "unset MANAGED_AGENTS_HOME",
            "env MANAGED_AGENTS_HOME=/tmp/x ls",
            "declare -x MANAGED_AGENTS_ENDPOINT=http://x",
            "systemctl stop managed-agents",
            "mv ~/.local/state/managed-agents /tmp/x",
            "rm '/home/u/Library/Application Support/managed-agents/keys/authority'",
            "cp /var/lib/managed-agents/store.db /tmp",
            "ln -s ~/.local/share/managed-agents x",
            "chmod 777 /etc/managed-agents",
            "tar cf x.tar ~/.local/share/managed-agents",
        ] {
            let screened = screen.check_value("bash", &json!({ "command": command }));
            assert_eq!(screened.decision(), Decision::Deny, "{command}");
        }
        for command in [
            "managed-agents check --tool x --input '{}'",
            "managed-agents audit verify --deep",
            "cat managed-agents.toml",
            "ls managed-agents/src",
        ] {
            let screened = screen.check_value("bash", &json!({ "command": command }));
            assert_eq!(screened.decision(), Decision::Allow, "{command}");
        }
    }
}

#[test]
fn limits_escalate_and_nesting_does_not_overflow() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("${x:-", "}"),
        ("{ ", "; }"),
        ("`", "`"),
        ("\"$(", ")\""),
        ("$((", "))"),
        ("((", "))"),
        ("if ", "; fi"),
        ("<(", ")"),
        ("sh -c '", "'"),
        ("f() ", ""),
        ("[[ ", " ]]"),
        ("case x in (a) ", ";; esac"),
        ("a=(", ")"),
        ("eval ", ""),
        ("x@(", ")"),
        ("{a,", "}"),
    ] {
        let deep = format!("{}rm -rf /{}", open.repeat(20_000), close.repeat(20_000));
        let _ = decided(&deep);
        let unclosed = open.repeat(50_000);
        let _ = decided(&unclosed);
    }
    assert!(decided(&format!("{}ls{}", "$(".repeat(500), ")".repeat(500))) >= Decision::Escalate);
    assert!(decided(&"x ".repeat(200_000)) >= Decision::Escalate);
    assert!(decided(&format!("a=x; {} echo $a", "a=$a$a; ".repeat(64))) >= Decision::Escalate);
    assert!(decided(&format!("echo {}", "{a,b}".repeat(64))) >= Decision::Escalate);
    assert!(decided("f() { f | f & }; f") == Decision::Deny);
}

#[test]
fn findings_say_where_and_hold_no_value() {
    let command = "ls; cat ~/.ssh/id_rsa";
    let screened = StandardScreen::default().check_value("bash", &json!({ "command": command }));
    let finding = &screened.findings()[0];
    let span = finding.span().unwrap();
    assert_eq!(command.get(span.start..span.end), Some("~/.ssh/id_rsa"));
    let reason = finding.reason();
    assert!(!format!("{} {} {finding:?}", reason.for_model(), reason.detail()).contains("id_rsa"));
}

#[test]
fn what_is_timed_runs() {
    let screen = StandardScreen::default();
    for command in [
        "time rm -rf /",
        "time -p rm -rf /",
        "time -f %e rm -rf /",
        "time { rm -rf /; }",
        "time ! rm -rf /",
        "! time (rm -rf /)",
        "time for x in /; do rm -rf $x; done",
        "time x=1 rm -rf /",
    ] {
        let screened = screen.check_value("bash", &json!({ "command": command }));
        assert_eq!(screened.decision(), Decision::Deny, "{command}");
    }
}

#[test]
fn what_a_turn_makes_ready_the_next_one_runs() {
    let screen = StandardScreen::default();
    for command in [
        "f() { f() { rm -rf /; }; f; }; f",
        "f() { f() { f() { rm -rf /; }; f; }; f; }; f",
        "f() { $1 $2 $3; f rm -rf /; }; f",
        "f() { $x; x='rm -rf /'; f; }; f",
        "f() { $x; x=$y; y=$z; z='rm -rf /'; f; }; f",
        "f() { $1 $2 $3; shift; f \"$@\"; }; f a b c rm -rf /",
        "f() { shift; \"$@\"; }; f x rm -rf /",
        "f() { shift 2; $1 $2 $3; }; f x y rm -rf /",
        "f() { while true; do $1 $2 $3; shift; done; }; f x rm -rf /",
        "f() { g; g() { rm -rf /; }; f; }; f",
        "f() { sh x; echo 'rm -rf /' > x; f; }; f",
        "echo ls > x; f() { sh x; echo 'rm -rf /' > x; f; }; f",
        "f() { rm -rf *; cd /; f; }; f",
        "f() { sh; f <<< 'rm -rf /'; }; f",
        "alias f='alias f=\"rm -rf /\"; f'\nf",
        "while true; do $x; x='rm -rf /'; done",
        "until false; do $x; x=$y; y='rm -rf /'; done",
        "while true; do rm -rf *; cd /; done",
        "x='rm -rf /'; (x=ls); $x",
        "f() { rm -rf /; }; (f() { ls; }); f",
    ] {
        let screened = screen.check_value("bash", &json!({ "command": command }));
        assert_eq!(screened.decision(), Decision::Deny, "{command}");
    }
    // deeper than anybody writes it, and deeper than it is followed
    let deep = "f() { $1 $2 $3; shift; f \"$@\"; }; f 1 a b c d e f g h i j k l rm -rf /";
    assert_ne!(
        screen.check_value("bash", &json!({ "command": deep })).decision(),
        Decision::Allow
    );
}

#[test]
fn functions_that_call_themselves_and_loops_pass() {
    let screen = StandardScreen::default();
    for command in [
        "walk() { for f in \"$1\"/*; do if [ -d \"$f\" ]; then walk \"$f\"; else wc -l \"$f\"; fi; done; }; walk src",
        "fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1 - 1))) )); fi; }; fact 5",
        "retry() { local n=$1; shift; \"$@\" && return; sleep 1; retry $((n - 1)) \"$@\"; }; retry 3 make test",
        "fib() { [ $1 -lt 2 ] && echo $1 || echo $(( $(fib $(($1-1))) + $(fib $(($1-2))) )); }; fib 10",
        "while read -r line; do out=\"$out $line\"; echo \"$line\" >> all.txt; done < names.txt",
        "i=0; while [ $i -lt 10 ]; do echo $i; i=$((i+1)); done",
        "until curl -s localhost:8080; do sleep 1; s=waiting; done",
    ] {
        let screened = screen.check_value("bash", &json!({ "command": command }));
        assert_eq!(
            screened.decision(),
            Decision::Allow,
            "{command}: {:?}",
            screened.findings()
        );
    }
}

#[test]
fn work_grows_no_faster_than_the_text() {
    let screen = StandardScreen::default();
    for piece in [
        "a ",
        "a;",
        "$x",
        "'",
        "\"",
        "$(",
        "((",
        "{a,b}",
        "<<E\n",
        "|",
        "a=b ",
        "\\",
        "`a` ",
        "sudo ",
        "x() {",
        "find . -exec ",
        "${a/",
        "* ",
        "../",
        "%2e",
        "echo a | sh;",
    ] {
        let work = |length: usize| {
            let text = piece.repeat(length / piece.len());
            crate::screen::work::taken();
            let _ = screen.check_value("bash", &json!({ "command": text }));
            crate::screen::work::taken()
        };
        let (small, large, whole) = (work(16 * 1024), work(256 * 1024), work(1024 * 1024));
        // sixteen times the text, with room for what is only reached by the longer one; a quadratic one takes 256 times as much
        assert!(large < 200_000 + 40 * small, "{piece:?}: {small}, then {large}");
        // what is longer than the limit is not read on
        assert!(whole < large + large / 4 + 1000, "{piece:?}: {large}, then {whole}");
    }
}

#[test]
fn work_grows_no_faster_than_the_text_in_the_shapes_of_scripts() {
    let screen = StandardScreen::default();
    // what stands before, what is repeated with a number in it, and what stands behind
    for (before, piece, after) in [
        ("", "cat <<E@\nline $(a@)\nE@\n", ""),
        ("", "cat <<-E@\n\tx\n", ""),
        ("", "x@=$(git log | head -n @); ", ""),
        ("", "a@=b; echo $a@ $a; ", ""),
        ("", "echo x > f@; cat f@ g; ", ""),
        ("", "f@() { echo a; }; f@; ", ""),
        ("", "alias a@='echo x'; a@; ", ""),
        ("", "cd d@ && ls; ", ""),
        ("", "if x; then b=c@; fi; ", "echo $b"),
        ("case $x in ", "a@) b=c@;; ", " esac; echo $b"),
        ("for i in ", "a@ ", "; do echo $i; done"),
        ("", "for i in a b; do sudo sh -c \"cat $i\" > out@; done; ", ""),
        ("echo ", "$(a@) b@ ", ""),
        ("[[ ", "$(a@) ", "]]"),
        ("", "*.[a-c]?x@ ", ""),
        ("", "x{a,b}{c,d}@ ", ""),
        ("", "{a,b}", ""),
        ("", "a", ""),
        ("", "../", ""),
        ("cat ", "/etc/x@/../y ", ""),
        ("echo ", "cm0gLXJm", " | base64 -d | sh"),
        ("python3 -c \"exec(b64decode('", "cm0gLXJm", "'))\""),
        ("python3 -c '", "os.system(\"ls a@\"); ", "'"),
        ("psql -c \"", "SELECT a FROM b WHERE c = @; ", "\""),
        (
            "curl -d '",
            "{\"a\": [@, \"b/c\", {\"d\": null}]},",
            "' https://x.example",
        ),
        ("curl ", "https://h@.example/a?b=@ ", ""),
        ("x='", "ab", "'; echo ${x//a/b} ${x##*b}"),
        ("awk '{", "print $1 \"x@\"; ", "}'"),
        ("docker run ", "-v /a@:/b ", "i"),
        ("eval \"", "ls a@; ", "\""),
        ("set -- ", "x@ ", "; echo \"$@\""),
    ] {
        let work = |length: usize| {
            let mut text = before.to_owned();
            for number in 0.. {
                if text.len() >= length {
                    break;
                }
                text.push_str(&piece.replace('@', &number.to_string()));
            }
            text.push_str(after);
            crate::screen::work::taken();
            let _ = screen.check_value("bash", &json!({ "command": text }));
            crate::screen::work::taken()
        };
        let (small, large) = (work(8 * 1024), work(128 * 1024));
        assert!(large < 200_000 + 40 * small, "{piece:?}: {small}, then {large}");
    }
    for (open, close) in [
        ("$(", ")"),
        ("(", ")"),
        ("{ ", "; }"),
        ("if x; then ", "; fi"),
        ("${a:-", "}"),
        ("\"$(", ")\""),
    ] {
        let work = |length: usize| {
            let depth = length / (open.len() + close.len());
            let text = format!("{}x{}", open.repeat(depth), close.repeat(depth));
            crate::screen::work::taken();
            let _ = screen.check_value("bash", &json!({ "command": text }));
            crate::screen::work::taken()
        };
        let (small, large) = (work(8 * 1024), work(128 * 1024));
        assert!(large < 200_000 + 40 * small, "{open:?}: {small}, then {large}");
    }
}

#[test]
fn each_value_that_a_variable_may_have_is_judged() {
    for command in [
        "x='rm -rf /'; false && x=ls; $x",
        "x='rm -rf /'; true || x=ls; eval $x",
        "x=/; if false; then x=build; fi; rm -rf $x",
        "x=/; case $1 in a) x=build;; esac; rm -rf $x",
        "x=/; while false; do x=build; done; rm -rf $x",
        "x=/; for i in $(false); do x=build; done; rm -rf $x",
        "a=rm; b='-rf /'; false && a=ls; false && b=x; $a $b",
        "b=x; true && b='-rf /'; a=rm; false && a=ls; $a $b",
        "x='rm -rf /'; (x=ls); $x",
        "x='rm -rf /'; x=ls | true; $x",
        "x='rm -rf /'; bash -c 'x=ls'; $x",
        "x='rm -rf /'; f() { return; x=ls; }; f; $x",
        "x='rm -rf /'; f() { local x=ls; }; f; $x",
        "x=/; false && x=build; y=$x; rm -rf $y",
        "x=/; false && x=build; for d in $x; do rm -rf $d; done",
        "x=/; false && x=build; rm -rf $(echo $x)",
        "x='rm -rf /'; false && x=ls; echo $x | sh",
        "x=/etc/passwd; false && x=out; { echo a; } > $x",
        "false && rm() { :; }; rm -rf /",
        "rm() { :; }; unset -f rm; rm -rf /",
        "alias rm=echo; rm -rf /",
        "cd /; false && cd build; rm -rf *",
        "cd / | true; cd build; rm -rf ../../etc",
        "echo 'rm -rf /' > x.sh; false && echo ls > x.sh; sh x.sh",
    ] {
        assert!(decided(command) > Decision::Allow, "{command}: {:?}", codes(command));
    }
}

#[test]
fn a_value_that_every_branch_sets_is_known() {
    for command in [
        "if [ -d a ]; then d=a; else d=b; fi; rm -rf $d",
        "if command -v python3; then py=python3; else py=python; fi; $py x.py",
        "case $1 in a) d=x;; *) d=y;; esac; rm -rf $d",
        "d=build; [ -n \"$1\" ] && d=dist; rm -rf $d",
        "d=/; d=build; rm -rf $d",
        "f() { local d=build; rm -rf $d; }; f",
        "set -e; cd build || exit 1; x=a; rm -rf $x",
        "if true; then d=a; echo $d; fi; ls $d",
        "for d in a b c; do rm -rf $d; done",
        "eval 'd=build'; rm -rf $d",
        "[ -d build ] && cd build && make && rm -rf tmp",
    ] {
        assert_eq!(decided(command), Decision::Allow, "{command}: {:?}", codes(command));
    }
}
