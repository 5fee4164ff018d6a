//! Compressed bytes on their way from a source to a decoder.

use crate::error::Result;
use crate::io::{ReadAt, append};

/// Compressed bytes read at a time. The first read is small, for opening needs
/// little more than the header, and so are those behind a place: what is
/// wanted may be near.
const FIRST_PIECE: usize = 4 << 10;
const SECOND_PIECE: usize = 32 << 10;
pub(super) const PIECE: usize = 128 << 10;

/// A place in a source, and the bytes behind it that were read already.
#[derive(Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    used: usize,
    /// Where in the source the bytes behind `bytes` are.
    next: u64,
    /// Bytes read so far.
    read: usize,
}

impl Input {
    /// The same memory at another byte of the source.
    pub(super) fn moved(mut self, at: u64) -> Input {
        self.bytes.clear();
        Input {
            bytes: self.bytes,
            next: at,
            ..Input::default()
        }
    }

    /// Byte of the source that comes next.
    pub(super) fn at(&self) -> u64 {
        self.next - self.rest().len() as u64
    }

    /// What was read and not used.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.used..]
    }

    /// Go over the first `n` bytes of the rest.
    pub(super) fn advance(&mut self, n: usize) {
        self.used += n;
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Read on where nothing is left; `false` at the end of the source.
    pub(super) fn refill(&mut self, source: &dyn ReadAt) -> Result<bool> {
        let len = match self.read {
            0 if self.next == 0 => FIRST_PIECE,
            0..PIECE => SECOND_PIECE,
            _ => PIECE,
        };
        self.bytes.clear();
        self.used = 0;
        let new = append(&mut self.bytes, len, |buffer| {
            source.read_at(self.next, buffer)
        })?;
        self.next += new as u64;
        self.read += new;
        Ok(new > 0)
    }

    /// The byte that comes next; `None` at the end of the source.
    pub(super) fn peek(&mut self, source: &dyn ReadAt) -> Result<Option<u8>> {
        if self.rest().is_empty() && !self.refill(source)? {
            return Ok(None);
        }
        Ok(self.rest().first().copied())
    }

    /// The `n` bytes that come next, or as many as there are.
    pub(super) fn look(&mut self, source: &dyn ReadAt, n: usize) -> Result<&[u8]> {
        if self.rest().is_empty() {
            self.refill(source)?;
        }
        while self.rest().len() < n {
            let rest = self.rest().to_vec();
            let more = self.refill(source)?;
            self.bytes.splice(..0, rest);
            if !more {
                break;
            }
        }
        Ok(&self.rest()[..n.min(self.rest().len())])
    }

    /// Fill `to` with the bytes that come next; `false` if the source ends
    /// before.
    pub(super) fn take(&mut self, source: &dyn ReadAt, to: &mut [u8]) -> Result<bool> {
        for byte in to {
            match self.peek(source)? {
                Some(next) => *byte = next,
                None => return Ok(false),
            }
            self.used += 1;
        }
        Ok(true)
    }
}
