//! How fast elements are converted, and selections planned, without files.
//!
//! ```text
//! cargo bench --bench kernels              # all
//! cargo bench --bench kernels -- int16     # those with this in their names
//! ```
//!
//! Conversion is from memory to memory, 256 KiB of stored elements at a time, so
//! both fit a second-level cache; throughput is that of stored bytes. With
//! `RUSTFLAGS="--cfg portable_kernels"` it is that of processors without AVX2.

use std::mem::MaybeUninit;

use arrayproxy::{ArrayProxy, ByteOrder, DType, Options, Order, ReadAs, Source, parse_index};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

const BYTES: usize = 256 << 10;
const SHAPE: [i64; 4] = [96, 96, 60, 300];

/// An array of [`BYTES`] bytes.
fn array(dtype: DType, order: ByteOrder, scaled: bool) -> ArrayProxy {
    // Numbers of any kind, floats near 1 among them.
    let bytes: Vec<u8> = (0..BYTES)
        .map(|i| match i % 8 {
            3 | 7 => 0x3F,
            _ => (i * 37 % 251) as u8,
        })
        .collect();
    let shape = [(BYTES / dtype.size()) as i64];
    let factors = if scaled { (0.25, 1.0) } else { (1.0, 0.0) };
    let (elements, shape) = ((dtype, order), (&shape[..], Order::F));
    let options = Options::new();
    ArrayProxy::open_layout(
        &Source::memory(bytes),
        elements,
        shape,
        0,
        factors,
        &options,
    )
    .unwrap()
}

fn convert(bencher: Bencher<'_, '_>, proxy: &ArrayProxy, read_as: ReadAs) {
    let plan = proxy.plan(&[], read_as).unwrap();
    let mut result = vec![MaybeUninit::new(0u8); plan.nbytes() as usize];
    bencher
        .counter(BytesCount::new(BYTES))
        .bench_local(|| plan.read_into(&mut result[..], 0, None, None).unwrap());
}

const NUMBERS: [DType; 10] = [
    DType::UInt8,
    DType::Int8,
    DType::Int16,
    DType::UInt16,
    DType::Int32,
    DType::UInt32,
    DType::Int64,
    DType::Float16,
    DType::Float32,
    DType::Float64,
];

#[divan::bench(args = NUMBERS)]
fn scaled_to_float32(bencher: Bencher<'_, '_>, from: DType) {
    convert(
        bencher,
        &array(from, ByteOrder::NATIVE, true),
        ReadAs::dtype(DType::Float32),
    );
}

#[divan::bench(args = NUMBERS)]
fn scaled_to_float64(bencher: Bencher<'_, '_>, from: DType) {
    convert(
        bencher,
        &array(from, ByteOrder::NATIVE, true),
        ReadAs::dtype(DType::Float64),
    );
}

#[divan::bench(args = NUMBERS)]
fn swapped_and_scaled_to_float64(bencher: Bencher<'_, '_>, from: DType) {
    let proxy = array(from, ByteOrder::Big, true);
    convert(bencher, &proxy, ReadAs::dtype(DType::Float64));
}

#[divan::bench(args = NUMBERS)]
fn swapped(bencher: Bencher<'_, '_>, from: DType) {
    convert(bencher, &array(from, ByteOrder::Big, false), ReadAs::disk());
}

#[divan::bench(args = NUMBERS)]
fn scaled_to_int16(bencher: Bencher<'_, '_>, from: DType) {
    convert(
        bencher,
        &array(from, ByteOrder::NATIVE, true),
        ReadAs::dtype(DType::Int16),
    );
}

#[divan::bench(args = NUMBERS)]
fn scaled_to_int16_rounded(bencher: Bencher<'_, '_>, from: DType) {
    let read_as = ReadAs::dtype(DType::Int16).round(true);
    convert(bencher, &array(from, ByteOrder::NATIVE, true), read_as);
}

#[divan::bench(args = NUMBERS)]
fn scaled_to_float32_checked(bencher: Bencher<'_, '_>, from: DType) {
    let read_as = ReadAs::dtype(DType::Float32).checked(true);
    convert(bencher, &array(from, ByteOrder::NATIVE, true), read_as);
}

#[divan::bench(args = NUMBERS)]
fn plain_to_uint8(bencher: Bencher<'_, '_>, from: DType) {
    convert(
        bencher,
        &array(from, ByteOrder::NATIVE, false),
        ReadAs::dtype(DType::UInt8),
    );
}

#[divan::bench(args = NUMBERS)]
fn plain_to_int32(bencher: Bencher<'_, '_>, from: DType) {
    convert(
        bencher,
        &array(from, ByteOrder::NATIVE, false),
        ReadAs::dtype(DType::Int32),
    );
}

/// Checking a selection, and what a read would cost: no bytes are touched.
#[divan::bench(args = ["...", "..., 150", "40, 50, 30", "40", ":, :, 30", "::2, ::2, ::2, 0", "::-1"])]
fn plan(bencher: Bencher<'_, '_>, index: &str) {
    let elements = (DType::Int16, ByteOrder::NATIVE);
    let (source, shape) = (Source::memory(Vec::new()), (&SHAPE[..], Order::F));
    let options = Options::new();
    let proxy = ArrayProxy::open_layout(&source, elements, shape, 352, (0.25, 1.0), &options);
    let (proxy, index) = (proxy.unwrap(), parse_index(index).unwrap());
    bencher.bench(|| proxy.plan(&index, ReadAs::auto()).unwrap().cost());
}
