//! Controls: progress, cancel, limits of threads.

use std::ffi::c_void;
use std::time::Duration;

use super::guard::{free, quiet};
use super::options::MOST_THREADS;
use crate::Control;

/// Watches and stops reads. Cancelling and asking for progress may be done
/// from any thread at any time; resetting and setting only while no read uses
/// it.
pub struct ap_control {
    control: Control,
}

/// Progress of a read, in bytes of the result. Return 0 to go on, anything
/// else to stop it with `AP_ERR_CANCELLED`. Always called on the thread that
/// called the library, so it may raise errors there afterwards, check for
/// the user's interrupt, and so on. It must return (no longjmp, no unwinding).
pub type ap_progress_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, done: u64, total: u64) -> i32>;

/// The caller's function and what it is given.
struct Callback {
    function: unsafe extern "C" fn(*mut c_void, u64, u64) -> i32,
    user: *mut c_void,
}

// SAFETY: the header says on which threads the function is called: those that
// called the library. What it is given is never looked at.
unsafe impl Send for Callback {}

impl Callback {
    fn tell(&self, done: u64, total: u64) -> bool {
        // SAFETY: the caller's function, as the header asks for it.
        unsafe { (self.function)(self.user, done, total) == 0 }
    }
}

/// New control. NULL only if memory ran out.
#[unsafe(no_mangle)]
pub extern "C" fn ap_control_new() -> *mut ap_control {
    quiet(std::ptr::null_mut(), || {
        let control = Control::new();
        Box::into_raw(Box::new(ap_control { control }))
    })
}

/// Free a control. NULL is fine. No read may be using it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_control_free(control: *mut ap_control) {
    // SAFETY: NULL or from `ap_control_new`, as the header asks.
    unsafe { free(control) }
}

/// Ask the reads that use it to stop. Returns at once; safe in a signal
/// handler. Stays in force until `ap_control_reset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_control_cancel(control: *mut ap_control) {
    // One store, and no guard: that is not safe in a signal handler.
    // SAFETY: NULL or valid, as the header asks.
    if let Some(handle) = unsafe { control.as_ref() } {
        handle.control.cancel();
    }
}

/// Forget a cancel and the progress so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_control_reset(control: *mut ap_control) {
    // SAFETY: NULL or valid, as the header asks.
    if let Some(handle) = unsafe { control.as_ref() } {
        handle.control.reset();
    }
}

/// Progress of all reads since the last reset, in bytes of their results; of
/// index building, in compressed bytes. Either pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_control_progress(
    control: *const ap_control,
    done: *mut u64,
    total: *mut u64,
) {
    // SAFETY: NULL or valid, as the header asks.
    unsafe {
        let progress = control.as_ref().map(|handle| handle.control.progress());
        let (found_done, found_total) = progress.unwrap_or_default();
        for (to, value) in [(done, found_done), (total, found_total)] {
            if !to.is_null() {
                to.write(value);
            }
        }
    }
}

/// Most threads for reads that use it, in the place of `AP_OPT_THREADS`: 0 one
/// per core, 1 only the caller's, 1024 at most; less than 0 to leave it, as at
/// first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_control_set_threads(control: *mut ap_control, threads: i32) {
    // SAFETY: NULL or valid, as the header asks.
    if let Some(handle) = unsafe { control.as_ref() } {
        let threads = usize::try_from(threads).ok();
        handle
            .control
            .set_threads(threads.map(|n| n.min(MOST_THREADS as usize)));
    }
}

/// Call `callback` about every `interval_ms` milliseconds while a call that
/// uses the control goes on; with 0 at every step. NULL for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_control_set_callback(
    control: *mut ap_control,
    callback: ap_progress_fn,
    user: *mut c_void,
    interval_ms: u32,
) {
    quiet((), || {
        // SAFETY: NULL or valid, as the header asks.
        if let Some(handle) = unsafe { control.as_ref() } {
            let callback = callback.map(|function| Callback { function, user });
            let tell = callback.map(|callback| move |done, total| callback.tell(done, total));
            let interval = Duration::from_millis(interval_ms.into());
            handle.control.set_callback(tell, interval);
        }
    });
}

/// # Safety
/// `control` is NULL or valid.
pub(super) unsafe fn control_of<'a>(control: *mut ap_control) -> Option<&'a Control> {
    // SAFETY: the caller's promise. Others may use it at the same time.
    unsafe { control.as_ref() }.map(|handle| &handle.control)
}
