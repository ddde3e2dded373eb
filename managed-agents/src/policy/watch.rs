//! Reading policies again when their files have changed; off unless somebody asks for it.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::error::{PolicyError, PolicyProblem};
use super::{Inner, Policies, PoliciesBuilder, source};

/// Watches the files of policies, until it is dropped.
#[must_use = "nothing is watched any more when this is dropped"]
pub struct PolicyWatch(#[expect(dead_code, reason = "dropped, it ends the thread")] Sender<()>);

impl Policies {
    /// Looks this often whether a file has changed, and then reads everything again as [`reload`](Self::reload) does. What is bad is
    /// told (`tracing`) once, and the old set stays in force; what an approver must sign first is put into force once that is done. Who can write the files decides what is allowed: keep them under another
    /// account than the agent's.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] when the files cannot be read now, or no thread can be started.
    pub fn watch(&self, every: Duration) -> Result<PolicyWatch, PolicyError> {
        let mut seen = self.0.from.stamp()?;
        // what is there and unsigned is tried until it is signed, and told once
        let mut waiting = None;
        let (ending, ended) = channel();
        let watched: Weak<Inner> = Arc::downgrade(&self.0);
        let watch = move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let Some(inner) = watched.upgrade() else {
                    return;
                };
                let policies = Self(inner);
                // while files are replaced they may not be readable: looked at again the next time
                let Ok(now) = policies.0.from.stamp() else {
                    continue;
                };
                if now == seen {
                    continue;
                }
                match policies.reload() {
                    Ok(()) => tracing::info!(digest = %policies.digest(), "policies were read again"),
                    Err(error) if error.is_unsigned() => {
                        if waiting.replace(now) != Some(now) {
                            tracing::error!(%error, "policies have changed; the old ones stay in force until an approver signs");
                        }
                        continue;
                    }
                    Err(error) => {
                        tracing::error!(%error, "policies have changed and are bad; the old ones stay in force")
                    }
                }
                seen = now;
            }
        };
        std::thread::Builder::new()
            .name("managed-agents policies".to_owned())
            .spawn(watch)
            .map_err(|error| PolicyProblem::new("".as_ref(), 0, format!("no thread can be started: {error}")))?;
        Ok(PolicyWatch(ending))
    }
}

impl PoliciesBuilder {
    /// What the files hold, as a digest.
    fn stamp(&self) -> Result<[u8; 32], PolicyError> {
        let mut hash = Sha256::new();
        for ending in [".cedar", ".tools.json"] {
            for source in source::read(&self.paths, ending)? {
                hash.update(source.file.as_os_str().as_encoded_bytes());
                hash.update((source.text.len() as u64).to_be_bytes());
                hash.update(source.text.as_bytes());
            }
        }
        Ok(hash.finalize().into())
    }
}

impl fmt::Debug for PolicyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyWatch").finish_non_exhaustive()
    }
}
