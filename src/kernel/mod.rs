//! Conversion of elements: swap bytes, scale, cast, store.
//!
//! Elements of the same type are copied. Others go, a few hundred at a time,
//! through a row of work values small enough to stay in the first-level
//! cache: loaded and widened without loss, scaled there, and cast once. What
//! is read most, packed numbers to packed floats, takes these steps in one
//! pass.
//!
//! The work type follows NumPy's arithmetic as NiBabel uses it: unscaled
//! integers stay 64-bit integers, so that each value that the result type
//! holds comes out exact; scaled data take the precision of
//! [`Factors::precision_for`]. Two roundings, never fused, and the neutral
//! step is skipped, which keeps -0.0.
//!
//! Tried and lost: stores past the caches (to float64, as large as 1.3 GB: no gain
//! in memory that was used before, a sixth slower in new memory, whose pages the
//! system has just put into the caches).

// Speed needs raw pointers here: result and source have any alignment and any
// strides, and results may be memory that was never written.
#![allow(unsafe_code)]

mod cpu;
mod half;
mod load;
mod loops;
mod packed;
mod store;
mod wide;

use crate::core::dtype::{ByteOrder, DType, Kind};
use crate::core::scale::{Arithmetic, FactorType, Factors};
use crate::error::{Error, ErrorKind, Result};
use cpu::{Cpu, compiled};
pub(crate) use loops::Tile;
use store::Become;

/// How values become another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cast {
    /// To integers: to the nearest, ties to even. Else towards zero.
    pub(crate) round: bool,
    /// Fail where a value does not fit.
    pub(crate) checked: bool,
}

/// Elements that go through the work row in one go.
const ROW: usize = 256;

/// The work row: `ROW` values of up to 16 bytes.
#[repr(C, align(64))]
struct Row([u64; 2 * ROW]);

/// What the work row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    I64,
    U64,
    F32,
    F64,
    C64,
    C128,
}

/// Load `n` elements, `step` bytes apart, into the row.
type Load = unsafe fn(from: *const u8, step: isize, n: usize, row: *mut Row);
/// Store the first `n` values of the row, `step` bytes apart. Gives how many
/// were stored before one did not fit.
type Store = unsafe fn(row: *const Row, to: *mut u8, step: isize, n: usize, checked: bool) -> usize;

/// Converts elements of one type, byte order and scaling into another type in
/// native byte order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    from_size: usize,
    to_size: usize,
    cast: Cast,
    cpu: Cpu,
    step: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Copy elements as they are.
    Copy(load::Copying),
    /// Copy elements, reversing the bytes of each of their numbers.
    Swap {
        copy: load::Copying,
        /// The same where they stand.
        stay: load::Swapping,
        /// Bytes of a number.
        unit: usize,
    },
    /// Any byte but 0 becomes 1.
    Truth,
    /// 16-byte floats, not scaled: no work type holds all their values.
    Wide(wide::Convert),
    Row {
        load: Load,
        scale: Option<Scale>,
        store: Store,
        /// The same in one pass, for packed elements.
        packed: Option<packed::Packed>,
    },
}

/// Slope and intercept, and what they are applied to.
#[derive(Debug, Clone, Copy)]
struct Scale {
    work: Work,
    slope: f64,
    more: f64,
    inter: f64,
    /// Whether an intercept of 0.0 is added, too, which makes -0.0 positive.
    adds_zero: bool,
    clip: Option<(f64, f64)>,
}

impl Kernel {
    /// The kernel from `from` to `to`, scaling by `factors` if there are any.
    /// `asked` is the result type that was asked for, `None` if it was left
    /// to the file: it decides the precision.
    pub(crate) fn new(
        (from, order): (DType, ByteOrder),
        to: DType,
        factors: Option<Factors>,
        asked: Option<DType>,
        cast: Cast,
    ) -> Result<Kernel> {
        Kernel::compiled((from, order), to, factors, asked, cast, Cpu::here())
    }

    /// As [`Kernel::new`], for a processor that has what is named.
    fn compiled(
        (from, order): (DType, ByteOrder),
        to: DType,
        factors: Option<Factors>,
        asked: Option<DType>,
        cast: Cast,
        cpu: Cpu,
    ) -> Result<Kernel> {
        let kernel = |step| Kernel {
            cpu,
            from_size: from.size(),
            to_size: to.size(),
            cast,
            step,
        };
        let factors = factors.filter(|factors| factors.is_scaling() && from.kind() != Kind::Rgb);
        if from == to && factors.is_none() {
            let swap = order != ByteOrder::NATIVE && from.unit() > 1;
            let copy = load::choose_copy(from.size(), from.unit(), swap, cpu);
            return Ok(kernel(match from {
                DType::Bool => Step::Truth,
                _ if swap => Step::Swap {
                    copy,
                    stay: load::choose_swap(from.unit(), cpu),
                    unit: from.unit(),
                },
                _ => Step::Copy(copy),
            }));
        }
        let opaque = matches!(to, DType::Float128 | DType::Complex256);
        if opaque || from.kind() == Kind::Rgb || to.kind() == Kind::Rgb {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("elements of type {from} cannot be read as {to}"),
            ));
        }
        if from.unit() == 16 && factors.is_none() {
            return Ok(kernel(Step::Wide(wide::Convert::new(from, order, to))));
        }
        let scale = factors.map(|factors| Scale {
            work: Work::of_scaled(from, factors.precision_for(from, asked)),
            slope: factors.slope,
            more: factors.more,
            inter: factors.inter,
            adds_zero: factors.arithmetic == Arithmetic::Double,
            clip: factors.clip,
        });
        let work = scale.map_or(Work::of_unscaled(from), |scale| scale.work);
        let load = load::choose(from, order, work, cpu);
        let store = store::choose(work, to, cast.round, cpu);
        let packed = match cast.checked {
            true => None,
            false => packed::choose(from, order, work, to, cpu),
        };
        Ok(kernel(Step::Row {
            load,
            scale,
            store,
            packed,
        }))
    }

    /// Whether elements are copied as they are.
    pub(crate) fn is_copy(&self) -> bool {
        matches!(self.step, Step::Copy(_))
    }

    /// Whether values that do not fit are errors.
    pub(crate) fn is_checked(&self) -> bool {
        self.cast.checked
    }

    /// Whether elements can become what they are to be where they stand.
    pub(crate) fn can_stay(&self) -> bool {
        matches!(self.step, Step::Copy(_) | Step::Swap { .. })
    }

    /// Convert packed elements of so many bytes where they stand, if that is
    /// possible.
    ///
    /// # Safety
    /// The bytes can be read and written.
    pub(crate) unsafe fn stay(&self, at: *mut u8, len: usize) {
        if let Step::Swap { stay, unit, .. } = self.step {
            // SAFETY: whole numbers of the caller's bytes.
            unsafe { stay(at, len / unit) };
        }
    }

    pub(crate) fn stored_size(&self) -> usize {
        self.from_size
    }

    pub(crate) fn result_size(&self) -> usize {
        self.to_size
    }

    /// Convert `n` elements. `Err` holds the number of the first that does
    /// not fit; those before it are stored.
    ///
    /// # Safety
    /// For each `i < n` the `from_size` bytes at `from + i * from_step` can be
    /// read and the `to_size` bytes at `to + i * to_step` can be written, and
    /// the two do not overlap.
    pub(crate) unsafe fn run(
        &self,
        from: *const u8,
        from_step: isize,
        to: *mut u8,
        to_step: isize,
        n: usize,
    ) -> std::result::Result<(), usize> {
        let size = self.from_size;
        match self.step {
            Step::Copy(_) if from_step == size as isize && to_step == size as isize => {
                // SAFETY: packed, so the caller's promise covers all of
                // `n * size` bytes on both sides.
                unsafe { std::ptr::copy_nonoverlapping(from, to, n * size) };
                Ok(())
            }
            Step::Copy(copy) | Step::Swap { copy, .. } => {
                // SAFETY: the caller's promise, element by element.
                unsafe { copy(from, from_step, to, to_step, n) };
                Ok(())
            }
            Step::Truth => {
                for i in 0..n as isize {
                    // SAFETY: the caller's promise for element `i` of 1 byte.
                    unsafe { *to.offset(i * to_step) = u8::from(*from.offset(i * from_step) != 0) };
                }
                Ok(())
            }
            Step::Wide(wide) => {
                for i in 0..n as isize {
                    // SAFETY: the caller's promise for element `i`.
                    let fits = unsafe {
                        wide.run(
                            from.offset(i * from_step),
                            to.offset(i * to_step),
                            self.cast,
                        )
                    };
                    if !fits {
                        return Err(i as usize);
                    }
                }
                Ok(())
            }
            Step::Row {
                scale,
                packed: Some(packed),
                ..
            } if from_step == size as isize && to_step == self.to_size as isize => {
                // SAFETY: packed, so the caller's promise is what it asks for.
                unsafe { packed(from, to, n, scale) };
                Ok(())
            }
            Step::Row {
                load, scale, store, ..
            } => {
                let mut row = std::mem::MaybeUninit::<Row>::uninit();
                let mut done = 0;
                while done < n {
                    let part = (n - done).min(ROW);
                    // SAFETY: `load` writes the first `part` values of the
                    // row, which has room for `ROW`; scale and store touch
                    // only those. Elements `done..done + part` of both sides
                    // are covered by the caller's promise.
                    let stored = unsafe {
                        load(
                            from.offset(done as isize * from_step),
                            from_step,
                            part,
                            row.as_mut_ptr(),
                        );
                        if let Some(scale) = scale {
                            scale.apply(row.as_mut_ptr(), part, self.cpu);
                        }
                        let to = to.offset(done as isize * to_step);
                        store(row.as_ptr(), to, to_step, part, self.cast.checked)
                    };
                    if stored < part {
                        return Err(done + stored);
                    }
                    done += part;
                }
                Ok(())
            }
        }
    }
}

impl Work {
    /// Holds all values of a type exactly, float128 aside.
    fn of_unscaled(from: DType) -> Work {
        match (from.kind(), from.unit() > 4) {
            (Kind::Int, _) => Work::I64,
            (Kind::UInt | Kind::Bool | Kind::Rgb, _) => Work::U64,
            (Kind::Float, false) => Work::F32,
            (Kind::Float, true) => Work::F64,
            (Kind::Complex, false) => Work::C64,
            (Kind::Complex, true) => Work::C128,
        }
    }

    fn of_scaled(from: DType, precision: FactorType) -> Work {
        match (from.kind() == Kind::Complex, precision) {
            (false, FactorType::Float32) => Work::F32,
            (false, FactorType::Float64) => Work::F64,
            (true, FactorType::Float32) => Work::C64,
            (true, FactorType::Float64) => Work::C128,
        }
    }
}

impl Scale {
    /// # Safety
    /// The first `n <= ROW` values of the row are written, of type `work`, and
    /// the processor is such a one.
    unsafe fn apply(&self, row: *mut Row, n: usize, cpu: Cpu) {
        // SAFETY: the caller's promise.
        unsafe {
            match cpu {
                Cpu::Portable => self.apply_here(row, n),
                Cpu::Avx2 => compiled::<true, _>(move || self.apply_here(row, n)),
            }
        }
    }

    /// # Safety
    /// The first `n <= ROW` values of the row are written, of type `work`.
    #[inline(always)]
    unsafe fn apply_here(&self, row: *mut Row, n: usize) {
        // SAFETY: the caller's promise; a row is aligned for each type.
        unsafe {
            match self.work {
                Work::F32 if self.is_plain() => scale_real(values(row, n), self.real::<f32>()),
                Work::F64 if self.is_plain() => scale_real(values(row, n), self.real::<f64>()),
                Work::F32 => scale_real(values(row, n), self.full::<f32>()),
                Work::F64 => scale_real(values(row, n), self.full::<f64>()),
                Work::C64 => scale_complex(values(row, n), self.slope as f32, self.inter as f32),
                Work::C128 => scale_complex(values(row, n), self.slope, self.inter),
                Work::I64 | Work::U64 => unreachable!("integers are scaled as floats"),
            }
        }
    }

    /// Whether [`Scale::real`] does all that is to be done.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        self.more == 1.0 && self.clip.is_none()
    }

    /// What clipping and scaling by two slopes do to a real number. NaN stays.
    #[inline(always)]
    fn full<T: Real + PartialOrd>(self) -> impl Fn(T) -> T
    where
        f64: Become<T>,
    {
        let (low, high) = self.clip.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        let [low, high, slope, more] =
            [low, high, self.slope, self.more].map(f64::become_::<false>);
        let last = Scale { slope: 1.0, ..self }.real::<T>();
        move |x| {
            let x = if x < low { low } else { x };
            let x = if x > high { high } else { x };
            last(x * slope * more)
        }
    }

    /// What scaling does to a real number.
    #[inline(always)]
    fn real<T: Real>(self) -> impl Fn(T) -> T
    where
        f64: Become<T>,
    {
        let [slope, inter, zero] = [self.slope, self.inter, -0.0].map(f64::become_::<false>);
        // Neutral steps cost less than a look at each, but 0.0 is not quite
        // neutral: it would make -0.0 positive.
        let inter = match inter == zero && !self.adds_zero {
            true => zero,
            false => inter,
        };
        move |x| x * slope + inter
    }
}

/// # Safety
/// The first `n` values of the row are written, of type `T`, and fit in it.
unsafe fn values<'a, T>(row: *mut Row, n: usize) -> &'a mut [T] {
    debug_assert!(n * size_of::<T>() <= size_of::<Row>());
    // SAFETY: written, as the caller promises; the row's alignment suits.
    unsafe { std::slice::from_raw_parts_mut(row.cast(), n) }
}

/// Arithmetic of the two precisions.
trait Real:
    Copy
    + From<u8>
    + PartialEq
    + std::ops::Mul<Output = Self>
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
{
}
impl Real for f32 {}
impl Real for f64 {}

#[inline(always)]
fn scale_real<T: Real>(values: &mut [T], scale: impl Fn(T) -> T) {
    values.iter_mut().for_each(|x| *x = scale(*x));
}

/// Full complex arithmetic with factors whose imaginary part is zero, as
/// NumPy does it: infinities and zeros come out as there.
#[inline(always)]
fn scale_complex<T: Real>(values: &mut [[T; 2]], slope: T, inter: T) {
    let zero = T::from(0);
    if slope != T::from(1) {
        values.iter_mut().for_each(|[re, im]| {
            (*re, *im) = (*re * slope - *im * zero, *re * zero + *im * slope);
        });
    }
    if inter != zero {
        values
            .iter_mut()
            .for_each(|[re, im]| (*re, *im) = (*re + inter, *im + zero));
    }
}

#[cfg(test)]
#[path = "kernel_tests.rs"]
mod tests;
