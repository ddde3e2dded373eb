//! The members of a JSON object as slices of its text: no tree is built.

use std::borrow::Cow;

/// How deep values may nest; more than any call or entry does.
const MAX_DEPTH: u8 = 96;

/// Members of one JSON object without white space, as key and value in the bytes of the text. The text is checked on the
/// way: what is no JSON ends the members with [`NotJson`].
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Before,
    Inside,
    Ended,
}

/// The text is no JSON object without white space, or nests too deep.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NotJson;

impl<'a> Members<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            state: State::Before,
        }
    }

    fn member(&mut self) -> Option<Option<(&'a str, &'a str)>> {
        let scan = Scan(self.text.as_bytes());
        if self.state == State::Before {
            self.at = scan.expect(0, b'{')?;
            if scan.peek(self.at) == Some(b'}') {
                return self.end();
            }
        } else {
            match scan.peek(self.at)? {
                b'}' => return self.end(),
                b',' => self.at += 1,
                _ => return None,
            }
        }
        self.state = State::Inside;
        let key_end = scan.string(self.at)?;
        let key = self.text.get(self.at..key_end)?;
        let begin = scan.expect(key_end, b':')?;
        let end = scan.value(begin, 0)?;
        self.at = end;
        Some(Some((key, self.text.get(begin..end)?)))
    }

    fn end(&mut self) -> Option<Option<(&'a str, &'a str)>> {
        self.state = State::Ended;
        (self.at + 1 == self.text.len()).then_some(None)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<(&'a str, &'a str), NotJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Ended {
            return None;
        }
        match self.member() {
            Some(member) => member.map(Ok),
            None => {
                self.state = State::Ended;
                Some(Err(NotJson))
            }
        }
    }
}

/// The text of a JSON string, which [`Members`] has checked.
pub(crate) fn unescape(json: &str) -> Cow<'_, str> {
    match json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) {
        Some(inside) if !inside.contains('\\') => Cow::Borrowed(inside),
        // anything else than a string has no text
        _ => Cow::Owned(serde_json::from_str(json).unwrap_or_default()),
    }
}

/// Whether a byte of a string is none that stands for itself.
fn ends_run(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// Finds where values end; each step gives the place after what it has read, none where that is no JSON (RFC 8259).
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn peek(&self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn expect(&self, at: usize, byte: u8) -> Option<usize> {
        (self.peek(at)? == byte).then_some(at + 1)
    }

    fn value(&self, at: usize, depth: u8) -> Option<usize> {
        match self.peek(at)? {
            b'"' => self.string(at),
            b'{' => self.container(at, depth, b'}', |at, depth| {
                self.value(self.expect(self.string(at)?, b':')?, depth)
            }),
            b'[' => self.container(at, depth, b']', |at, depth| self.value(at, depth)),
            b't' => self.literal(at, b"true"),
            b'f' => self.literal(at, b"false"),
            b'n' => self.literal(at, b"null"),
            _ => self.number(at),
        }
    }

    fn container(
        &self,
        at: usize,
        depth: u8,
        close: u8,
        element: impl Fn(usize, u8) -> Option<usize>,
    ) -> Option<usize> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let mut at = at + 1;
        if self.peek(at)? == close {
            return Some(at + 1);
        }
        loop {
            at = element(at, depth + 1)?;
            match self.peek(at)? {
                b',' => at += 1,
                byte if byte == close => return Some(at + 1),
                _ => return None,
            }
        }
    }

    fn string(&self, at: usize) -> Option<usize> {
        let mut at = self.expect(at, b'"')?;
        loop {
            let rest = self.0.get(at..)?;
            // sixteen at once, without a branch for each: most strings are digits of digests
            let (chunks, _) = rest.as_chunks::<16>();
            let plain = chunks
                .iter()
                .take_while(|chunk| !chunk.iter().fold(false, |ends, &byte| ends | ends_run(byte)))
                .count();
            at += plain * 16;
            at += rest.get(plain * 16..)?.iter().position(|&byte| ends_run(byte))?;
            match self.peek(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at = self.escape(at + 1)?,
                _ => return None,
            }
        }
    }

    fn escape(&self, at: usize) -> Option<usize> {
        match self.peek(at)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
            b'u' => match self.hex(at + 1)? {
                0xd800..0xdc00 => {
                    let low = self.expect(self.expect(at + 5, b'\\')?, b'u')?;
                    (0xdc00..0xe000).contains(&self.hex(low)?).then_some(low + 4)
                }
                // half a pair is no character
                0xdc00..0xe000 => None,
                _ => Some(at + 5),
            },
            _ => None,
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        self.0
            .get(at..at + 4)?
            .iter()
            .try_fold(0, |number, &byte| Some(number * 16 + char::from(byte).to_digit(16)?))
    }

    fn literal(&self, at: usize, word: &[u8]) -> Option<usize> {
        self.0.get(at..)?.starts_with(word).then_some(at + word.len())
    }

    fn number(&self, at: usize) -> Option<usize> {
        let mut at = at + usize::from(self.peek(at)? == b'-');
        at = match self.peek(at)? {
            b'0' => at + 1,
            _ => self.digits(at)?,
        };
        if self.peek(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.peek(at) {
            at += 1 + usize::from(matches!(self.peek(at + 1), Some(b'+' | b'-')));
            at = self.digits(at)?;
        }
        Some(at)
    }

    /// At least one digit.
    fn digits(&self, at: usize) -> Option<usize> {
        let count = self
            .0
            .get(at..)?
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        (count > 0).then_some(at + count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Map, Value};

    /// What `serde_json` makes of the same text, were it to refuse white space.
    fn agrees(text: &str) {
        let ours: Result<Vec<_>, _> = Members::of(text).collect();
        let theirs = serde_json::from_str::<Map<String, Value>>(text);
        match ours {
            Ok(members) => {
                let theirs: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
                for (key, value) in &members {
                    let same = theirs.get(&*unescape(key)).unwrap();
                    // of a key that is given twice, `serde_json` keeps the last
                    let twice = members
                        .iter()
                        .filter(|(other, _)| unescape(other) == unescape(key))
                        .count()
                        > 1;
                    assert!(twice || same.get() == *value, "{text}");
                }
            }
            // deep nesting and numbers out of range are judged differently
            Err(NotJson) => {
                let spaced = theirs.is_ok() && serde_json::to_string(&theirs.unwrap()).unwrap() == text;
                assert!(!spaced, "{text}");
            }
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_members_are_those_that_serde_json_sees(members in prop::collection::vec((any::<String>(), json()), 0..8)) {
            let object: Map<String, Value> = members.into_iter().collect();
            let text = serde_json::to_string(&object).unwrap();
            let ours: Vec<_> = Members::of(&text).map(Result::unwrap).collect();
            prop_assert_eq!(ours.len(), object.len());
            for ((key, value), (their_key, their_value)) in ours.iter().zip(&object) {
                prop_assert_eq!(&*unescape(key), their_key);
                prop_assert_eq!(&serde_json::from_str::<Value>(value).unwrap(), their_value);
            }
        }

        #[test]
        fn broken_text_never_passes_for_an_object(
            members in prop::collection::vec((any::<String>(), json()), 1..4),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let object: Map<String, Value> = members.into_iter().collect();
            let mut text = serde_json::to_string(&object).unwrap().into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(text) = std::str::from_utf8(&text) {
                agrees(text);
            }
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "{",
            "}",
            "[]",
            "7",
            "{}{}",
            "{} ",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a": 1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":1e}"#,
            r#"{"a":+1}"#,
            r#"{"a":.5}"#,
            r#"{"a":nul}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00"}"#,
            r#"{"a":"\ud800\u0041"}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1}"#,
            r#"{"a":{"b"}}"#,
            "{\"a\":\"\n\"}",
        ] {
            assert!(Members::of(text).any(|member| member.is_err()), "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Members::of(&deep).any(|member| member.is_err()));
    }
}
