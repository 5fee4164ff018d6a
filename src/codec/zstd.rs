//! zstd (RFC 8878): frames one after the other, skippable ones among them.
//!
//! What follows the last frame and is none is ignored, as with the other
//! compressions; the `zstd` program fails there.

use std::convert::Infallible;

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::stream::{Coding, Feed, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadBuf;

/// Decoded bytes asked for at a time.
const PIECE: usize = 32 << 10;

/// The frames of a zstd file. The decoder refuses windows beyond 128 MiB, as
/// the `zstd` program does unless told otherwise.
pub(super) struct Zstd(DCtx<'static>);

impl Coding for Zstd {
    const NAME: &'static str = "zstd";
    const LOOK: usize = 64 << 10;
    const SKIPS_ZEROS: bool = false;
    type Mark = Infallible;

    /// The checksums of frames that have one are always looked at.
    fn new(_verify: bool) -> Result<Zstd> {
        let context = DCtx::try_create();
        context
            .map(Zstd)
            .ok_or_else(|| Error::new(ErrorKind::Memory, "there is no memory for a zstd decoder"))
    }

    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        let head = feed.look(4)?;
        Ok(super::is_zstd_frame(head) || super::is_zstd_skippable(head))
    }

    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, _due: u64) -> Result<Step> {
        let mut from = InBuffer::around(input);
        let mut status = Ok(1);
        output.write_with(PIECE, |to| {
            let mut to = OutBuffer::around(to);
            status = self.0.decompress_stream(&mut to, &mut from);
            to.pos()
        });
        Ok(Step {
            used: from.pos(),
            ended: status.map_err(failed)? == 0,
        })
    }

    fn mark(&self) -> Option<Infallible> {
        None
    }

    fn resume(&mut self, mark: &Infallible, _feed: &mut Feed<'_>) -> Result<bool> {
        match *mark {}
    }

    fn overlap(mark: &Infallible) -> u64 {
        match *mark {}
    }

    fn memory(&self) -> usize {
        self.0.sizeof()
    }
}

fn failed(code: usize) -> Error {
    let is = |kind| zstd_safe::is_error_kind(code, kind);
    let (kind, reason) = if is(ZSTD_ErrorCode::ZSTD_error_memory_allocation) {
        (ErrorKind::Memory, "there is no memory for its window")
    } else if is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) {
        let reason = "its window is larger than 128 MiB";
        (ErrorKind::Unsupported, reason)
    } else if is(ZSTD_ErrorCode::ZSTD_error_dictionary_wrong) {
        (ErrorKind::Unsupported, "it needs a dictionary")
    } else {
        (ErrorKind::Codec, zstd_safe::get_error_name(code))
    };
    Error::new(kind, format!("the zstd stream cannot be decoded: {reason}"))
}
