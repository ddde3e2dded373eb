//! What an agent's passport says of its kind is what is usual for it until its own calls are learnt.

use managed_agents::assessment::{Archetype, Assessor, Preset};
use managed_agents::home::Home;
use managed_agents::identity::Enrolment;
use managed_agents::store::Query;
use managed_agents::{AgentId, Engine, Harness, Outcome, Risk, ToolMeta};

use crate::record::Dir;

fn enrol(home: &Home, agent: &str, archetype: Option<&str>) {
    let enrolment = Enrolment::new(AgentId::parse(agent).unwrap());
    let enrolment = match archetype {
        Some(archetype) => enrolment.archetype(archetype),
        None => enrolment,
    };
    home.register(&enrolment).unwrap();
}

async fn writes(home: &Home, agent: &str, assessor: &Assessor) {
    let harness = Harness::builder()
        .agent_id(agent)
        .home(home)
        .governor(Engine::new().assess(assessor))
        .declare(ToolMeta::new("write").with_risk(Risk::Medium).reversible())
        .build()
        .await
        .unwrap();
    harness.govern("write", "{}").await.unwrap().finish(Outcome::Ok);
    home.store().flush().await.unwrap();
}

/// The score of a recorded call as a whole, and of its agent's consistency, in millionths.
fn scores(home: &Home, agent: &str) -> (u64, Option<u64>) {
    let page = home
        .store()
        .reader()
        .unwrap()
        .query(&Query::new().kind("decision").agent(agent))
        .unwrap();
    let entry = page.entries().last().unwrap();
    let dimensions: serde_json::Value = serde_json::from_str(entry.raw("dimensions").unwrap()).unwrap();
    let ucs = entry.raw("ucs").unwrap().parse().unwrap();
    (ucs, dimensions["behavioral_consistency"].as_u64())
}

#[tokio::test]
async fn the_archetype_of_a_passport_says_what_is_usual_and_code_says_more() {
    let dir = Dir::new();
    let home = dir.home();
    let assessor = Assessor::new(Preset::general()).kind("scribe", Archetype::new(1.0, 99.0, 0.0));
    for (agent, archetype) in [
        ("ann", Some("research-analyst")),
        ("ops", Some("operations-coordinator")),
        ("pen", Some("scribe")),
        ("odd", Some("nobody knows this word")),
        ("new", None),
    ] {
        enrol(&home, agent, archetype);
        writes(&home, agent, &assessor).await;
    }
    let (analyst, operator) = (scores(&home, "ann"), scores(&home, "ops"));
    assert_eq!(
        (analyst.1, operator.1),
        (Some(900_000), Some(1_000_000)),
        "analysts hardly ever write"
    );
    assert!(analyst.0 < operator.0, "{analyst:?} {operator:?}");
    assert_eq!(scores(&home, "pen").1, Some(1_000_000), "a word of the program's own");
    assert_eq!(
        (scores(&home, "odd").1, scores(&home, "new").1),
        (None, None),
        "nothing is known of these"
    );
    // what the program says of an agent stands before its passport
    writes(&home, "ann", &assessor.clone().archetype("ann", Archetype::operator())).await;
    assert_eq!(scores(&home, "ann").1, Some(1_000_000));
    drop(home);
    // and from the record alone, in another process
    let home = dir.home();
    writes(&home, "ann", &assessor).await;
    assert_eq!(scores(&home, "ann").1, Some(900_000));
}
