//! Any bytes as a single file, plain or gzip.

#![no_main]

mod common;

use arrayproxy::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| common::file(data, &[Format::Nifti1, Format::Nifti2]));
