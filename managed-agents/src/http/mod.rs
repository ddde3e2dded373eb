//! The HTTP client of everything that talks to a service.
//!
//! HTTP/1.1 over one origin, on hyper's connection layer. A verdict hangs on *where* an exchange failed: an unreachable
//! service may be survived where the operator says so, a refused certificate or an answer that broke off never. So each
//! stage (name lookup, connection, TLS, request, answer) reports its own [`Failure`], which a general client would have
//! to be asked for by the shape of its error texts.
//!
//! What it does not do is part of the contract: no redirect is followed, no proxy is taken from the environment, no
//! content coding is undone, nothing is sent twice once a byte of it has left, and TLS settings are this client's own,
//! whatever the process installed.

mod connect;
mod connection;
mod endpoint;
mod failure;
mod pool;
mod secret;

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use connect::Connector;
use connection::{Connection, Sent};
use pool::Pool;

pub(crate) use connect::TlsSetupError;
#[cfg(feature = "claude")]
pub(crate) use connection::Chunks;
#[cfg(feature = "cli")]
pub(crate) use connection::Io;
pub(crate) use connection::Reply;
pub use endpoint::{Endpoint, EndpointError};
#[cfg(any(feature = "claude", feature = "remote"))]
pub(crate) use failure::bounded;
pub(crate) use failure::{Failure, FailureKind};
pub use secret::{Secret, SecretError};

/// What every request of this library says it comes from.
pub(crate) const SOURCE: &str = concat!("managed-agents/", env!("CARGO_PKG_VERSION"));

/// Talks to one origin. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Client(Arc<Shared>);

struct Shared {
    connector: Connector,
    headers: HeaderMap,
    pool: Arc<Pool>,
}

impl Client {
    /// A client of an endpoint's origin, which sends these headers with every request. `roots` (PEM) replace the
    /// platform's certificate authorities.
    ///
    /// # Errors
    ///
    /// [`TlsSetupError`] when the trusted certificates cannot be loaded.
    pub(crate) fn new(
        endpoint: &Endpoint,
        roots: Option<&[u8]>,
        mut headers: HeaderMap,
    ) -> Result<Self, TlsSetupError> {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(SOURCE));
        if let Ok(host) = HeaderValue::from_str(endpoint.authority()) {
            headers.insert(header::HOST, host);
        }
        Ok(Self(Arc::new(Shared {
            connector: Connector::new(endpoint, roots)?,
            headers,
            pool: Arc::new(Pool::default()),
        })))
    }

    /// Sends a JSON body.
    #[cfg(feature = "remote")]
    pub(crate) async fn post(&self, path: &str, body: Vec<u8>, deadline: Instant) -> Result<Reply, Failure> {
        let mut request = self.request(Method::POST, path, body.into())?;
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(request, deadline).await
    }

    /// Sends a JSON body with headers of its own.
    #[cfg(feature = "webhooks")]
    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let mut request = self.request(Method::POST, path, body.into())?;
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().extend(headers);
        self.send(request, deadline).await
    }

    /// Sends text.
    #[cfg(feature = "cli")]
    pub(crate) async fn post_text(&self, path: &str, body: Vec<u8>, deadline: Instant) -> Result<Reply, Failure> {
        let mut request = self.request(Method::POST, path, body.into())?;
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        self.send(request, deadline).await
    }

    /// Asks for what is at a path.
    #[cfg(feature = "remote")]
    pub(crate) async fn get(&self, path: &str, deadline: Instant) -> Result<Reply, Failure> {
        self.send(self.request(Method::GET, path, Bytes::new())?, deadline)
            .await
    }

    /// Sends a request of any method, with headers of its own.
    #[cfg(feature = "claude")]
    pub(crate) async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let has_body = body.is_some();
        let mut request = self.request(method, path, body.unwrap_or_default().into())?;
        if has_body {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        }
        request.headers_mut().extend(headers);
        self.send(request, deadline).await
    }

    /// Makes sure that a connection stands, and keeps it for the next request.
    #[cfg(any(feature = "claude", feature = "remote"))]
    pub(crate) async fn reach(&self, deadline: Instant) -> Result<(), Failure> {
        let runtime = Handle::try_current().map_err(|_| Failure::no_runtime())?.id();
        let connection = match self.0.pool.take(runtime).await {
            Some(connection) => connection,
            None => self.connect(deadline).await?,
        };
        self.0.pool.put(runtime, connection).await;
        Ok(())
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<connection::JsonRequest, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .body(body.into())
            .map_err(|_| Failure::new(FailureKind::Setup, "the request's path is not valid"))?;
        request.headers_mut().clone_from(&self.0.headers);
        Ok(request)
    }

    async fn send(&self, mut request: connection::JsonRequest, deadline: Instant) -> Result<Reply, Failure> {
        let runtime = Handle::try_current().map_err(|_| Failure::no_runtime())?.id();
        // A kept connection may have been closed by the service meanwhile. When nothing of the request has left, it may
        // go out on the next one; afterwards never: the service may have judged it already.
        while let Some(connection) = self.0.pool.take(runtime).await {
            match connection.send(request, deadline).await? {
                Sent::Answered(reply) => return Ok(reply.kept_in(&self.0.pool, runtime)),
                Sent::Nothing(unsent, _) => request = unsent,
            }
        }
        let connection = self.connect(deadline).await?;
        match connection.send(request, deadline).await? {
            Sent::Answered(reply) => Ok(reply.kept_in(&self.0.pool, runtime)),
            // a new one that took nothing tells why: that it broke off is another thing than that the other side spoke unasked
            Sent::Nothing(_, failure) => Err(failure),
        }
    }

    async fn connect(&self, deadline: Instant) -> Result<Box<Connection>, Failure> {
        match timeout_at(deadline, self.0.connector.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(Failure::new(
                FailureKind::TimedOut,
                "no connection within the time limit",
            )),
        }
    }
}
