//! The words of a command while they are being read: where they stay, unless those of another command come between them.

use super::ast::Word;
use super::nodes::{Nodes, keep};
use super::parse::Parser;

/// The words that a command has so far.
pub(super) struct Gathered {
    start: usize,
    count: usize,
    /// They stand among the open ones, from here on.
    aside: Option<usize>,
}

impl Parser<'_> {
    /// Begins to read the words of a command.
    pub(super) fn gather(&self) -> Gathered {
        Gathered {
            start: self.kept.words.len(),
            count: 0,
            aside: None,
        }
    }

    /// Reads the word that begins here onto the others of its command.
    #[inline]
    pub(super) fn gather_word(&mut self, own: &mut Gathered) {
        match self.plain_word() {
            // made where it stays, as most are
            Some(span) => self.room(own).extend(std::iter::once_with(|| Word::plain(span))),
            None => {
                let word = self.word_until(false);
                self.room(own).push(word);
            }
        }
        own.count += 1;
    }

    /// Where the next word goes.
    #[inline]
    fn room(&mut self, own: &mut Gathered) -> &mut Vec<Word> {
        if own.aside.is_none() && self.kept.words.len() != own.start + own.count {
            self.set_aside(own);
        }
        if own.aside.is_some() {
            &mut self.open_words
        } else {
            &mut self.kept.words
        }
    }

    /// Makes way: the words of a command in a word of this one were kept behind this one's. It happens once to each word.
    #[cold]
    fn set_aside(&mut self, own: &mut Gathered) {
        if own.count == 0 {
            own.start = self.kept.words.len();
            return;
        }
        #[cfg(test)]
        crate::screen::work::took(own.count);
        own.aside = Some(self.open_words.len());
        let words = self.kept.words.iter_mut().skip(own.start).take(own.count);
        self.open_words.extend(words.map(std::mem::take));
    }

    /// The words so far.
    pub(super) fn gathered(&mut self, own: &Gathered) -> &mut [Word] {
        let (words, from) = match own.aside {
            Some(from) => (&mut self.open_words, from),
            None => (&mut self.kept.words, own.start),
        };
        words.get_mut(from..from + own.count).unwrap_or_default()
    }

    /// Keeps the words.
    pub(super) fn keep_gathered(&mut self, own: &Gathered) -> Nodes<Word> {
        match own.aside {
            Some(from) => keep(&mut self.kept.words, self.open_words.drain(from..)),
            None => Nodes::new(own.start, own.start + own.count),
        }
    }
}

impl Gathered {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}
