//! gzip files made by another encoder, cut, joined and damaged.

use std::io::Write;

use std::sync::Arc;

use super::*;
use crate::codec::input::PIECE;
use crate::codec::stream::tests::{decoding, sample};
use crate::codec::stream::{KEPT, Stream};
use crate::error::ErrorKind;
use crate::io::{Memory, ReadAt};

pub(in crate::codec) fn deflate(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn open(bytes: &[u8], verify: bool) -> Stream<Gzip> {
    let decoding = decoding(verify, false);
    Stream::new(Arc::new(Memory(Arc::new(bytes.to_vec()))), decoding)
}

#[test]
fn members_zeros_and_junk() {
    let data = sample(70_000);
    let (first, second) = data.split_at(30_000);
    let empty = deflate(b"", 6);
    let joined = [
        &empty[..],
        &deflate(first, 0),
        &[0; 513],
        &deflate(second, 9),
        &empty,
    ]
    .concat();
    for tail in [
        &b""[..],
        &[0; 100],
        b"junk",
        b"\0\0\x1F\x8B",
        b"\x1F\x8B\x08\xFFxxxxxxxxxx",
    ] {
        let gzip = open(&[&joined[..], tail].concat(), true);
        assert_eq!(gzip.read_vec(0, 100_000).unwrap(), data);
        assert_eq!(gzip.read_vec(29_990, 20).unwrap(), &data[29_990..30_010]);
    }
    assert_eq!(open(&empty, true).read_vec(0, 10).unwrap(), []);
}

#[test]
fn header_fields_are_gone_over() {
    let data = sample(1000);
    let plain = deflate(&data, 6);
    let mut fields = plain[..10].to_vec();
    fields[3] = 4 | 8 | 16 | 2 | 1;
    fields.extend([3, 0, b'a', 0, b'c']);
    fields.extend(b"name\0a comment\0\xAB\xCD");
    fields.extend(&plain[10..]);
    assert_eq!(open(&fields, true).read_vec(0, 2000).unwrap(), data);
    // Each by itself.
    let fields_of = [
        (4, &b"\x03\0a\0c"[..]),
        (8, b"name\0"),
        (16, b"a comment\0"),
        (2, b"\xAB\xCD"),
    ];
    for (flag, field) in fields_of {
        let mut one = [&plain[..10], field, &plain[10..]].concat();
        one[3] = flag;
        assert_eq!(open(&one, true).read_vec(0, 2000).unwrap(), data, "{flag}");
    }
    // Cut anywhere in the header, the file holds nothing.
    for len in 10..fields.len() - plain.len() + 10 {
        let error = open(&fields[..len], true).read_vec(0, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec, "cut at {len}");
    }
    let endless = [&fields[..15], &vec![b'x'; 2 << 20]].concat();
    let error = open(&endless, true).read_vec(0, 1).unwrap_err();
    assert!(error.offset() < Some(MOST_HEADER + 99), "{error}");
    fields[3] |= 0x20;
    let error = open(&fields, true).read_vec(0, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
}

#[test]
fn a_cut_file_gives_what_is_there() {
    let data = sample(5000);
    let whole = deflate(&data, 6);
    let mut last = 0;
    for len in 10..whole.len() {
        let found = open(&whole[..len], true).read_vec(0, 9999).unwrap();
        assert!(
            data.starts_with(&found) && found.len() >= last,
            "cut at {len}"
        );
        last = found.len();
    }
    assert_eq!(last, data.len(), "all data are there before the trailer is");
}

#[test]
fn checksums_are_looked_at_where_a_member_was_read_whole() {
    let data = sample(100_000);
    let mut wrong = deflate(&data, 6);
    let end = wrong.len();
    wrong[end - 6] ^= 1;
    let gzip = open(&wrong, true);
    assert_eq!(gzip.read_vec(0, 99_999).unwrap(), &data[..99_999]);
    let error = gzip.read_vec(0, 100_000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
    assert!(error.to_string().contains("checksum"), "{error}");
    assert_eq!(
        gzip.read_vec(99_000, 1000).unwrap_err().kind(),
        ErrorKind::Codec
    );
    assert_eq!(open(&wrong, false).read_vec(0, 100_000).unwrap(), data);
    wrong[end - 6] ^= 1;
    wrong[end - 1] ^= 1;
    let error = open(&wrong, true).read_vec(0, 100_000).unwrap_err();
    assert!(error.to_string().contains("100000"), "{error}");
}

#[test]
fn memory_stays_bounded() {
    // 64 MB of zeros in 64 KB: decoding must not hold what it skips.
    let zeros = deflate(&vec![0; 64 << 20], 9);
    let gzip = open(&zeros, true);
    for _ in 0..2 * KEPT {
        assert_eq!(gzip.read_vec((64 << 20) - 1, 10).unwrap(), [0]);
        assert_eq!(gzip.read_vec(0, 1).unwrap(), [0]);
    }
    let kept = gzip.shared().kept();
    assert!(kept.len() <= KEPT);
    assert!(
        kept.iter()
            .all(|decoder| decoder.memory() <= PIECE + MEMORY)
    );
}

#[test]
fn kept_decoders_are_the_nearest_and_the_newest() {
    let data = sample(100_000);
    let gzip = open(&deflate(&data, 6), true);
    let positions = || {
        let kept = gzip.shared().kept();
        let mut found: Vec<u64> = kept.iter().map(|decoder| decoder.position).collect();
        found.sort_unstable();
        found
    };
    // None of those kept is before it, so each is a new one; the first goes.
    for at in [50_000, 40_000, 30_000, 20_000, 10_000] {
        gzip.read_vec(at, 10).unwrap();
    }
    assert_eq!(positions(), [10_010, 20_010, 30_010, 40_010]);
    gzip.read_vec(35_000, 10).unwrap();
    assert_eq!(positions(), [10_010, 20_010, 35_010, 40_010]);
    gzip.trim();
    assert_eq!(positions(), [0; 0]);
}

#[test]
fn damage_stays_an_error() {
    let mut wrong = deflate(&sample(30_000), 6);
    let end = wrong.len();
    wrong[end - 6] ^= 1;
    let gzip = open(&[wrong, deflate(&sample(5000), 6)].concat(), true);
    for at in [29_990, 30_000, 30_010] {
        let error = gzip.read_vec(at, 100).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec, "{at}");
    }
}

#[test]
fn the_look_behind_the_data_ends_with_their_member() {
    let data = sample(20_000);
    // A stored block of 2000 bytes, and one of a type that there is not.
    let mut wrong = deflate(&data, 6)[..10].to_vec();
    wrong.extend([0, 0xD0, 0x07, 0x2F, 0xF8]);
    wrong.extend(&data[..2000]);
    wrong.extend([7; 20]);
    for verify in [true, false] {
        let gzip = open(&wrong, verify);
        assert_eq!(gzip.read_vec(0, 1000).unwrap(), &data[..1000]);
        assert_eq!(gzip.check_end(1000).is_err(), verify);
    }
    let gzip = open(&[deflate(&data, 6), wrong].concat(), true);
    assert_eq!(gzip.read_vec(0, 20_000).unwrap(), data);
    gzip.check_end(20_000).unwrap();
}

/// Memory that can be pinned.
struct Pinnable(Arc<Memory>);

impl ReadAt for Pinnable {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<()> {
        self.0.read_at(offset, buffer)
    }
    fn size(&self) -> Result<Option<u64>> {
        self.0.size()
    }
    fn pin(&self) -> Result<Option<Arc<dyn ReadAt>>> {
        Ok(Some(self.0.clone()))
    }
}

#[test]
fn pinned_reads_share_decoders_and_settings() {
    let data = sample(10_000);
    let mut wrong = deflate(&data, 6);
    let end = wrong.len();
    wrong[end - 6] ^= 1;
    for verify in [true, false] {
        let source = Pinnable(Arc::new(Memory(Arc::new(wrong.clone()))));
        let decoding = decoding(verify, false);
        let gzip = Stream::<Gzip>::new(Arc::new(source), decoding);
        let pinned = || gzip.pin().unwrap().unwrap();
        assert_eq!(pinned().read_vec(0, 9000).unwrap(), &data[..9000]);
        assert_eq!(gzip.shared().kept()[0].position, 9000);
        assert_eq!(pinned().read_vec(9000, 1000).is_err(), verify);
    }
}
