//! Trust, as calls through a harness earn and lose it.

use std::time::Duration;

use managed_agents::approval::ApproverKey;
use managed_agents::call::Effect;
use managed_agents::testing::VirtualClock;
use managed_agents::{Behaviour, DenialKind, Engine, Harness, Outcome, Risk, ToolMeta};

/// A harness in memory whose agent may look up, book and refund, and nothing else.
async fn harness(behaviour: &Behaviour, clock: &VirtualClock, ann: &ApproverKey) -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id("bot")
        .governor(
            Engine::new()
                .scope("bot", ["look", "book", "refund"])
                .behaviour(behaviour),
        )
        .declare(ToolMeta::new("look").read_only())
        .declare(ToolMeta::new("book").reversible())
        .declare(ToolMeta::new("refund").with_risk(Risk::High))
        .declare(ToolMeta::new("drop").with_risk(Risk::High))
        .approver("ann", ann.public())
        .virtual_clock(clock.clone())
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn below_the_floor_everything_escalates_and_approved_calls_lead_back() {
    let behaviour = Behaviour::new();
    let clock = VirtualClock::new();
    let ann = ApproverKey::generate().unwrap();
    let harness = harness(&behaviour, &clock, &ann).await;
    harness.govern("look", "{}").await.unwrap().finish(Outcome::Ok);
    let mut denied = 0;
    while behaviour.trust("bot", Effect::Read).value() >= 0.3 {
        let refused = harness.govern("drop", "{}").await.unwrap_err();
        assert_eq!(refused.code(), "out_of_scope");
        denied += 1;
    }
    assert!((2..=4).contains(&denied), "{denied}");
    assert_eq!(behaviour.counts("bot"), (1, denied));
    // what nothing else would stop waits for a person now
    for tool in ["look", "book"] {
        let waiting = harness.govern(tool, "{}").await.unwrap_err();
        assert_eq!(
            (waiting.kind(), waiting.code()),
            (DenialKind::Escalated, "behaviour_trust")
        );
    }
    // an agent in disgrace is still denied what it was denied before
    assert_eq!(harness.govern("drop", "{}").await.unwrap_err().code(), "out_of_scope");
    let mut approved = 0;
    loop {
        match harness.govern("look", format!(r#"{{"n":{approved}}}"#)).await {
            Ok(permit) => {
                permit.finish(Outcome::Ok);
                break;
            }
            Err(waiting) => {
                harness.approve(waiting.ticket().unwrap(), &ann).unwrap();
                let permit = harness.govern("look", format!(r#"{{"n":{approved}}}"#)).await.unwrap();
                permit.finish(Outcome::Ok);
                approved += 1;
                assert!(approved < 40, "no way back");
                clock.advance(Duration::from_secs(3_600));
            }
        }
    }
    println!("{approved} approved calls lead back");
}

#[tokio::test]
async fn each_decision_states_trust_before_and_after_it() {
    let behaviour = Behaviour::new();
    let ann = ApproverKey::generate().unwrap();
    let harness = harness(&behaviour, &VirtualClock::new(), &ann).await;
    harness.govern("book", "{}").await.unwrap().finish(Outcome::Ok);
    harness.govern("drop", "{}").await.unwrap_err();
    harness.govern("refund", "{}").await.unwrap_err();
    let stated: Vec<_> = harness
        .records()
        .iter()
        .map(|entry| entry.decision().trust_millionths().unwrap())
        .collect();
    assert_eq!(stated[0].0, stated[0].1, "allowing earns nothing");
    assert!(stated[1].1 < stated[1].0, "a denial costs at once");
    assert_eq!(stated[2], (stated[1].1, stated[1].1), "what waits costs nothing");
    let now = behaviour.trust("bot", Effect::Grave);
    assert_eq!(now.millionths(), stated[2].1);
    assert!(now.upper() > now.value() && now.bad() == 5.0, "{now:?}");
}

#[tokio::test]
async fn what_is_out_of_order_elsewhere_costs_an_agent_nothing() {
    let behaviour = Behaviour::new();
    let ann = ApproverKey::generate().unwrap();
    let harness = harness(&behaviour, &VirtualClock::new(), &ann).await;
    let before = behaviour.trust("bot", Effect::Grave);
    harness.govern("book", "not json").await.unwrap_err();
    let waiting = harness.govern("refund", "{}").await.unwrap_err();
    assert_eq!(waiting.code(), "risk_high");
    assert_eq!(behaviour.trust("bot", Effect::Grave), before);
    // a person's no is a denial like others
    harness.reject(waiting.ticket().unwrap(), &ann, "no").unwrap();
    assert_eq!(harness.govern("refund", "{}").await.unwrap_err().code(), "rejected");
    assert!(behaviour.trust("bot", Effect::Grave).value() < before.value());
}

#[tokio::test]
async fn an_engine_without_behaviour_remembers_nothing() {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bot")
        .governor(Engine::new().scope("bot", ["look"]).without_behaviour())
        .declare(ToolMeta::new("look").read_only())
        .build()
        .await
        .unwrap();
    for _ in 0..50 {
        assert_eq!(harness.govern("drop", "{}").await.unwrap_err().code(), "out_of_scope");
    }
    harness.govern("look", "{}").await.unwrap().finish(Outcome::Ok);
    assert!(
        harness
            .records()
            .iter()
            .all(|entry| entry.decision().trust_millionths().is_none())
    );
}
