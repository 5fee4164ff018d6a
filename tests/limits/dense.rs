//! Headers that are small where they are compressed, and hold much.

use std::time::{Duration, Instant};

use arrayproxy::{ArrayProxy, ByteOrder, Error, ErrorKind, Options, Source};

use crate::common::{afni, ecat, gzip, nifti1, parrec};
use crate::{most_held, open_as};

#[test]
fn a_dense_header_without_its_image_costs_nothing() {
    let mut head = nifti1(&[4, 4], 4, 16, (1.0, 0.0), false);
    head[108..112].copy_from_slice(&3e7f32.to_le_bytes());
    head.resize(32 << 20, 0);
    let packed = gzip(&head);
    let (opened, held) = most_held(|| open_as(packed, None, false));
    assert!(opened.is_none());
    assert!(held < 1 << 20, "{held} bytes");
}

/// A NetCDF header whose lists and attributes go on for ever, of zeros.
#[test]
fn a_dense_header_of_netcdf_takes_little() {
    let start = |numbers: &[u32]| {
        let mut head = b"CDF\x01\0\0\0\0".to_vec();
        numbers.iter().for_each(|n| head.extend(n.to_be_bytes()));
        head.resize(64 << 20, 0);
        head
    };
    let absent = [0, 0];
    let history = [&absent[..], &[12, 1, 1, 0, 2, 60 << 20]].concat();
    for (numbers, most) in [
        // Dimensions, attributes, variables; numbers of an attribute, a text.
        (&[10, u32::MAX][..], 1 << 20),
        (&[10, 1 << 17], 32 << 20),
        (&[0, 0, 12, 1 << 17], 64 << 20),
        (&[0, 0, 0, 0, 11, 1 << 17], 64 << 20),
        (&[0, 0, 12, 1, 1, 0, 1, 60 << 20], 1 << 20),
        (&history, 32 << 20),
    ] {
        let packed = gzip(&start(numbers));
        assert!(packed.len() < 100_000, "{}", packed.len());
        let begin = Instant::now();
        let (opened, held) = most_held(|| open_as(packed, None, false));
        assert!(opened.is_none());
        assert!(held < most, "{numbers:?}: {held} bytes");
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(1), "{numbers:?}: {took:?}");
    }
}

/// A header of text beside an image of a few bytes, which opens or not within
/// limits.
fn open_text(text: Vec<u8>, most: usize) -> Result<ArrayProxy, Error> {
    let packed = gzip(&text);
    drop(text);
    assert!(packed.len() < 1 << 20, "{}", packed.len());
    let (header, image) = (Source::memory(packed), Source::memory(vec![1; 100]));
    let begin = Instant::now();
    let (opened, held) =
        most_held(|| ArrayProxy::open_source(&header, Some(&image), &Options::new()));
    assert!(held < most, "{held} bytes");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    opened
}

/// Twice the text, which grows in a vector, and what limits allow.
fn room_for(text: &[u8]) -> usize {
    2 * text.len().next_power_of_two() + (48 << 20)
}

#[test]
fn dense_headers_of_afni_take_little() {
    let bricks = 4_000_000;
    let factors = afni([1, 1, 1, bricks], 0, &"1 2 ".repeat(bricks as usize / 2));
    let one = |i: usize| format!("type = integer-attribute\nname = {i}\ncount = 0\n\n");
    let names: String = (0..150_000).map(one).collect();
    for (text, wanted) in [
        (factors, "BRICK_FLOAT_FACS has more than 65536 values"),
        (names.into_bytes(), "there are more than 65536 attributes"),
    ] {
        let room = room_for(&text);
        let error = open_text(text, room).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
    let few = String::from_utf8(afni([1, 1, 1, 1], 0, "1")).unwrap();
    let types = few.replace("\n 0\n\n", &format!("\n{}\n\n", " 0".repeat(8_000_000)));
    assert!(types.len() > 16_000_000);
    let room = room_for(types.as_bytes());
    assert_eq!(open_text(types.into_bytes(), room).unwrap().size(), 1);
}

#[test]
fn dense_headers_of_parrec_take_little() {
    let places: Vec<(i32, i32)> = (0..140_000).map(|i| (1, i + 1)).collect();
    let text = parrec("V4.2", 49, &places);
    let room = room_for(&text);
    let error = open_text(text, room).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Header);
    assert!(
        error.to_string().contains("more than 131072 images"),
        "{error}"
    );
}

/// Many frames of ECAT, of which each says much: in subheaders of their own, or all
/// in the same one.
#[test]
fn dense_directories_of_ecat_take_little() {
    let frames = 60_000u32;
    let one = ecat(ByteOrder::Big, 6, 8, &[1]);
    let mut subheader = one[1024..1536].to_vec();
    subheader[122..162].fill(b'x'); // annotation
    let blocks = frames.div_ceil(31);
    let made = |own: bool| {
        let mut file = one[..512].to_vec();
        file[354..356].copy_from_slice(&(frames as u16).to_be_bytes());
        // Data lie over the subheaders, and the first two blocks before them.
        let place = |frame: u32| 2 + blocks + if own { frame } else { 0 };
        for block in 0..blocks {
            let used = 31.min(frames - 31 * block);
            let next = 2 + (block + 1) % blocks;
            let rows = (31 * block..31 * block + used)
                .map(|frame| [frame + 1, place(frame), place(frame) + 1, 1]);
            let words: Vec<u32> = [[31 - used, next, 0, used]]
                .into_iter()
                .chain(rows)
                .flatten()
                .collect();
            let at = file.len();
            file.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            file.resize(at + 512, 0);
        }
        let count = if own { frames as usize } else { 1 };
        file.extend(subheader.repeat(count));
        file.resize(file.len() + 512, 0);
        file
    };
    for (own, packed) in [(true, false), (true, true), (false, false), (false, true)] {
        let file = made(own);
        let bytes = if packed { gzip(&file) } else { file.clone() };
        let begin = Instant::now();
        let (opened, held) = most_held(|| {
            let header = Source::memory(bytes);
            ArrayProxy::open_source(&header, None, &Options::new())
        });
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
        match opened {
            Ok(proxy) if own => {
                assert_eq!(proxy.shape(), [2, 3, 4, i64::from(frames)]);
                let text = proxy.field_text("annotation").unwrap();
                assert_eq!(text.len(), 42 * frames as usize - 2);
                assert!(held < 8 * file.len(), "{held} bytes");
            }
            Err(error) if !own => {
                assert!(error.to_string().contains("have one subheader"), "{error}");
                assert!(held < 16 << 20, "{held} bytes");
            }
            other => panic!("{own}: {other:?}"),
        }
    }
}
