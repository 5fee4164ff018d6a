//! What plain, careful code reaches that knows what a file holds: read calls or
//! a map, whichever suits the work, and one loop that converts.
//!
//! `by` says how: `runs` by a read call for each run of neighbours, `rows` by read
//! calls for whole pieces of which what is wanted is picked, `map` from a map that
//! is new, `kept` from one all of whose pages are there.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::thread::scope;
use std::time::Instant;

use crate::memory::{Fresh, Map};
use crate::{Answer, Job, checksum};

/// Bytes read at a time: they stay in the second-level cache.
const PIECE: usize = 256 << 10;

/// A file of int16, and what its header says.
struct Image {
    file: File,
    shape: [usize; 4],
    offset: usize,
    slope: f64,
    inter: f64,
}

impl Image {
    fn open(path: &str) -> io::Result<Image> {
        let file = File::open(path)?;
        let mut head = [0; 352];
        file.read_exact_at(&mut head, 0)?;
        let short = |at: usize| i16::from_le_bytes([head[at], head[at + 1]]);
        let float = |at: usize| f32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let axis = |i: usize| match short(40) as usize {
            n if i <= n => short(40 + 2 * i) as usize,
            _ => 1,
        };
        Ok(Image {
            shape: [1, 2, 3, 4].map(axis),
            offset: float(108) as usize,
            slope: f64::from(float(112)),
            inter: f64::from(float(116)),
            file,
        })
    }

    fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Bytes from one element to the next along each axis.
    fn steps(&self) -> [usize; 4] {
        let [x, y, z, _] = self.shape;
        [2, 2 * x, 2 * x * y, 2 * x * y * z]
    }
}

/// What stored numbers become.
trait Number: Copy + Send + Sync {
    fn of(stored: i16, slope: f64, inter: f64) -> Self;
}
impl Number for i16 {
    fn of(stored: i16, _: f64, _: f64) -> i16 {
        stored
    }
}
impl Number for f32 {
    #[inline(always)]
    fn of(stored: i16, slope: f64, inter: f64) -> f32 {
        (f64::from(stored) * slope + inter) as f32
    }
}
impl Number for f64 {
    #[inline(always)]
    fn of(stored: i16, slope: f64, inter: f64) -> f64 {
        f64::from(stored) * slope + inter
    }
}

#[inline(always)]
fn convert_here<T: Number>(from: &[u8], to: &mut [T], slope: f64, inter: f64) {
    for (pair, to) in from.chunks_exact(2).zip(to) {
        *to = T::of(i16::from_le_bytes([pair[0], pair[1]]), slope, inter);
    }
}

#[target_feature(enable = "avx2")]
unsafe fn convert_avx2<T: Number>(from: &[u8], to: &mut [T], slope: f64, inter: f64) {
    convert_here(from, to, slope, inter);
}

fn convert<T: Number>(from: &[u8], to: &mut [T], image: &Image) {
    let (slope, inter) = (image.slope, image.inter);
    match std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has it.
        true => unsafe { convert_avx2(from, to, slope, inter) },
        false => convert_here(from, to, slope, inter),
    }
}

/// As bytes, if that is what they are stored as.
fn as_stored<T: Number>(to: &mut [T]) -> Option<&mut [u8]> {
    // SAFETY: elements of two bytes are int16.
    (size_of::<T>() == 2)
        .then(|| unsafe { std::slice::from_raw_parts_mut(to.as_mut_ptr().cast(), 2 * to.len()) })
}

/// Neighbours from a byte on.
fn read<T: Number>(image: &Image, at: usize, to: &mut [T], piece: &mut [u8]) -> io::Result<()> {
    if let Some(to) = as_stored(to) {
        return image.file.read_exact_at(to, at as u64);
    }
    let mut at = at as u64;
    for to in to.chunks_mut(piece.len() / 2) {
        let piece = &mut piece[..2 * to.len()];
        image.file.read_exact_at(piece, at)?;
        convert(piece, to, image);
        at += piece.len() as u64;
    }
    Ok(())
}

/// All elements, in the order of the file, shared by threads.
fn whole<T: Number>(image: &Image, to: &mut [T], pieces: &mut [Vec<u8>]) {
    let part = to.len().div_ceil(pieces.len());
    scope(|scope| {
        let mut parts = to.chunks_mut(part).zip(pieces).enumerate();
        let first = parts.next();
        let work = |(i, (to, piece)): (usize, (&mut [T], &mut Vec<u8>))| {
            read(image, image.offset + 2 * i * part, to, piece).unwrap();
        };
        for part in parts {
            scope.spawn(move || work(part));
        }
        first.into_iter().for_each(work);
    });
}

/// All elements with the last axis fastest: of some neighbours on the first two
/// axes all volumes, so that both sides are touched a cache line at a time.
fn turned<T: Number>(image: &Image, map: &[u8], to: &mut [T]) {
    const ROWS: usize = 4;
    let ([nx, ny, nz, nt], steps) = (image.shape, image.steps());
    let mut tile = vec![T::of(0, 0.0, 0.0); nx * ROWS * nt];
    for z in 0..nz {
        for y in (0..ny).step_by(ROWS) {
            let rows = ROWS.min(ny - y);
            let width = nx * rows;
            for t in 0..nt {
                let at = image.offset + y * steps[1] + z * steps[2] + t * steps[3];
                convert(
                    &map[at..at + 2 * width],
                    &mut tile[t * width..][..width],
                    image,
                );
            }
            for (i, row) in (0..width).map(|i| (i, ((i % nx * ny + y + i / nx) * nz + z) * nt)) {
                let to = &mut to[row..row + nt];
                for (t, to) in to.iter_mut().enumerate() {
                    *to = tile[t * width + i];
                }
            }
        }
    }
}

/// Starts, counts and steps.
struct Part([usize; 4], [usize; 4], [usize; 4]);

/// With `step`, what is `step` apart on the first three axes.
fn parts_of(path: &str, step: usize) -> io::Result<Vec<Part>> {
    let lines = std::fs::read_to_string(path)?;
    let part = |line: &str| {
        let numbers = line.split_whitespace().map(|word| word.parse().unwrap());
        let numbers: Vec<usize> = numbers.collect();
        let four = |at: usize| std::array::from_fn(|i| numbers[at + i]);
        Part(four(0), four(4), [step, step, step, 1])
    };
    Ok(lines.lines().map(part).collect())
}

enum By {
    Runs,
    Rows,
    Map(Map),
}

/// One part, from runs of neighbours or rows on the first axis.
fn read_part<T: Number>(image: &Image, by: &By, part: &Part, to: &mut [T], piece: &mut [u8]) {
    let Part(start, count, step) = part;
    let steps = image.steps();
    // Axes that are taken whole belong to the run of those before.
    let is_whole = |axis: usize| count[axis] == image.shape[axis];
    let inner = (0..4).take_while(|&axis| is_whole(axis)).count().min(3);
    let inner = if step[0] == 1 { inner } else { 0 };
    let run: usize = count[..=inner].iter().product();
    let outer = (inner + 1..4).rev().fold(vec![0], |places, axis| {
        let more = |place: usize| {
            (0..count[axis]).map(move |i| place + (start[axis] + i * step[axis]) * steps[axis])
        };
        places.into_iter().flat_map(more).collect()
    });
    let first = image.offset
        + (0..=inner)
            .map(|axis| start[axis] * steps[axis])
            .sum::<usize>();
    match by {
        // Rows without gaps between, as many as a piece holds, of which one
        // element or every second is taken.
        By::Rows => {
            let mut to = to.iter_mut();
            let mut places = &outer[..];
            let wide = 2 * ((run - 1) * step[0] + 1);
            while let [place, ..] = places {
                let fits = |&&at: &&usize| at - place + wide <= piece.len();
                let near = places.iter().take_while(fits).count();
                let bytes = &mut piece[..places[near - 1] - place + wide];
                let at = (first + place) as u64;
                image.file.read_exact_at(bytes, at).unwrap();
                for at in &places[..near] {
                    for i in 0..run {
                        let at = at - place + 2 * i * step[0];
                        let stored = i16::from_le_bytes([bytes[at], bytes[at + 1]]);
                        *to.next().unwrap() = T::of(stored, image.slope, image.inter);
                    }
                }
                places = &places[near..];
            }
        }
        By::Runs => {
            for (place, to) in outer.iter().zip(to.chunks_mut(run)) {
                read(image, first + place, to, piece).unwrap();
            }
        }
        By::Map(map) => {
            for (place, to) in outer.iter().zip(to.chunks_mut(run)) {
                let at = first + place;
                if let Some(to) = as_stored(to) {
                    to.copy_from_slice(&map[at..at + to.len()]);
                } else {
                    convert(&map[at..at + 2 * run], to, image);
                }
            }
        }
    }
}

fn bytes_of<T>(values: &[T]) -> &[u8] {
    // SAFETY: numbers are bytes without gaps.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

fn image_work<T: Number>(job: &Job) -> Answer {
    let threads: usize = job.text("threads", "1").parse()?;
    let mut image = Image::open(job.file)?;
    let parts = match job.work {
        "whole" => Vec::new(),
        _ => parts_of(job.text("boxes", ""), job.text("step", "1").parse()?)?,
    };
    let len = match job.work {
        "whole" => image.len(),
        _ => parts
            .iter()
            .map(|Part(_, count, _)| count.iter().product::<usize>())
            .sum(),
    };
    let by = match job.text("by", "runs") {
        "map" => By::Map(Map::fresh(job.file)?),
        "kept" => By::Map(Map::of(job.file)?),
        "rows" => By::Rows,
        _ => By::Runs,
    };
    let is_fresh = job.text("fresh", "0") == "1";
    let mut used = Vec::new();
    if !is_fresh {
        used.resize(len, T::of(0, 0.0, 0.0));
    }
    let mut pieces = vec![vec![0; PIECE]; threads];
    let start = Instant::now();
    let mut fresh = is_fresh.then(|| Fresh::<T>::new(len));
    let to = fresh.as_deref_mut().unwrap_or(&mut used[..]);
    match (job.work, &by) {
        ("whole", By::Map(map)) => turned(&image, map, to),
        ("whole", _) => whole(&image, to, &mut pieces),
        (_, by) => {
            if job.text("open", "before") != "before" {
                image = Image::open(job.file)?;
            }
            // Each thread has its share of the parts.
            let share = parts.len().div_ceil(threads);
            let mut rest = to;
            scope(|scope| {
                let image = &image;
                for ((i, parts), piece) in parts.chunks(share).enumerate().zip(&mut pieces) {
                    let size = |part: &Part| part.1.iter().product::<usize>();
                    let (own, others) = rest.split_at_mut(parts.iter().map(size).sum());
                    rest = others;
                    let work = move || {
                        let mut own = own;
                        for part in parts {
                            let (to, others) = own.split_at_mut(size(part));
                            own = others;
                            read_part(image, by, part, to, piece);
                        }
                    };
                    match i + 1 < threads {
                        true => drop(scope.spawn(work)),
                        false => work(),
                    }
                }
            });
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let result = fresh.as_deref().unwrap_or(&used[..]);
    Ok((seconds, checksum(bytes_of(result))))
}

fn open(job: &Job) -> Answer {
    let times: u32 = job.text("times", "1").parse()?;
    let start = Instant::now();
    for _ in 0..times {
        std::hint::black_box(Image::open(job.file)?);
    }
    Ok((start.elapsed().as_secs_f64() / f64::from(times), 0))
}

pub fn work(job: &Job) -> Answer {
    match (job.work, job.text("dtype", "disk")) {
        ("open", _) => open(job),
        ("whole" | "slices" | "batch", "disk") => image_work::<i16>(job),
        ("whole" | "slices" | "batch", "float32") => image_work::<f32>(job),
        ("whole" | "slices" | "batch", "float64") => image_work::<f64>(job),
        _ => Err("no such work".into()),
    }
}
