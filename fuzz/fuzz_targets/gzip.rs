//! Any bytes as a gzip file, and as the deflate stream inside one. What can be
//! read of it does not depend on where reading begins.

#![no_main]

use arrayproxy::{ArrayProxy, ByteOrder, Codec, DType, Options, Order, Slice, Source};
use libfuzzer_sys::fuzz_target;

/// Decoded bytes looked at.
const SIZE: i64 = 200_000;

fuzz_target!(|data: &[u8]| {
    // A header with no name or time; checksum and length are the data's.
    let wrapped = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], data].concat();
    for bytes in [data.to_vec(), wrapped] {
        let source = Source::memory(bytes);
        for verify in [true, false] {
            explore(
                &source,
                &Options::new().codec(Some(Codec::Gzip)).verify(verify),
            );
        }
    }
});

fn explore(source: &Source, options: &Options) {
    let open = || {
        let shape: (&[i64], Order) = (&[SIZE], Order::F);
        let element = (DType::UInt8, ByteOrder::Little);
        ArrayProxy::open_layout(source, element, shape, 0, (1.0, 0.0), options)
    };
    let (Ok(once), Ok(again)) = (open(), open()) else {
        return;
    };
    let whole = once.read_vec::<u8>(&[]);
    for (start, stop) in [
        (SIZE - 10, SIZE),
        (70_000, 70_100),
        (0, 10),
        (40_000, 140_000),
    ] {
        let index = [Slice::from(start..stop)];
        let part = again.read_vec::<u8>(&index);
        if let (Ok(whole), Ok(part)) = (&whole, &part) {
            assert_eq!(part[..], whole[start as usize..stop as usize]);
        }
        assert!(whole.is_err() || part.is_ok(), "{part:?}");
    }
}
