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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::io::Memory;

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
