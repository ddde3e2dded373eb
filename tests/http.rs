//! A small HTTP/1.1 server that plays a script and remembers what it was asked.
#![expect(
    clippy::expect_used,
    clippy::exhaustive_structs,
    reason = "a helper of tests: a panic is the test's failure"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server answers to one request.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Close the connection after so many bytes of the body.
    broken_off: Option<usize>,
    /// Keep the connection open then, and say nothing more.
    stalled: bool,
}

impl Answer {
    /// 200 with a JSON body.
    #[must_use]
    pub fn json(body: &Value) -> Self {
        Self::text(&body.to_string())
    }

    /// 200 with a body that is said to be JSON.
    #[must_use]
    pub fn text(body: &str) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.as_bytes().to_vec(),
            broken_off: None,
            stalled: false,
        }
    }

    /// 200 with a stream of events, each named as its data's `type`.
    #[must_use]
    pub fn events(events: &[Value]) -> Self {
        let mut body = String::new();
        for event in events {
            let name = event.get("type").and_then(Value::as_str).unwrap_or_default();
            body.push_str(&format!("event: {name}\ndata: {event}\n\n"));
        }
        Self::text(&body).header("content-type", "text/event-stream; charset=utf-8")
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with a header in place of those of its name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, but the connection closes after so many bytes of the body.
    #[must_use]
    pub fn broken_off(mut self, bytes: usize) -> Self {
        self.broken_off = Some(bytes);
        self
    }

    /// The same, but after so many bytes of the body nothing more comes.
    #[must_use]
    pub fn stalled(self, bytes: usize) -> Self {
        Self {
            stalled: true,
            ..self.broken_off(bytes)
        }
    }

    /// How long the body is.
    #[must_use]
    pub fn length(&self) -> usize {
        self.body.len()
    }

    /// The same, with the body ended after so many bytes as if that were all.
    #[must_use]
    pub fn truncated(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Asked {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the request holds JSON")
    }
}

/// A server on loopback; it ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server that answers each request with the next answer of the script, and after its end with 418.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { url, asked, task }
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was asked so far.
    ///
    /// # Panics
    ///
    /// When a connection's task panicked.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no task panicked").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, script: Arc<Mutex<VecDeque<Answer>>>, seen: Arc<Mutex<Vec<Asked>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let asked = read(&mut stream).await?;
        seen.lock().ok()?.push(asked);
        let next = script.lock().ok()?.pop_front();
        let answer = next.unwrap_or_else(|| Answer::text("{}").status(418));
        let mut head = format!(
            "HTTP/1.1 {} -\r\ncontent-length: {}\r\n",
            answer.status,
            answer.body.len()
        );
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let sent = answer.body.get(..answer.broken_off.unwrap_or(answer.body.len()))?;
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(sent).await.ok()?;
        stream.flush().await.ok()?;
        if answer.stalled {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
        if answer.broken_off.is_some() {
            return None;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
