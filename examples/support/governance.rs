//! A stand-in for a governance service: judges by a rule that was written down, and has a reviewer who approves.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::http::Server;

/// What the service says of a request.
#[derive(Clone, Copy, Debug)]
pub struct Ruling(&'static str, &'static str);

impl Ruling {
    /// The call may run.
    pub const ALLOW: Self = Self("ALLOW", "within policy");

    /// The call may not run.
    #[must_use]
    pub const fn deny(why: &'static str) -> Self {
        Self("DENY", why)
    }

    /// The service's reviewer decides; this one approves when asked a second time.
    #[must_use]
    pub const fn escalate(why: &'static str) -> Self {
        Self("ESCALATE", why)
    }
}

#[derive(Default)]
struct Evaluations {
    /// By id: for which agent, and how often somebody asked what became of it.
    escalated: HashMap<String, (String, u32)>,
    count: u32,
}

/// Starts a service at `{url}/api/v1/govern` that judges each request by `rule`, which sees the posted JSON.
///
/// # Errors
///
/// When no port on loopback can be had.
pub async fn serve(rule: impl Fn(&Value) -> Ruling + Send + Sync + 'static) -> io::Result<Server> {
    let evaluations = Mutex::new(Evaluations::default());
    Server::start(move |request| {
        let mut evaluations = evaluations.lock().unwrap_or_else(PoisonError::into_inner);
        if request.path == "/api/v1/govern" {
            let Ruling(word, why) = rule(&request.body);
            let agent = request.body.get("agent_id").and_then(Value::as_str).unwrap_or_default();
            evaluations.count += 1;
            let id = format!("eval_{}", evaluations.count);
            if word == "ESCALATE" {
                let asked = (agent.to_owned(), 0);
                evaluations.escalated.insert(id.clone(), asked);
            }
            return (200, verdict(word, agent, &id, why));
        }
        let id = request.path.rsplit('/').next().unwrap_or_default();
        match evaluations.escalated.get_mut(id) {
            Some((agent, asked)) => {
                *asked += 1;
                let word = if *asked > 1 { "ALLOW" } else { "ESCALATE" };
                (200, verdict(word, agent, id, "decided by a reviewer"))
            }
            None => (404, json!({"error": "no such evaluation"})),
        }
    })
    .await
}

fn verdict(word: &str, agent: &str, id: &str, why: &str) -> Value {
    json!({
        "verdict": word, "allowed": word == "ALLOW", "agent_id": agent, "evaluation_id": id,
        "ucs": 0.82, "tier": 1, "latency_ms": 0.4, "reasoning": why, "dimensions": [],
    })
}
