//! Redirections and here-documents (POSIX 1003.1 §2.7).

use super::ast::{Part, Redirect, Redirection, Word};
use super::nodes::Nodes;
use super::parse::Parser;
use crate::screen::finding::Span;

/// A here-document whose operator was read, and whose text is not yet.
pub(super) struct Pending {
    delimiter: String,
    literal: bool,
    strip_tabs: bool,
    body: Nodes<Word>,
}

impl Parser<'_> {
    #[inline]
    pub(super) fn redirect(&mut self) -> Option<Redirect> {
        match self.peek() {
            Some(b'<' | b'>' | b'{' | b'0'..=b'9') => self.redirect_here(),
            // else it ends a command
            Some(b'&') if self.peek_at(1) == Some(b'>') => self.redirect_here(),
            _ => None,
        }
    }

    fn redirect_here(&mut self) -> Option<Redirect> {
        let start = self.at;
        let mut at = self.at;
        while self.bytes.get(at).is_some_and(u8::is_ascii_digit) && at - start < 6 {
            at += 1;
        }
        let digits = at;
        let mut fd = None;
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
        if digits > start {
            fd = self.slice(start, digits).parse().ok();
        }
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
        let mut body = Nodes::default();
        if kind == Redirection::HereDoc {
            body = self.kept.documents.keep_one(Word::default());
            let raw = self.slice(word_at, self.at);
            self.pending.push(Pending {
                delimiter: raw.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect(),
                literal: raw.contains(['\'', '"', '\\']),
                strip_tabs,
                body,
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
    pub(super) fn read_here_documents(&mut self) {
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
                let text = self.literal(start, end);
                Word {
                    parts: self.kept.parts.keep_one(Part::Text { text, quoted: true }),
                    ..Word::default()
                }
            } else {
                self.inner(text, self.depth, |inner| inner.document())
            };
            word.span = Span::new(start, end);
            self.kept.documents.replace(pending.body, word);
            self.at = next;
        }
    }
}
