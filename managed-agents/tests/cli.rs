//! The program `managed-agents`, run as a user runs it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A directory of its own for a test.
struct Home(PathBuf);

impl Home {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_managed-agents"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null());
        for name in ["ENDPOINT", "API_KEY", "AGENT_ID", "PLATFORM", "HOME"] {
            command.env_remove(format!("MANAGED_AGENTS_{name}"));
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().into()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Run {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The keys, sorted: their order is no promise.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

const CONFIG: &str = r#"
agent = "support-bot"

[scopes]
support-bot = ["lookup", "refund"]

[tools.lookup]
risk = "low"

[tools.refund]
risk = "high"
redact = ["/card"]
"#;

fn check<'a>(tool: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["check", "--tool", tool, "--input", r#"{"order":7}"#];
    arguments.extend(more);
    arguments
}

#[test]
fn check_exits_with_the_verdict() {
    let home = Home::new("exits");
    home.write("managed-agents.toml", CONFIG);
    for (tool, more, code, out) in [
        ("lookup", &[][..], 0, "allow\n"),
        ("refund", &[], 3, "escalate risk_high\n"),
        ("other", &[], 0, "allow\n"),
        ("bash", &[], 0, "allow\n"),
        ("lookup", &["--agent", "support-bot"], 0, "allow\n"),
        ("refund", &["--agent", "support-bot"], 3, "escalate risk_high\n"),
        ("other", &["--agent", "support-bot"], 2, "deny out_of_scope\n"),
        ("lookup", &["--agent", "stranger"], 2, "deny out_of_scope\n"),
    ] {
        let run = home.run(&check(tool, more));
        assert_eq!((run.code, run.err.as_str()), (code, ""), "{tool} {more:?}");
        assert!(run.out.starts_with(out), "{tool} {more:?}: {}", run.out);
    }
}

#[test]
fn a_name_that_nothing_declares_waits_for_a_person_only_where_an_agent_is_named() {
    let home = Home::new("undeclared");
    assert_eq!(home.run(&check("other", &[])).code, 0);
    let run = home.run(&check("other", &["--agent", "a"]));
    assert_eq!(run.code, 3);
    assert!(run.out.contains("undeclared_name"), "{}", run.out);
}

#[test]
fn what_cannot_be_judged_is_an_error_and_not_a_verdict() {
    let home = Home::new("errors");
    home.write("bad.toml", "\n\nagnet = 'a'\n");
    for (arguments, message) in [
        (vec!["check", "--tool", "a", "--input", "{"], "not a JSON object"),
        (vec!["check", "--tool", "a", "--input", "[1]"], "not a JSON object"),
        (check("a", &["--config", "none.toml"]), "none.toml"),
        (
            check("a", &["--config", "bad.toml"]),
            "bad.toml:3: unknown key `agnet`: did you mean `agent`?",
        ),
        (check("a", &["--agent", "Not An Id"]), "agent id"),
        (check("a", &["--tools", "none.json"]), "none.json"),
        (vec!["check", "--tool", "a"], "--input"),
        (vec!["chekc"], "check"),
    ] {
        let run = home.run(&arguments);
        assert_eq!(run.code, 1, "{arguments:?}: {}", run.err);
        assert!(run.err.contains(message), "{arguments:?}: {}", run.err);
        assert_eq!(run.out, "", "{arguments:?}");
    }
}

#[test]
fn arguments_that_the_harness_cannot_represent_are_denied_as_in_a_program() {
    let home = Home::new("invalid");
    let run = home.run(&["check", "--tool", "a", "--input", r#"{"x":1,"x":2}"#, "--json"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.json()[0]["reason"], "invalid_arguments");
}

#[test]
fn the_json_of_check_has_stable_keys() {
    let home = Home::new("check-json");
    home.write("managed-agents.toml", CONFIG);
    let stable = ["decision", "detail", "for_model", "micros", "reason", "reasons", "tool"];
    for tool in ["lookup", "refund"] {
        let run = home.run(&check(tool, &["--json"]));
        assert_eq!(keys(&run.json()[0]), stable);
        assert_eq!(run.out.lines().count(), 1);
    }
    let refund = home.run(&check("refund", &["--json"])).json();
    assert_eq!(refund[0]["decision"], "escalate");
    assert_eq!(refund[0]["reasons"], serde_json::json!(["risk_high"]));
}

/// `check` of a shell command, with more arguments.
fn shell(home: &Home, command: &str, more: &[&str]) -> Run {
    let input = serde_json::json!({ "command": command }).to_string();
    let mut arguments = vec!["check", "--tool", "bash", "--input", &input];
    arguments.extend(more);
    home.run(&arguments)
}

#[test]
fn check_exits_by_what_a_command_would_do() {
    let home = Home::new("effects");
    assert_eq!(shell(&home, "ls -la", &[]).code, 0);
    assert_eq!(shell(&home, "rm -rf /srv/data", &[]).code, 3);
    let run = shell(&home, "rm -rf ~", &[]);
    assert_eq!(run.code, 2);
    assert!(run.out.starts_with("deny destroy_home\n"), "{}", run.out);
}

#[test]
fn an_explanation_shows_commands_findings_place_and_rules() {
    let home = Home::new("explain");
    let command = "cd /srv && x=/; sudo sh -c \"rm -rf $x\"";
    let run = shell(&home, command, &["--explain"]);
    assert_eq!((run.code, run.err.as_str()), (2, ""));
    for text in [
        "deny destroy_system",
        "profile: standard",
        "read: command as shell",
        "      rm -rf /\n",
        "deny destroy_system: destroy, critical",
        "where: command, bytes ",
        "~~~",
        "why: deletes, moves or overwrites system files",
    ] {
        assert!(run.out.contains(text), "{text}: {}", run.out);
    }
    let run = shell(&home, "ls -la", &["--explain"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("  ls -la\n") && run.out.contains("the screen found nothing"));
}

#[test]
fn an_explanation_is_data_as_well() {
    let home = Home::new("explain-json");
    home.write(
        "managed-agents.toml",
        "[screen]\nprofile = 'strict'\nbulk = { email = 3 }\n",
    );
    let run = shell(&home, "git log | sh", &["--explain", "--json"]);
    let line = &run.json()[0];
    let explanation = &line["explanation"];
    assert_eq!(
        keys(explanation),
        [
            "commands",
            "decision",
            "findings",
            "profile",
            "readings",
            "understood",
            "workspace_roots"
        ]
    );
    assert_eq!(explanation["decision"], line["decision"]);
    assert_eq!(explanation["profile"]["level"], "strict");
    assert_eq!(explanation["profile"]["bulk"]["email"], 3);
    assert_eq!(explanation["commands"][0]["words"], serde_json::json!(["git", "log"]));
    let finding = &explanation["findings"][0];
    let stable = [
        "argument",
        "by",
        "code",
        "decision",
        "effect",
        "end",
        "excerpt",
        "for_model",
        "for_operator",
        "severity",
        "start",
    ];
    assert_eq!(keys(finding), stable);
    let (start, end) = (finding["start"].as_u64().unwrap(), finding["end"].as_u64().unwrap());
    let text = "git log | sh".get(start as usize..end as usize).unwrap();
    assert_eq!(finding["excerpt"]["found"], text);
}

#[test]
fn an_explanation_neither_obeys_a_call_nor_shows_what_is_redacted() {
    let home = Home::new("explain-shown");
    let run = shell(&home, "rm -rf ~/\x1b[2J\u{202e}x 'a\nb'", &["--explain"]);
    assert_eq!(run.err, "");
    assert!(
        run.out.contains("\\u{1b}[2J") && run.out.contains("a\\nb"),
        "{}",
        run.out
    );
    assert!(!run.out.contains('\x1b') && !run.out.contains('\u{202e}'));
    home.write(
        "managed-agents.toml",
        "[tools.bash]\nrisk = 'low'\nredact = ['/command']\n",
    );
    for more in [&["--explain"][..], &["--explain", "--json"]] {
        let run = shell(&home, "rm -rf ~ canary", more);
        assert_eq!(run.code, 2);
        assert!(
            run.out.contains("destroy_home") && !run.out.contains("canary"),
            "{}",
            run.out
        );
    }
}

#[test]
fn a_declared_kind_is_explained_as_it_is_judged() {
    let home = Home::new("explain-kind");
    home.write(
        "managed-agents.toml",
        "[tools.report]\nrisk = 'low'\narguments = { body = 'sql' }\n",
    );
    let run = home.run(&[
        "check",
        "--tool",
        "report",
        "--input",
        r#"{"body":"DROP TABLE x"}"#,
        "--explain",
    ]);
    assert_eq!(run.code, 3);
    assert!(
        run.out.contains("read: body as sql") && run.out.contains("database_destroy"),
        "{}",
        run.out
    );
}

#[test]
fn check_reads_the_input_from_standard_input() {
    let home = Home::new("check-stdin");
    let arguments = ["check", "--tool", "a", "--input", "-"];
    assert_eq!(home.run_with(&arguments, b"{\"x\":1}\n").code, 0);
    assert_eq!(home.run_with(&arguments, b"").code, 1);
}

#[test]
fn the_configuration_of_the_home_is_used_where_the_directory_has_none() {
    let home = Home::new("home");
    home.write("managed-agents.toml", CONFIG);
    let elsewhere = Home::new("home-elsewhere");
    let mut command = elsewhere.command(&check("refund", &[]));
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    command.env("MANAGED_AGENTS_HOME", &home.0);
    assert_eq!(command.output().unwrap().status.code(), Some(3));
}

const CALLS: &str = concat!(
    r#"{"id":"a","tool_name":"lookup","tool_input":{"order":1},"note":"passed over"}"#,
    "\n",
    r#"{"id":7,"tool_name":"refund","tool_input":{"card":"canary"}}"#,
    "\n",
    r#"{"id":"c","tool_name":"bash","tool_input":{"command":"rm -rf /srv/data"}}"#,
    "\n",
);

#[test]
fn replay_prints_a_line_for_each_call() {
    let home = Home::new("replay-json");
    home.write("managed-agents.toml", CONFIG).write("calls.jsonl", CALLS);
    let run = home.run(&["replay", "calls.jsonl", "--json"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let lines = run.json();
    let verdicts: Vec<_> = lines
        .iter()
        .map(|line| (line["id"].to_string(), line["decision"].as_str().unwrap()))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("\"a\"".to_owned(), "allow"),
            ("7".to_owned(), "escalate"),
            ("\"c\"".to_owned(), "escalate")
        ]
    );
    for line in &lines {
        assert_eq!(keys(line), ["decision", "id", "micros", "reason"]);
        assert!(line["micros"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(lines[0]["reason"], Value::Null);
    assert_eq!(lines[1]["reason"], "risk_high");
}

#[test]
fn replay_reports_every_malformed_line_and_judges_the_rest() {
    let home = Home::new("malformed");
    let mut calls = CALLS.as_bytes().to_vec();
    calls.extend(b"\n{\"id\":\"d\"}\nnonsense\n\xff\n");
    calls.extend(br#"{"id":"e","tool_name":"lookup","tool_input":{}}"#);
    home.write("calls.jsonl", calls).write("more.jsonl", CALLS);
    let run = home.run(&["replay", "calls.jsonl", "none.jsonl", "more.jsonl", "--json"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.json().len(), 7);
    for message in [
        "calls.jsonl:4: the line is empty",
        "calls.jsonl:5: the line is no recorded call: missing field `tool_name`",
        "calls.jsonl:6: the line is not a JSON object",
        "calls.jsonl:7: the line is not UTF-8",
        "none.jsonl: ",
        "5 lines or files could not be read",
    ] {
        assert!(run.err.contains(message), "{message}: {}", run.err);
    }
    let summary = home.run(&["replay", "calls.jsonl"]);
    assert_eq!(summary.code, 1);
    assert!(summary.out.contains("(could not be read)"), "{}", summary.out);
}

#[test]
fn replay_ends_with_a_summary() {
    let home = Home::new("summary");
    home.write("managed-agents.toml", CONFIG).write("calls.jsonl", CALLS);
    let run = home.run(&["replay", "calls.jsonl"]);
    assert_eq!(run.code, 0);
    for text in [
        "| escalate |     2 | 66.7 |",
        "risk_high",
        "destroy_outside",
        "| lookup",
        "median",
        "calls a second",
    ] {
        assert!(run.out.contains(text), "{text}: {}", run.out);
    }
    assert!(!run.out.contains("canary"));
}

#[test]
fn replay_reads_standard_input() {
    let home = Home::new("replay-stdin");
    let run = home.run_with(&["replay", "-", "--json"], CALLS.as_bytes());
    assert_eq!((run.code, run.json().len()), (0, 3));
}

#[test]
fn replay_answers_each_line_before_it_waits_for_the_next() {
    let home = Home::new("streaming");
    let mut child = home
        .command(&["replay", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = child.stdout.take().unwrap();
    let line = CALLS.lines().next().unwrap();
    writeln!(input, "{line}").unwrap();
    let mut byte = [0];
    output.read_exact(&mut byte).unwrap();
    assert_eq!(&byte, b"{");
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_ends_replay_quietly() {
    let home = Home::new("pipe");
    home.write("calls.jsonl", CALLS.repeat(20_000));
    let mut child = home
        .command(&["replay", "calls.jsonl", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 10]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn each_call_of_a_replay_is_judged_for_itself() {
    // more escalations than a queue of tickets holds, and twice the same call
    let home = Home::new("fresh");
    home.write("calls.jsonl", CALLS.repeat(100));
    let run = home.run(&["replay", "calls.jsonl", "--json"]);
    for lines in run.json().chunks(3) {
        assert_eq!(lines[0]["decision"], "allow");
        assert_eq!(lines[2]["decision"], "escalate");
    }
}

#[test]
fn config_check_says_in_words_what_a_file_does() {
    let home = Home::new("config-check");
    home.write("managed-agents.toml", CONFIG);
    home.write("policies.toml", "agent = 'a'\npolicies = ['a.cedar']\n");
    let run = home.run(&["config", "check"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    for text in [
        "The agent is `support-bot`",
        "`support-bot` may use only `lookup`, `refund`.",
        "waits for a person",
        "`/card` is never shown",
    ] {
        assert!(run.out.contains(text), "{text}: {}", run.out);
    }
    let run = home.run(&["config", "check", "policies.toml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("a.cedar: cannot be read"), "{}", run.err);
    home.write("a.cedar", "permit(principal, action, resource);");
    assert_eq!(home.run(&["config", "check", "policies.toml"]).code, 0);
    home.write("a.cedar", "permit(principal, action, resource)");
    let run = home.run(&["config", "check", "policies.toml"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("a.cedar:1"), "{}", run.err);
    assert_eq!(Home::new("config-none").run(&["config", "check"]).code, 1);
}

#[test]
fn a_file_of_tools_is_listed_checked_and_judged_by() {
    use managed_agents::config::write_tools;
    use managed_agents::{ArgKind, Risk, ToolMeta};
    let home = Home::new("tools");
    let tools = [
        ToolMeta::new("refund").with_risk(Risk::Critical),
        ToolMeta::new("sql_query").read_only().with_argument("q", ArgKind::Sql),
        ToolMeta::new("bare"),
    ];
    let mut file = Vec::new();
    write_tools(&tools, &mut file).unwrap();
    home.write("tools.json", file)
        .write("bad.json", "{\"format\":\"ma-tools/9\",\"tools\":[]}");

    let run = home.run(&["tools", "list", "tools.json"]);
    assert_eq!(run.code, 0);
    assert!(
        run.out.contains("critical") && run.out.contains("q: sql"),
        "{}",
        run.out
    );

    let run = home.run(&["tools", "check", "tools.json"]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("`bare` declares nothing"), "{}", run.out);
    let run = home.run(&["tools", "check", "bad.json"]);
    assert_eq!(run.code, 1);
    assert!(run.err.contains("`ma-tools/9`"), "{}", run.err);

    assert_eq!(home.run(&check("refund", &["--tools", "tools.json"])).code, 3);
    let run = home.run(&check("bare", &["--tools", "tools.json", "--agent", "a"]));
    assert_eq!(run.code, 0, "{}", run.out);
}

#[test]
fn an_entry_of_the_configuration_tightens_a_programs_function_and_says_where_it_has_no_effect() {
    use managed_agents::config::{read_tools, write_tools};
    use managed_agents::{Risk, ToolMeta};
    let home = Home::new("tightened");
    let tools = [
        ToolMeta::new("lookup").with_risk(Risk::Low),
        ToolMeta::new("wipe").with_risk(Risk::Critical),
    ];
    let mut file = Vec::new();
    write_tools(&tools, &mut file).unwrap();
    let config = "[tools.lookup]\nrisk = 'high'\n[tools.wipe]\nrisk = 'low'\n";
    home.write("tools.json", file).write("managed-agents.toml", config);
    for tool in ["lookup", "wipe"] {
        assert_eq!(home.run(&check(tool, &["--tools", "tools.json"])).code, 3, "{tool}");
    }
    let run = home.run(&["config", "check", "--tools", "tools.json"]);
    assert_eq!(run.code, 0);
    assert!(
        run.out.contains("`risk` has no effect on the function `wipe`"),
        "{}",
        run.out
    );
    assert!(!run.out.contains("the function `lookup`"), "{}", run.out);
    let run = home.run(&["tools", "export", "tools.json"]);
    let exported = read_tools(run.out.as_bytes()).unwrap();
    let risks: Vec<_> = exported.iter().map(ToolMeta::risk).collect();
    assert_eq!(risks, [Risk::High, Risk::Critical]);
}

#[test]
fn the_tools_of_a_configuration_are_exported_as_they_are_judged() {
    let home = Home::new("export");
    home.write("managed-agents.toml", CONFIG);
    let run = home.run(&["tools", "export"]);
    assert_eq!(run.code, 0);
    let tools = managed_agents::config::read_tools(run.out.as_bytes()).unwrap();
    let names: Vec<_> = tools.iter().map(managed_agents::ToolMeta::name).collect();
    assert_eq!(names, ["lookup", "refund"]);
}

#[test]
fn help_names_the_commands_and_the_exit_codes() {
    let home = Home::new("help");
    let help = home.run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in ["check", "replay", "config", "tools"] {
        assert!(help.out.contains(command), "{}", help.out);
    }
    for command in ["check", "replay"] {
        let help = home.run(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains("Exit code: 0"), "{}", help.out);
    }
    assert_eq!(home.run(&["--version"]).code, 0);
    assert_eq!(home.run(&[]).code, 1);
}

#[test]
fn nothing_is_coloured_where_there_is_no_terminal() {
    let home = Home::new("colour");
    home.write("calls.jsonl", CALLS);
    for run in [
        home.run(&check("bash", &[])),
        home.run(&["replay", "calls.jsonl"]),
        home.run(&["--help"]),
    ] {
        assert!(!run.out.contains('\x1b') && !run.err.contains('\x1b'));
    }
}

#[test]
fn control_characters_of_a_call_do_not_reach_the_terminal() {
    let home = Home::new("control");
    home.write(
        "calls.jsonl",
        r#"{"id":"a","tool_name":"evil\u001b[2J\u202e","tool_input":{}}"#,
    );
    let replay = home.run(&["replay", "calls.jsonl"]);
    let check = home.run(&["check", "--tool", "evil\x1b[2J", "--input", "{}", "--agent", "a"]);
    for out in [replay.out, check.out] {
        assert!(out.contains("evil"), "{out}");
        assert!(!out.contains('\x1b') && !out.contains('\u{202e}'));
    }
}
