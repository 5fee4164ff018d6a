//! What an image's attributes and ranges make of it.

use super::*;
use crate::core::dtype::{DType, Order};
use crate::format::affine::Which;

fn axis(name: &str, list: &[(&str, Value)]) -> Axis {
    Axis {
        name: name.into(),
        attributes: attributes(list, 77),
    }
}

fn attributes(list: &[(&str, Value)], at: u64) -> Attributes {
    let own = |(name, value): &(&str, Value)| (name.to_string(), value.clone());
    Attributes {
        list: list.iter().map(own).collect(),
        at,
    }
}

/// Ends over the first axes, and where they say to be.
fn ends(shape: &[u64], names: &[&str], numbers: &[f64], at: u64) -> Ends {
    Ends {
        names: names.iter().map(|&name| name.into()).collect(),
        shape: shape.to_vec(),
        numbers: numbers.to_vec(),
        single: false,
        at,
    }
}

/// 2 by 3 by 4, z, y, x, with a range for each slice.
fn image(dtype: DType) -> Image {
    Image {
        axes: ["zspace", "yspace", "xspace"]
            .map(|name| axis(name, &[]))
            .into(),
        layout: Layout::packed(dtype, Order::C, &[2, 3, 4], 100).unwrap(),
        byte_order: ByteOrder::Big,
        at: 55,
        attributes: attributes(&[], 66),
        ranges: Some([
            ends(&[2], &["zspace"], &[0.0, -5.0], 88),
            ends(&[2], &["zspace"], &[255.0, 505.0], 99),
        ]),
        has_valid_min: true,
    }
}

fn read_as(image: Image, strict: bool) -> Result<Header> {
    header(
        Format::Minc1,
        (Vec::new(), Vec::new()),
        image,
        Notes::new(strict),
    )
}

fn read(image: Image) -> Header {
    read_as(image, true).unwrap()
}

fn fault(image: Image) -> (u64, String) {
    let error = read_as(image, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Header);
    (error.offset().unwrap(), error.to_string())
}

fn factors(header: &Header) -> Vec<(f64, f64)> {
    let factors = header.meanings.iter().map(|meaning| meaning.factors);
    factors
        .map(|factors| (factors.slope, factors.inter))
        .collect()
}

#[test]
fn ranges_make_factors() {
    let header = read(image(DType::UInt8));
    assert_eq!(factors(&header), [(1.0, 0.0), (2.0, -5.0)]);
    assert!(header.meanings.iter().all(|meaning| {
        let factors = meaning.factors;
        factors.clip.is_none() && factors.arithmetic == Arithmetic::Double && factors.is_scaling()
    }));
    assert_eq!(header.layout.blocks.len(), 2);
    // Real numbers are as stored.
    let real = read(image(DType::Float64));
    assert!(!real.meanings[0].factors.is_scaling());
    assert_eq!(real.layout.blocks.len(), 1);
    // Ranges that come again are the same.
    let mut again = image(DType::UInt8);
    again.ranges = Some([
        ends(&[2, 3], &["", ""], &[0.0, 1.0, 0.0, 1.0, 1.0, 0.0], 88),
        ends(
            &[2, 3],
            &["", ""],
            &[255.0, 511.0, 255.0, 511.0, 511.0, 255.0],
            99,
        ),
    ]);
    let again = read(again);
    assert_eq!(factors(&again), [(1.0, 0.0), (2.0, 1.0)]);
    let blocks = again.layout.blocks.iter();
    let blocks: Vec<_> = blocks
        .map(|block| (block.offset - 100, block.meaning))
        .collect();
    let wanted = [(0, 0), (12, 1), (4, 1), (16, 1), (8, 0), (20, 0)];
    assert_eq!(blocks, wanted);
}

#[test]
fn missing_ranges_are_noted() {
    let mut bare = image(DType::Int16);
    bare.ranges = None;
    let header = read_as(bare, false).unwrap();
    assert!(!header.meanings[0].factors.is_scaling());
    assert_eq!(header.notes.texts.len(), 1);
    let mut bare = image(DType::Int16);
    bare.ranges = None;
    assert_eq!(read_as(bare, true).unwrap_err().offset(), Some(55));
}

#[test]
fn odd_ranges() {
    let mut odd = image(DType::UInt8);
    odd.ranges = Some([
        ends(&[2], &["zspace"], &[1.0, 1.0], 88),
        ends(&[2], &["zspace"], &[1.0, f64::INFINITY], 99),
    ]);
    let header = read(odd);
    assert_eq!(factors(&header)[0], (0.0, 1.0));
    assert!(header.notes.texts[0].contains("the slope is inf"));
    // Without elements there are no ranges.
    let mut none = image(DType::UInt8);
    none.layout = Layout::packed(DType::UInt8, Order::C, &[0, 3, 4], 100).unwrap();
    none.ranges = Some([ends(&[0], &[""], &[], 8), ends(&[0], &[""], &[], 9)]);
    assert_eq!(factors(&read(none)), [(1.0, 0.0)]);
}

#[test]
fn what_is_valid() {
    let pair = |low, high| Value::Doubles(vec![low, high]);
    let one = |x| Value::Doubles(vec![x]);
    let whole = (-32768.0, 32767.0);
    for (list, wanted) in [
        (&[][..], whole),
        (&[("valid_range", pair(0.0, 9.0))], (0.0, 9.0)),
        (&[("valid_range", Value::Text("0 9".into()))], whole),
        (
            &[("valid_range", Value::integers(vec![-3, 7]))],
            (-3.0, 7.0),
        ),
        (
            &[("valid_min", one(2.0)), ("valid_max", one(5.0))],
            (2.0, 5.0),
        ),
        (&[("valid_max", one(5.0))], whole),
        (
            &[
                ("valid_min", one(2.0)),
                ("valid_max", one(5.0)),
                ("valid_range", pair(0.0, 9.0)),
            ],
            (0.0, 9.0),
        ),
    ] {
        let mut image = image(DType::Int16);
        image.attributes = attributes(list, 66);
        assert_eq!(image.valid(whole).unwrap(), wanted);
        let clip = (wanted != whole).then_some(wanted);
        image.has_valid_min = false;
        let alone = list.iter().any(|one| one.0 == "valid_range");
        assert_eq!(
            image.valid(whole).unwrap(),
            if alone { wanted } else { whole }
        );
        image.has_valid_min = true;
        assert!(
            read(image)
                .meanings
                .iter()
                .all(|one| one.factors.clip == clip)
        );
    }
    for (value, part) in [
        (Value::Doubles(vec![]), "0 values"),
        (Value::Doubles(vec![0.0, 1.0, 2.0]), "3 values"),
        (pair(-32769.0, 0.0), "from -32769 to 0"),
        (pair(0.0, 32768.0), "to 32768"),
        (pair(f64::NAN, 1.0), "NaN"),
        (pair(0.0, f64::NAN), "NaN"),
    ] {
        let mut image = image(DType::Int16);
        image.attributes = attributes(&[("valid_range", value)], 66);
        let (at, reason) = fault(image);
        assert!(at == 66 && reason.contains(part), "{reason}");
    }
}

#[test]
fn ranges_over_other_axes() {
    for (shape, names) in [
        (&[3][..], &[""][..]),
        (&[2], &["yspace"]),
        (&[2, 4], &["zspace", ""]),
        (&[2, 3, 4, 1], &["", "", "", ""]),
    ] {
        let count = shape.iter().product::<u64>() as usize;
        let mut image = image(DType::UInt8);
        let own = |at| ends(shape, names, &vec![0.0; count], at);
        image.ranges = Some([own(88), own(99)]);
        let (at, reason) = fault(image);
        assert_eq!(at, 99);
        assert!(
            reason.contains("not the slowest of the image's, (2, 3, 4)"),
            "{reason}"
        );
    }
    for (shape, name) in [(&[][..], &[][..]), (&[2], &["time"])] {
        let mut image = image(DType::UInt8);
        let high = ends(shape, name, &[0.0; 2], 99);
        image.ranges = image.ranges.map(|[low, _]| [low, high]);
        assert!(fault(image).1.contains("the same dimensions"));
    }
    assert!(check_count(&[1 << 10, 1 << 10], 5).is_ok());
    assert!(check_count(&[], 5).is_ok());
    for shape in [&[1 << 10, (1 << 10) + 1][..], &[u64::MAX, 2]] {
        let error = check_count(shape, 5).unwrap_err();
        assert_eq!(
            (error.kind(), error.offset()),
            (ErrorKind::Unsupported, Some(5))
        );
    }
}

/// Two ranges on an image of many pieces along another axis.
#[test]
fn ranges_that_cut_too_much() {
    let pieces = |n: i64| {
        let mut image = image(DType::UInt8);
        let blocks = vec![Default::default(); n as usize];
        let strides = vec![1, 0, 2];
        image.layout = Layout::new(
            DType::UInt8,
            Order::C,
            vec![2, n, 4],
            vec![2, 1, 4],
            strides,
            blocks,
        )
        .unwrap();
        image
    };
    let most = (MOST_BLOCKS / 2) as i64;
    assert_eq!(read(pieces(most)).layout.blocks.len() as u64, MOST_BLOCKS);
    assert_eq!(
        read(pieces(most + 1)).layout.blocks.len() as i64,
        2 * (most + 1)
    );
    // Many only by the ranges, not by what is listed.
    let mut image = image(DType::UInt8);
    let shape = vec![2, 1 << 14, 4];
    image.layout = Layout::packed(DType::UInt8, Order::C, &shape, 0).unwrap();
    let numbers: Vec<f64> = (0..1 << 15).map(f64::from).collect();
    let own = |at| ends(&[2, 1 << 14], &["", ""], &numbers, at);
    image.ranges = Some([
        own(8),
        ends(&[2, 1 << 14], &["", ""], &vec![1e9; 1 << 15], 9),
    ]);
    assert_eq!(read(image).layout.blocks.len(), 1 << 15);
    // 2,000 ranges across 2,000 pieces.
    let n = 2000;
    let mut image = self::image(DType::UInt8);
    let (shape, block) = (vec![n, 1, n], vec![n, 1, 1]);
    let blocks = vec![Default::default(); n as usize];
    let layout = Layout::new(DType::UInt8, Order::C, shape, block, vec![1, 0, 0], blocks);
    image.layout = layout.unwrap();
    let own = |at| ends(&[n as u64], &[""], &numbers[..n as usize], at);
    let highs = ends(&[n as u64], &[""], &vec![1e9; n as usize], 9);
    image.ranges = Some([own(8), highs]);
    let (at, reason) = fault(image);
    assert!(at == 55 && reason.contains("4000000 blocks"), "{reason}");
}

#[test]
fn axes_and_their_places() {
    let real = |x: f64| Value::Doubles(vec![x]);
    let mut image = image(DType::UInt8);
    image.axes = vec![
        axis(
            "time",
            &[
                ("step", real(2.5)),
                ("spacing", Value::Text("regular__".into())),
            ],
        ),
        axis("xspace", &[("step", real(-2.0)), ("start", real(7.0))]),
        axis(
            "yspace",
            &[("direction_cosines", Value::Singles(vec![0.5, 0.0, 1.0]))],
        ),
        axis("zspace", &[("start", real(1.0))]),
    ];
    image.layout = Layout::packed(DType::UInt8, Order::C, &[5, 2, 3, 4], 0).unwrap();
    image.ranges = Some([ends(&[], &[], &[0.0], 8), ends(&[], &[], &[1.0], 9)]);
    let header = read(image);
    assert_eq!(header.spatial, Some([1, 2, 3]));
    assert_eq!(header.zooms, [2.5, 2.0, 1.0, 1.0]);
    let (_, best) = header.affine.get(Which::Best).unwrap();
    assert_eq!(best[0], [-2.0, 0.5, 0.0, 7.0]);
    assert_eq!(best[1], [0.0; 4]);
    assert_eq!(best[2], [0.0, 1.0, 1.0, 1.0]);
    let (_, base) = header.affine.get(Which::Base).unwrap();
    assert_eq!([base[0][3], base[1][3], base[2][3]], [1.0, -1.0, -1.5]);
}

#[test]
fn places_that_are_unknown() {
    let three = |axes: [Axis; 3]| {
        let mut image = image(DType::Float32);
        image.axes = axes.into();
        image
    };
    let plain = |name| axis(name, &[]);
    let short = [("direction_cosines", Value::Doubles(vec![1.0; 2]))];
    for (axes, at, part) in [
        (
            ["time", "yspace", "xspace"].map(plain),
            55,
            "three axes of space",
        ),
        (
            ["zspace", "wspace", "xspace"].map(plain),
            77,
            "wspace has no",
        ),
        (
            [axis("zspace", &short), plain("yspace"), plain("xspace")],
            77,
            "2 values",
        ),
    ] {
        let same = |axes: &[Axis; 3]| axes.each_ref().map(|one| axis(&one.name, &[]));
        let again = match part {
            "2 values" => [axis("zspace", &short), plain("yspace"), plain("xspace")],
            _ => same(&axes),
        };
        let header = read_as(three(axes), false).unwrap();
        assert!(
            header.notes.texts[0].contains(part),
            "{:?}",
            header.notes.texts
        );
        assert!(header.affine.get(Which::Best).is_err());
        assert!(header.affine.get(Which::Base).is_ok());
        assert_eq!(read_as(three(again), true).unwrap_err().offset(), Some(at));
    }
    let irregular = |text: &str| {
        let mut image = image(DType::Float32);
        image.axes[1] = axis("yspace", &[("spacing", Value::Text(text.into()))]);
        image
    };
    assert!(read(irregular("regular")).notes.texts.is_empty());
    let header = read_as(irregular("irre\ngular"), false).unwrap();
    assert!(header.notes.texts[0].contains("'irre\\ngular'"));
    assert_eq!(
        read_as(irregular("x"), true).unwrap_err().offset(),
        Some(77)
    );
}

#[test]
fn units_of_space_and_time() {
    let entry = |name: &str, unit: &str| Entry::of(name.into(), 0, Value::Text(unit.into()));
    assert_eq!(units(&[]), ["mm", "unknown"]);
    let some = [
        entry("xspace:units", ""),
        entry("zspace:units", "m"),
        entry("time:units", "s"),
    ];
    assert_eq!(units(&some), ["m", "s"]);
    let number = Entry::of("xspace:units".into(), 0, Value::integers(vec![1]));
    assert_eq!(
        units(&[number, entry("yspace:units", "cm")]),
        ["cm", "unknown"]
    );
}
