//! Law 5: adding a forbid, a scope or a concern, or lowering trust, never makes a verdict more permissive.

use managed_agents::policy::{Policies, PoliciesBuilder, SignalSource, Signals};
use managed_agents::{Decision, DenialKind, Engine, Harness, Outcome, Risk, ToolCall, ToolMeta};
use proptest::prelude::*;
use serde_json::json;

struct Measured(f64);

impl SignalSource for Measured {
    fn signals(&self, _call: &ToolCall) -> Signals {
        let mut signals = Signals::default();
        signals.trust = Some(self.0);
        signals.ucs = Some(self.0);
        signals
    }
}

/// One condition; all of them can be read by both tools.
fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..20_i64).prop_map(|amount| format!("context.input.amount <= {amount}")),
        (0..20_i64).prop_map(|amount| format!("context.input.amount > {amount}")),
        Just("context.input has memo".to_owned()),
        Just("context.tool.risk_level >= 3".to_owned()),
        Just(r#"principal == Agent::"bot""#.to_owned()),
        Just("context.input.amount + 9223372036854775800 > 0".to_owned()),
    ]
}

fn trusting(lower: bool) -> impl Strategy<Value = String> {
    let comparison = if lower { "greaterThan" } else { "lessThan" };
    (0..10_u32, any::<bool>()).prop_map(move |(tenths, ucs)| {
        let (path, has) = if ucs { ("ucs", "ucs") } else { ("trust.score", "trust") };
        format!(r#"context has {has} && context.{path}.{comparison}(decimal("0.{tenths}"))"#)
    })
}

fn policy() -> impl Strategy<Value = String> {
    let scope = prop_oneof![
        Just("action"),
        Just(r#"action == Action::"pay""#),
        Just(r#"action in [Action::"pay", Action::"look"]"#),
    ];
    let body = |lower| {
        prop_oneof![
            condition(),
            trusting(lower),
            (condition(), trusting(lower)).prop_map(|(a, b)| format!("({a}) && ({b})"))
        ]
    };
    let effect = prop_oneof![
        body(true).prop_map(|body| ("permit", body)),
        body(false).prop_map(|body| ("forbid", body))
    ];
    (effect, scope, any::<bool>()).prop_map(|((effect, body), scope, escalates)| {
        // trust may not stand in a permit that asks
        let escalates = escalates && (effect == "forbid" || !body.contains("decimal"));
        let decision = if escalates { "@decision(\"escalate\") " } else { "" };
        format!("{decision}{effect}(principal, {scope}, resource) when {{ {body} }};\n")
    })
}

fn builder(text: &str) -> PoliciesBuilder {
    let input = json!({
        "type": "object", "required": ["amount"],
        "properties": {"amount": {"type": "integer"}, "memo": {"type": "string"}},
    });
    Policies::builder()
        .tool("pay", &input)
        .tool("look", &input)
        .text("law.cedar", text)
}

fn decide(engine: Engine, tool: &str, amount: i64) -> Decision {
    let harness = Harness::builder()
        .in_memory()
        .agent_id("bot")
        .governor(engine)
        .declare(ToolMeta::new("pay").with_risk(Risk::High))
        .declare(ToolMeta::new("look").with_risk(Risk::Low))
        .build_blocking()
        .unwrap();
    match harness.govern_blocking(tool, json!({ "amount": amount })) {
        Ok(permit) => {
            permit.finish(Outcome::Ok);
            Decision::Allow
        }
        Err(denied) if denied.kind() == DenialKind::Escalated => Decision::Escalate,
        Err(_) => Decision::Deny,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_5_a_further_forbid_never_permits_more(
        set in proptest::collection::vec(policy(), 0..5),
        more in policy().prop_filter("a forbid", |policy| policy.contains("forbid")),
        pay: bool,
        amount in 0..20_i64,
        trust in 0.0..1.0_f64,
    ) {
        let tool = if pay { "pay" } else { "look" };
        let judged = |text: &str| {
            let policies = builder(text).signals(Measured(trust)).load().unwrap();
            decide(Engine::new().policies(&policies), tool, amount)
        };
        let text = set.concat();
        prop_assert!(judged(&(text.clone() + &more)) >= judged(&text));
    }

    #[test]
    fn law_5_less_trust_never_permits_more(
        set in proptest::collection::vec(policy(), 1..6),
        pay: bool,
        amount in 0..20_i64,
        one in 0.0..1.0_f64,
        other in 0.0..1.0_f64,
    ) {
        let tool = if pay { "pay" } else { "look" };
        let judged = |trust| {
            let policies = builder(&set.concat()).signals(Measured(trust)).load().unwrap();
            decide(Engine::new().policies(&policies), tool, amount)
        };
        prop_assert!(judged(one.min(other)) >= judged(one.max(other)));
    }

    #[test]
    fn law_5_a_scope_never_permits_more(
        set in proptest::collection::vec(policy(), 0..5),
        scope in proptest::collection::vec(prop_oneof![Just("pay"), Just("look"), Just("other")], 0..3),
        pay: bool,
        amount in 0..20_i64,
    ) {
        let tool = if pay { "pay" } else { "look" };
        let policies = builder(&set.concat()).load().unwrap();
        let without = decide(Engine::new().policies(&policies), tool, amount);
        let with = decide(Engine::new().policies(&policies).scope("bot", scope), tool, amount);
        prop_assert!(with >= without);
    }

    #[test]
    fn law_5_a_permit_beside_others_of_its_tool_that_asks_people_never_permits_more(
        set in proptest::collection::vec(policy(), 0..5),
        condition in condition(),
        amount in 0..20_i64,
    ) {
        // the tool is named already, and what would be denied may only come to be asked
        let text = format!("permit(principal, action == Action::\"pay\", resource) when {{ true }};\n{}", set.concat());
        let more = format!("@decision(\"escalate\") permit(principal, action, resource) when {{ {condition} }};");
        let judged = |text: &str| decide(Engine::new().policies(&builder(text).load().unwrap()), "pay", amount);
        prop_assert!(judged(&(text.clone() + &more)) >= judged(&text));
    }
}
