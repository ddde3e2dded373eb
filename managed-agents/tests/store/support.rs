//! A directory of its own for each test, and a harness over a store in it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use managed_agents::store::{Store, StoreOptions};
use managed_agents::{GovernanceDenied, Harness, governed};

/// A directory that is removed when the test ends.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("managed-agents-{name}-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn options(&self) -> StoreOptions {
        options(&self.0)
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.options()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Store and mark below one directory, with a log key.
pub(crate) fn options(dir: &Path) -> StoreOptions {
    StoreOptions::new(dir.join("data"))
        .high_water(dir.join("mark").join("log.high-water"))
        .origin("test.example/log")
        .log_key([7; 32])
}

/// Sends a letter.
#[governed(risk = low, reversible)]
pub(crate) async fn send(to: &str, text: &str) -> Result<usize, GovernanceDenied> {
    Ok(to.len() + text.len())
}

pub(crate) fn harness(agent: &str, store: &Store) -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id(agent)
        .recorder(store.clone())
        .build_blocking()
        .unwrap()
}

/// Makes so many calls, one after another.
pub(crate) fn calls(store: &Store, agent: &str, count: usize) {
    let harness = harness(agent, store);
    runtime().block_on(harness.scope(async {
        for number in 0..count {
            send("ann@example.com", &format!("letter {number}")).await.unwrap();
        }
    }));
    runtime().block_on(store.flush()).unwrap();
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
