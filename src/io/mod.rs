//! Bytes at an offset: files, memory, and what callers bring.

mod buffer;
mod file;
mod map;
mod memory;
mod name;
mod replace;

pub use buffer::ReadBuf;
pub(crate) use buffer::{append, fill};
pub use file::Mapping;
pub(crate) use file::{FileBytes, Found};
pub(crate) use memory::Memory;
pub(crate) use name::{name_of, text_of};
pub(crate) use replace::{file_size, make_folder, replace};

use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use crate::error::Result;
use map::Map;

/// Bytes that can be read at any offset, by many threads at once. There is no
/// position: a read depends on nothing but its arguments.
pub trait ReadAt: Send + Sync {
    /// Fill `buffer` from byte `offset` on. Stops early only where the bytes
    /// end.
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()>;

    /// Number of bytes; `None` where only reading them all can tell.
    fn size(&self) -> Result<Option<u64>>;

    /// All bytes in memory, where reading them through memory is possible and
    /// safe now, and worth it for so many scattered reads. `None` says to use
    /// [`ReadAt::read_at`].
    fn view(&self, reads: u64) -> Result<Option<View>> {
        let _ = reads;
        Ok(None)
    }

    /// All bytes in memory, to be handed out: they stay there as long as the
    /// view, whatever becomes of the source. `None` where there is no such
    /// memory.
    fn lend(&self) -> Result<Option<View>> {
        Ok(None)
    }

    /// The bytes of a range of a file in memory to write to. What is written
    /// stays there alone. `None` where there is no such memory.
    fn lend_own(&self, range: Range<u64>) -> Result<Option<OwnBytes>> {
        let _ = range;
        Ok(None)
    }

    /// The same bytes with all that reading them needs held open, for several
    /// reads in a row. `None` where that makes no difference.
    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        Ok(None)
    }

    /// Called after the last byte that is wanted was read, which ends at
    /// `offset`: the place to look at a checksum that stands near behind it.
    fn check_end(&self, offset: u64) -> Result<()> {
        let _ = offset;
        Ok(())
    }

    /// Whether threads other than the one that called the library may read.
    fn is_concurrent(&self) -> bool {
        true
    }

    /// Whether a read of a few KiB costs little more than copying them, as those of
    /// files and memory do.
    fn is_near(&self) -> bool {
        false
    }

    /// Give back what can be made again, such as an open file.
    fn trim(&self) {}

    /// Bytes read without a gap from the first of `offset` on, as many as
    /// there are up to `len`.
    fn read_vec(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        append(&mut bytes, len, |buffer| self.read_at(offset, buffer))?;
        Ok(bytes)
    }
}

/// Bytes in memory, which are kept there.
pub type Kept = Arc<dyn Deref<Target = [u8]> + Send + Sync>;

/// Bytes in memory that are the holder's alone.
pub type OwnBytes = Box<dyn DerefMut<Target = [u8]> + Send + Sync>;

/// All bytes of a source in memory. Keeps them there while it lives.
#[derive(Clone)]
pub struct View {
    bytes: Kept,
    mapped: bool,
}

impl View {
    /// A view that keeps `bytes` alive.
    pub fn new(bytes: Kept) -> View {
        View {
            bytes,
            mapped: false,
        }
    }

    fn of_map(map: Arc<Map>) -> View {
        View {
            bytes: map,
            mapped: true,
        }
    }

    /// Whether the bytes are a mapped file's, which other programs may shorten.
    pub fn is_mapped(&self) -> bool {
        self.mapped
    }

    /// The bytes, and what keeps them.
    pub fn into_bytes(self) -> Kept {
        self.bytes
    }
}

impl Deref for View {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
