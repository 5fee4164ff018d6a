//! Arrays in chunks that are stored each by itself.

/// Chunks of an array that have to be decoded, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Chunks {
    /// Bytes of each, decoded.
    pub(crate) size: usize,
    /// How many there are with those that are not stored.
    pub(crate) count: u64,
    /// Those that are, by their numbers.
    pub(crate) stored: Vec<Chunk>,
    /// The bytes of an element where nothing is stored.
    pub(crate) fill: Vec<u8>,
}

impl Chunks {
    /// The end of the last of them in the file.
    pub(crate) fn end(&self) -> u64 {
        let end = |chunk: &Chunk| chunk.at.saturating_add(chunk.stored);
        self.stored.iter().map(end).max().unwrap_or(0)
    }
}

/// A part of an array that is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chunk {
    /// In the grid of chunks, of which the last axis varies fastest.
    pub(crate) number: u64,
    /// Byte of the file.
    pub(crate) at: u64,
    /// Bytes there.
    pub(crate) stored: u64,
    pub(crate) filters: Filters,
}

/// Filters that a chunk went through, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Filters {
    /// Bytes are sorted: the first of all elements, then the second of all;
    /// bytes of a last part of an element stay where they are.
    pub(crate) shuffle: bool,
    /// They are a zlib stream.
    pub(crate) deflate: bool,
    /// A Fletcher-32 checksum of 4 bytes stands behind them.
    pub(crate) fletcher: bool,
}
