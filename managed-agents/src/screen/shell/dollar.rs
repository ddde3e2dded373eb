//! What stands for something else in a word: `$name`, `${..}`, `$(..)`, `` `..` ``, `$((..))`.

use super::ast::{List, ParamOp, Part, Word};
use super::parse::{End, Parser};
use super::text::Text;
use super::word::Parts;
use crate::screen::finding::Span;

impl Parser<'_> {
    pub(super) fn backticks(&mut self, out: &mut Parts, quoted: bool) {
        self.at += 1;
        let from = self.at;
        let mut text = String::new();
        let mut copied = from;
        loop {
            match self.peek() {
                None => {
                    self.broken = true;
                    break;
                }
                Some(b'`') => break,
                Some(b'\\') => {
                    if matches!(self.peek_at(1), Some(b'`' | b'\\' | b'$')) {
                        text.push_str(self.slice(copied, self.at));
                        copied = self.at + 1;
                    }
                    self.at += 1;
                    if self.peek().is_some() {
                        self.at += 1;
                        self.align();
                    }
                }
                Some(_) => self.at += 1,
            }
        }
        text.push_str(self.slice(copied, self.at));
        self.at = (self.at + 1).min(self.bytes.len());
        if self.depth == 0 {
            self.limited = true;
            return;
        }
        let list = self.inner(&text, self.depth - 1, |inner| inner.list(End::Eof));
        out.parts.push(Part::Command { list, quoted });
    }

    pub(super) fn dollar(&mut self, out: &mut Parts, quoted: bool) {
        match self.peek_at(1) {
            Some(b'(') => {
                if self.peek_at(2) == Some(b'(') {
                    self.at += 1;
                    if let Some(word) = self.try_arithmetic() {
                        out.parts.extend(word.parts);
                        return;
                    }
                    self.at -= 1;
                }
                self.at += 2;
                let list = self.list(End::Paren);
                self.close(b')');
                out.parts.push(Part::Command { list, quoted });
            }
            Some(b'{') => self.braced(out, quoted),
            Some(b'\'') if !quoted => {
                self.at += 2;
                let from = self.at;
                while self.peek().is_some_and(|byte| byte != b'\'') {
                    self.at += if self.peek() == Some(b'\\') { 2 } else { 1 };
                }
                let end = self.at.min(self.bytes.len());
                self.broken |= end == self.bytes.len();
                let text = super::escapes::ansi_c(self.src.get(from..end).unwrap_or_default());
                out.text(text.into(), true);
                self.at = (end + 1).min(self.bytes.len());
                self.align();
            }
            Some(b'"') if !quoted => self.at += 1,
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let from = self.at + 1;
                self.at = from;
                while self
                    .peek()
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    self.at += 1;
                }
                out.parts.push(Part::Param {
                    name: self.literal(from, self.at),
                    op: None,
                    quoted,
                });
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?-$!".contains(&byte) => {
                out.parts.push(Part::Param {
                    name: self.literal(self.at + 1, self.at + 2),
                    op: None,
                    quoted,
                });
                self.at += 2;
            }
            _ => {
                out.text(Text::Fixed("$"), quoted);
                self.at += 1;
            }
        }
    }

    /// `${..}`
    pub(super) fn braced(&mut self, out: &mut Parts, quoted: bool) {
        self.at += 2;
        if self.depth == 0 {
            self.limited = true;
            self.at = self.bytes.len();
            return;
        }
        self.depth -= 1;
        let from = self.at;
        if matches!(self.peek(), Some(b'!' | b'#')) && self.peek_at(1).is_some_and(|byte| byte != b'}') {
            self.at += 1;
        }
        match self.peek() {
            Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => {
                while self
                    .peek()
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    self.at += 1;
                }
            }
            Some(b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => self.at += 1,
            _ => {}
        }
        let name = self.literal(from, self.at);
        if self.peek() == Some(b'[') {
            self.at = self.balanced(b'[', b']');
        }
        let op_at = self.at;
        while self.at - op_at < 2 && self.peek().is_some_and(|byte| b":-=+?#%/^,@".contains(&byte)) {
            self.at += 1;
        }
        let op = self.literal(op_at, self.at);
        let mut word = self.word_until(true);
        let second = op.starts_with('/').then(|| split_replacement(&mut word)).flatten();
        self.close(b'}');
        self.depth += 1;
        let op = (!op.is_empty() || !word.parts.is_empty()).then(|| Box::new(ParamOp { op, word, second }));
        out.parts.push(Part::Param { name, op, quoted });
    }

    /// `((..))`, unless it turns out to be a subshell in a subshell.
    pub(super) fn try_arithmetic(&mut self) -> Option<Word> {
        if self.second_looks == 0 {
            self.limited = true;
            return None;
        }
        if self.depth == 0 {
            return None;
        }
        let (at, broken) = (self.at, self.broken);
        self.depth -= 1;
        self.broken = false;
        let word = self.arithmetic();
        self.depth += 1;
        if self.broken {
            self.second_looks = self.second_looks.saturating_sub(1);
            (self.at, self.broken) = (at, broken);
            return None;
        }
        self.broken = broken;
        Some(word)
    }

    /// `((..))`, from its first parenthesis: not computed, but what it substitutes is kept.
    pub(super) fn arithmetic(&mut self) -> Word {
        let start = self.at;
        self.at += 2;
        let mut open = 0_usize;
        let mut inside = Parts { parts: Vec::new() };
        let mut closed = false;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' => {
                    closed = self.peek_at(1) == Some(b')');
                    break;
                }
                b'$' => {
                    self.dollar(&mut inside, true);
                    continue;
                }
                b'`' => {
                    self.backticks(&mut inside, true);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        if closed {
            self.at += 2;
        } else {
            self.broken = true;
        }
        let lists: Vec<List> = inside
            .parts
            .into_iter()
            .flat_map(|part| match part {
                Part::Command { list, .. } => vec![list],
                Part::Arith(lists) => lists,
                _ => Vec::new(),
            })
            .collect();
        Word {
            parts: vec![Part::Arith(lists)],
            plain: false,
            span: Span::new(start, self.at),
        }
    }

    /// Where the bracket that opens here is closed; just behind it.
    pub(super) fn balanced(&self, open: u8, close: u8) -> usize {
        let mut depth = 0_usize;
        for (offset, byte) in self.rest().iter().enumerate().take(256) {
            if *byte == open {
                depth += 1;
            } else if *byte == close {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return self.at + offset + 1;
                }
            }
        }
        self.at + 1
    }
}

/// Splits `pattern/replacement` at its first unquoted `/`.
fn split_replacement(word: &mut Word) -> Option<Word> {
    let at = word
        .parts
        .iter()
        .position(|part| matches!(part, Part::Text { text, quoted: false } if text.contains('/')))?;
    let mut second = Word {
        parts: word.parts.split_off(at),
        plain: false,
        span: word.span,
    };
    if let Some(Part::Text { text, .. }) = second.parts.first_mut()
        && let Some((before, after)) = text.split_once('/')
    {
        let (before, after) = (Text::from(before), Text::from(after));
        *text = after;
        word.parts.push(Part::Text {
            text: before,
            quoted: false,
        });
    }
    Some(second)
}
