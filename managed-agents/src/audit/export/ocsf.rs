//! Entries as events of the Open Cybersecurity Schema Framework 1.9: API Activity (6003).
//!
//! Profiles: `ai_operation` (the agent), `record_integrity` (the digest of the event, chained to the event before it in this
//! export) and `security_control` (what the harness made of the verdict).

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Opened, PRODUCT, VERSION, json_line};
use crate::audit::entry::Entry;

const CATEGORY: u32 = 6;
const CLASS: u32 = 6003;
/// None of create, read, update and delete: which of them a tool's call is, its name does not say.
const ACTIVITY: u32 = 99;
const TYPE: u32 = CLASS * 100 + ACTIVITY;

/// The event before, if any: what the next one is chained to.
#[derive(Default)]
pub(super) struct Chain {
    last: Option<Value>,
}

impl Chain {
    /// One event.
    pub(super) fn event(&mut self, entry: &Entry, opened: &Opened, origin: &str) -> String {
        let uid = format!("{origin}/{}", entry.sequence());
        let mut attestation = json!({ "uid": uid, "authority_uid": origin, "chain_uid": origin });
        set(&mut attestation, "prev_event", self.last.take());
        let mut event = event(entry, opened, origin, &uid);
        set(&mut event, "attestation_list", Some(json!([attestation])));
        // over the event without `fingerprint`, as the profile says
        let canonical = serde_json_canonicalizer::to_vec(&event).unwrap_or_default();
        let fingerprint = fingerprint(&canonical, "JCS", 2);
        if let Some(attestation) = event.pointer_mut("/attestation_list/0") {
            set(attestation, "fingerprint", Some(fingerprint.clone()));
        }
        self.last = Some(json!({ "uid": uid, "type_uid": TYPE, "fingerprint": fingerprint }));
        json_line(&event)
    }
}

/// All of an event but its attestation.
fn event(entry: &Entry, opened: &Opened, origin: &str, uid: &str) -> Value {
    let text = |key: &str| entry.untrusted(key).map(|text| Value::from(text.reveal()));
    let operation = text("tool").unwrap_or_else(|| entry.kind().into());
    let (activity, severity) = headline(entry);
    let codes: Vec<_> = entry.codes().iter().map(|code| code.reveal().to_owned()).collect();

    let mut metadata = json!({
        "uid": uid,
        "version": "1.9.0",
        "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION },
        "profiles": ["ai_operation", "record_integrity", "security_control"],
        "log_name": origin,
        "event_code": entry.kind(),
        "original_time": entry.at(),
    });
    // an `integer_t` of the schema; `uid` has it whatever its size
    set(
        &mut metadata,
        "sequence",
        i32::try_from(entry.sequence()).ok().map(Value::from),
    );
    set(&mut metadata, "correlation_uid", text("evaluation"));

    let mut api = json!({ "operation": operation, "service": { "name": PRODUCT } });
    let revealed = revealed(opened);
    let request = text("evaluation").or_else(|| revealed.is_some().then(|| uid.into()));
    let request = request.map(|evaluation| {
        let mut request = json!({ "uid": evaluation });
        set(&mut request, "data", revealed);
        request
    });
    set(&mut api, "request", request);
    if let Some(outcome) = text("outcome").filter(|outcome| outcome != "ok") {
        set(&mut api, "response", Some(json!({ "error": outcome })));
    }

    // the agent acts; an entry about no agent is the software's own
    let agent = text("agent").unwrap_or_else(|| PRODUCT.into());
    let mut actor = json!({ "app_name": PRODUCT, "app_uid": agent });
    set(
        &mut actor,
        "session",
        text("session").map(|session| json!({ "uid": session })),
    );
    let mut ai_agent = json!({ "uid": agent, "name": agent, "type_id": 0 });
    set(&mut ai_agent, "instance_uid", text("session"));

    let mut event = json!({
        "category_uid": CATEGORY,
        "category_name": "Application Activity",
        "class_uid": CLASS,
        "class_name": "API Activity",
        "activity_id": ACTIVITY,
        "activity_name": activity,
        "type_uid": TYPE,
        "type_name": "API Activity: Other",
        "severity_id": severity,
        "time": entry.at_micros().div_euclid(1000),
        "metadata": metadata,
        "actor": actor,
        "ai_agent": ai_agent,
        "api": api,
        "src_endpoint": { "svc_name": agent },
        "raw_data": entry.as_json(),
        "raw_data_hash": fingerprint(entry.as_bytes(), "Flat", 1),
        "raw_data_size": entry.as_bytes().len(),
        "unmapped": unmapped(entry),
    });
    status(&mut event, entry);
    control(&mut event, entry);
    set(
        &mut event,
        "status_code",
        codes.first().map(|code| code.as_str().into()),
    );
    set(
        &mut event,
        "status_detail",
        (!codes.is_empty()).then(|| codes.join(" ").into()),
    );
    event
}

/// Our name of the activity, and how grave it is.
fn headline(entry: &Entry) -> (&'static str, u8) {
    let decision = entry.decision();
    let disposition = entry.disposition();
    match entry.kind() {
        "decision" => {
            let severity = match (
                disposition.as_ref().map(|it| it.reveal()),
                decision.as_ref().map(|it| it.reveal()),
            ) {
                // ran though nobody allowed it
                (Some("fail_open" | "proceeded_unapproved"), _) | (Some("observed"), Some("deny" | "escalate")) => 4,
                (_, Some("allow")) => 1,
                (_, Some("escalate")) => 2,
                _ => 3,
            };
            ("Decide", severity)
        }
        "outcome" => ("Conclude", 1),
        "agent" | "erasure" | "origin" => ("Administer", 2),
        _ => ("State", 1),
    }
}

/// Whether what the event tells of succeeded.
fn status(event: &mut Value, entry: &Entry) {
    let word = |text: Option<super::Untrusted<'_>>| text.map(|text| text.reveal().to_owned()).unwrap_or_default();
    let (id, status) = match entry.kind() {
        "decision" => match word(entry.decision()).as_str() {
            "allow" => (1, "Success"),
            "deny" => (2, "Failure"),
            _ => (99, "Escalated"),
        },
        "outcome" => match word(entry.outcome()).as_str() {
            "ok" => (1, "Success"),
            "unknown" | "unreported" => (0, "Unknown"),
            _ => (2, "Failure"),
        },
        _ => (1, "Success"),
    };
    set(event, "status_id", Some(id.into()));
    set(event, "status", Some(status.into()));
}

/// What the harness made of the verdict, in the words of the profile `security_control`.
fn control(event: &mut Value, entry: &Entry) {
    let Some(disposition) = entry.disposition() else {
        return;
    };
    let (action_id, action, disposition_id, name) = match disposition.reveal() {
        "allowed" => (1, "Allowed", 1, "Allowed"),
        "approved" => (1, "Allowed", 8, "Approved"),
        "fail_open" | "proceeded_unapproved" => (1, "Allowed", 19, "Alert"),
        "refused" => (2, "Denied", 2, "Blocked"),
        "queued" => (2, "Denied", 14, "Delayed"),
        "observed" => (3, "Observed", 17, "Logged"),
        other => (99, other, 99, other),
    };
    set(event, "action_id", Some(action_id.into()));
    set(event, "action", Some(action.into()));
    set(event, "disposition_id", Some(disposition_id.into()));
    set(event, "disposition", Some(name.into()));
    set(event, "is_alert", Some((disposition_id == 19).into()));
    let decision = entry.decision().map(|decision| decision.reveal().to_owned());
    let authorizations: Vec<_> = entry
        .policies()
        .iter()
        .map(|policy| json!({ "decision": decision, "policy": { "uid": policy.reveal() } }))
        .collect();
    set(
        event,
        "authorizations",
        (!authorizations.is_empty()).then(|| authorizations.into()),
    );
}

/// What the schema has no attribute for.
fn unmapped(entry: &Entry) -> Value {
    const KEYS: [&str; 14] = [
        "about",
        "certificate",
        "codes",
        "decision",
        "definition",
        "digest",
        "disposition",
        "duration_us",
        "enforced",
        "not_judged",
        "outcome",
        "parent",
        "rules",
        "ticket",
    ];
    let members: Map<_, _> = KEYS
        .into_iter()
        .filter_map(|key| {
            let value = serde_json::from_str(entry.raw(key)?).ok()?;
            Some((key.to_owned(), value))
        })
        .collect();
    members.into()
}

/// Opened values by place; one that JSON numbers cannot hold exactly stands as its text.
fn revealed(opened: &Opened) -> Option<Value> {
    let values: Map<_, _> = opened
        .values()
        .map(|(path, json)| {
            let value = serde_json::from_str::<Value>(json)
                .ok()
                .filter(|value| serde_json::to_string(value).is_ok_and(|text| text == json));
            (path.to_owned(), value.unwrap_or_else(|| json.into()))
        })
        .collect();
    (!values.is_empty()).then(|| values.into())
}

fn fingerprint(bytes: &[u8], serialization: &str, serialization_id: u8) -> Value {
    json!({
        "algorithm": "SHA-256",
        "algorithm_id": 3,
        "encoding": "Hex",
        "encoding_id": 1,
        "serialization": serialization,
        "serialization_id": serialization_id,
        "value": crate::call::Digest::new(Sha256::digest(bytes).into()).to_string(),
    })
}

/// Adds an attribute, if there is one.
fn set(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), value);
    }
}
