//! Any bytes as a single file, plain or gzip.

#![no_main]

mod common;

use arrayproxy::{ArrayProxy, Format, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let source = Source::memory(data.to_vec());
    for format in [None, Some(Format::Nifti1), Some(Format::Nifti2)] {
        let options = common::options().format(format);
        let opened = ArrayProxy::open_source(&source, None, &options);
        if let Ok(proxy) = &opened {
            common::explore(proxy);
        }
        if let Ok(proxy) = ArrayProxy::open_source(&source, None, &options.strict(true)) {
            let lenient = opened.expect("what opens strictly opens");
            assert_eq!(proxy.shape(), lenient.shape());
        }
    }
});
