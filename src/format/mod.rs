//! Headers: from bytes to layout and metadata.
//!
//! A format reads the bytes of its header through [`Bytes`], and never knows
//! where they come from. What else it wants, such as the other file of a pair,
//! it says in its [`Header`], and names of siblings it lists as text.

mod affine;
mod afni;
mod analyze;
mod chunks;
mod ecat;
mod entries;
mod extensions;
mod family;
mod fields;
#[cfg(feature = "minc2")]
mod hdf5;
mod labels;
mod matlab;
mod mgh;
mod minc;
mod minc1;
#[cfg(feature = "minc2")]
mod minc2;
mod netcdf;
mod nifti;
mod orientation;
mod parrec;
mod parrec_rows;
mod parrec_sort;
mod record;
pub(crate) mod siblings;
mod tables;

pub(crate) use affine::Affine;
pub use affine::Which;
pub(crate) use chunks::Chunks;
pub(crate) use entries::Entry;
pub use extensions::Extension;
pub(crate) use extensions::extensions;
pub(crate) use mgh::footer;
pub use mgh::{Footer, Tag};
pub(crate) use orientation::axis_codes;
pub(crate) use parrec::Choices;
pub use parrec::Scaling;
pub use parrec_sort::SliceOrder;
pub(crate) use record::{Origin, Value, fields, units};

use crate::core::dtype::{ByteOrder, DType};
use crate::core::layout::Layout;
use crate::core::scale::{Factors, Meaning};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a header file, decoded.
pub(crate) trait Bytes {
    /// The bytes from `offset` on, `len` of them or as many as there are.
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>>;

    /// Bytes that there are at most, if the size of the file tells.
    fn most(&self) -> Option<u64>;

    /// Whether they are compressed, so that there may be many of them in a small
    /// file, and going back takes long.
    fn is_packed(&self) -> bool {
        false
    }

    /// The decoded bytes of a zlib stream (RFC 1950) that stands in the header,
    /// or the first `most` of them.
    fn inflated(&self, stream: &[u8], most: usize) -> Result<Vec<u8>>;
}

impl Bytes for &[u8] {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or_default();
        Ok(rest[..len.min(rest.len())].to_vec())
    }

    fn most(&self) -> Option<u64> {
        Some(self.len() as u64)
    }

    fn inflated(&self, _stream: &[u8], _most: usize) -> Result<Vec<u8>> {
        let text = "there is no decoder for these bytes";
        Err(Error::new(ErrorKind::Unsupported, text))
    }
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// NIfTI-1 in one file (.nii).
    Nifti1,
    /// NIfTI-1 as header and image (.hdr, .img).
    Nifti1Pair,
    /// NIfTI-2 in one file.
    Nifti2,
    /// NIfTI-2 as header and image.
    Nifti2Pair,
    /// Analyze 7.5 (.hdr, .img), never found by content: see [`Format::Spm2`].
    Analyze,
    /// SPM99's Analyze, never found by content.
    Spm99,
    /// SPM2's Analyze, as which all headers of the family are read that are
    /// not NIfTI's.
    Spm2,
    /// FreeSurfer's MGH (.mgh); compressed, it is called MGZ.
    Mgh,
    /// AFNI's datasets (.HEAD, .BRIK).
    Afni,
    /// ECAT 7 (.v): PET images of one or more frames.
    Ecat,
    /// MINC 1 (.mnc), which is NetCDF.
    Minc1,
    /// MINC 2 (.mnc), which is HDF5.
    Minc2,
    /// PAR/REC of Philips' scanners (.PAR, .REC).
    ParRec,
    /// No header: the caller knows the layout.
    Layout,
}

const FORMATS: [(Format, &str); 14] = [
    (Format::Nifti1, "nifti1"),
    (Format::Nifti1Pair, "nifti1-pair"),
    (Format::Nifti2, "nifti2"),
    (Format::Nifti2Pair, "nifti2-pair"),
    (Format::Analyze, "analyze"),
    (Format::Spm99, "spm99"),
    (Format::Spm2, "spm2"),
    (Format::Mgh, "mgh"),
    (Format::Afni, "afni"),
    (Format::Ecat, "ecat"),
    (Format::Minc1, "minc1"),
    (Format::Minc2, "minc2"),
    (Format::ParRec, "parrec"),
    (Format::Layout, "layout"),
];

impl Format {
    /// Name, such as "nifti1".
    pub fn name(self) -> &'static str {
        FORMATS
            .iter()
            .find(|entry| entry.0 == self)
            .map_or("", |entry| entry.1)
    }

    /// The format of a name; `None` for names that this build does not have.
    pub fn parse(name: &str) -> Option<Format> {
        FORMATS
            .iter()
            .find(|entry| entry.1 == name)
            .map(|entry| entry.0)
            .filter(|format| *format != Format::Minc2 || cfg!(feature = "minc2"))
    }

    /// Whether header and array are one file.
    pub(crate) fn is_single(self) -> bool {
        let is_nifti = matches!(self, Format::Nifti1 | Format::Nifti2);
        let is_minc = matches!(self, Format::Minc1 | Format::Minc2);
        is_nifti || is_minc || matches!(self, Format::Mgh | Format::Ecat)
    }
}

/// Whether header and image are two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// They are one file.
    Single,
    /// They are two.
    Pair,
    /// Nothing but the header itself tells.
    Unknown,
}

/// What a header says.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub(crate) format: Format,
    /// Its source 0 is the header's own file, or the image file of a pair.
    pub(crate) layout: Layout,
    /// Axes of the array that are the affine's, column by column; `None` for
    /// the first three, or as many as there are.
    pub(crate) spatial: Option<[usize; 3]>,
    /// What stored bytes mean, by the number that blocks have of it.
    pub(crate) meanings: Vec<Meaning>,
    /// Voxel sizes; the fourth is the time step.
    pub(crate) zooms: Vec<f64>,
    /// The size of one axis more than the array has.
    pub(crate) next_zoom: f64,
    pub(crate) affine: Affine,
    /// The header as stored.
    pub(crate) raw: Vec<u8>,
    pub(crate) notes: Notes,
    /// Extension of the file that the array is in, unless it is the header's.
    pub(crate) image: Option<&'static str>,
    /// Extension of the file that may hold a better affine; see
    /// [`read_affine`].
    pub(crate) affine_file: Option<&'static str>,
    /// What stands behind the data and is read when it is asked for.
    pub(crate) footer: Option<FooterPlace>,
    /// The fields that are the header's own.
    pub(crate) entries: Vec<Entry>,
    /// Chunks that have to be decoded, whose bytes source 0 is then.
    pub(crate) chunks: Option<Chunks>,
}

/// Where a [`footer`] stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FooterPlace {
    /// Byte of the file.
    pub(crate) at: u64,
    /// Whether it holds one more zoom than the header.
    pub(crate) has_zoom: bool,
}

impl Header {
    /// An array without scaling or a place in space, and no wishes: formats
    /// put in what they have.
    pub(crate) fn new(
        format: Format,
        raw: Vec<u8>,
        (layout, byte_order): (Layout, ByteOrder),
    ) -> Header {
        Header {
            format,
            layout,
            spatial: None,
            meanings: vec![Meaning {
                byte_order,
                factors: Factors::NONE,
            }],
            zooms: Vec::new(),
            next_zoom: 1.0,
            affine: Affine::None,
            raw,
            notes: Notes::default(),
            image: None,
            affine_file: None,
            footer: None,
            entries: Vec::new(),
            chunks: None,
        }
    }
}

impl Header {
    /// The same with factors that hold for all elements.
    pub(crate) fn scaled(mut self, factors: Factors) -> Header {
        self.meanings
            .iter_mut()
            .for_each(|meaning| meaning.factors = factors);
        self
    }
}

/// Notes on a header that are kept.
const MOST_NOTES: usize = 100;

/// What was odd in a header but read all the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    strict: bool,
    pub(crate) texts: Vec<String>,
}

impl Notes {
    pub(crate) fn new(strict: bool) -> Notes {
        Notes {
            strict,
            texts: Vec::new(),
        }
    }

    /// Note something at a byte of the header that breaks the format's rules
    /// so far as `level` says, on NiBabel's scale: from 20 on it is an error
    /// in strict mode.
    pub(crate) fn add(&mut self, level: u8, offset: u64, text: String) -> Result<()> {
        if self.strict && level >= 20 {
            return Err(Error::new(ErrorKind::Header, text).at(offset));
        }
        match self.texts.len() {
            ..MOST_NOTES => self.texts.push(text),
            MOST_NOTES => self.texts.push("there is more that is odd".into()),
            _ => {}
        }
        Ok(())
    }
}

/// An error at a byte of a header.
fn wrong<N: TryInto<u64>>(at: N, text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Header, text).at(at.try_into().unwrap_or(u64::MAX))
}

/// The error of an array from byte `offset` on that no file can hold.
fn too_large<N: TryInto<u64>>(at: N, (shape, dtype): (&[i64], DType), offset: u64) -> Error {
    let text = format!(
        "an array of shape {} and type {dtype} at byte {offset} passes 2^63 bytes",
        shape::text(shape)
    );
    wrong(at, text)
}

/// What the caller of a parser wants of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// The only format to take; `None` to find out.
    pub(crate) format: Option<Format>,
    /// The format that the file is named as, which settles what the content
    /// leaves open.
    pub(crate) named: Option<Format>,
    pub(crate) parts: Parts,
    pub(crate) strict: bool,
    /// Of a PAR/REC recording.
    pub(crate) choices: Choices,
}

/// Bytes with which an HDF5 file begins.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Find the format of a header and read it. `None` if no format matches.
pub(crate) fn read(bytes: &dyn Bytes, wish: Wish) -> Result<Option<Header>> {
    let found = match wish.format {
        Some(format) => Some(format),
        None => detect(bytes, wish)?,
    };
    let header = match found {
        Some(
            format @ (Format::Nifti1 | Format::Nifti1Pair | Format::Nifti2 | Format::Nifti2Pair),
        ) => nifti::read(bytes, format, wish)?,
        Some(format @ (Format::Analyze | Format::Spm99 | Format::Spm2)) => {
            analyze::read(bytes, format, wish.strict)?
        }
        Some(Format::Mgh) => mgh::read(bytes, wish.strict)?,
        Some(Format::Afni) => afni::read(bytes, wish.strict)?,
        Some(Format::Ecat) => ecat::read(bytes, wish.strict)?,
        Some(Format::Minc1) => minc1::read(bytes, wish.strict)?,
        #[cfg(feature = "minc2")]
        Some(Format::Minc2) => minc2::read(bytes, wish.strict)?,
        #[cfg(not(feature = "minc2"))]
        Some(Format::Minc2) => {
            let text = "this is an HDF5 file, as those of MINC 2 are, which this build cannot read";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        Some(Format::ParRec) => parrec::read(bytes, wish.choices, wish.strict)?,
        Some(Format::Layout) | None => return Ok(None),
    };
    Ok(Some(header))
}

/// The format of a header by its content.
fn detect(bytes: &dyn Bytes, wish: Wish) -> Result<Option<Format>> {
    let head = bytes.bytes_at(0, 348)?;
    if ecat::detect(&head) {
        return Ok(Some(Format::Ecat));
    }
    let is_named_mgh = wish.named == Some(Format::Mgh);
    if is_named_mgh && mgh::is_possible(&head) {
        return Ok(Some(Format::Mgh));
    }
    if let Some(format) = nifti::detect(&head) {
        return Ok(Some(format));
    }
    if analyze::detect(&head) {
        return Ok(Some(Format::Spm2));
    }
    if afni::detect(&head) {
        return Ok(Some(Format::Afni));
    }
    if parrec::detect(bytes, &head)? {
        return Ok(Some(Format::ParRec));
    }
    if netcdf::detect(&head) {
        return Ok(Some(Format::Minc1));
    }
    if head.starts_with(HDF5) {
        return Ok(Some(Format::Minc2));
    }
    // Other files are named .v as well, so that the name alone says little.
    if wish.named == Some(Format::Ecat) && ecat::is_possible(bytes, &head)? {
        return Ok(Some(Format::Ecat));
    }
    // What is named so is one, for want of a magic, whatever is wrong with it.
    let is_mgh = mgh::fits(bytes, &head) || (is_named_mgh && !head.is_empty());
    Ok(is_mgh.then_some(Format::Mgh))
}

/// Take the affine of a header from the file that it names for it. One that
/// is empty changes nothing.
pub(crate) fn read_affine(bytes: &dyn Bytes, header: &mut Header) -> Result<()> {
    if bytes.bytes_at(0, 1)?.is_empty() {
        return Ok(());
    }
    let matrix = analyze::read_mat(bytes, &mut header.notes)?;
    header.affine.set_best(Ok(matrix));
    Ok(())
}
