//! Any bytes as a MINC 2 file, found by content and asked for.

#![no_main]

mod common;

use arrayproxy::{ArrayProxy, Format, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let source = Source::memory(data.to_vec());
    let open = |format, strict| {
        let options = common::options().format(format).strict(strict);
        ArrayProxy::open_source(&source, None, &options)
    };
    let asked = open(Some(Format::Minc2), false);
    if let Ok(proxy) = &asked {
        common::explore(proxy);
    }
    for opened in [open(None, false), open(Some(Format::Minc2), true)] {
        let Ok(proxy) = opened else {
            continue;
        };
        if proxy.format() == Format::Minc2 {
            let asked = asked.as_ref().expect("what is found can be asked for");
            assert_eq!(proxy.shape(), asked.shape());
        }
    }
});
