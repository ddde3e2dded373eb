//! The remote governor against a scripted service: what goes over the wire, connections, and TLS; approvals in a module.
#![cfg(test)]

#[path = "remote/approvals.rs"]
mod approvals;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use managed_agents::harness::HarnessBuilder;
use managed_agents::remote::{PolicyPreset, Remote, RemoteBuilder, RemoteErrorKind};
use managed_agents::{DenialKind, GovernorErrorKind, Harness, Secret};
use serde_json::{Value, json};
use tests::support::governance_server::{GovernanceServer, Received, Script, answer, verdict};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

const AGENT: &str = "nmc-7f3a";

fn remote(server: &GovernanceServer) -> RemoteBuilder {
    Remote::builder().endpoint(server.endpoint())
}

fn governed_by(remote: RemoteBuilder) -> HarnessBuilder {
    Harness::builder()
        .in_memory()
        .agent_id(AGENT)
        .governor(remote.build().unwrap())
}

async fn allowing() -> GovernanceServer {
    GovernanceServer::start(|_| Script::json(200, &verdict("ALLOW", AGENT))).await
}

fn body(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

#[tokio::test]
async fn a_decision_posts_the_call_with_key_and_source() {
    let server = allowing().await;
    let remote = remote(&server)
        .api_key(Secret::parse("nm_test_1").unwrap())
        .platform("claude")
        .org_context("team", "billing")
        .org_context("region", "eu")
        .policy(PolicyPreset::calendar());
    let harness = governed_by(remote).build().await.unwrap();
    let session = harness.session("s-1");
    let context =
        json!({"region": "us", "request_id": 7, "source": "forged", "tool_input": {}, "session_id": "forged"});
    let call = session
        .govern("bash", r#"{"command":"ls -la","n":18446744073709551615}"#)
        .context(context.as_object().unwrap().clone());
    // a command that no screen has read waits for a person, and the service is asked all the same
    drop(call.await);

    let received = &server.received()[0];
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/api/v1/govern")
    );
    assert_eq!(received.headers["authorization"], "Bearer nm_test_1");
    assert_eq!(received.headers["content-type"], "application/json");
    let source = concat!("managed-agents/", env!("CARGO_PKG_VERSION"));
    assert!(received.headers["x-source"].starts_with("managed-agents/"), "{source}");
    assert!(!received.headers.contains_key("accept-encoding"));
    assert_eq!(
        body(received),
        json!({
            "agent_id": AGENT, "action": "run", "target": "ls -la",
            "context": {
                "tool_input": {"command": "ls -la", "n": 18446744073709551615_u64}, "session_id": "s-1",
                "platform": "claude", "source": "managed-agents/claude",
                "team": "billing", "region": "us", "request_id": 7,
            },
            "policy_hint": {
                "trust_threshold": 0.6, "escalate_threshold": 0.4, "deny_threshold": 0.2, "veto_dimensions": [],
            },
        })
    );
}

#[tokio::test]
async fn a_redacted_argument_is_not_in_the_posted_body() {
    let server = allowing().await;
    let harness = governed_by(remote(&server))
        .redact("pay", "/card")
        .redact("pay", "/payees/iban")
        .redact("pay", "/to")
        .build()
        .await
        .unwrap();
    let input = r#"{"card":{"number":"canary-1"},"payees":[{"iban":"canary-2","n":1}],"to":"canary-3","sum":12.5}"#;
    drop(harness.govern("pay", input).await.unwrap());
    let received = &server.received()[0];
    let text = format!(
        "{} {:?} {}",
        received.path,
        received.headers,
        String::from_utf8_lossy(&received.body)
    );
    assert!(!text.contains("canary"), "{text}");
    let sent = body(received);
    assert_eq!(sent["target"], "pay");
    assert_eq!(sent["context"]["tool_input"]["sum"], 12.5);
    assert_eq!(
        sent["context"]["tool_input"]["payees"],
        json!([{"iban": "[redacted]", "n": 1}])
    );
}

#[tokio::test]
async fn reserved_context_and_a_missing_key_are_refused_when_the_governor_is_built() {
    for key in ["tool_input", "session_id", "platform", "source"] {
        let error = Remote::builder()
            .endpoint("http://127.0.0.1:1/govern")
            .org_context(key, "x")
            .build()
            .unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::Context);
    }
    assert_eq!(
        Remote::builder().build().unwrap_err().kind(),
        RemoteErrorKind::MissingKey
    );
    let plain = Remote::builder().endpoint("http://governance.example/govern");
    assert_eq!(plain.build().unwrap_err().kind(), RemoteErrorKind::Endpoint);
}

#[tokio::test]
async fn calls_in_a_row_share_one_connection() {
    let server = allowing().await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    for _ in 0..5 {
        drop(harness.govern("weather", "{}").await.unwrap());
    }
    assert_eq!((server.received().len(), server.connections()), (5, 1));
}

#[tokio::test]
async fn a_kept_connection_that_the_service_closed_is_replaced_unnoticed() {
    let bytes = answer(200, "application/json", verdict("ALLOW", AGENT).as_bytes());
    let server = GovernanceServer::start(move |_| Script::AnswerAndClose(bytes.clone())).await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    for _ in 0..3 {
        drop(harness.govern("weather", "{}").await.unwrap());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((server.received().len(), server.connections()), (3, 3));
}

#[tokio::test]
async fn a_request_that_left_is_never_sent_again() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let server = GovernanceServer::start(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
        0 => Script::json(200, &verdict("ALLOW", AGENT)),
        _ => Script::AnswerAndReset(vec![]),
    })
    .await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    drop(harness.govern("weather", "{}").await.unwrap());
    let denied = harness.govern("weather", "{}").await.unwrap_err();
    assert_eq!(denied.code(), "governor_unreachable");
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_cancelled_decision_does_not_leave_its_answer_to_the_next_call() {
    let first = AtomicUsize::new(0);
    let deny = verdict("DENY", AGENT);
    let server = GovernanceServer::start(move |_| match first.fetch_add(1, Ordering::Relaxed) {
        0 => Script::json(200, &verdict("ALLOW", AGENT)),
        1 => Script::AnswerAndStall(vec![]),
        _ => Script::json(200, &deny),
    })
    .await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    drop(harness.govern("weather", "{}").await.unwrap());
    let call = async { harness.govern("weather", "{}").await };
    assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    let denied = harness.govern("weather", "{}").await.unwrap_err();
    assert_eq!((denied.kind(), denied.code()), (DenialKind::Denied, "denied"));
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_not_taken_for_the_next_calls() {
    let first = AtomicUsize::new(0);
    let server = GovernanceServer::start(move |_| {
        let allow = answer(200, "application/json", verdict("ALLOW", AGENT).as_bytes());
        match first.fetch_add(1, Ordering::Relaxed) {
            0 => Script::Answer([allow.clone(), allow].concat()),
            _ => Script::json(200, &verdict("DENY", AGENT)),
        }
    })
    .await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    drop(harness.govern("weather", "{}").await.unwrap());
    let denied = harness.govern("weather", "{}").await.unwrap_err();
    assert_eq!((denied.code(), server.connections()), ("denied", 2));
}

#[test]
fn calls_outside_every_runtime_and_from_several_runtimes_get_their_verdicts() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    let serving = runtime();
    let server = serving.block_on(allowing());
    let harness = governed_by(remote(&server)).build_blocking().unwrap();
    for _ in 0..2 {
        drop(harness.govern_blocking("weather", "{}").unwrap());
    }
    // a runtime that is alive but not driven must not hold the connection that another one needs
    let asleep = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    drop(
        asleep
            .block_on(async { harness.govern("weather", "{}").await })
            .unwrap(),
    );
    drop(
        runtime()
            .block_on(async { harness.govern("weather", "{}").await })
            .unwrap(),
    );
    assert_eq!(server.received().len(), 4);
}

#[tokio::test]
async fn health_says_whether_the_service_takes_connections() {
    let server = allowing().await;
    let harness = governed_by(remote(&server)).build().await.unwrap();
    harness.health().await.unwrap();
    drop(harness.govern("weather", "{}").await.unwrap());
    assert_eq!((server.received().len(), server.connections()), (1, 1));
    let nowhere = governed_by(Remote::builder().endpoint("http://127.0.0.1:1/govern"))
        .build()
        .await
        .unwrap();
    assert_eq!(
        nowhere.health().await.unwrap_err().kind(),
        GovernorErrorKind::Unreachable
    );
}

/// A service behind TLS, and the PEM of its certificate for `localhost`.
async fn encrypted() -> (GovernanceServer, String) {
    encrypted_for(false).await
}

/// The same; with `ours`, it wants a certificate of the client's too.
async fn encrypted_for(ours: bool) -> (GovernanceServer, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut trusted = RootCertStore::empty();
    trusted.add(made.cert.der().clone()).unwrap();
    let verifier = if ours {
        WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider))
            .build()
            .unwrap()
    } else {
        WebPkiClientVerifier::no_client_auth()
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = GovernanceServer::start_with(
        |_| Script::json(200, &verdict("ALLOW", AGENT)),
        move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.ok() }
        },
    )
    .await;
    (server, made.cert.pem())
}

#[tokio::test]
async fn a_service_that_wants_a_certificate_of_ours_is_a_tls_failure_and_no_outage() {
    // in TLS 1.3 the client's handshake is done by then: the alert meets the request
    let (server, pem) = encrypted_for(true).await;
    for _ in 0..20 {
        let remote = Remote::builder()
            .endpoint(format!("https://localhost:{}/govern", server.port()))
            .api_key(Secret::parse("nm_test_1").unwrap())
            .root_certificates_pem(pem.clone());
        let harness = governed_by(remote).fail_open(true).build().await.unwrap();
        let denied = harness.govern("weather", "{}").await.unwrap_err();
        assert_eq!(
            (denied.kind(), denied.code()),
            (DenialKind::Unavailable, "governor_tls")
        );
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_port_that_speaks_before_it_is_asked_is_no_outage() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/govern", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    for _ in 0..20 {
        let remote = Remote::builder().endpoint(endpoint.clone());
        let harness = governed_by(remote).fail_open(true).build().await.unwrap();
        let denied = harness.govern("weather", "{}").await.unwrap_err();
        assert!(
            ["answer_not_http", "answer_broken_off"].contains(&denied.code()),
            "{denied:?}"
        );
    }
}

#[tokio::test]
async fn a_certificate_is_taken_from_the_given_authority_and_for_the_right_host_only() {
    let (server, pem) = encrypted().await;
    let at = |host: &str| {
        let remote = Remote::builder()
            .endpoint(format!("https://{host}:{}/govern", server.port()))
            .api_key(Secret::parse("nm_test_1").unwrap())
            .root_certificates_pem(pem.clone());
        governed_by(remote).fail_open(true).build_blocking().unwrap()
    };
    for _ in 0..2 {
        drop(at("localhost").govern("weather", "{}").await.unwrap());
    }
    let denied = at("127.0.0.1").govern("weather", "{}").await.unwrap_err();
    assert_eq!(
        (denied.kind(), denied.code()),
        (DenialKind::Unavailable, "governor_tls")
    );
    assert_eq!(server.received().len(), 2);
}
