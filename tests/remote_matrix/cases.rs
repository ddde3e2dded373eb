//! What a governance service can do wrong, and what each of it must be to the governor.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use managed_agents::remote::{Remote, RemoteBuilder};
use managed_agents::{Decision, GovernorErrorKind, Secret};
use tests::support::governance_server::{GovernanceServer, Script, answer, verdict};
use tokio::net::{TcpListener, TcpStream};

use super::{AGENT, KEY};

/// A failure and what it must be.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) service: Service,
    /// How long an answer may take.
    pub(super) timeout: Duration,
    pub(super) expected: Expected,
}

/// What the governor makes of it.
pub(super) enum Expected {
    Error(GovernorErrorKind, &'static str),
    /// With the code of its reason, where it has one.
    Verdict(Decision, &'static str),
}

impl Expected {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Error(_, code) | Self::Verdict(_, code) => code,
        }
    }
}

/// For answers that are there at once, on however busy a machine; and for a lookup that no server answers.
const LONG: Duration = Duration::from_secs(60);

/// For answers that never come.
const SHORT: Duration = Duration::from_millis(400);

pub(super) enum Service {
    Scripted(GovernanceServer),
    At(String),
}

impl Service {
    pub(super) fn remote(&self) -> RemoteBuilder {
        let endpoint = match self {
            Self::Scripted(server) => server.endpoint(),
            Self::At(endpoint) => endpoint.clone(),
        };
        Remote::builder()
            .endpoint(endpoint)
            .api_key(Secret::parse(KEY).unwrap())
            .root_certificates_pem(self_signed().0)
    }
}

pub(super) async fn all() -> Vec<Case> {
    use GovernorErrorKind as Kind;
    let mut cases = Vec::new();
    for (status, kind) in [
        (401, Kind::Rejected),
        (403, Kind::Rejected),
        (404, Kind::Rejected),
        (408, Kind::Rejected),
        (409, Kind::Rejected),
        (429, Kind::Rejected),
        (500, Kind::ServerError),
        (502, Kind::ServerError),
        (503, Kind::ServerError),
        (204, Kind::Malformed),
        (302, Kind::Redirected),
    ] {
        let name: &'static str = format!("http_{status}").leak();
        let mut bytes = answer(status, "application/json", verdict("ALLOW", AGENT).as_bytes());
        if status == 302 {
            bytes = b"HTTP/1.1 302 Found\r\nlocation: /api/v1/elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
        } else if status == 204 {
            bytes = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
        }
        cases.push(scripted(name, Script::Answer(bytes), Expected::Error(kind, name)).await);
    }
    let allow = verdict("ALLOW", AGENT);
    let good = answer(200, "application/json", allow.as_bytes());
    let half = good[..good.len() - 20].to_vec();
    let head = good[..good.len() - allow.len()].to_vec();
    let status_line = b"HTTP/1.1 200 OK\r\n".to_vec();
    let json = |body: &str| Script::json(200, body);
    let huge = format!("{{\"padding\":\"{}\"}}", "x".repeat(10_000_000));
    let gzip_head =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 1000\r\n\r\n";
    let bomb = [gzip_head.as_slice(), &[0x1f, 0x8b, 8], &[0; 997]].concat();
    let chunked = [
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
        format!("{:x}\r\n{huge}\r\n0\r\n\r\n", huge.len()).into_bytes(),
    ]
    .concat();
    for (name, script, kind, code) in [
        (
            "timeout",
            Script::AnswerAndStall(vec![]),
            Kind::TimedOut,
            "governor_timed_out",
        ),
        (
            "reset",
            Script::AnswerAndReset(vec![]),
            Kind::Unreachable,
            "governor_unreachable",
        ),
        (
            "closed",
            Script::AnswerAndClose(vec![]),
            Kind::Unreachable,
            "governor_unreachable",
        ),
        (
            "reset in the status line",
            Script::AnswerAndReset(b"HTT".to_vec()),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "reset after the status line",
            Script::AnswerAndReset(status_line.clone()),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "closed after the status line",
            Script::AnswerAndClose(status_line.clone()),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "timeout after the status line",
            Script::AnswerAndStall(status_line),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "slow body",
            Script::AnswerAndStall(head),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "body closed",
            Script::AnswerAndClose(half.clone()),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "body reset",
            Script::AnswerAndReset(half),
            Kind::Malformed,
            "answer_broken_off",
        ),
        (
            "not HTTP",
            Script::AnswerAndClose(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            Kind::Malformed,
            "answer_not_http",
        ),
        ("200 garbage", json("<html>"), Kind::Malformed, "answer_not_json"),
        ("200 empty", json(""), Kind::Malformed, "answer_not_json"),
        ("200 not a verdict", json("[]"), Kind::Malformed, "answer_not_a_verdict"),
        (
            "wrong content type",
            Script::Answer(answer(200, "text/html", allow.as_bytes())),
            Kind::Malformed,
            "answer_not_json",
        ),
        (
            "truncated JSON",
            json(allow.strip_suffix(r#"tier":1}"#).unwrap()),
            Kind::Malformed,
            "answer_not_json",
        ),
        ("10 MB body", json(&huge), Kind::Malformed, "answer_too_large"),
        (
            "10 MB body in chunks",
            Script::Answer(chunked),
            Kind::Malformed,
            "answer_too_large",
        ),
        ("gzip bomb", Script::Answer(bomb), Kind::Malformed, "answer_encoded"),
        (
            "a verdict given twice",
            json(&allow.replacen('{', r#"{"verdict":"DENY","#, 1)),
            Kind::Malformed,
            "answer_not_a_verdict",
        ),
        (
            "a second answer behind the first",
            json(&format!("{allow}{allow}")),
            Kind::Malformed,
            "answer_not_json",
        ),
        (
            "score out of range",
            json(&allow.replace("0.8", "1.8")),
            Kind::Malformed,
            "answer_not_a_verdict",
        ),
        (
            "other agent",
            json(&verdict("ALLOW", "nmc-other")),
            Kind::Mismatched,
            "verdict_mismatched",
        ),
    ] {
        cases.push(scripted(name, script, Expected::Error(kind, code)).await);
    }
    let lie = allow.replace("\"ucs\"", "\"allowed\":false,\"ucs\"");
    let small = allow.replace("ALLOW", "allow");
    for (name, body, decision, code) in [
        // what none of the others may be taken for
        ("no failure", &allow, Decision::Allow, ""),
        ("a denial", &verdict("DENY", AGENT), Decision::Deny, "denied"),
        ("allowed:false beside ALLOW", &lie, Decision::Deny, "allowed_false"),
        (
            "unknown verdict",
            &verdict("MODIFY", AGENT),
            Decision::Deny,
            "unknown_verdict",
        ),
        ("a verdict in small letters", &small, Decision::Deny, "unknown_verdict"),
    ] {
        cases.push(scripted(name, json(body), Expected::Verdict(decision, code)).await);
    }
    let unreachable = || Expected::Error(Kind::Unreachable, "governor_unreachable");
    cases.push(Case {
        name: "refused",
        service: Service::At(format!("http://{}/govern", refusing().await)),
        timeout: LONG,
        expected: unreachable(),
    });
    cases.push(Case {
        name: "DNS failure",
        service: Service::At("https://no-such-host.invalid/govern".to_owned()),
        timeout: LONG,
        expected: unreachable(),
    });
    for (name, speaks) in [
        (
            "TLS: the port speaks something else",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
        ),
        ("TLS: the port closes", b""),
    ] {
        let address = talking(speaks).await;
        cases.push(Case {
            name,
            service: Service::At(format!("https://{address}/govern")),
            timeout: LONG,
            expected: Expected::Error(Kind::Tls, "governor_tls"),
        });
    }
    cases.push(Case {
        name: "TLS: a certificate that nobody vouches for",
        service: Service::At(untrusted().await),
        timeout: LONG,
        expected: Expected::Error(Kind::Tls, "governor_tls"),
    });
    cases
}

pub(super) async fn scripted(name: &'static str, script: Script, expected: Expected) -> Case {
    let timeout = match script {
        Script::AnswerAndStall(_) => SHORT,
        _ => LONG,
    };
    let server = GovernanceServer::start(move |_| script.clone()).await;
    Case {
        name,
        service: Service::Scripted(server),
        timeout,
        expected,
    }
}

/// An address at which nothing listens.
async fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A port that says something to whoever connects, and closes.
async fn talking(speaks: &'static [u8]) -> SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(speaks).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

/// A certificate and its key, for `localhost`.
fn self_signed() -> (String, rcgen::CertifiedKey<rcgen::KeyPair>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made)
}

/// A service with a certificate of its own, which answers ALLOW to whoever trusts it.
async fn untrusted() -> String {
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::rustls::{ServerConfig, crypto::ring};
    let (_, made) = self_signed();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream: TcpStream = stream;
            assert!(
                acceptor.accept(stream).await.is_err(),
                "the client took the certificate"
            );
        }
    });
    format!("https://localhost:{port}/govern")
}
