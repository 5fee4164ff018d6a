//! What other programs put between a NIfTI header and the data (nifti1.h,
//! "header extensions"): a list of sizes, codes and contents.

use super::fields::Fields;
use super::nifti::{self, ExtensionPlace};
use super::wrong;
use super::{Bytes, Format};
use crate::core::dtype::ByteOrder;
use crate::error::Result;

/// An extension of a NIfTI header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extension {
    /// What it holds, such as 6 for a comment and 32 for CIFTI's XML.
    pub code: i32,
    /// Byte of the decoded file at which its content begins.
    pub offset: u64,
    /// Bytes of its content.
    pub size: u64,
}

/// Bytes of size and code, which the size counts.
const HEAD: u64 = 8;

/// A single file has room for no other extension behind it, as NiBabel sees
/// it, if there is less than that before the data.
const LEAST: u64 = 16;

/// Most extensions that are listed; files have a few.
const MOST: usize = 10_000;

/// The extensions of a header, from its file. Of their contents the last bytes
/// alone are read.
pub(crate) fn extensions(
    bytes: &dyn Bytes,
    format: Format,
    header: &[u8],
) -> Result<Vec<Extension>> {
    let Some(place) = nifti::extension_place(format, header)? else {
        return Ok(Vec::new());
    };
    let start = place.start;
    if place.end.is_some_and(|end| end < start + LEAST) {
        return Ok(Vec::new());
    }
    // Four bytes, of which the first tells.
    let flags = bytes.bytes_at(start - 4, 4)?;
    if flags.len() < 4 || flags[0] == 0 {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut at = start;
    while let Some(extension) = extension(bytes, &place, at, found.len())? {
        if found.len() == MOST {
            let text = format!("there are more than {MOST} extensions");
            return Err(wrong(at, text));
        }
        at = extension.offset + extension.size;
        found.push(extension);
    }
    Ok(found)
}

/// The extension that begins at a byte, if one does: number `number`.
fn extension(
    bytes: &dyn Bytes,
    place: &ExtensionPlace,
    at: u64,
    number: usize,
) -> Result<Option<Extension>> {
    if place.end.is_some_and(|end| end < at + LEAST) {
        return Ok(None);
    }
    let head = bytes.bytes_at(at, HEAD as usize)?;
    if head.len() < HEAD as usize {
        return Ok(None);
    }
    let (size, code) = sizes(&head, place.order);
    if (size, code) == (0, 0) {
        return Ok(None);
    }
    let whole = u64::try_from(size).ok().filter(|&size| size >= HEAD);
    let Some(whole) = whole else {
        let text = format!("extension {number} has a size of {size}, wanted {HEAD} or more");
        return Err(wrong(at, text));
    };
    let end = at + whole;
    if let Some(most) = place.end.filter(|&most| end > most) {
        let text = format!(
            "extension {number} of {size} bytes ends at byte {end}, but the data begin at {most}"
        );
        return Err(wrong(at, text));
    }
    // The size of a compressed file is not known: it is there if its last
    // byte is.
    if bytes.bytes_at(end - 1, 1)?.is_empty() {
        let text = format!(
            "extension {number} of {size} bytes would end at byte {end}, which is behind the file"
        );
        return Err(wrong(at, text));
    }
    Ok(Some(Extension {
        code,
        offset: at + HEAD,
        size: whole - HEAD,
    }))
}

/// Size and code.
fn sizes(head: &[u8], order: ByteOrder) -> (i32, i32) {
    let fields = Fields { bytes: head, order };
    (fields.i32(0), fields.i32(4))
}

#[cfg(test)]
#[path = "extensions_tests.rs"]
mod tests;
