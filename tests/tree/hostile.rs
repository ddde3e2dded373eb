//! No bytes make a reader panic; what is read is written again as it was; one changed bit is refused.

use std::sync::LazyLock;

use managed_agents::audit::tree::note::{Note, NoteVerifier};
use managed_agents::audit::tree::witness::{AddCheckpoint, MemoryWitnessState, Witness, read_response};
use managed_agents::audit::tree::{
    Checkpoint, EntryBundle, Frontier, Hash, Receipt, TilePath, decode_tile, encode_tile, leaf_hash, prove_consistency,
    prove_inclusion, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use super::receipts::receipt;
use super::{entry, flips, leaves, log_key, log_only, policy, tiles, witness_key};

/// Gives bytes to every reader; whatever one accepts has this one form.
fn read_all(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        let _ = log_only().verify(&note);
        let _ = policy().verify(&note);
        let _ = read_response(200, bytes, &note, &[witness_key().verifier()]);
    }
    if let Ok(receipt) = Receipt::parse(bytes) {
        assert_eq!(receipt.to_string().as_bytes(), bytes);
        let _ = receipt.verify(b"entry", &policy());
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    let witness = Witness::new(witness_key(), vec![log_only()], MemoryWitnessState::new());
    assert!(witness.add_checkpoint(bytes, 0).status() < 500);
    let note = Note::new("text\n").unwrap();
    for status in [200, 400, 409] {
        let _ = read_response(status, bytes, &note, &[witness_key().verifier()]);
    }
    if let Ok(frontier) = Frontier::from_bytes(bytes) {
        assert_eq!(frontier.to_bytes(), bytes);
        let mut grown = frontier;
        grown.push(leaf_hash(b"x"));
        let _ = grown.root();
    }
    for width in [0, 1, 2, 5, 255, 256, 257, u16::MAX] {
        if let Ok(hashes) = decode_tile(bytes, width) {
            assert_eq!(encode_tile(&hashes), bytes);
        }
        if let Ok(entries) = EntryBundle::decode(bytes, width) {
            let mut bundle = EntryBundle::new();
            entries.iter().for_each(|entry| bundle.push(entry).unwrap());
            assert_eq!(bundle.as_bytes(), bytes);
        }
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text);
    }
    if let Ok(key) = text.parse::<NoteVerifier>() {
        assert_eq!(key.to_string(), text);
    }
    if let Ok(hash) = text.parse::<Hash>() {
        assert_eq!(hash.to_string(), text);
    }
}

/// Files of every form, to be changed at random.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let receipt = receipt(3, 9);
    let note = receipt.checkpoint().clone();
    let request = AddCheckpoint::new(4, prove_consistency(&tiles(9), 4, 9).unwrap(), note.clone());
    let mut bundle = EntryBundle::new();
    (0..5).for_each(|number| bundle.push(&entry(number)).unwrap());
    let mut frontier = Frontier::new();
    leaves(13).into_iter().for_each(|leaf| frontier.push(leaf));
    vec![
        receipt.to_string().into_bytes(),
        receipt.with_extra(vec![1, 2, 3]).to_string().into_bytes(),
        request.to_string().into_bytes(),
        note.text().as_bytes().to_vec(),
        note.signatures()[1].to_string().into_bytes(),
        note.to_string().into_bytes(),
        encode_tile(&leaves(5)),
        bundle.as_bytes().to_vec(),
        frontier.to_bytes(),
        b"tile/0/x001/x234/067.p/5".to_vec(),
        log_key().verifier().to_string().into_bytes(),
        witness_key().verifier().to_string().into_bytes(),
        leaf_hash(b"").to_string().into_bytes(),
    ]
});

#[test]
fn every_form_is_read_as_it_was_written() {
    SEEDS.iter().for_each(|seed| read_all(seed));
}

#[test]
fn no_file_that_is_cut_short_makes_a_reader_panic() {
    for seed in SEEDS.iter() {
        for len in 0..seed.len() {
            read_all(&seed[..len]);
        }
    }
}

/// Every bit, but of hashes and signatures, which are long and slow to check, one bit of every character.
fn file_flips(file: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let long: Vec<bool> = file
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| vec![line.len() > 40; line.len()])
        .collect();
    flips(file).filter(move |(bit, _)| !long[bit / 8] || bit % 8 == bit / 8 % 8)
}

#[test]
fn a_receipt_with_one_changed_bit_is_refused() {
    let receipt = receipt(3, 9).to_string().into_bytes();
    let holds = |bytes: &[u8]| Receipt::parse(bytes).is_ok_and(|receipt| receipt.verify(&entry(3), &policy()).is_ok());
    assert!(holds(&receipt));
    for (bit, flipped) in file_flips(&receipt) {
        assert!(!holds(&flipped), "bit {bit}: {}", String::from_utf8_lossy(&flipped));
    }
}

#[test]
fn a_checkpoint_with_one_changed_bit_is_refused() {
    let note = receipt(3, 9).checkpoint().to_string().into_bytes();
    let holds = |bytes: &[u8]| Note::parse(bytes).is_ok_and(|note| policy().verify(&note).is_ok());
    assert!(holds(&note));
    for (bit, flipped) in file_flips(&note) {
        assert!(!holds(&flipped), "bit {bit}: {}", String::from_utf8_lossy(&flipped));
    }
}

#[test]
fn a_proof_with_one_changed_bit_or_one_hash_too_few_or_too_many_is_refused() {
    for size in [2, 3, 7, 8, 255, 256, 257] {
        let tiles = tiles(size);
        let all = leaves(size);
        for place in [0, 1, size / 2, size - 1] {
            let proof = prove_inclusion(&tiles, place, size).unwrap();
            let leaf = &all[place as usize];
            refused(&proof, |proof| {
                verify_inclusion(leaf, place, size, proof, &tiles.root()).is_ok()
            });
            let from = place.max(1);
            let old = super::tiles(from).root();
            let proof = prove_consistency(&tiles, from, size).unwrap();
            refused(&proof, |proof| {
                verify_consistency(from, size, proof, &old, &tiles.root()).is_ok()
            });
        }
    }
}

fn refused(proof: &[Hash], holds: impl Fn(&[Hash]) -> bool) {
    assert!(holds(proof));
    for (bit, flipped) in flips(&encode_tile(proof)) {
        let (hashes, _) = flipped.as_chunks();
        let hashes: Vec<Hash> = hashes.iter().copied().map(Hash::new).collect();
        assert!(!holds(&hashes), "bit {bit}");
    }
    for missing in 0..proof.len() {
        let mut shorter = proof.to_vec();
        shorter.remove(missing);
        assert!(!holds(&shorter));
    }
    for place in 0..=proof.len() {
        for extra in [leaf_hash(b"x"), Hash::EMPTY_TREE] {
            let mut longer = proof.to_vec();
            longer.insert(place, extra);
            assert!(!holds(&longer));
        }
    }
    for place in 1..proof.len() {
        let mut swapped = proof.to_vec();
        swapped.swap(place - 1, place);
        assert!(!holds(&swapped));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        read_all(&bytes);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "(old |index |extra |— |tile/|\n|\n\n|[0-9a-zA-Z+/=x.]{0,50}| |\\PC){0,40}") {
        read_all(text.as_bytes());
    }

    #[test]
    fn no_changed_file_makes_a_reader_panic(which in any::<prop::sample::Index>(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..4)), 1..4)) {
        let mut bytes = which.get(&SEEDS).clone();
        for (a, b, put) in edits {
            let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
            let range = a.min(b)..a.max(b).min(a.min(b) + 40);
            bytes.splice(range, put);
        }
        read_all(&bytes);
    }
}
