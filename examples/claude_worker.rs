//! A worker of a self-hosted environment: Claude's built-in tools run on this machine, each call judged before it runs.
//!
//! Tools for files open what is beneath the workspace and nothing else. `bash` is judged, has a cleaned environment and a
//! process group of its own, and is held back by nothing more: this is no sandbox.
//!
//! A small server on this machine stands in for Managed Agents. `managed-agents claude run` is the same as a program.
//!
//! `cargo run -p examples --example claude_worker`
#![expect(clippy::indexing_slicing, reason = "a field that is not there reads as null")]

use std::sync::Arc;
use std::time::Duration;

use examples::managed::{ManagedServer, Turn};
use examples::{Outcome, show};
use managed_agents::claude::{
    self, AgentDraft, EnvironmentDraft, EnvironmentWorker, ManagedAgents, Outgoing, SessionDraft, Workspace,
};
use managed_agents::{Endpoint, Escaped, Harness, Secret};
use serde_json::{Value, json};
use tokio::sync::Notify;

#[tokio::main]
async fn main() -> Outcome {
    let server = ManagedServer::start(turns()).await?;
    let client = ManagedAgents::builder()
        .base_url(Endpoint::parse(server.url())?)
        .bearer(Secret::parse("an-environments-key")?)
        .build()?;
    let mut harness = Harness::builder().in_memory().agent_id("coder");
    for tool in claude::built_in_tools() {
        harness = harness.declare(tool);
    }
    let harness = harness.build().await?;

    // somebody made an agent and said something to it
    let agent = client
        .create_agent(&AgentDraft::new("coder", "claude-opus-5-5").built_in(["bash", "read", "write"]))
        .await?;
    let environment = client
        .create_environment(&EnvironmentDraft::self_hosted("here"))
        .await?;
    let session = client
        .create_session(&SessionDraft::new(agent.id(), environment.id()))
        .await?;
    client.send(session.id(), &[Outgoing::message("Say hello.")]).await?;

    let place = std::env::temp_dir().join(format!("claude-worker-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    println!("the workspace is {}, and no sandbox", place.display());
    let over = Arc::new(Notify::new());
    let ended = Arc::clone(&over);
    EnvironmentWorker::new(&client, &harness, environment.id(), Workspace::open(&place)?)
        .poll(Duration::from_millis(50))
        .approval_limit(Duration::from_secs(1))
        .on_session(move |_, _| ended.notify_one())
        .run_until(over.notified())
        .await?;

    show::heading("What the model called, and what it was told");
    let events = server.world().events(session.id());
    for call in events.iter().filter(|event| event["type"] == "agent.tool_use") {
        let answers = events.iter().filter(|event| event["tool_use_id"] == call["id"]);
        let told = answers.filter_map(|event| event["content"][0]["text"].as_str().or(event["deny_message"].as_str()));
        let refused = events
            .iter()
            .any(|event| event["tool_use_id"] == call["id"] && event["result"] == "deny");
        let mark = if refused { "refused: " } else { "" };
        let told = told.collect::<Vec<_>>().join(" ");
        println!(
            "  {} {}\n    {mark}{}",
            call["name"],
            call["input"],
            Escaped::new(&told)
        );
    }
    std::fs::remove_dir_all(&place)?;
    Ok(())
}

/// What the model calls: in the second turn all at once.
fn turns() -> [Turn; 3] {
    let call = |name: &str, input: Value| json!({"type": "agent.tool_use", "name": name, "input": input, "evaluated_permission": "ask"});
    [
        Turn::calls(vec![call(
            "write",
            json!({"file_path": "hello.txt", "content": "hello"}),
        )]),
        Turn::calls(vec![
            call("bash", json!({"command": "wc -c < hello.txt"})),
            call("bash", json!({"command": "rm -rf /"})),
            call("read", json!({"file_path": "/etc/passwd"})),
        ]),
        Turn::says("All done."),
    ]
}
