//! The digest of what a harness judges by beside its governor.

use std::sync::{OnceLock, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};

use crate::call::Digest;

/// What stands in each record as `rules`, made of two parts: what the harness is set to, which stays, and what its governor
/// judges by, which may be replaced.
#[derive(Debug)]
pub(super) struct Rules {
    own: OwnRules,
    /// The first answer, which is the only one of most harnesses: read without a lock.
    first: OnceLock<(Digest, Digest)>,
    /// The last answer, since the governor's rules change rarely.
    last: RwLock<Option<(Digest, Digest)>>,
}

/// What a harness is set to, as a digest.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnRules([u8; 32]);

impl OwnRules {
    /// With the rules of the governor, whether it judges by them or not.
    pub(super) fn with(self, governor: Digest) -> Digest {
        let hash = Sha256::new().chain_update(self.0).chain_update(governor.as_bytes());
        Digest::new(hash.finalize().into())
    }
}

impl Rules {
    /// Of settings, in the order in which they are given.
    pub(super) fn new<'a>(settings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in ["ma-rules/1", env!("CARGO_PKG_VERSION")].into_iter().chain(settings) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self {
            own: OwnRules(hash.finalize().into()),
            first: OnceLock::new(),
            last: RwLock::default(),
        }
    }

    /// What the harness is set to.
    #[cfg(all(feature = "engine", feature = "sqlite"))]
    pub(super) fn own(&self) -> OwnRules {
        self.own
    }

    /// With the rules of the governor.
    #[inline]
    pub(super) fn with(&self, governor: Digest) -> Digest {
        match self.first.get() {
            Some((of, rules)) if *of == governor => *rules,
            _ => self.with_others(governor),
        }
    }

    #[inline(never)]
    fn with_others(&self, governor: Digest) -> Digest {
        let last = *self.last.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, rules)) = last.filter(|(of, _)| *of == governor) {
            return rules;
        }
        let rules = self.own.with(governor);
        if self.first.set((governor, rules)).is_err() {
            *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some((governor, rules));
        }
        rules
    }
}
