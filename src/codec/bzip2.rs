//! bzip2: streams one after the other, each with checksums of its blocks.
//!
//! As in other readers, what follows the last stream and is none is ignored.

use ::bzip2::{Decompress, Status};

use super::coding::{Bound, Coding, Feed, Step, damage};
use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadBuf;

/// Decoded bytes asked for at a time.
const PIECE: usize = 64 << 10;

/// Bytes of a stream without blocks: head, end, the checksum of nothing.
const EMPTY: usize = super::BZIP2_HEAD + 4;

/// Memory that a decoder takes: four bytes for each of a block, whose size
/// the stream's level tells in units of 100,000, and tables.
const BLOCK: usize = 400_000;
const TABLES: usize = 64 << 10;

/// The streams of a bzip2 file.
pub(super) struct Bzip2 {
    /// None for a stream without blocks.
    decoder: Option<Decompress>,
    level: usize,
    /// Whether nothing of the stream was decoded yet.
    fresh: bool,
}

impl Coding for Bzip2 {
    const NAME: &'static str = "bzip2";
    /// What a damaged block can grow to: its checksum is behind all of it.
    const LOOK: usize = super::BZIP2_BLOCK;
    const SKIPS_ZEROS: bool = false;
    const SUMS: bool = false;
    /// Streams can be begun, blocks not.
    type Mark = ();

    /// The checksums of blocks are always looked at.
    fn new(_verify: bool) -> Result<Bzip2> {
        Ok(Bzip2 {
            decoder: None,
            level: 0,
            fresh: false,
        })
    }

    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        let head = feed.look(EMPTY)?;
        if !super::is_bzip2(head) {
            return Ok(false);
        }
        self.level = usize::from(head[3] - b'0');
        self.fresh = true;
        // A file can hold very many streams without blocks.
        if head.len() == EMPTY && head[4..] == [0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0] {
            self.decoder = None;
            return feed.take(&mut [0; EMPTY]);
        }
        self.decoder = Some(Decompress::new(false));
        Ok(true)
    }

    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, bound: Bound) -> Result<Step> {
        self.fresh = false;
        let Some(decoder) = &mut self.decoder else {
            return Ok(Step {
                used: 0,
                ended: true,
            });
        };
        let (before_in, before_out) = (decoder.total_in(), decoder.total_out());
        let mut status = Ok(Status::Ok);
        let most = usize::try_from(bound.most).unwrap_or(PIECE);
        output.write_with(PIECE.min(most), |to| {
            status = decoder.decompress(input, to);
            (decoder.total_out() - before_out) as usize
        });
        let ended = match status {
            Ok(Status::StreamEnd) => true,
            Ok(Status::MemNeeded) => {
                return Err(Error::new(
                    ErrorKind::Memory,
                    "there is no memory for a bzip2 block",
                ));
            }
            Ok(_) => false,
            Err(_) => return Err(damage("the bzip2 stream is damaged")),
        };
        Ok(Step {
            used: (decoder.total_in() - before_in) as usize,
            ended,
        })
    }

    fn mark(&self) -> Option<()> {
        self.fresh.then_some(())
    }

    fn resume(&mut self, _mark: &(), feed: &mut Feed<'_>) -> Result<bool> {
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
        match self.decoder {
            Some(_) => self.level * BLOCK + TABLES,
            None => 0,
        }
    }
}
