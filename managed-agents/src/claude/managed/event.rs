//! Events of a session.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::agent::Agent;
use crate::claude::api::{self, Api, ApiError, ApiErrorKind};

/// An event of a session: what is read of it, and the whole JSON as it came.
///
/// `Debug` shows neither texts nor arguments.
#[derive(Clone)]
pub struct Event {
    head: Head,
    body: EventBody,
    raw: Box<RawValue>,
}

#[derive(Clone, Default, Deserialize)]
struct Head {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    processed_at: Option<String>,
    #[serde(default)]
    session_thread_id: Option<String>,
}

/// What an event says, as far as governing needs it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventBody {
    /// A custom tool is to be run by the client.
    CustomToolUse(ToolUseEvent),
    /// A built-in tool is called.
    ToolUse(ToolUseEvent),
    /// A tool of an MCP server is called.
    McpToolUse(ToolUseEvent),
    /// A client has answered a custom tool's call.
    CustomToolResult {
        /// The call.
        call: String,
    },
    /// A worker has answered a built-in tool's call.
    WorkerToolResult {
        /// The call.
        call: String,
    },
    /// A client has allowed or refused a call.
    Confirmation {
        /// The call.
        call: String,
        /// Whether it was allowed; anything but `allow` is a refusal.
        allowed: bool,
    },
    /// A built-in or MCP tool has ended.
    Ended {
        /// The call.
        call: String,
        /// Whether it failed.
        is_error: bool,
    },
    /// The session works.
    Running,
    /// The session waits.
    Idle(SessionStop),
    /// The session is over.
    Terminated,
    /// The session was deleted.
    Deleted,
    /// A thread began.
    ThreadCreated {
        /// The thread.
        thread: String,
    },
    /// A thread is over: its calls take no answers.
    ThreadTerminated {
        /// The thread.
        thread: String,
    },
    /// The session was changed; with the agent, where that changed.
    Updated(Option<Box<Agent>>),
    /// The agent says something.
    Message {
        /// Its text.
        text: String,
    },
    /// Something went wrong.
    Failed {
        /// Its kind.
        kind: String,
        /// Whether the turn goes on.
        goes_on: bool,
    },
    /// Anything else, and whatever cannot be read: see [`Event::raw`].
    Other,
}

/// A call of a tool.
#[derive(Clone)]
pub struct ToolUseEvent {
    name: String,
    server: Option<String>,
    input: Box<RawValue>,
    permission: Option<Permission>,
}

/// What the service made of a call before it told of it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Permission {
    /// It runs, and nobody was asked.
    Allow,
    /// It waits for the client.
    Ask,
    /// It does not run.
    Deny,
    /// A word that this version does not know.
    Unknown(String),
}

/// Why a session waits.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionStop {
    /// The turn is over.
    EndTurn,
    /// These calls wait for answers; the only reason for which the turn is not over.
    RequiresAction(Vec<String>),
    /// The service gave up.
    RetriesExhausted,
    /// The budget is spent.
    BudgetReached,
    /// The model refused.
    Refusal,
    /// A reason that this version does not know.
    Other(String),
}

impl Event {
    /// Its id; none where it is not kept.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.head.id.as_deref()
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.head.kind
    }

    /// The subagent's thread that it comes from; none where it is the session's own.
    #[must_use]
    pub fn thread(&self) -> Option<&str> {
        self.head.session_thread_id.as_deref()
    }

    /// Whether the session has taken it; what a client sends may still be queued.
    #[must_use]
    pub fn is_processed(&self) -> bool {
        self.head.processed_at.is_some()
    }

    /// What it says.
    #[must_use]
    pub fn body(&self) -> &EventBody {
        &self.body
    }

    /// The whole JSON, as it came.
    #[must_use]
    pub fn raw(&self) -> &str {
        self.raw.get()
    }
}

impl ToolUseEvent {
    /// The tool.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The MCP server, where there is one.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The arguments as the model wrote them.
    #[must_use]
    pub fn input(&self) -> &str {
        self.input.get()
    }

    /// What the service made of it; none for a custom tool, and where the service said nothing.
    #[must_use]
    pub fn permission(&self) -> Option<&Permission> {
        self.permission.as_ref()
    }
}

impl fmt::Debug for ToolUseEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolUseEvent")
            .field("name", &self.name)
            .field("server", &self.server)
            .field("permission", &self.permission)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.head.id)
            .field("kind", &self.head.kind)
            .finish_non_exhaustive()
    }
}

/// Every field that is read of any kind of event.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    input: Option<Box<RawValue>>,
    #[serde(default)]
    mcp_server_name: Option<String>,
    #[serde(default)]
    evaluated_permission: Option<String>,
    #[serde(default)]
    tool_use_id: Option<String>,
    #[serde(default)]
    custom_tool_use_id: Option<String>,
    #[serde(default)]
    mcp_tool_use_id: Option<String>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(default)]
    stop_reason: Option<Box<RawValue>>,
    #[serde(default)]
    agent: Option<Box<RawValue>>,
    #[serde(default)]
    content: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Box<RawValue>>,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let head: Head = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        let body = serde_json::from_str(raw.get()).map_or(EventBody::Other, |fields| EventBody::of(&head, fields));
        Ok(Self { head, body, raw })
    }
}

impl EventBody {
    fn of(head: &Head, fields: Fields) -> Self {
        let thread = head.session_thread_id.clone();
        let read = match head.kind.as_str() {
            "agent.custom_tool_use" => ToolUseEvent::of(fields).map(Self::CustomToolUse),
            "agent.tool_use" => ToolUseEvent::of(fields).map(Self::ToolUse),
            "agent.mcp_tool_use" => ToolUseEvent::of(fields).map(Self::McpToolUse),
            "user.custom_tool_result" => fields.custom_tool_use_id.map(|call| Self::CustomToolResult { call }),
            "user.tool_result" => fields.tool_use_id.map(|call| Self::WorkerToolResult { call }),
            "user.tool_confirmation" => fields.tool_use_id.map(|call| Self::Confirmation {
                call,
                allowed: fields.result.is_some_and(|result| result.get() == r#""allow""#),
            }),
            "agent.tool_result" => fields.tool_use_id.map(|call| Self::Ended {
                call,
                is_error: fields.is_error.unwrap_or(false),
            }),
            "agent.mcp_tool_result" => fields.mcp_tool_use_id.map(|call| Self::Ended {
                call,
                is_error: fields.is_error.unwrap_or(false),
            }),
            "session.status_running" => Some(Self::Running),
            "session.status_idle" => Some(Self::Idle(SessionStop::of(fields.stop_reason.as_deref()))),
            "session.status_terminated" => Some(Self::Terminated),
            "session.deleted" => Some(Self::Deleted),
            "session.thread_created" => thread.map(|thread| Self::ThreadCreated { thread }),
            "session.thread_status_terminated" => thread.map(|thread| Self::ThreadTerminated { thread }),
            "session.updated" => Some(Self::Updated(
                fields.agent.and_then(|agent| serde_json::from_str(agent.get()).ok()),
            )),
            "agent.message" => Some(Self::Message {
                text: text_of(fields.content.as_deref()),
            }),
            "session.error" => Some(failed(fields.error.as_deref())),
            _ => None,
        };
        read.unwrap_or(Self::Other)
    }
}

impl ToolUseEvent {
    fn of(fields: Fields) -> Option<Self> {
        let permission = fields.evaluated_permission.map(|word| match word.as_str() {
            "allow" => Permission::Allow,
            "ask" => Permission::Ask,
            "deny" => Permission::Deny,
            _ => Permission::Unknown(word),
        });
        Some(Self {
            name: fields.name?,
            server: fields.mcp_server_name,
            input: fields.input?,
            permission,
        })
    }
}

impl SessionStop {
    fn of(reason: Option<&RawValue>) -> Self {
        #[derive(Deserialize)]
        struct Reason {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            event_ids: Option<Vec<String>>,
        }
        let reason = reason.and_then(|reason| serde_json::from_str::<Reason>(reason.get()).ok());
        let Some(reason) = reason else {
            return Self::Other(String::new());
        };
        match reason.kind.as_str() {
            "end_turn" => Self::EndTurn,
            "requires_action" => Self::RequiresAction(reason.event_ids.unwrap_or_default()),
            "retries_exhausted" => Self::RetriesExhausted,
            "budget_reached" => Self::BudgetReached,
            "refusal" => Self::Refusal,
            _ => Self::Other(reason.kind),
        }
    }
}

fn text_of(content: Option<&RawValue>) -> String {
    #[derive(Deserialize)]
    struct Block {
        #[serde(default)]
        text: Option<String>,
    }
    let blocks = content.and_then(|content| serde_json::from_str::<Vec<Block>>(content.get()).ok());
    let blocks = blocks.unwrap_or_default().into_iter();
    blocks.filter_map(|block| block.text).collect()
}

fn failed(error: Option<&RawValue>) -> EventBody {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Failed {
        #[serde(rename = "type")]
        kind: String,
        retry_status: Option<Status>,
    }
    #[derive(Deserialize)]
    struct Status {
        #[serde(rename = "type", default)]
        kind: String,
    }
    let error = error.and_then(|error| serde_json::from_str::<Failed>(error.get()).ok());
    let error = error.unwrap_or_default();
    EventBody::Failed {
        goes_on: error.retry_status.is_some_and(|status| status.kind == "retrying"),
        kind: error.kind,
    }
}

/// What happens in a session, as it happens. It has no memory: what happened while it was not open is in the history.
pub struct EventStream {
    stream: api::EventStream,
    api: Api,
}

impl EventStream {
    pub(super) fn new(stream: api::EventStream, api: Api) -> Self {
        Self { stream, api }
    }

    /// The next event; `None` when the stream ends. A stream in which nothing comes for `patience`, not even a ping, has
    /// failed. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`ApiError`] when the stream breaks off, or carries what is no event.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Event>, ApiError> {
        loop {
            let Some(frame) = self.stream.next(patience, None).await.map_err(|fault| fault.error)? else {
                return Ok(None);
            };
            match frame.name.as_str() {
                "ping" => {}
                "error" => return Err(self.api.event_refusal(&frame.data).error),
                _ => {
                    return serde_json::from_str(&frame.data)
                        .map(Some)
                        .map_err(|_| ApiError::new(ApiErrorKind::Malformed, "the stream carries what is no event"));
                }
            }
        }
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream(..)")
    }
}
