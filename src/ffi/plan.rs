//! Plans: check once, read as often as wanted, into strided memory.

use std::ffi::c_void;

use super::control::{ap_control, control_of};
use super::dtype::ap_dtype;
use super::guard::{call, count, free, give, handle, list, place, quiet};
use super::open::{ap_proxy, proxy_of};
use super::read::{buffer_of, read_as};
use super::slice::{ap_slice, index_of};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{MAX_NDIM, Plan};

const MOST_POSITIONS: usize = isize::MAX as usize / size_of::<i64>();

/// A checked selection, ready to read as often as wanted, by many threads at
/// once. It says how large the result is before any reading.
pub struct ap_plan {
    plan: Plan,
}

/// Check a selection. Arguments as in `ap_read_slice`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_new(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    dtype: ap_dtype,
    flags: u32,
    plan: *mut *mut ap_plan,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(plan, "plan")?;
            let proxy = proxy_of(proxy)?;
            let plan = proxy.plan(&index_of(index, nindex)?, read_as(dtype, flags)?)?;
            plan.check_limit()?;
            *place = Box::into_raw(Box::new(ap_plan { plan }));
            Ok(AP_OK)
        })
    }
}

/// Check positions that need not be evenly spaced: of each of the `ndim` axes
/// (all of the array's) the `counts[axis]` ones that `lists[axis]` holds, in
/// its order, or the whole axis where it is NULL, whatever the count: an empty
/// list needs a pointer, too. A position may be there twice. Negative ones
/// count from the end; one outside the array gives `AP_ERR_INDEX`. As NumPy's
/// `a[np.ix_(...)]`: no axis is dropped. Where positions lie dense what is
/// between them is read along, 16 MiB at a time, and counts as progress. Other
/// arguments as in `ap_read_slice`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_lists(
    proxy: *const ap_proxy,
    ndim: i32,
    lists: *const *const i64,
    counts: *const i64,
    dtype: ap_dtype,
    flags: u32,
    plan: *mut *mut ap_plan,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(plan, "plan")?;
            let proxy = proxy_of(proxy)?;
            let pointers = list(lists, ndim, "lists", ErrorKind::Index)?;
            let counts = list(counts, ndim, "counts", ErrorKind::Index)?;
            let axes = pointers.iter().zip(counts).map(|(&pointer, &count)| {
                if pointer.is_null() {
                    return Ok(None);
                }
                let n = usize::try_from(count).ok().filter(|&n| n <= MOST_POSITIONS);
                let n = n.ok_or_else(|| {
                    let text = format!("a list has {count} positions");
                    Error::new(ErrorKind::Argument, text)
                })?;
                Ok(Some(std::slice::from_raw_parts(pointer, n)))
            });
            let axes = axes.collect::<Result<Vec<Option<&[i64]>>>>()?;
            let plan = proxy.plan_lists(&axes, read_as(dtype, flags)?)?;
            plan.check_limit()?;
            *place = Box::into_raw(Box::new(ap_plan { plan }));
            Ok(AP_OK)
        })
    }
}

/// Shape of the result. As `ap_shape`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_shape(
    plan: *const ap_plan,
    shape: *mut i64,
    capacity: i32,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    count(|| unsafe { give(handle(plan, "plan")?.plan.shape(), shape, capacity) })
}

/// Type of the result; never `AP_AUTO` or `AP_DISK`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_dtype(plan: *const ap_plan) -> ap_dtype {
    // SAFETY: NULL or valid, as the header asks.
    let handle = unsafe { plan.as_ref() };
    quiet(0, || handle.map_or(0, |handle| handle.plan.dtype().code()))
}

/// Size of the packed result in bytes, or a negative status.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_nbytes(plan: *const ap_plan) -> i64 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(unsafe { handle(plan, "plan") }?.plan.nbytes()))
}

/// Bytes that a read would take from the file, or would have to decompress
/// with the seek index as it is now, or a negative status. For choosing an
/// order or a chunk size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_cost(plan: *const ap_plan) -> i64 {
    // SAFETY: NULL or valid, as the header asks.
    let plan = unsafe { handle(plan, "plan") };
    count(|| Ok(plan?.plan.cost().min(i64::MAX as u64) as i64))
}

/// Read. `buffer` is an allocation of `nbytes`. With `strides` NULL the
/// result is packed from `offset` on. Otherwise element (0,...,0) goes to
/// byte `offset` and `strides` holds bytes per axis, negative ones included.
/// Every element must lie inside the buffer: one beyond its end gives
/// `AP_ERR_BUFFER`, one before it `AP_ERR_ARGUMENT`. No two may overlap: of
/// the axes longer than 1, sorted by the size of their strides, each stride
/// must be at least the bytes that those before it span (`AP_ERR_ARGUMENT`).
/// No alignment is needed; bytes between elements are not touched. `control`
/// may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_read(
    plan: *const ap_plan,
    buffer: *mut c_void,
    nbytes: usize,
    offset: usize,
    strides: *const i64,
    control: *mut ap_control,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let plan = &handle(plan, "plan")?.plan;
            let strides = match strides.is_null() {
                true => None,
                false => {
                    let ndim = plan.shape().len() as i32;
                    Some(list(strides, ndim, "strides", ErrorKind::Argument)?)
                }
            };
            plan.read_into(
                buffer_of(buffer, nbytes)?,
                offset,
                strides,
                control_of(control),
            )?;
            Ok(AP_OK)
        })
    }
}

/// Read `nreads` selections in one call, in the order that suits the file,
/// on as many threads as allowed. `index` holds `nreads` times `nindex`
/// entries. Result i goes to byte `offsets[i]` of `buffer`, packed; `offsets`
/// may be NULL for one after the other. Results that would overlap give
/// `AP_ERR_ARGUMENT`. With NULL and 0 it fails with the bytes needed in
/// `err->detail`, as with any buffer that is too small (`AP_ERR_BUFFER`).
/// `control` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_read_batch(
    proxy: *const ap_proxy,
    index: *const ap_slice,
    nindex: i32,
    nreads: i64,
    dtype: ap_dtype,
    flags: u32,
    buffer: *mut c_void,
    nbytes: usize,
    offsets: *const usize,
    control: *mut ap_control,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let most = isize::MAX as usize / size_of::<ap_slice>() / MAX_NDIM;
            let n = usize::try_from(nreads).ok().filter(|&n| n <= most);
            let n = n.ok_or_else(|| {
                Error::new(
                    ErrorKind::Argument,
                    format!("the number of reads is {nreads}"),
                )
            })?;
            let index_at = |i: usize| match index.is_null() {
                true => index_of(index, nindex),
                false => index_of(index.add(i * nindex.max(0) as usize), nindex),
            };
            // The first tells whether there is anything to walk through.
            if n > 0 {
                index_at(0)?;
            }
            let mut indices = Vec::new();
            indices.try_reserve_exact(n).map_err(|_| {
                let text = format!("there is no memory for {n} selections");
                Error::new(ErrorKind::Memory, text)
            })?;
            for i in 0..n {
                let named = |error: Error| error.of_part(&format!("selection {i}"));
                indices.push(index_at(i).map_err(named)?);
            }
            let batch = proxy.batch(indices.iter().map(|one| &one[..]), read_as(dtype, flags)?)?;
            let offsets = match offsets.is_null() {
                true => None,
                false => Some(std::slice::from_raw_parts(offsets, n)),
            };
            let needed = batch.nbytes(offsets);
            if needed > nbytes as u64 {
                let text = format!("the buffer has {nbytes} bytes, the results need {needed}");
                let detail = i64::try_from(needed).unwrap_or(i64::MAX);
                return Err(Error::new(ErrorKind::Buffer, text).with_detail(detail));
            }
            batch.read_into(buffer_of(buffer, nbytes)?, offsets, control_of(control))?;
            Ok(AP_OK)
        })
    }
}

/// Free a plan. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_plan_free(plan: *mut ap_plan) {
    // SAFETY: NULL or from a function that makes plans, as the header asks.
    unsafe { free(plan) }
}
