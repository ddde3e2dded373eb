//! Every example runs from a clean clone, with no key and no service, and shows what it says it shows; the one of README's section
//! on Claude runs against the stand-ins of both of its services.
#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use managed_agents::claude::{AgentDraft, EnvironmentDraft, ManagedAgents, Outgoing, SessionDraft};
use managed_agents::{Endpoint, Secret};
use serde_json::{Value, json};
use tests::http::{Answer, Server};
use tests::managed::{ManagedServer, Turn};
use tokio::net::{TcpListener, TcpStream};

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
    let mut command = command(example);
    let ended = command.output().expect("the example runs");
    prints(example, &ended, lines);
}

/// An example, told of no service.
fn command(example: &str) -> Command {
    let mut command = Command::new(examples().join(example));
    for service in SERVICES {
        command.env_remove(service);
    }
    command
}

fn prints(example: &str, ended: &Output, lines: &[&[&str]]) {
    let out = str::from_utf8(&ended.stdout).expect("an example prints text");
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

/// What is between two lines of a text, without what rustdoc hides.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| !line.starts_with(from)).skip(1);
    let lines = lines.take_while(|line| !line.starts_with(to));
    lines.filter(|line| !line.starts_with("# ")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_section_on_claude_runs_as_it_is_written() {
    let read = |file: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)).expect("a text")
    };
    let (readme, program) = (read("README.md"), read("examples/claude.rs"));
    let shown = between(&readme, "use managed_agents::claude::{", "```");
    assert!(shown.len() > 5, "README shows {shown:?}");
    assert_eq!(shown, between(&program, "// README: from here", "// README: to here"));

    // both services behind one address, as they are at Anthropic
    let asks = json!([{"type": "tool_use", "id": "toolu_1", "name": "lookup", "input": {"order": 7}}]);
    let says = json!([{"type": "text", "text": "It was paid."}]);
    let messages = Server::start([turn("tool_use", &asks), turn("end_turn", &says)]).await;
    let call = json!({"type": "agent.custom_tool_use", "name": "lookup", "input": {"order": 8}});
    let shell = json!({"type": "agent.tool_use", "name": "bash", "input": {"command": "rm -rf /"}, "evaluated_permission": "ask"});
    let managed = ManagedServer::start([Turn::calls(vec![call, shell]), Turn::says("All done.")])
        .await
        .expect("a port");
    let both = front(messages.url(), managed.url()).await;

    let client = ManagedAgents::builder()
        .base_url(Endpoint::parse(&both).expect("an address"))
        .api_key(Secret::parse("none").expect("a key"))
        .build()
        .expect("a client");
    let asking =
        json!({"type": "agent_toolset_20260401", "default_config": {"permission_policy": {"type": "always_ask"}}});
    let lookup = json!({"type": "custom", "name": "lookup", "description": "Look up an order by its number.",
        "input_schema": {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}});
    let agent = AgentDraft::new("support", "claude-opus-5-5").tool(asking).tool(lookup);
    let agent = client.create_agent(&agent).await.expect("an agent");
    let environment = client
        .create_environment(&EnvironmentDraft::cloud("here"))
        .await
        .expect("an environment");
    let session = SessionDraft::new(agent.id(), environment.id());
    let session = client.create_session(&session).await.expect("a session");
    client
        .send(session.id(), &[Outgoing::message("Was order 8 paid?")])
        .await
        .expect("a message");

    // the stand-in names its events alike each time, and what a record says was claimed is never run again
    let place = env::temp_dir().join(format!("managed-agents-readme-claude-{}", std::process::id()));
    let mut program = command("claude");
    program
        .arg(session.id())
        .env("MANAGED_AGENTS_HOME", place.join("home"))
        .env("XDG_STATE_HOME", place.join("state"))
        .env("ANTHROPIC_API_KEY", "none")
        .env("ANTHROPIC_BASE_URL", &both);
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = program.spawn().expect("the example starts");
    let begun = Instant::now();
    while running.try_wait().expect("a child").is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            running.kill().expect("it is there");
            let events = managed.world().events(session.id());
            panic!("the example goes on and on; the session: {events:#?}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = running.wait_with_output().expect("what it printed");
    prints(
        "claude",
        &ended,
        &[&["It was paid."], &["lookup", "Done", "bash", "Refused"]],
    );

    std::fs::remove_dir_all(&place).expect("the record was here");
    let told = messages.asked().get(1).expect("a second request").json();
    assert!(told.to_string().contains("order 7: one lamp, paid"), "{told}");
    let events = managed.world().events(session.id());
    let answered = |kind: &str, words: &str| {
        events
            .iter()
            .any(|event| event.to_string().contains(words) && event.to_string().contains(kind))
    };
    assert!(
        answered("user.custom_tool_result", "order 8: one lamp, paid"),
        "{events:?}"
    );
    assert!(answered("user.tool_confirmation", "deny"), "{events:?}");
    assert!(managed.world().refused().is_empty(), "{:?}", managed.world().refused());
}

/// A streamed turn.
fn turn(reason: &str, content: &Value) -> Answer {
    let begun = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": [], "stop_reason": null,
        "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}});
    let mut events = vec![json!({"type": "message_start", "message": begun})];
    for (index, block) in content.as_array().into_iter().flatten().enumerate() {
        let (field, empty, delta) = match block.get("text") {
            Some(text) => ("text", json!(""), json!({"type": "text_delta", "text": text})),
            None => (
                "input",
                json!({}),
                json!({"type": "input_json_delta", "partial_json": block.get("input").map(Value::to_string)}),
            ),
        };
        let mut empty_block = block.clone();
        empty_block
            .as_object_mut()
            .expect("an object")
            .insert(field.to_owned(), empty);
        events.push(json!({"type": "content_block_start", "index": index, "content_block": empty_block}));
        events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 1}}));
    events.push(json!({"type": "message_stop"}));
    Answer::events(&events)
}

/// One address before two servers: a connection goes to the one that its first request is for.
async fn front(messages: &str, managed: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let (messages, managed) = (address(messages), address(managed));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (messages, managed) = (messages.clone(), managed.clone());
            tokio::spawn(async move {
                let wanted = b"POST /v1/messages";
                let mut first = [0; 17];
                while client
                    .peek(&mut first)
                    .await
                    .is_ok_and(|read| read > 0 && read < first.len())
                {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let server = if &first == wanted { messages } else { managed };
                if let Ok(mut server) = TcpStream::connect(server).await {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    url
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
