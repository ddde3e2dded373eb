//! What is made of each call.

use std::time::Duration;

use managed_agents::claude::{CallEnd, SessionEnd, SessionErrorKind, SessionStop};
use managed_agents::interrupt::Stop;
use managed_agents::{AgentId, Outcome};
use serde_json::json;
use tests::managed::Turn;

use crate::world::{World, answers, bash, issue, look, pay_back};

#[tokio::test]
async fn custom_calls_run_here_and_others_are_allowed_or_refused_with_the_reason() {
    let turns = [
        Turn::calls(vec![look("7"), look("8"), bash("ask"), issue()]),
        Turn::says("All done."),
    ];
    let world = World::open(turns).await;
    let governor = world.governor().build().unwrap();
    let report = governor.converse(&world.session, "go").await.unwrap();
    assert_eq!(report.end(), Some(&SessionEnd::Turn(SessionStop::EndTurn)));
    assert_eq!((report.text(), report.calls().len()), ("All done.", 4));
    assert_eq!(world.ran.all(), [("7".to_owned(), 1), ("8".to_owned(), 1)].into());
    let answers = answers(&world.events());
    for (call, answers) in &answers {
        assert_eq!(answers.len(), 1, "{call}");
    }
    assert_eq!(answers[0].1[0]["content"][0]["text"], "order 7 was paid");
    assert_eq!(answers[2].1[0]["result"], "deny");
    assert!(answers[2].1[0]["deny_message"].as_str().unwrap().len() > 10);
    assert_eq!(answers[3].1[0]["result"], "allow");
    assert_eq!(world.server.world().refused(), [""; 0]);
    // the allowed call ran at the service, and the record says how it ended
    let records = world.harness.records();
    let issue = records
        .iter()
        .find(|entry| entry.decision().tool() == "mcp__linear__create_issue")
        .unwrap();
    assert_eq!(issue.outcome().unwrap().outcome(), Outcome::Ok);
    assert!(
        records
            .iter()
            .all(|entry| entry.decision().session() == Some(world.session.as_str()))
    );
}

#[tokio::test]
async fn an_escalated_call_leaves_the_session_waiting_until_a_person_decides() {
    let world = World::open([Turn::calls(vec![pay_back("7"), look("8")]), Turn::says("Refunded.")]).await;
    let governor = world.governor().build().unwrap();
    let person = async {
        let ticket = loop {
            match world.harness.pending().first() {
                Some(ticket) => break ticket.clone(),
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        // its sibling is answered meanwhile
        while answers(&world.events())[1].1.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(answers(&world.events())[0].1.is_empty(), "nobody has decided");
        world.harness.approve(ticket.id(), &world.ann).unwrap();
    };
    let (report, ()) = tokio::join!(governor.converse(&world.session, "go"), person);
    let report = report.unwrap();
    assert_eq!(report.text(), "Refunded.");
    assert_eq!(world.ran.all()["7"], 1);
    assert_eq!(
        answers(&world.events())[0].1[0]["content"][0]["text"],
        "refunded 120 for 7"
    );
}

#[tokio::test]
async fn an_escalated_call_is_refused_when_a_person_says_no_or_nobody_in_time() {
    for rejects in [true, false] {
        let world = World::open([Turn::calls(vec![pay_back("7")]), Turn::says("Then not.")]).await;
        let governor = world.governor();
        let governor = if rejects {
            governor
        } else {
            governor.approval_limit(Duration::from_millis(150))
        };
        let governor = governor.build().unwrap();
        let person = async {
            loop {
                if let Some(ticket) = world.harness.pending().first() {
                    if rejects {
                        world
                            .harness
                            .reject(ticket.id(), &world.ann, "the shop is closed")
                            .unwrap();
                    }
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let (report, ()) = tokio::join!(governor.converse(&world.session, "go"), person);
        assert_eq!(report.unwrap().calls()[0].end(), CallEnd::Refused);
        let answer = &answers(&world.events())[0].1[0];
        assert_eq!(answer["is_error"], true);
        let said = answer["content"][0]["text"].as_str().unwrap();
        let expected = if rejects {
            "the shop is closed"
        } else {
            "nobody has decided"
        };
        assert!(said.contains(expected), "{said}");
        assert!(world.ran.all().is_empty());
    }
}

#[tokio::test]
async fn what_ran_without_asking_is_reported_and_what_is_not_ours_left() {
    let other = json!({"type": "agent.custom_tool_use", "name": "somebody_elses", "input": {}});
    let world = World::open([Turn::calls(vec![bash("allow"), bash("deny"), other, look("1")])]).await;
    let governor = world.governor().build().unwrap();
    let cancel = async {
        while world.ran.all().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    world
        .client
        .send(&world.session, &[managed_agents::claude::Outgoing::message("go")])
        .await
        .unwrap();
    let report = governor.run_until(&world.session, cancel).await.unwrap();
    assert_eq!(report.end(), Some(&SessionEnd::Cancelled));
    assert_eq!((report.outside().len(), report.outside()[0].tool()), (1, "bash"));
    assert_eq!(
        (report.unowned().len(), report.unowned()[0].tool()),
        (1, "somebody_elses")
    );
    let given: Vec<_> = answers(&world.events())
        .iter()
        .map(|(_, answers)| answers.len())
        .collect();
    assert_eq!(given, [0, 0, 0, 1]);
}

#[tokio::test]
async fn a_call_whose_permission_is_not_said_is_judged_when_the_session_waits_for_it() {
    let mut silent = issue();
    silent.as_object_mut().unwrap().remove("evaluated_permission");
    let mut new = bash("ask");
    new["evaluated_permission"] = "escalate_to_moon".into();
    let world = World::open([Turn::calls(vec![silent, new]), Turn::says("ok")]).await;
    let report = world
        .governor()
        .build()
        .unwrap()
        .converse(&world.session, "go")
        .await
        .unwrap();
    let ends: Vec<_> = report
        .calls()
        .iter()
        .map(|call| (call.tool().to_owned(), call.end()))
        .collect();
    assert!(
        ends.contains(&("mcp__linear__create_issue".to_owned(), CallEnd::Allowed)),
        "{ends:?}"
    );
    assert!(ends.contains(&("bash".to_owned(), CallEnd::Refused)), "{ends:?}");
}

#[tokio::test]
async fn calls_of_subagents_are_governed_and_those_of_ended_threads_dropped() {
    let mut of_thread = look("7");
    of_thread["session_thread_id"] = "sthr_1".into();
    let mut of_ended = look("8");
    of_ended["session_thread_id"] = "sthr_2".into();
    let ended = json!({"type": "session.thread_status_terminated", "session_thread_id": "sthr_2", "agent_name": "x"});
    let world = World::open([Turn::calls(vec![of_thread, of_ended, look("9")])]).await;
    world.server.world().tell(&world.session, ended);
    let governor = world.governor().build().unwrap();
    let cancel = async {
        while world.ran.all().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    world
        .client
        .send(&world.session, &[managed_agents::claude::Outgoing::message("go")])
        .await
        .unwrap();
    governor.run_until(&world.session, cancel).await.unwrap();
    assert_eq!(world.ran.all().into_keys().collect::<Vec<_>>(), ["7", "9"]);
}

#[tokio::test]
async fn cancelling_answers_what_runs_here_and_interrupts_the_session() {
    let world = World::open([Turn::calls(vec![look("never"), look("2")])]).await;
    let governor = world.governor().build().unwrap();
    let cancel = async {
        while world.ran.all().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    world
        .client
        .send(&world.session, &[managed_agents::claude::Outgoing::message("go")])
        .await
        .unwrap();
    let report = governor.run_until(&world.session, cancel).await.unwrap();
    assert_eq!(report.end(), Some(&SessionEnd::Cancelled));
    let events = world.events();
    let answers = answers(&events);
    assert_eq!(answers[0].1.len(), 1);
    assert!(
        answers[0].1[0]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("not known")
    );
    assert!(events.iter().any(|event| event["type"] == "user.interrupt"));
    let records = world.harness.records();
    assert!(records.iter().any(|entry| {
        entry
            .outcome()
            .is_some_and(|ended| ended.outcome() == Outcome::Cancelled)
    }));
}

#[tokio::test]
async fn stopping_the_agent_interrupts_its_sessions() {
    let world = World::open([Turn::calls(vec![look("never")])]).await;
    let governor = world.governor().build().unwrap();
    let stop = async {
        while world.ran.all().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let stop = Stop::agent(AgentId::parse("shop").unwrap()).because("runaway");
        world.harness.stop(&stop).await.unwrap();
    };
    let (report, ()) = tokio::join!(governor.converse(&world.session, "go"), stop);
    assert_eq!(report.unwrap().end(), Some(&SessionEnd::Stopped));
    let events = world.events();
    assert_eq!(answers(&events)[0].1.len(), 1, "the call was answered");
    assert!(events.iter().any(|event| event["type"] == "user.interrupt"));
}

#[tokio::test]
async fn governing_begins_in_the_middle_and_answers_only_what_has_no_answer() {
    let world = World::open([Turn::calls(vec![look("1"), look("2")]), Turn::says("ok")]).await;
    let send = |event| {
        let client = world.client.clone();
        let session = world.session.clone();
        async move { client.send(&session, &[event]).await.unwrap() }
    };
    send(managed_agents::claude::Outgoing::message("go")).await;
    let first = answers(&world.events())[0].0["id"].as_str().unwrap().to_owned();
    send(managed_agents::claude::Outgoing::custom_result(
        &first,
        "by another",
        false,
    ))
    .await;
    let report = world.governor().build().unwrap().run(&world.session).await.unwrap();
    assert_eq!(report.calls().len(), 1);
    assert_eq!(world.ran.all().into_keys().collect::<Vec<_>>(), ["2"]);
}

#[tokio::test]
async fn a_session_whose_calls_can_slip_past_is_not_governed_unless_told() {
    let world = World::open([Turn::says("hi")]).await;
    world.server.world().change_session_agent(&world.session, |agent| {
        agent["tools"][2]["default_config"] = json!({"enabled": true, "permission_policy": {"type": "always_allow"}});
    });
    let governor = world.governor().build().unwrap();
    let error = governor.converse(&world.session, "go").await.unwrap_err();
    assert!(
        matches!(error.kind(), SessionErrorKind::Coverage(coverage) if !coverage.is_whole()),
        "{error}"
    );
    assert!(
        world.events().iter().all(|event| event["type"] != "user.message"),
        "nothing was said"
    );
    let governor = world.governor().accept_gaps().build().unwrap();
    let report = governor.converse(&world.session, "go").await.unwrap();
    assert!(!report.coverage().is_whole());
}

#[tokio::test]
async fn an_agent_that_is_opened_while_it_runs_is_interrupted() {
    let world = World::open([Turn::calls(vec![pay_back("7")]), Turn::says("ok")]).await;
    let governor = world.governor().build().unwrap();
    let change = async {
        while world.harness.pending().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        world.server.world().change_session_agent(&world.session, |agent| {
            agent["tools"][2]["configs"][0]["permission_policy"] = json!({"type": "auto"});
        });
    };
    let (ended, ()) = tokio::join!(governor.converse(&world.session, "go"), change);
    assert!(matches!(ended.unwrap_err().kind(), SessionErrorKind::Coverage(_)));
    assert!(world.events().iter().any(|event| event["type"] == "user.interrupt"));
    assert!(world.ran.all().is_empty());
}

#[tokio::test]
async fn a_call_of_a_tool_with_wrong_arguments_is_answered_as_an_error() {
    let wrong = json!({"type": "agent.custom_tool_use", "name": "lookup", "input": {"order": 7}});
    let world = World::open([Turn::calls(vec![wrong]), Turn::says("ok")]).await;
    let report = world
        .governor()
        .build()
        .unwrap()
        .converse(&world.session, "go")
        .await
        .unwrap();
    assert_eq!(report.calls()[0].end(), CallEnd::Refused);
    assert_eq!(answers(&world.events())[0].1[0]["is_error"], true);
}

#[tokio::test]
async fn neither_the_key_nor_texts_are_in_debug_output() {
    let world = World::open([Turn::calls(vec![look("SECRET")]), Turn::says("SECRET")]).await;
    let governor = world.governor().build().unwrap();
    let report = governor.converse(&world.session, "go").await.unwrap();
    let shown = format!(
        "{governor:?} {report:?} {:?} {:?}",
        world.client,
        world.client.events(&world.session).await
    );
    assert!(!shown.contains("CANARY") && !shown.contains("SECRET"), "{shown}");
}
