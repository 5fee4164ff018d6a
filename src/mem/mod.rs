//! Arrays and results: memory of the caller's or ours, strided, and unfinished until the
//! read that fills it is done.

// Results may be memory that was never written, reached through strides.
#![allow(unsafe_code)]

mod array;
mod element;
mod memory;
mod target;

pub use array::{Access, Array, Strides};
pub use element::Element;
pub(crate) use element::collect;
pub use target::Buffer;
pub(crate) use target::{Fault, Target};
