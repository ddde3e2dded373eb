//! What an identity costs: in each decision (the standing), and when an agent is registered or renewed (the rest).

#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use divan::{Bencher, black_box};
use managed_agents::AgentId;
use managed_agents::identity::{AgentState, Authority, Certificate, Enrolment, Moment, Passport, Standing};

fn main() {
    divan::main();
}

fn authority() -> (Authority, Enrolment, Moment) {
    let now = Moment::now();
    let agent = AgentId::parse("support-bot").unwrap();
    (Authority::generate(None, now).unwrap(), Enrolment::new(agent), now)
}

#[divan::bench]
fn standing_check(bencher: Bencher<'_, '_>) {
    let standing = Standing {
        epoch: 1,
        state: AgentState::Active,
        expires_micros: i64::MAX,
        passport: "nmc-00000000000000000000000000000000".into(),
    };
    bencher.bench_local(|| black_box(&standing).admits(black_box(1_000), black_box(2_000)));
}

#[divan::bench]
fn standing_check_with_the_clock(bencher: Bencher<'_, '_>) {
    let standing = Standing {
        epoch: 1,
        state: AgentState::Active,
        expires_micros: i64::MAX,
        passport: "nmc-00000000000000000000000000000000".into(),
    };
    bencher.bench_local(|| black_box(&standing).admits(Moment::now().as_micros(), black_box(2_000)));
}

#[divan::bench]
fn issue(bencher: Bencher<'_, '_>) {
    let (authority, enrolment, now) = authority();
    bencher.bench_local(|| authority.issue(&enrolment, now).unwrap());
}

#[divan::bench]
fn verify_passport(bencher: Bencher<'_, '_>) {
    let (authority, enrolment, now) = authority();
    let issued = authority.issue(&enrolment, now).unwrap();
    let text = issued.passport().as_json();
    bencher.bench_local(|| {
        let passport = Passport::parse(black_box(text)).unwrap();
        authority.trust().verify(&[passport]).unwrap()
    });
}

#[divan::bench]
fn verify_certificate(bencher: Bencher<'_, '_>) {
    let (authority, enrolment, now) = authority();
    let issued = authority.issue(&enrolment, now).unwrap();
    let der = issued.certificate().der();
    bencher.bench_local(|| {
        let certificate = Certificate::from_der(black_box(der)).unwrap();
        authority.trust().verify_certificate(&certificate, now).unwrap();
    });
}
