//! What `#[governed]` makes of functions of every shape: what is judged, what runs, and what a toolbox is given.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use managed_agents::testing::FakeGovernor;
use managed_agents::{
    ArgKind, DenialKind, GovernanceDenied, Harness, Outcome, Reversibility, Risk, Tool, ToolMeta, Toolbox, Verdict,
    governed,
};
use serde_json::{Value, json};

type Answer<T> = Result<T, GovernanceDenied>;

/// A harness that allows everything, and the governor that saw it.
async fn allowing() -> (Harness, FakeGovernor) {
    judged_by(FakeGovernor::always(Verdict::allow())).await
}

async fn judged_by(governor: FakeGovernor) -> (Harness, FakeGovernor) {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("agent")
        .governor(governor.clone())
        .build()
        .await
        .unwrap();
    (harness, governor)
}

/// The arguments of the last call that the governor saw, as they were judged.
fn judged(governor: &FakeGovernor) -> String {
    governor.calls().last().unwrap().reveal_arguments().to_owned()
}

fn canonical(governor: &FakeGovernor) -> Value {
    serde_json::from_slice(&governor.calls().last().unwrap().reveal_canonical()).unwrap()
}

struct Smtp {
    account: String,
}

/// Send an email
/// to a customer.
#[inline]
#[governed(risk = high, irreversible, idempotent, redact(body, card.number), skip(trace), name = "mail.send", action = "send",
    target = format!("mailto:{to}"), timeout = "5s")]
async fn send_email(
    /// Recipient address.
    to: &str,
    #[governed(range = 1..=10)] copies: Option<u8>,
    link: String,
    mut body: String,
    card: Value,
    trace: u8,
    #[governed(state(id = smtp.account))] smtp: &Smtp,
) -> Answer<String> {
    body.push('!');
    Ok(format!("{to} {copies:?} {link} {body} {card} {trace} {}", smtp.account))
}

fn meta_of(tool: &Tool) -> &'static ToolMeta {
    tool.meta()
}

#[test]
fn a_descriptor_tells_what_was_declared() {
    let tool = send_email::tool();
    let meta = meta_of(&tool);
    assert_eq!(meta.name(), "mail.send");
    assert_eq!(meta.description(), "Send an email\nto a customer.");
    assert_eq!(meta.action(), Some("send"));
    assert_eq!(meta.risk(), Risk::High);
    assert_eq!(meta.reversibility(), Reversibility::Irreversible);
    assert!(meta.is_idempotent() && meta.is_declared() && !meta.is_read_only());
    assert_eq!(meta.timeout(), Some(std::time::Duration::from_secs(5)));
    assert_eq!(meta.not_judged().collect::<Vec<_>>(), ["trace"]);
    let redacted: Vec<_> = meta
        .arguments()
        .iter()
        .flat_map(|a| a.redact.iter().map(|p| (a.name, *p)))
        .collect();
    assert_eq!(redacted, [("body", ""), ("card", "/number")]);
    #[governed]
    async fn fetch(#[governed(kind = url)] link: &str) -> Answer<usize> {
        Ok(link.len())
    }
    assert_eq!(fetch::tool().meta().arguments()[0].kind, Some(ArgKind::Url));
    assert!(!fetch::tool().meta().is_declared());
}

#[test]
fn a_schema_is_made_from_signature_and_doc_comments_without_state() {
    let schema = send_email::tool().input_schema();
    assert_eq!(
        schema["properties"]["to"],
        json!({"type": "string", "description": "Recipient address."})
    );
    assert_eq!(schema["properties"]["copies"]["minimum"], 1);
    assert_eq!(schema["properties"]["copies"]["maximum"], 10);
    assert_eq!(schema["properties"].get("smtp"), None);
    assert_eq!(schema["required"], json!(["to", "link", "body", "trace"]));
    assert_eq!(schema["additionalProperties"], false);
}

#[tokio::test]
async fn arguments_are_judged_by_name_in_order_and_identities_beside_them() {
    let (harness, governor) = allowing().await;
    let smtp = Smtp {
        account: "support".into(),
    };
    let sent = harness
        .scope(send_email(
            "a@b.c",
            Some(2),
            "https://example.org".into(),
            "hi".into(),
            json!({"number": 7}),
            9,
            &smtp,
        ))
        .await;
    assert_eq!(
        sent.unwrap(),
        "a@b.c Some(2) https://example.org hi! {\"number\":7} 9 support"
    );
    assert_eq!(
        judged(&governor),
        r#"{"body":"hi","card":{"number":7},"copies":2,"link":"https://example.org","to":"a@b.c"}"#
    );
    assert_eq!(canonical(&governor)["ids"], json!({"smtp": "support"}));
    assert_eq!(governor.outcomes(), [Outcome::Ok]);
}

#[tokio::test]
async fn nothing_of_a_body_runs_without_a_harness_or_after_a_denial() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[governed]
    async fn count(n: u32) -> Answer<u32> {
        Ok(RUNS.fetch_add(n, Ordering::SeqCst))
    }
    assert_eq!(count(1).await.unwrap_err().kind(), DenialKind::NoHarness);
    let (harness, _) = judged_by(FakeGovernor::new()).await;
    assert!(harness.scope(count(1)).await.is_err());
    drop(count(1));
    assert_eq!(RUNS.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_value_out_of_range_is_refused_before_the_governor_is_asked() {
    #[governed]
    async fn pay(
        #[governed(range = 1..=10_000)] cents: &u64,
        #[governed(range = ..5.0)] share: Option<&f64>,
    ) -> Answer<u64> {
        let _ = share;
        Ok(*cents)
    }
    let (harness, governor) = allowing().await;
    assert_eq!(harness.scope(pay(&10_000, Some(&4.5))).await.unwrap(), 10_000);
    let denied = harness.scope(pay(&10_001, None)).await.unwrap_err();
    assert_eq!(denied.kind(), DenialKind::InvalidArguments);
    assert!(denied.to_string().contains("`cents` must be in 1..=10_000"), "{denied}");
    assert!(harness.scope(pay(&1, Some(&5.0))).await.is_err());
    assert_eq!(governor.calls().len(), 1);
}

#[governed(blocking, read_only)]
fn area(width: u32, mut height: u32) -> Answer<u32> {
    height += 1;
    Ok(width * height)
}

#[tokio::test]
async fn a_blocking_function_is_gated_and_is_a_tool() {
    let (harness, governor) = allowing().await;
    assert_eq!(harness.scope(async { area(2, 3) }).await.unwrap(), 8);
    assert_eq!(judged(&governor), r#"{"height":3,"width":2}"#);
    assert!(area(1, 1).is_err());
    assert!(area::tool().meta().is_blocking());
}

/// Clippy's `needless_pass_by_value`, which the lints of this workspace ask for, has nothing to say of it.
#[tokio::test]
async fn an_exact_function_may_take_its_arguments_by_value() {
    #[governed(exact)]
    async fn join(mut left: String, right: Vec<String>) -> Answer<String> {
        left.push_str(&right.concat());
        Ok(left)
    }
    #[governed(exact, blocking)]
    fn join_here(left: String, right: Option<String>) -> Answer<String> {
        Ok(left + right.as_deref().unwrap_or_default())
    }
    let (harness, _) = allowing().await;
    assert_eq!(harness.scope(join("a".into(), vec!["b".into()])).await.unwrap(), "ab");
    let here = harness.scope(async { join_here("a".into(), Some("b".into())) });
    assert_eq!(here.await.unwrap(), "ab");
}

#[tokio::test]
async fn exact_runs_with_what_was_judged() {
    use std::sync::Mutex;
    #[governed(exact)]
    async fn run(value: &Mutex<u8>, mut name: &str, list: &[&str], maybe: Option<&u8>) -> Answer<String> {
        name = name.trim();
        Ok(format!("{} {name} {list:?} {maybe:?}", value.lock().unwrap()))
    }
    #[governed]
    async fn loose(value: &Mutex<u8>) -> Answer<u8> {
        let value = *value.lock().unwrap();
        Ok(value)
    }
    let (harness, _) = allowing().await;
    let value = Mutex::new(1);
    let (exact, loosely) = (run(&value, " a ", &["x", "y"], Some(&3)), loose(&value));
    *value.lock().unwrap() = 2;
    assert_eq!(harness.scope(exact).await.unwrap(), r#"1 a ["x", "y"] Some(3)"#);
    assert_eq!(harness.scope(loosely).await.unwrap(), 2);
}

#[tokio::test]
async fn borrowed_and_generic_arguments_run_and_are_called_by_name() {
    #[governed]
    async fn join(a: &str, b: Option<&str>, c: &[&str], d: Vec<&str>, e: Cow<'_, str>) -> Answer<String> {
        Ok(format!("{a} {b:?} {c:?} {d:?} {e}"))
    }
    #[governed]
    async fn show<T, const N: usize>(x: T, y: impl std::fmt::Debug + serde::Serialize) -> Answer<String>
    where
        T: std::fmt::Display + serde::Serialize,
    {
        Ok(format!("{x} {N} {y:?}"))
    }
    let (harness, governor) = allowing().await;
    let plain = harness
        .scope(join("a", None, &["b"], vec!["c"], "d".into()))
        .await
        .unwrap();
    assert_eq!(plain, r#"a None ["b"] ["c"] d"#);
    assert_eq!(harness.scope(show::<_, 3>(1, "y")).await.unwrap(), "1 3 \"y\"");
    let tools = Toolbox::new()
        .tool(join::tool())
        .tool(show::tool::<u8, 4, bool>())
        .build()
        .unwrap();
    let called = harness
        .scope(tools.call("join", r#"{"a":"x\ny","b":"q","c":["1","2"],"d":[],"e":"\u0041"}"#))
        .await;
    assert_eq!(called.text(), "x\ny Some(\"q\") [\"1\", \"2\"] [] A");
    let called = harness.scope(tools.call("show", r#"{"x":7,"y":true}"#)).await;
    assert_eq!(called.text(), "7 4 true");
    assert_eq!(judged(&governor), r#"{"x":7,"y":true}"#);
}

#[tokio::test]
async fn a_mutable_borrow_goes_in_and_comes_out() {
    #[governed]
    async fn push(list: &mut Vec<u8>, n: u8) -> Answer<&mut u8> {
        list.push(n);
        Ok(list.last_mut().unwrap())
    }
    let (harness, governor) = allowing().await;
    let mut list = vec![1];
    *harness.scope(push(&mut list, 2)).await.unwrap() = 5;
    assert_eq!(list, [1, 5]);
    assert_eq!(judged(&governor), r#"{"list":[1],"n":2}"#);
}

#[derive(serde::Serialize)]
struct Mailer {
    from: String,
    sent: u32,
}

#[governed]
impl Mailer {
    /// Send a mail.
    #[governed(risk = high, include(self = self.from))]
    async fn send(&self, to: &str) -> Answer<String> {
        Ok(format!("{} to {to}", self.from))
    }

    #[governed(tool = just_count, include(self))]
    async fn count(self: Arc<Self>, #[governed(state)] smtp: Arc<Smtp>) -> Answer<usize> {
        Ok(self.from.len() + smtp.account.len())
    }

    #[governed(blocking)]
    fn version(n: u8) -> Answer<u8> {
        Ok(n + 1)
    }

    #[governed]
    async fn add(&mut self, n: u32) -> Answer<u32> {
        self.sent += n;
        Ok(self.sent)
    }

    #[governed(no_tool)]
    async fn hidden(&self) -> Answer<u32> {
        Ok(self.sent)
    }
}

#[tokio::test]
async fn an_impl_block_collects_its_methods() {
    let (harness, governor) = allowing().await;
    let mut mailer = Mailer {
        from: "me".into(),
        sent: 0,
    };
    assert_eq!(harness.scope(mailer.add(2)).await.unwrap(), 2);
    assert_eq!(harness.scope(mailer.hidden()).await.unwrap(), 2);
    let mailer = Arc::new(mailer);
    let names: Vec<_> = mailer.tools().iter().map(Tool::name).collect();
    assert_eq!(names, ["send", "count", "version"]);
    assert_eq!(mailer.send_tool().description(), "Send a mail.");
    let tools = Toolbox::new()
        .tools(mailer.tools())
        .state(Smtp { account: "abc".into() })
        .build()
        .unwrap();
    assert_eq!(
        harness.scope(tools.call("send", r#"{"to":"you"}"#)).await.text(),
        "me to you"
    );
    assert_eq!(canonical(&governor)["ids"], json!({"self": "me"}));
    assert_eq!(harness.scope(tools.call("count", "{}")).await.text(), "5");
    assert_eq!(canonical(&governor)["ids"], json!({"self": {"from": "me", "sent": 2}}));
    assert_eq!(harness.scope(tools.call("version", r#"{"n":1}"#)).await.text(), "2");
    assert_eq!(mailer.just_count().name(), "count");
}

#[test]
fn missing_state_is_named_with_tool_and_type() {
    let mailer = Arc::new(Mailer {
        from: String::new(),
        sent: 0,
    });
    let error = Toolbox::new().tools(mailer.tools()).build().unwrap_err();
    assert!(error.to_string().contains("smtp: Arc<Smtp>"), "{error}");
}

#[async_trait::async_trait]
trait Post: Sync {
    async fn post(&self, to: &str) -> Answer<usize>;
    async fn repost(&mut self, to: String) -> Answer<usize>;
}

struct Inside(usize);

#[async_trait::async_trait]
impl Post for Inside {
    #[governed]
    async fn post(&self, to: &str) -> Answer<usize> {
        Ok(to.len() + self.0)
    }
    #[governed]
    async fn repost(&mut self, to: String) -> Answer<usize> {
        self.0 += 1;
        Ok(to.len() + self.0)
    }
}

struct Around(usize);

#[governed]
#[async_trait::async_trait]
impl Post for Around {
    #[governed]
    async fn post(&self, to: &str) -> Answer<usize> {
        Ok(to.len() + self.0)
    }
    #[governed]
    async fn repost(&mut self, to: String) -> Answer<usize> {
        self.0 += 1;
        Ok(to.len() + self.0)
    }
}

#[tokio::test]
async fn methods_of_async_trait_are_gated_on_either_side_of_it() {
    let (harness, governor) = allowing().await;
    let mut posts: [Box<dyn Post + Send>; 2] = [Box::new(Inside(1)), Box::new(Around(1))];
    for post in &mut posts {
        assert_eq!(post.post("ab").await.unwrap_err().kind(), DenialKind::NoHarness);
        assert_eq!(harness.scope(post.post("ab")).await.unwrap(), 3);
        assert_eq!(judged(&governor), r#"{"to":"ab"}"#);
        assert_eq!(harness.scope(post.repost("ab".into())).await.unwrap(), 4);
    }
}

#[tokio::test]
async fn the_synchronous_part_of_a_function_that_returns_a_future_waits_for_the_verdict() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[governed]
    fn boxed(n: u32) -> Pin<Box<dyn Future<Output = Answer<u32>> + Send>> {
        RUNS.fetch_add(n, Ordering::SeqCst);
        Box::pin(async move { Ok(n) })
    }
    #[governed]
    fn opaque(n: u32) -> impl Future<Output = Answer<u32>> + Send {
        RUNS.fetch_add(n, Ordering::SeqCst);
        async move { Ok(n) }
    }
    assert!(boxed(1).await.is_err() && opaque(1).await.is_err());
    assert_eq!(RUNS.load(Ordering::SeqCst), 0);
    let (harness, _) = allowing().await;
    assert_eq!(
        harness
            .scope(async { boxed(1).await.unwrap() + opaque(1).await.unwrap() })
            .await,
        2
    );
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
}

#[governed]
#[tracing::instrument]
async fn instrumented_below(n: u8) -> Answer<u8> {
    Ok(n)
}

#[tracing::instrument]
#[governed]
async fn instrumented_above(n: u8) -> Answer<u8> {
    Ok(n)
}

#[tokio::test]
async fn instrumented_functions_are_gated() {
    assert!(instrumented_below(1).await.is_err() && instrumented_above(1).await.is_err());
    let (harness, _) = allowing().await;
    assert_eq!(
        harness
            .scope(async { instrumented_below(1).await.unwrap() + instrumented_above(1).await.unwrap() })
            .await,
        2
    );
}

#[governed(harness = managed_agents::testing::dangerous_allow_all().unwrap())]
#[tokio::test]
async fn a_test_can_be_governed_above_tokio_test() -> Answer<()> {
    Ok(())
}

#[tokio::test]
async fn a_finishing_body_outlives_its_caller() {
    #[governed(cancel = finish)]
    async fn work(done: Vec<u8>, #[governed(state)] flag: Arc<AtomicU32>) -> Answer<usize> {
        tokio::task::yield_now().await;
        flag.store(1, Ordering::SeqCst);
        Ok(done.len())
    }
    let (harness, _) = allowing().await;
    let flag = Arc::new(AtomicU32::new(0));
    let call = harness.scope(work(vec![1], Arc::clone(&flag)));
    let mut call = Box::pin(call);
    assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
    drop(call);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(flag.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_named_harness_judges_outside_of_every_scope() {
    static HARNESS: std::sync::OnceLock<Harness> = std::sync::OnceLock::new();
    #[governed(harness = HARNESS.get().unwrap())]
    async fn own(n: u8) -> Answer<u8> {
        Ok(n)
    }
    let (harness, governor) = allowing().await;
    let _ = HARNESS.set(harness);
    assert_eq!(own(1).await.unwrap(), 1);
    assert_eq!(governor.calls().len(), 1);
}

#[test]
fn another_definition_has_another_digest() {
    mod one {
        #[managed_agents::governed]
        pub(super) async fn f(a: u8) -> super::Answer<u8> {
            Ok(a)
        }
    }
    mod same {
        #[managed_agents::governed]
        pub(super) async fn f(a: u8) -> super::Answer<u8> {
            Ok(a + 1)
        }
    }
    mod other {
        #[managed_agents::governed]
        pub(super) async fn f(a: u16) -> super::Answer<u16> {
            Ok(a)
        }
    }
    mod keyed {
        #[managed_agents::governed(read_only)]
        pub(super) async fn f(a: u8) -> super::Answer<u8> {
            Ok(a)
        }
    }
    let digest = |tool: Tool| tool.meta().definition();
    assert_eq!(digest(one::f::tool()), digest(same::f::tool()));
    assert_ne!(digest(one::f::tool()), digest(other::f::tool()));
    assert_ne!(digest(one::f::tool()), digest(keyed::f::tool()));
}

#[test]
fn a_gate_adds_little_to_a_future_whatever_the_arguments() {
    async fn plain(block: [u8; 4096], name: String) -> Answer<usize> {
        Ok(block.len() + name.len())
    }
    #[governed(no_tool, skip(block))]
    async fn gated(block: [u8; 4096], name: String) -> Answer<usize> {
        Ok(block.len() + name.len())
    }
    let plain = size_of_val(&plain([0; 4096], String::new()));
    let gated = size_of_val(&gated([0; 4096], String::new()));
    assert!(gated <= plain + 256, "{gated} bytes, plain {plain}");
}
