//! Any bytes as a PAR/REC header, and behind a zero byte the images.

#![no_main]

mod common;

use arrayproxy::{Format, Scaling, SliceOrder};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (header, image) = common::split_text(data);
    for (scaling, sort) in [
        (Scaling::Displayed, SliceOrder::Plain),
        (Scaling::FloatingPoint, SliceOrder::Strict),
    ] {
        let options = common::options()
            .truncated(true)
            .scaling(scaling)
            .sort(sort);
        common::files(&header, Some(&image), &[Format::ParRec], options);
    }
});
