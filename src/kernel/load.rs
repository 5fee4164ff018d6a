//! From stored elements into the work row, and plain copies.

use super::cpu::{Cpu, compiled, variant};
use super::half;
use super::wide::Wide;
use super::{Load, Row, Work};
use crate::core::dtype::{ByteOrder, DType};

/// A number as it is stored.
pub(super) trait Stored: Copy {
    /// Bytes that it takes where it is stored.
    const SIZE: usize;

    /// # Safety
    /// The bytes of one number at `from` can be read.
    unsafe fn read<const SWAP: bool>(from: *const u8) -> Self;
}

/// Exact but for large integers and 16-byte floats, which round to nearest.
pub(super) trait Widen<W> {
    fn widen(self) -> W;
}

/// A stored truth value.
#[derive(Clone, Copy)]
struct Truth(u8);
/// A stored binary16.
#[derive(Clone, Copy)]
struct Half(u16);

macro_rules! stored {
    ($($stored:ty, $bits:ty, $make:expr;)*) => {$(
        impl Stored for $stored {
            const SIZE: usize = size_of::<$bits>();

            #[inline(always)]
            unsafe fn read<const SWAP: bool>(from: *const u8) -> Self {
                // SAFETY: the caller's promise; no alignment is assumed.
                let bits = unsafe { from.cast::<$bits>().read_unaligned() };
                $make(if SWAP { bits.swap_bytes() } else { bits })
            }
        }
    )*};
}
stored! {
    u8, u8, |x| x; u16, u16, |x| x; u32, u32, |x| x; u64, u64, |x| x;
    i8, i8, |x| x; i16, i16, |x| x; i32, i32, |x| x; i64, i64, |x| x;
    f32, u32, f32::from_bits; f64, u64, f64::from_bits;
    Half, u16, Half; Truth, u8, Truth; Wide, u128, Wide::from_native;
}

/// A colour, which has no byte order.
impl Stored for [u8; 3] {
    const SIZE: usize = 3;

    #[inline(always)]
    unsafe fn read<const SWAP: bool>(from: *const u8) -> Self {
        // SAFETY: the caller's promise; bytes have no alignment.
        unsafe { from.cast::<[u8; 3]>().read() }
    }
}

impl<S: Stored> Stored for [S; 2] {
    const SIZE: usize = 2 * S::SIZE;

    #[inline(always)]
    unsafe fn read<const SWAP: bool>(from: *const u8) -> Self {
        // SAFETY: the caller's promise covers both parts.
        unsafe { [S::read::<SWAP>(from), S::read::<SWAP>(from.add(S::SIZE))] }
    }
}

macro_rules! widen {
    ($($stored:ty => $($work:ty),*;)*) => {$($(
        impl Widen<$work> for $stored {
            #[inline(always)]
            fn widen(self) -> $work {
                self as $work
            }
        }
    )*)*};
}
widen! {
    u8 => u64, f32, f64; u16 => u64, f32, f64; u32 => u64, f64; u64 => u64, f64;
    i8 => i64, f32, f64; i16 => i64, f32, f64; i32 => i64, f64; i64 => i64, f64;
    f32 => f32, f64; f64 => f64;
}
impl<W> Widen<W> for Truth
where
    u8: Widen<W>,
{
    #[inline(always)]
    fn widen(self) -> W {
        u8::from(self.0 != 0).widen()
    }
}
impl<W> Widen<W> for Half
where
    f32: Widen<W>,
{
    #[inline(always)]
    fn widen(self) -> W {
        half::to_f32(self.0).widen()
    }
}
impl Widen<f64> for Wide {
    fn widen(self) -> f64 {
        self.nearest()
    }
}
impl<S: Widen<W>, W> Widen<[W; 2]> for [S; 2] {
    #[inline(always)]
    fn widen(self) -> [W; 2] {
        self.map(S::widen)
    }
}

/// # Safety
/// As [`Load`]: `n` elements of `S`, `step` bytes apart, can be read at
/// `from`, and the row has room for `n` values of `W`. As [`compiled`].
unsafe fn row<S: Stored + Widen<W>, W, const SWAP: bool, const AVX2: bool>(
    from: *const u8,
    step: isize,
    n: usize,
    row: *mut Row,
) {
    let row = row.cast::<W>();
    // SAFETY: the caller's promise, element by element.
    unsafe {
        if step != S::SIZE as isize {
            return row_apart::<S, W, SWAP>(from, step, n, row);
        }
        compiled::<AVX2, _>(move || {
            for i in 0..n {
                row.add(i)
                    .write(S::read::<SWAP>(from.add(i * S::SIZE)).widen());
            }
        });
    }
}

/// Never inlined: the compiler would make one loop of this and the packed one,
/// which it could not vectorise.
///
/// # Safety
/// As [`row`].
#[inline(never)]
unsafe fn row_apart<S: Stored + Widen<W>, W, const SWAP: bool>(
    from: *const u8,
    step: isize,
    n: usize,
    row: *mut W,
) {
    for i in 0..n {
        // SAFETY: the caller's promise for element `i`.
        unsafe {
            let element = S::read::<SWAP>(from.offset(i as isize * step));
            row.add(i).write(element.widen());
        }
    }
}

/// The loader of a stored type into a work type that
/// [`Work::of_unscaled`] or [`Work::of_scaled`] gives for it.
pub(super) fn choose(from: DType, order: ByteOrder, work: Work, cpu: Cpu) -> Load {
    let swap = order != ByteOrder::NATIVE;
    macro_rules! pick {
        ($stored:ty, $work:ty) => {
            variant!(row::<$stored, $work>, swap, cpu)
        };
    }
    match (from, work) {
        (DType::Bool, Work::U64) => pick!(Truth, u64),
        (DType::Bool, Work::F32) => pick!(Truth, f32),
        (DType::Bool, _) => pick!(Truth, f64),
        (DType::UInt8, Work::U64) => pick!(u8, u64),
        (DType::UInt8, Work::F32) => pick!(u8, f32),
        (DType::UInt8, _) => pick!(u8, f64),
        (DType::UInt16, Work::U64) => pick!(u16, u64),
        (DType::UInt16, Work::F32) => pick!(u16, f32),
        (DType::UInt16, _) => pick!(u16, f64),
        (DType::UInt32, Work::U64) => pick!(u32, u64),
        (DType::UInt32, _) => pick!(u32, f64),
        (DType::UInt64, Work::U64) => pick!(u64, u64),
        (DType::UInt64, _) => pick!(u64, f64),
        (DType::Int8, Work::I64) => pick!(i8, i64),
        (DType::Int8, Work::F32) => pick!(i8, f32),
        (DType::Int8, _) => pick!(i8, f64),
        (DType::Int16, Work::I64) => pick!(i16, i64),
        (DType::Int16, Work::F32) => pick!(i16, f32),
        (DType::Int16, _) => pick!(i16, f64),
        (DType::Int32, Work::I64) => pick!(i32, i64),
        (DType::Int32, _) => pick!(i32, f64),
        (DType::Int64, Work::I64) => pick!(i64, i64),
        (DType::Int64, _) => pick!(i64, f64),
        (DType::Float16, Work::F32) => pick!(Half, f32),
        (DType::Float16, _) => pick!(Half, f64),
        (DType::Float32, Work::F32) => pick!(f32, f32),
        (DType::Float32, _) => pick!(f32, f64),
        (DType::Float64, _) => pick!(f64, f64),
        (DType::Float128, _) => pick!(Wide, f64),
        (DType::Complex64, Work::C64) => pick!([f32; 2], [f32; 2]),
        (DType::Complex64, _) => pick!([f32; 2], [f64; 2]),
        (DType::Complex128, _) => pick!([f64; 2], [f64; 2]),
        (DType::Complex256, _) => pick!([Wide; 2], [f64; 2]),
        (DType::Rgb24 | DType::Rgba32, _) => unreachable!("colours are only copied"),
    }
}

/// Copy `n` elements, as [`super::Kernel::run`].
pub(super) type Copying =
    unsafe fn(from: *const u8, from_step: isize, to: *mut u8, to_step: isize, n: usize);

/// # Safety
/// As [`super::Kernel::run`], with elements of type `T` on both sides. As
/// [`compiled`].
unsafe fn each<T: Stored, const SWAP: bool, const AVX2: bool>(
    from: *const u8,
    from_step: isize,
    to: *mut u8,
    to_step: isize,
    n: usize,
) {
    // SAFETY: the caller's promise, element by element.
    unsafe {
        if [from_step, to_step] != [T::SIZE as isize; 2] {
            return each_apart::<T, SWAP>(from, from_step, to, to_step, n);
        }
        compiled::<AVX2, _>(move || {
            for i in 0..n {
                let element = T::read::<SWAP>(from.add(i * T::SIZE));
                to.add(i * T::SIZE).cast::<T>().write_unaligned(element);
            }
        });
    }
}

/// As [`row_apart`].
///
/// # Safety
/// As [`each`].
#[inline(never)]
unsafe fn each_apart<T: Stored, const SWAP: bool>(
    from: *const u8,
    from_step: isize,
    to: *mut u8,
    to_step: isize,
    n: usize,
) {
    for i in 0..n as isize {
        // SAFETY: the caller's promise for element `i`.
        unsafe {
            let element = T::read::<SWAP>(from.offset(i * from_step));
            to.offset(i * to_step).cast::<T>().write_unaligned(element);
        }
    }
}

/// The copy of elements of `size` bytes. With `swap`, each run of `unit` bytes
/// in them is reversed, which is `size` or, for complex numbers, half of it.
pub(super) fn choose_copy(size: usize, unit: usize, swap: bool, cpu: Cpu) -> Copying {
    macro_rules! pick {
        ($type:ty) => {
            variant!(each::<$type>, swap, cpu)
        };
    }
    match (size, unit) {
        (1, _) => pick!(u8),
        (2, _) => pick!(u16),
        (3, _) => pick!([u8; 3]),
        (4, _) => pick!(u32),
        (8, 4) => pick!([u32; 2]),
        (8, _) => pick!(u64),
        (16, 8) => pick!([u64; 2]),
        (16, _) => pick!(Bytes16),
        _ => pick!([Bytes16; 2]),
    }
}

/// Reverse the bytes of each of `n` numbers where they stand.
pub(super) type Swapping = unsafe fn(at: *mut u8, n: usize);

/// # Safety
/// `n` packed numbers of type `T` can be read and written at `at`. As [`compiled`].
unsafe fn swap<T: Stored, const SWAP: bool, const AVX2: bool>(at: *mut u8, n: usize) {
    // SAFETY: the caller's promise, element by element.
    unsafe {
        compiled::<AVX2, _>(move || {
            for i in 0..n {
                let at = at.add(i * T::SIZE);
                let number = T::read::<SWAP>(at);
                at.cast::<T>().write_unaligned(number);
            }
        });
    }
}

pub(super) fn choose_swap(unit: usize, cpu: Cpu) -> Swapping {
    match unit {
        2 => variant!(swap::<u16>, true, cpu),
        4 => variant!(swap::<u32>, true, cpu),
        8 => variant!(swap::<u64>, true, cpu),
        _ => variant!(swap::<Bytes16>, true, cpu),
    }
}

/// Sixteen bytes that are not looked at.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Bytes16(u128);
stored! { Bytes16, u128, Bytes16; }
