//! HDF5 files ("HDF5 File Format Specification", version 3.0, whose sections
//! are named where their structures are read): groups, attributes, and where
//! the elements of datasets are.
//!
//! What is read is bound by the file: bytes are counted against its size, so
//! that addresses that lead in circles come to an end.

mod arrays;
mod attributes;
mod btree;
mod chunks;
mod dataset;
mod datatype;
mod filters;
mod fractal;
mod heaps;
mod links;
mod numbers;
mod object;
mod source;
mod values;

pub(super) use attributes::Attribute;
pub(super) use dataset::{Dataset, Place};
pub(super) use object::Object;

use super::{Bytes, HDF5};
use crate::error::{Error, ErrorKind, Result};
use source::{Cursor, Source, unsupported};

/// Where a file may begin, behind what its users keep there.
const STARTS: [u64; 6] = [0, 512, 1024, 2048, 4096, 8192];

/// An HDF5 file.
pub(super) struct File<'a> {
    source: Source<'a>,
    /// Byte of the root group's header.
    root: u64,
}

impl<'a> File<'a> {
    pub(super) fn open(bytes: &'a dyn Bytes) -> Result<File<'a>> {
        let mut source = Source::new(bytes);
        for start in STARTS {
            // Of the largest superblock.
            let head = source.some(start, 128)?;
            if head.bytes.starts_with(HDF5) {
                let root = superblock(&mut source, head.cursor())?;
                return Ok(File { source, root });
            }
        }
        let text = "no HDF5 file begins here";
        Err(Error::new(ErrorKind::Header, text).at(0))
    }

    /// The object that a path of names leads to; `None` if there is none.
    pub(super) fn object(&self, path: &[&str]) -> Result<Option<Object>> {
        links::find(&self.source, self.root, path)
    }

    /// The object whose header begins at a byte of the file.
    pub(super) fn object_at(&self, at: u64) -> Result<Object> {
        Object::read(&self.source, at)
    }

    /// Names of a group's objects, and the bytes at which their headers begin.
    /// Links by paths are left out.
    pub(super) fn children(&self, group: &Object) -> Result<Vec<(String, u64)>> {
        let links = links::of(&self.source, group)?.into_iter();
        Ok(links
            .filter_map(|link| Some((link.name, link.to?)))
            .collect())
    }

    pub(super) fn attributes(&self, object: &Object) -> Result<Vec<Attribute>> {
        attributes::of(&self.source, object)
    }

    /// The dataset that an object is.
    pub(super) fn dataset(&self, object: &Object) -> Result<Dataset> {
        dataset::read(&self.source, object)
    }

    /// All elements of a small dataset, the last axis fastest.
    pub(super) fn numbers(&self, dataset: &Dataset) -> Result<Vec<f64>> {
        numbers::read(&self.source, dataset)
    }
}

/// II.A: take sizes, and find the root group.
fn superblock(source: &mut Source<'_>, mut head: Cursor<'_>) -> Result<u64> {
    let start = head.at;
    head.take(HDF5.len())?;
    let version = head.version("the superblock", 0..=3)?;
    // Other versions.
    head.take(if version < 2 { 4 } else { 0 })?;
    let at = head.at;
    let sizes = [head.u8()?, head.u8()?];
    if let Some(size) = sizes.iter().find(|size| ![2, 4, 8].contains(*size)) {
        let text =
            format!("addresses or lengths have {size} bytes, of which 2, 4 and 8 can be read");
        return Err(unsupported(at, text));
    }
    [source.sizes.address, source.sizes.length] = sizes.map(usize::from);
    source.sizes.base = start;
    head.sizes = source.sizes;
    // Flags, and sizes of nodes.
    head.take(match version {
        0 => 9,
        1 => 13,
        _ => 1,
    })?;
    // The base, which is where the file begins, whatever it says; what belongs
    // to the superblock; and the file's end.
    head.take(3 * source.sizes.address)?;
    if version < 2 {
        // A driver, and the name of an entry that has none.
        head.take(2 * source.sizes.address)?;
    }
    head.some_address("the root group")
}

#[cfg(test)]
#[path = "hdf5_tests.rs"]
mod tests;
