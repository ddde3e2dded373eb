//! What was taken and answered, written down before it is done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::SessionError;
use crate::harness::Harness;

#[cfg(feature = "sqlite")]
use crate::store::calls::{CallBook, Taken as Found};

/// The calls of one session. Clones share it.
#[derive(Clone)]
pub(super) struct Journal(Kind);

#[derive(Clone)]
enum Kind {
    /// Gone with the process, as the record in memory is.
    Memory(Memory, String),
    #[cfg(feature = "sqlite")]
    Book(Arc<CallBook>),
}

/// Calls by session and event, of a harness that records in memory.
pub(super) type Memory = Arc<Mutex<HashMap<(String, String), Entry>>>;

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Taken,
    Waiting,
    Answered(Option<String>),
    Outside,
}

/// What became of the attempt to take a call.
#[derive(Debug)]
pub(super) enum Taken {
    Yes,
    /// Somebody took it and gave no answer.
    Lost,
    /// It was answered before: with this, where it is still kept.
    Answered(Option<String>),
}

impl Journal {
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(clippy::unnecessary_wraps, reason = "opening a file can fail")
    )]
    pub(super) fn open(harness: &Harness, memory: &Memory, session: &str) -> Result<Self, SessionError> {
        #[cfg(feature = "sqlite")]
        if let Some(home) = harness.home() {
            let book = CallBook::open(home.dir(), session).map_err(|error| SessionError::journal(&error))?;
            return Ok(Self(Kind::Book(Arc::new(book))));
        }
        #[cfg(not(feature = "sqlite"))]
        let _ = harness;
        Ok(Self(Kind::Memory(Arc::clone(memory), session.to_owned())))
    }

    pub(super) async fn take(&self, event: &str, tool: &str) -> Result<Taken, SessionError> {
        // memory is lost with whoever could be told of it
        #[cfg(not(feature = "sqlite"))]
        let _ = tool;
        match &self.0 {
            Kind::Memory(memory, session) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                let key = (session.clone(), event.to_owned());
                let taken = match memory.get(&key) {
                    None | Some(Entry::Waiting) => Taken::Yes,
                    Some(Entry::Taken | Entry::Outside) => Taken::Lost,
                    Some(Entry::Answered(answer)) => Taken::Answered(answer.clone()),
                };
                if let Taken::Yes = taken {
                    memory.insert(key, Entry::Taken);
                }
                Ok(taken)
            }
            #[cfg(feature = "sqlite")]
            Kind::Book(book) => {
                let (event, tool) = (event.to_owned(), tool.to_owned());
                let taken = written(book, move |book| book.take(&event, &tool)).await?;
                Ok(match taken {
                    Found::Yes => Taken::Yes,
                    Found::Lost => Taken::Lost,
                    Found::Answered(answer) => Taken::Answered(answer),
                })
            }
        }
    }

    /// The call's body has not begun, and may be taken again.
    pub(super) async fn put_back(&self, event: &str) -> Result<(), SessionError> {
        match &self.0 {
            Kind::Memory(..) => self.remember(event, Entry::Waiting),
            #[cfg(feature = "sqlite")]
            Kind::Book(book) => {
                let event = event.to_owned();
                written(book, move |book| book.put_back(&event)).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn answer(&self, event: &str, answer: String, lost: bool) -> Result<(), SessionError> {
        match &self.0 {
            Kind::Memory(..) => self.remember(event, Entry::Answered(Some(answer))),
            #[cfg(feature = "sqlite")]
            Kind::Book(book) => {
                let event = event.to_owned();
                written(book, move |book| book.answer(&event, &answer, lost)).await?;
            }
        }
        #[cfg(not(feature = "sqlite"))]
        let _ = lost;
        Ok(())
    }

    /// Whether it is recorded already that a call ran outside governance.
    pub(super) async fn knows_outside(&self, event: &str) -> Result<bool, SessionError> {
        match &self.0 {
            Kind::Memory(memory, session) => {
                let memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                let known = memory.get(&(session.clone(), event.to_owned()));
                Ok(matches!(known, Some(Entry::Outside)))
            }
            #[cfg(feature = "sqlite")]
            Kind::Book(book) => {
                let event = event.to_owned();
                written(book, move |book| book.knows_outside(&event)).await
            }
        }
    }

    /// It is recorded that a call ran outside governance, and need not be again.
    pub(super) async fn note_outside(&self, event: &str, tool: &str) -> Result<(), SessionError> {
        match &self.0 {
            Kind::Memory(..) => self.remember(event, Entry::Outside),
            #[cfg(feature = "sqlite")]
            Kind::Book(book) => {
                let (event, tool) = (event.to_owned(), tool.to_owned());
                written(book, move |book| book.note_outside(&event, &tool)).await?;
            }
        }
        #[cfg(not(feature = "sqlite"))]
        let _ = tool;
        Ok(())
    }

    /// The service has the answer.
    pub(super) async fn settle(&self, event: &str) {
        match &self.0 {
            Kind::Memory(memory, session) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(entry) = memory.get_mut(&(session.clone(), event.to_owned())) {
                    *entry = Entry::Answered(None);
                }
            }
            #[cfg(feature = "sqlite")]
            Kind::Book(book) => {
                let event = event.to_owned();
                if let Err(error) = written(book, move |book| book.settle(&event)).await {
                    // what is kept too long is no danger to the call
                    tracing::warn!(%error, "an answered call cannot be settled");
                }
            }
        }
    }

    fn remember(&self, event: &str, entry: Entry) {
        #[cfg_attr(
            not(feature = "sqlite"),
            expect(irrefutable_let_patterns, reason = "the only kind without `sqlite`")
        )]
        if let Kind::Memory(memory, session) = &self.0 {
            let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.insert((session.clone(), event.to_owned()), entry);
        }
    }
}

/// Writes on a thread that may block.
#[cfg(feature = "sqlite")]
async fn written<T: Send + 'static>(
    book: &Arc<CallBook>,
    write: impl FnOnce(&CallBook) -> Result<T, crate::store::StoreError> + Send + 'static,
) -> Result<T, SessionError> {
    let book = Arc::clone(book);
    match tokio::task::spawn_blocking(move || write(&book)).await {
        Ok(written) => written.map_err(|error| SessionError::journal(&error)),
        Err(_) => Err(SessionError::journal(&"the thread that writes has ended")),
    }
}
