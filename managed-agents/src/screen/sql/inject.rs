//! SQL inside arguments that should be plain values (CWE-89).

use super::condition::compares_literals;
use super::token::{Kind, Token, tokens};
use super::whole::{
    CALLS, CATALOGUES, asks_document, asks_function, is_called, is_statement, is_statement_words, stands_alone,
};
use crate::screen::path;
use crate::screen::text;
use crate::screen::words::Words;

/// Functions and tables that only a database has, or that its attackers call.
static FUNCTIONS: Words = Words::new(&[
    "waitfor delay",
    "utl_inaddr",
    "utl_http",
    "dbms_pipe",
    "dbms_lock",
    "xp_cmdshell",
    "xp_regread",
    "xp_dirtree",
    "load_file(",
    "extractvalue(",
    "updatexml(",
    "ascii(substr",
    "substring(@@",
    "@@version",
    "@@servername",
    "current_setting(",
    "current_database(",
    "information_schema",
    "sysobjects",
    "syscolumns",
    "sysusers",
    "syscat.",
    "sysibm.",
    "pg_shadow",
    "pg_user",
    "pg_catalog",
    "mysql.user",
    "all_tables",
    "sqlite_master",
    "sp_password",
    "sp_who",
    "into outfile",
    "into dumpfile",
    "randomblob(",
    "serverproperty(",
    "db_name(",
    "user_name(",
    "is_srvrolemember",
    "openrowset(",
    "ctxsys.",
    "v$version",
    "v$instance",
    "master..",
    "/*!",
    "elt(",
    "make_set(",
    "procedure analyse",
    "group_concat(",
    "unhex(",
    "regexp_substring",
    "exec(",
    "database()",
    "version()",
]);
static CATALOGUES_OF_ALL: Words = Words::new(&CATALOGUES);
static CALLS_OF_ALL: Words = Words::new(&CALLS);

/// Whether a value of an ordinary argument holds SQL, or breaks out of a string in SQL.
pub(in crate::screen) fn injected(value: &str) -> bool {
    if value.len() < 3 || value.len() > 16 * 1024 || names_one_thing(value) {
        return false;
    }
    // most values are settled by their letters
    if !value.bytes().any(|byte| {
        matches!(
            byte,
            b'\\' | b'\'' | b'"' | b';' | b'(' | b'=' | b'#' | b'*' | b'@' | b'%' | b'|' | b'-'
        ) || byte >= 0x80
    }) {
        if !value.contains([' ', '\t', '\n']) {
            return false;
        }
        let lower = value.to_ascii_lowercase();
        return stands_alone(&lower)
            || CATALOGUES_OF_ALL.are_in(&lower)
            || is_statement(value)
            || contains_word(&lower, "union select")
            || contains_word(&lower, "union all select");
    }
    // one sign that ends a string or a statement, stuck to a plain word
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if value.strip_suffix(';').is_some_and(plain)
        || value
            .strip_prefix('\'')
            .is_some_and(|rest| plain(rest) && rest.len() > 3)
        || value.trim_end().ends_with(";--")
    {
        return true;
    }
    if breaks_alone(value) || stands_alone(value) {
        return true;
    }
    // what holds none of these is no other text when it is decoded, as most prose is none
    let encoded = |byte: u8| matches!(byte, b'%' | b'\\' | b'+') || byte >= 0x80;
    if !value.bytes().any(encoded) {
        return fragment(value);
    }
    let mut plain = path::percent(value).into_owned();
    for _ in 0..2 {
        plain = path::percent(&plain).into_owned();
    }
    let decoded = super::super::shell::escapes::ansi_c(&plain)
        .replace('+', " ")
        .replace(['\u{2032}', '\u{2018}', '\u{2019}', '\u{b4}'], "'")
        .replace(['\u{2013}', '\u{2014}'], "--");
    fragment(value) || (decoded != value && fragment(&decoded))
}

/// A name, an address, a date, a number, a path: one word without a sign that SQL could begin or end at.
fn names_one_thing(value: &str) -> bool {
    let mut previous = b' ';
    value.bytes().all(|byte| {
        // `--` begins a comment, and `@@` a variable of the database
        let doubled = byte == previous && matches!(byte, b'-' | b'@');
        previous = byte;
        !doubled && (byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b':' | b'/'))
    })
}

/// Quotes with nothing between them but an operator: `'-'`, `' like '`, `'=''or'`. They turn a comparison into another.
fn breaks_alone(value: &str) -> bool {
    let value = value.trim();
    let quote = match value.as_bytes() {
        [first @ (b'\'' | b'"'), .., last] if first == last && value.len() <= 24 => char::from(*first),
        _ => return false,
    };
    let inside = value.trim_matches(quote).replace(quote, " ").to_ascii_lowercase();
    inside.split_whitespace().all(|word| {
        matches!(
            word,
            "or" | "and" | "xor" | "like" | "div" | "mod" | "in" | "is" | "not"
        ) || word.chars().all(|c| "-&^*=|+<>!%/".contains(c))
    }) && (quote == '\'' || !inside.trim().is_empty() || value.len() == 3)
}

fn fragment(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let (found, broken) = tokens(value);
    let sign = |text: &str| value.contains(text);
    // a comment that would cut off the rest of a statement, behind a quote or bracket that closes what was open
    let quoted = value.contains(['\'', '"']);
    let ends = lower.trim_end().ends_with("--")
        || lower.trim_end().ends_with('#')
        || lower.trim_end().ends_with("/*")
        || lower.contains("-- ")
        || lower.trim_end().ends_with("--+");
    let has = |names: &[&str]| names.iter().any(|name| contains_word(&lower, name));
    if FUNCTIONS.are_in(&lower) && (value.contains(['(', '@', '*', '.']) || lower.contains("delay")) {
        return true;
    }
    if CATALOGUES_OF_ALL.are_in(&lower)
        || CALLS_OF_ALL.are_in(&lower)
        || [
            "sleep(",
            "benchmark(",
            "char(",
            "chr(",
            "concat(",
            "substring(",
            "substr(",
        ]
        .iter()
        .any(|own| {
            is_called(&lower, own)
                && (lower.contains("select") || !matches!(*own, "concat(" | "substring(" | "substr("))
        })
    {
        return true;
    }
    // each of them holds one of three words
    let may_have = ["select", "sleep", "exec"].iter().any(|word| text::holds(&lower, word));
    if may_have
        && has(&[
            "union select",
            "union all select",
            "or sleep",
            "and sleep",
            "exec sp_",
            "exec xp_",
            "union distinct select",
        ])
        || lower.contains("union(select")
        || lower.contains("/**/")
        || lower.contains("xp_")
        || asks_function(&lower)
        || asks_document(value)
        || compares_literals(&found)
        || joined_literals(&lower)
    {
        return true;
    }
    if found.split(|token| token.kind == Kind::Semicolon).any(|statement| {
        let text: Vec<&str> = statement.iter().map(|token| token.text.as_ref()).collect();
        is_statement_words(&text)
    }) {
        return true;
    }
    // behind the quote that closes the value: a statement, a condition, or a comment
    if let Some(at) = value.find(['\'', '"']) {
        let behind = value.get(at + 1..).unwrap_or_default();
        let before = value.get(..at).unwrap_or_default();
        if before.split_whitespace().count() <= 2 && breaks_out(behind, ends, broken) {
            return true;
        }
    }
    if starts_condition(&lower) && (ends || quoted || value.contains('=') || value.contains('(')) {
        return true;
    }
    if lower.trim_start().starts_with([')', ';', ',', '"', '\''])
        && (ends || sign("="))
        && quoted_or_condition(&lower, &found)
    {
        return true;
    }
    if ends && quoted && value.len() < 400 && !lower.contains("http") && behind_comment(&lower) {
        return true;
    }
    if lower.trim_start().starts_with("select ")
        && (found.len() <= 6 && (value.contains("@@") || value.trim_end().ends_with(';'))
            || lower.contains(" from ") && value.contains(['*', ',', '=', ';']))
    {
        return true;
    }
    false
}

/// `1or1=1`: a condition without a blank.
fn joined_literals(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    ["or", "and"].iter().any(|join| {
        lower.match_indices(join).take(16).any(|(at, _)| {
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            let behind = lower.get(at + join.len()..).unwrap_or_default();
            let number = behind.bytes().take_while(u8::is_ascii_digit).count();
            before.is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'\'' | b'"' | b')'))
                && number > 0
                && behind
                    .get(number..)
                    .is_some_and(|rest| rest.starts_with(['=', '<', '>']))
        })
    })
}

fn behind_comment(lower: &str) -> bool {
    let cut = lower
        .rfind("--")
        .or_else(|| lower.rfind('#'))
        .or_else(|| lower.rfind("/*"))
        .unwrap_or(0);
    lower.get(..cut).is_some_and(|before| {
        before.trim_end().ends_with(['\'', '"', ')', ';', '>']) || before.contains("';") || before.contains("\";")
    })
}

fn quoted_or_condition(lower: &str, found: &[Token<'_>]) -> bool {
    lower.contains(['\'', '"'])
        && found.iter().any(|token| {
            ["or", "and", "having", "where", "like", "select", "null"]
                .iter()
                .any(|own| token.text.eq_ignore_ascii_case(own))
        })
        || contains_word(lower, "null")
}

/// What stands behind the quote that closes a value.
fn breaks_out(behind: &str, ends: bool, broken: bool) -> bool {
    let trimmed = behind.trim_start_matches([')', ' ', '\'', '"', '\t', '\n', '%', '\\']);
    let lower = trimmed.to_ascii_lowercase();
    let first: String = lower
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    let keyword = matches!(
        first.as_str(),
        "or" | "and"
            | "union"
            | "having"
            | "group"
            | "order"
            | "where"
            | "like"
            | "xor"
            | "select"
            | "insert"
            | "update"
            | "delete"
            | "drop"
            | "exec"
            | "execute"
            | "grant"
            | "create"
            | "alter"
            | "waitfor"
            | "shutdown"
            | "if"
            | "into"
            | "procedure"
            | "declare"
            | "desc"
            | "not"
            | "between"
            | "in"
            | "is"
            | "div"
            | "rlike"
            | "regexp"
    );
    let rest = lower.get(first.len()..).unwrap_or_default();
    let closes = ends || broken || rest.contains(['\'', '"', '=', '(', '<', '>']);
    let condition = matches!(
        first.as_str(),
        "or" | "and" | "xor" | "having" | "where" | "like" | "in" | "is" | "between" | "rlike" | "regexp" | "not"
    );
    if keyword
        && closes
        && (!condition
            || rest.contains(['=', '<', '>', '('])
            || rest.contains("like")
            || rest.contains(" is ")
            || ends
            || contains_word(rest, "true"))
    {
        return true;
    }
    if lower.starts_with(';') {
        let statement = lower.trim_start_matches([';', ' ']);
        let word: String = statement.chars().take_while(char::is_ascii_alphabetic).collect();
        return ends
            || matches!(
                word.as_str(),
                "select"
                    | "insert"
                    | "update"
                    | "delete"
                    | "drop"
                    | "exec"
                    | "execute"
                    | "grant"
                    | "create"
                    | "alter"
                    | "waitfor"
                    | "shutdown"
                    | "if"
                    | "declare"
                    | "begin"
                    | "use"
                    | "desc"
                    | "call"
                    | "set"
                    | "truncate"
            );
    }
    if lower.starts_with("||") || lower.starts_with("+") && lower.contains(['\'', '(']) {
        return true;
    }
    (lower.starts_with("--") || lower.starts_with('#') || lower.starts_with("/*")) && behind.len() < 64
}

/// A value that begins as the continuation of a condition.
fn starts_condition(lower: &str) -> bool {
    let trimmed = lower.trim_start_matches([')', ' ', '\'', '"', '%']);
    let mut words = trimmed.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let operand = second
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_digit() || matches!(c, '\'' | '"' | '(' | '@'));
    match first {
        "or" | "and" | "xor" | "||" | "&&" | "having" | "where" | "rlike" | "regexp" => {
            operand || second.contains(['=', '('])
        }
        _ if first.starts_with("if(") => trimmed.contains("select") || trimmed.contains(" else "),
        "order" | "group" => second == "by" && (trimmed.contains(['(', '-', '#']) || trimmed.split(',').count() > 2),
        _ => false,
    }
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).take(32).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(|c| c.is_ascii_alphanumeric())
            && !after.is_some_and(|c| c.is_ascii_alphanumeric() && word.ends_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

#[cfg(test)]
mod tests;
