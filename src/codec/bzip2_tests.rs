//! Streams of several blocks, cut, damaged, and with magics inside blocks.

use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::codec::Packed;
use crate::codec::stream::Stream;
use crate::codec::stream::tests::{decoding, sample};
use crate::error::ErrorKind;
use crate::io::{Memory, ReadAt};

fn encode(data: &[u8], level: u32) -> Vec<u8> {
    let level = ::bzip2::Compression::new(level);
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), level);
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn open(bytes: &[u8]) -> Stream<Bzip2> {
    let mut decoding = decoding(true, false);
    decoding.places.spacing = Some(1);
    Stream::new(Arc::new(Memory(Arc::new(bytes.to_vec()))), decoding)
}

/// Read all and then from behind, with nothing kept but places. Gives how many
/// those are.
fn check(bytes: &[u8], data: &[u8]) -> usize {
    let stream = open(bytes);
    assert!(stream.read_vec(0, data.len() + 9).unwrap() == data);
    stream.check_end(data.len() as u64).unwrap();
    let points = stream.shared().index.within(0..u64::MAX);
    for &at in points.iter().rev() {
        stream.trim();
        for at in [at as usize, at as usize - 1] {
            let end = data.len().min(at + 300_000);
            let found = stream.read_vec(at as u64, end - at).unwrap();
            assert!(found == data[at..end], "from byte {at}");
        }
        stream.trim();
        assert!(stream.read_vec(at, data.len()).unwrap() == data[at as usize..]);
    }
    points.len()
}

#[test]
fn decoding_begins_at_blocks() {
    let data = sample(700_000);
    let one = encode(&data, 1);
    assert_eq!(check(&one, &data), 7);
    let (front, back) = data.split_at(200_000);
    let two = [encode(front, 9), encode(back, 2), encode(b"", 1)].concat();
    assert_eq!(check(&two, &data), 4);
    // Blocks that end with the data, and those that are far longer than they
    // seem.
    let exact = &data[..99_981];
    check(
        &[encode(exact, 1), encode(exact, 1)].concat(),
        &exact.repeat(2),
    );
    let zeros = vec![0; 12_000_000];
    assert!(check(&encode(&zeros, 1), &zeros) == 2);
    // At whatever byte what is read at a time ends.
    for extra in 0..9 {
        let mut data = sample(150_000);
        data.truncate(data.len() - extra);
        let front = encode(&data[..extra], 1);
        let all = [&data[..extra], &data].concat();
        check(&[front, encode(&data, 1)].concat(), &all);
    }
}

#[test]
fn cuts_give_whole_blocks() {
    let data = sample(250_000);
    let bytes = encode(&data, 1);
    let mut last = 0;
    for len in (20..bytes.len()).step_by(173).chain([bytes.len() - 1]) {
        let stream = open(&bytes[..len]);
        let found = stream.read_vec(0, 300_000).unwrap();
        assert!(
            data.starts_with(&found) && found.len() >= last,
            "cut at {len}"
        );
        last = found.len();
        // From the last place that was found.
        stream.trim();
        if let Some(&at) = stream.shared().index.within(0..u64::MAX).last() {
            assert!(stream.read_vec(at, 300_000).unwrap() == found[at as usize..]);
        }
    }
    assert_eq!(last, data.len());
}

#[test]
fn damage_is_found_from_places_too() {
    let data = sample(350_000);
    let good = encode(&data, 1);
    let points = {
        let stream = open(&good);
        stream.read_vec(0, data.len()).unwrap();
        stream.shared().index.within(0..u64::MAX)
    };
    // In the second block and behind.
    let first = good.len() * 2 / 7 + 2000;
    for byte in (first..good.len())
        .step_by(991)
        .chain([good.len() - 2, good.len() - 4])
    {
        let mut bytes = good.clone();
        bytes[byte] ^= 0x10;
        let stream = open(&bytes);
        let whole = stream.read_vec(0, data.len());
        let whole = whole.and_then(|whole| {
            stream.check_end(data.len() as u64)?;
            Ok(whole)
        });
        let error = match whole {
            // A block without an end looks like one that was cut.
            Ok(whole) => {
                assert!(whole.len() < data.len() && data.starts_with(&whole));
                continue;
            }
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Codec);
        assert!(error.offset().is_some_and(|at| at <= good.len() as u64));
        // Blocks before are read, those behind a known place too.
        assert!(stream.read_vec(0, 90_000).unwrap() == data[..90_000]);
        let at = points[points.len() - 1];
        if byte < good.len() * 4 / 7 && stream.begin_of(at) == at {
            assert!(stream.read_vec(at, 1000).unwrap() == data[at as usize..][..1000]);
        }
    }
}

/// Bits in a row.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u64, n: u32) {
        self.0.extend((0..n).rev().map(|i| value >> i & 1 == 1));
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            (0..8).fold(0, |byte, i| {
                byte << 1 | u8::from(bits.get(i) == Some(&true))
            })
        };
        self.0.chunks(8).map(byte).collect()
    }
}

/// CRC-32 as bzip2 has it: the highest bit first.
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}

/// A block whose codes are the bytes themselves, from 2 to 253; gives its data.
fn block_of_codes(bits: &mut Bits, codes: &[u8]) -> (Vec<u8>, u32) {
    let mut front: Vec<u8> = (0..=255).collect();
    let column: Vec<u8> = codes
        .iter()
        .map(|&code| {
            let byte = front.remove(usize::from(code) - 1);
            front.insert(0, byte);
            byte
        })
        .collect();
    // The transform undone: row by row, sorted by their bytes.
    let mut rows: Vec<usize> = (0..column.len()).collect();
    rows.sort_by_key(|&row| column[row]);
    let mut row = rows[0];
    let data: Vec<u8> = (0..column.len())
        .map(|_| {
            let byte = column[row];
            row = rows[row];
            byte
        })
        .collect();
    assert!(
        data.windows(4)
            .all(|four| four.iter().any(|byte| *byte != four[0]))
    );
    let sum = crc(&data);
    bits.put(0x3141_5926_5359, 48);
    bits.put(sum.into(), 32);
    bits.put(0, 25);
    (0..17).for_each(|_| bits.put(0xFFFF, 16));
    // Two tables, the first for all: lengths 8, of the last four symbols 9.
    let groups = (codes.len() + 1).div_ceil(50);
    bits.put(2, 3);
    bits.put(groups as u64, 15);
    (0..groups).for_each(|_| bits.put(0, 1));
    for _ in 0..2 {
        bits.put(8, 5);
        (0..254).for_each(|_| bits.put(0, 1));
        bits.put(0b100, 3);
        bits.put(0, 3);
    }
    codes.iter().for_each(|&code| bits.put(code.into(), 8));
    bits.put(0x1FF, 9);
    (data, sum)
}

#[test]
fn magics_inside_blocks_are_passed() {
    let mut random = 1u32;
    let mut codes = |n: usize| -> Vec<u8> {
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        };
        (0..n).map(|_| next() % 250 + 3).collect()
    };
    let block = b"\x31\x41\x59\x26\x53\x59";
    let end = b"\x17\x72\x45\x38\x50\x90";
    let mut bits = Bits::default();
    bits.put(0x425A_6831, 32);
    let (mut data, mut combined) = (Vec::new(), 0u32);
    for magics in [
        &[&block[..]][..],
        &[],
        &[end, block],
        &[block, end, end],
        &[],
    ] {
        let mut all = codes(3000);
        for magic in magics {
            all.extend_from_slice(magic);
            all.extend(codes(70_000 / (magics.len() + 1)));
        }
        // Right at the end of the block too.
        all.extend(magics.iter().copied().flatten());
        let (more, sum) = block_of_codes(&mut bits, &all);
        data.extend(more);
        combined = combined.rotate_left(1) ^ sum;
    }
    bits.put(0x1772_4538_5090, 48);
    bits.put(combined.into(), 32);
    let bytes = bits.bytes();
    let mut decoded = Vec::new();
    let mut decoder = ::bzip2::read::BzDecoder::new(&bytes[..]);
    std::io::Read::read_to_end(&mut decoder, &mut decoded).unwrap();
    assert!(decoded == data, "the blocks are as they should be");
    assert_eq!(check(&bytes, &data), 4);
    // The sum of the stream counts where it was decoded from its begin.
    let mut wrong = bytes.clone();
    let last = wrong.len() - 2;
    wrong[last] ^= 4;
    let stream = open(&wrong);
    let whole = stream.read_vec(0, data.len());
    assert!(
        whole
            .and_then(|_| stream.check_end(data.len() as u64))
            .is_err()
    );
    stream.trim();
    assert!(stream.read_vec(data.len() as u64 - 9, 99).unwrap() == data[data.len() - 9..]);
}
