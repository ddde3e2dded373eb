//! Every export can be parsed, and no name from outside reaches a terminal, a table or a file as anything but text.

use std::fs;
use std::path::Path;
use std::process::Command;

use managed_agents::audit::tree::LogPolicy;
use managed_agents::audit::tree::note::Note;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Place, call, calls};

#[test]
fn every_format_can_be_parsed_and_holds_every_entry() {
    let place = Place::begun("formats");
    calls(&place.harness("bot"), 5);
    let size = place.run(&["audit", "verify", "--json"]).ok().json()[0]["size"]
        .as_u64()
        .unwrap();
    let size = usize::try_from(size).unwrap();
    let export = |format: &str| place.run(&["audit", "export", "--format", format]).ok();

    let jsonl = export("jsonl").json();
    let places: Vec<_> = jsonl.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(places, (0..size as u64).collect::<Vec<_>>());
    let csv = export("csv").out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap().get(0), Some("seq"));
    assert_eq!(reader.records().map(Result::unwrap).count(), size);
    let cef = export("cef").out;
    assert_eq!(
        cef.lines()
            .filter(|line| line.starts_with("CEF:0|managed-agents|"))
            .count(),
        size
    );
    let ocsf = export("ocsf").json();
    assert_eq!(ocsf.iter().filter(|event| event["class_uid"] == 6003).count(), size);
    let otel = export("otel").json();
    assert!(otel.iter().all(|request| request["resourceSpans"].is_array()) && otel.len() >= 5);

    // in a file, filtered; what is there is not overwritten
    let arguments = [
        "audit",
        "export",
        "--format",
        "jsonl",
        "--type",
        "outcome",
        "--out",
        "outcomes.jsonl",
    ];
    place.run(&arguments).ok().says("5 entries");
    assert_eq!(
        place
            .read("outcomes.jsonl")
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        5
    );
    place.run(&arguments).exits(1).says("there already");
    place
        .run(&["audit", "export", "--format", "tiles"])
        .exits(1)
        .says("--out");
    let none = place
        .run(&["audit", "export", "--format", "jsonl", "--until", "2020-01-01"])
        .ok();
    assert_eq!(none.out, "");
}

#[test]
fn tiles_are_the_log_again_and_go_on_where_they_ended() {
    let place = Place::begun("tiles");
    let harness = place.harness("bot");
    calls(&harness, 200);
    let export = || place.run(&["audit", "export", "--format", "tiles", "--out", "tiles"]);
    let check = || {
        let key = place.run(&["audit", "checkpoint", "--key"]).ok().out;
        let policy = LogPolicy::new("test.example/log", vec![key.trim().parse().unwrap()]);
        let head = policy
            .verify(&Note::parse(&place.read("tiles/checkpoint")).unwrap())
            .unwrap();
        let entries = entries(&place.path("tiles"), head.size());
        assert_eq!(root(&entries), *head.checkpoint().root().as_bytes());
        for (seq, entry) in entries.iter().enumerate() {
            let entry: Value = serde_json::from_slice(entry).unwrap();
            assert_eq!(entry["seq"], json!(seq));
        }
        head.size()
    };
    export().ok();
    let first = check();
    assert!(first > 256, "{first}");
    export().ok().says("0 files written");
    // cut off, and damaged
    fs::remove_file(place.path("tiles/tile/0/000")).unwrap();
    fs::write(place.path("tiles/tile/entries/000"), "half").unwrap();
    calls(&harness, 100);
    export().ok();
    assert!(check() > first);
    assert_eq!(place.read("tiles/tile/0/000").len(), 256 * 32);

    // a directory of another log is left alone
    let other = Place::begun("tiles-other");
    calls(&other.harness("bot"), 200);
    let tiles = place.path("tiles");
    other
        .run(&["audit", "export", "--format", "tiles", "--out", tiles.to_str().unwrap()])
        .exits(1)
        .says("another history");
    check();
}

#[test]
fn an_auditor_checks_static_files_with_the_log_s_key_alone() {
    let place = Place::begun("static");
    calls(&place.harness("support-bot"), 140);
    place
        .run(&["audit", "export", "--format", "tiles", "--out", "tiles"])
        .ok();
    let key = place.run(&["audit", "checkpoint", "--key"]).ok().out;
    // no record, and no data directory
    fs::rename(place.path("data"), place.path("elsewhere")).unwrap();
    let verify = |more: &[&str]| {
        let arguments = ["audit", "verify", "--tiles", "tiles", "--key", key.trim()];
        place.run(&[&arguments[..], more].concat())
    };
    verify(&[]).ok().says("Every record is as it was signed.");
    place
        .run(&["audit", "verify", "--tiles", "tiles"])
        .exits(1)
        .says("--key");
    for (file, record) in [
        ("tile/entries/000", Some(0)),
        ("tile/0/000", Some(3)),
        ("checkpoint", None),
    ] {
        let path = place.path("tiles").join(file);
        let bytes = fs::read(&path).unwrap();
        let mut changed = bytes.clone();
        changed[if file == "tile/0/000" { 100 } else { 30 }] ^= 1;
        fs::write(&path, changed).unwrap();
        let line = &verify(&["--json"]).exits(2).json()[0];
        assert_eq!(line["first_bad_record"], json!(record), "{file}");
        assert_eq!(line["problems"][0]["file"], json!(file));
        verify(&[]).exits(2);
        fs::write(&path, bytes).unwrap();
    }
    // a log that is another's, whoever wrote its files
    let other = Place::begun("static-other");
    let theirs = other.run(&["audit", "checkpoint", "--key"]).ok().out;
    place
        .run(&["audit", "verify", "--tiles", "tiles", "--key", theirs.trim()])
        .exits(2);
}

/// The entries of the bundles, read by hand.
fn entries(tiles: &Path, size: u64) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    for bundle in 0..size.div_ceil(256) {
        let width = (size - bundle * 256).min(256);
        let name = match width {
            256 => format!("{bundle:03}"),
            width => format!("{bundle:03}.p/{width}"),
        };
        let bytes = fs::read(tiles.join("tile/entries").join(name)).unwrap();
        let mut rest = &bytes[..];
        while let Some((len, after)) = rest.split_first_chunk() {
            let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*len)));
            entries.push(entry.to_vec());
            rest = after;
        }
    }
    assert_eq!(entries.len() as u64, size);
    entries
}

/// RFC 6962, section 2.1, as it is written there.
fn root(entries: &[Vec<u8>]) -> [u8; 32] {
    match entries {
        [] => Sha256::digest([]).into(),
        [entry] => Sha256::new().chain_update([0]).chain_update(entry).finalize().into(),
        entries => {
            let half = entries.len().next_power_of_two() / 2;
            let (left, right) = entries.split_at(half);
            let node = Sha256::new().chain_update([1]).chain_update(root(left));
            node.chain_update(root(right)).finalize().into()
        }
    }
}

#[test]
fn a_hostile_name_is_text_in_every_table_and_every_sentence() {
    let place = Place::begun("hostile");
    let harness = place.harness("bot");
    let names = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "a\nerror: all is well\r| 9 | fine |",
        "\u{202e}gnp.exe\u{2066}",
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "zero\u{200b}width\u{feff}\u{e0041}",
        "|--|--|",
    ];
    for name in names {
        // what cannot be called is recorded all the same, or refused before there is anything to record
        let _ = call(&harness, name, name, &json!({ name: name }));
    }
    let entries = place.run(&["audit", "list", "--type", "decision", "--json"]).ok();
    assert!(entries.json().len() > names.len() / 2, "{}", entries.out);
    let table = place.run(&["audit", "list"]).ok();
    let columns = |line: &str| line.matches('|').count();
    let first = table.out.lines().next().unwrap();
    assert!(
        table.out.lines().all(|line| columns(line) == columns(first)),
        "{}",
        table.out
    );
    let mut shown = vec![entries, table];
    let size = place.run(&["audit", "verify", "--json"]).ok().json()[0]["size"]
        .as_u64()
        .unwrap();
    for seq in 0..size {
        shown.push(place.run(&["audit", "show", &seq.to_string(), "--reveal"]).ok());
    }
    for name in names {
        shown.push(place.run(&["audit", "show", name]));
        shown.push(place.run(&["audit", "list", "--tool", name]).ok());
        shown.push(place.run(&["agent", "show", name]).exits(1));
        shown.push(place.run(&["agent", "register", name]).exits(1));
        shown.push(place.run(&["agent", "suspend", name]).exits(1));
        shown.push(place.run(&["audit", "export", "--format", "cef", "--tool", name]).ok());
    }
    for run in shown {
        for c in format!("{}{}", run.out, run.err).chars() {
            let obeyed = c != '\n'
                && (c.is_control()
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'));
            assert!(!obeyed, "{c:?} in {}{}", run.out, run.err);
        }
        assert!(
            !run.out.lines().any(|line| line.starts_with("error: all is well")),
            "{}",
            run.out
        );
    }
}

/// A block of code of the guide.
fn recipe(language: &str) -> String {
    let guide = include_str!("../../../docs/record.md");
    let (_, rest) = guide.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_guide_s_recipes_check_an_export_without_this_program() {
    let place = Place::begun("recipes");
    calls(&place.harness("bot"), 200);
    place
        .run(&["audit", "export", "--format", "tiles", "--out", "tiles"])
        .ok();
    let key = place.run(&["audit", "checkpoint", "--key"]).ok().out;
    let key = key.trim();
    fs::write(place.path("audit.sh"), recipe("sh")).unwrap();
    fs::write(place.path("audit.go"), recipe("go")).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(place.path("")).env("KEY", key);
        command.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode");
        command
            .env("GOCACHE", concat!(env!("CARGO_TARGET_TMPDIR"), "/go-cache"))
            .env("GOFLAGS", "");
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let there = |program: &str| Command::new(program).arg("version").output().is_ok();
    let with_openssl = cfg!(unix) && there("openssl");
    let with_go = there("go") && Path::new("/usr/share/gocode/src/golang.org/x/mod/sumdb").exists();
    if with_openssl {
        let (done, said) = run("sh", &["audit.sh"]);
        assert!(done && said.contains("Signature Verified Successfully"), "{said}");
    } else {
        println!("not checked: openssl is missing");
    }
    if with_go {
        let (done, said) = run("go", &["build", "-o", "audit", "audit.go"]);
        assert!(done, "{said}");
        let audit = place.path("audit");
        let (done, said) = run(audit.to_str().unwrap(), &["tiles", key]);
        assert!(done && said.contains("are what was signed"), "{said}");
    } else {
        println!("not checked: Go, or its package golang.org/x/mod, is missing");
    }
    // one changed entry, and one changed head
    let bundle = place.path("tiles/tile/entries/000");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[1_000] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    if with_go {
        assert!(!run(place.path("audit").to_str().unwrap(), &["tiles", key]).0);
    }
    let head = place.path("tiles/checkpoint");
    let text = fs::read_to_string(&head)
        .unwrap()
        .replacen("test.example", "best.example", 1);
    fs::write(&head, text).unwrap();
    if with_openssl {
        assert!(!run("sh", &["audit.sh"]).0);
    }
}
