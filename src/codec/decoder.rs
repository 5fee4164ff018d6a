//! A decoder at its place in a file of streams, one after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::coding::{Bound, Coding, Ending, Feed, damage};
use super::index::{Ahead, Index, Point, Trust};
use super::inflate::Checksum;
use super::input::Input;
use super::sums::{Part, Sums, Trailer, compare};
use crate::control::{Control, check};
use crate::error::{Error, Result};
use crate::io::{ReadAt, ReadBuf};

/// Decoded bytes to skip at a time: deflate's decoder is slower in the first 32
/// KiB of each piece of memory, so few are better, as far as they fit a
/// second-level cache.
pub(super) const SKIP: usize = 256 << 10;

/// A decoder may stop at so many places within the bits that it holds.
const MOST_STALLS: u32 = 64;

/// Where in the file a decoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a stream; the first must be there.
    Between,
    Stream,
    /// Behind the last stream, or where the file was cut.
    End,
}

/// What decoders of a file work with.
pub(super) struct Way<'a, C: Coding> {
    pub(super) source: &'a dyn ReadAt,
    pub(super) index: &'a Index<C::Mark>,
    /// Places that were guessed from the look of the compressed bytes. A
    /// decoder that comes by proves or refutes them.
    pub(super) guess: Option<&'a Guess<C::Mark>>,
    pub(super) control: Option<&'a Control>,
}

/// Places that are not proven, in the order of the data. What decoders find
/// that trust them stays here until they are.
pub(super) struct Guess<M> {
    pub(super) points: Vec<Arc<Point<M>>>,
    pub(super) sums: Mutex<Sums>,
}

impl<M> Guess<M> {
    pub(super) fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn before(&self, position: u64) -> Option<Arc<Point<M>>> {
        let i = self
            .points
            .partition_point(|point| point.position <= position);
        Some(self.points[i.checked_sub(1)?].clone())
    }

    fn behind(&self, position: u64) -> Option<&Arc<Point<M>>> {
        let i = self
            .points
            .partition_point(|point| point.position <= position);
        self.points.get(i)
    }
}

/// The decoded bytes since the last place, and their checksum.
struct Run {
    start: u64,
    sum: Checksum,
    /// Whether a stream begins there.
    first: bool,
}

/// A place in the decoded bytes, and all that is needed to go on from there.
pub(super) struct Decoder<C> {
    /// Decoded bytes so far.
    pub(super) position: u64,
    place: Place,
    /// Steps in a row that neither used nor gave a byte.
    stalls: u32,
    input: Input,
    coding: C,
    verify: bool,
    run: Run,
    /// What was decoded of the stream before the run, if that is all.
    whole: Option<Part>,
    /// How much the place where it began can be relied on: others that it finds
    /// no more than that.
    pub(super) trust: Trust,
    /// Whether the stream is known to end here.
    must_end: bool,
    /// As that of the index when it began.
    pub(super) generation: u64,
    /// Where the reads began that it served without a gap until now.
    pub(super) since: u64,
}

impl<C: Coding> Decoder<C> {
    pub(super) fn new(verify: bool, generation: u64) -> Result<Decoder<C>> {
        Ok(Decoder {
            position: 0,
            place: Place::Between,
            stalls: 0,
            input: Input::default(),
            coding: C::new(verify)?,
            verify: verify && C::SUMS,
            run: Run {
                start: 0,
                sum: Checksum::default(),
                first: true,
            },
            whole: None,
            trust: Trust::Found,
            must_end: false,
            generation,
            since: 0,
        })
    }

    /// A decoder at a place that was found before, in the memory of one that is
    /// not needed any more.
    pub(super) fn at(
        point: &Point<C::Mark>,
        source: &dyn ReadAt,
        (verify, generation): (bool, u64),
        old: Option<Decoder<C>>,
    ) -> Result<Decoder<C>> {
        let old = old.map_or_else(|| Decoder::new(verify, generation), Ok)?;
        let mut decoder = Decoder {
            position: point.position,
            place: Place::Stream,
            stalls: 0,
            input: old.input.moved(point.at - C::overlap(&point.mark)),
            run: Run {
                start: point.position,
                sum: Checksum::default(),
                first: C::is_start(&point.mark),
            },
            whole: None,
            trust: point.trust,
            must_end: false,
            generation,
            since: point.position,
            ..old
        };
        let mut feed = Feed {
            input: &mut decoder.input,
            source,
        };
        if !decoder.coding.resume(&point.mark, &mut feed)? {
            decoder.place = Place::End;
        }
        Ok(decoder)
    }

    /// Go on with a run that others began, and decoded to here.
    pub(super) fn take_over(&mut self, run: &Part) {
        self.run = Run {
            start: run.start,
            sum: Checksum::from(run.sum),
            first: run.first,
        };
    }

    /// The place at which the first stream begins.
    pub(super) fn first_place(&mut self, way: &Way<'_, C>) -> Result<Option<Point<C::Mark>>> {
        self.begin_stream(way)?;
        Ok(self.point())
    }

    pub(super) fn ended(&self) -> bool {
        self.place == Place::End
    }

    /// Byte of the source that comes next.
    pub(super) fn byte(&self) -> u64 {
        self.input.at()
    }

    pub(super) fn memory(&self) -> usize {
        self.input.memory() + self.coding.memory()
    }

    /// Fill the buffer with the bytes that come next; less only at the end. If
    /// the stream ends with the last of them, its checksum is looked at.
    pub(super) fn read(&mut self, way: &Way<'_, C>, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let first = buffer.filled().len();
        loop {
            match self.place {
                Place::Between if buffer.room() > 0 => self.begin_stream(way)?,
                Place::Between | Place::End => return Ok(()),
                Place::Stream => {
                    if !self.decode(way, buffer, first)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Go forward to a decoded byte, or to the end.
    pub(super) fn skip(&mut self, way: &Way<'_, C>, to: u64) -> Result<()> {
        let left = |at: u64| usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX);
        let mut skipped = Vec::with_capacity(SKIP.min(left(self.position)));
        while self.position < to && !self.ended() {
            check(way.control)?;
            let len = SKIP.min(left(self.position));
            let mut buffer = ReadBuf::new(&mut skipped.spare_capacity_mut()[..len]);
            self.read(way, &mut buffer)?;
        }
        Ok(())
    }

    /// Decode on to the end of the stream, if it is near, without a result.
    pub(super) fn look_for_end(&mut self, way: &Way<'_, C>) -> Result<()> {
        // What ends at a guessed place was looked at when that was met.
        let guessed = way.guess.and_then(|guess| guess.before(self.position));
        if guessed.is_some_and(|guessed| guessed.position == self.position) {
            return Ok(());
        }
        let mut behind = Vec::with_capacity(SKIP.min(C::LOOK));
        let end = self.position + C::LOOK as u64;
        let last = self.part();
        while self.place == Place::Stream && self.position < end {
            let mut buffer = ReadBuf::new(behind.spare_capacity_mut());
            self.decode(way, &mut buffer, 0)?;
        }
        match self.place {
            // Often it is the end of all.
            Place::Between => self.begin_stream(way),
            Place::End if self.verify => self.compare_lost_end(way, last),
            Place::End | Place::Stream => Ok(()),
        }
    }

    /// The source ended before the stream did.
    fn compare_lost_end(&self, way: &Way<'_, C>, last: Part) -> Result<()> {
        let at = self.input.at();
        let Some(start) = at.checked_sub(8) else {
            return Ok(());
        };
        let tail = way.source.read_vec(start, 8)?;
        let Ok([a, b, c, d, e, f, g, h]) = <[u8; 8]>::try_from(tail) else {
            return Ok(());
        };
        let trailer = Trailer {
            end: last.end,
            at,
            sum: u32::from_le_bytes([a, b, c, d]),
            size: u32::from_le_bytes([e, f, g, h]),
            sure: true,
            agreed: false,
        };
        match way.guess {
            Some(guess) => guess.sums().lost_end(last, trailer),
            None => way.index.read().sums.lost_end(last, trailer),
        }
    }

    /// What was decoded since the last place.
    fn part(&self) -> Part {
        Part {
            start: self.run.start,
            end: self.position,
            sum: self.run.sum.value(),
            first: self.run.first,
            sure: self.trust > Trust::Foreign,
        }
    }

    /// One step in a stream; `false` where the buffer is full and the stream
    /// does not end there. A step with a full buffer finds an end. The bytes
    /// decoded before stand in the buffer from byte `first` on.
    fn decode(&mut self, way: &Way<'_, C>, buffer: &mut ReadBuf<'_>, first: usize) -> Result<bool> {
        let (before, full) = (buffer.filled().len(), buffer.room() == 0);
        let ahead = way.index.ahead(self.position);
        let guessed = way.guess.and_then(|guess| guess.behind(self.position));
        let doubtful = match ahead.trust {
            Some(Trust::Foreign) => true,
            // Without checksums nothing else shows that data are shifted.
            Some(Trust::Told) => !C::SUMS,
            _ => false,
        };
        let guessed_at = guessed.map(|point| point.position);
        let doubtful_at = ahead.stop.filter(|_| doubtful);
        let unsure_at = [guessed_at, doubtful_at].into_iter().flatten().min();
        let bound = Bound {
            behind: before - first,
            ..self.bound(ahead, unsure_at)
        };
        let step = self.coding.step(self.input.rest(), buffer, bound);
        let step = step.map_err(|error| self.of_step(error))?;
        self.input.advance(step.used);
        let new = &buffer.filled()[before..];
        let stalled = step.used == 0 && new.is_empty();
        if self.verify {
            self.run.sum.update(new);
        }
        // Without room a step goes as far as the next byte that it would give.
        let goes_on = !new.is_empty() || (full && !step.ended && !self.input.rest().is_empty());
        if self.must_end && goes_on {
            let text = format!("the {} stream does not end where it did before", C::NAME);
            return Err(self.placed(damage(text)));
        }
        self.position += new.len() as u64;
        if ahead.stop == Some(self.position) {
            self.pass_place(way)?;
            if doubtful_at == Some(self.position) && guessed_at != doubtful_at {
                if step.ended {
                    self.end_stream(way)?;
                }
                self.judge(way)?;
                return Ok(!full);
            }
            self.must_end = C::SUMS && ahead.ends;
        } else if bound.at_mark && !step.ended && ahead.due.is_some_and(|due| due <= self.position)
        {
            self.mark_place(way)?;
        }
        if let Some(point) = guessed.filter(|point| point.position == self.position) {
            let point = point.clone();
            if step.ended {
                self.end_stream(way)?;
            }
            self.meet(way, &point)?;
            return Ok(!full);
        }
        if step.ended {
            self.end_stream(way)?;
        } else if !self.input.rest().is_empty() {
            // Input is left: only a full buffer can hold the decoder up.
            self.stalls = if stalled && !full { self.stalls + 1 } else { 0 };
            if self.stalls > MOST_STALLS {
                return Err(self.placed(damage("the stream does not go on")));
            }
            return Ok(!full);
        } else if !self.input.refill(way.source)? && stalled {
            // Cut short: what was decoded is all there is.
            if full {
                return Ok(false);
            }
            self.come_to_end(way);
        }
        Ok(true)
    }

    /// No step passes a known place: what lies before it has a checksum of its
    /// own. Where a new place is due, a step stops at the next that can be one.
    fn bound(&self, ahead: Ahead, guessed: Option<u64>) -> Bound {
        let left =
            |place: Option<u64>| place.map_or(u64::MAX, |at| at.saturating_sub(self.position));
        let (due, stop, guessed) = (left(ahead.due), left(ahead.stop), left(guessed));
        // Of what follows a guessed place, a step that does not stop at blocks
        // would pass all that decodes to nothing.
        // A block may end where a place is due.
        let at_mark = due <= 1 || guessed == 1;
        let most = stop.min(guessed);
        Bound {
            most: if at_mark {
                most
            } else {
                most.min(due - 1).min(guessed - 1)
            },
            at_mark: at_mark && !self.must_end,
            ..Bound::NONE
        }
    }

    /// The run ends at a place, and the next begins.
    fn pass_place(&mut self, way: &Way<'_, C>) -> Result<()> {
        if self.verify && self.position > self.run.start {
            let part = self.part();
            self.whole = match self.whole {
                _ if part.first => Some(part),
                whole => whole.map(|whole| whole.followed_by(&part)),
            };
            let agreed = match way.guess {
                Some(guess) => guess.sums().part(part).map(|_| ()),
                None => way.index.part(part, self.generation),
            };
            agreed.map_err(|error| self.placed(error))?;
            self.run = Run {
                start: self.position,
                sum: Checksum::default(),
                first: false,
            };
        }
        Ok(())
    }

    /// A new place, if the last step came to one.
    fn mark_place(&mut self, way: &Way<'_, C>) -> Result<()> {
        if way.guess.is_some() {
            return Ok(());
        }
        if let Some(point) = self.point() {
            self.pass_place(way)?;
            way.index.add(point, self.generation);
        }
        Ok(())
    }

    /// The place where it is, if decoding can begin there.
    pub(super) fn point(&self) -> Option<Point<C::Mark>> {
        let mark = self.coding.mark()?;
        Some(Point {
            position: self.position,
            at: self.input.at(),
            weight: C::weight(&mark),
            starts: C::is_start(&mark),
            mark,
            trust: self.trust,
        })
    }

    /// Compare a guessed place with where the decoder comes to.
    fn meet(&mut self, way: &Way<'_, C>, guess: &Point<C::Mark>) -> Result<()> {
        match self.come_to(way, guess)? {
            Some(point) if point.starts == guess.starts => self.pass_place(way),
            _ => Err(self.placed(damage("the stream is not divided as it seemed to be"))),
        }
    }

    /// Look whether the place here, which could be wrong, is one: what the
    /// decoder has is put there, if it did not begin at such a place itself.
    fn judge(&mut self, way: &Way<'_, C>) -> Result<()> {
        let known = way.index.before(self.position);
        let Some(known) = known.filter(|known| known.position == self.position) else {
            return Ok(());
        };
        match self.come_to(way, &known)? {
            Some(_) if self.trust == Trust::Foreign => {}
            Some(own) => {
                let mark = C::confirmed(own.mark, &known.mark);
                let own = Point {
                    weight: C::weight(&mark),
                    mark,
                    ..own
                };
                way.index.confirm(own, self.generation);
            }
            None if C::SUMS => way.index.refute_foreign(),
            None => {
                let text = format!("no {} stream begins where the file says", C::NAME);
                return Err(self.placed(damage(text)));
            }
        }
        Ok(())
    }

    /// Go on, without decoding a byte, until the decoder comes to a place.
    /// `None` if it does not.
    fn come_to(
        &mut self,
        way: &Way<'_, C>,
        place: &Point<C::Mark>,
    ) -> Result<Option<Point<C::Mark>>> {
        let mut none = ReadBuf::new(&mut []);
        let bound = Bound {
            at_mark: true,
            ..Bound::NONE
        };
        for _ in 0..MOST_STALLS {
            match self.place {
                Place::Between => self.begin_stream(way)?,
                Place::Stream => {}
                Place::End => break,
            }
            // Many may be passed, and each would take the memory of a window.
            let near = (self.input.at() == place.at).then(|| self.point());
            let same = |point: &Point<C::Mark>| C::overlap(&point.mark) == C::overlap(&place.mark);
            if let Some(point) = near.flatten().filter(same) {
                return Ok(Some(point));
            }
            if self.place == Place::End || self.input.at() > place.at {
                break;
            }
            let step = self.coding.step(self.input.rest(), &mut none, bound);
            let step = step.map_err(|error| self.of_step(error))?;
            self.input.advance(step.used);
            if step.ended {
                self.end_stream(way)?;
            } else if self.input.rest().is_empty() {
                self.input.refill(way.source)?;
            }
        }
        Ok(None)
    }

    fn begin_stream(&mut self, way: &Way<'_, C>) -> Result<()> {
        let first = self.input.at() == 0;
        while C::SKIPS_ZEROS && !first && self.input.peek(way.source)? == Some(0) {
            let zeros = self.input.rest().iter().take_while(|&&byte| byte == 0);
            self.input.advance(zeros.count());
        }
        if self.input.peek(way.source)?.is_none() {
            self.come_to_end(way);
            return Ok(());
        }
        let mut feed = Feed {
            input: &mut self.input,
            source: way.source,
        };
        if !self.coding.begin(&mut feed)? {
            if first {
                let text = format!("this is no {} file", C::NAME);
                return Err(self.placed(damage(text)));
            }
            // Behind a stream, what is none is not the data's.
            self.come_to_end(way);
            return Ok(());
        }
        self.place = Place::Stream;
        self.must_end = false;
        self.run = Run {
            start: self.position,
            sum: Checksum::default(),
            first: true,
        };
        if way
            .index
            .ahead(self.position)
            .due
            .is_some_and(|due| due <= self.position)
        {
            self.mark_place(way)?;
        }
        Ok(())
    }

    fn end_stream(&mut self, way: &Way<'_, C>) -> Result<()> {
        self.must_end = false;
        let mut feed = Feed {
            input: &mut self.input,
            source: way.source,
        };
        let ending = self.coding.end(&mut feed);
        match ending.map_err(|error| self.placed(error))? {
            Ending::Cut => {
                self.come_to_end(way);
                return Ok(());
            }
            Ending::Sum { sum, size } if self.verify => {
                let trailer = Trailer {
                    end: self.position,
                    at: self.input.at(),
                    sum,
                    size,
                    sure: self.trust > Trust::Foreign,
                    agreed: false,
                };
                if self.run.first {
                    let size = self.position - self.run.start;
                    compare(&trailer, self.run.sum.value(), size)?;
                } else {
                    self.pass_place(way)?;
                    if let Some(whole) = self.whole.take() {
                        compare(&trailer, whole.sum, whole.end - whole.start)?;
                    }
                    let agreed = match way.guess {
                        Some(guess) => guess.sums().trailer(trailer),
                        None => way.index.trailer(trailer, self.generation),
                    };
                    agreed.map_err(|error| self.placed(error))?;
                }
            }
            Ending::Sum { .. } | Ending::Plain => {}
        }
        self.place = Place::Between;
        Ok(())
    }

    fn come_to_end(&mut self, way: &Way<'_, C>) {
        self.place = Place::End;
        if way.guess.is_none() {
            way.index.ends(self.position, self.generation);
        }
    }

    /// As [`Decoder::placed`]; a byte that the coding names is one of its input.
    fn of_step(&self, error: Error) -> Error {
        self.placed(error.counted_from(self.input.at()))
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
