//! When the last handle is gone, nothing of the store is: no thread, no lock, no file that comes and goes.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use managed_agents::audit::{Event, Recorder as _, Watcher};
use managed_agents::store::{Durability, Store};
use managed_agents::{AgentId, Behaviour, Engine, Harness};

use crate::support::{Place, harness, runtime, send};

/// Has a handle of its own, and is held up in what it hears.
struct Holding {
    _store: Store,
    hears: Sender<()>,
    goes_on: Mutex<Receiver<()>>,
}

impl Watcher for Holding {
    fn heard(&self, _: &Event<'_>) {
        let _ = self.hears.send(());
        let _ = self.goes_on.lock().unwrap().recv();
    }
}

fn processes(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("data/processes")).unwrap().count()
}

#[test]
fn the_writers_thread_does_not_wait_for_itself_when_a_watcher_had_the_last_handle() {
    let place = Place::new("ends");
    let store = place.open();
    let ((hears, heard), (go_on, goes_on)) = (channel(), channel());
    let watcher: Arc<dyn Watcher> = Arc::new(Holding {
        _store: store.clone(),
        hears,
        goes_on: Mutex::new(goes_on),
    });
    assert!(store.watch(&AgentId::parse("bot").unwrap(), &watcher).unwrap());
    let harness = harness("bot", &store);
    let caller = std::thread::spawn(move || runtime().block_on(harness.scope(send("ann", "one"))));
    // of the decision
    heard.recv().unwrap();
    go_on.send(()).unwrap();
    caller.join().unwrap().unwrap();
    // of the outcome: the writer's thread is in the watcher, which has the only handle that is left
    heard.recv().unwrap();
    drop((watcher, store));
    go_on.send(()).unwrap();
    let begun = Instant::now();
    while processes(place.path()) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the writer still runs");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn behaviour_that_is_remembered_keeps_no_directory_open() {
    let place = Place::new("remembered");
    let behaviour = Behaviour::new();
    let builder = || {
        Harness::builder()
            .agent_id("bot")
            .data_dir(place.path().join("data"))
            .high_water_mark(place.path().join("mark/log.high-water"))
            .governor(Engine::new().behaviour(&behaviour))
    };
    drop(builder().build_blocking().unwrap());
    assert_eq!(processes(place.path()), 0, "the record is closed");
    let stricter = builder().durability(Durability::PowerLoss).build_blocking().unwrap();
    // of the records that it was attached to, the one that is there takes what is stated
    let store = stricter.home().unwrap().store();
    let size = || {
        runtime().block_on(store.flush()).unwrap();
        store.reader().unwrap().head().unwrap().size()
    };
    let before = size();
    behaviour.rebaseline("bot");
    assert_eq!(size(), before + 1);
}
