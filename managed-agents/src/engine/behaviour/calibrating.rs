//! The thread on which thresholds are made, away from the calls.

use std::sync::mpsc::{Sender, channel};
use std::sync::{OnceLock, Weak};

use super::Shared;
use crate::drift::Calibration;

/// Made when the first agent has been learnt; ends with what remembers.
#[derive(Default)]
pub(super) struct Calibrating(OnceLock<Option<Sender<Job>>>);

struct Job {
    agent: Box<str>,
    calibration: Calibration,
    shared: Weak<Shared>,
}

impl Calibrating {
    /// Makes thresholds for an agent, and gives them to it. Where no thread can be had, the agent is not watched.
    pub(super) fn send(&self, shared: Weak<Shared>, agent: &str, calibration: Calibration) {
        let to_thread = self.0.get_or_init(|| {
            let (to_thread, jobs) = channel::<Job>();
            let work = move || {
                for job in jobs {
                    let calibrated = job.calibration.run();
                    if let Some(shared) = job.shared.upgrade() {
                        shared.calibrated(&job.agent, &calibrated);
                    }
                }
            };
            let thread = std::thread::Builder::new().name("managed-agents drift".to_owned());
            match thread.spawn(work) {
                Ok(_) => Some(to_thread),
                Err(error) => {
                    tracing::error!(%error, "no thread for drift: agents are not watched");
                    None
                }
            }
        });
        let sent = to_thread.as_ref().map(|to_thread| {
            to_thread.send(Job {
                agent: agent.into(),
                calibration,
                shared,
            })
        });
        if !matches!(sent, Some(Ok(()))) {
            tracing::error!(agent, "drift is not watched");
        }
    }
}
