//! Filters that chunks went through (IV.A.2.l).

use super::source::{Cursor, unsupported, wrong};
use crate::error::Result;
use crate::format::chunks::Filters;
use crate::format::record::text_of;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Filter {
    Deflate = 1,
    Shuffle = 2,
    Fletcher = 3,
}

/// The filters of a dataset, in the order in which chunks went through.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline(Vec<Filter>);

/// Filters that this room does not know, by their numbers.
const NAMES: [(u16, &str); 10] = [
    (4, "szip"),
    (5, "nbit"),
    (6, "scaleoffset"),
    (307, "bzip2"),
    (32000, "lzf"),
    (32001, "blosc"),
    (32004, "lz4"),
    (32008, "bitshuffle"),
    (32013, "zfp"),
    (32015, "zstd"),
];

impl Pipeline {
    /// The filters of a message. `element` is the bytes of one.
    pub(super) fn read(mut body: Cursor<'_>, element: usize) -> Result<Pipeline> {
        let at = body.at;
        let version = body.version("the filters", 1..=2)?;
        let count = body.u8()?;
        body.take(if version == 1 { 6 } else { 0 })?;
        let mut filters = Vec::new();
        for _ in 0..count {
            filters.push(filter(&mut body, version, element)?);
        }
        let places = filters.iter().map(|filter| match filter {
            Filter::Shuffle => 0,
            Filter::Deflate => 1,
            Filter::Fletcher => 2,
        });
        if !places.is_sorted_by(|here: &i32, next| here < next) {
            let text = "filters in another order than shuffle, deflate, fletcher32 cannot be read";
            return Err(unsupported(at, text.into()));
        }
        Ok(Pipeline(filters))
    }

    /// What a chunk went through; of the filters of a mask's bits, it did not.
    pub(super) fn masked(&self, mask: u32) -> Filters {
        let has = |wanted| {
            let mut filters = self.0.iter().enumerate();
            filters.any(|(i, &filter)| filter == wanted && mask >> i & 1 == 0)
        };
        Filters {
            shuffle: has(Filter::Shuffle),
            deflate: has(Filter::Deflate),
            fletcher: has(Filter::Fletcher),
        }
    }
}

fn filter(body: &mut Cursor<'_>, version: u8, element: usize) -> Result<Filter> {
    let at = body.at;
    let id = body.u16()?;
    let has_name = version == 1 || id >= 256;
    let name = usize::from(if has_name { body.u16()? } else { 0 });
    // Whether it may be left out, which each chunk's mask tells.
    body.u16()?;
    let count = usize::from(body.u16()?);
    let padded = |len: usize, to| match version {
        1 => len.next_multiple_of(to),
        _ => len,
    };
    let name = text_of(body.take(padded(name, 8))?);
    let mut numbers = body.part(4 * padded(count, 2))?;
    let filter = match id {
        1 => Filter::Deflate,
        2 => Filter::Shuffle,
        3 => Filter::Fletcher,
        _ => {
            let known = NAMES.iter().find(|entry| entry.0 == id);
            let name = known.map_or(name.as_str(), |entry| entry.1);
            let text =
                format!("chunks went through the filter {id} (\"{name}\"), which cannot be undone");
            return Err(unsupported(at, text));
        }
    };
    if filter == Filter::Shuffle && count > 0 && numbers.u32()? as usize != element {
        let text = format!("bytes are shuffled as those of other elements than of {element} bytes");
        return Err(wrong(at, text));
    }
    Ok(filter)
}
