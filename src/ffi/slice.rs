//! Index entries.

use std::ffi::c_char;

use super::dtype::ap_dtype;
use super::guard::{call, give, list, text};
use super::open::{ap_proxy, proxy_of};
use super::read::read_as;
use super::status::ap_error;
use crate::error::{Error, ErrorKind, Result};
use crate::{Slice, parse_index};

/// One entry of an index, as in NumPy's `a[...]`: four 64-bit numbers and no
/// pointers, so an index is also a 4 x n matrix of int64. Axes that no entry
/// takes are read whole; an index of no entries (NULL, 0) reads everything.
/// A second ellipsis, too many entries, or a result of more than
/// `AP_MAX_NDIM` axes gives `AP_ERR_INDEX`; an unknown kind or a step of 0
/// gives `AP_ERR_ARGUMENT`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ap_slice {
    /// `AP_SLICE_RANGE`, `AP_SLICE_AT`, `AP_SLICE_ELLIPSIS` or `AP_SLICE_NEWAXIS`.
    pub kind: i64,
    /// First index, or the index of `AP_SLICE_AT`. Negative counts from the
    /// end. Not used by the ellipsis and newaxis.
    pub start: i64,
    /// One past the last index. Used by `AP_SLICE_RANGE` alone, as is `step`.
    pub stop: i64,
    /// Step, not 0. Negative walks backwards.
    pub step: i64,
}

const _: () = assert!(size_of::<ap_slice>() == 32);

/// Entry `start:stop:step`.
pub const AP_SLICE_RANGE: i64 = 0;

/// Entry `start`: takes one index and drops the axis.
pub const AP_SLICE_AT: i64 = 1;

/// Entry `...`: all axes that no other entry takes. At most one.
pub const AP_SLICE_ELLIPSIS: i64 = 2;

/// Entry `newaxis`: adds an axis of length 1.
pub const AP_SLICE_NEWAXIS: i64 = 3;

/// In `start` and `stop`: left out, as in `a[::2]`. -2^63, which can
/// therefore not be given as a bound; -2^63 + 1 means the same. For a full
/// walk backwards `stop` is AP_NONE, never -1, which means the last index.
pub const AP_NONE: i64 = i64::MIN;

/// Most axes of an array and most entries of an index.
pub const AP_MAX_NDIM: i32 = 64;

const _: () = assert!(AP_MAX_NDIM as usize == crate::MAX_NDIM);

/// Read an index from text such as "10:20, ..., ::-1, 0", of 16 KiB at most.
/// Returns the number of entries or a negative status; writes at most
/// `capacity` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_slice_parse(
    text: *const c_char,
    index: *mut ap_slice,
    capacity: i32,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let entries = parse_index(self::text(text, "text")?)?;
            let entries: Vec<ap_slice> = entries.into_iter().map(ap_slice::from).collect();
            give(&entries, index, capacity)
        })
    }
}

/// Shape that an index gives, without reading. As `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_slice_shape(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    shape: *mut i64,
    capacity: i32,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let found = proxy_of(proxy)?.slice_shape(&index_of(index, nindex)?)?;
            give(&found, shape, capacity)
        })
    }
}

/// Bytes that `ap_read_slice` with these arguments writes, or a negative
/// status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_slice_nbytes(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    dtype: ap_dtype,
    flags: u32,
    err: *mut ap_error,
) -> i64 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let plan = proxy.plan(&index_of(index, nindex)?, read_as(dtype, flags)?)?;
            Ok(plan.nbytes())
        })
    }
}

/// # Safety
/// `index` is NULL or `nindex` entries can be read there.
pub(super) unsafe fn index_of(index: *const ap_slice, nindex: i32) -> Result<Vec<Slice>> {
    // SAFETY: the caller's promise.
    let entries = unsafe { list(index, nindex, "index", ErrorKind::Index) }?;
    entries
        .iter()
        .enumerate()
        .map(|(position, entry)| entry.checked(position))
        .collect()
}

impl ap_slice {
    fn checked(&self, position: usize) -> Result<Slice> {
        let bound = |at: i64| (at != AP_NONE).then_some(at);
        match self.kind {
            AP_SLICE_RANGE => Ok(Slice::range(bound(self.start), bound(self.stop), self.step)),
            AP_SLICE_AT => Ok(Slice::At(self.start)),
            AP_SLICE_ELLIPSIS => Ok(Slice::Ellipsis),
            AP_SLICE_NEWAXIS => Ok(Slice::NewAxis),
            kind => Err(Error::new(
                ErrorKind::Argument,
                format!("entry {position} of the index has the unknown kind {kind}"),
            )),
        }
    }
}

impl From<Slice> for ap_slice {
    fn from(slice: Slice) -> ap_slice {
        // The one bound that C cannot name means the same as the next.
        let bound = |at: Option<i64>| at.map_or(AP_NONE, |at| at.max(AP_NONE + 1));
        let entry = |kind, start| ap_slice {
            kind,
            start,
            stop: 0,
            step: 1,
        };
        match slice {
            Slice::Range { start, stop, step } => ap_slice {
                kind: AP_SLICE_RANGE,
                start: bound(start),
                stop: bound(stop),
                step,
            },
            Slice::At(at) => entry(AP_SLICE_AT, at),
            Slice::Ellipsis => entry(AP_SLICE_ELLIPSIS, 0),
            Slice::NewAxis => entry(AP_SLICE_NEWAXIS, 0),
        }
    }
}
