//! Functions that call themselves, and loops: gone through again while a turn may do what the one before it did not.

use super::ast::{Command, Kind, List};
use super::data::{ALL, Data, Field, SOME, Taint, UNKNOWN};
use super::nodes::Nodes;
use super::possible::Var;
use super::text::Text;
use super::walk::{Body, Function, Walk};
use crate::screen::rule;

/// How often a function is called within itself while what it would do changes.
const TURNS: usize = 8;
/// The same, where only numbers and what is known at run time change; and how often a loop is gone through.
const SOFT_TURNS: usize = 4;
/// How many variables set in one turn are compared.
const COMPARED: usize = 32;

/// How much a turn changed of what the next one would do.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Change {
    Nothing,
    /// Numbers, or what is only known at run time.
    Values,
    Texts,
}

/// What a command's effect depends on, at one moment.
struct State {
    /// How many variables there were; they are only ever added to.
    vars: usize,
    functions: usize,
    aliases: usize,
    writes: u32,
    cwd: String,
    stdin: Option<String>,
}

/// A function that is running.
pub(super) struct Running<'s> {
    body: Body<'s>,
    argv: Vec<Text<'s>>,
    /// Its arguments, as far as `shift` left them.
    given: Vec<(Text<'s>, Taint)>,
    state: State,
    /// Variables that end with it.
    locals: Vec<Text<'s>>,
}

impl<'s> Walk<'s> {
    /// Calls a function of the line.
    pub(super) fn call(&mut self, body: &Body<'s>, argv: &[Field<'_>], stdin: &Data) -> Data {
        // another function of the same name is no recursion, but one that was defined meanwhile
        let is_same = |own: &&Running<'_>| own.body.is(body);
        let turns = self.running.iter().filter(is_same).count();
        if let Some(before) = self.running.iter().rev().find(is_same) {
            let change = changed_arguments(&before.argv, argv).max(self.changed(&before.state, stdin, false));
            // a function that calls itself beside itself doubles for ever
            if self.beside {
                self.report(&rule::EXHAUST, argv.first().map(|field| field.span).unwrap_or_default());
            }
            let most = match change {
                Change::Nothing => 0,
                Change::Values => SOFT_TURNS,
                Change::Texts => TURNS,
            };
            if turns >= most {
                self.limited |= change == Change::Texts;
                return Data::unknown(Taint::NONE);
            }
        }
        let kept = self.vars.len();
        let given = argv.iter().skip(1);
        let given: Vec<_> = given.map(|field| (field.text.lasting(), field.taint)).collect();
        self.positional(given.clone());
        let state = self.state(stdin);
        self.running.push(Running {
            body: *body,
            argv: argv.iter().map(|field| field.text.lasting()).collect(),
            given,
            state,
            locals: Vec::new(),
        });
        let (outer, beside) = (self.outer, self.beside);
        self.outer = self.outer.or(argv.first().map(|field| field.span));
        self.beside = false;
        let data = match body.command.of(&body.source.kept.commands) {
            [command, ..] => self.command(command, stdin),
            [] => Data::known(""),
        };
        self.outer = outer;
        self.beside = beside;
        let locals = self.running.pop().map(|running| running.locals).unwrap_or_default();
        for var in self.vars.iter_mut().skip(kept).filter(|var| locals.contains(&var.name)) {
            var.unsure = true;
        }
        // what the function sets stays; its arguments do not
        let set = self.vars.split_off(kept.min(self.vars.len()));
        self.vars
            .extend(set.into_iter().filter(|var| !is_positional(&var.name)));
        data
    }

    /// `local`: the variable ends with the function that runs.
    pub(super) fn local(&mut self, name: &str) {
        if let Some(running) = self.running.last_mut().filter(|running| running.locals.len() < 64) {
            running.locals.push(Text::from(name.to_owned()));
        }
    }

    /// Sets `$1` and so on.
    fn positional(&mut self, given: Vec<(Text<'s>, Taint)>) {
        let all: Vec<&str> = given.iter().map(|(text, _)| text.as_str()).collect();
        let all = Text::from(all.join(" ")).shared();
        let taint = given.iter().fold(Taint::NONE, |all, (_, taint)| all.and(*taint));
        for (index, (text, taint)) in given.into_iter().enumerate() {
            self.vars
                .push(Var::new(Text::from((index + 1).to_string()), text, taint));
        }
        self.vars.push(Var::new(Text::from("@"), all.clone(), taint));
        self.vars.push(Var::new(Text::from("*"), all, taint));
    }

    /// `shift [n]` in a function: the arguments that it was called with move up.
    pub(super) fn shift(&mut self, by: &str) {
        let Some(running) = self.running.last_mut() else {
            return;
        };
        let by = by.parse().unwrap_or(1).min(running.given.len());
        running.given.drain(..by);
        let given = running.given.clone();
        self.limited |= self.vars.len() > 4096;
        if !self.limited {
            let gone = (given.len()..given.len() + by).map(|index| (index + 1).to_string());
            self.vars
                .extend(gone.map(|name| Var::new(Text::from(name), Text::default(), Taint::NONE)));
            self.positional(given);
        }
    }

    /// Defines a function.
    pub(super) fn define(&mut self, name: &'s str, command: Nodes<Command>) {
        let body = Body {
            command,
            source: self.source,
        };
        let known = self.functions.iter().rev().find(|function| function.name == name);
        if known.is_none_or(|known| !known.body.is(&body)) {
            self.functions.push(Function {
                name,
                body,
                unsure: self.unsure,
            });
        }
    }

    /// `unset`: the function may be gone.
    pub(in crate::screen) fn undefine(&mut self, name: &str) {
        for function in self.functions.iter_mut().filter(|function| function.name == name) {
            function.unsure = true;
        }
    }

    /// Goes through the body of a loop: what one turn sets, the next one uses.
    pub(super) fn turns(&mut self, body: List, stdin: &Data) -> Data {
        let mut data = Data::known("");
        for _ in 0..SOFT_TURNS {
            let before = self.state(stdin);
            data = self.list(body, stdin);
            if self.changed(&before, stdin, true) < Change::Texts || !self.uses(body) {
                break;
            }
        }
        data
    }

    /// Whether a list does anything but set variables.
    fn uses(&self, list: List) -> bool {
        let sets = |command: &Command| matches!(&command.kind, Kind::Simple { words, .. } if words.is_empty());
        self.steps > 0 && !self.source.kept.commands_of(list).all(sets)
    }

    fn state(&self, stdin: &Data) -> State {
        State {
            vars: self.vars.len(),
            functions: self.functions.len(),
            aliases: self.aliases.len(),
            writes: self.writes,
            cwd: self.cwd.clone(),
            stdin: stdin.text.clone(),
        }
    }

    /// What changed since; `positional`: the arguments of the function that is running, too.
    fn changed(&self, before: &State, stdin: &Data, positional: bool) -> Change {
        if self.functions.len() != before.functions
            || self.aliases.len() != before.aliases
            || self.writes != before.writes
            || stdin.text.is_some() && stdin.text != before.stdin
        {
            return Change::Texts;
        }
        let (earlier, since) = self.vars.split_at(before.vars.min(self.vars.len()));
        if since.len() > COMPARED {
            return Change::Texts;
        }
        let mut change = changed_text(&before.cwd, &self.cwd);
        for (at, var) in since.iter().enumerate() {
            if !positional && is_positional(&var.name) || since.iter().skip(at + 1).any(|later| later.name == var.name)
            {
                continue;
            }
            let known = earlier.iter().rev().find(|own| own.name == var.name);
            change = change.max(changed_text(known.map_or("", |own| own.text.as_str()), &var.text));
        }
        change
    }
}

fn is_positional(name: &str) -> bool {
    matches!(name, "@" | "*") || name.bytes().all(|byte| byte.is_ascii_digit())
}

fn changed_arguments(before: &[Text<'_>], now: &[Field<'_>]) -> Change {
    if before.len() != now.len() {
        return Change::Texts;
    }
    let pairs = before.iter().zip(now);
    pairs
        .map(|(before, now)| changed_text(before, &now.text))
        .max()
        .unwrap_or(Change::Nothing)
}

fn changed_text(before: &str, now: &str) -> Change {
    if before == now {
        Change::Nothing
    } else if now.contains([UNKNOWN, SOME, ALL, '*']) || now.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        Change::Values
    } else {
        Change::Texts
    }
}
