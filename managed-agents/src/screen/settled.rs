//! What is settled before any call: how a tool's arguments are read, by their names; and which values then need no reading.
//!
//! Most calls of ordinary tools give plain words and numbers. Those are let through from their canonical bytes alone.

use super::bulk;
use super::names::{Kinds, Nature};
use crate::call::{ArgumentMeta, Noted, ToolMeta};

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
    plain: Vec<Key>,
}

impl Noted for Settled {
    fn says_nothing(&self, arguments: &[u8]) -> bool {
        self.members(arguments).is_some()
    }
}

/// A key as it stands in canonical form: what many of them are compared with, first as one word.
struct Key {
    text: Box<[u8]>,
    /// Its first bytes, and zeros.
    first: u64,
    /// All bits of those bytes.
    mask: u64,
}

impl Key {
    const WORD: usize = size_of::<u64>();

    fn new(name: &str) -> Self {
        let text = format!("\"{name}\":").into_bytes();
        let word = |byte: fn(u8) -> u8| {
            let mut word = [0; Self::WORD];
            for (place, own) in word.iter_mut().zip(&text) {
                *place = byte(*own);
            }
            u64::from_ne_bytes(word)
        };
        Self {
            first: word(|byte| byte),
            mask: word(|_| u8::MAX),
            text: text.into(),
        }
    }

    /// What stands behind the key.
    #[inline(always)]
    fn strip<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if let Some(first) = bytes.first_chunk() {
            if (u64::from_ne_bytes(*first) ^ self.first) & self.mask != 0 {
                return None;
            }
            if self.text.len() <= Self::WORD {
                return bytes.get(self.text.len()..);
            }
        }
        bytes.strip_prefix(&*self.text)
    }
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
            plain: plain.into_iter().map(Key::new).collect(),
            kinds,
        }
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
            let behind = plain.find_map(|key| key.strip(rest))?;
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
// by itself, so that its loops have the registers
#[inline(never)]
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut seen = 0;
    let length = bytes.iter().position(|byte| {
        let sign = sign(*byte);
        seen |= sign;
        sign & ENDS != 0
    })?;
    let (value, behind) = bytes.split_at_checked(length)?;
    let (end, behind) = behind.split_first()?;
    if *end != b'"' || seen & (GAP | UNDERSCORE) == GAP | UNDERSCORE {
        return None;
    }
    if seen & WATCHED != 0 && is_watched_for(value) {
        return None;
    }
    Some((value, behind))
}

/// Whether something begins anywhere in a text that SQL knows.
fn is_watched_for(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some((byte, behind)) = rest.split_first() {
        if sign(*byte) & WATCHED != 0 && begins_something(rest) {
            return true;
        }
        rest = behind;
    }
    false
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
        // most words that begin so go on otherwise
        _ if bytes.first_chunk().is_some_and(|four| !begins_word(*four)) => false,
        b"un" => follows(b"union"),
        b"sl" => follows(b"sleep"),
        b"sy" => follows(b"sys") && !follows(b"syst"),
        b"li" => follows(b"like"),
        b"de" => follows(b"delay"),
        _ => false,
    }
}

/// Whether the first four letters are those of one of these words.
#[inline(always)]
fn begins_word(four: [u8; 4]) -> bool {
    let four = u32::from_be_bytes(four) | 0x2020_2020;
    const fn word(letters: &[u8; 4]) -> u32 {
        u32::from_be_bytes(*letters)
    }
    const UNION: u32 = word(b"unio");
    const SLEEP: u32 = word(b"slee");
    const LIKE: u32 = word(b"like");
    const DELAY: u32 = word(b"dela");
    const SYS: u32 = word(b"\0sys");
    matches!(four, UNION | SLEEP | LIKE | DELAY) || four >> 8 == SYS
}

/// Whether a text of those signs begins as a statement or condition does.
fn is_statement(value: &[u8]) -> bool {
    let value = match value.first() {
        Some(b' ') => value.trim_ascii_start(),
        _ => value,
    };
    if BEGINNINGS.cannot_be(value) {
        return false;
    }
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

    /// Whether it is plain from its first and its third letter that a text begins with none of the words.
    #[inline]
    fn cannot_be(&self, value: &[u8]) -> bool {
        let bits = |letter: u8| self.thirds.get(usize::from(letter & 31)).copied().unwrap_or_default();
        match value {
            [first, second, third, ..] if sign(*second) & sign(*third) & LETTER != 0 => {
                bits(*first) >> (third & 31) & 1 == 0
            }
            _ => false,
        }
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
mod tests;
