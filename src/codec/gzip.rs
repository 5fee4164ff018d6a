//! gzip (RFC 1952): members one after the other, each a deflate stream.
//!
//! As in other readers, zero bytes between and behind members are skipped,
//! and what follows the last member and is none itself is ignored.

use std::borrow::Cow;
use std::sync::Arc;

use super::coding::{BlocksOf, Bound, Coding, Ending, Feed, Step, Structure};
use super::index::{Index, Point};
use super::inflate::{Boundary, Inflate, MEMORY, WINDOW};
use super::{bgzf, flushes, gzidx, members};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf};

/// Longest header of a member. The format has no limit, but a name without an
/// end must not lead through all of a file.
const MOST_HEADER: u64 = 1 << 20;

/// Whether bytes begin as a gzip member does: magic, method, no reserved flag
/// (RFC 1952, 2.3.1).
pub(super) fn is_magic(head: &[u8]) -> bool {
    matches!(head, [0x1F, 0x8B, 8, flags, ..] if flags & 0xE0 == 0)
}

/// What decoding needs to begin at a block.
pub(super) struct Mark {
    /// Bits of the last byte before the place that belong to the next block.
    pub(super) bits: u8,
    pub(super) window: Window,
}

impl From<Boundary> for Mark {
    fn from(block: Boundary) -> Mark {
        Mark {
            bits: block.bits,
            window: Window::Here(block.window),
        }
    }
}

/// The decoded bytes before a block.
pub(super) enum Window {
    /// Not needed: a member begins here.
    Start,
    /// Not needed: the block refers to nothing before it.
    None,
    Here(Box<[u8]>),
    /// In an index file.
    Stored(Stored),
}

/// A window in an index file, read when it is needed.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) file: Arc<dyn ReadAt>,
    pub(super) offset: u64,
    /// Its CRC-32, if the file tells.
    pub(super) sum: Option<u32>,
}

impl Window {
    pub(super) fn bytes(&self) -> Result<Cow<'_, [u8]>> {
        let stored = match self {
            Window::Start | Window::None => return Ok(Cow::Borrowed(&[])),
            Window::Here(bytes) => return Ok(Cow::Borrowed(bytes)),
            Window::Stored(stored) => stored,
        };
        let bytes = stored.file.read_vec(stored.offset, WINDOW);
        let bytes = bytes.map_err(|error| error.of_kind(ErrorKind::SeekIndex))?;
        if bytes.len() < WINDOW || stored.sum.is_some_and(|sum| sum != checksum(&bytes)) {
            let text = "a window of the seek index is not what was saved";
            return Err(Error::new(ErrorKind::SeekIndex, text).at(stored.offset));
        }
        Ok(Cow::Owned(bytes))
    }
}

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = super::inflate::Checksum::default();
    sum.update(bytes);
    sum.value()
}

/// The members of a gzip file.
pub(super) struct Gzip {
    inflate: Inflate,
    /// Whether nothing of the member was decoded yet.
    fresh: bool,
}

impl Coding for Gzip {
    const NAME: &'static str = "gzip";
    const LOOK: usize = 64 << 10;
    const SKIPS_ZEROS: bool = true;
    const SUMS: bool = true;
    type Mark = Mark;
    const BLOCKS: Option<BlocksOf<Mark>> = Some(|mark| {
        let block = Boundary {
            bits: mark.bits,
            window: mark.window.bytes()?.into(),
        };
        Ok((block, Mark::from))
    });

    fn new(_verify: bool) -> Result<Gzip> {
        Ok(Gzip {
            inflate: Inflate::new(),
            fresh: false,
        })
    }

    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        self.inflate.reset();
        self.fresh = true;
        header(feed)
    }

    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, bound: Bound) -> Result<Step> {
        self.fresh = false;
        self.inflate.step(input, output, bound)
    }

    /// A file cut in the checksum or size behind a stream still has its data.
    fn end(&mut self, feed: &mut Feed<'_>) -> Result<Ending> {
        let mut trailer = [0; 8];
        if !feed.take(&mut trailer)? {
            return Ok(Ending::Cut);
        }
        let [a, b, c, d, e, f, g, h] = trailer;
        Ok(Ending::Sum {
            sum: u32::from_le_bytes([a, b, c, d]),
            size: u32::from_le_bytes([e, f, g, h]),
        })
    }

    fn mark(&self) -> Option<Mark> {
        if self.fresh {
            return Some(Mark {
                bits: 0,
                window: Window::Start,
            });
        }
        self.inflate.boundary().map(Mark::from)
    }

    fn resume(&mut self, mark: &Mark, feed: &mut Feed<'_>) -> Result<bool> {
        let mut last = [0];
        let overlap = Self::overlap(mark) as usize;
        if !feed.take(&mut last[..overlap])? {
            return Ok(false);
        }
        self.inflate
            .resume(mark.bits, last[0], &mark.window.bytes()?);
        self.fresh = Self::is_start(mark);
        Ok(true)
    }

    /// The byte in which the block before the mark ends, if it shares it.
    fn overlap(mark: &Mark) -> u64 {
        u64::from(mark.bits > 0)
    }

    fn is_start(mark: &Mark) -> bool {
        matches!(mark.window, Window::Start)
    }

    /// A window that is right can stay in the index file. Some writers leave
    /// out what the data do not refer to: what a decoder has takes its place.
    fn confirmed(own: Mark, known: &Mark) -> Mark {
        let (Window::Here(found), Window::Stored(stored)) = (&own.window, &known.window) else {
            return own;
        };
        match known.window.bytes() {
            Ok(bytes) if bytes.ends_with(found) => Mark {
                bits: own.bits,
                window: Window::Stored(Stored {
                    sum: Some(checksum(&bytes)),
                    ..stored.clone()
                }),
            },
            _ => own,
        }
    }

    fn weight(mark: &Mark) -> usize {
        match &mark.window {
            Window::Here(bytes) => bytes.len(),
            Window::Start | Window::None | Window::Stored(_) => 0,
        }
    }

    fn memory(&self) -> usize {
        MEMORY
    }

    fn structure(source: &dyn ReadAt) -> Result<Option<Structure<Mark>>> {
        bgzf::structure(source)
    }

    fn guess(source: &dyn ReadAt, end: u64) -> Result<Vec<Point<Mark>>> {
        let members = members::guess(source, end)?;
        if !members.is_empty() {
            return Ok(members);
        }
        flushes::guess(source, end)
    }

    fn save_index(index: &Index<Mark>, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        gzidx::save(index, write)
    }

    fn load_index(index: &Index<Mark>, source: &dyn ReadAt, file: Arc<dyn ReadAt>) -> Result<()> {
        gzidx::load(index, source, file)
    }
}

/// Longest header that is looked for before a place: nearly all are shorter, and
/// one with as much in its extra field as there can be.
const NEAR_HEADER: u64 = 1 << 10;
const FAR_HEADER: u64 = 68 << 10;

/// Bytes that look like a header's begin and are tried. Names have none.
const MOST_HEADERS: usize = 8;

/// Whether a member's header ends right before a byte of the source. One that
/// is long is looked for as often as there is patience.
pub(super) fn begins_behind(source: &dyn ReadAt, at: u64, patience: &mut u32) -> Result<bool> {
    let found = |most: u64| {
        let start = at.saturating_sub(most);
        let before = (at - start) as usize;
        // With the first byte of the stream.
        let bytes = source.read_vec(start, before + 1)?;
        let begins = (0..before.saturating_sub(9)).rev();
        let mut begins = begins.filter(|&i| bytes.get(i..).is_some_and(is_magic));
        let is_header = |i: usize| members::header_len(&bytes[i..]) == Some(before - i);
        Ok(begins.by_ref().take(MOST_HEADERS).any(is_header))
    };
    if found(NEAR_HEADER)? {
        return Ok(true);
    }
    if *patience == 0 {
        return Ok(false);
    }
    *patience -= 1;
    found(FAR_HEADER)
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
pub(super) mod tests;
