//! Where bytes come from: files, the caller's memory, the caller's functions.

use std::ffi::{c_char, c_void};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::guard::{bytes, call, free, place};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{ReadAt, ReadBuf, Source};

/// Where bytes come from: a file, memory, or the caller's own functions.
/// Opening takes its own reference, so free the source right after.
pub struct ap_source {
    pub(super) source: Source,
}

/// The library is done with `user`. Called once, from any thread that frees
/// the last handle.
pub type ap_release_fn = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// Read up to `len` bytes at `offset` into `buf`. Return how many were read,
/// or a negative number to fail. After fewer than `len` the rest is asked for;
/// 0 means the end. More than `len` gives `AP_ERR_CALLBACK`.
pub type ap_read_at_fn = Option<
    unsafe extern "C" fn(user: *mut c_void, buf: *mut c_void, len: usize, offset: u64) -> i64,
>;

/// Return the size in bytes, or a negative number to fail.
pub type ap_size_fn = Option<unsafe extern "C" fn(user: *mut c_void) -> i64>;

/// `read_at` may be called from several threads at once. Without it, it is
/// called from one thread at a time, always the one that called the library.
pub const AP_SOURCE_CONCURRENT: u32 = 1;

/// Something of the caller's that is given back when dropped.
pub(super) struct Lent {
    pub(super) user: *mut c_void,
    pub(super) release: ap_release_fn,
}

// SAFETY: the header asks for a `release` that any thread may call, and the
// library itself does not look at `user`.
unsafe impl Send for Lent {}
// SAFETY: as above; nothing but dropping uses it.
unsafe impl Sync for Lent {}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the caller's function for the caller's pointer, called
            // once.
            unsafe { release(self.user) }
        }
    }
}

/// The caller's memory.
struct Borrowed {
    data: *const u8,
    size: usize,
    _lent: Lent,
}

// SAFETY: the header asks for memory that stays unchanged until released.
unsafe impl Send for Borrowed {}
// SAFETY: as above; it is only read.
unsafe impl Sync for Borrowed {}

impl Deref for Borrowed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.size == 0 {
            return &[];
        }
        // SAFETY: not NULL, and the caller keeps it until it is released.
        unsafe { std::slice::from_raw_parts(self.data, self.size) }
    }
}

/// The caller's functions.
struct Callbacks {
    read_at: unsafe extern "C" fn(*mut c_void, *mut c_void, usize, u64) -> i64,
    size: u64,
    /// Held during calls of sources that take one at a time.
    turn: Option<Mutex<()>>,
    lent: Lent,
}

impl ReadAt for Callbacks {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let _turn = self
            .turn
            .as_ref()
            .map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let mut at = offset;
        while buffer.room() > 0 && at < self.size {
            let left = usize::try_from(self.size - at).unwrap_or(usize::MAX);
            let len = buffer.room().min(left);
            let to = buffer.unfilled().as_mut_ptr().cast();
            // SAFETY: `len` bytes can be written at `to`.
            let got = unsafe { (self.read_at)(self.lent.user, to, len, at) };
            let failed = |text: String| {
                Err(Error::new(ErrorKind::Callback, text)
                    .with_detail(got)
                    .at(at))
            };
            match usize::try_from(got) {
                Err(_) => return failed(format!("the read_at callback failed with {got}")),
                Ok(0) => break,
                Ok(n) if n > len => {
                    return failed(format!(
                        "the read_at callback gave {n} bytes, asked for {len}"
                    ));
                }
                // SAFETY: the callback says that it wrote `n` bytes.
                Ok(n) => unsafe { buffer.advance(n) },
            }
            at += got as u64;
        }
        Ok(())
    }

    fn is_concurrent(&self) -> bool {
        self.turn.is_none()
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(Some(self.size))
    }
}

/// Read a file. `path` is UTF-8 on Windows and bytes for the system elsewhere.
/// The file is opened at once, so a missing one fails here. A relative path
/// is made absolute at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_source_file(
    path: *const c_char,
    source: *mut *mut ap_source,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let source = place(source, "source")?;
            give(source, Source::file(path_of(path)?)?);
            Ok(AP_OK)
        })
    }
}

/// Read memory. It is borrowed: keep it unchanged until `release(user)` is
/// called. `release` may be NULL for memory that outlives every handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_source_memory(
    data: *const c_void,
    size: usize,
    release: ap_release_fn,
    user: *mut c_void,
    source: *mut *mut ap_source,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let source = place(source, "source")?;
            if data.is_null() && size > 0 {
                return Err(Error::new(ErrorKind::Null, "the argument 'data' is NULL"));
            }
            if isize::try_from(size).is_err() {
                let text = format!("{size} bytes are more than memory can hold");
                return Err(Error::new(ErrorKind::Argument, text));
            }
            give(
                source,
                Source::memory(Borrowed {
                    data: data.cast(),
                    size,
                    _lent: Lent { user, release },
                }),
            );
            Ok(AP_OK)
        })
    }
}

/// Read through functions of the caller, such as a Python file object or an
/// object store. `size` is called once, now. `release` may be NULL. On
/// failure `release` is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_source_callbacks(
    read_at: ap_read_at_fn,
    size: ap_size_fn,
    release: ap_release_fn,
    user: *mut c_void,
    flags: u32,
    source: *mut *mut ap_source,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let source = place(source, "source")?;
            let null = |name| Error::new(ErrorKind::Null, format!("the argument '{name}' is NULL"));
            let read_at = read_at.ok_or_else(|| null("read_at"))?;
            let size = size.ok_or_else(|| null("size"))?;
            if flags & !AP_SOURCE_CONCURRENT != 0 {
                let text = format!("flags are {flags}, wanted 0 or AP_SOURCE_CONCURRENT");
                return Err(Error::new(ErrorKind::Argument, text));
            }
            let found = size(user);
            let size = u64::try_from(found).map_err(|_| {
                let text = format!("the size callback failed with {found}");
                Error::new(ErrorKind::Callback, text).with_detail(found)
            })?;
            give(
                source,
                Source::reader(Callbacks {
                    read_at,
                    size,
                    turn: (flags & AP_SOURCE_CONCURRENT == 0).then(Mutex::default),
                    lent: Lent { user, release },
                }),
            );
            Ok(AP_OK)
        })
    }
}

/// Let go of a source. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_source_free(source: *mut ap_source) {
    // SAFETY: NULL or from this library, as the header asks.
    unsafe { free(source) }
}

fn give(place: &mut *mut ap_source, source: Source) {
    *place = Box::into_raw(Box::new(ap_source { source }));
}

/// # Safety
/// `path` is NULL or points to a text ended by NUL.
pub(super) unsafe fn path_of(path: *const c_char) -> Result<PathBuf> {
    // SAFETY: the caller's promise.
    let path = unsafe { bytes(path, "path") }?;
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes())))
    }
    #[cfg(not(unix))]
    match path.to_str() {
        Ok(path) => Ok(PathBuf::from(path)),
        Err(_) => Err(Error::new(ErrorKind::Argument, "the path is not UTF-8")),
    }
}
