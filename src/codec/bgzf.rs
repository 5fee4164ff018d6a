//! BGZF ("block gzip" of the SAM specification, 4.1): gzip of members that
//! tell how long they are.
//!
//! | bytes of a member | what |
//! |---|---|
//! | 4 | 1F 8B 08 04 |
//! | 6 | time and system |
//! | 2 | length of the extra field, which follows |
//! | 6 | in it: "BC", 2 0, length of the member less 1 |
//! | | a deflate stream |
//! | 8 | CRC-32 of its data, and their number: 64 KiB at most |

use super::coding::Structure;
use super::gzip::{Mark, Window};
use super::index::{Point, Trust};
use crate::error::Result;
use crate::io::{ReadAt, append};

/// Decoded and compressed bytes between the places that are kept, at least.
/// All places of a file take a small part of what the file does.
pub(super) const SPACING: u64 = 256 << 10;
const APART: u64 = 1 << 10;

/// A member's fixed bytes with an extra field of nothing but its length, as
/// nearly all have it.
const HEADER: usize = 18;
const TRAILER: usize = 8;
const MOST_DECODED: u64 = 64 << 10;

/// The members of a file as they tell themselves; `None` if it is no such file
/// to its last byte but zeros.
pub(super) fn structure(source: &dyn ReadAt) -> Result<Option<Structure<Mark>>> {
    let Some(size) = source.size()? else {
        return Ok(None);
    };
    let mut points: Vec<Point<Mark>> = Vec::new();
    let (mut at, mut position) = (0, 0);
    let mut bytes = Vec::with_capacity(TRAILER + HEADER);
    read(source, 0, HEADER, &mut bytes)?;
    while at < size {
        let Some((header, member)) = lengths(source, at, &bytes)? else {
            let is_end = at > 0 && is_zeros(source, at)?;
            return Ok(is_end.then_some((points, position)));
        };
        // The end of this member with the header of the next.
        let next = at + member;
        read(source, next - TRAILER as u64, TRAILER + HEADER, &mut bytes)?;
        let Some(&[_, _, _, _, a, b, c, d]) = bytes.first_chunk() else {
            return Ok(None);
        };
        let decoded = u64::from(u32::from_le_bytes([a, b, c, d]));
        if decoded > MOST_DECODED || decoded > 1032 * member {
            return Ok(None);
        }
        let start = at + header;
        let due = points
            .last()
            .is_none_or(|last| position - last.position >= SPACING && start - last.at >= APART);
        if due && decoded > 0 {
            points.push(start_of_member(position, start));
        }
        (at, position) = (next, position + decoded);
        bytes.drain(..TRAILER);
    }
    Ok(Some((points, position)))
}

/// Where a member's deflate stream begins.
pub(super) fn start_of_member(position: u64, at: u64) -> Point<Mark> {
    Point {
        position,
        at,
        starts: true,
        weight: 0,
        mark: Mark {
            bits: 0,
            window: Window::Start,
        },
        trust: Trust::Told,
    }
}

/// Up to `len` bytes from `at` on.
fn read(source: &dyn ReadAt, at: u64, len: usize, bytes: &mut Vec<u8>) -> Result<()> {
    bytes.clear();
    append(bytes, len, |buffer| source.read_at(at, buffer))?;
    Ok(())
}

/// Lengths of the header of the member at `at`, which begins with `head`, and
/// of the member; `None` if it is not of this kind.
fn lengths(source: &dyn ReadAt, at: u64, head: &[u8]) -> Result<Option<(u64, u64)>> {
    let Some(&[0x1F, 0x8B, 8, 4, _, _, _, _, _, _, low, high]) = head.first_chunk() else {
        return Ok(None);
    };
    let header = 12 + usize::from(u16::from_le_bytes([low, high]));
    if header <= head.len() {
        return Ok(member_len(header, &head[12..header]));
    }
    let longer = source.read_vec(at, header)?;
    Ok(longer
        .get(12..header)
        .and_then(|extra| member_len(header, extra)))
}

/// As [`lengths`], from the extra field.
fn member_len(header: usize, mut extra: &[u8]) -> Option<(u64, u64)> {
    while let Some((&[a, b, low, high], rest)) = extra.split_first_chunk() {
        let field = rest.get(..u16::from_le_bytes([low, high]).into())?;
        match (a, b, field) {
            (b'B', b'C', &[low, high]) => {
                let member = usize::from(u16::from_le_bytes([low, high])) + 1;
                // No stream is shorter than two bytes.
                let fits = header + 2 + TRAILER <= member;
                return fits.then_some((header as u64, member as u64));
            }
            _ => extra = &rest[field.len()..],
        }
    }
    None
}

/// Whether nothing but zeros follows.
fn is_zeros(source: &dyn ReadAt, from: u64) -> Result<bool> {
    let mut pieces = super::scan::Pieces::new(source, from)?;
    loop {
        if pieces.bytes.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
        if pieces.ended {
            return Ok(true);
        }
        pieces.next(pieces.bytes.len())?;
    }
}

#[cfg(test)]
#[path = "bgzf_tests.rs"]
pub(super) mod tests;
