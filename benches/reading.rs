//! How long reads take, and how long plain code takes for just the same.
//!
//! ```text
//! cargo bench --bench reading            # 332 MB of int16, and as .nii.gz
//! SMALL=1 cargo bench --bench reading    # a tenth of the volumes
//! ```
//!
//! Prints a Markdown table of medians and fails if the two sides do not get
//! the same numbers. The limit is a careful program that knows shape, type and
//! factors beforehand: read calls for what is needed, in pieces that fit the
//! cache, and a plain loop; for gzip, flate2's decoder with its checksum.
//! Neither side waits for the disk or for new memory: files are in the page
//! cache, results in memory that was written before. The data stay in
//! `target/bench`; delete it to make them anew. The largest row holds two
//! results of 1.3 GB.

use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufReader, BufWriter, Read, Write};
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrayproxy::{ArrayProxy, Element, Order, Plan, ReadAs, parse_index};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

const SHAPE: [usize; 3] = [96, 96, 60];
const SLAB: usize = SHAPE[0] * SHAPE[1];
const VOLUME: usize = SLAB * SHAPE[2];
const SLOPE: f32 = 0.25;
const INTER: f32 = 1.0;
const HEADER: usize = 352;

/// Elements that plain code reads at a time.
const PIECE: usize = 128 << 10;

/// Compressed bytes that plain code reads at a time.
const INPUT: usize = 64 << 10;

/// Shortest time that is measured: faster work is repeated within it.
const SAMPLE: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes --bench only where it means to measure, not for its tests.
    let given = |wanted| std::env::args().any(|arg| arg == wanted);
    if given("--test") || !given("--bench") {
        return Ok(());
    }
    let small = std::env::var_os("SMALL").is_some_and(|value| value == "1");
    let volumes = if small { 30 } else { 300 };
    let (path, packed) = make_data(volumes)?;
    let (middle, one) = (volumes / 2 * VOLUME, format!("..., {}", volumes / 2));
    let plain = &mut Plain::new(&path)?;
    println!("| work | ours, ms | limit, ms | ratio |\n|---|--:|--:|--:|");

    let mut table = Table::begin(".nii", &path, || File::open(&path).unwrap());
    let all = |to: &mut [Stored]| load(&plain.file, 0, to.as_flattened_mut());
    table.read("...", all);
    table.read("...", |to: &mut [f32]| plain.fetch(0, 1, to));
    table.read("...", |to: &mut [f64]| plain.fetch(0, 1, to));
    table.read(&one, |to: &mut [f32]| plain.fetch(middle, 1, to));
    let voxel = 40 + 50 * SHAPE[0] + 30 * SLAB;
    let course = |to: &mut [f32]| plain.fetch(voxel, VOLUME, to);
    table.read("40, 50, 30", course);
    table.read("40", |to: &mut [f32]| plain.fetch(40, SHAPE[0], to));
    table.read(":, :, 30", |to: &mut [f32]| {
        for (t, to) in to.chunks_exact_mut(SLAB).enumerate() {
            plain.fetch(t * VOLUME + 30 * SLAB, 1, to);
        }
    });
    table.read("::2, ::2, ::2, 0", |to: &mut [f32]| plain.every_other(to));
    table.order = Order::C;
    table.read("...", |to: &mut [f32]| plain.turn(to));

    // Little input at first: a header needs no more.
    let table = Table::begin(".nii.gz", &packed, || decoder(&packed, 4 << 10));
    table.read("...", |to: &mut [Stored]| {
        let mut decoder = decoder(&packed, INPUT);
        decoder.read_exact(&mut [0; HEADER]).unwrap();
        decoder.read_exact(to.as_flattened_mut()).unwrap();
        check_end(decoder);
    });
    let all = |to: &mut [f32]| check_end(plain.decode(&packed, 0, to));
    table.read("...", all);
    // Opened for each read: a proxy that has read goes on from where it was.
    let index = parse_index(&one)?;
    let read = || ArrayProxy::open(&packed)?.read_vec::<f32>(&index);
    let mut volume = vec![0f32; VOLUME];
    let limit = || drop(plain.decode(&packed, middle, &mut volume));
    let work = format!("open, [{one}] float32");
    table.row(&work, || drop(read().unwrap()), limit);
    assert!(read()? == volume, "{work}: numbers differ");
    Ok(())
}

/// Rows of a table about one file.
struct Table {
    name: &'static str,
    proxy: ArrayProxy,
    order: Order,
}

impl Table {
    /// The first row: opening.
    fn begin<R: Read>(name: &'static str, path: &Path, limit: impl Fn() -> R) -> Table {
        let ours = || ArrayProxy::open(path).unwrap();
        let (proxy, order) = (ours(), Order::F);
        assert_eq!(plain_open(limit()), proxy.shape());
        let table = Table { name, proxy, order };
        let limit = || drop(black_box(plain_open(limit())));
        table.row("open", || drop(black_box(ours())), limit);
        table
    }

    /// An index, and plain code that fills the same result.
    fn read<T: Number>(&self, index: &str, mut limit: impl FnMut(&mut [T])) {
        let entries = parse_index(index).unwrap();
        let read_as = T::read_as().order(self.order);
        let plan = self.proxy.plan(&entries, read_as).unwrap();
        let order = match self.order {
            Order::F => "",
            Order::C => " row-major",
        };
        let work = format!("[{index}] {}{order}", plan.dtype());
        let mut result = vec![T::of([1, 1]); plan.nbytes() as usize / size_of::<T>()];
        limit(&mut result);
        // What is timed fills memory that safe code may not look at, so the
        // numbers compared come from a read of their own.
        assert!(T::read(&plan) == result, "{work}: numbers differ");
        let mut buffer = vec![MaybeUninit::new(1u8); plan.nbytes() as usize];
        let ours = || plan.read_into(&mut buffer[..], 0, None, None).unwrap();
        self.row(&work, ours, || limit(black_box(&mut result)));
    }

    /// Time both sides by turns.
    fn row(&self, work: &str, mut ours: impl FnMut(), mut limit: impl FnMut()) {
        let sides: [&mut dyn FnMut(); 2] = [&mut ours, &mut limit];
        let mut sides = sides.map(|side| (repeats(side), side, Vec::new()));
        // Slow work has long samples, so three of them do.
        for i in 0..5 {
            for (repeats, side, times) in &mut sides {
                if i < 3 || times[0] < 1.0 {
                    times.push(time(side, *repeats));
                }
            }
        }
        let [ours, limit] = sides.map(|(_, _, mut times)| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2] * 1e3
        });
        let digits = |ms: f64| if ms < 1.0 { 4 } else { 1 };
        let (name, a, b) = (self.name, digits(ours), digits(limit));
        let ratio = ours / limit;
        println!("| {name} {work} | {ours:.a$} | {limit:.b$} | {ratio:.2} |");
    }
}

/// Seconds that work takes.
fn time(work: &mut dyn FnMut(), repeats: u32) -> f64 {
    let start = Instant::now();
    (0..repeats).for_each(|_| work());
    start.elapsed().as_secs_f64() / f64::from(repeats)
}

/// How often work is done in a sample; tried twice, the first is to warm up.
fn repeats(work: &mut dyn FnMut()) -> u32 {
    let once = time(work, 1).min(time(work, 1));
    (SAMPLE.as_secs_f64() / once.max(1e-7)).ceil() as u32
}

/// A stored element, as its bytes: what read calls fill.
type Stored = [u8; 2];

/// An element of a result.
trait Number: Copy + PartialEq {
    /// What plain code makes of a stored element.
    fn of(stored: Stored) -> Self;
    fn read_as() -> ReadAs;
    fn read(plan: &Plan) -> Vec<Self>;
}

impl Number for Stored {
    fn of(stored: Stored) -> Stored {
        stored
    }
    fn read_as() -> ReadAs {
        ReadAs::disk()
    }
    fn read(plan: &Plan) -> Vec<Stored> {
        let elements = plan.read_vec::<i16>().unwrap();
        elements.into_iter().map(i16::to_le_bytes).collect()
    }
}

macro_rules! floats {
    ($($float:ident)*) => {$(
        impl Number for $float {
            fn of(stored: Stored) -> $float {
                $float::from(i16::from_le_bytes(stored)) * $float::from(SLOPE) + $float::from(INTER)
            }
            fn read_as() -> ReadAs {
                ReadAs::dtype($float::DTYPE)
            }
            fn read(plan: &Plan) -> Vec<$float> {
                plan.read_vec().unwrap()
            }
        }
    )*};
}
floats!(f32 f64);

/// Elements of which each `step`-th is wanted, scaled.
fn convert<T: Number>(bytes: &[u8], step: usize, to: &mut [T]) {
    let stored = bytes.chunks_exact(2);
    let put = |(to, stored): (&mut T, &[u8])| *to = T::of([stored[0], stored[1]]);
    match step {
        1 => to.iter_mut().zip(stored).for_each(put),
        _ => to.iter_mut().zip(stored.step_by(step)).for_each(put),
    }
}

/// Elements of the file from `at` on.
fn load(file: &File, at: usize, bytes: &mut [u8]) {
    file.read_exact_at(bytes, (HEADER + 2 * at) as u64).unwrap();
}

/// Plain code that reads the series.
struct Plain {
    file: File,
    scratch: Vec<u8>,
    slices: Vec<u8>,
}

impl Plain {
    fn new(path: &Path) -> std::io::Result<Plain> {
        Ok(Plain {
            file: File::open(path)?,
            scratch: vec![1; 2 * PIECE],
            slices: Vec::new(),
        })
    }

    /// Elements from `at` on, `step` apart, those between read as well unless
    /// they fill a piece.
    fn fetch<T: Number>(&mut self, at: usize, step: usize, to: &mut [T]) {
        let most = (PIECE / step).max(1);
        for (i, to) in to.chunks_mut(most).enumerate() {
            let bytes = &mut self.scratch[..2 * ((to.len() - 1) * step + 1)];
            load(&self.file, at + i * most * step, bytes);
            convert(bytes, step, to);
        }
    }

    /// Every other element on each axis of the first volume.
    fn every_other(&mut self, to: &mut [f32]) {
        for (k, to) in to.chunks_exact_mut(SLAB / 4).enumerate() {
            let slab = &mut self.scratch[..2 * SLAB];
            load(&self.file, 2 * k * SLAB, slab);
            let rows = slab.chunks_exact(2 * SHAPE[0]).step_by(2);
            for (row, to) in rows.zip(to.chunks_exact_mut(SHAPE[0] / 2)) {
                convert(row, 2, to);
            }
        }
    }

    /// The whole series with time as the fastest axis. Of all volumes the same
    /// slice: enough for long writes, and little enough for the cache.
    fn turn(&mut self, to: &mut [f32]) {
        // At a distance of 2^n bytes, slices would share few lines of the cache.
        const SLICE: usize = 2 * SLAB + 64;
        let volumes = to.len() / VOLUME;
        self.slices.resize(volumes * SLICE, 0);
        for k in 0..SHAPE[2] {
            for (t, slice) in self.slices.chunks_exact_mut(SLICE).enumerate() {
                load(&self.file, t * VOLUME + k * SLAB, &mut slice[..2 * SLAB]);
            }
            for at in 0..SLAB {
                let (i, j) = (at % SHAPE[0], at / SHAPE[0]);
                let course = &mut to[((i * SHAPE[1] + j) * SHAPE[2] + k) * volumes..][..volumes];
                for (to, slice) in course.iter_mut().zip(self.slices.chunks_exact(SLICE)) {
                    *to = f32::of([slice[2 * at], slice[2 * at + 1]]);
                }
            }
        }
    }

    /// Elements of the .nii.gz from `at` on, and the decoder behind them.
    fn decode<T: Number>(&mut self, path: &Path, at: usize, to: &mut [T]) -> Decoder {
        let mut decoder = decoder(path, INPUT);
        let mut skip = HEADER + 2 * at;
        while skip > 0 {
            let n = skip.min(self.scratch.len());
            decoder.read_exact(&mut self.scratch[..n]).unwrap();
            skip -= n;
        }
        for to in to.chunks_mut(PIECE) {
            let bytes = &mut self.scratch[..2 * to.len()];
            decoder.read_exact(bytes).unwrap();
            convert(bytes, 1, to);
        }
        decoder
    }
}

/// The shape, of a header that is known to be right.
fn plain_open(mut file: impl Read) -> Vec<i64> {
    let mut header = [0; HEADER];
    file.read_exact(&mut header).unwrap();
    let dims = header[40..56].chunks_exact(2);
    let dims: Vec<i64> = dims
        .map(|n| i16::from_le_bytes([n[0], n[1]]).into())
        .collect();
    dims[1..=dims[0] as usize].to_vec()
}

type Decoder = GzDecoder<BufReader<File>>;

fn decoder(path: &Path, input: usize) -> Decoder {
    GzDecoder::new(BufReader::with_capacity(input, File::open(path).unwrap()))
}

/// Behind the last byte the decoder compares the checksum.
fn check_end(mut decoder: Decoder) {
    assert_eq!(decoder.read(&mut [0]).unwrap(), 0);
}

/// The series as .nii, and as .nii.gz in a folder of its own, made unless they
/// are there.
fn make_data(volumes: usize) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    let folder = folder.join(format!("{volumes}-volumes"));
    let (path, packed_path) = (folder.join("series.nii"), folder.join("gzip/series.nii.gz"));
    fs::create_dir_all(folder.join("gzip"))?;
    let unfinished = folder.join("unfinished");
    if !path.exists() {
        write_series(BufWriter::new(File::create(&unfinished)?), volumes)?;
        fs::rename(&unfinished, &path)?;
    }
    if !packed_path.exists() {
        let file = BufWriter::new(File::create(&unfinished)?);
        let mut encoder = GzEncoder::new(file, Compression::default());
        std::io::copy(&mut File::open(&path)?, &mut encoder)?;
        encoder.finish()?.flush()?;
        fs::rename(&unfinished, &packed_path)?;
    }
    Ok((path, packed_path))
}

/// A bright ellipsoid with soft edges, noise in all of it and a little around:
/// gzip makes about a half of it.
fn write_series(mut file: impl Write, volumes: usize) -> std::io::Result<()> {
    let mut header = [0; HEADER];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348i32.to_le_bytes());
    for (i, n) in [4, SHAPE[0], SHAPE[1], SHAPE[2], volumes]
        .into_iter()
        .enumerate()
    {
        put(40 + 2 * i, &(n as i16).to_le_bytes());
    }
    put(70, &4i16.to_le_bytes());
    put(72, &16i16.to_le_bytes());
    (0..8).for_each(|i| put(76 + 4 * i, &1f32.to_le_bytes()));
    put(108, &(HEADER as f32).to_le_bytes());
    put(112, &SLOPE.to_le_bytes());
    put(116, &INTER.to_le_bytes());
    put(344, b"n+1\0");
    file.write_all(&header)?;
    let head = |at: usize| {
        let place = [at % SHAPE[0], at / SHAPE[0] % SHAPE[1], at / SLAB];
        let part = |axis: usize| place[axis] as f32 / SHAPE[axis] as f32 - 0.5;
        let [x, y, z] = [0, 1, 2].map(part);
        let inside = (4.0 - 25.0 * (x * x + y * y + z * z)).clamp(0.0, 1.0);
        let bright = 900.0 + 200.0 * (9.0 * x).sin() * (7.0 * y).cos() * (5.0 * z).cos();
        (inside * bright, 6.0 + 60.0 * inside)
    };
    let field: Vec<(f32, f32)> = (0..VOLUME).map(head).collect();
    let mut random = 1u64;
    for _ in 0..volumes {
        for (mean, noise) in &field {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let [a, b, c, d, ..] = random.to_le_bytes().map(f32::from);
            // About normal, of deviation 1.
            let normal = (a + b + c + d - 510.0) / 148.0;
            file.write_all(&((mean + noise * normal) as i16).to_le_bytes())?;
        }
    }
    file.flush()
}
