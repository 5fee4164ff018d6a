//! Packed numbers to packed floats in one pass, without the work row.
//!
//! The results are those of the row, bit for bit. Integers go by way of
//! float64 here where they stay integers there: up to 32 bits that is exact.

use super::cpu::{Cpu, compiled, variant};
use super::load::{Stored, Widen};
use super::store::Become;
use super::{Real, Scale, Work};
use crate::core::dtype::{ByteOrder, DType};

/// Convert `n` elements without a check that they fit.
///
/// # Safety
/// `n` packed elements can be read at `from` and written at `to`, and the two
/// do not overlap.
pub(super) type Packed = unsafe fn(from: *const u8, to: *mut u8, n: usize, scale: Option<Scale>);

/// # Safety
/// As [`Packed`] and [`compiled`].
unsafe fn convert<S, W, D, const SWAP: bool, const AVX2: bool>(
    from: *const u8,
    to: *mut u8,
    n: usize,
    scale: Option<Scale>,
) where
    S: Stored + Widen<W>,
    W: Real + PartialOrd + Become<D>,
    f64: Become<W>,
{
    // SAFETY: the caller's promise, passed on.
    unsafe {
        compiled::<AVX2, _>(move || match scale {
            Some(scale) if scale.is_plain() => each::<S, W, D, SWAP>(from, to, n, scale.real()),
            Some(scale) => each::<S, W, D, SWAP>(from, to, n, scale.full()),
            None => each::<S, W, D, SWAP>(from, to, n, |x| x),
        });
    }
}

/// # Safety
/// As [`Packed`].
#[inline(always)]
unsafe fn each<S: Stored + Widen<W>, W: Become<D>, D, const SWAP: bool>(
    from: *const u8,
    to: *mut u8,
    n: usize,
    scale: impl Fn(W) -> W,
) {
    for i in 0..n {
        // SAFETY: the caller's promise for element `i`; no alignment is
        // assumed.
        unsafe {
            let x = S::read::<SWAP>(from.add(i * S::SIZE)).widen();
            let to = to.add(i * size_of::<D>()).cast::<D>();
            to.write_unaligned(scale(x).become_::<false>());
        }
    }
}

/// The pass for these types, if there is one. `work` is the row's work type.
pub(super) fn choose(
    from: DType,
    order: ByteOrder,
    work: Work,
    to: DType,
    cpu: Cpu,
) -> Option<Packed> {
    let swap = order != ByteOrder::NATIVE;
    macro_rules! pick {
        ($stored:ty, $work:ty) => {
            match to {
                DType::Float32 => variant!(convert::<$stored, $work, f32>, swap, cpu),
                DType::Float64 => variant!(convert::<$stored, $work, f64>, swap, cpu),
                _ => return None,
            }
        };
    }
    Some(match (from, work) {
        (DType::UInt8, Work::F32) => pick!(u8, f32),
        (DType::UInt8, _) => pick!(u8, f64),
        (DType::UInt16, Work::F32) => pick!(u16, f32),
        (DType::UInt16, _) => pick!(u16, f64),
        (DType::UInt32, _) => pick!(u32, f64),
        (DType::Int8, Work::F32) => pick!(i8, f32),
        (DType::Int8, _) => pick!(i8, f64),
        (DType::Int16, Work::F32) => pick!(i16, f32),
        (DType::Int16, _) => pick!(i16, f64),
        (DType::Int32, _) => pick!(i32, f64),
        (DType::Float32, Work::F32) => pick!(f32, f32),
        (DType::Float32, _) => pick!(f32, f64),
        (DType::Float64, _) => pick!(f64, f64),
        _ => return None,
    })
}
