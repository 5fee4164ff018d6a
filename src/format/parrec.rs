//! PAR/REC, what Philips' scanners export: a text (.PAR) of general information
//! and of one line for each image, and the images (.REC), one after the other.
//! Names are those of `nibabel.parrec`.

use super::affine::{self, Affine, Matrix, Plain};
use super::entries::{self, Entry, Head, short};
use super::parrec_rows::{self as table, Parts, Row};
use super::parrec_sort::{self, SliceOrder, Volumes};
use super::record::Value;
use super::{Bytes, Format, Header, Notes, wrong};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::{Block, Layout};
use crate::core::scale::{Factors, Meaning, distinct};
use crate::core::shape;
use crate::error::{Error, ErrorKind, Result};

/// Bytes in which a header names its version.
const TOP: usize = 16 << 10;

/// What the values of a PAR/REC recording are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scaling {
    /// Those that the scanner's console displays: `stored * RS + RI`, by rescale
    /// slope and intercept.
    #[default]
    Displayed,
    /// Floating-point values: what is displayed, divided by `RS * SS`, by the
    /// scale slope.
    FloatingPoint,
}

/// What the caller wants of a recording.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Choices {
    pub(crate) scaling: Scaling,
    pub(crate) slice_order: SliceOrder,
    /// Whether a recording may be one that was cut short.
    pub(crate) truncated: bool,
}

/// Whether bytes begin as a header does.
pub(super) fn detect(bytes: &dyn Bytes, head: &[u8]) -> Result<bool> {
    if !head.trim_ascii_start().starts_with(b"#") {
        return Ok(false);
    }
    let top = bytes.bytes_at(0, TOP)?;
    Ok(table::parts(&top).version.is_some())
}

pub(super) fn read(bytes: &dyn Bytes, choices: Choices, strict: bool) -> Result<Header> {
    let text = entries::whole(bytes)?;
    let mut notes = Notes::new(strict);
    let parts = table::parts(&text);
    let columns = columns(&text, &parts)?;
    let general = table::general(&parts.general, &mut notes)?;
    let rows = table::rows(&text, &parts.images, columns)?;
    if rows.is_empty() {
        return Err(wrong(text.len(), "the header lists no images"));
    }
    let images = parts.images;
    let recording = Recording {
        head: Head {
            text: &text,
            entries: &general,
        },
        rows: &rows,
    };
    let volumes = recording.volumes(choices, &mut notes)?;
    let factors = recording.factors(choices.scaling, &mut notes)?;
    let (layout, factors) = recording.layout(&volumes, &factors, &mut notes)?;
    let zooms = recording.zooms(layout.shape.len(), &mut notes)?;
    let affine = Plain {
        base: affine::base(&layout.shape[..3], &zooms[..3]),
        best: recording.affine(&layout.shape, &zooms, &mut notes)?,
    };
    let meaning = |factors| Meaning {
        byte_order: ByteOrder::Little,
        factors,
    };
    let entries = [general, table::column_entries(&images, columns)].concat();
    Ok(Header {
        meanings: factors.into_iter().map(meaning).collect(),
        zooms,
        affine: Affine::Plain(Box::new(affine)),
        notes,
        image: Some("rec"),
        entries,
        ..Header::new(Format::ParRec, text, (layout, ByteOrder::Little))
    })
}

/// The columns of the version that a header names.
fn columns(text: &[u8], parts: &Parts<'_>) -> Result<&'static [table::Column]> {
    let Some((at, version)) = parts.version else {
        let reason = "no line names the version of the image export tool";
        return Err(wrong(text.len(), reason));
    };
    table::columns(version).ok_or_else(|| {
        let text = format!(
            "the version of PAR/REC is {}, wanted V4, V4.1 or V4.2",
            short(version)
        );
        Error::new(ErrorKind::Unsupported, text).at(at as u64)
    })
}

/// The unit of the fourth zoom.
pub(super) fn time_unit(header: &[u8], entries: &[Entry]) -> &'static str {
    let head = Head {
        text: header,
        entries,
    };
    match is_set(&head, "dyn_scan") {
        true => "sec",
        false => "unknown",
    }
}

/// Whether a key is there that is not 0.
fn is_set(head: &Head<'_>, name: &str) -> bool {
    let found = head
        .find(name)
        .and_then(|entry| entry.read(head.text).ints());
    found.is_some_and(|ints| ints.iter().any(|&n| n != 0))
}

/// What a header says.
struct Recording<'a> {
    head: Head<'a>,
    /// At least one.
    rows: &'a [Row],
}

impl Recording<'_> {
    /// What is the same for all images.
    fn common<T: PartialEq>(&self, name: &str, get: fn(&Row) -> T) -> Result<T> {
        let first = get(&self.rows[0]);
        let other = self.rows[1..].iter().find(|row| get(row) != first);
        other.map_or(Ok(first), |row| {
            let text =
                format!("{name} is not that of the first image: it must be the same for all");
            Err(Error::new(ErrorKind::Unsupported, text).at(row.at as u64))
        })
    }

    fn volumes(&self, choices: Choices, notes: &mut Notes) -> Result<Volumes> {
        const NAME: &str = "max_slices";
        let found = self.head.value(NAME, "an integer", Value::ints)?;
        let found = found.and_then(|ints| ints.first().copied());
        let missing = || {
            self.head
                .wrong(NAME, format!("the key of {NAME} is missing"))
        };
        let max_slices = found.ok_or_else(missing)?;
        let order = (choices.slice_order, is_set(&self.head, "diffusion"));
        let volumes = parrec_sort::volumes(self.rows, max_slices, order)?;
        let permitted = choices.truncated;
        parrec_sort::check_complete(&self.head, self.rows, &volumes, permitted, notes)?;
        Ok(volumes)
    }

    /// What the images' elements mean, row by row.
    fn factors(&self, scaling: Scaling, notes: &mut Notes) -> Result<Vec<Factors>> {
        let of = |row: &Row| {
            let (intercept, slope) = (row.rescale_intercept, row.rescale_slope);
            match scaling {
                Scaling::Displayed => Factors::double(slope, intercept),
                Scaling::FloatingPoint => {
                    Factors::double(1.0 / row.scale_slope, intercept / (slope * row.scale_slope))
                }
            }
        };
        let factors: Vec<Factors> = self.rows.iter().map(of).collect();
        let is_odd = |factors: &Factors| {
            let are_finite = factors.slope.is_finite() && factors.inter.is_finite();
            !are_finite || factors.overflows(DType::UInt16)
        };
        if let Some(odd) = factors.iter().position(is_odd) {
            let row = &self.rows[odd];
            let text = format!(
                "image {odd} has rescale slope {}, rescale intercept {} and scale slope {}: some values are not finite",
                row.rescale_slope, row.rescale_intercept, row.scale_slope
            );
            notes.add(10, row.at as u64, text)?;
        }
        Ok(factors)
    }

    fn dtype(&self) -> Result<DType> {
        match self.common("image pixel size", |row| row.bits)? {
            8 => Ok(DType::UInt8),
            16 => Ok(DType::UInt16),
            bits => {
                let text = format!("image pixel size is {bits}, wanted 8 or 16");
                Err(wrong(self.rows[0].at, text))
            }
        }
    }

    /// The numbers of the rows' images in the file of images. What the header
    /// says of it counts if it can be so.
    fn places(&self, notes: &mut Notes) -> Result<Vec<usize>> {
        let n = self.rows.len();
        let (mut places, mut is_taken) = (Vec::with_capacity(n), vec![false; n]);
        for row in self.rows {
            let place = usize::try_from(row.index).ok().filter(|&place| place < n);
            match place {
                Some(place) if !is_taken[place] => is_taken[place] = true,
                _ => {
                    let text = format!(
                        "index in REC file is {}, and not each of 0 to {} once in all lines: \
                         images are taken in the order of their lines",
                        row.index,
                        n - 1
                    );
                    notes.add(10, row.at as u64, text)?;
                    return Ok((0..n).collect());
                }
            }
            places.extend(place);
        }
        Ok(places)
    }

    /// The array and what its elements mean: one block if all images mean the
    /// same and come one after the other, else a block for each.
    fn layout(
        &self,
        volumes: &Volumes,
        factors: &[Factors],
        notes: &mut Notes,
    ) -> Result<(Layout, Vec<Factors>)> {
        let dtype = self.dtype()?;
        let [x, y] = self.common("recon resolution", |row| row.resolution)?;
        let first = self.rows[0].at;
        if x < 0 || y < 0 {
            let text = format!("recon resolution is {x} {y}, wanted 0 or more");
            return Err(wrong(first, text));
        }
        let too_large = || {
            let text = format!(
                "{} images of shape {} and type {dtype} pass 2^63 bytes",
                self.rows.len(),
                shape::text(&[x, y])
            );
            wrong(first, text)
        };
        let whole = [x, y, self.rows.len() as i64];
        shape::nbytes(&whole, dtype.size()).ok_or_else(too_large)?;
        let size = x as u64 * y as u64 * dtype.size() as u64;
        let places = self.places(notes)?;
        let offset = |row: usize| places[row] as u64 * size;
        let mut shape = vec![x, y, volumes.slices as i64];
        if volumes.full > 1 {
            shape.push(volumes.full as i64);
        }
        let order = &volumes.order;
        let start = offset(order[0]);
        let packed = Layout::packed(dtype, Order::F, &shape, start).ok_or_else(too_large)?;
        let (meanings, numbers) = distinct(order.iter().map(|&row| factors[row]));
        let follow = order
            .windows(2)
            .all(|two| places[two[1]] == places[two[0]] + 1);
        if meanings.len() == 1 && follow {
            return Ok((packed, meanings));
        }
        let (mut block, mut strides) = (packed.block, packed.strides);
        block[2..].fill(1);
        strides[2..].fill(0);
        let blocks = order.iter().zip(numbers).map(|(&row, meaning)| Block {
            source: 0,
            meaning,
            offset: offset(row),
        });
        let layout = Layout::new(dtype, Order::F, shape, block, strides, blocks.collect());
        Ok((layout.ok_or_else(too_large)?, meanings))
    }

    /// Millimetres from slice to slice with the gap, and seconds from one
    /// dynamic to the next.
    fn zooms(&self, ndim: usize, notes: &mut Notes) -> Result<Vec<f64>> {
        let [x, y] = self.common("pixel spacing", |row| row.spacing)?;
        let thickness = self.common("slice thickness", |row| row.thickness)?;
        let gap = self.common("slice gap", |row| row.gap)?;
        let mut zooms = vec![x, y, thickness + gap];
        if ndim == 3 {
            return Ok(zooms);
        }
        zooms.push(1.0);
        if !is_set(&self.head, "dyn_scan") {
            return Ok(zooms);
        }
        const NAME: &str = "repetition_time";
        let at = self.head.at(NAME) as u64;
        let times = self.head.find(NAME).map(|entry| entry.read(self.head.text));
        let times = times.and_then(Value::reals).unwrap_or_default();
        match times[..] {
            [] => notes.add(20, at, format!("{NAME} is missing: taken as 1 s"))?,
            [time] => zooms[3] = time / 1000.0,
            [time, ..] => {
                zooms[3] = time / 1000.0;
                notes.add(
                    10,
                    at,
                    format!(
                        "{NAME} has {} values, of which the first counts",
                        times.len()
                    ),
                )?;
            }
        }
        Ok(zooms)
    }

    /// Three numbers along the patient: to the back, to the head, to the left.
    fn triple(&self, name: &str) -> Result<[f64; 3]> {
        let found = self.head.value(name, "numbers", Value::reals)?;
        let found = found.and_then(|numbers| numbers.try_into().ok());
        found.ok_or_else(|| {
            self.head
                .wrong(name, format!("{name} does not have 3 numbers"))
        })
    }

    /// From indices to the world, or why that is not known. The data can be read
    /// all the same.
    fn affine(&self, shape: &[i64], zooms: &[f64], notes: &mut Notes) -> Result<Result<Matrix>> {
        let orientation = self.common("slice orientation", |row| row.orientation)?;
        let found = self
            .axes(orientation)
            .and_then(|axes| Ok((axes, self.triple("angulation")?, self.triple("off_center")?)));
        match found {
            Ok((axes, angles, offsets)) => {
                let centred = centred(shape, zooms);
                Ok(Ok(to_world(&times(&axes, &centred), angles, offsets)))
            }
            Err(error) => {
                let at = error.offset().unwrap_or(0);
                notes.add(30, at, format!("{error}: the affine is unknown"))?;
                Ok(Err(error))
            }
        }
    }

    /// The axes of images of an orientation along the patient, as columns.
    fn axes(&self, orientation: i64) -> Result<Matrix> {
        let rows = match orientation {
            // Transverse, sagittal, coronal.
            1 => [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
            2 => [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
            3 => [[0, 0, 1], [0, -1, 0], [1, 0, 0]],
            other => {
                let text = format!("slice orientation is {other}, wanted 1, 2 or 3");
                return Err(wrong(self.rows[0].at, text));
            }
        };
        Ok(turned(rows.map(|row| row.map(f64::from))))
    }
}

/// Voxels as millimetres from the centre of the array.
fn centred(shape: &[i64], zooms: &[f64]) -> Matrix {
    let mut matrix = turned([[0.0; 3]; 3]);
    for axis in 0..3 {
        let half = (shape[axis] - 1) as f64 / 2.0;
        matrix[axis][axis] = zooms[axis];
        matrix[axis][3] = zooms[axis] * -half;
    }
    matrix
}

/// Along the patient, which is back, head, left, into the world: turned by the
/// angles in degrees, moved, and right, front, head.
fn to_world(matrix: &Matrix, angles: [f64; 3], offsets: [f64; 3]) -> Matrix {
    let [(sx, cx), (sy, cy), (sz, cz)] = angles.map(|angle| (angle * DEGREE).sin_cos());
    let around_x = turned([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]]);
    let around_y = turned([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]]);
    let around_z = turned([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]]);
    let rotation = times(&around_z, &times(&around_x, &around_y));
    let [mut back, mut head, mut left, last] = times(&rotation, matrix);
    back[3] += offsets[0];
    head[3] += offsets[1];
    left[3] += offsets[2];
    // Subtracting from 0 makes no -0.
    [left.map(|x| 0.0 - x), back.map(|x| 0.0 - x), head, last]
}

/// Radians.
const DEGREE: f64 = std::f64::consts::PI / 180.0;

fn turned(rows: [[f64; 3]; 3]) -> Matrix {
    affine::with_last_row(&rows.map(|[x, y, z]| [x, y, z, 0.0]))
}

fn times(a: &Matrix, b: &Matrix) -> Matrix {
    a.map(|row| [0, 1, 2, 3].map(|column| (0..4).map(|k| row[k] * b[k][column]).sum()))
}

#[cfg(test)]
#[path = "parrec_tests.rs"]
pub(super) mod tests;
