//! The table of zstd's seekable format: the last frame, which other readers
//! skip, tells of all frames before it.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | 5E 2A 4D 18, bytes that follow |
//! | 8 or 12 each | of a frame: compressed size, decoded size, a checksum if there are such |
//! | 4 | number of frames |
//! | 1 | 80 if there are checksums |
//! | 4 | B1 EA 92 8F |
//!
//! All numbers are little-endian.

use super::coding::Structure;
use super::index::{Point, Trust};
use crate::error::Result;
use crate::io::ReadAt;

const HEAD: u64 = 8;
const FOOT: u64 = 9;
const MAGIC: [u8; 4] = [0xB1, 0xEA, 0x92, 0x8F];

/// Entries read at a time.
const ENTRIES: u64 = 4 << 10;

/// Decoded and compressed bytes between the places that are kept, at least.
const SPACING: u64 = 256 << 10;
const APART: u64 = 1 << 10;

/// Frames as the table tells them; `None` if there is no table that fits the
/// file and all its frames.
pub(super) fn structure(source: &dyn ReadAt) -> Result<Option<Structure<()>>> {
    let Some(foot_at) = source.size()?.and_then(|size| size.checked_sub(FOOT)) else {
        return Ok(None);
    };
    let foot = source.read_vec(foot_at, FOOT as usize)?;
    let Some(&[a, b, c, d, kind, ref magic @ ..]) = foot.first_chunk::<9>() else {
        return Ok(None);
    };
    let n = u64::from(u32::from_le_bytes([a, b, c, d]));
    // The bits between are reserved.
    if *magic != MAGIC || kind & 0x7C != 0 {
        return Ok(None);
    }
    let each = if kind & 0x80 != 0 { 12 } else { 8 };
    let Some(entries_at) = foot_at.checked_sub(n * each) else {
        return Ok(None);
    };
    let Some(table_at) = entries_at.checked_sub(HEAD) else {
        return Ok(None);
    };
    let mut head = vec![0x5E, 0x2A, 0x4D, 0x18];
    head.extend(((n * each + FOOT) as u32).to_le_bytes());
    if source.read_vec(table_at, HEAD as usize)? != head {
        return Ok(None);
    }
    let mut points: Vec<Point<()>> = Vec::new();
    let (mut at, mut position) = (0u64, 0u64);
    let mut first = 0;
    while first < n {
        let some = (n - first).min(ENTRIES);
        let len = (some * each) as usize;
        let bytes = source.read_vec(entries_at + first * each, len)?;
        if bytes.len() < len {
            return Ok(None);
        }
        for entry in bytes.chunks_exact(each as usize) {
            let number = |i: usize| {
                entry[i..i + 4]
                    .iter()
                    .rev()
                    .fold(0, |n, &b| n << 8 | u64::from(b))
            };
            let (compressed, decoded) = (number(0), number(4));
            let due = points
                .last()
                .is_none_or(|last| position - last.position >= SPACING && at - last.at >= APART);
            let told = told_size(source, at)?;
            if told.is_none_or(|told| told.is_some_and(|told| told != decoded)) {
                return Ok(None);
            }
            if due && decoded > 0 {
                points.push(Point {
                    position,
                    at,
                    mark: (),
                    starts: true,
                    weight: 0,
                    trust: Trust::Told,
                });
            }
            (at, position) = (at + compressed, position + decoded);
        }
        first += some;
    }
    Ok((at == table_at).then_some((points, position)))
}

/// The decoded size of the frame at a byte, if it tells it (RFC 8878,
/// 3.1.1.1); `None` if there is no frame.
fn told_size(source: &dyn ReadAt, at: u64) -> Result<Option<Option<u64>>> {
    let head = source.read_vec(at, 18)?;
    let Some(&descriptor) = head.get(4).filter(|_| super::is_zstd_frame(&head)) else {
        return Ok(None);
    };
    let is_single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size_at = 5 + usize::from(!is_single) + dictionary;
    let (len, more) = match descriptor >> 6 {
        0 if !is_single => return Ok(Some(None)),
        0 => (1, 0),
        1 => (2, 256),
        2 => (4, 0),
        _ => (8, 0),
    };
    let Some(size) = head.get(size_at..size_at + len) else {
        return Ok(None);
    };
    let size = size.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b));
    Ok(size.checked_add(more).map(Some))
}

#[cfg(test)]
#[path = "seekable_tests.rs"]
mod tests;
