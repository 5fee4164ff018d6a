//! What a read takes from its source, and what it leaves alone.

mod common;

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrayproxy::{
    ArrayProxy, ByteOrder, Codec, Control, DType, Element, Error, ErrorKind, Mapping, Options,
    Order, ReadAs, ReadAt, ReadBuf, Slice, Source, Which, parse_index,
};
use common::{Folder, Random, data, gzip, nifti1};

/// Memory that keeps a list of what was read of it.
struct Watched {
    bytes: Vec<u8>,
    read: Arc<Mutex<Vec<Range<u64>>>>,
}

impl ReadAt for Watched {
    fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<(), Error> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let n = buffer.push(self.bytes.get(start..).unwrap_or_default());
        self.read.lock().unwrap().push(offset..offset + n as u64);
        Ok(())
    }
    fn size(&self) -> Result<Option<u64>, Error> {
        Ok(Some(self.bytes.len() as u64))
    }
    fn is_near(&self) -> bool {
        true
    }
}

type Log = Arc<Mutex<Vec<Range<u64>>>>;

fn watched(bytes: Vec<u8>) -> (ArrayProxy, Log) {
    let read = Log::default();
    let source = Source::reader(Watched {
        bytes,
        read: read.clone(),
    });
    let proxy = ArrayProxy::open_source(&source, None, &Options::new()).unwrap();
    (proxy, read)
}

const SHAPE: [i16; 4] = [64, 48, 20, 30];

/// int16 numbers, each its own place modulo 2^16.
fn image() -> Vec<u8> {
    let n: usize = SHAPE.iter().map(|&n| n as usize).product();
    let mut bytes = nifti1(&SHAPE, 4, 16, (1.0, 0.0), true);
    bytes.extend((0..n).flat_map(|i| (i as u16).to_le_bytes()));
    bytes
}

/// Where the wanted runs lie, by looking at each element.
fn runs(index: &[Slice]) -> Vec<Range<u64>> {
    let takes: Vec<Vec<u64>> = (0..4)
        .map(|axis| {
            let n = SHAPE[axis] as i64;
            match index[axis] {
                Slice::At(at) => vec![at.rem_euclid(n) as u64],
                Slice::Range { start, stop, step } => {
                    let (start, stop) = (start.unwrap_or(0), stop.unwrap_or(n));
                    (start..stop)
                        .step_by(step.unsigned_abs() as usize)
                        .map(|i| i as u64)
                        .collect()
                }
                _ => unreachable!(),
            }
        })
        .collect();
    let mut found: Vec<Range<u64>> = Vec::new();
    for &l in &takes[3] {
        for &k in &takes[2] {
            for &j in &takes[1] {
                for &i in &takes[0] {
                    let at = 352 + 2 * (i + 64 * (j + 48 * (k + 20 * l)));
                    match found.last_mut() {
                        Some(last) if last.end == at => last.end += 2,
                        _ => found.push(at..at + 2),
                    }
                }
            }
        }
    }
    found
}

#[test]
fn reads_take_little_more_than_they_give() {
    let (proxy, log) = watched(image());
    let mut random = Random(99);
    let mut far_apart = 0;
    for round in 0..300 {
        let index: Vec<Slice> = SHAPE
            .iter()
            .map(|&n| {
                let n = n as i64;
                let start = random.below(n as usize) as i64;
                match random.below(5) {
                    0 | 1 => Slice::At(start),
                    2 => Slice::ALL,
                    3 => Slice::range(start, None, random.pick(&[1, 2, 5])),
                    _ => Slice::range(start, (start + 3).min(n), 1),
                }
            })
            .collect();
        let read_as = [
            ReadAs::disk(),
            ReadAs::dtype(DType::Float32),
            ReadAs::disk().order(Order::C),
        ];
        let plan = proxy.plan(&index, read_as[round % 3]).unwrap();
        let mut buffer = vec![MaybeUninit::uninit(); plan.nbytes() as usize];
        log.lock().unwrap().clear();
        plan.read_into(&mut buffer[..], 0, None, None).unwrap();
        let read = log.lock().unwrap().clone();

        let runs = runs(&index);
        let (first, last) = (runs[0].start, runs[runs.len() - 1].end);
        let slice: u64 = runs.iter().map(|run| run.end - run.start).sum();
        let taken: u64 = read.iter().map(|range| range.end - range.start).sum();
        assert!(
            read.iter()
                .all(|range| range.start >= first && range.end <= last),
            "{index:?}"
        );
        assert!(
            read.is_sorted_by(|a, b| a.end <= b.start),
            "nothing twice: {index:?}"
        );
        assert_eq!(taken, plan.cost(), "{index:?}");
        let apart = runs
            .windows(2)
            .all(|pair| pair[1].start - pair[0].end >= 64 << 10);
        if apart {
            far_apart += usize::from(runs.len() > 1);
            assert!(
                taken <= 2 * slice + (runs.len() as u64) * (64 << 10),
                "{index:?}: {taken} of {slice}"
            );
        }
    }
    assert!(far_apart > 5, "{far_apart}");
}

#[test]
fn opening_reads_the_header_alone() {
    let (_, log) = watched(image());
    let read = log.lock().unwrap();
    assert!(read.iter().all(|range| range.end <= 1024), "{read:?}");
    assert_eq!(read.len(), 1, "one read is enough: {read:?}");
    // Of a compressed file, no more than a first small bite.
    let mut noise = image();
    let mut random = Random(5);
    noise[352..]
        .iter_mut()
        .for_each(|byte| *byte = random.next() as u8);
    let (proxy, log) = watched(gzip(&noise));
    let read = log.lock().unwrap();
    assert_eq!(proxy.codec(), Codec::Gzip);
    assert!(read.iter().all(|range| range.end <= 4096), "{read:?}");
}

#[test]
fn a_forward_walk_through_gzip_decodes_once() {
    let bytes = gzip(&image());
    let size = bytes.len() as u64;
    let (proxy, log) = watched(bytes);
    log.lock().unwrap().clear();
    for t in 0..30 {
        let volume: Vec<i16> = proxy.read_vec(&[Slice::Ellipsis, t.into()]).unwrap();
        assert_eq!(volume[5], (64 * 48 * 20 * t + 5) as u16 as i16);
    }
    let taken: u64 = log
        .lock()
        .unwrap()
        .iter()
        .map(|range| range.end - range.start)
        .sum();
    assert!(taken <= size, "{taken} of {size} compressed bytes");
}

#[test]
fn costs_of_compressed_data_are_decoded_bytes() {
    let (proxy, _) = watched(gzip(&image()));
    let plan = proxy
        .plan(&parse_index("..., 2").unwrap(), ReadAs::auto())
        .unwrap();
    assert_eq!(plan.cost(), 352 + 3 * 2 * 64 * 48 * 20);
}

/// Long runs go straight to the result even if it is strided, and bytes
/// between stay as they were.
#[test]
fn strided_results_of_long_runs() {
    let (proxy, _) = watched(image());
    let index = parse_index(":, :, :, 3:6").unwrap();
    let plan = proxy.plan(&index, ReadAs::disk()).unwrap();
    let volume = 2 * 64 * 48 * 20;
    let strides = [2, 128, 128 * 48, volume + 10];
    let mut buffer = vec![MaybeUninit::new(0xEE_u8); 3 * (volume as usize + 10)];
    plan.read_into(&mut buffer[..], 4, Some(&strides), None)
        .unwrap();
    for (at, byte) in buffer.iter().enumerate() {
        let (t, place) = (at / (volume as usize + 10), at % (volume as usize + 10));
        let want = match place
            .checked_sub(4)
            .filter(|&place| place < volume as usize)
        {
            Some(place) => {
                let number = ((t + 3) * volume as usize + place) / 2;
                (number as u16).to_le_bytes()[place % 2]
            }
            None => 0xEE,
        };
        // SAFETY: the buffer was written when it was made.
        #[allow(unsafe_code)]
        let found = unsafe { byte.assume_init() };
        assert_eq!(found, want, "byte {at}");
    }
}

#[test]
fn maps_and_reads_give_the_same() {
    let folder = Folder::new("maps");
    let path = folder.write("a.nii", &image());
    let packed = folder.write("b.nii.gz", &gzip(&image()));
    let open = |mapping, keep| {
        ArrayProxy::open_with(&path, &Options::new().mapping(mapping).keep_open(keep))
    };
    let proxies = [
        open(Mapping::Never, true).unwrap(),
        open(Mapping::Possible, true).unwrap(),
        open(Mapping::Required, true).unwrap(),
        open(Mapping::Possible, false).unwrap(),
        ArrayProxy::open_with(&packed, &Options::new().keep_open(false)).unwrap(),
        ArrayProxy::open(&packed).unwrap(),
    ];
    for text in [
        "7, :, :, :",
        "1, 2, 3, :",
        "::7, ::5, ::-3, ::2",
        "...",
        "..., 4",
        ":, 5:7",
    ] {
        let index = parse_index(text).unwrap();
        let first: Vec<f32> = proxies[0].read_vec(&index).unwrap();
        // A map is made for the second read that it serves.
        for proxy in proxies[1..].iter().flat_map(|proxy| [proxy; 2]) {
            assert_eq!(proxy.read_vec::<f32>(&index).unwrap(), first, "{text}");
        }
    }
    let error =
        ArrayProxy::open_with(&packed, &Options::new().mapping(Mapping::Required)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.path(), Some(packed.as_path()));
}

/// The size of the file is looked at before its map is used.
#[test]
fn a_file_that_was_cut_ends_no_process() {
    let folder = Folder::new("cut-map");
    for mapping in [Mapping::Possible, Mapping::Required] {
        let path = folder.write("a.nii", &image());
        let proxy = ArrayProxy::open_with(&path, &Options::new().mapping(mapping)).unwrap();
        let course = parse_index("1, 2, 3, :").unwrap();
        let begin = parse_index("1:20, 3, :, 0").unwrap();
        for _ in 0..3 {
            assert_eq!(proxy.read_vec::<i16>(&course).unwrap().len(), 30);
        }
        let whole: Vec<i16> = proxy.read_vec(&begin).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(352 + 2 * 64 * 48 * 20 * 7).unwrap();
        for order in [Order::F, Order::C] {
            let plan = proxy.plan(&course, ReadAs::disk().order(order)).unwrap();
            let error = plan.read_vec::<i16>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated);
            assert!(error.to_string().contains("a.nii"), "{error}");
        }
        assert_eq!(proxy.read_vec::<i16>(&begin).unwrap(), whole);
    }
}

/// Elements of a result in row-major order, of one in column-major order.
fn row_major<T: Copy>(shape: &[i64], elements: &[T]) -> Vec<T> {
    let mut found = vec![None; elements.len()];
    let mut at = vec![0; shape.len()];
    for &element in elements {
        let place = at.iter().zip(shape).fold(0, |place, (i, n)| place * n + i);
        found[place as usize] = Some(element);
        for (i, &n) in at.iter_mut().zip(shape) {
            *i = (*i + 1) % n;
            if *i > 0 {
                break;
            }
        }
    }
    found.into_iter().map(Option::unwrap).collect()
}

/// The fastest axis of the result is the slowest of the file.
#[test]
fn results_across_the_file() {
    let folder = Folder::new("across");
    let path = folder.write("a.nii", &image());
    let by_file = |options: Options| ArrayProxy::open_with(&path, &options).unwrap();
    let source = Source::memory(image());
    let proxies = [
        by_file(Options::new()),
        by_file(Options::new().mapping(Mapping::Required).threads(2)),
        by_file(Options::new().mapping(Mapping::Never).keep_open(false)),
        ArrayProxy::open_source(&source, None, &Options::new().threads(3)).unwrap(),
        watched(image()).0,
    ];
    for text in [
        "...",
        "::2, 5:, ::-1, ::-1",
        ":, 3, :, 2:28",
        "3:60:7, :, 2, :",
        "::-1, :, :, 20:",
        "None, 10:18, :, :, None, :8",
        ":7, :, :, :",
    ] {
        let index = parse_index(text).unwrap();
        for proxy in &proxies {
            fn check<T: Element + PartialEq>(proxy: &ArrayProxy, index: &[Slice], text: &str) {
                let read_as = ReadAs::dtype(T::DTYPE);
                let plan = proxy.plan(index, read_as).unwrap();
                let wanted = row_major(plan.shape(), &plan.read_vec::<T>().unwrap());
                let plan = proxy.plan(index, read_as.order(Order::C)).unwrap();
                assert!(
                    plan.read_vec::<T>().unwrap() == wanted,
                    "{text} {}",
                    T::DTYPE
                );
            }
            check::<i16>(proxy, &index, text);
            check::<f32>(proxy, &index, text);
            check::<[f64; 2]>(proxy, &index, text);
            check::<u8>(proxy, &index, text);
        }
    }
}

/// Parts that are read across the file and others, in one call.
#[test]
fn batches_across_the_file() {
    let (proxy, _) = watched(image());
    let texts = [
        "...",
        "5:9, 0, 0, 0",
        "::2, :, 3:5, ::-1",
        ":, 1, 2, 3",
        "7, :, :, :",
    ];
    let indices = texts.map(|text| parse_index(text).unwrap());
    let read_as = ReadAs::dtype(DType::Int32).order(Order::C);
    let batch = proxy
        .batch(indices.iter().map(|index| &index[..]), read_as)
        .unwrap();
    let mut found = vec![MaybeUninit::new(0u8); batch.nbytes(None) as usize];
    batch.read_into(&mut found[..], None, None).unwrap();
    let by_column = ReadAs::dtype(DType::Int32);
    let wanted = indices.iter().flat_map(|index| {
        let plan = proxy.plan(index, by_column).unwrap();
        row_major(plan.shape(), &plan.read_vec::<i32>().unwrap())
    });
    let wanted: Vec<u8> = wanted.flat_map(i32::to_ne_bytes).collect();
    // SAFETY: the buffer was written when it was made.
    #[allow(unsafe_code)]
    let found: Vec<u8> = found
        .iter()
        .map(|byte| unsafe { byte.assume_init() })
        .collect();
    assert!(found == wanted);
}

/// An axis that no file can have is found out before anything is made for it.
#[test]
fn vast_arrays_are_refused_at_once() {
    let source = Source::memory(vec![0u8; 120]);
    let elements = (DType::UInt8, ByteOrder::Little);
    let shape = [1 << 10, 1 << 10, 1 << 40];
    let shape = (&shape[..], Order::F);
    let options = Options::new();
    let proxy = ArrayProxy::open_layout(&source, elements, shape, 0, (1.0, 0.0), &options).unwrap();
    let plan = proxy.plan(&[], ReadAs::disk().order(Order::C)).unwrap();
    assert_eq!(plan.cost(), 1 << 60);
    assert_eq!(plan.load(None).unwrap_err().kind(), ErrorKind::Truncated);
    assert_eq!(
        plan.read_vec::<u8>().unwrap_err().kind(),
        ErrorKind::Truncated
    );
}

#[test]
fn arrays_in_new_memory() {
    let (proxy, _) = watched(image());
    let index = parse_index("3:40, ::-2, 5, :").unwrap();
    for order in [Order::F, Order::C] {
        let plan = proxy
            .plan(&index, ReadAs::dtype(DType::Float32).order(order))
            .unwrap();
        let array = plan.load(None).unwrap();
        assert_eq!(
            (array.shape(), array.dtype()),
            (plan.shape(), DType::Float32)
        );
        assert_eq!(array.strides()[if order == Order::F { 0 } else { 2 }], 4);
        assert_eq!(
            array.elements::<f32>().unwrap(),
            plan.read_vec::<f32>().unwrap()
        );
        assert!(array.elements::<i32>().is_none());
        assert_eq!(array.as_ptr().align_offset(64), 0);
        let shared = array.clone();
        drop(array);
        assert_eq!(shared.elements::<f32>().unwrap().len(), 37 * 24 * 30);
    }
    let none = proxy
        .plan(&parse_index("3:3").unwrap(), ReadAs::auto())
        .unwrap();
    assert!(
        none.load(None)
            .unwrap()
            .elements::<i16>()
            .unwrap()
            .is_empty()
    );
    let control = Control::new();
    control.cancel();
    let plan = proxy.plan(&[], ReadAs::auto()).unwrap();
    assert_eq!(
        plan.load(Some(&control)).unwrap_err().kind(),
        ErrorKind::Cancelled
    );
}

/// Each byte is read once; more items of the fastest axis than go together.
#[test]
fn reads_across_the_file_take_what_they_give() {
    let shape = [128, 130, 1, 1100];
    let mut bytes = nifti1(&shape, 2, 8, (1.0, 0.0), true);
    let n: usize = shape.iter().map(|&n| n as usize).product();
    bytes.extend((0..n).map(|i| (i % 251) as u8));
    let wanted = row_major(&shape.map(i64::from), &bytes[352..]);
    let (proxy, log) = watched(bytes);
    log.lock().unwrap().clear();
    let plan = proxy.plan(&[], ReadAs::disk().order(Order::C)).unwrap();
    assert!(plan.read_vec::<u8>().unwrap() == wanted);
    let mut read = std::mem::take(&mut *log.lock().unwrap());
    read.sort_by_key(|range| range.start);
    assert_eq!(read[0].start, 352);
    assert!(read.windows(2).all(|two| two[0].end == two[1].start));
    assert_eq!(read.last().unwrap().end, 352 + n as u64);
    assert!(read.len() < n / 500, "{}", read.len());
    assert_eq!(plan.cost(), n as u64);
}

#[test]
fn errors_of_reads_across_the_file_name_the_byte() {
    let mut bytes = image();
    let at = 352 + 2 * (((17 * 20 + 3) * 48 + 5) * 64 + 9);
    bytes[352..].fill(0);
    bytes[at..at + 2].copy_from_slice(&(-7i16).to_le_bytes());
    let proxy = watched(bytes.clone()).0;
    let read_as = ReadAs::dtype(DType::UInt8).checked(true).order(Order::C);
    let error = proxy
        .plan(&[], read_as)
        .unwrap()
        .read_vec::<u8>()
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Range, Some(at as u64))
    );
    // Cut behind the opening: no size tells it before.
    struct Cut(Vec<u8>, usize);
    impl ReadAt for Cut {
        fn read_at(&self, offset: u64, buffer: &mut ReadBuf<'_>) -> Result<(), Error> {
            let start = (offset as usize).min(self.1);
            buffer.push(&self.0[start..self.1]);
            Ok(())
        }
        fn size(&self) -> Result<Option<u64>, Error> {
            Ok(Some(self.0.len() as u64))
        }
        fn is_near(&self) -> bool {
            true
        }
    }
    let source = Source::reader(Cut(bytes, at));
    let proxy = ArrayProxy::open_source(&source, None, &Options::new()).unwrap();
    let plan = proxy.plan(&[], ReadAs::disk().order(Order::C)).unwrap();
    let error = plan.read_vec::<i16>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert!(error.offset().unwrap() >= at as u64, "{error}");
}

#[test]
fn reads_can_be_watched_and_stopped() {
    let (proxy, log) = watched(image());
    // In many pieces.
    let plan = proxy.plan(&[], ReadAs::dtype(DType::Float64)).unwrap();
    let mut buffer = vec![MaybeUninit::uninit(); plan.nbytes() as usize];
    let control = Control::new();
    plan.read_into(&mut buffer[..], 0, None, Some(&control))
        .unwrap();
    let total = plan.nbytes() as u64;
    assert_eq!(control.progress(), (total, total));
    control.cancel();
    log.lock().unwrap().clear();
    let error = plan
        .read_into(&mut buffer[..], 0, None, Some(&control))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(log.lock().unwrap()[..], []);
    control.reset();
    assert_eq!(control.progress(), (0, 0));
    plan.read_into(&mut buffer[..], 0, None, Some(&control))
        .unwrap();
}

#[test]
fn errors_name_file_and_byte() {
    let folder = Folder::new("errors");
    let mut bytes = image();
    bytes.truncate(352 + 2 * 64 * 48 * 20 + 100);
    let path = folder.write("cut.nii", &bytes);
    let proxy = ArrayProxy::open(&path).unwrap();
    assert!(
        proxy.warnings()[0].contains("cut short"),
        "{:?}",
        proxy.warnings()
    );
    assert_eq!(
        proxy
            .read_vec::<i16>(&parse_index("..., 0").unwrap())
            .unwrap()[7],
        7
    );
    let error = proxy
        .read_vec::<i16>(&parse_index("..., 1").unwrap())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(error.path(), Some(path.as_path()));
    assert_eq!(error.offset(), Some(bytes.len() as u64));
    let strict = ArrayProxy::open_with(&path, &Options::new().strict(true)).unwrap_err();
    assert_eq!(strict.kind(), ErrorKind::Truncated);
    assert_eq!(strict.path(), Some(path.as_path()));

    let mut long = image();
    long[252..254].copy_from_slice(&1i16.to_le_bytes());
    long[256..260].copy_from_slice(&2f32.to_le_bytes());
    let turned = folder.write("long.nii", &long);
    let error = ArrayProxy::open(&turned)
        .unwrap()
        .affine(Which::Qform)
        .unwrap_err();
    assert_eq!(
        (error.path(), error.offset()),
        (Some(turned.as_path()), Some(256))
    );

    let index = parse_index("5, 0, 0, 0").unwrap();
    let checked = proxy
        .plan(&index, ReadAs::dtype(DType::UInt8).checked(true))
        .unwrap();
    assert_eq!(checked.read_vec::<u8>().unwrap(), [5]);
    let whole = proxy
        .plan(
            &parse_index(":, :, 0, 0").unwrap(),
            ReadAs::dtype(DType::UInt8).checked(true),
        )
        .unwrap();
    let error = whole.read_vec::<u8>().unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Range, Some(352 + 2 * 256))
    );
    let text = error.to_string();
    assert!(
        text.contains("the value 256 does not fit the type uint8"),
        "{text}"
    );
}

#[test]
fn example_through_the_rust_api() {
    let proxy = ArrayProxy::open(data("example4d.nii.gz")).unwrap();
    assert_eq!(proxy.shape(), [128, 96, 24, 2]);
    assert_eq!(proxy.disk_dtype(), DType::Int16);
    let volume: Vec<i16> = proxy.read_vec(&[Slice::Ellipsis, 1.into()]).unwrap();
    let course: Vec<i16> = proxy.read_vec(&parse_index("64, 48, 12").unwrap()).unwrap();
    assert_eq!(course[1], volume[64 + 128 * (48 + 96 * 12)]);
}

#[test]
#[cfg(feature = "ndarray")]
fn arrays_have_shape_and_order() {
    let (proxy, _) = watched(image());
    let index = parse_index("3, :5, ::-1, newaxis, 2").unwrap();
    let array = proxy.read::<f64>(&index).unwrap();
    assert_eq!(array.shape(), [5, 20, 1]);
    assert_eq!(array.strides(), [1, 5, 100]);
    let plan = proxy
        .plan(&index, ReadAs::dtype(DType::Float64).order(Order::C))
        .unwrap();
    let rows = plan.read_array::<f64>().unwrap();
    assert_eq!(rows, array);
    assert!(rows.is_standard_layout());
    let number = |j: i64, k: i64| (3 + 64 * (j + 48 * (k + 20 * 2))) as u16 as i16;
    assert_eq!(array[[4, 0, 0]], f64::from(number(4, 19)));
    assert_eq!(
        plan.read_array::<f32>().unwrap_err().kind(),
        ErrorKind::Argument
    );
}

#[test]
fn reads_that_cannot_be_done_read_nothing() {
    let mut bytes = image();
    bytes.truncate(bytes.len() - 1);
    let (proxy, log) = watched(bytes);
    let plan = proxy.plan(&[], ReadAs::auto()).unwrap();
    let mut buffer = vec![MaybeUninit::uninit(); plan.nbytes() as usize];
    log.lock().unwrap().clear();
    let error = plan.read_into(&mut buffer[..], 0, None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    for strides in [&[2][..], &[2, 128, 6144, 122_880, 1]] {
        let error = plan
            .read_into(&mut buffer[..], 0, Some(strides), None)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    assert_eq!(log.lock().unwrap()[..], []);
}
