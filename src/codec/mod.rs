//! Compressed bytes read as if they were not.

mod ahead;
mod bgzf;
mod blocks;
#[cfg(feature = "bzip2")]
mod bunzip;
#[cfg(feature = "bzip2")]
mod bzip2;
mod cache;
mod chunks;
mod coding;
mod decoder;
mod flushes;
mod front;
mod gzidx;
mod gzip;
mod index;
mod inflate;
mod input;
#[cfg(feature = "bzip2")]
mod magics;
mod members;
mod scan;
#[cfg(feature = "zstd")]
mod seekable;
mod session;
mod span;
mod stream;
mod sums;
mod watched;
mod zlib;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(fuzzing)]
pub use ahead::decode_ahead;
pub(crate) use cache::Room;
pub(crate) use chunks::{Chunk, Chunks, Filters, chunked};
pub use index::IndexInfo;
pub(crate) use index::Places;
pub(crate) use stream::Decoding;
pub(crate) use zlib::zlib;

use std::ops::Range;
use std::sync::Arc;

use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};
use crate::io::ReadAt;
use stream::Stream;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Codec {
    /// Not at all.
    None,
    /// gzip (RFC 1952), of one or several members.
    Gzip,
    /// bzip2, of one or several streams.
    Bzip2,
    /// zstd (RFC 8878), of one or several frames.
    Zstd,
    /// Not as a whole: the array is stored in chunks, each of them a zlib stream
    /// (RFC 1950) by itself.
    Deflate,
}

impl Codec {
    /// Those of whole files.
    const ALL: [Codec; 4] = [Codec::None, Codec::Gzip, Codec::Bzip2, Codec::Zstd];

    /// Name, such as "gzip".
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Bzip2 => "bzip2",
            Codec::Zstd => "zstd",
            Codec::Deflate => "deflate",
        }
    }

    /// The codec of a name; `None` for names that this build does not have.
    pub fn parse(name: &str) -> Option<Codec> {
        Codec::ALL
            .into_iter()
            .find(|codec| codec.name() == name && codec.is_built())
    }

    fn is_built(self) -> bool {
        match self {
            Codec::None | Codec::Gzip | Codec::Deflate => true,
            Codec::Bzip2 => cfg!(feature = "bzip2"),
            Codec::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// Endings of the names of files that are compressed so.
    pub(crate) fn endings(self) -> &'static [&'static str] {
        match self {
            Codec::None | Codec::Deflate => &[],
            Codec::Gzip => &["gz", "mgz"],
            Codec::Bzip2 => &["bz2"],
            Codec::Zstd => &["zst"],
        }
    }

    fn unsupported(self) -> Error {
        let text = format!(
            "the content is compressed by {}, which this build cannot read",
            self.name()
        );
        Error::new(ErrorKind::Unsupported, text)
    }
}

/// What the first bytes of a source say. `Unsupported` names compressions
/// that this build cannot read.
pub(crate) fn detect(head: &[u8]) -> Result<Codec> {
    let codec = match head {
        head if gzip::is_magic(head) => Codec::Gzip,
        head if is_bzip2(head) => Codec::Bzip2,
        head if is_zstd(head) => Codec::Zstd,
        _ => Codec::None,
    };
    match codec.is_built() {
        true => Ok(codec),
        false => Err(codec.unsupported()),
    }
}

/// Whether bytes begin as those of Unix's compress (.Z) do, which nothing here
/// reads.
pub(crate) fn is_compress(head: &[u8]) -> bool {
    head.starts_with(&[0x1F, 0x9D])
}

/// Bytes that tell a bzip2 stream: "BZh", the level, and the magic of a block
/// or, in a stream without any, of the end.
const BZIP2_HEAD: usize = 10;

/// Most bytes that a block decodes to: 900,000, each five of them a run of 259.
const BZIP2_BLOCK: usize = 900_000 / 5 * 259;

fn is_bzip2(head: &[u8]) -> bool {
    const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    const END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    match head.first_chunk::<BZIP2_HEAD>() {
        Some([b'B', b'Z', b'h', b'1'..=b'9', magic @ ..]) => *magic == BLOCK || *magic == END,
        _ => false,
    }
}

/// A frame of data (RFC 8878, 3.1.1), or skippable ones (3.1.2) with such a
/// frame behind them so far as the bytes reach: other formats have skippable
/// frames too.
fn is_zstd(head: &[u8]) -> bool {
    if !is_zstd_skippable(head) {
        return is_zstd_frame(head);
    }
    let Some(&[_, _, _, _, a, b, c, d]) = head.first_chunk() else {
        return false;
    };
    let len = u32::from_le_bytes([a, b, c, d]) as usize;
    match head[8..].get(len..) {
        Some(rest) if rest.len() >= 4 => is_zstd(rest),
        _ => true,
    }
}

fn is_zstd_frame(head: &[u8]) -> bool {
    head.starts_with(&[0x28, 0xB5, 0x2F, 0xFD])
}

fn is_zstd_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

/// Decoded bytes that tell a compressed stream from data that only begin like
/// one: no more than a first block has.
const PROOF: usize = 4 << 10;

/// A compressed source, beside its decoded bytes. What is left out here is that
/// of one whose places are all known, and right.
pub(crate) trait Packed: Send + Sync {
    /// The decoded bytes for one thread's reads in a row.
    fn session(
        &self,
        reading: Reading,
        guess: Option<Guessed>,
        control: Option<&Control>,
    ) -> Result<Arc<dyn ReadAt>>;

    /// Where in a range of decoded bytes others can begin to decode while one
    /// decodes what is before. `dense` if all of the range is to be read.
    fn splits(&self, range: Range<u64>, dense: bool, control: Option<&Control>) -> Result<Splits>;

    /// Whether a range can be decoded ahead of reads.
    fn goes_ahead(&self, range: Range<u64>) -> Result<bool> {
        let _ = range;
        Ok(false)
    }

    /// Decode on several threads where no places are known, from where reads
    /// begin to decoded byte `end`, as far as that is worth it. What is left, a
    /// session reads.
    fn ahead(
        &self,
        session: Arc<dyn ReadAt>,
        reading: Reading,
        end: u64,
        threads: usize,
        take: &Take<'_>,
    ) -> Result<Rest> {
        let _ = (reading, end, threads, take);
        Ok(Rest {
            bytes: session,
            is_good: false,
        })
    }

    /// The data end there, as their header tells.
    fn expect(&self, end: u64) {
        let _ = end;
    }

    /// Another number whenever something that reads rest on proved to be wrong.
    fn generation(&self) -> u64 {
        0
    }

    /// Decoded byte at which decoding begins for a read of this one.
    fn begin_of(&self, offset: u64) -> u64;

    /// A guess proved to be right. Fails if a checksum that is complete now is
    /// wrong.
    fn adopt(&self, guess: Guessed) -> Result<()> {
        let _ = guess;
        Ok(())
    }

    /// A guess proved to be wrong.
    fn refute(&self) {}

    /// What was read is wrong. Forget what may be the cause, if it is not the
    /// file itself; `false` if there is no such thing.
    fn doubt(&self) -> bool {
        false
    }

    /// It was the file itself: its structure, which was forgotten, is right.
    fn relearn(&self) {}

    fn info(&self) -> IndexInfo;

    /// Bytes of decoded data that are kept.
    fn cached(&self) -> usize;

    /// Compressed bytes of which the places are not known.
    fn unbuilt(&self) -> u64 {
        0
    }

    /// Find all places. The control is told of the bytes that are done with.
    fn build(&self, threads: usize, control: Option<&Control>) -> Result<()> {
        let _ = (threads, control);
        Ok(())
    }

    /// Write an index file.
    fn save(&self, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let _ = write;
        Err(coding::no_index_file("deflate"))
    }

    /// Take the places of an index file.
    fn load(&self, file: Arc<dyn ReadAt>) -> Result<()> {
        let _ = file;
        Err(coding::no_index_file("deflate"))
    }

    /// Whether there is what was neither loaded nor saved, and nothing that may
    /// be wrong.
    fn is_new(&self) -> bool {
        false
    }
}

/// What is left where threads decoded ahead.
pub(crate) struct Rest {
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// Whether the threads were of use.
    pub(crate) is_good: bool,
}

/// Gives the work that all decoded bytes before one are enough for, when that
/// byte of the source was come to; `None` if no more are needed. Called by one
/// thread at a time, in the order of the data.
pub(crate) type Take<'a> = dyn Fn(u64, u64) -> Option<Taken<'a>> + Sync + 'a;

/// Most bytes before those of a span that there can be work for.
pub(crate) const MOST_JOINED: usize = inflate::Symbols::MOST_JOINED;

/// Work for one of several threads.
pub(crate) struct Taken<'a> {
    /// The first decoded byte that more work will be for.
    pub(crate) from: u64,
    pub(crate) work: Box<Work<'a>>,
}

/// Done with decoded bytes, which begin at a byte.
pub(crate) type Work<'a> = dyn FnOnce(u64, &[u8]) + 'a;

/// What is known of reads before they begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Where they begin.
    pub(crate) start: u64,
    /// Decoded bytes that they need, about.
    pub(crate) decoded: u64,
}

/// Where a range of decoded bytes can be split.
pub(crate) struct Splits {
    pub(crate) places: Vec<u64>,
    /// What the places rest on, if they are not known but guessed.
    pub(crate) guess: Option<Guessed>,
}

/// Places of one compression, which it alone looks into.
pub(crate) type Guessed = Arc<dyn std::any::Any + Send + Sync>;

/// An open source.
#[derive(Clone)]
pub(crate) struct Decoded {
    pub(crate) bytes: Arc<dyn ReadAt>,
    /// `None` if it is not compressed.
    pub(crate) packed: Option<Arc<dyn Packed>>,
}

/// The decoded bytes of a source. Those kept have `room`, or one of their own.
pub(crate) fn open(
    source: Arc<dyn ReadAt>,
    codec: Codec,
    decoding: Decoding,
    room: Option<Arc<Room>>,
) -> Result<Decoded> {
    fn packed<C: coding::Coding>(
        source: Arc<dyn ReadAt>,
        decoding: Decoding,
        room: Option<Arc<Room>>,
    ) -> Decoded {
        let room = room.unwrap_or_else(|| Arc::new(Room::new(decoding.cache)));
        let stream = Arc::new(Stream::<C>::within(source, decoding, room));
        Decoded {
            bytes: stream.clone(),
            packed: Some(stream),
        }
    }
    Ok(match codec {
        Codec::None => Decoded {
            bytes: source,
            packed: None,
        },
        Codec::Gzip => packed::<gzip::Gzip>(source, decoding, room),
        #[cfg(feature = "bzip2")]
        Codec::Bzip2 => packed::<bzip2::Bzip2>(source, decoding, room),
        #[cfg(feature = "zstd")]
        Codec::Zstd => packed::<zstd::Zstd>(source, decoding, room),
        #[allow(unreachable_patterns)]
        Codec::Bzip2 | Codec::Zstd => return Err(codec.unsupported()),
        Codec::Deflate => {
            let text = "chunks are found by their format, not asked for";
            return Err(Error::new(ErrorKind::Option, text));
        }
    })
}

/// Whether the first block of a source that begins as a codec's streams do
/// decodes.
pub(crate) fn decodes(source: &Arc<dyn ReadAt>, codec: Codec) -> Result<bool> {
    // What decodes to its end is a stream, even with a wrong checksum.
    let trial = Decoding {
        verify: false,
        cache: 0,
        places: Places {
            wanted: false,
            spacing: None,
            frugal: true,
            most: None,
        },
        pooled: false,
    };
    match open(source.clone(), codec, trial, None)?
        .bytes
        .read_vec(0, PROOF)
    {
        Ok(first) => Ok(!first.is_empty()),
        // Any bytes can seem to ask for what no decoder does.
        Err(error) if matches!(error.kind(), ErrorKind::Codec | ErrorKind::Unsupported) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Most bytes that `compressed` bytes can hold when decoded. A file that
/// claims more is wrong, which is known without decoding it.
pub(crate) fn most_decoded(codec: Codec, compressed: u64) -> u64 {
    match codec {
        Codec::None => compressed,
        // Deflate's densest code: 258 bytes by 2 bits.
        Codec::Gzip | Codec::Deflate => compressed.saturating_mul(1032),
        // A block's header and codes take 25 bytes at least.
        Codec::Bzip2 => (compressed / 25 + 1).saturating_mul(BZIP2_BLOCK as u64),
        // A block of 128 KiB by 4 bytes: header and the one byte it repeats.
        Codec::Zstd => compressed.saturating_mul(32 << 10),
    }
}
