//! IEEE 754 binary16, which Rust's stable language has not.

/// Exact: every binary16 is a binary32. A NaN keeps its payload.
pub(super) fn to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let exponent = u32::from(bits >> 10 & 0x1F);
    let fraction = u32::from(bits & 0x3FF);
    let rest = match (exponent, fraction) {
        (0, 0) => 0,
        // Subnormal: fraction * 2^-24, exact in binary32.
        (0, _) => (fraction as f32 * f32::from_bits(0x3380_0000)).to_bits(),
        (31, _) => 0x7F80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | rest)
}

/// Rounded once, to the nearest, ties to even; too large becomes infinite.
pub(super) fn from_f64(x: f64) -> u16 {
    let bits = x.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    let exponent = (bits >> 52 & 0x7FF) as i32 - 1023;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 1024 {
        let nan = if fraction == 0 {
            0
        } else {
            0x200 | (fraction >> 42) as u16
        };
        return sign | 0x7C00 | nan;
    }
    if exponent > 15 {
        return sign | 0x7C00;
    }
    if exponent < -25 {
        return sign;
    }
    // The significand with 10 bits kept for normal numbers, fewer below 2^-14.
    let significand = fraction | 1 << 52;
    let (shift, base) = if exponent >= -14 {
        (42, ((exponent + 15) as u64) << 10)
    } else {
        (42 + (-14 - exponent), 0)
    };
    let kept = significand >> shift;
    let (rest, half) = (significand & ((1 << shift) - 1), 1u64 << (shift - 1));
    let up = u64::from(rest > half || (rest == half && kept & 1 == 1));
    // The hidden bit is in `base` already; a carry runs into the exponent.
    let hidden = if exponent >= -14 { 1 << 10 } else { 0 };
    sign | (base + kept - hidden + up) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_lead_back() {
        for bits in 0..=u16::MAX {
            let wide = to_f32(bits);
            if wide.is_nan() {
                assert!(to_f32(from_f64(f64::from(wide))).is_nan());
            } else {
                assert_eq!(from_f64(f64::from(wide)), bits, "{bits:04x}");
            }
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_even() {
        // Between each two neighbours: below, at and above the middle.
        for bits in 0..0x7BFFu16 {
            let (low, high) = (f64::from(to_f32(bits)), f64::from(to_f32(bits + 1)));
            let middle = (low + high) / 2.0;
            let even = bits + (bits & 1);
            assert_eq!(from_f64(middle), even, "{bits:04x}");
            assert_eq!(from_f64(middle.next_down()), bits);
            assert_eq!(from_f64(middle.next_up()), bits + 1);
        }
        assert_eq!(from_f64(65519.999), 0x7BFF);
        assert_eq!(from_f64(65520.0), 0x7C00);
        assert_eq!(from_f64(-1e300), 0xFC00);
        assert_eq!(from_f64(5e-324), 0);
    }
}
