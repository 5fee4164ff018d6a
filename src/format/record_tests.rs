use super::super::{Format, tables};
use super::*;

const FORMATS: [(Format, usize); 8] = [
    (Format::Nifti1, 348),
    (Format::Nifti1Pair, 348),
    (Format::Nifti2, 540),
    (Format::Nifti2Pair, 540),
    (Format::Analyze, 348),
    (Format::Spm99, 348),
    (Format::Spm2, 348),
    // The rest of MGH's 284 bytes is free.
    (Format::Mgh, 90),
];

#[test]
fn tables_have_no_gaps() {
    for (format, size) in FORMATS {
        let mut at = 0;
        for field in tables::of(format) {
            // Two bytes of MGH's stand where C's struct would have a gap.
            assert_eq!(field.at, at, "{format:?} {}", field.name);
            at = field.end();
        }
        assert_eq!(at, size, "{format:?}");
    }
}

#[test]
fn names_are_unique() {
    for (format, _) in FORMATS {
        let mut names: Vec<&str> = fields(format, &[]).map(|field| field.0).collect();
        let count = names.len();
        assert_eq!(
            names[count - 3..],
            ["space_unit", "time_unit", "orientation"]
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
    assert_eq!(fields(Format::Layout, &[]).count(), 0);
}

#[test]
fn an_mgh_file_has_its_footer_between() {
    let names: Vec<&str> = fields(Format::Mgh, &[]).map(|field| field.0).collect();
    assert_eq!(
        names[7..13],
        ["Pxyz_c", "tr", "flip_angle", "te", "ti", "fov"]
    );
}

fn field(kind: Kind, count: usize, words: Words) -> Field {
    let (name, at) = ("x", 1);
    Field {
        name,
        kind,
        at,
        count,
        words,
    }
}

#[test]
fn numbers_of_every_kind() {
    let header: Vec<u8> = (0xF0..=0xFF).chain(1..=16).collect();
    for (kind, little, big) in [
        (Kind::I8, -15, -15),
        (Kind::U8, 0xF1, 0xF1),
        (Kind::I16, -0x0D0F, -0x0E0E),
        (Kind::I32, -0x0B0C_0D0F, -0x0E0D_0C0C),
        (Kind::I64, -0x0708_090A_0B0C_0D0F, -0x0E0D_0C0B_0A09_0808),
    ] {
        for (order, wanted) in [(ByteOrder::Little, little), (ByteOrder::Big, big)] {
            let value = field(kind, 2, Words::None).read(&header, order);
            let ints = value.clone().ints().unwrap();
            assert_eq!((ints[0], ints.len()), (wanted, 2), "{kind:?} {order:?}");
            let reals = value.clone().reals().unwrap();
            assert_eq!(reals[1], ints[1] as f64);
            assert_eq!(value.text(), format!("{}, {}", ints[0], ints[1]));
        }
    }
    for order in [ByteOrder::Little, ByteOrder::Big] {
        let numbers = [1.5f64, 0.1];
        let bytes = |x: f64, single: bool| match (order, single) {
            (ByteOrder::Little, true) => (x as f32).to_le_bytes().to_vec(),
            (ByteOrder::Big, true) => (x as f32).to_be_bytes().to_vec(),
            (ByteOrder::Little, false) => x.to_le_bytes().to_vec(),
            (ByteOrder::Big, false) => x.to_be_bytes().to_vec(),
        };
        for (kind, wanted) in [(Kind::F32, f64::from(0.1f32)), (Kind::F64, 0.1)] {
            let single = kind == Kind::F32;
            let header: Vec<u8> = [vec![9], bytes(numbers[0], single), bytes(0.1, single)].concat();
            let value = field(kind, 2, Words::None).read(&header, order);
            assert_eq!(value.clone().ints(), None);
            assert_eq!(value.clone().reals(), Some(vec![1.5, wanted]));
            assert_eq!(value.text(), "1.5, 0.1");
        }
    }
}

#[test]
fn texts_end_at_a_nul() {
    let text = |bytes: &[u8]| {
        let header = [b"\xFF", bytes].concat();
        let value = field(Kind::Text, bytes.len(), Words::None).read(&header, ByteOrder::Big);
        assert_eq!((value.clone().ints(), value.clone().reals()), (None, None));
        value.text()
    };
    assert_eq!(text(b"abc"), "abc");
    assert_eq!(text(b"ab\0c"), "ab");
    assert_eq!(text(b"\0abc"), "");
    assert_eq!(text("Gr\u{fc}n".as_bytes()), "Gr\u{fc}n");
    // Latin-1, and a character that the field's end cuts.
    assert_eq!(text(b"Gr\xFCn"), "Gr\u{fc}n");
    assert_eq!(text(b"Gr\xC3"), "Gr\u{c3}");
    assert_eq!(
        text(b"Gr\xC3\xBCn\xC3"),
        "Gr\u{fc}n",
        "others show that it is one"
    );
    assert_eq!(text(b"\xC3\xBC\xC3\0"), "\u{c3}\u{bc}\u{c3}", "not cut");
    // What stands behind the NUL does not count.
    assert_eq!(text(b"\xC3\xBC\0\xFC"), "\u{fc}");
}

#[test]
fn decimals_are_short() {
    let single = |x: f32| Value::Singles(vec![x]).text();
    let double = |x: f64| Value::Doubles(vec![x]).text();
    assert_eq!((single(0.1), double(0.1)), ("0.1".into(), "0.1".into()));
    assert_eq!(double(0.1f32.into()), "0.10000000149011612");
    assert_eq!((single(-2.0), double(352.0)), ("-2".into(), "352".into()));
    assert_eq!((single(0.0), double(-0.0)), ("0".into(), "-0".into()));
    assert_eq!((single(1e30), double(1e-5)), ("1e30".into(), "1e-5".into()));
    assert_eq!(double(1e-4), "0.0001");
    assert_eq!(double(1.5e300), "1.5e300");
    assert_eq!(single(f32::NAN), "NaN");
    assert_eq!(double(f64::NEG_INFINITY), "-inf");
}

#[test]
fn codes_in_words() {
    assert_eq!(Words::Codes(&labels::XFORMS).of(4), "mni");
    assert_eq!(Words::Codes(&labels::XFORMS).of(6), "6");
    assert_eq!(Words::Codes(&labels::XFORMS).of(-1), "-1");
    assert_eq!(Words::Units.of(10), "mm, sec");
    assert_eq!(Words::Units.of(0), "unknown, unknown");
    assert_eq!(Words::Units.of(5 + 56), "5, 56");
    assert_eq!(Words::Units.of(-1), "7, -8");
    assert_eq!(Words::Axes.of(0), "");
    assert_eq!(
        Words::Axes.of(1 | 2 << 2 | 3 << 4),
        "freq 0, phase 1, slice 2"
    );
    assert_eq!(Words::Axes.of(3 << 2 | 3 << 6), "phase 2");
}
