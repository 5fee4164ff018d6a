//! Whatever is in a file, reading it takes neither long nor much memory; and
//! good files are read without a second copy of the result.
#![allow(unsafe_code)]

#[path = "../common/mod.rs"]
mod common;
mod dense;
mod mutants;
mod packed;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use arrayproxy::{
    ArrayProxy, ByteOrder, Codec, DType, ErrorKind, Format, Options, Order, ReadAs, Slice, Source,
};
use common::{analyze, bzip2, gzip, mgh, nifti1, zstd, zstd_skippable};

/// Counts what this thread holds, and the most that it ever did. It sees what
/// Rust allocates, bzip2's tables among that; zstd's decoder is C and takes
/// what it needs, its window above all, unseen.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    HELD.set(HELD.get() + change);
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: all is done by the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` holds at a time, beyond what was held before.
fn most_held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let done = work();
    (done, (MOST.get() - before) as usize)
}

fn open_as(bytes: Vec<u8>, format: Option<Format>, strict: bool) -> Option<ArrayProxy> {
    let options = Options::new().format(format).strict(strict);
    match ArrayProxy::open_source(&Source::memory(bytes), None, &options) {
        Ok(proxy) => Some(proxy),
        Err(error) => {
            assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
            None
        }
    }
}

#[test]
fn a_small_file_that_claims_much_takes_nothing() {
    let huge = nifti1(&[32767, 32767, 8, 1], 64, 64, (2.0, 0.0), true);
    for bytes in [huge.clone(), gzip(&huge)] {
        let (error, held) = most_held(|| {
            let proxy = open_as(bytes, None, false).unwrap();
            assert!(
                proxy
                    .warnings()
                    .iter()
                    .any(|warning| warning.contains("cut short"))
            );
            proxy.read_vec::<f64>(&[]).unwrap_err()
        });
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert!(held < 1 << 20, "{held} bytes");
    }
}

/// Dimensions of 2^31 and of 2^15 in headers without data.
#[test]
fn small_files_of_other_formats_that_claim_much_take_nothing() {
    let pair = analyze(ByteOrder::Big, &[32767, 32767, 8], (64, 64), 2.0);
    let single = mgh([i32::MAX, 1 << 20, 1, 2], 3);
    for (bytes, format) in [
        (pair.clone(), None),
        (pair.clone(), Some(Format::Analyze)),
        (pair, Some(Format::Spm99)),
        (single.clone(), Some(Format::Mgh)),
        (gzip(&single), Some(Format::Mgh)),
        (bzip2(&single, 9), Some(Format::Mgh)),
        (zstd(&single, 3, true), Some(Format::Mgh)),
    ] {
        let options = Options::new().format(format);
        let image = (format != Some(Format::Mgh)).then(|| Source::memory(vec![0; 100]));
        let (error, held) = most_held(|| {
            let header = Source::memory(bytes.clone());
            let proxy = ArrayProxy::open_source(&header, image.as_ref(), &options).unwrap();
            assert!(proxy.size() > 1 << 32);
            let is_short = |warning: &String| warning.contains("cut short");
            assert!(proxy.warnings().iter().any(is_short), "{format:?}");
            let _ = proxy.zooms().unwrap();
            proxy.read_vec::<f64>(&[]).unwrap_err()
        });
        // bzip2's tables are as large as its level says.
        let most = if bytes.starts_with(b"BZh") {
            5 << 20
        } else {
            1 << 20
        };
        assert!(held < most, "{format:?}: {held} bytes");
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
    }
    // Without a name or the option, nothing but the data's size tells MGH.
    assert!(open_as(mgh([i32::MAX, 1 << 20, 1, 2], 3), None, false).is_none());
}

/// Streams of some kilobytes that hold a gigabyte of zeros behind a header.
#[test]
fn dense_streams_are_read_no_further_than_asked_for() {
    const ZEROS: usize = 46_000_000;
    let side = 32767;
    let head = nifti1(&[side, side], 2, 8, (1.0, 0.0), true);
    let streams = usize::from(side.unsigned_abs()).pow(2) / ZEROS + 1;
    for codec in [Codec::Bzip2, Codec::Zstd] {
        let pack = |bytes: &[u8]| match codec {
            Codec::Bzip2 => bzip2(bytes, 9),
            _ => zstd(bytes, 19, false),
        };
        let bytes = [pack(&head), pack(&vec![0; ZEROS]).repeat(streams)].concat();
        assert!(bytes.len() < 40_000, "{codec:?}: {} bytes", bytes.len());
        let read_at = |plane: i64| {
            let proxy = open_as(bytes.clone(), None, false).unwrap();
            assert_eq!(proxy.codec(), codec);
            let index = [Slice::At(7), Slice::At(plane)];
            assert_eq!(proxy.read_vec::<u8>(&index).unwrap(), [0]);
        };
        let start = Instant::now();
        let ((), held) = most_held(|| read_at(0));
        let took = start.elapsed();
        assert!(took < Duration::from_millis(500), "{codec:?}: {took:?}");
        assert!(held < 8 << 20, "{codec:?}: {held} bytes");
        // Far on, time is needed but no more memory.
        let ((), held) = most_held(|| read_at(4000));
        assert!(held < 8 << 20, "{codec:?}: {held} bytes");
    }
}

/// What skippable frames claim is not looked for in memory.
#[test]
fn skippable_frames_take_nothing() {
    let head = nifti1(&[4, 4], 2, 8, (1.0, 0.0), true);
    let frame = zstd(&[head, vec![9; 16]].concat(), 3, true);
    let skipped = [zstd_skippable(30 << 20), frame.clone()].concat();
    let (voxels, held) = most_held(|| {
        let source = Source::memory(skipped);
        let proxy = ArrayProxy::open_source(&source, None, &Options::new()).unwrap();
        proxy.read_vec::<u8>(&[]).unwrap()
    });
    assert_eq!(voxels, [9; 16]);
    assert!(held < 1 << 20, "{held} bytes");
    // One that ends beyond the file is the end of it.
    let mut claims = zstd_skippable(8);
    claims[4..8].fill(0xFF);
    let (opened, held) = most_held(|| open_as([claims, frame].concat(), None, false));
    assert!(opened.is_none());
    assert!(held < 1 << 20, "{held} bytes");
}

#[test]
fn no_second_copy_of_the_result() {
    let shape = [64, 64, 32, 16];
    let n = 64 * 64 * 32 * 16usize;
    let head = nifti1(&shape, 4, 16, (0.5, 1.0), true);
    let plain = [head, vec![3; 2 * n]].concat();
    let mut buffer = vec![MaybeUninit::uninit(); 8 * n];
    for bytes in [
        plain.clone(),
        gzip(&plain),
        bzip2(&plain, 1),
        zstd(&plain, 3, true),
    ] {
        let options = Options::new().cache_bytes(Some(0));
        let proxy = ArrayProxy::open_source(&Source::memory(bytes), None, &options).unwrap();
        for (read_as, order) in [
            (ReadAs::auto(), Order::F),
            (ReadAs::auto(), Order::C),
            (ReadAs::disk(), Order::F),
            (ReadAs::dtype(DType::Float32), Order::C),
        ] {
            let plan = proxy.plan(&[], read_as.order(order)).unwrap();
            let (read, held) = most_held(|| plan.read_into(&mut buffer[..], 0, None, None));
            read.unwrap();
            // What goes across the file goes by tiles of 1 MiB.
            let tile = if order == Order::C { 1 << 20 } else { 0 };
            assert!(
                held < tile + (1 << 20),
                "{held} bytes held for a result of {}",
                plan.nbytes()
            );
        }
    }
}
