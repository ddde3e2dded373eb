//! A record of calls: ours beside a peer's, in turns in one run. Prints a table as Markdown.
//!
//! Both chain SHA-256 over what they record. The peer's stands in memory and is gone with the process; ours is on the disk.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::Instant;

use agentmesh::audit::AuditLogger;
use managed_agents::store::{Depth, Store, StoreOptions};
use managed_agents::{GovernanceDenied, Harness, governed};

const TURNS: usize = 100;
const CALLS: usize = 100;

/// Transfers money.
#[governed(risk = low)]
async fn transfer(from: &str, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
    Ok(black_box(cents + (from.len() + to.len()) as u64))
}

fn main() {
    let dir = std::env::temp_dir().join(format!("managed-agents-audit-peer-{}", std::process::id()));
    let options = StoreOptions::new(dir.join("data")).high_water(dir.join("mark")).log_key([7; 32]);
    let store = Store::open(options).unwrap();
    let durable = Harness::builder().agent_id("bench").recorder(store.clone()).build_blocking().unwrap();
    let memory = Harness::builder().agent_id("bench").in_memory().build_blocking().unwrap();
    let peer = AuditLogger::with_max_entries(usize::MAX);

    let (mut on_disk, mut in_memory, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        on_disk.push(nanoseconds(|| block_on(durable.scope(call()))));
        in_memory.push(nanoseconds(|| block_on(memory.scope(call()))));
        theirs.push(nanoseconds(|| {
            // a decision before, an outcome after: as many entries as ours
            black_box(peer.log("bench", black_box("transfer"), "allow"));
            black_box(peer.log("bench", black_box("transfer"), "ok"));
        }));
    }
    block_on(store.flush()).unwrap();
    let reader = store.reader().unwrap();
    let records = reader.head().unwrap().size() as f64;
    let ours_verified = (0..5).map(|_| {
        seconds(|| assert!(reader.verify(Depth::Quick, |_| ()).unwrap().is_sound())) * 1e9 / records
    });
    let ours_verified = median(ours_verified.collect());
    let entries = (TURNS * CALLS * 2) as f64;
    let theirs_verified = median((0..5).map(|_| seconds(|| assert!(peer.verify())) * 1e9 / entries).collect());

    let theirs = median(theirs);
    println!("| | ns a call | over the peer | ns to verify an entry | what is recorded |");
    println!("|---|--:|--:|--:|---|");
    let row = |name: &str, call: f64, verified: Option<f64>, what: &str| {
        let verified = verified.map(|nanoseconds| format!("{nanoseconds:.0}")).unwrap_or_default();
        println!("| {name} | {call:.0} | {:.1}× | {verified} | {what} |", call / theirs);
    };
    row(
        "`#[governed]`, durable record",
        median(on_disk),
        Some(ours_verified),
        "judged; decision before and outcome after in a Merkle log on the disk, arguments committed to and sealed",
    );
    row(
        "`#[governed]`, record in memory",
        median(in_memory),
        None,
        "judged; decision before and outcome after in memory, not chained",
    );
    row(
        "agentmesh 3.2.2, two entries",
        theirs,
        Some(theirs_verified),
        "not judged; names of agent, action and decision in a hash chain in memory, unsigned, gone with the process",
    );
    drop((reader, durable, memory, store));
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn call() {
    transfer(
        black_box("DE89370400440532013000"),
        black_box("GB29NWBK60161331926819"),
        black_box(1234),
    )
    .await
    .unwrap();
}

fn nanoseconds(work: impl Fn()) -> f64 {
    seconds(|| (0..CALLS).for_each(|_| work())) * 1e9 / CALLS as f64
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

struct Waking(Thread);

impl Wake for Waking {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = std::sync::Arc::new(Waking(std::thread::current())).into();
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}
