//! Members joined in many ways, and what only looks like them.

use std::ops::Range;
use std::sync::Arc;

use super::*;
use crate::codec::gzip::Gzip;
use crate::codec::gzip::tests::deflate;
use crate::codec::stream::Stream;
use crate::codec::stream::tests::{decoding, sample};
use crate::codec::{Packed, Reading};
use crate::io::Memory;

fn positions(bytes: &[u8], end: usize) -> Vec<u64> {
    let points = guess(&Memory(Arc::new(bytes.to_vec())), end as u64).unwrap();
    assert!(points.is_sorted_by(|a, b| a.position < b.position && a.at < b.at));
    points.iter().map(|point| point.position).collect()
}

/// Decode what lies between guessed places one by one, as threads do. Says
/// how many there were.
pub(in crate::codec) fn decode_parts(bytes: &[u8], data: &[u8]) -> Result<usize> {
    let source = Arc::new(Memory(Arc::new(bytes.to_vec())));
    let stream = Stream::<Gzip>::new(source, decoding(true, false));
    let all: Range<u64> = 0..data.len() as u64;
    let splits = stream.splits(all.clone(), true, None)?;
    let guessed = splits.guess.is_some();
    let reading = Reading {
        start: 0,
        decoded: all.end,
    };
    let starts = [0].into_iter().chain(splits.places.iter().copied());
    let ends = splits.places.iter().copied().chain([all.end]);
    for (start, end) in starts.zip(ends) {
        let session = stream.session(reading, splits.guess.clone(), None)?;
        let found = session.read_vec(start, (end - start) as usize)?;
        assert!(found == data[start as usize..end as usize]);
    }
    stream.check_end(all.end)?;
    assert_eq!(guessed, !splits.places.is_empty());
    Ok(splits.places.len())
}

fn joined(data: &[u8], each: usize, between: &[u8]) -> Vec<u8> {
    let members = data
        .chunks(each)
        .map(|part| [&deflate(part, 6), between].concat());
    members.collect::<Vec<_>>().concat()
}

#[test]
fn members_are_found() {
    let data = sample(4_000_000);
    let end = data.len();
    let each = 600_000;
    let wanted: Vec<u64> = (1..7).map(|i| i * each as u64).collect();
    let empty = deflate(b"", 6);
    for between in [&b""[..], &[0], &[0; 3], &[0; 512], &empty] {
        let bytes = joined(&data, each, between);
        assert_eq!(positions(&bytes, end), wanted, "{} between", between.len());
        assert_eq!(decode_parts(&bytes, &data).unwrap(), 6);
    }
    // Not farther than asked for.
    let bytes = joined(&data, each, b"");
    assert_eq!(positions(&bytes, 1_300_000), wanted[..2]);
    // Of small ones, some.
    let small = positions(&joined(&data, 5000, b""), end);
    assert!(small.len() > 12 && small.windows(2).all(|two| two[1] - two[0] >= SPACING));
    assert!(decode_parts(&joined(&data, 5000, b""), &data).unwrap() > 12);
    // Stored, and very dense.
    let stored: Vec<u8> = data
        .chunks(each)
        .flat_map(|part| deflate(part, 0))
        .collect();
    assert_eq!(positions(&stored, end), wanted);
    let zeros = vec![0; 2_000_000];
    assert_eq!(positions(&joined(&zeros, 500_000, b""), 2_000_000).len(), 3);
}

#[test]
fn one_member_is_not_looked_through() {
    let data = sample(300_000);
    let one = deflate(&data, 6);
    assert_eq!(positions(&one, data.len()), []);
    assert_eq!(positions(&one, 1000), []);
    for bytes in [
        &b""[..],
        b"abc",
        &one[..9],
        &one[..20],
        &[0x1F, 0x8B, 8, 8, 0, 0, 0, 0],
    ] {
        assert_eq!(positions(bytes, 1 << 20), []);
    }
}

#[test]
fn what_looks_like_a_member_is_none() {
    let data = sample(3_000_000);
    let (front, back) = data.split_at(1_500_000);
    // Members, and their headers alone, as data that do not compress.
    let mut inside = joined(&data, 100_000, b"");
    inside.extend(MAGIC.repeat(10));
    let stored = deflate(&inside, 0);
    let bytes = [deflate(front, 6), stored, deflate(back, 6)].concat();
    let data = [front, &inside, back].concat();
    // Whether it is seen or refuted: no wrong data, no panic.
    let _ = decode_parts(&bytes, &data);
    // Nothing but headers: tried only so often.
    let start = std::time::Instant::now();
    let mut many = deflate(b"abc", 6);
    many.truncate(10);
    let many = many.repeat(2_000_000);
    assert_eq!(positions(&many, 50_000_000), []);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn sizes_are_read_before_zeros() {
    let size = 300_000u32.to_le_bytes();
    for zeros in [0, 1, 2, 3, 4, 100] {
        let bytes = [&[7; 20][..], &size, &vec![0; zeros]].concat();
        assert_eq!(told(&bytes, 100_000), Some(300_000), "{zeros}");
    }
    assert_eq!(told(&[0; 20], 20), Some(0), "an empty one");
    assert_eq!(told(&[0; 20], 5000), None);
    assert_eq!(told(&[1, 2, 3], 5000), None);
    assert_eq!(told(&[9; 20], 3), None);
}

#[test]
fn headers_are_measured() {
    let plain = deflate(b"abc", 6);
    assert_eq!(header_len(&plain), Some(10));
    let mut fields = plain[..10].to_vec();
    fields[3] = 4 | 8 | 16 | 2;
    fields.extend(b"\x03\0abcname\0comment\0\xAB\xCD");
    let len = fields.len();
    fields.extend(&plain[10..]);
    assert_eq!(header_len(&fields), Some(len));
    for cut in 0..=len {
        assert_eq!(header_len(&fields[..cut]), None);
    }
}
