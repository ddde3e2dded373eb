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

/// First words of statements and conditions, where plain words are judged as SQL.
const STATEMENTS: [u128; 29] = [
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
];

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
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')))?;
        (length > 0).then(|| bytes.get(length..))?
    }
}

/// What a byte in a text is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Sign {
    /// A letter, a digit, a space or `_`.
    Plain,
    /// One of those, or a `-`, with which something may begin that SQL knows.
    Watched,
    /// The end of the text.
    Quote,
    Other,
}

const SIGNS: [Sign; 256] = {
    let mut signs = [Sign::Other; 256];
    let mut byte = 0;
    while byte < signs.len() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::indexing_slicing,
            reason = "below 256, when compiled"
        )]
        {
            signs[byte] = match byte as u8 {
                b'"' => Sign::Quote,
                b'-' | b'u' | b'U' | b's' | b'S' | b'd' | b'D' | b'l' | b'L' => Sign::Watched,
                b' ' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Sign::Plain,
                _ => Sign::Other,
            };
        }
        byte += 1;
    }
    signs
};

/// A text of letters, digits, spaces, `_` and `-`, and what stands behind its closing quote. It leads nowhere, since it has
/// no `/`, `.` or `:`, and it quotes, closes, joins and calls nothing.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut signs = bytes.iter().enumerate();
    let length = loop {
        let (at, &byte) = signs.next()?;
        match SIGNS.get(usize::from(byte)).copied().unwrap_or(Sign::Other) {
            Sign::Plain => {}
            Sign::Watched if !begins_something(bytes.get(at..).unwrap_or_default()) => {}
            Sign::Quote => break at,
            Sign::Watched | Sign::Other => return None,
        }
    };
    let (value, behind) = bytes.split_at_checked(length)?;
    Some((value, behind.get(1..)?))
}

/// Whether a comment begins here, or a word of those that SQL knows anywhere: `union`, `sleep`, `delay`, `like`, or the
/// names of a system's own tables.
fn begins_something(bytes: &[u8]) -> bool {
    let follows = |word: &[u8]| {
        let own = bytes.get(..word.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(word))
    };
    match bytes.first() {
        Some(b'-') => follows(b"--"),
        Some(b'u' | b'U') => follows(b"union"),
        Some(b's' | b'S') => follows(b"sleep") || (follows(b"sys") && !follows(b"syst")),
        Some(b'l' | b'L') => follows(b"like"),
        Some(b'd' | b'D') => follows(b"delay"),
        _ => false,
    }
}

/// Whether a text of those signs begins as a statement or condition does, or may name a database's own table.
fn is_statement(value: &[u8]) -> bool {
    // names of a database's own tables have both
    if value.contains(&b'_') && value.iter().any(|byte| matches!(byte, b' ' | b'-')) {
        return true;
    }
    let letters = value
        .trim_ascii_start()
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic());
    let mut first = 0_u128;
    for (at, byte) in letters.enumerate() {
        if at == 16 {
            return false;
        }
        first = first << 8 | u128::from(byte.to_ascii_lowercase());
    }
    STATEMENTS.contains(&first)
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
mod tests;
