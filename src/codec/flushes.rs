//! gzip files of one member whose blocks need nothing before them, as
//! `pigz -i` makes them.
//!
//! Between pieces of the data, all of one size but the last, it flushes twice:
//! to the next byte, and so that nothing refers back behind it. Each flush
//! leaves an empty stored block. Other data can have these bytes by chance, so
//! what is found here is a guess, for the decoder to prove.

use super::bgzf::SPACING;
use super::coding::Bound;
use super::gzip::{Mark, Window};
use super::index::{Point, Trust};
use super::inflate::Inflate;
use super::input::Input;
use super::members::{header_len, last_size};
use super::scan::{Pieces, find};
use crate::error::Result;
use crate::io::{ReadAt, ReadBuf};

/// End of the first empty block, and the second. The pair in the middle is
/// rarer than others.
const FLUSHES: &[u8] = &[0, 0, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF];
const KEY: usize = 3;

/// Bytes of the file in which the first must be. Files without are looked at
/// no further.
const NEAR: u64 = 2 << 20;

/// Most decoded bytes between two.
const MOST: u64 = 64 << 20;

/// Places behind such flushes, in a file whose data go on to the decoded byte
/// `end` at least.
pub(super) fn guess(source: &dyn ReadAt, end: u64) -> Result<Vec<Point<Mark>>> {
    let mut points: Vec<Point<Mark>> = Vec::new();
    let mut pieces = Pieces::new(source, 0)?;
    let Some(mut from) = header_len(&pieces.bytes) else {
        return Ok(points);
    };
    let stream = from as u64;
    // Decoded bytes between two, once that is known, and how often they came.
    let (mut each, mut found) = (0, 0u64);
    loop {
        let Some(at) = find(&pieces.bytes, FLUSHES, KEY, from) else {
            let gone = (pieces.bytes.len() + 1)
                .saturating_sub(FLUSHES.len())
                .max(from);
            let far = found == 0 && pieces.start + gone as u64 > NEAR;
            if far || pieces.ended {
                break;
            }
            pieces.next(gone)?;
            from = 0;
            continue;
        };
        from = at + FLUSHES.len();
        let byte = pieces.start + from as u64;
        if found == 0 {
            match decoded(source, stream, byte)? {
                Some(size) if size > 0 => each = size,
                _ => return Ok(points),
            }
        }
        found += 1;
        let position = found.saturating_mul(each);
        if position >= end {
            return Ok(points);
        }
        let last = points.last().map_or(0, |last| last.position);
        if position - last >= SPACING {
            points.push(behind_flush(position, byte));
        }
    }
    // What is left is no more than the others, or some of them were none.
    let size = source.size()?.unwrap_or(0);
    let last = last_size(source, size)?.unwrap_or(0) as u32;
    let left = last.wrapping_sub(found.wrapping_mul(each) as u32);
    if u64::from(left) > each {
        points.clear();
    }
    Ok(points)
}

fn behind_flush(position: u64, at: u64) -> Point<Mark> {
    Point {
        position,
        at,
        starts: false,
        weight: 0,
        mark: Mark {
            bits: 0,
            window: Window::None,
        },
        trust: Trust::Found,
    }
}

/// Number of the bytes that a stream decodes to between two of the source;
/// `None` if it does not decode, or to too much.
fn decoded(source: &dyn ReadAt, start: u64, end: u64) -> Result<Option<u64>> {
    let mut inflate = Inflate::new();
    let mut input = Input::default().moved(start);
    let mut scratch = Vec::with_capacity(32 << 10);
    let mut decoded = 0;
    loop {
        let left = usize::try_from(end - input.at()).unwrap_or(usize::MAX);
        if input.peek(source)?.is_none() {
            return Ok(None);
        }
        let rest = &input.rest()[..input.rest().len().min(left)];
        let mut buffer = ReadBuf::new(scratch.spare_capacity_mut());
        let Ok(step) = inflate.step(rest, &mut buffer, Bound::NONE) else {
            return Ok(None);
        };
        let new = buffer.filled().len();
        decoded += new as u64;
        input.advance(step.used);
        if input.at() == end && buffer.room() > 0 {
            return Ok(Some(decoded));
        }
        if step.ended || (step.used == 0 && new == 0) || decoded > MOST {
            return Ok(None);
        }
    }
}

#[cfg(test)]
#[path = "flushes_tests.rs"]
mod tests;
