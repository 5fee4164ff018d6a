//! What reads of compressed files cost, what they leave to later ones, and how
//! threads share them.

mod common;

use std::io::Write;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arrayproxy::{
    ArrayProxy, ByteOrder, Codec, Control, DType, Error, ErrorKind, IndexFile, IndexMode, Options,
    Order, ReadAs, ReadAt, ReadBuf, Slice, Source, parse_index,
};
use common::{Folder, Random, bzip2, gzip, nifti1, zstd};

const SHAPE: [i16; 4] = [48, 40, 24, 40];
const VOLUME: usize = 48 * 40 * 24;

/// int16 numbers that compress to about a half, each volume another.
fn elements() -> Vec<i16> {
    let mut random = Random(99);
    let n = VOLUME * SHAPE[3] as usize;
    (0..n)
        .map(|i| (i / VOLUME) as i16 * 256 + random.below(200) as i16)
        .collect()
}

fn image(elements: &[i16]) -> Vec<u8> {
    let mut bytes = nifti1(&SHAPE, 4, 16, (0.5, 3.0), true);
    bytes.extend(elements.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// Memory that counts how much is read of it.
struct Counted(Vec<u8>, Arc<AtomicU64>);

impl ReadAt for Counted {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<(), Error> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let n = buffer.push(self.0.get(start..).unwrap_or_default());
        self.1.fetch_add(n as u64, Relaxed);
        Ok(())
    }
    fn size(&self) -> Result<Option<u64>, Error> {
        Ok(Some(self.0.len() as u64))
    }
}

fn counted(bytes: &[u8], options: &Options) -> (ArrayProxy, impl Fn() -> u64 + use<>) {
    let read = Arc::new(AtomicU64::new(0));
    let source = Source::reader(Counted(bytes.to_vec(), read.clone()));
    let proxy = ArrayProxy::open_source(&source, None, options).unwrap();
    (proxy, move || read.swap(0, Relaxed))
}

fn volume(t: usize) -> [Slice; 2] {
    [Slice::Ellipsis, (t as i64).into()]
}

#[test]
fn a_slice_costs_what_the_slice_costs() {
    let elements = elements();
    let packed = gzip(&image(&elements));
    let cold = Options::new().cache_bytes(Some(0));
    let (proxy, read) = counted(&packed, &cold);
    let plan = proxy.plan(&volume(39), ReadAs::disk()).unwrap();
    assert!(plan.cost() > 2 * VOLUME as u64 * 39, "{}", plan.cost());
    proxy.build_index(None).unwrap();
    assert!(
        plan.cost() < 2 * VOLUME as u64 + (300 << 10),
        "{}",
        plan.cost()
    );
    assert_eq!(proxy.index_info().covered, 352 + 2 * elements.len() as u64);
    read();
    for t in [39, 3, 17, 16, 0] {
        let found: Vec<i16> = proxy
            .plan(&volume(t), ReadAs::disk())
            .unwrap()
            .read_vec()
            .unwrap();
        assert!(found == elements[t * VOLUME..][..VOLUME], "{t}");
        assert!(read() < packed.len() as u64 / 5);
    }
}

/// One pass decodes all; the next ones are served from memory, or begin near.
#[test]
fn walks_decode_once() {
    let elements = elements();
    for packed in [
        gzip(&image(&elements)),
        bzip2(&image(&elements), 1),
        image(&elements)
            .chunks(200_000)
            .flat_map(|part| zstd(part, 3, true))
            .collect(),
    ] {
        let options = Options::new().cache_bytes(Some(1 << 20));
        let (proxy, read) = counted(&packed, &options);
        let walk = |order: &mut dyn Iterator<Item = usize>| {
            for t in order {
                let found = proxy
                    .plan(&volume(t), ReadAs::disk())
                    .unwrap()
                    .read_vec::<i16>();
                assert!(found.unwrap() == elements[t * VOLUME..][..VOLUME], "{t}");
            }
            read()
        };
        let size = packed.len() as u64;
        let forward = walk(&mut (0..40));
        assert!(forward < size + size / 8, "{forward} of {size}");
        let backward = walk(&mut (0..40).rev());
        assert!(backward < 2 * size, "{backward} of {size}");
        let again = walk(&mut [0, 1, 0, 1, 0].into_iter());
        assert!(again < size / 8, "{again} of {size}");
    }
}

#[test]
fn threads_share_what_one_can_read() {
    let elements = elements();
    let plain = image(&elements);
    let members: Vec<u8> = plain.chunks(300_000).flat_map(gzip).collect();
    let scaled: Vec<f32> = elements.iter().map(|&x| x as f32 * 0.5 + 3.0).collect();
    for bytes in [
        &plain,
        &gzip(&plain),
        &members,
        &bzip2(&plain, 1),
        &zstd(&plain, 3, true),
    ] {
        for mode in [IndexMode::None, IndexMode::Grow, IndexMode::Build] {
            for threads in [1, 2, 5, 0] {
                let options = Options::new().threads(threads).index_mode(mode);
                let (proxy, _) = counted(bytes, &options.cache_bytes(Some(0)));
                for _ in 0..2 {
                    let found = proxy.read_vec::<f32>(&[]).unwrap();
                    assert!(found == scaled, "{threads} {mode:?}");
                    let plan = proxy.plan(&[], ReadAs::disk().order(Order::C)).unwrap();
                    let found = plan.read_vec::<i16>().unwrap();
                    let last = [47, 39, 23, 39].map(|n: usize| n);
                    let at = ((last[0] * 40 + 7) * 24 + 9) * 40 + 11;
                    let from = ((11 * 24 + 9) * 40 + 7) * 48 + 47;
                    assert_eq!(found[at], elements[from]);
                    assert_eq!(found[found.len() - 1], elements[elements.len() - 1]);
                }
            }
        }
    }
}

#[test]
fn batches_decode_once_and_say_which_is_wrong() {
    let elements = elements();
    let packed = gzip(&image(&elements));
    for threads in [1, 2] {
        let options = Options::new().cache_bytes(Some(0)).threads(threads);
        let (proxy, read) = counted(&packed, &options);
        proxy.build_index(None).unwrap();
        read();
        let mut random = Random(5);
        let boxes: Vec<Vec<Slice>> = (0..300)
            .map(|_| {
                let mut range = |n: i64, len: i64| {
                    let start = random.below((n - len) as usize) as i64;
                    Slice::range(Some(start), Some(start + len), 1)
                };
                vec![range(48, 16), range(40, 16), range(24, 8), range(40, 1)]
            })
            .collect();
        let batch = proxy
            .batch(boxes.iter().map(|one| &one[..]), ReadAs::disk())
            .unwrap();
        let mut results = vec![MaybeUninit::new(0u8); batch.nbytes(None) as usize];
        let control = Control::new();
        batch
            .read_into(&mut results[..], None, Some(&control))
            .unwrap();
        assert_eq!(control.progress(), (batch.nbytes(None), batch.nbytes(None)));
        let size = packed.len() as u64;
        let cost = read();
        // Threads begin at each place, and read ahead of what they decode. Each
        // reads 32 KiB at a time at first.
        let ahead = match threads {
            1 => size / 2,
            _ => proxy.index_info().points * (96 << 10),
        };
        assert!(cost < size + ahead, "{cost} of {size}");
        for (plan, one) in batch.plans().iter().zip(&boxes) {
            let alone = proxy
                .plan(one, ReadAs::disk())
                .unwrap()
                .read_vec::<i16>()
                .unwrap();
            assert_eq!(plan.read_vec::<i16>().unwrap(), alone);
        }
        control.cancel();
        let stopped = batch.read_into(&mut results[..], None, Some(&control));
        assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);
        let wrong = parse_index("0, 0, 0, 40").unwrap();
        let indices = [&boxes[0][..], &wrong[..]];
        let error = proxy.batch(indices, ReadAs::disk()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Index);
        assert!(error.to_string().starts_with("selection 1: "), "{error}");
    }
}

#[test]
fn an_index_is_built_saved_and_loaded() {
    let folder = Folder::new("index");
    let elements = elements();
    let packed = gzip(&image(&elements));
    let path = folder.write("a.nii.gz", &packed);
    let index = folder.path("a.gzidx");
    let proxy = ArrayProxy::open(&path).unwrap();
    let control = Control::new();
    proxy.build_index(Some(&control)).unwrap();
    let (done, total) = control.progress();
    assert!(
        done == total && total + 10_000 > packed.len() as u64,
        "{done} {total}"
    );
    proxy.save_index(&index).unwrap();
    let made = proxy.index_info();
    let options = Options::new().index_file(Some(IndexFile::Path(index.clone())));
    let other = ArrayProxy::open_with(&path, &options).unwrap();
    let loaded = other.index_info();
    assert_eq!((loaded.points, loaded.covered), (made.points, made.covered));
    assert!(loaded.memory < made.memory / 4, "windows stay in the file");
    assert_eq!(
        other.read_vec::<f32>(&volume(30)).unwrap()[5],
        elements[30 * VOLUME + 5] as f32 * 0.5 + 3.0
    );
    // By any number of threads it is the same.
    let threads = ArrayProxy::open_with(&path, &Options::new().threads(3)).unwrap();
    let watched = Control::new();
    threads.build_index(Some(&watched)).unwrap();
    assert_eq!(watched.progress(), (total, total));
    let same = folder.path("b.gzidx");
    threads.save_index(&same).unwrap();
    assert!(std::fs::read(&same).unwrap() == std::fs::read(&index).unwrap());
    // A stopped build goes on where it was.
    let fresh = ArrayProxy::open(&path).unwrap();
    control.cancel();
    let stopped = fresh.build_index(Some(&control)).unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
    control.reset();
    fresh.build_index(Some(&control)).unwrap();
    assert_eq!(fresh.index_info().points, made.points);
    let none = ArrayProxy::open_with(&path, &Options::new().index_mode(IndexMode::None)).unwrap();
    for error in [
        none.build_index(None),
        none.save_index(&index),
        none.load_index(&index),
    ] {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Argument);
    }
    let plain = folder.write("plain.nii", &image(&elements));
    let plain = ArrayProxy::open(plain).unwrap();
    plain.build_index(None).unwrap();
    assert_eq!(
        plain.save_index(&index).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

/// Blocks that end where a place is due make it, whoever decodes.
#[test]
fn places_are_the_same_whoever_finds_them() {
    let plain = image(&elements());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    for part in plain.chunks(128 << 10) {
        encoder.write_all(part).unwrap();
        encoder.flush().unwrap();
    }
    let packed = encoder.finish().unwrap();
    let folder = Folder::new("places");
    let found = [1, 3].map(|threads| {
        let (proxy, _) = counted(&packed, &Options::new().threads(threads));
        proxy.build_index(None).unwrap();
        let path = folder.path("a.gzidx");
        proxy.save_index(&path).unwrap();
        (proxy.index_info(), std::fs::read(path).unwrap())
    });
    assert!(found[0] == found[1]);
    let size = 352 + 2 * elements().len() as u64;
    assert_eq!(found[0].0.points, size.div_ceil(256 << 10));
}

/// Without an index nothing is decoded from the begin again where a member ends.
#[test]
fn threads_do_not_start_over() {
    let mut random = Random(6);
    let data: Vec<u8> = (0..16 << 20).map(|_| random.below(20) as u8).collect();
    let (front, back) = data.split_at(7 << 20);
    let packed = [gzip(front), gzip(back)].concat();
    let read = Arc::new(AtomicU64::new(0));
    let source = Source::reader(Counted(packed.clone(), read.clone()));
    let options = Options::new().threads(2).index_mode(IndexMode::None);
    let options = options.cache_bytes(Some(0)).codec(Some(Codec::Gzip));
    let shape: (&[i64], Order) = (&[data.len() as i64], Order::F);
    let element = (DType::UInt8, ByteOrder::Little);
    let proxy = ArrayProxy::open_layout(&source, element, shape, 0, (1.0, 0.0), &options).unwrap();
    assert!(proxy.read_vec::<u8>(&[]).unwrap() == data);
    let (cost, size) = (read.load(Relaxed), packed.len() as u64);
    assert!(cost < size + size / 4, "{cost} of {size}");
}

/// A source that one thread alone may read is read by none but the caller's.
#[test]
fn other_threads_leave_some_sources_alone() {
    struct Shy(Vec<u8>, std::thread::ThreadId);
    impl ReadAt for Shy {
        fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<(), Error> {
            assert_eq!(std::thread::current().id(), self.1);
            buffer.push(self.0.get(offset as usize..).unwrap_or_default());
            Ok(())
        }
        fn size(&self) -> Result<Option<u64>, Error> {
            Ok(Some(self.0.len() as u64))
        }
        fn is_concurrent(&self) -> bool {
            false
        }
    }
    let elements = elements();
    let plain = image(&elements);
    for bytes in [
        plain.clone(),
        gzip(&plain),
        plain.chunks(300_000).flat_map(gzip).collect(),
    ] {
        let source = Source::reader(Shy(bytes, std::thread::current().id()));
        let options = Options::new().threads(4).cache_bytes(Some(0));
        let proxy = ArrayProxy::open_source(&source, None, &options).unwrap();
        for _ in 0..2 {
            let plan = proxy.plan(&[], ReadAs::dtype(DType::Float64)).unwrap();
            assert_eq!(
                plan.read_vec::<f64>().unwrap()[77],
                elements[77] as f64 * 0.5 + 3.0
            );
        }
        proxy.build_index(None).unwrap();
        assert_eq!(proxy.read_vec::<f32>(&[]).unwrap().len(), elements.len());
    }
}

/// Without an index threads decode together: once, to the same places, and what
/// is wrong is found as by one.
#[test]
fn threads_decode_one_stream_as_one_thread_does() {
    let elements = elements();
    let plain = image(&elements);
    let options = || Options::new().threads(3).cache_bytes(Some(0));
    let packed = gzip(&plain);
    let size = packed.len() as u64;
    for mode in [IndexMode::None, IndexMode::Grow] {
        let (proxy, read) = counted(&packed, &options().index_mode(mode));
        let plan = proxy.plan(&[], ReadAs::disk()).unwrap();
        assert!(plan.read_vec::<i16>().unwrap() == elements);
        let cost = read();
        // Some is looked at for places that its structure tells.
        let looks = if mode == IndexMode::None { 0 } else { 2 << 20 };
        assert!(cost < looks + size + size / 2, "{cost} of {size}");
        let (alone, _) = counted(&packed, &options().threads(1).index_mode(mode));
        alone
            .plan(&[], ReadAs::disk())
            .unwrap()
            .read_vec::<i16>()
            .unwrap();
        assert_eq!(proxy.index_info(), alone.index_info());
    }
    // What is far from the begin, and what lies here and there.
    for index in ["..., 35", "3, ::2, 5, ::3", "::-1, 7, :, 1:39"] {
        let index = parse_index(index).unwrap();
        let (proxy, _) = counted(&packed, &options());
        let (alone, _) = counted(&plain, &options());
        let found = proxy.read_vec::<f32>(&index).unwrap();
        assert!(found == alone.read_vec::<f32>(&index).unwrap(), "{index:?}");
        // And on from where that ended.
        let found = proxy.read_vec::<f32>(&volume(39)).unwrap();
        assert!(found == alone.read_vec::<f32>(&volume(39)).unwrap());
    }
    // Behind what is known already.
    let (alone, _) = counted(&packed, &options().threads(1));
    alone.build_index(None).unwrap();
    for t in [0, 5, 20, 39] {
        let (proxy, _) = counted(&packed, &options());
        proxy.read_vec::<f32>(&volume(t)).unwrap();
        let plan = proxy.plan(&[], ReadAs::disk()).unwrap();
        assert!(plan.read_vec::<i16>().unwrap() == elements, "{t}");
        assert_eq!(proxy.index_info(), alone.index_info(), "{t}");
    }
    // What was decoded is kept.
    let (proxy, read) = counted(&packed, &options().cache_bytes(Some(8 << 20)));
    for _ in 0..2 {
        let plan = proxy.plan(&[], ReadAs::disk()).unwrap();
        assert!(plan.read_vec::<i16>().unwrap() == elements);
    }
    let cost = read();
    assert!(cost < (2 << 20) + size + size / 2, "{cost} of {size}");
    let control = Control::new();
    control.cancel();
    let mut result = vec![MaybeUninit::new(0u8); 2 * elements.len()];
    let (proxy, _) = counted(&packed, &options());
    let batch = proxy.batch([&[][..]], ReadAs::disk()).unwrap();
    let stopped = batch.read_into(&mut result[..], None, Some(&control));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);

    let longer = gzip(&[&plain[..], &[7; 100]].concat());
    let mut random = Random(12);
    for turn in 0..60 {
        let mut wrong = if turn % 3 == 0 { &longer } else { &packed }.clone();
        let n = wrong.len();
        match turn % 4 {
            0 => wrong[n - 1 - random.below(8)] ^= 1,
            1 => wrong.truncate(random.below(n)),
            _ => wrong[random.below(n)] ^= 1 << random.below(8),
        }
        let result = |threads| {
            let bytes = Counted(wrong.clone(), Arc::default());
            let source = Source::reader(bytes);
            let proxy = ArrayProxy::open_source(&source, None, &options().threads(threads));
            proxy.and_then(|proxy| proxy.plan(&[], ReadAs::disk())?.read_vec::<i16>())
        };
        match (result(1), result(3)) {
            (Ok(one), Ok(more)) => assert!(one == more),
            (Err(one), Err(more)) => {
                assert_eq!(
                    (one.kind(), one.offset()),
                    (more.kind(), more.offset()),
                    "{turn}"
                );
            }
            (one, more) => panic!("{turn}: {:?}, {:?}", one.err(), more.err()),
        }
    }
}
