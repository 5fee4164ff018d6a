//! From the work row into the result, cast once.

use super::cpu::{Cpu, compiled, variant};
use super::half;
use super::{Row, Store, Work};
use crate::core::dtype::DType;

/// A value of the result.
trait Cell: Copy {}

/// How a work value becomes a value of the result.
pub(super) trait Become<D>: Copy {
    fn become_<const ROUND: bool>(self) -> D;
    /// Whether it fits, in the sense of `AP_READ_CHECKED`.
    fn fits<const ROUND: bool>(self) -> bool;
}

/// A binary16 of the result.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Half(u16);
/// A truth value of the result: 0 or 1.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Truth {
    No = 0,
    Yes = 1,
}

impl From<bool> for Truth {
    #[inline(always)]
    fn from(x: bool) -> Truth {
        if x { Truth::Yes } else { Truth::No }
    }
}

macro_rules! cells {
    ($($cell:ty),*) => {$(impl Cell for $cell {})*};
}
cells!(
    i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Half, Truth, [f32; 2], [f64; 2]
);

macro_rules! integer_to_integer {
    ($($work:ty => $($cell:ty),*;)*) => {$($(
        impl Become<$cell> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> $cell {
                // The cell's limits as far as the work type has them.
                const LOW: $work = max(<$cell>::MIN as i128, <$work>::MIN as i128) as $work;
                const HIGH: $work = min(<$cell>::MAX as i128, <$work>::MAX as i128) as $work;
                self.clamp(LOW, HIGH) as $cell
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                <$cell>::try_from(self).is_ok()
            }
        }
    )*)*};
}
const fn max(a: i128, b: i128) -> i128 {
    if a > b { a } else { b }
}
const fn min(a: i128, b: i128) -> i128 {
    if a < b { a } else { b }
}
integer_to_integer! {
    i64 => i8, i16, i32, i64, u8, u16, u32, u64;
    u64 => i8, i16, i32, i64, u8, u16, u32, u64;
}

/// To integers that a float holds all of: by instructions that vectors have.
macro_rules! float_to_integer {
    ($($work:ident => $($cell:ident),*;)*) => {$($(
        impl Become<$cell> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> $cell {
                const LOW: $work = <$cell>::MIN as $work;
                const HIGH: $work = <$cell>::MAX as $work;
                // A float so large has no bits for fractions: adding it rounds
                // to the nearest, ties to even.
                const WHOLE: $work = 1.5 / $work::EPSILON;
                let x = if self < HIGH { self } else { HIGH };
                let x = if x > LOW { x } else { LOW };
                let x = if self.is_nan() { 0.0 } else { x };
                let x = if ROUND { (x + WHOLE) - WHOLE } else { x };
                // SAFETY: it is within the limits, which are whole numbers.
                unsafe { x.to_int_unchecked() }
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                const LOW: $work = <$cell>::MIN as $work;
                const HIGH: $work = <$cell>::MAX as $work;
                // The limits are even and odd: the upper half goes beyond.
                if ROUND {
                    (LOW - 0.5..HIGH + 0.5).contains(&self)
                } else {
                    LOW - 1.0 < self && self < HIGH + 1.0
                }
            }
        }
    )*)*};
}
float_to_integer! {
    f32 => i8, i16, u8, u16;
    f64 => i8, i16, i32, u8, u16, u32;
}

macro_rules! float_to_wide_integer {
    ($($work:ty => $($cell:ty),*;)*) => {$($(
        impl Become<$cell> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> $cell {
                // `as` cuts towards zero, keeps to the limits, makes NaN 0.
                if ROUND { self.round_ties_even() as $cell } else { self as $cell }
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                let whole = if ROUND { self.round_ties_even() } else { self.trunc() };
                // Both bounds are 0 or powers of two, so they are exact; the
                // upper is one more than the limit.
                const LOW: $work = <$cell>::MIN as $work;
                const BEYOND: $work = (<$cell>::MAX / 2 + 1) as $work * 2.0;
                (LOW..BEYOND).contains(&whole)
            }
        }
    )*)*};
}
float_to_wide_integer! {
    f32 => i64, u64;
    f64 => i64, u64;
}

/// Through float64, which holds all of both.
macro_rules! through_float64 {
    ($($cell:ty),*) => {$(
        impl Become<$cell> for f32 {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> $cell {
                f64::from(self).become_::<ROUND>()
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                <f64 as Become<$cell>>::fits::<ROUND>(f64::from(self))
            }
        }
    )*};
}
through_float64!(i32, u32);

/// To the real floats by way of float64, as NumPy's promotion has it for
/// integers of 32 and 64 bits; for all others that step is exact.
macro_rules! to_float {
    ($($work:ty),*) => {$(
        impl Become<f64> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                true
            }
        }
        impl Become<f32> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> f32 {
                self as f64 as f32
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                (self as f64 as f32).is_finite() || !(self as f64).is_finite()
            }
        }
        impl Become<Half> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> Half {
                Half(half::from_f64(self as f64))
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                let Half(bits) = <Self as Become<Half>>::become_::<ROUND>(self);
                half::to_f32(bits).is_finite() || !(self as f64).is_finite()
            }
        }
        impl Become<Truth> for $work {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> Truth {
                Truth::from(self != 0 as $work)
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                true
            }
        }
        impl<C> Become<[C; 2]> for $work
        where
            Self: Become<C>,
            C: Default,
        {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> [C; 2] {
                [<Self as Become<C>>::become_::<ROUND>(self), C::default()]
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                <Self as Become<C>>::fits::<ROUND>(self)
            }
        }
    )*};
}
to_float!(i64, u64, f32, f64);

/// Complex work values: real results keep the real part.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Complex<T>([T; 2]);

macro_rules! complex_to_real {
    ($($part:ty => $($cell:ty),*;)*) => {$($(
        impl Become<$cell> for Complex<$part> {
            #[inline(always)]
            fn become_<const ROUND: bool>(self) -> $cell {
                <$part as Become<$cell>>::become_::<ROUND>(self.0[0])
            }
            #[inline(always)]
            fn fits<const ROUND: bool>(self) -> bool {
                self.0[1] == 0.0 && <$part as Become<$cell>>::fits::<ROUND>(self.0[0])
            }
        }
    )*)*};
}
complex_to_real! {
    f32 => i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Half;
    f64 => i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, Half;
}
impl<T: Become<Truth> + PartialEq + Default> Become<Truth> for Complex<T> {
    #[inline(always)]
    fn become_<const ROUND: bool>(self) -> Truth {
        Truth::from(self.0 != [T::default(); 2])
    }
    #[inline(always)]
    fn fits<const ROUND: bool>(self) -> bool {
        true
    }
}
impl<T: Become<C>, C> Become<[C; 2]> for Complex<T> {
    #[inline(always)]
    fn become_<const ROUND: bool>(self) -> [C; 2] {
        self.0.map(|part| part.become_::<ROUND>())
    }
    #[inline(always)]
    fn fits<const ROUND: bool>(self) -> bool {
        self.0.iter().all(|part| part.fits::<ROUND>())
    }
}

/// # Safety
/// As [`Store`]: the row holds `n` values of `W`, and `n` elements of `D`,
/// `step` bytes apart, can be written at `to`. As [`compiled`].
unsafe fn store<W: Become<D>, D: Cell, const ROUND: bool, const AVX2: bool>(
    row: *const Row,
    to: *mut u8,
    step: isize,
    n: usize,
    checked: bool,
) -> usize {
    // SAFETY: the caller's promise, passed on.
    unsafe { compiled::<AVX2, _>(move || rows::<W, D, ROUND>(row.cast(), to, step, n, checked)) }
}

/// # Safety
/// As [`store`].
#[inline(always)]
unsafe fn rows<W: Become<D>, D: Cell, const ROUND: bool>(
    row: *const W,
    to: *mut u8,
    step: isize,
    n: usize,
    checked: bool,
) -> usize {
    // SAFETY: the row holds `n` values of `W` and is aligned for them.
    let row = unsafe { std::slice::from_raw_parts(row, n) };
    let all_fit = || row.iter().fold(true, |all, x| all & x.fits::<ROUND>());
    let good = match checked && !all_fit() {
        true => row.iter().position(|x| !x.fits::<ROUND>()).unwrap_or(n),
        false => n,
    };
    let size = size_of::<D>();
    // SAFETY: the caller's promise, element by element.
    unsafe {
        if step != size as isize {
            apart::<W, D, ROUND>(&row[..good], to, step);
            return good;
        }
        for (i, x) in row[..good].iter().enumerate() {
            to.add(i * size)
                .cast::<D>()
                .write_unaligned(x.become_::<ROUND>());
        }
    }
    good
}

/// Never inlined: the compiler would make one loop of this and the packed one,
/// which it could not vectorise.
///
/// # Safety
/// As [`store`], of all values of `row`.
#[inline(never)]
unsafe fn apart<W: Become<D>, D: Cell, const ROUND: bool>(row: &[W], to: *mut u8, step: isize) {
    for (i, x) in row.iter().enumerate() {
        // SAFETY: the caller's promise for element `i`.
        unsafe {
            let to = to.offset(i as isize * step).cast::<D>();
            to.write_unaligned(x.become_::<ROUND>());
        }
    }
}

/// The store of a work type into a result type, rounding or not.
pub(super) fn choose(work: Work, to: DType, round: bool, cpu: Cpu) -> Store {
    macro_rules! pick {
        ($cell:ty) => {
            match work {
                Work::I64 => variant!(store::<i64, $cell>, false, cpu),
                Work::U64 => variant!(store::<u64, $cell>, false, cpu),
                Work::F32 => variant!(store::<f32, $cell>, round, cpu),
                Work::F64 => variant!(store::<f64, $cell>, round, cpu),
                Work::C64 => variant!(store::<Complex<f32>, $cell>, round, cpu),
                Work::C128 => variant!(store::<Complex<f64>, $cell>, round, cpu),
            }
        };
    }
    match to {
        DType::Bool => pick!(Truth),
        DType::Int8 => pick!(i8),
        DType::Int16 => pick!(i16),
        DType::Int32 => pick!(i32),
        DType::Int64 => pick!(i64),
        DType::UInt8 => pick!(u8),
        DType::UInt16 => pick!(u16),
        DType::UInt32 => pick!(u32),
        DType::UInt64 => pick!(u64),
        DType::Float16 => pick!(Half),
        DType::Float32 => pick!(f32),
        DType::Float64 => pick!(f64),
        DType::Complex64 => pick!([f32; 2]),
        DType::Complex128 => pick!([f64; 2]),
        DType::Float128 | DType::Complex256 | DType::Rgb24 | DType::Rgba32 => {
            unreachable!("such results are only copied")
        }
    }
}
