//! A proxy that drops, doubles, delays, reorders and cuts what a session's stream brings, and loses answers to what is sent.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// The proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    faults: Arc<Faults>,
    task: AbortHandle,
}

/// Which faults there were, by kind.
#[derive(Default)]
struct Faults {
    random: AtomicU64,
    /// One in so many requests is lost, and one in so many answers.
    one_in: u64,
    /// Dropped, doubled, delayed, reordered, cut, lost before, lost after.
    count: [AtomicUsize; 7],
    log: Mutex<Vec<String>>,
}

impl Faults {
    /// A random number below `n`, the same for the same seed and the same order of questions.
    fn below(&self, n: u64) -> u64 {
        let x = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % n
    }

    fn note(&self, kind: usize, what: &str) {
        self.count[kind].fetch_add(1, Ordering::Relaxed);
        self.log.lock().unwrap().push(what.to_owned());
    }
}

impl Proxy {
    pub(crate) async fn start(upstream: &str, seed: u64) -> Self {
        Self::start_with(upstream, seed, 8).await
    }

    /// With one in so many requests that are lost before they arrive, and as many whose answers are.
    pub(crate) async fn start_with(upstream: &str, seed: u64, one_in: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let faults = Arc::new(Faults {
            one_in,
            ..Faults::default()
        });
        faults
            .random
            .store(seed.wrapping_mul(0x2545_f491_4f6c_dd1d), Ordering::Relaxed);
        let upstream = upstream.strip_prefix("http://").unwrap().to_owned();
        let shared = Arc::clone(&faults);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (upstream, faults) = (upstream.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    // a connection that breaks is what this is for
                    let _ = carry(stream, &upstream, &faults).await;
                });
            }
        });
        Self {
            url,
            faults,
            task: task.abort_handle(),
        }
    }

    /// How many faults there were, in all.
    pub(crate) fn faults(&self) -> usize {
        self.by_kind().iter().sum()
    }

    pub(crate) fn by_kind(&self) -> [usize; 7] {
        std::array::from_fn(|kind| self.faults.count[kind].load(Ordering::Relaxed))
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.faults.log.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request and its answer; then the connection closes.
async fn carry(client: TcpStream, upstream: &str, faults: &Faults) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        if !lower.starts_with("connection:") && !lower.starts_with("accept-encoding:") {
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body).await?;
    // over HTTP/1.0 an answer ends with its connection, and has no chunks
    let head = head.replacen("HTTP/1.1", "HTTP/1.0", 1);
    let first = head.lines().next().unwrap_or_default().to_owned();
    let is_stream = first.contains("/stream");
    let is_answer = first.starts_with("POST") && first.contains("/events");
    if is_answer && faults.below(faults.one_in) == 0 {
        faults.note(5, "a request was lost");
        return Ok(());
    }
    let mut server = TcpStream::connect(upstream).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(b"connection: close\r\n\r\n").await?;
    server.write_all(&body).await?;
    if is_answer && faults.below(faults.one_in) == 0 {
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        faults.note(6, "the answer to a request was lost");
        return Ok(());
    }
    if !is_stream {
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).await?;
        client.get_mut().write_all(&answer).await?;
        return client.get_mut().shutdown().await;
    }
    let mut server = BufReader::new(server);
    let client = client.get_mut();
    loop {
        let mut line = String::new();
        if server.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        client.write_all(line.as_bytes()).await?;
        if line == "\r\n" {
            break;
        }
    }
    let mut kept: Option<String> = None;
    loop {
        let mut frame = String::new();
        loop {
            let mut line = String::new();
            if server.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            frame.push_str(&line);
            if line.trim_end().is_empty() {
                break;
            }
        }
        // some say an id before the event's name
        let name = frame.lines().find(|line| line.starts_with("event: "));
        let is_event = name.is_some_and(|name| name != "event: ping");
        let name = name.unwrap_or_default().to_owned();
        let mut send = frame.clone();
        match faults.below(20) {
            0 if is_event => {
                faults.note(0, &format!("dropped {name}"));
                send.clear();
            }
            1 if is_event => {
                faults.note(1, &format!("doubled {name}"));
                send.push_str(&frame);
            }
            2 if is_event => {
                faults.note(2, &format!("delayed {name}"));
                tokio::time::sleep(Duration::from_millis(20 + faults.below(60))).await;
            }
            3 if is_event && kept.is_none() => {
                faults.note(3, &format!("kept back {name}"));
                kept = Some(frame.clone());
                send.clear();
            }
            4 => {
                let at = usize::try_from(faults.below(frame.len() as u64)).unwrap_or(0);
                let at = (0..=at).rev().find(|at| frame.is_char_boundary(*at)).unwrap_or(0);
                faults.note(4, &format!("cut {name} at {at}"));
                client.write_all(&frame.as_bytes()[..at]).await?;
                return client.shutdown().await;
            }
            _ if is_event => {
                if let Some(kept) = kept.take() {
                    send.push_str(&kept);
                }
            }
            _ => {}
        }
        client.write_all(send.as_bytes()).await?;
        client.flush().await?;
    }
}
