//! Matrices in files of Matlab, level 4 and 5 ("MAT-File Format", MathWorks):
//! just enough to find the affines that SPM writes.

use super::Bytes;
use super::affine::Matrix;
use super::fields::Fields;
use super::wrong;
use crate::core::dtype::{ByteOrder, DType};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

/// Most variables that are looked at, and how far into the file: a compressed
/// one may seem to have no end.
const MOST: usize = 10_000;
const FAR: u64 = 64 << 20;

/// Bytes in which name, shape and first values of a variable of level 5 stand.
const ENOUGH: usize = 1024;
/// Bytes of a compressed one that decode to as many.
const ENOUGH_PACKED: usize = 64 << 10;

/// Most bytes of a variable that is wanted: affines of 100,000 volumes.
const LARGEST: usize = 16 << 20;

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

/// A way through a file that never turns back: each byte of a compressed one is
/// decoded once.
struct Way<'a> {
    bytes: &'a dyn Bytes,
    at: u64,
    /// Where the variable began that is being read.
    start: u64,
}

impl Way<'_> {
    /// The next bytes, as many of `len` as there are.
    fn take_some(&mut self, len: usize) -> Result<Vec<u8>> {
        let taken = self.bytes.bytes_at(self.at, len)?;
        self.at += taken.len() as u64;
        Ok(taken)
    }

    /// The next `len` bytes, which must be there.
    fn take(&mut self, len: usize) -> Result<Vec<u8>> {
        let taken = self.take_some(len)?;
        match taken.len() == len {
            true => Ok(taken),
            false => Err(self.wrong("ends behind the file's end")),
        }
    }

    /// Go on to the byte `end`, before which the file must not end.
    fn go_to(&mut self, end: u64) -> Result<()> {
        if end > FAR {
            return Err(self.wrong("is too far in the file to look for affines"));
        }
        if end > self.at {
            self.at = end - 1;
            self.take(1)?;
        }
        Ok(())
    }

    /// An error about the variable.
    fn wrong(&self, reason: &str) -> Error {
        wrong(
            self.start,
            format!("a variable of the Matlab file {reason}"),
        )
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
    let mut way = Way {
        bytes,
        at: if is_4 { 0 } else { 128 },
        start: 0,
    };
    let is_wanted = |name: &[u8]| names.iter().any(|wanted| wanted.as_bytes() == name);
    for _ in 0..MOST {
        way.start = way.at;
        let next = match order {
            None => level4(&mut way, is_wanted)?,
            Some(order) => level5(&mut way, order, is_wanted)?,
        };
        let Some(next) = next else {
            return Ok(found);
        };
        if let Some(place) = names.iter().position(|name| name.as_bytes() == next.name) {
            found[place] = Some(Variable {
                at: way.start,
                shape: next.shape,
                values: next.values,
            });
        }
    }
    Err(wrong(way.at, "the file holds too many variables"))
}

/// What a variable is.
struct Next {
    name: Vec<u8>,
    shape: Vec<i64>,
    /// As [`Variable::values`], if it is wanted.
    values: Option<[f64; 16]>,
}

/// The next variable of a level 4 file; `None` at the end.
fn level4(way: &mut Way<'_>, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Option<Next>> {
    let head = way.take_some(20)?;
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
    let (fields, kind) = match is_little {
        true => (little, little.i32(0)),
        false => {
            let big = in_order(ByteOrder::Big);
            (big, big.i32(0).wrapping_sub(1000))
        }
    };
    let dtype = match kind / 10 {
        0 => Some(DType::Float64),
        1 => Some(DType::Float32),
        2 => Some(DType::Int32),
        3 => Some(DType::Int16),
        4 => Some(DType::UInt16),
        5 => Some(DType::UInt8),
        _ => None,
    };
    let [rows, columns, imaginary, name_size] = [4, 8, 12, 16].map(|i| i64::from(fields.i32(i)));
    let is_sane = head.len() == 20
        && (0..1000).contains(&kind)
        && (0..=2).contains(&(kind % 10))
        && rows >= 0
        && columns >= 0
        && (0..=1).contains(&imaginary)
        && (1..=1024).contains(&name_size);
    let Some(dtype) = dtype.filter(|_| is_sane) else {
        return Err(way.wrong("is none of level 4"));
    };
    let mut name = way.take(name_size as usize)?;
    name.truncate(
        name.iter()
            .position(|&byte| byte == 0)
            .unwrap_or(name.len()),
    );
    let size = (rows * columns).checked_mul(dtype.size() as i64 * (1 + imaginary));
    let end = size.and_then(|size| way.at.checked_add(size as u64));
    let is_real = kind % 10 == 0 && imaginary == 0;
    let values = if is_wanted(&name) && is_real && rows * columns >= 16 {
        numbers(&way.take(16 * dtype.size())?, dtype, fields.order)
    } else {
        None
    };
    way.go_to(end.unwrap_or(u64::MAX))?;
    Ok(Some(Next {
        name,
        shape: vec![rows, columns],
        values,
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

/// The next variable of a level 5 file; `None` at the end.
fn level5(
    way: &mut Way<'_>,
    order: ByteOrder,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Option<Next>> {
    let tag = way.take_some(8)?;
    if tag.is_empty() {
        return Ok(None);
    }
    let fields = Fields { bytes: &tag, order };
    let (kind, size) = (fields.u32(0), fields.u32(4) as usize);
    if tag.len() < 8 || !matches!(kind, MATRIX | COMPRESSED) {
        return Err(way.wrong("is none of level 5"));
    }
    let end = way.at + size as u64;
    let content = match kind {
        COMPRESSED => inflated(way, size, order, is_wanted)?,
        _ => way.take(size.min(ENOUGH))?,
    };
    let matrix = matrix5(&content, order);
    let (name, shape, values) = matrix.ok_or_else(|| way.wrong("is damaged"))?;
    way.go_to(end)?;
    Ok(Some(Next {
        name,
        shape,
        values,
    }))
}

/// The first bytes of a compressed variable of `size` bytes. Of one that is
/// wanted all are decoded, for the checksum behind them.
fn inflated(
    way: &mut Way<'_>,
    size: usize,
    order: ByteOrder,
    is_wanted: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>> {
    let damaged = |way: &Way<'_>, error: Error| {
        let text = format!("is damaged: {error}");
        way.wrong(&text)
    };
    let mut stream = way.take(size.min(ENOUGH_PACKED))?;
    let first = way.bytes.inflated(&stream, ENOUGH);
    let mut content = first.map_err(|error| damaged(way, error))?;
    let fields = Fields {
        bytes: &content,
        order,
    };
    if content.len() < 8 || fields.u32(0) != MATRIX {
        return Err(way.wrong("is compressed, and none when decoded"));
    }
    let name = matrix5(&content[8..], order).map(|parts| parts.0);
    if content.len() == ENOUGH && name.is_some_and(|name| is_wanted(&name)) {
        stream.extend(way.take(size.min(LARGEST) - stream.len())?);
        let whole = way.bytes.inflated(&stream, LARGEST);
        content = whole.map_err(|error| damaged(way, error))?;
        if content.len() == LARGEST {
            return Err(way.wrong("is too large for affines"));
        }
    }
    content.drain(..8);
    Ok(content)
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

#[cfg(test)]
#[path = "matlab_tests.rs"]
mod tests;
