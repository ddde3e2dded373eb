//! What the gate costs: macro, canonical bytes, digest, verdict of a constant in-process governor, record in memory,
//! enforcement. Beside it the floor in the same run: the plain function, and SHA-256 over as many bytes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that fails should stop")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use divan::{Bencher, black_box};
use managed_agents::{
    Answer, GovernanceDenied, Governor, GovernorError, Harness, Judgement, ToolCall, Verdict, governed,
};
use sha2::{Digest as _, Sha256};

/// Counts allocations, which costs time: off when time is measured.
#[cfg(managed_agents_count_allocations)]
#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    let three = size_of_val(&transfer("a", "b", 1));
    let plain = size_of_val(&transfer_plain("a", "b", 1));
    println!("future of three small arguments: {plain} bytes plain, {three} governed");
    let big = size_of_val(&big([0; 4096]));
    let big_plain = size_of_val(&big_plain([0; 4096]));
    println!("future of a 4 KiB argument: {big_plain} bytes plain, {big} governed");
    divan::main();
}

/// Transfers money.
#[governed(risk = low)]
async fn transfer(from: &str, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
    Ok(black_box(cents + (from.len() + to.len()) as u64))
}

async fn transfer_plain(from: &str, to: &str, cents: u64) -> Result<u64, GovernanceDenied> {
    Ok(black_box(cents + (from.len() + to.len()) as u64))
}

/// Takes much.
#[governed(risk = low, skip(bytes), no_tool)]
async fn big(bytes: [u8; 4096]) -> Result<u8, GovernanceDenied> {
    std::future::ready(()).await;
    Ok(black_box(bytes[7]))
}

async fn big_plain(bytes: [u8; 4096]) -> Result<u8, GovernanceDenied> {
    std::future::ready(()).await;
    Ok(black_box(bytes[7]))
}

struct Constant;

impl Governor for Constant {
    fn name(&self) -> &str {
        "constant"
    }

    fn decide(&self, _call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        Answer::ready(Ok(Verdict::allow().into()))
    }
}

fn poll_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it should be ready at once"),
    }
}

/// Repeats a call inside one scope, as an agent loop does.
fn in_scope(bencher: Bencher<'_, '_>, harness: &Harness, call: impl Fn() -> u64 + Sync) {
    poll_once(harness.scope(async {
        // the tool's head, the generator's seed and the ring's room are made once, before anything is measured
        for _ in 0..20_000 {
            call();
        }
        bencher.bench_local(call);
    }));
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn governed_call(bencher: Bencher<'_, '_>) {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bench")
        .governor(Constant)
        .build_blocking()
        .unwrap();
    in_scope(bencher, &harness, || {
        poll_once(transfer(black_box("alice"), black_box("bob"), black_box(1234))).unwrap()
    });
}

/// Longer arguments, for which SHA-256 takes a block more.
#[divan::bench(sample_count = 1000, sample_size = 100)]
fn governed_call_with_two_account_numbers(bencher: Bencher<'_, '_>) {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bench")
        .governor(Constant)
        .build_blocking()
        .unwrap();
    in_scope(bencher, &harness, || {
        poll_once(transfer(
            black_box("DE89370400440532013000"),
            black_box("GB29NWBK60161331926819"),
            black_box(1234),
        ))
        .unwrap()
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn governed_call_with_the_engine(bencher: Bencher<'_, '_>) {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bench")
        .build_blocking()
        .unwrap();
    in_scope(bencher, &harness, || {
        poll_once(transfer(
            black_box("DE89370400440532013000"),
            black_box("GB29NWBK60161331926819"),
            black_box(1234),
        ))
        .unwrap()
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn plain_call() -> u64 {
    poll_once(transfer_plain(
        black_box("DE89370400440532013000"),
        black_box("GB29NWBK60161331926819"),
        black_box(1234),
    ))
    .unwrap()
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn sha256_of_160_bytes() -> [u8; 32] {
    Sha256::digest(black_box([7_u8; 160])).into()
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn three_clock_readings() -> std::time::Instant {
    black_box(std::time::SystemTime::now());
    black_box(std::time::Instant::now());
    std::time::Instant::now()
}
