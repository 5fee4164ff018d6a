//! NetCDF's classic format: a header that lists dimensions, attributes and
//! variables, and the variables' values behind it, all big-endian. Names are
//! those of "The NetCDF Classic Format Specification".

use super::Bytes;
use super::fields::Fields;
use super::record::{Value, text_of};
use super::wrong;
use crate::core::dtype::{ByteOrder, DType};
use crate::error::{Error, ErrorKind, Result};

/// Bytes that a header has at most, and dimensions, attributes, numbers in those,
/// and variables: a compressed one may be large however small the file is, and
/// takes many times the memory once it is taken apart.
const MOST: usize = 8 << 20;
const MOST_ITEMS: usize = 1 << 17;

/// Bytes that are read at first; later parts double what there is.
const FIRST: usize = 8 << 10;

/// A number of records that is not known while they are written.
const STREAMING: u32 = u32::MAX;

const DIMENSION: u32 = 10;
const VARIABLE: u32 = 11;
const ATTRIBUTE: u32 = 12;

/// By nc_type. Bytes have no sign but what attributes say, characters are text.
const TYPES: [(u32, DType); 6] = [
    (1, DType::Int8),
    (CHARACTERS, DType::UInt8),
    (3, DType::Int16),
    (4, DType::Int32),
    (5, DType::Float32),
    (6, DType::Float64),
];
const CHARACTERS: u32 = 2;

/// Whether bytes begin as such a file does.
pub(super) fn detect(head: &[u8]) -> bool {
    matches!(head, [b'C', b'D', b'F', 1 | 2 | 5, ..])
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Classic {
    /// Its bytes.
    pub(super) raw: Vec<u8>,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) variables: Vec<Variable>,
    records: u64,
    /// Bytes from one record to the next.
    record: u64,
}

#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: String,
    /// Length, that of the records for theirs.
    pub(super) len: u64,
    is_record: bool,
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Numbers of its dimensions, the slowest first.
    pub(super) dimensions: Vec<usize>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) dtype: DType,
    pub(super) is_text: bool,
    /// Byte of the file at which its values begin.
    pub(super) begin: u64,
    /// Byte of the header.
    pub(super) at: usize,
    /// Whether it has values in each record.
    pub(super) in_records: bool,
}

pub(super) fn read(bytes: &dyn Bytes) -> Result<Classic> {
    let mut cursor = Cursor {
        bytes,
        read: Vec::new(),
        at: 0,
        wide: false,
        items: 0,
    };
    cursor.wide = match cursor.take(4)? {
        b"CDF\x01" => false,
        b"CDF\x02" => true,
        b"CDF\x05" => {
            let text = "this is NetCDF's format CDF-5, which no MINC file has";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        _ => return Err(wrong(0, "this is no NetCDF file")),
    };
    let records = cursor.u32()?;
    if records == STREAMING {
        let text = "the number of records is not known: the file was not closed";
        return Err(wrong(4, text));
    }
    let mut classic = Classic {
        raw: Vec::new(),
        dimensions: cursor.list(DIMENSION, Cursor::dimension)?,
        attributes: cursor.list(ATTRIBUTE, Cursor::attribute)?,
        variables: Vec::new(),
        records: records.into(),
        record: 0,
    };
    for dimension in &mut classic.dimensions {
        if dimension.is_record {
            dimension.len = records.into();
        }
    }
    let dimensions = &classic.dimensions;
    let variables = cursor.list(VARIABLE, |cursor| cursor.variable(dimensions))?;
    classic.variables = variables;
    classic.record = classic.record_len()?;
    cursor.read.truncate(cursor.at);
    classic.raw = cursor.read;
    Ok(classic)
}

impl Classic {
    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Lengths of a variable's dimensions, the slowest first.
    pub(super) fn shape(&self, variable: &Variable) -> Vec<u64> {
        let len = |&number: &usize| self.dimensions[number].len;
        variable.dimensions.iter().map(len).collect()
    }

    /// Bytes from one record of a variable to the next; `None` if it has none,
    /// and lies in one piece.
    pub(super) fn step(&self, variable: &Variable) -> Option<u64> {
        variable.in_records.then_some(self.record)
    }

    /// All values of a variable that is no text.
    pub(super) fn numbers(&self, bytes: &dyn Bytes, variable: &Variable) -> Result<Vec<f64>> {
        let size = variable.dtype.size() as u64;
        let piece = self.piece(variable)?;
        let (pieces, step) = match variable.in_records {
            true => (self.records, self.record),
            false => (1, 0),
        };
        let mut numbers = Vec::new();
        for number in 0..pieces {
            let offset = number.checked_mul(step);
            let begin = offset.and_then(|offset| variable.begin.checked_add(offset));
            let (Some(begin), Ok(len)) = (begin, usize::try_from(piece)) else {
                return Err(too_large(variable));
            };
            let stored = bytes.bytes_at(begin, len)?;
            if stored.len() < len {
                let end = begin + stored.len() as u64;
                let text = format!("the file ends within the values of '{}'", variable.name);
                return Err(Error::new(ErrorKind::Truncated, text).at(end));
            }
            let fields = Fields {
                bytes: &stored,
                order: ByteOrder::Big,
            };
            let places = (0..piece / size).map(|i| (i * size) as usize);
            numbers.extend(places.map(|at| fields.number(variable.dtype, at)));
        }
        Ok(numbers)
    }

    /// Bytes of a variable's values, those of one record if it has some.
    fn piece(&self, variable: &Variable) -> Result<u64> {
        let skip = usize::from(variable.in_records);
        let shape = self.shape(variable);
        let mut lengths = shape[skip..].iter();
        let size = variable.dtype.size() as u64;
        let bytes = lengths.try_fold(size, |n, &len| n.checked_mul(len));
        let bytes = bytes.filter(|&n| n <= i64::MAX as u64);
        bytes.ok_or_else(|| too_large(variable))
    }

    /// Those of all variables, each padded to 4 bytes, but not the only one.
    fn record_len(&self) -> Result<u64> {
        let in_records = || self.variables.iter().filter(|one| one.in_records);
        let is_alone = in_records().count() == 1;
        let mut sum = 0u64;
        for variable in in_records() {
            let piece = self.piece(variable)?;
            let padded = if is_alone {
                piece
            } else {
                piece.next_multiple_of(4)
            };
            let longer = sum.checked_add(padded).filter(|&n| n <= i64::MAX as u64);
            sum = longer.ok_or_else(|| too_large(variable))?;
        }
        Ok(sum)
    }
}

/// A place in a header, of which more is read as it is come to.
struct Cursor<'a> {
    bytes: &'a dyn Bytes,
    read: Vec<u8>,
    at: usize,
    /// Whether offsets have 8 bytes, not 4.
    wide: bool,
    /// How many were read or are about to be.
    items: usize,
}

impl Cursor<'_> {
    fn take(&mut self, len: usize) -> Result<&[u8]> {
        let end = self.at.saturating_add(len);
        while self.read.len() < end {
            if end > MOST {
                let text = format!("the header has more than {MOST} bytes");
                return Err(wrong(self.at, text));
            }
            let wanted = FIRST.max(self.read.len());
            let more = self.bytes.bytes_at(self.read.len() as u64, wanted)?;
            if more.is_empty() {
                let text = format!(
                    "the file ends within the header, after {} bytes",
                    self.read.len()
                );
                return Err(Error::new(ErrorKind::Truncated, text).at(self.at as u64));
            }
            self.read.extend(more);
        }
        let start = std::mem::replace(&mut self.at, end);
        Ok(&self.read[start..end])
    }

    /// Bytes, and what fills them up to a multiple of 4.
    fn padded(&mut self, len: usize) -> Result<&[u8]> {
        let room = len.checked_next_multiple_of(4).unwrap_or(usize::MAX);
        Ok(&self.take(room)?[..len])
    }

    fn u32(&mut self) -> Result<u32> {
        let bytes = self.take(4)?.first_chunk();
        Ok(bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes)))
    }

    fn u64(&mut self) -> Result<u64> {
        let bytes = self.take(8)?.first_chunk();
        Ok(bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }

    /// Fail if there are too many with so many more, of which a number at byte
    /// `at` tells.
    fn expect(&mut self, more: usize, at: usize) -> Result<()> {
        self.items = self.items.saturating_add(more);
        if self.items > MOST_ITEMS {
            let text = format!("the header has more than {MOST_ITEMS} items");
            return Err(wrong(at, text));
        }
        Ok(())
    }

    /// Items behind a tag and their number.
    fn list<T>(
        &mut self,
        tag: u32,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let at = self.at;
        let (found, count) = (self.u32()?, self.u32()?);
        let is_absent = found == 0 && count == 0;
        if found != tag && !is_absent {
            return Err(wrong(at, format!("tag {found} stands where {tag} should")));
        }
        self.expect(count as usize, at + 4)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn name(&mut self) -> Result<String> {
        let len = self.u32()? as usize;
        Ok(text_of(self.padded(len)?))
    }

    fn dimension(&mut self) -> Result<Dimension> {
        let name = self.name()?;
        let len = self.u32()?;
        Ok(Dimension {
            name,
            len: len.into(),
            is_record: len == 0,
        })
    }

    fn dtype(&mut self) -> Result<(DType, bool)> {
        let at = self.at;
        let code = self.u32()?;
        let found = TYPES.iter().find(|entry| entry.0 == code);
        let error = || wrong(at, format!("nc_type {code} is none"));
        found
            .map(|entry| (entry.1, code == CHARACTERS))
            .ok_or_else(error)
    }

    fn attribute(&mut self) -> Result<Attribute> {
        let name = self.name()?;
        let (dtype, is_text) = self.dtype()?;
        let at = self.at;
        let count = self.u32()? as usize;
        if !is_text {
            self.expect(count, at)?;
        }
        let len = count.saturating_mul(dtype.size());
        let bytes = self.padded(len)?;
        let fields = Fields {
            bytes,
            order: ByteOrder::Big,
        };
        let places = (0..len).step_by(dtype.size());
        let value = match dtype {
            _ if is_text => Value::Text(text_of(bytes)),
            DType::Float32 => Value::Singles(places.map(|at| fields.f32(at)).collect()),
            DType::Float64 => Value::Doubles(places.map(|at| fields.f64(at)).collect()),
            _ => Value::integers(places.map(|at| fields.number(dtype, at) as i64).collect()),
        };
        Ok(Attribute { name, value })
    }

    fn variable(&mut self, dimensions: &[Dimension]) -> Result<Variable> {
        let at = self.at;
        let name = self.name()?;
        let rank_at = self.at;
        let rank = self.u32()?;
        self.expect(rank as usize, rank_at)?;
        let mut numbers = Vec::new();
        for axis in 0..rank {
            let number = self.u32()? as usize;
            let Some(dimension) = dimensions.get(number) else {
                let text = format!("'{name}' has dimension {number} of {}", dimensions.len());
                return Err(wrong(at, text));
            };
            if dimension.is_record && axis > 0 {
                let text = format!("'{name}' has records along another axis than its first");
                return Err(wrong(at, text));
            }
            numbers.push(number);
        }
        let attributes = self.list(ATTRIBUTE, Cursor::attribute)?;
        let (dtype, is_text) = self.dtype()?;
        // vsize, which large variables do not have room for.
        self.u32()?;
        let begin = match self.wide {
            true => self.u64()?,
            false => self.u32()?.into(),
        };
        let first = numbers.first().map(|&number| &dimensions[number]);
        Ok(Variable {
            in_records: first.is_some_and(|dimension| dimension.is_record),
            name,
            dimensions: numbers,
            attributes,
            dtype,
            is_text,
            begin,
            at,
        })
    }
}

fn too_large(variable: &Variable) -> Error {
    let text = format!("the values of '{}' pass 2^63 bytes", variable.name);
    wrong(variable.at, text)
}

#[cfg(test)]
#[path = "netcdf_tests.rs"]
pub(super) mod tests;
