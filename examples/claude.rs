//! README's section on Claude as a program: the Messages API, streamed, and then a session of Managed Agents.
//!
//! It wants `ANTHROPIC_API_KEY`, and a session whose agent has a custom tool `lookup`. With `ANTHROPIC_BASE_URL` both are looked
//! for elsewhere than at Anthropic. `claude_session` and `streaming` need neither.
//!
//! `cargo run -p examples --example claude -- SESSION`

use managed_agents::claude::{ManagedAgents, MessagesAgent, SessionGovernor};
use managed_agents::{Engine, GovernanceDenied, Harness, Toolbox, governed};

/// Look up an order by its number.
#[governed(risk = low, read_only)]
async fn lookup(order: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("order {order}: one lamp, paid"))
}

#[tokio::main]
async fn main() -> examples::Outcome {
    let session = std::env::args().nth(1).ok_or("say which session, as `sesn_…`")?;
    let harness = Harness::builder()
        .agent_id("support-bot")
        // what else Claude asks for is refused
        .governor(Engine::new().scope("support-bot", ["lookup"]))
        .build()
        .await?;
    let tools = Toolbox::new().harness(&harness).tool(lookup::tool()).build()?;
    section(&harness, &tools, &session).await
}

#[rustfmt::skip]
async fn section(harness: &Harness, tools: &Toolbox, session: &str) -> examples::Outcome {
// README: from here
// the Messages API: only a whole answer runs anything
let agent = MessagesAgent::builder("claude-opus-5-5").tools(tools).streaming(|_| {}).build()?;
println!("{}", agent.run("Was order 7 paid?").await?.text());

// a Managed Agents session: custom tools run here, each once, whatever breaks; built-in and MCP tools are allowed or refused
let client = ManagedAgents::builder().build()?;
let governor = SessionGovernor::builder(&client, harness).toolbox(tools).build()?;
println!("{:?}", governor.run(session).await?.calls());
// README: to here
Ok(())
}
