//! The beginnings of canonical calls, made once for each tool; and so also the tools that a harness knows.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::call::{AgentId, Digest, Head, MetaRef, Origin, ToolCall, ToolMeta, spare};

/// The heads of the tools that a harness knows.
pub(super) struct Heads {
    /// Unlike that of any other table in this process.
    id: u64,
    agent: AgentId,
    governor: Arc<str>,
    /// JSON pointers of what is redacted in calls of a name, beyond what the tool itself redacts.
    redacted: HashMap<String, Vec<String>>,
    /// What the operator's configuration says of a name: governed functions of that name are judged by what is stricter.
    entries: HashMap<String, ToolMeta>,
    /// Guards both tables, which always hold the same heads; never held across an await.
    known: RwLock<Known>,
}

/// The hash of a digest: its first eight bytes are as random as any hash.
#[derive(Clone, Copy, Debug, Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    // the length of the array
    fn write_usize(&mut self, _length: usize) {}
}

#[derive(Default)]
struct Known {
    by_definition: HashMap<Digest, Arc<Head>, BuildHasherDefault<DigestHasher>>,
    by_name: HashMap<String, Arc<Head>>,
}

impl Heads {
    pub(super) fn new(
        agent: AgentId,
        governor: &str,
        redacted: HashMap<String, Vec<String>>,
        declared: Vec<(ToolMeta, Origin)>,
        entries: Vec<ToolMeta>,
    ) -> Self {
        static TABLES: AtomicU64 = AtomicU64::new(0);
        let heads = Self {
            id: TABLES.fetch_add(1, Ordering::Relaxed),
            agent,
            governor: governor.into(),
            redacted,
            entries: entries
                .into_iter()
                .map(|entry| (entry.name().to_owned(), entry))
                .collect(),
            known: RwLock::default(),
        };
        for (meta, origin) in declared {
            heads.add(MetaRef::Shared(Arc::new(meta)), origin);
        }
        heads
    }

    pub(super) fn agent(&self) -> &AgentId {
        &self.agent
    }

    pub(super) fn governor(&self) -> &str {
        &self.governor
    }

    /// Where a call of a governed function is written: the place of one of the same function that has ended, where this thread
    /// has such. So the head need not be looked for.
    #[inline(always)]
    pub(super) fn place_of(&self, meta: &'static ToolMeta) -> Arc<ToolCall> {
        match spare::take() {
            Some(place) if place.head().serves(self.id, meta) => place,
            other => self.other_place(other, meta),
        }
    }

    #[inline(never)]
    fn other_place(&self, place: Option<Arc<ToolCall>>, meta: &'static ToolMeta) -> Arc<ToolCall> {
        spare::of_head(place, self.of_function(meta))
    }

    /// The head of a governed function, which is known from then on.
    pub(super) fn of_function(&self, meta: &'static ToolMeta) -> Arc<Head> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(head) = known.by_definition.get(&meta.definition()) {
            return Arc::clone(head);
        }
        drop(known);
        self.add(MetaRef::Static(meta), Origin::Governed)
    }

    /// The head of a name; one that nothing declares is not kept, since a model can make up any number of names.
    pub(super) fn of_name(&self, name: &str) -> Arc<Head> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.by_name.get(name) {
            Some(head) => Arc::clone(head),
            None => {
                let meta = MetaRef::Shared(Arc::new(ToolMeta::new(name.to_owned())));
                Arc::new(self.make(meta, Origin::Unknown))
            }
        }
    }

    /// The known tools that declare nothing of themselves, by name.
    pub(super) fn undeclared(&self) -> Vec<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = known
            .by_name
            .values()
            .filter(|head| !head.meta().is_declared())
            .map(|head| head.meta().name().to_owned())
            .collect();
        names.sort_unstable();
        names
    }

    fn add(&self, meta: MetaRef, origin: Origin) -> Arc<Head> {
        // found by what the function says of itself, judged and recorded by what counts
        let definition = meta.definition();
        let function = match &meta {
            MetaRef::Static(function) => Some(*function),
            MetaRef::Shared(_) => None,
        };
        let head = self.make(self.tightened(meta, origin), origin);
        let head = Arc::new(match function {
            Some(function) => head.serving(self.id, function),
            None => head,
        });
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.by_definition.insert(definition, Arc::clone(&head));
        // what was declared of a name stays, whatever function of that name is called in between
        if head.origin() == Origin::Declared
            || known
                .by_name
                .get(head.meta().name())
                .is_none_or(|known| known.origin() != Origin::Declared)
        {
            known.by_name.insert(head.meta().name().to_owned(), Arc::clone(&head));
        }
        head
    }

    /// What counts of a governed function: the stricter of its own word and the operator's.
    fn tightened(&self, meta: MetaRef, origin: Origin) -> MetaRef {
        let Some(entry) = self.entries.get(meta.name()).filter(|_| origin == Origin::Governed) else {
            return meta;
        };
        let ignored = meta.without_effect(entry);
        if !ignored.is_empty() {
            tracing::warn!(
                tool = meta.name(),
                keys = ignored.join(", "),
                "the configuration has no effect on a governed function where it is laxer, or names what it does not have"
            );
        }
        match meta.tightened_by(entry) {
            Some(tightened) => MetaRef::Shared(Arc::new(tightened)),
            None => meta,
        }
    }

    fn make(&self, meta: MetaRef, origin: Origin) -> Head {
        let redacted = self.redacted.get(meta.name()).map(Vec::as_slice).unwrap_or_default();
        Head::new(self.agent.clone(), Arc::clone(&self.governor), meta, origin, redacted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Risk;

    #[test]
    fn a_call_in_the_place_of_another_agents_is_the_callers() -> Result<(), crate::AgentIdError> {
        let function: &'static ToolMeta = Box::leak(Box::new(ToolMeta::new("refund")));
        let other: &'static ToolMeta = Box::leak(Box::new(ToolMeta::new("send")));
        let heads = |agent| {
            let agent = AgentId::parse(agent)?;
            Ok(Heads::new(agent, "none", HashMap::new(), Vec::new(), Vec::new()))
        };
        let (one, two) = (heads("one")?, heads("two")?);
        let mut places = Vec::new();
        for (heads, function) in [
            (&one, function),
            (&two, function),
            (&two, other),
            (&two, other),
            (&one, function),
        ] {
            let place = heads.place_of(function);
            places.push(Arc::as_ptr(&place));
            assert_eq!(place.agent(), heads.agent());
            assert_eq!(place.tool(), function.name());
            place.leave();
        }
        places.dedup();
        assert_eq!(places.len(), 1, "the test would show nothing else");
        Ok(())
    }

    #[test]
    fn a_declaration_of_a_name_outlives_the_call_of_a_function_of_that_name() -> Result<(), crate::AgentIdError> {
        let declared = vec![(ToolMeta::new("refund").with_risk(Risk::High), Origin::Declared)];
        let heads = Heads::new(AgentId::parse("a")?, "none", HashMap::new(), declared, Vec::new());
        let function: &'static ToolMeta = Box::leak(Box::new(ToolMeta::new("refund").with_risk(Risk::Low)));
        assert_eq!(heads.of_function(function).meta().risk(), Risk::Low);
        assert_eq!(heads.of_name("refund").meta().risk(), Risk::High);
        Ok(())
    }
}
