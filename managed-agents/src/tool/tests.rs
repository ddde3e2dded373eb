//! The dispatch of tools that are written by hand.

mod by_hand;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Barrier;

use by_hand::{meta, pay, tool};

use super::*;
use crate::denial_slot;
use crate::error::{DenialKind, GovernanceDenied};

fn toolbox(tools: impl IntoIterator<Item = Tool>) -> Toolbox {
    Toolbox::new().tools(tools).build().unwrap()
}

async fn said(json: &str) -> String {
    let result = toolbox([pay()]).call("bank.pay", json).await;
    assert_eq!(result.status(), ToolStatus::InvalidArguments, "{}", result.text());
    assert!(result.is_error());
    result.into_text()
}

#[tokio::test]
async fn arguments_are_decoded_by_name_and_an_option_may_be_left_out() {
    let json = r#" {"cents":5,"to":"a\nb","card":{"number":"1"},"labels":{"k":1}} "#;
    let result = toolbox([pay()]).call("bank.pay", json).await;
    assert_eq!((result.text(), result.status()), ("a\nb 5 None", ToolStatus::Done));
}

#[tokio::test]
async fn what_is_wrong_with_the_arguments_is_said_so_that_a_model_can_act_on_it() {
    for (json, expected) in [
        (r#"{"cents":5}"#, "argument `to` is missing"),
        (
            r#"{"to":7}"#,
            "argument `to`: invalid type: integer `7`, expected a string",
        ),
        (
            r#"{"to":"a","cents":"9"}"#,
            r#"argument `cents`: invalid type: string "9", expected u64"#,
        ),
        (r#"{"to":"a","to":"b"}"#, "argument `to` is given twice"),
        (r#"{"to":"a","\u0074o":"b"}"#, "argument `to` is given twice"),
        (
            r#"{"sudo":true}"#,
            "unknown argument `sudo`; this tool takes `to`, `cents`, `card`, `note`, `labels`",
        ),
        (
            r#"{"labels":{"a":[{"k":1,"k":1}]}}"#,
            "argument `labels`: the key `k` is given twice",
        ),
        ("[]", "the arguments must be one JSON object"),
        ("", "the arguments must be one JSON object"),
        (r#"{"to":"a"} {}"#, "the arguments are not valid"),
    ] {
        let text = said(json).await;
        assert!(text.starts_with(expected), "{json}: {text}");
        assert!(!text.contains("column"), "{text}");
    }
}

#[tokio::test]
async fn nesting_and_size_are_bounded_before_anything_is_decoded() {
    let nested = |depth: usize| format!(r#"{{"labels":{}1{}}}"#, r#"{"a":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(said(&nested(64)).await, "argument `labels` is nested more than 64 deep");
    assert_eq!(said(&nested(63)).await, "argument `to` is missing");
    let large = format!(r#"{{"to":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(said(&large).await, "the arguments are over 1 MiB");
}

#[tokio::test]
async fn what_is_wrong_with_a_redacted_argument_is_not_said() {
    for json in [
        r#"{"to":"a","cents":5,"card":"CANARY"}"#,
        r#"{"card":{"CANARY":1,"CANARY":2}}"#,
        r#"{"card":{"number":CANARY}}"#,
    ] {
        let text = said(json).await;
        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[test]
fn the_schema_is_closed_and_carries_docs_ranges_and_definitions() {
    let schema = pay().input_schema();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["to", "cents", "card", "labels"]));
    let properties = &schema["properties"];
    assert_eq!(
        properties["to"],
        serde_json::json!({"type": "string", "description": "Who is paid."})
    );
    assert_eq!(properties["cents"]["minimum"], 1);
    assert_eq!(properties["cents"]["exclusiveMaximum"], 100);
    assert_eq!(
        properties["card"],
        serde_json::json!({"$ref": "#/$defs/Card", "description": "The card."})
    );
    assert_eq!(schema["$defs"]["Card"]["required"], serde_json::json!(["number"]));
}

#[test]
fn each_dialect_describes_the_tool_in_its_own_way() {
    let toolbox = toolbox([pay()]);
    let [claude, openai, mcp] =
        [Dialect::Claude, Dialect::OpenAi, Dialect::Mcp].map(|d| toolbox.definitions(d).remove(0));
    assert_eq!(claude["name"], "bank_pay");
    assert_eq!(claude["input_schema"]["type"], "object");
    assert_eq!(openai["type"], "function");
    assert_eq!(openai["function"]["parameters"], claude["input_schema"]);
    assert_eq!(mcp["name"], "bank.pay");
    assert_eq!(mcp["inputSchema"], claude["input_schema"]);
    assert_eq!(
        mcp["annotations"],
        serde_json::json!({"readOnlyHint": false, "destructiveHint": false, "idempotentHint": true})
    );
}

#[tokio::test]
async fn a_tool_answers_to_the_name_it_is_described_by() {
    let toolbox = toolbox([pay()]);
    for name in ["bank.pay", "bank_pay"] {
        assert_eq!(toolbox.call(name, "[]").await.status(), ToolStatus::InvalidArguments);
    }
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_that_names_the_known_ones() {
    let result = toolbox([pay()]).call("refund`\n", "{}").await;
    assert_eq!(result.status(), ToolStatus::UnknownTool);
    assert_eq!(
        result.text(),
        "unknown tool `refund\u{fffd}\u{fffd}`; the tools are `bank.pay`"
    );
}

#[test]
fn building_names_every_missing_state_duplicate_and_invalid_name() {
    let needy = tool!(
        needy,
        states,
        vec![need::<u8>("bank", "&Bank"), need::<str>("name", "Arc<str>")],
        Ok::<_, String>(*states.get::<u8>())
    );
    const EMPTY: &ToolMeta = &meta("", &[]);
    let nameless = Tool::from_vtable(&Vtable {
        meta: EMPTY,
        arguments: &[],
        needs: Vec::new,
        call: |_, _, _| Box::pin(pending()),
    });
    let error = Toolbox::new()
        .state(1_i32)
        .state(2_i32)
        .tool(needy)
        .tools([pay(), pay(), nameless])
        .build()
        .unwrap_err();
    let kinds: Vec<_> = error.problems().iter().map(ToolboxProblem::kind).collect();
    assert_eq!(
        kinds,
        [
            ToolboxProblemKind::RepeatedState,
            ToolboxProblemKind::MissingState,
            ToolboxProblemKind::MissingState,
            ToolboxProblemKind::DuplicateName,
            ToolboxProblemKind::InvalidName,
        ]
    );
    assert!(
        error.to_string().contains("tool `needy` needs `bank: &Bank`"),
        "{error}"
    );
    assert!(error.to_string().contains("two tools are named `bank.pay`"), "{error}");
}

#[tokio::test]
async fn state_is_found_by_its_type_sized_or_not() {
    let tool = tool!(
        stateful,
        states,
        vec![
            need::<u8>("n", "&u8"),
            need::<dyn fmt::Display + Send + Sync>("d", "&dyn Display")
        ],
        Ok::<_, String>(format!(
            "{} {}",
            states.get::<u8>(),
            states.shared::<dyn fmt::Display + Send + Sync>()
        ))
    );
    let toolbox = Toolbox::new()
        .state(7_u8)
        .shared::<dyn fmt::Display + Send + Sync>(Arc::new("x"))
        .tool(tool)
        .build()
        .unwrap();
    assert_eq!(toolbox.call("stateful", "{}").await.text(), "7 x");
}

#[tokio::test]
async fn the_model_reads_nothing_for_null_text_for_a_string_and_else_json() {
    let tools = [
        tool!(unit, Ok::<_, String>(())),
        tool!(text, Ok::<_, String>("a \"b\"\n")),
        tool!(list, Ok::<_, String>([1, 2])),
        tool!(failing, Err::<(), _>("no such order")),
        tool!(unshowable, Ok::<_, String>(BTreeMap::from([((1, 2), 3)]))),
    ];
    let toolbox = toolbox(tools);
    let mut read = Vec::new();
    for name in ["unit", "text", "list", "failing", "unshowable"] {
        let result = toolbox.call(name, "{}").await;
        read.push((result.is_error(), result.into_text()));
    }
    assert_eq!(
        read.iter().map(|(e, t)| (*e, t.as_str())).collect::<Vec<_>>(),
        [
            (false, ""),
            (false, "a \"b\"\n"),
            (false, "[1,2]"),
            (true, "no such order"),
            (true, "the tool ran, and its result cannot be shown"),
        ]
    );
}

#[tokio::test]
async fn a_result_over_256_kib_is_cut_and_says_so() {
    for tool in [
        tool!(long, Ok::<_, String>("é".repeat(200_000))),
        tool!(long, Err::<(), _>("é".repeat(200_000))),
    ] {
        let text = toolbox([tool]).call("long", "{}").await.into_text();
        assert!(text.len() <= 256 * 1024, "{}", text.len());
        assert!(text.ends_with("of 400000 bytes]"));
    }
}

#[tokio::test]
async fn a_panic_ends_in_a_fixed_text_and_harms_no_sibling() {
    fn fails() -> Result<(), String> {
        panic!("secret internals")
    }
    let toolbox = toolbox([tool!(panicking, fails()), tool!(fine, Ok::<_, String>("fine"))]);
    let results = toolbox.call_all(&[("panicking", "{}"), ("fine", "{}")]).await;
    assert_eq!(results[0].status(), ToolStatus::Panicked);
    assert!(!results[0].text().contains("secret"));
    assert_eq!(results[1].text(), "fine");
}

#[tokio::test]
async fn a_denial_reaches_the_caller_typed_though_the_error_type_flattens_it() {
    let tool = tool!(denied, {
        let denied = GovernanceDenied::new(DenialKind::Denied, "closed", "the shop is closed").with_tool("denied");
        denial_slot::decided(Some(&denied));
        Err::<(), _>(denied.to_string())
    });
    let result = toolbox([tool]).call("denied", "{}").await;
    assert_eq!(result.status(), ToolStatus::Denied);
    assert_eq!(result.denial().unwrap().code(), "closed");
    assert_eq!(
        result.text(),
        r#"{"error":{"message":"the shop is closed","type":"governance_denied"},"type":"error"}"#
    );
}

#[tokio::test]
async fn a_denial_inside_the_body_is_the_bodys_own_affair() {
    // what the gate of the tool, and then that of a call in its body, say
    fn inner() {
        denial_slot::decided(None);
        denial_slot::decided(Some(&GovernanceDenied::new(DenialKind::Denied, "x", "x")));
    }
    let (caught, passed) = (
        tool!(caught, {
            inner();
            Ok::<_, String>("done without")
        }),
        tool!(passed, {
            inner();
            Err::<(), _>("could not finish")
        }),
    );
    let results = toolbox([caught, passed])
        .call_all(&[("caught", "{}"), ("passed", "{}")])
        .await;
    assert_eq!(results[0].text(), "done without");
    assert_eq!(results[1].status(), ToolStatus::Failed);
    assert!(results.iter().all(|result| result.denial().is_none()));
}

#[tokio::test]
async fn at_most_eight_calls_run_at_once_and_results_keep_the_order_of_the_calls() {
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let tool = tool!(slow, states, vec![need::<Barrier>("b", "&Barrier")], {
        let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        // ends only when eight run side by side
        states.get::<Barrier>().wait().await;
        NOW.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, String>(())
    });
    let toolbox = Toolbox::new().state(Barrier::new(8)).tool(tool).build().unwrap();
    let mut calls = vec![("slow", "{}"); 24];
    calls.insert(5, ("none", "{}"));
    let results = toolbox.call_all(&calls).await;
    assert_eq!(results.len(), 25);
    let unknown = results.iter().position(|r| r.status() == ToolStatus::UnknownTool);
    assert_eq!(unknown, Some(5));
    assert_eq!(MOST.load(Ordering::SeqCst), 8);
}

#[test]
fn debug_shows_neither_results_nor_state() {
    let result = ToolResult::new(ToolStatus::Done, "CANARY".to_owned());
    let builder = Toolbox::new().state("CANARY");
    assert!(!format!("{result:?}{builder:?}").contains("CANARY"));
}
