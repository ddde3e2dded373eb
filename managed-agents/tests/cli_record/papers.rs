//! Documents for auditors: their figures are the record's, their receipts hold, and they say no more than that.

use std::collections::BTreeMap;

use managed_agents::audit::tree::{LogPolicy, Receipt};
use serde_json::{Value, json};

use crate::support::{Place, call, calls};

/// Allowed, escalated, refused; a stop; names that would like to be markup.
fn some_history(place: &Place) {
    let harness = place.harness("support-bot");
    calls(&harness, 7);
    for number in 0..3 {
        let input = json!({ "amount": number, "card": "4111 1111 1111 1111" });
        call(&harness, "tuesday", "pay", &input).unwrap();
    }
    call(&harness, "tuesday", "drop_tables", &json!({})).unwrap_err();
    call(&harness, "tuesday", "<script>alert(1)</script>", &json!({ "a": 1 })).unwrap_err();
    call(&harness, "tuesday", "| a | **b** |\u{202e}", &json!({ "a": 1 })).unwrap_err();
    let other = place.harness("other-bot");
    calls(&other, 4);
    drop((harness, other));
    place
        .run(&["agent", "suspend", "other-bot", "--reason", "on_holiday"])
        .ok();
    place.run(&["agent", "reactivate", "other-bot"]).ok();
}

fn report(place: &Place, more: &[&str]) -> String {
    let arguments = [&["report", "--framework", "eu-ai-act"], more].concat();
    place.run(&arguments).ok().out
}

#[test]
fn the_figures_of_a_report_are_those_of_a_recount_of_the_exported_entries() {
    let place = Place::begun("papers-recount");
    some_history(&place);
    let report: Value = serde_json::from_str(&report(&place, &["--format", "json"])).unwrap();
    let figures = &report["figures"];
    let entries = place.run(&["audit", "export", "--format", "jsonl"]).ok().json();

    let of = |kind: &'static str| entries.iter().filter(move |entry| entry["type"] == kind).cloned();
    let count = |values: Vec<Value>| {
        let mut counts = BTreeMap::<String, u64>::new();
        for value in values {
            *counts.entry(value.as_str().unwrap().to_owned()).or_default() += 1;
        }
        json!({ "names": counts, "more": 0 })
    };
    let member = |kind: &'static str, name: &str| -> Vec<Value> {
        of(kind)
            .map(|entry| entry[name].clone())
            .filter(|value| !value.is_null())
            .collect()
    };
    let all = |kind: &'static str, name: &str| -> Vec<Value> {
        let lists = of(kind).filter_map(|entry| entry[name].as_array().cloned());
        lists.flatten().collect()
    };
    assert_eq!(figures["entries"], json!(entries.len()));
    assert_eq!(figures["calls"], json!(of("decision").count()));
    assert_eq!(
        figures["types"],
        count(entries.iter().map(|entry| entry["type"].clone()).collect())
    );
    for (figure, kind, name) in [
        ("decisions", "decision", "decision"),
        ("dispositions", "decision", "disposition"),
        ("software", "decision", "software"),
        ("outcomes", "outcome", "outcome"),
    ] {
        assert_eq!(figures[figure], count(member(kind, name)), "{figure}");
    }
    assert_eq!(figures["reasons"], count(all("decision", "codes")));
    for (figure, name) in [("tools", "tool"), ("agents", "agent")] {
        for (key, calls) in figures[figure]["names"].as_object().unwrap() {
            let mine: Vec<_> = of("decision").filter(|entry| entry[name] == json!(key)).collect();
            let with = |verdict: &str| mine.iter().filter(|entry| entry["decision"] == verdict).count();
            let ran = mine
                .iter()
                .filter(|entry| !["refused", "queued"].contains(&entry["disposition"].as_str().unwrap()));
            let recount = json!({
                "calls": mine.len(), "allow": with("allow"), "escalate": with("escalate"), "deny": with("deny"),
                "ran": ran.count(),
            });
            assert_eq!(calls, &recount, "{figure} {key}");
        }
    }
    // agent -> state, or registered where the statement is a passport
    let states = of("agent").map(|entry| match &entry["body"]["body"]["state"] {
        Value::Null => json!("registered"),
        state => state.clone(),
    });
    assert_eq!(figures["states"], count(states.collect()));
    let parts = figures["over_time"]["buckets"].as_array().unwrap();
    for verdict in ["allow", "escalate", "deny"] {
        let in_parts: u64 = parts.iter().map(|part| part[verdict].as_u64().unwrap()).sum();
        let recount = of("decision").filter(|entry| entry["decision"] == verdict).count();
        assert_eq!(in_parts, recount as u64, "{verdict} over time");
    }
    let stops = of("agent").filter(|entry| entry["body"]["body"]["state"] == "suspended");
    assert_eq!(figures["evidence"]["stops"]["count"], json!(stops.count()));
    assert_eq!(figures["evidence"]["redactions"]["count"], json!(3));
}

#[test]
fn a_report_counts_its_period_and_no_more() {
    let place = Place::begun("papers-period");
    calls(&place.harness("bot"), 5);
    let count = |more: &[&str]| -> u64 {
        let text = report(&place, &[&["--format", "json"], more].concat());
        serde_json::from_str::<Value>(&text).unwrap()["figures"]["calls"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(count(&["--from", "1h"]), 5);
    assert_eq!(count(&["--from", "2020-01-01", "--to", "2020-02-01"]), 0);
    assert_eq!(count(&["--to", "1h"]), 0);
    place
        .run(&[
            "report",
            "--framework",
            "soc2",
            "--from",
            "2026-02-01",
            "--to",
            "2026-01-01",
        ])
        .exits(1)
        .says("ends before it begins");
    place
        .run(&["report", "--framework", "gdpr"])
        .exits(1)
        .says("owasp-agentic");
}

#[test]
fn every_receipt_of_a_report_holds_and_every_control_says_what_it_rests_on() {
    let place = Place::begun("papers-receipts");
    some_history(&place);
    let key = place.run(&["audit", "checkpoint", "--key"]).ok().out;
    let policy = LogPolicy::new("test.example/log", vec![key.trim().parse().unwrap()]);
    let report: Value = serde_json::from_str(&report(&place, &["--format", "json"])).unwrap();
    let proofs = report["proofs"].as_array().unwrap();
    for proof in proofs {
        let receipt = Receipt::parse(proof["receipt"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(json!(receipt.index()), proof["seq"]);
        let entry = proof["entry"].as_str().unwrap();
        receipt.verify(entry.as_bytes(), &policy).unwrap();
        assert!(receipt.verify(entry.replace("bot", "cat").as_bytes(), &policy).is_err() || !entry.contains("bot"));
    }
    let proven: Vec<_> = proofs.iter().map(|proof| &proof["seq"]).collect();
    for control in report["controls"].as_array().unwrap() {
        let evidence = control["evidence"].as_array().unwrap();
        let counted: u64 = evidence.iter().map(|one| one["count"].as_u64().unwrap()).sum();
        let expected = match (evidence.is_empty(), counted) {
            (true, _) => "not-covered",
            (false, 0) => "nothing-recorded",
            (false, _) => "evidence",
        };
        assert_eq!(control["coverage"], expected, "{control}");
        assert_eq!(control["not_covered"].is_string(), evidence.is_empty(), "{control}");
        for one in evidence {
            for end in ["first", "last"] {
                assert!(one[end].is_null() || proven.contains(&&one[end]), "{one}");
            }
        }
    }
}

#[test]
fn no_name_from_outside_is_markup_in_a_document_and_none_says_that_anything_complies() {
    let place = Place::begun("papers-hostile");
    some_history(&place);
    for framework in [
        "eu-ai-act",
        "soc2",
        "hipaa",
        "iso-42001",
        "nist-ai-rmf",
        "owasp-agentic",
    ] {
        for format in ["html", "md", "json", "oscal"] {
            let text = place
                .run(&["report", "--framework", framework, "--format", format])
                .ok()
                .out;
            let lower = text.to_lowercase();
            for word in ["compliant", "complies", "satisfied"] {
                assert!(!lower.contains(word), "{framework} {format}: {word}");
            }
            assert!(
                !text.contains('\u{202e}') && !text.contains("4111 1111"),
                "{framework} {format}"
            );
            match format {
                "html" => {
                    assert!(!lower.contains("<script"), "{framework}");
                    for from_elsewhere in ["src=", "http:", "url(", "@import", "<link", "<iframe"] {
                        assert!(!lower.contains(from_elsewhere), "{framework}: {from_elsewhere}");
                    }
                }
                "md" => assert!(!text.contains("**b**") && !text.contains("<script"), "{framework}"),
                _ => {
                    let document: Value = serde_json::from_str(&text).unwrap();
                    assert!(document.is_object());
                }
            }
        }
    }
}

#[test]
fn a_report_is_not_written_over_a_file_that_is_there() {
    let place = Place::begun("papers-file");
    calls(&place.harness("bot"), 1);
    let arguments = ["report", "--framework", "hipaa", "--out", "report.html"];
    place.run(&arguments).ok().says("entries counted");
    assert!(place.read("report.html").starts_with(b"<!doctype html>"));
    place.run(&arguments).exits(1).says("there already");
}

#[test]
fn oscal_documents_of_every_framework_load_in_compliance_trestle() {
    let Some(python) = std::env::var_os("MANAGED_AGENTS_PYTHON_PAPERS") else {
        println!("skipped: MANAGED_AGENTS_PYTHON_PAPERS names no python with the package `compliance-trestle`");
        return;
    };
    let place = Place::begun("papers-oscal");
    some_history(&place);
    let script = "
import pathlib, sys
from trestle.oscal.assessment_results import AssessmentResults
for name in sys.argv[1:]:
    results = AssessmentResults.oscal_read(pathlib.Path(name))
    result = results.results[0]
    reviewed = result.reviewed_controls.control_selections[0].include_controls
    assert len(result.observations) == len(reviewed) > 5, name
    assert not result.findings, name
    resources = {'#' + resource.uuid for resource in results.back_matter.resources}
    for observation in result.observations:
        for evidence in observation.relevant_evidence or []:
            assert evidence.href is None or evidence.href in resources, (name, evidence.href)
    print(name, results.metadata.oscal_version, len(result.observations), 'observations')
";
    let mut files = Vec::new();
    for framework in [
        "eu-ai-act",
        "soc2",
        "hipaa",
        "iso-42001",
        "nist-ai-rmf",
        "owasp-agentic",
    ] {
        let file = format!("{framework}.json");
        place
            .run(&["report", "--framework", framework, "--format", "oscal", "--out", &file])
            .ok();
        files.push(place.path(&file));
    }
    let output = std::process::Command::new(python)
        .args(["-c", script])
        .args(&files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    println!("compliance-trestle agreed: {said}");
}

#[test]
fn the_page_is_read_and_printed_by_a_browser_without_anything_from_elsewhere() {
    let place = Place::begun("papers-browser");
    some_history(&place);
    place
        .run(&["report", "--framework", "soc2", "--out", "report.html"])
        .ok();
    let page = format!("file://{}", place.path("report.html").display());
    let browser = |more: &[&str]| {
        let profile = format!("--user-data-dir={}", place.path("profile").display());
        std::process::Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", &profile])
            .args(more)
            .arg(&page)
            .output()
    };
    let Ok(read) = browser(&["--dump-dom"]) else {
        println!("skipped: there is no chromium");
        return;
    };
    let dom = String::from_utf8_lossy(&read.stdout).into_owned();
    assert!(dom.contains("<h1>SOC 2: what the record shows</h1>"), "{dom}");
    // the browser makes elements of nothing but what the page itself is made of
    assert!(!dom.contains("<script") && !dom.contains("<img") && !dom.contains("<iframe"));
    let file = format!("--print-to-pdf={}", place.path("report.pdf").display());
    browser(&[&file, "--no-pdf-header-footer"]).unwrap();
    let pdf = place.read("report.pdf");
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 20_000, "{}", pdf.len());
    // in light and in dark, which look differently
    let [light, dark] = ["1", "0"].map(|scheme| {
        let (scheme, file) = (
            format!("--blink-settings=preferredColorScheme={scheme}"),
            format!("{scheme}.png"),
        );
        let file = place.path(&file);
        browser(&[
            &scheme,
            &format!("--screenshot={}", file.display()),
            "--window-size=1000,1400",
        ])
        .unwrap();
        std::fs::read(file).unwrap()
    });
    for seen in [&light, &dark] {
        assert!(seen.starts_with(b"\x89PNG") && seen.len() > 20_000, "{}", seen.len());
    }
    assert_ne!(light, dark);
}
