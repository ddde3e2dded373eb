//! What a call that has ended leaves to the next one of its thread: the memory that it was written in.
//!
//! An allowed call is made, judged, run and forgotten in a few hundred nanoseconds, of which the allocator would take a
//! fifth.

use std::cell::Cell;
use std::sync::Arc;

use super::{CallDetails, Head, NoEntropyError, Salt, ToolCall};

/// The largest buffer that is kept.
pub(crate) const KEPT: usize = 1024;

thread_local! {
    /// A call that has ended, and that nobody holds.
    static CALL: Cell<Option<Arc<ToolCall>>> = const { Cell::new(None) };
}

/// The place of a call that has ended; what it was is written over.
#[inline(always)]
pub(crate) fn take() -> Option<Arc<ToolCall>> {
    CALL.try_with(Cell::take).ok().flatten()
}

/// A place for a call with this head: the given one, if nobody holds it.
pub(crate) fn of_head(place: Option<Arc<ToolCall>>, head: Arc<Head>) -> Arc<ToolCall> {
    if let Some(mut place) = place
        && let Some(call) = Arc::get_mut(&mut place)
    {
        call.head = head;
        return place;
    }
    ToolCall::blank(head)
}

impl ToolCall {
    /// Writes a call of the same head over one that has ended, under a fresh salt, and leaves it the buffer of that one in
    /// exchange.
    ///
    /// # Errors
    ///
    /// Where there is no salt: then the place is given back.
    #[inline(always)]
    pub(crate) fn written(
        mut self: Arc<Self>,
        tail: &mut Vec<u8>,
        arguments_at: usize,
        session: Option<&Arc<str>>,
        details: Option<Box<CallDetails>>,
    ) -> Result<Arc<Self>, (Arc<Self>, NoEntropyError)> {
        let Some(call) = Arc::get_mut(&mut self) else {
            return self.elsewhere(tail, arguments_at, session, details);
        };
        match call.fill(tail, arguments_at, session, details) {
            Ok(()) => Ok(self),
            Err(error) => Err((self, error)),
        }
    }

    /// The same where somebody holds it after all: in a place of its own.
    #[cold]
    fn elsewhere(
        self: Arc<Self>,
        tail: &mut Vec<u8>,
        arguments_at: usize,
        session: Option<&Arc<str>>,
        details: Option<Box<CallDetails>>,
    ) -> Result<Arc<Self>, (Arc<Self>, NoEntropyError)> {
        match Salt::fresh() {
            Ok(salt) => {
                let (head, tail) = (Arc::clone(&self.head), std::mem::take(tail));
                Ok(Self::new(head, salt, tail, arguments_at, session.cloned(), details))
            }
            Err(error) => Err((self, error)),
        }
    }

    #[inline(always)]
    fn fill(
        &mut self,
        tail: &mut Vec<u8>,
        arguments_at: usize,
        session: Option<&Arc<str>>,
        details: Option<Box<CallDetails>>,
    ) -> Result<(), NoEntropyError> {
        // each field is named, so that nothing of the call before is left
        let Self {
            head,
            tail: own_tail,
            arguments_at: own_arguments_at,
            digest: own_digest,
            salt: own_salt,
            session: own_session,
            details: own_details,
            found: own_found,
        } = self;
        own_salt.renew()?;
        std::mem::swap(own_tail, tail);
        *own_arguments_at = arguments_at;
        // most calls are of no session, in the place of one that was of none
        if session.is_some() || own_session.is_some() {
            *own_session = session.cloned();
        }
        *own_details = details;
        *own_found.get_mut() = 0;
        *own_digest = head.hash.digest(own_tail, own_salt.reveal());
        Ok(())
    }

    /// Leaves its place to the next call of this thread, unless somebody else still holds the call.
    #[inline]
    pub(crate) fn leave(mut self: Arc<Self>) {
        // only looked at, which costs less than to take it for oneself: who writes the next call does that
        if Arc::strong_count(&self) != 1 || Arc::weak_count(&self) != 0 {
            return;
        }
        if self.tail.capacity() > KEPT || self.session.is_some() || self.details.is_some() {
            let Some(own) = Arc::get_mut(&mut self) else {
                return;
            };
            own.session = None;
            own.details = None;
            if own.tail.capacity() > KEPT {
                own.tail = Vec::new();
            }
        }
        // where the thread is ending, the memory ends here
        let _ = CALL.try_with(|spare| spare.set(Some(self)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{AgentId, MetaRef, Origin, ToolMeta};

    fn head(tool: &'static str) -> Arc<Head> {
        let meta = MetaRef::Shared(Arc::new(ToolMeta::new(tool)));
        let agent = AgentId::parse("a").unwrap();
        Arc::new(Head::new(agent, "none".into(), meta, Origin::Governed, &[]))
    }

    fn call(head: &Arc<Head>, argument: &str, session: Option<&str>) -> Arc<ToolCall> {
        let mut tail = Vec::new();
        let before = br#"},"arguments":"#;
        tail.extend_from_slice(before);
        tail.extend_from_slice(argument.as_bytes());
        tail.push(b'}');
        let place = of_head(take(), Arc::clone(head));
        let session = session.map(Arc::from);
        let written = place.written(&mut tail, before.len(), session.as_ref(), None);
        written.map_err(|(_, error)| error).unwrap()
    }

    #[test]
    fn a_call_in_the_place_of_another_has_nothing_of_it() {
        let (one, two) = (head("one"), head("two"));
        let first = call(&one, r#"{"secret":"canary"}"#, Some("s"));
        let place = Arc::as_ptr(&first);
        first.screened(crate::verdict::Decision::Deny);
        first.leave();
        let second = call(&two, "{}", None);
        assert_eq!(Arc::as_ptr(&second), place);
        assert_eq!(second.found.load(std::sync::atomic::Ordering::Relaxed), 0);
        let fresh = ToolCall::new(
            two,
            *second.salt(),
            second.tail.clone(),
            second.arguments_at,
            None,
            None,
        );
        assert_eq!(second.reveal_canonical(), fresh.reveal_canonical());
        assert_eq!((second.digest(), second.session()), (fresh.digest(), None));
        assert_eq!((second.tool(), second.reveal_arguments()), ("two", "{}"));
    }

    #[test]
    fn a_call_that_somebody_holds_is_left_alone() {
        let head = head("one");
        let held = call(&head, r#"{"a":1}"#, None);
        Arc::clone(&held).leave();
        let next = call(&head, r#"{"a":2}"#, None);
        assert_ne!(Arc::as_ptr(&held), Arc::as_ptr(&next));
        assert_eq!(held.reveal_arguments(), r#"{"a":1}"#);
        let weak = Arc::downgrade(&next);
        next.leave();
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn a_place_that_somebody_holds_is_not_written_over() {
        let head = head("one");
        let held = call(&head, r#"{"a":1}"#, None);
        let mut tail = br#"},"arguments":{"a":2}}"#.to_vec();
        let written = Arc::clone(&held).written(&mut tail, br#"},"arguments":"#.len(), None, None);
        let next = written.map_err(|(_, error)| error).unwrap();
        assert_eq!(
            (held.reveal_arguments(), next.reveal_arguments()),
            (r#"{"a":1}"#, r#"{"a":2}"#)
        );
    }

    #[test]
    fn nothing_large_is_kept() {
        let head = head("one");
        let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(5000));
        call(&head, &text, None).leave();
        assert!(take().is_some_and(|place| place.tail.capacity() <= KEPT));
    }
}
