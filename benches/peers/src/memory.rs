//! A file as memory, and memory that is new.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::ptr;

/// A map of a file, which nothing else changes meanwhile.
pub struct Map {
    at: *mut u8,
    len: usize,
}

impl Map {
    /// All pages are there already.
    pub fn of(path: &str) -> io::Result<Map> {
        Map::with(path, libc::MAP_POPULATE)
    }

    /// Pages come when they are touched.
    pub fn fresh(path: &str) -> io::Result<Map> {
        Map::with(path, 0)
    }

    fn with(path: &str, flags: libc::c_int) -> io::Result<Map> {
        let file = File::open(path)?;
        let len = file.metadata()?.len() as usize;
        let flags = libc::MAP_PRIVATE | flags;
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

// SAFETY: it is only read.
unsafe impl Sync for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: nobody else has this map.
        unsafe { libc::munmap(self.at.cast(), self.len) };
    }
}

/// Elements in memory that was never touched, in huge pages where the system
/// has them. All bits must be good for them: new memory is zero.
pub struct Fresh<T> {
    at: *mut u8,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Copy> Fresh<T> {
    pub fn new(len: usize) -> Fresh<T> {
        let size = (len * size_of::<T>()).max(1);
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory where the system likes it; the advice changes
        // nothing in it.
        let at = unsafe {
            let at = libc::mmap(ptr::null_mut(), size, access, flags, -1, 0);
            assert!(at != libc::MAP_FAILED, "no memory");
            libc::madvise(at, size, libc::MADV_HUGEPAGE);
            at.cast()
        };
        let elements = PhantomData;
        Fresh { at, len, elements }
    }
}

impl<T> Deref for Fresh<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the memory holds as many, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.at.cast(), self.len) }
    }
}

impl<T> DerefMut for Fresh<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and it is nobody else's.
        unsafe { std::slice::from_raw_parts_mut(self.at.cast(), self.len) }
    }
}

impl<T> Drop for Fresh<T> {
    fn drop(&mut self) {
        // SAFETY: nobody else has this memory.
        unsafe { libc::munmap(self.at.cast(), (self.len * size_of::<T>()).max(1)) };
    }
}
