//! Arrays in memory.

use std::ffi::c_void;

use super::control::{ap_control, control_of};
use super::dtype::{ap_dtype, dtype, order};
use super::guard::{call, count, free, give, handle, list, place, quiet};
use super::open::{ap_proxy, proxy_of};
use super::read::{AP_READ_PRIVATE, AP_READ_RAW, read_as};
use super::slice::{ap_slice, index_of};
use super::source::{Lent, ap_release_fn};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{Access, Array, Order, Strides, ViewAs};

/// The memory must not be written.
pub const AP_ARRAY_READONLY: u32 = 1;

/// The elements are in the mapped file itself: if another program shortens
/// the file, touching them ends the process (SIGBUS).
pub const AP_ARRAY_MAPPED: u32 = 2;

/// Elements in memory: an allocation of the library's (64-byte aligned), a
/// view of the mapped file or memory source, or memory that was borrowed.
pub struct ap_array {
    array: Array,
}

impl ap_array {
    pub(super) fn boxed(array: Array) -> *mut ap_array {
        Box::into_raw(Box::new(ap_array { array }))
    }
}

/// Read a selection into new memory, always. Arguments as in
/// `ap_read_slice`; `control` may be NULL.
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
            let plan = proxy.plan(&index_of(index, nindex)?, read_as(dtype, flags)?)?;
            *place = ap_array::boxed(plan.load(control_of(control))?);
            Ok(AP_OK)
        })
    }
}

/// The stored elements of a selection without a copy, in their own strides.
/// `AP_ERR_NO_VIEW` if they are compressed, byte-swapped, unaligned, scaled
/// (unless `flags` has `AP_READ_RAW`), in several files or blocks, or neither
/// mapped nor in memory. Views of one file share a map, which stays until the
/// last of them is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_view(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    flags: u32,
    array: *mut *mut ap_array,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(array, "array")?;
            let proxy = proxy_of(proxy)?;
            let unknown = flags & !(AP_READ_RAW | AP_READ_PRIVATE);
            if unknown != 0 {
                let text = format!("flags hold {unknown:#x}, which views do not take");
                return Err(Error::new(ErrorKind::Argument, text));
            }
            let view_as = ViewAs::default()
                .raw(flags & AP_READ_RAW != 0)
                .own(flags & AP_READ_PRIVATE != 0);
            *place = ap_array::boxed(proxy.view(&index_of(index, nindex)?, view_as)?);
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

/// `AP_ARRAY_` flags.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_flags(array: *const ap_array) -> u32 {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { array.as_ref() };
    quiet(0, || {
        let access = handle.map(|handle| handle.array.access());
        access.map_or(0, |access| {
            let flag = |has: bool, flag: u32| if has { flag } else { 0 };
            flag(access.readonly, AP_ARRAY_READONLY) | flag(access.mapped, AP_ARRAY_MAPPED)
        })
    })
}

/// Free an array. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_free(array: *mut ap_array) {
    // SAFETY: NULL or from this library, as the header asks.
    unsafe { free(array) }
}

/// New array in memory of the library's, set to zero. `order` is
/// `AP_ORDER_F` or `AP_ORDER_C`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_new(
    dtype: ap_dtype,
    ndim: i32,
    shape: *const i64,
    order: i32,
    array: *mut *mut ap_array,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(array, "array")?;
            let shape = list(shape, ndim, "shape", ErrorKind::Argument)?;
            let made = Array::zeros(self::dtype(dtype)?, shape, self::order(order)?)?;
            *place = ap_array::boxed(made);
            Ok(AP_OK)
        })
    }
}

/// Array over the caller's memory, which is borrowed until `release(user)` is
/// called. `strides` in bytes, which may be 0, negative or odd; NULL for
/// packed column-major. `data` is the address of element (0,...,0), NULL only
/// if there are no elements. Only the elements are touched, not the bytes
/// between them. `flags` is 0 or `AP_ARRAY_READONLY`. `release` may
/// be NULL for memory that outlives every handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_wrap(
    data: *mut c_void,
    dtype: ap_dtype,
    ndim: i32,
    shape: *const i64,
    strides: *const i64,
    flags: u32,
    release: ap_release_fn,
    user: *mut c_void,
    array: *mut *mut ap_array,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(array, "array")?;
            let dtype = self::dtype(dtype)?;
            let shape = list(shape, ndim, "shape", ErrorKind::Argument)?;
            if flags & !AP_ARRAY_READONLY != 0 {
                let text = format!("flags are {flags:#x}, wanted 0 or AP_ARRAY_READONLY");
                return Err(Error::new(ErrorKind::Argument, text));
            }
            if data.is_null() && !shape.contains(&0) {
                let text = "the argument 'data' is NULL, and the array has elements";
                return Err(Error::new(ErrorKind::Null, text));
            }
            let strides = match strides.is_null() {
                true => Strides::Packed(Order::F),
                false => Strides::Of(list(strides, ndim, "strides", ErrorKind::Argument)?),
            };
            let access = Access {
                readonly: flags & AP_ARRAY_READONLY != 0,
                mapped: false,
            };
            let lent = || Lent { user, release };
            let wrapped = Array::from_raw(lent, data.cast(), dtype, shape, strides, access)?;
            *place = ap_array::boxed(wrapped);
            Ok(AP_OK)
        })
    }
}

/// Another handle to the same elements, to be freed on its own. NULL if
/// `array` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_clone(array: *const ap_array) -> *mut ap_array {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { array.as_ref() };
    let none = std::ptr::null_mut();
    quiet(none, || {
        handle.map_or(none, |handle| ap_array::boxed(handle.array.clone()))
    })
}

/// # Safety
/// `array` is NULL or valid.
pub(super) unsafe fn array_of<'a>(array: *const ap_array) -> Result<&'a Array> {
    // SAFETY: the caller's promise.
    Ok(&unsafe { handle(array, "array") }?.array)
}
