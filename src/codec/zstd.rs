//! zstd (RFC 8878): frames one after the other, skippable ones among them.
//!
//! What follows the last frame and is none is ignored, as with the other
//! compressions; the `zstd` program fails there.

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};

use super::coding::{Bound, Coding, Feed, Step, Structure};
use super::seekable;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf};

/// Decoded bytes asked for at a time.
const PIECE: usize = 32 << 10;

/// The frames of a zstd file. The decoder refuses windows beyond 128 MiB, as
/// the `zstd` program does unless told otherwise.
pub(super) struct Zstd {
    context: DCtx<'static>,
    /// Whether nothing of the frame was decoded yet.
    fresh: bool,
}

impl Coding for Zstd {
    const NAME: &'static str = "zstd";
    const LOOK: usize = 64 << 10;
    const SKIPS_ZEROS: bool = false;
    const SUMS: bool = false;
    /// Frames can be begun, blocks not.
    type Mark = ();

    /// The checksums of frames that have one are always looked at.
    fn new(_verify: bool) -> Result<Zstd> {
        match DCtx::try_create() {
            Some(context) => Ok(Zstd {
                context,
                fresh: false,
            }),
            None => {
                let text = "there is no memory for a zstd decoder";
                Err(Error::new(ErrorKind::Memory, text))
            }
        }
    }

    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        let head = feed.look(4)?;
        self.fresh = true;
        Ok(super::is_zstd_frame(head) || super::is_zstd_skippable(head))
    }

    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, bound: Bound) -> Result<Step> {
        self.fresh = false;
        let mut from = InBuffer::around(input);
        let mut status = Ok(1);
        let most = usize::try_from(bound.most).unwrap_or(PIECE);
        output.write_with(PIECE.min(most), |to| {
            let mut to = OutBuffer::around(to);
            status = self.context.decompress_stream(&mut to, &mut from);
            to.pos()
        });
        Ok(Step {
            used: from.pos(),
            ended: status.map_err(failed)? == 0,
        })
    }

    fn mark(&self) -> Option<()> {
        self.fresh.then_some(())
    }

    fn resume(&mut self, _mark: &(), feed: &mut Feed<'_>) -> Result<bool> {
        let reset = self.context.reset(ResetDirective::SessionOnly);
        reset.map_err(failed)?;
        self.begin(feed)
    }

    fn overlap(_mark: &()) -> u64 {
        0
    }

    fn is_start(_mark: &()) -> bool {
        true
    }

    fn weight(_mark: &()) -> usize {
        0
    }

    fn memory(&self) -> usize {
        self.context.sizeof()
    }

    fn structure(source: &dyn ReadAt) -> Result<Option<Structure<()>>> {
        seekable::structure(source)
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
