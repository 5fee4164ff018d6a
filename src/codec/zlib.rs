//! zlib streams (RFC 1950) that are decoded as a whole.

use super::coding::{Bound, damage};
use super::inflate::{Inflate, adler};
use super::{Codec, most_decoded};
use crate::error::Result;
use crate::io::append;

/// The decoded bytes of a zlib stream, the first `most` of them if it has more.
/// The checksum of one that ends with them is looked at; one that is cut behind
/// them cannot be told from one that has more.
pub(crate) fn zlib(stream: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut decoded = Vec::new();
    Zlib::new().decode(stream, most, &mut decoded)?;
    decoded.shrink_to_fit();
    Ok(decoded)
}

/// A decoder of one stream after the other.
pub(super) struct Zlib(Inflate);

impl Zlib {
    pub(super) fn new() -> Zlib {
        Zlib(Inflate::new())
    }

    /// As [`zlib`], into memory of which nothing is kept.
    pub(super) fn decode(
        &mut self,
        stream: &[u8],
        most: usize,
        decoded: &mut Vec<u8>,
    ) -> Result<()> {
        let most = most.min(most_decoded(Codec::Deflate, stream.len() as u64) as usize);
        let damaged = |reason: &str, at: usize| Err(damage(reason).at(at as u64));
        // Deflate, a checksum of the first two bytes, and no dictionary.
        let is_head = |&[method, flags]: &[u8; 2]| {
            method & 15 == 8
                && method >> 4 < 8
                && u16::from_be_bytes([method, flags]) % 31 == 0
                && flags & 32 == 0
        };
        if !stream.first_chunk().is_some_and(is_head) {
            return damaged("no zlib stream begins here", 0);
        }
        decoded.clear();
        let mut end = None;
        self.0.reset();
        append(decoded, most, |buffer| {
            let step = self.0.step(&stream[2..], buffer, Bound::NONE);
            let step = step.map_err(|error| error.counted_from(2))?;
            end = step.ended.then_some(2 + step.used);
            Ok(())
        })?;
        let Some(end) = end else {
            return match decoded.len() {
                len if len < most => damaged("the zlib stream ends early", stream.len()),
                _ => Ok(()),
            };
        };
        match stream[end..].first_chunk() {
            Some(sum) if u32::from_be_bytes(*sum) == adler(decoded) => Ok(()),
            Some(_) => damaged(
                "the checksum of the zlib stream is not that of its data",
                end,
            ),
            None => damaged("the zlib stream ends early", stream.len()),
        }
    }
}
