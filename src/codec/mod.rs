//! Compressed bytes read as if they were not.

mod gzip;
mod inflate;

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadAt;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    None,
    /// gzip (RFC 1952), of one or several members.
    Gzip,
}

impl Codec {
    /// Name, such as "gzip".
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
        }
    }

    /// The codec of a name; `None` for names that this build does not have.
    pub fn parse(name: &str) -> Option<Codec> {
        [Codec::None, Codec::Gzip]
            .into_iter()
            .find(|codec| codec.name() == name)
    }
}

/// What the first bytes of a source say. `Unsupported` names compressions
/// that this build cannot read.
pub(crate) fn detect(source: &Arc<dyn ReadAt>) -> Result<Codec> {
    let head = source.read_vec(0, 10)?;
    let unsupported = |name: &str| {
        let text = format!("the content is compressed by {name}, which this build cannot read");
        Err(Error::new(ErrorKind::Unsupported, text))
    };
    match head.as_slice() {
        [
            b'B',
            b'Z',
            b'h',
            b'1'..=b'9',
            0x31,
            0x41,
            0x59,
            0x26,
            0x53,
            0x59,
        ] => unsupported("bzip2"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => unsupported("zstd"),
        head if gzip::is_magic(head) => Ok(Codec::Gzip),
        _ => Ok(Codec::None),
    }
}

/// Whether the source begins with a valid header of a codec and the first
/// block behind it decodes; for data of which nothing else is known.
pub(crate) fn detect_surely(source: &Arc<dyn ReadAt>) -> Codec {
    let decodes = |codec| {
        let first = open(source.clone(), codec, false).read_vec(0, 1);
        first.is_ok_and(|first| !first.is_empty())
    };
    match detect(source) {
        Ok(Codec::Gzip) if decodes(Codec::Gzip) => Codec::Gzip,
        _ => Codec::None,
    }
}

/// The decoded bytes of a source. With `verify`, checksums are checked where
/// whole members are read.
pub(crate) fn open(source: Arc<dyn ReadAt>, codec: Codec, verify: bool) -> Arc<dyn ReadAt> {
    match codec {
        Codec::None => source,
        Codec::Gzip => Arc::new(gzip::Gzip::new(source, verify)),
    }
}

/// Most bytes that `compressed` bytes can hold when decoded. A file that
/// claims more is wrong, which is known without decoding it.
pub(crate) fn most_decoded(codec: Codec, compressed: u64) -> u64 {
    match codec {
        Codec::None => compressed,
        // Deflate's densest code: 258 bytes by 2 bits.
        Codec::Gzip => compressed.saturating_mul(1032),
    }
}
