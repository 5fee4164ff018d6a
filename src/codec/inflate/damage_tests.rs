//! Streams that are cut, damaged, or no streams at all.

use super::maker::{Codes, Maker};
use super::tables::tests::codes;
use super::tests::{End, Steps, WHOLE, by_zlib, decode_from, kinds, ours, small, zlib_rs};
use super::*;
use crate::random::Random;

/// As [`WHOLE`], with memory that is had quickly.
const FEW: Steps = Steps {
    output: 60_000,
    ..WHOLE
};

#[test]
fn cut_streams_give_what_is_there() {
    for made in small() {
        for cut in 0..made.bytes.len() {
            let stream = &made.bytes[..cut];
            let wanted = zlib_rs(stream);
            assert_eq!(wanted.end, End::Cut);
            for input in [usize::MAX, 1, 33] {
                let found = ours(stream, Steps { input, ..FEW });
                assert_eq!(found.end, End::Cut, "{cut} {input}");
                assert!(found.data == wanted.data, "{cut} {input}");
            }
        }
    }
}

#[test]
fn flipped_bits_are_what_other_decoders_make_of_them() {
    let mut ends = [0; 3];
    for made in small() {
        for bit in 0..8 * made.bytes.len() {
            let mut stream = made.bytes.clone();
            stream[bit / 8] ^= 1 << (bit % 8);
            let wanted = zlib_rs(&stream);
            ends[match wanted.end {
                End::Ended(_) => 0,
                End::Cut => 1,
                End::Damaged => 2,
            }] += 1;
            // One byte at a time takes long.
            let inputs = [usize::MAX, 57, 1];
            for &input in &inputs[..if bit % 7 == 0 { 3 } else { 2 }] {
                let found = ours(&stream, Steps { input, ..FEW });
                assert_eq!(found.end, wanted.end, "{bit} {input}");
                if wanted.end != End::Damaged {
                    assert!(found.data == wanted.data, "{bit} {input}");
                }
            }
            if bit % 41 == 0 {
                compare_cuts(&stream);
            }
        }
    }
    assert!(ends.iter().all(|&n| n > 50), "{ends:?}");
}

/// Damage is told where its last bit is there, not before and not behind.
fn compare_cuts(stream: &[u8]) {
    for cut in 0..stream.len() {
        let wanted = zlib_rs(&stream[..cut]);
        let mut inflate = Inflate::new();
        let mut memory = Vec::with_capacity(1 << 16);
        let mut output = ReadBuf::new(memory.spare_capacity_mut());
        let found = inflate.step(&stream[..cut], &mut output, Bound::NONE);
        let end = match found {
            Ok(step) if step.ended => End::Ended(step.used),
            Ok(_) => End::Cut,
            // By zlib such codes are refused where the first would come.
            Err(error) if error.to_string().contains(NO_CODES) => continue,
            Err(_) => End::Damaged,
        };
        assert_eq!(end, wanted.end, "{cut} {stream:?}");
    }
}

const NO_CODES: &str = "codes of lengths of codes that cannot be";

#[test]
fn codes_without_meaning_are_told_at_their_last_bit() {
    let literal = codes(&Codes::fixed().literals)[200];
    // Symbols 286 and 287, and distances 30 and 31 behind a length of 3.
    for (code, bits) in [
        (0x63, 8),
        (0xE3, 8),
        (0b0111_1000_0000, 12),
        (0b1111_1000_0000, 12),
    ] {
        for before in 0..20 {
            let mut made = Maker::default();
            made.begin(true, 1);
            (0..before).for_each(|_| made.put(literal.0, literal.1));
            made.put(code, bits);
            made.put(0, 16);
            compare_cuts(&made.bytes);
        }
    }
    // Codes of one symbol or none, of which one bit or any means nothing.
    let fixed = codes(&Codes::fixed().literals);
    for (symbols, bits) in [(&[256][..], 0b1), (&[256, 257], 0b11), (&[256, 257], 0b01)] {
        for before in 0..20 {
            let mut made = Maker::default();
            made.begin(false, 1);
            (0..before).for_each(|_| made.literal(&fixed, 200));
            made.end(&fixed);
            let mut literals = vec![0; 258];
            symbols.iter().for_each(|&symbol| literals[symbol] = 1);
            let distances = vec![0];
            let all = Codes {
                literals,
                distances,
            };
            made.dynamic(true, &mut Random(before), &all);
            made.put(bits, symbols.len() as u32);
            made.put(0, 16);
            compare_cuts(&made.bytes);
        }
    }
}

/// Nothing of another stream is left in a decoder that begins anew.
#[test]
fn what_was_decoded_before_is_out_of_reach() {
    let fixed = Codes::fixed();
    let (literals, distances) = (codes(&fixed.literals), codes(&fixed.distances));
    let noise = &kinds(40_000)[0];
    let before = by_zlib(noise, 6);
    let window: Vec<u8> = noise[..5].to_vec();
    for (window, near) in [
        (&window[..0], 1),
        (&window[..0], 400),
        (&window, 0),
        (&window, 400),
    ] {
        for too_far in [false, true] {
            let mut made = Maker {
                data: if too_far { noise } else { window }.to_vec(),
                ..Maker::default()
            };
            made.begin(true, 1);
            (0..near).for_each(|_| made.literal(&literals, 9));
            let distance = window.len() + near + usize::from(too_far);
            made.copy([&literals, &distances], 3, distance);
            (0..near).for_each(|_| made.literal(&literals, 9));
            made.end(&literals);
            let wanted = &made.data[window.len()..];
            for behind in [0, 400] {
                let stream = [&made.bytes[..], &vec![0; behind]].concat();
                let mut inflate = Inflate::new();
                assert!(decode_from(&mut inflate, &before, WHOLE).0.data == *noise);
                match window {
                    [] => inflate.reset(),
                    _ => inflate.resume(0, 0, window),
                }
                let (found, _) = decode_from(&mut inflate, &stream, WHOLE);
                let end = match too_far {
                    true => End::Damaged,
                    false => End::Ended(made.bytes.len()),
                };
                assert_eq!(found.end, end, "{} {near}", window.len());
                assert!(too_far || found.data == *wanted);
            }
        }
    }
}

/// Bytes that are no streams, most of them.
#[test]
fn noise_is_what_other_decoders_make_of_it() {
    let mut random = Random(6);
    for turn in 0..20_000 {
        let n = random.below(200);
        let stream: Vec<u8> = (0..n).map(|_| random.below(256) as u8).collect();
        let (found, wanted) = (ours(&stream, FEW), zlib_rs(&stream));
        assert_eq!(found.end, wanted.end, "{turn}");
        assert!(
            found.end == End::Damaged || found.data == wanted.data,
            "{turn}"
        );
    }
}

/// What is wrong is told with the bit where it is.
#[test]
fn errors_name_the_bit() {
    type Make = fn(&mut Maker);
    const LAST: usize = usize::MAX;
    let fixed = codes(&Codes::fixed().literals);
    let cases: [(Make, &str, usize); 10] = [
        (|made| made.begin(true, 3), "a block of no type", 0),
        (
            |made| {
                made.put(1, 8);
                // The length, and what is not its inverse.
                made.put(0x0001_0001, 32);
            },
            "a length of stored bytes",
            8,
        ),
        (
            |made| {
                made.begin(true, 2);
                made.put(30, 5);
                made.put(0, 20);
            },
            "more codes than there are symbols",
            3,
        ),
        (
            |made| {
                made.begin(true, 2);
                made.put(0, 14);
                made.put(0, 12);
            },
            "codes of lengths of codes that cannot be",
            29,
        ),
        (
            |made| {
                made.begin(true, 2);
                made.put(0, 14);
                // 16 and 17 have a bit each.
                made.put(0b001_001, 12);
                made.put(0, 20);
            },
            "a length to repeat before the first",
            29,
        ),
        (
            |made| {
                made.begin(true, 2);
                made.put(0, 14);
                // 18 and 17 have a bit each: 18 is the longer repetition.
                made.put(0b001_001_000, 12);
                made.put(0xFF, 8);
                made.put(0xFF, 8);
            },
            "more lengths of codes than there are codes",
            37,
        ),
        (
            |made| {
                made.begin(true, 2);
                made.put(0, 14);
                // 18 has one bit, and 0: no length at all.
                made.put(0b001_001_000_000, 12);
                made.put(0xED, 8);
                made.put(0xED, 8);
            },
            "no code for the end of a block",
            45,
        ),
        (
            |made| {
                made.begin(true, 1);
                // Symbol 286.
                made.put(0x63, 8);
            },
            "a code that stands for nothing",
            3,
        ),
        (
            |made| {
                made.begin(true, 1);
                // Length 3, distance 30.
                made.put(0b1000000, 7);
                made.put(0b01111, 5);
            },
            "a code that stands for no distance",
            10,
        ),
        (
            |made| {
                let mut literals = vec![0; 257];
                literals[256] = 1;
                let distances = vec![0];
                let all = Codes {
                    literals,
                    distances,
                };
                made.dynamic(true, &mut Random(1), &all);
                // The only code there is is 0.
                made.put(1, 1);
            },
            "a code that stands for nothing",
            LAST,
        ),
    ];
    for (make, text, bit) in cases {
        let mut made = Maker::default();
        make(&mut made);
        let bit = match bit {
            LAST => made.bit_count() - 1,
            bit => bit,
        };
        for zeros in [0, 400] {
            let stream = [&made.bytes[..], &vec![0; zeros]].concat();
            let mut memory = Vec::with_capacity(1000);
            let mut output = ReadBuf::new(memory.spare_capacity_mut());
            let mut inflate = Inflate::new();
            let error = inflate.step(&stream, &mut output, Bound::NONE).unwrap_err();
            assert!(error.to_string().contains(text), "{error} {text}");
            assert!(
                error.to_string().contains(&format!("at bit {}", bit % 8)),
                "{error}"
            );
            assert_eq!(error.offset(), Some(bit as u64 / 8), "{text}");
            assert!(inflate.boundary().is_none());
            let again = inflate.step(&stream, &mut output, Bound::NONE).unwrap_err();
            assert!(again.to_string().contains(text) && again.offset().is_none());
            // Bits may be left of the step before.
            let mut inflate = Inflate::new();
            let mut places = stream.iter().enumerate().filter_map(|(i, byte)| {
                let step = inflate.step(&[*byte], &mut output, Bound::NONE);
                Some((i, step.err()?))
            });
            let (i, error) = places.next().unwrap();
            let counted = error.counted_from(i as u64);
            assert_eq!(counted.offset(), Some(bit as u64 / 8), "{text}");
            assert!(counted.to_string().contains(&format!("at bit {}", bit % 8)));
        }
    }
    // A distance to before the data, near the ends and away from them.
    for literals in [1, 700] {
        let mut made = Maker::default();
        made.begin(true, 1);
        (0..literals).for_each(|_| made.literal(&fixed, 7));
        let bit = made.bit_count();
        made.put(0b1000000, 7);
        made.put(0b10111, 5);
        made.put(0, 13);
        let stream = [&made.bytes[..], &[0; 400]].concat();
        let mut memory = Vec::with_capacity(2000);
        let mut output = ReadBuf::new(memory.spare_capacity_mut());
        let mut inflate = Inflate::new();
        let error = inflate.step(&stream, &mut output, Bound::NONE).unwrap_err();
        assert!(error.to_string().contains(TOO_FAR), "{error}");
        // Behind the length, and the distance with its extra bits.
        assert_eq!(error.offset(), Some((bit as u64 + 25) / 8));
        assert_eq!(output.filled(), vec![7; literals]);
    }
}
