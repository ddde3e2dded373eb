//! SQL, read by its tokens: statements, comments and strings as MySQL, PostgreSQL, SQLite, SQL Server and Oracle write them.
//!
//! Dialects disagree on almost everything but the words that matter here, so no full grammar is needed; and a fragment that
//! an attacker slips into a string is no statement of any grammar.

mod condition;
mod inject;
mod token;
mod whole;

use super::rule::{self, Rule};
use token::{Kind, Token};

pub(in crate::screen) use inject::injected;

/// What a text of SQL holds.
#[derive(Debug, Default)]
pub(in crate::screen) struct Read {
    pub(in crate::screen) rules: Vec<&'static Rule>,
    /// A string or comment is not closed.
    pub(in crate::screen) broken: bool,
}

impl Read {
    fn add(&mut self, rule: &'static Rule) {
        if !self.rules.contains(&rule) {
            self.rules.push(rule);
        }
    }
}

/// Judges one or more statements.
pub(in crate::screen) fn statements(text: &str) -> Read {
    let (tokens, broken) = token::tokens(text);
    let mut read = Read {
        broken,
        ..Read::default()
    };
    let mut temporary: Vec<String> = Vec::new();
    for statement in tokens.split(|token| token.kind == Kind::Semicolon) {
        statement_rules(statement, &mut read, &mut temporary);
    }
    read
}

fn statement_rules<'t>(tokens: &[Token<'t>], read: &mut Read, temporary: &mut Vec<String>) {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_ref()).collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let is = |at: usize, text: &str| word(at).eq_ignore_ascii_case(text);
    let has = |text: &str| {
        tokens
            .iter()
            .any(|token| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(text))
    };
    if is(0, "create")
        && tokens.iter().take(5).any(|token| {
            ["temp", "temporary"]
                .iter()
                .any(|own| token.text.eq_ignore_ascii_case(own))
        })
    {
        let at = words
            .iter()
            .position(|word| word.eq_ignore_ascii_case("table"))
            .map_or(0, |at| at + 1);
        let at = if is(at, "if") { at + 3 } else { at };
        temporary.push(word(at).to_ascii_lowercase());
    }
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Word {
            continue;
        }
        let lower = token.text.to_ascii_lowercase();
        let first = at == 0
            || matches!(word(at - 1), "(" | ")" | "{")
            || ["as", "then", "begin", "explain", "analyze", "else", "loop", "$$"]
                .iter()
                .any(|own| is(at - 1, own));
        match lower.as_str() {
            "drop" if first || is(0, "alter") => drop(&words, at, read, temporary),
            "truncate" if first && word(at + 1) != "(" => {
                let name = if is(at + 1, "table") {
                    word(at + 2)
                } else {
                    word(at + 1)
                };
                if !temporary.contains(&name.to_ascii_lowercase()) {
                    read.add(&rule::DATABASE_DESTROY);
                }
            }
            "delete"
                if first
                    && (is(at + 1, "from") || is(0, "delete") || is(0, "merge") || is(at - 1, "then"))
                    && !is(at.wrapping_sub(1), "on") =>
            {
                if !has_condition(tokens, at) || is(0, "merge") {
                    read.add(&rule::SQL_NO_CONDITION);
                }
                if words.iter().any(|word| {
                    word.eq_ignore_ascii_case("sqlite_master") || word.to_ascii_lowercase().starts_with("pg_catalog")
                }) {
                    read.add(&rule::SQL_DANGEROUS);
                }
            }
            "update"
                if first
                    && words.iter().any(|word| word.eq_ignore_ascii_case("set"))
                    && !is(at.wrapping_sub(1), "for") =>
            {
                if !has_condition(tokens, at) {
                    read.add(&rule::SQL_NO_CONDITION);
                } else if sensitive(tokens, at) {
                    read.add(&rule::SQL_SENSITIVE_WRITE);
                }
            }
            // where servers keep the hashes of passwords (pg_authid; mysql.user; sys.sql_logins)
            "pg_shadow" | "pg_authid" | "sql_logins" | "syslogins" => read.add(&rule::SQL_DANGEROUS),
            "authentication_string" => read.add(&rule::SQL_DANGEROUS),
            "grant" | "revoke" if at == 0 => read.add(&rule::SQL_PRIVILEGE),
            "create" | "alter" if at == 0 && ["user", "role", "login"].iter().any(|own| is(1, own)) => {
                read.add(&rule::SQL_PRIVILEGE)
            }
            "set"
                if at == 0
                    && (is(1, "password")
                        || is(1, "role") && !is(2, "none")
                        || is(1, "global")
                        || is(1, "session") && is(2, "authorization")) =>
            {
                read.add(&rule::SQL_PRIVILEGE)
            }
            "exec" | "execute" | "call" if first => {
                let name = word(at + 1).to_ascii_lowercase();
                if is(at + 1, "immediate")
                    || name.contains("xp_")
                    || name.contains("sp_oa")
                    || name.contains("sp_execute")
                    || name.contains("sp_configure")
                    || word(at + 1) == "("
                    || tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Text)
                {
                    read.add(&rule::SQL_DANGEROUS);
                }
            }
            "copy" if at == 0 => {
                let file = tokens.windows(2).any(|pair| matches!(pair, [a, b] if (a.text.eq_ignore_ascii_case("to") || a.text.eq_ignore_ascii_case("from")) && (b.kind == Kind::Text || b.text.starts_with('/') || b.text == "/")));
                if has("program") || file {
                    read.add(&rule::SQL_DANGEROUS);
                }
            }
            "outfile" | "dumpfile" if is(at - 1, "into") => read.add(&rule::SQL_DANGEROUS),
            "load" if at == 0 && (is(1, "data") || is(1, "xml") || word(1).starts_with('\'')) => {
                read.add(&rule::SQL_DANGEROUS)
            }
            "attach" if at == 0 => read.add(&rule::SQL_DANGEROUS),
            "pragma" if at == 0 && has("writable_schema") => read.add(&rule::SQL_DANGEROUS),
            "shutdown" if at == 0 => read.add(&rule::DATABASE_DESTROY),
            "bulk" if is(at + 1, "insert") => read.add(&rule::SQL_DANGEROUS),
            "alter"
                if at == 0
                    && (is(1, "system")
                        || is(1, "database") && words.iter().any(|word| word.eq_ignore_ascii_case("offline"))) =>
            {
                read.add(&rule::SQL_DANGEROUS)
            }
            "disable" if is(at + 1, "trigger") || is(at + 1, "row") => read.add(&rule::SQL_DANGEROUS),
            "language"
                if at > 0
                    && ["plpythonu", "plpython3u", "plperlu", "c"]
                        .iter()
                        .any(|own| is(at + 1, own)) =>
            {
                read.add(&rule::SQL_DANGEROUS)
            }
            _ if word(at + 1) == "(" && is_dangerous_function(&lower) => read.add(&rule::SQL_DANGEROUS),
            _ if at == 0 && (lower.starts_with("xp_") || lower.starts_with("sp_oa")) => read.add(&rule::SQL_DANGEROUS),
            _ => {}
        }
    }
}

fn drop(words: &[&str], at: usize, read: &mut Read, temporary: &[String]) {
    let word = |at: usize| words.get(at).copied().unwrap_or_default().to_ascii_lowercase();
    let what = word(at + 1);
    let mut name_at = at + 2;
    if word(name_at) == "if" {
        name_at += 2;
    }
    match what.as_str() {
        "temporary" | "temp" => {}
        "user" | "role" | "login" | "owned" => read.add(&rule::SQL_PRIVILEGE),
        "not" | "default" | "identity" | "expression" => {}
        _ if temporary.contains(&word(name_at)) => {}
        "" => {}
        _ => read.add(&rule::DATABASE_DESTROY),
    }
}

/// Whether a DELETE or UPDATE is limited: it has a WHERE (or a join) that is not always true.
fn has_condition(tokens: &[Token<'_>], from: usize) -> bool {
    let rest = tokens.get(from..).unwrap_or_default();
    let Some(at) = rest.iter().position(|token| token.text.eq_ignore_ascii_case("where")) else {
        return rest.iter().any(|token| token.text.eq_ignore_ascii_case("limit"));
    };
    let condition = rest.get(at + 1..).unwrap_or_default();
    !condition.is_empty() && !condition::always_true(condition)
}

/// An UPDATE of who somebody is or may do, for all of a kind.
fn sensitive(tokens: &[Token<'_>], from: usize) -> bool {
    let rest = tokens.get(from..).unwrap_or_default();
    let where_at = rest
        .iter()
        .position(|token| token.text.eq_ignore_ascii_case("where"))
        .unwrap_or(rest.len());
    let (head, condition) = (
        rest.get(..where_at).unwrap_or_default(),
        rest.get(where_at..).unwrap_or_default(),
    );
    let names = [
        "password",
        "passwd",
        "pwd",
        "password_hash",
        "role",
        "is_admin",
        "admin",
        "is_superuser",
        "permissions",
        "privileges",
        "api_key",
        "secret",
    ];
    let column = |token: &Token<'_>| names.iter().any(|own| token.text.eq_ignore_ascii_case(own));
    let sets = head
        .windows(2)
        .any(|pair| matches!(pair, [name, sign] if column(name) && sign.text == "="));
    sets && condition.iter().any(|token| {
        ["role", "is_admin", "admin", "is_superuser", "group"]
            .iter()
            .any(|own| token.text.eq_ignore_ascii_case(own))
    })
}

fn is_dangerous_function(name: &str) -> bool {
    matches!(
        name,
        "load_file"
            | "pg_read_file"
            | "pg_read_binary_file"
            | "pg_ls_dir"
            | "pg_stat_file"
            | "lo_import"
            | "lo_export"
            | "pg_terminate_backend"
            | "pg_cancel_backend"
            | "pg_reload_conf"
            | "sys_exec"
            | "sys_eval"
            | "xp_cmdshell"
            | "xp_regread"
            | "xp_dirtree"
            | "openrowset"
            | "opendatasource"
            | "load_extension"
            | "readfile"
            | "writefile"
            | "edit"
            | "fts3_tokenizer"
            | "dblink"
            | "dblink_exec"
            | "dblink_connect"
            | "query_to_xml"
            | "sleep"
            | "pg_sleep"
            | "benchmark"
            | "utl_http"
            | "extractvalue"
            | "updatexml"
            | "sp_executesql"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        statements(text).rules.iter().map(|rule| rule.code()).collect()
    }

    #[test]
    fn statements_that_destroy_are_found_in_any_spelling() {
        for text in [
            "DROP TABLE x",
            "drop/**/table x",
            "SELECT 1; DROP DATABASE x",
            "/*!50000 DROP*/ TABLE x",
            "TRUNCATE x",
            "ALTER TABLE x DROP COLUMN y",
            "-- a\nDROP SCHEMA public CASCADE",
        ] {
            assert_eq!(codes(text), ["database_destroy"], "{text}");
        }
        for text in [
            "DELETE FROM x",
            "DELETE FROM x WHERE 1=1",
            "UPDATE x SET a = 1",
            "UPDATE x SET a=1 WHERE true",
            "WITH y AS (DELETE FROM x RETURNING *) SELECT 1",
            "DELETE FROM x WHERE 'a'='a' OR id=1",
        ] {
            assert_eq!(codes(text), ["sql_no_condition"], "{text}");
        }
    }

    #[test]
    fn mentions_and_ordinary_work_pass() {
        for text in [
            "SELECT 'DROP TABLE x'",
            "/* TRUNCATE x */ SELECT 1",
            "SELECT truncate(a, 2) FROM x",
            "DELETE FROM x WHERE id = 1",
            "UPDATE x SET a = 1 WHERE id = 2",
            "CREATE TEMP TABLE t(a int); DROP TABLE t",
            "SELECT drop_date, \"delete\" FROM x",
            "CREATE TABLE c (a int REFERENCES b ON DELETE CASCADE ON UPDATE CASCADE)",
            "SELECT * FROM x FOR UPDATE",
            "INSERT INTO x VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
            "ALTER TABLE x ALTER COLUMN y DROP NOT NULL",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }
}
