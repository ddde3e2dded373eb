//! What the stand-in knows, and what it makes of requests.
#![expect(
    clippy::indexing_slicing,
    reason = "a field that is not there reads as null, and is written where the value is an object"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Reply, Request, refusal};

/// A turn of the agent: calls, or a text that ends it. Calls are events without an id: `{"type":"agent.custom_tool_use",
/// "name":"lookup","input":{}}`. One that says `evaluated_permission: allow` has run when it is told.
#[derive(Clone, Debug)]
pub struct Turn {
    calls: Vec<Value>,
    text: String,
    endless: bool,
}

impl Turn {
    /// A turn that makes these calls.
    #[must_use]
    pub fn calls(calls: Vec<Value>) -> Self {
        Self {
            calls,
            text: String::new(),
            endless: false,
        }
    }

    /// What is allowed in this turn, and runs at the service, runs on and on.
    #[must_use]
    pub fn without_ends(mut self) -> Self {
        self.endless = true;
        self
    }

    /// A turn that says this, and is the last.
    #[must_use]
    pub fn says(text: &str) -> Self {
        Self {
            calls: Vec::new(),
            text: text.to_owned(),
            endless: false,
        }
    }
}

/// Agents, environments and sessions.
#[derive(Debug)]
pub struct World {
    turns: Vec<Turn>,
    number: u64,
    agents: BTreeMap<String, Vec<Value>>,
    environments: BTreeMap<String, Value>,
    sessions: BTreeMap<String, Session>,
    work: VecDeque<Value>,
    /// Last heartbeat by work.
    leases: BTreeMap<String, String>,
    lost_leases: BTreeSet<String>,
    refused: Vec<String>,
}

#[derive(Debug)]
struct Session {
    shown: Value,
    self_hosted: bool,
    environment: String,
    turns: VecDeque<Turn>,
    events: Vec<Value>,
    /// Calls that wait, and whether they wait for a confirmation first.
    waiting: BTreeMap<String, bool>,
    /// What was confirmed.
    confirmed: BTreeMap<String, bool>,
    /// What is allowed now does not end.
    endless: bool,
    listeners: Vec<UnboundedSender<Value>>,
}

impl World {
    pub(super) fn new(turns: Vec<Turn>) -> Self {
        Self {
            turns,
            number: 0,
            agents: BTreeMap::new(),
            environments: BTreeMap::new(),
            sessions: BTreeMap::new(),
            work: VecDeque::new(),
            leases: BTreeMap::new(),
            lost_leases: BTreeSet::new(),
            refused: Vec::new(),
        }
    }

    /// All events of a session.
    #[must_use]
    pub fn events(&self, session: &str) -> Vec<Value> {
        self.sessions
            .get(session)
            .map(|session| session.events.clone())
            .unwrap_or_default()
    }

    /// What was refused, and why.
    #[must_use]
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Puts an agent there, as it is, without a look at it; gives its id.
    pub fn put_agent(&mut self, mut agent: Value) -> String {
        let id = self.id("agent");
        agent["id"] = id.clone().into();
        agent["type"] = "agent".into();
        agent["version"] = 1.into();
        self.agents.insert(id.clone(), vec![agent]);
        id
    }

    /// Changes the agent of a session, and tells of it.
    pub fn change_session_agent(&mut self, session: &str, change: impl FnOnce(&mut Value)) {
        let id = self.id("sevt");
        if let Some(session) = self.sessions.get_mut(session) {
            change(&mut session.shown["agent"]);
            let agent = session.shown["agent"].clone();
            session.tell(json!({"id": id, "type": "session.updated", "agent": agent, "processed_at": NOW}));
        }
    }

    /// Tells of an event in a session.
    pub fn tell(&mut self, session: &str, mut event: Value) -> String {
        let id = self.id("sevt");
        event["id"] = id.clone().into();
        event["processed_at"] = NOW.into();
        if let Some(session) = self.sessions.get_mut(session) {
            session.tell(event);
        }
        id
    }

    /// Takes all work from whoever has it.
    pub fn lose_leases(&mut self) {
        self.lost_leases.extend(self.leases.keys().cloned());
    }

    /// Whether somebody follows a session's stream.
    #[must_use]
    pub fn is_followed(&self, session: &str) -> bool {
        let session = self.sessions.get(session);
        session.is_some_and(|session| session.listeners.iter().any(|listener| !listener.is_closed()))
    }

    /// Hands a session's work out again, as when nobody kept its lease.
    pub fn requeue(&mut self, session: &str) {
        let id = self.id("work");
        if let Some(found) = self.sessions.get(session) {
            let item = work_of(&id, &found.environment, session);
            self.work.push_back(item);
        }
    }

    pub(super) fn answer(&mut self, request: &Request) -> Reply {
        let reply = self.route(request);
        if let Reply::Json(400.., body) = &reply {
            let message = body["error"]["message"].as_str().unwrap_or_default();
            let path = request.path.join("/");
            self.refused.push(format!("{} {path}: {message}", request.method));
        }
        reply
    }

    fn route(&mut self, request: &Request) -> Reply {
        if request.header("x-api-key").is_none() && request.header("authorization").is_none() {
            return refusal(401, "no key");
        }
        if request.header("anthropic-version") != Some("2026-10-21") {
            return refusal(400, "anthropic-version: not known");
        }
        let beta = request.header("anthropic-beta").unwrap_or_default();
        if !beta.split(',').any(|beta| beta.trim() == "managed-agents-2026-04-01") {
            return refusal(400, "anthropic-beta: managed-agents-2026-04-01 is required");
        }
        let path: Vec<_> = request.path.iter().map(String::as_str).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("POST", ["agents"]) => self.create_agent(&request.body),
            ("GET", ["agents"]) => page(
                request,
                &self
                    .agents
                    .values()
                    .filter_map(|all| all.last())
                    .cloned()
                    .collect::<Vec<_>>(),
            ),
            ("GET", ["agents", id]) => self.agent(id, request.query("version")),
            ("POST", ["agents", id]) => self.update_agent(id, &request.body),
            ("GET", ["agents", id, "versions"]) => page(request, self.agents.get(*id).map_or(&[], Vec::as_slice)),
            ("POST", ["environments"]) => self.create_environment(&request.body),
            ("GET", ["environments", id]) => found(self.environments.get(*id)),
            ("GET", ["environments", id, "work", "poll"]) => self.poll(id),
            ("POST", ["environments", _, "work", id, verb]) => self.lease(id, verb, request),
            ("POST", ["sessions"]) => self.create_session(&request.body),
            ("GET", ["sessions", id]) => found(self.sessions.get(*id).map(|session| &session.shown)),
            ("POST", ["sessions", id]) => self.update_session(id, &request.body),
            ("DELETE", ["sessions", id]) => self.delete_session(id),
            ("GET", ["sessions", id, "events"]) => match self.sessions.get(*id) {
                Some(session) => page(request, &session.events),
                None => refusal(404, "no such session"),
            },
            ("GET", ["sessions", id, "events", "stream"]) => match self.sessions.get_mut(*id) {
                Some(session) => {
                    let (sender, receiver) = unbounded_channel();
                    session.listeners.push(sender);
                    Reply::Stream(receiver)
                }
                None => refusal(404, "no such session"),
            },
            ("POST", ["sessions", id, "events"]) => self.take(id, &request.body),
            ("GET", ["sessions", _, "threads"]) => page(request, &[]),
            _ => refusal(404, "no such endpoint"),
        }
    }

    fn create_agent(&mut self, body: &Value) -> Reply {
        if let Err(why) = checked_agent(body) {
            return refusal(400, why);
        }
        let id = self.put_agent(body.clone());
        found(self.agents.get(&id).and_then(|all| all.last()))
    }

    fn agent(&self, id: &str, version: Option<&str>) -> Reply {
        let all = self.agents.get(id).map(Vec::as_slice).unwrap_or_default();
        match version.map(str::parse::<u64>) {
            None => found(all.last()),
            Some(Ok(version)) => found(all.iter().find(|agent| agent["version"] == version)),
            Some(Err(_)) => refusal(400, "version: not a number"),
        }
    }

    fn update_agent(&mut self, id: &str, body: &Value) -> Reply {
        let Some(all) = self.agents.get_mut(id) else {
            return refusal(404, "no such agent");
        };
        let (Some(last), Some(change)) = (all.last().cloned(), body.as_object()) else {
            return refusal(400, "the body is no object");
        };
        if change.get("version").is_some_and(|version| *version != last["version"]) {
            return refusal(409, "version: not the newest");
        }
        let mut next = last;
        for (name, value) in change.iter().filter(|(name, _)| *name != "version") {
            next[name] = value.clone();
        }
        if let Err(why) = checked_agent(&next) {
            return refusal(400, why);
        }
        next["version"] = (all.len() + 1).into();
        all.push(next.clone());
        Reply::Json(200, next)
    }

    fn create_environment(&mut self, body: &Value) -> Reply {
        let kind = body["config"]["type"].as_str();
        if !body["name"].is_string() || !matches!(kind, Some("cloud" | "self_hosted")) {
            return refusal(400, "environment: name and config are required");
        }
        let id = self.id("env");
        let mut environment = body.clone();
        environment["id"] = id.clone().into();
        environment["type"] = "environment".into();
        self.environments.insert(id, environment.clone());
        Reply::Json(200, environment)
    }

    fn create_session(&mut self, body: &Value) -> Reply {
        let (id, version) = match &body["agent"] {
            Value::String(id) => (id.clone(), None),
            agent => (
                agent["id"].as_str().unwrap_or_default().to_owned(),
                agent["version"].as_u64(),
            ),
        };
        let all = self.agents.get(&id).map(Vec::as_slice).unwrap_or_default();
        let agent = match version {
            Some(version) => all.iter().find(|agent| agent["version"] == version),
            None => all.last(),
        };
        let Some(agent) = agent.cloned() else {
            return refusal(400, "agent: no such agent");
        };
        let environment = body["environment_id"].as_str().unwrap_or_default().to_owned();
        let Some(kind) = self
            .environments
            .get(&environment)
            .map(|found| found["config"]["type"].clone())
        else {
            return refusal(400, "environment_id: no such environment");
        };
        let id = self.id("sesn");
        let shown = json!({
            "id": id, "type": "session", "status": "idle", "agent": agent, "environment_id": environment,
            "title": body["title"], "metadata": {}, "resources": [], "vault_ids": [], "usage": {}, "stats": {},
            "outcome_evaluations": [], "created_at": NOW, "updated_at": NOW, "archived_at": null,
        });
        self.sessions.insert(
            id,
            Session {
                shown: shown.clone(),
                self_hosted: kind == "self_hosted",
                environment,
                turns: self.turns.iter().cloned().collect(),
                events: Vec::new(),
                waiting: BTreeMap::new(),
                confirmed: BTreeMap::new(),
                endless: false,
                listeners: Vec::new(),
            },
        );
        Reply::Json(200, shown)
    }

    fn update_session(&mut self, id: &str, body: &Value) -> Reply {
        let Some(session) = self.sessions.get_mut(id) else {
            return refusal(404, "no such session");
        };
        if session.shown["status"] == "running" {
            return refusal(409, "the session is running");
        }
        if let Some(tools) = body["agent"].get("tools") {
            session.shown["agent"]["tools"] = tools.clone();
        }
        Reply::Json(200, session.shown.clone())
    }

    fn delete_session(&mut self, id: &str) -> Reply {
        match self.sessions.remove(id) {
            Some(mut session) => {
                session.tell(json!({"type": "session.deleted", "id": "sevt_deleted", "processed_at": NOW}));
                Reply::Json(200, json!({"id": id, "type": "session_deleted"}))
            }
            None => refusal(404, "no such session"),
        }
    }

    /// Takes events from a client: all of a request, or none.
    fn take(&mut self, id: &str, body: &Value) -> Reply {
        let Some(events) = body["events"].as_array().filter(|events| !events.is_empty()) else {
            return refusal(400, "events: a list that is not empty is required");
        };
        let Some(session) = self.sessions.get(id) else {
            return refusal(404, "no such session");
        };
        if session.shown["status"] == "terminated" {
            return refusal(400, "the session is over");
        }
        let mut answered = BTreeSet::new();
        for event in events {
            if let Err(why) = session.checks(event, &mut answered) {
                return refusal(400, &why);
            }
        }
        let mut taken = Vec::new();
        for event in events {
            let mut event = event.clone();
            event["id"] = self.id("sevt").into();
            event["processed_at"] = Value::Null;
            taken.push(event);
        }
        let mut ids: Vec<_> = (0..100).map(|_| self.id("sevt")).collect();
        let work = self.id("work");
        let Some(session) = self.sessions.get_mut(id) else {
            return refusal(404, "no such session");
        };
        let mut next = || ids.pop().unwrap_or_default();
        let begins = session.turns.len();
        for event in &taken {
            session.apply(event.clone(), &mut next);
        }
        if session.self_hosted
            && session.turns.len() < begins
            && events.iter().any(|event| event["type"] == "user.message")
        {
            let item = work_of(&work, &session.environment, id);
            self.work.push_back(item);
        }
        Reply::Json(200, json!({"data": taken}))
    }

    fn poll(&mut self, environment: &str) -> Reply {
        let at = self.work.iter().position(|work| work["environment_id"] == environment);
        Reply::Json(200, at.and_then(|at| self.work.remove(at)).unwrap_or(Value::Null))
    }

    fn lease(&mut self, id: &str, verb: &str, request: &Request) -> Reply {
        match verb {
            "ack" => Reply::Json(
                200,
                json!({"id": id, "type": "work", "environment_id": request.path.get(1), "state": "starting", "data": {"type": "session"}}),
            ),
            "heartbeat" => {
                let expected = request.query("expected_last_heartbeat").unwrap_or_default().to_owned();
                let last = self.leases.get(id).map_or("NO_HEARTBEAT", String::as_str);
                if expected != last || self.lost_leases.contains(id) {
                    return refusal(412, "another worker has the lease");
                }
                let next = self.id("beat");
                self.leases.insert(id.to_owned(), next.clone());
                Reply::Json(
                    200,
                    json!({"type": "heartbeat", "last_heartbeat": next, "lease_extended": true, "state": "active", "ttl_seconds": 1}),
                )
            }
            "stop" => {
                self.leases.remove(id);
                Reply::Json(200, json!({"id": id, "type": "work", "state": "stopped"}))
            }
            _ => refusal(404, "no such endpoint"),
        }
    }

    fn id(&mut self, kind: &str) -> String {
        self.number += 1;
        format!("{kind}_{:04}", self.number)
    }
}

impl Session {
    /// Whether an event of a client may be taken.
    fn checks(&self, event: &Value, answered: &mut BTreeSet<String>) -> Result<(), String> {
        let only = |fields: &[&str]| match event.as_object().and_then(|event| {
            event
                .keys()
                .find(|key| *key != "type" && !fields.contains(&key.as_str()))
        }) {
            Some(key) => Err(format!("{key}: not a field of this event")),
            None => Ok(()),
        };
        let kind = event["type"].as_str().unwrap_or_default();
        let (call, asks) = match kind {
            "user.message" if !self.waiting.is_empty() => return Err("waiting on responses to events".to_owned()),
            "user.message" => {
                only(&["content"])?;
                return text_blocks(event);
            }
            "user.interrupt" => return only(&["session_thread_id"]),
            "user.custom_tool_result" => {
                only(&["custom_tool_use_id", "content", "is_error"])?;
                text_blocks(event)?;
                (&event["custom_tool_use_id"], "agent.custom_tool_use")
            }
            "user.tool_result" if !self.self_hosted => {
                return Err("user.tool_result: only in self-hosted environments".to_owned());
            }
            "user.tool_result" => {
                only(&["tool_use_id", "content", "is_error"])?;
                text_blocks(event)?;
                (&event["tool_use_id"], "agent.tool_use")
            }
            "user.tool_confirmation" => {
                only(&["tool_use_id", "result", "deny_message"])?;
                match (event["result"].as_str(), event.get("deny_message")) {
                    (Some("allow"), None) | (Some("deny"), _) => {}
                    _ => return Err("result: allow, or deny with a deny_message".to_owned()),
                }
                (&event["tool_use_id"], "agent.")
            }
            _ => return Err(format!("{kind}: not an event that a client sends")),
        };
        let id = call.as_str().unwrap_or_default();
        let Some(asked) = self.waiting.get(id) else {
            return Err(format!("{id}: does not wait for an answer"));
        };
        if !answered.insert(id.to_owned()) {
            return Err(format!("{id}: answered twice"));
        }
        let told = self.events.iter().find(|told| told["id"] == id);
        let told = told.and_then(|told| told["type"].as_str()).unwrap_or_default();
        if !told.starts_with(asks) || (kind == "user.tool_confirmation" && told == "agent.custom_tool_use") {
            return Err(format!("{id}: another kind of answer is awaited"));
        }
        if *asked != (kind == "user.tool_confirmation") {
            return Err(format!("{id}: a confirmation comes first, and once"));
        }
        Ok(())
    }

    /// Takes an event in, and goes on as far as nothing is awaited.
    fn apply(&mut self, event: Value, next: &mut dyn FnMut() -> String) {
        self.tell(event.clone());
        let id = event["custom_tool_use_id"]
            .as_str()
            .or(event["tool_use_id"].as_str())
            .unwrap_or_default()
            .to_owned();
        match event["type"].as_str().unwrap_or_default() {
            "user.interrupt" => {
                self.waiting.clear();
                self.turns.clear();
                self.stop(&json!({"type": "end_turn"}), next);
                return;
            }
            "user.tool_confirmation" => {
                let allowed = event["result"] == "allow";
                self.confirmed.insert(id.clone(), allowed);
                let told = self
                    .events
                    .iter()
                    .find(|told| told["id"] == id.as_str())
                    .cloned()
                    .unwrap_or_default();
                if self.self_hosted && allowed && told["type"] == "agent.tool_use" {
                    // now it runs at the worker
                    self.waiting.insert(id, false);
                    return;
                }
                self.waiting.remove(&id);
                self.ran(&told, !allowed, next);
            }
            "user.custom_tool_result" | "user.tool_result" => {
                self.waiting.remove(&id);
            }
            _ => {}
        }
        // the same again, now that it was taken
        let mut processed = event;
        processed["processed_at"] = NOW.into();
        if let Some(kept) = self.events.iter_mut().find(|kept| kept["id"] == processed["id"]) {
            *kept = processed.clone();
        }
        self.send(&processed);
        if self.waiting.is_empty() {
            self.run(next);
        } else {
            self.wait(next);
        }
    }

    /// Plays turns until one waits, or the last.
    fn run(&mut self, next: &mut dyn FnMut() -> String) {
        self.shown["status"] = "running".into();
        self.tell(json!({"id": next(), "type": "session.status_running", "processed_at": NOW}));
        // what does not end keeps the turn from ending
        if std::mem::take(&mut self.endless) {
            return;
        }
        while let Some(turn) = self.turns.pop_front() {
            self.endless = turn.endless;
            for mut call in turn.calls {
                let id = next();
                call["id"] = id.clone().into();
                call["processed_at"] = NOW.into();
                let custom = call["type"] == "agent.custom_tool_use";
                let permission = call["evaluated_permission"].as_str().unwrap_or("none").to_owned();
                self.tell(call.clone());
                let here = self.self_hosted && call["type"] == "agent.tool_use";
                match permission.as_str() {
                    _ if custom => {
                        self.waiting.insert(id, false);
                    }
                    "ask" => {
                        self.waiting.insert(id, true);
                    }
                    "deny" => {}
                    _ if here => {
                        self.waiting.insert(id, false);
                    }
                    "allow" => self.ran(&call, false, next),
                    _ => {
                        self.waiting.insert(id, true);
                    }
                }
            }
            if !turn.text.is_empty() {
                let content = json!([{"type": "text", "text": turn.text}]);
                self.tell(json!({"id": next(), "type": "agent.message", "content": content, "processed_at": NOW}));
                break;
            }
            if !self.waiting.is_empty() {
                self.wait(next);
                return;
            }
        }
        self.stop(&json!({"type": "end_turn"}), next);
    }

    fn wait(&mut self, next: &mut dyn FnMut() -> String) {
        let waiting: Vec<_> = self.waiting.keys().cloned().collect();
        self.stop(&json!({"type": "requires_action", "event_ids": waiting}), next);
    }

    fn stop(&mut self, reason: &Value, next: &mut dyn FnMut() -> String) {
        self.shown["status"] = "idle".into();
        self.tell(json!({"id": next(), "type": "session.status_idle", "stop_reason": reason, "processed_at": NOW}));
    }

    /// A tool has run at the service, or was refused there.
    fn ran(&mut self, call: &Value, refused: bool, next: &mut dyn FnMut() -> String) {
        if self.endless && !refused {
            return;
        }
        let (kind, name) = match call["type"].as_str() {
            Some("agent.mcp_tool_use") => ("agent.mcp_tool_result", "mcp_tool_use_id"),
            _ => ("agent.tool_result", "tool_use_id"),
        };
        let mut result = Map::new();
        result.insert("id".to_owned(), next().into());
        result.insert("type".to_owned(), kind.into());
        result.insert(name.to_owned(), call["id"].clone());
        result.insert("is_error".to_owned(), refused.into());
        result.insert("processed_at".to_owned(), NOW.into());
        self.tell(Value::Object(result));
    }

    fn tell(&mut self, event: Value) {
        self.send(&event);
        self.events.push(event);
    }

    fn send(&mut self, event: &Value) {
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }
}

fn work_of(id: &str, environment: &str, session: &str) -> Value {
    // {"sessions_token":"tok_1"}
    json!({
        "id": id, "type": "work", "environment_id": environment, "state": "queued",
        "data": {"type": "session", "id": session}, "secret": "eyJzZXNzaW9uc190b2tlbiI6InRva18xIn0=",
    })
}

fn checked_agent(agent: &Value) -> Result<(), &'static str> {
    if !agent["name"].is_string() || !(agent["model"].is_string() || agent["model"].is_object()) {
        return Err("agent: name and model are required");
    }
    for tool in agent["tools"].as_array().into_iter().flatten() {
        let custom = tool["type"] == "custom";
        let described = tool["description"].as_str().is_some_and(|text| !text.is_empty());
        if custom && !(tool["name"].is_string() && described && tool["input_schema"]["type"] == "object") {
            return Err("tools: a custom tool has name, description and input_schema");
        }
    }
    Ok(())
}

fn text_blocks(event: &Value) -> Result<(), String> {
    let blocks = event["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    for block in blocks {
        if block["type"] == "text" && block["text"].as_str().is_none_or(str::is_empty) {
            return Err("content: a text block may not be empty".to_owned());
        }
    }
    Ok(())
}

/// A list, a few at a time.
fn page(request: &Request, all: &[Value]) -> Reply {
    let limit = request
        .query("limit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(7_usize);
    // small pages, whatever is asked for: clients must follow them
    let limit = limit.min(7);
    let from = request
        .query("page")
        .and_then(|page| page.strip_prefix("p:")?.parse().ok())
        .unwrap_or(0_usize);
    let data: Vec<_> = all.iter().skip(from).take(limit).cloned().collect();
    let next = from + data.len();
    let next = (next < all.len()).then(|| format!("p:{next}"));
    Reply::Json(200, json!({"data": data, "next_page": next}))
}

fn found(what: Option<&Value>) -> Reply {
    match what {
        Some(what) => Reply::Json(200, what.clone()),
        None => refusal(404, "no such thing"),
    }
}

const NOW: &str = "2026-11-01T12:00:00Z";
