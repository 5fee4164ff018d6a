//! Rules and quirks of NIfTI headers, field by field.

use super::*;
use crate::core::dtype::ByteOrder;
use crate::error::{Error, ErrorKind};
use crate::format::{self, Choices, affine::Which};

/// A header with a field at a place; both versions, both byte orders.
struct Head {
    bytes: Vec<u8>,
    order: ByteOrder,
}

impl Head {
    fn v1(order: ByteOrder) -> Head {
        let mut head = Head {
            bytes: vec![0; 352],
            order,
        };
        head.i32(0, 348).bytes(344, b"n+1\0").f32(108, 352.0);
        for (i, n) in [3i16, 4, 5, 6].into_iter().enumerate() {
            head.i16(40 + 2 * i, n);
        }
        head.i16(70, 4).i16(72, 16);
        for i in 0..4 {
            head.f32(76 + 4 * i, [1.0, 2.0, 3.0, 4.0][i]);
        }
        head
    }

    fn v2(order: ByteOrder) -> Head {
        let mut head = Head {
            bytes: vec![0; 544],
            order,
        };
        head.i32(0, 540).bytes(4, b"n+2\0\r\n\x1A\n").i64(168, 544);
        for (i, n) in [3i64, 4, 5, 6].into_iter().enumerate() {
            head.i64(16 + 8 * i, n);
        }
        head.i16(12, 64).i16(14, 64);
        for i in 0..4 {
            head.f64(104 + 8 * i, [1.0, 2.0, 3.0, 4.0][i]);
        }
        head
    }

    fn bytes(&mut self, at: usize, bytes: &[u8]) -> &mut Head {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn read_as(&self, parts: Parts, strict: bool) -> Result<Header> {
        let wish = Wish {
            format: None,
            named: None,
            parts,
            strict,
            choices: Choices::default(),
        };
        format::read(&&self.bytes[..], wish).map(|header| header.expect("it is a NIfTI header"))
    }

    fn read(&self) -> Result<Header> {
        self.read_as(Parts::Single, false)
    }

    /// Where and how it is wrong.
    fn fault(&self) -> (ErrorKind, u64) {
        let error = self.read().unwrap_err();
        (error.kind(), error.offset().unwrap())
    }
}

macro_rules! setters {
    ($($name:ident: $type:ty),*) => {
        impl Head {$(
            fn $name(&mut self, at: usize, value: $type) -> &mut Head {
                match self.order {
                    ByteOrder::Little => self.bytes(at, &value.to_le_bytes()),
                    ByteOrder::Big => self.bytes(at, &value.to_be_bytes()),
                }
            }
        )*}
    };
}
setters!(i16: i16, i32: i32, i64: i64, f32: f32, f64: f64);

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

#[test]
fn plain_headers_of_both_versions() {
    for order in ORDERS {
        let one = Head::v1(order).read().unwrap();
        assert_eq!(
            (one.format, one.meanings[0].byte_order),
            (Format::Nifti1, order)
        );
        assert_eq!(
            (one.layout.dtype, one.layout.offset()),
            (DType::Int16, Some(352))
        );
        let two = Head::v2(order).read().unwrap();
        assert_eq!(
            (two.format, two.meanings[0].byte_order),
            (Format::Nifti2, order)
        );
        assert_eq!(
            (two.layout.dtype, two.layout.offset()),
            (DType::Float64, Some(544))
        );
        for header in [one, two] {
            assert_eq!(header.layout.shape, [4, 5, 6]);
            assert_eq!(header.zooms, [2.0, 3.0, 4.0]);
            assert_eq!(header.notes.texts, [""; 0]);
            assert_eq!(header.meanings[0].factors, Factors::NONE);
        }
    }
}

#[test]
fn shapes() {
    for order in ORDERS {
        let shape = |set: &dyn Fn(&mut Head)| {
            let mut head = Head::v1(order);
            set(&mut head);
            head.read().map(|header| header.layout.shape)
        };
        assert_eq!(
            shape(&|head| {
                head.i16(40, 0);
            })
            .unwrap(),
            [0]
        );
        assert_eq!(
            shape(&|head| {
                head.i16(42, 0);
            })
            .unwrap(),
            [0, 5, 6]
        );
        assert_eq!(
            shape(&|head| {
                head.i16(40, 7).i16(48, 1).i16(50, 2).i16(52, 1).i16(54, 3);
            })
            .unwrap(),
            [4, 5, 6, 1, 2, 1, 3]
        );
        // FreeSurfer's.
        assert_eq!(
            shape(&|head| {
                head.i16(42, -1).i16(44, 1).i16(46, 1).i32(144, 163_842);
            })
            .unwrap(),
            [163_842, 1, 1]
        );
        assert_eq!(
            shape(&|head| {
                head.i16(42, 27307).i16(44, 1).i16(46, 6);
            })
            .unwrap(),
            [163_842, 1, 1]
        );
        let mut head = Head::v1(order);
        head.i16(42, -1).i16(44, 1).i16(46, 1);
        assert_eq!(head.fault(), (ErrorKind::Header, 144));
        assert_eq!(Head::v1(order).i16(44, -2).fault(), (ErrorKind::Header, 44));
        // Out of range in one order, the other is tried.
        for n in [8, -1, i16::MIN, 0x0808] {
            assert_eq!(Head::v1(order).i16(40, n).fault(), (ErrorKind::Header, 40));
        }
        let mut huge = Head::v2(order);
        huge.i64(24, 1 << 40).i64(32, 1 << 40);
        assert_eq!(huge.fault(), (ErrorKind::Header, 16));
    }
}

#[test]
fn data_types() {
    let names = [
        (2, "uint8"),
        (4, "int16"),
        (8, "int32"),
        (16, "float32"),
        (32, "complex64"),
        (64, "float64"),
        (128, "rgb24"),
        (256, "int8"),
        (512, "uint16"),
        (768, "uint32"),
        (1024, "int64"),
        (1280, "uint64"),
        (1536, "float128"),
        (1792, "complex128"),
        (2048, "complex256"),
        (2304, "rgba32"),
    ];
    for (code, name) in names {
        let header = Head::v1(ByteOrder::Big).i16(70, code).read().unwrap();
        assert_eq!(header.layout.dtype.name(), name);
        assert_eq!(
            header.notes.texts.is_empty(),
            header.layout.dtype.size() == 2,
            "bitpix"
        );
    }
    for code in [0, 1, 255, 3, -4] {
        assert_eq!(
            Head::v1(ByteOrder::Little).i16(70, code).fault(),
            (ErrorKind::Header, 70)
        );
    }
}

#[test]
fn offsets() {
    let offset = |at: f32, magic: &[u8; 4], parts: Parts| {
        let mut head = Head::v1(ByteOrder::Little);
        let header = head.f32(108, at).bytes(344, magic).read_as(parts, false)?;
        Ok((header.layout.offset().unwrap(), header.notes.texts.len()))
    };
    let fault = |result: Result<(u64, usize)>| result.unwrap_err().offset();
    let (single, pair) = (b"n+1\0", b"ni1\0");
    assert_eq!(offset(0.0, single, Parts::Single).unwrap(), (352, 1));
    assert_eq!(offset(160.0, pair, Parts::Single).unwrap(), (352, 1));
    assert_eq!(fault(offset(160.0, single, Parts::Single)), Some(108));
    assert_eq!(offset(357.9, single, Parts::Single).unwrap(), (357, 1));
    assert_eq!(offset(0.0, pair, Parts::Pair).unwrap(), (0, 0));
    assert_eq!(offset(0.0, single, Parts::Pair).unwrap(), (0, 0));
    assert_eq!(fault(offset(16.0, single, Parts::Pair)), Some(108));
    assert_eq!(offset(16.0, pair, Parts::Pair).unwrap(), (16, 0));
    assert_eq!(offset(7.0, pair, Parts::Unknown).unwrap(), (7, 1));
    for wrong in [f32::NAN, f32::INFINITY, -1.0, 1e30] {
        assert!(fault(offset(wrong, pair, Parts::Pair)).is_some(), "{wrong}");
    }
    assert_eq!(
        Head::v2(ByteOrder::Big).i64(168, 543).fault(),
        (ErrorKind::Header, 168)
    );
    let mut far = Head::v2(ByteOrder::Big);
    assert_eq!(
        far.i64(168, 1 << 60).read().unwrap().layout.offset(),
        Some(1 << 60)
    );
    assert!(far.i64(168, i64::MAX).read().is_err());
}

#[test]
fn factors() {
    let factors = |slope: f32, inter: f32, datatype: i16| {
        let mut head = Head::v1(ByteOrder::Little);
        let header = head
            .f32(112, slope)
            .f32(116, inter)
            .i16(70, datatype)
            .read()?;
        let notes = header
            .notes
            .texts
            .iter()
            .filter(|text| text.contains("slope"));
        Ok((
            header.meanings[0].factors.slope,
            header.meanings[0].factors.inter,
            notes.count(),
        ))
    };
    assert_eq!(factors(0.5, -3.0, 4).unwrap(), (0.5, -3.0, 0));
    assert_eq!(factors(f32::NAN, f32::NAN, 4).unwrap(), (1.0, 0.0, 0));
    assert_eq!(factors(0.0, 0.0, 4).unwrap(), (1.0, 0.0, 0));
    assert_eq!(factors(0.0, 5.0, 4).unwrap(), (1.0, 0.0, 1));
    assert_eq!(factors(f32::INFINITY, 0.0, 4).unwrap(), (1.0, 0.0, 1));
    assert_eq!(factors(2.0, 1.0, 128).unwrap(), (1.0, 0.0, 1), "colours");
    for inter in [f32::NAN, f32::INFINITY] {
        let error: Error = factors(2.0, inter, 4).unwrap_err();
        assert_eq!(error.offset(), Some(116));
    }
    let mut huge = Head::v2(ByteOrder::Big);
    huge.i16(12, 8).i16(14, 32).f64(176, 1e300);
    assert!(huge.read().unwrap().notes.texts[0].contains("infinite"));
}

#[test]
fn problems_are_notes_or_errors_by_level() {
    type Set = fn(&mut Head) -> &mut Head;
    let cases: [(Set, u64, bool); 8] = [
        (|head| head.i32(0, 347), 0, true),
        (|head| head.i16(72, 8), 72, false),
        (|head| head.f32(76, 0.0), 76, true),
        (|head| head.f32(80, 0.0), 80, true),
        (|head| head.f32(84, -2.0), 84, true),
        (|head| head.f32(108, 360.0), 108, true),
        (|head| head.i16(252, 6), 252, true),
        (|head| head.i16(254, -1), 254, true),
    ];
    for (set, at, strict_fails) in cases {
        let mut head = Head::v1(ByteOrder::Little);
        let header = set(&mut head).read().unwrap();
        assert_eq!(header.notes.texts.len(), 1, "byte {at}");
        match head.read_as(Parts::Single, true) {
            Ok(_) => assert!(!strict_fails, "byte {at}"),
            Err(error) => {
                assert!(strict_fails);
                assert_eq!(
                    (error.kind(), error.offset()),
                    (ErrorKind::Header, Some(at))
                );
            }
        }
    }
    let mut eol = Head::v2(ByteOrder::Little);
    assert_eq!(eol.bytes(8, &[0; 4]).read().unwrap().notes.texts.len(), 1);
    assert_eq!(eol.bytes(8, b"\n\x1A\n\n").fault(), (ErrorKind::Header, 8));
    assert_eq!(
        Head::v2(ByteOrder::Big).bytes(4, b"n+3\0").fault(),
        (ErrorKind::Header, 4)
    );
}

#[test]
fn an_array_of_no_dimensions_has_one_empty_axis() {
    for order in ORDERS {
        let header = Head::v1(order).i16(40, 0).read().unwrap();
        assert_eq!(
            (&header.layout.shape[..], &header.zooms[..]),
            (&[0][..], &[1.0][..])
        );
        let base = header.affine.get(Which::Base).unwrap().1;
        assert_eq!(base[0], [-1.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn affines() {
    let mut head = Head::v1(ByteOrder::Big);
    let best = |head: &Head| head.read().unwrap().affine.get(Which::Best).unwrap();
    assert_eq!(
        (best(&head).0, best(&head).1[0]),
        (0, [-2.0, 0.0, 0.0, 3.0])
    );
    head.i16(252, 2).f32(264, 1.0).f32(268, 7.0).f32(76, -1.0);
    assert_eq!(
        (best(&head).0, best(&head).1[0]),
        (2, [-2.0, 0.0, 0.0, 7.0])
    );
    assert_eq!(best(&head).1[2][2], -4.0);
    for i in 0..12 {
        head.f32(280 + 4 * i, i as f32);
    }
    let sform = head.read().unwrap().affine.get(Which::Sform).unwrap();
    assert_eq!(
        (sform.0, sform.1[2]),
        (0, [8.0, 9.0, 10.0, 11.0]),
        "whatever its code"
    );
    head.i16(254, 4);
    assert_eq!((best(&head).0, best(&head).1[1]), (4, [4.0, 5.0, 6.0, 7.0]));
    head.f32(256, 0.5);
    let affine = head.read().unwrap().affine;
    assert_eq!(affine.get(Which::Qform).unwrap_err().offset(), Some(256));
    let mut two = Head::v2(ByteOrder::Little);
    for i in 0..12 {
        two.f64(400 + 8 * i, i as f64);
    }
    two.i32(348, 3);
    assert_eq!((best(&two).0, best(&two).1[2]), (3, [8.0, 9.0, 10.0, 11.0]));
}

#[test]
fn what_is_no_nifti_header_is_left() {
    let wish = |format| Wish {
        format,
        named: None,
        parts: Parts::Unknown,
        strict: false,
        choices: Choices::default(),
    };
    let head = Head::v1(ByteOrder::Little);
    assert!(
        format::read(&&head.bytes[..347], wish(None))
            .unwrap()
            .is_none()
    );
    assert!(format::read(&&[0; 600][..], wish(None)).unwrap().is_none());
    assert!(format::read(&&head.bytes[..347], wish(Some(Format::Nifti1))).is_err());
    assert!(format::read(&&head.bytes[..], wish(Some(Format::Nifti2))).is_err());
    assert!(format::read(&&Head::v2(ByteOrder::Big).bytes[..539], wish(None)).is_err());
    let pair = format::read(&&head.bytes[..], wish(Some(Format::Nifti1Pair)))
        .unwrap()
        .unwrap();
    assert!(pair.image.is_some() && pair.format == Format::Nifti1Pair);
}
