//! Any text as an index, and the index on an array.

#![no_main]

use arrayproxy::{ArrayProxy, ByteOrder, DType, Options, Order, Source, parse_index};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(index) = parse_index(text) else {
        return;
    };
    let shape = [3, 4, 5];
    let stored: Vec<u8> = (0..60).collect();
    let proxy = ArrayProxy::open_layout(
        &Source::memory(stored.clone()),
        (DType::UInt8, ByteOrder::Little),
        (&shape, Order::F),
        0,
        (1.0, 0.0),
        &Options::new(),
    )
    .expect("the layout fits the bytes");
    let Ok(found) = proxy.slice_shape(&index) else {
        return;
    };
    let values = proxy.read_vec::<u8>(&index).expect("a valid index reads");
    assert_eq!(values.len() as i64, found.iter().product::<i64>());
    assert!(values.iter().all(|value| stored.contains(value)));
});
