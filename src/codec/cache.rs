//! Decoded bytes kept between reads.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::io::ReadBuf;

/// Bytes that are kept, and let go, together; as many are decoded at a time. A
/// cache holds [`MANY`] of them, as far as these bounds allow: fewer bytes cost
/// more, see [`super::decoder::SKIP`].
const EXTENT: RangeInclusive<usize> = 96 << 10..=256 << 10;
const MANY: usize = 64;

/// Memory that an extent takes beside its bytes, about.
const OVERHEAD: usize = 128;

/// Memory for decoded bytes, which several caches may share.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    used: AtomicUsize,
}

impl Room {
    /// Room for so many bytes.
    pub(crate) fn new(most: usize) -> Room {
        Room {
            most,
            used: AtomicUsize::new(0),
        }
    }

    pub(crate) fn is_half_full(&self) -> bool {
        self.used.load(Relaxed) > self.most / 2
    }

    /// A cache has so many bytes and had others.
    fn change(&self, had: usize, has: usize) {
        // Wraps around, as differences do.
        self.used.fetch_add(has.wrapping_sub(had), Relaxed);
    }

    fn excess(&self, more: usize) -> bool {
        self.used.load(Relaxed).saturating_add(more) > self.most
    }
}

/// Runs of decoded bytes, as many as fit. The lock is held to copy out of them
/// or to put one in, never to decode.
pub(super) struct Cache {
    room: Arc<Room>,
    /// Most bytes of an extent.
    pub(super) extent: usize,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    /// By their first bytes; none overlap.
    extents: BTreeMap<u64, Extent>,
    /// In which order they go, but for those used meanwhile.
    turns: VecDeque<u64>,
    memory: usize,
}

struct Extent {
    bytes: Vec<u8>,
    used: AtomicBool,
}

impl Extent {
    fn memory(&self) -> usize {
        self.bytes.capacity() + OVERHEAD
    }
}

impl Cache {
    /// A cache of as many bytes as there is room for.
    pub(super) fn new(room: Arc<Room>) -> Cache {
        Cache {
            extent: (room.most / MANY).clamp(*EXTENT.start(), *EXTENT.end()),
            room,
            held: RwLock::default(),
        }
    }

    /// Most bytes that it can hold.
    pub(super) fn most(&self) -> usize {
        self.room.most
    }

    /// Bytes that it holds.
    pub(super) fn held(&self) -> usize {
        self.read().memory
    }

    /// Append what is there from byte `offset` on, without a gap; says how
    /// much that was.
    pub(super) fn copy(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> usize {
        if self.room.most == 0 {
            return 0;
        }
        let held = self.read();
        let mut copied = 0;
        while buffer.room() > 0 {
            let at = offset + copied as u64;
            let Some((&start, extent)) = held.extents.range(..=at).next_back() else {
                break;
            };
            let skip = usize::try_from(at - start).unwrap_or(usize::MAX);
            let n = match extent.bytes.get(skip..) {
                Some(bytes) => buffer.push(bytes),
                None => 0,
            };
            if n == 0 {
                break;
            }
            extent.used.store(true, Relaxed);
            copied += n;
        }
        copied
    }

    /// Keep bytes that were decoded from `start` on. Gives memory that can be
    /// used again.
    pub(super) fn insert(&self, start: u64, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        if self.room.most == 0 || bytes.is_empty() {
            return Some(bytes);
        }
        let mut held = self.write();
        // Threads may have decoded the same, and where decoding began is known
        // often.
        let new = held.end_of_known(start, start + bytes.len() as u64);
        let known = usize::try_from(new - start).unwrap_or(usize::MAX);
        bytes.drain(..known.min(bytes.len()));
        let start = new;
        if let Some((&next, _)) = held.extents.range(start..).next() {
            bytes.truncate(usize::try_from(next - start).unwrap_or(usize::MAX));
        }
        let before = held.extents.range_mut(..start).next_back();
        if let Some((&first, extent)) = before {
            let end = first + extent.bytes.len() as u64;
            let joined = extent.bytes.len() + bytes.len();
            if end == start && joined <= self.extent {
                let had = extent.memory();
                extent.bytes.extend_from_slice(&bytes);
                *extent.used.get_mut() = true;
                let has = extent.memory();
                held.memory = held.memory - had + has;
                self.room.change(had, has);
                return held.shrink(&self.room, 0).or(Some(bytes));
            }
        }
        if bytes.is_empty() {
            return Some(bytes);
        }
        if bytes.len() < bytes.capacity() / 2 {
            bytes.shrink_to_fit();
        }
        let extent = Extent {
            bytes,
            used: AtomicBool::new(false),
        };
        // Before it is there: it is not to go because all others were used.
        let memory = extent.memory();
        let spare = held.shrink(&self.room, memory);
        if self.room.excess(memory) {
            // Other caches have the room.
            return spare.or(Some(extent.bytes));
        }
        held.memory += memory;
        self.room.change(0, memory);
        held.extents.insert(start, extent);
        held.turns.push_back(start);
        spare
    }

    pub(super) fn clear(&self) {
        let held = std::mem::take(&mut *self.write());
        self.room.change(held.memory, 0);
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Held {
    /// Where the bytes end that are held from `start` on without a gap, or `end`
    /// if that is before.
    fn end_of_known(&self, mut start: u64, end: u64) -> u64 {
        while let Some((first, extent)) = self.extents.range(..=start).next_back() {
            if start >= end {
                return end;
            }
            let end = first + extent.bytes.len() as u64;
            if end <= start {
                break;
            }
            start = end;
        }
        start
    }

    /// Let go of what is too much where `more` bytes are to come, the longest
    /// unused first. Gives the memory of one of them.
    fn shrink(&mut self, room: &Room, more: usize) -> Option<Vec<u8>> {
        let mut spare = None;
        while room.excess(more) {
            let start = self.turns.pop_front()?;
            let extent = self.extents.get(&start)?;
            if extent.used.swap(false, Relaxed) {
                self.turns.push_back(start);
                continue;
            }
            let extent = self.extents.remove(&start)?;
            self.memory -= extent.memory();
            room.change(extent.memory(), 0);
            spare = Some(extent.bytes);
        }
        spare
    }
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;

    use super::*;

    fn of(most: usize) -> Cache {
        Cache::new(Arc::new(Room::new(most)))
    }

    fn found(cache: &Cache, offset: u64, len: usize) -> Vec<u8> {
        let mut memory = vec![MaybeUninit::uninit(); len];
        let mut buffer = ReadBuf::new(&mut memory);
        cache.copy(offset, &mut buffer);
        buffer.filled().to_vec()
    }

    fn bytes(start: u64, len: usize) -> Vec<u8> {
        (start..start + len as u64)
            .map(|i| (i % 251) as u8)
            .collect()
    }

    #[test]
    fn what_is_kept_is_found_across_extents() {
        let cache = of(1 << 20);
        for start in [70_000, 0, 140_000, 69_999, 50_000, 100_000] {
            cache.insert(start, bytes(start, 60_000));
        }
        assert!(found(&cache, 10, 500_000) == bytes(10, 199_990));
        assert!(found(&cache, 200_000, 10).is_empty());
        cache.clear();
        assert!(found(&cache, 10, 10).is_empty());
    }

    #[test]
    fn small_neighbours_become_one() {
        let cache = of(1 << 20);
        for start in 0..5000 {
            cache.insert(2 * start, bytes(2 * start, 2));
        }
        assert_eq!(cache.read().extents.len(), 1);
        assert_eq!(found(&cache, 0, 20_000), bytes(0, 10_000));
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_stays() {
        let extent = 96 << 10;
        let cache = of(10 * (extent + OVERHEAD));
        for i in 0..100 {
            cache.insert(i * extent as u64, bytes(i * extent as u64, extent));
            assert_eq!(found(&cache, 7, 9), bytes(7, 9));
        }
        let held = cache.read();
        assert!(held.memory <= cache.most() && held.extents.len() == 10);
        assert_eq!(held.turns.len(), 10);
        drop(held);
        // Though all are used, the newest is not the first to go.
        for start in [1000, 2000].map(|i| i * extent as u64) {
            for i in 0..100 {
                found(&cache, i * extent as u64, 1);
            }
            cache.insert(start, bytes(start, extent));
            assert_eq!(found(&cache, start + 5, 9), bytes(start + 5, 9));
        }
        let none = of(0);
        none.insert(0, vec![1]);
        assert!(found(&none, 0, 1).is_empty());
    }

    #[test]
    fn caches_share_their_room() {
        let extent = 96 << 10;
        let room = Arc::new(Room::new(4 * (extent + OVERHEAD)));
        let [a, b] = [0, 1].map(|_| Cache::new(room.clone()));
        for i in 0..4 {
            a.insert(i * extent as u64, bytes(i, extent));
        }
        assert!(room.is_half_full());
        b.insert(0, bytes(0, extent));
        assert_eq!((a.held(), b.held()), (4 * (extent + OVERHEAD), 0));
        a.clear();
        assert!(!room.is_half_full());
        b.insert(0, bytes(0, extent));
        assert_eq!((a.held(), b.held()), (0, extent + OVERHEAD));
        drop(b);
        assert_eq!(room.used.load(Relaxed), 0);
    }
}
