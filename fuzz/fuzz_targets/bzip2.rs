//! Any bytes as a bzip2 file, and as the first block of one.

#![no_main]

mod stream;

use arrayproxy::Codec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Level 1; the block's checksum comes first.
    let wrapped = [b"BZh11AY&SY", data].concat();
    for bytes in [data.to_vec(), wrapped] {
        stream::explore(bytes, Codec::Bzip2);
    }
});
