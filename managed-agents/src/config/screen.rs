//! `[screen]`: what the screen makes of its findings, and the places that it should know.

use super::error::ConfigError;
use super::read::Table;
use crate::screen::{Level, OwnPattern, Profile, StandardScreen, check_host, check_rule};
use crate::verdict::Decision;

const LEVELS: [(&str, Level); 3] = [
    ("strict", Level::Strict),
    ("standard", Level::Standard),
    ("relaxed", Level::Relaxed),
];

const DECISIONS: [(&str, Decision); 3] = [
    ("allow", Decision::Allow),
    ("escalate", Decision::Escalate),
    ("deny", Decision::Deny),
];

/// Patterns can only make a verdict stricter.
const PATTERN_DECISIONS: [(&str, Decision); 2] = [("escalate", Decision::Escalate), ("deny", Decision::Deny)];

/// The most patterns: each is looked for in every text of every call.
const PATTERNS: usize = 256;

/// `[screen]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScreenSettings {
    pub(crate) profile: Profile,
    pub(crate) scratch: Vec<String>,
    pub(crate) protected: Vec<String>,
}

pub(super) fn settings(table: &Table<'_>) -> Result<ScreenSettings, ConfigError> {
    table.only(&[
        "profile",
        "rules",
        "bulk",
        "allow_hosts",
        "only_hosts",
        "deny_hosts",
        "patterns",
        "scratch",
        "protected",
    ])?;
    let mut settings = ScreenSettings::default();
    let profile = &mut settings.profile;
    if let Some(level) = table.get("profile") {
        profile.level = level.word(&LEVELS)?;
    }
    if let Some(rules) = table.get("rules") {
        for (code, item) in rules.table()?.entries() {
            let decision = item.word(&DECISIONS)?;
            check_rule(code, decision).map_err(|error| item.error(&rule_error(code, error.why())))?;
            profile.rules.insert(code.to_owned(), decision);
        }
    }
    if let Some(bulk) = table.get("bulk") {
        let bulk = bulk.table()?;
        bulk.only(&["email", "file", "calendar"])?;
        for (key, limit) in [
            ("email", &mut profile.bulk.email),
            ("file", &mut profile.bulk.file),
            ("calendar", &mut profile.bulk.calendar),
        ] {
            if let Some(item) = bulk.get(key) {
                *limit = item.number(1..=1_000_000)?;
            }
        }
    }
    for (key, hosts) in [
        ("allow_hosts", &mut profile.allow_hosts),
        ("only_hosts", &mut profile.only_hosts),
        ("deny_hosts", &mut profile.deny_hosts),
    ] {
        if let Some(item) = table.get(key) {
            for host in item.items()? {
                let name = host.text()?;
                check_host(name).map_err(|error| host.error(&format!("holds what {}", error.why())))?;
                hosts.push(name.to_owned());
            }
        }
    }
    if let Some(patterns) = table.get("patterns") {
        let entries = patterns.tables()?;
        if entries.len() > PATTERNS {
            return Err(patterns.error(&format!("holds more than {PATTERNS} patterns")));
        }
        for entry in &entries {
            profile.patterns.push(pattern(entry)?);
        }
    }
    if let Some(item) = table.get("scratch") {
        for directory in item.items()? {
            let path = directory.text()?;
            if !StandardScreen::can_be_scratch(path) {
                return Err(directory.error(
                    "holds what is no scratch place: it is absolute or begins with `~/`, and is neither the system's nor a \
                     whole home",
                ));
            }
            settings.scratch.push(path.to_owned());
        }
    }
    if let Some(item) = table.get("protected") {
        for path in item.items()? {
            let text = path.text()?;
            if text.trim_matches(['/', '.', '~']).is_empty() {
                return Err(path.error("holds what is no file or directory of its own"));
            }
            settings.protected.push(text.to_owned());
        }
    }
    Ok(settings)
}

fn pattern(table: &Table<'_>) -> Result<OwnPattern, ConfigError> {
    table.only(&["pattern", "decision", "tool"])?;
    let text = table.need("pattern")?;
    let decision = table.need("decision")?.word(&PATTERN_DECISIONS)?;
    let own = OwnPattern::new(text.text()?, decision).map_err(|error| text.error(error.why()))?;
    Ok(match table.get("tool") {
        Some(tool) => own.for_tools(tool.text()?),
        None => own,
    })
}

fn rule_error(code: &str, why: &str) -> String {
    let codes = crate::screen::Rule::all().map(crate::screen::Rule::code);
    match super::nearest::nearest(code, codes) {
        Some(near) if near != code => format!("{why}: did you mean `{near}`?"),
        _ => why.to_owned(),
    }
}
