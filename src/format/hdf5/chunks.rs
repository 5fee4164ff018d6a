//! Lists of chunks: version 1 and 2 B-trees, and what else the layout names.

use super::arrays;
use super::btree;
use super::datatype::{Space, UNLIMITED};
use super::filters::Pipeline;
use super::source::{Cursor, Source, unsupported, wrong};
use crate::error::{Error, ErrorKind, Result};
use crate::format::chunks::Chunk;

/// Most chunks of a dataset that are listed.
const MOST: usize = 1 << 22;
/// Bytes of a file for each of its chunks that no list names, if it has many.
const EACH: u64 = 16;
const FEW: u64 = 1 << 14;

/// The grid of chunks.
pub(super) struct Grid {
    /// Elements of a chunk along each axis.
    pub(super) chunk: Vec<u64>,
    /// Chunks along each axis, as many as the array has and as many as it may
    /// have one day.
    counts: Vec<u64>,
    largest: Vec<u64>,
    /// Elements of the array along each axis.
    shape: Vec<u64>,
    /// Bytes of a chunk.
    bytes: u64,
    /// Whether chunks that go beyond the array went through no filters.
    pub(super) has_plain_ends: bool,
}

impl Grid {
    /// The grid of chunks over an array; `None` if they are none of it.
    pub(super) fn new(space: &Space, chunk: &[u64], item: u64) -> Option<Grid> {
        let has_axes = !chunk.is_empty() && chunk.len() == space.shape.len();
        if !has_axes || chunk.contains(&0) {
            return None;
        }
        let bytes = chunk.iter().try_fold(item, |n, &len| n.checked_mul(len))?;
        i64::try_from(bytes).ok()?;
        let shape: Vec<u64> = space.shape.iter().map(|&len| len as u64).collect();
        let over = |lens: &[u64]| -> Vec<u64> {
            let pairs = lens.iter().zip(chunk);
            pairs.map(|(len, chunk)| len.div_ceil(*chunk)).collect()
        };
        Some(Grid {
            counts: over(&shape),
            largest: over(&space.largest),
            shape,
            chunk: chunk.to_vec(),
            bytes,
            has_plain_ends: false,
        })
    }

    /// Number of the chunk at a place; `None` beyond the array.
    fn number(&self, place: &[u64]) -> Option<u64> {
        let mut axes = place.iter().zip(&self.counts);
        // No more than the array has elements.
        axes.try_fold(0u64, |number, (&at, &count)| {
            (at < count).then(|| number * count + at)
        })
    }

    fn is_beyond(&self, place: &[u64]) -> bool {
        let mut axes = place.iter().zip(&self.chunk).zip(&self.shape);
        axes.any(|((at, chunk), len)| (at + 1).saturating_mul(*chunk) > *len)
    }
}

/// How chunks are listed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// In a version 1 B-tree.
    Tree,
    /// There is one, of so many bytes and a mask if it went through filters.
    Single(Option<(u64, u32)>),
    /// They follow each other.
    Implicit,
    Fixed,
    Extensible,
    /// In a version 2 B-tree.
    Tree2,
}

impl Kind {
    /// The kind and what belongs to it, in a layout from version 4 on.
    pub(super) fn read(body: &mut Cursor<'_>, is_filtered: bool) -> Result<Kind> {
        let at = body.at;
        let (kind, more) = match body.u8()? {
            1 if is_filtered => (Kind::Single(Some((body.length()?, body.u32()?))), 0),
            1 => (Kind::Single(None), 0),
            2 => (Kind::Implicit, 0),
            3 => (Kind::Fixed, 1),
            4 => (Kind::Extensible, 5),
            5 => (Kind::Tree2, 6),
            other => {
                let text = format!(
                    "chunks are listed in a way of number {other}, of which 1 to 5 can be read"
                );
                return Err(unsupported(at, text));
            }
        };
        // The headers of arrays and B-trees say this again.
        body.take(more)?;
        Ok(kind)
    }
}

/// A chunk as it is listed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) at: u64,
    /// Bytes and mask of one that went through filters.
    pub(super) filtered: Option<(u64, u32)>,
}

struct List<'a> {
    grid: Grid,
    pipeline: &'a Pipeline,
    chunks: Vec<Chunk>,
}

/// The chunks that are stored, in the order of their numbers.
pub(super) fn list(
    source: &Source<'_>,
    (grid, pipeline): (Grid, &Pipeline),
    (at, kind): (u64, Kind),
) -> Result<Vec<Chunk>> {
    let mut list = List {
        grid,
        pipeline,
        chunks: Vec::new(),
    };
    match kind {
        Kind::Tree => list.tree(source, at)?,
        Kind::Single(filtered) => {
            let place = vec![0; list.grid.chunk.len()];
            list.add(&place, Entry { at, filtered })?;
        }
        Kind::Implicit => list.implicit(source, at)?,
        Kind::Fixed => {
            let order = Order::of(&list.grid, false);
            arrays::fixed(source, at, |number, entry| {
                list.add(&order.place(number), entry)
            })?;
        }
        Kind::Extensible => {
            let order = Order::of(&list.grid, true);
            arrays::extensible(source, at, |number, entry| {
                list.add(&order.place(number), entry)
            })?;
        }
        Kind::Tree2 => list.tree2(source, at)?,
    }
    let mut chunks = list.chunks;
    chunks.sort_by_key(|chunk| chunk.number);
    let twice = chunks
        .windows(2)
        .find(|pair| pair[0].number == pair[1].number);
    if let Some([_, chunk]) = twice {
        let text = format!("chunk {} is listed twice", chunk.number);
        return Err(wrong(chunk.at, text));
    }
    Ok(chunks)
}

impl List<'_> {
    /// Add a chunk, unless it is beyond the array.
    fn add(&mut self, place: &[u64], entry: Entry) -> Result<()> {
        let Some(number) = self.grid.number(place) else {
            return Ok(());
        };
        let mask = match entry.filtered {
            _ if self.grid.has_plain_ends && self.grid.is_beyond(place) => u32::MAX,
            Some((_, mask)) => mask,
            None => 0,
        };
        let filters = self.pipeline.masked(mask);
        let stored = entry.filtered.map_or(self.grid.bytes, |(stored, _)| stored);
        let plain = self.grid.bytes + if filters.fletcher { 4 } else { 0 };
        if !filters.deflate && stored != plain {
            let text = format!("chunk {number} has {stored} bytes, wanted {plain}");
            return Err(wrong(entry.at, text));
        }
        if self.chunks.len() == MOST {
            let text = format!("a dataset of more than {MOST} chunks cannot be read");
            return Err(unsupported(entry.at, text));
        }
        self.chunks.push(Chunk {
            number,
            at: entry.at,
            stored,
            filters,
        });
        Ok(())
    }

    /// III.A.1: the place of a chunk is that of its first element.
    fn tree(&mut self, source: &Source<'_>, at: u64) -> Result<()> {
        let rank = self.grid.chunk.len();
        // Another number is the place within an element.
        let key = 8 + 8 * (rank + 1);
        let mut place = vec![0; rank];
        btree::version1(source, at, (1, key), |mut key, at| {
            let key_at = key.at;
            let filtered = (key.u32()?.into(), key.u32()?);
            for (place, chunk) in place.iter_mut().zip(&self.grid.chunk) {
                let first = key.number(8)?;
                if first % chunk != 0 {
                    let text = format!("no chunk begins with element {first} of an axis");
                    return Err(wrong(key_at, text));
                }
                *place = first / chunk;
            }
            let filtered = Some(filtered);
            self.add(&place, Entry { at, filtered })
        })
    }

    /// III.A.2, types 10 and 11.
    fn tree2(&mut self, source: &Source<'_>, at: u64) -> Result<()> {
        let rank = self.grid.chunk.len();
        let mut place = vec![0; rank];
        btree::version2(source, at, &[10, 11], |kind, mut record| {
            let at = record.some_address("a chunk")?;
            let size = record.rest.len().saturating_sub(4 + 8 * rank);
            let filtered = match kind {
                10 => None,
                _ if size > 8 => return Err(size_error(record.at, size)),
                _ => Some((record.number(size)?, record.u32()?)),
            };
            for place in &mut place {
                *place = record.number(8)?;
            }
            self.add(&place, Entry { at, filtered })
        })
    }

    fn implicit(&mut self, source: &Source<'_>, at: u64) -> Result<()> {
        let order = Order::of(&self.grid, false);
        let bytes = self.grid.bytes;
        let counts = &self.grid.largest;
        let count = counts
            .iter()
            .try_fold(1u64, |n, &count| n.checked_mul(count));
        let end = count.and_then(|count| count.checked_mul(bytes)?.checked_add(at));
        let is_there = |end: u64| source.bytes.most().is_none_or(|most| end <= most);
        let (Some(count), true) = (count, end.is_some_and(is_there)) else {
            let text = "the file ends before the chunks of a dataset";
            return Err(Error::new(ErrorKind::Truncated, text).at(at));
        };
        let most = FEW.max(source.bytes.most().unwrap_or(u64::MAX) / EACH);
        if count > most.min(MOST as u64) {
            let text = format!("{count} chunks of {bytes} bytes are too many");
            return Err(unsupported(at, text));
        }
        for number in 0..count {
            let entry = Entry {
                at: at + number * bytes,
                filtered: None,
            };
            self.add(&order.place(number), entry)?;
        }
        Ok(())
    }
}

pub(super) fn size_error(at: u64, size: usize) -> Error {
    wrong(at, format!("no chunk's size is stored in {size} bytes"))
}

/// Chunks as arrays count them: over all that there may be, and one axis that
/// may grow for ever before all others.
struct Order {
    /// Axes and their counts of chunks, the slowest first.
    axes: Vec<(usize, u64)>,
}

impl Order {
    fn of(grid: &Grid, may_grow: bool) -> Order {
        let mut axes: Vec<(usize, u64)> = grid.largest.iter().copied().enumerate().collect();
        let unlimited = |&(axis, _): &(usize, u64)| {
            may_grow && grid.largest[axis] == UNLIMITED.div_ceil(grid.chunk[axis])
        };
        axes.sort_by_key(|axis| !unlimited(axis));
        Order { axes }
    }

    fn place(&self, number: u64) -> Vec<u64> {
        let mut place = vec![0; self.axes.len()];
        let mut rest = number;
        for (i, &(axis, count)) in self.axes.iter().enumerate().rev() {
            let is_slowest = i == 0;
            place[axis] = if is_slowest {
                rest
            } else {
                rest % count.max(1)
            };
            rest /= count.max(1);
        }
        place
    }
}
