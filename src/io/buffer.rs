//! A buffer that fills from the front and may begin unwritten.

// Memory that was never written is kept apart from what was, which the
// language has no safe words for yet.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use crate::error::{Error, ErrorKind, Result};

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

    /// Let `write` put bytes at the front of memory that fits, `most` bytes of
    /// it at most, and count as many as it says. The memory is zeroed first:
    /// for writers that want none that was never written.
    pub fn write_with(&mut self, most: usize, write: impl FnOnce(&mut [u8]) -> usize) {
        let len = most.min(self.room());
        let memory = &mut self.unfilled()[..len];
        memory.fill(MaybeUninit::new(0));
        // SAFETY: all of it was just written.
        let memory = unsafe { std::slice::from_raw_parts_mut(memory.as_mut_ptr().cast(), len) };
        let written = write(memory).min(len);
        // SAFETY: as above.
        unsafe { self.advance(written) };
    }

    /// The part that need not be written.
    pub fn unfilled(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes[self.filled..]
    }

    /// As [`ReadBuf::unfilled`], with the last `n` written bytes before it, of
    /// which there are as many.
    ///
    /// # Safety
    /// The first `n` bytes stay written.
    pub(crate) unsafe fn unfilled_behind(&mut self, n: usize) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes[self.filled - n..]
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

/// Let a source fill `bytes`, and give what it wrote.
///
/// Sources are anyone's, and safe code can put another buffer in the place of
/// the one that it was lent. What that one holds says nothing of `bytes`.
pub(crate) fn fill(
    bytes: &mut [MaybeUninit<u8>],
    read: impl FnOnce(&mut ReadBuf<'_>) -> Result<()>,
) -> Result<&[u8]> {
    let (start, len) = (bytes.as_ptr(), bytes.len());
    let mut buffer = ReadBuf::new(bytes);
    read(&mut buffer)?;
    if buffer.bytes.as_ptr() != start || buffer.bytes.len() != len {
        let text = "a source put another buffer in the place of the one to fill";
        return Err(Error::new(ErrorKind::Internal, text));
    }
    let ReadBuf { bytes, filled } = buffer;
    // SAFETY: it is over the bytes that were lent, and whichever buffer over
    // them it is, its first `filled` bytes are written.
    Ok(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), filled) })
}

/// Let a source append up to `len` bytes to a vector; says how many it did.
pub(crate) fn append(
    bytes: &mut Vec<u8>,
    len: usize,
    read: impl FnOnce(&mut ReadBuf<'_>) -> Result<()>,
) -> Result<usize> {
    bytes.try_reserve_exact(len).map_err(|_| {
        let text = format!("there is no memory for {len} bytes");
        Error::new(ErrorKind::Memory, text)
    })?;
    let before = bytes.len();
    let filled = fill(&mut bytes.spare_capacity_mut()[..len], read)?.len();
    // SAFETY: the first `filled` bytes of the spare capacity are written.
    unsafe { bytes.set_len(before + filled) };
    Ok(filled)
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

    #[test]
    fn counts_what_writers_say() {
        let mut memory = [MaybeUninit::uninit(); 5];
        let mut buffer = ReadBuf::new(&mut memory);
        buffer.write_with(3, |to| {
            assert_eq!(to, [0; 3]);
            to[0] = 7;
            2
        });
        assert_eq!((buffer.filled(), buffer.room()), (&[7, 0][..], 3));
        buffer.write_with(99, |to| to.len() + 1);
        assert_eq!(buffer.filled(), [7, 0, 0, 0, 0]);
        buffer.write_with(99, |to| to.len());
        assert_eq!(buffer.room(), 0);
    }
}
