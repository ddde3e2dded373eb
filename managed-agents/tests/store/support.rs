//! A directory of its own for each test, and a harness over a store in it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use managed_agents::store::{Store, StoreOptions};
use managed_agents::{GovernanceDenied, Harness, Risk, ToolMeta, governed};

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
        .agent_id(agent)
        .recorder(store.clone())
        .declare(ToolMeta::new("send").with_risk(Risk::Low).reversible())
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

/// The root over entries by the definition of RFC 6962, section 2.1, and nothing else.
pub(crate) fn root_by_definition(entries: &[Vec<u8>]) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    match entries {
        [] => Sha256::digest([]).into(),
        [one] => Sha256::new().chain_update([0]).chain_update(one).finalize().into(),
        _ => {
            let mut middle = 1;
            while middle * 2 < entries.len() {
                middle *= 2;
            }
            let (left, right) = entries.split_at(middle);
            Sha256::new()
                .chain_update([1])
                .chain_update(root_by_definition(left))
                .chain_update(root_by_definition(right))
                .finalize()
                .into()
        }
    }
}

/// Checks a record by every means: its own, and the definition of its root. Gives its entries.
pub(crate) fn sound(dir: &Path) -> Vec<managed_agents::audit::entry::Entry> {
    use managed_agents::store::{Depth, Reader};
    let reader = Reader::open(dir.join("data")).unwrap();
    let report = reader.verify(Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "{:#?}", report.problems());
    let quick = reader.verify(Depth::Quick, |_| ()).unwrap();
    assert!(quick.is_sound(), "{:#?}", quick.problems());
    let entries = reader.entries(0, usize::MAX).unwrap();
    let head = reader.head().unwrap();
    assert_eq!(entries.len() as u64, head.size());
    for (place, entry) in (0..).zip(&entries) {
        assert_eq!(entry.sequence(), place, "no gap and no fork");
    }
    let bytes: Vec<_> = entries.iter().map(|entry| entry.as_bytes().to_vec()).collect();
    assert_eq!(root_by_definition(&bytes), *head.root().as_bytes());
    entries
}

/// How often a test is repeated: the number in an environment variable, else a few times.
pub(crate) fn rounds(variable: &str, few: usize) -> usize {
    std::env::var(variable)
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(few)
}
