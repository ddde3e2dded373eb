//! Every example runs from a clean clone, with no key and no service, and shows what it says it shows.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What decides where an example looks for a service.
const SERVICES: [&str; 6] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
    "MANAGED_AGENTS_ENDPOINT",
    "MANAGED_AGENTS_API_KEY",
    "MANAGED_AGENTS_AGENT_ID",
];

/// Builds the examples, which is nothing to do when all tests are run, and says where they are.
fn examples() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // TARGET/PROFILE/deps/examples-HASH
        let this = env::current_exe().expect("a test has a path");
        let profile = this.ancestors().nth(2).expect("a profile's directory");
        let target = profile.parent().expect("a target directory");
        let name = profile.file_name().and_then(|name| name.to_str());
        let name = match name.expect("a profile has a name") {
            "debug" => "dev",
            other => other,
        };
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--workspace",
                "--examples",
                "--profile",
                name,
                "--target-dir",
            ])
            .arg(target)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the examples do not build");
        profile.join("examples")
    })
}

/// Runs an example and looks for lines in what it prints: each holds the given words, in this order.
fn shows(example: &str, lines: &[&[&str]]) {
    let mut command = Command::new(examples().join(example));
    for service in SERVICES {
        command.env_remove(service);
    }
    let ended = command.output().expect("the example runs");
    let out = String::from_utf8(ended.stdout).expect("an example prints text");
    let err = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{example} failed\n{out}\n{err}");
    assert!(!out.contains('\u{1b}'), "no colours where no terminal is: {out}");
    let mut printed = out.lines();
    for words in lines {
        // in any order: that of an object's keys is no promise
        let fits = |line: &str| words.iter().all(|word| line.contains(word));
        if !printed.any(fits) {
            panic!("{example} does not show {words:?}, or not in its place:\n{out}");
        }
    }
}

#[test]
fn quickstart() {
    shows(
        "quickstart",
        &[
            &["script", "127.0.0.1", "ANTHROPIC_API_KEY is not set"],
            &["ran", "lookup_order"],
            &["escalated", "refund"],
            &["denied", "delete_customer"],
            &["Escalated"],
            &["risk_high"],
            &["Denied"],
            &["out_of_scope"],
            &["tkt_", "refund"],
            &["approved by ann"],
            &["ran", "refund"],
            &["refused:", "risk_high"],
            &["tool", "decision", "disposition", "outcome", "code"],
            &["lookup_order", "allow", "allowed", "ok"],
            &["refund", "escalate", "queued", "risk_high"],
            &["refund", "escalate", "approved", "ok", "risk_high"],
            &["refund", "escalate", "queued", "risk_high"],
            &["refunded: [7]"],
        ],
    );
    // the model's calls run side by side, so that the order of their entries is no promise
    shows(
        "quickstart",
        &[
            &["tool", "decision", "disposition", "outcome", "code"],
            &["delete_customer", "deny", "refused", "out_of_scope"],
        ],
    );
}

#[test]
fn functions() {
    shows(
        "functions",
        &[
            &["no_harness", "harness.scope("],
            &["count_words: Some(6)"],
            &["save_draft:", "`ann` is no address"],
            &["send_mail:", "Escalated", "irreversible"],
            &["wipe:", "Escalated", "risk_critical"],
            &["save_draft", "allow", "allowed", "error"],
            &["declare nothing", "save_draft"],
        ],
    );
}

#[test]
fn methods() {
    shows(
        "methods",
        &[
            &["mail_send", "recipient's address"],
            &["mail_send: shop@example.com wrote to ann@example.com"],
            &["pay: paid invoice 17 from DE-1"],
            &["pay: argument `invoice`: invalid type"],
            &["pay", "DE-1"],
            &["pay", "DE-2"],
        ],
    );
}

#[test]
fn redaction() {
    shows(
        "redaction",
        &[
            &["charge", r#""number":"[redacted]""#, r#""note":"[redacted]""#],
            &["wire_transfer", r#""iban":"[redacted]""#],
            &["charged 500", "birthday"],
            &["charge", "target", "[redacted]"],
            &["tool_input", "[redacted]", r#""target":"[redacted]""#],
        ],
    );
}

#[test]
fn approvals() {
    shows(
        "approvals",
        &[
            &["a stranger's key", "not enrolled"],
            &["other arguments: Escalated"],
            &["these arguments: front door is open"],
            &["once more:", "Escalated"],
            &["Denied (rejected): a person rejected this call", "the shop is closed"],
            &["open_door waits", "side"],
            &["side door is open"],
            &["open_door", "escalate", "approved", "ok"],
        ],
    );
}

#[test]
fn modes() {
    shows(
        "modes",
        &[
            &["block_on_escalate", "fail_open"],
            &["true", "false", "queued", "queued", "refused"],
            &["true", "true", "queued", "queued", "fail_open"],
            &["false", "false", "queued", "queued", "refused"],
            &["false", "true", "proceeded_unapproved", "queued", "fail_open"],
            &["format_disk", "observed", "ok"],
        ],
    );
}

#[test]
fn remote() {
    shows(
        "remote",
        &[
            &["stand-in", "MANAGED_AGENTS_ENDPOINT is not set"],
            &["ran:", "ls -la"],
            &["ran:", "systemctl restart shop"],
            &["refused:", "deletes without a way back"],
            &["4 verdicts: 1 allowed, 2 escalated, 1 denied"],
            &["host.run", "escalate", "approved", "ok"],
            &["host.run", "deny", "refused", "denied"],
        ],
    );
}

#[test]
fn custom_governor() {
    shows(
        "custom_governor",
        &[
            &["https://a.example: 17"],
            &["broken.example: there is no such page"],
            &["callback: fetch escalated"],
            &["patience_lost"],
            &["fetch", "escalate", "queued", "patience_lost"],
        ],
    );
}

#[test]
fn testing() {
    shows(
        "testing",
        &[
            &["dangerous_allow_all()"],
            &["Harness::builder().in_memory()"],
            &["FakeGovernor"],
        ],
    );
}

#[test]
fn streaming() {
    shows(
        "streaming",
        &[
            &["script", "ANTHROPIC_API_KEY is not set"],
            &["Let me look."],
            &["a call of lookup"],
            &["a call of refund"],
            &["The order"],
            &["lookup", "Done"],
            &["refund", "Denied"],
            &["input tokens"],
        ],
    );
}

#[test]
fn claude_session() {
    shows(
        "claude_session",
        &[
            &["stand-in"],
            &["refuses to begin", "bash", "always_allow"],
            &["every call is asked about"],
            &["refund waits", "approved by ann"],
            &["Allowed", "mcp__linear__create_issue"],
            &["Refused", "bash"],
            &["Done", "refund"],
            &["agent: All done."],
        ],
    );
}

#[test]
fn claude_worker() {
    shows(
        "claude_worker",
        &[
            &["no sandbox"],
            &["write", "hello.txt"],
            &["bash", "wc -c"],
            &["5"],
            &["bash", "rm -rf /"],
            &["refused:"],
            &["read", "/etc/passwd"],
        ],
    );
}
