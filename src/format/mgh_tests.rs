//! MGH headers, footers and tags.

use super::*;
use crate::error::ErrorKind;
use crate::format::affine::Which;
use crate::format::{self, Choices, Parts, Wish};

/// A file of int16 in a shape, up to the end of its data.
fn made(dims: [i32; 4]) -> Vec<u8> {
    let mut file = vec![0; SIZE];
    let fields = [VERSION, dims[0], dims[1], dims[2], dims[3], 4];
    for (i, value) in fields.into_iter().enumerate() {
        put(&mut file, 4 * i, value.to_be_bytes());
    }
    let count: i32 = dims.iter().product();
    file.resize(SIZE + 2 * count.max(0) as usize, 7);
    file
}

fn put<const N: usize>(file: &mut [u8], at: usize, bytes: [u8; N]) {
    file[at..at + N].copy_from_slice(&bytes);
}

fn read_as(file: &[u8], format: Option<Format>, named: bool) -> Result<Option<Header>> {
    let wish = Wish {
        format,
        named: named.then_some(Format::Mgh),
        parts: Parts::Unknown,
        strict: true,
        choices: Choices::default(),
    };
    format::read(&file, wish)
}

fn fault(file: &[u8]) -> u64 {
    let error = read_as(file, Some(Format::Mgh), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Header);
    error.offset().unwrap()
}

#[test]
fn found_by_content_size_and_name() {
    let file = made([3, 4, 5, 2]);
    let header = read_as(&file, None, false).unwrap().unwrap();
    assert_eq!(
        (header.format, header.layout.shape),
        (Format::Mgh, vec![3, 4, 5, 2])
    );
    let whole = |file: &[u8], named| read_as(file, None, named).unwrap().is_some();
    assert!(
        !whole(&file[..file.len() - 1], false),
        "too short to be one"
    );
    assert!(whole(&file[..file.len() - 1], true));
    let mut other = file.clone();
    other[3] = 2;
    assert!(!whole(&other, false));
    assert_eq!(read_as(&other, None, true).unwrap_err().offset(), Some(0));
    assert!(read_as(b"", None, true).unwrap().is_none());
    // Where both match, the name decides.
    let mut both = file;
    put(&mut both, 344, *b"n+1\0");
    let error = read_as(&both, None, false).unwrap_err();
    assert!(error.to_string().contains("sizeof_hdr"), "{error}");
    assert_eq!(
        read_as(&both, None, true).unwrap().unwrap().format,
        Format::Mgh
    );
}

#[test]
fn types_and_shapes() {
    for (code, dtype) in TYPES {
        let mut file = made([2, 3, 4, 1]);
        put(&mut file, TYPE_AT, code.to_be_bytes());
        let header = read_as(&file, Some(Format::Mgh), false).unwrap().unwrap();
        let layout = &header.layout;
        assert_eq!((layout.dtype, &layout.shape[..]), (dtype, &[2, 3, 4][..]));
        assert_eq!(
            (header.meanings[0].byte_order, layout.offset()),
            (ByteOrder::Big, Some(284))
        );
    }
    let mut file = made([2, 3, 4, 1]);
    put(&mut file, TYPE_AT, 2i32.to_be_bytes());
    assert_eq!(fault(&file), 20);
    for (axis, dim) in [(0, 0), (1, -1), (2, i32::MIN), (3, 0)] {
        let mut file = made([2, 3, 4, 1]);
        put(&mut file, DIMS_AT + 4 * axis, i32::to_be_bytes(dim));
        assert_eq!(fault(&file), 4 + 4 * axis as u64);
    }
    let mut file = made([1, 1, 1, 1]);
    for axis in 0..4 {
        put(&mut file, DIMS_AT + 4 * axis, i32::MAX.to_be_bytes());
    }
    assert_eq!(fault(&file), 4);
    assert_eq!(fault(&file[..283]), 283);
}

#[test]
fn affines() {
    let mut file = made([4, 5, 6, 1]);
    let affine = |file: &[u8]| {
        let header = read_as(file, None, false).unwrap().unwrap();
        (header.affine.get(Which::Best).unwrap().1, header.zooms)
    };
    // Not set: coronal slices of 1 mm.
    let coronal = [
        [-1.0, 0.0, 0.0, 2.0],
        [0.0, 0.0, -1.0, 3.0],
        [0.0, 1.0, 0.0, -2.5],
    ];
    put(&mut file, DELTA_AT, 9f32.to_be_bytes());
    let (matrix, zooms) = affine(&file);
    assert_eq!((&matrix[..3], &zooms[..]), (&coronal[..], &[1.0; 3][..]));
    file[GOOD_RAS_AT + 1] = 1;
    let floats = [
        2.0, 3.0, 4.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 10.0, 20.0, 30.0f32,
    ];
    for (i, value) in floats.into_iter().enumerate() {
        put(&mut file, DELTA_AT + 4 * i, value.to_be_bytes());
    }
    let (matrix, zooms) = affine(&file);
    let rows = [
        [0.0, 3.0, 0.0, 2.5],
        [2.0, 0.0, 0.0, 16.0],
        [0.0, 0.0, -4.0, 42.0],
    ];
    assert_eq!(
        (&matrix[..3], &zooms[..]),
        (&rows[..], &[2.0, 3.0, 4.0][..])
    );
}

#[test]
fn footers_and_tags() {
    let mut file = made([2, 2, 2, 2]);
    let end = file.len() as u64;
    assert_eq!(footer(&&file[..], end).unwrap(), Footer::default());
    file.extend(2000f32.to_be_bytes());
    assert_eq!(footer(&&file[..], end).unwrap().tr, 2000.0);
    for value in [0.5, 3.5, 900.0, 256f32] {
        file.extend(value.to_be_bytes());
    }
    let command = b"mri_convert a b\0";
    file.extend(3i32.to_be_bytes());
    file.extend((command.len() as i64).to_be_bytes());
    file.extend(command);
    file.extend([30i32.to_be_bytes(), 4i32.to_be_bytes()].concat());
    file.extend(b"xyz");
    let found = footer(&&file[..], end).unwrap();
    assert_eq!(
        (found.flip_angle, found.te, found.ti, found.fov),
        (0.5, 3.5, 900.0, 256.0)
    );
    let offset = end + 20 + 12;
    let tags = [
        Tag {
            code: 3,
            offset,
            size: 16,
        },
        Tag {
            code: 30,
            offset: offset + 16 + 8,
            size: 3,
        },
    ];
    assert_eq!(found.tags, tags);
    // A tag whose head is cut is none, nor is anything behind a cut footer.
    for cut in 1..12 {
        let file = [&file[..], &[0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0][..cut]].concat();
        assert_eq!(footer(&&file[..], end).unwrap().tags, tags, "{cut}");
    }
    assert_eq!(footer(&&file[..end as usize + 19], end).unwrap().tags, []);
    // What cannot be a tag ends them.
    for wrong in [
        [5, 0, 99],
        [0, 0, 0],
        [-3, 0, 0],
        [7, -1, -1],
        [7, 0x7FFF_FFFF, -1],
    ] {
        let wrong = wrong.map(i32::to_be_bytes).concat();
        let file = [&file[..], &wrong, &[0; 8]].concat();
        assert_eq!(footer(&&file[..], end).unwrap().tags, tags);
    }
    let endless = [
        &file[..],
        &[2i32.to_be_bytes(), 3i32.to_be_bytes()].concat(),
        &[0; 99],
    ]
    .concat();
    let found = footer(&&endless[..], end).unwrap();
    assert_eq!((found.tags.len(), found.tags[2].code), (3, 2));
    let many = [
        &file[..],
        &[0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0].repeat(5000),
    ]
    .concat();
    assert_eq!(footer(&&many[..], end).unwrap().tags.len(), MOST_TAGS);
}

/// Bytes of a compressed file come once, in their order.
struct Forward<'a>(&'a [u8], std::cell::Cell<u64>);

impl Bytes for Forward<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        assert!(offset >= self.1.get(), "back to {offset}");
        let bytes = self.0.bytes_at(offset, len)?;
        self.1.set(offset + bytes.len() as u64);
        Ok(bytes)
    }
    fn most(&self) -> Option<u64> {
        None
    }
    fn inflated(&self, stream: &[u8], most: usize) -> Result<Vec<u8>> {
        self.0.inflated(stream, most)
    }
}

#[test]
fn tags_are_gone_through_once() {
    let short = [0, 0, 0, 30, 0, 0, 0, 3, b'a', b'b'];
    let long = [0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, b'c'];
    let file = [&[0; 20][..], &short, &long, &short].concat();
    let found = footer(&Forward(&file, Default::default()), 0).unwrap();
    let sizes: Vec<u64> = found.tags.iter().map(|tag| tag.size).collect();
    assert_eq!(sizes, [2, 1, 2]);
}
