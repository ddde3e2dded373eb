//! Trust, as calls through a harness earn and lose it.

use std::time::Duration;

use managed_agents::approval::ApproverKey;
use managed_agents::call::Effect;
use managed_agents::identity::Enrolment;
use managed_agents::testing::VirtualClock;
use managed_agents::{AgentId, Behaviour, DenialKind, Engine, Harness, Outcome, Risk, ToolMeta};

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

/// Denied until it is below the floor.
async fn falls(harness: &Harness, behaviour: &Behaviour) -> f64 {
    while behaviour.trust("bot", Effect::Read).value() >= 0.3 {
        harness.govern("drop", "{}").await.unwrap_err();
    }
    behaviour.trust("bot", Effect::Read).value()
}

fn engine(behaviour: &Behaviour) -> Engine {
    let tools = ["look", "book"];
    let scoped = ["bot", "bot.second", "bot.second.third"].into_iter();
    scoped.fold(Engine::new().behaviour(behaviour), |engine, agent| {
        engine.scope(agent, tools)
    })
}

async fn of(agent: &str, home: &managed_agents::home::Home, behaviour: &Behaviour) -> Harness {
    let builder = Harness::builder()
        .home(home)
        .agent_id(agent)
        .governor(engine(behaviour));
    let builder = builder.declare(ToolMeta::new("look").read_only());
    builder
        .declare(ToolMeta::new("drop").with_risk(Risk::High))
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn whitewashing_by_registering_again_pays_nothing() {
    let dir = crate::record::Dir::new();
    let fallen = {
        let home = dir.home();
        home.register(&Enrolment::new(AgentId::parse("bot").unwrap()).delegable(2))
            .unwrap();
        let behaviour = Behaviour::new();
        let harness = of("bot", &home, &behaviour).await;
        let fallen = falls(&harness, &behaviour).await;
        home.store().flush().await.unwrap();
        fallen
    };
    // a new passport, in a new process, with a new key where there was one: the same name, the same trust
    let home = dir.home();
    home.register(
        &Enrolment::new(AgentId::parse("bot").unwrap())
            .owner("another")
            .delegable(2),
    )
    .unwrap();
    let behaviour = Behaviour::new();
    let again = of("bot", &home, &behaviour).await;
    assert!((behaviour.trust("bot", Effect::Read).value() - fallen).abs() < 1e-9);
    assert_eq!(again.govern("look", "{}").await.unwrap_err().code(), "behaviour_trust");
    drop((again, home));
    // a name below its own, which it could give itself, is trusted no more than it: in a process that knows nothing of it yet
    for below in ["bot.second", "bot.second.third"] {
        let home = dir.home();
        let fresh = Behaviour::new();
        let second = Harness::builder()
            .recorder(managed_agents::store::Store::open(dir.options()).unwrap())
            .agent_id(below)
            .governor(engine(&fresh))
            .declare(ToolMeta::new("look").read_only())
            .build()
            .await
            .unwrap();
        assert_eq!(
            second.govern("look", "{}").await.unwrap_err().code(),
            "behaviour_trust",
            "{below}"
        );
        drop((second, home));
    }
}

#[tokio::test]
async fn who_stands_above_has_nothing_of_what_a_name_below_earns() {
    let behaviour = Behaviour::new();
    let below = Harness::builder()
        .in_memory()
        .agent_id("bot.second")
        .governor(engine(&behaviour))
        .declare(ToolMeta::new("look").read_only())
        .build()
        .await
        .unwrap();
    let before = behaviour.trust("bot", Effect::Read);
    for _ in 0..20 {
        below.govern("look", "{}").await.unwrap().finish(Outcome::Ok);
    }
    assert_eq!(behaviour.trust("bot", Effect::Read), before);
    assert!(behaviour.trust("bot.second", Effect::Read).value() > before.value());
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
