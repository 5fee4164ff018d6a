//! Layouts made of others against a list of where each element lies.

use super::*;
use crate::core::dtype::DType;
use crate::core::slice::Slice;
use crate::random::Random;

/// Source and byte of each element, the first axis moving fastest.
fn elements(layout: &Layout) -> Vec<(u32, u64)> {
    if layout.shape.contains(&0) {
        return Vec::new();
    }
    let grid: Vec<i64> = layout.grid().collect();
    let place = |place: Vec<i64>| {
        let (mut number, mut at) = (0, 0);
        for axis in (0..place.len()).rev() {
            let block = layout.block[axis];
            number = number * grid[axis] + place[axis] / block;
            at += place[axis] % block * layout.strides[axis];
        }
        let block = layout.blocks[number as usize];
        (block.source, block.offset.wrapping_add_signed(at))
    };
    places(&layout.shape, Order::F).map(place).collect()
}

/// The same in the order of storage.
fn stored(layout: &Layout) -> Vec<(u32, u64)> {
    let all = elements(layout);
    numbers(&layout.shape, layout.order)
        .map(|i| all[i])
        .collect()
}

fn packed(order: Order, shape: &[i64]) -> Layout {
    Layout::packed(DType::Int16, order, shape, 352).unwrap()
}

/// A series of `n` arrays.
fn series(order: Order, shape: &[i64], n: usize) -> Layout {
    let one = |i: usize| Layout::packed(DType::Int16, order, shape, 100 * i as u64).unwrap();
    let all: Vec<Layout> = (0..n).map(one).collect();
    Layout::stacked(&all.iter().collect::<Vec<_>>()).unwrap()
}

fn select(layout: &Layout, index: &[Slice]) -> (Selection, Option<Layout>) {
    let selection = Selection::new(index, &layout.shape).unwrap();
    let selected = layout.selected(&selection);
    (selection, selected)
}

#[test]
fn series_are_one_slow_axis_of_blocks() {
    let stack = series(Order::F, &[3, 2], 4);
    assert_eq!(
        (&stack.shape[..], &stack.block[..]),
        (&[3, 2, 4][..], &[3, 2, 1][..])
    );
    let all = elements(&stack);
    assert_eq!(
        (all[0], all[5], all[6], all[23]),
        ((0, 0), (0, 10), (1, 100), (3, 310))
    );
    assert_eq!(series(Order::C, &[3, 2], 4).shape, [4, 3, 2]);
    assert!(Layout::stacked(&[]).is_none());
    let [f, c] = [Order::F, Order::C].map(|order| packed(order, &[2, 3]));
    assert!(Layout::stacked(&[&f, &c]).is_none());
}

#[test]
fn selections_are_the_same_elements() {
    let mut random = Random(7);
    let mut regular = 0;
    for round in 0..4000 {
        let order = random.pick(&[Order::F, Order::C]);
        let mut layout = series(order, &[4, 3], 6);
        if round % 2 == 0 {
            let shape = random.pick(&[&[12, 6][..], &[4, 18], &[4, 3, 2, 3], &[2, 6, 6], &[72]]);
            let Some(reshaped) = layout.reshaped(shape) else {
                continue;
            };
            layout = reshaped;
        }
        let entry = |n: i64, random: &mut Random| match random.below(4) {
            0 => Slice::At(random.below(n as usize) as i64),
            1 => Slice::ALL,
            _ => {
                let bound = |random: &mut Random| random.below(n as usize + 1) as i64;
                let step = random.pick(&[1, 1, 2, 3, -1, -1, -2]);
                Slice::range(
                    bound(random),
                    Some(bound(random)).filter(|_| step > 0),
                    step,
                )
            }
        };
        let index: Vec<Slice> = layout
            .shape
            .iter()
            .map(|&n| entry(n, &mut random))
            .collect();
        let (selection, selected) = select(&layout, &index);
        let Some(selected) = selected else {
            continue;
        };
        regular += 1;
        assert_eq!(selected.shape, selection.shape());
        // Element by element of the whole.
        let all = elements(&layout);
        let places = places(&selected.shape, Order::F).filter(|_| !selection.is_empty());
        let wanted = places.map(|place| {
            let mut at: Vec<i64> = selection.takes.iter().map(|take| take.start).collect();
            for (axis, k) in selection.axes.iter().zip(place) {
                let axis = axis.unwrap();
                at[axis] += k * selection.takes[axis].step;
            }
            let axes = at.iter().zip(&layout.shape).rev();
            all[axes.fold(0, |number, (at, n)| number * n + at) as usize]
        });
        assert_eq!(elements(&selected), wanted.collect::<Vec<_>>(), "{index:?}");
    }
    assert!(regular > 1500, "{regular}");
}

#[test]
fn new_shapes_keep_the_order_of_storage() {
    for order in [Order::F, Order::C] {
        let layout = packed(order, &[2, 3, 4]);
        for shape in [&[24][..], &[6, 4], &[2, 12], &[1, 4, 1, 6], &[3, 2, 2, 2]] {
            let reshaped = layout.reshaped(shape).unwrap();
            assert_eq!(reshaped.shape, shape);
            assert_eq!(stored(&reshaped), stored(&layout), "{shape:?}");
            assert_eq!(reshaped.strides.len(), shape.len());
        }
        assert_eq!(
            packed(order, &[3, 0]).reshaped(&[0, 7]).unwrap().shape,
            [0, 7]
        );
        let scalar = packed(order, &[1, 1]).reshaped(&[]).unwrap();
        assert_eq!((scalar.offset(), scalar.shape.len()), (Some(352), 0));
    }
}

#[test]
fn parts_are_reshaped_where_their_steps_allow_it() {
    let layout = packed(Order::F, &[4, 6, 5]);
    let reshaped = |index: &[Slice], shape: &[i64]| {
        let part = select(&layout, index).1.unwrap();
        let reshaped = part.reshaped(shape);
        if let Some(reshaped) = &reshaped {
            assert_eq!(stored(reshaped), stored(&part));
        }
        reshaped.is_some()
    };
    let all = Slice::ALL;
    assert!(reshaped(&[all, all, (1..3).into()], &[48]));
    assert!(reshaped(
        &[all, all, Slice::range(None, None, 2)],
        &[2, 12, 3]
    ));
    assert!(!reshaped(&[all, all, Slice::range(None, None, 2)], &[72]));
    assert!(reshaped(&[Slice::range(None, None, -1)], &[2, 2, 3, 2, 5]));
    assert!(!reshaped(&[Slice::range(None, None, -1)], &[24, 5]));
    assert!(reshaped(
        &[Slice::range(None, None, -1), Slice::range(None, None, -1)],
        &[24, 5]
    ));
    assert!(!reshaped(&[(0..3).into()], &[18, 5]));
    assert!(reshaped(&[1.into()], &[3, 10]));
    let c = packed(Order::C, &[4, 6, 5]);
    let part = select(&c, &[(1..3).into()]).1.unwrap();
    assert_eq!(stored(&part.reshaped(&[60]).unwrap()), stored(&part));
}

#[test]
fn series_are_reshaped_where_no_block_is_split_unevenly() {
    for order in [Order::F, Order::C] {
        let layout = series(order, &[4, 3, 2], 6);
        let turned = |shape: &[i64]| match order {
            Order::F => shape.to_vec(),
            Order::C => shape.iter().rev().copied().collect(),
        };
        let layout = match order {
            Order::F => layout,
            Order::C => series(order, &[2, 3, 4], 6),
        };
        for (shape, works) in [
            (&[24, 6][..], true),
            (&[4, 3, 12], true),
            (&[4, 3, 2, 3, 2], true),
            (&[12, 12], true),
            (&[2, 2, 36], true),
            (&[144], true),
            (&[1, 24, 1, 6, 1], true),
            (&[48, 3], true),
            (&[9, 16], false),
            (&[4, 36], true),
            (&[16, 9], false),
            (&[4, 9, 4], false),
        ] {
            let shape = turned(shape);
            let reshaped = layout.reshaped(&shape);
            assert_eq!(reshaped.is_some(), works, "{shape:?}");
            if let Some(reshaped) = reshaped {
                assert_eq!(stored(&reshaped), stored(&layout), "{shape:?}");
                let again = reshaped.reshaped(&layout.shape).unwrap();
                assert_eq!(again, layout);
            }
        }
    }
}
