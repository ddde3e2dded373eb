//! The remote governor: a governance service over HTTP.

mod answer;
mod body;
mod builder;
mod preset;
mod wait;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::Answer;
use crate::call::{ToolCall, Verbs};
use crate::governor::{Governor, GovernorError, GovernorErrorKind, Judgement};
use crate::http::{Client, Endpoint, Reply};
use crate::verdict::{EvaluationId, Verdict};

use body::Template;
use wait::Resolved;

pub use builder::{RemoteBuilder, RemoteError, RemoteErrorKind};
pub use preset::{PolicyPreset, PresetError};

/// Where decisions are had when nothing else is said.
pub const DEFAULT_ENDPOINT: &str = "https://amp.nomotic.ai/api/v1/govern";

/// The largest answer that is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// A governor that asks a governance service.
///
/// What leaves the process is the tool's verb, the target and the arguments with redacted ones replaced, the session,
/// the platform and the context that you add; never a redacted value. Every answer that is not a well-formed verdict for
/// this agent is an error, and an error is a denial, unless the harness is set to fail open and the service was
/// unreachable ([`GovernorErrorKind::is_outage`]).
///
/// A request is sent once. It may go out on a second connection only when nothing of it left on a kept one that the
/// service had closed: an evaluation has no idempotency key, and a service that judged twice would record a call that
/// never was.
///
/// No redirect is followed and no proxy is used: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are not read, on
/// purpose, since a variable would otherwise say who sees the calls. Where the only way out is a proxy, name one that
/// forwards to the service as the endpoint, with `https`. Decisions need a tokio runtime with I/O and time enabled. Clones share their connections.
///
/// # Examples
///
/// ```
/// use managed_agents::Secret;
/// use managed_agents::remote::{PolicyPreset, Remote};
///
/// let remote = Remote::builder()
///     .endpoint("http://127.0.0.1:8080/api/v1/govern")
///     .api_key(Secret::parse("nm_test_4f9c")?)
///     .platform("claude")
///     .policy(PolicyPreset::shell())
///     .build()?;
/// assert!(!format!("{remote:?}").contains("nm_test"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

struct Shared {
    client: Client,
    endpoint: Endpoint,
    /// The path below which evaluations are looked up.
    base: String,
    template: Template,
    verbs: Verbs,
    timeout: Duration,
    resolved: Resolved,
}

impl Remote {
    /// A remote governor in the making.
    pub fn builder() -> RemoteBuilder {
        RemoteBuilder::default()
    }

    /// Where it asks.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }
}

impl Governor for Remote {
    fn name(&self) -> &str {
        "remote"
    }

    fn decide(&self, call: &Arc<ToolCall>) -> Answer<Result<Judgement, GovernorError>> {
        let verb = call.meta().action().unwrap_or_else(|| self.0.verbs.verb(call.tool()));
        let body = self.0.template.body(call, verb);
        let shared = Arc::clone(&self.0);
        let call = Arc::clone(call);
        Answer::later(async move {
            let deadline = Instant::now() + shared.timeout;
            let reply = shared.client.post(shared.endpoint.path(), body, deadline).await?;
            let answer = answer::parse(&read(reply).await?)?;
            Ok(answer.for_agent(call.agent())?.into_verdict().into())
        })
    }

    fn resolution(
        &self,
        call: &Arc<ToolCall>,
        evaluation: &EvaluationId,
        patience: Duration,
    ) -> Option<Answer<Result<Verdict, GovernorError>>> {
        let shared = Arc::clone(&self.0);
        let call = Arc::clone(call);
        let evaluation = evaluation.to_string();
        Some(Answer::later(async move {
            wait::resolution(&shared, &call, &evaluation, patience).await
        }))
    }

    /// Whether the service takes connections, over TLS where it is not on this machine. That the key is taken, and that
    /// verdicts come, is not known before the first call: the wire has no request for health, and none that tries a key
    /// and decides nothing.
    fn health(&self) -> Answer<Result<(), GovernorError>> {
        let shared = Arc::clone(&self.0);
        Answer::later(async move {
            let deadline = Instant::now() + shared.timeout;
            Ok(shared.client.reach(deadline).await?)
        })
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("endpoint", &format_args!("{}", self.0.endpoint))
            .field("timeout", &self.0.timeout)
            .finish_non_exhaustive()
    }
}

/// The body of a 200; every other status is an error of its own, whatever its body says.
async fn read(reply: Reply) -> Result<Vec<u8>, GovernorError> {
    let status = reply.status();
    let kind = match status {
        200 => return reply.json(MAX_ANSWER).await.map_err(GovernorError::from),
        300..=399 => GovernorErrorKind::Redirected,
        400..=499 => GovernorErrorKind::Rejected,
        500..=599 => GovernorErrorKind::ServerError,
        _ => GovernorErrorKind::Malformed,
    };
    Err(
        GovernorError::new(kind, format!("the governance service answered {status}"))
            .with_code(format!("http_{status}")),
    )
}
