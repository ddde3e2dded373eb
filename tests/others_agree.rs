//! Go's own packages for transparency logs (`golang.org/x/mod/sumdb/note` and `tlog`) read what this library writes, and the other
//! way round.
//!
//! Needs Debian's `golang-go` and `golang-golang-x-mod-dev`; without them the tests say so and pass.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use managed_agents::audit::tree::note::{Cosigner, Note, NoteSigner, NoteVerifier};
use managed_agents::audit::tree::{
    Checkpoint, EntryBundle, Hash, LogPolicy, MemoryTiles, Receipt, TilePath, TileReader as _, encode_tile, leaf_hash,
    prove_consistency, prove_inclusion, root_of, tiles_of, verify_consistency, verify_inclusion,
};
use serde_json::{Value, json};

/// The one origin that Go's `tlog.ParseTree` reads.
const ORIGIN: &str = "go.sum database tree";

/// Where Debian keeps Go's packages.
const PACKAGES: &str = "/usr/share/gocode";

const WITNESSED_AT: u64 = 1_800_000_000;

#[test]
fn go_verifies_checkpoints_tiles_receipts_and_proofs() {
    let Some(agree) = program() else { return };
    for size in [0, 1, 255, 256, 257, 70_000] {
        let log = Log::new(size);
        let folder = fresh(&format!("log-{size}"));
        log.write(&folder);
        let said = run(Command::new(agree).arg("check").arg(&folder)).unwrap();
        let expected = format!(
            "agreed: {size} entries, {} tiles, {} receipts",
            log.tile_paths(),
            log.places().len()
        );
        assert!(said.starts_with(&expected), "{said}");
        println!("Go {}", said.trim_end());
    }
}

#[test]
fn go_refuses_what_was_changed() {
    let Some(agree) = program() else { return };
    let folder = fresh("changed");
    Log::new(300).write(&folder);
    for file in [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "299.tlog-proof",
    ] {
        let path = folder.join(file);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        // the last bit of a byte in the middle; in a text it makes another character of the same alphabet or none
        bad[good.len() / 2] ^= 1;
        fs::write(&path, bad).unwrap();
        assert!(run(Command::new(agree).arg("check").arg(&folder)).is_err(), "{file}");
        fs::write(&path, good).unwrap();
    }
    run(Command::new(agree).arg("check").arg(&folder)).unwrap();
}

#[test]
fn what_go_signs_and_proves_is_verified_here() {
    let Some(agree) = program() else { return };
    let folder = fresh("made-by-go");
    for size in [3_u64, 256, 1000] {
        run(Command::new(agree).arg("make").arg(&folder).arg(size.to_string())).unwrap();
        let made: Value = serde_json::from_slice(&fs::read(folder.join("made.json")).unwrap()).unwrap();
        let key: NoteVerifier = made["log_key"].as_str().unwrap().parse().unwrap();
        let file = made["checkpoint"].as_str().unwrap();
        let note = Note::parse(file.as_bytes()).unwrap();
        assert_eq!(note.to_string(), file);
        let head = LogPolicy::new(ORIGIN, vec![key]).verify(&note).unwrap();
        let tiles = tiles(size);
        let root = tiles.root();
        assert_eq!((head.size(), head.checkpoint().root()), (size, &root));
        for (index, proof) in made["inclusion"].as_object().unwrap() {
            let (index, proof) = (index.parse().unwrap(), hashes(proof));
            assert_eq!(proof, prove_inclusion(&tiles, index, size).unwrap());
            verify_inclusion(&leaf_hash(&entry(index)), index, size, &proof, &root).unwrap();
        }
        for growth in made["consistency"].as_array().unwrap() {
            let (from, proof) = (growth["from"].as_u64().unwrap(), hashes(&growth["proof"]));
            let old = growth["root"].as_str().unwrap().parse().unwrap();
            assert_eq!(proof, prove_consistency(&tiles, from, size).unwrap());
            verify_consistency(from, size, &proof, &old, &root).unwrap();
        }
    }
}

fn hashes(value: &Value) -> Vec<Hash> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|hash| hash.as_str().unwrap().parse().unwrap()).collect()
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

fn tiles(size: u64) -> MemoryTiles {
    let mut tiles = MemoryTiles::new();
    (0..size).for_each(|number| tiles.push(leaf_hash(&entry(number))));
    tiles
}

struct Log {
    size: u64,
    tiles: MemoryTiles,
}

impl Log {
    fn new(size: u64) -> Self {
        let tiles = tiles(size);
        Self { size, tiles }
    }

    fn tile_paths(&self) -> usize {
        tiles_of(0, self.size).count()
    }

    /// Entries at the edges of tiles and of the tree.
    fn places(&self) -> Vec<u64> {
        let mut places = vec![0, 1, 127, 128, 254, 255, 256, 257, 65_535, 65_536, 69_888];
        places.extend([self.size / 2, self.size.saturating_sub(2), self.size.saturating_sub(1)]);
        places.retain(|place| *place < self.size);
        places.sort_unstable();
        places.dedup();
        places
    }

    fn write(&self, folder: &Path) {
        let key = NoteSigner::from_seed("audit.example/log", &[3; 32]).unwrap();
        let witness = Cosigner::from_seed("witness.example/w1", &[4; 32]).unwrap();
        let head = Checkpoint::new(ORIGIN, self.size, self.tiles.root())
            .unwrap()
            .sign(&key);
        let seen = LogPolicy::new(ORIGIN, vec![key.verifier()]).verify(&head).unwrap();
        let mut note = head;
        note.add(witness.cosign(&seen, WITNESSED_AT));
        fs::write(folder.join("checkpoint"), note.to_string()).unwrap();

        for path in tiles_of(0, self.size) {
            let level = path.level().unwrap();
            let hashes = self.tiles.hashes(level, path.index(), path.width()).unwrap();
            write(folder, &path, &encode_tile(&hashes));
            if level == 0 {
                let mut bundle = EntryBundle::new();
                let first = path.index() * 256;
                (first..first + u64::from(path.width())).for_each(|number| bundle.push(&entry(number)).unwrap());
                let entries = TilePath::entries(path.index(), path.width()).unwrap();
                write(folder, &entries, bundle.as_bytes());
            }
        }
        for place in self.places() {
            let proof = prove_inclusion(&self.tiles, place, self.size).unwrap();
            let receipt = Receipt::new(place, proof, note.clone());
            fs::write(folder.join(format!("{place}.tlog-proof")), receipt.to_string()).unwrap();
        }
        fs::write(folder.join("manifest.json"), self.manifest(&key, &witness).to_string()).unwrap();
    }

    fn manifest(&self, key: &NoteSigner, witness: &Cosigner) -> Value {
        let growth = |from: &u64| {
            let from = from + 1;
            let proof = prove_consistency(&self.tiles, from, self.size).unwrap();
            let proof: Vec<String> = proof.iter().map(ToString::to_string).collect();
            let root = root_of(&self.tiles, from).unwrap().to_string();
            json!({"from": from, "to": self.size, "root": root, "proof": proof})
        };
        json!({
            "log_key": key.verifier().to_string(),
            "witness_key": witness.verifier().to_string(),
            "size": self.size,
            "receipts": self.places(),
            "consistency": self.places().iter().map(growth).collect::<Vec<_>>(),
        })
    }
}

fn write(folder: &Path, path: &TilePath, bytes: &[u8]) {
    let file = folder.join(path.to_string());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, bytes).unwrap();
}

/// An empty folder for one test.
fn fresh(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("others_agree").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a program printed; what it complained of, if it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The Go program, compiled once; `None`, with a printed note, where Go or its packages are not there.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let there = Command::new("go").arg("version").output().is_ok();
        if !there || !Path::new(PACKAGES).join("src/golang.org/x/mod/sumdb/tlog").is_dir() {
            return None;
        }
        let folder = fresh("program");
        let built = folder.join("agree");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/agree/main.go");
        let mut compiler = Command::new("go");
        compiler.arg("build").arg("-o").arg(&built).arg(source);
        // GOPATH mode: the packages of the system, and nothing from a network
        compiler.envs([
            ("GO111MODULE", "off"),
            ("GOPATH", PACKAGES),
            ("GOFLAGS", ""),
            ("GOPROXY", "off"),
        ]);
        compiler.env("GOCACHE", folder.join("cache")).env("CGO_ENABLED", "0");
        run(&mut compiler).unwrap();
        Some(built)
    });
    if program.is_none() {
        println!("skipped: there is no Go, or no {PACKAGES} with golang.org/x/mod");
    }
    program.as_deref()
}
