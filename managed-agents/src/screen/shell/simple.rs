//! Simple commands: assignments, words and redirections (POSIX 1003.1 §2.9.1).

use super::ast::{Assign, Command, Kind, Word, WordRange};
use super::parse::Parser;
use super::text::Text;
use crate::screen::finding::Span;

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Option<Command> {
        let mut assigns = Vec::new();
        // the words of this command, behind those of the commands that it stands in
        let from = self.open_words.len();
        let mut redirects = Vec::new();
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect() {
                // most have one, and a vector that grows takes room for four
                if redirects.is_empty() {
                    redirects.reserve_exact(1);
                }
                redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                Some(b'(') => {
                    if let Some([name]) = self.open_words.get(from..)
                        && assigns.is_empty()
                        && redirects.is_empty()
                    {
                        let name = name.bare(self.src).unwrap_or_default().to_owned();
                        self.at += 1;
                        self.blanks();
                        if self.peek() == Some(b')') {
                            self.at += 1;
                            self.open_words.truncate(from);
                            return self.function(name).map(|kind| Command { kind, redirects });
                        }
                    }
                    self.broken = true;
                    self.parenthesis(from);
                }
                Some(b'<' | b'>') if self.peek_at(1) != Some(b'(') => {
                    self.broken = true;
                    self.at += 1;
                }
                _ if self.open_words.len() == from => match self.assignment() {
                    Some(assign) => {
                        if assigns.is_empty() {
                            assigns.reserve_exact(1);
                        }
                        assigns.push(assign);
                    }
                    None => self.open_word(),
                },
                _ => self.open_word(),
            }
        }
        let words = self.close_words(from);
        let empty = assigns.is_empty() && words.is_empty() && redirects.is_empty();
        (!empty).then_some(Command {
            kind: Kind::Simple { assigns, words },
            redirects,
        })
    }

    /// Reads a word of the command that is being read.
    fn open_word(&mut self) {
        let word = self.word();
        self.open_words.push(word);
    }

    /// Ends the command whose words are open from here on.
    fn close_words(&mut self, from: usize) -> WordRange {
        let start = self.words.len();
        if start == 0 && from == 0 {
            std::mem::swap(&mut self.words, &mut self.open_words);
        } else {
            self.words.extend(self.open_words.drain(from..));
        }
        WordRange::new(start, self.words.len())
    }

    /// A parenthesis where no shell takes one: it is part of the word before it, as in `f(x)`.
    fn parenthesis(&mut self, from: usize) {
        let start = self.at;
        self.at = if self.peek() == Some(b'(') {
            self.balanced(b'(', b')')
        } else {
            self.at + 1
        };
        self.align();
        let text = self.literal(start, self.at);
        if let Some(word) = self.open_words.get_mut(from..).and_then(<[Word]>::last_mut) {
            word.parts_mut(self.src)
                .push(super::ast::Part::Text { text, quoted: true });
        }
    }

    pub(super) fn assignment(&mut self) -> Option<Assign> {
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
        let name = self.literal(self.at, self.at + name);
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
    pub(super) fn array(&mut self) -> Word {
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
                    let mut word = self.word();
                    if !all.parts.is_empty() {
                        all.parts.push(super::ast::Part::Text {
                            text: Text::Fixed(" "),
                            quoted: false,
                        });
                    }
                    all.parts.append(word.parts_mut(self.src));
                }
            }
        }
        all.span = Span::new(start, self.at);
        all
    }
}
