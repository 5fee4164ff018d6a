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
pub(crate) fn detect(head: &[u8]) -> Result<Codec> {
    let unsupported = |name: &str| {
        let text = format!("the content is compressed by {name}, which this build cannot read");
        Err(Error::new(ErrorKind::Unsupported, text))
    };
    match head {
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
            ..,
        ] => unsupported("bzip2"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => unsupported("zstd"),
        head if gzip::is_magic(head) => Ok(Codec::Gzip),
        _ => Ok(Codec::None),
    }
}

/// Decoded bytes that tell a compressed stream from data that only begin like
/// one: no more than a first block has.
const PROOF: usize = 4 << 10;

/// How the decoded bytes of a source are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding {
    /// Check checksums where whole members are read.
    pub(crate) verify: bool,
    /// Keep little memory between reads.
    pub(crate) frugal: bool,
}

/// The decoded bytes of a source.
pub(crate) fn open(source: Arc<dyn ReadAt>, codec: Codec, decoding: Decoding) -> Arc<dyn ReadAt> {
    match codec {
        Codec::None => source,
        Codec::Gzip => Arc::new(gzip::Gzip::new(source, decoding)),
    }
}

/// Whether the first block of a source that begins as a codec's streams do
/// decodes.
pub(crate) fn decodes(source: &Arc<dyn ReadAt>, codec: Codec) -> Result<bool> {
    // What decodes to its end is a stream, even with a wrong checksum.
    let trial = Decoding {
        verify: false,
        frugal: true,
    };
    match open(source.clone(), codec, trial).read_vec(0, PROOF) {
        Ok(first) => Ok(!first.is_empty()),
        Err(error) if error.kind() == ErrorKind::Codec => Ok(false),
        Err(error) => Err(error),
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
