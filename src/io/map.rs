//! Files mapped into memory.

// Mapping is unsafe by nature: another program may cut or change the file.
#![allow(unsafe_code)]

use std::fs::File;
use std::ops::Deref;

/// A whole file, mapped read-only.
#[derive(Debug)]
pub(crate) struct Map(memmap2::Mmap);

impl Map {
    pub(crate) fn new(file: &File) -> std::io::Result<Map> {
        // SAFETY: the bytes are only ever copied out, so values that another
        // program changes meanwhile are no worse than with read calls. That
        // a file cut during a read may end the process is documented with the
        // option that allows maps; its size is checked before each read.
        let map = unsafe { memmap2::Mmap::map(file)? };
        // Maps serve scattered reads: reading ahead would only cost.
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::Random);
        Ok(Map(map))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
