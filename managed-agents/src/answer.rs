//! An answer that is there at once, or comes later.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An answer that is there at once (and then costs no allocation), or comes later.
///
/// What the seams of the harness return: an embedded governor and an in-memory record answer at once; a remote one and a
/// database do not.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use managed_agents::Answer;
/// assert_eq!(Answer::ready(7).await, 7);
/// assert_eq!(Answer::later(async { 7 }).await, 7);
/// # }
/// ```
#[must_use = "an answer does nothing until it is awaited"]
pub struct Answer<T>(Inner<T>);

enum Inner<T> {
    Ready(Option<T>),
    Later(Pin<Box<dyn Future<Output = T> + Send>>),
}

impl<T> Answer<T> {
    /// The answer is there.
    #[inline(always)]
    pub fn ready(value: T) -> Self {
        Self(Inner::Ready(Some(value)))
    }

    /// The answer comes when the future ends.
    pub fn later(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Inner::Later(Box::pin(future)))
    }

    /// The answer, if it is there already; else itself, to be awaited.
    ///
    /// # Errors
    ///
    /// The answer itself when it is not there yet.
    #[inline(always)]
    pub fn now(self) -> Result<T, Self> {
        match self.0 {
            Inner::Ready(Some(value)) => Ok(value),
            other => Err(Self(other)),
        }
    }

    /// Goes on with the answer, at once if it is there.
    pub(crate) fn then<U: Send + Unpin + 'static>(self, next: impl FnOnce(T) -> Answer<U> + Send + 'static) -> Answer<U>
    where
        T: Send + Unpin + 'static,
    {
        match self.now() {
            Ok(value) => next(value),
            Err(later) => Answer::later(async move { next(later.await).await }),
        }
    }
}

impl<T: Unpin> Future for Answer<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            Inner::Ready(value) => match value.take() {
                Some(value) => Poll::Ready(value),
                // polled after its end: nothing will ever come
                None => Poll::Pending,
            },
            Inner::Later(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Ready(_) => "Answer::Ready(..)",
            Inner::Later(_) => "Answer::Later(..)",
        })
    }
}
