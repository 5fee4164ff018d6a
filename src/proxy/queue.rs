//! Pieces of all that a call reads, in the order of the source's bytes, and
//! the bytes that several of them share.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::ways::CALL;
use crate::core::plan::{Dim, Piece, Pieces};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, View, append};

/// Bytes kept of what several selections may want.
const WINDOW: usize = 2 << 20;

/// How pieces of a walk get to the result.
#[derive(Clone)]
pub(super) enum Way {
    /// As they are.
    Straight,
    /// Converted.
    Through,
    /// From memory.
    View(View),
}

/// Pieces of several walks, in the order of their bytes.
#[derive(Default)]
pub(super) struct Queue<'a> {
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    pub(super) runs: Vec<Run<'a>>,
    /// At most so many pieces are left, if they were counted.
    pub(super) left: u64,
}

pub(super) struct Run<'a> {
    /// Number of the read.
    pub(super) read: usize,
    /// Number of what the bytes mean.
    meaning: u32,
    pub(super) way: Way,
    pieces: Pieces<'a>,
}

impl<'a> Queue<'a> {
    /// Add pieces for a read, whose bytes have a meaning.
    pub(super) fn add(&mut self, (read, meaning): (usize, u32), way: Way, pieces: Pieces<'a>) {
        if let Some(offset) = pieces.offset() {
            self.heads.push(Reverse((offset, self.runs.len())));
            self.runs.push(Run {
                read,
                meaning,
                way,
                pieces,
            });
        }
    }

    /// Byte at which the next piece begins.
    pub(super) fn offset(&self) -> Option<u64> {
        self.heads.peek().map(|Reverse((offset, _))| *offset)
    }

    /// The next piece with the number of its run, if it begins before `limit`.
    pub(super) fn next_before(&mut self, limit: u64) -> Option<(usize, Piece)> {
        let mut head = self.heads.peek_mut()?;
        let Reverse((_, i)) = *head;
        let pieces = &mut self.runs[i].pieces;
        let piece = pieces.next_before(limit)?;
        match pieces.offset() {
            Some(offset) => *head = Reverse((offset, i)),
            None => drop(PeekMut::pop(head)),
        }
        Some((i, piece))
    }

    /// The next pieces, until they take as long as reading so many bytes.
    pub(super) fn items_of(&mut self, bytes: u64) -> Vec<Item> {
        let most = (bytes / CALL).min(self.left) as usize;
        let (mut items, mut taken) = (Vec::with_capacity(most), 0);
        while taken < bytes {
            let Some((i, piece)) = self.next_before(u64::MAX) else {
                break;
            };
            taken += piece.bytes() + CALL * piece.spans();
            items.push(self.item(i, piece));
        }
        self.left -= self.left.min(items.len() as u64);
        items
    }

    fn item(&self, i: usize, piece: Piece) -> Item {
        let run = &self.runs[i];
        Item {
            read: run.read,
            meaning: run.meaning,
            way: run.way.clone(),
            piece,
        }
    }

    /// The pieces that begin before `limit`.
    pub(super) fn items_before(&mut self, limit: u64) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some((i, piece)) = self.next_before(limit) {
            items.push(self.item(i, piece));
        }
        items
    }
}

/// A piece, its way, and the numbers of its read and of what its bytes mean.
pub(super) struct Item {
    pub(super) read: usize,
    pub(super) meaning: u32,
    pub(super) way: Way,
    pub(super) piece: Piece,
}

/// What was read last, for pieces that overlap with it.
#[derive(Default)]
pub(super) struct Window {
    start: u64,
    bytes: Vec<u8>,
    /// Spans of a piece that goes across.
    gathered: Vec<u8>,
}

impl Window {
    /// The spans of a piece that goes across, one behind the other; fewer bytes
    /// where one ends early.
    pub(super) fn gather(
        &mut self,
        source: &dyn ReadAt,
        piece: &Piece,
        across: &Dim,
    ) -> Result<&[u8]> {
        self.gathered.clear();
        self.gathered
            .try_reserve_exact(piece.bytes() as usize)
            .map_err(|_| Error::new(ErrorKind::Memory, "there is no memory for a piece"))?;
        for i in 0..across.n {
            let at = piece.offset + (i * across.from) as u64;
            let n = append(&mut self.gathered, piece.len, |buffer| {
                source.read_at(at, buffer)
            })?;
            if n < piece.len {
                break;
            }
        }
        Ok(&self.gathered)
    }

    /// The bytes of a piece, which begins no earlier than those before it;
    /// fewer at the end.
    pub(super) fn read(&mut self, source: &dyn ReadAt, piece: &Piece) -> Result<&[u8]> {
        let (offset, len) = (piece.offset, piece.len);
        let end = self.start + self.bytes.len() as u64;
        if offset < self.start || offset >= end {
            self.start = offset;
            self.bytes.clear();
        }
        let mut from = (offset - self.start) as usize;
        if from + len > self.bytes.len() {
            if from + len > WINDOW {
                self.bytes.drain(..from);
                self.start = offset;
                from = 0;
            }
            let at = self.start + self.bytes.len() as u64;
            let more = from + len - self.bytes.len();
            let read = append(&mut self.bytes, more, |buffer| source.read_at(at, buffer));
            if read.is_err() {
                self.bytes.clear();
            }
            read?;
        }
        let end = self.bytes.len().min(from + len);
        Ok(&self.bytes[from..end])
    }
}
