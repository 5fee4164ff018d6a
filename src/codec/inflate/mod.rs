//! Deflate (RFC 1951), resumable at any byte of input and output, and at the
//! end of any block with the bytes before it.

// The decoder has zlib's interface, which is C's.
#![allow(unsafe_code)]

use std::ffi::c_int;

use libz_rs_sys as z;

use super::coding::{Bound, Step, damage};
use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadBuf;

/// Bytes before a place that a stream can refer to.
pub(super) const WINDOW: usize = 32 << 10;

/// A stream being decoded.
pub(super) struct Inflate {
    /// In a box, for the decoder keeps its address.
    stream: Box<z::z_stream>,
}

// SAFETY: the pointers inside are to memory that this alone owns, or to
// buffers that are only used within a call.
unsafe impl Send for Inflate {}

/// Where a block ends and the next begins.
pub(super) struct Boundary {
    /// Bits of the last byte before the place that belong to the next block.
    pub(super) bits: u8,
    /// The bytes before it.
    pub(super) window: Box<[u8]>,
}

impl Inflate {
    /// A bare stream.
    pub(super) fn new() -> Result<Inflate> {
        Inflate::with(-15)
    }

    /// With the header and checksum of zlib (RFC 1950) around the stream.
    pub(super) fn zlib() -> Result<Inflate> {
        Inflate::with(15)
    }

    fn with(window_bits: c_int) -> Result<Inflate> {
        let mut stream = Box::new(z::z_stream::default());
        let size = size_of::<z::z_stream>() as c_int;
        // SAFETY: the stream is new, with the default allocator in it.
        let code = unsafe { z::inflateInit2_(&mut *stream, window_bits, z::zlibVersion(), size) };
        match code {
            z::Z_OK => Ok(Inflate { stream }),
            _ => Err(Error::new(
                ErrorKind::Memory,
                "there is no memory for a deflate decoder",
            )),
        }
    }

    /// Begin a new stream, one without header and checksum.
    pub(super) fn reset(&mut self) {
        // SAFETY: the stream was made by `inflateInit2_`.
        let code = unsafe { z::inflateReset(&mut *self.stream) };
        debug_assert_eq!(code, z::Z_OK);
    }

    /// Begin at a block's end inside a stream: `bits` of the byte before it,
    /// which is `last`, are the next block's. The window is what was decoded
    /// before.
    pub(super) fn resume(&mut self, bits: u8, last: u8, window: &[u8]) {
        self.reset();
        let window = &window[window.len().saturating_sub(WINDOW)..];
        let bits = c_int::from(bits & 7);
        let value = c_int::from(last) >> (8 - bits);
        // SAFETY: the stream was made by `inflateInit2_`, and the window is as
        // long as is said.
        let codes = unsafe {
            [
                z::inflatePrime(&mut *self.stream, bits, value),
                z::inflateSetDictionary(&mut *self.stream, window.as_ptr(), window.len() as u32),
            ]
        };
        debug_assert_eq!(codes, [z::Z_OK; 2]);
    }

    /// As [`super::coding::Coding::step`].
    pub(super) fn step(
        &mut self,
        input: &[u8],
        output: &mut ReadBuf<'_>,
        bound: Bound,
    ) -> Result<Step> {
        let room = output.unfilled();
        let most = usize::try_from(bound.most).unwrap_or(usize::MAX);
        let (len_in, len_out) = (clamped(input.len()), clamped(room.len().min(most)));
        self.stream.next_in = input.as_ptr();
        self.stream.avail_in = len_in;
        self.stream.next_out = room.as_mut_ptr().cast();
        self.stream.avail_out = len_out;
        let flush = if bound.at_mark {
            z::Z_BLOCK
        } else {
            z::Z_NO_FLUSH
        };
        // SAFETY: the stream was made by `inflateInit2_`, and reads and writes
        // within the buffers that are borrowed until the end of this function.
        let code = unsafe { z::inflate(&mut *self.stream, flush) };
        let written = (len_out - self.stream.avail_out) as usize;
        // SAFETY: the decoder wrote that many bytes to the front.
        unsafe { output.advance(written) };
        match code {
            // No progress is possible; the caller sees that.
            z::Z_OK | z::Z_STREAM_END | z::Z_BUF_ERROR => Ok(Step {
                used: (len_in - self.stream.avail_in) as usize,
                ended: code == z::Z_STREAM_END,
            }),
            z::Z_MEM_ERROR => Err(Error::new(
                ErrorKind::Memory,
                "there is no memory for a deflate decoder",
            )),
            _ => Err(damage("the deflate stream is damaged")),
        }
    }

    /// The place at which the last step ended, if a block ends there that is
    /// not the last.
    pub(super) fn boundary(&self) -> Option<Boundary> {
        // As zlib.h has it: 128 behind a block, 64 in the last one, and below
        // them the bits that are not used yet.
        let state = self.stream.data_type;
        if state & 128 == 0 || state & 64 != 0 {
            return None;
        }
        let mut window = vec![0; WINDOW];
        let mut len = WINDOW as u32;
        // SAFETY: there is room for the largest window.
        let code = unsafe { z::inflateGetDictionary(&*self.stream, window.as_mut_ptr(), &mut len) };
        if code != z::Z_OK {
            return None;
        }
        window.truncate(len as usize);
        Some(Boundary {
            bits: (state & 7) as u8,
            window: window.into_boxed_slice(),
        })
    }
}

/// CRC-32 of bytes that come one part after the other.
#[derive(Default)]
pub(super) struct Checksum(u32);

impl Checksum {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(1 << 30) {
            // SAFETY: the part is as long as is said.
            let sum = unsafe { z::crc32(self.0.into(), part.as_ptr(), part.len() as u32) };
            self.0 = sum as u32;
        }
    }

    pub(super) fn value(&self) -> u32 {
        self.0
    }
}

/// CRC-32 of two runs of bytes joined; the second has `len` of them.
pub(super) fn joined(first: u32, second: u32, len: u64) -> u32 {
    // Positions in decoded data are below 2^63: no file is larger.
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    z::crc32_combine64(first.into(), second.into(), len) as u32
}

impl Drop for Inflate {
    fn drop(&mut self) {
        // SAFETY: the stream was made by `inflateInit2_`.
        unsafe { z::inflateEnd(&mut *self.stream) };
    }
}

/// As long as a call of the decoder can take.
fn clamped(len: usize) -> u32 {
    len.min(1 << 30) as u32
}
