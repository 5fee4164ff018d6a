//! New memory for results.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use crate::error::{Error, ErrorKind, Result};

/// Vectors of any processor, and lines of its caches, begin at multiples.
const ALIGNED: usize = 64;

/// Of that alignment.
#[repr(align(64))]
struct Aligned;
const _: () = assert!(align_of::<Aligned>() == ALIGNED);

/// A large page, on most machines.
const HUGE: usize = 2 << 20;

/// Bytes from which on large pages are worth asking for them.
const LARGE: usize = 2 * HUGE;

/// An allocation of its own, which need not be written yet.
#[derive(Debug)]
pub(super) struct Memory {
    base: NonNull<u8>,
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
        Memory::made(len, alloc)
    }

    /// Memory whose bytes are all 0.
    pub(super) fn zeroed(len: usize) -> Result<Memory> {
        Memory::made(len, alloc_zeroed)
    }

    fn made(len: usize, alloc: unsafe fn(Layout) -> *mut u8) -> Result<Memory> {
        // Large pages are whole only where the memory begins at one.
        let align = if len >= LARGE { HUGE } else { ALIGNED };
        let layout = Layout::from_size_align(len, align).map_err(|_| no_memory(len))?;
        if len == 0 {
            let base = NonNull::<Aligned>::dangling().cast();
            return Ok(Memory { base, layout });
        }
        // SAFETY: the layout has a size.
        let base = NonNull::new(unsafe { alloc(layout) }).ok_or_else(|| no_memory(len))?;
        want_huge_pages(base.as_ptr(), len);
        Ok(Memory { base, layout })
    }

    pub(super) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.layout.size() > 0 {
            // SAFETY: allocated with this layout, and no one has it any more.
            unsafe { dealloc(self.base.as_ptr(), self.layout) };
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
            let memory = Memory::new(len).unwrap();
            let base = memory.base();
            let align = if len >= LARGE { HUGE } else { ALIGNED };
            assert_eq!(base.align_offset(align), 0, "{len}");
            for at in [0, len / 2, len.saturating_sub(1)] {
                if at < len {
                    // SAFETY: inside the allocation.
                    unsafe { base.add(at).write(7) };
                }
            }
        }
        let error = Memory::new(isize::MAX as usize - 5).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Memory);
    }
}
