//! Any bytes as a compressed file: what can be read of it does not depend on
//! where reading begins.

use arrayproxy::{ArrayProxy, ByteOrder, Codec, DType, Options, Order, Slice, Source};

/// Decoded bytes looked at.
const SIZE: i64 = 200_000;

pub fn explore(bytes: Vec<u8>, codec: Codec) {
    let source = Source::memory(bytes);
    for verify in [true, false] {
        let options = Options::new().codec(Some(codec)).verify(verify);
        explore_with(&source, &options);
    }
    explore_with(&source, &Options::new());
}

fn explore_with(source: &Source, options: &Options) {
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
