//! Recorded calls, a line at a time, in bounded memory.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest line that is read: the largest arguments that are judged, and generous room for what stands beside them.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What is kept of the buffer between lines.
const KEPT_BYTES: usize = 256 * 1024;

/// The lines of a file. One that is too long is not kept.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    consumed: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn of(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, reader),
            line: Vec::new(),
            number: 0,
            consumed: 0,
        }
    }

    /// The number of the last line, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the next line must be waited for.
    pub(super) fn would_wait(&self) -> bool {
        self.reader.buffer().is_empty()
    }

    /// The bytes that were read since this was last asked.
    pub(super) fn take_consumed(&mut self) -> u64 {
        std::mem::take(&mut self.consumed)
    }

    /// The next line without its end; `Err` inside for one that is too long.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<&[u8], Fault>>> {
        self.line.clear();
        self.line.shrink_to(KEPT_BYTES);
        let mut too_long = false;
        let mut read = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                break;
            }
            read = true;
            let (part, used, ended) = match memchr(buffer) {
                Some(end) => (buffer.get(..end), end + 1, true),
                None => (Some(buffer), buffer.len(), false),
            };
            let part = part.unwrap_or_default();
            too_long |= self.line.len() + part.len() > MOST_BYTES;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            self.reader.consume(used);
            self.consumed += used as u64;
            if ended {
                break;
            }
        }
        if !read {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(if too_long { Err(Fault::TooLong) } else { Ok(&self.line) }))
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// One recorded call.
#[derive(Debug)]
pub(super) struct RecordedCall<'l> {
    /// A string or a number, as it stands in the file.
    pub(super) id: &'l RawValue,
    pub(super) tool: String,
    /// A JSON object, as it stands in the file.
    pub(super) input: &'l str,
}

#[derive(Deserialize)]
struct Row<'l> {
    #[serde(borrow)]
    id: &'l RawValue,
    #[serde(borrow)]
    tool_name: &'l RawValue,
    #[serde(borrow)]
    tool_input: &'l RawValue,
}

impl<'l> RecordedCall<'l> {
    pub(super) fn parse(line: Result<&'l [u8], Fault>) -> Result<Self, Fault> {
        let line = std::str::from_utf8(line?).map_err(|_| Fault::Encoding)?;
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() {
            return Err(Fault::Empty);
        }
        if !line.starts_with('{') {
            return Err(Fault::NotAnObject);
        }
        // the three values are taken as they stand, so that no error can repeat one
        let row: Row<'l> = serde_json::from_str(line).map_err(|error| Fault::Json(error.to_string()))?;
        if !row
            .id
            .get()
            .starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit())
        {
            return Err(Fault::Key("`id` is neither a string nor a number"));
        }
        if !row.tool_input.get().starts_with('{') {
            return Err(Fault::Key("`tool_input` is not an object"));
        }
        let tool = serde_json::from_str(row.tool_name.get()).map_err(|_| Fault::Key("`tool_name` is not a string"))?;
        Ok(Self {
            id: row.id,
            tool,
            input: row.tool_input.get(),
        })
    }
}

/// Why a line is no recorded call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    Empty,
    Encoding,
    TooLong,
    NotAnObject,
    Json(String),
    Key(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the line is empty"),
            Self::Encoding => f.write_str("the line is not UTF-8"),
            Self::TooLong => f.write_str("the line is over 16 MiB"),
            Self::NotAnObject => f.write_str("the line is not a JSON object"),
            Self::Json(error) => write!(f, "the line is no recorded call: {error}"),
            Self::Key(error) => f.write_str(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_the_last_needs_no_end() {
        let mut lines = Lines::of(&b"a\n\nbc"[..]);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let line = line.unwrap().to_vec();
            seen.push((lines.number(), line));
        }
        assert_eq!(seen, [(1, b"a".to_vec()), (2, vec![]), (3, b"bc".to_vec())]);
        assert_eq!(lines.take_consumed(), 5);
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept_and_the_next_one_is_read() {
        let long = io::repeat(b'x').take(3 * MOST_BYTES as u64);
        let mut lines = Lines::of(long.chain(&b"\nnext\n"[..]));
        assert_eq!(lines.next().unwrap().unwrap(), Err(Fault::TooLong));
        assert!(lines.line.capacity() <= 2 * MOST_BYTES);
        assert_eq!(lines.next().unwrap().unwrap(), Ok(&b"next"[..]));
        assert!(lines.line.capacity() <= KEPT_BYTES);
    }

    #[test]
    fn a_line_that_is_no_call_says_why_and_repeats_no_value() {
        for (line, why) in [
            ("", "empty"),
            ("[]", "not a JSON object"),
            (r#"["a","canary",{}]"#, "not a JSON object"),
            (r#"{"id":"a","tool_name":"t"}"#, "missing field `tool_input`"),
            (
                r#"{"id":"a","tool_name":"t","tool_input":"canary"}"#,
                "`tool_input` is not an object",
            ),
            (r#"{"id":null,"tool_name":"t","tool_input":{}}"#, "`id` is neither"),
            (
                r#"{"id":"a","tool_name":["canary"],"tool_input":{}}"#,
                "`tool_name` is not a string",
            ),
            (
                r#"{"id":"a","tool_name":"t","tool_input":{},"tool_input":{"x":"canary"}}"#,
                "duplicate field `tool_input`",
            ),
            (r#"{"id":"a","tool_name":"t","tool_input":{"canary"}}"#, "expected `:`"),
        ] {
            let fault = RecordedCall::parse(Ok(line.as_bytes())).unwrap_err().to_string();
            assert!(fault.contains(why), "{line}: {fault}");
            assert!(!fault.contains("canary"), "{fault}");
        }
        assert_eq!(RecordedCall::parse(Ok(b"\xff")).unwrap_err(), Fault::Encoding);
    }
}
