//! Arrays in memory.

use std::ffi::c_void;

use super::dtype::ap_dtype;
use super::guard::{call, count, free, give, handle, place, quiet};
use super::open::{ap_proxy, proxy_of};
use super::plan::{ap_control, no_control};
use super::read::read_as;
use super::slice::{ap_slice, index_of};
use super::status::{AP_OK, ap_error, ap_status};
use crate::Array;

/// Elements in memory: an allocation of the library's, 64-byte aligned, which
/// is the caller's to write to.
pub struct ap_array {
    array: Array,
}

/// Read a selection into new memory, always. Arguments as in
/// `ap_read_slice`. `control` must be NULL in this version.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_load(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    dtype: ap_dtype,
    flags: u32,
    control: *mut ap_control,
    array: *mut *mut ap_array,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(array, "array")?;
            let proxy = proxy_of(proxy)?;
            no_control(control)?;
            let plan = proxy.plan(&index_of(index, nindex)?, read_as(dtype, flags)?)?;
            let array = plan.load(None)?;
            *place = Box::into_raw(Box::new(ap_array { array }));
            Ok(AP_OK)
        })
    }
}

/// Address of element (0,...,0). NULL if there are no elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_data(array: *const ap_array) -> *mut c_void {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { array.as_ref() };
    let none = std::ptr::null_mut();
    quiet(none, || match handle {
        Some(handle) if !handle.array.shape().contains(&0) => handle.array.as_ptr().cast(),
        _ => none,
    })
}

/// Shape. As `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_shape(
    array: *const ap_array,
    shape: *mut i64,
    capacity: i32,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(handle(array, "array")?.array.shape(), shape, capacity) })
}

/// Bytes from one element to the next along each axis; 0 if there are no
/// elements. As `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_strides(
    array: *const ap_array,
    strides: *mut i64,
    capacity: i32,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(handle(array, "array")?.array.strides(), strides, capacity) })
}

/// Type of the elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_dtype(array: *const ap_array) -> ap_dtype {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { array.as_ref() };
    quiet(0, || handle.map_or(0, |handle| handle.array.dtype().code()))
}

/// `AP_ARRAY_` flags, of which this version has none: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_flags(array: *const ap_array) -> u32 {
    let _ = array;
    0
}

/// Free an array. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_free(array: *mut ap_array) {
    // SAFETY: NULL or from `ap_load`, as the header asks.
    unsafe { free(array) }
}
