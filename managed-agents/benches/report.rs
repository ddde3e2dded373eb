//! What a report costs: one over 100 000 calls and their outcomes, beside reading and parsing the same entries, in one run.
//!
//! `cargo bench -p managed-agents --features report --bench report`; with `fill DIR COUNT` as arguments it only makes a record,
//! with some of everything in it, in a directory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

use std::path::Path;
use std::time::Instant;

use managed_agents::home::Home;
use managed_agents::report::{Format, Framework, Report, ReportOptions};
use managed_agents::store::{Durability, Reader, StoreOptions};
use managed_agents::{GovernanceDenied, Harness, governed};

const CALLS: usize = 100_000;

/// Sends a letter.
#[governed(risk = low, reversible)]
async fn letter(to: &str, subject: &str, copies: u32) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    if copies.is_multiple_of(97) {
        return Err("no paper".into());
    }
    Ok(to.len() + subject.len())
}

/// Looks up an order.
#[governed(risk = low, read_only)]
async fn order(number: u32) -> Result<u32, GovernanceDenied> {
    Ok(number)
}

/// Pays money.
#[governed(risk = high, irreversible, redact(card))]
async fn pay(amount: u32, card: &str) -> Result<u32, GovernanceDenied> {
    Ok(amount + card.len() as u32)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, dir, count] = &arguments[..]
        && word == "fill"
    {
        fill(Path::new(dir), count.parse().unwrap());
        return;
    }
    let root = std::env::temp_dir().join(format!("managed-agents-bench-report-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    fill(&root.join("data"), CALLS);
    measure(&root.join("data"));
    std::fs::remove_dir_all(&root).unwrap();
}

fn measure(dir: &Path) {
    let reader = Reader::open(dir).unwrap();
    let (mut reading, mut reporting) = (Vec::new(), Vec::new());
    let mut entries = 0;
    for _ in 0..5 {
        let begun = Instant::now();
        let mut next = 0;
        loop {
            let batch = reader.entries(next, 1_024).unwrap();
            let Some(last) = batch.last() else { break };
            next = last.sequence() + 1;
        }
        reading.push(begun.elapsed());

        let begun = Instant::now();
        let report = Report::of(&reader, &ReportOptions::new(Framework::EuAiAct), |_, _| ()).unwrap();
        let page = report.print(Format::Html);
        reporting.push(begun.elapsed());
        assert!(page.len() > 10_000);
        entries = report.figures().entries();
    }
    reading.sort();
    reporting.sort();
    println!(
        "report over {CALLS} calls, {entries} entries, as HTML: {:?} (goal: 5s); reading and parsing them: {:?}; ratio {:.2}",
        reporting[2],
        reading[2],
        reporting[2].as_secs_f64() / reading[2].as_secs_f64()
    );
}

fn fill(dir: &Path, calls: usize) {
    let options = StoreOptions::new(dir)
        .high_water(dir.with_extension("high-water"))
        .origin("bench.example/log")
        .durability(Durability::ProcessCrash);
    let home = Home::open(options).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let callers = calls.div_ceil(100).min(64);
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for caller in 0..callers {
            let agent = ["support-bot", "night-shift", "buyer"][caller % 3];
            let harness = Harness::builder().agent_id(agent).home(&home).build().await.unwrap();
            let each = calls / callers + usize::from(caller < calls % callers);
            let inner = harness.clone();
            let work = async move {
                for number in 0..each as u32 {
                    // what comes of it is in the record
                    match number % 10 {
                        0 => drop(pay(number, "4111 1111 1111 1111").await),
                        1..4 => drop(order(number).await),
                        4 if number % 40 == 4 => {
                            drop(inner.session("s").govern("drop_tables", serde_json::json!({})).await)
                        }
                        _ => drop(letter("ann@example.com", "Invoice 4711", number).await),
                    }
                }
            };
            tasks.push(tokio::spawn(async move { harness.scope(work).await }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        home.store().flush().await.unwrap();
    });
}
