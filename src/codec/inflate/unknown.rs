//! Deflate from a block on whose window is not known.
//!
//! What is copied from before the block cannot be told, but which byte of the
//! window it is can. So what is decoded is kept as symbols of two bytes: either
//! is a decoded byte, or has the number of one in the window. The loop in `fast`
//! copies both alike. Once the window is known, symbols become bytes in the same
//! memory.

// Memory is written behind the length of a vector.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use super::output::Output;
use super::{Inflate, WINDOW};
use crate::codec::coding::{Bound, Step};
use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadBuf;

/// Set in the high byte of what stands for a byte of the window. The other bits
/// are its number, the farthest has 0.
const UNKNOWN: u16 = 0x8000;

/// Symbols that become bytes at a time.
const BLOCK: usize = 64;

/// Symbols that there is memory for before what is decoded: the window, and as
/// many, so that other bytes can be put before those that are resolved.
const HEAD: usize = 2 * WINDOW;

/// Bytes decoded, some of which are in a window that may be unknown.
#[derive(Default)]
pub(in crate::codec) struct Symbols {
    /// The head, then what was decoded; low bytes first.
    all: Vec<[u8; 2]>,
    /// Symbols of the window, which ends with the head.
    before: usize,
    /// Most symbols behind it.
    most: usize,
    /// Bytes that were put before those that are resolved.
    joined: usize,
}

/// The byte that each symbol stands for.
pub(in crate::codec) struct Meanings(Box<[u8; 1 << 16]>);

impl Symbols {
    /// Most bytes that can be put before.
    pub(in crate::codec) const MOST_JOINED: usize = 2 * HEAD;

    /// Begin with a window, or one that is unknown, in memory for `most` bytes.
    pub(in crate::codec) fn begin(&mut self, window: Option<&[u8]>, most: usize) -> Result<()> {
        self.all.truncate(HEAD);
        let more = HEAD + most - self.all.len();
        self.all.try_reserve_exact(more).map_err(|_| {
            let text = format!("there is no memory for {most} bytes that are decoded ahead");
            Error::new(ErrorKind::Memory, text)
        })?;
        self.all.resize(HEAD, [0; 2]);
        self.before = window.map_or(WINDOW, <[u8]>::len);
        let to = self.all[HEAD - self.before..].iter_mut();
        match window {
            Some(bytes) => to.zip(bytes).for_each(|(to, &byte)| *to = [byte, 0]),
            None => (UNKNOWN..=u16::MAX)
                .zip(to)
                .for_each(|(i, to)| *to = i.to_le_bytes()),
        }
        (self.most, self.joined) = (most, 0);
        Ok(())
    }

    /// Bytes decoded.
    pub(in crate::codec) fn len(&self) -> usize {
        self.all.len() - HEAD
    }

    pub(in crate::codec) fn room(&self) -> usize {
        self.most - self.len()
    }

    /// Forget what is behind so many bytes.
    pub(in crate::codec) fn truncate(&mut self, len: usize) {
        self.all.truncate(HEAD + len);
    }

    /// The last `n` bytes, of which there may be fewer; before those decoded
    /// comes the window.
    pub(in crate::codec) fn last(&self, n: usize, meanings: &Meanings) -> Vec<u8> {
        let all = &self.all[HEAD - self.before..];
        let last = &all[all.len().saturating_sub(n)..];
        last.iter().map(|&symbol| meanings.of(symbol)).collect()
    }

    /// Turn the symbols to bytes, and put others before them, at most
    /// [`Self::MOST_JOINED`]. Each run of those decoded is shown when it is done.
    pub(in crate::codec) fn resolve(
        &mut self,
        joined: &[u8],
        meanings: &Meanings,
        mut done: impl FnMut(&[u8]),
    ) {
        /// Stays in the first-level cache.
        const RUN: usize = 8 << 10;
        let len = self.len();
        let (head, all) = self.all.as_flattened_mut().split_at_mut(2 * HEAD);
        head[2 * HEAD - joined.len()..].copy_from_slice(joined);
        self.joined = joined.len();
        for start in (0..len).step_by(RUN) {
            let end = len.min(start + RUN);
            let mut at = start;
            // Symbol i is at byte 2 i, so bytes never reach those to come.
            while end - at >= BLOCK {
                let mut symbols = [0; 2 * BLOCK];
                symbols.copy_from_slice(&all[2 * at..][..2 * BLOCK]);
                all[at..][..BLOCK].copy_from_slice(&meanings.of_block(&symbols));
                at += BLOCK;
            }
            for at in at..end {
                all[at] = meanings.of([all[2 * at], all[2 * at + 1]]);
            }
            done(&all[start..end]);
        }
    }

    /// What was put before, and what was decoded, once it is resolved.
    pub(in crate::codec) fn bytes(&self) -> &[u8] {
        &self.all.as_flattened()[2 * HEAD - self.joined..][..self.joined + self.len()]
    }
}

impl Meanings {
    /// Behind a window, of which a shorter one is the end.
    pub(in crate::codec) fn new(window: &[u8]) -> Meanings {
        let mut all: Box<[u8; 1 << 16]> = match vec![0; 1 << 16].try_into() {
            Ok(all) => all,
            Err(_) => unreachable!("the lengths are the same"),
        };
        (0..=255).zip(&mut *all).for_each(|(byte, to)| *to = byte);
        let end = usize::from(UNKNOWN) + WINDOW;
        all[end - window.len()..end].copy_from_slice(window);
        Meanings(all)
    }

    fn of(&self, symbol: [u8; 2]) -> u8 {
        self.0[usize::from(u16::from_le_bytes(symbol))]
    }

    /// Several at once. Far behind the window most of them are known.
    #[inline(always)]
    fn of_block(&self, symbols: &[u8; 2 * BLOCK]) -> [u8; BLOCK] {
        let mut bytes = [0; BLOCK];
        let any = symbols.chunks_exact(8).fold(0, |any, four| {
            any | four.try_into().map_or(0, u64::from_le_bytes)
        });
        if any & 0x8000_8000_8000_8000 == 0 {
            for i in 0..BLOCK {
                bytes[i] = symbols[2 * i];
            }
            return bytes;
        }
        for (four, to) in symbols.chunks_exact(8).zip(bytes.chunks_exact_mut(4)) {
            let four = four.try_into().map_or(0, u64::from_le_bytes);
            let of = |i: u32| self.0[usize::from((four >> (16 * i)) as u16)];
            to.copy_from_slice(&[of(0), of(1), of(2), of(3)]);
        }
        bytes
    }
}

impl Inflate {
    /// Whether a block's header at a bit can be one, as far as the bytes go.
    pub(in crate::codec) fn has_codes_at(&mut self, bytes: &[u8], bit: usize) -> bool {
        let (at, used) = (bit.div_ceil(8), bit % 8);
        let last = if used > 0 { bytes[at - 1] } else { 0 };
        // The first symbol may refer to any byte before.
        self.resume((8 - used) as u8 & 7, last, &[0; WINDOW]);
        let mut none = ReadBuf::new(&mut []);
        self.step(&bytes[at..], &mut none, Bound::NONE).is_ok()
    }

    /// Decode on to the end of a block, until the input is used up, or the room.
    pub(in crate::codec) fn step_unknown(
        &mut self,
        input: &[u8],
        symbols: &mut Symbols,
    ) -> Result<Step> {
        let (begin, len) = (symbols.all.as_mut_ptr(), symbols.all.len());
        debug_assert!(HEAD + symbols.most <= symbols.all.capacity());
        // SAFETY: it is the vector's memory, see `begin`, and what is written of
        // it stays so: an output is only written to behind what it has.
        let memory = unsafe {
            let begin = begin.cast::<MaybeUninit<[u8; 2]>>();
            std::slice::from_raw_parts_mut(begin, HEAD + symbols.most)
        };
        let head = HEAD - symbols.before;
        let mut to = Output::behind(len - head, &mut memory[head..]);
        let step = self.decode(input, &mut to, true);
        let len = head + to.len;
        // SAFETY: an output has written so many.
        unsafe { symbols.all.set_len(len) };
        step
    }

    /// Bits of the last byte of the input that are the next block's, if a block
    /// has just ended that was not the last.
    pub(in crate::codec) fn left(&self) -> Option<u8> {
        self.between.then_some(self.bits.count as u8)
    }

    /// Whether the block that comes next is compressed by codes of its own and
    /// not the last, as far as the next byte of the input tells.
    pub(in crate::codec) fn is_dynamic_next(&self, next: u8) -> bool {
        const DYNAMIC: u64 = 4;
        let bits = self.bits.value | u64::from(next) << self.bits.count;
        self.between && bits & 7 == DYNAMIC
    }
}
