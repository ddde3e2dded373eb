//! Walking through the arguments of a call: which check reads which value.

use std::rc::Rc;

use serde_json::Value;

use super::explain::Notes;
use super::finding::Span;
use super::names::{Kinds, Nature};
use super::rule::{self, Rule};
use super::shell::sources::Sources;
use super::shell::walk::Walk;
use super::{StandardScreen, bulk, path, secret, shell, sql, url};
use crate::call::ArgKind;
use crate::verdict::Decision;

/// How deep arguments are read; calls that reach a harness are never deeper.
const DEPTH: u32 = 64;
/// How long a command may be that is still read.
const COMMAND: usize = 256 * 1024;

/// One pass over one call.
pub(super) struct Pass<'s> {
    pub(super) screen: &'s StandardScreen,
    pub(super) tool: &'s str,
    pub(super) kinds: Kinds,
    /// The rules that fit, with the argument and place, and for patterns of the operator's own: which.
    pub(super) hits: Vec<Hit>,
    pub(super) understood: bool,
    /// What somebody wants to see who asked for an explanation, and the text that is being read for it.
    pub(super) notes: Option<Notes>,
    pub(super) reading: Option<Rc<str>>,
}

pub(super) struct Hit {
    pub(super) rule: &'static Rule,
    pub(super) argument: Option<String>,
    pub(super) span: Option<Span>,
    pub(super) by: Option<String>,
    pub(super) text: Option<Rc<str>>,
}

impl Hit {
    pub(super) fn of(rule: &'static Rule) -> Self {
        Self {
            rule,
            argument: None,
            span: None,
            by: None,
            text: None,
        }
    }
}

impl Pass<'_> {
    fn hit(&mut self, rule: &'static Rule, argument: &str, span: Option<Span>) {
        if self.hits.len() < 128
            && !self
                .hits
                .iter()
                .any(|hit| hit.rule == rule && hit.argument.as_deref() == Some(argument) && hit.span == span)
        {
            self.hits.push(Hit {
                argument: Some(argument.to_owned()),
                span,
                text: self.reading.clone(),
                ..Hit::of(rule)
            });
        }
    }

    /// Reads all arguments; `declared` tells what an argument's text means, where the tool says so.
    pub(super) fn arguments(&mut self, arguments: &Value, declared: &dyn Fn(&str) -> Option<ArgKind>) {
        match arguments {
            Value::Object(map) => {
                for (name, value) in map {
                    self.value(name, name, value, declared(name), DEPTH);
                }
                self.reading = None;
                if let Some(what) = bulk::judge(&self.kinds, map, &self.screen.profile.bulk) {
                    self.hit(&rule::BULK, what, None);
                }
                self.command_of_parts(map);
                if self.kinds.writes {
                    self.contents(map);
                }
            }
            other => self.value("", "", other, None, DEPTH),
        }
    }

    fn value(&mut self, argument: &str, name: &str, value: &Value, kind: Option<ArgKind>, depth: u32) {
        if depth == 0 {
            self.hit(&rule::LIMIT, argument, None);
            return;
        }
        match value {
            Value::String(text) => self.text(argument, name, text, kind),
            Value::Array(values) => {
                for value in values {
                    self.value(argument, name, value, kind, depth - 1);
                }
            }
            Value::Object(map) => {
                for (name, value) in map {
                    self.value(argument, name, value, kind, depth - 1);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, argument: &str, name: &str, text: &str, kind: Option<ArgKind>) {
        if self.notes.is_some() {
            self.reading = Some(text.into());
        }
        self.own_patterns(argument, text, None);
        let nature = match kind {
            Some(ArgKind::Shell) => Nature::Shell,
            Some(ArgKind::Sql) => Nature::Sql,
            Some(ArgKind::Path) => Nature::Path,
            Some(ArgKind::Url) => Nature::Url,
            None => self.kinds.of(name, text),
        };
        if let Some(notes) = &mut self.notes {
            notes.read(argument, nature);
        }
        match nature {
            Nature::Shell => self.shell(argument, text),
            Nature::Code => {
                let mut sources = Sources::default();
                let mut walk = Walk::new(&self.screen.places, &mut sources, text.len());
                shell::code::scan(&mut walk, text, Span::new(0, text.len()));
                self.take(argument, walk);
            }
            Nature::Sql => {
                let read = sql::statements(text);
                for rule in read.rules {
                    self.hit(rule, argument, None);
                }
                if read.broken {
                    self.understood = false;
                    self.hit(&rule::UNPARSED, argument, None);
                }
            }
            Nature::Path => {
                if has_scheme(text) {
                    self.url(argument, text);
                } else if let Some(rule) = path::judge(text, &self.screen.places, self.kinds.writes) {
                    self.hit(rule, argument, None);
                }
            }
            Nature::Url => self.url(argument, text),
            Nature::Free => {}
            Nature::Plain => {
                if has_scheme(text) && !text.contains(char::is_whitespace) {
                    self.url(argument, text);
                } else if looks_like_path(text)
                    && let Some(rule) = path::judge(text, &self.screen.places, self.kinds.writes)
                {
                    self.hit(rule, argument, None);
                } else if sql::injected(text) {
                    self.hit(&rule::SQL_INJECTION, argument, None);
                } else if shell::injected::shell_injected(text) {
                    self.hit(&rule::SHELL_INJECTION, argument, None);
                }
            }
        }
        if nature != Nature::Shell
            && self.kinds.sends
            && let Some((start, end)) = secret::find(text)
        {
            self.hit(&rule::SECRET_IN_ARGUMENT, argument, Some(Span::new(start, end)));
        }
    }

    /// What is written into a file that will run, or from which a program takes what it runs. Which of several paths and texts counts
    /// is the tool's business: each with each is judged.
    fn contents(&mut self, map: &serde_json::Map<String, Value>) {
        let named = |names: &'static [&str]| {
            map.iter()
                .filter(|(name, _)| names.contains(&name.as_str()))
                .filter_map(|(name, value)| Some((name, value.as_str()?)))
        };
        for (_, path) in named(&[
            "path",
            "file_path",
            "filepath",
            "file",
            "filename",
            "file_name",
            "target_file",
        ]) {
            let texts = named(&[
                "content",
                "contents",
                "file_text",
                "text",
                "new_string",
                "new_str",
                "code_edit",
                "data",
            ]);
            for (argument, text) in texts.filter(|(_, text)| text.len() <= COMMAND) {
                let mut sources = Sources::default();
                let mut walk = Walk::new(&self.screen.places, &mut sources, text.len());
                if let Some(rule) = super::effect::contents(&mut walk, path, text) {
                    self.hit(rule, argument, None);
                }
            }
        }
    }

    fn url(&mut self, argument: &str, text: &str) {
        if let Some(rule) = url::judge(text, &self.screen.profile) {
            self.hit(rule, argument, None);
        }
    }

    fn shell(&mut self, argument: &str, text: &str) {
        if text.len() > COMMAND {
            self.understood = false;
            self.hit(&rule::LIMIT, argument, None);
        }
        let mut end = text.len().min(COMMAND);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        let mut sources = Sources::default();
        let mut walk = Walk::new(&self.screen.places, &mut sources, text.len());
        let wanted = self.notes.is_some() || !self.screen.profile.patterns.is_empty();
        walk.explained = wanted.then(Vec::new);
        walk.text(text);
        // what is no shell at all may still be a program in another language, to be saved and run
        let span = Span::new(0, text.len());
        if walk.found.is_empty() && (walk.broken || names_network(text)) && shell::code::remote_shell(text) {
            walk.report(&rule::REVERSE_SHELL, span);
        } else if walk.found.is_empty() && text.contains("<?") && super::effect::answers_requests(text) {
            walk.report(&rule::PERSIST, span);
        } else if walk.found.is_empty()
            && (walk.broken && ["exec", "system", "spawn"].iter().any(|own| text.contains(own))
                || text.contains("System.Process"))
        {
            shell::code::scan(&mut walk, text, span);
        }
        self.take(argument, walk);
    }

    /// Takes over what a walk found.
    fn take(&mut self, argument: &str, walk: Walk<'_>) {
        if walk.limited {
            self.understood = false;
            self.hit(&rule::LIMIT, argument, None);
        }
        if walk.broken {
            self.hit(&rule::UNPARSED, argument, None);
        }
        self.understood &= !walk.broken && !walk.open;
        let commands = walk.explained.unwrap_or_default();
        for command in &commands {
            let span = Span::new(command.start, command.end);
            self.own_patterns(argument, &command.words.join(" "), Some(span));
        }
        if let Some(notes) = &mut self.notes {
            notes.commands(argument, commands);
        }
        for (rule, span) in walk.found {
            self.hit(rule, argument, Some(span));
        }
    }

    /// A command that is given as a program and a list of its arguments.
    fn command_of_parts(&mut self, map: &serde_json::Map<String, Value>) {
        let list = |value: &Value| -> Option<Vec<String>> {
            let words = value.as_array()?;
            words.iter().map(|word| word.as_str().map(shell::walk::quote)).collect()
        };
        for (name, value) in map {
            if !self.kinds.is_command(name) {
                continue;
            }
            let mut words = match value {
                Value::String(program) => vec![program.clone()],
                value => list(value).unwrap_or_default(),
            };
            let rest = ["args", "arguments", "argv", "params"]
                .iter()
                .find_map(|name| map.get(*name))
                .and_then(list);
            if words.is_empty() || rest.is_none() && value.is_string() {
                continue;
            }
            words.extend(rest.unwrap_or_default());
            let text = words.join(" ");
            if let Some(notes) = &mut self.notes {
                self.reading = Some(text.as_str().into());
                notes.read(name, Nature::Shell);
            }
            self.shell(name, &text);
        }
    }

    /// The operator's own patterns, on the text of an argument, or on a command that stands somewhere in it.
    fn own_patterns(&mut self, argument: &str, text: &str, stands: Option<Span>) {
        let screen = self.screen;
        for own in &screen.profile.patterns {
            if !own.holds_for(self.tool) {
                continue;
            }
            let Some(span) = own.find(text) else {
                continue;
            };
            let rule = if own.decision() == Decision::Deny {
                &rule::OWN_PATTERN_DENY
            } else {
                &rule::OWN_PATTERN_ESCALATE
            };
            let by = format!("pattern `{}`", own.pattern().escape_debug());
            let known = |hit: &Hit| hit.argument.as_deref() == Some(argument) && hit.by.as_deref() == Some(&by);
            if self.hits.len() < 128 && !self.hits.iter().any(known) {
                self.hits.push(Hit {
                    argument: Some(argument.to_owned()),
                    span: Some(stands.unwrap_or(span)),
                    by: Some(by),
                    text: self.reading.clone(),
                    ..Hit::of(rule)
                });
            }
        }
    }
}

fn looks_like_path(text: &str) -> bool {
    text.len() < 1024
        // all that follows holds one of them
        && text.bytes().any(|byte| matches!(byte, b'/' | b'\\' | b'%'))
        && !text.contains(char::is_whitespace)
        && (text.starts_with('/') && text.len() > 1
            || text.starts_with("~/")
            || text.starts_with("../")
            || text.starts_with("..\\")
            || text.contains("/../")
            || text.contains("%2e%2e")
            || text.contains("..%2f")
            || text.contains("%252e"))
}

/// Whether a text names a scheme somewhere, as a URL does.
fn has_scheme(text: &str) -> bool {
    // one sign is found sooner than three, and most texts have no colon
    text.contains(':') && text.contains("://")
}

/// Whether a text names a connection as some language does: sockets, `net.Dial`, `TcpStream`.
fn names_network(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let name: &[u8] = match byte {
            b'o' => b"ocket",
            b'.' => b".Dial",
            b'T' => b"Tcp",
            _ => return false,
        };
        bytes.get(at..).is_some_and(|rest| rest.starts_with(name))
    })
}
