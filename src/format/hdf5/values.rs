//! What stored elements are: numbers and texts.

use super::datatype::Datatype;
use super::heaps::Global;
use super::source::{Cursor, Source, wrong};
use crate::core::dtype::{DType, Kind};
use crate::error::Result;
use crate::format::fields::Fields;
use crate::format::labels::Words;
use crate::format::record::{Value, text_of};

/// The value of `count` elements. Of several texts it is one, with commas
/// between them.
pub(super) fn value(
    source: &Source<'_>,
    mut data: Cursor<'_>,
    (datatype, count): (Datatype, u64),
) -> Result<Value> {
    let size = datatype.size(data.sizes.address);
    let len = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(size));
    let stored = data.part(len.unwrap_or(usize::MAX))?;
    if size == 0 {
        return Ok(Value::Text(String::new()));
    }
    let elements = stored.rest.chunks_exact(size);
    let texts: Vec<String> = match datatype {
        Datatype::Number(dtype, order) => {
            let bytes = stored.rest;
            let fields = Fields { bytes, order };
            return Ok(numbers(fields, dtype));
        }
        Datatype::Text { is_padded, .. } => {
            let text = |bytes| trimmed(text_of(bytes), is_padded);
            elements.map(text).collect()
        }
        Datatype::LongText => {
            let mut heap = Global::new(source);
            let long = |bytes| {
                long_text(
                    &mut heap,
                    Cursor {
                        rest: bytes,
                        ..stored
                    },
                )
            };
            elements.map(long).collect::<Result<_>>()?
        }
    };
    Ok(Value::Text(texts.join(",")))
}

fn trimmed(text: String, is_padded: bool) -> String {
    match is_padded {
        true => text.trim_end_matches(' ').into(),
        false => text,
    }
}

/// IV.A.2.d, variable length: a length, and an object of the global heap.
fn long_text(heap: &mut Global<'_, '_>, mut element: Cursor<'_>) -> Result<String> {
    let at = element.at;
    let len = element.u32()? as usize;
    let (collection, number) = (element.address()?, element.u32()?);
    let Some(collection) = collection.filter(|_| len > 0) else {
        return Ok(String::new());
    };
    let bytes = heap.object(collection, number)?;
    let text = bytes.get(..len).map(text_of);
    text.ok_or_else(|| {
        wrong(
            at,
            format!("a text of {len} bytes is longer than its place"),
        )
    })
}

fn numbers(fields: Fields<'_>, dtype: DType) -> Value {
    let places = (0..fields.bytes.len()).step_by(dtype.size());
    let ints = match dtype {
        DType::UInt64 => {
            let numbers = places.clone().map(|at| fields.u64(at).try_into().ok());
            numbers.collect::<Option<Vec<i64>>>()
        }
        _ => {
            let number = |at| match dtype {
                DType::Int64 => fields.i64(at),
                // Of fewer bits, floats hold them as they are.
                _ => fields.number(dtype, at) as i64,
            };
            let is_int = matches!(dtype.kind(), Kind::Int | Kind::UInt);
            is_int.then(|| places.clone().map(number).collect())
        }
    };
    let words = Words::None;
    match (ints, dtype) {
        (Some(numbers), _) => Value::Ints { numbers, words },
        (None, DType::Float32) => Value::Singles(places.map(|at| fields.f32(at)).collect()),
        (None, _) => Value::Doubles(places.map(|at| real(fields, dtype, at)).collect()),
    }
}

/// A number as float64.
pub(super) fn real(fields: Fields<'_>, dtype: DType, at: usize) -> f64 {
    match dtype {
        DType::Float16 => half(fields.u16(at)),
        _ => fields.number(dtype, at),
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + mantissa) * 2f64.powi(exponent - 25),
    }
}
