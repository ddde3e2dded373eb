//! An agent loop over the streaming Messages API: the answer is shown as it comes, and nothing of it runs before it is whole.
//!
//! With `ANTHROPIC_API_KEY` the model is Claude (`ANTHROPIC_MODEL` says which); without, a small server on this machine plays
//! the model's turns from a script, over the same HTTP.
//!
//! `cargo run -p examples --example streaming`

use examples::{Outcome, Server, model, set, show};
use managed_agents::claude::{MessagesAgent, StreamEvent};
use managed_agents::{Endpoint, Engine, Escaped, GovernanceDenied, Harness, Secret, Toolbox, governed};
use serde_json::json;

/// Look up an order by its number.
#[governed(risk = low, read_only)]
async fn lookup(order: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("order {order}: one lamp, paid"))
}

/// Refund an order.
#[governed(risk = low, reversible)]
async fn refund(order: u64) -> Result<String, GovernanceDenied> {
    Ok(format!("refunded order {order}"))
}

#[tokio::main]
async fn main() -> Outcome {
    // refunds are outside this agent's scope
    let harness = Harness::builder()
        .in_memory()
        .agent_id("support-bot")
        .governor(Engine::new().scope("support-bot", ["lookup"]))
        .build()
        .await?;
    let toolbox = Toolbox::new()
        .harness(&harness)
        .tools([lookup::tool(), refund::tool()])
        .build()?;
    let (agent, _server) = agent(&toolbox).await?;

    show::heading("As it comes");
    let run = agent.run("Was order 7 paid? If so, refund it.").await?;

    show::heading("What became of the calls");
    for call in run.calls() {
        println!("  {:<8} {:?}", call.name(), call.result().status());
    }
    let usage = run.usage();
    println!(
        "  {} input tokens, {} output tokens",
        usage.input_tokens(),
        usage.output_tokens()
    );
    Ok(())
}

async fn agent(toolbox: &Toolbox) -> Result<(MessagesAgent, Option<Server>), Box<dyn std::error::Error>> {
    let tell = |event: StreamEvent<'_>| match event {
        StreamEvent::Text(text) => println!("  {}", Escaped::new(text)),
        // the name of a call that is being written; what it is to do is not known yet
        StreamEvent::Calling(tool) => println!("  … writes a call of {}", Escaped::new(tool)),
        StreamEvent::Restarted => println!("  … the answer broke off and is asked for again"),
        _ => {}
    };
    if set("ANTHROPIC_API_KEY").is_some() {
        let model = set("ANTHROPIC_MODEL").unwrap_or_else(|| "claude-opus-5-5".to_owned());
        let agent = MessagesAgent::builder(model).tools(toolbox).streaming(tell).build()?;
        return Ok((agent, None));
    }
    let looks = ("toolu_1", "lookup", json!({"order": 7}));
    let refunds = ("toolu_2", "refund", json!({"order": 7}));
    let mut turn = model::calls([looks, refunds]);
    if let Some(content) = turn.get_mut("content").and_then(serde_json::Value::as_array_mut) {
        content.insert(0, json!({"type": "text", "text": "Let me look."}));
    }
    let server = model::scripted([turn, model::says("The order was paid.")]).await?;
    println!(
        "a script plays the model at {}: ANTHROPIC_API_KEY is not set",
        server.url()
    );
    let agent = MessagesAgent::builder("scripted")
        .tools(toolbox)
        .api_key(Secret::parse("none")?)
        .base_url(Endpoint::parse(server.url())?)
        .streaming(tell)
        .build()?;
    Ok((agent, Some(server)))
}
