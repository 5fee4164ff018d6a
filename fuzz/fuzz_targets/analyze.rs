//! Any bytes as a header of Analyze, SPM99 or SPM2 and, behind it, the image.

#![no_main]

mod common;

use arrayproxy::{ArrayProxy, Format, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (header, image) = data.split_at(data.len().min(348));
    let (header, image) = (
        Source::memory(header.to_vec()),
        Source::memory(image.to_vec()),
    );
    for format in [
        None,
        Some(Format::Analyze),
        Some(Format::Spm99),
        Some(Format::Spm2),
    ] {
        let options = common::options().format(format);
        let opened = ArrayProxy::open_source(&header, Some(&image), &options);
        if let Ok(proxy) = &opened {
            common::explore(proxy);
        }
        let strict = options.strict(true);
        if let Ok(proxy) = ArrayProxy::open_source(&header, Some(&image), &strict) {
            let lenient = opened.expect("what opens strictly opens");
            assert_eq!(proxy.shape(), lenient.shape());
        }
    }
});
