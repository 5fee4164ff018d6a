//! Floats of 16 bytes, and their conversion to types that programs can use.
//!
//! Two encodings are met: x87's 80 bits padded with six zero bytes, and IEEE
//! 754 binary128. Each element tells which it is: only x87's has zeros in
//! bytes 10 to 15 (little-endian), where binary128 has sign and exponent.

use super::load::Stored;
use super::{Cast, half};
use crate::core::dtype::{ByteOrder, DType, Kind};

/// The value of a 16-byte float.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wide {
    negative: bool,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Nan,
    Infinite,
    /// `significand * 2^exponent`.
    Finite {
        significand: u128,
        exponent: i32,
    },
}

/// What is left of a significand when its low bits are cut off.
enum Round {
    /// To the nearest, ties to even.
    Nearest,
    /// Towards zero.
    Cut,
    /// Towards zero, with the last bit set if anything was cut: a second
    /// rounding, to fewer bits, is then the same as a single one.
    Odd,
}

impl Wide {
    /// From the bits as a number of the machine.
    pub(super) fn from_native(bits: u128) -> Wide {
        let head = (bits >> 64) as u64;
        let exponent = |field: u32| (field & 0x7FFF) as i32;
        if head >> 16 == 0 {
            let (field, significand) = (exponent(head as u32), bits as u64);
            let value = match (field, significand >> 63) {
                (0x7FFF, 1) if significand << 1 == 0 => Value::Infinite,
                // The x87 takes numbers without their leading bit as invalid.
                (0x7FFF, _) | (1.., 0) => Value::Nan,
                _ => Value::Finite {
                    significand: significand.into(),
                    exponent: field.max(1) - 16383 - 63,
                },
            };
            return Wide {
                negative: head & 0x8000 != 0,
                value,
            };
        }
        let field = exponent((head >> 48) as u32);
        let fraction = bits & ((1 << 112) - 1);
        let value = match field {
            0x7FFF if fraction == 0 => Value::Infinite,
            0x7FFF => Value::Nan,
            _ => Value::Finite {
                significand: fraction | u128::from(field > 0) << 112,
                exponent: field.max(1) - 16383 - 112,
            },
        };
        Wide {
            negative: head >> 63 != 0,
            value,
        }
    }

    /// The nearest float64, ties to even.
    pub(super) fn nearest(self) -> f64 {
        self.to_f64(Round::Nearest)
    }

    fn to_f64(self, round: Round) -> f64 {
        let size = match self.value {
            Value::Nan => f64::NAN,
            Value::Infinite => f64::INFINITY,
            Value::Finite { significand: 0, .. } => 0.0,
            Value::Finite {
                significand,
                exponent,
            } => {
                let top = exponent + 127 - significand.leading_zeros() as i32;
                if top > 1023 {
                    match round {
                        Round::Nearest => f64::INFINITY,
                        Round::Cut | Round::Odd => f64::MAX,
                    }
                } else {
                    // The last bit that a float64 of this size has.
                    let last = (top - 52).max(-1074);
                    let kept = shifted(significand, last - exponent, round);
                    // Both factors and, but for overflow, the product exact.
                    kept as f64 * power_of_two(last)
                }
            }
        };
        if self.negative { -size } else { size }
    }

    /// The whole number, cut or rounded; beyond 128 bits the limit. NaN is 0.
    fn to_integer(self, round: bool) -> i128 {
        let size = match self.value {
            Value::Nan => 0,
            Value::Infinite => i128::MAX,
            Value::Finite {
                significand,
                exponent,
            } => {
                let bits = 128 - significand.leading_zeros() as i32;
                if significand != 0 && bits + exponent > 126 {
                    i128::MAX
                } else {
                    let round = if round { Round::Nearest } else { Round::Cut };
                    shifted(significand, -exponent, round) as i128
                }
            }
        };
        if self.negative { -size } else { size }
    }

    fn is_zero(self) -> bool {
        matches!(self.value, Value::Finite { significand: 0, .. })
    }

    fn is_finite(self) -> bool {
        matches!(self.value, Value::Finite { .. })
    }
}

/// `significand / 2^by`, rounded; for negative `by` the product must fit.
fn shifted(significand: u128, by: i32, round: Round) -> u128 {
    if by <= 0 {
        return if significand == 0 {
            0
        } else {
            significand << -by
        };
    }
    // Beyond 128 places all is cut; one place less than a half is enough.
    let (kept, rest, half) = match by {
        1..=127 => (
            significand >> by,
            significand & ((1 << by) - 1),
            1 << (by - 1),
        ),
        128 => (0, significand, 1 << 127),
        _ => (0, u128::from(significand != 0), 2),
    };
    match round {
        Round::Nearest => kept + u128::from(rest > half || (rest == half && kept & 1 == 1)),
        Round::Cut => kept,
        Round::Odd => kept | u128::from(rest != 0),
    }
}

/// 2^exponent for exponents of float64, subnormal ones included.
fn power_of_two(exponent: i32) -> f64 {
    if exponent >= -1022 {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    } else {
        f64::from_bits(1 << (exponent + 1074))
    }
}

/// Converts unscaled 16-byte floats, real or complex, one at a time, each
/// rounded once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Convert {
    swap: bool,
    complex: bool,
    to: DType,
}

impl Convert {
    pub(super) fn new(from: DType, order: ByteOrder, to: DType) -> Convert {
        Convert {
            swap: order != ByteOrder::NATIVE,
            complex: from.kind() == Kind::Complex,
            to,
        }
    }

    /// Convert one element; `false` if it was to be checked and does not fit,
    /// and then nothing is stored.
    ///
    /// # Safety
    /// One element can be read at `from` and one of the type `to` written at
    /// `to`.
    pub(super) unsafe fn run(&self, from: *const u8, to: *mut u8, cast: Cast) -> bool {
        let zero = Wide::from_native(0);
        // SAFETY: the caller's promise: 16 bytes, or 32 if complex.
        let (re, im) = unsafe {
            let part = |at: *const u8| match self.swap {
                true => Wide::read::<true>(at),
                false => Wide::read::<false>(at),
            };
            (
                part(from),
                if self.complex {
                    part(from.add(16))
                } else {
                    zero
                },
            )
        };
        let mut out = [0; 16];
        let fits = match self.to.kind() {
            Kind::Bool => {
                out[0] = u8::from(!re.is_zero() || !im.is_zero());
                true
            }
            Kind::Complex => {
                let unit = self.to.unit();
                let fits = store_float(re, &mut out[..unit]);
                store_float(im, &mut out[unit..2 * unit]) && fits
            }
            Kind::Float => store_float(re, &mut out[..self.to.size()]) && im.is_zero(),
            _ => store_integer(re, self.to, cast.round, &mut out) && im.is_zero(),
        };
        if cast.checked && !fits {
            return false;
        }
        // SAFETY: the caller's promise: `to` has an element of this size.
        unsafe { std::ptr::copy_nonoverlapping(out.as_ptr(), to, self.to.size()) };
        true
    }
}

/// Store as the float of the length of `out`. Whether it fits.
fn store_float(x: Wide, out: &mut [u8]) -> bool {
    let stays = match out.len() {
        2 => {
            let bits = half::from_f64(x.to_f64(Round::Odd));
            out.copy_from_slice(&bits.to_ne_bytes());
            half::to_f32(bits).is_finite()
        }
        4 => {
            let single = x.to_f64(Round::Odd) as f32;
            out.copy_from_slice(&single.to_ne_bytes());
            single.is_finite()
        }
        _ => {
            let double = x.nearest();
            out.copy_from_slice(&double.to_ne_bytes());
            double.is_finite()
        }
    };
    stays || !x.is_finite()
}

/// Store as an integer, at the limit if it does not fit. Whether it fits.
fn store_integer(x: Wide, to: DType, round: bool, out: &mut [u8; 16]) -> bool {
    let (low, high) = to.integer_range().unwrap_or((0, 0));
    let whole = x.to_integer(round);
    let kept = whole.clamp(low, high);
    let size = to.size();
    let bytes = kept.to_ne_bytes();
    let low_bytes = if cfg!(target_endian = "big") {
        &bytes[16 - size..]
    } else {
        &bytes[..size]
    };
    out[..size].copy_from_slice(low_bytes);
    kept == whole && x.value != Value::Nan
}
