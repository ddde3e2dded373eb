//! The thread on which thresholds are made and alarms are stated, away from the calls and from whoever writes the log.

use std::sync::mpsc::{Sender, channel};
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use super::remembered::Remembered;
use crate::drift::Calibration;

/// How long another process has to state the alarm that it raised.
const PATIENCE: Duration = Duration::from_millis(20);

/// What is done there.
pub(super) enum Task {
    /// Make thresholds for an agent, and give them to it.
    Calibrate(Calibration),
    /// State its open alarm.
    Tell,
    /// Write down what is remembered of it.
    Keep,
}

/// Made when the first agent has been learnt; ends with what remembers.
#[derive(Default)]
pub(super) struct Calibrating(OnceLock<Option<Sender<Job>>>);

struct Job {
    task: Task,
    of: Weak<Remembered>,
}

impl Calibrating {
    /// Has something done for an agent. Where no thread can be had, the agent is not watched.
    pub(super) fn send(&self, of: Weak<Remembered>, agent: &str, task: Task) {
        let to_thread = self.0.get_or_init(|| {
            let (to_thread, jobs) = channel::<Job>();
            let work = move || {
                for job in jobs {
                    match job.task {
                        Task::Calibrate(calibration) => {
                            let calibrated = calibration.run();
                            if let Some(remembered) = job.of.upgrade() {
                                remembered.calibrated(&calibrated);
                            }
                        }
                        Task::Keep => {
                            if let Some(remembered) = job.of.upgrade() {
                                remembered.keep();
                            }
                        }
                        Task::Tell => {
                            std::thread::sleep(PATIENCE);
                            if let Some(remembered) = job.of.upgrade() {
                                remembered.tell();
                            }
                        }
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
        let sent = to_thread.as_ref().map(|to_thread| to_thread.send(Job { task, of }));
        if !matches!(sent, Some(Ok(()))) {
            tracing::error!(agent, "drift is not watched");
        }
    }
}
