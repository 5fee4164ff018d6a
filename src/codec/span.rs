//! What one of several threads decodes of a deflate stream: from a block, whose
//! window may be unknown, to another one.

use std::ops::RangeInclusive;

use super::blocks;
use super::inflate::{Checksum, Inflate, Meanings, Symbols, WINDOW};
use super::input::Input;
use crate::error::Result;
use crate::io::ReadAt;

/// Decoded bytes of a span, about. With less, looking for blocks takes more of
/// the time; with more, memory.
pub(super) const SPAN: u64 = 768 << 10;

/// Most decoded bytes of all spans together, and of one.
const MOST: usize = 8 << 20;
const MOST_EACH: RangeInclusive<usize> = 1 << 20..=2 << 20;

/// Bits of the source behind the end of a span in which a block is awaited that
/// others find.
const FAR: u64 = 8 << 20;

/// Compressed bytes in which the begin of a block is looked for at a time.
const SIGHT: usize = 16 << 10;

/// Most blocks of a span: very short ones are not worth the memory.
const MOST_BLOCKS: usize = 1 << 14;

/// One thread's memory.
pub(super) struct Span {
    /// Most decoded bytes.
    most: usize,
    inflate: Inflate,
    input: Input,
    pub(super) symbols: Symbols,
    /// The bit where it begins.
    pub(super) begin: u64,
    /// The bits at which blocks begin, with the decoded bytes before each.
    blocks: Vec<(u64, usize)>,
    /// The last of all.
    pub(super) end: (u64, usize),
}

impl Span {
    /// For one of several threads.
    pub(super) fn new(threads: usize) -> Span {
        Span {
            most: (MOST / threads).clamp(*MOST_EACH.start(), *MOST_EACH.end()),
            inflate: Inflate::new(),
            input: Input::default(),
            symbols: Symbols::default(),
            begin: 0,
            blocks: Vec::new(),
            end: (0, 0),
        }
    }

    /// Decode from the first block that is found in a range of the source.
    pub(super) fn find(&mut self, source: &dyn ReadAt, from: u64, to: u64) -> Result<()> {
        let (mut at, mut tried) = (from, 0);
        while at < to {
            let bytes = source.read_vec(at, SIGHT)?;
            let mut from = 0;
            while let Some(found) = blocks::find(&bytes, from) {
                let bit = 8 * at + found as u64;
                if bit >= 8 * to || tried > self.most {
                    return Ok(());
                }
                from = found + 1;
                // It costs about as much as so many bytes.
                tried += 1 << 10;
                if !self.inflate.has_codes_at(&bytes, found) {
                    continue;
                }
                if self.decode(source, bit, None, 8 * to)? {
                    return Ok(());
                }
                tried += self.symbols.len() + WINDOW;
                self.end = (0, 0);
            }
            if bytes.len() < SIGHT {
                break;
            }
            at += (SIGHT - blocks::SEEN) as u64;
        }
        Ok(())
    }

    /// Decode from a bit to the first block at or behind another, with codes of
    /// its own, or as far as there is room. `false` if there is no block.
    pub(super) fn decode(
        &mut self,
        source: &dyn ReadAt,
        bit: u64,
        window: Option<&[u8]>,
        to: u64,
    ) -> Result<bool> {
        self.symbols.begin(window, self.most)?;
        self.blocks.clear();
        self.blocks.push((bit, 0));
        (self.begin, self.end) = (bit, (bit, 0));
        let input = &mut self.input;
        *input = std::mem::take(input).moved(bit / 8);
        let mut last = [0];
        let split = usize::from(bit % 8 > 0);
        if !input.take(source, &mut last[..split])? {
            return Ok(false);
        }
        self.inflate.resume((8 - bit % 8) as u8 & 7, last[0], &[]);
        let mut is_block = true;
        while input.peek(source)?.is_some() {
            let step = self.inflate.step_unknown(input.rest(), &mut self.symbols);
            let Ok(step) = step else {
                is_block = false;
                break;
            };
            input.advance(step.used);
            let Some(left) = self.inflate.left().filter(|_| !step.ended) else {
                if step.ended || self.symbols.room() == 0 {
                    break;
                }
                continue;
            };
            let bit = 8 * input.at() - u64::from(left);
            self.end = (bit, self.symbols.len());
            self.blocks.push(self.end);
            // Others look for such a block.
            let next = input.peek(source)?.unwrap_or(0);
            let there = bit >= to && self.inflate.is_dynamic_next(next);
            if there || bit >= to + FAR || self.blocks.len() >= MOST_BLOCKS {
                break;
            }
        }
        self.symbols.truncate(self.end.1);
        Ok(is_block || self.end.0 > bit)
    }

    /// End at the last block that is not behind so many decoded bytes; says
    /// whether that is earlier.
    pub(super) fn end_before(&mut self, most: u64) -> bool {
        if self.end.1 as u64 <= most {
            return false;
        }
        self.blocks.retain(|block| block.1 as u64 <= most);
        self.end = self.blocks.last().copied().unwrap_or((self.begin, 0));
        self.symbols.truncate(self.end.1);
        true
    }

    /// The blocks at which places are due.
    pub(super) fn cuts(
        &self,
        begin: u64,
        spacing: u64,
        due: &mut Option<u64>,
    ) -> Vec<(u64, usize)> {
        let mut cuts = self.blocks.clone();
        cuts.retain(|&(_, len)| {
            let position = begin + len as u64;
            let cut = due.is_some_and(|due| position >= due);
            if cut {
                *due = Some((position / spacing + 1).saturating_mul(spacing));
            }
            cut
        });
        cuts
    }

    /// Turn what was decoded to bytes, behind others, and take the checksums of
    /// what is between some of them.
    pub(super) fn resolve(
        &mut self,
        joined: &[u8],
        meanings: &Meanings,
        mut ends: impl Iterator<Item = usize>,
    ) -> Vec<u32> {
        let (mut end, mut at) = (ends.next(), 0);
        let (mut sums, mut sum) = (Vec::new(), Checksum::default());
        self.symbols.resolve(joined, meanings, |mut bytes| {
            while let Some(stop) = end {
                let (front, rest) = bytes.split_at(bytes.len().min(stop - at));
                sum.update(front);
                at += front.len();
                bytes = rest;
                if at < stop {
                    break;
                }
                sums.push(std::mem::take(&mut sum).value());
                end = ends.next();
            }
        });
        sums
    }
}
