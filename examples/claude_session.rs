//! A governed Claude Managed Agents session: which calls can slip past, what is asked about, and a person who approves.
//!
//! A small server on this machine stands in for Managed Agents, with turns that were written down, over the same HTTP. With a
//! client that is built without `.base_url(…)` and `.api_key(…)`, it is `api.anthropic.com` with `ANTHROPIC_API_KEY`.
//!
//! `cargo run -p examples --example claude_session`

use std::time::Duration;

use examples::managed::{ManagedServer, Turn};
use examples::{Outcome, show};
use managed_agents::approval::ApproverKey;
use managed_agents::claude::{self, AgentDraft, EnvironmentDraft, ManagedAgents, SessionDraft, SessionGovernor};
use managed_agents::{Endpoint, Escaped, GovernanceDenied, Harness, Risk, Secret, ToolMeta, Toolbox, governed};
use serde_json::json;

/// Look up an order by its number.
#[governed(risk = low, read_only)]
async fn lookup(order: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("order {order}: one lamp, paid"))
}

/// Refund an order, in cents.
#[governed(risk = high, reversible)]
async fn refund(order: u64, cents: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("refunded {cents} cents for order {order}"))
}

#[tokio::main]
async fn main() -> Outcome {
    let server = stand_in().await?;
    println!("a stand-in for Managed Agents listens at {}", server.url());
    let client = ManagedAgents::builder()
        .base_url(Endpoint::parse(server.url())?)
        .api_key(Secret::parse("none")?)
        .build()?;

    // who judges: the embedded engine, which knows Claude's built-in tools by name, and one of an MCP server
    let ann = ApproverKey::generate()?;
    let mut harness = Harness::builder()
        .in_memory()
        .agent_id("support-bot")
        .approver("ann", ann.public())
        .declare(
            ToolMeta::new("mcp__linear__create_issue")
                .with_risk(Risk::Low)
                .reversible(),
        );
    for tool in claude::built_in_tools() {
        harness = harness.declare(tool);
    }
    let harness = harness.build().await?;

    // the agent's custom tools come from the toolbox that runs them
    let toolbox = Toolbox::new().tools([lookup::tool(), refund::tool()]).build()?;
    let agent = AgentDraft::new("support", "claude-opus-5-5")
        .toolbox(&toolbox)
        .mcp_server("linear", "https://mcp.example/sse");
    let open = json!({"type": "agent_toolset_20260401", "configs": [{"name": "bash", "enabled": true, "permission_policy": {"type": "always_allow"}}],
        "default_config": {"enabled": false}});
    let agent = client.create_agent(&agent.tool(open)).await?;
    let environment = client.create_environment(&EnvironmentDraft::cloud("here")).await?;

    show::heading("What can slip past");
    let session = client
        .create_session(&SessionDraft::new(agent.id(), environment.id()))
        .await?;
    let governor = SessionGovernor::builder(&client, &harness)
        .toolbox(&toolbox)
        .poll(Duration::from_millis(50))
        .build()?;
    if let Err(error) = governor.converse(session.id(), "Refund order 7.").await {
        println!("  the governor refuses to begin: {error}");
    }
    let coverage = client.close_gaps(agent.id()).await?;
    println!("  fixed: every call is asked about: {}", coverage.is_whole());

    show::heading("A governed turn");
    let session = client
        .create_session(&SessionDraft::new(agent.id(), environment.id()))
        .await?;
    let person = async {
        let ticket = loop {
            match harness.pending().first() {
                Some(ticket) => break ticket.clone(),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        println!(
            "  {} waits, with {}; approved by ann",
            ticket.tool(),
            ticket.arguments_for_display()
        );
        harness.approve(ticket.id(), &ann)
    };
    let (report, approved) = tokio::join!(governor.converse(session.id(), "Refund order 7."), person);
    approved?;
    let report = report?;
    let mut calls = report.calls().to_vec();
    calls.sort_by_key(|call| call.tool().to_owned());
    // in the order of their ends, so that what is printed does not depend on who was faster
    for word in ["Allowed", "Refused", "Done"] {
        for call in calls.iter().filter(|call| format!("{:?}", call.end()) == word) {
            println!("  {word:<8} {}", call.tool());
        }
    }
    println!("  agent: {}", Escaped::new(report.text()));
    Ok(())
}

async fn stand_in() -> std::io::Result<ManagedServer> {
    let custom =
        |name: &str, input: serde_json::Value| json!({"type": "agent.custom_tool_use", "name": name, "input": input});
    let turn = Turn::calls(vec![
        custom("lookup", json!({"order": 7})),
        custom("refund", json!({"order": 7, "cents": 4200})),
        json!({"type": "agent.tool_use", "name": "bash", "input": {"command": "rm -rf /"}, "evaluated_permission": "ask"}),
        json!({"type": "agent.mcp_tool_use", "name": "create_issue", "mcp_server_name": "linear",
            "input": {"title": "lamp"}, "evaluated_permission": "ask"}),
    ]);
    ManagedServer::start([turn, Turn::says("All done.")]).await
}
