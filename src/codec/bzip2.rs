//! bzip2: streams one after the other, each of blocks with a checksum and of a
//! checksum of these.
//!
//! As in other readers, what follows the last stream and is none is ignored.
//!
//! Blocks need nothing of each other, so decoding can begin at each. They
//! begin at any bit. The decoder does not say at which, but with which byte it
//! has read a block: where a magic begins in those eight bits, the next does.

use super::bunzip::Bunzip;
use super::coding::{Bound, Coding, Feed, Step};
use super::magics::{BITS, Magic, Search};
use crate::error::Result;
use crate::io::ReadBuf;

/// Decoded bytes asked for at a time.
const PIECE: usize = 64 << 10;

/// Bytes of a stream without blocks: head, end, the checksum of nothing.
const EMPTY: usize = super::BZIP2_HEAD + 4;

/// Bits of the checksum at the end of a stream.
const CHECKSUM: u64 = 32;

/// Memory that a decoder takes: four bytes for each of a block, whose size
/// the stream's level tells in units of 100,000, and tables.
const BLOCK: usize = 400_000;
const TABLES: usize = 64 << 10;

/// What decoding needs to begin.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A stream begins there.
    Stream,
    /// A block does, behind its magic.
    Block {
        level: usize,
        /// Bits of the last byte before the place that belong to it.
        bits: u8,
    },
}

/// The streams of a bzip2 file.
pub(super) struct Bzip2 {
    /// None for a stream without blocks.
    decoder: Option<Bunzip>,
    level: usize,
    /// Whether decoding began with the stream.
    whole: bool,
    /// Where the last step stopped, if decoding can begin there.
    mark: Option<Mark>,
    state: State,
    search: Search,
    /// The next magic, if it is known. The decoder gets nothing behind it
    /// before it is clear what it is.
    magic: Option<Magic>,
}

/// Bits and bytes are counted as the decoder's.
#[derive(Clone, Copy)]
enum State {
    /// The decoder reads a block.
    Reading,
    /// It gives what it has read. The block ends in the eight bits before this
    /// one.
    Giving { end: u64 },
    /// The end of the stream was found. It ends before this byte.
    Ending { end: u64 },
}

impl Bzip2 {
    /// The bytes up to the end of a magic were taken behind a block that ends
    /// in the eight bits before bit `end`.
    fn come_to_magic(&mut self, magic: Magic, end: u64) {
        // By chance there can be one elsewhere.
        if magic.bit > end || magic.bit + 8 <= end {
            return;
        }
        let behind = magic.bit + BITS;
        if magic.is_end {
            let end = (behind + CHECKSUM).div_ceil(8);
            self.state = State::Ending { end };
        } else {
            self.state = State::Reading;
            self.mark = Some(Mark::Block {
                level: self.level,
                bits: (8 * magic.bytes - behind) as u8,
            });
        }
    }
}

/// Bytes of the input up to the next magic, with that, or all of it.
fn limit(search: &mut Search, magic: &mut Option<Magic>, taken: u64, input: &[u8]) -> usize {
    if magic.is_none() {
        let looked_at = (search.bytes - taken) as usize;
        *magic = search.next(&input[looked_at..]);
    }
    magic.map_or(input.len(), |magic| (magic.bytes - taken) as usize)
}

impl Coding for Bzip2 {
    const NAME: &'static str = "bzip2";
    /// What a damaged block can grow to: its checksum is behind all of it.
    const LOOK: usize = super::BZIP2_BLOCK;
    const SKIPS_ZEROS: bool = false;
    const SUMS: bool = false;
    type Mark = Mark;

    /// The checksums of blocks are always looked at.
    fn new(_verify: bool) -> Result<Bzip2> {
        Ok(Bzip2 {
            decoder: None,
            level: 0,
            whole: true,
            mark: None,
            state: State::Reading,
            search: Search::new(),
            magic: None,
        })
    }

    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool> {
        let head = feed.look(EMPTY)?;
        if !super::is_bzip2(head) {
            return Ok(false);
        }
        *self = Bzip2 {
            level: usize::from(head[3] - b'0'),
            mark: Some(Mark::Stream),
            ..Bzip2::new(true)?
        };
        // A file can hold very many streams without blocks.
        if head.len() == EMPTY && head[4..] == [0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0] {
            return feed.take(&mut [0; EMPTY]);
        }
        self.decoder = Some(Bunzip::new());
        Ok(true)
    }

    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, bound: Bound) -> Result<Step> {
        self.mark = None;
        let mut used = 0;
        let done = |used, ended| Ok(Step { used, ended });
        loop {
            let Some(decoder) = &mut self.decoder else {
                return done(used, true);
            };
            let rest = &input[used..];
            match self.state {
                // No stream ends inside a block.
                State::Reading if output.room() == 0 => return done(used, false),
                State::Reading => {
                    let limit = limit(&mut self.search, &mut self.magic, decoder.taken, rest);
                    let fed = decoder.read(&rest[..limit])?;
                    used += fed.used;
                    if fed.ended {
                        return done(used, true);
                    }
                    if fed.used < limit {
                        let end = decoder.reached();
                        self.state = State::Giving { end };
                    } else if self.magic.take().is_none() {
                        return done(used, false);
                    }
                }
                State::Giving { end } => {
                    let limit = limit(&mut self.search, &mut self.magic, decoder.taken, rest);
                    let most = usize::try_from(bound.most).unwrap_or(PIECE);
                    let mut fed = Ok(Default::default());
                    output.write_with(PIECE.min(most), |to| {
                        fed = decoder.feed(&rest[..limit], to);
                        fed.as_ref().map_or(0, |fed| fed.given)
                    });
                    let fed = fed?;
                    used += fed.used;
                    match self.magic.take_if(|_| fed.used == limit) {
                        Some(magic) => self.come_to_magic(magic, end),
                        None => return done(used, fed.ended),
                    }
                    if self.mark.is_some() {
                        return done(used, false);
                    }
                }
                State::Ending { .. } if self.whole => {
                    // The checksum of all blocks is compared.
                    let fed = decoder.feed(rest, &mut [])?;
                    return done(used + fed.used, fed.ended);
                }
                State::Ending { end } => {
                    let left = usize::try_from(end - decoder.taken).unwrap_or(usize::MAX);
                    let n = left.min(rest.len());
                    decoder.taken += n as u64;
                    return done(used + n, n == left);
                }
            }
        }
    }

    fn mark(&self) -> Option<Mark> {
        self.mark
    }

    fn resume(&mut self, mark: &Mark, feed: &mut Feed<'_>) -> Result<bool> {
        let &Mark::Block { level, bits } = mark else {
            return self.begin(feed);
        };
        *self = Bzip2 {
            level,
            whole: false,
            ..Bzip2::new(true)?
        };
        let mut first = [0];
        let shared = &mut first[..Self::overlap(mark) as usize];
        if !feed.take(shared)? {
            return Ok(false);
        }
        self.search.next(shared);
        let first = shared.first().map(|&byte| (byte, bits));
        self.decoder = Some(Bunzip::at_block(level, first)?);
        Ok(true)
    }

    /// The byte in which the magic ends, if the block shares it.
    fn overlap(mark: &Mark) -> u64 {
        u64::from(matches!(mark, Mark::Block { bits: 1.., .. }))
    }

    fn is_start(mark: &Mark) -> bool {
        matches!(mark, Mark::Stream)
    }

    fn weight(_mark: &Mark) -> usize {
        0
    }

    fn memory(&self) -> usize {
        match self.decoder {
            Some(_) => self.level * BLOCK + TABLES,
            None => 0,
        }
    }
}

#[cfg(test)]
#[path = "bzip2_tests.rs"]
mod tests;
