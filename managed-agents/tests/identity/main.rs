//! Identities: what is issued verifies here and elsewhere, and nothing else does.

#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod certificates;
mod delegation;
mod keys;
mod passports;
mod renewal;
mod states;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use managed_agents::AgentId;
use managed_agents::identity::{
    Authority, Enrolment, Issued, Moment, Passport, PrivateKey, TrustDomain, VerifiedPassport,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// 2026-07-01, so that tests do not depend on the day.
fn start() -> Moment {
    Moment::parse("2026-07-01T12:00:00.123456Z").unwrap()
}

fn agent(id: &str) -> AgentId {
    AgentId::parse(id).unwrap()
}

fn authority() -> Authority {
    let domain = TrustDomain::parse("agents.example.com").unwrap();
    Authority::generate(Some(domain), start()).unwrap()
}

fn issued(authority: &Authority, id: &str) -> Issued {
    authority.issue(&Enrolment::new(agent(id)), start()).unwrap()
}

fn verified(authority: &Authority, passport: &Passport) -> VerifiedPassport {
    authority.trust().verify(std::slice::from_ref(passport)).unwrap()
}

/// A passport with other fields, signed all the same: what a holder of the key could make.
fn forged(passport: &Passport, key: &PrivateKey, change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut body: serde_json::Value = serde_json::from_slice(passport.signed_bytes()).unwrap();
    change(&mut body);
    let body = body.to_string();
    let signature = base64url(&key.sign(body.as_bytes()));
    format!(
        r#"{{"body":{body},"key":"{}","signature":"{signature}"}}"#,
        key.public().id()
    )
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word = (0..3).fold(0, |word, at| word << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for at in 0..=three.len() {
            text.push(char::from(*DIGITS.get((word >> (18 - 6 * at) & 63) as usize).unwrap()));
        }
    }
    text
}

/// A directory that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("managed-agents-identity-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
