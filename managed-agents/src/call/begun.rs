//! SHA-256 of texts that begin alike: the beginning is hashed once.
//!
//! The hash function is `sha2`'s; only the padding (FIPS 180-4 §5.1.1) is done here, because cloning and finishing a whole
//! hasher for each call costs as much as hashing a block more.

use sha2::block_api::compress256;

use super::digest::Digest;

const BLOCK: usize = 64;

/// The blocks that a call of a few small arguments takes, and one of a few more, on the stack: each is zeroed first.
const FEW: usize = 2;
const SOME: usize = 6;

/// What SHA-256 begins with (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A beginning, hashed up to its last whole block.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    state: [u32; 8],
    /// How many bytes the whole blocks have.
    hashed: usize,
    /// What follows them, less than a block, and zeros.
    rest: [u8; BLOCK],
    /// How many bytes follow them.
    rests: usize,
}

impl Begun {
    pub(super) fn new(beginning: &[u8]) -> Self {
        let (blocks, rest) = beginning.as_chunks::<BLOCK>();
        let mut state = INITIAL;
        compress256(&mut state, blocks);
        let mut begun = Self {
            state,
            hashed: blocks.as_flattened().len(),
            rest: [0; BLOCK],
            rests: rest.len(),
        };
        for (place, byte) in begun.rest.iter_mut().zip(rest) {
            *place = *byte;
        }
        begun
    }

    /// The digest of the beginning, `middle` and `end`, one after another.
    pub(super) fn digest(&self, middle: &[u8], end: &[u8; 32]) -> Digest {
        let length = self.rests + middle.len() + end.len();
        // a one bit, zeros, and eight bytes that say the length in bits
        let blocks = (length + 9).div_ceil(BLOCK);
        if let Some(few) = [[0; BLOCK]; FEW].get_mut(..blocks) {
            return self.filled(few, length, middle, end);
        }
        match [[0; BLOCK]; SOME].get_mut(..blocks) {
            Some(some) => self.filled(some, length, middle, end),
            None => self.filled(&mut vec![[0; BLOCK]; blocks], length, middle, end),
        }
    }

    /// The digest, in blocks of zeros.
    #[inline(always)]
    fn filled(&self, blocks: &mut [[u8; BLOCK]], length: usize, middle: &[u8], end: &[u8; 32]) -> Digest {
        if let Some(first) = blocks.first_mut() {
            *first = self.rest;
        }
        let bytes = blocks.as_flattened_mut();
        let at = self.rests + middle.len();
        if let Some(place) = bytes.get_mut(self.rests..at) {
            place.copy_from_slice(middle);
        }
        if let Some((place, [mark, ..])) = bytes.get_mut(at..).and_then(<[u8]>::split_first_chunk_mut) {
            *place = *end;
            *mark = 0x80;
        }
        let bits = (self.hashed + length) as u64 * 8;
        if let Some(last) = bytes.last_chunk_mut() {
            *last = bits.to_be_bytes();
        }
        let mut state = self.state;
        compress256(&mut state, blocks);
        let mut digest = [0; 32];
        for (place, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
            *place = word.to_be_bytes();
        }
        Digest::new(digest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn every_length_around_a_block_is_hashed_as_sha256_hashes_it() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1200).collect();
        for beginning in [0, 1, 63, 64, 65, 127, 128, 200] {
            for middle in 0..700 {
                let (beginning, rest) = bytes.split_at(beginning);
                let middle = &rest[..middle];
                let whole = [beginning, middle, &[7; 32]].concat();
                assert_eq!(
                    Begun::new(beginning).digest(middle, &[7; 32]).as_bytes()[..],
                    Sha256::digest(&whole)[..]
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_hashed_as_sha256_hashes_it(
            beginning in prop::collection::vec(any::<u8>(), 0..400),
            middle in prop::collection::vec(any::<u8>(), 0..4000),
            end: [u8; 32],
        ) {
            let whole = [beginning.as_slice(), &middle, &end].concat();
            let digest = Begun::new(&beginning).digest(&middle, &end);
            prop_assert_eq!(&digest.as_bytes()[..], &Sha256::digest(&whole)[..]);
        }
    }
}
