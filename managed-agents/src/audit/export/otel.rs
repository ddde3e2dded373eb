//! Calls as OpenTelemetry spans: OTLP in JSON, with the attributes of the semantic conventions for generative AI.
//!
//! A call of which a decision says that it runs is held until its outcome is written, so that its span has its length.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Opened, PRODUCT, VERSION, json_line};
use crate::audit::entry::Entry;

/// More calls than this are not held: the oldest is written as one that has not ended.
const MOST_HELD: usize = 65_536;
/// Nor more bytes of opened values.
const MOST_BYTES: usize = 64 << 20;

/// The calls that run, by the sequence of their decision.
#[derive(Default)]
pub(super) struct Running {
    held: BTreeMap<u64, Span>,
    /// Of opened values, in all spans that are held.
    bytes: usize,
}

struct Span {
    name: String,
    trace: String,
    id: String,
    parent: Option<String>,
    start_micros: i64,
    end_micros: i64,
    attributes: Vec<Value>,
    /// Of opened values.
    bytes: usize,
    /// OpenTelemetry's `StatusCode`: 0 unset, 1 ok, 2 error.
    status: u8,
}

impl Running {
    /// The spans that are complete with this entry: at most two.
    pub(super) fn spans(&mut self, entry: &Entry, opened: &Opened, origin: &str) -> String {
        let mut out = String::new();
        match entry.kind() {
            "decision" => {
                let span = decided(entry, opened, origin);
                let runs = !matches!(
                    entry.disposition().as_ref().map(|it| it.reveal()),
                    None | Some("refused" | "queued")
                );
                if !runs {
                    return span.line(origin);
                }
                self.bytes += span.bytes;
                if let Some(replaced) = self.held.insert(entry.sequence(), span) {
                    self.bytes -= replaced.bytes;
                    out.push_str(&replaced.line(origin));
                }
                while (self.held.len() > MOST_HELD || self.bytes > MOST_BYTES)
                    && let Some((_, oldest)) = self.held.pop_first()
                {
                    self.bytes -= oldest.bytes;
                    out.push_str(&oldest.line(origin));
                }
            }
            "outcome" => {
                let held = entry.about().and_then(|about| self.held.remove(&about));
                self.bytes -= held.as_ref().map_or(0, |span| span.bytes);
                let mut span = held.unwrap_or_else(|| decided(entry, opened, origin));
                ended(&mut span, entry);
                out.push_str(&span.line(origin));
            }
            kind => {
                let mut span = decided(entry, opened, origin);
                span.name = format!("{PRODUCT} {kind}");
                out.push_str(&span.line(origin));
            }
        }
        out
    }

    /// The calls that have no outcome yet.
    pub(super) fn rest(&mut self, origin: &str) -> String {
        std::mem::take(&mut self.held)
            .into_values()
            .map(|span| span.line(origin))
            .collect()
    }
}

/// What an entry says of a span that has no length yet.
fn decided(entry: &Entry, opened: &Opened, origin: &str) -> Span {
    let text = |key: &str| entry.untrusted(key).map(|text| text.reveal().to_owned());
    let evaluation = text("evaluation");
    let parent = text("parent");
    let own = evaluation.clone().unwrap_or_else(|| entry.sequence().to_string());
    let whole = text("session")
        .or_else(|| parent.clone())
        .unwrap_or_else(|| own.clone());
    let tool = text("tool");
    let arguments = (!opened.is_empty()).then(|| opened.json());
    let bytes = arguments.as_ref().map_or(0, String::len);
    let mut attributes = Vec::with_capacity(16);
    let mut add = |key: &str, value: Option<String>| {
        attributes.extend(value.map(|value| attribute(key, &json!({ "stringValue": value }))));
    };
    if let "decision" | "outcome" = entry.kind() {
        add("gen_ai.operation.name", Some("execute_tool".to_owned()));
    }
    add("gen_ai.tool.name", tool.clone());
    add("gen_ai.tool.type", tool.is_some().then(|| "function".to_owned()));
    add("gen_ai.tool.call.id", evaluation.clone());
    add("gen_ai.agent.id", text("agent"));
    add("gen_ai.conversation.id", text("session"));
    add("gen_ai.tool.call.arguments", arguments);
    add("managed_agents.evaluation_id", evaluation);
    add("managed_agents.decision", text("decision"));
    add("managed_agents.disposition", text("disposition"));
    add(
        "managed_agents.code",
        entry.codes().first().map(|code| code.reveal().to_owned()),
    );
    add("managed_agents.certificate", text("certificate"));
    add("managed_agents.digest", text("digest"));
    add("managed_agents.ticket", text("ticket"));
    add("managed_agents.body", entry.raw("body").map(str::to_owned));
    let refused = matches!(
        entry.disposition().as_ref().map(|it| it.reveal()),
        Some("refused" | "queued")
    );
    add("error.type", refused.then(|| "governance_denied".to_owned()));
    attributes.push(attribute(
        "managed_agents.sequence",
        &json!({ "intValue": entry.sequence().to_string() }),
    ));
    Span {
        name: tool.map_or_else(|| "execute_tool".to_owned(), |tool| format!("execute_tool {tool}")),
        trace: id(origin, "trace", &whole, 16),
        id: id(origin, "span", &own, 8),
        parent: parent.map(|parent| id(origin, "span", &parent, 8)),
        start_micros: entry.at_micros(),
        end_micros: entry.at_micros(),
        attributes,
        bytes,
        status: if refused { 2 } else { 0 },
    }
}

/// Adds how the call ended.
fn ended(span: &mut Span, entry: &Entry) {
    let outcome = entry
        .outcome()
        .map(|outcome| outcome.reveal().to_owned())
        .unwrap_or_default();
    span.end_micros = entry.at_micros();
    if let Some(length) = entry.duration_micros().and_then(|length| i64::try_from(length).ok()) {
        // waiting for a verdict is no part of the body's time, and a clock may have been set between the two entries
        span.start_micros = entry.at_micros().saturating_sub(length);
    }
    span.start_micros = span.start_micros.min(span.end_micros);
    let text = |value: &str| json!({ "stringValue": value });
    span.attributes
        .push(attribute("managed_agents.outcome", &text(&outcome)));
    if outcome == "ok" {
        span.status = 1;
    } else {
        span.attributes.push(attribute("error.type", &text(&outcome)));
        span.status = 2;
    }
}

impl Span {
    /// An `ExportTraceServiceRequest` with this span alone.
    fn line(self, origin: &str) -> String {
        let nanos = |micros: i64| (i128::from(micros.max(0)) * 1000).to_string();
        let mut span = json!({
            "traceId": self.trace,
            "spanId": self.id,
            "name": self.name,
            "kind": 1,
            "startTimeUnixNano": nanos(self.start_micros),
            "endTimeUnixNano": nanos(self.end_micros),
            "attributes": self.attributes,
            "status": { "code": self.status },
        });
        if let (Some(span), Some(parent)) = (span.as_object_mut(), self.parent) {
            span.insert("parentSpanId".to_owned(), parent.into());
        }
        let text = |value: &str| json!({ "stringValue": value });
        json_line(&json!({
            "resourceSpans": [{
                "resource": { "attributes": [
                    attribute("service.name", &text(PRODUCT)),
                    attribute("managed_agents.log", &text(origin)),
                ] },
                "scopeSpans": [{ "scope": { "name": PRODUCT, "version": VERSION }, "spans": [span] }],
            }],
        }))
    }
}

fn attribute(key: &str, value: &Value) -> Value {
    json!({ "key": key, "value": value })
}

/// The id of a trace or span: the same text in the same log has the same one.
fn id(origin: &str, kind: &str, text: &str, bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in ["ma-otel/1", kind, origin, text] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digits = crate::call::Digest::new(hash.finalize().into()).to_string();
    digits.chars().take(bytes * 2).collect()
}
