//! `check --explain`: what the screen understood, for a person at a terminal.

use super::check::word;
use super::failure::{Failure, shown};
use super::output::Output;
use crate::screen::{Excerpt, Explained, ExplainedFinding, Explanation};

pub(super) fn print(out: &mut Output, explanation: &Explanation) -> Result<(), Failure> {
    out.line("")?;
    print_rules(out, explanation)?;
    if !explanation.readings.is_empty() {
        let readings = explanation.readings.iter();
        let readings: Vec<_> = readings
            .map(|reading| format!("{} as {}", shown(&reading.argument), reading.read_as))
            .collect();
        out.line(format_args!("read: {}", readings.join(", ")))?;
    }
    if !explanation.commands.is_empty() {
        out.line("commands that would run:")?;
        let top = explanation
            .commands
            .iter()
            .map(|command| command.depth)
            .min()
            .unwrap_or(0);
        for command in &explanation.commands {
            let indent = "  ".repeat(1 + command.depth.saturating_sub(top).min(20) as usize);
            out.line(format_args!("{indent}{}", line(command)))?;
        }
    }
    if !explanation.understood {
        out.line("not all of it is known before it runs")?;
    }
    if explanation.findings.is_empty() {
        return out.line("the screen found nothing");
    }
    out.line("found:")?;
    explanation
        .findings
        .iter()
        .try_for_each(|finding| print_finding(out, finding))
}

/// What it was judged with.
fn print_rules(out: &mut Output, explanation: &Explanation) -> Result<(), Failure> {
    let profile = &explanation.profile;
    let mut words = format!("profile: {}", profile.level.word());
    for (count, what) in [
        (profile.rules.len(), "own decisions on rules"),
        (profile.patterns.len(), "own patterns"),
        (profile.allow_hosts.len(), "allowed hosts"),
        (profile.only_hosts.len(), "only hosts"),
        (profile.deny_hosts.len(), "denied hosts"),
    ] {
        if count > 0 {
            words.push_str(&format!("; {what}: {count}"));
        }
    }
    out.line(words)?;
    if explanation.workspace_roots.is_empty() {
        return out.line("workspace: none is named, so relative paths are the agent's own");
    }
    let roots: Vec<_> = explanation.workspace_roots.iter().map(|root| shown(root)).collect();
    out.line(format_args!("workspace: {}", roots.join(", ")))
}

fn print_finding(out: &mut Output, finding: &ExplainedFinding) -> Result<(), Failure> {
    out.line(format_args!(
        "  {} {}: {}, {}",
        word(finding.decision),
        finding.code,
        finding.effect,
        finding.severity
    ))?;
    if let Some(argument) = &finding.argument {
        let place = match (finding.start, finding.end) {
            (Some(start), Some(end)) => format!(", bytes {start} to {end}"),
            _ => String::new(),
        };
        out.line(format_args!("    where: {}{place}", shown(argument)))?;
    }
    if let Some(excerpt) = &finding.excerpt {
        print_excerpt(out, excerpt)?;
    }
    let by = finding
        .by
        .as_deref()
        .map_or_else(String::new, |by| format!(" ({})", shown(by)));
    out.line(format_args!("    why: {}{by}", finding.for_operator))
}

/// The text with a line below what was found. Both count characters as they are shown.
fn print_excerpt(out: &mut Output, excerpt: &Excerpt) -> Result<(), Failure> {
    let [before, found, after] = [&excerpt.before, &excerpt.found, &excerpt.after].map(|text| shown(text));
    let indent = " ".repeat(before.chars().count());
    let marks = "~".repeat(found.chars().count().max(1));
    out.line(format_args!("      {before}{found}{after}"))?;
    out.line(format_args!("      {indent}{marks}"))
}

/// A command on one line, as one could type it; control characters are spelled out.
fn line(command: &Explained) -> String {
    let mut out = String::new();
    for word in &command.words {
        if !out.is_empty() {
            out.push(' ');
        }
        let plain = !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || "-_./=:,@%+~{}…[]!*?".contains(c));
        if plain {
            out.push_str(word);
        } else {
            out.push_str(&format!("'{}'", shown(word).replace('\'', "'\\''")));
        }
    }
    shown_long(&out)
}

/// A command is cut later than other foreign texts: what is behind the cut may be what matters.
fn shown_long(text: &str) -> String {
    const MOST: usize = 1_000;
    let mut out: String = text.chars().take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}
