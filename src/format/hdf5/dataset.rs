//! Datasets: shape, type, and where the elements are (IV.A.2.i).

use super::chunks::{self, Grid, Kind};
use super::datatype::{Datatype, Space};
use super::filters::Pipeline;
use super::object::{DATASPACE, DATATYPE, EXTERNAL, FILL, FILTERS, LAYOUT, OLD_FILL, Object};
use super::source::{Cursor, Source, unsupported, wrong};
use crate::core::dtype::{ByteOrder, DType};
use crate::error::Result;
use crate::format::chunks::Chunk;

/// An array in the file, of which the last axis varies fastest.
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    /// Byte of the file at which the object's header begins.
    pub(crate) at: u64,
    pub(crate) shape: Vec<i64>,
    pub(crate) dtype: DType,
    pub(crate) byte_order: ByteOrder,
    pub(crate) place: Place,
    /// The bytes of an element that was never written.
    pub(crate) fill: Vec<u8>,
}

/// Where the elements are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// They were never written.
    Nowhere,
    /// All from a byte of the file on.
    Whole {
        /// Byte of the file.
        at: u64,
    },
    /// In chunks, of which all have the same shape: those at the ends of axes
    /// go beyond. A chunk that is not listed was never written.
    Chunked {
        /// Elements of a chunk along each axis.
        chunk: Vec<i64>,
        /// In the order of their numbers.
        chunks: Vec<Chunk>,
    },
}

/// The dataset that an object is.
pub(super) fn read(source: &Source<'_>, object: &Object) -> Result<Dataset> {
    let space = object.get(source, (DATASPACE, "dataspace"), Space::read)?;
    let datatype = object.get(source, (DATATYPE, "datatype"), Datatype::read)?;
    let Datatype::Number(dtype, byte_order) = datatype else {
        let text = "the elements of a dataset are texts, which are no array";
        return Err(unsupported(object.at, text.into()));
    };
    if object.all(EXTERNAL).next().is_some() {
        let text = "the elements of a dataset are in other files";
        return Err(unsupported(object.at, text.into()));
    }
    let item = dtype.size();
    let pipeline = object.find(source, FILTERS, |body| Pipeline::read(body, item))?;
    let array = Array {
        space: &space,
        item: item as u64,
        pipeline: &pipeline.unwrap_or_default(),
    };
    let layout = (LAYOUT, "layout");
    let place = object.get(source, layout, |body| array.place(source, body))?;
    Ok(Dataset {
        at: object.at,
        dtype,
        byte_order,
        place,
        fill: fill(source, object, item)?,
        shape: space.shape,
    })
}

/// When the fill value is written. Then it is not read, either.
const NEVER: u8 = 1;

/// IV.A.2.e and IV.A.2.f. Zeros, if none is set.
fn fill(source: &Source<'_>, object: &Object, item: usize) -> Result<Vec<u8>> {
    let sized = |mut body: Cursor<'_>| -> Result<Vec<u8>> {
        // Negative, if there is none.
        let size = (body.u32()? as i32).max(0) as usize;
        Ok(body.take(size)?.to_vec())
    };
    let new = object.find(source, FILL, |mut body| {
        let version = body.version("a fill value", 1..=3)?;
        let flags = body.u8()?;
        let (time, has_value) = match version {
            3 => (flags >> 2 & 3, flags & 32 != 0),
            _ => (body.u8()?, body.u8()? != 0 || version == 1),
        };
        match has_value && time != NEVER {
            true => sized(body),
            false => Ok(Vec::new()),
        }
    })?;
    let found = match new {
        Some(value) => Some(value),
        None => object.find(source, OLD_FILL, sized)?,
    };
    match found {
        Some(value) if value.len() == item => Ok(value),
        Some(value) if !value.is_empty() => {
            let text = format!(
                "the fill value has {} bytes, an element has {item}",
                value.len()
            );
            Err(wrong(object.at, text))
        }
        _ => Ok(vec![0; item]),
    }
}

/// What is known of an array before its place.
pub(super) struct Array<'a> {
    pub(super) space: &'a Space,
    /// Bytes of an element.
    pub(super) item: u64,
    pub(super) pipeline: &'a Pipeline,
}

impl Array<'_> {
    /// Bytes of all elements.
    fn bytes(&self) -> u64 {
        // A dataspace has checked this.
        self.space.count().saturating_mul(self.item)
    }

    fn place(&self, source: &Source<'_>, mut body: Cursor<'_>) -> Result<Place> {
        match body.version("a layout", 1..=5)? {
            1 | 2 => self.version1(source, body),
            3 => self.version3(source, body),
            _ => self.version4(source, body),
        }
    }

    fn version1(&self, source: &Source<'_>, mut body: Cursor<'_>) -> Result<Place> {
        let at = body.at;
        let (axes, class) = (body.u8()?, body.u8()?);
        body.take(5)?;
        let found = if class == 0 { None } else { body.address()? };
        let axes = (0..axes).map(|_| Ok(body.u32()?.into()));
        let axes = axes.collect::<Result<Vec<u64>>>()?;
        match class {
            0 => {
                let size = body.u32()?.into();
                self.compact(body, size)
            }
            1 => Ok(found.map_or(Place::Nowhere, |at| Place::Whole { at })),
            2 => self.chunked(source, (at, axes), |_| Ok((found, Kind::Tree))),
            _ => Err(class_error(at, class)),
        }
    }

    fn version3(&self, source: &Source<'_>, mut body: Cursor<'_>) -> Result<Place> {
        let at = body.at;
        match body.u8()? {
            2 => {
                let count = body.u8()?;
                let found = body.address()?;
                let axes = (0..count).map(|_| Ok(body.u32()?.into()));
                let axes = axes.collect::<Result<Vec<u64>>>()?;
                self.chunked(source, (at, axes), |_| Ok((found, Kind::Tree)))
            }
            class => self.unchunked(body, class),
        }
    }

    fn version4(&self, source: &Source<'_>, mut body: Cursor<'_>) -> Result<Place> {
        let at = body.at;
        let class = body.u8()?;
        if class != 2 {
            return self.unchunked(body, class);
        }
        let (flags, count, width) = (body.u8()?, body.u8()?, body.u8()?);
        if !(1..=8).contains(&width) {
            return Err(wrong(
                at,
                format!("numbers of {width} bytes cannot be read"),
            ));
        }
        let axes = (0..count).map(|_| body.number(width.into()));
        let axes = axes.collect::<Result<Vec<u64>>>()?;
        self.chunked(source, (at, axes), |grid| {
            // Chunks at the ends went through no filters.
            grid.has_plain_ends = flags & 1 != 0;
            let kind = Kind::read(&mut body, flags & 2 != 0)?;
            Ok((body.address()?, kind))
        })
    }

    /// The classes whose elements are in one piece, from version 3 on.
    fn unchunked(&self, mut body: Cursor<'_>, class: u8) -> Result<Place> {
        let at = body.at;
        match class {
            0 => {
                let size = body.u16()?.into();
                self.compact(body, size)
            }
            1 => {
                let Some(found) = body.address()? else {
                    return Ok(Place::Nowhere);
                };
                self.check(at, body.length()?)?;
                Ok(Place::Whole { at: found })
            }
            _ => Err(class_error(at, class)),
        }
    }

    /// Elements that stand in the message itself.
    fn compact(&self, mut body: Cursor<'_>, size: u64) -> Result<Place> {
        let at = body.at;
        self.check(at, size)?;
        body.take(size as usize)?;
        Ok(Place::Whole { at })
    }

    fn check(&self, at: u64, size: u64) -> Result<()> {
        let wanted = self.bytes();
        if size >= wanted {
            return Ok(());
        }
        let text = format!("the elements take {wanted} bytes, their place has {size}");
        Err(wrong(at, text))
    }

    /// Chunks of the lengths of some axes, of which the last is that of an
    /// element's bytes. `index` reads where they are listed, and how.
    fn chunked(
        &self,
        source: &Source<'_>,
        (at, mut axes): (u64, Vec<u64>),
        index: impl FnOnce(&mut Grid) -> Result<(Option<u64>, Kind)>,
    ) -> Result<Place> {
        let item = axes.pop();
        let grid = Grid::new(self.space, &axes, self.item);
        let Some(mut grid) = grid.filter(|_| item == Some(self.item)) else {
            let text = format!(
                "chunks of axes {axes:?} do not fit the array of shape {:?}",
                self.space.shape
            );
            return Err(wrong(at, text));
        };
        let (found, kind) = index(&mut grid)?;
        let is_empty = self.space.count() == 0;
        let Some(found) = found.filter(|_| !is_empty) else {
            return Ok(Place::Nowhere);
        };
        let chunk = grid.chunk.iter().map(|&len| len as i64).collect();
        let chunks = chunks::list(source, (grid, self.pipeline), (found, kind))?;
        Ok(Place::Chunked { chunk, chunks })
    }
}

fn class_error(at: u64, class: u8) -> crate::error::Error {
    match class {
        3 => unsupported(at, "the elements of a virtual dataset are in others".into()),
        _ => wrong(at, format!("there is no layout of class {class}")),
    }
}
