//! All ways from one type to another: packed or not, for each processor.

use super::*;

#[test]
fn packed_elements_come_out_as_strided_ones() {
    // As f64, f32 and lower bits of both: zeros, infinities, NaNs with and
    // without the quiet bit, the smallest and largest numbers of each type.
    const SPECIAL: [u64; 13] = [
        0,
        1 << 63,
        0x7FF0_0000_0000_0000,
        0xFFF0_0000_0000_0001,
        0x7FF8_0000_0000_1234,
        0x7FEF_FFFF_FFFF_FFFF,
        1,
        0x8000_0000_7F80_0000,
        0x7FF0_0001_7F80_0001,
        0xFF80_0001_7FC0_1234,
        0x7F7F_FFFF_8000_0000,
        0x7FFF_FFFF_FFFF_FFFF,
        u64::MAX,
    ];
    let mut random = 1u64;
    let mut next = |i: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        match i % 3 {
            0 => SPECIAL[i / 3 % SPECIAL.len()],
            _ => random,
        }
    };
    let factors = |slope, inter, precision| Some(Factors::new(slope, inter, precision));
    let factors = [
        None,
        factors(0.1, 0.7, FactorType::Float64),
        factors(-0.1, 0.7, FactorType::Float32),
        factors(3e-320, 0.0, FactorType::Float64),
        factors(1e-45, 0.0, FactorType::Float32),
        factors(1.0, -2.5, FactorType::Float64),
        factors(1.0, 0.1, FactorType::Float32),
        factors(1e300, -1e308, FactorType::Float64),
        Some(Factors {
            more: 0.3,
            ..Factors::new(0.1, 0.7, FactorType::Float32)
        }),
        Some(Factors {
            more: -0.3,
            clip: Some((-100.0, 99.5)),
            ..Factors::double(1.0, -0.0)
        }),
    ];
    let stored = [UInt8, Int8, UInt16, Int16, UInt32, Int32, Float32, Float64];
    let orders = [NATIVE, OTHER];
    for (from, order) in stored.iter().flat_map(|&from| orders.map(|o| (from, o))) {
        let size = from.size();
        let pairs = [Float32, Float64].into_iter().flat_map(|to| {
            factors
                .iter()
                .flat_map(move |&factors| [None, Some(to)].map(move |asked| (to, factors, asked)))
        });
        // Numbers at odd places.
        let mut bytes = vec![0xAA];
        for i in 0..600 {
            let number = next(i).to_le_bytes();
            let mut number = number[..size].to_vec();
            if order != ByteOrder::Little {
                number.reverse();
            }
            bytes.extend(number);
        }
        for (to, factors, asked) in pairs {
            let item = to.size();
            for cpu in Cpu::all() {
                let kernel = Kernel::compiled((from, order), to, factors, asked, CUT, cpu).unwrap();
                for n in (0..20).chain([255, 256, 257, 511, 513, 599, 600]) {
                    let mut packed = vec![0xBB; 1 + n * item + 1];
                    let mut strided = vec![0xBB; 1 + n * (item + 1)];
                    // SAFETY: both hold `n` elements from byte 1 on, `item` and
                    // `item + 1` bytes apart.
                    unsafe {
                        let from = bytes.as_ptr().add(1);
                        let (to, apart) = (packed.as_mut_ptr().add(1), strided.as_mut_ptr().add(1));
                        kernel
                            .run(from, size as isize, to, item as isize, n)
                            .unwrap();
                        kernel
                            .run(from, size as isize, apart, item as isize + 1, n)
                            .unwrap();
                    }
                    let wanted = strided[1..].chunks(item + 1).flat_map(|x| &x[..item]);
                    assert!(
                        packed[1..1 + n * item].iter().eq(wanted),
                        "{n} of {from} {order:?} to {to}, {factors:?}, {asked:?}"
                    );
                    assert_eq!((packed[0], packed[1 + n * item]), (0xBB, 0xBB), "around");
                }
            }
        }
    }
}

/// Each pair of types, for each processor, packed and apart.
#[test]
fn all_variants_agree() {
    let mut random = 7u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    // Numbers of all sizes, and floats that are not far from 1 among any bits.
    let mut bytes: Vec<u8> = (0..300).flat_map(|_| next().to_ne_bytes()).collect();
    for i in 0..200u32 {
        let near = f64::from(i) * 1.37 - 120.0;
        bytes.extend(near.to_ne_bytes());
        bytes.extend((near as f32).to_ne_bytes());
        bytes.extend((next() & 0x7F).to_ne_bytes());
    }
    let casts = [CUT, ROUNDED, CHECKED];
    let factors = [None, Some(Factors::new(0.37, -1.5, FactorType::Float64))];
    let mut pairs = 0;
    for (from, to) in DType::all().flat_map(|from| DType::all().map(move |to| (from, to))) {
        let n = bytes.len() / from.size();
        let step = to.size() as isize + 1;
        for (order, cast, factors) in [NATIVE, OTHER].into_iter().flat_map(|order| {
            casts
                .into_iter()
                .flat_map(move |cast| factors.map(|factors| (order, cast, factors)))
        }) {
            let kernel = |cpu| Kernel::compiled((from, order), to, factors, None, cast, cpu);
            if kernel(Cpu::Portable).is_err() {
                continue;
            }
            pairs += 1;
            let packed = convert(
                &bytes[..n * from.size()],
                (from, order),
                to,
                factors,
                None,
                cast,
            );
            for cpu in Cpu::all() {
                let mut apart = vec![0xAA; n * step as usize];
                // SAFETY: both hold `n` elements, those of the result `step`
                // bytes apart.
                let done = unsafe {
                    let (from, size) = (bytes.as_ptr(), from.size() as isize);
                    kernel(cpu)
                        .unwrap()
                        .run(from, size, apart.as_mut_ptr(), step, n)
                };
                let elements = apart.chunks(step as usize).flat_map(|x| &x[..to.size()]);
                match &packed {
                    Ok(packed) => assert!(
                        done.is_ok() && packed.iter().eq(elements),
                        "{from} {order:?} to {to}, {factors:?}, {cast:?}, {cpu:?}"
                    ),
                    Err(at) => assert_eq!(done, Err(*at)),
                }
            }
        }
    }
    assert!(pairs > 2000, "{pairs}");
}

/// Casts of floats against what the language has for them, near all limits.
#[test]
fn floats_become_integers_as_in_plain_rust() {
    fn near(x: f64) -> impl Iterator<Item = f64> {
        let steps = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5];
        let around = steps.into_iter().flat_map(move |step| [x - step, x + step]);
        around.flat_map(|x| [x.next_down(), x, x.next_up()])
    }
    let limits = [8, 16, 32, 64].into_iter().flat_map(|bits| {
        let half = 2f64.powi(bits - 1);
        [half, -half, 2.0 * half, half - 1.0, 2.0 * half - 1.0]
    });
    let mut wide: Vec<f64> = limits.chain([0.0, 1e6]).flat_map(near).collect();
    wide.extend([
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        1e300,
        -1e300,
        5e-324,
    ]);
    let single: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
    let single: Vec<f32> = single
        .iter()
        .flat_map(|&x| [x.next_down(), x, x.next_up()])
        .collect();
    macro_rules! check {
        ($values:expr, $from:ident, $($to:ident: $cell:ty),*) => {$(
            for (round, cast) in [(false, CUT), (true, ROUNDED)] {
                let whole = $values.iter().map(|x| if round { x.round_ties_even() } else { x.trunc() });
                let wanted: Vec<$cell> = whole.clone().map(|x| x as $cell).collect();
                let found = plain(&native(&$values), $from, $to, cast).unwrap();
                assert_eq!(found, native(&wanted), "{} to {}, {round}", $from, $to);
                let checked = Cast { checked: true, ..cast };
                for (x, whole) in $values.iter().zip(whole) {
                    // As numbers without limits.
                    let fits = whole >= <$cell>::MIN as _ && (whole as i128) <= <$cell>::MAX as i128;
                    let found = plain(&native(&[*x]), $from, $to, checked);
                    assert_eq!(found.is_ok(), fits, "{x:e} to {}, {round}", $to);
                }
            }
        )*};
    }
    check!(
        wide, Float64, Int8: i8, Int16: i16, Int32: i32, Int64: i64,
        UInt8: u8, UInt16: u16, UInt32: u32, UInt64: u64
    );
    check!(
        single, Float32, Int8: i8, Int16: i16, Int32: i32, Int64: i64,
        UInt8: u8, UInt16: u16, UInt32: u32, UInt64: u64
    );
}
