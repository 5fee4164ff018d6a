//! Files mapped into memory.

// Mapping is unsafe by nature: another program may cut or change the file.
#![allow(unsafe_code)]

use std::fs::File;
use std::ops::{Deref, DerefMut, Range};

/// A whole file, mapped read-only.
#[derive(Debug)]
pub(crate) struct Map(memmap2::Mmap);

impl Map {
    /// A map to read from here and there.
    pub(crate) fn scattered(file: &File) -> std::io::Result<Map> {
        let map = Map::new(file)?;
        // Reading ahead would only cost.
        #[cfg(unix)]
        let _ = map.0.advise(memmap2::Advice::Random);
        Ok(map)
    }

    /// A map to hand out.
    pub(crate) fn new(file: &File) -> std::io::Result<Map> {
        // SAFETY: the bytes are only ever copied out, or handed out by address
        // with the warning that they are a file's, so values that another
        // program changes meanwhile are no worse than with read calls. That
        // a file that is cut may end the process is documented with the option
        // that allows maps; its size is checked before each use.
        Ok(Map(unsafe { memmap2::Mmap::map(file)? }))
    }
}

/// A part of a file, mapped to write to without changing the file.
pub(crate) struct OwnMap(memmap2::MmapMut);

impl OwnMap {
    pub(crate) fn new(file: &File, range: Range<u64>) -> std::io::Result<OwnMap> {
        let len = usize::try_from(range.end - range.start);
        let len = len.map_err(|_| std::io::ErrorKind::OutOfMemory)?;
        let mut options = memmap2::MmapOptions::new();
        options.offset(range.start).len(len);
        // SAFETY: as above, and what is written is this map's alone.
        Ok(OwnMap(unsafe { options.map_copy(file)? }))
    }
}

impl Deref for OwnMap {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for OwnMap {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
