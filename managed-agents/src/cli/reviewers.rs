//! Drift of the people who decide: alarms as entries of the record, seen or not, and new beginnings.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::drift::each;
use super::failure::Failure;
use super::output::Output;
use super::place::Place;
use super::table::plain;
use crate::answer::wait;
use crate::approval::OperatorStatement;
use crate::audit::entry::{Statement, statement};
use crate::drift::{Alert, Phase};
use crate::engine::{REVIEWER_ACKNOWLEDGED, REVIEWER_ALARM, Reviewer};
use crate::home::Home;
use crate::store::{Query, Reader};

/// Records each alarm that no entry states yet, and says whose decisions have changed.
pub(super) fn tell(place: &Place, out: &mut Output) -> Result<u8, Failure> {
    let reader = place.reader()?;
    let mut keys = BTreeSet::new();
    each(&reader, &Query::new().kind("approval"), |entry| {
        let stated = entry.raw("body").and_then(|body| OperatorStatement::parse(body).ok());
        keys.extend(stated.map(|stated| stated.signer().to_string()));
    })?;
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let reviewers = read(&reader, &keys)?;
    let unstated: Vec<String> = reviewers.iter().flat_map(Reviewer::unstated).collect();
    if !unstated.is_empty() {
        let home = place.home()?;
        for body in &unstated {
            let sequence = append(&home, REVIEWER_ALARM, body)?;
            out.line(format_args!("alarm recorded at {sequence}"))?;
        }
    }
    let mut open = false;
    for reviewer in &reviewers {
        let key = plain(reviewer.key());
        let decisions = reviewer.decisions;
        match (reviewer.detector().alert(), reviewer.detector().phase()) {
            (Some(alert), _) => {
                open = true;
                out.line(format_args!(
                    "{key}: {decisions} decisions; the alarm at {} is open ({}, {}): `drift ack --approver {key}` when you have seen it",
                    alert.place(),
                    alert.stream().code(),
                    alert.severity().code()
                ))?;
            }
            (None, Phase::Learning { .. }) => out.line(format_args!("{key}: {decisions} decisions; learning"))?,
            (None, _) => out.line(format_args!("{key}: {decisions} decisions; no alarm is open"))?,
        }
    }
    out.flush()?;
    Ok(if open { 3 } else { 0 })
}

/// Records what an operator says of a person's drift.
pub(super) fn say(place: &Place, key: &str, kind: &str, out: &mut Output) -> Result<u8, Failure> {
    let reviewers = read(&place.reader()?, &[key])?;
    let reviewer = reviewers.first().filter(|reviewer| reviewer.decisions > 0);
    let reviewer = reviewer.ok_or_else(|| {
        Failure::new(format!(
            "the record has no decision that is signed by the key `{}`",
            plain(key)
        ))
    })?;
    let open = reviewer.detector().alert().map(Alert::place);
    if kind == REVIEWER_ACKNOWLEDGED && open.is_none() {
        return Err(Failure::new(format!("no alarm of approver `{}` is open", plain(key))));
    }
    let mut body = serde_json::json!({ "approver": key });
    if let (Some(body), Some(alarm)) = (body.as_object_mut(), open) {
        body.insert("alarm".to_owned(), alarm.into());
    }
    let home = place.home()?;
    // whoever says that an alarm was seen says which: it stands in the record before
    for alarm in reviewer.unstated() {
        append(&home, REVIEWER_ALARM, &alarm)?;
    }
    let sequence = append(&home, kind, &body.to_string())?;
    out.line(format_args!("recorded at {sequence}"))?;
    out.flush()?;
    Ok(0)
}

/// The record, gone through once for all of these keys.
fn read(reader: &Reader, keys: &[&str]) -> Result<Vec<Reviewer>, Failure> {
    let mut reviewers: Vec<_> = keys.iter().map(|key| Reviewer::new(key)).collect();
    each(reader, &Query::new(), |entry| {
        for reviewer in &mut reviewers {
            reviewer.take(entry);
        }
    })?;
    Ok(reviewers)
}

fn append(home: &Home, kind: &str, body: &str) -> Result<u64, Failure> {
    let entry = statement(&Statement::new(kind, SystemTime::now(), body)).map_err(|error| Failure::of(&error))?;
    Ok(wait(home.store().append(entry, true))?.get())
}
