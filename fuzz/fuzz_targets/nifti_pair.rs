//! Any bytes as a header and, behind it, the image of a pair.

#![no_main]

mod common;

use arrayproxy::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (size, format) in [(348, Format::Nifti1Pair), (540, Format::Nifti2Pair)] {
        let (header, image) = common::split(data, size);
        common::files(&header, Some(&image), &[format], common::options());
    }
});
