//! The one error type: what went wrong, in which file, at which byte.

use std::fmt;
use std::path::{Path, PathBuf};

/// What went wrong, one kind for each thing that a caller would do
/// differently. The C ABI's `AP_ERR_` codes are these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A pointer that must not be NULL was NULL.
    Null,
    /// An argument is out of its documented range.
    Argument,
    /// An index is out of bounds, or there are too many of them.
    Index,
    /// The caller's buffer is too small; `detail` holds the bytes needed.
    Buffer,
    /// Unknown option, or a value that the option does not take.
    Option,
    /// The file does not exist.
    NotFound,
    /// The operating system failed a read, map or open.
    Io,
    /// The data end before the array does.
    Truncated,
    /// No known format matches.
    Format,
    /// The header is of a known format but cannot be right.
    Header,
    /// The compressed stream is damaged, or its checksum does not match.
    Codec,
    /// The seek index is damaged or belongs to another file.
    SeekIndex,
    /// Valid, but this build cannot do it.
    Unsupported,
    /// No view without a copy exists for a selection.
    NoView,
    /// A value does not fit the element type asked for.
    Range,
    /// Memory ran out, or a result passes the limit set for it.
    Memory,
    /// The read was told to stop.
    Cancelled,
    /// A caller's callback failed; `detail` holds the value it returned.
    Callback,
    /// The file changed since it was opened.
    Changed,
    /// A bug in this library.
    Internal,
}

/// An error with the file and byte that it is about, where it has one.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    offset: Option<u64>,
    os_error: i32,
    detail: i64,
}

/// Result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of a kind, with a text that names what was found and wanted.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            path: None,
            offset: None,
            os_error: 0,
            detail: 0,
        }))
    }

    /// An error of the operating system; `doing` says what was tried.
    pub fn os(error: &std::io::Error, doing: &str) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::OutOfMemory => ErrorKind::Memory,
            _ => ErrorKind::Io,
        };
        let mut made = Error::new(kind, format!("cannot {doing}: {error}"));
        made.0.os_error = error.raw_os_error().unwrap_or(0);
        made
    }

    /// The same error as one of another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same error, about a byte of the file. An offset already there stays.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// The same error, whose byte was counted from another one, also backward.
    #[must_use]
    pub(crate) fn counted_from(mut self, start: u64) -> Self {
        self.0.offset = self.0.offset.map(|offset| offset.wrapping_add(start));
        self
    }

    /// The same error, in a file. A path already there stays, for it is nearer.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        if self.0.path.is_none() {
            self.0.path = Some(path.to_path_buf());
        }
        self
    }

    /// The same error, about a part of what was asked for.
    #[must_use]
    pub fn of_part(mut self, part: &str) -> Self {
        self.0.message.insert_str(0, &format!("{part}: "));
        self
    }

    /// The same error with the number that belongs to its kind.
    #[must_use]
    pub fn with_detail(mut self, detail: i64) -> Self {
        self.0.detail = detail;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file, where there is one.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The byte of the file, or of its decoded content where the text says so.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }

    /// The operating system's error number, or 0.
    pub fn os_error(&self) -> i32 {
        self.0.os_error
    }

    /// A number that belongs to the kind, or 0; see [`ErrorKind`].
    pub fn detail(&self) -> i64 {
        self.0.detail
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.0.path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(&self.0.message)?;
        if let Some(offset) = self.0.offset {
            write!(f, " (byte {offset})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_file_reason_and_byte() {
        let error = Error::new(ErrorKind::Header, "dim[0] is 9, wanted 0 to 7")
            .at(40)
            .at(99)
            .in_file(Path::new("a.nii"))
            .in_file(Path::new("b.nii"));
        assert_eq!(
            error.to_string(),
            "a.nii: dim[0] is 9, wanted 0 to 7 (byte 40)"
        );
        assert_eq!(error.offset(), Some(40));
    }
}
