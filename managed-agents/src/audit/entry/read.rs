//! Reading an entry back.

use std::borrow::Cow;
use std::ops::Range;

use super::commit::commitment;
use super::error::{EntryError, EntryErrorKind};
use super::scan::{Members, unescape};
use super::writer::push_base64url;
use super::{FORMAT, MAX_BYTES, Sealed};
use crate::audit::export::Untrusted;
use crate::calendar;

/// An entry as it stands in the log. Members that this version does not know are kept.
///
/// # Examples
///
/// ```
/// use managed_agents::audit::entry::Entry;
/// let bytes = br#"{"at":"2026-01-01T00:00:00.000000Z","seq":3,"type":"weather","v":"ma-entry/1","wind":12}"#;
/// let entry = Entry::parse(bytes.to_vec())?;
/// assert_eq!((entry.sequence(), entry.kind()), (3, "weather"));
/// assert_eq!(entry.raw("wind"), Some("12"));
/// # Ok::<_, managed_agents::audit::entry::EntryError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    text: String,
    members: Vec<(Range<u32>, Range<u32>)>,
    /// Whether any key is written with escapes.
    has_escaped_keys: bool,
    sequence: u64,
    at_micros: i64,
    kind: Range<u32>,
}

impl Entry {
    /// Reads an entry's bytes.
    ///
    /// What is refused: anything but one JSON object without white space whose keys are in order and given once, with
    /// `type`, `seq` and `at`, of the format `ma-entry/1`, of at most [`MAX_BYTES`].
    ///
    /// # Errors
    ///
    /// [`EntryErrorKind::Malformed`]; the message says what is wrong and repeats nothing.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, EntryError> {
        let bytes = bytes.into();
        if bytes.len() > MAX_BYTES {
            return Err(malformed("it is over 64 KiB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let mut members: Vec<(Range<u32>, Range<u32>)> = Vec::with_capacity(28);
        let mut last: Option<Cow<'_, str>> = None;
        let mut has_escaped_keys = false;
        for member in Members::of(&text) {
            let (key, value) = member.map_err(|_| malformed("it is no JSON object"))?;
            let name = unescape(key);
            has_escaped_keys |= matches!(name, Cow::Owned(_));
            if last.as_ref().is_some_and(|last| !in_order(last, &name)) {
                return Err(malformed("its keys are not in the order of RFC 8785"));
            }
            last = Some(name);
            members.push((within(&text, key), within(&text, value)));
        }
        drop(last);
        let mut entry = Self {
            text,
            members,
            has_escaped_keys,
            sequence: 0,
            at_micros: 0,
            kind: 0..0,
        };
        if entry.text("v").as_deref() != Some(FORMAT) {
            return Err(malformed("it is not of the format ma-entry/1"));
        }
        entry.sequence = entry.number("seq").ok_or_else(|| malformed("it has no sequence"))?;
        let at = entry.text("at").as_deref().and_then(calendar::parse_rfc3339);
        entry.at_micros = at.ok_or_else(|| malformed("it has no time"))?;
        let quoted = entry
            .raw("type")
            .and_then(|kind| kind.strip_prefix('"')?.strip_suffix('"'));
        let kind = quoted.filter(|kind| is_kind(kind));
        entry.kind = within(&entry.text, kind.ok_or_else(|| malformed("it has no type"))?);
        Ok(entry)
    }

    /// The entry's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The entry as JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.text
    }

    /// Its place in the log.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it happened, in microseconds since 1970.
    #[must_use]
    pub fn at_micros(&self) -> i64 {
        self.at_micros
    }

    /// When it happened, as RFC 3339 says it.
    #[must_use]
    pub fn at(&self) -> &str {
        self.raw("at").map_or("", |at| at.trim_matches('"'))
    }

    /// Its type: `decision`, `outcome`, or a statement's; at most 64 of `a-z0-9_`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.slice(&self.kind)
    }

    /// The agent that it is about.
    #[must_use]
    pub fn agent(&self) -> Option<Untrusted<'_>> {
        self.untrusted("agent")
    }

    /// The tool that was called.
    #[must_use]
    pub fn tool(&self) -> Option<Untrusted<'_>> {
        self.untrusted("tool")
    }

    /// The session of the call.
    #[must_use]
    pub fn session(&self) -> Option<Untrusted<'_>> {
        self.untrusted("session")
    }

    /// The evaluation.
    #[must_use]
    pub fn evaluation(&self) -> Option<Untrusted<'_>> {
        self.untrusted("evaluation")
    }

    /// The verdict: `allow`, `escalate` or `deny`.
    #[must_use]
    pub fn decision(&self) -> Option<Untrusted<'_>> {
        self.untrusted("decision")
    }

    /// What the harness made of the verdict.
    #[must_use]
    pub fn disposition(&self) -> Option<Untrusted<'_>> {
        self.untrusted("disposition")
    }

    /// How the call ended.
    #[must_use]
    pub fn outcome(&self) -> Option<Untrusted<'_>> {
        self.untrusted("outcome")
    }

    /// How long the body ran, in microseconds.
    #[must_use]
    pub fn duration_micros(&self) -> Option<u64> {
        self.number("duration_us")
    }

    /// The sequence of the entry that this one is about: of an outcome, its decision.
    #[must_use]
    pub fn about(&self) -> Option<u64> {
        self.number("about")
    }

    /// Whether the verdict was enforced; yes where the entry does not say.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.raw("enforced") != Some("false")
    }

    /// The code of every reason, the deciding one first.
    #[must_use]
    pub fn codes(&self) -> Vec<Untrusted<'_>> {
        self.list("codes")
    }

    /// The parameters that were not judged.
    #[must_use]
    pub fn not_judged(&self) -> Vec<Untrusted<'_>> {
        self.list("not_judged")
    }

    /// The ids of the policies that determined the verdict.
    #[must_use]
    pub fn policies(&self) -> Vec<Untrusted<'_>> {
        self.list("policies")
    }

    /// The text of a member that is a string, such as `certificate`, `digest` or `ticket`.
    #[must_use]
    pub fn untrusted(&self, key: &str) -> Option<Untrusted<'_>> {
        self.text(key).map(Untrusted::new)
    }

    /// A member that is an integer, such as `ucs`, in millionths.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        let raw = self.raw(key)?;
        // as RFC 8785 prints it: `01` and `1e3` are no sequence
        raw.parse().ok().filter(|number: &u64| number.to_string() == raw)
    }

    /// Any member as JSON text, known to this version or not.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&str> {
        let text = self.text.as_bytes();
        let is_it = |name: &Range<u32>| {
            // most keys are written as they are
            let quoted = text.get(name.start as usize..name.end as usize);
            quoted.and_then(|quoted| quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")) == Some(key.as_bytes())
        };
        let plain = || self.members.iter().find(|(name, _)| is_it(name));
        if !key.contains('\\')
            && let Some((_, value)) = plain()
        {
            return Some(self.slice(value));
        }
        if !self.has_escaped_keys {
            return None;
        }
        self.members().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Every member, in order: its name, and its value as JSON text.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'_, str>, &str)> + '_ {
        self.members
            .iter()
            .map(|(key, value)| (unescape(self.slice(key)), self.slice(value)))
    }

    /// What the entry commits to.
    #[must_use]
    pub fn commitments(&self) -> Vec<Commitment<'_>> {
        let mut found = Vec::new();
        self.committed(|path, committed| {
            found.push(Commitment {
                path: path.to_owned(),
                committed,
            });
        });
        found
    }

    /// Whether these are the values of everything that the entry commits to, each at its place.
    pub(crate) fn opens_all(&self, values: &[SealedRef<'_>]) -> bool {
        let mut number = 0;
        let mut opens = true;
        self.committed(|path, committed| {
            // they stand in the same order, unless somebody wrote them otherwise
            let value = values.get(number).filter(|value| value.path == path);
            let value = value.or_else(|| values.iter().find(|value| value.path == path));
            opens &= value.is_some_and(|value| committed.opens(value));
            number += 1;
        });
        opens && values.len() == number
    }

    /// Whether what was kept apart is what this entry commits to, at its place.
    #[must_use]
    pub fn opens(&self, sealed: &Sealed) -> bool {
        self.commitments().iter().any(|commitment| commitment.opens(sealed))
    }

    /// Whether the bytes are exactly the RFC 8785 form of what they say, at every depth.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        serde_json::from_str::<serde_json::Value>(&self.text)
            .ok()
            .and_then(|value| serde_json_canonicalizer::to_vec(&value).ok())
            .is_some_and(|canonical| canonical == self.text.as_bytes())
    }

    /// Gives every commitment and the JSON pointer to its place, in order.
    fn committed<'e>(&'e self, mut each: impl FnMut(&str, Committed<'e>)) {
        let mut path = String::new();
        let mut give = |path: &str, value: &'e str| {
            if let Some(committed) = Committed::read(value) {
                each(path, committed);
            }
        };
        for (key, value) in &self.members {
            let value = self.slice(value);
            match self.slice(key) {
                r#""arguments""# => {
                    for (name, value) in Members::of(value).flatten() {
                        path.clear();
                        path.push_str("/arguments/");
                        super::decision::push_step(&mut path, &unescape(name));
                        give(&path, value);
                    }
                }
                r#""arguments_whole""# => give("/arguments", value),
                r#""context""# => give("/context", value),
                r#""ids""# => give("/ids", value),
                r#""inputs""# => give("/inputs", value),
                r#""target""# => give("/target", value),
                key @ (r#""history""# | r#""screen""#) => {
                    for (at, value) in elements(value).into_iter().enumerate() {
                        give(&format!("/{}/{at}", key.trim_matches('"')), value);
                    }
                }
                _ => {}
            }
        }
    }

    fn text(&self, key: &str) -> Option<Cow<'_, str>> {
        self.raw(key).filter(|value| value.starts_with('"')).map(unescape)
    }

    fn list(&self, key: &str) -> Vec<Untrusted<'_>> {
        elements(self.raw(key).unwrap_or_default())
            .into_iter()
            .filter(|value| value.starts_with('"'))
            .map(|value| Untrusted::new(unescape(value)))
            .collect()
    }

    fn slice(&self, range: &Range<u32>) -> &str {
        self.text.get(range.start as usize..range.end as usize).unwrap_or("")
    }
}

/// What an entry commits to at one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Commitment<'a> {
    path: String,
    committed: Committed<'a>,
}

impl<'a> Commitment<'a> {
    /// Where the value stands, as a JSON pointer.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The commitment, in base64url.
    #[must_use]
    pub fn committed(&self) -> Untrusted<'a> {
        Untrusted::new(self.committed.digits)
    }

    /// How many bytes the value has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.committed.len
    }

    /// Whether the value has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.committed.len == 0
    }

    /// Whether the tool redacts anything in the value.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.committed.redacted
    }

    /// Whether this is the commitment to what was kept apart.
    #[must_use]
    pub fn opens(&self, sealed: &Sealed) -> bool {
        let sealed = SealedRef {
            path: &sealed.path,
            salt: &sealed.salt,
            value: &sealed.value,
        };
        self.path == sealed.path && self.committed.opens(&sealed)
    }
}

/// A value that was kept apart, where it lies.
#[derive(Clone, Copy)]
pub(crate) struct SealedRef<'a> {
    pub(crate) path: &'a str,
    pub(crate) salt: &'a [u8; 32],
    pub(crate) value: &'a [u8],
}

/// A commitment, without its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Committed<'a> {
    /// In base64url.
    digits: &'a str,
    len: u64,
    redacted: bool,
}

impl<'a> Committed<'a> {
    /// Of `{"c":…,"len":…}`, whatever else is beside it.
    fn read(json: &'a str) -> Option<Self> {
        let (mut digits, mut len, mut redacted) = (None, None, false);
        for (key, value) in Members::of(json).flatten() {
            // of a key that is given twice the first counts
            match &*unescape(key) {
                "c" => digits = digits.or(Some(value)),
                "len" => len = len.or(Some(value)),
                "redacted" => redacted = value == "true",
                _ => {}
            }
        }
        Some(Self {
            digits: digits?.strip_prefix('"')?.strip_suffix('"')?,
            len: len?.parse().ok()?,
            redacted,
        })
    }

    /// Whether this commits to a value at its place.
    fn opens(&self, sealed: &SealedRef<'_>) -> bool {
        let mut expected = Vec::with_capacity(44);
        push_base64url(&mut expected, &commitment(sealed.salt, sealed.path, sealed.value));
        self.len == sealed.value.len() as u64 && self.digits.as_bytes() == expected
    }
}

/// Whether a word can be the type of an entry.
pub(super) fn is_kind(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=64).contains(&word.len()) && word.bytes().all(plain)
}

/// The elements of a JSON array as text; none where it is no array.
fn elements(json: &str) -> Vec<&str> {
    serde_json::from_str::<Vec<&serde_json::value::RawValue>>(json)
        .map(|values| values.into_iter().map(serde_json::value::RawValue::get).collect())
        .unwrap_or_default()
}

/// Whether two keys stand in the order of RFC 8785, that of their UTF-16 code units, and differ.
fn in_order(first: &str, second: &str) -> bool {
    if first.is_ascii() && second.is_ascii() {
        return first < second;
    }
    first.encode_utf16().lt(second.encode_utf16())
}

/// Where a part of a text stands in it.
fn within(text: &str, part: &str) -> Range<u32> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    let place = |at: usize| u32::try_from(at).unwrap_or(0);
    place(start)..place(start + part.len())
}

fn malformed(why: &str) -> EntryError {
    EntryError::new(
        EntryErrorKind::Malformed,
        format!("this is no entry of an audit log: {why}"),
    )
}
