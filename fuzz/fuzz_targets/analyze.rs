//! Any bytes as a header of Analyze, SPM99 or SPM2 and, behind it, the image.

#![no_main]

mod common;

use arrayproxy::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (header, image) = common::split(data, 348);
    let formats = [Format::Analyze, Format::Spm99, Format::Spm2];
    common::files(&header, Some(&image), &formats, common::options());
});
