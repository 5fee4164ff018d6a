//! Results and errors.

use std::ffi::{CStr, c_char};

use super::guard::quiet;
use crate::error::{Error, ErrorKind};

/// Result of a call: `AP_OK`, a count (where a function says so), or one of
/// the negative `AP_ERR_` codes. Codes keep their value for ever; new ones may
/// be added, so treat an unknown negative value as a failure.
pub type ap_status = i32;

/// What went wrong. The caller owns it: put one on the stack and pass its
/// address, or pass NULL. Only failing calls write to it. It holds no
/// pointers, so nothing needs freeing, copying it is safe, and it belongs to
/// no thread. Its size and layout (512 bytes) never change.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ap_error {
    /// The same value as the call returned.
    pub code: ap_status,
    /// errno or GetLastError() when the operating system failed, else 0.
    pub os_error: i32,
    /// A number that belongs to the code, else 0. See the codes.
    pub detail: i64,
    /// UTF-8 text for people, always ended by NUL, cut if too long. It names
    /// the file and the values involved. Its wording is not part of the API.
    pub message: [c_char; 496],
}

const _: () = assert!(size_of::<ap_error>() == 512);

/// Success.
pub const AP_OK: ap_status = 0;

/// A pointer that must not be NULL was NULL.
pub const AP_ERR_NULL: ap_status = -1;

/// An argument is out of its documented range.
pub const AP_ERR_ARGUMENT: ap_status = -2;

/// An index is out of bounds, or there are too many of them (IndexError).
pub const AP_ERR_INDEX: ap_status = -3;

/// The caller's buffer is too small; `detail` holds the bytes needed.
pub const AP_ERR_BUFFER: ap_status = -4;

/// Unknown option key, or a value that the option does not take.
pub const AP_ERR_OPTION: ap_status = -5;

/// The file does not exist.
pub const AP_ERR_NOT_FOUND: ap_status = -6;

/// The operating system failed a read, seek, map or open; see `os_error`.
pub const AP_ERR_IO: ap_status = -7;

/// The data end before the array does.
pub const AP_ERR_TRUNCATED: ap_status = -8;

/// No known format matches.
pub const AP_ERR_FORMAT: ap_status = -9;

/// The header is of a known format but cannot be right.
pub const AP_ERR_HEADER: ap_status = -10;

/// The compressed stream is damaged, or its checksum does not match.
pub const AP_ERR_CODEC: ap_status = -11;

/// The seek index is damaged or belongs to another file.
pub const AP_ERR_SEEKINDEX: ap_status = -12;

/// Valid, but this build cannot do it.
pub const AP_ERR_UNSUPPORTED: ap_status = -13;

/// No view without a copy exists for this selection; read it instead.
pub const AP_ERR_NO_VIEW: ap_status = -14;

/// A value does not fit the element type asked for (`AP_READ_CHECKED` only).
pub const AP_ERR_RANGE: ap_status = -15;

/// Memory ran out, or the result passes `AP_OPT_MAX_BYTES`.
pub const AP_ERR_MEMORY: ap_status = -16;

/// The read was told to stop.
pub const AP_ERR_CANCELLED: ap_status = -17;

/// A caller's callback failed; `detail` holds the value it returned.
pub const AP_ERR_CALLBACK: ap_status = -18;

/// The file changed since it was opened.
pub const AP_ERR_CHANGED: ap_status = -19;

/// A bug in this library. The handle stays usable; please report it.
pub const AP_ERR_INTERNAL: ap_status = -20;

/// Code, name and meaning of each.
const CODES: [(ap_status, &CStr, &CStr); 21] = [
    (AP_OK, c"AP_OK", c"Success."),
    (
        AP_ERR_NULL,
        c"AP_ERR_NULL",
        c"A pointer that must not be NULL was NULL.",
    ),
    (
        AP_ERR_ARGUMENT,
        c"AP_ERR_ARGUMENT",
        c"An argument is out of its documented range.",
    ),
    (
        AP_ERR_INDEX,
        c"AP_ERR_INDEX",
        c"An index is out of bounds, or there are too many of them.",
    ),
    (
        AP_ERR_BUFFER,
        c"AP_ERR_BUFFER",
        c"The caller's buffer is too small.",
    ),
    (
        AP_ERR_OPTION,
        c"AP_ERR_OPTION",
        c"Unknown option key, or a value that the option does not take.",
    ),
    (
        AP_ERR_NOT_FOUND,
        c"AP_ERR_NOT_FOUND",
        c"The file does not exist.",
    ),
    (
        AP_ERR_IO,
        c"AP_ERR_IO",
        c"The operating system failed a read, seek, map or open.",
    ),
    (
        AP_ERR_TRUNCATED,
        c"AP_ERR_TRUNCATED",
        c"The data end before the array does.",
    ),
    (AP_ERR_FORMAT, c"AP_ERR_FORMAT", c"No known format matches."),
    (
        AP_ERR_HEADER,
        c"AP_ERR_HEADER",
        c"The header is of a known format but cannot be right.",
    ),
    (
        AP_ERR_CODEC,
        c"AP_ERR_CODEC",
        c"The compressed stream is damaged, or its checksum does not match.",
    ),
    (
        AP_ERR_SEEKINDEX,
        c"AP_ERR_SEEKINDEX",
        c"The seek index is damaged or belongs to another file.",
    ),
    (
        AP_ERR_UNSUPPORTED,
        c"AP_ERR_UNSUPPORTED",
        c"Valid, but this build cannot do it.",
    ),
    (
        AP_ERR_NO_VIEW,
        c"AP_ERR_NO_VIEW",
        c"No view without a copy exists for this selection.",
    ),
    (
        AP_ERR_RANGE,
        c"AP_ERR_RANGE",
        c"A value does not fit the element type asked for.",
    ),
    (
        AP_ERR_MEMORY,
        c"AP_ERR_MEMORY",
        c"Memory ran out, or the result passes the limit set for it.",
    ),
    (
        AP_ERR_CANCELLED,
        c"AP_ERR_CANCELLED",
        c"The read was told to stop.",
    ),
    (
        AP_ERR_CALLBACK,
        c"AP_ERR_CALLBACK",
        c"A caller's callback failed.",
    ),
    (
        AP_ERR_CHANGED,
        c"AP_ERR_CHANGED",
        c"The file changed since it was opened.",
    ),
    (
        AP_ERR_INTERNAL,
        c"AP_ERR_INTERNAL",
        c"A bug in this library.",
    ),
];

fn find(status: ap_status) -> Option<&'static (ap_status, &'static CStr, &'static CStr)> {
    // Counts are successes.
    CODES.iter().find(|entry| entry.0 == status.min(AP_OK))
}

/// Name of a code, such as "AP_ERR_IO". Static; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ap_status_name(status: ap_status) -> *const c_char {
    quiet(c"AP_ERR_UNKNOWN".as_ptr(), || {
        find(status)
            .map_or(c"AP_ERR_UNKNOWN", |entry| entry.1)
            .as_ptr()
    })
}

/// One sentence about a code. Static; never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ap_status_message(status: ap_status) -> *const c_char {
    const UNKNOWN: &CStr = c"A failure that this version of the library does not know.";
    quiet(UNKNOWN.as_ptr(), || {
        find(status).map_or(UNKNOWN, |entry| entry.2).as_ptr()
    })
}

pub(super) fn code(kind: ErrorKind) -> ap_status {
    match kind {
        ErrorKind::Null => AP_ERR_NULL,
        ErrorKind::Argument => AP_ERR_ARGUMENT,
        ErrorKind::Index => AP_ERR_INDEX,
        ErrorKind::Buffer => AP_ERR_BUFFER,
        ErrorKind::Option => AP_ERR_OPTION,
        ErrorKind::NotFound => AP_ERR_NOT_FOUND,
        ErrorKind::Io => AP_ERR_IO,
        ErrorKind::Truncated => AP_ERR_TRUNCATED,
        ErrorKind::Format => AP_ERR_FORMAT,
        ErrorKind::Header => AP_ERR_HEADER,
        ErrorKind::Codec => AP_ERR_CODEC,
        ErrorKind::SeekIndex => AP_ERR_SEEKINDEX,
        ErrorKind::Unsupported => AP_ERR_UNSUPPORTED,
        ErrorKind::NoView => AP_ERR_NO_VIEW,
        ErrorKind::Range => AP_ERR_RANGE,
        ErrorKind::Memory => AP_ERR_MEMORY,
        ErrorKind::Cancelled => AP_ERR_CANCELLED,
        ErrorKind::Callback => AP_ERR_CALLBACK,
        ErrorKind::Changed => AP_ERR_CHANGED,
        ErrorKind::Internal => AP_ERR_INTERNAL,
    }
}

impl ap_error {
    pub(super) fn new(error: &Error) -> ap_error {
        let mut made = ap_error {
            code: code(error.kind()),
            os_error: error.os_error(),
            detail: error.detail(),
            message: [0; 496],
        };
        let text = error.to_string().replace('\0', "?");
        let mut end = text.len().min(made.message.len() - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for (to, &byte) in made.message.iter_mut().zip(&text.as_bytes()[..end]) {
            *to = byte as c_char;
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_between_characters() {
        let error = Error::new(ErrorKind::Io, "ä".repeat(400)).with_detail(7);
        let made = ap_error::new(&error);
        let len = made.message.iter().position(|&byte| byte == 0).unwrap();
        assert_eq!((len, made.code, made.detail), (494, AP_ERR_IO, 7));
        let made = ap_error::new(&Error::new(ErrorKind::Io, "a\0b"));
        assert_eq!(
            &made.message[..4],
            [b'a', b'?', b'b', 0].map(|byte| byte as c_char)
        );
    }
}
