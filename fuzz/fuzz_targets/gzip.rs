//! Any bytes as a gzip file, and as the deflate stream inside one.

#![no_main]

mod stream;

use arrayproxy::Codec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A header with no name or time; checksum and length are the data's.
    let wrapped = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], data].concat();
    for bytes in [data.to_vec(), wrapped] {
        stream::explore(bytes, Codec::Gzip);
    }
});
