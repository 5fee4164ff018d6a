//! Deflate (RFC 1951), resumable at any byte of input and output.

// Output goes to memory that was never written; the decoder says how much of
// it it wrote.
#![allow(unsafe_code)]

use flate2::{Decompress, FlushDecompress, Status};

use super::stream::{Step, damage};
use crate::error::Result;
use crate::io::ReadBuf;

/// A stream being decoded.
pub(super) struct Inflate(Decompress);

impl Inflate {
    pub(super) fn new() -> Inflate {
        Inflate(Decompress::new(false))
    }

    /// With the header and checksum of zlib (RFC 1950) around the stream.
    pub(super) fn zlib() -> Inflate {
        Inflate(Decompress::new(true))
    }

    /// Begin a new stream, one without header and checksum.
    pub(super) fn reset(&mut self) {
        self.0.reset(false);
    }

    /// As [`super::stream::Coding::step`].
    pub(super) fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>) -> Result<Step> {
        let (before_in, before_out) = (self.0.total_in(), self.0.total_out());
        let status = self
            .0
            .decompress_uninit(input, output.unfilled(), FlushDecompress::None)
            .map_err(|_| damage("the deflate stream is damaged"))?;
        // SAFETY: the decoder counts the bytes that it wrote to the front.
        unsafe { output.advance((self.0.total_out() - before_out) as usize) };
        Ok(Step {
            used: (self.0.total_in() - before_in) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}
