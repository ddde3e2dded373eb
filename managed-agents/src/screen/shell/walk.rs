//! Walking through a script as a shell would: what is set, what flows where, and what would run.

use std::rc::Rc;

use super::ast::{Command, Kind, List};
use super::calls::Running;
use super::data::{Data, Field, Taint, UNKNOWN};
use super::loops::forks_for_ever;
use super::parse;
use super::possible::{Choice, Fork, Var};
use super::redirected::takes_terminal;
use crate::screen::effect;
use crate::screen::explain::Explained;
use crate::screen::finding::Span;
use crate::screen::place::Places;
use crate::screen::rule::{self, Rule};

/// The most bytes of one value.
pub(super) const VALUE: usize = 64 * 1024;
/// How deep one command may lead to another.
const DEPTH: u32 = 40;
/// How many commands one text may lead to.
const STEPS: u32 = 4096;

/// A function of the line.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) body: Rc<Command>,
    /// What the body was read from.
    pub(super) source: Rc<str>,
    /// It may not be defined, or no more.
    pub(super) unsure: bool,
}

/// One walk through one text.
pub(in crate::screen) struct Walk<'s> {
    pub(in crate::screen) places: &'s Places,
    pub(in crate::screen) found: Vec<(&'static Rule, Span)>,
    pub(in crate::screen) explained: Option<Vec<Explained>>,
    pub(super) vars: Vec<Var>,
    /// Which of the values that its variables may have a command is judged with, and how many there were.
    pub(super) choice: Choice,
    /// What is walked through is substituted in a word.
    pub(super) substituting: bool,
    /// Other directories in which the next command may run.
    pub(super) cwds: Vec<String>,
    /// What is walked through may not run.
    pub(in crate::screen) unsure: bool,
    /// What the words that are being walked through were read from.
    pub(super) source: Rc<str>,
    pub(super) functions: Vec<Function>,
    pub(super) aliases: Vec<(String, String)>,
    /// Files that the line itself writes, and what is in them.
    pub(in crate::screen) files: Vec<(String, Data)>,
    /// The working directory: empty in the workspace, else a path, or unknown.
    pub(in crate::screen) cwd: String,
    pub(in crate::screen) limited: bool,
    pub(in crate::screen) broken: bool,
    /// Something would run that is only known at run time.
    pub(in crate::screen) open: bool,
    /// Where the text stands that is being walked, if it is not the argument itself.
    pub(super) outer: Option<Span>,
    /// The last short texts that were parsed.
    parsed: Vec<(Rc<str>, Rc<parse::Script>)>,
    depth: u32,
    pub(super) steps: u32,
    /// Bytes of nested texts that may still be parsed.
    bytes: usize,
    pub(super) running: Vec<Running>,
    /// Texts of aliases that are being read.
    expanding: Vec<String>,
    /// How often a file's known contents changed.
    pub(in crate::screen) writes: u32,
    /// Commands run beside their caller at this place (a pipe or `&`).
    pub(in crate::screen) beside: bool,
    /// What commands print here goes to another one.
    pub(in crate::screen) piped: bool,
    /// A shell's or command's own input or output is a network connection.
    pub(in crate::screen) on_network: bool,
    /// A standard stream is made from another one: what is started so takes over a terminal.
    pub(in crate::screen) on_terminal: bool,
    /// The command is in a loop.
    pub(in crate::screen) in_loop: bool,
    /// A program that is not meant to start shells runs the command.
    pub(in crate::screen) by_other: bool,
}

impl<'s> Walk<'s> {
    pub(in crate::screen) fn new(places: &'s Places, bytes: usize) -> Self {
        Self {
            places,
            found: Vec::new(),
            explained: None,
            vars: Vec::new(),
            choice: Choice::default(),
            substituting: false,
            cwds: Vec::new(),
            unsure: false,
            source: Rc::from(""),
            functions: Vec::new(),
            aliases: Vec::new(),
            files: Vec::new(),
            cwd: String::new(),
            limited: false,
            broken: false,
            open: false,
            outer: None,
            parsed: Vec::new(),
            depth: DEPTH,
            steps: STEPS,
            bytes: 64 * 1024 + 4 * bytes,
            running: Vec::new(),
            expanding: Vec::new(),
            writes: 0,
            beside: false,
            piped: false,
            on_network: false,
            on_terminal: false,
            in_loop: false,
            by_other: false,
        }
    }

    pub(in crate::screen) fn report(&mut self, rule: &'static Rule, span: Span) {
        if self.found.len() < 64 && !self.found.contains(&(rule, span)) {
            self.found.push((rule, span));
        }
    }

    pub(super) fn span(&self, span: Span) -> Span {
        self.outer.unwrap_or(span)
    }

    /// Walks through the text of the argument itself.
    pub(in crate::screen) fn text(&mut self, text: &str) -> Data {
        let script = parse::parse(text);
        self.broken |= script.broken;
        self.limited |= script.limited;
        self.source = Rc::from(text);
        self.list(&script.list, &Data::none())
    }

    /// Walks through a text that another command runs as a script: what it sets may not last.
    pub(in crate::screen) fn script(&mut self, text: &str, span: Span, stdin: &Data) -> Data {
        let fork = self.fork();
        let cwds = self.cwds.clone();
        let data = self.script_here(text, span, stdin);
        self.join(fork);
        self.cwds = cwds;
        data
    }

    /// Walks through a text that this shell itself runs.
    pub(super) fn script_here(&mut self, text: &str, span: Span, stdin: &Data) -> Data {
        if self.depth == 0 || text.len() > self.bytes {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        if text.contains(UNKNOWN) {
            self.open = true;
        }
        self.bytes -= text.len();
        self.depth -= 1;
        let outer = self.outer.replace(span);
        let cwd = self.cwd.clone();
        let (own, script) = self.parsed(text);
        self.limited |= script.limited;
        self.broken |= script.broken;
        let source = std::mem::replace(&mut self.source, own);
        let data = self.list(&script.list, stdin);
        self.source = source;
        self.cwd = cwd;
        self.outer = outer;
        self.depth += 1;
        data
    }

    /// A nested text, parsed: loops and functions often come to the same ones.
    fn parsed(&mut self, text: &str) -> (Rc<str>, Rc<parse::Script>) {
        if let Some((own, script)) = self.parsed.iter().rev().find(|(own, _)| **own == *text) {
            return (Rc::clone(own), Rc::clone(script));
        }
        let (own, script) = (Rc::<str>::from(text), Rc::new(parse::parse(text)));
        if text.len() <= 1024 {
            if self.parsed.len() >= 8 {
                self.parsed.remove(0);
            }
            self.parsed.push((Rc::clone(&own), Rc::clone(&script)));
        }
        (own, script)
    }

    /// A list in an environment of its own.
    pub(super) fn inner_list(&mut self, list: &List, stdin: &Data) -> Data {
        if self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        self.depth -= 1;
        let cwd = self.cwd.clone();
        let (vars, functions, aliases) = (self.vars.len(), self.functions.len(), self.aliases.len());
        let cwds = self.cwds.clone();
        let data = self.list(list, stdin);
        self.cwds = cwds;
        // what is set there ends with it
        self.vars.truncate(vars);
        self.functions.truncate(functions);
        self.aliases.truncate(aliases);
        self.cwd = cwd;
        self.depth += 1;
        data
    }

    pub(super) fn list(&mut self, list: &List, stdin: &Data) -> Data {
        let mut all = Data::known("");
        // directories that the list so far leads to, if a part of it did not run
        let mut left: Option<Fork> = None;
        let (mut leaves, mut rest) = (false, None);
        for pipeline in list {
            let mut flow: Option<Data> = None;
            let (beside, piped) = (self.beside, self.piped);
            let apart = pipeline.background || pipeline.commands.len() > 1;
            self.beside = beside || apart;
            if !pipeline.and
                && let Some(fork) = left.take()
            {
                self.join(fork);
            }
            if leaves && !pipeline.and && rest.is_none() {
                rest = Some(self.fork());
            }
            if left.is_none() && (apart || pipeline.and || pipeline.otherwise) {
                left = Some(self.fork());
            }
            for (at, command) in pipeline.commands.iter().enumerate() {
                self.piped = piped || at + 1 < pipeline.commands.len();
                flow = Some(self.command(command, flow.as_ref().unwrap_or(stdin)));
            }
            (self.beside, self.piped) = (beside, piped);
            leaves |= pipeline.commands.first().is_some_and(|command| self.leaves(command));
            let data = flow.unwrap_or_default();
            // `a || b` prints what `a` prints, where that is known
            if pipeline.otherwise && all.text.as_deref().is_some_and(|text| !text.trim().is_empty()) {
                all.taint = all.taint.and(data.taint);
                all.listing.extend(data.listing);
                continue;
            }
            all = all.then(data);
        }
        for fork in left.into_iter().chain(rest) {
            self.join(fork);
        }
        all
    }

    /// A command behind which the rest of the list may not run.
    fn leaves(&self, command: &Command) -> bool {
        let Kind::Simple { words, .. } = &command.kind else {
            return false;
        };
        let word = words.first().and_then(|word| word.bare(&self.source));
        matches!(word, Some("exit" | "return" | "break" | "continue" | "exec" | "logout"))
    }

    pub(super) fn command(&mut self, command: &Command, stdin: &Data) -> Data {
        if self.steps == 0 || self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        self.each(command, stdin)
    }

    pub(super) fn once(&mut self, command: &Command, stdin: &Data) -> Data {
        if self.steps == 0 || self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        self.steps -= 1;
        self.depth -= 1;
        let (on_network, on_terminal) = (self.on_network, self.on_terminal);
        let mut input = None;
        for redirect in &command.redirects {
            self.on_terminal |= takes_terminal(redirect, &self.source);
            if let Some(data) = self.redirected_in(redirect) {
                input = Some(data);
            }
        }
        let stdin = input.as_ref().unwrap_or(stdin);
        let mut data = self.kind(command, stdin);
        for redirect in &command.redirects {
            self.redirected_out(redirect, &mut data);
        }
        (self.on_network, self.on_terminal) = (on_network, on_terminal);
        self.depth += 1;
        data
    }

    fn kind(&mut self, command: &Command, stdin: &Data) -> Data {
        match &command.kind {
            Kind::Group(list) => self.list(list, stdin),
            Kind::Loop(list) => {
                if forks_for_ever(list, &self.source) {
                    self.report(&rule::EXHAUST, self.outer.unwrap_or_default());
                }
                let in_loop = std::mem::replace(&mut self.in_loop, true);
                let fork = self.fork();
                let data = self.turns(list, stdin);
                self.join(fork);
                self.in_loop = in_loop;
                data
            }
            Kind::If {
                condition,
                arms,
                complete,
            } => {
                if asks_whether_virtual(condition, &self.source) {
                    self.report(&rule::MACHINE_PROBE, self.outer.unwrap_or_default());
                }
                let all = self.list(condition, stdin);
                all.then(self.arms(arms, *complete, stdin))
            }
            Kind::Case {
                subject,
                arms,
                complete,
            } => {
                self.joined(subject);
                self.arms(arms, *complete, stdin)
            }
            Kind::Subshell(list) => self.inner_list(list, stdin),
            Kind::For { name, words, body } => self.for_loop(name, words.as_deref(), body, stdin),
            Kind::Function { name, body } => {
                self.define(name, body);
                Data::known("")
            }
            Kind::Test(words) => {
                for word in words {
                    self.joined(word);
                }
                Data::known("")
            }
            Kind::Simple { assigns, words } => {
                let mut argv = Vec::with_capacity(words.len());
                for word in words {
                    self.fields(word, &mut argv);
                }
                let mut set = Vec::new();
                for assign in assigns {
                    let value = self.joined(&assign.value);
                    effect::environment(self, &assign.name, &value);
                    let text = if assign.append {
                        let before = self.variable(&assign.name).map(|(text, _)| text);
                        format!("{}{}", before.unwrap_or_default(), value.text)
                    } else {
                        value.text
                    };
                    set.push(Var {
                        unsure: self.choice.is_other(),
                        ..Var::new(&assign.name, text, value.taint)
                    });
                }
                if argv.is_empty() {
                    self.limited |= self.vars.len() + set.len() > 4096;
                    self.vars.extend(set);
                    return Data::known("");
                }
                let kept = self.vars.len();
                self.vars.extend(set);
                let data = self.invoke(&argv, stdin);
                self.vars
                    .drain(kept.min(self.vars.len())..assigns.len().saturating_add(kept).min(self.vars.len()));
                data
            }
        }
    }

    /// Runs a command as the shell would find it: functions and aliases of the line first.
    pub(in crate::screen) fn invoke(&mut self, argv: &[Field], stdin: &Data) -> Data {
        let Some(first) = argv.first() else {
            return Data::known("");
        };
        if self.steps == 0 || self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        #[cfg(test)]
        crate::screen::work::took(argv.iter().map(|field| 1 + field.text.len()).sum());
        self.steps -= 1;
        self.depth -= 1;
        let data = self.invoke_here(first, argv, stdin);
        self.depth += 1;
        data
    }

    fn invoke_here(&mut self, first: &Field, argv: &[Field], stdin: &Data) -> Data {
        if let Some(explained) = &mut self.explained
            && explained.len() < 256
        {
            explained.push(Explained::new(argv, first.span, DEPTH - self.depth));
        }
        let name = first.text.as_str();
        let own = self.functions.iter().rev().filter(|function| function.name == name);
        let mut bodies: Vec<(Rc<Command>, Rc<str>, bool)> = Vec::new();
        for function in own.take(8) {
            bodies.push((Rc::clone(&function.body), Rc::clone(&function.source), function.unsure));
            if !function.unsure {
                break;
            }
        }
        let mut called = None;
        for (body, source, unsure) in bodies {
            let source = std::mem::replace(&mut self.source, source);
            let data = self.call(&body, argv, stdin);
            self.source = source;
            let data = match called.take() {
                Some(before) => Data::or(before, data),
                None => data,
            };
            if !unsure {
                return data;
            }
            called = Some(data);
        }
        // not every shell looks at aliases: what the name itself means counts, too
        if let Some((_, text)) = self.aliases.iter().rev().find(|(own, _)| own == name)
            && !self.expanding.iter().any(|own| own == text)
        {
            let mut text = text.clone();
            self.expanding.push(text.clone());
            for field in argv.iter().skip(1) {
                text.push(' ');
                text.push_str(&quote(&field.text));
            }
            let data = self.script_here(&text, first.span, stdin);
            called = Some(match called.take() {
                Some(before) => Data::or(before, data),
                None => data,
            });
            self.expanding.pop();
        }
        let data = super::resolve::program(self, argv, stdin);
        match called {
            Some(before) => before.or(data),
            None => data,
        }
    }

    pub(in crate::screen) fn set(&mut self, name: &str, value: &str, taint: Taint) {
        if self.vars.len() < 4096 {
            self.vars.push(Var {
                unsure: self.choice.is_other(),
                ..Var::new(name, value, taint)
            });
        }
    }

    pub(in crate::screen) fn alias(&mut self, name: &str, text: &str) {
        let known = self.aliases.iter().rev().find(|(own, _)| own == name);
        if self.aliases.len() < 256 && known.is_none_or(|(_, own)| own != text) {
            self.aliases.push((name.to_owned(), text.to_owned()));
        }
    }

    /// What is in a file that the line itself wrote.
    pub(in crate::screen) fn written(&self, path: &str) -> Option<&Data> {
        #[cfg(test)]
        crate::screen::work::took(self.files.len());
        let path = path.strip_prefix("./").unwrap_or(path);
        self.files
            .iter()
            .rev()
            .find(|(own, _)| own.strip_prefix("./").unwrap_or(own) == path)
            .map(|(_, data)| data)
    }
}

/// A condition that holds on a virtual machine, or on none (systemd-detect-virt(1), virt-what(1)).
fn asks_whether_virtual(condition: &List, source: &str) -> bool {
    condition
        .iter()
        .flat_map(|pipeline| &pipeline.commands)
        .any(|command| match &command.kind {
            Kind::Simple { words, .. } => {
                let word = words.first().and_then(|word| word.bare(source));
                word.is_some_and(|word| matches!(word.rsplit('/').next(), Some("systemd-detect-virt" | "virt-what")))
            }
            Kind::Subshell(list) | Kind::Group(list) => asks_whether_virtual(list, source),
            _ => false,
        })
}

/// A text as one word of a script.
pub(in crate::screen) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+:,@%~*".contains(c) || !c.is_ascii();
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
