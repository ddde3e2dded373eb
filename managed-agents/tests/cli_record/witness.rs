//! A second party that holds the first to its history.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{Place, Run, calls};

/// A witness that ends with the test.
struct Serving {
    child: Child,
    url: String,
    key: String,
}

impl Serving {
    fn begin(place: &Place, log: &str) -> Self {
        let mut command = place.command(&["witness", "serve", "--listen", "127.0.0.1:0", "--log", log, "--json"]);
        let mut child = command
            .args(["--name", "witness.example", "--data-dir"])
            .arg(place.path("witness"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            url: line["url"].as_str().unwrap().to_owned(),
            key: line["key"].as_str().unwrap().to_owned(),
        }
    }

    fn ask(&self, place: &Place, more: &[&str]) -> Run {
        let arguments = [
            "audit",
            "checkpoint",
            "--witness",
            &self.url,
            "--witness-key",
            &self.key,
        ];
        place.run(&[&arguments[..], more].concat())
    }

    /// The status of a request as it stands on the wire.
    fn raw(&self, request: &str) -> String {
        let address = self.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_witness_signs_what_only_grows_and_remembers_it_when_it_is_killed() {
    let place = Place::begun("witnessed");
    calls(&place.harness("bot"), 3);
    place.run(&["backup", "old.db"]).ok();
    let key = place.run(&["audit", "checkpoint", "--key"]).ok().out;
    let log = key.trim();

    let witness = Serving::begin(&place, log);
    let signed = witness.ask(&place, &[]).ok();
    assert!(signed.out.contains("— witness.example "), "{}", signed.out);
    // the same again, and then more
    witness.ask(&place, &["--out", "head"]).ok();
    calls(&place.harness("bot"), 300);
    witness.ask(&place, &[]).ok();
    assert_eq!(witness.raw("GET /add-checkpoint HTTP/1.1\r\nHost: a\r\n\r\n"), "405");
    assert_eq!(
        witness.raw("POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        "404"
    );
    let nonsense = "POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nold";
    assert_eq!(witness.raw(nonsense), "400");
    let endless = "POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n";
    assert_eq!(witness.raw(endless), "413");
    let second = place
        .command(&[
            "witness",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log",
            log,
            "--data-dir",
            "witness",
        ])
        .output()
        .unwrap();
    Run::from(second).exits(1).says("another witness");

    // a receipt that shows the witness's signature
    place
        .run(&[
            "audit", "prove", "3", "--head", "head", "--out", "seen", "--entry", "entry",
        ])
        .ok();
    place.run(&["audit", "prove", "3", "--out", "unseen"]).ok();
    let check = |receipt: &str| {
        let arguments = ["audit", "prove", "--check", receipt, "--entry", "entry", "--key", log];
        place.run(&[&arguments[..], &["--witness-key", &witness.key]].concat())
    };
    check("seen").ok().says("Seen by witness.example");
    check("unseen").exits(2).says("0 of 1 witnesses");
    place
        .run(&["audit", "prove", "300", "--head", "head"])
        .exits(1)
        .says("no entry 300");

    // killed, and begun again
    drop(witness);
    let witness = Serving::begin(&place, log);
    witness.ask(&place, &[]).ok();

    // an old copy, by somebody who removes the high-water mark as well: the witness knows better
    fs::remove_file(place.path("mark")).unwrap();
    place.run(&["restore", "old.db"]).ok();
    witness.ask(&place, &[]).exits(1).says("rolled back");
    calls(&place.harness("bot"), 400);
    place.run(&["audit", "verify", "--deep"]).ok();
    witness.ask(&place, &[]).exits(1).says("did not only grow");
    // nor does it sign for a log that it was not told of
    place.run(&["restore", "old.db", "--accept"]).ok();
    witness.ask(&place, &[]).exits(1).says("does not know the log");
}
