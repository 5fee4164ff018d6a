//! Parts of arrays: sliced, reshaped and viewed, unread.

use std::sync::Arc;

use super::{ArrayProxy, Part};
use crate::core::dtype::{ByteOrder, Order};
use crate::core::layout::{Block, Layout};
use crate::core::lists::Lists;
use crate::core::plan::{meanings, varying};
use crate::core::reshape::places;
use crate::core::scale::Factors;
use crate::core::shape;
use crate::core::slice::{Selection, Slice, Take};
use crate::error::{Error, ErrorKind, Result};
use crate::mem::Array;

/// As what stored elements are viewed: as they are, and not to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ViewAs {
    raw: bool,
    own: bool,
}

impl ViewAs {
    /// Do not scale: without it, scaled data have no view.
    #[must_use]
    pub fn raw(self, raw: bool) -> ViewAs {
        ViewAs { raw, ..self }
    }

    /// Elements of a mapped file that may be written: what is written stays in
    /// the array alone.
    #[must_use]
    pub fn own(self, own: bool) -> ViewAs {
        ViewAs { own, ..self }
    }
}

impl ArrayProxy {
    /// The array that an index selects, unread. It shares everything with this
    /// one. Affine and zooms are those of the voxels that are left; there is no
    /// affine any more if an axis of space was dropped, or moved by a new one
    /// before it. Header, format and warnings stay the file's.
    ///
    /// ```no_run
    /// use arrayproxy::{ArrayProxy, Slice};
    ///
    /// let proxy = ArrayProxy::open("bold.nii.gz")?;
    /// let brain = proxy.slice(&[(10..90).into(), (5..95).into()])?;
    /// assert_eq!(brain.shape().len(), proxy.shape().len());
    /// # Ok::<(), arrayproxy::Error>(())
    /// ```
    pub fn slice(&self, index: &[Slice]) -> Result<ArrayProxy> {
        let next = Selection::new(index, self.shape())?;
        let space = self.space_of(&next, index);
        let mut selection = self.whole().then(&next);
        // New axes are the layout's: what selects of them later is like others.
        let new = selection.axes.iter().filter(|axis| axis.is_none()).count();
        let mut layout = self.layout.clone();
        if new > 0 {
            let ndim = layout.shape.len();
            layout = Arc::new(layout.with_axes(new));
            selection.takes.resize(ndim + new, Take::ONE);
            let added = selection.axes.iter_mut().filter(|axis| axis.is_none());
            for (axis, number) in added.zip(ndim..) {
                *axis = Some(number);
            }
        }
        // Axes that say nothing any more would add up.
        let used = |axis: &usize| selection.axes.contains(&Some(*axis));
        let kept: Vec<usize> = (0..layout.shape.len())
            .filter(|axis| layout.shape[*axis] > 1 || used(axis))
            .collect();
        if kept.len() < layout.shape.len() {
            layout = Arc::new(layout.with_only(&kept));
            selection.takes = kept.iter().map(|&axis| selection.takes[axis]).collect();
            let place = |axis: &Option<usize>| kept.iter().position(|&kept| Some(kept) == *axis);
            selection.axes = selection.axes.iter().map(place).collect();
        }
        let shape = selection.shape();
        Ok(ArrayProxy {
            shared: self.shared.clone(),
            layout,
            part: Some(Arc::new(Part { selection, shape })),
            space: Some(Arc::new(space)),
        })
    }

    /// What this array takes of its layout.
    fn whole(&self) -> Selection {
        match &self.part {
            Some(part) => part.selection.clone(),
            None => Selection::all(self.shape()),
        }
    }

    /// A selection of this array as one of its layout.
    pub(super) fn on_layout(&self, selection: Selection) -> Selection {
        match &self.part {
            Some(part) => part.selection.then(&selection),
            None => selection,
        }
    }

    /// Whether whole blocks lie between the positions of an axis.
    pub(super) fn skips(&self, lists: &Lists, axis: usize) -> bool {
        let (number, take) = match &self.part {
            Some(part) => match part.selection.axes[axis] {
                Some(number) => (number, part.selection.takes[number]),
                None => return false,
            },
            None => (axis, Take::all(self.layout.shape[axis])),
        };
        let block = self.layout.block[number];
        block < self.layout.shape[number]
            && lists.skips(axis, |position| (take.start + position * take.step) / block)
    }

    /// The elements as a layout of their own; `None` if they are no regular grid
    /// of blocks.
    fn own_layout(&self) -> Option<Arc<Layout>> {
        match &self.part {
            Some(part) => self.layout.selected(&part.selection).map(Arc::new),
            None => Some(self.layout.clone()),
        }
    }

    /// Byte of element (0,...,0), if all elements are in one block.
    pub(super) fn first_byte(&self) -> Option<u64> {
        self.own_layout()?.offset()
    }

    /// The same elements, in the order in which they are stored, with another
    /// shape of as many. One entry may be -1, not beside a 0. Affine and zooms
    /// stay as they are.
    pub fn reshape(&self, shape: &[i64]) -> Result<ArrayProxy> {
        let wrong = |reason: String| {
            let text = format!(
                "cannot reshape {} to {}: {reason}",
                shape::text(self.shape()),
                shape::text(shape)
            );
            Err(Error::new(ErrorKind::Argument, text))
        };
        if shape.len() > shape::MAX_NDIM {
            return wrong(format!("at most {} axes are possible", shape::MAX_NDIM));
        }
        let mut filled = shape.to_vec();
        if let Some(hole) = shape.iter().position(|&n| n == -1) {
            let rest: Vec<i64> = shape.iter().copied().filter(|&n| n != -1).collect();
            if rest.len() + 1 < shape.len() {
                return wrong("only one axis can be -1".into());
            }
            match shape::count(&rest) {
                Some(n) if n > 0 && self.size() % n == 0 => filled[hole] = self.size() / n,
                Some(0) => return wrong("-1 cannot stand beside 0".into()),
                _ => return wrong(format!("{} elements do not divide", self.size())),
            }
        }
        if let Some(axis) = filled.iter().position(|&n| n < 0) {
            return wrong(format!("axis {axis} is {}", filled[axis]));
        }
        if shape::count(&filled) != Some(self.size()) {
            return wrong(format!("there are {} elements", self.size()));
        }
        let layout = self
            .own_layout()
            .and_then(|layout| layout.reshaped(&filled));
        let layout = layout.ok_or_else(|| {
            let text = format!(
                "cannot reshape {} to {}: the elements lie apart in the file, and the new shape \
                 would divide them in another way",
                shape::text(self.shape()),
                shape::text(&filled)
            );
            Error::new(ErrorKind::Unsupported, text)
        })?;
        Ok(ArrayProxy {
            shared: self.shared.clone(),
            layout: Arc::new(layout),
            part: None,
            space: self.space.clone(),
        })
    }

    /// Shape of the slopes and intercepts: no axes if one of each holds for all,
    /// else as many as the array has, with length 1 where they do not vary.
    pub fn scale_shape(&self) -> Vec<i64> {
        let of = |number: u32| self.shared.meanings[number as usize].factors;
        let found = meanings(&self.layout, &self.whole());
        if found.windows(2).all(|two| of(two[0]) == of(two[1])) {
            return Vec::new();
        }
        let selection = self.whole();
        let same = |a: u32, b: u32| a == b || of(a) == of(b);
        let varies = varying(&self.layout, &selection, same);
        let axes = selection.axes.iter().zip(self.shape());
        let len = |(axis, &n): (&Option<usize>, &i64)| match axis.is_some_and(|axis| varies[axis]) {
            true => n,
            false => 1,
        };
        axes.map(len).collect()
    }

    /// Slopes and intercepts, the first axis of their shape moving fastest; 1
    /// and 0 for data that are not scaled.
    pub fn scale_factors(&self) -> Result<Vec<(f64, f64)>> {
        let (layout, selection, shape) = (&self.layout, self.whole(), self.scale_shape());
        let count = shape::count(&shape).and_then(|n| usize::try_from(n).ok());
        let mut factors = Vec::new();
        let room = count.is_some_and(|count| factors.try_reserve_exact(count).is_ok());
        if !room {
            let text = format!(
                "there is no memory for factors of shape {}",
                shape::text(&shape)
            );
            return Err(self.blame(Error::new(ErrorKind::Memory, text)));
        }
        let mut push = |number: u32| {
            let found: &Factors = &self.shared.meanings[number as usize].factors;
            // An intercept of -0.0 is 0.
            factors.push((found.whole_slope(), found.inter + 0.0));
        };
        if shape.is_empty() {
            push(self.first_block().map_or(0, |block| block.meaning));
            return Ok(factors);
        }
        for place in places(&shape, Order::F) {
            let mut at: Vec<i64> = selection.takes.iter().map(|take| take.start).collect();
            for (axis, k) in selection.axes.iter().zip(place) {
                if let Some(axis) = *axis {
                    at[axis] += k * selection.takes[axis].step;
                }
            }
            push(layout.block_of(&at).meaning);
        }
        Ok(factors)
    }

    /// The block that element (0,...,0) is in; `None` if there are no elements.
    pub(super) fn first_block(&self) -> Option<Block> {
        let selection = self.whole();
        let first: Vec<i64> = selection.takes.iter().map(|take| take.start).collect();
        (!selection.is_empty()).then(|| self.layout.block_of(&first))
    }

    /// The stored elements of a selection in the memory where they are: a mapped
    /// file, or a source in memory.
    ///
    /// Fails with [`ErrorKind::NoView`] if they are compressed, byte-swapped, not
    /// aligned, scaled (unless [`ViewAs::raw`]), or not in memory.
    pub fn view(&self, index: &[Slice], view_as: ViewAs) -> Result<Array> {
        let ViewAs { raw, own } = view_as;
        let part = self.slice(index)?;
        let none = |reason: &str| {
            let text = format!("there is no view without a copy: {reason}");
            Err(self.blame(Error::new(ErrorKind::NoView, text)))
        };
        let dtype = self.disk_dtype();
        let one = |layout: &Arc<Layout>| layout.blocks.len() == 1;
        let Some(layout) = part.own_layout().filter(one) else {
            return none("the elements lie in several blocks");
        };
        let block = layout.blocks[0];
        let meaning = self.shared.meanings[block.meaning as usize];
        let data = self.shared.enter(block.source as usize, None)?;
        if data.packed.is_some() {
            return none("the data are compressed");
        }
        if meaning.byte_order != ByteOrder::NATIVE && dtype.unit() > 1 {
            return none("the bytes are in another order than this machine's");
        }
        if meaning.factors.is_scaling() && !raw {
            return none("the data are scaled");
        }
        let empty = layout.shape.contains(&0);
        let (low, high) = layout
            .extents()
            .next()
            .map_or((0, 0), |(_, low, high)| (low as u64, high as u64));
        if let Some(most) = data.most.filter(|&most| high > most) {
            return Err(data.blame(data.truncated(most, high)));
        }
        let axes = (&layout.shape[..], &layout.strides[..]);
        let outside = || data.blame(Error::new(ErrorKind::Truncated, "the data end early"));
        let blamed = |error| data.blame(error);
        let array = if own && !empty {
            let Some(bytes) = data.bytes.lend_own(low..high).map_err(blamed)? else {
                return none("the data are no file that can be mapped");
            };
            let first = (block.offset - low) as usize;
            Array::among_own(bytes, first, dtype, axes).ok_or_else(outside)?
        } else {
            let Some(view) = data.bytes.lend().map_err(blamed)? else {
                return none("the data are neither mapped nor in memory");
            };
            let mapped = view.is_mapped();
            if own && !mapped {
                return none("the data are no file that can be mapped");
            }
            if own {
                return Array::zeros(dtype, &layout.shape, layout.order);
            }
            let first = usize::try_from(block.offset).unwrap_or(usize::MAX);
            let first = if empty { 0 } else { first };
            let array = Array::among(view.into_bytes(), first, dtype, axes, mapped);
            array.ok_or_else(outside)?
        };
        let aligned = |step: i64| step % dtype.unit() as i64 == 0;
        let all =
            aligned(array.as_ptr() as i64) && array.strides().iter().all(|&step| aligned(step));
        if !empty && !all {
            return none("the elements are not aligned in memory");
        }
        Ok(array)
    }
}
