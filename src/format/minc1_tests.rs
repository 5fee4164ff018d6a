//! MINC 1's files, made by the tests of NetCDF.

use super::*;
use crate::format::affine::Which;
use crate::format::netcdf::tests::{
    BYTE, DOUBLE, FLOAT, INT, Made, SHORT, attribute, doubles, text,
};
use crate::format::{self, Choices, Parts, Wish};

/// Where the image and its ranges begin.
const AT: u64 = 4096;
const MAX_AT: u64 = 2048;
const MIN_AT: u64 = 2560;

fn read_as(file: &[u8], format: Option<Format>, strict: bool) -> Result<Option<Header>> {
    let wish = Wish {
        format,
        named: None,
        parts: Parts::Unknown,
        choices: Choices::default(),
        strict,
    };
    format::read(&file, wish)
}

fn header(file: &[u8]) -> Header {
    read_as(file, None, true).unwrap().unwrap()
}

fn fault(file: &[u8]) -> (ErrorKind, u64, String) {
    let error = read_as(file, None, false).unwrap_err();
    (error.kind(), error.offset().unwrap(), error.to_string())
}

/// Dimensions of these names and lengths, each with its variable.
fn space(axes: &[(&str, u32)]) -> Made {
    let mut made = Made::default();
    for (number, (name, len)) in axes.iter().enumerate() {
        let number = number as f64;
        let own = [
            text("spacing", "regular__"),
            doubles("step", &[0.5 - number]),
            doubles("start", &[10.0 + number]),
        ];
        made = made.dimension(name, *len);
        made = made.variable(name, &[], &own, (DOUBLE, 64));
    }
    made
}

const AXES: [(&str, u32); 3] = [("zspace", 2), ("yspace", 3), ("xspace", 4)];

fn with_ranges(made: Made, over: &[u32]) -> Made {
    made.variable("image-max", over, &[], (DOUBLE, MAX_AT))
        .variable("image-min", over, &[], (DOUBLE, MIN_AT))
}

/// Shorts of 2 by 3 by 4, with a range for each slice.
fn made() -> Made {
    with_ranges(space(&AXES), &[0]).variable(
        "image",
        &[0, 1, 2],
        &[doubles("valid_range", &[0.0, 100.0])],
        (SHORT, AT),
    )
}

fn numbers(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_be_bytes()).collect()
}

fn file(made: &Made, lows: &[f64], highs: &[f64]) -> Vec<u8> {
    let (lows, highs) = (numbers(lows), numbers(highs));
    made.with(&[
        (MAX_AT as usize, &highs[..]),
        (MIN_AT as usize, &lows),
        (AT as usize, &[7; 48]),
    ])
}

fn blocks(header: &Header) -> Vec<(u64, u32)> {
    let blocks = header.layout.blocks.iter();
    blocks.map(|block| (block.offset, block.meaning)).collect()
}

#[test]
fn what_a_file_says() {
    let made = made();
    let header = header(&file(&made, &[-1.0, 0.0], &[1.0, 50.0]));
    assert_eq!(header.format, Format::Minc1);
    assert_eq!(header.raw, made.header());
    assert!(header.notes.texts.is_empty());
    let layout = &header.layout;
    assert_eq!((layout.dtype, layout.order), (DType::Int16, Order::C));
    assert_eq!(
        (&layout.shape[..], &layout.block[..]),
        (&[2, 3, 4][..], &[1, 3, 4][..])
    );
    assert_eq!(blocks(&header), [(AT, 0), (AT + 24, 1)]);
    assert_eq!(header.meanings[0].byte_order, ByteOrder::Big);
    let factors = header.meanings.iter().map(|one| one.factors);
    let found: Vec<_> = factors.map(|f| (f.slope, f.inter, f.clip)).collect();
    let clip = Some((0.0, 100.0));
    assert_eq!(found, [(0.02, -1.0, clip), (0.5, 0.0, clip)]);
    assert_eq!(header.spatial, Some([0, 1, 2]));
    assert_eq!(header.zooms, [0.5, 0.5, 1.5]);
    let (code, best) = header.affine.get(Which::Best).unwrap();
    assert_eq!(code, 0);
    assert_eq!(best[0], [0.0, 0.0, -1.5, 12.0]);
    assert_eq!(best[1], [0.0, -0.5, 0.0, 11.0]);
    assert_eq!(best[2], [0.5, 0.0, 0.0, 10.0]);
    let (_, base) = header.affine.get(Which::Base).unwrap();
    assert_eq!(base[0], [-0.5, 0.0, 0.0, 0.25]);
    let names = header.entries.iter().map(|entry| &entry.name[..]);
    let names: Vec<&str> = names.collect();
    assert_eq!(names[..2], ["zspace:spacing", "zspace:step"]);
    assert_eq!(names[9..], ["image:valid_range"]);
    // Slices that mean the same need no blocks.
    let same = file(&made, &[3.0, 3.0], &[4.0, 4.0]);
    assert_eq!(blocks(&self::header(&same)), [(AT, 0)]);
}

#[test]
fn types_and_signs() {
    let image = |code, sign: &[Vec<u8>]| {
        let made = space(&AXES).variable("image", &[0, 1, 2], sign, (code, AT));
        made.with(&[(AT as usize, &[0; 192])])
    };
    let [signed, unsigned] = ["signed__", "unsigned"].map(|sign| vec![text("signtype", sign)]);
    for (code, bare, with, without) in [
        (BYTE, DType::UInt8, DType::Int8, DType::UInt8),
        (SHORT, DType::Int16, DType::Int16, DType::UInt16),
        (INT, DType::Int32, DType::Int32, DType::UInt32),
        (FLOAT, DType::Float32, DType::Float32, DType::Float32),
        (DOUBLE, DType::Float64, DType::Float64, DType::Float64),
    ] {
        for (sign, wanted) in [(&vec![], bare), (&signed, with), (&unsigned, without)] {
            let read = read_as(&image(code, sign), None, false).unwrap().unwrap();
            assert_eq!(read.layout.dtype, wanted);
            // Ranges are missed where they count.
            let integers = code != FLOAT && code != DOUBLE;
            assert_eq!(read.notes.texts.len(), usize::from(integers));
            assert!(!read.meanings[0].factors.is_scaling());
        }
    }
    let place = space(&AXES).place(3);
    for (code, sign, part) in [
        (2, vec![], "characters"),
        (SHORT, vec![text("signtype", "signed")], "'signed'"),
        (INT, vec![text("signtype", "un\nsigned")], "'un\\nsigned'"),
    ] {
        let (kind, offset, reason) = fault(&image(code, &sign));
        assert_eq!((kind, offset), (ErrorKind::Header, place), "{reason}");
        assert!(reason.contains(part), "{reason}");
    }
    // Floats have no other kind.
    let read = read_as(&image(FLOAT, &[text("signtype", "signed")]), None, false);
    assert_eq!(read.unwrap().unwrap().layout.dtype, DType::Float32);
    // What is no text says nothing.
    let odd = image(SHORT, &[attribute("signtype", BYTE, 1, &[1])]);
    let odd = read_as(&odd, None, false).unwrap().unwrap();
    assert_eq!(odd.layout.dtype, DType::Int16);
}

#[test]
fn other_netcdf_is_none() {
    for format in [None, Some(Format::Minc1)] {
        let error = read_as(&space(&AXES).header(), format, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Format);
        assert!(error.to_string().contains("'image'"), "{error}");
    }
    let found = read_as(b"CDF\x03\0\0\0\0", None, false).unwrap();
    assert!(found.is_none());
}

/// Bytes in records of 3 by 4, as many as `records`.
fn records(records: u32) -> Made {
    let axes = [("time", 0), ("yspace", 3), ("xspace", 4)];
    let mut made = space(&axes);
    made.records = records;
    made
}

#[test]
fn records_are_blocks() {
    let made = with_ranges(records(3), &[0]).variable("image", &[0, 1, 2], &[], (BYTE, AT));
    let mut bytes = made.with(&[(AT as usize, &[0; 200])]);
    for record in 0..3 {
        for (at, value) in [(MAX_AT, 255.0), (MIN_AT, 0.0)] {
            let at = at as usize + 28 * record;
            bytes[at..at + 8].copy_from_slice(&(value * (record / 2 + 1) as f64).to_be_bytes());
        }
    }
    let read = read_as(&bytes, None, false).unwrap().unwrap();
    assert_eq!(read.layout.shape, [3, 3, 4]);
    assert_eq!(blocks(&read), [(AT, 0), (AT + 28, 0), (AT + 56, 1)]);
    assert_eq!(read.meanings[1].factors.slope, 2.0);
    assert_eq!(read.layout.end_of(0), AT + 56 + 12);
    assert_eq!(read.spatial, None);
    let none = records(0).variable("image", &[0, 1, 2], &[], (BYTE, AT));
    let none = read_as(&none.header(), None, false).unwrap().unwrap();
    assert_eq!((none.layout.shape[0], none.layout.blocks.len()), (0, 1));
}

#[test]
fn more_records_than_a_file_justifies() {
    for (count, fits) in [
        (1 << 16, true),
        ((1 << 16) + 1, false),
        (u32::MAX - 1, false),
    ] {
        let made = records(count).variable("image", &[0, 1, 2], &[], (FLOAT, AT));
        match read_as(&made.header(), None, false) {
            Ok(read) => {
                assert!(fits);
                assert_eq!(read.unwrap().layout.shape[0], i64::from(count));
            }
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(
                    (error.kind(), error.offset()),
                    (ErrorKind::Header, Some(made.place(3)))
                );
            }
        }
    }
    // If their ranges are there, so are they.
    let made = with_ranges(records(70_000), &[0]);
    let made = made.variable("image", &[0, 1, 2], &[], (BYTE, AT));
    let whole = made.with(&[(MAX_AT as usize, &vec![0; 28 * 70_100])]);
    let read = read_as(&whole, None, false).unwrap().unwrap();
    assert_eq!(read.layout.blocks.len(), 70_000);
    let (kind, offset, reason) = fault(&whole[..whole.len() / 2]);
    assert_eq!(kind, ErrorKind::Truncated, "{reason}");
    assert_eq!(offset as usize, whole.len() / 2);
}

#[test]
fn shapes_that_cannot_be() {
    let huge = u32::MAX;
    let image = |lengths: &[u32], begin| {
        let names = ["a", "b", "zspace", "yspace", "xspace"];
        let axes: Vec<_> = names.into_iter().zip(lengths.iter().copied()).collect();
        let made = Made {
            wide: true,
            ..Made::default()
        };
        let made = axes
            .iter()
            .fold(made, |made, axis| made.dimension(axis.0, axis.1));
        let numbers: Vec<u32> = (0..lengths.len() as u32).collect();
        made.variable("image", &numbers, &[], (FLOAT, begin))
    };
    for (lengths, begin) in [
        (&[huge, huge][..], AT),
        (&[1 << 31, 1 << 30, 1], 4),
        (&[1], u64::MAX),
        (&[1], i64::MAX as u64 - 3),
        (&[huge, huge, huge, huge, huge], AT),
    ] {
        let made = image(lengths, begin);
        let (kind, offset, reason) = fault(&made.header());
        assert_eq!(
            (kind, offset),
            (ErrorKind::Header, made.place(0)),
            "{reason}"
        );
        assert!(reason.contains("2^63"), "{reason}");
    }
    let large = image(&[huge, huge / 8], AT).header();
    let large = read_as(&large, None, false).unwrap().unwrap();
    assert_eq!(large.layout.shape, [i64::from(huge), i64::from(huge / 8)]);
    let scalar = image(&[], AT).header();
    let scalar = read_as(&scalar, None, false).unwrap().unwrap();
    assert!(scalar.layout.shape.is_empty() && scalar.zooms.is_empty());
    // The same dimension again and again.
    for (axes, fits) in [(shape::MAX_NDIM, true), (shape::MAX_NDIM + 1, false)] {
        let made = space(&[("zspace", 1)]);
        let made = made.variable("image", &vec![0; axes], &[], (FLOAT, AT));
        let file = made.header();
        if fits {
            assert!(read_as(&file, None, false).unwrap().is_some());
        } else {
            let (kind, offset, reason) = fault(&file);
            assert_eq!((kind, offset), (ErrorKind::Header, made.place(1)));
            assert!(reason.contains("65 axes"), "{reason}");
        }
    }
}

#[test]
fn more_ranges_than_a_file_justifies() {
    let (most, place) = (1 << 20, space(&AXES).place(3));
    for (lengths, wanted) in [
        ([most + 1, 1, 1], ErrorKind::Unsupported),
        ([1 << 10, (1 << 10) + 1, 1], ErrorKind::Unsupported),
        ([u32::MAX, u32::MAX, u32::MAX], ErrorKind::Unsupported),
        ([most, 1, 1], ErrorKind::Truncated),
    ] {
        let names = ["zspace", "yspace", "xspace"];
        let axes: Vec<_> = names.into_iter().zip(lengths).collect();
        // The lower ends are looked at first.
        let made = space(&axes).variable("image-min", &[0, 1, 2], &[], (DOUBLE, MIN_AT));
        let made = made.variable("image-max", &[0, 1, 2], &[], (DOUBLE, MAX_AT));
        let made = made.variable("image", &[0, 1, 2], &[], (BYTE, AT));
        let file = made.with(&[(MIN_AT as usize, &[0; 99])]);
        let (kind, offset, reason) = fault(&file);
        assert_eq!(kind, wanted, "{reason}");
        let at = match wanted {
            ErrorKind::Truncated => file.len() as u64,
            _ => place,
        };
        assert_eq!(offset, at, "{reason}");
    }
}

#[test]
fn ranges_in_single_precision() {
    let single = |over: &[u32]| {
        let made = space(&AXES)
            .variable("image-max", over, &[], (FLOAT, MAX_AT))
            .variable("image-min", over, &[], (FLOAT, MIN_AT))
            .variable("image", &[0, 1, 2], &[], (BYTE, AT));
        let [high, low] = [1e8f32, 0.7].map(|x| x.to_be_bytes().repeat(2));
        let values: &[(usize, &[u8])] = &[
            (MAX_AT as usize, &high),
            (MIN_AT as usize, &low),
            (AT as usize, &[0; 24]),
        ];
        header(&made.with(values)).meanings[0].factors.slope
    };
    assert_eq!(single(&[0]), 1e8 / 255.0);
    assert_eq!(single(&[]), (1e8 - f64::from(0.7f32)) / 255.0);
}
