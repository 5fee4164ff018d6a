//! Layouts made of others against a list of where each element lies.

use super::*;
use crate::core::dtype::DType;
use crate::core::shape;
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

/// Arrays of one shape, each cut along other axes, whose blocks mean different
/// things; and one in blocks that are not packed one behind the other.
fn cut_in_ways(order: Order) -> Vec<Layout> {
    let shape = [4, 3, 2];
    let whole = packed(order, &shape);
    let by = |axes: &[usize], seed: i64| {
        let meaning = |at: &[i64]| (seed + at[0] * 100 + at[1] * 10 + at[2]) as u32;
        whole.cut(axes, meaning).unwrap()
    };
    // Along the slowest axis, as records of a file are.
    let slowest = match order {
        Order::F => 2,
        Order::C => 0,
    };
    let mut apart = by(&[slowest], 5000);
    for (i, block) in apart.blocks.iter_mut().enumerate() {
        block.offset = 1000 * (i as u64 + 1);
    }
    apart.strides[slowest] = 0;
    let cuts = [by(&[1], 1000), by(&[0, 2], 2000), by(&[0, 1, 2], 3000)];
    [vec![whole.clone(), apart], cuts.to_vec()].concat()
}

/// Source, byte and meaning of each element, the first axis moving fastest.
fn meant(layout: &Layout) -> Vec<(u32, u64, u32)> {
    let meanings = places(&layout.shape, Order::F).map(|place| layout.block_of(&place).meaning);
    let all = elements(layout).into_iter().zip(meanings);
    all.map(|((source, at), meaning)| (source, at, meaning))
        .collect()
}

/// Source, byte and meaning of each element in the order in which they are stored.
fn in_order(layout: &Layout) -> Vec<(u32, u64, u32)> {
    let at = |place: Vec<i64>| {
        let block = layout.block_of(&place);
        let steps = place.iter().zip(&layout.block).zip(&layout.strides);
        let step: i64 = steps.map(|((i, block), stride)| i % block * stride).sum();
        (
            block.source,
            block.offset.wrapping_add_signed(step),
            block.meaning,
        )
    };
    places(&layout.shape, layout.order).map(at).collect()
}

/// Chunks of an array, some of them shorter at its ends, each somewhere else.
fn chunks(order: Order, shape: &[i64], chunk: &[i64]) -> Layout {
    let count: i64 = shape
        .iter()
        .zip(chunk)
        .map(|(n, len)| (n - 1) / len + 1)
        .product();
    let block = |number| Block {
        source: 0,
        meaning: number as u32 % 5,
        offset: (count - number) as u64 * 1000,
    };
    let strides = shape::packed_strides(chunk, 2, order);
    let blocks = (0..count).map(block).collect();
    let (shape, chunk) = (shape.to_vec(), chunk.to_vec());
    Layout::new(DType::Int16, order, shape, chunk, strides, blocks).unwrap()
}

#[test]
fn chunks_have_other_shapes_where_these_do_not_divide_them() {
    let whole: &[&[i64]] = &[
        &[4, 6, 5],
        &[4, 6, 5, 1],
        &[1, 4, 1, 6, 5],
        &[2, 2, 6, 5],
        &[4, 2, 3, 5],
        &[4, 3, 2, 5],
        &[24, 5],
        &[4, 30],
        &[120],
        &[8, 15],
    ];
    for (chunk, possible) in [
        (&[2, 6, 2][..], [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]),
        (&[4, 3, 5], [1, 1, 1, 1, 0, 1, 1, 0, 0, 0]),
        (&[4, 6, 2], [1, 1, 1, 1, 1, 1, 1, 0, 0, 0]),
        (&[3, 4, 2], [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
        (&[4, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        (&[9, 9, 9], [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]),
    ] {
        let layout = chunks(Order::F, &[4, 6, 5], chunk);
        for (shape, possible) in whole.iter().zip(possible) {
            let found = layout.reshaped(shape);
            assert_eq!(found.is_some(), possible == 1, "{chunk:?} {shape:?}");
            if let Some(found) = found {
                assert_eq!(
                    (&*found.shape, in_order(&found)),
                    (*shape, in_order(&layout))
                );
            }
            let turned = |axes: &[i64]| axes.iter().rev().copied().collect::<Vec<_>>();
            let layout = chunks(Order::C, &[5, 6, 4], &turned(chunk));
            let found = layout.reshaped(&turned(shape));
            assert_eq!(found.is_some(), possible == 1, "{chunk:?} {shape:?} turned");
            if let Some(found) = found {
                assert_eq!(in_order(&found), in_order(&layout));
            }
        }
    }
}

#[test]
fn series_of_arrays_in_several_blocks() {
    for order in [Order::F, Order::C] {
        let ways = cut_in_ways(order);
        let pick = |numbers: &[usize]| numbers.iter().map(|&i| &ways[i]).collect::<Vec<_>>();
        for (numbers, blocks) in [
            (&[0, 0][..], 2),
            (&[2, 2, 2], 9),
            (&[1, 1], if order == Order::F { 4 } else { 8 }),
            (&[0, 2], 6),
            (&[2, 0], 6),
            (&[3, 3], 16),
            (&[0, 1], if order == Order::F { 4 } else { 8 }),
            (&[1, 0, 1], if order == Order::F { 6 } else { 12 }),
            (&[2, 3], 48),
            (&[0, 4, 2], 72),
            (&[1, 3, 2, 0], 96),
            (&[4], 24),
        ] {
            let picked = pick(numbers);
            let stack = Layout::stacked(&picked).unwrap();
            assert_eq!(stack.blocks.len(), blocks, "{order:?} {numbers:?}");
            let count = numbers.len() as i64;
            let (shape, at) = match order {
                Order::F => (vec![4, 3, 2, count], 3),
                Order::C => (vec![count, 4, 3, 2], 0),
            };
            assert_eq!((&stack.shape, stack.block[at]), (&shape, 1));
            let all = meant(&stack);
            let parts: Vec<Vec<_>> = picked.iter().map(|one| meant(one)).collect();
            for (i, place) in places(&shape, Order::F).enumerate() {
                let mut place = place.clone();
                let number = place.remove(at) as usize;
                let own = place[0] + 4 * (place[1] + 3 * place[2]);
                let (_, byte, meaning) = parts[number][own as usize];
                assert_eq!(
                    all[i],
                    (number as u32, byte, meaning),
                    "{numbers:?} {place:?}"
                );
            }
        }
        // Other steps within blocks.
        let mut other = ways[0].clone();
        other.strides.iter_mut().for_each(|step| *step *= 2);
        let stack = Layout::stacked(&[&ways[0], &other]).unwrap();
        assert_eq!(stack.blocks.len(), 48);
        let mut at: Vec<_> = in_order(&stack).iter().map(|found| found.1).collect();
        at.dedup();
        let want = (0..24)
            .map(|i| 352 + 2 * i)
            .chain((0..24).map(|i| 352 + 4 * i));
        assert_eq!(at, want.collect::<Vec<u64>>());
        let one = Layout::packed(DType::Int16, order, &[4, 3, 1], 0).unwrap();
        assert!(Layout::stacked(&[&ways[0], &one]).is_none());
    }
}

/// Blocks of a series get no smaller than they have to be.
#[test]
fn series_of_arrays_in_other_chunks() {
    for order in [Order::F, Order::C] {
        let turned = |axes: &[i64]| match order {
            Order::F => axes.to_vec(),
            Order::C => axes.iter().rev().copied().collect(),
        };
        let shape = turned(&[8, 9, 10]);
        let packed = Layout::packed(DType::Int16, order, &shape, 8).unwrap();
        let of = |chunk: &[i64]| chunks(order, &shape, &turned(chunk));
        for (parts, wanted) in [
            (vec![of(&[4, 3, 4]), of(&[4, 3, 6])], [4, 3, 2]),
            (
                vec![of(&[4, 3, 6]), of(&[4, 6, 3]), of(&[4, 3, 1])],
                [4, 3, 1],
            ),
            (
                vec![of(&[8, 9, 4]), packed.clone(), of(&[8, 9, 6])],
                [8, 9, 2],
            ),
            // Elements lie at other steps along the second and third axis.
            (vec![of(&[4, 3, 5]), packed.clone()], [4, 1, 1]),
            (vec![of(&[6, 9, 10]), of(&[4, 9, 10])], [2, 1, 1]),
            (vec![of(&[8, 9, 11]), packed.clone()], [8, 9, 10]),
        ] {
            let parts: Vec<&Layout> = parts.iter().collect();
            let Some(stack) = Layout::stacked(&parts) else {
                panic!("{order:?} {wanted:?}");
            };
            let at = if order == Order::F { 3 } else { 0 };
            let mut block = stack.block.clone();
            block.remove(at);
            assert_eq!(block, turned(&wanted), "{order:?}");
            let all = meant(&stack);
            let parts: Vec<Vec<_>> = parts.into_iter().map(meant).collect();
            for (i, mut place) in places(&stack.shape, Order::F).enumerate() {
                let number = place.remove(at) as usize;
                let own = place[0] + shape[0] * (place[1] + shape[1] * place[2]);
                let (_, byte, meaning) = parts[number][own as usize];
                assert_eq!(all[i], (number as u32, byte, meaning));
            }
        }
        // Single elements are too small where there are many.
        let parts = [1000, 999].map(|n| chunks(order, &[3000, 3000], &[n, n]));
        assert!(Layout::stacked(&[&parts[0], &parts[1]]).is_none());
    }
}

#[test]
fn series_in_blocks_are_reshaped_where_none_is_split() {
    for order in [Order::F, Order::C] {
        let slowest = if order == Order::F { 2 } else { 0 };
        let one = packed(order, &[4, 3, 2]);
        let one = one.cut(&[slowest], |at| at[slowest] as u32).unwrap();
        let stack = Layout::stacked(&[&one, &one, &one]).unwrap();
        let meanings = |layout: &Layout| {
            let all = meant(layout);
            let in_order = numbers(&layout.shape, order).map(|i| all[i].2);
            in_order.collect::<Vec<_>>()
        };
        // Blocks of 12 elements, or of 6.
        for (mut shape, works) in [
            (vec![12, 6], true),
            (vec![4, 18], order == Order::F),
            (vec![2, 2, 3, 6], order == Order::F),
            (vec![36, 2], true),
            (vec![72], true),
            (vec![6, 12], true),
            (vec![8, 9], false),
            (vec![9, 8], false),
        ] {
            if order == Order::C {
                shape.reverse();
            }
            let reshaped = stack.reshaped(&shape);
            if let Some(reshaped) = &reshaped {
                assert_eq!(stored(reshaped), stored(&stack), "{order:?} {shape:?}");
                assert_eq!(meanings(reshaped), meanings(&stack));
            }
            assert_eq!(reshaped.is_some(), works, "{order:?} {shape:?}");
        }
    }
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
