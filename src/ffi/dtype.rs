//! Element types, orders.

use std::ffi::{CStr, c_char};

use super::guard::{count, quiet, text};
use crate::error::{Error, ErrorKind, Result};
use crate::{ByteOrder, DType, Order};

/// Element type: `kind * 256 + bytes per element`, so
/// `dtype & 255` is the element size. Values keep their meaning for ever.
pub type ap_dtype = i32;

/// For reads: what the file means. Data that are not scaled give the type on
/// disk (float64 for float128, complex128 for complex256); scaled data the
/// type of `ap_auto_dtype`: mostly float64, complex128 for complex data,
/// float32 for small integers whose factors are float32.
pub const AP_AUTO: ap_dtype = 0;

/// For reads: the type on disk, not scaled, in native byte order.
pub const AP_DISK: ap_dtype = 1;

/// One byte, 0 or 1. Casts to it give 1 for all values but 0, as NumPy's do.
pub const AP_BOOL: ap_dtype = 1537;

/// Signed integer of 8 bits.
pub const AP_INT8: ap_dtype = 257;

/// Signed integer of 16 bits.
pub const AP_INT16: ap_dtype = 258;

/// Signed integer of 32 bits.
pub const AP_INT32: ap_dtype = 260;

/// Signed integer of 64 bits.
pub const AP_INT64: ap_dtype = 264;

/// Unsigned integer of 8 bits.
pub const AP_UINT8: ap_dtype = 513;

/// Unsigned integer of 16 bits.
pub const AP_UINT16: ap_dtype = 514;

/// Unsigned integer of 32 bits.
pub const AP_UINT32: ap_dtype = 516;

/// Unsigned integer of 64 bits.
pub const AP_UINT64: ap_dtype = 520;

/// IEEE 754 binary16.
pub const AP_FLOAT16: ap_dtype = 770;

/// IEEE 754 binary32.
pub const AP_FLOAT32: ap_dtype = 772;

/// IEEE 754 binary64.
pub const AP_FLOAT64: ap_dtype = 776;

/// 16 bytes as stored; other types can be asked for, this one only as is.
pub const AP_FLOAT128: ap_dtype = 784;

/// Two `AP_FLOAT32`: real and imaginary part.
pub const AP_COMPLEX64: ap_dtype = 1032;

/// Two `AP_FLOAT64`.
pub const AP_COMPLEX128: ap_dtype = 1040;

/// Two `AP_FLOAT128`.
pub const AP_COMPLEX256: ap_dtype = 1056;

/// Three bytes: red, green, blue.
pub const AP_RGB24: ap_dtype = 1283;

/// Four bytes: red, green, blue, alpha.
pub const AP_RGBA32: ap_dtype = 1284;

/// Column-major ("Fortran"): the first axis moves fastest.
pub const AP_ORDER_F: i32 = 70;

/// Row-major ("C"): the last axis moves fastest.
pub const AP_ORDER_C: i32 = 67;

/// Least significant byte first.
pub const AP_LITTLE: i32 = 1;

/// Most significant byte first.
pub const AP_BIG: i32 = 2;

/// Constants of this module, Rust's types, and names in C.
const TYPES: [(ap_dtype, DType, &CStr); 18] = [
    (AP_BOOL, DType::Bool, c"bool"),
    (AP_INT8, DType::Int8, c"int8"),
    (AP_INT16, DType::Int16, c"int16"),
    (AP_INT32, DType::Int32, c"int32"),
    (AP_INT64, DType::Int64, c"int64"),
    (AP_UINT8, DType::UInt8, c"uint8"),
    (AP_UINT16, DType::UInt16, c"uint16"),
    (AP_UINT32, DType::UInt32, c"uint32"),
    (AP_UINT64, DType::UInt64, c"uint64"),
    (AP_FLOAT16, DType::Float16, c"float16"),
    (AP_FLOAT32, DType::Float32, c"float32"),
    (AP_FLOAT64, DType::Float64, c"float64"),
    (AP_FLOAT128, DType::Float128, c"float128"),
    (AP_COMPLEX64, DType::Complex64, c"complex64"),
    (AP_COMPLEX128, DType::Complex128, c"complex128"),
    (AP_COMPLEX256, DType::Complex256, c"complex256"),
    (AP_RGB24, DType::Rgb24, c"rgb24"),
    (AP_RGBA32, DType::Rgba32, c"rgba32"),
];

/// Name of a type, such as "float32" (NumPy's names), or NULL if unknown.
#[unsafe(no_mangle)]
pub extern "C" fn ap_dtype_name(dtype: ap_dtype) -> *const c_char {
    quiet(std::ptr::null(), || {
        let found = TYPES.iter().find(|entry| entry.0 == dtype);
        found.map_or(std::ptr::null(), |entry| entry.2.as_ptr())
    })
}

/// Type of a name, such as "float32" or "<i2" (in native order), or
/// `AP_ERR_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_dtype_parse(name: *const c_char) -> ap_dtype {
    count(|| {
        // SAFETY: NULL or a text, as the header asks.
        let name = unsafe { text(name, "name") }?;
        let dtype = DType::parse(name).ok_or_else(|| unknown(name))?;
        Ok(dtype.code())
    })
}

fn unknown(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Argument, format!("'{what}' is no element type"))
}

pub(super) fn dtype(code: ap_dtype) -> Result<DType> {
    DType::from_code(code).ok_or_else(|| unknown(code))
}

pub(super) fn order(code: i32) -> Result<Order> {
    match code {
        AP_ORDER_F => Ok(Order::F),
        AP_ORDER_C => Ok(Order::C),
        _ => Err(Error::new(
            ErrorKind::Argument,
            format!("order is {code}, wanted AP_ORDER_F or AP_ORDER_C"),
        )),
    }
}

pub(super) fn byte_order(code: i32) -> Result<ByteOrder> {
    match code {
        AP_LITTLE => Ok(ByteOrder::Little),
        AP_BIG => Ok(ByteOrder::Big),
        _ => Err(Error::new(
            ErrorKind::Argument,
            format!("byte_order is {code}, wanted AP_LITTLE or AP_BIG"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_the_codes() {
        assert_eq!(TYPES.len(), DType::all().count());
        for (code, dtype, name) in TYPES {
            assert_eq!((code, name.to_str()), (dtype.code(), Ok(dtype.name())));
        }
    }
}
