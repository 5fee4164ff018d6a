//! Images.

use std::ffi::{c_char, c_void};

use super::array::{ap_array, array_of};
use super::control::{ap_control, control_of};
use super::dtype::ap_dtype;
use super::guard::{call, count, free, give, handle, place, quiet};
use super::meta::{give_affine, which_of};
use super::open::{ap_proxy, options_of, proxy_of};
use super::options::ap_options;
use super::read::{AP_READ_UNCACHED, read_as};
use super::source::path_of;
use super::status::{AP_OK, ap_error, ap_status};
use crate::Image;
use crate::error::{Error, ErrorKind};

/// An image: an array, the affine that places it in the world, and the header
/// it came with. The array is in a file, behind a proxy, or in memory. Data
/// loaded through the image are kept until `ap_image_uncache`. Safe to use
/// from many threads at once.
pub struct ap_image {
    image: Image,
}

impl ap_image {
    fn boxed(image: Image) -> *mut ap_image {
        Box::into_raw(Box::new(ap_image { image }))
    }
}

/// Open an image file; its array stays in the file until asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_open(
    path: *const c_char,
    options: *const ap_options,
    image: *mut *mut ap_image,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(image, "image")?;
            let opened = Image::open_with(path_of(path)?, &options_of(options))?;
            *place = ap_image::boxed(opened);
            Ok(AP_OK)
        })
    }
}

/// Image around an open proxy. The proxy is shared, not taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_from_proxy(
    proxy: *const ap_proxy,
    image: *mut *mut ap_image,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(image, "image")?;
            *place = ap_image::boxed(Image::from(proxy_of(proxy)?.clone()));
            Ok(AP_OK)
        })
    }
}

/// Image around an array in memory. The array is shared, not copied: its
/// elements and the image's are the same memory. `affine` is 16 numbers in
/// row-major order, or NULL for none; `header` is any bytes, copied, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_from_array(
    array: *const ap_array,
    affine: *const f64,
    header: *const c_void,
    header_size: usize,
    image: *mut *mut ap_image,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(image, "image")?;
            let array = array_of(array)?.clone();
            let affine = affine.cast::<[[f64; 4]; 4]>();
            let affine = (!affine.is_null()).then(|| affine.read_unaligned());
            if header.is_null() && header_size > 0 {
                let text = format!("the header is NULL, its size {header_size}");
                return Err(Error::new(ErrorKind::Null, text));
            }
            let mut copy = Vec::new();
            copy.try_reserve_exact(header_size).map_err(|_| {
                let text = format!("there is no memory for a header of {header_size} bytes");
                Error::new(ErrorKind::Memory, text)
            })?;
            if header_size > 0 {
                copy.extend_from_slice(std::slice::from_raw_parts(header.cast(), header_size));
            }
            *place = ap_image::boxed(Image::from_array(array, affine, copy));
            Ok(AP_OK)
        })
    }
}

/// 1 if the array is behind a proxy, 0 if the image was made from an array in
/// memory, or a negative status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_is_proxy(image: *const ap_image) -> i32 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(i32::from(unsafe { image_of(image) }?.is_proxy())))
}

/// 1 if the array is in memory now: given so, or in the cache. Otherwise 0,
/// or a negative status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_in_memory(image: *const ap_image) -> i32 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(i32::from(unsafe { image_of(image) }?.in_memory())))
}

/// The proxy, as a new handle for the caller to free. NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_proxy(image: *const ap_image) -> *mut ap_proxy {
    let none = std::ptr::null_mut();
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { image.as_ref() };
    quiet(none, || {
        let proxy = handle.and_then(|handle| handle.image.proxy());
        proxy.map_or(none, |proxy| ap_proxy::boxed(proxy.clone()))
    })
}

/// Shape. As `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_shape(
    image: *const ap_image,
    shape: *mut i64,
    capacity: i32,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(image_of(image)?.shape(), shape, capacity) })
}

/// The header. As `ap_header`; an image in memory has the one that it was
/// given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_header(
    image: *const ap_image,
    size: *mut usize,
) -> *const c_void {
    quiet(std::ptr::null(), || {
        // SAFETY: pointers are NULL or valid, as the header asks.
        unsafe {
            let handle = image.as_ref();
            let header = handle.map_or(&[][..], |handle| handle.image.header());
            if let Some(size) = size.as_mut() {
                *size = header.len();
            }
            match header {
                [] => std::ptr::null(),
                header => header.as_ptr().cast(),
            }
        }
    })
}

/// Voxel to world. As `ap_affine`; an image in memory has the one that it was
/// given as `AP_AFFINE_BEST`, with code 0, else `AP_ERR_UNSUPPORTED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_affine(
    image: *const ap_image,
    which: i32,
    affine: *mut f64,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let image = image_of(image)?;
            give_affine(image.affine(which_of(which)?)?, affine)
        })
    }
}

/// The whole array in memory. The first call reads it and keeps it, writable
/// and never mapped; later calls return the same elements at the same
/// address. One array is kept for each resolved type and flags
/// (`AP_READ_UNCACHED` aside) until `ap_image_uncache`; the same type scaled
/// and not scaled are two. An image in memory returns its own array if `dtype`
/// is `AP_AUTO`, `AP_DISK` or its own type and `flags` is 0; converted copies
/// are kept like any other. A thread that comes while another reads waits,
/// heeding its own control, and reads itself if the first fails. A control that
/// was cancelled gives `AP_ERR_CANCELLED`, even if the array is there. `*array` is
/// the caller's to free, whatever the cache does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_data(
    image: *const ap_image,
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
            let image = image_of(image)?;
            let read_as = read_as(dtype, flags & !AP_READ_UNCACHED)?;
            let data = match flags & AP_READ_UNCACHED {
                0 => image.data(read_as, control_of(control))?,
                _ => image.data_uncached(read_as, control_of(control))?,
            };
            *place = ap_array::boxed(data);
            Ok(AP_OK)
        })
    }
}

/// Forget the cached arrays. Arrays handed out stay valid, and an image in
/// memory keeps its own. One that a thread is just reading is kept when it is
/// there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_uncache(image: *const ap_image) {
    quiet((), || {
        // SAFETY: NULL or valid, as the header asks.
        if let Some(handle) = unsafe { image.as_ref() } {
            handle.image.uncache();
        }
    });
}

/// Free an image. NULL is fine. Arrays and proxies from it stay valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_image_free(image: *mut ap_image) {
    // SAFETY: NULL or from this library, as the header asks.
    unsafe { free(image) }
}

/// # Safety
/// `image` is NULL or valid.
unsafe fn image_of<'a>(image: *const ap_image) -> crate::error::Result<&'a Image> {
    // SAFETY: the caller's promise.
    Ok(&unsafe { handle(image, "image") }?.image)
}
