//! An audit trail: ours, on disk and in memory, beside `agentmesh`'s, which is in memory alone, in turns in one run. Prints a table as Markdown.
//!
//! What an entry says differs, and the table says how. One of ours is a whole governed call, with its decision and its outcome.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use agentmesh::AuditLogger;
use managed_agents::store::{Depth, Reader, Store, StoreOptions};
use managed_agents::{GovernanceDenied, Harness, governed};

const TURNS: usize = 200;
const CALLS: usize = 100;
/// As many entries as the peer's newest version keeps when nothing is said.
const VERIFIED: usize = 100_000;

/// Sends a letter.
#[governed(risk = low, reversible)]
async fn letter(to: &str, subject: &str, copies: u32) -> Result<usize, GovernanceDenied> {
    Ok(black_box(to.len() + subject.len() + copies as usize))
}

fn main() {
    let root = std::env::temp_dir().join(format!("managed-agents-trail-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    let store = Store::open(options(&root, "turns")).unwrap();
    let durable = Harness::builder().agent_id("bench").recorder(store.clone());
    let durable = durable.build_blocking().unwrap();
    let memory = Harness::builder().agent_id("bench").in_memory().build_blocking().unwrap();
    let peer = AuditLogger::new();
    let runtime = runtime();

    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        times[0].push(each(|| {
            black_box(peer.log("bench", "letter", "allow"));
            black_box(peer.log("bench", "letter", "ok"));
        }));
        for (harness, times) in [&memory, &durable].into_iter().zip(&mut times[1..]) {
            times.push(runtime.block_on(harness.scope(async {
                let begun = Instant::now();
                for number in 0..CALLS {
                    letter("ann@example.com", "Invoice 4711", number as u32).await.unwrap();
                }
                begun.elapsed() / CALLS as u32
            })));
        }
    }
    let [theirs, in_memory, on_disk] = times.map(median);
    println!("| two entries: what is decided of a call, and how it ends | median | over the peer | |");
    println!("|---|--:|--:|---|");
    let row = |name: &str, time: Duration, what: &str| {
        let ratio = time.as_secs_f64() / theirs.as_secs_f64();
        println!("| {name} | {:.2} µs | {ratio:.1}× | {what} |", time.as_secs_f64() * 1e6);
    };
    row("agentmesh 3.2.2", theirs, "agent, action and a word in a hash chain in memory: nothing survives the process; nothing is judged");
    row("ours, in memory", in_memory, "judged, digest of three typed arguments, the body, both records");
    row("ours, on disk", on_disk, "judged, three salted commitments, values encrypted, Merkle tree; acknowledged when a killed process cannot lose it");

    println!();
    println!("| {VERIFIED} entries verified | median | over the peer | |");
    println!("|---|--:|--:|---|");
    let peer = AuditLogger::new();
    for _ in 0..VERIFIED {
        peer.log("bench", "letter", "allow");
    }
    fill(&root, VERIFIED / 2);
    let reader = Reader::open(root.join("verified")).unwrap();
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..9 {
        times[0].push(timed(|| assert!(peer.verify())));
        for (depth, times) in [Depth::Quick, Depth::Deep].into_iter().zip(&mut times[1..]) {
            times.push(timed(|| assert!(reader.verify(depth, |_| ()).unwrap().is_sound())));
        }
    }
    let [theirs, quick, deep] = times.map(median);
    let row = |name: &str, time: Duration, what: &str| {
        let ratio = time.as_secs_f64() / theirs.as_secs_f64();
        println!("| {name} | {:.1} ms | {ratio:.1}× | {what} |", time.as_secs_f64() * 1e3);
    };
    row("agentmesh 3.2.2", theirs, "each entry's hash, in memory; who holds the memory can write a chain anew: nothing is signed");
    row("ours, quick", quick, "read from disk; every entry, tile, root and signed head");
    row("ours, deep", deep, "also every value opened, every table that follows from entries made anew");
    std::fs::remove_dir_all(&root).unwrap();
}

fn options(root: &Path, name: &str) -> StoreOptions {
    StoreOptions::new(root.join(name))
        .high_water(root.join(format!("{name}.high-water")))
        .origin("bench.example/log")
        .log_key([7; 32])
}

fn fill(root: &Path, calls: usize) {
    let store = Store::open(options(root, "verified")).unwrap();
    let harness = Harness::builder().agent_id("bench").recorder(store.clone());
    let harness = harness.build_blocking().unwrap();
    let runtime = runtime();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let harness = harness.clone();
                tokio::spawn(async move {
                    let work = async {
                        for number in 0..calls / 64 {
                            letter("ann@example.com", "Invoice 4711", number as u32).await.unwrap();
                        }
                    };
                    harness.scope(work).await;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        store.flush().await.unwrap();
    });
}

fn each(mut work: impl FnMut()) -> Duration {
    let begun = Instant::now();
    for _ in 0..CALLS {
        work();
    }
    begun.elapsed() / CALLS as u32
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}
