//! Deflate streams decoded by several threads where no places are known.
//!
//! The compressed bytes that come next are divided among the threads. Each looks
//! in its own for a bit at which a block seems to begin, and decodes from there
//! without the bytes before (`inflate::unknown`). Then it waits for its turn: if
//! the one before it came to the same bit, that was a block, and the last bytes
//! of the one are the window of the other. If not, it decodes again, from where
//! the other came to. So nothing rests on luck but the time, and what comes out
//! is what one thread would have decoded.
//!
//! In its turn a thread does what has to be done in order, and that is little:
//! it takes the work that its bytes are for, and leaves to the next one the
//! window and the bytes that are not enough for a piece of work.
//!
//! What ends a stream, and what is wrong in it, is left to the decoder that goes
//! on where this ends.
//!
//! Tried and lost: to decode with the kernel for bytes three times, each with
//! other bytes in the place of the window, so that a byte that differs tells which
//! it is (images of level 1 refer back to what was referred to before until the
//! end of a span); rounds of several MiB in which all threads decode, then
//! convert (memory was the limit, two threads gained a tenth); to end a span when
//! its window becomes known, and decode the rest behind that (the threads waited
//! for each other: half again as long).

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::coding::Blocks;
use super::index::{Point, Trust};
use super::inflate::{Boundary, Meanings, Symbols, WINDOW};
use super::span::Span;
use super::sums::Part;
use super::{Take, Taken};
use crate::error::Result;
use crate::io::ReadAt;
use crate::threads;

/// Most threads: those beyond wait for their turns.
const MOST_THREADS: usize = 16;

/// Spans in a row that were decoded in vain, after which it is given up: at
/// first, and once there were others.
const FIRST_PATIENCE: u32 = 2;
const PATIENCE: u32 = 8;

/// What threads share that decode ahead.
pub(super) struct Course<M> {
    source: Arc<dyn ReadAt>,
    mark: fn(Boundary) -> M,
    verify: bool,
    trust: Trust,
    bounds: Bounds,
    claims: Mutex<Claims>,
    turn: Mutex<Turn>,
    /// Whenever the turn is another's, or there is none any more.
    moved: Condvar,
    log: Mutex<Log<M>>,
}

/// How far decoding goes, in decoded bytes, and where places are wanted.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Not to be passed.
    pub(super) limit: u64,
    /// From there on a place is wanted.
    pub(super) due: Option<u64>,
    /// Between two.
    pub(super) spacing: u64,
    /// Of each span, about.
    pub(super) span: u64,
}

/// What was given to threads.
struct Claims {
    /// Number of the next span, and the byte where it begins.
    next: u64,
    at: u64,
    /// Compressed bytes by decoded ones, as of late.
    share: f64,
}

/// Where the threads have come to.
struct Turn {
    /// Number of the span whose turn it is.
    next: u64,
    /// How often something was decoded that begins where this had come to.
    linked: u64,
    /// The block that comes next.
    bit: u64,
    position: u64,
    window: Box<[u8]>,
    /// The last bytes decoded, as far as they are still needed.
    tail: Vec<u8>,
    /// As that of the bounds, now.
    due: Option<u64>,
    /// Spans that began where others came to, and those in a row that did not.
    good: u64,
    vain: u32,
    stopped: bool,
    failed: Result<()>,
}

/// What a span is for, and what it needs for that.
struct Linked<'a> {
    number: u64,
    /// The decoded byte where it begins.
    begin: u64,
    work: Taken<'a>,
    meanings: Meanings,
    window: Box<[u8]>,
    /// Bytes before it that there is work for.
    joined: Vec<u8>,
    /// Blocks at which places are due.
    cuts: Vec<(u64, usize)>,
}

/// What spans found, in their order.
struct Log<M> {
    next: u64,
    waiting: BTreeMap<u64, Found<M>>,
    /// What was decoded since the last place.
    run: Part,
}

/// What a span found.
struct Found<M> {
    places: Vec<Point<M>>,
    /// Checksums of what is before each place, and behind the last.
    sums: Vec<u32>,
    end: u64,
}

/// Where all came to.
pub(super) struct Reached<M> {
    pub(super) point: Point<M>,
    /// What was decoded since the last place.
    pub(super) run: Part,
    /// The last bytes before, as far as they are still needed.
    pub(super) tail: Vec<u8>,
    /// Whether the threads were of use.
    pub(super) is_good: bool,
}

/// Takes places in their order, each with what was decoded since the one before;
/// `false` if it is not wanted.
pub(super) type Pass<'a, M> = dyn Fn(Point<M>, Part) -> Result<bool> + Sync + 'a;

/// Is shown what was decoded from a byte on, in any order.
pub(super) type Show<'a> = dyn Fn(u64, &[u8]) + Sync + 'a;

/// Where what is decoded goes.
pub(super) struct Sinks<'a, 'b, M> {
    pub(super) take: &'a Take<'b>,
    pub(super) pass: &'a Pass<'a, M>,
    pub(super) show: &'a Show<'a>,
}

impl<M: Send> Course<M> {
    /// Begin at a place, where a block begins.
    pub(super) fn new(
        source: Arc<dyn ReadAt>,
        point: &Point<M>,
        (block, mark): Blocks<M>,
        bounds: Bounds,
        verify: bool,
    ) -> Course<M> {
        let bit = 8 * point.at - u64::from(block.bits);
        Course {
            source,
            mark,
            verify,
            trust: point.trust,
            bounds,
            claims: Mutex::new(Claims {
                next: 0,
                at: bit / 8,
                // Images compress to about a half.
                share: 0.5,
            }),
            turn: Mutex::new(Turn {
                next: 0,
                linked: 0,
                bit,
                position: point.position,
                window: block.window,
                tail: Vec::new(),
                due: bounds.due,
                good: 0,
                vain: 0,
                stopped: false,
                failed: Ok(()),
            }),
            moved: Condvar::new(),
            log: Mutex::new(Log {
                next: 0,
                waiting: BTreeMap::new(),
                run: Part {
                    start: point.position,
                    end: point.position,
                    sum: 0,
                    first: point.starts,
                    sure: point.trust > Trust::Foreign,
                },
            }),
        }
    }

    /// Decode on several threads, to where that is not worth it any more.
    pub(super) fn run(self, threads: usize, sinks: &Sinks<'_, '_, M>) -> Result<Reached<M>> {
        let threads = threads.min(MOST_THREADS);
        let work = || {
            let _leave = Leave(&self);
            let mut span = Span::new(threads);
            while let Some(claim) = self.claim() {
                let done = self.span(&mut span, claim, sinks);
                if let Err(error) = done {
                    let mut turn = locked(&self.turn);
                    turn.failed = Err(error);
                    turn.stopped = true;
                    self.moved.notify_all();
                }
            }
        };
        threads::share(threads, work, None);
        let (turn, log) = (taken(self.turn), taken(self.log));
        turn.failed?;
        Ok(Reached {
            point: place(self.mark, self.trust, turn.bit, turn.position, turn.window),
            run: log.run,
            tail: turn.tail,
            is_good: 2 * turn.good >= turn.next,
        })
    }

    /// The compressed bytes of the next span, with its number.
    fn claim(&self) -> Option<(u64, u64, u64)> {
        let (position, at) = {
            let turn = locked(&self.turn);
            if turn.stopped {
                return None;
            }
            (turn.position, turn.bit / 8)
        };
        let mut claims = locked(&self.claims);
        let (i, from) = (claims.next, claims.at);
        // What is behind the limit would be decoded in vain.
        let before = from.saturating_sub(at) as f64 / claims.share;
        if i > 0 && position as f64 + before >= self.bounds.limit as f64 {
            return None;
        }
        claims.next += 1;
        claims.at += (self.bounds.span as f64 * claims.share) as u64 + 1;
        Some((i, from, claims.at))
    }

    /// Decode a span, and see to what it is for.
    fn span(
        &self,
        span: &mut Span,
        claim: (u64, u64, u64),
        sinks: &Sinks<'_, '_, M>,
    ) -> Result<()> {
        let (i, from, to) = claim;
        span.end = (0, 0);
        // What cannot be read here may not be needed. Who needs it finds out.
        let found = i > 0 && span.find(&*self.source, from, to).is_ok();
        let mut turn = locked(&self.turn);
        while turn.next != i && !turn.stopped {
            turn = self
                .moved
                .wait(turn)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if turn.stopped {
            return Ok(());
        }
        // Only where the stream begins there is less before a block.
        let links = found && span.begin == turn.bit && turn.window.len() == WINDOW;
        let links = links && span.end.0 > turn.bit;
        // Where a block before was long, nothing of the span is left.
        let is_left = turn.bit < 8 * to;
        if links {
            turn.good += 1;
            turn.vain = 0;
        } else if i > 0 && is_left {
            turn.vain += 1;
        }
        let patience = match turn.good {
            0 => FIRST_PATIENCE,
            _ => PATIENCE,
        };
        let mut linked = None;
        let is_next = is_left && turn.vain <= patience;
        if is_next {
            let window = Some(&*turn.window);
            let decoded = links || span.decode(&*self.source, turn.bit, window, 8 * to).is_ok();
            if decoded {
                linked = self.link(span, &mut turn, sinks.take);
            }
        }
        turn.next += 1;
        // Not all of it: the stream ends, is damaged, or so dense that one thread
        // is as fast.
        if turn.vain > patience || is_next && turn.bit < 8 * to {
            turn.stopped = true;
        }
        drop(turn);
        self.moved.notify_all();
        match linked {
            Some(linked) => self.finish(span, linked, sinks),
            None => Ok(()),
        }
    }

    /// Go on by what a span has, which begins where all have come to. `None`
    /// if that is nothing, or nothing needs it.
    fn link<'b>(&self, span: &mut Span, turn: &mut Turn, take: &Take<'b>) -> Option<Linked<'b>> {
        let begin = turn.position;
        let over = span.end_before(self.bounds.limit.saturating_sub(begin));
        let (bit, len) = span.end;
        let end = begin + len as u64;
        let work = match bit > turn.bit {
            true => take(end, bit / 8),
            false => None,
        };
        let Some(work) = work else {
            turn.stopped = true;
            return None;
        };
        let meanings = Meanings::new(&turn.window);
        let needed = (end - work.from.min(end)) as usize;
        let last = span.symbols.last(needed.max(WINDOW), &meanings);
        let window = last[last.len().saturating_sub(WINDOW)..].into();
        let tail = match needed.checked_sub(len) {
            // What this span has is not enough.
            Some(more) => {
                let old = turn.tail.len().saturating_sub(more);
                let decoded = &last[last.len() - len..];
                [&turn.tail[old..], decoded].concat()
            }
            None => last[last.len() - needed..].to_vec(),
        };
        let mut claims = locked(&self.claims);
        // One dense span says little of others.
        let share = (bit - turn.bit) as f64 / 8.0 / len.max(1) as f64;
        claims.share = (claims.share * 3.0 + share.min(2.0)) / 4.0;
        claims.at = claims.at.max(bit / 8);
        drop(claims);
        let linked = Linked {
            number: turn.linked,
            begin,
            work,
            meanings,
            window: std::mem::replace(&mut turn.window, window),
            joined: std::mem::replace(&mut turn.tail, tail),
            cuts: span.cuts(begin, self.bounds.spacing, &mut turn.due),
        };
        turn.linked += 1;
        (turn.bit, turn.position) = (bit, end);
        if over || turn.tail.len() > Symbols::MOST_JOINED {
            turn.stopped = true;
        }
        Some(linked)
    }

    /// What can be done while others have their turns.
    fn finish(&self, span: &mut Span, linked: Linked<'_>, sinks: &Sinks<'_, '_, M>) -> Result<()> {
        let Linked {
            begin,
            joined,
            window,
            cuts,
            ..
        } = linked;
        let end = span.end.1;
        let ends = cuts.iter().map(|cut| cut.1).chain([end]);
        let ends = ends.filter(|_| self.verify);
        let sums = span.resolve(&joined, &linked.meanings, ends);
        let bytes = span.symbols.bytes();
        let decoded = &bytes[joined.len()..];
        let places = cuts.iter().map(|&(bit, len)| {
            let window = window_at(&window, &decoded[..len]);
            place(self.mark, self.trust, bit, begin + len as u64, window)
        });
        let found = Found {
            places: places.collect(),
            sums,
            end: begin + end as u64,
        };
        self.note(linked.number, found, sinks.pass)?;
        (sinks.show)(begin, decoded);
        (linked.work.work)(begin - joined.len() as u64, bytes);
        Ok(())
    }

    /// Keep what spans found, in their order.
    fn note(&self, i: u64, found: Found<M>, pass: &Pass<'_, M>) -> Result<()> {
        let log = &mut *locked(&self.log);
        log.waiting.insert(i, found);
        while let Some(found) = log.waiting.remove(&log.next) {
            log.next += 1;
            let mut sums = found.sums.into_iter();
            let mut run_to = |run: &mut Part, end: u64| {
                let part = Part {
                    start: run.end,
                    end,
                    sum: sums.next().unwrap_or_default(),
                    ..*run
                };
                *run = run.followed_by(&part);
            };
            for point in found.places {
                run_to(&mut log.run, point.position);
                let start = point.position;
                if !pass(point, log.run)? {
                    continue;
                }
                log.run = Part {
                    start,
                    end: start,
                    sum: 0,
                    first: false,
                    ..log.run
                };
            }
            run_to(&mut log.run, found.end);
        }
        Ok(())
    }
}

/// Lets the others go on when a thread leaves by a panic.
struct Leave<'a, M>(&'a Course<M>);

impl<M> Drop for Leave<'_, M> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            locked(&self.0.turn).stopped = true;
            self.0.moved.notify_all();
        }
    }
}

fn locked<T>(one: &Mutex<T>) -> MutexGuard<'_, T> {
    one.lock().unwrap_or_else(PoisonError::into_inner)
}

fn taken<T>(one: Mutex<T>) -> T {
    one.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn place<M>(
    mark: fn(Boundary) -> M,
    trust: Trust,
    bit: u64,
    position: u64,
    window: Box<[u8]>,
) -> Point<M> {
    let at = bit.div_ceil(8);
    Point {
        position,
        at,
        weight: window.len(),
        mark: mark(Boundary {
            bits: (8 * at - bit) as u8,
            window,
        }),
        starts: false,
        trust,
    }
}

/// The last bytes of a window and what was decoded behind it.
fn window_at(window: &[u8], decoded: &[u8]) -> Box<[u8]> {
    let last = &decoded[decoded.len().saturating_sub(WINDOW)..];
    let more = window.len().min(WINDOW - last.len());
    [&window[window.len() - more..], last].concat().into()
}

/// What is decoded ahead of a deflate stream, up to `limit` bytes, in spans of
/// about so many: for what no test thinks of.
#[cfg(fuzzing)]
pub fn decode_ahead(stream: &[u8], limit: u64, span: u64) -> Result<Vec<u8>> {
    let begin = place(|_| (), Trust::Found, 0, 0, Box::default());
    let block = Boundary {
        bits: 0,
        window: Box::default(),
    };
    let bounds = Bounds {
        limit,
        due: Some(1),
        spacing: span,
        span,
    };
    let source = Arc::new(crate::io::Memory(Arc::new(stream.to_vec())));
    let course = Course::new(source, &begin, (block, |_| ()), bounds, true);
    let decoded = Mutex::new(Vec::new());
    let sinks = Sinks {
        take: &|end, _| {
            let work = Box::new(|_: u64, bytes: &[u8]| locked(&decoded).extend_from_slice(bytes));
            Some(Taken { from: end, work })
        },
        pass: &|_, _| Ok(true),
        show: &|_, _| {},
    };
    course.run(1, &sinks)?;
    Ok(taken(decoded))
}

#[cfg(test)]
#[path = "ahead_tests.rs"]
mod tests;
