//! Any bytes as the index file of a gzip file: it is refused or useful, and what
//! is read of whole members is right.

#![no_main]

use std::sync::LazyLock;

use arrayproxy::{ArrayProxy, ByteOrder, DType, ErrorKind, Options, Order, Slice, Source};
use libfuzzer_sys::fuzz_target;

/// Enough for two threads to share.
const SIZE: usize = 1_200_000;

/// Bytes of each stored block.
const BLOCK: usize = 50_000;

static DATA: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..SIZE).map(|i| (i / 7 % 251 + i % 3) as u8).collect());

static GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    let blocks = DATA.chunks(BLOCK);
    let last = blocks.len() - 1;
    for (i, block) in blocks.enumerate() {
        let len = block.len() as u16;
        bytes.push(u8::from(i == last));
        bytes.extend(len.to_le_bytes());
        bytes.extend((!len).to_le_bytes());
        bytes.extend(block);
    }
    let crc = DATA.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    bytes.extend((!crc).to_le_bytes());
    bytes.extend((SIZE as u32).to_le_bytes());
    bytes
});

fn open(threads: usize) -> ArrayProxy {
    let shape: (&[i64], Order) = (&[SIZE as i64], Order::F);
    let element = (DType::UInt8, ByteOrder::Little);
    let options = Options::new().threads(threads);
    let source = Source::memory(GZIP.clone());
    ArrayProxy::open_layout(&source, element, shape, 0, (1.0, 0.0), &options).unwrap()
}

fuzz_target!(|data: &[u8]| {
    let name = format!("arrayproxy-fuzz-{}.gzidx", std::process::id());
    let path = std::env::temp_dir().join(name);
    // The sizes of both, which are hard to find.
    let mut fitting = data.to_vec();
    if let Some(sizes) = fitting.get_mut(7..23) {
        sizes[..8].copy_from_slice(&(GZIP.len() as u64).to_le_bytes());
        sizes[8..].copy_from_slice(&(SIZE as u64).to_le_bytes());
    }
    for bytes in [data, &fitting] {
        std::fs::write(&path, bytes).unwrap();
        let proxy = open(2);
        if let Err(error) = proxy.load_index(&path) {
            assert_eq!(error.kind(), ErrorKind::SeekIndex, "{error}");
            assert_eq!(proxy.index_info().points, 0);
        }
        // A part may be wrong if the file says so without a checksum.
        for at in [SIZE - 100, 700_001, 99_990] {
            let _ = proxy.read_vec::<u8>(&[Slice::from(at as i64..at as i64 + 100)]);
        }
        let whole = proxy.read_vec::<u8>(&[]);
        assert!(whole.expect("the data are good") == *DATA);
    }
});
