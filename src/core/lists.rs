//! Positions that need not be evenly spaced.

use super::dtype::Order;
use super::plan::{Dim, tidy};
use super::shape;
use super::slice::{Selection, Take};
use crate::error::{Error, ErrorKind, Result};

/// The positions wanted of each axis, as NumPy's `a[np.ix_(...)]` takes them, as
/// stretches that are evenly spaced, in ascending order.
#[derive(Debug, Clone)]
pub(crate) struct Lists {
    axes: Vec<Vec<Stretch>>,
}

/// Positions that ascend evenly, and so do their places in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    take: Take,
    /// Where in the list the first of them is, and how much further the next.
    at: i64,
    by: i64,
    /// 0 for the first of equal positions, 1 for the second.
    layer: usize,
}

impl Stretch {
    fn last(&self) -> i64 {
        self.take.start + (self.take.count - 1) * self.take.step
    }
}

/// A part that is evenly spaced on each axis.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) selection: Selection,
    /// Byte of the result where its first element goes, and bytes per axis from
    /// there.
    pub(crate) to: i64,
    pub(crate) steps: Vec<i64>,
}

impl Lists {
    /// A list for each axis of an array, or `None` for the whole axis. Negative
    /// positions count from the end.
    pub(crate) fn new(lists: &[Option<&[i64]>], shape: &[i64]) -> Result<Lists> {
        if lists.len() != shape.len() {
            let text = format!(
                "lists for {} axes, the array of shape {} has {}",
                lists.len(),
                shape::text(shape),
                shape.len()
            );
            return Err(Error::new(ErrorKind::Index, text));
        }
        let of_axis = |(axis, (list, &n)): (usize, (&Option<&[i64]>, &i64))| match list {
            Some(list) => stretches(list, axis, n),
            None => Ok(vec![Stretch {
                take: Take::all(n),
                at: 0,
                by: 1,
                layer: 0,
            }]),
        };
        let axes = lists.iter().zip(shape).enumerate().map(of_axis);
        Ok(Lists {
            axes: axes.collect::<Result<_>>()?,
        })
    }

    /// How many positions of each axis.
    pub(crate) fn shape(&self) -> Vec<i64> {
        let count = |axis: &Vec<Stretch>| axis.iter().map(|stretch| stretch.take.count).sum();
        self.axes.iter().map(count).collect()
    }

    /// The smallest box that holds all positions.
    pub(crate) fn span(&self) -> Selection {
        let span = |axis: &Vec<Stretch>| {
            let low = axis.first().map_or(0, |stretch| stretch.take.start);
            let high = axis.iter().map(Stretch::last).max().unwrap_or(-1);
            Take::new(low, high - low + 1, 1)
        };
        Selection::of(self.axes.iter().map(span).collect())
    }

    /// A selection that names the same, if there is one.
    pub(crate) fn as_selection(&self) -> Option<Selection> {
        let take = |axis: &Vec<Stretch>| match axis[..] {
            [] => Some(Take::new(0, 0, 1)),
            // All of a list, so places are neighbours.
            [stretch] if stretch.by < 0 => {
                let Take { count, step, .. } = stretch.take;
                Some(Take::new(stretch.last(), count, -step))
            }
            [stretch] => Some(stretch.take),
            _ => None,
        };
        let takes: Option<Vec<Take>> = self.axes.iter().map(take).collect();
        takes.map(Selection::of)
    }

    /// Those of an axis in two halves, which go to the places of the whole; `None`
    /// for a single position.
    pub(crate) fn halves(&self, axis: usize) -> Option<[Lists; 2]> {
        let all = &self.axes[axis];
        let parts = match all[..] {
            [] => return None,
            [stretch] => {
                let Stretch { take, at, by, .. } = stretch;
                let half = take.count / 2;
                if half == 0 {
                    return None;
                }
                let first = Stretch {
                    take: Take::new(take.start, half, take.step),
                    ..stretch
                };
                let second = Stretch {
                    take: Take::new(take.start + half * take.step, take.count - half, take.step),
                    at: at + half * by,
                    ..stretch
                };
                [vec![first], vec![second]]
            }
            _ => {
                let (first, second) = all.split_at(all.len() / 2);
                [first.to_vec(), second.to_vec()]
            }
        };
        Some(parts.map(|part| {
            let mut half = self.clone();
            half.axes[axis] = part;
            half
        }))
    }

    /// The same in lists that hold no position twice.
    pub(crate) fn layers(&self) -> impl Iterator<Item = Lists> {
        let count = |axis: &Vec<Stretch>| 1 + axis.iter().map(|one| one.layer).max().unwrap_or(0);
        let counts: Vec<usize> = self.axes.iter().map(count).collect();
        let mut turn = Some(vec![0; counts.len()]);
        std::iter::from_fn(move || {
            let numbers = turn.clone()?;
            advance(&mut turn, |axis| counts[axis]);
            let axes = self.axes.iter().zip(numbers).map(|(axis, number)| {
                let of_layer = axis.iter().filter(|stretch| stretch.layer == number);
                of_layer.copied().collect()
            });
            Some(Lists {
                axes: axes.collect(),
            })
        })
    }

    /// How many parts there are.
    pub(crate) fn count(&self) -> u128 {
        let counts = self.axes.iter().map(|axis| axis.len() as u128);
        counts.fold(1, u128::saturating_mul)
    }

    /// How many runs of an array of a shape, stored in an order, they touch.
    pub(crate) fn runs(&self, shape: &[i64], order: Order) -> u128 {
        let (mut runs, mut whole) = (1u128, true);
        let positions = self.shape();
        let mut count = |axis: usize| {
            if !whole {
                runs = runs.saturating_mul(positions[axis] as u128);
            } else if self.axes[axis].len() != 1 || positions[axis] != shape[axis] {
                whole = false;
                runs = runs.saturating_mul(self.axes[axis].len() as u128);
            }
        };
        match order {
            Order::F => (0..shape.len()).for_each(&mut count),
            Order::C => (0..shape.len()).rev().for_each(&mut count),
        }
        runs
    }

    /// Whether whole blocks lie between positions of an axis, where `block` tells
    /// the number of the block that a position is in.
    pub(crate) fn skips(&self, axis: usize, block: impl Fn(i64) -> i64) -> bool {
        let far = |from: i64, to: i64, count: i64| (block(to) - block(from)).abs() > count;
        let inside = |one: &Stretch| far(one.take.start, one.last(), one.take.count - 1);
        let between = |pair: &[Stretch]| far(pair[0].last(), pair[1].take.start, 1);
        let stretches = &self.axes[axis];
        stretches.iter().any(inside) || stretches.windows(2).any(between)
    }

    /// The parts, in ascending order of the first axis, then of the second. `to`
    /// holds the result's bytes per axis.
    pub(crate) fn parts(&self, to: &[i64]) -> impl Iterator<Item = Part> {
        let mut turn = self.first();
        std::iter::from_fn(move || {
            let numbers = turn.clone()?;
            self.advance(&mut turn);
            let placed = || self.of_turn(&numbers).zip(to);
            Some(Part {
                selection: Selection::of(placed().map(|(stretch, _)| stretch.take).collect()),
                to: placed().map(|(stretch, to)| stretch.at * to).sum(),
                steps: placed().map(|(stretch, to)| stretch.by * to).collect(),
            })
        })
    }

    /// Where the elements of each part are in a box and go to in the result: the
    /// byte of the first, the loops from there, and the byte of the result. `from`
    /// and `to` hold bytes per axis.
    pub(crate) fn loops(
        &self,
        span: &Selection,
        (from, to): (&[i64], &[i64]),
        mut work: impl FnMut(i64, &[Dim], i64) -> Result<()>,
    ) -> Result<()> {
        let (mut turn, mut dims) = (self.first(), Vec::new());
        while let Some(numbers) = &turn {
            let (mut first, mut place) = (0, 0);
            dims.clear();
            let axes = self.of_turn(numbers).zip(&span.takes);
            let axes = axes.zip(from.iter().zip(to));
            for ((Stretch { take, at, by, .. }, span), (&from, &to)) in axes {
                first += (take.start - span.start) * from;
                place += at * to;
                if take.count > 1 {
                    dims.push(Dim {
                        n: take.count,
                        from: take.step * from,
                        to: by * to,
                    });
                }
            }
            tidy(&mut dims);
            work(first, &dims, place)?;
            self.advance(&mut turn);
        }
        Ok(())
    }

    /// The numbers of the stretches that make the first part, if there is one.
    fn first(&self) -> Option<Vec<usize>> {
        (self.count() > 0).then(|| vec![0; self.axes.len()])
    }

    fn of_turn(&self, turn: &[usize]) -> impl Iterator<Item = Stretch> {
        self.axes.iter().zip(turn).map(|(axis, &i)| axis[i])
    }

    fn advance(&self, turn: &mut Option<Vec<usize>>) {
        advance(turn, |axis| self.axes[axis].len());
    }
}

/// The next combination, the first number moving fastest.
fn advance(turn: &mut Option<Vec<usize>>, count: impl Fn(usize) -> usize) {
    let Some(numbers) = turn else {
        return;
    };
    match (0..numbers.len()).find(|&axis| numbers[axis] + 1 < count(axis)) {
        Some(axis) => {
            numbers[..axis].fill(0);
            numbers[axis] += 1;
        }
        None => *turn = None,
    }
}

fn stretches(list: &[i64], axis: usize, n: i64) -> Result<Vec<Stretch>> {
    let no_memory = |_| {
        let text = format!("there is no memory for a list of {} positions", list.len());
        Error::new(ErrorKind::Memory, text)
    };
    let mut sorted: Vec<(i64, i64)> = Vec::new();
    sorted.try_reserve_exact(list.len()).map_err(no_memory)?;
    for (at, &position) in list.iter().enumerate() {
        let place = match position {
            ..0 => position.saturating_add(n),
            _ => position,
        };
        if place < 0 || place >= n {
            let text =
                format!("position {position} is out of bounds for axis {axis} of length {n}");
            return Err(Error::new(ErrorKind::Index, text));
        }
        sorted.push((place, at as i64));
    }
    if !sorted.is_sorted() {
        sorted.sort_unstable();
    }
    let mut found: Vec<Stretch> = Vec::new();
    let (mut before, mut layer) = (-1, 0);
    for (place, at) in sorted {
        layer = if place == before { layer + 1 } else { 0 };
        before = place;
        if let Some(last) = found.last_mut().filter(|last| last.layer == layer) {
            let take = last.take;
            let (step, by) = (
                place - last.last(),
                at - (last.at + (take.count - 1) * last.by),
            );
            if step > 0 && (take.count == 1 || (step, by) == (take.step, last.by)) {
                last.take = Take::new(take.start, take.count + 1, step);
                last.by = by;
                continue;
            }
        }
        found.try_reserve(1).map_err(no_memory)?;
        found.push(Stretch {
            take: Take::new(place, 1, 1),
            at,
            by: 1,
            layer,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parts name, position by position, for each element of the result.
    fn named(lists: &Lists, shape: &[i64]) -> Vec<Vec<i64>> {
        let strides = shape::packed_strides(shape, 1, Order::F);
        let mut found = vec![Vec::new(); shape.iter().product::<i64>() as usize];
        for part in lists.layers().flat_map(|layer| {
            let parts: Vec<Part> = layer.parts(&strides).collect();
            parts
        }) {
            let takes = &part.selection.takes;
            let count: i64 = takes.iter().map(|take| take.count).product();
            for i in 0..count {
                let (mut rest, mut to, mut from) = (i, part.to, Vec::new());
                for (take, step) in takes.iter().zip(&part.steps) {
                    let k = rest % take.count;
                    rest /= take.count;
                    from.push(take.start + k * take.step);
                    to += k * step;
                }
                assert!(found[to as usize].is_empty(), "element {to} twice");
                found[to as usize] = from;
            }
        }
        found
    }

    #[test]
    fn parts_name_each_element_once() {
        let lists: [&[i64]; 8] = [
            &[2, 2, 0, 1, 2, 4, 3],
            &[-1, -3],
            &[0, 5, 6, 7, 20, 21, 19],
            &[3],
            &[],
            &[0, 2, 4, 6, 7],
            &[0, 2, 4, 1, 3, 5],
            &[9, 9, 8, 8, 7, 7, 7],
        ];
        for a in lists {
            for b in lists {
                let made = Lists::new(&[Some(a), Some(b)], &[22, 23]).unwrap();
                let place = |i: i64, n: i64| if i < 0 { i + n } else { i };
                let mut wanted = Vec::new();
                for &j in b {
                    wanted.extend(a.iter().map(|&i| vec![place(i, 22), place(j, 23)]));
                }
                let shape = [a.len() as i64, b.len() as i64];
                assert_eq!(made.shape(), shape);
                assert_eq!(named(&made, &shape), wanted, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn no_two_parts_of_a_layer_meet() {
        let lists = Lists::new(&[Some(&[4, 0, 9, 2, 2, 7, 4, 4, 1])], &[10]).unwrap();
        for layer in lists.layers() {
            let ends = |pair: &[Stretch]| pair[0].last() < pair[1].take.start;
            assert!(layer.axes[0].windows(2).all(ends), "{layer:?}");
        }
    }

    #[test]
    fn even_lists_are_a_selection() {
        for list in [&[0, 1, 2, 3][..], &[9, 6, 3, 0], &[4], &[7, 2], &[]] {
            let lists = Lists::new(&[Some(list), None], &[10, 3]).unwrap();
            let take = lists.as_selection().unwrap().takes[0];
            let named: Vec<i64> = (0..take.count)
                .map(|k| take.start + k * take.step)
                .collect();
            assert_eq!(named, list);
        }
        for list in [&[0, 1, 3][..], &[5, 5], &[1, 0, 2]] {
            assert!(
                Lists::new(&[Some(list)], &[10])
                    .unwrap()
                    .as_selection()
                    .is_none()
            );
        }
    }

    #[test]
    fn the_span_holds_all() {
        let lists = Lists::new(&[Some(&[5, 2, 9]), None, Some(&[])], &[10, 3, 4]).unwrap();
        let span = lists.span();
        assert_eq!(span.shape(), [8, 3, 0]);
        assert_eq!(span.takes[0].start, 2);
    }

    #[test]
    fn runs_are_counted_in_the_order_of_the_file() {
        let lists = Lists::new(&[None, Some(&[0, 2, 3, 9]), None], &[7, 10, 5]).unwrap();
        let parts = lists.axes[1].len() as u128;
        assert_eq!(lists.runs(&[7, 10, 5], Order::F), parts * 5);
        assert_eq!(lists.runs(&[7, 10, 5], Order::C), parts * 7);
    }

    #[test]
    fn halves_are_all_together() {
        for list in [&[5, 2, 9, 3, 4][..], &[0, 3, 6], &[8, 7], &[1, 1]] {
            let lists = Lists::new(&[Some(list), None], &[10, 3]).unwrap();
            let [first, second] = lists.halves(0).unwrap();
            let mut found: Vec<(i64, i64)> = Vec::new();
            for part in [first, second].iter().flat_map(|half| &half.axes[0]) {
                let place = |k: i64| (part.at + k * part.by, part.take.start + k * part.take.step);
                found.extend((0..part.take.count).map(place));
            }
            found.sort_unstable();
            let wanted: Vec<(i64, i64)> = (0..).zip(list.iter().copied()).collect();
            assert_eq!(found, wanted);
        }
        assert!(
            Lists::new(&[Some(&[4])], &[10])
                .unwrap()
                .halves(0)
                .is_none()
        );
        assert!(Lists::new(&[Some(&[])], &[10]).unwrap().halves(0).is_none());
    }

    #[test]
    fn positions_are_checked() {
        for list in [[0, 10], [-11, 0], [i64::MIN, 0], [0, i64::MAX]] {
            let error = Lists::new(&[None, Some(&list)], &[10, 10]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.to_string().contains("axis 1 of length 10"), "{error}");
        }
        let error = Lists::new(&[None], &[10, 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index);
    }
}
