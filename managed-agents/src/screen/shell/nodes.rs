//! Where the nodes of what was read lie: those of one kind behind each other, so that few places in memory are asked for, and
//! nothing of them has to be given back one by one.

use std::fmt;
use std::marker::PhantomData;

use super::ast::{Assign, Command, List, ParamOp, Part, Pipeline, Redirect, Word};

/// The nodes of a text.
#[derive(Debug, Default)]
pub(in crate::screen) struct Kept {
    pub(super) pipelines: Shelf<Pipeline>,
    pub(super) commands: Shelf<Command>,
    pub(super) words: Shelf<Word>,
    pub(super) parts: Shelf<Part>,
    pub(super) ops: Shelf<ParamOp>,
    pub(super) redirects: Shelf<Redirect>,
    pub(super) assigns: Shelf<Assign>,
    pub(super) lists: Shelf<List>,
    /// The texts of here-documents.
    pub(super) documents: Shelf<Word>,
    /// Texts that do not stand in the source.
    pub(super) spelled: String,
}

/// The nodes of one kind.
pub(in crate::screen) struct Shelf<T> {
    kept: Vec<T>,
    /// Nodes of what is still being read, the last one's last: those of others are kept before them.
    open: Vec<T>,
}

/// Neighbours among the nodes of one kind.
pub(in crate::screen) struct Nodes<T> {
    from: u32,
    to: u32,
    kind: PhantomData<fn() -> T>,
}

impl Kept {
    /// Room for the nodes of a text: words and commands have about that length.
    pub(super) fn for_text(length: usize) -> Self {
        Self {
            words: Shelf::with_room(2 + length / 6),
            commands: Shelf::with_room(1 + length / 16),
            pipelines: Shelf::with_room(1 + length / 16),
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
        let open = self.pipelines.begin();
        self.pipelines.open_again(first);
        self.pipelines.open_again(second);
        self.pipelines.keep(open)
    }
}

impl<T: Copy> Shelf<T> {
    fn with_room(count: usize) -> Self {
        Self {
            kept: Vec::with_capacity(count),
            open: Vec::with_capacity(8),
        }
    }

    /// Begins to read nodes that will be neighbours: where they begin among the open ones.
    #[inline]
    pub(super) fn begin(&self) -> usize {
        self.open.len()
    }

    #[inline]
    pub(super) fn push(&mut self, node: T) {
        self.open.push(node);
    }

    /// What was read since.
    #[inline]
    pub(super) fn since(&mut self, begun: usize) -> &mut [T] {
        self.open.get_mut(begun..).unwrap_or_default()
    }

    /// Keeps what was read since, behind all others.
    #[inline]
    pub(super) fn keep(&mut self, begun: usize) -> Nodes<T> {
        let from = self.kept.len();
        match self.open.get(begun..).unwrap_or_default() {
            [] => return Nodes::default(),
            [only] => self.kept.push(*only),
            more => self.kept.extend_from_slice(more),
        }
        self.open.truncate(begun);
        Nodes::new(from, self.kept.len())
    }

    /// Keeps one node behind all others.
    #[inline]
    pub(super) fn keep_one(&mut self, node: T) -> Nodes<T> {
        let from = self.kept.len();
        self.kept.push(node);
        Nodes::new(from, from + 1)
    }

    /// Nodes that are kept begin, or go on, those that are being read.
    pub(super) fn open_again(&mut self, nodes: Nodes<T>) {
        self.open.extend_from_slice(nodes.of_kept(&self.kept));
    }

    /// Forgets what was read since.
    pub(super) fn forget(&mut self, begun: usize) {
        self.open.truncate(begun);
    }

    /// Puts another node in the place of each.
    pub(super) fn replace(&mut self, nodes: Nodes<T>, node: T) {
        let kept = self.kept.get_mut(nodes.from as usize..nodes.to as usize);
        kept.unwrap_or_default().fill(node);
    }
}

impl<T> Nodes<T> {
    #[inline]
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
    pub(super) fn of(self, shelf: &Shelf<T>) -> &[T] {
        self.of_kept(&shelf.kept)
    }

    #[inline]
    fn of_kept(self, kept: &[T]) -> &[T] {
        kept.get(self.from as usize..self.to as usize).unwrap_or_default()
    }

    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.from == self.to
    }

    /// Whether they are the same ones, where both are kept in one place.
    pub(super) fn are(self, other: Self) -> bool {
        self.from == other.from && self.to == other.to
    }

    /// The first ones, and those from there on.
    pub(super) fn split_at(self, count: usize) -> (Self, Self) {
        let at = self
            .from
            .saturating_add(u32::try_from(count).unwrap_or(u32::MAX))
            .min(self.to);
        (Self { to: at, ..self }, Self { from: at, ..self })
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
        Self {
            from: 0,
            to: 0,
            kind: PhantomData,
        }
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            open: Vec::new(),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Shelf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.kept).finish()
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
        let begun = kept.pipelines.begin();
        for background in backgrounds {
            kept.pipelines.push(Pipeline {
                background: *background,
                ..Pipeline::default()
            });
        }
        kept.pipelines.keep(begun)
    }

    fn told(kept: &Kept, list: List) -> Vec<bool> {
        kept.list(list).iter().map(|own| own.background).collect()
    }

    #[test]
    fn joined_lists_hold_what_both_held_in_their_order() {
        let mut kept = Kept::default();
        let first = pipelines(&mut kept, &[true, false]);
        let between = pipelines(&mut kept, &[false]);
        let last = pipelines(&mut kept, &[true]);
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

    #[test]
    fn nodes_that_are_read_within_others_do_not_part_them() {
        let mut kept = Kept::default();
        let outer = kept.pipelines.begin();
        kept.pipelines.push(Pipeline::default());
        let inner = pipelines(&mut kept, &[true, true]);
        kept.pipelines.push(Pipeline::default());
        let outer = kept.pipelines.keep(outer);
        assert_eq!(told(&kept, inner), [true, true]);
        assert_eq!(told(&kept, outer), [false, false]);
    }
}
