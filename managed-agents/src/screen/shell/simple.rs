//! Simple commands: assignments, words and redirections (POSIX 1003.1 §2.9.1).

use super::ast::{Assign, Command, Kind, Part, Word};
use super::literal::Literal;
use super::parse::Parser;
use crate::screen::finding::Span;
use crate::screen::signs::Signs;

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Option<Command> {
        let assigns = self.kept.assigns.begin();
        let words = self.kept.words.begin();
        let redirects = self.kept.redirects.begin();
        // what belongs to the last word behind its end
        let behind = self.kept.parts.begin();
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect() {
                self.kept.redirects.push(redirect);
                continue;
            }
            match self.peek() {
                None | Some(b'\n' | b';' | b'&' | b'|' | b')') => break,
                Some(b'(') => {
                    if self.kept.assigns.begin() == assigns
                        && self.kept.redirects.begin() == redirects
                        && self.kept.words.since(words).len() == 1
                    {
                        self.at += 1;
                        self.blanks();
                        if self.peek() == Some(b')') {
                            self.at += 1;
                            self.close_word(words, behind);
                            let name = self.kept.words.since(words).first().copied();
                            let name = self.bare(&name.unwrap_or_default());
                            self.kept.words.forget(words);
                            let kind = self.function(name)?;
                            let redirects = self.kept.redirects.keep(redirects);
                            return Some(Command { kind, redirects });
                        }
                    }
                    self.broken = true;
                    let text = self.parenthesis();
                    if self.kept.words.begin() > words {
                        self.kept.parts.push(Part::Text { text, quoted: true });
                    }
                }
                Some(b'<' | b'>') if self.peek_at(1) != Some(b'(') => {
                    self.broken = true;
                    self.at += 1;
                }
                _ if self.kept.words.begin() == words => self.first_word(),
                _ => {
                    self.close_word(words, behind);
                    self.push_word();
                }
            }
        }
        self.close_word(words, behind);
        let words = self.kept.words.keep(words);
        let assigns = self.kept.assigns.keep(assigns);
        let redirects = self.kept.redirects.keep(redirects);
        if assigns.is_empty() && words.is_empty() && redirects.is_empty() {
            return None;
        }
        Some(Command {
            kind: Kind::Simple { assigns, words },
            redirects,
        })
    }

    /// A parenthesis where no shell takes one: it is part of the word before it, as in `f(x)`.
    fn parenthesis(&mut self) -> Literal {
        let start = self.at;
        self.at = if self.peek() == Some(b'(') {
            self.balanced(b'(', b')')
        } else {
            self.at + 1
        };
        self.align();
        self.literal(start, self.at)
    }

    /// Adds to the last of these words what stands behind it, once for each word.
    #[inline]
    fn close_word(&mut self, words: usize, behind: usize) {
        if self.kept.parts.begin() > behind {
            self.add_behind(words, behind);
        }
    }

    #[cold]
    fn add_behind(&mut self, words: usize, behind: usize) {
        let Some(word) = self.kept.words.since(words).last_mut() else {
            return;
        };
        let more = self.kept.parts.keep(behind);
        let parts = self.kept.parts.begin();
        if word.plain {
            let text = word.stands();
            self.kept.parts.push(Part::Text { text, quoted: false });
        } else {
            self.kept.parts.open_again(word.parts);
        }
        self.kept.parts.open_again(more);
        word.parts = self.kept.parts.keep(parts);
        word.plain = false;
    }

    /// The word that would be the command's name, unless it sets a variable.
    fn first_word(&mut self) {
        let start = self.at;
        // most are plain, and set nothing
        match self.plain_word() {
            Some(word) if !word.signs.has(Signs::EQUALS) => self.kept.words.push(word),
            _ => {
                self.at = start;
                match self.assignment() {
                    Some(assign) => self.kept.assigns.push(assign),
                    None => self.push_word(),
                }
            }
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
        let parts = self.kept.parts.begin();
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
                    if self.kept.parts.begin() > parts {
                        let text = self.spelled(" ");
                        self.kept.parts.push(Part::Text { text, quoted: false });
                    }
                    if word.plain {
                        let text = word.stands();
                        self.kept.parts.push(Part::Text { text, quoted: false });
                    } else {
                        self.kept.parts.open_again(word.parts);
                    }
                }
            }
        }
        Word {
            parts: self.kept.parts.keep(parts),
            span: Span::new(start, self.at),
            ..Word::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn what_stands_behind_the_name_of_a_function_is_no_part_of_the_word_around_it() {
        for text in ["a$(f (x() { :; })b", "a$(f () { :; })b"] {
            let source = parse(text);
            let outer = source.kept.commands_of(source.list).next();
            let Some(Command {
                kind: Kind::Simple { words, .. },
                ..
            }) = outer
            else {
                panic!("{text}: {outer:?}");
            };
            let words = words.of(&source.kept.words);
            assert_eq!(words.len(), 1, "{text}");
            let parts = words.first().map(|word| word.parts.of(&source.kept.parts));
            assert!(
                matches!(
                    parts,
                    Some([Part::Text { .. }, Part::Command { .. }, Part::Text { .. }])
                ),
                "{text}: {parts:?}"
            );
        }
    }
}
