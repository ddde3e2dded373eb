//! What people cost: opening a ticket, redeeming an approval (its signature checked), and listing what waits among 1 000 000 tickets.
//!
//! Each beside a floor in the same run: a call that is only recorded, and an Ed25519 signature that is only checked. Once where
//! nothing is ever fsynced (`/dev/shm`), and once on a disk, beside a raw fsync of as much to a file beside the record. An approval is once
//! written by the process that uses it, and once by another, of which this one reads first.
//!
//! `cargo bench -p managed-agents --features sqlite --bench people`; with `-- quick`, only what needs no disk and no million of tickets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use managed_agents::approval::ApproverKey;
use managed_agents::store::{Reader, Store, StoreOptions, TicketQuery};
use managed_agents::{GovernanceDenied, Harness, governed};

const CALLS: u32 = 1_200;
/// How many of one kind are measured in a row; at most 20 tickets may wait at once.
const GROUP: u32 = 12;

/// Pays.
#[governed(risk = high)]
async fn pay(to: &str, cents: u32, memo: &str) -> Result<u32, GovernanceDenied> {
    Ok(cents + (to.len() + memo.len()) as u32)
}

/// Sends a letter.
#[governed(risk = low, reversible)]
async fn letter(to: &str, cents: u32, memo: &str) -> Result<u32, GovernanceDenied> {
    Ok(cents + (to.len() + memo.len()) as u32)
}

fn main() {
    let name = format!("managed-agents-people-{}", std::process::id());
    signature();
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        with(&memory.join(&name), "without a disk");
    }
    if quick() {
        return;
    }
    let disk = std::env::temp_dir().join(&name);
    with(&disk, "on a disk");
}

fn quick() -> bool {
    std::env::args().any(|argument| argument == "quick")
}

fn with(root: &Path, place: &str) {
    std::fs::create_dir_all(root).unwrap();
    let store = Store::open(
        StoreOptions::new(root.join("data"))
            .high_water(root.join("high-water"))
            .origin("bench.example/log")
            .log_key([7; 32]),
    )
    .unwrap();
    let ann = ApproverKey::generate().unwrap();
    // as another process has it
    let other = Store::open(
        StoreOptions::new(root.join("data"))
            .high_water(root.join("high-water"))
            .origin("bench.example/log")
            .log_key([7; 32]),
    )
    .unwrap();
    let approver = Harness::builder()
        .agent_id("approver")
        .recorder(other.clone())
        .approver("ann", ann.public())
        .build_blocking()
        .unwrap();
    let harness = Harness::builder()
        .agent_id("bench")
        .recorder(store.clone())
        .approver("ann", ann.public())
        .build_blocking()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(harness.scope(async {
        let (mut recorded, mut opened, mut redeemed, mut read) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut after, mut synced) = (Vec::new(), Vec::new());
        let mut file = std::fs::File::create(root.join("synced")).unwrap();
        // in groups by turns, so that all are measured in the same state of machine and record
        for turn in 0..CALLS / GROUP {
            let group = turn * GROUP..(turn + 1) * GROUP;
            for number in group.clone() {
                let begun = Instant::now();
                letter("ann@example.com", number, "Invoice 4711").await.unwrap();
                recorded.push(begun.elapsed());
            }
            // by turns in this process and in another
            let here = turn.is_multiple_of(2);
            let mut tickets = Vec::new();
            for number in group.clone() {
                if !here {
                    let other = letter("ann@example.com", number, "Invoice 4711");
                    approver.scope(other).await.unwrap();
                }
                let begun = Instant::now();
                let denied = pay("ann@example.com", number, "Invoice 4711").await.unwrap_err();
                if here { &mut opened } else { &mut after }.push(begun.elapsed());
                tickets.push(denied.ticket().unwrap().to_owned());
            }
            for ticket in &tickets {
                let approver = if here { &harness } else { &approver };
                approver.approve(ticket, &ann).unwrap();
            }
            for number in group {
                let begun = Instant::now();
                pay("ann@example.com", number, "Invoice 4711").await.unwrap();
                if here { &mut redeemed } else { &mut read }.push(begun.elapsed());
            }
            for number in 0..GROUP {
                // as many pages as the transaction of a redemption writes
                file.write_all(&[number as u8; 14 * 4096]).unwrap();
                let begun = Instant::now();
                file.sync_data().unwrap();
                synced.push(begun.elapsed());
            }
        }
        let recorded = median(recorded);
        let synced = median(synced);
        for (what, goal, sync, times) in [
            ("opening a ticket", 100, None, opened),
            ("opening a ticket after another process wrote", 100, None, after),
            ("redeeming an approval", 150, Some(synced), redeemed),
            ("redeeming an approval of another process", 150, Some(synced), read),
        ] {
            let median = median(times);
            let apart = sync.map_or(String::new(), |sync| {
                format!(", {:?} without the fsync, which takes {sync:?} by itself", median.saturating_sub(sync))
            });
            println!(
                "{what}, {place}: median {median:?}{apart} ({:.2} of a call that is only recorded, {recorded:?}; goal {goal}µs)",
                median.as_secs_f64() / recorded.as_secs_f64()
            );
        }
    }));
    drop((harness, approver, store, other));
    if place == "without a disk" && !quick() {
        listing(root);
    }
    std::fs::remove_dir_all(root).unwrap();
}

/// 100 that wait among 1 000 000 that were used: rows as the library wrote them, a million times, in a few large transactions.
fn listing(root: &Path) {
    let db = rusqlite::Connection::open(root.join("data").join("record.db")).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; DELETE FROM bound")
        .unwrap();
    for part in 0..10 {
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1 + 100000) \
             INSERT INTO tickets SELECT 1000000 + i, 'tkt_' || printf('%020x', i), agent, tool, definition, session, rules, digest, needed, \
             'consumed', opened, expires, 1, subject, nonce, box, mark FROM n, (SELECT * FROM tickets LIMIT 1)",
            [part * 100_000],
        )
        .unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    db.execute_batch(
        "INSERT INTO bound SELECT agent, randomblob(32), place, 'pending', expires, randomblob(32), x'00' \
         FROM tickets WHERE place >= 1000000 AND place % 10000 = 0 ORDER BY place LIMIT 100",
    )
    .unwrap();
    drop(db);
    let mut times = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        let reader = Reader::open(root.join("data")).unwrap();
        let listed = reader.tickets(&TicketQuery::open()).unwrap();
        times.push(begun.elapsed());
        assert_eq!(listed.len(), 100);
    }
    println!(
        "listing 100 of 1 000 000 tickets, the file opened anew: median {:?} (goal 5ms)",
        median(times)
    );
}

/// The floor of a redemption.
fn signature() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let message = [5; 700];
    let signature = key.sign(&message);
    let times = (0..2_000).map(|_| {
        let begun = Instant::now();
        std::hint::black_box(key.verifying_key().verify_strict(&message, &signature)).unwrap();
        begun.elapsed()
    });
    println!(
        "checking a signature over 700 bytes: median {:?}",
        median(times.collect())
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
