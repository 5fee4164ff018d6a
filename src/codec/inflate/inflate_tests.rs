//! Against other decoders, on streams by other encoders and made bit by bit,
//! resumed anywhere.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::maker::{Codes, Maker};
use super::tables::tests::codes;
use super::*;
use crate::random::Random;

/// What a decoder makes of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) data: Vec<u8>,
    pub(super) end: End,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The stream has ended, and so many bytes of it were used.
    Ended(usize),
    /// More is needed.
    Cut,
    Damaged,
}

/// How a stream is decoded: most bytes of input and output of each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) at_mark: bool,
    /// Whether what was decoded before stands before the output.
    pub(super) together: bool,
}

pub(super) const WHOLE: Steps = Steps {
    input: usize::MAX,
    output: 1 << 20,
    at_mark: false,
    together: false,
};

/// What stands before the output, and is the stream's if that is wanted: more
/// than a stream can refer to.
const KEPT: usize = WINDOW + 10;

/// Where a block ends: bits of the stream, and of the data.
pub(super) type Places = Vec<(usize, Boundary, usize)>;

pub(super) fn decode_from(inflate: &mut Inflate, stream: &[u8], steps: Steps) -> (Found, Places) {
    let (mut data, mut used, mut places) = (Vec::new(), 0, Vec::new());
    let mut memory = Vec::with_capacity(KEPT + steps.output);
    loop {
        let rest = &stream[used..];
        let input = &rest[..rest.len().min(steps.input)];
        memory.clear();
        let behind = match steps.together {
            true => data.len().min(KEPT),
            false => 0,
        };
        let memory = &mut memory.spare_capacity_mut()[..KEPT + steps.output];
        let mut output = ReadBuf::new(memory);
        output.push(&[0xEE; KEPT][behind..]);
        output.push(&data[data.len() - behind..]);
        let bound = Bound {
            at_mark: steps.at_mark,
            behind,
            ..Bound::NONE
        };
        let step = inflate.step(input, &mut output, bound);
        data.extend(&output.filled()[KEPT..]);
        let Ok(step) = step else {
            let end = End::Damaged;
            return (Found { data, end }, places);
        };
        used += step.used;
        if let Some(boundary) = inflate.boundary().filter(|_| steps.at_mark) {
            let bits = 8 * used - usize::from(boundary.bits);
            if places
                .last()
                .is_none_or(|last: &(usize, Boundary, usize)| last.0 < bits)
            {
                places.push((bits, boundary, data.len()));
            }
        }
        if step.ended {
            let end = End::Ended(used);
            return (Found { data, end }, places);
        }
        if step.used == 0 && output.room() > 0 && used == stream.len() {
            let end = End::Cut;
            return (Found { data, end }, places);
        }
    }
}

/// By the code for this processor and that for all, and once with what was
/// decoded before standing before the output.
pub(super) fn ours(stream: &[u8], steps: Steps) -> Found {
    let [found, portable] = [false, true].map(|portable| {
        fast::tests::PORTABLE.set(portable);
        let together = steps.together || portable;
        decode_from(&mut Inflate::new(), stream, Steps { together, ..steps }).0
    });
    fast::tests::PORTABLE.set(false);
    assert!(found == portable);
    found
}

pub(super) fn zlib_rs(stream: &[u8]) -> Found {
    let mut inflate = Decompress::new(false);
    let mut data = Vec::new();
    loop {
        data.reserve(1 << 16);
        let used = inflate.total_in() as usize;
        let before = data.len();
        let status = inflate.decompress_vec(&stream[used..], &mut data, FlushDecompress::None);
        // Where it fails, it does not say what it had written.
        let written = inflate.total_out() as usize;
        let end = match status {
            Ok(Status::StreamEnd) => End::Ended(inflate.total_in() as usize),
            Ok(_) if data.len() > before || inflate.total_in() as usize > used => continue,
            Ok(_) => End::Cut,
            Err(_) => End::Damaged,
        };
        data.truncate(written);
        return Found { data, end };
    }
}

fn libdeflate(stream: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut data = vec![0; size];
    let decoded = libdeflater::Decompressor::new().deflate_decompress(stream, &mut data);
    decoded.is_ok_and(|n| n == size).then_some(data)
}

pub(in crate::codec) fn by_zlib(data: &[u8], level: u32) -> Vec<u8> {
    let mut packed = Vec::with_capacity(data.len() + data.len() / 10 + 1000);
    let mut encoder = Compress::new(Compression::new(level), false);
    let status = encoder.compress_vec(data, &mut packed, FlushCompress::Finish);
    assert_eq!(status.unwrap(), Status::StreamEnd);
    packed
}

pub(in crate::codec) fn by_libdeflate(data: &[u8], level: i32) -> Vec<u8> {
    let level = libdeflater::CompressionLvl::new(level).unwrap();
    let mut encoder = libdeflater::Compressor::new(level);
    let mut packed = vec![0; encoder.deflate_compress_bound(data.len())];
    let n = encoder.deflate_compress(data, &mut packed).unwrap();
    packed.truncate(n);
    packed
}

/// A stream made block by block, of all kinds.
pub(in crate::codec) fn made(random: &mut Random, blocks: usize) -> Vec<u8> {
    random.stream(blocks).bytes
}

/// Streams that lead through all of the code: what fuzzing kept.
pub(in crate::codec) fn corpus() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/streams");
    let files = std::fs::read_dir(folder).unwrap();
    let streams = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let streams: Vec<_> = streams.collect();
    assert!(streams.len() > 100);
    streams
}

#[test]
fn streams_of_the_corpus() {
    let (mut ended, mut earlier) = (0, 0);
    for stream in corpus() {
        let (found, wanted) = (ours(&stream, WHOLE), zlib_rs(&stream));
        if wanted.end == End::Cut && found.end == End::Damaged {
            // Codes without any symbol, which zlib refuses where the first comes.
            assert!(wanted.data.starts_with(&found.data));
            earlier += 1;
            continue;
        }
        assert_eq!(found.end, wanted.end);
        assert!(found.end == End::Damaged || found.data == wanted.data);
        ended += usize::from(found.end != End::Damaged);
    }
    assert!(ended > 50 && earlier < 50, "{ended} {earlier}");
}

/// Data of several kinds: noise, smooth, of few values, alike far away, text.
pub(in crate::codec) fn kinds(n: usize) -> Vec<Vec<u8>> {
    let mut random = Random(9);
    let noise: Vec<u8> = (0..n).map(|_| random.below(256) as u8).collect();
    let smooth = (0..n / 2).flat_map(|i| {
        let value = 1000.0 + 300.0 * (i as f64 / 90.0).sin() + random.below(20) as f64;
        (value as i16).to_le_bytes()
    });
    let smooth: Vec<u8> = smooth.collect();
    let few = (0..n)
        .map(|i| (random.below(12) / 11 * (i / 500 % 7)) as u8)
        .collect();
    let far: Vec<u8> = noise.iter().copied().take(32_700).cycle().take(n).collect();
    let words = [
        "voxel ", "affine ", "zooms ", "slope ", "sform\n", "a", ", ",
    ];
    let mut text = String::new();
    while text.len() < n {
        text.push_str(words[random.below(words.len())]);
    }
    vec![noise, smooth, few, far, text.into_bytes()]
}

#[test]
fn streams_of_other_encoders() {
    for data in kinds(300_000).into_iter().chain([vec![], vec![7]]) {
        let zlib = (0..=9).map(|level| by_zlib(&data, level));
        let libdeflate_levels = [0, 1, 3, 6, 9, 12];
        let libdeflate = libdeflate_levels.map(|level| by_libdeflate(&data, level));
        for (i, stream) in zlib.chain(libdeflate).enumerate() {
            let with_more = [&stream[..], &[0x55; 50]].concat();
            for (input, output) in [
                (usize::MAX, 1 << 20),
                (4096, 5000),
                (100, 1 << 16),
                (1 << 16, 300),
            ] {
                let steps = Steps {
                    input,
                    output,
                    at_mark: i % 2 == 0,
                    ..WHOLE
                };
                let found = ours(&with_more, steps);
                assert_eq!(found.end, End::Ended(stream.len()), "{i} {steps:?}");
                assert!(found.data == data, "{i} {steps:?}");
            }
        }
    }
}

#[test]
fn made_streams_are_what_they_were_made_of() {
    let mut random = Random(1);
    for turn in 0..600 {
        let blocks = 1 + random.below(6);
        let made = random.stream(blocks);
        let wanted = Found {
            data: made.data.clone(),
            end: End::Ended(made.bytes.len()),
        };
        assert!(zlib_rs(&made.bytes) == wanted, "the maker is wrong: {turn}");
        let other = libdeflate(&made.bytes, made.data.len());
        assert!(other.is_some_and(|data| data == made.data), "{turn}");
        for output in [1 << 20, 1 + random.below(400)] {
            let steps = Steps { output, ..WHOLE };
            assert!(ours(&made.bytes, steps) == wanted, "{turn} {output}");
        }
    }
}

/// Whatever the pieces of input and output, and where steps stop.
#[test]
fn streams_are_resumed_at_every_byte() {
    let mut random = Random(2);
    for turn in 0..60 {
        let blocks = 1 + random.below(5);
        let made = random.stream(blocks);
        for at_mark in [false, true] {
            for (input, output) in [(1, 1), (1, 1 << 20), (usize::MAX, 1), (7, 3), (40, 400)] {
                let steps = Steps {
                    input,
                    output,
                    at_mark,
                    ..WHOLE
                };
                let found = ours(&made.bytes, steps);
                assert_eq!(found.end, End::Ended(made.bytes.len()), "{turn} {steps:?}");
                assert!(found.data == made.data, "{turn} {steps:?}");
            }
        }
    }
}

#[test]
fn decoding_begins_at_every_block() {
    let mut random = Random(3);
    for turn in 0..200 {
        let blocks = 2 + random.below(6);
        let made = random.stream(blocks);
        for input in [usize::MAX, 1, 50] {
            let steps = Steps {
                input,
                at_mark: true,
                ..WHOLE
            };
            let (found, places) = decode_from(&mut Inflate::new(), &made.bytes, steps);
            assert!(found.data == made.data);
            let begins: Vec<usize> = places.iter().map(|place| place.0).collect();
            assert_eq!(begins, made.begins, "{turn} {input}");
            let mut inflate = Inflate::new();
            for (bits, boundary, position) in places {
                let wanted = &made.data[position.saturating_sub(WINDOW)..position];
                assert!(*boundary.window == *wanted);
                let last = bits.div_ceil(8).checked_sub(1).map_or(0, |i| made.bytes[i]);
                inflate.resume(boundary.bits, last, &boundary.window);
                let rest = &made.bytes[bits.div_ceil(8)..];
                let (found, _) = decode_from(&mut inflate, rest, WHOLE);
                assert_eq!(found.end, End::Ended(rest.len()), "{turn}");
                assert!(found.data == made.data[position..], "{turn} {bits}");
            }
        }
    }
}

/// Small streams of all kinds of blocks.
pub(super) fn small() -> Vec<Maker> {
    let mut random = Random(4);
    let mut all = Vec::new();
    while all.len() < 12 {
        let made = random.stream(3);
        if (40..600).contains(&made.bytes.len()) {
            all.push(made);
        }
    }
    all
}

/// The loop away from the ends looks at nothing behind the input, though codes
/// be as long as they can.
#[test]
fn long_codes_up_to_the_end_of_the_input() {
    let mut random = Random(8);
    // One code for each number of bits, and two of the most.
    let mut literals = vec![0; 286];
    let symbols = [256, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 284, 280];
    for (i, symbol) in symbols.into_iter().enumerate() {
        literals[symbol] = (i as u8 + 1).min(15);
    }
    let mut distances = vec![0; 30];
    for (i, symbol) in (10..26).enumerate() {
        distances[symbol] = (i as u8 + 1).min(15);
    }
    let (literal_codes, distance_codes) = (codes(&literals), codes(&distances));
    let all = Codes {
        literals,
        distances,
    };
    let window: Vec<u8> = (0..WINDOW).map(|_| random.below(256) as u8).collect();
    for copies in 0..60 {
        let mut made = Maker {
            data: window.clone(),
            ..Maker::default()
        };
        made.dynamic(true, &mut random, &all);
        for _ in 0..copies {
            let len = [227 + random.below(31), 115 + random.below(16)][random.below(2)];
            made.copy(
                [&literal_codes, &distance_codes],
                len,
                4097 + random.below(4095),
            );
            for _ in 0..random.below(5) {
                // Of 12 bits, or any number.
                let byte = [11, 1 + random.below(13)][random.below(2)];
                made.literal(&literal_codes, byte as u8);
            }
        }
        made.end(&literal_codes);
        let wanted = &made.data[WINDOW..];
        for cut in [0, 1, 7, 8, 15, 21, 22, 23, 31, 32, 33] {
            let len = made.bytes.len().saturating_sub(cut);
            // In memory of its own, so that what is behind is no one's.
            let stream = made.bytes[..len].to_vec().into_boxed_slice();
            let mut inflate = Inflate::new();
            inflate.resume(0, 0, &window);
            let (found, _) = decode_from(&mut inflate, &stream, WHOLE);
            assert!(wanted.starts_with(&found.data));
            assert!(cut > 0 || found.data == *wanted);
        }
    }
}

/// All lengths at all kinds of distances, also from a window, near the ends of
/// the output and away from them.
#[test]
fn copies_are_exact() {
    let fixed = Codes::fixed();
    let (literals, distances) = (codes(&fixed.literals), codes(&fixed.distances));
    let both = [&literals[..], &distances[..]];
    let mut random = Random(7);
    let window: Vec<u8> = (0..WINDOW).map(|_| random.below(256) as u8).collect();
    for distance in (1..70).chain([255, 4096, 32_767, 32_768]) {
        let mut made = Maker {
            data: window.clone(),
            ..Maker::default()
        };
        made.begin(true, 1);
        for len in 3..=258 {
            made.copy(both, len, distance);
            if len % 3 == 0 {
                made.literal(&literals, len as u8);
            }
        }
        made.end(&literals);
        for output in [1 << 20, 1000, 299, 40] {
            for together in [false, true] {
                let mut inflate = Inflate::new();
                inflate.resume(0, 0, &window);
                let steps = Steps {
                    output,
                    together,
                    ..WHOLE
                };
                let (found, _) = decode_from(&mut inflate, &made.bytes, steps);
                assert_eq!(found.end, End::Ended(made.bytes.len()));
                assert!(found.data == made.data[WINDOW..], "{distance} {output}");
            }
        }
    }
}

/// What is behind the bytes of a step is not touched, whatever is decoded.
#[test]
fn nothing_is_written_beyond_the_bound() {
    let data = &kinds(20_000)[1];
    let stream = by_zlib(data, 6);
    for most in (0..3000).chain([10_000, 19_999]) {
        let mut memory = vec![std::mem::MaybeUninit::new(0xAB); 20_000];
        let mut output = ReadBuf::new(&mut memory);
        let bound = Bound {
            most,
            ..Bound::NONE
        };
        Inflate::new().step(&stream, &mut output, bound).unwrap();
        assert!(*output.filled() == data[..most as usize]);
        let behind = |buffer: &mut ReadBuf<'_>| {
            let most = buffer.room();
            let mut touched = 0;
            for byte in &buffer.unfilled()[..most] {
                // SAFETY: all was written when it was made.
                #[allow(unsafe_code)]
                let byte = unsafe { byte.assume_init() };
                touched += usize::from(byte != 0xAB);
            }
            touched
        };
        assert_eq!(behind(&mut output), 0, "{most}");
    }
}
