//! An answer that is there at once, or comes later.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

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

    /// The answer where it lies, if it is there already: to move it costs more than to look at it.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<&T> {
        match &self.0 {
            Inner::Ready(value) => value.as_ref(),
            Inner::Later(_) => None,
        }
    }

    /// Changes the answer, at once if it is there.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use managed_agents::Answer;
    /// assert_eq!(Answer::ready(7).map(|n| n + 1).now().ok(), Some(8));
    /// assert_eq!(Answer::later(async { 7 }).map(|n| n + 1).await, 8);
    /// # }
    /// ```
    pub fn map<U: Send + 'static>(self, change: impl FnOnce(T) -> U + Send + 'static) -> Answer<U>
    where
        T: Send + Unpin + 'static,
    {
        match self.now() {
            Ok(value) => Answer::ready(change(value)),
            Err(later) => Answer::later(async move { change(later.await) }),
        }
    }

    /// Goes on with the answer to another one, at once if it is there.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use managed_agents::Answer;
    /// // asks a second time only where the first answer leaves it open
    /// let asked = Answer::ready(None).then(|first| match first {
    ///     Some(value) => Answer::ready(value),
    ///     None => Answer::later(async { 7 }),
    /// });
    /// assert_eq!(asked.await, 7);
    /// # }
    /// ```
    pub fn then<U: Send + Unpin + 'static>(self, next: impl FnOnce(T) -> Answer<U> + Send + 'static) -> Answer<U>
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

/// The answer, once another thread has given it. Only for answers that need nothing of this thread.
pub(crate) fn wait<T: Unpin>(answer: Answer<T>) -> T {
    // a task that has used up its turn is asked by tokio to yield first, which whoever blocks cannot
    let mut answer = pin!(tokio::task::unconstrained(answer));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match answer.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A task may do a limited number of things before it must yield; one that blocks a thousand times in one go never yields.
    #[tokio::test(flavor = "current_thread")]
    async fn a_task_may_wait_any_number_of_times_in_one_turn() {
        for number in 0..1_000 {
            let (answers, answer) = tokio::sync::oneshot::channel();
            thread::spawn(move || answers.send(number));
            assert_eq!(wait(Answer::later(answer)), Ok(number));
        }
    }
}
