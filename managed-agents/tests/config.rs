//! `managed-agents.toml` and the environment, as a program meets them.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::process::Command;

use managed_agents::config::{Config, ConfigError};
use managed_agents::harness::BuildError;
use managed_agents::{ArgKind, DenialKind, Engine, Harness, Risk, ToolMeta};

fn file(test: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-{test}"));
    std::fs::create_dir_all(&path).unwrap();
    let path = path.join("managed-agents.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn wrong(text: &str) -> String {
    Config::parse(text, "f.toml".as_ref()).unwrap_err().to_string()
}

fn build_error(test: &str, text: &str) -> String {
    let harness = Harness::builder().in_memory().config(file(test, text)).build_blocking();
    harness.unwrap_err().to_string()
}

#[test]
fn a_configured_harness_judges_by_the_file() {
    let config = r#"
        agent = "support-bot"
        [scopes]
        support-bot = ["lookup", "refund", "run"]
        [tools.lookup]
        risk = "low"
        [tools.refund]
        irreversible = true
        redact = ["/card"]
    "#;
    let harness = Harness::builder()
        .in_memory()
        .config(file("judges", config))
        .build_blocking()
        .unwrap();
    assert_eq!(harness.agent_id(), "support-bot");
    assert!(harness.govern_blocking("lookup", "{}").is_ok());
    let refund = harness.govern_blocking("refund", r#"{"card":"canary"}"#).unwrap_err();
    assert_eq!((refund.kind(), refund.code()), (DenialKind::Escalated, "irreversible"));
    assert!(!harness.pending()[0].arguments().contains("canary"));
    let other = harness.govern_blocking("other", "{}").unwrap_err();
    assert_eq!(other.code(), "out_of_scope");
}

#[test]
fn code_stands_before_the_file_wherever_it_is_said() {
    let config = "agent = 'file'\n[tools.lookup]\nrisk = 'high'\n[harness]\nwait_for_approval = '1h'\n";
    let path = file("before", config);
    let before = Harness::builder()
        .in_memory()
        .agent_id("code")
        .declare(ToolMeta::new("lookup").with_risk(Risk::Low));
    let after = Harness::builder().in_memory().config(&path);
    for builder in [
        before.config(&path),
        after
            .agent_id("code")
            .declare(ToolMeta::new("lookup").with_risk(Risk::Low)),
    ] {
        let harness = builder.build_blocking().unwrap();
        assert_eq!(harness.agent_id(), "code");
        assert!(harness.govern_blocking("lookup", "{}").is_ok());
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_name_and_the_line() {
    for (text, message) in [
        ("agnet = 'a'", "f.toml:1: unknown key `agnet`: did you mean `agent`?"),
        (
            "\n[tool.x]\nrisk = 'low'",
            "f.toml:2: unknown key `tool`: did you mean `tools`?",
        ),
        (
            "[tools.x]\nrisk = 'low'\nreadonly = true",
            "f.toml:3: unknown key `readonly` in `[tools.x]`: did you mean `read_only`?",
        ),
        (
            "[tools.x]\nrisk = 'hihg'",
            "f.toml:2: `tools.x.risk` cannot be `hihg`: did you mean `high`?",
        ),
        (
            "[harness]\nfailopen = true",
            "f.toml:2: unknown key `failopen` in `[harness]`: did you mean `fail_open`?",
        ),
        (
            "[screen]\nprofile = 'strickt'",
            "f.toml:2: `screen.profile` cannot be `strickt`: did you mean `strict`?",
        ),
        (
            "banana = 1",
            "f.toml:1: unknown key `banana`: known here: `agent`, `scopes`",
        ),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn a_value_of_another_type_or_out_of_range_is_refused_with_its_line() {
    for (text, message) in [
        ("agent = 7", "f.toml:1: `agent` is a string, not a number"),
        (
            "agent = 'Not An Id'",
            "f.toml:1: `agent` names no agent: agent id `Not An Id`",
        ),
        (
            "[scopes]\na = 'x'",
            "f.toml:2: `scopes.a` is a list of strings, not a string",
        ),
        (
            "[scopes]\na = [\n'x',\n7]",
            "f.toml:4: `scopes.a` is a string, not a number",
        ),
        ("[scopes]\n'A B' = []", "f.toml:2: `scopes.A B` names no agent"),
        ("tools = 1", "f.toml:1: `tools` is a table, not a number"),
        (
            "[tools.x]\nreversible = true\nirreversible = true",
            "f.toml:1: `tools.x` is both",
        ),
        (
            "[tools.x]\nredact = ['card']",
            "f.toml:2: `tools.x.redact` holds what is no JSON pointer",
        ),
        (
            "[tools.x]\narguments = { a = 'shel' }",
            "f.toml:2: `tools.x.arguments.a` cannot be `shel`: did you mean `shell`?",
        ),
        ("[harness]\ntimeout = '0s'", "f.toml:2: `harness.timeout` is a time"),
        ("[harness]\ntimeout = '3'", "f.toml:2: `harness.timeout` is a time"),
        (
            "[harness]\ntimeout = 3",
            "f.toml:2: `harness.timeout` is a string, not a number",
        ),
        (
            "[harness]\ntimeout = '99999999999999999999h'",
            "f.toml:2: `harness.timeout` is a time",
        ),
        (
            "workspace_roots = ['here']",
            "f.toml:1: `workspace_roots` holds a path that is not absolute",
        ),
        ("agent = 'a'\nagent = 'b'", "f.toml:2: "),
        ("\n\nagent = ", "f.toml:3: "),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[test]
fn neither_keys_nor_approvers_are_taken_from_a_file() {
    assert!(wrong("[remote]\napi_key = 'canary'").contains("set MANAGED_AGENTS_API_KEY"));
    assert!(!wrong("[remote]\napi_key = 'canary'").contains("canary"));
    assert!(wrong("approvers = ['canary']").contains("said in code"));
}

#[test]
#[cfg(not(feature = "cedar"))]
fn what_this_build_cannot_honour_is_an_error_and_never_ignored() {
    let error = build_error("policies", "agent = 'a'\npolicies = ['a.cedar']");
    assert!(
        error.ends_with("managed-agents.toml:2: `policies` needs the feature `cedar`, which this build does not have"),
        "{error}"
    );
}

#[test]
#[cfg(feature = "cedar")]
fn policies_that_cannot_be_read_are_an_error_and_never_ignored() {
    let error = build_error("policies", "agent = 'a'\npolicies = ['a.cedar']");
    assert!(error.contains("a.cedar: cannot be read"), "{error}");
}

#[cfg(feature = "cedar")]
mod shadow {
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::{Event, Metadata, Subscriber, span};

    use super::*;

    /// Keeps the events that say that a candidate decides differently.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    #[derive(Default)]
    struct Fields(String);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            self.0.push_str(&format!("{field}={value:?} "));
        }
    }

    impl Subscriber for Told {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target().ends_with("policy")
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn a_candidate_in_the_file_judges_beside_the_policies_in_force_and_decides_nothing() {
        let config = file(
            "shadow",
            "agent = \"bot\"\npolicies = [\"now.cedar\"]\nshadow = [\"next\"]\n[tools.pay]\nrisk = \"low\"\n[tools.look]\nrisk = \"low\"\n",
        );
        let place = config.parent().unwrap();
        std::fs::create_dir_all(place.join("next")).unwrap();
        std::fs::write(place.join("now.cedar"), "permit(principal, action, resource);").unwrap();
        std::fs::write(
            place.join("next/pay.cedar"),
            "permit(principal, action, resource);\nforbid(principal, action == Action::\"pay\", resource);",
        )
        .unwrap();
        let told = Told::default();
        tracing::subscriber::with_default(told.clone(), || {
            let harness = Harness::builder().in_memory().config(&config).build_blocking().unwrap();
            assert!(harness.govern_blocking("pay", "{}").is_ok());
            assert!(harness.govern_blocking("look", "{}").is_ok());
        });
        let told = told.0.lock().unwrap().join("\n");
        assert!(
            told.contains("tool=\"pay\"") && told.contains("live=\"allow\"") && told.contains("candidate=\"deny\""),
            "{told}"
        );
        assert!(!told.contains("look"), "{told}");

        std::fs::write(
            place.join("next/pay.cedar"),
            "permit(principal, action == Action::\"pya\", resource);",
        )
        .unwrap();
        let harness = Harness::builder().in_memory().config(&config).build_blocking();
        let error = harness.unwrap_err().to_string();
        assert!(error.contains("pay.cedar:1: "), "{error}");
    }
}

#[test]
fn scopes_that_no_engine_would_keep_are_an_error() {
    let path = file("scopes", "agent = 'a'\n[scopes]\na = []");
    let built = Harness::builder()
        .in_memory()
        .config(path)
        .governor(Engine::new())
        .build_blocking();
    let Err(BuildError::Config(ConfigError::Unsupported(error))) = built else {
        panic!("built");
    };
    assert_eq!((error.key(), error.line()), ("scopes", Some(2)));
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let built = Harness::builder()
        .in_memory()
        .config("/nowhere/managed-agents.toml")
        .build_blocking();
    assert!(matches!(built, Err(BuildError::Config(ConfigError::Read(_)))));
}

#[test]
fn an_argument_of_a_kind_is_screened() {
    let config = "agent = 'a'\n[tools.report]\nrisk = 'low'\narguments = { q = 'sql' }\n";
    let config = Config::load(file("kind", config)).unwrap();
    assert!(
        config.describe().contains("`q` is read as sql"),
        "{}",
        config.describe()
    );
    // what the file says is what code would say
    let harness = Harness::builder()
        .in_memory()
        .config(file(
            "kind",
            "agent = 'a'\n[tools.report]\nrisk = 'low'\narguments = { q = 'sql' }\n",
        ))
        .build_blocking()
        .unwrap();
    let code = Harness::builder()
        .in_memory()
        .agent_id("a")
        .declare(
            ToolMeta::new("report")
                .with_risk(Risk::Low)
                .with_argument("q", ArgKind::Sql),
        )
        .build_blocking()
        .unwrap();
    let drop_table = r#"{"q":"DROP TABLE users"}"#;
    assert_eq!(
        harness.govern_blocking("report", drop_table).unwrap_err().code(),
        code.govern_blocking("report", drop_table).unwrap_err().code(),
    );
}

const SCREEN: &str = r#"
agent = "a"
workspace_roots = ["/srv/app"]

[screen]
profile = "relaxed"
bulk = { email = 2 }
allow_hosts = ["localhost"]
deny_hosts = [".bad.example"]
scratch = ["/mnt/build"]
protected = ["/srv/app/rules", "/var/policies"]

[screen.rules]
git_discard = "deny"

[[screen.patterns]]
pattern = '(?i)\bprod-db\b'
decision = "escalate"

[[screen.patterns]]
pattern = '^terraform apply'
decision = "deny"
tool = "bash*"
"#;

#[cfg(feature = "screen")]
#[test]
fn what_a_file_says_of_the_screen_is_what_it_judges_by() {
    let path = file("screen", SCREEN);
    let harness = Harness::builder()
        .config(&path)
        .governor(Engine::new().without_behaviour())
        .declare(ToolMeta::new("bash").with_risk(Risk::Low))
        .declare(ToolMeta::new("fetch").with_risk(Risk::Low))
        .declare(ToolMeta::new("send_email").with_risk(Risk::Low))
        .declare(ToolMeta::new("note").with_risk(Risk::Low))
        .build_blocking()
        .unwrap();
    let code = |tool: &str, input: serde_json::Value| {
        let judged = harness.govern_blocking(tool, input.to_string().as_str());
        judged
            .err()
            .map_or("allow".to_owned(), |denied| denied.code().to_owned())
    };
    let bash = |command: &str| code("bash", serde_json::json!({ "command": command }));
    assert_eq!(bash("git reset --hard"), "git_discard");
    assert_eq!(bash("rm -rf /mnt/build/x"), "allow");
    assert_eq!(bash("rm -rf /srv/app/target"), "allow");
    assert_eq!(bash("sudo terraform 'apply'"), "own_pattern_deny");
    assert_eq!(bash("curl https://api.bad.example/x"), "host_denied");
    let url = |url: &str| code("fetch", serde_json::json!({ "url": url }));
    assert_eq!(url("http://localhost:8080/"), "allow");
    assert_eq!(url("https://x@bad.example:443/"), "host_denied");
    assert_eq!(
        code("note", serde_json::json!({"text": ["about PROD-DB"]})),
        "own_pattern_escalate"
    );
    let mail = serde_json::json!({"to": ["a@example.com", "b@example.com"]});
    assert_eq!(code("send_email", mail), "bulk_action");
    // however lax the profile
    let config = path.to_str().unwrap();
    for command in [
        "echo x > rules/new.cedar",
        "rm -rf /srv/app/./rules",
        "rm -r /srv/app",
        "cd /var && mv policies old",
        "chmod -R 777 /var/policies",
        "sed -i s/deny/allow/ /var/policies/a.cedar",
        "cp /tmp/x /srv/app/ru*/a",
        "tee managed-agents.toml < /tmp/x",
        &format!("echo '[screen]' >> {config}"),
    ] {
        assert_eq!(bash(command), "tamper_governance", "{command}");
    }
    assert_eq!(bash("cat rules/a.cedar"), "allow");
}

#[cfg(feature = "screen")]
#[test]
fn what_a_file_says_of_the_screen_is_described() {
    let words = Config::parse(SCREEN, "f".as_ref()).unwrap().describe();
    for text in [
        "profile `relaxed`; 2 recipients, 20 files or 5 calendar entries",
        "What the rule `git_discard` finds is denied",
        "A call of `bash*` in which `^terraform apply` is found is denied.",
        "Internal hosts that may be asked: `localhost`.",
        "Hosts that may not be asked: `.bad.example`.",
        "Scratch places: `/mnt/build`.",
        "Never changed by an agent: `/srv/app/rules`, `/var/policies`.",
    ] {
        assert!(words.contains(text), "{text}: {words}");
    }
}

#[cfg(feature = "screen")]
#[test]
fn what_means_nothing_to_the_screen_is_refused_with_its_line() {
    for (text, message) in [
        (
            "[screen]\nprofil = 'strict'",
            "f.toml:2: unknown key `profil` in `[screen]`: did you mean `profile`?",
        ),
        (
            "[screen.rules]\ngit_discrad = 'deny'",
            "f.toml:2: `screen.rules.git_discrad` is the code of no rule: did you mean `git_discard`?",
        ),
        (
            "[screen.rules]\ntamper_governance = 'allow'",
            "f.toml:2: `screen.rules.tamper_governance` is denied in every profile, and cannot be softened",
        ),
        (
            "[screen.rules]\ngit_discard = 'forbid'",
            "f.toml:2: `screen.rules.git_discard` cannot be `forbid`",
        ),
        (
            "[screen.bulk]\nemails = 3",
            "f.toml:2: unknown key `emails` in `[screen.bulk]`: did you mean `email`?",
        ),
        (
            "[screen.bulk]\nemail = 0",
            "f.toml:2: `screen.bulk.email` is a number from 1 to 1000000",
        ),
        (
            "[screen.bulk]\nemail = 'ten'",
            "f.toml:2: `screen.bulk.email` is a number, not a string",
        ),
        (
            "[screen]\nallow_hosts = [\n'a.example',\n'http://b.example']",
            "f.toml:4: `screen.allow_hosts` holds what is no host",
        ),
        (
            "[[screen.patterns]]\npattern = '('\ndecision = 'deny'",
            "f.toml:2: `screen.patterns.pattern` is no regular expression: unclosed group",
        ),
        (
            "[[screen.patterns]]\npattern = 'x'\ndecision = 'allow'",
            "f.toml:3: `screen.patterns.decision` cannot be `allow`",
        ),
        (
            "[[screen.patterns]]\npattern = 'x'",
            "f.toml:1: `screen.patterns` says no `decision`",
        ),
        (
            "[[screen.patterns]]\npattern = '(\\w{100}){100}'\ndecision = 'deny'",
            "f.toml:2: `screen.patterns.pattern` compiles to more than",
        ),
        (
            "[[screen.patterns]]\npattern = 'x'\ndecision = 'deny'\ntools = 'y'",
            "f.toml:4: unknown key `tools`",
        ),
        (
            "[screen]\npatterns = 'x'",
            "f.toml:2: `screen.patterns` is a list of tables, not a string",
        ),
        (
            "[screen]\nscratch = ['/etc']",
            "f.toml:2: `screen.scratch` holds what is no scratch place",
        ),
        (
            "[screen]\nscratch = ['build']",
            "f.toml:2: `screen.scratch` holds what is no scratch place",
        ),
        (
            "[screen]\nprotected = ['/']",
            "f.toml:2: `screen.protected` holds what is no file or directory",
        ),
        (
            "workspace_roots = ['/']",
            "f.toml:1: `workspace_roots` holds the root of the file system",
        ),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(message), "{text}: {error}");
    }
}

#[cfg(feature = "screen")]
#[test]
fn a_profile_in_code_that_means_nothing_is_told_by_build() {
    use managed_agents::Decision;
    use managed_agents::screen::Profile;
    let built = Harness::builder()
        .agent_id("a")
        .screen_profile(Profile::relaxed().with_rule("tamper_governance", Decision::Allow))
        .build_blocking();
    let error = built.unwrap_err().to_string();
    assert!(
        error.contains("`tamper_governance` is denied in every profile"),
        "{error}"
    );
}

#[test]
fn dangers_are_said_in_words() {
    let config = Config::parse("[harness]\nfail_open = true\nblock_on_escalate = false", "f".as_ref()).unwrap();
    assert!(config.describe().contains("DANGER"), "{}", config.describe());
}

#[test]
fn no_text_makes_the_reader_panic() {
    // every prefix of a file that uses everything, and every one with a byte replaced
    let all = "agent = 'a'\npolicies = ['p']\nworkspace_roots = ['/w']\n[scopes]\na = ['x']\n[tools.x]\nrisk = 'low'\narguments = { q = 'sql' }\nredact = ['/é']\n[harness]\ntimeout = '3s'\n[remote]\nendpoint = 'https://x'\n[screen]\nprofile = 'strict'\nbulk = { email = 3 }\ndeny_hosts = ['é.example']\n[screen.rules]\ngit_discard = 'deny'\n[[screen.patterns]]\npattern = 'é+'\ndecision = 'deny'\n";
    for at in (0..all.len()).filter(|at| all.is_char_boundary(*at)) {
        let _ = Config::parse(all.split_at(at).0, "f".as_ref());
        for byte in [b'"', b'[', b'=', b'\n', b'0', b'\\'] {
            let mut bytes = all.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes) {
                let _ = Config::parse(&text, "f".as_ref());
            }
        }
    }
}

/// Runs one ignored test of this file in a process of its own, whose variables are the given ones.
fn child(test: &str, directory: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--ignored", "--nocapture"])
        .current_dir(directory);
    for name in ["ENDPOINT", "API_KEY", "AGENT_ID", "PLATFORM", "HOME"] {
        command.env_remove(format!("MANAGED_AGENTS_{name}"));
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
#[ignore = "run in a process of its own"]
async fn print_the_harness_of_the_environment() {
    match Harness::from_env().await {
        Ok(harness) => println!("agent={} {harness:?}", harness.agent_id()),
        Err(error) => panic!("error={error} {error:?}"),
    }
}

#[test]
fn a_harness_is_made_from_the_environment_and_the_nearest_file() {
    let home = file("env-home", "agent = 'from-home'");
    let here = file("env-here", "agent = 'from-here'");
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("config-env-empty");
    std::fs::create_dir_all(&empty).unwrap();
    let home = home.parent().unwrap().to_str().unwrap();
    let here = here.parent().unwrap();
    let test = "print_the_harness_of_the_environment";
    for (directory, variables, text) in [
        (here, vec![], "agent=from-here"),
        (here, vec![("MANAGED_AGENTS_HOME", home)], "agent=from-here"),
        (empty.as_path(), vec![("MANAGED_AGENTS_HOME", home)], "agent=from-home"),
        (here, vec![("MANAGED_AGENTS_AGENT_ID", "from-env")], "agent=from-env"),
        (&empty, vec![("MANAGED_AGENTS_AGENT_ID", "from-env")], "agent=from-env"),
    ] {
        let (ok, out) = child(test, directory, &variables);
        assert!(ok && out.contains(text), "{variables:?}: {out}");
    }
    let (ok, out) = child(test, &empty, &[]);
    assert!(!ok && out.contains("no agent is named"), "{out}");
}

#[test]
fn a_key_without_a_service_is_an_error_and_is_never_printed() {
    let here = file("env-key", "agent = 'a'");
    let (ok, out) = child(
        "print_the_harness_of_the_environment",
        here.parent().unwrap(),
        &[("MANAGED_AGENTS_API_KEY", "canary-4f9c")],
    );
    assert!(!ok && out.contains("MANAGED_AGENTS_API_KEY"), "{out}");
    assert!(!out.contains("canary"), "{out}");
}

#[cfg(feature = "remote")]
#[test]
fn a_service_is_asked_where_file_or_environment_name_one() {
    let here = file(
        "env-remote",
        "agent = 'a'\n[remote]\nendpoint = 'https://governance.example/govern'\nplatform = 'claude'\ntimeout = '1s'\n",
    );
    let here = here.parent().unwrap();
    let local = file("env-local", "agent = 'a'");
    let local = local.parent().unwrap();
    let key = ("MANAGED_AGENTS_API_KEY", "canary-4f9c");
    for (directory, variables, ok, text) in [
        (here, vec![key], true, "governor: \"remote\""),
        (here, vec![], false, "`MANAGED_AGENTS_API_KEY` is not set"),
        (
            here,
            vec![("MANAGED_AGENTS_API_KEY", "canary 4f9c")],
            false,
            "holds no key",
        ),
        (
            local,
            vec![("MANAGED_AGENTS_ENDPOINT", "http://127.0.0.1:9/govern")],
            true,
            "governor: \"remote\"",
        ),
        (
            local,
            vec![key, ("MANAGED_AGENTS_ENDPOINT", "https://x.example/govern")],
            true,
            "governor: \"remote\"",
        ),
        (
            local,
            vec![key, ("MANAGED_AGENTS_ENDPOINT", "http://canary.example/")],
            false,
            "names no service",
        ),
    ] {
        let (done, out) = child("print_the_harness_of_the_environment", directory, &variables);
        assert!(done == ok && out.contains(text), "{variables:?}: {out}");
        assert!(!out.contains("canary"), "{variables:?}: {out}");
    }
}

#[cfg(feature = "remote")]
#[test]
fn scopes_that_a_service_would_not_keep_are_an_error() {
    let text = "agent = 'a'\n[scopes]\na = []\n[remote]\nendpoint = 'http://127.0.0.1:9/'\n";
    let error = build_error("remote-scopes", text);
    assert!(
        error.contains(":2: `scopes` are kept by the embedded engine"),
        "{error}"
    );
}

#[cfg(feature = "remote")]
#[test]
fn an_endpoint_that_is_none_is_refused_with_its_line_and_not_repeated() {
    let error = wrong("[remote]\nendpoint = 'http://user:canary@x.example/'");
    assert!(
        error.starts_with("f.toml:2: `remote.endpoint` names no service: "),
        "{error}"
    );
    assert!(!error.contains("canary"), "{error}");
}

#[cfg(feature = "macros")]
#[test]
fn a_toolbox_in_a_file_is_read_back_as_it_was_written() {
    use managed_agents::config::{read_tools, write_tools};
    use managed_agents::{GovernanceDenied, Tool, Toolbox, governed};

    /// Runs a report.
    #[governed(risk = high, read_only, action = "read", redact(owner), timeout = "2s")]
    async fn report(#[governed(kind = sql)] query: String, owner: String) -> Result<String, GovernanceDenied> {
        Ok(query + &owner)
    }

    let toolbox = Toolbox::new().tool(report::tool()).build().unwrap();
    let mut file = Vec::new();
    write_tools(toolbox.tools().map(Tool::meta), &mut file).unwrap();
    let read = read_tools(file.as_slice()).unwrap();
    let meta = report::tool().meta();
    assert_eq!(read[0].definition(), meta.definition());
    assert_eq!(read[0].arguments(), meta.arguments());
    assert_eq!(read[0].timeout(), meta.timeout());
    assert_eq!(
        (read[0].risk(), read[0].is_read_only(), read[0].action()),
        (Risk::High, true, Some("read"))
    );

    for broken in [
        "",
        "[]",
        "{\"format\":\"ma-tools/2\",\"tools\":[]}",
        "{\"format\":\"ma-tools/1\",\"tools\":[],\"more\":1}",
    ] {
        assert!(read_tools(broken.as_bytes()).is_err(), "{broken}");
    }
    let twice = String::from_utf8(file)
        .unwrap()
        .replacen("\"tools\": [", "\"tools\": [X,", 1);
    let entry = twice.split_once("[X,").unwrap().1.rsplit_once(']').unwrap().0;
    let error = read_tools(twice.replace('X', entry).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the tool `report` is there twice");
}

/// What a function declares, and what an operator adds to it without touching the program.
#[cfg(feature = "macros")]
mod tightened {
    use managed_agents::audit::Disposition;
    use managed_agents::{GovernanceDenied, Toolbox, assert_escalated, governed};

    use super::*;

    /// Pays.
    #[governed(risk = low, reversible, target = format!("account of {to}"))]
    async fn pay(to: String, note: String) -> Result<String, GovernanceDenied> {
        Ok(to + &note)
    }

    /// Looks at files.
    #[governed(risk = low)]
    async fn bash(command: String) -> Result<String, GovernanceDenied> {
        Ok(command)
    }

    /// Wipes.
    #[governed(risk = critical)]
    async fn wipe(disk: String) -> Result<String, GovernanceDenied> {
        Ok(disk)
    }

    fn harness(test: &str, tools: &str) -> Harness {
        let config = file(test, &format!("agent = 'a'\n{tools}"));
        Harness::builder().in_memory().config(config).build_blocking().unwrap()
    }

    #[tokio::test]
    async fn an_entry_makes_a_governed_function_stricter() {
        for (entry, code) in [("risk = 'high'", "risk_high"), ("irreversible = true", "irreversible")] {
            let harness = harness("stricter", &format!("[tools.pay]\n{entry}\n"));
            let denied = assert_escalated!(harness.scope(pay("bob".into(), "x".into())).await, code);
            // also through a toolbox, and in the record
            let tools = Toolbox::new().harness(&harness).tool(pay::tool()).build().unwrap();
            let result = tools.call("pay", r#"{"to":"bob","note":"x"}"#).await;
            assert_eq!(result.denial().unwrap().ticket(), denied.ticket());
            let record = harness.records().pop().unwrap();
            assert_eq!(record.decision().disposition(), Disposition::Queued);
            // an approval of the function as it was declared would not fit it
            assert_ne!(record.decision().meta().definition(), pay::tool().meta().definition());
        }
        // and no other
        let harness = harness("other", "[tools.pays]\nrisk = 'high'\n");
        harness.scope(pay("bob".into(), "x".into())).await.unwrap();
        assert_eq!(
            harness.records()[0].decision().meta().definition(),
            pay::tool().meta().definition()
        );
    }

    #[tokio::test]
    async fn an_entry_never_makes_a_governed_function_laxer() {
        let laxer = "[tools.wipe]\nrisk = 'low'\nread_only = true\nreversible = true\n";
        let denied = harness("laxer", laxer).scope(wipe("sda".into())).await;
        assert_escalated!(denied, "risk_critical");
        let config = Config::load(file("laxer", laxer)).unwrap();
        assert_eq!(
            config.without_effect(wipe::tool().meta()),
            ["risk", "reversible", "read_only"]
        );
    }

    #[tokio::test]
    async fn an_entry_redacts_what_a_function_shows_its_target_too() {
        let redacted = "[tools.pay]\nredact = ['/to']\nrisk = 'high'\n";
        let harness = harness("redacts", redacted);
        assert_escalated!(harness.scope(pay("canary".into(), "x".into())).await);
        assert_eq!(harness.pending()[0].arguments(), r#"{"note":"x","to":"[redacted]"}"#);
        let record = harness.records().pop().unwrap();
        assert_eq!(record.decision().target(), Some("[redacted]"));
    }

    #[cfg(feature = "screen")]
    #[tokio::test]
    async fn a_kind_is_read_beside_what_the_argument_was_and_never_in_its_place() {
        // by its name the argument is a command, and stays one
        let harness = harness(
            "kinds",
            "[tools.bash]\narguments = { command = 'path' }\n[tools.pay]\narguments = { note = 'sql' }\n",
        );
        assert!(harness.scope(bash("rm -rf /".into())).await.is_err());
        let denied = harness.scope(bash("../../../etc/passwd".into())).await.unwrap_err();
        assert_eq!(denied.code(), "path_traversal");
        let denied = harness.scope(pay("bob".into(), "DROP TABLE users".into())).await;
        assert_eq!(denied.unwrap_err().code(), "database_destroy");
    }
}
