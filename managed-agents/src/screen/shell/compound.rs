//! Compound commands and functions (POSIX 1003.1 §2.9.4 and §2.9.5; bash(1), Compound Commands).

use std::rc::Rc;

use super::ast::{Kind, List};
use super::parse::{End, Parser};

impl Parser<'_> {
    pub(super) fn conditional(&mut self) -> Kind {
        self.at += 2;
        let mut body = self.list(End::Words(&["then", "fi"]));
        while matches!(self.reserved(), "then" | "else" | "elif") {
            self.at += 4;
            body.extend(self.list(End::Words(&["then", "elif", "else", "fi"])));
        }
        self.word_or_broken("fi");
        Kind::Group(body)
    }

    pub(super) fn for_loop(&mut self, keyword: usize) -> Kind {
        self.at += keyword;
        self.blanks();
        let mut words = None;
        let mut name = String::new();
        if self.starts("((") {
            words = Some(vec![self.arithmetic()]);
        } else {
            name = self.word().bare(self.src).unwrap_or_default().to_owned();
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

    pub(super) fn case(&mut self) -> Kind {
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

    pub(super) fn test(&mut self) -> Kind {
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

    pub(super) fn paren(&mut self) -> Kind {
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
}
