//! Counts steps of work in tests, where time would depend on the machine.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Some steps were taken.
pub(super) fn took(steps: usize) {
    STEPS.with(|all| all.set(all.get() + steps as u64));
}

/// How many steps were taken since the last question.
pub(super) fn taken() -> u64 {
    STEPS.with(|all| all.replace(0))
}
