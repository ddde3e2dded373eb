use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::audit::{DecisionRecord, Disposition, OutcomeRecord, RecordDetails, Sequence};
use crate::call::{AgentId, CallDetails, CanonicalWriter, Digest, Head, MetaRef, Origin, Salt, ToolCall, ToolMeta};
use crate::outcome::Outcome;
use crate::verdict::{Basis, Decision, EvaluationId, Found};

/// A call of `tool` with these arguments; what the pointers name is redacted.
pub(crate) fn call(tool: &str, arguments: &Value, redacted: &[&str]) -> Arc<ToolCall> {
    call_with(tool, arguments, redacted, None, CallDetails::default())
}

fn call_with(
    tool: &str,
    arguments: &Value,
    redacted: &[&str],
    session: Option<&str>,
    details: CallDetails,
) -> Arc<ToolCall> {
    let redacted: Vec<_> = redacted.iter().map(ToString::to_string).collect();
    let meta = MetaRef::Shared(Arc::new(ToolMeta::new(tool.to_owned())));
    let agent = AgentId::parse("support-bot").unwrap();
    let head = Head::new(agent, "engine".into(), meta, Origin::Declared, &redacted);
    let tail = br#"},"arguments":"#.to_vec();
    let arguments_at = tail.len();
    let mut writer = CanonicalWriter::into_buffer(tail, 1);
    writer.value(arguments).unwrap();
    writer.buffer().push(b'}');
    let salt = Salt::fresh().unwrap();
    let session = session.map(Into::into);
    ToolCall::new(
        Arc::new(head),
        salt,
        writer.finish(),
        arguments_at,
        session,
        details.into_option(),
    )
}

pub(crate) fn record(call: &ToolCall, decision: Decision, disposition: Disposition, codes: &[&str]) -> DecisionRecord {
    let details = RecordDetails {
        codes: codes.iter().map(|code| (*code).to_owned().into()).collect(),
        ..RecordDetails::default()
    };
    DecisionRecord {
        at: SystemTime::UNIX_EPOCH + Duration::from_micros(1_767_225_600_123_456),
        evaluation_id: EvaluationId::local(1, 2),
        head: Arc::clone(call.head()),
        session: call.shared_session(),
        digest: call.digest(),
        judged: true,
        decision,
        disposition,
        rules: None,
        trust: None,
        basis: None,
        details: details.into_option(),
    }
}

fn context() -> DecisionContext<'static> {
    DecisionContext {
        software: "managed-agents/0.1.0",
        ..DecisionContext::default()
    }
}

/// What must hold for every entry, whatever it says.
fn sound(pending: &PendingEntry) -> Entry {
    for sequence in [0, 1 << 40, (1 << 53) - 1] {
        let bytes = pending.at(sequence);
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        let entry = Entry::parse(bytes).unwrap();
        assert_eq!(entry.sequence(), sequence);
        assert!(entry.is_canonical(), "{}", entry.as_json());
    }
    assert!(pending.at(u64::MAX).len() <= MAX_BYTES);
    let entry = Entry::parse(pending.at(5)).unwrap();
    for sealed in &pending.sealed {
        assert!(sealed.path == "/salt" || entry.opens(sealed), "{}", sealed.path);
    }
    let salts = pending
        .sealed
        .iter()
        .map(|sealed| sealed.salt)
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(salts.len(), pending.sealed.len(), "no salt is used twice");
    assert_eq!(entry.kind(), pending.index.kind);
    assert_eq!(entry.at_micros(), pending.index.at_micros);
    let text = |key: &str| {
        let raw = entry.raw(key)?;
        Some(serde_json::from_str::<String>(raw).unwrap())
    };
    assert_eq!(text("agent"), pending.index.agent);
    assert_eq!(text("tool"), pending.index.tool);
    assert_eq!(text("session"), pending.index.session);
    assert_eq!(text("evaluation"), pending.index.evaluation);
    assert_eq!(text("decision").as_deref(), pending.index.decision);
    assert_eq!(entry.about(), pending.index.about);
    entry
}

#[test]
fn an_entry_says_everything_in_the_bytes_of_rfc_8785() {
    let details = CallDetails {
        target: Some("ann@example.com".into()),
        subject: Some("customer-7".into()),
        parent: None,
        context: Some(Map::from_iter([
            ("b".to_owned(), json!(1)),
            ("a".to_owned(), json!([])),
        ])),
        edits: None,
    };
    let call = call_with(
        "send_mail",
        &json!({"to": "ann@example.com", "count": 9_007_199_254_740_993_u64, "a/b~c": -0.0}),
        &["/to"],
        Some("session \u{2028}\"1\""),
        details,
    );
    let mut record = record(
        &call,
        Decision::Escalate,
        Disposition::Observed,
        &["risk_high", "own\n"],
    );
    let details = record.details.as_mut().unwrap();
    details.parent = Some(EvaluationId::from("eval_parent"));
    details.ticket = Some("tkt-1".into());
    details.ucs = Some(734_000);
    details.dimensions = vec![
        ("zeal".into(), 1_000_000),
        ("\u{e000}".into(), 2),
        ("\u{1f600}".into(), 1),
        ("care".into(), 0),
    ];
    let found = |argument: &str, span| Found {
        argument: argument.into(),
        span,
    };
    details.screen = vec![
        ("secret_in_argument".into(), found("to", Some((0, 15)))),
        ("bulk_action".into(), found("count", None)),
    ];
    let context = DecisionContext {
        certificate: Some("nmc-0123"),
        rules: Some(Digest::new([0xab; 32])),
        policies: &["p1", "p2"],
        trust: Some((500_000, 499_000)),
        history: &["\"refunds:customer-7\""],
        software: "managed-agents/0.1.0",
    };
    let pending = decision(&record, Some(&call), &context).unwrap();
    let entry = sound(&pending);
    let keys: Vec<_> = entry.members().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(
        keys.join(" "),
        "agent arguments at certificate codes context decision definition digest dimensions disposition effect enforced evaluation \
         governor history parent policies rules screen seq session software target target_kind ticket tool trust type ucs undeclared v"
    );
    assert_eq!(entry.at(), "2026-01-01T00:00:00.123456Z");
    assert_eq!(
        entry.raw("dimensions"),
        Some("{\"care\":0,\"zeal\":1000000,\"\u{1f600}\":1,\"\u{e000}\":2}")
    );
    assert_eq!(entry.raw("trust"), Some(r#"{"after":499000,"before":500000}"#));
    assert_eq!(entry.number("ucs"), Some(734_000));
    assert!(!entry.is_enforced());
    assert_eq!(pending.subject, "customer-7");
    let paths: Vec<_> = pending
        .sealed
        .iter()
        .map(|sealed| (sealed.path.as_str(), sealed.redacted))
        .collect();
    assert_eq!(
        paths,
        [
            ("/arguments/a~1b~0c", false),
            ("/arguments/count", false),
            ("/arguments/to", true),
            ("/context", false),
            ("/history/0", false),
            ("/screen/0", true),
            ("/screen/1", false),
            ("/target", false),
            ("/salt", false),
        ]
    );
    let value = |at: usize| String::from_utf8(pending.sealed[at].value.clone()).unwrap();
    assert_eq!(
        [value(0), value(1), value(2)],
        ["-0.0", "9007199254740993", "\"ann@example.com\""]
    );
    assert_eq!(
        [value(5), value(6)],
        [r#"{"argument":"to","end":15,"start":0}"#, r#"{"argument":"count"}"#]
    );
    for secret in ["ann@", "customer-7"] {
        assert!(!entry.as_json().contains(secret), "{secret}");
        assert!(!format!("{:?}", pending.sealed).contains(secret));
    }
    assert!(!format!("{:?}", pending.sealed).contains("9007199254740993"));
}

#[test]
fn a_decision_without_a_call_says_what_there_is() {
    let refused = call("x", &json!({}), &[]);
    let record = DecisionRecord {
        judged: false,
        session: None,
        ..record(&refused, Decision::Deny, Disposition::Refused, &["invalid_arguments"])
    };
    let pending = decision(&record, None, &context()).unwrap();
    let entry = sound(&pending);
    assert!(pending.sealed.is_empty());
    for absent in ["arguments", "digest", "governor", "session", "target", "ucs"] {
        assert_eq!(entry.raw(absent), None, "{absent}");
    }
}

#[test]
fn what_a_verdict_rests_on_is_committed_to_like_all_else() {
    let call = call("pay", &json!({"amount": 7, "to": "bob"}), &[]);
    let mut record = record(&call, Decision::Allow, Disposition::Allowed, &[]);
    let inputs: Box<str> = r#"{"facts":{}}"#.into();
    record.basis = Some(Arc::new(Basis {
        rules: Digest::new([3; 32]),
        policies: vec!["test.1".into()],
        scores: None,
        inputs,
    }));
    let pending = decision(&record, Some(&call), &context()).unwrap();
    let entry = sound(&pending);
    let paths: Vec<_> = entry.commitments().iter().map(|one| one.path().to_owned()).collect();
    assert_eq!(paths, ["/arguments/amount", "/arguments/to", "/inputs"]);
    let mut values: Vec<_> = pending.sealed.iter().map(sealed_ref).collect();
    assert!(
        !entry.opens_all(&values),
        "the salt of the digest is committed to by nothing"
    );
    values.retain(|value| value.path != "/salt");
    assert!(entry.opens_all(&values));
    values.swap(0, 2);
    assert!(entry.opens_all(&values), "in whatever order");
    for missing in 0..values.len() {
        let mut fewer = values.clone();
        fewer.remove(missing);
        assert!(!entry.opens_all(&fewer), "{missing}");
        let mut twice = values.clone();
        twice[missing] = values[(missing + 1) % values.len()];
        assert!(!entry.opens_all(&twice), "{missing}");
    }
}

fn sealed_ref(sealed: &Sealed) -> SealedRef<'_> {
    SealedRef {
        path: &sealed.path,
        salt: &sealed.salt,
        value: &sealed.value,
    }
}

#[test]
fn members_are_found_however_their_keys_are_written() {
    let plain = r#"{"at":"2026-01-01T00:00:00.000000Z","seq":3,"type":"weather","v":"ma-entry/1","wind":12}"#;
    // `t` of `type` and `w` of `wind` as escapes, as no writer of ours has them
    let escaped = plain
        .replace("\"type\"", "\"\\u0074ype\"")
        .replace("\"wind\"", "\"\\u0077ind\"");
    for text in [plain, &escaped] {
        let entry = Entry::parse(text.as_bytes().to_vec()).unwrap();
        assert_eq!(
            (entry.kind(), entry.raw("wind"), entry.raw("win")),
            ("weather", Some("12"), None)
        );
        assert_eq!(entry.raw("\\u0077ind"), None, "a key is what it says");
    }
}

#[test]
fn an_argument_of_a_megabyte_is_committed_to() {
    let large = "\u{1}é".repeat(130_000);
    let call = call("write", &json!({"text": large, "path": "a"}), &[]);
    let record = record(&call, Decision::Allow, Disposition::Allowed, &[]);
    let pending = decision(&record, Some(&call), &context()).unwrap();
    let entry = sound(&pending);
    assert!(entry.as_bytes().len() < 1_200);
    assert_eq!(pending.sealed[1].value.len(), 1_040_002);
}

#[test]
fn thousands_of_arguments_have_one_commitment() {
    for arguments in [
        (0..5_000)
            .map(|at| (format!("a{at}"), json!(at)))
            .collect::<Map<_, _>>(),
        Map::from_iter([("n".repeat(1_000), json!(1))]),
        Map::from_iter([("\u{1}".repeat(100), json!(1))]),
    ] {
        let call = call("many", &arguments.into(), &["/a1"]);
        let record = record(&call, Decision::Allow, Disposition::Allowed, &[]);
        let pending = decision(&record, Some(&call), &context()).unwrap();
        sound(&pending);
        assert_eq!(pending.sealed[0].path, "/arguments");
        assert!(pending.sealed[0].redacted);
        assert_eq!(pending.sealed[0].value, call.reveal_arguments().as_bytes());
    }
}

#[test]
fn the_call_s_digest_can_be_checked_from_what_is_sealed() {
    use sha2::{Digest as _, Sha256};
    let call = call("t", &json!({"a": 1}), &[]);
    let record = record(&call, Decision::Allow, Disposition::Allowed, &[]);
    let pending = decision(&record, Some(&call), &context()).unwrap();
    let salt = pending
        .sealed
        .iter()
        .find(|sealed| sealed.path == "/salt")
        .unwrap()
        .salt;
    let mut hash = Sha256::new_with_prefix(call.reveal_canonical());
    hash.update(salt);
    assert_eq!(<[u8; 32]>::from(hash.finalize()), *record.digest().unwrap().as_bytes());
}

#[test]
fn what_was_sealed_opens_only_its_own_place() {
    let call = call("t", &json!({"a": 1, "b": 1}), &[]);
    let record = record(&call, Decision::Allow, Disposition::Allowed, &[]);
    let pending = decision(&record, Some(&call), &context()).unwrap();
    let entry = sound(&pending);
    let mut sealed = pending.sealed[0].clone();
    sealed.value = b"2".to_vec();
    assert!(!entry.opens(&sealed));
    let mut sealed = pending.sealed[0].clone();
    sealed.path = "/arguments/b".to_owned();
    assert!(!entry.opens(&sealed));
}

#[test]
fn an_outcome_names_its_decision() {
    let record = OutcomeRecord::new(Outcome::TimedOut, Duration::from_micros(1_500), SystemTime::UNIX_EPOCH);
    let pending = outcome(
        Sequence::new(41),
        "eval_1",
        "support-bot",
        &record,
        SystemTime::UNIX_EPOCH,
    );
    assert_eq!(
        sound(&pending).as_json(),
        r#"{"about":41,"agent":"support-bot","at":"1970-01-01T00:00:00.000000Z","duration_us":1500,"evaluation":"eval_1","outcome":"timed_out","seq":5,"type":"outcome","v":"ma-entry/1"}"#
    );
    let record = OutcomeRecord::new(Outcome::Ok, Duration::MAX, SystemTime::UNIX_EPOCH);
    sound(&outcome(
        Sequence::new(0),
        &"e".repeat(70_000),
        "a",
        &record,
        SystemTime::UNIX_EPOCH,
    ));
    let entry = sound(&unknown_outcome(
        Sequence::new(41),
        "eval_1",
        "a",
        SystemTime::UNIX_EPOCH,
    ));
    assert_eq!(
        (entry.raw("outcome"), entry.duration_micros()),
        (Some("\"unknown\""), None)
    );
}

#[test]
fn a_statement_is_no_decision_and_fits() {
    let at = SystemTime::UNIX_EPOCH;
    for kind in ["decision", "outcome"] {
        let error = statement(&Statement::new(kind, at, "{}")).unwrap_err();
        assert_eq!(error.kind(), EntryErrorKind::BadStatement);
    }
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    for body in ["", "[]", "1", "{\"a\":1,\"a\":2}", "{\"a\":1}x", large.as_str()] {
        assert!(statement(&Statement::new("note", at, body)).is_err(), "{body}");
    }
    for kind in ["", "no\"te", "Note", "a b", &"x".repeat(65)] {
        assert!(statement(&Statement::new(kind, at, "{}")).is_err(), "{kind}");
    }
    let pending = statement(&Statement::new("note", at, r#"{"b": 1.50, "a": "\u0041"}"#).about_entry(3)).unwrap();
    assert_eq!(sound(&pending).raw("body"), Some(r#"{"a":"A","b":1.5}"#));
}

#[test]
fn what_is_no_entry_is_refused() {
    let good = r#"{"at":"2026-01-01T00:00:00.000000Z","seq":3,"type":"x","v":"ma-entry/1"}"#;
    assert!(Entry::parse(good).is_ok());
    for (from, to) in [
        ("\"seq\":3", "\"seq\":03"),
        ("\"seq\":3", "\"seq\":3.0"),
        ("\"seq\":3", "\"seq\":-3"),
        ("\"seq\":3,", ""),
        ("\"seq\":3", "\"seq\":3,\"seq\":3"),
        ("ma-entry/1", "ma-entry/2"),
        ("2026-01-01T", "2026-01-01 "),
        ("\"x\"", "\"\""),
        ("\"x\"", "7"),
        ("\"seq\":3,\"type\":\"x\"", "\"type\":\"x\",\"seq\":3"),
        ("{", " {"),
        ("}", "} "),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(Entry::parse(bad.as_str()).is_err(), "{bad}");
    }
    assert!(Entry::parse(vec![0xff; 10]).is_err());
    assert!(Entry::parse(vec![b' '; MAX_BYTES + 1]).is_err());
}

#[test]
fn the_canonical_form_is_that_of_the_published_vectors() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/jcs");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let mut seen = 0;
    for input in std::fs::read_dir(folder.join("input")).unwrap() {
        let input = input.unwrap().path();
        let text = std::fs::read_to_string(&input).unwrap();
        let expected = std::fs::read_to_string(folder.join("output").join(input.file_name().unwrap())).unwrap();
        // a body is an object; what the vectors say stands in it
        let wrapped = format!("{{\"it\":{text}}}");
        let pending = statement(&Statement::new("note", SystemTime::UNIX_EPOCH, &wrapped)).unwrap();
        let entry = Entry::parse(pending.at(0)).unwrap();
        assert_eq!(
            entry.raw("body"),
            Some(format!("{{\"it\":{expected}}}").as_str()),
            "{}",
            input.display()
        );
        assert!(entry.is_canonical());
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}

#[cfg(all(feature = "screen", feature = "engine"))]
#[tokio::test]
async fn what_the_screen_finds_reaches_the_entry() {
    let harness = crate::Harness::builder()
        .in_memory()
        .agent_id("a")
        .build()
        .await
        .unwrap();
    let input = json!({"command": "rm -rf ~"});
    let denied = harness.govern("bash", &input).await.unwrap_err();
    assert_eq!(denied.code(), "destroy_home");
    let entries = harness.records();
    let record = entries.last().unwrap().decision();
    let call = call("bash", &input, &[]);
    let pending = decision(record, Some(&call), &context()).unwrap();
    let entry = sound(&pending);
    let found: Value = serde_json::from_str(entry.raw("screen").unwrap()).unwrap();
    assert_eq!(found[0]["code"], "destroy_home");
    let place = pending.sealed.iter().find(|sealed| sealed.path == "/screen/0").unwrap();
    let place: Value = serde_json::from_slice(&place.value).unwrap();
    assert_eq!(place["argument"], "command");
}

/// Keeps what a harness gives to a recorder.
#[cfg(feature = "macros")]
#[derive(Clone, Default)]
struct Kept(Arc<std::sync::Mutex<Option<KeptCall>>>);

#[cfg(feature = "macros")]
type KeptCall = (DecisionRecord, Arc<ToolCall>);

#[cfg(feature = "macros")]
impl crate::audit::Recorder for Kept {
    fn commit(
        &self,
        record: DecisionRecord,
        call: Option<&Arc<ToolCall>>,
        _claims: crate::Claims,
    ) -> crate::Answer<Result<crate::audit::Committed, crate::audit::RecordError>> {
        *self.0.lock().unwrap() = Some((record, Arc::clone(call.unwrap())));
        crate::Answer::ready(Ok(crate::audit::Committed::Done(Sequence::new(0))))
    }

    fn conclude(&self, _place: Sequence, _outcome: OutcomeRecord) {}
}

#[cfg(feature = "macros")]
#[tokio::test]
async fn the_entry_of_a_governed_call_opens_to_all_that_was_judged() {
    use sha2::{Digest as _, Sha256};

    struct Account(u32);
    #[crate::governed(target = to, subject = format!("account {cents}"), redact(to))]
    async fn pay(
        #[governed(state(id = account.0))] account: &Account,
        to: &str,
        cents: u64,
    ) -> Result<u64, crate::GovernanceDenied> {
        Ok(cents + u64::from(account.0) + to.len() as u64)
    }

    let kept = Kept::default();
    let harness = crate::Harness::builder()
        .agent_id("payer")
        .governor(crate::testing::FakeGovernor::always(
            crate::Verdict::allow().with_scores(0.734, 2, std::iter::once(("care".to_owned(), f64::NAN)).collect()),
        ))
        .recorder(kept.clone())
        .build()
        .await
        .unwrap();
    harness.scope(pay(&Account(7), "ann", 5)).await.unwrap();
    let (record, call) = kept.0.lock().unwrap().take().unwrap();
    let pending = decision(&record, Some(&call), &context()).unwrap();
    let entry = sound(&pending);
    assert_eq!(entry.number("ucs"), Some(734_000));
    assert_eq!(entry.raw("dimensions"), Some(r#"{"care":0}"#));
    assert_eq!(pending.subject, "account 5");
    let sealed = |path: &str| pending.sealed.iter().find(|sealed| sealed.path == path).unwrap();
    let text = |path: &str| String::from_utf8(sealed(path).value.clone()).unwrap();
    assert!(sealed("/target").redacted && sealed("/arguments/to").redacted);
    assert_eq!([text("/target"), text("/arguments/to")], ["\"ann\"", "\"ann\""]);
    // the canonical call and its digest from what is in the log and beside it
    let entry: Value = serde_json::from_str(entry.as_json()).unwrap();
    let canonical = format!(
        r#"{{"v":"ma-call/1","agent":"payer","tool":"pay","definition":{},"ids":{},"arguments":{{"cents":{},"to":{}}}}}"#,
        entry["definition"],
        text("/ids"),
        text("/arguments/cents"),
        text("/arguments/to")
    );
    let mut hash = Sha256::new_with_prefix(&canonical);
    hash.update(sealed("/salt").salt);
    assert_eq!(entry["digest"], Digest::new(hash.finalize().into()).to_string());
}

/// Text that escapes to much more than it is, sorts oddly, or is long.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\"\\\\~/]{0,60}",
        "[\\PC\u{e000}-\u{f8ff}\u{10000}-\u{10ffff}]{0,20}",
        ("[\\x00-\\x1f\"é]{1,3}", 1_usize..600).prop_map(|(text, times)| text.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn entries_are_canonical_and_fit_whatever_is_in_them(
        arguments in prop::collection::btree_map(hostile(), hostile(), 0..80),
        tool in hostile(),
        session in prop::option::of(hostile()),
        target in prop::option::of(hostile()),
        codes in prop::collection::vec(hostile(), 0..60),
        policies in prop::collection::vec(hostile(), 0..60),
        dimensions in prop::collection::btree_map(hostile(), 0..=1_000_000_u32, 0..60),
        evaluation in hostile(),
        seconds in any::<u32>(),
    ) {
        let arguments: Map<String, Value> = arguments.into_iter().map(|(name, value)| (name, value.into())).collect();
        let details = CallDetails { target: target.map(Into::into), ..CallDetails::default() };
        let call = call_with(&tool, &arguments.into(), &[], session.as_deref(), details);
        let codes: Vec<_> = codes.iter().map(String::as_str).collect();
        let mut record = record(&call, Decision::Deny, Disposition::Refused, &codes);
        record.at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
        record.evaluation_id = EvaluationId::from(evaluation.as_str());
        let mut more = RecordDetails { parent: Some(EvaluationId::from(tool.as_str())), ..RecordDetails::default() };
        more.codes = codes.iter().map(|code| (*code).to_owned().into()).collect();
        more.ucs = Some(1);
        more.screen = codes
            .iter()
            .map(|code| ((*code).to_owned().into(), Found { argument: tool.as_str().into(), span: Some((0, usize::MAX >> 11)) }))
            .collect();
        more.ticket = Some(evaluation.as_str().into());
        more.dimensions = dimensions.into_iter().map(|(name, score)| (name.into(), score)).collect();
        record.details = more.into_option();
        let policies: Vec<_> = policies.iter().map(String::as_str).collect();
        let context = DecisionContext { certificate: Some(&tool), policies: &policies, software: &tool, ..context() };
        sound(&decision(&record, Some(&call), &context).unwrap());
    }
}
