//! Any bytes as an AFNI header, and behind a zero byte the image.

#![no_main]

mod common;

use arrayproxy::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (header, image) = common::split_text(data);
    common::files(&header, Some(&image), &[Format::Afni], common::options());
});
