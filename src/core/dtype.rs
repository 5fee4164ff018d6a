//! Element types, byte order, storage order.

/// Element type. The numeric value is `kind * 256 + bytes per element` and
/// keeps its meaning for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum DType {
    /// One byte, 0 or 1.
    Bool = 0x601,
    /// Signed integer of 8 bits.
    Int8 = 0x101,
    /// Signed integer of 16 bits.
    Int16 = 0x102,
    /// Signed integer of 32 bits.
    Int32 = 0x104,
    /// Signed integer of 64 bits.
    Int64 = 0x108,
    /// Unsigned integer of 8 bits.
    UInt8 = 0x201,
    /// Unsigned integer of 16 bits.
    UInt16 = 0x202,
    /// Unsigned integer of 32 bits.
    UInt32 = 0x204,
    /// Unsigned integer of 64 bits.
    UInt64 = 0x208,
    /// IEEE 754 binary16.
    Float16 = 0x302,
    /// IEEE 754 binary32.
    Float32 = 0x304,
    /// IEEE 754 binary64.
    Float64 = 0x308,
    /// 16 bytes: x87's 80 bits, padded, or IEEE 754 binary128, told apart
    /// element by element: bytes 10 to 15 in little-endian order are all zero
    /// in the first.
    Float128 = 0x310,
    /// Two [`DType::Float32`]: real and imaginary part.
    Complex64 = 0x408,
    /// Two [`DType::Float64`].
    Complex128 = 0x410,
    /// Two [`DType::Float128`].
    Complex256 = 0x420,
    /// Three bytes: red, green, blue.
    Rgb24 = 0x503,
    /// Four bytes: red, green, blue, alpha.
    Rgba32 = 0x504,
}

use DType::*;

/// What a type's elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Signed integers.
    Int,
    /// Unsigned integers.
    UInt,
    /// Real floating-point numbers.
    Float,
    /// Complex floating-point numbers.
    Complex,
    /// Colours.
    Rgb,
    /// Truth values.
    Bool,
}

const NAMES: [(DType, &str, &str); 18] = [
    (Bool, "bool", "b1"),
    (Int8, "int8", "i1"),
    (Int16, "int16", "i2"),
    (Int32, "int32", "i4"),
    (Int64, "int64", "i8"),
    (UInt8, "uint8", "u1"),
    (UInt16, "uint16", "u2"),
    (UInt32, "uint32", "u4"),
    (UInt64, "uint64", "u8"),
    (Float16, "float16", "f2"),
    (Float32, "float32", "f4"),
    (Float64, "float64", "f8"),
    (Float128, "float128", "f16"),
    (Complex64, "complex64", "c8"),
    (Complex128, "complex128", "c16"),
    (Complex256, "complex256", "c32"),
    (Rgb24, "rgb24", ""),
    (Rgba32, "rgba32", ""),
];

impl DType {
    /// All types.
    pub fn all() -> impl Iterator<Item = DType> {
        NAMES.iter().map(|&(dtype, ..)| dtype)
    }

    /// `kind * 256 + bytes per element`.
    pub fn code(self) -> i32 {
        self as u16 as i32
    }

    /// The type of a [`DType::code`].
    pub fn from_code(code: i32) -> Option<DType> {
        Self::all().find(|dtype| dtype.code() == code)
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        self as u16 as usize & 255
    }

    /// What the elements are.
    pub fn kind(self) -> Kind {
        match self as u16 >> 8 {
            1 => Kind::Int,
            2 => Kind::UInt,
            3 => Kind::Float,
            4 => Kind::Complex,
            5 => Kind::Rgb,
            _ => Kind::Bool,
        }
    }

    /// NumPy's name, such as "float32".
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|entry| entry.0 == self)
            .map_or("", |entry| entry.1)
    }

    /// The type of a name such as "float32", or of NumPy's short form such as
    /// "i2" or ">f8", whose byte order is not kept.
    pub fn parse(name: &str) -> Option<DType> {
        let short = name.strip_prefix(['<', '>', '=', '|']);
        if matches!(short.unwrap_or(name), "?") {
            return Some(Bool);
        }
        NAMES
            .iter()
            .find(|&&(_, long, code)| match short {
                Some(short) => !code.is_empty() && short == code,
                None => name == long || (!code.is_empty() && name == code),
            })
            .map(|entry| entry.0)
    }

    /// Bytes of one number: a complex element holds two, a colour several.
    pub(crate) fn unit(self) -> usize {
        match self.kind() {
            Kind::Complex => self.size() / 2,
            Kind::Rgb => 1,
            _ => self.size(),
        }
    }

    /// The type that unscaled elements are delivered in unless another is
    /// asked for: 16-byte floats as the nearest type that programs can use.
    pub(crate) fn usable(self) -> DType {
        match self {
            Float128 => Float64,
            Complex256 => Complex128,
            other => other,
        }
    }

    /// Least and largest value of an integer type.
    pub(crate) fn integer_range(self) -> Option<(i128, i128)> {
        let bits = 8 * self.size() as u32;
        match self.kind() {
            Kind::Int => Some((-(1 << (bits - 1)), (1 << (bits - 1)) - 1)),
            Kind::UInt => Some((0, (1 << bits) - 1)),
            _ => None,
        }
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// This machine's.
    pub const NATIVE: ByteOrder = if cfg!(target_endian = "big") {
        ByteOrder::Big
    } else {
        ByteOrder::Little
    };
}

/// Order of elements in memory or in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// Column-major ("Fortran"): the first axis moves fastest.
    #[default]
    F,
    /// Row-major ("C"): the last axis moves fastest.
    C,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_lead_back() {
        for dtype in DType::all() {
            assert_eq!(DType::from_code(dtype.code()), Some(dtype));
            assert_eq!(DType::parse(dtype.name()), Some(dtype));
        }
        assert_eq!(DType::parse(">i2"), Some(Int16));
        assert_eq!(DType::parse("|b1"), Some(Bool));
        assert_eq!(DType::parse("?"), Some(Bool));
        for wrong in ["", "<", "<float32", "i3", "V3", "<<i2", "auto"] {
            assert_eq!(DType::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Int8.integer_range(), Some((-128, 127)));
        assert_eq!(UInt64.integer_range(), Some((0, u64::MAX as i128)));
    }
}
