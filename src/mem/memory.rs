//! New memory for results.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use crate::error::{Error, ErrorKind, Result};

/// Vectors of any processor, and lines of its caches, begin at multiples.
const ALIGNED: usize = 64;

/// What allocators give without being asked.
const NATURAL: usize = 16;

/// Of that alignment.
#[repr(align(64))]
struct Aligned;
const _: () = assert!(align_of::<Aligned>() == ALIGNED);

/// A large page, on most machines.
const HUGE: usize = 2 << 20;

/// Bytes from which on large pages are worth asking for them.
const LARGE: usize = 2 * HUGE;

/// Where so many bytes begin: large pages are whole only where the memory begins
/// at one.
fn alignment(len: usize) -> usize {
    if len >= LARGE { HUGE } else { ALIGNED }
}

/// An allocation of its own, which need not be written yet.
#[derive(Debug)]
pub(super) struct Memory {
    /// The first byte of use.
    base: NonNull<u8>,
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the allocation is the value's own; who shares it reads only, or
// answers for what is written.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Memory of `len` bytes, which may be 0.
    pub(super) fn new(len: usize) -> Result<Memory> {
        Memory::made(len, len, alignment(len), alloc)
    }

    /// Memory whose bytes are all 0. The system has such memory, which costs
    /// nothing until it is touched, but not at every alignment.
    pub(super) fn zeroed(len: usize) -> Result<Memory> {
        let more = len.checked_add(alignment(len)).filter(|_| len > 0);
        Memory::made(len, more.unwrap_or(len), NATURAL, alloc_zeroed)
    }

    /// `len` bytes somewhere in `size` of them.
    fn made(
        len: usize,
        size: usize,
        align: usize,
        alloc: unsafe fn(Layout) -> *mut u8,
    ) -> Result<Memory> {
        let layout = Layout::from_size_align(size, align).map_err(|_| no_memory(len))?;
        if size == 0 {
            let base = NonNull::<Aligned>::dangling().cast();
            let start = base;
            return Ok(Memory {
                base,
                start,
                layout,
            });
        }
        // SAFETY: the layout has a size.
        let start = NonNull::new(unsafe { alloc(layout) }).ok_or_else(|| no_memory(len))?;
        let skip = start.align_offset(alignment(len));
        // SAFETY: there are as many bytes more as the alignment has, or none is
        // skipped.
        let base = unsafe { start.add(skip) };
        want_huge_pages(base.as_ptr(), len);
        Ok(Memory {
            base,
            start,
            layout,
        })
    }

    pub(super) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated with this layout, and no one has it any more.
            unsafe { dealloc(self.start.as_ptr(), self.layout) };
        }
    }
}

/// Ask for large pages: new memory takes a fault for each page, and with those
/// of 4 KiB that costs more than the conversion. All of it is written, so large
/// pages hold no more memory.
pub(super) fn want_huge_pages(memory: *mut u8, len: usize) {
    // Less is not worth the call.
    #[cfg(target_os = "linux")]
    if len >= LARGE {
        let skipped = memory.align_offset(HUGE);
        let inner = len.saturating_sub(skipped) / HUGE * HUGE;
        let start = memory.wrapping_add(skipped).cast();
        // SAFETY: the range lies in the memory, and the advice leaves contents
        // and access as they are. A refusal changes nothing but the speed.
        unsafe { libc::madvise(start, inner, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (memory, len);
}

fn no_memory(len: usize) -> Error {
    let text = format!("there is no memory for a result of {len} bytes");
    Error::new(ErrorKind::Memory, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_aligned_and_writable() {
        for len in [0, 1, 63, 4096, LARGE - 1, LARGE, LARGE + 5] {
            let zeroed = Memory::zeroed(len).unwrap();
            let memory = Memory::new(len).unwrap();
            for memory in [&zeroed, &memory] {
                assert_eq!(memory.base().align_offset(alignment(len)), 0, "{len}");
            }
            // SAFETY: so many bytes, all written.
            let zeros = unsafe { std::slice::from_raw_parts(zeroed.base(), len) };
            assert!(zeros.iter().all(|&byte| byte == 0));
            let base = memory.base();
            for at in [0, len / 2, len.saturating_sub(1)] {
                if at < len {
                    // SAFETY: inside the allocation.
                    unsafe { base.add(at).write(7) };
                }
            }
        }
        let most = isize::MAX as usize - 5;
        for memory in [Memory::new(most), Memory::zeroed(most)] {
            assert_eq!(memory.unwrap_err().kind(), ErrorKind::Memory);
        }
    }
}
