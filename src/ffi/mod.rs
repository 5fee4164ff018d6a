//! The C ABI, a thin layer over the Rust API. Its manual is the header
//! `arrayproxy.h`, which is made from this module.
//!
//! Every function goes through `guard`, so that no panic crosses the border; the
//! few that only set or get numbers of a control cannot panic, and may run in
//! signal handlers.
//! Integers from C are checked and turned into Rust's types before use, and
//! handles are boxes of reference-counted values, so they may be freed in any
//! order.

// The names are C's, and pointers from C are what this room is for.
#![allow(unsafe_code, non_camel_case_types)]
// The rules that make calls safe are the header's, said once for all.
#![allow(clippy::missing_safety_doc)]

mod array;
mod control;
mod dlpack;
mod dtype;
mod fields;
mod guard;
mod image;
mod meta;
mod open;
mod options;
mod plan;
mod read;
mod seekindex;
mod series;
mod slice;
mod source;
mod status;
mod version;

pub use array::*;
pub use control::*;
pub use dlpack::*;
pub use dtype::*;
pub use fields::*;
pub use image::*;
pub use meta::*;
pub use open::*;
pub use options::*;
pub use plan::*;
pub use read::*;
pub use seekindex::*;
pub use series::*;
pub use slice::*;
pub use source::*;
pub use status::*;
pub use version::*;
