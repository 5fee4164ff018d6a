//! ECAT's main header, directory and subheaders.

use super::*;
use crate::format::affine::Which;
use crate::format::{self, Choices, Parts, Wish};

/// A frame: matrix id, the subheader's block, scale factor.
type Frame = (i32, i32, f32);

/// A file of int16 of 2 by 3 by 4, big-endian, with the frames in one block of the
/// directory.
fn made(frames: &[Frame]) -> Vec<u8> {
    let mut file = vec![0; 2 * BLOCK];
    put(&mut file, 0, *b"MATRIX72v");
    put(&mut file, SW_VERSION_AT, 74u16.to_be_bytes());
    put(&mut file, FILE_TYPE_AT, 7u16.to_be_bytes());
    put(&mut file, CALIBRATION_AT, 0.37f32.to_be_bytes());
    put(&mut file, ORIENTATION_AT, 8u16.to_be_bytes());
    put(
        &mut file,
        NUM_FRAMES_AT,
        (frames.len() as u16).to_be_bytes(),
    );
    let used = frames.len() as i32;
    list(&mut file, DIRECTORY, [ENTRIES - used, 2, 0, used]);
    for (i, &(id, block, scale)) in frames.iter().enumerate() {
        list_at(
            &mut file,
            BLOCK + (i + 1) * ENTRY,
            [id, block, block + 1, 1],
        );
        if block > DIRECTORY {
            add_frame(&mut file, block, scale);
        }
    }
    file
}

fn add_frame(file: &mut Vec<u8>, block: i32, scale: f32) {
    let at = start_of(block) as usize;
    file.resize(file.len().max(at + 2 * BLOCK), 7);
    let fields = [6u16, 3, 2, 3, 4];
    for (i, value) in fields.into_iter().enumerate() {
        put(file, at + 2 * i, value.to_be_bytes());
    }
    put(file, at + SCALE_AT, scale.to_be_bytes());
    for (i, value) in [0.1f32, 0.2, 0.3].into_iter().enumerate() {
        put(file, at + PIXEL_SIZES_AT + 4 * i, value.to_be_bytes());
        put(file, at + OFFSETS_AT + 4 * i, (10.0 * value).to_be_bytes());
    }
}

fn put<const N: usize>(file: &mut [u8], at: usize, bytes: [u8; N]) {
    file[at..at + N].copy_from_slice(&bytes);
}

fn list_at(file: &mut [u8], at: usize, row: [i32; 4]) {
    for (i, value) in row.into_iter().enumerate() {
        put(file, at + 4 * i, value.to_be_bytes());
    }
}

/// The row before the entries of a directory's block.
fn list(file: &mut [u8], block: i32, row: [i32; 4]) {
    list_at(file, start_of(block) as usize, row);
}

fn read_as(
    file: &[u8],
    format: Option<Format>,
    named: bool,
    strict: bool,
) -> Result<Option<Header>> {
    let wish = Wish {
        format,
        named: named.then_some(Format::Ecat),
        parts: Parts::Unknown,
        strict,
        choices: Choices::default(),
    };
    format::read(&file, wish)
}

fn header(file: &[u8]) -> Header {
    read_as(file, None, false, false).unwrap().unwrap()
}

fn fault(file: &[u8]) -> (ErrorKind, u64) {
    let error = read_as(file, Some(Format::Ecat), false, false).unwrap_err();
    (error.kind(), error.offset().unwrap())
}

fn offsets(header: &Header) -> Vec<u64> {
    let blocks = header.layout.blocks.iter();
    blocks.map(|block| block.offset).collect()
}

#[test]
fn found_by_magic_or_by_name_and_directory() {
    let mut file = made(&[(1, 3, 1.0)]);
    assert_eq!(header(&file).format, Format::Ecat);
    put(&mut file, 0, [0; 9]);
    let found = |file: &[u8], named| read_as(file, None, named, true).unwrap().is_some();
    assert!(!found(&file, false) && found(&file, true));
    put(&mut file, SW_VERSION_AT, 70u16.to_be_bytes());
    assert!(found(&file, true));
    for (at, value) in [(SW_VERSION_AT, 69u16), (SW_VERSION_AT, 75), (BLOCK + 2, 29)] {
        let mut other = file.clone();
        put(&mut other, at, value.to_be_bytes());
        assert!(!found(&other, true), "{at}");
        assert!(!found(b"module counter(input clock);", true));
    }
}

#[test]
fn frames_are_sorted_and_unused_ones_skipped() {
    let frames = [
        (9, 7, 1.5),
        (0, 0, 0.0),
        (4, 3, 2.5),
        (-1, 5, 0.0),
        (7, 5, 0.5),
    ];
    let header = header(&made(&frames));
    assert_eq!(header.layout.shape, [2, 3, 4, 3]);
    assert_eq!(offsets(&header), [1536, 2560, 3584]);
    let factors = header.meanings.iter().map(|meaning| meaning.factors);
    assert_eq!(
        factors.clone().map(|f| f.more).collect::<Vec<_>>(),
        [2.5, 0.5, 1.5]
    );
    assert!(
        factors
            .clone()
            .all(|f| f.slope == f64::from(0.37f32) && f.arithmetic == Arithmetic::AsStored)
    );
    assert_eq!(header.zooms, [1.0, 2.0, f64::from(0.3f32 * 10.0), 1.0]);
    let affine = header.affine.get(Which::Best).unwrap().1;
    assert_eq!(affine[0], [1.0, 0.0, 0.0, 0.5]);
    assert_eq!(affine[1], [0.0, 2.0, 0.0, 0.0]);
    assert!(header.notes.texts[0].contains("num_frames is 5"));
}

#[test]
fn orientations_reverse_axes() {
    for (code, strides, first) in [
        (8u16, [2, 4, 12], 0),
        (9, [2, 4, 12], 0),
        (0, [2, -4, -12], 44),
        (6, [2, -4, -12], 44),
        (1, [-2, -4, -12], 46),
        (7, [-2, -4, -12], 46),
    ] {
        let mut file = made(&[(1, 3, 1.0)]);
        put(&mut file, ORIENTATION_AT, code.to_be_bytes());
        let header = header(&file);
        assert_eq!(header.layout.strides[..3], strides, "{code}");
        assert_eq!(offsets(&header), [1536 + first]);
        assert_eq!(header.layout.end_of(0), 1536 + 48);
    }
}

#[test]
fn the_directory_goes_on_in_other_blocks() {
    let mut file = made(&[(2, 4, 1.0)]);
    put(&mut file, NUM_FRAMES_AT, 2u16.to_be_bytes());
    // Into the block behind the frame, and into one without entries.
    list(&mut file, 2, [30, 6, 0, 1]);
    file.resize(7 * BLOCK, 0);
    list(&mut file, 6, [31, 7, 2, 0]);
    list(&mut file, 7, [30, 2, 6, 1]);
    list_at(&mut file, 6 * BLOCK + ENTRY, [1, 8, 9, 1]);
    add_frame(&mut file, 8, 3.0);
    assert_eq!(offsets(&header(&file)), [4096, 2048]);
    for next in [1, 0, -1, i32::MIN] {
        list(&mut file, 7, [30, next, 6, 1]);
        assert_eq!(header(&file).layout.shape[3], 2, "{next}");
    }
}

/// A compressed file.
struct Packed<'a>(&'a [u8]);

impl Bytes for Packed<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        self.0.bytes_at(offset, len)
    }

    fn most(&self) -> Option<u64> {
        None
    }

    fn is_packed(&self) -> bool {
        true
    }

    fn inflated(&self, stream: &[u8], most: usize) -> Result<Vec<u8>> {
        self.0.inflated(stream, most)
    }
}

#[test]
fn directories_go_back_a_few_times() {
    for (blocks, is_good) in [(18, true), (20, false)] {
        let mut file = made(&[(1, 4, 1.0)]);
        put(&mut file, NUM_FRAMES_AT, 30u16.to_be_bytes());
        file.resize(60 * BLOCK, 0);
        // Forth and back.
        let place = |i: i32| if i % 2 == 0 { 10 + i } else { 40 - i };
        list(&mut file, 2, [30, place(0), 0, 1]);
        for i in 0..blocks {
            let next = if i + 1 < blocks { place(i + 1) } else { 2 };
            list(&mut file, place(i), [31, next, 0, 0]);
        }
        assert!(read(&&file[..], false).is_ok());
        let read = read(&Packed(&file), false);
        assert_eq!(read.is_ok(), is_good, "{:?}", read.err());
    }
}

#[test]
fn hostile_directories() {
    let good = made(&[(1, 4, 1.0), (2, 6, 1.0)]);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut file = good.clone();
        change(&mut file);
        fault(&file)
    };
    let header_at = |at| (ErrorKind::Header, at);
    for row in [
        [30, 2, 0, 2],
        [0, 2, 0, 0],
        [36, 2, 0, -5],
        [-1, 2, 0, 32],
        [i32::MAX, 2, 0, i32::MIN],
        [29, 1 << 30, 0, 2],
    ] {
        let at = if row[1] == 2 {
            BLOCK
        } else {
            (1 << 39) - BLOCK
        };
        let got = with(&|file| list(file, 2, row));
        assert_eq!(got, header_at(at as u64), "{row:?}");
    }
    // In circles, with and without entries.
    let circle = |used: i32| {
        with(&|file| {
            list(file, 2, [31 - used, 3, 0, used]);
            list(file, 3, [31, 3, 0, 0]);
        })
    };
    assert_eq!(circle(0), header_at(1024));
    assert_eq!(circle(2), header_at(1024));
    let more = with(&|file| put(file, NUM_FRAMES_AT, 1u16.to_be_bytes()));
    assert_eq!(more, header_at(NUM_FRAMES_AT as u64));
    assert_eq!(with(&|file| list(file, 2, [31, 2, 0, 0])), header_at(512));
    for block in [2, 1, 0, -7] {
        let got = with(&|file| list_at(file, BLOCK + 2 * ENTRY, [3, block, 0, 1]));
        assert_eq!(got, header_at(544), "{block}");
    }
    assert_eq!(fault(&good[..511]), header_at(511));
    assert_eq!(fault(&good[..1023]), header_at(512));
    assert_eq!(fault(&good[..1600]), header_at(1536));
}

#[test]
fn frames_have_to_be_alike() {
    let file = made(&[(2, 3, 1.0), (1, 5, 1.0)]);
    for (at, value) in [(2048, 5u16), (2052, 3), (2054, 4), (2056, 0)] {
        let mut other = file.clone();
        put(&mut other, at, value.to_be_bytes());
        assert_eq!(fault(&other), (ErrorKind::Unsupported, 2048));
        let error = read_as(&other, None, false, false).unwrap_err();
        assert!(error.to_string().contains("frame 0 "), "{error}");
    }
    let mut other = file.clone();
    put(&mut other, 2048, 8u16.to_be_bytes());
    assert_eq!(fault(&other), (ErrorKind::Header, 2048));
    // The same type by another code; another place.
    put(&mut other, 2048, 2u16.to_be_bytes());
    put(&mut other, 2048 + OFFSETS_AT, 5f32.to_be_bytes());
    let header = header(&other);
    assert!(header.notes.texts[0].contains("affines differ"));
    assert_eq!(header.affine.get(Which::Best).unwrap().1[0][3], 0.5);
}

#[test]
fn what_is_odd_is_noted() {
    let mut file = made(&[(1, 3, 1.0)]);
    put(&mut file, FILE_TYPE_AT, 11u16.to_be_bytes());
    assert!(header(&file).notes.texts[0].contains("file_type is 11"));
    let mut file = made(&[(1, 3, 1.0)]);
    put(&mut file, 1024, 4u16.to_be_bytes());
    assert!(header(&file).notes.texts[0].contains("VAX"));
    let error = read_as(&file, None, false, true).unwrap_err();
    assert_eq!(error.offset(), Some(1024));
}

#[test]
fn frames_behind_the_end_are_counted() {
    let file = made(&[(1, 3, 1.0), (3, 5, 2.0), (2, 7, 3.0)]);
    let cut = &file[..start_of(5) as usize + 300];
    let header = header(cut);
    assert_eq!(header.layout.shape[3], 3);
    let text = &header.notes.texts[0];
    assert!(
        text.contains("of 2 frames") && text.contains("frame 1 "),
        "{text}"
    );
    let error = read_as(cut, None, false, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert_eq!(error.offset(), Some(start_of(5)));
}
