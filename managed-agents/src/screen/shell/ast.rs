//! What a shell's text says, before any expansion.

use super::literal::Literal;
use super::nodes::{Kept, Nodes};
use crate::screen::finding::Span;
use crate::screen::signs::Signs;

/// A text, and what was read in it.
#[derive(Debug, Default)]
pub(in crate::screen) struct Source {
    pub(super) text: Box<str>,
    pub(super) kept: Kept,
    /// All of it.
    pub(super) list: List,
    /// Something could not be read.
    pub(super) broken: bool,
    /// A limit was reached.
    pub(super) limited: bool,
}

impl Source {
    /// A text of this source.
    #[inline]
    pub(super) fn literal(&self, literal: Literal) -> &str {
        literal.of(&self.text, &self.kept.spelled)
    }

    /// The text of a word that is one unquoted literal.
    pub(super) fn bare(&self, word: &Word) -> Option<&str> {
        word.bare(&self.kept).map(|literal| self.literal(literal))
    }

    /// The first of some words, if it is one unquoted literal.
    pub(super) fn first_bare(&self, words: Nodes<Word>) -> Option<&str> {
        words.of(&self.kept.words).first().and_then(|word| self.bare(word))
    }
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

#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Command {
    pub(super) kind: Kind,
    pub(super) redirects: Nodes<Redirect>,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::screen) enum Kind {
    Simple {
        assigns: Nodes<Assign>,
        words: Nodes<Word>,
    },
    /// A group, or any other compound whose parts may all run.
    Group(List),
    Subshell(List),
    For {
        name: Literal,
        words: Nodes<Word>,
        body: List,
    },
    Loop(List),
    If {
        condition: List,
        arms: Nodes<List>,
        /// There is an `else`.
        complete: bool,
    },
    Case {
        subject: Nodes<Word>,
        arms: Nodes<List>,
        /// One of the arms is for everything.
        complete: bool,
    },
    Function {
        name: Literal,
        body: Nodes<Command>,
    },
    /// `[[ .. ]]` and `(( .. ))`: only substitutions inside run.
    Test(Nodes<Word>),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Assign {
    pub(super) name: Literal,
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

#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Redirect {
    pub(super) kind: Redirection,
    pub(super) fd: Option<u32>,
    pub(super) target: Word,
    /// The text of a here-document, filled in when the parser reaches it.
    pub(super) body: Nodes<Word>,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::screen) struct Word {
    pub(super) parts: Nodes<Part>,
    /// It is what stands in the source at its span, and has no parts: most words are.
    pub(super) plain: bool,
    /// Those of a plain word.
    pub(super) signs: Signs,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::screen) enum Part {
    Text {
        text: Literal,
        quoted: bool,
    },
    Param {
        name: Literal,
        /// At most one.
        op: Nodes<ParamOp>,
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
    Arith(Nodes<List>),
}

#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct ParamOp {
    /// What stands between the name and the word: `:-`, `#`, `//`, …
    pub(super) op: Literal,
    pub(super) word: Word,
    /// After the second `/` of a replacement.
    pub(super) second: Option<Word>,
}

impl Word {
    /// A word that is what stands in the source.
    #[inline]
    pub(super) fn plain(span: Span, signs: Signs) -> Self {
        Self {
            parts: Nodes::default(),
            plain: true,
            signs,
            span,
        }
    }

    /// What it is, if it is one unquoted literal.
    pub(super) fn bare(&self, kept: &Kept) -> Option<Literal> {
        if self.plain {
            return Some(self.stands());
        }
        match self.parts.of(&kept.parts) {
            [Part::Text { text, quoted: false }] => Some(*text),
            _ => None,
        }
    }

    /// What stands in the source at its span.
    #[inline]
    pub(super) fn stands(&self) -> Literal {
        Literal::at(self.span.start, self.span.end, self.signs)
    }
}
