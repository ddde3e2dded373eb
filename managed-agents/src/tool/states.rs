//! What a toolbox injects into its tools: one value per type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What a toolbox injects into its tools: one value per type. Never part of a call's arguments or of a schema.
#[derive(Default)]
pub struct States {
    /// Each value is an `Arc<T>`, boxed again so that `T` may be unsized.
    values: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl States {
    pub(super) fn insert<T: ?Sized + Send + Sync + 'static>(&mut self, value: Arc<T>) -> bool {
        self.values.insert(TypeId::of::<T>(), Box::new(value)).is_none()
    }

    pub(super) fn holds(&self, need: &Need) -> bool {
        self.values.contains_key(&need.type_id)
    }

    /// The value of a type, for a parameter `&T`.
    ///
    /// # Panics
    ///
    /// When there is none, which building a toolbox rules out: it was built with every state its tools need.
    #[must_use]
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> &T {
        self.entry::<T>()
    }

    /// The value of a type, for a parameter `Arc<T>`.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    #[must_use]
    pub fn shared<T: ?Sized + Send + Sync + 'static>(&self) -> Arc<T> {
        Arc::clone(self.entry())
    }

    fn entry<T: ?Sized + Send + Sync + 'static>(&self) -> &Arc<T> {
        match self.values.get(&TypeId::of::<T>()).and_then(|v| v.downcast_ref()) {
            Some(value) => value,
            None => absent(),
        }
    }
}

#[cold]
#[expect(
    clippy::panic,
    reason = "INVARIANT: a toolbox is only built when it holds what its tools need"
)]
fn absent() -> ! {
    panic!("a tool was called without the state it needs")
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.values.len())
    }
}

/// A state that a tool needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    type_id: TypeId,
    name: &'static str,
    written: &'static str,
}

impl Need {
    /// The parameter, as `name: Type`.
    pub(super) fn parameter(&self) -> String {
        format!("{}: {}", self.name, self.written)
    }
}

/// States that a parameter `name`, whose type is written `written`, needs a value of type `T`.
#[must_use]
pub fn need<T: ?Sized + Send + Sync + 'static>(name: &'static str, written: &'static str) -> Need {
    Need {
        type_id: TypeId::of::<T>(),
        name,
        written,
    }
}
