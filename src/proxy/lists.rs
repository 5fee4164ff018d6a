//! Reading positions that need not be evenly spaced.

use super::ArrayProxy;
use super::plan::{Plan, ReadAs};
use super::sources::read_all;
use crate::control::Control;
use crate::core::dtype::ByteOrder;
use crate::core::layout::Layout;
use crate::core::lists::Lists;
use crate::core::plan::{Cutting, Walk, walks};
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{Cast, Kernel};
use crate::mem::{Target, collect};

/// Parts in blocks that are read at a time: each needs some hundred bytes.
const PARTS: usize = if cfg!(test) { 50 } else { 1 << 16 };

/// A part by itself costs as much as so many elements that are read beside others.
const PART: i64 = 1000;

/// Most elements that are read for each that is wanted, all kept meanwhile.
const WASTE: i64 = 4;

/// What is not wanted is stepped over in memory.
const UNCUT: Cutting = Cutting {
    max: i64::MAX / 2,
    gap: i64::MAX / 2,
    loops: usize::MAX,
};

impl ArrayProxy {
    /// Check positions of each axis, to be read as often as wanted: the result
    /// has for each axis as many elements as its list, in the list's order, and
    /// all of an axis where there is `None`. A position may be named twice;
    /// negative ones count from the end. As NumPy's `a[np.ix_(...)]`.
    pub fn plan_lists(&self, lists: &[Option<&[i64]>], read_as: ReadAs) -> Result<Plan> {
        let lists = Lists::new(lists, self.shape())?;
        if lists.count() == 1 {
            let selection = lists.parts().next().map(|(selection, _)| selection);
            return Plan::new(self, selection.unwrap_or_else(|| lists.span()), read_as);
        }
        Plan::new(self, lists.span(), read_as)?.with_lists(lists)
    }
}

impl Plan {
    /// Whether the box that holds the positions is read whole, and they are picked
    /// from it.
    fn is_picked(&self, lists: &Lists) -> bool {
        let span = self.span();
        span.check_limit().is_ok()
            && span.nbytes() / WASTE <= self.nbytes()
            && (span.elements() / PART) as u128 <= lists.count()
    }

    pub(super) fn read_lists(
        &self,
        lists: &Lists,
        target: &Target<'_>,
        strides: &[i64],
        control: Option<&Control>,
    ) -> Result<()> {
        if self.is_picked(lists) {
            return self.pick(lists, target, strides, control);
        }
        let mut parts = lists.parts().peekable();
        while parts.peek().is_some() {
            let (mut walks, mut elements) = (Vec::new(), 0);
            while let Some((selection, at)) = parts.next_if(|_| walks.len() < PARTS) {
                elements += selection.shape().iter().product::<i64>();
                let to = shift(&at, strides);
                let selection = self.proxy().on_layout(selection);
                let part = self.walks_of(&selection, strides)?;
                walks.extend(part.into_iter().map(|walk| walk.moved(to)));
            }
            walks.sort_by_key(|walk| (walk.source, walk.offset));
            let plan = self.of_part(elements);
            read_all(self.proxy(), &[(&plan, &walks[..], target)], control)?;
        }
        Ok(())
    }

    fn pick(
        &self,
        lists: &Lists,
        target: &Target<'_>,
        strides: &[i64],
        control: Option<&Control>,
    ) -> Result<()> {
        let span = self.span();
        let bytes = collect::<u8>(span.nbytes() as usize, |buffer| {
            span.read(buffer, 0, None, control)
        })?;
        let internal = || Error::new(ErrorKind::Internal, "a part is not in its box");
        let layout = Layout::packed(self.dtype(), span.order(), span.shape(), 0);
        let layout = layout.ok_or_else(internal)?;
        let stored = (self.dtype(), ByteOrder::NATIVE);
        let kernel = Kernel::new(stored, self.dtype(), None, None, Cast::default())?;
        for (selection, at) in lists.inside(&lists.span()).parts() {
            let to = shift(&at, strides);
            for walk in walks(&layout, &selection, strides)? {
                for piece in walk.pieces(UNCUT) {
                    let from = piece.offset as usize;
                    let stored = bytes.get(from..from + piece.len).ok_or_else(internal)?;
                    let put = target.store(&kernel, stored, &piece.dims, piece.to + to);
                    put.map_err(|_| internal())?;
                }
            }
        }
        Ok(())
    }

    /// What is read for positions, as [`Plan::cost`] tells it.
    pub(super) fn walks_of_lists(&self, lists: &Lists, strides: &[i64]) -> Result<Vec<Walk>> {
        if self.is_picked(lists) || lists.count() > PARTS as u128 {
            return self.walks(strides);
        }
        let parts = lists.parts().map(|(selection, _)| {
            let selection = self.proxy().on_layout(selection);
            self.walks_of(&selection, strides)
        });
        let walks: Vec<Vec<Walk>> = parts.collect::<Result<_>>()?;
        let mut walks: Vec<Walk> = walks.into_iter().flatten().collect();
        walks.sort_by_key(|walk| (walk.source, walk.offset));
        Ok(walks)
    }
}

/// Byte of the result at which a part begins.
fn shift(at: &[i64], strides: &[i64]) -> i64 {
    at.iter().zip(strides).map(|(at, stride)| at * stride).sum()
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
        let (mut picked, mut by_parts) = (0, 0);
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
            match &plan.lists {
                Some(lists) if plan.is_picked(lists) => picked += 1,
                Some(lists) if lists.count() > 2 * PARTS as u128 => by_parts += 1,
                _ => {}
            }
            assert_eq!(
                plan.read_vec::<u32>().unwrap(),
                wanted(&lists, order),
                "{lists:?}"
            );
        }
        assert!(picked > 20 && by_parts > 20, "{picked} {by_parts}");
    }
}
