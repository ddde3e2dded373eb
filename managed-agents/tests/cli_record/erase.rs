//! Who is erased cannot be guessed any more: not with every byte that is stored or exported, and a list of what it might have been.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use managed_agents::audit::Sequence;
use managed_agents::audit::entry::{Entry, commitment};
use managed_agents::store::{Reader, Values};
use managed_agents::{GovernanceDenied, Harness, Risk, ToolMeta, governed};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::{Place, calls};

/// Notes something about a person.
#[governed(risk = low, reversible, subject = person, target = format!("note:{word}"))]
async fn note(person: &str, word: &str) -> Result<usize, GovernanceDenied> {
    Ok(person.len() + word.len())
}

/// Pays a person, once somebody has approved.
#[governed(risk = high, irreversible, subject = person)]
async fn pay(person: &str, word: &str) -> Result<usize, GovernanceDenied> {
    Ok(person.len() + word.len())
}

/// What the attacker thinks it might have been.
const DICTIONARY: [&str; 8] = [
    "zwetschge-4711",
    "kumquat-0815",
    "rambutan-1234",
    "quitte-9999",
    "mispel-2718",
    "physalis-3141",
    "tamarillo-1618",
    "carambole-5772",
];
const SECRET: &str = DICTIONARY[2];
/// Of somebody who is not erased.
const OTHER: &str = DICTIONARY[5];
const PERSON: &str = "ann.erased@example.com";

fn every_file(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            every_file(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Everything that is stored or exported, the journal and free pages among it.
fn every_byte(place: &Place) -> Vec<u8> {
    let mut files = Vec::new();
    every_file(&place.path("."), &mut files);
    files.iter().flat_map(|file| fs::read(file).unwrap()).collect()
}

/// Whether one of the forms in which a text could stand somewhere does.
fn stands_in(bytes: &[u8], text: &str) -> bool {
    let hash: [u8; 32] = Sha256::digest(text).into();
    let json: [u8; 32] = Sha256::digest(format!("\"{text}\"")).into();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into_bytes()
    };
    let reversed: Vec<u8> = text.bytes().rev().collect();
    let forms = [
        text.as_bytes().to_vec(),
        text.to_uppercase().into_bytes(),
        hex(text.as_bytes()),
        reversed,
        hash.to_vec(),
        hex(&hash),
        json.to_vec(),
        hex(&json),
    ];
    forms
        .iter()
        .any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// Tries every 32 bytes that are anywhere as the salt of every commitment, and of the call's digest.
fn guess(bytes: &[u8], entries: &[Entry], word: &str) -> Option<String> {
    let json = format!("\"{word}\"");
    let mut wanted = HashSet::new();
    let mut digests = HashSet::new();
    let mut canonical = Vec::new();
    for entry in entries {
        for committed in entry.commitments() {
            wanted.insert(committed.committed().reveal().to_owned());
        }
        let text = |key: &str| entry.untrusted(key).map(|text| text.reveal().to_owned());
        if let (Some(digest), Some(agent), Some(tool), Some(definition)) =
            (text("digest"), text("agent"), text("tool"), text("definition"))
        {
            digests.insert(digest);
            let call = format!(
                r#"{{"v":"ma-call/1","agent":"{agent}","tool":"{tool}","definition":"{definition}","ids":{{}},"arguments":{{"person":"{PERSON}","word":{json}}}}}"#
            );
            if !canonical.contains(&call) {
                canonical.push(call);
            }
        }
    }
    assert!(!wanted.is_empty() && !canonical.is_empty());
    let places = [
        ("/arguments/word", json),
        ("/target", format!("\"note:{word}\"")),
        ("/arguments/person", format!("\"{PERSON}\"")),
    ];
    let started: Vec<Sha256> = canonical.iter().map(|call| Sha256::new().chain_update(call)).collect();
    let mut seen = HashSet::new();
    for salt in bytes.windows(32) {
        // ciphertext is noise, and the rest repeats itself
        if salt.iter().all(u8::is_ascii) || !seen.insert(<[u8; 32]>::try_from(salt).unwrap()) {
            continue;
        }
        let salt: [u8; 32] = salt.try_into().unwrap();
        for (path, value) in &places {
            let guessed = base64url(&commitment(&salt, path, value.as_bytes()));
            if wanted.contains(&guessed) {
                return Some(format!("{path} is {value}"));
            }
        }
        for call in &started {
            let digest: [u8; 32] = call.clone().chain_update(salt).finalize().into();
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            if digests.contains(&hex) {
                return Some(format!("the call is of {word}"));
            }
        }
    }
    None
}

/// The calls that waited for people, as a copy of the database alone says what they are bound to.
fn bindings(database: &Path) -> HashSet<[u8; 32]> {
    let db = rusqlite::Connection::open(database).unwrap();
    let mut select = db.prepare("SELECT binding FROM bound").unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Tries every 32 bytes that are anywhere as the key of every binding, by itself and as the data subject's part of it.
fn guess_bound(bytes: &[u8], store_key: &[u8], bindings: &HashSet<[u8; 32]>, entries: &[Entry], word: &str) -> bool {
    let hmac = |key: &[u8], parts: &[&[u8]]| -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    };
    let pays = entries
        .iter()
        .find(|entry| entry.tool().is_some_and(|tool| tool.reveal() == "pay"))
        .unwrap();
    let text = |key: &str| pays.untrusted(key).unwrap().reveal().to_owned();
    let call = format!(
        r#"{{"v":"ma-call/1","agent":"{}","tool":"pay","definition":"{}","ids":{{}},"arguments":{{"person":"{PERSON}","word":"{word}"}}}}"#,
        text("agent"),
        text("definition"),
    );
    let mut seen = HashSet::new();
    bytes
        .windows(32)
        .filter(|key| !key.iter().all(u8::is_ascii) && seen.insert(<[u8; 32]>::try_from(*key).unwrap()))
        .any(|key| {
            let made = hmac(store_key, &[b"ma-binding/1\0", key]);
            [key, &made]
                .iter()
                .any(|key| bindings.contains(&hmac(key, &[call.as_bytes()])))
        })
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let number = chunk.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(DIGITS[(number >> (18 - 6 * at) & 63) as usize]));
        }
    }
    out
}

fn export_everything(place: &Place, name: &str) {
    fs::create_dir_all(place.path(name)).unwrap();
    for format in ["jsonl", "csv", "cef", "ocsf", "otel", "tiles"] {
        let out = format!("{name}/export.{format}");
        place.run(&["audit", "export", "--format", format, "--out", &out]).ok();
    }
    for format in ["html", "md", "json", "oscal"] {
        let out = format!("{name}/report.{format}");
        place
            .run(&["report", "--framework", "hipaa", "--format", format, "--out", &out])
            .ok();
    }
    place
        .run(&["evidence", "--out", &format!("{name}/pack"), "--sample", "1000"])
        .ok();
    place.run(&["backup", &format!("{name}/backup.db")]).ok();
}

#[test]
fn nothing_that_is_stored_or_exported_confirms_a_guess_about_somebody_who_was_erased() {
    let place = Place::begun("erase");
    let store_key = || fs::read(place.path("data/tickets.key")).unwrap();
    let harness = Harness::builder()
        // where nobody listens: what is to be told waits in its queue
        .webhook(managed_agents::webhooks::Webhook::unsigned("ops", "http://127.0.0.1:9/").unwrap())
        .agent_id("bot")
        .data_dir(place.path("data"))
        .high_water_mark(place.path("mark"))
        .declare(ToolMeta::new("send").with_risk(Risk::Low).reversible())
        .build_blocking()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(harness.scope(async {
        note(PERSON, SECRET).await.unwrap();
        note("bob@example.com", OTHER).await.unwrap();
        // waits for people: a ticket is open
        pay(PERSON, SECRET).await.unwrap_err();
    }));
    calls(&harness, 1);
    export_everything(&place, "before");
    // the attack is a good one: with what the owner of the keys can open, it finds the word
    let reader = Reader::open(place.path("data")).unwrap();
    let entries = reader.entries(0, 1_000).unwrap();
    let of = |person: &str| -> Sequence {
        let decision = entries.iter().filter(|entry| entry.kind() == "decision").find(|entry| {
            let values = reader.values(Sequence::new(entry.sequence())).unwrap();
            matches!(&values, Values::Known(values) if values.iter().any(|value| value.value == format!("\"{person}\"").into_bytes()))
        });
        Sequence::new(decision.unwrap().sequence())
    };
    let (of_person, of_other) = (of(PERSON), of("bob@example.com"));
    let Values::Known(opened) = reader.values(of_person).unwrap() else {
        panic!("the values open")
    };
    for one in &opened {
        assert!(
            guess(&one.salt, &entries, SECRET).is_some(),
            "{} is not found with its salt",
            one.path
        );
    }
    let of_word = opened.iter().find(|one| one.path == "/arguments/word").unwrap();
    assert_eq!(guess(&of_word.salt, &entries, OTHER), None);
    let bound = bindings(&place.path("before/backup.db"));
    assert_eq!(bound.len(), 1);
    let keys = fs::read(place.path("data/subjects.keys")).unwrap();
    assert!(
        guess_bound(&keys, &store_key(), &bound, &entries, SECRET),
        "the call is found with the keys"
    );
    assert!(!guess_bound(&keys, &store_key(), &bound, &entries, OTHER));
    // a backup, and every export, alone are of no use already, and no byte on the disk is the word
    let mut exported = Vec::new();
    every_file(&place.path("before"), &mut exported);
    let exported: Vec<u8> = exported.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(guess(&exported, &entries, SECRET), None);
    let alone = Reader::open_files(&place.path("before/backup.db"), &place.path("no.keys")).unwrap();
    assert!(!matches!(alone.values(of_person), Ok(Values::Known(_))));

    // erased by another process, while the program still runs and holds the journal open
    place
        .run(&["erase", PERSON, "--yes", "--json"])
        .ok()
        .says("\"erased\":true");
    place
        .run(&["erase", "nobody@example.com", "--yes"])
        .ok()
        .says("Nothing is recorded");
    export_everything(&place, "after");
    let entries = reader.entries(0, 1_000).unwrap();
    assert!(entries.iter().any(|entry| entry.kind() == "erasure"));
    let bytes = every_byte(&place);
    assert!(bytes.len() > 100_000);
    for word in [SECRET, PERSON, "note:rambutan"] {
        assert!(!stands_in(&bytes, word), "{word} stands somewhere");
    }
    // the right one among the attacker's words: the others have nothing to be confirmed by
    assert!(DICTIONARY.contains(&SECRET));
    assert_eq!(guess(&bytes, &entries, SECRET), None);
    assert!(!guess_bound(&bytes, &store_key(), &bound, &entries, SECRET));
    let queued = fs::read_dir(place.path("data")).unwrap();
    let queued = queued.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("webhook"));
    assert!(queued.count() > 0, "what is to be told to others is among the bytes");

    // the log verifies, and other values still open, here and in the backup with the keys
    place.run(&["audit", "verify", "--deep"]).ok();
    assert_eq!(reader.values(of_person).unwrap(), Values::Erased);
    for reader in [
        Reader::open(place.path("data")).unwrap(),
        Reader::open_files(&place.path("before/backup.db"), &place.path("data/subjects.keys")).unwrap(),
    ] {
        let Values::Known(values) = reader.values(of_other).unwrap() else {
            panic!("the values open")
        };
        let word = values.iter().find(|value| value.path == "/arguments/word").unwrap();
        assert_eq!(word.value, format!("\"{OTHER}\"").into_bytes());
        assert!(!matches!(reader.values(of_person), Ok(Values::Known(_))));
    }
    drop(harness);
    place.run(&["audit", "verify", "--deep"]).ok();
    assert!(!stands_in(&every_byte(&place), SECRET));
}

#[test]
fn a_hold_is_begun_and_released_at_a_shell_and_stands_before_erase_and_retention() {
    let place = Place::begun("erase-holds");
    calls(&place.harness("bot"), 3);
    fs::write(
        place.path("rules.toml"),
        "[[retention]]\nolder_than = \"1s\"\ntool = \"send\"\n",
    )
    .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let run = |more: &[&str]| -> Value {
        let arguments = [&["retention", "run", "--config", "rules.toml", "--json"], more].concat();
        place.run(&arguments).ok().json().remove(0)
    };
    place
        .run(&["retention", "hold", "--subject", "bot"])
        .ok()
        .says("stands");
    assert_eq!(run(&[])["held"], 3);
    place.run(&["erase", "bot", "--yes"]).exits(1).says("hold");
    let list = place
        .run(&["retention", "list", "--config", "rules.toml", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&list[0]["would_remove"], &list[0]["held"]),
        (&Value::from(0), &Value::from(3))
    );
    let hold = list[1]["hold"].to_string();
    place
        .run(&["retention", "list", "--config", "rules.toml"])
        .ok()
        .says("every subject")
        .says("number");
    place.run(&["retention", "release", &hold]).ok().says("released");
    place.run(&["retention", "release", &hold]).exits(1);
    assert_eq!(run(&["--dry-run"])["removed"], 3);
    assert_eq!(run(&[])["removed"], 3);
    assert_eq!(run(&[])["removed"], 0);
    place.run(&["audit", "verify", "--deep"]).ok();
    place.run(&["retention", "list"]).ok().says("No rule").says("No hold");
    // without the question being answered nothing is erased
    place.run(&["erase", "bot"]).exits(1).says("nothing was erased");
    fs::write(place.path("rules.toml"), "[[retention]]\ntool = \"send\"\n").unwrap();
    place
        .run(&["retention", "run", "--config", "rules.toml"])
        .exits(1)
        .says("older_than");
}
