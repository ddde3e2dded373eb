//! Each form has one text for one value.

use managed_agents::audit::tree::note::{Note, NoteErrorKind, NoteVerifier};
use managed_agents::audit::tree::{
    Checkpoint, CheckpointErrorKind, EntryBundle, Frontier, Hash, LogPolicy, TilePath, decode_tile, encode_tile,
};

use super::{ORIGIN, leaves, log_key, log_only, policy, tiles, witness_key};

#[test]
fn paths_of_tiles_have_one_form() {
    for (path, level, index, width) in [
        ("tile/0/000", Some(0), 0, 256),
        ("tile/0/x001/x234/067", Some(0), 1_234_067, 256),
        ("tile/63/999.p/1", Some(63), 999, 1),
        ("tile/1/x001/000.p/255", Some(1), 1000, 255),
        ("tile/entries/x070/000.p/5", None, 70_000, 5),
        ("tile/0/x018/x446/x744/x073/x709/x551/615", Some(0), u64::MAX, 256),
    ] {
        let read: TilePath = path.parse().unwrap();
        assert_eq!((read.level(), read.index(), read.width()), (level, index, width));
        assert_eq!(read.to_string(), path);
    }
    for path in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/001/x000",
        "tile/0/001/000",
        "tile/0/+01",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/x/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p/5/",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/../000",
        "tile/0/٠٠٠",
    ] {
        assert!(path.parse::<TilePath>().is_err(), "{path}");
    }
}

#[test]
fn a_tile_has_exactly_its_width() {
    let hashes = leaves(5);
    let bytes = encode_tile(&hashes);
    assert_eq!(bytes.len(), 160);
    assert_eq!(decode_tile(&bytes, 5).unwrap(), hashes);
    for (bytes, width) in [
        (&bytes[..], 4),
        (&bytes[..], 6),
        (&bytes[..159], 5),
        (&bytes[..0], 0),
        (&bytes[1..], 5),
    ] {
        assert!(decode_tile(bytes, width).is_err());
    }
    assert!(decode_tile(&vec![0; 257 * 32], 257).is_err());
}

#[test]
fn a_bundle_has_room_for_256_entries_of_65535_bytes() {
    let mut bundle = EntryBundle::new();
    assert!(bundle.push(&vec![b'x'; 65_536]).is_err());
    bundle.push(&vec![b'x'; 65_535]).unwrap();
    for _ in 1..256 {
        bundle.push(b"").unwrap();
    }
    assert!(bundle.push(b"").is_err());
    let entries = EntryBundle::decode(bundle.as_bytes(), 256).unwrap();
    assert_eq!((entries.len(), entries[0].len(), entries[255].len()), (256, 65_535, 0));
    assert!(EntryBundle::decode(bundle.as_bytes(), 255).is_err());
    assert!(EntryBundle::decode(&bundle.as_bytes()[..bundle.as_bytes().len() - 1], 256).is_err());
}

#[test]
fn the_stored_edge_has_as_many_hashes_as_its_size_calls_for() {
    let mut bytes = 3_u64.to_be_bytes().to_vec();
    bytes.extend([7; 64]);
    assert_eq!(Frontier::from_bytes(&bytes).unwrap().size(), 3);
    assert!(Frontier::from_bytes(&bytes[..71]).is_err());
    assert!(Frontier::from_bytes(&bytes[..40]).is_err());
    bytes[7] = 4;
    assert!(Frontier::from_bytes(&bytes).is_err());
    for size in [1 << 63, u64::MAX] {
        let full = [&size.to_be_bytes()[..], &vec![0; size.count_ones() as usize * 32]].concat();
        assert!(Frontier::from_bytes(&full).is_err());
    }
}

#[test]
fn a_verifier_key_has_a_checksum_over_its_name() {
    let key = log_key().verifier();
    assert_eq!(key.to_string().parse::<NoteVerifier>().unwrap(), key);
    let witness = witness_key().verifier();
    assert_eq!(witness.to_string().parse::<NoteVerifier>().unwrap(), witness);
    for wrong in [
        key.to_string().replace("audit", "adit"),
        key.to_string().replace('+', " "),
        key.to_string().to_uppercase(),
        format!("{key}="),
        format!(" {key}"),
        "a+00000000+".to_owned(),
        String::new(),
    ] {
        assert!(wrong.parse::<NoteVerifier>().is_err(), "{wrong}");
    }
    for name in ["", "a b", "a+b", "a\u{2003}b", "a\nb", "a\0"] {
        assert!(NoteVerifier::new(name, &key.public()).is_err(), "{name:?}");
    }
    // the same bytes under another name or for another purpose are another key
    assert_ne!(NoteVerifier::cosigner(ORIGIN, &key.public()).unwrap().id(), key.id());
    assert_ne!(NoteVerifier::new("other", &key.public()).unwrap().id(), key.id());
}

#[test]
fn a_private_key_is_not_shown() {
    let seed = [0xa7; 32];
    let key = managed_agents::audit::tree::note::NoteSigner::from_seed("log", &seed).unwrap();
    let witness = managed_agents::audit::tree::note::Cosigner::from_seed("log", &seed).unwrap();
    for shown in [format!("{key:?}"), format!("{witness:?}")] {
        assert!(
            !shown.contains("a7a7") && !shown.contains("167, 167") && shown.contains("log+"),
            "{shown}"
        );
    }
}

#[test]
fn a_note_that_is_none_is_refused() {
    let good = Checkpoint::new(ORIGIN, 0, Hash::EMPTY_TREE)
        .unwrap()
        .sign(&log_key())
        .to_string();
    let line = good.lines().last().unwrap();
    for wrong in [
        String::new(),
        "\n".to_owned(),
        "\n\n".to_owned(),
        "text\n\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "-"),
        good.replace("\u{2014} ", "\u{2014}  "),
        good.replace('\n', "\r\n"),
        format!("{good}\n"),
        format!("{good}{line}"),
        format!("{good}\u{2014} other AAAA\n"),
        format!("{good}\u{2014} a+b AAAAAAA=\n"),
        format!("{good}\u{2014} a\tb AAAAAAA=\n"),
        format!("\0{good}"),
        format!("{good}{}", format!("\u{2014} other {}\n", "AAAAAAA=").repeat(100)),
    ] {
        let error = Note::parse(wrong.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), NoteErrorKind::Malformed, "{wrong:?}");
    }
    assert!(Note::parse(&vec![b'x'; Note::MAX_LEN + 1]).is_err());
    assert!(Note::parse(&[good.as_bytes(), b"\xff"].concat()).is_err());
    assert!(Note::new("no newline").is_err());
    assert!(Note::new("a\tb\n").is_err());
}

#[test]
fn a_note_with_16_unknown_signatures_is_read_and_they_are_passed_over() {
    let mut note = Note::new("text\n").unwrap();
    for number in 0..16 {
        let key =
            managed_agents::audit::tree::note::NoteSigner::from_seed(&format!("k{number}"), &[number; 32]).unwrap();
        note.add(key.sign(&note));
    }
    note.add(log_key().sign(&note));
    let read = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.verify(&[log_key().verifier()]).unwrap().len(), 1);
    let unknown = managed_agents::audit::tree::note::NoteSigner::from_seed("other", &[99; 32]).unwrap();
    assert_eq!(
        read.verify(&[unknown.verifier()]).unwrap_err().kind(),
        NoteErrorKind::NotSigned
    );
    assert_eq!(read.verify(&[]).unwrap_err().kind(), NoteErrorKind::NotSigned);
}

#[test]
fn an_empty_line_in_the_text_belongs_to_the_text() {
    let mut note = Note::new("a\n\nb\n").unwrap();
    note.add(log_key().sign(&note));
    assert_eq!(Note::parse(note.to_string().as_bytes()).unwrap().text(), "a\n\nb\n");
}

#[test]
fn a_signature_replaces_an_earlier_one_by_the_same_key() {
    let seen = log_only()
        .verify(&Checkpoint::new(ORIGIN, 0, Hash::EMPTY_TREE).unwrap().sign(&log_key()))
        .unwrap();
    let mut note = seen.note().clone();
    note.add(witness_key().cosign(&seen, 5));
    note.add(witness_key().cosign(&seen, 9));
    assert_eq!(note.signatures().len(), 2);
    assert_eq!(policy().verify(&note).unwrap().cosignatures()[0].time(), 9);
}

#[test]
fn a_checkpoint_text_has_one_form() {
    let root = tiles(3).root();
    let text = Checkpoint::new(ORIGIN, 3, root).unwrap().to_string();
    assert_eq!(text, format!("{ORIGIN}\n3\n{root}\n"));
    let extended = format!("{text}more\n");
    assert_eq!(Checkpoint::parse_text(&extended).unwrap().extensions(), ["more"]);
    assert_eq!(Checkpoint::parse_text(&extended).unwrap().to_string(), extended);
    for wrong in [
        String::new(),
        text.trim_end().to_owned(),
        text.replace(ORIGIN, ""),
        text.replace("\n3\n", "\n03\n"),
        text.replace("\n3\n", "\n+3\n"),
        text.replace("\n3\n", "\n-3\n"),
        text.replace("\n3\n", "\n\n"),
        text.replace("\n3\n", "\n0\n"),
        text.replace("=\n", "\n"),
        format!("{text}\n"),
        format!("{text}more"),
        format!("{text}\nmore\n"),
    ] {
        let error = Checkpoint::parse_text(&wrong).unwrap_err();
        assert_eq!(error.kind(), CheckpointErrorKind::Malformed, "{wrong:?}");
    }
    assert!(Checkpoint::new("", 3, root).is_err());
    assert!(Checkpoint::new("a\nb", 3, root).is_err());
    assert!(Checkpoint::new(ORIGIN, 0, root).is_err());
}

#[test]
fn a_checkpoint_of_another_log_is_refused_though_the_key_is_the_same() {
    let other = Checkpoint::new("other.example", 0, Hash::EMPTY_TREE)
        .unwrap()
        .sign(&log_key());
    assert_eq!(
        log_only().verify(&other).unwrap_err().kind(),
        CheckpointErrorKind::OtherLog
    );
}

#[test]
fn a_key_counts_only_for_what_it_is() {
    let head = Checkpoint::new(ORIGIN, 0, Hash::EMPTY_TREE).unwrap().sign(&log_key());
    // a witness's key is no log's, and a log's no witness's
    let as_log = LogPolicy::new(ORIGIN, vec![witness_key().verifier()]);
    assert_eq!(as_log.verify(&head).unwrap_err().kind(), CheckpointErrorKind::NotSigned);
    let as_witness = log_only().witnesses(vec![log_key().verifier()], 1);
    assert_eq!(
        as_witness.verify(&head).unwrap_err().kind(),
        CheckpointErrorKind::TooFewWitnesses
    );
}

#[test]
fn one_witness_under_two_names_counts_once() {
    let head = Checkpoint::new(ORIGIN, 0, Hash::EMPTY_TREE).unwrap().sign(&log_key());
    let seen = log_only().verify(&head).unwrap();
    let twin = managed_agents::audit::tree::note::Cosigner::from_seed("twin.example", &[2; 32]).unwrap();
    let mut note = head;
    note.add(witness_key().cosign(&seen, 1));
    note.add(twin.cosign(&seen, 1));
    let two = log_only().witnesses(vec![witness_key().verifier(), twin.verifier()], 2);
    assert_eq!(
        two.verify(&note).unwrap_err().kind(),
        CheckpointErrorKind::TooFewWitnesses
    );
}
