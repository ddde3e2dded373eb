//! A small HTTP/1.1 server on loopback that takes JSON and answers JSON, or events.

use std::io;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// The largest request that is read.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What a client asked.
pub(crate) struct Request {
    /// The path.
    pub(crate) path: String,
    /// The body, `null` without one.
    pub(crate) body: Value,
}

/// What a client is answered.
pub(crate) struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
}

impl Answer {
    /// Events of a stream, each named as its `type`.
    pub(crate) fn events(events: &[Value]) -> Self {
        let named = |event: &Value| {
            let name = event.get("type").and_then(Value::as_str).unwrap_or_default();
            format!("event: {name}\ndata: {event}\n\n")
        };
        Self {
            status: 200,
            content_type: "text/event-stream",
            body: events.iter().map(named).collect(),
        }
    }
}

impl From<(u16, Value)> for Answer {
    fn from((status, body): (u16, Value)) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string(),
        }
    }
}

/// A server; it ends soon after it is dropped, with all its connections.
#[derive(Debug)]
pub struct Server {
    url: String,
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<A: Into<Answer>>(
        answer: impl Fn(Request) -> A + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let answer = Arc::new(answer);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let answer = Arc::clone(&answer);
                    connections.spawn(async move { serve(stream, &|request| answer(request).into()).await });
                }
            };
            tokio::select! {
                () = accept => {}
                () = stopped.notified() => {}
            }
            connections.shutdown().await;
        });
        Ok(Self { url, stop, task })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server: when this is done, nobody listens at its address and no connection is left.
    pub async fn stop(mut self) {
        self.stop.notify_one();
        // an error says that it has ended already
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers requests until the client has gone or sends none.
async fn serve(stream: TcpStream, answer: &(impl Fn(Request) -> Answer + Sync)) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let Answer {
            status,
            content_type,
            body,
        } = answer(read(&mut stream).await?);
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; (length <= MOST_BYTES).then_some(length)?];
    stream.read_exact(&mut body).await.ok()?;
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).ok()?
    };
    Some(Request { path, body })
}
