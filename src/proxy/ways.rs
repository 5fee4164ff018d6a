//! How bytes are asked for: the rules, and the measurements behind them.
//!
//! Of a file in the page cache (on a virtual machine with two cores):
//!
//! | what | time |
//! |---|---|
//! | a read call, whatever it reads | 0.5 us |
//! | each KiB of it | 0.12 us |
//! | a page of a map that is touched for the first time | 2.0-3.4 us |
//! | a run of a map whose pages are there | 0.02 us |
//! | to start a thread and wait for its end | 80 us |
//!
//! So gaps of some KiB are read, longer ones skipped; scattered short runs come
//! from a map, but not the first time; and what one thread reads in the time that
//! another takes to start is not divided.
//!
//! Of a series of 332 MB (96x96x60x300 int16):
//!
//! | what | one way | the other |
//! |---|---|---|
//! | `[i, :, :, :]`, rows picked | 44 ms by read calls | 16 ms from a map, the second time |
//! | 200 patches of 32x32x32 | 10 ms by read calls and copies | 21 ms by `preadv` |
//! | all to float32, row-major | 2.2 s in the order of the file | 0.37 s across it |
//! | one volume, read just before | 54 us by a read call | 88 us from a new map, 24 us from an old |
//!
//! So `preadv` lost: it fills several pieces of memory, but from one run of bytes, and
//! a copy out of a buffer in the cache costs less than its list of pieces. Long runs
//! are left to read calls: files that are cut meanwhile harm nobody then.

use super::Data;
use super::plan::Plan;
use super::queue::{Queue, Way};
use super::read::Read;
use crate::codec::Codec;
use crate::core::plan::{Across, Cutting, Walk};

/// Bytes read at a time where elements are converted: the source's share of a
/// second-level cache.
pub(super) const PIECE: i64 = 256 << 10;

/// The same where they are converted in the result.
const STAYING: i64 = 128 << 10;

/// The same of deflate's data: its decoder is faster where it refers to what
/// stands in the same memory.
const INFLATED: i64 = 512 << 10;

/// Bytes read at a time where they go straight to the result. Between two, a
/// read can be stopped.
const STRAIGHT: i64 = 4 << 20;

/// Runs this long go straight to the result even if there is little between
/// them.
const LONG_RUN: i64 = 16 << 10;

/// Bytes between wanted elements that are read rather than skipped: a read
/// call costs about as much as copying them.
const GAP: i64 = 4 << 10;

/// A read call costs about as much as copying so many bytes.
pub(super) const CALL: u64 = 2 << 10;

/// From so many pieces on, none longer than this on average, or so many times what
/// is wanted of them, the map serves a read better than read calls.
const SCATTERED: u64 = 16;
const SHORT: u64 = 8 << 10;
const SPARSE: u64 = 16;

/// How a walk is cut that reads memory: only so that it can be stopped.
pub(super) const VIEWED: Cutting = Cutting {
    max: 16 << 20,
    gap: i64::MAX,
    loops: usize::MAX,
};

/// Bytes of a source in a job where nothing else tells.
pub(super) const CELL: u64 = 4 << 20;

/// Bytes to decode below which more threads are not worth their start, which
/// takes as long as decoding some 50 KiB.
pub(super) const ALONE: u64 = 1 << 20;

/// Least bytes of a plain file for each thread, and about so many that it takes at
/// a time.
const SHARE: u64 = 2 << 20;
pub(super) const TAKEN: u64 = 1 << 20;

/// When results that run across the file are read across it, too: where an
/// ordinary piece has few items of the loop that fills a cache line.
pub(super) const ACROSS: Across = Across {
    items: 8,
    far: 16 << 10,
    near: 32,
    most: 1 << 10,
    parts: 64,
    waste: 4,
};

/// Bytes of a piece that goes across, and most of them in memory: one for each
/// thread. Each span of a piece is a read call.
const TILE: i64 = 1 << 20;
const MOST_TILES: usize = 6;

/// How a walk of a file is read.
pub(super) fn cutting(plan: &Plan, walk: &Walk, codec: Codec) -> Cutting {
    if let Some(items) = walk.items_across() {
        return Cutting {
            max: TILE / items,
            gap: GAP,
            loops: usize::MAX,
        };
    }
    match (is_straight(plan, walk), codec) {
        (true, _) => Cutting {
            max: match plan.kernel(walk.meaning).is_copy() {
                true => STRAIGHT,
                // What was read is still in the cache when it is converted.
                false => STAYING,
            },
            gap: 0,
            loops: 1,
        },
        (false, Codec::None) => Cutting {
            max: PIECE,
            gap: GAP,
            loops: usize::MAX,
        },
        // What lies between is decoded in any case.
        (false, _) => Cutting {
            max: match codec {
                Codec::Gzip => INFLATED,
                _ => PIECE,
            },
            gap: i64::MAX,
            loops: usize::MAX,
        },
    }
}

/// Runs that are converted where they stand, if at all, go straight to the result.
pub(super) fn is_straight(plan: &Plan, walk: &Walk) -> bool {
    plan.kernel(walk.meaning).can_stay()
        && walk.items_across().is_none()
        && walk.run(plan.dtype().size()) >= LONG_RUN.min(walk.span())
}

/// Decoded bytes between wanted ones that are decoded with them, as far as
/// the cost of a read goes: places are no nearer to each other.
const NEAR: i64 = 64 << 10;

/// Decoded bytes that reads need, if decoding begins at places of the index
/// alone.
pub(super) fn decoded<'a>(data: &Data, walks: impl Iterator<Item = &'a Walk>) -> u64 {
    let Some(packed) = &data.packed else {
        return 0;
    };
    let cutting = Cutting {
        max: i64::MAX,
        gap: NEAR,
        loops: usize::MAX,
    };
    let mut queue = Queue::default();
    for walk in walks {
        queue.add((0, 0), Way::Through, walk.pieces(cutting));
    }
    let (mut cost, mut reached) = (0, 0);
    // What is behind all that there can be is not decoded.
    while let Some((_, piece)) = queue.next_before(data.most.unwrap_or(u64::MAX)) {
        let end = piece.offset + piece.len as u64;
        let begin = packed.begin_of(piece.offset).max(reached);
        cost = end.saturating_sub(begin).saturating_add(cost);
        reached = reached.max(end);
    }
    cost
}

/// Bytes of a file that reads take, and what its read calls cost besides.
pub(super) fn cost(data: &Data, reads: &[Read<'_>]) -> u64 {
    let of = |read: &Read<'_>, walk: &Walk| {
        let (calls, bytes) = walk.cost(cutting(read.plan, walk, data.codec));
        bytes.saturating_add(calls.saturating_mul(CALL))
    };
    let all = reads
        .iter()
        .flat_map(|read| read.walks.iter().map(move |walk| of(read, walk)));
    all.fold(0, u64::saturating_add)
}

/// Whether all bytes from the first to the last are read.
pub(super) fn is_dense(reads: &[Read<'_>]) -> bool {
    let all = Cutting {
        max: i64::MAX,
        gap: NEAR,
        loops: usize::MAX,
    };
    match reads {
        [read] => read.walks.len() == 1 && read.walks[0].cost(all).0 == 1,
        _ => false,
    }
}

/// How many pieces of reads would better come from a map.
pub(super) fn scattered(data: &Data, reads: &[Read<'_>]) -> u64 {
    let of = |read: &Read<'_>, walk: &Walk| {
        let cutting = cutting(read.plan, walk, data.codec);
        match is_scattered(walk, cutting) {
            true => walk.cost(cutting).0,
            false => 0,
        }
    };
    let all = reads
        .iter()
        .flat_map(|read| read.walks.iter().map(move |walk| of(read, walk)));
    all.fold(0, u64::saturating_add)
}

/// Whether reading a walk from a map is better than by read calls.
pub(super) fn is_scattered(walk: &Walk, cutting: Cutting) -> bool {
    let (pieces, bytes) = walk.cost(cutting);
    let sparse = bytes < pieces.saturating_mul(SHORT) || bytes / SPARSE > walk.wanted();
    walk.items_across().is_none() && pieces >= SCATTERED && sparse
}

/// How many of the threads allowed are worth their start for a read that takes so
/// many bytes, or has to decode them.
pub(super) fn threads_for(data: &Data, reads: &[Read<'_>], bytes: u64, threads: usize) -> usize {
    let across = |walk: &Walk| walk.items_across().is_some();
    let most = match &data.packed {
        Some(_) if bytes >= ALONE => usize::MAX,
        Some(_) => 1,
        None if reads.iter().any(|read| read.walks.iter().any(across)) => MOST_TILES,
        None => usize::MAX,
    };
    let most = match &data.packed {
        Some(_) => most,
        None => most.min(usize::try_from(bytes / SHARE).unwrap_or(usize::MAX)),
    };
    threads.min(most).max(1)
}
