//! A stand-in for Claude Managed Agents: agents, environments, sessions and their events over HTTP, with turns that were
//! written down in place of a model.
//!
//! It keeps to what the API documents and refuses everything else, so that a client that works with it has kept to that too.

mod state;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{AbortHandle, JoinSet};

pub use state::{Turn, World};

/// What a request is answered with.
pub(crate) enum Reply {
    /// A status and a body.
    Json(u16, Value),
    /// Events, as they happen.
    Stream(UnboundedReceiver<Value>),
}

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    /// The parts of the path after `/v1`.
    pub(crate) path: Vec<String>,
    /// The query, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The stand-in; it ends when it is dropped.
#[derive(Debug)]
pub struct ManagedServer {
    url: String,
    world: Arc<Mutex<World>>,
    task: AbortHandle,
}

impl ManagedServer {
    /// Starts it. Every session plays the turns from the first on.
    ///
    /// # Errors
    ///
    /// When no port on loopback can be had.
    pub async fn start(turns: impl IntoIterator<Item = Turn>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let world = Arc::new(Mutex::new(World::new(turns.into_iter().collect())));
        let shared = Arc::clone(&world);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            url,
            world,
            task: task.abort_handle(),
        })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What happened so far, and what is to happen.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ManagedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, world: Arc<Mutex<World>>) {
    // a connection that breaks off is its client's business
    let _ = exchange(BufReader::new(stream), &world).await;
}

async fn exchange(mut stream: BufReader<TcpStream>, world: &Mutex<World>) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        let reply = {
            let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
            world.answer(&request)
        };
        match reply {
            Reply::Json(status, body) => {
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nrequest-id: req_scripted\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(body.as_bytes()).await?;
                stream.flush().await?;
                if request.header("connection") == Some("close") {
                    return Ok(());
                }
            }
            Reply::Stream(mut events) => {
                let head = "HTTP/1.1 200 -\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: open\n\n";
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.flush().await?;
                    let frame = match tokio::time::timeout(PING, events.recv()).await {
                        Ok(Some(event)) => {
                            let name = event.get("type").and_then(Value::as_str).unwrap_or_default();
                            format!("event: {name}\ndata: {event}\n\n")
                        }
                        Ok(None) => return Ok(()),
                        Err(_) => "event: ping\ndata: {\"type\":\"ping\"}\n\n".to_owned(),
                    };
                    stream.write_all(frame.as_bytes()).await?;
                }
            }
        }
    }
    Ok(())
}

async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().unwrap_or(0);
        }
        headers.push((name, value));
    }
    if length > MOST_BYTES {
        return Ok(None);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    });
    Ok(Some(Request {
        method,
        path: path
            .split('/')
            .filter(|part| !part.is_empty())
            .skip(1)
            .map(decoded)
            .collect(),
        query: query.collect(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    }))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or(0);
                bytes.push(u8::try_from(digit(high) * 16 + digit(low)).unwrap_or(b'?'));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An error as the API words it.
pub(crate) fn refusal(status: u16, message: &str) -> Reply {
    let kind = match status {
        401 => "authentication_error",
        404 => "not_found_error",
        409 => "conflict_error",
        412 => "memory_precondition_failed_error",
        _ => "invalid_request_error",
    };
    Reply::Json(
        status,
        json!({"type": "error", "error": {"type": kind, "message": message}}),
    )
}

const PING: Duration = Duration::from_millis(200);

const MOST_BYTES: usize = 8 << 20;
