//! How governance services name what a tool does, and what it is aimed at.
//!
//! Both tables are facts of the published wire, so that two clients of one service name a call alike.

use std::collections::HashMap;

/// The most characters of a target.
pub(super) const TARGET_CHARS: usize = 200;

const TARGET_KEYS: [&str; 12] = [
    "target",
    "path",
    "file",
    "url",
    "resource",
    "table",
    "database",
    "uri",
    "command",
    "to",
    "recipient",
    "query",
];

/// Maps tool names to verbs: your own entries first, then the published table; other names stay as they are.
///
/// # Examples
///
/// ```
/// use managed_agents::call::Verbs;
/// let verbs = Verbs::default().with("refund", "pay");
/// assert_eq!(verbs.verb("refund"), "pay");
/// assert_eq!(verbs.verb("bash"), "run");
/// assert_eq!(verbs.verb("weather"), "weather");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Verbs(HashMap<String, String>);

impl Verbs {
    /// Adds an entry that stands before the published table.
    #[must_use]
    pub fn with(mut self, tool: impl Into<String>, verb: impl Into<String>) -> Self {
        self.0.insert(tool.into(), verb.into());
        self
    }

    /// The verb for a tool's name.
    #[must_use]
    pub fn verb<'a>(&'a self, tool: &'a str) -> &'a str {
        self.0.get(tool).map_or_else(|| published(tool), String::as_str)
    }
}

fn published(tool: &str) -> &str {
    match tool {
        "bash" | "run" | "system_run" | "exec" | "shell" | "code_exec" | "python_exec" | "jupyter_run" => "run",
        "write" | "edit" | "create_file" | "append_file" | "copy_file" | "db_write" | "sql_execute"
        | "post_request" | "put_request" | "patch_request" => "write",
        "read" | "list_dir" | "list_files" | "read_email" | "search_email" | "query" | "db_query" | "sql_query"
        | "get_request" | "search" | "web_search" | "vector_search" | "semantic_search" => "read",
        "delete" | "delete_file" | "rm" | "delete_email" | "calendar_delete" | "db_delete" | "delete_request" => {
            "delete"
        }
        "move" | "move_file" | "rename" => "move",
        "send_email" | "send_message" | "send_slack" | "send_teams" | "send_webhook" | "post_message" => "send",
        "archive_email" => "archive",
        "calendar_create" | "schedule" => "create",
        "calendar_update" => "update",
        "browser" | "browser_action" | "fetch" => "fetch",
        "submit" | "form_submit" => "submit",
        "api_call" | "http_request" => "request",
        other => other,
    }
}

/// Whether a tool that is known by name alone is known to run what it is given: commands, code or SQL.
pub(super) fn runs_text(tool: &str) -> bool {
    let tool = tool.to_lowercase().replace('-', "_");
    published(&tool) == "run"
        || tool.starts_with("sql")
        || matches!(tool.as_str(), "query" | "db_query" | "db_write" | "db_delete")
}

/// The first non-empty string among the usual keys, else the first string argument, else the tool's name; strings that
/// are `hidden` do not count.
pub(super) fn target_of(tool: &str, arguments: &str, hidden: &str) -> String {
    let arguments: serde_json::Map<String, serde_json::Value> = serde_json::from_str(arguments).unwrap_or_default();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) if !text.is_empty() && text != hidden => Some(text.clone()),
        _ => None,
    };
    TARGET_KEYS
        .iter()
        .find_map(|key| arguments.get(*key).and_then(text))
        .or_else(|| {
            // whether the map keeps the order of the text is not known here
            let texts = arguments.iter().filter_map(|(key, value)| Some((key, text(value)?)));
            texts.min_by(|one, other| one.0.cmp(other.0)).map(|(_, text)| text)
        })
        .unwrap_or_else(|| tool.to_owned())
        .chars()
        .take(TARGET_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_runs_what_it_is_given_is_known_in_any_spelling() {
        for tool in [
            "bash",
            "Bash",
            "code_exec",
            "code-exec",
            "sql.execute",
            "SQL_query",
            "query",
        ] {
            assert!(runs_text(tool), "{tool}");
        }
        for tool in ["read_file", "basher", "weather"] {
            assert!(!runs_text(tool), "{tool}");
        }
    }

    #[test]
    fn a_target_is_found_in_the_published_order() {
        assert_eq!(target_of("t", r#"{"query":"q","url":"u"}"#, "-"), "u");
        assert_eq!(target_of("t", r#"{"a":1,"b":"text"}"#, "-"), "text");
        assert_eq!(target_of("t", r#"{"path":"","b":"text"}"#, "-"), "text");
        assert_eq!(target_of("t", r#"{"path":7}"#, "-"), "t");
    }

    #[test]
    fn a_target_is_never_a_redacted_value_and_at_most_200_characters() {
        assert_eq!(target_of("t", r#"{"path":"[redacted]"}"#, "[redacted]"), "t");
        let long = format!(r#"{{"path":"{}"}}"#, "é".repeat(300));
        assert_eq!(target_of("t", &long, "-").chars().count(), 200);
    }
}
