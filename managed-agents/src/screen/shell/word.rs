//! Words: quotes, escapes, parameters and substitutions.

use super::ast::{Part, Word};
use super::literal::Literal;
use super::parse::{End, Parser};
use crate::screen::finding::Span;
use crate::screen::signs::Signs;

/// Where the parts of the word that is being read begin among the open ones.
#[derive(Clone, Copy)]
pub(super) struct Begun(usize);

/// The signs of the bytes of a plain word; any other byte stops one.
static PLAIN: [Signs; 256] = plain();

#[expect(
    clippy::indexing_slicing,
    reason = "it runs when the program is compiled, where a bad index is an error"
)]
const fn plain() -> [Signs; 256] {
    let mut plain = [Signs::NONE; 256];
    let mut byte = 0;
    while byte < plain.len() {
        plain[byte] = match byte as u8 {
            own if ends(own) => Signs::STOP,
            // a quote, an escape, a substitution, or what makes it something else than a plain word
            b'(' | b'<' | b'>' | b'\'' | b'"' | b'\\' | b'$' | b'`' | b'{' => Signs::STOP,
            own => Signs::of_byte(own),
        };
        byte += 1;
    }
    plain
}

/// Whether a word ends before a byte, outside quotes.
const fn ends(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')')
}

impl Parser<'_> {
    /// Begins to read a word.
    #[inline]
    pub(super) fn begin_word(&self) -> Begun {
        Begun(self.kept.parts.begin())
    }

    /// Adds text to the word that is being read, joining neighbouring text of one quoting.
    pub(super) fn text(&mut self, begun: Begun, more: Literal, quoted: bool) {
        if let Some(Part::Text { text, quoted: own }) = self.kept.parts.since(begun.0).last_mut()
            && *own == quoted
        {
            text.append(more, self.src, &mut self.kept.spelled);
        } else {
            self.kept.parts.push(Part::Text { text: more, quoted });
        }
    }

    /// The word that has been read since here.
    pub(super) fn end_word(&mut self, begun: Begun, start: usize) -> Word {
        Word {
            parts: self.kept.parts.keep(begun.0),
            span: Span::new(start, self.at),
            ..Word::default()
        }
    }

    /// Reads the word that begins here onto the others of its command.
    #[inline]
    pub(super) fn push_word(&mut self) {
        let word = self.word();
        self.kept.words.push(word);
    }

    /// The word that begins here. It consumes at least one byte, unless an operator or the end stands here.
    #[inline]
    pub(super) fn word(&mut self) -> Word {
        match self.plain_word() {
            Some(word) => word,
            None => self.word_until(false),
        }
    }

    /// A word that may not be plain; inside `${..}` it ends at `}` and at `/`-free text only.
    pub(super) fn word_until(&mut self, brace: bool) -> Word {
        let start = self.at;
        let out = self.begin_word();
        while let Some(byte) = self.peek() {
            match byte {
                b'}' if brace => break,
                b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b')' if !brace => break,
                b'(' if !brace => {
                    // extended globs: `!(a|b)`, `@(..)`, `?(..)`
                    let before = self.at.checked_sub(1).and_then(|at| self.bytes.get(at));
                    if self.at > start && matches!(before, Some(b'@' | b'?' | b'+' | b'*' | b'!')) {
                        let end = self.balanced(b'(', b')');
                        let any = self.spelled("*");
                        self.text(out, any, false);
                        self.at = end;
                    } else {
                        break;
                    }
                }
                b'<' | b'>' if !brace => {
                    if self.peek_at(1) == Some(b'(') {
                        self.at += 2;
                        let list = self.list(End::Paren);
                        self.close(b')');
                        self.kept.parts.push(Part::Process { list });
                    } else {
                        break;
                    }
                }
                b'\'' => {
                    self.at += 1;
                    let from = self.at;
                    let length = self.rest().iter().position(|byte| *byte == b'\'');
                    self.broken |= length.is_none();
                    let end = length.map_or(self.bytes.len(), |length| from + length);
                    let text = self.literal(from, end);
                    self.text(out, text, true);
                    self.at = (end + 1).min(self.bytes.len());
                }
                b'"' => {
                    self.at += 1;
                    self.double_quoted(out, Some(b'"'));
                }
                b'\\' => self.escape(out),
                b'$' => self.dollar(out, false),
                b'`' => self.backticks(false),
                _ => {
                    let from = self.at;
                    while self.peek().is_some_and(|byte| {
                        !matches!(
                            byte,
                            b' ' | b'\t'
                                | b'\n'
                                | b'\r'
                                | b';'
                                | b'&'
                                | b'|'
                                | b')'
                                | b'('
                                | b'<'
                                | b'>'
                                | b'\''
                                | b'"'
                                | b'\\'
                                | b'$'
                                | b'`'
                                | b'}'
                        )
                    }) {
                        self.at += 1;
                    }
                    if self.at == from {
                        // `}` in an ordinary word, or any of the above inside `${..}`
                        self.at += 1;
                    }
                    let text = self.literal(from, self.at);
                    self.text(out, text, false);
                }
            }
        }
        self.end_word(out, start)
    }

    /// A word without quotes, escapes, substitutions or braces, which most are.
    #[inline]
    pub(super) fn plain_word(&mut self) -> Option<Word> {
        if !self.is_source {
            return None;
        }
        let start = self.at;
        let mut end = start;
        let mut signs = Signs::NONE;
        for byte in self.rest() {
            let own = PLAIN.get(usize::from(*byte)).copied().unwrap_or_default();
            if own.has(Signs::STOP) {
                break;
            }
            signs = signs.and(own);
            end += 1;
        }
        #[cfg(test)]
        crate::screen::work::took(end - start);
        if end == start || self.bytes.get(end).is_some_and(|byte| !ends(*byte)) {
            return None;
        }
        self.at = end;
        Some(Word::plain(Span::new(start, end), signs))
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn close(&mut self, byte: u8) {
        if self.peek() == Some(byte) {
            self.at += 1;
        } else {
            self.broken = true;
        }
    }

    fn escape(&mut self, out: Begun) {
        let from = self.at + 1;
        match self.bytes.get(from) {
            Some(b'\n') => self.at += 2,
            Some(_) => {
                let mut end = from + 1;
                while !self.src.is_char_boundary(end) {
                    end += 1;
                }
                let text = self.literal(from, end);
                self.text(out, text, true);
                self.at = end;
            }
            None => {
                self.at += 1;
                let text = self.spelled("\\");
                self.text(out, text, false);
            }
        }
    }

    /// The text of a here-document: as in double quotes, but `"` is itself.
    pub(super) fn document(&mut self) -> Word {
        let out = self.begin_word();
        self.double_quoted(out, None);
        self.end_word(out, 0)
    }

    fn double_quoted(&mut self, out: Begun, end: Option<u8>) {
        // an empty string is a word, too
        if end.is_some() {
            self.text(out, Literal::default(), true);
        }
        while let Some(byte) = self.peek() {
            match byte {
                _ if Some(byte) == end => {
                    self.at += 1;
                    return;
                }
                b'\\' => match self.peek_at(1) {
                    Some(b'\n') => self.at += 2,
                    Some(b'$' | b'`' | b'"' | b'\\') => {
                        let text = self.literal(self.at + 1, self.at + 2);
                        self.text(out, text, true);
                        self.at += 2;
                    }
                    _ => {
                        let text = self.literal(self.at, self.at + 1);
                        self.text(out, text, true);
                        self.at += 1;
                    }
                },
                b'$' => self.dollar(out, true),
                b'`' => self.backticks(true),
                _ => {
                    let from = self.at;
                    while self
                        .peek()
                        .is_some_and(|byte| !matches!(byte, b'\\' | b'$' | b'`') && Some(byte) != end)
                    {
                        self.at += 1;
                    }
                    let text = self.literal(from, self.at);
                    self.text(out, text, true);
                }
            }
        }
        self.broken |= end.is_some();
    }
}
