//! What one compression does otherwise than another.

use std::sync::Arc;

use super::index::{Index, Point};
use super::inflate::Boundary;
use super::input::Input;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf};

/// A compression as a decoder of streams that only goes forward.
pub(super) trait Coding: Sized + Send + 'static {
    const NAME: &'static str;

    /// Decoded bytes behind the data in which the end of their stream, or of
    /// the block that has a checksum of its own, is looked for. Damage often
    /// moves it; then it is found near.
    const LOOK: usize;

    /// Whether zero bytes between streams and behind them are skipped.
    const SKIPS_ZEROS: bool;

    /// Whether a stream has one checksum for all of it, behind it. Then the
    /// parts between places have checksums of ours.
    const SUMS: bool;

    /// What decoding needs to begin inside a stream.
    type Mark: Send + Sync + 'static;

    /// Gives what threads decode ahead from, where they can.
    const BLOCKS: Option<BlocksOf<Self::Mark>> = None;

    fn new(verify: bool) -> Result<Self>;

    /// Get ready for the stream that comes next. `false` if what comes is no
    /// stream.
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool>;

    /// Decode until the output is full, the input used up, or the stream at
    /// its end. A step without room still finds the end if it is next. A step
    /// may stop earlier, and never goes beyond its bound.
    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, bound: Bound) -> Result<Step>;

    /// What decoding needs to begin where the last step stopped, or where the
    /// stream has just begun, if it can.
    fn mark(&self) -> Option<Self::Mark>;

    /// Begin at a mark. `false` if the source ends before.
    fn resume(&mut self, mark: &Self::Mark, feed: &mut Feed<'_>) -> Result<bool>;

    /// Bytes of the source before a mark that beginning there needs.
    fn overlap(mark: &Self::Mark) -> u64;

    /// Whether a stream begins at a mark.
    fn is_start(mark: &Self::Mark) -> bool;

    /// The mark to keep of a place that a decoder came by, which was known from
    /// elsewhere.
    fn confirmed(own: Self::Mark, _known: &Self::Mark) -> Self::Mark {
        own
    }

    /// Bytes of memory that a mark takes beside itself.
    fn weight(mark: &Self::Mark) -> usize;

    /// Look at what stands behind a stream.
    fn end(&mut self, _feed: &mut Feed<'_>) -> Result<Ending> {
        Ok(Ending::Plain)
    }

    /// Bytes of memory that it takes.
    fn memory(&self) -> usize;

    /// Places that the structure of a file tells, from the first to the last,
    /// and its decoded size; `None` if it tells nothing.
    fn structure(_source: &dyn ReadAt) -> Result<Option<Structure<Self::Mark>>> {
        Ok(None)
    }

    /// Places as the compressed bytes look to have them, of data that end
    /// at the decoded byte `end`.
    fn guess(_source: &dyn ReadAt, _end: u64) -> Result<Vec<Point<Self::Mark>>> {
        Ok(Vec::new())
    }

    /// Write an index file.
    fn save_index(_: &Index<Self::Mark>, _: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        Err(no_index_file(Self::NAME))
    }

    /// Take the places of an index file, after a look at whether it belongs to
    /// the source.
    fn load_index(_: &Index<Self::Mark>, _: &dyn ReadAt, _: Arc<dyn ReadAt>) -> Result<()> {
        Err(no_index_file(Self::NAME))
    }
}

/// The deflate block at a mark, and the mark of another.
pub(super) type Blocks<M> = (Boundary, fn(Boundary) -> M);
pub(super) type BlocksOf<M> = fn(&M) -> Result<Blocks<M>>;

/// Places and the decoded size.
pub(super) type Structure<M> = (Vec<Point<M>>, u64);

pub(super) fn no_index_file(name: &str) -> Error {
    let text = format!("an index file is for data compressed by gzip, not by {name}");
    Error::new(ErrorKind::Unsupported, text)
}

/// How far a step may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// Most decoded bytes.
    pub(super) most: u64,
    /// Whether to stop at the next place that has a mark.
    pub(super) at_mark: bool,
    /// Bytes at the end of what is in the output already that are the decoded
    /// ones before.
    pub(super) behind: usize,
}

impl Bound {
    pub(super) const NONE: Bound = Bound {
        most: u64::MAX,
        at_mark: false,
        behind: 0,
    };
}

/// What a step did.
#[derive(Debug)]
pub(super) struct Step {
    /// Bytes of input used up.
    pub(super) used: usize,
    /// Whether the stream has ended; the input behind it is not used.
    pub(super) ended: bool,
}

/// What stands behind a stream.
pub(super) enum Ending {
    /// Nothing: the file was cut there.
    Cut,
    /// Nothing that is not looked at already.
    Plain,
    /// CRC-32 of the stream's data, and their number modulo 2^32.
    Sum { sum: u32, size: u32 },
}

/// A stream that cannot be decoded. Where it is, the decoder adds.
pub(super) fn damage(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Codec, reason)
}

/// The compressed bytes of a source.
pub(super) struct Feed<'a> {
    pub(super) input: &'a mut Input,
    pub(super) source: &'a dyn ReadAt,
}

impl Feed<'_> {
    /// Byte of the source that comes next.
    pub(super) fn at(&self) -> u64 {
        self.input.at()
    }

    /// The `n` bytes that come next, or as many as there are.
    pub(super) fn look(&mut self, n: usize) -> Result<&[u8]> {
        self.input.look(self.source, n)
    }

    /// Fill `to` with the bytes that come next; `false` if the source ends
    /// before.
    pub(super) fn take(&mut self, to: &mut [u8]) -> Result<bool> {
        self.input.take(self.source, to)
    }
}
