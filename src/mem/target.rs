//! The memory that a read writes to.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::core::plan::Dim;
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{Kernel, Tile};

/// Memory to write a result to, which need not be written yet.
#[derive(Debug)]
pub struct Buffer<'a> {
    base: *mut u8,
    len: usize,
    lent: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

impl Buffer<'_> {
    /// The `len` bytes at `base`.
    ///
    /// # Safety
    /// They can be written for the lifetime of the buffer, and until then no
    /// one else reads or writes those of them that a result goes to. Others
    /// are not touched: several results may go to one allocation at once.
    pub unsafe fn from_raw(base: *mut u8, len: usize) -> Self {
        Buffer {
            base,
            // No memory is larger, and offsets inside it must fit an `isize`.
            len: len.min(isize::MAX as usize),
            lent: PhantomData,
        }
    }
}

impl<'a> Buffer<'a> {
    /// The parts of it at some offsets, each of its own length. They must lie
    /// inside and apart.
    pub(crate) fn parts(self, parts: &[(usize, usize)]) -> Result<Vec<Buffer<'a>>> {
        let end = |&(offset, len): &(usize, usize)| offset as i128 + len as i128;
        let high = parts.iter().filter(|part| part.1 > 0).map(end).max();
        if let Some(high) = high.filter(|&high| high > self.len as i128) {
            return Err(too_small(self.len, high));
        }
        let mut order: Vec<usize> = (0..parts.len()).filter(|&i| parts[i].1 > 0).collect();
        order.sort_unstable_by_key(|&i| parts[i].0);
        for two in order.windows(2) {
            let [a, b] = [two[0], two[1]];
            if end(&parts[a]) > parts[b].0 as i128 {
                let text = format!(
                    "results {a} and {b} overlap: they begin at bytes {} and {}, and the first \
                     has {}",
                    parts[a].0, parts[b].0, parts[a].1
                );
                return Err(Error::new(ErrorKind::Argument, text));
            }
        }
        let part = |&(offset, len): &(usize, usize)| Buffer {
            base: self.base.wrapping_add(if len > 0 { offset } else { 0 }),
            len,
            lent: PhantomData,
        };
        Ok(parts.iter().map(part).collect())
    }
}

// Not from `&mut [u8]`: a source may leave its part of a result unwritten, and
// may even make written bytes so.
impl<'a> From<&'a mut [MaybeUninit<u8>]> for Buffer<'a> {
    fn from(bytes: &'a mut [MaybeUninit<u8>]) -> Buffer<'a> {
        Buffer {
            base: bytes.as_mut_ptr().cast(),
            len: bytes.len(),
            lent: PhantomData,
        }
    }
}

/// Strided elements inside a buffer. All writes are checked against the
/// buffer here, whatever the plan says.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    buffer: Buffer<'a>,
    /// Byte of element (0,...,0).
    origin: usize,
    /// Bytes written so far. Nothing is written twice, so a result whose
    /// bytes were all counted is complete.
    written: AtomicU64,
}

// SAFETY: the memory is lent to the target alone, and whichever threads write
// to it: a plan gives no element twice (its tests compare each with a model),
// so no two of them write to the same bytes.
unsafe impl Send for Target<'_> {}
// SAFETY: as above.
unsafe impl Sync for Target<'_> {}

/// Why elements of a piece were not stored.
pub(crate) enum Fault {
    /// The plan leads out of the buffer or the bytes read: a bug.
    Outside,
    /// The element that begins at this byte of the piece does not fit.
    Unfit(usize),
}

impl<'a> Target<'a> {
    /// Elements of `item` bytes at `origin` and, by `strides`, all around it.
    /// Every element must lie inside the buffer, and no two may overlap.
    pub(crate) fn new(
        buffer: Buffer<'a>,
        origin: usize,
        shape: &[i64],
        strides: &[i64],
        item: usize,
    ) -> Result<Target<'a>> {
        let (low, high) = shape::span(shape, strides, item);
        // An array without elements takes nothing, wherever it is.
        let at = if high > 0 { origin as i128 } else { 0 };
        let (low, high) = (at + low, at + high);
        if low < 0 {
            return Err(Error::new(
                ErrorKind::Argument,
                format!(
                    "with these strides an element lies {} bytes before the buffer",
                    -low
                ),
            ));
        }
        if high > buffer.len as i128 {
            return Err(too_small(buffer.len, high));
        }
        let axes = shape.iter().copied().zip(strides.iter().copied());
        if !shape.contains(&0) && !shape::is_disjoint(axes, item) {
            return Err(Error::new(
                ErrorKind::Argument,
                format!(
                    "elements of {item} bytes overlap: shape {}, strides {}",
                    shape::text(shape),
                    shape::text(strides)
                ),
            ));
        }
        Ok(Target {
            buffer,
            origin,
            written: AtomicU64::new(0),
        })
    }

    /// Bytes of elements written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// All of it is written anew.
    pub(crate) fn restart(&self) {
        self.written.store(0, Relaxed);
    }

    /// Let `write` fill the `len` bytes from byte `to` after the origin on with
    /// stored elements, which are converted there; it says how many bytes it did.
    /// `None` if they are not inside.
    pub(crate) fn write_with(
        &self,
        kernel: &Kernel,
        to: i64,
        len: usize,
        write: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<usize>,
    ) -> Option<Result<usize>> {
        let start = self.place(to, len as i128)?;
        // SAFETY: `place` made sure that the bytes lie inside the buffer, where
        // they are this result's alone; no other thread writes to them.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(self.buffer.base.add(start).cast(), len) };
        let written = write(bytes);
        if let Ok(written) = written {
            // SAFETY: the same bytes, as far as they are written.
            unsafe { kernel.stay(self.buffer.base.add(start), written.min(len)) };
            self.written.fetch_add(written as u64, Relaxed);
        }
        Some(written)
    }

    /// Convert the elements of `dims` from `bytes` to byte `to` after the
    /// origin.
    pub(crate) fn store(
        &self,
        kernel: &Kernel,
        bytes: &[u8],
        dims: &[Dim],
        to: i64,
    ) -> std::result::Result<(), Fault> {
        // SAFETY: all of the bytes can be read.
        unsafe { self.store_from(kernel, (bytes.as_ptr(), bytes.len()), dims, to) }
    }

    /// As [`Target::store`], from the `len` bytes at `first`.
    ///
    /// # Safety
    /// The elements of `dims`, as far as they lie in these bytes, can be read.
    pub(super) unsafe fn store_from(
        &self,
        kernel: &Kernel,
        (first, len): (*const u8, usize),
        dims: &[Dim],
        to: i64,
    ) -> std::result::Result<(), Fault> {
        let reach = |n: i64, step: i64| (n - 1) as i128 * step as i128;
        if dims.iter().any(|dim| dim.n < 1 || dim.from < 0) {
            return Err(Fault::Outside);
        }
        let from: i128 = dims.iter().map(|dim| reach(dim.n, dim.from)).sum();
        let below: i128 = dims.iter().map(|dim| reach(dim.n, dim.to).min(0)).sum();
        let above: i128 = dims.iter().map(|dim| reach(dim.n, dim.to).max(0)).sum();
        let lowest = i64::try_from(to as i128 + below).map_err(|_| Fault::Outside)?;
        let span = above - below + kernel.result_size() as i128;
        if from + kernel.stored_size() as i128 > len as i128 || self.place(lowest, span).is_none() {
            return Err(Fault::Outside);
        }
        let count: i64 = dims.iter().map(|dim| dim.n).product();
        // In range, for the lowest byte is: the origin is inside the buffer.
        let to = self
            .buffer
            .base
            .wrapping_add(self.origin)
            .wrapping_offset(to as isize);
        let arranged;
        let (dims, mut turned) = match arrange(dims) {
            None => (dims, None),
            Some((dims, turned)) => {
                arranged = dims;
                (&arranged[..], turned.then(Tile::default))
            }
        };
        // SAFETY: as computed above, each element of the loops, in whatever
        // order, lies inside the bytes and inside the buffer. The two cannot
        // overlap: the elements in the buffer are this result's alone.
        unsafe { run(kernel, dims, turned.as_mut(), first, to) }
            .map_err(|at| Fault::Unfit(at - first as usize))?;
        let written = count as u64 * kernel.result_size() as u64;
        self.written.fetch_add(written, Relaxed);
        Ok(())
    }

    /// Byte of the buffer that is `to` after the origin, if `len` bytes from
    /// there on are inside.
    fn place(&self, to: i64, len: i128) -> Option<usize> {
        let start = self.origin as i128 + to as i128;
        let inside = start >= 0 && start + len <= self.buffer.len as i128;
        inside.then_some(start as usize)
    }
}

/// Elements of a loop from which on it is worth a call of the kernel.
const SHORT: i64 = 8;

/// The loops in an order that is faster, if there is one; and whether the two
/// innermost run across each other: the one with the smallest steps in the
/// source, and that with the smallest ones in the result.
fn arrange(dims: &[Dim]) -> Option<(Vec<Dim>, bool)> {
    let [first, .., _] = dims else {
        return None;
    };
    let nearest = (0..dims.len()).min_by_key(|&i| dims[i].to.abs())?;
    if nearest > 0 && first.n >= SHORT && dims[nearest].n >= SHORT {
        let mut dims = dims.to_vec();
        dims[1..=nearest].rotate_right(1);
        return Some((dims, true));
    }
    // The longest innermost, where that is short.
    let longest = (0..dims.len()).max_by_key(|&i| dims[i].n)?;
    if first.n >= SHORT || dims[longest].n < SHORT {
        return None;
    }
    let mut dims = dims.to_vec();
    dims[..=longest].rotate_right(1);
    Some((dims, false))
}

/// Run the kernel over nested loops, the two innermost of which are turned if there
/// is a tile. `Err` holds the address of the element that does not fit.
///
/// # Safety
/// Each element of the loops can be read from `from` and written to `to`.
unsafe fn run(
    kernel: &Kernel,
    dims: &[Dim],
    mut turned: Option<&mut Tile>,
    from: *const u8,
    to: *mut u8,
) -> std::result::Result<(), usize> {
    let steps = |dim: &Dim| (dim.n as usize, dim.from as isize, dim.to as isize);
    // SAFETY: the caller's promise, passed on to each turn of the outer loop.
    unsafe {
        match dims {
            [] => kernel.run(from, 0, to, 0, 1).map_err(|_| from as usize),
            [dim] => kernel
                .run(from, dim.from as isize, to, dim.to as isize, dim.n as usize)
                .map_err(|i| from as usize + i * dim.from as usize),
            [inner, outer] => match turned {
                Some(tile) => kernel.turn(from, to, steps(inner), steps(outer), tile),
                None => kernel.rows(from, to, steps(inner), steps(outer)),
            }
            .map_err(|(i, k)| from as usize + i * inner.from as usize + k * outer.from as usize),
            [inner @ .., dim] => (0..dim.n as isize).try_for_each(|i| {
                let from = from.offset(i * dim.from as isize);
                let to = to.offset(i * dim.to as isize);
                run(kernel, inner, turned.as_deref_mut(), from, to)
            }),
        }
    }
}

fn too_small(len: usize, needed: i128) -> Error {
    let text = format!("the buffer has {len} bytes, the result needs {needed}");
    Error::new(ErrorKind::Buffer, text).with_detail(i64::try_from(needed).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::dtype::{ByteOrder, DType};
    use crate::kernel::Cast;

    fn buffer(len: usize) -> Vec<MaybeUninit<u8>> {
        vec![MaybeUninit::new(0xEE); len]
    }

    fn kind(result: Result<Target<'_>>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn bounds_are_exact() {
        let mut memory = buffer(24);
        let mut kind = |origin, shape: &[i64], strides: &[i64]| {
            kind(Target::new(
                Buffer::from(&mut memory[..]),
                origin,
                shape,
                strides,
                4,
            ))
        };
        assert_eq!(kind(0, &[2, 3], &[4, 8]), None);
        assert_eq!(kind(1, &[2, 3], &[4, 8]), Some(ErrorKind::Buffer));
        assert_eq!(kind(20, &[2, 3], &[-4, -8]), None);
        assert_eq!(kind(19, &[2, 3], &[-4, -8]), Some(ErrorKind::Argument));
        assert_eq!(kind(0, &[2, 3], &[4, 7]), Some(ErrorKind::Argument));
        assert_eq!(kind(0, &[2, 3], &[0, 4]), Some(ErrorKind::Argument));
        assert_eq!(kind(0, &[1, 1], &[0, i64::MIN]), None);
        assert_eq!(kind(99, &[0, 5], &[i64::MAX, i64::MIN]), None);
        assert_eq!(
            kind(0, &[i64::MAX, 2], &[i64::MAX, 1]),
            Some(ErrorKind::Buffer)
        );
    }

    /// Loops in any order and at any steps, of elements of all sizes; those that
    /// are turned have more items than go together.
    #[test]
    fn loops_in_any_order_give_the_same() {
        let native = |dtype| (dtype, ByteOrder::NATIVE);
        for (from, to) in DType::all().flat_map(|dtype| [(dtype, dtype), (dtype, DType::Float64)]) {
            let Ok(kernel) = Kernel::new(native(from), to, None, None, Cast::default()) else {
                continue;
            };
            let (size, item) = (from.size() as i64, to.size() as i64);
            for (shape, order) in [
                ([300, 270, 2], [2, 1, 0]),
                ([9, 600, 3], [1, 0, 2]),
                ([5, 3, 40], [2, 1, 0]),
                ([20, 8, 8], [1, 2, 0]),
            ] {
                let n: i64 = shape.iter().product();
                let bytes: Vec<u8> = (0..n * size).map(|i| (i * 7 % 253) as u8).collect();
                let (mut near, mut apart) = (size, item + 1);
                let mut dims = [0, 1, 2].map(|i| {
                    near *= shape[i];
                    let (n, from) = (shape[i], near / shape[i]);
                    Dim { n, from, to: 0 }
                });
                for i in order {
                    dims[i].to = apart;
                    apart *= shape[i];
                }
                let mut memory = buffer(apart as usize);
                let lengths = dims.map(|dim| dim.n);
                let strides = dims.map(|dim| dim.to);
                let lent = Buffer::from(&mut memory[..]);
                let target = Target::new(lent, 0, &lengths, &strides, item as usize).unwrap();
                assert!(target.store(&kernel, &bytes, &dims, 0).is_ok());
                // SAFETY: the buffer was made of written bytes.
                let found: Vec<u8> = memory
                    .iter()
                    .map(|byte| unsafe { byte.assume_init() })
                    .collect();
                let mut one = vec![0u8; item as usize];
                for i in 0..n {
                    let place = [
                        i % shape[0],
                        i / shape[0] % shape[1],
                        i / shape[0] / shape[1],
                    ];
                    let at = (0..3).map(|k| place[k] * dims[k].to).sum::<i64>() as usize;
                    // SAFETY: one element on both sides.
                    unsafe {
                        let from = bytes.as_ptr().add((i * size) as usize);
                        kernel.run(from, 0, one.as_mut_ptr(), 0, 1).unwrap();
                    }
                    assert_eq!(
                        found[at..at + item as usize],
                        one,
                        "{from} {to} {shape:?} {i}"
                    );
                    assert_eq!(found[at + item as usize], 0xEE, "between");
                }
            }
        }
    }

    #[test]
    fn parts_lie_inside_and_apart() {
        let mut memory = buffer(24);
        let mut kind = |parts: &[(usize, usize)]| {
            let parts = Buffer::from(&mut memory[..]).parts(parts);
            parts.err().map(|error| error.kind())
        };
        assert_eq!(kind(&[(20, 4), (0, 10), (10, 10), (99, 0)]), None);
        assert_eq!(kind(&[(20, 5)]), Some(ErrorKind::Buffer));
        assert_eq!(kind(&[(usize::MAX, 2)]), Some(ErrorKind::Buffer));
        assert_eq!(kind(&[(5, 4), (0, 6)]), Some(ErrorKind::Argument));
        assert_eq!(kind(&[(5, 4), (5, 4)]), Some(ErrorKind::Argument));
    }

    #[test]
    fn plans_that_lead_outside_are_refused() {
        let native = (DType::UInt8, ByteOrder::NATIVE);
        let kernel = Kernel::new(native, DType::UInt8, None, None, Cast::default()).unwrap();
        let mut memory = buffer(8);
        let target = Target::new(Buffer::from(&mut memory[..]), 2, &[4], &[1], 1).unwrap();
        let dim = |n, from, to| Dim { n, from, to };
        let bytes = [1, 2, 3, 4];
        for (dims, to) in [
            (vec![dim(5, 1, 1)], 0),
            (vec![dim(4, 2, 1)], 0),
            (vec![dim(4, 1, 2)], 0),
            (vec![dim(4, 1, -1)], 0),
            (vec![dim(2, 1, 1), dim(3, 1, 1)], 3),
            (vec![dim(0, 1, 1)], 0),
            (vec![dim(2, -1, 1)], 0),
            (vec![dim(1, 1, 1)], i64::MAX),
        ] {
            assert!(matches!(
                target.store(&kernel, &bytes, &dims, to),
                Err(Fault::Outside)
            ));
        }
        for (to, len) in [(5, 2), (-3, 1)] {
            assert!(target.write_with(&kernel, to, len, |_| Ok(0)).is_none());
        }
        assert!(target.store(&kernel, &bytes, &[dim(4, 1, -1)], 3).is_ok());
        assert_eq!(target.written(), 4);
        // SAFETY: the buffer was made of written bytes.
        let found: Vec<u8> = memory
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect();
        assert_eq!(found, [0xEE, 0xEE, 4, 3, 2, 1, 0xEE, 0xEE]);
    }
}
