//! What runs where no harness is asked: it is told to the record, so that the record does not look whole where it is not.

use serde::Serialize;

use super::Harness;

/// A call that ran, or may run, outside governance.
pub(crate) struct Outside<'a> {
    /// The service's id of the call, where it gives one.
    pub(crate) call: Option<&'a str>,
    /// The service's id of the session, where there is one.
    pub(crate) session: Option<&'a str>,
    pub(crate) tool: &'a str,
    /// The stable code of why it is outside.
    pub(crate) why: &'static str,
}

/// While this is kept, stops that other processes state are known here within 100 ms, although nothing runs.
pub(crate) struct Attending {
    #[cfg(feature = "sqlite")]
    _to: Option<crate::store::Attending>,
}

impl Harness {
    /// Records such a call; whether the record holds it. One in memory does not.
    pub(crate) async fn record_outside(&self, outside: &Outside<'_>) -> bool {
        let body = Body {
            call: outside.call.map(short),
            session: outside.session.map(short),
            tool: short(outside.tool),
            v: FORMAT,
            why: outside.why,
        };
        let Ok(body) = serde_json::to_string(&body) else {
            return false;
        };
        let agent = self.agent_id();
        #[cfg(feature = "sqlite")]
        if let Some(store) = self.0.recorder.store() {
            use crate::audit::entry::{Statement, statement};
            let said = Statement::new(KIND, self.0.clock.now(), &body).about_agent(agent);
            let written = match statement(&said) {
                Ok(entry) => store.append(entry, false).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = &written {
                tracing::error!(%error, tool = outside.tool, "a call outside governance cannot be recorded");
            }
            return written.is_ok();
        }
        self.0.recorder.state(agent, KIND, &body)
    }

    /// Has stops of other processes known here, until what is given is dropped.
    pub(crate) fn attend(&self) -> Attending {
        Attending {
            #[cfg(feature = "sqlite")]
            _to: self.0.recorder.store().map(crate::store::Store::attend),
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    tool: &'a str,
    v: &'static str,
    why: &'static str,
}

/// As much of a service's text as tells it apart.
fn short(text: &str) -> &str {
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The type of the entries.
const KIND: &str = "outside";

const FORMAT: &str = "ma-outside/1";

const MOST_BYTES: usize = 256;
