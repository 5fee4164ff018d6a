//! Whatever is in a file, reading it takes neither long nor much memory; and
//! good files are read without a second copy of the result.
#![allow(unsafe_code)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use arrayproxy::{
    ArrayProxy, ByteOrder, DType, ErrorKind, Format, Options, Order, ReadAs, Slice, Source, Which,
    parse_index,
};
use common::{Random, gzip, nifti1, nifti2};

/// Counts what this thread holds, and the most that it ever did.
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

/// Values that headers are broken with.
const ODD: [u64; 12] = [
    0,
    1,
    7,
    8,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0x7FC0_0000,
    u64::MAX,
    i64::MAX as u64,
];

fn mutate(random: &mut Random, seed: &[u8], fields: usize) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(fields.min(bytes.len()));
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            // A whole field, in either byte order.
            2 | 3 => {
                let width = random.pick(&[2, 4, 8]);
                let at = at / width * width;
                let value = random.pick(&ODD);
                let field = if random.below(2) == 0 {
                    value.to_le_bytes()[..width].to_vec()
                } else {
                    value.to_be_bytes()[8 - width..].to_vec()
                };
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&field[..end - at]);
            }
            4 => bytes.truncate(random.below(bytes.len() + 1)),
            _ => bytes.extend(std::iter::repeat_n(random.next() as u8, random.below(40))),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// Ask for all that a proxy knows, and read what is not too large.
fn use_proxy(proxy: &ArrayProxy) {
    for which in [Which::Best, Which::Sform, Which::Qform, Which::Base] {
        let _ = proxy.affine(which);
    }
    let _ = (
        proxy.zooms(),
        proxy.warnings(),
        proxy.header(),
        proxy.data_offset(),
    );
    assert!(proxy.chunk_shape(1 << 20).iter().all(|&n| n > 0));
    let _ = proxy.reshape(&[-1]);
    let ends: Vec<Slice> = proxy.shape().iter().map(|_| Slice::At(-1)).collect();
    for (index, dtype) in [
        (&ends[..], DType::Float32),
        (&[Slice::Ellipsis][..], DType::Float64),
    ] {
        let Ok(plan) = proxy.plan(index, ReadAs::dtype(dtype)) else {
            continue;
        };
        let _ = plan.cost();
        let read = match dtype {
            DType::Float32 => plan.read_vec::<f32>().map(drop),
            // Dense streams may hold far more than a file justifies.
            _ if plan.nbytes() > 1 << 20 => continue,
            _ => plan.read_vec::<f64>().map(drop),
        };
        if let Err(error) = read {
            assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
        }
    }
}

/// 100,000 mutants of the seeds; each may take 16 times its size and 16 MiB,
/// and a second.
fn survive(
    name: &str,
    seeds: &[Vec<u8>],
    fields: usize,
    open: &dyn Fn(Vec<u8>, usize) -> Option<ArrayProxy>,
) {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let (mut opened, mut refused) = (0, 0);
    for round in 0..100_000 {
        let seed = &seeds[round % seeds.len()];
        let bytes = mutate(&mut random, seed, fields);
        let size = bytes.len();
        let start = Instant::now();
        let (proxy, held) = most_held(|| {
            let proxy = open(bytes.clone(), round)?;
            use_proxy(&proxy);
            Some(proxy)
        });
        let took = start.elapsed();
        assert!(
            held <= 16 * size + (16 << 20),
            "{name} {round}: {held} bytes for {size}"
        );
        assert!(took < Duration::from_secs(1), "{name} {round}: {took:?}");
        *if proxy.is_some() {
            &mut opened
        } else {
            &mut refused
        } += 1;
    }
    assert!(
        opened > 1000 && refused > 1000,
        "{name}: {opened} opened, {refused} refused"
    );
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

fn seeds1() -> Vec<Vec<u8>> {
    let data = [7; 4096];
    [
        nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), true),
        nifti1(&[4, 5, 6, 2], 1792, 128, (2.0, 0.0), true),
        nifti1(&[10, 10], 128, 24, (0.0, 0.0), true),
        nifti1(&[-1, 1, 1], 16, 32, (1.0, 0.0), true),
    ]
    .iter()
    .map(|head| [&head[..], &data].concat())
    .collect()
}

fn seeds2() -> Vec<Vec<u8>> {
    let data = [9; 4096];
    [
        nifti2(&[4, 5, 6], 4, 16, (0.5, 1.0)),
        nifti2(&[1, 1, 1, 1, 9, 10], 16, 32, (1e300, 0.0)),
    ]
    .iter()
    .map(|head| [&head[..], &data].concat())
    .collect()
}

#[test]
fn mutated_nifti1() {
    survive("nifti1", &seeds1(), 352, &|bytes, round| {
        open_as(
            bytes,
            [None, Some(Format::Nifti1)][round % 2],
            round % 7 == 0,
        )
    });
}

#[test]
fn mutated_nifti2() {
    survive("nifti2", &seeds2(), 544, &|bytes, round| {
        open_as(
            bytes,
            [None, Some(Format::Nifti2)][round % 2],
            round % 7 == 0,
        )
    });
}

#[test]
fn mutated_pairs() {
    let image = vec![5; 3000];
    let heads: Vec<Vec<u8>> = [
        nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), false),
        nifti1(&[4, 5, 6], 512, 16, (0.0, 1.0), true),
        nifti2(&[6, 7, 8], 64, 64, (1.0, 0.0)),
    ]
    .into();
    survive("pairs", &heads, 352, &|bytes, round| {
        let options = Options::new().strict(round % 7 == 0);
        let image = Source::memory(image.clone());
        ArrayProxy::open_source(&Source::memory(bytes), Some(&image), &options).ok()
    });
}

#[test]
fn mutated_gzip() {
    let dense = [
        &nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), true)[..],
        &[0; 20_000],
    ]
    .concat();
    let mut seeds: Vec<Vec<u8>> = seeds1()
        .iter()
        .chain(&seeds2())
        .map(|seed| gzip(seed))
        .collect();
    seeds.push(gzip(&dense));
    seeds.push([gzip(&seeds1()[0][..1000]), gzip(&seeds1()[0][1000..])].concat());
    survive("gzip", &seeds, usize::MAX, &|bytes, round| {
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

#[test]
fn a_dense_header_without_its_image_costs_nothing() {
    let mut head = nifti1(&[4, 4], 4, 16, (1.0, 0.0), false);
    head[108..112].copy_from_slice(&3e7f32.to_le_bytes());
    head.resize(32 << 20, 0);
    let packed = gzip(&head);
    let (opened, held) = most_held(|| open_as(packed, None, false));
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
    for bytes in [plain.clone(), gzip(&plain)] {
        let proxy = open_as(bytes, None, false).unwrap();
        for (read_as, order) in [
            (ReadAs::auto(), Order::F),
            (ReadAs::auto(), Order::C),
            (ReadAs::disk(), Order::F),
            (ReadAs::dtype(DType::Float32), Order::C),
        ] {
            let plan = proxy.plan(&[], read_as.order(order)).unwrap();
            let (read, held) = most_held(|| plan.read_into(&mut buffer[..], 0, None, None));
            read.unwrap();
            assert!(
                held < 1 << 20,
                "{held} bytes held for a result of {}",
                plan.nbytes()
            );
        }
    }
}
