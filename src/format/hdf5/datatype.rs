//! Dataspaces and datatypes (IV.A.2.b, IV.A.2.d).

use super::source::{Cursor, unsupported, wrong};
use crate::core::dtype::{ByteOrder, DType};
use crate::core::shape;
use crate::error::Result;

/// Most axes of a dataset.
const RANK: u8 = 32;

/// The length of an axis that may grow for ever.
pub(super) const UNLIMITED: u64 = u64::MAX;

/// Axes: one number has none.
#[derive(Debug, Clone)]
pub(super) struct Space {
    pub(super) shape: Vec<i64>,
    /// Lengths up to which the axes may grow.
    pub(super) largest: Vec<u64>,
}

impl Space {
    pub(super) fn read(mut body: Cursor<'_>) -> Result<Space> {
        let at = body.at;
        let version = body.version("a dataspace", 1..=2)?;
        let (rank, flags) = (body.u8()?, body.u8()?);
        let is_empty = match version {
            1 => {
                body.take(5)?;
                false
            }
            _ => body.u8()? == 2,
        };
        if rank > RANK {
            return Err(wrong(
                at,
                format!("a dataspace has {rank} axes, of {RANK} at most"),
            ));
        }
        if is_empty {
            return Ok(Space {
                shape: vec![0],
                largest: vec![0],
            });
        }
        let lengths = |body: &mut Cursor<'_>| -> Result<Vec<u64>> {
            (0..rank).map(|_| body.length()).collect()
        };
        let lens = lengths(&mut body)?;
        let mut largest = match flags & 1 {
            0 => lens.clone(),
            _ => lengths(&mut body)?,
        };
        // All ones, however many they are.
        let ones = u64::MAX >> (64 - 8 * body.sizes.length);
        for len in &mut largest {
            *len = if *len == ones { UNLIMITED } else { *len };
        }
        let lens = lens.iter().map(|&len| i64::try_from(len).ok());
        let lens = lens.collect::<Option<Vec<i64>>>();
        // Of the largest numbers.
        let fits = |lens: &Vec<i64>| shape::nbytes(lens, 8).is_some();
        let shape = lens
            .filter(fits)
            .ok_or_else(|| wrong(at, "the axes of a dataspace pass 2^63 bytes".into()))?;
        Ok(Space { shape, largest })
    }

    /// Number of elements.
    pub(super) fn count(&self) -> u64 {
        shape::count(&self.shape).unwrap_or(i64::MAX) as u64
    }
}

/// Types that can be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Datatype {
    Number(DType, ByteOrder),
    /// A text of as many bytes; spaces at its end may be no part of it.
    Text {
        len: u32,
        is_padded: bool,
    },
    /// A text in the global heap.
    LongText,
}

impl Datatype {
    pub(super) fn read(mut body: Cursor<'_>) -> Result<Datatype> {
        let at = body.at;
        let head = body.u8()?;
        let (class, version) = (head & 15, head >> 4);
        if !(1..=5).contains(&version) {
            let text = format!("a datatype has version {version}, of which 1 to 5 can be read");
            return Err(unsupported(at, text));
        }
        let bits = body.number(3)? as u32;
        let size = body.u32()?;
        let no = |what: &str| unsupported(at, format!("{what} cannot be read"));
        match class {
            0 => integer(body, bits, size)?.ok_or_else(|| no("integers of part of their bytes")),
            1 => float(body, bits, size)?.ok_or_else(|| no("floats other than IEEE's")),
            3 => Ok(Datatype::Text {
                len: size,
                is_padded: bits & 15 == 2,
            }),
            8 => {
                // Enumerations are of a type of integers, which has no names.
                let head = body.rest.first().map_or(0, |head| head & 15);
                match head {
                    0 => Datatype::read(body),
                    _ => Err(no("enumerations of other types than integers")),
                }
            }
            9 if bits & 15 == 1 => Ok(Datatype::LongText),
            _ => Err(no(&format!("elements of {}", class_name(class)))),
        }
    }

    /// Bytes of an element.
    pub(super) fn size(&self, address: usize) -> usize {
        match *self {
            Datatype::Number(dtype, _) => dtype.size(),
            Datatype::Text { len, .. } => len as usize,
            Datatype::LongText => 8 + address,
        }
    }
}

fn class_name(class: u8) -> String {
    let name = match class {
        2 => "times",
        4 => "bit fields",
        5 => "opaque bytes",
        6 => "a compound type",
        7 => "references",
        9 => "sequences of variable length",
        10 => "arrays",
        11 => "complex numbers",
        _ => return format!("the datatype class {class}"),
    };
    name.into()
}

fn integer(mut body: Cursor<'_>, bits: u32, size: u32) -> Result<Option<Datatype>> {
    let (offset, precision) = (body.u16()?, body.u16()?);
    let dtype = match (size, bits & 8 != 0) {
        (1, true) => DType::Int8,
        (2, true) => DType::Int16,
        (4, true) => DType::Int32,
        (8, true) => DType::Int64,
        (1, false) => DType::UInt8,
        (2, false) => DType::UInt16,
        (4, false) => DType::UInt32,
        (8, false) => DType::UInt64,
        _ => return Ok(None),
    };
    let is_whole = offset == 0 && usize::from(precision) == 8 * dtype.size();
    let order = match bits & 1 {
        0 => ByteOrder::Little,
        _ => ByteOrder::Big,
    };
    Ok(is_whole.then_some(Datatype::Number(dtype, order)))
}

/// What tells a type of floats: where its sign is, the first bit and number of
/// bits, place and bits of exponent and mantissa, and the exponent's bias.
type Fields = (u8, [u16; 2], [u8; 4], u32);

const FLOATS: [(DType, Fields); 3] = [
    (DType::Float16, (15, [0, 16], [10, 5, 0, 10], 15)),
    (DType::Float32, (31, [0, 32], [23, 8, 0, 23], 127)),
    (DType::Float64, (63, [0, 64], [52, 11, 0, 52], 1023)),
];

fn float(mut body: Cursor<'_>, bits: u32, size: u32) -> Result<Option<Datatype>> {
    let place = [body.u16()?, body.u16()?];
    let parts = [body.u8()?, body.u8()?, body.u8()?, body.u8()?];
    let fields = ((bits >> 8) as u8, place, parts, body.u32()?);
    let found = FLOATS.iter().find(|entry| entry.1 == fields);
    // The mantissa's first bit is not stored.
    let is_implied = bits >> 4 & 3 == 2;
    let order = match bits & 0x41 {
        0 => Some(ByteOrder::Little),
        1 => Some(ByteOrder::Big),
        _ => None,
    };
    let found = found.filter(|entry| is_implied && entry.0.size() == size as usize);
    Ok(found.and_then(|entry| Some(Datatype::Number(entry.0, order?))))
}
