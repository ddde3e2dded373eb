//! Compound commands and functions (POSIX 1003.1 §2.9.4 and §2.9.5; bash(1), Compound Commands).

use super::ast::Kind;
use super::literal::Literal;
use super::nodes::Nodes;
use super::parse::{End, Parser};

impl Parser<'_> {
    pub(super) fn conditional(&mut self) -> Kind {
        self.at += 2;
        let condition = self.list(End::Words(&["then", "fi"]));
        let arms = self.kept.lists.begin();
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
            match self.kept.lists.since(arms).last().copied().filter(|_| goes_on) {
                Some(arm) => {
                    let arm = self.kept.joined(arm, list);
                    if let Some(own) = self.kept.lists.since(arms).last_mut() {
                        *own = arm;
                    }
                }
                None => self.kept.lists.push(list),
            }
        }
        self.word_or_broken("fi");
        Kind::If {
            condition,
            arms: self.kept.lists.keep(arms),
            complete,
        }
    }

    pub(super) fn for_loop(&mut self, keyword: usize) -> Kind {
        self.at += keyword;
        self.blanks();
        let mut words = Nodes::default();
        let mut name = Literal::default();
        if self.starts("((") {
            let word = self.arithmetic();
            words = self.kept.words.keep_one(word);
        } else {
            let word = self.word();
            name = self.bare(&word);
            self.blanks();
            if self.peek() == Some(b'\n') {
                self.at += 1;
                self.blanks();
            }
            if self.reserved() == "in" {
                self.at += 2;
                let own = self.kept.words.begin();
                loop {
                    self.blanks();
                    match self.peek() {
                        None | Some(b';' | b'\n' | b'&' | b'|' | b')' | b'<' | b'>' | b'(') => break,
                        _ => self.push_word(),
                    }
                }
                words = self.kept.words.keep(own);
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
        let subject = self.kept.words.keep_one(subject);
        self.blanks();
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        self.word_or_broken("in");
        let arms = self.kept.lists.begin();
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
            let arm = self.list(End::Arm);
            self.kept.lists.push(arm);
            if self.peek() == Some(b')') {
                self.broken = true;
                self.at += 1;
            }
        }
        self.word_or_broken("esac");
        Kind::Case {
            subject,
            arms: self.kept.lists.keep(arms),
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

    pub(super) fn function(&mut self, name: Literal) -> Option<Kind> {
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
                body: self.kept.commands.keep_one(body),
            }),
            None => {
                self.broken = true;
                None
            }
        }
    }

    pub(super) fn test(&mut self) -> Kind {
        let own = self.kept.words.begin();
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
                _ => self.push_word(),
            }
        }
        Kind::Test(self.kept.words.keep(own))
    }

    pub(super) fn paren(&mut self) -> Kind {
        if self.starts("((")
            && let Some(word) = self.try_arithmetic()
        {
            return Kind::Test(self.kept.words.keep_one(word));
        }
        self.at += 1;
        let body = self.list(End::Paren);
        self.closing(b')');
        Kind::Subshell(body)
    }
}
