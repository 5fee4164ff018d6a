//! Memory from the system.

use std::fs::File;
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::ptr;

/// Pages that are given back when it is dropped.
pub struct Pages {
    at: *mut u8,
    len: usize,
}

impl Pages {
    /// New memory for a result, as NumPy takes it for large arrays.
    pub fn fresh(len: usize) -> io::Result<Pages> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let pages = Pages::map(len, libc::PROT_READ | libc::PROT_WRITE, flags, -1)?;
        // SAFETY: the range is a map of our own.
        unsafe { libc::madvise(pages.at.cast(), len, libc::MADV_HUGEPAGE) };
        Ok(pages)
    }

    /// A file, which nothing else changes meanwhile.
    pub fn of_file(path: &str) -> io::Result<Pages> {
        let file = File::open(path)?;
        let len = file.metadata()?.len() as usize;
        let flags = libc::MAP_PRIVATE | libc::MAP_POPULATE;
        Pages::map(len, libc::PROT_READ, flags, file.as_raw_fd())
    }

    fn map(len: usize, access: i32, flags: i32, file: i32) -> io::Result<Pages> {
        // SAFETY: a new map where the system likes it.
        let at = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, file, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = at.cast();
        Ok(Pages { at, len })
    }
}

impl Deref for Pages {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the map is readable and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.at, self.len) }
    }
}

/// For fresh memory; a map of a file cannot be written.
impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and borrowed by one alone.
        unsafe { std::slice::from_raw_parts_mut(self.at, self.len) }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: nobody else has this map.
        unsafe { libc::munmap(self.at.cast(), self.len) };
    }
}
