//! What the headers of one family share: Analyze 7.5, which SPM and NIfTI-1
//! kept the fields of, and NIfTI-2, which moved and widened them. Field names
//! are those of nifti1.h.

use super::fields::Fields;
use super::{Format, Notes, too_large, wrong};
use crate::core::dtype::{ByteOrder, DType, Kind, Order};
use crate::core::layout::Layout;
use crate::core::scale::{FactorType, Factors};
use crate::error::{Error, Result};

/// Where the fields of a header stand.
#[derive(Debug)]
pub(super) struct Places {
    /// Value of sizeof_hdr and size of the header.
    pub(super) size: i32,
    dim_at: usize,
    datatype_at: usize,
    bitpix_at: usize,
    pub(super) pixdim_at: usize,
    vox_offset_at: usize,
    /// Float32, or float64, which is also the size of each number that is no
    /// code.
    pub(super) precision: FactorType,
}

/// Analyze 7.5, SPM and NIfTI-1.
pub(super) const ANALYZE: Places = Places {
    size: 348,
    dim_at: 40,
    datatype_at: 70,
    bitpix_at: 72,
    pixdim_at: 76,
    vox_offset_at: 108,
    precision: FactorType::Float32,
};

pub(super) const NIFTI2: Places = Places {
    size: 540,
    dim_at: 16,
    datatype_at: 12,
    bitpix_at: 14,
    pixdim_at: 104,
    vox_offset_at: 168,
    precision: FactorType::Float64,
};

/// A header's fields.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) places: &'static Places,
    pub(super) fields: Fields<'a>,
}

impl<'a> Head<'a> {
    /// The fields of a header that has all its bytes.
    pub(super) fn new(
        places: &'static Places,
        bytes: &'a [u8],
        format: Format,
    ) -> Result<Head<'a>> {
        if bytes.len() < places.size as usize {
            let text = format!(
                "a header of format {} has {} bytes, the file has {}",
                format.name(),
                places.size,
                bytes.len()
            );
            return Err(wrong(bytes.len(), text));
        }
        let in_order = |order| Head {
            places,
            fields: Fields { bytes, order },
        };
        let native = in_order(ByteOrder::NATIVE);
        let swapped = in_order(match ByteOrder::NATIVE {
            ByteOrder::Little => ByteOrder::Big,
            ByteOrder::Big => ByteOrder::Little,
        });
        // By dim[0], which is 1 to 7 in one order only; sizeof_hdr settles 0.
        let is_native = match native.dim(0) {
            1..=7 => true,
            0 => swapped.fields.i32(0) != places.size,
            _ => false,
        };
        Ok(if is_native { native } else { swapped })
    }

    /// Bytes of an entry of dim.
    fn dim_size(&self) -> usize {
        match self.places.precision {
            FactorType::Float32 => 2,
            FactorType::Float64 => 8,
        }
    }

    /// Byte of `dim[i]`.
    fn dim_at(&self, i: usize) -> usize {
        self.places.dim_at + self.dim_size() * i
    }

    /// `dim[i]`.
    pub(super) fn dim(&self, i: usize) -> i64 {
        match self.places.precision {
            FactorType::Float32 => self.fields.i16(self.dim_at(i)).into(),
            FactorType::Float64 => self.fields.i64(self.dim_at(i)),
        }
    }

    /// Bytes of a floating-point number.
    fn real_size(&self) -> usize {
        match self.places.precision {
            FactorType::Float32 => 4,
            FactorType::Float64 => 8,
        }
    }

    /// Number `i` of the floating-point numbers that begin at `at`.
    pub(super) fn real(&self, at: usize, i: usize) -> f64 {
        match self.places.precision {
            FactorType::Float32 => self.fields.f32(at + 4 * i).into(),
            FactorType::Float64 => self.fields.f64(at + 8 * i),
        }
    }

    pub(super) fn check_size(&self, notes: &mut Notes) -> Result<()> {
        let (size, wanted) = (self.fields.i32(0), self.places.size);
        if size != wanted {
            notes.add(30, 0, format!("sizeof_hdr is {size}, wanted {wanted}"))?;
        }
        Ok(())
    }

    /// The shape as it stands, negative lengths included. An array of no
    /// dimensions has one axis without elements, as NiBabel has it.
    pub(super) fn stored_shape(&self) -> Result<Vec<i64>> {
        match self.dim(0) {
            0 => Ok(vec![0]),
            ndim @ 1..=7 => Ok((1..=ndim as usize).map(|i| self.dim(i)).collect()),
            ndim => {
                let text = format!("dim[0] is {ndim}, wanted 0 to 7");
                Err(wrong(self.dim_at(0), text))
            }
        }
    }

    /// The axes of a shape that have a place in space: the axis that an array
    /// of no dimensions is given has none.
    pub(super) fn in_space<'s>(&self, shape: &'s [i64]) -> &'s [i64] {
        if self.dim(0) == 0 { &[] } else { shape }
    }

    /// The element type of `datatype`, by the codes that the format has.
    pub(super) fn dtype(&self, codes: &[(i16, DType)], notes: &mut Notes) -> Result<DType> {
        let code = self.fields.i16(self.places.datatype_at);
        let found = codes.iter().find(|entry| entry.0 == code);
        let Some(&(_, dtype)) = found else {
            let text = format!("datatype is {code}, which names no type that can be read");
            return Err(wrong(self.places.datatype_at, text));
        };
        let at = self.places.bitpix_at;
        let (bitpix, bits) = (self.fields.i16(at), 8 * dtype.size());
        if i64::from(bitpix) != bits as i64 {
            let text = format!("bitpix is {bitpix}, elements of type {dtype} have {bits} bits");
            notes.add(10, at as u64, text)?;
        }
        Ok(dtype)
    }

    /// vox_offset, cut towards 0.
    pub(super) fn vox_offset(&self) -> Result<u64> {
        let at = self.places.vox_offset_at;
        let offset = match self.places.precision {
            FactorType::Float64 => self.fields.i64(at),
            FactorType::Float32 => {
                let offset = self.fields.f32(at);
                if !offset.is_finite() {
                    let text = format!("vox_offset is {offset}, wanted a number of bytes");
                    return Err(wrong(at, text));
                }
                // What passes 64 bits is refused with the layout.
                offset as i64
            }
        };
        u64::try_from(offset).map_err(|_| {
            let text = format!("vox_offset is {offset}, wanted 0 or more");
            wrong(at, text)
        })
    }

    /// An error about vox_offset.
    pub(super) fn wrong_offset(&self, text: String) -> Error {
        wrong(self.places.vox_offset_at, text)
    }

    /// Note something about vox_offset.
    pub(super) fn odd_offset(&self, notes: &mut Notes, text: String) -> Result<()> {
        notes.add(30, self.places.vox_offset_at as u64, text)
    }

    /// A shape without negative lengths.
    pub(super) fn checked(&self, shape: Vec<i64>) -> Result<Vec<i64>> {
        let Some(axis) = shape.iter().position(|&n| n < 0) else {
            return Ok(shape);
        };
        let text = format!("dim[{}] is {}, wanted 0 or more", axis + 1, shape[axis]);
        Err(wrong(self.dim_at(axis + 1), text))
    }

    /// The array, packed in column-major order.
    pub(super) fn layout(&self, dtype: DType, shape: &[i64], offset: u64) -> Result<Layout> {
        let layout = Layout::packed(dtype, Order::F, shape, offset);
        layout.ok_or_else(|| too_large(self.dim_at(0), (shape, dtype), offset))
    }

    /// pixdim, whose first three sizes are made positive.
    pub(super) fn pixdim(&self, notes: &mut Notes) -> Result<[f64; 8]> {
        let first = self.places.pixdim_at;
        let mut pixdim = [0, 1, 2, 3, 4, 5, 6, 7].map(|i| self.real(first, i));
        for (i, size) in pixdim.iter_mut().enumerate().skip(1).take(3) {
            let at = (first + self.real_size() * i) as u64;
            if *size == 0.0 {
                notes.add(30, at, format!("pixdim[{i}] is 0, taken as 1"))?;
                *size = 1.0;
            } else if *size < 0.0 {
                let text = format!("pixdim[{i}] is {size}, taken without its sign");
                notes.add(35, at, text)?;
                *size = -*size;
            }
        }
        Ok(pixdim)
    }
}

/// Voxel sizes of the axes; one for an array of no dimensions.
pub(super) fn zooms(pixdim: &[f64; 8], in_space: &[i64]) -> Vec<f64> {
    match in_space.len() {
        0 => vec![1.0],
        ndim => pixdim[1..=ndim].to_vec(),
    }
}

/// The voxel size of one axis more than the array has; 1 where the header has no
/// room for it.
pub(super) fn next_zoom(pixdim: &[f64; 8], in_space: &[i64]) -> f64 {
    pixdim.get(in_space.len() + 1).copied().unwrap_or(1.0)
}

/// The factors as far as they hold for the type: colours are not scaled.
/// What is odd about them is noted at the byte of the slope.
pub(super) fn usable_factors(
    dtype: DType,
    factors: Factors,
    at: usize,
    notes: &mut Notes,
) -> Result<Factors> {
    let Factors { slope, inter, .. } = factors;
    let is_colour = dtype.kind() == Kind::Rgb;
    if is_colour && factors.is_scaling() {
        let text =
            format!("slope {slope} and intercept {inter} are ignored: colours are not scaled");
        notes.add(10, at as u64, text)?;
    } else if factors.overflows(dtype) {
        let text = format!(
            "slope {slope} and intercept {inter} lead beyond float64: some values of type {dtype} become infinite"
        );
        notes.add(10, at as u64, text)?;
    }
    Ok(if is_colour { Factors::NONE } else { factors })
}
