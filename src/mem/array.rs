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

/// Where elements lie in memory.
#[derive(Debug, Clone, Copy)]
pub enum Strides<'a> {
    /// One after the other.
    Packed(Order),
    /// By bytes from one to the next along each axis, which may be 0, negative,
    /// or of any size.
    Of(&'a [i64]),
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

/// Bytes of a copy between looks at whether to stop.
const STEP: i64 = 4 << 20;

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

    /// Packed elements of a vector, which the array keeps.
    pub fn from_vec<T: Element + Sync>(
        mut elements: Vec<T>,
        shape: &[i64],
        order: Order,
    ) -> Result<Array> {
        check_shape(shape)?;
        if shape::count(shape) != i64::try_from(elements.len()).ok() {
            let text = format!(
                "{} elements are no array of shape {}",
                elements.len(),
                shape::text(shape)
            );
            return Err(Error::new(ErrorKind::Argument, text));
        }
        Ok(Array {
            first: elements.as_mut_ptr().cast(),
            keeper: Arc::new(elements),
            dtype: T::DTYPE,
            shape: shape.to_vec(),
            strides: shape::packed_strides(shape, size_of::<T>(), order),
            access: Access::OWN,
        })
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
    /// wrong. An array without elements has strides of 0.
    ///
    /// # Safety
    /// As long as the keeper lives, each element can be read at its place from
    /// `first` on, and written unless `access` says that it must not.
    pub unsafe fn from_raw<K: Send + Sync + 'static>(
        keeper: impl FnOnce() -> K,
        first: *mut u8,
        dtype: DType,
        shape: &[i64],
        strides: Strides<'_>,
        access: Access,
    ) -> Result<Array> {
        check_shape(shape)?;
        let packed;
        let strides = match strides {
            Strides::Of(strides) => strides,
            Strides::Packed(order) => {
                packed = shape::packed_strides(shape, dtype.size(), order);
                &packed
            }
        };
        if strides.len() != shape.len() {
            let text = format!("{} strides for {} axes", strides.len(), shape.len());
            return Err(Error::new(ErrorKind::Argument, text));
        }
        let strides = match shape.contains(&0) {
            true => vec![0; shape.len()],
            false => strides.to_vec(),
        };
        let (low, high) = shape::span(shape, &strides, dtype.size());
        let first_at = first as usize as i128;
        let inside = |at: i128| (0..=usize::MAX as i128).contains(&at);
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
        // Asked once: the next time it may be other bytes.
        let slice: &[u8] = &bytes;
        let base = inside(slice.len(), first, (shape, strides), dtype)
            .then(|| slice.as_ptr().wrapping_add(first).cast_mut())?;
        let access = Access {
            readonly: true,
            mapped,
        };
        // SAFETY: the elements are among the bytes, which the value keeps where
        // they are; that they are not written is the access's promise.
        unsafe { Array::from_raw(|| bytes, base, dtype, shape, Strides::Of(strides), access) }.ok()
    }

    /// Elements among bytes of a mapped file that are the array's own, to be
    /// written too.
    pub(crate) fn among_own(
        mut bytes: Box<dyn DerefMut<Target = [u8]> + Send + Sync>,
        first: usize,
        dtype: DType,
        (shape, strides): (&[i64], &[i64]),
    ) -> Option<Array> {
        let slice: &mut [u8] = &mut bytes;
        let base = inside(slice.len(), first, (shape, strides), dtype)
            .then(|| slice.as_mut_ptr().wrapping_add(first))?;
        let access = Access {
            readonly: false,
            mapped: true,
        };
        // SAFETY: as above; no one else has the bytes.
        unsafe { Array::from_raw(|| bytes, base, dtype, shape, Strides::Of(strides), access) }.ok()
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

    /// All elements in the order of memory. `None` if they are of another type, or
    /// in memory that others made: what the library or a vector made alone is sure
    /// to be packed and to hold what the type allows.
    pub fn elements<T: Element>(&self) -> Option<&[T]> {
        let n = shape::count(&self.shape).unwrap_or(0) as usize;
        let is_ours = self.keeper.is::<Memory>() || self.keeper.is::<Vec<T>>();
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

    /// Convert all elements, of which there are some, part by part.
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
        let (low, high) = shape::span(&self.shape, &self.strides, self.dtype.size());
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
        let convert = |dims: &[Dim], from: usize, to: i64| {
            // SAFETY: `from_raw` made sure that all elements lie between the lowest
            // and the highest, and its caller that they can be read.
            let stored = unsafe {
                let lowest = self.first.wrapping_offset(low as isize).wrapping_add(from);
                let len = (high - low) as usize - from;
                target.store_from(kernel, (lowest, len), dims, to)
            };
            stored.map_err(|fault| self.fault(fault))?;
            let done: i64 = dims.iter().map(|dim| dim.n).product();
            match control {
                Some(control) => control.step(done as u64 * kernel.result_size() as u64),
                None => Ok(()),
            }
        };
        in_parts(&dims, STEP / kernel.result_size() as i64, 0, to, &convert)
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

/// Do something with loops over elements, at most so many at a time; the slowest
/// loop, which is the last, is halved until they are no more.
fn in_parts(
    dims: &[Dim],
    most: i64,
    from: usize,
    to: i64,
    work: &impl Fn(&[Dim], usize, i64) -> Result<()>,
) -> Result<()> {
    let all: i64 = dims.iter().map(|dim| dim.n).product();
    let [inner @ .., last] = dims else {
        return work(dims, from, to);
    };
    match last.n {
        _ if all <= most => work(dims, from, to),
        1 => in_parts(inner, most, from, to, work),
        n => {
            let half = |n| [inner, &[Dim { n, ..*last }]].concat();
            in_parts(&half(n / 2), most, from, to, work)?;
            let from = from + (n / 2 * last.from) as usize;
            in_parts(&half(n - n / 2), most, from, to + n / 2 * last.to, work)
        }
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

/// Whether elements lie among `len` bytes, the first at byte `first`.
fn inside(len: usize, first: usize, (shape, strides): (&[i64], &[i64]), dtype: DType) -> bool {
    let (low, high) = shape::span(shape, strides, dtype.size());
    first as i128 + low >= 0 && first as i128 + high <= len as i128
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    /// Gives fewer bytes each time.
    struct Liar(Vec<u8>, AtomicUsize);

    impl Deref for Liar {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            &self.0[..self.0.len() >> self.1.fetch_add(1, Relaxed)]
        }
    }

    #[test]
    fn bytes_are_asked_for_once() {
        let liar = Liar(vec![7; 1 << 20], AtomicUsize::new(0));
        let bytes = Arc::new(liar);
        let axes = (&[1 << 20][..], &[1][..]);
        let array = Array::among(bytes.clone(), 0, DType::UInt8, axes, false).unwrap();
        assert_eq!(array.as_ptr().cast_const(), bytes.0.as_ptr());
        assert_eq!(bytes.1.load(Relaxed), 1);
    }

    #[test]
    fn copies_are_made_in_parts() {
        let dims = [(7, 1, 20), (100, 7, 1), (3, 900, -200)];
        let dims = dims.map(|(n, from, to)| Dim { n, from, to });
        let all = std::cell::RefCell::new(Vec::new());
        let work = |dims: &[Dim], from: usize, to: i64| {
            let n: i64 = dims.iter().map(|dim| dim.n).product();
            assert!(n <= 16, "{dims:?}");
            for i in 0..n {
                let (mut rest, mut at) = (i, (from as i64, to));
                for dim in dims {
                    at.0 += rest % dim.n * dim.from;
                    at.1 += rest % dim.n * dim.to;
                    rest /= dim.n;
                }
                all.borrow_mut().push(at);
            }
            Ok(())
        };
        in_parts(&dims, 16, 0, 400, &work).unwrap();
        let mut found = all.into_inner();
        found.sort_unstable();
        let mut wanted = Vec::new();
        for i in 0..7 * 100 * 3 {
            let (x, y, z) = (i % 7, i / 7 % 100, i / 700);
            wanted.push((x + 7 * y + 900 * z, 400 + 20 * x + y - 200 * z));
        }
        wanted.sort_unstable();
        assert_eq!(found, wanted);
        in_parts(&dims, 0, 0, 0, &|dims, _, _| {
            assert!(dims.is_empty(), "at least one element");
            Ok(())
        })
        .unwrap();
    }

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
