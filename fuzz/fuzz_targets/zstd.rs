//! Any bytes as a zstd file, and as the blocks of a frame.

#![no_main]

mod stream;

use arrayproxy::Codec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A window of 1 MiB, no checksum.
    let wrapped = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x50], data].concat();
    for bytes in [data.to_vec(), wrapped] {
        stream::explore(bytes, Codec::Zstd);
    }
});
