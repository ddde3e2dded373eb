//! Receipts hold for their entry, under their log's keys, and for nothing else.

use managed_agents::audit::tree::{Checkpoint, LogPolicy, Receipt, ReceiptErrorKind, prove_inclusion};

use super::{ORIGIN, entry, log_key, log_only, policy, tiles, witness_key};

pub(super) fn receipt(index: u64, size: u64) -> Receipt {
    let tiles = tiles(size);
    let head = Checkpoint::new(ORIGIN, size, tiles.root()).unwrap().sign(&log_key());
    let seen = log_only().verify(&head).unwrap();
    let mut note = head;
    note.add(witness_key().cosign(&seen, 1_800_000_000));
    Receipt::new(index, prove_inclusion(&tiles, index, size).unwrap(), note)
}

#[test]
fn a_receipt_holds_for_its_entry_alone() {
    for (index, size) in [(0, 1), (0, 2), (6, 7), (255, 257), (256, 257)] {
        let receipt = receipt(index, size);
        let read = Receipt::parse(receipt.to_string().as_bytes()).unwrap();
        assert_eq!(read, receipt);
        let verified = read.verify(&entry(index), &policy()).unwrap();
        assert_eq!((verified.size(), read.index()), (size, index));
        assert_eq!(verified.cosignatures()[0].witness(), "witness.example/w1");
        let error = read.verify(&entry(index + 1), &policy()).unwrap_err();
        assert_eq!(error.kind(), ReceiptErrorKind::NotIncluded);
    }
}

#[test]
fn a_receipt_without_its_witness_or_its_log_is_refused() {
    let full = receipt(3, 9).to_string();
    let lines: Vec<&str> = full.lines().collect();
    let without = |name: &str| {
        let kept: Vec<&str> = lines
            .iter()
            .copied()
            .filter(|line| !line.starts_with(&format!("\u{2014} {name}")))
            .collect();
        Receipt::parse(format!("{}\n", kept.join("\n")).as_bytes()).unwrap()
    };
    for receipt in [without("witness"), without("audit")] {
        let error = receipt.verify(&entry(3), &policy()).unwrap_err();
        assert_eq!(error.kind(), ReceiptErrorKind::Checkpoint);
    }
    // whoever does not ask for the witness does without
    assert!(without("witness").verify(&entry(3), &log_only()).is_ok());
    let other = LogPolicy::new("other.example", vec![log_key().verifier()]);
    assert!(receipt(3, 9).verify(&entry(3), &other).is_err());
}

#[test]
fn extra_data_is_carried_and_not_trusted() {
    let receipt = receipt(3, 9).with_extra(b"ticket 7".to_vec());
    let text = receipt.to_string();
    let read = Receipt::parse(text.as_bytes()).unwrap();
    assert_eq!(read.extra(), Some(&b"ticket 7"[..]));
    assert!(read.verify(&entry(3), &policy()).is_ok());
    assert_eq!(text.lines().nth(1), Some("extra dGlja2V0IDc="));
    assert_eq!(read.to_string(), text);
}

#[test]
fn a_receipt_has_one_form() {
    let good = receipt(3, 9).to_string();
    let hash = good.lines().nth(2).unwrap().to_owned();
    for wrong in [
        String::new(),
        good.replace("@v1", "@v2"),
        good.replace("index 3", "index 03"),
        good.replace("index 3", "index -3"),
        good.replace("index 3\n", ""),
        good.replace("index 3", "extra AA==\nextra AA==\nindex 3"),
        good.replace("index 3", "index 3\nextra AA=="),
        good.replace("index 3", "extra AA\nindex 3"),
        good.replace(&hash, &hash[1..]),
        good.replace(&hash, &format!(" {hash}")),
        good.replace(&hash, &format!("{hash}\n").repeat(65)),
        good.replacen("\n\n", "\n", 1),
        good.replacen("\n\n", "\n\n\n", 1),
        good.replace('\n', "\r\n"),
    ] {
        assert_ne!(wrong, good);
        let refused =
            Receipt::parse(wrong.as_bytes()).and_then(|receipt| receipt.verify(&entry(3), &policy()).map(|_| ()));
        assert!(refused.is_err(), "{wrong}");
    }
}
