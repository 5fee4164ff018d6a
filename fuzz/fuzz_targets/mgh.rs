//! Any bytes as an MGH file, found by content and asked for.

#![no_main]

mod common;

use arrayproxy::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| common::file(data, &[Format::Mgh]));
