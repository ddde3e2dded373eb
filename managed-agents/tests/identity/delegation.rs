//! Delegation: rights only shrink, whatever a holder of keys signs.

use std::time::Duration;

use managed_agents::identity::{
    AgentState, Authority, Delegation, Enrolment, IdentityErrorKind, Issued, Moment, Passport, PrivateKey, Scope,
    StateStatement,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DAY, HOUR, agent, authority, forged, issued, start, verified};

fn parent(authority: &Authority, delegable: u8) -> Issued {
    let enrolment = Enrolment::new(agent("support-bot"))
        .owner("ann")
        .zone("eu")
        .scope(Scope::tools(["a", "b", "c"]))
        .delegable(delegable);
    authority.issue(&enrolment, start()).unwrap()
}

#[test]
fn a_chain_verifies_as_a_whole_and_not_without_a_link() {
    let authority = authority();
    let first = parent(&authority, 2);
    let keys = [PrivateKey::generate().unwrap(), PrivateKey::generate().unwrap()];
    let one = verified(&authority, first.passport());
    let delegation = Delegation::new("reader", keys[0].public())
        .scope(Scope::tools(["a", "b"]))
        .lifetime(HOUR)
        .archetype("reading")
        .delegable(1);
    let second = one.delegate(first.key(), &delegation, start()).unwrap();
    let two = authority
        .trust()
        .verify(&[first.passport().clone(), second.clone()])
        .unwrap();
    let third = two
        .delegate(
            &keys[0],
            &Delegation::new("quick", keys[1].public()).scope(Scope::tools(["a"])),
            start(),
        )
        .unwrap();
    let chain = [first.passport().clone(), second.clone(), third.clone()];
    let three = authority.trust().verify(&chain).unwrap();
    assert_eq!(three.agent().as_str(), "support-bot.reader.quick");
    assert_eq!(
        (third.depth(), third.delegable(), third.owner(), third.zone()),
        (2, 0, Some("ann"), Some("eu"))
    );
    assert_eq!(third.expires(), start().after(HOUR));
    assert_eq!(third.parent(), Some(second.id()));
    three.valid_at(start()).unwrap();
    assert_eq!(
        three.valid_at(start().after(HOUR)).unwrap_err().kind(),
        IdentityErrorKind::Expired
    );
    for broken in [&chain[1..], &chain[2..], &[chain[0].clone(), chain[2].clone()][..], &[]] {
        assert!(authority.trust().verify(broken).is_err());
    }
    // no deeper than was given
    let deeper = three.delegate(&keys[1], &Delegation::new("x", first.key().public()), start());
    assert_eq!(deeper.unwrap_err().kind(), IdentityErrorKind::Widened);
    // whoever stands above may stop it, whoever stands beside or below may not
    let by = |key| StateStatement::sign(key, &two, AgentState::Suspended, "odd", None, start()).unwrap();
    by(first.key()).verify(authority.trust(), &two).unwrap();
    by(&keys[0]).verify(authority.trust(), &two).unwrap();
    assert!(by(&keys[1]).verify(authority.trust(), &two).is_err());
    // where programs know only X.509, the authority can vouch for it
    let certificate = authority.certify_sub_agent(&three, start()).unwrap();
    authority.trust().verify_certificate(&certificate, start()).unwrap();
    assert_eq!(
        certificate.spiffe_id(),
        "spiffe://agents.example.com/agent/support-bot.reader.quick"
    );
}

#[test]
fn an_agent_hands_on_nothing_unless_it_may() {
    let authority = authority();
    let first = issued(&authority, "support-bot");
    let key = PrivateKey::generate().unwrap();
    let one = verified(&authority, first.passport());
    let delegate =
        |key: &PrivateKey, delegation: &Delegation, now| one.delegate(key, delegation, now).unwrap_err().kind();
    let delegation = Delegation::new("x", key.public());
    assert_eq!(delegate(first.key(), &delegation, start()), IdentityErrorKind::Widened);
    assert_eq!(delegate(&key, &delegation, start()), IdentityErrorKind::Input);
    assert_eq!(
        delegate(first.key(), &delegation, start().after(DAY)),
        IdentityErrorKind::Expired
    );
}

#[test]
fn a_name_outside_the_agents_own_or_none_at_all_is_refused() {
    let authority = authority();
    let first = parent(&authority, 1);
    let one = verified(&authority, first.passport());
    let key = PrivateKey::generate().unwrap();
    for name in ["A", "x y", "", "\n", &"x".repeat(60)] {
        let result = one.delegate(first.key(), &Delegation::new(name, key.public()), start());
        // a dot at the end is a name
        assert_eq!(result.is_ok(), name.is_empty(), "{name:?}");
    }
    let honest = one
        .delegate(first.key(), &Delegation::new("x", key.public()), start())
        .unwrap();
    for name in ["support-bot", "support-botx", "other", "other.x"] {
        let text = forged(&honest, first.key(), |body| body["agent"] = name.into());
        let chain = [first.passport().clone(), Passport::parse(&text).unwrap()];
        assert_eq!(
            authority.trust().verify(&chain).unwrap_err().kind(),
            IdentityErrorKind::Widened,
            "{name}"
        );
    }
}

/// Mostly what the agent may hand on, so that often one thing alone is too much.
fn mostly<T: Clone + std::fmt::Debug + 'static>(
    within: impl Strategy<Value = T> + 'static,
    any: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = T> {
    prop_oneof![6 => within, 1 => any]
}

fn scopes() -> impl Strategy<Value = Value> {
    let some = |names: Vec<&'static str>| {
        let count = names.len();
        proptest::sample::subsequence(names, 0..=count).prop_map(|names| json!(names))
    };
    let any = prop_oneof![Just(json!("all")), some(vec!["a", "b", "c", "d"]), Just(json!(["d"]))];
    mostly(some(vec!["a", "b", "c"]), any)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever the agent signs for a sub-agent with its own key: if it is believed, it gives nothing that the agent lacks.
    #[test]
    fn rights_only_shrink(
        scope in scopes(),
        begins in mostly(0_i64..3, -2_i64..0),
        hours in mostly(1_i64..20, 20_i64..48),
        depth in mostly(Just(1_u8), 0_u8..4),
        delegable in mostly(0_u8..2, 0_u8..4),
        owner in mostly(Just(Some("ann")), proptest::option::of(Just("eve"))),
        zone in mostly(Just(Some("eu")), proptest::option::of(Just("us"))),
        honest_parent in mostly(Just(true), Just(false)),
    ) {
        let authority = authority();
        let first = parent(&authority, 2);
        let one = verified(&authority, first.passport());
        let key = PrivateKey::generate().unwrap();
        let honest = one.delegate(first.key(), &Delegation::new("x", key.public()), start()).unwrap();
        let from = Moment::from_micros(start().as_micros() + begins * 3_600_000_000);
        let text = forged(&honest, first.key(), |body| {
            body["scope"] = scope;
            body["issued"] = from.to_string().into();
            body["begins"] = from.to_string().into();
            body["expires"] = from.after(Duration::from_secs(hours.unsigned_abs() * 3600)).to_string().into();
            body["depth"] = depth.into();
            body["delegable"] = delegable.into();
            for (name, value) in [("owner", owner), ("zone", zone)] {
                match value {
                    Some(value) => body[name] = value.into(),
                    None => drop(body.as_object_mut().unwrap().remove(name)),
                }
            }
            if !honest_parent {
                body["parent"] = format!("nmc-{}", "0".repeat(32)).into();
            }
        });
        let Ok(child) = Passport::parse(&text) else { return Ok(()) };
        let within = child.scope().is_within(first.passport().scope())
            && child.begins() >= first.passport().begins()
            && child.expires() <= first.passport().expires()
            && child.depth() == 1
            && child.delegable() <= 1
            && child.owner() == Some("ann")
            && child.zone() == Some("eu")
            && honest_parent;
        let believed = authority.trust().verify(&[first.passport().clone(), child]);
        prop_assert_eq!(believed.is_ok(), within);
    }

    #[test]
    fn what_delegate_makes_is_believed_and_within(
        tools in proptest::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4), hours in 1_u64..48, delegable in 0_u8..4,
    ) {
        let authority = authority();
        let first = parent(&authority, 2);
        let one = verified(&authority, first.passport());
        let key = PrivateKey::generate().unwrap();
        let delegation = Delegation::new("x", key.public())
            .scope(Scope::tools(tools.clone()))
            .lifetime(Duration::from_secs(hours * 3600))
            .delegable(delegable);
        let made = one.delegate(first.key(), &delegation, start());
        prop_assert_eq!(made.is_ok(), !tools.contains(&"d") && delegable < 2);
        if let Ok(child) = made {
            prop_assert!(child.expires() <= first.passport().expires());
            authority.trust().verify(&[first.passport().clone(), child]).unwrap();
        }
    }
}
