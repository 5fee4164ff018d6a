//! Tables that fit their files, and such that do not.

use std::sync::Arc;

use super::*;
use crate::codec::Packed;
use crate::codec::stream::Stream;
use crate::codec::stream::tests::{decoding, sample};
use crate::codec::zstd::Zstd;
use crate::io::Memory;

fn frame(data: &[u8], tells_size: bool) -> Vec<u8> {
    let mut packed = vec![0; zstd_safe::compress_bound(data.len())];
    let mut encoder = zstd_safe::CCtx::create();
    let size = zstd_safe::CParameter::ContentSizeFlag(tells_size);
    encoder.set_parameter(size).unwrap();
    let n = encoder.compress2(&mut packed[..], data).unwrap();
    packed.truncate(n);
    packed
}

/// Frames with the table behind them.
fn file(parts: &[&[u8]], sums: bool, tells_size: bool) -> Vec<u8> {
    let (mut bytes, mut table) = (Vec::new(), Vec::new());
    for part in parts {
        let frame = frame(part, tells_size);
        table.extend((frame.len() as u32).to_le_bytes());
        table.extend((part.len() as u32).to_le_bytes());
        if sums {
            table.extend([1, 2, 3, 4]);
        }
        bytes.extend(frame);
    }
    table.extend((parts.len() as u32).to_le_bytes());
    table.push(if sums { 0x80 } else { 0 });
    table.extend(MAGIC);
    bytes.extend([0x5E, 0x2A, 0x4D, 0x18]);
    bytes.extend((table.len() as u32).to_le_bytes());
    bytes.extend(table);
    bytes
}

fn positions(bytes: &[u8]) -> Vec<u64> {
    let found = structure(&Memory(Arc::new(bytes.to_vec()))).unwrap();
    let (points, _) = found.unwrap_or_default();
    assert!(points.is_sorted_by(|a, b| a.position < b.position && a.at < b.at));
    points.iter().map(|point| point.position).collect()
}

#[test]
fn the_table_tells_the_frames() {
    let data = sample(1_000_000);
    let parts: Vec<&[u8]> = data.chunks(60_000).collect();
    let wanted = [0, 300_000, 600_000, 900_000];
    for (sums, tells_size) in [(false, false), (false, true), (true, false), (true, true)] {
        assert_eq!(positions(&file(&parts, sums, tells_size)), wanted);
    }
    let mut empty = parts.clone();
    empty.insert(5, b"");
    empty.insert(5, b"");
    empty.push(b"");
    assert_eq!(positions(&file(&empty, true, true)), wanted);
    assert_eq!(positions(&file(&[], false, true)), []);
    // Sizes of all lengths.
    for n in [1, 255, 256, 300, 65_791, 65_792, 700_000] {
        assert_eq!(
            positions(&file(&[&data[..n]; 2], false, true)).len(),
            1 + n / 700_000
        );
    }
}

#[test]
fn tables_that_do_not_fit_tell_nothing() {
    let data = sample(700_000);
    let parts: Vec<&[u8]> = data.chunks(300_000).collect();
    let good = file(&parts, false, true);
    for len in (0..good.len())
        .step_by(101)
        .chain(good.len() - 60..good.len())
    {
        assert_eq!(positions(&good[..len]), [], "cut at {len}");
    }
    let table = good.len() - (8 + 3 * 8 + 9);
    for byte in table..good.len() {
        let mut wrong = good.clone();
        wrong[byte] ^= 0x40;
        let found = positions(&wrong);
        // The size of the last frame is behind all that is looked at.
        let is_last = (good.len() - 13..good.len() - 9).contains(&byte);
        assert!(found.is_empty() || is_last, "byte {byte}: {found:?}");
    }
    assert_eq!(positions(&[&b"x"[..], &good].concat()), []);
    assert_eq!(positions(&frame(&data, true)), []);
}

#[test]
fn reads_begin_at_the_frames() {
    let data = sample(6_000_000);
    let parts: Vec<&[u8]> = data.chunks(100_000).collect();
    let source = Memory(Arc::new(file(&parts, true, false)));
    let stream = Stream::<Zstd>::new(Arc::new(source), decoding(true, false));
    let at = 5_500_000;
    assert_eq!(stream.read_vec(at, 99).unwrap(), &data[at as usize..][..99]);
    assert!(stream.begin_of(at) > at - SPACING - 100_000);
    let splits = stream.splits(0..6_000_000, true, None).unwrap();
    assert!(splits.places.len() > 15 && splits.guess.is_none());
    assert_eq!(stream.read_vec(0, 7_000_000).unwrap(), data);
}
