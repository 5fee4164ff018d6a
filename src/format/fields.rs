//! Numbers at fixed places of a binary header.

use crate::core::dtype::ByteOrder;

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
    readers! { i16: i16, i32: i32, i64: i64, f32: f32, f64: f64 }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let found = self.bytes.get(at..at + N);
        found
            .and_then(|bytes| bytes.try_into().ok())
            .unwrap_or([0; N])
    }
}
