//! What a proxy knows of its array.

use std::ffi::{c_char, c_void};

use super::dtype::{AP_BIG, AP_LITTLE, AP_ORDER_C, AP_ORDER_F, ap_dtype};
use super::guard::{call, count, give, quiet};
use super::open::{ap_proxy, proxy_of};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{ArrayProxy, ByteOrder, Order, Which};

/// The affine that NiBabel would choose.
pub const AP_AFFINE_BEST: i32 = 0;

/// NIfTI's sform.
pub const AP_AFFINE_SFORM: i32 = 1;

/// NIfTI's qform.
pub const AP_AFFINE_QFORM: i32 = 2;

/// From shape and zooms alone.
pub const AP_AFFINE_BASE: i32 = 3;

/// `failure` for NULL, else what `ask` says of the proxy.
///
/// # Safety
/// `proxy` is NULL or valid.
unsafe fn of<T: Copy>(proxy: *const ap_proxy, failure: T, ask: impl FnOnce(&ArrayProxy) -> T) -> T {
    // SAFETY: the caller's promise.
    let handle = unsafe { proxy.as_ref() };
    quiet(failure, || {
        handle.map_or(failure, |handle| ask(&handle.proxy))
    })
}

/// Number of axes (0 or more), or `AP_ERR_NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_ndim(proxy: *const ap_proxy) -> i32 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(unsafe { proxy_of(proxy) }?.shape().len() as i32))
}

/// Write the first `capacity` entries of the shape, return the number of axes
/// or a negative status. `shape` may be NULL if `capacity` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_shape(proxy: *const ap_proxy, shape: *mut i64, capacity: i32) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(proxy_of(proxy)?.shape(), shape, capacity) })
}

/// Number of elements, or `AP_ERR_NULL`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_size(proxy: *const ap_proxy) -> i64 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(unsafe { proxy_of(proxy) }?.size()))
}

/// Type of the stored elements. 0 if `proxy` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_disk_dtype(proxy: *const ap_proxy) -> ap_dtype {
    // SAFETY: NULL or valid, as the header asks.
    unsafe { of(proxy, 0, |proxy| proxy.disk_dtype().code()) }
}

/// Type that reading with `AP_AUTO` gives. 0 if `proxy` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_auto_dtype(proxy: *const ap_proxy) -> ap_dtype {
    // SAFETY: NULL or valid, as the header asks.
    unsafe { of(proxy, 0, |proxy| proxy.auto_dtype().code()) }
}

/// `AP_ORDER_F` or `AP_ORDER_C`: order of the stored elements. 0 if `proxy`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_order(proxy: *const ap_proxy) -> i32 {
    let code = |proxy: &ArrayProxy| match proxy.order() {
        Order::F => AP_ORDER_F,
        Order::C => AP_ORDER_C,
    };
    // SAFETY: NULL or valid, as the header asks.
    unsafe { of(proxy, 0, code) }
}

/// `AP_LITTLE` or `AP_BIG`: byte order of the stored elements. 0 if `proxy`
/// is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_byte_order(proxy: *const ap_proxy) -> i32 {
    let code = |proxy: &ArrayProxy| match proxy.byte_order() {
        ByteOrder::Little => AP_LITTLE,
        ByteOrder::Big => AP_BIG,
    };
    // SAFETY: NULL or valid, as the header asks.
    unsafe { of(proxy, 0, code) }
}

/// Offset of the first element in the uncompressed data, or a negative
/// status: `AP_ERR_UNSUPPORTED` where blocks lie apart.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_data_offset(proxy: *const ap_proxy) -> i64 {
    // SAFETY: NULL or valid, as the header asks. Layouts keep offsets below
    // 2^63.
    count(|| Ok(unsafe { proxy_of(proxy) }?.data_offset()? as i64))
}

/// Format: "nifti1", "nifti1-pair", "nifti2", "nifti2-pair", "analyze",
/// "spm99", "spm2", "mgh", "afni", "ecat", "parrec", "minc1", "minc2" or "layout".
/// Owned by the proxy. NULL if `proxy` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_format(proxy: *const ap_proxy) -> *const c_char {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { proxy.as_ref() };
    quiet(std::ptr::null(), || {
        handle.map_or(std::ptr::null(), |handle| handle.format.as_ptr())
    })
}

/// Compression: "none", "gzip", "bzip2" or "zstd", or "deflate" of an array whose
/// chunks are compressed by themselves (MINC 2). As `ap_format`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_codec(proxy: *const ap_proxy) -> *const c_char {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { proxy.as_ref() };
    quiet(std::ptr::null(), || {
        handle.map_or(std::ptr::null(), |handle| handle.codec.as_ptr())
    })
}

/// 1 if reading with `AP_AUTO` scales, 0 if not, or a negative status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_is_scaled(proxy: *const ap_proxy) -> i32 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(i32::from(unsafe { proxy_of(proxy) }?.is_scaled())))
}

/// Shape of the scale factors: no axes if one slope and intercept hold for
/// all (also if the data are not scaled), else as many axes as the array,
/// with length 1 where factors do not vary. Otherwise as `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_scale_shape(
    proxy: *const ap_proxy,
    shape: *mut i64,
    capacity: i32,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(&proxy_of(proxy)?.scale_shape(), shape, capacity) })
}

/// Copy the `count` slopes and intercepts, in column-major order; too small a
/// `count` gives `AP_ERR_BUFFER`. Data that are not scaled have one slope of 1
/// and one intercept of 0. Either pointer may be NULL.
///
/// Slopes of ECAT are products: values are rounded after each of the two
/// factors, in float32 if that is stored. MINC clips what is stored to its valid
/// range first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_scale_factors(
    proxy: *const ap_proxy,
    slope: *mut f64,
    inter: *mut f64,
    count: usize,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let shape = proxy.scale_shape();
            let n = shape
                .iter()
                .fold(1usize, |n, &len| n.saturating_mul(len as usize));
            if count < n {
                let text = format!("there are {n} slopes and intercepts, and room for {count}");
                let needed = n.saturating_mul(size_of::<f64>()).min(i64::MAX as usize) as i64;
                return Err(Error::new(ErrorKind::Buffer, text).with_detail(needed));
            }
            for (i, factors) in proxy.scale_factors()?.into_iter().enumerate() {
                for (to, value) in [(slope, factors.0), (inter, factors.1)] {
                    if !to.is_null() {
                        to.add(i).write(value);
                    }
                }
            }
            Ok(AP_OK)
        })
    }
}

/// Voxel to world (RAS+, mm), 16 numbers in row-major order, for indices that
/// count from 0. Returns the xform code (0 if the format has none), or a
/// negative status: `AP_ERR_UNSUPPORTED` for sform or qform in a format
/// without them and for `ap_open_layout`, `AP_ERR_HEADER` for a quaternion
/// that cannot be right, or the error of SPM's .mat file if it could not be
/// read (both are told here, not at opening). The sform is given whatever its
/// code. `affine` may be NULL to ask for the code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_affine(
    proxy: *const ap_proxy,
    which: i32,
    affine: *mut f64,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            give_affine(proxy.affine(which_of(which)?)?, affine)
        })
    }
}

pub(super) fn which_of(which: i32) -> Result<Which> {
    match which {
        AP_AFFINE_BEST => Ok(Which::Best),
        AP_AFFINE_SFORM => Ok(Which::Sform),
        AP_AFFINE_QFORM => Ok(Which::Qform),
        AP_AFFINE_BASE => Ok(Which::Base),
        _ => {
            let text = format!("which is {which}, wanted one of AP_AFFINE_");
            Err(Error::new(ErrorKind::Argument, text))
        }
    }
}

/// # Safety
/// `to` is NULL or 16 numbers can be written there.
pub(super) unsafe fn give_affine(
    (code, matrix): (i32, [[f64; 4]; 4]),
    to: *mut f64,
) -> Result<i32> {
    if !to.is_null() {
        // SAFETY: the caller's promise.
        unsafe { give(matrix.as_flattened(), to, 16) }?;
    }
    Ok(code)
}

/// Voxel sizes; the fourth is the time step in the header's unit. As
/// `ap_shape`. The time step of an MGH file stands behind the data: the first
/// call with room for it decodes a compressed file to the end.
/// `AP_ERR_UNSUPPORTED` for `ap_open_layout`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_zooms(
    proxy: *const ap_proxy,
    zooms: *mut f64,
    capacity: i32,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let count = proxy.zooms_len()?;
            let room = usize::try_from(capacity).unwrap_or(0);
            give(&proxy.first_zooms(room)?, zooms, capacity)?;
            Ok(count as i32)
        })
    }
}

/// Shape of a block of at most `nbytes` bytes, as stored, that is cheap to
/// read and divides the array sensibly: whole volumes or planes, along the
/// slowest axes first. Each entry is at least 1. As `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_chunk_shape(
    proxy: *const ap_proxy,
    nbytes: u64,
    shape: *mut i64,
    capacity: i32,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(&proxy_of(proxy)?.chunk_shape(nbytes), shape, capacity) })
}

/// The header as stored, without extensions, and its size. Owned by the
/// proxy. NULL and 0 for `ap_open_layout`. `size` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_header(proxy: *const ap_proxy, size: *mut usize) -> *const c_void {
    quiet(std::ptr::null(), || {
        // SAFETY: pointers are NULL or valid, as the header asks.
        unsafe {
            let header = proxy
                .as_ref()
                .map_or(&[][..], |handle| handle.proxy.header());
            if let Some(size) = size.as_mut() {
                *size = header.len();
            }
            if header.is_empty() {
                std::ptr::null()
            } else {
                header.as_ptr().cast()
            }
        }
    })
}

/// Note number `i` on what was odd in the header but read all the same, or
/// NULL past the last. UTF-8, owned by the proxy. The library never prints.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_warning(proxy: *const ap_proxy, i: i32) -> *const c_char {
    quiet(std::ptr::null(), || {
        // SAFETY: NULL or valid, as the header asks.
        let handle = unsafe { proxy.as_ref() };
        let found = handle.zip(usize::try_from(i).ok());
        let warning = found.and_then(|(handle, i)| handle.warnings.get(i));
        warning.map_or(std::ptr::null(), |warning| warning.as_ptr())
    })
}
