//! The directions of an affine's axes in letters, as NiBabel finds them.

use std::cmp::Reverse;

use super::affine::Matrix;

type Square = [[f64; 3]; 3];

/// The ends of the world's axes to which indices grow.
const LETTERS: [[char; 2]; 3] = [['L', 'R'], ['P', 'A'], ['I', 'S']];

/// Numbers up to this are no direction: `numpy.allclose` to 0.
const NEAR_ZERO: f64 = 1e-8;

/// Rounds after which three axes are at right angles; a few do in practice.
const MOST_SWEEPS: usize = 60;

/// One letter for each of the three axes: the direction in which its indices
/// grow, '?' if it has none. NiBabel's `aff2axcodes`, which fails where numbers
/// are not finite: then no axis has one.
pub(crate) fn axis_codes(affine: &Matrix) -> String {
    let columns = [0, 1, 2].map(|axis| [0, 1, 2].map(|row| affine[row][axis]));
    let finite = columns.as_flattened().iter().all(|x| x.is_finite());
    if !finite {
        return "???".into();
    }
    let mut directions = closest_rotation(&columns.map(without_zoom));
    let strength = |column: &[f64; 3]| column.iter().map(|&x| size(x)).max().unwrap_or(0);
    let strengths = directions.map(|column| strength(&column));
    let mut axes = [0, 1, 2];
    axes.sort_by_key(|&axis| Reverse(strengths[axis]));
    let mut codes = ['?'; 3];
    // The clearest first: each takes one of the world's axes from the others.
    for axis in axes {
        let column = directions[axis];
        let most = strength(&column);
        let row = column.iter().position(|&x| size(x) == most);
        let Some(row) = row.filter(|&row| column[row].abs() > NEAR_ZERO) else {
            continue;
        };
        codes[axis] = LETTERS[row][usize::from(column[row] > 0.0)];
        directions.iter_mut().for_each(|column| column[row] = 0.0);
    }
    codes.iter().collect()
}

/// The size of a part of a direction, in steps that are wider than the errors
/// of its computation: of those that should be the same, the first is taken.
fn size(x: f64) -> u64 {
    (x.abs() * (1u64 << 40) as f64).round() as u64
}

/// A direction of length 1, or none.
fn without_zoom(column: [f64; 3]) -> [f64; 3] {
    let zoom = dot(&column, &column).sqrt();
    if zoom == 0.0 {
        column
    } else {
        column.map(|x| x / zoom)
    }
}

/// The rotation, in columns, that comes closest to these; of fewer dimensions
/// if they do not span three. With their singular value decomposition U S V':
/// U V', over the singular values that are not 0.
///
/// S and U come from turning pairs of columns until all are at right angles
/// (Jacobi's method, by Hestenes). Unlike the eigenvalues of the columns'
/// products it shows whether a small singular value is 0.
fn closest_rotation(columns: &Square) -> Square {
    let largest = columns
        .as_flattened()
        .iter()
        .fold(0.0, |most: f64, x| most.max(x.abs()));
    if largest == 0.0 {
        return [[0.0; 3]; 3];
    }
    // So that no product vanishes.
    let mut left = columns.map(|column| column.map(|x| x / largest));
    let mut right = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for _ in 0..MOST_SWEEPS {
        let mut turned = false;
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if let Some(turn) = Turn::between(&left[p], &left[q]) {
                turn.apply(&mut left, p, q);
                turn.apply(&mut right, p, q);
                turned = true;
            }
        }
        if !turned {
            break;
        }
    }
    let sizes = left.map(|column| dot(&column, &column).sqrt());
    let tolerance = sizes.iter().copied().fold(0.0, f64::max) * 3.0 * f64::EPSILON;
    let mut rotation = [[0.0; 3]; 3];
    for k in (0..3).filter(|&k| sizes[k] > tolerance) {
        for (axis, column) in rotation.iter_mut().enumerate() {
            for (row, x) in column.iter_mut().enumerate() {
                *x += left[k][row] / sizes[k] * right[k][axis];
            }
        }
    }
    rotation
}

/// The turn that puts two columns at right angles.
struct Turn {
    cos: f64,
    sin: f64,
}

impl Turn {
    /// `None` if they are so already.
    fn between(p: &[f64; 3], q: &[f64; 3]) -> Option<Turn> {
        let (pp, qq, pq) = (dot(p, p), dot(q, q), dot(p, q));
        if pq.abs() <= f64::EPSILON * (pp * qq).sqrt() {
            return None;
        }
        let zeta = (qq - pp) / (2.0 * pq);
        let tan = 1f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
        let cos = 1.0 / tan.hypot(1.0);
        let sin = cos * tan;
        (sin != 0.0).then_some(Turn { cos, sin })
    }

    fn apply(&self, columns: &mut Square, p: usize, q: usize) {
        let (a, b) = (columns[p], columns[q]);
        columns[p] = [0, 1, 2].map(|row| self.cos * a[row] - self.sin * b[row]);
        columns[q] = [0, 1, 2].map(|row| self.sin * a[row] + self.cos * b[row]);
    }
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(rows: [[f64; 3]; 3]) -> String {
        let mut affine = [[7.0; 4]; 4];
        for (to, row) in affine.iter_mut().zip(rows) {
            to[..3].copy_from_slice(&row);
        }
        axis_codes(&affine)
    }

    #[test]
    fn straight_axes() {
        assert_eq!(codes([[2., 0., 0.], [0., 3., 0.], [0., 0., 4.]]), "RAS");
        assert_eq!(codes([[-2., 0., 0.], [0., -3., 0.], [0., 0., 1.]]), "LPS");
        assert_eq!(
            codes([[0., 0., -1.], [1e9, 0., 0.], [0., -1e-9, 0.]]),
            "AIL"
        );
    }

    /// The clearest axis chooses first.
    #[test]
    fn oblique_axes() {
        assert_eq!(
            codes([[0.8, 0.6, 0.], [-0.6, 0.8, 0.], [0., 0., 1.]]),
            "RAS"
        );
        assert_eq!(
            codes([[0.6, 0.8, 0.], [-0.8, 0.6, 0.], [0., 0., 1.]]),
            "PRS"
        );
        // Sheared: both lean to the first.
        assert_eq!(codes([[1., 0.9, 0.], [0., 0.3, 0.], [0., 0., 1.]]), "RAS");
    }

    #[test]
    fn axes_without_a_direction() {
        assert_eq!(codes([[0.; 3]; 3]), "???");
        assert_eq!(codes([[1., 0., 0.], [0., 0., 0.], [0., 0., 3.]]), "R?S");
        assert_eq!(
            codes([[f64::NAN, 0., 0.], [0., 1., 0.], [0., 0., 1.]]),
            "???"
        );
        assert_eq!(
            codes([[1., 0., 0.], [0., f64::INFINITY, 0.], [0., 0., 1.]]),
            "???"
        );
        // All along one line: the first takes it, and nothing is left.
        assert_eq!(codes([[1., 2., -3.], [0.; 3], [0.; 3]]), "R??");
        // Two along one, of which both have a part.
        assert_eq!(
            codes([[0.8, 0.8, 0.], [0.6, 0.6, 0.], [0., 0., -1.]]),
            "RAI"
        );
    }

    /// Products of these would vanish.
    #[test]
    fn tiny_axes() {
        assert_eq!(
            codes([[0., 1e-200, 0.], [1e-200, 0., 0.], [0., 0., -1e-200]]),
            "ARI"
        );
        assert_eq!(codes([[1e300, 0., 0.], [0., 1., 0.], [0., 0., 1.]]), "?AS");
    }
}
