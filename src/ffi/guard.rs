//! The only way in: catches panics, fills errors, checks pointers.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use super::status::{ap_error, code};
use crate::MAX_NDIM;
use crate::error::{Error, ErrorKind, Result};

thread_local! {
    /// How many guarded calls this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What the panic said that is being caught.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics inside a call become errors and are never printed. Others, in a
/// Rust program that uses this crate, are left to the hook that was there.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    // The hook cannot be set while a panic of the caller's is on its way.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if DEPTH.get() == 0 && !crate::threads::is_helper() {
                before(info);
            } else {
                PANIC.set(info.to_string().replace('\n', ": "));
            }
        }));
    });
}

/// A value that says that a call failed.
pub(super) trait Answer {
    fn failure(code: i32) -> Self;
}

impl Answer for i32 {
    fn failure(code: i32) -> i32 {
        code
    }
}

impl Answer for i64 {
    fn failure(code: i32) -> i64 {
        code.into()
    }
}

fn guarded<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    keep_quiet();
    DEPTH.set(DEPTH.get() + 1);
    let caught = catch_unwind(AssertUnwindSafe(body));
    DEPTH.set(DEPTH.get() - 1);
    caught.unwrap_or_else(|panic| {
        let mut said = PANIC.take();
        // That of another thread brings no more than its words.
        if said.is_empty() {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            said = words.unwrap_or_default().into();
        }
        let text = format!("a bug in arrayproxy: {said}");
        Err(Error::new(ErrorKind::Internal, text))
    })
}

/// Run the body of a function that tells why it failed.
///
/// # Safety
/// `err` is NULL or can be written.
pub(super) unsafe fn call<T: Answer>(err: *mut ap_error, body: impl FnOnce() -> Result<T>) -> T {
    guarded(body).unwrap_or_else(|error| {
        if !err.is_null() {
            // SAFETY: the caller's promise.
            unsafe { err.write(ap_error::new(&error)) };
        }
        T::failure(code(error.kind()))
    })
}

/// Run the body of a function that fails with a code alone.
pub(super) fn count<T: Answer>(body: impl FnOnce() -> Result<T>) -> T {
    guarded(body).unwrap_or_else(|error| T::failure(code(error.kind())))
}

/// Run the body of a function that has one value for all failures.
pub(super) fn quiet<T>(failure: T, body: impl FnOnce() -> T) -> T {
    guarded(|| Ok(body())).unwrap_or(failure)
}

pub(super) fn null(name: &str) -> Error {
    Error::new(ErrorKind::Null, format!("the argument '{name}' is NULL"))
}

/// # Safety
/// `pointer` is NULL or points to a value that lives as long as is needed.
pub(super) unsafe fn handle<'a, T>(pointer: *const T, name: &str) -> Result<&'a T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// # Safety
/// `pointer` is NULL or points to a value that is the caller's alone.
pub(super) unsafe fn handle_mut<'a, T>(pointer: *mut T, name: &str) -> Result<&'a mut T> {
    // SAFETY: the caller's promise.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

/// A place for a new handle, which is NULL until the call succeeds.
///
/// # Safety
/// `pointer` is NULL or can be written.
pub(super) unsafe fn place<'a, T>(pointer: *mut *mut T, name: &str) -> Result<&'a mut *mut T> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, so it can be written; written before it is borrowed.
    unsafe {
        pointer.write(std::ptr::null_mut());
        Ok(&mut *pointer)
    }
}

/// `n` values, one for each axis or entry of an index; NULL will do for none.
/// More than there can be give an error of kind `excess`, unlooked at.
///
/// # Safety
/// `pointer` is NULL or `n` values can be read there.
pub(super) unsafe fn list<'a, T>(
    pointer: *const T,
    n: i32,
    name: &str,
    excess: ErrorKind,
) -> Result<&'a [T]> {
    let n = length(n, name)?;
    if n > MAX_NDIM {
        let text = format!("'{name}' has {n} entries, at most {MAX_NDIM} are possible");
        return Err(Error::new(excess, text));
    }
    if n == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, and the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(pointer, n) })
}

/// Write the first `capacity` values and say how many there are.
///
/// # Safety
/// `to` is NULL or `capacity` values can be written there.
pub(super) unsafe fn give<T: Copy>(values: &[T], to: *mut T, capacity: i32) -> Result<i32> {
    let capacity = length(capacity, "capacity")?;
    if to.is_null() && capacity > 0 {
        return Err(null("the array of results"));
    }
    let n = values.len().min(capacity);
    if n > 0 {
        // SAFETY: not NULL, and `n` is at most `capacity`.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), to, n) };
    }
    Ok(values.len() as i32)
}

/// # Safety
/// `pointer` is NULL or points to a text ended by NUL.
pub(super) unsafe fn bytes<'a>(pointer: *const c_char, name: &str) -> Result<&'a CStr> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, and the caller's promise.
    Ok(unsafe { CStr::from_ptr(pointer) })
}

/// # Safety
/// As [`bytes`].
pub(super) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    unsafe { bytes(pointer, name) }?.to_str().map_err(|_| {
        Error::new(
            ErrorKind::Argument,
            format!("the argument '{name}' is not UTF-8"),
        )
    })
}

fn length(n: i32, name: &str) -> Result<usize> {
    usize::try_from(n).map_err(|_| {
        Error::new(
            ErrorKind::Argument,
            format!("the length of '{name}' is {n}"),
        )
    })
}

/// Free what [`Box::into_raw`] gave away. NULL is fine.
///
/// # Safety
/// `pointer` is NULL or came from a box and was not freed.
pub(super) unsafe fn free<T>(pointer: *mut T) {
    quiet((), || {
        if !pointer.is_null() {
            // SAFETY: the caller's promise.
            drop(unsafe { Box::from_raw(pointer) });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::status::AP_ERR_INTERNAL;

    #[test]
    fn panics_become_errors() {
        let mut err = std::mem::MaybeUninit::<ap_error>::uninit();
        // SAFETY: `err` can be written.
        let status: i32 = unsafe { call(err.as_mut_ptr(), || panic!("the index was {}", 7)) };
        assert_eq!(status, AP_ERR_INTERNAL);
        // SAFETY: the call failed, so it filled the error.
        let err = unsafe { err.assume_init() };
        // SAFETY: the message ends with NUL.
        let text = unsafe { CStr::from_ptr(err.message.as_ptr()) }
            .to_str()
            .unwrap();
        assert!(
            text.contains("the index was 7") && text.contains("guard.rs"),
            "{text}"
        );
        assert_eq!(quiet(5, || panic!()), 5);
        assert_eq!(count::<i64>(|| panic!()), AP_ERR_INTERNAL.into());
        assert_eq!(DEPTH.get(), 0);
    }
}
