//! What others are told.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::audit::entry::Entry;
use crate::audit::export::Untrusted;

/// What happened.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum EventKind {
    /// A call waits for people.
    TicketOpened,
    /// A person decided.
    TicketDecided,
    /// A ticket expired.
    TicketExpired,
    /// An agent was suspended.
    AgentSuspended,
    /// An agent was revoked.
    AgentRevoked,
    /// An agent's behaviour changed.
    DriftAlarm,
    /// The record cannot be written or read.
    RecordTrouble,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::TicketOpened,
        Self::TicketDecided,
        Self::TicketExpired,
        Self::AgentSuspended,
        Self::AgentRevoked,
        Self::DriftAlarm,
        Self::RecordTrouble,
    ];

    /// The stable name of it, `type` of a message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TicketOpened => "ticket.opened",
            Self::TicketDecided => "ticket.decided",
            Self::TicketExpired => "ticket.expired",
            Self::AgentSuspended => "agent.suspended",
            Self::AgentRevoked => "agent.revoked",
            Self::DriftAlarm => "drift.alarm",
            Self::RecordTrouble => "record.trouble",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that happened. It holds no value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    kind: EventKind,
    id: String,
    at: String,
    text: String,
    data: Map<String, Value>,
}

/// The keys are stable.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: &'a str,
    text: &'a str,
    data: &'a Map<String, Value>,
}

impl Event {
    /// What an entry tells, if anything.
    pub(super) fn of(entry: &Entry, origin: &str) -> Option<Self> {
        match entry.kind() {
            "decision" => Self::of_decision(entry, origin),
            "approval" => Self::of_approval(entry, origin),
            "ticket" => Self::of_ticket(entry, origin),
            "agent" => Self::of_agent(entry, origin),
            "drift" => Self::of_drift(entry, origin),
            _ => None,
        }
    }

    fn of_decision(entry: &Entry, origin: &str) -> Option<Self> {
        let ticket = said(entry, "ticket")?;
        let (agent, tool) = (said(entry, "agent"), said(entry, "tool"));
        let codes: Vec<String> = entry.codes().iter().map(|code| code.reveal().to_owned()).collect();
        let what = format!("{} calls {}", shown(agent.as_deref()), shown(tool.as_deref()));
        let (kind, text) = if codes.iter().any(|code| code == "approval_expired") {
            let text = format!("{what}: its ticket {} has expired.", shown(Some(&ticket)));
            (EventKind::TicketExpired, text)
        } else if said(entry, "disposition").as_deref() == Some("queued") {
            let text = format!(
                "{what} and waits for people ({}). Ticket {}.",
                shown(codes.first().map(String::as_str)),
                shown(Some(&ticket))
            );
            (EventKind::TicketOpened, text)
        } else {
            return None;
        };
        let about = [("agent", agent), ("tool", tool), ("ticket", Some(ticket.clone()))];
        let mut event = Self::new(kind, entry, origin, text, &about);
        // callers that join a ticket are recorded as the first is: the ticket opens once
        event.id = once(origin, kind, &ticket);
        event.data.insert("reasons".to_owned(), json!(codes));
        Some(event)
    }

    /// A ticket that was closed by nobody's order; of its expiry whoever repeats the call is told as well.
    fn of_ticket(entry: &Entry, origin: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(entry.raw("body")?).ok()?;
        let ticket = body.get("ticket")?.as_str()?.to_owned();
        if body.get("state")?.as_str() != Some("expired") {
            return None;
        }
        let text = format!("Ticket {} has expired.", shown(Some(&ticket)));
        let kind = EventKind::TicketExpired;
        let id = once(origin, kind, &ticket);
        let event = Self::new(kind, entry, origin, text, &[("ticket", Some(ticket))]);
        Some(Self { id, ..event })
    }

    fn of_approval(entry: &Entry, origin: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Signed {
            key: String,
            body: Body,
        }
        #[derive(serde::Deserialize)]
        struct Body {
            kind: String,
            about: About,
        }
        #[derive(serde::Deserialize)]
        struct About {
            ticket: String,
            tool: Option<String>,
        }
        let signed: Signed = serde_json::from_str(entry.raw("body")?).ok()?;
        let about = signed.body.about;
        let text = format!(
            "Ticket {}: {} by the key {}.",
            shown(Some(&about.ticket)),
            match signed.body.kind.as_str() {
                "approve" => "approved",
                "edit" => "approved with other arguments",
                "reject" => "rejected",
                _ => "closed",
            },
            shown(Some(&signed.key))
        );
        let about = [
            ("agent", said(entry, "agent")),
            ("tool", about.tool),
            ("ticket", Some(about.ticket)),
            ("decision", Some(signed.body.kind)),
            ("approver_key", Some(signed.key)),
        ];
        Some(Self::new(EventKind::TicketDecided, entry, origin, text, &about))
    }

    fn of_drift(entry: &Entry, origin: &str) -> Option<Self> {
        #[derive(serde::Deserialize)]
        struct Alarm {
            alarm: u64,
            severity: String,
            stream: String,
        }
        let alarm: Alarm = serde_json::from_str(entry.raw("body")?).ok()?;
        let agent = said(entry, "agent");
        let text = format!(
            "{} behaves otherwise than before ({}, {}).",
            shown(agent.as_deref()),
            shown(Some(&alarm.stream)),
            shown(Some(&alarm.severity))
        );
        let about = [
            ("agent", agent.clone()),
            ("stream", Some(alarm.stream)),
            ("severity", Some(alarm.severity)),
        ];
        let mut event = Self::new(EventKind::DriftAlarm, entry, origin, text, &about);
        // processes that state the same alarm tell of one event
        let who = hex_of(agent.as_deref().unwrap_or_default());
        event.id = format!(
            "{}_{}_{who}_{}",
            message_id(origin),
            EventKind::DriftAlarm.name(),
            alarm.alarm
        );
        event.data.insert("alarm".to_owned(), json!(alarm.alarm));
        Some(event)
    }

    fn of_agent(entry: &Entry, origin: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(entry.raw("body")?).ok()?;
        let said_in = |key: &str| body.get("body")?.get(key)?.as_str().map(ToOwned::to_owned);
        let (kind, word) = match said_in("state")?.as_str() {
            "suspended" => (EventKind::AgentSuspended, "suspended"),
            "revoked" => (EventKind::AgentRevoked, "revoked"),
            _ => return None,
        };
        let agent = said(entry, "agent").or_else(|| said_in("agent"));
        let reason = said_in("reason");
        let text = format!("{} is {word} ({}).", shown(agent.as_deref()), shown(reason.as_deref()));
        Some(Self::new(
            kind,
            entry,
            origin,
            text,
            &[("agent", agent), ("reason", reason)],
        ))
    }

    /// The record is in trouble, by the code of what is wrong.
    pub(super) fn trouble(code: &str, at_micros: i64) -> Self {
        let mut data = Map::new();
        data.insert("code".to_owned(), json!(code));
        Self {
            kind: EventKind::RecordTrouble,
            id: format!("msg_trouble_{at_micros}"),
            at: String::from_utf8_lossy(&crate::calendar::rfc3339(at_micros)).into_owned(),
            text: format!("The record cannot be written or read ({code}): calls are denied."),
            data,
        }
    }

    fn new(kind: EventKind, entry: &Entry, origin: &str, text: String, about: &[(&str, Option<String>)]) -> Self {
        let mut data = Map::new();
        for (key, value) in about {
            if let Some(value) = value {
                data.insert((*key).to_owned(), json!(value));
            }
        }
        data.insert("entry".to_owned(), json!(entry.sequence()));
        data.insert("log".to_owned(), json!(origin));
        Self {
            kind,
            id: format!("{}_{}", message_id(origin), entry.sequence()),
            at: entry.at().to_owned(),
            text,
            data,
        }
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// Names it, the same in every delivery.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was recorded, as RFC 3339 says it.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// In a sentence, as Slack shows it: names from outside are escaped.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// About whom and what: `agent`, `tool`, `ticket`, `reasons`, `decision`, `approver_key`, `reason`, `code`, `stream`, `severity`, `alarm`, `entry`,
    /// `log`, as far as the kind has them.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.data.get(key)
    }

    /// The message that is sent.
    pub(super) fn body(&self) -> String {
        let message = Message {
            kind: self.kind.name(),
            timestamp: &self.at,
            text: &self.text,
            data: &self.data,
        };
        serde_json::to_string(&message).unwrap_or_default()
    }
}

fn said(entry: &Entry, key: &str) -> Option<String> {
    entry.untrusted(key).map(|text| text.reveal().to_owned())
}

/// A name from outside in a sentence for Slack: one line, nothing hidden, and no mark-up (`<`, `>`, `&` are how that begins).
fn shown(text: Option<&str>) -> String {
    let Some(text) = text else {
        return "unknown".to_owned();
    };
    let clipped: String = text.chars().take(120).collect();
    let text = Untrusted::new(clipped).terminal();
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // these would set type or begin a link
    text.replace(['*', '_', '~', '`'], "\u{b7}")
}

/// Names what happens to a ticket once.
fn once(origin: &str, kind: EventKind, ticket: &str) -> String {
    format!("{}_{}_{}", message_id(origin), kind.name(), hex_of(ticket))
}

/// Tells messages of one log from those of another.
fn message_id(origin: &str) -> String {
    format!("msg_{}", hex_of(origin))
}

fn hex_of(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::digest(text);
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Entry {
        Entry::parse(json).unwrap()
    }

    #[test]
    fn an_alarm_of_drift_is_one_event_whichever_process_states_it() {
        let line = |seq: u64| {
            let body = r#"{"alarm":40,"divergence":120,"moved":[],"severity":"high","since":9,"stream":"tool"}"#;
            entry(&format!(
                r#"{{"agent":"<bot>","at":"2026-01-01T00:00:00.000000Z","body":{body},"seq":{seq},"type":"drift","v":"ma-entry/1"}}"#
            ))
        };
        let (one, other) = (
            Event::of(&line(41), "log").unwrap(),
            Event::of(&line(43), "log").unwrap(),
        );
        assert_eq!((one.kind(), one.id()), (EventKind::DriftAlarm, other.id()));
        assert_eq!(one.text(), "&lt;bot&gt; behaves otherwise than before (tool, high).");
        assert_eq!(
            (one.get("alarm"), one.get("entry")),
            (Some(&json!(40)), Some(&json!(41)))
        );
    }

    #[test]
    fn a_ticket_opens_once_however_many_callers_join_it() {
        let line = |seq: u64| {
            entry(&format!(
                r#"{{"agent":"bot","at":"2026-01-01T00:00:00.000000Z","codes":["risk_high"],"disposition":"queued","seq":{seq},"ticket":"tkt_1","tool":"pay","type":"decision","v":"ma-entry/1"}}"#
            ))
        };
        let (first, second) = (
            Event::of(&line(3), "a/log").unwrap(),
            Event::of(&line(9), "a/log").unwrap(),
        );
        assert_eq!(first.kind(), EventKind::TicketOpened);
        assert_eq!(first.id(), second.id());
        assert_ne!(first.id(), Event::of(&line(3), "b/log").unwrap().id());
        assert_eq!(first.get("reasons"), Some(&json!(["risk_high"])));
    }

    #[test]
    fn no_name_from_outside_is_mark_up_in_a_sentence() {
        let hostile = r#"{"agent":"bot","at":"2026-01-01T00:00:00.000000Z","codes":["risk_high"],"disposition":"queued","seq":1,"ticket":"tkt_1","tool":"<!channel> *now* `x`\u202e\n_y_","type":"decision","v":"ma-entry/1"}"#;
        let event = Event::of(&entry(hostile), "log").unwrap();
        for mark in ["<", ">", "*", "`", "\u{202e}", "\n"] {
            assert!(!event.text().contains(mark), "{mark:?} in {}", event.text());
        }
    }

    #[test]
    fn names_of_kinds_read_back() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
        }
    }
}
