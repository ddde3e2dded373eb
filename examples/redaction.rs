//! Redaction: what is secret stays in the process.
//!
//! A redacted argument is judged, and the body gets it; a ticket, a record, an error, a log and a remote service see
//! `"[redacted]"`, and so does everything that is made from it.

use examples::{Outcome, governance, show};
use managed_agents::approval::ApproverKey;
use managed_agents::remote::Remote;
use managed_agents::{GovernanceDenied, Harness, governed};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A card. `JsonSchema` would be needed as well, were this a tool of a model's.
#[derive(Deserialize, Serialize)]
struct Card {
    number: String,
    holder: String,
}

/// Charge a card.
#[governed(risk = high, reversible, redact(card.number, note), target = card.number.clone(), no_tool)]
async fn charge(card: &Card, cents: u64, note: &str) -> Result<String, GovernanceDenied> {
    let digits = card.number.len();
    Ok(format!("charged {cents} to a card of {digits} digits ({note})"))
}

#[tokio::main]
async fn main() -> Outcome {
    let card = Card {
        number: "4111111111111111".to_owned(),
        holder: "Ann".to_owned(),
    };
    let approver = ApproverKey::generate()?;
    let harness = Harness::builder()
        .in_memory()
        .agent_id("till")
        .approver("ann", approver.public())
        // tools that are called by name are redacted by JSON pointer
        .redact("wire_transfer", "/iban")
        .build()
        .await?;

    show::heading("The refusal, and what waits for a person");
    if let Err(denied) = harness.scope(charge(&card, 500, "birthday")).await {
        println!("  {denied}");
    }
    let _ = harness
        .govern(
            "wire_transfer",
            json!({"iban": "DE89 3704 0044 0532 0130 00", "cents": 900}),
        )
        .await;
    for ticket in harness.pending() {
        println!("  {} {}", ticket.tool(), ticket.arguments_for_display());
        harness.approve(ticket.id(), &approver)?;
    }

    show::heading("Approved, the body has the true values");
    println!("  {}", harness.scope(charge(&card, 500, "birthday")).await?);
    for entry in harness.records() {
        println!(
            "  recorded: {} target {:?}",
            entry.decision().tool(),
            entry.decision().target()
        );
    }

    show::heading("What a remote service is sent");
    let service = governance::serve(|posted| {
        println!("  {posted}");
        governance::Ruling::ALLOW
    })
    .await?;
    let remote = Remote::builder()
        .endpoint(format!("{}/api/v1/govern", service.url()))
        .build()?;
    let harness = Harness::builder()
        .in_memory()
        .agent_id("till")
        .governor(remote)
        .build()
        .await?;
    println!("  {}", harness.scope(charge(&card, 500, "birthday")).await?);
    println!("  ({} is nobody's secret)", card.holder);
    Ok(())
}
