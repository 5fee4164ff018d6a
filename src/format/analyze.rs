//! Analyze 7.5, and what SPM99 and SPM2 made of it: a header (.hdr) and an
//! image (.img). Field names are those of NiBabel; SPM's are in fields that
//! Analyze leaves free.

use super::affine::{self, Affine, Matrix, Plain};
use super::family::{self, ANALYZE, Head};
use super::{Bytes, Format, Header, Notes, matlab};
use crate::core::dtype::DType;
use crate::core::scale::{FactorType, Factors};
use crate::error::{Error, ErrorKind, Result};

const CODES: [(i16, DType); 7] = [
    (2, DType::UInt8),
    (4, DType::Int16),
    (8, DType::Int32),
    (16, DType::Float32),
    (32, DType::Complex64),
    (64, DType::Float64),
    (128, DType::Rgb24),
];

const SCL_SLOPE_AT: usize = 112;
const SCL_INTER_AT: usize = 116;
const CAL_MAX_AT: usize = 124;
const CAL_MIN_AT: usize = 128;
const GLMAX_AT: usize = 140;
const GLMIN_AT: usize = 144;
const ORIGIN_AT: usize = 253;

/// Whether bytes begin as a header of this family does. Nothing tells which
/// of it one is; SPM2 reads all of them.
pub(super) fn detect(head: &[u8]) -> bool {
    let size = head.first_chunk().filter(|_| head.len() >= 348);
    size.is_some_and(|&size| i32::from_le_bytes(size) == 348 || i32::from_be_bytes(size) == 348)
}

/// Read a header as one of Analyze, SPM99 or SPM2.
pub(super) fn read(bytes: &dyn Bytes, format: Format, strict: bool) -> Result<Header> {
    let raw = bytes.bytes_at(0, ANALYZE.size as usize)?;
    let head = Head::new(&ANALYZE, &raw, format)?;
    let mut notes = Notes::new(strict);
    head.check_size(&mut notes)?;
    let shape = head.checked(head.stored_shape()?)?;
    let dtype = head.dtype(&CODES, &mut notes)?;
    let layout = head.layout(dtype, &shape, head.vox_offset()?)?;
    let in_space = head.in_space(&shape);
    let pixdim = head.pixdim(&mut notes)?;
    let zooms = family::zooms(&pixdim, in_space);
    let base = affine::base(in_space, &zooms);
    let (factors, best) = match format {
        Format::Spm99 => (
            spm99_factors(&head),
            origin_affine(&head, &pixdim, &mut notes)?,
        ),
        Format::Spm2 => (
            spm2_factors(&head, &mut notes)?,
            origin_affine(&head, &pixdim, &mut notes)?,
        ),
        _ => (Factors::NONE, base),
    };
    let factors = family::usable_factors(dtype, factors, SCL_SLOPE_AT, &mut notes)?;
    let order = head.fields.order;
    let header = Header {
        zooms,
        next_zoom: family::next_zoom(&pixdim, in_space),
        affine: Affine::Plain(Box::new(Plain {
            best: Ok(best),
            base,
        })),
        notes,
        image: Some("img"),
        affine_file: (format != Format::Analyze).then_some("mat"),
        ..Header::new(format, raw, (layout, order))
    };
    Ok(header.scaled(factors))
}

/// SPM99 has a slope of single precision, and no intercept.
fn spm99_factors(head: &Head<'_>) -> Factors {
    let slope = head.fields.f32(SCL_SLOPE_AT);
    if slope == 0.0 || !slope.is_finite() {
        return Factors::NONE;
    }
    Factors::new(slope.into(), 0.0, FactorType::Float32)
}

/// SPM2 has slope and intercept or, where the slope says nothing, the ranges
/// of the stored values (glmin to glmax) and of what they mean (cal_min to
/// cal_max).
fn spm2_factors(head: &Head<'_>, notes: &mut Notes) -> Result<Factors> {
    let fields = head.fields;
    let (slope, inter) = (fields.f32(SCL_SLOPE_AT), fields.f32(SCL_INTER_AT));
    if slope != 0.0 && slope.is_finite() {
        let inter = if inter.is_finite() { inter } else { 0.0 };
        return Ok(Factors::new(
            slope.into(),
            inter.into(),
            FactorType::Float64,
        ));
    }
    let (glmax, glmin) = (fields.i32(GLMAX_AT), fields.i32(GLMIN_AT));
    let (cal_max, cal_min) = (fields.f32(CAL_MAX_AT), fields.f32(CAL_MIN_AT));
    // NiBabel lets the difference of glmax and glmin wrap at 32 bits.
    let stored = (i64::from(glmax) - i64::from(glmin)) as f64;
    let meant = f64::from(cal_max - cal_min);
    if stored == 0.0 || meant == 0.0 {
        return Ok(Factors::NONE);
    }
    let slope = meant / stored;
    let inter = f64::from(cal_min) - slope * f64::from(glmin);
    if !slope.is_finite() || !inter.is_finite() {
        let text = format!("cal_min {cal_min} and cal_max {cal_max} are no range: not scaled");
        notes.add(10, CAL_MAX_AT as u64, text)?;
        return Ok(Factors::NONE);
    }
    Ok(Factors::new(slope, inter, FactorType::Float64))
}

/// x reversed, and SPM's origin, a voxel counted from 1, at the origin of the
/// world; the centre of the image if there is no such voxel, or one far
/// outside the image.
fn origin_affine(head: &Head<'_>, pixdim: &[f64; 8], notes: &mut Notes) -> Result<Matrix> {
    let origin = [0, 1, 2].map(|axis| head.fields.i16(ORIGIN_AT + 2 * axis));
    let dim = [1, 2, 3].map(|i| head.dim(i));
    let is_set = origin != [0; 3];
    let is_near = origin
        .iter()
        .zip(dim)
        .all(|(&o, n)| i64::from(o) > -n && i64::from(o) < 2 * n);
    if is_set && !is_near {
        let text = format!("the origin {origin:?} is far outside the image: not used");
        notes.add(20, ORIGIN_AT as u64, text)?;
    }
    let mut rows = [[0.0; 4]; 3];
    for (axis, row) in rows.iter_mut().enumerate() {
        let zoom = if axis == 0 {
            -pixdim[1]
        } else {
            pixdim[axis + 1]
        };
        row[axis] = zoom;
        row[3] = if is_set && is_near {
            // In single precision, as NiBabel has it.
            f64::from(-f32::from(origin[axis] - 1) * zoom as f32)
        } else {
            -(dim[axis] - 1) as f64 / 2.0 * zoom
        };
        // Turns -0 into 0.
        row[3] += 0.0;
    }
    Ok(affine::with_last_row(&rows))
}

/// The affine of SPM's .mat file: `mat` or, with x not yet reversed, `M`. Its
/// voxels are counted from 1.
pub(super) fn read_mat(bytes: &dyn Bytes, notes: &mut Notes) -> Result<Matrix> {
    let [mat, m] = matlab::read(bytes, ["mat", "M"])?;
    let (name, found) = match (mat, m) {
        (Some(mat), _) => ("mat", mat),
        (None, Some(m)) => ("M", m),
        (None, None) => {
            let text = "the file holds neither of the variables 'mat' and 'M'";
            return Err(Error::new(ErrorKind::Header, text));
        }
    };
    let mut matrix = found.matrix().map_err(|reason| {
        let text = format!("the variable '{name}' {reason}");
        Error::new(ErrorKind::Header, text).at(found.at)
    })?;
    if found.shape.len() > 2 {
        let text = format!(
            "'{name}' holds {} affines, the first is used",
            found.shape[2]
        );
        notes.add(10, found.at, text)?;
    }
    if name == "M" {
        matrix[0] = matrix[0].map(|x| -x);
    }
    for row in &mut matrix {
        row[3] += row[0] + row[1] + row[2];
    }
    Ok(matrix)
}

#[cfg(test)]
#[path = "analyze_tests.rs"]
mod tests;
