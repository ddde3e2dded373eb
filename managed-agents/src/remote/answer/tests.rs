use super::*;

fn read(json: &str) -> Result<Verdict, GovernorError> {
    parse(json.as_bytes())?
        .for_agent(&AgentId::parse("nmc-1").unwrap())
        .map(WireVerdict::into_verdict)
}

fn with(field: &str) -> String {
    format!(r#"{{"verdict":"ALLOW","agent_id":"nmc-1","evaluation_id":"eval_1"{field}}}"#)
}

#[test]
fn a_verdict_needs_three_fields_and_the_rest_has_defaults() {
    let verdict = read(&with("")).unwrap();
    assert_eq!(verdict.decision(), Decision::Allow);
    assert_eq!(verdict.evaluation_id().unwrap().to_string(), "eval_1");
    assert_eq!((verdict.ucs(), verdict.tier()), (Some(0.0), Some(1)));
    assert_eq!(verdict.agent(), Some("nmc-1"));
    for missing in ["verdict", "agent_id", "evaluation_id"] {
        let json = with("").replace(&format!("\"{missing}\""), "\"other\"");
        let error = read(&json).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (GovernorErrorKind::Malformed, "answer_not_a_verdict")
        );
    }
}

#[test]
fn a_field_of_a_wrong_type_or_out_of_range_or_given_twice_is_no_verdict() {
    for field in [
        r#","ucs":1.01"#,
        r#","ucs":-0.1"#,
        r#","ucs":"0.5""#,
        r#","ucs":null"#,
        r#","ucs":1e999"#,
        r#","ucs":NaN"#,
        r#","tier":-1"#,
        r#","tier":1.5"#,
        r#","tier":300"#,
        r#","allowed":null"#,
        r#","allowed":"true""#,
        r#","allowed":1"#,
        r#","reasoning":7"#,
        r#","latency_ms":"fast""#,
        r#","latency_ms":-1"#,
        r#","dimensions":7"#,
        r#","dimensions":[7]"#,
        r#","dimensions":{"a":"high"}"#,
        r#","dimensions":{"a":1.5}"#,
        r#","dimensions":[{"name":"a","score":2}]"#,
        r#","verdict":"ALLOW""#,
        r#","allowed":false,"allowed":true"#,
    ] {
        let error = read(&with(field)).expect_err(field);
        assert_eq!(error.kind(), GovernorErrorKind::Malformed, "{field}");
    }
    for json in ["", "null", "[]", "\"ALLOW\"", "{", "{} {}"] {
        assert_eq!(read(json).unwrap_err().kind(), GovernorErrorKind::Malformed, "{json}");
    }
}

#[test]
fn an_allow_that_says_it_is_none_and_an_unknown_word_are_denials() {
    let verdict = read(&with(r#","allowed":false"#)).unwrap();
    assert_eq!(
        (verdict.decision(), verdict.reasons()[0].code()),
        (Decision::Deny, "allowed_false")
    );
    for word in ["MODIFY", "SUSPEND", "allow", "", "ALLOW "] {
        let verdict = read(&with("").replace("ALLOW", word)).unwrap();
        assert_eq!(
            (verdict.decision(), verdict.reasons()[0].code()),
            (Decision::Deny, "unknown_verdict"),
            "{word}"
        );
    }
    let verdict = read(&with(r#","allowed":true"#).replace("ALLOW", "DENY")).unwrap();
    assert_eq!(
        (verdict.decision(), verdict.reasons()[0].code()),
        (Decision::Deny, "denied")
    );
}

#[test]
fn a_verdict_for_another_agent_is_mismatched() {
    for agent in ["nmc-2", "NMC-1", "nmc-1 ", ""] {
        let error = read(&with("").replace("nmc-1", agent)).unwrap_err();
        assert_eq!(error.kind(), GovernorErrorKind::Mismatched);
    }
}

#[test]
fn an_evaluation_id_that_could_lead_elsewhere_is_none() {
    for id in ["", ".", "..", "a b", "a\\nb", "ä", &"x".repeat(129)] {
        let error = read(&with("").replace("eval_1", id)).expect_err(id);
        assert_eq!(error.code(), "answer_not_a_verdict");
    }
}

#[test]
fn dimensions_are_read_from_a_list_and_from_a_map() {
    for field in [
        r#","dimensions":{"a":0.5,"b":1}"#,
        r#","dimensions":[{"name":"a","score":0.5},{"dimension":"b","score":1,"veto":false},{"weight":2}]"#,
    ] {
        let verdict = read(&with(field)).unwrap();
        assert_eq!(verdict.dimensions().collect::<Vec<_>>(), [("a", 0.5), ("b", 1.0)]);
    }
}

#[test]
fn a_reasoning_is_bounded_and_cannot_forge_a_line_of_a_log() {
    let field = format!(r#","reasoning":"one\nINFO forged {}""#, "x".repeat(1000));
    let verdict = read(&with(&field).replace("ALLOW", "DENY")).unwrap();
    let text = verdict.reasons()[0].for_model();
    assert!(
        text.starts_with("one\\u{a}INFO") && text.chars().count() < 320,
        "{text}"
    );
}
