//! gzip (RFC 1952): members one after the other, each a deflate stream.
//!
//! As in other readers, zero bytes between and behind members are skipped,
//! and what follows the last member and is none itself is ignored.

use super::inflate::{Boundary, Checksum, Inflate};
use super::stream::{Coding, Feed, Step, damage};
use crate::error::Result;
use crate::io::ReadBuf;

/// Longest header of a member. The format has no limit, but a name without an
/// end must not lead through all of a file.
const MOST_HEADER: u64 = 1 << 20;

/// Memory that a deflate decoder takes: its window and tables.
const MEMORY: usize = 48 << 10;

/// Whether bytes begin as a gzip member does: magic, method, no reserved flag
/// (RFC 1952, 2.3.1).
pub(super) fn is_magic(head: &[u8]) -> bool {
    matches!(head, [0x1F, 0x8B, 8, flags, ..] if flags & 0xE0 == 0)
}

/// The members of a gzip file.
pub(super) struct Gzip {
    inflate: Inflate,
    verify: bool,
    /// Whether the member is decoded from its begin, so that its checksum can
    /// be compared.
    whole: bool,
    checksum: Checksum,
    /// Bytes of the member decoded so far, and where in the file it began.
    decoded: u64,
    start: u64,
}

impl Coding for Gzip {
    const NAME: &'static str = "gzip";
    const LOOK: usize = 64 << 10;
    const SKIPS_ZEROS: bool = true;
    type Mark = Boundary;

    fn new(verify: bool) -> Result<Gzip> {
        Ok(Gzip {
            inflate: Inflate::new()?,
            verify,
            whole: true,
            checksum: Checksum::default(),
            decoded: 0,
            start: 0,
        })
    }

    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        self.start = feed.at();
        self.decoded = 0;
        self.whole = true;
        self.checksum = Checksum::default();
        self.inflate.reset();
        header(feed)
    }

    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, due: u64) -> Result<Step> {
        let before = output.filled().len();
        let step = self.inflate.step(input, output, due)?;
        let new = &output.filled()[before..];
        self.decoded += new.len() as u64;
        if self.verify && self.whole {
            self.checksum.update(new);
        }
        Ok(step)
    }

    /// Checksum and size behind a stream. A file cut there still has its data.
    fn end(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        let mut trailer = [0; 8];
        if !feed.take(&mut trailer)? {
            return Ok(false);
        }
        if !self.verify || !self.whole {
            return Ok(true);
        }
        let [a, b, c, d, e, f, g, h] = trailer;
        let (sum, size) = (
            u32::from_le_bytes([a, b, c, d]),
            u32::from_le_bytes([e, f, g, h]),
        );
        let (found_sum, found_size) = (self.checksum.sum(), self.decoded as u32);
        if sum != found_sum {
            return Err(damage(format!(
                "the checksum of the gzip member that begins at byte {} is {sum:08x}, its data have {found_sum:08x}",
                self.start
            )));
        }
        if size != found_size {
            return Err(damage(format!(
                "the gzip member that begins at byte {} says that it has {size} bytes, it has {found_size}",
                self.start
            )));
        }
        Ok(true)
    }

    fn mark(&self) -> Option<Boundary> {
        self.inflate.boundary()
    }

    fn resume(&mut self, mark: &Boundary, feed: &mut Feed<'_>) -> Result<bool> {
        let mut last = [0];
        let overlap = Self::overlap(mark) as usize;
        if !feed.take(&mut last[..overlap])? {
            return Ok(false);
        }
        self.inflate.resume(mark, last[0]);
        self.whole = false;
        Ok(true)
    }

    /// The byte in which the block before the mark ends, if it shares it.
    fn overlap(mark: &Boundary) -> u64 {
        u64::from(mark.bits() > 0)
    }

    fn memory(&self) -> usize {
        MEMORY
    }
}

/// Go over a member's header (RFC 1952, 2.3). `false` if there is none.
fn header(feed: &mut Feed<'_>) -> Result<bool> {
    let start = feed.at();
    let mut fixed = [0; 10];
    if !is_magic(feed.look(fixed.len())?) || !feed.take(&mut fixed)? {
        return Ok(false);
    }
    let has = |flag: u8| fixed[3] & flag != 0;
    if has(4) {
        let mut len = [0; 2];
        if !feed.take(&mut len)? {
            return Ok(false);
        }
        let mut extra = vec![0; u16::from_le_bytes(len).into()];
        if !feed.take(&mut extra)? {
            return Ok(false);
        }
    }
    // Name, then comment, each ended by a zero byte.
    for flag in [8, 16] {
        let mut byte = [u8::from(has(flag))];
        while byte != [0] {
            let within = feed.at() - start < MOST_HEADER;
            if !within || !feed.take(&mut byte)? {
                return Ok(false);
            }
        }
    }
    let mut checksum = [0; 2];
    Ok(!has(2) || feed.take(&mut checksum)?)
}

#[cfg(test)]
#[path = "gzip_tests.rs"]
mod tests;
