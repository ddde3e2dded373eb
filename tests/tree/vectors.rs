//! Public vectors behave as they are labelled.

use std::path::Path;

use managed_agents::audit::tree::note::NoteVerifier;
use managed_agents::audit::tree::{Hash, verify_consistency, verify_inclusion};
use serde_json::Value;
use tests::vectors::{files, folder};

#[test]
fn inclusion_proofs_behave_as_labelled() {
    let Some(folder) = folder("merkle/inclusion") else {
        return;
    };
    let labels = each(&folder, |case| {
        // an empty value is no hash at all
        if [&case["leafHash"], &case["root"]].contains(&&Value::from("")) {
            return true;
        }
        let (leaf, root) = (hash(&case["leafHash"]), hash(&case["root"]));
        let (index, size) = (number(&case["leafIdx"]), number(&case["treeSize"]));
        verify_inclusion(&leaf, index, size, &hashes(&case["proof"]), &root).is_err()
    });
    assert!(labels.0 >= 6 && labels.1 >= 92, "{labels:?}");
}

#[test]
fn consistency_proofs_behave_as_labelled_and_none_begins_at_size_0() {
    let Some(folder) = folder("merkle/consistency") else {
        return;
    };
    let labels = each(&folder, |case| {
        let (old_root, new_root) = (hash(&case["root1"]), hash(&case["root2"]));
        let (old, new) = (number(&case["size1"]), number(&case["size2"]));
        let refused = verify_consistency(old, new, &hashes(&case["proof"]), &old_root, &new_root).is_err();
        assert!(old != 0 || refused, "{case}");
        refused
    });
    assert!(labels.0 >= 6 && labels.1 >= 91, "{labels:?}");
}

#[test]
fn ed25519_signatures_behave_as_labelled_on_the_way_that_notes_take() {
    let Some(folder) = folder("ed25519") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for file in files(&folder, ".json") {
        let suite: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for group in suite["testGroups"].as_array().unwrap() {
            let public = hex(&group["publicKey"]["pk"]).try_into().unwrap();
            let key = NoteVerifier::new("key", &public);
            for test in group["tests"].as_array().unwrap() {
                let holds = key
                    .as_ref()
                    .is_ok_and(|key| key.verifies(&hex(&test["msg"]), &hex(&test["sig"])));
                assert_eq!(holds, test["result"] == "valid", "{test}");
                *(if holds { &mut valid } else { &mut invalid }) += 1;
            }
        }
    }
    assert!(valid >= 88 && invalid >= 63, "{valid} valid, {invalid} invalid");
}

/// Runs every case, and counts those that are to hold and those that are to be refused.
fn each(folder: &Path, refuses: impl Fn(&Value) -> bool) -> (u32, u32) {
    let (mut hold, mut refused) = (0, 0);
    for file in files(folder, ".json") {
        let case: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let label = case["wantErr"].as_bool().unwrap();
        assert_eq!(refuses(&case), label, "{}: {case}", file.display());
        *(if label { &mut refused } else { &mut hold }) += 1;
    }
    (hold, refused)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// Some cases have values of another length, which no `Hash` can hold: filled up with zeros, equal ones stay equal.
fn hash(value: &Value) -> Hash {
    let text = value.as_str().unwrap();
    if let Ok(hash) = text.parse() {
        return hash;
    }
    let mut bytes = [0; 32];
    let len = text.len().min(32);
    bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
    Hash::new(bytes)
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().into_iter().flatten().map(hash).collect()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len() / 2)
        .map(|byte| u8::from_str_radix(&digits[2 * byte..2 * byte + 2], 16).unwrap())
        .collect()
}
