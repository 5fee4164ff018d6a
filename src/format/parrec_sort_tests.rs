//! The order of PAR/REC's images, and recordings that were cut short.

use super::*;
use crate::format::Header;
use crate::format::parrec::Choices;
use crate::format::parrec::tests::{
    PLACES, at_key, blocks, lines, made, made_as, read, read_as, read_by,
};

fn strictly(text: &str, truncated: bool) -> Result<Header> {
    let choices = Choices {
        slice_order: SliceOrder::Strict,
        truncated,
        ..Choices::default()
    };
    read_by(text.as_bytes(), choices, false).map(|header| header.unwrap())
}

/// Numbers of the lines, in the order of the array.
fn order(header: &Header) -> Vec<u64> {
    let found = blocks(header);
    let n: i64 = header.layout.shape[2..].iter().product();
    match found.len() {
        1 => (0..n as u64).collect(),
        _ => found.iter().map(|block| block.2 / 40).collect(),
    }
}

#[test]
fn the_strict_order_looks_at_more() {
    // By word: each of these is slower than those before, and slower than the slice.
    for (faster, slower) in [(1, 3), (3, 42), (42, 41), (41, 48), (48, 2), (2, 4)] {
        let mut lines = lines(&[(2, 1), (1, 1)].repeat(4));
        for (number, line) in lines.iter_mut().enumerate() {
            line[faster] = (2 - number / 2 % 2).to_string();
            line[slower] = (2 - number / 4).to_string();
        }
        let general = [
            ("Max. number of slices/locations", "2"),
            ("Max. number of echoes", ""),
            ("Max. number of dynamics", ""),
            ("Diffusion         <0=no 1=yes> ?", "1"),
        ];
        let text = made(&general, &lines);
        let header = strictly(&text, false).unwrap();
        assert_eq!(
            order(&header),
            [7, 6, 5, 4, 3, 2, 1, 0],
            "{faster} {slower}"
        );
        assert_eq!(order(&read(&text)), [1, 0, 3, 2, 5, 4, 7, 6]);
        // Without diffusion, what is told of it does not count.
        let text = made(&general[..3], &lines);
        let found = order(&strictly(&text, false).unwrap());
        match (faster, slower) {
            (42, 41) => assert_eq!(found, [1, 0, 3, 2, 5, 4, 7, 6]),
            (41, _) | (_, 42) => assert_ne!(found, [7, 6, 5, 4, 3, 2, 1, 0]),
            _ => assert_eq!(found, [7, 6, 5, 4, 3, 2, 1, 0]),
        }
    }
    // V4 has no numbers of b values, and no labels.
    let mut lines = lines(&[(1, 1); 4]);
    for (line, b) in lines.iter_mut().zip(["1000", "nan", "-5", "0"]) {
        line[33] = b.into();
        line.truncate(41);
    }
    let general = [
        ("Max. number of slices/locations", "1"),
        ("Max. number of dynamics", "1"),
        ("Diffusion         <0=no 1=yes> ?", "1"),
    ];
    let header = strictly(&made_as("V4", &general, &lines), false).unwrap();
    assert_eq!(order(&header), [2, 3, 0, 1]);
}

#[test]
fn recordings_that_are_cut_short() {
    let cut = [(1, 2), (2, 2), (1, 1), (2, 1), (3, 1)];
    let text = made(&[], &lines(&cut));
    let error = read_as(&text, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    assert!(error.to_string().contains("truncated"), "{error}");
    let choices = Choices {
        truncated: true,
        ..Choices::default()
    };
    let plain = |text: &str| read_by(text.as_bytes(), choices, true).unwrap().unwrap();
    // Volumes are as the lines come: the second slice 3 is missing.
    let header = plain(&text);
    assert_eq!(header.layout.shape, [4, 5, 3]);
    assert_eq!(order(&header), [0, 1, 4]);
    assert_eq!(header.notes.texts.len(), 1, "{:?}", header.notes.texts);
    // Strictly, whole volumes come first, too, and what is not whole is cut off.
    let cut = [
        (1, 1),
        (2, 1),
        (1, 2),
        (2, 2),
        (3, 2),
        (1, 3),
        (2, 3),
        (3, 3),
    ];
    let text = made(&[("Max. number of dynamics", "3")], &lines(&cut));
    let header = strictly(&text, true).unwrap();
    assert_eq!(header.layout.shape, [4, 5, 3, 2]);
    assert_eq!(order(&header), [0, 1, 4, 2, 3, 7]);
    // What is left can be one block that does not begin with the file.
    let text = made(&[], &lines(&[(1, 2), (1, 1), (2, 1), (3, 1)]));
    let header = strictly(&text, true).unwrap();
    assert_eq!(header.layout.shape, [4, 5, 3]);
    assert_eq!(blocks(&header), [(1.5, -2.5, 40)]);
    // No volume in full.
    let header = plain(&made(&[], &lines(&[(2, 1), (1, 1), (2, 2)])));
    assert_eq!(header.layout.shape, [4, 5, 2]);
    assert_eq!(order(&header), [1, 0]);
    assert_eq!(header.notes.texts.len(), 2);
    // Numbers that are not as many as they should be.
    for (key, value) in [
        ("Max. number of dynamics", "3"),
        ("Max. number of echoes", "2"),
        ("Max. number of diffusion values", "2"),
        ("Max. number of gradient orients", "0"),
    ] {
        let text = made(&[(key, value)], &lines(&PLACES));
        let error = read_as(&text, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
        assert_eq!(error.offset(), Some(at_key(&text, key)));
        assert_eq!(plain(&text).notes.texts.len(), 1);
        // What a version has no columns for is not counted.
        if key.contains("diff") || key.contains("grad") {
            let mut lines = lines(&PLACES);
            lines.iter_mut().for_each(|line| line.truncate(41));
            read(&made_as("V4", &[(key, value)], &lines));
        }
    }
}
