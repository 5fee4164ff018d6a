//! File names as text and back.

use std::ffi::{OsStr, OsString};

/// A file name as text, each of its bytes a character: names need not be
/// UTF-8, and none may change on the way to a sibling's.
#[cfg(unix)]
pub(crate) fn text_of(name: &OsStr) -> String {
    use std::os::unix::ffi::OsStrExt;
    name.as_bytes()
        .iter()
        .map(|&byte| char::from(byte))
        .collect()
}

#[cfg(unix)]
pub(crate) fn name_of(text: &str) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    // All characters came from bytes, or are ASCII.
    OsString::from_vec(text.chars().map(|c| c as u8).collect())
}

#[cfg(not(unix))]
pub(crate) fn text_of(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

#[cfg(not(unix))]
pub(crate) fn name_of(text: &str) -> OsString {
    text.into()
}
