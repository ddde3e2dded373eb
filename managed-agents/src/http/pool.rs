//! Connections that wait for the next request.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Id;
use tokio::time::Instant;

use super::connection::Connection;

/// How many connections are kept; more are closed after use.
const KEPT: usize = 16;

/// How long a connection is kept: less than what servers commonly grant.
const IDLE: Duration = Duration::from_secs(50);

#[derive(Default)]
pub(super) struct Pool {
    /// Held to push or pop, never across an await.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    /// A connection is bound to the runtime that it was made on, which may be gone or asleep.
    runtime: Id,
    since: Instant,
    connection: Box<Connection>,
}

impl Pool {
    /// A connection of this runtime that still stands, the last used first.
    pub(super) async fn take(&self, runtime: Id) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.pop(runtime)?;
            if connection.stands().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) async fn put(&self, runtime: Id, mut connection: Box<Connection>) {
        if !connection.stands().await {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(Idle {
                runtime,
                since: Instant::now(),
                connection,
            });
        }
    }

    fn pop(&self, runtime: Id) -> Option<Box<Connection>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.since.elapsed() < IDLE);
        let at = idle.iter().rposition(|kept| kept.runtime == runtime)?;
        Some(idle.remove(at).connection)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool(..)")
    }
}
