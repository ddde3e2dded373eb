//! The canonical form of values: written straight from borrows into one buffer.
//!
//! RFC 8785 (JSON Canonicalization Scheme) with two deviations, both so that two values never share bytes: integers stand
//! in full decimal digits (RFC 8785 rounds above 2^53), and −0.0 is `-0.0`. What JSON cannot hold faithfully is refused:
//! NaN and infinities, keys that are no strings, a `Some` that prints as `null`, and the raw-text values of `serde_json`.

use std::cmp::Ordering;
use std::fmt;

use serde::ser::{self, Serialize};

/// The most bytes that a canonical call may have: 1 MiB.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// The deepest nesting of objects and arrays in a canonical call, the call itself counted.
const MAX_DEPTH: u8 = 64;

/// A value has no canonical form.
///
/// The message never holds the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CanonicalError {
    kind: CanonicalErrorKind,
    custom: Option<String>,
}

/// Why a value has no canonical form.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CanonicalErrorKind {
    /// NaN or an infinity.
    NotFinite,
    /// A map key that is no string.
    KeyNotString,
    /// Two keys of one object are equal.
    DuplicateKey,
    /// A `Some` that prints as `null`, as `None` does.
    AmbiguousNull,
    /// A value of `serde_json` that carries raw text.
    RawText,
    /// Over 1 MiB.
    TooLarge,
    /// Nested more than 64 deep.
    TooDeep,
    /// The type's own `Serialize` failed.
    Custom,
}

impl CanonicalError {
    fn new(kind: CanonicalErrorKind) -> Self {
        Self { kind, custom: None }
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> CanonicalErrorKind {
        self.kind
    }

    /// The stable code: `too_large` or `unrepresentable`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            CanonicalErrorKind::TooLarge | CanonicalErrorKind::TooDeep => "too_large",
            _ => "unrepresentable",
        }
    }

    /// What the type's own `Serialize` said: text that may hold the value.
    pub(crate) fn custom(&self) -> Option<&str> {
        self.custom.as_deref()
    }
}

impl fmt::Display for CanonicalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            CanonicalErrorKind::NotFinite => "a number is not finite",
            CanonicalErrorKind::KeyNotString => "a map key is not a string",
            CanonicalErrorKind::DuplicateKey => "two keys of one object are equal",
            CanonicalErrorKind::AmbiguousNull => "a present value would read as an absent one",
            CanonicalErrorKind::RawText => "raw JSON text cannot be judged",
            CanonicalErrorKind::TooLarge => "over 1 MiB",
            CanonicalErrorKind::TooDeep => "nested more than 64 deep",
            CanonicalErrorKind::Custom => "its `Serialize` failed",
        })
    }
}

impl std::error::Error for CanonicalError {}

impl ser::Error for CanonicalError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            kind: CanonicalErrorKind::Custom,
            custom: Some(message.to_string()),
        }
    }
}

type Written = Result<(), CanonicalError>;

/// Writes canonical values one after another into one buffer.
#[derive(Debug, Default)]
pub(crate) struct CanonicalWriter {
    out: Vec<u8>,
    /// The entries of all objects that are open, outermost first.
    entries: Vec<Entry>,
    depth: u8,
}

/// Where one entry of an object stands in the buffer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    key_end: usize,
    end: usize,
}

impl CanonicalWriter {
    /// Writes into a buffer of somebody else's, at a nesting of `depth`.
    pub(crate) fn into_buffer(out: Vec<u8>, depth: u8) -> Self {
        Self {
            out,
            entries: Vec::new(),
            depth,
        }
    }

    /// Makes it as it was in the beginning, but for the memory that it has; false where that is more than is to be kept.
    #[inline]
    pub(crate) fn wipe(&mut self, depth: u8, most: usize) -> bool {
        self.out.clear();
        self.entries.clear();
        self.depth = depth;
        self.out.capacity() <= most && self.entries.capacity() * size_of::<Entry>() <= most
    }

    /// The buffer, for what is not a value.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Writes one value; on an error the buffer is cut back to where it was.
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        let (start, depth) = (self.out.len(), self.depth);
        let result = value.serialize(&mut *self).and_then(|()| self.check_size());
        if result.is_err() {
            self.out.truncate(start);
            self.entries.clear();
            self.depth = depth;
        }
        result
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }

    fn check_size(&self) -> Written {
        if self.out.len() > MAX_BYTES {
            return Err(CanonicalError::new(CanonicalErrorKind::TooLarge));
        }
        Ok(())
    }

    fn open(&mut self, bracket: u8) -> Written {
        self.check_size()?;
        if self.depth >= MAX_DEPTH {
            return Err(CanonicalError::new(CanonicalErrorKind::TooDeep));
        }
        self.depth += 1;
        self.out.push(bracket);
        Ok(())
    }

    fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        self.out.push(bracket);
    }

    fn integer(&mut self, number: impl itoa::Integer) -> Written {
        self.out
            .extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        Ok(())
    }

    /// `{"variant":`, for variants that hold something.
    fn open_variant(&mut self, variant: &'static str) -> Written {
        self.open(b'{')?;
        write_string(&mut self.out, variant);
        self.out.push(b':');
        Ok(())
    }
}

/// Writes a JSON string as RFC 8785 §3.2.2.2 wants it.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let plain = plain_prefix(bytes);
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let (plain, rest) = bytes.split_at_checked(plain).unwrap_or((bytes, &[]));
    out.extend_from_slice(plain);
    if !rest.is_empty() {
        write_escaped(out, rest);
    }
    out.push(b'"');
}

/// How many bytes at the beginning stand for themselves, eight at a time; at least all of the text when nothing is to be
/// escaped.
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // the classic test for a zero byte (Hacker's Delight, 6-1); it may name a later byte as well, never miss one
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS != 0;
    let has_control = |word: u64| word.wrapping_sub(ONES * 0x20) & !word & HIGHS != 0;
    let has_special = |word: u64| has_control(word) || has_zero(word ^ (ONES * 0x22)) || has_zero(word ^ (ONES * 0x5c));
    let (chunks, tail) = bytes.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        let word = u64::from_ne_bytes(*chunk);
        if has_special(word) {
            return at * 8;
        }
    }
    if let Some(word) = as_word(tail)
        && !has_special(word)
    {
        return bytes.len();
    }
    let special = tail.iter().position(|&byte| is_escaped(byte));
    chunks.len() * 8 + special.unwrap_or(tail.len())
}

/// Two to seven bytes as one word, some of them twice.
#[inline(always)]
fn as_word(bytes: &[u8]) -> Option<u64> {
    let halves = |first: u32, last: u32| u64::from(first) << 32 | u64::from(last);
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return Some(halves(u32::from_ne_bytes(*first), u32::from_ne_bytes(*last)));
    }
    let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
    let (first, last) = (u16::from_ne_bytes(*first), u16::from_ne_bytes(*last));
    let twice = |half: u16| u32::from(half) << 16 | u32::from(half);
    Some(halves(twice(first), twice(last)))
}

/// Whether a byte is escaped in a string.
#[inline(always)]
fn is_escaped(byte: u8) -> bool {
    const ESCAPED: [bool; 256] = {
        let mut escaped = [false; 256];
        let mut byte = 0;
        while byte < escaped.len() {
            #[expect(clippy::indexing_slicing, reason = "below 256, when compiled")]
            {
                escaped[byte] = byte < 0x20 || byte == 0x22 || byte == 0x5c;
            }
            byte += 1;
        }
        escaped
    };
    ESCAPED.get(usize::from(byte)).copied().unwrap_or(true)
}

fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => br#"\""#,
            b'\\' => br"\\",
            0x08 => br"\b",
            b'\t' => br"\t",
            b'\n' => br"\n",
            0x0c => br"\f",
            b'\r' => br"\r",
            0x00..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(bytes.get(copied..at).unwrap_or_default());
        copied = at + 1;
        if escape.is_empty() {
            out.extend_from_slice(br"\u00");
            for nibble in [byte >> 4, byte & 15] {
                out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
            }
        } else {
            out.extend_from_slice(escape);
        }
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
}

impl<'a> ser::Serializer for &'a mut CanonicalWriter {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = Sequence<'a>;
    type SerializeTuple = Sequence<'a>;
    type SerializeTupleStruct = Sequence<'a>;
    type SerializeTupleVariant = Sequence<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    fn serialize_bool(self, v: bool) -> Written {
        self.out.extend_from_slice(if v { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, v: i8) -> Written {
        self.integer(v)
    }

    fn serialize_i16(self, v: i16) -> Written {
        self.integer(v)
    }

    fn serialize_i32(self, v: i32) -> Written {
        self.integer(v)
    }

    fn serialize_i64(self, v: i64) -> Written {
        self.integer(v)
    }

    fn serialize_i128(self, v: i128) -> Written {
        self.integer(v)
    }

    fn serialize_u8(self, v: u8) -> Written {
        self.integer(v)
    }

    fn serialize_u16(self, v: u16) -> Written {
        self.integer(v)
    }

    fn serialize_u32(self, v: u32) -> Written {
        self.integer(v)
    }

    fn serialize_u64(self, v: u64) -> Written {
        self.integer(v)
    }

    fn serialize_u128(self, v: u128) -> Written {
        self.integer(v)
    }

    fn serialize_f32(self, v: f32) -> Written {
        self.serialize_f64(f64::from(v))
    }

    fn serialize_f64(self, v: f64) -> Written {
        if !v.is_finite() {
            return Err(CanonicalError::new(CanonicalErrorKind::NotFinite));
        }
        if v == 0.0 && v.is_sign_negative() {
            self.out.extend_from_slice(b"-0.0");
        } else {
            self.out
                .extend_from_slice(ryu_js::Buffer::new().format_finite(v).as_bytes());
        }
        Ok(())
    }

    fn serialize_char(self, v: char) -> Written {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Written {
        if v.len() > MAX_BYTES {
            return Err(CanonicalError::new(CanonicalErrorKind::TooLarge));
        }
        write_string(&mut self.out, v);
        self.check_size()
    }

    fn serialize_bytes(self, v: &[u8]) -> Written {
        self.collect_seq(v)
    }

    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        let start = self.out.len();
        value.serialize(&mut *self)?;
        if self.out.get(start..) == Some(b"null") {
            return Err(CanonicalError::new(CanonicalErrorKind::AmbiguousNull));
        }
        Ok(())
    }

    fn serialize_unit(self) -> Written {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Written {
        write_string(&mut self.out, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        self.open_variant(variant)?;
        value.serialize(&mut *self)?;
        self.close(b'}');
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Sequence<'a>, CanonicalError> {
        self.open(b'[')?;
        Ok(Sequence {
            writer: self,
            first: true,
            in_variant: false,
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<Sequence<'a>, CanonicalError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Sequence<'a>, CanonicalError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Sequence<'a>, CanonicalError> {
        self.open_variant(variant)?;
        self.open(b'[')?;
        Ok(Sequence {
            writer: self,
            first: true,
            in_variant: true,
        })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Object<'a>, CanonicalError> {
        self.open(b'{')?;
        Ok(Object::new(self, false))
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Object<'a>, CanonicalError> {
        // how serde_json hides raw text (feature `raw_value`) and numbers (`arbitrary_precision`) from other serializers
        if name.starts_with("$serde_json::private::") {
            return Err(CanonicalError::new(CanonicalErrorKind::RawText));
        }
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Object<'a>, CanonicalError> {
        self.open_variant(variant)?;
        self.open(b'{')?;
        Ok(Object::new(self, true))
    }
}

/// An array that is being written.
#[derive(Debug)]
pub(crate) struct Sequence<'a> {
    writer: &'a mut CanonicalWriter,
    first: bool,
    in_variant: bool,
}

impl Sequence<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        if !std::mem::take(&mut self.first) {
            self.writer.out.push(b',');
        }
        value.serialize(&mut *self.writer)?;
        self.writer.check_size()
    }

    fn finish(self) -> Written {
        self.writer.close(b']');
        if self.in_variant {
            self.writer.close(b'}');
        }
        Ok(())
    }
}

impl ser::SerializeSeq for Sequence<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.element(value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeTuple for Sequence<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.element(value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Sequence<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.element(value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for Sequence<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.element(value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

/// An object that is being written; its entries are put in order when it ends.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    writer: &'a mut CanonicalWriter,
    /// Where its entries begin on the writer's stack.
    first: usize,
    /// The entry whose key is written and whose value is not.
    open: Option<(usize, usize)>,
    in_variant: bool,
}

impl<'a> Object<'a> {
    fn new(writer: &'a mut CanonicalWriter, in_variant: bool) -> Self {
        let first = writer.entries.len();
        Self {
            writer,
            first,
            open: None,
            in_variant,
        }
    }

    fn begin_entry(&mut self) -> usize {
        if self.writer.entries.len() > self.first {
            self.writer.out.push(b',');
        }
        self.writer.out.len()
    }

    fn end_key(&mut self, start: usize) {
        let key_end = self.writer.out.len();
        self.writer.out.push(b':');
        self.open = Some((start, key_end));
    }

    fn entry_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        let Some((start, key_end)) = self.open.take() else {
            return Err(ser::Error::custom("a value without a key"));
        };
        value.serialize(&mut *self.writer)?;
        let end = self.writer.out.len();
        self.writer.entries.push(Entry { start, key_end, end });
        self.writer.check_size()
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        let start = self.begin_entry();
        write_string(&mut self.writer.out, key);
        self.end_key(start);
        self.entry_value(value)
    }

    fn finish(self) -> Written {
        let writer = self.writer;
        let entries = writer.entries.get(self.first..).unwrap_or_default();
        if !in_order(&writer.out, entries) {
            let mut sorted = entries.to_vec();
            sorted.sort_by(|a, b| compare_keys(key_of(&writer.out, a), key_of(&writer.out, b)));
            let equal = |pair: &[Entry]| match pair {
                [a, b] => key_of(&writer.out, a) == key_of(&writer.out, b),
                _ => false,
            };
            if sorted.windows(2).any(equal) {
                return Err(CanonicalError::new(CanonicalErrorKind::DuplicateKey));
            }
            let begin = entries.first().map_or(writer.out.len(), |entry| entry.start);
            let mut body = Vec::with_capacity(writer.out.len() - begin);
            for entry in &sorted {
                if !body.is_empty() {
                    body.push(b',');
                }
                body.extend_from_slice(writer.out.get(entry.start..entry.end).unwrap_or_default());
            }
            writer.out.truncate(begin);
            writer.out.extend_from_slice(&body);
        }
        writer.entries.truncate(self.first);
        writer.close(b'}');
        if self.in_variant {
            writer.close(b'}');
        }
        Ok(())
    }
}

/// The key of an entry, in its quotes.
fn key_of<'o>(out: &'o [u8], entry: &Entry) -> &'o [u8] {
    out.get(entry.start..entry.key_end).unwrap_or_default()
}

fn in_order(out: &[u8], entries: &[Entry]) -> bool {
    entries.windows(2).all(|pair| match pair {
        [a, b] => compare_keys(key_of(out, a), key_of(out, b)) == Ordering::Less,
        _ => true,
    })
}

/// The order of RFC 8785 §3.2.3: by UTF-16 code units of the keys themselves, not of their escapes.
fn compare_keys(a: &[u8], b: &[u8]) -> Ordering {
    let plain = |key: &[u8]| key.iter().all(|&byte| byte.is_ascii() && byte != b'\\');
    if plain(a) && plain(b) {
        // without the closing quote, which is greater than a space
        let inner = |key: &[u8]| key.len().saturating_sub(1);
        return a.get(..inner(a)).cmp(&b.get(..inner(b)));
    }
    let units = |key: &[u8]| {
        serde_json::from_slice::<String>(key)
            .map(|key| key.encode_utf16().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    units(a).cmp(&units(b))
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        let start = self.begin_entry();
        let depth = self.writer.depth;
        key.serialize(&mut *self.writer)?;
        let is_string = self.writer.out.get(start) == Some(&b'"');
        if !is_string || self.writer.depth != depth {
            return Err(CanonicalError::new(CanonicalErrorKind::KeyNotString));
        }
        self.end_key(start);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.entry_value(value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Object<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Written {
        self.field(key, value)
    }

    fn end(self) -> Written {
        self.finish()
    }
}

#[cfg(test)]
mod tests;
