//! A world of one agent, whose tools count how often each body ran.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use managed_agents::approval::ApproverKey;
use managed_agents::claude::{
    AgentDraft, EnvironmentDraft, ManagedAgents, SessionDraft, SessionGovernor, SessionGovernorBuilder,
};
use managed_agents::harness::HarnessBuilder;
use managed_agents::{Endpoint, Engine, GovernanceDenied, Harness, Risk, Secret, ToolMeta, Toolbox, governed};
use serde_json::{Value, json};
use tests::managed::{ManagedServer, Turn};

/// How often the body of each order ran.
#[derive(Default)]
pub(crate) struct Ran(Mutex<BTreeMap<String, usize>>);

impl Ran {
    fn note(&self, order: &str) {
        *self.0.lock().unwrap().entry(order.to_owned()).or_default() += 1;
    }

    pub(crate) fn all(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().clone()
    }
}

/// Look up an order.
#[governed(risk = low, read_only)]
pub(crate) async fn lookup(order: String, #[governed(state)] ran: &Ran) -> Result<String, GovernanceDenied> {
    ran.note(&order);
    if order == "never" {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(format!("order {order} was paid"))
}

/// Refund an order.
#[governed(risk = high, reversible)]
pub(crate) async fn refund(
    order: String,
    amount: u64,
    #[governed(state(id = "books"))] ran: &Ran,
) -> Result<String, GovernanceDenied> {
    ran.note(&order);
    Ok(format!("refunded {amount} for {order}"))
}

pub(crate) struct World {
    pub(crate) server: ManagedServer,
    pub(crate) client: ManagedAgents,
    pub(crate) harness: Harness,
    pub(crate) ann: ApproverKey,
    pub(crate) ran: Arc<Ran>,
    pub(crate) session: String,
}

impl World {
    pub(crate) async fn open(turns: impl IntoIterator<Item = Turn>) -> Self {
        let server = ManagedServer::start(turns).await.unwrap();
        let client = client(server.url());
        let ann = ApproverKey::generate().unwrap();
        let harness = harness()
            .approver("ann", ann.public())
            .in_memory()
            .build()
            .await
            .unwrap();
        let ran = Arc::default();
        let session = session(&client, &toolbox(&ran), &EnvironmentDraft::cloud("here")).await;
        Self {
            server,
            client,
            harness,
            ann,
            ran,
            session,
        }
    }

    pub(crate) fn governor(&self) -> SessionGovernorBuilder {
        quick(SessionGovernor::builder(&self.client, &self.harness)).toolbox(&toolbox(&self.ran))
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.server.world().events(&self.session)
    }
}

/// The waits of a test.
pub(crate) fn quick(governor: SessionGovernorBuilder) -> SessionGovernorBuilder {
    governor
        .poll(Duration::from_millis(20))
        .reconcile(Duration::from_millis(300))
        .linger(Duration::from_millis(50))
}

pub(crate) fn client(url: &str) -> ManagedAgents {
    client_with(url, KEY)
}

/// A key of which nothing may be seen anywhere.
pub(crate) const KEY: &str = "sk-ant-CANARY";

pub(crate) fn client_with(url: &str, key: &str) -> ManagedAgents {
    ManagedAgents::builder()
        .api_key(Secret::parse(key).unwrap())
        .base_url(Endpoint::parse(url).unwrap())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

/// A harness whose rules are these: looking is allowed, refunds wait, and what is not in scope (`bash`) is refused.
pub(crate) fn harness() -> HarnessBuilder {
    harness_of(&["lookup", "refund", "mcp__linear__create_issue"])
}

/// A harness of an agent whose scope is these tools.
pub(crate) fn harness_of(tools: &[&str]) -> HarnessBuilder {
    let engine = Engine::new().scope("shop", tools.iter().copied());
    let mut builder = Harness::builder().agent_id("shop").governor(engine);
    for tool in managed_agents::claude::built_in_tools() {
        builder = builder.declare(tool);
    }
    builder.declare(
        ToolMeta::new("mcp__linear__create_issue")
            .with_risk(Risk::Low)
            .reversible(),
    )
}

pub(crate) fn toolbox(ran: &Arc<Ran>) -> Toolbox {
    Toolbox::new()
        .shared(Arc::clone(ran))
        .tools([lookup::tool(), refund::tool()])
        .build()
        .unwrap()
}

/// A session of an agent that asks about everything.
pub(crate) async fn session(client: &ManagedAgents, toolbox: &Toolbox, environment: &EnvironmentDraft) -> String {
    let agent = AgentDraft::new("shop", "claude-opus-5-5")
        .toolbox(toolbox)
        .built_in(["bash", "read", "write", "grep", "glob"])
        .mcp_server("linear", "https://mcp.example/sse");
    let agent = client.create_agent(&agent).await.unwrap();
    let environment = client.create_environment(environment).await.unwrap();
    let session = SessionDraft::new(agent.id(), environment.id());
    client.create_session(&session).await.unwrap().id().to_owned()
}

pub(crate) fn look(order: &str) -> Value {
    json!({"type": "agent.custom_tool_use", "name": "lookup", "input": {"order": order}})
}

pub(crate) fn pay_back(order: &str) -> Value {
    json!({"type": "agent.custom_tool_use", "name": "refund", "input": {"order": order, "amount": 120}})
}

pub(crate) fn bash(permission: &str) -> Value {
    json!({"type": "agent.tool_use", "name": "bash", "input": {"command": "rm -rf /"}, "evaluated_permission": permission})
}

pub(crate) fn issue() -> Value {
    json!({
        "type": "agent.mcp_tool_use", "name": "create_issue", "mcp_server_name": "linear", "input": {"title": "x"},
        "evaluated_permission": "ask",
    })
}

/// The history of a session, as JSON.
pub(crate) async fn history(client: &ManagedAgents, session: &str) -> Vec<Value> {
    let events = client.events(session).await.unwrap();
    events
        .iter()
        .map(|event| serde_json::from_str(event.raw()).unwrap())
        .collect()
}

/// The calls of a history, each with the answers that a client gave it.
pub(crate) fn answers(events: &[Value]) -> Vec<(Value, Vec<Value>)> {
    let calls = events.iter().filter(|event| {
        let kind = event["type"].as_str().unwrap();
        kind.starts_with("agent.") && kind.ends_with("tool_use")
    });
    calls
        .map(|call| {
            let of = |event: &&Value| {
                event["type"].as_str().unwrap().starts_with("user.")
                    && [&event["tool_use_id"], &event["custom_tool_use_id"]].contains(&&call["id"])
            };
            (call.clone(), events.iter().filter(of).cloned().collect())
        })
        .collect()
}
