//! Streams flushed as `pigz -i` does, and otherwise.

use std::sync::Arc;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use super::*;
use crate::codec::gzip::tests::deflate;
use crate::codec::members::tests::decode_parts;
use crate::codec::stream::tests::sample;
use crate::io::Memory;

/// One member, flushed behind each of the parts.
fn flushed(parts: &[&[u8]], level: u32) -> Vec<u8> {
    let mut bytes = vec![0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3, b'n', 0];
    let mut encoder = Compress::new(Compression::new(level), false);
    let mut crc = Crc::new();
    for (i, part) in parts.iter().enumerate() {
        crc.update(part);
        bytes.reserve(part.len() + part.len() / 8 + 1000);
        let last = i + 1 == parts.len();
        let first = if last {
            FlushCompress::Finish
        } else {
            FlushCompress::Sync
        };
        let status = encoder.compress_vec(part, &mut bytes, first).unwrap();
        assert_eq!(status == Status::StreamEnd, last);
        if !last {
            encoder
                .compress_vec(&[], &mut bytes, FlushCompress::Full)
                .unwrap();
            assert!(bytes.ends_with(FLUSHES));
        }
    }
    bytes.extend(crc.sum().to_le_bytes());
    bytes.extend(crc.amount().to_le_bytes());
    bytes
}

fn positions(bytes: &[u8], end: usize) -> Vec<u64> {
    let points = guess(&Memory(Arc::new(bytes.to_vec())), end as u64).unwrap();
    assert!(points.is_sorted_by(|a, b| a.position < b.position && a.at < b.at));
    points.iter().map(|point| point.position).collect()
}

#[test]
fn places_stand_behind_flushes() {
    let data = sample(4_000_000);
    for (each, apart) in [
        (128 << 10, 256 << 10),
        (300_000, 300_000),
        (1 << 20, 1 << 20),
    ] {
        for level in [0, 1, 6] {
            let parts: Vec<&[u8]> = data.chunks(each).collect();
            let bytes = flushed(&parts, level);
            let wanted: Vec<u64> = (apart..4_000_000)
                .step_by(apart)
                .map(|at| at as u64)
                .collect();
            assert_eq!(positions(&bytes, 4_000_000), wanted, "{each} {level}");
            assert_eq!(decode_parts(&bytes, &data).unwrap(), wanted.len());
            assert_eq!(positions(&bytes, 1_500_000), wanted[..1_499_999 / apart]);
        }
    }
    let zeros = vec![0; 1 << 20];
    let parts: Vec<&[u8]> = zeros.chunks(128 << 10).collect();
    assert_eq!(positions(&flushed(&parts, 6), 1 << 20).len(), 3);
    // The last part as large as the others, or empty.
    let (whole, empty) = (&data[..200_000], &data[..0]);
    assert_eq!(positions(&flushed(&[whole; 4], 6), 800_000), [400_000]);
    assert_eq!(
        positions(&flushed(&[whole, whole, empty], 6), 500_000).len(),
        1
    );
}

#[test]
fn other_streams_have_none() {
    let data = sample(3_000_000);
    assert_eq!(positions(&deflate(&data, 6), data.len()), []);
    assert_eq!(positions(b"", 1000), []);
    // Parts of several sizes, seen by the size of all.
    let (front, back) = data.split_at(300_000);
    let uneven = flushed(&[front, back], 6);
    assert_eq!(positions(&uneven, data.len()), []);
    // Unseen where the look ends before, but refuted.
    let parts = [&data[..300_000], &data[300_000..700_000], &data[700_000..]];
    let uneven = flushed(&parts, 6);
    assert_eq!(positions(&uneven, 550_000).len(), 1);
    assert_eq!(positions(&uneven, 700_000), []);
    // The bytes alone, inside a stored block.
    let inside = [&data[..400_000], FLUSHES, &data[400_000..]].concat();
    let stored = deflate(&inside, 0);
    assert_eq!(positions(&stored, inside.len()), []);
    assert!(decode_parts(&stored, &inside).unwrap() == 0);
}

#[test]
fn wrong_places_are_refuted() {
    let data = sample(9_000_000);
    // One flush of all stands elsewhere, and the look ends before the last.
    let mut parts: Vec<&[u8]> = data[..6_000_000].chunks(300_000).collect();
    parts[4] = &data[1_200_000..1_400_000];
    parts[5] = &data[1_400_000..1_800_000];
    parts.push(&data[6_000_000..]);
    let bytes = flushed(&parts, 6);
    let end = 5_900_000;
    assert_eq!(positions(&bytes, end).len(), 19);
    let error = decode_parts(&bytes, &data[..end]).unwrap_err();
    assert!(error.to_string().contains("not divided"), "{error}");
    // The bytes at equal distances, but unflushed.
    let part = [&data[..299_991], FLUSHES].concat();
    let inside = part.repeat(12);
    let bytes = deflate(&inside, 0);
    if !positions(&bytes, inside.len()).is_empty() {
        assert!(decode_parts(&bytes, &inside).is_err());
    }
}
