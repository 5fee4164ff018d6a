//! What is not proven never becomes a value: guesses of a file's structure,
//! index files of others, and calls that meet damage at the same time.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arrayproxy::{ArrayProxy, ErrorKind, Options};
use common::series::{
    Foreign, SLICE, Single, flushed, image, is_right, open, part, read, slices, trailer,
};
use common::{Folder, Random};
use flate2::{Compress, Compression, FlushCompress};

/// Decoded bytes between the flushes of `pigz -i`.
const PIECE: usize = 128 << 10;

/// A stored piece can hold what looks like the flushes.
#[test]
fn what_only_looks_like_a_flush_shifts_nothing() {
    let mut plain = image();
    let flushes = [0, 0, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF];
    plain[5 * PIECE + 1000..][..9].copy_from_slice(&flushes);
    let packed = flushed(&plain, PIECE, 0);
    for threads in [1, 2, 4] {
        let proxy = open(&packed, &Options::new().threads(threads));
        for (from, to) in [(40, 90), (0, 96), (10, 95), (60, 61)] {
            let found = read(&proxy, &slices(from, to)).unwrap();
            assert!(found == part(&plain, from, to), "{from}..{to}");
        }
    }
}

/// Flushes at irregular places are a wrong guess, which stays with who made it.
#[test]
fn a_wrong_guess_harms_no_other_call() {
    let plain = image();
    let mut packed = flushed(&plain[..40 * PIECE], PIECE, 6);
    packed.truncate(packed.len() - 10);
    let mut random = Random(3);
    let mut encoder = Compress::new(Compression::new(6), false);
    packed.reserve(plain.len());
    let mut at = 40 * PIECE;
    while at < plain.len() {
        let end = plain.len().min(at + 30_000 + random.below(200_000));
        encoder
            .compress_vec(&plain[at..end], &mut packed, FlushCompress::Sync)
            .unwrap();
        packed.extend([0, 0, 0, 0xFF, 0xFF]);
        encoder.reset();
        at = end;
    }
    encoder
        .compress_vec(&[], &mut packed, FlushCompress::Finish)
        .unwrap();
    packed.extend(trailer(&plain));
    for _ in 0..10 {
        let proxy = open(&packed, &Options::new().threads(2));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(read(&proxy, &[]).unwrap() == plain[352..]));
            for t in [95, 50, 93] {
                assert!(is_right(&proxy, &plain, t), "{t}");
            }
        });
        assert!(read(&proxy, &slices(90, 96)).unwrap() == plain[352 + 90 * SLICE..]);
    }
}

/// However many calls meet it at once, each of them tells of the damage.
#[test]
fn every_call_finds_a_wrong_checksum() {
    let mut plain = image();
    let array = plain.len();
    for behind in [0, 200] {
        plain.resize(array + behind, 1);
        let mut packed = flushed(&plain, PIECE, 1);
        let end = packed.len();
        packed[end - 6] ^= 1;
        // With room to keep what is decoded, calls hand it on to each other.
        for (cache, keep_open) in [(0, true), (0, false), (64 << 20, true)] {
            let options = Options::new()
                .threads(2)
                .cache_bytes(Some(cache))
                .keep_open(keep_open);
            for _ in 0..5 {
                let proxy = open(&packed, &options);
                let found = AtomicUsize::new(0);
                std::thread::scope(|scope| {
                    for _ in 0..3 {
                        scope.spawn(|| {
                            let error = read(&proxy, &[]).map(drop);
                            let is_found =
                                error.is_err_and(|error| error.kind() == ErrorKind::Codec);
                            found.fetch_add(usize::from(is_found), Relaxed);
                        });
                    }
                });
                assert_eq!(found.into_inner(), 3, "{behind} {cache} {keep_open}");
            }
        }
    }
}

#[test]
fn wrong_windows_of_others_are_found_and_not_passed_on() {
    let file = Single::new("windows");
    let theirs = file.foreign(None);
    let last = theirs.places.len() - 5;
    let index = theirs.harm(|i, _| i >= last);
    let index = file.folder.write("index", &index.bytes);
    for threads in [1, 2] {
        let proxy = file.open(&Options::new().threads(threads));
        proxy.load_index(&index).unwrap();
        // May be wrong, for nothing tells.
        let _ = read(&proxy, &slices(90, 92));
        let again = file.folder.path("again");
        proxy.save_index(&again).unwrap();
        let saved = std::fs::read(&again).unwrap();
        let theirs = Foreign::from(&saved).bytes;
        assert_eq!(theirs.len(), saved.len(), "it vouches for nothing");
        let whole = || {
            std::thread::scope(|scope| {
                let reads =
                    [0; 3].map(|_| scope.spawn(|| read(&proxy, &[]).unwrap() == file.plain[352..]));
                reads.map(|read| read.join().unwrap())
            })
        };
        assert_eq!(whole(), [true; 3]);
        // What a whole read came by is right from then on.
        proxy.trim();
        for t in (0..96).rev() {
            assert!(is_right(&proxy, &file.plain, t), "{t}");
        }
    }
}

/// A sparse index still has the checksums of all that lies between.
#[test]
fn spans_of_a_thinned_index_are_compared() {
    let folder = Folder::new("thinned");
    let plain = image();
    let packed = flushed(&plain, PIECE, 0);
    let path = folder.write("a.nii.gz", &packed);
    let index = folder.path("index");
    let spare = Options::new().keep_open(false);
    let proxy = ArrayProxy::open_with(&path, &spare).unwrap();
    proxy.build_index(None).unwrap();
    proxy.save_index(&index).unwrap();
    assert!(proxy.index_info().points < 10);
    for part in 0..20 {
        let mut damaged = packed.clone();
        damaged[packed.len() * (2 * part + 1) / 40] ^= 1;
        folder.write("a.nii.gz", &damaged);
        let proxy = ArrayProxy::open_with(&path, &spare).unwrap();
        proxy.load_index(&index).unwrap();
        let error = read(&proxy, &slices(1, 96)).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Codec, "{part}");
    }
}

/// Programs that hold thousands of files have no thousands of indexes open.
#[test]
#[cfg(target_os = "linux")]
fn index_files_are_closed_where_files_are() {
    // Of one stream: its places have windows, which are read when needed.
    let file = Single::new("closed");
    let index = file.folder.path("closed.gzidx");
    let proxy = file.open(&Options::new());
    proxy.build_index(None).unwrap();
    proxy.save_index(&index).unwrap();
    let open_files = || {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let targets = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        targets.filter(|target| *target == index).count()
    };
    for keep_open in [true, false] {
        let proxy = file.open(&Options::new().keep_open(keep_open));
        proxy.load_index(&index).unwrap();
        for t in [90, 40] {
            assert!(is_right(&proxy, &file.plain, t), "{t}");
            assert_eq!(open_files(), usize::from(keep_open));
        }
    }
}
