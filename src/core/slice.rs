//! Index entries, and what they select of a shape: NumPy's basic indexing.

use std::ops::{Range, RangeFrom, RangeFull, RangeTo};

use super::shape::{MAX_NDIM, text};
use crate::error::{Error, ErrorKind, Result};

/// One entry of an index, as in NumPy's `a[...]`. Axes that no entry takes
/// are read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slice {
    /// `start:stop:step`. Negative bounds count from the end; bounds beyond
    /// the axis are cut to it.
    Range {
        /// First index; `None` for the near end.
        start: Option<i64>,
        /// One past the last index; `None` for the far end.
        stop: Option<i64>,
        /// Not 0; negative walks backwards.
        step: i64,
    },
    /// One index, which drops the axis. Negative counts from the end.
    At(i64),
    /// `...`: all axes that no other entry takes. At most one.
    Ellipsis,
    /// A new axis of length 1.
    NewAxis,
}

impl Slice {
    /// `:`, a whole axis.
    pub const ALL: Slice = Slice::Range {
        start: None,
        stop: None,
        step: 1,
    };

    /// The steps that an index, which is right for an array of `ndim` axes, asks
    /// for on each of them, also where no second element is taken.
    pub(crate) fn steps(index: &[Slice], ndim: usize) -> Vec<i64> {
        let taking = |entry: &&Slice| matches!(entry, Slice::Range { .. } | Slice::At(_));
        let taken = index.iter().filter(taking).count();
        let mut steps = Vec::with_capacity(ndim);
        for entry in index {
            match *entry {
                Slice::Range { step, .. } => steps.push(step),
                Slice::At(_) => steps.push(1),
                Slice::Ellipsis => steps.resize(steps.len() + ndim - taken, 1),
                Slice::NewAxis => {}
            }
        }
        steps.resize(ndim, 1);
        steps
    }

    /// `start:stop:step`.
    pub fn range(start: impl Into<Option<i64>>, stop: impl Into<Option<i64>>, step: i64) -> Slice {
        Slice::Range {
            start: start.into(),
            stop: stop.into(),
            step,
        }
    }
}

impl From<i64> for Slice {
    fn from(index: i64) -> Slice {
        Slice::At(index)
    }
}
impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Slice {
        Slice::ALL
    }
}
impl From<Range<i64>> for Slice {
    fn from(range: Range<i64>) -> Slice {
        Slice::range(range.start, range.end, 1)
    }
}
impl From<RangeFrom<i64>> for Slice {
    fn from(range: RangeFrom<i64>) -> Slice {
        Slice::range(range.start, None, 1)
    }
}
impl From<RangeTo<i64>> for Slice {
    fn from(range: RangeTo<i64>) -> Slice {
        Slice::range(None, range.end, 1)
    }
}

/// The elements taken along one axis: `start + k * step` for `k < count`, all
/// of them inside the axis. `step` is 1 where there are fewer than two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) start: i64,
    pub(crate) count: i64,
    pub(crate) step: i64,
}

impl Take {
    /// The one element of an axis.
    pub(crate) const ONE: Take = Take {
        start: 0,
        count: 1,
        step: 1,
    };

    /// All of an axis of length `n`.
    pub(crate) fn all(n: i64) -> Take {
        Take::new(0, n, 1)
    }

    pub(crate) fn new(start: i64, count: i64, step: i64) -> Take {
        Take {
            start: if count == 0 { 0 } else { start },
            count,
            step: if count < 2 { 1 } else { step },
        }
    }

    /// The same elements from the first to the last.
    pub(crate) fn upwards(&self) -> Take {
        match self.step {
            ..0 => Take {
                start: self.start + (self.count - 1) * self.step,
                count: self.count,
                step: -self.step,
            },
            _ => *self,
        }
    }

    /// Python's `slice.indices(n)`, and how many they are. `step` is not 0.
    fn of_range(n: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Take {
        // 128 bits, so that no bound or step, however large, overflows.
        let (n, step) = (n as i128, step as i128);
        let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let place = |bound: Option<i64>, missing: i128| match bound {
            None => missing,
            Some(at) if at < 0 => (at as i128 + n).clamp(low, high),
            Some(at) => (at as i128).clamp(low, high),
        };
        let (near, far) = if step > 0 { (low, high) } else { (high, low) };
        let (start, stop) = (place(start, near), place(stop, far));
        let span = if step > 0 { stop - start } else { start - stop };
        let count = if span <= 0 {
            0
        } else {
            (span - 1) / step.abs() + 1
        };
        // A step beyond 64 bits leaves one element, whose step is not used.
        Take::new(start as i64, count as i64, step as i64)
    }
}

/// A checked index on a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection {
    /// What is taken of each axis of the array.
    pub(crate) takes: Vec<Take>,
    /// For each axis of the result the array's axis, or `None` for a new one.
    pub(crate) axes: Vec<Option<usize>>,
}

impl Selection {
    pub(crate) fn new(index: &[Slice], shape: &[i64]) -> Result<Selection> {
        let wrong = |kind, text: String| Err(Error::new(kind, text));
        let taking = |entry: &&Slice| matches!(entry, Slice::Range { .. } | Slice::At(_));
        let taken = index.iter().filter(taking).count();
        if taken > shape.len() {
            return wrong(
                ErrorKind::Index,
                format!(
                    "the index takes {taken} axes, the array of shape {} has {}",
                    text(shape),
                    shape.len()
                ),
            );
        }
        let (mut takes, mut axes) = (Vec::with_capacity(shape.len()), Vec::new());
        let whole = |axis: usize| Take::all(shape[axis]);
        let mut ellipsis = false;
        for (position, entry) in index.iter().enumerate() {
            let axis = takes.len();
            match *entry {
                Slice::Range { step: 0, .. } => {
                    return wrong(
                        ErrorKind::Argument,
                        format!("entry {position} of the index has step 0"),
                    );
                }
                Slice::Range { start, stop, step } => {
                    takes.push(Take::of_range(shape[axis], start, stop, step));
                    axes.push(Some(axis));
                }
                Slice::At(at) => {
                    let n = shape[axis];
                    let place = if at < 0 { at.saturating_add(n) } else { at };
                    if place < 0 || place >= n {
                        return wrong(
                            ErrorKind::Index,
                            format!("index {at} is out of bounds for axis {axis} of length {n}"),
                        );
                    }
                    takes.push(Take::new(place, 1, 1));
                }
                Slice::Ellipsis if ellipsis => {
                    return wrong(
                        ErrorKind::Index,
                        format!("entry {position} of the index is a second ellipsis"),
                    );
                }
                Slice::Ellipsis => {
                    ellipsis = true;
                    for axis in axis..axis + shape.len() - taken {
                        takes.push(whole(axis));
                        axes.push(Some(axis));
                    }
                }
                Slice::NewAxis => axes.push(None),
            }
        }
        for axis in takes.len()..shape.len() {
            takes.push(whole(axis));
            axes.push(Some(axis));
        }
        if axes.len() > MAX_NDIM {
            return wrong(
                ErrorKind::Index,
                format!(
                    "the index gives {} axes, at most {MAX_NDIM} are possible",
                    axes.len()
                ),
            );
        }
        Ok(Selection { takes, axes })
    }

    /// So much of each axis; none is dropped.
    pub(crate) fn of(takes: Vec<Take>) -> Selection {
        let axes = (0..takes.len()).map(Some).collect();
        Selection { takes, axes }
    }

    /// All of an array.
    pub(crate) fn all(shape: &[i64]) -> Selection {
        Selection::of(shape.iter().map(|&n| Take::all(n)).collect())
    }

    /// A box: `count` elements from `start` on, `step` apart, on every axis.
    /// Nothing counts from the end and nothing is cut.
    pub(crate) fn of_box(
        shape: &[i64],
        start: &[i64],
        count: &[i64],
        step: Option<&[i64]>,
    ) -> Result<Selection> {
        let mut takes = Vec::with_capacity(shape.len());
        for (axis, &n) in shape.iter().enumerate() {
            let step = step.map_or(1, |step| step[axis]);
            let (start, count) = (start[axis], count[axis]);
            if count < 0 || step == 0 {
                return Err(Error::new(
                    ErrorKind::Argument,
                    format!("axis {axis} of the box has count {count} and step {step}"),
                ));
            }
            let last = start as i128 + step as i128 * (count as i128 - 1);
            let outside = |at: i128| at < 0 || at >= n as i128;
            if count > 0 && (outside(start as i128) || outside(last)) {
                return Err(Error::new(
                    ErrorKind::Index,
                    format!("the box spans {start} to {last} on axis {axis} of length {n}"),
                ));
            }
            takes.push(Take::new(start, count, step));
        }
        Ok(Selection::of(takes))
    }

    /// What is left where `next`, a selection on the shape of this one's
    /// result, is made of it.
    pub(crate) fn then(&self, next: &Selection) -> Selection {
        let mut takes = self.takes.clone();
        for (axis, take) in self.axes.iter().zip(&next.takes) {
            // A selection of which others are made has no new axes.
            debug_assert!(axis.is_some());
            let Some(axis) = *axis else {
                continue;
            };
            let before = takes[axis];
            let start = before.start + take.start * before.step;
            takes[axis] = Take::new(start, take.count, take.step * before.step);
        }
        let axes = next.axes.iter();
        Selection {
            takes,
            axes: axes.map(|axis| axis.and_then(|i| self.axes[i])).collect(),
        }
    }

    /// Shape of the result.
    pub(crate) fn shape(&self) -> Vec<i64> {
        self.axes
            .iter()
            .map(|axis| axis.map_or(1, |axis| self.takes[axis].count))
            .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.takes.iter().any(|take| take.count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(index: &[Slice], shape: &[i64]) -> Result<Vec<i64>> {
        Selection::new(index, shape).map(|selection| selection.shape())
    }

    /// The definition, element by element, after Python's language reference.
    fn naive(n: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<i64> {
        let fix = |at: i128| if at < 0 { at + n as i128 } else { at };
        let clip = |at: i128, low: i128, high: i128| at.max(low).min(high);
        let (mut at, end): (i128, i128) = if step > 0 {
            (
                start.map_or(0, |s| clip(fix(s as i128), 0, n as i128)),
                stop.map_or(n as i128, |s| clip(fix(s as i128), 0, n as i128)),
            )
        } else {
            (
                start.map_or(n as i128 - 1, |s| clip(fix(s as i128), -1, n as i128 - 1)),
                stop.map_or(-1, |s| clip(fix(s as i128), -1, n as i128 - 1)),
            )
        };
        let mut found = Vec::new();
        while (step > 0 && at < end) || (step < 0 && at > end) {
            found.push(at as i64);
            at += step as i128;
        }
        found
    }

    #[test]
    fn ranges_as_in_python() {
        let mut bounds: Vec<Option<i64>> = (-7..=7).map(Some).collect();
        bounds.extend([
            None,
            Some(i64::MIN),
            Some(i64::MIN + 1),
            Some(i64::MAX),
            Some(i64::MAX - 1),
        ]);
        for n in 0..6 {
            for &start in &bounds {
                for &stop in &bounds {
                    for step in [-7, -3, -2, -1, 1, 2, 3, 7, i64::MIN, i64::MAX] {
                        let take = Take::of_range(n, start, stop, step);
                        let got: Vec<i64> = (0..take.count)
                            .map(|k| take.start + k * take.step)
                            .collect();
                        assert_eq!(
                            got,
                            naive(n, start, stop, step),
                            "{n}: {start:?} {stop:?} {step}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn integers_drop_axes_and_are_checked() {
        assert_eq!(
            shape_of(&[Slice::At(-2), Slice::ALL], &[2, 3, 4]).unwrap(),
            [3, 4]
        );
        for at in [2, -3, i64::MIN, i64::MAX] {
            let error = shape_of(&[Slice::At(at)], &[2, 3]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.to_string().contains(&at.to_string()), "{error}");
        }
    }

    #[test]
    fn ellipsis_and_new_axes() {
        use Slice::{At, Ellipsis, NewAxis};
        let shape = [2, 3, 4];
        assert_eq!(shape_of(&[], &shape).unwrap(), shape);
        assert_eq!(shape_of(&[Ellipsis, At(0)], &shape).unwrap(), [2, 3]);
        assert_eq!(
            shape_of(&[NewAxis, At(0), NewAxis, Ellipsis], &shape).unwrap(),
            [1, 1, 3, 4]
        );
        assert_eq!(
            shape_of(&[At(0), At(0), Ellipsis, At(0)], &shape).unwrap(),
            []
        );
        assert_eq!(shape_of(&[NewAxis; 61], &shape).unwrap().len(), 64);
        for wrong in [vec![Ellipsis, Ellipsis], vec![At(0); 4], vec![NewAxis; 62]] {
            assert_eq!(
                shape_of(&wrong, &shape).unwrap_err().kind(),
                ErrorKind::Index
            );
        }
    }

    #[test]
    fn boxes_are_never_cut() {
        let shape = [4, 5];
        let of_box = |start: &[i64], count: &[i64], step: Option<&[i64]>| {
            Selection::of_box(&shape, start, count, step).map(|s| s.takes)
        };
        let takes = of_box(&[3, 0], &[2, 3], Some(&[-3, 2])).unwrap();
        assert_eq!((takes[0].start, takes[0].count, takes[0].step), (3, 2, -3));
        assert!(of_box(&[9, 0], &[0, 1], None).is_ok());
        for (start, count, step) in [
            ([-1, 0], [1, 1], [1, 1]),
            ([0, 0], [5, 1], [1, 1]),
            ([0, 1], [1, 3], [1, -1]),
            ([i64::MAX, 0], [i64::MAX, 1], [i64::MAX, 1]),
        ] {
            let error = of_box(&start, &count, Some(&step)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
        }
        for (count, step) in [([-1, 1], [1, 1]), ([1, 1], [1, 0])] {
            let error = of_box(&[0, 0], &count, Some(&step)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Argument);
        }
    }
}
