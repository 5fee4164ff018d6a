//! The header's fields by name, and its extensions.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;

use super::guard::{call, count, give, handle, null, quiet, text};
use super::open::{ap_proxy, proxy_of};
use super::status::ap_error;
use crate::error::Result;

/// Number of fields of the header's struct and of those derived from it, or a
/// negative status. 0 for `ap_open_layout`.
///
/// The fields are those of NiBabel's header, by its names and in its order,
/// with their values as `ap_header` has them. The fields of an MGH file's
/// footer (tr, flip_angle, te, ti, fov) are among them; asking for the value of
/// one reads the footer, which decodes a compressed file to the end.
///
/// Those of an AFNI header, which is a text, are its attributes, by its own
/// names: integers, numbers, or texts without the ' and ~ around them. Those of
/// MINC files are the attributes of all variables, "variable:attribute" as
/// mincinfo has them, ":attribute" of the file's. Behind those of an ECAT file's
/// main header come those of the frames' subheaders, of each the values of all
/// frames in the order of the array.
///
/// Those of a PAR/REC header, a text too, are the keys of its general
/// information and the columns of its images by NiBabel's names; a column has
/// the values of all images, in the order of the header. NiBabel has
/// "diffusion" twice: here the column is "image diffusion".
///
/// Derived, behind them, and texts: `space_unit` and `time_unit` ("mm", "sec",
/// "unknown"), and `orientation`, the directions in which the indices of the
/// first three axes grow by the best affine ("RAS", "LPS"; "?" for an axis
/// without one; where two directions are as near, the first), or that affine's
/// error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_field_count(proxy: *const ap_proxy) -> i32 {
    // SAFETY: NULL or valid, as the header asks.
    count(|| Ok(names(unsafe { handle(proxy, "proxy") }?).len() as i32))
}

/// Name of field `i`, as NiBabel names it, or NULL past the last. Owned by the
/// proxy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_field_name(proxy: *const ap_proxy, i: i32) -> *const c_char {
    quiet(std::ptr::null(), || {
        // SAFETY: NULL or valid, as the header asks.
        let found = unsafe { proxy.as_ref() }.zip(usize::try_from(i).ok());
        let name = found.and_then(|(handle, i)| names(handle).get(i));
        name.map_or(std::ptr::null(), |name| name.as_ptr())
    })
}

fn names(handle: &ap_proxy) -> &[CString] {
    handle.field_names.get_or_init(|| {
        let names = handle.proxy.field_names().into_iter();
        names
            .map(|name| CString::new(name).unwrap_or_default())
            .collect()
    })
}

/// Integers of a field. As `ap_shape`; `AP_ERR_ARGUMENT` for an unknown name,
/// `AP_ERR_UNSUPPORTED` for a field of another kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_field_ints(
    proxy: *const ap_proxy,
    name: *const c_char,
    values: *mut i64,
    capacity: i32,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let found = proxy_of(proxy)?.field_ints(text(name, "name")?)?;
            give(&found, values, capacity)
        })
    }
}

/// Numbers of a field, integers included. As `ap_field_ints`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_field_reals(
    proxy: *const ap_proxy,
    name: *const c_char,
    values: *mut f64,
    capacity: i32,
    err: *mut ap_error,
) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let found = proxy_of(proxy)?.field_reals(text(name, "name")?)?;
            give(&found, values, capacity)
        })
    }
}

/// Text of a field; any field has one, codes in words ("mm", "scanner"), or as
/// numbers where NiBabel has no word: xyzt_units as "mm, sec", dim_info as
/// "freq 0, phase 1, slice 2" without what is not set. Other numbers have the
/// fewest decimal digits that tell them from others of their precision ("NaN",
/// "inf"); ", " stands between several. Texts end at the first NUL; those that
/// are not UTF-8 are taken as Latin-1.
/// Returns the bytes needed with the NUL, or a negative status; writes at most
/// `nbytes`, always ended by a NUL, and never a part of a character. `text` may
/// be NULL if `nbytes` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_field_text(
    proxy: *const ap_proxy,
    name: *const c_char,
    text: *mut c_char,
    nbytes: usize,
    err: *mut ap_error,
) -> i64 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            let found = proxy.field_text(self::text(name, "name")?)?;
            give_text(&found, text, nbytes)
        })
    }
}

/// Write what fits of a text, ended by NUL, and say what it needs.
///
/// # Safety
/// `to` is NULL or `nbytes` bytes can be written there.
unsafe fn give_text(text: &str, to: *mut c_char, nbytes: usize) -> Result<i64> {
    let needed = text.len() as i64 + 1;
    let Some(room) = nbytes.checked_sub(1) else {
        return Ok(needed);
    };
    if to.is_null() {
        return Err(null("text"));
    }
    let mut end = room.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // SAFETY: not NULL, and `end` is less than `nbytes`.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), to.cast(), end);
        to.add(end).write(0);
    }
    Ok(needed)
}

/// Number of header extensions (NIfTI's; other formats have none), read when
/// asked for, or a negative status. `AP_ERR_HEADER` if the list cannot be
/// right, or is longer than 10,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_extension_count(proxy: *const ap_proxy, err: *mut ap_error) -> i32 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe { call(err, || Ok(proxy_of(proxy)?.extensions()?.len() as i32)) }
}

/// Extension `i`: its code and bytes, zeros at their end included. Returns its
/// size, or a negative status: `AP_ERR_INDEX` past the last. Writes at most
/// `nbytes`; with 0 it reads none, and `out` may be NULL. `code` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_extension(
    proxy: *const ap_proxy,
    i: i32,
    code: *mut i32,
    out: *mut c_void,
    nbytes: usize,
    err: *mut ap_error,
) -> i64 {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let proxy = proxy_of(proxy)?;
            // No list is as long.
            let number = usize::try_from(i).unwrap_or(usize::MAX);
            let extension = *proxy.extension(number)?;
            if nbytes > 0 {
                if out.is_null() {
                    return Err(null("out"));
                }
                let room = usize::try_from(extension.size).map_or(nbytes, |n| n.min(nbytes));
                let to: *mut MaybeUninit<u8> = out.cast();
                proxy.read_extension(number, std::slice::from_raw_parts_mut(to, room))?;
            }
            if let Some(code) = code.as_mut() {
                *code = extension.code;
            }
            Ok(extension.size as i64)
        })
    }
}
