//! PAR/REC's headers.

use super::*;
use crate::format::affine::Which;
use crate::format::{self, Parts, Wish};

const GENERAL: [(&str, &str); 11] = [
    ("Patient name", "no one"),
    ("Max. number of slices/locations", "3"),
    ("Max. number of echoes", "1"),
    ("Max. number of dynamics", "2"),
    ("Repetition time [ms]", "2250.5"),
    ("Angulation midslice(ap,fh,rl)[degr]", "0 0 0"),
    ("Off Centre midslice(ap,fh,rl) [mm]", "1 2 3"),
    ("Presaturation     <0=no 1=yes> ?", "0"),
    ("Scan resolution  (x, y)", "4 5"),
    ("Dynamic scan      <0=no 1=yes> ?", "1"),
    ("Diffusion         <0=no 1=yes> ?", "0"),
];

/// A line of an image in words.
pub(in crate::format) type Words = Vec<String>;

/// A line of V4.2: its slice, its dynamic, its number.
fn line(slice: i64, dynamic: i64, index: usize) -> Words {
    let text = format!(
        "{slice} 1 {dynamic} 1 0 2 {index} 16 62 4 5 -2.5 1.5 0.25 1070 1860 \
         -13.26 0 0 2.51 -0.81 -8.69 6 2 0 1 0 2 3.75 2.5 30 0 0 0 1 90 0 0 0 39 0 \
         1 1 T1 8 0.5 0 0 1"
    );
    text.split_whitespace().map(String::from).collect()
}

/// Lines of the slices and dynamics, one after the other.
pub(in crate::format) fn lines(places: &[(i64, i64)]) -> Vec<Words> {
    let places = places.iter().enumerate();
    places
        .map(|(index, &(slice, dynamic))| line(slice, dynamic, index))
        .collect()
}

pub(in crate::format) const PLACES: [(i64, i64); 6] =
    [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)];

/// A header of a version, with other values for some keys, `""` without them.
pub(in crate::format) fn made_as(
    version: &str,
    others: &[(&str, &str)],
    lines: &[Words],
) -> String {
    let mut text = format!(
        "# === DATA DESCRIPTION FILE ===\n#\n# Research image export tool     {version}\n#\n"
    );
    let is_own = |key: &str| GENERAL.iter().any(|own| own.0 == key);
    let own = GENERAL.iter().map(|own| {
        let other = others.iter().find(|other| other.0 == own.0);
        *other.unwrap_or(own)
    });
    for (key, value) in own.chain(others.iter().copied().filter(|other| !is_own(other.0))) {
        if !value.is_empty() {
            text += &format!(".    {key}   :  {value}\n");
        }
    }
    text += "#\n# === IMAGE INFORMATION ===\n#  sl ec\n\n";
    for line in lines {
        text += &format!("  {}\n", line.join("  "));
    }
    text + "\n# === END OF DATA DESCRIPTION FILE ===\n1 2 3\n"
}

pub(in crate::format) fn made(others: &[(&str, &str)], lines: &[Words]) -> String {
    made_as("V4.2", others, lines)
}

pub(in crate::format) fn read_by(
    text: &[u8],
    choices: Choices,
    strict: bool,
) -> Result<Option<Header>> {
    let wish = Wish {
        format: None,
        named: None,
        parts: Parts::Unknown,
        strict,
        choices,
    };
    format::read(&text, wish)
}

pub(in crate::format) fn read_as(text: &str, strict: bool) -> Result<Header> {
    let found = read_by(text.as_bytes(), Choices::default(), strict);
    found.map(|header| header.unwrap())
}

pub(in crate::format) fn read(text: &str) -> Header {
    read_as(text, true).unwrap()
}

/// The error of a header, which names a byte.
fn fault(text: &str) -> (String, u64) {
    let error = read_as(text, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Header, "{error}");
    (error.to_string(), error.offset().unwrap())
}

/// The byte of a key's line, or of an image's.
pub(in crate::format) fn at_key(text: &str, key: &str) -> u64 {
    text.find(&format!(".    {key}")).unwrap() as u64
}

fn at_line(text: &str, number: usize) -> u64 {
    let images = text.find("sl ec\n\n").unwrap() + 7;
    let before = text[images..].split('\n').take(number);
    let start = images + before.map(|line| line.len() + 1).sum::<usize>();
    start as u64 + 2
}

/// Factors and offsets of the blocks.
pub(in crate::format) fn blocks(header: &Header) -> Vec<(f64, f64, u64)> {
    let of = |block: &Block| {
        let factors = header.meanings[block.meaning as usize].factors;
        (factors.slope, factors.inter, block.offset)
    };
    header.layout.blocks.iter().map(of).collect()
}

#[test]
fn what_a_header_says() {
    let text = made(&[], &lines(&PLACES));
    let header = read(&text);
    assert_eq!(header.format, Format::ParRec);
    assert_eq!(header.image, Some("rec"));
    assert_eq!(header.layout.shape, [4, 5, 3, 2]);
    assert_eq!(header.layout.dtype, DType::UInt16);
    assert_eq!(header.meanings[0].byte_order, ByteOrder::Little);
    assert_eq!(blocks(&header), [(1.5, -2.5, 0)]);
    assert_eq!(header.layout.end_of(0), 240);
    assert_eq!(header.zooms, [3.75, 2.5, 8.0, 2.2505]);
    assert_eq!(header.raw, text.as_bytes());
    let factors = header.meanings[0].factors;
    assert_eq!(factors.auto_dtype(DType::UInt16), DType::Float64);
    // Lines may end in any way, and empty ones may come anywhere.
    for end in ["\r\n", "\r", "\n\n \n"] {
        let other = read(&text.replace('\n', end));
        assert_eq!(other.layout, header.layout);
        assert_eq!(other.entries.len(), header.entries.len());
    }
    let short = text.split("\n# === END").next().unwrap();
    assert_eq!(read(short.trim_end()).layout, header.layout);
    // One volume has three axes, and no time.
    let text = made(&[("Max. number of dynamics", "1")], &lines(&PLACES[..3]));
    let header = read(&text);
    assert_eq!(header.layout.shape, [4, 5, 3]);
    assert_eq!(header.zooms, [3.75, 2.5, 8.0]);
}

#[test]
fn versions() {
    for (version, words) in [("V4", 41), ("V4.1", 48), ("V4.2", 49)] {
        let cut = |words: usize| {
            let mut lines = lines(&PLACES);
            lines.iter_mut().for_each(|line| line.truncate(words));
            made_as(version, &[], &lines)
        };
        assert_eq!(read(&cut(words)).layout.shape, [4, 5, 3, 2]);
        let text = cut(words - 1);
        let (reason, at) = fault(&text);
        assert!(reason.contains(&format!("wanted {words}")), "{reason}");
        assert_eq!(at, at_line(&text, 0));
    }
    for version in ["V3", "V4.3", "v4", "V4.2x"] {
        let text = made_as(version, &[], &lines(&PLACES));
        let error = read_as(&text, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(version), "{error}");
        assert_eq!(
            error.offset(),
            Some(text.find("# Research").unwrap() as u64)
        );
    }
}

#[test]
fn other_texts_are_no_headers() {
    let text = made(&[], &lines(&PLACES));
    for other in [
        text.replace("image export tool", "image import tool"),
        text.replacen('#', "", 1),
        // The line has to be one of those at the top.
        text.replacen('#', "x", 1),
        text.replacen("# Research", ".    Research", 1),
        "#\n".into(),
    ] {
        let found = read_by(other.as_bytes(), Choices::default(), false).unwrap();
        assert!(found.is_none(), "{other:.80}");
    }
    // The names of data sets may be long.
    let long = format!("  \n# Dataset name: {}\n{text}", "x".repeat(10_000));
    assert_eq!(read(&long).layout.shape, [4, 5, 3, 2]);
    // Asked for by name, what is missing is told.
    let wish = Wish {
        format: Some(Format::ParRec),
        named: None,
        parts: Parts::Unknown,
        strict: false,
        choices: Choices::default(),
    };
    let error = format::read(&&b"#\n.    Patient name : x\n"[..], wish).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Header, Some(24))
    );
    assert!(error.to_string().contains("version"), "{error}");
}

#[test]
fn images_in_other_orders_are_blocks() {
    let size = 40;
    // Slices first, then dynamics; and backwards.
    let across = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)];
    let header = read(&made(&[], &lines(&across)));
    assert_eq!(header.layout.shape, [4, 5, 3, 2]);
    let offsets: Vec<u64> = blocks(&header).iter().map(|block| block.2 / size).collect();
    assert_eq!(offsets, [0, 2, 4, 1, 3, 5]);
    assert_eq!(header.meanings.len(), 1);
    let mut back = PLACES;
    back.reverse();
    let header = read(&made(&[], &lines(&back)));
    let offsets: Vec<u64> = blocks(&header).iter().map(|block| block.2 / size).collect();
    assert_eq!(offsets, [2, 1, 0, 5, 4, 3]);
    // Eight bits: half the size.
    let mut small = lines(&across);
    small.iter_mut().for_each(|line| line[7] = "8".into());
    let header = read(&made(&[], &small));
    assert_eq!(header.layout.dtype, DType::UInt8);
    assert_eq!(blocks(&header)[1].2, 40);
}

#[test]
fn each_image_has_its_factors() {
    let mut varied = lines(&PLACES);
    for (number, line) in varied.iter_mut().enumerate() {
        line[11] = "-2".into();
        line[12] = ["1.5", "2", "1.5"][number % 3].into();
        line[13] = "0.5".into();
    }
    let text = made(&[], &varied);
    let header = read(&text);
    assert_eq!(header.meanings.len(), 2);
    assert_eq!(
        blocks(&header)[..4],
        [
            (1.5, -2.0, 0),
            (2.0, -2.0, 40),
            (1.5, -2.0, 80),
            (1.5, -2.0, 120)
        ]
    );
    let fp = |text: &str, strict| {
        let choices = Choices {
            scaling: Scaling::FloatingPoint,
            ..Choices::default()
        };
        read_by(text.as_bytes(), choices, strict).unwrap().unwrap()
    };
    let header = fp(&text, true);
    assert_eq!(
        blocks(&header)[..2],
        [(2.0, -2.0 / 0.75, 0), (2.0, -2.0, 40)]
    );
    // A division by 0 is told, if it is one that is wanted.
    varied[1][13] = "0".into();
    varied[2][12] = "0".into();
    let text = made(&[], &varied);
    assert!(read(&text).notes.texts.is_empty());
    let header = fp(&text, true);
    assert_eq!(header.notes.texts.len(), 1);
    assert!(header.notes.texts[0].contains("image 1 "));
    let found = blocks(&header);
    assert_eq!(found[1], (f64::INFINITY, f64::NEG_INFINITY, 40));
    assert_eq!(found[2], (2.0, f64::NEG_INFINITY, 80));
    for (word, value) in [(11, "nan"), (12, "inf"), (12, "1e305")] {
        let mut odd = lines(&PLACES);
        odd.iter_mut().for_each(|line| line[word] = value.into());
        let header = read(&made(&[], &odd));
        assert_eq!(header.notes.texts.len(), 1, "{value}");
        // Not a number is one value, too.
        assert_eq!(header.meanings.len(), 1);
    }
}

#[test]
fn the_index_counts_where_it_can() {
    let with = |indices: [&str; 6]| {
        let mut lines = lines(&PLACES);
        for (line, index) in lines.iter_mut().zip(indices) {
            line[6] = index.into();
        }
        made(&[], &lines)
    };
    let header = read(&with(["5", "4", "3", "2", "1", "0"]));
    let offsets: Vec<u64> = blocks(&header).iter().map(|block| block.2 / 40).collect();
    assert_eq!(offsets, [5, 4, 3, 2, 1, 0]);
    assert!(header.notes.texts.is_empty());
    // Images that follow in the file are one block, wherever their lines are.
    let places = [(3, 2), (2, 2), (1, 2), (3, 1), (2, 1), (1, 1)];
    let mut back = lines(&places);
    for (line, index) in back.iter_mut().zip([5, 4, 3, 2, 1, 0]) {
        line[6] = index.to_string();
    }
    // The first volume is that of which lines come first.
    let offsets: Vec<u64> = blocks(&read(&made(&[], &back)))
        .iter()
        .map(|block| block.2 / 40)
        .collect();
    assert_eq!(offsets, [3, 4, 5, 0, 1, 2]);
    let three = &mut back[3..];
    for (line, index) in three.iter_mut().zip([2, 1, 0]) {
        line[6] = index.to_string();
    }
    let header = read(&made(&[("Max. number of dynamics", "1")], three));
    assert_eq!(blocks(&header), [(1.5, -2.5, 0)]);
    for other in [
        ["0", "0", "0", "0", "0", "0"],
        ["1", "2", "3", "4", "5", "6"],
        ["0", "1", "2", "3", "4", "-1"],
        ["0", "1", "2", "3", "4", "4"],
    ] {
        let header = read(&with(other));
        assert_eq!(blocks(&header), [(1.5, -2.5, 0)], "{other:?}");
        assert_eq!(header.notes.texts.len(), 1);
        assert!(header.notes.texts[0].contains("index in REC file"));
    }
}

#[test]
fn what_cannot_be_read() {
    let text = made(&[], &lines(&PLACES));
    let of_lines = |word: usize, value: &str, numbers: std::ops::Range<usize>| {
        let mut lines = lines(&PLACES);
        for line in &mut lines[numbers] {
            line[word] = value.into();
        }
        made(&[], &lines)
    };
    for (word, value, number) in [
        (0, "0", 4),
        (0, "4", 4),
        (0, "x", 1),
        (1, "1.5", 2),
        (8, "99999999999999999999", 3),
        (12, "1,5", 3),
        (47, "x", 5),
        (48, "x", 5),
    ] {
        let text = of_lines(word, value, number..number + 1);
        let (reason, at) = fault(&text);
        assert_eq!(at, at_line(&text, number), "{reason}");
    }
    for (word, value) in [(7, "12"), (9, "-4"), (10, "-1"), (9, "4611686018427387904")] {
        let text = of_lines(word, value, 0..6);
        let (reason, at) = fault(&text);
        assert_eq!(at, at_line(&text, 0), "{reason}");
    }
    // What must be the same for all.
    for (word, value) in [
        (7, "8"),
        (9, "5"),
        (10, "4"),
        (22, "5"),
        (23, "nan"),
        (25, "2"),
        (28, "1"),
        (29, "1"),
    ] {
        let text = of_lines(word, value, 4..5);
        let error = read_as(&text, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{word}");
        assert_eq!(error.offset(), Some(at_line(&text, 4)));
    }
    // A contrast may be any word, and words behind the last are none of ours.
    let mut wide = lines(&PLACES);
    wide.iter_mut().for_each(|line| line.push("more".into()));
    read(&made(&[], &wide));
    read(&of_lines(43, "\u{e9}", 1..2));
    let none = made(&[], &[]).replace("\n1 2 3", "");
    assert_eq!(fault(&none).1, none.len() as u64);
    let (reason, at) = fault(&made(
        &[("Max. number of slices/locations", "")],
        &lines(&PLACES),
    ));
    assert!(reason.contains("max_slices") && at > 0, "{reason}");
    let text_of = |value| {
        made(
            &[("Max. number of slices/locations", value)],
            &lines(&PLACES),
        )
    };
    let odd = text_of("3 3");
    assert_eq!(fault(&odd).1, at_key(&odd, "Max. number of slices"));
    for wrong in [
        "no colon",
        ": no key",
        &format!("{} : long", "x".repeat(300)),
    ] {
        let text = text.replacen(".    Patient", &format!(".    {wrong}\n.    Patient"), 1);
        assert_eq!(
            fault(&text).1,
            text.find(&format!(".    {wrong}")).unwrap() as u64
        );
    }
    let many = ".    Patient name : x\n".repeat(1000);
    let text = text.replacen(".    Patient", &format!("{many}.    Patient"), 1);
    assert_eq!(
        fault(&text).1,
        (text.find(&many).unwrap() + many.len()) as u64
    );
    let zero = text.replacen("no one", "no\0one", 1);
    assert_eq!(fault(&zero).1, zero.find('\0').unwrap() as u64);
}

#[test]
fn what_can_be_read_all_the_same() {
    for (key, value, name) in [
        ("Angulation midslice(ap,fh,rl)[degr]", "", "angulation"),
        ("Off Centre midslice(ap,fh,rl) [mm]", "", "off_center"),
        ("Repetition time [ms]", "", "repetition_time"),
        ("A new key", "1", "A new key"),
        ("Max. number of mixes", "x", "max_mixes"),
        ("Scan resolution  (x, y)", "1", "scan_resolution"),
        ("patient NAME", "other", "patient_name"),
    ] {
        let text = made(&[(key, value)], &lines(&PLACES));
        let header = read_as(&text, false).unwrap();
        assert_eq!(header.notes.texts.len(), 1, "{name}");
        assert!(header.notes.texts[0].contains(name));
        assert!(read_as(&text, true).is_err(), "{name}");
        let is_placed = header.affine.get(Which::Best).is_ok();
        assert_eq!(is_placed, name != "angulation" && name != "off_center");
        assert!(header.affine.get(Which::Base).is_ok());
        let time = if name == "repetition_time" {
            1.0
        } else {
            2.2505
        };
        assert_eq!(header.zooms[3], time);
    }
    let mut odd = lines(&PLACES);
    odd.iter_mut().for_each(|line| line[25] = "4".into());
    let header = read_as(&made(&[], &odd), false).unwrap();
    assert!(header.affine.get(Which::Best).is_err());
    // Two times are no fault, and no dynamics are no time.
    let header = read(&made(&[("Repetition time [ms]", "10 20")], &lines(&PLACES)));
    assert_eq!(header.zooms[3], 0.01);
    assert_eq!(header.notes.texts.len(), 1);
    let still = [("Dynamic scan      <0=no 1=yes> ?", "0")];
    assert_eq!(read(&made(&still, &lines(&PLACES))).zooms[3], 1.0);
}

#[test]
fn affines() {
    let best = |orientation: i32, angles: &str| {
        let mut lines = lines(&PLACES);
        lines
            .iter_mut()
            .for_each(|line| line[25] = orientation.to_string());
        let text = made(&[("Angulation midslice(ap,fh,rl)[degr]", angles)], &lines);
        let (code, matrix) = read(&text).affine.get(Which::Best).unwrap();
        assert_eq!(code, 0);
        matrix
    };
    // Sizes are 3.75, 2.5 and 8, the centre is at 1.5, 2, 1.
    assert_eq!(
        best(1, "0 0 0"),
        [
            [-3.75, 0.0, 0.0, 5.625 - 3.0],
            [0.0, -2.5, 0.0, 5.0 - 1.0],
            [0.0, 0.0, 8.0, -8.0 + 2.0],
            [0.0, 0.0, 0.0, 1.0]
        ]
    );
    assert_eq!(
        best(2, "0 0 0")[..3],
        [
            [0.0, 0.0, 8.0, -8.0 - 3.0],
            [-3.75, 0.0, 0.0, 5.625 - 1.0],
            [0.0, -2.5, 0.0, 5.0 + 2.0]
        ]
    );
    assert_eq!(
        best(3, "0 0 0")[..3],
        [
            [-3.75, 0.0, 0.0, 5.625 - 3.0],
            [0.0, 0.0, -8.0, 8.0 - 1.0],
            [0.0, -2.5, 0.0, 5.0 + 2.0]
        ]
    );
    // A quarter turn around each axis of the patient, from back, head and left.
    let near = |matrix: Matrix, axes: [[f64; 3]; 3]| {
        for (row, wanted) in matrix.iter().zip(axes) {
            let pairs = row.iter().zip(wanted);
            assert!(
                pairs.into_iter().all(|(x, y)| (x - y).abs() < 1e-12),
                "{matrix:?}"
            );
        }
    };
    near(
        best(1, "90 0 0"),
        [[0.0, 0.0, -8.0], [0.0, -2.5, 0.0], [-3.75, 0.0, 0.0]],
    );
    near(
        best(1, "0 90 0"),
        [[0.0, 2.5, 0.0], [-3.75, 0.0, 0.0], [0.0, 0.0, 8.0]],
    );
    near(
        best(1, "0 0 90"),
        [[-3.75, 0.0, 0.0], [0.0, 0.0, 8.0], [0.0, 2.5, 0.0]],
    );
    // First around the head's axis, then the back's, then the left's.
    near(
        best(1, "90 90 0"),
        [[0.0, 0.0, -8.0], [-3.75, 0.0, 0.0], [0.0, 2.5, 0.0]],
    );
    near(
        best(1, "90 0 90"),
        [[0.0, 0.0, -8.0], [-3.75, 0.0, 0.0], [0.0, 2.5, 0.0]],
    );
}

#[test]
fn keys_and_columns_are_fields() {
    let text = made(
        &[
            ("Series_data_type", "  Image   MR: x "),
            ("A  new key", "it's"),
        ],
        &lines(&PLACES),
    );
    let header = read_as(&text, false).unwrap();
    let value = |name: &str| {
        let found = header.entries.iter().find(|entry| entry.name == name);
        found.unwrap_or_else(|| panic!("{name}")).read(&header.raw)
    };
    assert_eq!(header.entries.len(), GENERAL.len() + 2 + 41);
    assert_eq!(value("patient_name").text(), "no one");
    assert_eq!(value("series_type").text(), "Image   MR: x");
    assert_eq!(value("A new key").text(), "it's");
    assert_eq!(value("max_slices").ints(), Some(vec![3]));
    assert_eq!(value("presaturation").ints(), Some(vec![0]));
    assert_eq!(value("off_center").reals(), Some(vec![1.0, 2.0, 3.0]));
    assert_eq!(value("off_center").ints(), None);
    assert_eq!(value("slice number").ints(), Some(vec![1, 2, 3, 1, 2, 3]));
    assert_eq!(
        value("index in REC file").ints(),
        Some(vec![0, 1, 2, 3, 4, 5])
    );
    assert_eq!(value("recon resolution").ints(), Some([4, 5].repeat(6)));
    assert_eq!(value("pixel spacing").reals(), Some([3.75, 2.5].repeat(6)));
    assert_eq!(value("contrast type").text(), ["T1"; 6].join(" "));
    assert_eq!(
        value("image diffusion").reals(),
        Some([0.5, 0.0, 0.0].repeat(6))
    );
    assert_eq!(value("label type").ints(), Some(vec![1; 6]));
    assert_eq!(time_unit(&header.raw, &header.entries), "sec");
    let still = made(
        &[("Dynamic scan      <0=no 1=yes> ?", "0")],
        &lines(&PLACES),
    );
    let header = read(&still);
    assert_eq!(time_unit(&header.raw, &header.entries), "unknown");
}
