//! Where the elements of an array lie: a grid of blocks, each in a source at
//! an offset, with the same signed strides inside all of them.

use super::dtype::{DType, Order};
use super::shape;

/// Blocks that arrays are cut into at most, so that they make one: of 24 bytes.
const MOST_CUT: i64 = 1 << 22;

/// One block of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Block {
    /// Number of the source that holds it.
    pub(crate) source: u32,
    /// Number of what its bytes mean.
    pub(crate) meaning: u32,
    /// Byte of its element (0,...,0) in the source's decoded data. With
    /// negative strides this is not its lowest byte.
    pub(crate) offset: u64,
}

/// Type, shape and place of the stored elements. Element (i,...) lies in
/// block (i / block,...) at `offset + sum((i % block) * stride)`.
///
/// A file with one array has one block. A regular grid serves the others:
/// frames and series cut the slowest axis, chunked formats cut all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) dtype: DType,
    /// Order in which elements are stored; what reshaping keeps.
    pub(crate) order: Order,
    pub(crate) shape: Vec<i64>,
    /// Shape of a full block, at least 1 on each axis. Blocks at the far
    /// edges may be cut off by the shape; their strides stay the same.
    pub(crate) block: Vec<i64>,
    /// Bytes from one element to the next inside a block, per axis.
    pub(crate) strides: Vec<i64>,
    /// The blocks, the first axis of the grid moving fastest.
    pub(crate) blocks: Vec<Block>,
}

impl Layout {
    /// A layout, if its parts agree: lengths match, no two elements of a block
    /// share a byte, and no byte lies before 0 or beyond `i64::MAX`.
    pub(crate) fn new(
        dtype: DType,
        order: Order,
        shape: Vec<i64>,
        block: Vec<i64>,
        strides: Vec<i64>,
        blocks: Vec<Block>,
    ) -> Option<Layout> {
        let layout = Layout {
            dtype,
            order,
            shape,
            block,
            strides,
            blocks,
        };
        let ndim = layout.shape.len();
        let lengths_match = layout.block.len() == ndim && layout.strides.len() == ndim;
        let positive = layout.shape.iter().all(|&n| n >= 0) && layout.block.iter().all(|&n| n > 0);
        if ndim > shape::MAX_NDIM || !lengths_match || !positive {
            return None;
        }
        shape::nbytes(&layout.shape, dtype.size())?;
        let blocks = layout.grid().try_fold(1i64, |n, len| n.checked_mul(len))?;
        if blocks != layout.blocks.len() as i64 || !layout.is_disjoint() {
            return None;
        }
        // Offsets are signed numbers for C.
        let far = |block: &Block| i64::try_from(block.offset).is_err();
        if layout.blocks.iter().any(far) {
            return None;
        }
        let fits = |(_, low, high): (u32, i128, i128)| low >= 0 && high <= i64::MAX as i128;
        if !layout.extents().all(fits) {
            return None;
        }
        Some(layout)
    }

    /// One packed block at `offset` of source 0.
    pub(crate) fn packed(dtype: DType, order: Order, shape: &[i64], offset: u64) -> Option<Layout> {
        if shape.iter().any(|&n| n < 0) {
            return None;
        }
        Layout::new(
            dtype,
            order,
            shape.to_vec(),
            shape.iter().map(|&n| n.max(1)).collect(),
            shape::packed_strides(shape, dtype.size(), order),
            vec![Block {
                offset,
                ..Block::default()
            }],
        )
    }

    /// Arrays of one shape and type one after the other, along a new axis that
    /// is the slowest, each in a source of its own. What blocks mean is counted by
    /// each array for itself. `None` too if only very small blocks would suit all.
    pub(crate) fn stacked(layouts: &[&Layout]) -> Option<Layout> {
        let first = *layouts.first()?;
        let alike = |layout: &&Layout| layout.order == first.order && layout.shape == first.shape;
        if !layouts.iter().all(alike) {
            return None;
        }
        // Where only some are cut, all are.
        let cut: Vec<i64> = (0..first.shape.len())
            .map(|axis| common_length(layouts, axis))
            .collect();
        let is_cut = layouts.iter().all(|layout| layout.block == cut);
        let count = layouts.len();
        let (at, apart) = match first.order {
            Order::F => (first.shape.len(), false),
            Order::C => (0, true),
        };
        let mut layout = Layout {
            block: cut,
            blocks: Vec::new(),
            ..first.clone()
        };
        if !is_cut && layout.count()?.checked_mul(count as i64)? > MOST_CUT {
            return None;
        }
        let mut blocks = Vec::new();
        for (number, one) in layouts.iter().enumerate() {
            let refined;
            let mut own = &one.blocks;
            if !is_cut {
                refined = one.refined(&layout.block, |place| one.block_of(place).meaning)?;
                own = &refined.blocks;
            }
            if number == 0 {
                blocks.resize(own.len().checked_mul(count)?, Block::default());
            }
            for (i, block) in own.iter().enumerate() {
                // The new axis of the grid moves slowest if it is the last.
                let place = if apart {
                    i * count + number
                } else {
                    number * own.len() + i
                };
                blocks[place] = Block {
                    source: number as u32,
                    ..*block
                };
            }
        }
        layout.shape.insert(at, count as i64);
        layout.block.insert(at, 1);
        layout.strides.insert(at, 0);
        let Layout {
            dtype,
            order,
            shape,
            block,
            strides,
            ..
        } = layout;
        Layout::new(dtype, order, shape, block, strides, blocks)
    }

    /// The same in blocks of length 1 along the axes in `cut`; what each of them
    /// means, the place of its first element tells.
    pub(crate) fn cut(&self, cut: &[usize], meaning: impl Fn(&[i64]) -> u32) -> Option<Layout> {
        let mut block = self.block.clone();
        cut.iter().for_each(|&axis| block[axis] = 1);
        self.refined(&block, meaning)
    }

    /// The same in blocks of other lengths, of which those it has are multiples,
    /// but for blocks that are all of an axis.
    fn refined(&self, block: &[i64], meaning: impl Fn(&[i64]) -> u32) -> Option<Layout> {
        let mut layout = Layout {
            block: block.to_vec(),
            blocks: Vec::new(),
            ..self.clone()
        };
        let grid: Vec<i64> = layout.grid().collect();
        let count = layout.count()?;
        let mut blocks = Vec::new();
        blocks
            .try_reserve_exact(usize::try_from(count).ok()?)
            .ok()?;
        let mut place = vec![0; grid.len()];
        for number in 0..count {
            let (mut rest, mut step) = (number, 0);
            for (axis, &n) in grid.iter().enumerate() {
                place[axis] = rest % n * layout.block[axis];
                rest /= n;
                step += place[axis] % self.block[axis] * self.strides[axis];
            }
            let block = self.block_of(&place);
            blocks.push(Block {
                meaning: meaning(&place),
                // In range, as checked when this layout was made.
                offset: block.offset.wrapping_add_signed(step),
                ..block
            });
        }
        layout.blocks = blocks;
        Some(layout)
    }

    /// The same with `n` more axes of length 1 at the end.
    pub(crate) fn with_axes(&self, n: usize) -> Layout {
        let mut layout = self.clone();
        let ndim = self.shape.len() + n;
        layout.shape.resize(ndim, 1);
        layout.block.resize(ndim, 1);
        layout.strides.resize(ndim, 0);
        layout
    }

    /// The same with the axes in `kept`, in that order; others have length 1.
    pub(crate) fn with_only(&self, kept: &[usize]) -> Layout {
        let of = |values: &[i64]| kept.iter().map(|&axis| values[axis]).collect();
        Layout {
            dtype: self.dtype,
            order: self.order,
            shape: of(&self.shape),
            block: of(&self.block),
            strides: of(&self.strides),
            blocks: self.blocks.clone(),
        }
    }

    /// Number of blocks along each axis, at least 1.
    pub(crate) fn grid(&self) -> impl Iterator<Item = i64> {
        let blocks = |(&n, &block): (&i64, &i64)| ((n - 1).max(0) / block) + 1;
        self.shape.iter().zip(&self.block).map(blocks)
    }

    /// Number of blocks; `None` if it is beyond 2^63.
    fn count(&self) -> Option<i64> {
        self.grid().try_fold(1i64, |n, len| n.checked_mul(len))
    }

    /// The block that an element is in.
    pub(crate) fn block_of(&self, place: &[i64]) -> Block {
        let (mut number, mut blocks) = (0, 1);
        for (axis, n) in self.grid().enumerate() {
            number += place[axis] / self.block[axis] * blocks;
            blocks *= n;
        }
        self.blocks[number as usize]
    }

    /// For each block its source and the bytes [low, high) that its elements
    /// take there; none for an array without elements.
    pub(crate) fn extents(&self) -> impl Iterator<Item = (u32, i128, i128)> {
        let grid: Vec<i64> = self.grid().collect();
        let empty = self.shape.contains(&0);
        let blocks = if empty { &[] } else { self.blocks.as_slice() };
        blocks.iter().enumerate().map(move |(number, block)| {
            let mut rest = number as i64;
            let mut low = block.offset as i128;
            let mut high = low + self.dtype.size() as i128;
            for (axis, blocks) in grid.iter().enumerate() {
                let place = rest % blocks;
                rest /= blocks;
                let len = self.block[axis].min(self.shape[axis] - place * self.block[axis]);
                let reach = (len - 1) as i128 * self.strides[axis] as i128;
                low += reach.min(0);
                high += reach.max(0);
            }
            (block.source, low, high)
        })
    }

    /// The end of the elements in a source; 0 if there are none.
    pub(crate) fn end_of(&self, source: u32) -> u64 {
        let ends = self.extents().filter(|extent| extent.0 == source);
        // In range, as checked when the layout was made.
        ends.map(|(_, _, high)| high as u64).max().unwrap_or(0)
    }

    /// The byte of element (0,...,0), if all elements are in one block.
    pub(crate) fn offset(&self) -> Option<u64> {
        match *self.blocks.as_slice() {
            [block] => Some(block.offset),
            _ => None,
        }
    }

    /// Sorted by size, each stride steps over all that the smaller ones span.
    /// So elements are apart, and walking the axes in this order walks the
    /// bytes upwards.
    fn is_disjoint(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let longest = |axis: usize| self.block[axis].min(self.shape[axis]);
        let axes = (0..self.shape.len()).map(|axis| (longest(axis), self.strides[axis]));
        shape::is_disjoint(axes, self.dtype.size())
    }
}

/// How long blocks are along an axis that suit all of these arrays: as they are, or
/// what divides them all, or 1 if elements lie at other steps.
fn common_length(layouts: &[&Layout], axis: usize) -> i64 {
    let first = layouts[0];
    let is_alike = |other: &&Layout| other.strides[axis] == first.strides[axis];
    let lengths = || layouts.iter().map(|layout| layout.block[axis]);
    if !layouts.iter().all(is_alike) {
        return 1;
    }
    if lengths().all(|length| length == first.block[axis]) {
        return first.block[axis];
    }
    // A block that is all of the axis may have any part of it.
    let n = first.shape[axis];
    match lengths().filter(|&length| length < n).fold(0, gcd) {
        0 => n.max(1),
        length => length,
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    match b {
        0 => a,
        _ => gcd(b, a % b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(shape: &[i64], block: &[i64], strides: &[i64], offsets: &[u64]) -> Option<Layout> {
        Layout::new(
            DType::Int16,
            Order::F,
            shape.to_vec(),
            block.to_vec(),
            strides.to_vec(),
            offsets
                .iter()
                .map(|&offset| Block {
                    offset,
                    ..Block::default()
                })
                .collect(),
        )
    }

    #[test]
    fn blocks_at_the_edge_end_early() {
        let cut = layout(&[5, 3], &[2, 3], &[2, 4], &[0, 12, 24]).unwrap();
        let ends: Vec<i128> = cut.extents().map(|(_, _, high)| high).collect();
        assert_eq!(ends, [12, 24, 34]);
        assert_eq!(cut.end_of(0), 34);
    }

    #[test]
    fn blocks_are_cut_along_axes() {
        let whole = layout(&[5, 3], &[2, 3], &[-2, 4], &[2, 14, 26]).unwrap();
        let cut = whole.cut(&[1], |place| (place[0] * 10 + place[1]) as u32);
        let cut = cut.unwrap();
        assert_eq!((&cut.shape, &cut.block), (&whole.shape, &vec![2, 1]));
        let blocks: Vec<(u64, u32)> = cut.blocks.iter().map(|b| (b.offset, b.meaning)).collect();
        assert_eq!(blocks[..4], [(2, 0), (14, 20), (26, 40), (6, 1)]);
        // As it would be made from the beginning.
        let Layout {
            dtype,
            order,
            shape,
            block,
            strides,
            blocks,
        } = cut.clone();
        let made = Layout::new(dtype, order, shape, block, strides, blocks);
        assert_eq!(made, Some(cut));
        let both = whole.cut(&[0, 1], |place| place[0] as u32).unwrap();
        assert_eq!(both.blocks.len(), 15);
        assert_eq!((both.blocks[3].offset, both.blocks[3].meaning), (12, 3));
    }

    #[test]
    fn cuts_of_what_is_cut_or_empty() {
        let whole = Layout::packed(DType::Int16, Order::C, &[2, 3, 4], 100).unwrap();
        assert_eq!(whole.cut(&[], |_| 0).unwrap(), whole);
        // Again, with the meaning of before.
        let once = whole.cut(&[0], |place| place[0] as u32 + 7).unwrap();
        let twice = once.cut(&[2], |place| once.block_of(place).meaning);
        let twice = twice.unwrap();
        let at_once = whole.cut(&[0, 2], |place| place[0] as u32 + 7);
        assert_eq!(Some(twice), at_once);
        // A source other than the first stays.
        let mut other = whole.clone();
        other.blocks[0].source = 3;
        let other = other.cut(&[1], |_| 0).unwrap();
        assert!(other.blocks.iter().all(|block| block.source == 3));
        let empty = Layout::packed(DType::Int16, Order::F, &[0, 3], 8).unwrap();
        let empty = empty.cut(&[0, 1], |place| place[1] as u32).unwrap();
        let blocks: Vec<(u64, u32)> = empty.blocks.iter().map(|b| (b.offset, b.meaning)).collect();
        assert_eq!(blocks[0], (8, 0));
        assert_eq!(blocks.len(), 3);
        let huge = Layout::packed(DType::UInt8, Order::F, &[1 << 31, 1 << 31], 0).unwrap();
        assert!(huge.cut(&[0, 1], |_| 0).is_none());
    }
}
