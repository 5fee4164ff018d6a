//! Kernels against plain Rust arithmetic, one element at a time.

use super::*;
use crate::core::scale::Arithmetic;
use DType::*;

#[path = "variants_tests.rs"]
mod variants;

const NATIVE: ByteOrder = ByteOrder::NATIVE;
const OTHER: ByteOrder = if cfg!(target_endian = "big") {
    ByteOrder::Little
} else {
    ByteOrder::Big
};

/// Convert packed elements into packed ones, which every variant of the kernel
/// does alike.
fn convert(
    bytes: &[u8],
    from: (DType, ByteOrder),
    to: DType,
    factors: Option<Factors>,
    asked: Option<DType>,
    cast: Cast,
) -> std::result::Result<Vec<u8>, usize> {
    let n = bytes.len() / from.0.size();
    let mut results = Cpu::all().map(|cpu| {
        let kernel = Kernel::compiled(from, to, factors, asked, cast, cpu).unwrap();
        let mut out = vec![0xAA; n * to.size()];
        // SAFETY: both buffers hold `n` packed elements.
        let done = unsafe {
            kernel.run(
                bytes.as_ptr(),
                from.0.size() as isize,
                out.as_mut_ptr(),
                to.size() as isize,
                n,
            )
        };
        done.map(|()| out)
    });
    let result = results.next().unwrap();
    for other in results {
        assert!(other == result, "{from:?} to {to}, {factors:?}, {cast:?}");
    }
    result
}

/// A number as the machine has it in memory.
trait Number: Copy {
    fn native(self) -> Vec<u8>;
}
macro_rules! numbers {
    ($($type:ty),*) => {$(impl Number for $type {
        fn native(self) -> Vec<u8> {
            self.to_ne_bytes().to_vec()
        }
    })*};
}
numbers!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);

fn native<T: Number>(values: &[T]) -> Vec<u8> {
    values.iter().flat_map(|x| x.native()).collect()
}

macro_rules! bytes {
    ($values:expr) => {
        native(&$values[..])
    };
}

const CUT: Cast = Cast {
    round: false,
    checked: false,
};
const ROUNDED: Cast = Cast {
    round: true,
    checked: false,
};
const CHECKED: Cast = Cast {
    round: false,
    checked: true,
};

fn plain(bytes: &[u8], from: DType, to: DType, cast: Cast) -> std::result::Result<Vec<u8>, usize> {
    convert(bytes, (from, NATIVE), to, None, None, cast)
}

#[test]
fn integers_saturate_and_stay_exact() {
    let values = [i64::MIN, -1, 0, 255, 256, (1 << 53) + 1, i64::MAX];
    let from = bytes!(values);
    assert_eq!(
        plain(&from, Int64, UInt8, CUT).unwrap(),
        [0, 0, 0, 255, 255, 255, 255]
    );
    let want: Vec<u64> = values.iter().map(|&x| x.max(0) as u64).collect();
    assert_eq!(plain(&from, Int64, UInt64, CUT).unwrap(), bytes!(want));
    let want: Vec<i32> = values
        .iter()
        .map(|&x| x.clamp(i32::MIN as i64, i32::MAX as i64) as i32)
        .collect();
    assert_eq!(plain(&from, Int64, Int32, CUT).unwrap(), bytes!(want));
    let from = bytes!([u64::MAX, 1 << 63, 7]);
    assert_eq!(
        plain(&from, UInt64, Int64, CUT).unwrap(),
        bytes!([i64::MAX, i64::MAX, 7])
    );
    assert_eq!(
        plain(&from, UInt64, Int8, CUT).unwrap(),
        bytes!([127i8, 127, 7])
    );
    assert_eq!(plain(&bytes!([1i64, -1]), Int64, UInt32, CHECKED), Err(1));
    assert_eq!(
        plain(&bytes!([1u64, 1 << 63]), UInt64, Int64, CHECKED),
        Err(1)
    );
}

#[test]
fn large_integers_reach_float32_through_float64() {
    // Directly 2^60 + 2^36 + 1 rounds up; through float64 it is a tie first.
    let x = (1i64 << 60) + (1 << 36) + 1;
    assert_ne!(x as f32, x as f64 as f32, "the value shows the difference");
    assert_eq!(
        plain(&bytes!([x]), Int64, Float32, CUT).unwrap(),
        bytes!([x as f64 as f32])
    );
    assert_eq!(
        plain(&bytes!([x as u64]), UInt64, Float32, CUT).unwrap(),
        bytes!([x as f64 as f32])
    );
}

#[test]
fn floats_are_cut_rounded_and_checked() {
    let values = [
        2.5,
        -2.5,
        3.5,
        -0.9,
        127.6,
        1e30,
        -1e30,
        f64::NAN,
        f64::INFINITY,
    ];
    let from = bytes!(values);
    let cut = [2i8, -2, 3, 0, 127, 127, -128, 0, 127];
    assert_eq!(plain(&from, Float64, Int8, CUT).unwrap(), bytes!(cut));
    let rounded = [2i8, -2, 4, -1, 127, 127, -128, 0, 127];
    assert_eq!(
        plain(&from, Float64, Int8, ROUNDED).unwrap(),
        bytes!(rounded)
    );
    assert_eq!(plain(&from, Float64, Int8, CHECKED), Err(5));
    let both = Cast {
        round: true,
        checked: true,
    };
    assert_eq!(
        plain(&from, Float64, Int8, both),
        Err(4),
        "127.6 rounds to 128"
    );
    assert_eq!(plain(&bytes!([f64::NAN]), Float64, Int8, CHECKED), Err(0));
    // The limits themselves fit, the next value does not.
    let beyond = (i64::MAX as f64, i64::MIN as f64);
    assert!(plain(&bytes!([beyond.1]), Float64, Int64, CHECKED).is_ok());
    assert_eq!(plain(&bytes!([beyond.0]), Float64, Int64, CHECKED), Err(0));
    assert!(plain(&bytes!([255.9f32, -0.9]), Float32, UInt8, CHECKED).is_ok());
    assert_eq!(plain(&bytes!([256f32]), Float32, UInt8, CHECKED), Err(0));
    assert_eq!(plain(&bytes!([1e39]), Float64, Float32, CHECKED), Err(0));
    assert!(
        plain(
            &bytes!([f64::INFINITY, f64::NAN]),
            Float64,
            Float32,
            CHECKED
        )
        .is_ok()
    );
    assert_eq!(plain(&bytes!([65520i32]), Int32, Float16, CHECKED), Err(0));
    assert_eq!(
        plain(&bytes!([65519f64]), Float64, Float16, CHECKED).unwrap(),
        bytes!([0x7BFFu16])
    );
}

#[test]
fn truth_values_and_complex_parts() {
    assert_eq!(
        plain(&[0, 1, 2, 255], Bool, Bool, CUT).unwrap(),
        [0, 1, 1, 1]
    );
    assert_eq!(
        plain(&[0, 1, 2, 255], Bool, Int16, CUT).unwrap(),
        bytes!([0i16, 1, 1, 1])
    );
    assert_eq!(
        plain(&bytes!([0.0, -0.0, 0.5, f64::NAN]), Float64, Bool, CHECKED).unwrap(),
        [0, 0, 1, 1]
    );
    let pair = bytes!([1.5f32, 0.0, -2.5, 1.0]);
    assert_eq!(
        plain(&pair, Complex64, Float32, CUT).unwrap(),
        bytes!([1.5f32, -2.5])
    );
    assert_eq!(plain(&pair, Complex64, Float32, CHECKED), Err(1));
    assert_eq!(
        plain(&pair, Complex64, Complex128, CUT).unwrap(),
        bytes!([1.5f64, 0.0, -2.5, 1.0])
    );
    assert_eq!(
        plain(&bytes!([0f32, 0.0, 0.0, 2.0]), Complex64, Bool, CUT).unwrap(),
        [0, 1]
    );
    assert_eq!(
        plain(&bytes!([7i32]), Int32, Complex64, CUT).unwrap(),
        bytes!([7f32, 0.0])
    );
}

#[test]
fn bytes_are_swapped_inside_each_number() {
    for from in DType::all() {
        let bytes: Vec<u8> = (0..2 * from.size() as u8).collect();
        let mut want = bytes.clone();
        want.chunks_mut(from.unit()).for_each(<[u8]>::reverse);
        if from == Bool {
            want = vec![0, 1];
        }
        assert_eq!(
            convert(&bytes, (from, OTHER), from, None, None, CUT).unwrap(),
            want,
            "{from}"
        );
    }
    let swapped: Vec<u8> = (-300i32..300)
        .flat_map(|x| x.swap_bytes().to_ne_bytes())
        .collect();
    let want = bytes!((-300i32..300).map(f64::from).collect::<Vec<_>>());
    assert_eq!(
        convert(&swapped, (Int32, OTHER), Float64, None, None, CUT).unwrap(),
        want
    );
}

#[test]
fn values_are_clipped_then_scaled_by_one_slope_and_the_other() {
    let values: Vec<i16> = (-400..400).map(|i| i * 37).collect();
    let factors = Factors {
        more: 0.3,
        clip: Some((-5000.0, 7000.5)),
        ..Factors::double(0.1, 0.7)
    };
    let got = convert(
        &bytes!(values),
        (Int16, NATIVE),
        Float64,
        Some(factors),
        None,
        CUT,
    );
    let scaled = |x: &i16| f64::from(*x).clamp(-5000.0, 7000.5) * 0.1 * 0.3 + 0.7;
    let want: Vec<f64> = values.iter().map(scaled).collect();
    assert_eq!(got.unwrap(), bytes!(want));
    let other: Vec<f64> = values
        .iter()
        .map(|&x| f64::from(x).clamp(-5000.0, 7000.5) * (0.1 * 0.3) + 0.7)
        .collect();
    assert_ne!(
        bytes!(want),
        bytes!(other),
        "the values show the difference"
    );
    // Results of float64 whose arithmetic is that of what is stored.
    let factors = Factors {
        more: 1.7,
        arithmetic: Arithmetic::AsStored,
        ..Factors::double(0.1, 0.0)
    };
    let values: Vec<f32> = (0..600)
        .map(|i| i as f32 * 1.37)
        .chain([f32::NAN, -0.0])
        .collect();
    let got = convert(
        &bytes!(values),
        (Float32, NATIVE),
        Float64,
        Some(factors),
        None,
        CUT,
    );
    let want: Vec<f64> = values.iter().map(|x| f64::from(x * 0.1 * 1.7)).collect();
    assert_eq!(got.unwrap(), bytes!(want));
    assert_eq!(factors.auto_dtype(Float32), Float64);
    // 1 and 0 change the type alone.
    let got = convert(
        &bytes!([3i16]),
        (Int16, NATIVE),
        Float64,
        Some(Factors::double(1.0, 0.0)),
        None,
        CUT,
    );
    assert_eq!(got.unwrap(), bytes!([3.0f64]));
}

#[test]
fn scaling_rounds_twice_and_skips_the_neutral_step() {
    let factors = |slope, inter| Some(Factors::new(slope, inter, FactorType::Float64));
    let values: Vec<i16> = (-400..400).map(|i| i * 37).collect();
    let from = bytes!(values);
    let got = convert(
        &from,
        (Int16, NATIVE),
        Float64,
        factors(0.1, 0.7),
        None,
        CUT,
    )
    .unwrap();
    let want: Vec<f64> = values.iter().map(|&x| f64::from(x) * 0.1 + 0.7).collect();
    assert_eq!(got, bytes!(want));
    let fused: Vec<f64> = values
        .iter()
        .map(|&x| f64::from(x).mul_add(0.1, 0.7))
        .collect();
    assert_ne!(
        bytes!(want),
        bytes!(fused),
        "the values show the difference"
    );
    let got = convert(
        &from,
        (Int16, NATIVE),
        Float32,
        factors(0.1, 0.7),
        Some(Float32),
        CUT,
    )
    .unwrap();
    let want: Vec<f32> = values
        .iter()
        .map(|&x| (f64::from(x) * 0.1 + 0.7) as f32)
        .collect();
    assert_eq!(got, bytes!(want));
    let got = convert(
        &bytes!([-0.0]),
        (Float64, NATIVE),
        Float64,
        factors(2.0, 0.0),
        None,
        CUT,
    )
    .unwrap();
    assert_eq!(got, bytes!([-0.0]));
    let single = Some(Factors::new(0.1, 0.0, FactorType::Float32));
    let got = convert(&bytes!([3i16]), (Int16, NATIVE), Float32, single, None, CUT).unwrap();
    assert_eq!(got, bytes!([3.0 * 0.1f32]));
    let got = convert(
        &bytes!([3i16]),
        (Int16, NATIVE),
        Float64,
        single,
        Some(Float64),
        CUT,
    )
    .unwrap();
    assert_eq!(got, bytes!([3.0 * f64::from(0.1f32)]));
}

#[test]
fn infinite_complex_numbers_scale_as_in_numpy() {
    let factors = Some(Factors::new(2.0, 1.0, FactorType::Float64));
    let from = bytes!([f64::INFINITY, 1.0, 1.0, -0.0]);
    let got = convert(&from, (Complex128, NATIVE), Complex128, factors, None, CUT).unwrap();
    let part = |i: usize| f64::from_ne_bytes(got[8 * i..8 * i + 8].try_into().unwrap());
    assert!(part(0).is_infinite() && part(1).is_nan());
    assert_eq!((part(2), part(3).to_bits()), (3.0, 0));
}

/// x87's encoding of `significand * 2^exponent`, little-endian.
fn x87(negative: bool, significand: u64, exponent: i32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&significand.to_le_bytes());
    let field = (exponent + 63 + 16383) as u16 | u16::from(negative) << 15;
    bytes[8..10].copy_from_slice(&field.to_le_bytes());
    bytes
}

/// binary128 of a float64, little-endian. Normal numbers only.
fn quad(x: f64) -> [u8; 16] {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7FF) + 16383 - 1023;
    let head = (bits >> 63) << 15 | exponent;
    (u128::from(head) << 112 | u128::from(bits & ((1 << 52) - 1)) << 60).to_le_bytes()
}

fn wide(bytes: &[u8], to: DType, cast: Cast) -> std::result::Result<Vec<u8>, usize> {
    convert(bytes, (Float128, ByteOrder::Little), to, None, None, cast)
}

#[test]
fn wide_floats_of_both_encodings() {
    for x in [1.0, -1.5, 1e300, 3.0e-300, 0.1, 12345.678] {
        assert_eq!(wide(&quad(x), Float64, CUT).unwrap(), bytes!([x]));
        let bits = x.to_bits();
        let significand = (bits & ((1 << 52) - 1) | 1 << 52) << 11;
        let exponent = (bits >> 52 & 0x7FF) as i32 - 1023 - 63;
        let bytes = x87(x < 0.0, significand, exponent);
        assert_eq!(wide(&bytes, Float64, CUT).unwrap(), bytes!([x]));
        let big: Vec<u8> = bytes.iter().rev().copied().collect();
        let got = convert(&big, (Float128, ByteOrder::Big), Float64, None, None, CUT).unwrap();
        assert_eq!(got, bytes!([x]));
    }
    let one = |bits: u128| bits.to_le_bytes();
    assert_eq!(wide(&one(0), Float64, CUT).unwrap(), bytes!([0.0]));
    assert_eq!(wide(&one(1 << 127), Float64, CUT).unwrap(), bytes!([-0.0]));
    assert_eq!(
        wide(&one(0x7FFF << 112), Float32, CUT).unwrap(),
        bytes!([f32::INFINITY])
    );
    let infinite = one(0x7FFF << 64 | 1 << 63);
    assert_eq!(
        wide(&infinite, Float64, CUT).unwrap(),
        bytes!([f64::INFINITY])
    );
    // The last two lack x87's leading bit.
    for bits in [
        0x7FFF << 112 | 1,
        0x7FFF << 64 | 3 << 62,
        0x7FFF << 64,
        0x4000 << 64 | 1,
    ] {
        let nan = wide(&one(bits), Float64, CUT).unwrap();
        assert!(
            f64::from_ne_bytes(nan.try_into().unwrap()).is_nan(),
            "{bits:x}"
        );
    }
}

#[test]
fn wide_floats_are_scaled_as_float64() {
    let factors = Some(Factors::new(0.5, 1.0, FactorType::Float64));
    let values = [3.0, -8.0, 0.25, 1e10];
    let from: Vec<u8> = values.iter().flat_map(|&x| quad(x)).collect();
    let order = ByteOrder::Little;
    let got = convert(&from, (Float128, order), Float64, factors, None, CUT).unwrap();
    assert_eq!(got, bytes!(values.map(|x| x * 0.5 + 1.0)));
    let got = convert(&from, (Complex256, order), Complex128, factors, None, CUT).unwrap();
    assert_eq!(got, bytes!([2.5, -4.0, 1.125, 5e9]));
}

#[test]
fn wide_floats_round_once_and_keep_integers() {
    // 1 + 2^-24 + 2^-60: to float32 directly up, through float64 down.
    let x = x87(false, 1 << 63 | 1 << 39 | 1 << 3, -63);
    assert_eq!(wide(&x, Float32, CUT).unwrap(), bytes!([1.0f32.next_up()]));
    let odd = (1u64 << 63) + 1;
    assert_eq!(
        wide(&x87(false, odd, 0), UInt64, CHECKED).unwrap(),
        bytes!([odd])
    );
    assert_eq!(
        wide(&x87(true, odd, 0), Int64, CUT).unwrap(),
        bytes!([i64::MIN])
    );
    assert_eq!(wide(&x87(true, odd, 0), Int64, CHECKED), Err(0));
    assert_eq!(
        wide(&x87(false, 5 << 61, -62), Int16, ROUNDED).unwrap(),
        bytes!([2i16]),
        "2.5"
    );
    assert_eq!(
        wide(&x87(false, 7 << 61, -62), Int16, ROUNDED).unwrap(),
        bytes!([4i16]),
        "3.5"
    );
    assert_eq!(wide(&x87(false, 1 << 63, 2000), Int8, CUT).unwrap(), [127]);
    let huge = x87(false, 1 << 63, 2000);
    assert_eq!(wide(&huge, Float64, CUT).unwrap(), bytes!([f64::INFINITY]));
    assert_eq!(wide(&huge, Float64, CHECKED), Err(0));
    let nan = (0x7FFFu128 << 64 | 3 << 62).to_le_bytes();
    assert_eq!(wide(&nan, Int16, CHECKED), Err(0));
    let pair = [huge, quad(1.0)].concat();
    let order = ByteOrder::Little;
    let got = convert(&pair, (Complex256, order), Complex128, None, None, CHECKED);
    assert_eq!(got, Err(0));
    let tiny = x87(false, 1 << 63, -1137);
    assert_eq!(
        wide(&tiny, Float64, CUT).unwrap(),
        bytes!([f64::from_bits(1)]),
        "2^-1074"
    );
    assert_eq!(wide(&x87(false, 1 << 63, -9000), Bool, CUT).unwrap(), [1]);
    let pair: Vec<u8> = [quad(2.5), quad(1.0)].concat();
    let complex = |to, cast| convert(&pair, (Complex256, ByteOrder::Little), to, None, None, cast);
    assert_eq!(complex(Complex64, CHECKED).unwrap(), bytes!([2.5f32, 1.0]));
    assert_eq!(complex(Float64, CUT).unwrap(), bytes!([2.5]));
    assert_eq!(complex(Int8, CHECKED), Err(0));
}

#[test]
fn all_steps_and_alignments_agree() {
    for from in [
        UInt8, Int16, Rgb24, Float32, Complex64, Complex128, Float128,
    ] {
        for to in [from, Float64, Int32, Complex64] {
            for order in [NATIVE, OTHER] {
                let kernels = Cpu::all().filter_map(|cpu| {
                    Kernel::compiled((from, order), to, None, None, CUT, cpu).ok()
                });
                let n = 600;
                let bytes: Vec<u8> = (0..n * from.size()).map(|i| (i * 7 % 251) as u8).collect();
                for kernel in kernels {
                    let want = convert(&bytes, (from, order), to, None, None, CUT).unwrap();
                    // Every second element backwards, at odd places.
                    let step = to.size() + 3;
                    let mut out = vec![0; n * step + 1];
                    let half = n / 2;
                    // SAFETY: elements 1, 3, ... of `n`, and `half` places of
                    // `step` bytes from the end of `out` down.
                    unsafe {
                        let first = out.as_mut_ptr().add(1 + (half - 1) * step);
                        kernel
                            .run(
                                bytes.as_ptr().add(from.size()),
                                2 * from.size() as isize,
                                first,
                                -(step as isize),
                                half,
                            )
                            .unwrap();
                    }
                    for i in 0..half {
                        let at = 1 + (half - 1 - i) * step;
                        let element = (2 * i + 1) * to.size();
                        assert_eq!(
                            out[at..at + to.size()],
                            want[element..element + to.size()],
                            "{from} {to} {i}"
                        );
                        assert_eq!(out[at + to.size()..at + step], [0; 3], "gaps stay");
                    }
                }
            }
        }
    }
}

#[test]
fn colours_and_wide_results_are_only_copied() {
    for (from, to) in [
        (Rgb24, UInt8),
        (UInt8, Rgb24),
        (Rgb24, Rgba32),
        (Float64, Float128),
        (Float128, Complex256),
    ] {
        let error = Kernel::new((from, NATIVE), to, None, None, CUT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}
