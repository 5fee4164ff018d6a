//! Arrays in memory.

use std::sync::Arc;

use super::element::{Element, check_filled};
use super::memory::Memory;
use super::target::Buffer;
use crate::core::dtype::{DType, Order};
use crate::core::shape;
use crate::error::Result;

/// Elements in memory of the library's, which begin at a multiple of 64 bytes.
/// Clones share them.
#[derive(Debug, Clone)]
pub struct Array {
    memory: Arc<Memory>,
    dtype: DType,
    shape: Vec<i64>,
    strides: Vec<i64>,
}

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
        Ok(Array {
            memory: Arc::new(memory),
            dtype,
            shape: shape.to_vec(),
            strides: shape::packed_strides(shape, dtype.size(), order),
        })
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

    /// Address of element (0,...,0), or anything if there are no elements. The
    /// memory stays as long as the array or a clone of it. Whoever writes
    /// answers for it that no one else reads meanwhile.
    pub fn as_ptr(&self) -> *mut u8 {
        self.memory.base()
    }

    /// All elements in the order of memory. `None` if they are of another type.
    pub fn elements<T: Element>(&self) -> Option<&[T]> {
        let n = shape::count(&self.shape).unwrap_or(0) as usize;
        // SAFETY: the memory holds the packed elements, all of them written
        // with values that are valid as `Element` promises.
        (T::DTYPE == self.dtype)
            .then(|| unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), n) })
    }
}
