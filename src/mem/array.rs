//! Arrays in memory: of the library's, of a file's map, or borrowed.

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::element::{Element, check_filled};
use super::memory::Memory;
use super::target::{Buffer, Fault, Target};
use crate::control::{Control, check};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::plan::Dim;
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::{Cast, Kernel};

/// Elements in memory, by strides. Clones share them.
#[derive(Clone)]
pub struct Array {
    /// Keeps the memory there.
    keeper: Arc<dyn Any + Send + Sync>,
    /// Element (0,...,0); anything if there are no elements.
    first: *mut u8,
    dtype: DType,
    shape: Vec<i64>,
    strides: Vec<i64>,
    access: Access,
}

/// How the memory of an array may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// It must not be written.
    pub readonly: bool,
    /// The elements are in a mapped file: if another program shortens it,
    /// touching them ends the process.
    pub mapped: bool,
}

impl Access {
    const OWN: Access = Access {
        readonly: false,
        mapped: false,
    };
}

// SAFETY: the memory stays while the keeper lives, whatever thread has it; who
// writes answers for what others read meanwhile.
unsafe impl Send for Array {}
// SAFETY: as above.
unsafe impl Sync for Array {}

/// Bytes converted between looks at whether to stop.
const STEP: i64 = 16 << 20;

impl Array {
    /// Packed elements in new memory that `fill` writes to; it returns how many
    /// bytes it wrote.
    pub(crate) fn new(
        dtype: DType,
        shape: &[i64],
        order: Order,
        nbytes: usize,
        fill: impl FnOnce(Buffer<'_>) -> Result<u64>,
    ) -> Result<Array> {
        let memory = Memory::new(nbytes)?;
        // SAFETY: the memory has so many bytes, and is no one else's yet.
        let buffer = unsafe { Buffer::from_raw(memory.base(), nbytes) };
        check_filled(nbytes, fill(buffer)?)?;
        Ok(Array::packed(memory, dtype, shape, order))
    }

    /// New packed elements, all 0.
    pub fn zeros(dtype: DType, shape: &[i64], order: Order) -> Result<Array> {
        check_shape(shape)?;
        let memory = Memory::zeroed(checked_nbytes(dtype, shape)?)?;
        Ok(Array::packed(memory, dtype, shape, order))
    }

    fn packed(memory: Memory, dtype: DType, shape: &[i64], order: Order) -> Array {
        Array {
            first: memory.base(),
            keeper: Arc::new(memory),
            dtype,
            shape: shape.to_vec(),
            strides: shape::packed_strides(shape, dtype.size(), order),
            access: Access::OWN,
        }
    }

    /// Elements in memory that a value keeps, which `keeper` makes if nothing is
    /// wrong, by strides in bytes, which may be 0, negative, or of any size. An
    /// array without elements has strides of 0.
    ///
    /// # Safety
    /// As long as the keeper lives, each element can be read at its place from
    /// `first` on, and written unless `access` says that it must not.
    pub unsafe fn from_raw<K: Send + Sync + 'static>(
        keeper: impl FnOnce() -> K,
        first: *mut u8,
        dtype: DType,
        shape: &[i64],
        strides: &[i64],
        access: Access,
    ) -> Result<Array> {
        check_shape(shape)?;
        if strides.len() != shape.len() {
            let text = format!("{} strides for {} axes", strides.len(), shape.len());
            return Err(Error::new(ErrorKind::Argument, text));
        }
        let strides = match shape.contains(&0) {
            true => vec![0; shape.len()],
            false => strides.to_vec(),
        };
        let (low, high) = span(shape, &strides, dtype.size());
        let first_at = first as usize as i128;
        let inside = |at: i128| (0..=isize::MAX as i128).contains(&at);
        let fits = high - low <= isize::MAX as i128;
        let is_there = fits && inside(first_at + low) && inside(first_at + high);
        if !shape.contains(&0) && !is_there {
            let text = format!(
                "elements by strides {} of shape {} pass the address space",
                shape::text(&strides),
                shape::text(shape)
            );
            return Err(Error::new(ErrorKind::Argument, text));
        }
        checked_nbytes(dtype, shape)?;
        Ok(Array {
            keeper: Arc::new(keeper()),
            first,
            dtype,
            shape: shape.to_vec(),
            strides,
            access,
        })
    }

    /// Elements among bytes, the first at byte `first`. `None` if some lie
    /// outside. They must not be written.
    pub(crate) fn among(
        bytes: Arc<dyn Deref<Target = [u8]> + Send + Sync>,
        first: usize,
        dtype: DType,
        (shape, strides): (&[i64], &[i64]),
        mapped: bool,
    ) -> Option<Array> {
        let base = inside(bytes.len(), first, (shape, strides), dtype)
            .then(|| bytes.as_ptr().wrapping_add(first).cast_mut())?;
        let access = Access {
            readonly: true,
            mapped,
        };
        // SAFETY: the elements are among the bytes, which the value keeps where
        // they are; that they are not written is the access's promise.
        unsafe { Array::from_raw(|| bytes, base, dtype, shape, strides, access) }.ok()
    }

    /// Elements among bytes of a mapped file that are the array's own, to be
    /// written too.
    pub(crate) fn among_own(
        mut bytes: Box<dyn DerefMut<Target = [u8]> + Send + Sync>,
        first: usize,
        dtype: DType,
        (shape, strides): (&[i64], &[i64]),
    ) -> Option<Array> {
        let base = inside(bytes.len(), first, (shape, strides), dtype)
            .then(|| bytes.as_mut_ptr().wrapping_add(first))?;
        let access = Access {
            readonly: false,
            mapped: true,
        };
        // SAFETY: as above; no one else has the bytes.
        unsafe { Array::from_raw(|| bytes, base, dtype, shape, strides, access) }.ok()
    }

    /// Type of the elements.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Shape.
    pub fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// Bytes from one element to the next along each axis; 0 if there are no
    /// elements.
    pub fn strides(&self) -> &[i64] {
        &self.strides
    }

    /// How the memory may be used.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Address of element (0,...,0), or anything if there are no elements. The
    /// memory stays as long as the array or a clone of it. Whoever writes
    /// answers for it that no one else reads meanwhile.
    pub fn as_ptr(&self) -> *mut u8 {
        self.first
    }

    /// All elements in the order of memory. `None` if they are of another type,
    /// not packed, not aligned, or in memory that others may write to: what the
    /// library made alone is sure to hold what the type allows.
    pub fn elements<T: Element>(&self) -> Option<&[T]> {
        let n = shape::count(&self.shape).unwrap_or(0) as usize;
        let is_ours = self.keeper.is::<Memory>();
        // SAFETY: the memory holds the packed elements, all of them written
        // with values that are valid as `Element` promises.
        (T::DTYPE == self.dtype && is_ours)
            .then(|| unsafe { std::slice::from_raw_parts(self.first.cast(), n) })
    }

    /// A packed copy in another type and order.
    pub(crate) fn cast(
        &self,
        dtype: DType,
        order: Order,
        cast: Cast,
        control: Option<&Control>,
    ) -> Result<Array> {
        let stored = (self.dtype, ByteOrder::NATIVE);
        let kernel = Kernel::new(stored, dtype, None, Some(dtype), cast)?;
        let nbytes = checked_nbytes(dtype, &self.shape)?;
        let result = |buffer: Buffer<'_>| {
            let strides = shape::packed_strides(&self.shape, dtype.size(), order);
            let target = Target::new(buffer, 0, &self.shape, &strides, dtype.size())?;
            if nbytes > 0 {
                self.convert(&kernel, &target, &strides, control)?;
            }
            Ok(target.written())
        };
        Array::new(dtype, &self.shape, order, nbytes, result)
    }

    /// Convert all elements, of which there are some, step by step along the
    /// axis that is slowest in the result.
    fn convert(
        &self,
        kernel: &Kernel,
        target: &Target<'_>,
        strides: &[i64],
        control: Option<&Control>,
    ) -> Result<()> {
        if let Some(control) = control {
            let all = shape::nbytes(&self.shape, kernel.result_size()).unwrap_or(0);
            control.begin(all as u64);
        }
        check(control)?;
        let (low, high) = span(&self.shape, &self.strides, self.dtype.size());
        // SAFETY: `from_raw` made sure that all elements lie there, and its
        // caller that they can be read.
        let bytes = unsafe {
            let lowest = self.first.offset(low as isize);
            std::slice::from_raw_parts(lowest, (high - low) as usize)
        };
        let mut to = 0;
        let axes = self.shape.iter().zip(&self.strides).zip(strides);
        let mut dims: Vec<Dim> = axes
            .filter(|((n, _), _)| **n > 1)
            .map(|((&n, &from), &step)| {
                // Kernels go up in the source.
                to += if from < 0 { (n - 1) * step } else { 0 };
                let (from, to) = if from < 0 {
                    (-from, -step)
                } else {
                    (from, step)
                };
                Dim { n, from, to }
            })
            .collect();
        dims.sort_by_key(|dim| dim.to.unsigned_abs());
        let slowest = dims.pop().unwrap_or(Dim {
            n: 1,
            from: 0,
            to: 0,
        });
        let inner: i64 = dims.iter().map(|dim| dim.n).product();
        dims.sort_by_key(|dim| dim.from);
        let each = (STEP / (inner * self.dtype.size() as i64)).clamp(1, slowest.n);
        let mut done = 0;
        while done < slowest.n {
            let n = each.min(slowest.n - done);
            let part = [&dims[..], &[Dim { n, ..slowest }]].concat();
            let from = (done * slowest.from) as usize;
            let stored = target.store(kernel, &bytes[from..], &part, to + done * slowest.to);
            stored.map_err(|fault| self.fault(fault))?;
            if let Some(control) = control {
                control.step((n * inner) as u64 * kernel.result_size() as u64)?;
            }
            done += n;
        }
        Ok(())
    }

    fn fault(&self, fault: Fault) -> Error {
        match fault {
            Fault::Outside => Error::new(ErrorKind::Internal, "a copy leads outside its result"),
            Fault::Unfit(_) => {
                let text = format!("a value of type {} does not fit", self.dtype);
                Error::new(ErrorKind::Range, text)
            }
        }
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("dtype", &self.dtype)
            .field("shape", &self.shape)
            .field("strides", &self.strides)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

fn check_shape(shape: &[i64]) -> Result<()> {
    let wrong = |text: String| Err(Error::new(ErrorKind::Argument, text));
    if shape.len() > shape::MAX_NDIM {
        return wrong(format!(
            "{} axes, at most {} are possible",
            shape.len(),
            shape::MAX_NDIM
        ));
    }
    match shape.iter().position(|&n| n < 0) {
        Some(axis) => wrong(format!("axis {axis} has length {}", shape[axis])),
        None => Ok(()),
    }
}

fn checked_nbytes(dtype: DType, shape: &[i64]) -> Result<usize> {
    let nbytes = shape::nbytes(shape, dtype.size()).and_then(|n| isize::try_from(n).ok());
    nbytes.map(|n| n as usize).ok_or_else(|| {
        let text = format!(
            "an array of shape {} and type {dtype} passes the address space",
            shape::text(shape)
        );
        Error::new(ErrorKind::Memory, text)
    })
}

/// Bytes from the first element to the lowest one, and to the end of the highest.
fn span(shape: &[i64], strides: &[i64], item: usize) -> (i128, i128) {
    let (mut low, mut high) = (0, item as i128);
    if shape.contains(&0) {
        return (0, 0);
    }
    for (&n, &stride) in shape.iter().zip(strides) {
        let reach = (n - 1) as i128 * stride as i128;
        low += reach.min(0);
        high += reach.max(0);
    }
    (low, high)
}

/// Whether elements lie among `len` bytes, the first at byte `first`.
fn inside(len: usize, first: usize, (shape, strides): (&[i64], &[i64]), dtype: DType) -> bool {
    let (low, high) = span(shape, strides, dtype.size());
    first as i128 + low >= 0 && first as i128 + high <= len as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_lie_among_their_bytes() {
        let bytes: Arc<dyn Deref<Target = [u8]> + Send + Sync> = Arc::new(vec![0u8; 24]);
        let among = |first, shape: &[i64], strides: &[i64]| {
            Array::among(bytes.clone(), first, DType::Int32, (shape, strides), false)
        };
        assert!(among(0, &[2, 3], &[4, 8]).is_some());
        assert!(among(4, &[2, 3], &[4, 8]).is_none());
        assert!(among(20, &[6], &[-4]).is_some());
        assert!(among(16, &[6], &[-4]).is_none());
        assert!(among(20, &[100], &[0]).is_some());
        assert!(among(99, &[0, 7], &[i64::MAX, 1]).is_none());
        assert_eq!(among(9, &[0, 7], &[i64::MAX, 1]).unwrap().strides(), [0; 2]);
        let view = among(0, &[6], &[4]).unwrap();
        assert!(view.access().readonly && !view.access().mapped);
        assert!(view.elements::<i32>().is_none(), "others may write");
    }

    #[test]
    fn copies_go_by_any_strides() {
        let bytes: Vec<u8> = (0..60).collect();
        let bytes: Arc<dyn Deref<Target = [u8]> + Send + Sync> = Arc::new(bytes);
        let cast = |first, shape: &[i64], strides: &[i64], order| {
            let array = Array::among(bytes.clone(), first, DType::UInt8, (shape, strides), false);
            let copy = array
                .unwrap()
                .cast(DType::Int16, order, Cast::default(), None);
            copy.unwrap().elements::<i16>().unwrap().to_vec()
        };
        assert_eq!(
            cast(50, &[2, 3], &[-1, -10], Order::F),
            [50, 49, 40, 39, 30, 29]
        );
        assert_eq!(
            cast(50, &[2, 3], &[-1, -10], Order::C),
            [50, 40, 30, 49, 39, 29]
        );
        assert_eq!(cast(7, &[2, 2], &[0, 3], Order::F), [7, 7, 10, 10]);
        assert_eq!(cast(7, &[], &[], Order::F), [7]);
        assert_eq!(cast(7, &[1, 0], &[1, 1], Order::F), []);
        assert_eq!(cast(9, &[1, 4, 1], &[99, -3, 7], Order::C), [9, 6, 3, 0]);
    }

    #[test]
    fn new_arrays_hold_zeros() {
        let array = Array::zeros(DType::Float64, &[3, 2], Order::C).unwrap();
        assert_eq!(array.elements::<f64>().unwrap(), [0.0; 6]);
        assert_eq!(array.strides(), [16, 8]);
        let kind = |shape: &[i64]| {
            let array = Array::zeros(DType::Float64, shape, Order::F);
            array.err().map(|error| error.kind())
        };
        assert_eq!(kind(&[i64::MAX, 0]), None);
        assert_eq!(kind(&[-1]), Some(ErrorKind::Argument));
        assert_eq!(kind(&[1; 65]), Some(ErrorKind::Argument));
        assert_eq!(kind(&[1 << 60, 16]), Some(ErrorKind::Memory));
        assert_eq!(kind(&[isize::MAX as i64 / 8]), Some(ErrorKind::Memory));
    }
}
