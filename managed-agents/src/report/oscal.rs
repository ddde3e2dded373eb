//! OSCAL assessment results, version 1.1.3, as JSON.
//!
//! One observation for each control, and no finding: a finding says whether an objective is satisfied, which a record of calls
//! cannot. Ids are made from what a document holds, so that the same record and period give the same document.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::control::{Control, Coverage};
use super::figures::moment;
use super::{Proof, Report};

const VERSION: &str = "1.1.3";
const NAMESPACE: &str = "https://github.com/managed-agents/managed-agents/ns/oscal";

pub(super) fn text(report: &Report) -> String {
    let ids = Ids::of(report);
    let document = json!({ "assessment-results": results(report, &ids) });
    super::json::print(&document)
}

fn results(report: &Report, ids: &Ids) -> Value {
    let framework = &report.framework;
    let plan = ids.of_name("plan");
    let controls: Vec<_> = report
        .controls
        .iter()
        .map(|control| json!({ "control-id": token(&framework.id, control.id()) }))
        .collect();
    let observations: Vec<_> = report
        .controls
        .iter()
        .map(|control| observation(report, control, ids))
        .collect();
    let mut resources = vec![json!({
        "uuid": plan,
        "title": "No assessment plan",
        "description": "These results were read from the record of an agent's tool calls; no plan was imported.",
    })];
    resources.extend(report.proofs.iter().map(|proof| resource(proof, ids)));
    if let Some(signed) = &report.log.signed {
        resources.push(json!({
            "uuid": ids.of_name("checkpoint"),
            "title": "Signed head of the log",
            "description": format!("c2sp.org/tlog-checkpoint of {} entries, signed with {}", signed.size, signed.key),
            "base64": {
                "filename": "checkpoint.txt",
                "media-type": "text/plain",
                "value": encoded(&signed.checkpoint),
            },
        }));
    }
    json!({
        "uuid": ids.of_name("document"),
        "metadata": {
            "title": format!("{}: what the record of tool calls shows", framework.title),
            "last-modified": moment(report.made_at),
            "version": moment(report.to),
            "oscal-version": VERSION,
            "props": [
                prop("software", super::SOFTWARE),
                prop("framework", &framework.id),
                prop("framework-edition", &framework.edition),
            ],
            "remarks": format!("{} {}", super::html::WHAT_IT_IS, framework.note),
        },
        "import-ap": { "href": format!("#{plan}") },
        "results": [{
            "uuid": ids.of_name("result"),
            "title": format!("{}, {} to {}", framework.title, moment(report.from), moment(report.to)),
            "description": super::html::WHAT_IT_IS,
            "start": moment(report.from),
            "end": moment(report.to),
            "props": figures(report),
            "reviewed-controls": {
                "control-selections": [{
                    "description": format!("{}, {}; texts in our own words", framework.title, framework.edition),
                    "include-controls": controls,
                }],
            },
            "observations": observations,
        }],
        "back-matter": { "resources": resources },
    })
}

fn figures(report: &Report) -> Vec<Value> {
    let mut props = vec![
        prop("log-origin", &report.log.origin),
        prop("log-size", &report.log.size.to_string()),
        prop("log-root", &report.log.root),
    ];
    for (name, value) in super::summary::first_figures(report) {
        props.push(prop(&token("figure", name), &value.to_string()));
    }
    props
}

fn observation(report: &Report, control: &Control, ids: &Ids) -> Value {
    let mut description = control.asks().to_owned();
    let mut relevant = Vec::new();
    for evidence in control.evidence() {
        let tally = evidence.tally();
        let mut one = json!({
            "description": format!("{}: {}. {}.", evidence.kind(), tally.count, evidence.shows()),
            "props": [
                prop("evidence-kind", evidence.kind().title()),
                prop("count", &tally.count.to_string()),
            ],
        });
        if let (Some(object), Some(first)) = (one.as_object_mut(), tally.first) {
            if report.proofs.iter().any(|proof| proof.sequence() == first) {
                object.insert("href".to_owned(), Value::String(format!("#{}", ids.of_proof(first))));
            }
            let links: Vec<_> = tally
                .places()
                .filter(|place| report.proofs.iter().any(|proof| proof.sequence() == *place))
                .map(|place| json!({ "href": format!("#{}", ids.of_proof(place)), "rel": "receipt" }))
                .collect();
            if !links.is_empty() {
                object.insert("links".to_owned(), Value::Array(links));
            }
        }
        relevant.push(one);
    }
    if let Some(why) = control.why_not_covered() {
        description = format!("{description} Not covered: {why}");
    }
    let mut observation = json!({
        "uuid": ids.of_name(&format!("control {}", control.id())),
        "title": format!("{} {}", control.id(), control.title()),
        "description": description,
        "props": [
            prop("control-id", &token(&report.framework.id, control.id())),
            prop("coverage", control.coverage().name()),
        ],
        "methods": [if control.coverage() == Coverage::NotCovered { "UNKNOWN" } else { "EXAMINE" }],
        "collected": moment(report.made_at),
    });
    if let Some(object) = observation.as_object_mut() {
        if !relevant.is_empty() {
            object.insert("relevant-evidence".to_owned(), Value::Array(relevant));
        }
        if let Some(limits) = control.limits() {
            object.insert("remarks".to_owned(), Value::String(format!("Not shown: {limits}")));
        }
    }
    observation
}

fn resource(proof: &Proof, ids: &Ids) -> Value {
    json!({
        "uuid": ids.of_proof(proof.sequence()),
        "title": format!("Receipt of entry {}", proof.sequence()),
        "description": format!("c2sp.org/tlog-proof of the entry whose leaf is {}; the entry: {}", proof.leaf(), proof.entry()),
        "base64": {
            "filename": format!("entry-{}.tlog-proof", proof.sequence()),
            "media-type": "text/plain",
            "value": encoded(proof.receipt()),
        },
    })
}

fn prop(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NAMESPACE, "value": value })
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A token of OSCAL: letters, digits, `.`, `-` and `_`, and a letter first.
fn token(begin: &str, id: &str) -> String {
    let mut out = format!("{begin}_");
    for c in id.chars() {
        match c {
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            'a'..='z' | '0'..='9' | '.' => out.push(c),
            // one for whatever stands between
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// Ids of one document.
struct Ids(Sha256);

impl Ids {
    fn of(report: &Report) -> Self {
        #[derive(Serialize)]
        struct Seed<'a>(&'a str, &'a str, &'a str, u64, i64, i64, &'a super::Figures);
        let log = &report.log;
        let seed = Seed(
            &report.framework.id,
            &log.origin,
            &log.root,
            log.size,
            report.from,
            report.to,
            &report.figures,
        );
        Self(Sha256::new().chain_update(serde_json::to_vec(&seed).unwrap_or_default()))
    }

    /// A UUID of version 4 in form: OSCAL takes no other that has no name in it.
    fn of_name(&self, name: &str) -> String {
        let hash = self.0.clone().chain_update(name).finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        let mut number = u128::from_be_bytes(bytes);
        number = (number & !(0xf << 76)) | (4 << 76);
        number = (number & !(3 << 62)) | (2 << 62);
        let text = format!("{number:032x}");
        let part = |range| text.get(range).unwrap_or_default();
        format!(
            "{}-{}-{}-{}-{}",
            part(0..8),
            part(8..12),
            part(12..16),
            part(16..20),
            part(20..32)
        )
    }

    fn of_proof(&self, sequence: u64) -> String {
        self.of_name(&format!("proof {sequence}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_tokens_as_oscal_wants_them() {
        for (id, expected) in [
            ("Art. 12(2)(a)", "eu_art.-12-2-a"),
            ("164.312(b)", "eu_164.312-b"),
            ("P1-P3, P5-P8", "eu_p1-p3-p5-p8"),
            ("ASI01", "eu_asi01"),
        ] {
            assert_eq!(token("eu", id), expected);
        }
    }
}
