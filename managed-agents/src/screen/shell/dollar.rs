//! What stands for something else in a word: `$name`, `${..}`, `$(..)`, `` `..` ``, `$((..))`.

use super::ast::{ParamOp, Part, Word};
use super::literal::Literal;
use super::nodes::Nodes;
use super::parse::{End, Parser};
use super::word::Begun;

impl Parser<'_> {
    pub(super) fn backticks(&mut self, quoted: bool) {
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
        self.kept.parts.push(Part::Command { list, quoted });
    }

    pub(super) fn dollar(&mut self, out: Begun, quoted: bool) {
        match self.peek_at(1) {
            Some(b'(') => {
                if self.peek_at(2) == Some(b'(') {
                    self.at += 1;
                    if let Some(word) = self.try_arithmetic() {
                        self.kept.parts.open_again(word.parts);
                        return;
                    }
                    self.at -= 1;
                }
                self.at += 2;
                let list = self.list(End::Paren);
                self.close(b')');
                self.kept.parts.push(Part::Command { list, quoted });
            }
            Some(b'{') => self.braced(quoted),
            Some(b'\'') if !quoted => {
                self.at += 2;
                let from = self.at;
                while self.peek().is_some_and(|byte| byte != b'\'') {
                    self.at += if self.peek() == Some(b'\\') { 2 } else { 1 };
                }
                let end = self.at.min(self.bytes.len());
                self.broken |= end == self.bytes.len();
                let text = super::escapes::ansi_c(self.src.get(from..end).unwrap_or_default());
                let text = self.spelled(&text);
                self.text(out, text, true);
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
                let name = self.literal(from, self.at);
                self.param(name, quoted);
            }
            Some(byte) if byte.is_ascii_digit() || b"@*#?-$!".contains(&byte) => {
                let name = self.literal(self.at + 1, self.at + 2);
                self.param(name, quoted);
                self.at += 2;
            }
            _ => {
                let text = self.literal(self.at, self.at + 1);
                self.text(out, text, quoted);
                self.at += 1;
            }
        }
    }

    /// `$name`
    fn param(&mut self, name: Literal, quoted: bool) {
        self.kept.parts.push(Part::Param {
            name,
            op: Nodes::default(),
            quoted,
        });
    }

    /// `${..}`
    pub(super) fn braced(&mut self, quoted: bool) {
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
        let replaces = self.said(op).starts_with('/');
        let second = replaces.then(|| self.split_replacement(&mut word)).flatten();
        self.close(b'}');
        self.depth += 1;
        let op = if op.is_empty() && word.parts.is_empty() {
            Nodes::default()
        } else {
            self.kept.ops.keep_one(ParamOp { op, word, second })
        };
        self.kept.parts.push(Part::Param { name, op, quoted });
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
        let inside = self.begin_word();
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
                    self.dollar(inside, true);
                    continue;
                }
                b'`' => {
                    self.backticks(true);
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
        let inside = self.end_word(inside, start);
        let lists = self.kept.lists.begin();
        for part in inside.parts.of(&self.kept.parts) {
            match part {
                Part::Command { list, .. } => self.kept.lists.push(*list),
                Part::Arith(lists) => self.kept.lists.open_again(*lists),
                _ => {}
            }
        }
        let lists = self.kept.lists.keep(lists);
        Word {
            parts: self.kept.parts.keep_one(Part::Arith(lists)),
            ..inside
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

    /// Splits `pattern/replacement` at its first unquoted `/`.
    fn split_replacement(&mut self, word: &mut Word) -> Option<Word> {
        let mut parts = word.parts.of(&self.kept.parts).iter().enumerate();
        let (count, text, at) = parts.find_map(|(count, part)| match part {
            Part::Text { text, quoted: false } => Some((count, *text, self.said(*text).find('/')?)),
            _ => None,
        })?;
        let (before, behind) = text.around(at, self.said(text));
        let (pattern, _) = word.parts.split_at(count);
        let (_, others) = word.parts.split_at(count + 1);
        let unquoted = |text| Part::Text { text, quoted: false };
        let begun = self.kept.parts.begin();
        self.kept.parts.open_again(pattern);
        self.kept.parts.push(unquoted(before));
        word.parts = self.kept.parts.keep(begun);
        self.kept.parts.push(unquoted(behind));
        self.kept.parts.open_again(others);
        Some(Word {
            parts: self.kept.parts.keep(begun),
            span: word.span,
            ..Word::default()
        })
    }
}
