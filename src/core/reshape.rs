//! Layouts of the same elements in another shape, or of some of them.

use std::ops::Range;

use super::dtype::Order;
use super::layout::{Block, Layout};
use super::slice::{Selection, Take};

/// What a selection leaves of one axis, cut into blocks again.
struct Part {
    block: i64,
    stride: i64,
    /// Bytes from a block's first element to its first one that is left.
    skip: i64,
    /// Places in the grid of the blocks that are left.
    picks: Vec<i64>,
}

impl Layout {
    /// The elements of a selection. `None` where they are no regular grid of
    /// blocks.
    pub(crate) fn selected(&self, selection: &Selection) -> Option<Layout> {
        let kept: Vec<usize> = selection.axes.iter().copied().collect::<Option<_>>()?;
        let mut layout = self.clone();
        layout.shape = selection.takes.iter().map(|take| take.count).collect();
        if selection.is_empty() {
            layout.block = layout.shape.iter().map(|&n| n.max(1)).collect();
            layout.blocks.truncate(1);
            return Some(layout.with_only(&kept));
        }
        let axes = selection.takes.iter().enumerate();
        let parts: Vec<Part> = axes
            .map(|(axis, take)| self.part(axis, take))
            .collect::<Option<_>>()?;
        layout.block = parts.iter().map(|part| part.block).collect();
        layout.strides = parts.iter().map(|part| part.stride).collect();
        let skip: i64 = parts.iter().map(|part| part.skip).sum();
        let grid: Vec<i64> = self.grid().collect();
        let lengths: Vec<i64> = parts.iter().map(|part| part.picks.len() as i64).collect();
        let block = |place: Vec<i64>| {
            let mut number = 0;
            for axis in (0..grid.len()).rev() {
                number = number * grid[axis] + parts[axis].picks[place[axis] as usize];
            }
            let block = self.blocks[number as usize];
            Block {
                offset: block.offset.wrapping_add_signed(skip),
                ..block
            }
        };
        layout.blocks = places(&lengths, Order::F).map(block).collect();
        Some(layout.with_only(&kept))
    }

    fn part(&self, axis: usize, take: &Take) -> Option<Part> {
        let (block, stride) = (self.block[axis], self.strides[axis]);
        let last = take.start + (take.count - 1) * take.step;
        let (from, to) = (take.start / block, last / block);
        let picks = |step: i64, n: i64| (0..n).map(|k| from + k * step).collect();
        if from == to {
            return Some(Part {
                block: take.count,
                stride: stride * take.step,
                skip: take.start % block * stride,
                picks: vec![from],
            });
        }
        let (skip, picks) = match take.step {
            step if block == 1 => (0, picks(step, take.count)),
            1 if take.start % block == 0 => (0, picks(1, to - from + 1)),
            -1 if (take.start + 1) % block == 0 => ((block - 1) * stride, picks(-1, from - to + 1)),
            _ => return None,
        };
        Some(Part {
            block,
            stride: stride * take.step.signum(),
            skip,
            picks,
        })
    }

    /// The same elements in the order in which they are stored, with another
    /// shape of as many. `None` where blocks or strides do not allow it.
    pub(crate) fn reshaped(&self, shape: &[i64]) -> Option<Layout> {
        let mut layout = self.clone();
        layout.shape = shape.to_vec();
        if shape.contains(&0) {
            layout.block = shape.iter().map(|&n| n.max(1)).collect();
            layout.strides = vec![0; shape.len()];
            layout.blocks.truncate(1);
            return Some(layout);
        }
        // All by axes in their order of storage, the fastest first.
        let turned = |values: &[i64]| -> Vec<i64> {
            match self.order {
                Order::F => values.to_vec(),
                Order::C => values.iter().rev().copied().collect(),
            }
        };
        let inner = turned(&self.block);
        let [full, strides, new] = [&self.shape, &self.strides, shape].map(turned);
        // Those of length 1 that are left stand in no group.
        let (mut block, mut steps) = (vec![1; new.len()], vec![0; new.len()]);
        for (from, to) in groups(&full, &new)? {
            let inner = divided(&full[from.clone()], &inner[from.clone()], &new[to.clone()])?;
            let part = regrouped(&inner.0, &strides[from], &inner.1)?;
            block[to.clone()].copy_from_slice(&inner.1);
            steps[to].copy_from_slice(&part);
        }
        layout.block = turned(&block);
        layout.strides = turned(&steps);
        // In the order of storage there are as many blocks as before.
        let grid_before: Vec<i64> = self.grid().collect();
        let grid_after: Vec<i64> = layout.grid().collect();
        let before = numbers(&grid_before, self.order);
        for (from, to) in before.zip(numbers(&grid_after, self.order)) {
            layout.blocks[to] = self.blocks[from];
        }
        Some(layout)
    }
}

/// Axes of one shape and of another that hold as many elements, one group after
/// the other.
fn groups(old: &[i64], new: &[i64]) -> Option<Vec<(Range<usize>, Range<usize>)>> {
    let mut groups = Vec::new();
    let (mut from, mut to) = (0, 0);
    while from < old.len() && to < new.len() {
        let (mut old_n, mut new_n) = (old[from], new[to]);
        let (mut old_end, mut new_end) = (from + 1, to + 1);
        while old_n != new_n {
            if old_n < new_n {
                old_n = old_n.checked_mul(*old.get(old_end)?)?;
                old_end += 1;
            } else {
                new_n = new_n.checked_mul(*new.get(new_end)?)?;
                new_end += 1;
            }
        }
        groups.push((from..old_end, to..new_end));
        (from, to) = (old_end, new_end);
    }
    Some(groups)
}

/// The lengths of blocks on axes, the fastest first, and on other axes of as many
/// elements. `None` unless the blocks come one after the other: only one axis, and
/// slower ones of single blocks, may be cut.
fn divided(full: &[i64], block: &[i64], new: &[i64]) -> Option<(Vec<i64>, Vec<i64>)> {
    let long = |axes: &[i64]| axes.iter().filter(|&&n| n > 1).count();
    if long(full) == 1 && long(new) == 1 {
        // The same axis, whose last block may be shorter.
        let axes = full.iter().zip(block);
        let inner: Vec<i64> = axes.map(|(&n, &block)| block.min(n)).collect();
        let block: i64 = inner.iter().product();
        let parts = new.iter().map(|&n| if n > 1 { block } else { 1 });
        return Some((inner, parts.collect()));
    }
    let mut inner = block.to_vec();
    let is_cut = |axis: &usize| block[*axis] < full[*axis];
    let cut = (0..full.len()).find(is_cut).unwrap_or(full.len());
    for axis in 0..full.len() {
        let whole = full[axis] % block[axis] == 0;
        match axis {
            _ if axis < cut => inner[axis] = full[axis],
            _ if axis == cut && !whole => return None,
            _ if axis > cut && block[axis] > 1 && full[axis] > 1 => return None,
            _ if axis > cut => inner[axis] = 1,
            _ => {}
        }
    }
    let mut left: i64 = inner.iter().product();
    let mut parts = Vec::with_capacity(new.len());
    for &n in new {
        let part = left.min(n);
        if left % part != 0 || n % part != 0 {
            return None;
        }
        left /= part;
        parts.push(part);
    }
    Some((inner, parts))
}

/// All places of a grid, in an order.
pub(crate) fn places(grid: &[i64], order: Order) -> impl Iterator<Item = Vec<i64>> + '_ {
    let count: i64 = grid.iter().product();
    (0..count).map(move |number| {
        let mut rest = number;
        let mut place = vec![0; grid.len()];
        let mut step = |axis: usize| {
            place[axis] = rest % grid[axis];
            rest /= grid[axis];
        };
        match order {
            Order::F => (0..grid.len()).for_each(&mut step),
            Order::C => (0..grid.len()).rev().for_each(&mut step),
        }
        place
    })
}

/// The numbers of the blocks of a grid, the first axis moving fastest, in
/// another order.
fn numbers(grid: &[i64], order: Order) -> impl Iterator<Item = usize> + '_ {
    places(grid, order).map(move |place| {
        let axes = place.iter().zip(grid).rev();
        axes.fold(0, |number, (at, n)| number * n + at) as usize
    })
}

/// Strides of the same elements in another shape, all axes the fastest first.
/// `None` if they would not be regular.
fn regrouped(shape: &[i64], strides: &[i64], new: &[i64]) -> Option<Vec<i64>> {
    let old = shape.iter().copied().zip(strides.iter().copied());
    let old: Vec<(i64, i64)> = old.filter(|axis| axis.0 > 1).collect();
    let mut steps = vec![0; new.len()];
    let (mut from, mut to) = (0, 0);
    while from < old.len() {
        // Axes on both sides that hold as many elements.
        let (mut old_n, mut new_n) = (old[from].0, *new.get(to)?);
        let (mut old_end, mut new_end) = (from + 1, to + 1);
        while old_n != new_n {
            if old_n < new_n {
                old_n *= old.get(old_end)?.0;
                old_end += 1;
            } else {
                new_n *= new.get(new_end)?;
                new_end += 1;
            }
        }
        let follows = |two: &[(i64, i64)]| two[1].1 == two[0].0 * two[0].1;
        if !old[from..old_end].windows(2).all(follows) {
            return None;
        }
        let mut step = old[from].1;
        for axis in to..new_end {
            steps[axis] = step;
            step *= new[axis];
        }
        (from, to) = (old_end, new_end);
    }
    Some(steps)
}

#[cfg(test)]
#[path = "reshape_tests.rs"]
mod tests;
