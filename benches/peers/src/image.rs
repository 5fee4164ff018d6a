//! The `nifti` crate: whole images, and volumes one after the other.

use std::hint::black_box;
use std::time::Instant;

use nifti::volume::ndarray::IntoNdArray;
use nifti::{NiftiObject, ReaderOptions, ReaderStreamedOptions};

use crate::{Answer, Job, checksum};

pub fn work(job: &Job) -> Answer {
    match job.work {
        "open" => open(job),
        "whole" => whole(job),
        "slices" => volumes(job),
        _ => Err("no such work".into()),
    }
}

fn open(job: &Job) -> Answer {
    let times: u32 = job.text("times", "1").parse()?;
    let start = Instant::now();
    for _ in 0..times {
        black_box(ReaderStreamedOptions::new().read_file(job.file)?);
    }
    Ok((start.elapsed().as_secs_f64() / f64::from(times), 0))
}

/// Into the crate's own memory, which it does not let others choose.
fn whole(job: &Job) -> Answer {
    let start = Instant::now();
    let volume = ReaderOptions::new().read_file(job.file)?.into_volume();
    macro_rules! scaled {
        ($float:ty) => {{
            let array = volume.into_ndarray::<$float>()?;
            let seconds = start.elapsed().as_secs_f64();
            let values = array.as_slice_memory_order().ok_or("gaps in it")?;
            // SAFETY: floats are bytes without gaps.
            let (_, bytes, _) = unsafe { values.align_to::<u8>() };
            Ok((seconds, checksum(bytes)))
        }};
    }
    match job.text("dtype", "disk") {
        "float32" => scaled!(f32),
        "float64" => scaled!(f64),
        _ => {
            let seconds = start.elapsed().as_secs_f64();
            Ok((seconds, checksum(volume.raw_data())))
        }
    }
}

/// All volumes from the first on: the one order that the crate has.
fn volumes(job: &Job) -> Answer {
    let boxes = std::fs::read_to_string(job.text("boxes", ""))?;
    let mut sizes = Vec::new();
    for (t, line) in boxes.lines().enumerate() {
        let numbers: Result<Vec<usize>, _> = line.split_whitespace().map(str::parse).collect();
        let numbers = numbers?;
        if numbers[..3] != [0; 3] || numbers[3] != t {
            return Err("reads volumes from the first on alone".into());
        }
        sizes.push(numbers[4..].iter().product::<usize>());
    }
    let mut result = vec![0; sizes.iter().sum::<usize>() * size_of::<i16>()];
    let start = Instant::now();
    let mut series = ReaderStreamedOptions::new()
        .read_file(job.file)?
        .into_volume();
    let mut bytes = Vec::new();
    let mut to = &mut result[..];
    for _ in &sizes {
        bytes = series.read_slice_inline(bytes)?.into_raw_data();
        let (place, rest) = to.split_at_mut(bytes.len());
        place.copy_from_slice(&bytes);
        to = rest;
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, checksum(&result)))
}
