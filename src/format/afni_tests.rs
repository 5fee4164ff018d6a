//! AFNI's headers.

use super::*;
use crate::core::layout::Block;
use crate::error::ErrorKind;
use crate::format::affine::Which;
use crate::format::entries::MOST;
use crate::format::{self, Choices, Parts, Wish};

/// An attribute whose count is right.
fn block(kind: &str, name: &str, value: &str) -> String {
    let count = match kind {
        "string" => value.len() - 1,
        _ => value.split_whitespace().count(),
    };
    format!("\ntype = {kind}-attribute\nname  = {name}\ncount = {count}\n{value}\n")
}

const BRICKS: [(&str, &str, &str); 7] = [
    ("string", "BYTEORDER_STRING", "'MSB_FIRST~"),
    ("integer", "BRICK_TYPES", " 1 1 1"),
    ("integer", "DATASET_RANK", " 3 3 0 0\n 0 0 0 0"),
    ("integer", "DATASET_DIMENSIONS", " 5 4 2 0 0"),
    ("float", "DELTA", " -3 2.5 4"),
    ("float", "TAXIS_FLOATS", " 0 1.5 0 0 0"),
    (
        "float",
        "IJK_TO_DICOM_REAL",
        "-3 0 0 66\n 0 2.5 0 87\n 0 0 4 -54",
    ),
];

/// A header with other values for some attributes, behind the others if they
/// are new; `""` leaves one out.
fn made(others: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    let other = |name| others.iter().find(|other| other.1 == name).copied();
    for own in BRICKS {
        let (kind, name, value) = other(own.1).unwrap_or(own);
        if !value.is_empty() {
            text += &block(kind, name, value);
        }
    }
    for &(kind, name, value) in others {
        if !BRICKS.iter().any(|own| own.1 == name) {
            text += &block(kind, name, value);
        }
    }
    text
}

fn read_as(text: &[u8], strict: bool) -> Result<Option<Header>> {
    let wish = Wish {
        format: None,
        named: None,
        parts: Parts::Unknown,
        strict,
        choices: Choices::default(),
    };
    format::read(&text, wish)
}

fn read(text: &str) -> Header {
    read_as(text.as_bytes(), true).unwrap().unwrap()
}

/// The error of a header, which names a byte.
fn fault(text: &[u8]) -> (String, u64) {
    let error = read_as(text, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Header, "{error}");
    (error.to_string(), error.offset().unwrap())
}

fn place_of(text: &str, name: &str) -> u64 {
    let at = text.find(&format!("name  = {name}\n")).unwrap();
    text[..at].rfind("type").unwrap() as u64
}

#[test]
fn what_a_header_says() {
    let text = made(&[]);
    let header = read(&text);
    assert_eq!(header.format, Format::Afni);
    assert_eq!(header.image, Some("brik"));
    assert_eq!(header.layout.shape, [5, 4, 2, 3]);
    assert_eq!(header.layout.dtype, DType::Int16);
    assert_eq!(header.layout.offset(), Some(0));
    assert_eq!(header.meanings.len(), 1);
    assert_eq!(header.meanings[0].byte_order, ByteOrder::Big);
    assert!(!header.meanings[0].factors.is_scaling());
    assert_eq!(header.zooms, [3.0, 2.5, 4.0, 1.5]);
    assert_eq!(header.raw, text.as_bytes());
    let (code, best) = header.affine.get(Which::Best).unwrap();
    assert_eq!(code, 0);
    assert_eq!(best[0], [3.0, 0.0, 0.0, -66.0]);
    assert_eq!(best[1], [0.0, -2.5, 0.0, -87.0]);
    assert_eq!(best[2], [0.0, 0.0, 4.0, -54.0]);
    let (_, base) = header.affine.get(Which::Base).unwrap();
    assert_eq!(base[0], [-3.0, 0.0, 0.0, 6.0]);
    // Lines may end as on Windows, and empty ones may come more than once.
    let windows = text.replace('\n', "\r\n");
    assert_eq!(read(&windows).layout, header.layout);
    let wide = format!("\n\n \n{}\n\n\n", text.replace("\n\n", "\n\n\n\n"));
    assert_eq!(read(&wide).layout, header.layout);
    let last = text.trim_end();
    assert_eq!(read(last).entries.len(), BRICKS.len());
}

#[test]
fn types() {
    for (code, dtype) in [
        ("0", DType::UInt8),
        ("1", DType::Int16),
        ("3", DType::Float32),
        ("5", DType::Complex64),
    ] {
        let header = read(&made(&[("integer", "BRICK_TYPES", code)]));
        assert_eq!(header.layout.dtype, dtype);
    }
    for (codes, part) in [
        ("2", "is 2"),
        ("4 4 4", "is 4"),
        ("-1", "is -1"),
        ("1 3 1", "1 and 3"),
        (" ", "0 values"),
    ] {
        let text = made(&[("integer", "BRICK_TYPES", codes)]);
        let (reason, at) = fault(text.as_bytes());
        assert_eq!(at, place_of(&text, "BRICK_TYPES"));
        assert!(reason.contains(part), "{reason}");
    }
}

fn facs(value: &str) -> String {
    made(&[("float", "BRICK_FLOAT_FACS", value)])
}

#[test]
fn factors_of_sub_bricks() {
    let slopes = |header: &Header| {
        let block = |block: &Block| header.meanings[block.meaning as usize].factors.slope;
        header.layout.blocks.iter().map(block).collect::<Vec<f64>>()
    };
    // All the same: one block.
    for (value, slope) in [
        ("0.5 0.5 0.5", 0.5),
        ("1 1 1", 1.0),
        ("0 1", 1.0),
        ("1", 1.0),
    ] {
        let header = read(&facs(value));
        assert_eq!(header.layout.offset(), Some(0), "{value}");
        assert_eq!(slopes(&header), [slope], "{value}");
        let factors = header.meanings[0].factors;
        assert!(factors.is_scaling(), "float64 even by 1");
        assert_eq!(factors.auto_dtype(DType::Float32), DType::Float64);
    }
    for (value, wanted) in [
        ("0.5 2 -4", [0.5, 2.0, -4.0]),
        ("0.5 0 3", [0.5, 1.0, 3.0]),
        ("0 0 3", [1.0, 1.0, 3.0]),
        ("2", [2.0, 1.0, 1.0]),
        ("2 0 0 0 0", [2.0, 1.0, 1.0]),
    ] {
        let header = read(&facs(value));
        assert_eq!(slopes(&header), wanted, "{value}");
        let offsets: Vec<u64> = header.layout.blocks.iter().map(|b| b.offset).collect();
        assert_eq!(offsets, [0, 80, 160]);
        assert_eq!(header.layout.end_of(0), 240);
    }
    for none in ["0 0 0", "0", "-0 0", " ", "0 0 0 0 0"] {
        assert!(
            !read(&facs(none)).meanings[0].factors.is_scaling(),
            "{none}"
        );
    }
    let text = facs("1 2 3 4");
    assert_eq!(
        fault(text.as_bytes()).1,
        place_of(&text, "BRICK_FLOAT_FACS")
    );
    for odd in ["NaN NaN NaN", "inf 1 1", "1e308 1 1"] {
        let header = read(&facs(odd));
        assert_eq!(header.notes.texts.len(), 1, "{odd}");
    }
}

#[test]
fn few_words_on_much_that_is_odd() {
    let names = "n".repeat(1000);
    let more: String = (0..500).map(|_| block("integer", &names, "1")).collect();
    let text = made(&[]) + &more;
    let header = super::read(&text.as_bytes(), false).unwrap();
    let texts = &header.notes.texts;
    assert_eq!(texts.len(), 101);
    assert!(texts.iter().all(|text| text.len() < 100), "{}", texts[0]);
}

#[test]
fn few_factors_take_little_room() {
    let many = |n: i64| {
        made(&[
            ("integer", "DATASET_RANK", &format!("3 {n}")),
            ("float", "BRICK_FLOAT_FACS", "2"),
        ])
    };
    let header = read(&many(65536));
    assert_eq!(header.layout.blocks.len(), 65536);
    assert_eq!(header.meanings.len(), 2);
    let text = many(65537);
    assert_eq!(fault(text.as_bytes()).1, place_of(&text, "DATASET_RANK"));
    let padded = text.clone() + &"\n".repeat(200_000);
    assert_eq!(fault(padded.as_bytes()).1, place_of(&text, "DATASET_RANK"));
    // Without them there is one block.
    let text = made(&[("integer", "DATASET_RANK", "3 2000000000")]);
    assert_eq!(read(&text).layout.blocks.len(), 1);
    let text = made(&[("integer", "DATASET_RANK", &format!("3 {}", i64::MAX / 2))]);
    assert_eq!(
        fault(text.as_bytes()).1,
        place_of(&text, "DATASET_DIMENSIONS")
    );
}

#[test]
fn what_must_be_there() {
    for name in [
        "BYTEORDER_STRING",
        "BRICK_TYPES",
        "DATASET_RANK",
        "DATASET_DIMENSIONS",
    ] {
        let text = made(&[("integer", name, "")]);
        let (reason, at) = fault(text.as_bytes());
        assert!(reason.contains(name), "{reason}");
        assert_eq!(at, text.len() as u64);
    }
    for (kind, name, value) in [
        ("integer", "BYTEORDER_STRING", "1"),
        ("string", "BRICK_TYPES", "'1~"),
        ("float", "DATASET_RANK", "3 1"),
        ("integer", "DATASET_RANK", "3"),
        ("integer", "DATASET_RANK", "4 1"),
        ("integer", "DATASET_RANK", "3 -1"),
        ("integer", "DATASET_DIMENSIONS", "5 4"),
        ("integer", "DATASET_DIMENSIONS", "5 -4 3"),
        ("string", "DELTA", "'3~"),
        ("string", "IJK_TO_DICOM_REAL", "'3~"),
        ("string", "BRICK_FLOAT_FACS", "'3~"),
    ] {
        let text = made(&[(kind, name, value)]);
        let (reason, at) = fault(text.as_bytes());
        assert_eq!(at, place_of(&text, name), "{reason}");
    }
}

#[test]
fn what_can_be_read_all_the_same() {
    for (name, value) in [
        ("DELTA", ""),
        ("DELTA", "1 2"),
        ("IJK_TO_DICOM_REAL", ""),
        ("IJK_TO_DICOM_REAL", "1 2 3"),
        ("BYTEORDER_STRING", "'PDP_FIRST~"),
    ] {
        let kind = match name {
            "BYTEORDER_STRING" => "string",
            _ => "float",
        };
        let text = made(&[(kind, name, value)]);
        let header = read_as(text.as_bytes(), false).unwrap().unwrap();
        assert_eq!(header.notes.texts.len(), 1, "{name}");
        assert!(header.notes.texts[0].contains(name));
        assert!(read_as(text.as_bytes(), true).is_err(), "{name}");
        let known = header.affine.get(Which::Best).is_ok();
        assert_eq!(known, name != "IJK_TO_DICOM_REAL");
        assert!(header.affine.get(Which::Base).is_ok());
    }
    let zooms = |value| read(&made(&[("float", "TAXIS_FLOATS", value)])).zooms;
    assert_eq!(zooms(""), [3.0, 2.5, 4.0, 0.0]);
    assert_eq!(zooms("1"), [3.0, 2.5, 4.0, 0.0]);
    // A name that comes twice, and a count that is wrong.
    let twice = made(&[]) + &block("integer", "BRICK_TYPES", "3");
    let header = read_as(twice.as_bytes(), false).unwrap().unwrap();
    assert_eq!(header.layout.dtype, DType::Float32);
    assert_eq!(header.entries.len(), BRICKS.len());
    assert!(header.notes.texts[0].contains("BRICK_TYPES"));
    let odd = made(&[]).replace("count = 5\n 5 4", "count = 6\n 5 4");
    let header = read_as(odd.as_bytes(), false).unwrap().unwrap();
    assert!(header.notes.texts[0].contains("DATASET_DIMENSIONS has 5 values, its count is 6"));
    assert_eq!(
        read_as(odd.as_bytes(), true).unwrap_err().offset(),
        Some(place_of(&odd, "DATASET_DIMENSIONS"))
    );
}

#[test]
fn blocks_that_are_none() {
    let text = made(&[]);
    for wrong in [
        "type = bad-attribute\nname = A\ncount = 1\n1",
        "type = integer\nname = A\ncount = 1\n1",
        "type = integer-attribute\ncount = 1\n1",
        "type = integer-attribute\nname = A\n1",
        "type = integer-attribute\nname = \ncount = 1\n1",
        "type = integer-attribute\nname = A B\ncount = 1\n1",
        "type = integer-attribute\nname = A\ncount = 1\n1.5",
        "type = integer-attribute\nname = A\ncount = 1\n99999999999999999999",
        "type = float-attribute\nname = A\ncount = 1\nx",
        "name = A\ntype = float-attribute\ncount = 1\n1",
        "type",
        "\u{e9}",
    ] {
        let whole = format!("{text}\n{wrong}");
        let at = text.len() as u64 + 1;
        assert_eq!(fault(whole.as_bytes()).1, at, "{wrong}");
    }
    let binary = [text.as_bytes(), b"\0"].concat();
    assert_eq!(fault(&binary).1, text.len() as u64);
    let far = [text.as_bytes(), &[b'\n'; 100_000], b"\0"].concat();
    assert_eq!(fault(&far).1, far.len() as u64 - 1);
    let long = vec![b'\n'; MOST - text.len()];
    let fits = [text.as_bytes(), &long].concat();
    assert_eq!(read_as(&fits, true).unwrap().unwrap().raw.len(), MOST);
    assert_eq!(fault(&[&fits[..], b"\n"].concat()).1, MOST as u64);
}

#[test]
fn other_texts_are_no_datasets() {
    for other in [
        "",
        "\n\n",
        "type",
        "type = image\n",
        "types = float-attribute\n",
        "name = A\ntype = float-attribute\n",
    ] {
        let found = read_as(other.as_bytes(), false).unwrap();
        assert!(found.is_none(), "{other}");
    }
    let (_, at) = fault(b"  \n type=any-attribute\r\n");
    assert_eq!(at, 4);
}

#[test]
fn attributes_are_fields() {
    let text = made(&[
        ("string", "HISTORY_NOTE", "'it's\n two lines~"),
        ("string", "BRICK_LABS", "'#0~#1~#2~"),
        ("string", "EMPTY", "'~"),
        ("integer", "TAXIS_NUMS", "3 25 77002 -999"),
        ("integer", "NONE", " "),
    ]);
    let header = read(&text);
    let value = |name: &str| {
        let found = header.entries.iter().find(|entry| entry.name == name);
        found.unwrap().read(&header.raw)
    };
    let names: Vec<&str> = header.entries.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names[..2], ["BYTEORDER_STRING", "BRICK_TYPES"]);
    assert_eq!(names.len(), BRICKS.len() + 5);
    assert_eq!(value("HISTORY_NOTE").text(), "it's  two lines");
    assert_eq!(value("BRICK_LABS").text(), "#0~#1~#2");
    assert_eq!(value("EMPTY").text(), "");
    assert_eq!(value("NONE").ints(), Some(vec![]));
    assert_eq!(
        value("DATASET_RANK").ints(),
        Some(vec![3, 3, 0, 0, 0, 0, 0, 0])
    );
    assert_eq!(value("DELTA").reals(), Some(vec![-3.0, 2.5, 4.0]));
    assert_eq!(value("DELTA").ints(), None);
    assert_eq!(time_unit(&header.raw, &header.entries), "sec");
    let unit = |value| {
        let header = read(&made(&[("integer", "TAXIS_NUMS", value)]));
        time_unit(&header.raw, &header.entries)
    };
    assert_eq!(unit("3 25 77001"), "msec");
    assert_eq!(unit("3 25 77003"), "hz");
    assert_eq!(unit("3 25 -999"), "unknown");
    assert_eq!(unit("3 25"), "unknown");
    assert_eq!(unit(""), "unknown");
}
