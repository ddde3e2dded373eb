//! Which harness governs the code that is running.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::Harness;
use super::session::SessionState;
use crate::call::ToolCall;
use crate::verdict::EvaluationId;

tokio::task_local! {
    static SCOPE: Scope;
}

thread_local! {
    /// The governed call whose body this thread is polling.
    static PARENT: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// A governed call whose body runs.
#[derive(Clone)]
pub(super) struct Running {
    pub(super) evaluation: EvaluationId,
    pub(super) call: Arc<ToolCall>,
    pub(super) within: Arc<Within>,
    /// How many stops there were when it was admitted.
    pub(super) since: u64,
}

impl Running {
    /// The call whose body this thread is polling.
    pub(super) fn current() -> Option<Self> {
        PARENT.with_borrow(Option::clone)
    }

    /// Makes what is in the slot the call whose body this thread is polling, and puts the one before into the slot. Neither is
    /// cloned: its counters are shared by all threads.
    #[inline]
    pub(super) fn swap(slot: &mut Option<Self>) {
        PARENT.with_borrow_mut(|parent| std::mem::swap(parent, slot));
    }
}

static INSTALLED: OnceLock<Scope> = OnceLock::new();

/// The harness whose scope was entered first in this process, by id; 0 before any was.
static FIRST_SCOPED: AtomicU64 = AtomicU64::new(0);

/// The scope of a second harness was entered as well.
const SEVERAL: u64 = u64::MAX;

/// A harness, and the session that calls belong to: two words, since a scope is moved in each call, and one counter, since that
/// is shared by all threads.
#[derive(Clone)]
pub(crate) struct Scope {
    within: Arc<Within>,
    /// The thread that calls blocks anyway, and may wait for a recorder that answers from a thread of its own.
    pub(crate) waits: Waits,
}

/// Whether a thread blocks anyway. As wide as what stands beside it: a scope is moved in each call, and the odd bytes of a
/// `bool` cost more than the rest.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u64)]
pub(crate) enum Waits {
    No,
    Yes,
}

/// What calls are made within.
pub(crate) struct Within {
    pub(crate) harness: Harness,
    pub(crate) session: Option<Arc<SessionState>>,
}

impl Deref for Scope {
    type Target = Within;

    #[inline(always)]
    fn deref(&self) -> &Within {
        &self.within
    }
}

impl Scope {
    pub(crate) fn of(harness: &Harness) -> Self {
        Self::new(harness, None)
    }

    pub(super) fn new(harness: &Harness, session: Option<Arc<SessionState>>) -> Self {
        Self {
            within: Arc::new(Within {
                harness: harness.clone(),
                session,
            }),
            waits: Waits::No,
        }
    }

    /// What lasts as long as a call.
    #[inline(always)]
    pub(super) fn into_within(self) -> Arc<Within> {
        self.within
    }

    /// The scope that this task is in, or the installed harness.
    #[inline(always)]
    pub(crate) fn current() -> Result<Self, &'static str> {
        SCOPE.try_with(Self::clone).or_else(|_| Self::installed())
    }

    #[inline(never)]
    fn installed() -> Result<Self, &'static str> {
        let Some(installed) = INSTALLED.get() else {
            return Err(
                "no harness is in scope: wrap the call in `harness.scope(async { .. }).await`, or add \
                 `harness.install()?` where the program starts",
            );
        };
        let first = FIRST_SCOPED.load(Ordering::Acquire);
        if first == 0 || first == installed.harness.id() {
            return Ok(installed.clone());
        }
        Err(
            "no harness is in scope here, and the installed one does not apply because this process also uses scopes \
             of another: spawn with `harness.spawn(..)`, or wrap the future with `.governed_by(&harness)`",
        )
    }

    /// Whether this task is in a scope of a harness.
    #[cfg(feature = "toolbox")]
    pub(crate) fn is_of(harness: &Harness) -> bool {
        SCOPE.try_with(|scope| scope.harness.id() == harness.id()) == Ok(true)
    }

    /// Runs a future in this scope; from then on the process is one that uses scopes of this harness.
    pub(crate) async fn enter<F: Future>(self, future: F) -> F::Output {
        let id = self.harness.id();
        let first = FIRST_SCOPED.compare_exchange(0, id, Ordering::AcqRel, Ordering::Acquire);
        if first.is_err_and(|first| first != id) {
            FIRST_SCOPED.store(SEVERAL, Ordering::Release);
        }
        SCOPE.scope(self, future).await
    }
}

/// Makes a harness the one that governs calls outside every scope; at most once in a process.
pub(super) fn install(harness: &Harness) -> Result<(), Harness> {
    INSTALLED.set(Scope::of(harness)).map_err(|_| harness.clone())
}

/// The governed call whose body this thread is polling, if any.
#[inline]
pub(super) fn parent() -> Option<EvaluationId> {
    PARENT.with_borrow(|parent| parent.as_ref().map(|parent| parent.evaluation.clone()))
}
