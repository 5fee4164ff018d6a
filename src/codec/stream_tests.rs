//! What holds for every compression: any order of reads, streams one after the
//! other, cuts, damage, bounded memory.

use std::io::Write;
use std::mem::MaybeUninit;

use super::*;
use crate::codec::{self, Codec};
use crate::error::ErrorKind;
use crate::io::Memory;

fn encode(codec: Codec, data: &[u8]) -> Vec<u8> {
    encode_at(codec, data, 1)
}

fn encode_at(codec: Codec, data: &[u8], level: u32) -> Vec<u8> {
    match codec {
        Codec::None | Codec::Deflate => data.to_vec(),
        Codec::Gzip => {
            let level = flate2::Compression::new(level.max(6));
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Bzip2 => {
            let level = bzip2::Compression::new(level);
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Zstd => {
            let mut packed = vec![0; zstd_safe::compress_bound(data.len())];
            let mut encoder = zstd_safe::CCtx::create();
            let checksum = zstd_safe::CParameter::ChecksumFlag(true);
            encoder.set_parameter(checksum).unwrap();
            let n = encoder.compress2(&mut packed[..], data).unwrap();
            packed.truncate(n);
            packed
        }
    }
}

fn open(codec: Codec, bytes: &[u8]) -> Arc<dyn ReadAt> {
    let source = Arc::new(Memory(Arc::new(bytes.to_vec())));
    codec::open(source, codec, decoding(true, false), None)
        .unwrap()
        .bytes
}

/// As files are read that are kept open, or not; without a cache, so that
/// reads show where they begin.
pub(crate) fn decoding(verify: bool, frugal: bool) -> Decoding {
    Decoding {
        verify,
        cache: 0,
        places: Places {
            wanted: true,
            spacing: None,
            frugal,
            most: None,
        },
        pooled: false,
    }
}

fn codecs() -> impl Iterator<Item = Codec> {
    let all = [Codec::Gzip, Codec::Bzip2, Codec::Zstd];
    all.into_iter().filter(|codec| codec.is_built())
}

/// Bytes that compress to about a half.
pub(crate) fn sample(n: usize) -> Vec<u8> {
    let mut state = 12345u32;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            if i % 3 == 0 {
                (state >> 24) as u8
            } else {
                (i / 1000) as u8
            }
        })
        .collect()
}

#[test]
fn content_tells_the_codec() {
    for codec in codecs() {
        let packed = encode(codec, b"abc");
        assert_eq!(codec::detect(&packed).unwrap(), codec);
        assert_eq!(codec::detect(&encode(codec, b"")).unwrap(), codec);
        assert_eq!(codec::detect(&packed[1..]).unwrap(), Codec::None);
        assert!(packed.len() as u64 * 4 < codec::most_decoded(codec, packed.len() as u64));
    }
    for head in [
        &b"BZh9"[..],
        b"BZh01AY&SY",
        b"BZh91AY&SZ",
        &[0x50, 0x2A, 0x4D, 0x18],
    ] {
        assert_eq!(codec::detect(head).unwrap(), Codec::None, "{head:02x?}");
    }
}

#[test]
#[cfg(feature = "zstd")]
fn skippable_frames_tell_zstd_if_a_frame_follows() {
    let skipped = |content: &[u8]| {
        let size = (content.len() as u32).to_le_bytes();
        [&[0x5A, 0x2A, 0x4D, 0x18], &size, content].concat()
    };
    let data = sample(1000);
    let frame = encode(Codec::Zstd, &data);
    let file = [
        &skipped(b"xy")[..],
        &skipped(b""),
        &frame,
        &skipped(b"z"),
        &frame,
    ]
    .concat();
    assert_eq!(codec::detect(&file).unwrap(), Codec::Zstd);
    assert_eq!(
        codec::detect(&file[..20]).unwrap(),
        Codec::Zstd,
        "so far as it reaches"
    );
    let other = [&skipped(b"xy")[..], b"else"].concat();
    assert_eq!(codec::detect(&other).unwrap(), Codec::None);
    let whole = [&data[..], &data].concat();
    assert_eq!(open(Codec::Zstd, &file).read_vec(0, 9999).unwrap(), whole);
    assert_eq!(
        open(Codec::Zstd, &file).read_vec(995, 10).unwrap(),
        whole[995..1005]
    );
}

#[test]
fn reads_anywhere_in_any_order() {
    let data = sample(300_000);
    for codec in codecs() {
        let stream = open(codec, &encode(codec, &data));
        let mut at = 7u64;
        for _ in 0..30 {
            at = at * 1_103_515_245 % 299_999;
            let len = (at * 31 % 5000) as usize;
            let end = (at as usize + len).min(data.len());
            assert_eq!(stream.read_vec(at, len).unwrap(), &data[at as usize..end]);
        }
        assert_eq!(stream.read_vec(0, 400_000).unwrap(), data);
        assert!(stream.read_vec(300_000, 1).unwrap().is_empty());
        assert!(stream.read_vec(u64::MAX, 1).unwrap().is_empty());
    }
}

#[test]
fn streams_and_junk() {
    let data = sample(70_000);
    let (first, second) = data.split_at(30_000);
    for codec in codecs() {
        let empty = encode(codec, b"");
        let parts = [
            &empty,
            &encode(codec, first),
            &encode(codec, second),
            &empty,
        ];
        let joined = parts.map(|part| &part[..]).concat();
        for tail in [&b""[..], &[0; 100], b"junk", &joined[..2]] {
            let stream = open(codec, &[&joined[..], tail].concat());
            assert_eq!(stream.read_vec(0, 100_000).unwrap(), data);
            assert_eq!(stream.read_vec(29_990, 20).unwrap(), &data[29_990..30_010]);
        }
        assert!(open(codec, &empty).read_vec(0, 10).unwrap().is_empty());
        let error = open(codec, b"neither this nor that")
            .read_vec(0, 1)
            .unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Codec, Some(0)));
        assert!(error.to_string().contains(codec.name()), "{error}");
    }
}

#[test]
fn a_cut_file_gives_what_is_there() {
    let data = sample(250_000);
    for codec in codecs() {
        let packed = encode(codec, &data);
        let mut last = 0;
        for len in (20..packed.len()).step_by(1009).chain([packed.len() - 1]) {
            let found = open(codec, &packed[..len]).read_vec(0, 999_999).unwrap();
            assert!(
                data.starts_with(&found) && found.len() >= last,
                "cut at {len}"
            );
            last = found.len();
        }
        assert!(last > 200_000, "{}: {last}", codec.name());
    }
}

#[test]
fn a_flipped_bit_never_gives_wrong_data() {
    let data = sample(2000);
    for codec in codecs() {
        let packed = encode(codec, &data);
        let mut errors = 0;
        for bit in 8 * 10..8 * packed.len() {
            let mut damaged = packed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let stream = open(codec, &damaged);
            let read = stream.read_vec(0, data.len());
            match read.and_then(|found| stream.check_end(data.len() as u64).map(|()| found)) {
                // Without the stream's end in the file nothing can be checked.
                Ok(found) => assert!(
                    found == data
                        || found.len() < data.len()
                        || stream.read_vec(0, 1 << 20).unwrap().len() > data.len(),
                    "{} bit {bit} gives wrong data",
                    codec.name()
                ),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Codec, "bit {bit}");
                    assert!(error.offset().is_some_and(|at| at <= packed.len() as u64));
                    errors += 1;
                }
            }
        }
        assert!(errors > 8 * packed.len() / 2, "{}: {errors}", codec.name());
    }
}

#[test]
fn a_checksum_behind_the_data_is_looked_at() {
    let data = sample(5000);
    for codec in codecs() {
        let mut packed = encode(codec, &data);
        // Of gzip the size is last, of the others the checksum.
        let end = packed.len() - if codec == Codec::Gzip { 5 } else { 2 };
        packed[end] ^= 1;
        let stream = open(codec, &packed);
        let whole = stream
            .read_vec(0, 5000)
            .and_then(|_| stream.check_end(5000));
        assert_eq!(
            whole.unwrap_err().kind(),
            ErrorKind::Codec,
            "{}",
            codec.name()
        );
        assert_eq!(stream.read_vec(0, 100).unwrap(), &data[..100]);
    }
}

#[test]
fn decoders_are_kept_within_bounds() {
    fn kept<C: Coding>(packed: &[u8], frugal: bool) -> (usize, usize) {
        let decoding = decoding(true, frugal);
        let source = Arc::new(Memory(Arc::new(packed.to_vec())));
        let stream = Stream::<C>::new(source, decoding);
        for at in [90_000, 80_000, 70_000, 60_000, 50_000, 40_000] {
            assert_eq!(stream.read_vec(at, 1).unwrap().len(), 1);
        }
        let kept = stream.shared().kept();
        (kept.len(), kept.iter().map(Decoder::memory).sum())
    }
    let data = sample(100_000);
    let packed = |codec| encode(codec, &data);
    let (n, bytes) = kept::<codec::gzip::Gzip>(&packed(Codec::Gzip), false);
    assert!(n == KEPT && bytes < KEPT << 18, "{n} {bytes}");
    assert_eq!(kept::<codec::gzip::Gzip>(&packed(Codec::Gzip), true).0, 1);
    #[cfg(feature = "bzip2")]
    {
        // Of level 1: 400 KB each. Of level 9 one is too large to be spared.
        let (n, bytes) = kept::<codec::bzip2::Bzip2>(&packed(Codec::Bzip2), false);
        assert!(
            n == KEPT && bytes > KEPT * 400_000 && bytes < KEPT << 20,
            "{n} {bytes}"
        );
        assert_eq!(
            kept::<codec::bzip2::Bzip2>(&packed(Codec::Bzip2), true).0,
            1
        );
        let mut nine = packed(Codec::Bzip2);
        nine[3] = b'9';
        assert_eq!(kept::<codec::bzip2::Bzip2>(&nine, true).0, 0);
        assert_eq!(kept::<codec::bzip2::Bzip2>(&nine, false).0, KEPT);
    }
    #[cfg(feature = "zstd")]
    {
        let (n, bytes) = kept::<codec::zstd::Zstd>(&packed(Codec::Zstd), false);
        assert!((1..=KEPT).contains(&n) && bytes > 100_000 && bytes <= KEPT_BYTES);
    }
}

/// Memory that counts the bytes read of it.
struct Counted(Memory, std::sync::atomic::AtomicU64);

impl ReadAt for Counted {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let before = buffer.room();
        self.0.read_at(offset, buffer)?;
        let read = (before - buffer.room()) as u64;
        self.1.fetch_add(read, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
    fn size(&self) -> Result<Option<u64>> {
        self.0.size()
    }
}

/// Who reads on and on does not come back for what was last, as far as a cache
/// would have it; who does something else may.
#[test]
fn long_walks_pass_the_cache() {
    let data = sample(600_000);
    let packed = encode(Codec::Gzip, &data);
    let source = Arc::new(Memory(Arc::new(packed)));
    let decoding = Decoding {
        cache: 300_000,
        ..decoding(true, false)
    };
    let stream = Stream::<codec::gzip::Gzip>::new(source, decoding);
    let read = |at: usize| {
        let found = stream.read_vec(at as u64, 10_000).unwrap();
        assert!(found == data[at..][..10_000], "{at}");
    };
    let is_kept = |at: u64| {
        let mut memory = [MaybeUninit::uninit(); 1];
        let cache = &stream.shared().cache;
        cache.copy(at, &mut ReadBuf::new(&mut memory)) == 1
    };
    stream.build(1, None).unwrap();
    stream.trim();
    (0..150_000).step_by(10_000).for_each(read);
    assert!([0, 149_999].into_iter().all(is_kept));
    (150_000..500_000).step_by(10_000).for_each(read);
    assert!(![350_000, 499_999].into_iter().any(is_kept));
    // It ends with a gap, be there a place behind it or not.
    let place = *stream
        .shared()
        .index
        .within(500_000..600_000)
        .first()
        .unwrap();
    read(place as usize);
    assert!(is_kept(place) && place > 500_000);
    read(580_000);
    assert!(is_kept(589_999));
    read(350_000);
    assert!(is_kept(350_000));
}

/// Reads that look back now and then do not start over, wherever decoding can
/// begin.
#[test]
fn walks_that_look_back_decode_once() {
    let data = sample(3_000_000);
    for (codec, wanted) in codecs().flat_map(|codec| [(codec, true), (codec, false)]) {
        // Read twice, and in windows that overlap.
        for (len, step, times) in [(20_000, 20_000, 2), (40_000, 20_000, 1)] {
            let memory = Memory(Arc::new(encode_at(codec, &data, 1)));
            let size = memory.0.len() as u64;
            let source = Arc::new(Counted(memory, Default::default()));
            let mut decoding = Decoding {
                cache: 400_000,
                ..decoding(true, false)
            };
            decoding.places.wanted = wanted;
            let bytes = codec::open(source.clone(), codec, decoding, None)
                .unwrap()
                .bytes;
            for at in (0..data.len() - len).step_by(step) {
                for _ in 0..times {
                    let found = bytes.read_vec(at as u64, len).unwrap();
                    assert!(found == data[at..][..len], "{at}");
                }
            }
            let read = source.1.load(std::sync::atomic::Ordering::Relaxed);
            let most = size + size / 4;
            assert!(read < most, "{} {wanted}: {read} of {size}", codec.name());
        }
    }
}

/// What is in the memory before a read is not taken for the data.
#[test]
fn reads_do_not_look_at_what_is_before_them() {
    // All of it refers to 20,000 bytes before.
    let data = sample(20_000).repeat(30);
    let packed = encode(Codec::Gzip, &data);
    for at in [0, 300_000, 340_000] {
        let bytes = open(Codec::Gzip, &packed);
        if at > 300_000 {
            bytes.read_vec(300_000, 40_000).unwrap();
        }
        let mut memory = vec![MaybeUninit::uninit(); 200_000];
        let mut buffer = ReadBuf::new(&mut memory);
        buffer.push(&[0xAA; 40_000]);
        bytes.read_at(at as u64, &mut buffer).unwrap();
        assert!(buffer.filled()[40_000..] == data[at..][..160_000], "{at}");
    }
}

/// However little is kept between reads, one read decodes once.
#[test]
fn pinned_reads_of_spared_memory_do_not_start_over() {
    let data = sample(3_000_000);
    for codec in codecs() {
        let packed = encode_at(codec, &data, 9);
        let size = packed.len() as u64;
        let memory = Memory(Arc::new(packed));
        let source = Arc::new(Counted(memory, Default::default()));
        let decoding = decoding(true, true);
        let stream = codec::open(source.clone(), codec, decoding, None)
            .unwrap()
            .bytes;
        {
            let pinned = stream.pin().unwrap().expect("it keeps more");
            for at in (0..3_000_000).step_by(100_000) {
                let found = pinned.read_vec(at as u64, 100_000).unwrap();
                assert_eq!(found, &data[at..at + 100_000]);
            }
            pinned.check_end(3_000_000).unwrap();
        }
        let read = source.1.load(std::sync::atomic::Ordering::Relaxed);
        assert!(
            read <= size + (64 << 10),
            "{}: {read} of {size}",
            codec.name()
        );
        // What is small enough waits for the next read.
        stream.pin().unwrap().unwrap().read_vec(0, 10).unwrap();
        let before = source.1.load(std::sync::atomic::Ordering::Relaxed);
        stream.pin().unwrap().unwrap().read_vec(10, 10).unwrap();
        let again = source.1.load(std::sync::atomic::Ordering::Relaxed) - before;
        let is_small = codec == Codec::Gzip;
        assert_eq!(again == 0, is_small, "{}: {again}", codec.name());
    }
}

/// What one pass found serves reads in any order: each costs what lies between
/// it and a place before it.
#[test]
fn places_found_on_the_way_serve_all_later_reads() {
    let data = sample(4_000_000);
    // This encoder's level 1 makes one block of all, with no place inside.
    let mut files: Vec<(Codec, Vec<u8>)> = [0, 6, 9]
        .map(|level| {
            let level = flate2::Compression::new(level);
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(&data).unwrap();
            (Codec::Gzip, encoder.finish().unwrap())
        })
        .into();
    // Of many streams, their beginnings serve.
    for codec in codecs() {
        let streams = data.chunks(70_001).map(|part| encode(codec, part));
        files.push((codec, streams.collect::<Vec<_>>().concat()));
    }
    for (codec, packed) in files {
        let source = Arc::new(Counted(Memory(Arc::new(packed)), Default::default()));
        let decoding = decoding(true, false);
        let stream = codec::open(source.clone(), codec, decoding, None)
            .unwrap()
            .bytes;
        assert_eq!(stream.read_vec(0, 5_000_000).unwrap(), data);
        let before = source.1.load(std::sync::atomic::Ordering::Relaxed);
        let mut at = 3_999_990;
        let mut reads = 0;
        while at > 300_000 {
            assert_eq!(stream.read_vec(at as u64, 10).unwrap(), &data[at..at + 10]);
            at -= 99_991;
            reads += 1;
        }
        let read = source.1.load(std::sync::atomic::Ordering::Relaxed) - before;
        let each = read / reads;
        assert!(
            each < 500_000,
            "{}: {each} bytes for each read",
            codec.name()
        );
    }
}

/// Whether checksums count is the same from whichever place a read begins.
#[test]
fn reads_from_places_heed_what_is_verified() {
    let data = sample(900_000);
    let mut packed = encode(Codec::Gzip, &data);
    let last = encode(Codec::Gzip, &data[..1000]);
    packed.extend(&last);
    let end = packed.len();
    packed[end - 6] ^= 1;
    for verify in [true, false] {
        let decoding = decoding(verify, false);
        let source = Arc::new(Memory(Arc::new(packed.clone())));
        let stream = codec::open(source, Codec::Gzip, decoding, None)
            .unwrap()
            .bytes;
        stream.read_vec(0, 900_000).unwrap();
        stream.trim();
        let read = stream.read_vec(890_000, 20_000);
        assert_eq!(read.is_err(), verify);
    }
}

#[test]
fn places_are_shared_by_threads() {
    let data = sample(3_000_000);
    for codec in codecs() {
        let streams = data.chunks(500_000).map(|part| encode(codec, part));
        let stream = open(codec, &streams.collect::<Vec<_>>().concat());
        let read = |seed: u64| {
            let mut at = seed;
            for _ in 0..20 {
                at = at * 1_103_515_245 % 2_999_000;
                let found = stream.read_vec(at, 900).unwrap();
                assert_eq!(found, &data[at as usize..at as usize + 900]);
            }
        };
        std::thread::scope(|scope| {
            for seed in 1..=6 {
                scope.spawn(move || read(seed));
            }
        });
    }
}

/// The checksum of a bzip2 block stands before it and is compared behind it.
#[test]
#[cfg(feature = "bzip2")]
fn the_end_of_a_block_is_sought_behind_the_data() {
    let data = sample(800_000);
    let mut packed = encode_at(Codec::Bzip2, &data, 9);
    packed[12] ^= 1;
    for frugal in [false, true] {
        let decoding = decoding(true, frugal);
        let source = Arc::new(Memory(Arc::new(packed.clone())));
        let stream = codec::open(source, Codec::Bzip2, decoding, None)
            .unwrap()
            .bytes;
        let pinned = stream.pin().unwrap().unwrap_or(stream);
        assert_eq!(pinned.read_vec(0, 300_000).unwrap(), &data[..300_000]);
        let error = pinned.check_end(300_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec);
    }
}

#[test]
#[cfg(feature = "bzip2")]
fn empty_streams_cost_little() {
    let empty = encode(Codec::Bzip2, b"");
    assert_eq!(empty.len(), 14);
    let many = [&empty.repeat(200_000)[..], &encode(Codec::Bzip2, b"abc")].concat();
    let start = std::time::Instant::now();
    assert_eq!(open(Codec::Bzip2, &many).read_vec(0, 10).unwrap(), b"abc");
    // A decoder for each takes a minute.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    let mut wrong = empty;
    wrong[13] = 1;
    let error = open(Codec::Bzip2, &wrong).read_vec(0, 10).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
}

#[test]
fn zlib_streams() {
    let data = sample(3000);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(&data).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(codec::zlib(&packed, 100).unwrap(), &data[..100]);
    assert_eq!(codec::zlib(&packed[..900], 100).unwrap(), &data[..100]);
    assert_eq!(codec::zlib(&packed, 5000).unwrap(), data);
    for most in [3000, 3001, 5000] {
        let error = codec::zlib(&packed[..packed.len() - 1], most).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec);
    }
    for bit in 0..8 * packed.len() {
        let mut damaged = packed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // Of a window that the data do not need, the size may be any.
        let read = codec::zlib(&damaged, 5000);
        assert!(read.is_err() || bit < 16, "bit {bit}");
    }
}

#[test]
#[cfg(not(all(feature = "bzip2", feature = "zstd")))]
fn codecs_that_are_not_built_are_named() {
    for codec in [Codec::Bzip2, Codec::Zstd] {
        if codec.is_built() {
            continue;
        }
        assert_eq!(Codec::parse(codec.name()), None);
        let error = codec::detect(&encode(codec, b"abc")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(codec.name()), "{error}");
        let source: Arc<dyn ReadAt> = Arc::new(Memory(Arc::new(Vec::new())));
        let decoding = decoding(true, false);
        assert!(codec::open(source, codec, decoding, None).is_err());
    }
}
