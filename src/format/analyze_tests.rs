//! Rules and quirks of Analyze headers, field by field.

use super::*;
use crate::core::dtype::ByteOrder;
use crate::core::scale::Arithmetic;
use crate::format::affine::Which;
use crate::format::{self, Choices, Parts, Wish};

/// A header of 3 axes of int16 in a byte order.
struct Made {
    bytes: Vec<u8>,
    order: ByteOrder,
}

macro_rules! setters {
    ($($name:ident: $type:ty),*) => {
        impl Made {$(
            fn $name(mut self, at: usize, values: &[$type]) -> Made {
                for (i, value) in values.iter().enumerate() {
                    let bytes = match self.order {
                        ByteOrder::Little => value.to_le_bytes(),
                        ByteOrder::Big => value.to_be_bytes(),
                    };
                    let at = at + i * bytes.len();
                    self.bytes[at..at + bytes.len()].copy_from_slice(&bytes);
                }
                self
            }
        )*}
    };
}
setters!(i16: i16, i32: i32, f32: f32);

impl Made {
    fn new(order: ByteOrder) -> Made {
        let made = Made {
            bytes: vec![0; 348],
            order,
        };
        made.i32(0, &[348])
            .i16(40, &[3, 4, 5, 6, 1])
            .i16(70, &[4, 16])
            .f32(76, &[0.0, 2.0, 3.0, 4.0])
    }

    fn read_as(&self, format: Option<Format>, strict: bool) -> Result<Header> {
        let wish = Wish {
            format,
            named: None,
            parts: Parts::Unknown,
            strict,
            choices: Choices::default(),
        };
        format::read(&&self.bytes[..], wish).map(|header| header.expect("it is a header"))
    }

    fn read(&self, format: Format) -> Result<Header> {
        self.read_as(Some(format), false)
    }
}

const ALL: [Format; 3] = [Format::Analyze, Format::Spm99, Format::Spm2];

fn little() -> Made {
    Made::new(ByteOrder::Little)
}

#[test]
fn plain_headers() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        let made = Made::new(order).f32(108, &[64.9]);
        assert_eq!(made.read_as(None, true).unwrap().format, Format::Spm2);
        for format in ALL {
            let header = made.read_as(Some(format), true).unwrap();
            assert_eq!(
                (header.format, header.meanings[0].byte_order),
                (format, order)
            );
            assert_eq!(header.layout.dtype, DType::Int16);
            assert_eq!(
                (&header.layout.shape[..], header.layout.offset()),
                (&[4, 5, 6][..], Some(64))
            );
            assert_eq!(
                (&header.zooms[..], header.meanings[0].factors),
                (&[2.0, 3.0, 4.0][..], Factors::NONE)
            );
            assert_eq!((header.image, header.notes.texts.len()), (Some("img"), 0));
            assert_eq!(
                header.affine_file,
                (format != Format::Analyze).then_some("mat")
            );
            assert_eq!(header.raw, made.bytes);
        }
    }
    let short = Made {
        bytes: little().bytes[..347].to_vec(),
        order: ByteOrder::Little,
    };
    let error = short.read(Format::Analyze).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Header, Some(347))
    );
}

#[test]
fn what_is_wrong_is_named_by_its_byte() {
    for (made, at) in [
        (little().i16(70, &[256]), 70),
        (little().i16(70, &[512]), 70),
        (little().i16(70, &[0]), 70),
        (little().i16(44, &[-5]), 44),
        (little().i16(40, &[8]), 40),
        (little().f32(108, &[-1.0]), 108),
        (little().f32(108, &[f32::NAN]), 108),
    ] {
        for format in ALL {
            let error = made.read(format).unwrap_err();
            assert_eq!(
                (error.kind(), error.offset()),
                (ErrorKind::Header, Some(at))
            );
        }
    }
    for (made, at) in [
        (little().i32(0, &[347]), 0),
        (little().f32(84, &[0.0]), 84),
        (little().f32(88, &[-4.0]), 88),
    ] {
        for format in ALL {
            let error = made.read_as(Some(format), true).unwrap_err();
            assert_eq!(
                (error.kind(), error.offset()),
                (ErrorKind::Header, Some(at))
            );
            assert_eq!(made.read(format).unwrap().notes.texts.len(), 1);
        }
    }
    let bitpix = little().i16(72, &[8]);
    assert_eq!(bitpix.read_as(None, true).unwrap().notes.texts.len(), 1);
    assert_eq!(
        little().f32(88, &[-4.0]).read(Format::Spm2).unwrap().zooms,
        [2.0, 3.0, 4.0]
    );
    assert_eq!(
        little()
            .i16(40, &[0])
            .read(Format::Spm99)
            .unwrap()
            .layout
            .shape,
        [0]
    );
}

#[test]
fn factors_of_each() {
    let factors = |made: &Made, format| {
        let factors = made.read(format).unwrap().meanings[0].factors;
        let Arithmetic::AsNumPy(precision) = factors.arithmetic else {
            panic!("{factors:?}");
        };
        (factors.slope, factors.inter, precision)
    };
    let none = (1.0, 0.0, FactorType::Float64);
    let scaled = little().f32(112, &[0.1, 7.0]);
    let slope = f64::from(0.1f32);
    assert_eq!(factors(&scaled, Format::Analyze), none);
    assert_eq!(
        factors(&scaled, Format::Spm99),
        (slope, 0.0, FactorType::Float32)
    );
    assert_eq!(
        factors(&scaled, Format::Spm2),
        (slope, 7.0, FactorType::Float64)
    );
    let odd = little().f32(112, &[2.0, f32::INFINITY]);
    assert_eq!(factors(&odd, Format::Spm2), (2.0, 0.0, FactorType::Float64));
    for slope in [0.0, f32::NAN, f32::NEG_INFINITY] {
        let made = little().f32(112, &[slope, 7.0]);
        assert_eq!(factors(&made, Format::Spm99), none);
        assert_eq!(factors(&made, Format::Spm2), none);
        // From 10 to 110 stored, 0.2 to 0.8 meant.
        let made = made.f32(124, &[0.8, 0.2]).i32(140, &[110, 10]);
        let slope = f64::from(0.8f32 - 0.2) / 100.0;
        let inter = f64::from(0.2f32) - slope * 10.0;
        assert_eq!(
            factors(&made, Format::Spm2),
            (slope, inter, FactorType::Float64)
        );
        assert_eq!(factors(&made, Format::Spm99), none);
    }
    let wide = little()
        .f32(124, &[1.0, 0.0])
        .i32(140, &[i32::MAX, i32::MIN]);
    assert_eq!(factors(&wide, Format::Spm2).0, 1.0 / f64::from(u32::MAX));
    let endless = little()
        .f32(124, &[3e38, -3e38])
        .i32(140, &[1, 0])
        .read(Format::Spm2)
        .unwrap();
    assert_eq!(
        (endless.meanings[0].factors, endless.notes.texts.len()),
        (Factors::NONE, 1)
    );
    let colours = scaled.i16(70, &[128, 24]).read(Format::Spm99).unwrap();
    assert_eq!(
        (colours.meanings[0].factors, colours.notes.texts.len()),
        (Factors::NONE, 1)
    );
}

#[test]
fn origins() {
    let best = |made: &Made, format| {
        let header = made.read(format).unwrap();
        (
            header.affine.get(Which::Best).unwrap().1,
            header.notes.texts.len(),
        )
    };
    let centre = [
        [-2.0, 0.0, 0.0, 3.0],
        [0.0, 3.0, 0.0, -6.0],
        [0.0, 0.0, 4.0, -10.0],
    ];
    let unset = little();
    let set = little().i16(253, &[2, 1, -5]);
    let far = little().i16(253, &[2, 10, 1]);
    for format in [Format::Spm99, Format::Spm2] {
        assert_eq!(best(&unset, format).0[..3], centre);
        let (matrix, notes) = best(&set, format);
        assert_eq!([0, 1, 2].map(|row| matrix[row][3]), [2.0, 0.0, 24.0]);
        assert!(matrix[1][3].is_sign_positive() && notes == 0);
        let (matrix, notes) = best(&far, format);
        assert_eq!((&matrix[..3], notes), (&centre[..], 1));
        assert!(far.read_as(Some(format), true).is_err());
    }
    assert_eq!(best(&set, Format::Analyze).0[..3], centre);
    let affine = unset.read(Format::Spm2).unwrap().affine;
    assert_eq!(affine.get(Which::Base).unwrap().1[..3], centre);
    for which in [Which::Sform, Which::Qform] {
        assert_eq!(
            affine.get(which).unwrap_err().kind(),
            ErrorKind::Unsupported
        );
    }
}
