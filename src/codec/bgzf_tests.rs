//! Files of members that tell their lengths, good and broken.

use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::codec::Packed;
use crate::codec::gzip::Gzip;
use crate::codec::stream::Stream;
use crate::codec::stream::tests::{decoding, sample};
use crate::io::Memory;

/// A member with its length in the extra field, behind `more` other bytes of
/// that field.
fn block(data: &[u8], more: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).unwrap();
    let stream = encoder.finish().unwrap();
    let mut block = vec![0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF];
    block.extend((more.len() as u16 + 6).to_le_bytes());
    block.extend(more);
    block.extend(b"BC\x02\0");
    let len = block.len() + 2 + stream.len() + TRAILER;
    block.extend((len as u16 - 1).to_le_bytes());
    block.extend(stream);
    block.extend(crate::codec::gzip::checksum(data).to_le_bytes());
    block.extend((data.len() as u32).to_le_bytes());
    block
}

fn file(data: &[u8]) -> Vec<u8> {
    let blocks = data.chunks(60_000).map(|data| block(data, b""));
    blocks.chain([block(b"", b"")]).collect::<Vec<_>>().concat()
}

fn positions(bytes: &[u8]) -> Vec<u64> {
    let found = structure(&Memory(Arc::new(bytes.to_vec()))).unwrap();
    let (points, _) = found.unwrap_or_default();
    assert!(points.is_sorted_by(|a, b| a.position < b.position && a.at < b.at));
    points.iter().map(|point| point.position).collect()
}

#[test]
fn places_are_told_by_the_members() {
    let data = sample(1_000_000);
    let whole = file(&data);
    let wanted = [0, 300_000, 600_000, 900_000];
    assert_eq!(positions(&whole), wanted);
    assert_eq!(positions(&[&whole[..], &[0; 700]].concat()), wanted);
    let other = [b'X', b'Y', 3, 0, 1, 2, 3];
    let empty = block(b"", &other);
    let blocks = data
        .chunks(60_000)
        .map(|data| [&empty[..], &block(data, &other)].concat());
    assert_eq!(positions(&blocks.collect::<Vec<_>>().concat()), wanted);
    assert_eq!(positions(&block(b"", b"")), []);
    assert_eq!(positions(b""), []);
    // Tiny members, dense ones: places stay apart.
    assert!(positions(&block(b"a", b"").repeat(20_000)).len() == 1);
    assert!(positions(&block(&[0; 60_000], b"").repeat(100)).len() <= 20);
}

#[test]
fn a_chain_that_breaks_tells_nothing() {
    let data = sample(400_000);
    let whole = file(&data);
    for len in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
        // A cut right behind a member leaves a good file.
        let at_end = whole[..len].ends_with(&60_000u32.to_le_bytes());
        assert!(
            positions(&whole[..len]).is_empty() || at_end,
            "cut at {len}"
        );
    }
    let plain = crate::codec::gzip::tests::deflate(&data, 6);
    for bytes in [
        [&whole[..], b"junk"].concat(),
        [&whole[..], &plain].concat(),
        [&plain[..], &whole].concat(),
        [&whole[..], &[0; 99], &whole].concat(),
    ] {
        assert_eq!(positions(&bytes), []);
    }
    // The length, its field's name, the decoded size.
    for at in [16, 12, 13, 14] {
        let mut wrong = whole.clone();
        wrong[at] ^= 1;
        assert_eq!(positions(&wrong), [], "byte {at}");
    }
    let first = block(&data[..60_000], b"").len();
    let mut wrong = whole;
    wrong[first - 2] = 9;
    assert_eq!(positions(&wrong), []);
}

#[test]
fn reads_begin_at_the_members() {
    let data = sample(5_000_000);
    let source = Memory(Arc::new(file(&data)));
    let stream = Stream::<Gzip>::new(Arc::new(source), decoding(true, false));
    let at = 4_500_000;
    assert_eq!(stream.read_vec(at, 99).unwrap(), &data[at as usize..][..99]);
    assert!(stream.info().points > 10 && stream.begin_of(at) > at - SPACING - 60_000);
    assert!(
        stream
            .splits(0..5_000_000, true, None)
            .unwrap()
            .guess
            .is_none()
    );
    assert_eq!(stream.read_vec(0, 6_000_000).unwrap(), data);
}
