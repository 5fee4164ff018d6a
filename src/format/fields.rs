//! Numbers at fixed places of a binary header.

use crate::core::dtype::{ByteOrder, DType};

/// A header's bytes and their order. Fields beyond the end read as 0; formats
/// check the length first.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) order: ByteOrder,
}

macro_rules! readers {
    ($($name:ident: $type:ty),* $(,)?) => {$(
        pub(super) fn $name(&self, at: usize) -> $type {
            let bytes = self.array(at);
            match self.order {
                ByteOrder::Little => <$type>::from_le_bytes(bytes),
                ByteOrder::Big => <$type>::from_be_bytes(bytes),
            }
        }
    )*};
}

impl Fields<'_> {
    readers! {
        i8: i8, i16: i16, i32: i32, i64: i64,
        u8: u8, u16: u16, u32: u32, u64: u64,
        f32: f32, f64: f64,
    }

    /// A number of a real type as float64; NaN for other types.
    pub(super) fn number(&self, dtype: DType, at: usize) -> f64 {
        match dtype {
            DType::Int8 => self.i8(at).into(),
            DType::Int16 => self.i16(at).into(),
            DType::Int32 => self.i32(at).into(),
            DType::Int64 => self.i64(at) as f64,
            DType::UInt8 => self.u8(at).into(),
            DType::UInt16 => self.u16(at).into(),
            DType::UInt32 => self.u32(at).into(),
            DType::UInt64 => self.u64(at) as f64,
            DType::Float32 => self.f32(at).into(),
            DType::Float64 => self.f64(at),
            _ => f64::NAN,
        }
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let found = self.bytes.get(at..at + N);
        found
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or([0; N])
    }
}
