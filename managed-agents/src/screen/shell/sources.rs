//! What a walk reads stays until it ends: words can point into it as long.

use std::cell::OnceCell;

use super::ast::Source;

/// The texts of one walk, one behind the other.
#[derive(Default)]
pub(in crate::screen) struct Sources {
    /// Before anything is read.
    nothing: Source,
    first: Place,
}

/// Where the next text goes.
type Place = OnceCell<Box<Link>>;

struct Link {
    source: Source,
    next: Place,
}

/// Puts texts behind those that are there.
pub(super) struct End<'s> {
    next: &'s Place,
}

impl Sources {
    /// The place of the first text, and what there is before it.
    pub(super) fn begin(&mut self) -> (End<'_>, &Source) {
        (End { next: &self.first }, &self.nothing)
    }
}

impl<'s> End<'s> {
    pub(super) fn put(&mut self, source: Source) -> &'s Source {
        let link = self.next.get_or_init(|| {
            Box::new(Link {
                source,
                next: Place::default(),
            })
        });
        self.next = &link.next;
        &link.source
    }
}

impl Drop for Sources {
    /// One after the other: they may be more than a stack holds.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn every_text_stays_where_it_was_put() {
        let mut sources = Sources::default();
        let (mut end, _) = sources.begin();
        let all: Vec<&Source> = (0..200_000).map(|number| end.put(parse(&number.to_string()))).collect();
        assert!(
            all.iter()
                .enumerate()
                .all(|(number, own)| *own.text == *number.to_string())
        );
    }
}
