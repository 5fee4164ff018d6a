//! The memory that a read writes to.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use crate::core::plan::Dim;
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::Kernel;

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
    written: u64,
}

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
        let (low, high) = bounds(origin, shape, strides, item);
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
            written: 0,
        })
    }

    /// Bytes of elements written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The `len` bytes from byte `to` after the origin on, to be written
    /// whole; say so with [`Target::wrote`].
    pub(crate) fn bytes(&mut self, to: i64, len: usize) -> Option<&mut [MaybeUninit<u8>]> {
        let start = self.place(to, len as i128)?;
        // SAFETY: `place` made sure that the bytes lie inside the buffer, where
        // they are this result's alone.
        Some(unsafe { std::slice::from_raw_parts_mut(self.buffer.base.add(start).cast(), len) })
    }

    /// Count bytes that were written through [`Target::bytes`].
    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// Convert the elements of `dims` from `bytes` to byte `to` after the
    /// origin.
    pub(crate) fn store(
        &mut self,
        kernel: &Kernel,
        bytes: &[u8],
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
        if from + kernel.stored_size() as i128 > bytes.len() as i128
            || self.place(lowest, span).is_none()
        {
            return Err(Fault::Outside);
        }
        let count: i64 = dims.iter().map(|dim| dim.n).product();
        // In range, for the lowest byte is: the origin is inside the buffer.
        let to = self
            .buffer
            .base
            .wrapping_add(self.origin)
            .wrapping_offset(to as isize);
        let turned;
        let dims = match longest_first(dims) {
            None => dims,
            Some(dims) => {
                turned = dims;
                &turned
            }
        };
        // SAFETY: as computed above, each element of the loops, in whatever
        // order, lies inside `bytes` and inside the buffer. The two cannot
        // overlap: the elements in the buffer are this result's alone.
        unsafe { run(kernel, dims, bytes.as_ptr(), to) }
            .map_err(|at| Fault::Unfit(at - bytes.as_ptr() as usize))?;
        self.written += count as u64 * kernel.result_size() as u64;
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

/// The loops with the longest innermost, where the innermost is short.
fn longest_first(dims: &[Dim]) -> Option<Vec<Dim>> {
    let [first, .., _] = dims else {
        return None;
    };
    let longest = (0..dims.len()).max_by_key(|&i| dims[i].n)?;
    if first.n >= SHORT || dims[longest].n < SHORT {
        return None;
    }
    let mut dims = dims.to_vec();
    dims[..=longest].rotate_right(1);
    Some(dims)
}

/// Run the kernel over nested loops. `Err` holds the address of the element
/// that does not fit.
///
/// # Safety
/// Each element of the loops can be read from `from` and written to `to`.
unsafe fn run(
    kernel: &Kernel,
    dims: &[Dim],
    from: *const u8,
    to: *mut u8,
) -> std::result::Result<(), usize> {
    // SAFETY: the caller's promise, passed on to each turn of the outer loop.
    unsafe {
        match dims {
            [] => kernel.run(from, 0, to, 0, 1).map_err(|_| from as usize),
            [dim] => kernel
                .run(from, dim.from as isize, to, dim.to as isize, dim.n as usize)
                .map_err(|i| from as usize + i * dim.from as usize),
            [inner @ .., dim] => (0..dim.n as isize).try_for_each(|i| {
                let from = from.offset(i * dim.from as isize);
                run(kernel, inner, from, to.offset(i * dim.to as isize))
            }),
        }
    }
}

/// Lowest byte and end of elements around `origin`. An array without elements
/// takes nothing.
fn bounds(origin: usize, shape: &[i64], strides: &[i64], item: usize) -> (i128, i128) {
    let (mut low, mut high) = (origin as i128, origin as i128 + item as i128);
    if shape.contains(&0) {
        return (low, 0);
    }
    for (&n, &stride) in shape.iter().zip(strides) {
        let reach = (n - 1) as i128 * stride as i128;
        low += reach.min(0);
        high += reach.max(0);
    }
    (low, high)
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

    #[test]
    fn plans_that_lead_outside_are_refused() {
        let native = (DType::UInt8, ByteOrder::NATIVE);
        let kernel = Kernel::new(native, DType::UInt8, None, None, Cast::default()).unwrap();
        let mut memory = buffer(8);
        let mut target = Target::new(Buffer::from(&mut memory[..]), 2, &[4], &[1], 1).unwrap();
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
        assert!(target.bytes(5, 2).is_none() && target.bytes(-3, 1).is_none());
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
