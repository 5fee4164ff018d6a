//! What the tests share: headers to order, a generator, a folder.
#![allow(dead_code, unused_imports)]

mod random;
mod seeds;
pub(crate) mod series;

pub(crate) use random::Random;
pub(crate) use seeds::*;

use std::path::{Path, PathBuf};

/// A little-endian NIfTI-1 header with its four extension bytes, as nifti1.h
/// has it; `single` or the magic of a pair.
pub(crate) fn nifti1(
    shape: &[i16],
    datatype: i16,
    bitpix: i16,
    (slope, inter): (f32, f32),
    single: bool,
) -> Vec<u8> {
    let mut head = vec![0; 352];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348i32.to_le_bytes());
    put(40, &(shape.len() as i16).to_le_bytes());
    for (i, n) in shape.iter().enumerate() {
        put(42 + 2 * i, &n.to_le_bytes());
    }
    put(70, &datatype.to_le_bytes());
    put(72, &bitpix.to_le_bytes());
    for i in 0..8 {
        put(76 + 4 * i, &1f32.to_le_bytes());
    }
    put(108, &(if single { 352f32 } else { 0.0 }).to_le_bytes());
    put(112, &slope.to_le_bytes());
    put(116, &inter.to_le_bytes());
    put(344, if single { b"n+1\0" } else { b"ni1\0" });
    head
}

/// A big-endian NIfTI-2 header with its four extension bytes.
pub(crate) fn nifti2(
    shape: &[i64],
    datatype: i16,
    bitpix: i16,
    (slope, inter): (f64, f64),
) -> Vec<u8> {
    let mut head = vec![0; 544];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &540i32.to_be_bytes());
    put(4, b"n+2\0\r\n\x1A\n");
    put(12, &datatype.to_be_bytes());
    put(14, &bitpix.to_be_bytes());
    put(16, &(shape.len() as i64).to_be_bytes());
    for (i, n) in shape.iter().enumerate() {
        put(24 + 8 * i, &n.to_be_bytes());
    }
    for i in 0..8 {
        put(104 + 8 * i, &1f64.to_be_bytes());
    }
    put(168, &544i64.to_be_bytes());
    put(176, &slope.to_be_bytes());
    put(184, &inter.to_be_bytes());
    head
}

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("arrayproxy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file of the repository's own test data.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}
