//! A parser for the shell's command language (POSIX 1003.1 §2, and what bash, zsh and ksh add to it).
//!
//! It never fails: what it cannot read is marked and skipped, so that what stands behind is still judged.

use super::ast::{Command, Kind, List, Pipeline, Source, Word};
use super::literal::{LONGEST, Literal};
use super::nodes::Kept;
use super::redirect::Pending;
use crate::screen::signs::Signs;

/// How deep substitutions and compounds may nest.
const DEPTH: u32 = 48;

/// Parses a text; never fails.
pub(in crate::screen) fn parse(text: &str) -> Source {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = end < text.len();
    let text = text.get(..end).unwrap_or_default();
    let mut parser = Parser::new(text, DEPTH);
    parser.limited = cut;
    parser.is_source = true;
    parser.kept = Kept::for_text(text.len());
    let list = parser.list(End::Eof);
    parser.read_here_documents();
    Source {
        text: Box::from(text),
        list,
        broken: parser.broken,
        limited: parser.limited,
        kept: parser.kept,
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
    /// What is read is the source itself, so that words can point into it.
    pub(super) is_source: bool,
    /// How often `((` may still be read twice, so that reading stays linear.
    pub(super) second_looks: u32,
    pub(super) pending: Vec<Pending>,
    /// What was read.
    pub(super) kept: Kept,
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
            is_source: false,
            second_looks: 16,
            pending: Vec::new(),
            kept: Kept::default(),
        }
    }

    /// Reads another text for this one: its nodes are kept among those of this one.
    pub(super) fn inner<T>(&mut self, text: &str, depth: u32, read: impl FnOnce(&mut Parser<'_>) -> T) -> T {
        let mut inner = Parser::new(text, depth);
        inner.kept = std::mem::take(&mut self.kept);
        let read = read(&mut inner);
        self.broken |= inner.broken;
        self.limited |= inner.limited;
        self.kept = inner.kept;
        read
    }

    pub(super) fn peek(&self) -> Option<u8> {
        #[cfg(test)]
        crate::screen::work::took(1);
        self.bytes.get(self.at).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.src.get(from..to).unwrap_or_default()
    }

    /// A part of the text that stays, without a copy where that can be.
    #[inline]
    pub(super) fn literal(&mut self, from: usize, to: usize) -> Literal {
        if self.is_source {
            Literal::at(from, to, Signs::of(self.slice(from, to)))
        } else {
            self.spelled(self.slice(from, to))
        }
    }

    /// A text that does not stand in the source.
    pub(super) fn spelled(&mut self, text: &str) -> Literal {
        Literal::spelled(text, &mut self.kept.spelled)
    }

    /// What a literal says.
    pub(super) fn said(&self, literal: Literal) -> &str {
        literal.of(self.src, &self.kept.spelled)
    }

    /// The text of a word that is one unquoted literal, or nothing.
    pub(super) fn bare(&self, word: &Word) -> Literal {
        word.bare(&self.kept).unwrap_or_default()
    }

    /// Goes on to the next whole character, or the end.
    pub(super) fn align(&mut self) {
        self.at = self.at.min(self.bytes.len());
        while !self.src.is_char_boundary(self.at) {
            self.at += 1;
        }
    }

    pub(super) fn starts(&self, text: &str) -> bool {
        self.bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Skips what separates words, and comments.
    #[inline(always)]
    pub(super) fn blanks(&mut self) {
        if self.peek() == Some(b' ') {
            self.at += 1;
        }
        if matches!(self.peek(), Some(0..=b' ' | b'\\' | b'#')) {
            self.more_blanks();
        }
    }

    fn more_blanks(&mut self) {
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
    pub(super) fn reserved(&self) -> &'a str {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = match rest {
            // where none of the words begins so, it is no reserved one
            [b'c', b'a' | b'o', ..]
            | [b'd', b'o', ..]
            | [b'e', b'l' | b's', ..]
            | [b'f', b'i' | b'o' | b'u', ..]
            | [b'i', b'f' | b'n', ..]
            | [b's', b'e', ..]
            | [b't', b'h' | b'i', ..]
            | [b'u', b'n', ..]
            | [b'w', b'h', ..] => rest.iter().take(9).take_while(|byte| byte.is_ascii_lowercase()).count(),
            [b'{' | b'}' | b'!', ..] => 1,
            [b'[', b'[', ..] => 2,
            _ => return "",
        };
        match rest.get(length) {
            None | Some(b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>') => {
                self.slice(self.at, self.at + length)
            }
            _ => "",
        }
    }

    /// Whether a list ends here, where this reserved word stands or none.
    fn at_end(&self, end: End<'_>, reserved: &str) -> bool {
        let Some(byte) = self.peek() else { return true };
        match end {
            End::Eof => false,
            End::Paren => byte == b')',
            End::Brace => reserved == "}",
            End::Words(words) => !reserved.is_empty() && words.contains(&reserved),
            End::Arm => byte == b')' || reserved == "esac" || self.starts(";;") || self.starts(";&"),
        }
    }

    /// Commands up to an end, which is not consumed.
    pub(super) fn list(&mut self, end: End<'_>) -> List {
        if self.depth == 0 {
            self.limited = true;
            self.at = self.bytes.len();
            return List::default();
        }
        let list = self.kept.pipelines.begin();
        self.depth -= 1;
        let (mut otherwise, mut and) = (false, false);
        loop {
            self.blanks();
            let reserved = self.reserved();
            if self.at_end(end, reserved) {
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
            let mut pipeline = self.pipeline(reserved);
            pipeline.otherwise = std::mem::take(&mut otherwise);
            pipeline.and = std::mem::take(&mut and);
            self.blanks();
            match (self.peek(), self.peek_at(1)) {
                (Some(b'&'), Some(b'&')) => {
                    self.at += 2;
                    and = true;
                }
                (Some(b'|'), Some(b'|')) => {
                    self.at += 2;
                    otherwise = true;
                }
                (Some(b'&'), _) => {
                    self.at += 1;
                    pipeline.background = true;
                }
                // two of them may end an arm
                (Some(b';'), after) if !matches!(after, Some(b';' | b'&')) => self.at += 1,
                _ => {}
            }
            if !pipeline.commands.is_empty() {
                self.kept.pipelines.push(pipeline);
            }
            if self.at == before {
                self.broken = true;
                self.at += 1;
                self.align();
            }
        }
        self.depth += 1;
        self.kept.pipelines.keep(list)
    }

    /// The pipeline that begins here, with this reserved word or none.
    fn pipeline(&mut self, mut reserved: &'a str) -> Pipeline {
        let commands = self.kept.commands.begin();
        loop {
            while matches!(reserved, "!" | "coproc" | "time") {
                let start = self.at;
                self.at += reserved.len();
                self.blanks();
                if reserved == "time" && self.peek() == Some(b'-') {
                    // bash's reserved word knows `-p` alone; with any other option it is the program time(1)
                    if !self.starts("-p ") {
                        self.at = start;
                        break;
                    }
                    self.at += 2;
                    self.blanks();
                }
                reserved = self.reserved();
            }
            if let Some(command) = self.command(reserved) {
                self.kept.commands.push(command);
            }
            self.blanks();
            if self.peek() != Some(b'|') || self.peek_at(1) == Some(b'|') {
                return Pipeline {
                    commands: self.kept.commands.keep(commands),
                    ..Pipeline::default()
                };
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
            reserved = self.reserved();
        }
    }

    /// The command that begins here, with this reserved word or none.
    pub(super) fn command(&mut self, reserved: &str) -> Option<Command> {
        // most commands are simple ones
        if reserved.is_empty() && self.peek() != Some(b'(') {
            return self.simple();
        }
        let kind = match reserved {
            "if" => Some(self.conditional()),
            "while" | "until" => {
                self.at += reserved.len();
                let condition = self.list(End::Words(&["do"]));
                self.word_or_broken("do");
                let body = self.list(End::Words(&["done"]));
                self.word_or_broken("done");
                Some(Kind::Loop(self.kept.joined(condition, body)))
            }
            "for" | "select" => Some(self.for_loop(reserved.len())),
            "case" => Some(self.case()),
            "function" => {
                self.at += reserved.len();
                self.blanks();
                let word = self.word();
                let name = self.bare(&word);
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
        let redirects = self.kept.redirects.begin();
        loop {
            self.blanks();
            match self.redirect() {
                Some(redirect) => self.kept.redirects.push(redirect),
                None => break,
            }
        }
        let redirects = self.kept.redirects.keep(redirects);
        Some(Command { kind, redirects })
    }

    pub(super) fn closing(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.at += 1;
        } else {
            self.broken = true;
        }
    }

    pub(super) fn word_or_broken(&mut self, word: &str) {
        self.blanks();
        if self.reserved() == word {
            self.at += word.len();
        } else {
            self.broken = true;
        }
    }
}
