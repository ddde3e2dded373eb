//! Whole statements and queries in place of a value, and the tables and calls that only databases have.

use super::token::{Kind, tokens};

/// The end of a statement, or a statement that reveals what a database holds, in place of a value.
pub(super) fn stands_alone(value: &str) -> bool {
    let lower = value.trim().trim_start_matches(')').to_ascii_lowercase();
    let cut = ["--", "#", "/*", ";"]
        .iter()
        .filter_map(|mark| lower.find(mark))
        .min()
        .unwrap_or(lower.len());
    let words: Vec<&str> = lower.get(..cut).unwrap_or_default().split_whitespace().collect();
    let number = |word: &str| {
        word.split(',')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match words.as_slice() {
        ["or" | "and" | "xor", truth] => number(truth) || matches!(*truth, "true" | "false" | "null"),
        ["order" | "group", "by", rest @ ..] => {
            !rest.is_empty() && rest.iter().all(|word| number(word.trim_matches(',')))
        }
        ["show", what] => matches!(
            *what,
            "tables" | "databases" | "schemas" | "grants" | "processlist" | "variables" | "columns"
        ),
        ["desc" | "describe", table] => table.contains('_') || CATALOGUES.iter().any(|own| table.contains(own)),
        ["attach" | "detach", "database", ..] | ["create", "or", "replace", ..] | ["execute", "immediate", ..] => true,
        [
            "create",
            "user" | "login" | "role",
            _,
            "identified" | "with" | "password",
            ..,
        ] => true,
        ["load", "data", ..] | ["reconfigure"] => true,
        [first, ..] if first.starts_with("||") && first.len() > 2 => true,
        _ => false,
    }
}

/// Tables in which databases keep what they know of themselves.
pub(super) const CATALOGUES: [&str; 34] = [
    "information_schema",
    "sysobjects",
    "syscolumns",
    "sysusers",
    "sysdatabases",
    "syslogins",
    "syscomments",
    "sys.tables",
    "sys.databases",
    "sys.sql_logins",
    "sys.user$",
    "syscat.",
    "sysibm.",
    "pg_shadow",
    "pg_user",
    "pg_catalog",
    "pg_tables",
    "pg_attribute",
    "pg_class",
    "pg_database",
    "pg_proc",
    "pg_roles",
    "pg_authid",
    "mysql.user",
    "all_tables",
    "all_users",
    "all_tab_columns",
    "user_tables",
    "user_tab_columns",
    "dba_users",
    "dba_tables",
    "sqlite_master",
    "sqlite_schema",
    "v$version",
];

/// Calls that only databases have, each with its bracket.
pub(super) const CALLS: [&str; 20] = [
    "load_extension(",
    "lo_import(",
    "lo_export(",
    "pg_ls_dir(",
    "pg_read_file(",
    "inet_server_addr(",
    "inet_server_port(",
    "inet_client_addr(",
    "host_name(",
    "suser_name(",
    "sys_context(",
    "xmltype(",
    "ord_dicom",
    "drithsx",
    "geometrycollection(",
    "name_const(",
    "gtid_subset(",
    "cdbl(",
    "opendatasource(",
    "sp_executesql",
];

/// A query that asks a function: `select name(`.
pub(super) fn asks_function(lower: &str) -> bool {
    lower.match_indices("select ").take(8).any(|(at, _)| {
        let rest = lower.get(at + 7..).unwrap_or_default().trim_start();
        let name = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@'))
            .count();
        name > 1 && rest.get(name..).is_some_and(|rest| rest.starts_with('('))
    })
}

/// Operators of a query language that is written in JSON, as keys.
pub(super) fn asks_document(value: &str) -> bool {
    value.trim_start().starts_with('{')
        && [
            "\"$gt\"",
            "\"$ne\"",
            "\"$where\"",
            "\"$regex\"",
            "\"$in\"",
            "\"$nin\"",
            "\"$lt\"",
            "\"$exists\"",
            "\"$or\"",
        ]
        .iter()
        .any(|own| value.contains(own))
}

/// Whether what stands in a call's brackets could be a call's argument: a number, a text, or another call.
pub(super) fn is_called(lower: &str, name: &str) -> bool {
    lower.match_indices(name).take(8).any(|(at, _)| {
        let inside = lower.get(at + name.len()..).unwrap_or_default();
        let inside = inside.split([')', ',']).next().unwrap_or_default().trim();
        !inside.contains(' ') || inside.contains(['\'', '"', '(', '@', '='])
    })
}

/// A whole statement in place of a value: its keywords in their places.
pub(super) fn is_statement(value: &str) -> bool {
    let (found, _) = tokens(value);
    let word = |at: usize| found.get(at).map_or("", |token| token.text.as_ref());
    let is = |at: usize, text: &str| word(at).eq_ignore_ascii_case(text);
    let later = |text: &str| {
        found
            .iter()
            .skip(1)
            .any(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(text))
    };
    match word(0).to_ascii_lowercase().as_str() {
        "select" => {
            later("from")
                && (found.len() <= 4
                    || found.iter().any(|token| matches!(token.text.as_ref(), "*" | "," | "("))
                    || later("where"))
        }
        "insert" => is(1, "into") && (later("values") || later("select")),
        "update" => later("set") && found.iter().any(|token| token.text == "="),
        "delete" => is(1, "from") && (found.len() == 3 || later("where")),
        "drop" => (is(1, "table") || is(1, "database")) && found.len() <= 5,
        "union" => is(1, "select") || is(1, "all") && is(2, "select"),
        "waitfor" => is(1, "delay"),
        "exec" | "execute" => {
            found.len() <= 3
                && ["sp", "xp"]
                    .iter()
                    .any(|own| word(1) == *own || word(1).to_ascii_lowercase().starts_with(&format!("{own}_")))
        }
        _ => false,
    }
}

pub(super) fn is_statement_words(words: &[&str]) -> bool {
    let is = |at: usize, own: &[&str]| {
        words
            .get(at)
            .is_some_and(|word| own.iter().any(|own| word.eq_ignore_ascii_case(own)))
    };
    let later = |own: &str| words.iter().skip(1).any(|word| word.eq_ignore_ascii_case(own));
    is(0, &["drop", "create", "alter", "truncate"])
        && is(
            1,
            &[
                "table",
                "database",
                "user",
                "role",
                "schema",
                "view",
                "index",
                "login",
                "function",
                "procedure",
            ],
        )
        && words.len() <= 40
        || is(0, &["insert"]) && is(1, &["into"]) && (later("values") || later("select"))
        || is(0, &["delete"]) && is(1, &["from"])
        || is(0, &["update"]) && later("set") && later("=")
        || is(0, &["exec", "execute"])
            && words
                .get(1)
                .is_some_and(|word| word.contains("xp_") || word.contains("sp_") || word.contains(".."))
        || is(0, &["waitfor"]) && is(1, &["delay"])
        || is(0, &["grant"]) && later("to")
        || is(0, &["copy"]) && (later("from") || later("to")) && (words.len() <= 6 || later("program"))
        || is(0, &["bulk"]) && is(1, &["insert"])
        || is(0, &["shutdown"]) && words.len() <= 3
        || is(0, &["select"]) && later("from") && (later("where") || later("*")) && words.len() >= 4
        || is(0, &["declare"]) && words.get(1).is_some_and(|word| word.starts_with('@'))
}
