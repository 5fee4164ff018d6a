//! Files of Matlab made by bytes: both levels, both byte orders, damage.

use super::*;

const ORDERS: [ByteOrder; 2] = [ByteOrder::Little, ByteOrder::Big];

/// 16 values in column-major order: row r, column c is 10 r + c.
fn values(count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(|i| (10 * (i % 4) + i % 16 / 4) as f64)
}

struct Writer {
    order: ByteOrder,
    bytes: Vec<u8>,
}

impl Writer {
    fn new(order: ByteOrder) -> Writer {
        Writer {
            order,
            bytes: Vec::new(),
        }
    }

    fn i32(mut self, values: &[i32]) -> Writer {
        for value in values {
            self.bytes.extend(match self.order {
                ByteOrder::Little => value.to_le_bytes(),
                ByteOrder::Big => value.to_be_bytes(),
            });
        }
        self
    }

    fn f64(mut self, values: impl Iterator<Item = f64>) -> Writer {
        for value in values {
            self.bytes.extend(match self.order {
                ByteOrder::Little => value.to_le_bytes(),
                ByteOrder::Big => value.to_be_bytes(),
            });
        }
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Writer {
        self.bytes.extend(bytes);
        self
    }

    /// An element of level 5, padded.
    fn element(self, kind: i32, content: &[u8]) -> Writer {
        let mut file = self.i32(&[kind, content.len() as i32]).raw(content);
        let padded = file.bytes.len().next_multiple_of(8);
        file.bytes.resize(padded, 0);
        file
    }
}

fn level4(order: ByteOrder, name: &str, columns: i32) -> Vec<u8> {
    let kind = if order == ByteOrder::Little { 0 } else { 1000 };
    Writer::new(order)
        .i32(&[kind, 4, columns, 0, name.len() as i32 + 1])
        .raw(name.as_bytes())
        .raw(&[0])
        .f64(values(4 * columns as usize))
        .bytes
}

fn level5(order: ByteOrder, class: i32, name: &str, shape: &[i32]) -> Vec<u8> {
    let new = || Writer::new(order);
    let count = shape.iter().product::<i32>() as usize;
    let matrix = new()
        .element(6, &new().i32(&[class, 0]).bytes)
        .element(5, &new().i32(shape).bytes)
        .element(1, name.as_bytes())
        .element(9, &new().f64(values(count)).bytes);
    new().element(14, &matrix.bytes).bytes
}

fn header5(order: ByteOrder) -> Vec<u8> {
    let mut head = vec![b' '; 124];
    head.extend(match order {
        ByteOrder::Little => [0, 1, b'I', b'M'],
        ByteOrder::Big => [1, 0, b'M', b'I'],
    });
    head
}

fn find(file: &[u8]) -> Result<[Option<Variable>; 2]> {
    read(&file, ["mat", "M"])
}

#[test]
fn both_levels_in_both_orders() {
    for order in ORDERS {
        let text = level5(order, 4, "text", &[1, 20]);
        let files = [
            [level4(order, "other", 2), level4(order, "mat", 4)].concat(),
            [
                header5(order),
                text.clone(),
                level5(order, 6, "mat", &[4, 4]),
            ]
            .concat(),
            [header5(order), level5(order, 6, "mat", &[4, 4, 3]), text].concat(),
        ];
        for (file, planes) in files.into_iter().zip([2, 2, 3]) {
            let [mat, m] = find(&file).unwrap();
            let mat = mat.unwrap();
            assert!(m.is_none());
            assert_eq!(mat.shape.len(), planes);
            let matrix = mat.matrix().unwrap();
            assert_eq!(
                (matrix[0], matrix[3]),
                ([0.0, 1.0, 2.0, 3.0], [30.0, 31.0, 32.0, 33.0])
            );
        }
    }
}

#[test]
fn what_is_no_affine_is_said() {
    let order = ByteOrder::Little;
    for file in [
        level4(order, "M", 3),
        [header5(order), level5(order, 6, "M", &[4, 5])].concat(),
        [header5(order), level5(order, 4, "M", &[4, 4])].concat(),
        [header5(order), level5(order, 6 | 0x800, "M", &[4, 4])].concat(),
        [header5(order), level5(order, 6, "M", &[4, 4, 0])].concat(),
        [header5(order), level5(order, 6, "M", &[16])].concat(),
    ] {
        let m = find(&file).unwrap()[1].clone().unwrap();
        assert!(m.matrix().unwrap_err().contains("4 by 4"));
    }
}

#[test]
fn the_last_of_a_name_counts() {
    let order = ByteOrder::Big;
    let [_, m] = find(&[level4(order, "M", 4), level4(order, "M", 5)].concat()).unwrap();
    assert_eq!(m.unwrap().shape, [4, 5]);
}

#[test]
fn damage_is_named_by_its_byte() {
    let order = ByteOrder::Little;
    let four = level4(order, "mat", 4);
    let five = [header5(order), level5(order, 6, "mat", &[4, 4])].concat();
    for len in 1..four.len() {
        assert_eq!(
            find(&four[..len]).unwrap_err().kind(),
            ErrorKind::Header,
            "cut at {len}"
        );
    }
    for len in (1..five.len()).filter(|&len| len != 128) {
        assert_eq!(
            find(&five[..len]).unwrap_err().kind(),
            ErrorKind::Header,
            "cut at {len}"
        );
    }
    let error = find(&[&four[..], &[1, 0, 0]].concat()).unwrap_err();
    assert_eq!(error.offset(), Some(four.len() as u64));
    for at in 0..five.len() {
        for value in [0, 1, 0x7F, 0xFF] {
            let mut damaged = five.clone();
            damaged[at] = value;
            let _ = find(&damaged);
        }
    }
    assert!(find(b"1 0 0 -90\n0 1 0 -126\n0 0 1 -72\n0 0 0 1\n").is_err());
    let mut newer = five;
    newer[125] = 2;
    let error = find(&newer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("7.3"));
}

/// A file that is decoded as compressed ones are: bytes behind what was read
/// at first come once, in their order.
struct Forward<'a> {
    file: &'a [u8],
    read: std::cell::Cell<u64>,
}

impl Bytes for Forward<'_> {
    fn bytes_at(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        assert!(
            offset >= self.read.get() || offset < 128,
            "back to {offset}"
        );
        let bytes = self.file.bytes_at(offset, len)?;
        self.read.set(offset + bytes.len() as u64);
        Ok(bytes)
    }
    fn most(&self) -> Option<u64> {
        None
    }
    fn inflated(&self, stream: &[u8], most: usize) -> Result<Vec<u8>> {
        crate::codec::zlib(stream, most)
    }
}

fn find_forward(file: &[u8]) -> Result<[Option<Variable>; 2]> {
    let read_to = std::cell::Cell::new(0);
    read(
        &Forward {
            file,
            read: read_to,
        },
        ["mat", "M"],
    )
}

fn compressed(order: ByteOrder, variable: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    std::io::Write::write_all(&mut encoder, variable).unwrap();
    let packed = encoder.finish().unwrap();
    let tag = Writer::new(order).i32(&[15, packed.len() as i32]);
    tag.raw(&packed).bytes
}

#[test]
fn what_is_not_wanted_is_gone_over() {
    for order in ORDERS {
        let affine = level5(order, 6, "mat", &[4, 4]);
        let large = level5(order, 6, "large", &[300, 300]);
        // An object (class 17) has no dimensions.
        let flags = Writer::new(order).i32(&[17, 0]).bytes;
        let object = Writer::new(order)
            .element(6, &flags)
            .element(1, b"mat")
            .bytes;
        let object = Writer::new(order).element(14, &object).bytes;
        let file = [header5(order), large.clone(), affine, object].concat();
        assert_eq!(find(&file).unwrap()[0].clone().unwrap().shape, [4, 4]);
        // Of what is gone over, the end must be there.
        for file in [
            [header5(order), large].concat(),
            level4(order, "large", 500),
        ] {
            assert!(find(&file).is_ok());
            let error = find(&file[..file.len() - 1]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Header);
        }
    }
}

#[test]
fn files_are_gone_through_once() {
    for order in ORDERS {
        let affine = level5(order, 6, "mat", &[4, 4, 2]);
        let large = level5(order, 6, "large", &[300, 300]);
        let files = [
            [
                level4(order, "large", 5000),
                level4(order, "mat", 4),
                level4(order, "a", 4),
            ]
            .concat(),
            [header5(order), large.clone(), affine.clone(), large.clone()].concat(),
            [
                header5(order),
                compressed(order, &large),
                compressed(order, &affine),
                compressed(order, &large),
            ]
            .concat(),
        ];
        for file in files {
            let [mat, _] = find_forward(&file).unwrap();
            assert_eq!(mat.unwrap().matrix().unwrap()[1], [10.0, 11.0, 12.0, 13.0]);
        }
    }
}

/// The checksum of many affines stands behind all of them.
#[test]
fn damaged_compressed_affines_are_found() {
    let order = ByteOrder::Little;
    let variable = level5(order, 6, "mat", &[4, 4, 40]);
    let file = [header5(order), compressed(order, &variable)].concat();
    let wanted = find_forward(&file).unwrap()[0].clone().unwrap();
    let matrix = wanted.matrix().unwrap();
    let mut refused = 0;
    for bit in 8 * 136..8 * file.len() {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match find_forward(&damaged) {
            Ok([mat, _]) => assert!(
                mat.is_none_or(|mat| mat.matrix() == Ok(matrix)),
                "bit {bit}"
            ),
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.offset()),
                    (ErrorKind::Header, Some(128))
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 7 * (file.len() - 136), "{refused}");
    let endless = Writer::new(order).i32(&[14, 64 << 20]).bytes;
    let error = find(&[header5(order), endless].concat()).unwrap_err();
    assert_eq!(
        (error.kind(), error.offset()),
        (ErrorKind::Header, Some(128))
    );
}
