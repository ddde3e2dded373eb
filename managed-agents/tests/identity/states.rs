//! States: who may state what, and what may follow.

use managed_agents::identity::{AgentState, IdentityErrorKind, StateStatement};
use proptest::prelude::*;

use super::{DAY, HOUR, agent, authority, issued, start, verified};

const STATES: [AgentState; 3] = [AgentState::Active, AgentState::Suspended, AgentState::Revoked];

#[test]
fn a_state_is_signed_and_numbered_and_reads_back() {
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "support-bot").passport());
    let first = authority
        .state(&passport, AgentState::Suspended, "under_review", None, start())
        .unwrap();
    let second = authority
        .state(&passport, AgentState::Active, "reviewed", Some(&first), start())
        .unwrap();
    let read = StateStatement::parse(second.as_json()).unwrap();
    assert_eq!(read, second);
    read.verify(authority.trust(), &passport).unwrap();
    read.follows(Some(&first)).unwrap();
    assert_eq!(
        (read.number(), read.state(), read.reason()),
        (2, AgentState::Active, "reviewed")
    );
    // an old reactivation cannot be said again
    let third = authority
        .state(&passport, AgentState::Suspended, "again", Some(&second), start())
        .unwrap();
    assert_eq!(
        second.follows(Some(&third)).unwrap_err().kind(),
        IdentityErrorKind::Unrelated
    );
}

#[test]
fn revocation_is_for_good() {
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "support-bot").passport());
    let revoked = authority
        .state(&passport, AgentState::Revoked, "gone", None, start())
        .unwrap();
    for state in STATES {
        let after = authority.state(&passport, state, "back", Some(&revoked), start());
        assert_eq!(after.unwrap_err().kind(), IdentityErrorKind::Revoked);
    }
    let renewed = authority.renew(&passport, AgentState::Revoked, start()).unwrap_err();
    assert_eq!(renewed.kind(), IdentityErrorKind::Revoked);
    let enrolment = managed_agents::identity::Enrolment::new(agent("support-bot"));
    let key = passport.passport().key();
    let again = authority.reissue(&passport, AgentState::Revoked, &enrolment, key, start());
    assert_eq!(again.unwrap_err().kind(), IdentityErrorKind::Revoked);
    let mandate = authority.mandate(&passport, AgentState::Revoked, DAY, start());
    assert_eq!(mandate.unwrap_err().kind(), IdentityErrorKind::Revoked);
}

#[test]
fn an_agent_may_stop_itself_and_not_start_itself() {
    let authority = authority();
    let (own, stranger) = (issued(&authority, "support-bot"), issued(&authority, "other"));
    let passport = verified(&authority, own.passport());
    for state in STATES {
        let by_itself = StateStatement::sign(own.key(), &passport, state, "drifted", None, start()).unwrap();
        let believed = by_itself.verify(authority.trust(), &passport);
        assert_eq!(believed.is_ok(), state != AgentState::Active, "{state}");
        let by_stranger = StateStatement::sign(stranger.key(), &passport, state, "drifted", None, start()).unwrap();
        let kind = by_stranger.verify(authority.trust(), &passport).unwrap_err().kind();
        assert_eq!(kind, IdentityErrorKind::Untrusted);
    }
}

#[test]
fn a_state_of_one_agent_is_none_of_another() {
    let authority = authority();
    let (one, two) = (issued(&authority, "one"), issued(&authority, "two"));
    let (one, two) = (
        verified(&authority, one.passport()),
        verified(&authority, two.passport()),
    );
    let state = authority
        .state(&one, AgentState::Active, "fine", None, start())
        .unwrap();
    assert_eq!(
        state.verify(authority.trust(), &two).unwrap_err().kind(),
        IdentityErrorKind::Unrelated
    );
    let of_two = authority
        .state(&two, AgentState::Active, "fine", None, start())
        .unwrap();
    assert_eq!(
        state.follows(Some(&of_two)).unwrap_err().kind(),
        IdentityErrorKind::Unrelated
    );
}

#[test]
fn every_altered_byte_of_a_state_is_found() {
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "support-bot").passport());
    let state = authority
        .state(&passport, AgentState::Suspended, "under_review", None, start())
        .unwrap();
    let text = state.as_json();
    for at in 0..text.len() {
        for flip in [1, 2, 0x20] {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= flip;
            let Ok(altered) = String::from_utf8(bytes) else {
                continue;
            };
            let believed = StateStatement::parse(&altered).and_then(|state| state.verify(authority.trust(), &passport));
            assert!(believed.is_err(), "byte {at}: {altered}");
        }
    }
}

#[test]
fn a_clock_that_goes_back_keeps_the_order_of_states() {
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "support-bot").passport());
    let first = authority
        .state(&passport, AgentState::Suspended, "a", None, start())
        .unwrap();
    let second = authority
        .state(&passport, AgentState::Active, "b", Some(&first), start().before(HOUR))
        .unwrap();
    assert!(second.at() >= first.at());
    second.follows(Some(&first)).unwrap();
}

#[test]
fn a_reason_is_a_code() {
    let authority = authority();
    let passport = verified(&authority, issued(&authority, "a").passport());
    for reason in ["", "Two words", "x\n", &"x".repeat(65)] {
        let refused = authority.state(&passport, AgentState::Suspended, reason, None, start());
        assert_eq!(refused.unwrap_err().kind(), IdentityErrorKind::Input, "{reason:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn after_a_revocation_nothing_follows(states in proptest::collection::vec(0..3_usize, 1..8)) {
        let authority = authority();
        let passport = verified(&authority, issued(&authority, "a").passport());
        let mut last: Option<StateStatement> = None;
        let mut revoked = false;
        for (at, state) in states.into_iter().enumerate() {
            let next = authority.state(&passport, STATES[state], "x", last.as_ref(), start());
            prop_assert_eq!(next.is_err(), revoked);
            let Ok(next) = next else { break };
            prop_assert_eq!(next.number(), at as u64 + 1);
            revoked = next.state() == AgentState::Revoked;
            last = Some(next);
        }
    }
}
