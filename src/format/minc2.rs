//! MINC 2 (.mnc): HDF5 with the variables of `minc.rs` as datasets, below the
//! group /minc-2.0.

use super::chunks::{Chunk, Chunks, Filters};
use super::entries::Entry;
use super::hdf5::{Attribute, Dataset, File, Object, Place};
use super::minc::{self, Attributes, Axis, BLOCKS_EACH, Ends, Image, check_count};
use super::{Bytes, Format, Header, Notes, too_large};
use crate::core::dtype::{DType, Order};
use crate::core::layout::{Block, Layout};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

const IMAGE: [&str; 3] = ["minc-2.0", "image", "0"];
const DIMENSIONS: [&str; 2] = ["minc-2.0", "dimensions"];
const INFO: [&str; 2] = ["minc-2.0", "info"];

/// Chunks that an image can have however few of them are stored.
const FEW_CHUNKS: u64 = 1 << 14;

/// Attributes without which values or places would be others. What is wrong
/// with others only leaves them out.
const NEEDED: [&str; 6] = [
    "dimorder",
    "direction_cosines",
    "spacing",
    "start",
    "step",
    "valid_range",
];

pub(super) fn read(bytes: &dyn Bytes, strict: bool) -> Result<Header> {
    let file = File::open(bytes)?;
    let [a, b, c] = IMAGE;
    let Some(object) = file.object(&[a, b, c, "image"])? else {
        let text = "this is an HDF5 file without MINC's /minc-2.0/image/0/image";
        return Err(Error::new(ErrorKind::Format, text));
    };
    let dataset = file.dataset(&object)?;
    let attributes = attributes(&file, &object)?;
    let axes = axes(&file, &attributes, dataset.shape.len())?;
    let entries = entries(&file, &attributes, &axes);
    let ranges = match dataset.dtype.integer_range() {
        Some(_) => ranges(&file)?,
        None => None,
    };
    let (layout, chunks) = layout(&dataset)?;
    let image = Image {
        axes,
        layout,
        byte_order: dataset.byte_order,
        at: dataset.at,
        attributes,
        ranges,
        has_valid_min: false,
    };
    let notes = Notes::new(strict);
    let header = minc::header(Format::Minc2, (Vec::new(), entries), image, notes)?;
    Ok(Header { chunks, ..header })
}

fn attributes(file: &File<'_>, object: &Object) -> Result<Attributes> {
    let mut list = Vec::new();
    for Attribute { name, value } in file.attributes(object)? {
        match value {
            Ok(value) => list.push((name, value)),
            Err(error) if NEEDED.contains(&&*name) => return Err(error),
            Err(_) => {}
        }
    }
    let at = object.at;
    Ok(Attributes { list, at })
}

/// Names of a dataset's dimensions, the slowest first, as far as it tells
/// them.
fn names(attributes: &Attributes, rank: usize) -> Vec<String> {
    let order = attributes.text("dimorder").unwrap_or_default();
    let names = order.split(',').filter(|name| !name.is_empty());
    let mut names: Vec<String> = names.take(rank).map(String::from).collect();
    names.resize(rank, String::new());
    names
}

fn axes(file: &File<'_>, image: &Attributes, rank: usize) -> Result<Vec<Axis>> {
    let [a, b] = DIMENSIONS;
    let axis = |name: String| {
        let found = match name.as_str() {
            "" => None,
            name => file.object(&[a, b, name])?,
        };
        let own = found.map(|object| attributes(file, &object));
        Ok(Axis {
            name,
            attributes: own.transpose()?.unwrap_or_default(),
        })
    };
    names(image, rank).into_iter().map(axis).collect()
}

/// All attributes as fields. Data can be read without those that cannot.
fn entries(file: &File<'_>, image: &Attributes, axes: &[Axis]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut add = |object: Result<Option<Object>>, name: &str| {
        if let Ok(Some(object)) = object {
            if let Ok(own) = attributes(file, &object) {
                entries.extend(own.entries(name));
            }
        }
    };
    add(file.object(&IMAGE[..1]), "");
    if let Ok(Some(info)) = file.object(&INFO) {
        for (name, at) in file.children(&info).unwrap_or_default() {
            add(file.object_at(at).map(Some), &name);
        }
    }
    entries.extend(image.entries("image"));
    for axis in axes {
        entries.extend(axis.attributes.entries(&axis.name));
    }
    entries
}

/// image-min and image-max, if both are there.
fn ranges(file: &File<'_>) -> Result<Option<[Ends; 2]>> {
    let [a, b, c] = IMAGE;
    let find = |name| file.object(&[a, b, c, name]);
    let (Some(low), Some(high)) = (find("image-min")?, find("image-max")?) else {
        return Ok(None);
    };
    let ends = |object: &Object| {
        let dataset = file.dataset(object)?;
        let shape: Vec<u64> = dataset.shape.iter().map(|&n| n as u64).collect();
        check_count(&shape, dataset.at)?;
        let attributes = attributes(file, object)?;
        Ok(Ends {
            names: names(&attributes, shape.len()),
            numbers: file.numbers(&dataset)?,
            shape,
            single: dataset.dtype == DType::Float32,
            at: dataset.at,
        })
    };
    Ok(Some([ends(&low)?, ends(&high)?]))
}

/// Where the elements are: in one piece, in chunks, or nowhere.
fn layout(dataset: &Dataset) -> Result<(Layout, Option<Chunks>)> {
    let Dataset { shape, dtype, .. } = dataset;
    let too_large = || too_large(dataset.at, (shape, *dtype), 0);
    let whole = |at| Layout::packed(*dtype, Order::C, shape, at).ok_or_else(too_large);
    let (chunk, list) = match &dataset.place {
        _ if shape.contains(&0) => return Ok((whole(0)?, None)),
        Place::Whole { at } => return Ok((whole(*at)?, None)),
        Place::Nowhere => (shape, &[][..]),
        Place::Chunked { chunk, chunks } => (chunk, &chunks[..]),
    };
    let size = shape::nbytes(chunk, dtype.size()).ok_or_else(too_large)? as u64;
    let pairs = shape.iter().zip(chunk);
    let counts: Vec<u64> = pairs
        .map(|(&n, &len)| (n as u64).div_ceil(len as u64))
        .collect();
    let count = counts
        .iter()
        .fold(1u64, |n, &count| n.saturating_mul(count));
    if count > FEW_CHUNKS.max((list.len() as u64).saturating_mul(BLOCKS_EACH)) {
        let text = format!(
            "the image has {count} chunks, of which {} are stored",
            list.len()
        );
        return Err(Error::new(ErrorKind::Unsupported, text).at(dataset.at));
    }
    // Chunks that nothing was done to are read where they are.
    let is_plain = |chunk: &Chunk| chunk.filters == Filters::default();
    let plain = list.len() as u64 == count && list.iter().all(is_plain);
    let block = |place: u64| {
        let number = number(place, &counts);
        let offset = match plain {
            true => list[number as usize].at,
            false => number.checked_mul(size)?,
        };
        Some(Block {
            offset,
            ..Block::default()
        })
    };
    let blocks: Option<Vec<Block>> = (0..count).map(block).collect();
    let strides = shape::packed_strides(chunk, dtype.size(), Order::C);
    let layout = Layout::new(
        *dtype,
        Order::C,
        shape.clone(),
        chunk.clone(),
        strides,
        blocks.ok_or_else(too_large)?,
    );
    let chunks = Chunks {
        size: usize::try_from(size).map_err(|_| too_large())?,
        count,
        stored: list.to_vec(),
        fill: dataset.fill.clone(),
    };
    let layout = layout.ok_or_else(too_large)?;
    Ok((layout, (!plain).then_some(chunks)))
}

/// The number of the chunk at a place of a grid. Of HDF5's numbers the last
/// axis moves fastest, of a layout's places the first.
fn number(place: u64, counts: &[u64]) -> u64 {
    let (mut rest, mut number) = (place, 0);
    for &count in counts {
        number = number * count + rest % count;
        rest /= count;
    }
    number
}

#[cfg(test)]
#[path = "minc2_tests.rs"]
mod tests;
