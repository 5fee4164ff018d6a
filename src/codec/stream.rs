//! A compressed source as its decoded bytes: where reads begin, what they
//! keep, and what they know of each other.
//!
//! A decoder only goes forward. A read goes on with the one that is nearest
//! before it: its own, one that another read left behind, or a new one at a
//! place of the index. No lock is held while anything is decoded.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::cache::{Cache, Room};
use super::coding::Coding;
use super::decoder::{Decoder, Guess};
use super::front;
use super::index::{Index, IndexInfo, Places, Point, Trust};
use super::session::Session;
use super::watched::watched;
use super::{Guessed, Packed, Reading, Rest, Splits, Take, Taken};
use crate::control::{Control, check, wait};
use crate::error::Result;
use crate::io::{ReadAt, ReadBuf};

/// Decoders kept between reads, and the bytes that they may take together.
/// The newest is kept however large it is, unless memory is to be spared.
pub(super) const KEPT: usize = 4;
const KEPT_BYTES: usize = 32 << 20;

/// Most bytes of the one decoder that is kept between reads where memory is
/// spared: programs hold thousands of such files.
const SPARED_BYTES: usize = 1 << 20;

/// Decoded bytes to skip from which on a look at the structure of the file is
/// worth its time.
pub(super) const FAR: u64 = 2 << 20;

/// Decoded bytes behind a place that are decoded again without much loss.
pub(super) const NEAR: u64 = 4 << 20;

/// Decoded bytes between looks at whether to stop.
const STEP: u64 = 4 << 20;

/// How the decoded bytes of a source are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decoding {
    /// Check checksums where whole members are read.
    pub(crate) verify: bool,
    /// Most decoded bytes that are kept between reads.
    pub(crate) cache: usize,
    pub(crate) places: Places,
    /// Whether it is one of many, which keep little each.
    pub(crate) pooled: bool,
}

/// What is known of the structure of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Structure {
    Unknown,
    /// Some read is looking.
    Coming,
    Known,
}

/// A look at the structure. Those who wait for it go on when this ends, however
/// it does.
struct Coming<'a, C: Coding> {
    shared: &'a Shared<C>,
    state: Structure,
}

impl<C: Coding> Drop for Coming<'_, C> {
    fn drop(&mut self) {
        *self.shared.structure() = self.state;
        self.shared.learnt.notify_all();
    }
}

/// A compressed source as its decoded bytes.
pub(super) struct Stream<C: Coding>(Arc<Shared<C>>);

/// What all reads of a source share.
pub(super) struct Shared<C: Coding> {
    pub(super) source: Arc<dyn ReadAt>,
    pub(super) decoding: Decoding,
    pub(super) index: Index<C::Mark>,
    pub(super) cache: Cache,
    structure: Mutex<Structure>,
    learnt: Condvar,
    /// Where the data end, as far as their header tells; 0 if it is not known.
    expected: AtomicU64,
    /// Whether guesses of its structure were wrong.
    refuted: AtomicBool,
    /// Whether reads came back to what was decoded before.
    pub(super) returning: AtomicBool,
    /// The last decoded byte behind which a decoder looked for the end of its
    /// stream; 0 if none did.
    pub(super) looked: AtomicU64,
    /// Decoders that wait for a read behind their position, the newest last.
    pub(super) kept: Mutex<Vec<Decoder<C>>>,
}

impl<C: Coding> Shared<C> {
    /// Take the places that the structure of the file tells, once. `false` if
    /// there is nothing new.
    pub(super) fn learn(&self, control: Option<&Control>) -> Result<bool> {
        let is_coming = |state: &mut Structure| *state == Structure::Coming;
        let mut state = wait(&self.structure, &self.learnt, control, is_coming)?;
        if *state == Structure::Known {
            return Ok(false);
        }
        *state = Structure::Coming;
        drop(state);
        let mut coming = Coming {
            shared: self,
            state: Structure::Unknown,
        };
        let source = watched(self.source.clone(), control);
        let structure = C::structure(&*source)?;
        coming.state = Structure::Known;
        // Sizes that do not add up to what is expected are not all right.
        let fits = |size: u64| self.expected().is_none_or(|end| end == size);
        let Some((points, size)) = structure.filter(|found| fits(found.1)) else {
            return Ok(false);
        };
        debug_assert!(points.iter().all(|point| point.position < size));
        let some = !points.is_empty();
        self.index.extend(points);
        Ok(some)
    }

    fn structure(&self) -> MutexGuard<'_, Structure> {
        self.structure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what reads decode is kept.
    pub(super) fn keeps(&self, reading: &Reading) -> bool {
        let most = self.cache.most();
        most > 0 && reading.decoded <= most as u64
    }

    /// Where the data end, as far as their header tells.
    pub(super) fn expected(&self) -> Option<u64> {
        Some(self.expected.load(Relaxed)).filter(|&end| end > 0)
    }

    /// Forget what was decoded: it may be wrong.
    pub(super) fn forget(&self) {
        self.kept().clear();
        self.cache.clear();
        self.looked.store(0, Relaxed);
    }

    /// Keep bytes that were decoded from `start` on.
    pub(super) fn keep(&self, start: u64, bytes: &[u8]) {
        let mut at = start;
        for bytes in bytes.chunks(self.cache.extent) {
            self.cache.insert(at, bytes.to_vec());
            at += bytes.len() as u64;
        }
    }

    fn frugal(&self) -> bool {
        self.decoding.places.frugal
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Vec<Decoder<C>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a decoder is as good as a new one at its place would be: nothing
    /// that it rests on was found to be wrong, or proven by others.
    pub(super) fn is_current(&self, decoder: &Decoder<C>) -> bool {
        let is_foreign = |point: Arc<Point<C::Mark>>| point.trust == Trust::Foreign;
        decoder.generation == self.index.generation()
            && (decoder.trust > Trust::Foreign
                || self.index.before(decoder.position).is_some_and(is_foreign))
    }

    /// The decoder as near before `offset` as possible, in front of `from`.
    pub(super) fn take(&self, offset: u64, from: Option<u64>) -> Option<Decoder<C>> {
        let mut kept = self.kept();
        kept.retain(|decoder| self.is_current(decoder));
        if kept.iter().any(|decoder| decoder.position > offset) {
            self.returning.store(true, Relaxed);
        }
        let near = (0..kept.len())
            .filter(|&i| kept[i].position <= offset)
            .max_by_key(|&i| kept[i].position)?;
        let ahead = from.is_none_or(|from| kept[near].position > from);
        ahead.then(|| kept.swap_remove(near))
    }

    /// Whether reads go through all of the data, one behind the other, so that
    /// nothing that is kept will be asked for. If one came back nevertheless, it
    /// would find a place near.
    pub(super) fn is_passed(&self, decoder: &Decoder<C>) -> bool {
        let since = decoder.position.saturating_sub(decoder.since);
        let near = |at: Arc<Point<C::Mark>>| decoder.position - at.position <= NEAR;
        since > self.cache.most() as u64
            && !self.returning.load(Relaxed)
            && self.index.before(decoder.position).is_some_and(near)
    }

    pub(super) fn give(&self, decoder: Decoder<C>) {
        let spares = self.frugal() || self.decoding.pooled;
        let (most, bytes) = match spares {
            true => (1, SPARED_BYTES),
            false => (KEPT, KEPT_BYTES),
        };
        if spares && decoder.memory() > bytes {
            return;
        }
        let mut kept = self.kept();
        // One of two at the same place is enough.
        let same = |other: &Decoder<C>| other.position == decoder.position;
        if kept
            .iter()
            .any(|other| same(other) && other.trust > decoder.trust)
        {
            return;
        }
        kept.retain(|other| !same(other));
        kept.push(decoder);
        let total = |kept: &[Decoder<C>]| kept.iter().map(Decoder::memory).sum::<usize>();
        while kept.len() > 1 && (kept.len() > most || total(&kept) > bytes) {
            kept.remove(0);
        }
    }
}

impl<C: Coding> Stream<C> {
    #[cfg(test)]
    pub(super) fn new(source: Arc<dyn ReadAt>, decoding: Decoding) -> Stream<C> {
        Stream::within(source, decoding, Arc::new(Room::new(decoding.cache)))
    }

    pub(super) fn within(
        source: Arc<dyn ReadAt>,
        decoding: Decoding,
        room: Arc<Room>,
    ) -> Stream<C> {
        let size = source.size().ok().flatten();
        Stream(Arc::new(Shared {
            source,
            decoding,
            index: Index::new(size, decoding.places),
            cache: Cache::new(room),
            structure: Mutex::new(Structure::Unknown),
            learnt: Condvar::new(),
            expected: AtomicU64::new(0),
            refuted: AtomicBool::new(false),
            returning: AtomicBool::new(false),
            looked: AtomicU64::new(0),
            kept: Mutex::default(),
        }))
    }

    #[cfg(test)]
    pub(super) fn shared(&self) -> &Shared<C> {
        &self.0
    }

    fn session_of(
        &self,
        reading: Reading,
        guess: Option<Arc<Guess<C::Mark>>>,
        control: Option<&Control>,
    ) -> Result<Session<C>> {
        Session::new(self.0.clone(), reading, guess, control)
    }
}

impl<C: Coding> ReadAt for Stream<C> {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let reading = Reading {
            start: offset,
            decoded: buffer.room() as u64,
        };
        self.session_of(reading, None, None)?
            .read_at(offset, buffer)
    }

    fn size(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn check_end(&self, offset: u64) -> Result<()> {
        let reading = Reading {
            start: 0,
            decoded: 0,
        };
        self.session_of(reading, None, None)?.check_end(offset)
    }

    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        let reading = Reading {
            start: 0,
            decoded: 0,
        };
        Ok(Some(Arc::new(self.session_of(reading, None, None)?)))
    }

    fn is_concurrent(&self) -> bool {
        self.0.source.is_concurrent()
    }

    fn trim(&self) {
        self.0.forget();
        self.0.source.trim();
    }
}

impl<C: Coding> Packed for Stream<C> {
    fn session(
        &self,
        reading: Reading,
        guess: Option<Guessed>,
        control: Option<&Control>,
    ) -> Result<Arc<dyn ReadAt>> {
        let guess = guess.and_then(|guess| guess.downcast().ok());
        Ok(Arc::new(self.session_of(reading, guess, control)?))
    }

    fn adopt(&self, guess: Guessed) -> Result<()> {
        match guess.downcast::<Guess<C::Mark>>() {
            Ok(guess) => self.0.index.adopt(&guess.points, &guess.sums()),
            Err(_) => Ok(()),
        }
    }

    fn splits(&self, range: Range<u64>, dense: bool, control: Option<&Control>) -> Result<Splits> {
        let shared = &*self.0;
        let known = Splits {
            places: shared.index.within(range.clone()),
            guess: None,
        };
        let last = known.places.last().map_or(range.start, |&last| last);
        let unknown = shared.index.read().size.is_none() && range.end - last > FAR;
        if !unknown || !shared.decoding.places.wanted {
            return Ok(known);
        }
        if shared.learn(control)? {
            return self.splits(range, dense, control);
        }
        // What is guessed is proven from the begin on, without a gap.
        if !dense || shared.refuted.load(Relaxed) {
            return Ok(known);
        }
        // It looks at what no read may ever need, and cannot fail one.
        let source = watched(shared.source.clone(), control);
        let mut points = C::guess(&*source, range.end).unwrap_or_default();
        check(control)?;
        points.retain(|point| point.position < range.end);
        let from_begin = points
            .first()
            .is_some_and(|first| range.start < first.position);
        if !from_begin || points.len() <= known.places.len() {
            return Ok(known);
        }
        let points: Vec<_> = points.into_iter().map(Arc::new).collect();
        Ok(Splits {
            places: points.iter().map(|point| point.position).collect(),
            guess: Some(Arc::new(Guess {
                points,
                sums: Mutex::default(),
            })),
        })
    }

    fn goes_ahead(&self, range: Range<u64>) -> Result<bool> {
        Ok(!self.0.frugal() && front::is_worth(&self.0, &range)?)
    }

    fn ahead(
        &self,
        session: Arc<dyn ReadAt>,
        reading: Reading,
        end: u64,
        threads: usize,
        take: &Take<'_>,
    ) -> Result<Rest> {
        let keep = self.0.keeps(&reading);
        let decoded = front::decode(&self.0, reading.start..end, threads, take, keep)?;
        Ok(match decoded {
            Some(decoded) => decoded.before(session),
            None => Rest {
                bytes: session,
                is_good: false,
            },
        })
    }

    fn refute(&self) {
        self.0.refuted.store(true, Relaxed);
    }

    fn expect(&self, end: u64) {
        self.0.expected.store(end, Relaxed);
    }

    fn generation(&self) -> u64 {
        self.0.index.generation()
    }

    fn begin_of(&self, offset: u64) -> u64 {
        let point = self.0.index.before(offset);
        point.map_or(0, |point| point.position)
    }

    fn info(&self) -> IndexInfo {
        self.0.index.info()
    }

    fn cached(&self) -> usize {
        self.0.cache.held()
    }

    fn relearn(&self) {
        let was_known = {
            let mut state = self.0.structure();
            let known = *state == Structure::Known;
            if known {
                *state = Structure::Unknown;
            }
            known
        };
        if was_known {
            // Without it reads take longer, as they do where there is none.
            let _ = self.0.learn(None);
        }
    }

    fn doubt(&self) -> bool {
        let doubted = self.0.index.doubt();
        if doubted {
            self.0.forget();
        }
        doubted
    }

    fn save(&self, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.0.index.check_wanted()?;
        C::save_index(&self.0.index, write)
    }

    fn load(&self, file: Arc<dyn ReadAt>) -> Result<()> {
        self.0.index.check_wanted()?;
        C::load_index(&self.0.index, &*self.0.source, file)
    }

    fn is_new(&self) -> bool {
        let found = self.0.index.read();
        found.changed && found.is_sure()
    }

    fn unbuilt(&self) -> u64 {
        let index = &self.0.index;
        match (index.read().size, index.compressed) {
            (None, Some(compressed)) => compressed.saturating_sub(self.built()),
            _ => 0,
        }
    }

    fn build(&self, threads: usize, control: Option<&Control>) -> Result<()> {
        let shared = &self.0;
        shared.index.check_wanted()?;
        let reading = Reading {
            start: 0,
            decoded: u64::MAX,
        };
        let session = self.session_of(reading, None, control)?;
        if shared.index.read().size.is_some() {
            return Ok(());
        }
        let start = shared.index.last_sure();
        let begin = self.built();
        let done = AtomicU64::new(begin);
        let step = |byte: u64| match control {
            Some(control) => control.step(byte.saturating_sub(done.fetch_max(byte, Relaxed))),
            None => Ok(()),
        };
        let built = self.build_from(start, &session, threads, &step);
        if let (Err(_), Some(control)) = (&built, control) {
            // The next try begins behind what is known by now.
            control.take_back(done.load(Relaxed).saturating_sub(begin.max(self.built())));
        }
        built
    }
}

impl<C: Coding> Stream<C> {
    /// Compressed bytes before the place from which on an index is built.
    fn built(&self) -> u64 {
        let index = &self.0.index;
        let start = index.last_sure();
        let known = index.before(start).filter(|_| start > 0);
        known.map_or(0, |point| point.at)
    }

    fn build_from(
        &self,
        start: u64,
        session: &Session<C>,
        threads: usize,
        step: &(dyn Fn(u64) -> Result<()> + Sync),
    ) -> Result<()> {
        let (shared, way) = (&self.0, session.way());
        let mut reached = start;
        if threads > 1 && session.is_concurrent() && !shared.frugal() {
            let stopped = Mutex::new(Ok(()));
            let take = |from, byte| match step(byte) {
                Ok(()) => Some(Taken {
                    from,
                    work: Box::new(|_: u64, _: &[u8]| {}),
                }),
                Err(error) => {
                    *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Err(error);
                    None
                }
            };
            let range = start..u64::MAX;
            if let Some(decoded) = front::decode(shared, range, threads, &take, false)? {
                reached = decoded.end;
            }
            stopped
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)?;
        }
        let mut decoder = session.nearest(reached)?;
        step(decoder.byte())?;
        while !decoder.ended() {
            decoder.skip(&way, decoder.position + STEP)?;
            step(decoder.byte())?;
        }
        // What is behind the last stream is done with, too.
        if let Some(size) = shared.index.compressed {
            step(size)?;
        }
        shared.index.settle(0)
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
pub(super) mod tests;
