//! Where voxels are: affine and zooms, of the file and of parts of its array.

use super::ArrayProxy;
use crate::core::slice::{Selection, Slice};
use crate::error::{Error, ErrorKind, Result};
use crate::format::Which;

/// A voxel size.
#[derive(Debug, Clone, Copy)]
pub(super) enum Zoom {
    Known(f64),
    /// It stands behind the data.
    InFooter,
}

/// How the axes of a part of an array lie in the file's space.
#[derive(Debug, Clone)]
pub(super) struct Space {
    axes: Vec<Axis>,
    /// The file's axes that are of space, in the order of the affine's columns.
    spatial: Vec<usize>,
    /// The shape whose axes these are. Of another shape of the same elements
    /// only axes before the first that differs are.
    shape: Vec<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Axis {
    /// Number of the file's axis that it is or was; new ones are none.
    of: Option<usize>,
    /// The first voxel and the signed step on that.
    start: i64,
    step: i64,
}

impl Space {
    fn of_file(shape: &[i64], spatial: &[usize]) -> Space {
        let axis = |i| Axis {
            of: Some(i),
            start: 0,
            step: 1,
        };
        Space {
            axes: (0..shape.len()).map(axis).collect(),
            spatial: spatial.to_vec(),
            shape: shape.to_vec(),
        }
    }

    /// That of a selection, whose `steps` are those that were asked for, on a
    /// shape of the same elements.
    fn selected(&self, shape: &[i64], selection: &Selection, steps: &[i64]) -> Space {
        let same = shape.iter().zip(&self.shape).take_while(|(a, b)| a == b);
        let same = same.count();
        let axis = |axis: &Option<usize>| {
            let found = axis.filter(|&axis| axis < same);
            let Some(axis) = found else {
                return Axis {
                    of: None,
                    start: 0,
                    step: 1,
                };
            };
            let Axis { of, start, step } = self.axes[axis];
            let first = selection.takes[axis].start.saturating_mul(step);
            Axis {
                of,
                start: start.saturating_add(first),
                step: step.saturating_mul(steps[axis]),
            }
        };
        Space {
            axes: selection.axes.iter().map(axis).collect(),
            spatial: self.spatial.clone(),
            shape: selection.shape(),
        }
    }

    /// The affine of the part.
    fn affine(&self, mut affine: [[f64; 4]; 4]) -> Result<[[f64; 4]; 4]> {
        for (column, &number) in self.spatial.iter().enumerate() {
            // Time may be first, and dropped; new axes may only be behind.
            let is_before = |axis: &&Axis| axis.of.is_some_and(|of| of < number);
            let place = self.axes.iter().filter(is_before).count();
            let axis = self.axes.get(place).filter(|axis| axis.of == Some(number));
            let Some(&Axis { start, step, .. }) = axis else {
                let text = format!(
                    "axis {number} of the file was dropped, or is not in its place: there is no \
                     affine"
                );
                return Err(Error::new(ErrorKind::Unsupported, text));
            };
            for row in &mut affine[..3] {
                row[3] += row[column] * start as f64;
                row[column] *= step as f64;
            }
        }
        Ok(affine)
    }
}

impl ArrayProxy {
    /// The space of a selection of this array.
    pub(super) fn space_of(&self, selection: &Selection, index: &[Slice]) -> Space {
        let steps = Slice::steps(index, self.shape().len());
        let of_file;
        let space = match &self.space {
            Some(space) => space,
            None => {
                of_file = Space::of_file(&self.shared.layout.shape, &self.shared.spatial);
                &of_file
            }
        };
        space.selected(self.shape(), selection, &steps)
    }

    /// Voxel to world (RAS+, mm), four rows of four, for indices that count
    /// from 0, and the xform code, 0 if there is none. Of a part of an array
    /// (see [`ArrayProxy::slice`]) for the part's own indices.
    pub fn affine(&self, which: Which) -> Result<(i32, [[f64; 4]; 4])> {
        let found = self.shared.affine.get(which).and_then(|(code, affine)| {
            let part = self.space.as_ref().map(|space| space.affine(affine));
            Ok((code, part.unwrap_or(Ok(affine))?))
        });
        found.map_err(|error| self.blame(error))
    }

    /// Number of voxel sizes.
    pub fn zooms_len(&self) -> Result<usize> {
        let known = self.file_zooms()?.len();
        Ok(self.space.as_ref().map_or(known, |space| space.axes.len()))
    }

    /// Voxel sizes; the fourth is the time step in the header's unit. That of
    /// an MGH file stands behind the data: the first call reads it, and decodes
    /// all of a compressed file for it. [`ArrayProxy::first_zooms`] need not.
    pub fn zooms(&self) -> Result<Vec<f64>> {
        self.first_zooms(usize::MAX)
    }

    /// The first `n` voxel sizes, or as many as there are.
    pub fn first_zooms(&self, n: usize) -> Result<Vec<f64>> {
        let known = self.file_zooms()?;
        let value = |zoom: Zoom| match zoom {
            Zoom::Known(zoom) => Ok(zoom),
            Zoom::InFooter => Ok(f64::from(self.footer()?.tr)),
        };
        match &self.space {
            None => known.iter().take(n).map(|&zoom| value(zoom)).collect(),
            Some(space) => {
                let zoom = |axis: &Axis| match axis.of.and_then(|of| known.get(of)) {
                    None => Ok(1.0),
                    Some(&zoom) => Ok(value(zoom)? * axis.step.unsigned_abs() as f64),
                };
                space.axes.iter().take(n).map(zoom).collect()
            }
        }
    }

    fn file_zooms(&self) -> Result<&[Zoom]> {
        self.shared.zooms.as_deref().ok_or_else(|| {
            let text = "the format has no voxel sizes";
            self.blame(Error::new(ErrorKind::Unsupported, text))
        })
    }
}
