//! The durable record: what it keeps, what it refuses, what it notices.
#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod support;

use support::Place;

#[test]
fn a_smoke() {
    let place = Place::new("smoke");
    let store = place.open();
    let t = std::time::Instant::now();
    support::calls(&store, "bot", 1000);
    println!("{:?}", t.elapsed());
    drop(store);
    let _ = place.open();
}
