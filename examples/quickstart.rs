//! An agent of a shop, its tools governed, from the customer's wish to the record.
//!
//! The model asks for three things. Looking an order up is allowed; deleting a customer is outside the agent's scope and
//! denied; a refund waits for a person, who approves it with a key that the program enrolled, and then it runs, once.
//!
//! With `ANTHROPIC_API_KEY` the model is Claude over the Messages API (`ANTHROPIC_MODEL` says which); without, a small
//! server on this machine plays the model's turns from a script, over the same HTTP.
//!
//! What is decided goes into a record in a directory of its own in `$MANAGED_AGENTS_HOME`; in this workspace that is below
//! `target`. A program of yours keeps one record: then an agent that asks for what is forbidden again and again loses trust.
//!
//! `cargo run -p examples --example quickstart`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use examples::show::{self, Colour, paint};
use examples::{Outcome, Server, model, set};
use managed_agents::approval::ApproverKey;
use managed_agents::claude::{MessagesAgent, Run};
use managed_agents::home::Home;
use managed_agents::{Endpoint, Engine, Escaped, GovernanceDenied, Harness, Secret, ToolStatus, Toolbox, governed};
use serde_json::json;

/// The shop's books: what was refunded.
#[derive(Default)]
struct Shop {
    refunded: Mutex<Vec<u64>>,
}

impl Shop {
    fn id(&self) -> &'static str {
        "main-street"
    }
}

/// Look up an order by its number.
#[governed(risk = low, read_only)]
async fn lookup_order(
    /// The order's number.
    order: u64,
) -> Result<String, GovernanceDenied> {
    Ok(format!("order {order}: one lamp, 42.00 EUR, delivered broken"))
}

/// Refund an order, in cents.
#[governed(risk = high, reversible)]
async fn refund(
    /// The order's number.
    order: u64,
    /// How much, in cents.
    cents: u64,
    #[governed(state(id = shop.id()))] shop: &Shop,
) -> Result<String, GovernanceDenied> {
    if let Ok(mut refunded) = shop.refunded.lock() {
        refunded.push(order);
    }
    Ok(format!("refunded {cents} cents for order {order}"))
}

/// Delete everything that is known of a customer.
#[governed(risk = critical, irreversible)]
async fn delete_customer(
    /// The customer's address.
    email: String,
) -> Result<String, GovernanceDenied> {
    Ok(format!("deleted {email}"))
}

const WISH: &str = "Order 7 arrived broken. Look it up, refund all of it, and delete my data (ann@example.com).";
const NEWS: &str = "A person has approved the refund. Call it again, unchanged.";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            eprintln!(
                "With ANTHROPIC_API_KEY set, ANTHROPIC_MODEL names the model. Without the key a script plays it."
            );
            ExitCode::FAILURE
        }
    }
}

/// A data directory for this run alone, so that the tenth run shows what the first one does.
fn own_dir() -> PathBuf {
    let place = std::env::var_os("MANAGED_AGENTS_HOME").map_or_else(std::env::temp_dir, PathBuf::from);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    place.join(format!(
        "quickstart-{}-{}",
        now.unwrap_or_default().as_secs(),
        std::process::id()
    ))
}

async fn run() -> Outcome {
    // 1. who decides: the embedded engine, in which this agent may use two of the three tools
    let approver = ApproverKey::generate()?;
    let harness = Harness::builder()
        .agent_id("support-bot")
        .data_dir(own_dir())
        .governor(Engine::new().scope("support-bot", ["lookup_order", "refund"]))
        .approver("ann", approver.public())
        .build()
        .await?;
    let record = harness.home().ok_or("the record is in a data directory")?.clone();
    let begin = size(record.clone()).await?;

    // 2. the tools, with the state that they need
    let shop = Arc::new(Shop::default());
    let toolbox = Toolbox::new()
        .harness(&harness)
        .shared(Arc::clone(&shop))
        .tools([lookup_order::tool(), refund::tool(), delete_customer::tool()])
        .build()?;

    // 3. an agent loop over the Messages API
    let (agent, _server) = agent(&toolbox).await?;
    show::heading("The customer writes");
    println!("  {WISH}");
    let run = agent.run(WISH).await?;
    show::heading("The model's calls");
    calls(&run);
    println!("\n  {} {}", paint(Colour::Bold, "model:"), Escaped::new(run.text()));

    // 4. what was refused is a typed error
    show::heading("The refusals, as the program sees them");
    for call in run.calls() {
        if let Some(denied) = call.result().denial() {
            println!("  {}", call.name());
            show::denial(denied);
        }
    }

    // 5. a person looks at what waits, and approves it with an enrolled key
    show::heading("What waits for a person");
    let pending = harness.pending();
    for ticket in &pending {
        println!(
            "  {}  {}({})",
            ticket.id(),
            ticket.tool(),
            ticket.arguments_for_display()
        );
        harness.approve(ticket.id(), &approver)?;
        println!(
            "  {} by ann, for one call of exactly these arguments",
            paint(Colour::Green, "approved")
        );
    }
    if pending.is_empty() {
        println!("  (nothing: this time the model asked for no refund)");
    } else {
        let run = agent.resume(run.into_messages(), NEWS).await?;
        show::heading("The model is told, and calls again");
        calls(&run);
        println!("\n  {} {}", paint(Colour::Bold, "model:"), Escaped::new(run.text()));

        // 6. an approval runs one call: plain Rust is governed like the model
        show::heading("The same refund once more, from plain Rust");
        match harness.scope(refund(7, 4200, &shop)).await {
            Ok(done) => println!("  {done}"),
            Err(denied) => println!("  {} {denied}", paint(Colour::Red, "refused:")),
        }
    }

    // 7. the record: a log in the data directory, each entry of which is a leaf of one Merkle tree
    show::heading("The record");
    record.store().flush().await?;
    let dir = record.dir().display().to_string();
    let sound = tokio::task::spawn_blocking(move || show::log(record.store(), begin)).await??;
    println!("\n  {sound} entries in {dir} hash to the root that was signed");
    if let Ok(refunded) = shop.refunded.lock() {
        println!("\n  orders that were refunded: {refunded:?}");
    }
    Ok(())
}

/// How many entries the record has.
async fn size(record: Home) -> Result<u64, Box<dyn std::error::Error>> {
    let read = move || record.store().reader()?.head();
    Ok(tokio::task::spawn_blocking(read).await??.size())
}

/// The agent: Claude where there is a key, else a scripted stand-in, which must stay alive as long as the agent.
async fn agent(toolbox: &Toolbox) -> Result<(MessagesAgent, Option<Server>), Box<dyn std::error::Error>> {
    let system = "You are the support agent of a small shop. Look orders up first, then call every tool that the \
                  customer's wish needs, and then say in one short paragraph how each call ended.";
    if set("ANTHROPIC_API_KEY").is_some() {
        let model = set("ANTHROPIC_MODEL").unwrap_or_else(|| "claude-opus-5-5".to_owned());
        println!("The model is {model}, over the Messages API: ANTHROPIC_API_KEY is set.");
        let agent = MessagesAgent::builder(model).system(system).tools(toolbox);
        return Ok((agent.build()?, None));
    }
    let server = model::scripted(script()).await?;
    println!(
        "The model is a script that a server at {} plays: ANTHROPIC_API_KEY is not set.",
        server.url()
    );
    println!("What it calls is scripted; how each call is judged, and what runs, is not.");
    let agent = MessagesAgent::builder("scripted")
        .system(system)
        .tools(toolbox)
        .api_key(Secret::parse("no-key")?)
        .base_url(Endpoint::parse(server.url())?);
    Ok((agent.build()?, Some(server)))
}

fn script() -> [serde_json::Value; 5] {
    [
        model::calls([("toolu_1", "lookup_order", json!({"order": 7}))]),
        model::calls([
            ("toolu_2", "refund", json!({"order": 7, "cents": 4200})),
            ("toolu_3", "delete_customer", json!({"email": "ann@example.com"})),
        ]),
        model::says("I found the order. The refund waits for a person; deleting your data is not something I may do."),
        model::calls([("toolu_4", "refund", json!({"order": 7, "cents": 4200}))]),
        model::says("Your 42.00 EUR are refunded."),
    ]
}

/// What the model called, and what became of it.
fn calls(run: &Run) {
    for call in run.calls() {
        let result = call.result();
        let (colour, word) = match (result.status(), result.denial()) {
            (ToolStatus::Done, _) => (Colour::Green, "ran      "),
            (_, Some(denied)) if denied.ticket().is_some() => (Colour::Yellow, "escalated"),
            (_, Some(_)) => (Colour::Red, "denied   "),
            _ => (Colour::Red, "failed   "),
        };
        let text = result
            .denial()
            .map_or(result.text(), GovernanceDenied::reason_for_model);
        println!(
            "  {} {}({})",
            paint(colour, word),
            call.name(),
            Escaped::new(call.input())
        );
        println!("            {}", paint(Colour::Dim, &Escaped::new(text).to_string()));
    }
}
