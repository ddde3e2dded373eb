//! DER (ITU-T X.690), as far as a certificate needs it.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A context-specific tag that holds bytes.
pub(super) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// A context-specific tag that holds other values.
pub(super) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// One value: tag, length, and what the parts make together.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    if length < 0x80 {
        out.extend(u8::try_from(length));
    } else {
        let bytes = length.to_be_bytes();
        let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
        out.extend(u8::try_from(significant.len()).map(|count| 0x80 | count));
        out.extend(significant);
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// What is left to read. It need not refuse every other encoding of a value: a certificate is accepted only if writing anew
/// what was read gives the same bytes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next value, whatever its tag; then what it holds.
    pub(super) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            let (bytes, after) = rest
                .split_at_checked(length & 0x7f)
                .filter(|(bytes, _)| bytes.len() <= 4)?;
            length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// What the next value holds, if it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, content) = ahead.any()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some(content)
    }

    /// A reader of what the next value holds, whatever its tag.
    pub(super) fn enter_any(&mut self) -> Option<Self> {
        self.any().map(|(_, content)| Self(content))
    }

    /// A reader of what the next value holds, if it has this tag.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form_and_read_back() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![5; length];
            let written = value(OCTET_STRING, &[&content]);
            let head = written.len() - length;
            assert_eq!(
                head,
                match length {
                    0..128 => 2,
                    128..256 => 3,
                    256..65_536 => 4,
                    _ => 5,
                }
            );
            let mut reader = Reader::new(&written);
            assert_eq!(reader.take(INTEGER), None);
            assert_eq!(reader.take(OCTET_STRING), Some(&content[..]));
            assert_eq!(reader.any(), None);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0xff],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 5, 1],
        ] {
            assert_eq!(
                Reader::new(bytes).any().filter(|(_, content)| !content.is_empty()),
                None
            );
        }
    }
}
