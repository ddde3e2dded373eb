//! Bodies that take their first step, so that a stop can wait for them.
//!
//! A body looks for stops and then begins. A thread that is held up in between would let it begin after the stop has answered:
//! so each thread says that it is between the look and the end of the body's first step, and who stops waits, after the stop
//! holds, for those that were there already. A body that blocks its thread is not waited for: it begins with its look.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

/// The longest that is waited for a first step. The stop holds meanwhile, and whoever waits has been woken.
const PATIENCE: Duration = Duration::from_secs(1);

/// The threads that ever took a first step. Held for a push or a walk.
static THREADS: Mutex<Vec<Weak<AtomicU64>>> = Mutex::new(Vec::new());

thread_local! {
    static HERE: Here = Here::new();
}

/// How many steps this thread has begun and ended: odd while it takes one.
struct Here {
    steps: Arc<AtomicU64>,
    /// A body that calls another takes its own first step all the while.
    depth: Cell<u32>,
}

impl Here {
    fn new() -> Self {
        let steps = Arc::new(AtomicU64::new(0));
        let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(&steps));
        Self {
            steps,
            depth: Cell::new(0),
        }
    }
}

/// The first step of a body, until this is dropped, on the thread that made it.
pub(super) struct FirstStep(());

impl FirstStep {
    /// Must come before the look for stops.
    #[inline]
    pub(super) fn begin() -> Option<Self> {
        HERE.try_with(|here| {
            let depth = here.depth.get();
            here.depth.set(depth + 1);
            if depth == 0 {
                // in one order with the numbers of stops
                here.steps.fetch_add(1, Ordering::SeqCst);
            }
        })
        .ok()
        .map(|()| Self(()))
    }
}

impl Drop for FirstStep {
    #[inline]
    fn drop(&mut self) {
        // a thread that ends takes no step any more
        let _ = HERE.try_with(|here| {
            let depth = here.depth.get().saturating_sub(1);
            here.depth.set(depth);
            if depth == 0 {
                let steps = here.steps.load(Ordering::Relaxed);
                here.steps.store(steps.wrapping_add(1), Ordering::Release);
            }
        });
    }
}

/// The threads other than this one that take a first step now.
pub(super) struct Steps {
    begun: Instant,
    threads: Vec<(Arc<AtomicU64>, u64)>,
}

impl Steps {
    /// Must come when the stop holds.
    pub(super) fn under_way() -> Self {
        let own = HERE.try_with(|here| Arc::clone(&here.steps)).ok();
        let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        let others = threads.iter().filter_map(Weak::upgrade);
        let taking = others
            .filter(|thread| own.as_ref().is_none_or(|own| !Arc::ptr_eq(own, thread)))
            .map(|thread| {
                let steps = thread.load(Ordering::SeqCst);
                (thread, steps)
            })
            .filter(|(_, steps)| steps % 2 == 1);
        Self {
            begun: Instant::now(),
            threads: taking.collect(),
        }
    }

    fn have_ended(&mut self) -> bool {
        self.threads
            .retain(|(thread, steps)| thread.load(Ordering::Acquire) == *steps);
        self.threads.is_empty() || self.begun.elapsed() >= PATIENCE
    }

    /// Waits for them.
    pub(super) async fn end(mut self) {
        poll_fn(|cx| {
            if self.have_ended() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// The same where nothing can be awaited.
    pub(super) fn end_blocking(mut self) {
        while !self.have_ended() {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn who_stops_waits_for_the_steps_of_others_that_are_under_way_and_for_no_later_ones() {
        let own = FirstStep::begin();
        let (go, may_go) = channel::<()>();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            let first = FirstStep::begin();
            // within it
            drop(FirstStep::begin());
            let _ = tell.send(());
            let _ = may_go.recv();
            drop(first);
            let _later = FirstStep::begin();
            let _ = tell.send(());
            let _ = may_go.recv();
        });
        let _ = told.recv();
        let mut steps = Steps::under_way();
        assert!(!steps.have_ended());
        let _ = go.send(());
        let _ = told.recv();
        assert!(steps.have_ended());
        drop(go);
        assert!(thread.join().is_ok());
        drop(own);
    }
}
