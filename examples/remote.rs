//! A governance service over HTTP as the governor.
//!
//! With `MANAGED_AGENTS_ENDPOINT` and `MANAGED_AGENTS_API_KEY` a real service decides; without, a small server on this
//! machine stands in for one. Calls are governed by name here, as for tools whose bodies are not under `#[governed]`.
#![expect(clippy::indexing_slicing, reason = "a JSON value without the key is null")]

use std::time::Duration;

use examples::governance::{self, Ruling};
use examples::{Outcome, Server, set, show};
use managed_agents::harness::CircuitBreaker;
use managed_agents::remote::{PolicyPreset, Remote};
use managed_agents::{GovernanceDenied, Harness, Risk, Secret, ToolMeta};
use serde_json::json;
use show::{Colour, paint};

#[tokio::main]
async fn main() -> Outcome {
    let (builder, _server) = match set("MANAGED_AGENTS_ENDPOINT") {
        Some(endpoint) => {
            println!("The service is at {endpoint}.");
            let builder = Remote::builder().endpoint(endpoint);
            // without a key only a service on this machine is asked: `build` sees to that
            match set("MANAGED_AGENTS_API_KEY") {
                Some(key) => (builder.api_key(Secret::parse(&key)?), None),
                None => (builder, None),
            }
        }
        None => {
            let server = stand_in().await?;
            println!(
                "The service is a stand-in at {}: MANAGED_AGENTS_ENDPOINT is not set.",
                server.url()
            );
            (
                Remote::builder().endpoint(format!("{}/api/v1/govern", server.url())),
                Some(server),
            )
        }
    };
    let remote = builder.platform("custom").policy(PolicyPreset::shell()).build()?;
    let harness = Harness::builder()
        .in_memory()
        .agent_id(set("MANAGED_AGENTS_AGENT_ID").unwrap_or_else(|| "nmc-deploy".to_owned()))
        .governor(remote)
        .circuit_breaker(CircuitBreaker::default())
        .wait_for_approval(Duration::from_secs(10))
        .declare(ToolMeta::new("host.run").with_risk(Risk::High))
        .build()
        .await?;
    harness.health().await?;

    let session = harness.session("deployment-12");
    show::heading("Calls by name");
    for command in ["ls -la", "systemctl restart shop", "rm -rf /var/lib/shop"] {
        let permit = match session.govern("host.run", json!({"command": command})).await {
            Ok(permit) => permit,
            Err(denied) => {
                println!("  {} {denied}", paint(Colour::Red, "refused:"));
                continue;
            }
        };
        // what runs are the judged arguments, not what was asked for
        let ran = permit
            .run(async |arguments| Ok::<_, GovernanceDenied>(format!("{}", arguments["command"])))
            .await?;
        println!("  {} {ran}", paint(Colour::Green, "ran:"));
    }

    let summary = session.summary();
    show::heading("The session and the record");
    println!(
        "  {} verdicts: {} allowed, {} escalated, {} denied; mean confidence {:.2}",
        summary.total(),
        summary.allowed(),
        summary.escalated(),
        summary.denied(),
        summary.mean_ucs().unwrap_or(0.0)
    );
    show::records(&harness);
    Ok(())
}

/// A service with three rules, whose reviewer approves.
async fn stand_in() -> std::io::Result<Server> {
    governance::serve(|posted| match posted["target"].as_str() {
        Some(target) if target.starts_with("rm ") => Ruling::deny("deletes without a way back"),
        Some(target) if target.starts_with("systemctl ") => Ruling::escalate("restarts a service"),
        _ => Ruling::ALLOW,
    })
    .await
}
