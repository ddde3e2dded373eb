//! Windows by PSI and by JSD whose limits are set to as rare alarms as ours, and streams for detectors of other languages.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;

use super::REFERENCES;
use super::measure::{HEAD, MOVED, Watch, measured, run_length};
use super::streams::{Random, Rare, Session, Sessions};

/// A window of the last calls against what was learnt.
#[derive(Clone)]
struct Window {
    usual: Vec<(String, f64)>,
    recent: VecDeque<usize>,
    length: usize,
    limit: f64,
    by_psi: bool,
}

impl Window {
    fn of(learnt: &[Session], length: usize, by_psi: bool, limit: f64) -> Self {
        Self {
            usual: shares(learnt),
            recent: VecDeque::new(),
            length,
            limit,
            by_psi,
        }
    }

    fn distance(&self) -> f64 {
        let all = self.length as f64 + 0.5 * self.usual.len() as f64;
        let mut counts = vec![0.5; self.usual.len()];
        for at in &self.recent {
            counts[*at] += 1.0;
        }
        let each = self.usual.iter().zip(counts).map(|((_, p), count)| {
            let q = count / all;
            if self.by_psi {
                (q - p) * (q / p).ln()
            } else {
                let m = f64::midpoint(*p, q);
                f64::midpoint(p * (p / m).log2(), q * (q / m).log2())
            }
        });
        each.sum()
    }
}

/// The share of each tool, half a call added to each; the last one stands for all others.
fn shares(learnt: &[Session]) -> Vec<(String, f64)> {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for (tool, _) in learnt.iter().flatten() {
        *counts.entry(tool).or_default() += 1.0;
    }
    let all: f64 = counts.values().sum::<f64>() + 0.5 * (counts.len() + 1) as f64;
    let each = counts
        .into_iter()
        .map(|(tool, count)| (tool.to_owned(), (count + 0.5) / all));
    each.chain([(String::new(), 0.5 / all)]).collect()
}

fn place(usual: &[(String, f64)], tool: &str) -> usize {
    usual
        .iter()
        .position(|(known, _)| known == tool)
        .unwrap_or(usual.len() - 1)
}

fn surprise(usual: &[(String, f64)], tool: &str) -> f64 {
    -usual[place(usual, tool)].1.ln()
}

impl Watch for Window {
    fn sees(&mut self, tool: &str, _size: u32, _begins: bool) -> bool {
        self.recent.push_back(place(&self.usual, tool));
        if self.recent.len() > self.length {
            self.recent.pop_front();
        }
        self.recent.len() == self.length && self.distance() >= self.limit
    }

    fn again(&mut self) {
        self.recent.clear();
    }
}

/// Measures windows at this run length.
pub(super) fn windows(sessions: &Sessions, wanted: f64) {
    println!(
        "Windows over tools, at limits that raise alarms as rarely; {}:\n\n{HEAD}",
        Rare::Own.name()
    );
    for (by_psi, length) in [(true, 50), (true, 200), (false, 50), (false, 200)] {
        let (mut low, mut high) = (0.01, if by_psi { 20.0 } else { 1.0 });
        for _ in 0..12 {
            let middle: f64 = f64::midpoint(low, high);
            let found = run_length(sessions, 20, |learnt| Window::of(learnt, length, by_psi, middle));
            if found < wanted { low = middle } else { high = middle }
        }
        let name = format!(
            "{}, last {length} calls, at {high:.2}",
            if by_psi { "PSI" } else { "JSD" }
        );
        let found = measured(sessions, &[Rare::Own], |learnt, _| {
            Window::of(learnt, length, by_psi, high)
        });
        found.row(&name, Rare::Own);
    }
    println!();
}

/// Writes the surprise of each call (−log of its tool's share in the reference) as one line for each stream: that of the reference
/// (`learnt`), calls as `usual`, and for each share that is moved from the 251st call on.
pub(super) fn write(sessions: &Sessions, file: &str) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(file).unwrap());
    for reference in 0..REFERENCES {
        let mut random = Random(reference * 7_919 + 11);
        let learnt = sessions.learnt(&mut random);
        let usual = shares(&learnt);
        let tools = Rare::Own.tools(&learnt);
        write!(file, "learnt").unwrap();
        for (tool, _) in learnt.iter().flatten() {
            write!(file, " {:.3}", surprise(&usual, tool)).unwrap();
        }
        writeln!(file).unwrap();
        let mut line = |name: String, calls: usize, moved: f64, random: &mut Random| {
            write!(file, "{name}").unwrap();
            let from = if moved > 0.0 { 250 } else { 0 };
            let share = |at: usize| if at > from { moved } else { 0.0 };
            sessions.follow(random, share, &tools, calls, |tool, _, _| {
                write!(file, " {:.3}", surprise(&usual, tool)).unwrap();
                false
            });
            writeln!(file).unwrap();
        };
        line("usual".to_owned(), super::FOLLOW, 0.0, &mut random);
        for moved in MOVED {
            for _ in 0..5 {
                line(moved.to_string(), 2_250, moved, &mut random);
            }
        }
    }
    file.flush().unwrap();
}
