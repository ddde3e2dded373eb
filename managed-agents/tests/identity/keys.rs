//! Key files: made once, kept to their owner, opened with their passphrase.

use std::fs;
use std::path::Path;
use std::sync::Barrier;

use managed_agents::identity::{
    AgentState, IdentityError, IdentityErrorKind, KeyDir, LogKeyCertificate, Moment, PrivateKey, TrustDomain,
};

use super::{DAY, Folder, agent, authority, issued, start, verified};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn all_who_begin_at_once_end_with_the_same_keys() {
    for _ in 0..8 {
        let folder = Folder::new();
        let path = folder.path().join("keys");
        let (count, barrier) = (8, Barrier::new(8));
        let results: Vec<_> = std::thread::scope(|scope| {
            let begin = || {
                barrier.wait();
                let keys = KeyDir::open(&path)?;
                let (authority, new) = keys.authority(None, start())?;
                let (agent_key, _) = keys.agent_key(&agent("a"))?;
                let (log_key, _) = keys.log_key()?;
                Ok::<_, IdentityError>((
                    authority.certificate().clone(),
                    new,
                    agent_key.public(),
                    log_key.public(),
                ))
            };
            let threads: Vec<_> = (0..count).map(|_| scope.spawn(begin)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap())
                .collect()
        });
        let first = &results[0];
        for (certificate, _, agent_key, log_key) in &results {
            assert_eq!((certificate, agent_key, log_key), (&first.0, &first.2, &first.3));
        }
        assert_eq!(results.iter().filter(|result| result.1).count(), 1, "said once");
        let expected = ["agent-a.key", "authority.key", "authority.pem", "log.key"];
        assert_eq!(names(&path), expected, "nothing is left behind");
    }
}

#[test]
fn two_processes_end_with_the_same_key() {
    let Some(path) = std::env::var_os("MANAGED_AGENTS_TEST_KEYS") else {
        for _ in 0..3 {
            let folder = Folder::new();
            let path = folder.path().join("keys");
            let program = std::env::current_exe().unwrap();
            let children: Vec<_> = (0..4)
                .map(|_| {
                    std::process::Command::new(&program)
                        .args(["--exact", "keys::two_processes_end_with_the_same_key", "--nocapture"])
                        .env("MANAGED_AGENTS_TEST_KEYS", &path)
                        .stdout(std::process::Stdio::piped())
                        .spawn()
                        .unwrap()
                })
                .collect();
            let mut said: Vec<_> = children
                .into_iter()
                .map(|child| {
                    let output = child.wait_with_output().unwrap();
                    let text = String::from_utf8(output.stdout).unwrap();
                    let line = text
                        .split("authority=")
                        .nth(1)
                        .map(|rest| rest.get(..64).unwrap().to_owned());
                    line.unwrap_or_else(|| panic!("{text}"))
                })
                .collect();
            said.dedup();
            assert_eq!(said.len(), 1, "{said:?}");
        }
        return;
    };
    let (authority, _) = KeyDir::open(path).unwrap().authority(None, Moment::now()).unwrap();
    println!("authority={}", authority.certificate().key());
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let path = folder.path().join("keys");
    let keys = KeyDir::open(&path).unwrap();
    keys.authority(None, start()).unwrap();
    keys.log_key().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("authority.key"))), (0o700, 0o600));
    for bits in [0o640, 0o604, 0o660, 0o644, 0o610] {
        fs::set_permissions(path.join("log.key"), fs::Permissions::from_mode(bits)).unwrap();
        let refused = keys.log_key().unwrap_err();
        assert_eq!(refused.kind(), IdentityErrorKind::KeyFile);
        let text = refused.to_string();
        assert!(
            text.contains("log.key") && text.contains(&format!("{bits:04o}")) && text.contains("chmod"),
            "{text}"
        );
    }
    fs::set_permissions(path.join("log.key"), fs::Permissions::from_mode(0o400)).unwrap();
    keys.log_key().unwrap();
    // whoever can write the directory can put another key there
    fs::set_permissions(&path, fs::Permissions::from_mode(0o770)).unwrap();
    assert_eq!(KeyDir::open(&path).unwrap_err().kind(), IdentityErrorKind::KeyFile);
}

#[test]
fn what_is_no_key_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    let keys = KeyDir::open(folder.path().join("keys")).unwrap();
    let (key, _) = keys.log_key().unwrap();
    let path = keys.path().join("log.key");
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        "",
        "text",
        good.get(..60).unwrap(),
        &format!("{good}{good}"),
        &"x".repeat(20_000),
    ] {
        fs::write(&path, bad).unwrap();
        let refused = keys.log_key().unwrap_err();
        assert_eq!(refused.kind(), IdentityErrorKind::KeyFile);
        assert!(
            !refused.to_string().contains("MC4C"),
            "nothing of the file is shown: {refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), bad);
    }
    fs::write(&path, good).unwrap();
    assert_eq!(keys.log_key().unwrap().0.public(), key.public());
}

#[test]
fn a_lost_authority_key_is_not_replaced_in_silence() {
    let folder = Folder::new();
    let keys = KeyDir::open(folder.path().join("keys")).unwrap();
    let domain = TrustDomain::parse("a.example").unwrap();
    keys.authority(Some(domain.clone()), start()).unwrap();
    let other = TrustDomain::parse("b.example").unwrap();
    assert_eq!(
        keys.authority(Some(other), start()).unwrap_err().kind(),
        IdentityErrorKind::Input
    );
    keys.authority(Some(domain), start()).unwrap();
    fs::remove_file(keys.path().join("authority.key")).unwrap();
    assert_eq!(
        keys.authority(None, start()).unwrap_err().kind(),
        IdentityErrorKind::KeyFile
    );
}

/// A file that its owner only can read.
fn operator_file(folder: &KeyDir, name: &str, content: &[u8]) {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn an_operators_key_is_locked_away_and_the_agent_goes_on() {
    let folder = Folder::new();
    let operator = KeyDir::open(folder.path().join("operator")).unwrap();
    let (open, _) = operator.authority(None, start()).unwrap();
    let plain = fs::read(operator.path().join("authority.key")).unwrap();
    assert!(operator.lock_authority("short", None, start()).is_err());
    let locked = operator.lock_authority("correct horse battery", None, start()).unwrap();
    assert_eq!(locked.certificate(), open.certificate(), "the same authority");
    assert_eq!(names(operator.path()), ["authority.locked", "authority.pem"]);
    assert_eq!(
        operator.authority(None, start()).unwrap_err().kind(),
        IdentityErrorKind::KeyFile
    );
    let wrong = operator.unlock_authority("correct horse batterx", start()).unwrap_err();
    assert_eq!(
        (wrong.kind(), wrong.code()),
        (IdentityErrorKind::Passphrase, "identity_unusable")
    );
    assert!(
        operator.lock_authority("correct horse battery", None, start()).is_err(),
        "there is one already"
    );
    // whoever locked it was stopped before the key in the open was removed
    operator_file(&operator, "authority.key", &plain);
    let authority = operator.unlock_authority("correct horse battery", start()).unwrap();
    assert_eq!(authority.certificate(), open.certificate());
    assert_eq!(names(operator.path()), ["authority.locked", "authority.pem"]);

    // the agent's process: its key, the log's key, the root, and a mandate
    let process = KeyDir::open(folder.path().join("agent")).unwrap();
    assert!(process.trust().unwrap().is_none());
    let (agent_key, new) = process.agent_key(&agent("a")).unwrap();
    assert!(new);
    let enrolment = managed_agents::identity::Enrolment::new(agent("a"));
    let credential = authority.issue_for(&enrolment, agent_key.public(), start()).unwrap();
    let passport = verified(&authority, credential.passport());
    let mandate = authority.mandate(&passport, AgentState::Active, DAY, start()).unwrap();
    process.keep_mandate(&mandate).unwrap();
    fs::copy(
        operator.path().join("authority.pem"),
        process.path().join("authority.pem"),
    )
    .unwrap();
    let trust = process.trust().unwrap().unwrap();
    assert_eq!(process.mandate(&agent("a"), &trust).unwrap(), Some(mandate));
    assert_eq!(process.mandate(&agent("b"), &trust).unwrap(), None);
    let certified = authority
        .certify_log_key(process.log_key().unwrap().0.public(), "a.example/log", start())
        .unwrap();
    certified.verify(&trust, "a.example/log", start()).unwrap();
    assert_eq!(
        names(process.path()),
        ["agent-a.key", "agent-a.mandate", "authority.pem", "log.key"]
    );
}

#[test]
fn a_kept_rotation_is_found_again_and_an_unfinished_one_changes_nothing() {
    let folder = Folder::new();
    let keys = KeyDir::open(folder.path().join("keys")).unwrap();
    let (old, _) = keys.authority(None, start()).unwrap();
    let passport = issued(&old, "a").passport().clone();
    let before = fs::read(keys.path().join("authority.key")).unwrap();
    let rotation = old.rotate(start()).unwrap();
    keys.keep_rotation(&rotation, None).unwrap();
    let (new, made) = keys.authority(None, start()).unwrap();
    assert!(!made && new.certificate() == rotation.authority().certificate());
    new.trust().verify(std::slice::from_ref(&passport)).unwrap();
    keys.trust()
        .unwrap()
        .unwrap()
        .verify(std::slice::from_ref(&passport))
        .unwrap();
    // the process ended between the certificates and the key
    fs::write(keys.path().join("authority.key"), before).unwrap();
    let (unfinished, _) = keys.authority(None, start()).unwrap();
    assert_eq!(unfinished.certificate(), old.certificate());
    unfinished.trust().verify(&[passport]).unwrap();
}

#[test]
fn a_log_key_is_for_its_log_and_time_only() {
    let (own, other) = (authority(), authority());
    let key = PrivateKey::generate().unwrap();
    let certified = own.certify_log_key(key.public(), "example.com/log", start()).unwrap();
    let read = LogKeyCertificate::parse(certified.as_json()).unwrap();
    assert_eq!(
        read.verify(own.trust(), "example.com/log", start()).unwrap(),
        key.public()
    );
    let kind = |result: Result<_, IdentityError>| result.unwrap_err().kind();
    assert_eq!(
        kind(read.verify(own.trust(), "example.com/other", start())),
        IdentityErrorKind::Unrelated
    );
    assert_eq!(
        kind(read.verify(other.trust(), "example.com/log", start())),
        IdentityErrorKind::Untrusted
    );
    assert_eq!(
        kind(read.verify(own.trust(), "example.com/log", start().before(DAY))),
        IdentityErrorKind::NotYetValid
    );
    // an authority's key signs no checkpoints
    let refused = own
        .certify_log_key(own.key().public(), "example.com/log", start())
        .map(|_| own.key().public());
    assert_eq!(kind(refused), IdentityErrorKind::Input);
    for at in 0..read.as_json().len() {
        let mut bytes = read.as_json().as_bytes().to_vec();
        bytes[at] ^= 1;
        let Ok(altered) = String::from_utf8(bytes) else {
            continue;
        };
        let believed = LogKeyCertificate::parse(&altered)
            .and_then(|altered| altered.verify(own.trust(), "example.com/log", start()));
        assert!(believed.is_err(), "byte {at}");
    }
}
