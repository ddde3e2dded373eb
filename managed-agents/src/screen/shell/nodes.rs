//! Where the nodes of what was read lie: those of one kind behind each other, so that few places in memory are asked for.

use std::fmt;
use std::marker::PhantomData;

use super::ast::{Assign, Command, List, Pipeline, Redirect, Word};

/// The nodes of a text.
#[derive(Debug, Default)]
pub(in crate::screen) struct Kept {
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) commands: Vec<Command>,
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) assigns: Vec<Assign>,
}

/// Neighbours among the nodes of one kind.
pub(in crate::screen) struct Nodes<T> {
    from: u32,
    to: u32,
    kind: PhantomData<fn() -> T>,
}

/// Keeps nodes behind the others of their kind.
pub(super) fn keep<T>(kept: &mut Vec<T>, nodes: impl IntoIterator<Item = T>) -> Nodes<T> {
    let from = kept.len();
    kept.extend(nodes);
    Nodes::new(from, kept.len())
}

/// Keeps one node behind the others of its kind.
pub(super) fn keep_one<T>(kept: &mut Vec<T>, node: T) -> Nodes<T> {
    let from = kept.len();
    kept.push(node);
    Nodes::new(from, from + 1)
}

impl Kept {
    /// Room for the nodes of a text: words and commands have about that length.
    pub(super) fn for_text(length: usize) -> Self {
        Self {
            words: Vec::with_capacity(2 + length / 6),
            commands: Vec::with_capacity(1 + length / 16),
            pipelines: Vec::with_capacity(1 + length / 16),
            ..Self::default()
        }
    }

    pub(super) fn list(&self, list: List) -> &[Pipeline] {
        list.of(&self.pipelines)
    }

    /// The commands of a list, those of all its pipelines.
    pub(super) fn commands_of(&self, list: List) -> impl Iterator<Item = &Command> {
        let pipelines = self.list(list).iter();
        pipelines.flat_map(|pipeline| pipeline.commands.of(&self.commands))
    }

    /// One list behind the other, as one.
    pub(super) fn joined(&mut self, first: List, second: List) -> List {
        if first.is_empty() {
            return second;
        }
        if second.is_empty() || first.to == second.from {
            return Nodes {
                to: first.to.max(second.to),
                ..first
            };
        }
        let both: Vec<Pipeline> = [self.list(first), self.list(second)].concat();
        keep(&mut self.pipelines, both)
    }
}

/// Nodes that are not kept yet, of which there is mostly one or none.
pub(super) struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Few<T> {
    pub(super) fn none() -> Self {
        Self {
            first: None,
            others: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn push(&mut self, node: T) {
        if self.first.is_none() {
            self.first = Some(node);
        } else {
            self.others.push(node);
        }
    }

    /// Keeps them behind the others of their kind.
    pub(super) fn keep(self, kept: &mut Vec<T>) -> Nodes<T> {
        match self.first {
            None => Nodes::default(),
            Some(only) if self.others.is_empty() => keep_one(kept, only),
            Some(first) => keep(kept, std::iter::once(first).chain(self.others)),
        }
    }
}

impl<T> Nodes<T> {
    pub(super) fn new(from: usize, to: usize) -> Self {
        // no text is so long that it holds more
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            from: place(from),
            to: place(to),
            kind: PhantomData,
        }
    }

    /// The nodes, where they are kept.
    #[inline]
    pub(super) fn of(self, kept: &[T]) -> &[T] {
        kept.get(self.from as usize..self.to as usize).unwrap_or_default()
    }

    pub(super) fn is_empty(self) -> bool {
        self.from == self.to
    }

    /// Whether they are the same ones, where both are kept in one place.
    pub(super) fn are(self, other: Self) -> bool {
        self.from == other.from && self.to == other.to
    }
}

impl<T> Clone for Nodes<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Nodes<T> {}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

impl<T> fmt::Debug for Nodes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipelines(kept: &mut Kept, backgrounds: &[bool]) -> List {
        let nodes = backgrounds.iter().map(|background| Pipeline {
            background: *background,
            ..Pipeline::default()
        });
        keep(&mut kept.pipelines, nodes)
    }

    #[test]
    fn joined_lists_hold_what_both_held_in_their_order() {
        let mut kept = Kept::default();
        let first = pipelines(&mut kept, &[true, false]);
        let between = pipelines(&mut kept, &[false]);
        let last = pipelines(&mut kept, &[true]);
        let told =
            |kept: &Kept, list: List| -> Vec<bool> { kept.list(list).iter().map(|own| own.background).collect() };
        let apart = kept.joined(first, last);
        assert_eq!(told(&kept, apart), [true, false, true]);
        let neighbours = kept.joined(first, between);
        assert_eq!(told(&kept, neighbours), [true, false, false]);
        let nothing = List::default();
        for (one, other) in [(nothing, last), (last, nothing)] {
            let joined = kept.joined(one, other);
            assert_eq!(told(&kept, joined), [true]);
        }
    }
}
