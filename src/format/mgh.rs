//! MGH, FreeSurfer's volumes; compressed by gzip they are called MGZ. All is
//! big-endian: a header, the data, a footer, then tags. Names are those of
//! NiBabel and of FreeSurfer's `mri` struct.

use super::affine::{self, Affine, Matrix, Plain};
use super::fields::Fields;
use super::{Bytes, FooterPlace, Format, Header, Notes, too_large, wrong};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::Layout;
use crate::error::Result;

/// Bytes of the header, behind which the data begin.
const SIZE: usize = 284;

const VERSION: i32 = 1;
const DIMS_AT: usize = 4;
const TYPE_AT: usize = 20;
const GOOD_RAS_AT: usize = 28;
const DELTA_AT: usize = 30;
const MDC_AT: usize = 42;
const CENTRE_AT: usize = 78;

const TYPES: [(i32, DType); 5] = [
    (0, DType::UInt8),
    (1, DType::Int32),
    (3, DType::Float32),
    (4, DType::Int16),
    (10, DType::UInt16),
];

/// Whether bytes may begin an MGH file, which has no magic: version, type and
/// shape are possible.
pub(super) fn is_possible(head: &[u8]) -> bool {
    head.len() >= SIZE && parse(head).is_ok()
}

/// Whether an MGH file of that header is there as a whole.
pub(super) fn fits(bytes: &dyn Bytes, head: &[u8]) -> bool {
    let layout = (head.len() >= SIZE).then(|| parse(head).ok()).flatten();
    layout.is_some_and(|layout| bytes.most().is_none_or(|most| layout.end_of(0) <= most))
}

pub(super) fn read(bytes: &dyn Bytes, strict: bool) -> Result<Header> {
    let raw = bytes.bytes_at(0, SIZE)?;
    if raw.len() < SIZE {
        let text = format!("an mgh header has {SIZE} bytes, the file has {}", raw.len());
        return Err(wrong(raw.len(), text));
    }
    let layout = parse(&raw)?;
    let (zooms, best) = space(&fields(&raw));
    let base = affine::base(&layout.shape, &zooms);
    let footer = FooterPlace {
        at: layout.end_of(0),
        // The repetition time.
        has_zoom: layout.shape.len() > 3,
    };
    Ok(Header {
        zooms: zooms.to_vec(),
        affine: Affine::Plain(Box::new(Plain {
            best: Ok(best),
            base,
        })),
        notes: Notes::new(strict),
        footer: Some(footer),
        ..Header::new(Format::Mgh, raw, (layout, ByteOrder::Big))
    })
}

fn fields(head: &[u8]) -> Fields<'_> {
    Fields {
        bytes: head,
        order: ByteOrder::Big,
    }
}

fn parse(head: &[u8]) -> Result<Layout> {
    let fields = fields(head);
    let version = fields.i32(0);
    if version != VERSION {
        return Err(wrong(0, format!("version is {version}, wanted {VERSION}")));
    }
    let code = fields.i32(TYPE_AT);
    let found = TYPES.iter().find(|entry| entry.0 == code);
    let Some(&(_, dtype)) = found else {
        let text = format!("type is {code}, which names no type that can be read");
        return Err(wrong(TYPE_AT, text));
    };
    let mut dims = [0, 1, 2, 3]
        .map(|i| i64::from(fields.i32(DIMS_AT + 4 * i)))
        .to_vec();
    if let Some(axis) = dims.iter().position(|&n| n < 1) {
        let text = format!("dims[{axis}] is {}, wanted 1 or more", dims[axis]);
        return Err(wrong(DIMS_AT + 4 * axis, text));
    }
    if dims[3] == 1 {
        dims.pop();
    }
    let layout = Layout::packed(dtype, Order::F, &dims, SIZE as u64);
    layout.ok_or_else(|| too_large(DIMS_AT, (&dims, dtype), SIZE as u64))
}

/// Voxel sizes and the affine, from direction cosines and the place of the
/// centre, which FreeSurfer takes at half the size: dims / 2.
fn space(fields: &Fields<'_>) -> ([f64; 3], Matrix) {
    let floats = |at: usize| [0, 1, 2].map(|i| fields.f32(at + 4 * i));
    let is_good = fields.i16(GOOD_RAS_AT) != 0;
    // One after the other the directions of the axes.
    let (delta, directions, centre) = if is_good {
        let directions = [0, 12, 24].map(|at| floats(MDC_AT + at));
        (floats(DELTA_AT), directions, floats(CENTRE_AT))
    } else {
        let directions = [[-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]];
        ([1.0; 3], directions, [0.0; 3])
    };
    let mut rows = [[0.0; 4]; 3];
    for (i, row) in rows.iter_mut().enumerate() {
        let mut half = 0.0;
        for axis in 0..3 {
            // In single precision, as NiBabel has it.
            row[axis] = f64::from(directions[axis][i] * delta[axis]);
            half += row[axis] * f64::from(fields.i32(DIMS_AT + 4 * axis));
        }
        row[3] = f64::from((f64::from(centre[i]) - half / 2.0) as f32);
    }
    (delta.map(f64::from), affine::with_last_row(&rows))
}

/// What stands behind the data of an MGH file: how it was acquired, and tags.
/// A file may end before it; then the numbers are 0.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Footer {
    /// Repetition time, milliseconds.
    pub tr: f32,
    /// Flip angle, radians.
    pub flip_angle: f32,
    /// Echo time, milliseconds.
    pub te: f32,
    /// Inversion time, milliseconds.
    pub ti: f32,
    /// Field of view, millimetres.
    pub fov: f32,
    /// What other programs noted, in the order of the file.
    pub tags: Vec<Tag>,
}

/// Takes one of a footer's numbers.
pub(crate) type OfFooter = fn(&Footer) -> f32;

/// The footer's numbers, by NiBabel's names and in its order.
pub(super) const FOOTER_FIELDS: [(&str, OfFooter); 5] = [
    ("tr", |footer| footer.tr),
    ("flip_angle", |footer| footer.flip_angle),
    ("te", |footer| footer.te),
    ("ti", |footer| footer.ti),
    ("fov", |footer| footer.fov),
];

/// A tag behind the footer of an MGH file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tag {
    /// FreeSurfer's code, such as 3 for the command lines that made the file.
    pub code: i32,
    /// Byte of the decoded file at which its content begins.
    pub offset: u64,
    /// Bytes of its content.
    pub size: u64,
}

/// Bytes of the footer: tr, flip angle, te, ti, field of view.
const FOOTER: usize = 20;

/// Most tags that are listed; FreeSurfer's files have a few.
const MOST_TAGS: usize = 1000;

/// Codes of tags without a size (FreeSurfer's tags.h): their content has an
/// end of its own, so that none behind it can be found.
const WITHOUT_SIZE: [i32; 3] = [1, 2, 20];
/// The code of the tag whose size has 4 bytes, not 8, and counts a zero.
const SHORT_SIZE: i32 = 30;

/// The footer that begins at a byte. Tags end with the file, or with what
/// cannot be one.
pub(crate) fn footer(bytes: &dyn Bytes, at: u64) -> Result<Footer> {
    let mut raw = bytes.bytes_at(at, FOOTER)?;
    let is_whole = raw.len() == FOOTER;
    raw.resize(FOOTER, 0);
    let fields = fields(&raw);
    let mut footer = Footer {
        tr: fields.f32(0),
        flip_angle: fields.f32(4),
        te: fields.f32(8),
        ti: fields.f32(12),
        fov: fields.f32(16),
        tags: Vec::new(),
    };
    let mut next = at + FOOTER as u64;
    while is_whole && footer.tags.len() < MOST_TAGS {
        let Some(tag) = tag(bytes, next)? else {
            break;
        };
        next = tag.offset + tag.size;
        footer.tags.push(tag);
        if WITHOUT_SIZE.contains(&tag.code) {
            break;
        }
    }
    Ok(footer)
}

fn tag(bytes: &dyn Bytes, at: u64) -> Result<Option<Tag>> {
    // No byte of a content is read before its turn: compressed files are
    // decoded forward.
    let mut head = bytes.bytes_at(at, 8)?;
    let code = fields(&head).i32(0);
    if code != SHORT_SIZE && head.len() == 8 {
        head.extend(bytes.bytes_at(at + 8, 4)?);
    }
    let fields = fields(&head);
    let (head_size, size) = match code {
        SHORT_SIZE => (8, i64::from(fields.i32(4)) - 1),
        code if WITHOUT_SIZE.contains(&code) => (4, 0),
        _ => (12, fields.i64(4)),
    };
    if head.len() < head_size || code <= 0 || size < 0 {
        return Ok(None);
    }
    let offset = at + head_size as u64;
    let (size, end) = (size as u64, offset.checked_add(size as u64));
    // Only what ends in the file is a tag.
    let is_there = match end {
        Some(end) if size > 0 => !bytes.bytes_at(end - 1, 1)?.is_empty(),
        end => end.is_some(),
    };
    Ok(is_there.then_some(Tag { code, offset, size }))
}

#[cfg(test)]
#[path = "mgh_tests.rs"]
mod tests;
