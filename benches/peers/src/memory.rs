//! A file as memory.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::ptr;

/// A map of a file, which nothing else changes meanwhile.
pub struct Map {
    at: *mut u8,
    len: usize,
}

impl Map {
    pub fn of(path: &str) -> io::Result<Map> {
        let file = File::open(path)?;
        let len = file.metadata()?.len() as usize;
        let flags = libc::MAP_PRIVATE | libc::MAP_POPULATE;
        let (access, file) = (libc::PROT_READ, file.as_raw_fd());
        // SAFETY: a new map where the system likes it.
        let at = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, file, 0) };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = at.cast();
        Ok(Map { at, len })
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the map is readable and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.at, self.len) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: nobody else has this map.
        unsafe { libc::munmap(self.at.cast(), self.len) };
    }
}
