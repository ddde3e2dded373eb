//! What the rules refuse, area by area: each line is a way to the effect that its area is named after, as manual pages describe it.

mod destroys;
mod lines;
mod others;
mod places;
mod rows;
mod secrets;
mod stays;

use serde_json::json;

use crate::screen::{Profile, StandardScreen};
use crate::verdict::Decision;

pub(super) fn refused(area: &str, commands: &[&str]) {
    let screen = StandardScreen::new(Profile::standard());
    let passed: Vec<_> = commands
        .iter()
        .filter(|command| screen.check_value("bash", &json!({ "command": command })).decision() == Decision::Allow)
        .collect();
    assert!(passed.is_empty(), "{area}: {passed:#?}");
}

/// Ordinary commands that no rule may stand in the way of.
pub(super) fn passes(commands: &[&str]) {
    let screen = StandardScreen::new(Profile::standard());
    let stopped: Vec<_> = commands
        .iter()
        .filter(|command| screen.check_value("bash", &json!({ "command": command })).decision() != Decision::Allow)
        .collect();
    assert!(stopped.is_empty(), "{stopped:#?}");
}

/// Techniques of MITRE ATT&CK for Linux, macOS, clouds and containers, each in several ways: a line is the technique or area and a
/// command, in which `⏎` ends a line.

#[test]
fn techniques_are_refused() {
    let screen = StandardScreen::new(Profile::standard());
    let passed: Vec<_> = include_str!("../probes/refused.tsv")
        .lines()
        .filter(|line| {
            let command = line
                .split_once('\t')
                .map_or("", |(_, command)| command)
                .replace('⏎', "\n");
            screen.check_value("bash", &json!({ "command": command })).decision() == Decision::Allow
        })
        .collect();
    assert!(passed.is_empty(), "{passed:#?}");
}
