//! Any bytes as a PAR/REC header, and behind a zero byte the images.

#![no_main]

mod common;

use arrayproxy::{ArrayProxy, Format, Scaling, SliceOrder, Source};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|&byte| byte == 0);
    let (header, image) = data.split_at(end.unwrap_or(data.len()));
    let (header, image) = (
        Source::memory(header.to_vec()),
        Source::memory(image.to_vec()),
    );
    let open = |format, strict, sort| {
        let options = common::options()
            .format(format)
            .strict(strict)
            .truncated(true)
            .scaling(match strict {
                true => Scaling::FloatingPoint,
                false => Scaling::Displayed,
            })
            .sort(sort);
        ArrayProxy::open_source(&header, Some(&image), &options)
    };
    let asked = open(Some(Format::ParRec), false, SliceOrder::Plain);
    if let Ok(proxy) = &asked {
        common::explore(proxy);
    }
    for opened in [
        open(None, false, SliceOrder::Strict),
        open(Some(Format::ParRec), true, SliceOrder::Strict),
    ] {
        let Ok(proxy) = opened else {
            continue;
        };
        if proxy.format() == Format::ParRec {
            // The order changes which volume is which, not how many there are.
            let asked = asked.as_ref().expect("what is found can be asked for");
            assert_eq!(proxy.shape(), asked.shape());
            common::explore(&proxy);
        }
    }
});
