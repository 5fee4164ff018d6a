//! The seek index of compressed data.

use std::ffi::c_char;

use super::control::{ap_control, control_of};
use super::guard::{call, handle};
use super::open::{ap_proxy, proxy_of};
use super::source::path_of;
use super::status::{AP_OK, ap_error, ap_status};

/// Build the seek index of compressed data to the end, on `AP_OPT_THREADS`
/// threads where the data allow it. No effect on data that are not compressed;
/// with `AP_OPT_INDEX_MODE` 0 this, saving and loading give `AP_ERR_ARGUMENT`.
/// `control` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_seekindex_build(
    proxy: *const ap_proxy,
    control: *mut ap_control,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            proxy.build_index(control_of(control))?;
            Ok(AP_OK)
        })
    }
}

/// Save what there is of it as a GZIDX file, which indexed_gzip reads too.
/// Written to a new file and renamed, so readers never see half of it.
/// `AP_ERR_UNSUPPORTED` for data that are not gzip.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_seekindex_save(
    proxy: *const ap_proxy,
    path: *const c_char,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            proxy_of(proxy)?.save_index(path_of(path)?)?;
            Ok(AP_OK)
        })
    }
}

/// Load a GZIDX file. What its structure, its order, the sizes or our own
/// checksums show to be wrong gives `AP_ERR_SEEKINDEX` and changes nothing. A
/// wrong window in a file by another program, which has no checksums, never
/// harms; it gives wrong values until a read comes by from before it, and is
/// found when whole members are verified. Windows are read when they are
/// needed: the file stays open, or, with `AP_OPT_KEEP_OPEN` 0, has to stay as
/// it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_seekindex_load(
    proxy: *const ap_proxy,
    path: *const c_char,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            proxy_of(proxy)?.load_index(path_of(path)?)?;
            Ok(AP_OK)
        })
    }
}

/// Number of seek points, uncompressed bytes that they cover, and bytes of
/// memory that they take. Any pointer may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_seekindex_info(
    proxy: *const ap_proxy,
    points: *mut i64,
    covered: *mut i64,
    memory: *mut i64,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let info = handle(proxy, "proxy")?.proxy.index_info();
            let values = [info.points, info.covered, info.memory];
            for (to, value) in [points, covered, memory].into_iter().zip(values) {
                if !to.is_null() {
                    to.write(i64::try_from(value).unwrap_or(i64::MAX));
                }
            }
            Ok(AP_OK)
        })
    }
}
