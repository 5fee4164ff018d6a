//! NetCDF's headers and values; [`Made`] makes files for the tests of MINC, too.

use super::*;

/// Types as a header names them.
pub(in crate::format) const BYTE: u32 = 1;
pub(in crate::format) const SHORT: u32 = 3;
pub(in crate::format) const INT: u32 = 4;
pub(in crate::format) const FLOAT: u32 = 5;
pub(in crate::format) const DOUBLE: u32 = 6;

/// A file in the making: lists of what goes into its header, each item as bytes.
#[derive(Clone, Default)]
pub(in crate::format) struct Made {
    pub(in crate::format) wide: bool,
    pub(in crate::format) records: u32,
    pub(in crate::format) dimensions: Vec<Vec<u8>>,
    pub(in crate::format) attributes: Vec<Vec<u8>>,
    pub(in crate::format) variables: Vec<Vec<u8>>,
}

fn name(text: &[u8]) -> Vec<u8> {
    let mut bytes = (text.len() as u32).to_be_bytes().to_vec();
    bytes.extend(text);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn list(tag: u32, items: &[Vec<u8>]) -> Vec<u8> {
    let tag = if items.is_empty() { 0 } else { tag };
    let head = [tag, items.len() as u32].map(u32::to_be_bytes);
    [head.as_flattened(), &items.concat()].concat()
}

/// `values` are as stored.
pub(in crate::format) fn attribute(own: &str, code: u32, count: u32, values: &[u8]) -> Vec<u8> {
    let mut bytes = name(own.as_bytes());
    bytes.extend([code, count].map(u32::to_be_bytes).as_flattened());
    bytes.extend(values);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(in crate::format) fn text(own: &str, text: &str) -> Vec<u8> {
    attribute(own, CHARACTERS, text.len() as u32, text.as_bytes())
}

pub(in crate::format) fn doubles(own: &str, values: &[f64]) -> Vec<u8> {
    let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_be_bytes()).collect();
    attribute(own, DOUBLE, values.len() as u32, &bytes)
}

impl Made {
    /// One of length 0 is that of the records.
    pub(in crate::format) fn dimension(mut self, own: &str, len: u32) -> Made {
        let bytes = [name(own.as_bytes()), len.to_be_bytes().to_vec()].concat();
        self.dimensions.push(bytes);
        self
    }

    pub(in crate::format) fn variable(
        mut self,
        own: &str,
        dimensions: &[u32],
        attributes: &[Vec<u8>],
        (code, begin): (u32, u64),
    ) -> Made {
        let mut bytes = name(own.as_bytes());
        bytes.extend((dimensions.len() as u32).to_be_bytes());
        dimensions
            .iter()
            .for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes.extend(list(ATTRIBUTE, attributes));
        bytes.extend([code, 0].map(u32::to_be_bytes).as_flattened());
        match self.wide {
            true => bytes.extend(begin.to_be_bytes()),
            false => bytes.extend((begin as u32).to_be_bytes()),
        }
        self.variables.push(bytes);
        self
    }

    pub(in crate::format) fn header(&self) -> Vec<u8> {
        let magic = [b'C', b'D', b'F', if self.wide { 2 } else { 1 }];
        [
            &magic[..],
            &self.records.to_be_bytes(),
            &list(DIMENSION, &self.dimensions),
            &list(ATTRIBUTE, &self.attributes),
            &list(VARIABLE, &self.variables),
        ]
        .concat()
    }

    /// The header, and values at their places.
    pub(in crate::format) fn with(&self, values: &[(usize, &[u8])]) -> Vec<u8> {
        let mut file = self.header();
        for (at, bytes) in values {
            assert!(*at >= self.header().len(), "values within the header");
            file.resize(file.len().max(at + bytes.len()), 0xEE);
            file[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        file
    }

    /// Byte of a variable's entry.
    pub(in crate::format) fn place(&self, number: usize) -> u64 {
        let ahead = Made {
            variables: Vec::new(),
            ..self.clone()
        };
        let before: usize = self.variables[..number].iter().map(Vec::len).sum();
        (ahead.header().len() + before) as u64
    }
}

fn fault(file: &[u8]) -> (ErrorKind, u64, String) {
    let error = read(&file).unwrap_err();
    (error.kind(), error.offset().unwrap(), error.to_string())
}

/// Two axes, records, and some attributes.
fn made() -> Made {
    let mut made = Made {
        records: 3,
        attributes: vec![
            text("history", "a\nb"),
            attribute("n", INT, 1, &[0, 0, 1, 0]),
        ],
        ..Made::default()
    }
    .dimension("time", 0)
    .dimension("x", 5);
    made = made.variable("x", &[1], &[doubles("step", &[0.5, -2.0])], (SHORT, 600));
    made.variable("slow", &[0, 1], &[], (BYTE, 700))
        .variable("one", &[0], &[], (FLOAT, 708))
}

#[test]
fn what_a_header_says() {
    for wide in [false, true] {
        let mut made = Made {
            wide,
            ..Made::default()
        };
        made.records = 3;
        made.attributes = vec![
            text("history", "a\nb"),
            attribute("bytes", BYTE, 3, &[1, 0xFF, 0x80]),
            attribute("shorts", SHORT, 2, &[0x80, 0, 0, 7]),
            attribute("ints", INT, 1, &[0xFF, 0xFF, 0xFF, 0xFE]),
            attribute("singles", FLOAT, 1, &0.1f32.to_be_bytes()),
            doubles("doubles", &[0.1, -2.0]),
            text("empty", ""),
        ];
        let far = if wide { 1 << 40 } else { u32::MAX.into() };
        let made = made.dimension("time", 0).dimension("x", 5).variable(
            "image",
            &[0, 1],
            &[text("signtype", "unsigned")],
            (SHORT, far),
        );
        let header = made.header();
        let file = [&header[..], &[0xEE; 9]].concat();
        let classic = read(&&file[..]).unwrap();
        assert_eq!(classic.raw, header);
        let dimensions = classic.dimensions.iter();
        let dimensions: Vec<_> = dimensions.map(|d| (&d.name[..], d.len)).collect();
        assert_eq!(dimensions, [("time", 3), ("x", 5)]);
        let values = classic.attributes.iter().map(|a| a.value.clone().text());
        let values: Vec<String> = values.collect();
        assert_eq!(
            values,
            [
                "a\nb",
                "1, -1, -128",
                "-32768, 7",
                "-2",
                "0.1",
                "0.1, -2",
                ""
            ]
        );
        let image = classic.variable("image").unwrap();
        assert_eq!(image.begin, far);
        assert_eq!(
            (image.at as u64, image.dtype),
            (made.place(0), DType::Int16)
        );
        assert_eq!(image.attributes[0].name, "signtype");
        assert_eq!(classic.shape(image), [3, 5]);
        // Alone in its records, it is not padded.
        assert_eq!(classic.step(image), Some(10));
        assert!(classic.variable("x").is_none());
    }
    let none = read(&&Made::default().header()[..]).unwrap();
    assert!(none.dimensions.is_empty() && none.variables.is_empty());
}

#[test]
fn long_headers_are_read_in_parts() {
    let mut made = made();
    for n in [FIRST - 100, FIRST, 5 * FIRST] {
        made.attributes.push(text("long", &"x".repeat(n)));
        let file = made.header();
        let classic = read(&&file[..]).unwrap();
        assert_eq!(classic.raw, file);
        let last = &classic.attributes.last().unwrap().value;
        assert_eq!(last.clone().text().len(), n);
    }
}

#[test]
fn values_lie_in_one_piece_or_in_records() {
    let made = made();
    let singles = [1.5f32, -2.0, 0.25].map(f32::to_be_bytes);
    let values: &[(usize, &[u8])] = &[
        (600, &[0, 1, 0, 2, 0, 3, 0, 4, 0xFF, 0xFF]),
        (700, &[1, 2, 3, 4, 5]),
        (708, &singles[0]),
        (712, &[6, 7, 8, 9, 10]),
        (720, &singles[1]),
        (724, &[11, 12, 13, 14, 0x80]),
        (732, &singles[2]),
    ];
    let file = made.with(values);
    let bytes = &&file[..];
    let classic = read(bytes).unwrap();
    let numbers = |name| {
        let variable = classic.variable(name).unwrap();
        classic.numbers(bytes, variable)
    };
    assert_eq!(numbers("x").unwrap(), [1.0, 2.0, 3.0, 4.0, -1.0]);
    assert_eq!(numbers("one").unwrap(), [1.5, -2.0, 0.25]);
    let slow = numbers("slow").unwrap();
    assert_eq!((slow.len(), slow[5], slow[14]), (15, 6.0, -128.0));
    assert_eq!(classic.step(classic.variable("one").unwrap()), Some(12));
    assert_eq!(classic.step(classic.variable("x").unwrap()), None);
    // A file that ends early.
    let bytes = &&file[..file.len() - 1];
    let one = classic.variable("one").unwrap();
    let error = classic.numbers(bytes, one).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(error.offset(), Some(735));
    assert!(error.to_string().contains("'one'"), "{error}");
    let error = classic.numbers(&&file[..0], one).unwrap_err();
    assert_eq!(error.offset(), Some(708));
}

#[test]
fn a_lone_variable_is_not_padded_in_its_records() {
    let made = Made {
        records: 2,
        ..Made::default()
    };
    let made = made.dimension("time", 0).dimension("x", 3);
    let made = made.variable("slow", &[0, 1], &[], (BYTE, 200));
    let file = made.with(&[(200, &[1, 2, 3, 4, 5, 6])]);
    let classic = read(&&file[..]).unwrap();
    let slow = classic.variable("slow").unwrap();
    assert_eq!(classic.step(slow), Some(3));
    let numbers = classic.numbers(&&file[..], slow).unwrap();
    assert_eq!(numbers, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn errors_name_their_bytes() {
    let good = made().header();
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        fault(&file)
    };
    let first = made().place(0) as usize;
    // Name, rank, number, two numbers of the list, name and two numbers of the
    // attribute.
    let (rank, dimension, attributes, kind) = (first + 8, first + 12, first + 16, first + 32);
    for (at, bytes, wanted, part) in [
        (4, &[0xFF; 4][..], 4, "not closed"),
        (8, &[0, 0, 0, 11], 8, "tag 11 stands where 10 should"),
        (8, &[0, 0, 0, 0], 8, "tag 0 stands"),
        (8, &[0xFF; 4], 8, "tag 4294967295"),
        (dimension, &[0, 0, 0, 2], first, "'x' has dimension 2 of 2"),
        (dimension, &[0x80, 0, 0, 0], first, "dimension 2147483648"),
        (attributes, &[0, 0, 0, 10], attributes, "where 12 should"),
        (kind, &[0, 0, 0, 0], kind, "nc_type 0"),
        (kind, &[0, 0, 0, 7], kind, "nc_type 7"),
        (0, b"CDF\x03", 0, "no NetCDF"),
        (0, b"\x89HDF", 0, "no NetCDF"),
    ] {
        let (found, offset, reason) = changed(at, bytes);
        assert_eq!(
            (found, offset),
            (ErrorKind::Header, wanted as u64),
            "{reason}"
        );
        assert!(reason.contains(part), "{reason}");
    }
    // More items than the header can have, or its list has.
    for at in [12, attributes + 4, kind + 4, rank] {
        let (found, offset, reason) = changed(at, &[0xFF; 4]);
        assert_eq!((found, offset), (ErrorKind::Header, at as u64), "{reason}");
        let (found, ..) = changed(at, &[0, 0, 0, 99]);
        assert!(matches!(found, ErrorKind::Header | ErrorKind::Truncated));
    }
    // A name that is as long as all that there is.
    let (found, offset, reason) = changed(16, &[0xFF; 4]);
    assert_eq!((found, offset), (ErrorKind::Header, 20), "{reason}");
    let (found, offset, _) = changed(16, &[0, 0, 0x7F, 0xFF]);
    assert_eq!((found, offset), (ErrorKind::Truncated, 20));
    // Records are the first axis or none.
    let (found, offset, reason) = fault(&made().variable("y", &[1, 0], &[], (BYTE, 9)).header());
    assert_eq!(
        (found, offset),
        (
            ErrorKind::Header,
            made().variable("y", &[], &[], (BYTE, 9)).place(3)
        ),
        "{reason}"
    );
    let error = read(&&b"CDF\x05\0\0\0\0"[..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for len in 4..good.len() {
        let (found, offset, reason) = fault(&good[..len]);
        assert_eq!(found, ErrorKind::Truncated);
        assert!(offset <= len as u64 && reason.contains(&format!("after {len} bytes")));
    }
}

/// A header that goes on for ever.
struct Endless(Vec<u8>);

impl Bytes for Endless {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let byte = |i| self.0.get(i).copied().unwrap_or(0);
        Ok((offset as usize..offset as usize + len).map(byte).collect())
    }

    fn most(&self) -> Option<u64> {
        None
    }

    fn inflated(&self, _stream: &[u8], _most: usize) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }
}

#[test]
fn headers_have_their_limits() {
    let start = |tag: u32, count: u32| {
        let numbers = [3u32, tag, count].map(u32::to_be_bytes);
        Endless([&b"CDF\x01"[..], numbers.as_flattened()].concat())
    };
    let items = MOST_ITEMS as u32;
    let most = read(&start(DIMENSION, items)).unwrap();
    assert_eq!(most.dimensions.len(), MOST_ITEMS);
    let error = read(&start(DIMENSION, items + 1)).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Header, Some(12))
    );
    // Those of all lists together.
    let mut made = made();
    made.variables.clear();
    for (count, fits) in [(items - 3, true), (items - 2, false)] {
        let values = vec![0; count as usize];
        made.attributes = vec![attribute("a", BYTE, count, &values)];
        assert_eq!(read(&&made.header()[..]).is_ok(), fits, "{count}");
    }
    // A name as long as a header can be, and a longer one.
    let len = MOST as u32;
    for (len, fits) in [(len / 2, true), (len, false), (u32::MAX, false)] {
        let mut file = start(DIMENSION, 1);
        file.0.extend(len.to_be_bytes());
        match read(&file) {
            Ok(classic) => assert!(fits && classic.dimensions[0].name.is_empty()),
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(
                    (error.kind(), error.offset()),
                    (ErrorKind::Header, Some(20))
                );
            }
        }
    }
}

#[test]
fn sizes_that_pass_all_limits() {
    let made = Made {
        records: 3,
        ..Made::default()
    };
    let far = made.dimension("time", 0).dimension("x", u32::MAX);
    // Fixed ones are looked at when they are read; those in records at once.
    let fixed = far.clone().variable("v", &[1; 9], &[], (BYTE, 300));
    let file = fixed.header();
    let classic = read(&&file[..]).unwrap();
    let error = classic
        .numbers(&&file[..], &classic.variables[0])
        .unwrap_err();
    assert_eq!(error.offset(), Some(fixed.place(0)));
    let slow = far.variable("ok", &[0, 1], &[], (BYTE, 300));
    assert!(read(&&slow.header()[..]).is_ok());
    let one = slow.clone().variable("v", &[0, 1, 1], &[], (DOUBLE, 300));
    let (found, offset, reason) = fault(&one.header());
    assert_eq!((found, offset), (ErrorKind::Header, one.place(1)));
    assert!(reason.contains("'v' pass 2^63"), "{reason}");
    // Too many only together.
    let made = Made {
        records: 1,
        ..Made::default()
    };
    let half = made.dimension("time", 0).dimension("x", 1 << 31);
    let half = half.variable("v", &[0, 1, 1], &[], (BYTE, 300));
    assert!(read(&&half.header()[..]).is_ok());
    let whole = half.variable("w", &[0, 1, 1], &[], (BYTE, 300));
    assert_eq!(fault(&whole.header()).1, whole.place(1));
}
