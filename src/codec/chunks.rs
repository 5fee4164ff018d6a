//! Arrays that a file holds in chunks, each of them stored by itself: as it is,
//! through filters, or not at all where nothing was ever written. Decoded, they
//! stand one after the other, each at the multiple of its size.
//!
//! Filters are HDF5's (file format specification, III.N "Filter Pipeline"): the
//! bytes of elements shuffled, deflated, and a checksum behind.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::cache::{Cache, Room};
use super::coding::damage;
use super::watched::watched;
use super::zlib::Zlib;
use super::{Codec, Decoded, Guessed, IndexInfo, Packed, Reading, Splits};
use crate::control::Control;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf, append};

/// Least bytes that a thread takes to decode.
const SHARE: u64 = 256 << 10;

/// Bytes of a checksum.
const SUM: usize = 4;

/// Bytes of the patterns that chunks without data are filled with.
const FILLING: usize = 4 << 10;

/// A chunk that is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    /// Its place among all chunks.
    pub(crate) number: u64,
    /// Byte of the source.
    pub(crate) at: u64,
    /// Bytes there.
    pub(crate) len: u64,
    pub(crate) filters: Filters,
}

/// What was done to the bytes of a chunk, in this order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filters {
    /// The first bytes of all elements stand first, then the second ones.
    pub(crate) shuffled: bool,
    /// A zlib stream (RFC 1950).
    pub(crate) deflated: bool,
    /// Fletcher's checksum stands behind.
    pub(crate) summed: bool,
}

/// All chunks of an array.
#[derive(Debug)]
pub(crate) struct Chunks {
    /// Bytes of each, decoded.
    pub(crate) size: usize,
    /// How many there are with those that are not stored.
    pub(crate) count: u64,
    /// Those that are, by their numbers.
    pub(crate) stored: Vec<Chunk>,
    /// The bytes of an element where nothing is stored; as many as any has.
    pub(crate) fill: Vec<u8>,
}

impl Chunks {
    /// How most of them are compressed.
    pub(crate) fn codec(&self) -> Codec {
        match self.stored.iter().any(|chunk| chunk.filters.deflated) {
            true => Codec::Deflate,
            false => Codec::None,
        }
    }

    /// Bytes of them all.
    pub(crate) fn total(&self) -> u64 {
        self.count.saturating_mul(self.size as u64)
    }

    fn find(&self, number: u64) -> Option<&Chunk> {
        let found = self
            .stored
            .binary_search_by_key(&number, |chunk| chunk.number);
        found.ok().map(|place| &self.stored[place])
    }

    /// Make the bytes of a chunk those of the room.
    fn decode(&self, chunk: &Chunk, source: &dyn ReadAt, room: &mut Decoding) -> Result<()> {
        room.number = None;
        let Decoding { bytes, other, .. } = room;
        let most = match chunk.filters.deflated {
            // What decodes to more is none.
            true => self.size.saturating_mul(2).max(1 << 10),
            false => self.size + SUM,
        };
        let at = |found: usize| chunk.at.saturating_add(found as u64);
        let len = usize::try_from(chunk.len).ok().filter(|&len| len <= most);
        let Some(len) = len else {
            let text = format!("a chunk of {} bytes is stored in {}", self.size, chunk.len);
            return Err(damage(text).at(chunk.at));
        };
        bytes.clear();
        append(bytes, len, |buffer| source.read_at(chunk.at, buffer))?;
        if bytes.len() < len {
            let text = format!("the file ends within a chunk of {len} bytes");
            return Err(Error::new(ErrorKind::Truncated, text).at(at(bytes.len())));
        }
        if chunk.filters.summed {
            let Some((data, sum)) = bytes.split_last_chunk::<SUM>() else {
                return Err(damage("a chunk has no room for its checksum").at(chunk.at));
            };
            let end = data.len();
            if fletcher(data) != u32::from_le_bytes(*sum) {
                let text = "the checksum of a chunk is not that of its bytes";
                return Err(damage(text).at(at(end)));
            }
            bytes.truncate(end);
        }
        if chunk.filters.deflated {
            // One byte more shows that there are more.
            let decoded = room.zlib.decode(bytes, self.size.saturating_add(1), other);
            decoded.map_err(|error| error.counted_from(chunk.at))?;
            std::mem::swap(bytes, other);
        }
        if bytes.len() != self.size {
            let text = format!("a chunk of {} bytes decodes to {}", self.size, bytes.len());
            return Err(damage(text).at(chunk.at));
        }
        if chunk.filters.shuffled {
            unshuffle(bytes, self.fill.len(), other);
            std::mem::swap(bytes, other);
        }
        room.number = Some(chunk.number);
        Ok(())
    }

    /// Append the bytes from `skip` on of a chunk without data.
    fn fill(&self, skip: usize, buffer: &mut ReadBuf<'_>) {
        let item = self.fill.len().max(1);
        let pattern: Vec<u8> = self
            .fill
            .iter()
            .copied()
            .cycle()
            .take(item.max(FILLING / item * item))
            .collect();
        let (mut begin, mut left) = (skip % item, self.size - skip);
        while left > 0 && buffer.room() > 0 && !pattern.is_empty() {
            let n = buffer.push(&pattern[begin..pattern.len().min(begin + left)]);
            (begin, left) = (0, left - n);
        }
    }
}

/// Chunks as one run of bytes.
pub(super) struct Chunked(Arc<Shared>);

struct Shared {
    source: Arc<dyn ReadAt>,
    chunks: Chunks,
    cache: Cache,
}

/// The bytes of chunks, of which those kept have `room`.
pub(crate) fn chunked(source: Arc<dyn ReadAt>, chunks: Chunks, room: Arc<Room>) -> Decoded {
    let cache = Cache::new(room);
    let shared = Shared {
        source,
        chunks,
        cache,
    };
    let chunked = Arc::new(Chunked(Arc::new(shared)));
    Decoded {
        bytes: chunked.clone(),
        packed: Some(chunked),
    }
}

/// Reads in a row.
struct Session {
    shared: Arc<Shared>,
    source: Arc<dyn ReadAt>,
    /// Whether what is decoded is kept.
    keep: bool,
    decoding: Mutex<Decoding>,
}

/// What decoding takes, which one chunk after the other uses.
struct Decoding {
    /// The chunk that was decoded last. However large it is, reads that follow in
    /// it do not decode it again.
    number: Option<u64>,
    bytes: Vec<u8>,
    other: Vec<u8>,
    zlib: Zlib,
}

impl Session {
    fn decoding(&self) -> MutexGuard<'_, Decoding> {
        self.decoding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Let others have what was decoded last.
    fn give(&self, decoding: &mut Decoding) {
        let Some(number) = decoding.number.take().filter(|_| self.keep) else {
            return;
        };
        let start = number * self.shared.chunks.size as u64;
        let bytes = std::mem::take(&mut decoding.bytes);
        decoding.bytes = self.shared.cache.insert(start, bytes).unwrap_or_default();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.give(&mut self.decoding());
    }
}

impl ReadAt for Session {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let Shared { chunks, cache, .. } = &*self.shared;
        let (size, mut offset) = (chunks.size as u64, offset);
        // One thread has a session. That others wait here is no matter.
        let decoding = &mut *self.decoding();
        while buffer.room() > 0 && offset < chunks.total() {
            let (number, skip) = (offset / size, (offset % size) as usize);
            let before = buffer.room();
            if decoding.number == Some(number) {
                buffer.push(&decoding.bytes[skip..]);
            } else if let Some(chunk) = chunks.find(number) {
                if cache.copy(offset, buffer) == 0 {
                    self.give(decoding);
                    chunks.decode(chunk, &*self.source, decoding)?;
                    continue;
                }
            } else {
                chunks.fill(skip, buffer);
            }
            offset += (before - buffer.room()) as u64;
        }
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(Some(self.shared.chunks.total()))
    }

    fn is_concurrent(&self) -> bool {
        self.source.is_concurrent()
    }
}

impl Chunked {
    fn session_of(&self, keep: bool, control: Option<&Control>) -> Result<Session> {
        let shared = self.0.clone();
        let pinned = shared.source.pin()?;
        let source = pinned.unwrap_or_else(|| shared.source.clone());
        Ok(Session {
            source: watched(source, control),
            shared,
            keep,
            decoding: Mutex::new(Decoding {
                number: None,
                bytes: Vec::new(),
                other: Vec::new(),
                zlib: Zlib::new(),
            }),
        })
    }
}

impl ReadAt for Chunked {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        self.session_of(true, None)?.read_at(offset, buffer)
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(Some(self.0.chunks.total()))
    }

    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        Ok(Some(Arc::new(self.session_of(true, None)?)))
    }

    fn is_concurrent(&self) -> bool {
        self.0.source.is_concurrent()
    }

    fn trim(&self) {
        self.0.cache.clear();
        self.0.source.trim();
    }
}

impl Packed for Chunked {
    fn session(
        &self,
        reading: Reading,
        _guess: Option<Guessed>,
        control: Option<&Control>,
    ) -> Result<Arc<dyn ReadAt>> {
        let most = self.0.cache.most();
        let keep = most > 0 && reading.decoded <= most as u64;
        Ok(Arc::new(self.session_of(keep, control)?))
    }

    fn splits(&self, range: Range<u64>, _dense: bool, _: Option<&Control>) -> Result<Splits> {
        let size = self.0.chunks.size as u64;
        let apart = SHARE.div_ceil(size) * size;
        let first = range.start / apart * apart + apart;
        let places = (first..range.end).step_by(apart as usize).collect();
        let guess = None;
        Ok(Splits { places, guess })
    }

    fn begin_of(&self, offset: u64) -> u64 {
        let size = self.0.chunks.size as u64;
        offset / size * size
    }

    fn info(&self) -> IndexInfo {
        let Chunks { stored, .. } = &self.0.chunks;
        IndexInfo {
            points: stored.len() as u64,
            covered: self.0.chunks.total(),
            memory: size_of_val(&stored[..]) as u64,
        }
    }

    fn cached(&self) -> usize {
        self.0.cache.held()
    }
}

/// Put together elements of `item` bytes whose bytes were shuffled; what is behind
/// the last of them was not.
fn unshuffle(bytes: &[u8], item: usize, elements: &mut Vec<u8>) {
    fn of<const N: usize>(bytes: &[u8], elements: &mut Vec<u8>) {
        let n = bytes.len() / N;
        let planes: [&[u8]; N] = std::array::from_fn(|i| &bytes[i * n..(i + 1) * n]);
        elements.extend((0..n).flat_map(|i| planes.map(|plane| plane[i])));
        elements.extend(&bytes[n * N..]);
    }
    elements.clear();
    match item {
        2 => of::<2>(bytes, elements),
        4 => of::<4>(bytes, elements),
        8 => of::<8>(bytes, elements),
        16 => of::<16>(bytes, elements),
        _ => elements.extend(bytes),
    }
}

/// HDF5's Fletcher-32, of 16-bit words whose first byte is the high one.
fn fletcher(bytes: &[u8]) -> u32 {
    let (mut first, mut second) = (0u32, 0u32);
    let fold = |sum: u32| (sum & 0xFFFF) + (sum >> 16);
    // As many as cannot overflow.
    for part in bytes.chunks(720) {
        for word in part.chunks(2) {
            let [high, low] = [word[0], word.get(1).copied().unwrap_or(0)];
            first += u32::from(u16::from_be_bytes([high, low]));
            second += first;
        }
        (first, second) = (fold(first), fold(second));
    }
    fold(second) << 16 | fold(first)
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
