//! One connection, one request at a time, driven by whoever waits for the answer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header;
use hyper::rt::ReadBufCursor;
use hyper::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Id;
use tokio::time::{Instant, timeout_at};

use super::failure::{Failure, FailureKind, rustls_error};
use super::pool::Pool;

/// How much is read from the socket at once.
const READ: usize = 8 * 1024;

pub(super) type JsonRequest = Request<Full<Bytes>>;

/// A connection that is polled only while somebody waits for an answer on it: no task of its own, so dropping the wait
/// closes it, and what an idle one has missed is seen before it is used again.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Driver,
    seen: Arc<Seen>,
}

struct Driver {
    connection: http1::Connection<Io, Full<Bytes>>,
    ended: bool,
}

/// What became of a request that was given to a connection.
pub(super) enum Sent {
    Answered(Reply),
    /// Nothing of it left: it may be sent elsewhere. Beside it, why this connection took nothing.
    Nothing(JsonRequest, Failure),
}

impl Connection {
    pub(super) async fn open(stream: Box<dyn Stream>) -> Result<Box<Self>, Failure> {
        let io = Io::over(stream);
        let seen = Arc::clone(&io.seen);
        let (sender, connection) = http1::handshake(io)
            .await
            .map_err(|_| Failure::new(FailureKind::Setup, "the connection cannot be set up"))?;
        Ok(Box::new(Self {
            sender,
            driver: Driver {
                connection,
                ended: false,
            },
            seen,
        }))
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(mut self: Box<Self>, request: JsonRequest, deadline: Instant) -> Result<Sent, Failure> {
        self.seen.answer.store(false, Ordering::Relaxed);
        let answer = self.sender.try_send_request(request);
        let response = match timeout_at(deadline, self.driver.run(answer)).await {
            Ok(Some(Ok(response))) => response,
            Ok(Some(Err(mut error))) => {
                return match error.take_message() {
                    Some(request) => Ok(Sent::Nothing(request, self.failure(error.error()))),
                    None => Err(self.failure(error.error())),
                };
            }
            Ok(None) => return Err(self.ended()),
            Err(_) if self.seen.answer() => {
                return Err(Failure::new(
                    FailureKind::BrokenOff,
                    "the answer began and did not end in time",
                ));
            }
            Err(_) => {
                return Err(Failure::new(FailureKind::TimedOut, "no answer within the time limit"));
            }
        };
        Ok(Sent::Answered(Reply {
            response,
            connection: self,
            deadline,
            home: None,
        }))
    }

    /// Whether another request can be sent: one poll lets the connection see that it was closed, if it was.
    pub(super) async fn stands(&mut self) -> bool {
        poll_fn(|cx| {
            self.driver.poll(cx);
            Poll::Ready(())
        })
        .await;
        !self.driver.ended && self.sender.is_ready()
    }

    fn failure(&self, error: &hyper::Error) -> Failure {
        if error.is_parse() && !self.seen.tls() {
            return Failure::new(FailureKind::NotHttp, "the answer is not HTTP");
        }
        self.ended()
    }

    /// What the end of a connection means, by how far the exchange had come.
    fn ended(&self) -> Failure {
        if self.seen.tls() {
            Failure::new(FailureKind::Tls, "the encrypted connection failed")
        } else if self.seen.answer() {
            Failure::new(FailureKind::BrokenOff, "the connection ended within the answer")
        } else {
            Failure::new(FailureKind::Reset, "the connection ended before an answer")
        }
    }
}

impl Driver {
    /// Polls the connection until the work that hangs on it is done; `None` when the connection ended before.
    async fn run<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if self.ended => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = Pin::new(&mut self.connection).poll(cx).is_ready();
        }
    }
}

/// The head of an answer; its body is still to be read.
pub(crate) struct Reply {
    response: Response<Incoming>,
    connection: Box<Connection>,
    deadline: Instant,
    home: Option<(Arc<Pool>, Id)>,
}

impl Reply {
    pub(super) fn kept_in(mut self, pool: &Arc<Pool>, runtime: Id) -> Self {
        self.home = Some((Arc::clone(pool), runtime));
        self
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// A header's text.
    #[cfg(feature = "claude")]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Reads a JSON body of at most `limit` bytes, and gives the connection back.
    #[cfg(any(feature = "claude", feature = "remote"))]
    pub(crate) async fn json(self, limit: usize) -> Result<Vec<u8>, Failure> {
        self.check_json()?;
        self.body(limit).await
    }

    /// Reads a body of any type of at most `limit` bytes, and gives the connection back.
    pub(crate) async fn body(mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        self.check_head(limit)?;
        let mut body = Vec::new();
        while let Some(data) = self.chunk(self.deadline).await? {
            if body.len() + data.len() > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&data);
        }
        self.give_back().await;
        Ok(body)
    }

    /// Reads the body piece by piece, as it comes, where it is a stream of events.
    #[cfg(feature = "claude")]
    pub(crate) fn events(self) -> Result<Chunks, Failure> {
        self.check_head(usize::MAX)?;
        if self.essence().as_deref() != Some("text/event-stream") {
            return Err(Failure::new(
                FailureKind::NotJson,
                "the answer's content type is not that of a stream of events",
            ));
        }
        Ok(Chunks(Some(self)))
    }

    /// The next piece of the body; `None` at its end.
    async fn chunk(&mut self, deadline: Instant) -> Result<Option<Bytes>, Failure> {
        loop {
            let frame = self.connection.driver.run(self.response.body_mut().frame());
            match timeout_at(deadline, frame).await {
                // what is no data are trailers
                Ok(Some(Some(Ok(frame)))) => match frame.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    Err(_) => continue,
                },
                Ok(Some(None)) => return Ok(None),
                Ok(None | Some(Some(Err(_)))) if self.connection.seen.tls() => {
                    return Err(self.connection.ended());
                }
                Ok(None | Some(Some(Err(_)))) => {
                    return Err(Failure::new(
                        FailureKind::BrokenOff,
                        "the connection ended within the answer",
                    ));
                }
                Err(_) => {
                    return Err(Failure::new(
                        FailureKind::BrokenOff,
                        "the answer began and did not end in time",
                    ));
                }
            }
        }
    }

    async fn give_back(self) {
        if let Some((pool, runtime)) = self.home {
            pool.put(runtime, self.connection).await;
        }
    }

    fn check_head(&self, limit: usize) -> Result<(), Failure> {
        let headers = self.response.headers();
        if headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .any(|coding| coding != "identity")
        {
            return Err(Failure::new(
                FailureKind::Encoded,
                "the answer is compressed, which was not asked for",
            ));
        }
        if self.response.body().size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        Ok(())
    }

    #[cfg(any(feature = "claude", feature = "remote"))]
    fn check_json(&self) -> Result<(), Failure> {
        if !self.essence().is_some_and(|essence| is_json(&essence)) {
            return Err(Failure::new(
                FailureKind::NotJson,
                "the answer's content type is not JSON",
            ));
        }
        Ok(())
    }

    /// The answer's content type without its parameters.
    #[cfg(any(feature = "claude", feature = "remote"))]
    fn essence(&self) -> Option<String> {
        let value = self.response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
        Some(value.split(';').next()?.trim().to_ascii_lowercase())
    }
}

/// The body of an answer, piece by piece.
#[cfg(feature = "claude")]
pub(crate) struct Chunks(Option<Reply>);

#[cfg(feature = "claude")]
impl Chunks {
    /// The next piece, within a time limit; `None` at the end, after which the connection is given back. Dropping the
    /// future loses nothing.
    pub(crate) async fn next(&mut self, deadline: Instant) -> Result<Option<Bytes>, Failure> {
        let Some(reply) = &mut self.0 else {
            return Ok(None);
        };
        let chunk = reply.chunk(deadline).await?;
        if chunk.is_none()
            && let Some(reply) = self.0.take()
        {
            reply.give_back().await;
        }
        Ok(chunk)
    }
}

fn too_large() -> Failure {
    Failure::new(FailureKind::TooLarge, "the answer is larger than it may be")
}

/// `application/json` and its relatives (`application/problem+json`).
#[cfg(any(feature = "claude", feature = "remote", test))]
fn is_json(essence: &str) -> bool {
    essence
        .strip_prefix("application/")
        .is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

/// What came over the connection since the last request went out.
#[derive(Default)]
struct Seen {
    answer: AtomicBool,
    tls: AtomicBool,
}

impl Seen {
    fn answer(&self) -> bool {
        self.answer.load(Ordering::Relaxed)
    }

    fn tls(&self) -> bool {
        self.tls.load(Ordering::Relaxed)
    }
}

/// What a connection runs over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Lets hyper read and write a tokio stream, and notes how far the exchange came.
pub(crate) struct Io {
    stream: Box<dyn Stream>,
    seen: Arc<Seen>,
    buffer: Box<[u8]>,
}

impl Io {
    pub(crate) fn over(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            seen: Arc::default(),
            buffer: vec![0; READ].into_boxed_slice(),
        }
    }

    fn note(&self, error: &io::Error) {
        if rustls_error(error).is_some() {
            self.seen.tls.store(true, Ordering::Relaxed);
        }
    }
}

impl hyper::rt::Read for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut out: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = out.remaining().min(this.buffer.len());
        let mut buffer = ReadBuf::new(this.buffer.get_mut(..room).unwrap_or_default());
        let read = ready!(Pin::new(&mut *this.stream).poll_read(cx, &mut buffer));
        if !buffer.filled().is_empty() {
            this.seen.answer.store(true, Ordering::Relaxed);
            out.put_slice(buffer.filled());
        }
        Poll::Ready(read.inspect_err(|error| this.note(error)))
    }
}

impl hyper::rt::Write for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut *self.stream).poll_write(cx, bytes));
        Poll::Ready(written.inspect_err(|error| self.note(error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = ready!(Pin::new(&mut *self.stream).poll_flush(cx));
        Poll::Ready(flushed.inspect_err(|error| self.note(error)))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::governor::{GovernorError, GovernorErrorKind};

    /// A stream whose TLS layer refuses the first read.
    struct Alerted;

    impl AsyncRead for Alerted {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            use tokio_rustls::rustls::{AlertDescription, Error};
            let alert = Error::AlertReceived(AlertDescription::CertificateRequired);
            Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, alert)))
        }
    }

    impl AsyncWrite for Alerted {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    async fn failure_on(stream: impl Stream + 'static) -> Failure {
        let connection = Connection::open(Box::new(stream)).await.unwrap();
        let request = Request::builder().uri("/").body(Full::default()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        match connection.send(request, deadline).await {
            Ok(Sent::Nothing(_, failure)) | Err(failure) => failure,
            Ok(Sent::Answered(_)) => panic!("nothing was answered"),
        }
    }

    // this and the next fail where every connection that took no request is told of as reset
    #[tokio::test]
    async fn who_speaks_before_being_asked_has_not_gone_away() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        theirs.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        let spoke = GovernorError::from(failure_on(ours).await);
        assert!(!spoke.kind().is_outage(), "{spoke:?}");
        let (ours, theirs) = tokio::io::duplex(64);
        drop(theirs);
        let away = GovernorError::from(failure_on(ours).await);
        assert_eq!(away.kind(), GovernorErrorKind::Unreachable);
    }

    #[tokio::test]
    async fn a_tls_alert_before_the_request_left_is_a_tls_failure() {
        let alerted = GovernorError::from(failure_on(Alerted).await);
        assert_eq!(alerted.kind(), GovernorErrorKind::Tls);
    }
}
