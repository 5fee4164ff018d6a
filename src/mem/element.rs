//! Rust types of elements, and results in memory of ours.

use super::memory::want_huge_pages;
use super::target::Buffer;
use crate::core::dtype::DType;
use crate::error::{Error, ErrorKind, Result};

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that elements can be read as. Complex numbers are pairs, real
/// part first; colours are arrays of bytes.
///
/// # Safety
/// The type has the size of [`Element::DTYPE`] and no padding, and whatever
/// the kernels store for it is a valid value: any bits for numbers, 0 or 1
/// for `bool`.
pub unsafe trait Element: Copy + Send + sealed::Sealed + 'static {
    /// The element type.
    const DTYPE: DType;
}

macro_rules! elements {
    ($($rust:ty => $dtype:ident),* $(,)?) => {$(
        impl sealed::Sealed for $rust {}
        // SAFETY: the size is asserted, numbers take any bits, and kernels
        // store only 0 and 1 for `bool`.
        unsafe impl Element for $rust {
            const DTYPE: DType = DType::$dtype;
        }
        const _: () = assert!(size_of::<$rust>() == (DType::$dtype as u16 & 255) as usize);
    )*};
}
elements! {
    bool => Bool, i8 => Int8, i16 => Int16, i32 => Int32, i64 => Int64,
    u8 => UInt8, u16 => UInt16, u32 => UInt32, u64 => UInt64,
    f32 => Float32, f64 => Float64, [f32; 2] => Complex64, [f64; 2] => Complex128,
    [u8; 3] => Rgb24, [u8; 4] => Rgba32,
}

/// `n` elements in new memory that `fill` writes to; it returns how many bytes
/// it wrote.
pub(crate) fn collect<T: Element>(
    n: usize,
    fill: impl FnOnce(Buffer<'_>) -> Result<u64>,
) -> Result<Vec<T>> {
    let mut elements = Vec::<T>::new();
    elements.try_reserve_exact(n).map_err(|_| {
        let text = format!("there is no memory for {n} elements of type {}", T::DTYPE);
        Error::new(ErrorKind::Memory, text)
    })?;
    let nbytes = n * size_of::<T>();
    want_huge_pages(elements.as_mut_ptr().cast(), nbytes);
    // SAFETY: the capacity is at least `n`, and its memory is the vector's
    // alone.
    let buffer = unsafe { Buffer::from_raw(elements.as_mut_ptr().cast(), nbytes) };
    check_filled(nbytes, fill(buffer)?)?;
    // SAFETY: the target counts bytes as they are written, and a plan gives no
    // byte twice (its tests compare each element with a model), so all `n`
    // elements are written, with values that are valid as `Element` promises.
    unsafe { elements.set_len(n) };
    Ok(elements)
}

/// Whether as many bytes were written as there are.
pub(super) fn check_filled(nbytes: usize, written: u64) -> Result<()> {
    if written != nbytes as u64 {
        let text = format!("{written} of {nbytes} bytes were written");
        return Err(Error::new(ErrorKind::Internal, text));
    }
    Ok(())
}
