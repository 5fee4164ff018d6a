//! Series: many files as one array.

use std::ffi::c_char;
use std::path::PathBuf;

use super::guard::{call, free, handle, handle_mut, place, quiet};
use super::open::{ap_proxy, options_of};
use super::options::ap_options;
use super::source::path_of;
use super::status::{AP_OK, ap_error, ap_status};
use crate::ArrayProxy;

/// A list of files that make one array. Needs itself alone.
pub struct ap_series {
    paths: Vec<PathBuf>,
}

/// New, empty list of files for `ap_open_series`. NULL only if memory ran out.
#[unsafe(no_mangle)]
pub extern "C" fn ap_series_new() -> *mut ap_series {
    quiet(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(ap_series { paths: Vec::new() }))
    })
}

/// Add a file at the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_series_add(
    series: *mut ap_series,
    path: *const c_char,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let series = handle_mut(series, "series")?;
            series.paths.push(path_of(path)?);
            Ok(AP_OK)
        })
    }
}

/// Open the files as one array with one more axis, the slowest. Shape, type
/// and affine of all must agree (`AP_ERR_HEADER` names the first that does
/// not); scaling, byte order and compression stay each file's own, and
/// `AP_AUTO` gives the widest of the types that the files would give. Headers
/// are read now, data when needed; at most `AP_OPT_OPEN_FILES` are open at a
/// time, and one `AP_OPT_CACHE_BYTES` serves all. Format, header, fields and
/// the affine are the first file's, warnings name theirs. Opening cannot be
/// cancelled. An empty list gives `AP_ERR_ARGUMENT`, and an index file for all
/// (`AP_OPT_INDEX_PATH`, other than "auto") `AP_ERR_OPTION`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_open_series(
    series: *const ap_series,
    options: *const ap_options,
    proxy: *mut *mut ap_proxy,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(proxy, "proxy")?;
            let paths = &handle(series, "series")?.paths;
            let opened = ArrayProxy::open_series(paths, &options_of(options))?;
            *place = ap_proxy::boxed(opened);
            Ok(AP_OK)
        })
    }
}

/// Free a list. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_series_free(series: *mut ap_series) {
    // SAFETY: NULL or from `ap_series_new`, as the header asks.
    unsafe { free(series) }
}
