//! From a selection on a layout to the bytes to read and where they go.
//!
//! Each block that the selection touches becomes a [`Walk`]: nested loops over
//! source bytes, the smallest step innermost, so that bytes come in ascending
//! order whatever the order of the result. A walk is cut into [`Piece`]s,
//! spans of the source that are read in one go. A piece takes in gaps between
//! elements where skipping them costs more than reading them.
//!
//! Where the result runs across the source, its fastest loop being a slow one
//! there, that order would touch a cache line of the result again and again,
//! long after it has left the cache. Such a walk is cut across: each of its
//! pieces is a set of spans, one for each item of that loop.

use super::layout::{Block, Layout};
use super::slice::{Selection, Take};
use crate::error::{Error, ErrorKind, Result};

/// One loop: `n` items, `from` bytes apart in the source and `to` bytes apart
/// in the result. `from` is positive, `to` may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dim {
    pub(crate) n: i64,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// The elements wanted of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) source: u32,
    /// Number of what the bytes mean.
    pub(crate) meaning: u32,
    /// First byte wanted in the source.
    pub(crate) offset: u64,
    /// Byte of the result, from its element (0,...,0), where the first goes.
    pub(crate) to: i64,
    /// Bytes of a stored element.
    item: i64,
    /// Loops, innermost first. Neighbours that are one loop are merged.
    dims: Vec<Dim>,
    /// Cut across: a loop of which each piece has all items.
    across: Option<Dim>,
}

/// What is read in one go: `len` bytes from `offset` on, and the loops over
/// the elements in them.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) offset: u64,
    pub(crate) len: usize,
    pub(crate) to: i64,
    pub(crate) dims: Vec<Dim>,
    /// As many bytes again, and again, at its steps.
    pub(crate) across: Option<Dim>,
}

impl Piece {
    /// Number of its elements.
    pub(crate) fn elements(&self) -> i64 {
        self.dims
            .iter()
            .chain(&self.across)
            .map(|dim| dim.n)
            .product()
    }

    /// Byte of the source where byte `at` of the bytes read comes from.
    pub(crate) fn place(&self, at: usize) -> u64 {
        match self.across {
            None => self.offset + at as u64,
            Some(dim) => {
                let (i, rest) = (at / self.len, at % self.len);
                self.offset + i as u64 * dim.from as u64 + rest as u64
            }
        }
    }

    /// How many runs of bytes are read.
    pub(crate) fn spans(&self) -> u64 {
        self.across.map_or(1, |dim| dim.n as u64)
    }

    /// Bytes that are read.
    pub(crate) fn bytes(&self) -> u64 {
        self.len as u64 * self.spans()
    }
}

/// When and how a walk is cut across.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Across {
    /// Least items of the fastest loop of the source and of that of the result.
    pub(crate) items: i64,
    /// Least bytes from item to item of the one in the other.
    pub(crate) far: i64,
    /// Most bytes from item to item of the latter in the result.
    pub(crate) near: i64,
    /// Most items in a piece, and most such parts.
    pub(crate) most: i64,
    pub(crate) parts: i64,
    /// Most bytes that are read for each that is wanted.
    pub(crate) waste: i64,
}

/// How a walk is cut into pieces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutting {
    /// Most bytes of a piece; a single element may be longer.
    pub(crate) max: i64,
    /// Most bytes between two elements that are read rather than skipped.
    pub(crate) gap: i64,
    /// Most loops in a piece.
    pub(crate) loops: usize,
}

/// The walks of a selection, by source and offset. `to` holds the result's
/// bytes per axis. None for a selection without elements.
pub(crate) fn walks(layout: &Layout, selection: &Selection, to: &[i64]) -> Result<Vec<Walk>> {
    if selection.is_empty() {
        return Ok(Vec::new());
    }
    let ndim = layout.shape.len();
    let mut steps = vec![0; ndim];
    for (axis, &step) in selection.axes.iter().zip(to) {
        if let Some(axis) = *axis {
            steps[axis] = step;
        }
    }
    let mut origin = 0;
    let mut takes = Vec::with_capacity(ndim);
    for (axis, take) in selection.takes.iter().enumerate() {
        if take.step < 0 {
            origin += (take.count - 1) * steps[axis];
            steps[axis] = -steps[axis];
        }
        takes.push(take.upwards());
    }
    let walk = |block: &Block, cut: &dyn Fn(usize) -> Cut| {
        let mut walk = Walk {
            source: block.source,
            meaning: block.meaning,
            offset: block.offset,
            to: origin,
            item: layout.dtype.size() as i64,
            // Of single elements, of which there may be many, none.
            dims: Vec::new(),
            across: None,
        };
        for (axis, &stride) in layout.strides.iter().enumerate() {
            walk.push(&cut(axis), stride, steps[axis]);
        }
        tidy(&mut walk.dims);
        walk
    };
    // Nearly always there is one block, and then little to do.
    if let [block] = &layout.blocks[..] {
        let cut = |axis: usize| Cut::first(&takes[axis], layout.block[axis], 0);
        return Ok(vec![walk(block, &cut)]);
    }
    let cuts = cuts(layout, &takes);
    let count = cuts.iter().map(|cuts| cuts.len() as u128).product::<u128>();
    let mut walks = Vec::new();
    let room = usize::try_from(count).map_or(Err(()), |count| {
        walks.try_reserve_exact(count).map_err(|_| ())
    });
    room.map_err(|()| {
        let text = format!("there is no memory for a plan of {count} blocks");
        Error::new(ErrorKind::Memory, text)
    })?;
    for_each_block(layout, &cuts, |block, turn| {
        walks.push(walk(block, &|axis| cuts[axis][turn[axis]]));
    });
    walks.sort_by_key(|walk| (walk.source, walk.offset));
    Ok(walks)
}

/// The numbers of what the bytes mean that a selection takes, each once.
pub(crate) fn meanings(layout: &Layout, selection: &Selection) -> Vec<u32> {
    if let [block] = &layout.blocks[..] {
        return vec![block.meaning];
    }
    let mut found = Vec::new();
    let cuts = cuts(layout, &selection.takes);
    for_each_block(layout, &cuts, |block, _| {
        if found.last() != Some(&block.meaning) {
            found.push(block.meaning);
        }
    });
    found.sort_unstable();
    found.dedup();
    found
}

/// Along which axes of the layout a selection has blocks that do not mean the
/// same.
pub(crate) fn varying(
    layout: &Layout,
    selection: &Selection,
    same: impl Fn(u32, u32) -> bool,
) -> Vec<bool> {
    let cuts = cuts(layout, &selection.takes);
    let mut steps = Vec::new();
    layout.grid().fold(1, |step, n| {
        steps.push(step);
        step * n
    });
    let mut varies = vec![false; cuts.len()];
    for_each_block(layout, &cuts, |block, turn| {
        let places = cuts.iter().zip(turn).map(|(cuts, &i)| cuts[i].block);
        let number: i64 = places.zip(&steps).map(|(place, step)| place * step).sum();
        for (axis, varies) in varies.iter_mut().enumerate() {
            // Beside the first on that axis.
            let back = cuts[axis][turn[axis]].block - cuts[axis][0].block;
            let first = &layout.blocks[(number - back * steps[axis]) as usize];
            *varies = *varies || !same(block.meaning, first.meaning);
        }
    });
    varies
}

/// The parts of takes in the blocks that they touch, for each axis.
fn cuts(layout: &Layout, takes: &[Take]) -> Vec<Vec<Cut>> {
    let all = |(take, &block): (&Take, &i64)| Cut::all(&take.upwards(), block);
    takes.iter().zip(&layout.block).map(all).collect()
}

/// Do something with each block that is touched, and which of the cuts of each
/// axis are there.
fn for_each_block(layout: &Layout, cuts: &[Vec<Cut>], mut work: impl FnMut(&Block, &[usize])) {
    if cuts.iter().any(Vec::is_empty) {
        return;
    }
    let grid: Vec<i64> = layout.grid().collect();
    let mut turn = vec![0; cuts.len()];
    loop {
        let mut number = 0;
        for axis in (0..cuts.len()).rev() {
            number = number * grid[axis] + cuts[axis][turn[axis]].block;
        }
        work(&layout.blocks[number as usize], &turn);
        // The next combination of blocks, the first axis moving fastest.
        let Some(axis) = (0..cuts.len()).find(|&axis| turn[axis] + 1 < cuts[axis].len()) else {
            return;
        };
        turn[..axis].fill(0);
        turn[axis] += 1;
    }
}

/// The part of a [`Take`] (of positive step) that lies in one block.
#[derive(Clone, Copy)]
struct Cut {
    /// Place of the block in the grid.
    block: i64,
    /// First element taken, counted inside the block.
    first: i64,
    /// How many, and how many come before them in the take.
    n: i64,
    skipped: i64,
    step: i64,
}

impl Cut {
    /// That of the first element that is left behind `skipped` others.
    fn first(take: &Take, block: i64, skipped: i64) -> Cut {
        let at = take.start + skipped * take.step;
        let room = (block - 1 - at % block) / take.step + 1;
        Cut {
            block: at / block,
            first: at % block,
            n: room.min(take.count - skipped),
            skipped,
            step: take.step,
        }
    }

    fn all(take: &Take, block: i64) -> Vec<Cut> {
        let mut cuts = Vec::new();
        let mut skipped = 0;
        while skipped < take.count {
            let cut = Cut::first(take, block, skipped);
            skipped += cut.n;
            cuts.push(cut);
        }
        cuts
    }
}

/// Loops from the innermost on; neighbours that are one loop become one.
pub(crate) fn tidy(dims: &mut Vec<Dim>) {
    dims.sort_by_key(|dim| dim.from);
    dims.dedup_by(|dim, last| {
        let merges = dim.from == last.n * last.from && dim.to == last.n * last.to;
        if merges {
            last.n *= dim.n;
        }
        merges
    });
}

impl Walk {
    fn push(&mut self, cut: &Cut, stride: i64, to: i64) {
        let mut dim = Dim {
            n: cut.n,
            from: cut.step * stride,
            to,
        };
        let mut start = cut.first * stride;
        self.to += cut.skipped * to;
        if dim.n > 1 && dim.from < 0 {
            start += (dim.n - 1) * dim.from;
            self.to += (dim.n - 1) * dim.to;
            (dim.from, dim.to) = (-dim.from, -dim.to);
        }
        // In range: the layout's bytes all lie within 0..i64::MAX.
        self.offset = self.offset.wrapping_add_signed(start);
        if dim.n > 1 {
            self.dims.push(dim);
        }
    }

    /// The loop that is fastest in the result, if the result runs across the source.
    fn crossed(&self, how: &Across) -> Option<usize> {
        let first = self.dims.first()?;
        let i = (0..self.dims.len()).min_by_key(|&i| self.dims[i].to.abs())?;
        let dim = &self.dims[i];
        let crossed = i > 0
            && first.n.min(dim.n) >= how.items
            && first.to.abs() >= how.far
            && dim.from >= how.far
            && dim.to.abs() <= how.near
            && dim.n <= how.most.saturating_mul(how.parts)
            && first.from <= how.waste.saturating_mul(self.item);
        crossed.then_some(i)
    }

    pub(crate) fn is_crossed(&self, how: &Across) -> bool {
        self.crossed(how).is_some()
    }

    /// The walk cut across, if that is how the result runs: in parts, each with
    /// as many items of that loop as go into a piece.
    pub(crate) fn across(self, how: &Across) -> Vec<Walk> {
        let Some(i) = self.crossed(how) else {
            return vec![self];
        };
        let mut dims = self.dims.clone();
        let dim = dims.remove(i);
        let part = |begin: i64| Walk {
            offset: self.offset + (begin * dim.from) as u64,
            to: self.to + begin * dim.to,
            dims: dims.clone(),
            across: Some(Dim {
                n: how.most.min(dim.n - begin),
                ..dim
            }),
            ..self
        };
        let begins = (0..dim.n).step_by(how.most as usize);
        begins.map(part).collect()
    }

    /// The walk with its elements so many bytes later in the result.
    pub(crate) fn moved(self, by: i64) -> Walk {
        Walk {
            to: self.to + by,
            ..self
        }
    }

    /// Items that each piece has of a loop that goes across.
    pub(crate) fn items_across(&self) -> Option<i64> {
        self.across.map(|dim| dim.n)
    }

    /// Bytes of the innermost run of neighbouring elements that are
    /// neighbours in the result too, whose elements have `item` bytes.
    pub(crate) fn run(&self, item: usize) -> i64 {
        match self.dims.first() {
            Some(dim) if dim.from == self.item && dim.to == item as i64 => dim.n * self.item,
            _ => self.item,
        }
    }

    /// Bytes from the first element to the end of the last.
    pub(crate) fn span(&self) -> i64 {
        let across = self.across.map_or(0, |dim| (dim.n - 1) * dim.from);
        self.span_of(self.dims.len()) + across
    }

    /// Byte after the last wanted one.
    pub(crate) fn end(&self) -> u64 {
        self.offset + self.span() as u64
    }

    /// The pieces, in ascending order of their bytes.
    pub(crate) fn pieces(&self, cutting: Cutting) -> Pieces<'_> {
        let joined = self.joined(cutting);
        let group = |depth: usize| Some((depth - 1, self.group(depth, joined, cutting)?));
        let cut = (1..=self.dims.len()).rev().find_map(group);
        let (whole, group) = cut.unwrap_or((0, 1));
        Pieces {
            walk: self,
            whole,
            group,
            grouped: cut.is_some(),
            turn: vec![0; self.dims.len() - whole],
            offset: self.offset,
            done: false,
        }
    }

    /// Bytes of the elements wanted.
    pub(crate) fn wanted(&self) -> u64 {
        let loops = self.dims.iter().chain(&self.across);
        loops.fold(self.item as u64, |bytes, dim| {
            bytes.saturating_mul(dim.n as u64)
        })
    }

    /// Number of spans read and bytes in them, without a walk through them.
    pub(crate) fn cost(&self, cutting: Cutting) -> (u64, u64) {
        let joined = self.joined(cutting);
        let (mut pieces, mut bytes) = (1u64, self.item as u64);
        for depth in 1..=self.dims.len() {
            let n = self.dims[depth - 1].n as u64;
            (pieces, bytes) = match self.group(depth, joined, cutting) {
                Some(group) => {
                    let groups = n.div_ceil(group as u64);
                    let dim = self.dims[depth - 1];
                    let inner = self.span_of(depth - 1) as u64;
                    (groups, (n - groups) * dim.from as u64 + groups * inner)
                }
                None => (pieces.saturating_mul(n), bytes.saturating_mul(n)),
            };
        }
        let n = self.across.map_or(1, |dim| dim.n as u64);
        (pieces.saturating_mul(n), bytes.saturating_mul(n))
    }

    /// Bytes that the innermost `depth` loops span.
    fn span_of(&self, depth: usize) -> i64 {
        let reach = |dim: &Dim| (dim.n - 1) * dim.from;
        self.item + self.dims[..depth].iter().map(reach).sum::<i64>()
    }

    /// How many of the innermost loops leave no gap that is worth skipping.
    fn joined(&self, cutting: Cutting) -> usize {
        let close = |&depth: &usize| self.dims[depth].from - self.span_of(depth) <= cutting.gap;
        (0..self.dims.len().min(cutting.loops))
            .take_while(close)
            .count()
    }

    /// How many items of loop `depth` go into one piece; `None` if each of
    /// them is cut by itself.
    fn group(&self, depth: usize, joined: usize, cutting: Cutting) -> Option<i64> {
        let dim = self.dims[depth - 1];
        let room = cutting.max - self.span_of(depth - 1);
        let fits = depth <= joined && room >= dim.from;
        fits.then(|| (room / dim.from + 1).min(dim.n))
    }
}

/// The pieces of a [`Walk`], one after the other.
pub(crate) struct Pieces<'a> {
    walk: &'a Walk,
    /// Innermost loops that are in each piece as a whole.
    whole: usize,
    /// Items of the next loop that go into one piece, if they are cut together.
    group: i64,
    grouped: bool,
    /// Where the loops beyond `whole` stand.
    turn: Vec<i64>,
    /// Byte at which the next piece begins.
    offset: u64,
    done: bool,
}

impl Pieces<'_> {
    /// Byte at which the next piece begins.
    pub(crate) fn offset(&self) -> Option<u64> {
        (!self.done).then_some(self.offset)
    }

    /// The next piece, if it begins before `limit`. Items that begin there or
    /// behind it are left for the piece after it.
    pub(crate) fn next_before(&mut self, limit: u64) -> Option<Piece> {
        if self.done || self.offset >= limit {
            return None;
        }
        let (walk, offset) = (self.walk, self.offset);
        let outer = &walk.dims[self.whole..];
        let place = |turn: &[i64], step: fn(&Dim) -> i64| -> i64 {
            turn.iter().zip(outer).map(|(i, dim)| i * step(dim)).sum()
        };
        let to = walk.to + place(&self.turn, |dim| dim.to);
        let mut piece = Piece {
            offset,
            len: walk.item as usize,
            to,
            dims: Vec::new(),
            across: walk.across,
        };
        let mut n = 1;
        if self.grouped {
            let dim = outer[0];
            let before = (limit - offset).div_ceil(dim.from as u64);
            let before = i64::try_from(before).unwrap_or(i64::MAX);
            n = self.group.min(dim.n - self.turn[0]).min(before);
            piece.len = ((n - 1) * dim.from + walk.span_of(self.whole)) as usize;
            piece.dims = walk.dims[..=self.whole].to_vec();
            piece.dims[self.whole].n = n;
        }
        // The next turn of the loops, the first of them moving fastest.
        self.done = true;
        for (i, dim) in self.turn.iter_mut().zip(outer) {
            *i += n;
            n = 1;
            if *i < dim.n {
                self.done = false;
                break;
            }
            *i = 0;
        }
        self.offset = walk.offset + place(&self.turn, |dim| dim.from) as u64;
        Some(piece)
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        self.next_before(u64::MAX)
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
