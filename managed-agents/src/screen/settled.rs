//! What is settled before any call: how a tool's arguments are read, by their names; and which values then need no reading.
//!
//! Most calls of ordinary tools give plain words and numbers. Those are let through from their canonical bytes alone.

use super::bulk;
use super::names::{Kinds, Nature};
use crate::call::{ArgumentMeta, ToolMeta};

/// The longest text that is settled without reading.
const LONGEST: usize = 1024;
/// From which length on what is sent may hold a key (`secret::find`).
const KEY: usize = 16;

/// First words of statements and conditions, where plain words are judged as SQL; in order, so that few are looked at.
const STATEMENTS: [u128; 29] = sorted([
    word(b"select"),
    word(b"insert"),
    word(b"update"),
    word(b"delete"),
    word(b"drop"),
    word(b"create"),
    word(b"alter"),
    word(b"truncate"),
    word(b"union"),
    word(b"waitfor"),
    word(b"exec"),
    word(b"execute"),
    word(b"grant"),
    word(b"copy"),
    word(b"bulk"),
    word(b"shutdown"),
    word(b"declare"),
    word(b"or"),
    word(b"and"),
    word(b"xor"),
    word(b"order"),
    word(b"group"),
    word(b"show"),
    word(b"desc"),
    word(b"describe"),
    word(b"attach"),
    word(b"detach"),
    word(b"load"),
    word(b"reconfigure"),
]);

const BEGINNINGS: Beginnings = Beginnings::of(&STATEMENTS);

/// What the names of a tool and its arguments say.
pub(super) struct Settled {
    pub(super) kinds: Kinds,
    /// The keys, as they stand in canonical form and in its order, of arguments that hold values or prose, and nothing that
    /// runs, is asked or opened.
    plain: Vec<Box<[u8]>>,
}

impl Settled {
    pub(super) fn of(tool: &ToolMeta) -> Self {
        Self::new(tool.name(), tool.arguments())
    }

    fn new(tool: &str, arguments: &[ArgumentMeta]) -> Self {
        let kinds = Kinds::of_tool(tool);
        let is_plain = |name: &str| {
            let mut own = arguments.iter().filter(|argument| argument.name == name);
            let declared = own.any(|argument| argument.kind.is_some());
            let values = ["", "x", "x x"];
            let free = |text: &&str| matches!(kinds.of(name, text), Nature::Plain | Nature::Free);
            !declared
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && values.iter().all(free)
                && !kinds.is_command(name)
                && !bulk::counts(&kinds, name)
        };
        let names = arguments.iter().map(|argument| argument.name);
        let mut plain: Vec<&str> = names.filter(|name| is_plain(name)).collect();
        plain.sort_unstable();
        plain.dedup();
        Self {
            plain: plain
                .iter()
                .map(|name| format!("\"{name}\":").into_bytes().into())
                .collect(),
            kinds,
        }
    }

    /// Whether no check can find anything in these arguments, in canonical form; often no even so.
    pub(super) fn says_nothing(&self, arguments: &[u8]) -> bool {
        self.members(arguments).is_some()
    }

    /// Some, if the object has only plain members.
    fn members(&self, arguments: &[u8]) -> Option<()> {
        let mut rest = arguments.strip_prefix(b"{")?;
        if rest == b"}" {
            return Some(());
        }
        let mut plain = self.plain.iter();
        loop {
            // keys are in order, and none is there twice
            let behind = plain.find_map(|key| rest.strip_prefix(&**key))?;
            rest = self.value(behind)?;
            match rest.split_first()? {
                (b',', more) => rest = more,
                (b'}', []) => return Some(()),
                _ => return None,
            }
        }
    }

    /// What stands behind a value that needs no reading.
    fn value<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(inside) = bytes.strip_prefix(b"\"") {
            let (value, behind) = text(inside)?;
            let may_be_key = self.kinds.sends && value.len() >= KEY;
            return (!may_be_key && value.len() <= LONGEST && !is_statement(value)).then_some(behind);
        }
        // numbers, `true`, `false` and `null`
        let length = bytes
            .iter()
            .position(|byte| sign(*byte) & (LETTER | DIGIT | POINT) == 0)?;
        (length > 0).then(|| bytes.get(length..))?
    }
}

// what a byte is: in a text, and in a number

const LETTER: u8 = 1;
const DIGIT: u8 = 1 << 1;
/// A sign of numbers: `-`, `+` or `.`.
const POINT: u8 = 1 << 2;
/// Something may begin with it that SQL knows: a `-`, or one of some letters.
const WATCHED: u8 = 1 << 3;
/// A space or a `-`.
const GAP: u8 = 1 << 4;
const UNDERSCORE: u8 = 1 << 5;
/// A text ends with it, or it has no place in one that needs no reading.
const ENDS: u8 = 1 << 6;

const SIGNS: [u8; 256] = {
    let mut signs = [ENDS; 256];
    let mut byte = 0;
    while byte < signs.len() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::indexing_slicing,
            reason = "below 256, when compiled"
        )]
        {
            signs[byte] = match byte as u8 {
                b'-' => POINT | WATCHED | GAP,
                b'+' | b'.' => POINT | ENDS,
                b' ' => GAP,
                b'_' => UNDERSCORE,
                b'0'..=b'9' => DIGIT,
                b'u' | b'U' | b's' | b'S' | b'd' | b'D' | b'l' | b'L' => LETTER | WATCHED,
                b'a'..=b'z' | b'A'..=b'Z' => LETTER,
                _ => ENDS,
            };
        }
        byte += 1;
    }
    signs
};

#[inline(always)]
fn sign(byte: u8) -> u8 {
    SIGNS.get(usize::from(byte)).copied().unwrap_or(ENDS)
}

/// A text of letters, digits, spaces, `_` and `-`, and what stands behind its closing quote. It leads nowhere, since it has
/// no `/`, `.` or `:`, and it quotes, closes, joins and calls nothing. Nor has it both a `_` and a gap, as the names of a
/// database's own tables in a statement have.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut rest, mut seen) = (bytes, 0);
    loop {
        let (&byte, behind) = rest.split_first()?;
        let sign = sign(byte);
        if sign & ENDS != 0 {
            let value = bytes.get(..bytes.len() - rest.len())?;
            let is_free = byte == b'"' && seen & (GAP | UNDERSCORE) != GAP | UNDERSCORE;
            return is_free.then_some((value, behind));
        }
        if sign & WATCHED != 0 && begins_something(rest) {
            return None;
        }
        seen |= sign;
        rest = behind;
    }
}

/// Whether a comment begins here, or a word of those that SQL knows anywhere: `union`, `sleep`, `delay`, `like`, or the
/// names of a system's own tables.
fn begins_something(bytes: &[u8]) -> bool {
    let follows = |word: &[u8]| {
        let own = bytes.get(..word.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(word))
    };
    let Some(&[first, second]) = bytes.first_chunk() else {
        return false;
    };
    match &[first | 0x20, second | 0x20] {
        b"--" => true,
        b"un" => follows(b"union"),
        b"sl" => follows(b"sleep"),
        b"sy" => follows(b"sys") && !follows(b"syst"),
        b"li" => follows(b"like"),
        b"de" => follows(b"delay"),
        _ => false,
    }
}

/// Whether a text of those signs begins as a statement or condition does.
fn is_statement(value: &[u8]) -> bool {
    let value = match value.first() {
        Some(b' ') => value.trim_ascii_start(),
        _ => value,
    };
    let letters = value.iter().take_while(|byte| sign(**byte) & LETTER != 0).count();
    BEGINNINGS.may_be(value, letters) && STATEMENTS.binary_search(&as_word(value, letters)).is_ok()
}

/// The first letters of a text as a number.
fn as_word(value: &[u8], letters: usize) -> u128 {
    let letters = value.iter().take(letters);
    letters.fold(0, |word, byte| word << 8 | u128::from(byte.to_ascii_lowercase()))
}

/// What tells most words from all statements at a glance: for each first letter, how long they are and what their third letter
/// is, one bit each.
struct Beginnings {
    lengths: [u32; 32],
    thirds: [u32; 32],
}

impl Beginnings {
    #[expect(clippy::indexing_slicing, reason = "when compiled")]
    const fn of(words: &[u128]) -> Self {
        let (mut lengths, mut thirds) = ([0; 32], [0; 32]);
        let mut at = 0;
        while at < words.len() {
            let length = 16 - words[at].leading_zeros() / 8;
            let first = (words[at] >> ((length - 1) * 8)) as usize & 31;
            lengths[first] |= 1 << length;
            if length > 2 {
                thirds[first] |= 1 << (words[at] >> ((length - 3) * 8) & 31);
            }
            at += 1;
        }
        Self { lengths, thirds }
    }

    /// Whether the first letters of a text may be one of the words; never no where they are.
    #[inline]
    fn may_be(&self, value: &[u8], letters: usize) -> bool {
        let bits = |table: &[u32; 32], letter: u8| table.get(usize::from(letter & 31)).copied().unwrap_or_default();
        match value {
            _ if !(2..=16).contains(&letters) => false,
            [first, _, third, ..] if letters > 2 => {
                bits(&self.lengths, *first) >> letters & bits(&self.thirds, *first) >> (third & 31) & 1 != 0
            }
            [first, ..] => bits(&self.lengths, *first) >> letters & 1 != 0,
            [] => false,
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "when compiled")]
const fn sorted<const N: usize>(mut words: [u128; N]) -> [u128; N] {
    let mut end = 1;
    while end < N {
        let mut at = end;
        while at > 0 && words[at - 1] > words[at] {
            words.swap(at - 1, at);
            at -= 1;
        }
        end += 1;
    }
    words
}

/// A word of at most sixteen small letters as a number.
const fn word(mut letters: &[u8]) -> u128 {
    let mut word = 0;
    while let [first, rest @ ..] = letters {
        word = word << 8 | *first as u128;
        letters = rest;
    }
    word
}

#[cfg(test)]
mod tests {
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
            assert!(!is_statement(&word[1..]) || STATEMENTS.contains(&as_word(&word[1..], word.len() - 1)));
        }
        let words = [
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
        ];
        for word in words {
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
}
