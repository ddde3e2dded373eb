//! `witness serve`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::state::StateFile;
use crate::audit::tree::LogPolicy;
use crate::audit::tree::note::{Cosigner, Note, NoteVerifier};
use crate::audit::tree::witness::Witness;
use crate::cli::failure::{Failure, shown_path};
use crate::cli::output::Output;
use crate::cli::place::Place;
use crate::http::Io;
use crate::identity::KeyDir;

/// Whoever has not sent a request and read the answer by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many are served at once.
const MOST_CONNECTIONS: usize = 64;

/// No request is larger: a note, and a proof before it.
const MOST_BYTES: usize = 2 * Note::MAX_LEN;

/// Signs the heads of other logs, as long as each only grows
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 1 when it cannot begin or go on; it ends by a signal.

Speaks c2sp.org/tlog-witness: POST /add-checkpoint. Its key lies in keys/witness.key in the data directory, what it has signed in
witness.state, which is on the disk before it answers. Run it where whoever keeps the log cannot write: that is its worth. It speaks
plain HTTP: put it behind a server that speaks TLS, unless it listens on this machine alone.

Example:
  managed-agents witness serve --listen 127.0.0.1:7380 --data-dir /var/lib/witness --log example.com/bots+35beb53a+AepKbGPinFIK…")]
pub(in crate::cli) struct Serve {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Key of a log, as `audit checkpoint --key` prints it
    #[arg(long = "log", value_name = "VKEY", required = true)]
    logs: Vec<NoteVerifier>,

    /// Name of the witness, best an address without a scheme [default: one made of its key]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Print address and key as one line of JSON
    #[arg(long)]
    json: bool,
}

/// The keys are stable.
#[derive(Serialize)]
struct Line {
    url: String,
    key: String,
}

type Shared = Arc<Witness<StateFile>>;

impl Serve {
    pub(super) fn run(&self, place: &Place, out: &mut Output) -> Result<u8, Failure> {
        let dir = match place.named() {
            Some(dir) => dir.clone(),
            None => place.dir()?.join("witness"),
        };
        let keys = KeyDir::open(dir.join("keys"))?;
        // the memory before the key: a key without one has signed
        let state = StateFile::open(&dir, !keys.has_witness_key()).map_err(|error| Failure::of_file(&dir, error))?;
        let (key, _) = keys.witness_key()?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => format!("managed-agents.local/witness/{}", key.public().id()),
        };
        let cosigner = Cosigner::from_seed(&name, &key.reveal()).map_err(|error| Failure::of(&error))?;
        let verifier = cosigner.verifier();
        let witness = Arc::new(Witness::new(cosigner, policies(&self.logs)?, state));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::of(&error))?;
        runtime.block_on(async {
            let listener = TcpListener::bind(self.listen).await;
            let listener = listener.map_err(|error| Failure::new(format!("{}: {error}", self.listen)))?;
            let address = listener.local_addr().map_err(|error| Failure::of(&error))?;
            let line = Line {
                url: format!("http://{address}/"),
                key: verifier.to_string(),
            };
            if self.json {
                out.json(&line)?;
            } else {
                out.line(format_args!("Listening on {}, with {}.", line.url, shown_path(&dir)))?;
                out.line(format_args!("The witness's key: {}", line.key))?;
            }
            out.flush()?;
            serve(&listener, &witness).await
        })
    }
}

/// One policy for each log: a log that changes its key has two.
fn policies(keys: &[NoteVerifier]) -> Result<Vec<LogPolicy>, Failure> {
    let mut logs: Vec<(&str, Vec<NoteVerifier>)> = Vec::new();
    for key in keys {
        if key.is_cosigner() {
            return Err(Failure::new("--log is a witness's key: name a log's"));
        }
        match logs.iter_mut().find(|(name, _)| *name == key.name()) {
            Some((_, keys)) => keys.push(key.clone()),
            None => logs.push((key.name(), vec![key.clone()])),
        }
    }
    Ok(logs
        .into_iter()
        .map(|(name, keys)| LogPolicy::new(name, keys))
        .collect())
}

async fn serve(listener: &TcpListener, witness: &Shared) -> Result<u8, Failure> {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Err(Failure::new("the witness has ended"));
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // too many files are open: connections that end make room
                tracing::warn!(%error, "a connection is not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let witness = Arc::clone(witness);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let witness = Arc::clone(&witness);
                async move { Ok::<_, Infallible>(answer(request, &witness).await) }
            });
            let connection = http1::Builder::new()
                .keep_alive(false)
                .serve_connection(Io::over(Box::new(stream)), service);
            // whoever went away, or spoke no HTTP, needs no answer
            let _ = tokio::time::timeout(PATIENCE, connection).await;
            drop(place);
        });
    }
}

async fn answer(request: Request<Incoming>, witness: &Shared) -> Response<Full<Bytes>> {
    if request.uri().path() != "/add-checkpoint" {
        return text(404, "there is only /add-checkpoint\n");
    }
    if request.method() != Method::POST {
        return text(405, "POST a request\n");
    }
    let too_large = || text(413, "the request is too large, or broke off\n");
    // one that says so is not waited for
    if request.body().size_hint().lower() > MOST_BYTES as u64 {
        return too_large();
    }
    let Ok(body) = Limited::new(request.into_body(), MOST_BYTES).collect().await else {
        return too_large();
    };
    let body = body.to_bytes();
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let answered = witness.add_checkpoint(&body, seconds);
    let mut response = text(answered.status(), answered.body().to_owned());
    if let Ok(kind) = answered.content_type().parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

fn text(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    if let Ok(status) = status.try_into() {
        *response.status_mut() = status;
    }
    response
}
