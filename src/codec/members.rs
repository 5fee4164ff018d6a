//! The members of a gzip file, found by the look of its bytes.
//!
//! A member's header is three bytes and a few bits that other data can have by
//! chance, and how much lies before it the sizes behind the members tell. So
//! what is found here is a guess, for the decoder to prove.

use super::bgzf::{SPACING, start_of_member};
use super::coding::Bound;
use super::gzip::{Mark, is_magic};
use super::index::{Point, Trust};
use super::inflate::Inflate;
use super::scan::{Pieces, find};
use crate::error::Result;
use crate::io::{ReadAt, ReadBuf};

const MAGIC: &[u8] = &[0x1F, 0x8B, 8];

/// Behind a stream: CRC-32 and size of its data.
const TRAILER: usize = 8;

/// Longest header of a member that is found so. Names are in it.
const MOST_HEADER: usize = 4 << 10;

/// Compressed bytes of a member that are tried, and decoded ones at most.
/// Other data fail after a few symbols.
const TRIED: usize = 512;
const MOST_TRIED: usize = 2 << 10;

/// Zeros between members that are looked behind.
const MOST_ZEROS: usize = 16 << 10;

/// Where the size of the last member does not exclude that it is the only
/// one, the second must begin in so many bytes of the file.
const NEAR: u64 = 8 << 20;

/// Images compress to an eighth and not much less: a file that had to be
/// denser to be one member has several.
const DENSE: u64 = 8;

/// False finds that are tried: some, and one in so many bytes. By chance there
/// is one in 2^27 bytes.
const FALSE_FINDS: u64 = 16;
const FALSE_FIND_EACH: u64 = 1 << 20;

/// Members of a file whose data go on to the decoded byte `end` at least; none
/// if it seems to be one member.
pub(super) fn guess(source: &dyn ReadAt, end: u64) -> Result<Vec<Point<Mark>>> {
    let Some(size) = source.size()? else {
        return Ok(Vec::new());
    };
    let Some(last) = last_size(source, size)? else {
        return Ok(Vec::new());
    };
    // If it is one member, its size is this or more.
    let missing = end.saturating_sub(last).div_ceil(1 << 32);
    let least = last.saturating_add(missing.saturating_mul(1 << 32));
    if missing == 0 {
        return Ok(Vec::new());
    }
    let patience = match least > size.saturating_mul(DENSE) {
        true => end.saturating_mul(2).saturating_add(1 << 20),
        false => NEAR,
    };
    Search::new(source)?.run(end, patience)
}

/// The size that the last bytes of a file tell, modulo 2^32.
pub(super) fn last_size(source: &dyn ReadAt, size: u64) -> Result<Option<u64>> {
    let bytes = source.read_vec(size.saturating_sub(4), 4)?;
    let bytes = bytes.first_chunk().filter(|_| size > TRAILER as u64);
    Ok(bytes.map(|&bytes| u32::from_le_bytes(bytes).into()))
}

struct Search<'a> {
    pieces: Pieces<'a>,
    inflate: Inflate,
    /// Where the stream of the last member begins.
    stream: u64,
    /// Decoded bytes before that member.
    position: u64,
    false_finds: u64,
}

impl<'a> Search<'a> {
    fn new(source: &'a dyn ReadAt) -> Result<Search<'a>> {
        let pieces = Pieces::new(source, 0)?;
        Ok(Search {
            stream: header_len(&pieces.bytes).unwrap_or(0) as u64,
            pieces,
            inflate: Inflate::new(),
            position: 0,
            false_finds: 0,
        })
    }

    fn run(mut self, end: u64, patience: u64) -> Result<Vec<Point<Mark>>> {
        let mut points: Vec<Point<Mark>> = Vec::new();
        let mut from = usize::try_from(self.stream).unwrap_or(usize::MAX);
        if from == 0 {
            return Ok(points);
        }
        while self.position < end {
            let bytes = &self.pieces.bytes;
            let found = find(bytes, MAGIC, 0, from);
            // A pattern may begin in the last bytes.
            let at = found.unwrap_or(from.max((bytes.len() + 1).saturating_sub(MAGIC.len())));
            let ahead = MOST_HEADER + TRIED;
            if found.is_none() || at + ahead > bytes.len() {
                let byte = self.pieces.start + at as u64;
                let alone = self.position == 0 && byte > patience;
                if alone || found.is_none() && self.pieces.ended {
                    break;
                }
                if !self.pieces.ended {
                    let gone = at.saturating_sub(MOST_ZEROS);
                    self.pieces.next(gone)?;
                    from = at - gone;
                    continue;
                }
            }
            from = at + 1;
            let Some((size, stream)) = self.member(at)? else {
                self.false_finds += 1;
                let byte = self.pieces.start + at as u64;
                if self.false_finds > FALSE_FINDS + byte / FALSE_FIND_EACH {
                    return Ok(Vec::new());
                }
                continue;
            };
            self.position = self.position.saturating_add(size);
            self.stream = stream;
            let last = points.last().map_or(0, |last| last.position);
            if self.position - last >= SPACING && self.position < end {
                points.push(Point {
                    // Once it is proven.
                    trust: Trust::Found,
                    ..start_of_member(self.position, stream)
                });
            }
        }
        Ok(points)
    }

    /// The decoded size of the member before byte `at` of the piece, and where
    /// the stream of the one that begins there does; `None` if none does.
    fn member(&mut self, at: usize) -> Result<Option<(u64, u64)>> {
        let bytes = &self.pieces.bytes;
        let byte = self.pieces.start + at as u64;
        let before = byte.saturating_sub(self.stream);
        let Some(size) = told(&bytes[..at], before) else {
            return Ok(None);
        };
        let head = &bytes[at..bytes.len().min(at + MOST_HEADER)];
        let Some(header) = header_len(head) else {
            return Ok(None);
        };
        let stream = at + header;
        let tried = &bytes[stream..bytes.len().min(stream + TRIED)];
        if !decodes(&mut self.inflate, tried) {
            return Ok(None);
        }
        Ok(Some((size, byte + header as u64)))
    }
}

/// Whether bytes begin a deflate stream.
fn decodes(inflate: &mut Inflate, bytes: &[u8]) -> bool {
    inflate.reset();
    let mut decoded = Vec::with_capacity(MOST_TRIED);
    let mut buffer = ReadBuf::new(decoded.spare_capacity_mut());
    inflate.step(bytes, &mut buffer, Bound::NONE).is_ok()
}

/// The decoded size of a member that ends with these bytes, and zeros behind
/// it. Its stream begins `compressed` bytes before.
fn told(bytes: &[u8], compressed: u64) -> Option<u64> {
    let is_zero = |byte: &&u8| **byte == 0;
    let zeros = bytes
        .iter()
        .rev()
        .take(MOST_ZEROS)
        .take_while(is_zero)
        .count();
    // Up to three of the zeros can be the size's own.
    let between = [0]
        .into_iter()
        .chain(zeros.saturating_sub(3).max(1)..=zeros);
    between.into_iter().find_map(|zeros| {
        let size = bytes[..bytes.len() - zeros].last_chunk()?;
        let size = u64::from(u32::from_le_bytes(*size));
        let compressed = compressed.checked_sub((TRAILER + zeros) as u64)?;
        // Encoders store what does not compress, and some flush often.
        let fits = size <= 1032 * compressed && compressed <= size + size / 8 + 64;
        fits.then_some(size)
    })
}

/// Length of the header of a member (RFC 1952, 2.3) that bytes begin with;
/// `None` if it is none, or goes on behind them.
pub(super) fn header_len(bytes: &[u8]) -> Option<usize> {
    if !is_magic(bytes) {
        return None;
    }
    let flags = bytes[3];
    let mut len = 10;
    if flags & 4 != 0 {
        let extra = bytes.get(len..)?.first_chunk()?;
        len += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            len += 1 + bytes.get(len..)?.iter().position(|&byte| byte == 0)?;
        }
    }
    if flags & 2 != 0 {
        len += 2;
    }
    (len < bytes.len()).then_some(len)
}

#[cfg(test)]
#[path = "members_tests.rs"]
pub(super) mod tests;
