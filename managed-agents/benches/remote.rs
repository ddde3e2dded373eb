//! A remote decision against a raw reqwest post of the same body to the same local server, in one run.
//!
//! After divan's table it prints the comparison that the project promises to keep: medians of alternating batches of calls, wall and
//! CPU time of the calling thread (Linux), and the Python client beside them where `MANAGED_AGENTS_PYTHON` names one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking"
)]

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use divan::Bencher;
use managed_agents::remote::Remote;
use managed_agents::{Harness, ToolMeta};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const AGENT: &str = "nmc-7f3a";
const INPUT: &str = r#"{"body":"Dear customer, your order has left our house.","subject":"Your order","to":"a@b.c"}"#;
const ROUNDS: usize = 4_000;
/// Calls between two looks at the CPU clock, which cost as much as part of a call.
const BATCH: usize = 20;

fn main() {
    divan::main();
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    compare();
}

#[divan::bench]
fn remote_decision(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    bencher.bench_local(|| bench.decide());
}

#[divan::bench]
fn raw_reqwest_post(bencher: Bencher<'_, '_>) {
    let bench = Bench::new();
    bencher.bench_local(|| bench.post());
}

/// Both clients on one runtime of one thread, so that all their work is this thread's.
struct Bench {
    runtime: Runtime,
    harness: Harness,
    client: reqwest::Client,
    url: String,
    body: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let remote = Remote::builder().endpoint(SERVER.url()).build().unwrap();
        let harness = Harness::builder()
            .in_memory()
            .agent_id(AGENT)
            .governor(remote)
            .declare(ToolMeta::new("send_email"))
            .build_blocking()
            .unwrap();
        let mut bench = Self {
            runtime,
            harness,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            url: SERVER.url(),
            body: Vec::new(),
        };
        bench.decide();
        bench.body = SERVER.last_body.lock().unwrap().clone();
        bench.post();
        bench
    }

    /// Judged, recorded, allowed.
    fn decide(&self) {
        let permit = self
            .runtime
            .block_on(async { self.harness.govern("send_email", INPUT).await })
            .unwrap();
        permit.finish(managed_agents::Outcome::Ok);
    }

    /// The same bytes out, the same bytes back, parsed.
    fn post(&self) {
        let answer = self.runtime.block_on(async {
            let request = self.client.post(&self.url).header("content-type", "application/json");
            request
                .body(self.body.clone())
                .send()
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap()
        });
        let verdict: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(verdict["verdict"], "ALLOW");
    }
}

fn compare() {
    let bench = Bench::new();
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for turn in 0..ROUNDS / BATCH {
        // whoever comes second finds warmer caches: each does so as often
        if turn % 2 == 0 {
            ours.take(|| bench.decide());
            theirs.take(|| bench.post());
        } else {
            theirs.take(|| bench.post());
            ours.take(|| bench.decide());
        }
    }
    println!("\n{ROUNDS} calls each, in turns           wall median   CPU median");
    ours.print("remote decision (judged, recorded)");
    theirs.print("raw reqwest post of the same body");
    println!(
        "ratio                                      {:>8.2}x    {:>8.2}x",
        median(&ours.wall) / median(&theirs.wall),
        median(&ours.cpu) / median(&theirs.cpu),
    );
    if let Some(python) = std::env::var_os("MANAGED_AGENTS_PYTHON").filter(|python| !python.is_empty()) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/remote.py");
        let status = Command::new(python)
            .args([script, &SERVER.url(), INPUT])
            .env("NO_PROXY", "*")
            .status();
        assert!(status.unwrap().success());
    }
}

#[derive(Default)]
struct Samples {
    wall: Vec<Duration>,
    /// Of each batch, for each call.
    cpu: Vec<Duration>,
}

impl Samples {
    fn take(&mut self, mut work: impl FnMut()) {
        let cpu = thread_cpu();
        for _ in 0..BATCH {
            let wall = Instant::now();
            work();
            self.wall.push(wall.elapsed());
        }
        let batch = u32::try_from(BATCH).unwrap();
        self.cpu.push(thread_cpu().saturating_sub(cpu) / batch);
    }

    fn print(&self, name: &str) {
        println!(
            "{name:<40} {:>8.1} µs  {:>8.1} µs",
            median(&self.wall),
            median(&self.cpu)
        );
    }
}

/// In microseconds.
fn median(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2].as_secs_f64() * 1e6
}

/// CPU time of this thread; zero where the system does not say.
fn thread_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

/// Answers every request with one ALLOW, all from one thread, so that wherever the system lets it run is alike for all clients.
struct Server {
    address: SocketAddr,
    last_body: Arc<Mutex<Vec<u8>>>,
}

impl Server {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let last_body = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&last_body);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .unwrap();
            runtime.block_on(accept(listener, shared));
        });
        Self { address, last_body }
    }

    fn url(&self) -> String {
        format!("http://{}/govern", self.address)
    }
}

async fn accept(listener: std::net::TcpListener, last_body: Arc<Mutex<Vec<u8>>>) {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, Arc::clone(&last_body)));
    }
}

async fn serve(mut stream: TcpStream, last_body: Arc<Mutex<Vec<u8>>>) {
    let body = format!(
        r#"{{"verdict":"ALLOW","allowed":true,"agent_id":"{AGENT}","evaluation_id":"eval_1","ucs":0.8234,"tier":1,"latency_ms":0.81,"reasoning":null,"dimensions":[{{"name":"scope_compliance","score":0.9}}]}}"#
    );
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.set_nodelay(true).unwrap();
    let mut bytes = vec![0; 64 * 1024];
    let mut filled = 0;
    while let Ok(read @ 1..) = stream.read(&mut bytes[filled..]).await {
        filled += read;
        if let Some(body) = whole_body(&bytes[..filled]) {
            body.clone_into(&mut last_body.lock().unwrap());
            filled = 0;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

fn whole_body(request: &[u8]) -> Option<&[u8]> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length: usize = head
        .split("content-length: ")
        .nth(1)?
        .split("\r\n")
        .next()?
        .parse()
        .ok()?;
    request.get(end..end + length)
}
