//! Walking through a script as a shell would: what is set, what flows where, and what would run.

use std::ptr;

use super::ast::{Command, Source};
use super::calls::Running;
use super::data::{Data, Field, Taint, UNKNOWN};
use super::nodes::Nodes;
use super::parse;
use super::possible::{Choice, Var};
use super::sources::{End, Sources};
use super::text::Text;
use crate::screen::explain::Explained;
use crate::screen::finding::Span;
use crate::screen::place::Places;
use crate::screen::rule::{Effect, Rule, Severity};

/// The most bytes of one value.
pub(super) const VALUE: usize = 64 * 1024;
/// How deep one command may lead to another.
pub(super) const DEPTH: u32 = 40;
/// How many commands one text may lead to.
const STEPS: u32 = 4096;

/// A function of the line.
pub(super) struct Function<'s> {
    pub(super) name: &'s str,
    pub(super) body: Body<'s>,
    /// It may not be defined, or no more.
    pub(super) unsure: bool,
}

/// The body of a function: a command, and what it was read from.
#[derive(Clone, Copy)]
pub(super) struct Body<'s> {
    pub(super) command: Nodes<Command>,
    pub(super) source: &'s Source,
}

impl Body<'_> {
    /// Whether it is the very same, not one that reads the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.command.are(other.command) && ptr::eq(self.source, other.source)
    }
}

/// One walk through one text.
pub(in crate::screen) struct Walk<'s> {
    pub(in crate::screen) places: &'s Places,
    pub(in crate::screen) found: Vec<(&'static Rule, Span)>,
    pub(in crate::screen) explained: Option<Vec<Explained>>,
    pub(super) vars: Vec<Var<'s>>,
    /// Which of the values that its variables may have a command is judged with, and how many there were.
    pub(super) choice: Choice,
    /// What is walked through is substituted in a word.
    pub(super) substituting: bool,
    /// Other directories in which the next command may run.
    pub(super) cwds: Vec<String>,
    /// What is walked through may not run.
    pub(in crate::screen) unsure: bool,
    /// What the words that are being walked through were read from.
    pub(super) source: &'s Source,
    pub(super) functions: Vec<Function<'s>>,
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
    parsed: Vec<&'s Source>,
    /// All that was parsed.
    sources: End<'s>,
    pub(super) depth: u32,
    pub(super) steps: u32,
    /// Bytes of nested texts that may still be parsed.
    bytes: usize,
    pub(super) running: Vec<Running<'s>>,
    /// Places for the words of commands, to be used again.
    pub(super) spare: Vec<Vec<Field<'s>>>,
    /// Texts of aliases that are being read.
    pub(super) expanding: Vec<String>,
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
    /// That loop goes through more numbers than anybody would write down.
    pub(in crate::screen) sweeps: bool,
    /// A program that is not meant to start shells runs the command.
    pub(in crate::screen) by_other: bool,
}

impl<'s> Walk<'s> {
    pub(in crate::screen) fn new(places: &'s Places, sources: &'s mut Sources, bytes: usize) -> Self {
        let (sources, source) = sources.begin();
        Self {
            places,
            found: Vec::new(),
            explained: None,
            vars: Vec::new(),
            choice: Choice::default(),
            substituting: false,
            cwds: Vec::new(),
            unsure: false,
            source,
            functions: Vec::new(),
            aliases: Vec::new(),
            files: Vec::new(),
            cwd: String::new(),
            limited: false,
            broken: false,
            open: false,
            outer: None,
            parsed: Vec::new(),
            sources,
            depth: DEPTH,
            steps: STEPS,
            bytes: 64 * 1024 + 4 * bytes,
            running: Vec::new(),
            spare: Vec::new(),
            expanding: Vec::new(),
            writes: 0,
            beside: false,
            piped: false,
            on_network: false,
            on_terminal: false,
            in_loop: false,
            sweeps: false,
            by_other: false,
        }
    }

    /// Most commands have nothing to report: what leads here lies apart from what every command goes through.
    #[cold]
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
        self.source = self.sources.put(parse::parse(text));
        self.broken |= self.source.broken;
        self.limited |= self.source.limited;
        self.list(self.source.list, &Data::none())
    }

    /// Walks through a text that another command runs as a script: what it sets may not last.
    pub(in crate::screen) fn script(&mut self, text: &str, span: Span, stdin: &Data) -> Data {
        let fork = self.fork();
        let cwds = self.elsewheres();
        let data = self.script_here(text, span, stdin);
        self.join(fork);
        self.cwds = cwds;
        data
    }

    /// Walks through a text that may be a script, or only what somebody says: what would be grave counts, and nothing else.
    #[inline(never)]
    pub(in crate::screen) fn perhaps(&mut self, text: &str, span: Span) {
        let (before, flags) = (self.found.len(), (self.open, self.broken));
        self.script(text, span, &Data::none());
        let mut at = 0;
        self.found.retain(|(rule, _)| {
            at += 1;
            at <= before || rule.severity() >= Severity::High && rule.effect() != Effect::Exhaust
        });
        (self.open, self.broken) = flags;
    }

    /// Walks through a text that this shell itself runs.
    pub(super) fn script_here(&mut self, text: &str, span: Span, stdin: &Data) -> Data {
        if self.depth == 0 || text.len() > self.bytes {
            self.limited = true;
            return Data::unknown(Taint::NONE);
        }
        if !text.is_ascii() && text.contains(UNKNOWN) {
            self.open = true;
        }
        self.bytes -= text.len();
        self.depth -= 1;
        let outer = self.outer.replace(span);
        let cwd = self.here();
        let script = self.parsed(text);
        self.limited |= script.limited;
        self.broken |= script.broken;
        let source = std::mem::replace(&mut self.source, script);
        let data = self.list(script.list, stdin);
        self.source = source;
        self.cwd = cwd;
        self.outer = outer;
        self.depth += 1;
        data
    }

    /// A nested text, parsed: loops and functions often come to the same ones.
    fn parsed(&mut self, text: &str) -> &'s Source {
        if let Some(script) = self.parsed.iter().rev().find(|own| *own.text == *text) {
            return script;
        }
        let script = self.sources.put(parse::parse(text));
        if text.len() <= 1024 {
            if self.parsed.len() >= 8 {
                self.parsed.remove(0);
            }
            self.parsed.push(script);
        }
        script
    }

    pub(in crate::screen) fn set(&mut self, name: &str, value: &str, taint: Taint) {
        if self.vars.len() < 4096 {
            self.vars.push(Var {
                unsure: self.choice.is_other(),
                ..Var::new(Text::from(name.to_owned()), Text::from(value.to_owned()), taint)
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

/// A text as one word of a script.
pub(in crate::screen) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=+:,@%~*".contains(c) || !c.is_ascii();
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
