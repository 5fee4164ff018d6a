//! Headers as lists of named fields: what NiBabel has as NumPy structs. A
//! table says where each field stands, and one way of reading serves all; a
//! header that is a text has entries instead.

use super::entries::Entry;
use super::fields::Fields;
use super::labels::Words;
use super::mgh::{FOOTER_FIELDS, OfFooter};
use super::{Format, afni, labels, minc, parrec, tables};
use crate::core::dtype::ByteOrder;

/// How a field is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    I8,
    U8,
    U16,
    I16,
    U32,
    I32,
    I64,
    F32,
    F64,
    /// As many bytes as the field counts.
    Text,
}

impl Kind {
    /// Bytes of one of them.
    const fn size(self) -> usize {
        match self {
            Kind::I8 | Kind::U8 | Kind::Text => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::I64 | Kind::F64 => 8,
        }
    }
}

/// A field of a header's bytes.
#[derive(Debug)]
pub(crate) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Byte of the header.
    pub(super) at: usize,
    pub(super) count: usize,
    /// What its numbers mean.
    pub(super) words: Words,
}

impl Field {
    /// Byte behind it.
    pub(super) const fn end(&self) -> usize {
        self.at + self.count * self.kind.size()
    }

    /// What a header has there.
    pub(crate) fn read(&self, header: &[u8], order: ByteOrder) -> Value {
        let bytes = header;
        let fields = Fields { bytes, order };
        let places = (0..self.count).map(|i| self.at + i * self.kind.size());
        let ints = |read: &dyn Fn(usize) -> i64| Value::Ints {
            numbers: places.clone().map(read).collect(),
            words: self.words,
        };
        match self.kind {
            Kind::I8 => ints(&|at| fields.i8(at).into()),
            Kind::U8 => ints(&|at| fields.u8(at).into()),
            Kind::U16 => ints(&|at| fields.u16(at).into()),
            Kind::I16 => ints(&|at| fields.i16(at).into()),
            Kind::U32 => ints(&|at| fields.u32(at).into()),
            Kind::I32 => ints(&|at| fields.i32(at).into()),
            Kind::I64 => ints(&|at| fields.i64(at)),
            Kind::F32 => Value::Singles(places.map(|at| fields.f32(at)).collect()),
            Kind::F64 => Value::Doubles(places.map(|at| fields.f64(at)).collect()),
            Kind::Text => {
                let bytes = header.get(self.at..self.end());
                Value::Text(text_of(bytes.unwrap_or_default()))
            }
        }
    }
}

/// The text that stands before the first NUL: UTF-8, or else Latin-1.
pub(super) fn text_of(field: &[u8]) -> String {
    let bytes = field.split(|&byte| byte == 0).next().unwrap_or_default();
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return text.into(),
        Err(error) => error,
    };
    // Writers that fill the field cut the last character; what stands before
    // shows that it is one.
    let whole = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
    let is_full = bytes.len() == field.len() && error.error_len().is_none();
    match is_full && !whole.is_ascii() {
        true => whole.into(),
        false => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Where a field has its value from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    Header(&'static Field),
    /// Of a header that is a text.
    Entry(&'a Entry),
    /// What stands behind an MGH file's data.
    Footer(OfFooter),
    /// The unit of lengths, see [`units`].
    SpaceUnit,
    TimeUnit,
    /// The directions of the best affine's axes.
    Orientation,
}

/// The fields of a header by name: those of its format's struct, or its own if
/// it is a text, in its order, and what is derived from them.
pub(crate) fn fields(
    format: Format,
    entries: &[Entry],
) -> impl Iterator<Item = (&str, Origin<'_>)> {
    let own = tables::of(format);
    let footer = match format {
        Format::Mgh => &FOOTER_FIELDS[..],
        _ => &[],
    };
    let derived = [
        ("space_unit", Origin::SpaceUnit),
        ("time_unit", Origin::TimeUnit),
        ("orientation", Origin::Orientation),
    ];
    // No header, nothing to derive.
    let has_header = !own.is_empty() || !entries.is_empty();
    let derived = derived.into_iter().filter(move |_| has_header);
    let own = own.iter().map(|field| (field.name, Origin::Header(field)));
    let footer = footer.iter().map(|&(name, of)| (name, Origin::Footer(of)));
    let entries = entries.iter();
    let entries = entries.map(|entry| (entry.name.as_str(), Origin::Entry(entry)));
    own.chain(entries).chain(footer).chain(derived)
}

/// The units of lengths and times.
pub(crate) fn units(
    format: Format,
    (header, order): (&[u8], ByteOrder),
    entries: &[Entry],
) -> [String; 2] {
    let mut own = tables::of(format).iter();
    let code = own
        .find(|field| matches!(field.words, Words::Units))
        .and_then(|field| field.read(header, order).ints()?.first().copied());
    match (code, format) {
        (Some(code), _) => labels::units(code),
        (None, Format::Afni) => ["mm".into(), afni::time_unit(header, entries)],
        (None, Format::Minc1 | Format::Minc2) => minc::units(entries),
        (None, Format::ParRec) => ["mm", parrec::time_unit(header, entries)].map(String::from),
        (None, Format::Mgh) => ["mm", "msec"].map(String::from),
        (None, _) => ["mm", "unknown"].map(String::from),
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Ints { numbers: Vec<i64>, words: Words },
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
    Text(String),
}

impl Value {
    /// Integers that are no codes.
    pub(super) fn integers(numbers: Vec<i64>) -> Value {
        let words = Words::None;
        Value::Ints { numbers, words }
    }

    /// Several of one kind as one.
    pub(super) fn joined(values: impl IntoIterator<Item = Value>) -> Option<Value> {
        values.into_iter().reduce(|all, more| match (all, more) {
            (Value::Ints { mut numbers, words }, Value::Ints { numbers: more, .. }) => {
                numbers.extend(more);
                Value::Ints { numbers, words }
            }
            (Value::Singles(mut all), Value::Singles(more)) => {
                all.extend(more);
                Value::Singles(all)
            }
            (Value::Doubles(mut all), Value::Doubles(more)) => {
                all.extend(more);
                Value::Doubles(all)
            }
            (Value::Text(mut all), more) => {
                all.extend([", ", &more.text()]);
                Value::Text(all)
            }
            (all, more) => Value::Text(format!("{}, {}", all.text(), more.text())),
        })
    }

    /// The integers; `None` if it holds others.
    pub(crate) fn ints(self) -> Option<Vec<i64>> {
        match self {
            Value::Ints { numbers, .. } => Some(numbers),
            _ => None,
        }
    }

    /// The numbers, integers too.
    pub(crate) fn reals(self) -> Option<Vec<f64>> {
        match self {
            Value::Ints { numbers, .. } => Some(numbers.iter().map(|&n| n as f64).collect()),
            Value::Singles(numbers) => Some(numbers.iter().map(|&x| x.into()).collect()),
            Value::Doubles(numbers) => Some(numbers),
            Value::Text(_) => None,
        }
    }

    /// In words where its numbers are codes, else as decimal numbers.
    pub(crate) fn text(self) -> String {
        match self {
            Value::Ints { numbers, words } => listed(&numbers, |&n| words.of(n)),
            Value::Singles(numbers) => listed(&numbers, |&x| decimal(x, x.into())),
            Value::Doubles(numbers) => listed(&numbers, |&x| decimal(x, x)),
            Value::Text(text) => text,
        }
    }
}

fn listed<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The shortest digits that are read back as the same number of its precision;
/// with an exponent where there would be many zeros.
fn decimal<T: std::fmt::Display + std::fmt::LowerExp>(x: T, size: f64) -> String {
    let size = size.abs();
    if size == 0.0 || !size.is_finite() || (1e-4..1e16).contains(&size) {
        format!("{x}")
    } else {
        format!("{x:e}")
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
