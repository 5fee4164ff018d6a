//! Any bytes as a deflate stream: read in one go, in pieces and backward, and
//! decoded ahead, it is what zlib-rs makes of it.

#![no_main]

use arrayproxy::{
    ArrayProxy, ByteOrder, Codec, DType, Error, ErrorKind, Options, Order, Slice, Source,
};
use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;

/// Decoded bytes looked at.
const MOST: usize = 1 << 20;

#[derive(PartialEq, Eq)]
enum End {
    Ended,
    Cut,
    Damaged,
    /// There is more than is looked at.
    Far,
}

fn by_zlib_rs(stream: &[u8]) -> (Vec<u8>, End) {
    let mut inflate = Decompress::new(false);
    let mut data = Vec::with_capacity(MOST);
    loop {
        let used = inflate.total_in() as usize;
        let before = data.len();
        let status = inflate.decompress_vec(&stream[used..], &mut data, FlushDecompress::None);
        let written = inflate.total_out() as usize;
        let end = match status {
            Ok(Status::StreamEnd) => End::Ended,
            _ if written == MOST => End::Far,
            Ok(_) if data.len() > before || inflate.total_in() as usize > used => continue,
            Ok(_) => End::Cut,
            Err(_) => End::Damaged,
        };
        data.truncate(written);
        return (data, end);
    }
}

fn open(stream: &[u8], size: usize, options: &Options) -> ArrayProxy {
    // A header with no name or time. What stands behind the stream is not
    // looked at.
    let wrapped = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], stream].concat();
    let shape: (&[i64], Order) = (&[size as i64], Order::F);
    let element = (DType::UInt8, ByteOrder::Little);
    let source = Source::memory(wrapped);
    let options = options.clone().codec(Some(Codec::Gzip)).verify(false);
    ArrayProxy::open_layout(&source, element, shape, 0, (1.0, 0.0), &options)
        .expect("it begins as gzip does")
}

fuzz_target!(|stream: &[u8]| {
    let (data, mut end) = by_zlib_rs(stream);
    let options = Options::new().cache_bytes(Some(0)).index_spacing(Some(1));
    let whole = open(stream, data.len(), &options).read_vec::<u8>(&[]);
    // Codes without any symbol are taken for damage where they are told, by
    // zlib only where the first would come.
    let told = |error: &Error| {
        error
            .to_string()
            .contains("lengths of codes that cannot be")
    };
    let damaged_by = |behind| by_zlib_rs(&[stream, &[behind; 400]].concat()).1 == End::Damaged;
    if end == End::Cut && whole.as_ref().is_err_and(told) && damaged_by(0) && damaged_by(0xFF) {
        end = End::Damaged;
    }
    if end != End::Damaged {
        assert!(whole.expect("zlib-rs decodes it") == data);
    } else if let Ok(whole) = whole {
        assert!(whole == data);
    }
    if matches!(end, End::Cut | End::Damaged) {
        let more = open(stream, data.len() + 1, &options).read_vec::<u8>(&[]);
        let kind = more.expect_err("zlib-rs does not decode it").kind();
        assert!(matches!(kind, ErrorKind::Codec | ErrorKind::Truncated));
    }
    // The sizes of pieces are the stream's own bytes.
    let proxy = open(stream, data.len(), &options);
    let (mut at, mut pieces) = (0, Vec::new());
    for &size in stream.iter().cycle().take(300) {
        let end = data.len().min(at + 1 + 17 * usize::from(size));
        if at < end {
            pieces.push(at..end);
        }
        at = end;
    }
    let backward = pieces.iter().rev();
    for piece in pieces.iter().chain(backward) {
        let index = [Slice::from(piece.start as i64..piece.end as i64)];
        if let Ok(found) = proxy.read_vec::<u8>(&index) {
            assert!(found == data[piece.clone()], "{piece:?}");
        } else {
            assert!(end == End::Damaged, "{piece:?}");
        }
    }
    let span = 1 + data.len() as u64 / 5;
    let ahead = arrayproxy::decode_ahead(stream, data.len() as u64, span);
    assert!(data.starts_with(&ahead.expect("memory has no errors")));
});
