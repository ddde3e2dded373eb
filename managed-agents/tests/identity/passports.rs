//! Passports: whatever is altered is found.

use managed_agents::Digest;
use managed_agents::identity::{
    Authority, Enrolment, IdentityErrorKind, Moment, Passport, PassportId, PrivateKey, Scope, Trust, TrustDomain,
};

use super::{DAY, agent, authority, forged, issued, start, verified};

#[test]
fn a_passport_says_what_was_enrolled() {
    let authority = authority();
    let enrolment = Enrolment::new(agent("support-bot"))
        .owner("ann@example.com")
        .organization("Example \"GmbH\" \\ Köln")
        .archetype("customer_support")
        .zone("eu")
        .scope(Scope::tools(["refund", "lookup"]))
        .rules(Digest::new([7; 32]))
        .delegable(2);
    let issued = authority.issue(&enrolment, start()).unwrap();
    let passport = Passport::parse(issued.passport().as_json()).unwrap();
    assert_eq!(&passport, issued.passport());
    assert_eq!(passport.agent(), "support-bot");
    assert_eq!(passport.owner(), Some("ann@example.com"));
    assert_eq!(passport.organization(), Some("Example \"GmbH\" \\ Köln"));
    assert_eq!(passport.archetype(), Some("customer_support"));
    assert_eq!(passport.zone(), Some("eu"));
    assert_eq!(passport.scope(), &Scope::tools(["lookup", "refund"]));
    assert_eq!(passport.rules(), Some(Digest::new([7; 32])));
    assert_eq!((passport.depth(), passport.delegable()), (0, 2));
    assert_eq!(passport.key(), issued.key().public());
    assert_eq!(passport.expires(), start().after(DAY));
    assert_eq!(issued.certificate().key(), passport.key());
    assert_eq!(issued.certificate().passport(), Some(passport.id()));
    let id = passport.id().to_string();
    assert!(id.starts_with("nmc-") && id.len() == 36, "{id}");
    assert_eq!(PassportId::parse(&id).unwrap(), passport.id());
}

#[test]
fn what_is_signed_is_in_rfc_8785_form() {
    let authority = authority();
    let enrolment = Enrolment::new(agent("a"))
        .owner("é\"\\/")
        .zone("z")
        .rules(Digest::new([1; 32]));
    let passport = authority.issue(&enrolment, start()).unwrap().passport().clone();
    // keys of a `Value` are sorted
    for text in [passport.as_json().as_bytes(), passport.signed_bytes()] {
        let value: serde_json::Value = serde_json::from_slice(text).unwrap();
        assert_eq!(value.to_string().as_bytes(), text);
    }
}

#[test]
fn every_altered_byte_of_a_passport_is_found() {
    let authority = authority();
    let issued = issued(&authority, "support-bot");
    let text = issued.passport().as_json();
    let verify = |text: &str| authority.trust().verify(&[Passport::parse(text)?]).map(drop);
    verify(text).unwrap();
    for at in 0..text.len() {
        for flip in [1, 1 << (at % 7), 0x20] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= flip;
            let Ok(altered) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(verify(&altered).is_err(), "byte {at}: {altered}");
        }
        assert!(verify(text.get(..at).unwrap()).is_err(), "cut to {at}");
        // white space means nothing in JSON, and yet it is not what was written
        let (before, after) = text.split_at(at);
        assert!(verify(&format!("{before} {after}")).is_err(), "a space at {at}");
    }
    assert!(verify(&format!("{text}\n")).is_err());
}

#[test]
fn a_passport_of_another_authority_or_trust_domain_is_refused() {
    let (own, other) = (authority(), authority());
    let issued = issued(&own, "support-bot");
    let refused = other.trust().verify(&[issued.passport().clone()]).unwrap_err();
    assert_eq!(refused.kind(), IdentityErrorKind::Untrusted);
    // the same key under another name
    let domain = TrustDomain::parse("other.example").unwrap();
    let renamed = Authority::with_key(own.key().clone(), Some(domain), start()).unwrap();
    let refused = renamed.trust().verify(&[issued.passport().clone()]).unwrap_err();
    assert_eq!(refused.kind(), IdentityErrorKind::Untrusted);
}

#[test]
fn a_signature_over_another_kind_of_statement_is_none_over_a_passport() {
    let authority = authority();
    let issued = issued(&authority, "support-bot");
    let other = forged(issued.passport(), authority.key(), |body| {
        body["v"] = "ma-passport/2".into()
    });
    assert_eq!(
        Passport::parse(&other).unwrap_err().kind(),
        IdentityErrorKind::Malformed
    );
    let unknown = forged(issued.passport(), authority.key(), |body| body["more"] = true.into());
    assert_eq!(
        Passport::parse(&unknown).unwrap_err().kind(),
        IdentityErrorKind::Malformed
    );
}

#[test]
fn an_agents_key_signs_no_passport_of_its_own() {
    let authority = authority();
    let issued = issued(&authority, "support-bot");
    let longer = forged(issued.passport(), issued.key(), |body| {
        body["expires"] = "2036-01-01T00:00:00.000000Z".into();
    });
    let refused = authority
        .trust()
        .verify(&[Passport::parse(&longer).unwrap()])
        .unwrap_err();
    assert_eq!(refused.kind(), IdentityErrorKind::Untrusted);
}

#[test]
fn text_that_would_show_something_else_is_refused() {
    let authority = authority();
    for text in ["", "a\nb", "a\u{202e}b", "a\u{200b}b", "a\0", &"x".repeat(257)] {
        let refused = authority
            .issue(&Enrolment::new(agent("a")).owner(text), start())
            .unwrap_err();
        assert_eq!(refused.kind(), IdentityErrorKind::Input, "{text:?}");
        assert!(!refused.to_string().contains(['\n', '\u{202e}', '\0']), "{refused}");
    }
    let long = Enrolment::new(agent("a")).lifetime(91 * DAY);
    assert_eq!(
        authority.issue(&long, start()).unwrap_err().kind(),
        IdentityErrorKind::Input
    );
    let none = Enrolment::new(agent("a")).lifetime(std::time::Duration::ZERO);
    assert_eq!(
        authority.issue(&none, start()).unwrap_err().kind(),
        IdentityErrorKind::Input
    );
}

#[test]
fn no_passport_outlives_its_authority() {
    let authority = authority();
    let late = authority.certificate().ends().before(DAY / 2);
    let issued = authority.issue(&Enrolment::new(agent("a")), late).unwrap();
    assert_eq!(issued.passport().expires(), authority.certificate().ends());
    verified(&authority, issued.passport());
    let after = authority.certificate().ends().after(DAY);
    let refused = authority.issue(&Enrolment::new(agent("a")), after).unwrap_err();
    assert_eq!(refused.kind(), IdentityErrorKind::Expired);
}

#[test]
fn a_passport_outside_the_time_of_its_authority_is_refused_though_its_key_signed_it() {
    let authority = authority();
    let issued = issued(&authority, "support-bot");
    for (name, time) in [
        ("expires", authority.certificate().ends().after(DAY)),
        ("begins", authority.certificate().begins().before(DAY)),
    ] {
        let text = forged(issued.passport(), authority.key(), |body| {
            body[name] = time.to_string().into();
            if name == "begins" {
                body["issued"] = time.to_string().into();
            }
        });
        let refused = authority
            .trust()
            .verify(&[Passport::parse(&text).unwrap()])
            .unwrap_err();
        assert_eq!(refused.kind(), IdentityErrorKind::Untrusted, "{name}");
    }
}

#[test]
fn old_passports_verify_after_the_authoritys_key_was_replaced() {
    let old = authority();
    let passport = issued(&old, "support-bot").passport().clone();
    let later = start().after(DAY / 2);
    let rotation = old.rotate(later).unwrap();
    let new = rotation.authority();
    assert_ne!(new.certificate().key(), old.certificate().key());
    assert_eq!(new.trust_domain(), old.trust_domain());
    // the new authority believes the old one's, renews them, and renewing keeps the lineage
    let before = verified(new, &passport);
    let renewed = new
        .renew(&before, managed_agents::identity::AgentState::Active, later)
        .unwrap();
    assert_eq!(renewed.passport().lineage(), Some(passport.id()));
    renewed.passport().succeeds(&passport).unwrap();

    // who knows the old one only needs what that signed for the new one
    let mut trust = Trust::root(old.certificate()).unwrap();
    assert!(trust.verify(&[renewed.passport().clone()]).is_err());
    trust.add(rotation.forward()).unwrap();
    trust.verify(&[renewed.passport().clone()]).unwrap();
    // who knows the new one only needs what that signed for the old one
    let mut trust = Trust::root(new.certificate()).unwrap();
    assert!(trust.verify(std::slice::from_ref(&passport)).is_err());
    trust.add(rotation.back().unwrap()).unwrap();
    trust.verify(std::slice::from_ref(&passport)).unwrap();

    // ten rotations later as well
    let mut authority = new.clone();
    for _ in 0..10 {
        authority = authority.rotate(later).unwrap().authority().clone();
    }
    authority.trust().verify(std::slice::from_ref(&passport)).unwrap();

    // unless the old key may be in other hands
    let distrusted = old.rotate(later).unwrap().distrusting_old().unwrap();
    assert!(distrusted.authority().trust().verify(&[passport]).is_err());
}

#[test]
fn an_authority_that_nobody_vouches_for_is_not_believed() {
    let (own, stranger) = (authority(), authority());
    let mut trust = Trust::root(own.certificate()).unwrap();
    let kind = trust.add(stranger.certificate()).unwrap_err().kind();
    assert_eq!(kind, IdentityErrorKind::Untrusted);
    // nor is one for which an agent vouches
    let issued = issued(&own, "a");
    assert!(trust.add(issued.certificate()).is_err());
    assert!(Authority::from_parts(PrivateKey::generate().unwrap(), &[own.certificate().clone()]).is_err());
}

#[test]
fn a_renewal_keeps_everything_but_the_times() {
    let authority = authority();
    let enrolment = Enrolment::new(agent("a"))
        .owner("ann")
        .scope(Scope::tools(["x"]))
        .lifetime(DAY * 2);
    let first = authority.issue(&enrolment, start()).unwrap();
    let later = start().after(DAY);
    let state = managed_agents::identity::AgentState::Active;
    let second = authority
        .renew(&verified(&authority, first.passport()), state, later)
        .unwrap();
    let (first, second) = (first.passport(), second.passport());
    assert_eq!((second.begins(), second.expires()), (later, later.after(DAY * 2)));
    assert_eq!(
        (second.key(), second.owner(), second.scope()),
        (first.key(), Some("ann"), first.scope())
    );
    second.succeeds(first).unwrap();
    assert_eq!(first.succeeds(second).unwrap_err().kind(), IdentityErrorKind::Unrelated);

    // a clock that went back makes no passport that begins before the one that it follows
    let third = authority
        .renew(
            &verified(&authority, second),
            state,
            Moment::from_micros(start().as_micros() + 1),
        )
        .unwrap();
    third.passport().succeeds(second).unwrap();
}
