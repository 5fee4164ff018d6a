//! Compressed files, index files and texts of slices with some bytes changed.

use std::time::{Duration, Instant};

use arrayproxy::{
    ArrayProxy, ByteOrder, DType, ErrorKind, Options, Order, Slice, Source, parse_index,
};

use crate::common::{Folder, Random, bzip2, gzip, nifti1, zstd, zstd_skippable};
use crate::mutants::{mutate, seeds1, seeds2, survive};
use crate::{most_held, open_as};

/// Images and a dense one, packed whole and in two streams.
fn packed(pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Vec<u8>> {
    let dense = [
        &nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), true)[..],
        &[0; 20_000],
    ]
    .concat();
    let plain = [seeds1(), seeds2(), vec![dense]].concat();
    let (front, back) = plain[0].split_at(1000);
    let halves = [pack(front), pack(back)].concat();
    plain
        .iter()
        .map(|seed| pack(seed))
        .chain([halves])
        .collect()
}

/// Half of the mutants are images, the other half data of a layout.
fn survive_packed(name: &str, seeds: &[Vec<u8>]) {
    survive(name, seeds, usize::MAX, &|bytes, round| {
        if round % 2 == 0 {
            return open_as(bytes, None, false);
        }
        ArrayProxy::open_layout(
            &Source::memory(bytes),
            (DType::Int16, ByteOrder::Little),
            (&[10, 20], Order::F),
            400,
            (1.0, 0.0),
            &Options::new(),
        )
        .ok()
    });
}

#[test]
fn mutated_gzip() {
    survive_packed("gzip", &packed(gzip));
}

#[test]
fn mutated_bzip2() {
    let seeds = [
        packed(|bytes| bzip2(bytes, 1)),
        packed(|bytes| bzip2(bytes, 9)),
    ];
    survive_packed("bzip2", &seeds.concat());
}

#[test]
fn mutated_zstd() {
    let seeds = [
        packed(|bytes| zstd(bytes, 1, true)),
        packed(|bytes| zstd(bytes, 19, false)),
        packed(|bytes| [zstd_skippable(30), zstd(bytes, 3, true)].concat()),
    ];
    survive_packed("zstd", &seeds.concat());
}

/// Index files of a good gzip file: refused, or of use; the data stay right.
#[test]
fn mutated_index_files() {
    let mut random = Random(0x9ABC_DEF1_1234_5678);
    let data: Vec<u8> = (0..400_000).map(|_| random.next() as u8 & 63).collect();
    let packed = gzip(&data);
    let folder = Folder::new("mutated-index");
    let open = || {
        ArrayProxy::open_layout(
            &Source::memory(packed.clone()),
            (DType::UInt8, ByteOrder::Little),
            (&[400_000], Order::F),
            0,
            (1.0, 0.0),
            &Options::new().index_spacing(Some(100_000)),
        )
        .unwrap()
    };
    let good = open();
    good.build_index(None).unwrap();
    assert!(good.index_info().points > 1, "{:?}", good.index_info());
    good.save_index(folder.path("good.gzidx")).unwrap();
    let seed = std::fs::read(folder.path("good.gzidx")).unwrap();
    let path = folder.path("a.gzidx");
    let (mut taken, mut refused) = (0, 0);
    for round in 0..4000 {
        // Header and points, or anywhere.
        let fields = [90, usize::MAX][round % 2];
        let bytes = mutate(&mut random, &seed, fields);
        let _ = std::fs::remove_file(&path);
        folder.write("a.gzidx", &bytes);
        let start = Instant::now();
        let (_, held) = most_held(|| {
            let proxy = open();
            match proxy.load_index(&path) {
                Ok(()) => taken += 1,
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.kind(), ErrorKind::SeekIndex, "{round}: {error}");
                    assert_eq!(proxy.index_info().points, 0, "{round}");
                }
            }
            let _ = proxy.read_vec::<u8>(&[Slice::At(399_999)]);
            let whole = proxy.read_vec::<u8>(&[]).unwrap();
            assert!(whole == data, "{round}");
        });
        assert!(held < 16 << 20, "{round}: {held} bytes");
        assert!(start.elapsed() < Duration::from_secs(1), "{round}");
    }
    assert!(
        taken > 100 && refused > 1000,
        "{taken} taken, {refused} refused"
    );
}

#[test]
fn mutated_index_texts() {
    let mut random = Random(77);
    let letters = b"0123456789-:,. []newaxisNone...\xC3\xA4";
    let (mut read, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let bytes: Vec<u8> = (0..random.below(12))
            .map(|_| random.pick(letters))
            .collect();
        let text = String::from_utf8_lossy(&bytes);
        match parse_index(&text) {
            Ok(index) => {
                read += 1;
                assert!(index.len() <= text.len());
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.kind(), ErrorKind::Argument);
            }
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}
