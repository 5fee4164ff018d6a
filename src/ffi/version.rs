//! Versions and features.

use std::ffi::{CStr, c_char};

use super::guard::{quiet, text};
use crate::Codec;
use crate::Format;

/// ABI generation. It changes only when an existing program would break;
/// the shared library's soname changes with it.
pub const AP_ABI_VERSION: i32 = 0;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };

const fn number(text: &str) -> i32 {
    let (bytes, mut i, mut n) = (text.as_bytes(), 0, 0);
    while i < bytes.len() {
        n = 10 * n + (bytes[i] - b'0') as i32;
        i += 1;
    }
    n
}

/// Version of the library that is running, as `AP_VERSION_NUMBER` encodes it.
/// Compare with `AP_VERSION_NUMBER` to find a header and library that differ.
#[unsafe(no_mangle)]
pub extern "C" fn ap_version() -> i32 {
    const NUMBER: i32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 10000
        + number(env!("CARGO_PKG_VERSION_MINOR")) * 100
        + number(env!("CARGO_PKG_VERSION_PATCH"));
    NUMBER
}

/// Version as text, such as "0.1.0". Static; never free it.
#[unsafe(no_mangle)]
pub extern "C" fn ap_version_string() -> *const c_char {
    VERSION.as_ptr()
}

/// `AP_ABI_VERSION` of the library that is running.
#[unsafe(no_mangle)]
pub extern "C" fn ap_abi_version() -> i32 {
    AP_ABI_VERSION
}

/// 1 if this build has the named feature (a format as `ap_format` names it, a
/// codec as `ap_codec` does, "mmap", "threads", ...), else 0. Unknown names
/// give 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_has(feature: *const c_char) -> i32 {
    quiet(0, || {
        // SAFETY: NULL or a text, as the header asks.
        let Ok(name) = (unsafe { text(feature, "feature") }) else {
            return 0;
        };
        let codec = Codec::parse(name).is_some_and(|codec| codec != Codec::None);
        let has = Format::parse(name).is_some() || codec || name == "mmap";
        i32::from(has)
    })
}
