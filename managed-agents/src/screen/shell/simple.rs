//! Simple commands: assignments, words and redirections (POSIX 1003.1 §2.9.1).

use super::ast::{Assign, Command, Kind, Word};
use super::gathered::Gathered;
use super::nodes::Few;
use super::parse::Parser;
use super::text::Text;
use crate::screen::finding::Span;

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Option<Command> {
        let mut assigns = Few::none();
        let mut own = self.gather();
        let mut redirects = Few::none();
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect() {
                redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                Some(b'(') => {
                    let source = self.src;
                    if assigns.is_empty()
                        && redirects.is_empty()
                        && let [name] = self.gathered(&own)
                    {
                        let name = name.bare(source).unwrap_or_default().to_owned();
                        self.at += 1;
                        self.blanks();
                        if self.peek() == Some(b')') {
                            self.at += 1;
                            self.keep_gathered(&own);
                            let redirects = redirects.keep(&mut self.kept.redirects);
                            return self.function(name).map(|kind| Command { kind, redirects });
                        }
                    }
                    self.broken = true;
                    self.parenthesis(&own);
                }
                Some(b'<' | b'>') if self.peek_at(1) != Some(b'(') => {
                    self.broken = true;
                    self.at += 1;
                }
                _ if own.is_empty() => match self.assignment() {
                    Some(assign) => assigns.push(assign),
                    None => self.gather_word(&mut own),
                },
                _ => self.gather_word(&mut own),
            }
        }
        let words = self.keep_gathered(&own);
        if assigns.is_empty() && words.is_empty() && redirects.is_empty() {
            return None;
        }
        let assigns = assigns.keep(&mut self.kept.assigns);
        let redirects = redirects.keep(&mut self.kept.redirects);
        Some(Command {
            kind: Kind::Simple { assigns, words },
            redirects,
        })
    }

    /// A parenthesis where no shell takes one: it is part of the word before it, as in `f(x)`.
    fn parenthesis(&mut self, own: &Gathered) {
        let start = self.at;
        self.at = if self.peek() == Some(b'(') {
            self.balanced(b'(', b')')
        } else {
            self.at + 1
        };
        self.align();
        let text = self.literal(start, self.at);
        let source = self.src;
        if let Some(word) = self.gathered(own).last_mut() {
            word.parts_mut(source)
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
