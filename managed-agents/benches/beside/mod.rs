//! A young copy of this program beside one that grows old: what age costs, told from what the machine does meanwhile.
//!
//! A decision and the floor, SHA-256 of 4 KB, are not slowed alike by a neighbour that shares the core's units and caches: a chain of
//! instructions that wait for each other loses little, code that fills the core loses half. So what is compared with is the same
//! code, in turns of milliseconds on the same core, in a process that has done next to nothing: allocator, tables and threads of it
//! are young as well.

use std::env;
use std::fmt;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _, stdin};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

/// How often they take turns.
const TURNS: usize = 300;
/// How many times are taken in a turn.
const TIMES: usize = 25;
/// How much is timed at once.
const AT_ONCE: usize = 8;
const BESIDE: &str = "--beside";

/// Medians of one turn, in nanoseconds.
#[derive(Clone, Copy)]
struct Turn {
    decision: f64,
    floor: f64,
}

impl Turn {
    /// Takes one, from the `number`th on.
    fn take<T>(subject: &mut dyn FnMut(usize) -> T, number: &mut usize) -> Self {
        let bytes = [7_u8; 4_096];
        let (mut decisions, mut floors) = ([0.0; TIMES], [0.0; TIMES]);
        for (decision, floor) in decisions.iter_mut().zip(&mut floors) {
            let begun = Instant::now();
            for _ in 0..AT_ONCE {
                drop(black_box(subject(*number)));
                *number += 1;
            }
            *decision = begun.elapsed().as_nanos() as f64 / AT_ONCE as f64;
            let begun = Instant::now();
            black_box(Sha256::digest(black_box(&bytes)));
            *floor = begun.elapsed().as_nanos() as f64;
        }
        Self {
            decision: median(&mut decisions),
            floor: median(&mut floors),
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Medians over all turns: of this program, and of the young one.
pub(crate) struct Turns {
    own: Turn,
    young: Turn,
    ratio: f64,
}

impl Turns {
    /// How long this program takes over the young one: the median of the turns' ratios.
    pub(crate) fn ratio(&self) -> f64 {
        self.ratio
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { own, young, .. } = self;
        write!(
            f,
            "{:.0}\t{:.0}\t{:.0}\t{:.0}",
            own.decision, own.floor, young.decision, young.floor
        )
    }
}

/// The young copy.
pub(crate) struct Beside {
    child: Child,
    ask: ChildStdin,
    told: BufReader<ChildStdout>,
    number: usize,
}

impl Beside {
    /// Starts this program again, to measure what is named so.
    pub(crate) fn start(name: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([BESIDE, name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (ask, told) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            ask,
            told: BufReader::new(told),
            number: 0,
        }
    }

    fn turn(&mut self) -> Turn {
        self.ask.write_all(b"\n").unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        let (decision, floor) = line.trim_end().split_once('\t').unwrap();
        Turn {
            decision: decision.parse().unwrap(),
            floor: floor.parse().unwrap(),
        }
    }

    /// Takes turns with the young copy.
    pub(crate) fn turns<T>(&mut self, subject: &mut dyn FnMut(usize) -> T) -> Turns {
        // what the other waited for is not measured
        Turn::take(subject, &mut self.number);
        self.turn();
        let turns: Vec<(Turn, Turn)> = (0..TURNS)
            .map(|_| (Turn::take(subject, &mut self.number), self.turn()))
            .collect();
        let over = |of: &dyn Fn(&(Turn, Turn)) -> f64| median(&mut turns.iter().map(of).collect::<Vec<_>>());
        Turns {
            own: Turn {
                decision: over(&|(own, _)| own.decision),
                floor: over(&|(own, _)| own.floor),
            },
            young: Turn {
                decision: over(&|(_, young)| young.decision),
                floor: over(&|(_, young)| young.floor),
            },
            ratio: over(&|(own, young)| own.decision / young.decision),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // it ends by itself when nobody asks any more; a benchmark waits for no reason to fail
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stays on the last core, of which the system makes less use, with all that is started from then on. Must be said once.
pub(crate) fn stay_on_one_core() {
    let last = std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    let own = std::process::id().to_string();
    let set = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", &last.to_string(), &own])
        .stdout(Stdio::null())
        .status();
    if !set.is_ok_and(|status| status.success()) {
        eprintln!("policy: not bound to one core, so old and young may differ by more than age");
    }
}

/// What this program is asked to measure beside another one, if it is.
pub(crate) fn asked() -> Option<String> {
    let mut arguments = env::args();
    arguments.find(|argument| argument == BESIDE)?;
    arguments.next()
}

/// Takes a turn for each line of the standard input.
pub(crate) fn answer<T>(subject: &mut dyn FnMut(usize) -> T) {
    let mut number = 0;
    for line in stdin().lines() {
        line.unwrap();
        let turn = Turn::take(subject, &mut number);
        println!("{}\t{}", turn.decision, turn.floor);
    }
}
