//! Failing and escalation modes: every row of the table in `docs/escalation.md`, run against a governance service that
//! escalates everything, and then goes away.

use examples::{Outcome, governance, show};
use managed_agents::harness::HarnessBuilder;
use managed_agents::remote::Remote;
use managed_agents::{GovernanceDenied, Harness, governed};

/// Move a file.
#[governed(risk = low, reversible)]
async fn move_file(from: &str, to: &str) -> Result<(), GovernanceDenied> {
    let _ = (from, to);
    Ok(())
}

/// Format a disk.
#[governed(risk = critical, irreversible)]
async fn format_disk(disk: &str) -> Result<(), GovernanceDenied> {
    let _ = disk;
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome {
    let service = governance::serve(|_| governance::Ruling::escalate("ask a person first")).await?;
    let url = format!("{}/api/v1/govern", service.url());
    let remote = Remote::builder().endpoint(&url).build()?;
    let harness = |block, open| -> HarnessBuilder {
        Harness::builder()
            .in_memory()
            .agent_id("mover")
            .governor(remote.clone())
            .block_on_escalate(block)
            .fail_open(open)
    };
    let modes = [(true, false), (true, true), (false, false), (false, true)];

    let mut rows = Vec::new();
    for (block, open) in modes {
        let harness = harness(block, open).build().await?;
        let _ = harness.scope(move_file("a", "b")).await;
        let _ = harness.scope(format_disk("sda")).await;
        rows.push([last(&harness, 0), last(&harness, 1)]);
    }
    // from here on nobody listens at the service's address
    service.stop().await;
    let mut table = Vec::new();
    for ((block, open), [moved, formatted]) in modes.into_iter().zip(rows) {
        let harness = harness(block, open).build().await?;
        let _ = harness.scope(move_file("a", "b")).await;
        table.push([block.to_string(), open.to_string(), moved, formatted, last(&harness, 0)]);
    }
    show::heading("What the harness made of a call, by mode");
    show::table(
        [
            "block_on_escalate",
            "fail_open",
            "escalated: low risk",
            "escalated: critical",
            "service away",
        ],
        &table,
    );

    show::heading("Observing: judged and recorded, not enforced");
    let harness = harness(true, false).dangerous().observe_only().build().await?;
    harness.scope(format_disk("sda")).await?;
    show::records(&harness);
    Ok(())
}

/// What became of a call, by its place in the record.
fn last(harness: &Harness, place: usize) -> String {
    harness
        .records()
        .get(place)
        .map_or_else(String::new, |entry| entry.decision().disposition().to_string())
}
