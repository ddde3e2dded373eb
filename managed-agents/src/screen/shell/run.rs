//! Running what was parsed as a shell would: lists, compound commands, simple commands and functions, one after the other.

use smallvec::SmallVec;

use super::ast::{Assign, Command, Kind, List, Source, Word};
use super::data::{Data, Field, Taint};
use super::loops::{forks_for_ever, only_turns};
use super::nodes::Nodes;
use super::possible::{Fork, Var};
use super::redirected::takes_terminal;
use super::text::Text;
use super::walk::{Body, DEPTH, Walk, quote};
use crate::screen::explain::Explained;
use crate::screen::{effect, rule};

impl<'s> Walk<'s> {
    /// A list in an environment of its own.
    pub(super) fn inner_list(&mut self, list: List, stdin: &Data) -> Data {
        if self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        self.depth -= 1;
        let cwd = self.here();
        let (vars, functions, aliases) = (self.vars.len(), self.functions.len(), self.aliases.len());
        let cwds = self.elsewheres();
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

    pub(super) fn list(&mut self, list: List, stdin: &Data) -> Data {
        let source = self.source;
        let pipelines = source.kept.list(list);
        // one command in the foreground, as most lists are: it runs, and nothing stands beside or behind it
        if let [only] = pipelines
            && let [command] = only.commands.of(&source.kept.commands)
            && !(only.background || only.and || only.otherwise)
        {
            return self.command(command, stdin).given();
        }
        let mut all: Option<Data> = None;
        // directories that the list so far leads to, if a part of it did not run
        let mut left: Option<Fork> = None;
        let (mut leaves, mut rest) = (false, None);
        for pipeline in pipelines {
            let commands = pipeline.commands.of(&source.kept.commands);
            let apart = pipeline.background || commands.len() > 1;
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
            let data = match commands {
                [only] if !apart => self.command(only, stdin),
                commands => self.apart(commands, apart, stdin),
            };
            leaves |= commands.first().is_some_and(|command| self.leaves(command));
            // `a || b` prints what `a` prints, where that is known
            all = Some(match all.take() {
                None => data.given(),
                Some(mut all)
                    if pipeline.otherwise && all.text.as_deref().is_some_and(|text| !text.trim().is_empty()) =>
                {
                    all.taint = all.taint.and(data.taint);
                    all.listing.extend(data.listing);
                    all
                }
                Some(all) => all.then(data),
            });
        }
        if let Some(fork) = left {
            self.join(fork);
        }
        if let Some(fork) = rest {
            self.join(fork);
        }
        all.unwrap_or_else(|| Data::known(""))
    }

    /// Commands that run beside each other, or beside what stands behind them.
    fn apart(&mut self, commands: &'s [Command], apart: bool, stdin: &Data) -> Data {
        let mut flow: Option<Data> = None;
        let (beside, piped) = (self.beside, self.piped);
        self.beside = beside || apart;
        for (at, command) in commands.iter().enumerate() {
            self.piped = piped || at + 1 < commands.len();
            flow = Some(self.command(command, flow.as_ref().unwrap_or(stdin)));
        }
        (self.beside, self.piped) = (beside, piped);
        flow.unwrap_or_default()
    }

    /// A command behind which the rest of the list may not run.
    fn leaves(&self, command: &Command) -> bool {
        let Kind::Simple { words, .. } = &command.kind else {
            return false;
        };
        let word = self.source.first_bare(*words);
        matches!(word, Some("exit" | "return" | "break" | "continue" | "exec" | "logout"))
    }

    pub(super) fn command(&mut self, command: &'s Command, stdin: &Data) -> Data {
        if self.steps == 0 || self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        self.each(command, stdin)
    }

    pub(super) fn once(&mut self, command: &'s Command, stdin: &Data) -> Data {
        if self.steps == 0 || self.depth == 0 {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        self.steps -= 1;
        self.depth -= 1;
        let data = if command.redirects.is_empty() {
            self.kind(command, stdin)
        } else {
            self.redirected(command, stdin)
        };
        self.depth += 1;
        data
    }

    /// A command whose input comes from elsewhere, or whose output goes there.
    fn redirected(&mut self, command: &'s Command, stdin: &Data) -> Data {
        let (on_network, on_terminal) = (self.on_network, self.on_terminal);
        let redirects = command.redirects.of(&self.source.kept.redirects);
        let mut input = None;
        for redirect in redirects {
            self.on_terminal |= takes_terminal(redirect, self.source);
            if let Some(data) = self.redirected_in(redirect) {
                input = Some(data);
            }
        }
        let stdin = input.as_ref().unwrap_or(stdin);
        let mut data = self.kind(command, stdin);
        for redirect in redirects {
            self.redirected_out(redirect, &mut data);
        }
        (self.on_network, self.on_terminal) = (on_network, on_terminal);
        data
    }

    fn kind(&mut self, command: &Command, stdin: &Data) -> Data {
        // most commands are simple ones: what the others need stays out of their way
        match &command.kind {
            Kind::Simple { assigns, words } => self.words(*assigns, *words, stdin),
            _ => self.compound(command, stdin),
        }
    }

    fn words(&mut self, assigns: Nodes<Assign>, words: Nodes<Word>, stdin: &Data) -> Data {
        let source = self.source;
        let mut argv = self.spare.pop().unwrap_or_default();
        for word in words.of(&source.kept.words) {
            self.fields(word, &mut argv);
        }
        let data = if assigns.is_empty() && !argv.is_empty() {
            self.invoke(&argv, stdin)
        } else {
            self.assigning(assigns.of(&source.kept.assigns), &argv, stdin)
        };
        argv.clear();
        self.spare.push(argv);
        data
    }

    #[inline(never)]
    fn compound(&mut self, command: &Command, stdin: &Data) -> Data {
        match &command.kind {
            Kind::Group(list) => self.list(*list, stdin),
            Kind::Loop(list) => {
                if forks_for_ever(*list, self.source) || self.beside && only_turns(*list, self.source) {
                    self.report(&rule::EXHAUST, self.outer.unwrap_or_default());
                }
                let in_loop = std::mem::replace(&mut self.in_loop, true);
                let fork = self.fork();
                let data = self.turns(*list, stdin);
                self.join(fork);
                self.in_loop = in_loop;
                data
            }
            Kind::If {
                condition,
                arms,
                complete,
            } => {
                if asks_whether_virtual(*condition, self.source) {
                    self.report(&rule::MACHINE_PROBE, self.outer.unwrap_or_default());
                }
                let all = self.list(*condition, stdin);
                all.then(self.arms(*arms, *complete, stdin))
            }
            Kind::Case {
                subject,
                arms,
                complete,
            } => {
                for subject in subject.of(&self.source.kept.words) {
                    self.joined(subject);
                }
                self.arms(*arms, *complete, stdin)
            }
            Kind::Subshell(list) => self.inner_list(*list, stdin),
            Kind::For { name, words, body } => self.for_loop(*name, *words, *body, stdin),
            Kind::Function { name, body } => {
                self.define(self.source.literal(*name), *body);
                Data::known("")
            }
            Kind::Test(words) => {
                for word in words.of(&self.source.kept.words) {
                    self.joined(word);
                }
                Data::known("")
            }
            Kind::Simple { assigns, words } => self.words(*assigns, *words, stdin),
        }
    }

    /// Runs a simple command with the variables that are set for it alone, or sets them.
    #[inline(never)]
    fn assigning(&mut self, assigns: &'s [Assign], argv: &[Field<'s>], stdin: &Data) -> Data {
        let mut set: SmallVec<[Var<'s>; 1]> = SmallVec::new();
        for assign in assigns {
            let name = self.source.literal(assign.name);
            let value = self.joined(&assign.value);
            effect::environment(self, name, &value);
            let text = if assign.append {
                let before = self.variable(name).map(|(text, _)| text);
                Text::from(format!("{}{}", before.unwrap_or_default(), value.text))
            } else {
                value.text
            };
            set.push(Var {
                unsure: self.choice.is_other(),
                ..Var::new(Text::from(name), text, value.taint)
            });
        }
        if argv.is_empty() {
            self.limited |= self.vars.len() + set.len() > 4096;
            self.vars.extend(set);
            return Data::known("");
        }
        let kept = self.vars.len();
        self.vars.extend(set);
        let data = self.invoke(argv, stdin);
        self.vars
            .drain(kept.min(self.vars.len())..assigns.len().saturating_add(kept).min(self.vars.len()));
        data
    }

    /// Runs a command as the shell would find it: functions and aliases of the line first.
    pub(in crate::screen) fn invoke(&mut self, argv: &[Field<'_>], stdin: &Data) -> Data {
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

    fn invoke_here(&mut self, first: &Field<'_>, argv: &[Field<'_>], stdin: &Data) -> Data {
        if let Some(explained) = &mut self.explained
            && explained.len() < 256
        {
            explained.push(Explained::new(argv, first.span, DEPTH - self.depth));
        }
        // most lines define neither functions nor aliases
        if self.functions.is_empty() && self.aliases.is_empty() {
            return super::resolve::program(self, argv, stdin);
        }
        let name = first.text.as_str();
        let own = self.functions.iter().rev().filter(|function| function.name == name);
        let mut bodies: Vec<(Body<'s>, bool)> = Vec::new();
        for function in own.take(8) {
            bodies.push((function.body, function.unsure));
            if !function.unsure {
                break;
            }
        }
        let mut called = None;
        for (body, unsure) in bodies {
            let source = std::mem::replace(&mut self.source, body.source);
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
}

/// A condition that holds on a virtual machine, or on none (systemd-detect-virt(1), virt-what(1)).
fn asks_whether_virtual(condition: List, source: &Source) -> bool {
    source.kept.commands_of(condition).any(|command| match &command.kind {
        Kind::Simple { words, .. } => {
            let word = source.first_bare(*words);
            word.is_some_and(|word| matches!(word.rsplit('/').next(), Some("systemd-detect-virt" | "virt-what")))
        }
        Kind::Subshell(list) | Kind::Group(list) => asks_whether_virtual(*list, source),
        _ => false,
    })
}
