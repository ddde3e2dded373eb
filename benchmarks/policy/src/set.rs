//! The same policies and calls for everybody: ten policies for each tool, and four for all of them.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};

/// The text of so many policies, and the number of tools.
pub fn policies(count: usize) -> (String, usize) {
    let tools = count / 10;
    let mut text = String::from(
        "forbid(principal == Agent::\"a\", action, resource);\nforbid(principal == Agent::\"b\", action, resource);\n\
         forbid(principal, action, resource) when { context.tool.risk_level >= 4 };\n\
         forbid(principal, action, resource) when { context.agent.id == \"c\" };\n",
    );
    for tool in 0..tools {
        let action = format!("action == Action::\"tool_{tool}\"");
        let mut line = |rest: String| writeln!(text, "{rest}").expect("a string can be written");
        line(format!("permit(principal, {action}, resource) when {{ context.input.amount <= 1000 }};"));
        for number in 1..8 {
            let amount = 10_000 + number;
            line(format!("forbid(principal, {action}, resource) when {{ context.input.amount == {amount} }};"));
        }
        line(format!("forbid(principal, {action}, resource) when {{ context.input.to like \"XX*\" }};"));
        line(format!(
            "forbid(principal, {action}, resource) when {{ context.input has memo && context.input.memo like \"*urgent*\" }};"
        ));
    }
    (text, tools)
}

/// The arguments of a call of a tool; every tenth is to be denied.
pub fn input(tool: usize) -> Value {
    let amount = if tool % 10 == 9 { 10_003 } else { 5 * tool % 900 };
    json!({ "amount": amount, "to": "DE02120300000000202051", "memo": "for the lamp" })
}

/// The median time of a decision in microseconds; `decide` says whether a call of a tool may run, which must be right.
pub fn median(what: &str, tools: usize, times: usize, mut decide: impl FnMut(usize) -> bool) {
    for tool in 0..tools {
        assert_eq!(decide(tool), tool % 10 != 9, "{what}: tool {tool}");
    }
    let mut taken: Vec<_> = (0..times)
        .map(|number| {
            let begun = Instant::now();
            black_box(decide(number % tools));
            begun.elapsed()
        })
        .collect();
    taken.sort_unstable();
    let micros = |at: usize| taken[at].as_secs_f64() * 1e6;
    println!("{what}\t{:.2}\t{:.2}", micros(times / 2), micros(times * 99 / 100));
}
