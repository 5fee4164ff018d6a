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
    explore_shared(&source, codec);
}

/// Decoded bytes that two threads share.
const SHARED: i64 = 3 << 20;

/// Places that the structure of a file shows, and those that reads find, lead
/// to the same data.
fn explore_shared(source: &Source, codec: Codec) {
    let open = |threads| {
        let shape: (&[i64], Order) = (&[SHARED], Order::F);
        let element = (DType::UInt8, ByteOrder::Little);
        let options = Options::new().codec(Some(codec)).threads(threads);
        ArrayProxy::open_layout(source, element, shape, 0, (1.0, 0.0), &options)
    };
    let (Ok(alone), Ok(shared)) = (open(1), open(2)) else {
        return;
    };
    let behind = shared.read_vec::<u8>(&[Slice::from(SHARED - 99..SHARED)]);
    let whole = alone.read_vec::<u8>(&[]);
    // Tables of zstd files may claim sizes that nothing in their frames shows
    // to be wrong.
    let is_told = codec == Codec::Zstd;
    for _ in 0..2 {
        let together = shared.read_vec::<u8>(&[]);
        if let (Ok(whole), Ok(together), false) = (&whole, &together, is_told) {
            assert!(whole == together);
        }
        assert!(
            whole.is_err() || together.is_ok() || is_told,
            "{together:?}"
        );
    }
    if let (Ok(whole), Ok(behind), false) = (&whole, &behind, is_told) {
        assert_eq!(behind[..], whole[(SHARED - 99) as usize..]);
    }
    // Anywhere, as the data say.
    let mut at = whole.as_ref().map_or(1, |whole| i64::from(whole[0]) + 1);
    for _ in 0..4 {
        at = at * 1_103_515_245 % (SHARED - 500);
        let part = shared.read_vec::<u8>(&[Slice::from(at..at + 500)]);
        if let (Ok(whole), Ok(part), false) = (&whole, &part, is_told) {
            assert_eq!(part[..], whole[at as usize..][..500]);
        }
    }
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
