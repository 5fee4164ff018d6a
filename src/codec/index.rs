//! The seek index: places in compressed data at which decoding can begin,
//! found on the way by whoever decodes, or loaded, and shared by all.
//!
//! Places stand where the first block begins behind each multiple of the
//! spacing, so threads that decode the same find the same places.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::sums::{Part, Sums, Trailer};
use crate::error::{Error, ErrorKind, Result};

/// Decoded bytes between places: a 512th of the data, in these bounds.
const NEAREST: u64 = 256 << 10;
const FARTHEST: u64 = 4 << 20;
const PARTS: u64 = 512;

/// Memory of the places that reads find: this, and a fourth of what the file
/// takes. A file that decodes to far more than others gets places farther
/// apart. Twice the file if the spacing was asked for.
const BASE: u64 = 1 << 20;
const SHARE: u64 = 4;
/// Memory of them where it is to be spared.
const SPARED: u64 = 256 << 10;

/// Memory that a place takes beside its mark, about.
const OVERHEAD: usize = 96;

/// How places are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    /// Whether there are any.
    pub(crate) wanted: bool,
    /// Decoded bytes between two; `None` by the size of the data.
    pub(crate) spacing: Option<u64>,
    /// Whether to spare memory.
    pub(crate) frugal: bool,
    /// Most memory of those that reads find, if there is a limit of its own.
    pub(crate) most: Option<u64>,
}

/// What there is of a seek index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexInfo {
    /// Number of seek points.
    pub points: u64,
    /// Decoded bytes that they cover.
    pub covered: u64,
    /// Bytes of memory that they take.
    pub memory: u64,
}

/// A place at which decoding can begin.
pub(super) struct Point<M> {
    /// Decoded bytes before it.
    pub(super) position: u64,
    /// Byte of the source.
    pub(super) at: u64,
    /// What decoding needs to begin there.
    pub(super) mark: M,
    /// Whether a stream begins there.
    pub(super) starts: bool,
    /// Memory that the mark takes beside itself.
    pub(super) weight: usize,
    pub(super) trust: Trust,
}

/// How much a place can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// Not at all: an index file without checksums has it.
    Foreign,
    /// As far as the file tells the truth about its own structure.
    Told,
    /// As far as the index file belongs to the data: checksums vouch for it.
    Saved,
    /// A decoder came by there.
    Found,
}

impl<M> Point<M> {
    fn memory(&self) -> usize {
        self.weight + OVERHEAD
    }
}

/// What lies before a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ahead {
    /// The decoded byte where it has to stop, for something is known there.
    pub(super) stop: Option<u64>,
    /// Whether a stream ends there.
    pub(super) ends: bool,
    /// How much it can be relied on, if it is a place.
    pub(super) trust: Option<Trust>,
    /// The decoded byte from which on another place is wanted.
    pub(super) due: Option<u64>,
}

/// The places found so far. The lock is held to look or add, never to decode.
pub(super) struct Index<M> {
    wanted: bool,
    /// Bytes of the source.
    pub(super) compressed: Option<u64>,
    /// Most memory that the places take that reads find.
    most: usize,
    found: RwLock<Found<M>>,
}

pub(super) struct Found<M> {
    pub(super) spacing: u64,
    /// In the order of the data, no two at the same byte.
    pub(super) points: Vec<Arc<Point<M>>>,
    memory: usize,
    pub(super) sums: Sums,
    /// Decoded bytes in all, once the end was seen.
    pub(super) size: Option<u64>,
    /// Whether there is something that was neither loaded nor saved.
    pub(super) changed: bool,
    /// How often what was known proved to be wrong. Decoders that began before
    /// the last time have no say any more.
    pub(super) generation: u64,
    /// Whether foreign places were met since the last doubt: who began at one
    /// before that may be wrong, with nothing left that shows it.
    met_foreign: bool,
}

impl<M> Found<M> {
    fn due(&self) -> u64 {
        match self.points.last() {
            Some(last) => (last.position / self.spacing + 1).saturating_mul(self.spacing),
            None => 0,
        }
    }

    /// Whether a decoder of that generation that comes by a place is to keep it.
    fn is_due(&self, position: u64, generation: u64) -> bool {
        position >= self.due() && generation == self.generation
    }

    /// Number of the first point behind a decoded byte.
    fn behind(&self, position: u64) -> usize {
        self.points
            .partition_point(|point| point.position <= position)
    }

    pub(super) fn insert(&mut self, point: Point<M>) {
        self.insert_shared(Arc::new(point));
    }

    fn insert_shared(&mut self, point: Arc<Point<M>>) {
        let i = self.behind(point.position);
        self.memory += point.memory();
        match i.checked_sub(1).map(|i| &mut self.points[i]) {
            Some(known) if known.position == point.position => {
                // The one that can be relied on more.
                let better = known.trust < point.trust;
                self.changed |= better;
                let gone = if better {
                    std::mem::replace(known, point)
                } else {
                    point
                };
                self.memory -= gone.memory();
            }
            _ => {
                // Each that opens the data has the one at their begin.
                self.changed |= point.position > 0;
                self.points.insert(i, point);
            }
        }
    }

    /// Whether nothing is there that may be wrong.
    pub(super) fn is_sure(&self) -> bool {
        let is_foreign = |point: &Arc<Point<M>>| point.trust == Trust::Foreign;
        !self.points.iter().any(is_foreign) && self.sums.is_sure()
    }

    /// Data that were decoded from foreign places turned out to be wrong.
    fn refute_foreign(&mut self) {
        self.sums.doubt();
        self.refute(Trust::Foreign);
    }

    /// Forget the places that can be relied on no more than that.
    fn refute(&mut self, trust: Trust) {
        self.generation += 1;
        self.points.retain(|point| point.trust > trust);
        self.memory = self.points.iter().map(|point| point.memory()).sum();
        self.size = None;
    }

    /// Keep those places that a spacing twice as large has.
    fn thin(&mut self) {
        self.spacing = self.spacing.saturating_mul(2);
        let (spacing, mut due) = (self.spacing, 0);
        let (kept, gone) = self.points.drain(..).partition(|point| {
            let keep = point.position >= due;
            if keep {
                due = (point.position / spacing + 1).saturating_mul(spacing);
            }
            keep
        });
        self.points = kept;
        self.memory = self.points.iter().map(|point| point.memory()).sum();
        for point in gone {
            self.sums.forget_place(point.position);
        }
    }
}

impl<M> Index<M> {
    /// For data that take `compressed` bytes.
    pub(super) fn new(compressed: Option<u64>, places: Places) -> Index<M> {
        let size = compressed.unwrap_or(0);
        let memory = match places.spacing {
            _ if places.frugal => SPARED,
            None => BASE + size / SHARE,
            Some(_) => BASE + size.saturating_mul(2),
        };
        let memory = memory.min(places.most.unwrap_or(u64::MAX));
        // Images compress to about a half.
        let by_size = (size.saturating_mul(2) / PARTS).clamp(NEAREST, FARTHEST);
        Index {
            wanted: places.wanted,
            compressed,
            most: usize::try_from(memory).unwrap_or(usize::MAX),
            found: RwLock::new(Found {
                spacing: places.spacing.unwrap_or(by_size).max(1),
                points: Vec::new(),
                memory: 0,
                sums: Sums::default(),
                size: None,
                changed: false,
                generation: 0,
                met_foreign: false,
            }),
        }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Found<M>> {
        self.found.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Found<M>> {
        self.found.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last place that is not behind a decoded byte.
    pub(super) fn before(&self, position: u64) -> Option<Arc<Point<M>>> {
        let found = self.read();
        let i = found.behind(position).checked_sub(1)?;
        Some(found.points[i].clone())
    }

    pub(super) fn ahead(&self, position: u64) -> Ahead {
        if !self.wanted {
            return Ahead::default();
        }
        let found = self.read();
        let point = found.points.get(found.behind(position));
        let end = found.sums.end_behind(position);
        let place = point.map(|point| point.position);
        let stop = [place, end].into_iter().flatten().min();
        let at_stop = point.filter(|_| place == stop);
        let sure = at_stop.filter(|point| point.trust > Trust::Foreign);
        Ahead {
            stop,
            ends: stop.is_some() && end == stop || sure.is_some_and(|point| point.starts),
            trust: at_stop.map(|point| point.trust),
            // Once all is known, new places would only divide what is compared.
            due: (point.is_none() && found.size.is_none()).then(|| found.due()),
        }
    }

    /// Places inside a range of decoded bytes.
    pub(super) fn within(&self, range: Range<u64>) -> Vec<u64> {
        let found = self.read();
        let points = &found.points[found.behind(range.start)..found.behind(range.end)];
        let inside = points.iter().filter(|point| point.position < range.end);
        inside.map(|point| point.position).collect()
    }

    /// Whether a place that a decoder came by is due, or known already.
    pub(super) fn is_wanted(&self, position: u64, generation: u64) -> bool {
        let found = self.read();
        let is = |point: &Arc<Point<M>>| point.position.cmp(&position);
        let is_known = || found.points.binary_search_by(is).is_ok();
        self.wanted && (found.is_due(position, generation) || is_known())
    }

    /// Add a place that a decoder came by, if it is due.
    pub(super) fn add(&self, point: Point<M>, generation: u64) {
        if !self.wanted {
            return;
        }
        let mut found = self.write();
        if !found.is_due(point.position, generation) {
            return;
        }
        found.insert(point);
        while found.memory > self.most && found.points.len() > 1 {
            found.thin();
        }
    }

    /// Add places that the structure of the file tells, however many.
    pub(super) fn extend(&self, points: impl IntoIterator<Item = Point<M>>) {
        let mut found = self.write();
        points.into_iter().for_each(|point| found.insert(point));
    }

    /// Take places that decoders came by, and the checksums that they found:
    /// with those that are known already, streams may be complete.
    pub(super) fn adopt(&self, points: &[Arc<Point<M>>], sums: &Sums) -> Result<()> {
        let mut found = self.write();
        let mut agreed = true;
        for part in sums.parts() {
            agreed &= found.sums.part(*part)?;
        }
        for trailer in sums.trailers() {
            found.sums.trailer(*trailer)?;
        }
        found.sums.settle(0)?;
        for point in points {
            found.insert_shared(point.clone());
        }
        if !agreed {
            found.refute_foreign();
        }
        Ok(())
    }

    /// A decoder came by a place: put what it found there.
    pub(super) fn confirm(&self, point: Point<M>, generation: u64) {
        let mut found = self.write();
        if generation != found.generation {
            return;
        }
        let position = point.position;
        let Some(i) = found.behind(position).checked_sub(1) else {
            return;
        };
        if found.points[i].position == position {
            found.met_foreign |= found.points[i].trust == Trust::Foreign;
            found.memory = found.memory + point.memory() - found.points[i].memory();
            found.points[i] = Arc::new(point);
            found.changed = true;
        }
        while found.memory > self.most && found.points.len() > 1 {
            found.thin();
        }
    }

    /// As [`Found::refute_foreign`].
    pub(super) fn refute_foreign(&self) {
        self.write().refute_foreign();
    }

    /// Forget a place that cannot be used.
    pub(super) fn remove(&self, position: u64) {
        let mut found = self.write();
        let is = |point: &Arc<Point<M>>| point.position == position;
        if let Some(i) = found.points.iter().position(is) {
            let point = found.points.remove(i);
            found.memory -= point.memory();
            found.sums.forget_place(position);
        }
    }

    /// Data that were decoded from places that may be wrong turned out to be
    /// so: forget them, and the checksums that rest on them. `false` if there
    /// was none.
    pub(super) fn doubt(&self) -> bool {
        let mut found = self.write();
        let met_foreign = std::mem::take(&mut found.met_foreign);
        let doubted = found.sums.doubt() || met_foreign;
        // An index with checksums of the data accuses the data.
        if found.points.iter().any(|point| point.trust <= Trust::Told) {
            found.refute(Trust::Told);
            return true;
        }
        found.generation += u64::from(doubted);
        doubted
    }

    pub(super) fn generation(&self) -> u64 {
        self.read().generation
    }

    /// As [`Sums::part`].
    pub(super) fn part(&self, part: Part, generation: u64) -> Result<()> {
        let mut found = self.write();
        if generation == found.generation && !found.sums.part(part)? {
            found.refute_foreign();
        }
        Ok(())
    }

    /// As [`Sums::trailer`].
    pub(super) fn trailer(&self, trailer: Trailer, generation: u64) -> Result<()> {
        let mut found = self.write();
        match generation == found.generation {
            true => found.sums.trailer(trailer),
            false => Ok(()),
        }
    }

    /// As [`Sums::settle`].
    pub(super) fn settle(&self, behind: u64) -> Result<()> {
        self.write().sums.settle(behind)
    }

    /// The data have so many bytes.
    pub(super) fn ends(&self, size: u64, generation: u64) {
        if self.read().size != Some(size) {
            let mut found = self.write();
            if generation == found.generation {
                found.size = Some(size);
                found.changed = true;
            }
        }
    }

    /// The last place that is sure to be one, or the begin.
    pub(super) fn last_sure(&self) -> u64 {
        let found = self.read();
        let sure = |point: &&Arc<Point<M>>| point.trust > Trust::Foreign;
        let last = found.points.iter().rev().find(sure);
        last.map_or(0, |point| point.position)
    }

    pub(super) fn info(&self) -> IndexInfo {
        let found = self.read();
        let last = found.points.last().map_or(0, |point| point.position);
        if !self.wanted {
            return IndexInfo {
                points: 0,
                covered: 0,
                memory: 0,
            };
        }
        IndexInfo {
            points: found.points.len() as u64,
            covered: found.size.unwrap_or(last),
            memory: (found.memory + found.sums.memory()) as u64,
        }
    }

    /// Fail where there is to be no index.
    pub(super) fn check_wanted(&self) -> Result<()> {
        if self.wanted {
            return Ok(());
        }
        let text = "the option 'index_mode' is 0: there is no seek index";
        Err(Error::new(ErrorKind::Argument, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(compressed: Option<u64>, frugal: bool) -> Index<()> {
        let places = Places {
            wanted: true,
            spacing: None,
            frugal,
            most: None,
        };
        Index::new(compressed, places)
    }

    fn positions(index: &Index<()>) -> Vec<u64> {
        index
            .read()
            .points
            .iter()
            .map(|point| point.position)
            .collect()
    }

    fn at(position: u64) -> Point<()> {
        Point {
            position,
            at: position / 2,
            mark: (),
            starts: position % 2 == 1,
            weight: 32 << 10,
            trust: Trust::Found,
        }
    }

    #[test]
    fn places_are_apart_and_found_in_order() {
        let index = index(Some(600 << 20), false);
        let spacing = (1200 << 20) / 512;
        assert_eq!(index.ahead(0).due, Some(0));
        assert!(index.before(u64::MAX).is_none());
        for position in [0, 1, spacing + 5, spacing + 9, 3 * spacing - 1, spacing] {
            index.add(at(position), 0);
        }
        assert_eq!(positions(&index), [0, spacing + 5, 3 * spacing - 1]);
        let ahead = index.ahead(7);
        assert!(ahead.stop == Some(spacing + 5) && ahead.ends);
        assert_eq!(index.ahead(7).due, None);
        assert_eq!(index.ahead(3 * spacing).due, Some(3 * spacing));
        for (position, wanted) in [(spacing + 4, 0), (spacing + 5, spacing + 5)] {
            assert_eq!(index.before(position).unwrap().position, wanted);
        }
        assert_eq!(index.within(0..3 * spacing - 1), [spacing + 5]);
        // Who comes by, later or at the same time, ends a run there, too.
        let candidates = [0, 1, spacing + 5, spacing + 9, 3 * spacing - 1, 3 * spacing];
        let wanted = candidates.map(|position| index.is_wanted(position, 0));
        assert_eq!(wanted, [true, false, true, false, true, true]);
        assert!(!index.is_wanted(3 * spacing, 1));
        index.remove(spacing + 5);
        assert_eq!(positions(&index), [0, 3 * spacing - 1]);
    }

    #[test]
    fn memory_is_bounded_however_long_the_data_are() {
        for (compressed, frugal, most) in [
            (Some(1000), false, 32),
            (None, false, 32),
            (Some(1 << 40), true, 8),
        ] {
            let index = index(compressed, frugal);
            for i in 0..5000 {
                index.add(at(i * NEAREST + i % 7), 0);
            }
            let found = positions(&index);
            assert!((most / 3..=most).contains(&found.len()), "{}", found.len());
            // They still stand at like distances all over the data.
            let widest = found.windows(2).map(|two| two[1] - two[0]).max().unwrap();
            assert!(widest <= 2 * (found[1] - found[0]), "{found:?}");
        }
    }

    #[test]
    fn what_is_adopted_may_complete_a_stream() {
        for (wrong, agrees) in [(0, true), (1, false)] {
            let index = index(None, false);
            let known = Part {
                start: 0,
                end: 10,
                sum: 0,
                first: true,
                sure: true,
            };
            let trailer = Trailer {
                end: 20,
                at: 15,
                // Of bytes with the checksum 0, twice.
                sum: wrong,
                size: 20,
                sure: true,
                agreed: false,
            };
            index.trailer(trailer, 0).unwrap();
            index.part(known, 0).unwrap();
            let mut sums = Sums::default();
            let rest = Part {
                start: 10,
                end: 20,
                first: false,
                ..known
            };
            sums.part(rest).unwrap();
            let adopted = index.adopt(&[Arc::new(at(10))], &sums);
            assert_eq!(adopted.is_ok(), agrees);
            assert_eq!(positions(&index), if agrees { vec![10] } else { vec![] });
        }
    }

    #[test]
    fn threads_that_find_the_same_places_agree() {
        let first = index(None, false);
        let other = index(None, false);
        let blocks: Vec<u64> = (0..3000).map(|i| i * 7919).collect();
        blocks.iter().for_each(|&block| first.add(at(block), 0));
        // The other begins somewhere inside, again and again.
        for start in [0, 40, 39, 1500, 1000] {
            blocks[..start + 500]
                .iter()
                .for_each(|&block| other.add(at(block), 0));
        }
        blocks.iter().for_each(|&block| other.add(at(block), 0));
        assert_eq!(positions(&first), positions(&other));
    }
}
