//! The right to renew an identity without the authority's key.

use managed_agents::identity::{
    AgentState, Certificate, Enrolment, IdentityErrorKind, Mandate, Moment, PassportId, Standing, Trust,
};

use super::{DAY, HOUR, agent, authority, issued, start, verified};

#[test]
fn an_agent_renews_itself_until_its_mandate_ends() {
    let authority = authority();
    let first = issued(&authority, "support-bot");
    let passport = verified(&authority, first.passport());
    let mandate = authority
        .mandate(&passport, AgentState::Active, 12 * DAY, start())
        .unwrap();
    // the agent's process has the root, its mandate and its key
    let trust = Trust::root(authority.certificate()).unwrap();
    let mandate = Mandate::parse(&mandate.to_json(), &trust).unwrap();

    let mut current = first.passport().clone();
    let (mut now, mut renewals) = (start(), 0);
    while now < mandate.expires() {
        if let Some(next) = mandate.due(current.id(), AgentState::Active, now).unwrap() {
            assert!(mandate.leads(current.id(), next.passport().id()));
            assert!(!mandate.leads(next.passport().id(), current.id()));
            trust.verify_certificate(next.certificate(), now).unwrap();
            assert_eq!(next.passport().key(), first.key().public());
            assert_eq!(next.passport().scope(), first.passport().scope());
            next.passport().succeeds(&current).unwrap();
            trust.verify(&[next.passport().clone()]).unwrap();
            current = next.passport().clone();
            renewals += 1;
        }
        // whoever asks every hour is never without a passport that holds
        assert!(current.begins() <= now && now < current.expires());
        now = now.after(HOUR);
    }
    assert_eq!(renewals, 24, "one each half day");
    assert_eq!(mandate.expires(), start().after(13 * DAY));
    let ended = mandate.due(current.id(), AgentState::Active, now).unwrap_err();
    assert_eq!(ended.kind(), IdentityErrorKind::Expired);
}

#[test]
fn a_renewal_is_there_after_days_of_silence() {
    let authority = authority();
    let first = issued(&authority, "support-bot");
    let passport = verified(&authority, first.passport());
    let mandate = authority
        .mandate(&passport, AgentState::Active, 12 * DAY, start())
        .unwrap();
    let now = start().after(10 * DAY);
    let next = mandate.due(passport.id(), AgentState::Suspended, now).unwrap().unwrap();
    authority
        .trust()
        .verify(&[next.passport().clone()])
        .unwrap()
        .valid_at(now)
        .unwrap();
    assert!(mandate.leads(passport.id(), next.passport().id()));
    // and not before its time
    assert_eq!(mandate.due(passport.id(), AgentState::Active, start()).unwrap(), None);
    let early = trust_at(&authority, next.passport().clone(), start());
    assert_eq!(early.unwrap_err(), IdentityErrorKind::NotYetValid);
    let early = authority
        .trust()
        .verify_certificate(next.certificate(), start())
        .unwrap_err();
    assert_eq!(early.kind(), IdentityErrorKind::NotYetValid);
}

fn trust_at(
    authority: &managed_agents::identity::Authority,
    passport: managed_agents::identity::Passport,
    now: Moment,
) -> Result<(), IdentityErrorKind> {
    let verified = authority.trust().verify(&[passport]).map_err(|error| error.kind())?;
    verified.valid_at(now).map_err(|error| error.kind())
}

#[test]
fn a_revoked_agent_cannot_renew_itself() {
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "support-bot").passport());
    let mandate = authority
        .mandate(&passport, AgentState::Active, 12 * DAY, start())
        .unwrap();
    let refused = mandate
        .due(passport.id(), AgentState::Revoked, start().after(DAY))
        .unwrap_err();
    assert_eq!(
        (refused.kind(), refused.code()),
        (IdentityErrorKind::Revoked, "agent_revoked")
    );
    let other = PassportId::parse(&format!("nmc-{}", "0".repeat(32))).unwrap();
    let refused = mandate.due(other, AgentState::Active, start().after(DAY)).unwrap_err();
    assert_eq!(refused.kind(), IdentityErrorKind::Unrelated);
}

#[test]
fn a_mandate_with_parts_of_another_is_refused() {
    let (own, other) = (authority(), authority());
    let short = Enrolment::new(agent("a")).lifetime(DAY);
    let one = own.issue(&short, start()).unwrap();
    let two = own.issue(&Enrolment::new(agent("b")).lifetime(DAY), start()).unwrap();
    let mandate = |passport| {
        own.mandate(&verified(&own, passport), AgentState::Active, DAY, start())
            .unwrap()
    };
    let (one, two) = (mandate(one.passport()), mandate(two.passport()));
    assert_eq!(Mandate::parse(&one.to_json(), own.trust()).unwrap(), one);
    let foreign = Mandate::parse(&one.to_json(), other.trust()).unwrap_err();
    assert_eq!(foreign.kind(), IdentityErrorKind::Untrusted);

    let json = |mandate: &Mandate| serde_json::from_str::<serde_json::Value>(&mandate.to_json()).unwrap();
    for part in ["certificates", "passports", "statement"] {
        let mut mixed = json(&one);
        mixed[part] = json(&two)[part].clone();
        assert!(
            Mandate::parse(&mixed.to_string(), own.trust()).is_err(),
            "{part} of another"
        );
        if part != "statement" {
            let mut fewer = json(&one);
            fewer[part].as_array_mut().unwrap().pop();
            assert!(
                Mandate::parse(&fewer.to_string(), own.trust()).is_err(),
                "too few {part}"
            );
            let mut turned = json(&one);
            turned[part].as_array_mut().unwrap().reverse();
            assert!(
                Mandate::parse(&turned.to_string(), own.trust()).is_err(),
                "{part} in another order"
            );
        }
    }
}

#[test]
fn a_mandate_has_limits() {
    let authority = authority();
    let minute = Enrolment::new(agent("a")).lifetime(HOUR / 60);
    let passport = verified(&authority, authority.issue(&minute, start()).unwrap().passport());
    let kind = |time| {
        authority
            .mandate(&passport, AgentState::Active, time, start())
            .unwrap_err()
            .kind()
    };
    assert_eq!(kind(DAY), IdentityErrorKind::Input, "too many renewals");
    assert_eq!(kind(91 * DAY), IdentityErrorKind::Input, "too long");
    assert_eq!(kind(std::time::Duration::ZERO), IdentityErrorKind::Input, "none");
}

#[test]
fn no_key_beside_the_authoritys_can_sign_an_identity() {
    // what a mandate holds are agents' certificates only: none of them can sign another
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "support-bot").passport());
    let mandate = authority
        .mandate(&passport, AgentState::Active, 3 * DAY, start())
        .unwrap();
    for renewal in mandate.renewals() {
        let certificate = Certificate::from_der(renewal.certificate().der()).unwrap();
        assert!(!certificate.is_authority());
        assert_eq!(certificate.agent().unwrap().as_str(), "support-bot");
        assert!(renewal.passport().begins() > renewal.passport().issued());
    }
}

#[test]
fn a_clock_that_goes_back_does_not_revive_an_expired_passport() {
    let authority = authority();
    let passport = issued(&authority, "support-bot").passport().clone();
    let standing = Standing {
        epoch: 1,
        state: AgentState::Active,
        expires_micros: passport.expires().as_micros(),
        passport: passport.id().to_string().into(),
    };
    let micros = |moment: Moment| moment.as_micros();
    assert!(standing.admits(micros(start()), 0).is_ok());
    let log = start().after(DAY);
    for clock in [start(), start().before(365 * DAY), Moment::from_micros(0)] {
        assert_eq!(
            standing.admits(micros(clock), micros(log)).unwrap_err().code(),
            "certificate_expired"
        );
    }
}
