//! Chunks in all ways that they are stored, against their bytes.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;
use crate::io::Memory;

const SIZE: usize = 1003;
const ITEM: usize = 4;

/// The bytes of a chunk.
fn content(number: u64) -> Vec<u8> {
    let byte = |i: usize| (i * i / 7 + number as usize * 31) as u8;
    (0..SIZE).map(byte).collect()
}

fn shuffled(bytes: &[u8]) -> Vec<u8> {
    let n = bytes.len() / ITEM;
    let mut out: Vec<u8> = (0..n * ITEM).map(|i| bytes[i % n * ITEM + i / n]).collect();
    out.extend(&bytes[n * ITEM..]);
    out
}

/// Word by word.
fn sum_of(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2).map(|word| match *word {
        [high, low] => u64::from(high) << 8 | u64::from(low),
        _ => u64::from(word[0]) << 8,
    });
    let sums = words.fold((0, 0), |(a, b), word| {
        let a = (a + word) % 65535;
        (a, (b + a) % 65535)
    });
    (sums.1 as u32) << 16 | sums.0 as u32
}

fn stored(bytes: &[u8], filters: Filters) -> Vec<u8> {
    let mut bytes = match filters.shuffled {
        true => shuffled(bytes),
        false => bytes.to_vec(),
    };
    if filters.deflated {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&bytes).unwrap();
        bytes = encoder.finish().unwrap();
    }
    if filters.summed {
        let sum = sum_of(&bytes);
        bytes.extend(sum.to_le_bytes());
    }
    bytes
}

fn filters(bits: u64) -> Filters {
    Filters {
        shuffled: bits & 1 != 0,
        deflated: bits & 2 != 0,
        summed: bits & 4 != 0,
    }
}

/// A file with sixteen chunks, of which every third is not stored, in an order
/// other than theirs; and what they hold.
fn file() -> (Vec<u8>, Chunks, Vec<u8>) {
    let (mut bytes, mut list, mut whole) = (vec![0xEE; 77], Vec::new(), Vec::new());
    let fill = vec![1, 2, 3, 4];
    for number in (0..16).rev().filter(|number| number % 3 != 0) {
        let filters = filters(number / 2);
        let stored = stored(&content(number), filters);
        list.push(Chunk {
            number,
            at: bytes.len() as u64,
            len: stored.len() as u64,
            filters,
        });
        bytes.extend(stored);
    }
    list.reverse();
    for number in 0..16 {
        match number % 3 {
            0 => whole.extend(fill.iter().cycle().take(SIZE)),
            _ => whole.extend(content(number)),
        }
    }
    let chunks = Chunks {
        size: SIZE,
        count: 16,
        stored: list,
        fill,
    };
    (bytes, chunks, whole)
}

fn open(bytes: Vec<u8>, chunks: Chunks, room: usize) -> Decoded {
    let source = Arc::new(Memory(Arc::new(bytes)));
    chunked(source, chunks, Arc::new(Room::new(room)))
}

#[test]
fn any_range_is_read_with_room_to_keep_chunks_and_without() {
    for room in [0, 3 * SIZE, 1 << 20] {
        let (bytes, chunks, whole) = file();
        assert_eq!(chunks.total(), whole.len() as u64);
        assert_eq!(chunks.codec(), Codec::Deflate);
        let decoded = open(bytes, chunks, room);
        let packed = decoded.packed.unwrap();
        let reading = Reading {
            start: 0,
            decoded: 100,
        };
        let session = packed.session(reading, None, None).unwrap();
        for start in (0..whole.len() + 50).step_by(97) {
            for len in [0, 1, 5, 900, 1100, 5000] {
                let end = (start + len).min(whole.len());
                let wanted = whole.get(start..end).unwrap_or_default();
                for bytes in [&decoded.bytes, &session] {
                    assert_eq!(bytes.read_vec(start as u64, len).unwrap(), wanted);
                }
            }
        }
        drop(session);
        assert_eq!(packed.cached() > 0, room > 0);
        assert!(packed.cached() <= room);
        decoded.bytes.trim();
        assert_eq!(packed.cached(), 0);
    }
}

#[test]
fn ranges_are_split_between_chunks() {
    let (bytes, mut chunks, _) = file();
    (chunks.size, chunks.stored) = (100 << 10, Vec::new());
    let packed = open(bytes, chunks, 0).packed.unwrap();
    let apart = 300 << 10;
    let places = |range| packed.splits(range, true, None).unwrap().places;
    assert_eq!(places(0..1600 << 10), [1, 2, 3, 4, 5].map(|i| i * apart));
    assert_eq!(places(apart..2 * apart + 1), [2 * apart]);
    assert_eq!(places(5..5), [0; 0]);
    assert_eq!(packed.begin_of(apart + 7), apart);
    assert_eq!(packed.begin_of(apart - 1), 200 << 10);
}

/// The error of reading the only chunk of a file.
fn error_of(bytes: &[u8], change: impl FnOnce(&mut Chunk)) -> (ErrorKind, u64) {
    let mut chunk = Chunk {
        number: 0,
        at: 0,
        len: bytes.len() as u64,
        filters: Filters::default(),
    };
    change(&mut chunk);
    let chunks = Chunks {
        size: SIZE,
        count: 1,
        stored: vec![chunk],
        fill: vec![0; ITEM],
    };
    let error = open(bytes.to_vec(), chunks, 0).bytes.read_vec(3, 1);
    let error = error.unwrap_err();
    (error.kind(), error.offset().unwrap())
}

#[test]
fn what_is_wrong_has_its_byte() {
    let plain = content(1);
    let codec = |at: usize| (ErrorKind::Codec, at as u64);
    assert_eq!(error_of(&plain, |chunk| chunk.len -= 1), codec(0));
    assert_eq!(error_of(&plain, |chunk| chunk.len += 100), codec(0));
    let cut = error_of(&plain[..900], |chunk| chunk.len = SIZE as u64);
    assert_eq!(cut, (ErrorKind::Truncated, 900));
    let behind = error_of(&plain, |chunk| chunk.at = u64::MAX - 3);
    assert_eq!(behind, (ErrorKind::Truncated, u64::MAX - 3));

    let deflated = filters(2);
    let mut packed = stored(&plain, deflated);
    let last = packed.len() - 1;
    let of = |bytes: &[u8]| error_of(bytes, |chunk| chunk.filters = deflated);
    assert_eq!(of(&packed[..last]), codec(last));
    packed[last] ^= 1;
    assert_eq!(of(&packed), codec(last - 3));
    packed[1] ^= 1;
    assert_eq!(of(&packed), codec(0));
    assert_eq!(of(&stored(&plain[1..], deflated)), codec(0));
    let more = [&plain[..], &[0]].concat();
    assert_eq!(of(&stored(&more, deflated)), codec(0));
    assert_eq!(
        error_of(&plain, |chunk| {
            chunk.filters = deflated;
            chunk.len = 1 << 40;
        }),
        codec(0)
    );

    let summed = filters(4);
    let mut packed = stored(&plain, summed);
    packed[500] ^= 1;
    let of = |bytes: &[u8]| error_of(bytes, |chunk| chunk.filters = summed);
    assert_eq!(of(&packed), codec(SIZE));
    assert_eq!(of(&packed[..3]), codec(0));
}

fn unshuffled(bytes: &[u8], item: usize) -> Vec<u8> {
    let mut elements = vec![7; 3];
    unshuffle(bytes, item, &mut elements);
    elements
}

#[test]
fn elements_of_all_sizes_are_put_together() {
    let bytes: Vec<u8> = (0..67).collect();
    for item in [2usize, 4, 8, 16] {
        let n = bytes.len() / item;
        let wanted: Vec<u8> = (0..n * item)
            .map(|i| (i % item * n + i / item) as u8)
            .chain(n as u8 * item as u8..67)
            .collect();
        assert_eq!(unshuffled(&bytes, item), wanted);
    }
    assert_eq!(unshuffled(&bytes, 1), bytes);
}
