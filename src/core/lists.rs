//! Positions that need not be evenly spaced.

use super::plan::{Dim, tidy};
use super::shape;
use super::slice::{Selection, Take};
use crate::error::{Error, ErrorKind, Result};

/// The positions wanted of each axis, as NumPy's `a[np.ix_(...)]` takes them, as
/// stretches that are evenly spaced.
#[derive(Debug, Clone)]
pub(crate) struct Lists {
    axes: Vec<Vec<Stretch>>,
}

/// Positions that follow one another in a list.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    take: Take,
    /// Where in the list the first of them is.
    at: i64,
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
            }]),
        };
        let axes = lists.iter().zip(shape).enumerate().map(of_axis);
        Ok(Lists {
            axes: axes.collect::<Result<_>>()?,
        })
    }

    /// Shape of the result.
    pub(crate) fn shape(&self) -> Vec<i64> {
        let count = |axis: &Vec<Stretch>| axis.iter().map(|stretch| stretch.take.count).sum();
        self.axes.iter().map(count).collect()
    }

    /// The smallest box that holds all positions.
    pub(crate) fn span(&self) -> Selection {
        let span = |axis: &Vec<Stretch>| {
            let takes = || axis.iter().map(|stretch| stretch.take.upwards());
            let low = takes().map(|take| take.start).min().unwrap_or(0);
            let last = |take: Take| take.start + (take.count - 1) * take.step;
            let high = takes().map(last).max().unwrap_or(-1);
            Take::new(low, high - low + 1, 1)
        };
        Selection::of(self.axes.iter().map(span).collect())
    }

    /// Those of an axis in two halves, which go to the places of the whole; `None`
    /// for a single position.
    pub(crate) fn halves(&self, axis: usize) -> Option<[Lists; 2]> {
        let (all, mut halves) = (&self.axes[axis], [self.clone(), self.clone()]);
        let parts = match all[..] {
            [] => return None,
            [Stretch { take, at }] => {
                let half = take.count / 2;
                if half == 0 {
                    return None;
                }
                let second = Stretch {
                    take: Take::new(take.start + half * take.step, take.count - half, take.step),
                    at: at + half,
                };
                let first = Stretch {
                    take: Take::new(take.start, half, take.step),
                    at,
                };
                [vec![first], vec![second]]
            }
            _ => {
                let (first, second) = all.split_at(all.len() / 2);
                [first.to_vec(), second.to_vec()]
            }
        };
        for (half, part) in halves.iter_mut().zip(parts) {
            half.axes[axis] = part;
        }
        Some(halves)
    }

    /// How many parts there are.
    pub(crate) fn count(&self) -> u128 {
        let counts = self.axes.iter().map(|axis| axis.len() as u128);
        counts.fold(1, u128::saturating_mul)
    }

    /// The parts that are evenly spaced on each axis, and for each axis where in
    /// the result the part begins. The first axis moves fastest.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Selection, Vec<i64>)> {
        let mut turn = self.first();
        std::iter::from_fn(move || {
            let stretches = self.of_turn(turn.as_deref()?);
            let (takes, at) = stretches.map(|stretch| (stretch.take, stretch.at)).unzip();
            self.advance(&mut turn);
            Some((Selection::of(takes), at))
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
            for ((stretch, span), (&from, &to)) in axes {
                let (take, up) = (stretch.take, stretch.take.upwards());
                first += (up.start - span.start) * from;
                place += stretch.at * to;
                if take.step < 0 {
                    place += (take.count - 1) * to;
                }
                if take.count > 1 {
                    dims.push(Dim {
                        n: take.count,
                        from: up.step * from,
                        to: take.step.signum() * to,
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
        let Some(numbers) = turn else {
            return;
        };
        match (0..numbers.len()).find(|&axis| numbers[axis] + 1 < self.axes[axis].len()) {
            Some(axis) => {
                numbers[..axis].fill(0);
                numbers[axis] += 1;
            }
            None => *turn = None,
        }
    }
}

fn stretches(list: &[i64], axis: usize, n: i64) -> Result<Vec<Stretch>> {
    let mut found: Vec<Stretch> = Vec::new();
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
        if let Some(Stretch { take, .. }) = found.last_mut() {
            let step = place - (take.start + (take.count - 1) * take.step);
            if step != 0 && (take.count == 1 || step == take.step) {
                *take = Take::new(take.start, take.count + 1, step);
                continue;
            }
        }
        found.try_reserve(1).map_err(|_| {
            let text = format!("there is no memory for a list of {} positions", list.len());
            Error::new(ErrorKind::Memory, text)
        })?;
        found.push(Stretch {
            take: Take::new(place, 1, 1),
            at: at as i64,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parts name, position by position, for each element of the result.
    fn named(lists: &Lists) -> Vec<Vec<i64>> {
        let shape = lists.shape();
        let mut found = vec![Vec::new(); shape.iter().product::<i64>() as usize];
        for (selection, at) in lists.parts() {
            let takes = &selection.takes;
            let count: i64 = takes.iter().map(|take| take.count).product();
            for i in 0..count {
                let (mut rest, mut to, mut stride, mut from) = (i, 0, 1, Vec::new());
                for ((take, at), n) in takes.iter().zip(&at).zip(&shape) {
                    let k = rest % take.count;
                    rest /= take.count;
                    from.push(take.start + k * take.step);
                    to += (at + k) * stride;
                    stride *= n;
                }
                assert!(found[to as usize].is_empty(), "element {to} twice");
                found[to as usize] = from;
            }
        }
        found
    }

    #[test]
    fn parts_name_each_element_once() {
        let lists: [&[i64]; 6] = [
            &[2, 2, 0, 1, 2, 4, 3],
            &[-1, -3],
            &[0, 5, 6, 7, 20, 21, 19],
            &[3],
            &[],
            &[0, 2, 4, 6, 7],
        ];
        for a in lists {
            for b in lists {
                let shape = [22, 23];
                let made = Lists::new(&[Some(a), Some(b)], &shape).unwrap();
                let place = |i: i64, n: i64| if i < 0 { i + n } else { i };
                let mut wanted = Vec::new();
                for &j in b {
                    wanted.extend(a.iter().map(|&i| vec![place(i, 22), place(j, 23)]));
                }
                assert_eq!(named(&made), wanted, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn even_lists_are_one_part() {
        for list in [&[0, 1, 2, 3][..], &[9, 6, 3, 0], &[4], &[7, 2]] {
            let lists = Lists::new(&[Some(list), None], &[10, 3]).unwrap();
            assert_eq!(lists.count(), 1, "{list:?}");
            assert_eq!(lists.shape(), [list.len() as i64, 3]);
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
    fn halves_are_all_together() {
        for list in [&[5, 2, 9, 3, 4][..], &[0, 3, 6], &[8, 7]] {
            let lists = Lists::new(&[Some(list), None], &[10, 3]).unwrap();
            let [first, second] = lists.halves(0).unwrap();
            let mut found: Vec<(i64, i64)> = Vec::new();
            for half in [first, second] {
                for (selection, at) in half.parts() {
                    let take = selection.takes[0];
                    let place = |k: i64| (at[0] + k, take.start + k * take.step);
                    found.extend((0..take.count).map(place));
                }
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
