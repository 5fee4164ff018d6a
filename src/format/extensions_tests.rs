use super::super::{Choices, Parts, Wish};
use super::*;
use crate::error::ErrorKind;

/// A header of either version whose data begin at a byte.
fn header(version: i32, order: ByteOrder, data: i64) -> Vec<u8> {
    let size = if version == 1 { 348 } else { 540 };
    let mut head = vec![0; size as usize];
    let mut put = |at: usize, size: usize, value: i64| {
        let bytes = match order {
            ByteOrder::Little => value.to_le_bytes()[..size].to_vec(),
            ByteOrder::Big => value.to_be_bytes()[8 - size..].to_vec(),
        };
        head[at..at + size].copy_from_slice(&bytes);
    };
    put(0, 4, size);
    if version == 1 {
        put(40, 2, 1);
        put(108, 4, i64::from((data as f32).to_bits()));
    } else {
        put(16, 8, 1);
        put(168, 8, data);
    }
    head
}

/// Size and code of an extension, and as many bytes as it has.
fn extension_of(order: ByteOrder, size: i32, code: i32, content: usize) -> Vec<u8> {
    let head = [size, code].map(|n| match order {
        ByteOrder::Little => n.to_le_bytes(),
        ByteOrder::Big => n.to_be_bytes(),
    });
    [head.as_flattened(), &vec![7; content]].concat()
}

const FORMATS: [(Format, i32); 4] = [
    (Format::Nifti1, 1),
    (Format::Nifti2, 2),
    (Format::Nifti1Pair, 1),
    (Format::Nifti2Pair, 2),
];
const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

fn list(format: Format, header: &[u8], file: &[u8]) -> Result<Vec<Extension>> {
    extensions(&file, format, header)
}

/// What a file has whose extensions are these bytes, with data behind them if
/// it is a single one.
fn of(format: Format, version: i32, order: ByteOrder, list: &[u8]) -> Result<Vec<(i32, u64, u64)>> {
    let start = [352, 544][version as usize - 1];
    let head = header(version, order, start + list.len() as i64);
    let data = if format.is_single() { 50 } else { 0 };
    let file = [&head, &[1, 0, 0, 0][..], list, &vec![1; data]].concat();
    let found = self::list(format, &head, &file)?;
    let told = |e: &Extension| (e.code, e.offset - start as u64, e.size);
    Ok(found.iter().map(told).collect())
}

#[test]
fn lists() {
    for (format, version) in FORMATS {
        for order in ORDERS {
            let one = |size, code| extension_of(order, size, code, size as usize - 8);
            let of = |list: &[u8]| of(format, version, order, list).unwrap();
            assert_eq!(of(&[]), []);
            assert_eq!(of(&one(16, 6)), [(6, 8, 8)]);
            // Sizes that are no multiple of 16 are taken as they are.
            let three = [one(32, 6), one(21, -4), one(8, 0), one(16, 44)].concat();
            let wanted = [(6, 8, 24), (-4, 40, 13), (0, 61, 0), (44, 69, 8)];
            assert_eq!(of(&three), wanted);
            // Padding, and what is too short for another.
            assert_eq!(of(&[one(32, 6), vec![0; 48]].concat()), wanted[..1]);
            assert_eq!(of(&[one(32, 6), vec![9; 7]].concat()), wanted[..1]);
        }
    }
}

/// NiBabel looks for 16 bytes in a single file only.
#[test]
fn the_last_may_be_short_in_a_pair() {
    for (format, version) in FORMATS {
        let list = extension_of(ByteOrder::Little, 8, 6, 0);
        let found = of(format, version, ByteOrder::Little, &list).unwrap();
        assert_eq!(found.len(), usize::from(!format.is_single()));
    }
}

#[test]
fn flags_that_tell_of_none() {
    for (format, version) in FORMATS {
        let head = header(version, ByteOrder::Little, 4000);
        let one = extension_of(ByteOrder::Little, 32, 6, 24);
        for flags in [&[0, 1, 1, 1][..], &[0; 4], &[1, 0, 0], &[]] {
            let rest = if flags.len() == 4 { &one[..] } else { &[] };
            let file = [&head, flags, rest].concat();
            assert_eq!(list(format, &head, &file).unwrap(), []);
        }
    }
}

#[test]
fn sizes_that_cannot_be() {
    for (format, version) in FORMATS {
        for order in ORDERS {
            let start = [352, 544][version as usize - 1];
            let good = extension_of(order, 16, 6, 8);
            for size in [-1, 0, 7, i32::MIN, 33, 4096, i32::MAX] {
                let list = [good.clone(), extension_of(order, size, 4, 24)].concat();
                let error = of(format, version, order, &list).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Header, "{format:?} {size}");
                assert_eq!(error.offset(), Some(start + 16), "{error}");
                assert!(error.to_string().contains("extension 1"), "{error}");
            }
        }
    }
}

/// Data that begin inside the header leave no room for extensions.
#[test]
fn no_room() {
    for version in [1, 2] {
        let format = [Format::Nifti1, Format::Nifti2][version as usize - 1];
        let start = [352, 544][version as usize - 1];
        for data in [0, 1, start - 1, start, start + 15] {
            let head = header(version, ByteOrder::Little, data);
            let one = extension_of(ByteOrder::Little, 16, 6, 8);
            let file = [&head, &[1, 0, 0, 0][..], &one, &one].concat();
            assert_eq!(list(format, &head, &file).unwrap(), [], "{data}");
        }
    }
}

/// The data should begin far behind the end of the file.
#[test]
fn a_file_cut_short() {
    let head = header(1, ByteOrder::Little, 1 << 40);
    let one = |size, content| extension_of(ByteOrder::Little, size, 6, content);
    let file = |list: &[u8]| [&head, &[1, 0, 0, 0][..], list].concat();
    let found = list(Format::Nifti1, &head, &file(&one(32, 24))).unwrap();
    assert_eq!(found.len(), 1);
    let error = list(Format::Nifti1, &head, &file(&one(32, 23))).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Header, Some(352))
    );
}

#[test]
fn too_many() {
    for count in [MOST, MOST + 1] {
        let many = extension_of(ByteOrder::Little, 16, 6, 8).repeat(count);
        let found = of(Format::Nifti1Pair, 1, ByteOrder::Little, &many);
        match found {
            Ok(list) => assert_eq!((count, list.len()), (MOST, MOST)),
            Err(error) => {
                assert_eq!((count, error.kind()), (MOST + 1, ErrorKind::Header));
                assert_eq!(error.offset(), Some(352 + 16 * MOST as u64));
            }
        }
    }
}

/// Other formats have none, whatever stands behind their headers.
#[test]
fn formats_without() {
    for format in [Format::Analyze, Format::Spm99, Format::Spm2, Format::Mgh] {
        let head = header(1, ByteOrder::Little, 400);
        let file = [&head, &[1; 100][..]].concat();
        assert_eq!(list(format, &head, &file).unwrap(), []);
    }
    assert_eq!(list(Format::Layout, &[], &[]).unwrap(), []);
}

/// What a single file's header says of its data is what the parser made of it.
#[test]
fn the_end_is_where_data_begin() {
    let mut head = header(1, ByteOrder::Little, 400);
    head[344..348].copy_from_slice(b"n+1\0");
    head[70] = 2;
    let file = [&head, &[0; 100][..]].concat();
    let wish = Wish {
        format: None,
        named: None,
        parts: Parts::Single,
        strict: false,
        choices: Choices::default(),
    };
    let found = super::super::read(&&file[..], wish).unwrap().unwrap();
    let place = nifti::extension_place(found.format, &found.raw)
        .unwrap()
        .unwrap();
    assert_eq!(place.end, found.layout.offset());
}
