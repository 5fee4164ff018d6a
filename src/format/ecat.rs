//! ECAT 7 (.v), PET images of CTI's and Siemens' scanners, in blocks of 512
//! bytes that are numbered from 1. The first is the main header; with the
//! second begins the directory, a chain of blocks that list the frames; each
//! frame is a subheader of one block with the data behind. Names are those of
//! `nibabel.ecat`.

use std::collections::HashSet;

use super::affine::{self, Affine, Matrix, Plain};
use super::entries::Entry;
use super::fields::Fields;
use super::record::{Field, Value};
use super::tables::ECAT_FRAME;
use super::{Bytes, Format, Header, Notes, too_large, wrong};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::{Block, Layout};
use crate::core::scale::{Arithmetic, Factors, Meaning};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

const BLOCK: usize = 512;

const MAGIC: &[u8] = b"MATRIX7";
/// The version that tells the byte order.
const SW_VERSION: u16 = 74;
/// Those of ECAT 7.
const SW_VERSIONS: std::ops::RangeInclusive<u16> = 70..=SW_VERSION;

const SW_VERSION_AT: usize = 46;
const FILE_TYPE_AT: usize = 50;
const CALIBRATION_AT: usize = 144;
const ORIENTATION_AT: usize = 330;
const NUM_FRAMES_AT: usize = 354;

/// Values of file_type whose subheaders have other fields: scans, attenuation,
/// normalisation, polar maps, projections.
const NO_IMAGES: [u16; 10] = [1, 3, 4, 5, 8, 9, 11, 12, 13, 14];

/// Number of the block in which the directory begins.
const DIRECTORY: i32 = 2;
/// Entries that a block of the directory has room for.
const ENTRIES: i32 = 31;
/// How often the directory can go back in a compressed file: each time it may have
/// to be decoded again.
const MOST_BACK: usize = 8;
/// Bytes of an entry, and of what stands before them: four 32-bit integers.
const ENTRY: usize = 16;

/// Bytes of a subheader's fields.
const SUBHEADER: usize = 510;
const DIMENSIONS_AT: usize = 4;
const OFFSETS_AT: usize = 10;
const SCALE_AT: usize = 26;
const PIXEL_SIZES_AT: usize = 34;

/// By data_type.
const TYPES: [(u16, DType); 7] = [
    (1, DType::UInt8),
    (2, DType::Int16),
    (3, DType::Int32),
    (VAX_FLOATS, DType::Float32),
    (5, DType::Float32),
    (6, DType::Int16),
    (7, DType::Int32),
];
const VAX_FLOATS: u16 = 4;

/// Whether bytes begin as ECAT 7 does.
pub(super) fn detect(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Whether a file without the magic text may be one all the same: its version
/// and the beginning of its directory are possible.
pub(super) fn is_possible(bytes: &dyn Bytes, head: &[u8]) -> Result<bool> {
    let main = main_fields(head);
    if !SW_VERSIONS.contains(&main.u16(SW_VERSION_AT)) {
        return Ok(false);
    }
    let raw = bytes.bytes_at(start_of(DIRECTORY), ENTRY)?;
    let row = Fields {
        bytes: &raw,
        ..main
    };
    Ok(used(&row).is_some_and(|used| used > 0))
}

pub(super) fn read(bytes: &dyn Bytes, strict: bool) -> Result<Header> {
    let raw = bytes.bytes_at(0, BLOCK)?;
    if raw.len() < BLOCK {
        let text = format!(
            "an ecat main header has {BLOCK} bytes, the file has {}",
            raw.len()
        );
        return Err(wrong(raw.len() as u64, text));
    }
    let main = main_fields(&raw);
    let order = main.order;
    let mut notes = Notes::new(strict);
    note_file_type(&main, &mut notes)?;
    let mut entries = directory(bytes, &main)?;
    note_missing(&main, entries.len(), &mut notes)?;
    // What holds for all is taken from the frame that is listed first.
    let first = entries[0];
    // In the order of their ids; those of the same id as they are listed.
    entries.sort_by_key(|entry| entry.id);
    let model = subheader(bytes, order, first)?
        .ok_or_else(|| wrong(first.at(), format!("{} is behind the end", first.name())))?;
    let subheaders = subheaders(bytes, &entries, (&model, order), &mut notes)?;
    let factors = factors(&main, &subheaders, &mut notes)?;
    let layout = layout(&model, &entries, main.u16(ORIENTATION_AT))?;
    let zooms = model.zooms.map(f64::from);
    let meaning = |factors| Meaning {
        byte_order: order,
        factors,
    };
    Ok(Header {
        meanings: factors.into_iter().map(meaning).collect(),
        entries: frame_fields(&subheaders, order),
        // NiBabel gives no length of time: frames may differ in theirs.
        zooms: [&zooms[..], &[1.0]].concat(),
        affine: Affine::Plain(Box::new(Plain {
            best: Ok(model.affine()),
            base: affine::base(&model.shape, &zooms),
        })),
        notes,
        ..Header::new(Format::Ecat, raw, (layout, order))
    })
}

/// The main header's fields. The version tells their order: big-endian, unless
/// it is 74 in the other.
fn main_fields(head: &[u8]) -> Fields<'_> {
    let in_order = |order| Fields { bytes: head, order };
    let little = in_order(ByteOrder::Little);
    match little.u16(SW_VERSION_AT) {
        SW_VERSION => little,
        _ => in_order(ByteOrder::Big),
    }
}

fn note_file_type(main: &Fields<'_>, notes: &mut Notes) -> Result<()> {
    let file_type = main.u16(FILE_TYPE_AT);
    if !NO_IMAGES.contains(&file_type) {
        return Ok(());
    }
    let text = format!("file_type is {file_type}, which is no image, but is read like one");
    notes.add(10, FILE_TYPE_AT as u64, text)
}

fn note_missing(main: &Fields<'_>, found: usize, notes: &mut Notes) -> Result<()> {
    let wanted = main.u16(NUM_FRAMES_AT);
    if found == usize::from(wanted) {
        return Ok(());
    }
    let text = format!("num_frames is {wanted}, the directory lists {found}");
    notes.add(10, NUM_FRAMES_AT as u64, text)
}

/// A frame as the directory lists it.
#[derive(Debug, Clone, Copy)]
struct Listed {
    /// Matrix id.
    id: i32,
    /// Number of the subheader's block.
    block: i32,
}

impl Listed {
    /// Byte of the subheader.
    fn at(&self) -> u64 {
        start_of(self.block)
    }

    fn name(&self) -> String {
        format!("the frame of matrix id {} in block {}", self.id, self.block)
    }
}

/// Byte of a block whose number is positive.
fn start_of(block: i32) -> u64 {
    (i64::from(block) - 1) as u64 * BLOCK as u64
}

/// Entries that a block of the directory has; `None` if it is none.
fn used(row: &Fields<'_>) -> Option<i32> {
    let (free, used) = (row.i32(0), row.i32(12));
    (0..=ENTRIES).contains(&used).then_some(used)?;
    (free == ENTRIES - used).then_some(used)
}

/// The frames of the directory that are there, at least one.
fn directory(bytes: &dyn Bytes, main: &Fields<'_>) -> Result<Vec<Listed>> {
    let most = usize::from(main.u16(NUM_FRAMES_AT));
    let (mut entries, mut listed) = (Vec::new(), 0);
    let (mut block, mut seen) = (DIRECTORY, HashSet::new());
    let mut back = 0;
    loop {
        let at = start_of(block);
        // Without entries, too, a block is one of a few.
        if !seen.insert(block) || seen.len() > most + 1 {
            let text = format!("the directory goes on without an end in block {block}");
            return Err(wrong(at, text));
        }
        let raw = bytes.bytes_at(at, BLOCK)?;
        let rows = Fields {
            bytes: &raw,
            ..*main
        };
        let used = used(&rows).filter(|_| raw.len() == BLOCK);
        let used = used.ok_or_else(|| wrong(at, format!("block {block} is no directory")))?;
        listed += used as usize;
        if listed > most {
            let text = format!("num_frames is {most}, the directory lists more");
            return Err(wrong(NUM_FRAMES_AT as u64, text));
        }
        for row in 1..=used as usize {
            entries.extend(entry(&rows, row * ENTRY, at)?);
        }
        let next = rows.i32(4);
        if next <= DIRECTORY {
            break;
        }
        back += usize::from(next < block);
        if back > MOST_BACK && bytes.is_packed() {
            let text = format!("the directory goes back {back} times, in block {block} again");
            return Err(wrong(at, text));
        }
        block = next;
    }
    if entries.is_empty() {
        let text = "the directory lists no frames";
        return Err(wrong(start_of(DIRECTORY), text));
    }
    Ok(entries)
}

/// An entry at a byte of a directory's block; `None` for one that is not used.
fn entry(rows: &Fields<'_>, at: usize, block_at: u64) -> Result<Option<Listed>> {
    let (id, block) = (rows.i32(at), rows.i32(at + 4));
    if id <= 0 {
        return Ok(None);
    }
    let entry = Listed { id, block };
    if block <= DIRECTORY {
        let text = format!(
            "{} is none: subheaders are behind the directory",
            entry.name()
        );
        return Err(wrong(block_at + at as u64, text));
    }
    Ok(Some(entry))
}

/// What a frame's subheader says.
#[derive(Debug)]
struct Subheader {
    /// Its byte of the file.
    at: u64,
    data_type: u16,
    dtype: DType,
    shape: [i64; 3],
    scale: f32,
    /// Millimetres.
    zooms: [f32; 3],
    offsets: [f32; 3],
    raw: Vec<u8>,
}

/// A frame's subheader; `None` if the file ends before.
fn subheader(bytes: &dyn Bytes, order: ByteOrder, entry: Listed) -> Result<Option<Subheader>> {
    let at = entry.at();
    let raw = bytes.bytes_at(at, BLOCK)?;
    if raw.len() < SUBHEADER {
        return Ok(None);
    }
    let fields = Fields { bytes: &raw, order };
    let data_type = fields.u16(0);
    let found = TYPES.iter().find(|entry| entry.0 == data_type);
    let Some(&(_, dtype)) = found else {
        let text = format!("data_type is {data_type}, which names no type that can be read");
        return Err(wrong(at, text));
    };
    let floats = |at: usize| [0, 1, 2].map(|i| fields.f32(at + 4 * i));
    Ok(Some(Subheader {
        at,
        data_type,
        dtype,
        shape: [0, 1, 2].map(|i| fields.u16(DIMENSIONS_AT + 2 * i).into()),
        scale: fields.f32(SCALE_AT),
        // From centimetres, in single precision, as NiBabel has it.
        zooms: floats(PIXEL_SIZES_AT).map(|size| size * 10.0),
        offsets: floats(OFFSETS_AT),
        raw,
    }))
}

impl Subheader {
    /// The centre of the frame at the offsets, axes along the world's.
    fn affine(&self) -> Matrix {
        let mut rows = [[0.0; 4]; 3];
        for (axis, row) in rows.iter_mut().enumerate() {
            let zoom = f64::from(self.zooms[axis]);
            let half = (self.shape[axis] - 1) as f64 / 2.0;
            row[axis] = zoom;
            row[3] = -half * zoom + f64::from(self.offsets[axis]);
        }
        affine::with_last_row(&rows)
    }

    /// Whether frames are in one place, as `numpy.allclose` has it.
    fn is_at(&self, other: &Subheader) -> bool {
        let [here, there] = [self, other].map(Subheader::affine);
        let mut pairs = here.as_flattened().iter().zip(there.as_flattened());
        pairs.all(|(x, y)| x == y || (x - y).abs() <= 1e-8 + 1e-5 * y.abs())
    }
}

/// What the frames' subheaders say, which have to be like the model. Those that
/// the file ends before, or that are damaged, are none.
fn subheaders(
    bytes: &dyn Bytes,
    entries: &[Listed],
    (model, order): (&Subheader, ByteOrder),
    notes: &mut Notes,
) -> Result<Vec<Option<Subheader>>> {
    let mut all: Vec<Option<Subheader>> = entries.iter().map(|_| None).collect();
    // Compressed files are decoded forward, and up to where they end once.
    let mut numbers: Vec<usize> = (0..entries.len()).collect();
    numbers.sort_by_key(|&number| entries[number].block);
    let twice = numbers
        .windows(2)
        .find(|pair| entries[pair[0]].block == entries[pair[1]].block);
    if let Some(&[one, other]) = twice {
        let text = format!("frames {one} and {other} have one subheader");
        return Err(wrong(entries[other].at() as usize, text));
    }
    let (mut there, mut elsewhere, mut vax) = (0, None, None);
    for &number in &numbers {
        let found = match subheader(bytes, order, entries[number]) {
            Err(error) if !notes.strict && is_damage(&error) => None,
            found => found?,
        };
        let Some(frame) = found else {
            break;
        };
        there += 1;
        check_alike(number, &frame, model)?;
        if !model.is_at(&frame) {
            elsewhere.get_or_insert(frame.at);
        }
        if frame.data_type == VAX_FLOATS {
            vax.get_or_insert(frame.at);
        }
        all[number] = Some(frame);
    }
    if let Some(at) = vax {
        let text = "data_type is that of VAX floats, which are read as IEEE's".into();
        notes.add(20, at, text)?;
    }
    if let Some(at) = elsewhere {
        let text = "the frames' affines differ: that of the first in the directory is taken".into();
        notes.add(10, at, text)?;
    }
    let missing = &numbers[there..];
    let Some(least) = missing.iter().min() else {
        return Ok(all);
    };
    let text = format!(
        "the file ends or is damaged before the subheaders of {} frames, of which frame {least} is the first",
        missing.len()
    );
    if notes.strict {
        return Err(Error::new(ErrorKind::Truncated, text).at(entries[missing[0]].at()));
    }
    notes.texts.push(text);
    Ok(all)
}

/// What each frame's elements mean: nothing where that is not known.
fn factors(
    main: &Fields<'_>,
    subheaders: &[Option<Subheader>],
    notes: &mut Notes,
) -> Result<Vec<Factors>> {
    let calibration = main.f32(CALIBRATION_AT);
    let scale = |frame: &Option<Subheader>| frame.as_ref().map_or(f32::NAN, |frame| frame.scale);
    let factors = |frame| Factors {
        slope: calibration.into(),
        more: scale(frame).into(),
        arithmetic: Arithmetic::AsStored,
        ..Factors::NONE
    };
    let all: Vec<Factors> = subheaders.iter().map(factors).collect();
    let mut there = all
        .iter()
        .zip(subheaders)
        .filter(|(_, frame)| frame.is_some());
    if let Some((odd, _)) = there.find(|(factors, _)| !factors.is_finite()) {
        let text = format!(
            "some values are not finite: the calibration factor is {calibration}, a scale factor {}",
            odd.more
        );
        notes.add(10, CALIBRATION_AT as u64, text)?;
    }
    Ok(all)
}

/// The fields of all subheaders: of each the values of one frame after the
/// other, 0 where a subheader is missing.
fn frame_fields(subheaders: &[Option<Subheader>], order: ByteOrder) -> Vec<Entry> {
    let at = subheaders.iter().flatten().map(|frame| frame.at).min();
    let entry = |field: &Field| {
        let raw = |frame: &Option<Subheader>| match frame {
            Some(frame) => field.read(&frame.raw, order),
            None => field.read(&[], order),
        };
        let value = Value::joined(subheaders.iter().map(raw))?;
        Some(Entry::of(field.name.into(), at.unwrap_or(0), value))
    };
    ECAT_FRAME.iter().filter_map(entry).collect()
}

/// Whether a part of the file cannot be read, which others need not be.
fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Codec | ErrorKind::Truncated)
}

fn check_alike(number: usize, frame: &Subheader, model: &Subheader) -> Result<()> {
    if (frame.dtype, frame.shape) == (model.dtype, model.shape) {
        return Ok(());
    }
    let text = format!(
        "frame {number} has shape {} and type {}, another has shape {} and type {}",
        shape::text(&frame.shape),
        frame.dtype,
        shape::text(&model.shape),
        model.dtype
    );
    Err(Error::new(ErrorKind::Unsupported, text).at(frame.at))
}

/// Whether the axes are stored from their ends, by patient_orientation: feet
/// first, head first, or unknown.
fn reversed(orientation: u16) -> [bool; 3] {
    match orientation {
        0 | 2 | 4 | 6 => [false, true, true],
        1 | 3 | 5 | 7 => [true; 3],
        _ => [false; 3],
    }
}

/// The frames along a fourth axis, one block each.
fn layout(model: &Subheader, entries: &[Listed], orientation: u16) -> Result<Layout> {
    let mut strides = shape::packed_strides(&model.shape, model.dtype.size(), Order::F);
    // Bytes from a frame's lowest element to its first.
    let mut lift = 0;
    for (axis, is_reversed) in reversed(orientation).into_iter().enumerate() {
        if is_reversed {
            lift += (model.shape[axis] - 1) * strides[axis];
            strides[axis] = -strides[axis];
        }
    }
    strides.push(0);
    let blocks = entries.iter().zip(0..).map(|(entry, meaning)| Block {
        source: 0,
        meaning,
        offset: entry.at() + BLOCK as u64 + lift as u64,
    });
    let frame = model.shape.map(|n| n.max(1));
    let shape = [&model.shape[..], &[entries.len() as i64]].concat();
    let layout = Layout::new(
        model.dtype,
        Order::F,
        shape.clone(),
        [&frame[..], &[1]].concat(),
        strides,
        blocks.collect(),
    );
    let at = model.at + DIMENSIONS_AT as u64;
    layout.ok_or_else(|| too_large(at, (&shape, model.dtype), model.at))
}

#[cfg(test)]
#[path = "ecat_tests.rs"]
mod tests;
