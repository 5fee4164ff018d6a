//! MINC 1 (.mnc): NetCDF's classic format with the variables of `minc.rs`.

use super::entries::Entry;
use super::minc::{self, Attributes, Axis, Ends, Image, MOST_BLOCKS, check_count};
use super::netcdf::{self, Attribute, Classic, Variable};
use super::{Bytes, Format, Header, Notes, too_large};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::{Block, Layout};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

pub(super) fn read(bytes: &dyn Bytes, strict: bool) -> Result<Header> {
    let file = netcdf::read(bytes)?;
    let Some(variable) = file.variable("image") else {
        let text = "this is a NetCDF file without MINC's variable 'image'";
        return Err(Error::new(ErrorKind::Format, text));
    };
    let attributes = attributes(&variable.attributes, variable.at);
    let dtype = dtype(variable, &attributes)?;
    let ranges = ranges(bytes, &file)?;
    let most = ranges
        .as_ref()
        .map_or(0, |[low, _]| low.numbers.len() as u64);
    let image = Image {
        axes: axes(&file, variable),
        layout: layout(&file, variable, dtype, most.max(MOST_BLOCKS))?,
        byte_order: ByteOrder::Big,
        at: variable.at as u64,
        attributes,
        ranges,
        has_valid_min: true,
    };
    let mut entries: Vec<Entry> = self::attributes(&file.attributes, 0).entries("").collect();
    for variable in &file.variables {
        let own = self::attributes(&variable.attributes, variable.at);
        entries.extend(own.entries(&variable.name));
    }
    minc::header(
        Format::Minc1,
        (file.raw, entries),
        image,
        Notes::new(strict),
    )
}

fn attributes(list: &[Attribute], at: usize) -> Attributes {
    let pair = |attribute: &Attribute| (attribute.name.clone(), attribute.value.clone());
    Attributes {
        list: list.iter().map(pair).collect(),
        at: at as u64,
    }
}

/// NetCDF's integers have a sign, MINC's may have none: bytes unless the
/// attribute signtype says so, others if it does.
fn dtype(image: &Variable, attributes: &Attributes) -> Result<DType> {
    let wrong = |text: String| Err(Error::new(ErrorKind::Header, text).at(image.at as u64));
    if image.is_text {
        return wrong("the image holds characters, not numbers".into());
    }
    if matches!(image.dtype, DType::Float32 | DType::Float64) {
        return Ok(image.dtype);
    }
    let is_unsigned = match attributes.text("signtype") {
        None => image.dtype == DType::Int8,
        Some("unsigned") => true,
        Some("signed__") => false,
        Some(other) => {
            let text = format!("signtype is '{}', which is none", other.escape_debug());
            return wrong(text);
        }
    };
    Ok(match image.dtype {
        DType::Int8 if is_unsigned => DType::UInt8,
        DType::Int16 if is_unsigned => DType::UInt16,
        DType::Int32 if is_unsigned => DType::UInt32,
        dtype => dtype,
    })
}

/// The image's dimensions. What is said of one, the variable of its name says.
fn axes(file: &Classic, image: &Variable) -> Vec<Axis> {
    let axis = |&number: &usize| {
        let name = &file.dimensions[number].name;
        let found = file.variable(name);
        let own = found.map(|variable| attributes(&variable.attributes, variable.at));
        Axis {
            name: name.clone(),
            attributes: own.unwrap_or_default(),
        }
    };
    image.dimensions.iter().map(axis).collect()
}

/// One block, or one for each record.
fn layout(file: &Classic, image: &Variable, dtype: DType, most: u64) -> Result<Layout> {
    let wrong = |text: String| Error::new(ErrorKind::Header, text).at(image.at as u64);
    let lengths = file.shape(image);
    if lengths.len() > shape::MAX_NDIM {
        let axes = lengths.len();
        return Err(wrong(format!(
            "the image has {axes} axes, {} at most are possible",
            shape::MAX_NDIM
        )));
    }
    // Lengths have 32 bits.
    let shape: Vec<i64> = lengths.iter().map(|&n| n as i64).collect();
    let too_large = || too_large(image.at, (&shape, dtype), image.begin);
    let Some(step) = file.step(image) else {
        return Layout::packed(dtype, Order::C, &shape, image.begin).ok_or_else(too_large);
    };
    let records = lengths[0];
    if records > most {
        return Err(wrong(format!(
            "{records} records of the image are too many"
        )));
    }
    let block = |number: u64| {
        let offset = number.checked_mul(step)?.checked_add(image.begin)?;
        Some(Block {
            offset,
            ..Block::default()
        })
    };
    let blocks: Option<Vec<Block>> = (0..records.max(1)).map(block).collect();
    let mut strides = shape::packed_strides(&shape, dtype.size(), Order::C);
    strides[0] = 0;
    let mut full: Vec<i64> = shape.clone();
    full[0] = 1;
    let layout = blocks
        .and_then(|blocks| Layout::new(dtype, Order::C, shape.clone(), full, strides, blocks));
    layout.ok_or_else(too_large)
}

/// image-min and image-max, if both are there.
fn ranges(bytes: &dyn Bytes, file: &Classic) -> Result<Option<[Ends; 2]>> {
    let found = ["image-min", "image-max"].map(|name| file.variable(name));
    let [Some(low), Some(high)] = found else {
        return Ok(None);
    };
    let ends = |variable: &Variable| {
        let shape = file.shape(variable);
        check_count(&shape, variable.at as u64)?;
        let name = |&number: &usize| file.dimensions[number].name.clone();
        Ok(Ends {
            names: variable.dimensions.iter().map(name).collect(),
            numbers: file.numbers(bytes, variable)?,
            shape,
            // One number is taken as float64, as NiBabel takes it.
            single: variable.dtype == DType::Float32 && !variable.dimensions.is_empty(),
            at: variable.at as u64,
        })
    };
    Ok(Some([ends(low)?, ends(high)?]))
}

#[cfg(test)]
#[path = "minc1_tests.rs"]
mod tests;
