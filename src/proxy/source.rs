//! Where bytes come from.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::io::{FileBytes, Found, Mapping, Memory, ReadAt};

/// Where bytes come from: a file, memory, or functions of the caller's.
/// Opening takes its own reference.
#[derive(Clone)]
pub struct Source(Kind);

#[derive(Clone)]
enum Kind {
    File(Arc<Found>),
    Memory(Arc<dyn ReadAt>),
    Other(Arc<dyn ReadAt>),
}

impl Source {
    /// A file, which is opened at once. A relative path is made absolute.
    pub fn file(path: impl AsRef<Path>) -> Result<Source> {
        Ok(Source(Kind::File(Arc::new(Found::open(path.as_ref())?))))
    }

    pub(super) fn file_if_there(path: &Path) -> Result<Option<Source>> {
        let found = Found::open_if_there(path)?;
        Ok(found.map(|found| Source(Kind::File(Arc::new(found)))))
    }

    /// Bytes in memory.
    pub fn memory<B: Deref<Target = [u8]> + Send + Sync + 'static>(bytes: B) -> Source {
        Source(Kind::Memory(Arc::new(Memory(Arc::new(bytes)))))
    }

    /// Bytes that are read by functions of the caller's.
    pub fn reader(reader: impl ReadAt + 'static) -> Source {
        Source(Kind::Other(Arc::new(reader)))
    }

    pub(super) fn path(&self) -> Option<PathBuf> {
        match &self.0 {
            Kind::File(found) => Some(found.path().to_path_buf()),
            Kind::Memory(_) | Kind::Other(_) => None,
        }
    }

    /// Size and time of a file.
    pub(super) fn stamp(&self) -> Option<(u64, u128)> {
        match &self.0 {
            Kind::File(found) => Some(found.stamp()),
            Kind::Memory(_) | Kind::Other(_) => None,
        }
    }

    /// The bytes, read as the [`super::Options`] of these names say.
    pub(super) fn bytes(&self, keep_open: bool, mapping: Mapping) -> Result<Arc<dyn ReadAt>> {
        match &self.0 {
            Kind::File(found) => {
                let file = FileBytes::new(found, keep_open, mapping)?;
                Ok(Arc::new(file))
            }
            Kind::Memory(bytes) => Ok(bytes.clone()),
            Kind::Other(_) if mapping == Mapping::Required => {
                let text = "bytes that come from callbacks cannot be mapped";
                Err(Error::new(ErrorKind::Unsupported, text))
            }
            Kind::Other(bytes) => Ok(bytes.clone()),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Kind::File(found) => write!(f, "Source::file({:?})", found.path()),
            Kind::Memory(_) => f.write_str("Source::memory"),
            Kind::Other(_) => f.write_str("Source::reader"),
        }
    }
}
