//! Compressed streams, one after the other, read as one run of bytes. A
//! decoder only goes forward; reads that go forward continue one of those that
//! were kept, others begin at a place found before, or at the start.

use std::sync::{Arc, Mutex, PoisonError};

use super::Decoding;
use super::input::Input;
use super::points::{Point, Points};
use crate::error::{Error, ErrorKind, Result};
use crate::io::{ReadAt, ReadBuf};

/// Decoded bytes to skip at a time.
const SKIP: usize = 32 << 10;

/// Decoders kept between reads, and the bytes that they may take together.
/// The newest is kept however large it is, unless memory is to be spared.
pub(super) const KEPT: usize = 4;
const KEPT_BYTES: usize = 32 << 20;

/// Most bytes of the one decoder that is kept between reads where memory is
/// spared: programs hold thousands of such files.
const SPARED_BYTES: usize = 1 << 20;

/// A decoder may stop at so many places within the bits that it holds.
const MOST_STALLS: u32 = 64;

/// What one compression does otherwise than another.
pub(super) trait Coding: Sized + Send + 'static {
    const NAME: &'static str;

    /// Decoded bytes behind the data in which the end of their stream, or of
    /// the block that has a checksum of its own, is looked for. Damage often
    /// moves it; then it is found near.
    const LOOK: usize;

    /// Whether zero bytes between streams and behind them are skipped.
    const SKIPS_ZEROS: bool;

    /// What decoding needs to begin inside a stream.
    type Mark: Send + Sync;

    fn new(verify: bool) -> Result<Self>;

    /// Get ready for the stream that comes next. `false` if what comes is no
    /// stream.
    fn begin(&mut self, feed: &mut Feed<'_>) -> Result<bool>;

    /// Decode until the output is full, the input used up, or the stream at
    /// its end. A step without room still finds the end if it is next. A step
    /// may stop earlier: after `due` bytes, and if there are none of them, at
    /// the next place with a mark.
    fn step(&mut self, input: &[u8], output: &mut ReadBuf<'_>, due: u64) -> Result<Step>;

    /// What decoding needs to begin where the last step stopped, if it can.
    fn mark(&self) -> Option<Self::Mark>;

    /// Begin inside a stream. `false` if the source ends before.
    fn resume(&mut self, mark: &Self::Mark, feed: &mut Feed<'_>) -> Result<bool>;

    /// Bytes of the source before a mark that beginning there needs.
    fn overlap(mark: &Self::Mark) -> u64;

    /// Look at what stands behind a stream. `false` if the file was cut there.
    fn end(&mut self, _feed: &mut Feed<'_>) -> Result<bool> {
        Ok(true)
    }

    /// Bytes of memory that it takes.
    fn memory(&self) -> usize;
}

/// What a step did.
#[derive(Debug)]
pub(super) struct Step {
    /// Bytes of input used up.
    pub(super) used: usize,
    /// Whether the stream has ended; the input behind it is not used.
    pub(super) ended: bool,
}

/// A stream that cannot be decoded. Where it is, the decoder adds.
pub(super) fn damage(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::Codec, reason)
}

/// The compressed bytes of a source.
pub(super) struct Feed<'a> {
    input: &'a mut Input,
    source: &'a dyn ReadAt,
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

/// Decoders that wait for a read behind their position, the newest last. The
/// lock is held to take or give one, never to decode.
type Kept<C> = Arc<Mutex<Vec<Decoder<C>>>>;

/// A compressed source as its decoded bytes.
pub(super) struct Stream<C: Coding> {
    source: Arc<dyn ReadAt>,
    decoding: Decoding,
    points: Arc<Points<C::Mark>>,
    pub(super) kept: Kept<C>,
    /// Where to leave a small decoder in the end, if memory is spared between
    /// the reads that this is for.
    home: Option<Kept<C>>,
}

impl<C: Coding> Stream<C> {
    pub(super) fn new(source: Arc<dyn ReadAt>, decoding: Decoding) -> Stream<C> {
        let size = source.size().ok().flatten();
        Stream {
            source,
            decoding,
            points: Arc::new(Points::new(size, decoding.frugal)),
            kept: Arc::default(),
            home: None,
        }
    }

    /// A decoder as near before `offset` as possible: one that was kept, or
    /// one that begins at a place found before, or at the start.
    fn take(&self, offset: u64) -> Result<Decoder<C>> {
        let mut kept = lock(&self.kept);
        let near = (0..kept.len())
            .filter(|&i| kept[i].position <= offset)
            .max_by_key(|&i| kept[i].position);
        let reached = near.map_or(0, |i| kept[i].position);
        match (self.points.before(offset), near) {
            (Some(point), _) if point.position > reached => {
                drop(kept);
                Decoder::at(&point, &*self.source, self.decoding.verify)
            }
            (_, Some(i)) => Ok(kept.swap_remove(i)),
            (_, None) => Decoder::new(self.decoding.verify),
        }
    }

    fn give(&self, decoder: Decoder<C>) {
        let (most, bytes) = match self.decoding.frugal {
            true => (1, SPARED_BYTES),
            false => (KEPT, KEPT_BYTES),
        };
        if self.decoding.frugal && decoder.memory() > bytes {
            return;
        }
        let mut kept = lock(&self.kept);
        kept.push(decoder);
        let total = |kept: &[Decoder<C>]| kept.iter().map(Decoder::memory).sum::<usize>();
        while kept.len() > 1 && (kept.len() > most || total(&kept) > bytes) {
            kept.remove(0);
        }
    }
}

impl<C: Coding> Drop for Stream<C> {
    fn drop(&mut self) {
        let Some(home) = &self.home else {
            return;
        };
        let newest = lock(&self.kept).pop();
        if let Some(decoder) = newest.filter(|decoder| decoder.memory() <= SPARED_BYTES) {
            *lock(home) = vec![decoder];
        }
    }
}

fn lock<C>(kept: &Kept<C>) -> std::sync::MutexGuard<'_, Vec<Decoder<C>>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<C: Coding> ReadAt for Stream<C> {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        // A decoder that failed is not given back.
        let mut decoder = self.take(offset)?;
        let source = &*self.source;
        let mut skipped = Vec::with_capacity(SKIP.min((offset - decoder.position) as usize));
        while decoder.position < offset && !decoder.ended() {
            let left = usize::try_from(offset - decoder.position).unwrap_or(SKIP);
            let len = left.min(SKIP);
            decoder.read(
                source,
                &self.points,
                &mut ReadBuf::new(&mut skipped.spare_capacity_mut()[..len]),
            )?;
        }
        if !decoder.ended() {
            decoder.read(source, &self.points, buffer)?;
        }
        self.give(decoder);
        Ok(())
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn check_end(&self, offset: u64) -> Result<()> {
        if !self.decoding.verify {
            return Ok(());
        }
        let mut decoder = self.take(offset)?;
        if decoder.position == offset {
            return decoder.look_for_end(&*self.source, &self.points);
        }
        self.give(decoder);
        Ok(())
    }

    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        let source = self.source.pin()?;
        if source.is_none() && !self.decoding.frugal {
            return Ok(None);
        }
        let (kept, home) = match self.decoding.frugal {
            // Within the reads that this is for, none starts over.
            true => {
                let kept = std::mem::take(&mut *lock(&self.kept));
                (Arc::new(Mutex::new(kept)), Some(self.kept.clone()))
            }
            false => (self.kept.clone(), None),
        };
        Ok(Some(Arc::new(Stream {
            source: source.unwrap_or_else(|| self.source.clone()),
            decoding: Decoding {
                frugal: false,
                ..self.decoding
            },
            points: self.points.clone(),
            kept,
            home,
        })))
    }

    fn trim(&self) {
        lock(&self.kept).clear();
        self.source.trim();
    }
}

/// Where in the file a decoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a stream; the first must be there.
    Between,
    Stream,
    /// Behind the last stream, or where the file was cut.
    End,
}

/// A place in the decoded bytes, and all that is needed to go on from there.
pub(super) struct Decoder<C> {
    /// Decoded bytes so far.
    pub(super) position: u64,
    place: Place,
    /// Steps in a row that neither used nor gave a byte.
    stalls: u32,
    pub(super) input: Input,
    coding: C,
}

impl<C: Coding> Decoder<C> {
    fn new(verify: bool) -> Result<Decoder<C>> {
        Ok(Decoder {
            position: 0,
            place: Place::Between,
            stalls: 0,
            input: Input::default(),
            coding: C::new(verify)?,
        })
    }

    /// A decoder at a place that was found before.
    fn at(point: &Point<C::Mark>, source: &dyn ReadAt, verify: bool) -> Result<Decoder<C>> {
        let overlap = point.mark.as_ref().map_or(0, C::overlap);
        let mut decoder = Decoder {
            position: point.position,
            place: Place::Between,
            stalls: 0,
            input: Input::at_byte(point.at - overlap),
            coding: C::new(verify)?,
        };
        if let Some(mark) = &point.mark {
            let mut feed = Feed {
                input: &mut decoder.input,
                source,
            };
            decoder.place = match decoder.coding.resume(mark, &mut feed)? {
                true => Place::Stream,
                false => Place::End,
            };
        }
        Ok(decoder)
    }

    fn ended(&self) -> bool {
        self.place == Place::End
    }

    fn memory(&self) -> usize {
        self.input.memory() + self.coding.memory()
    }

    /// Fill the buffer with the bytes that come next; less only at the end. If
    /// the stream ends with the last of them, its checksum is looked at.
    fn read(
        &mut self,
        source: &dyn ReadAt,
        points: &Points<C::Mark>,
        buffer: &mut ReadBuf<'_>,
    ) -> Result<()> {
        loop {
            match self.place {
                Place::Between if buffer.room() > 0 => self.begin_stream(source, points)?,
                Place::Between | Place::End => return Ok(()),
                Place::Stream => {
                    if !self.decode(source, points, buffer)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Decode on to the end of the stream, if it is near, without a result.
    fn look_for_end(&mut self, source: &dyn ReadAt, points: &Points<C::Mark>) -> Result<()> {
        let mut behind = Vec::with_capacity(SKIP.min(C::LOOK));
        let end = self.position + C::LOOK as u64;
        while self.place == Place::Stream && self.position < end {
            let mut buffer = ReadBuf::new(behind.spare_capacity_mut());
            self.decode(source, points, &mut buffer)?;
        }
        Ok(())
    }

    /// One step in a stream; `false` where the buffer is full and the stream
    /// does not end there. A step with a full buffer finds an end.
    fn decode(
        &mut self,
        source: &dyn ReadAt,
        points: &Points<C::Mark>,
        buffer: &mut ReadBuf<'_>,
    ) -> Result<bool> {
        let (before, full) = (buffer.room(), buffer.room() == 0);
        let due = points.due().saturating_sub(self.position);
        let step = self.coding.step(self.input.rest(), buffer, due);
        let step = step.map_err(|error| self.placed(error))?;
        self.input.advance(step.used);
        let new = before - buffer.room();
        let stalled = step.used == 0 && new == 0;
        self.position += new as u64;
        if due == 0 && !step.ended {
            if let Some(mark) = self.coding.mark() {
                points.add(self.point(Some(mark)));
            }
        }
        if step.ended {
            self.end_stream(source)?;
        } else if !self.input.rest().is_empty() {
            // Input is left: only a full buffer can hold the decoder up.
            self.stalls = if stalled && !full { self.stalls + 1 } else { 0 };
            if self.stalls > MOST_STALLS {
                return Err(self.placed(damage("the stream does not go on")));
            }
            return Ok(!full);
        } else if !self.input.refill(source)? && stalled {
            // Cut short: what was decoded is all there is.
            if full {
                return Ok(false);
            }
            self.place = Place::End;
        }
        Ok(true)
    }

    /// The place where it is.
    fn point(&self, mark: Option<C::Mark>) -> Point<C::Mark> {
        Point {
            position: self.position,
            at: self.input.at(),
            mark,
        }
    }

    fn begin_stream(&mut self, source: &dyn ReadAt, points: &Points<C::Mark>) -> Result<()> {
        let first = self.input.at() == 0;
        while C::SKIPS_ZEROS && !first && self.input.peek(source)? == Some(0) {
            let zeros = self.input.rest().iter().take_while(|&&byte| byte == 0);
            self.input.advance(zeros.count());
        }
        if self.input.peek(source)?.is_none() {
            self.place = Place::End;
            return Ok(());
        }
        let point = self.point(None);
        let mut feed = Feed {
            input: &mut self.input,
            source,
        };
        let begun = self.coding.begin(&mut feed)?;
        if begun && !first {
            points.add(point);
        }
        self.place = match begun {
            true => Place::Stream,
            // Behind a stream, what is none is not the data's.
            false if !first => Place::End,
            false => {
                let text = format!("this is no {} file", C::NAME);
                return Err(self.placed(damage(text)));
            }
        };
        Ok(())
    }

    fn end_stream(&mut self, source: &dyn ReadAt) -> Result<()> {
        let mut feed = Feed {
            input: &mut self.input,
            source,
        };
        let ended = self.coding.end(&mut feed);
        self.place = match ended.map_err(|error| self.placed(error))? {
            true => Place::Between,
            false => Place::End,
        };
        Ok(())
    }

    /// An error with its place, if it is the coding's and not the source's.
    fn placed(&self, error: Error) -> Error {
        if error.offset().is_some() || error.path().is_some() {
            return error;
        }
        let text = format!("{error}, after {} decoded bytes", self.position);
        Error::new(error.kind(), text).at(self.input.at())
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
pub(super) mod tests;
