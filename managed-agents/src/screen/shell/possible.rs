//! What may hold: variables and working directories that only some branches set. Each possible value is judged.

use super::ast::{Command, Kind, List, Redirect};
use super::data::{Data, Taint};
use super::nodes::Nodes;
use super::text::Text;
use super::walk::{VALUE, Walk};
use std::cell::{Cell, RefCell};

/// With how many sets of values one command is judged.
const POSSIBLE: usize = 64;
/// How many directories a command may run in.
const DIRECTORIES: usize = 8;
/// How far back a variable's earlier values are looked for.
const LOOKED: usize = 4096;

/// One setting of a variable.
#[derive(Clone, Debug)]
pub(in crate::screen) struct Var<'s> {
    pub(super) name: Text<'s>,
    pub(super) text: Text<'s>,
    pub(super) taint: Taint,
    /// What set it may not have run: the value before it may still hold.
    pub(super) unsure: bool,
}

impl<'s> Var<'s> {
    pub(super) fn new(name: Text<'s>, text: Text<'s>, taint: Taint) -> Self {
        Self {
            name: name.shared(),
            text: text.shared(),
            taint,
            unsure: false,
        }
    }
}

/// With which of their possible values the variables of a command are taken.
#[derive(Debug, Default)]
pub(in crate::screen) struct Choice {
    /// The sets of values, counted through.
    number: usize,
    /// The variables asked for so far: name, how many sets the ones before make, and how many values it may have.
    asked: RefCell<Vec<(String, usize, usize)>>,
    /// Some variable had more than one.
    varied: Cell<bool>,
    exceeded: Cell<bool>,
}

impl Choice {
    /// Which of its values a variable has in this turn.
    fn of(&self, name: &str, values: usize) -> usize {
        self.varied.set(true);
        let mut asked = self.asked.borrow_mut();
        if let Some((_, stride, own)) = asked.iter().find(|(own, ..)| own == name) {
            return self.number / stride % own % values;
        }
        let stride = asked.iter().map(|(.., own)| own).product::<usize>();
        if stride * values > POSSIBLE {
            self.exceed();
            return 0;
        }
        asked.push((name.to_owned(), stride, values));
        self.number / stride % values
    }

    #[cold]
    fn exceed(&self) {
        self.varied.set(true);
        self.exceeded.set(true);
    }

    fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    /// Whether every variable had one value.
    fn is_plain(&self) -> bool {
        !self.varied.get()
    }

    /// Whether nothing was asked yet.
    fn is_fresh(&self) -> bool {
        self.number == 0 && self.is_plain()
    }

    /// Whether this is not the first set of values.
    pub(super) fn is_other(&self) -> bool {
        self.number > 0
    }

    /// Goes on to the next set of values.
    pub(super) fn advance(&mut self) -> bool {
        self.number += 1;
        let sets: usize = self.asked.borrow().iter().map(|(.., own)| own).product();
        self.number < sets
    }
}

/// Where a part began that may not run.
pub(super) struct Fork {
    vars: usize,
    cwd: String,
    was_unsure: bool,
}

impl<'s> Walk<'s> {
    /// Something begins that may not run, or does not last.
    pub(super) fn fork(&mut self) -> Fork {
        Fork {
            vars: self.vars.len(),
            cwd: self.here(),
            was_unsure: std::mem::replace(&mut self.unsure, true),
        }
    }

    /// The working directory, to come back to: most lines stay in the workspace, whose name is empty.
    #[inline]
    pub(super) fn here(&self) -> String {
        if self.cwd.is_empty() {
            String::new()
        } else {
            self.cwd.clone()
        }
    }

    /// The other directories in which the next command may run, to come back to: most lines have none.
    #[inline]
    pub(super) fn elsewheres(&self) -> Vec<String> {
        if self.cwds.is_empty() {
            Vec::new()
        } else {
            self.cwds.clone()
        }
    }

    /// It ends: what it set is only possible, and so is the directory it went to.
    pub(super) fn join(&mut self, fork: Fork) {
        self.unsure = fork.was_unsure;
        for var in self.vars.iter_mut().skip(fork.vars) {
            var.unsure = true;
        }
        // most lines stay where they are, and comparing two empty texts byte by byte is slow on some processors
        let stayed = self.cwd.len() == fork.cwd.len() && (self.cwd.is_empty() || self.cwd == fork.cwd);
        if !stayed && !self.cwds.contains(&fork.cwd) {
            self.cwds.push(fork.cwd);
        }
    }

    /// Parts of which one runs at most; exactly one, where they leave nothing out.
    pub(super) fn arms(&mut self, arms: Nodes<List>, complete: bool, stdin: &Data) -> Data {
        let mut all = Data::known("");
        let before = self.vars.len();
        let mut always: Option<Vec<(Text<'s>, usize)>> = None;
        for arm in arms.of(&self.source.kept.lists) {
            let fork = self.fork();
            let from = self.vars.len();
            all = all.then(self.list(*arm, stdin));
            // what this arm surely sets, and where first
            let set: Vec<(Text<'s>, usize)> = (from..)
                .zip(self.vars.iter().skip(from))
                .filter(|(_, var)| !var.unsure)
                .map(|(at, var)| (var.name.clone(), at))
                .take(64)
                .collect();
            always = Some(match always {
                None => set,
                Some(so_far) => so_far
                    .into_iter()
                    .filter(|(name, _)| set.iter().any(|(own, _)| own == name))
                    .collect(),
            });
            let to = std::mem::replace(&mut self.cwd, fork.cwd.clone());
            if to != self.cwd && !self.cwds.contains(&to) {
                self.cwds.push(to);
            }
            self.join(fork);
        }
        if complete {
            // one of the arms set it, so what it was before is gone
            for (_, at) in always.unwrap_or_default() {
                if let Some(var) = self.vars.get_mut(at).filter(|_| at >= before) {
                    var.unsure = false;
                }
            }
        }
        all
    }

    /// Runs a command once for each set of values that its variables may have, and in each directory that it may run in.
    pub(super) fn each(&mut self, command: &'s Command, stdin: &Data) -> Data {
        // a substitution has the values of the command that it stands in
        if self.substituting {
            return self.once(command, stdin);
        }
        if !self.choice.is_fresh() {
            let outer = std::mem::take(&mut self.choice);
            let data = self.each(command, stdin);
            self.choice = outer;
            return data;
        }
        let data = self.once(command, stdin);
        // most commands have one value for each variable, and one directory
        if self.choice.is_plain() && self.cwds.is_empty() {
            return data;
        }
        self.each_other(command, stdin, data)
    }

    /// The same command with the other values of its variables, in the other directories.
    fn each_other(&mut self, command: &'s Command, stdin: &Data, mut data: Data) -> Data {
        if matches!(command.kind, Kind::Simple { .. }) {
            data = self.others(command, stdin, data);
            data = self.elsewhere(command, stdin, data);
        } else {
            self.written_elsewhere(command.redirects.of(&self.source.kept.redirects), &data);
        }
        self.choice = Choice::default();
        data
    }

    /// The same command with the other values of its variables.
    fn others(&mut self, command: &'s Command, stdin: &Data, mut data: Data) -> Data {
        while self.choice.advance() {
            data = data.or(self.once(command, stdin));
        }
        self.limited |= self.choice.exceeded();
        self.choice = Choice::default();
        data
    }

    /// The same command in the other directories in which it may run.
    fn elsewhere(&mut self, command: &'s Command, stdin: &Data, mut data: Data) -> Data {
        if self.cwds.is_empty() {
            return data;
        }
        let cwds = std::mem::take(&mut self.cwds);
        self.limited |= cwds.len() > DIRECTORIES;
        let here = self.cwd.clone();
        let mut then = Vec::new();
        for cwd in cwds.into_iter().take(DIRECTORIES) {
            self.cwd = cwd;
            data = data.or(self.once(command, stdin));
            data = self.others(command, stdin, data);
            if self.cwd != here && !then.contains(&self.cwd) {
                then.push(std::mem::take(&mut self.cwd));
            }
        }
        self.cwd = here;
        self.cwds = then;
        data
    }

    /// What a compound command writes, to the other files that may be meant.
    fn written_elsewhere(&mut self, redirects: &'s [Redirect], data: &Data) {
        while self.choice.advance() {
            for redirect in redirects {
                self.redirected_out(redirect, &mut data.clone());
            }
        }
    }

    /// The value of `$name` that this turn is about; what is not set in the line is known at run time only.
    pub(super) fn variable(&self, name: &str) -> Option<(Text<'s>, Taint)> {
        #[cfg(test)]
        crate::screen::work::took(self.vars.len());
        let mut own = self.vars.iter().rev().filter(|var| var.name == name);
        let first = own.next();
        if let Some(var) = first.filter(|var| !var.unsure) {
            return Some((var.text.clone(), var.taint));
        }
        let outside = || self.outside(name).map(|text| (text, Taint::NONE));
        let Some(first) = first else {
            return outside();
        };
        let mut possible = vec![Some(first)];
        let mut sure = false;
        for var in own.take(LOOKED) {
            if possible.iter().flatten().all(|other| other.text != var.text) {
                possible.push(Some(var));
            }
            if !var.unsure {
                sure = true;
                break;
            }
            if possible.len() > DIRECTORIES {
                self.choice.exceed();
                break;
            }
        }
        if !sure {
            possible.push(None);
        }
        match possible.get(self.choice.of(name, possible.len())).copied().flatten() {
            Some(var) => Some((var.text.clone(), var.taint)),
            None => outside(),
        }
    }

    /// What a shell itself sets.
    fn outside(&self, name: &str) -> Option<Text<'s>> {
        if name == "PWD" && !self.cwd.is_empty() {
            return Some(Text::from(self.cwd.clone()));
        }
        Some(Text::from(match name {
            "HOME" => "~",
            "HISTFILE" => "~/.bash_history",
            "PWD" => ".",
            "TMPDIR" | "TMP" | "TEMP" => "/tmp",
            "IFS" => " ",
            "SHELL" | "BASH" => "/bin/bash",
            "0" => "bash",
            "?" => "0",
            "#" => "1",
            "$" | "!" | "RANDOM" | "SECONDS" | "LINENO" | "UID" | "EUID" | "PPID" => "4242",
            "-" => "",
            _ => return None,
        }))
    }
}

impl Data {
    /// One or the other: as a script, both are judged.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.given |= other.given;
        if self.text == other.text {
            self.taint = self.taint.and(other.taint);
            return self;
        }
        if let Some(text) = self
            .text
            .as_mut()
            .filter(|text| !text.is_empty() && !text.ends_with('\n'))
        {
            text.push('\n');
        }
        self.then(other)
    }

    /// What is written first: some text, if it is not too long to be kept.
    pub(super) fn given(mut self) -> Self {
        self.given = true;
        if self.text.as_ref().is_some_and(|text| text.len() > VALUE) {
            self.text = None;
        }
        self
    }

    /// What is written after this.
    pub(super) fn then(mut self, more: Self) -> Self {
        self.taint = self.taint.and(more.taint);
        if self.listing.is_empty() {
            self.listing = more.listing;
        } else {
            self.listing.extend(more.listing);
        }
        self.text = match (self.text, more.text) {
            (Some(all), Some(more)) if all.is_empty() && more.len() <= VALUE => Some(more),
            (Some(mut all), Some(more)) if all.len() + more.len() <= VALUE => {
                all.push_str(&more);
                Some(all)
            }
            _ => None,
        };
        self
    }
}
