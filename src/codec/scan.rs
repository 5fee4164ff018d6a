//! A look through the compressed bytes of a source, without decoding them.

use crate::error::Result;
use crate::io::{ReadAt, append};

/// Bytes read at a time: what a second-level cache holds.
pub(super) const PIECE: usize = 256 << 10;

/// The bytes of a source from one on, a piece after the other.
pub(super) struct Pieces<'a> {
    source: &'a dyn ReadAt,
    /// Byte of the source at which `bytes` begin.
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
    /// Whether there is nothing behind `bytes`.
    pub(super) ended: bool,
}

impl<'a> Pieces<'a> {
    /// With the first piece read.
    pub(super) fn new(source: &'a dyn ReadAt, start: u64) -> Result<Pieces<'a>> {
        let mut pieces = Pieces {
            source,
            start,
            bytes: Vec::new(),
            ended: false,
        };
        pieces.next(0)?;
        Ok(pieces)
    }

    /// Read the next piece behind the bytes that are here, of which the first
    /// `gone` go.
    pub(super) fn next(&mut self, gone: usize) -> Result<()> {
        self.bytes.drain(..gone);
        self.start += gone as u64;
        let behind = self.start + self.bytes.len() as u64;
        let read = append(&mut self.bytes, PIECE, |buffer| {
            self.source.read_at(behind, buffer)
        })?;
        self.ended = read < PIECE;
        Ok(())
    }
}

/// Where a pattern stands in bytes first, from the byte `from` on. Its bytes
/// `key` and `key + 1` are sought first: a rare pair is found fast.
pub(super) fn find(bytes: &[u8], pattern: &[u8], key: usize, from: usize) -> Option<usize> {
    /// Compared at a time, which compilers make a few wide operations of.
    const WIDE: usize = 64;
    let (first, second) = (pattern[key], pattern[key + 1]);
    let is_there = |at: &usize| bytes[*at..].starts_with(pattern);
    let mut at = from;
    while let Some(keys) = bytes.get(at + key..at + key + WIDE + 1) {
        let pairs = keys[..WIDE].iter().zip(&keys[1..]);
        let any = pairs.fold(false, |any, (a, b)| any | ((*a == first) & (*b == second)));
        if any {
            if let Some(found) = (at..at + WIDE).find(is_there) {
                return Some(found);
            }
        }
        at += WIDE;
    }
    (at..bytes.len()).find(is_there)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::io::Memory;

    #[test]
    fn patterns_are_found_wherever_they_stand() {
        for pattern in [&[1, 2, 3][..], &[0, 0, 9, 9, 0], &[0, 0]] {
            for key in 0..pattern.len() - 1 {
                for at in 0..200 {
                    let mut bytes = vec![7; 300];
                    bytes[at..at + pattern.len()].copy_from_slice(pattern);
                    assert_eq!(find(&bytes, pattern, key, 0), Some(at));
                    assert_eq!(find(&bytes, pattern, key, at), Some(at));
                    assert_eq!(find(&bytes, pattern, key, at + 1), None);
                    let cut = &bytes[..at + pattern.len() - 1];
                    assert_eq!(find(cut, pattern, key, 0), None);
                }
            }
        }
        assert_eq!(find(&[], &[1, 2], 0, 0), None);
        // The pair alone, again and again.
        let mut bytes = [1, 2].repeat(100);
        bytes.push(3);
        assert_eq!(find(&bytes, &[1, 2, 3], 0, 0), Some(198));
    }

    #[test]
    fn pieces_go_to_the_end() {
        let bytes: Vec<u8> = (0..2 * PIECE + 100).map(|i| (i % 251) as u8).collect();
        let memory = Memory(Arc::new(bytes.clone()));
        let mut pieces = Pieces::new(&memory, 5).unwrap();
        assert_eq!((pieces.start, pieces.bytes.len()), (5, PIECE));
        pieces.next(PIECE - 3).unwrap();
        assert!(!pieces.ended);
        assert_eq!(pieces.start, 2 + PIECE as u64);
        assert_eq!(pieces.bytes, &bytes[2 + PIECE..5 + 2 * PIECE]);
        pieces.next(0).unwrap();
        assert!(pieces.ended);
        assert_eq!(pieces.bytes, &bytes[2 + PIECE..]);
    }
}
