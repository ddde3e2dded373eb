//! The typed client.

use managed_agents::claude::{
    AgentDraft, AgentTool, ApiErrorKind, EnvironmentDraft, EnvironmentKind, EventBody, Outgoing, SessionDraft,
    SessionStatus, SessionStop,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tests::http::{Answer, Server};
use tests::managed::{ManagedServer, Turn};

use crate::world::{self, Ran, client, look};

#[tokio::test]
async fn agents_are_created_and_updated_from_a_toolbox() {
    let server = ManagedServer::start([]).await.unwrap();
    let client = client(server.url());
    let toolbox = world::toolbox(&Arc::<Ran>::default());
    let agent = client
        .create_agent(&AgentDraft::new("shop", "claude-opus-5-5").toolbox(&toolbox))
        .await
        .unwrap();
    let names: Vec<_> = agent
        .tools()
        .iter()
        .map(|tool| match tool {
            AgentTool::Custom { name } => name.as_str(),
            _ => "?",
        })
        .collect();
    assert_eq!((agent.version(), names), (1, vec!["lookup", "refund"]));
    let raw: Value = serde_json::from_str(agent.raw()).unwrap();
    assert_eq!(raw["tools"][0]["input_schema"]["required"], json!(["order"]));
    assert_eq!(raw["tools"][0]["type"], "custom");
    let change = AgentDraft::change().system("Be brief.");
    let next = client.update_agent(agent.id(), Some(1), &change).await.unwrap();
    assert_eq!((next.version(), next.tools().len()), (2, 2));
    let stale = client.update_agent(agent.id(), Some(1), &change).await.unwrap_err();
    assert_eq!(
        (stale.status(), stale.code(), stale.request_id()),
        (Some(409), Some("conflict_error"), Some("req_scripted"))
    );
    assert_eq!(client.agent_version(agent.id(), 1).await.unwrap().version(), 1);
    assert_eq!(client.agent_versions(agent.id()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let turns = (0..12)
        .map(|at| Turn::calls(vec![look(&at.to_string())]))
        .chain([Turn::says("ok")]);
    let world = world::World::open(turns).await;
    world
        .governor()
        .build()
        .unwrap()
        .converse(&world.session, "go")
        .await
        .unwrap();
    let events = world.client.events(&world.session).await.unwrap();
    assert!(events.len() > 50, "{}", events.len());
    assert_eq!(events.len(), world.events().len());
    assert!(matches!(
        events.last().unwrap().body(),
        EventBody::Idle(SessionStop::EndTurn)
    ));
}

#[tokio::test]
async fn what_is_not_known_is_kept_as_it_came() {
    let world = world::World::open([]).await;
    let new = r#"{"type":"agent.dreamt","id":"x","deep":{"a":[1e2]}}"#;
    world
        .server
        .world()
        .tell(&world.session, serde_json::from_str(new).unwrap());
    let idle = json!({"type": "session.status_idle", "stop_reason": {"type": "bored", "since": 7}});
    world.server.world().tell(&world.session, idle);
    let broken = json!({"type": "agent.custom_tool_use", "name": 7, "input": {}});
    world.server.world().tell(&world.session, broken);
    let events = world.client.events(&world.session).await.unwrap();
    assert!(matches!(events[0].body(), EventBody::Other));
    assert!(
        events[0].raw().contains(r#""deep":{"a":[100.0]}"#),
        "{}",
        events[0].raw()
    );
    assert!(matches!(events[1].body(), EventBody::Idle(SessionStop::Other(reason)) if reason == "bored"));
    assert!(
        matches!(events[2].body(), EventBody::Other),
        "a call without a name is none"
    );
}

#[tokio::test]
async fn what_changes_something_is_not_sent_twice_unless_it_surely_was_not_taken() {
    let agent = Answer::text(r#"{"id":"a","type":"agent","version":1}"#);
    let busy = |status| Answer::text("{}").status(status).header("retry-after-ms", "1");
    let draft = AgentDraft::new("a", "m");
    for (first, asked) in [
        (busy(429), 2),
        (busy(529), 2),
        (busy(500), 1),
        (busy(409), 1),
        (agent.clone().broken_off(5), 1),
    ] {
        let server = Server::start([first.clone(), agent.clone()]).await;
        let created = client(server.url()).create_agent(&draft).await;
        assert_eq!(
            (server.asked().len(), created.is_ok()),
            (asked, asked == 2),
            "{first:?}"
        );
        // reading is
        let server = Server::start([first, agent.clone()]).await;
        client(server.url()).agent("a").await.unwrap();
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn requests_are_what_the_api_documents() {
    let server = Server::start([Answer::text(r#"{"data":[],"next_page":null}"#)]).await;
    client(server.url()).events("sesn/../1").await.unwrap();
    let asked = server.asked().remove(0);
    assert_eq!(asked.path, "/v1/sessions/sesn%2F..%2F1/events?limit=1000");
    assert_eq!(asked.header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(asked.header("anthropic-beta"), Some("managed-agents-2026-04-01"));
    assert_eq!(asked.header("x-api-key"), Some("sk-ant-CANARY"));
}

#[tokio::test]
async fn a_list_that_does_not_end_or_cannot_be_read_is_an_error() {
    let page = Answer::text(r#"{"data":[{"type":"x"}],"next_page":"p"}"#);
    let server = Server::start(vec![page; 3]).await;
    let error = client(server.url()).events("s").await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::Malformed);
    let server = Server::start([Answer::text(r#"{"data":[{"no":"type"}],"next_page":null}"#)]).await;
    assert_eq!(
        client(server.url()).events("s").await.unwrap_err().kind(),
        ApiErrorKind::Malformed
    );
    assert_eq!(
        client(server.url()).events("..").await.unwrap_err().kind(),
        ApiErrorKind::Configuration
    );
}

#[tokio::test]
async fn sessions_environments_and_their_kinds_are_read() {
    let server = ManagedServer::start([Turn::says("hi")]).await.unwrap();
    let client = client(server.url());
    let agent = client.create_agent(&AgentDraft::new("a", "m")).await.unwrap();
    let cloud = client.create_environment(&EnvironmentDraft::cloud("c")).await.unwrap();
    let own = client
        .create_environment(&EnvironmentDraft::self_hosted("o"))
        .await
        .unwrap();
    assert_eq!(
        (cloud.kind(), own.kind()),
        (EnvironmentKind::Cloud, EnvironmentKind::SelfHosted)
    );
    let session = client
        .create_session(&SessionDraft::of_version(agent.id(), 1, cloud.id()).title("t"))
        .await
        .unwrap();
    assert_eq!(
        (session.status(), session.agent().unwrap().id()),
        (SessionStatus::Idle, agent.id())
    );
    let mut stream = client.stream(session.id()).await.unwrap();
    client.send(session.id(), &[Outgoing::message("hello")]).await.unwrap();
    let mut kinds = Vec::new();
    while !matches!(kinds.last().map(String::as_str), Some("session.status_idle")) {
        let event = stream.next(std::time::Duration::from_secs(5)).await.unwrap().unwrap();
        kinds.push(event.kind().to_owned());
    }
    assert_eq!(
        kinds,
        [
            "user.message",
            "user.message",
            "session.status_running",
            "agent.message",
            "session.status_idle"
        ]
    );
    client.delete_session(session.id()).await.unwrap();
    assert_eq!(client.session(session.id()).await.unwrap_err().status(), Some(404));
}
