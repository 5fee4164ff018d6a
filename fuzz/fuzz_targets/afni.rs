//! Any bytes as an AFNI header, and behind a zero byte the image.

#![no_main]

mod common;

use arrayproxy::{ArrayProxy, Format, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == 0);
    let (header, image) = data.split_at(end.unwrap_or(data.len()));
    let (header, image) = (
        Source::memory(header.to_vec()),
        Source::memory(image.to_vec()),
    );
    let open = |format, strict| {
        let options = common::options().format(format).strict(strict);
        ArrayProxy::open_source(&header, Some(&image), &options)
    };
    let asked = open(Some(Format::Afni), false);
    if let Ok(proxy) = &asked {
        common::explore(proxy);
    }
    for opened in [open(None, false), open(Some(Format::Afni), true)] {
        let Ok(proxy) = opened else {
            continue;
        };
        if proxy.format() == Format::Afni {
            let asked = asked.as_ref().expect("what is found can be asked for");
            assert_eq!(proxy.shape(), asked.shape());
        }
    }
});
