//! Compound commands and functions (POSIX 1003.1 §2.9.4 and §2.9.5; bash(1), Compound Commands).

use super::ast::{Kind, List};
use super::nodes::{Nodes, keep_one};
use super::parse::{End, Parser};
use super::text::Text;

impl Parser<'_> {
    pub(super) fn conditional(&mut self) -> Kind {
        self.at += 2;
        let condition = self.list(End::Words(&["then", "fi"]));
        let mut arms: Vec<List> = Vec::new();
        let (mut complete, mut in_condition) = (false, false);
        loop {
            let word = self.reserved();
            if !matches!(word, "then" | "else" | "elif") {
                break;
            }
            complete |= word == "else";
            // a further condition belongs to its own arm
            let goes_on = word == "then" && in_condition;
            in_condition = word == "elif";
            self.at += 4;
            let list = self.list(End::Words(&["then", "elif", "else", "fi"]));
            match arms.last_mut().filter(|_| goes_on) {
                Some(arm) => *arm = self.kept.joined(*arm, list),
                None => arms.push(list),
            }
        }
        self.word_or_broken("fi");
        Kind::If {
            condition,
            arms,
            complete,
        }
    }

    pub(super) fn for_loop(&mut self, keyword: usize) -> Kind {
        self.at += keyword;
        self.blanks();
        let mut words = Nodes::default();
        let mut name = Text::default();
        if self.starts("((") {
            let word = self.arithmetic();
            words = keep_one(&mut self.kept.words, word);
        } else {
            let word = self.word();
            name = if word.plain {
                self.literal(word.span.start, word.span.end)
            } else {
                Text::from(word.bare(self.src).unwrap_or_default())
            };
            self.blanks();
            if self.peek() == Some(b'\n') {
                self.at += 1;
                self.blanks();
            }
            if self.reserved() == "in" {
                self.at += 2;
                let mut own = self.gather();
                loop {
                    self.blanks();
                    match self.peek() {
                        None | Some(b';' | b'\n' | b'&' | b'|' | b')' | b'<' | b'>' | b'(') => break,
                        _ => self.gather_word(&mut own),
                    }
                }
                words = self.keep_gathered(&own);
            }
        }
        let before = self.list(End::Words(&["do", "{"]));
        let braces = self.peek() == Some(b'{');
        let body = if braces {
            self.at += 1;
            let body = self.list(End::Brace);
            self.closing(b'}');
            body
        } else {
            self.word_or_broken("do");
            let body = self.list(End::Words(&["done"]));
            self.word_or_broken("done");
            body
        };
        let body = self.kept.joined(before, body);
        Kind::For { name, words, body }
    }

    pub(super) fn case(&mut self) -> Kind {
        self.at += 4;
        self.blanks();
        let subject = self.word();
        let subject = keep_one(&mut self.kept.words, subject);
        self.blanks();
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        self.word_or_broken("in");
        let mut arms = Vec::new();
        let mut complete = false;
        loop {
            self.separators();
            if self.peek().is_none() || self.reserved() == "esac" {
                break;
            }
            if self.peek() == Some(b'(') {
                self.at += 1;
            }
            // the patterns
            self.blanks();
            complete |= self.peek() == Some(b'*') && matches!(self.peek_at(1), Some(b')' | b' '));
            while self.peek().is_some_and(|byte| byte != b')' && byte != b'\n') {
                let before = self.at;
                self.word();
                self.blanks();
                if self.at == before {
                    self.at += 1;
                }
            }
            self.closing(b')');
            arms.push(self.list(End::Arm));
            if self.peek() == Some(b')') {
                self.broken = true;
                self.at += 1;
            }
        }
        self.word_or_broken("esac");
        Kind::Case {
            subject,
            arms,
            complete,
        }
    }

    pub(super) fn separators(&mut self) {
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

    pub(super) fn function(&mut self, name: String) -> Option<Kind> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        if self.depth == 0 {
            self.limited = true;
            return None;
        }
        self.depth -= 1;
        let body = self.command(self.reserved());
        self.depth += 1;
        match body {
            Some(body) => Some(Kind::Function {
                name,
                body: keep_one(&mut self.kept.commands, body),
            }),
            None => {
                self.broken = true;
                None
            }
        }
    }

    pub(super) fn test(&mut self) -> Kind {
        let mut own = self.gather();
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
                _ => self.gather_word(&mut own),
            }
        }
        Kind::Test(self.keep_gathered(&own))
    }

    pub(super) fn paren(&mut self) -> Kind {
        if self.starts("((")
            && let Some(word) = self.try_arithmetic()
        {
            return Kind::Test(keep_one(&mut self.kept.words, word));
        }
        self.at += 1;
        let body = self.list(End::Paren);
        self.closing(b')');
        Kind::Subshell(body)
    }
}
