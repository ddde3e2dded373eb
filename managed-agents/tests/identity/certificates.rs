//! Certificates: other programs accept them, and no altered one is accepted here.

use std::process::{Command, Output};

use managed_agents::identity::{Authority, Certificate, Enrolment, IdentityErrorKind, KeyDir, Moment, Passport, Trust};
use proptest::prelude::*;
use x509_cert::der::{Decode as _, Encode as _};

use super::{DAY, Folder, HOUR, agent, authority, issued, start};

/// What `openssl` says, or none (and a note) where there is no `openssl`.
fn openssl(folder: &Folder, arguments: &[&str]) -> Option<Output> {
    match Command::new("openssl")
        .args(arguments)
        .current_dir(folder.path())
        .output()
    {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("skipped: openssl cannot be run: {error}");
            None
        }
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn at(moment: Moment) -> String {
    (moment.as_micros() / 1_000_000).to_string()
}

#[test]
fn openssl_verifies_an_agents_certificate_and_shows_what_it_says() {
    let (folder, authority) = (Folder::new(), authority());
    let issued = issued(&authority, "support-bot");
    folder.write("root.pem", authority.certificate().to_pem());
    folder.write("leaf.pem", issued.certificate().to_pem());
    let verify = |time: Moment| {
        let time = at(time);
        let arguments = [
            "verify",
            "-x509_strict",
            "-attime",
            &time,
            "-CAfile",
            "root.pem",
            "leaf.pem",
        ];
        openssl(&folder, &arguments)
    };
    let Some(output) = verify(start()) else { return };
    assert!(output.status.success(), "{}", said(&output));
    // for both ends of a TLS connection
    for purpose in ["sslclient", "sslserver"] {
        let time = at(start());
        let arguments = [
            "verify", "-purpose", purpose, "-attime", &time, "-CAfile", "root.pem", "leaf.pem",
        ];
        let output = openssl(&folder, &arguments).unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    let expired = verify(start().after(DAY)).unwrap();
    assert!(
        !expired.status.success() && said(&expired).contains("expired"),
        "{}",
        said(&expired)
    );

    let text = said(&openssl(&folder, &["x509", "-in", "leaf.pem", "-noout", "-text"]).unwrap());
    for expected in [
        "URI:spiffe://agents.example.com/agent/support-bot",
        "CA:FALSE",
        "Digital Signature",
        "ED25519",
        &issued.passport().id().to_string(),
    ] {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
    assert!(!text.contains("Certificate Sign"), "{text}");
}

#[test]
fn openssl_refuses_a_certificate_of_another_authority() {
    let (folder, own, other) = (Folder::new(), authority(), authority());
    folder.write("root.pem", other.certificate().to_pem());
    folder.write("leaf.pem", issued(&own, "support-bot").certificate().to_pem());
    let time = at(start());
    if let Some(output) = openssl(
        &folder,
        &["verify", "-attime", &time, "-CAfile", "root.pem", "leaf.pem"],
    ) {
        assert!(!output.status.success(), "{}", said(&output));
    }
}

#[test]
fn openssl_follows_a_rotation_in_both_directions() {
    let (folder, old) = (Folder::new(), authority());
    let rotation = old.rotate(start()).unwrap();
    folder.write("old.pem", old.certificate().to_pem());
    folder.write("new.pem", rotation.authority().certificate().to_pem());
    folder.write("forward.pem", rotation.forward().to_pem());
    folder.write("back.pem", rotation.back().unwrap().to_pem());
    folder.write("old-leaf.pem", issued(&old, "a").certificate().to_pem());
    folder.write("new-leaf.pem", issued(rotation.authority(), "a").certificate().to_pem());
    let time = at(start());
    for (root, between, leaf) in [("old", "forward", "new-leaf"), ("new", "back", "old-leaf")] {
        let [root, between, leaf] = [root, between, leaf].map(|name| format!("{name}.pem"));
        let arguments = [
            "verify",
            "-x509_strict",
            "-attime",
            &time,
            "-CAfile",
            &root,
            "-untrusted",
            &between,
            &leaf,
        ];
        let Some(output) = openssl(&folder, &arguments) else {
            return;
        };
        assert!(output.status.success(), "{leaf}: {}", said(&output));
        let direct = openssl(&folder, &["verify", "-attime", &time, "-CAfile", &root, &leaf]).unwrap();
        assert!(!direct.status.success(), "{leaf} without what lies between");
    }
}

#[test]
fn the_authority_can_vouch_for_no_web_site() {
    let folder = Folder::new();
    let keys = KeyDir::open(folder.path().join("keys")).unwrap();
    let now = Moment::now();
    keys.authority(None, now).unwrap();
    folder.write(
        "extensions",
        "subjectAltName=DNS:bank.example\nbasicConstraints=CA:FALSE\n",
    );
    let Some(made) = openssl(
        &folder,
        &[
            "req", "-newkey", "ed25519", "-nodes", "-keyout", "site.key", "-subj", "/O=x", "-out", "site.csr",
        ],
    ) else {
        return;
    };
    assert!(made.status.success(), "{}", said(&made));
    let signed = openssl(
        &folder,
        &[
            "x509",
            "-req",
            "-in",
            "site.csr",
            "-CA",
            "keys/authority.pem",
            "-CAkey",
            "keys/authority.key",
            "-extfile",
            "extensions",
            "-out",
            "site.pem",
            "-days",
            "1",
        ],
    )
    .unwrap();
    assert!(signed.status.success(), "openssl reads our key: {}", said(&signed));
    let output = openssl(&folder, &["verify", "-CAfile", "keys/authority.pem", "site.pem"]).unwrap();
    assert!(
        !output.status.success() && said(&output).contains("excluded subtree"),
        "{}",
        said(&output)
    );
}

#[test]
fn openssl_verifies_the_signature_of_a_passport() {
    let (folder, authority) = (Folder::new(), authority());
    let issued = issued(&authority, "support-bot");
    let text: serde_json::Value = serde_json::from_str(issued.passport().as_json()).unwrap();
    // base64url without padding, in the form that openssl reads
    let signature = text["signature"].as_str().unwrap().replace('-', "+").replace('_', "/");
    folder.write("signature.b64", format!("{signature}==\n"));
    folder.write("root.pem", authority.certificate().to_pem());
    folder.write("body", issued.passport().signed_bytes());
    let Some(decoded) = openssl(
        &folder,
        &["base64", "-d", "-A", "-in", "signature.b64", "-out", "signature"],
    ) else {
        return;
    };
    assert!(decoded.status.success(), "{}", said(&decoded));
    let key = openssl(&folder, &["x509", "-in", "root.pem", "-noout", "-pubkey"]).unwrap();
    folder.write("key.pem", &key.stdout);
    let verify = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "key.pem",
        "-rawin",
        "-in",
        "body",
        "-sigfile",
        "signature",
    ];
    let output = openssl(&folder, &verify).unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let mut altered = issued.passport().signed_bytes().to_vec();
    altered[40] ^= 1;
    folder.write("body", altered);
    assert!(!openssl(&folder, &verify).unwrap().status.success());
}

#[test]
fn another_reader_reads_the_same_fields_and_writes_the_same_bytes() {
    let authority = authority();
    let issued = issued(&authority, "support-bot");
    for certificate in [authority.certificate(), issued.certificate()] {
        let read = x509_cert::Certificate::from_der(certificate.der()).unwrap();
        assert_eq!(read.to_der().unwrap(), certificate.der());
        let signed = read.tbs_certificate();
        let validity = signed.validity();
        let (begins, ends) = (
            validity.not_before.to_unix_duration(),
            validity.not_after.to_unix_duration(),
        );
        assert_eq!(begins.as_secs().to_string(), at(certificate.begins()));
        assert_eq!(ends.as_secs().to_string(), at(certificate.ends()));
        let key = signed.subject_public_key_info().subject_public_key.raw_bytes();
        assert_eq!(key, certificate.key().to_bytes());
        let (_, constraints) = signed
            .get_extension::<x509_cert::ext::pkix::BasicConstraints>()
            .unwrap()
            .unwrap();
        assert_eq!(constraints.ca, certificate.is_authority());
        let (_, usage) = signed
            .get_extension::<x509_cert::ext::pkix::KeyUsage>()
            .unwrap()
            .unwrap();
        assert_eq!(usage.key_cert_sign(), certificate.is_authority());
        assert_eq!(usage.digital_signature(), !certificate.is_authority());
        let (_, names) = signed
            .get_extension::<x509_cert::ext::pkix::SubjectAltName>()
            .unwrap()
            .unwrap();
        let uris: Vec<_> = names
            .0
            .iter()
            .map(|name| match name {
                x509_cert::ext::pkix::name::GeneralName::UniformResourceIdentifier(uri) => uri.as_str(),
                other => panic!("another kind of name: {other:?}"),
            })
            .collect();
        assert_eq!(uris, [certificate.spiffe_id()], "exactly one name");
    }
}

#[test]
fn every_altered_byte_of_a_certificate_is_found() {
    let authority = authority();
    let issued = issued(&authority, "support-bot");
    let (trust, der) = (authority.trust(), issued.certificate().der());
    let verify = |bytes: &[u8]| {
        let certificate = Certificate::from_der(bytes)?;
        trust.verify_certificate(&certificate, start())
    };
    verify(der).unwrap();
    for at in 0..der.len() {
        for flip in [1 << (at % 8), 0x80, 0xff] {
            let mut altered = der.to_vec();
            altered[at] ^= flip;
            assert!(verify(&altered).is_err(), "byte {at}, flipped by {flip:#x}");
        }
    }
    for length in 0..der.len() {
        assert!(verify(&der[..length]).is_err(), "cut to {length}");
    }
    assert!(verify(&[der, &[0]].concat()).is_err(), "a byte more");
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(
        random in proptest::collection::vec(any::<u8>(), 0..200),
        text in ".{0,200}",
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        static ISSUED: std::sync::OnceLock<(Vec<u8>, String)> = std::sync::OnceLock::new();
        let (der, passport) = ISSUED.get_or_init(|| {
            let issued = issued(&authority(), "support-bot");
            (issued.certificate().der().to_vec(), issued.passport().as_json().to_owned())
        });
        let mut altered = der.clone();
        let mut altered_text: Vec<char> = passport.chars().collect();
        for (at, to) in changes {
            *at.get_mut(&mut altered) = to;
            *at.get_mut(&mut altered_text) = char::from(to);
        }
        for bytes in [&random[..], &altered] {
            if let Ok(read) = Certificate::from_der(bytes) {
                prop_assert_eq!(read.der(), bytes);
            }
        }
        let altered_text: String = altered_text.into_iter().collect();
        for text in [&text, &altered_text] {
            let _ = (Certificate::from_pem(text), Moment::parse(text));
            if let Ok(read) = Passport::parse(text) {
                prop_assert_eq!(read.as_json(), text);
            }
        }
    }
}

#[test]
fn a_certificate_holds_between_its_times_only_and_for_its_authority_only() {
    let (own, other) = (authority(), authority());
    let issued = issued(&own, "support-bot");
    let kind = |trust: &Trust, time| {
        trust
            .verify_certificate(issued.certificate(), time)
            .map_err(|error| error.kind())
    };
    assert_eq!(kind(own.trust(), start()), Ok(()));
    assert_eq!(kind(other.trust(), start()), Err(IdentityErrorKind::Untrusted));
    assert_eq!(kind(own.trust(), start().after(DAY)), Err(IdentityErrorKind::Expired));
    assert_eq!(
        kind(own.trust(), start().before(HOUR)),
        Err(IdentityErrorKind::NotYetValid)
    );
    // it never outlives its passport
    assert!(issued.certificate().ends() < issued.passport().expires());
    // an authority's certificate is none of an agent
    assert!(own.trust().verify_certificate(own.certificate(), start()).is_err());
    assert!(Trust::root(issued.certificate()).is_err());
}

#[test]
fn certificates_after_2049_change_the_form_of_their_times() {
    let late = Moment::parse("2049-12-31T12:00:00.000000Z").unwrap();
    let authority = Authority::generate(None, late).unwrap();
    let issued = authority.issue(&Enrolment::new(agent("a")), late).unwrap();
    let again = Certificate::from_der(issued.certificate().der()).unwrap();
    assert_eq!(again.ends().to_string(), "2050-01-01T11:59:59.000000Z");
    authority.trust().verify_certificate(&again, late).unwrap();
    x509_cert::Certificate::from_der(again.der()).unwrap();
}
