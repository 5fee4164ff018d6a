//! Shapes and packed strides, in checked 64-bit arithmetic.

use super::dtype::Order;

/// Most axes of an array and most entries of an index.
pub const MAX_NDIM: usize = 64;

/// Number of elements; 0 if any axis is empty, however long the others.
/// `None` if it passes `i64::MAX`.
pub(crate) fn count(shape: &[i64]) -> Option<i64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1i64, |n, &len| n.checked_mul(len))
}

/// Bytes that the elements take, packed. `None` beyond `i64::MAX`.
pub(crate) fn nbytes(shape: &[i64], item: usize) -> Option<i64> {
    count(shape)?.checked_mul(item as i64)
}

/// Bytes from one element to the next along each axis of a packed array.
/// Strides of an array without elements have no meaning and are 0.
pub(crate) fn packed_strides(shape: &[i64], item: usize, order: Order) -> Vec<i64> {
    let mut strides = vec![0; shape.len()];
    if shape.contains(&0) {
        return strides;
    }
    let mut stride = item as i64;
    let mut step = |axis: usize| {
        strides[axis] = stride;
        stride = stride.saturating_mul(shape[axis]);
    };
    match order {
        Order::F => (0..shape.len()).for_each(&mut step),
        Order::C => (0..shape.len()).rev().for_each(&mut step),
    }
    strides
}

/// Bytes from the first element to the lowest one, and to the end of the highest;
/// none if there are no elements.
pub(crate) fn span(shape: &[i64], strides: &[i64], item: usize) -> (i128, i128) {
    let (mut low, mut high) = (0, item as i128);
    if shape.contains(&0) {
        return (0, 0);
    }
    for (&n, &stride) in shape.iter().zip(strides) {
        let reach = (n - 1) as i128 * stride as i128;
        low += reach.min(0);
        high += reach.max(0);
    }
    (low, high)
}

/// Whether no two elements share a byte, by the sufficient rule that of the
/// axes (length, stride) longer than 1, sorted by the size of their strides,
/// each stride is at least the bytes that those before it span.
pub(crate) fn is_disjoint(axes: impl Iterator<Item = (i64, i64)>, item: usize) -> bool {
    let mut long: Vec<(u64, i64)> = axes
        .filter(|&(n, _)| n > 1)
        .map(|(n, stride)| (stride.unsigned_abs(), n))
        .collect();
    long.sort_unstable();
    let mut span = item as u128;
    long.iter().all(|&(stride, n)| {
        let apart = stride as u128 >= span;
        span = span.saturating_add(stride as u128 * (n as u128 - 1));
        apart
    })
}

/// A shape in words, as NumPy writes it: "(2, 3)", "(4,)", "()".
pub(crate) fn text(shape: &[i64]) -> String {
    let list: Vec<String> = shape.iter().map(i64::to_string).collect();
    match list.as_slice() {
        [one] => format!("({one},)"),
        _ => format!("({})", list.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_strides() {
        assert_eq!(count(&[]), Some(1));
        assert_eq!(count(&[i64::MAX, i64::MAX, 0]), Some(0));
        assert_eq!(count(&[i64::MAX, 2]), None);
        assert_eq!(packed_strides(&[2, 3, 4], 2, Order::F), [2, 4, 12]);
        assert_eq!(packed_strides(&[2, 3, 4], 2, Order::C), [24, 8, 2]);
        assert_eq!(text(&[4]), "(4,)");
    }
}
