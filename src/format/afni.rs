//! AFNI's datasets: a text (.HEAD) of attributes, and an image (.BRIK) of
//! sub-bricks, one volume after the other. Names are those of AFNI's
//! README.attributes.
//!
//! Attributes are blocks of lines with an empty line between them: type, name,
//! number of values, values. Texts begin with ' and end with ~.

use std::collections::HashMap;

use super::affine::{self, Affine, Matrix, Plain};
use super::entries::{self, Content, Entry, Head, Kind, is_of, parsed, short, words};
use super::labels;
use super::record::Value;
use super::{Bytes, Format, Header, Notes, too_large, wrong};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::Layout;
use crate::core::scale::{Factors, Meaning};
use crate::error::{Error, Result};

/// Sub-bricks that can have factors of their own: as many as can be read.
const BRICKS: usize = entries::NUMBERS;

/// Attributes that a header has at most; some tools write one or two for each
/// sub-brick.
const ATTRIBUTES: usize = 1 << 16;

/// AFNI's complex numbers are two float32.
const TYPES: [(i64, DType); 4] = [
    (0, DType::UInt8),
    (1, DType::Int16),
    (3, DType::Float32),
    (5, DType::Complex64),
];

const KINDS: [(&str, Kind); 3] = [
    ("integer-attribute", Kind::Ints),
    ("float-attribute", Kind::Reals),
    ("string-attribute", Kind::Text),
];

/// Whether bytes begin with an attribute.
pub(super) fn detect(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    setting(line, "type").is_some_and(|kind| kind.ends_with("-attribute"))
}

pub(super) fn read(bytes: &dyn Bytes, strict: bool) -> Result<Header> {
    let text = entries::whole(bytes)?;
    let mut notes = Notes::new(strict);
    let entries = attributes(&text, &mut notes)?;
    let head = Head {
        text: &text,
        entries: &entries,
    };
    let byte_order = head.byte_order(&mut notes)?;
    let dtype = head.dtype()?;
    let shape = head.shape()?;
    let packed = Layout::packed(dtype, Order::F, &shape, 0);
    let packed =
        packed.ok_or_else(|| too_large(head.at("DATASET_DIMENSIONS"), (&shape, dtype), 0))?;
    let factors = head.factors(&packed, &mut notes)?;
    let layout = head.layout(packed, &factors)?;
    let zooms = head.zooms(&mut notes)?;
    let affine = Plain {
        base: affine::base(&shape[..3], &zooms[..3]),
        best: head.affine(&mut notes)?,
    };
    let meaning = |factors| Meaning {
        byte_order,
        factors,
    };
    Ok(Header {
        meanings: factors.into_iter().map(meaning).collect(),
        zooms: zooms.to_vec(),
        affine: Affine::Plain(Box::new(affine)),
        notes,
        image: Some("brik"),
        entries,
        ..Header::new(Format::Afni, text, (layout, byte_order))
    })
}

/// The unit of TAXIS_FLOATS, the times.
pub(super) fn time_unit(header: &[u8], entries: &[Entry]) -> String {
    let found = entries.iter().find(|entry| entry.name == "TAXIS_NUMS");
    let nums = found.and_then(|entry| entry.read(header).ints());
    let code = nums.and_then(|nums| nums.get(2).copied());
    labels::afni_time(code.unwrap_or(0)).into()
}

/// The attributes of a header, each name once.
fn attributes(text: &[u8], notes: &mut Notes) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_ascii_start().len();
        if at == text.len() {
            return Ok(entries);
        }
        let end = at + block_len(&text[at..]);
        let entry = entry(text, at, end, notes)?;
        at = end;
        match numbers.get(&entry.name) {
            Some(&number) => {
                let text = format!(
                    "there is a second {}, which counts",
                    short(entry.name.as_bytes())
                );
                notes.add(20, entry.at, text)?;
                entries[number] = entry;
            }
            None if entries.len() == ATTRIBUTES => {
                let text = format!("there are more than {ATTRIBUTES} attributes");
                return Err(wrong(entry.at as usize, text));
            }
            None => {
                numbers.insert(entry.name.clone(), entries.len());
                entries.push(entry);
            }
        }
    }
}

/// Bytes up to an empty line.
fn block_len(text: &[u8]) -> usize {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let is_empty = |line: &&[u8]| matches!(*line, b"\n" | b"\r\n");
    lines
        .take_while(|line| !is_empty(line))
        .map(<[u8]>::len)
        .sum()
}

/// The attribute of the block from `at` to `end`.
fn entry(text: &[u8], at: usize, end: usize, notes: &mut Notes) -> Result<Entry> {
    let mut start = at;
    let mut line = |key: &str| {
        let rest = &text[start..end];
        let len = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..len.unwrap_or(rest.len())];
        start += len.map_or(rest.len(), |len| len + 1);
        setting(line, key).ok_or_else(|| {
            let text = format!(
                "an attribute has '{}' where its {key} should be",
                short(line)
            );
            wrong(at, text)
        })
    };
    let (kind, name, count) = (line("type")?, line("name")?, line("count")?);
    let found = KINDS.iter().find(|entry| entry.0 == kind);
    let Some(&(_, kind)) = found else {
        let text = format!(
            "{} has the type '{}', wanted integer-, float- or string-attribute",
            short(name.as_bytes()),
            short(kind.as_bytes())
        );
        return Err(wrong(at, text));
    };
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        let text = format!("'{}' is no name of an attribute", short(name.as_bytes()));
        return Err(wrong(at, text));
    }
    let mut value = &text[start..end];
    start += value.len() - value.trim_ascii_start().len();
    value = value.trim_ascii();
    if kind == Kind::Text {
        if let Some(rest) = value.strip_prefix(b"'") {
            (value, start) = (rest, start + 1);
        }
        while let Some(rest) = value.strip_suffix(b"~") {
            value = rest;
        }
    } else {
        check_numbers(value, kind, (name, count), at, notes)?;
    }
    Ok(Entry {
        name: name.into(),
        at: at as u64,
        content: Content::Written(kind, start..start + value.len()),
    })
}

/// Fail if numbers cannot be read; note if they are not as many as they should.
fn check_numbers(
    value: &[u8],
    kind: Kind,
    (name, count): (&str, &str),
    at: usize,
    notes: &mut Notes,
) -> Result<()> {
    if let Some(word) = words(value).find(|word| !is_of(kind, word)) {
        let what = match kind {
            Kind::Ints => "integer",
            _ => "number",
        };
        let text = format!(
            "{} holds '{}', which is no {what}",
            short(name.as_bytes()),
            short(word)
        );
        return Err(wrong(at, text));
    }
    let found = words(value).count();
    if parsed(count.as_bytes()) != Some(found) {
        let count = short(count.as_bytes());
        let text = format!(
            "{} has {found} values, its count is {count}",
            short(name.as_bytes())
        );
        notes.add(20, at as u64, text)?;
    }
    Ok(())
}

/// What stands behind `key =` in a line.
fn setting<'a>(line: &'a [u8], key: &str) -> Option<&'a str> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once('=')?;
    (name.trim() == key).then(|| value.trim())
}

impl Head<'_> {
    /// The integers of an attribute that must have so many, or more.
    fn ints(&self, name: &str, least: usize) -> Result<Vec<i64>> {
        let found = self.value(name, "integers", Value::ints)?;
        let ints = found.ok_or_else(|| self.missing(name))?;
        if ints.len() < least {
            let text = format!("{name} has {} values, wanted {least} or more", ints.len());
            return Err(self.wrong(name, text));
        }
        Ok(ints)
    }

    fn missing(&self, name: &str) -> Error {
        self.wrong(name, format!("the attribute {name} is missing"))
    }

    fn byte_order(&self, notes: &mut Notes) -> Result<ByteOrder> {
        const NAME: &str = "BYTEORDER_STRING";
        let text = |value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let found = self.value(NAME, "text", text)?;
        let found = found.ok_or_else(|| self.missing(NAME))?;
        match found.as_str() {
            "LSB_FIRST" => Ok(ByteOrder::Little),
            "MSB_FIRST" => Ok(ByteOrder::Big),
            other => {
                let text = format!(
                    "{NAME} is '{}', wanted LSB_FIRST or MSB_FIRST: taken as this machine's",
                    short(other.as_bytes())
                );
                notes.add(20, self.at(NAME) as u64, text)?;
                Ok(ByteOrder::NATIVE)
            }
        }
    }

    fn dtype(&self) -> Result<DType> {
        const NAME: &str = "BRICK_TYPES";
        let codes = self.ints(NAME, 1)?;
        if let Some(other) = codes.iter().find(|&&code| code != codes[0]) {
            let text = format!(
                "{NAME} holds {} and {other}, wanted one type for all sub-bricks",
                codes[0]
            );
            return Err(self.wrong(NAME, text));
        }
        let found = TYPES.iter().find(|entry| entry.0 == codes[0]);
        found.map(|entry| entry.1).ok_or_else(|| {
            let text = format!(
                "{NAME} is {}, which names no type that can be read",
                codes[0]
            );
            self.wrong(NAME, text)
        })
    }

    /// Three axes of space, then sub-bricks.
    fn shape(&self) -> Result<Vec<i64>> {
        let rank = self.ints("DATASET_RANK", 2)?;
        if rank[0] != 3 {
            let text = format!("DATASET_RANK begins with {}, wanted 3", rank[0]);
            return Err(self.wrong("DATASET_RANK", text));
        }
        let mut shape = self.ints("DATASET_DIMENSIONS", 3)?;
        shape.truncate(3);
        shape.push(rank[1]);
        let Some(axis) = shape.iter().position(|&n| n < 0) else {
            return Ok(shape);
        };
        let name = match axis {
            3 => "DATASET_RANK",
            _ => "DATASET_DIMENSIONS",
        };
        let text = format!(
            "axis {axis} has the length {}, wanted 0 or more",
            shape[axis]
        );
        Err(self.wrong(name, text))
    }

    /// What the sub-bricks' elements mean: one for all of them, or as many as
    /// the header has, and then one for the rest.
    fn factors(&self, packed: &Layout, notes: &mut Notes) -> Result<Vec<Factors>> {
        const NAME: &str = "BRICK_FLOAT_FACS";
        let found = self.value(NAME, "numbers", Value::reals)?;
        let mut slopes = found.unwrap_or_default();
        if slopes.len() > BRICKS {
            let text = format!("{NAME} has more than {BRICKS} values");
            return Err(self.wrong(NAME, text));
        }
        // Zeros at the end say no more than their absence.
        let used = slopes.iter().rposition(|&slope| slope != 0.0);
        slopes.truncate(used.map_or(0, |last| last + 1));
        if slopes.is_empty() {
            return Ok(vec![Factors::NONE]);
        }
        let bricks = packed.shape[3];
        if slopes.len() as i64 > bricks {
            let text = format!("{NAME} has {} values for {bricks} sub-bricks", slopes.len());
            return Err(self.wrong(NAME, text));
        }
        for slope in &mut slopes {
            *slope = if *slope == 0.0 { 1.0 } else { *slope };
        }
        if (slopes.len() as i64) < bricks {
            slopes.push(1.0);
        }
        // NaN is as good as NaN.
        if slopes.iter().all(|x| x.to_bits() == slopes[0].to_bits()) {
            slopes.truncate(1);
        }
        let factors: Vec<Factors> = slopes.iter().map(|&x| Factors::double(x, -0.0)).collect();
        let is_odd =
            |factors: &&Factors| !factors.slope.is_finite() || factors.overflows(packed.dtype);
        if let Some(odd) = factors.iter().find(is_odd) {
            let text = format!("{NAME} holds {}: some values are not finite", odd.slope);
            notes.add(10, self.at(NAME) as u64, text)?;
        }
        Ok(factors)
    }

    /// Blocks along the fourth axis, if sub-bricks do not mean the same.
    fn layout(&self, packed: Layout, factors: &[Factors]) -> Result<Layout> {
        let last = factors.len() as u32 - 1;
        if last == 0 {
            return Ok(packed);
        }
        let bricks = packed.shape[3];
        if bricks > BRICKS as i64 {
            let text =
                format!("{bricks} sub-bricks are too many for factors, {BRICKS} are possible");
            return Err(self.wrong("DATASET_RANK", text));
        }
        let cut = packed.cut(&[3], |place| place[3].min(i64::from(last)) as u32);
        cut.ok_or_else(|| self.wrong("DATASET_RANK", "the sub-bricks have no place".into()))
    }

    /// Millimetres, and the time step in the header's unit, 0 if there is none.
    fn zooms(&self, notes: &mut Notes) -> Result<[f64; 4]> {
        let mut zooms = [1.0, 1.0, 1.0, 0.0];
        let delta = self.value("DELTA", "numbers", Value::reals)?;
        match delta.unwrap_or_default().first_chunk::<3>() {
            Some(delta) => zooms[..3].copy_from_slice(&delta.map(f64::abs)),
            None => {
                let text = "DELTA does not have the sizes of voxels: taken as 1";
                notes.add(30, self.at("DELTA") as u64, text.into())?;
            }
        }
        let times = self.value("TAXIS_FLOATS", "numbers", Value::reals)?;
        zooms[3] = times.and_then(|times| times.get(1).copied()).unwrap_or(0.0);
        Ok(zooms)
    }

    /// From indices to the world. AFNI has DICOM's: x grows to the left, y to
    /// the back. NiBabel refuses a header without one; the data can be read.
    fn affine(&self, notes: &mut Notes) -> Result<Result<Matrix>> {
        const NAME: &str = "IJK_TO_DICOM_REAL";
        let found = self.value(NAME, "numbers", Value::reals)?;
        let found = found.unwrap_or_default();
        let Ok(numbers) = <[f64; 12]>::try_from(found) else {
            let text = format!("{NAME} does not have 12 numbers");
            notes.add(
                30,
                self.at(NAME) as u64,
                format!("{text}: the affine is unknown"),
            )?;
            return Ok(Err(self.wrong(NAME, text)));
        };
        let mut rows = [[0.0; 4]; 3];
        rows.as_flattened_mut().copy_from_slice(&numbers);
        for row in &mut rows[..2] {
            *row = row.map(|x| -x);
        }
        Ok(Ok(affine::with_last_row(&rows)))
    }
}

#[cfg(test)]
#[path = "afni_tests.rs"]
mod tests;
