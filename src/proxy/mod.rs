//! Ties the rooms together: open, plan, read, reshape. The safe Rust API.

mod ahead;
mod batch;
mod failure;
mod fields;
mod footer;
mod found;
mod image;
mod index;
mod lists;
mod open;
mod options;
mod part;
mod plan;
mod pool;
mod queue;
mod read;
mod series;
mod source;
mod sources;
mod space;
mod ways;

#[cfg(feature = "ndarray")]
mod arrays;

pub use batch::Batch;
pub use image::Image;
pub use options::{IndexFile, IndexMode, Options};
pub use part::ViewAs;
pub use plan::{Plan, ReadAs};
pub use source::Source;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::codec::{Codec, Packed};
use crate::control::Control;
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::Layout;
use crate::core::scale::Meaning;
use crate::core::shape;
use crate::core::slice::{Selection, Slice};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Affine, Entry, Extension, Format};
use crate::io::ReadAt;
use crate::mem::Element;
use footer::LateFooter;
use pool::{Lease, Pool};
use space::{Space, Zoom};

/// An array in a file: shape, type, scaling and place of the data, no data.
///
/// It never changes after opening and may be used from many threads at once.
/// Clones and reshaped proxies share its file and are cheap.
///
/// ```no_run
/// use arrayproxy::{ArrayProxy, Slice};
///
/// let proxy = ArrayProxy::open("bold.nii.gz")?;
/// assert_eq!(proxy.shape(), [96, 96, 60, 300]);
/// // One volume, scaled, in column-major order.
/// let volume: Vec<f32> = proxy.read_vec(&[Slice::Ellipsis, 150.into()])?;
/// # Ok::<(), arrayproxy::Error>(())
/// ```
#[derive(Clone)]
pub struct ArrayProxy {
    shared: Arc<Shared>,
    layout: Arc<Layout>,
    /// What is left of the layout, if that is a part.
    part: Option<Arc<Part>>,
    /// Where the axes lie in space, if they are not the file's.
    space: Option<Arc<Space>>,
}

/// A part of a layout.
struct Part {
    selection: Selection,
    shape: Vec<i64>,
}

/// What all proxies of a file, or of a series of files, have in common.
struct Shared {
    sources: Vec<Data>,
    /// Which of many sources are open.
    pool: Option<Pool>,
    /// The file that the header is in, if it is another one: not held open.
    header_data: Option<Data>,
    /// Where it is, or where the header's own file is.
    header_path: Option<PathBuf>,
    format: Format,
    codec: Codec,
    /// What stored bytes mean, by the number that blocks have of it.
    meanings: Vec<Meaning>,
    /// Type of scaled elements, if any are.
    scaled: Option<DType>,
    /// Where the elements of the whole array lie.
    layout: Arc<Layout>,
    /// Which of its axes are those of the affine, column by column.
    spatial: Vec<usize>,
    /// Voxel sizes; `None` where the format has none.
    zooms: Option<Vec<Zoom>>,
    /// What the header says of the size of one axis more.
    next_zoom: f64,
    affine: Affine,
    footer: Option<LateFooter>,
    header: Vec<u8>,
    /// The fields of a header that is a text.
    entries: Vec<Entry>,
    /// Listed when they are asked for.
    extensions: OnceLock<Vec<Extension>>,
    warnings: Vec<String>,
    max_bytes: Option<u64>,
    /// As [`Options::threads`].
    threads: usize,
}

impl Shared {
    /// The data of a source, to be read until the lease ends.
    fn enter(&self, number: usize, control: Option<&Control>) -> Result<Lease<'_>> {
        match &self.pool {
            Some(pool) => pool.enter(number, &self.sources, control),
            None => Ok(Lease::of(&self.sources[number])),
        }
    }
}

/// The type of elements of which some are scaled: the widest that any of them
/// is delivered in. `None` if none are.
fn scaled_dtype(meanings: &[Meaning], stored: DType) -> Option<DType> {
    let scaling = meanings
        .iter()
        .filter(|meaning| meaning.factors.is_scaling());
    let dtypes = scaling.map(|meaning| meaning.factors.auto_dtype(stored));
    dtypes.max_by_key(|dtype| dtype.size())
}

/// A source of the layout, decoded, with what errors call it.
struct Data {
    bytes: Arc<dyn ReadAt>,
    /// What there is beside the decoded bytes, if they are compressed.
    packed: Option<Arc<dyn Packed>>,
    codec: Codec,
    path: Option<PathBuf>,
    /// Whether files stay open between reads.
    keep_open: bool,
    /// Whether it is one of many, of which few are open at a time.
    pooled: bool,
    /// What tells the file from others under the same name.
    stamp: Option<(u64, u128)>,
    /// Bytes that there are at most, as far as the file's size tells.
    most: Option<u64>,
    /// Where the array ends.
    end: u64,
    /// Where the seek index is kept for the user's next programs.
    home: Option<index::Home>,
}

impl Data {
    /// The bytes for several reads in a row.
    fn pinned(&self) -> Result<Arc<dyn ReadAt>> {
        let pinned = self.bytes.pin().map_err(|error| self.blame(error))?;
        Ok(pinned.unwrap_or_else(|| self.bytes.clone()))
    }

    /// Read in another way than by a plan: once more if it was an index that
    /// led astray.
    fn trusting<T>(&self, mut read: impl FnMut(&dyn ReadAt) -> Result<T>) -> Result<T> {
        let done = match &self.packed {
            Some(packed) => read::trusting(&**packed, |_| read(&*self.pinned()?)),
            None => read(&*self.pinned()?),
        };
        done.map_err(|error| self.blame(error))
    }

    fn truncated(&self, found: u64, wanted: u64) -> Error {
        let what = match self.codec {
            Codec::None => "the file's bytes",
            _ => "the decoded bytes",
        };
        let text = format!(
            "the data end before the array does: {what} end at {found}, wanted up to {wanted}"
        );
        Error::new(ErrorKind::Truncated, text).at(found)
    }

    /// An error about this source.
    fn blame(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

impl ArrayProxy {
    /// Open a file with the default [`Options`] and find its format. A pair
    /// (.hdr, .img) opens by either name. Only the header is read.
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<ArrayProxy> {
        Self::open_with(path, &Options::default())
    }

    /// Open a file.
    pub fn open_with(path: impl AsRef<std::path::Path>, options: &Options) -> Result<ArrayProxy> {
        open::path(path.as_ref(), options)
    }

    /// Open from sources; `image` holds the data of a pair.
    pub fn open_source(
        header: &Source,
        image: Option<&Source>,
        options: &Options,
    ) -> Result<ArrayProxy> {
        open::sources(header, image, options)
    }

    /// Open an array whose layout the caller knows: element (0,...,0) lies at
    /// byte `offset` of the decoded data, and values mean
    /// `stored * slope + inter`.
    pub fn open_layout(
        source: &Source,
        (dtype, byte_order): (DType, ByteOrder),
        (shape, order): (&[i64], Order),
        offset: u64,
        (slope, inter): (f64, f64),
        options: &Options,
    ) -> Result<ArrayProxy> {
        let layout = Layout::packed(dtype, order, shape, offset).ok_or_else(|| {
            let text = format!(
                "shape {} of type {dtype} at byte {offset} is no array: axes must be 0 or more, \
                 {} at most, and all within 2^63 bytes",
                shape::text(shape),
                shape::MAX_NDIM
            );
            Error::new(ErrorKind::Argument, text)
        })?;
        open::layout(source, (layout, byte_order), (slope, inter), options)
    }

    /// Give back what can be made again: decoded data, decoders and the open
    /// file. The next read opens the file anew, and fails if it differs.
    pub fn trim(&self) {
        self.shared
            .sources
            .iter()
            .for_each(|data| data.bytes.trim());
    }

    /// Lengths of the axes, the first in the file's order first (x in NIfTI).
    pub fn shape(&self) -> &[i64] {
        match &self.part {
            Some(part) => &part.shape,
            None => &self.layout.shape,
        }
    }

    /// Number of elements.
    pub fn size(&self) -> i64 {
        // Checked when the layout was made.
        shape::count(self.shape()).unwrap_or(i64::MAX)
    }

    /// Type of the stored elements.
    pub fn disk_dtype(&self) -> DType {
        self.layout.dtype
    }

    /// Type of the elements that [`ReadAs::default`] gives.
    pub fn auto_dtype(&self) -> DType {
        self.shared
            .scaled
            .unwrap_or_else(|| self.layout.dtype.usable())
    }

    /// Order of the stored elements.
    pub fn order(&self) -> Order {
        self.layout.order
    }

    /// Byte order of the stored elements; of a series that of the file that the
    /// first of them is in.
    pub fn byte_order(&self) -> ByteOrder {
        let block = self.first_block();
        let meaning = block.map_or(0, |block| block.meaning);
        self.shared.meanings[meaning as usize].byte_order
    }

    /// Byte order of the header.
    fn header_order(&self) -> ByteOrder {
        self.shared.meanings[0].byte_order
    }

    /// Byte of the first element in the decoded data.
    pub fn data_offset(&self) -> Result<u64> {
        self.first_byte().ok_or_else(|| {
            let text = "the elements lie in several blocks, which have no one offset";
            Error::new(ErrorKind::Unsupported, text)
        })
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.shared.format
    }

    /// How the data are compressed.
    pub fn codec(&self) -> Codec {
        self.shared.codec
    }

    /// Whether values are scaled unless told otherwise. A part of an array is
    /// as scaled as the whole, so that all parts have one type.
    pub fn is_scaled(&self) -> bool {
        self.shared.scaled.is_some()
    }

    /// Shape of a block of at most `nbytes` bytes, as stored, that is cheap to
    /// read and divides the array sensibly: along the slowest axes first, into
    /// parts of about the same length. At least one element.
    pub fn chunk_shape(&self, nbytes: u64) -> Vec<i64> {
        let mut chunk = vec![1; self.shape().len()];
        let mut axes: Vec<usize> = (0..chunk.len()).collect();
        if self.order() == Order::C {
            axes.reverse();
        }
        let mut room = nbytes / self.disk_dtype().size() as u64;
        for axis in axes {
            let n = self.shape()[axis].max(1) as u64;
            if room < 2 {
                break;
            }
            let parts = n.div_ceil(room.min(n));
            chunk[axis] = n.div_ceil(parts) as i64;
            if parts > 1 {
                break;
            }
            room /= n;
        }
        chunk
    }

    /// The header as stored, without extensions; empty for layouts.
    pub fn header(&self) -> &[u8] {
        &self.shared.header
    }

    /// What was odd in the header but read all the same.
    pub fn warnings(&self) -> &[String] {
        &self.shared.warnings
    }

    /// Shape that an index gives.
    pub fn slice_shape(&self, index: &[Slice]) -> Result<Vec<i64>> {
        Ok(Selection::new(index, self.shape())?.shape())
    }

    /// Check a selection, to be read as often as wanted.
    pub fn plan(&self, index: &[Slice], read_as: ReadAs) -> Result<Plan> {
        Plan::new(self, Selection::new(index, self.shape())?, read_as)
    }

    /// Check a box, to be read as often as wanted: on each axis `count`
    /// elements from `start` on, `step` apart (1 if `None`). Nothing counts
    /// from the end, and an element outside the array is an error.
    pub fn plan_box(
        &self,
        start: &[i64],
        count: &[i64],
        step: Option<&[i64]>,
        read_as: ReadAs,
    ) -> Result<Plan> {
        let ndim = self.shape().len();
        if [start.len(), count.len(), step.map_or(ndim, <[i64]>::len)] != [ndim; 3] {
            let text = format!("a box of {} axes in an array of {ndim}", start.len());
            return Err(Error::new(ErrorKind::Index, text));
        }
        Plan::new(
            self,
            Selection::of_box(self.shape(), start, count, step)?,
            read_as,
        )
    }

    /// Read a selection as elements of type `T`, in column-major order.
    pub fn read_vec<T: Element>(&self, index: &[Slice]) -> Result<Vec<T>> {
        self.plan(index, ReadAs::dtype(T::DTYPE))?.read_vec()
    }

    /// An error about the header.
    fn blame(&self, error: Error) -> Error {
        match &self.shared.header_path {
            Some(path) => error.in_file(path),
            None => error,
        }
    }
}

impl std::fmt::Debug for ArrayProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrayProxy")
            .field("path", &self.shared.header_path)
            .field("format", &self.format())
            .field("shape", &self.shape())
            .field("dtype", &self.disk_dtype())
            .field("scale_shape", &self.scale_shape())
            .finish_non_exhaustive()
    }
}
