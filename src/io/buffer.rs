//! A buffer that fills from the front and may begin unwritten.

// Memory that was never written is kept apart from what was, which the
// language has no safe words for yet.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::error::Result;

/// Memory to read into: a written part, then a part that need not be.
#[derive(Debug)]
pub struct ReadBuf<'a> {
    bytes: &'a mut [MaybeUninit<u8>],
    filled: usize,
}

impl<'a> ReadBuf<'a> {
    /// A buffer with nothing in it.
    pub fn new(bytes: &'a mut [MaybeUninit<u8>]) -> ReadBuf<'a> {
        ReadBuf { bytes, filled: 0 }
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        self.bytes.len() - self.filled
    }

    /// What was written so far.
    pub fn filled(&self) -> &[u8] {
        // SAFETY: the first `filled` bytes are written, see `advance`.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.filled) }
    }

    /// Append as many of `bytes` as fit, and say how many that were.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        // SAFETY: `n` bytes fit, and reading and writing do not overlap, for
        // the buffer is borrowed mutably.
        unsafe {
            let to = self.unfilled().as_mut_ptr();
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.cast(), n);
            self.advance(n);
        }
        n
    }

    /// The part that need not be written.
    pub fn unfilled(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes[self.filled..]
    }

    /// Count `n` more bytes as written.
    ///
    /// # Safety
    /// The first `n` bytes of [`ReadBuf::unfilled`] are written.
    pub unsafe fn advance(&mut self, n: usize) {
        assert!(n <= self.room(), "more bytes than fit");
        self.filled += n;
    }
}

/// Let `read` fill up to `len` bytes of an empty vector with that capacity.
pub(super) fn fill_vec(
    bytes: &mut Vec<u8>,
    len: usize,
    read: impl FnOnce(&mut ReadBuf<'_>) -> Result<()>,
) -> Result<()> {
    bytes.clear();
    let mut buffer = ReadBuf::new(&mut bytes.spare_capacity_mut()[..len]);
    read(&mut buffer)?;
    let filled = buffer.filled;
    // SAFETY: the buffer is the vector's spare capacity, and `filled` of its
    // bytes are written.
    unsafe { bytes.set_len(filled) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_from_the_front() {
        let mut memory = [MaybeUninit::uninit(); 5];
        let mut buffer = ReadBuf::new(&mut memory);
        assert_eq!(buffer.push(&[1, 2, 3]), 3);
        assert_eq!(buffer.push(&[4, 5, 6]), 2);
        assert_eq!((buffer.filled(), buffer.room()), (&[1, 2, 3, 4, 5][..], 0));
    }
}
