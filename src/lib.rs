//! Read parts of N-d arrays in neuroimaging files without loading the rest.
//!
//! An [`ArrayProxy`] knows an image's shape, type, scaling and affine, and
//! fetches just the selection asked for, scaled and cast, straight into the
//! caller's memory. An [`Image`] is such an array or one in memory, with its
//! place in the world, and keeps what was read. Values, shapes and types are NiBabel's. The C ABI in
//! [`ffi`] is a thin layer over this API; its header is `arrayproxy.h`.
//!
//! ```no_run
//! use arrayproxy::{ArrayProxy, Slice};
//!
//! let proxy = ArrayProxy::open("bold.nii.gz")?;
//! println!("{:?} of {}", proxy.shape(), proxy.disk_dtype());
//! let volume: Vec<f32> = proxy.read_vec(&[Slice::Ellipsis, 1.into()])?;
//! # Ok::<(), arrayproxy::Error>(())
//! ```
//!
//! # The way of a read
//!
//! ```text
//! path -> io -> codec -> format -> proxy -> the caller's memory
//!        bytes  decoded  header    plan, read,
//!               bytes    -> layout convert
//! ```
//!
//! 1. **Opening.** `proxy` opens the path, asks `codec` what compression its
//!    first bytes show, and hands decoded bytes to `format`, which reads the
//!    header: a `Layout` (where each element lies), slope and intercept,
//!    affine, and notes on what was odd. If the header says that the array, or
//!    a better affine, is in another file, `proxy` finds it.
//! 2. **Planning.** `core::slice` turns an index into a selection, by NumPy's
//!    rules. `core::plan` lays it over the layout: for each block touched, a
//!    walk of nested loops in ascending order of source bytes, cut into
//!    pieces that are worth reading in one go. `kernel` is chosen by stored
//!    type, scaling and result type.
//! 3. **Reading.** All selections of a call become one queue of pieces, from
//!    which one thread or several take the next. Piece by piece, bytes come by
//!    `io` and `codec` into a scratch buffer that fits the cache, and the
//!    kernel swaps, scales and casts them once on their way to their place in
//!    the result, whose bounds `mem` keeps. Long runs that need no conversion,
//!    or only a swap of bytes, go there directly; many short runs of an
//!    uncompressed file come from a map; results that run across the file are
//!    read and turned in tiles. The rules are those of `proxy::ways`. Nothing is
//!    read twice, and no copy of the whole result is made.
//!
//! # Compressed files
//!
//! A decoder only goes forward. On its way it leaves behind what later reads
//! begin with: places in the seek index (`codec::index`), the last decoded
//! bytes (`codec::cache`), and itself. Places are where threads begin, too, so
//! what one pass found lets the next be shared; where there are none yet, threads
//! decode gzip's data ahead, from blocks that they find (`codec::ahead`). The
//! checksums of the parts between places (`codec::sums`) are compared whenever
//! such a part is decoded again, and joined to compare that of a whole member.
//!
//! # The rooms
//!
//! | room | what it does | may use |
//! |---|---|---|
//! | `error` | the one error type | |
//! | `threads` | starts threads, which end within the call | |
//! | `control` | cancel, progress, limit of threads | `threads` |
//! | `core` | values: types, shapes, slices, layouts, plans; no files, no threads, no unsafe | `error` |
//! | `kernel` | swap, scale, cast | `core` |
//! | `mem` | arrays and results: owned, borrowed, strided, unfinished | `kernel`, `core` |
//! | `io` | bytes at an offset: files, maps, memory | `error` |
//! | `codec` | compressed bytes as bytes at an offset; the seek index | `io`, `threads` |
//! | `format` | headers into layouts and metadata; bytes by a trait of its own | `core` |
//! | `proxy` | paths, siblings, detection, planning, reading; the Rust API | `format`, `codec`, `io`, `mem`, `kernel`, `core`, `threads` |
//! | `ffi` | the C ABI: NULL checks, panics, errors, handles | `proxy` and what it returns |
//!
//! All may use `error` and `control`. A test keeps these arrows, and that
//! unsafe code stays in `ffi`, `io`, `mem`, `kernel` and `codec::inflate`.
//!
//! A `Layout` is a regular grid of blocks, each with a source number, an offset
//! and what its bytes mean, and signed strides that hold in all of them. A plain
//! image is one block; series, frames and chunks are more of the same. A part of
//! an array is a selection on its layout, which the next selection is made of.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod codec;
mod control;
mod core;
mod error;
pub mod ffi;
mod format;
mod io;
mod kernel;
mod mem;
mod proxy;
mod threads;

#[cfg(test)]
#[path = "../tests/common/random.rs"]
mod random;

#[cfg(fuzzing)]
pub use codec::decode_ahead;
pub use codec::{Codec, IndexInfo};
pub use control::Control;
pub use core::dtype::{ByteOrder, DType, Kind, Order};
pub use core::scale::FactorType;
pub use core::shape::MAX_NDIM;
pub use core::slice::Slice;
pub use core::slice_text::parse_index;
pub use error::{Error, ErrorKind, Result};
pub use format::{Extension, Footer, Format, Scaling, SliceOrder, Tag, Which};
pub use io::{Kept, Mapping, OwnBytes, ReadAt, ReadBuf, View};
pub use mem::{Access, Array, Buffer, Element, Strides};
pub use proxy::{
    ArrayProxy, Batch, Image, IndexFile, IndexMode, Options, Plan, ReadAs, Source, ViewAs,
};
