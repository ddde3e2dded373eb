//! What flows through a command line: texts as far as they are known, and where they come from.

use super::text::Text;
use crate::screen::finding::Span;

/// Stands in a text for what is only known at run time.
pub(in crate::screen) const UNKNOWN: char = '\u{E000}';
/// Stands in a path for some of the files below a directory.
pub(in crate::screen) const SOME: char = '\u{E001}';
/// Stands in a path for all files below a directory.
pub(in crate::screen) const ALL: char = '\u{E002}';

/// Where data comes from; a set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::screen) struct Taint(u16);

impl Taint {
    pub(in crate::screen) const NONE: Self = Self(0);
    /// From the network.
    pub(in crate::screen) const NET: Self = Self(1);
    /// From a credential.
    pub(in crate::screen) const SECRET: Self = Self(2);
    /// From files.
    pub(in crate::screen) const FILE: Self = Self(4);
    /// Decoded, decrypted or unpacked.
    pub(in crate::screen) const HIDDEN: Self = Self(8);
    /// From the list of accounts.
    pub(in crate::screen) const ACCOUNTS: Self = Self(16);
    /// What a shell answers.
    pub(in crate::screen) const SHELL: Self = Self(32);
    /// An archive, or a dump of much.
    pub(in crate::screen) const ARCHIVE: Self = Self(64);
    /// A word that xargs(1) or the like was given by a program.
    pub(in crate::screen) const ITEM: Self = Self(256);
    /// Made a program by chmod(1).
    pub(in crate::screen) const PROGRAM: Self = Self(512);
    /// Never ends.
    pub(in crate::screen) const ENDLESS: Self = Self(1024);
    /// What a program prints to complete its own arguments in a shell.
    pub(in crate::screen) const COMPLETION: Self = Self(2048);
    /// What the machine or its user is called, or made of.
    pub(in crate::screen) const MACHINE: Self = Self(4096);
    /// Bytes without a meaning, from the devices that give them.
    pub(in crate::screen) const PADDING: Self = Self(8192);
    /// From files that are named from the root or a home, or by a name that is not known, and from archives.
    pub(in crate::screen) const BEYOND: Self = Self(16384);
    /// A whole disk, file system, snapshot, image or set of data bases.
    pub(in crate::screen) const WHOLE: Self = Self(32768);
    /// The environment of this process.
    pub(in crate::screen) const ENV: Self = Self(128);

    pub(in crate::screen) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(in crate::screen) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a command reads or writes.
#[derive(Clone, Debug, Default)]
pub(in crate::screen) struct Data {
    /// The text, where it is known.
    pub(in crate::screen) text: Option<String>,
    pub(in crate::screen) taint: Taint,
    /// The lines are paths found below these, each ending in [`SOME`] or [`ALL`].
    pub(in crate::screen) listing: Vec<String>,
    /// Somebody gave it: not the standard input that the tool itself has.
    pub(in crate::screen) given: bool,
}

impl Data {
    /// Nothing at all: the standard input of a tool.
    pub(in crate::screen) fn none() -> Self {
        Self::default()
    }

    pub(in crate::screen) fn known(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            given: true,
            ..Self::default()
        }
    }

    pub(in crate::screen) fn unknown(taint: Taint) -> Self {
        Self {
            taint,
            given: true,
            ..Self::default()
        }
    }

    pub(in crate::screen) fn tainted(mut self, taint: Taint) -> Self {
        self.taint = self.taint.and(taint);
        self
    }

    /// What passes through a filter: the source stays, the text does not.
    pub(in crate::screen) fn filtered(&self) -> Self {
        Self {
            text: None,
            taint: Taint(self.taint.0 & !Taint::ENDLESS.0),
            listing: self.listing.iter().map(|path| path.replace(ALL, "\u{E001}")).collect(),
            given: true,
        }
    }

    /// The text, if all of it is known.
    pub(in crate::screen) fn full_text(&self) -> Option<&str> {
        self.text
            .as_deref()
            .filter(|text| text.is_ascii() || !text.contains([UNKNOWN, SOME, ALL]))
    }
}

/// One word after expansion.
#[derive(Clone, Debug, Default)]
pub(in crate::screen) struct Field<'s> {
    pub(in crate::screen) text: Text<'s>,
    pub(in crate::screen) taint: Taint,
    pub(in crate::screen) span: Span,
    pub(in crate::screen) quoted: bool,
}

impl<'s> Field<'s> {
    pub(in crate::screen) fn new(text: impl Into<Text<'s>>, span: Span) -> Self {
        Self {
            text: text.into(),
            span,
            ..Self::default()
        }
    }
}
