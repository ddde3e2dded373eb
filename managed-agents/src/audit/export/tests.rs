//! Hostile text through every sink, read back by a reader that is not ours.

mod schema;

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::audit::entry::tests::{call, record};
use crate::audit::entry::{
    DecisionContext, Entry, PendingEntry, Sealed, Statement, commitment, decision, outcome, statement, unknown_outcome,
};
use crate::audit::{Disposition, OutcomeRecord, RecordDetails, Sequence};
use crate::outcome::Outcome;
use crate::verdict::{Decision, EvaluationId};

/// Control, bidirectional, formula, separator and markup text, broken escapes, and what only looks like an escape.
const HOSTILE: [&str; 42] = [
    "plain",
    "",
    " ",
    "  two  spaces  ",
    "line\nbreak",
    "crlf\r\nbreak\r",
    "\n{\"seq\":0}",
    "tab\tand\u{b}vertical\u{c}feed",
    "nul\0end",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{7f}\u{80}\u{85}\u{9b}31m",
    "ls\u{2028}ps\u{2029}end",
    "\u{2028}",
    "\u{202e}gpj.exe\u{202c}",
    "\u{2066}isolate\u{2069}\u{200e}\u{200f}\u{61c}",
    "zero\u{200b}width\u{200c}\u{200d}\u{2060}\u{feff}",
    "soft\u{ad}hyphen\u{34f}joiner",
    "\u{e0041}\u{e0042}\u{fe0f}\u{e0100}tags",
    "fillers\u{3164}\u{115f}\u{ffa0}\u{2800}",
    "spaces\u{a0}\u{2003}\u{3000}",
    "\u{301}combining first",
    "private\u{e000}\u{f8ff}\u{fffe}\u{10ffff}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    " =1",
    "\u{200b}=1",
    "＝1",
    "'already",
    "a,b;c|d\te",
    "\"quoted\" and 'single'",
    "CEF:0|a|b|c|d|e|10|act=x",
    "key=value act=allowed cs1=other",
    "pipe|back\\slash\\|eq\\=",
    "<script>alert(1)</script>&amp;<!--",
    "[link](javascript:alert(1)) ![i](http://x/y) `code` **b** # h",
    "| table | row |\n|---|---|\n1. list\n- [ ] task\n    code",
    "\\n \\u{202e} \\u202e \\x41 \\",
    "&#60; &lt; %0a %00 \\ud800",
    "é e\u{301} 日本語 עברית \u{1f600} \u{1f468}\u{200d}\u{1f469}",
];

#[test]
fn a_terminal_gets_one_line_of_what_can_be_seen() {
    for text in HOSTILE {
        let shown = Untrusted::new(text).terminal();
        assert!(!shown.chars().any(hidden), "{shown:?}");
        assert_eq!(from_terminal(&shown), text);
    }
    assert_eq!(
        Untrusted::new("日本語 é \u{1f600} נ ع").terminal(),
        "日本語 é \u{1f600} נ ع"
    );
    assert_eq!(
        Untrusted::new("e\u{301}").terminal(),
        "e\u{301}",
        "a mark belongs to its letter"
    );
    assert_eq!(Untrusted::new("\u{202e}\0").terminal(), r"\u{202e}\u{0}");
}

#[test]
fn json_keeps_the_text_and_hides_nothing() {
    for text in HOSTILE {
        let json = Untrusted::new(text).json();
        assert!(!json.chars().any(hidden), "{json:?}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}

#[test]
fn a_spreadsheet_reads_no_formula() {
    for text in HOSTILE {
        let line = format!("{},{}\r\n", Untrusted::new(text).csv(), Untrusted::new("next").csv());
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(line.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 1, "{text:?}");
        assert_eq!(records[0].len(), 2, "{text:?}");
        let field = &records[0][0];
        let begins = field.trim_start_matches(|c: char| c == ' ' || hidden(c)).chars().next();
        assert!(!begins.is_some_and(|c| "=+-@＝".contains(c)), "{field:?}");
        assert_eq!(from_csv(field), text);
    }
}

#[test]
fn cef_keeps_each_value_its_own() {
    for text in HOSTILE {
        let line = format!("CEF:0|a|b|c|d|e|1|suser={} act=refused", Untrusted::new(text).cef());
        assert!(!line.chars().any(hidden), "{line:?}");
        let event = from_cef(&line);
        assert_eq!(event.len(), 2, "{line}");
        assert_eq!(from_terminal(&event["suser"]), text);
        assert_eq!(event["act"], "refused");
    }
}

#[test]
fn markup_is_text_and_nothing_else() {
    for text in HOSTILE {
        let markup = Untrusted::new(text).markup();
        let bare = references(&markup, |_| "x".to_owned());
        assert!(
            bare.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == ' ' || (!c.is_ascii() && !hidden(c))),
            "{markup}"
        );
        assert!(!bare.contains("  ") && !bare.starts_with(' '));
        let read = references(&markup, |number| char::from_u32(number).unwrap().to_string());
        assert_eq!(from_terminal(&read), text);
    }
}

#[test]
fn debug_shows_no_hidden_text() {
    assert_eq!(
        format!("{:?}", Untrusted::new("a\u{202e}")),
        "Untrusted(\"a\\u{202e}\")"
    );
}

proptest! {
    #[test]
    fn every_sink_keeps_any_text(text in any::<String>()) {
        let untrusted = Untrusted::new(text.as_str());
        prop_assert_eq!(from_terminal(&untrusted.terminal()), text.as_str());
        prop_assert_eq!(serde_json::from_str::<String>(&untrusted.json()).unwrap(), text.as_str());
        let line = format!("{}\r\n", untrusted.csv());
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), 1);
        prop_assert_eq!(from_csv(&records[0][0]), text.as_str());
        let event = from_cef(&format!("CEF:0|a|b|c|d|e|1|x={} y=1", untrusted.cef()));
        prop_assert_eq!(from_terminal(&event["x"]), text.as_str());
        let read = references(&untrusted.markup(), |number| char::from_u32(number).unwrap().to_string());
        prop_assert_eq!(from_terminal(&read), text.as_str());
    }
}

/// One refused decision for each hostile text, in every place that text from outside can take; every second one with its
/// argument opened.
fn hostile_log() -> Vec<(Entry, Opened)> {
    let mut log = Vec::new();
    for text in HOSTILE {
        let call = call(text, &json!({ text: text, "secret": "hunter2" }), &["/secret"]);
        let mut record = record(&call, Decision::Deny, Disposition::Refused, &[text, "second"]);
        record.session = Some(text.into());
        record.evaluation_id = EvaluationId::from(text);
        let details = record.details.get_or_insert_with(|| Box::new(RecordDetails::default()));
        details.ticket = Some(text.into());
        details.parent = Some(EvaluationId::from(text));
        details.dimensions = vec![(text.into(), 1)];
        details.ucs = Some(1);
        let context = DecisionContext {
            certificate: Some(text),
            policies: &[text],
            software: text,
            ..DecisionContext::default()
        };
        let pending = decision(&record, Some(&call), &context).unwrap();
        let entry = Entry::parse(pending.at(log.len() as u64)).unwrap();
        let opened = if log.len() % 2 == 0 {
            Opened::of(&entry, &pending.sealed)
        } else {
            Opened::nothing()
        };
        log.push((entry, opened));
    }
    log
}

fn export(format: Format, log: &[(Entry, Opened)]) -> String {
    let mut exporter = Exporter::new(format, "log.example/\u{202e}x\n", Vec::new());
    for (entry, opened) in log {
        exporter.write(entry, opened).unwrap();
    }
    String::from_utf8(exporter.finish().unwrap()).unwrap()
}

/// Lines, as the reader that sees most of them sees them.
fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_suffix('\n').unwrap();
    text.split([
        '\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}',
    ])
    .collect()
}

#[test]
fn no_format_shows_a_salt_or_what_is_redacted_or_not_opened() {
    let call = call(
        "t",
        &json!({"open": "visible-value", "shut": "hidden-value"}),
        &["/shut"],
    );
    let record = record(&call, Decision::Deny, Disposition::Refused, &["x"]);
    let pending = decision(&record, Some(&call), &DecisionContext::default()).unwrap();
    let entry = Entry::parse(pending.at(0)).unwrap();
    let opened = Opened::of(&entry, &pending.sealed);
    for format in Format::ALL {
        let closed = export(format, &[(entry.clone(), Opened::nothing())]);
        let open = export(format, &[(entry.clone(), opened.clone())]);
        assert!(
            !closed.contains("visible-value") && !closed.contains("hidden-value"),
            "{closed}"
        );
        assert!(
            open.contains("visible-value") && !open.contains("hidden-value"),
            "{open}"
        );
        for sealed in &pending.sealed {
            let hex = crate::call::Digest::new(sealed.salt).to_string();
            assert!(!open.contains(&hex));
        }
    }
    assert_eq!(format!("{opened:?}"), "Opened([\"/arguments/open\"])");
}

#[test]
fn only_what_the_entry_commits_to_is_shown() {
    let call = call("t", &json!({"a": 1}), &[]);
    let record = record(&call, Decision::Deny, Disposition::Refused, &["x"]);
    let pending = decision(&record, Some(&call), &DecisionContext::default()).unwrap();
    let entry = Entry::parse(pending.at(0)).unwrap();
    let forged: Vec<Sealed> = pending
        .sealed
        .iter()
        .map(|sealed| {
            let mut sealed = sealed.clone();
            sealed.value = b"2".to_vec();
            sealed
        })
        .collect();
    assert!(Opened::of(&entry, &forged).is_empty());
    assert!(!Opened::of(&entry, &pending.sealed).is_empty());
}

#[test]
fn a_value_that_is_no_single_line_of_json_is_not_shown_whoever_committed_to_it() {
    let call = call("t", &json!({"a": 1}), &[]);
    let record = record(&call, Decision::Deny, Disposition::Refused, &["x"]);
    let pending = decision(&record, Some(&call), &DecisionContext::default()).unwrap();
    let entry = Entry::parse(pending.at(0)).unwrap();
    let ours = entry.commitments()[0].committed().reveal().to_owned();
    let mut sealed = pending.sealed[0].clone();
    for (value, is_shown) in [
        ("[1]", true),
        ("[1,\n2]", false),
        ("[1,\t2]", false),
        ("[1,", false),
        ("1 2", false),
    ] {
        sealed.value = value.as_bytes().to_vec();
        let theirs = base64url(&commitment(&sealed.salt, &sealed.path, &sealed.value));
        let length = |length: usize| format!("\"len\":{length}");
        let text = entry
            .as_json()
            .replace(&ours, &theirs)
            .replace(&length(1), &length(value.len()));
        let forged = Entry::parse(text).unwrap();
        assert!(forged.opens(&sealed), "{value:?}");
        let opened = Opened::of(&forged, [&sealed]);
        assert_eq!(!opened.is_empty(), is_shown, "{value:?}");
        let mut export = Exporter::new(Format::JsonLines, "log", Vec::new());
        export.write(&forged, &opened).unwrap();
        let line = String::from_utf8(export.finish().unwrap()).unwrap();
        serde_json::from_str::<Value>(&line).unwrap();
        assert_eq!(line.lines().count(), 1);
    }
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_line_of_json_lines_is_the_entry() {
    let log = hostile_log();
    let text = export(Format::JsonLines, &log);
    let lines = lines(&text);
    assert_eq!(lines.len(), log.len());
    for ((line, (entry, opened)), text) in lines.into_iter().zip(&log).zip(HOSTILE) {
        assert!(!line.chars().any(hidden));
        let mut value: Value = serde_json::from_str(line).unwrap();
        let revealed = value.as_object_mut().unwrap().remove("revealed");
        assert_eq!(revealed.is_some(), !opened.is_empty());
        if let Some(revealed) = revealed {
            assert!(revealed.as_object().unwrap().values().any(|value| value == text));
        }
        assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), entry.as_bytes());
    }
}

#[test]
fn a_csv_record_is_the_entry() {
    let log = hostile_log();
    let text = export(Format::Csv, &log);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), log.len());
    for (at, (record, text)) in records.iter().zip(HOSTILE).enumerate() {
        let field = |name: &str| {
            let place = headings.iter().position(|heading| heading == name).unwrap();
            from_csv(&record[place])
        };
        assert_eq!(field("seq"), at.to_string());
        for name in ["tool", "session", "evaluation", "ticket", "parent", "certificate"] {
            assert_eq!(field(name), text, "{name}");
        }
        assert_eq!(field("decision"), "deny");
        let codes: Vec<String> = serde_json::from_str(&field("codes")).unwrap();
        assert_eq!(codes, [text, "second"]);
    }
}

#[test]
fn a_cef_event_is_the_entry() {
    let log = hostile_log();
    let text = export(Format::Cef, &log);
    let lines = lines(&text);
    assert_eq!(lines.len(), log.len());
    for (at, (line, text)) in lines.into_iter().zip(HOSTILE).enumerate() {
        assert!(!line.chars().any(hidden));
        let event = from_cef(line);
        assert_eq!(event["externalId"], at.to_string());
        assert_eq!(event["act"], "refused");
        for name in ["cs1", "cs2", "cs3", "cs6", "flexString1", "reason"] {
            assert_eq!(from_terminal(&event[name]), text, "{name}");
        }
    }
}

#[test]
fn an_ocsf_event_is_the_entry_and_the_events_are_a_chain() {
    use sha2::{Digest as _, Sha256};
    let log = hostile_log();
    let text = export(Format::Ocsf, &log);
    let lines = lines(&text);
    assert_eq!(lines.len(), log.len());
    let mut last: Option<Value> = None;
    for ((line, (entry, _)), text) in lines.into_iter().zip(&log).zip(HOSTILE) {
        assert!(!line.chars().any(hidden));
        let mut event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["api"]["operation"], text);
        assert_eq!(event["ai_agent"]["instance_uid"], text);
        assert_eq!(event["raw_data"], entry.as_json());
        let attestation = &event["attestation_list"][0];
        assert_eq!(
            attestation.get("prev_event").map(|prev| &prev["fingerprint"]),
            last.as_ref()
        );
        let fingerprint = event["attestation_list"][0]
            .as_object_mut()
            .unwrap()
            .remove("fingerprint")
            .unwrap();
        let canonical = serde_json_canonicalizer::to_vec(&event).unwrap();
        let digest = crate::call::Digest::new(Sha256::digest(&canonical).into()).to_string();
        assert_eq!(fingerprint["value"], digest);
        last = Some(fingerprint);
    }
}

#[test]
fn a_span_is_the_refused_call() {
    let log = hostile_log();
    let text = export(Format::OpenTelemetry, &log);
    let lines = lines(&text);
    assert_eq!(lines.len(), log.len());
    let mut ids = std::collections::BTreeSet::new();
    for (line, text) in lines.into_iter().zip(HOSTILE) {
        assert!(!line.chars().any(hidden));
        let span = span(line);
        assert_eq!(span["name"], format!("execute_tool {text}"));
        assert_eq!(attribute(&span, "gen_ai.tool.name").unwrap(), text);
        assert_eq!(attribute(&span, "gen_ai.conversation.id").unwrap(), text);
        assert_eq!(attribute(&span, "error.type").unwrap(), "governance_denied");
        ids.insert(span["spanId"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), HOSTILE.len());
}

/// A log as calls make it: one allowed call that ends, one that does not, and statements.
pub(super) fn ordinary_log() -> Vec<(Entry, Opened)> {
    let at = |micros: u64| SystemTime::UNIX_EPOCH + Duration::from_micros(1_767_225_600_000_000 + micros);
    let mut log: Vec<PendingEntry> = Vec::new();
    let call = call(
        "send_mail",
        &json!({"to": "ann@example.com", "n": 9_007_199_254_740_993_u64}),
        &[],
    );
    log.push(
        statement(&Statement::new(
            "origin",
            at(0),
            r#"{"origin":"log.example","number":1}"#,
        ))
        .unwrap(),
    );
    for disposition in [
        Disposition::Allowed,
        Disposition::Refused,
        Disposition::Queued,
        Disposition::Approved,
        Disposition::FailOpen,
        Disposition::ProceededUnapproved,
        Disposition::Observed,
    ] {
        for (verdict, codes) in [
            (Decision::Allow, &[][..]),
            (Decision::Escalate, &["risk_high"]),
            (Decision::Deny, &["x"]),
        ] {
            let mut record = record(&call, verdict, disposition, codes);
            record.at = at(10);
            record.evaluation_id = EvaluationId::local(1, log.len() as u64);
            let context = DecisionContext {
                policies: &["p1"],
                certificate: Some("nmc-01"),
                ..DecisionContext::default()
            };
            log.push(decision(&record, Some(&call), &context).unwrap());
        }
    }
    let ended = OutcomeRecord::new(Outcome::Error, Duration::from_micros(70), SystemTime::UNIX_EPOCH);
    let evaluation = EvaluationId::local(1, 1).to_string();
    log.push(outcome(Sequence::new(1), &evaluation, "support-bot", &ended, at(100)));
    log.push(unknown_outcome(Sequence::new(900), "eval_x", "support-bot", at(100)));
    log.push(statement(&Statement::new("agent", at(5), "{}").about_agent("support-bot")).unwrap());
    log.push(statement(&Statement::new("weather", at(5), "{}")).unwrap());
    log.iter()
        .zip(0..)
        .map(|(pending, sequence)| {
            let entry = Entry::parse(pending.at(sequence)).unwrap();
            let opened = Opened::of(&entry, &pending.sealed);
            (entry, opened)
        })
        .collect()
}

#[test]
fn a_call_is_one_span_from_decision_to_outcome() {
    let log = ordinary_log();
    let text = export(Format::OpenTelemetry, &log);
    let lines = lines(&text);
    // the outcome of the first call is in its span
    assert_eq!(lines.len(), log.len() - 1);
    let spans: Vec<_> = lines.into_iter().map(span).collect();
    let ended: Vec<_> = spans
        .iter()
        .filter(|span| attribute(span, "managed_agents.outcome").is_some_and(|outcome| outcome == "error"))
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["name"], "execute_tool send_mail");
    assert_eq!(ended[0]["startTimeUnixNano"], "1767225600000030000");
    assert_eq!(ended[0]["endTimeUnixNano"], "1767225600000100000");
    assert_eq!(ended[0]["status"]["code"], 2);
    let arguments = attribute(ended[0], "gen_ai.tool.call.arguments").unwrap();
    assert_eq!(
        arguments,
        r#"{"/arguments/n":9007199254740993,"/arguments/to":"ann@example.com"}"#
    );
}

#[test]
fn opened_values_of_calls_that_run_are_not_held_without_bound() {
    let large = "x".repeat(1_000_000);
    let call = call("t", &json!({ "a": large }), &[]);
    let record = record(&call, Decision::Allow, Disposition::Allowed, &[]);
    let pending = decision(&record, Some(&call), &DecisionContext::default()).unwrap();
    let mut exporter = Exporter::new(Format::OpenTelemetry, "o", Vec::new());
    for sequence in 0..70 {
        let entry = Entry::parse(pending.at(sequence)).unwrap();
        let opened = Opened::of(&entry, &pending.sealed);
        exporter.write(&entry, &opened).unwrap();
    }
    let written = exporter.out.split(|byte| *byte == b'\n').count() - 1;
    assert!((1..20).contains(&written), "{written}");
    assert_eq!(exporter.finish().unwrap().split(|byte| *byte == b'\n').count() - 1, 70);
}

#[test]
fn a_reader_s_error_ends_the_export() {
    let entries = ordinary_log().into_iter().take(2).map(|(entry, _)| Ok(entry));
    let entries = entries.chain([Err(io::Error::other("unreadable"))]);
    let mut exporter = Exporter::new(Format::JsonLines, "o", Vec::new());
    assert!(exporter.write_entries(entries).is_err());
    assert_eq!(exporter.out.split(|byte| *byte == b'\n').count(), 3);
}

fn span(line: &str) -> Value {
    let request: Value = serde_json::from_str(line).unwrap();
    let span = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone();
    assert_eq!(span["traceId"].as_str().unwrap().len(), 32);
    assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
    assert!(span["startTimeUnixNano"].as_str().unwrap() <= span["endTimeUnixNano"].as_str().unwrap());
    span
}

fn attribute<'s>(span: &'s Value, key: &str) -> Option<&'s str> {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["key"] == key)?["value"]["stringValue"].as_str()
}

/// What no line may hold as it is; written apart from the code under test.
fn hidden(c: char) -> bool {
    matches!(u32::from(c),
        0..=0x1f | 0x7f..=0xa0 | 0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x180b..=0x180f | 0x2000..=0x200f
        | 0x2028..=0x202f | 0x205f..=0x206f | 0x2800 | 0x3000 | 0x3164 | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0xfffe..=0xffff | 0xe0000..=0x10_ffff)
}

fn from_terminal(shown: &str) -> String {
    let mut out = String::new();
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next().unwrap() {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '\\' => out.push('\\'),
            'u' => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                out.push(char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap());
            }
            other => panic!("\\{other} is no escape"),
        }
    }
    out
}

fn from_csv(field: &str) -> String {
    field.strip_prefix('\'').unwrap_or(field).to_owned()
}

/// The extensions of a CEF event: a key begins where a word stands before a bare `=`.
fn from_cef(line: &str) -> std::collections::BTreeMap<String, String> {
    // no header of ours has a bar in a field
    let mut fields = line.strip_prefix("CEF:0|").unwrap().splitn(7, '|');
    let header: Vec<_> = fields.by_ref().take(6).collect();
    assert!(header.iter().all(|field| !field.ends_with('\\')), "{line}");
    let rest = fields.next().unwrap();
    // unescaped, with a bare `=` as a character that no text here has
    let mut plain = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next().unwrap() {
                'n' => plain.push('\n'),
                'r' => plain.push('\r'),
                other => plain.push(other),
            },
            '=' => plain.push('\u{1}'),
            other => plain.push(other),
        }
    }
    let mut event = std::collections::BTreeMap::new();
    let mut parts = plain.split('\u{1}');
    let mut key = parts.next().unwrap().to_owned();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let (value, next) = match parts.peek() {
            Some(_) => part.rsplit_once(' ').unwrap(),
            None => (part, ""),
        };
        assert!(event.insert(key, value.to_owned()).is_none(), "{line}");
        key = next.to_owned();
    }
    event
}

/// Replaces the numeric references of HTML.
fn references(markup: &str, mut replace: impl FnMut(u32) -> String) -> String {
    let mut out = String::new();
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once("&#") {
        let (number, after) = after.split_once(';').unwrap();
        out.push_str(before);
        out.push_str(&replace(number.parse().unwrap()));
        rest = after;
    }
    out.push_str(rest);
    out
}
