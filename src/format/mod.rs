//! Headers: from bytes to layout and metadata.
//!
//! A format reads the bytes of its header through [`Bytes`], and never knows
//! where they come from. What else it wants, such as the other file of a pair,
//! it says in its [`Header`], and names of siblings it lists as text.

mod affine;
mod fields;
mod nifti;
pub(crate) mod siblings;

pub(crate) use affine::Affine;
pub use affine::Which;

use crate::core::layout::Layout;
use crate::core::scale::Factors;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a header file, decoded.
pub(crate) trait Bytes {
    /// The bytes from `offset` on, `len` of them or as many as there are.
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>>;
}

impl Bytes for &[u8] {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(start..).unwrap_or_default();
        Ok(rest[..len.min(rest.len())].to_vec())
    }
}

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// NIfTI-1 in one file (.nii).
    Nifti1,
    /// NIfTI-1 as header and image (.hdr, .img).
    Nifti1Pair,
    /// NIfTI-2 in one file.
    Nifti2,
    /// NIfTI-2 as header and image.
    Nifti2Pair,
    /// No header: the caller knows the layout.
    Layout,
}

const FORMATS: [(Format, &str); 5] = [
    (Format::Nifti1, "nifti1"),
    (Format::Nifti1Pair, "nifti1-pair"),
    (Format::Nifti2, "nifti2"),
    (Format::Nifti2Pair, "nifti2-pair"),
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
    pub(crate) factors: Factors,
    /// Voxel sizes; the fourth is the time step.
    pub(crate) zooms: Vec<f64>,
    pub(crate) affine: Affine,
    /// The header as stored.
    pub(crate) raw: Vec<u8>,
    pub(crate) notes: Notes,
    /// Whether the array is in another file than the header.
    pub(crate) wants_image: bool,
}

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
        self.texts.push(text);
        Ok(())
    }
}

/// What the caller of a parser wants of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// The only format to take; `None` to find out.
    pub(crate) format: Option<Format>,
    pub(crate) parts: Parts,
    pub(crate) strict: bool,
}

/// Find the format of a header and read it. `None` if no format matches.
pub(crate) fn read(bytes: &dyn Bytes, wish: Wish) -> Result<Option<Header>> {
    nifti::read(bytes, wish)
}
