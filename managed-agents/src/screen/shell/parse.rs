//! A parser for the shell's command language (POSIX 1003.1 §2, and what bash, zsh and ksh add to it).
//!
//! It never fails: what it cannot read is marked and skipped, so that what stands behind is still judged.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{Assign, Command, Kind, List, Pipeline, Redirect, Redirection, Word};
use crate::screen::finding::Span;

/// How deep substitutions and compounds may nest.
const DEPTH: u32 = 48;

/// A parsed text.
#[derive(Debug, Default)]
pub(in crate::screen) struct Script {
    pub(super) list: List,
    /// Something could not be read.
    pub(super) broken: bool,
    /// A limit was reached.
    pub(super) limited: bool,
}

/// Parses a text; never fails.
pub(in crate::screen) fn parse(text: &str) -> Script {
    let mut parser = Parser::new(text, DEPTH);
    let list = parser.list(End::Eof);
    parser.read_here_documents();
    Script {
        list,
        broken: parser.broken,
        limited: parser.limited,
    }
}

/// Where a list ends.
#[derive(Clone, Copy)]
pub(super) enum End<'e> {
    Eof,
    /// `)`
    Paren,
    /// `}`
    Brace,
    /// A reserved word at the place of a command.
    Words(&'e [&'e str]),
    /// `;;`, `;&` or `esac`
    Arm,
}

pub(super) struct Parser<'a> {
    pub(super) src: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) depth: u32,
    pub(super) broken: bool,
    pub(super) limited: bool,
    /// How often `((` may still be read twice, so that reading stays linear.
    pub(super) second_looks: u32,
    pending: Vec<Pending>,
}

struct Pending {
    delimiter: String,
    literal: bool,
    strip_tabs: bool,
    body: Rc<OnceCell<Word>>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(src: &'a str, depth: u32) -> Self {
        Self {
            src,
            bytes: src.as_bytes(),
            at: 0,
            depth,
            broken: false,
            limited: false,
            second_looks: 16,
            pending: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.src.get(from..to).unwrap_or_default()
    }

    /// Goes on to the next whole character, or the end.
    pub(super) fn align(&mut self) {
        self.at = self.at.min(self.bytes.len());
        while !self.src.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    fn starts(&self, text: &str) -> bool {
        self.bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Skips what separates words, and comments.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0) => self.at += 1,
                Some(b'\\') if self.peek_at(1) == Some(b'\n') => self.at += 2,
                Some(b'\\') if self.peek_at(1) == Some(b'\r') && self.peek_at(2) == Some(b'\n') => {
                    self.at += 3;
                }
                Some(b'#') => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// The unquoted word that begins here, if it is made of letters or is one of the reserved signs.
    fn reserved(&self) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take(9).take_while(|byte| byte.is_ascii_lowercase()).count();
        let length = match rest.first() {
            Some(b'{' | b'}' | b'!') => 1,
            Some(b'[') if rest.get(1) == Some(&b'[') => 2,
            _ => length,
        };
        match rest.get(length) {
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') => {
                self.slice(self.at, self.at + length)
            }
            _ => "",
        }
    }

    fn at_end(&self, end: End<'_>) -> bool {
        let Some(byte) = self.peek() else { return true };
        match end {
            End::Eof => false,
            End::Paren => byte == b')',
            End::Brace => byte == b'}' && self.reserved() == "}",
            End::Words(words) => words.contains(&self.reserved()),
            End::Arm => self.starts(";;") || self.starts(";&") || byte == b')' || self.reserved() == "esac",
        }
    }

    /// Commands up to an end, which is not consumed.
    pub(super) fn list(&mut self, end: End<'_>) -> List {
        let mut list = List::new();
        if self.depth == 0 {
            self.limited = true;
            self.at = self.bytes.len();
            return list;
        }
        self.depth -= 1;
        let mut otherwise = false;
        loop {
            self.blanks();
            if self.at_end(end) {
                break;
            }
            match self.peek() {
                Some(b'\n') => {
                    self.at += 1;
                    self.read_here_documents();
                    continue;
                }
                Some(b';') => {
                    self.at += 1;
                    continue;
                }
                Some(b'&') if self.peek_at(1) != Some(b'>') => {
                    self.at += 1;
                    continue;
                }
                Some(b'|' | b')') => {
                    // no command can begin here; what follows is still judged
                    self.broken = true;
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let before = self.at;
            let mut pipeline = self.pipeline();
            pipeline.otherwise = std::mem::take(&mut otherwise);
            self.blanks();
            match (self.peek(), self.peek_at(1)) {
                (Some(b'&'), Some(b'&')) => self.at += 2,
                (Some(b'|'), Some(b'|')) => {
                    self.at += 2;
                    otherwise = true;
                }
                (Some(b'&'), _) => {
                    self.at += 1;
                    pipeline.background = true;
                }
                _ => {}
            }
            if !pipeline.commands.is_empty() {
                list.push(pipeline);
            }
            if self.at == before {
                self.broken = true;
                self.at += 1;
                self.align();
            }
        }
        self.depth += 1;
        list
    }

    fn pipeline(&mut self) -> Pipeline {
        let mut pipeline = Pipeline::default();
        loop {
            self.blanks();
            while matches!(self.reserved(), "!" | "coproc" | "time") {
                let (start, word) = (self.at, self.reserved());
                self.at += word.len();
                self.blanks();
                if word == "time" && self.peek() == Some(b'-') {
                    // bash's reserved word knows `-p` alone; with any other option it is the program time(1)
                    if !self.starts("-p ") {
                        self.at = start;
                        break;
                    }
                    self.at += 2;
                    self.blanks();
                }
            }
            if let Some(command) = self.command() {
                pipeline.commands.push(command);
            }
            self.blanks();
            if self.peek() != Some(b'|') || self.peek_at(1) == Some(b'|') {
                return pipeline;
            }
            self.at += 1;
            if self.peek() == Some(b'&') {
                self.at += 1;
            }
            // a pipe may be followed by line ends
            loop {
                self.blanks();
                if self.peek() != Some(b'\n') {
                    break;
                }
                self.at += 1;
                self.read_here_documents();
            }
        }
    }

    fn command(&mut self) -> Option<Command> {
        let reserved = self.reserved();
        let kind = match reserved {
            "if" => Some(self.conditional()),
            "while" | "until" => {
                self.at += reserved.len();
                let mut body = self.list(End::Words(&["do"]));
                self.word_or_broken("do");
                body.extend(self.list(End::Words(&["done"])));
                self.word_or_broken("done");
                Some(Kind::Loop(body))
            }
            "for" | "select" => Some(self.for_loop(reserved.len())),
            "case" => Some(self.case()),
            "function" => {
                self.at += reserved.len();
                self.blanks();
                let name = self.word().bare().unwrap_or_default().to_owned();
                self.blanks();
                if self.starts("()") {
                    self.at += 2;
                }
                self.function(name)
            }
            "{" => {
                self.at += 1;
                let body = self.list(End::Brace);
                self.closing(b'}');
                Some(Kind::Group(body))
            }
            "[[" => {
                self.at += 2;
                Some(self.test())
            }
            _ if self.peek() == Some(b'(') => Some(self.paren()),
            _ => None,
        };
        let Some(kind) = kind else {
            return self.simple();
        };
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            match self.redirect() {
                Some(redirect) => redirects.push(redirect),
                None => break,
            }
        }
        Some(Command { kind, redirects })
    }

    fn closing(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.at += 1;
        } else {
            self.broken = true;
        }
    }

    fn word_or_broken(&mut self, word: &str) {
        self.blanks();
        if self.reserved() == word {
            self.at += word.len();
        } else {
            self.broken = true;
        }
    }

    fn conditional(&mut self) -> Kind {
        self.at += 2;
        let mut body = self.list(End::Words(&["then", "fi"]));
        while matches!(self.reserved(), "then" | "else" | "elif") {
            self.at += 4;
            body.extend(self.list(End::Words(&["then", "elif", "else", "fi"])));
        }
        self.word_or_broken("fi");
        Kind::Group(body)
    }

    fn for_loop(&mut self, keyword: usize) -> Kind {
        self.at += keyword;
        self.blanks();
        let mut words = None;
        let mut name = String::new();
        if self.starts("((") {
            words = Some(vec![self.arithmetic()]);
        } else {
            name = self.word().bare().unwrap_or_default().to_owned();
            self.blanks();
            if self.peek() == Some(b'\n') {
                self.at += 1;
                self.blanks();
            }
            if self.reserved() == "in" {
                self.at += 2;
                let mut given = Vec::new();
                loop {
                    self.blanks();
                    match self.peek() {
                        None | Some(b';' | b'\n' | b'&' | b'|' | b')' | b'<' | b'>' | b'(') => break,
                        _ => given.push(self.word()),
                    }
                }
                words = Some(given);
            }
        }
        let mut body = self.list(End::Words(&["do", "{"]));
        let braces = self.peek() == Some(b'{');
        if braces {
            self.at += 1;
            body.extend(self.list(End::Brace));
            self.closing(b'}');
        } else {
            self.word_or_broken("do");
            body.extend(self.list(End::Words(&["done"])));
            self.word_or_broken("done");
        }
        Kind::For { name, words, body }
    }

    fn case(&mut self) -> Kind {
        self.at += 4;
        self.blanks();
        let subject = self.word();
        self.blanks();
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        self.word_or_broken("in");
        let mut body = List::new();
        loop {
            self.separators();
            if self.peek().is_none() || self.reserved() == "esac" {
                break;
            }
            if self.peek() == Some(b'(') {
                self.at += 1;
            }
            // the patterns
            while self.peek().is_some_and(|byte| byte != b')' && byte != b'\n') {
                let before = self.at;
                self.word();
                self.blanks();
                if self.at == before {
                    self.at += 1;
                }
            }
            self.closing(b')');
            body.extend(self.list(End::Arm));
            if self.peek() == Some(b')') {
                self.broken = true;
                self.at += 1;
            }
        }
        self.word_or_broken("esac");
        Kind::Case { subject, body }
    }

    fn separators(&mut self) {
        loop {
            self.blanks();
            match self.peek() {
                Some(b'\n') => {
                    self.at += 1;
                    self.read_here_documents();
                }
                Some(b';' | b'&') => self.at += 1,
                _ => return,
            }
        }
    }

    fn function(&mut self, name: String) -> Option<Kind> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.depth == 0 {
            self.limited = true;
            return None;
        }
        self.depth -= 1;
        let body = self.command();
        self.depth += 1;
        match body {
            Some(body) => Some(Kind::Function {
                name,
                body: Rc::new(body),
            }),
            None => {
                self.broken = true;
                None
            }
        }
    }

    fn test(&mut self) -> Kind {
        let mut words = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None => {
                    self.broken = true;
                    break;
                }
                Some(b']') if self.starts("]]") => {
                    self.at += 2;
                    break;
                }
                Some(b'\n' | b';' | b'(' | b')' | b'&' | b'|' | b'<' | b'>') => self.at += 1,
                _ => words.push(self.word()),
            }
        }
        Kind::Test(words)
    }

    fn paren(&mut self) -> Kind {
        if self.starts("((")
            && let Some(word) = self.try_arithmetic()
        {
            return Kind::Test(vec![word]);
        }
        self.at += 1;
        let body = self.list(End::Paren);
        self.closing(b')');
        Kind::Subshell(body)
    }

    fn simple(&mut self) -> Option<Command> {
        let mut assigns = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect() {
                redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                Some(b'(') => {
                    if let ([name], true, true) = (words.as_slice(), assigns.is_empty(), redirects.is_empty()) {
                        let name = name.bare().unwrap_or_default().to_owned();
                        self.at += 1;
                        self.blanks();
                        if self.peek() == Some(b')') {
                            self.at += 1;
                            return self.function(name).map(|kind| Command { kind, redirects });
                        }
                    }
                    self.broken = true;
                    self.parenthesis(&mut words);
                }
                Some(b'<' | b'>') if self.peek_at(1) != Some(b'(') => {
                    self.broken = true;
                    self.at += 1;
                }
                _ if words.is_empty() => match self.assignment() {
                    Some(assign) => assigns.push(assign),
                    None => words.push(self.word()),
                },
                _ => words.push(self.word()),
            }
        }
        let empty = assigns.is_empty() && words.is_empty() && redirects.is_empty();
        (!empty).then_some(Command {
            kind: Kind::Simple { assigns, words },
            redirects,
        })
    }

    /// A parenthesis where no shell takes one: it is part of the word before it, as in `f(x)`.
    fn parenthesis(&mut self, words: &mut [Word]) {
        let start = self.at;
        self.at = if self.peek() == Some(b'(') {
            self.balanced(b'(', b')')
        } else {
            self.at + 1
        };
        self.align();
        let text = self.slice(start, self.at).to_owned();
        if let Some(word) = words.last_mut() {
            word.parts.push(super::ast::Part::Text { text, quoted: true });
        }
    }

    fn assignment(&mut self) -> Option<Assign> {
        let rest = self.bytes.get(self.at..)?;
        let name = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        if name == 0 || rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let mut end = name;
        if rest.get(end) == Some(&b'[') {
            end += rest.iter().skip(end).take(64).position(|byte| *byte == b']')? + 1;
        }
        let append = rest.get(end) == Some(&b'+');
        if append {
            end += 1;
        }
        if rest.get(end) != Some(&b'=') {
            return None;
        }
        let name = self.slice(self.at, self.at + name).to_owned();
        self.at += end + 1;
        let value = if self.peek() == Some(b'(') {
            self.at += 1;
            self.array()
        } else {
            match self.peek() {
                None | Some(b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')') => Word::default(),
                _ => self.word(),
            }
        };
        Some(Assign { name, append, value })
    }

    /// The elements of an array, joined by spaces.
    fn array(&mut self) -> Word {
        let start = self.at;
        let mut all = Word::default();
        loop {
            self.blanks();
            match self.peek() {
                None => {
                    self.broken = true;
                    break;
                }
                Some(b')') => {
                    self.at += 1;
                    break;
                }
                Some(b'\n' | b';' | b'&' | b'|' | b'(' | b'<' | b'>') => self.at += 1,
                _ => {
                    let word = self.word();
                    if !all.parts.is_empty() {
                        all.parts.push(super::ast::Part::Text {
                            text: " ".to_owned(),
                            quoted: false,
                        });
                    }
                    all.parts.extend(word.parts);
                }
            }
        }
        all.span = Span::new(start, self.at);
        all
    }

    fn redirect(&mut self) -> Option<Redirect> {
        let start = self.at;
        let mut at = self.at;
        while self.bytes.get(at).is_some_and(u8::is_ascii_digit) && at - start < 6 {
            at += 1;
        }
        let mut fd = self.slice(start, at).parse().ok();
        if at == start && self.peek() == Some(b'{') {
            // `{name}>file`
            let length = self.bytes.get(at..)?.iter().take(32).position(|byte| *byte == b'}')?;
            if matches!(self.bytes.get(at + length + 1), Some(b'<' | b'>')) {
                at += length + 1;
                fd = Some(3);
            }
        }
        let rest = self.bytes.get(at..)?;
        let (kind, length) = match rest {
            [b'<', b'<', b'<', ..] => (Redirection::HereString, 3),
            [b'<', b'<', b'-', ..] => (Redirection::HereDoc, 3),
            [b'<', b'<', ..] => (Redirection::HereDoc, 2),
            [b'<', b'&', ..] => (Redirection::DupIn, 2),
            [b'<', b'>', ..] => (Redirection::ReadWrite, 2),
            [b'<' | b'>', b'(', ..] => return None,
            [b'<', ..] => (Redirection::In, 1),
            [b'>', b'>', ..] => (Redirection::Append, 2),
            [b'>', b'&', ..] => (Redirection::DupOut, 2),
            [b'>', b'|' | b'!', ..] => (Redirection::Out, 2),
            [b'>', ..] => (Redirection::Out, 1),
            [b'&', b'>', b'>', ..] if at == start => (Redirection::Append, 3),
            [b'&', b'>', ..] if at == start => (Redirection::Both, 2),
            _ => return None,
        };
        let strip_tabs = kind == Redirection::HereDoc && length == 3;
        self.at = at + length;
        self.blanks();
        let word_at = self.at;
        let target = match self.peek() {
            None | Some(b'\n' | b';' | b'&' | b'|' | b')') => {
                self.broken = true;
                Word::default()
            }
            _ => self.word(),
        };
        let body = Rc::default();
        if kind == Redirection::HereDoc {
            let raw = self.slice(word_at, self.at);
            self.pending.push(Pending {
                delimiter: raw.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect(),
                literal: raw.contains(['\'', '"', '\\']),
                strip_tabs,
                body: Rc::clone(&body),
            });
        }
        Some(Redirect {
            kind,
            fd,
            target,
            body,
            span: Span::new(start, self.at),
        })
    }

    /// Reads the here-documents whose operators stood on the line that just ended.
    fn read_here_documents(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let mut end = self.bytes.len();
            let mut next = end;
            let mut line = start;
            while line < self.bytes.len() {
                let rest = self.bytes.get(line..).unwrap_or_default();
                let stop = rest
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .map_or(self.bytes.len(), |n| line + n);
                let text = self.slice(line, stop).trim_end_matches('\r');
                let text = if pending.strip_tabs {
                    text.trim_start_matches('\t')
                } else {
                    text
                };
                if text == pending.delimiter {
                    end = line;
                    next = (stop + 1).min(self.bytes.len());
                    break;
                }
                line = stop + 1;
            }
            let text = self.slice(start, end);
            let mut word = if pending.literal {
                Word {
                    parts: vec![super::ast::Part::Text {
                        text: text.to_owned(),
                        quoted: true,
                    }],
                    span: Span::default(),
                }
            } else {
                let mut inner = Parser::new(text, self.depth);
                let word = inner.document();
                self.broken |= inner.broken;
                self.limited |= inner.limited;
                word
            };
            word.span = Span::new(start, end);
            let _ = pending.body.set(word);
            self.at = next;
        }
    }
}
