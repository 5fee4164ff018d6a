//! Any bytes as a header and, behind it, the image of a pair.

#![no_main]

mod common;

use arrayproxy::{ArrayProxy, Format, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (size, forced) in [(348, Format::Nifti1Pair), (540, Format::Nifti2Pair)] {
        let (header, image) = data.split_at(data.len().min(size));
        let (header, image) = (
            Source::memory(header.to_vec()),
            Source::memory(image.to_vec()),
        );
        for format in [None, Some(forced)] {
            let options = common::options().format(format);
            if let Ok(proxy) = ArrayProxy::open_source(&header, Some(&image), &options) {
                common::explore(&proxy);
            }
        }
    }
});
