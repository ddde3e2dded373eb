//! What is stopped, as this process knows it, and the bodies that must hear of it.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::task::Waker;
use std::time::SystemTime;

use super::target::{Stop, Target};
use crate::audit::{Sequence, Stopped};
#[cfg(feature = "sqlite")]
use crate::call::AgentId;
use crate::call::ToolCall;
use crate::verdict::EvaluationId;

/// How many stops that are over are remembered for bodies that were just admitted when they began.
const MOST_OVER: usize = 256;

/// A stop that was stated.
#[derive(Clone, Debug)]
pub struct StopRecord {
    pub(crate) stop: Stop,
    pub(crate) at: SystemTime,
    /// Where it is recorded; none where it could not be.
    pub(crate) place: Option<Sequence>,
    pub(crate) code: &'static str,
}

impl StopRecord {
    const CODE: &'static str = "interrupted";

    /// A stop that was stated at a time, and is recorded at a place.
    #[must_use]
    pub fn new(stop: Stop, at: SystemTime, place: Option<Sequence>) -> Self {
        Self {
            stop,
            at,
            place,
            code: Self::CODE,
        }
    }

    /// What was stopped, and why.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// When it was stated.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Its place in the record; none where it could not be recorded, and holds in this process only.
    #[must_use]
    pub fn place(&self) -> Option<Sequence> {
        self.place
    }

    /// A sentence for the operator.
    pub(crate) fn told(&self) -> String {
        let drill = if self.stop.is_drill() { ", a drill" } else { "" };
        let place = match self.place {
            Some(place) => format!(" (record {})", place.get()),
            None => String::new(),
        };
        format!(
            "stopped: {}, reason `{}`{place}{drill}",
            self.stop.target().to_string().escape_debug(),
            self.stop.reason().escape_debug()
        )
    }
}

/// A stop of a durable record, as all its processes know it.
#[cfg(feature = "sqlite")]
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) record: Arc<StopRecord>,
    pub(crate) place: u64,
    /// It was resumed, or was of one call.
    pub(crate) over: bool,
}

/// What is stopped in one record, as this process knows it; clones share it. A recorder of your own may keep one, and give it
/// in [`Recorder::interrupts`](crate::audit::Recorder::interrupts).
#[derive(Clone, Default)]
pub struct Interrupts(Arc<Board>);

#[derive(Default)]
struct Board {
    /// How many stops there were; changed last, and read before each poll of a body.
    number: AtomicU64,
    /// Whether anything keeps calls from being admitted.
    closed: AtomicBool,
    /// Guards what is stopped; held for a look, never across an await or a call of anything else.
    state: RwLock<State>,
    /// Guards who is to be woken; held for an insertion or a walk, never while anybody is woken.
    running: Mutex<Running>,
}

#[derive(Default)]
struct State {
    /// The epoch of the record that this was read in, where there is one.
    epoch: Option<u64>,
    /// The last stop of the record that is known.
    #[cfg(feature = "sqlite")]
    last: Option<u64>,
    in_force: Vec<(u64, Arc<StopRecord>)>,
    over: VecDeque<(u64, Arc<StopRecord>)>,
}

#[derive(Default)]
struct Running {
    next: u64,
    bodies: HashMap<u64, Arc<Body>>,
}

/// A body that waits.
struct Body {
    call: Arc<ToolCall>,
    evaluation: EvaluationId,
    waker: Mutex<Waker>,
}

/// A body's place among those that are woken by a stop, until it is dropped.
pub(crate) struct Watched {
    board: Arc<Board>,
    number: u64,
    body: Arc<Body>,
}

impl Interrupts {
    /// Nothing is stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops from now on, and wakes every body that is to be cancelled or told.
    pub fn stop(&self, record: StopRecord) {
        self.close_for(record);
        self.wake();
    }

    /// Ends every stop of exactly this target; says how many there were.
    #[must_use = "0 says that nothing of this target was stopped"]
    pub fn end(&self, target: &Target) -> usize {
        let mut state = self.write();
        let (ended, left): (Vec<_>, _) = state
            .in_force
            .drain(..)
            .partition(|(_, record)| record.stop.target() == target);
        state.in_force = left;
        let count = ended.len();
        for one in ended {
            state.pass(one);
        }
        self.close(&state);
        count
    }

    /// Ends the stops of this target that are not recorded; says how many there were.
    pub(crate) fn end_unrecorded(&self, target: &Target) -> usize {
        let mut state = self.write();
        let before = state.in_force.len();
        state
            .in_force
            .retain(|(_, record)| record.place.is_some() || record.stop.target() != target);
        self.close(&state);
        before - state.in_force.len()
    }

    /// The stops that hold, oldest first.
    #[must_use]
    pub fn in_force(&self) -> Vec<StopRecord> {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.in_force.iter().map(|(_, record)| (**record).clone()).collect()
    }

    /// Whether a call may be admitted.
    #[inline]
    pub(crate) fn admits(&self, call: &ToolCall) -> Result<(), Stopped> {
        if self.0.closed.load(Ordering::SeqCst) {
            return self.admits_slowly(call.agent().as_str(), call.session());
        }
        Ok(())
    }

    /// The same of an agent and a session.
    pub(crate) fn admits_in(&self, agent: &str, session: Option<&str>) -> bool {
        !self.0.closed.load(Ordering::SeqCst) || self.admits_slowly(agent, session).is_ok()
    }

    #[cold]
    fn admits_slowly(&self, agent: &str, session: Option<&str>) -> Result<(), Stopped> {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        let found = state
            .in_force
            .iter()
            .find(|(_, record)| record.stop.target().closes(agent, session));
        let Some((_, record)) = found else {
            return Ok(());
        };
        let stopped = Stopped::new(record.code, record.told());
        Err(match state.epoch {
            Some(epoch) => stopped.with_epoch(epoch),
            None => stopped,
        })
    }

    /// How many stops there were.
    #[inline(always)]
    pub(crate) fn number(&self) -> u64 {
        self.0.number.load(Ordering::SeqCst)
    }

    /// The stop, after the first `since`, that is about a call; and how many stops there are now.
    #[cold]
    pub(crate) fn since(
        &self,
        since: u64,
        call: &ToolCall,
        evaluation: &EvaluationId,
    ) -> (Option<Arc<StopRecord>>, u64) {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        let all = state.over.iter().chain(&state.in_force);
        let found = all
            .filter(|(number, record)| *number > since && record.stop.target().covers(call, Some(evaluation)))
            .map(|(_, record)| Arc::clone(record));
        (found.min_by_key(|record| record.at), self.number())
    }

    /// Lets a body be woken by a stop that is about it.
    pub(crate) fn watch(&self, call: &Arc<ToolCall>, evaluation: &EvaluationId, waker: &Waker) -> Watched {
        let body = Arc::new(Body {
            call: Arc::clone(call),
            evaluation: evaluation.clone(),
            waker: Mutex::new(waker.clone()),
        });
        let mut running = self.0.running();
        let number = running.next;
        running.next += 1;
        running.bodies.insert(number, Arc::clone(&body));
        drop(running);
        Watched {
            board: Arc::clone(&self.0),
            number,
            body,
        }
    }

    /// What a durable record says, of an epoch; older news than those that are known are passed over.
    #[cfg(feature = "sqlite")]
    pub(crate) fn replace(&self, epoch: u64, logged: &[Logged]) {
        let mut state = self.write();
        if state.epoch.is_some_and(|known| known >= epoch) {
            return;
        }
        state.epoch = Some(epoch);
        let known = state.last;
        let ended = |record: &StopRecord| {
            let place = record.place.map(Sequence::get);
            logged.iter().any(|one| one.over && Some(one.place) == place)
        };
        let (over, left): (Vec<_>, _) = state.in_force.drain(..).partition(|(_, record)| ended(record));
        state.in_force = left;
        for one in over {
            state.pass(one);
        }
        let mut number = self.number();
        for one in logged.iter().filter(|one| known.is_none_or(|last| one.place > last)) {
            number += 1;
            state.last = Some(one.place);
            let entry = (number, Arc::clone(&one.record));
            if one.over {
                state.pass(entry);
            } else {
                state.in_force.push(entry);
            }
        }
        self.close(&state);
        self.0.number.store(number, Ordering::SeqCst);
        drop(state);
        self.wake();
    }

    /// An agent may not act any more, by its certificate: what it runs is stopped.
    #[cfg(feature = "sqlite")]
    pub(crate) fn bar(&self, agent: AgentId, code: &'static str) {
        let record = StopRecord {
            stop: Stop::agent(agent).because(code),
            at: SystemTime::now(),
            place: None,
            code,
        };
        let mut state = self.write();
        let number = self.number() + 1;
        // whether its calls are admitted is for its certificate to say
        state.pass((number, Arc::new(record)));
        self.0.number.store(number, Ordering::SeqCst);
        drop(state);
        self.wake();
    }

    /// Stops from now on; whoever says so must [`wake`](Self::wake) those who wait.
    pub(crate) fn close_for(&self, record: StopRecord) {
        let mut state = self.write();
        let number = self.number() + 1;
        let entry = (number, Arc::new(record));
        if matches!(entry.1.stop.target(), Target::Call(_)) {
            state.pass(entry);
        } else {
            state.in_force.push(entry);
        }
        self.close(&state);
        self.0.number.store(number, Ordering::SeqCst);
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        // nothing that is done under the lock can leave the state half changed
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, state: &State) {
        let closes = |(_, record): &(u64, Arc<StopRecord>)| !matches!(record.stop.target(), Target::Call(_));
        self.0.closed.store(state.in_force.iter().any(closes), Ordering::SeqCst);
    }

    /// Wakes every body that a stop is about; each looks for itself whether it is meant.
    pub(crate) fn wake(&self) {
        let bodies: Vec<Arc<Body>> = self.0.running().bodies.values().map(Arc::clone).collect();
        for body in bodies {
            let (found, _) = self.since(0, &body.call, &body.evaluation);
            if found.is_some() {
                let waker = body.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
                waker.wake();
            }
        }
    }
}

impl Board {
    fn running(&self) -> MutexGuard<'_, Running> {
        // an insertion or a removal leaves nothing half changed
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pass(&mut self, entry: (u64, Arc<StopRecord>)) {
        if self.over.len() >= MOST_OVER {
            self.over.pop_front();
        }
        self.over.push_back(entry);
    }
}

impl Watched {
    /// Whom to wake from now on.
    pub(crate) fn wake_by(&self, waker: &Waker) {
        let mut known = self.body.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.will_wake(waker) {
            known.clone_from(waker);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.board.running().bodies.remove(&self.number);
    }
}

impl fmt::Debug for Interrupts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupts")
            .field("in_force", &self.in_force().len())
            .finish_non_exhaustive()
    }
}
