//! Slope and intercept, and the floating-point type in which they are applied.

use std::collections::HashMap;

use super::dtype::{ByteOrder, DType, Kind};

/// Precision in which scaling is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FactorType {
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    #[default]
    Float64,
}

/// Values mean `stored * slope * more + inter`, after what is stored was clipped.
/// Data of a format that clips or has a second slope are real, and its arithmetic
/// is not NumPy's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Factors {
    pub(crate) slope: f64,
    /// A second slope, applied after the first was rounded; mostly 1.
    pub(crate) more: f64,
    pub(crate) inter: f64,
    /// What stored values are clipped to.
    pub(crate) clip: Option<(f64, f64)>,
    pub(crate) arithmetic: Arithmetic,
}

/// In what type factors are applied, and of what type results are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// By NumPy's rules, from the type that the format gives the factors. Data
    /// whose slope is 1 and whose intercept is 0 are not scaled.
    AsNumPy(FactorType),
    /// In float64, even by 1 and 0; an intercept of -0.0 changes nothing.
    Double,
    /// In float32 for stored float32, else in float64; results are float64, even
    /// by 1 and 0.
    AsStored,
}

/// What the stored bytes of an element mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) byte_order: ByteOrder,
    pub(crate) factors: Factors,
}

impl Factors {
    pub(crate) const NONE: Factors = Factors {
        slope: 1.0,
        more: 1.0,
        inter: 0.0,
        clip: None,
        arithmetic: Arithmetic::AsNumPy(FactorType::Float64),
    };

    /// Factors rounded to their precision.
    pub(crate) fn new(slope: f64, inter: f64, precision: FactorType) -> Factors {
        let round = |x: f64| match precision {
            FactorType::Float32 => f64::from(x as f32),
            FactorType::Float64 => x,
        };
        Factors {
            slope: round(slope),
            inter: round(inter),
            arithmetic: Arithmetic::AsNumPy(precision),
            ..Factors::NONE
        }
    }

    /// Slope and intercept that make results of float64 whatever they are.
    pub(crate) fn double(slope: f64, inter: f64) -> Factors {
        Factors {
            slope,
            inter,
            arithmetic: Arithmetic::Double,
            ..Factors::NONE
        }
    }

    pub(crate) fn is_scaling(&self) -> bool {
        let plain = matches!(self.arithmetic, Arithmetic::AsNumPy(_));
        !plain || self.slope != 1.0 || self.inter != 0.0
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.whole_slope().is_finite() && self.inter.is_finite()
    }

    /// Both slopes as one.
    pub(crate) fn whole_slope(&self) -> f64 {
        self.slope * self.more
    }

    /// Precision in which NiBabel scales `stored` elements for a result of
    /// type `wanted` (`None` if none is asked for): factors are widened where
    /// the type asked for holds them safely, and integers need a type in which
    /// the ends of their range stay finite.
    pub(crate) fn precision_for(&self, stored: DType, wanted: Option<DType>) -> FactorType {
        use FactorType::{Float32, Float64};
        let precision = match self.arithmetic {
            Arithmetic::AsNumPy(precision) => precision,
            Arithmetic::Double => return Float64,
            Arithmetic::AsStored => {
                return match stored {
                    DType::Float32 => Float32,
                    _ => Float64,
                };
            }
        };
        let widened = matches!(
            wanted,
            Some(DType::Float64 | DType::Complex128 | DType::Float128 | DType::Complex256)
        );
        // A complex type asked for makes the factors complex, and NumPy then
        // looks for the integers' work type from float64 on.
        let complex = wanted.is_some_and(|wanted| wanted.kind() == Kind::Complex);
        if precision == Float64 || widened || stored.unit() > 4 {
            return Float64;
        }
        match stored.integer_range() {
            Some(_) if stored.size() > 2 || complex => Float64,
            Some(range) if !self.is_finite_f32(range) => Float64,
            _ => Float32,
        }
    }

    fn is_finite_f32(&self, (low, high): (i128, i128)) -> bool {
        let scaled = |x: i128| x as f32 * self.slope as f32 + self.inter as f32;
        scaled(low).is_finite() && scaled(high).is_finite()
    }

    /// Whether some integer of the stored type, scaled, passes the range of
    /// float64, so that results hold infinities.
    pub(crate) fn overflows(&self, stored: DType) -> bool {
        let finite = |x: i128| (x as f64 * self.slope * self.more + self.inter).is_finite();
        stored
            .integer_range()
            .is_some_and(|(low, high)| !finite(low) || !finite(high))
    }

    /// The type that scaled elements are delivered in unless another is asked
    /// for.
    pub(crate) fn auto_dtype(&self, stored: DType) -> DType {
        let complex = stored.kind() == Kind::Complex;
        let precision = match self.arithmetic {
            Arithmetic::AsNumPy(_) => self.precision_for(stored, None),
            Arithmetic::Double | Arithmetic::AsStored => FactorType::Float64,
        };
        match (precision, complex) {
            (FactorType::Float32, false) => DType::Float32,
            (FactorType::Float64, false) => DType::Float64,
            (FactorType::Float32, true) => DType::Complex64,
            (FactorType::Float64, true) => DType::Complex128,
        }
    }
}

/// Factors that differ in slope or intercept, and the number of each one's.
pub(crate) fn distinct(factors: impl Iterator<Item = Factors>) -> (Vec<Factors>, Vec<u32>) {
    let mut known: HashMap<[u64; 2], u32> = HashMap::new();
    let mut found = Vec::new();
    let number = |factors: Factors| {
        // By their bits, as NaN is as good as NaN.
        let bits = [factors.slope, factors.inter].map(f64::to_bits);
        *known.entry(bits).or_insert_with(|| {
            found.push(factors);
            found.len() as u32 - 1
        })
    };
    let numbers = factors.map(number).collect();
    (found, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DType::*;

    #[test]
    fn types_of_scaled_results() {
        let f8 = Factors::new(2.0, 1.0, FactorType::Float64);
        let f4 = Factors::new(0.1, 0.0, FactorType::Float32);
        for (stored, with_f8, with_f4) in [
            (UInt8, Float64, Float32),
            (Int16, Float64, Float32),
            (Int32, Float64, Float64),
            (UInt64, Float64, Float64),
            (Float16, Float64, Float32),
            (Float32, Float64, Float32),
            (Float64, Float64, Float64),
            (Float128, Float64, Float64),
            (Complex64, Complex128, Complex64),
            (Complex128, Complex128, Complex128),
            (Complex256, Complex128, Complex128),
            (Bool, Float64, Float32),
        ] {
            assert_eq!(f8.auto_dtype(stored), with_f8, "{stored}");
            assert_eq!(f4.auto_dtype(stored), with_f4, "{stored}");
        }
        let huge = Factors::new(1e37, 0.0, FactorType::Float32);
        assert_eq!(huge.auto_dtype(Int16), Float64);
        assert_eq!(huge.auto_dtype(Float32), Float32);
        assert_eq!(f4.precision_for(Int16, Some(Float64)), FactorType::Float64);
        assert_eq!(f4.precision_for(Int16, Some(Int32)), FactorType::Float32);
        assert!(Factors::new(1e300, 0.0, FactorType::Float64).overflows(Int32));
        assert!(!Factors::new(1e300, 0.0, FactorType::Float64).overflows(Int16));
        // Only the low end of the range passes the limit.
        let low = Factors::new(1e34, -3e38, FactorType::Float32);
        assert_eq!(low.auto_dtype(Int16), Float64);
        assert!(Factors::new(5e298, -1e308, FactorType::Float64).overflows(Int32));
    }
}
