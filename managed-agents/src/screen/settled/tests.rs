use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::call::{ArgKind, CanonicalWriter, Judged};
use crate::screen::StandardScreen;

fn tool(name: &str, arguments: &[&'static str]) -> Settled {
    let plain = |name: &&'static str| ArgumentMeta {
        name,
        judged: Judged::Yes,
        kind: None,
        redact: &[],
    };
    Settled::new(name, &arguments.iter().map(plain).collect::<Vec<_>>())
}

fn is_settled(tool: &Settled, arguments: &Value) -> bool {
    let mut writer = CanonicalWriter::default();
    writer.value(arguments).unwrap();
    tool.says_nothing(&writer.finish())
}

#[test]
fn every_statement_is_known_by_its_beginning_and_few_other_words_are_looked_up() {
    let text = |word: u128| -> Vec<u8> { word.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect() };
    for word in STATEMENTS.map(text) {
        for value in [word.clone(), word.to_ascii_uppercase(), [&word, &b" x"[..]].concat()] {
            assert!(is_statement(&value), "{value:?}");
            assert!(is_statement(&[b" ", &value[..]].concat()));
            assert!(!is_statement(&[b"z", &value[..]].concat()));
        }
    }
    for word in [
        "alice",
        "bob",
        "",
        "x",
        "selects",
        "an apple",
        "drops",
        "orders",
        "7 or",
        "zzzzzzzzzzzzzzzzzz",
    ] {
        assert!(!is_statement(word.as_bytes()), "{word}");
    }
}

#[test]
fn ordinary_calls_need_no_reading() {
    let transfer = tool("transfer", &["cents", "from", "to"]);
    let account = "DE02 1203 0000 0000 20";
    assert!(is_settled(
        &transfer,
        &json!({"cents": 1250, "from": account, "to": "acct-00000000000000001"})
    ));
    let weather = tool("weather", &["city", "metric", "days"]);
    assert!(is_settled(
        &weather,
        &json!({"city": "New York", "days": -1.5, "metric": true})
    ));
    assert!(is_settled(&weather, &json!({})));
}

#[test]
fn what_may_mean_something_is_read() {
    for (name, argument, value) in [
        ("bash", "command", json!("ls")),
        ("run", "cmd", json!("ls")),
        ("db_query", "query", json!("x")),
        ("read_file", "path", json!("x")),
        ("http", "url", json!("x")),
        ("send_email", "to", json!("x")),
        ("post", "body", json!("0123456789abcdef")),
        ("f", "x", json!("drop table users")),
        ("f", "x", json!("1 union select 2")),
        ("f", "x", json!("a-- ")),
        ("f", "x", json!("a.b")),
        ("f", "x", json!("a+b")),
        ("f", "x", json!("pg_user x")),
        ("f", "x", json!("x-pg_user")),
        ("f", "x", json!("OR 1")),
        ("f", "x", json!(" Reconfigure")),
        ("f", "x", json!("\u{e9}")),
        ("f", "x", json!("a\\b")),
        ("f", "x", json!(["a"])),
        ("f", "x", json!({"y": "a"})),
        ("f", "files", json!("a")),
    ] {
        let tool = tool(name, &[argument]);
        assert!(
            !is_settled(&tool, &json!({ argument: value.clone() })),
            "{name}: {argument}: {value}"
        );
    }
    let declared = Settled::of(&ToolMeta::new("f").with_argument("x", ArgKind::Path));
    assert!(!is_settled(&declared, &json!({"x": "a"})));
    assert!(!is_settled(&tool("f", &["x"]), &json!({"y": "a"})));
    assert!(!is_settled(&tool("f", &["x"]), &json!("a")));
    for broken in [
        "",
        "{",
        r#"{"x""#,
        r#"{"x":"a""#,
        r#"{"x":"a"}}"#,
        r#"{"x":}"#,
        r#"{"x":"a",}"#,
    ] {
        assert!(!tool("f", &["x"]).says_nothing(broken.as_bytes()), "{broken}");
    }
}

const NAMES: [&str; 44] = [
    "to",
    "from",
    "cc",
    "recipients",
    "files",
    "paths",
    "events",
    "ids",
    "items",
    "messages",
    "email_ids",
    "command",
    "cmd",
    "argv",
    "args",
    "program",
    "script",
    "code",
    "query",
    "sql",
    "statement",
    "url",
    "callback",
    "path",
    "file",
    "name",
    "source",
    "target",
    "host",
    "body",
    "text",
    "title",
    "key",
    "amount",
    "x",
    "filePath",
    "run",
    "users",
    "shell",
    "line",
    "commandText",
    "input",
    "page",
    "website",
];
const TOOLS: [&str; 24] = [
    "transfer",
    "bash",
    "run_command",
    "sql_query",
    "db_query",
    "read_file",
    "write_file",
    "http_get",
    "send_email",
    "create_event",
    "calendar",
    "python",
    "node",
    "search",
    "f",
    "lookup",
    "delete_user",
    "share",
    "upload",
    "invite",
    "executeCode",
    "browser",
    "grep",
    "mail",
];
const WORDS: [&str; 72] = [
    "drop",
    "table",
    "union",
    "select",
    "all",
    "from",
    "where",
    "insert",
    "into",
    "values",
    "update",
    "set",
    "delete",
    "sleep",
    "delay",
    "waitfor",
    "exec",
    "execute",
    "sp_x",
    "xp_cmdshell",
    "or",
    "and",
    "xor",
    "having",
    "order",
    "by",
    "group",
    "like",
    "null",
    "grant",
    "to",
    "copy",
    "bulk",
    "shutdown",
    "declare",
    "create",
    "alter",
    "truncate",
    "user",
    "role",
    "1",
    "0",
    "2026",
    "a",
    "Z",
    "id_rsa",
    "etc",
    "passwd",
    "rm",
    "rf",
    "root",
    "pg_user",
    "DROP",
    "Union",
    "utl_http",
    "AKIA1234567890ABCDEF",
    "sk-0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u",
    "BEGIN",
    "PRIVATE KEY",
    "javascript",
    "http",
    "localhost",
    "metadata",
    "2130706433",
    "LS0gZHJvcA",
    "Li4vLi4vZXRjL3Bhc3N3ZA",
    "information_schema",
    "sysobjects",
    "procedure",
    "is",
    "true",
    "between",
];
const SIGNS: [&str; 14] = [" ", " ", " ", "-", "_", "", "--", ".", "/", ";", "'", "=", "@", ","];

/// Two words are what most statements begin with.
#[test]
fn pairs_of_words_that_are_not_read_say_nothing() {
    let settled = tool("f", &["x"]);
    let screen = StandardScreen::default();
    let mut passed = 0;
    for first in WORDS {
        for second in WORDS {
            for text in [
                format!("{first} {second}"),
                format!("7 {first} {second} t-1"),
                format!("- {first} {second} a"),
            ] {
                let arguments = json!({ "x": text });
                if is_settled(&settled, &arguments) {
                    passed += 1;
                    let screened = screen.check_value("f", &arguments);
                    assert!(screened.findings().is_empty(), "{text}: {:?}", screened.findings());
                }
            }
        }
    }
    assert!(passed > 5000, "{passed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn where_nothing_is_read_nothing_would_be_found(
        name in prop::sample::select(TOOLS.to_vec()),
        arguments in prop::collection::vec(
            (
                prop::sample::select(NAMES.to_vec()),
                prop::collection::vec((prop::sample::select(WORDS.to_vec()), prop::sample::select(SIGNS.to_vec())), 0..8),
                0..12_usize,
            ),
            1..4,
        ),
        free in "[ -~]{0,12}",
    ) {
        let mut map = Map::new();
        for (argument, words, shape) in &arguments {
            // mostly of harmless signs, so that much is settled
            let joined = words.iter().flat_map(|(word, sign)| {
                let sign = if *shape < 8 && !matches!(*sign, "-" | "_" | "") { " " } else { *sign };
                [*word, sign]
            });
            let value = match shape {
                11 => json!(words.len()),
                10 => json!(words.iter().map(|(word, _)| word).collect::<Vec<_>>()),
                9 => json!(free),
                _ => json!(joined.collect::<String>().trim_end()),
            };
            map.insert((*argument).to_owned(), value);
        }
        let meta = tool(name, &arguments.iter().map(|(argument, ..)| *argument).collect::<Vec<_>>());
        let arguments = Value::Object(map);
        if is_settled(&meta, &arguments) {
            let screened = StandardScreen::default().check_value(name, &arguments);
            prop_assert!(screened.findings().is_empty() && screened.is_understood(), "{}: {}: {:?}", name, arguments, screened.findings());
        }
    }
}
