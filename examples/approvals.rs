//! Approvals: a call waits for a person, who decides with a key, while the agent goes on.
//!
//! With `wait_for_approval` a call stands still until somebody has decided; without, it is refused at once and runs when it
//! is made again. Either way one approval runs at most one call, of exactly these arguments.
//! The queue of this version lives in the process and is lost with it.

use std::time::Duration;

use examples::{Outcome, show};
use managed_agents::approval::ApproverKey;
use managed_agents::{GovernanceDenied, Harness, governed};

/// Open the shop's door.
#[governed(risk = high)]
async fn open_door(door: &str) -> Result<String, GovernanceDenied> {
    Ok(format!("{door} door is open"))
}

#[tokio::main]
async fn main() -> Outcome {
    // in a program that matters the key is on the approver's machine, and only its public half is here
    let ann = ApproverKey::generate()?;
    let stranger = ApproverKey::generate()?;
    let builder = || {
        Harness::builder()
            .in_memory()
            .agent_id("porter")
            .approver("ann", ann.public())
    };

    show::heading("Refused until somebody has decided");
    let harness = builder().build().await?;
    let denied = refusal(harness.scope(open_door("front")).await)?;
    println!("  {denied}");
    let ticket = denied.ticket().unwrap_or_default();
    if let Err(error) = harness.approve(ticket, &stranger) {
        println!("  a stranger's key: {error}");
    }
    harness.approve(ticket, &ann)?;
    let other = refusal(harness.scope(open_door("back")).await)?;
    println!("  other arguments: {:?} ({})", other.kind(), other.code());
    println!("  these arguments: {}", harness.scope(open_door("front")).await?);
    let again = refusal(harness.scope(open_door("front")).await)?;
    println!("  once more:       {:?} ({})", again.kind(), again.code());

    show::heading("Rejected, with a reason for the model");
    harness.reject(again.ticket().unwrap_or_default(), &ann, "the shop is closed")?;
    let rejected = refusal(harness.scope(open_door("front")).await)?;
    println!(
        "  {:?} ({}): {}",
        rejected.kind(),
        rejected.code(),
        rejected.reason_for_model()
    );

    show::heading("Waiting for a person");
    let harness = builder().wait_for_approval(Duration::from_secs(5)).build().await?;
    let waiting = harness.spawn(open_door("side"));
    let ticket = loop {
        match harness.pending().first() {
            Some(ticket) => break ticket.clone(),
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    println!("  {} waits: {}", ticket.tool(), ticket.arguments_for_display());
    harness.approve(ticket.id(), &ann)?;
    println!("  {}", waiting.await??);

    show::heading("The record of the last");
    show::records(&harness);
    Ok(())
}

/// The refusal of a call that should have been refused.
fn refusal(result: Result<String, GovernanceDenied>) -> Result<GovernanceDenied, String> {
    match result {
        Ok(done) => Err(format!("this should have been refused: {done}")),
        Err(denied) => Ok(denied),
    }
}
