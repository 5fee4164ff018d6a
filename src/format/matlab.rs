//! Matrices in files of Matlab, level 4 and 5 ("MAT-File Format", MathWorks):
//! just enough to find the affines that SPM writes.

use super::Bytes;
use super::affine::Matrix;
use super::fields::Fields;
use crate::core::dtype::{ByteOrder, DType};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

/// Most variables that are looked at, and how far into the file: a compressed
/// one may seem to have no end.
const MOST: usize = 10_000;
const FAR: u64 = 1 << 30;

/// Bytes that all there is to know of a small matrix of level 5 stands in.
const ENOUGH: usize = 1024;

/// A variable that was looked for.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    /// Byte of the file at which it begins.
    pub(super) at: u64,
    pub(super) shape: Vec<i64>,
    /// The first 16 values in the order in which they are stored, which is
    /// column-major, if it holds as many real numbers.
    values: Option<[f64; 16]>,
}

impl Variable {
    /// Its first plane as four rows of four, or why it is none.
    pub(super) fn matrix(&self) -> std::result::Result<Matrix, String> {
        let is_matrix = matches!(self.shape[..], [4, 4] | [4, 4, _]);
        let values = self.values.filter(|_| is_matrix).ok_or_else(|| {
            let shape = shape::text(&self.shape);
            format!("of shape {shape} is no matrix of 4 by 4 real numbers")
        })?;
        Ok([0, 1, 2, 3].map(|row| [0, 1, 2, 3].map(|column| values[row + 4 * column])))
    }
}

/// The variables of given names; of several under one name the last.
pub(super) fn read<const N: usize>(
    bytes: &dyn Bytes,
    names: [&str; N],
) -> Result<[Option<Variable>; N]> {
    let head = bytes.bytes_at(0, 128)?;
    // A file of level 4 begins with a number, one of level 5 with a text.
    let is_4 = head.len() >= 20 && head[..4].contains(&0);
    let order = match (is_4, head.get(124..128)) {
        (true, _) => None,
        (_, Some([_, 1, b'I', b'M'])) => Some(ByteOrder::Little),
        (_, Some([1, _, b'M', b'I'])) => Some(ByteOrder::Big),
        (_, Some([_, 2, b'I', b'M'] | [2, _, b'M', b'I'])) => {
            let text = "this is a Matlab 7.3 file, of which only level 4 and 5 can be read";
            return Err(Error::new(ErrorKind::Unsupported, text).at(124));
        }
        _ => {
            let text = "this is no Matlab file of level 4 or 5";
            return Err(wrong(0, text));
        }
    };
    let mut found = [const { None }; N];
    let mut at = if is_4 { 0 } else { 128 };
    for _ in 0..MOST {
        let next = match order {
            None => level4(bytes, at)?,
            Some(order) => level5(bytes, at, order)?,
        };
        let Some(next) = next else {
            return Ok(found);
        };
        if let Some(place) = names.iter().position(|name| name.as_bytes() == next.name) {
            found[place] = Some(Variable {
                at,
                shape: next.shape,
                values: next.values,
            });
        }
        at = next.end;
    }
    Err(wrong(at, "the file holds too many variables"))
}

/// A variable on the way through a file.
struct Next {
    name: Vec<u8>,
    shape: Vec<i64>,
    values: Option<[f64; 16]>,
    end: u64,
}

/// The variable of a level 4 file that begins at `at`; `None` at the end.
fn level4(bytes: &dyn Bytes, at: u64) -> Result<Option<Next>> {
    let head = bytes.bytes_at(at, 20)?;
    if head.is_empty() {
        return Ok(None);
    }
    let in_order = |order| Fields {
        bytes: &head,
        order,
    };
    let little = in_order(ByteOrder::Little);
    // The type's thousands tell the byte order: 0 is little-endian, 1 big.
    let is_little = (0..1000).contains(&little.i32(0));
    let fields = if is_little {
        little
    } else {
        in_order(ByteOrder::Big)
    };
    let kind = if is_little {
        fields.i32(0)
    } else {
        fields.i32(0) - 1000
    };
    let dtype = match kind / 10 {
        0 => DType::Float64,
        1 => DType::Float32,
        2 => DType::Int32,
        3 => DType::Int16,
        4 => DType::UInt16,
        5 => DType::UInt8,
        _ => DType::Bool,
    };
    let [rows, columns, imaginary, name_size] = [4, 8, 12, 16].map(|i| i64::from(fields.i32(i)));
    let is_sane = (0..1000).contains(&kind)
        && dtype != DType::Bool
        && (0..=2).contains(&(kind % 10))
        && rows >= 0
        && columns >= 0
        && (0..=1).contains(&imaginary)
        && (1..=1024).contains(&name_size);
    if head.len() < 20 || !is_sane {
        return Err(wrong(at, "this is no variable of a Matlab file of level 4"));
    }
    let mut name = bytes.bytes_at(at + 20, name_size as usize)?;
    name.truncate(
        name.iter()
            .position(|&byte| byte == 0)
            .unwrap_or(name.len()),
    );
    let data = at + 20 + name_size as u64;
    let size = (rows * columns).checked_mul(dtype.size() as i64 * (1 + imaginary));
    let end = size.and_then(|size| data.checked_add(size as u64));
    let end = end.ok_or_else(|| wrong(at, "a variable passes 2^63 bytes"))?;
    check_end(bytes, at, end)?;
    let is_real = kind % 10 == 0 && imaginary == 0;
    let values = if is_real && rows * columns >= 16 {
        let stored = bytes.bytes_at(data, 16 * dtype.size())?;
        numbers(&stored, dtype, fields.order)
    } else {
        None
    };
    Ok(Some(Next {
        name,
        shape: vec![rows, columns],
        values,
        end,
    }))
}

/// Types of level 5's elements, as far as they are numbers.
fn element_type(code: u32) -> Option<DType> {
    Some(match code {
        1 => DType::Int8,
        2 => DType::UInt8,
        3 => DType::Int16,
        4 => DType::UInt16,
        5 => DType::Int32,
        6 => DType::UInt32,
        7 => DType::Float32,
        9 => DType::Float64,
        12 => DType::Int64,
        13 => DType::UInt64,
        _ => return None,
    })
}

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Classes of arrays that hold numbers: double to uint64.
const NUMERIC: std::ops::RangeInclusive<u32> = 6..=15;
const COMPLEX: u32 = 0x800;

/// The variable of a level 5 file that begins at `at`; `None` at the end.
fn level5(bytes: &dyn Bytes, at: u64, order: ByteOrder) -> Result<Option<Next>> {
    let tag = bytes.bytes_at(at, 8)?;
    if tag.is_empty() {
        return Ok(None);
    }
    let fields = Fields { bytes: &tag, order };
    let (kind, size) = (fields.u32(0), u64::from(fields.u32(4)));
    let end = at + 8 + size;
    if tag.len() < 8 || !matches!(kind, MATRIX | COMPRESSED) {
        return Err(wrong(at, "this is no variable of a Matlab file of level 5"));
    }
    check_end(bytes, at, end)?;
    let content = match kind {
        COMPRESSED => {
            let content = bytes.inflated(at + 8, size, ENOUGH)?;
            let fields = Fields {
                bytes: &content,
                order,
            };
            if content.len() < 8 || fields.u32(0) != MATRIX {
                return Err(wrong(at, "a compressed element holds no variable"));
            }
            content[8..].to_vec()
        }
        _ => bytes.bytes_at(at + 8, size.min(ENOUGH as u64) as usize)?,
    };
    let matrix = matrix5(&content, order);
    let (name, shape, values) =
        matrix.ok_or_else(|| wrong(at, "a variable of a Matlab file of level 5 is damaged"))?;
    Ok(Some(Next {
        name,
        shape,
        values,
        end,
    }))
}

type Parts = (Vec<u8>, Vec<i64>, Option<[f64; 16]>);

/// Name, shape and first values of a matrix: its flags, dimensions, name and
/// real part follow each other.
fn matrix5(content: &[u8], order: ByteOrder) -> Option<Parts> {
    let mut rest = content;
    let flags = element(&mut rest, order)?;
    let flags = Fields {
        bytes: flags.1,
        order,
    };
    let (flags, class) = (flags.u32(0), flags.u32(0) & 255);
    if class > *NUMERIC.end() {
        // Objects and functions are built otherwise.
        return Some((Vec::new(), Vec::new(), None));
    }
    let (_, dimensions) = element(&mut rest, order)?;
    let dimensions = Fields {
        bytes: dimensions,
        order,
    };
    let shape: Vec<i64> = (0..dimensions.bytes.len() / 4)
        .map(|i| dimensions.i32(4 * i).into())
        .collect();
    let (_, name) = element(&mut rest, order)?;
    let is_real = NUMERIC.contains(&class) && flags & COMPLEX == 0;
    let is_large = shape::count(&shape).is_some_and(|n| n >= 16) && shape.iter().all(|&n| n > 0);
    let values = if is_real && is_large {
        let (code, stored) = element(&mut rest, order)?;
        numbers(stored, element_type(code)?, order)
    } else {
        None
    };
    Some((name.to_vec(), shape, values))
}

/// Take the next element: its type and its bytes, as far as they are there.
fn element<'a>(rest: &mut &'a [u8], order: ByteOrder) -> Option<(u32, &'a [u8])> {
    let fields = Fields { bytes: rest, order };
    if rest.len() < 8 {
        return None;
    }
    let (first, second) = (fields.u32(0), fields.u32(4) as usize);
    // A small element has its size beside its type and its bytes behind both.
    let (code, start, size, whole) = match (first >> 16) as usize {
        0 => (
            first,
            8,
            second,
            second.checked_next_multiple_of(8)?.checked_add(8)?,
        ),
        small @ 1..=4 => (first & 0xFFFF, 4, small, 8),
        _ => return None,
    };
    let end = size.saturating_add(start).min(rest.len());
    let bytes = &rest[start..end];
    *rest = &rest[whole.min(rest.len())..];
    Some((code, bytes))
}

/// 16 numbers as float64.
fn numbers(stored: &[u8], dtype: DType, order: ByteOrder) -> Option<[f64; 16]> {
    let size = dtype.size();
    if stored.len() < 16 * size {
        return None;
    }
    let fields = Fields {
        bytes: stored,
        order,
    };
    Some(std::array::from_fn(|i| fields.number(dtype, size * i)))
}

/// A variable must end in the file.
fn check_end(bytes: &dyn Bytes, at: u64, end: u64) -> Result<()> {
    let is_near = end <= FAR;
    if is_near && !bytes.bytes_at(end - 1, 1)?.is_empty() {
        return Ok(());
    }
    let reason = match is_near {
        true => "behind the file's end",
        false => "which is too far to look for affines",
    };
    let text = format!("a variable ends at byte {end}, {reason}");
    Err(wrong(at, &text))
}

fn wrong(at: u64, text: &str) -> Error {
    Error::new(ErrorKind::Header, text).at(at)
}

#[cfg(test)]
#[path = "matlab_tests.rs"]
mod tests;
