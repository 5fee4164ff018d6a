//! Places in compressed data at which decoding can begin, found on the way by
//! whoever decodes and shared by all.

use std::sync::{Arc, PoisonError, RwLock};

/// Decoded bytes between places: a 512th of the data, in these bounds.
const NEAREST: u64 = 256 << 10;
const FARTHEST: u64 = 4 << 20;
const PARTS: u64 = 512;

/// Memory of a place at most: a window of deflate.
const EACH: u64 = 32 << 10;
/// Memory of all: this, and a fourth of what the file takes. A file that
/// decodes to far more than others gets places farther apart.
const BASE: u64 = 1 << 20;
const SHARE: u64 = 4;
/// Memory of all where it is to be spared.
const SPARED: u64 = 256 << 10;

/// A place at which decoding can begin.
pub(super) struct Point<M> {
    /// Decoded bytes before it.
    pub(super) position: u64,
    /// Byte of the source.
    pub(super) at: u64,
    /// What decoding inside a stream needs; `None` between streams.
    pub(super) mark: Option<M>,
}

/// The places found so far. The lock is held to look or add, never to decode.
pub(super) struct Points<M> {
    /// Most places that are kept.
    most: usize,
    found: RwLock<Found<M>>,
}

struct Found<M> {
    spacing: u64,
    /// In the order of the data.
    points: Vec<Arc<Point<M>>>,
}

impl<M> Found<M> {
    fn due(&self) -> u64 {
        let last = self.points.last().map_or(0, |point| point.position);
        last.saturating_add(self.spacing)
    }
}

impl<M> Points<M> {
    /// For data that take `compressed` bytes.
    pub(super) fn new(compressed: Option<u64>, frugal: bool) -> Points<M> {
        let compressed = compressed.unwrap_or(0);
        let memory = match frugal {
            true => SPARED,
            false => BASE + compressed / SHARE,
        };
        // Images compress to about a half.
        let spacing = (compressed.saturating_mul(2) / PARTS).clamp(NEAREST, FARTHEST);
        Points {
            most: usize::try_from(memory / EACH).unwrap_or(usize::MAX),
            found: RwLock::new(Found {
                spacing,
                points: Vec::new(),
            }),
        }
    }

    /// The last place that is not behind a decoded byte.
    pub(super) fn before(&self, position: u64) -> Option<Arc<Point<M>>> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        let points = &found.points;
        let behind = points.partition_point(|point| point.position <= position);
        behind.checked_sub(1).map(|i| points[i].clone())
    }

    /// The decoded byte from which on another place is wanted.
    pub(super) fn due(&self) -> u64 {
        self.found
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .due()
    }

    /// Add a place, unless one near it was added meanwhile.
    pub(super) fn add(&self, point: Point<M>) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if point.position < found.due() {
            return;
        }
        found.points.push(Arc::new(point));
        if found.points.len() > self.most {
            // Every other one goes.
            let mut number = 0;
            found.points.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            found.spacing = found.spacing.saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(points: &Points<()>) -> Vec<u64> {
        let found = points.found.read().unwrap();
        found.points.iter().map(|point| point.position).collect()
    }

    fn at(position: u64) -> Point<()> {
        Point {
            position,
            at: position / 2,
            mark: None,
        }
    }

    #[test]
    fn places_are_apart_and_found_in_order() {
        let points = Points::new(Some(600 << 20), false);
        let spacing = points.due();
        assert_eq!(spacing, (1200 << 20) / 512);
        assert!(points.before(u64::MAX).is_none());
        for position in [
            1,
            spacing,
            spacing + 1,
            2 * spacing - 1,
            3 * spacing,
            spacing,
        ] {
            points.add(at(position));
        }
        assert_eq!(positions(&points), [spacing, 3 * spacing]);
        assert!(points.before(spacing - 1).is_none());
        for (position, wanted) in [(spacing, 1), (3 * spacing - 1, 1), (9 * spacing, 3)] {
            assert_eq!(points.before(position).unwrap().position, wanted * spacing);
        }
    }

    #[test]
    fn memory_is_bounded_however_long_the_data_are() {
        for (compressed, frugal, most) in [
            (Some(1000), false, 32),
            (None, false, 32),
            (Some(1 << 40), true, 8),
        ] {
            let points = Points::new(compressed, frugal);
            for i in 1..5000 {
                points.add(at(i * NEAREST));
            }
            let found = positions(&points);
            assert!((most / 2..=most).contains(&found.len()), "{}", found.len());
            // They still stand at like distances all over the data.
            let widest = found.windows(2).map(|two| two[1] - two[0]).max().unwrap();
            assert!(widest <= 4 * found[0], "{found:?}");
        }
    }
}
