//! A governance service that misbehaves on demand: a raw TCP server that does with each request what a script says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::server::TlsStream;

/// What the server does with a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Script {
    /// Sends these bytes and keeps the connection.
    Answer(Vec<u8>),
    /// Sends these bytes and closes the connection.
    AnswerAndClose(Vec<u8>),
    /// Sends these bytes and then nothing, with the connection open.
    AnswerAndStall(Vec<u8>),
    /// Sends these bytes and resets the connection.
    AnswerAndReset(Vec<u8>),
}

impl Script {
    /// A whole answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::Answer(answer(status, "application/json", body.as_bytes()))
    }
}

/// An HTTP answer in bytes.
#[must_use]
pub fn answer(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A verdict as the service words it.
#[must_use]
pub fn verdict(word: &str, agent: &str) -> String {
    format!(r#"{{"verdict":"{word}","agent_id":"{agent}","evaluation_id":"eval_1","ucs":0.8,"tier":1}}"#)
}

/// A request as it came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// `POST`, `GET`.
    pub method: String,
    /// The path.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// The server; it ends with the runtime that it was started on, or when dropped.
#[derive(Debug)]
pub struct GovernanceServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
}

impl GovernanceServer {
    /// Starts a server; `script` is asked for every request.
    pub async fn start(script: impl Fn(&Received) -> Script + Send + Sync + 'static) -> Self {
        Self::start_with(script, |stream| std::future::ready(Some(stream))).await
    }

    /// Starts a server behind a step of its own, such as a TLS handshake.
    pub async fn start_with<S, F>(
        script: impl Fn(&Received) -> Script + Send + Sync + 'static,
        upgrade: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Resettable + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let script = Arc::new(script);
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    stream.set_nodelay(true).unwrap();
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    let (upgraded, script, shared) = (upgrade(stream), Arc::clone(&script), Arc::clone(&shared));
                    tokio::spawn(async move {
                        if let Some(stream) = upgraded.await {
                            serve(stream, &*script, &shared).await;
                        }
                    });
                }
            }
        });
        Self { address, shared, task }
    }

    /// Where a client finds it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}/api/v1/govern", self.address)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What came, oldest first.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for GovernanceServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What can end a connection by a reset.
pub trait Resettable {
    /// Makes dropping it a reset.
    fn reset_on_drop(&self);
}

impl Resettable for TcpStream {
    fn reset_on_drop(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Resettable for TlsStream<TcpStream> {
    fn reset_on_drop(&self) {
        self.get_ref().0.reset_on_drop();
    }
}

async fn serve<S>(mut stream: S, script: &(dyn Fn(&Received) -> Script + Send + Sync), shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Resettable + Unpin,
{
    while let Some(received) = read(&mut stream).await {
        let step = script(&received);
        shared
            .received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(received);
        let (Script::Answer(bytes)
        | Script::AnswerAndClose(bytes)
        | Script::AnswerAndStall(bytes)
        | Script::AnswerAndReset(bytes)) = &step;
        // a client that has seen enough closes first
        if stream.write_all(bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        match step {
            Script::Answer(_) => {}
            Script::AnswerAndClose(_) => {
                let _ = stream.shutdown().await;
                return;
            }
            Script::AnswerAndStall(_) => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                return;
            }
            Script::AnswerAndReset(_) => {
                // the bytes must have arrived: a reset takes back what is still on its way
                tokio::time::sleep(Duration::from_millis(50)).await;
                stream.reset_on_drop();
                return;
            }
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        headers,
        body,
    })
}
