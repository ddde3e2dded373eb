//! Policies in a harness.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use managed_agents::policy::{Policies, PoliciesBuilder, SignalSource, Signals};
use managed_agents::{Decision, DenialKind, Engine, Harness, Outcome, Risk, ToolCall, ToolMeta};
use serde_json::{Value, json};

fn pay() -> Value {
    json!({
        "type": "object",
        "properties": {
            "amount": {"type": "integer"},
            "rate": {"type": "number"},
            "to": {"type": "string"},
            "memo": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": ["wire", "card"]},
        },
        "required": ["amount"],
    })
}

fn policies(text: &str) -> PoliciesBuilder {
    Policies::builder()
        .tool("pay", &pay())
        .tool("look", &json!({"type": "object", "properties": {}}))
        .text("test.cedar", text)
}

fn harness(policies: &Policies) -> Harness {
    harness_of(Engine::new().policies(policies))
}

fn harness_of(engine: Engine) -> Harness {
    Harness::builder()
        .in_memory()
        .agent_id("bot")
        .governor(engine)
        .declare(ToolMeta::new("pay").with_risk(Risk::Critical))
        .declare(ToolMeta::new("look").with_risk(Risk::Low))
        .build_blocking()
        .unwrap()
}

/// Decision and code of one call, which runs at once if it may.
fn call(harness: &Harness, tool: &str, input: &Value) -> (Decision, String) {
    match harness.govern_blocking(tool, input.clone()) {
        Ok(permit) => {
            permit.finish(Outcome::Ok);
            (Decision::Allow, String::new())
        }
        Err(denied) if denied.kind() == DenialKind::Escalated => (Decision::Escalate, denied.code().to_owned()),
        Err(denied) => (Decision::Deny, denied.code().to_owned()),
    }
}

fn decisions(text: &str, inputs: &[Value]) -> Vec<Decision> {
    let policies = policies(text).load().unwrap_or_else(|error| panic!("{error}"));
    let harness = harness(&policies);
    inputs.iter().map(|input| call(&harness, "pay", input).0).collect()
}

#[test]
fn what_a_permit_names_is_judged_by_policies_alone_and_the_rest_by_declared_risk() {
    let set = policies(r#"permit(principal, action == Action::"pay", resource) when { context.input.amount < 10 };"#);
    let harness = harness(&set.load().unwrap());
    assert_eq!(call(&harness, "pay", &json!({"amount": 9})).0, Decision::Allow);
    assert_eq!(
        call(&harness, "pay", &json!({"amount": 10})),
        (Decision::Deny, "policy_no_permit".to_owned())
    );
    assert_eq!(call(&harness, "look", &json!({})).0, Decision::Allow);
    assert_eq!(
        call(&harness, "nobody_knows", &json!({})),
        (Decision::Escalate, "undeclared_name".to_owned())
    );
}

#[test]
fn a_permit_without_an_action_names_every_known_tool_and_no_unknown_one() {
    let set = policies("permit(principal == Agent::\"other\", action, resource);");
    let harness = harness(&set.load().unwrap());
    assert_eq!(call(&harness, "look", &json!({})).0, Decision::Deny);
    assert_eq!(call(&harness, "nobody_knows", &json!({})).0, Decision::Escalate);
}

#[test]
fn a_denial_stands_before_an_escalation_and_that_before_an_allowance() {
    let text = r#"
        permit(principal, action == Action::"pay", resource);
        @decision("escalate") @approvers("2") @reason("ask two people")
        forbid(principal, action == Action::"pay", resource) when { context.input.amount > 10 };
        forbid(principal, action == Action::"pay", resource) when { context.input.amount > 100 };
    "#;
    let set = policies(text).load().unwrap();
    let harness = harness(&set);
    assert_eq!(call(&harness, "pay", &json!({"amount": 1})).0, Decision::Allow);
    assert_eq!(
        call(&harness, "pay", &json!({"amount": 101})),
        (Decision::Deny, "policy_forbids".to_owned())
    );
    let denied = harness.govern_blocking("pay", json!({"amount": 11})).unwrap_err();
    assert_eq!(denied.code(), "policy_escalates");
    let verdict = denied.verdict().unwrap();
    assert_eq!(
        (verdict.reasons()[0].for_model(), verdict.approvers()),
        ("ask two people", 2)
    );
    let records = harness.records();
    let policies: Vec<_> = records.last().unwrap().decision().policies().collect();
    assert_eq!(policies, ["test.2", "test.1"]);
}

#[test]
fn what_was_judged_by_policies_is_sound_in_a_durable_record() {
    let dir = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("policy-{}", std::process::id()));
    let set = policies("permit(principal, action, resource);").load().unwrap();
    let harness = Harness::builder()
        .agent_id("bot")
        .governor(Engine::new().policies(&set))
        .declare(ToolMeta::new("pay").with_risk(Risk::Critical))
        .data_dir(dir.join("data"))
        .high_water_mark(dir.join("mark"))
        .build_blocking()
        .unwrap();
    for number in 0..3 {
        let permit = harness.govern_blocking("pay", json!({"amount": number})).unwrap();
        permit.finish(Outcome::Ok);
    }
    let reader = harness.home().unwrap().store().reader().unwrap();
    let report = reader.verify(managed_agents::store::Depth::Deep, |_| ()).unwrap();
    assert!(report.is_sound(), "{:?}", report.problems());
    drop((reader, harness));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_policy_that_cannot_be_evaluated_denies() {
    // `amount` is required, and a call by name need not have it
    let forbid = r#"
        permit(principal, action == Action::"pay", resource);
        forbid(principal, action == Action::"pay", resource) when { context.input.amount + 1 > 100 };
    "#;
    let harness = harness(&policies(forbid).load().unwrap());
    assert_eq!(
        call(&harness, "pay", &json!({})),
        (Decision::Deny, "policy_error".to_owned())
    );
    assert_eq!(
        call(&harness, "pay", &json!({"amount": i64::MAX})),
        (Decision::Deny, "policy_error".to_owned())
    );
    assert_eq!(
        call(&harness, "pay", &json!({"amount": "1"})),
        (Decision::Deny, "policy_input".to_owned())
    );
    assert_eq!(call(&harness, "pay", &json!({"amount": 1})).0, Decision::Allow);
}

#[test]
fn numbers_options_and_enums_are_what_the_guide_says() {
    let text = r#"permit(principal, action == Action::"pay", resource) when {
        context.input has rate && context.input.rate.lessThan(decimal("1.5"))
        && !context.input_lossy && !(context.input has memo)
        && context.input has kind && context.input.kind.tag == "card" };"#;
    let input = |rate: Value, memo: Value, kind: &str| json!({"amount": 1, "rate": rate, "memo": memo, "kind": kind});
    let all = [
        input(json!(1.4), Value::Null, "card"),
        input(json!(1), Value::Null, "card"),
        input(json!(1.5), Value::Null, "card"),
        input(json!(1.400_01), Value::Null, "card"),
        input(json!(-1e300), Value::Null, "card"),
        input(json!(1.4), json!("m"), "card"),
        input(json!(1.4), Value::Null, "wire"),
    ];
    use Decision::{Allow, Deny};
    assert_eq!(decisions(text, &all), [Allow, Allow, Deny, Deny, Deny, Deny, Deny]);
}

#[test]
fn what_is_wrong_is_told_with_file_line_and_advice_and_changes_nothing() {
    let good = r#"permit(principal, action == Action::"pay", resource);"#;
    let live = policies(good).load().unwrap();
    let digest = live.digest();
    let deep = format!(
        "permit(principal, action, resource) when {{ {}1 == 1{} }};",
        "(".repeat(500),
        ")".repeat(500)
    );
    let chain = format!(
        "permit(principal, action, resource) when {{ true{} }};",
        " && true".repeat(20_000)
    );
    let large = format!("// {}\n{good}", "x".repeat(10 * 1024 * 1024));
    let conditions = format!(
        "permit(principal, action, resource) when {{ {}true }};",
        "if true then true else ".repeat(2_000)
    );
    let not = format!(
        "permit(principal, action, resource) when {{ {}true }};",
        "!".repeat(500)
    );
    let policies_by_the_thousand = "forbid(principal, action, resource) when { false };\n".repeat(10_001);
    let cases = [
        (
            "\npermit(principal, action == Action::\"pay\", resource) when { context.input.amonut > 5 };",
            ":2: ",
            "amount",
        ),
        (
            "\n\npermit(principal, action == Action::\"pya\", resource);",
            ":3: ",
            "pay",
        ),
        (
            "permit(principal, action == Action::\"pay\", resource) when { context.input.amount == \"5\" };",
            ":1: ",
            "String",
        ),
        ("permit(principal, action resource);", ":1: ", "unexpected"),
        (
            "permit(principal, action == Action::\"pay\", resource) when { context.input.memo == \"x\" };",
            ":1: ",
            "has",
        ),
        (
            "@decision(\"allow\")\npermit(principal, action, resource);",
            ":1: ",
            "escalate",
        ),
        (
            "@approvers(\"0\") @decision(\"escalate\") permit(principal, action, resource);",
            ":1: ",
            "1 to 9",
        ),
        (
            "@aprovers(\"2\") permit(principal, action, resource);",
            ":1: ",
            "known are",
        ),
        (
            "@id(\"a\") permit(principal, action, resource);\n@id(\"a\") forbid(principal, action, resource);",
            ":2: ",
            "twice",
        ),
        ("permit(principal == ?principal, action, resource);", ":1: ", "template"),
        (deep.as_str(), ":1: ", "deep"),
        (chain.as_str(), ":1: ", ""),
        (large.as_str(), ": ", "1 MiB"),
        (conditions.as_str(), ":1: ", "deep"),
        (not.as_str(), ":1: ", "deep"),
        (policies_by_the_thousand.as_str(), ": ", "10000 policies"),
        (
            "permit(principal, action, resource) when { context.input.amount > 99999999999999999999 };",
            ":1: ",
            "",
        ),
        ("permit(principal, action, resource) when { \"", ":1: ", ""),
        ("/* permit(principal, action, resource);", ":1: ", ""),
        (
            "permit(principal, action, resource) when { principal.trust > 1 };",
            ":1: ",
            "trust",
        ),
        (
            "permit(principal, action, resource) when { context.history.amuont_1h < 5 };",
            ":1: ",
            "amuont_1h",
        ),
        ("permit(principal in Team::\"a\", action, resource);", ":1: ", "Team"),
        (
            "permit(principal, action == Action::\"pay\", resource) when { \0 };",
            ":1: ",
            "",
        ),
    ];
    for (text, place, advice) in cases {
        let error = live.replace(&policies(text)).unwrap_err().to_string();
        let shown: String = text.chars().take(100).collect();
        assert!(error.starts_with(&format!("test.cedar{place}")), "{shown}: {error}");
        assert!(error.contains(advice), "{shown}: {error}");
        assert_eq!(live.digest(), digest);
    }
    assert_eq!(call(&harness(&live), "pay", &json!({"amount": 1})).0, Decision::Allow);
}

#[test]
fn what_is_no_policy_file_is_refused_by_name_and_calls_are_judged_on() {
    let dir = std::env::temp_dir().join(format!("managed-agents-hostile-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let tools = json!({"pay": pay()}).to_string();
    std::fs::write(dir.join("pay.tools.json"), &tools).unwrap();
    let good = r#"permit(principal, action == Action::"pay", resource);"#;
    std::fs::write(dir.join("a.cedar"), good).unwrap();
    let live = Policies::builder().path(&dir).load().unwrap();
    let (harness, digest) = (harness(&live), live.digest());
    // definitions that name each other often: small to write, and too large to make a type of
    let wide = |next: &str| -> Value {
        let fields: serde_json::Map<_, _> = (0..200)
            .map(|number| (format!("f{number}"), json!({"$ref": format!("#/$defs/{next}")})))
            .collect();
        json!({"type": "object", "properties": fields})
    };
    let mut swollen = wide("a");
    let leaf = json!({"type": "integer"});
    swollen["$defs"] = json!({"a": wide("b"), "b": wide("c"), "c": wide("d"), "d": leaf});
    let deep = format!(r#"{{"pay": {}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let cases: Vec<(&str, Vec<u8>, &str, &str)> = vec![
        ("b.cedar", vec![b'\n', 0xff, 0xfe], "b.cedar:2: ", "UTF-8"),
        ("b.cedar", "é".repeat(600 * 1024).into_bytes(), "b.cedar: ", "1 MiB"),
        ("b.tools.json", b"{\n\"x\": }".to_vec(), "b.tools.json:2: ", "JSON"),
        ("b.tools.json", b"[]".to_vec(), "b.tools.json:1: ", "no object"),
        ("b.tools.json", deep.into_bytes(), "b.tools.json:1: ", "recursion"),
        ("b.tools.json", tools.into_bytes(), "pay.tools.json: ", "another file"),
        ("b.tools.json", vec![b' '; 2 << 20], "b.tools.json: ", "1 MiB"),
        (
            "pay.tools.json",
            json!({ "pay": swollen }).to_string().into_bytes(),
            "a.cedar:1: ",
            "f0",
        ),
    ];
    for (file, bytes, place, why) in cases {
        std::fs::write(dir.join(file), &bytes).unwrap();
        if why == "f0" {
            let reads = r#"permit(principal, action == Action::"pay", resource) when { context.input has f0 };"#;
            std::fs::write(dir.join("a.cedar"), reads).unwrap();
        }
        let begun = std::time::Instant::now();
        let told = live.reload();
        if why == "f0" {
            // nothing can be read of it, so that the condition can never hold
            told.unwrap();
            assert_eq!(call(&harness, "pay", &json!({"amount": 1})).0, Decision::Deny);
            assert!(begun.elapsed().as_secs() < 20);
            continue;
        }
        let error = told.unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(why), "{error}");
        assert_eq!(live.digest(), digest);
        assert_eq!(call(&harness, "pay", &json!({"amount": 1})).0, Decision::Allow);
        std::fs::remove_file(dir.join(file)).unwrap();
    }
    std::fs::remove_dir_all(&dir).unwrap();
    let gone = live.reload().unwrap_err().to_string();
    assert!(gone.contains("cannot be read"), "{gone}");
    assert_eq!(live.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_policy_file_is_not_waited_for() {
    let pipe = std::env::temp_dir().join(format!("managed-agents-pipe-{}.cedar", std::process::id()));
    let _ = std::fs::remove_file(&pipe);
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let error = Policies::builder().path(&pipe).load().unwrap_err().to_string();
    assert!(error.contains("is no file"), "{error}");
    std::fs::remove_file(&pipe).unwrap();
}

#[test]
fn thousands_of_files_are_refused_and_a_directory_is_read_by_name() {
    let dir = std::env::temp_dir().join(format!("managed-agents-policy-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("pay.tools.json"), json!({"pay": pay()}).to_string()).unwrap();
    std::fs::write(
        dir.join("a.cedar"),
        r#"permit(principal, action == Action::"pay", resource);"#,
    )
    .unwrap();
    let set = Policies::builder().path(&dir).load().unwrap();
    assert_eq!(set.len(), 1);
    std::fs::write(dir.join("b.cedar"), "permit(").unwrap();
    assert!(set.reload().unwrap_err().to_string().contains("b.cedar:1: "));
    assert_eq!(set.len(), 1);
    std::fs::write(dir.join("b.cedar"), "forbid(principal, action, resource);").unwrap();
    set.reload().unwrap();
    assert_eq!(set.len(), 2);
    for number in 0..1_001 {
        std::fs::write(dir.join(format!("c{number}.cedar")), "").unwrap();
    }
    assert!(set.reload().unwrap_err().to_string().contains("over 1000 files"));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn trust_may_only_be_a_lower_bound_in_a_permit_and_an_upper_bound_in_a_forbid() {
    let permit = |condition: &str| format!("permit(principal, action == Action::\"pay\", resource) {condition};");
    let forbid = |condition: &str| format!("forbid(principal, action == Action::\"pay\", resource) {condition};");
    let good = [
        permit(r#"when { context has trust && context.trust.score.greaterThan(decimal("0.6")) }"#),
        permit(r#"when { context has ucs && decimal("0.6").lessThan(context.ucs) }"#),
        permit(r#"unless { context has trust && context.trust.score.lessThan(decimal("0.6")) }"#),
        forbid(r#"when { context has trust && context.trust.score.lessThanOrEqual(decimal("0.6")) }"#),
        forbid(r#"unless { context has trust && context.trust.score.greaterThan(decimal("0.6")) }"#),
        forbid(r#"when { !(context has ucs && context.ucs.greaterThan(decimal("0.6"))) }"#),
    ];
    for text in &good {
        policies(text).load().unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let bad = [
        permit(r#"when { context has trust && context.trust.score.lessThan(decimal("0.6")) }"#),
        permit(r#"when { context has trust && !(context.trust.score.greaterThan(decimal("0.6"))) }"#),
        permit(r#"when { context has trust && context.trust.score == decimal("0.6") }"#),
        permit(r#"unless { context has trust && context.trust.score.greaterThan(decimal("0.6")) }"#),
        permit(r#"when { if (context has ucs && context.ucs.greaterThan(decimal("0.6"))) then false else true }"#),
        forbid(r#"when { context has trust && context.trust.score.greaterThan(decimal("0.6")) }"#),
        forbid(r#"when { context has ucs && context.ucs.greaterThan(decimal("0.6")) }"#),
    ];
    for text in &bad {
        let error = policies(text).load().expect_err(text).to_string();
        assert!(error.contains("lower bound"), "{text}: {error}");
    }
    let asking = format!("@decision(\"escalate\") {}", good.first().unwrap());
    let error = policies(&asking).load().unwrap_err().to_string();
    assert!(error.contains("without asking"), "{error}");
}

#[test]
fn behaviour_is_absent_until_something_measures_it() {
    struct Trusting(f64);
    impl SignalSource for Trusting {
        fn signals(&self, _call: &ToolCall) -> Signals {
            let mut signals = Signals::default();
            signals.trust = Some(self.0);
            signals
        }
    }
    let text = r#"permit(principal, action == Action::"pay", resource)
        when { context has trust && context.trust.score.greaterThanOrEqual(decimal("0.6")) };"#;
    let judged = |set: PoliciesBuilder| call(&harness(&set.load().unwrap()), "pay", &json!({"amount": 1})).0;
    assert_eq!(judged(policies(text)), Decision::Deny);
    assert_eq!(judged(policies(text).signals(Trusting(0.6))), Decision::Allow);
    assert_eq!(judged(policies(text).signals(Trusting(0.599_99))), Decision::Deny);
    assert_eq!(judged(policies(text).signals(Trusting(f64::NAN))), Decision::Deny);
}

#[test]
fn history_counts_what_runs_and_what_is_under_way() {
    let text = r#"permit(principal, action == Action::"pay", resource)
        when { context.history.amount_1h + context.input.amount <= 100 };"#;
    let harness = harness(&policies(text).load().unwrap());
    let under_way = harness.govern_blocking("pay", json!({"amount": 60})).unwrap();
    assert_eq!(call(&harness, "pay", &json!({"amount": 60})).0, Decision::Deny);
    // what was denied counts nothing, and a negative amount makes no room
    assert_eq!(call(&harness, "pay", &json!({"amount": -60})).0, Decision::Allow);
    assert_eq!(call(&harness, "pay", &json!({"amount": 41})).0, Decision::Deny);
    assert_eq!(call(&harness, "pay", &json!({"amount": 40})).0, Decision::Allow);
    under_way.finish(Outcome::Ok);
    assert_eq!(call(&harness, "pay", &json!({"amount": 1})).0, Decision::Deny);
}

#[test]
fn sixty_four_callers_together_pass_no_sum() {
    let text = r#"permit(principal, action == Action::"pay", resource)
        when { context.history.amount_1h + context.input.amount <= 100 };"#;
    let harness = harness(&policies(text).load().unwrap());
    let paid: usize = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let calls = (0..20).filter(|_| call(&harness, "pay", &json!({"amount": 7})).0 == Decision::Allow);
                    calls.count()
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert!((1..=14).contains(&paid), "{paid}");
}

#[test]
fn a_reload_under_load_is_never_seen_in_part() {
    // each set alone decides one way; a mixture would deny or escalate
    let one = r#"permit(principal, action == Action::"pay", resource) when { context.input.amount == 1 };
        forbid(principal, action == Action::"pay", resource) when { context.input.amount == 2 };"#;
    let other = r#"permit(principal, action == Action::"pay", resource) when { context.input.amount == 2 };
        forbid(principal, action == Action::"pay", resource) when { context.input.amount == 1 };"#;
    let live = policies(one).load().unwrap();
    // denials by the thousand cost an agent its trust
    let engine = Engine::new().policies(&live).without_behaviour();
    let harness = harness_of(engine);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let (decision, code) = call(&harness, "pay", &json!({"amount": 1}));
                        assert!(
                            matches!(
                                (decision, code.as_str()),
                                (Decision::Allow, _) | (Decision::Deny, "policy_forbids")
                            ),
                            "{decision}: {code}"
                        );
                    }
                })
            })
            .collect();
        for round in 0..50 {
            let next = if round % 2 == 0 { other } else { one };
            live.replace(&policies(next)).unwrap();
            assert!(live.replace(&policies("permit(")).is_err());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
}

#[test]
fn a_candidate_judges_beside_the_set_in_force_and_decides_nothing() {
    let live = policies(r#"permit(principal, action == Action::"pay", resource);"#)
        .load()
        .unwrap();
    let harness = harness(&live);
    assert_eq!(live.shadow_report(), None);
    let stricter = r#"permit(principal, action == Action::"pay", resource) when { context.input.amount < 5 };"#;
    live.shadow(&policies(stricter)).unwrap();
    for amount in [1, 4, 5, 6] {
        assert_eq!(call(&harness, "pay", &json!({ "amount": amount })).0, Decision::Allow);
    }
    let report = live.shadow_report().unwrap();
    assert_eq!((report.judged, report.differing), (4, 2));
}

#[test]
fn only_tools_that_a_policy_is_about_are_part_of_the_rules() {
    let digest = |text: &str, tools: &[&str]| {
        let schema = json!({"type": "object", "properties": {"amount": {"type": "integer"}}});
        let builder = tools
            .iter()
            .fold(Policies::builder(), |builder, tool| builder.tool(*tool, &schema));
        builder.text("a.cedar", text).load().unwrap().digest()
    };
    let about_pay = r#"forbid(principal, action == Action::"pay", resource);"#;
    assert_eq!(digest(about_pay, &["pay"]), digest(about_pay, &["look", "pay"]));
    let about_all = "permit(principal, action, resource);";
    assert_ne!(digest(about_all, &["pay"]), digest(about_all, &["look", "pay"]));
}

#[test]
fn records_name_the_rules_and_other_rules_have_another_digest() {
    let rules = |text: &str| {
        let harness = harness(&policies(text).load().unwrap());
        call(&harness, "pay", &json!({"amount": 1}));
        call(&harness, "look", &json!({}));
        let records = harness.records();
        let rules: Vec<_> = records.iter().map(|entry| entry.decision().rules().unwrap()).collect();
        assert_eq!(rules.first(), rules.last());
        *rules.first().unwrap()
    };
    let permit = r#"permit(principal, action == Action::"pay", resource);"#;
    assert_eq!(rules(permit), rules(permit));
    assert_ne!(
        rules(permit),
        rules(r#"forbid(principal, action == Action::"pay", resource);"#)
    );
}

#[test]
fn changed_files_are_read_again_where_that_is_asked_for_and_bad_ones_change_nothing() {
    let dir = std::env::temp_dir().join(format!("managed-agents-watch-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("a.cedar"), "forbid(principal, action, resource);").unwrap();
    let set = Policies::builder().path(&dir).load().unwrap();
    let before = set.digest();
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    let until = |done: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !done() && begun.elapsed() < std::time::Duration::from_secs(20) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(done());
    };
    // nobody asked yet
    write("b.cedar", "forbid(principal, action, resource);");
    std::thread::sleep(std::time::Duration::from_millis(30));
    assert_eq!(set.digest(), before);
    let watch = set.watch(std::time::Duration::from_millis(10)).unwrap();
    write("b.cedar", "forbid(principal == Agent::\"a\", action, resource);");
    until(&|| set.len() == 2);
    let good = set.digest();
    write("c.cedar", "forbid(");
    std::thread::sleep(std::time::Duration::from_millis(60));
    assert_eq!(set.digest(), good, "the old set stays in force");
    write("c.cedar", "forbid(principal == Agent::\"c\", action, resource);");
    until(&|| set.len() == 3);
    drop(watch);
    write("d.cedar", "forbid(principal == Agent::\"d\", action, resource);");
    std::thread::sleep(std::time::Duration::from_millis(60));
    assert_eq!(set.len(), 3, "watched no more");
    std::fs::remove_dir_all(&dir).unwrap();
}
