//! Ties the rooms together: open, plan, read, reshape. The safe Rust API.

mod ahead;
mod batch;
mod index;
mod open;
mod options;
mod plan;
mod queue;
mod read;
mod source;
mod ways;

#[cfg(feature = "ndarray")]
mod arrays;

pub use batch::Batch;
pub use options::{IndexFile, IndexMode, Options};
pub use plan::{Plan, ReadAs};
pub use source::Source;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::codec::{Codec, Packed};
use crate::core::dtype::{ByteOrder, DType, Order};
use crate::core::layout::Layout;
use crate::core::scale::Factors;
use crate::core::shape;
use crate::core::slice::{Selection, Slice};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{self, Affine, Footer, FooterPlace, Format, Which};
use crate::io::ReadAt;
use crate::mem::Element;

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
}

/// What all proxies of a file have in common.
struct Shared {
    sources: Vec<Data>,
    /// The file that the header is in.
    header_path: Option<PathBuf>,
    format: Format,
    codec: Codec,
    factors: Factors,
    /// Voxel sizes that the header tells; `None` where the format has none.
    zooms: Option<Vec<f64>>,
    affine: Affine,
    footer: Option<LateFooter>,
    header: Vec<u8>,
    warnings: Vec<String>,
    max_bytes: Option<u64>,
    /// As [`Options::threads`].
    threads: usize,
    /// Where the seek index is kept for the user's next programs.
    index_home: Option<index::Home>,
}

/// A footer, which is read when it is asked for: in compressed files all data
/// are decoded on the way to it.
struct LateFooter {
    place: FooterPlace,
    /// With all zooms, where it holds one of them.
    read: OnceLock<(Footer, Vec<f64>)>,
}

impl LateFooter {
    fn new(place: FooterPlace) -> LateFooter {
        LateFooter {
            place,
            read: OnceLock::new(),
        }
    }
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
    /// What tells the file from others under the same name.
    stamp: Option<(u64, u128)>,
    /// Bytes that there are at most, as far as the file's size tells.
    most: Option<u64>,
}

impl Data {
    /// The bytes for several reads in a row.
    fn pinned(&self) -> Result<Arc<dyn ReadAt>> {
        let pinned = self.bytes.pin().map_err(|error| self.blame(error))?;
        Ok(pinned.unwrap_or_else(|| self.bytes.clone()))
    }

    /// Read in another way than by a plan: once more if it was an index that
    /// led astray.
    fn trusting<T>(&self, read: impl Fn(&dyn ReadAt) -> Result<T>) -> Result<T> {
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
        let layout = Layout::packed(dtype, byte_order, order, shape, offset).ok_or_else(|| {
            let text = format!(
                "shape {} of type {dtype} at byte {offset} is no array: axes must be 0 or more, \
                 {} at most, and all within 2^63 bytes",
                shape::text(shape),
                shape::MAX_NDIM
            );
            Error::new(ErrorKind::Argument, text)
        })?;
        open::layout(source, layout, (slope, inter), options)
    }

    /// The same elements, in the order in which they are stored, with another
    /// shape of as many. One entry may be -1, not beside a 0. Affine and zooms
    /// stay the file's.
    pub fn reshape(&self, shape: &[i64]) -> Result<ArrayProxy> {
        let wrong = |reason: String| {
            let text = format!(
                "cannot reshape {} to {}: {reason}",
                shape::text(self.shape()),
                shape::text(shape)
            );
            Err(Error::new(ErrorKind::Argument, text))
        };
        if shape.len() > shape::MAX_NDIM {
            return wrong(format!("at most {} axes are possible", shape::MAX_NDIM));
        }
        let mut filled = shape.to_vec();
        if let Some(hole) = shape.iter().position(|&n| n == -1) {
            let rest: Vec<i64> = shape.iter().copied().filter(|&n| n != -1).collect();
            if rest.len() + 1 < shape.len() {
                return wrong("only one axis can be -1".into());
            }
            match shape::count(&rest) {
                Some(n) if n > 0 && self.size() % n == 0 => filled[hole] = self.size() / n,
                Some(0) => return wrong("-1 cannot stand beside 0".into()),
                _ => return wrong(format!("{} elements do not divide", self.size())),
            }
        }
        if let Some(axis) = filled.iter().position(|&n| n < 0) {
            return wrong(format!("axis {axis} is {}", filled[axis]));
        }
        if shape::count(&filled) != Some(self.size()) {
            return wrong(format!("there are {} elements", self.size()));
        }
        let layout = self.layout.reshaped(&filled).ok_or_else(|| {
            let text = "the elements do not lie in one piece, so they cannot be reshaped";
            Error::new(ErrorKind::Unsupported, text)
        })?;
        Ok(ArrayProxy {
            shared: self.shared.clone(),
            layout: Arc::new(layout),
        })
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
        &self.layout.shape
    }

    /// Number of elements.
    pub fn size(&self) -> i64 {
        // Checked when the layout was made.
        shape::count(&self.layout.shape).unwrap_or(i64::MAX)
    }

    /// Type of the stored elements.
    pub fn disk_dtype(&self) -> DType {
        self.layout.dtype
    }

    /// Type of the elements that [`ReadAs::default`] gives.
    pub fn auto_dtype(&self) -> DType {
        let stored = self.layout.dtype;
        if self.is_scaled() {
            self.shared.factors.auto_dtype(stored)
        } else {
            stored.usable()
        }
    }

    /// Order of the stored elements.
    pub fn order(&self) -> Order {
        self.layout.order
    }

    /// Byte order of the stored elements.
    pub fn byte_order(&self) -> ByteOrder {
        self.layout.byte_order
    }

    /// Byte of the first element in the decoded data.
    pub fn data_offset(&self) -> Result<u64> {
        self.layout.offset().ok_or_else(|| {
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

    /// Whether values are scaled unless told otherwise.
    pub fn is_scaled(&self) -> bool {
        self.shared.factors.is_scaling()
    }

    /// Slope and intercept; 1 and 0 for data that are not scaled.
    pub fn scale_factors(&self) -> (f64, f64) {
        (self.shared.factors.slope, self.shared.factors.inter)
    }

    /// Voxel to world (RAS+, mm), four rows of four, for indices that count
    /// from 0, and the xform code, 0 if there is none.
    pub fn affine(&self, which: Which) -> Result<(i32, [[f64; 4]; 4])> {
        self.shared
            .affine
            .get(which)
            .map_err(|error| self.blame(error))
    }

    /// Voxel sizes; the fourth is the time step in the header's unit. That of
    /// an MGH file stands behind the data: the first call reads it, and decodes
    /// all of a compressed file for it. [`ArrayProxy::leading_zooms`] does not.
    pub fn zooms(&self) -> Result<&[f64]> {
        match &self.shared.footer {
            Some(late) if late.place.has_zoom => Ok(&self.late_footer(late)?.1),
            _ => self.leading_zooms(),
        }
    }

    /// The voxel sizes that the header tells: all, or the first three.
    pub fn leading_zooms(&self) -> Result<&[f64]> {
        self.shared.zooms.as_deref().ok_or_else(|| {
            let text = "the format has no voxel sizes";
            self.blame(Error::new(ErrorKind::Unsupported, text))
        })
    }

    /// Number of voxel sizes.
    pub fn zooms_len(&self) -> Result<usize> {
        let late = self.shared.footer.as_ref();
        let more = late.is_some_and(|late| late.place.has_zoom);
        Ok(self.leading_zooms()?.len() + usize::from(more))
    }

    /// What stands behind the data of an MGH file. The first call reads it, and
    /// decodes all of a compressed file for it.
    pub fn footer(&self) -> Result<&Footer> {
        let Some(late) = &self.shared.footer else {
            let text = "the format has no footer";
            return Err(self.blame(Error::new(ErrorKind::Unsupported, text)));
        };
        Ok(&self.late_footer(late)?.0)
    }

    fn late_footer<'a>(&'a self, late: &'a LateFooter) -> Result<&'a (Footer, Vec<f64>)> {
        if let Some(read) = late.read.get() {
            return Ok(read);
        }
        // It is in the data's file.
        let data = &self.shared.sources[0];
        let footer = data.trusting(|bytes| {
            let bytes = open::HeaderBytes {
                head: &[],
                bytes,
                most: data.most,
            };
            format::footer(&bytes, late.place.at)
        })?;
        let mut zooms = self.leading_zooms()?.to_vec();
        zooms.push(footer.zoom());
        Ok(late.read.get_or_init(|| (footer, zooms)))
    }

    /// The content of one of the [`Footer::tags`], by its number.
    pub fn tag_bytes(&self, number: usize) -> Result<Vec<u8>> {
        let tags = &self.footer()?.tags;
        let Some(tag) = tags.get(number) else {
            let text = format!("tag {number} of {}", tags.len());
            return Err(Error::new(ErrorKind::Index, text));
        };
        let most = self.shared.max_bytes.unwrap_or(u64::MAX);
        let size = usize::try_from(tag.size).ok().filter(|_| tag.size <= most);
        let size = size.ok_or_else(|| {
            let text = format!("tag {number} has {} bytes", tag.size);
            self.blame(Error::new(ErrorKind::Memory, text))
        })?;
        let data = &self.shared.sources[0];
        data.trusting(|bytes| bytes.read_vec(tag.offset, size))
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
            .field("scale_factors", &self.scale_factors())
            .finish_non_exhaustive()
    }
}
