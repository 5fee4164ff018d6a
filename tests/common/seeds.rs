//! Files of formats and compressions, to begin with.

use arrayproxy::ByteOrder;

/// Puts numbers at their places in a header.
struct Head {
    bytes: Vec<u8>,
    order: ByteOrder,
}

impl Head {
    fn new(size: usize, order: ByteOrder) -> Head {
        let bytes = vec![0; size];
        Head { bytes, order }
    }
    /// The low `size` bytes of a number.
    fn int(&mut self, at: usize, size: usize, value: i64) {
        let field = match self.order {
            ByteOrder::Little => value.to_le_bytes()[..size].to_vec(),
            ByteOrder::Big => value.to_be_bytes()[8 - size..].to_vec(),
        };
        self.bytes[at..at + size].copy_from_slice(&field);
    }
    fn float(&mut self, at: usize, value: f32) {
        self.int(at, 4, value.to_bits().into());
    }
}

/// The 348 bytes of a header of Analyze, SPM99 or SPM2, with an origin.
pub(crate) fn analyze(
    order: ByteOrder,
    shape: &[i16],
    (datatype, bitpix): (i16, i16),
    slope: f32,
) -> Vec<u8> {
    let mut head = Head::new(348, order);
    head.int(0, 4, 348);
    head.int(40, 2, shape.len() as i64);
    for (i, &n) in shape.iter().enumerate() {
        head.int(42 + 2 * i, 2, n.into());
    }
    head.int(70, 2, datatype.into());
    head.int(72, 2, bitpix.into());
    for i in 0..8 {
        head.float(76 + 4 * i, 1.5);
    }
    head.float(112, slope);
    // The ranges that count where there is no slope.
    head.float(124, 10.0);
    head.int(140, 4, 255);
    for axis in 0..3 {
        head.int(253 + 2 * axis, 2, 2);
    }
    head.bytes
}

/// A header of AFNI: the shape, factors of sub-bricks, a few texts.
pub(crate) fn afni(shape: [i64; 4], code: i32, facs: &str) -> Vec<u8> {
    let [x, y, z, n] = shape;
    let head = format!(
        "
type = string-attribute
name = BYTEORDER_STRING
count = 10
'MSB_FIRST~

type = integer-attribute
name = BRICK_TYPES
count = 1
 {code}

type = integer-attribute
name = DATASET_RANK
count = 8
 3 {n} 0 0 0
 0 0 0

type = integer-attribute
name = DATASET_DIMENSIONS
count = 5
 {x} {y} {z} 0 0

type = float-attribute
name = BRICK_FLOAT_FACS
count = {}
 {facs}

type = float-attribute
name = DELTA
count = 3
 -3 2.5 4

type = float-attribute
name = IJK_TO_DICOM_REAL
count = 12
 -3 0 0 66 0
 2.5 0 87 0 0
 4 -54

type = integer-attribute
name = TAXIS_NUMS
count = 3
 3 25 77002

type = string-attribute
name = HISTORY_NOTE
count = 6
'a
b~
~
",
        facs.split_whitespace().count()
    );
    head.into_bytes()
}

/// A PAR/REC header of a version with so many numbers in a line: images of 4 by
/// 5 with their slices and dynamics, the last one first in the file.
pub(crate) fn parrec(version: &str, words: usize, places: &[(i32, i32)]) -> Vec<u8> {
    let most = |of: fn(&(i32, i32)) -> i32| places.iter().map(of).max().unwrap_or(0);
    let mut head = format!(
        "# === DATA DESCRIPTION FILE ===
#
# CLINICAL TRYOUT   Research image export tool     {version}
#
.    Patient name                       :   no one
.    Max. number of slices/locations    :   {}
.    Max. number of dynamics            :   {}
.    Repetition time [ms]               :   2250.5
.    Angulation midslice(ap,fh,rl)[degr]:   -13.3 20 0.5
.    Off Centre midslice(ap,fh,rl) [mm] :   7.25 30.5 -8.75
.    Dynamic scan      <0=no 1=yes> ?   :   1
.    Diffusion         <0=no 1=yes> ?   :   1
#
# === IMAGE INFORMATION ===
",
        most(|place| place.0),
        most(|place| place.1)
    );
    for (number, (slice, dynamic)) in places.iter().enumerate() {
        let line = format!(
            "{slice} 1 {dynamic} 1 0 2 {} 8 62 4 5 -2.5 {} 0.25 1070 1860 \
             -13.3 20 0.5 2.51 -0.81 -8.69 6 2 0 1 0 2 3.75 2.5 30 0 0 0 1 90 0 0 0 39 0 \
             1 1 T1 8 0.5 0 0 1",
            places.len() - 1 - number,
            1 + number % 2
        );
        let cut: Vec<&str> = line.split_whitespace().take(words).collect();
        head += &cut.join("  ");
        head += "\n";
    }
    head += "# === END OF DATA DESCRIPTION FILE ===\n";
    head.into_bytes()
}

/// An MGH header, with directions that are not the usual ones.
pub(crate) fn mgh(dims: [i32; 4], code: i32) -> Vec<u8> {
    let mut head = Head::new(284, ByteOrder::Big);
    head.int(0, 4, 1);
    for (i, n) in dims.into_iter().enumerate() {
        head.int(4 + 4 * i, 4, n.into());
    }
    head.int(20, 4, code.into());
    head.int(28, 2, 1);
    for i in 0..15 {
        head.float(30 + 4 * i, 0.25 * i as f32);
    }
    head.bytes
}

/// What stands behind the data of an MGH file: five numbers and two tags.
pub(crate) fn mgh_footer() -> Vec<u8> {
    let mut head = Head::new(20 + 12 + 9 + 8 + 6, ByteOrder::Big);
    for i in 0..5 {
        head.float(4 * i, 2300.0);
    }
    head.int(20, 4, 3);
    head.int(24, 8, 9);
    head.int(41, 4, 30);
    head.int(45, 4, 7);
    head.bytes
}

/// An ECAT file: frames of 2 by 3 by 4 in two blocks of the directory, in the
/// order of the file, each with its matrix id.
pub(crate) fn ecat(order: ByteOrder, code: i64, orientation: i64, ids: &[i64]) -> Vec<u8> {
    let (first, second) = ids.split_at(ids.len().div_ceil(2));
    let blocks = 2 + 2 * ids.len() + 1;
    let mut head = Head::new(512 * blocks, order);
    head.bytes[..9].copy_from_slice(b"MATRIX72v");
    head.int(46, 2, 74);
    head.float(144, 0.37);
    head.int(330, 2, orientation);
    head.int(354, 2, ids.len() as i64);
    let mut block = 2;
    for (part, is_last) in [(first, false), (second, true)] {
        let at = 512 * (block - 1);
        let next = if is_last {
            2
        } else {
            block + 1 + 2 * part.len()
        };
        for (i, value) in [31 - part.len(), next, 0, part.len()]
            .into_iter()
            .enumerate()
        {
            head.int(at + 4 * i, 4, value as i64);
        }
        for (i, &id) in part.iter().enumerate() {
            block += 1;
            for (j, value) in [id, block as i64, block as i64 + 1, 1]
                .into_iter()
                .enumerate()
            {
                head.int(at + 16 * (i + 1) + 4 * j, 4, value);
            }
            let frame = 512 * (block - 1);
            for (j, value) in [code, 3, 2, 3, 4].into_iter().enumerate() {
                head.int(frame + 2 * j, 2, value);
            }
            for at in [10, 14, 18, 26, 34, 38, 42] {
                head.float(frame + at, 0.25);
            }
            head.bytes[frame + 512..frame + 1024].fill(7);
            block += 1;
        }
        block += 1;
    }
    head.bytes
}

/// A MINC 1 file, in version 1 or 2 of NetCDF: an image of the nc_type `code` and
/// 4 by 2 by 3 voxels, and its ranges over the first axis, in records or not.
pub(crate) fn minc1(version: u8, records: bool, code: u32, size: usize) -> Vec<u8> {
    let name = |text: &str| {
        let mut bytes = (text.len() as u32).to_be_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let list = |tag: u32, items: &[Vec<u8>]| {
        let head = [tag, items.len() as u32].map(u32::to_be_bytes);
        [head.as_flattened(), &items.concat()].concat()
    };
    let text = |own: &str, value: &str| {
        let code = 2u32.to_be_bytes().to_vec();
        [name(own), code, name(value)].concat()
    };
    let reals = |own: &str, values: &[f64]| {
        let head = [6, values.len() as u32].map(u32::to_be_bytes);
        let values: Vec<u8> = values.iter().flat_map(|x| x.to_be_bytes()).collect();
        [name(own), head.as_flattened().to_vec(), values].concat()
    };
    let variable = |own: &str, axes: &[u32], attributes: &[Vec<u8>], code: u32, begin: u32| {
        let mut bytes = name(own);
        bytes.extend((axes.len() as u32).to_be_bytes());
        axes.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
        bytes.extend(list(12, attributes));
        bytes.extend([code, 8].map(u32::to_be_bytes).as_flattened());
        bytes.resize(bytes.len() + if version == 2 { 4 } else { 0 }, 0);
        bytes.extend(begin.to_be_bytes());
        bytes
    };
    let axes = [("zspace", 4), ("yspace", 2), ("xspace", 3)];
    let dimension = |&(own, n): &(&str, u32)| {
        let len = if records && n == 4 { 0 } else { n };
        [name(own), len.to_be_bytes().to_vec()].concat()
    };
    let place = |&(own, _): &(&str, u32)| {
        let attributes = [
            text("spacing", "regular__"),
            reals("step", &[-1.5]),
            reals("direction_cosines", &[0.0, 0.6, 0.8]),
        ];
        variable(own, &[], &attributes, 4, 1024)
    };
    let own = [
        text("signtype", "unsigned"),
        reals("valid_range", &[0.0, 99.0]),
    ];
    let step = if records { 8 } else { 32 };
    let mut variables: Vec<Vec<u8>> = axes.iter().map(place).collect();
    variables.push(variable("image-max", &[0], &[], 6, 1028));
    variables.push(variable("image-min", &[0], &[], 6, 1028 + step));
    variables.push(variable("image", &[0, 1, 2], &own, code, 1028 + 2 * step));
    let count = if records { 4u32 } else { 0 };
    let mut file = [
        &[b'C', b'D', b'F', version],
        &count.to_be_bytes()[..],
        &list(10, &axes.each_ref().map(dimension)),
        &list(12, &[text("history", "a\nb")]),
        &list(11, &variables),
    ]
    .concat();
    let len = 1028 + 64 + 4 * (6 * size).next_multiple_of(4);
    assert!(file.len() <= 1024, "a header of {} bytes", file.len());
    // Numbers from 1 to 4 where ranges are, of whatever bytes.
    file.resize(len, 0x3F);
    file
}

/// A variable of 4 by 4 float64 in a file of Matlab, level 4.
pub(crate) fn mat4(order: ByteOrder, name: &str) -> Vec<u8> {
    let data = 20 + name.len() + 1;
    let mut head = Head::new(data + 128, order);
    head.int(0, 4, if order == ByteOrder::Big { 1000 } else { 0 });
    head.int(4, 4, 4);
    head.int(8, 4, 4);
    head.int(16, 4, name.len() as i64 + 1);
    head.bytes[20..data - 1].copy_from_slice(name.as_bytes());
    put_affine(&mut head, data);
    head.bytes
}

/// The 128 bytes before the variables of a file of level 5.
pub(crate) fn mat5_head(order: ByteOrder) -> Vec<u8> {
    let mut head = Head::new(128, order);
    head.bytes[..116].fill(b' ');
    head.bytes[..19].copy_from_slice(b"MATLAB 5.0 MAT-file");
    head.int(124, 2, 0x100);
    head.int(126, 2, 0x4D49);
    head.bytes
}

/// A variable of level 5: flags, dimensions, name, numbers. Its name has up to
/// four letters.
pub(crate) fn mat5(order: ByteOrder, name: &str, compressed: bool) -> Vec<u8> {
    let mut head = Head::new(8 + 16 + 16 + 8 + 8 + 128, order);
    let size = head.bytes.len() as i64;
    for (at, number) in [
        (0, 14),
        (4, size - 8),
        (8, 6),
        (12, 8),
        (16, 6),
        (24, 5),
        (28, 8),
        (32, 4),
        (36, 4),
        (40, (name.len() as i64) << 16 | 1),
        (48, 9),
        (52, 128),
    ] {
        head.int(at, 4, number);
    }
    head.bytes[44..44 + name.len()].copy_from_slice(name.as_bytes());
    put_affine(&mut head, 56);
    if !compressed {
        return head.bytes;
    }
    let packed = zlib(&head.bytes);
    let mut element = Head::new(8, order);
    element.int(0, 4, 15);
    element.int(4, 4, packed.len() as i64);
    [element.bytes, packed].concat()
}

/// Sixteen float64 that are no whole numbers.
fn put_affine(head: &mut Head, at: usize) {
    for i in 0..16 {
        head.int(at + 8 * i, 8, (1.3 * i as f64).to_bits() as i64);
    }
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A bzip2 stream of blocks of `level` times 100,000 bytes.
pub(crate) fn bzip2(bytes: &[u8], level: u32) -> Vec<u8> {
    use std::io::Write;
    let level = bzip2::Compression::new(level);
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zstd frame, with a checksum or without.
pub(crate) fn zstd(bytes: &[u8], level: i32, checksum: bool) -> Vec<u8> {
    let mut context = zstd_safe::CCtx::create();
    context
        .set_parameter(zstd_safe::CParameter::CompressionLevel(level))
        .unwrap();
    context
        .set_parameter(zstd_safe::CParameter::ChecksumFlag(checksum))
        .unwrap();
    let mut packed = vec![0; zstd_safe::compress_bound(bytes.len())];
    let size = context.compress2(&mut packed[..], bytes).unwrap();
    packed.truncate(size);
    packed
}

/// A skippable frame of zstd.
pub(crate) fn zstd_skippable(size: u32) -> Vec<u8> {
    let mut frame = vec![0x53, 0x2A, 0x4D, 0x18];
    frame.extend(size.to_le_bytes());
    frame.resize(frame.len() + size as usize, b's');
    frame
}
