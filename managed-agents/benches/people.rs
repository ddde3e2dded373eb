//! What people cost: opening a ticket, redeeming an approval (its signature checked), and listing what waits among 1 000 000 tickets.
//!
//! Each beside a floor in the same run: a call that is only recorded, and an Ed25519 signature that is only checked. Once where
//! nothing is ever fsynced (`/dev/shm`), and once on a disk, beside a raw fsync of as much to a file beside the record. An approval is
//! written by the process that uses it, or by another: then it is used in the same moment, before this process has read of it, or a
//! tenth of a second later, between other calls, or after a pause in which this process slept.
//!
//! `cargo bench -p managed-agents --features sqlite --bench people`; with `-- quick`, only what needs no disk and no million of tickets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that fails should stop"
)]

use std::future::Future;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer as _, SigningKey};
use managed_agents::approval::ApproverKey;
use managed_agents::store::{Reader, Store, StoreOptions, TicketQuery};
use managed_agents::{GovernanceDenied, Harness, governed};

const CALLS: u32 = 1_800;
/// How many are measured one by one, after a pause each, and how many are waited for.
const LATER: u32 = 100;
const WAITS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(100);
/// Long enough for another process to have written all that it had, and to have fallen asleep.
const MOMENT: Duration = Duration::from_micros(300);
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
    let patient = Harness::builder()
        .agent_id("patient")
        .recorder(store.clone())
        .approver("ann", ann.public())
        .wait_for_approval(Duration::from_secs(10))
        .build_blocking()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut times = Times::default();
    let mut file = std::fs::File::create(root.join("synced")).unwrap();
    // in groups by turns, so that all are measured in the same state of machine and record
    for turn in 0..CALLS / GROUP {
        let group = turn * GROUP..(turn + 1) * GROUP;
        let decided = [Decided::Here, Decided::Elsewhere, Decided::Before][turn as usize % 3];
        runtime.block_on(harness.scope(in_a_row(group, decided, &approver, &ann, &mut times)));
        for number in 0..GROUP {
            // as many pages as the transaction of a redemption writes
            file.write_all(&[number as u8; 14 * 4096]).unwrap();
            times.synced.time(|| file.sync_data().unwrap());
        }
    }
    for number in 0..LATER {
        runtime.block_on(harness.scope(one_by_one(number, &approver, &ann, &mut times)));
    }
    for number in 0..WAITS {
        runtime.block_on(waited_for(number, &patient, &approver, &ann, &mut times));
    }
    times.print(place);
    drop((harness, patient, approver, store, other));
    if place == "without a disk" && !quick() {
        listing(root);
    }
    std::fs::remove_dir_all(root).unwrap();
}

/// Where people decide on what a group asks, and when what it redeems was decided.
#[derive(Clone, Copy, PartialEq)]
enum Decided {
    Here,
    /// In another process, which also wrote just before each ticket is opened.
    Elsewhere,
    /// In another process, a tenth of a second ago: as soon as any person's answer finds the call that comes back for it.
    Before,
}

#[derive(Default)]
struct Times {
    synced: Kind,
    recorded: Kind,
    recorded_idle: Kind,
    recorded_after: Kind,
    opened: Kind,
    opened_after: Kind,
    opened_soon_after: Kind,
    redeemed: Kind,
    redeemed_at_once: Kind,
    redeemed_before: Kind,
    paused_recorded: Kind,
    paused_opened: Kind,
    paused_redeemed: Kind,
    waited: Kind,
}

/// The times of one kind.
#[derive(Default)]
struct Kind(Vec<Duration>);

impl Kind {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.0.push(begun.elapsed());
        done
    }

    async fn of<T>(&mut self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.0.push(begun.elapsed());
        done
    }
}

/// Records, opens and redeems, each twelve times in a row: everything that this process needs is awake and at hand, as far as others let it.
async fn in_a_row(group: Range<u32>, decided: Decided, approver: &Harness, ann: &ApproverKey, times: &mut Times) {
    const MEMO: &str = "Invoice 4711";
    for number in group.clone() {
        let recorded = letter("ann@example.com", number, MEMO);
        times.recorded.of(recorded).await.unwrap();
    }
    if decided != Decided::Here {
        for number in group.clone() {
            awake(MOMENT);
            times
                .recorded_idle
                .of(letter("ann@example.com", number, MEMO))
                .await
                .unwrap();
        }
        for number in group.clone() {
            approver.scope(letter("bob@example.com", number, MEMO)).await.unwrap();
            if decided == Decided::Before {
                awake(MOMENT);
                times
                    .recorded_after
                    .of(letter("ann@example.com", number, MEMO))
                    .await
                    .unwrap();
            }
        }
    }
    let mut tickets = Vec::new();
    for number in group.clone() {
        let opened = match decided {
            Decided::Here => &mut times.opened,
            Decided::Elsewhere => &mut times.opened_after,
            Decided::Before => &mut times.opened_soon_after,
        };
        if decided != Decided::Here {
            approver.scope(letter("bob@example.com", number, MEMO)).await.unwrap();
        }
        if decided == Decided::Before {
            awake(MOMENT);
        }
        let denied = opened.of(pay("ann@example.com", number, MEMO)).await.unwrap_err();
        tickets.push(denied.ticket().unwrap().to_owned());
    }
    for ticket in &tickets {
        if decided == Decided::Here {
            let here = Harness::current().unwrap();
            here.approve(ticket, ann).unwrap();
        } else {
            approver.approve(ticket, ann).unwrap();
        }
    }
    if decided == Decided::Before {
        // the agent goes on with other calls meanwhile
        let begun = Instant::now();
        while begun.elapsed() < PAUSE {
            letter("ann@example.com", 0, MEMO).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for number in group.clone() {
            letter("ann@example.com", number, MEMO).await.unwrap();
        }
    }
    for number in group {
        let redeemed = match decided {
            Decided::Here => &mut times.redeemed,
            Decided::Elsewhere => &mut times.redeemed_at_once,
            Decided::Before => &mut times.redeemed_before,
        };
        redeemed.of(pay("ann@example.com", number, MEMO)).await.unwrap();
    }
}

/// Records, opens and redeems, each after a tenth of a second in which this process slept and another wrote.
async fn one_by_one(number: u32, approver: &Harness, ann: &ApproverKey, times: &mut Times) {
    const MEMO: &str = "Invoice 4712";
    let elsewhere = || approver.scope(letter("bob@example.com", number, MEMO));
    elsewhere().await.unwrap();
    tokio::time::sleep(PAUSE).await;
    let recorded = letter("ann@example.com", number, MEMO);
    times.paused_recorded.of(recorded).await.unwrap();
    elsewhere().await.unwrap();
    tokio::time::sleep(PAUSE).await;
    let denied = times
        .paused_opened
        .of(pay("ann@example.com", number, MEMO))
        .await
        .unwrap_err();
    approver.approve(denied.ticket().unwrap(), ann).unwrap();
    tokio::time::sleep(PAUSE).await;
    let redeemed = pay("ann@example.com", number, MEMO);
    times.paused_redeemed.of(redeemed).await.unwrap();
}

/// From a decision to the end of the call that waits for it.
async fn waited_for(number: u32, patient: &Harness, approver: &Harness, ann: &ApproverKey, times: &mut Times) {
    let decide = async {
        tokio::time::sleep(Duration::from_millis(30) + Duration::from_micros(u64::from(number) * 377)).await;
        let ticket = patient.pending().pop().unwrap();
        approver.approve(ticket.id(), ann).unwrap();
        Instant::now()
    };
    let (ran, decided) = tokio::join!(patient.scope(pay("ann@example.com", number, "Invoice 4713")), decide);
    ran.unwrap();
    times.waited.0.push(decided.elapsed());
}

/// Stays awake for so long.
fn awake(moment: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < moment {
        std::hint::spin_loop();
    }
}

impl Times {
    fn print(self, place: &str) {
        let recorded = median(self.recorded.0);
        let recorded_after = median(self.recorded_after.0);
        let paused = median(self.paused_recorded.0);
        for (what, median) in [
            ("", recorded),
            (", 0.3 ms after the last", median(self.recorded_idle.0)),
            (", another process wrote 0.3 ms ago", recorded_after),
            (", after a pause of 0.1 s in which another process wrote", paused),
        ] {
            println!("a call that is only recorded{what}, {place}: median {median:?}");
        }
        let synced = median(self.synced.0);
        let (open, redeem) = (Some(100), Some(150));
        for (what, goal, floor, times) in [
            ("opening a ticket", open, recorded, self.opened),
            (
                "opening a ticket, another process wrote 0.3 ms ago",
                open,
                recorded_after,
                self.opened_soon_after,
            ),
            (
                "opening a ticket, another process wrote right before",
                open,
                recorded_after,
                self.opened_after,
            ),
            ("redeeming an approval", redeem, recorded, self.redeemed),
            (
                "redeeming an approval of another process, 0.1 s later, between other calls",
                redeem,
                recorded,
                self.redeemed_before,
            ),
            (
                "redeeming an approval of another process, at once",
                redeem,
                recorded,
                self.redeemed_at_once,
            ),
            (
                "opening a ticket after a pause of 0.1 s",
                None,
                paused,
                self.paused_opened,
            ),
            (
                "redeeming an approval of another process after a pause of 0.1 s",
                None,
                paused,
                self.paused_redeemed,
            ),
        ] {
            let median = median(times.0);
            let apart = match what.starts_with("redeeming") {
                true => format!(
                    ", {:?} without an fsync, which takes {synced:?} by itself",
                    median.saturating_sub(synced)
                ),
                false => String::new(),
            };
            let goal = goal.map_or(String::new(), |goal| format!("; goal {goal}µs"));
            println!(
                "{what}, {place}: median {median:?}{apart} ({:.2} of a call that is only recorded in the same state, {floor:?}{goal})",
                median.as_secs_f64() / floor.as_secs_f64()
            );
        }
        println!(
            "from a decision of another process to the end of the call that waits for it, {place}: median {:?} (goal 50ms)",
            median(self.waited.0)
        );
    }
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
