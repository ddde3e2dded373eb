//! What the durable record costs: a governed call with its decision and outcome on disk, one caller and many; both durabilities
//! beside raw SQLite in the same run; and with `million` as an argument, verification and proofs at 1 000 000 records.
//!
//! `cargo bench -p managed-agents --features sqlite --bench record [-- million]`; `-- PART…` for some parts only: `certificate`,
//! `latency`, `throughput`, `durable`, `sizes`, each with the rest left out.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use managed_agents::audit::Recorder as _;
use managed_agents::audit::entry::{Statement, statement};
use managed_agents::identity::{Authority, Enrolment, Moment};
use managed_agents::store::{Depth, Durability, Store, StoreOptions};
use managed_agents::{AgentId, GovernanceDenied, Harness, governed};
use sha2::{Digest as _, Sha256};

/// Sends a letter.
#[governed(risk = low, reversible)]
async fn letter(to: &str, subject: &str, copies: u32) -> Result<usize, GovernanceDenied> {
    Ok(to.len() + subject.len() + copies as usize)
}

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let million = asked.iter().any(|argument| argument == "million");
    let all = asked.is_empty() || million;
    let wanted = |part: &str| (all && part != "sizes") || asked.iter().any(|argument| argument == part);
    let root = std::env::temp_dir().join(format!("managed-agents-bench-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    if wanted("certificate") {
        certificate(&root);
    }
    if wanted("latency") {
        latency(&root);
    }
    if wanted("throughput") {
        throughput(&root, "process_crash", Durability::ProcessCrash, 64, 400_000);
        apart(&root);
    }
    if wanted("durable") {
        durable(&root);
    }
    if million {
        large(&root, &[1_000, 10_000, 100_000, 1_000_000]);
    } else if wanted("sizes") {
        large(&root, &[1_000, 10_000, 100_000]);
    }
    std::fs::remove_dir_all(&root).unwrap();
}

fn options(root: &Path, name: &str) -> StoreOptions {
    StoreOptions::new(root.join(name))
        .high_water(root.join(format!("{name}.high-water")))
        .origin("bench.example/log")
        .log_key([7; 32])
}

fn harness(store: &Store) -> Harness {
    Harness::builder()
        .agent_id("bench")
        .recorder(store.clone())
        .build_blocking()
        .unwrap()
}

/// One caller: from the call to the body, decision on disk.
fn latency(root: &Path) {
    for (name, threads) in [("current_thread", 0), ("two workers", 2)] {
        let store = Store::open(options(root, &format!("latency-{threads}"))).unwrap();
        let harness = harness(&store);
        let mut times = Vec::new();
        runtime(threads).block_on(harness.scope(async {
            for number in 0..30_000_u32 {
                let begun = Instant::now();
                letter("ann@example.com", "Invoice 4711", number).await.unwrap();
                times.push(begun.elapsed());
            }
        }));
        let times = times.split_off(5_000);
        let [median, p90, p99] = quantiles(times);
        println!("one caller, {name}: median {median:?}, p90 {p90:?}, p99 {p99:?} (goal: median 60µs)");
    }
}

fn throughput(root: &Path, name: &str, durability: Durability, callers: usize, records: usize) -> f64 {
    let store = Store::open(options(root, &format!("{name}-{callers}")).durability(durability)).unwrap();
    let harness = harness(&store);
    let harnesses = vec![harness; callers];
    let rate = rate(&store, harnesses, durability, records);
    println!("{callers} callers, {name}: {rate:.0} records/s");
    rate
}

/// Callers that have a harness each, for one agent: each remembers the agent's behaviour for itself.
fn apart(root: &Path) {
    let store = Store::open(options(root, "apart")).unwrap();
    let harnesses = (0..64).map(|_| harness(&store)).collect();
    let rate = rate(&store, harnesses, Durability::ProcessCrash, 40_000);
    println!("64 callers, each with a harness of its own: {rate:.0} records/s");
}

fn rate(store: &Store, harnesses: Vec<Harness>, durability: Durability, records: usize) -> f64 {
    let callers = harnesses.len();
    let each = records / 2 / callers;
    let runtime = runtime(2);
    let begun = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> = harnesses
            .into_iter()
            .map(|harness| {
                let work = async move {
                    for number in 0..each {
                        letter("ann@example.com", "Invoice 4711", number as u32).await.unwrap();
                    }
                };
                tokio::spawn(async move { harness.scope(work).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        if durability == Durability::ProcessCrash {
            store.flush().await.unwrap();
        }
    });
    (each * callers * 2) as f64 / begun.elapsed().as_secs_f64()
}

/// `PowerLoss` beside raw SQLite: one connection, WAL, `synchronous=FULL`, rows as large, as many in a transaction, and checkpoints as rare.
/// Long enough that what happens once in an agent's life, as the thresholds of drift being made beside its calls, is no part of it.
fn durable(root: &Path) {
    let mut shares = Vec::new();
    for round in 0..3 {
        let ours = throughput(root, &format!("power_loss-{round}"), Durability::PowerLoss, 64, 64_000);
        let raw = raw(&root.join(format!("raw-{round}.db")), 64, 64_000);
        println!(
            "  raw SQLite, groups of 64: {raw:.0} rows/s; records: {:.2} of it, decisions alone: {:.2}",
            ours / raw,
            ours / 2.0 / raw
        );
        shares.push(ours / raw);
    }
    shares.sort_by(f64::total_cmp);
    println!("PowerLoss: {:.2} of raw group commit (goal 0.6)", shares[1]);
}

fn raw(path: &Path, group: usize, rows: usize) -> f64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode=wal; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=8192; CREATE TABLE t(seq INTEGER PRIMARY KEY, bytes BLOB)",
    )
    .unwrap();
    let row = vec![7_u8; 800];
    let begun = Instant::now();
    for _ in 0..rows / group {
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..group {
            db.execute("INSERT INTO t(bytes) VALUES(?1)", [&row]).unwrap();
        }
        db.execute_batch("COMMIT").unwrap();
    }
    (rows / group * group) as f64 / begun.elapsed().as_secs_f64()
}

/// Sizes from 1 000 to 1 000 000 records.
fn large(root: &Path, sizes: &[u64]) {
    let dir = root.join("large");
    let options = || options(root, "large");
    for size in sizes.iter().copied() {
        fill(&options, size);
        append_at(root, &options(), size);
        let reader = managed_agents::store::Reader::open(&dir).unwrap();
        let size = reader.head().unwrap().size();
        let mut proofs = Vec::new();
        for number in 0..200_u64 {
            let index = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
            let begun = Instant::now();
            reader.prove_inclusion(index, size).unwrap();
            proofs.push(begun.elapsed());
        }
        let [median, _, p99] = quantiles(proofs);
        println!("{size} records: inclusion proof median {median:?}, p99 {p99:?} (goal 1ms)");
        // in turns, and oftener where one takes a moment only
        let rounds = (300_000 / size).clamp(1, 31);
        let (mut floors, mut quick, mut deep, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            let (floor, read) = sha_floor(&reader, size);
            floors.push(floor);
            bytes = read;
            quick.push(timed(|| {
                assert!(reader.verify(Depth::Quick, |_| ()).unwrap().is_sound())
            }));
            deep.push(timed(|| {
                assert!(reader.verify(Depth::Deep, |_| ()).unwrap().is_sound())
            }));
        }
        let [floor, quick, deep] = [floors, quick, deep].map(|times| quantiles(times)[0]);
        println!(
            "{size} records, {} MB: SHA-256 {floor:?}; quick {quick:?} = {:.2} (goal 2.5); deep {deep:?} = {:.2} (goal 10)",
            bytes >> 20,
            quick.as_secs_f64() / floor.as_secs_f64(),
            deep.as_secs_f64() / floor.as_secs_f64(),
        );
    }
    println!("memory at most: {} MB", peak_memory() >> 10);
}

fn fill(options: &dyn Fn() -> StoreOptions, size: u64) {
    let store = Store::open(options()).unwrap();
    let there = store.reader().unwrap().head().unwrap().size();
    let calls = size.saturating_sub(there) / 2;
    let runtime = runtime(2);
    let harness = harness(&store);
    runtime.block_on(async {
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let harness = harness.clone();
                let work = async move {
                    for number in 0..calls / 64 {
                        letter("ann@example.com", "Invoice 4711", number as u32).await.unwrap();
                    }
                };
                tokio::spawn(async move { harness.scope(work).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        store.flush().await.unwrap();
    });
}

/// What one more call costs at this size, in turns with one more call of a record of 1 000.
fn append_at(root: &Path, options: &StoreOptions, size: u64) {
    let begun = Instant::now();
    let store = Store::open(options.clone()).unwrap();
    let opening = begun.elapsed();
    let small = self::options(root, &format!("floor-{size}"));
    fill(&|| small.clone(), 1_000);
    let floor = Store::open(small).unwrap();
    let begun = Instant::now();
    let large = harness(&store);
    let building = begun.elapsed();
    let small = harness(&floor);
    let mut times = [Vec::new(), Vec::new()];
    runtime(0).block_on(async {
        for number in 0..3_000 {
            for (harness, times) in [&small, &large].into_iter().zip(&mut times) {
                let begun = Instant::now();
                harness
                    .scope(letter("ann@example.com", "Invoice 4711", number))
                    .await
                    .unwrap();
                times.push(begun.elapsed());
            }
        }
    });
    let [floor, [median, p90, _]] = times.map(quantiles);
    println!(
        "{size} records: open {opening:?}, a harness that learns its agent {building:?}, one more call median {median:?}, p90 {p90:?}: {:.2} of one with 1000 records, in turns (goal 0.85 to 1.15)",
        median.as_secs_f64() / floor[0].as_secs_f64()
    );
}

/// What each decision asks of an agent's certificate: in the process, and with the epoch as the transaction reads it.
fn certificate(root: &Path) {
    let store = Store::open(options(root, "certificate")).unwrap();
    let now = Moment::now();
    let agent = AgentId::parse("bench").unwrap();
    let authority = Authority::generate(None, now).unwrap();
    let issued = authority.issue(&Enrolment::new(agent.clone()), now).unwrap();
    let entry = Statement::new("agent", now.into(), issued.passport().as_json());
    let entry = statement(&entry.about_agent("bench")).unwrap();
    runtime(0).block_on(store.append(entry, true)).unwrap();
    let db = rusqlite::Connection::open(root.join("certificate").join("record.db")).unwrap();
    let mut epoch = db
        .prepare("SELECT size, epoch, checkpoints, synced_size FROM tree WHERE id = 0")
        .unwrap();
    let mut times = [Vec::new(), Vec::new()];
    let at = std::time::SystemTime::now();
    for _ in 0..2_000 {
        let begun = Instant::now();
        for _ in 0..100 {
            assert!(std::hint::black_box(&store).admits(&agent, at).is_ok());
        }
        times[0].push(begun.elapsed() / 100);
    }
    // a transaction is open while a decision is written
    db.execute_batch("BEGIN").unwrap();
    for _ in 0..2_000 {
        let begun = Instant::now();
        for _ in 0..100 {
            let read: i64 = epoch.query_row([], |row| row.get(1)).unwrap();
            assert!(std::hint::black_box(&store).admits(&agent, at).is_ok() && std::hint::black_box(read) > 0);
        }
        times[1].push(begun.elapsed() / 100);
    }
    let [[alone, ..], [with_epoch, ..]] = times.map(quantiles);
    println!("certificate check: median {alone:?} (goal 200ns), with the epoch read {with_epoch:?} (goal 2µs)");
}

/// SHA-256 over the bytes of every record, which are in memory.
fn sha_floor(reader: &managed_agents::store::Reader, size: u64) -> (Duration, usize) {
    let mut bytes = 0;
    let mut time = Duration::ZERO;
    let mut next = 0;
    while next < size {
        let entries = reader.entries(next, 4_096).unwrap();
        next += entries.len() as u64;
        let begun = Instant::now();
        for entry in &entries {
            std::hint::black_box(Sha256::digest(entry.as_bytes()));
        }
        time += begun.elapsed();
        bytes += entries.iter().map(|entry| entry.as_bytes().len()).sum::<usize>();
    }
    (time, bytes)
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn quantiles(mut times: Vec<Duration>) -> [Duration; 3] {
    times.sort();
    [50, 90, 99].map(|percent| times[times.len() * percent / 100])
}

fn runtime(workers: usize) -> tokio::runtime::Runtime {
    let mut builder = match workers {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if workers > 0 {
        builder.worker_threads(workers);
    }
    builder.enable_all().build().unwrap()
}

/// The most memory that this process had, in KiB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}
