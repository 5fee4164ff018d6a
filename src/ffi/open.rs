//! Proxies: open, reshape, clone, free.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use super::dtype::{ap_dtype, byte_order, dtype, order};
use super::guard::{call, free, handle, list, place, quiet};
use super::options::ap_options;
use super::slice::{ap_slice, index_of};
use super::source::{ap_source, path_of};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{ErrorKind, Result};
use crate::{ArrayProxy, Options};

/// An array in a file: shape, type, scaling and place of the data, no data.
/// It never changes after opening, so every function that takes a
/// `const ap_proxy *` may be called from many threads at once on one handle.
pub struct ap_proxy {
    pub(super) proxy: ArrayProxy,
    /// Texts that C may hold on to as long as the handle lives.
    pub(super) format: CString,
    pub(super) codec: CString,
    pub(super) warnings: Vec<CString>,
    /// Made when they are asked for.
    pub(super) field_names: OnceLock<Vec<CString>>,
}

impl ap_proxy {
    pub(super) fn boxed(proxy: ArrayProxy) -> *mut ap_proxy {
        let text = |text: &str| CString::new(text.replace('\0', "?")).unwrap_or_default();
        Box::into_raw(Box::new(ap_proxy {
            format: text(proxy.format().name()),
            codec: text(proxy.codec().name()),
            warnings: proxy
                .warnings()
                .iter()
                .map(|warning| text(warning))
                .collect(),
            field_names: OnceLock::new(),
            proxy,
        }))
    }
}

/// Open a file and find its format. A pair (.hdr/.img) opens by either name.
/// Only the header is read. `options` may be NULL.
/// On success `*proxy` is the caller's, to be freed with `ap_free`; on
/// failure it is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_open(
    path: *const c_char,
    options: *const ap_options,
    proxy: *mut *mut ap_proxy,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(proxy, "proxy")?;
            let opened = ArrayProxy::open_with(path_of(path)?, &options_of(options))?;
            *place = ap_proxy::boxed(opened);
            Ok(AP_OK)
        })
    }
}

/// As `ap_open`, from sources. `image` holds the data of a pair, else NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_open_source(
    header: *const ap_source,
    image: *const ap_source,
    options: *const ap_options,
    proxy: *mut *mut ap_proxy,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(proxy, "proxy")?;
            let header = handle(header, "header")?;
            let image = image.as_ref().map(|image| &image.source);
            let opened = ArrayProxy::open_source(&header.source, image, &options_of(options))?;
            *place = ap_proxy::boxed(opened);
            Ok(AP_OK)
        })
    }
}

/// Open an array whose layout the caller knows. `shape` has `ndim` entries;
/// element (0,...,0) lies at `offset` of the uncompressed data. Values mean
/// `stored * slope + inter`; slope 1 and inter 0 mean unscaled; slope 0 is
/// taken as it is; both must be finite. Data count as compressed only if they
/// begin with a valid header of a compressed stream and its first block
/// decodes; `AP_OPT_CODEC` settles it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_open_layout(
    source: *const ap_source,
    dtype: ap_dtype,
    byte_order: i32,
    ndim: i32,
    shape: *const i64,
    order: i32,
    offset: u64,
    slope: f64,
    inter: f64,
    options: *const ap_options,
    proxy: *mut *mut ap_proxy,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(proxy, "proxy")?;
            let source = handle(source, "source")?;
            let opened = ArrayProxy::open_layout(
                &source.source,
                (self::dtype(dtype)?, self::byte_order(byte_order)?),
                (
                    list(shape, ndim, "shape", ErrorKind::Argument)?,
                    self::order(order)?,
                ),
                offset,
                (slope, inter),
                &options_of(options),
            )?;
            *place = ap_proxy::boxed(opened);
            Ok(AP_OK)
        })
    }
}

/// The same file seen with another shape of as many elements; one entry may
/// be -1 (not beside a 0). Elements keep the order in which they are stored.
/// Shares file, cache and seek index with `proxy`, and outlives it. Affine and
/// zooms stay those of `proxy`. Elements that lie apart and that the shape would
/// divide in another way, of a part (`ap_slice_proxy`) or of a series, give
/// `AP_ERR_UNSUPPORTED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_reshape(
    proxy: *const ap_proxy,
    ndim: i32,
    shape: *const i64,
    out: *mut *mut ap_proxy,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(out, "out")?;
            let proxy = &handle(proxy, "proxy")?.proxy;
            *place =
                ap_proxy::boxed(proxy.reshape(list(shape, ndim, "shape", ErrorKind::Argument)?)?);
            Ok(AP_OK)
        })
    }
}

/// The array that an index selects, as a proxy that reads nothing until it is
/// asked to. Shares everything with `proxy` and outlives it. Affine and zooms
/// are those of the voxels left: start and signed step are applied, and
/// `ap_affine` gives `AP_ERR_UNSUPPORTED` if a spatial axis was dropped or an
/// axis was added before the third. Header, format and warnings stay the
/// file's, and so does the type of `ap_auto_dtype`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_slice_proxy(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    out: *mut *mut ap_proxy,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(out, "out")?;
            let part = proxy_of(proxy)?.slice(&index_of(index, nindex)?)?;
            *place = ap_proxy::boxed(part);
            Ok(AP_OK)
        })
    }
}

/// Another handle to the same array, to be freed on its own. Cheap. NULL if
/// `proxy` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_clone(proxy: *const ap_proxy) -> *mut ap_proxy {
    quiet(std::ptr::null_mut(), || {
        // SAFETY: NULL or valid, as the header asks.
        match unsafe { proxy.as_ref() } {
            Some(proxy) => ap_proxy::boxed(proxy.proxy.clone()),
            None => std::ptr::null_mut(),
        }
    })
}

/// Free a handle. NULL is fine. No call on this handle may be running.
/// Arrays, plans, views, images and proxies made from it stay valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_free(proxy: *mut ap_proxy) {
    // SAFETY: NULL or from this library, as the header asks.
    unsafe { free(proxy) }
}

/// Give back what can be made again: cached data and the open file, not the
/// seek index. The next read opens the file anew, and fails with
/// `AP_ERR_CHANGED` if it differs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_trim(proxy: *const ap_proxy) {
    quiet((), || {
        // SAFETY: NULL or valid, as the header asks.
        if let Some(proxy) = unsafe { proxy.as_ref() } {
            proxy.proxy.trim();
        }
    });
}

/// # Safety
/// `options` is NULL or valid.
pub(super) unsafe fn options_of(options: *const ap_options) -> Options {
    // SAFETY: the caller's promise.
    unsafe { options.as_ref() }.map_or_else(Options::default, |handle| handle.options.clone())
}

/// # Safety
/// `proxy` is NULL or valid.
pub(super) unsafe fn proxy_of<'a>(proxy: *const ap_proxy) -> Result<&'a ArrayProxy> {
    // SAFETY: the caller's promise.
    Ok(&unsafe { handle(proxy, "proxy") }?.proxy)
}
