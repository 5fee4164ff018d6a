//! Affines: from voxel indices, counted from 0, to the world (RAS+, mm).

use crate::error::{Error, ErrorKind, Result};

/// Four rows of four.
pub(crate) type Matrix = [[f64; 4]; 4];

/// Which affine of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that NiBabel would choose.
    Best,
    /// NIfTI's sform.
    Sform,
    /// NIfTI's qform.
    Qform,
    /// From shape and zooms alone.
    Base,
}

/// What a header says about the place of its voxels.
#[derive(Debug, Clone)]
pub(crate) enum Affine {
    /// Nothing at all.
    None,
    /// As NIfTI has it.
    Nifti(Box<Nifti>),
    /// One that the header gives, and no code.
    Plain(Box<Plain>),
}

/// An affine without a code.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    /// Or why it cannot be told.
    pub(crate) best: Result<Matrix>,
    pub(crate) base: Matrix,
}

/// NIfTI's three ways (nifti1.h): "method 3", "method 2", "method 1".
#[derive(Debug, Clone)]
pub(crate) struct Nifti {
    pub(crate) sform_code: i32,
    pub(crate) sform: [[f64; 4]; 3],
    pub(crate) qform: Qform,
    pub(crate) base: Matrix,
}

/// NIfTI's "method 2" (nifti1.h): a rotation by a unit quaternion, voxel sizes
/// and an offset.
#[derive(Debug, Clone)]
pub(crate) struct Qform {
    pub(crate) code: i32,
    /// The parts b, c, d; a is what is left of 1.
    pub(crate) quaternion: [f64; 3],
    pub(crate) offset: [f64; 3],
    pub(crate) zooms: [f64; 3],
    /// -1 if the third axis is reversed, else 1.
    pub(crate) handedness: f64,
    /// How far below 0 rounding may take a squared.
    pub(crate) tolerance: f64,
    /// Byte of the quaternion in the header.
    pub(crate) at: u64,
}

impl Affine {
    /// Put another affine in the place of the header's, or why it is unknown.
    pub(crate) fn set_best(&mut self, best: Result<Matrix>) {
        if let Affine::Plain(plain) = self {
            plain.best = best;
        }
    }

    /// An affine and its xform code, 0 where there is none.
    pub(crate) fn get(&self, which: Which) -> Result<(i32, Matrix)> {
        let without = |text| Err(Error::new(ErrorKind::Unsupported, text));
        let nifti = match self {
            Affine::Nifti(nifti) => nifti,
            Affine::Plain(plain) => {
                return match which {
                    Which::Best => Ok((0, plain.best.clone()?)),
                    Which::Base => Ok((0, plain.base)),
                    Which::Sform | Which::Qform => without("the format has no sform or qform"),
                };
            }
            Affine::None => return without("the format has no affine"),
        };
        let which = match which {
            Which::Best if nifti.sform_code > 0 => Which::Sform,
            Which::Best if nifti.qform.code > 0 => Which::Qform,
            Which::Best => Which::Base,
            which => which,
        };
        Ok(match which {
            Which::Sform => (nifti.sform_code, with_last_row(&nifti.sform)),
            Which::Qform => (nifti.qform.code, nifti.qform.matrix()?),
            Which::Best | Which::Base => (0, nifti.base),
        })
    }
}

impl Qform {
    fn matrix(&self) -> Result<Matrix> {
        let [b, c, d] = self.quaternion;
        let rest = 1.0 - (b * b + c * c + d * d);
        let a = if rest.abs() < self.tolerance {
            0.0
        } else if rest > 0.0 {
            rest.sqrt()
        } else {
            let text = format!(
                "the quaternion ({b}, {c}, {d}) is longer than 1 by {}",
                -rest
            );
            return Err(Error::new(ErrorKind::Header, text).at(self.at));
        };
        // A quaternion whose a was taken as 0 may be a little off length 1.
        let norm = a * a + b * b + c * c + d * d;
        let s = 2.0 / norm;
        let rotation = [
            [
                1.0 - s * (c * c + d * d),
                s * (b * c - a * d),
                s * (b * d + a * c),
            ],
            [
                s * (b * c + a * d),
                1.0 - s * (b * b + d * d),
                s * (c * d - a * b),
            ],
            [
                s * (b * d - a * c),
                s * (c * d + a * b),
                1.0 - s * (b * b + c * c),
            ],
        ];
        let [x, y, z] = self.zooms;
        let sizes = [x, y, z * self.handedness];
        let mut rows = [[0.0; 4]; 3];
        for (row, rotated) in rows.iter_mut().zip(rotation) {
            for axis in 0..3 {
                row[axis] = rotated[axis] * sizes[axis];
            }
        }
        for (row, offset) in rows.iter_mut().zip(self.offset) {
            row[3] = offset;
        }
        Ok(with_last_row(&rows))
    }
}

/// From shape and zooms alone: x reversed, the centre of the image at the
/// origin. Missing axes count as one voxel of size 1.
pub(crate) fn base(shape: &[i64], zooms: &[f64]) -> Matrix {
    let mut rows = [[0.0; 4]; 3];
    for (axis, row) in rows.iter_mut().enumerate() {
        let n = shape.get(axis).copied().unwrap_or(1) as f64;
        let zoom = zooms.get(axis).copied().unwrap_or(1.0);
        let size = if axis == 0 { -zoom } else { zoom };
        row[axis] = size;
        // Adding 0 turns -0 into 0.
        row[3] = -(n - 1.0) / 2.0 * size + 0.0;
    }
    with_last_row(&rows)
}

pub(super) fn with_last_row(rows: &[[f64; 4]; 3]) -> Matrix {
    [rows[0], rows[1], rows[2], [0.0, 0.0, 0.0, 1.0]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qform(quaternion: [f64; 3]) -> Qform {
        Qform {
            code: 1,
            quaternion,
            offset: [-10.0, 20.0, 30.0],
            zooms: [2.0, 3.0, 4.0],
            handedness: -1.0,
            tolerance: 3.0 * f64::from(f32::EPSILON),
            at: 256,
        }
    }

    #[test]
    fn quaternions_turn_axes() {
        let straight = qform([0.0; 3]).matrix().unwrap();
        assert_eq!(straight[0], [2.0, 0.0, 0.0, -10.0]);
        assert_eq!(straight[2], [0.0, 0.0, -4.0, 30.0]);
        // Half a turn around z: a is 0.
        let turned = qform([0.0, 0.0, 1.0]).matrix().unwrap();
        assert_eq!(
            (turned[0][0], turned[1][1], turned[2][2]),
            (-2.0, -3.0, -4.0)
        );
        // A quarter turn around x takes y to z.
        let half = 0.5f64.sqrt();
        let turned = qform([half, 0.0, 0.0]).matrix().unwrap();
        assert!((turned[2][1] - 3.0).abs() < 1e-12 && turned[1][1].abs() < 1e-12);
        let error = qform([1.0, 0.1, 0.0]).matrix().unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::Header, Some(256))
        );
        assert!(qform([f64::NAN, 0.0, 0.0]).matrix().is_err());
    }

    #[test]
    fn base_puts_the_centre_at_the_origin() {
        let matrix = base(&[5, 3], &[2.0, 4.0]);
        assert_eq!(matrix[0], [-2.0, 0.0, 0.0, 4.0]);
        assert_eq!(matrix[1], [0.0, 4.0, 0.0, -4.0]);
        assert_eq!(matrix[2], [0.0, 0.0, 1.0, 0.0]);
    }
}
