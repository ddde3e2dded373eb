//! Server-sent events, read from a body as it comes.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::MAX_BODY;
use super::error::{ApiError, ApiErrorKind};
use super::retry::Fault;
use crate::http::Chunks;

/// One event of a stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::claude) struct Frame {
    /// The name that the stream gives it; empty where it gives none.
    pub(in crate::claude) name: String,
    pub(in crate::claude) data: String,
}

/// The events of an answer.
pub(in crate::claude) struct EventStream {
    chunks: Chunks,
    decoder: Decoder,
    request_id: Option<String>,
}

impl EventStream {
    pub(super) fn new(chunks: Chunks, request_id: Option<String>) -> Self {
        Self {
            chunks,
            decoder: Decoder::default(),
            request_id,
        }
    }

    /// The next event; `None` at the end of the body. A stream in which nothing comes for `patience` has failed, and so has
    /// one that is not over at the deadline. Dropping the future loses nothing.
    pub(in crate::claude) async fn next(
        &mut self,
        patience: Duration,
        deadline: Option<Instant>,
    ) -> Result<Option<Frame>, Fault> {
        loop {
            if let Some(frame) = self.decoder.ready.pop_front() {
                return Ok(Some(frame));
            }
            let stalled = Instant::now() + patience;
            let until = deadline.map_or(stalled, |deadline| deadline.min(stalled));
            let failed = |fault: Fault| fault.with_request_id(self.request_id.clone());
            match self.chunks.next(until).await {
                Ok(Some(bytes)) => self.decoder.push(&bytes).map_err(|error| failed(error.into()))?,
                Ok(None) => return Ok(None),
                Err(failure) => return Err(failed(failure.into())),
            }
        }
    }
}

/// Cuts bytes into events, wherever they are cut themselves.
#[derive(Debug, Default)]
struct Decoder {
    /// The line that has not ended.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    after_return: bool,
    begun: bool,
    name: String,
    data: Option<String>,
    ready: VecDeque<Frame>,
}

impl Decoder {
    fn push(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        for &byte in bytes {
            let line_feed_of_return = std::mem::take(&mut self.after_return) && byte == b'\n';
            match byte {
                b'\n' if line_feed_of_return => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    self.end_line()?;
                }
                _ if self.line.len() + self.data.as_ref().map_or(0, String::len) >= MAX_BODY => {
                    return Err(ApiError::new(
                        ApiErrorKind::TooLarge,
                        "an event of the stream is larger than what is read",
                    ));
                }
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), ApiError> {
        let line = std::mem::take(&mut self.line);
        let line = std::str::from_utf8(&line).map_err(|_| ApiError::malformed("the stream is not UTF-8"))?;
        let line = match line.strip_prefix('\u{feff}') {
            Some(rest) if !self.begun => rest,
            _ => line,
        };
        self.begun = true;
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            if let Some(data) = self.data.take() {
                self.ready.push_back(Frame { name, data });
            }
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // a comment (an empty field), or what this reader has no use for
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut decoder = Decoder::default();
        for piece in pieces {
            decoder.push(piece).unwrap();
        }
        let ready = decoder.ready.into_iter();
        ready.map(|frame| (frame.name, frame.data)).collect()
    }

    fn frame(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_read_with_every_kind_of_line_end_and_comments_are_passed_over() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                "\u{feff}: hello\nevent: a\ndata: {\"x\":\ndata:1}\nid: 7\n\n\ndata\n\nevent: gone\n\ndata: last\n\n";
            let text = text.replace('\n', end);
            let read = frames(&[text.as_bytes()]);
            assert_eq!(read, [frame("a", "{\"x\":\n1}"), frame("", ""), frame("", "last")]);
        }
    }

    #[test]
    fn an_event_that_is_not_ended_by_an_empty_line_is_none() {
        assert_eq!(frames(&[b"data: whole\n\ndata: cut\n"]), [frame("", "whole")]);
    }

    #[test]
    fn bytes_that_are_not_utf_8_end_the_stream() {
        assert!(Decoder::default().push(b"data: \xff\n").is_err());
    }

    #[test]
    fn an_event_over_16_mib_ends_the_stream_in_one_line_or_in_many() {
        let mut decoder = Decoder::default();
        decoder.push(b"data: ").unwrap();
        let mebibyte = vec![b'x'; 1 << 20];
        assert!((0..17).any(|_| decoder.push(&mebibyte).is_err()));
        let mut decoder = Decoder::default();
        let line = [b"data: ".as_slice(), &mebibyte, b"\n"].concat();
        assert!((0..17).any(|_| decoder.push(&line).is_err()));
    }

    proptest! {
        #[test]
        fn how_a_stream_is_cut_does_not_matter(
            text in "(data|event|:|[a-zé]{0,3})?(: ?[a-zé\u{1f600}]{0,5})?(\r\n|\n|\r){1,3}(data:.?\n\n)?(event: x\rdata: y\r\r)?",
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(frames(&pieces), frames(&[bytes]));
        }
    }
}
