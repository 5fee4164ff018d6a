//! Files with some bytes changed: whatever they claim, they take little.

use std::time::{Duration, Instant};

use arrayproxy::{
    ArrayProxy, ByteOrder, DType, ErrorKind, Format, Options, ReadAs, Scaling, Slice, SliceOrder,
    Source, Which,
};

use crate::common::{
    Folder, Random, afni, analyze, ecat, mat4, mat5, mat5_head, mgh, mgh_footer, minc1, nifti1,
    nifti2, parrec,
};
use crate::{most_held, open_as};

/// Values that headers are broken with.
const ODD: [u64; 12] = [
    0,
    1,
    7,
    8,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0x7FC0_0000,
    u64::MAX,
    i64::MAX as u64,
];

pub(crate) fn mutate(random: &mut Random, seed: &[u8], fields: usize) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(fields.min(bytes.len()));
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            // A whole field, in either byte order.
            2 | 3 => {
                let width = random.pick(&[2, 4, 8]);
                let at = at / width * width;
                let value = random.pick(&ODD);
                let field = if random.below(2) == 0 {
                    value.to_le_bytes()[..width].to_vec()
                } else {
                    value.to_be_bytes()[8 - width..].to_vec()
                };
                let end = (at + width).min(bytes.len());
                bytes[at..end].copy_from_slice(&field[..end - at]);
            }
            4 => bytes.truncate(random.below(bytes.len() + 1)),
            _ => bytes.extend(std::iter::repeat_n(random.next() as u8, random.below(40))),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// Ask for all that a proxy knows, and read what is not too large.
fn use_proxy(proxy: &ArrayProxy) {
    for which in [Which::Best, Which::Sform, Which::Qform, Which::Base] {
        let _ = proxy.affine(which);
    }
    let _ = (
        proxy.zooms(),
        proxy.warnings(),
        proxy.header(),
        proxy.data_offset(),
    );
    if let Ok(footer) = proxy.footer() {
        for (number, tag) in footer.tags.iter().enumerate() {
            let content = proxy.tag_bytes(number).unwrap_or_default();
            assert!(content.len() as u64 <= tag.size);
        }
    }
    for name in proxy.field_names() {
        let text = proxy.field_text(name);
        assert!(text.map_or_else(
            // Footers and affines may be unknown.
            |error| error.kind() != ErrorKind::Argument,
            |text| !text.contains('\0')
        ));
    }
    let count = proxy.extensions().map_or(0, <[_]>::len);
    for number in 0..count {
        let content = proxy.extension_bytes(number).unwrap_or_default();
        assert!(content.len() as u64 <= proxy.extensions().unwrap()[number].size);
    }
    assert!(proxy.chunk_shape(1 << 20).iter().all(|&n| n > 0));
    let _ = proxy.reshape(&[-1]);
    let ends: Vec<Slice> = proxy.shape().iter().map(|_| Slice::At(-1)).collect();
    for (index, dtype) in [
        (&ends[..], DType::Float32),
        (&[Slice::Ellipsis][..], DType::Float64),
    ] {
        let Ok(plan) = proxy.plan(index, ReadAs::dtype(dtype)) else {
            continue;
        };
        let _ = plan.cost();
        let read = match dtype {
            DType::Float32 => plan.read_vec::<f32>().map(drop),
            // Dense streams may hold far more than a file justifies.
            _ if plan.nbytes() > 1 << 20 => continue,
            _ => plan.read_vec::<f64>().map(drop),
        };
        if let Err(error) = read {
            assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
        }
    }
}

/// 100,000 mutants of the seeds; each may take 16 times its size and 16 MiB,
/// and a second.
pub(crate) fn survive(
    name: &str,
    seeds: &[Vec<u8>],
    fields: usize,
    open: &dyn Fn(Vec<u8>, usize) -> Option<ArrayProxy>,
) {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let (mut opened, mut refused) = (0, 0);
    for round in 0..100_000 {
        let seed = &seeds[round % seeds.len()];
        let bytes = mutate(&mut random, seed, fields);
        let size = bytes.len();
        let start = Instant::now();
        let (proxy, held) = most_held(|| {
            let proxy = open(bytes.clone(), round)?;
            use_proxy(&proxy);
            Some(proxy)
        });
        let took = start.elapsed();
        assert!(
            held <= 16 * size + (16 << 20),
            "{name} {round}: {held} bytes for {size}"
        );
        assert!(took < Duration::from_secs(1), "{name} {round}: {took:?}");
        *if proxy.is_some() {
            &mut opened
        } else {
            &mut refused
        } += 1;
    }
    assert!(
        opened > 1000 && refused > 1000,
        "{name}: {opened} opened, {refused} refused"
    );
}

/// A header of NIfTI with three extensions behind it.
fn extended(mut head: Vec<u8>) -> Vec<u8> {
    let is_first = head.len() == 352;
    let flag = head.len() - 4;
    head[flag] = 1;
    for (code, content) in [(6i32, &b"a comment"[..]), (44, &[0; 7]), (4, &[5; 24])] {
        let sizes = [content.len() as i32 + 8, code];
        let put = if is_first {
            i32::to_le_bytes
        } else {
            i32::to_be_bytes
        };
        head.extend(sizes.map(put).as_flattened());
        head.extend(content);
    }
    // Where the data of a single file begin.
    let end = head.len();
    if is_first && head[108..112] != [0; 4] {
        head[108..112].copy_from_slice(&(end as f32).to_le_bytes());
    } else if !is_first {
        head[168..176].copy_from_slice(&(end as i64).to_be_bytes());
    }
    head
}

/// Behind a header of NIfTI: the extensions of those that have some.
const EXTENDED: usize = 3 * 8 + 9 + 7 + 24;

#[test]
fn seeds_have_extensions() {
    for seeds in [seeds1(), seeds2()] {
        let proxy = open_as(seeds[0].clone(), None, true).unwrap();
        assert_eq!(proxy.extensions().unwrap().len(), 3);
        assert_eq!(proxy.extension_bytes(0).unwrap(), b"a comment");
    }
}

pub(crate) fn seeds1() -> Vec<Vec<u8>> {
    let data = [7; 4096];
    [
        extended(nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), true)),
        nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), true),
        nifti1(&[4, 5, 6, 2], 1792, 128, (2.0, 0.0), true),
        nifti1(&[10, 10], 128, 24, (0.0, 0.0), true),
        nifti1(&[-1, 1, 1], 16, 32, (1.0, 0.0), true),
    ]
    .iter()
    .map(|head| [&head[..], &data].concat())
    .collect()
}

pub(crate) fn seeds2() -> Vec<Vec<u8>> {
    let data = [9; 4096];
    [
        extended(nifti2(&[4, 5, 6], 4, 16, (0.5, 1.0))),
        nifti2(&[4, 5, 6], 4, 16, (0.5, 1.0)),
        nifti2(&[1, 1, 1, 1, 9, 10], 16, 32, (1e300, 0.0)),
    ]
    .iter()
    .map(|head| [&head[..], &data].concat())
    .collect()
}

#[test]
fn mutated_nifti1() {
    survive("nifti1", &seeds1(), 352 + EXTENDED, &|bytes, round| {
        open_as(
            bytes,
            [None, Some(Format::Nifti1)][round % 2],
            round % 7 == 0,
        )
    });
}

#[test]
fn mutated_nifti2() {
    survive("nifti2", &seeds2(), 544 + EXTENDED, &|bytes, round| {
        open_as(
            bytes,
            [None, Some(Format::Nifti2)][round % 2],
            round % 7 == 0,
        )
    });
}

#[test]
fn mutated_pairs() {
    let image = vec![5; 3000];
    let heads: Vec<Vec<u8>> = [
        extended(nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), false)),
        nifti1(&[4, 5, 6], 4, 16, (0.5, 1.0), false),
        nifti1(&[4, 5, 6], 512, 16, (0.0, 1.0), true),
        nifti2(&[6, 7, 8], 64, 64, (1.0, 0.0)),
    ]
    .into();
    survive("pairs", &heads, 352 + EXTENDED, &|bytes, round| {
        let options = Options::new().strict(round % 7 == 0);
        let image = Source::memory(image.clone());
        ArrayProxy::open_source(&Source::memory(bytes), Some(&image), &options).ok()
    });
}

/// Analyze and SPM, with an image that fits.
#[test]
fn mutated_analyze() {
    let image = vec![5; 3000];
    let heads = [
        analyze(ByteOrder::Little, &[4, 5, 6], (4, 16), 0.5),
        analyze(ByteOrder::Big, &[4, 5, 6, 2], (16, 32), 0.0),
        analyze(ByteOrder::Big, &[10, 10], (128, 24), 2.0),
        analyze(ByteOrder::Little, &[6, 7, 8], (2, 8), f32::NAN),
    ];
    let formats = [
        None,
        Some(Format::Analyze),
        Some(Format::Spm99),
        Some(Format::Spm2),
    ];
    survive("analyze", &heads, 348, &|bytes, round| {
        let options = Options::new()
            .format(formats[round / 4 % 4])
            .strict(round % 7 == 0);
        let image = Source::memory(image.clone());
        ArrayProxy::open_source(&Source::memory(bytes), Some(&image), &options).ok()
    });
}

/// Texts, and those with words in some places.
fn with_words(heads: &[Vec<u8>], words: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut random = Random(0x0BAD_CAFE_1234_5678);
    let mut seeds = heads.to_vec();
    for head in heads {
        for _ in 0..200 {
            let at = random.below(head.len());
            let end = (at + random.below(12)).min(head.len());
            seeds.push([&head[..at], random.pick(words), &head[end..]].concat());
        }
    }
    seeds
}

/// AFNI's texts, with an image that fits. Two bytes of a text are seldom the
/// right ones, so words of others come among them.
#[test]
fn mutated_afni() {
    let image = vec![5; 3000];
    let heads = [
        afni([4, 5, 6, 1], 1, "0.5"),
        afni([4, 5, 6, 3], 0, "1 0 3.25"),
        afni([2, 3, 4, 9], 3, "1e-300 NaN inf"),
        afni([2, 3, 4, 2], 5, "0 0"),
        afni([9, 9, 9, 6000], 1, "2"),
    ];
    let words: [&[u8]; 8] = [
        b"-1",
        b"0",
        b"99999999999",
        b"1e999",
        b"float",
        b"string",
        b"\n\n",
        b"BRICK_TYPES",
    ];
    survive(
        "afni",
        &with_words(&heads, &words),
        usize::MAX,
        &|bytes, round| {
            let format = [None, Some(Format::Afni)][round / 4 % 2];
            let options = Options::new().format(format).strict(round % 7 == 0);
            let image = Source::memory(image.clone());
            match ArrayProxy::open_source(&Source::memory(bytes), Some(&image), &options) {
                Ok(proxy) => Some(proxy),
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                    None
                }
            }
        },
    );
}

/// PAR/REC's texts, with images that fit, as all options have them.
#[test]
fn mutated_parrec() {
    let image = vec![5; 120];
    let heads = [
        parrec("V4", 41, &[(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2)]),
        parrec("V4.1", 48, &[(2, 2), (2, 1), (1, 1), (1, 2)]),
        parrec("V4.2", 49, &[(1, 1), (2, 1), (2, 2), (1, 3), (2, 3)]),
        parrec("V4.2", 49, &[(1, 1)]),
    ];
    let words: [&[u8]; 12] = [
        b"-1",
        b"0 ",
        b" 1 ",
        b" 2 ",
        b"99999999999",
        b"9223372036854775807",
        b"1e999",
        b"nan ",
        b"\n",
        b"#",
        b"\n. ",
        b" : ",
    ];
    survive(
        "parrec",
        &with_words(&heads, &words),
        usize::MAX,
        &|bytes, round| {
            let format = [None, Some(Format::ParRec)][round / 4 % 2];
            let options = Options::new()
                .format(format)
                .strict(round % 7 == 0)
                .truncated(round % 3 > 0)
                .scaling([Scaling::Displayed, Scaling::FloatingPoint][round % 2])
                .sort([SliceOrder::Plain, SliceOrder::Strict][round / 2 % 2]);
            let image = Source::memory(image.clone());
            match ArrayProxy::open_source(&Source::memory(bytes), Some(&image), &options) {
                Ok(proxy) => Some(proxy),
                Err(error) => {
                    assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                    None
                }
            }
        },
    );
}

/// The whole file, with its footer and tags.
#[test]
fn mutated_mgh() {
    let file = |dims, code, nbytes: usize, footer: &[u8]| {
        [&mgh(dims, code), &vec![7; nbytes][..], footer].concat()
    };
    let seeds = [
        file([4, 5, 2, 1], 4, 80, &mgh_footer()),
        file([3, 2, 2, 2], 3, 96, &mgh_footer()),
        file([5, 5, 1, 3], 0, 75, &[]),
        file([3, 2, 2, 2], 1, 96, &mgh_footer()[..7]),
    ];
    survive("mgh", &seeds, usize::MAX, &|bytes, round| {
        let format = [None, Some(Format::Mgh)][round / 4 % 2];
        open_as(bytes, format, round % 7 == 0)
    });
}

/// The whole file: header, directory and subheaders. What is there is mostly data.
#[test]
fn mutated_ecat() {
    let (little, big) = (ByteOrder::Little, ByteOrder::Big);
    let seeds = [
        ecat(big, 6, 8, &[1, 2]),
        ecat(little, 5, 1, &[3, 1, 2]),
        ecat(big, 1, 0, &[1]),
        ecat(big, 3, 7, &[9, 0, 4, -1]),
    ];
    for (name, fields) in [("ecat", 512), ("ecat's frames", usize::MAX)] {
        survive(name, &seeds, fields, &|bytes, round| {
            let format = [None, Some(Format::Ecat)][round / 4 % 2];
            open_as(bytes, format, round % 7 == 0)
        });
    }
}

/// The whole file, and the header alone: lists, attributes, places of variables.
#[test]
fn mutated_minc1() {
    let seeds = [
        minc1(1, false, 3, 2),
        minc1(1, true, 1, 1),
        minc1(2, true, 4, 4),
        minc1(2, false, 5, 4),
    ];
    for seed in &seeds {
        let proxy = open_as(seed.clone(), None, true).unwrap();
        assert_eq!(
            (proxy.format(), proxy.shape()),
            (Format::Minc1, &[4, 2, 3][..])
        );
        assert!(proxy.affine(Which::Best).is_ok() && proxy.read_vec::<f64>(&[]).is_ok());
    }
    for (name, fields) in [("minc1", 1024), ("minc1's data", usize::MAX)] {
        survive(name, &seeds, fields, &|bytes, round| {
            let format = [None, Some(Format::Minc1)][round / 4 % 2];
            open_as(bytes, format, round % 7 == 0)
        });
    }
}

/// In one piece, in chunks that went through filters, and in such of which some
/// are missing, as HDF5's library writes them.
#[test]
fn mutated_minc2() {
    let seeds = [
        &include_bytes!("../../fuzz/seeds/minc2.mnc")[..],
        include_bytes!("../../fuzz/seeds/minc2_chunks.mnc"),
        include_bytes!("../../fuzz/seeds/minc2_gaps.mnc"),
    ]
    .map(<[u8]>::to_vec);
    for seed in &seeds {
        let proxy = open_as(seed.clone(), None, true).unwrap();
        assert_eq!(
            (proxy.format(), proxy.shape()),
            (Format::Minc2, &[4, 2, 3][..])
        );
        assert!(proxy.affine(Which::Best).is_ok() && proxy.read_vec::<f64>(&[]).is_ok());
    }
    survive("minc2", &seeds, usize::MAX, &|bytes, round| {
        let format = [None, Some(Format::Minc2)][round / 4 % 2];
        open_as(bytes, format, round % 7 == 0)
    });
}

/// The .mat files of SPM beside a pair that stays the same. Half of them are
/// read strictly, in which what is wrong with them shows.
#[test]
fn mutated_matlab() {
    let (little, big) = (ByteOrder::Little, ByteOrder::Big);
    let seeds = [
        mat4(little, "mat"),
        [mat4(big, "a_name"), mat4(big, "M")].concat(),
        [mat5_head(little), mat5(little, "mat", false)].concat(),
        [mat5_head(big), mat5(big, "b", false), mat5(big, "M", false)].concat(),
        [mat5_head(little), mat5(little, "M", true)].concat(),
        [mat5_head(big), mat5(big, "c", true), mat5(big, "mat", true)].concat(),
    ];
    let folder = Folder::new("mutated-matlab");
    let path = folder.write("a.hdr", &analyze(little, &[2, 2, 2], (2, 8), 1.0));
    folder.write("a.img", &[1; 8]);
    survive("matlab", &seeds, usize::MAX, &|bytes, round| {
        // A new file each time: some systems wait for the disk when one is cut.
        let _ = std::fs::remove_file(folder.path("a.mat"));
        folder.write("a.mat", &bytes);
        let format = [Format::Spm99, Format::Spm2][round / 6 % 2];
        let options = Options::new()
            .format(Some(format))
            .strict(round / 12 % 2 == 0);
        match ArrayProxy::open_with(&path, &options) {
            Ok(proxy) => {
                let is_known = proxy.affine(Which::Best).is_ok();
                let is_told = proxy.warnings().iter().any(|text| text.contains("a.mat"));
                assert!(is_known || is_told);
                Some(proxy)
            }
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                None
            }
        }
    });
}
