//! What a shell's text says, before any expansion.

use std::cell::OnceCell;
use std::rc::Rc;

use super::nodes::{Kept, Nodes};
use super::text::Text;
use crate::screen::finding::Span;

/// A text, and what was read in it.
#[derive(Debug)]
pub(in crate::screen) struct Source {
    pub(super) text: Rc<str>,
    pub(super) kept: Kept,
}

/// Pipelines one after the other, however they are connected: each of them may run.
pub(in crate::screen) type List = Nodes<Pipeline>;

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::screen) struct Pipeline {
    pub(super) commands: Nodes<Command>,
    pub(super) background: bool,
    /// It only runs when the one before it fails.
    pub(super) otherwise: bool,
    /// It only runs when the one before it succeeds.
    pub(super) and: bool,
}

#[derive(Debug)]
pub(in crate::screen) struct Command {
    pub(super) kind: Kind,
    pub(super) redirects: Nodes<Redirect>,
}

#[derive(Debug)]
pub(in crate::screen) enum Kind {
    Simple {
        assigns: Nodes<Assign>,
        words: Nodes<Word>,
    },
    /// A group, or any other compound whose parts may all run.
    Group(List),
    Subshell(List),
    For {
        name: Text,
        words: Nodes<Word>,
        body: List,
    },
    Loop(List),
    If {
        condition: List,
        arms: Vec<List>,
        /// There is an `else`.
        complete: bool,
    },
    Case {
        subject: Nodes<Word>,
        arms: Vec<List>,
        /// One of the arms is for everything.
        complete: bool,
    },
    Function {
        name: String,
        body: Nodes<Command>,
    },
    /// `[[ .. ]]` and `(( .. ))`: only substitutions inside run.
    Test(Nodes<Word>),
}

#[derive(Debug)]
pub(in crate::screen) struct Assign {
    pub(super) name: Text,
    pub(super) append: bool,
    pub(super) value: Word,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::screen) enum Redirection {
    In,
    Out,
    Append,
    ReadWrite,
    DupIn,
    DupOut,
    Both,
    HereDoc,
    HereString,
}

#[derive(Debug)]
pub(in crate::screen) struct Redirect {
    pub(super) kind: Redirection,
    pub(super) fd: Option<u32>,
    pub(super) target: Word,
    /// The text of a here-document, filled in when the parser reaches it.
    pub(super) body: Option<Rc<OnceCell<Word>>>,
    pub(super) span: Span,
}

#[derive(Debug, Default)]
pub(in crate::screen) struct Word {
    pub(super) parts: Vec<Part>,
    /// It is what stands in the source at its span, and has no parts: most words are.
    pub(super) plain: bool,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(in crate::screen) enum Part {
    Text {
        text: Text,
        quoted: bool,
    },
    Param {
        name: Text,
        op: Option<Box<ParamOp>>,
        quoted: bool,
    },
    Command {
        list: List,
        quoted: bool,
    },
    Process {
        list: List,
    },
    /// `$(( .. ))`: a number that is not computed, and the substitutions inside.
    Arith(Vec<List>),
}

#[derive(Debug)]
pub(in crate::screen) struct ParamOp {
    /// What stands between the name and the word: `:-`, `#`, `//`, …
    pub(super) op: Text,
    pub(super) word: Word,
    /// After the second `/` of a replacement.
    pub(super) second: Option<Word>,
}

impl Word {
    /// A word that is what stands in the source.
    #[inline]
    pub(super) fn plain(span: Span) -> Self {
        Self {
            parts: Vec::new(),
            plain: true,
            span,
        }
    }

    /// The text of a word that is one unquoted literal, in the source that it was read from.
    pub(super) fn bare<'t>(&'t self, source: &'t str) -> Option<&'t str> {
        if self.plain {
            return source.get(self.span.start..self.span.end);
        }
        match self.parts.as_slice() {
            [Part::Text { text, quoted: false }] => Some(text.as_str()),
            _ => None,
        }
    }

    /// Its parts, for what adds to them.
    pub(super) fn parts_mut(&mut self, source: &str) -> &mut Vec<Part> {
        if self.plain {
            self.plain = false;
            let text = Text::from(source.get(self.span.start..self.span.end).unwrap_or_default());
            self.parts.push(Part::Text { text, quoted: false });
        }
        &mut self.parts
    }
}
