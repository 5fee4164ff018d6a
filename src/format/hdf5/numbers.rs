//! Small datasets as numbers.

use super::dataset::{Dataset, Place};
use super::source::{Source, unsupported, wrong};
use super::values;
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};
use crate::format::chunks::Chunk;
use crate::format::fields::Fields;

/// Most elements that are read.
const MOST: i64 = 1 << 24;
/// Elements that a file of fewer bytes may have, which do not have to be
/// stored; and a chunk of a smaller array.
const FEW: u64 = 1 << 16;

/// All elements of a dataset.
pub(super) fn read(source: &Source<'_>, dataset: &Dataset) -> Result<Vec<f64>> {
    let (dtype, order) = (dataset.dtype, dataset.byte_order);
    let bytes = stored(source, dataset)?;
    let bytes = &bytes[..];
    let fields = Fields { bytes, order };
    let places = (0..bytes.len()).step_by(dtype.size());
    Ok(places.map(|at| values::real(fields, dtype, at)).collect())
}

/// The bytes of all elements, those that were never written too.
fn stored(source: &Source<'_>, dataset: &Dataset) -> Result<Vec<u8>> {
    let (shape, item) = (&dataset.shape, dataset.dtype.size());
    let count = shape::count(shape).filter(|&count| count <= MOST);
    let most = source.bytes.most().unwrap_or(u64::MAX).max(FEW);
    let Some(count) = count.filter(|&count| count as u64 <= most) else {
        let text = format!(
            "the shape {} is too large for a small array",
            shape::text(shape)
        );
        return Err(unsupported(dataset.at, text));
    };
    let len = count as usize * item;
    let (chunk, chunks) = match &dataset.place {
        Place::Nowhere => return Ok(dataset.fill.repeat(count as usize)),
        Place::Whole { at } => return Ok(source.read(*at, len as u64)?.bytes),
        Place::Chunked { chunk, chunks } => (chunk, chunks),
    };
    let most_each = (count as u64).saturating_mul(64).max(FEW);
    let elements = shape::count(chunk).filter(|&elements| elements as u64 <= most_each);
    let Some(elements) = elements else {
        let text = format!(
            "chunks of shape {} are too large for a small array",
            shape::text(chunk)
        );
        return Err(unsupported(dataset.at, text));
    };
    let mut bytes = dataset.fill.repeat(count as usize);
    for entry in chunks {
        let decoded = decoded(source, entry, (elements as usize, item))?;
        put(&mut bytes, (shape, item), (chunk, entry.number), &decoded);
    }
    Ok(bytes)
}

/// The bytes of a chunk's elements.
fn decoded(source: &Source<'_>, chunk: &Chunk, (count, item): (usize, usize)) -> Result<Vec<u8>> {
    let (filters, at) = (chunk.filters, chunk.at);
    let mut bytes = source.read(at, chunk.stored)?.bytes;
    if filters.fletcher {
        let start = bytes.len().saturating_sub(4);
        let sum = bytes.split_off(start);
        let own = fletcher32(&bytes);
        if sum != own.to_le_bytes() {
            let text = format!("the checksum of chunk {} does not match", chunk.number);
            return Err(Error::new(ErrorKind::Codec, text).at(at));
        }
    }
    let wanted = count * item;
    source.charge(at, wanted)?;
    if filters.deflate {
        // One more shows a stream that is too long.
        let inflated = source.bytes.inflated(&bytes, wanted + 1);
        bytes = inflated.map_err(|error| error.counted_from(at))?;
    }
    if bytes.len() != wanted {
        let text = format!(
            "chunk {} has {} bytes, wanted {wanted}",
            chunk.number,
            bytes.len()
        );
        return Err(wrong(at, text));
    }
    if filters.shuffle {
        let mut sorted = vec![0; wanted];
        for (place, plane) in bytes.chunks_exact(count.max(1)).enumerate() {
            let to = sorted.iter_mut().skip(place).step_by(item);
            to.zip(plane).for_each(|(to, &byte)| *to = byte);
        }
        bytes = sorted;
    }
    Ok(bytes)
}

/// Fletcher's checksum of 32 bits, over big-endian numbers of 16 bits. Its
/// halves are 0xFFFF rather than 0, unless all bytes are 0.
fn fletcher32(bytes: &[u8]) -> u32 {
    let folded = |sum: u32| (sum & 0xFFFF) + (sum >> 16);
    let (mut sum, mut sums) = (0, 0);
    for pair in bytes.chunks(2) {
        let number = u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| low.into());
        sum = folded(sum + number);
        sums = folded(sums + sum);
    }
    sums << 16 | sum
}

/// Put the elements of a chunk, so far as they are of the array, in their
/// place.
fn put(
    bytes: &mut [u8],
    (shape, item): (&[i64], usize),
    (chunk, number): (&[i64], u64),
    from: &[u8],
) {
    let axes = shape.len();
    let mut start = vec![0; axes];
    let mut rest = number as i64;
    for axis in (0..axes).rev() {
        let count = (shape[axis] as u64).div_ceil(chunk[axis] as u64) as i64;
        start[axis] = rest % count * chunk[axis];
        rest /= count;
    }
    let lens: Vec<i64> = (0..axes)
        .map(|axis| chunk[axis].min(shape[axis] - start[axis]))
        .collect();
    let (rows, run) = lens.split_at(axes - 1);
    let run = run[0] as usize * item;
    for row in 0..rows.iter().product() {
        let mut rest: i64 = row;
        let (mut target, mut source) = (start[axes - 1], 0);
        let (mut target_step, mut source_step) = (shape[axes - 1], chunk[axes - 1]);
        for axis in (0..axes - 1).rev() {
            let at = rest % lens[axis];
            rest /= lens[axis];
            target += (start[axis] + at) * target_step;
            source += at * source_step;
            target_step *= shape[axis];
            source_step *= chunk[axis];
        }
        let (target, source) = (target as usize * item, source as usize * item);
        bytes[target..target + run].copy_from_slice(&from[source..source + run]);
    }
}
