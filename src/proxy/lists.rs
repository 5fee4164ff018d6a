//! Reading positions that need not be evenly spaced.
//!
//! Where they lie dense the box that holds them is read, and they are picked from
//! it; where they do not, each part that is evenly spaced is a selection of its
//! own, and all are read in one walk through the file.

use super::ArrayProxy;
use super::plan::{Plan, ReadAs};
use super::sources::read_all;
use crate::control::{self, Control};
use crate::core::dtype::{ByteOrder, Order};
use crate::core::lists::{Lists, Part};
use crate::core::plan::Walk;
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{Cast, Kernel};
use crate::mem::{Target, collect};

/// Walks that are read at a time: each needs some hundred bytes.
const WALKS: usize = if cfg!(test) { 50 } else { 1 << 16 };

/// A run of elements by itself costs as much as so many that are read beside others.
const RUN: i64 = if cfg!(test) { 20 } else { 1000 };

/// Most bytes of a box that are kept to pick from.
const BOX: i64 = if cfg!(test) { 40_000 } else { 16 << 20 };

/// Parts that are picked before it is looked whether to go on.
const LOOK: usize = 1 << 12;

impl ArrayProxy {
    /// Check positions of each axis, to be read as often as wanted: the result
    /// has for each axis as many elements as its list, in the list's order, and
    /// all of an axis where there is `None`. A position may be named twice;
    /// negative ones count from the end. As NumPy's `a[np.ix_(...)]`.
    pub fn plan_lists(&self, lists: &[Option<&[i64]>], read_as: ReadAs) -> Result<Plan> {
        let lists = Lists::new(lists, self.shape())?;
        match lists.as_selection() {
            Some(selection) => Plan::new(self, selection, read_as),
            None => Plan::new(self, lists.span(), read_as)?.with_lists(lists),
        }
    }
}

/// How positions are read.
#[derive(Debug, PartialEq, Eq)]
enum Manner {
    /// The box that holds them, as a whole.
    Picked,
    /// By halves along an axis.
    Halved(usize),
    ByParts,
}

impl Plan {
    fn manner(&self, lists: &Lists) -> Manner {
        let (span, order) = (lists.span(), self.proxy().order());
        let long = |axis: &usize| span.takes[*axis].count > 1;
        let mut axes = 0..span.takes.len();
        let plan = self.of_box(span.clone());
        let runs = lists.runs(self.proxy().shape(), order);
        // An element that nobody wants may not fit the type.
        if self.is_checked() || (plan.elements() / RUN) as u128 > runs {
            return Manner::ByParts;
        }
        // Nor need a block that nobody wants be there.
        if let Some(axis) = axes.clone().find(|&axis| self.proxy().skips(lists, axis)) {
            return Manner::Halved(axis);
        }
        if plan.nbytes() <= BOX && plan.check_limit().is_ok() {
            return Manner::Picked;
        }
        // Along the axis that is slowest in the file, so that it is read in order.
        let axis = match order {
            Order::C => axes.find(long),
            Order::F => axes.rev().find(long),
        };
        axis.map_or(Manner::Picked, Manner::Halved)
    }

    pub(super) fn read_lists(
        &self,
        lists: &Lists,
        target: &Target<'_>,
        strides: &[i64],
        control: Option<&Control>,
    ) -> Result<()> {
        let read = |lists: &Lists| self.read_lists(lists, target, strides, control);
        match self.manner(lists) {
            Manner::Picked => self.pick(lists, target, strides, control),
            Manner::Halved(axis) => match lists.halves(axis) {
                Some(halves) => halves.iter().try_for_each(read),
                None => self.read_parts(lists, target, strides, control),
            },
            // Of what is named twice, one after the other: walks must not meet.
            Manner::ByParts => lists
                .layers()
                .try_for_each(|lists| self.read_parts(&lists, target, strides, control)),
        }
    }

    fn read_parts(
        &self,
        lists: &Lists,
        target: &Target<'_>,
        strides: &[i64],
        control: Option<&Control>,
    ) -> Result<()> {
        let mut parts = lists.parts(strides).peekable();
        while parts.peek().is_some() {
            let (mut walks, mut elements) = (Vec::new(), 0);
            while let Some(part) = parts.next_if(|_| walks.len() < WALKS) {
                elements += part.selection.shape().iter().product::<i64>();
                walks.extend(self.walks_of_part(part)?);
            }
            walks.sort_by_key(|walk: &Walk| (walk.source, walk.offset));
            self.check_there(&walks)?;
            let plan = self.of_part(elements);
            read_all(self.proxy(), &[(&plan, &walks[..], target)], control)?;
        }
        Ok(())
    }

    fn walks_of_part(&self, part: Part) -> Result<impl Iterator<Item = Walk>> {
        let selection = self.proxy().on_layout(part.selection);
        let walks = self.walks_of(&selection, &part.steps)?;
        Ok(walks.into_iter().map(move |walk| walk.moved(part.to)))
    }

    fn pick(
        &self,
        lists: &Lists,
        target: &Target<'_>,
        strides: &[i64],
        control: Option<&Control>,
    ) -> Result<()> {
        let (span, item) = (lists.span(), self.dtype().size());
        let plan = self.of_box(span.clone());
        let bytes = collect::<u8>(plan.nbytes() as usize, |buffer| {
            plan.read(buffer, 0, None, control)
        })?;
        let stored = (self.dtype(), ByteOrder::NATIVE);
        let kernel = Kernel::new(stored, self.dtype(), None, None, Cast::default())?;
        let from = shape::packed_strides(plan.shape(), item, plan.order());
        let mut picked = 0;
        lists.loops(&span, (&from, strides), |first, dims, to| {
            picked += 1;
            if picked % LOOK == 0 {
                control::check(control)?;
            }
            let stored = bytes.get(first as usize..).unwrap_or_default();
            let put = target.store(&kernel, stored, dims, to);
            put.map_err(|_| Error::new(ErrorKind::Internal, "a part is not in its box"))
        })
    }

    /// What is read for positions, as [`Plan::cost`] tells it.
    pub(super) fn walks_of_lists(&self, lists: &Lists, strides: &[i64]) -> Result<Vec<Walk>> {
        if self.manner(lists) != Manner::ByParts || lists.count() > WALKS as u128 {
            return self.walks(strides);
        }
        let mut walks = Vec::new();
        for part in lists.parts(strides) {
            walks.extend(self.walks_of_part(part)?);
        }
        walks.sort_by_key(|walk: &Walk| (walk.source, walk.offset));
        Ok(walks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::dtype::{ByteOrder, DType, Order};
    use crate::random::Random;
    use crate::{Options, Source};

    const SHAPE: [i64; 3] = [61, 59, 23];

    /// Numbers that tell their place.
    fn proxy(order: Order) -> ArrayProxy {
        let n = SHAPE.iter().product::<i64>() as u32;
        let bytes: Vec<u8> = (0..n).flat_map(u32::to_le_bytes).collect();
        let stored = (DType::UInt32, ByteOrder::Little);
        let source = Source::memory(bytes);
        let options = Options::new();
        ArrayProxy::open_layout(&source, stored, (&SHAPE, order), 0, (1.0, 0.0), &options).unwrap()
    }

    fn wanted(lists: &[Vec<i64>], order: Order) -> Vec<u32> {
        let strides = crate::core::shape::packed_strides(&SHAPE, 1, order);
        let mut found = Vec::new();
        for &k in &lists[2] {
            for &j in &lists[1] {
                let place = |i: i64| i * strides[0] + j * strides[1] + k * strides[2];
                found.extend(lists[0].iter().map(|&i| place(i) as u32));
            }
        }
        found
    }

    #[test]
    fn as_the_definition_has_it() {
        let mut random = Random(7);
        let (mut picked, mut halved, mut by_parts) = (0, 0, 0);
        for turn in 0..200 {
            let order = [Order::F, Order::C][turn % 2];
            // From all of an axis to a few positions far apart.
            let list = |n: i64| -> Vec<i64> {
                let keep = random.pick(&[1, 2, 5, 11]);
                let at = |i: i64| match i % 7 {
                    3 => n - 1 - i,
                    _ => i,
                };
                let kept = (0..n).filter(|_| random.below(keep) == 0);
                kept.map(at).collect()
            };
            let lists: Vec<Vec<i64>> = SHAPE.map(list).into();
            let given: Vec<Option<&[i64]>> = lists.iter().map(|list| Some(&list[..])).collect();
            let plan = proxy(order).plan_lists(&given, ReadAs::disk()).unwrap();
            match plan.lists.as_deref().map(|lists| plan.manner(lists)) {
                Some(Manner::Picked) => picked += 1,
                Some(Manner::Halved(_)) => halved += 1,
                Some(Manner::ByParts) => by_parts += 1,
                None => {}
            }
            assert_eq!(
                plan.read_vec::<u32>().unwrap(),
                wanted(&lists, order),
                "{lists:?}"
            );
        }
        let least = picked.min(halved).min(by_parts);
        assert!(least > 10, "{picked} {halved} {by_parts}");
    }
}
