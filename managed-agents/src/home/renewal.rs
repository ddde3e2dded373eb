//! Renewing identities while a program runs.

use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use super::{Home, Inner};
use crate::call::AgentId;

/// How often the thread looks whether a passport is half over; no passport is shorter than a minute.
const PERIOD: Duration = Duration::from_secs(20);

/// The agents whose identities are renewed, and the thread that does so.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    agents: BTreeSet<AgentId>,
    /// Dropped with the directory, which ends the thread.
    thread: Option<Sender<()>>,
}

impl Home {
    /// Renews an agent's identity in time, from now on while this directory is open.
    pub(super) fn renew_in_time(&self, agent: &AgentId) {
        let mut renewals = self.0.renewals.lock().unwrap_or_else(PoisonError::into_inner);
        renewals.agents.insert(agent.clone());
        if renewals.thread.is_some() {
            return;
        }
        let (ends, ended) = channel::<()>();
        let home = Arc::downgrade(&self.0);
        let run = move || {
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if !renew_all(&home) {
                    return;
                }
            }
        };
        let started = std::thread::Builder::new()
            .name("managed-agents renewal".to_owned())
            .spawn(run);
        match started {
            Ok(_) => renewals.thread = Some(ends),
            Err(error) => tracing::warn!(%error, "identities will not be renewed: no thread can be started"),
        }
    }
}

/// False when the directory is closed.
fn renew_all(home: &Weak<Inner>) -> bool {
    let Some(inner) = home.upgrade() else {
        return false;
    };
    let home = Home(inner);
    let agents = home
        .0
        .renewals
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .agents
        .clone();
    for agent in agents {
        let due = home
            .agent(agent.as_str())
            .map(|known| known.is_some_and(|known| home.is_due(&known)));
        let renewed = due.and_then(|due| {
            if due {
                home.renew(agent.as_str()).map(|_| ())
            } else {
                Ok(())
            }
        });
        if let Err(error) = renewed {
            tracing::warn!(
                agent = agent.as_str(),
                code = error.code(),
                "the agent's identity cannot be renewed"
            );
        }
    }
    true
}
