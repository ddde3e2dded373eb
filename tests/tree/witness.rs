//! A witness signs one history of a log.

use std::cell::Cell;

use managed_agents::audit::tree::note::{Note, NoteSigner};
use managed_agents::audit::tree::witness::{
    AddCheckpoint, Head, MemoryWitnessState, Witness, WitnessAnswer, WitnessResponse, WitnessState, read_response,
};
use managed_agents::audit::tree::{Checkpoint, Hash, MemoryTiles, leaf_hash, prove_consistency};
use proptest::prelude::*;

use super::{ORIGIN, log_key, log_only, policy, tiles, witness_key};

const NOW: u64 = 1_800_000_000;

fn witness() -> Witness<MemoryWitnessState> {
    Witness::new(witness_key(), vec![log_only()], MemoryWitnessState::new())
}

fn head(tiles: &MemoryTiles) -> Note {
    Checkpoint::new(ORIGIN, tiles.size(), tiles.root())
        .unwrap()
        .sign(&log_key())
}

fn ask<S: WitnessState>(witness: &Witness<S>, old: u64, proof: Vec<Hash>, head: &Note) -> WitnessResponse {
    witness.add_checkpoint(AddCheckpoint::new(old, proof, head.clone()).to_string().as_bytes(), NOW)
}

/// Asks with an honest proof.
fn grow(witness: &Witness<MemoryWitnessState>, old: u64, tiles: &MemoryTiles) -> WitnessResponse {
    let request = AddCheckpoint::prove(tiles, old, log_only().verify(&head(tiles)).unwrap()).unwrap();
    witness.add_checkpoint(request.to_string().as_bytes(), NOW)
}

#[test]
fn a_log_that_only_grows_is_signed_each_time() {
    let witness = witness();
    let mut old = 0;
    for size in [0, 0, 1, 1, 2, 7, 255, 256, 257, 700] {
        let tiles = tiles(size);
        let response = grow(&witness, old, &tiles);
        assert_eq!(response.status(), 200, "{}", response.body());
        let mut note = head(&tiles);
        let trusted = [witness_key().verifier()];
        match read_response(200, response.body().as_bytes(), &note, &trusted).unwrap() {
            WitnessAnswer::Cosigned(signatures) => signatures.into_iter().for_each(|one| note.add(one)),
            other => panic!("{other:?}"),
        }
        assert_eq!(policy().verify(&note).unwrap().cosignatures()[0].time(), NOW);
        old = size;
    }
}

#[test]
fn a_stale_size_is_answered_with_the_size_that_was_signed() {
    let witness = witness();
    assert_eq!(grow(&witness, 0, &tiles(5)).status(), 200);
    for old in [0, 1, 4, 6, 9] {
        let response = grow(&witness, old, &tiles(9));
        assert_eq!((response.status(), response.body()), (409, "5\n"), "{old}");
        assert_eq!(response.content_type(), "text/x.tlog.size");
        let answer = read_response(409, response.body().as_bytes(), &head(&tiles(9)), &[]).unwrap();
        assert_eq!(answer, WitnessAnswer::Stale { size: 5 });
    }
    assert_eq!(grow(&witness, 5, &tiles(9)).status(), 200);
}

#[test]
fn each_refusal_has_its_status() {
    let witness = witness();
    let five = tiles(5);
    assert_eq!(grow(&witness, 0, &five).status(), 200);
    let nine = tiles(9);
    let proof = prove_consistency(&nine, 5, 9).unwrap();

    assert_eq!(witness.add_checkpoint(b"", NOW).status(), 400);
    assert_eq!(witness.add_checkpoint(b"old 5\n\n", NOW).status(), 400);
    assert_eq!(ask(&witness, 5, vec![Hash::EMPTY_TREE; 64], &head(&nine)).status(), 400);
    assert_eq!(
        ask(&witness, 6, Vec::new(), &head(&five)).status(),
        400,
        "older than what it is said to grow from"
    );

    let unknown = Checkpoint::new("other.example", 9, nine.root())
        .unwrap()
        .sign(&log_key());
    assert_eq!(ask(&witness, 5, proof.clone(), &unknown).status(), 404);

    let thief = NoteSigner::from_seed(ORIGIN, &[9; 32]).unwrap();
    let forged = Checkpoint::new(ORIGIN, 9, nine.root()).unwrap().sign(&thief);
    assert_eq!(ask(&witness, 5, proof.clone(), &forged).status(), 403);

    for wrong in [Vec::new(), proof[1..].to_vec(), [&proof[..], &proof[..1]].concat()] {
        assert_eq!(ask(&witness, 5, wrong, &head(&nine)).status(), 422);
    }
    assert_eq!(ask(&witness, 5, proof, &head(&nine)).status(), 200);
}

#[test]
fn a_first_request_has_no_proof() {
    let response = ask(&witness(), 0, vec![Hash::EMPTY_TREE], &head(&tiles(5)));
    assert_eq!(response.status(), 422);
}

#[test]
fn another_history_is_not_signed() {
    let witness = witness();
    assert_eq!(grow(&witness, 0, &tiles(5)).status(), 200);
    let mut rewritten = MemoryTiles::new();
    for number in 0..5 {
        rewritten.push(leaf_hash(format!("rewritten {number}").as_bytes()));
    }
    let same_size = grow(&witness, 5, &rewritten);
    assert_eq!(same_size.status(), 409);
    // it is no stale size: asking again does not help
    assert!(read_response(409, same_size.body().as_bytes(), &head(&rewritten), &[]).is_err());
    rewritten.push(leaf_hash(b"more"));
    assert_eq!(grow(&witness, 5, &rewritten).status(), 422);
    assert_eq!(grow(&witness, 5, &tiles(6)).status(), 200);
}

/// As if another request came between reading and writing.
struct Raced<'a> {
    inner: &'a MemoryWitnessState,
    between: Cell<Option<Head>>,
}

impl WitnessState for Raced<'_> {
    type Error = std::convert::Infallible;

    fn last(&self, origin: &str) -> Result<Option<Head>, Self::Error> {
        let last = self.inner.last(origin)?;
        if let Some(other) = self.between.take() {
            assert!(self.inner.advance(origin, last, other)?);
        }
        Ok(last)
    }

    fn advance(&self, origin: &str, from: Option<Head>, to: Head) -> Result<bool, Self::Error> {
        self.inner.advance(origin, from, to)
    }
}

#[test]
fn of_two_requests_at_once_one_is_signed() {
    let inner = MemoryWitnessState::new();
    let seven = tiles(7);
    let between = Cell::new(Some(Head::new(7, seven.root())));
    let witness = Witness::new(witness_key(), vec![log_only()], Raced { inner: &inner, between });
    let response = ask(&witness, 0, Vec::new(), &head(&tiles(5)));
    assert_eq!((response.status(), response.body()), (409, "7\n"));
    assert_eq!(inner.last(ORIGIN).unwrap(), Some(Head::new(7, seven.root())));
}

/// A memory that fails.
struct Broken {
    reads: bool,
}

impl WitnessState for Broken {
    type Error = &'static str;

    fn last(&self, _: &str) -> Result<Option<Head>, &'static str> {
        if self.reads { Ok(None) } else { Err("broken") }
    }

    fn advance(&self, _: &str, _: Option<Head>, _: Head) -> Result<bool, &'static str> {
        Err("broken")
    }
}

#[test]
fn what_cannot_be_remembered_is_not_signed() {
    for reads in [false, true] {
        let witness = Witness::new(witness_key(), vec![log_only()], Broken { reads });
        let response = ask(&witness, 0, Vec::new(), &head(&tiles(5)));
        assert_eq!((response.status(), response.body()), (500, "broken\n"));
    }
}

#[test]
fn a_log_takes_no_answer_that_does_not_fit_its_checkpoint() {
    let witness = witness();
    let (five, six) = (head(&tiles(5)), head(&tiles(6)));
    let response = grow(&witness, 0, &tiles(5));
    let trusted = [witness_key().verifier()];
    let read = |status, body: &str, note| read_response(status, body.as_bytes(), note, &trusted);
    assert!(read(200, response.body(), &five).is_ok());
    assert!(read(200, response.body(), &six).is_err());
    assert!(read(200, "", &five).is_err());
    assert!(read(200, response.body().trim_end(), &five).is_err());
    assert!(read_response(200, response.body().as_bytes(), &five, &[]).is_err());
    // the log's own key is no witness
    let own = format!("{}\n", five.signatures()[0]);
    assert!(read_response(200, own.as_bytes(), &five, &[log_key().verifier()]).is_err());
    // signatures of others are passed over
    let other = NoteSigner::from_seed("other.example", &[3; 32]).unwrap();
    let with_other = format!("{}\n{}", other.sign(&five), response.body());
    assert!(matches!(read(200, &with_other, &five), Ok(WitnessAnswer::Cosigned(kept)) if kept.len() == 1));
    for status in [0, 204, 400, 403, 404, 422, 500] {
        assert_eq!(read(status, response.body(), &five).unwrap_err().status(), status);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two histories that part after some entries, shown to one witness in any order: what it signs is one of them.
    #[test]
    fn of_two_histories_one_is_signed(parts_at in 1..30_u64, shown in prop::collection::vec((any::<bool>(), 1..60_u64), 1..24)) {
        let history = |which: bool, size: u64| {
            let mut tiles = MemoryTiles::new();
            for number in 0..size {
                let own = which && number >= parts_at;
                tiles.push(leaf_hash(format!("{own} {number}").as_bytes()));
            }
            tiles
        };
        let state = MemoryWitnessState::new();
        let witness = Witness::new(witness_key(), vec![log_only()], &state);
        let mut signed: Vec<(bool, u64)> = Vec::new();
        for (which, size) in shown {
            let tiles = history(which, size);
            let old = state.last(ORIGIN).unwrap().map_or(0, |head| head.size());
            let proof = if old == 0 { Ok(Vec::new()) } else { prove_consistency(&tiles, old, size) };
            let response = ask(&witness, old, proof.unwrap_or_default(), &head(&tiles));
            let parted = |size| size > parts_at;
            let consistent = signed.iter().all(|(earlier, at)| *at <= size && (*earlier == which || !parted(*at)));
            prop_assert_eq!(response.status() == 200, consistent, "{:?} then {:?}: {}", signed, (which, size), response.body());
            if consistent {
                signed.push((which, size));
            }
        }
    }
}
