//! Planner and slicing against a model that looks at one element at a time.

use std::collections::HashMap;

use super::*;
use crate::core::dtype::{DType, Order};
use crate::core::layout::{Block, Layout};
use crate::core::shape;
use crate::core::slice::Slice;

use crate::random::Random;

/// A layout of random shape, blocks, strides and offsets.
fn random_layout(random: &mut Random) -> Layout {
    let ndim = below(random, 6) as usize;
    let dtype = random.pick(&[DType::UInt8, DType::Int16, DType::Rgb24, DType::Float64]);
    let mut shape = Vec::new();
    for _ in 0..ndim {
        shape.push(random.pick(&[0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 9]));
        if shape.iter().filter(|&&n| n == 0).count() > 1 {
            shape.pop();
            shape.push(3);
        }
    }
    let whole = below(random, 2) == 0;
    let block: Vec<i64> = shape
        .iter()
        .map(|&n| {
            if whole {
                n.max(1)
            } else {
                1 + below(random, n.max(1))
            }
        })
        .collect();
    // Strides in any order of the axes, some reversed, some with room between.
    let mut axes: Vec<usize> = (0..ndim).collect();
    for i in (1..ndim).rev() {
        axes.swap(i, below(random, i as i64 + 1) as usize);
    }
    let mut strides = vec![0; ndim];
    let (mut stride, mut under) = (dtype.size() as i64, 0);
    for axis in axes {
        stride += random.pick(&[0, 0, 0, 1, 40]);
        let sign = random.pick(&[1, 1, -1]);
        strides[axis] = sign * stride;
        if sign < 0 {
            under += stride * (block[axis] - 1);
        }
        stride *= block[axis];
    }
    let grid = shape.iter().zip(&block);
    let count: i64 = grid.map(|(&n, &b)| ((n - 1).max(0) / b) + 1).product();
    let size = stride + under + 5;
    let mut blocks: Vec<Block> = (0..count)
        .map(|i| Block {
            source: (i % 2) as u32,
            meaning: (i % 3) as u32,
            offset: (under + below(random, 4) + i * size) as u64,
        })
        .collect();
    if below(random, 2) == 0 {
        blocks.reverse();
    }
    Layout::new(dtype, Order::F, shape, block, strides, blocks).unwrap()
}

fn below(random: &mut Random, n: i64) -> i64 {
    random.below(n as usize) as i64
}

const EXTREMES: [i64; 6] = [
    i64::MIN,
    i64::MIN + 1,
    i64::MAX,
    i64::MAX - 1,
    -(1 << 62),
    1 << 62,
];

fn random_bound(random: &mut Random) -> Option<i64> {
    match below(random, 6) {
        0..=2 => None,
        3 => Some(random.pick(&EXTREMES)),
        _ => Some(below(random, 21) - 10),
    }
}

fn random_index(random: &mut Random, shape: &[i64]) -> Vec<Slice> {
    let ndim = shape.len() as i64;
    let front = below(random, ndim + 1);
    let back = below(random, ndim - front + 1);
    let mut index = Vec::new();
    for (axis, &n) in shape.iter().enumerate() {
        let axis = axis as i64;
        if axis == front && back > 0 {
            index.push(Slice::Ellipsis);
        }
        if axis >= front && axis < ndim - back {
            continue;
        }
        if below(random, 8) == 0 {
            index.push(Slice::NewAxis);
        }
        if n > 0 && below(random, 4) == 0 {
            index.push(Slice::At(below(random, 2 * n) - n));
            continue;
        }
        let step = match below(random, 5) {
            0 => random.pick(&EXTREMES),
            1 | 2 => 1,
            _ => random.pick(&[-3, -2, -1, 2, 3]),
        };
        index.push(Slice::range(
            random_bound(random),
            random_bound(random),
            step,
        ));
    }
    if back == 0 && below(random, 3) == 0 {
        index.push(Slice::Ellipsis);
    }
    index
}

/// Which elements an index takes, as NumPy's documentation has it: one list
/// of source indices per axis, and for each axis of the result its list.
fn model_takes(index: &[Slice], shape: &[i64]) -> (Vec<Vec<i64>>, Vec<Option<usize>>) {
    let taken = index
        .iter()
        .filter(|entry| matches!(entry, Slice::Range { .. } | Slice::At(_)))
        .count();
    let mut entries = Vec::new();
    let mut seen = false;
    for &entry in index {
        if entry == Slice::Ellipsis {
            seen = true;
            entries.extend(vec![Slice::ALL; shape.len() - taken]);
        } else {
            entries.push(entry);
        }
    }
    if !seen {
        entries.extend(vec![Slice::ALL; shape.len() - taken]);
    }
    let (mut lists, mut axes) = (Vec::new(), Vec::new());
    for entry in entries {
        if entry == Slice::NewAxis {
            axes.push(None);
            continue;
        }
        let axis = lists.len();
        let n = shape[axis] as i128;
        lists.push(match entry {
            Slice::At(at) => vec![if at < 0 { at + shape[axis] } else { at }],
            Slice::Range { start, stop, step } => {
                axes.push(Some(axis));
                let fix = |bound: i64| bound as i128 + if bound < 0 { n } else { 0 };
                let step = step as i128;
                // Walk over all places that there are and keep those inside.
                let within = |at: i128| match (step > 0, start.map(fix), stop.map(fix)) {
                    (true, a, b) => a.is_none_or(|a| at >= a) && b.is_none_or(|b| at < b),
                    (false, a, b) => a.is_none_or(|a| at <= a) && b.is_none_or(|b| at > b),
                };
                let ordered: Vec<i128> = match step > 0 {
                    true => (0..n).collect(),
                    false => (0..n).rev().collect(),
                };
                let inside = ordered.into_iter().filter(|&at| within(at));
                let every = step.unsigned_abs().min(1 << 40) as usize;
                inside.step_by(every).map(|at| at as i64).collect()
            }
            _ => unreachable!(),
        });
    }
    (lists, axes)
}

/// Byte in the source of each element wanted, by its place in the result.
fn model_places(
    layout: &Layout,
    lists: &[Vec<i64>],
    axes: &[Option<usize>],
    to: &[i64],
) -> HashMap<i64, (u32, i64)> {
    let mut places = HashMap::new();
    let total: usize = lists.iter().map(Vec::len).product();
    for number in 0..total {
        let (mut rest, mut place) = (number, 0);
        let (mut block, mut scale, mut inside) = (0, 1, 0);
        for (axis, list) in lists.iter().enumerate() {
            let k = rest % list.len();
            rest /= list.len();
            let at = list[k];
            block += at / layout.block[axis] * scale;
            scale *= ((layout.shape[axis] - 1) / layout.block[axis]) + 1;
            inside += at % layout.block[axis] * layout.strides[axis];
            if let Some(out) = axes.iter().position(|&a| a == Some(axis)) {
                place += k as i64 * to[out];
            }
        }
        let block = layout.blocks[block as usize];
        let old = places.insert(place, (block.source, block.offset as i64 + inside));
        assert!(old.is_none(), "the model's result overlaps");
    }
    places
}

/// Elements of a piece, in the order of its loops.
fn elements(piece: &Piece) -> Vec<(i64, i64)> {
    let mut found = vec![(0, piece.to)];
    for dim in piece.across.iter().chain(piece.dims.iter().rev()) {
        found = found
            .iter()
            .flat_map(|&(from, to)| (0..dim.n).map(move |i| (from + i * dim.from, to + i * dim.to)))
            .collect();
    }
    found
}

#[test]
fn every_element_comes_once_from_its_place() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut with_elements, mut several_blocks, mut crossed) = (0, 0, 0);
    for round in 0..20_000 {
        let layout = random_layout(&mut random);
        let index = random_index(&mut random, &layout.shape);
        let selection = Selection::new(&index, &layout.shape).unwrap();
        let (lists, axes) = model_takes(&index, &layout.shape);
        let context = || format!("round {round}: {index:?} of {layout:?}");
        let want_shape: Vec<i64> = axes
            .iter()
            .map(|axis| axis.map_or(1, |axis| lists[axis].len() as i64))
            .collect();
        assert_eq!(selection.shape(), want_shape, "{}", context());

        let order = random.pick(&[Order::F, Order::C]);
        let item = random.pick(&[1, 4, 8]);
        let mut to = shape::packed_strides(&want_shape, item, order);
        for step in &mut to {
            *step *= random.pick(&[1, 1, -1]);
        }
        let mut places = model_places(&layout, &lists, &axes, &to);
        let cutting = Cutting {
            max: random.pick(&[1, 16, 100, 1 << 20]),
            gap: random.pick(&[-1, 0, 7, 50, 1 << 20]),
            loops: random.pick(&[0, 1, 2, usize::MAX]),
        };
        let wanted = places.len();
        let mut before = (0, 0);
        let (mut pieces, mut bytes, mut cost) = (0, 0, (0, 0));
        let size = layout.dtype.size() as i64;
        let how = Across {
            items: 2,
            far: random.pick(&[1, 10]),
            near: random.pick(&[1, 8, 1000]),
            most: random.pick(&[2, 1000]),
            parts: random.pick(&[1, 1000]),
            waste: random.pick(&[1, 1000]),
        };
        let mut all = walks(&layout, &selection, &to).unwrap();
        if random.below(2) == 0 {
            let parts = all.drain(..).flat_map(|walk| walk.across(&how));
            all = parts.collect();
            crossed += usize::from(all.iter().any(|walk| walk.across.is_some()));
            all.sort_by_key(|walk| (walk.source, walk.offset));
        }
        for walk in all {
            let more = walk.cost(cutting);
            cost = (cost.0 + more.0, cost.1 + more.1);
            let mut last = walk.offset;
            // Cut at some bytes besides, they are the same elements.
            let cells = random.pick(&[u64::MAX, 64, 1]);
            let mut run = walk.pieces(cutting);
            while let Some(offset) = run.offset() {
                assert!(run.next_before(offset).is_none());
                let limit = (offset / cells + 1).saturating_mul(cells);
                let piece = run.next_before(limit).unwrap();
                assert!(piece.offset >= last, "pieces come in order: {}", context());
                last = piece.offset + piece.len as u64;
                let found = elements(&piece);
                assert!(piece.len as i64 <= cutting.max.max(size), "{}", context());
                let far = piece.across.map_or(0, |dim| (dim.n - 1) * dim.from);
                let reach = found.iter().map(|&(from, _)| from + size).max();
                assert_eq!(reach, Some(piece.len as i64 + far), "{}", context());
                assert_eq!(piece.elements(), found.len() as i64);
                if let Some(outer) = piece.dims.last() {
                    let begin = offset + ((outer.n - 1) * outer.from) as u64;
                    assert!(begin < limit, "{}", context());
                }
                for (from, place) in found {
                    let want = places.remove(&place);
                    let got = (walk.source, piece.offset as i64 + from);
                    assert_eq!(want, Some(got), "{}", context());
                }
            }
            let all: Vec<Piece> = walk.pieces(cutting).collect();
            pieces += all.len() as u64 * walk.items_across().unwrap_or(1) as u64;
            bytes += all.iter().map(Piece::bytes).sum::<u64>();
            let far = walk.across.map_or(0, |dim| (dim.n - 1) * dim.from);
            let elements: i64 = all.iter().map(Piece::elements).sum();
            assert_eq!(walk.wanted(), (elements * size) as u64);
            assert_eq!(last + far as u64, walk.end(), "{}", context());
            assert!((walk.source, walk.offset) >= before, "walks come in order");
            let end = if walk.across.is_some() {
                walk.offset
            } else {
                last
            };
            before = (walk.source, end);
            several_blocks += usize::from(layout.blocks.len() > 1);
        }
        assert!(
            places.is_empty(),
            "{} elements missing: {}",
            places.len(),
            context()
        );
        assert_eq!(cost, (pieces, bytes), "{}", context());
        with_elements += usize::from(wanted > 1);
    }
    assert!(
        with_elements > 5_000 && several_blocks > 5_000 && crossed > 200,
        "{with_elements} {several_blocks} {crossed}"
    );
}

#[test]
fn neighbouring_loops_merge() {
    let shape = [4, 3, 2];
    let layout = Layout::packed(DType::Int16, Order::F, &shape, 352).unwrap();
    let selection = Selection::new(&[], &shape).unwrap();
    let to = shape::packed_strides(&shape, 2, Order::F);
    let found = walks(&layout, &selection, &to).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].offset, found[0].run(2)), (352, 48));
}

#[test]
fn layouts_that_cannot_be_are_refused() {
    let make = |shape: &[i64], strides: &[i64], offset| {
        Layout::new(
            DType::Int16,
            Order::F,
            shape.to_vec(),
            shape.iter().map(|&n| n.max(1)).collect(),
            strides.to_vec(),
            vec![Block {
                offset,
                ..Block::default()
            }],
        )
    };
    assert!(make(&[3, 3], &[2, 6], 0).is_some());
    assert!(make(&[3, 3], &[2, -6], 12).is_some());
    assert!(make(&[3, 3], &[2, 5], 0).is_none(), "overlap");
    assert!(make(&[3, 3], &[2, -6], 11).is_none(), "before the start");
    assert!(make(&[3], &[i64::MAX / 2], 4).is_none(), "beyond the end");
    assert!(make(&[-1], &[2], 0).is_none());
    assert!(make(&[i64::MAX, 2], &[2, 2], 0).is_none());
    assert!(make(&[0], &[0], 1 << 63).is_none(), "beyond, and empty");
    let big = Layout::packed(DType::UInt8, Order::C, &[2, 3], u64::MAX);
    assert!(big.is_none());
}
