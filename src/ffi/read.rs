//! Reading into packed memory in one call.

use std::ffi::c_void;

use super::dtype::{AP_AUTO, AP_DISK, ap_dtype, dtype};
use super::guard::{call, list};
use super::open::{ap_proxy, proxy_of};
use super::slice::{ap_slice, index_of};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{Buffer, Order, Plan, ReadAs};

/// Results in row-major order. Without it they are column-major, which is the
/// order of nearly all these files and the faster one.
pub const AP_READ_C: u32 = 1;

/// Do not scale, whatever the type asked for.
pub const AP_READ_RAW: u32 = 2;

/// Casts to integers round to the nearest, ties to even. Without it they cut
/// towards zero, as C and NumPy do. In both cases values out of range become
/// the nearest limit, from integers too (NumPy wraps those), and NaN becomes
/// 0. Complex to real keeps the real part. Casts to or from RGB, and to
/// `AP_FLOAT128` or `AP_COMPLEX256` from another type, give
/// `AP_ERR_UNSUPPORTED`.
pub const AP_READ_ROUND: u32 = 4;

/// Casts fail with `AP_ERR_RANGE` if, after rounding or cutting, an integer
/// does not fit, NaN becomes an integer, a finite value becomes infinite, or
/// an imaginary part that is not zero is dropped. Lost fractions are no
/// failure.
pub const AP_READ_CHECKED: u32 = 8;

/// Keep the array of an image out of its cache: a cached array is used if
/// there is one, but a fresh one is not kept. For `ap_image_data`.
pub const AP_READ_UNCACHED: u32 = 16;

/// For `ap_view` of a mapped file: the result may be written; what is written
/// stays in this array (a copy-on-write map of its own). Without it views
/// have `AP_ARRAY_READONLY`. `AP_ERR_NO_VIEW` for sources in memory.
pub const AP_READ_PRIVATE: u32 = 32;

/// Read a selection into `out`, packed, in native byte order. `nbytes` is the
/// size of `out`; if it is too small nothing is read, the result is
/// `AP_ERR_BUFFER`, and `err->detail` holds the bytes needed (see
/// `ap_slice_nbytes`). An empty result needs no buffer. After other failures
/// `out` holds anything.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_read_slice(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    dtype: ap_dtype,
    flags: u32,
    out: *mut c_void,
    nbytes: usize,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let plan = proxy.plan(&index_of(index, nindex)?, read_as(dtype, flags)?)?;
            read_packed(&plan, out, nbytes)
        })
    }
}

/// Read the whole array. Otherwise as `ap_read_slice`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_read_all(
    proxy: *const ap_proxy,
    dtype: ap_dtype,
    flags: u32,
    out: *mut c_void,
    nbytes: usize,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe { ap_read_slice(proxy, std::ptr::null(), 0, dtype, flags, out, nbytes, err) }
}

/// Read a box, as netCDF and HDF5 name it: for each of the `ndim` axes (all of
/// the array's) `count` elements from `start` on, `step` apart. `step` may be
/// NULL for 1; negative steps walk back. `start` does not count from the end.
/// An element outside the array gives `AP_ERR_INDEX`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_read_box(
    proxy: *const ap_proxy,
    ndim: i32,
    start: *const i64,
    count: *const i64,
    step: *const i64,
    dtype: ap_dtype,
    flags: u32,
    out: *mut c_void,
    nbytes: usize,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let axes = |pointer: *const i64, name| list(pointer, ndim, name, ErrorKind::Index);
            if ndim >= 0 && ndim as usize != proxy.shape().len() {
                let text = format!(
                    "a box of {ndim} axes in an array of {}",
                    proxy.shape().len()
                );
                return Err(Error::new(ErrorKind::Index, text));
            }
            let step = match step.is_null() {
                true => None,
                false => Some(axes(step, "step")?),
            };
            let (start, count) = (axes(start, "start")?, axes(count, "count")?);
            let plan = proxy.plan_box(start, count, step, read_as(dtype, flags)?)?;
            read_packed(&plan, out, nbytes)
        })
    }
}

/// # Safety
/// `out` is NULL or `nbytes` bytes can be written there.
unsafe fn read_packed(plan: &Plan, out: *mut c_void, nbytes: usize) -> Result<ap_status> {
    // SAFETY: the caller's promise.
    plan.read_into(unsafe { buffer_of(out, nbytes) }?, 0, None, None)?;
    Ok(AP_OK)
}

/// # Safety
/// `out` is NULL or `nbytes` bytes are there, of which those that the result
/// goes to can be written and are no one else's for the time of the call.
pub(super) unsafe fn buffer_of<'a>(out: *mut c_void, nbytes: usize) -> Result<Buffer<'a>> {
    if out.is_null() && nbytes > 0 {
        let text = format!("the buffer is NULL, its size {nbytes}");
        return Err(Error::new(ErrorKind::Null, text));
    }
    // SAFETY: not NULL unless empty, and the caller's promise.
    Ok(unsafe { Buffer::from_raw(out.cast(), nbytes) })
}

pub(super) fn read_as(code: ap_dtype, flags: u32) -> Result<ReadAs> {
    let known = AP_READ_C | AP_READ_RAW | AP_READ_ROUND | AP_READ_CHECKED;
    if flags & !known != 0 {
        let text = format!(
            "flags hold {:#x}, which is none of AP_READ_",
            flags & !known
        );
        return Err(Error::new(ErrorKind::Argument, text));
    }
    let has = |flag: u32| flags & flag != 0;
    let read_as = match code {
        AP_AUTO => ReadAs::auto(),
        AP_DISK => ReadAs::disk(),
        code => ReadAs::dtype(dtype(code)?),
    };
    Ok(read_as
        .order(if has(AP_READ_C) { Order::C } else { Order::F })
        .raw(has(AP_READ_RAW))
        .round(has(AP_READ_ROUND))
        .checked(has(AP_READ_CHECKED)))
}
