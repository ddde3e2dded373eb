//! The same call posts the same body as the published Python client (`managed-agents` 0.2.0 from PyPI).
//!
//! `MANAGED_AGENTS_PYTHON` names a Python that has the package; without it, or when it is empty, the test says so and passes.
#![cfg(test)]

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Stdio};

use managed_agents::Harness;
use managed_agents::Secret;
use managed_agents::call::Verbs;
use managed_agents::remote::{PolicyPreset, Remote};
use serde_json::{Value, json};
use tests::support::governance_server::{GovernanceServer, Script, verdict};
use tests::support::program;

const AGENT: &str = "nmc-7f3a";

/// 40 calls and more. Where the target is the first of several strings, it is the first by name too: this library keeps
/// arguments in canonical order, Python in the caller's.
fn calls() -> Vec<Value> {
    let mut calls: Vec<Value> = [
        ("bash", json!({"command": "ls -la"})),
        ("exec", json!({"command": "", "cwd": "/tmp"})),
        ("python_exec", json!({"code": "print(1)\n"})),
        ("write", json!({"path": "/tmp/a", "content": "x", "mode": 420})),
        ("read", json!({"file": "b.txt", "offset": 0})),
        ("read", json!({"path": 7, "file": "b.txt"})),
        ("rm", json!({"path": "/tmp/ä ö", "force": true})),
        ("rename", json!({"a": "x", "b": "y"})),
        (
            "db_query",
            json!({"query": "SELECT '\"'", "database": "prod", "table": "users"}),
        ),
        (
            "sql_execute",
            json!({"sql": "UPDATE t SET a = NULL", "values": [1, null, "b", 2.5]}),
        ),
        ("send_email", json!({"to": "a@b.c", "subject": "Hi", "body": "text"})),
        (
            "send_slack",
            json!({"recipient": "#ops", "text": "\u{1f680} \u{0007} \\ / \u{2028}"}),
        ),
        ("archive_email", json!({"id": "m-1"})),
        (
            "calendar_create",
            json!({"title": "Sync", "when": {"from": "2026-01-01", "to": "2026-01-02"}}),
        ),
        ("calendar_update", json!({"id": 7, "changes": {}})),
        ("browser", json!({"url": "https://example.com/?a=1&b=%20"})),
        ("form_submit", json!({"uri": "x:y", "fields": [{"n": "a", "v": 1}]})),
        ("api_call", json!({"resource": "orders/7", "method": "POST"})),
        (
            "post_request",
            json!({"url": "https://e.x", "json": {"deep": [[[[{"a": []}]]]]}}),
        ),
        ("get_request", json!({"target": "t", "url": "u"})),
        ("vector_search", json!({"query": "q", "k": 10})),
        ("weather", json!({"city": "Bern"})),
        ("refund", json!({"amount": 12.5, "order": 42})),
        ("no_arguments", json!({})),
        ("empty_strings", json!({"a": "", "b": ""})),
        (
            "integers",
            json!({"max": u64::MAX, "min": i64::MIN, "zero": 0, "minus": -1}),
        ),
        (
            "floats",
            json!({"a": 0.1, "b": 1e21, "c": 1.5e-7, "d": 123456789.125, "e": -0.5, "f": 5e-324}),
        ),
        ("whole_floats", json!({"a": 12.0, "b": -3.0, "c": 1e15, "d": [0.0]})),
        ("booleans", json!({"yes": true, "no": false, "none": null})),
        ("long", json!({"path": "é".repeat(300)})),
        ("nested", json!({"target": {"name": "x"}, "list": ["first"]})),
        (
            "keys",
            json!({"a b": 1, "ä": 2, "\"": 3, "": 4, "\u{1f600}": 5, "\u{e000}": 6}),
        ),
        ("UPPER", json!({"Target": "not a key", "to": "z"})),
    ]
    .into_iter()
    .map(|(tool, input)| json!({"tool": tool, "input": input}))
    .collect();
    let bash = || json!({"tool": "bash", "input": {"command": "id"}});
    for (key, value) in [
        ("session", json!("s-1")),
        ("session", json!("sitzung \"ä\"")),
        ("platform", json!("claude")),
        ("platform", json!("lang chain/ü")),
        ("org_context", json!({"team": "billing", "limits": {"eur": 100.5}})),
        ("context", json!({"request_id": "r-1", "attempt": 2, "user": null})),
        ("target", json!("given target")),
        ("target", json!("x".repeat(200))),
        ("verbs", json!({"bash": "execute"})),
        ("policy", json!("shell")),
        ("policy", json!("filesystem")),
        ("policy", json!("email")),
        ("policy", json!("browser")),
        ("policy", json!("calendar")),
        ("policy", json!("default")),
    ] {
        let mut call = bash();
        call[key] = value;
        calls.push(call);
    }
    calls.push(json!({
        "tool": "deploy", "input": {"resource": "web", "replicas": 3}, "session": "s-2", "platform": "openai",
        "org_context": {"team": "a", "region": "eu"}, "context": {"region": "us"}, "verbs": {"deploy": "release"},
        "policy": "shell", "target": "prod/web",
    }));
    for call in &mut calls {
        call["agent"] = json!(AGENT);
    }
    calls
}

async fn post(endpoint: &str, call: &Value) {
    let mut remote = Remote::builder()
        .endpoint(endpoint)
        .api_key(Secret::parse("nm_test_1").unwrap());
    if let Some(platform) = call["platform"].as_str() {
        remote = remote.platform(platform);
    }
    for (key, value) in call["org_context"].as_object().into_iter().flatten() {
        remote = remote.org_context(key, value.clone());
    }
    for (tool, verb) in call["verbs"].as_object().into_iter().flatten() {
        remote = remote.verbs(Verbs::default().with(tool, verb.as_str().unwrap()));
    }
    remote = match call["policy"].as_str() {
        Some("shell") => remote.policy(PolicyPreset::shell()),
        Some("filesystem") => remote.policy(PolicyPreset::filesystem()),
        Some("email") => remote.policy(PolicyPreset::email()),
        Some("browser") => remote.policy(PolicyPreset::browser()),
        Some("calendar") => remote.policy(PolicyPreset::calendar()),
        Some(_) => remote.policy(PolicyPreset::general()),
        None => remote,
    };
    let harness = Harness::builder()
        .in_memory()
        .agent_id(AGENT)
        .governor(remote.build().unwrap())
        .build()
        .await
        .unwrap();
    let (tool, input) = (call["tool"].as_str().unwrap(), call["input"].clone());
    let session = call["session"].as_str().map(|id| harness.session(id));
    let mut govern = match &session {
        Some(session) => session.govern(tool, input),
        None => harness.govern(tool, input),
    };
    if let Some(target) = call["target"].as_str() {
        govern = govern.target(target);
    }
    if let Some(context) = call["context"].as_object() {
        govern = govern.context(context.clone());
    }
    // what was posted matters here, not what came of it: a call that nothing has screened is escalated after it
    drop(govern.await);
}

/// Runs the Python client over all calls.
fn post_from_python(python: &OsStr, endpoint: &str, calls: &[Value]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/remote_parity.py");
    let mut child = Command::new(python)
        .args([script, endpoint])
        .stdin(Stdio::piped())
        .env("NO_PROXY", "*")
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for call in calls {
        writeln!(input, "{call}").unwrap();
    }
    drop(input);
    assert!(child.wait().unwrap().success(), "the Python client failed");
}

/// Whether two texts hold equal JSON. RFC 8785 writes the float twelve as `12`, and Python as `12.0`: one number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() != other.is_f64() => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

#[test]
fn what_differs_is_not_the_same() {
    assert!(same(&json!({"a": [12.0], "b": 1}), &json!({"b": 1, "a": [12]})));
    for (one, other) in [
        (json!(12.5), json!(12)),
        (json!({"a": 1}), json!({"a": 1, "b": 2})),
        (json!([1]), json!([1, 1])),
        (json!(null), json!("")),
        (json!(u64::MAX), json!(u64::MAX - 1)),
    ] {
        assert!(!same(&one, &other) && !same(&other, &one), "{one} {other}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_call_posts_the_same_body_as_the_python_client() {
    let Some(python) = program("MANAGED_AGENTS_PYTHON") else {
        println!("skipped: MANAGED_AGENTS_PYTHON names no Python with the package `managed-agents` 0.2.0");
        return;
    };
    let calls = calls();
    assert!(calls.len() >= 40);
    let server = GovernanceServer::start(|_| Script::json(200, &verdict("ALLOW", AGENT))).await;
    for call in &calls {
        post(&server.endpoint(), call).await;
    }
    let (endpoint, to_post) = (server.endpoint(), calls.clone());
    tokio::task::spawn_blocking(move || post_from_python(&python, &endpoint, &to_post))
        .await
        .unwrap();
    let received = server.received();
    assert_eq!(received.len(), calls.len() * 2);
    let (ours, theirs) = received.split_at(calls.len());
    for ((call, ours), theirs) in calls.iter().zip(ours).zip(theirs) {
        let body = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
        let (ours_said, theirs_said) = (body(&ours.body), body(&theirs.body));
        assert!(same(&ours_said, &theirs_said), "{call}: {ours_said} and {theirs_said}");
        for header in ["authorization", "content-type"] {
            assert_eq!(ours.headers[header], theirs.headers[header]);
        }
        assert!(theirs.headers["x-source"].starts_with("managed-agents/"));
        assert!(ours.headers["x-source"].starts_with("managed-agents/"));
    }
}
