//! What MINC 1 and MINC 2 have in common: an image over named dimensions, whose
//! integers stand for the range of the variables image-min and image-max. Names
//! are those of the MINC Programmer's Guide.

use super::affine::{self, Affine, Matrix, Plain};
use super::entries::Entry;
use super::record::Value;
use super::{Format, Header, Notes, wrong};
use crate::core::dtype::ByteOrder;
use crate::core::layout::Layout;
use crate::core::scale::{Arithmetic, Factors, Meaning, distinct};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

/// Most ranges that an image can have.
const MOST_RANGES: u64 = 1 << 20;

/// Blocks that an image can have however small the file is, and how many for each
/// of its ranges and of the pieces that are listed in it.
pub(super) const MOST_BLOCKS: u64 = 1 << 16;
pub(super) const BLOCKS_EACH: u64 = 64;

/// What a file says of its image.
pub(super) struct Image {
    /// The slowest first.
    pub(super) axes: Vec<Axis>,
    /// Without factors.
    pub(super) layout: Layout,
    pub(super) byte_order: ByteOrder,
    /// Byte at which the image's description begins.
    pub(super) at: u64,
    pub(super) attributes: Attributes,
    /// image-min and image-max.
    pub(super) ranges: Option<[Ends; 2]>,
    /// Whether the least and the greatest valid value may have attributes of
    /// their own.
    pub(super) has_valid_min: bool,
}

/// A dimension that the image has.
pub(super) struct Axis {
    /// Empty if it is not known.
    pub(super) name: String,
    pub(super) attributes: Attributes,
}

/// Of ranges the lower ends or the upper ones.
pub(super) struct Ends {
    /// Names of the dimensions over which they are, as far as they are known.
    pub(super) names: Vec<String>,
    pub(super) shape: Vec<u64>,
    pub(super) numbers: Vec<f64>,
    /// Whether they are subtracted in single precision.
    pub(super) single: bool,
    pub(super) at: u64,
}

/// Attributes of a variable.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub(super) list: Vec<(String, Value)>,
    /// Byte of the variable.
    pub(super) at: u64,
}

impl Attributes {
    fn get(&self, name: &str) -> Option<&Value> {
        let found = self.list.iter().find(|attribute| attribute.0 == name);
        found.map(|attribute| &attribute.1)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        self.get(name)?.clone().reals()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.numbers(name)?.first().copied()
    }

    /// As fields of a header.
    pub(super) fn entries(&self, variable: &str) -> impl Iterator<Item = Entry> {
        let entry = move |(name, value): &(String, Value)| {
            Entry::of(format!("{variable}:{name}"), self.at, value.clone())
        };
        self.list.iter().map(entry)
    }
}

/// Fail if an image has too many ranges.
pub(super) fn check_count(shape: &[u64], at: u64) -> Result<()> {
    let count = shape.iter().try_fold(1u64, |n, &len| n.checked_mul(len));
    match count {
        Some(..=MOST_RANGES) => Ok(()),
        _ => {
            let text = format!("an image has {MOST_RANGES} ranges at most, this has {shape:?}");
            Err(Error::new(ErrorKind::Unsupported, text).at(at))
        }
    }
}

/// The units of lengths and of times.
pub(super) fn units(entries: &[Entry]) -> [String; 2] {
    let unit = |name: &str| {
        let entry = entries.iter().find(|entry| entry.name == name)?;
        match entry.read(&[]) {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    };
    let space = ["xspace:units", "yspace:units", "zspace:units"];
    let space = space.into_iter().find_map(unit);
    [
        space.unwrap_or_else(|| "mm".into()),
        unit("time:units").unwrap_or_else(|| "unknown".into()),
    ]
}

/// The header that an image makes.
pub(super) fn header(
    format: Format,
    (raw, entries): (Vec<u8>, Vec<Entry>),
    image: Image,
    mut notes: Notes,
) -> Result<Header> {
    let zooms = image.zooms(&mut notes)?;
    let spatial = image.spatial();
    let best = image.affine(spatial, &mut notes)?;
    let base = image.base(spatial, &zooms);
    let (factors, layout) = image.scaled(&mut notes)?;
    let meaning = |factors| Meaning {
        byte_order: image.byte_order,
        factors,
    };
    Ok(Header {
        meanings: factors.into_iter().map(meaning).collect(),
        spatial,
        zooms,
        affine: Affine::Plain(Box::new(Plain { best, base })),
        notes,
        entries,
        ..Header::new(format, raw, (layout, image.byte_order))
    })
}

impl Image {
    /// Factors and the layout whose blocks have them.
    fn scaled(&self, notes: &mut Notes) -> Result<(Vec<Factors>, Layout)> {
        let dtype = self.layout.dtype;
        let plain = || (vec![Factors::NONE], self.layout.clone());
        let Some(range) = dtype.integer_range() else {
            return Ok(plain());
        };
        let Some([low, high]) = &self.ranges else {
            let text = "image-min or image-max is missing: integers are as stored";
            notes.add(30, self.at, text.into())?;
            return Ok(plain());
        };
        self.check_ranges(low, high)?;
        let range = (range.0 as f64, range.1 as f64);
        let valid = self.valid(range)?;
        let factors = |(&low_end, &high_end): (&f64, &f64)| {
            let span = match low.single && high.single {
                true => f64::from(high_end as f32 - low_end as f32),
                false => high_end - low_end,
            };
            let slope = span / (valid.1 - valid.0);
            Factors {
                slope,
                inter: low_end - valid.0 * slope,
                clip: (valid != range).then_some(valid),
                arithmetic: Arithmetic::Double,
                ..Factors::NONE
            }
        };
        let ends = low.numbers.iter().zip(&high.numbers);
        let (mut found, meanings) = distinct(ends.map(factors));
        if let Some(odd) = found.iter().find(|factors| !factors.is_finite()) {
            let text = format!(
                "values are not finite: the slope is {}, the intercept {}",
                odd.slope, odd.inter
            );
            notes.add(10, high.at, text)?;
        }
        if found.len() <= 1 {
            // Without elements there may be none.
            found.resize(1, Factors::double(1.0, 0.0));
            return Ok((found, self.layout.clone()));
        }
        let axes: Vec<usize> = (0..low.shape.len()).collect();
        self.check_cut(meanings.len())?;
        let layout = self.layout.cut(&axes, |place| {
            let axes = place.iter().zip(&low.shape);
            let number = axes.fold(0, |number, (&i, &n)| number * n as usize + i as usize);
            meanings[number]
        });
        let error = || wrong(self.at, "the image has too many pieces");
        Ok((found, layout.ok_or_else(error)?))
    }

    /// Fail if ranges cut the image into too many blocks.
    fn check_cut(&self, ranges: usize) -> Result<()> {
        let Image { layout, .. } = self;
        let listed = (ranges + layout.blocks.len()) as u64;
        let most = MOST_BLOCKS.max(listed.saturating_mul(BLOCKS_EACH));
        let rank = self.ranges.as_ref().map_or(0, |[low, _]| low.shape.len());
        let rest = layout.grid().skip(rank);
        let blocks = rest.fold(ranges as u64, |n, len| n.saturating_mul(len as u64));
        if blocks > most {
            let text = format!("ranges cut the image into {blocks} blocks, which are too many");
            return Err(wrong(self.at, text));
        }
        Ok(())
    }

    /// Fail if ranges are not over the image's slowest axes.
    fn check_ranges(&self, low: &Ends, high: &Ends) -> Result<()> {
        if low.shape != high.shape || low.names != high.names {
            let text = "image-min and image-max do not have the same dimensions";
            return Err(wrong(high.at, text));
        }
        let shape = &self.layout.shape;
        let mut lengths = low.shape.iter().zip(shape);
        let leads = low.shape.len() <= shape.len() && lengths.all(|(&a, &b)| a == b as u64);
        let named = |(a, b): (&String, &Axis)| a.is_empty() || b.name.is_empty() || *a == b.name;
        if leads && low.names.iter().zip(&self.axes).all(named) {
            return Ok(());
        }
        let text = format!(
            "image-max has the dimensions {:?}, which are not the slowest of the image's, {}",
            low.shape,
            shape::text(shape)
        );
        Err(wrong(high.at, text))
    }

    /// The stored values that are valid.
    fn valid(&self, range: (f64, f64)) -> Result<(f64, f64)> {
        let of = &self.attributes;
        let both = of.numbers("valid_range");
        let found = match both.as_deref() {
            Some(&[low, high]) => Some((low, high)),
            Some(other) => {
                let text = format!("valid_range has {} values, wanted 2", other.len());
                return Err(wrong(of.at, text));
            }
            None if self.has_valid_min => of.number("valid_min").zip(of.number("valid_max")),
            None => None,
        };
        let Some((low, high)) = found else {
            return Ok(range);
        };
        if low < range.0 || high > range.1 || low.is_nan() || high.is_nan() {
            let text = format!(
                "the valid range from {low} to {high} is not within that of type {}",
                self.layout.dtype
            );
            return Err(wrong(of.at, text));
        }
        Ok((low, high))
    }

    /// The axes of space, if there are three.
    fn spatial(&self) -> Option<[usize; 3]> {
        let is_spatial = |number: &usize| self.axes[*number].name.ends_with("space");
        let found: Vec<usize> = (0..self.axes.len()).filter(is_spatial).collect();
        found.try_into().ok()
    }

    fn zooms(&self, notes: &mut Notes) -> Result<Vec<f64>> {
        let mut zooms = Vec::new();
        for axis in &self.axes {
            let spacing = axis.attributes.text("spacing").unwrap_or("regular__");
            if !spacing.starts_with("regular") {
                let text = format!(
                    "the spacing of {} is '{}', but is taken as regular",
                    axis.name,
                    spacing.escape_debug()
                );
                notes.add(30, axis.attributes.at, text)?;
            }
            zooms.push(axis.step().abs());
        }
        Ok(zooms)
    }

    /// From indices of the axes of space, in the order of the file, to the
    /// world.
    fn affine(&self, spatial: Option<[usize; 3]>, notes: &mut Notes) -> Result<Result<Matrix>> {
        let found = match spatial {
            Some(axes) => self.matrix(axes),
            None => Err(wrong(
                self.at,
                "the image does not have three axes of space",
            )),
        };
        match found {
            Err(error) if notes.strict => Err(error),
            Err(error) => {
                notes.texts.push(format!("{error}: the affine is unknown"));
                Ok(Err(error))
            }
            Ok(matrix) => Ok(Ok(matrix)),
        }
    }

    fn matrix(&self, axes: [usize; 3]) -> Result<Matrix> {
        let mut rows = [[0.0; 4]; 3];
        for (column, number) in axes.into_iter().enumerate() {
            let axis = &self.axes[number];
            let (cosines, step) = (axis.cosines()?, axis.step());
            let start = axis.attributes.number("start").unwrap_or(0.0);
            for (row, cosine) in rows.iter_mut().zip(cosines) {
                row[column] = cosine * step;
                row[3] += cosine * start;
            }
        }
        Ok(affine::with_last_row(&rows))
    }

    fn base(&self, spatial: Option<[usize; 3]>, zooms: &[f64]) -> Matrix {
        let shape = &self.layout.shape;
        let axes: Vec<usize> = match spatial {
            Some(axes) => axes.to_vec(),
            None => (0..shape.len().min(3)).collect(),
        };
        let lengths: Vec<i64> = axes.iter().map(|&axis| shape[axis]).collect();
        let zooms: Vec<f64> = axes.iter().map(|&axis| zooms[axis]).collect();
        affine::base(&lengths, &zooms)
    }
}

impl Axis {
    /// From one voxel to the next, downwards if negative.
    fn step(&self) -> f64 {
        self.attributes.number("step").unwrap_or(1.0)
    }

    /// The direction in the world; by default that of its name.
    fn cosines(&self) -> Result<[f64; 3]> {
        if let Some(numbers) = self.attributes.numbers("direction_cosines") {
            let found = <[f64; 3]>::try_from(numbers);
            let text = |other: Vec<f64>| {
                format!(
                    "direction_cosines of {} has {} values, wanted 3",
                    self.name,
                    other.len()
                )
            };
            return found.map_err(|other| wrong(self.attributes.at, text(other)));
        }
        match self.name.as_str() {
            "xspace" => Ok([1.0, 0.0, 0.0]),
            "yspace" => Ok([0.0, 1.0, 0.0]),
            "zspace" => Ok([0.0, 0.0, 1.0]),
            other => {
                let text = format!("{} has no direction_cosines", other.escape_debug());
                Err(wrong(self.attributes.at, text))
            }
        }
    }
}

#[cfg(test)]
#[path = "minc_tests.rs"]
mod tests;
